/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weighs what speaks for and against a separator line of an mbox. */
#include "importers/mbox_score.h"

#include <string.h>

#include "core/base/ascii.h"

/* The whole judgement. A separator of an honest writer has a blank line in
   front, ends in a date and is followed by header fields: 13. What must not get
   to MBOX_ACCEPT is prose, with a blank line in front or not. */
enum weight {
	/* The file begins with it. */
	W_FIRST = 2,
	/* As every mbox has it but pipermail's, and what old Thunderbirds
	   appended to a file without a final line end. The file's begin is like
	   one. */
	W_BLANK = 2,
	/* Weekday, month and time at the end of the line: prose hardly ever. */
	W_DATED = 6,
	/* A date of another kind, or with text behind it. */
	W_SOME_DATE = 2,
	/* "From the office ...": not what a program writes. */
	W_WORDS = -2,
	/* Nothing on the line says anything, unless the writer's habit does. */
	W_BARE = -1,
	W_BARE_EXPECTED = 1,
	/* Two header fields follow. */
	W_TWO_FIELDS = 4,
	/* One field that is the whole header. */
	W_WHOLE_HEADER = 3,
	/* One field and then text: "Note: ..." is prose, too. */
	W_ONE_FIELD = 1,
	/* The first field is one that mail has. */
	W_KNOWN_FIELD = 1,
	/* Text follows. */
	W_TEXT = -3,
	/* The file ends here, or in what may yet become a field: cut off. */
	W_END = 4,
	/* Another separator follows at once: an empty message. This and W_END
	   count only for lines that are dated or bare. */
	W_EMPTY_MESSAGE = 2,
	/* The Content-Length of the message before says so. Senders can write
	   that field, so alone it does not suffice against text. */
	W_LANDING = 4,
	/* The next boundary line is one of the message before, whose multipart
	   goes on behind this line: a patch or a mail attached as text. */
	W_INSIDE_MIME = -12,
	/* git's fixed date in a file that is not git's: a patch in the text. No
	   mail system writes that envelope. */
	W_GIT_PATCH = -10,
	/* "From : somebody" is a field of a header. */
	W_FIELD_ITSELF = -20,
};

/* How far the next boundary line is looked for: what is looked at twice must
   stay little, whatever somebody makes up. */
enum { MIME_LOOK = 16 << 10 };

struct slice {
	const char *s;
	size_t n;
};

static bool one_of(struct slice word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_same(word.s, word.n, list[i]))
			return true;
	return false;
}

static size_t digits(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && ascii_is_digit(s[n]))
		n++;
	return n;
}

/* What a word can be in a date; a set, since "May" or "12" are not sure. */
enum {
	PART_WEEKDAY = 1 << 0,
	PART_MONTH = 1 << 1,
	PART_TIME = 1 << 2,
	PART_YEAR = 1 << 3,
	PART_SLASHES = 1 << 4, /* 10/13/95: Netscape 2 */
	PART_OTHER = 1 << 5,   /* day, zone, comment: no evidence by itself */
};

/* 1:23, 01:23:45, and three numbers divided by '/': groups of digits. */
static bool digit_groups(struct slice word, char divider, int least, int most)
{
	const char *s = word.s, *end = word.s + word.n;
	int groups = 0;

	for (;;) {
		size_t n = digits(s, end);

		if (n < 1 || n > 4 || ++groups > most)
			return false;
		s += n;
		if (s == end)
			return groups >= least;
		if (*s++ != divider)
			return false;
	}
}

static unsigned number_part(struct slice word)
{
	if (digits(word.s, word.s + word.n) != word.n)
		return 0;
	if (word.n == 4 && (word.s[0] == '1' || word.s[0] == '2'))
		return PART_YEAR;
	return word.n <= 3 ? PART_OTHER : 0;
}

/* EST, GMT+0900, +0900, (JST), AM. */
static bool zone_part(struct slice word)
{
	const char *s = word.s, *end = s + word.n;
	size_t letters = 0, n;

	if (word.n > 2 && *s == '(' && end[-1] == ')')
		return true;
	while (s < end && *s >= 'A' && *s <= 'Z') {
		letters++;
		s++;
	}
	if (letters > 5)
		return false;
	if (s == end)
		return letters > 0;
	if (*s != '+' && *s != '-')
		return false;
	n = digits(++s, end);
	return n >= 1 && n <= 4 && s + n == end;
}

