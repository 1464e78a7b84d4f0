/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/digest.h"

#include <openssl/evp.h>

#include "tests/lib/check.h"

/* What lies in front of the first empty line is the header. */
static struct digest digest_of(const char *mail, size_t n, size_t piece)
{
	struct digest_body *d = digest_body_new();
	struct header h = HEADER_INIT;
	struct digest out;
	size_t at = 0, len;
	const char *lf;

	while (at < n && mail[at] != '\n' && memcmp(mail + at, "\r\n", 2)) {
		lf = memchr(mail + at, '\n', n - at);
		len = lf ? (size_t)(lf - mail) + 1 - at : n - at;
		buf_add(&h.raw, mail + at, len);
		at += len;
	}
	if (at < n)
		at += mail[at] == '\n' ? 1 : 2;
	header_index(&h);
	for (; at < n; at += len) {
		len = n - at < piece ? n - at : piece;
		digest_body_add(d, mail + at, len);
	}
	digest_finish(d, &h, &out);
	header_free(&h);
	digest_body_free(d);
	return out;
}

enum { NEITHER = 0, CORE = 1, BOTH = 3 }; /* which digests are the same */

#define HEAD "Message-ID: <1@x>\nDate: d\nFrom: a@b\nSubject: s\n"
#define BODY HEAD "\n"

static const struct {
	const char *what, *a, *b;
	int same;
} pairs[] = {
	/* D1 */
	{ "line ends", "A: b\n\nx\ny\n", "A: b\r\n\r\nx\r\ny\r\n", BOTH },
	{ "line ends, mixed", "A: b\n\nx\ny\n", "A: b\r\n\nx\r\ny\n", BOTH },
	{ "line ends at the end", BODY "x", BODY "x\n\r\n\n", BOTH },
	{ "an empty body", HEAD, BODY "\r\n\n", BOTH },
	/* D2 */
	{ "quoting", BODY "x\nFrom a\n", BODY "x\n>From a\n", BOTH },
	{ "quoting, other levels", BODY "x\n>From a\n", BODY "x\n>>>>From a\n",
	  BOTH },
	{ "quoting on the first line", BODY "From a\n", BODY ">From a\n", BOTH },
	{ "quoting in every line", BODY "From \nFrom \n", BODY ">From \n>>From \n",
	  BOTH },
	{ "quoting at the very end", BODY "x\nFrom ", BODY "x\n>From ", BOTH },
	{ "quoting behind CRLF", BODY "x\r\n>From ", BODY "x\nFrom ", BOTH },
	{ "a mark inside a line is text", BODY "x >From a", BODY "x From a",
	  NEITHER },
	{ "a mark behind a lone CR is text", BODY "x\r>From a",
	  BODY "x\rFrom a", NEITHER },
	{ "a mark before a blank is text", BODY "x\n> From a",
	  BODY "x\n From a", NEITHER },
	{ "a mark before other words is text", BODY "x\n>Fro a",
	  BODY "x\nFro a", NEITHER },
	{ "so are two", BODY ">>F>From a", BODY ">F>From a", NEITHER },
	{ "From without its blank", BODY "x\n>From", BODY "x\nFrom", NEITHER },
	/* D3 */
	{ "Thunderbird's fields", BODY "x",
	  "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"
	  "X-Account-Key: account1\nX-UIDL: 1\n" BODY "x", BOTH },
	{ "getmail's Return-Path", BODY "x", "Return-Path: <a>\n" BODY "x",
	  BOTH },
	{ "a field of many lines", BODY "x",
	  HEAD "X-Mozilla-Keys: a\n b\n\nx", BOTH },
	{ "folding", "A: b c d\n\nx", "A:b\n c\r\n\td\n\nx", BOTH },
	{ "case and blanks of the name", "A: b\n\nx", "a :  b \n\nx", BOTH },
	{ "a separator on top", BODY "x", "From a b\n" BODY "x", BOTH },
	{ "a quoted one", BODY "x", ">From a b\n" BODY "x", BOTH },
	/* D4 */
	{ "another Received", BODY "x", "Received: a\n" BODY "x", CORE },
	{ "another Delivered-To", BODY "x", "Delivered-To: a\n" BODY "x", CORE },
	{ "another order", "B: 1\nC: 2\n" BODY "x", "C: 2\nB: 1\n" BODY "x",
	  CORE },
	{ "a field twice", "B: 1\n" BODY "x", "B: 1\nB: 1\n" BODY "x", CORE },
	{ "case of a value", "B: x\n" BODY, "B: X\n" BODY, CORE },
	{ "a name and a value are apart", "B: c:d\n" BODY, "B:c: d\n" BODY,
	  CORE },
	{ "the Message-ID's normal form",
	  "Message-ID: (c) <1@x>\nDate: d\n\nx", "Message-ID: 1@x\nDate: d\n\nx",
	  CORE },
	{ "another Subject", "Subject: a\n\nx", "Subject: b\n\nx", NEITHER },
	{ "another Date", "Date: a\n\nx", "Date: b\n\nx", NEITHER },
	{ "another From", "From: a\n\nx", "From: b\n\nx", NEITHER },
	{ "another Message-ID", "Message-ID: a\n\nx", "Message-ID: b\n\nx",
	  NEITHER },
	{ "Subject and From swapped", "From: a\nSubject: b\n\nx",
	  "From: b\nSubject: a\n\nx", NEITHER },
	{ "body", BODY "x", BODY "y", NEITHER },
	{ "blanks in the body", BODY "x y", BODY "x  y", NEITHER },
	{ "blanks at a line's end", BODY "x \ny", BODY "x\ny", NEITHER },
	{ "an empty line in the body", BODY "x\n\ny", BODY "x\ny", NEITHER },
	{ "an empty line in front of it", BODY "\nx", BODY "x", NEITHER },
	{ "a lone CR", BODY "x\ry", BODY "x\ny", NEITHER },
	{ "a lone CR at the end", BODY "x\r", BODY "x", NEITHER },
	{ "text that is no field, further down", BODY "x",
	  HEAD "junk\n\nx", NEITHER }, /* it is the Subject's then */
	{ "text that is no field, on top", "junk\n" BODY, "other\n" BODY,
	  NEITHER },
};

