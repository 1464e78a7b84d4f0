/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the names of files and directories in a Maildir say:
   cr.yp.to/proto/maildir.html and Dovecot's Maildir++ for folders. */
#include "importers/maildir.h"

#include <string.h>

#include "core/base/date.h"
#include "core/base/utf8.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A colon cannot be in a name on Windows' file systems: tools that copy there put
   something else in its place. */
size_t maildir_separator(const char *name, size_t n)
{
	static const char *const instead[] = {
		"\xEF\x80\xA2", /* U+F022: macOS, Samba's vfs_fruit, mapposix */
		"\xEF\x80\xBA", /* U+F03A: cifs mapchars, Cygwin, WSL */
		"\xEF\xBC\x9A", /* U+FF1A: rclone */
		"%3A",		"%3a",
	};

	if (n && strchr(":;!_-", name[n - 1]))
		return 1;
	for (size_t i = 0; i < sizeof(instead) / sizeof(instead[0]); i++) {
		size_t len = strlen(instead[i]);

		if (len <= n && !memcmp(name + n - len, instead[i], len))
			return len;
	}
	return 0;
}

void maildir_name_split(const char *name, struct maildir_name *r)
{
	size_t n = strlen(name), flags = n, len;

	*r = (struct maildir_name){ .unique_len = n, .flags = "" };
	while (flags && is_letter(name[flags - 1]))
		flags--;
	if (flags < 2 || name[flags - 1] != ',' || name[flags - 2] != '2')
		return;
	len = maildir_separator(name, flags - 2);
	if (!len || len == flags - 2) /* nothing would be left to tell it by */
		return;
	r->unique_len = flags - 2 - len;
	r->flags = name + flags;
}

uint64_t maildir_name_size(const char *name, size_t unique_len)
{
	const uint64_t most = UINT64_C(1) << 40; /* a name can say anything */

	for (size_t i = 0; i + 3 < unique_len; i++) {
		uint64_t size = 0;

		if (memcmp(name + i, ",S=", 3) != 0)
			continue;
		for (i += 3; i < unique_len && is_digit(name[i]); i++) {
			size = size * 10 + (uint64_t)(name[i] - '0');
			if (size > most)
				return 0;
		}
		return size;
	}
	return 0;
}

int64_t maildir_name_delivered(const char *name)
{
	int64_t t = 0; /* too high ones are for date_choose to refuse */
	size_t i;

	for (i = 0; is_digit(name[i]); i++) {
		if (i == 10)
			return DATE_NONE;
		t = t * 10 + (name[i] - '0');
	}
	return t >= MAILDIR_EPOCH ? t : DATE_NONE;
}

void maildir_keywords_init(struct maildir_keywords *k)
{
	for (size_t i = 0; i < 26; i++)
		buf_init(&k->word[i]);
}

void maildir_keywords_free(struct maildir_keywords *k)
{
	for (size_t i = 0; i < 26; i++)
		buf_free(&k->word[i]);
}

/* One line, "12 $Forwarded". */
static void parse_keyword(struct maildir_keywords *k, const char *s, size_t n)
{
	size_t i = 0, index = 0;

	for (; i < n && i < 2 && is_digit(s[i]); i++)
		index = index * 10 + (size_t)(s[i] - '0');
	if (!i || i == n || s[i] != ' ' || index >= 26)
		return;
	buf_reset(&k->word[index]);
	buf_add(&k->word[index], s + i + 1, n - i - 1);
}

void maildir_keywords_parse(struct maildir_keywords *k, const char *text,
			    size_t n)
{
	for (size_t i = 0; i < 26; i++)
		buf_reset(&k->word[i]);
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;

		parse_keyword(k, text, len);
		len += end != NULL;
		text += len;
		n -= len;
	}
}

bool maildir_flags(const char *letters, const struct maildir_keywords *k,
		   struct flags *f)
{
	bool deleted = false;

