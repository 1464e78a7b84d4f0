/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_DBXSTORE_H
#define MAILHAUL_TESTS_DBXSTORE_H

#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

/* Makes .dbx files as "OE dbx file format" (https://www.infobyte.hr/oedbx) describes
   them: every object begins with its address, texts are chains of blocks of 0x200
   bytes, records have a field of indexes, trees have nodes of up to 0x33 entries with
   the children in between. It shares nothing with the reader. */
struct dbxstore {
	struct buf file;
	uint32_t records[4096];
	uint32_t n;
};

static inline void dbxstore_put(struct dbxstore *s, size_t at, uint32_t v)
{
	unsigned char b[4] = { (unsigned char)v, (unsigned char)(v >> 8),
			       (unsigned char)(v >> 16),
			       (unsigned char)(v >> 24) };

	memcpy(s->file.data + at, b, 4);
}

static inline uint32_t dbxstore_get(const struct dbxstore *s, size_t at)
{
	const unsigned char *b = (const unsigned char *)s->file.data + at;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

/* n zero bytes at the end; where they begin. */
static inline uint32_t dbxstore_room(struct dbxstore *s, size_t n)
{
	uint32_t at = (uint32_t)s->file.len;

	buf_grow(&s->file, n);
	memset(s->file.data + at, 0, n);
	s->file.len += n;
	s->file.data[s->file.len] = '\0';
	return at;
}

enum { DBXSTORE_MESSAGES = 0xC5, DBXSTORE_FOLDERS = 0xC6, DBXSTORE_UIDLS = 0xC7 };

static inline void dbxstore_begin(struct dbxstore *s, unsigned char kind,
				  unsigned char source, const char *name)
{
	static const unsigned char head[] = {
		0xCF, 0xAD, 0x12, 0xFE, 0, 0xFD, 0x74, 0x6F, 0x66, 0xE3,
		0xD1, 0x11, 0x9A, 0x4E, 0, 0xC0, 0x4F, 0xA3, 0x09, 0xD4,
		5, 0, 0, 0, 5, 0, 0, 0,
	};

	*s = (struct dbxstore){ .file = BUF_INIT };
	dbxstore_room(s, 0x24BC + 0x618);
	memcpy(s->file.data, head, sizeof(head));
	s->file.data[4] = (char)kind;
	dbxstore_put(s, 0x1C, 0x618);
	s->file.data[0x24BC] = 1;
	s->file.data[0x24BC + 4] = (char)source;
	strcpy(s->file.data + 0x24BC + 5, "LocalStore");
	strcpy(s->file.data + 0x24BC + 0x105, name);
}

/* The address of a text's first block. skip: leave so many blocks of other things
   between its blocks. */
static inline uint32_t dbxstore_text(struct dbxstore *s, const char *text,
				     size_t n, unsigned skip)
{
	uint32_t first = (uint32_t)s->file.len;

	for (;;) {
		size_t part = n < 0x200 ? n : 0x200;
		uint32_t at = dbxstore_room(s, 0x210);

		dbxstore_put(s, at, at);
		dbxstore_put(s, at + 4, 0x200);
		dbxstore_put(s, at + 8, (uint32_t)part);
		memcpy(s->file.data + at + 16, text, part);
		text += part;
		n -= part;
		if (!n)
			return first;
		dbxstore_room(s, skip * 0x210);
		dbxstore_put(s, at + 12, (uint32_t)s->file.len);
	}
}

/* A value of a record: a string, 8 bytes of time, a number in the index field (below
   2^24) or behind it. */
struct dbxstore_value {
	unsigned char index;
	const char *string;
	uint64_t time;
	uint32_t number;
	int inside;
};

static inline uint32_t dbxstore_record(struct dbxstore *s,
				       const struct dbxstore_value *v, size_t n)
{
	struct buf data = BUF_INIT;
	uint32_t at = dbxstore_room(s, 12 + 4 * n);

	for (size_t i = 0; i < n; i++) {
		uint32_t where = (uint32_t)data.len;
		unsigned char b[8];
		size_t len = v[i].time ? 8 : 4;
		uint64_t bits = v[i].time ? v[i].time : v[i].number;

		for (size_t k = 0; k < 8; k++)
			b[k] = (unsigned char)(bits >> 8 * k);
		dbxstore_put(s, at + 12 + 4 * i,
			     v[i].inside ? (v[i].index | 0x80u) |
						   v[i].number << 8
					 : v[i].index | where << 8);
		if (v[i].string)
			buf_add(&data, v[i].string, strlen(v[i].string) + 1);
		else if (!v[i].inside)
			buf_add(&data, b, len);
	}
	while (data.len % 4)
		buf_add_char(&data, '\0');
	dbxstore_put(s, at, at);
	dbxstore_put(s, at + 4, (uint32_t)(4 * n + data.len));
	s->file.data[at + 10] = (char)n;
	s->file.data[at + 11] = 1;
	buf_add(&s->file, data.data, data.len);
	buf_free(&data);
	s->records[s->n++] = at;
	return at;
}

/* FILETIME of a time of Unix. */
static inline uint64_t dbxstore_time(int64_t t)
{
	return (uint64_t)(t + INT64_C(11644473600)) * 10000000;
}

static inline uint32_t dbxstore_message(struct dbxstore *s, uint32_t id,
					uint32_t flags, const char *text)
{
	uint32_t at = text ? dbxstore_text(s, text, strlen(text), 0) : 0;
	const struct dbxstore_value v[] = {
		{ .index = 0x00, .number = id, .inside = 1 },
		{ .index = 0x01, .number = flags },
		{ .index = 0x04, .number = at, .inside = at && at < 1 << 24 },
		{ .index = 0x06, .time = dbxstore_time(1100000000) },
		{ .index = 0x08, .string = "a subject" },
		{ .index = 0x12, .time = dbxstore_time(1000000000 + id) },
		{ .index = 0x1A, .string = "mail.example.jp" },
	};

	if (at)
		return dbxstore_record(s, v, 7);
	/* A message without text has no pointer to one. */
	const struct dbxstore_value none[] = { v[0], v[1], v[3], v[4], v[5] };

	return dbxstore_record(s, none, 5);
}

static inline uint32_t dbxstore_folder(struct dbxstore *s, uint32_t id,
				       uint32_t parent, const char *name,
				       const char *file, uint32_t use,
				       uint32_t source, uint32_t count)
{
	struct dbxstore_value v[] = {
		{ .index = 0x00, .number = id, .inside = 1 },
		{ .index = 0x01, .number = parent },
		{ .index = 0x02, .string = name },
		{ .index = 0x03, .string = file ? file : "" },
		{ .index = 0x07, .number = count, .inside = 1 },
		{ .index = 0x09, .number = use, .inside = 1 },
		{ .index = 0x0A, .number = source, .inside = 1 },
	};

	if (!file)
		memmove(v + 3, v + 4, 3 * sizeof(*v));
	return dbxstore_record(s, v, file ? 7 : 6);
}

/* A node for records[from..to) and, when they do not fit, its children. The address. */
static inline uint32_t dbxstore_node(struct dbxstore *s, uint32_t from,
				     uint32_t to, uint32_t parent,
				     uint32_t most)
{
	uint32_t at = dbxstore_room(s, 0x27C), n = to - from;
	uint32_t entries = n <= most ? n : most;
	uint32_t below = n <= most ? 0 : (n - most) / (most + 1);
	uint32_t next = from, child;

	dbxstore_put(s, at, at);
	dbxstore_put(s, at + 12, parent);
	s->file.data[at + 17] = (char)entries;
	if (below) {
		child = dbxstore_node(s, next, next + below, at, most);
		dbxstore_put(s, at + 8, child);
		dbxstore_put(s, at + 20, below);
		next += below;
	}
	for (uint32_t i = 0; i < entries; i++) {
		uint32_t take = i + 1 == entries ? to - next - 1 : below;

		dbxstore_put(s, at + 24 + 12 * i, s->records[next++]);
		if (n <= most || !take)
			continue;
		child = dbxstore_node(s, next, next + take, at, most);
		dbxstore_put(s, at + 24 + 12 * i + 4, child);
		dbxstore_put(s, at + 24 + 12 * i + 8, take);
		next += take;
	}
	return at;
}

/* The tree of all records; most: entries in a node, at most 0x33. Its root. */
static inline uint32_t dbxstore_end(struct dbxstore *s, uint32_t most)
{
	uint32_t root = s->n ? dbxstore_node(s, 0, s->n, 0, most) : 0;

	dbxstore_put(s, 0xC4, s->n);
	dbxstore_put(s, 0xE4, root);
	dbxstore_put(s, 0x7C, (uint32_t)s->file.len);
	return root;
}

#endif
