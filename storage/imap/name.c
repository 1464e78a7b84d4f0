/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mailbox names: parts on our side, one string in modified UTF-7 on the
   server's. Parts are cleaned and encoded one at a time and then joined: what
   is inside a part can never become a level of the hierarchy, and nothing that
   leaves here can end a command line. */
#include "storage/imap/name.h"
#include "core/base/utf8.h"
#include "storage/imap/internal.h"

#include <string.h>
#include <strings.h>

/* Length of the UTF-8 character at s (n bytes are there), 0 if it is none. */
static size_t character(const char *s, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (utf8_valid(s, len))
			return len;
	return 0;
}

/* Controls (C0, DEL and, as UTF-8, C1), the wildcards of LIST, and the
 * separator. */
static bool is_refused(const char *s, size_t len, char separator)
{
	unsigned char c = (unsigned char)s[0];

	if (len == 2 && c == 0xC2 && (unsigned char)s[1] < 0xA0)
		return true;
	return len == 1 && (c < 0x20 || c == 0x7F || c == '%' || c == '*' ||
			    (separator && s[0] == separator));
}

/* "." and ".." would climb on servers that keep folders as directories: GNU
   mailutils creates "../x" outside the mail root (docs/servers.md). */
static bool is_dots(const struct buf *part)
{
	return !strcmp(part->data, ".") || !strcmp(part->data, "..");
}

static bool clean_part(const char *part, char separator, struct buf *out)
{
	size_t n = strlen(part);
	bool changed = false;

	for (size_t i = 0, len; i < n; i += len ? len : 1) {
		len = character(part + i, n - i);
		if (!len || is_refused(part + i, len, separator) ||
		    (i == 0 && part[0] == '~')) {
			buf_add_char(out, '_');
			changed = true;
		} else {
			buf_add(out, part + i, len);
		}
	}
	if (!is_dots(out) && out->len)
		return changed;
	for (size_t i = 0; i < out->len; i++)
		out->data[i] = '_';
	if (!out->len)
		buf_add_char(out, '_');
	return true;
}

/* A separator out of the alphabet of modified UTF-7 can come out of the
   encoding; no server is known to use one. */
static int add_part(const char *part, char separator, struct buf *out,
		    bool *changed, struct err *e)
{
	struct buf clean = BUF_INIT;
	size_t start = out->len;
	int ret = 0;

	if (clean_part(part, separator, &clean))
		*changed = true;
	utf8_to_mutf7(out, clean.data, clean.len);
	if (separator && memchr(out->data + start, separator, out->len - start))
		ret = err_set(e, ERR_REFUSED, ERR_FOLDER, ERR_NEVER,
			      "'%s' cannot be written without the server's "
			      "separator '%c'",
			      part, separator);
	buf_free(&clean);
	return ret;
}

int imap_name_encode(const char *const *path, const char *prefix,
		     char separator, struct buf *out, bool *changed_r,
		     struct err *e)
{
	size_t start = out->len;
	bool changed = false;

	*changed_r = false;
	if (path[0] && !path[1] && !strcasecmp(path[0], "INBOX")) {
		buf_add_str(out, "INBOX");
		return 0;
	}
	if (path[0] && path[1] && !separator) {
		err_set(e, ERR_REFUSED, ERR_FOLDER, ERR_NEVER,
			"the server has no folders inside folders");
		goto fail;
	}
	buf_add_str(out, prefix);
	for (size_t i = 0; path[i]; i++) {
		if (i)
			buf_add_char(out, separator);
		if (add_part(path[i], separator, out, &changed, e) < 0)
			goto fail;
		if (out->len - start <= IMAP_NAME_MAX)
			continue;
		err_set(e, ERR_REFUSED, ERR_FOLDER, ERR_NEVER,
			"the name is too long for any server (over %d bytes)",
			IMAP_NAME_MAX);
		goto fail;
	}
	*changed_r = changed;
	return 0;

fail:
	buf_cut(out, start);
	return -1;
}

/* A part that is no modified UTF-7 (some servers keep what they were given) is
   shown as it is. */
static void show_part(const char *part, size_t n, struct buf *out)
{
	if (utf8_from_mutf7(out, part, n) == 0)
		return;
	if (utf8_valid(part, n))
		buf_add(out, part, n);
	else
		utf8_add_guessed(out, part, n);
}

void imap_name_show(const char *wire, const char *prefix, char separator,
		    struct buf *out)
{
	size_t skip = strlen(prefix), start = out->len;

	if (!strncmp(wire, prefix, skip) && wire[skip])
		wire += skip;
	for (;;) {
		const char *end = separator ? strchr(wire, separator) : NULL;

		show_part(wire, end ? (size_t)(end - wire) : strlen(wire), out);
		if (!end)
			break;
		buf_add_char(out, '/');
		wire = end + 1;
	}
	for (size_t i = start; i < out->len; i++)
		if ((unsigned char)out->data[i] < 0x20 || out->data[i] == 0x7F)
			out->data[i] = '?';
}

int imap_name_quote(const char *wire, struct buf *out, struct err *e)
{
	if (strpbrk(wire, "\r\n"))
		return err_set(
			e, ERR_REFUSED, ERR_FOLDER, ERR_NEVER,
			"'%s': a folder name with a line end is not sent",
			wire);
	/* 8-bit names are sent back quoted to the servers that list them so. */
	buf_add_char(out, '"');
	for (; *wire; wire++) {
		if (*wire == '"' || *wire == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *wire);
	}
	buf_add_char(out, '"');
	return 0;
}
