/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MORK_H
#define MAILHAUL_IMPORTERS_MORK_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads Mork 1.4, the text database behind Thunderbird's .msf files (formats.md
   section 2.6; writer: mailnews/db/mork in comm-central). The file is a base and
   transactions appended to it; what comes out is the state after replaying them.
   A transaction that was aborted or has no end is left out.

   Nothing is copied: a cell is a place in the caller's bytes, which must stay as
   long as the reader. Malformed input gives what could be read, and damaged. */
struct mork;

enum {
	MORK_MAX = 512 << 20, /* larger files are not read: bytes are held whole */
	MORK_COLUMNS = 16,    /* most columns one reader can keep */
	MORK_SCOPES = 4,
};

/* Whether bytes begin as Mork does. */
bool mork_begins(const char *bytes, size_t n);

/* Read bytes, keeping rows of the named scopes and cells of the named columns only
   (lists end with NULL). kind names the kind of table that says which rows of its
   scope are in use. n is at most MORK_MAX. Never NULL. */
struct mork *mork_parse(const char *bytes, size_t n, const char *const *scopes,
			const char *const *columns, const char *kind);
void mork_free(struct mork *m);
bool mork_damaged(const struct mork *m);

/* Rows are numbered from 0 in the order in which they were first seen. */
size_t mork_rows(const struct mork *m);
/* Index into scopes. */
unsigned mork_row_scope(const struct mork *m, size_t row);
uint32_t mork_row_id(const struct mork *m, size_t row);
/* It is a member of a table of that kind. */
bool mork_row_listed(const struct mork *m, size_t row);

/* Replace out by the decoded bytes of a cell; column is an index into columns. False
   (and out empty) when the row has no such cell. */
bool mork_cell(const struct mork *m, size_t row, unsigned column,
	       struct buf *out);
/* The cell as a number written in hexadecimal, as nearly all are. False when there
   is none or it is no number of up to 16 digits. */
bool mork_cell_hex(const struct mork *m, size_t row, unsigned column,
		   uint64_t *value_r);

#endif
