/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does COMPRESS=DEFLATE pay? Two things are measured: the line, while it is
   what we wait for, and the processor, on mail that is about to be sent. A
   server that is slow to store what it gets looks like a slow line from here,
   if it lets its window shut; compressing for it brings nothing and costs
   little. */
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "core/base/log.h"
#include "core/base/spool.h"
#include "storage/imap/pool.h"
#include "storage/imap/stream_internal.h"

enum {
	LOOK_AFTER_MS = 1500, /* of waiting for the line */
	TRIAL = 256 << 10,    /* bytes of mail that are tried */
	PIECE = 16 << 10,
};

struct trial {
	z_stream z;
	uint64_t plain, wire;
	int64_t us;
};

/* Processor time, so that a busy machine does not look like a slow one. */
static int64_t processor_us(void)
{
	struct timespec ts = { .tv_sec = 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void deflate_piece(struct trial *t, const char *bytes, size_t n,
			  int flush)
{
	unsigned char out[PIECE];

	t->z.next_in = (unsigned char *)(uintptr_t)bytes;
	t->z.avail_in = (uInt)n;
	do {
		t->z.next_out = out;
		t->z.avail_out = sizeof(out);
		deflate(&t->z, flush);
		t->wire += sizeof(out) - t->z.avail_out;
	} while (!t->z.avail_out);
	t->plain += n;
}

static void try_item(struct trial *t, const struct append_item *item)
{
	char scratch[PIECE];
	const char *bytes;
	struct err e;
	uint64_t at = 0;
	ssize_t n;

	while (t->plain < TRIAL &&
	       (n = spool_at(item->bytes, at, scratch, sizeof(scratch), &bytes,
			     &e)) > 0) {
		size_t left = (size_t)(TRIAL - t->plain);

		if ((size_t)n > left)
			n = (ssize_t)left;
		deflate_piece(t, bytes, (size_t)n, Z_NO_FLUSH);
		at += (uint64_t)n;
	}
}

static bool try_batch(struct trial *t, const struct append_batch *b)
{
	int64_t began = processor_us();

	if (deflateInit2(&t->z, STREAM_DEFLATE_LEVEL, Z_DEFLATED, -15, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	for (size_t i = 0; i < b->n && t->plain < TRIAL; i++)
		try_item(t, &b->items[i]);
	deflate_piece(t, "", 0, Z_SYNC_FLUSH);
	t->us = processor_us() - began;
	deflateEnd(&t->z);
	return t->plain && t->us > 0;
}

bool imap_compress_pays(const struct imap_append *a,
			const struct append_batch *b)
{
	struct append_line line;
	struct trial t;
	uint64_t cpu;
	bool pays;

	imap_append_line(a, &line);
	if (line.line_ms < LOOK_AFTER_MS || line.line_ms < line.elapsed_ms / 2)
		return false;
	memset(&t, 0, sizeof(t));
	if (!try_batch(&t, b))
		return false;
	cpu = t.plain * 1000000 / (uint64_t)t.us;
	pays = pace_compress_pays(line.bytes_per_second, cpu, t.plain, t.wire);
	log_line(LOG_INFO,
		 "imap: the line takes %llu KiB/s; mail deflates at %llu KiB/s "
		 "to %llu%%: compression %s",
		 (unsigned long long)line.bytes_per_second >> 10,
		 (unsigned long long)cpu >> 10,
		 (unsigned long long)(t.wire * 100 / t.plain),
		 pays ? "pays" : "does not pay");
	return pays;
}
