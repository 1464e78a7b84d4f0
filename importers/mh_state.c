/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What MH and the programs that store mail like MH keep beside the messages:
   sequences, marks, and the lines on top of mail that waits to be sent. */
#include "importers/mh.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"

enum {
	NUMBER_DIGITS = 9,
	RANGES_MAX = 4 << 20, /* more is no mail folder */
	/* Sylpheed's procmsg.h, MsgPermFlags; Claws Mail's adds the last ones. */
	MARK_NEW = 1 << 0,
	MARK_UNREAD = 1 << 1,
	MARK_MARKED = 1 << 2,
	MARK_DELETED = 1 << 3,
	MARK_REPLIED = 1 << 4,
	MARK_FORWARDED = 1 << 5,
	MARK_COLOURS = 7 << 7,
	MARK_MDN_SENT = 1 << 12,
	MARK_SPAM = 1 << 13,
	MARK_VERSION = 2,
};

void mh_states_free(struct mh_states *s)
{
	free(s->ranges);
	free(s->first_unknown);
	*s = (struct mh_states){ 0 };
}

static void add_range(struct mh_states *s, uint32_t from, uint32_t to,
		      unsigned flags)
{
	if (s->n == RANGES_MAX)
		return;
	if (s->n == s->cap) {
		s->cap += s->cap / 2 + 64;
		s->ranges = mem_realloc(s->ranges, s->cap * sizeof(*s->ranges));
	}
	s->ranges[s->n++] =
		(struct mh_range){ .from = from, .to = to, .flags = flags };
}

static int by_from(const void *va, const void *vb)
{
	const struct mh_range *a = va, *b = vb;

	return (a->from > b->from) - (a->from < b->from);
}

static int by_flags(const void *va, const void *vb)
{
	const struct mh_range *a = va, *b = vb;

	if (a->flags != b->flags)
		return a->flags < b->flags ? -1 : 1;
	return by_from(va, vb);
}

void mh_states_ready(struct mh_states *s)
{
	size_t kept = 0;

	if (s->marks || !s->n)
		return;
	qsort(s->ranges, s->n, sizeof(*s->ranges), by_flags);
	for (size_t i = 1; i < s->n; i++) {
		struct mh_range *last = &s->ranges[kept], *r = &s->ranges[i];

		if (r->flags != last->flags || r->from > last->to)
			s->ranges[++kept] = *r;
		else if (r->to > last->to)
			last->to = r->to;
	}
	s->n = kept + 1;
}

/* The last range that does not come behind this one; NULL if all do. */
static const struct mh_range *
last_up_to(const struct mh_states *s, const struct mh_range *r,
	   int (*compare)(const void *, const void *))
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(&s->ranges[mid], r) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &s->ranges[low - 1] : NULL;
}

unsigned mh_states_of(const struct mh_states *s, uint32_t number)
{
	struct mh_range key = { .from = number };
	const struct mh_range *r;
	unsigned flags = 0;

	if (s->marks) {
		r = last_up_to(s, &key, by_from);
		return r && r->from == number ? r->flags : MH_UNSEEN;
	}
	for (key.flags = MH_UNSEEN; key.flags <= MH_DELETED; key.flags *= 2) {
		r = last_up_to(s, &key, by_flags);
		if (r && r->flags == key.flags && r->to >= number)
			flags |= key.flags;
	}
	return flags;
}

/* --- sequences --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Is word among the blank-separated words of list? */
static bool listed(const char *list, const char *word, size_t n)
{
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, " \t");

		if (len == n && ascii_same_n(p, word, n))
			return true;
		p += len + strspn(p + len, " \t");
	}
	return false;
}

/* Names as nmh, mutt (mh_seq_unseen and its like), Python's mailbox and mh-e have
   them. */
