/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: the rows, cells and memberships that were read, written down as
   a plain Mork file and read again, are the same, and nothing in it is damaged. */
#include "importers/mork.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const scopes[] = { "ns:msg:db:row:scope:msgs:all",
				      "ns:msg:db:row:scope:dbfolderinfo:all",
				      NULL };
static const char *const columns[] = { "storeToken", "message-id", "flags",
				       "keywords", NULL };
static const char kind[] = "ns:msg:db:table:kind:msgs";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add_escaped(struct buf *out, const struct buf *cell)
{
	for (size_t i = 0; i < cell->len; i++) {
		unsigned char c = (unsigned char)cell->data[i];

		if (c < ' ' || c == '\\' || c == '$' || c == ')' || c >= 0x7f)
			buf_addf(out, "$%02X", c);
		else
			buf_add_char(out, (char)c);
	}
}

static void write_row(struct buf *out, const struct mork *m, size_t row)
{
	struct buf cell = BUF_INIT;

	buf_addf(out, "[%x:^%x", mork_row_id(m, row),
		 0x80 + mork_row_scope(m, row));
	for (unsigned c = 0; columns[c]; c++)
		if (mork_cell(m, row, c, &cell)) {
			buf_addf(out, "(%s=", columns[c]);
			add_escaped(out, &cell);
			buf_add_char(out, ')');
		}
	/* Rows shorter than Thunderbird's are not believed in numbers. */
	buf_add_str(out, "] // ---------------------------------\n");
	buf_free(&cell);
}

static void write_file(struct buf *out, const struct mork *m)
{
	buf_addf(out, "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)>(80=%s)(81=%s)"
		      "(82=%s)>\n", scopes[0], scopes[1], kind);
	for (size_t row = 0; row < mork_rows(m); row++) {
		bool listed = mork_row_listed(m, row);

		if (listed)
			buf_addf(out, "{1:^%x {(k^82:c)(s=9)} ",
				 0x80 + mork_row_scope(m, row));
		write_row(out, m, row);
		if (listed)
			buf_add_str(out, "}\n");
	}
}

static void same_row(const struct mork *a, const struct mork *b, size_t row)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	uint64_t n, k;

	must(mork_row_scope(a, row) == mork_row_scope(b, row));
	must(mork_row_id(a, row) == mork_row_id(b, row));
	must(mork_row_listed(a, row) == mork_row_listed(b, row));
	for (unsigned c = 0; columns[c]; c++) {
		bool has = mork_cell(a, row, c, &x);

		must(mork_cell(b, row, c, &y) == has && buf_equal(&x, &y));
		if (mork_cell_hex(a, row, c, &n))
			must(mork_cell_hex(b, row, c, &k) && n == k);
	}
	buf_free(&x);
	buf_free(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file = BUF_INIT;
	struct mork *m, *again;

	m = mork_parse((const char *)data, size, scopes, columns, kind);
	write_file(&file, m);
	again = mork_parse(file.data, file.len, scopes, columns, kind);
	must(!mork_damaged(again));
	must(mork_rows(m) == mork_rows(again));
	for (size_t row = 0; row < mork_rows(m); row++)
		same_row(m, again, row);
	mork_free(m);
	mork_free(again);
	buf_free(&file);
	return 0;
}
