/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_MBOX_READING_H
#define MAILHAUL_TESTS_IMPORTERS_MBOX_READING_H

#include "importers/mbox_reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/check.h"

/* Reads an mbox that a test has at hand, and says what came out. */
enum { MOST = 64 };

struct result {
	int n; /* messages; -1 after an error */
	uint64_t offset[MOST], length[MOST];
	bool doubtful[MOST];
	struct buf text; /* the messages, each with a '|' behind it, LF line
			    ends */
	struct buf separators; /* likewise */
	uint64_t rejected, junk, padding;
	struct err e;
};

static inline int file_of(const char *bytes, size_t n)
{
	int fd = memfd_create("mbox", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	return fd;
}

/* What came out, with LF for CRLF, so that cases are easy to read. */
static inline void add_text(struct buf *out, struct spool *s)
{
	char scratch[4096];
	const char *bytes;
	struct err e;
	uint64_t at = 0;
	ssize_t n;

	while ((n = spool_at(s, at, scratch, sizeof(scratch), &bytes, &e)) >
	       0) {
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != '\r' || i + 1 == n ||
			    bytes[i + 1] != '\n')
				buf_add_char(out, bytes[i]);
		at += (uint64_t)n;
	}
	buf_add_char(out, '|');
}

static inline void read_all(struct result *res, const char *bytes, size_t n,
		     enum mbox_quoting quoting, bool thunderbird)
{
	struct mbox_reader *r = NULL;
	int fd = file_of(bytes, n), got = -1;
	struct intake in;

	*res = (struct result){ .text = BUF_INIT, .separators = BUF_INIT };
	intake_init(&in);
	in.want_spool = true;
	if (mbox_reader_open(fd, "test", quoting, thunderbird, &r, &res->e) < 0)
		abort();
	while (res->n < MOST &&
	       (got = mbox_reader_next(r, &res->offset[res->n], &res->e)) > 0) {
		buf_add_str(&res->separators, mbox_reader_separator(r));
		buf_add_char(&res->separators, '|');
		res->doubtful[res->n] = mbox_reader_doubtful(r);
		intake_reset(&in);
		if (mbox_reader_load(r, &in, &res->length[res->n], &res->e) <
			    0 ||
		    intake_end(&in, &res->e) < 0)
			abort();
		add_text(&res->text, &in.spool);
		res->n++;
	}
	if (got < 0)
		res->n = -1;
	res->rejected = mbox_reader_rejected(r);
	res->junk = mbox_reader_junk(r);
	res->padding = mbox_reader_padding(r);
	mbox_reader_close(r);
	intake_free(&in);
	close(fd);
}

static inline void result_free(struct result *res)
{
	buf_free(&res->text);
	buf_free(&res->separators);
}

/* Lengths add up, and passing over messages finds the same ones. */
static inline void check_lengths(const char *what, const struct result *res,
			  const char *bytes, size_t n)
{
	struct mbox_reader *r = NULL;
	int fd = file_of(bytes, n);
	uint64_t offset, at = 0;
	struct err e = ERR_INIT;

	if (mbox_reader_open(fd, "test", MBOX_QUOTING_RD, false, &r, &e) < 0)
		abort();
	for (int i = 0; i < res->n; i++) {
		CHECK_CASE(what, !i || res->offset[i] == at);
		at = res->offset[i] + res->length[i];
		if (mbox_reader_next(r, &offset, &e) != 1) {
			printf("%s: %s\n", what, e.text);
			CHECK_CASE(what, false);
			break;
		}
		CHECK_CASE(what, offset == res->offset[i]);
		CHECK_CASE(what, mbox_reader_pass(r, res->length[i], &e) == 0);
	}
	if (res->n > 0) {
		CHECK_CASE(what, at == n);
		CHECK_CASE(what, mbox_reader_next(r, &offset, &e) == 0);
	}
	mbox_reader_close(r);
	close(fd);
}

/* A case: what is in the file, and what the messages are, each with a '|' behind it. */
struct reading {
	const char *what, *file, *want;
	uint64_t rejected, junk;
	bool thunderbird;
	size_t n; /* of file, where it has NULs */
	uint64_t padding;
};

static inline void check_reading(const struct reading *c)
{
	size_t n = c->n ? c->n : strlen(c->file);
	struct result res;

	read_all(&res, c->file, n, MBOX_QUOTING_RD, c->thunderbird);
	CHECK_CASE(c->what, res.n >= 0);
	if (strcmp(res.text.data, c->want))
		printf("%s:\n", c->what);
	CHECK_STR(res.text.data, c->want);
	CHECK_CASE(c->what, res.rejected == c->rejected);
	CHECK_CASE(c->what, res.junk == c->junk);
	CHECK_CASE(c->what, res.padding == c->padding);
	check_lengths(c->what, &res, c->file, n);
	result_free(&res);
}

static inline void check_readings(const struct reading *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_reading(&cases[i]);
}
#define CHECK_TABLE(cases)                                                     \
	check_readings(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
