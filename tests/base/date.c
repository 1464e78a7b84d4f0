/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/date.h"

#include "tests/lib/check.h"

struct parse_case {
	const char *what, *in, *want; /* ISO; "" for none */
};

/* All but a few are the same instant, so that the eye finds what differs. */
static const struct parse_case header_dates[] = {
	/* RFC 5322 and its obsolete forms. */
	{ "RFC 5322", "Tue, 7 Sep 2004 10:11:12 +0000", "2004-09-07T10:11:12Z" },
	{ "east", "Tue, 7 Sep 2004 10:11:12 +0900", "2004-09-07T01:11:12Z" },
	{ "west", "Tue, 7 Sep 2004 10:11:12 -0730", "2004-09-07T17:41:12Z" },
	{ "no weekday", "7 Sep 2004 10:11:12 +0000", "2004-09-07T10:11:12Z" },
	{ "no seconds", "Tue, 7 Sep 2004 10:11 +0000", "2004-09-07T10:11:00Z" },
	{ "folded", "Tue, 7 Sep 2004\r\n 10:11:12\r\n\t+0900",
	  "2004-09-07T01:11:12Z" },
	{ "leap day", "29 Feb 2004 00:00:00 +0000", "2004-02-29T00:00:00Z" },
	{ "over the end of the year", "31 Dec 2004 23:59:59 -0100",
	  "2005-01-01T00:59:59Z" },
	{ "before 1970", "1 Jan 1965 00:00:00 +0000", "1965-01-01T00:00:00Z" },
	{ "1900 had no leap day", "1 Mar 1900 00:00:00 +0000",
	  "1900-03-01T00:00:00Z" },
	/* Zones. */
	{ "GMT", "Tue, 7 Sep 2004 10:11:12 GMT", "2004-09-07T10:11:12Z" },
	{ "UT", "Tue, 7 Sep 2004 10:11:12 UT", "2004-09-07T10:11:12Z" },
	{ "Z", "Tue, 7 Sep 2004 10:11:12 Z", "2004-09-07T10:11:12Z" },
	{ "JST", "Tue, 7 Sep 2004 10:11:12 JST", "2004-09-07T01:11:12Z" },
	{ "EST", "Tue, 7 Sep 2004 10:11:12 EST", "2004-09-07T15:11:12Z" },
	{ "PDT in lower case", "Tue, 7 Sep 2004 10:11:12 pdt",
	  "2004-09-07T17:11:12Z" },
	{ "CEST", "Tue, 7 Sep 2004 10:11:12 CEST", "2004-09-07T08:11:12Z" },
	{ "MET DST", "Tue, 7 Sep 2004 10:11:12 MET DST",
	  "2004-09-07T08:11:12Z" },
	{ "EST-DST", "Tue, 7 Sep 2004 10:11:12 EST-DST",
	  "2004-09-07T14:11:12Z" },
	{ "GMT+0900", "Tue, 7 Sep 2004 10:11:12 GMT+0900",
	  "2004-09-07T01:11:12Z" },
	{ "GMT+9", "Tue, 7 Sep 2004 10:11:12 GMT+9", "2004-09-07T01:11:12Z" },
	{ "UTC-05:00", "Tue, 7 Sep 2004 10:11:12 UTC-05:00",
	  "2004-09-07T15:11:12Z" },
	{ "three digits", "Tue, 7 Sep 2004 10:11:12 +900",
	  "2004-09-07T01:11:12Z" },
	{ "glued to the time", "Tue, 7 Sep 2004 10:11:12+0900",
	  "2004-09-07T01:11:12Z" },
	{ "unknown name is UTC", "Tue, 7 Sep 2004 10:11:12 XYZ",
	  "2004-09-07T10:11:12Z" },
	{ "military letters mean nothing", "Tue, 7 Sep 2004 10:11:12 A",
	  "2004-09-07T10:11:12Z" },
	{ "no zone is UTC", "Tue, 7 Sep 2004 10:11:12", "2004-09-07T10:11:12Z" },
	{ "more than a day is no zone", "Tue, 7 Sep 2004 10:11:12 +9900",
	  "2004-09-07T10:11:12Z" },
	{ "minutes over 59 are no zone", "Tue, 7 Sep 2004 10:11:12 +0975",
	  "2004-09-07T10:11:12Z" },
	{ "-0000", "Tue, 7 Sep 2004 10:11:12 -0000", "2004-09-07T10:11:12Z" },
	/* Comments. */
	{ "zone comment", "Tue, 7 Sep 2004 10:11:12 +0900 (JST)",
	  "2004-09-07T01:11:12Z" },
	{ "the number wins over the comment",
	  "Tue, 7 Sep 2004 10:11:12 +0000 (JST)", "2004-09-07T10:11:12Z" },
	{ "zone in a comment only", "Tue, 7 Sep 2004 10:11:12 (JST)",
	  "2004-09-07T01:11:12Z" },
	{ "offset in a comment only", "Tue, 7 Sep 2004 10:11:12 (GMT+09:00)",
	  "2004-09-07T01:11:12Z" },
	{ "raw CP932 in the comment",
	  "Tue, 7 Sep 2004 10:11:12 +0900 (\x93\x8C\x8B\x9E (\x95\x57\x8F\x80"
	  "\x8E\x9E))",
	  "2004-09-07T01:11:12Z" },
	{ "CP932 whose second half is a backslash",
	  "Tue, 7 Sep 2004 (\x95\x5C) 10:11:12 +0900", "2004-09-07T01:11:12Z" },
	{ "a weekday in Japanese", "2004/09/07 (\xE7\x81\xAB) 10:11:12 +0900",
	  "2004-09-07T01:11:12Z" },
	{ "comment in the middle", "Tue (a 1 Jan), 7 Sep 2004 10:11:12 +0000",
	  "2004-09-07T10:11:12Z" },
	{ "comment without end", "Tue, 7 Sep 2004 10:11:12 +0000 (JST",
	  "2004-09-07T10:11:12Z" },
	/* Years. */
	{ "two digits, this century", "Tue, 7 Sep 04 10:11:12 +0000",
	  "2004-09-07T10:11:12Z" },
	{ "49 is 2049", "7 Sep 49 10:11:12 +0000", "2049-09-07T10:11:12Z" },
	{ "50 is 1950", "7 Sep 50 10:11:12 +0000", "1950-09-07T10:11:12Z" },
	{ "two digits, last century", "Mon, 7 Sep 98 10:11:12 +0000",
	  "1998-09-07T10:11:12Z" },
	{ "three digits", "Tue, 7 Sep 104 10:11:12 +0000",
	  "2004-09-07T10:11:12Z" },
	{ "19 glued before the year 104", "Tue, 7 Sep 19104 10:11:12 +0000",
	  "2004-09-07T10:11:12Z" },
	{ "19103", "Sun, 7 Sep 19103 10:11:12 +0000", "2003-09-07T10:11:12Z" },
	{ "0004", "Tue, 7 Sep 0004 10:11:12 +0000", "2004-09-07T10:11:12Z" },
	{ "1492 is no year of a mail", "Tue, 7 Sep 1492 10:11:12 +0000", "" },
	/* Clamped. */
	{ "second 60", "31 Dec 1998 23:59:60 +0000", "1998-12-31T23:59:59Z" },
	{ "second 61", "31 Dec 1998 23:59:61 +0000", "1998-12-31T23:59:59Z" },
	{ "hour 24", "7 Sep 2004 24:00:00 +0000", "2004-09-07T23:59:59Z" },
	{ "31 in a month of 30", "31 Sep 2004 10:11:12 +0000",
	  "2004-09-30T10:11:12Z" },
	{ "30 February", "30 Feb 2003 10:11:12 +0000", "2003-02-28T10:11:12Z" },
	{ "minute 60 is no time", "7 Sep 2004 10:60:00 +0000",
	  "2004-09-07T00:00:00Z" },
	/* Orders and marks. */
	{ "month first", "Sep 7 2004 10:11:12", "2004-09-07T10:11:12Z" },
	{ "month first, comma", "Tue, Sep 7, 2004 10:11:12 +0900",
	  "2004-09-07T01:11:12Z" },
	{ "asctime", "Tue Sep  7 10:11:12 2004", "2004-09-07T10:11:12Z" },
	{ "asctime with zone", "Tue Sep  7 10:11:12 JST 2004",
	  "2004-09-07T01:11:12Z" },
	{ "asctime with offset", "Tue Sep  7 10:11:12 +0900 2004",
	  "2004-09-07T01:11:12Z" },
	{ "dashes", "Tue, 07-Sep-2004 10:11:12 +0900", "2004-09-07T01:11:12Z" },
	{ "dashes behind the time", "10:11:12 7-Sep-2004 +0900",
	  "2004-09-07T01:11:12Z" },
	{ "dashes, two digits", "Tuesday, 07-Sep-04 10:11:12 GMT",
	  "2004-09-07T10:11:12Z" },
	{ "full names", "Tuesday, 7 September 2004 10:11:12 GMT",
	  "2004-09-07T10:11:12Z" },
	{ "Sept.", "7 Sept. 2004 10:11:12 GMT", "2004-09-07T10:11:12Z" },
	{ "nothing between", "Tue,7Sep2004 10:11:12 +0900",
	  "2004-09-07T01:11:12Z" },
	{ "7th", "Sep 7th, 2004 10:11:12", "2004-09-07T10:11:12Z" },
	{ "dots in the time", "Tue, 7 Sep 2004 10.11.12 +0000",
	  "2004-09-07T10:11:12Z" },
	{ "one digit each", "Tue, 7 Sep 2004 1:1:2 +0000",
	  "2004-09-07T01:01:02Z" },
	{ "fractions", "Tue, 7 Sep 2004 10:11:12.345 +0900",
	  "2004-09-07T01:11:12Z" },
	{ "PM", "Tue, 7 Sep 2004 1:11:12 PM +0000", "2004-09-07T13:11:12Z" },
	{ "noon", "Tue, 7 Sep 2004 12:11:12 PM", "2004-09-07T12:11:12Z" },
	{ "midnight", "Tue, 7 Sep 2004 12:11:12 AM", "2004-09-07T00:11:12Z" },
	{ "Netscape", "10/13/95 11:22:33", "1995-10-13T11:22:33Z" },
	{ "day first where it must be", "13/10/95 11:22:33",
	  "1995-10-13T11:22:33Z" },
	{ "year first", "2004/09/07 10:11:12", "2004-09-07T10:11:12Z" },
	{ "ISO 8601", "2004-09-07T10:11:12+09:00", "2004-09-07T01:11:12Z" },
	{ "ISO 8601, Z", "2004-09-07T10:11:12Z", "2004-09-07T10:11:12Z" },
	{ "German numbers", "07.09.2004 10:11:12", "2004-09-07T10:11:12Z" },
	{ "kanji", "2004年9月7日 10:11:12", "2004-09-07T10:11:12Z" },
	{ "a month in kanji", "Tue, 7 9月 2004 10:11:12 +0900",
	  "2004-09-07T01:11:12Z" },
	{ "kanji in CP932", "2004\x94\x4E" "9\x8C\x8E" "7\x93\xFA 10:11:12",
	  "2004-09-07T10:11:12Z" },
	{ "kanji in EUC-JP", "2004\xC7\xAF" "9\xB7\xEE" "7\xC6\xFC 10:11:12",
	  "2004-09-07T10:11:12Z" },
	{ "no time", "7 Sep 2004", "2004-09-07T00:00:00Z" },
	{ "junk behind", "Tue, 7 Sep 2004 10:11:12 +0900; 1 Jan 1999",
	  "2004-09-07T01:11:12Z" },
	/* None. */
	{ "empty", "", "" },
	{ "words", "yesterday", "" },
	{ "no year", "Tue, 7 Sep 10:11:12", "" },
	{ "no month", "Tue, 7 2004 10:11:12", "" },
	{ "no day", "Tue, Sep 2004 10:11:12", "" },
	{ "month zero", "2004-00-07 10:11:12", "" },
	{ "long numbers", "99999999999999999999 Sep 7", "" },
	{ "seconds since 1970", "1094545872", "" },
};

