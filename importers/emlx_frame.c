/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where in an .emlx file the message lies. */
#include "importers/emlx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "importers/walk.h"

enum {
	COUNT_LINE = 64,
	COUNT_DIGITS = 18,
	TAIL = 256 << 10, /* where a list is looked for */
};

/* "497      \n": Mail leaves room to write another count in its place. */
static int read_count(const char *line, size_t n, struct emlx_frame *f)
{
	size_t i = 0;

	f->said = 0;
	for (; i < n && ascii_is_digit(line[i]); i++) {
		if (i == COUNT_DIGITS)
			return -1;
		f->said = f->said * 10 + (uint64_t)(line[i] - '0');
	}
	if (!i)
		return -1;
	while (i < n && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
		i++;
	if (i == n || line[i] != '\n')
		return -1;
	f->begin = i + 1;
	return 0;
}

static bool begins_list(const char *s, size_t n)
{
	while (n && (*s == '\n' || *s == '\r'))
		s++, n--;
	return !n || (n >= 5 && !memcmp(s, "<?xml", 5)) ||
	       (n >= 6 && !memcmp(s, "bplist", 6)) ||
	       (n >= 6 && !memcmp(s, "<plist", 6));
}

/* Does a binary list of n bytes end as one does? */
static bool is_binary_list(const char *s, size_t n)
{
	const unsigned char *trailer;
	uint64_t table = 0;

	if (n < 8 + 32 || memcmp(s, "bplist00", 8))
		return false;
	trailer = (const unsigned char *)s + n - 32;
	for (size_t i = 24; i < 32; i++)
		table = table << 8 | trailer[i];
	return trailer[6] >= 1 && trailer[6] <= 8 && trailer[7] >= 1 &&
	       trailer[7] <= 8 && table >= 8 && table <= n - 32;
}

/* Where the list begins that the file ends with; n if there is none. */
static size_t find_list(const char *tail, size_t n)
{
	static const char end[] = "</plist>", xml[] = "<?xml";
	size_t stop = n, len = sizeof(end) - 1;

	while (stop && strchr(" \t\r\n", tail[stop - 1]) && tail[stop - 1])
		stop--;
	if (stop >= len && !memcmp(tail + stop - len, end, len))
		for (size_t i = stop - len; i-- > 0;)
			if (!memcmp(tail + i, xml, sizeof(xml) - 1))
				return i;
	for (size_t i = n; i-- > 0;)
		if (tail[i] == 'b' && is_binary_list(tail + i, n - i))
			return i;
	return n;
}

static int look_for_list(int fd, struct emlx_frame *f)
{
	uint64_t rest = f->plist_end - f->begin;
	size_t n = rest < TAIL ? (size_t)rest : TAIL;
	uint64_t at = f->plist_end - n;
	char *tail = mem_alloc(n + 1);
	ssize_t got = walk_read_at(fd, tail, n, at);

	if (got >= 0)
		f->end = f->plist = at + find_list(tail, (size_t)got);
	free(tail);
	return got < 0 ? -1 : 0;
}

int emlx_frame_find(int fd, uint64_t size, struct emlx_frame *f_r)
{
	char bytes[COUNT_LINE];
	ssize_t got;

	*f_r = (struct emlx_frame){ .plist_end = size };
	got = walk_read_at(fd, bytes, sizeof(bytes), 0);
	if (got < 0)
		return -1;
	errno = 0;
	if (read_count(bytes, (size_t)got, f_r) < 0 || f_r->begin > size)
		return -1;
	if (f_r->said <= size - f_r->begin) {
		f_r->end = f_r->plist = f_r->begin + f_r->said;
		got = walk_read_at(fd, bytes, sizeof(bytes), f_r->end);
		if (got < 0)
			return -1;
		if (begins_list(bytes, (size_t)got))
			return 0;
	}
	f_r->lies = true;
	return look_for_list(fd, f_r);
}
