/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where reading begins: at the file's beginning, where somebody wrote down that a
   message begins, and at what was the file's end. */
#include <assert.h>
#include <string.h>

#include "importers/mbox_private.h"
#include "importers/mbox_score.h"

/* Converting is for files of which every line end is a CR (classic Mac). */
static void look_for_cr_only(struct mbox_reader *r)
{
	char text[16 << 10];
	uint64_t offset = r->end;
	ssize_t got;

	if (!memchr(r->window, '\r', r->end) || memchr(r->window, '\n', r->end))
		return;
	while ((got = mbox_bytes_peek(r->bytes, text, sizeof(text), offset)) >
	       0) {
		if (memchr(text, '\n', (size_t)got))
			return;
		offset += (uint64_t)got;
	}
	if (got < 0)
		return;
	r->cr_only = true;
	for (size_t i = 0; i < r->end; i++)
		if (r->window[i] == '\r')
			r->window[i] = '\n';
}

/* Pass over what may stand in front of the first separator: a byte order mark,
   empty lines, NULs that a file system check left (those count as junk). */
static void skip_blanks(struct mbox_reader *r)
{
	if (r->end >= 3 && !memcmp(r->window, "\xEF\xBB\xBF", 3))
		r->pos = 3;
	for (;;) {
		while (r->pos < r->end &&
		       memchr("\r\n", r->window[r->pos], 3)) {
			r->junk += r->window[r->pos] == '\0';
			r->pos++;
		}
		if (r->pos < r->end || r->eof)
			return;
		mbox_move_on(r);
	}
}

/* The separator line of the message at pos, and where it is. */
static const char *separator_line(struct mbox_reader *r, size_t *n_r)
{
	const char *line = r->window + r->pos, *end = r->window + r->end, *eol;

	if (r->mmdf) { /* below the marker */
		eol = memchr(line, '\n', (size_t)(end - line));
		line = eol ? eol + 1 : end;
		if (end - line < 5 || memcmp(line, "From ", 5) != 0)
			end = line;
	}
	if (r->headless)
		end = line;
	*n_r = (size_t)(end - line);
	return line;
}

void mbox_take_separator(struct mbox_reader *r, bool first)
{
	size_t n;
	const char *line = separator_line(r, &n), *eol;

	if (n > SEPARATOR_MAX)
		n = SEPARATOR_MAX;
	eol = memchr(line, '\n', n);
	if (eol)
		n = (size_t)(eol - line);
	if (n && line[n - 1] == '\r')
		n--;
	buf_reset(&r->separator);
	buf_add(&r->separator, line, n);
	for (size_t i = 0; i < n; i++)
		if (!r->separator.data[i])
			r->separator.data[i] = '?';
	r->state = AT_SEPARATOR;
	if (mbox_weak(r) && !r->mmdf)
		mbox_tell_doubt(r, r->pos, true);
	if (!first || n < 5)
		return;
	r->git_expected = mbox_shape(line, n) == MBOX_GIT;
	if (mbox_is_thunderbird(line, n))
		r->thunderbird = r->bare_expected = true;
}

/* The first message has lost its separator line: the file begins with a header,
   and further on there is a separator beyond doubt. Go back to it. */
static void begin_headless(struct mbox_reader *r, uint64_t begin)
{
	mbox_jump(r, begin);
	mbox_fill(r);
	r->content = begin;
	r->headless = true;
	r->score = 0;
	r->reasons = MBOX_HEADLESS;
	r->junk = r->rejected = r->padding = 0;
}

static int start_mbox(struct mbox_reader *r, struct err *e)
{
	void (*doubt)(void *, const struct split_doubt *) = r->doubt;
	uint64_t begin = r->base + r->pos, junk = r->junk;
	bool headless;
	int got;

	if (mbox_says_from(r, r->pos))
		mbox_weigh(r, r->pos, true);
	if (r->score >= MBOX_ACCEPT)
		return 1;
	headless = mbox_is_header(r->window + r->pos, r->end - r->pos);
	if (headless)
		r->doubt = NULL; /* they are met again */
	r->sink = SINK_JUNK;
	got = mbox_scan(r, e);
	r->doubt = doubt;
	if (got > 0 && headless) {
		begin_headless(r, begin);
		r->junk = junk;
	}
	return got;
}

int mbox_start(struct mbox_reader *r, struct err *e)
{
	int got;

	mbox_fill(r);
	look_for_cr_only(r);
	skip_blanks(r);
	r->from = r->pos;
	if (r->end - r->pos < r->look)
		mbox_move_on(r);
	r->content = r->base + r->pos;
	r->ended = r->content;
	r->mmdf = mbox_is_mmdf(r->window + r->pos, r->end - r->pos);
	if (r->mmdf)
		got = r->end > r->pos ? mbox_mmdf_scan(r, e) : 0;
	else
		got = r->pos < r->end ? start_mbox(r, e) : 0;
	if (got < 0 || (!got && r->damaged)) {
		if (got == 0)
			*e = r->damage;
		return -1;
	}
	r->first = r->base + r->pos;
	r->first_headless = r->headless;
	if (got && r->first < r->limit) {
		mbox_take_separator(r, true);
		return 0;
	}
	r->state = AT_END;
	r->ended = r->base + r->pos;
	if (!r->junk || got)
		return 0;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
		       "not an mbox: %s: it has no \"From \" line in front of "
		       "a header",
		       r->name);
}

