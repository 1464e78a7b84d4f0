/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_PROPS_H
#define MAILHAUL_IMPORTERS_PST_PROPS_H

#include "importers/pst_store.h"

/* Properties of a node, and tables of them ([MS-PST] section 2.3: heap, BTH, property
   context and table context). A node's heap is held in memory, at most PST_HEAP_MAX; what
   is larger lies in subnodes and is read when it is wanted. Errors are ERR_MESSAGE. */
enum { PST_HEAP_MAX = 32 << 20 };

/* Types of values ([MS-OXCDATA] 2.11.1). */
enum {
	PST_SHORT = 0x0002,
	PST_LONG = 0x0003,
	PST_BOOL = 0x000B,
	PST_OBJECT = 0x000D,
	PST_STRING8 = 0x001E,
	PST_UNICODE = 0x001F,
	PST_TIME = 0x0040,
	PST_BINARY = 0x0102,
	PST_MANY_STRING8 = 0x101E,
	PST_MANY_UNICODE = 0x101F,
};

struct pst_prop {
	uint16_t id, type;
	uint32_t value; /* itself, or where it is */
};

/* A heap: blocks of data, in which items have numbers. */
struct pst_heap {
	struct pst_store *st;
	struct pst_subs subs;
	struct buf *blocks;
	size_t n;
	size_t bytes;
};

struct pst_props {
	struct pst_heap heap;
	struct pst_prop *list;
	size_t n;
	const char *charset; /* iconv's name for strings that are not Unicode; NULL: to
				be guessed */
};

int pst_props_open(struct pst_store *st, struct pst_place place,
		   struct pst_props *p_r, struct err *e);
void pst_props_close(struct pst_props *p);
/* NULL if there is none. */
const struct pst_prop *pst_prop(const struct pst_props *p, uint16_t id);
/* A number, also a short one or a truth; none if it is not there. */
uint32_t pst_prop_number(const struct pst_props *p, uint16_t id, uint32_t none);
/* Seconds since 1970, or DATE_NONE. */
int64_t pst_prop_time(const struct pst_props *p, uint16_t id);
/* Where an object's own node is: of a message in a message. False if there is none. */
bool pst_prop_object(const struct pst_props *p, const struct pst_prop *prop,
		     struct pst_place *place_r);
/* The value's bytes as they are stored, in pieces; at most limit of them, then it ends. */
int pst_prop_each(const struct pst_props *p, const struct pst_prop *prop,
		  pst_add add, void *ctx, struct err *e);
/* Append the value's bytes, at most most of them. */
int pst_prop_bytes(const struct pst_props *p, const struct pst_prop *prop,
		   size_t most, struct buf *out, struct err *e);
/* Append a string as UTF-8, without what is behind a NUL. Nothing if it is not there, no
   string or cannot be read: true if something was appended. */
bool pst_prop_text(const struct pst_props *p, uint16_t id, struct buf *out);
/* The same for any string type at hand. */
void pst_add_text(struct buf *out, uint16_t type, const char *charset,
		  const char *bytes, size_t n);

/* A table. */
struct pst_column {
	uint16_t id, type;
	uint16_t at;
	uint8_t size, bit;
};
struct pst_table {
	struct pst_heap heap;
	struct pst_column *columns;
	size_t n_columns;
	struct buf rows; /* row after row */
	uint32_t *order; /* places in rows, by the table's index */
	size_t n;	 /* rows */
	size_t row_size, bits_at, place_size;
};
int pst_table_open(struct pst_store *st, struct pst_place place,
		   struct pst_table *t_r, struct err *e);
void pst_table_close(struct pst_table *t);
uint32_t pst_table_number(const struct pst_table *t, size_t row, uint16_t id,
			  uint32_t none);
bool pst_table_text(const struct pst_table *t, size_t row, uint16_t id,
		    const char *charset, struct buf *out);

#endif
