/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a list of Courier's keywords says: each message that it names gets just the
   words whose numbers its last line has, found here by plain counting, and a message that
   it does not name gets none. */
#include "importers/maildir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* The nth line from the text's beginning, or NULL. */
static const char *line_at(const char *text, size_t n, size_t nth, size_t *n_r)
{
	const char *end = text + n;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		*n_r = (size_t)((stop ? stop : end) - text);
		if (!nth--)
			return text;
		if (!stop)
			break;
		text = stop + 1;
	}
	return NULL;
}

static size_t count_words(const char *text, size_t n)
{
	size_t words = 0, len;

	while (line_at(text, n, words, &len) && len)
		words++;
	return words;
}

/* The word whose number these digits are; leading zeros do not count. */
static void add_numbered(const char *text, size_t n, const char *digits,
			 size_t n_digits, struct flags *f)
{
	size_t words = count_words(text, n), len;

	while (n_digits > 1 && digits[0] == '0') {
		digits++;
		n_digits--;
	}
	for (size_t w = 0; w < words; w++) {
		char number[24];
		int n_number = snprintf(number, sizeof(number), "%zu", w);
		const char *word = line_at(text, n, w, &len);

		if (n_digits == (size_t)n_number &&
		    !memcmp(digits, number, n_digits))
			flags_add_keyword(f, word, len);
	}
}

static void add_expected(const char *text, size_t n, const char *numbers,
			 size_t n_numbers, struct flags *f)
{
	for (size_t i = 0; i < n_numbers;) {
		size_t from = i;

		while (i < n_numbers && numbers[i] >= '0' && numbers[i] <= '9')
			i++;
		if (i > from)
			add_numbered(text, n, numbers + from, i - from, f);
		else
			i++;
	}
}

static void check_message(const struct maildir_courier *c, const char *text,
			  size_t n, const char *name, size_t n_name)
{
	struct flags got = FLAGS_INIT, want = FLAGS_INIT;
	const char *last = NULL, *line;
	size_t n_last = 0, len;

	for (size_t i = count_words(text, n) + 1;
	     (line = line_at(text, n, i, &len)); i++)
		if (len > n_name && line[n_name] == ':' &&
		    !memcmp(line, name, n_name) &&
		    !memchr(line, ':', n_name)) {
			last = line + n_name + 1;
			n_last = len - n_name - 1;
		}
	if (last)
		add_expected(text, n, last, n_last, &want);
	maildir_courier_flags(c, NULL, "", name, n_name, &got);
	must(flags_equal(&got, &want));
	flags_free(&got);
	flags_free(&want);
}

/* Input: the text of a ":list". */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line;
	struct maildir_courier c;
	size_t len;

	if (size > 1024) /* what is here is quadratic */
		size = 1024;
	maildir_courier_init(&c);
	maildir_courier_parse(&c, text, size);
	for (size_t i = 0; (line = line_at(text, size, i, &len)); i++) {
		const char *colon = memchr(line, ':', len);

		check_message(&c, text, size, line, len);
		if (colon)
			check_message(&c, text, size, line,
				      (size_t)(colon - line));
	}
	check_message(&c, text, size, "none", 4);
	maildir_courier_free(&c);
	return 0;
}
