/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte scanning by vectors of sixteen, in the compilers' vector notation: the
   same source for every processor, but for what SSE2 has an instruction for. */
#include "core/base/scan.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef uint8_t vec __attribute__((vector_size(16)));
enum {
	VEC = 16,
	BLOCK = 64,
	/* A counter for each byte of a vector may go up 255 times. */
	RUN = 255 * VEC,
};

static inline vec load(const char *s)
{
	vec v;

	memcpy(&v, s, sizeof(v));
	return v;
}

/* All ones where the byte is c. */
static inline vec is(vec v, char c)
{
	return (vec)(v == (uint8_t)c);
}

/* One bit for each byte that is all ones, the first one lowest. */
static inline unsigned mask(vec v)
{
#ifdef __SSE2__
	return (unsigned)_mm_movemask_epi8((__m128i)v);
#else
	unsigned bits = 0;

	for (unsigned i = 0; i < VEC; i++)
		bits |= (v[i] & 1u) << i;
	return bits;
#endif
}

static inline uint64_t block_mask(const char *s, char c)
{
	uint64_t low = mask(is(load(s), c)) | mask(is(load(s + VEC), c)) << VEC;
	uint64_t high = mask(is(load(s + 2 * VEC), c)) |
			mask(is(load(s + 3 * VEC), c)) << VEC;

	return low | high << 2 * VEC;
}

static inline uint64_t sum(vec v)
{
	uint64_t total = 0;

	for (int i = 0; i < VEC; i++)
		total += v[i];
	return total;
}

uint64_t scan_count(const char *s, size_t n, char c)
{
	uint64_t count = 0;

	while (n >= VEC) {
		size_t run = n < RUN ? n / VEC * VEC : RUN;
		vec counts = { 0 };

		for (size_t i = 0; i < run; i += VEC)
			counts -= is(load(s + i), c);
		count += sum(counts);
		s += run;
		n -= run;
	}
	for (size_t i = 0; i < n; i++)
		count += s[i] == c;
	return count;
}

/* All ones where a is and b follows. Looks at one byte more than a vector. */
static inline vec pairs_at(const char *s, char a, char b)
{
	return is(load(s), a) & is(load(s + 1), b);
}

uint64_t scan_count_pairs(const char *s, size_t n, char a, char b)
{
	uint64_t count = 0;

	while (n > VEC) {
		size_t run = n <= RUN ? (n - 1) / VEC * VEC : RUN;
		vec counts = { 0 };

		for (size_t i = 0; i < run; i += VEC)
			counts -= pairs_at(s + i, a, b);
		count += sum(counts);
		s += run;
		n -= run;
	}
	for (size_t i = 0; i + 1 < n; i++)
		count += s[i] == a && s[i + 1] == b;
	return count;
}

size_t scan_find_pair(const char *s, size_t from, size_t n, char a, char b)
{
	unsigned pairs;

	for (; n - from > BLOCK; from += BLOCK)
		if (mask(pairs_at(s + from, a, b) |
			 pairs_at(s + from + VEC, a, b) |
			 pairs_at(s + from + 2 * VEC, a, b) |
			 pairs_at(s + from + 3 * VEC, a, b)))
			break;
	for (; n - from > VEC; from += VEC) {
		pairs = mask(pairs_at(s + from, a, b));
		if (pairs)
			return from + (unsigned)__builtin_ctz(pairs);
	}
	for (; from + 1 < n; from++)
		if (s[from] == a && s[from + 1] == b)
			return from;
	return n;
}

static char *fold_plainly(char *to, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\r' || s[i + 1] != '\n')
			*to++ = s[i];
	return to;
}

