/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header fields made readable: RFC 2047, and what mailers sent in its place. */
#include "core/base/utf8.h"

#include <string.h>
#include <strings.h>

#include "core/base/utf8_private.h"

enum { CHARSET_MAX = 40 };

/* An encoded word of RFC 2047 section 2. */
struct word {
	char charset[CHARSET_MAX + 1];
	bool base64;
	const char *text;
	size_t text_len, len;
};

/* Whether there is one at s. Read leniently: blanks in the text are let
   through, as several mailers write them. Costs no more than the way to the
   second '?' behind the encoding, which keeps all of a field linear. */
static bool parse_word(const char *s, size_t n, struct word *w)
{
	const char *end = s + n, *p = s + 2, *q;
	size_t len;

	if (n < 9 || s[0] != '=' || s[1] != '?')
		return false;
	q = memchr(p, '?', n - 2);
	if (!q || end - q < 5 || q[2] != '?')
		return false;
	if (!strchr("BbQq", q[1]) || !q[1])
		return false;
	len = (size_t)(q - p);
	for (size_t i = 0; i < len; i++)
		if (byte_at(p, i) <= ' ' || byte_at(p, i) > '~')
			return false;
	if (memchr(p, '*', len)) /* a language tag, RFC 2231 section 5 */
		len = (size_t)((const char *)memchr(p, '*', len) - p);
	if (!len || len > CHARSET_MAX)
		return false;
	memcpy(w->charset, p, len);
	w->charset[len] = '\0';
	w->base64 = (q[1] | 0x20) == 'b';
	w->text = q + 3;
	q = memchr(w->text, '?', (size_t)(end - w->text));
	if (!q || end - q < 2 || q[1] != '=')
		return false;
	w->text_len = (size_t)(q - w->text);
	w->len = (size_t)(q + 2 - s);
	return true;
}

static int base64_value(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

static void add_base64(struct buf *out, const char *s, size_t n)
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < n; i++) {
		int value = base64_value(s[i]);

		if (s[i] == '=')
			bits = held = 0; /* padding: a new group follows */
		if (value < 0)
			continue;
		bits = (bits << 6 | (uint32_t)value) & 0xFFFF;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		buf_add_char(out, (char)(bits >> held & 0xFF));
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_q(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '=' && i + 2 < n && hex_value(s[i + 1]) >= 0 &&
		    hex_value(s[i + 2]) >= 0) {
			buf_add_char(out, (char)(hex_value(s[i + 1]) << 4 |
						 hex_value(s[i + 2])));
			i += 2;
		} else {
			buf_add_char(out, s[i] == '_' ? ' ' : s[i]);
		}
	}
}

static size_t blanks(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] && strchr(" \t\r\n", s[i]))
		i++;
	return i;
}

/* Append the words from w on that belong together: same charset, only blanks
   between. Their bytes are joined before they are converted, since mailers cut
   lines between the bytes of a character and inside an escape sequence. Returns
   the length. */
static size_t add_words(struct buf *out, const char *s, size_t n,
			struct word *w)
{
	struct buf bytes = BUF_INIT;
	char charset[CHARSET_MAX + 1];
	size_t i = 0, gap = 0;

	memcpy(charset, w->charset, sizeof(charset));
	do {
		i += gap + w->len;
		if (w->base64)
			add_base64(&bytes, w->text, w->text_len);
		else
			add_q(&bytes, w->text, w->text_len);
		gap = blanks(s + i, n - i);
	} while (parse_word(s + i + gap, n - i - gap, w) &&
		 !strcasecmp(w->charset, charset));
	utf8_add_from(out, charset, bytes.data, bytes.len);
	buf_free(&bytes);
	return i;
}

/* Length of the text at s up to the next encoded word, which is left in w, or
   to the end. Double-byte text in ISO-2022-JP may hold the bytes "=?"; it is
   passed over. */
static size_t plain_length(const char *s, size_t n, struct word *w,
			   bool *found_r)
{
	enum jis_set set = JIS_ASCII;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_jis_escape(s + i, n - i, &set);
		if (len)
			continue;
		len = 1;
		if (s[i] == '\n' || s[i] == '\r')
			set = JIS_ASCII;
		if (set == JIS_ASCII && parse_word(s + i, n - i, w)) {
			*found_r = true;
			return i;
		}
	}
	*found_r = false;
	return n;
}

static void add_plain(struct buf *out, const char *s, size_t n)
{
	if (utf8_jis_likely(s, n))
		utf8_jis_add(out, s, n);
	else
		utf8_add_guessed(out, s, n);
}

/* Append s, which is valid, with runs of white space as one space, none at the
   ends, and without control characters. */
static void add_tidy(struct buf *out, const char *s, size_t n)
{
	bool space = false, any = false;
	uint32_t c;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode_one(s + i, n - i, &c);
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			space = any;
			continue;
		}
		if (c < 0x20 || (c >= 0x7F && c < 0xA0))
			continue;
		if (space)
			buf_add_char(out, ' ');
		space = false;
		any = true;
		buf_add(out, s + i, len);
	}
}

/* Printable ASCII without an encoded word and without a run of blanks: most
   subjects are nothing else, and a scan reads one for every message. */
static bool is_simple(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c >= 0x7F ||
		    (c == '=' && i + 1 < n && s[i + 1] == '?') ||
		    (c == ' ' && (i == 0 || i + 1 == n || s[i + 1] == ' ')))
			return false;
	}
	return true;
}

void utf8_add_header(struct buf *out, const char *s, size_t n)
{
	struct buf text = BUF_INIT;
	bool after_word = false, found;
	struct word w;

	if (is_simple(s, n)) {
		buf_add(out, s, n);
		return;
	}
	while (n) {
		size_t len = plain_length(s, n, &w, &found);

		/* Blanks between two encoded words are not text. */
		if (!after_word || !found || blanks(s, len) < len)
			add_plain(&text, s, len);
		s += len;
		n -= len;
		if (!found)
			break;
		len = add_words(&text, s, n, &w);
		s += len;
		n -= len;
		after_word = true;
	}
	add_tidy(out, text.data, text.len);
	buf_free(&text);
}
