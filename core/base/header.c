/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The index of a message's header, and what is read off it. */
#include "core/base/header.h"
#include "core/base/ascii.h"
#include "core/base/date.h"

#include <stdlib.h>
#include <string.h>

/* As many fields as are kept allocated between messages. */
enum { FIELDS_KEEP = 1024 };

void header_init(struct header *h)
{
	*h = (struct header)HEADER_INIT;
}

void header_free(struct header *h)
{
	buf_free(&h->raw);
	free(h->fields);
	header_init(h);
}

void header_reset(struct header *h)
{
	buf_shrink(&h->raw, 64 << 10);
	h->n = 0;
	if (h->cap <= FIELDS_KEEP)
		return;
	free(h->fields);
	h->fields = NULL;
	h->cap = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What separates words in a value that is still folded. A CR counts only in
   front of its LF. */
static bool is_white(const char *s, size_t i, size_t n)
{
	return is_blank(s[i]) || s[i] == '\n' ||
	       (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n');
}

/* The length of the field name in line[0..n), and at *colon_r where its colon
   is; 0 if the line is no field. Blanks before the colon are obsolete syntax.
 */
static size_t field_name(const char *line, size_t n, size_t *colon_r)
{
	size_t i = 0, len;

	while (i < n && line[i] > ' ' && line[i] < 0x7F && line[i] != ':')
		i++;
	len = i;
	while (i < n && is_blank(line[i]))
		i++;
	if (i == n || line[i] != ':')
		return 0;
	*colon_r = i;
	return len;
}

/* The separator of an mbox that stayed on top of a file of its own. */
static bool is_separator(const char *line, size_t n)
{
	size_t quoted = n && line[0] == '>', colon;

	return n >= 5 + quoted && !memcmp(line + quoted, "From ", 5) &&
	       !field_name(line, n, &colon);
}

static struct header_field *add_field(struct header *h)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 64;
		h->fields =
			mem_realloc(h->fields, h->cap * sizeof(h->fields[0]));
	}
	return &h->fields[h->n++];
}

/* Lines before the first field are one without a name: they are part of what
   the message is. */
static void start_field(struct header *h, size_t at, size_t name_len,
			size_t colon)
{
	struct header_field *f = add_field(h);

	*f = (struct header_field){
		.name = (uint32_t)at,
		.name_len = (uint32_t)name_len,
		.value = (uint32_t)(name_len ? at + colon + 1 : at),
		.start = (uint32_t)at,
	};
}

static void extend_field(struct header *h, size_t end)
{
	struct header_field *f = &h->fields[h->n - 1];
	const char *raw = h->raw.data;

	f->end = (uint32_t)end;
	if (end > f->value && raw[end - 1] == '\n')
		end--;
	if (end < f->end && end > f->value && raw[end - 1] == '\r')
		end--;
	f->value_len = (uint32_t)(end - f->value);
}

void header_index(struct header *h)
{
	const char *raw = h->raw.data, *lf;
	size_t at, next, n = h->raw.len, name_len, colon = 0;

	h->n = 0;
	for (at = 0; at < n; at = next) {
		lf = memchr(raw + at, '\n', n - at);
		next = lf ? (size_t)(lf - raw) + 1 : n;
		if (at == 0 && is_separator(raw, next))
			continue;
		name_len = field_name(raw + at, next - at, &colon);
		if (name_len || !h->n)
			start_field(h, at, name_len, colon);
		extend_field(h, next);
	}
}

const struct header_field *header_find(const struct header *h, const char *name,
				       unsigned nth)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->fields[i];

		if (f->name_len == n &&
		    ascii_same_n(h->raw.data + f->name, name, n) && !nth--)
			return f;
	}
	return NULL;
}

static void add_unfolded(const char *s, size_t n, struct buf *out)
{
	size_t begin = out->len, i = 0, word;

	while (i < n) {
		while (i < n && is_white(s, i, n))
			i++;
		for (word = i; i < n && !is_white(s, i, n); i++)
			;
		if (i > word && out->len > begin)
			buf_add_char(out, ' ');
		buf_add(out, s + word, i - word);
	}
}

void header_unfold(const struct header *h, const struct header_field *f,
		   struct buf *out)
{
	add_unfolded(h->raw.data + f->value, f->value_len, out);
}

bool header_add_value(const struct header *h, const char *name, unsigned nth,
		      struct buf *out)
{
	const struct header_field *f = header_find(h, name, nth);

	if (f)
		header_unfold(h, f, out);
	return f != NULL;
}

