/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams an mbox through one window of bytes.

   R1  Every byte from the first separator on belongs to exactly one message:
       its separator line, its content, or the one blank line behind it. The
       lengths add up to the file.
   R2  The window never grows. What is looked at ahead of a decision fits into
       it; of longer lines and headers only what fits has a say.
   R3  pos is the first byte not given out, and up to WINDOW_BACK bytes before
       it stay in the window, so that looking back over a line end needs no
       memory. */
#include "importers/mbox_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/scan.h"
#include "importers/mbox_head.h"
#include "importers/mbox_private.h"
#include "importers/mbox_score.h"

enum {
	WINDOW = 320 << 10,
	WINDOW_BACK = 512,
	PEEK = 8 << 10,
	SEPARATOR_MAX = 1024,
	/* Not given out before it is known what follows: a '>' or a blank line,
	   and a "From " cut in two. */
	HOLD = 8,
};

enum state {
	AT_START,     /* nothing looked at yet */
	AT_SEPARATOR, /* pos is at a separator */
	AT_JUMP, /* pos is where a separator was when the ledger wrote it */
	AT_END,
	AT_FAULT, /* reading failed in the middle of a message */
};

struct mbox_reader {
	int fd;
	char *name;
	enum mbox_quoting quoting;
	bool bare_expected, git_expected;
	bool thunderbird; /* the writer is: it quotes, and writes no
			     Content-Length */
	bool cr_only;	  /* the whole file has CRs for line ends */
	uint64_t size;

	char *window;
	size_t size_of_window, look;
	size_t pos, end;
	size_t from;   /* searched up to here; >= pos but for what was held back
			*/
	uint64_t base; /* the file's offset of window[0] */
	bool eof;      /* window[end] is the file's end */
	bool run;      /* only '>' lie between a line's begin and window[0] */

	enum state state;
	int score;
	uint64_t content; /* the file's offset where a line begins for sure:
			     behind the separator line */
	struct mbox_head head;
	uint64_t stop; /* the next separator, as Content-Length has it and as
			  was seen there; 0 if unknown */
	/* The intake would not take the message at hand (no room for a
	   temporary file): the rest of it goes nowhere. */
	bool refused;
	struct err refusal;
	struct buf separator;
	uint64_t rejected, junk;
};

int mbox_reader_open_window(int fd, const char *name, enum mbox_quoting quoting,
			    bool thunderbird, size_t window, size_t look,
			    struct mbox_reader **r_r, struct err *e)
{
	struct mbox_reader *r;
	struct stat st;

	assert(look + MBOX_WINDOW_LEAST <= window);
	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s: %s",
			       name, strerror(errno));
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = mem_zalloc(sizeof(*r));
	r->fd = fd;
	r->name = mem_strdup(name);
	r->quoting = quoting;
	r->thunderbird = r->bare_expected = thunderbird;
	r->size = (uint64_t)st.st_size;
	r->window = mem_alloc(window);
	r->size_of_window = window;
	r->look = look;
	buf_init(&r->separator);
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
	buf_free(&r->separator);
	free(r->window);
	free(r->name);
	free(r);
}

const char *mbox_reader_separator(const struct mbox_reader *r)
{
	return r->separator.data;
}

bool mbox_reader_doubtful(const struct mbox_reader *r)
{
	return r->score < MBOX_SURE;
}

uint64_t mbox_reader_rejected(const struct mbox_reader *r)
{
	return r->rejected;
}

uint64_t mbox_reader_junk(const struct mbox_reader *r)
{
	return r->junk;
}

/* The window. */

static ssize_t read_at(struct mbox_reader *r, char *to, size_t n,
		       uint64_t offset, struct err *e)
{
	ssize_t got;

	do
		got = pread(r->fd, to, n, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: at byte %llu: %s", r->name,
			       (unsigned long long)offset, strerror(errno));
	return got;
}

static int fill(struct mbox_reader *r, struct err *e)
{
	while (!r->eof && r->end < r->size_of_window) {
		char *to = r->window + r->end;
		ssize_t got = read_at(r, to, r->size_of_window - r->end,
				      r->base + r->end, e);

		if (got < 0)
			return -1;
		if (got == 0)
			r->eof = true;
		for (ssize_t i = 0; r->cr_only && i < got; i++)
			to[i] = to[i] == '\r' ? '\n' : to[i];
		r->end += (size_t)got;
	}
	return 0;
}

static bool line_start(const struct mbox_reader *r, size_t at)
{
	return r->base + at == r->content || (at && r->window[at - 1] == '\n');
}

