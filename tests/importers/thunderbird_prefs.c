/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prefs.js and user.js. */
#include "importers/thunderbird_prefs.h"

#include "core/base/buf.h"
#include "tests/lib/check.h"

/* What text sets, as "key=value" joined by '|'. */
static void show(const char *text, struct buf *out)
{
	size_t n = strlen(text);
	char *bytes = mem_strndup(text, n);
	struct tb_prefs *prefs = tb_prefs_new();

	buf_reset(out);
	tb_prefs_parse(prefs, bytes, n);
	for (size_t i = 0; i < tb_prefs_count(prefs); i++)
		buf_addf(out, "%s%s=%s", i ? "|" : "", tb_prefs_key(prefs, i),
			 tb_prefs_value(prefs, i));
	tb_prefs_free(prefs);
	free(bytes);
}

static const struct {
	const char *what, *text, *want;
} cases[] = {
	{ "strings, numbers and truth",
	  "user_pref(\"a\", \"x y\");\nuser_pref(\"b\", -1);\n"
	  "user_pref(\"c\", true);\n",
	  "a=x y|b=-1|c=true" },
	{ "sorted, and the last one stands",
	  "user_pref(\"b\", 1);\nuser_pref(\"a\", 2);\nuser_pref(\"b\", 3);",
	  "a=2|b=3" },
	{ "comments of all kinds",
	  "# Mozilla User Preferences\n/* a\n * user_pref(\"x\", 1);\n */\n"
	  "// user_pref(\"y\", 1);\nuser_pref(\"a\", 1); // why\n",
	  "a=1" },
	{ "white space anywhere",
	  "  user_pref ( \"a\" ,\n\t\"1\" ) ;\r\nuser_pref('b','2')", "a=1|b=2" },
	{ "escapes",
	  "user_pref(\"a\", \"C:\\\\Mail\\\"x\\\"\\x41\\n\\r\");", "a=C:\\Mail\"x\"A\n\r" },
	{ "Unicode, also beyond the BMP",
	  "user_pref(\"a\", \"\\u65e5\\u672C \\ud83d\\uDCE6\");", "a=日本 📦" },
	{ "half a character",
	  "user_pref(\"a\", \"\\ud83dx\\udce6\\ud83d\\u0041\");",
	  "a=\uFFFDx\uFFFD\uFFFDA" },
	{ "raw UTF-8", "user_pref(\"a\", \"見積中\");", "a=見積中" },
	{ "a broken line costs only itself",
	  "user_pref(\"a\", 1);\nuser_pref(\"b\", \"unclosed);\n"
	  "user_pref(\"c\", 3);\n",
	  "a=1|c=3" },
	{ "what is no setting is passed over",
	  "lockPref(\"a\", 1);\nx = 3;\nuser_pref(b, 1);\nuser_pref(\"c\");\n"
	  "user_pref(\"d\", );\nuser_pref(\"e\", \"\\u12\");\npref(\"f\", 6);",
	  "f=6" },
	{ "a NUL in a value", "user_pref(\"a\", \"x\\x00y\");\nuser_pref(\"b\", 1);",
	  "b=1" },
	{ "a comment without an end", "user_pref(\"a\", 1);\n/* user_pref(\"b\", 1);",
	  "a=1" },
	{ "nothing", "", "" },
	{ "cut off", "user_pref(\"a\", 1);\nuser_pref(\"b\", \"x\\", "a=1" },
};

static void check_get(void)
{
	static const char prefs_js[] =
		"user_pref(\"mail.server.server2.type\", \"pop3\");\n"
		"user_pref(\"mail.server.server2.name\", \"\");\n";
	static const char user_js[] =
		"user_pref(\"mail.server.server2.type\", \"none\");\n";
	struct tb_prefs *prefs = tb_prefs_new();

	CHECK(!tb_prefs_get(prefs, "mail.server.server2.type"));
	tb_prefs_parse(prefs, prefs_js, strlen(prefs_js));
	CHECK_STR(tb_prefs_get(prefs, "mail.server.server2.type"), "pop3");
	tb_prefs_parse(prefs, user_js, strlen(user_js));
	CHECK_STR(tb_prefs_get(prefs, "mail.server.server2.type"), "none");
	CHECK_STR(tb_prefs_get3(prefs, "mail.server.", "server2", "type"), "none");
	CHECK_STR(tb_prefs_get(prefs, "mail.server.server2.name"), "");
	CHECK(!tb_prefs_get3(prefs, "mail.server.", "server2", "name"));
	CHECK(!tb_prefs_get3(prefs, "mail.server.", "server1", "type"));
	tb_prefs_free(prefs);
}

int main(void)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		show(cases[i].text, &out);
		CHECK_CASE(cases[i].what, !strcmp(out.data, cases[i].want));
		CHECK_STR(out.data, cases[i].want);
	}
	buf_free(&out);
	check_get();
	return check_done();
}
