/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/flags.h"

#include "tests/lib/check.h"

static const struct {
	const char *what, *word;
	size_t n;
	int want;
} keywords[] = {
	{ "a plain word", "nonjunk", 7, 0 },
	{ "Thunderbird's labels begin with a dollar", "$label1", 7, 0 },
	{ "a bracket may open", "[tag", 4, 0 },
	{ "but not close", "tag]", 4, -1 },
	{ "nothing is no word", "", 0, -1 },
	{ "a blank ends an atom", "to do", 5, -1 },
	{ "a leading backslash is a system flag's", "\\Seen", 5, -1 },
	{ "any backslash is quoted-special", "a\\b", 3, -1 },
	{ "a quote", "a\"b", 3, -1 },
	{ "a parenthesis opens a list", "(a", 2, -1 },
	{ "and closes one", "a)", 2, -1 },
	{ "a brace begins a literal", "a{", 2, -1 },
	{ "it may close", "a}", 2, 0 },
	{ "list wildcards", "a*", 2, -1 },
	{ "list wildcards", "a%", 2, -1 },
	{ "8-bit bytes", "\xE9\x87\x8D", 3, -1 },
	{ "DEL", "a\x7F", 2, -1 },
	{ "a NUL", "a\0b", 3, -1 },
	{ "a control character", "a\tb", 3, -1 },
};

static void test_keywords(void)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		struct flags f = FLAGS_INIT;
		int got = flags_add_keyword(&f, keywords[i].word,
					    keywords[i].n);

		CHECK_CASE(keywords[i].what, got == keywords[i].want);
		CHECK_CASE(keywords[i].what,
			   (flags_next_keyword(&f, NULL) != NULL) ==
				   (keywords[i].want == 0));
		flags_free(&f);
	}
}

static const struct {
	const char *what, *in, *want;
} texts[] = {
	{ "nothing", "", "" },
	{ "IMAP's order", "\\Draft \\Flagged \\Answered \\Seen",
	  "\\Seen \\Answered \\Flagged \\Draft" },
	{ "keywords are sorted, behind the flags", "b \\Seen a", "\\Seen a b" },
	{ "each once, without case, the first spelling",
	  "Junk junk JUNK $Forwarded", "$Forwarded Junk" },
	{ "flags in any case", "\\SEEN \\draft", "\\Seen \\Draft" },
	{ "unknown and forbidden flags are passed over",
	  "\\Deleted \\Recent \\Foo \\ x", "x" },
	{ "what is no atom is passed over", "a( b", "b" },
	{ "blanks in any number", "  a   b  ", "a b" },
	{ "a word that begins like another", "ab a abc", "a ab abc" },
};

static void test_texts(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct flags f = FLAGS_INIT, again = FLAGS_INIT;
		struct buf out = BUF_INIT;

		flags_parse(&f, texts[i].in, strlen(texts[i].in));
		flags_add_text(&out, &f);
		CHECK_STR(out.data, texts[i].want);
		flags_parse(&again, out.data, out.len);
		CHECK_CASE(texts[i].what, flags_equal(&f, &again));
		buf_free(&out);
		flags_free(&f);
		flags_free(&again);
	}
}

static void test_unite(void)
{
	struct flags a = FLAGS_INIT, b = FLAGS_INIT;
	struct buf out = BUF_INIT;

	flags_parse(&a, "\\Seen Work a", 12);
	flags_parse(&b, "\\Flagged work z", 15);
	CHECK(!flags_equal(&a, &b));
	CHECK(flags_has_keyword(&a, "WORK"));
	CHECK(!flags_has_keyword(&a, "z"));
	flags_unite(&a, &b);
	buf_add_str(&out, "(");
	flags_add_text(&out, &a);
	CHECK_STR(out.data, "(\\Seen \\Flagged a Work z");
	flags_unite(&a, &a);
	buf_reset(&out);
	flags_add_text(&out, &a);
	CHECK_STR(out.data, "\\Seen \\Flagged a Work z");
	flags_reset(&a);
	CHECK(a.system == 0 && !flags_next_keyword(&a, NULL));
	flags_reset(&b);
	CHECK(flags_equal(&a, &b));
	buf_free(&out);
	flags_free(&a);
	flags_free(&b);
}

int main(void)
{
	test_keywords();
	test_texts();
	test_unite();
	return check_done();
}