/* Whether only '>' lie between at and the begin of its line. */
static bool in_run(const struct mbox_reader *r, size_t at)
{
	while (at && !line_start(r, at) && r->window[at - 1] == '>')
		at--;
	return line_start(r, at) || (at == 0 && r->run);
}

/* Let go of what was given out, and read on. */
static int move_on(struct mbox_reader *r, struct err *e)
{
	size_t drop = r->pos > WINDOW_BACK ? r->pos - WINDOW_BACK : 0;

	if (drop) {
		r->run = in_run(r, drop);
		memmove(r->window, r->window + drop, r->end - drop);
		r->base += drop;
		r->pos -= drop;
		r->end -= drop;
		r->from = r->from > drop ? r->from - drop : 0;
	}
	return fill(r, e);
}

/* The length of the blank line in front of at, 0 if there is none. */
static size_t blank_before(const struct mbox_reader *r, size_t at)
{
	size_t start = at;

	if (!at || r->window[at - 1] != '\n' || r->base + at == r->content)
		return 0;
	start--;
	if (start && r->window[start - 1] == '\r' &&
	    r->base + start != r->content)
		start--;
	return line_start(r, start) ? at - start : 0;
}

static int hand_over(struct mbox_reader *r, const char *bytes, size_t n,
		     struct intake *in, struct err *e)
{
	if (r->refused || intake_add(in, bytes, n, e) == 0)
		return 0;
	if (e->scope > ERR_MESSAGE)
		return -1;
	r->refused = true;
	r->refusal = *e;
	return 0;
}

/* Give out what is before to: content to in, otherwise junk. */
static int give(struct mbox_reader *r, size_t to, struct intake *in,
		struct err *e)
{
	const char *bytes = r->window + r->pos;
	size_t n = to - r->pos;

	if (to <= r->pos)
		return 0;
	r->pos = to;
	if (in)
		return hand_over(r, bytes, n, in, e);
	for (size_t i = 0; i < n; i++)
		r->junk += !memchr(" \t\r\n", bytes[i], 4);
	return 0;
}

/* Judging. */

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

static int weigh(const struct mbox_reader *r, size_t at, bool first)
{
	size_t n = r->end - at;
	struct mbox_candidate c = {
		.text = r->window + at,
		.n = n < r->look ? n : r->look,
		.all = r->eof && n <= r->look,
		.first = first,
		.blank = blank_before(r, at) > 0,
		.bare_expected = r->bare_expected,
		.git_expected = r->git_expected,
		.boundary = r->head.boundary,
	};

	if (r->head.len && r->head.has_length) {
		uint64_t landing = r->content + r->head.len + r->head.length;

		c.landing = landing == r->base + at ||
			    landing + blank_before(r, at) == r->base + at;
	}
	if (r->head.boundary_len && !just_closed(r, at))
		c.boundary_len = r->head.boundary_len;
	return mbox_score(&c);
}

static bool says_from(const struct mbox_reader *r, size_t at)
{
	return r->end - at >= 5 && !memcmp(r->window + at, "From ", 5);
}

/* A separator of an old Thunderbird behind a last line that had no end. Which
   it is cannot be told from a quotation, so it is only counted. */
static bool looks_glued(const struct mbox_reader *r, size_t at)
{
	const char *line = r->window + at;
	size_t n = r->end - at < 80 ? r->end - at : 80;
	const char *eol;

	if (n < 8 || memcmp(line, "From - ", 7))
		return false;
	eol = memchr(line, '\n', n);
	if (!eol)
		return false;
	n = (size_t)(eol - line);
	if (line[n - 1] == '\r')
		n--;
	return mbox_shape(line, n) == MBOX_DATED &&
	       mbox_is_field(eol + 1, (size_t)(r->window + r->end - eol - 1));
}

/* Content-Length is to be believed when what it points at is a separator beyond
   doubt, or the end of the file. Then nothing in between is looked at: writers
   of mboxcl2 quote nothing. */
static int peek(struct mbox_reader *r, uint64_t landing, struct err *e)
{
	char text[PEEK];
	struct mbox_candidate c = { .text = text, .landing = true };
	ssize_t got;
	size_t blank;

	got = read_at(r, text, sizeof(text), landing, e);
	if (got < 0)
		return -1;
	c.n = (size_t)got;
	c.all = c.n < sizeof(text);
	blank = c.n && text[0] == '\n';
	if (c.n > 1 && text[0] == '\r' && text[1] == '\n')
		blank = 2;
	c.text += blank;
	c.n -= blank;
	c.blank = blank > 0;
	if ((c.n == 0 && c.all) || (c.n > 5 && !memcmp(c.text, "From ", 5) &&
				    mbox_score(&c) >= MBOX_SURE))
		r->stop = landing + blank;
	return 0;
}

