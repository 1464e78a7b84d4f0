/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attachments back into messages. */
#include "importers/becky_body.h"

#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "importers/dbx_ansi.h"

static int give(struct becky_body *b, const char *bytes, size_t n,
		struct err *e)
{
	return intake_add(b->in, bytes, n, e);
}

/* The value of a field of this name, up to the line's end. */
static bool has_name(const struct bmf_piece *p, const char *name,
		     const char **value_r, size_t *n_r)
{
	const char *s = p->bytes, *end = s + p->n;
	size_t n = strlen(name);

	if (p->n <= n || !ascii_same_n(s, name, n))
		return false;
	for (s += n; s < end && (*s == ' ' || *s == '\t'); s++)
		;
	if (s == end || *s++ != ':')
		return false;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	while (end > s && strchr(" \t\r\n", end[-1]))
		end--;
	*value_r = s;
	*n_r = (size_t)(end - s);
	return true;
}

static bool is_blank(const struct bmf_piece *p)
{
	return p->bytes[0] == '\n' ||
	       (p->n == 2 && p->bytes[0] == '\r' && p->bytes[1] == '\n');
}

static void close_file(struct becky_body *b)
{
	if (b->pending)
		close(b->fd);
	b->pending = false;
}

/* The file that waits, in its place. */
static int put_back(struct becky_body *b, bool empty_line, struct err *e)
{
	bool rebuilt, eol;

	if ((b->lacks_eol && give(b, "\r\n", 2, e) < 0) ||
	    (empty_line && give(b, "\r\n", 2, e) < 0) ||
	    becky_attach_feed(b->fd, b->encoding, b->in, &rebuilt, &eol, e) < 0)
		return -1;
	close_file(b);
	b->rebuilt += rebuilt;
	b->lacks_eol = !eol;
	b->in_body = true;
	b->first = false;
	return 0;
}

/* 1 when the line is to be replaced, 0 when it stays, -1. */
static int include(struct becky_body *b, const struct bmf_piece *p,
		   struct err *e)
{
	bool expected = !b->in_body || b->first;
	const char *path;
	size_t n;
	int fd;

	if (!has_name(p, "X-Becky-Include", &path, &n))
		return 0;
	if (b->pending && put_back(b, true, e) < 0)
		return -1;
	fd = n ? b->open(b->ctx, path, n) : -1;
	if (fd < 0 && expected) {
		b->missing++;
		buf_reset(&b->lost);
		dbx_add_ansi(&b->lost, path, n < 200 ? n : 200);
	}
	if (fd < 0)
		return 0;
	b->fd = fd;
	b->pending = true;
	b->dropping = !p->ends;
	if (b->in_body && put_back(b, !b->first, e) < 0)
		return -1;
	return 1;
}

/* A line that may stand between parts. One that only looks so is taken for it:
   at worst what follows a signature's "--" is taken for a header up to the next
   empty line, which bears on nothing but X-Becky-Include. */
static bool is_boundary(const struct bmf_piece *p)
{
	return p->n > 2 && p->bytes[0] == '-' && p->bytes[1] == '-';
}

static int header_line(struct becky_body *b, const struct bmf_piece *p,
		       struct err *e)
{
	const char *value;
	size_t n;

	if (is_blank(p)) {
		if (b->pending)
			return put_back(b, true, e);
		b->in_body = b->first = true;
	} else if (is_boundary(p)) {
		if (b->pending && put_back(b, true, e) < 0)
			return -1;
		b->in_body = false;
		b->encoding = BECKY_PLAIN;
	} else if (has_name(p, "Content-Transfer-Encoding", &value, &n)) {
		b->encoding = becky_encoding_of(value, n);
	}
	return 0;
}

static void body_line(struct becky_body *b, const struct bmf_piece *p)
{
	b->first = false;
	if (!is_boundary(p))
		return;
	b->in_body = false;
	b->encoding = BECKY_PLAIN;
}

int becky_body_add(struct becky_body *b, const struct bmf_piece *p,
		   struct err *e)
{
	int replaced;

	if (!p->begins) {
		bool dropping = b->dropping;

		b->dropping = dropping && !p->ends;
		return dropping ? 0 : give(b, p->bytes, p->n, e);
	}
	b->dropping = false;
	replaced = include(b, p, e);
	if (replaced)
		return replaced < 0 ? -1 : 0;
	if (b->in_body)
		body_line(b, p);
	else if (header_line(b, p, e) < 0)
		return -1;
	if (b->lacks_eol && !is_blank(p) && give(b, "\r\n", 2, e) < 0)
		return -1;
	b->lacks_eol = false;
	return give(b, p->bytes, p->n, e);
}

int becky_body_end(struct becky_body *b, struct err *e)
{
	return b->pending ? put_back(b, true, e) : 0;
}

void becky_body_free(struct becky_body *b)
{
	close_file(b);
	buf_free(&b->lost);
}
