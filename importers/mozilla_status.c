/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X-Mozilla-Status and its relatives: formats.md section 2.5. */
#include "importers/mozilla_status.h"

#include <string.h>

const char *const mozilla_leading_fields[] = {
	"X-Account-Key",     "X-UIDL",	       "X-Mozilla-Status",
	"X-Mozilla-Status2", "X-Mozilla-Keys", NULL,
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly digits hex digits between blanks, or nothing. */
static bool read_hex(const struct header *h, const char *name, size_t digits,
		     uint32_t *value_r)
{
	const struct header_field *field = header_find(h, name, 0);
	const char *s, *end;
	uint32_t value = 0;

	if (!field)
		return false;
	s = h->raw.data + field->value;
	end = s + field->value_len;
	while (s < end && is_blank(*s))
		s++;
	while (end > s && is_blank(end[-1]))
		end--;
	if ((size_t)(end - s) != digits)
		return false;
	for (; s < end; s++) {
		int digit = hex_digit(*s);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*value_r = value;
	return true;
}

bool mozilla_status_read(const struct header *h, uint32_t *status_r)
{
	uint32_t low, high = 0;

	if (!read_hex(h, "X-Mozilla-Status", 4, &low))
		return false;
	read_hex(h, "X-Mozilla-Status2", 8, &high);
	*status_r = low | (high & 0xFFFF0000);
	return true;
}

void mozilla_status_set(struct message *m, uint32_t status)
{
	static const struct {
		uint32_t bit;
		unsigned system;
		const char *keyword;
		unsigned note;
	} bits[] = {
		{ .bit = MOZILLA_READ, .system = FLAG_SEEN },
		{ .bit = MOZILLA_REPLIED, .system = FLAG_ANSWERED },
		{ .bit = MOZILLA_MARKED, .system = FLAG_FLAGGED },
		{ .bit = MOZILLA_FORWARDED, .keyword = "$Forwarded" },
		{ .bit = MOZILLA_MDN_SENT, .keyword = "$MDNSent" },
		{ .bit = MOZILLA_PARTIAL, .note = NOTE_PARTIAL },
		{ .bit = MOZILLA_QUEUED, .note = NOTE_QUEUED },
	};
	char label[] = "$label0";
	unsigned n = (status & MOZILLA_LABELS) >> 25;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (!(status & bits[i].bit))
			continue;
		m->flags.system |= bits[i].system;
		m->notes |= bits[i].note;
		if (bits[i].keyword)
			flags_add_keyword(&m->flags, bits[i].keyword,
					  strlen(bits[i].keyword));
	}
	if (n >= 1 && n <= 5) {
		label[6] = (char)('0' + n);
		flags_add_keyword(&m->flags, label, 7);
	}
	/* Not MOZILLA_IMAP_DELETED: Thunderbird still lists those. */
	if ((status & MOZILLA_EXPUNGED) && m->skip == SKIP_NOT)
		m->skip = SKIP_DELETED;
}

void mozilla_keywords_add(struct flags *f, const char *s, size_t n)
{
	const char *end = s + n, *word;

	while (s < end) {
		while (s < end && is_blank(*s))
			s++;
		for (word = s; s < end && !is_blank(*s); s++)
			;
		if (s > word)
			flags_add_keyword(f, word, (size_t)(s - word));
	}
}

static bool all_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_blank(s[i]))
			return false;
	return true;
}

void mozilla_status_apply(const struct header *h, struct message *m)
{
	const struct header_field *field;
	uint32_t status;

	if (mozilla_status_read(h, &status))
		mozilla_status_set(m, status);
	for (unsigned nth = 0; (field = header_find(h, "X-Mozilla-Keys", nth));
	     nth++) {
		const char *value = h->raw.data + field->value;

		if (all_blank(value, field->value_len))
			continue;
		mozilla_keywords_add(&m->flags, value, field->value_len);
		break;
	}
}
