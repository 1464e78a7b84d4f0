/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where Content-Length leads. It is to be believed when what it points at is a
   separator beyond doubt, or the end of the file. Then nothing in between is
   looked at: writers of mboxcl2 quote nothing. */
#include <string.h>

#include "importers/mbox_private.h"
#include "importers/mbox_score.h"

enum {
	PEEK = 8 << 10,
	BLOCK = 16 << 10,
	/* After so many that led nowhere however line ends are counted, only
	   the plain count is tried: each costs reading the message twice. */
	LIES_ENOUGH = 8,
};

static size_t line_end(const char *text, size_t n)
{
	if (n && text[0] == '\n')
		return 1;
	return n > 1 && text[0] == '\r' && text[1] == '\n' ? 2 : 0;
}

/* Is there a separator at a line's begin, or the end? Then that is where the
   message stops. */
static bool lands(struct mbox_reader *r, uint64_t landing)
{
	char text[PEEK];
	struct mbox_candidate c = { .landing = true };
	ssize_t got =
		mbox_bytes_peek(r->bytes, text, sizeof(text), landing - 1);
	unsigned reasons;
	size_t blank;

	if (got < 1)
		return false;
	c.text = text + 1; /* one to see whether a line ends there */
	c.n = (size_t)got - 1;
	c.all = (size_t)got < sizeof(text);
	blank = line_end(c.text, c.n);
	c.text += blank;
	c.n -= blank;
	c.blank = blank > 0;
	if (!(c.n == 0 && c.all) &&
	    !(c.n > 5 && !memcmp(c.text, "From ", 5) && c.text[-1] == '\n' &&
	      mbox_score(&c, &reasons) >= MBOX_SURE))
		return false;
	r->stop = landing + blank;
	return true;
}

/* The offset at which length bytes have gone by from offset on, as another
   system would have counted the line ends; 0 if there are not so many. */
static uint64_t recount(struct mbox_reader *r, uint64_t offset, uint64_t length,
			enum length_habit habit)
{
	char block[BLOCK];
	bool cr = false;

	while (length) {
		ssize_t n =
			mbox_bytes_peek(r->bytes, block, sizeof(block), offset);

		if (n <= 0)
			return 0;
		for (ssize_t i = 0; i < n && length; i++, offset++) {
			bool pair = block[i] == '\n' && cr;
			uint64_t counts = 1;

			if (habit == LENGTH_CRLF && block[i] == '\n' && !pair)
				counts = 2;
			if (habit == LENGTH_LF && pair)
				counts = 0;
			cr = block[i] == '\r';
			if (counts > length)
				return 0;
			length -= counts;
		}
	}
	/* The last line end's other half. */
	if (habit == LENGTH_LF && cr)
		offset++;
	return offset;
}

static bool lands_as(struct mbox_reader *r, uint64_t body,
		     enum length_habit habit)
{
	uint64_t size = mbox_bytes_size(r->bytes), landing = 0;

	if (habit != LENGTH_AS_IS)
		landing = recount(r, body, r->head.length, habit);
	else if (body <= size && r->head.length <= size - body)
		landing = body + r->head.length;
	return landing && lands(r, landing);
}

static void find_stop(struct mbox_reader *r, uint64_t body)
{
	if (lands_as(r, body, r->habit))
		return;
	if (r->lies >= LIES_ENOUGH)
		return;
	for (int habit = LENGTH_AS_IS; habit <= LENGTH_LF; habit++)
		if (habit != (int)r->habit &&
		    lands_as(r, body, (enum length_habit)habit)) {
			r->habit = (enum length_habit)habit;
			return;
		}
	r->lies++;
}

void mbox_begin_message(struct mbox_reader *r)
{
	uint64_t body;
	size_t n;

	r->stop = 0;
	if (r->end - r->pos < r->look)
		mbox_move_on(r);
	n = r->end - r->pos;
	mbox_head_read(&r->head, r->window + r->pos, n < r->look ? n : r->look);
	if (!r->head.len || !r->head.has_length || r->thunderbird ||
	    r->cr_only || r->mmdf)
		return;
	body = r->content + r->head.len;
	if (r->head.length <= INT64_MAX - body)
		find_stop(r, body);
	if (r->bound && r->stop != r->bound)
		r->stop = 0;
}
