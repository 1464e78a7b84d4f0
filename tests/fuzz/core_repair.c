/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Properties, for any message and any set of repairs (the first byte):

   - what is mended is gone: NULs, lone CRs, body lines over 998 octets, a missing last
     line end, 8-bit bytes in fields of plain text;
   - a message that nothing in the set applies to comes out as it went in;
   - the ladder has an end, and each of its rungs changes something;
   - applying the same set twice changes nothing more, unless raw bytes had to stay: what
     is left of an address may be read otherwise the second time;
   - whoever reads a plain field of UTF-8 reads the same as before it was encoded, and
     no encoded word of ours is longer than 75 octets (RFC 2047 section 2). */
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/repair.h"

static void insist(bool ok)
{
	if (!ok)
		abort();
}

static void spool_bytes(const struct intake *in, struct buf *out)
{
	char scratch[512];
	const char *bytes;
	uint64_t at = 0;
	struct err e;
	ssize_t n;

	while ((n = spool_at(&in->spool, at, scratch, sizeof(scratch), &bytes,
			     &e)) > 0) {
		buf_add(out, bytes, (size_t)n);
		at += (uint64_t)n;
	}
	insist(n == 0);
}

static void apply(const struct intake *from, unsigned repairs, struct intake *to,
		  struct buf *bytes)
{
	struct err e;

	intake_init(to);
	to->want_spool = true;
	insist(repair_apply(from, repairs, to, &e) == 0);
	spool_bytes(to, bytes);
	insist(bytes->len == to->wire_size);
}

static void check_mended(const struct intake *in, unsigned repairs)
{
	insist(!(repairs & REPAIR_NUL && in->nuls));
	insist(!(repairs & REPAIR_LONE_CR && in->lone_crs));
	insist(!(repairs & REPAIR_LAST_EOL && in->wire_size &&
		 !in->ends_with_eol));
}

/* Longer than the limit, and behind the header? Only a header of the usual length is
   held. */
static bool has_long_body_line(const struct intake *in, const struct buf *bytes)
{
	size_t at = in->header.raw.len, line = 0;

	for (; at < bytes->len; at++) {
		line = bytes->data[at] == '\n' ? 0 : line + 1;
		/* With the CR of the line end. */
		if (line > 999 || (line == 999 && bytes->data[at] != '\r'))
			return true;
	}
	return false;
}

static void climb(const struct intake *in, const struct buf *bytes)
{
	unsigned done = 0, rungs = 0;
	struct buf last = BUF_INIT, now = BUF_INIT;

	buf_add(&last, bytes->data, bytes->len);
	while ((done = repair_next(in, done))) {
		struct intake to;

		insist(++rungs <= 5);
		buf_reset(&now);
		apply(in, done, &to, &now);
		insist(!buf_equal(&last, &now));
		buf_reset(&last);
		buf_add(&last, now.data, now.len);
		intake_free(&to);
	}
	buf_free(&last);
	buf_free(&now);
}

static bool has_8bit(const char *s, size_t n)
{
	while (n--)
		if (s[n] & 0x80)
			return true;
	return false;
}

static void check_words(const char *s, size_t n)
{
	for (size_t i = 0; i + 10 < n; i++)
		if (!memcmp(s + i, "=?UTF-8?B?", 10)) {
			const char *end = memmem(s + i, n - i, "?=", 2);

			insist(end && end + 2 - (s + i) <= 75);
		}
}

/* The first Subject, which is plain text. */
static void check_reading(const struct intake *from, const struct intake *to)
{
	const struct header_field *a = header_find(&from->header, "Subject", 0);
	const struct header_field *b = header_find(&to->header, "Subject", 0);
	struct buf was = BUF_INIT, is = BUF_INIT;
	const char *s, *t;

	if (!a || !b)
		return;
	s = from->header.raw.data + a->value;
	t = to->header.raw.data + b->value;
	/* A NUL, lines that are no continuation, ...: not touched. */
	if (memchr(s, '\0', a->value_len) || memmem(s, a->value_len, "\n", 1))
		return;
	insist(!has_8bit(t, b->value_len));
	/* Other charsets are guessed, and of words that are there already the reader
	   may think what he likes. */
	if (!utf8_valid(s, a->value_len) || memchr(s, 033, a->value_len) ||
	    memmem(s, a->value_len, "=?", 2))
		return;
	check_words(t, b->value_len);
	utf8_add_header(&was, s, a->value_len);
	utf8_add_header(&is, t, b->value_len);
	insist(buf_equal(&was, &is));
	buf_free(&was);
	buf_free(&is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf before = BUF_INIT, once = BUF_INIT, twice = BUF_INIT;
	struct intake in, to, again;
	unsigned repairs;
	struct err e;

	if (size < 2)
		return 0;
	repairs = data[0] & 63;
	intake_init(&in);
	in.want_spool = true;
	insist(intake_add(&in, (const char *)data + 1, size - 1, &e) == 0);
	insist(intake_end(&in, &e) == 0);
	spool_bytes(&in, &before);
	climb(&in, &before);
	apply(&in, repairs, &to, &once);
	check_mended(&to, repairs);
	if (repairs & REPAIR_LONG_LINES)
		insist(!has_long_body_line(&to, &once));
	if (repairs == REPAIR_8BIT_HEADER)
		check_reading(&in, &to);
	if (!repair_next(&in, 0) && !(repairs & REPAIR_8BIT_HEADER && in.header_8bit))
		insist(buf_equal(&before, &once));
	if (!(repairs & REPAIR_8BIT_HEADER && to.header_8bit)) {
		apply(&to, repairs, &again, &twice);
		insist(buf_equal(&once, &twice));
		intake_free(&again);
	}
	intake_free(&in);
	intake_free(&to);
	buf_free(&before);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
