/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Mork reader on small texts, one trap each. */
#include "importers/mork.h"

#include "tests/lib/check.h"

static const char *const scopes[] = { "msgs", "info", NULL };
static const char *const columns[] = { "token", "words", NULL };

#define HEAD "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n"
#define NAMES "< <(a=c)> // (f=iso-8859-1)\n (80=msgs)(81=info)(82=kind)" \
	      "(83=token)(84=words)(85=other)>\n"
#define KIND "{(k^82:c)(s=9)} "

/* One line a row: scope, id, '+' if it is listed, cells. */
static void show(const char *text, struct buf *out, bool *damaged_r)
{
	/* An exact copy, so that the sanitizer sees reads past the end. */
	size_t n = strlen(text);
	char *bytes = mem_strndup(text, n);
	struct mork *m = mork_parse(bytes, n, scopes, columns, "kind");
	struct buf cell = BUF_INIT;

	buf_reset(out);
	for (size_t row = 0; row < mork_rows(m); row++) {
		buf_addf(out, "%s %x%s", scopes[mork_row_scope(m, row)],
			 mork_row_id(m, row), mork_row_listed(m, row) ? "+" : "");
		for (unsigned c = 0; columns[c]; c++)
			if (mork_cell(m, row, c, &cell))
				buf_addf(out, " %s=%s", columns[c], cell.data);
		buf_add_char(out, '\n');
	}
	*damaged_r = mork_damaged(m);
	buf_free(&cell);
	mork_free(m);
	free(bytes);
}

static const struct {
	const char *what, *text, *want;
	bool damaged;
} cases[] = {
	{ "a table, a literal and a reference",
	  HEAD NAMES "<(90=12)>{1:^80 " KIND "[1(^83^90)(^84=a b)]}",
	  "msgs 1+ token=12 words=a b\n", false },
	{ "scopes that nobody asked for are passed over",
	  HEAD NAMES "[5:m(^83=1)]{1:^85 " KIND "[1(^83=1)]}", "", false },
	{ "columns that nobody asked for are passed over",
	  HEAD NAMES "[1:^81(^85=x)(^83=y)]", "info 1 token=y\n", false },
	{ "names written out instead of numbers",
	  HEAD "[1:info(token=y)]", "info 1 token=y\n", false },
	{ "white space between key and '='",
	  HEAD NAMES "<(90\n    =12)(91\n  ==?UTF-8?Q?x?=)>"
		     "[1:^81(^83^90)(^84^91)]",
	  "info 1 token=12 words==?UTF-8?Q?x?=\n", false },
	{ "bytes and line ends are escaped",
	  HEAD NAMES "[1:^81(^83=$E6$97$a5)(^84=a\\\nb\\)c\\\\d\\$e)]",
	  "info 1 token=\xE6\x97\xA5 words=ab)c\\d$e\n", false },
	{ "CRLF and CR end lines, too",
	  "// <!-- <mdb:mork:z v=\"1.4\"/> -->\r< <(a=c)> // (x=y)\r\n(81=info)"
	  "(83=token)>[1:^81(^83=a\\\r\nb)]",
	  "info 1 token=ab\n", false },
	{ "a later cell replaces the earlier one",
	  HEAD NAMES "[1:^81(^83=a)(^84=b)][1:^81(^83=c)]",
	  "info 1 token=c words=b\n", false },
	{ "'-' in the bracket empties the row first",
	  HEAD NAMES "[1:^81(^83=a)(^84=b)][-1:^81(^83=c)]",
	  "info 1 token=c\n", false },
	{ "'-' before a cell takes it out",
	  HEAD NAMES "[1:^81(^83=a)(^84=b)][1:^81-(^83)]",
	  "info 1 words=b\n", false },
	{ "'-' before a row takes it out of the table",
	  HEAD NAMES "{1:^80 " KIND "[1(^83=a)][2(^83=b)]3 }{1:^80 " KIND
		     "-1 -[2]-\n[-3]4 }",
	  "msgs 1 token=a\nmsgs 2 token=b\nmsgs 3\nmsgs 4+\n", false },
	{ "'-' before a table's number empties the table",
	  HEAD NAMES "{1:^80 " KIND "[1(^83=a)]2 }{-1:^80 " KIND "2 }",
	  "msgs 1 token=a\nmsgs 2+\n", false },
	{ "tables of another kind list nothing",
	  HEAD NAMES "{1:^80 {(k^85:c)(s=9)1:m } [1(^83=a)]2 }",
	  "msgs 1 token=a\n", false },
	{ "a number that is defined again is that from there on",
	  HEAD NAMES "<(90=a)>[1:^81(^83^90)]<(90=b)>[2:^81(^83^90)]",
	  "info 1 token=a\ninfo 2 token=b\n", false },
	{ "a transaction that was finished counts",
	  HEAD NAMES "[1:^81(^83=a)]\n@$${1F{@\n[1:^81(^83=b)]\n@$$}1F}@\n",
	  "info 1 token=b\n", false },
	{ "one that was aborted does not",
	  HEAD NAMES "[1:^81(^83=a)]@$${1{@[1:^81(^83=b)]@$$}~~}@[2:^81(^83=c)]",
	  "info 1 token=a\ninfo 2 token=c\n", false },
	{ "nor does one without an end, when another begins",
	  HEAD NAMES "@$${1{@[1:^81(^83=b)]@$${2{@[2:^81(^83=c)]@$$}2}@",
	  "info 2 token=c\n", false },
	{ "or the file ends",
	  HEAD NAMES "[1:^81(^83=a)]@$${1{@[1:^81(^83=b)]",
	  "info 1 token=a\n", true },
	{ "a file cut off gives what was whole",
	  HEAD NAMES "[1:^81(^83=a)(^84=b", "info 1 token=a\n", true },
	{ "references to nothing are no cells",
	  HEAD NAMES "[1:^81(^83^99)(^99^83)(^84=b)]", "info 1 words=b\n", false },
	{ "numbers that are none are passed over",
	  HEAD NAMES "[123456789:^81(^83=a)][:^81(^83=b)][2:^81(^84=c)]",
	  "info 2 words=c\n", true },
	{ "another file", "From - Mon\nSubject: x\n\n[1:info(token=y)]\n", "", true },
	{ "an empty file", "", "", true },
};

