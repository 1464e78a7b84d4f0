/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status headers of mbox writers: formats.md section 1.5. */
#include "importers/mbox_reader.h"

#include <string.h>

#include "core/base/ascii.h"

/* Beside FLAG_SEEN and its like. */
enum { STATUS_DELETED = 1 << 16 };
/* Of a file, and of a message: c-client has 30, and nobody sorts by more. */
enum { KEYWORDS_MAX = 256 };

static const struct {
	const char *field;
	char letter;
	unsigned means;
} letters[] = {
	/* O, "not recent", is no \Seen: so say c-client, Dovecot and mutt. */
	{ .field = "Status", .letter = 'R', .means = FLAG_SEEN },
	{ .field = "X-Status", .letter = 'A', .means = FLAG_ANSWERED },
	{ .field = "X-Status", .letter = 'F', .means = FLAG_FLAGGED },
	{ .field = "X-Status", .letter = 'T', .means = FLAG_DRAFT },
	{ .field = "X-Status", .letter = 'D', .means = STATUS_DELETED },
};

void mbox_flags_from_header(const struct header *h, struct flags *f,
			    bool *deleted_r)
{
	unsigned means = 0;

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		const struct header_field *field =
			header_find(h, letters[i].field, 0);

		if (field && memchr(h->raw.data + field->value,
				    letters[i].letter, field->value_len))
			means |= letters[i].means;
	}
	*deleted_r = means & STATUS_DELETED;
	f->system |= means & ~(unsigned)STATUS_DELETED;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool next_word(const char **s, const char *end, const char **word,
		      size_t *n)
{
	while (*s < end && is_blank(**s))
		++*s;
	*word = *s;
	while (*s < end && !is_blank(**s))
		++*s;
	*n = (size_t)(*s - *word);
	return *n > 0;
}

static bool is_number(const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!ascii_is_digit(word[i]))
			return false;
	return n > 0 && n <= 10;
}

bool mbox_keywords_of_file(const char *value, size_t n, struct flags *known)
{
	const char *s = value, *end = value + n, *word;
	size_t len;

	for (int i = 0; i < 2; i++)
		if (!next_word(&s, end, &word, &len) || !is_number(word, len))
			return false;
	for (int i = 0; i < KEYWORDS_MAX && next_word(&s, end, &word, &len);
	     i++)
		flags_add_keyword(known, word, len);
	return true;
}

static bool is_known(const struct flags *known, const char *word, size_t n)
{
	for (const char *k = NULL; (k = flags_next_keyword(known, k));)
		if (ascii_same(word, n, k))
			return true;
	return false;
}

bool mbox_keywords_are_state(const char *value, size_t n,
			     const struct flags *known)
{
	const char *s = value, *end = value + n, *word;
	bool any = false;
	size_t len;

	for (int i = 0; i < KEYWORDS_MAX && next_word(&s, end, &word, &len);
	     i++) {
		if (is_known(known, word, len))
			return true;
		any = true;
	}
	return !any; /* c-client pads an empty one with blanks */
}

void mbox_keywords_from_header(const struct header *h,
			       const struct flags *known, struct flags *f)
{
	const struct header_field *field = header_find(h, "X-Keywords", 0);
	const char *s, *end, *word;
	size_t n;

	if (!field)
		return;
	s = h->raw.data + field->value;
	end = s + field->value_len;
	for (int i = 0; i < KEYWORDS_MAX && next_word(&s, end, &word, &n); i++)
		if (is_known(known, word, n))
			flags_add_keyword(f, word, n);
}
