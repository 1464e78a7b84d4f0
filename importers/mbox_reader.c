/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams an mbox through one window of bytes, from separator to separator. Its
   invariants are in mbox_private.h. */
#include "importers/mbox_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/scan.h"
#include "importers/mbox_private.h"
#include "importers/mbox_score.h"

int mbox_reader_open_window(int fd, const char *name, enum mbox_quoting quoting,
			    bool thunderbird, size_t window, size_t look,
			    struct mbox_reader **r_r, struct err *e)
{
	struct mbox_bytes *bytes = NULL;
	struct mbox_reader *r;

	assert(look + MBOX_WINDOW_LEAST <= window);
	if (mbox_bytes_open(fd, name, &bytes, e) < 0)
		return -1;
	r = mem_zalloc(sizeof(*r));
	r->bytes = bytes;
	r->fd = fd;
	r->name = mem_strdup(name);
	r->quoting = quoting;
	r->thunderbird = r->bare_expected = thunderbird;
	r->limit = mbox_bytes_size(bytes);
	r->has_mark = fstat(fd, &r->st) == 0 && !mbox_bytes_packed(bytes) &&
		      mbox_mark_make(fd, (uint64_t)r->st.st_size, &r->mark);
	r->window = mem_alloc(window);
	r->size_of_window = window;
	r->look = look;
	buf_init(&r->separator);
	buf_init(&r->line);
	buf_init(&r->why);
	*r_r = r;
	return 0;
}

int mbox_reader_open(int fd, const char *name, enum mbox_quoting quoting,
		     bool thunderbird, struct mbox_reader **r_r, struct err *e)
{
	return mbox_reader_open_window(fd, name, quoting, thunderbird, WINDOW,
				       MBOX_LOOK, r_r, e);
}

void mbox_reader_close(struct mbox_reader *r)
{
	if (!r)
		return;
	mbox_bytes_close(r->bytes);
	buf_free(&r->separator);
	buf_free(&r->line);
	buf_free(&r->why);
	free(r->window);
	free(r->name);
	free(r);
}

void mbox_reader_on_doubt(struct mbox_reader *r,
			  void (*doubt)(void *ctx, const struct split_doubt *d),
			  void *ctx)
{
	r->doubt = doubt;
	r->doubt_ctx = ctx;
}

const char *mbox_reader_separator(const struct mbox_reader *r)
{
	return r->separator.data;
}

bool mbox_reader_doubtful(const struct mbox_reader *r)
{
	return !r->mmdf && mbox_weak(r);
}

uint64_t mbox_reader_rejected(const struct mbox_reader *r)
{
	return r->rejected;
}

uint64_t mbox_reader_junk(const struct mbox_reader *r)
{
	return r->junk;
}

uint64_t mbox_reader_padding(const struct mbox_reader *r)
{
	return r->padding;
}

/* Searching. */

/* The next "From " that matters, an index >= from; end if there is none here.
   "Fr" is rare in all kinds of text. */
static size_t find(const struct mbox_reader *r)
{
	size_t at = r->from;

	if (r->stop)
		return r->stop - r->base < r->end ? (size_t)(r->stop - r->base)
						  : r->end;
	while ((at = scan_find_pair(r->window, at, r->end, 'F', 'r')) <
		       r->end &&
	       !mbox_says_from(r, at))
		at++;
	return at;
}

int mbox_next_window(struct mbox_reader *r, struct err *e)
{
	size_t last;

	if (r->eof && r->damaged) {
		*e = r->damage;
		return -1;
	}
	if (r->eof)
		return mbox_grow(r) ? 1 : mbox_give_last(r, r->end, e);
	last = r->end > HOLD ? r->end - HOLD : 0;
	if (mbox_release(r, last, e) < 0)
		return -1;
	last = r->end > 4 ? r->end - 4 : 0;
	if (r->from < last)
		r->from = last;
	mbox_move_on(r);
	return 1;
}

/* "From " at the begin of a line but for '>'s: undo one of them; which is all
   the same. */
static int unquote(struct mbox_reader *r, size_t at, struct err *e)
{
	if (r->sink != SINK_INTAKE || r->quoting != MBOX_QUOTING_RD)
		return 0;
	if (mbox_give(r, at - 1, e) < 0)
		return -1;
	r->pos = at;
	return 0;
}

static bool is_quoted(const struct mbox_reader *r, size_t at)
{
	return at > r->pos && r->window[at - 1] == '>' &&
	       mbox_in_run(r, at - 1);
}

/* "From " is at index at: 1 it is a separator, 0 it is not, -1. */
static int meet(struct mbox_reader *r, size_t at, struct err *e)
{
	if (mbox_line_start(r, at))
		return mbox_judge(r, at, e);
	if (is_quoted(r, at))
		return unquote(r, at, e);
	if (mbox_nuls_before(r, at) == 2 || mbox_looks_glued(r, at))
		return mbox_judge(r, at, e);
	return 0;
}

