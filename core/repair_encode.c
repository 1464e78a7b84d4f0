/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw 8-bit header fields as RFC 2047 has them (and RFC 2231, in parameters):
   what the reader sees stays, and no server damages it. A field is taken as a
   whole from the charset it is in to UTF-8; what cannot be told is encoded as
   it is, under RFC 1428's name unknown-8bit. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/utf8.h"
#include "core/repair_internal.h"

enum {
	WORD_MAX = 75,	 /* an encoded word, and ... */
	FOLD_AT = 76,	 /* ... a line that has one: RFC 2047 section 2 */
	WORD_LEAST = 20, /* less room than this is not worth a word */
	/* The name of a parameter that is continued: room must be left. */
	NAME_SPLIT_MAX = 40,
};

struct encoder {
	struct buf *out;
	size_t column; /* in the line that is being made */
	const char *charset;
	bool after_word; /* the last thing but blanks was an encoded word */
	bool keep_at;	 /* a word with an '@' is an address */
	bool changed;
};

static bool has_8bit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] & 0x80)
			return true;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void add(struct encoder *en, const char *s, size_t n)
{
	buf_add(en->out, s, n);
	en->column += n;
}

/* White space, or none: where the line gets too long for what comes next (next
   octets, 0: nothing) it is folded there. */
static void add_gap(struct encoder *en, const char *s, size_t n, size_t next)
{
	if (n && next && en->column + n + next > FOLD_AT && en->column > 1) {
		buf_add_str(en->out, "\r\n");
		en->column = 0;
	}
	add(en, s, n);
}

static void add_base64(struct encoder *en, const unsigned char *s, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned long v = (unsigned long)s[i] << 16;
		char four[4] = { 0 };

		v |= i + 1 < n ? (unsigned long)s[i + 1] << 8 : 0;
		v |= i + 2 < n ? s[i + 2] : 0;
		for (int k = 0; k < 4; k++)
			four[k] = digits[v >> (18 - 6 * k) & 63];
		if (i + 2 >= n)
			four[3] = '=';
		if (i + 1 >= n)
			four[2] = '=';
		add(en, four, 4);
	}
}

/* How much of s goes into one word: what this line has room for, in whole
 * characters. */
static size_t word_length(const struct encoder *en, const char *s, size_t n)
{
	size_t frame = strlen("=??B?") + strlen("?=") + strlen(en->charset);
	size_t room = WORD_MAX, len;

	if (en->column + WORD_LEAST + frame <= FOLD_AT)
		room = FOLD_AT - en->column;
	if (room > WORD_MAX)
		room = WORD_MAX;
	len = (room - frame) / 4 * 3;
	if (len >= n)
		return n;
	if (strcmp(en->charset, "UTF-8") != 0)
		return len;
	while (len > 1 && (s[len] & 0xC0) == 0x80)
		len--;
	return len;
}

static bool ends_blank(const struct encoder *en)
{
	return en->out->len && is_blank(en->out->data[en->out->len - 1]);
}

/* Encoded words, with a blank between them that the reader does not see.
   Nothing may touch them (RFC 2047 section 5). */
static void add_words(struct encoder *en, const char *s, size_t n)
{
	struct buf text = BUF_INIT;

	/* A blank behind another one is not seen either, so it goes into this.
	 */
	if (en->after_word && ends_blank(en))
		buf_add_char(&text, ' ');
	else if (en->out->len && !ends_blank(en) &&
		 !strchr("(:", en->out->data[en->out->len - 1]))
		add(en, " ", 1);
	buf_add(&text, s, n);
	s = text.data;
	n = text.len;
	while (n) {
		size_t len = word_length(en, s, n);

		add(en, "=?", 2);
		add(en, en->charset, strlen(en->charset));
		add(en, "?B?", 3);
		add_base64(en, (const unsigned char *)s, len);
		add(en, "?=", 2);
		s += len;
		n -= len;
		if (n)
			add_gap(en, " ", 1, FOLD_AT);
	}
	en->after_word = en->changed = true;
	buf_free(&text);
}