size_t scan_fold_crlf(char *to, const char *s, size_t n)
{
	char *begin = to;
	unsigned crlfs, at;

	/* A vector rarely holds more than one line end. Copy what is in front
	   of it (if there is none, all), then what is behind it over the CR. */
	for (; n > 2 * VEC; s += VEC, n -= VEC) {
		crlfs = mask(pairs_at(s, '\r', '\n'));
		if (crlfs & (crlfs - 1)) {
			to = fold_plainly(to, s, VEC);
			continue;
		}
		at = (unsigned)__builtin_ctz(crlfs | 1u << VEC);
		memcpy(to, s, VEC);
		memcpy(to + at, s + at + 1, VEC);
		to += VEC - !!crlfs;
	}
	return (size_t)(fold_plainly(to, s, n) - begin);
}

static char *spread_plainly(char *to, const char *s, size_t n, bool cr)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' && !cr)
			*to++ = '\r';
		*to++ = s[i];
		cr = s[i] == '\r';
	}
	return to;
}

size_t scan_spread_crlf(char *to, const char *s, size_t n, bool cr)
{
	char *begin = to;
	unsigned lfs, at;

	if (n) {
		to = spread_plainly(to, s, 1, cr);
		s++;
		n--;
	}
	/* As above: copy what is in front of the LF, a CR, and the rest. */
	for (; n > 2 * VEC; s += VEC, n -= VEC) {
		lfs = mask(is(load(s), '\n') & ~is(load(s - 1), '\r'));
		if (lfs & (lfs - 1)) {
			to = spread_plainly(to, s, VEC, s[-1] == '\r');
			continue;
		}
		at = (unsigned)__builtin_ctz(lfs | 1u << VEC);
		memcpy(to, s, VEC);
		to[at] = '\r';
		memcpy(to + at + 1, s + at, VEC);
		to += VEC + !!lfs;
	}
	to = spread_plainly(to, s, n, n && s[-1] == '\r');
	return (size_t)(to - begin);
}

static void end_line(struct scan_lines *l, uint64_t len)
{
	if (len > l->longest)
		l->longest = len;
	l->open = 0;
}

/* Of the lines within a block none is longer than the longest, so that only the
   one that ends in it matters. Returns how far that went. */
static size_t lines_by_block(struct scan_lines *l, const char *s, size_t n,
			     unsigned eol)
{
	uint64_t open = l->open, longest = l->longest, lfs, len;
	size_t at = 0;

	for (; n - at >= BLOCK; at += BLOCK) {
		lfs = block_mask(s + at, '\n');
		if (!lfs) {
			open += BLOCK;
			continue;
		}
		len = open + (unsigned)__builtin_ctzll(lfs) - eol;
		longest = len > longest ? len : longest;
		open = (unsigned)__builtin_clzll(lfs);
	}
	l->open = open;
	l->longest = longest;
	return at;
}

/* The first LF that matters: the one that ends the line at s, or, as no line
   within the length of the longest can be longer, the last one within it. */
static const char *deciding_lf(const struct scan_lines *l, const char *s,
			       size_t n)
{
	size_t len = l->longest < n ? (size_t)l->longest : n;
	const char *lf;

	if (l->open)
		return memchr(s, '\n', n);
	if (n <= len + 1)
		return memrchr(s, '\n', n);
	/* As long as the longest, the usual case of encoded bodies. */
	if (s[len] == '\n')
		return s + len;
	if (s[len] == '\r' && s[len + 1] == '\n')
		return s + len + 1;
	lf = memrchr(s, '\n', len);
	return lf ? lf : memchr(s + len, '\n', n - len);
}

void scan_lines(struct scan_lines *l, const char *s, size_t n, bool all_crlf,
		bool all_lf)
{
	const char *end = s + n, *lf;
	bool cr = l->cr;

	if (!n)
		return;
	if (l->longest >= BLOCK && (all_crlf || all_lf)) {
		s += lines_by_block(l, s, n, all_crlf);
		if (s < end && end - s < (ptrdiff_t)n)
			cr = s[-1] == '\r';
	}
	while (s < end && (lf = deciding_lf(l, s, (size_t)(end - s)))) {
		if (lf > s)
			cr = lf[-1] == '\r';
		end_line(l, l->open + (size_t)(lf - s) - cr);
		cr = false;
		s = lf + 1;
	}
	l->open += (size_t)(end - s);
	l->cr = end[-1] == '\r';
}