static int begin_message(struct mbox_reader *r, struct err *e)
{
	uint64_t body;
	size_t n;

	r->stop = 0;
	if (r->end - r->pos < r->look && move_on(r, e) < 0)
		return -1;
	n = r->end - r->pos;
	mbox_head_read(&r->head, r->window + r->pos, n < r->look ? n : r->look);
	if (!r->head.len || !r->head.has_length || r->thunderbird || r->cr_only)
		return 0;
	body = r->content + r->head.len;
	if (body > r->size || r->head.length > r->size - body)
		return 0;
	return peek(r, body + r->head.length, e);
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
	       !says_from(r, at))
		at++;
	return at;
}

/* Nothing more in this window: 1 to search on, 0 at the end of the file. */
static int next_window(struct mbox_reader *r, struct intake *in, struct err *e)
{
	size_t last = r->end > HOLD ? r->end - HOLD : 0;

	if (r->eof) {
		last = r->end - blank_before(r, r->end);
		if (give(r, last, in, e) < 0)
			return -1;
		r->pos = r->end;
		return 0;
	}
	if (give(r, last, in, e) < 0)
		return -1;
	last = r->end > 4 ? r->end - 4 : 0;
	if (r->from < last)
		r->from = last;
	return move_on(r, e) < 0 ? -1 : 1;
}

/* "From " at the begin of a line: 1 it is a separator, 0 it is not. */
static int judge(struct mbox_reader *r, size_t at, struct intake *in,
		 struct err *e)
{
	int score = weigh(r, at, false);
	bool forced = r->stop == r->base + at;

	if (score < MBOX_ACCEPT && forced)
		score = MBOX_ACCEPT;
	/* In junk, anything may be quoted. */
	if (score < (in ? MBOX_ACCEPT : MBOX_SURE)) {
		r->rejected++;
		return 0;
	}
	if (give(r, at - blank_before(r, at), in, e) < 0)
		return -1;
	r->pos = at;
	r->score = score;
	return 1;
}

/* "From " at the begin of a line but for '>'s: undo one of them; which is all
   the same. */
static int unquote(struct mbox_reader *r, size_t at, struct intake *in,
		   struct err *e)
{
	if (!in || r->quoting != MBOX_QUOTING_RD)
		return 0;
	if (give(r, at - 1, in, e) < 0)
		return -1;
	r->pos = at;
	return 0;
}

static bool is_quoted(const struct mbox_reader *r, size_t at)
{
	return at > r->pos && r->window[at - 1] == '>' && in_run(r, at - 1);
}

/* Give out everything up to the next separator: 1, or 0 at the file's end. */
static int scan(struct mbox_reader *r, struct intake *in, struct err *e)
{
	r->from = r->pos;
	for (;;) {
		size_t at = find(r);
		int got;

		if (at == r->end) {
			got = next_window(r, in, e);
			if (got <= 0)
				return got;
			continue;
		}
		if (r->end - at < r->look && !r->eof) {
			r->from = at;
			if (give(r, at > HOLD ? at - HOLD : 0, in, e) < 0 ||
			    move_on(r, e) < 0)
				return -1;
			continue;
		}
		if (r->stop && !says_from(r, at)) {
			r->stop = 0; /* the file has changed */
			continue;
		}
		r->from = at + 5;
		if (line_start(r, at)) {
			got = judge(r, at, in, e);
			if (got)
				return got;
		} else if (is_quoted(r, at)) {
			if (unquote(r, at, in, e) < 0)
				return -1;
		} else if (looks_glued(r, at)) {
			r->rejected++;
		}
	}
}

/* The beginning of the file. */

/* Converting is for files of which every line end is a CR (classic Mac). */
static int look_for_cr_only(struct mbox_reader *r, struct err *e)
{
	char text[PEEK];
	uint64_t offset = r->end;
	ssize_t got;

	if (!memchr(r->window, '\r', r->end) || memchr(r->window, '\n', r->end))
		return 0;
	while ((got = read_at(r, text, sizeof(text), offset, e)) > 0) {
		if (memchr(text, '\n', (size_t)got))
			return 0;
		offset += (uint64_t)got;
	}
	if (got < 0)
		return -1;
	r->cr_only = true;
	for (size_t i = 0; i < r->end; i++)
		if (r->window[i] == '\r')
			r->window[i] = '\n';
	return 0;
}

/* Pass over what may stand in front of the first separator: a byte order mark,
   empty lines, NULs that a file system check left (those count as junk). */
