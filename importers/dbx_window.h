/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_DBX_WINDOW_H
#define MAILHAUL_IMPORTERS_DBX_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* Reads anywhere in a file through a buffer of fixed size. The size of the file is
   what it was at open: what is behind it is not looked at. */
enum {
	DBX_WINDOW = 32 << 10,
	DBX_WINDOW_LEAST = 4 << 10, /* what is asked for at once, at most */
};
struct dbx_window {
	int fd; /* the caller's */
	uint64_t size;
	int error; /* errno of the last read that failed; EIO when the file shrank */
	uint64_t at;
	size_t n;
	char *bytes;
};

void dbx_window_open(struct dbx_window *w, int fd, uint64_t size);
void dbx_window_close(struct dbx_window *w);
/* Bytes from pos on: how many there are in one piece, at least DBX_WINDOW_LEAST or all
   up to the end. 0 at the end or, with error set, when they cannot be read. Valid until
   the next call. */
size_t dbx_window_run(struct dbx_window *w, uint64_t pos, const char **bytes_r);
/* n bytes (at most DBX_WINDOW_LEAST) at pos; NULL when there are fewer. */
const char *dbx_window_at(struct dbx_window *w, uint64_t pos, size_t n);

static inline uint32_t dbx_le32(const char *s)
{
	const unsigned char *b = (const unsigned char *)s;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

#endif
