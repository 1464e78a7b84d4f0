/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading one .dbx file (dbx_file.h). Numbers are little-endian. */
#include "importers/dbx_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/date.h"

/* In the file header. */
enum { AT_INFO_LENGTH = 0x1C, AT_ENTRIES = 0xC4, AT_ROOT = 0xE4 };
/* In the part behind it. */
enum { INFO_SOURCE = 0x04, INFO_NAME = 0x105, INFO_NAME_MOST = 0x10B };
/* A node of the tree: a header, then entries of three numbers. */
enum {
	NODE_CHILD = 0x08,
	NODE_ENTRIES = 0x11,
	NODE_HEAD = 0x18,
	NODE_ENTRY = 0x0C,
	NODE_MOST = 0x33,
	NODE_SIZE = 0x27C,
};
enum { RECORD_HEAD = 0x0C, RECORD_LEAST = 32 };
enum { BLOCK_HEAD = 0x10, BLOCK_TEXT = 0x200 };
enum {
	DEPTH_MOST = 32,	 /* OE's nodes are half full or fuller: 25^32 */
	RECORDS_MOST = 16 << 20, /* 4 GiB with 256 bytes for each */
	STRING_MOST = 1024,
};

enum dbx_kind dbx_looks(const char *head, size_t n)
{
	if (n < DBX_HEAD || memcmp(head, "\xCF\xAD\x12\xFE", 4))
		return DBX_NOT;
	if (!memcmp(head + 4, "\xC5\xFD\x74\x6F", 4))
		return DBX_MESSAGES;
	return memcmp(head + 4, "\xC6\xFD\x74\x6F", 4) ? DBX_OTHER
						       : DBX_FOLDERS;
}

/* D2: objects are at least grain bytes long, so that two of them cannot begin in
   the same piece of that length. True when the place was free. */
static bool take(struct dbx_marks *m, uint64_t pos)
{
	uint64_t i = pos / m->grain;
	uint8_t bit = (uint8_t)(1u << i % 8);

	if (i >= m->most)
		return false;
	if (!m->bits)
		m->bits = mem_zalloc((size_t)(m->most / 8 + 1));
	if (m->bits[i / 8] & bit)
		return false;
	m->bits[i / 8] |= bit;
	return true;
}

static struct dbx_marks marks(uint64_t size, uint64_t grain)
{
	return (struct dbx_marks){ .grain = grain, .most = size / grain + 1 };
}

void dbx_file_open(struct dbx_file *d, int fd, uint64_t size)
{
	*d = (struct dbx_file){
		.nodes_used = marks(size, NODE_SIZE),
		.records_used = marks(size, RECORD_LEAST),
		.blocks_used = marks(size, BLOCK_HEAD + BLOCK_TEXT),
	};
	/* What lies behind 4 GiB no pointer of OE's can reach. */
	if (size > UINT32_MAX)
		size = UINT32_MAX;
	dbx_window_open(&d->records, fd, size);
	dbx_window_open(&d->texts, fd, size);
}

void dbx_file_close(struct dbx_file *d)
{
	dbx_window_close(&d->records);
	dbx_window_close(&d->texts);
	free(d->nodes_used.bits);
	free(d->records_used.bits);
	free(d->blocks_used.bits);
	free(d->at);
	*d = (struct dbx_file){ .at = NULL };
}

static bool number_at(struct dbx_file *d, uint64_t pos, uint32_t *value_r)
{
	const char *bytes = dbx_window_at(&d->records, pos, 4);

	*value_r = bytes ? dbx_le32(bytes) : 0;
	return bytes;
}

bool dbx_file_describes(struct dbx_file *d, unsigned *source_r,
			struct buf *name_r)
{
	uint32_t length;
	const char *bytes;

	if (!number_at(d, AT_INFO_LENGTH, &length) ||
	    length < INFO_NAME + INFO_NAME_MOST)
		return false;
	bytes = dbx_window_at(&d->records, DBX_HEADER,
			      INFO_NAME + INFO_NAME_MOST);
	if (!bytes)
		return false;
	*source_r = (unsigned char)bytes[INFO_SOURCE];
	buf_add(name_r, bytes + INFO_NAME,
		strnlen(bytes + INFO_NAME, INFO_NAME_MOST));
	return true;
}

/* --- the tree --- */

struct step {
	uint32_t node;
	unsigned entry; /* the next to look at */
};

/* Go down to node. False when it is none, or was seen before. */
static bool enter(struct dbx_file *d, struct step *stack, unsigned *depth,
		  uint32_t node)
{
	uint32_t marker;

	if (*depth == DEPTH_MOST || !number_at(d, node, &marker) ||
	    marker != node || !take(&d->nodes_used, node)) {
		d->damage = d->damage ? d->damage : node;
		return false;
	}
	stack[(*depth)++] = (struct step){ .node = node };
	return true;
}

static void add_record(struct dbx_file *d, uint32_t record)
{
	if (d->n == RECORDS_MOST || record >= d->records.size ||
	    !take(&d->records_used, record)) {
		d->damage = d->damage ? d->damage : record;
		return;
	}
	if (d->n == d->cap) {
		d->cap = d->cap * 2 + 64;
		d->at = mem_realloc(d->at, d->cap * sizeof(*d->at));
	}
	d->at[d->n++] = record;
}

