/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_BYTES_H
#define MAILHAUL_IMPORTERS_MBOX_BYTES_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The bytes of an mbox at any offset, be the file compressed or not. */
struct mbox_bytes;

/* fd stays the caller's; its position is not looked at. name is for errors. */
int mbox_bytes_open(int fd, const char *name, struct mbox_bytes **b_r,
		    struct err *e);
void mbox_bytes_close(struct mbox_bytes *b);
bool mbox_bytes_packed(const struct mbox_bytes *b);

/* Where reading ends: the file's size when it was opened, though it may have grown
   since. UINT64_MAX of a compressed file, where nobody knows. */
uint64_t mbox_bytes_size(const struct mbox_bytes *b);
/* Whether there is more by now; from here on that can be read, too. */
bool mbox_bytes_grow(struct mbox_bytes *b);

/* n bytes from offset on: less only at the end, 0 there, -1 (ERR_FOLDER). In a compressed
   file going back begins anew. */
ssize_t mbox_bytes_read(struct mbox_bytes *b, char *to, size_t n,
			uint64_t offset, struct err *e);
/* The same to look far ahead, without taking mbox_bytes_read from its place. -1: it
   cannot be told. A compressed file is unpacked a second time for this, so it is not to
   be asked lightly; after PEEK_RESTARTS steps back it cannot be told any more. */
enum { PEEK_RESTARTS = 8 };
ssize_t mbox_bytes_peek(struct mbox_bytes *b, char *to, size_t n,
			uint64_t offset);

#endif
