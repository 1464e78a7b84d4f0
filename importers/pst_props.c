/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heaps, trees in heaps, properties and tables of an Outlook store. Everything that
   a file states is compared with what is there before it is used. */
#include "importers/pst_props.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/date.h"
#include "core/base/utf8.h"

enum {
	HEAP_SIGN = 0xEC,
	TREE_SIGN = 0xB5,
	TABLE_SIGN = 0x7C,
	PROPS_SIGN = 0xBC,
	TREE_LEVELS_MAX = 8,
	ROWS_MAX = 1 << 20,
	ROW_BYTES_MAX = 16 << 20,
	TEXT_MAX = 1 << 20, /* of a string that is wanted whole */
};

static uint16_t u16(const char *p)
{
	return (uint16_t)((unsigned char)p[0] | (unsigned char)p[1] << 8);
}

static uint32_t u32(const char *p)
{
	return u16(p) | (uint32_t)u16(p + 2) << 16;
}

static int damaged(const char *what, struct err *e)
{
	return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER, "damaged: %s",
		       what);
}

/* ---- heaps (2.3.1) ---- */

static int add_block(void *ctx, const char *bytes, size_t n, struct err *e)
{
	struct pst_heap *h = ctx;

	h->bytes += n;
	if (h->bytes > PST_HEAP_MAX)
		return damaged("too many properties", e);
	if ((h->n & (h->n - 1)) == 0)
		h->blocks = mem_realloc(h->blocks,
					(h->n * 2 + 1) * sizeof(*h->blocks));
	buf_init(&h->blocks[h->n]);
	buf_add(&h->blocks[h->n++], bytes, n);
	return 0;
}

static void heap_close(struct pst_heap *h)
{
	for (size_t i = 0; i < h->n; i++)
		buf_free(&h->blocks[i]);
	free(h->blocks);
	h->blocks = NULL;
	h->n = 0;
	pst_subs_free(&h->subs);
}

enum { HEAP_HEAD = 12 };

static int heap_open(struct pst_store *st, struct pst_place place,
		     unsigned client, struct pst_heap *h_r, struct err *e)
{
	const char *head;

	*h_r = (struct pst_heap){ .st = st };
	if (!place.data)
		return damaged("a node without data", e);
	if (pst_store_each(st, place.data, add_block, h_r, e) < 0 ||
	    pst_store_subs(st, place.sub, &h_r->subs, e) < 0)
		return -1;
	head = h_r->n ? h_r->blocks[0].data : NULL;
	if (!head || h_r->blocks[0].len < HEAP_HEAD ||
	    (unsigned char)head[2] != HEAP_SIGN ||
	    (unsigned char)head[3] != client)
		return damaged("no heap", e);
	return 0;
}

static uint32_t heap_root(const struct pst_heap *h)
{
	return u32(h->blocks[0].data + 4);
}

/* A number of the heap, not of a subnode. */
static bool is_item(uint32_t number)
{
	return (number & PST_NID_KIND) == 0;
}

/* The bytes of an item. Where pages are large, 13 bits are the block's number and 14
   the item's, elsewhere 16 and 11. */
static bool heap_item(const struct pst_heap *h, uint32_t number,
		      const char **bytes_r, size_t *n_r)
{
	size_t block = number >> 16, item = (number >> 5) & 0x7FF;
	size_t map, begin, end, count;
	const struct buf *b;

	if (!is_item(number) || !item)
		return false;
	if (pst_store_is_large(h->st)) {
		block = number >> 19;
		item = (number >> 5) & 0x3FFF;
	}
	if (block >= h->n || h->blocks[block].len < 2)
		return false;
	b = &h->blocks[block];
	map = u16(b->data);
	if (map + 4 > b->len)
		return false;
	count = u16(b->data + map);
	if (item > count || map + 4 + 2 * (item + 1) > b->len)
		return false;
	begin = u16(b->data + map + 4 + 2 * (item - 1));
	end = u16(b->data + map + 4 + 2 * item);
	if (begin > end || end > b->len)
		return false;
	*bytes_r = b->data + begin;
	*n_r = end - begin;
	return true;
}

/* ---- trees in heaps (2.3.2) ---- */

struct tree {
	const struct pst_heap *h;
	size_t key, value;
	int (*add)(void *ctx, const char *record, struct err *e);
	void *ctx;
	size_t left; /* records that may still come */
};

