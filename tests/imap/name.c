/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folder names on their way to the server and back. */
#include "storage/imap/name.h"
#include "core/base/utf8.h"
#include "tests/lib/check.h"

#include <stdbool.h>

static const struct {
	const char *what;
	const char *path[6];
	const char *prefix;
	char separator;
	const char *want; /* NULL: refused */
	bool changed;
} names[] = {
	{ "plain", { "Archive", "2019" }, "", '/', "Archive/2019", false },
	{ "a prefix", { "Archive" }, "INBOX.", '.', "INBOX.Archive", false },
	{ "INBOX has no prefix", { "Inbox" }, "INBOX.", '.', "INBOX", false },
	{ "INBOX below something", { "a", "INBOX" }, "", '/', "a/INBOX", false },
	{ "Japanese", { "送信済み" }, "", '/', "&kAFP4W4IMH8-", false },
	{ "Japanese in levels", { "仕事", "春" }, "", '.', "&TtVOiw-.&ZiU-", false },
	{ "beyond U+FFFF", { "😀" }, "", '/', "&2D3eAA-", false },
	{ "an ampersand", { "R&D" }, "", '/', "R&-D", false },
	{ "looks like mUTF-7", { "&ZiU-" }, "", '/', "&-ZiU-", false },
	{ "the separator in a name", { "a/b", "c.d" }, "", '/', "a_b/c.d", true },
	{ "the other separator", { "a/b", "c.d" }, "", '.', "a/b.c_d", true },
	{ "wildcards", { "50%*" }, "", '/', "50__", true },
	{ "a home directory", { "~root", "a~" }, "", '/', "_root/a~", true },
	{ "up and out", { "..", ".", "x" }, "", '/', "__/_/x", true },
	{ "dots that are a name", { "...", ".x" }, "", '/', ".../.x", false },
	{ "dots where they separate", { ".." }, "", '.', "__", true },
	{ "nothing", { "", "x" }, "", '/', "_/x", true },
	{ "only blanks", { " " }, "", '/', " ", false },
	{ "blanks at the ends", { " a  b " }, "", '/', " a  b ", false },
	{ "quotes", { "a\"b\\c" }, "", '/', "a\"b\\c", false },
	{ "CRLF", { "a\r\nb" }, "", '/', "a__b", true },
	{ "tab, DEL, ESC", { "\t\x7F\x1B" }, "", '/', "___", true },
	{ "C1 control NEL", { "a\xC2\x85z" }, "", '/', "a_z", true },
	{ "no UTF-8", { "a\xFFz" }, "", '/', "a_z", true },
	{ "surrogate in UTF-8", { "\xED\xA0\x80" }, "", '/', "___", true },
	{ "a flat server, one part", { "a.b" }, "", '\0', "a.b", false },
	{ "a flat server, two parts", { "a", "b" }, "", '\0', NULL, false },
	{ "separator out of mUTF-7's alphabet", { "春" }, "", 'Z', NULL, false },
};

static void check_encode(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf out = BUF_INIT;
		struct err e = ERR_INIT;
		bool changed = true;
		int ret = imap_name_encode(names[i].path, names[i].prefix,
					   names[i].separator, &out, &changed,
					   &e);

		CHECK_CASE(names[i].what, (ret == 0) == (names[i].want != NULL));
		if (names[i].want) {
			CHECK_STR(out.data, names[i].want);
			CHECK_CASE(names[i].what, changed == names[i].changed);
		} else {
			CHECK_CASE(names[i].what, e.scope == ERR_FOLDER &&
				   e.retry == ERR_NEVER && e.text[0]);
			CHECK_CASE("nothing is left behind", out.len == 0);
		}
		buf_free(&out);
	}
}

static void check_long(void)
{
	char part[1200];
	const char *path[] = { part, NULL };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	bool changed;

	memset(part, 'a', sizeof(part));
	part[900] = '\0';
	buf_add_str(&out, "kept ");
	CHECK(imap_name_encode(path, "", '/', &out, &changed, &e) == 0);
	CHECK(out.len == 905);
	buf_cut(&out, 5);
	part[900] = 'a';
	part[1001] = '\0';
	CHECK(imap_name_encode(path, "", '/', &out, &changed, &e) < 0);
	CHECK(e.scope == ERR_FOLDER);
	CHECK_STR(out.data, "kept ");
	buf_free(&out);
}

static const struct {
	const char *what, *wire, *prefix;
	char separator;
	const char *want;
} shown[] = {
	{ "levels", "a.b.c", "", '.', "a/b/c" },
	{ "prefix off", "INBOX.&ZiU-", "INBOX.", '.', "春" },
	{ "INBOX under its prefix", "INBOX", "INBOX.", '.', "INBOX" },
	{ "the prefix itself", "INBOX.", "INBOX.", '.', "INBOX/" },
	{ "decoded level by level", "&ZiU-/&ZiU-", "", '/', "春/春" },
	{ "no mUTF-7", "R&D", "", '/', "R&D" },
	{ "raw UTF-8", "春", "", '/', "春" },
	{ "flat", "a.b", "", '\0', "a.b" },
	{ "a line end is not shown", "a\r\nb", "", '/', "a??b" },
};

static void check_show(void)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct buf out = BUF_INIT;

		imap_name_show(shown[i].wire, shown[i].prefix,
			       shown[i].separator, &out);
		CHECK_STR(out.data, shown[i].want);
		buf_free(&out);
	}
}

static const struct {
	const char *wire, *want;
} quoted[] = {
	{ "INBOX", "\"INBOX\"" },
	{ "a b", "\"a b\"" },
	{ "", "\"\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "a\rb", NULL },
	{ "a\nX DELETE INBOX", NULL },
};

static void check_quote(void)
{
	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
		struct buf out = BUF_INIT;
		struct err e = ERR_INIT;
		int ret = imap_name_quote(quoted[i].wire, &out, &e);

		CHECK_CASE(quoted[i].wire, (ret == 0) == (quoted[i].want != NULL));
		CHECK_STR(out.data, quoted[i].want ? quoted[i].want : "");
		buf_free(&out);
	}
}

int main(void)
{
	check_encode();
	check_long();
	check_show();
	check_quote();
	return check_done();
}
