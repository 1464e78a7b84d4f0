/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/header.h"
#include "core/base/date.h"

#include "tests/lib/check.h"

static void index_text(struct header *h, const char *text)
{
	header_reset(h);
	buf_add_str(&h->raw, text);
	header_index(h);
}

/* Fields as "name|unfolded value" lines. */
static const struct {
	const char *what, *raw, *want;
} fields[] = {
	{ "nothing", "", "" },
	{ "plain", "A: b\nC: d\n", "A|b\nC|d\n" },
	{ "CRLF", "A: b\r\nC: d\r\n", "A|b\nC|d\n" },
	{ "no line end at the end", "A: b\nC: d", "A|b\nC|d\n" },
	{ "empty values", "A:\nC: \n", "A|\nC|\n" },
	{ "folds become one blank", "A: b\n  c\r\n\td\n", "A|b c d\n" },
	{ "runs of blanks too", "A:   b \t c  \n", "A|b c\n" },
	{ "a line of white space continues", "A: b\n \n c\nD: e\n",
	  "A|b c\nD|e\n" },
	{ "folded right behind the colon", "A:\n b\n", "A|b\n" },
	{ "obsolete blanks before the colon", "A \t: b\n", "A|b\n" },
	{ "a colon in the value", "A: b: c\n", "A|b: c\n" },
	{ "a lone CR is a byte like others", "A: b\rc\n", "A|b\rc\n" },
	{ "lines that are no field belong to the one before",
	  "A: b\nnot a field\nC: d\n", "A|b not a field\nC|d\n" },
	{ "a name has no blanks and no 8-bit bytes",
	  "A: b\nx y: z\n\xE5x: z\n", "A|b x y: z \xE5x: z\n" },
	{ "no name", "A: b\n: c\n", "A|b : c\n" },
	{ "before the first field: one without a name",
	  "junk\n more\nA: b\n", "|junk more\nA|b\n" },
	{ "a header that begins with a fold", " x\nA: b\n", "|x\nA|b\n" },
	{ "a separator on top is no field",
	  "From a@b Tue Oct 02 00:26:47 2007\nA: b\n", "A|b\n" },
	{ "nor is a quoted one", ">From a@b\nA: b\n", "A|b\n" },
	{ "but a From field with a blank is one", "From : a\nA: b\n",
	  "From|a\nA|b\n" },
	{ "further down it is a line like others", "A: b\nFrom x\nC: d\n",
	  "A|b From x\nC|d\n" },
};

static void test_fields(void)
{
	struct header h = HEADER_INIT;
	struct buf got = BUF_INIT;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		index_text(&h, fields[i].raw);
		buf_reset(&got);
		for (size_t k = 0; k < h.n; k++) {
			buf_add(&got, h.raw.data + h.fields[k].name,
				h.fields[k].name_len);
			buf_add_char(&got, '|');
			header_unfold(&h, &h.fields[k], &got);
			buf_add_char(&got, '\n');
		}
		CHECK_CASE(fields[i].what, !strcmp(got.data, fields[i].want));
		if (strcmp(got.data, fields[i].want))
			printf("  got %s\n", got.data);
	}
	buf_free(&got);
	header_free(&h);
}

static void test_find(void)
{
	struct header h = HEADER_INIT;
	struct buf got = BUF_INIT;

	index_text(&h, "Received: 1\nSubject: a\n b\nRECEIVED: 2\n");
	CHECK(header_find(&h, "received", 0) == &h.fields[0]);
	CHECK(header_find(&h, "Received", 1) == &h.fields[2]);
	CHECK(header_find(&h, "Received", 2) == NULL);
	CHECK(header_find(&h, "Receive", 0) == NULL);
	h.fields[0].dropped = true;
	CHECK(header_find(&h, "Received", 0) == &h.fields[0]);
	CHECK(!header_add_value(&h, "To", 0, &got) && !got.len);
	buf_add_str(&got, "Re: ");
	CHECK(header_add_value(&h, "subject", 0, &got));
	CHECK_STR(got.data, "Re: a b");
	CHECK(h.fields[1].start == 12 && h.fields[1].end == 26);
	CHECK(h.fields[1].value_len == 5);
	buf_free(&got);
	header_free(&h);
}

