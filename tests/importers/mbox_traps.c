/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The traps of formats.md sections 1.1 to 1.6 that are no mere question of where a
   line that begins with "From " stands: NULs, lost line ends, lying lengths, MMDF,
   attached mail, doubts that are told. */
#include "tests/importers/mbox_reading.h"

#include "importers/importer.h"

#define A  "From a@example.jp Mon Jul 29 22:00:08 2002\n"
#define B  "From b@example.jp Tue Jul 30 01:02:03 2002\n"
#define HA "From: a@example.jp\nSubject: a\n\n"
#define HB "From: b@example.jp\nSubject: b\n\n"
#define TB "From - Tue Oct 02 00:26:47 2007\n"
/* Bytes with their number, for those that hold NULs. */
#define BYTES(text) .file = (text), .n = sizeof(text) - 1
#define Z8	    "\0\0\0\0\0\0\0\0"

/* NTFS and XFS lengthen a file before its data is written: after a crash there are
   NULs, and the client goes on behind them. */
static const struct reading nuls[] = {
	{ .what = "a line of NULs before a separator",
	  BYTES(A HA "one\n\n" Z8 B HB "two\n"),
	  .want = HA "one\n|" HB "two\n|",
	  .padding = 8 },
	{ .what = "no blank line before them",
	  BYTES(A HA "one\n" Z8 B HB "two\n"),
	  .want = HA "one\n|" HB "two\n|",
	  .padding = 8 },
	{ .what = "in the middle of a line: the message is cut short there",
	  BYTES(A HA "one" Z8 B HB "two\n"),
	  .want = HA "one|" HB "two\n|",
	  .padding = 8 },
	{ .what = "Thunderbird 136 and later put a line end behind them",
	  BYTES(A HA "one\n\n" Z8 "\r\n" TB "X-UIDL: 1\nTo: x\n\ntwo\n"),
	  .want = HA "one\n|X-UIDL: 1\nTo: x\n\ntwo\n|",
	  .padding = 8 },
	{ .what = "or a line end and a blank line",
	  BYTES(A HA "one\n" Z8 "\n\n" B HB "two\n"),
	  .want = HA "one\n|" HB "two\n|",
	  .padding = 8 },
	{ .what = "at the file's end",
	  BYTES(A HA "one\n\n" Z8 Z8),
	  .want = HA "one\n|",
	  .padding = 16 },
	{ .what = "at the file's end, behind half a line",
	  BYTES(A HA "on" Z8),
	  .want = HA "on|",
	  .padding = 8 },
	{ .what = "a bare separator behind them",
	  BYTES("From \r\nX-Mozilla-Status: 0001\nTo: x\n\none\n\r\n" Z8
		"From \r\nX-Mozilla-Status: 0001\nTo: y\n\ntwo\n\r\n"),
	  .want = "X-Mozilla-Status: 0001\nTo: x\n\none\n|"
		  "X-Mozilla-Status: 0001\nTo: y\n\ntwo\n|",
	  .padding = 8,
	  .thunderbird = true },
	{ .what = "prose behind them is no separator, and they stay",
	  BYTES(A HA "x" "\0" "From the office\ntext\n"),
	  .want = HA "x" },
	{ .what = "before the first separator they are junk",
	  BYTES(Z8 A HA "one\n"),
	  .want = HA "one\n|",
	  .junk = 8 },
};

/* An appender that did not look whether the file ended in a line end. */
static const struct reading glued[] = {
	{ .what = "Thunderbird's separator, and its fields",
	  .file = TB "X-UIDL: 1\nTo: x\n\nlast line" TB
		     "X-Account-Key: account1\nX-UIDL: 2\nTo: y\n\ntwo\n",
	  .want = "X-UIDL: 1\nTo: x\n\nlast line|"
		  "X-Account-Key: account1\nX-UIDL: 2\nTo: y\n\ntwo\n|" },
	{ .what = "another's, and a header that mail has",
	  .file = A HA "last line" B "Received: from x\n\tby y\n" HB "two\n",
	  .want = HA "last line|Received: from x\n\tby y\n" HB "two\n|" },
	{ .what = "a header that mail has not: no",
	  .file = A HA "last line" TB "A: b\nC: d\n\n",
	  .want = HA "last line" TB "A: b\nC: d\n|",
	  .rejected = 1 },
	{ .what = "no date: no",
	  .file = A HA "last lineFrom bob\nTo: y\nSubject: z\n\n",
	  .want = HA "last lineFrom bob\nTo: y\nSubject: z\n|" },
	{ .what = "quoted for mail: no",
	  .file = A HA "> " TB "> To: y\n> Subject: z\n\n",
	  .want = HA "> " TB "> To: y\n> Subject: z\n|" },
	{ .what = "quoted for mboxrd: no",
	  .file = A HA ">" TB "To: y\nSubject: z\n\n",
	  .want = HA TB "To: y\nSubject: z\n|" },
};

