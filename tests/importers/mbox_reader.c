/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an mbox is split, and what of it is a message. */
#include "importers/mbox_reader.h"

#include "tests/importers/mbox_reading.h"

#define A  "From a@example.jp Mon Jul 29 22:00:08 2002\n"
#define B  "From b@example.jp Tue Jul 30 01:02:03 2002\n"
#define HA "From: a@example.jp\nSubject: a\n\n"
#define HB "From: b@example.jp\nSubject: b\n\n"
#define GIT                                                                    \
	"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
#define PATCH                                                                  \
	GIT "From: A <a@example.jp>\nDate: Mon, 1 Jan 2024 10:00:00 +0900\n"   \
	    "Subject: [PATCH] fix\n\n---\n"
#define GLUED "From - Tue Oct 02 00:26:47 2007\nA: b\nC: d\n"
#define MULTI                                                                  \
	"From: a@example.jp\nMIME-Version: 1.0\n"                              \
	"Content-Type: multipart/mixed;\n boundary=\"=-x1\"\n\n"

static const struct reading plain[] = {
	{ .what = "one message", .file = A HA "one\n", .want = HA "one\n|" },
	{ .what = "two, with a blank line between",
	  .file = A HA "one\n\n" B HB "two\n\n",
	  .want = HA "one\n|" HB "two\n|" },
	{ .what = "pipermail: no blank line between",
	  .file = A HA "one\n" B HB "two\n",
	  .want = HA "one\n|" HB "two\n|" },
	{ .what = "only one blank line is the mbox's",
	  .file = A HA "one\n\n\n" B HB "two\n\n\n",
	  .want = HA "one\n\n|" HB "two\n\n|" },
	{ .what = "no final newline",
	  .file = A HA "one\n\n" B HB "two",
	  .want = HA "one\n|" HB "two|" },
	{ .what = "header only, the blank line behind it is the mbox's",
	  .file = A "Subject: a\n\n" B "Subject: b\n",
	  .want = "Subject: a\n|Subject: b\n|" },
	{ .what = "header only, with its own blank line",
	  .file = A "Subject: a\n\n\n" B HB,
	  .want = "Subject: a\n\n|From: b@example.jp\nSubject: b\n|" },
	{ .what = "header cut short",
	  .file = A "Subject: a\nX-Fo\n" B HB "two\n",
	  .want = "Subject: a\nX-Fo\n|" HB "two\n|" },
	{ .what = "a separator and nothing", .file = A, .want = "|" },
	{ .what = "separators and nothing between",
	  .file = A B HB "two\n",
	  .want = "|" HB "two\n|" },
	{ .what = "separators with a blank line each",
	  .file = A "\n" B "\n",
	  .want = "||" },
	{ .what = "message without a header",
	  .file = A "\ntext\n\n" B "\ntext\n",
	  .want = "\ntext\n|\ntext\n|" },
	{ .what = "empty file", .file = "", .want = "" },
	{ .what = "blank lines only", .file = "\n\r\n\n", .want = "" },
	{ .what = "CRLF throughout",
	  .file = "From a Mon Jul 29 22:00:08 2002\r\nA: b\r\nC: d\r\n\r\none\r\n\r\n"
		  "From b Mon Jul 29 22:00:08 2002\r\nA: b\r\nC: d\r\n\r\ntwo\r\n\r\n",
	  .want = "A: b\nC: d\n\none\n|A: b\nC: d\n\ntwo\n|" },
	{ .what = "Thunderbird's mixture: separator and blank line CRLF, mail LF",
	  .file = "From - Tue Nov 24 04:12:47 2026\r\nX-UIDL: 1\nA: b\n\none\n\r\n"
		  "From - Tue Nov 24 04:12:48 2026\r\nX-UIDL: 2\nA: b\n\ntwo\n\r\n",
	  .want = "X-UIDL: 1\nA: b\n\none\n|X-UIDL: 2\nA: b\n\ntwo\n|" },
	{ .what = "classic Mac: every line end a CR",
	  .file = "From a Mon Jul 29 22:00:08 2002\rA: b\rC: d\r\rone\r\r"
		  "From b Mon Jul 29 22:00:08 2002\rA: b\rC: d\r\rtwo\r",
	  .want = "A: b\nC: d\n\none\n|A: b\nC: d\n\ntwo\n|" },
	{ .what = "a lone CR elsewhere stays, and starts no line",
	  .file = A HA "o\rne\rFrom x Mon Jul 29 22:00:08 2002\rA: b\rC: d\n",
	  .want = HA "o\rne\rFrom x Mon Jul 29 22:00:08 2002\rA: b\rC: d\n|" },
	{ .what = "UUCP's trace is part of the message, unquoted",
	  .file = A HA "one\n\n" B
		       ">From c Mon Jul 29 22:00:08 2002 remote from d\n" HB,
	  .want = HA "one\n|From c Mon Jul 29 22:00:08 2002 remote from d\n"
		     "From: b@example.jp\nSubject: b\n|" },
};

