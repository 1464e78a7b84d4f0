/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads any bytes as a .bmf and its Folder.idx. Whatever they are:

   - every message begins where the one before ends; what is behind the last is blank;
   - with a dot put back in front of lines that begin with one, where there was one, a
   message's pieces and its end line are the bytes of the file;
   - with their lengths passed over, the same messages are found;
   - without attachments a message comes out as its pieces are; with them, nothing of it is
   lost but X-Becky-Include lines;
   - an index that is trusted lists places where messages begin, in order.

   The first two bytes are the length of the index, which comes first. */
#include "importers/becky_body.h"
#include "importers/becky_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t starts[MOST], lengths[MOST];
static struct intake plain_in, whole_in; /* made once: they are dear */

static void must(bool held)
{
	if (!held)
		abort();
}

static int make_file(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	must(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int no_attachment(void *ctx, const char *path, size_t n)
{
	(void)ctx;
	(void)path;
	(void)n;
	return -1;
}

/* A file for some names; its bytes are the name. */
static int some_attachment(void *ctx, const char *path, size_t n)
{
	++*(size_t *)ctx;
	return n % 2 ? make_file((const uint8_t *)path, n) : -1;
}

static bool is_end(const uint8_t *s, size_t n)
{
	return (n == 1 && s[0] == '.') ||
	       (n == 2 && s[0] == '.' && (s[1] == '\n' || s[1] == '\r')) ||
	       (n == 3 && !memcmp(s, ".\r\n", 3));
}

/* One message, against the bytes it was made of. */
static void check_message(struct bmf *b, const uint8_t *file, size_t size)
{
	struct becky_body plain = { .in = &plain_in, .open = no_attachment };
	size_t asked = 0;
	struct becky_body whole = {
		.in = &whole_in, .open = some_attachment, .ctx = &asked,
	};
	struct buf text = BUF_INIT;
	struct bmf_piece p;
	struct err e;
	uint64_t at = b->start;

	intake_reset(&plain_in);
	intake_reset(&whole_in);
	while (bmf_read(b, &p) > 0) {
		must(p.n > 0 && b->at <= size);
		/* The second dot, where it was. */
		if (p.begins && p.bytes[0] == '.' && file[at] == '.' &&
		    b->at - at == p.n + 1)
			at++;
		must(b->at - at == p.n && !memcmp(file + at, p.bytes, p.n));
		at = b->at;
		buf_add(&text, p.bytes, p.n);
		must(becky_body_add(&plain, &p, &e) == 0);
		must(becky_body_add(&whole, &p, &e) == 0);
	}
	must(b->at == at || is_end(file + at, (size_t)(b->at - at)));
	must(b->at > at || b->at == size);
	must(becky_body_end(&plain, &e) == 0 && becky_body_end(&whole, &e) == 0);
	must(!plain.rebuilt && plain_in.store_size == text.len);
	must(asked || whole_in.store_size == text.len);
	must(intake_end(&plain_in, &e) == 0 && intake_end(&whole_in, &e) == 0);
	must(asked || !memcmp(plain_in.digest.full, whole_in.digest.full,
			      DIGEST_SIZE));
	becky_body_free(&plain);
	becky_body_free(&whole);
	buf_free(&text);
}

static bool is_start(uint64_t at, size_t found)
{
	for (size_t i = 0; i < found; i++)
		if (starts[i] == at)
			return true;
	return false;
}

static void check_index(int idx, size_t n_idx, int bmf, size_t size,
			size_t found)
{
	struct becky_index x;
	struct becky_part p;

	becky_index_read(&x, idx, n_idx);
	for (size_t i = 1; i < x.n; i++)
		must(x.entries[i - 1].file <= x.entries[i].file);
	p = becky_index_part(&x, "1.bmf", bmf, size);
	for (size_t i = 0; i < p.n; i++) {
		must(p.entries[i].file == 1);
		must(!i || p.entries[i - 1].at <= p.entries[i].at);
		must(becky_part_find(&p, p.entries[i].at));
		/* A line "." that is a header's or a body's ends both; and what
		   is blank to the end is no message, but may be listed. */
		must(!p.trusted || found == MOST ||
		     is_start(p.entries[i].at, found) ||
		     p.entries[i].at >= (found ? starts[found - 1] : 0));
	}
	becky_index_free(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool ready;
	size_t n_idx, found = 0;
	struct bmf b;
	int idx, bmf;

	if (n < 2 || n > 1 << 16)
		return 0;
	if (!ready) {
		ready = true;
		intake_init(&plain_in);
		intake_init(&whole_in);
	}
	n_idx = data[0] | (size_t)data[1] << 8;
	data += 2;
	n -= 2;
	n_idx = n_idx < n ? n_idx : n;
	idx = make_file(data, n_idx);
	data += n_idx;
	n -= n_idx;
	bmf = make_file(data, n);
	bmf_open(&b, bmf, n);
	while (found < MOST && bmf_next(&b)) {
		must(b.start == (found ? starts[found - 1] + lengths[found - 1]
				       : 0));
		starts[found] = b.start;
		check_message(&b, data, n);
		lengths[found] = b.at - b.start;
		must(lengths[found++] > 0);
	}
	for (uint64_t at = b.at; at < n && found < MOST; at++)
		must(strchr("\r\n\x1A", data[at]));
	bmf_close(&b);
	bmf_open(&b, bmf, n);
	for (size_t i = 0; i < found; i++)
		must(bmf_next(&b) && b.start == starts[i] &&
		     bmf_pass(&b, lengths[i]));
	bmf_close(&b);
	check_index(idx, n_idx, bmf, n, found);
	close(idx);
	close(bmf);
	return 0;
}
