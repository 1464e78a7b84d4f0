/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_TAKEOUT_LABELS_H
#define MAILHAUL_IMPORTERS_TAKEOUT_LABELS_H

#include "core/base/buf.h"
#include "core/base/flags.h"
#include "core/base/folder_use.h"

#include <stdbool.h>
#include <stddef.h>

/* The labels that Google Takeout writes on top of every message:

	X-GM-THRID: 1628415971694286313
	X-Gmail-Labels: Inbox,Important,Unread,"Trips, 2019",Work/Orders

   in the language of the account, as a line of CSV (a label with a comma in quotes), all of it
   in encoded words (RFC 2047) when it is not ASCII, which may begin and end anywhere. */
extern const char *const takeout_fields[];

/* Whether a header (without separator line) begins as Takeout's do. */
bool takeout_is_header(const char *text, size_t n);

enum takeout_label {
	LABEL_USER, /* made by the account's owner */
	LABEL_INBOX,
	LABEL_SENT,
	LABEL_DRAFTS,
	LABEL_SPAM,
	LABEL_TRASH,
	LABEL_STARRED,
	LABEL_IMPORTANT,
	LABEL_UNREAD,
	LABEL_KEYWORD, /* "IMAP_$Forwarded": a keyword that some IMAP client set */
	LABEL_LOST, /* a tab of the Inbox, muted ...: nothing in IMAP is like it */
	LABEL_PLAIN, /* Opened, Archived: says nothing by being there */
};
enum takeout_label takeout_label_kind(const char *label);

/* Labels, in the order in which they stand, NUL-terminated one after the other, UTF-8 in
   NFC. */
struct takeout_labels {
	struct buf text;
};
#define TAKEOUT_LABELS_INIT { .text = BUF_INIT }
void takeout_labels_free(struct takeout_labels *l);
/* Read the field of a header (without separator line, as much as there is). No field, no
   labels. */
void takeout_labels_read(struct takeout_labels *l, const char *text, size_t n);
/* The first label, or the one after label; NULL after the last. */
const char *takeout_next_label(const struct takeout_labels *l,
			       const char *label);

/* Where the message belongs, as it can be in one folder only: "A/B", no part empty. Trash
   and Spam first, whatever else; then the deepest of the user's labels (of equals the
   first); then Sent, Drafts, Inbox; else Archive. */
enum { TAKEOUT_PARTS_MAX = 16, TAKEOUT_LABEL_MAX = 1024 };
void takeout_folder_of(const struct takeout_labels *l, struct buf *out);
/* What such a folder is for. */
enum folder_use takeout_folder_use(const char *folder);

/* Flags and keywords of a message that is in folder; lost is told of every label that is
   neither (may be NULL). */
void takeout_flags(const struct takeout_labels *l, const char *folder,
		   struct flags *f,
		   void (*lost)(void *ctx, const char *label,
				enum takeout_label kind),
		   void *ctx);

#endif
