/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_MARK_H
#define MAILHAUL_IMPORTERS_MBOX_MARK_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* What a file was like up to an offset, by its last bytes before it: enough to tell a
   file that has only grown from one that was compacted or written anew, where messages
   move. State that is changed in place, further up, is not seen. */
enum { MBOX_MARK_BYTES = 4 << 10 };
struct mbox_mark {
	uint64_t end;
	uint8_t digest[32]; /* SHA-256 of the MBOX_MARK_BYTES before end */
};

/* False if the file is not that long, or cannot be read. */
bool mbox_mark_make(int fd, uint64_t end, struct mbox_mark *m_r);
/* Whether the bytes before m->end are still those. */
bool mbox_mark_holds(const struct mbox_mark *m, int fd);

/* As text, and back: false if it is none. */
void mbox_mark_add(struct buf *out, const struct mbox_mark *m);
bool mbox_mark_read(const char *text, struct mbox_mark *m_r);

#endif
