/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_SCAN_H
#define MAILHAUL_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every byte of every message is looked at for. Beside SHA-256, which
   takes 0.6 ns a byte where the processor helps, this has to cost little: hence
   blocks of bytes at a time, and as few branches as can be, for line lengths
   are chance. */

/* Bytes that a target needs behind what is written to it. */
enum { SCAN_SLACK = 32 };

/* How often c is in s[0..n). */
uint64_t scan_count(const char *s, size_t n, char c);
/* How often a is followed by b in s[0..n). */
uint64_t scan_count_pairs(const char *s, size_t n, char a, char b);
/* Where the first a that b follows is in s[from..n); n if nowhere. */
size_t scan_find_pair(const char *s, size_t from, size_t n, char a, char b);

/* Copy n bytes with each CRLF as LF. Should the last byte be a CR, the one
   behind it is looked at as well. Returns how many they became. */
size_t scan_fold_crlf(char *to, const char *s, size_t n);
/* Copy n bytes with each LF that is not behind a CR as CRLF; cr: a CR came
   right in front of them. Returns how many they became: at most twice as many.
 */
size_t scan_spread_crlf(char *to, const char *s, size_t n, bool cr);

/* Line lengths over a text that comes in pieces. */
struct scan_lines {
	uint64_t open; /* bytes since the last LF, CRs included */
	uint64_t
		longest; /* of the lines that have ended, without CR LF or LF */
	bool cr;	 /* the last byte was a CR */
};
/* all_crlf, all_lf: every LF of the piece has a CR in front of it, or none has
 * one. */
void scan_lines(struct scan_lines *l, const char *s, size_t n, bool all_crlf,
		bool all_lf);

#endif