static const struct reading odd_starts[] = {
	{ .what = "leading blank lines",
	  .file = "\n\r\n" A HA "one\n",
	  .want = HA "one\n|" },
	{ .what = "byte order mark",
	  .file = "\xEF\xBB\xBF" A HA "one\n",
	  .want = HA "one\n|" },
	{ .what = "byte order mark and blank line",
	  .file = "\xEF\xBB\xBF\n" A HA "one\n",
	  .want = HA "one\n|" },
	{ .what = "junk in front is counted, blanks are not",
	  .file = "half a \nmessage\n\n" A HA "one\n",
	  .want = HA "one\n|",
	  .junk = 12 },
	{ .what = "junk with prose: a first separator must be beyond doubt",
	  .file = "junk\n\nFrom bob\nSubject: x\n\nFrom the\n\n" A HA "one\n",
	  .want = HA "one\n|",
	  .rejected = 2,
	  .junk = 27 },
};

/* In the body of a message, with a blank line in front or not. */
static const struct {
	const char *what, *text;
	bool splits, splits_after_blank;
} bodies[] = {
	{ "prose", "From the office\nwe left.\n", false, false },
	{ "prose with an address and a year",
	  "From alice@example.jp 2018\nand so on.\n", false, false },
	{ "looks like Thunderbird's, is prose", "From - not a date\ntext\n",
	  false, false },
	{ "a name and a header (Thunderbird splits)",
	  "From bob\nSubject: x\n\ntext\n", true, true },
	{ "a name and two fields", "From bob\nTo: x\nX-A: y\n\ntext\n", true,
	  true },
	{ "several words and two fields: only after a blank line",
	  "From the office\nTo: x\nX-A: y\n\ntext\n", false, true },
	{ "prose with a colon in the next line",
	  "From the office\nNote: closed\nuntil May.\n", false, false },
	{ "a name with a colon", "From perl5-porters:\n\n==\nFrom: x\nTo: y\n",
	  false, false },
	{ "a title and one line with a colon",
	  "From Russia with love\nYear: 1963\n\nA film.\n", false, false },
	{ "a URL is no header", "From bob\nhttp://a\nhttps://b\n", false,
	  false },
	{ "a date and prose", "From a Mon Jul 29 22:00:08 2002\nshe wrote\n",
	  false, true },
	{ "prose behind the date",
	  "From Mon Jul 29 22:00 2002 until May\nwe left\n", false, false },
	{ "bare, and two fields", "From \nTo: x\nX-A: y\n\ntext\n", true,
	  true },
	{ "bare with a dash", "From  - \nTo: x\nX-A: y\n\ntext\n", true, true },
	{ "bare, and text", "From \nThis could cause problems\n", false,
	  false },
	{ "bare, and one field", "From \nNote: x\ntext\n", false, false },
	{ "bare, and a field that is not mail's", "From \nNote: x\n\ntext\n",
	  false, true },
	{ "not quite", "From\nSubject: x\nTo: y\n", false, false },
	{ "upper case", "FROM bob\nSubject: x\nTo: y\n", false, false },
	{ "a field with a blank before the colon",
	  "From : a@example.jp\nSubject: x\nTo: y\n", false, false },
	{ "blank line between separator and fields",
	  "From bob\n\nSubject: x\nTo: y\n\n", false, false },
	{ "a patch", PATCH, false, false },
	{ "Netscape 2", "From - 10/13/95 11:22:33\nA: b\nC: d\n\n", true,
	  true },
	{ "no seconds, zone before the year",
	  "From a Wed Feb  9 23:15 MET 2000\nReceived: from x\n\tby y\nTo: z\n\n",
	  true, true },
	{ "Takeout",
	  "From 159@xxx Mon Apr 15 10:00:00 +0000 2019\nA: b\nC: d\n\n", true,
	  true },
	{ "pipermail",
	  "From user at example.com  Mon Jul 29 22:00:08 2002\n"
	  "From: user at example.com (U)\nDate: x\n\n",
	  true, true },
	{ "UUCP",
	  "From a Mon Jul 29 22:00:08 2002 remote from b\nA: b\nC: d\n\n", true,
	  true },
	{ "quoted sender",
	  "From \"a b\"@c Mon Jul 29 22:00:08 2002\nA: b\nC: d\n\n", true,
	  true },
	{ "day first",
	  "From a Thu, 9 Nov 2002 22:33:52 GMT+0900 (JST)\nA: b\nC: d\n", true,
	  true },
	{ "the file ends behind it", "From - Mon Jul 29 22:00:08 2002\n", true,
	  true },
	{ "prose at the end of the file", "From the office\n", false, false },
	{ "one word at the end of the file", "From bob\n", false, false },
	{ "cut off in the first field",
	  "From - Mon Jul 29 22:00:08 2002\nSubje", true, true },
	{ "glued to a line without an end",
	  "textFrom - Tue Oct 02 00:26:47 2007\nA: b\nC: d\n\n", false, false },
	{ "NULs of a file system check in front", /* the caller's NUL */
	  "?From - Tue Oct 02 00:26:47 2007\nA: b\nC: d\n\n", true, true },
};

