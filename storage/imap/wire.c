/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines and literals of a server's answers, as far as they have come. */
#include "storage/imap/wire.h"

#include <string.h>
#include <strings.h>

enum { WIRE_CHUNK = 16 << 10 };

void wire_init(struct wire *w, struct stream *s)
{
	*w = (struct wire){ .stream = s, .in = BUF_INIT };
}

void wire_free(struct wire *w)
{
	buf_free(&w->in);
	wire_init(w, NULL);
}

static size_t held(const struct wire *w)
{
	return w->in.len - w->at;
}

static void compact(struct wire *w)
{
	buf_drop_front(&w->in, w->at);
	w->at = 0;
}

void wire_put(struct wire *w, const char *bytes, size_t n)
{
	compact(w);
	buf_add(&w->in, bytes, n);
}

bool wire_is_idle(const struct wire *w)
{
	return !held(w) && !w->literal && !w->continued;
}

static int broke(struct err *e, const char *what)
{
	return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
		       "the server broke the protocol: it sent %s", what);
}

/* Bytes, 0, -1, as stream_try_recv. */
static ssize_t fill(struct wire *w, struct err *e)
{
	ssize_t got;

	compact(w);
	buf_grow(&w->in, WIRE_CHUNK);
	got = stream_try_recv(w->stream, w->in.data + w->in.len, WIRE_CHUNK, e);
	if (got > 0)
		w->in.len += (size_t)got;
	w->in.data[w->in.len] = '\0';
	return got;
}

static void pass_literal(struct wire *w)
{
	size_t n = held(w);

	if (n > w->literal)
		n = (size_t)w->literal;
	w->literal -= n;
	w->at += n;
}

/* The text of these is for people and may hold anything, also "{12}" at its
 * end. */
static bool is_status(const char *line)
{
	static const char *const words[] = { "OK", "NO", "BAD", "BYE",
					     "PREAUTH" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (!strncasecmp(line, words[i], n) &&
		    (line[n] == ' ' || !line[n]))
			return true;
	}
	return false;
}

/* "... {12}" at the end: its number (WIRE_LITERAL_MAX + 1 for all that is
 * more). */
static bool announces(const char *line, size_t n, uint64_t *len_r)
{
	size_t from;

	if (n < 3 || line[n - 1] != '}')
		return false;
	for (from = n - 1;
	     from && line[from - 1] >= '0' && line[from - 1] <= '9';)
		from--;
	if (from == n - 1 || !from || line[from - 1] != '{')
		return false;
	*len_r = 0;
	for (; from < n - 1; from++) {
		*len_r = *len_r * 10 + (uint64_t)(line[from] - '0');
		if (*len_r > WIRE_LITERAL_MAX)
			*len_r = WIRE_LITERAL_MAX + 1;
	}
	return true;
}

/* Take the n bytes up to a line end (not included) from what is held. */
static int cut_line(struct wire *w, size_t n, struct wire_line *line_r,
		    struct err *e)
{
	char *text = w->in.data + w->at;

	w->at += n + 1;
	w->scanned = 0;
	if (n > WIRE_LINE_MAX)
		return broke(e, "a line that is too long");
	if (n && text[n - 1] == '\r')
		n--;
	text[n] = '\0';
	if (strlen(text) != n)
		return broke(e, "a NUL");
	*line_r = (struct wire_line){ .text = text,
				      .len = n,
				      .continues = w->continued };
	if (!w->continued && (strncmp(text, "* ", 2) || is_status(text + 2)))
		return 1;
	w->continued = announces(text, n, &w->literal);
	if (w->literal > WIRE_LITERAL_MAX)
		return broke(e, "a literal that is too long");
	return 1;
}

int wire_line(struct wire *w, struct wire_line *line_r, struct err *e)
{
	ssize_t got;

	do {
		const char *from, *end;

		pass_literal(w);
		from = w->in.data + w->at;
		end = memchr(from + w->scanned, '\n', held(w) - w->scanned);
		if (end)
			return cut_line(w, (size_t)(end - from), line_r, e);
		w->scanned = held(w);
		if (w->scanned > WIRE_LINE_MAX)
			return broke(e, "a line that is too long");
		got = fill(w, e);
	} while (got > 0);
	return got < 0 ? -1 : 0;
}
