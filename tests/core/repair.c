/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Repairs, byte for byte: core/repair.h. In texts "@x20;" stands for 20 times x, and "~"
   for a NUL. */
#include "core/repair.h"

#include <stdlib.h>

#include "tests/lib/check.h"

enum {
	NUL = REPAIR_NUL,
	CR = REPAIR_LONE_CR,
	LONG = REPAIR_LONG_LINES,
	HEADER = REPAIR_HEADER,
	EOL = REPAIR_LAST_EOL,
	ENCODE = REPAIR_8BIT_HEADER,
};

static void add_expanded(struct buf *out, const char *s)
{
	while (*s) {
		if (*s == '@' && s[1] && s[2] >= '0' && s[2] <= '9') {
			char c = s[1];
			long n = strtol(s + 2, (char **)&s, 10);

			while (n-- > 0)
				buf_add_char(out, c);
			s++;
		} else {
			buf_add_char(out, *s == '~' ? '\0' : *s);
			s++;
		}
	}
}

static void take_in(struct intake *in, const char *text)
{
	struct buf bytes = BUF_INIT;
	struct err e;

	intake_init(in);
	in->want_spool = true;
	add_expanded(&bytes, text);
	CHECK(intake_add(in, bytes.data, bytes.len, &e) == 0);
	CHECK(intake_end(in, &e) == 0);
	buf_free(&bytes);
}

static void spool_bytes(const struct intake *in, struct buf *out)
{
	char scratch[4096];
	const char *bytes;
	uint64_t at = 0;
	struct err e;
	ssize_t n;

	while ((n = spool_at(&in->spool, at, scratch, sizeof(scratch), &bytes,
			     &e)) > 0) {
		buf_add(out, bytes, (size_t)n);
		at += (uint64_t)n;
	}
}