static const struct reading content_length[] = {
	{ .what = "mboxcl2: nothing is quoted, nothing is undone",
	  .file = A
	  "Content-Length: 37\n\nFrom b\nTo: x\nCc: y\n\n>From c\n>>From d\n\n" B
		  HB,
	  .want = "Content-Length: 37\n\nFrom b\nTo: x\nCc: y\n\n>From c\n>>From d\n|"
		  "From: b@example.jp\nSubject: b\n|" },
	{ .what = "at the end of the file",
	  .file = A "Content-Length: 19\n\nFrom b\nTo: x\nCc: y\n",
	  .want = "Content-Length: 19\n\n"
		  "From b\nTo: x\nCc: y\n|" },
	{ .what = "too long",
	  .file = A "Content-Length: 999\nA: b\n\none\n>From\n>From x\n\n" B HB,
	  .want = "Content-Length: 999\nA: b\n\none\n>From\nFrom x\n|"
		  "From: b@example.jp\nSubject: b\n|" },
	{ .what = "too short",
	  .file = A "Content-Length: 1\nA: b\n\none\n>From x\n\n" B HB,
	  .want = "Content-Length: 1\nA: b\n\none\nFrom x\n|"
		  "From: b@example.jp\nSubject: b\n|" },
	{ .what = "absurd",
	  .file = A
	  "Content-Length: 18446744073709551615\nA: b\n\none\n\n" B HB,
	  .want = "Content-Length: 18446744073709551615\nA: b\n\none\n|"
		  "From: b@example.jp\nSubject: b\n|" },
	{ .what = "absurd, in 64 bits wrapping to something",
	  .file = A
	  "Content-Length: 18446744073709551600\nA: b\n\none\n\n" B HB,
	  .want = "Content-Length: 18446744073709551600\nA: b\n\none\n|"
		  "From: b@example.jp\nSubject: b\n|" },
	{ .what = "points at prose, is not believed",
	  .file = A
	  "Content-Length: 4\nA: b\n\none\nFrom the office\ntext\n\n" B HB,
	  .want = "Content-Length: 4\nA: b\n\none\nFrom the office\ntext\n|"
		  "From: b@example.jp\nSubject: b\n|",
	  .rejected = 1 },
	{ .what = "Thunderbird never writes it: a sender's",
	  .file = "From - Mon Jul 29 22:00:08 2002\nContent-Length: 8\nA: b\n\n>From x\n\n" B
		  HB,
	  .want = "Content-Length: 8\nA: b\n\nFrom x\n|"
		  "From: b@example.jp\nSubject: b\n|" },
};

static const struct reading quoting[] = {
	{ .what = "one '>' of every line goes",
	  .file = A HA ">From a\n>>From b\n>>>>>>From c\n",
	  .want = HA "From a\n>From b\n"
		     ">>>>>From c\n|" },
	{ .what = "only of \"From \", and only at a line's begin",
	  .file = A HA
	  ">From\n> From a\n>From:\n->From a\n>Fromage\nx >From a\n>> >From b\n",
	  .want = HA
	  ">From\n> From a\n>From:\n->From a\n>Fromage\nx >From a\n>> >From b\n|" },
	{ .what = "Thunderbird's own separator, too",
	  .file = A HA ">" GLUED ">>" GLUED,
	  .want = HA GLUED ">" GLUED "|" },
	{ .what = "twice on a line",
	  .file = A HA ">From >From a\n",
	  .want = HA "From >From a\n|" },
	{ .what = "first thing in the message",
	  .file = A ">From x y\nA: b\n\n",
	  .want = "From x y\nA: b\n|" },
	{ .what = "last thing in the file",
	  .file = A HA "x\n>From ",
	  .want = HA "x\nFrom |" },
};

