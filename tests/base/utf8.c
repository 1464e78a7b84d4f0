/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and headers made readable. Expected texts were written by hand, or made with
   another program (Python's codecs, and its email package for RFC 2047). */
#include "core/base/utf8.h"

#include "tests/lib/check.h"

#define FFFD "\xEF\xBF\xBD"

struct text_case {
	const char *what, *in, *want;
};

static void check_texts(const struct text_case *cases, size_t n,
			void (*add)(struct buf *, const char *, size_t))
{
	for (size_t i = 0; i < n; i++) {
		struct buf out = BUF_INIT;
		const char *in = cases[i].in;

		buf_add_str(&out, "<");
		add(&out, in, strlen(in));
		CHECK_CASE(cases[i].what, out.len && out.data[0] == '<');
		if (strcmp(out.data + 1, cases[i].want) != 0)
			printf("  got  \"%s\"\n  want \"%s\"\n", out.data + 1,
			       cases[i].want);
		CHECK_CASE(cases[i].what,
			   !strcmp(out.data + 1, cases[i].want));
		CHECK_CASE("nothing behind a NUL",
			   out.len == strlen(out.data));
		buf_free(&out);
	}
}
#define CHECK_TEXTS(cases, add)                                                \
	check_texts(cases, sizeof(cases) / sizeof((cases)[0]), add)

static void test_valid(void)
{
	static const struct {
		const char *what, *s;
		bool want;
	} cases[] = {
		{ "nothing", "", true },
		{ "ASCII with controls", "a\x01\x7F", true },
		{ "two, three and four bytes", "é日😀", true },
		{ "the last character", "\xF4\x8F\xBF\xBF", true },
		{ "behind the last character", "\xF4\x90\x80\x80", false },
		{ "a surrogate", "\xED\xA0\x80", false },
		{ "the character before the surrogates", "\xED\x9F\xBF", true },
		{ "two bytes where one would do", "\xC1\xBF", false },
		{ "three bytes where two would do", "\xE0\x9F\xBF", false },
		{ "four bytes where three would do", "\xF0\x8F\xBF\xBF", false },
		{ "five bytes", "\xF8\x88\x80\x80\x80", false },
		{ "cut short", "a\xE6\x97", false },
		{ "a tail alone", "\x80", false },
		{ "a lead and a letter", "\xC3" "a", false },
		{ "never a byte of UTF-8", "\xFF", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].what,
			   utf8_valid(cases[i].s, strlen(cases[i].s)) ==
				   cases[i].want);
	CHECK(utf8_valid("a\0b", 3));
	CHECK(!utf8_valid("\xE6\x97\xA5", 2)); /* the length counts, not the NUL */
}

static void test_nfc(void)
{
	static const struct text_case cases[] = {
		{ "voiced kana of macOS", "か\xE3\x82\x99", "が" },
		{ "half voiced", "ハ\xE3\x82\x9A", "パ" },
		{ "a letter with two marks", "a\xCC\x83\xCC\x81", "ã\xCC\x81" },
		{ "Hangul", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "한" },
		{ "composed already", "が", "が" },
		{ "a compatibility character is kept", "①", "①" },
		{ "a CJK compatibility ideograph is not", "\xEF\xA9\x9B",
		  "\xE8\x80\x85" },
		{ "not UTF-8", "\x82\xA9\x81\x4B", "\x82\xA9\x81\x4B" },
		{ "nothing", "", "" },
	};

	CHECK_TEXTS(cases, utf8_add_nfc);
}

static void test_guessed(void)
{
	static const struct text_case cases[] = {
		{ "UTF-8", "受信トレイ", "受信トレイ" },
		{ "CP932 kanji", "\x8E\xF3\x90\x4D\x83\x67\x83\x8C\x83\x43",
		  "受信トレイ" },
		{ "EUC-JP kanji and kana",
		  "\xBC\xF5\xBF\xAE\xA5\xC8\xA5\xEC\xA5\xA4", "受信トレイ" },
		{ "CP932 with a backslash as second byte", "\x95\x5C\x8E\xA6",
		  "表示" },
		{ "CP932: a kanji that is SS2 and a kana in EUC-JP", "\x8E\xD0",
		  "社" },
		{ "CP932: NEC's characters", "\x87\x40\x87\x8A", "①㈱" },
		{ "CP932: IBM's characters", "\xFA\xB1\x8D\xE8", "﨑崎" },
		{ "EUC-JP: NEC's characters", "\xAD\xA1\xC6\xFC", "①日" },
		{ "EUC-JP: two kanji that could be four kana",
		  "\xBD\xC5\xCD\xD7", "重要" },
		{ "EUC-JP: not kana, for no word has a mark there",
		  "\xC0\xDF\xB7\xD7", "設計" },
		{ "EUC-JP: nor a small kana there", "\xBE\xAE\xCE\xD3", "小林" },
		{ "EUC-JP: nor so much punctuation", "\xB3\xA4\xB3\xB0", "海外" },
		{ "EUC-JP: half-width kana by SS2", "\xC6\xFC\x8E\xC3\x8E\xBD",
		  "日ﾃｽ" },
		{ "CP932: half-width kana, odd number", "\xC3\xBD\xC4", "ﾃｽﾄ" },
		{ "CP932: half-width kana with a long mark",
		  "\xC3\xBD\xC4\xD2\xB0\xD9", "ﾃｽﾄﾒｰﾙ" },
		{ "CP932: half-width kana with a voice mark",
		  "\xCC\xAB\xD9\xC0\xDE\x31", "ﾌｫﾙﾀﾞ1" },
		{ "CP932: half-width kana beside kanji",
		  "\x89\xEF\x8E\xD0\xD2\xB0\xD9", "会社ﾒｰﾙ" },
		{ "Latin-1", "Entw\xFCrfe", "Entw" FFFD "rfe" },
		{ "nothing known", "\xFF\xFE" "a", FFFD FFFD "a" },
		{ "a CP932 lead at the end", "a\x81", "a" FFFD },
	};

	CHECK_TEXTS(cases, utf8_add_guessed);
}

static void test_from(void)
{
	static const struct {
		const char *charset, *in, *want;
	} cases[] = {
		{ "utf-8", "a\xFF\xE3\x81\x82", "a" FFFD "あ" },
		{ "UTF8", "あ", "あ" },
		{ "iso-8859-1", "\xE9\x80", "é€" },
		{ "windows-1252", "\x93x\x94", "“x”" },
		{ "koi8-r", "\xF0\xD2\xC9", "При" },
		{ "euc-kr", "\xC7\xD1", "한" },
		{ "gb2312", "\xD6\xD0", "中" },
		{ "big5", "\xA4\xA4", "中" },
		{ "Shift_JIS", "\x93\xFA\x96\x7B\x87\x40", "日本①" },
		{ "Shift_JIS", "\x81\xAD" "a\x81", FFFD "a" FFFD },
		{ "EUC-JP", "\xC6\xFC\xCB\xDC", "日本" },
		{ "ISO-2022-JP", "\033$BF|K\\\033(B", "日本" },
		{ "ISO-2022-JP", "\033$B-!-j\033(B\\~", "①㈱\\~" },
		{ "ISO-2022-JP", "\033$BF|K\\", "日本" },
		{ "ISO-2022-JP", "\033$BF|K", "日" FFFD },
		{ "ISO-2022-JP", "\033(ICM@\033(B.", "ﾃﾍﾀ." },
		{ "ISO-2022-JP", "\x0E\x43\x0F.", "ﾃ." },
		{ "ISO-2022-JP", "\xC3\xBD\xC4", "ﾃｽﾄ" },
		{ "ISO-2022-JP", "\033$BF|\033(B\xC3", "日ﾃ" },
		{ "ISO-2022-JP", "\x93\xFA\x96\x7B", "日本" },
		{ "ISO-2022-JP", "\033$(D\x22\x2F\033$BF|\033(B", "\xCB\x98日" },
		{ "ISO-2022-JP", "\033$BF|\nK\\\033(B", "日\nK\\" },
		{ "ISO-2022-JP-2", "\033$AVP\033(B", "中" },
		{ "utf-16be", "\x65\xE5\x67\x2C", "日本" },
		{ "utf-16le", "\x3D\xD8", FFFD },
		{ "utf-7", "+ZeVnLA-", "日本" },
		{ "unknown-8bit", "\x93\xFA\x96\x7B", "日本" },
		{ "x-no-such", "abc", "abc" },
		{ "", "abc", "abc" },
		{ "UTF-8//TRANSLIT", "\x93\xFA\x96\x7B", "日本" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;

		utf8_add_from(&out, cases[i].charset, cases[i].in,
			      strlen(cases[i].in));
		if (strcmp(out.data, cases[i].want) != 0)
			printf("  case %zu: got \"%s\"\n", i, out.data);
		CHECK_CASE(cases[i].charset, !strcmp(out.data, cases[i].want));
		buf_free(&out);
	}
}

static void test_header(void)
{
	static const struct text_case cases[] = {
		{ "plain", "Re: hello", "Re: hello" },
		{ "folds and blanks", "  a \r\n\t b\tc  ", "a b c" },
		{ "controls are dropped", "a\x01\x1B[31mb\x7F", "a[31mb" },
		{ "C1 controls, too", "a\xC2\x9B" "b", "ab" },
		{ "raw UTF-8", "日本", "日本" },
		{ "raw Shift_JIS", "Re: \x93\xFA\x96\x7B", "Re: 日本" },
		{ "raw EUC-JP", "\xC6\xFC\xCB\xDC\xB8\xEC", "日本語" },
		{ "raw ISO-2022-JP", "Re: \033$BF|K\\\033(B x", "Re: 日本 x" },
		{ "raw ISO-2022-JP that holds \"=?\"",
		  "\033$B=?=?Q=?\?\033(B", "戎戎兔真" },
		{ "B", "=?UTF-8?B?5pel5pys?=", "日本" },
		{ "Q", "=?iso-8859-1?Q?caf=E9_au=20lait?=", "café au lait" },
		{ "small letters", "=?utf-8?q?=e3=81=82?=", "あ" },
		{ "language tag", "=?UTF-8*ja?B?5pel?=", "日" },
		{ "blanks between two words are dropped",
		  "=?UTF-8?B?5pel?= \r\n =?UTF-8?B?5pys?=", "日本" },
		{ "blanks beside text are kept",
		  "a =?UTF-8?B?5pel?= b =?UTF-8?B?5pys?=", "a 日 b 本" },
		{ "glued to text", "(=?UTF-8?B?5pel?=)x", "(日)x" },
		{ "in quotes, as Outlook writes", "\"=?UTF-8?B?5pel?=\" <a@b>",
		  "\"日\" <a@b>" },
		{ "a character cut between two words",
		  "=?UTF-8?B?5pc=?= =?utf-8?Q?=A5?=", "日" },
		{ "an escape sequence cut between two words",
		  "=?ISO-2022-JP?B?GyRCRnwb?= =?ISO-2022-JP?B?KEI=?=", "日" },
		{ "no return to ASCII at the end of a word",
		  "=?ISO-2022-JP?B?GyRCRnw=?= =?ISO-2022-JP?B?GyRCS1wbKEI=?=",
		  "日本" },
		{ "different charsets are not joined",
		  "=?UTF-8?B?5pc=?= =?ISO-2022-JP?B?GyRCS1wbKEI=?=",
		  FFFD FFFD "本" },
		{ "NEC's characters under ISO-2022-JP",
		  "=?ISO-2022-JP?B?GyRCLSEtahsoQg==?=", "①㈱" },
		{ "UTF-8 labelled ISO-2022-JP",
		  "=?ISO-2022-JP?B?5pel5pys?=", "日本" },
		{ "unknown charset", "=?x-unknown?B?k/qWew==?=", "日本" },
		{ "blanks in the text", "=?UTF-8?Q?a b?=", "a b" },
		{ "a word with \"=\" first", "=?UTF-8?Q?=41b?=", "Ab" },
		{ "padding missing", "=?UTF-8?B?5pel5pysYQ?=", "日本a" },
		{ "padding in the middle", "=?UTF-8?B?YQ==YQ==?=", "aa" },
		{ "a broken escape in Q", "=?UTF-8?Q?a=4?=", "a=4" },
		{ "an empty word", "a=?UTF-8?Q?\?=b", "ab" },
		{ "not ended", "=?UTF-8?B?5pel", "=?UTF-8?B?5pel" },
		{ "unknown encoding", "=?UTF-8?X?abc?=", "=?UTF-8?X?abc?=" },
		{ "no charset", "=??Q?abc?=", "=??Q?abc?=" },
		{ "decoded line ends are blanks", "=?UTF-8?Q?a=0D=0Ab?=", "a b" },
		{ "a decoded NUL is dropped", "=?UTF-8?Q?a=00b?=", "ab" },
		{ "only blanks", " \r\n ", "" },
	};

	CHECK_TEXTS(cases, utf8_add_header);
}

static void test_mutf7(void)
{
	static const struct {
		const char *what, *name, *mutf7;
	} cases[] = {
		{ "plain", "INBOX", "INBOX" },
		{ "an ampersand", "R&D", "R&-D" },
		{ "from RFC 3501", "~peter/mail/台北/日本語",
		  "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
		{ "from Dovecot's manual", "台北", "&U,BTFw-" },
		{ "behind the BMP", "a😀", "a&2D3eAA-" },
		{ "a control character", "a\tb", "a&AAk-b" },
		{ "two runs and an ampersand", "é&é", "&AOk-&-&AOk-" },
		{ "nothing", "", "" },
	};
	static const struct {
		const char *what, *s;
	} bad[] = {
		{ "an ampersand alone", "R&D" },
		{ "not ended", "&U,BTFw" },
		{ "8-bit", "\xC3\xA9" },
		{ "a control character", "a\tb" },
		{ "printable ASCII encoded", "&AGE-" },
		{ "bits left over", "&U,BTFx-" },
		{ "a whole unit of six bits left over", "&U,BTFwA-" },
		{ "half a surrogate pair", "&2D0-" },
		{ "the second half alone", "&3gA-" },
		{ "two runs glued", "&AOk-&AOk-" },
		{ "the slash of ordinary base64", "&U/BTFw-" },
		{ "a NUL", "&AAA-" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT, back = BUF_INIT;

		utf8_to_mutf7(&out, cases[i].name, strlen(cases[i].name));
		CHECK_STR(out.data, cases[i].mutf7);
		CHECK_CASE(cases[i].what,
			   utf8_from_mutf7(&back, out.data, out.len) == 0);
		CHECK_STR(back.data, cases[i].name);
		buf_free(&out);
		buf_free(&back);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = BUF_INIT;

		buf_add_str(&out, "kept");
		CHECK_CASE(bad[i].what, utf8_from_mutf7(&out, bad[i].s,
							strlen(bad[i].s)) < 0);
		CHECK_STR(out.data, "kept");
		buf_free(&out);
	}
}

static void test_width(void)
{
	static const struct {
		const char *s;
		int want;
	} cases[] = {
		{ "", 0 },	 { "abc", 3 },	 { "日本", 4 },
		{ "ﾃｽﾄ", 3 },	 { "が", 2 },	 { "か\xE3\x82\x99", 2 },
		{ "é", 1 },	 { "😀", 2 },	 { "a\xFF", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].s, utf8_width(cases[i].s,
						  strlen(cases[i].s)) ==
					       cases[i].want);
}

/* A field of a megabyte made of beginnings must not take time by its square: this ends
   at once or, in effect, never. */
static void test_long_header(void)
{
	static const char *const pieces[] = {
		"=?", "=?a?b?", "=?utf-8?B?YQ==?=\r\n ", "\033$B", "=?a?q?x ",
	};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct buf in = BUF_INIT, out = BUF_INIT;

		while (in.len < 1 << 20)
			buf_add_str(&in, pieces[i]);
		utf8_add_header(&out, in.data, in.len);
		CHECK(utf8_valid(out.data, out.len));
		buf_free(&in);
		buf_free(&out);
	}
}

int main(void)
{
	test_valid();
	test_nfc();
	test_guessed();
	test_from();
	test_header();
	test_mutf7();
	test_width();
	test_long_header();
	return check_done();
}
