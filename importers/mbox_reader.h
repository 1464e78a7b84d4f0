/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_READER_H
#define MAILHAUL_IMPORTERS_MBOX_READER_H

#include "core/base/err.h"
#include "core/base/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Splits a file into the messages of an mbox: shared by every importer whose store is
   one (mbox, Thunderbird). Separators are found by scoring, formats.md section 1.3;
   memory is bounded whatever the file holds. A compressed file (unpack.h) reads as what is
   in it. A file of MMDF is read, too.

   A blank line (LF or CRLF) in front of a separator or at the end of the file belongs
   to the mbox; exactly one. NULs there, as a crash leaves them, belong to nobody. */
enum mbox_quoting {
	MBOX_QUOTING_NONE, /* mboxcl2, Dovecot: nothing is undone */
	MBOX_QUOTING_RD,   /* one '>' of every ^>+From is undone (Thunderbird, and the
			      best guess for files of unknown writers) */
};

struct mbox_reader;
struct split_doubt; /* importer.h */

/* Reads fd from its beginning; fd stays the caller's. name is for errors.
   thunderbird: accept bare "From " separators with two header lines behind.

   What was appended since the file was opened is left for the next time, but for the rest
   of a message that had begun. */
int mbox_reader_open(int fd, const char *name, enum mbox_quoting quoting,
		     bool thunderbird, struct mbox_reader **r_r, struct err *e);
void mbox_reader_close(struct mbox_reader *r);

/* Tell of every separator that is in doubt, taken or not; d lives as long as the
   call. */
void mbox_reader_on_doubt(struct mbox_reader *r,
			  void (*doubt)(void *ctx, const struct split_doubt *d),
			  void *ctx);

/* Find the next message: 1 with *offset_r the byte offset of its separator line, 0 at
   the end, -1. */
int mbox_reader_next(struct mbox_reader *r, uint64_t *offset_r, struct err *e);
/* The separator line of the message next found, without its line end; "" if it has none
   (MMDF, or a file that begins with a header). */
const char *mbox_reader_separator(const struct mbox_reader *r);
/* Its score was weak: report it. */
bool mbox_reader_doubtful(const struct mbox_reader *r);
/* What of the message can be seen without moving: its header, most likely. */
const char *mbox_reader_peek(const struct mbox_reader *r, size_t *n_r);
/* Feed the message to in (reset by the caller, not ended), up to the next separator.
   *length_r: separator line and trailing blank line included. After an error of scope
   ERR_MESSAGE, which is the intake's, or says that the message is still being written, the
   reader stands behind the message. */
int mbox_reader_load(struct mbox_reader *r, struct intake *in,
		     uint64_t *length_r, struct err *e);
/* Step over it: its length is known. */
int mbox_reader_pass(struct mbox_reader *r, uint64_t length, struct err *e);
/* Step over it: its length is to be found. */
int mbox_reader_skip(struct mbox_reader *r, uint64_t *length_r, struct err *e);

/* Go to the message at offset, where mbox_reader_next found one before in this file as it
   is; ask mbox_reader_next for it. length: as it was then, so that it ends where it did; 0 if
   that is not known. */
int mbox_reader_seek(struct mbox_reader *r, uint64_t offset, uint64_t length,
		     struct err *e);

/* Lines that look like separators but scored too low, so far. */
uint64_t mbox_reader_rejected(const struct mbox_reader *r);
/* Bytes before the first separator that are not blank: junk, reported. */
uint64_t mbox_reader_junk(const struct mbox_reader *r);
/* NULs between messages. */
uint64_t mbox_reader_padding(const struct mbox_reader *r);

/* Growing. An importer for a file that may grow does this (mbox.c):

   at the folder's end    if (!mbox_reader_stood_still(r)) the folder has failed;
			  ops->bookmark: mbox_reader_bookmark(r, &buf) ? buf.data : NULL
   in ops->resume         opens the file and a reader as for next, then returns
			  mbox_reader_resume(r, bookmark).

   State that the client changes in place in messages before the bookmark (X-Mozilla-Status,
   Status) is not seen then: what is seen is that the last 4 KiB in front of it are as they
   were, so that the file was neither compacted nor written anew. */

/* Whether the file is what it was when it was opened, or has only grown. */
bool mbox_reader_stood_still(const struct mbox_reader *r);
/* After mbox_reader_next has returned 0: append a bookmark of everything that was read.
   False if there can be none. */
bool mbox_reader_bookmark(const struct mbox_reader *r, struct buf *out);
/* Before the first mbox_reader_next: 1 if the bookmark holds and new messages follow; the
   next one is the first of them. 0 if not: everything is read. */
int mbox_reader_resume(struct mbox_reader *r, const char *bookmark);

/* What the status headers of an mbox say (Status and X-Status: formats.md section
   1.5). Only adds. */
void mbox_flags_from_header(const struct header *h, struct flags *f,
			    bool *deleted_r);
/* The keywords of a file, listed in the X-IMAPbase (or X-IMAP) field of its first message:
   "uidvalidity last-uid keyword ...". False if the value is none. */
bool mbox_keywords_of_file(const char *value, size_t n, struct flags *known);
/* Whether an X-Keywords field is the store's: all it has are keywords of the file, or at
   least one is. Otherwise a sender wrote it. */
bool mbox_keywords_are_state(const char *value, size_t n,
			     const struct flags *known);
/* X-Keywords: those that the file knows. */
void mbox_keywords_from_header(const struct header *h,
			       const struct flags *known, struct flags *f);

#endif
