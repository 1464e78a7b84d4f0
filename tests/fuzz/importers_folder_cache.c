/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: what a panacea.dat says of folders, written down as the
   folderCache.json that took its place, gives the same names and flags. The bytes are
   also taken as a folderCache.json themselves. */
#include "importers/thunderbird_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "importers/mork.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEY, NAME, FLAGS };
static const char *const scopes[] = { "ns:msg:db:row:scope:folders:all", NULL };
static const char *const columns[] = { "key", "folderName", "flags", NULL };
static const char kind[] = "ns:msg:db:table:kind:folders";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add_string(struct buf *out, const char *s)
{
	buf_add_char(out, '"');
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == '"' || *s == '\\')
			buf_addf(out, "\\u%04x", (unsigned char)*s);
		else
			buf_add_char(out, *s);
	buf_add_char(out, '"');
}

/* JSON holds a key once, and text only. False where that makes a difference. */
static bool write_json(struct buf *out, const struct mork *m)
{
	struct buf key = BUF_INIT, name = BUF_INIT, mark = BUF_INIT;
	bool good = true;

	buf_add_char(out, '{');
	for (size_t row = 0; row < mork_rows(m) && good; row++) {
		uint64_t flags;

		mork_cell_hex(m, row, FLAGS, &flags);
		mork_cell(m, row, NAME, &name);
		if (!mork_row_listed(m, row) || !mork_cell(m, row, KEY, &key) ||
		    !key.len)
			continue;
		buf_reset(&mark);
		add_string(&mark, key.data);
		buf_add_str(&mark, ":{");
		good = strlen(key.data) == key.len &&
		       strlen(name.data) == name.len &&
		       utf8_valid(key.data, key.len) &&
		       utf8_valid(name.data, name.len) && flags <= INT64_MAX &&
		       !strstr(out->data, mark.data);
		buf_addf(out, "%s%s\"folderName\":", out->len > 1 ? "," : "",
			 mark.data);
		add_string(out, name.data);
		buf_addf(out, ",\"flags\":%ju}", (uintmax_t)flags);
	}
	buf_add_char(out, '}');
	buf_free(&key);
	buf_free(&name);
	buf_free(&mark);
	return good;
}

static void same_answers(const struct tb_names *a, const struct tb_names *b,
			 const struct mork *m)
{
	struct buf key = BUF_INIT;

	for (size_t row = 0; row < mork_rows(m); row++) {
		struct tb_cached x, y;
		const char *tail, *leaf;

		if (!mork_cell(m, row, KEY, &key))
			continue;
		tail = strchr(key.data, '/');
		leaf = strrchr(key.data, '/');
		if (!tail)
			continue;
		must(tb_names_cached(a, key.data, tail + 1, leaf + 1, &x) ==
		     tb_names_cached(b, key.data, tail + 1, leaf + 1, &y));
		must(x.flags == y.flags);
		must(!x.name == !y.name && (!x.name || !strcmp(x.name, y.name)));
	}
	buf_free(&key);
}

static void check_panacea(const char *bytes, size_t n)
{
	struct mork *m = mork_parse(bytes, n, scopes, columns, kind);
	struct tb_names *a = tb_names_new(), *b = tb_names_new();
	struct buf json = BUF_INIT;

	must(tb_names_add_panacea(a, bytes, n, false) == mork_begins(bytes, n));
	if (write_json(&json, m)) {
		must(tb_names_add_cache(b, json.data, json.len));
		same_answers(a, b, m);
	}
	tb_names_free(a);
	tb_names_free(b);
	mork_free(m);
	buf_free(&json);
}

static void check_cache(const char *bytes, size_t n)
{
	struct tb_names *names = tb_names_new();
	struct tb_cached c;

	tb_names_add_cache(names, bytes, n);
	if (tb_names_cached(names, "/m/a/Work.msf", "a/Work.msf", "Work", &c))
		must(!c.name || *c.name);
	tb_names_candidate(names, "a20df8fd7");
	tb_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_panacea((const char *)data, size);
	check_cache((const char *)data, size);
	return 0;
}