static size_t blanks(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && is_blank(s[i]))
		i++;
	return i;
}

/* ---- text: words apart by white space ---- */

static size_t word(const char *s, size_t n, const char *ends)
{
	size_t i = 0;

	while (i < n && !is_blank(s[i]) && !(*ends && strchr(ends, s[i])))
		i++;
	return i;
}

/* Is it to be encoded? Addresses are not: they cannot be. */
static bool is_raw(const struct encoder *en, const char *s, size_t n)
{
	return has_8bit(s, n) && !(en->keep_at && memchr(s, '@', n));
}

/* Neighbouring raw words become one run, with the blanks between them. */
static size_t raw_run(const struct encoder *en, const char *s, size_t n,
		      const char *ends)
{
	size_t len = word(s, n, ends);

	for (;;) {
		size_t gap = blanks(s + len, n - len);
		size_t next = word(s + len + gap, n - len - gap, ends);

		if (!gap || !is_raw(en, s + len + gap, next))
			return len;
		len += gap + next;
	}
}

static bool is_encoded_word(const char *s, size_t n)
{
	return n > 4 && !memcmp(s, "=?", 2) && !memcmp(s + n - 2, "?=", 2);
}

/* What is not encoded; a blank keeps it apart from an encoded word before it.
 */
static void add_plain(struct encoder *en, const char *s, size_t n)
{
	if (!n)
		return;
	if (en->after_word && !ends_blank(en) && !strchr(",;:)", *s))
		add(en, " ", 1);
	add(en, s, n);
	en->after_word = is_encoded_word(s, n);
}

/* Up to n, or to a character of ends. Returns how far. */
static size_t add_text(struct encoder *en, const char *s, size_t n,
		       const char *ends)
{
	size_t at = 0;

	while (at < n && !(*ends && strchr(ends, s[at]))) {
		size_t gap = blanks(s + at, n - at);
		size_t len = word(s + at + gap, n - at - gap, ends);
		const char *w = s + at + gap;

		if (is_raw(en, w, len)) {
			len = raw_run(en, w, n - at - gap, ends);
			add_gap(en, s + at, gap, WORD_LEAST + 12);
			add_words(en, w, len);
		} else {
			add_gap(en, s + at, gap, len);
			add_plain(en, w, len);
		}
		at += gap + len;
	}
	return at;
}

/* ---- addresses (RFC 5322 section 3.4), dates, and what else has comments ----
 */

/* From s[0], a quote or a bracket, to its end, that included; 0 if it has none.
   Only comments nest. */
static size_t until(const char *s, size_t n, char end)
{
	size_t depth = 1;

	for (size_t i = 1; i < n; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == end && !--depth)
			return i + 1;
		else if (s[i] == '(' && end == ')')
			depth++;
	}
	return 0;
}

static void add_unquoted(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		i += s[i] == '\\' && i + 1 < n;
		buf_add_char(out, s[i]);
	}
}

/* n octets from quote to quote; a local part of an address, if an '@' is behind
 * it. */
static void add_quoted(struct encoder *en, const char *s, size_t n, bool local)
{
	struct buf plain = BUF_INIT;

	if (local || !has_8bit(s, n)) {
		add_plain(en, s, n);
		return;
	}
	add_unquoted(&plain, s + 1, n - 2);
	add_words(en, plain.data, plain.len);
	buf_free(&plain);
}

static void add_comment(struct encoder *en, const char *s, size_t n)
{
	if (!has_8bit(s, n)) {
		add_plain(en, s, n);
		return;
	}
	add_plain(en, "(", 1);
	add_words(en, s + 1, n - 2);
	add_plain(en, ")", 1);
}

/* A quote, comment or address in brackets. */
static size_t enclosed(const char *s, size_t n)
{
	return until(s, n, *s == '"' ? '"' : *s == '(' ? ')' : '>');
}

/* What has no end is text, and so are those behind it: to look for their ends
   as well could take for ever. */
