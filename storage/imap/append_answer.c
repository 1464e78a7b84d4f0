/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the answers to APPEND. */
#include "storage/imap/append_answer.h"

#include <string.h>
#include <strings.h>

/* Read a decimal number from 1 to most at *at (before end) and move behind it.
 */
static bool read_number(const char **at, const char *end, uint64_t most,
			uint64_t *n_r)
{
	const char *from = *at;
	uint64_t n = 0;

	for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
		uint64_t digit = (uint64_t)(**at - '0');

		if (n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*n_r = n;
	return *at > from && n > 0;
}

static bool begins(const char *text, const char *word)
{
	return !strncasecmp(text, word, strlen(word));
}

/* "OK", "OK " and "OK text" are OK, "OKAY" is not. */
static bool is_word(const char *text, const char *word)
{
	return begins(text, word) &&
	       (text[strlen(word)] == ' ' || !text[strlen(word)]);
}

static void parse_appenduid(const char *text, struct append_answer *a)
{
	static const char code[] = "OK [APPENDUID ";
	const char *at = text + sizeof(code) - 1, *end;
	uint64_t validity;

	if (!begins(text, code))
		return;
	end = strchr(at, ']');
	if (!end || !read_number(&at, end, UINT32_MAX, &validity) || *at != ' ')
		return;
	a->uidvalidity = (uint32_t)validity;
	a->set = at + 1;
	a->set_len = (size_t)(end - a->set);
}

static void parse_tagged(const char *line, struct append_answer *a)
{
	const char *at = line + 1;

	/* "A012" is not what we said. */
	if (*at == '0' ||
	    !read_number(&at, at + strlen(at), UINT64_MAX, &a->tag) ||
	    *at != ' ')
		return;
	a->text = at + 1;
	if (is_word(a->text, "OK"))
		a->kind = ANSWER_OK;
	else if (is_word(a->text, "NO"))
		a->kind = ANSWER_NO;
	else if (is_word(a->text, "BAD"))
		a->kind = ANSWER_BAD;
	if (a->kind == ANSWER_OK)
		parse_appenduid(a->text, a);
}

void append_answer_parse(const char *line, struct append_answer *a_r)
{
	*a_r = (struct append_answer){ .kind = ANSWER_STRANGE, .text = line };
	if (line[0] == '+' && (line[1] == ' ' || !line[1])) {
		/* Some servers leave the blank and the text out. */
		a_r->kind = ANSWER_GO_AHEAD;
		a_r->text = line + 1 + (line[1] == ' ');
	} else if (line[0] == '*' && line[1] == ' ') {
		a_r->text = line + 2;
		a_r->kind = is_word(a_r->text, "BYE") ? ANSWER_BYE
						      : ANSWER_UNTAGGED;
	} else if (line[0] == 'A') {
		parse_tagged(line, a_r);
	}
}

/* One "12" or "12:15" into lo and hi, lo <= hi. */
static bool read_range(const char **at, const char *end, uint64_t *lo,
		       uint64_t *hi)
{
	uint64_t other;

	if (!read_number(at, end, UINT32_MAX, lo))
		return false;
	*hi = *lo;
	if (*at == end || **at != ':')
		return true;
	++*at;
	if (!read_number(at, end, UINT32_MAX, &other))
		return false;
	if (other < *lo)
		*lo = other;
	else
		*hi = other;
	return true;
}

bool append_answer_uids(const char *set, size_t len, uint32_t *uids, size_t n)
{
	const char *at = set, *end = set + len;
	uint64_t lo, hi, last = 0;
	size_t done = 0;

	for (;;) {
		if (!read_range(&at, end, &lo, &hi) || lo <= last ||
		    hi - lo + 1 > n - done)
			return false;
		for (; lo <= hi; lo++)
			uids[done++] = (uint32_t)lo;
		last = hi;
		if (at == end)
			return done == n;
		if (*at++ != ',')
			return false;
	}
}
