/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/err.h"

#include "tests/lib/check.h"

static const struct {
	const char *what, *in, *want;
} lines[] = {
	{ "plain text stays", "NO [LIMIT] try later", "NO [LIMIT] try later" },
	{ "no line of its own", "a\r\nb", "a??b" },
	{ "no cursor movement", "a\x1B[2Jb\x07", "a?[2Jb?" },
	{ "no DEL", "a\x7F", "a?" },
	{ "UTF-8 stays", "送信済み", "送信済み" },
};

static void test_lines(void)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK(err_set(&e, ERR_QUOTA, ERR_FOLDER, ERR_LATER, "%s",
			      lines[i].in) == -1);
		CHECK_CASE(lines[i].what, !strcmp(e.text, lines[i].want));
	}
	CHECK(e.kind == ERR_QUOTA && e.scope == ERR_FOLDER);
	CHECK(e.retry == ERR_LATER && e.wait_ms == 0);
}

static void test_context(void)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_BUSY, ERR_ACCOUNT, ERR_LATER, "throttled");
	e.wait_ms = 5000;
	CHECK(err_in(&e, "folder %s", "A\nB") == -1);
	CHECK_STR(e.text, "folder A?B: throttled");
	CHECK(e.kind == ERR_BUSY && e.scope == ERR_ACCOUNT);
	CHECK(e.retry == ERR_LATER && e.wait_ms == 5000);
	/* Its own text as an argument. */
	err_set(&e, ERR_OTHER, ERR_RUN, ERR_NEVER, "again: %s", e.text);
	CHECK_STR(e.text, "again: folder A?B: throttled");
	CHECK(e.wait_ms == 0);
	err_clear(&e);
	CHECK(e.kind == ERR_OTHER && e.scope == ERR_MESSAGE && !e.text[0]);
}

static void test_widen(void)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_OTHER, ERR_FOLDER, ERR_NEVER, "x");
	CHECK(err_widen(&e, ERR_MESSAGE) == -1);
	CHECK(e.scope == ERR_FOLDER);
	err_widen(&e, ERR_RUN);
	CHECK(e.scope == ERR_RUN);
}

/* Whether text ends in whole characters and "...". */
static int is_cut_well(const char *text)
{
	size_t n = strlen(text);

	if (n < 3 || n >= sizeof(((struct err *)0)->text) ||
	    strcmp(text + n - 3, "..."))
		return 0;
	for (n -= 3; n && (text[n - 1] & 0xC0) == 0x80; n--)
		;
	/* Here: one byte of lead, two that follow (they are kanji), or ASCII.
	 */
	return n == 0 || (text[n - 1] & 0x80) == 0 || strlen(text + n) == 2 + 3;
}

static void test_long_texts(void)
{
	static const size_t lengths[] = { 160, 169, 170, 171, 172, 300 };
	struct err e = ERR_INIT;

	/* Just enough room, and one too many. */
	char text[600];
	memset(text, 'a', sizeof(text));
	text[511] = '\0';
	err_set(&e, ERR_OTHER, ERR_RUN, ERR_NEVER, "%s", text);
	CHECK_STR(e.text, text);
	text[511] = 'a';
	text[512] = '\0';
	err_set(&e, ERR_OTHER, ERR_RUN, ERR_NEVER, "%s", text);
	CHECK(strlen(e.text) == 511 && is_cut_well(e.text));

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t pad = 0; pad < 3; pad++) {
			char kanji[1000] = "aa";

			kanji[pad] = '\0';
			for (size_t k = 0; k < lengths[i]; k++)
				strcat(kanji, "信");
			err_set(&e, ERR_OTHER, ERR_RUN, ERR_NEVER, "%s", kanji);
			if (strlen(kanji) < sizeof(e.text))
				CHECK_STR(e.text, kanji);
			else
				CHECK(is_cut_well(e.text));
			err_in(&e, "%s", kanji);
			CHECK(strlen(e.text) < sizeof(e.text));
			if (strlen(kanji) > 255)
				CHECK(is_cut_well(e.text));
		}
}

int main(void)
{
	test_lines();
	test_context();
	test_widen();
	test_long_texts();
	return check_done();
}
