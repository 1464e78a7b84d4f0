/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_HEAD_H
#define MAILHAUL_IMPORTERS_MBOX_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the header of a message in an mbox says about where the message ends. Only
   evidence: senders write headers, too. */
struct mbox_head {
	size_t len;	  /* of the header with its empty line; 0 if that is not
			     among the bytes looked at */
	bool has_length;
	uint64_t length;  /* Content-Length */
	char boundary[72]; /* of a multipart; at most 70 (RFC 2046 section 5.1.1) */
	size_t boundary_len;
};

/* s[0..n): the begin of a message, as much as there is. */
void mbox_head_read(struct mbox_head *h, const char *s, size_t n);

/* The value of the first field of this name in s[0..n), the begin of a header, with its
   folds; NULL if it is not there. leading: only the first so many fields are looked
   at. */
const char *mbox_head_find(const char *s, size_t n, const char *name,
			   unsigned leading, size_t *n_r);

#endif
