/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of files and folders from old Windows PCs. */
#include "importers/dbx_ansi.h"

#include <string.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"

static bool is_ascii(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

void dbx_add_ansi(struct buf *out, const char *s, size_t n)
{
	struct buf text = BUF_INIT;

	/* Two half-width kana can look like UTF-8, so CP932 is asked first, but a
	   PC with another code page, or one that was converted, must do as well. */
	if (is_ascii(s, n)) {
		buf_add(&text, s, n);
	} else {
		utf8_add_from(&text, "CP932", s, n);
		if (strstr(text.data, "\xEF\xBF\xBD")) {
			buf_reset(&text);
			utf8_add_guessed(&text, s, n);
		}
	}
	utf8_add_nfc(out, text.data, text.len);
	buf_free(&text);
}

const struct walk_entry *dbx_find_entry(const struct walk_dir *d,
					const char *name, char kind)
{
	const struct walk_entry *found = NULL;
	struct buf text = BUF_INIT, composed = BUF_INIT;

	for (size_t i = 0; i < d->n; i++) {
		const struct walk_entry *entry = &d->entries[i];

		if (entry->kind != kind)
			continue;
		if (!strcmp(entry->name, name)) {
			found = entry;
			break;
		}
		buf_reset(&text);
		buf_reset(&composed);
		utf8_add_guessed(&text, entry->name, strlen(entry->name));
		utf8_add_nfc(&composed, text.data, text.len);
		if (!found && !ascii_compare(composed.data, name))
			found = entry;
	}
	buf_free(&text);
	buf_free(&composed);
	return found;
}

bool dbx_has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && !ascii_compare(name + n - m, suffix);
}

const char *dbx_leaf(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void dbx_join(struct buf *out, const char *dir, const char *name)
{
	buf_addf(out, "%s%s%s", dir, dir[0] ? "/" : "", name);
}