static const struct reading headless[] = {
	{ .what = "the first separator is gone, its message is not",
	  .file = "Received: from x\n\tby y\n" HA "one\n\n" B HB "two\n",
	  .want = "Received: from x\n\tby y\n" HA "one\n|" HB "two\n|" },
	{ .what = "behind blank lines",
	  .file = "\n\r\n" HA "one\n\n" B HB "two\n",
	  .want = HA "one\n|" HB "two\n|" },
	{ .what = "its lines are unquoted",
	  .file = HA ">From x\n\n" B HB "two\n",
	  .want = HA "From x\n|" HB "two\n|" },
	{ .what = "a field that is called From, with a blank before its colon",
	  .file = "From : a Mon Jul 29 22:00:08 2002\nTo: x\n\none\n\n" B HB
		  "two\n",
	  .want = "From : a Mon Jul 29 22:00:08 2002\nTo: x\n\none\n|" HB
		  "two\n|",
	  .rejected = 1 },
	{ .what = "what is no header of mail is junk",
	  .file = "Note: x\nRemark: y\n\n" B HB "two\n",
	  .want = HB "two\n|",
	  .junk = 14 },
};

/* Content-Length counts the bytes of the system that wrote it. Both bodies hold
   what would be a separator, unquoted, as mboxcl2 has it. */
#define CL2_LF	 "one\n" B HB "three\n"
#define CL2_CRLF                                                               \
	"one\r\nFrom b@example.jp Tue Jul 30 01:02:03 2002\r\n"               \
	"From: b@example.jp\r\nSubject: b\r\n\r\nthree\r\n"

static const struct reading lengths[] = {
	{ .what = "it counted CRLF, and the file has LF",
	  .file = A "Content-Length: 90\n" HA CL2_LF "\n" B HB "two\n",
	  .want = "Content-Length: 90\n" HA CL2_LF "|" HB "two\n|" },
	{ .what = "it counted LF, and the file has CRLF",
	  .file = "From a@example.jp Mon Jul 29 22:00:08 2002\r\n"
		  "Content-Length: 84\r\nFrom: a@example.jp\r\n\r\n" CL2_CRLF
		  "\r\nFrom b@example.jp Tue Jul 30 01:02:03 2002\r\n"
		  "From: b@example.jp\r\nSubject: b\r\n\r\ntwo\r\n",
	  .want = "Content-Length: 84\nFrom: a@example.jp\n\n" CL2_LF
		  "|" HB "two\n|" },
	{ .what = "it counted CRLF, of the last message",
	  .file = A "Content-Length: 90\n" HA CL2_LF,
	  .want = "Content-Length: 90\n" HA CL2_LF "|" },
	{ .what = "it counts something else altogether",
	  .file = A "Content-Length: 33\n" HA "one\n\n" B HB "two\n",
	  .want = "Content-Length: 33\n" HA "one\n|" HB "two\n|" },
	{ .what = "it counts to the begin of another message further on",
	  .file = A "Content-Length: 5\n" HA "one\n\n" B HB "two\n\n" A HA
		    "three\n",
	  .want = "Content-Length: 5\n" HA "one\n|" HB "two\n|" HA "three\n|" },
	{ .what = "it leads to where a line end was forgotten",
	  .file = A "Content-Length: 6\n" HA "one x " B "A: b\nC: d\n\n" B HB
		    "two\n",
	  .want = "Content-Length: 6\n" HA "one x |A: b\nC: d\n|" HB
		  "two\n|" },
	{ .what = "it leads into the middle of a line of prose",
	  .file = A "Content-Length: 6\n" HA "one x From me\nto you\n\n" B HB
		    "two\n",
	  .want = "Content-Length: 6\n" HA "one x From me\nto you\n|" HB
		  "two\n|" },
	{ .what = "negative, empty, with text, twice",
	  .file = A "Content-Length: -4\n" HA "one\n\n" A
		    "Content-Length:\n" HA "two\n\n" A
		    "Content-Length: 4 bytes\n" HA ">From x\n\n" A
		    "Content-Length: 900\nContent-Length: 5\n" HA "four\n",
	  .want = "Content-Length: -4\n" HA "one\n|Content-Length:\n" HA
		  "two\n|Content-Length: 4 bytes\n" HA "From x\n|"
		  "Content-Length: 900\nContent-Length: 5\n" HA "four\n|" },
};