static unsigned date_part(struct slice word)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu",
					    "Fri", "Sat", "Sun" };
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec", "???",
	};

	if (word.n > 1 && word.s[word.n - 1] == ',')
		word.n--;
	if (word.n == 3 && one_of(word, days, 7))
		return PART_WEEKDAY;
	if (word.n == 3 && one_of(word, months, 13))
		return PART_MONTH;
	if (digit_groups(word, ':', 2, 3))
		return PART_TIME;
	if (digit_groups(word, '/', 3, 3))
		return PART_SLASHES;
	if (zone_part(word))
		return PART_OTHER;
	return number_part(word);
}

static bool next_word(const char **s, const char *end, struct slice *word)
{
	while (*s < end && (**s == ' ' || **s == '\t'))
		++*s;
	word->s = *s;
	while (*s < end && **s != ' ' && **s != '\t')
		++*s;
	word->n = (size_t)(*s - word->s);
	return word->n > 0;
}

static bool is_date(unsigned parts)
{
	if (!(parts & PART_TIME))
		return false;
	return (parts & PART_SLASHES) ||
	       ((parts & PART_MONTH) && (parts & (PART_WEEKDAY | PART_YEAR)));
}

static bool is_some_date(unsigned parts)
{
	return (parts & (PART_TIME | PART_SLASHES)) ||
	       ((parts & PART_MONTH) && (parts & (PART_WEEKDAY | PART_YEAR)));
}

static bool is_git(const char *s, const char *end)
{
	static const char date[] = " Mon Sep 17 00:00:00 2001";
	size_t n = 0;

	while (s + n < end &&
	       (ascii_is_digit(s[n]) || (s[n] >= 'a' && s[n] <= 'f')))
		n++;
	return (n == 40 || n == 64) &&
	       (size_t)(end - s) == n + sizeof(date) - 1 &&
	       !memcmp(s + n, date, sizeof(date) - 1);
}

enum mbox_shape mbox_shape(const char *line, size_t n)
{
	const char *s = line + strlen("From "), *end = line + n;
	unsigned tail = 0, ever = 0, words = 0;
	struct slice word;

	if (is_git(s, end))
		return MBOX_GIT;
	/* The date is the last run of words that can be parts of one: senders
	   may have blanks in them. "remote from HOST" is UUCP's. */
	while (next_word(&s, end, &word)) {
		unsigned part = date_part(word);

		if (is_date(tail) && word.n == 6 &&
		    !memcmp(word.s, "remote", 6))
			break;
		tail = part ? tail | part : 0;
		ever |= part;
		if (words || word.n != 1 || *word.s != '-')
			words++;
	}
	if (is_date(tail))
		return MBOX_DATED;
	if (is_some_date(ever))
		return MBOX_SOME_DATE;
	return words == 0 ? MBOX_BARE : words == 1 ? MBOX_NAME : MBOX_WORDS;
}

bool mbox_is_thunderbird(const char *line, size_t n)
{
	if (mbox_shape(line, n) == MBOX_BARE)
		return true;
	return n > 7 && !memcmp(line, "From - ", 7);
}

