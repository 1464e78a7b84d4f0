/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_FLAGS_H
#define MAILHAUL_BASE_FLAGS_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* System flags of RFC 9051 section 2.3.2, as a set. \Deleted is never sent: Gmail
   acts on it at once, and what was deleted is not migrated anyway. */
enum {
	FLAG_SEEN = 1 << 0,
	FLAG_ANSWERED = 1 << 1,
	FLAG_FLAGGED = 1 << 2,
	FLAG_DRAFT = 1 << 3,
};

/* Flags and keywords of one message. Keywords are kept sorted, each once (compared
   without case, the first spelling wins), NUL-terminated one after the other. */
struct flags {
	unsigned system;
	struct buf keywords;
};
#define FLAGS_INIT { .keywords = BUF_INIT }

void flags_init(struct flags *f);
void flags_free(struct flags *f);
void flags_reset(struct flags *f);
/* Add one keyword: 0, or -1 if it is no atom (RFC 9051 flag-keyword) and so
   cannot be one; nothing is added then. */
int flags_add_keyword(struct flags *f, const char *word, size_t n);
/* Add every flag and keyword of other: how flags of merged copies are united. */
void flags_unite(struct flags *f, const struct flags *other);
bool flags_equal(const struct flags *a, const struct flags *b);
/* The first keyword, or the one after word; NULL after the last. */
const char *flags_next_keyword(const struct flags *f, const char *word);
bool flags_has_keyword(const struct flags *f, const char *word);
/* Append in IMAP's order and spelling, space-separated, without parentheses:
   "\Seen $label1". Also the form kept in the ledger. */
void flags_add_text(struct buf *out, const struct flags *f);
/* Read that form back. Unknown \flags are passed over. */
void flags_parse(struct flags *f, const char *text, size_t n);

#endif
