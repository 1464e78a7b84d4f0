/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: the message lies in the file, a property list is read without
   going beyond it, and a message whose attachments are not to be found comes out byte
   for byte, however it goes in. With attachments it ends, and grows by no more than
   they are. */
#include "importers/emlx.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char attachment[] = "an attachment\r\n\t=\0 \n";

struct sink {
	struct buf out;
	bool there; /* there are attachments */
	size_t found;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int memory_file(const void *bytes, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	must(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int out(void *ctx, const char *bytes, size_t n, struct err *e)
{
	(void)e;
	buf_add(&((struct sink *)ctx)->out, bytes, n);
	return 0;
}

static int find(void *ctx, const char *number, bool *encoded_r)
{
	struct sink *sink = ctx;

	must(number[0]);
	for (const char *p = number; *p; p++)
		must(*p == '.' || (*p >= '0' && *p <= '9'));
	if (!sink->there)
		return -1;
	*encoded_r = sink->found++ % 2;
	return memory_file(attachment, sizeof(attachment) - 1);
}

static size_t rebuild(struct sink *sink, const uint8_t *data, size_t size,
		      size_t piece)
{
	static const struct emlx_hooks hooks = { .out = out, .find = find };
	struct emlx_parts *p = emlx_parts_new(&hooks, sink);
	struct err e = ERR_INIT;
	size_t restored;

	for (size_t at = 0; at < size; at += piece)
		must(emlx_parts_add(p, (const char *)data + at,
				    size - at < piece ? size - at : piece,
				    &e) == 0);
	must(emlx_parts_end(p, &e) == 0);
	restored = emlx_parts_restored(p);
	must(sink->there ? !emlx_parts_missing(p) : !restored);
	emlx_parts_free(p);
	return restored;
}

static void check_frame(const uint8_t *data, size_t size)
{
	int fd = memory_file(data, size);
	struct emlx_frame f;

	if (emlx_frame_find(fd, size, &f) == 0) {
		must(f.begin >= 2 && f.begin <= f.end && f.end == f.plist &&
		     f.plist <= f.plist_end && f.plist_end == size);
		must(f.lies || f.end - f.begin == f.said);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink sink = { .out = BUF_INIT };
	struct emlx_info info;
	size_t restored;

	check_frame(data, size);
	emlx_plist_read((const char *)data, size, &info);
	rebuild(&sink, data, size, size + 1);
	must(sink.out.len == size &&
	     (!size || !memcmp(sink.out.data, data, size)));
	buf_reset(&sink.out);
	rebuild(&sink, data, size, 7);
	must(sink.out.len == size &&
	     (!size || !memcmp(sink.out.data, data, size)));
	buf_reset(&sink.out);
	sink.there = true;
	restored = rebuild(&sink, data, size, 64);
	must(sink.out.len <= size + restored * 4 * sizeof(attachment) + 2);
	buf_free(&sink.out);
	return 0;
}
