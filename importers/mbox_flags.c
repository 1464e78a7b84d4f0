/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status headers of mbox writers: formats.md section 1.5. */
#include "importers/mbox_reader.h"

#include <string.h>

/* Beside FLAG_SEEN and its like. */
enum { STATUS_DELETED = 1 << 16 };

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

void mbox_keywords_from_header(const struct header *h, struct flags *f)
{
	const struct header_field *field = header_find(h, "X-Keywords", 0);
	const char *s, *end, *word;

	if (!field)
		return;
	s = h->raw.data + field->value;
	end = s + field->value_len;
	while (s < end) {
		while (s < end && is_blank(*s))
			s++;
		for (word = s; s < end && !is_blank(*s); s++)
			;
		if (s > word)
			flags_add_keyword(f, word, (size_t)(s - word));
	}
}
