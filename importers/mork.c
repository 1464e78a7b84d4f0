/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mork 1.4 in one pass over the bytes. The grammar is small, but its traps are
   not: white space stands between a key and its '=', values begin with '=',
   scopes are left out and inherited, '-' in front of a row inside a table takes
   it out of the table while '-' inside its bracket empties it. */
#include "importers/mork.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A piece of the caller's bytes. MORK_MAX fits into 32 bits. */
struct span {
	uint32_t at, len;
};
#define NO_CELL UINT32_MAX
enum {
	MARK_MAX = 64, /* "@$${" id "{@" */
	/* Thunderbird spends more bytes than these on an atom and a message; a
	   file that claims to hold more of them wants our memory. */
	LEAST_ATOM = 8,
	LEAST_ROW = 40,
};

/* An entry of a dictionary: id to text. For column names also which of the
   wanted ones it is, so that cells need no comparing. */
struct atom {
	struct span text;
	uint32_t id;
	int8_t column, scope;
	bool used;
};
struct dict {
	struct atom *atoms; /* open addressing; cap is a power of two */
	size_t n, cap;
};

struct row {
	uint32_t id;
	uint32_t listed; /* equal to the table's generation: a member */
	uint8_t scope;
};

struct mork {
	const char *bytes;
	uint32_t n, at;
	uint32_t end; /* of what is being read: the file or a transaction */
	bool damaged;
	const char *const *scopes;
	const char *const *columns;
	const char *kind;
	unsigned n_scopes, n_columns;
	struct dict names, values;
	struct row *rows;
	struct span *cells; /* n_columns for each row */
	size_t n_rows, cap_rows;
	uint32_t *index; /* row number plus one by hash of scope and id */
	size_t index_cap;
	uint32_t generation;
};

bool mork_begins(const char *bytes, size_t n)
{
	static const char magic[] = "// <!-- <mdb:mork:z v=\"1.";

	return n >= sizeof(magic) - 1 &&
	       !memcmp(bytes, magic, sizeof(magic) - 1);
}

