/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header fields, made anew from what an Outlook store has in pieces. */
#include "importers/pst_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"

/* ---- code pages ---- */

void pst_charset_of(uint32_t code_page, struct pst_charset *c_r)
{
	static const struct {
		uint32_t code_page;
		const char *iconv, *mime;
	} known[] = {
		{ 874, "CP874", "windows-874" },
		/* What mail calls Shift_JIS is this in practice. */
		{ 932, "CP932", "Shift_JIS" },
		{ 936, "CP936", "GBK" },
		{ 949, "CP949", "EUC-KR" },
		{ 950, "CP950", "Big5" },
		{ 20127, "US-ASCII", "us-ascii" },
		{ 20866, "KOI8-R", "koi8-r" },
		{ 21866, "KOI8-U", "koi8-u" },
		{ 50220, "ISO-2022-JP", "iso-2022-jp" },
		{ 50221, "ISO-2022-JP", "iso-2022-jp" },
		{ 50222, "ISO-2022-JP", "iso-2022-jp" },
		{ 50225, "ISO-2022-KR", "iso-2022-kr" },
		{ 51932, "EUC-JP", "euc-jp" },
		{ 51936, "EUC-CN", "GB2312" },
		{ 51949, "EUC-KR", "euc-kr" },
		{ 54936, "GB18030", "GB18030" },
		{ 65001, "UTF-8", "utf-8" },
	};

	*c_r = (struct pst_charset){ .iconv = "" };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].code_page != code_page)
			continue;
		snprintf(c_r->iconv, sizeof(c_r->iconv), "%s", known[i].iconv);
		snprintf(c_r->mime, sizeof(c_r->mime), "%s", known[i].mime);
	}
	if (code_page >= 1250 && code_page <= 1258) {
		snprintf(c_r->iconv, sizeof(c_r->iconv), "CP%u", code_page);
		snprintf(c_r->mime, sizeof(c_r->mime), "windows-%u", code_page);
	} else if (code_page >= 28591 && code_page <= 28606) {
		snprintf(c_r->iconv, sizeof(c_r->iconv), "ISO-8859-%u",
			 code_page - 28590);
		snprintf(c_r->mime, sizeof(c_r->mime), "iso-8859-%u",
			 code_page - 28590);
	}
}

uint32_t pst_windows_page(uint32_t code_page)
{
	static const struct {
		uint32_t code_page, windows;
	} rows[] = {
		{ 50220, 932 },	 { 50221, 932 },  { 50222, 932 },
		{ 51932, 932 },	 { 51949, 949 },  { 50225, 949 },
		{ 51936, 936 },	 { 54936, 936 },  { 28591, 1252 },
		{ 28605, 1252 }, { 28592, 1250 }, { 20866, 1251 },
		{ 21866, 1251 }, { 28595, 1251 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code_page == code_page)
			return rows[i].windows;
	if ((code_page >= 1250 && code_page <= 1258) || code_page == 874 ||
	    code_page == 932 || code_page == 936 || code_page == 949 ||
	    code_page == 950)
		return code_page;
	return 0;
}

static bool looks_like_cp932(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i], d;

		if (c < 0x80 || (c >= 0xA1 && c <= 0xDF))
			continue;
		if (c == 0x80 || c == 0xA0 || c > 0xFC || i + 1 == n)
			return false;
		d = (unsigned char)bytes[++i];
		if (d < 0x40 || d == 0x7F || d > 0xFC)
			return false;
	}
	return true;
}

const char *pst_charset_guess(const char *bytes, size_t n)
{
	if (utf8_valid(bytes, n))
		return "utf-8";
	return looks_like_cp932(bytes, n) ? "Shift_JIS" : "";
}

/* ---- encoded words (RFC 2047) ---- */

enum { LINE = 76, WORD_BYTES = 42 };

void pst_add_base64(struct buf *out, const char *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes;

	for (; n; p += 3) {
		size_t have = n < 3 ? n : 3;
		uint32_t v = (uint32_t)p[0] << 16;
		char four[4];

		if (have > 1)
			v |= (uint32_t)p[1] << 8;
		if (have > 2)
			v |= p[2];
		for (size_t i = 0; i < 4; i++)
			four[i] = i > have ? '='
					   : digits[v >> (18 - 6 * i) & 0x3F];
		buf_add(out, four, sizeof(four));
		n -= have;
	}
}

/* How many bytes of s, at most most, end with a whole character. */
static size_t whole_characters(const char *s, size_t n, size_t most)
{
	size_t len = n < most ? n : most;

	if (len == n)
		return n;
	while (len && ((unsigned char)s[len] & 0xC0) == 0x80)
		len--;
	return len ? len : n < most ? n : most;
}

static void add_words(struct buf *out, const char *s, size_t n)
{
	for (bool first = true; n; first = false) {
		size_t len = whole_characters(s, n, WORD_BYTES);

		buf_add_str(out, first ? "=?utf-8?B?" : "\r\n =?utf-8?B?");
		pst_add_base64(out, s, len);
		buf_add_str(out, "?=");
		s += len;
		n -= len;
	}
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7F;
}

static void add_clean(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_add_char(out, is_control(*s) ? ' ' : *s);
}

/* Printable ASCII that no reader would take for an encoded word. */
static bool is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p > 0x7E || is_control(*p))
			return false;
	return !strstr(s, "=?");
}

/* Plain text, with line ends in front of spaces where a line gets long. */
static void add_folded(struct buf *out, const char *s, size_t column)
{
	while (*s) {
		size_t len = strcspn(s + 1, " ") + 1;

		if (*s == ' ' && column + len > LINE && column > 1 && s[1] &&
		    s[1] != ' ') {
			buf_add_str(out, "\r\n");
			column = 0;
		}
		buf_add(out, s, len);
		column += len;
		s += len;
	}
}