static int walk_tree(struct tree *t, uint32_t number, unsigned level,
		     struct err *e)
{
	size_t record = level ? t->key + 4 : t->key + t->value, n;
	const char *bytes;

	if (!number)
		return 0; /* empty */
	if (!heap_item(t->h, number, &bytes, &n))
		return damaged("an index that leads nowhere", e);
	for (size_t at = 0; at + record <= n; at += record) {
		int got;

		if (!t->left)
			return damaged("an index without end", e);
		t->left--;
		got = level ? walk_tree(t, u32(bytes + at + t->key), level - 1,
					e)
			    : t->add(t->ctx, bytes + at, e);
		if (got < 0)
			return -1;
	}
	return 0;
}

static int each_record(struct tree *t, uint32_t root, struct err *e)
{
	const char *head;
	unsigned level;
	size_t n;

	if (!heap_item(t->h, root, &head, &n) || n < 8 ||
	    (unsigned char)head[0] != TREE_SIGN ||
	    (unsigned char)head[1] != t->key)
		return damaged("no index", e);
	level = (unsigned char)head[3];
	if (level > TREE_LEVELS_MAX || (unsigned char)head[2] != t->value)
		return damaged("an index of a strange shape", e);
	return walk_tree(t, u32(head + 4), level, e);
}

/* ---- properties (2.3.3) ---- */

enum { PROPS_MAX = 16 << 10 };

static int add_prop(void *ctx, const char *record, struct err *e)
{
	struct pst_props *p = ctx;

	(void)e;
	if ((p->n & (p->n - 1)) == 0)
		p->list =
			mem_realloc(p->list, (p->n * 2 + 1) * sizeof(*p->list));
	p->list[p->n++] = (struct pst_prop){ .id = u16(record),
					     .type = u16(record + 2),
					     .value = u32(record + 4) };
	return 0;
}

int pst_props_open(struct pst_store *st, struct pst_place place,
		   struct pst_props *p_r, struct err *e)
{
	struct tree t = { .h = &p_r->heap,
			  .key = 2,
			  .value = 6,
			  .add = add_prop,
			  .ctx = p_r,
			  .left = PROPS_MAX };

	*p_r = (struct pst_props){ .n = 0 };
	if (heap_open(st, place, PROPS_SIGN, &p_r->heap, e) == 0 &&
	    each_record(&t, heap_root(&p_r->heap), e) == 0)
		return 0;
	pst_props_close(p_r);
	return -1;
}

void pst_props_close(struct pst_props *p)
{
	heap_close(&p->heap);
	free(p->list);
	p->list = NULL;
	p->n = 0;
}

const struct pst_prop *pst_prop(const struct pst_props *p, uint16_t id)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].id == id)
			return &p->list[i];
	return NULL;
}

uint32_t pst_prop_number(const struct pst_props *p, uint16_t id, uint32_t none)
{
	const struct pst_prop *prop = pst_prop(p, id);

	if (!prop)
		return none;
	switch (prop->type) {
	case PST_LONG:
		return prop->value;
	case PST_SHORT:
		return prop->value & 0xFFFF;
	case PST_BOOL:
		return (prop->value & 0xFF) != 0;
	default:
		return none;
	}
}

/* In 100 nanoseconds since 1601. */
static int64_t from_filetime(const char *p)
{
	uint64_t t = u32(p) | (uint64_t)u32(p + 4) << 32;

	if (!t || t > INT64_MAX)
		return DATE_NONE;
	return (int64_t)(t / 10000000) - INT64_C(11644473600);
}

int64_t pst_prop_time(const struct pst_props *p, uint16_t id)
{
	const struct pst_prop *prop = pst_prop(p, id);
	const char *bytes;
	size_t n;

	if (!prop || prop->type != PST_TIME ||
	    !heap_item(&p->heap, prop->value, &bytes, &n) || n != 8)
		return DATE_NONE;
	return from_filetime(bytes);
}

bool pst_prop_object(const struct pst_props *p, const struct pst_prop *prop,
		     struct pst_place *place_r)
{
	const struct pst_sub *sub;
	const char *bytes;
	size_t n;

	if (prop->type != PST_OBJECT ||
	    !heap_item(&p->heap, prop->value, &bytes, &n) || n < 4)
		return false;
	sub = pst_subs_find(&p->heap.subs, u32(bytes));
	if (!sub)
		return false;
	*place_r = sub->place;
	return true;
}