static unsigned meaning(const char *name, size_t n, const char *unseen)
{
	static const struct {
		const char *name;
		unsigned flags;
	} known[] = {
		{ .name = "unseen", .flags = MH_UNSEEN },
		{ .name = "replied", .flags = MH_ANSWERED },
		{ .name = "answered", .flags = MH_ANSWERED },
		{ .name = "flagged", .flags = MH_FLAGGED },
		{ .name = "tick", .flags = MH_FLAGGED },
		{ .name = "forwarded", .flags = MH_FORWARDED },
		{ .name = "deleted", .flags = MH_DELETED },
	};

	if (listed(unseen, name, n))
		return MH_UNSEEN;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (ascii_same(name, n, known[i].name))
			return known[i].flags;
	return 0;
}

/* Where the user stands, and what he picked last: no state of a message. */
static bool is_passing(const char *name, size_t n)
{
	static const char *const names[] = { "cur", "prev", "pseq", "range",
					     "subject" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ascii_same(name, n, names[i]))
			return true;
	return false;
}

static const char *read_number(const char *p, const char *end, uint32_t *n_r)
{
	uint32_t n = 0;
	int digits = 0;

	for (; p < end && ascii_is_digit(*p); p++)
		if (digits++ < NUMBER_DIGITS)
			n = n * 10 + (uint32_t)(*p - '0');
	*n_r = digits && digits <= NUMBER_DIGITS ? n : 0;
	return p;
}

static void parse_ranges(struct mh_states *s, const char *p, const char *end,
			 unsigned flags)
{
	while (p < end) {
		uint32_t from, to;

		if (!ascii_is_digit(*p)) {
			p++;
			continue;
		}
		p = read_number(p, end, &from);
		to = from;
		if (end - p >= 2 && p[0] == '-' && ascii_is_digit(p[1]))
			p = read_number(p + 1, end, &to);
		if (from && to >= from)
			add_range(s, from, to, flags);
	}
}

static void parse_sequence(struct mh_states *s, const char *line, size_t n,
			   const char *unseen)
{
	const char *colon = memchr(line, ':', n);
	unsigned flags;
	size_t len;

	if (!colon)
		return;
	len = (size_t)(colon - line);
	while (len && is_blank(line[len - 1]))
		len--;
	flags = meaning(line, len, unseen);
	if (flags) {
		parse_ranges(s, colon + 1, line + n, flags);
	} else if (len && !is_passing(line, len)) {
		if (!s->unknown++)
			s->first_unknown = mem_strndup(line, len);
	}
}

/* The length of a line with those that go on from it, line end included. */
static size_t folded_line(const char *p, size_t n)
{
	size_t len = 0;

	do {
		const char *lf = memchr(p + len, '\n', n - len);

		len = lf ? (size_t)(lf - p) + 1 : n;
	} while (len < n && (p[len] == ' ' || p[len] == '\t'));
	return len;
}

void mh_sequences_parse(struct mh_states *s, const char *text, size_t n,
			const char *unseen)
{
	while (n) {
		size_t len = folded_line(text, n);

		parse_sequence(s, text, len, unseen);
		text += len;
		n -= len;
	}
}

void mh_profile_unseen(const char *text, size_t n, struct buf *out)
{
	static const char name[] = "Unseen-Sequence:";
	size_t len = sizeof(name) - 1;

	while (n) {
		size_t line = folded_line(text, n);

		if (line > len && ascii_same_n(text, name, len))
			for (size_t i = len; i < line; i++)
				buf_add_char(out, strchr(",\r\n\t", text[i])
							  ? ' '
							  : text[i]);
		text += line;
		n -= line;
	}
}

/* --- marks --- */

static uint32_t word_at(const char *bytes, bool big)
{
	const unsigned char *p = (const unsigned char *)bytes;

	return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			       (uint32_t)p[2] << 8 | p[3]
		   : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
			       (uint32_t)p[1] << 8 | p[0];
}

static unsigned mark_flags(uint32_t marks, bool claws)
{
	static const struct {
		uint32_t mark;
		unsigned flag;
		bool claws;
	} means[] = {
		{ .mark = MARK_NEW | MARK_UNREAD, .flag = MH_UNSEEN },
		{ .mark = MARK_MARKED, .flag = MH_FLAGGED },
		{ .mark = MARK_DELETED, .flag = MH_DELETED },
		{ .mark = MARK_REPLIED, .flag = MH_ANSWERED },
		{ .mark = MARK_FORWARDED, .flag = MH_FORWARDED },
		{ .mark = MARK_COLOURS, .flag = MH_COLOUR },
		{ .mark = MARK_MDN_SENT, .flag = MH_MDN_SENT, .claws = true },
		{ .mark = MARK_SPAM, .flag = MH_JUNK, .claws = true },
	};
	unsigned flags = 0;

	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++)
		if (marks & means[i].mark && (claws || !means[i].claws))
			flags |= means[i].flag;
	return flags;
}