static size_t hash_id(uint32_t id, unsigned salt)
{
	uint64_t h = (id + salt * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;

	return (size_t)(h ^ h >> 32);
}

static struct atom *dict_slot(const struct dict *d, uint32_t id)
{
	size_t i = hash_id(id, 0) & (d->cap - 1);

	while (d->atoms[i].used && d->atoms[i].id != id)
		i = (i + 1) & (d->cap - 1);
	return &d->atoms[i];
}

static const struct atom *dict_find(const struct dict *d, uint32_t id)
{
	const struct atom *a;

	if (!d->cap)
		return NULL;
	a = dict_slot(d, id);
	return a->used ? a : NULL;
}

static void dict_grow(struct dict *d)
{
	struct dict old = *d;

	d->cap = old.cap ? old.cap * 2 : 256;
	d->atoms = mem_zalloc(d->cap * sizeof(*d->atoms));
	for (size_t i = 0; i < old.cap; i++)
		if (old.atoms[i].used)
			*dict_slot(d, old.atoms[i].id) = old.atoms[i];
	free(old.atoms);
}

static int8_t wanted(const struct mork *m, struct span s,
		     const char *const *list)
{
	for (int8_t i = 0; list[i]; i++)
		if (strlen(list[i]) == s.len &&
		    !memcmp(list[i], m->bytes + s.at, s.len))
			return i;
	return -1;
}

/* A later definition of an id replaces the earlier one; cells that were bound
   to it keep what they have. */
static void dict_set(struct mork *m, struct dict *d, uint32_t id,
		     struct span text)
{
	struct atom *a;

	if (d->n >= 1024 + m->n / LEAST_ATOM) {
		m->damaged = true;
		return;
	}
	if (d->n * 4 >= d->cap * 3)
		dict_grow(d);
	a = dict_slot(d, id);
	if (!a->used)
		d->n++;
	*a = (struct atom){
		.id = id, .text = text, .used = true, .column = -1, .scope = -1
	};
	if (d == &m->names) {
		a->column = wanted(m, text, m->columns);
		a->scope = wanted(m, text, m->scopes);
	}
}

/* --- rows --- */

static uint32_t *index_slot(const struct mork *m, uint8_t scope, uint32_t id)
{
	size_t i = hash_id(id, scope + 1u) & (m->index_cap - 1);

	while (m->index[i]) {
		const struct row *r = &m->rows[m->index[i] - 1];

		if (r->id == id && r->scope == scope)
			break;
		i = (i + 1) & (m->index_cap - 1);
	}
	return &m->index[i];
}

static void grow_rows(struct mork *m)
{
	m->cap_rows = m->cap_rows ? m->cap_rows * 2 : 64;
	m->rows = mem_realloc(m->rows, m->cap_rows * sizeof(*m->rows));
	m->cells = mem_realloc(m->cells,
			       m->cap_rows * m->n_columns * sizeof(*m->cells));
	free(m->index);
	m->index_cap = m->cap_rows * 2;
	m->index = mem_zalloc(m->index_cap * sizeof(*m->index));
	for (size_t i = 0; i < m->n_rows; i++)
		*index_slot(m, m->rows[i].scope, m->rows[i].id) =
			(uint32_t)i + 1;
}

static void empty_row(struct mork *m, size_t row)
{
	for (unsigned c = 0; c < m->n_columns; c++)
		m->cells[row * m->n_columns + c].at = NO_CELL;
}

static size_t need_row(struct mork *m, int8_t scope, uint32_t id)
{
	uint32_t *slot;

	if (m->n_rows == m->cap_rows)
		grow_rows(m);
	slot = index_slot(m, (uint8_t)scope, id);
	if (*slot)
		return *slot - 1;
	if (m->n_rows >= 64 + m->n / LEAST_ROW) {
		m->damaged = true;
		return SIZE_MAX;
	}
	m->rows[m->n_rows] = (struct row){ .id = id, .scope = (uint8_t)scope };
	empty_row(m, m->n_rows);
	*slot = (uint32_t)++m->n_rows;
	return m->n_rows - 1;
}

/* --- bytes --- */

static int peek(const struct mork *m)
{
	return m->at < m->end ? (unsigned char)m->bytes[m->at] : -1;
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_line(struct mork *m)
{
	while (m->at < m->end && m->bytes[m->at] != '\n' &&
	       m->bytes[m->at] != '\r')
		m->at++;
}

/* White space, comments, and the line continuations between tokens. */
static int next_token(struct mork *m)
{
	for (;;) {
		int c = peek(m);

		if (c == '/' && m->at + 1 < m->end &&
		    m->bytes[m->at + 1] == '/')
			skip_line(m);
		else if (is_space(c) || c == '\\')
			m->at++;
		else
			return c;
	}
}

static bool accept(struct mork *m, char c)
{
	if (next_token(m) != c)
		return false;
	m->at++;
	return true;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool read_id(struct mork *m, uint32_t *id_r)
{
	unsigned digits = 0;
	int d;

	*id_r = 0;
	while ((d = hex_digit(peek(m))) >= 0) {
		*id_r = *id_r << 4 | (unsigned)d;
		m->at++;
		digits++;
	}
	return digits && digits <= 8;
}

/* A bare word: a literal column, scope or kind. */
static struct span read_word(struct mork *m)
{
	struct span s = { .at = m->at };
	int c;

	while ((c = peek(m)) >= 0 && !is_space(c) && !strchr("()[]{}<>^=@", c))
		m->at++;
	s.len = m->at - s.at;
	return s;
}

/* Behind '=': everything up to a ')' that is not escaped, which is taken as
 * well. */
static bool read_literal(struct mork *m, struct span *s_r)
{
	s_r->at = m->at;
	for (; m->at < m->end; m->at++) {
		if (m->bytes[m->at] == '\\' && m->at + 1 < m->end)
			m->at++;
		else if (m->bytes[m->at] == ')') {
			s_r->len = m->at++ - s_r->at;
			return true;
		}
	}
	s_r->len = 0;
	m->damaged = true;
	return false;
}

/* Step over the rest of a cell that is not understood. */
static void skip_cell(struct mork *m)
{
	struct span s;

	m->damaged = true;
	read_literal(m, &s);
}

/* "^B1" or "^B1:c" in a value's place. Scope c means the column names. */
static const struct atom *read_reference(struct mork *m, const struct dict *d)
{
	uint32_t id;

	if (!read_id(m, &id))
		return NULL;
	if (peek(m) == ':') {
		struct span s;

		m->at++;
		s = read_word(m);
		if (s.len == 1 && m->bytes[s.at] == 'c')
			d = &m->names;
	}
	return dict_find(d, id);
}

/* --- dictionaries --- */

/* "<(a=c)>" inside a dictionary: it is about column names. */
static bool read_meta_dict(struct mork *m)
{
	bool names = false;

	for (;;) {
		int c = next_token(m);

		if (c < 0)
			return names;
		m->at++;
		if (c == '>')
			return names;
		if (c == '(') {
			struct span key = read_word(m), value;

			if (!accept(m, '='))
				skip_cell(m);
			else if (read_literal(m, &value) && key.len == 1 &&
				 m->bytes[key.at] == 'a')
				names = value.len == 1 &&
					m->bytes[value.at] == 'c';
		}
	}
}

static void read_dict(struct mork *m)
{
	struct dict *d = &m->values;

	for (;;) {
		struct span text;
		uint32_t id;
		int c = next_token(m);

		if (c < 0) {
			m->damaged = true;
			return;
		}
		m->at++;
		if (c == '>')
			return;
		if (c == '<') {
			d = read_meta_dict(m) ? &m->names : &m->values;
		} else if (c != '(') {
			m->damaged = true;
		} else if (!read_id(m, &id) || !accept(m, '=')) {
			skip_cell(m);
		} else if (read_literal(m, &text)) {
			dict_set(m, d, id, text);
		}
	}
}

/* --- rows and tables --- */

/* The scope behind an id, ":^80" or ":m"; without one, that of the table. */
static int8_t read_scope(struct mork *m, int8_t inherited)
{
	if (peek(m) != ':')
		return inherited;
	m->at++;
	if (peek(m) == '^') {
		const struct atom *a;

		m->at++;
		a = read_reference(m, &m->names);
		return a ? a->scope : -1;
	}
	return wanted(m, read_word(m), m->scopes);
}

/* Behind '(': "^col^val", "^col=text" or "col=text". Which column, or -1. */
static int8_t read_cell(struct mork *m, struct span *text_r)
{
	const struct atom *a;
	int8_t column = -1;

	text_r->at = NO_CELL;
	text_r->len = 0;
	if (accept(m, '^')) {
		a = read_reference(m, &m->names);
		column = a ? a->column : -1;
	} else {
		column = wanted(m, read_word(m), m->columns);
	}
	switch (next_token(m)) {
	case '=':
		m->at++;
		if (!read_literal(m, text_r))
			return -1;
		return column;
	case '^':
		m->at++;
		a = read_reference(m, &m->values);
		if (a)
			*text_r = a->text;
		break;
	}
	if (!accept(m, ')'))
		skip_cell(m);
	return column;
}

/* Behind '['. Cells of scopes that nobody wants are parsed and forgotten.
   Returns the row, or SIZE_MAX. */
static size_t read_row(struct mork *m, int8_t inherited)
{
	bool cut = accept(m, '-');
	size_t row = SIZE_MAX;
	unsigned depth = 0;
	int8_t scope;
	uint32_t id;

	next_token(m);
	if (read_id(m, &id)) {
		scope = read_scope(m, inherited);
		if (scope >= 0)
			row = need_row(m, scope, id);
	} else {
		m->damaged = true;
	}
	if (cut && row != SIZE_MAX)
		empty_row(m, row);
	for (cut = false;;) {
		struct span text;
		int c = next_token(m);

		if (c < 0) {
			m->damaged = true;
			return row;
		}
		m->at++;
		if (c == ']' && depth-- == 0)
			return row;
		if (c == '[') {
			depth++;
		} else if (c == '(') {
			int8_t column = read_cell(m, &text);

			if (column >= 0 && row != SIZE_MAX && !depth) {
				if (cut)
					text.at = NO_CELL;
				m->cells[row * m->n_columns +
					 (unsigned)column] = text;
			}
		}
		cut = c == '-';
	}
}

/* "{(k^96:c)(s=9)1:m }" inside a table. Whether its kind is the one that lists.
 */
static bool read_meta_table(struct mork *m)
{
	bool listing = false;
	unsigned depth = 0;

	for (;;) {
		int c = next_token(m);

		if (c < 0) {
			m->damaged = true;
			return listing;
		}
		m->at++;
		if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (!depth--)
				return listing;
		} else if (c == '(') {
			struct span key = read_word(m), s = { 0 };

			if (peek(m) == '^') {
				const struct atom *a;

				m->at++;
				a = read_reference(m, &m->names);
				if (a)
					s = a->text;
				if (!accept(m, ')'))
					skip_cell(m);
			} else if (!accept(m, '=')) {
				skip_cell(m);
			} else {
				read_literal(m, &s);
			}
			if (key.len == 1 && m->bytes[key.at] == 'k')
				listing = s.len == strlen(m->kind) &&
					  !memcmp(m->bytes + s.at, m->kind,
						  s.len);
		}
	}
}

static void list_row(struct mork *m, size_t row, bool listing, bool cut)
{
	if (listing && row != SIZE_MAX)
		m->rows[row].listed = cut ? 0 : m->generation;
}

/* Behind '{'. */
static void read_table(struct mork *m)
{
	bool clear = accept(m, '-'), listing = false, cut = false;
	int8_t scope = -1;
	uint32_t id;

	next_token(m);
	if (read_id(m, &id))
		scope = read_scope(m, -1);
	else
		m->damaged = true;
	for (;;) {
		int c = next_token(m);
		size_t row;

		if (c < 0) {
			m->damaged = true;
			return;
		}
		if (hex_digit(c) >= 0) {
			bool good = read_id(m, &id);
			int8_t s = read_scope(m, scope);

			m->damaged |= !good;
			row = good && listing && s >= 0 ? need_row(m, s, id)
							: SIZE_MAX;
			list_row(m, row, listing, cut);
			cut = false;
			continue;
		}
		m->at++;
		if (c == '}')
			return;
		if (c == '{') {
			/* "{-1:..." begins the table anew. */
			listing = read_meta_table(m) && scope >= 0;
			if (listing && clear)
				m->generation++;
		} else if (c == '[') {
			row = read_row(m, scope);
			list_row(m, row, listing, cut);
			cut = false;
		} else if (c == '-') {
			cut = true;
		} else {
			m->damaged = true;
		}
	}
}

/* --- transactions --- */

static uint32_t find(const struct mork *m, uint32_t from, uint32_t to,
		     const char *what)
{
	const char *p = from < to ? memmem(m->bytes + from, to - from, what,
					   strlen(what))
				  : NULL;

	return p ? (uint32_t)(p - m->bytes) : to;
}

/* Where the mark that begins at from ("@$$...") can still end. */
static uint32_t mark_limit(const struct mork *m, uint32_t from)
{
	return m->n - from > MARK_MAX ? from + MARK_MAX : m->n;
}

static bool stands_at(const struct mork *m, uint32_t at, const char *what,
		      uint32_t len)
{
	return m->n - at >= len && !memcmp(m->bytes + at, what, len);
}

static void read_content(struct mork *m, uint32_t end);

/* At "@$${id{@". The next mark has to be "@$$}id}@"; then what is between them
   is read. Another begin in its place, an abort ("@$$}~~}@") or the end of the
   file mean that the transaction never was. */
static void read_group(struct mork *m)
{
	uint32_t id = m->at + 4, limit = mark_limit(m, m->at);
	uint32_t id_end = find(m, id, limit, "{@"), len = id_end - id;
	uint32_t end = find(m, id, m->n, "@$$");

	if (id_end < limit && end >= id_end + 2 &&
	    stands_at(m, end, "@$$}", 4) &&
	    stands_at(m, end + 4, m->bytes + id, len) &&
	    stands_at(m, end + 4 + len, "}@", 2)) {
		m->at = id_end + 2;
		read_content(m, end);
		m->at = end + 4 + len + 2;
		m->end = m->n;
		return;
	}
	m->damaged |= id_end == limit || end == m->n;
	m->at = end;
	if (stands_at(m, end, "@$$}", 4)) {
		limit = mark_limit(m, end);
		id_end = find(m, end + 4, limit, "}@");
		m->at = id_end < limit ? id_end + 2 : end + 4;
	}
}

static void read_content(struct mork *m, uint32_t end)
{
	m->end = end;
	for (;;) {
		int c = next_token(m);

		if (c < 0)
			return;
		if (end == m->n && stands_at(m, m->at, "@$${", 4)) {
			read_group(m);
			continue;
		}
		m->at++;
		if (c == '<')
			read_dict(m);
		else if (c == '[')
			read_row(m, -1);
		else if (c == '{')
			read_table(m);
		else
			m->damaged = true;
	}
}

struct mork *mork_parse(const char *bytes, size_t n, const char *const *scopes,
			const char *const *columns, const char *kind)
{
	struct mork *m = mem_zalloc(sizeof(*m));

	assert(n <= MORK_MAX);
	m->bytes = bytes;
	m->n = (uint32_t)n;
	m->scopes = scopes;
	m->columns = columns;
	m->kind = kind;
	m->generation = 1;
	while (scopes[m->n_scopes])
		m->n_scopes++;
	while (columns[m->n_columns])
		m->n_columns++;
	assert(m->n_scopes <= MORK_SCOPES && m->n_columns <= MORK_COLUMNS);
	if (mork_begins(bytes, n))
		read_content(m, m->n);
	else
		m->damaged = true;
	free(m->names.atoms);
	free(m->values.atoms);
	free(m->index);
	m->index = NULL;
	m->names = m->values = (struct dict){ 0 };
	return m;
}

void mork_free(struct mork *m)
{
	if (!m)
		return;
	free(m->rows);
	free(m->cells);
	free(m);
}

bool mork_damaged(const struct mork *m)
{
	return m->damaged;
}

size_t mork_rows(const struct mork *m)
{
	return m->n_rows;
}

unsigned mork_row_scope(const struct mork *m, size_t row)
{
	return m->rows[row].scope;
}

uint32_t mork_row_id(const struct mork *m, size_t row)
{
	return m->rows[row].id;
}

bool mork_row_listed(const struct mork *m, size_t row)
{
	return m->rows[row].listed == m->generation;
}

/* "$E6" is a byte, a backslash before a line end is nothing, before anything
   else it makes that literal. */
static void decode(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '$' && n - i > 2 && hex_digit(s[i + 1]) >= 0 &&
		    hex_digit(s[i + 2]) >= 0) {
			buf_add_char(out, (char)(hex_digit(s[i + 1]) * 16 +
						 hex_digit(s[i + 2])));
			i += 2;
		} else if (s[i] != '\\') {
			buf_add_char(out, s[i]);
		} else if (++i < n) {
			if (s[i] == '\r' && n - i > 1 && s[i + 1] == '\n')
				i++;
			else if (s[i] != '\n' && s[i] != '\r')
				buf_add_char(out, s[i]);
		}
	}
}

bool mork_cell(const struct mork *m, size_t row, unsigned column,
	       struct buf *out)
{
	struct span s = m->cells[row * m->n_columns + column];

	buf_reset(out);
	if (s.at == NO_CELL)
		return false;
	decode(out, m->bytes + s.at, s.len);
	return true;
}

bool mork_cell_hex(const struct mork *m, size_t row, unsigned column,
		   uint64_t *value_r)
{
	struct span s = m->cells[row * m->n_columns + column];

	*value_r = 0;
	if (s.at == NO_CELL || !s.len || s.len > 16)
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		int d = hex_digit((unsigned char)m->bytes[s.at + i]);

		if (d < 0)
			return false;
		*value_r = *value_r << 4 | (unsigned)d;
	}
	return true;
}