/* The child in front of all entries, then each entry and the child behind it. */
static void walk_tree(struct dbx_file *d, uint32_t root)
{
	struct step stack[DEPTH_MOST];
	unsigned depth = 0;
	uint32_t child, record;

	enter(d, stack, &depth, root);
	while (depth) {
		struct step *at = &stack[depth - 1];
		uint64_t node = at->node, entry;
		const char *n =
			dbx_window_at(&d->records, node + NODE_ENTRIES, 1);
		unsigned entries = n ? (unsigned char)*n : 0;

		if (!n || entries > NODE_MOST) {
			d->damage = d->damage ? d->damage : at->node;
			entries = entries > NODE_MOST ? NODE_MOST : 0;
		}
		if (at->entry > entries) {
			depth--;
			continue;
		}
		child = 0;
		entry = node + NODE_HEAD + (at->entry - 1) * NODE_ENTRY;
		if (!at->entry)
			number_at(d, node + NODE_CHILD, &child);
		else if (number_at(d, entry, &record) &&
			 number_at(d, entry + 4, &child))
			add_record(d, record);
		else
			d->damage = d->damage ? d->damage : at->node;
		at->entry++;
		if (child)
			enter(d, stack, &depth, child);
	}
}

void dbx_file_index(struct dbx_file *d)
{
	uint32_t root = 0;

	number_at(d, AT_ENTRIES, &d->counted);
	if (!number_at(d, AT_ROOT, &root))
		d->damage = AT_ROOT;
	/* A folder that never held anything consists of the header alone. */
	if (root)
		walk_tree(d, root);
}

/* --- records --- */

struct value {
	bool direct;
	uint32_t number;   /* direct */
	uint64_t pos, end; /* otherwise */
};

/* The extent of a record: its index field and what is behind it. */
static bool record_shape(struct dbx_file *d, uint32_t record,
			 unsigned *entries_r, uint64_t *end_r)
{
	const char *head = dbx_window_at(&d->records, record, RECORD_HEAD);
	uint32_t length;

	if (!head || dbx_le32(head) != record)
		return false;
	length = dbx_le32(head + 4);
	*entries_r = (unsigned char)head[10];
	*end_r = (uint64_t)record + RECORD_HEAD + length;
	return 4 * *entries_r <= length && *end_r <= d->records.size;
}

bool dbx_record_is(struct dbx_file *d, uint32_t record)
{
	unsigned entries;
	uint64_t end;

	return record_shape(d, record, &entries, &end);
}

static bool find_value(struct dbx_file *d, uint32_t record, unsigned index,
		       struct value *v)
{
	uint64_t fields = (uint64_t)record + RECORD_HEAD;
	unsigned entries;
	const char *bytes;

	if (!record_shape(d, record, &entries, &v->end))
		return false;
	bytes = dbx_window_at(&d->records, fields, 4 * entries);
	for (unsigned i = 0; bytes && i < entries; i++) {
		uint32_t field = dbx_le32(bytes + 4 * i);

		if ((field & 0x7F) != index)
			continue;
		v->direct = field & 0x80;
		v->number = field >> 8;
		v->pos = fields + 4 * entries + v->number;
		return v->direct || v->pos < v->end;
	}
	return false;
}

bool dbx_number(struct dbx_file *d, uint32_t record, unsigned index,
		uint32_t *value_r)
{
	struct value v;

	if (!find_value(d, record, index, &v))
		return false;
	if (v.direct) {
		*value_r = v.number;
		return true;
	}
	return v.end - v.pos >= 4 && number_at(d, v.pos, value_r);
}

int64_t dbx_time(struct dbx_file *d, uint32_t record, unsigned index)
{
	struct value v;
	const char *bytes;
	uint64_t ticks; /* of 100 ns since 1601 */

	if (!find_value(d, record, index, &v) || v.direct || v.end - v.pos < 8)
		return DATE_NONE;
	bytes = dbx_window_at(&d->records, v.pos, 8);
	if (!bytes)
		return DATE_NONE;
	ticks = dbx_le32(bytes) | (uint64_t)dbx_le32(bytes + 4) << 32;
	return ticks ? (int64_t)(ticks / 10000000) - INT64_C(11644473600)
		     : DATE_NONE;
}

bool dbx_string(struct dbx_file *d, uint32_t record, unsigned index,
		struct buf *out)
{
	struct value v;
	const char *bytes;
	size_t n;

	if (!find_value(d, record, index, &v) || v.direct)
		return false;
	n = v.end - v.pos < STRING_MOST ? (size_t)(v.end - v.pos) : STRING_MOST;
	bytes = dbx_window_at(&d->records, v.pos, n);
	if (!bytes)
		return false;
	buf_add(out, bytes, strnlen(bytes, n));
	return true;
}

/* --- texts --- */

int dbx_text(struct dbx_file *d, uint32_t *block, const char **bytes_r,
	     size_t *n_r)
{
	const char *head;
	uint32_t length;

	if (!*block)
		return 0;
	head = dbx_window_at(&d->texts, *block, BLOCK_HEAD);
	if (!head || dbx_le32(head) != *block)
		return -1;
	length = dbx_le32(head + 8);
	if (length > BLOCK_TEXT || length > dbx_le32(head + 4))
		return -1;
	head = dbx_window_at(&d->texts, *block, BLOCK_HEAD + length);
	if (!head || !take(&d->blocks_used, *block))
		return -1;
	*bytes_r = head + BLOCK_HEAD;
	*n_r = length;
	*block = dbx_le32(head + 12);
	return 1;
}