static const struct parse_case separators[] = {
	{ "plain", "From a@b Wed Dec  2 05:53:22 1992", "1992-12-02T05:53:22Z" },
	{ "without the word From", "Wed Dec  2 05:53:22 1992",
	  "1992-12-02T05:53:22Z" },
	{ "with its line end", "From a@b Wed Dec  2 05:53:22 1992\r\n",
	  "1992-12-02T05:53:22Z" },
	/* The shapes that c-client takes. */
	{ "no seconds", "From a Wed Dec  2 05:53 1992", "1992-12-02T05:53:00Z" },
	{ "zone before the year", "From a Wed Dec  2 05:53:22 PST 1992",
	  "1992-12-02T13:53:22Z" },
	{ "zone before the year, no seconds", "From a Wed Dec  2 05:53 PST 1992",
	  "1992-12-02T13:53:00Z" },
	{ "zone behind the year", "From a Wed Dec  2 05:53:22 1992 PST",
	  "1992-12-02T13:53:22Z" },
	{ "zone behind the year, no seconds", "From a Wed Dec  2 05:53 1992 PST",
	  "1992-12-02T13:53:00Z" },
	{ "offset before the year", "From a Wed Dec  2 05:53:22 -0700 1992",
	  "1992-12-02T12:53:22Z" },
	{ "offset before the year, no seconds",
	  "From a Wed Dec  2 05:53 -0700 1992", "1992-12-02T12:53:00Z" },
	{ "offset behind the year", "From a Wed Dec  2 05:53:22 1992 -0700",
	  "1992-12-02T12:53:22Z" },
	{ "offset behind the year, no seconds",
	  "From a Wed Dec  2 05:53 1992 -0700", "1992-12-02T12:53:00Z" },
	{ "UUCP", "From a Wed Dec  2 05:53:22 1992 remote from xxx",
	  "1992-12-02T05:53:22Z" },
	{ "UUCP from a host called like a zone",
	  "From a Wed Dec  2 05:53 1992 remote from pst",
	  "1992-12-02T05:53:00Z" },
	{ "a sender with blanks", "From \"John Q\" doe Wed Dec  2 05:53:22 1992",
	  "1992-12-02T05:53:22Z" },
	{ "pipermail", "From user at example.com  Wed Dec  2 05:53:22 1992",
	  "1992-12-02T05:53:22Z" },
	{ "Takeout",
	  "From 1593841984384@xxx Mon Apr 15 08:09:10 +0000 2019",
	  "2019-04-15T08:09:10Z" },
	{ "git", "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 "
		 "00:00:00 2001", "2001-09-17T00:00:00Z" },
	{ "Thunderbird", "From - Tue Oct 02 00:26:47 2007",
	  "2007-10-02T00:26:47Z" },
	{ "Netscape", "From - 10/13/95 11:22:33", "1995-10-13T11:22:33Z" },
	{ "two-digit year", "From a@b Wed Dec  2 05:53:22 92",
	  "1992-12-02T05:53:22Z" },
	{ "no sender", "From Wed Dec  2 05:53:22 1992", "1992-12-02T05:53:22Z" },
	{ "RFC 822 order", "From a@b Wed, 2 Dec 1992 05:53:22 -0700",
	  "1992-12-02T12:53:22Z" },
	{ "no weekday", "From a@b Dec  2 05:53:22 1992",
	  "1992-12-02T05:53:22Z" },
	{ "a sender called like a day", "From mon Wed Dec  2 05:53:22 1992",
	  "1992-12-02T05:53:22Z" },
	{ "a sender with numbers", "From 12@x Dec  2 05:53:22 1992",
	  "1992-12-02T05:53:22Z" },
	/* None. */
	{ "Thunderbird 122", "From ", "" },
	{ "only a sender", "From a@b", "" },
	{ "prose", "From the beginning of May 2004 on, we", "" },
	{ "a date without a time", "From a@b Wed Dec  2 1992", "" },
};

