/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One response of a FETCH command, as a stream: message bytes pass to the sink
   as they come and are never in memory as a whole. Items come in any order (RFC
   9051 section 7.5.2); those nobody asked for are passed over, nested lists and
   literals included.

   F1  Every turn of every loop uses up a character or a line.
   F2  Held in memory is one line of at most IMAP_LINE_MAX bytes. */
#include "storage/imap/internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LITERAL_SANE (UINT64_C(1) << 40)

struct cursor {
	struct imap_talk *t;
	struct buf *line;
	size_t at;
	unsigned literals;
	const struct fetch_sink *sink; /* NULL: pass over */
};

static int unreadable(const struct cursor *c, struct err *e)
{
	return err_set(
		e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
		"the server broke the protocol: its FETCH cannot be read "
		"at \"%.40s\"",
		c->line->data + c->at);
}

static char peek(const struct cursor *c)
{
	return c->line
		->data[c->at]; /* NUL at the end: talk_line lets none in */
}

static void skip_spaces(struct cursor *c)
{
	while (peek(c) == ' ')
		c->at++;
}

static int give(const struct cursor *c, const char *bytes, size_t n,
		struct err *e)
{
	return c->sink && n ? c->sink->bytes(c->sink->ctx, bytes, n, e) : 0;
}

static int read_quoted(struct cursor *c, struct err *e)
{
	c->at++;
	for (;;) {
		const char *from = c->line->data + c->at;
		size_t n = strcspn(from, "\"\\");

		if (give(c, from, n, e) < 0)
			return -1;
		c->at += n;
		if (peek(c) == '"')
			break;
		if (peek(c) != '\\' || !from[n + 1])
			return unreadable(c, e);
		if (give(c, from + n + 1, 1, e) < 0)
			return -1;
		c->at += 2;
	}
	c->at++;
	return 0;
}

/* The line ends with {n}; behind the n bytes it goes on. */
static int read_literal(struct cursor *c, struct err *e)
{
	const char *bytes;
	uint64_t left;
	size_t n;

	if (!talk_literal(c->line->data, c->line->len, true, &left) ||
	    strchr(c->line->data + c->at, '}') !=
		    c->line->data + c->line->len - 1 ||
	    left > LITERAL_SANE || ++c->literals > IMAP_LITERALS_MAX)
		return unreadable(c, e);
	for (; left; left -= n) {
		if (talk_some(c->t, left, &bytes, &n, e) < 0 ||
		    give(c, bytes, n, e) < 0)
			return -1;
	}
	c->at = 0;
	return talk_line(c->t, c->line, e);
}

static size_t atom_len(const struct cursor *c)
{
	return strcspn(c->line->data + c->at, " ()\"{");
}

/* Any value; lists to their end. */
static int read_value(struct cursor *c, struct err *e)
{
	unsigned depth = 0;
	size_t n;
	int ret;

	do {
		skip_spaces(c);
		ret = 0;
		switch (peek(c)) {
		case '(':
			if (++depth > IMAP_DEPTH_MAX)
				return unreadable(c, e);
			c->at++;
			break;
		case ')':
			if (!depth)
				return unreadable(c, e);
			depth--;
			c->at++;
			break;
		case '"':
			ret = read_quoted(c, e);
			break;
		case '{':
			ret = read_literal(c, e);
			break;
		default:
			n = atom_len(c);
			c->at += n;
			if (!n)
				return unreadable(c, e);
			if (peek(c) == '{') /* literal8 of RFC 3516: ~{n} */
				ret = read_literal(c, e);
		}
		if (ret < 0)
			return -1;
	} while (depth);
	return 0;
}

static int read_number(struct cursor *c, uint64_t max, uint64_t *value_r,
		       struct err *e)
{
	uint64_t value = 0;

	skip_spaces(c);
	if (!isdigit((unsigned char)peek(c)))
		return unreadable(c, e);
	for (; isdigit((unsigned char)peek(c)); c->at++) {
		value = value * 10 + (uint64_t)(peek(c) - '0');
		if (value > max)
			return unreadable(c, e);
	}
	*value_r = value;
	return 0;
}