	for (; *letters; letters++) {
		const struct buf *word;

		switch (*letters) {
		case 'D':
			f->system |= FLAG_DRAFT;
			break;
		case 'F':
			f->system |= FLAG_FLAGGED;
			break;
		case 'P':
			flags_add_keyword(f, "$Forwarded", 10);
			break;
		case 'R':
			f->system |= FLAG_ANSWERED;
			break;
		case 'S':
			f->system |= FLAG_SEEN;
			break;
		case 'T':
			deleted = true;
			break;
		default:
			if (*letters < 'a' || *letters > 'z')
				break;
			/* A word that is no atom was never a keyword. */
			word = &k->word[*letters - 'a'];
			if (word->len)
				flags_add_keyword(f, word->data, word->len);
		}
	}
	return deleted;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character that mark and two hex digits at s stand for, or -1. */
static int escaped(const char *s, size_t n, char mark)
{
	if (n < 3 || s[0] != mark || hex_value(s[1]) < 0 || hex_value(s[2]) < 0)
		return -1;
	return hex_value(s[1]) << 4 | hex_value(s[2]);
}

/* Put the characters back that are escaped by mark, if they are among these. */
static void unescape(struct buf *name, char mark, const char *which)
{
	size_t to = 0;

	for (size_t i = 0; i < name->len; i++) {
		int code = escaped(name->data + i, name->len - i, mark);

		if (code > 0 && strchr(which, code))
			i += 2;
		else
			code = name->data[i];
		name->data[to++] = (char)code;
	}
	buf_cut(name, to);
}

/* Dovecot's listescape plugin writes a backslash, what cannot be in the name of
   a directory in hex; since 2.4 (mailbox_list_storage_escape_char) people are
   told to set '%'. A name with any other '%' in it is just a name. */
static const char dovecot_escapes[] = "./\\~&%";

static bool all_escapes(const struct buf *name, char mark)
{
	for (size_t i = 0; i < name->len; i++) {
		int code = escaped(name->data + i, name->len - i, mark);

		if (name->data[i] == mark &&
		    (code <= 0 || !strchr(dovecot_escapes, code)))
			return false;
	}
	return true;
}

static void add_part(struct buf *out, const char *s, size_t n,
		     enum maildir_dialect dialect)
{
	struct buf name = BUF_INIT;

	if (dialect == MAILDIR_EVOLUTION) {
		utf8_add_guessed(&name, s, n);
		unescape(&name, '_', "._");
	} else {
		if (utf8_from_mutf7(&name, s, n) < 0)
			utf8_add_guessed(&name, s, n);
		unescape(&name, '\\', dovecot_escapes);
		if (all_escapes(&name, '%'))
			unescape(&name, '%', dovecot_escapes);
	}
	utf8_add_nfc(out, name.data, name.len);
	buf_add_char(out, '\0');
	buf_free(&name);
}

void maildir_folder_parts(struct buf *out, const char *dir,
			  enum maildir_dialect dialect)
{
	size_t start = out->len;

	if (dialect == MAILDIR_EVOLUTION && !strncmp(dir, "..", 2) && dir[2])
		buf_add(out, "INBOX", sizeof("INBOX"));
	for (const char *p = dir + 1; dir[0] == '.' && *p; p += !!*p) {
		size_t n = strcspn(p, ".");

		if (n)
			add_part(out, p, n, dialect);
		p += n;
	}
	if (out->len == start) /* a plain name, or nothing but dots */
		add_part(out, dir, strlen(dir), dialect);
}

bool maildir_kmail_parts(struct buf *out, const char *dir)
{
	static const char suffix[] = ".directory";
	size_t n = strlen(dir), tail = sizeof(suffix) - 1;

	if (dir[0] != '.' || n < tail + 2 ||
	    strcmp(dir + n - tail, suffix) != 0)
		return false;
	utf8_add_guessed(out, dir + 1, n - 1 - tail);
	buf_add_char(out, '\0');
	return true;
}