typedef int64_t parse(const char *s, size_t n);

static void test_table(parse *f, const struct parse_case *cases, size_t n)
{
	struct buf got = BUF_INIT;
	int64_t t;

	for (size_t i = 0; i < n; i++) {
		/* An exact copy: the sanitizer sees reads past the end. */
		size_t len = strlen(cases[i].in);
		char *in = memcpy(mem_alloc(len), cases[i].in, len);

		buf_reset(&got);
		t = f(in, len);
		if (t != DATE_NONE)
			date_add_iso(&got, t);
		CHECK_CASE(cases[i].what, !strcmp(got.data, cases[i].want));
		if (strcmp(got.data, cases[i].want))
			printf("  %s\n  got  %s\n  want %s\n", cases[i].in,
			       got.data, cases[i].want);
		free(in);
	}
	buf_free(&got);
}

static const struct {
	const char *in;
	int64_t want;
} iso[] = {
	{ "1970-01-01", 0 },
	{ "2024-03-01", 1709251200 },
	{ "2024-03-01T10:00:00Z", 1709287200 },
	{ "2024-03-01T10:00:00", 1709287200 },
	{ "2024-03-01T10:00", 1709287200 },
	{ "2024-03-01T10:00:00+09:00", 1709254800 },
	{ "2024-03-01T10:00:00-0130", 1709292600 },
	{ "2024-02-29", 1709164800 },
	{ "2023-02-29", DATE_NONE },
	{ "2024-13-01", DATE_NONE },
	{ "2024-00-01", DATE_NONE },
	{ "2024-3-1", DATE_NONE },
	{ "24-03-01", DATE_NONE },
	{ "2024-03-01 10:00:00", DATE_NONE },
	{ "2024-03-01T24:00:00", DATE_NONE },
	{ "2024-03-01T10:60:00", DATE_NONE },
	{ "2024-03-01T10:00:00X", DATE_NONE },
	{ "2024-03-01T10:00:00Zx", DATE_NONE },
	{ "2024-03-01T10:00:00+9", DATE_NONE },
	{ "2024-03-01T10:00:00+15:00", DATE_NONE },
	{ "2024-03-01T10", DATE_NONE },
	{ "2024-03-01T", DATE_NONE },
	{ "2024-03", DATE_NONE },
	{ "", DATE_NONE },
};

