/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MOZILLA_STATUS_H
#define MAILHAUL_IMPORTERS_MOZILLA_STATUS_H

#include "core/base/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Message states of Mozilla clients (nsMsgMessageFlags): X-Mozilla-Status holds the
   low 16 bits, X-Mozilla-Status2 the high 16, an .msf row all of them. */
enum {
	MOZILLA_READ = 0x0001,
	MOZILLA_REPLIED = 0x0002,
	MOZILLA_MARKED = 0x0004,
	MOZILLA_EXPUNGED = 0x0008, /* deleted, bytes not compacted yet */
	MOZILLA_OFFLINE = 0x0080,  /* the bytes are here; .msf only */
	MOZILLA_PARTIAL = 0x0400,  /* only the first lines were downloaded */
	MOZILLA_QUEUED = 0x0800,
	MOZILLA_FORWARDED = 0x1000,
	MOZILLA_IMAP_DELETED = 0x00200000,
	MOZILLA_MDN_SENT = 0x00800000,
	MOZILLA_LABELS = 0x0E000000, /* 1 to 5: the tags before version 2 */
};

/* The fields a Mozilla client writes on top of every message, for
   intake.drop_leading; ended by NULL. */
extern const char *const mozilla_leading_fields[];

/* What the fields say, Status in the low and Status2 in the high half. False if
   there is no X-Mozilla-Status to go by. As in Thunderbird the first field of a name
   is the one that counts, and one that is not exactly 4 (8) hex digits says nothing. */
bool mozilla_status_read(const struct header *h, uint32_t *status_r);

/* Bring status into m: flags, keywords, skip and notes. Only adds. */
void mozilla_status_set(struct message *m, uint32_t status);

/* Add every word of s (an .msf keywords cell, or a field's value) that can be an
   IMAP keyword. */
void mozilla_keywords_add(struct flags *f, const char *s, size_t n);

/* The whole header: status, and the tags of X-Mozilla-Keys. Of several X-Mozilla-Keys
   the first that is not blank counts: Thunderbird shows a tag that a sender wrote
   below its own empty field, and it stays what the person saw. */
void mozilla_status_apply(const struct header *h, struct message *m);

#endif
