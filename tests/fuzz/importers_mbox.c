/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Splits any bytes into messages. Whatever they are:

   - offsets ascend, every message begins where the one before ends, and the
   last ends with the file; what is in front of the first is junk and blank
   lines;
   - a message is its bytes behind the separator line without one blank line at
   the end, either as they are or with one '>' of every ">From " line gone;
   - with these lengths passed over, the same offsets are found.

   The first byte chooses the settings, the next two the size of the reader's
   window and how far it looks ahead, so that everything also happens at their
   edges. */
#include "importers/mbox_reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "importers/mbox_private.h"

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t offsets[MOST], lengths[MOST];
static struct intake read_in, fed_in; /* made once: they are dear */

static void must(bool held)
{
	if (!held)
		abort();
}

static bool same_intake(const struct intake *a, const struct intake *b)
{
	return a->store_size == b->store_size && a->wire_size == b->wire_size &&
	       !memcmp(a->digest.full, b->digest.full, DIGEST_SIZE) &&
	       a->spool.len == b->spool.len &&
	       buf_equal(&a->spool.mem, &b->spool.mem);
}

static bool is_fed(const struct intake *in, const char *bytes, size_t n)
{
	struct err e;

	intake_reset(&fed_in);
	must(intake_add(&fed_in, bytes, n, &e) == 0);
	must(intake_end(&fed_in, &e) == 0);
	return same_intake(in, &fed_in);
}

/* The plainest possible: line by line. */
static void unquote(struct buf *out, const char *s, size_t n)
{
	const char *end = s + n, *p;

	while (s < end) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		const char *next = eol ? eol + 1 : end;

		for (p = s; p < next && *p == '>'; p++)
			;
		if (p > s && next - p >= 5 && !memcmp(p, "From ", 5))
			s++;
		buf_add(out, s, (size_t)(next - s));
		s = next;
	}
}

static void check_content(const struct intake *in, const char *message,
			  size_t n)
{
	const char *eol = memchr(message, '\n', n);
	size_t skip = eol ? (size_t)(eol - message) + 1 : n;
	const char *s = message + skip;
	struct buf plain = BUF_INIT;

	n -= skip;
	if (n && s[n - 1] == '\n') {
		size_t last = n - 1;

		last -= last && s[last - 1] == '\r';
		if (last == 0 || s[last - 1] == '\n')
			n = last;
	}
	unquote(&plain, s, n);
	must(is_fed(in, s, n) || is_fed(in, plain.data, plain.len));
	buf_free(&plain);
}

static size_t load_all(struct mbox_reader *r, const struct buf *file)
{
	struct intake *in = &read_in;
	struct err e = ERR_INIT;
	uint64_t at = 0;
	size_t n = 0;
	int got = 0;

	while (n < MOST && (got = mbox_reader_next(r, &offsets[n], &e)) > 0) {
		must(n == 0 || offsets[n] == at);
		must(offsets[n] < file->len);
		must(mbox_reader_junk(r) <= offsets[0]);
		must(!strncmp(mbox_reader_separator(r), "From ", 5));
		intake_reset(in);
		must(mbox_reader_load(r, in, &lengths[n], &e) == 0);
		must(intake_end(in, &e) == 0);
		at = offsets[n] + lengths[n];
		must(lengths[n] >= 5 && at <= file->len);
		check_content(in, file->data + offsets[n], (size_t)lengths[n]);
		n++;
	}
	if (n < MOST && n)
		must(got == 0 && at == file->len);
	if (got < 0)
		must(strstr(e.text, "not an mbox") && mbox_reader_junk(r) > 0);
	return n;
}

static void pass_all(struct mbox_reader *r, size_t n)
{
	struct err e;
	uint64_t offset;

	for (size_t i = 0; i < n; i++) {
		must(mbox_reader_next(r, &offset, &e) == 1);
		must(offset == offsets[i]);
		must(mbox_reader_pass(r, lengths[i], &e) == 0);
	}
	if (n && n < MOST)
		must(mbox_reader_next(r, &offset, &e) == 0);
}

static struct mbox_reader *open_reader(int fd, const uint8_t *settings)
{
	size_t look = 64 + settings[1] * 4u;
	size_t window = MBOX_WINDOW_LEAST + look + settings[2];
	struct mbox_reader *r = NULL;
	struct err e;

	must(mbox_reader_open_window(fd, "fuzz",
				     settings[0] & 1 ? MBOX_QUOTING_NONE
						     : MBOX_QUOTING_RD,
				     settings[0] & 2, window, look, &r,
				     &e) == 0);
	return r;
}

/* The reader takes CRs for line ends where there is nothing else. */
static void convert_cr_only(struct buf *file)
{
	if (memchr(file->data, '\n', file->len))
		return;
	for (size_t i = 0; i < file->len; i++)
		if (file->data[i] == '\r')
			file->data[i] = '\n';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool ready;
	struct buf file = BUF_INIT;
	struct mbox_reader *r;
	size_t found;
	int fd;

	if (n < 3)
		return 0;
	if (!ready) {
		ready = true;
		intake_init(&read_in);
		intake_init(&fed_in);
		read_in.want_spool = fed_in.want_spool = true;
	}
	buf_add(&file, data + 3, n - 3);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
	convert_cr_only(&file);
	r = open_reader(fd, data);
	found = load_all(r, &file);
	mbox_reader_close(r);
	r = open_reader(fd, data);
	pass_all(r, found);
	mbox_reader_close(r);
	close(fd);
	buf_free(&file);
	return 0;
}
