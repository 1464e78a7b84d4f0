/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judges lines that begin with "From ", by mbox_score.h and by what the reader
   knows of the file, and tells of those that are in doubt. */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "importers/importer.h"
#include "importers/mbox_private.h"
#include "importers/mbox_score.h"

enum {
	/* How far behind a separator the next line of an open multipart is
	   looked for: the mail that is attached may be long. What is looked at
	   twice must stay little, whatever somebody makes up. */
	INSIDE_NEAR = 16 << 10,
	INSIDE_LOOK = 8 << 20,
	INSIDE_LOOK_ALL = 256 << 20,
	INSIDE_BLOCK = 64 << 10,
	DOUBT_LINE = 100,
};

bool mbox_says_from(const struct mbox_reader *r, size_t at)
{
	return r->end - at >= 5 && !memcmp(r->window + at, "From ", 5);
}

bool mbox_looks_glued(const struct mbox_reader *r, size_t at)
{
	const char *line = r->window + at;
	size_t n = r->end - at < 160 ? r->end - at : 160;
	const char *eol = memchr(line, '\n', n);

	if (!eol)
		return false;
	n = (size_t)(eol - line);
	if (line[n - 1] == '\r')
		n--;
	return mbox_shape(line, n) == MBOX_DATED &&
	       mbox_is_field(eol + 1, (size_t)(r->window + r->end - eol - 1));
}

/* Most multiparts have just ended where a separator stands, and then there is
   nothing to look for behind it. */
static bool just_closed(const struct mbox_reader *r, size_t at)
{
	size_t back = at < WINDOW_BACK ? at : WINDOW_BACK;
	size_t len = r->head.boundary_len;
	char close[sizeof(r->head.boundary) + 4] = "--";

	memcpy(close + 2, r->head.boundary, len);
	memcpy(close + 2 + len, "--", 2);
	return memmem(r->window + at - back, back, close, len + 4);
}

static void set_landing(const struct mbox_reader *r, size_t at,
			struct mbox_candidate *c)
{
	uint64_t landing;

	if (!r->head.len || !r->head.has_length)
		return;
	landing = r->content + r->head.len + r->head.length;
	c->landing = landing == r->base + at ||
		     landing + mbox_blank_before(r, at) == r->base + at;
}

/* Does the multipart of the message at hand go on far behind offset? Blocks
   overlap, so that a boundary line cut in two is seen whole. */
static bool is_far_inside(struct mbox_reader *r, uint64_t offset)
{
	uint64_t end = offset + INSIDE_LOOK;
	size_t keep = r->head.boundary_len + 8;
	char *block = mem_alloc(INSIDE_BLOCK);
	int got = -1;

	for (offset -= keep;
	     got < 0 && offset < end && r->looked < INSIDE_LOOK_ALL;
	     offset += INSIDE_BLOCK - keep) {
		ssize_t n =
			mbox_bytes_peek(r->bytes, block, INSIDE_BLOCK, offset);

		if (n <= 0)
			break;
		r->looked += (uint64_t)n;
		got = mbox_inside_mime(block, (size_t)n, r->head.boundary,
				       r->head.boundary_len);
		if (n < INSIDE_BLOCK)
			break;
	}
	free(block);
	return got > 0;
}

static bool is_inside(struct mbox_reader *r, size_t at)
{
	size_t n = r->end - at;
	int got;

	if (!r->head.boundary_len || just_closed(r, at))
		return false;
	if (n > INSIDE_NEAR)
		n = INSIDE_NEAR;
	got = mbox_inside_mime(r->window + at, n, r->head.boundary,
			       r->head.boundary_len);
	if (got >= 0 || n < INSIDE_NEAR || r->cr_only)
		return got > 0;
	return is_far_inside(r, r->base + at + n);
}

void mbox_weigh(struct mbox_reader *r, size_t at, bool first)
{
	size_t n = r->end - at;
	int nuls = first ? 0 : mbox_nuls_before(r, at);
	struct mbox_candidate c = {
		.text = r->window + at,
		.n = n < r->look ? n : r->look,
		.all = r->eof && n <= r->look,
		.first = first,
		.blank = mbox_blank_before(r, at) > 0,
		.nuls = nuls == 2,
		.bare_expected = r->bare_expected,
		.git_expected = r->git_expected,
	};

	c.glued = !first && !c.nuls && !mbox_line_start(r, at);
	set_landing(r, at, &c);
	r->glued = c.glued || c.nuls;
	r->score = mbox_score(&c, &r->reasons);
	if (r->score >= MBOX_ACCEPT && is_inside(r, at))
		r->score = mbox_score_inside(r->score, &r->reasons);
}

bool mbox_weak(const struct mbox_reader *r)
{
	return r->score < MBOX_SURE || r->glued;
}

void mbox_tell_doubt(struct mbox_reader *r, size_t at, bool taken)
{
	size_t n = r->end - at < DOUBT_LINE ? r->end - at : DOUBT_LINE;
	const char *line = r->window + at, *eol = memchr(line, '\n', n);
	struct split_doubt d = {
		.file = r->name,
		.offset = r->base + at,
		.taken = taken,
		.score = r->score,
	};

	if (!r->doubt)
		return;
	buf_reset(&r->line);
	buf_reset(&r->why);
	if (eol)
		n = (size_t)(eol - line);
	if (n && line[n - 1] == '\r')
		n--;
	utf8_add_guessed(&r->line, line, n);
	for (size_t i = 0; i < r->line.len; i++)
		if ((unsigned char)r->line.data[i] < ' ' ||
		    r->line.data[i] == 0x7F)
			r->line.data[i] = '?';
	mbox_reasons_add(&r->why, r->reasons);
	d.line = r->line.data;
	d.why = r->why.data;
	r->doubt(r->doubt_ctx, &d);
}

static bool is_taken(const struct mbox_reader *r, size_t at)
{
	/* It was weighed before, when more was known of it. */
	if (r->bound && r->base + at <= r->bound)
		return r->base + at == r->bound;
	/* In junk, anything may be quoted. */
	return r->score >= (r->sink == SINK_JUNK ? MBOX_SURE : MBOX_ACCEPT);
}

int mbox_judge(struct mbox_reader *r, size_t at, struct err *e)
{
	mbox_weigh(r, at, false);
	if (r->score < MBOX_ACCEPT && r->stop && r->stop == r->base + at)
		r->score = MBOX_ACCEPT;
	if (!is_taken(r, at)) {
		r->rejected++;
		mbox_tell_doubt(r, at, false);
		return 0;
	}
	return mbox_give_last(r, at, e) < 0 ? -1 : 1;
}
