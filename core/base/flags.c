/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flags and keywords of one message, and their text in IMAP's spelling. */
#include "core/base/flags.h"
#include "core/base/ascii.h"

#include <string.h>

static const struct {
	unsigned bit;
	const char *text;
} system_flags[] = {
	{ .bit = FLAG_SEEN, .text = "\\Seen" },
	{ .bit = FLAG_ANSWERED, .text = "\\Answered" },
	{ .bit = FLAG_FLAGGED, .text = "\\Flagged" },
	{ .bit = FLAG_DRAFT, .text = "\\Draft" },
};
enum { SYSTEM_FLAGS = sizeof(system_flags) / sizeof(system_flags[0]) };

void flags_init(struct flags *f)
{
	*f = (struct flags)FLAGS_INIT;
}

void flags_free(struct flags *f)
{
	buf_free(&f->keywords);
	flags_init(f);
}

void flags_reset(struct flags *f)
{
	f->system = 0;
	buf_reset(&f->keywords);
}

/* RFC 9051: flag-keyword is an atom; a leading backslash is no part of one. */
static bool is_atom(const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)word[i];

		if (c <= ' ' || c >= 0x7F || strchr("(){%*\"\\]", c))
			return false;
	}
	return n > 0;
}

int flags_add_keyword(struct flags *f, const char *word, size_t n)
{
	struct buf fresh = BUF_INIT;
	const char *at = NULL;
	size_t before;
	int order = 1;

	if (!is_atom(word, n))
		return -1;
	buf_add(&fresh, word, n);
	while ((at = flags_next_keyword(f, at))) {
		order = ascii_compare(at, fresh.data);
		if (order >= 0)
			break;
	}
	if (at && order == 0)
		goto out;
	before = at ? (size_t)(at - f->keywords.data) : f->keywords.len;
	buf_add_char(&fresh, '\0');
	buf_add(&fresh, f->keywords.data + before, f->keywords.len - before);
	buf_cut(&f->keywords, before);
	buf_add(&f->keywords, fresh.data, fresh.len);
out:
	buf_free(&fresh);
	return 0;
}

void flags_unite(struct flags *f, const struct flags *other)
{
	const char *word = NULL;

	f->system |= other->system;
	while ((word = flags_next_keyword(other, word)))
		flags_add_keyword(f, word, strlen(word));
}

bool flags_equal(const struct flags *a, const struct flags *b)
{
	return a->system == b->system && a->keywords.len == b->keywords.len &&
	       ascii_same_n(a->keywords.data, b->keywords.data,
			    a->keywords.len);
}

const char *flags_next_keyword(const struct flags *f, const char *word)
{
	const char *end = f->keywords.data + f->keywords.len;

	word = word ? word + strlen(word) + 1 : f->keywords.data;
	return word < end ? word : NULL;
}

bool flags_has_keyword(const struct flags *f, const char *word)
{
	const char *at = NULL;

	while ((at = flags_next_keyword(f, at)))
		if (!ascii_compare(at, word))
			return true;
	return false;
}

static void add_word(struct buf *out, size_t begin, const char *word)
{
	if (out->len > begin)
		buf_add_char(out, ' ');
	buf_add_str(out, word);
}

void flags_add_text(struct buf *out, const struct flags *f)
{
	const char *word = NULL;
	size_t begin = out->len;

	for (size_t i = 0; i < SYSTEM_FLAGS; i++)
		if (f->system & system_flags[i].bit)
			add_word(out, begin, system_flags[i].text);
	while ((word = flags_next_keyword(f, word)))
		add_word(out, begin, word);
}

static void parse_word(struct flags *f, const char *word, size_t n)
{
	if (word[0] != '\\') {
		flags_add_keyword(f, word, n);
		return;
	}
	for (size_t i = 0; i < SYSTEM_FLAGS; i++)
		if (ascii_same(word, n, system_flags[i].text))
			f->system |= system_flags[i].bit;
}

void flags_parse(struct flags *f, const char *text, size_t n)
{
	size_t begin = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && text[i] != ' ')
			continue;
		if (i > begin)
			parse_word(f, text + begin, i - begin);
		begin = i + 1;
	}
}
