/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_HEADER_H
#define MAILHAUL_BASE_HEADER_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of a message's header (RFC 5322 section 2.2, read as leniently as RFC 7103
   advises). It owns the raw bytes of the header as the store holds them, and an
   index of its fields. Lines that are no field and no continuation stay where they
   are and belong to the field before them; in front of the first field they are a
   field without a name. A separator line of an mbox on top ("From ", ">From ") is
   no field. */
struct header_field {
	uint32_t name, name_len;   /* into raw; the name without trailing blanks */
	uint32_t value, value_len; /* behind the colon, folds and all, without
				      the last line end */
	uint32_t start, end;	   /* the whole field with its line ends */
	bool dropped;		   /* the store added it: neither sent nor hashed */
};
struct header {
	struct buf raw;
	struct header_field *fields;
	size_t n, cap;
};
#define HEADER_INIT { .raw = BUF_INIT }

/* A header longer than this is cut: what lies behind counts as body (for the
   view and the digest; every byte is still sent). */
enum { HEADER_MAX = 1 << 20 };

void header_init(struct header *h);
void header_free(struct header *h);
void header_reset(struct header *h);
/* Build the index of h->raw. */
void header_index(struct header *h);
/* The nth (from 0) field of this name, dropped ones included; NULL if none.
   Names are compared without case. */
const struct header_field *header_find(const struct header *h, const char *name,
				       unsigned nth);
/* Append the value unfolded: line ends cut, runs of white space become one space,
   trimmed. False if there is no such field. */
bool header_add_value(const struct header *h, const char *name, unsigned nth,
		      struct buf *out);

/* The same for a field at hand. */
void header_unfold(const struct header *h, const struct header_field *f,
		   struct buf *out);

/* Append the Message-ID in its normal form (formats.md section 6.1): the first
   field; unfolded; comments outside quotes dropped; the text of the first <...>,
   else the first token. Empty if there is none. Case is kept. */
void header_add_message_id(const struct header *h, struct buf *out);
/* The same of a field value on its own, as a server gives it. */
void header_normal_message_id(const char *value, size_t n, struct buf *out);

/* The date after the last ';' of the top-most Received field that was not added by
   a fetcher (by localhost, fetchmail, with POP3/IMAP) when the next one differs by
   more than a day. DATE_NONE if there is none. */
int64_t header_received_date(const struct header *h);

#endif
