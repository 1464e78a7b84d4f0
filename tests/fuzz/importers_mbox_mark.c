/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bookmarks, as they come back from the ledger. Whatever the text is:

   - it is refused, or is exactly what writing it again gives;
   - it holds only for a file that has these bytes in front of its end: one that
   was made of the input holds for it, and not once the last byte has changed. */
#include "importers/mbox_mark.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held)
{
	if (!held)
		abort();
}

static void check_text(const char *text)
{
	struct buf again = BUF_INIT;
	struct mbox_mark m;

	if (mbox_mark_read(text, &m)) {
		mbox_mark_add(&again, &m);
		must(!strcmp(again.data, text));
	}
	buf_free(&again);
}

static void check_file(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct mbox_mark m, read;
	struct buf text = BUF_INIT;
	uint8_t other;

	must(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	must(!mbox_mark_make(fd, n + 1, &m));
	must(mbox_mark_make(fd, n, &m));
	mbox_mark_add(&text, &m);
	must(mbox_mark_read(text.data, &read) && mbox_mark_holds(&read, fd));
	if (n) {
		other = data[n - 1] ^ 1;
		must(pwrite(fd, &other, 1, (off_t)n - 1) == 1);
		must(!mbox_mark_holds(&read, fd));
	}
	buf_free(&text);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = BUF_INIT;

	buf_add(&text, data, n);
	check_text(text.data);
	buf_set_str(&text, "mbox2 ");
	buf_add(&text, data, n);
	check_text(text.data);
	check_file(data, n);
	buf_free(&text);
	return 0;
}
