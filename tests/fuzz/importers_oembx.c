/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads any bytes as an .mbx of Outlook Express 4 and its .idx. Whatever they are:

   - messages ascend and do not overlap, and each is inside the file, its text inside the
   message;
   - a plain search for their mark finds no message between two that were found;
   - an index that is taken has its entries in order, and each is the place of a message.

   The first two bytes are the length of the .idx, which comes first. */
#include "importers/oembx_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held)
{
	if (!held)
		abort();
}

static int make_file(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	return fd;
}

/* Whether a whole message lies here, the plainest possible. */
static bool is_message(const uint8_t *s, size_t n, uint64_t at)
{
	uint64_t length, text;

	if (at + 16 > n || memcmp(s + at, "\0\x7F\0\x7F", 4))
		return false;
	length = dbx_le32((const char *)s + at + 8);
	text = dbx_le32((const char *)s + at + 12);
	return length >= 16 && text + 16 <= length && at + length <= n;
}

static void check_index(struct dbx_window *idx, struct dbx_window *mbx,
			const uint8_t *bytes, size_t n)
{
	struct oembx_index x;

	if (!oembx_index_read(&x, idx, mbx)) {
		must(!x.n && !x.entries);
		return;
	}
	for (size_t i = 0; i < x.n; i++) {
		must(is_message(bytes, n, x.entries[i].at));
		must(!i || x.entries[i - 1].at <= x.entries[i].at);
		must(oembx_index_find(&x, x.entries[i].at)->at ==
		     x.entries[i].at);
	}
	must(!oembx_index_find(&x, UINT64_C(1) << 32));
	oembx_index_free(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct dbx_window idx, mbx;
	struct oembx_frame f;
	size_t n_idx;
	uint64_t pos = OEMBX_HEADER;
	int idx_fd, mbx_fd;

	if (n < 2 || n > 1 << 16)
		return 0;
	n_idx = data[0] | (size_t)data[1] << 8;
	data += 2;
	n -= 2;
	n_idx = n_idx < n ? n_idx : n;
	idx_fd = make_file(data, n_idx);
	mbx_fd = make_file(data + n_idx, n - n_idx);
	dbx_window_open(&idx, idx_fd, n_idx);
	dbx_window_open(&mbx, mbx_fd, n - n_idx);
	data += n_idx;
	n -= n_idx;
	while (pos < n && oembx_find(&mbx, pos, &f) > 0) {
		must(f.at >= pos && is_message(data, n, f.at));
		must(f.text == f.at + 16 && f.text_length + 16 <= f.length);
		for (; pos < f.at; pos++)
			must(!is_message(data, n, pos));
		pos += f.length;
	}
	for (; pos < n; pos++)
		must(!is_message(data, n, pos));
	check_index(&idx, &mbx, data, n);
	dbx_window_close(&idx);
	dbx_window_close(&mbx);
	close(idx_fd);
	close(mbx_fd);
	return 0;
}