static int read_flags(struct cursor *c, struct flags *flags, struct err *e)
{
	const char *from, *end;

	skip_spaces(c);
	from = c->line->data + c->at;
	end = strchr(from, ')');
	if (*from != '(' || !end)
		return unreadable(c, e);
	if (flags)
		flags_parse(flags, from + 1, (size_t)(end - from) - 1);
	c->at += (size_t)(end - from) + 1;
	return 0;
}

/* BODY[...]<origin> and its value. Field names may come back quoted. */
static int read_body(struct cursor *c, struct fetch_item *item,
		     const struct fetch_sink *sink, struct err *e)
{
	const char *close = strchr(c->line->data + c->at, ']');
	int ret;

	if (!close)
		return unreadable(c, e);
	c->at = (size_t)(close - c->line->data) + 1;
	c->at += strcspn(c->line->data + c->at, " ");
	skip_spaces(c);
	if (!strncasecmp(c->line->data + c->at, "NIL", 3)) {
		c->at += 3;
		return 0;
	}
	if (peek(c) == '~')
		c->at++;
	if (peek(c) != '"' && peek(c) != '{')
		return unreadable(c, e);
	sink->begin(sink->ctx);
	item->has_body = true;
	c->sink = sink;
	ret = read_value(c, e);
	c->sink = NULL;
	return ret;
}

static bool is_item(const struct cursor *c, size_t n, const char *name)
{
	return strlen(name) == n &&
	       !strncasecmp(c->line->data + c->at, name, n);
}

static int read_item(struct cursor *c, struct fetch_item *item,
		     const struct fetch_sink *sink, struct err *e)
{
	size_t n = atom_len(c);
	uint64_t number = 0;

	if (!n)
		return unreadable(c, e);
	if (!strncasecmp(c->line->data + c->at, "BODY[", 5))
		return read_body(c, item, sink, e);
	if (is_item(c, n, "UID")) {
		c->at += n;
		if (read_number(c, UINT32_MAX, &number, e) < 0)
			return -1;
		item->uid = (uint32_t)number;
		item->has_uid = number > 0;
		return 0;
	}
	if (is_item(c, n, "RFC822.SIZE")) {
		c->at += n;
		item->has_size = true;
		return read_number(c, LITERAL_SANE, &item->size, e);
	}
	if (is_item(c, n, "FLAGS")) {
		c->at += n;
		item->has_flags = true;
		return read_flags(c, item->flags, e);
	}
	c->at += n;
	return read_value(c, e);
}

/* "* 12 FETCH (": where the items begin, or 0 for another answer. */
static size_t items_at(const char *line)
{
	size_t at = 2;

	if (strncmp(line, "* ", 2) || !isdigit((unsigned char)line[at]))
		return 0;
	at += strspn(line + at, "0123456789");
	if (strncasecmp(line + at, " FETCH (", 8))
		return 0;
	return at + 8;
}

static int read_items(struct cursor *c, struct fetch_item *item,
		      const struct fetch_sink *sink, struct err *e)
{
	for (;;) {
		skip_spaces(c);
		if (peek(c) == ')')
			break;
		if (read_item(c, item, sink, e) < 0)
			return -1;
	}
	c->at++;
	skip_spaces(c);
	return peek(c) ? unreadable(c, e) : 0;
}

int fetch_read(struct imap_talk *t, struct buf *line, struct fetch_item *item,
	       const struct fetch_sink *sink, struct err *e)
{
	struct cursor c = { .t = t, .line = line };
	struct flags *flags = item->flags;

	*item = (struct fetch_item){ .flags = flags };
	if (flags)
		flags_reset(flags);
	if (talk_line(t, line, e) < 0)
		return t->bye.len ? imap_fail_text(t->bye.data, "reading", e)
				  : -1;
	c.at = items_at(line->data);
	if (c.at)
		return read_items(&c, item, sink, e) < 0 ? -1 : FETCH_ITEM;
	if (!strncmp(line->data, "* ", 2)) {
		talk_note(t, line->data);
		return talk_rest(t, line, e) < 0 ? -1 : FETCH_OTHER;
	}
	if (line->data[0] == '+' || !strchr(line->data, ' '))
		return unreadable(&c, e);
	return FETCH_TAGGED;
}