/* Let what is at index at have all around it that it is judged by. */
static int look_closer(struct mbox_reader *r, size_t at, struct err *e)
{
	r->from = at;
	if (mbox_release(r, at > HOLD ? at - HOLD : 0, e) < 0)
		return -1;
	mbox_move_on(r);
	return 0;
}

int mbox_scan(struct mbox_reader *r, struct err *e)
{
	r->from = r->pos;
	for (;;) {
		size_t at = find(r);
		int got;

		if (at == r->end) {
			got = mbox_next_window(r, e);
			if (got <= 0)
				return got;
			continue;
		}
		if (r->end - at < r->look && (!r->eof || mbox_grow(r))) {
			/* mbox_grow may have moved the window. */
			if (look_closer(r, find(r), e) < 0)
				return -1;
			continue;
		}
		r->from = at + 5;
		got = mbox_says_from(r, at) ? meet(r, at, e) : 0;
		if (got)
			return got;
		if (r->stop)
			r->from = at;
		r->stop = 0; /* if there was one, the file has changed */
	}
}

int mbox_reader_next(struct mbox_reader *r, uint64_t *offset_r, struct err *e)
{
	enum reader_state was = r->state;

	if (was == AT_FAULT)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: reading it failed before", r->name);
	r->state = was == AT_START || was == AT_JUMP ? AT_FAULT : was;
	if (was == AT_START && mbox_start(r, e) < 0)
		return -1;
	if (was == AT_JUMP && mbox_arrive(r, e) < 0)
		return -1;
	*offset_r = r->base + r->pos;
	return r->state == AT_SEPARATOR;
}

const char *mbox_reader_peek(const struct mbox_reader *r, size_t *n_r)
{
	const char *text = r->window + r->pos, *end = r->window + r->end;
	int lines = r->headless ? 0 : 1 + (r->mmdf && r->separator.len);

	assert(r->state == AT_SEPARATOR);
	for (; lines && text < end; lines--) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));

		text = eol ? eol + 1 : end;
	}
	*n_r = (size_t)(end - text);
	return text;
}

void mbox_skip_line(struct mbox_reader *r)
{
	for (;;) {
		const char *eol =
			memchr(r->window + r->pos, '\n', r->end - r->pos);

		if (eol) {
			r->pos = (size_t)(eol - r->window) + 1;
			return;
		}
		r->pos = r->end;
		if (r->eof)
			return;
		mbox_move_on(r);
	}
}

static void skip_separator(struct mbox_reader *r)
{
	if (r->headless)
		return;
	mbox_skip_line(r);
	if (r->mmdf && r->separator.len)
		mbox_skip_line(r);
}

/* The last message of a file that somebody is writing to. */
static int still_written(struct mbox_reader *r, uint64_t begin, struct err *e)
{
	r->ended = begin;
	return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_LATER,
		       "%s: the message at byte %llu is still being written; "
		       "run it again",
		       r->name, (unsigned long long)begin);
}

static int read_message(struct mbox_reader *r, uint64_t *length_r,
			struct err *e)
{
	uint64_t begin = r->base + r->pos;
	int got;

	assert(r->state == AT_SEPARATOR);
	r->state = AT_FAULT;
	skip_separator(r);
	r->content = r->base + r->pos;
	r->refused = r->headless = false;
	mbox_begin_message(r);
	got = r->mmdf ? mbox_mmdf_scan(r, e) : mbox_scan(r, e);
	if (got < 0)
		return -1;
	r->ended = r->base + r->pos;
	*length_r = r->ended - begin;
	r->state = AT_END;
	if (got && !r->jumps && r->ended < r->limit)
		mbox_take_separator(r, false);
	if (!got && r->grown && r->window[r->end - 1] != '\n')
		return still_written(r, begin, e);
	if (!r->refused)
		return 0;
	*e = r->refusal;
	return -1;
}

int mbox_reader_load(struct mbox_reader *r, struct intake *in,
		     uint64_t *length_r, struct err *e)
{
	r->sink = SINK_INTAKE;
	r->in = in;
	return read_message(r, length_r, e);
}

int mbox_reader_skip(struct mbox_reader *r, uint64_t *length_r, struct err *e)
{
	r->sink = SINK_NOWHERE;
	return read_message(r, length_r, e);
}

int mbox_reader_pass(struct mbox_reader *r, uint64_t length, struct err *e)
{
	uint64_t begin = r->base + r->pos;

	assert(r->state == AT_SEPARATOR);
	r->state = AT_FAULT;
	if (length < 5 || length > INT64_MAX - begin)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: no message at byte %llu is %llu bytes long",
			       r->name, (unsigned long long)begin,
			       (unsigned long long)length);
	r->state = AT_JUMP;
	r->head = (struct mbox_head){ .len = 0 };
	r->headless = false;
	if (length <= r->end - r->pos)
		r->pos += (size_t)length;
	else
		mbox_jump(r, begin + length);
	return 0;
}

void mbox_reader_rewind(struct mbox_reader *r)
{
	mbox_jump(r, 0);
	r->state = AT_START;
	r->headless = r->jumps = r->grown = false;
	r->score = 0;
	r->bound = 0;
	r->junk = r->rejected = r->padding = 0;
}
