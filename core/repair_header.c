/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Repairs of a header: field by field. */
#include <string.h>

#include "core/repair_internal.h"

size_t repair_field_name(const char *line, size_t n)
{
	size_t i = 0, name;

	while (i < n && line[i] > 32 && line[i] < 127 && line[i] != ':')
		i++;
	name = i;
	while (i < n && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i < n && line[i] == ':' ? name : 0;
}

/* The line at at, with its line end. */
static size_t line_length(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	return (size_t)((lf ? lf + 1 : end) - at);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The field at at, with its continuations; 0 where none begins. */
static size_t field_length(const char *at, const char *end)
{
	size_t n = line_length(at, end);

	if (!repair_field_name(at, n))
		return 0;
	while (at + n < end && is_blank(at[n]))
		n += line_length(at + n, end);
	return n;
}

/* Fold at the last white space that leaves the line short enough; a line that
   has none stays: to cut a word would change it. */
static void add_folded(const char *line, size_t n, struct buf *out)
{
	size_t bare = n;

	while (bare && (line[bare - 1] == '\n' || line[bare - 1] == '\r'))
		bare--;
	while (bare > REPAIR_LINE_MAX) {
		size_t at = REPAIR_LINE_MAX;

		/* Something but blanks must stay in front of it: a line of
		   white space alone ends the header for some. */
		while (at > 1 &&
		       !(is_blank(line[at]) && !is_blank(line[at - 1])))
			at--;
		if (at <= 1)
			break;
		buf_add(out, line, at);
		buf_add_str(out, "\r\n");
		line += at;
		n -= at;
		bare -= at;
	}
	buf_add(out, line, n);
}

static void add_long(const char *field, size_t n, struct buf *out)
{
	const char *end = field + n;

	while (field < end) {
		n = line_length(field, end);
		add_folded(field, n, out);
		field += n;
	}
}

/* "X-Name : value": blanks before the colon are RFC 822's, and refused by
 * Cyrus. */
static void add_close(const char *field, size_t n, struct buf *out)
{
	size_t name = repair_field_name(field, n), at = name;

	while (field[at] != ':')
		at++;
	buf_add(out, field, name);
	buf_add(out, field + at, n - at);
}

static void add_field(const char *field, size_t n, unsigned repairs,
		      struct buf *out)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	if (repairs & REPAIR_HEADER) {
		add_close(field, n, &a);
		field = a.data;
		n = a.len;
	}
	if (repairs & REPAIR_8BIT_HEADER && repair_encode_field(field, n, &b)) {
		field = b.data;
		n = b.len;
	}
	if (repairs & REPAIR_LONG_LINES)
		add_long(field, n, out);
	else
		buf_add(out, field, n);
	buf_free(&a);
	buf_free(&b);
}

void repair_header(const char *header, size_t n, unsigned repairs, bool at_end,
		   struct buf *out, struct buf *rest)
{
	const char *at = header, *end = header + n;
	bool ended = false;

	while (at < end) {
		size_t len = field_length(at, end);

		if (len) {
			add_field(at, len, repairs, out);
			at += len;
			continue;
		}
		len = line_length(at, end);
		ended = len == 2 && !memcmp(at, "\r\n", 2);
		if (!ended && repairs & REPAIR_HEADER) {
			buf_add_str(out, "\r\n");
			buf_add(rest, at, (size_t)(end - at));
			return;
		}
		buf_add(out, at, len);
		at += len;
	}
	if (!at_end || ended || !(repairs & REPAIR_HEADER))
		return;
	if (out->len && out->data[out->len - 1] != '\n')
		buf_add_str(out, "\r\n");
	buf_add_str(out, "\r\n");
}
