/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_SCAN_H
#define MAILHAUL_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What every byte of every message is looked at for, sixteen at a time: this has
   to cost little beside SHA-256. Private to intake.c and digest.c. */

typedef uint8_t scan_vec __attribute__((vector_size(16)));
enum {
	SCAN_VEC = 16,
	SCAN_STRIDE = 64,
	/* A counter per byte of the vector may go up 255 times. */
	SCAN_RUN = 255 * SCAN_VEC,
};

static inline scan_vec scan_load(const char *s)
{
	scan_vec v;

	memcpy(&v, s, sizeof(v));
	return v;
}

/* All ones where the byte is c. */
static inline scan_vec scan_is(scan_vec v, char c)
{
	return (scan_vec)(v == (uint8_t)c);
}

static inline uint64_t scan_sum(scan_vec v)
{
	uint64_t sum = 0;

	for (int i = 0; i < SCAN_VEC; i++)
		sum += v[i];
	return sum;
}

static inline int scan_any(scan_vec v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	return (half[0] | half[1]) != 0;
}

/* The place of the first byte that is all ones; SCAN_VEC if there is none. */
static inline size_t scan_first(scan_vec v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (half[0])
		return (size_t)__builtin_ctzll(half[0]) / 8;
	return half[1] ? 8 + (size_t)__builtin_ctzll(half[1]) / 8 : SCAN_VEC;
#else
	if (half[0])
		return (size_t)__builtin_clzll(half[0]) / 8;
	return half[1] ? 8 + (size_t)__builtin_clzll(half[1]) / 8 : SCAN_VEC;
#endif
}

struct scan_count {
	uint64_t lfs, crs, nuls;
};

static inline void scan_count(const char *s, size_t n, struct scan_count *c)
{
	*c = (struct scan_count){ .lfs = 0 };
	while (n >= SCAN_VEC) {
		size_t run = n < SCAN_RUN ? n / SCAN_VEC * SCAN_VEC : SCAN_RUN;
		scan_vec lf = { 0 }, cr = { 0 }, nul = { 0 };

		for (size_t i = 0; i < run; i += SCAN_VEC) {
			scan_vec v = scan_load(s + i);

			lf -= scan_is(v, '\n');
			cr -= scan_is(v, '\r');
			nul -= scan_is(v, '\0');
		}
		c->lfs += scan_sum(lf);
		c->crs += scan_sum(cr);
		c->nuls += scan_sum(nul);
		s += run;
		n -= run;
	}
	for (size_t i = 0; i < n; i++) {
		c->lfs += s[i] == '\n';
		c->crs += s[i] == '\r';
		c->nuls += s[i] == '\0';
	}
}

/* How often a is followed by b in s[0..n). */
static inline uint64_t scan_count_pairs(const char *s, size_t n, char a, char b)
{
	uint64_t count = 0;

	while (n > SCAN_VEC) {
		size_t run = (n - 1) / SCAN_VEC * SCAN_VEC;
		scan_vec pairs = { 0 };

		if (run > SCAN_RUN)
			run = SCAN_RUN;
		for (size_t i = 0; i < run; i += SCAN_VEC)
			pairs -= scan_is(scan_load(s + i), a) &
				 scan_is(scan_load(s + i + 1), b);
		count += scan_sum(pairs);
		s += run;
		n -= run;
	}
	for (size_t i = 0; i + 1 < n; i++)
		count += s[i] == a && s[i + 1] == b;
	return count;
}

/* Where the a is in s[from..n) that b follows, at or behind from; n if nowhere. */
static inline size_t scan_find_pair(const char *s, size_t from, size_t n, char a,
				    char b)
{
	scan_vec pairs, any;
	size_t end;

	for (; n - from > SCAN_STRIDE; from += SCAN_STRIDE) {
		end = from + SCAN_STRIDE;
		any = (scan_vec){ 0 };
		for (size_t i = from; i < end; i += SCAN_VEC)
			any |= scan_is(scan_load(s + i), a) &
			       scan_is(scan_load(s + i + 1), b);
		if (scan_any(any))
			break;
	}
	for (; n - from > SCAN_VEC; from += SCAN_VEC) {
		pairs = scan_is(scan_load(s + from), a) &
			scan_is(scan_load(s + from + 1), b);
		if (scan_any(pairs))
			return from + scan_first(pairs);
	}
	for (; from + 1 < n; from++)
		if (s[from] == a && s[from + 1] == b)
			return from;
	return n;
}

/* Copy n bytes with each CRLF as LF. Should the last one be a CR, the byte behind it
   is looked at as well. to has room for SCAN_VEC bytes more than are needed. Returns
   how many it became. */
static inline size_t scan_fold_crlf(char *to, const char *s, size_t n)
{
	char *begin = to;
	size_t cr;

	while (n >= SCAN_VEC) {
		memcpy(to, s, SCAN_VEC);
		cr = scan_first(scan_is(scan_load(s), '\r'));
		to += cr;
		s += cr;
		n -= cr;
		if (cr == SCAN_VEC)
			continue;
		to += s[1] != '\n';
		s++;
		n--;
	}
	for (; n; s++, n--)
		if (*s != '\r' || s[1] != '\n')
			*to++ = *s;
	return (size_t)(to - begin);
}

/* Copy n bytes with each LF that is not behind a CR as CRLF; cr: a CR came right in
   front of them. to has room for SCAN_VEC bytes more than are needed. Returns how
   many it became. */
static inline size_t scan_spread_crlf(char *to, const char *s, size_t n, bool cr)
{
	char *begin = to;
	size_t lf;

	while (n >= SCAN_VEC) {
		memcpy(to, s, SCAN_VEC);
		lf = scan_first(scan_is(scan_load(s), '\n'));
		to += lf;
		s += lf;
		n -= lf;
		if (lf)
			cr = s[-1] == '\r';
		if (lf == SCAN_VEC)
			continue;
		if (!cr)
			*to++ = '\r';
		*to++ = '\n';
		cr = false;
		s++;
		n--;
	}
	for (; n; s++, n--) {
		if (*s == '\n' && !cr)
			*to++ = '\r';
		cr = *s == '\r';
		*to++ = *s;
	}
	return (size_t)(to - begin);
}

#endif
