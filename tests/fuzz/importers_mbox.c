/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Splits any bytes into messages. Whatever they are:

   - offsets ascend, every message begins where the one before ends, and the
   last ends with the file; what is in front of the first is junk and blank
   lines;
   - a message is its bytes behind the separator line without one blank line and
   NULs at the end, either as they are or with one '>' of every ">From " line
   gone; of MMDF, it ends at the marker line;
   - with these lengths passed over, the same offsets are found;
   - asked for by offset and length, in any order, the same messages are read;
   - a file that has grown by as much is read on where it ended, or from its
   beginning.

   The first byte chooses the settings, the next two the size of the reader's
   window and how far it looks ahead, so that everything also happens at their
   edges. */
#include "importers/mbox_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "importers/mbox_private.h"
#include "importers/unpack.h"

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t offsets[MOST], lengths[MOST];
static uint8_t digests[MOST][DIGEST_SIZE];
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

static size_t cut_blank(const char *s, size_t n)
{
	size_t last = n;

	if (!n || s[n - 1] != '\n')
		return n;
	last--;
	last -= last && s[last - 1] == '\r';
	return last == 0 || s[last - 1] == '\n' ? last : n;
}

static size_t cut_nuls(const char *s, size_t n)
{
	while (n && !s[n - 1])
		n--;
	return n;
}

/* Without what belongs between messages. */
static size_t content_end(const char *s, size_t n)
{
	size_t end = cut_nuls(s, n), line;

	if (end < n)
		return cut_blank(s, end);
	n = cut_blank(s, n);
	line = n;
	line -= line && s[line - 1] == '\n';
	line -= line < n && line && s[line - 1] == '\r';
	end = cut_nuls(s, line);
	if (line < n && end < line && (!end || s[end - 1] == '\n'))
		return cut_blank(s, end);
	return n;
}

static size_t line_length(const char *s, size_t n)
{
	const char *eol = memchr(s, '\n', n);

	return eol ? (size_t)(eol - s) + 1 : n;
}

static bool is_marker(const char *s, size_t n)
{
	n = line_length(s, n);
	return n >= 4 && !memcmp(s, "\1\1\1\1", 4) &&
	       (n == 4 || s[4] == '\n' || (n == 6 && s[4] == '\r'));
}

static size_t to_marker(const char *s, size_t n)
{
	size_t at = 0;

	while (at < n && !is_marker(s + at, n - at))
		at += line_length(s + at, n - at);
	return at;
}

static void check_content(const struct intake *in, const char *message,
			  size_t n, const char *separator)
{
	bool mmdf = is_marker(message, n);
	struct buf plain = BUF_INIT;
	size_t skip = 0;

	if (mmdf)
		skip = line_length(message, n);
	if (separator[0])
		skip += line_length(message + skip, n - skip);
	message += skip;
	n -= skip;
	if (mmdf)
		n = to_marker(message, n);
	n = content_end(message, n);
	unquote(&plain, message, n);
	must(is_fed(in, message, n) ||
	     (!mmdf && is_fed(in, plain.data, plain.len)));
	buf_free(&plain);
}

static void load_one(struct mbox_reader *r, const struct buf *file, size_t n)
{
	struct intake *in = &read_in;
	char separator[2048];
	struct err e = ERR_INIT;
	size_t ahead;

	must(offsets[n] < file->len);
	snprintf(separator, sizeof(separator), "%s", mbox_reader_separator(r));
	must(!separator[0] || !strncmp(separator, "From ", 5));
	must(separator[0] || n == 0 || is_marker(file->data + offsets[n], 6));
	must(mbox_reader_peek(r, &ahead) && ahead <= file->len);
	intake_reset(in);
	must(mbox_reader_load(r, in, &lengths[n], &e) == 0);
	must(intake_end(in, &e) == 0);
	must(lengths[n] >= 5 && offsets[n] + lengths[n] <= file->len);
	check_content(in, file->data + offsets[n], (size_t)lengths[n],
		      separator);
	memcpy(digests[n], in->digest.full, DIGEST_SIZE);
}

