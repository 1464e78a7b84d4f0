/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: keys come out sorted, each once and found again, and what was
   read, written down as prefs.js and read again, is the same. The bytes also stand for
   a folder's name: its file fits it, and its URIs give it back. */
#include "importers/thunderbird_prefs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "importers/thunderbird_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add_string(struct buf *out, const char *s)
{
	buf_add_char(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_add_char(out, '\\');
		if (*s == '\n')
			buf_add_str(out, "\\n");
		else if (*s == '\r')
			buf_add_str(out, "\\r");
		else
			buf_add_char(out, *s);
	}
	buf_add_char(out, '"');
}

static void check_prefs(const char *bytes, size_t n)
{
	struct tb_prefs *prefs = tb_prefs_new(), *again = tb_prefs_new();
	struct buf file = BUF_INIT;

	tb_prefs_parse(prefs, bytes, n);
	for (size_t i = 0; i < tb_prefs_count(prefs); i++) {
		const char *key = tb_prefs_key(prefs, i);

		must(!i || strcmp(tb_prefs_key(prefs, i - 1), key) < 0);
		must(tb_prefs_get(prefs, key) == tb_prefs_value(prefs, i));
		buf_add_str(&file, "user_pref(");
		add_string(&file, key);
		buf_add_str(&file, ", ");
		add_string(&file, tb_prefs_value(prefs, i));
		buf_add_str(&file, ");\n");
	}
	tb_prefs_parse(again, file.data, file.len);
	must(tb_prefs_count(again) == tb_prefs_count(prefs));
	for (size_t i = 0; i < tb_prefs_count(prefs); i++)
		must(!strcmp(tb_prefs_key(prefs, i), tb_prefs_key(again, i)) &&
		     !strcmp(tb_prefs_value(prefs, i), tb_prefs_value(again, i)));
	tb_prefs_free(prefs);
	tb_prefs_free(again);
	buf_free(&file);
}

static void check_name(const char *name)
{
	struct buf file = BUF_INIT, uri = BUF_INIT, decoded = BUF_INIT;
	struct tb_names *names = tb_names_new();
	const char *found;

	tb_name_to_file(&file, name);
	must(tb_name_fits(file.data, name));
	if (tb_name_decode(&decoded, name))
		must(strcmp(decoded.data, name) && decoded.len < strlen(name));
	buf_add_str(&uri, "x mailbox://a@b/");
	for (const char *p = name; *p; p++)
		buf_addf(&uri, "%%%02X", (unsigned char)*p);
	tb_names_add_uris(names, uri.data, uri.len);
	found = tb_names_candidate(names, file.data);
	must(*name ? found && !strcmp(found, name) : !found);
	tb_names_free(names);
	buf_free(&file);
	buf_free(&uri);
	buf_free(&decoded);
}

static void check_cache(const char *bytes, size_t n)
{
	struct tb_names *names = tb_names_new();
	struct tb_cached c;

	tb_names_add_cache(names, bytes, n);
	tb_names_add_uris(names, bytes, n);
	tb_names_cached(names, "/m/a/Work.msf", "a/Work.msf", "Work", &c);
	tb_names_candidate(names, "a20df8fd7");
	tb_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = mem_strndup((const char *)data, size);

	check_prefs((const char *)data, size);
	check_cache((const char *)data, size);
	check_name(name);
	free(name);
	return 0;
}
