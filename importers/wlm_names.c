/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What names and account files of Windows Mail and Windows Live Mail say. */
#include "importers/wlm.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/eml.h"

enum { SHORTENED = 8 }; /* characters that are kept at least */

/* --- .oeaccount --- */

static void add_character(struct buf *out, unsigned long code)
{
	struct eml_utf16 utf16 = { .big = true };
	char units[4] = { 0 };
	size_t n = 2;

	if (!code || code > 0x10FFFF)
		return;
	if (code >= 0x10000) {
		unsigned long high = 0xD800 + ((code - 0x10000) >> 10);

		code = 0xDC00 + (code & 0x3FF);
		units[0] = (char)(high >> 8);
		units[1] = (char)high;
		n = 4;
	}
	units[n - 2] = (char)(code >> 8);
	units[n - 1] = (char)code;
	eml_utf16_add(&utf16, units, n, out);
	eml_utf16_end(&utf16, out);
}

/* Append text with the references of XML resolved; unknown ones stay. */
static void add_unescaped(struct buf *out, const char *s, const char *end)
{
	static const struct {
		const char *name;
		char c;
	} known[] = {
		{ .name = "&amp;", .c = '&' },	 { .name = "&lt;", .c = '<' },
		{ .name = "&gt;", .c = '>' },	 { .name = "&quot;", .c = '"' },
		{ .name = "&apos;", .c = '\'' },
	};

	while (s < end) {
		size_t left = (size_t)(end - s), took = 0;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			size_t n = strlen(known[i].name);

			if (left >= n && !memcmp(s, known[i].name, n)) {
				buf_add_char(out, known[i].c);
				took = n;
			}
		}
		if (!took && left > 3 && s[0] == '&' && s[1] == '#') {
			const char *semicolon = memchr(s, ';', left);
			bool hex = s[2] == 'x' || s[2] == 'X';

			if (semicolon && semicolon - s <= 10) {
				add_character(out, strtoul(s + 2 + hex, NULL,
							   hex ? 16 : 10));
				took = (size_t)(semicolon - s) + 1;
			}
		}
		if (!took) {
			buf_add_char(out, *s);
			took = 1;
		}
		s += took;
	}
}

/* The text of the first element of this name; false if there is none, or it is
   empty. */
static bool element(const struct buf *xml, const char *name, struct buf *out)
{
	size_t n = strlen(name);
	const char *s = xml->data, *end = s + xml->len;

	buf_reset(out);
	while ((s = memchr(s, '<', (size_t)(end - s)))) {
		const char *gt, *lt;

		s++;
		if ((size_t)(end - s) <= n || memcmp(s, name, n) != 0 ||
		    !strchr(" \t\r\n>", s[n]) || !s[n])
			continue;
		gt = memchr(s, '>', (size_t)(end - s));
		lt = gt ? memchr(gt, '<', (size_t)(end - gt)) : NULL;
		if (!lt || gt[-1] == '/')
			return false;
		for (gt++; gt < lt && strchr(" \t\r\n", *gt) && *gt; gt++)
			;
		while (lt > gt && strchr(" \t\r\n", lt[-1]) && lt[-1])
			lt--;
		add_unescaped(out, gt, lt);
		return out->len;
	}
	return false;
}

void wlm_account_read(const char *bytes, size_t n, struct wlm_account *a)
{
	size_t skip;
	enum eml_coding coding = eml_coding_of(bytes, n, &skip);
	struct eml_utf16 utf16 = { .big = coding == EML_UTF16_BE };
	struct buf xml = BUF_INIT, value = BUF_INIT, name = BUF_INIT;

	/* "<?xml": a sign and three letters in a row. */
	if (coding == EML_UTF16_LE || coding == EML_UTF16_BE)
		eml_utf16_add(&utf16, bytes + skip, n - skip, &xml);
	else
		buf_add(&xml, bytes + skip, n - skip);
	if (element(&xml, "Account_Name", &name) && !a->name.len)
		utf8_add_guessed(&a->name, name.data, name.len);
	a->pop = element(&xml, "POP3_Server", &value) || a->pop;
	a->imap = element(&xml, "IMAP_Server", &value) || a->imap;
	a->news = element(&xml, "NNTP_Server", &value) || a->news;
	buf_free(&xml);
	buf_free(&value);
	buf_free(&name);
}

/* --- directories --- */

static bool is_hex(char c)
{
	return strchr("0123456789abcdefABCDEF", c) && c;
}

bool wlm_message_name(const char *name)
{
	for (size_t i = 0; i < 17; i++)
		if (i == 8 ? name[i] != '-' : !is_hex(name[i]))
			return false;
	return !ascii_compare(name + 17, ".eml");
}

/* The length of what is in front of " 5A1"; 0 if the name does not end so.
   *letter_r: one of the digits is one that no number has. */
static size_t stem_of(const char *name, bool *letter_r)
{
	size_t n = strlen(name), digits = 0;

	*letter_r = false;
	while (digits < n && is_hex(name[n - digits - 1])) {
		*letter_r |= ascii_is_alpha(name[n - digits - 1]);
		digits++;
	}
	if (digits < 3 || digits > 4 || n < digits + 2 ||
	    name[n - digits - 1] != ' ')
		return 0;
	return n - digits - 1;
}

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (s[i] & 0xC0) != 0x80;
	return count;
}

/* Names as they are on the disk and on the screen, in English and Japanese. */
static const char *full_name(const char *stem, size_t n)
{
	static const char *const names[] = {
		"Inbox",
		"Outbox",
		"Sent Items",
		"Deleted Items",
		"Drafts",
		"Junk E-mail",
		"Storage Folders",
		"Local Folders",
		"Imported Folders",
		"Recovered Items",
		"受信トレイ",
		"送信トレイ",
		"ごみ箱",
		"送信済みアイテム",
		"削除済みアイテム",
		"下書き",
		"迷惑メール",
		"保存フォルダー",
		"保存フォルダ",
		"ローカル フォルダー",
		"ローカル フォルダ",
	};

	while (n && stem[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(names[i], stem, n) != 0)
			continue;
		/* "Deleted " has lost its blank. */
		if (!names[i][n] || characters(stem, n) + 1 >= SHORTENED)
			return names[i];
	}
	return NULL;
}

static bool is_alone(const struct walk_dir *beside, const char *dir, size_t n)
{
	bool letter;

	for (size_t i = 0; beside && i < beside->n; i++) {
		const char *other = beside->entries[i].name;

		if (beside->entries[i].kind != 'd' || !strcmp(other, dir) ||
		    strncmp(other, dir, n) != 0)
			continue;
		if (!other[n] || stem_of(other, &letter) == n)
			return false;
	}
	return true;
}

void wlm_folder_name(const char *dir, const struct walk_dir *beside,
		     struct buf *out)
{
	bool letter;
	size_t n = stem_of(dir, &letter);
	const char *full = n ? full_name(dir, n) : NULL;

	if (full)
		buf_add_str(out, full);
	else if (n && letter && characters(dir, n) >= SHORTENED &&
		 is_alone(beside, dir, n))
		buf_add(out, dir, n);
	else
		buf_add_str(out, dir);
	while (out->len && out->data[out->len - 1] == ' ')
		buf_cut(out, out->len - 1);
}