static size_t load_all(struct mbox_reader *r, const struct buf *file)
{
	struct err e = ERR_INIT;
	uint64_t at = 0;
	size_t n = 0;
	int got = 0;

	while (n < MOST && (got = mbox_reader_next(r, &offsets[n], &e)) > 0) {
		must(n == 0 || offsets[n] == at);
		must(mbox_reader_junk(r) <= offsets[0]);
		load_one(r, file, n);
		at = offsets[n] + lengths[n];
		n++;
	}
	if (n < MOST && n)
		must(got == 0 && at == file->len);
	must(mbox_reader_padding(r) <= file->len);
	if (got < 0)
		must(strstr(e.text, "not an mbox") && mbox_reader_junk(r) > 0);
	return n;
}

/* Every other one, from the last to the first. */
static void seek_all(struct mbox_reader *r, size_t n)
{
	struct intake *in = &read_in;
	uint64_t offset, length;
	struct err e;

	for (size_t i = n; i-- && n - i < 20;) {
		must(mbox_reader_seek(r, offsets[i], lengths[i], &e) == 0);
		must(mbox_reader_next(r, &offset, &e) == 1);
		must(offset == offsets[i]);
		intake_reset(in);
		must(mbox_reader_load(r, in, &length, &e) == 0);
		must(intake_end(in, &e) == 0);
		must(length == lengths[i]);
		must(!memcmp(digests[i], in->digest.full, DIGEST_SIZE));
	}
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

/* What is packed is not what is in the file: it is read to its end, or fails. */
static void read_packed(struct mbox_reader *r)
{
	struct intake *in = &read_in;
	uint64_t offset, length, at = 0;
	struct err e;

	while (mbox_reader_next(r, &offset, &e) > 0) {
		must(offset >= at);
		intake_reset(in);
		if (mbox_reader_load(r, in, &length, &e) < 0)
			break;
		at = offset + length;
	}
}

/* The file was only the first n messages; then it grew. */
static void resume(int fd, const struct buf *file, const uint8_t *settings,
		   size_t n)
{
	uint64_t end = offsets[n - 1] + lengths[n - 1], offset, length;
	struct buf mark = BUF_INIT;
	struct mbox_reader *r;
	struct err e;
	int got;

	must(ftruncate(fd, (off_t)end) == 0);
	r = open_reader(fd, settings);
	while ((got = mbox_reader_next(r, &offset, &e)) > 0)
		must(mbox_reader_skip(r, &length, &e) == 0);
	if (got == 0 && mbox_reader_bookmark(r, &mark)) {
		must(mbox_reader_stood_still(r));
		must(pwrite(fd, file->data + end, file->len - end,
			    (off_t)end) == (ssize_t)(file->len - end));
		must(mbox_reader_stood_still(r) || end == file->len);
		mbox_reader_close(r);
		r = open_reader(fd, settings);
		if (mbox_reader_resume(r, mark.data)) {
			must(mbox_reader_next(r, &offset, &e) == 1);
			must(offset >= end && offset < file->len);
		} else {
			got = mbox_reader_next(r, &offset, &e);
			must(got <= 0 || offset <= offsets[0]);
		}
	}
	mbox_reader_close(r);
	buf_free(&mark);
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
	struct buf file = BUF_INIT, whole = BUF_INIT;
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
	buf_add(&whole, file.data, file.len);
	convert_cr_only(&file);
	r = open_reader(fd, data);
	if (unpack_looks(file.data, file.len) != PACKED_NOT) {
		read_packed(r);
		goto out;
	}
	found = load_all(r, &file);
	mbox_reader_close(r);
	r = open_reader(fd, data);
	pass_all(r, found);
	mbox_reader_close(r);
	r = open_reader(fd, data);
	seek_all(r, found);
	mbox_reader_close(r);
	if (found > 1 && found < MOST)
		resume(fd, &whole, data, 1 + data[0] / 4 % (found - 1));
	r = NULL;
out:
	mbox_reader_close(r);
	buf_free(&whole);
	close(fd);
	buf_free(&file);
	return 0;
}