bool mbox_is_field(const char *line, size_t n)
{
	size_t i = 0;

	while (i < n && line[i] > ' ' && line[i] < 0x7F && line[i] != ':')
		i++;
	if (i == 0)
		return false;
	while (i < n && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (i == n || line[i] != ':')
		return false;
	return n - i < 3 || line[i + 1] != '/' || line[i + 2] != '/';
}

/* The lines of what is there to look at. */
enum line_kind {
	LINE_NONE, /* the end, or a field's name cut off */
	LINE_EMPTY,
	LINE_FIELD,
	LINE_FOLD,
	LINE_FROM, /* a machine's separator */
	LINE_TEXT,
};

struct lines {
	const char *s, *end;
	bool all; /* the file ends at end */
};

static enum line_kind classify(const char *line, size_t n, bool cut)
{
	enum mbox_shape shape;

	if (n == 0)
		return LINE_EMPTY;
	if (mbox_is_field(line, n))
		return LINE_FIELD;
	if (*line == ' ' || *line == '\t')
		return LINE_FOLD;
	if (n >= 5 && !memcmp(line, "From ", 5)) {
		shape = mbox_shape(line, n);
		return shape == MBOX_DATED || shape == MBOX_BARE ? LINE_FROM
								 : LINE_TEXT;
	}
	/* May have been going to be a field. */
	if (cut && !memchr(line, ' ', n))
		return LINE_NONE;
	return LINE_TEXT;
}

static enum line_kind next_line(struct lines *l)
{
	const char *line = l->s, *eol;
	size_t n;

	if (line == l->end)
		return LINE_NONE;
	eol = memchr(line, '\n', (size_t)(l->end - line));
	l->s = eol ? eol + 1 : l->end;
	n = (size_t)((eol ? eol : l->end) - line);
	if (n && line[n - 1] == '\r')
		n--;
	return classify(line, n, !eol);
}

static enum line_kind next_unfolded(struct lines *l)
{
	enum line_kind kind;

	do
		kind = next_line(l);
	while (kind == LINE_FOLD);
	return kind;
}

static bool is_known_field(const char *line)
{
	static const char *const known[] = {
		"Bcc",
		"Cc",
		"Content-Type",
		"Date",
		"Delivered-To",
		"From",
		"Message-ID",
		"MIME-Version",
		"Received",
		"References",
		"Reply-To",
		"Return-Path",
		"Status",
		"Subject",
		"To",
		"X-Account-Key",
		"X-Mozilla-Status",
		"X-UIDL",
	};
	struct slice name = { .s = line, .n = strcspn(line, ": \t") };

	return one_of(name, known, sizeof(known) / sizeof(known[0]));
}

/* One field is there: is it a header's begin? */
static int weigh_fields(struct lines *l, const char *first)
{
	int weight = is_known_field(first) ? W_KNOWN_FIELD : 0;

	switch (next_unfolded(l)) {
	case LINE_FIELD:
		return weight + W_TWO_FIELDS;
	case LINE_TEXT:
		return weight + W_ONE_FIELD;
	default:
		return weight + W_WHOLE_HEADER;
	}
}

/* machine_made: the separator itself is of a kind that only programs write. */
static int weigh_next(struct lines *l, bool machine_made)
{
	const char *line = l->s;

	switch (next_line(l)) {
	case LINE_FIELD:
		return weigh_fields(l, line);
	case LINE_NONE:
		return machine_made && l->all ? W_END : 0;
	case LINE_FROM:
		return machine_made ? W_EMPTY_MESSAGE : W_TEXT;
	case LINE_EMPTY:
		if (machine_made && next_line(l) == LINE_FROM)
			return W_EMPTY_MESSAGE;
		return 0;
	default:
		return W_TEXT;
	}
}

/* UUCP's trace below the separator: ">From user date remote from host". */
static void skip_uucp(struct lines *l)
{
	const char *eol;

	while ((size_t)(l->end - l->s) > 6 && !memcmp(l->s, ">From ", 6)) {
		eol = memchr(l->s, '\n', (size_t)(l->end - l->s));
		l->s = eol ? eol + 1 : l->end;
	}
}

static int weigh_shape(const struct mbox_candidate *c, enum mbox_shape shape)
{
	switch (shape) {
	case MBOX_BARE:
		return c->bare_expected ? W_BARE_EXPECTED : W_BARE;
	case MBOX_NAME:
		return 0;
	case MBOX_WORDS:
		return W_WORDS;
	case MBOX_SOME_DATE:
		return W_SOME_DATE;
	case MBOX_DATED:
		return W_DATED;
	case MBOX_GIT:
		break;
	}
	return c->first || c->git_expected ? W_DATED : W_DATED + W_GIT_PATCH;
}

/* Whether the first place where the boundary is named is a boundary line. A
   copy of the message before names it in its header first. */
static bool inside_mime(const struct mbox_candidate *c)
{
	size_t n = c->n < MIME_LOOK ? c->n : MIME_LOOK;
	const char *at, *end = c->text + n;

	if (!c->boundary_len)
		return false;
	at = memmem(c->text, n, c->boundary, c->boundary_len);
	if (!at || at - c->text < 3 || memcmp(at - 3, "\n--", 3))
		return false;
	at += c->boundary_len;
	return at == end || memchr("\r\n\t -", *at, 5);
}

int mbox_score(const struct mbox_candidate *c)
{
	const char *end = c->text + c->n;
	const char *eol = memchr(c->text, '\n', c->n);
	struct lines l = { .s = eol ? eol + 1 : end,
			   .end = end,
			   .all = c->all };
	size_t n = (size_t)((eol ? eol : end) - c->text);
	enum mbox_shape shape;
	int score;

	if (n && c->text[n - 1] == '\r')
		n--;
	shape = mbox_shape(c->text, n);
	skip_uucp(&l);
	score = weigh_shape(c, shape) +
		weigh_next(&l, shape == MBOX_DATED || shape == MBOX_BARE);
	score += c->first ? W_FIRST : 0;
	score += c->blank || c->first ? W_BLANK : 0;
	score += c->landing ? W_LANDING : 0;
	if (mbox_is_field(c->text, n))
		score += W_FIELD_ITSELF;
	if (score >= MBOX_ACCEPT && inside_mime(c))
		score += W_INSIDE_MIME;
	return score;
}