static int skip_blanks(struct mbox_reader *r, struct err *e)
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
			return 0;
		if (move_on(r, e) < 0)
			return -1;
	}
}

/* Keep the separator's text; the first one also tells the writer's habits. */
static void take_separator(struct mbox_reader *r, bool first)
{
	const char *line = r->window + r->pos, *eol;
	size_t n = r->end - r->pos;

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
	if (!first)
		return;
	r->git_expected = mbox_shape(line, n) == MBOX_GIT;
	if (mbox_is_thunderbird(line, n))
		r->thunderbird = r->bare_expected = true;
}

static int start(struct mbox_reader *r, struct err *e)
{
	if (fill(r, e) < 0 || look_for_cr_only(r, e) < 0 ||
	    skip_blanks(r, e) < 0)
		return -1;
	r->from = r->pos;
	if (r->end - r->pos < r->look && move_on(r, e) < 0)
		return -1;
	r->content = r->base + r->pos;
	if (says_from(r, r->pos))
		r->score = weigh(r, r->pos, true);
	if (r->score < MBOX_ACCEPT && scan(r, NULL, e) < 0)
		return -1;
	if (r->pos < r->end) {
		take_separator(r, true);
		return 0;
	}
	r->state = AT_END;
	if (!r->junk)
		return 0;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
		       "not an mbox: %s: it has no \"From \" line in front of "
		       "a header",
		       r->name);
}

/* Arrive where the ledger says that a message ends. */
static int arrive(struct mbox_reader *r, struct err *e)
{
	if (r->end < r->pos + r->look && move_on(r, e) < 0)
		return -1;
	if (r->pos == r->end && r->eof) {
		r->state = AT_END;
		return 0;
	}
	if (r->end < r->pos || !says_from(r, r->pos) || !line_start(r, r->pos))
		return err_set(
			e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			"%s: no message begins at byte %llu any more; the "
			"file has been changed",
			r->name, (unsigned long long)(r->base + r->pos));
	r->score = weigh(r, r->pos, false);
	take_separator(r, false);
	return 0;
}

int mbox_reader_next(struct mbox_reader *r, uint64_t *offset_r, struct err *e)
{
	enum state was = r->state;

	if (was == AT_FAULT)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: reading it failed before", r->name);
	r->state = was == AT_START || was == AT_JUMP ? AT_FAULT : was;
	if (was == AT_START && start(r, e) < 0)
		return -1;
	if (was == AT_JUMP && arrive(r, e) < 0)
		return -1;
	*offset_r = r->base + r->pos;
	return r->state == AT_SEPARATOR;
}

static int skip_line(struct mbox_reader *r, struct err *e)
{
	for (;;) {
		const char *eol =
			memchr(r->window + r->pos, '\n', r->end - r->pos);

		if (eol) {
			r->pos = (size_t)(eol - r->window) + 1;
			return 0;
		}
		r->pos = r->end;
		if (r->eof)
			return 0;
		if (move_on(r, e) < 0)
			return -1;
	}
}

int mbox_reader_load(struct mbox_reader *r, struct intake *in,
		     uint64_t *length_r, struct err *e)
{
	uint64_t begin = r->base + r->pos;
	int got;

	assert(r->state == AT_SEPARATOR);
	r->state = AT_FAULT;
	if (skip_line(r, e) < 0)
		return -1;
	r->content = r->base + r->pos;
	r->refused = false;
	if (begin_message(r, e) < 0)
		return -1;
	got = scan(r, in, e);
	if (got < 0)
		return -1;
	*length_r = r->base + r->pos - begin;
	r->state = AT_END;
	if (got)
		take_separator(r, false);
	if (!r->refused)
		return 0;
	*e = r->refusal;
	return -1;
}

int mbox_reader_pass(struct mbox_reader *r, uint64_t length, struct err *e)
{
	uint64_t begin = r->base + r->pos, ahead;

	assert(r->state == AT_SEPARATOR);
	r->state = AT_FAULT;
	if (length < 5 || length > INT64_MAX - begin)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: no message at byte %llu is %llu bytes long",
			       r->name, (unsigned long long)begin,
			       (unsigned long long)length);
	r->state = AT_JUMP;
	r->head = (struct mbox_head){ .len = 0 };
	ahead = r->end - r->pos;
	if (length <= ahead) {
		r->pos += (size_t)length;
		return 0;
	}
	/* Enough in front of it to see a blank line. */
	r->base = begin + length - 4;
	r->pos = 4;
	r->end = r->from = 0;
	r->eof = r->run = false;
	return 0;
}
