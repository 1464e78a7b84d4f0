/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_DBX_FILE_H
#define MAILHAUL_IMPORTERS_DBX_FILE_H

#include "core/base/buf.h"
#include "importers/dbx_window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One .dbx file of Outlook Express 5 or 6: a tree of pointers to records, and texts in
   chains of blocks. Layout: Arne Schloh's "OE dbx file format"
   (https://www.infobyte.hr/oedbx), checked on a file that OE wrote.

   D1  Nothing outside the file is read, and no object is taken that does not begin with
       its own address, as every object of OE does.
   D2  No node, record or block is used twice: trees and chains end, and no text is part
       of two messages. */
enum dbx_kind {
	DBX_NOT,
	DBX_MESSAGES,
	DBX_FOLDERS,
	DBX_OTHER, /* Pop3uidl.dbx, Offline.dbx: no mail */
};
enum { DBX_HEAD = 0x10, DBX_HEADER = 0x24BC };
enum dbx_kind dbx_looks(const char *head, size_t n);

struct dbx_marks {
	uint8_t *bits;
	uint64_t grain, most;
};
struct dbx_file {
	struct dbx_window records, texts;
	uint32_t *at; /* where the records are, in the order of the tree */
	size_t n, cap;
	uint32_t counted; /* as the header says */
	uint32_t damage;  /* a place in the tree that could not be read; 0: none */
	struct dbx_marks nodes_used, records_used, blocks_used;
};

/* fd stays the caller's. */
void dbx_file_open(struct dbx_file *d, int fd, uint64_t size);
/* Find the records. */
void dbx_file_index(struct dbx_file *d);
void dbx_file_close(struct dbx_file *d);
/* The kind of folder, as the file says of itself (enum dbx_source), and its first name,
   in the PC's code page. False when it has no such part. */
bool dbx_file_describes(struct dbx_file *d, unsigned *source_r,
			struct buf *name_r);

/* Values of a record, by their number. False when it does not have it. */
bool dbx_record_is(struct dbx_file *d, uint32_t record);
bool dbx_number(struct dbx_file *d, uint32_t record, unsigned index,
		uint32_t *value_r);
/* Seconds since 1970; DATE_NONE when there is none. */
int64_t dbx_time(struct dbx_file *d, uint32_t record, unsigned index);
bool dbx_string(struct dbx_file *d, uint32_t record, unsigned index,
		struct buf *out);

/* The next piece of a text: 1, 0 at its end, -1 when the chain is broken here. *block
   is the first block at first, and moves on. */
int dbx_text(struct dbx_file *d, uint32_t *block, const char **bytes_r,
	     size_t *n_r);

/* Of message records. */
enum {
	DBX_ID = 0x00,
	DBX_FLAGS = 0x01,
	DBX_TEXT = 0x04,
	DBX_SAVED = 0x06,    /* when it came into this folder */
	DBX_RECEIVED = 0x12,
};
enum {
	DBX_HAS_BODY = 0x01,
	DBX_DRAFT = 0x08,
	DBX_FLAGGED = 0x20,
	DBX_READ = 0x80,
	DBX_ANSWERED = 0x80000,
	DBX_FORWARDED = 0x100000,
};
/* Of folder records. */
enum {
	DBX_FOLDER_ID = 0x00,
	DBX_FOLDER_PARENT = 0x01,
	DBX_FOLDER_NAME = 0x02,
	DBX_FOLDER_FILE = 0x03,
	DBX_FOLDER_COUNT = 0x07,
	DBX_FOLDER_USE = 0x09,
	DBX_FOLDER_SOURCE = 0x0A,
};
enum dbx_source { DBX_NEWS = 0, DBX_IMAP = 1, DBX_LOCAL = 3 };

#endif
