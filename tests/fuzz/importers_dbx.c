/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads any bytes as a .dbx file. Whatever they are:

   - every record is inside the file, and none is listed twice;
   - texts end, and all texts together are no longer than the file: no block is
   part of two;
   - a second reading gives the same.

   The first four bytes are the root of the tree; the others lie behind a header of
   0x100 bytes. */
#include "importers/dbx_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/date.h"

enum { HEAD = 0x100, MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held)
{
	if (!held)
		abort();
}

static int make_file(const uint8_t *data, size_t n)
{
	char head[HEAD] = "\xCF\xAD\x12\xFE\xC5\xFD\x74\x6F";
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	memcpy(head + 0xE4, data, 4);
	must(fd >= 0 && write(fd, head, HEAD) == HEAD &&
	     write(fd, data + 4, n - 4) == (ssize_t)(n - 4));
	return fd;
}

/* All that can be asked of a record. */
static uint64_t ask(struct dbx_file *d, uint32_t record, struct buf *seen)
{
	uint32_t value;

	for (unsigned index = 0; index < 0x80; index++) {
		if (dbx_number(d, record, index, &value))
			buf_addf(seen, "%u ", value);
		if (dbx_time(d, record, index) != DATE_NONE)
			buf_addf(seen, "%jd ",
				 (intmax_t)dbx_time(d, record, index));
		must(!dbx_string(d, record, index, seen) ||
		     dbx_record_is(d, record));
	}
	return dbx_number(d, record, DBX_TEXT, &value) ? value : 0;
}

static void read_all(int fd, uint64_t size, struct buf *seen)
{
	struct dbx_file d;
	uint64_t total = 0;

	dbx_file_open(&d, fd, size);
	dbx_file_index(&d);
	must(d.n <= size / 32 + 1);
	for (size_t i = 0; i < d.n; i++) {
		uint32_t block = (uint32_t)ask(&d, d.at[i], seen);
		const char *bytes;
		size_t n;

		must(d.at[i] < size);
		for (size_t k = 0; k < i; k++)
			must(d.at[k] != d.at[i]);
		while (dbx_text(&d, &block, &bytes, &n) > 0) {
			must(n <= 0x200);
			total += n;
			buf_add(seen, bytes, n);
		}
	}
	must(total <= size);
	dbx_file_close(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	int fd;

	if (n < 4 || n > MOST)
		return 0;
	fd = make_file(data, n);
	read_all(fd, HEAD + n - 4, &first);
	read_all(fd, HEAD + n - 4, &second);
	must(buf_equal(&first, &second));
	close(fd);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