static void give_up(char *specials, char c)
{
	char *at = strchr(specials, c);

	memmove(at, at + 1, strlen(at));
}

/* Is there a "<" before the mailbox ends? Then what is in front of it is a
   name, and may have an '@' of its own. */
static bool has_angle(const char *s, size_t n, char *specials)
{
	for (size_t i = 0, len; i < n && s[i] != ',' && s[i] != ';'; i += len) {
		len = 0;
		if (s[i] == '<')
			return true;
		if ((s[i] == '"' || s[i] == '(') && strchr(specials, s[i])) {
			len = enclosed(s + i, n - i);
			if (!len)
				give_up(specials, s[i]);
		}
		len += !len;
	}
	return false;
}

static void add_enclosed(struct encoder *en, const char *s, size_t len,
			 bool local)
{
	if (*s == '"')
		add_quoted(en, s, len, local);
	else if (*s == '(')
		add_comment(en, s, len);
	else
		add_plain(en, s, len);
}

static void add_structured(struct encoder *en, const char *s, size_t n)
{
	char specials[] = "\"(<,;:";
	size_t at = 0, len;

	en->keep_at = !has_angle(s, n, specials);
	while (at < n) {
		if (!strchr(specials, s[at])) {
			len = add_text(en, s + at, n - at, specials);
		} else if (strchr(",;:", s[at])) {
			len = 1;
			add_plain(en, s + at, len);
			if (s[at] != ':')
				en->keep_at = !has_angle(s + at + 1, n - at - 1,
							 specials);
		} else {
			len = enclosed(s + at, n - at);
			if (len)
				add_enclosed(en, s + at, len,
					     at + len < n &&
						     s[at + len] == '@');
			else
				give_up(specials, s[at]);
		}
		at += len;
	}
}

/* ---- parameters (RFC 2231) ---- */

static bool is_attribute(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

/* The octets of one character. */
static size_t character(const struct encoder *en, const char *s, size_t n)
{
	size_t len = 1;

	if (!strcmp(en->charset, "UTF-8"))
		while (len < n && len < 4 && (s[len] & 0xC0) == 0x80)
			len++;
	return len;
}

static void add_percent(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_attribute((unsigned char)s[i]))
			buf_add_char(out, s[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)s[i]);
}

/* name*=charset''value on one line, or in name*0*=, name*1*= ... on lines of
   their own. */
static void add_extended(struct encoder *en, const char *name, size_t name_len,
			 const char *s, size_t n)
{
	struct buf piece = BUF_INIT;
	size_t at = 0, room = FOLD_AT - 8;

	buf_addf(&piece, "%s''", en->charset);
	for (unsigned part = 0;; part++) {
		size_t len;

		/* Continued for the reader's sake only where that ends well. */
		while (at < n && (name_len > NAME_SPLIT_MAX ||
				  piece.len + name_len + 12 <= room)) {
			len = character(en, s + at, n - at);
			add_percent(&piece, s + at, len);
			at += len;
		}
		add(en, name, name_len);
		if (part || at < n) {
			char number[16];

			add(en, number,
			    (size_t)snprintf(number, sizeof(number), "*%u",
					     part));
		}
		add(en, "*=", 2);
		add(en, piece.data, piece.len);
		if (at == n)
			break;
		add(en, ";", 1);
		add_gap(en, " ", 1, FOLD_AT);
		buf_reset(&piece);
	}
	buf_free(&piece);
}

/* " name=value", a quoted value with its quotes. */
static void add_parameter(struct encoder *en, const char *s, size_t n)
{
	const char *equals = memchr(s, '=', n);
	size_t gap = blanks(s, n), name = equals ? (size_t)(equals - s) : 0;
	size_t at = name + 1, end = n;
	struct buf value = BUF_INIT;

	while (end > at && is_blank(s[end - 1]))
		end--;
	if (name <= gap || has_8bit(s, name) || s[name - 1] == '*' ||
	    !has_8bit(s, n)) {
		add_gap(en, s, gap, n - gap);
		add(en, s + gap, n - gap);
		return;
	}
	if (end > at + 1 && s[at] == '"' && s[end - 1] == '"')
		add_unquoted(&value, s + at + 1, end - at - 2);
	else
		buf_add(&value, s + at, end - at);
	en->changed = true;
	add_gap(en, s, gap, name - gap + value.len * 3);
	add_extended(en, s + gap, name - gap, value.data, value.len);
	buf_free(&value);
}

