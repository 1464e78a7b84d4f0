/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MMDF: every message stands between two lines of four ^A, and nothing is quoted
   (mmdf(5); SCO's mailers, and what Python's mailbox.MMDF writes: with a "From "
   line on top and a blank line at the end). A line that ends one message and the
   one that begins the next are both framing. */
#include <string.h>

#include "core/base/scan.h"
#include "importers/mbox_private.h"

static const char marker[] = "\1\1\1\1";
enum { MARKER = sizeof(marker) - 1, MARKER_LINE = MARKER + 2 };

/* The length of the marker line, with its end; 0 if it is none. */
static size_t marker_line(const char *text, size_t n)
{
	if (n < MARKER || memcmp(text, marker, MARKER) != 0)
		return 0;
	if (n == MARKER)
		return MARKER;
	if (text[MARKER] == '\n')
		return MARKER + 1;
	return n > MARKER + 1 && text[MARKER] == '\r' &&
			       text[MARKER + 1] == '\n'
		       ? MARKER + 2
		       : 0;
}

bool mbox_is_mmdf(const char *text, size_t n)
{
	return n > MARKER && marker_line(text, n);
}

static size_t find(const struct mbox_reader *r)
{
	size_t at = r->from;

	while ((at = scan_find_pair(r->window, at, r->end, '\1', '\1')) <
		       r->end &&
	       !(mbox_line_start(r, at) &&
		 marker_line(r->window + at, r->end - at)))
		at++;
	return at;
}

static size_t blank_lines(const char *text, size_t n)
{
	size_t at = 0;

	while (at < n && (text[at] == '\n' || text[at] == '\r'))
		at++;
	return at;
}

/* Of the markers at pos, with nothing but blank lines between them, the last one:
   1, or 0 when nothing is behind them. */
static int last_marker(struct mbox_reader *r)
{
	for (;;) {
		const char *text;
		size_t next, n;

		if (r->end - r->pos < r->look && !r->eof)
			mbox_move_on(r);
		text = r->window + r->pos;
		n = r->end - r->pos;
		next = marker_line(text, n);
		next += blank_lines(text + next, n - next);
		if (next == n && r->eof) {
			r->pos = r->end;
			return 0;
		}
		if (!marker_line(text + next, n - next))
			return 1;
		r->pos += next;
	}
}

int mbox_mmdf_scan(struct mbox_reader *r, struct err *e)
{
	r->from = r->pos;
	for (;;) {
		size_t at = find(r);

		if (at == r->end) {
			int got = mbox_next_window(r, e);

			if (got <= 0)
				return got;
			continue;
		}
		if (r->end - at < MARKER_LINE && !r->eof) {
			r->from = at;
			if (mbox_release(r, at > HOLD ? at - HOLD : 0, e) < 0)
				return -1;
			mbox_move_on(r);
			continue;
		}
		if (mbox_give_last(r, at, e) < 0)
			return -1;
		return last_marker(r);
	}
}