/* Behind the quoted string that begins at i; n if it has no end. */
static size_t skip_quoted(const char *s, size_t i, size_t n)
{
	for (i++; i < n && s[i] != '"'; i++)
		if (s[i] == '\\' && i + 1 < n)
			i++;
	return i < n ? i + 1 : n;
}

/* Behind the comment that begins at i. Comments nest. */
static size_t skip_comment(const char *s, size_t i, size_t n)
{
	size_t depth = 0;

	for (; i < n; i++) {
		if (s[i] == '\\' && i + 1 < n)
			i++;
		else if (s[i] == '(')
			depth++;
		else if (s[i] == ')' && !--depth)
			return i + 1;
	}
	return n;
}

/* Where the '>' is that belongs to the '<' before i: outside quotes, or
   anywhere when a quote is left open; n if there is none. */
static size_t closing_angle(const char *s, size_t i, size_t n)
{
	const char *any = memchr(s + i, '>', n - i);

	while (i < n && s[i] != '>')
		i = s[i] == '"' ? skip_quoted(s, i, n) : i + 1;
	return i < n ? i : any ? (size_t)(any - s) : n;
}

static void add_trimmed(struct buf *out, const char *s, size_t n)
{
	while (n && s[0] == ' ')
		s++, n--;
	while (n && s[n - 1] == ' ')
		n--;
	buf_add(out, s, n);
}

/* Ids in angle brackets hold what they like, "(" too; comments are passed over
   in front of them only. Should a comment without end swallow everything, the
   first '<' counts all the same. */
static void normal_id(const char *s, size_t n, struct buf *out)
{
	struct buf bare = BUF_INIT;
	const char *lt;
	size_t i = 0;
	bool done = false; /* the first token is complete */

	while (i < n && s[i] != '<') {
		size_t from = i;

		if (s[i] == '(') {
			i = skip_comment(s, i, n);
			continue;
		}
		i = s[i] == '"' ? skip_quoted(s, i, n) : i + 1;
		if (s[from] == ' ')
			done = done || bare.len;
		else if (!done)
			buf_add(&bare, s + from, i - from);
	}
	lt = i < n ? s + i : bare.len ? NULL : memchr(s, '<', n);
	if (lt) {
		i = (size_t)(lt - s) + 1;
		add_trimmed(out, s + i, closing_angle(s, i, n) - i);
	} else {
		buf_add(out, bare.data, bare.len);
	}
	buf_free(&bare);
}

void header_add_message_id(const struct header *h, struct buf *out)
{
	struct buf value = BUF_INIT;

	if (header_add_value(h, "Message-ID", 0, &value))
		normal_id(value.data, value.len, out);
	buf_free(&value);
}

void header_normal_message_id(const char *value, size_t n, struct buf *out)
{
	normal_id(value, n, out);
}

/* strcasestr stops at a NUL, which no mark of a fetcher stands behind. */
static bool contains_word(const struct buf *text, const char *word)
{
	const char *at = text->data;

	while ((at = strcasestr(at, word))) {
		if (at == text->data || !ascii_is_alpha(at[-1]))
			return true;
		at++;
	}
	return false;
}

/* fetchmail and getmail write a Received of their own on top, with the time of
   the download; so do local transports behind them. */
static bool by_fetcher(const struct buf *received)
{
	static const char *const marks[] = {
		"by localhost", "by 127.0.0.1", "fetchmail",
		"getmail",	"with POP3",	"with IMAP",
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (contains_word(received, marks[i]))
			return true;
	return false;
}

/* The date behind the last ';', or, when that is part of a comment, behind one
   of those before it. */
static int64_t trailing_date(const struct buf *received)
{
	size_t end = received->len;
	int64_t t = DATE_NONE;
	const char *at;

	for (int tries = 0; tries < 4 && t == DATE_NONE; tries++) {
		at = memrchr(received->data, ';', end);
		if (!at)
			break;
		end = (size_t)(at - received->data);
		t = date_parse(at + 1, received->len - end - 1);
	}
	return t;
}

int64_t header_received_date(const struct header *h)
{
	enum { DAY = 24 * 60 * 60 };
	struct buf value = BUF_INIT;
	int64_t best = DATE_NONE, t;

	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->fields[i];

		if (!ascii_same(h->raw.data + f->name, f->name_len, "Received"))
			continue;
		buf_reset(&value);
		header_unfold(h, f, &value);
		t = trailing_date(&value);
		if (t == DATE_NONE)
			continue;
		/* Fetched the same day: the fetcher is as good as any. */
		if (best != DATE_NONE && best - t <= DAY && t - best <= DAY)
			break;
		best = t;
		if (!by_fetcher(&value))
			break;
	}
	buf_free(&value);
	return best;
}