static const struct reading mime[] = {
	{ .what = "a patch attached: its separator is inside",
	  .file = A MULTI
	  "--=-x1\n\ntext\n--=-x1\nContent-Type: text/x-patch\n\n" B HB
	  "---\n--=-x1--\n\n" B HB,
	  .want = MULTI
	  "--=-x1\n\ntext\n--=-x1\nContent-Type: text/x-patch\n\n" B HB
	  "---\n--=-x1--\n|From: b@example.jp\nSubject: b\n|",
	  .rejected = 1 },
	{ .what = "cut short: what follows is another message",
	  .file = A MULTI "--=-x1\n\ntext\n\n" B HB "two\n",
	  .want = MULTI "--=-x1\n\ntext\n|" HB "two\n|" },
	{ .what = "cut short, and its whole copy follows",
	  .file = A MULTI "--=-x1\n\ntext\n\n" A MULTI
			  "--=-x1\n\ntext\n--=-x1--\n",
	  .want = MULTI "--=-x1\n\ntext\n|" MULTI
			"--=-x1\n\ntext\n--=-x1--\n|" },
	{ .what = "another boundary of the same begin",
	  .file = A MULTI "--=-x1\n\ntext\n\n" B HB "--=-x12\n",
	  .want = MULTI "--=-x1\n\ntext\n|" HB "--=-x12\n|" },
};

static const struct reading thunderbird[] = {
	{ .what = "ESR 128: bare separators",
	  .file = "From \r\nX-Mozilla-Status: 0001\r\nA: b\r\n\r\none\r\n\r\n"
		  "From \r\nX-Mozilla-Status: 0001\r\nA: b\r\n\r\ntwo\r\n\r\n",
	  .want = "X-Mozilla-Status: 0001\nA: b\n\none\n|X-Mozilla-Status: 0001\nA: b\n\n"
		  "two\n|",
	  .thunderbird = true },
	{ .what = "empty messages",
	  .file = "From \r\n\r\nFrom \r\n\r\nFrom \r\nA: b\r\nC: d\r\n",
	  .want = "||A: b\nC: d\n|",
	  .thunderbird = true },
};

static void check_bodies(void)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		for (int blank = 0; blank < 2; blank++) {
			struct buf file = BUF_INIT;
			struct result res;
			char *mark;
			bool want = blank ? bodies[i].splits_after_blank
					  : bodies[i].splits;

			buf_add_str(&file, A HA "one\n");
			buf_add_str(&file, blank ? "\n" : "");
			buf_add_str(&file, bodies[i].text);
			mark = strchr(file.data, '?');
			if (mark)
				*mark = '\0';
			read_all(&res, file.data, file.len, MBOX_QUOTING_RD,
				 false);
			if (res.n != 1 + want)
				printf("blank %d:\n", blank);
			CHECK_CASE(bodies[i].what, res.n == 1 + want);
			CHECK_CASE(bodies[i].what, !res.doubtful[0]);
			check_lengths(bodies[i].what, &res, file.data,
				      file.len);
			result_free(&res);
			buf_free(&file);
		}
}