static const struct reading mmdf[] = {
	{ .what = "between lines of four ^A, nothing quoted",
	  .file = "\1\1\1\1\n" HA "one\n>From x\n" B "\1\1\1\1\n\1\1\1\1\n" HB
		  "two\n\1\1\1\1\n",
	  .want = HA "one\n>From x\n" B "|" HB "two\n|" },
	{ .what = "Python adds a separator line and a blank line",
	  .file = "\1\1\1\1\n" A HA "one\n\n\1\1\1\1\n\n\1\1\1\1\n" B HB
		  "two\n\n\1\1\1\1\n\n",
	  .want = HA "one\n|" HB "two\n|" },
	{ .what = "CRLF",
	  .file = "\1\1\1\1\r\nTo: x\r\nA: b\r\n\r\none\r\n\1\1\1\1\r\n",
	  .want = "To: x\nA: b\n\none\n|" },
	{ .what = "the last line is missing",
	  .file = "\1\1\1\1\n" HA "one\n\1\1\1\1\n\1\1\1\1\n" HB "two\n",
	  .want = HA "one\n|" HB "two\n|" },
	{ .what = "only one line between two messages",
	  .file = "\1\1\1\1\n" HA "one\n\1\1\1\1\n" HB "two\n\1\1\1\1\n",
	  .want = HA "one\n|" HB "two\n|" },
	{ .what = "not at a line's begin, or not four, is text",
	  .file = "\1\1\1\1\n" HA "x\1\1\1\1\n\1\1\1\n\1\1\1\1\1\n"
		  "\1\1\1\1\n",
	  .want = HA "x\1\1\1\1\n\1\1\1\n\1\1\1\1\1\n|" },
	{ .what = "nothing in it", .file = "\1\1\1\1\n\1\1\1\1\n", .want = "" },
};

#define MULTI                                                                  \
	"From: a@example.jp\nMIME-Version: 1.0\n"                              \
	"Content-Type: multipart/mixed;\n boundary=\"=-x1\"\n\n"

/* An attached mail is looked behind even if it is long, and what is cut short
   does not swallow what follows. */
