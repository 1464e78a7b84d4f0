/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads any bytes as an Outlook store, with libpst below, in this process: what libpst
   crashes of is not ours to mend, and isolated.h is there for it; but the checks in front
   of it and all that is made of what it gives back are. Whatever the bytes are:

   - opening fails with one line, or there are folders, sorted by id, and messages with
   locators of their own;
   - a message is read, or fails with one line that costs nothing but itself; a second
   reading gives the same bytes;
   - no message is larger than its store explains. */
#include "importers/importer.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

extern const struct importer_ops importer_pst_inside;
static const struct importer_ops *const ops = &importer_pst_inside;
static const struct importer_options no_options;

enum { FOLDERS = 20, MESSAGES = 40 };

static void must(bool held)
{
	if (!held)
		abort();
}

static bool is_one_line(const struct err *e)
{
	return e->text[0] && !strchr(e->text, '\n');
}

static void read_folder(struct importer *imp, size_t size, struct buf *digests)
{
	struct message m;
	struct err e = ERR_INIT;
	int got, n = 0;

	message_init(&m);
	for (; n < MESSAGES; n++) {
		message_reset(&m);
		got = ops->next(imp, &m, &e);
		must(got >= 0);
		if (!got)
			break;
		must(m.locator.len > 0);
		buf_addf(digests, "%s ", m.locator.data);
		if (ops->load(imp, &m, &e) < 0) {
			must(is_one_line(&e) && e.scope == ERR_MESSAGE);
			buf_add_str(digests, e.text);
			continue;
		}
		must(m.in.wire_size <= (uint64_t)size * 5 + (128 << 20));
		must(m.skip || m.notes & NOTE_REBUILT);
		buf_add(digests, m.in.digest.full, DIGEST_SIZE);
	}
	message_free(&m);
}

static void read_store(const char *path, size_t size, struct buf *digests)
{
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;
	char last[32] = "";
	int got = 1;

	if (ops->open(path, &no_options, &imp, &e) < 0) {
		must(is_one_line(&e) && e.scope == ERR_ACCOUNT);
		buf_add_str(digests, e.text);
		return;
	}
	for (int n = 0; n < FOLDERS; n++) {
		got = ops->next_folder(imp, &f, &e);
		/* Once, and first: that its index is damaged. */
		must(got >= 0 || (n == 0 && e.scope == ERR_FOLDER));
		if (!got)
			break;
		if (got < 0)
			continue;
		must(f.path[0] && f.path[0][0] && strcmp(f.id, last) > 0);
		snprintf(last, sizeof(last), "%s", f.id);
		read_folder(imp, size, digests);
	}
	for (unsigned i = 0; ops->remark(imp, i); i++)
		must(ops->remark(imp, i)[0]);
	ops->close(imp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_store(path, n, &once);
	read_store(path, n, &twice);
	must(buf_equal(&once, &twice));
	close(fd);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