/* Sylpheed appends records, and rewrites the file now and then: of several about one
   message the last counts. */
static void drop_older(struct mh_states *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		s->ranges[i].to = (uint32_t)i; /* its turn */
	qsort(s->ranges, s->n, sizeof(*s->ranges), by_from);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && s->ranges[kept - 1].from == s->ranges[i].from) {
			if (s->ranges[i].to > s->ranges[kept - 1].to)
				s->ranges[kept - 1] = s->ranges[i];
			continue;
		}
		s->ranges[kept++] = s->ranges[i];
	}
	s->n = kept;
	for (size_t i = 0; i < s->n; i++)
		s->ranges[i].to = s->ranges[i].from;
}

bool mh_marks_parse(struct mh_states *s, const char *bytes, size_t n,
		    bool claws)
{
	bool big;

	if (n < 4)
		return false;
	big = word_at(bytes, true) == MARK_VERSION;
	if (!big && word_at(bytes, false) != MARK_VERSION)
		return false;
	s->n = 0;
	s->marks = true;
	for (size_t at = 4; n - at >= 8; at += 8)
		add_range(s, word_at(bytes + at, big), 0,
			  mark_flags(word_at(bytes + at + 4, big), claws));
	if (s->n)
		drop_older(s);
	return true;
}

/* --- queued mail --- */

/* Sylpheed's compose_queue and Claws Mail's procheader_header_is_internal. */
static bool is_internal(const char *name, size_t n)
{
	static const char *const names[] = {
		"AF",  "NF",   "PS",   "SRH", "SFN",  "DSR",  "MID", "CFG",
		"PT",  "S",    "RQ",   "SSV", "NSV",  "SSH",  "R",   "NG",
		"AID", "MAID", "NAID", "SCF", "RMID", "FMID", "REP", "FWD",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ascii_same(name, n, names[i]))
			return true;
	return (n > 8 && ascii_same_n(name, "X-Claws-", 8)) ||
	       (n > 11 && ascii_same_n(name, "X-Sylpheed-", 11));
}

static bool ends_block(const char *name, size_t n)
{
	return ascii_same(name, n, "X-Claws-End-Special-Headers") ||
	       ascii_same(name, n, "X-Sylpheed-End-Special-Headers");
}

static size_t name_length(const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);

	return colon ? (size_t)(colon - line) : 0;
}

/* Its length, if the line is empty. */
static size_t empty_line(const char *s, size_t n)
{
	if (s[0] == '\n')
		return 1;
	return n > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 0;
}

/* Sylpheed ends its lines with an empty one, before which nothing else may stand;
   Claws Mail with a field of its own, and some drafts with nothing. */
size_t mh_queue_lines(const char *head, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = folded_line(head + at, n - at);
		const char *line = head + at;
		size_t name = name_length(line, len);

		size_t empty = empty_line(line, n - at);

		if (at && empty) {
			size_t next = at + empty;

			/* Only a header makes it the message's begin. */
			len = folded_line(head + next, n - next);
			return name_length(head + next, len) ? next : 0;
		}
		if (!name || !is_internal(line, name))
			return at;
		at += len;
		if (ends_block(line, name))
			return at;
	}
	return 0;
}

/* --- names --- */

uint32_t mh_number(const char *name)
{
	const char *end = name + strlen(name);
	uint32_t n;

	if (*name == '0' || read_number(name, end, &n) != end)
		return 0;
	return n;
}

uint32_t mh_deleted_number(const char *name)
{
	if (name[0] == '.' && name[1] == '#')
		name++;
	return name[0] == ',' || name[0] == '#' ? mh_number(name + 1) : 0;
}