static bool is_inline(uint16_t type)
{
	return type == PST_SHORT || type == PST_LONG || type == PST_BOOL;
}

/* The bytes behind a number of heap or subnode. */
static int each_piece(const struct pst_heap *h, uint32_t number, pst_add add,
		      void *ctx, struct err *e)
{
	const struct pst_sub *sub;
	const char *bytes;
	size_t n;

	if (!number)
		return 0;
	if (is_item(number)) {
		if (!heap_item(h, number, &bytes, &n))
			return damaged("a value that lies nowhere", e);
		return add(ctx, bytes, n, e);
	}
	sub = pst_subs_find(&h->subs, number);
	if (!sub)
		return damaged("a value whose node is missing", e);
	/* An empty value may have a node without data. */
	return sub->place.data
		       ? pst_store_each(h->st, sub->place.data, add, ctx, e)
		       : 0;
}

int pst_prop_each(const struct pst_props *p, const struct pst_prop *prop,
		  pst_add add, void *ctx, struct err *e)
{
	struct pst_place place;
	char bytes[4];

	if (is_inline(prop->type)) {
		for (int i = 0; i < 4; i++)
			bytes[i] = (char)(prop->value >> (8 * i));
		return add(ctx, bytes, sizeof(bytes), e);
	}
	if (prop->type != PST_OBJECT)
		return each_piece(&p->heap, prop->value, add, ctx, e);
	if (!pst_prop_object(p, prop, &place) || !place.data)
		return damaged("an object that lies nowhere", e);
	return pst_store_each(p->heap.st, place.data, add, ctx, e);
}

struct gather {
	struct buf *out;
	size_t left;
};

/* What does not fit is left; the walk goes on to its end, which is bounded. */
static int gather(void *ctx, const char *bytes, size_t n, struct err *e)
{
	struct gather *g = ctx;

	(void)e;
	if (n > g->left)
		n = g->left;
	buf_add(g->out, bytes, n);
	g->left -= n;
	return 0;
}

int pst_prop_bytes(const struct pst_props *p, const struct pst_prop *prop,
		   size_t most, struct buf *out, struct err *e)
{
	struct gather g = { .out = out, .left = most };

	return pst_prop_each(p, prop, gather, &g, e);
}

void pst_add_text(struct buf *out, uint16_t type, const char *charset,
		  const char *bytes, size_t n)
{
	size_t len = 0;

	if (type == PST_UNICODE) {
		while (len + 1 < n && u16(bytes + len))
			len += 2;
		utf8_add_from(out, "UTF-16LE", bytes, len);
		return;
	}
	len = strnlen(bytes, n);
	if (charset)
		utf8_add_from(out, charset, bytes, len);
	else
		utf8_add_guessed(out, bytes, len);
}

static bool is_text(uint16_t type)
{
	return type == PST_STRING8 || type == PST_UNICODE;
}

bool pst_prop_text(const struct pst_props *p, uint16_t id, struct buf *out)
{
	const struct pst_prop *prop = pst_prop(p, id);
	struct buf bytes = BUF_INIT;
	size_t before = out->len;
	struct err ignored;

	if (prop && is_text(prop->type) &&
	    pst_prop_bytes(p, prop, TEXT_MAX, &bytes, &ignored) == 0)
		pst_add_text(out, prop->type, p->charset, bytes.data,
			     bytes.len);
	buf_free(&bytes);
	return out->len > before;
}

/* ---- tables (2.3.4) ---- */

enum { TABLE_HEAD = 22, COLUMN = 8 };

/* No row lies across two blocks (2.3.4.4.1): what is left of a block is not used. */
static int add_rows(void *ctx, const char *bytes, size_t n, struct err *e)
{
	struct pst_table *t = ctx;
	size_t whole = n - n % t->row_size;

	if (t->rows.len + whole > ROW_BYTES_MAX)
		return damaged("a table without end", e);
	buf_add(&t->rows, bytes, whole);
	return 0;
}

