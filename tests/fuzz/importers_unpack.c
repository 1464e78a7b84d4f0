/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every packer packs comes out again, byte for byte, read in pieces of any size; and
   whatever a file holds, it is read to its end or to an error, which then stays, the
   same bytes for every size of piece, and no more of the file is taken than there is.

   That memory stays bounded is libFuzzer's -malloc_limit_mb and -rss_limit_mb, and the
   seeds that ask for 4 GiB. */
#include "importers/unpack.h"
#include "tests/importers/pack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A bomb need not be unpacked to its end. */
enum { MOST = 4 << 20, MEMORY_MB = 512 };

static void must(int ok)
{
	if (!ok)
		abort();
}

/* Unpack into out, at most MOST and a piece. What the last read returned. */
static ssize_t unpack_all(const char *bytes, size_t n, size_t piece,
			  struct buf *out)
{
	int fd = pack_file(bytes, n);
	struct unpack *u = NULL;
	struct err e = ERR_INIT, again = ERR_INIT;
	ssize_t got;

	must(unpack_open(fd, "x", &u, &e) == 0);
	must(unpack_packing(u) == unpack_looks(bytes, n));
	do {
		buf_grow(out, piece);
		got = unpack_read(u, out->data + out->len, piece, &e);
		must(got <= (ssize_t)piece);
		if (got > 0)
			out->len += (size_t)got;
		must(unpack_taken(u) <= n);
	} while (got > 0 && out->len < MOST);
	if (got <= 0)
		must(unpack_read(u, out->data, 1, &again) == got);
	if (got < 0)
		must(e.text[0] && !strcmp(e.text, again.text));
	unpack_close(u);
	close(fd);
	return got;
}

static void check_any(const char *bytes, size_t n, size_t piece)
{
	struct buf one = BUF_INIT, other = BUF_INIT;
	ssize_t ret = unpack_all(bytes, n, piece, &one);
	ssize_t want = unpack_all(bytes, n, 64 << 10, &other);
	size_t least = one.len < other.len ? one.len : other.len;

	must(!memcmp(one.data, other.data, least));
	if (ret <= 0 && want <= 0)
		must(ret == want && one.len == other.len);
	buf_free(&one);
	buf_free(&other);
}

static void check_round_trip(enum packing how, const char *bytes, size_t n,
			     size_t piece)
{
	struct buf packed = BUF_INIT, out = BUF_INIT;
	size_t half = n / 2;

	/* As two streams; an empty file is one. */
	pack_add(how, &packed, bytes, half);
	pack_add(how, &packed, bytes + half, n - half);
	must(unpack_all(packed.data, packed.len, piece, &out) == 0);
	must(out.len == n && !memcmp(out.data, bytes, n));
	buf_free(&packed);
	buf_free(&out);
}

/* Input: a byte for the size of the pieces, then a file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	struct rusage use;
	size_t piece;

	if (!size)
		return 0;
	piece = (size_t)data[0] * data[0] + 1;
	size--;
	if (size > MOST / 2)
		size = MOST / 2;
	check_any(bytes, size, piece);
	for (int how = PACKED_GZIP; how <= PACKED_ZSTD; how++)
		check_round_trip((enum packing)how, bytes, size, piece);
	must(getrusage(RUSAGE_SELF, &use) == 0);
	must(use.ru_maxrss < MEMORY_MB * 1024L);
	return 0;
}
