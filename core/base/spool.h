/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_SPOOL_H
#define MAILHAUL_BASE_SPOOL_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a message rests between the store and the socket, in its wire form: in
   memory up to SPOOL_MEMORY bytes, behind that in a temporary file without a name
   (O_TMPFILE in $TMPDIR, or created and unlinked; 0600). */
enum { SPOOL_MEMORY = 1 << 20, SPOOL_KEEP = 8 << 10 };

struct spool {
	struct buf mem;
	int fd; /* -1 while everything is in mem */
	uint64_t len;
};
#define SPOOL_INIT { .mem = BUF_INIT, .fd = -1 }

void spool_init(struct spool *s);
void spool_free(struct spool *s);
/* Empty it for the next message; at most SPOOL_KEEP bytes of memory are kept. */
void spool_reset(struct spool *s);
int spool_add(struct spool *s, const char *bytes, size_t n, struct err *e);
/* Bytes from offset on. Returns how many (>= 1; 0 only at the end) are at *bytes_r,
   or -1. They are the spool's own memory, or were read into scratch (scratch_len
   bytes), and stay valid until the spool changes or scratch is used again. */
ssize_t spool_at(const struct spool *s, uint64_t offset, char *scratch,
		 size_t scratch_len, const char **bytes_r, struct err *e);

#endif
