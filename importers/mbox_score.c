/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weighs what speaks for and against a separator line of an mbox. */
#include "importers/mbox_score.h"

#include <string.h>

#include "core/base/ascii.h"

/* The whole judgement. A separator of an honest writer has a blank line in
   front, ends in a date and is followed by header fields: 13. What must not get
   to MBOX_ACCEPT is prose, with a blank line in front or not. */
enum reason {
	/* The file begins with it. */
	R_FIRST,
	/* As every mbox has it but pipermail's, and what old Thunderbirds
	   appended to a file without a final line end. The file's begin is like
	   one. */
	R_BLANK,
	/* Weekday, month and time at the end of the line: prose hardly ever. */
	R_DATED,
	/* A date of another kind, or with text behind it. */
	R_SOME_DATE,
	/* "From the office ...": not what a program writes. */
	R_WORDS,
	/* Nothing on the line says anything, unless the writer's habit does. */
	R_BARE,
	R_BARE_EXPECTED,
	R_TWO_FIELDS,
	/* One field that is the whole header. */
	R_WHOLE_HEADER,
	/* One field and then text: "Note: ..." is prose, too. */
	R_ONE_FIELD,
	/* The first field is one that mail has. */
	R_KNOWN_FIELD,
	R_TEXT,
	/* The file ends here, or in what may yet become a field: cut off. */
	R_END,
	/* Another separator follows at once: an empty message. This and R_END
	   count only for lines that are dated or bare. */
	R_EMPTY_MESSAGE,
	/* The Content-Length of the message before says so. Senders can write
	   that field, so alone it does not suffice against text. */
	R_LANDING,
	/* The next boundary line is one of the message before, whose multipart
	   goes on behind this line: a patch or a mail attached as text. */
	R_INSIDE_MIME,
	/* git's fixed date in a file that is not git's: a patch in the text. No
	   mail system writes that envelope. */
	R_GIT_PATCH,
	/* "From : somebody" is a field of a header. */
	R_FIELD_ITSELF,
	/* What a crash leaves of a file that was growing (NTFS, XFS); then mail
	   was appended. Neither for nor against. */
	R_NULS,
	/* An appender did not look whether the file ended in a line end
	   (Thunderbird before 136): only a date, two fields and one that mail
	   has outweigh this. */
	R_GLUED,
};

static const struct {
	int weight;
	const char *text;
} reasons[] = {
	[R_FIRST] = { 2, "the file begins with it" },
	[R_BLANK] = { 2, "blank line before" },
	[R_DATED] = { 6, "date at the line's end" },
	[R_SOME_DATE] = { 2, "something like a date" },
	[R_WORDS] = { -2, "several words, no date" },
	[R_BARE] = { -1, "nothing but From" },
	[R_BARE_EXPECTED] = { 1, "nothing but From, as this writer has it" },
	[R_TWO_FIELDS] = { 4, "two header lines behind" },
	[R_WHOLE_HEADER] = { 3, "one header line behind, then an empty one" },
	[R_ONE_FIELD] = { 1, "one line like a header line behind" },
	[R_KNOWN_FIELD] = { 1, "a header line that mail has" },
	[R_TEXT] = { -3, "next line is no header" },
	[R_END] = { 4, "the file ends behind it" },
	[R_EMPTY_MESSAGE] = { 2, "another separator at once" },
	[R_LANDING] = { 4, "Content-Length of the message before" },
	[R_INSIDE_MIME] = { -12, "inside of an open MIME part" },
	[R_GIT_PATCH] = { -10, "a patch's first line" },
	[R_FIELD_ITSELF] = { -20, "is a header line itself" },
	[R_NULS] = { 0, "NULs before" },
	[R_GLUED] = { -7, "text before on the same line" },
};

struct tally {
	int score;
	unsigned reasons;
};

static void count(struct tally *t, enum reason why)
{
	t->score += reasons[why].weight;
	t->reasons |= 1u << why;
}

void mbox_reasons_add(struct buf *out, unsigned set)
{
	const char *divider = "";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (set & (1u << i)) {
			buf_addf(out, "%s%+d %s", divider, reasons[i].weight,
				 reasons[i].text);
			divider = ", ";
		}
	if (set & MBOX_HEADLESS)
		buf_add_str(out, "no separator line, but a header");
}

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
	if (n < 5)
		return false;
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

