/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Splitting a .bmf into messages and lines. */
#include "importers/becky_bmf.h"

#include <string.h>

void bmf_open(struct bmf *b, int fd, uint64_t size)
{
	*b = (struct bmf){ .begins = true };
	dbx_window_open(&b->w, fd, size);
}

void bmf_close(struct bmf *b)
{
	dbx_window_close(&b->w);
}

/* A disk that failed leaves NULs at the end, an old editor a Ctrl-Z. */
static bool is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\r' && s[i] != '\n' && s[i] && s[i] != 0x1A)
			return false;
	return true;
}

bool bmf_next(struct bmf *b)
{
	const char *bytes;
	size_t n;

	if (b->at >= b->w.size)
		return false;
	n = dbx_window_run(&b->w, b->at, &bytes);
	if (n && n == b->w.size - b->at && is_blank(bytes, n))
		return false;
	b->start = b->at;
	b->begins = true;
	return true;
}

/* Whether a line consists of a single dot. */
static bool is_end(const char *line, size_t n)
{
	if (line[0] != '.')
		return false;
	n -= n > 1 && line[n - 1] == '\n';
	n -= n > 1 && line[n - 1] == '\r';
	return n == 1;
}

int bmf_read(struct bmf *b, struct bmf_piece *p)
{
	const char *bytes, *eol;
	size_t n;

	if (b->at >= b->w.size)
		return 0;
	n = dbx_window_run(&b->w, b->at, &bytes);
	if (!n)
		return -1;
	eol = memchr(bytes, '\n', n);
	if (eol)
		n = (size_t)(eol - bytes) + 1;
	*p = (struct bmf_piece){
		.bytes = bytes,
		.n = n,
		.begins = b->begins,
		.ends = eol,
	};
	b->at += n;
	b->begins = eol;
	if (!p->begins)
		return 1;
	if (is_end(bytes, n)) {
		b->begins = true;
		return 0;
	}
	if (n >= 2 && bytes[0] == '.' && bytes[1] == '.') {
		p->bytes++;
		p->n--;
	}
	return 1;
}

bool bmf_pass(struct bmf *b, uint64_t length)
{
	if (length > b->w.size - b->start)
		return false;
	b->at = b->start + length;
	b->begins = true;
	return true;
}