static bool is_there(struct mbox_reader *r)
{
	const char *text = r->window + r->pos;

	if (r->end < r->pos)
		return false;
	if (r->headless)
		return true;
	if (r->mmdf)
		return mbox_is_mmdf(text, r->end - r->pos);
	return mbox_says_from(r, r->pos) &&
	       (mbox_line_start(r, r->pos) || mbox_nuls_before(r, r->pos) > 0 ||
		mbox_looks_glued(r, r->pos));
}

int mbox_arrive(struct mbox_reader *r, struct err *e)
{
	if (r->end < r->pos + r->look)
		mbox_move_on(r);
	if (r->pos == r->end && r->damaged) {
		*e = r->damage;
		return -1;
	}
	if (r->pos == r->end && r->eof) {
		r->state = AT_END;
		r->ended = r->base + r->pos;
		return 0;
	}
	if (!is_there(r))
		return err_set(
			e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			"%s: no message begins at byte %llu any more; the "
			"file has been changed",
			r->name, (unsigned long long)(r->base + r->pos));
	if (r->headless) {
		r->score = 0;
		r->reasons = MBOX_HEADLESS;
	} else if (!r->mmdf) {
		mbox_weigh(r, r->pos, r->base + r->pos == r->first);
	}
	mbox_take_separator(r, false);
	return 0;
}

bool mbox_grow(struct mbox_reader *r)
{
	if (!r->eof || r->damaged || !mbox_bytes_grow(r->bytes))
		return false;
	r->grown = true;
	r->eof = false;
	mbox_move_on(r);
	return true;
}

bool mbox_reader_stood_still(const struct mbox_reader *r)
{
	struct stat now;

	if (fstat(r->fd, &now) < 0)
		return false;
	if (now.st_size == r->st.st_size)
		return now.st_mtim.tv_sec == r->st.st_mtim.tv_sec &&
		       now.st_mtim.tv_nsec == r->st.st_mtim.tv_nsec;
	return now.st_size > r->st.st_size && r->has_mark &&
	       mbox_mark_holds(&r->mark, r->fd);
}

/* Bookmarks. */

bool mbox_reader_bookmark(const struct mbox_reader *r, struct buf *out)
{
	struct mbox_mark m;

	/* In a CR-only file every other line end would change everything. */
	if (r->state != AT_END || r->cr_only || !r->ended ||
	    mbox_bytes_packed(r->bytes) || !mbox_mark_make(r->fd, r->ended, &m))
		return false;
	mbox_mark_add(out, &m);
	return true;
}

int mbox_reader_seek(struct mbox_reader *r, uint64_t offset, uint64_t length,
		     struct err *e)
{
	if (r->state == AT_START) {
		r->state = AT_FAULT;
		if (mbox_start(r, e) < 0)
			return -1;
	}
	if (offset - r->base <= r->end && offset >= r->base &&
	    (offset - r->base >= 4 || !r->base))
		r->pos = (size_t)(offset - r->base);
	else
		mbox_jump(r, offset);
	r->head = (struct mbox_head){ .len = 0 };
	r->held.nuls = 0;
	r->headless = offset == r->first && r->first_headless;
	r->jumps = true;
	r->bound = length ? offset + length : 0;
	r->stop = 0;
	r->content = offset == r->first ? offset : UINT64_MAX;
	r->state = AT_JUMP;
	return 0;
}

/* What begins at the old end: blank lines and a separator. A message that was
   not whole then goes on there. */
static bool goes_on(const struct mbox_reader *r, uint64_t *offset)
{
	char text[64];
	ssize_t n = mbox_bytes_peek(r->bytes, text, sizeof(text), *offset);
	size_t at = 0;

	while (n > 0 && at < (size_t)n && memchr("\r\n", text[at], 3))
		at++;
	*offset += at;
	return n >= 0 && at + 5 <= (size_t)n &&
	       (!memcmp(text + at, "From ", 5) ||
		(r->mmdf && mbox_is_mmdf(text + at, (size_t)n - at)));
}

int mbox_reader_resume(struct mbox_reader *r, const char *bookmark)
{
	struct mbox_mark m;
	struct err ignored;
	uint64_t offset;

	assert(r->state == AT_START);
	if (!mbox_mark_read(bookmark, &m) || mbox_bytes_packed(r->bytes) ||
	    m.end >= mbox_bytes_size(r->bytes) || !mbox_mark_holds(&m, r->fd))
		return 0;
	r->state = AT_FAULT;
	if (mbox_start(r, &ignored) < 0)
		goto again;
	offset = m.end;
	if (r->cr_only || !goes_on(r, &offset) ||
	    mbox_reader_seek(r, offset, 0, &ignored) < 0)
		goto again;
	r->jumps = false;
	r->content = offset;
	if (mbox_arrive(r, &ignored) < 0 || r->state != AT_SEPARATOR ||
	    (r->score < MBOX_ACCEPT && !r->mmdf))
		goto again;
	r->junk = r->rejected = r->padding = 0;
	return 1;
again:
	mbox_reader_rewind(r);
	return 0;
}