/* n: as much as there is behind it, too. */
static bool is_known_field(const char *line, size_t n)
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
	struct slice name = { .s = line };

	while (name.n < n && !memchr(": \t", line[name.n], 3))
		name.n++;
	return one_of(name, known, sizeof(known) / sizeof(known[0]));
}

/* One field is there: is it a header's begin? */
static void weigh_fields(struct tally *t, struct lines *l, const char *first)
{
	if (is_known_field(first, (size_t)(l->end - first)))
		count(t, R_KNOWN_FIELD);
	switch (next_unfolded(l)) {
	case LINE_FIELD:
		count(t, R_TWO_FIELDS);
		break;
	case LINE_TEXT:
		count(t, R_ONE_FIELD);
		break;
	default:
		count(t, R_WHOLE_HEADER);
	}
}

/* machine_made: the separator itself is of a kind that only programs write. */
static void weigh_next(struct tally *t, struct lines *l, bool machine_made)
{
	const char *line = l->s;

	switch (next_line(l)) {
	case LINE_FIELD:
		weigh_fields(t, l, line);
		break;
	case LINE_NONE:
		if (machine_made && l->all)
			count(t, R_END);
		break;
	case LINE_FROM:
		count(t, machine_made ? R_EMPTY_MESSAGE : R_TEXT);
		break;
	case LINE_EMPTY:
		if (machine_made && next_line(l) == LINE_FROM)
			count(t, R_EMPTY_MESSAGE);
		break;
	default:
		count(t, R_TEXT);
	}
}

bool mbox_is_header(const char *text, size_t n)
{
	struct lines l = { .s = text, .end = text + n };

	return next_line(&l) == LINE_FIELD && is_known_field(text, n) &&
	       next_unfolded(&l) == LINE_FIELD;
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

static void weigh_shape(struct tally *t, const struct mbox_candidate *c,
			enum mbox_shape shape)
{
	switch (shape) {
	case MBOX_BARE:
		count(t, c->bare_expected ? R_BARE_EXPECTED : R_BARE);
		break;
	case MBOX_NAME:
		break;
	case MBOX_WORDS:
		count(t, R_WORDS);
		break;
	case MBOX_SOME_DATE:
		count(t, R_SOME_DATE);
		break;
	case MBOX_GIT:
		if (!c->first && !c->git_expected)
			count(t, R_GIT_PATCH);
		/* fall through */
	case MBOX_DATED:
		count(t, R_DATED);
		break;
	}
}

int mbox_inside_mime(const char *text, size_t n, const char *boundary,
		     size_t boundary_len)
{
	const char *at = memmem(text, n, boundary, boundary_len);
	const char *end = text + n;

	if (!at)
		return -1;
	/* A copy of the message before names it in its header first. */
	if (at - text < 3 || memcmp(at - 3, "\n--", 3) != 0)
		return 0;
	at += boundary_len;
	return at == end || memchr("\r\n\t -", *at, 5);
}

int mbox_score_inside(int score, unsigned *set)
{
	struct tally t = { .score = score, .reasons = *set };

	count(&t, R_INSIDE_MIME);
	*set = t.reasons;
	return t.score;
}

static void weigh_place(struct tally *t, const struct mbox_candidate *c)
{
	if (c->first)
		count(t, R_FIRST);
	if (c->blank || c->first)
		count(t, R_BLANK);
	if (c->nuls)
		count(t, R_NULS);
	if (c->glued)
		count(t, R_GLUED);
	if (c->landing)
		count(t, R_LANDING);
}

int mbox_score(const struct mbox_candidate *c, unsigned *reasons_r)
{
	const char *end = c->text + c->n;
	const char *eol = memchr(c->text, '\n', c->n);
	struct lines l = { .s = eol ? eol + 1 : end,
			   .end = end,
			   .all = c->all };
	size_t n = (size_t)((eol ? eol : end) - c->text);
	struct tally t = { .score = 0 };
	enum mbox_shape shape;

	if (n && c->text[n - 1] == '\r')
		n--;
	shape = mbox_shape(c->text, n);
	skip_uucp(&l);
	weigh_shape(&t, c, shape);
	weigh_next(&t, &l, shape == MBOX_DATED || shape == MBOX_BARE);
	weigh_place(&t, c);
	if (mbox_is_field(c->text, n))
		count(&t, R_FIELD_ITSELF);
	*reasons_r = t.reasons;
	return t.score;
}