static const struct {
	const char *what;
	unsigned repairs;
	const char *from, *to;
} cases[] = {
	{ "NULs become 0x80", NUL, "A: b\r\n\r\nx~y~\r\n", "A: b\r\n\r\nx\x80y\x80\r\n" },
	{ "a lone CR ends a line", CR, "A: b\r\n\r\nx\ry\r\n",
	  "A: b\r\n\r\nx\r\ny\r\n" },
	{ "one at the end as well", CR, "A: b\r\n\r\nx\r", "A: b\r\n\r\nx\r\n" },
	{ "in front of a line end it is dropped", CR, "A: b\r\r\nC: d\r\n\r\nx\r\r\r\ny\r\n",
	  "A: b\r\nC: d\r\n\r\nx\r\ny\r\n" },
	{ "only what was asked for", NUL, "A: b\r\n\r\nx\r~y", "A: b\r\n\r\nx\r\x80y" },
	{ "998 octets are not too long", LONG, "A: b\r\n\r\n@x998;\r\ny\r\n",
	  "A: b\r\n\r\n@x998;\r\ny\r\n" },
	{ "999 are", LONG, "A: b\r\n\r\n@x999;\r\ny\r\n",
	  "A: b\r\n\r\n@x998;\r\nx\r\ny\r\n" },
	{ "at a blank, if one is near", LONG, "A: b\r\n\r\n@x950; @y100;\r\n",
	  "A: b\r\n\r\n@x950; \r\n@y100;\r\n" },
	{ "no line end is added, nor a line lost, at the end", LONG,
	  "A: b\r\n\r\n@x999;", "A: b\r\n\r\n@x998;\r\nx" },
	{ "998 at the end of the message", LONG, "A: b\r\n\r\n@x998;",
	  "A: b\r\n\r\n@x998;" },
	{ "a UTF-8 character stays whole", LONG,
	  "A: b\r\n\r\n@x997;\xE3\x81\x82@y10;\r\n",
	  "A: b\r\n\r\n@x997;\r\n\xE3\x81\x82@y10;\r\n" },
	{ "a pair of ISO-2022-JP stays whole, and each line in ASCII at its ends", LONG,
	  "A: b\r\n\r\n@x994;\033$B$\"$$$&\033(Bz\r\n",
	  "A: b\r\n\r\n@x994;\r\n\033$B$\"$$$&\033(Bz\r\n" },
	{ "and in the middle of it", LONG,
	  "A: b\r\n\r\n@x990;\033$B$\"$$$&\033(Bz\r\n",
	  "A: b\r\n\r\n@x990;\033$B$\"\033(B\r\n\033$B$$$&\033(Bz\r\n" },
	{ "the line after a break is shifted as the one before was", LONG,
	  "A: b\r\n\r\n\033(I@x1000;\033(B\r\n",
	  "A: b\r\n\r\n\033(I@x992;\033(B\r\n\033(I@x8;\033(B\r\n" },
	{ "another charset's escape sequences are octets like others", LONG,
	  "A: b\r\n\r\n\033$)C@x1000;\r\n",
	  "A: b\r\n\r\n\033$)C@x994;\r\n@x6;\r\n" },
	{ "a long field is folded at a blank", LONG, "A: @x600; @y600;\r\n\r\nz\r\n",
	  "A: @x600;\r\n @y600;\r\n\r\nz\r\n" },
	{ "one without a blank stays", LONG, "A:@x1200;\r\n\r\nz\r\n",
	  "A:@x1200;\r\n\r\nz\r\n" },
	{ "what is no field ends the header", HEADER, "A: b\r\nno field\r\nC: d\r\n\r\nz",
	  "A: b\r\n\r\nno field\r\nC: d\r\n\r\nz" },
	{ "a continuation is none of these", HEADER, "A: b\r\n no field\r\n\r\nz",
	  "A: b\r\n no field\r\n\r\nz" },
	{ "a header that never ends gets an end", HEADER, "A: b\r\nC: d",
	  "A: b\r\nC: d\r\n\r\n" },
	{ "a blank before the colon", HEADER, "A : b\r\n\r\nz", "A: b\r\n\r\nz" },
	{ "a separator on top: no header is left", HEADER, "From x\r\nA: b\r\n\r\nz",
	  "\r\nFrom x\r\nA: b\r\n\r\nz" },
	{ "the last line end", EOL, "A: b\r\n\r\nz", "A: b\r\n\r\nz\r\n" },
	{ "which may be there", EOL, "A: b\r\n\r\nz\r\n", "A: b\r\n\r\nz\r\n" },
	{ "all at once", NUL | CR | LONG | HEADER | EOL,
	  "A: b\rbad~\r\n\r\n@x999;", "A: b\r\n\r\nbad\x80\r\n\r\n@x998;\r\nx\r\n" },

	{ "raw UTF-8 in a Subject", ENCODE,
	  "Subject: Re: \xE6\x97\xA5\xE6\x9C\xAC abc\r\n\r\n\xE6\r\n",
	  "Subject: Re: =?UTF-8?B?5pel5pys?= abc\r\n\r\n\xE6\r\n" },
	{ "raw Shift_JIS, with 0x5C as a second byte", ENCODE,
	  "Subject: \x95\x5C\x8E\xA6\r\n\r\nz", /* 表示 */
	  "Subject: =?UTF-8?B?6KGo56S6?=\r\n\r\nz" },
	{ "neighbouring words are one run", ENCODE,
	  "Subject: \xE3\x81\x82 \xE3\x81\x84 z\r\n\r\n",
	  "Subject: =?UTF-8?B?44GCIOOBhA==?= z\r\n\r\n" },
	{ "a blank between an encoded word and a raw one is seen", ENCODE,
	  "Subject: =?UTF-8?B?5pel?= \xE3\x81\x82\r\n\r\n",
	  "Subject: =?UTF-8?B?5pel?= =?UTF-8?B?IOOBgg==?=\r\n\r\n" },
	{ "a display name", ENCODE, "From: \xE5\xB1\xB1\xE7\x94\xB0 <y@example.jp>, b@c\r\n\r\n",
	  "From: =?UTF-8?B?5bGx55Sw?= <y@example.jp>, b@c\r\n\r\n" },
	{ "without a blank behind it", ENCODE, "From: \xE5\xB1\xB1<y@example.jp>\r\n\r\n",
	  "From: =?UTF-8?B?5bGx?= <y@example.jp>\r\n\r\n" },
	{ "a quoted one", ENCODE, "To: \"\xE5\xB1\xB1, \\\"T\\\"\" <y@example.jp>\r\n\r\n",
	  "To: =?UTF-8?B?5bGxLCAiVCI=?= <y@example.jp>\r\n\r\n" },
	{ "a comment", ENCODE, "To: y@example.jp (\xE5\xB1\xB1)\r\n\r\n",
	  "To: y@example.jp (=?UTF-8?B?5bGx?=)\r\n\r\n" },
	{ "an address cannot be encoded", ENCODE, "To: <\xE5\xB1\xB1@example.jp>\r\n\r\n",
	  "To: <\xE5\xB1\xB1@example.jp>\r\n\r\n" },
	{ "a file's name", ENCODE,
	  "Content-Disposition: attachment; filename=\"\xE5\xB1\xB1;.txt\"; size=1\r\n\r\n",
	  "Content-Disposition: attachment; filename*=UTF-8''%E5%B1%B1%3B.txt; size=1\r\n\r\n" },
	{ "ASCII fields are not touched, folds and all", ENCODE,
	  "X:  a\r\n\t b \r\nSubject: \xE3\x81\x82\r\n\r\n",
	  "X:  a\r\n\t b \r\nSubject: =?UTF-8?B?44GC?=\r\n\r\n" },
	{ "a comment in a comment", ENCODE,
	  "To: y@x (a (\xE5\xB1\xB1) b)\r\n\r\n",
	  "To: y@x (=?UTF-8?B?YSAo5bGxKSBi?=)\r\n\r\n" },
	{ "a quote without an end is text", ENCODE,
	  "From: \"\xE5\xB1\xB1 <y@x>\r\n\r\n",
	  "From: =?UTF-8?B?IuWxsQ==?= <y@x>\r\n\r\n" },
	{ "a comment without an end as well", ENCODE,
	  "From: (\xE5\xB1\xB1 <y@x>\r\n\r\n",
	  "From: =?UTF-8?B?KOWxsQ==?= <y@x>\r\n\r\n" },
	{ "a name may have an @, if an address is behind it", ENCODE,
	  "From: \xE5\xB1\xB1@\xE5\xBA\x97 <y@x>, b@c\r\n\r\n",
	  "From: =?UTF-8?B?5bGxQOW6lw==?= <y@x>, b@c\r\n\r\n" },
	{ "a bare address cannot be encoded", ENCODE,
	  "To: \xE5\xB1\xB1 \xE5\xB1\xB1@\xE5\xBA\x97, \"\xE5\xB1\xB1\"@x\r\n\r\n",
	  "To: =?UTF-8?B?5bGx?= \xE5\xB1\xB1@\xE5\xBA\x97, \"\xE5\xB1\xB1\"@x\r\n\r\n" },
	{ "what is quoted keeps its distance to what is not", ENCODE,
	  "From: \"\xE5\xB1\xB1\" \xE5\xBA\x97 <y@x>\r\n\r\n",
	  "From: =?UTF-8?B?5bGx?= =?UTF-8?B?IOW6lw==?= <y@x>\r\n\r\n" },
	{ "words that touched still seem to", ENCODE,
	  "From: \"\xE5\xB1\xB1\"\xE5\xBA\x97<y@x>\r\n\r\n",
	  "From: =?UTF-8?B?5bGx?= =?UTF-8?B?5bqX?= <y@x>\r\n\r\n" },
	{ "the time zone of a date stays a comment", ENCODE,
	  "Date: Mon, 1 Jan 2001 00:00:00 +0900 (\xE6\x9D\xB1\xE4\xBA\xAC)\r\n\r\n",
	  "Date: Mon, 1 Jan 2001 00:00:00 +0900 (=?UTF-8?B?5p2x5Lqs?=)\r\n\r\n" },
	{ "a Message-ID stays what it is", ENCODE,
	  "Message-ID: <\xE5\xB1\xB1@x>\r\n\r\n",
	  "Message-ID: <\xE5\xB1\xB1@x>\r\n\r\n" },
	{ "a file name with quoted characters", ENCODE,
	  "Content-Type: a/b; name=\"\xE5\xB1\xB1\\\"\\\\x\"\r\n\r\n",
	  "Content-Type: a/b; name*=UTF-8''%E5%B1%B1%22%5Cx\r\n\r\n" },
	{ "a long file name is continued", ENCODE,
	  "Content-Type: a/b;\r\n name=\"\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1.txt\"; x=y\r\n\r\n",
	  "Content-Type: a/b;\r\n name*0*=UTF-8''%E5%B1%B1%E5%B1%B1%E5%B1%B1%E5%B1%B1%E5%B1%B1%E5%B1%B1;\r\n name*1*=%E5%B1%B1%E5%B1%B1.txt; x=y\r\n\r\n" },
	{ "long text is folded, in whole characters", ENCODE,
	  "Subject: a \xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\xE5\xB1\xB1\r\n\r\n",
	  "Subject: a =?UTF-8?B?5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx?=\r\n =?UTF-8?B?5bGx5bGx5bGx5bGx5bGx5bGx5bGx?=\r\n\r\n" },
	{ "a lone CR is another repair's", ENCODE, "Subject: \xE5\xB1\xB1 a\rb\r\n\r\n",
	  "Subject: =?UTF-8?B?5bGx?= a\rb\r\n\r\n" },
	{ "bytes of no charset", ENCODE, "Subject: \xFF\xFE\r\n\r\n",
	  "Subject: =?unknown-8bit?B?//4=?=\r\n\r\n" },
};