static void add_parameters(struct encoder *en, const char *s, size_t n)
{
	size_t at = 0, begin = 0, len;
	bool quotes = true; /* until one has no end */

	for (; at <= n; at++) {
		if (at < n && s[at] == '"' && quotes) {
			len = until(s + at, n - at, '"');
			quotes = len > 0;
			at += len ? len - 1 : 0;
			continue;
		}
		if (at < n && s[at] != ';')
			continue;
		if (begin)
			add_parameter(en, s + begin, at - begin);
		else
			add(en, s, at);
		if (at < n)
			add(en, ";", 1);
		begin = at + 1;
	}
}

/* ---- one field ---- */

static bool is_one_of(const char *name, size_t n, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == n && !strncasecmp(*names, name, n))
			return true;
	return false;
}

static void add_value(struct encoder *en, const char *field, size_t name,
		      const char *s, size_t n)
{
	static const char *const structured[] = {
		"From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Resent-From",
		"Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender",
		"Resent-Reply-To", "Return-Path", "Errors-To",
		"Mail-Followup-To", "Disposition-Notification-To",
		/* "Mon, 1 Jan 2001 00:00:00 +0900 (...)": whoever reads the
		   date must find it */
		"Date", "Resent-Date", "Delivery-Date", "Received",
		"In-Reply-To", "References", "MIME-Version",
		"Content-Transfer-Encoding", NULL
	};
	static const char *const parameters[] = { "Content-Type",
						  "Content-Disposition", NULL };
	/* What names a message must stay what it was (settling compares it). */
	static const char *const ids[] = { "Message-ID", "Resent-Message-ID",
					   "Content-ID", NULL };

	if (is_one_of(field, name, structured))
		add_structured(en, s, n);
	else if (is_one_of(field, name, parameters))
		add_parameters(en, s, n);
	else if (is_one_of(field, name, ids))
		add(en, s, n);
	else
		add_text(en, s, n, "");
}

/* Unfolded, in UTF-8 if it can be told what it is. */
static const char *to_utf8(const char *s, size_t n, struct buf *out)
{
	static const char unknown[] = "\xEF\xBF\xBD"; /* U+FFFD */
	struct buf bare = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '\n' &&
		    !(s[i] == '\r' && i + 1 < n && s[i + 1] == '\n'))
			buf_add_char(&bare, s[i]);
	utf8_add_guessed(out, bare.data, bare.len);
	if (!memmem(out->data, out->len, unknown, 3) ||
	    memmem(bare.data, bare.len, unknown, 3)) {
		buf_free(&bare);
		return "UTF-8";
	}
	buf_free(out);
	*out = bare;
	return "unknown-8bit";
}

bool repair_encode_field(const char *field, size_t n, struct buf *out)
{
	size_t name = repair_field_name(field, n), colon = name, end = n;
	struct buf value = BUF_INIT, made = BUF_INIT;
	struct encoder en = { .out = &made };

	if (!name || !has_8bit(field, n) || memchr(field, '\0', n))
		return false;
	while (field[colon] != ':')
		colon++;
	while (end > colon + 1 &&
	       (field[end - 1] == '\r' || field[end - 1] == '\n'))
		end--;
	en.charset = to_utf8(field + colon + 1, end - colon - 1, &value);
	add(&en, field, colon + 1);
	add_value(&en, field, name, value.data, value.len);
	if (en.changed) {
		buf_add(out, made.data, made.len);
		buf_add(out, field + end, n - end);
	}
	buf_free(&value);
	buf_free(&made);
	return en.changed;
}