static int compare(const struct digest *a, const struct digest *b)
{
	int same = NEITHER;

	if (!memcmp(a->core, b->core, DIGEST_SIZE))
		same |= CORE;
	if (!memcmp(a->full, b->full, DIGEST_SIZE))
		same |= BOTH & ~CORE;
	return same;
}

static void test_pairs(void)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (size_t piece = 1; piece < 12; piece++) {
			struct digest a, b;

			a = digest_of(pairs[i].a, strlen(pairs[i].a), 4096);
			b = digest_of(pairs[i].b, strlen(pairs[i].b), piece);
			CHECK_CASE(pairs[i].what,
				   compare(&a, &b) == pairs[i].same);
		}
}

static void sha256(const void *bytes, size_t n, uint8_t *out)
{
	EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL);
}

/* The definition of digest.h, word for word: ledgers hold these. */
static void test_definition(void)
{
	static const char mail[] = "Received: x\r\n (y)\r\n"
				   "X-UIDL: 7\r\n"
				   "message-id: <1@x>\r\n"
				   "SUBJECT:  a\r\n\tb\r\n"
				   "From: c\r\n"
				   "\r\n"
				   "one\r\n>From two\r\n\r\n";
	static const char body[] = "one\nFrom two";
	static const char full[] = "received:x (y)\nmessage-id:<1@x>\n"
				   "subject:a b\nfrom:c\n";
	static const char core[] = "1@x\n\nc\na b\n";
	struct digest got = digest_of(mail, sizeof(mail) - 1, 5);
	struct buf text = BUF_INIT;
	uint8_t of_body[DIGEST_SIZE], want[DIGEST_SIZE];

	CHECK(DIGEST_VERSION == 1);
	sha256(body, sizeof(body) - 1, of_body);
	buf_add_str(&text, full);
	buf_add(&text, of_body, sizeof(of_body));
	sha256(text.data, text.len, want);
	CHECK(!memcmp(got.full, want, DIGEST_SIZE));
	buf_set_str(&text, core);
	buf_add(&text, of_body, sizeof(of_body));
	sha256(text.data, text.len, want);
	CHECK(!memcmp(got.core, want, DIGEST_SIZE));
	buf_free(&text);
}