static void test_iso(void)
{
	for (size_t i = 0; i < sizeof(iso) / sizeof(iso[0]); i++)
		CHECK_CASE(iso[i].in, date_parse_iso(iso[i].in) == iso[i].want);
}

/* Every day for six centuries, against the library's calendar. */
static void test_calendar(void)
{
	struct buf text = BUF_INIT;
	unsigned wrong = 0;

	for (int64_t t = -2208988800 + 4711; t < 16725225600; t += 86400) {
		buf_reset(&text);
		date_add_imap(&text, t);
		wrong += date_parse(text.data, text.len) != t;
	}
	CHECK(wrong == 0);
	buf_reset(&text);
	date_add_imap(&text, 1704190272);
	CHECK_STR(text.data, "02-Jan-2024 10:11:12 +0000");
	buf_reset(&text);
	date_add_iso(&text, 1704190272);
	CHECK_STR(text.data, "2024-01-02T10:11:12Z");
	buf_free(&text);
}

#define NONE DATE_NONE
enum { NOW = 1700000000, OK = 1000000000, DAYS = 86400 };

/* The fields in the order of the chain. */
static const struct {
	const char *what;
	int64_t chain[7];
	bool sent_folder;
	int64_t want;
} choices[] = {
	{ "nothing is known",
	  { NONE, NONE, NONE, NONE, NONE, NONE, NONE }, false, NONE },
	{ "the store knows", { OK, 2, 3, 4, 5, 6, 7 }, false, OK },
	{ "Received", { NONE, OK, 3, 4, 5, 6, 7 }, false, OK },
	{ "Delivery-date",
	  { NONE, NONE, OK, OK + 1, OK + 2, OK + 3, OK + 4 }, false, OK },
	{ "Resent-Date",
	  { NONE, NONE, NONE, OK, OK + 1, OK + 2, OK + 3 }, false, OK },
	{ "Date",
	  { NONE, NONE, NONE, NONE, OK, OK + 1, OK + 2 }, false, OK },
	{ "download time",
	  { NONE, NONE, NONE, NONE, NONE, OK, OK + 1 }, false, OK },
	{ "the file",
	  { NONE, NONE, NONE, NONE, NONE, NONE, OK }, false, OK },
	{ "sent mail: Date first",
	  { OK + 1, OK + 2, OK + 3, OK + 4, OK, OK + 5, OK + 6 }, true, OK },
	{ "sent mail without a Date: the rest of the chain",
	  { NONE, OK, OK + 1, OK + 2, NONE, OK + 3, OK + 4 }, true, OK },
	{ "too early is passed over", { 86399, OK, 0, 0, 0, 0, 0 }, false, OK },
	{ "too late is passed over",
	  { NOW + 2 * DAYS + 1, OK, 0, 0, 0, 0, 0 }, false, OK },
	{ "just early enough",
	  { NOW + 2 * DAYS, OK, 0, 0, 0, 0, 0 }, false, NOW + 2 * DAYS },
	{ "nothing plausible",
	  { 0, -1, 5, INT64_C(2) * NOW, 7, 8, 9 }, false, NONE },
};

static void test_choose(void)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const int64_t *chain = choices[i].chain;
		struct date_evidence ev = {
			.delivered = chain[0],
			.received = chain[1],
			.delivery = chain[2],
			.resent = chain[3],
			.date = chain[4],
			.downloaded = chain[5],
			.file = chain[6],
			.sent_folder = choices[i].sent_folder,
		};

		CHECK_CASE(choices[i].what,
			   date_choose(&ev, NOW) == choices[i].want);
	}
	CHECK(date_plausible(86400, NOW));
	CHECK(!date_plausible(86399, NOW));
	CHECK(!date_plausible(DATE_NONE, NOW));
}

int main(void)
{
	test_table(date_parse, header_dates,
		   sizeof(header_dates) / sizeof(header_dates[0]));
	test_table(date_parse_asctime, separators,
		   sizeof(separators) / sizeof(separators[0]));
	test_iso();
	test_calendar();
	test_choose();
	return check_done();
}
