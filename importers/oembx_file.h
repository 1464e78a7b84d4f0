/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_OEMBX_FILE_H
#define MAILHAUL_IMPORTERS_OEMBX_FILE_H

#include "importers/dbx_window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One .mbx file of Outlook Express 4 and the .idx beside it. Layout: "MBX Mailbox file
   format" by Michael Santovec, "IDX" by Jeff Evans and Arne Schloh
   (https://hwiegman.home.xs4all.nl/fileformats), and comm-central's former importer
   (nsOEMailbox.cpp). */
enum { OEMBX_HEADER = 0x54, OEMBX_HEAD = 4 };
bool oembx_looks(const char *head, size_t n);

/* A message's frame: a header of four numbers, the text, padding. */
struct oembx_frame {
	uint64_t at, length; /* all of it */
	uint64_t text, text_length;
	uint32_t number;
};
/* The frame at pos, or the first behind it when there is none: 1, 0 when there is none
   up to the end, -1 when the file cannot be read (w->error). What was passed over lies
   between pos and f->at. */
int oembx_find(struct dbx_window *w, uint64_t pos, struct oembx_frame *f);

/* What the .idx has of the messages, sorted by their place in the .mbx. */
struct oembx_entry {
	uint32_t at;
	uint32_t flags;
};
enum {
	OEMBX_DELETED = 0x01,
	OEMBX_UNREAD = 0x02,
	OEMBX_UNSENT = 0x08,
};
struct oembx_index {
	struct oembx_entry *entries;
	size_t n;
};
/* Read it. False, with nothing in x, unless it is whole and each of its entries leads to a
   message in mbx. */
bool oembx_index_read(struct oembx_index *x, struct dbx_window *idx,
		      struct dbx_window *mbx);
void oembx_index_free(struct oembx_index *x);
/* The entry for the message at this place, or NULL. */
const struct oembx_entry *oembx_index_find(const struct oembx_index *x,
					   uint64_t at);

#endif