static void test_dropped(void)
{
	struct digest_body *d = digest_body_new();
	struct header h = HEADER_INIT;
	struct digest one, two;

	buf_add_str(&h.raw, "X-Top: 1\nSubject: a\nSubject: b\n");
	header_index(&h);
	h.fields[0].dropped = h.fields[1].dropped = true;
	digest_finish(d, &h, &one);
	header_reset(&h);
	buf_add_str(&h.raw, "Subject: b\n");
	header_index(&h);
	digest_body_reset(d);
	digest_finish(d, &h, &two);
	CHECK(compare(&one, &two) == BOTH);
	header_free(&h);
	digest_body_free(d);
}

/* Lines larger than any block, held back or not, in pieces of odd sizes. */
static void test_long_lines(void)
{
	static const struct {
		const char *what, *begin, *end;
		char fill;
	} cases[] = {
		{ "a million quotes", "\n", "From x\n", '>' },
		{ "a million quotes of nothing", "\n", "Fro\n", '>' },
		{ "a million line ends", "x", "x", '\n' },
		{ "a million line ends at the end", "x", "", '\n' },
		{ "a million CRs", "x", "\n", '\r' },
		{ "a million letters", "x", ">From ", 'F' },
	};
	static const size_t pieces[] = { 1, 63, 4097, 16384, 16385, 65536 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf mail = BUF_INIT;
		struct digest want, got;

		buf_add_str(&mail, "A: b\n\n");
		buf_add_str(&mail, cases[i].begin);
		for (int k = 0; k < 1000000; k++)
			buf_add_char(&mail, cases[i].fill);
		buf_add_str(&mail, cases[i].end);
		want = digest_of(mail.data, mail.len, mail.len);
		for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
			got = digest_of(mail.data, mail.len, pieces[p]);
			CHECK_CASE(cases[i].what, compare(&got, &want) == BOTH);
		}
		buf_free(&mail);
	}
	struct digest a = digest_of("\n>>>>From x", 11, 3);
	struct buf mail = BUF_INIT;

	buf_add_str(&mail, "\n");
	for (int k = 0; k < 100000; k++)
		buf_add_char(&mail, '>');
	buf_add_str(&mail, "From x\n");
	struct digest b = digest_of(mail.data, mail.len, 4096);
	CHECK(compare(&a, &b) == BOTH);
	buf_free(&mail);
}

static void test_ignores(void)
{
	static const char *const yes[] = {
		"X-Account-Key", "X-UIDL", "x-uid", "Status", "STATUS",
		"X-Status", "X-Keywords", "X-IMAP", "X-IMAPbase",
		"Content-Length", "Lines", "X-TUID", "X-Identity-Key",
		"Return-Path", "X-Mozilla-Status", "X-Mozilla-Status2",
		"X-Mozilla-Keys", "x-becky-status", "X-Evolution",
		"X-Evolution-Source", "X-getmail-retrieved-from-mailbox",
		"X-OfflineIMAP", "X-OfflineIMAP-x1", "X-KMail-Identity",
		"X-Apple-Content-Length", "X-Universally-Unique-Identifier",
		"X-Antivirus-Status", "X-AVG-ID", "X-Spam-Status",
		"X-POPFile-Link", "X-Text-Classification",
	};
	static const char *const no[] = {
		"", "Received", "Delivered-To", "Subject", "Statuses", "X-Stat",
		"X-UIDLs", "X-Mozilla", "Content-Type", "X-IMAP2", "X-Mailer",
		"Message-ID", "DKIM-Signature", "X-", "X",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		CHECK_CASE(yes[i], digest_ignores(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CHECK_CASE(no[i], !digest_ignores(no[i], strlen(no[i])));
}

int main(void)
{
	test_pairs();
	test_definition();
	test_dropped();
	test_long_lines();
	test_ignores();
	return check_done();
}
