/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window through which an mbox is seen, and what is given out of it: R2 to R4
   of mbox_private.h. */
#include <string.h>

#include "importers/mbox_private.h"

void mbox_fill(struct mbox_reader *r)
{
	while (!r->eof && r->end < r->size_of_window) {
		char *to = r->window + r->end;
		ssize_t got = mbox_bytes_read(r->bytes, to,
					      r->size_of_window - r->end,
					      r->base + r->end, &r->damage);

		/* What is in front of the damage is read first. */
		r->damaged = got < 0;
		if (got <= 0) {
			r->eof = true;
			return;
		}
		for (ssize_t i = 0; r->cr_only && i < got; i++)
			to[i] = to[i] == '\r' ? '\n' : to[i];
		r->end += (size_t)got;
	}
}

bool mbox_line_start(const struct mbox_reader *r, size_t at)
{
	return r->base + at == r->content || (at && r->window[at - 1] == '\n');
}

bool mbox_in_run(const struct mbox_reader *r, size_t at)
{
	while (at && !mbox_line_start(r, at) && r->window[at - 1] == '>')
		at--;
	return mbox_line_start(r, at) || (at == 0 && r->run);
}

void mbox_move_on(struct mbox_reader *r)
{
	size_t drop = r->pos > WINDOW_BACK ? r->pos - WINDOW_BACK : 0;

	if (drop) {
		r->run = mbox_in_run(r, drop);
		memmove(r->window, r->window + drop, r->end - drop);
		r->base += drop;
		r->pos -= drop;
		r->end -= drop;
		r->from = r->from > drop ? r->from - drop : 0;
	}
	mbox_fill(r);
}

void mbox_jump(struct mbox_reader *r, uint64_t offset)
{
	r->pos = offset < 4 ? (size_t)offset : 4; /* to see a blank line */
	r->base = offset - r->pos;
	r->end = r->from = 0;
	r->eof = r->run = false;
	r->held.nuls = 0;
}

size_t mbox_blank_before(const struct mbox_reader *r, size_t at)
{
	size_t start = at;

	if (!at || r->window[at - 1] != '\n' || r->base + at == r->content)
		return 0;
	start--;
	if (start && r->window[start - 1] == '\r' &&
	    r->base + start != r->content)
		start--;
	return mbox_line_start(r, start) ? at - start : 0;
}

/* Giving out. */

static int hand_over(struct mbox_reader *r, const char *bytes, size_t n,
		     struct err *e)
{
	if (r->refused || intake_add(r->in, bytes, n, e) == 0)
		return 0;
	if (e->scope > ERR_MESSAGE)
		return -1;
	r->refused = true;
	r->refusal = *e;
	return 0;
}

static int sink(struct mbox_reader *r, const char *bytes, size_t n,
		struct err *e)
{
	if (r->sink == SINK_INTAKE)
		return hand_over(r, bytes, n, e);
	for (size_t i = 0; r->sink == SINK_JUNK && i < n; i++)
		r->junk += !memchr(" \t\r\n", bytes[i], 4);
	return 0;
}

/* They are part of the message after all. */
static int give_held(struct mbox_reader *r, struct err *e)
{
	static const char zeros[16 << 10];
	uint64_t left = r->held.nuls;

	r->held.nuls = 0;
	if (sink(r, r->held.blank, r->held.n_blank, e) < 0)
		return -1;
	while (left) {
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		if (sink(r, zeros, n, e) < 0)
			return -1;
		left -= n;
	}
	return 0;
}

int mbox_give(struct mbox_reader *r, size_t to, struct err *e)
{
	const char *bytes = r->window + r->pos;
	size_t n = to - r->pos;

	if (to <= r->pos)
		return 0;
	r->pos = to;
	if (r->held.nuls && give_held(r, e) < 0)
		return -1;
	return sink(r, bytes, n, e);
}

/* NULs between messages. */

/* Where the NULs in front of at begin, not before pos. */
static size_t nuls_begin(const struct mbox_reader *r, size_t at)
{
	while (at > r->pos && !r->window[at - 1])
		at--;
	return at;
}

int mbox_nuls_before(const struct mbox_reader *r, size_t at)
{
	size_t begin = nuls_begin(r, at);

	if (begin == r->pos && r->held.nuls)
		return r->held.line ? 2 : 1;
	/* Arriving, they are in front of pos, and perhaps of the window. */
	while (at == r->pos && begin && !r->window[begin - 1])
		begin--;
	if (begin == at)
		return 0;
	return !begin || mbox_line_start(r, begin) ? 2 : 1;
}

/* The NULs from begin to to may be the last of the message. */
static int hold(struct mbox_reader *r, size_t begin, size_t to, struct err *e)
{
	size_t blank;

	if (begin == r->pos && r->held.nuls) {
		r->held.nuls += to - begin;
		r->pos = to;
		return 0;
	}
	blank = mbox_blank_before(r, begin);
	if (blank > begin - r->pos)
		blank = 0;
	if (mbox_give(r, begin - blank, e) < 0)
		return -1;
	memcpy(r->held.blank, r->window + begin - blank, blank);
	r->held.n_blank = blank;
	r->held.line = mbox_line_start(r, begin);
	r->held.nuls = to - begin;
	r->pos = to;
	return 0;
}

int mbox_release(struct mbox_reader *r, size_t to, struct err *e)
{
	size_t back = to, begin;

	if (to <= r->pos)
		return 0;
	/* Line ends behind NULs may belong between messages, too. */
	while (back > r->pos && to - back < 4 &&
	       (r->window[back - 1] == '\n' || r->window[back - 1] == '\r'))
		back--;
	begin = nuls_begin(r, back);
	if (begin < back || (begin == r->pos && r->held.nuls))
		return hold(r, begin, back, e);
	back = mbox_blank_before(r, to);
	return mbox_give(r, back < to - r->pos ? to - back : r->pos, e);
}

/* The NULs, and what framing there is in front of them, are dropped. */
static int drop_nuls(struct mbox_reader *r, size_t begin, size_t end,
		     struct err *e)
{
	size_t blank;

	r->padding += end - begin;
	if (begin == r->pos && r->held.nuls) {
		r->padding += r->held.nuls;
		r->held.nuls = 0;
		return 0;
	}
	blank = mbox_blank_before(r, begin);
	if (blank > begin - r->pos)
		blank = 0;
	return mbox_give(r, begin - blank, e);
}

int mbox_give_last(struct mbox_reader *r, size_t to, struct err *e)
{
	size_t blank = mbox_blank_before(r, to), last, end, begin;
	int got;

	last = blank <= to - r->pos ? to - blank : to;
	begin = nuls_begin(r, to);
	end = to;
	if (begin == end && !(begin == r->pos && r->held.nuls)) {
		/* A line of nothing but NULs. */
		end = last;
		end -= end > r->pos && r->window[end - 1] == '\n';
		end -= end < last && end > r->pos && r->window[end - 1] == '\r';
		begin = nuls_begin(r, end);
		if (end == last || (begin == end && !r->held.nuls) ||
		    mbox_nuls_before(r, end) != 2)
			begin = end = SIZE_MAX;
	}
	got = begin == SIZE_MAX ? mbox_give(r, last, e)
				: drop_nuls(r, begin, end, e);
	r->pos = to;
	return got;
}