static void table(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf want = BUF_INIT, got = BUF_INIT;
		struct intake from, to, twice;
		struct err e = ERR_INIT;

		take_in(&from, cases[i].from);
		intake_init(&to);
		to.want_spool = true;
		CHECK(repair_apply(&from, cases[i].repairs, &to, &e) == 0);
		add_expanded(&want, cases[i].to);
		spool_bytes(&to, &got);
		CHECK_CASE(cases[i].what, buf_equal(&want, &got));
		if (!buf_equal(&want, &got))
			printf("  got  \"%.300s\"\n  want \"%.300s\"\n", got.data,
			       want.data);
		CHECK_CASE(cases[i].what, to.wire_size == got.len);
		intake_init(&twice);
		twice.want_spool = true;
		CHECK(repair_apply(&to, cases[i].repairs, &twice, &e) == 0);
		buf_reset(&got);
		spool_bytes(&twice, &got);
		CHECK_CASE(cases[i].what, buf_equal(&want, &got)); /* twice */
		if (!buf_equal(&want, &got))
			printf("  twice \"%.300s\"\n", got.data);
		buf_free(&want);
		buf_free(&got);
		intake_free(&from);
		intake_free(&to);
		intake_free(&twice);
	}
}

static void ladder(void)
{
	static const struct {
		const char *what, *text;
		unsigned want[6];
	} rows[] = {
		{ "nothing to repair", "A: b\r\n\r\nz\r\n", { 0 } },
		{ "one rung after the other", "A: b\r\nbad\r\n\r\n~\rz@x999;",
		  { NUL, NUL | CR, NUL | CR | LONG, NUL | CR | LONG | HEADER,
		    NUL | CR | LONG | HEADER | EOL, 0 } },
		{ "rungs that change nothing are passed over", "A: b\r\n\r\n~z",
		  { NUL, NUL | EOL, 0 } },
		{ "a header without an end", "A: b\r\n", { HEADER, 0 } },
		{ "a rung below has mended it: the CR became the last line end",
		  "A: b\r\n\r\nz\r", { CR, 0 } },
		{ "a rung below has broken the header", "A: b\rbad\r\n\r\nz\r\n",
		  { CR, CR | HEADER, 0 } },
		{ "a continuation of nothing", " A: b\r\n\r\nz\r\n", { HEADER, 0 } },
		{ "a long field that cannot be folded", "A:@x1200;\r\n\r\nz\r\n",
		  { 0 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct intake in;
		unsigned done = 0, k = 0;

		take_in(&in, rows[i].text);
		do {
			done = repair_next(&in, done);
			CHECK_CASE(rows[i].what, done == rows[i].want[k]);
		} while (rows[i].want[k++]);
		intake_free(&in);
	}
}

static void words(void)
{
	struct buf text = BUF_INIT;

	repair_describe(REPAIR_NUL | REPAIR_LAST_EOL, &text);
	CHECK_STR(text.data, "NUL bytes were replaced by 0x80; the last line got its end");
	buf_free(&text);
}

int main(void)
{
	table();
	ladder();
	words();
	return check_done();
}