/* What is a separator, but not beyond doubt, is said to be so. */
static void check_doubt(void)
{
	static const struct {
		const char *what, *separator;
		bool doubtful;
	} cases[] = {
		{ "as everybody writes it", "\n" B HB, false },
		{ "no blank line in front", B HB, false },
		{ "no date", "From bob\n" HB, true },
		{ "bare, in a file where others are not", "\nFrom \n" HB,
		  true },
		{ "no header behind it", "\n" B "text\n", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf file = BUF_INIT;
		struct result res;

		buf_add_str(&file, A HA "one\n");
		buf_add_str(&file, cases[i].separator);
		read_all(&res, file.data, file.len, MBOX_QUOTING_RD, false);
		CHECK_CASE(cases[i].what, res.n == 2);
		CHECK_CASE(cases[i].what, res.doubtful[1] == cases[i].doubtful);
		result_free(&res);
		buf_free(&file);
	}
}

static void check_rejections(void)
{
	static const char *const files[] = { "not mail\n",
					     "Subject: an .eml\n\nx\n",
					     "From the office\nwe left\n",
					     "\0\0\0" };
	struct result res;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		read_all(&res, files[i], i == 3 ? 3 : strlen(files[i]),
			 MBOX_QUOTING_RD, false);
		CHECK_CASE(files[i], res.n == -1);
		CHECK_CASE(files[i], res.e.scope == ERR_FOLDER);
		CHECK_CASE(files[i], res.e.kind == ERR_SOURCE);
		CHECK_CASE(files[i], strstr(res.e.text, "not an mbox"));
		result_free(&res);
	}
	/* A separator that lost its line end is seen and told, not acted on. */
	read_all(&res, A HA "textFrom - Tue Oct 02 00:26:47 2007\nA: b\n",
		 strlen(A HA "textFrom - Tue Oct 02 00:26:47 2007\nA: b\n"),
		 MBOX_QUOTING_RD, false);
	CHECK(res.n == 1 && res.rejected == 1);
	result_free(&res);
	/* NULs in front of a first separator are junk, and lose nothing. */
	read_all(&res, "\0\0\0" A HA "one\n", 3 + strlen(A HA "one\n"),
		 MBOX_QUOTING_RD, false);
	CHECK(res.n == 1 && res.junk == 3);
	CHECK_STR(res.text.data, HA "one\n|");
	result_free(&res);
}

static void check_git_mbox(void)
{
	struct result res;

	read_all(&res, PATCH "1\n" PATCH "2\n", strlen(PATCH PATCH) + 4,
		 MBOX_QUOTING_RD, false);
	CHECK(res.n == 2);
	CHECK(!res.doubtful[0] && !res.doubtful[1]);
	result_free(&res);
}

static void check_not_undone(void)
{
	struct result res;

	read_all(&res, A HA ">From a\n", strlen(A HA ">From a\n"),
		 MBOX_QUOTING_NONE, false);
	CHECK_STR(res.text.data, HA ">From a\n|");
	CHECK_STR(res.separators.data,
		  "From a@example.jp Mon Jul 29 22:00:08 2002|");
	result_free(&res);
}

static void add_times(struct buf *out, char c, size_t n)
{
	buf_grow(out, n);
	memset(out->data + out->len, c, n);
	out->len += n;
	out->data[out->len] = '\0';
}

/* A separator, a quoted line and a blank line, wherever the window ends. */
static void check_window(void)
{
	static const size_t near[] = { 256 << 10, 320 << 10,
				       (320 << 10) + 512 };
	static const char tail[] = "\n>>From x\nz\n\n" B HB "two\n";
	const size_t head = strlen(A HA);

	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		for (size_t before = 0; before < 48; before++) {
			struct buf file = BUF_INIT;
			struct result res;
			size_t n = near[i] - head - before;

			buf_add_str(&file, A HA);
			add_times(&file, 'y', n);
			buf_add_str(&file, tail);
			read_all(&res, file.data, file.len, MBOX_QUOTING_RD,
				 false);
			CHECK(res.n == 2);
			CHECK(res.offset[1] == head + n + 13);
			CHECK_STR(res.text.data + strlen(HA) + n,
				  "\n>From x\nz\n|" HB "two\n|");
			check_lengths("window", &res, file.data, file.len);
			result_free(&res);
			buf_free(&file);
		}
}

/* Lines longer than anything that is looked at: of a body, of '>' only, of a
   separator, of a field. */
static void check_long_lines(void)
{
	const size_t n = 1 << 20;
	struct buf file = BUF_INIT;
	struct result res;

	buf_add_str(&file, A HA);
	add_times(&file, '>', n);
	buf_add_str(&file, "From x\n\nFrom a");
	add_times(&file, ' ', n);
	buf_add_str(&file,
		    "Mon Jul 29 22:00:08 2002\nA: b\nC: d\n\nx\n" B "X-Long: ");
	add_times(&file, 'y', n);
	buf_add_str(&file, "\n\ntwo\n");
	read_all(&res, file.data, file.len, MBOX_QUOTING_RD, false);
	CHECK(res.n == 2);
	CHECK(res.rejected == 1); /* its date lies beyond what is looked at */
	CHECK(res.text.data[strlen(HA) + n - 2] == '>');
	CHECK(res.text.data[strlen(HA) + n - 1] == 'F');
	check_lengths("long lines", &res, file.data, file.len);
	result_free(&res);
	buf_free(&file);
}

