/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/intake.h"

#include "tests/lib/check.h"

static void take(struct intake *in, const char *bytes, size_t n, size_t piece)
{
	struct err e = ERR_INIT;
	size_t len;

	intake_reset(in);
	for (size_t at = 0; at < n; at += len) {
		len = n - at < piece ? n - at : piece;
		CHECK(intake_add(in, bytes + at, len, &e) == 0);
	}
	CHECK(intake_end(in, &e) == 0);
}

static const char *const leading[] = { "X-Mozilla-Status", "X-UIDL", NULL };
static const char *const anywhere[] = { "X-Status", NULL };

struct wire_case {
	const char *what, *in, *out;
	uint64_t longest, lone_crs;
	bool eight_bit, eol;
};

static const struct wire_case wires[] = {
	{ "nothing", "", "", 0, 0, false, false },
	{ "LF", "A: b\n\nx\ny\n", "A: b\r\n\r\nx\r\ny\r\n", 4, 0, false, true },
	{ "CRLF", "A: b\r\n\r\nx\r\n", "A: b\r\n\r\nx\r\n", 4, 0, false, true },
	{ "mixed", "A: b\r\n\nx\r\ny\n", "A: b\r\n\r\nx\r\ny\r\n", 4, 0, false,
	  true },
	{ "no line end at the end", "A: b\n\nlonger", "A: b\r\n\r\nlonger", 6, 0,
	  false, false },
	{ "only a header", "A: b\n", "A: b\r\n", 4, 0, false, true },
	{ "only a part of a header", "A: b", "A: b", 4, 0, false, false },
	{ "only an empty line", "\n", "\r\n", 0, 0, false, true },
	{ "an empty line first", "\nA: b\n", "\r\nA: b\r\n", 4, 0, false, true },
	{ "a lone CR stays", "A: b\n\nx\ry\n", "A: b\r\n\r\nx\ry\r\n", 4, 1,
	  false, true },
	{ "CR CR LF", "A: b\n\nxyz\r\r\n", "A: b\r\n\r\nxyz\r\r\n", 4, 1, false,
	  true },
	{ "a CR at the end", "A: b\n\nxyzt\r", "A: b\r\n\r\nxyzt\r", 5, 1, false,
	  false },
	{ "a CR alone is no empty line", "A: b\n\r", "A: b\r\n\r", 4, 1, false,
	  false },
	{ "8-bit in the header", "A: \xE9\n\nx\n", "A: \xE9\r\n\r\nx\r\n", 4, 0,
	  true, true },
	{ "8-bit in the body", "A: b\n\n\xE9\n", "A: b\r\n\r\n\xE9\r\n", 4, 0,
	  false, true },
	{ "white space ends no header", "A: b\n \nB: c\n\n",
	  "A: b\r\n \r\nB: c\r\n\r\n", 4, 0, false, true },
	{ "the store's fields on top go", "X-Mozilla-Status: 1\nX-UIDL: 2\nA: b\n\n",
	  "A: b\r\n\r\n", 4, 0, false, true },
	{ "with all their lines, 8-bit or not",
	  "x-uidl: 1\n \xE9\n more\nA: b\n\n", "A: b\r\n\r\n", 4, 0, false,
	  true },
	{ "further down they came with the mail", "A: b\nX-UIDL: 2\n\n",
	  "A: b\r\nX-UIDL: 2\r\n\r\n", 9, 0, false, true },
	{ "behind a separator they are on top",
	  "From - x\nX-UIDL: 2\nA: b\n\n", "From - x\r\nA: b\r\n\r\n", 8, 0,
	  false, true },
	{ "behind text they are not", "text\nX-UIDL: 2\nA: b\n\n",
	  "text\r\nX-UIDL: 2\r\nA: b\r\n\r\n", 9, 0, false, true },
	{ "others go wherever they are", "A: b\nX-Status: A\nB: c\nX-STATUS: F\n\n",
	  "A: b\r\nB: c\r\n\r\n", 4, 0, false, true },
	{ "all go", "X-UIDL: 2\nX-Status: A\n\nx", "\r\nx", 1, 0, false, false },
	{ "all go, and nothing is left", "X-UIDL: 2", "", 0, 0, false, false },
	{ "in the body they are text", "A: b\n\nX-Status: A\n",
	  "A: b\r\n\r\nX-Status: A\r\n", 11, 0, false, true },
	{ "no header at all", "just text, no colon", "just text, no colon", 19, 0,
	  false, false },
};

