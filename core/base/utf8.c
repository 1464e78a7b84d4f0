/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8, its normal form, and modified UTF-7. */
#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/base/utf8_private.h"

size_t utf8_decode_one(const char *s, size_t n, uint32_t *c_r)
{
	unsigned char b = byte_at(s, 0), low = 0x80, high = 0xBF;
	size_t len;
	uint32_t c;

	if (b < 0x80) {
		*c_r = b;
		return 1;
	}
	if (b < 0xC2 || b > 0xF4)
		return 0;
	len = b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
	if (len > n)
		return 0;
	if (b == 0xE0)
		low = 0xA0;
	else if (b == 0xED)
		high = 0x9F;
	else if (b == 0xF0)
		low = 0x90;
	else if (b == 0xF4)
		high = 0x8F;
	if (byte_at(s, 1) < low || byte_at(s, 1) > high)
		return 0;
	c = b & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((byte_at(s, i) & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (byte_at(s, i) & 0x3F);
	}
	*c_r = c;
	return len;
}

void utf8_add_code(struct buf *out, uint32_t c)
{
	utf8proc_uint8_t bytes[4];

	buf_add(out, bytes,
		(size_t)utf8proc_encode_char((utf8proc_int32_t)c, bytes));
}

bool utf8_valid(const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode_one(s + i, n - i, &c);
		if (!len)
			return false;
	}
	return true;
}

void utf8_add_repaired(struct buf *out, const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode_one(s + i, n - i, &c);
		if (len)
			buf_add(out, s + i, len);
		else
			buf_add_str(out, UTF8_REPLACEMENT);
		len += !len;
	}
}

bool utf8_is_ascii(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (byte_at(s, i) > 0x7F)
			return false;
	return true;
}

void utf8_add_nfc(struct buf *out, const char *s, size_t n)
{
	const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	const utf8proc_uint8_t *u = (const utf8proc_uint8_t *)s;
	utf8proc_int32_t *chars = NULL;
	utf8proc_ssize_t len;

	if (utf8_is_ascii(s, n) || !utf8_valid(s, n)) {
		buf_add(out, s, n);
		return;
	}
	/* utf8proc_map in its two steps, so that memory comes from mem_alloc.
	   The result ends with a NUL, in one more place than characters. */
	len = utf8proc_decompose(u, (utf8proc_ssize_t)n, NULL, 0, how);
	if (len > 0) {
		chars = mem_alloc(((size_t)len + 1) * sizeof(*chars));
		len = utf8proc_decompose(u, (utf8proc_ssize_t)n, chars, len,
					 how);
	}
	if (len > 0)
		len = utf8proc_reencode(chars, len, how);
	if (len > 0)
		buf_add(out, chars, (size_t)len);
	else
		buf_add(out, s, n);
	free(chars);
}

static const char mutf7_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+,";

/* UTF-16 units on their way to base64, or back. */
struct mutf7 {
	uint32_t bits;
	unsigned held; /* how many of bits are still to be written or read */
	bool shifted;
};

static void mutf7_add_unit(struct buf *out, struct mutf7 *m, uint32_t unit)
{
	if (!m->shifted)
		buf_add_char(out, '&');
	m->shifted = true;
	m->bits = m->bits << 16 | unit;
	m->held += 16;
	while (m->held >= 6) {
		m->held -= 6;
		buf_add_char(out, mutf7_alphabet[m->bits >> m->held & 63]);
	}
}

static void mutf7_end_shift(struct buf *out, struct mutf7 *m)
{
	if (!m->shifted)
		return;
	if (m->held)
		buf_add_char(out,
			     mutf7_alphabet[m->bits << (6 - m->held) & 63]);
	buf_add_char(out, '-');
	*m = (struct mutf7){ 0 };
}

void utf8_to_mutf7(struct buf *out, const char *s, size_t n)
{
	struct mutf7 m = { 0 };
	uint32_t c;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode_one(s + i, n - i, &c);
		if (!len) {
			c = 0xFFFD;
			len = 1;
		}
		if (c >= 0x20 && c <= 0x7E) {
			mutf7_end_shift(out, &m);
			buf_add_char(out, (char)c);
			if (c == '&')
				buf_add_char(out, '-');
		} else if (c < 0x10000) {
			mutf7_add_unit(out, &m, c);
		} else {
			mutf7_add_unit(out, &m, 0xD800 | (c - 0x10000) >> 10);
			mutf7_add_unit(out, &m, 0xDC00 | (c & 0x3FF));
		}
	}
	mutf7_end_shift(out, &m);
}

/* Take one UTF-16 unit of a shifted run; *high is the first half of a pair, or
   0. What could stand there by itself has no business in a run, and no name has
   a NUL. */
static int mutf7_take_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	bool low = unit >= 0xDC00 && unit <= 0xDFFF;

	if (low != (*high != 0) || !unit || (unit >= 0x20 && unit <= 0x7E))
		return -1;
	if (unit >= 0xD800 && unit <= 0xDBFF) {
		*high = unit;
		return 0;
	}
	utf8_add_code(out, low ? 0x10000 + ((*high & 0x3FF) << 10) + (unit & 0x3FF)
			  : unit);
	*high = 0;
	return 0;
}

/* Decode the run behind an '&'. Returns its length with the '-', or 0. */
static size_t mutf7_run(struct buf *out, const char *s, size_t n)
{
	struct mutf7 m = { 0 };
	uint32_t high = 0;
	size_t i;

	for (i = 0; i < n && s[i] != '-'; i++) {
		const char *p = s[i] ? strchr(mutf7_alphabet, s[i]) : NULL;

		if (!p)
			return 0;
		m.bits = (m.bits << 6 | (uint32_t)(p - mutf7_alphabet)) &
			 0x3FFFFF;
		m.held += 6;
		if (m.held < 16)
			continue;
		m.held -= 16;
		if (mutf7_take_unit(out, m.bits >> m.held & 0xFFFF, &high) < 0)
			return 0;
	}
	/* It ends, with no half pair and only zeros for padding, and the next
	   run is not glued to it: only so a name has one spelling. */
	if (i == n || high || m.held >= 6 || m.bits & ((1u << m.held) - 1) ||
	    (i + 2 < n && s[i + 1] == '&' && s[i + 2] != '-'))
		return 0;
	return i + 1;
}

int utf8_from_mutf7(struct buf *out, const char *s, size_t n)
{
	size_t start = out->len;

	for (size_t i = 0; i < n; i++) {
		size_t len;

		if (s[i] < 0x20 || s[i] == 0x7F || byte_at(s, i) > 0x7F)
			goto bad;
		if (s[i] != '&' || (i + 1 < n && s[i + 1] == '-')) {
			buf_add_char(out, s[i]);
			i += s[i] == '&';
			continue;
		}
		len = mutf7_run(out, s + i + 1, n - i - 1);
		if (!len)
			goto bad;
		i += len;
	}
	return 0;
bad:
	buf_cut(out, start);
	return -1;
}

int utf8_width(const char *s, size_t n)
{
	int width = 0;
	uint32_t c;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode_one(s + i, n - i, &c);
		width += len ? utf8proc_charwidth((utf8proc_int32_t)c) : 1;
		len += !len;
	}
	return width;
}
