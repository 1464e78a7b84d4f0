/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds Content-Length and the multipart boundary without an index of the
   header: every message of every mbox comes by here. */
#include "importers/mbox_head.h"

#include <string.h>

#include "core/base/ascii.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blank(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s;
}

/* The text behind "name:", or NULL. */
static const char *value_of(const char *line, const char *end, const char *name)
{
	size_t n = strlen(name);

	if ((size_t)(end - line) <= n || !ascii_same_n(line, name, n))
		return NULL;
	line += n;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return line < end && *line == ':' ? line + 1 : NULL;
}

static void read_length(struct mbox_head *h, const char *s, const char *end)
{
	uint64_t length = 0;

	s = skip_blank(s, end);
	if (h->has_length || s == end || !ascii_is_digit(*s))
		return;
	for (; s < end && ascii_is_digit(*s); s++) {
		if (length > UINT64_MAX / 16)
			return;
		length = length * 10 + (uint64_t)(*s - '0');
	}
	if (skip_blank(s, end) != end)
		return;
	h->has_length = true;
	h->length = length;
}

static void read_boundary(struct mbox_head *h, const char *s, const char *end)
{
	static const char name[] = "boundary";
	size_t n = 0;

	s = skip_blank(s, end);
	if (end - s < 10 || !ascii_same_n(s, "multipart/", 10))
		return;
	while (end - s > (ptrdiff_t)sizeof(name) &&
	       !ascii_same_n(s, name, sizeof(name) - 1))
		s++;
	if (end - s <= (ptrdiff_t)sizeof(name))
		return;
	s = skip_blank(s + sizeof(name) - 1, end);
	if (s == end || *s != '=')
		return;
	s = skip_blank(s + 1, end);
	if (s < end && *s == '"') {
		for (s++; s + n < end && s[n] != '"'; n++)
			;
	} else {
		for (; s + n < end && !is_blank(s[n]) && s[n] != ';'; n++)
			;
	}
	if (n < 1 || n > 70)
		return;
	memcpy(h->boundary, s, n);
	h->boundary_len = n;
}

/* The end of the field that begins at line: folds belong to it. */
static const char *field_end(const char *line, const char *end)
{
	do {
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line || ++line == end)
			return end;
	} while (*line == ' ' || *line == '\t');
	return line;
}

static void read_field(struct mbox_head *h, const char *line, const char *end)
{
	const char *value;

	value = value_of(line, end, "Content-Length");
	if (value)
		read_length(h, value, end);
	value = value_of(line, end, "Content-Type");
	if (value && !h->boundary_len)
		read_boundary(h, value, end);
}

void mbox_head_read(struct mbox_head *h, const char *s, size_t n)
{
	const char *line = s, *end = s + n, *next;

	h->len = h->boundary_len = 0;
	h->has_length = false;
	for (; line < end; line = next) {
		if (*line == '\r' && end - line > 1 && line[1] == '\n')
			line++;
		if (*line == '\n') {
			h->len = (size_t)(line + 1 - s);
			return;
		}
		next = field_end(line, end);
		/* A header cut short, and the next separator. */
		if (end - line >= 5 && !memcmp(line, "From ", 5))
			return;
		if (*line == 'C' || *line == 'c')
			read_field(h, line, next);
	}
}

const char *mbox_head_find(const char *s, size_t n, const char *name,
			   unsigned leading, size_t *n_r)
{
	const char *line = s, *end = s + n, *next, *value;

	for (; line < end && leading; line = next, leading--) {
		if (*line == '\n' ||
		    (*line == '\r' && end - line > 1 && line[1] == '\n'))
			return NULL;
		next = field_end(line, end);
		value = value_of(line, next, name);
		if (value) {
			*n_r = (size_t)(next - value);
			return value;
		}
	}
	return NULL;
}