static void check_wire(struct intake *in, const struct wire_case *c)
{
	struct err e = ERR_INIT;
	const char *got;
	size_t n = strlen(c->out);

	CHECK_CASE(c->what, in->wire_size == n);
	CHECK_CASE(c->what, in->store_size == strlen(c->in));
	CHECK_CASE(c->what, in->longest_line == c->longest);
	CHECK_CASE(c->what, in->lone_crs == c->lone_crs);
	CHECK_CASE(c->what, in->header_8bit == c->eight_bit);
	CHECK_CASE(c->what, in->ends_with_eol == c->eol);
	CHECK_CASE(c->what, !in->in_header && !in->nuls);
	if (!in->want_spool) {
		CHECK_CASE(c->what, in->spool.len == 0);
		return;
	}
	CHECK_CASE(c->what, in->spool.len == n);
	if (n && in->spool.len == n) {
		spool_at(&in->spool, 0, NULL, 0, &got, &e);
		CHECK_CASE(c->what, !memcmp(got, c->out, n));
	}
}

static void test_wires(void)
{
	struct intake in;

	intake_init(&in);
	in.drop_leading = leading;
	in.drop_anywhere = anywhere;
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		for (size_t piece = 1; piece < 20; piece++) {
			in.want_spool = piece & 1;
			take(&in, wires[i].in, strlen(wires[i].in), piece);
			check_wire(&in, &wires[i]);
		}
	intake_free(&in);
}

static void test_nuls(void)
{
	static const char mail[] = "A: \0b\n\n\0\0x\n";
	struct intake in;
	struct err e = ERR_INIT;
	const char *got;

	intake_init(&in);
	in.want_spool = true;
	take(&in, mail, sizeof(mail) - 1, 3);
	CHECK(in.nuls == 3);
	CHECK(in.spool.len == 14);
	spool_at(&in.spool, 0, NULL, 0, &got, &e);
	CHECK(!memcmp(got, "A: \0b\r\n\r\n\0\0x\r\n", 14));
	/* NULs in a dropped field are not in the wire form. */
	in.drop_leading = leading;
	take(&in, "X-UIDL: \0\nA: b\n\n", 16, 16);
	CHECK(in.nuls == 0);
	intake_free(&in);
}

static void test_header_view(void)
{
	struct intake in;
	struct buf value = BUF_INIT;
	struct err e = ERR_INIT;

	intake_init(&in);
	in.drop_leading = leading;
	CHECK(in.in_header);
	CHECK(intake_add(&in, "X-UIDL: 5\nSubject: a\n b\n", 24, &e) == 0);
	CHECK(in.in_header);
	CHECK(intake_add(&in, "\nSubject: c\n", 12, &e) == 0);
	CHECK(!in.in_header);
	/* Dropped fields are still there to be read. */
	CHECK(header_add_value(&in.header, "X-UIDL", 0, &value));
	CHECK_STR(value.data, "5");
	CHECK(header_find(&in.header, "X-UIDL", 0)->dropped);
	CHECK(!header_find(&in.header, "Subject", 0)->dropped);
	CHECK(!header_find(&in.header, "Subject", 1));
	CHECK(in.header.raw.len == 24);
	CHECK(intake_end(&in, &e) == 0);
	buf_free(&value);
	intake_free(&in);
}

/* A header over HEADER_MAX is cut in front of the line that is too much; every
   byte is still sent, and the line ends do not move the cut. */
static void test_long_header(void)
{
	struct buf lf = BUF_INIT, crlf = BUF_INIT;
	struct intake in;
	struct digest want;
	size_t lines = 0, kept;

	for (; lf.len < HEADER_MAX + 5000; lines++) {
		buf_addf(&lf, "X-%zu: some text\n", lines);
		buf_addf(&crlf, "X-%zu: some text\r\n", lines);
	}
	intake_init(&in);
	take(&in, lf.data, lf.len, lf.len);
	want = in.digest;
	kept = in.header.n;
	CHECK(kept < lines && in.header.raw.len <= HEADER_MAX);
	CHECK(in.header.raw.len > HEADER_MAX - 30);
	CHECK(in.wire_size == crlf.len);
	for (size_t piece = 4093; piece < 300000; piece = piece * 3 + 1) {
		take(&in, crlf.data, crlf.len, piece);
		CHECK(in.header.n == kept && in.wire_size == crlf.len);
		CHECK(!memcmp(&in.digest, &want, sizeof(want)));
		CHECK(in.longest_line == strlen("X-12345: some text"));
	}
	buf_free(&lf);
	buf_free(&crlf);
	intake_free(&in);
}