static void check_long_attachment(void)
{
	static const struct {
		const char *what;
		size_t n;
		const char *tail;
		int want;
	} cases[] = {
		{ "short", 4 << 10, "\n--=-x1--\n\n" B HB "two\n", 2 },
		{ "of 100 KiB", 100 << 10, "\n--=-x1--\n\n" B HB "two\n", 2 },
		{ "of 3 MiB", 3 << 20, "\n--=-x1--\n\n" B HB "two\n", 2 },
		{ "of 3 MiB, one that is cut short", 3 << 20, "\n" B HB "two\n",
		  3 },
		{ "of 100 KiB, cut short, and a whole copy follows", 100 << 10,
		  "\n" A MULTI "--=-x1\n\ntext\n--=-x1--\n", 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf file = BUF_INIT;
		struct result res;

		buf_add_str(&file, A MULTI "--=-x1\n\nsee below\n--=-x1\n"
					   "Content-Type: text/plain\n\n" B HB);
		while (file.len < cases[i].n)
			buf_add_str(&file, "a line of the attached mail, which "
					   "is a long one\n");
		buf_add_str(&file, cases[i].tail);
		read_all(&res, file.data, file.len, MBOX_QUOTING_RD, false);
		CHECK_CASE(cases[i].what, res.n == cases[i].want);
		check_lengths(cases[i].what, &res, file.data, file.len);
		result_free(&res);
		buf_free(&file);
	}
}

/* NULs that are longer than the window, wherever it ends; and those that turn out
   to be the message's own. */
static void check_many_nuls(void)
{
	static const size_t runs[] = { 1, 300 << 10, (320 << 10) - 9,
				       (320 << 10) - 8, 1 << 20 };

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		for (int own = 0; own < 2; own++) {
			struct buf file = BUF_INIT;
			struct result res;
			size_t at;

			buf_add_str(&file, A HA "one\n\n");
			at = file.len;
			buf_grow(&file, runs[i]);
			memset(file.data + at, 0, runs[i]);
			file.len = at + runs[i];
			buf_add_str(&file, own ? "x\n\n" B HB : B HB);
			read_all(&res, file.data, file.len, MBOX_QUOTING_RD,
				 false);
			CHECK(res.n == 2);
			CHECK(res.padding == (own ? 0 : runs[i]));
			CHECK(res.text.len == strlen(HA "one\n|" HB "|") - 1 +
						      (own ? runs[i] + 3 : 0));
			check_lengths("NULs", &res, file.data, file.len);
			result_free(&res);
			buf_free(&file);
		}
}

struct told {
	struct buf text;
};

static void tell(void *ctx, const struct split_doubt *d)
{
	struct told *t = ctx;

	buf_addf(&t->text, "%s %llu %s %d %s: %s\n", d->file,
		 (unsigned long long)d->offset, d->taken ? "taken" : "not",
		 d->score, d->line, d->why);
}

static void read_telling(const char *file, size_t n, struct told *told)
{
	struct mbox_reader *r = NULL;
	int fd = file_of(file, n);
	uint64_t offset, length;
	struct err e;

	if (mbox_reader_open(fd, "box", MBOX_QUOTING_RD, false, &r, &e) < 0)
		abort();
	mbox_reader_on_doubt(r, tell, told);
	while (mbox_reader_next(r, &offset, &e) > 0)
		CHECK(mbox_reader_skip(r, &length, &e) == 0);
	mbox_reader_close(r);
	close(fd);
}

static void check_doubts(void)
{
	static const struct {
		const char *what, *file, *want;
	} cases[] = {
		{ "nothing is in doubt", A HA "one\n\n" B HB "two\n", "" },
		{ "a line of prose",
		  A HA "\nFrom the office\nwe left\n",
		  "box 75 not -3 From the office: +2 blank line before, "
		  "-2 several words, no date, -3 next line is no header\n" },
		{ "no date, but a header",
		  A HA "one\nFrom bob\r\n" HB,
		  "box 78 taken 5 From bob: +4 two header lines behind, "
		  "+1 a header line that mail has\n" },
		{ "a separator without a line end in front of it",
		  A HA "one" TB "To: x\nSubject: y\n\n",
		  "box 77 taken 4 From - Tue Oct 02 00:26:47 2007: "
		  "+6 date at the line's end, +4 two header lines behind, "
		  "+1 a header line that mail has, "
		  "-7 text before on the same line\n" },
		{ "the first one is missing",
		  HA "one\n\n" B HB "two\n",
		  "box 0 taken 0 From: a@example.jp: no separator line, but a "
		  "header\n" },
		{ "in an attachment",
		  A MULTI "--=-x1\n\n" B HB "--=-x1--\n\n",
		  "box 137 not 1 From b@example.jp Tue Jul 30 01:02:03 2002: "
		  "+2 blank line before, +6 date at the line's end, "
		  "+4 two header lines behind, "
		  "+1 a header line that mail has, "
		  "-12 inside of an open MIME part\n" },
		{ "what is in the line is made readable",
		  A HA "From \1\x1B[2J\x8E\xF3\x90M\nx\n",
		  "box 74 not -1 From ??[2J受信: +2 blank line before, "
		  "-3 next line is no header\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct told told = { .text = BUF_INIT };

		read_telling(cases[i].file, strlen(cases[i].file), &told);
		CHECK_STR(told.text.data, cases[i].want);
		buf_free(&told.text);
	}
}

/* Offsets beyond 4 GiB, in a file that is a hole for the most part: stepped over
   as a known message is, and, when there is time, read through. */
static void check_large(bool through)
{
	static const char first[] = A HA "one\n\n", second[] = B HB "two\n";
	const uint64_t at = (5ull << 30) + 12345;
	struct mbox_reader *r = NULL;
	int fd = file_of(first, strlen(first));
	struct buf text = BUF_INIT;
	struct intake in;
	uint64_t offset, length = 0;
	struct err e;

	intake_init(&in);
	in.want_spool = true;
	if (pwrite(fd, second, strlen(second), (off_t)at) !=
		    (ssize_t)strlen(second) ||
	    mbox_reader_open(fd, "test", MBOX_QUOTING_RD, false, &r, &e) < 0)
		abort();
	CHECK(mbox_reader_next(r, &offset, &e) == 1 && offset == 0);
	if (through) {
		CHECK(mbox_reader_load(r, &in, &length, &e) == 0);
		CHECK(length == at && in.store_size == strlen(HA "one\n"));
		CHECK(mbox_reader_padding(r) == at - strlen(first));
	} else {
		CHECK(mbox_reader_pass(r, at, &e) == 0);
	}
	intake_reset(&in);
	CHECK(mbox_reader_next(r, &offset, &e) == 1 && offset == at);
	CHECK(mbox_reader_load(r, &in, &length, &e) == 0);
	add_text(&text, &in.spool);
	CHECK_STR(text.data, HB "two\n|");
	CHECK(mbox_reader_next(r, &offset, &e) == 0);
	mbox_reader_close(r);
	intake_free(&in);
	buf_free(&text);
	close(fd);
}

int main(void)
{
	CHECK_TABLE(glued);
	CHECK_TABLE(headless);
	CHECK_TABLE(lengths);
	CHECK_TABLE(mmdf);
	CHECK_TABLE(nuls);
	check_long_attachment();
	check_many_nuls();
	check_doubts();
	check_large(false);
	if (getenv("MAILHAUL_LONG"))
		check_large(true);
	return check_done();
}
