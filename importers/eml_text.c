/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file with one message begins with, and what was put in front of it. */
#include "importers/eml.h"

#include "core/base/utf8.h"

#include <string.h>

#include "core/base/ascii.h"
#include "core/base/date.h"

enum {
	FIELDS_LOOK = 64, /* lines that are looked at for a field */
	REPLACEMENT = 0xFFFD,
};

/* --- UTF-16 --- */

enum eml_coding eml_coding_of(const char *head, size_t n, size_t *skip_r)
{
	*skip_r = 0;
	if (n >= 3 && !memcmp(head, "\xEF\xBB\xBF", 3)) {
		*skip_r = 3;
		return EML_UTF8_MARK;
	}
	if (n >= 2 && !memcmp(head, "\xFF\xFE", 2)) {
		*skip_r = 2;
		return EML_UTF16_LE;
	}
	if (n >= 2 && !memcmp(head, "\xFE\xFF", 2)) {
		*skip_r = 2;
		return EML_UTF16_BE;
	}
	if (n < 8)
		return EML_BYTES;
	/* Four ASCII letters in a row. */
	for (int big = 0; big < 2; big++) {
		size_t letters = 0;

		while (letters < 4 && !head[letters * 2 + !big] &&
		       head[letters * 2 + (size_t)big] > ' ')
			letters++;
		if (letters == 4)
			return big ? EML_UTF16_BE : EML_UTF16_LE;
	}
	return EML_BYTES;
}

static void add_unit(struct eml_utf16 *d, uint32_t unit, struct buf *out)
{
	bool low = unit >= 0xDC00 && unit < 0xE000;

	if (d->high && low) {
		utf8_add_code(out, 0x10000 + ((d->high - 0xD800) << 10) +
					   (unit - 0xDC00));
		d->high = 0;
		return;
	}
	if (d->high)
		utf8_add_code(out, REPLACEMENT);
	d->high = unit >= 0xD800 && unit < 0xDC00 ? unit : 0;
	if (!d->high)
		utf8_add_code(out, low ? REPLACEMENT : unit);
}

void eml_utf16_add(struct eml_utf16 *d, const char *bytes, size_t n,
		   struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)bytes[i];

		if (d->have)
			add_unit(d,
				 d->big ? (uint32_t)d->half << 8 | b
					: (uint32_t)b << 8 | d->half,
				 out);
		d->half = b;
		d->have = !d->have;
	}
}

void eml_utf16_end(struct eml_utf16 *d, struct buf *out)
{
	if (d->high)
		utf8_add_code(out, REPLACEMENT);
	if (d->have)
		utf8_add_code(out, REPLACEMENT);
	d->high = 0;
	d->have = false;
}

/* --- what is in front --- */

/* The length of the line, line end included; *text_r: without it. */
static size_t line_at(const char *s, size_t n, size_t *text_r)
{
	const char *lf = memchr(s, '\n', n);
	size_t len = lf ? (size_t)(lf - s) + 1 : n, text = lf ? len - 1 : len;

	if (text && s[text - 1] == '\r')
		text--;
	*text_r = text;
	return len;
}

/* The length of the field name that the line begins with; 0 if it is no field. */
static size_t field_name(const char *line, size_t n)
{
	size_t i = 0, len;

	while (i < n && line[i] > ' ' && line[i] < 0x7F && line[i] != ':')
		i++;
	len = i;
	while (i < n && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i < n && line[i] == ':' ? len : 0;
}

static bool is_separator(const char *line, size_t n)
{
	size_t quoted = n && line[0] == '>';

	return n >= 5 + quoted && !memcmp(line + quoted, "From ", 5) &&
	       !field_name(line, n);
}

void eml_debris_find(const char *text, size_t n, struct eml_debris *d_r)
{
	size_t at = 0, len, line;

	*d_r = (struct eml_debris){ .date = DATE_NONE };
	len = line_at(text, n, &line);
	if (len < n && is_separator(text, line)) {
		const char *rest = text + (text[0] == '>') + 5;

		d_r->separator = true;
		d_r->mozilla = !memcmp(rest, "- ", 2);
		d_r->date = date_parse_asctime(text, line);
		at = len;
	}
	d_r->len = at;
	/* Empty lines are debris where a header follows them; a message without
	   a header begins with one. */
	while (at < n && (len = line_at(text + at, n - at, &line)) && !line)
		at += len;
	if (at < n && field_name(text + at, line))
		d_r->len = at;
}

/* Not every one, but of a message at least two. */
static const char *const mail_fields[] = { "From",
					   "To",
					   "Cc",
					   "Bcc",
					   "Subject",
					   "Date",
					   "Message-ID",
					   "Received",
					   "Return-Path",
					   "Reply-To",
					   "Sender",
					   "MIME-Version",
					   "Delivered-To",
					   "In-Reply-To",
					   "References",
					   "X-Mailer",
					   "X-Account-Key",
					   "X-UIDL",
					   "X-Unsent",
					   "X-Mozilla-Status",
					   "DKIM-Signature",
					   "Envelope-To",
					   "X-Original-To",
					   "Delivery-Date",
					   "Resent-From",
					   "X-Envelope-From",
					   "List-Id",
					   "User-Agent",
					   "X-Apparently-To",
					   "Authentication-Results",
					   "Resent-Date",
					   "Apparently-To",
					   "X-Priority",
					   "ARC-Seal",
					   "X-Received",
					   "Newsgroups",
					   "Errors-To",
					   "Content-Type",
					   "Domainkey-Signature",
					   "Received-SPF",
					   "X-Envelope-To" };

static bool only_mail_has(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(mail_fields) / sizeof(mail_fields[0]);
	     i++)
		if (ascii_same(name, n, mail_fields[i]))
			return true;
	return false;
}

bool eml_is_mail(const char *text, size_t n, bool sure)
{
	size_t fields = 0, known = 0, len, line;
	bool first = false;

	for (size_t i = 0; i < FIELDS_LOOK && n; i++, text += len, n -= len) {
		size_t name;

		len = line_at(text, n, &line);
		if (!line)
			break;
		name = field_name(text, line);
		if (!i)
			first = name;
		fields += name != 0;
		known += name && only_mail_has(text, name);
	}
	if (sure)
		return first && known >= 2;
	return known || (first && fields >= 2);
}

bool eml_head_is_mail(const char *head, size_t n, bool sure)
{
	struct buf text = BUF_INIT;
	struct eml_debris debris;
	size_t skip;
	enum eml_coding coding = eml_coding_of(head, n, &skip);
	struct eml_utf16 utf16 = { .big = coding == EML_UTF16_BE };
	bool is;

	head += skip;
	n -= skip;
	if (coding == EML_UTF16_LE || coding == EML_UTF16_BE) {
		eml_utf16_add(&utf16, head, n, &text);
		head = text.data;
		n = text.len;
	}
	eml_debris_find(head, n, &debris);
	is = eml_is_mail(head + debris.len, n - debris.len, sure);
	buf_free(&text);
	return is;
}