/* The index: key, and the place of a row, in two bytes or four. */
static int add_place(void *ctx, const char *record, struct err *e)
{
	struct pst_table *t = ctx;
	uint32_t place = t->place_size == 2 ? u16(record + 4) : u32(record + 4);

	if (place >= t->rows.len / t->row_size || t->n == ROWS_MAX)
		return damaged("a row that is not there", e);
	if ((t->n & (t->n - 1)) == 0)
		t->order = mem_realloc(t->order,
				       (t->n * 2 + 1) * sizeof(*t->order));
	t->order[t->n++] = place;
	return 0;
}

static int read_columns(struct pst_table *t, const char *head, size_t n,
			struct err *e)
{
	size_t count = (unsigned char)head[1];

	t->bits_at = u16(head + 6);
	t->row_size = u16(head + 8);
	if (n < TABLE_HEAD + count * COLUMN || !t->row_size ||
	    t->bits_at > t->row_size)
		return damaged("a table of a strange shape", e);
	t->columns = mem_alloc((count + 1) * sizeof(*t->columns));
	for (size_t i = 0; i < count; i++) {
		const char *p = head + TABLE_HEAD + i * COLUMN;
		struct pst_column c = { .type = u16(p),
					.id = u16(p + 2),
					.at = u16(p + 4),
					.size = (uint8_t)p[6],
					.bit = (uint8_t)p[7] };

		if ((size_t)c.at + c.size <= t->row_size &&
		    t->bits_at + c.bit / 8 < t->row_size)
			t->columns[t->n_columns++] = c;
	}
	return 0;
}

static int read_table(struct pst_table *t, struct err *e)
{
	struct tree index = { .h = &t->heap,
			      .key = 4,
			      .add = add_place,
			      .ctx = t,
			      .left = ROWS_MAX };
	const char *head;
	size_t n;

	if (!heap_item(&t->heap, heap_root(&t->heap), &head, &n) ||
	    n < TABLE_HEAD || (unsigned char)head[0] != TABLE_SIGN)
		return damaged("no table", e);
	if (read_columns(t, head, n, e) < 0)
		return -1;
	if (!u32(head + 14))
		return 0; /* no rows */
	if (each_piece(&t->heap, u32(head + 14), add_rows, t, e) < 0)
		return -1;
	index.value = t->place_size = pst_store_is_ansi(t->heap.st) ? 2 : 4;
	return each_record(&index, u32(head + 10), e);
}

int pst_table_open(struct pst_store *st, struct pst_place place,
		   struct pst_table *t_r, struct err *e)
{
	*t_r = (struct pst_table){ .rows = BUF_INIT };
	if (heap_open(st, place, TABLE_SIGN, &t_r->heap, e) == 0 &&
	    read_table(t_r, e) == 0)
		return 0;
	pst_table_close(t_r);
	return -1;
}

void pst_table_close(struct pst_table *t)
{
	heap_close(&t->heap);
	free(t->columns);
	free(t->order);
	buf_free(&t->rows);
	*t = (struct pst_table){ .rows = BUF_INIT };
}

/* A cell, if it is there (2.3.4.4.1: a bit of each row says so). */
static const char *cell(const struct pst_table *t, size_t row, uint16_t id,
			const struct pst_column **column_r)
{
	const char *p = t->rows.data + t->order[row] * t->row_size;

	for (size_t i = 0; i < t->n_columns; i++) {
		const struct pst_column *c = &t->columns[i];
		unsigned bits = (unsigned char)p[t->bits_at + c->bit / 8];

		if (c->id != id)
			continue;
		*column_r = c;
		return bits & (0x80u >> c->bit % 8) ? p + c->at : NULL;
	}
	return NULL;
}

uint32_t pst_table_number(const struct pst_table *t, size_t row, uint16_t id,
			  uint32_t none)
{
	const struct pst_column *c;
	const char *p = cell(t, row, id, &c);

	return p && c->type == PST_LONG && c->size == 4 ? u32(p) : none;
}

bool pst_table_text(const struct pst_table *t, size_t row, uint16_t id,
		    const char *charset, struct buf *out)
{
	const struct pst_column *c;
	const char *p = cell(t, row, id, &c);
	struct buf bytes = BUF_INIT;
	struct gather g = { .out = &bytes, .left = TEXT_MAX };
	size_t before = out->len;
	struct err ignored;

	if (p && is_text(c->type) && c->size == 4 &&
	    each_piece(&t->heap, u32(p), gather, &g, &ignored) == 0)
		pst_add_text(out, c->type, charset, bytes.data, bytes.len);
	buf_free(&bytes);
	return out->len > before;
}