/* The ledger's lengths belong to a file that has been changed. */
static void check_changed(void)
{
	static const char file[] = A HA "one\n\n" B HB "two\n";
	static const struct {
		const char *what;
		uint64_t length;
	} cases[] = {
		{ "nothing", 0 },
		{ "into the middle of a line", 20 },
		{ "beyond the end", 1000 },
		{ "far beyond the end", 10000000 },
		{ "round the corner", UINT64_MAX - 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mbox_reader *r = NULL;
		int fd = file_of(file, strlen(file)), got;
		uint64_t offset;
		struct err e = ERR_INIT;

		if (mbox_reader_open(fd, "test", MBOX_QUOTING_RD, false, &r,
				     &e) < 0)
			abort();
		CHECK(mbox_reader_next(r, &offset, &e) == 1);
		got = mbox_reader_pass(r, cases[i].length, &e);
		if (got == 0)
			got = mbox_reader_next(r, &offset, &e);
		CHECK_CASE(cases[i].what, got == -1 && e.scope == ERR_FOLDER);
		CHECK_CASE(cases[i].what,
			   mbox_reader_next(r, &offset, &e) == -1);
		mbox_reader_close(r);
		close(fd);
	}
}

/* There is no room for a temporary file: one message fails, not the folder. */
static void check_refused(void)
{
	struct buf file = BUF_INIT;
	struct mbox_reader *r = NULL;
	struct intake in;
	uint64_t offset, length = 0;
	struct err e = ERR_INIT;
	int fd;

	buf_add_str(&file, A HA);
	add_times(&file, 'y', 3 << 20);
	buf_add_str(&file, "\n\n" B HB "two\n");
	fd = file_of(file.data, file.len);
	intake_init(&in);
	in.want_spool = true;
	setenv("TMPDIR", "/nonexistent", 1);
	if (mbox_reader_open(fd, "test", MBOX_QUOTING_RD, false, &r, &e) < 0)
		abort();
	CHECK(mbox_reader_next(r, &offset, &e) == 1);
	CHECK(mbox_reader_load(r, &in, &length, &e) == -1);
	CHECK(e.scope == ERR_MESSAGE && e.retry == ERR_LATER);
	intake_reset(&in);
	CHECK(mbox_reader_next(r, &offset, &e) == 1);
	CHECK(offset == length);
	CHECK(mbox_reader_load(r, &in, &length, &e) == 0);
	CHECK(offset + length == file.len);
	CHECK(mbox_reader_next(r, &offset, &e) == 0);
	unsetenv("TMPDIR");
	mbox_reader_close(r);
	intake_free(&in);
	close(fd);
	buf_free(&file);
}

static void check_status(void)
{
	static const struct {
		const char *header, *want;
		bool deleted;
	} cases[] = {
		{ "Status: RO\n", "\\Seen", false },
		{ "Status: O\n", "", false },
		{ "X-Status: AF\nStatus: R\n", "\\Answered \\Flagged \\Seen",
		  false },
		{ "X-Status: T\n", "\\Draft", false },
		{ "X-Status: D\n", "", true },
		{ "Subject: R\n", "", false },
		{ "Status: O\nStatus: R\n", "", false },
		{ "X-Keywords: $Forwarded ab(c other NonJunk\n", "$Forwarded NonJunk",
		  false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct header h = HEADER_INIT;
		struct flags f = FLAGS_INIT, want = FLAGS_INIT;
		struct flags known = FLAGS_INIT;
		bool deleted;

		buf_add_str(&h.raw, cases[i].header);
		header_index(&h);
		mbox_flags_from_header(&h, &f, &deleted);
		flags_parse(&known, "$Forwarded NonJunk", 18);
		mbox_keywords_from_header(&h, &known, &f);
		flags_parse(&want, cases[i].want, strlen(cases[i].want));
		CHECK_CASE(cases[i].header, flags_equal(&f, &want));
		CHECK_CASE(cases[i].header, deleted == cases[i].deleted);
		flags_free(&f);
		flags_free(&want);
		flags_free(&known);
		header_free(&h);
	}
}

int main(void)
{
	CHECK_TABLE(plain);
	CHECK_TABLE(odd_starts);
	CHECK_TABLE(content_length);
	CHECK_TABLE(quoting);
	CHECK_TABLE(mime);
	CHECK_TABLE(thunderbird);
	check_bodies();
	check_doubt();
	check_rejections();
	check_git_mbox();
	check_not_undone();
	check_window();
	check_long_lines();
	check_changed();
	check_refused();
	check_status();
	return check_done();
}
