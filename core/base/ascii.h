/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_ASCII_H
#define MAILHAUL_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Comparisons without case that do not depend on the locale: in a Turkish one
   tolower('I') is not 'i', and protocols know ASCII only. */

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static inline bool ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* a[0..n) and b[0..n). */
static inline bool ascii_same_n(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

/* a[0..n) and the string b. */
static inline bool ascii_same(const char *a, size_t n, const char *b)
{
	return strlen(b) == n && ascii_same_n(a, b, n);
}

/* Like strcmp, without case. */
static inline int ascii_compare(const char *a, const char *b)
{
	while (*a && ascii_lower(*a) == ascii_lower(*b))
		a++, b++;
	return (unsigned char)ascii_lower(*a) - (unsigned char)ascii_lower(*b);
}

#endif
