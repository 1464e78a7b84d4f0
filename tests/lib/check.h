/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_CHECK_H
#define MAILHAUL_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test program's main() calls its checks and returns check_done(). */
static unsigned check_count, check_failures;

static inline void check_report(int ok, const char *file, int line,
				const char *what)
{
	check_count++;
	if (ok)
		return;
	check_failures++;
	printf("%s:%d: failed: %s\n", file, line, what);
}

/* "what" names the case when cases stand in a table. */
#define CHECK(cond) check_report(!!(cond), __FILE__, __LINE__, #cond)
#define CHECK_CASE(what, cond) check_report(!!(cond), __FILE__, __LINE__, what)
#define CHECK_STR(got, want)                                                   \
	do {                                                                   \
		const char *check_got = (got), *check_want = (want);           \
		int check_same = !strcmp(check_got, check_want);               \
		check_report(check_same, __FILE__, __LINE__, #got);            \
		if (!check_same)                                               \
			printf("  got  \"%s\"\n  want \"%s\"\n", check_got,    \
			       check_want);                                    \
	} while (0)

static inline int check_done(void)
{
	if (!check_count) {
		printf("no check ran\n");
		return 1;
	}
	printf("%u checks, %u failed\n", check_count, check_failures);
	return check_failures != 0;
}

#endif