/* One endless line: no header, all body, memory bounded. */
static void test_endless_line(void)
{
	struct buf text = BUF_INIT;
	struct intake in;

	for (size_t i = 0; i < 3u * HEADER_MAX; i++)
		buf_add_char(&text, (char)('a' + i % 26));
	intake_init(&in);
	in.want_spool = true;
	take(&in, text.data, text.len, 100000);
	CHECK(in.header.n == 0 && in.header.raw.len == 0);
	CHECK(in.wire_size == text.len && in.spool.len == text.len);
	CHECK(in.longest_line == text.len);
	CHECK(in.header.raw.cap < 3u * HEADER_MAX);
	intake_reset(&in);
	CHECK(in.header.raw.cap <= 1 << 16);
	buf_free(&text);
	intake_free(&in);
}

/* Several spools' worth of lines of every length, LF, CRLF and lone CRs between,
   against the plain definition. */
static void test_large(void)
{
	static const char *const ends[] = { "\r\n", "\n", "\r\r\n", "\r" };
	struct buf mail = BUF_INIT, want = BUF_INIT;
	struct intake in;
	uint64_t longest = 0, line = 0, lone = 0, at = 0;
	uint32_t dice = 1;
	char scratch[5000];
	struct err e = ERR_INIT;
	const char *got;
	ssize_t n;

	buf_add_str(&mail, "Subject: a\n\n");
	while (mail.len < 3u * SPOOL_MEMORY) {
		dice = dice * 1664525u + 1013904223u;
		for (uint32_t len = dice >> 16 & 127; len; len--)
			buf_add_char(&mail, "aB >F\0"[len % 6]);
		buf_add_str(&mail, ends[dice >> 24 & 3]);
	}
	for (size_t i = 0; i < mail.len; i++) {
		char c = mail.data[i];
		bool crlf = c == '\r' && i + 1 < mail.len &&
			    mail.data[i + 1] == '\n';

		if (c == '\n' && mail.data[i - 1] != '\r')
			buf_add_char(&want, '\r');
		buf_add_char(&want, c);
		lone += c == '\r' && !crlf;
		line = c == '\n' ? 0 : line + !crlf;
		longest = line > longest ? line : longest;
	}
	intake_init(&in);
	in.want_spool = true;
	take(&in, mail.data, mail.len, 77777);
	CHECK(in.wire_size == want.len && in.spool.len == want.len);
	CHECK(in.longest_line == longest && in.lone_crs == lone && lone > 1000);
	while ((n = spool_at(&in.spool, at, scratch, sizeof(scratch), &got,
			     &e)) > 0) {
		if (memcmp(got, want.data + at, (size_t)n))
			break;
		at += (uint64_t)n;
	}
	CHECK(n == 0 && at == want.len);
	buf_free(&mail);
	buf_free(&want);
	intake_free(&in);
}

static void test_spool_fails(void)
{
	struct buf mail = BUF_INIT;
	struct intake in;
	struct err e = ERR_INIT;

	setenv("TMPDIR", "/nowhere/at/all", 1);
	for (size_t i = 0; i < SPOOL_MEMORY; i++)
		buf_add_str(&mail, "x\n");
	intake_init(&in);
	in.want_spool = true;
	CHECK(intake_add(&in, "A: b\n\n", 6, &e) == 0);
	CHECK(intake_add(&in, mail.data, mail.len, &e) == -1);
	CHECK(e.scope == ERR_MESSAGE);
	/* The next message is whole again. */
	in.want_spool = true;
	take(&in, "A: b\n\nx\n", 8, 8);
	CHECK(in.spool.len == 11);
	unsetenv("TMPDIR");
	buf_free(&mail);
	intake_free(&in);
}

int main(void)
{
	test_wires();
	test_nuls();
	test_header_view();
	test_long_header();
	test_endless_line();
	test_large();
	test_spool_fails();
	return check_done();
}
