/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_READER_H
#define MAILHAUL_IMPORTERS_MBOX_READER_H

#include "core/base/err.h"
#include "core/base/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Splits a stream into the messages of an mbox: shared by every importer whose store
   is one (mbox, Thunderbird). Separators are found by scoring, formats.md section
   1.3; memory is bounded whatever the file holds.

   A blank line (LF or CRLF) in front of a separator or at the end of the file belongs
   to the mbox; exactly one. */
enum mbox_quoting {
	MBOX_QUOTING_NONE, /* mboxcl2, Dovecot: nothing is undone */
	MBOX_QUOTING_RD,   /* one '>' of every ^>+From is undone (Thunderbird, and the
			      best guess for files of unknown writers) */
};

struct mbox_reader;

/* Reads fd from its beginning; fd stays the caller's. name is for errors.
   thunderbird: accept bare "From " separators with two header lines behind. */
int mbox_reader_open(int fd, const char *name, enum mbox_quoting quoting,
		     bool thunderbird, struct mbox_reader **r_r, struct err *e);
void mbox_reader_close(struct mbox_reader *r);

/* Find the next message: 1 with *offset_r the byte offset of its separator line, 0 at
   the end, -1. */
int mbox_reader_next(struct mbox_reader *r, uint64_t *offset_r, struct err *e);
/* The separator line of the message next found, without its line end. */
const char *mbox_reader_separator(const struct mbox_reader *r);
/* Its score was weak: report it. */
bool mbox_reader_doubtful(const struct mbox_reader *r);
/* Feed the message to in (reset by the caller, not ended), up to the next separator.
   *length_r: separator line and trailing blank line included. After an error of scope
   ERR_MESSAGE, which is the intake's, the reader stands behind the message. */
int mbox_reader_load(struct mbox_reader *r, struct intake *in,
		     uint64_t *length_r, struct err *e);
/* Step over it: its length is known. */
int mbox_reader_pass(struct mbox_reader *r, uint64_t length, struct err *e);
/* Lines that look like separators but scored too low, so far. */
uint64_t mbox_reader_rejected(const struct mbox_reader *r);
/* Bytes before the first separator that are not blank: junk, reported. */
uint64_t mbox_reader_junk(const struct mbox_reader *r);

/* What the status headers of an mbox say (Status and X-Status: formats.md section
   1.5). Only adds. */
void mbox_flags_from_header(const struct header *h, struct flags *f,
			    bool *deleted_r);
/* X-Keywords. Only where the first message has an X-IMAPbase or X-IMAP field: in other
   files a sender wrote it. */
void mbox_keywords_from_header(const struct header *h, struct flags *f);

#endif