static const char *skip_spaces(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

void pst_add_field(struct buf *out, const char *name, const char *value)
{
	struct buf clean = BUF_INIT;

	add_clean(&clean, value);
	while (clean.len && clean.data[clean.len - 1] == ' ')
		buf_cut(&clean, clean.len - 1);
	value = skip_spaces(clean.data);
	buf_addf(out, "%s: ", name);
	/* A word without a space cannot be folded. */
	if (is_plain(value) && strlen(value) < 900)
		add_folded(out, value, strlen(name) + 2);
	else
		add_words(out, value, strlen(value));
	buf_add_str(out, "\r\n");
	buf_free(&clean);
}

/* ---- addresses ---- */

static void add_phrase(struct buf *out, const char *name)
{
	if (!is_plain(name) || strlen(name) > 200) {
		add_words(out, name, strlen(name));
		return;
	}
	buf_add_char(out, '"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *name);
	}
	buf_add_char(out, '"');
}

/* Something with an @ and without what would end it. */
static bool is_address(const char *s)
{
	const char *at = strrchr(s, '@');

	if (!at || at == s || !at[1] || strlen(s) > 320)
		return false;
	return !strpbrk(s, " <>,;\"\\\t\r\n");
}

/* Exchange knows people by names like /O=EXAMPLE/OU=SITE/CN=RECIPIENTS/CN=INFO. */
static void add_nobody(struct buf *out, const char *address)
{
	const char *last = strrchr(address, '=');
	size_t before = out->len;

	for (last = last ? last + 1 : ""; *last; last++)
		if (ascii_is_alpha(*last) || ascii_is_digit(*last) ||
		    *last == '-')
			buf_add_char(out, ascii_lower(*last));
	if (out->len == before || out->len > before + 64) {
		buf_cut(out, before);
		buf_add_str(out, "unknown");
	}
	buf_add_str(out, "@address.invalid");
}

void pst_add_address(struct buf *out, const char *name, const char *address)
{
	struct buf clean = BUF_INIT;

	/* Outlook puts a name that is an address into apostrophes. */
	add_clean(&clean, name);
	if (clean.len > 2 && clean.data[0] == '\'' &&
	    clean.data[clean.len - 1] == '\'') {
		buf_cut(&clean, clean.len - 1);
		buf_drop_front(&clean, 1);
	}
	if (!is_address(address) && is_address(clean.data)) {
		buf_add_str(out, clean.data);
	} else if (is_address(address) &&
		   (!clean.len || !ascii_compare(clean.data, address))) {
		buf_add_str(out, address);
	} else {
		if (clean.len) {
			add_phrase(out, clean.data);
			buf_add_char(out, ' ');
		}
		buf_add_char(out, '<');
		if (is_address(address))
			buf_add_str(out, address);
		else
			add_nobody(out, address);
		buf_add_char(out, '>');
	}
	buf_free(&clean);
}

/* ---- parameters (RFC 2231) ---- */

enum { SECTION = 60 };

static bool is_attribute_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c && strchr("!#$&+-.^_`{|}~", c));
}

static void add_percent(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_attribute_char(s[i]))
			buf_add_char(out, s[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)s[i]);
	}
}

/* The value in sections that are short enough for a line. */
static void add_sections(struct buf *out, const char *name, const char *value)
{
	size_t n = strlen(value), most = SECTION / 3;
	bool one = n <= most;

	for (unsigned i = 0; n; i++) {
		size_t len = whole_characters(value, n, most);

		buf_addf(out, ";\r\n %s*", name);
		if (!one)
			buf_addf(out, "%u*", i);
		buf_addf(out, "=%s", i ? "" : "utf-8''");
		add_percent(out, value, len);
		value += len;
		n -= len;
	}
}

void pst_add_parameter(struct buf *out, const char *name, const char *value)
{
	struct buf clean = BUF_INIT;

	add_clean(&clean, value);
	if (is_plain(clean.data) && clean.len <= SECTION) {
		buf_addf(out, ";\r\n %s=\"", name);
		for (const char *p = clean.data; *p; p++) {
			if (*p == '"' || *p == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, *p);
		}
		buf_add_char(out, '"');
	} else {
		add_sections(out, name, clean.data);
	}
	buf_free(&clean);
}

/* ---- the rest ---- */

void pst_add_date(struct buf *out, int64_t t)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t when = (time_t)t;
	struct tm tm = { .tm_year = 70, .tm_mday = 1, .tm_wday = 4 };

	gmtime_r(&when, &tm);
	buf_addf(out, "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000",
		 days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool pst_add_ids(struct buf *out, const char *text)
{
	size_t before = out->len, line = 0;

	while (*text) {
		size_t len = 0;

		while (text[len] > ' ' && text[len] < 0x7F)
			len++;
		if (len && len < 900) {
			if (out->len > before)
				buf_add_str(out,
					    line + len > LINE ? "\r\n " : " ");
			line = line + len > LINE ? len : line + len + 1;
			buf_add(out, text, len);
		}
		text += len ? len : 1;
	}
	return out->len > before;
}

static size_t token_length(const char *s)
{
	size_t n = 0;

	while (s[n] > ' ' && s[n] < 0x7F && !strchr("()<>@,;:\\\"/[]?=", s[n]))
		n++;
	return n;
}

bool pst_is_mime_type(const char *text)
{
	size_t n = token_length(text), m;

	if (!n || n > 60 || text[n] != '/')
		return false;
	m = token_length(text + n + 1);
	return m && m <= 100 && !text[n + 1 + m];
}
