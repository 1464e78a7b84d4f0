/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folder.idx and the status of messages. */
#include "importers/becky_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "importers/dbx_window.h"

enum { COL_PLACE = 0, COL_FILE = 2, COL_DOWNLOADED = 10, COL_STATUS = 12 };
enum { DIGITS_MOST = 16, ENTRIES_MOST = 16 << 20 };

/* n hexadecimal digits, nothing else. */
static bool read_hex(const char *s, size_t n, uint64_t *value_r)
{
	uint64_t value = 0;

	if (!n || n > DIGITS_MOST)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = ascii_lower(s[i]);

		if (ascii_is_digit(c))
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*value_r = value;
	return true;
}

/* A line on the way. Only the numbers that are wanted are kept. */
struct line {
	unsigned column;
	char digits[DIGITS_MOST + 1];
	size_t n;
	uint64_t values[COL_STATUS + 1];
	bool bad, blank;
};

static void end_column(struct line *l)
{
	switch (l->column) {
	case COL_PLACE:
	case COL_FILE:
	case COL_DOWNLOADED:
	case COL_STATUS:
		if (!read_hex(l->digits, l->n, &l->values[l->column]))
			l->bad = true;
		break;
	default:
		break;
	}
	l->n = 0;
	l->column++;
}

static void end_line(struct becky_index *x, struct line *l)
{
	if (!l->blank)
		end_column(l);
	if (!l->blank &&
	    (l->bad || l->column <= COL_STATUS ||
	     l->values[COL_FILE] > UINT32_MAX || x->n == ENTRIES_MOST)) {
		x->whole = false;
	} else if (!l->blank) {
		if (x->n == x->cap) {
			x->cap = x->cap * 2 + 64;
			x->entries = mem_realloc(x->entries,
						 x->cap * sizeof(*x->entries));
		}
		x->entries[x->n++] = (struct becky_entry){
			.file = (uint32_t)l->values[COL_FILE],
			.status = (uint32_t)l->values[COL_STATUS],
			.at = l->values[COL_PLACE],
			.downloaded = l->values[COL_DOWNLOADED]
					      ? (int64_t)(uint32_t)l
							->values[COL_DOWNLOADED]
					      : DATE_NONE,
		};
	}
	*l = (struct line){ .blank = true };
}

static void take_byte(struct becky_index *x, struct line *l, char c)
{
	if (c == '\n') {
		end_line(x, l);
		return;
	}
	if (c == '\r')
		return;
	l->blank = false;
	if (c == '\x01')
		end_column(l);
	else if (l->n < sizeof(l->digits))
		l->digits[l->n++] = c;
	if (l->column > COL_STATUS)
		l->column = COL_STATUS + 1;
}

static int by_place(const void *va, const void *vb)
{
	const struct becky_entry *a = va, *b = vb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

void becky_index_read(struct becky_index *x, int fd, uint64_t size)
{
	struct line line = { .blank = true };
	bool first = true; /* the line that has the version */
	struct dbx_window w;
	const char *bytes;
	size_t n;

	*x = (struct becky_index){ .whole = true };
	dbx_window_open(&w, fd, size);
	for (uint64_t pos = 0; (n = dbx_window_run(&w, pos, &bytes));
	     pos += n) {
		for (size_t i = 0; i < n; i++) {
			if (!first)
				take_byte(x, &line, bytes[i]);
			else if (bytes[i] == '\n')
				first = false;
		}
	}
	end_line(x, &line);
	if (w.error)
		x->whole = false;
	dbx_window_close(&w);
	if (x->n)
		qsort(x->entries, x->n, sizeof(*x->entries), by_place);
}

void becky_index_free(struct becky_index *x)
{
	free(x->entries);
	*x = (struct becky_index){ .n = 0 };
}

/* --- one .bmf --- */

/* Whether a message begins here: behind a line "." */
static bool begins_at(int fd, uint64_t at, uint64_t size)
{
	char before[4] = "";
	size_t n = at < sizeof(before) ? (size_t)at : sizeof(before);
	ssize_t got;

	if (!at || at >= size)
		return !at && size;
	do
		got = pread(fd, before, n, (off_t)(at - n));
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)n || before[n - 1] != '\n')
		return false;
	n -= n > 1 && before[n - 2] == '\r' ? 2 : 1;
	return n && before[n - 1] == '.' &&
	       (n == 1 ? at <= 3 : before[n - 2] == '\n');
}

struct becky_part becky_index_part(const struct becky_index *x,
				   const char *leaf, int bmf, uint64_t size)
{
	struct becky_part p = { .entries = x->entries };
	size_t from = 0, to;
	uint64_t file;

	if (!x->n || !read_hex(leaf, strcspn(leaf, "."), &file) ||
	    file > UINT32_MAX)
		return p;
	while (from < x->n && x->entries[from].file < file)
		from++;
	for (to = from; to < x->n && x->entries[to].file == file; to++)
		;
	p.entries += from;
	p.n = to - from;
	p.trusted = p.n && x->whole;
	for (size_t i = 0; p.trusted && i < p.n; i++)
		p.trusted = begins_at(bmf, p.entries[i].at, size);
	return p;
}

const struct becky_entry *becky_part_find(const struct becky_part *p,
					  uint64_t at)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->entries[mid].at == at)
			return &p->entries[mid];
		if (p->entries[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* --- status --- */

void becky_status_apply(struct message *m, uint32_t status)
{
	if (status & BECKY_READ)
		m->flags.system |= FLAG_SEEN;
	if (status & BECKY_REPLIED)
		m->flags.system |= FLAG_ANSWERED;
	if (status & BECKY_FLAGGED)
		m->flags.system |= FLAG_FLAGGED;
	if (status & BECKY_FORWARDED)
		flags_add_keyword(&m->flags, "$Forwarded", 10);
	if (status & BECKY_MDN_DONE)
		flags_add_keyword(&m->flags, "$MDNSent", 8);
}

bool becky_status_parse(const char *value, uint32_t *status_r,
			int64_t *downloaded_r)
{
	uint64_t number;
	size_t n = strcspn(value, ", ");

	*downloaded_r = DATE_NONE;
	if (!read_hex(value, n, &number) || number > UINT32_MAX)
		return false;
	*status_r = (uint32_t)number;
	for (unsigned column = 1; value[n] == ','; column++) {
		value += n + 1;
		n = strcspn(value, ", ");
		if (column == 4 && read_hex(value, n, &number) && number &&
		    number <= UINT32_MAX)
			*downloaded_r = (int64_t)number;
	}
	return true;
}