static void check_hex(void)
{
	static const char text[] = HEAD NAMES
		"[1:^81(^83=6B050f23)(^84=)][2:^81(^83=xyz)]";
	struct mork *m = mork_parse(text, strlen(text), scopes, columns, "kind");
	uint64_t value;

	CHECK(mork_rows(m) == 2);
	CHECK(mork_cell_hex(m, 0, 0, &value) && value == 0x6b050f23);
	CHECK(!mork_cell_hex(m, 0, 1, &value) && value == 0);
	CHECK(!mork_cell_hex(m, 1, 0, &value));
	CHECK(!mork_cell_hex(m, 1, 1, &value));
	mork_free(m);
}

/* Numbers in one column at a time, over many rows and dictionaries: tables grow. */
static void check_many(void)
{
	struct buf text = BUF_INIT, cell = BUF_INIT;
	struct mork *m;
	size_t right = 0;

	buf_add_str(&text, HEAD NAMES);
	for (unsigned i = 0; i < 5000; i++)
		buf_addf(&text, "<(%X=value number %u)>{1:^80 " KIND
				"[%X(^83^%X)(^84=some words here)]}\n",
			 i + 0x90, i, i, i + 0x90);
	m = mork_parse(text.data, text.len, scopes, columns, "kind");
	CHECK(!mork_damaged(m));
	CHECK(mork_rows(m) == 5000);
	for (size_t row = 0; row < mork_rows(m); row++) {
		char want[32];

		snprintf(want, sizeof(want), "value number %u",
			 mork_row_id(m, row));
		right += mork_row_listed(m, row) && mork_cell(m, row, 0, &cell) &&
			 !strcmp(cell.data, want);
	}
	CHECK(right == 5000);
	mork_free(m);
	buf_free(&text);
	buf_free(&cell);
}

int main(void)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool damaged;

		show(cases[i].text, &out, &damaged);
		CHECK_CASE(cases[i].what, damaged == cases[i].damaged);
		CHECK_CASE(cases[i].what, !strcmp(out.data, cases[i].want));
		if (strcmp(out.data, cases[i].want))
			printf("  got\n%s  want\n%s", out.data, cases[i].want);
	}
	buf_free(&out);
	check_hex();
	check_many();
	CHECK(mork_begins(HEAD, strlen(HEAD)));
	CHECK(!mork_begins("// <!-- <mdb", 12));
	return check_done();
}