static const struct {
	const char *what, *raw, *want;
} ids[] = {
	{ "plain", "Message-ID: <a@b>\n", "a@b" },
	{ "none", "Subject: a\n", "" },
	{ "empty", "Message-ID: <>\n", "" },
	{ "no value", "Message-ID:\n", "" },
	{ "folded, in lower case", "message-id:   \r\n   <abc@d>\n", "abc@d" },
	{ "without brackets", "Message-ID: abc@d\n", "abc@d" },
	{ "first token only", "Message-ID: abc@d trailing\n", "abc@d" },
	{ "comments around", "Message-ID: (c (n) x) <a@b> (d)\n", "a@b" },
	{ "comment behind a bare id", "Message-ID: a@b(c)\n", "a@b" },
	{ "comment in quotes is none", "Message-ID: \"(x\"@b\n", "\"(x\"@b" },
	{ "parenthesis inside the brackets", "Message-ID: <a(1)@b>\n",
	  "a(1)@b" },
	{ "two ids in a field", "Message-ID: <a@b> <c@d>\n", "a@b" },
	{ "two fields", "Message-ID: <a@b>\nMessage-ID: <c@d>\n", "a@b" },
	{ "quoted local part holds the bracket", "Message-ID: <\"a>b\"@c>\n",
	  "\"a>b\"@c" },
	{ "quote left open", "Message-ID: <\"a@c>\n", "\"a@c" },
	{ "bracket left open", "Message-ID: <a@c\n", "a@c" },
	{ "comment left open", "Message-ID: (x <a@c>\n", "a@c" },
	{ "blanks inside", "Message-ID: < a@b >\n", "a@b" },
	{ "text before", "Message-ID: id <a@b>\n", "a@b" },
	{ "case is kept", "Message-ID: <AbC@D>\n", "AbC@D" },
	{ "8-bit", "Message-ID: <\x82\xA0@b>\n", "\x82\xA0@b" },
	{ "no at sign", "Message-ID: <abc>\n", "abc" },
};

static void test_ids(void)
{
	struct header h = HEADER_INIT;
	struct buf got = BUF_INIT;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		index_text(&h, ids[i].raw);
		buf_reset(&got);
		header_add_message_id(&h, &got);
		CHECK_CASE(ids[i].what, !strcmp(got.data, ids[i].want));
	}
	buf_free(&got);
	header_free(&h);
}

#define TOP "Received: from x by y; "
#define FETCHED "Received: from pop.x by localhost with POP3 (fetchmail-6.3.26); "

static const struct {
	const char *what, *raw, *want; /* "" for none */
} received[] = {
	{ "none", "Subject: a\n", "" },
	{ "the top-most",
	  TOP "Wed, 8 Sep 2004 10:00:00 +0000\n" TOP
	      "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2004-09-08T10:00:00Z" },
	{ "a fetcher's, days later: the next one",
	  FETCHED "Wed, 8 Sep 2010 10:00:00 +0000\n" TOP
		  "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2004-09-07T10:00:00Z" },
	{ "a fetcher's, the same day: as good as any",
	  FETCHED "Wed, 8 Sep 2004 10:00:00 +0000\n" TOP
		  "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2004-09-08T10:00:00Z" },
	{ "nothing but a fetcher's", FETCHED "Wed, 8 Sep 2010 10:00:00 +0000\n",
	  "2010-09-08T10:00:00Z" },
	{ "two fetchers, one after the other",
	  FETCHED "Wed, 8 Sep 2010 10:00:00 +0000\n" FETCHED
		  "Wed, 8 Sep 2006 10:00:00 +0000\n" TOP
		  "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2004-09-07T10:00:00Z" },
	{ "days later without a fetcher: it took days",
	  TOP "Wed, 8 Sep 2010 10:00:00 +0000\n" TOP
	      "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2010-09-08T10:00:00Z" },
	{ "getmail",
	  "Received: from a by b with POP3-SSL; 08 Sep 2010 10:00:00 -0000\n" TOP
	  "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2004-09-07T10:00:00Z" },
	{ "a host whose name holds fetchmail",
	  "Received: from xfetchmail by y; 08 Sep 2010 10:00:00 -0000\n" TOP
	  "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2010-09-08T10:00:00Z" },
	{ "no date: the next one",
	  "Received: from x by y\n" TOP "Tue, 7 Sep 2004 10:00:00 +0000\n",
	  "2004-09-07T10:00:00Z" },
	{ "folded, with semicolons before and in the comment",
	  "Received: from x (a;b) by y;\r\n\tTue, 7 Sep 2004\r\n"
	  "\t10:00:00 +0900 (a;b)\r\n",
	  "2004-09-07T01:00:00Z" },
};

static void test_received(void)
{
	struct header h = HEADER_INIT;
	struct buf got = BUF_INIT;
	int64_t t;

	for (size_t i = 0; i < sizeof(received) / sizeof(received[0]); i++) {
		index_text(&h, received[i].raw);
		buf_reset(&got);
		t = header_received_date(&h);
		if (t != DATE_NONE)
			date_add_iso(&got, t);
		CHECK_CASE(received[i].what,
			   !strcmp(got.data, received[i].want));
	}
	buf_free(&got);
	header_free(&h);
}

int main(void)
{
	test_fields();
	test_find();
	test_ids();
	test_received();
	return check_done();
}
