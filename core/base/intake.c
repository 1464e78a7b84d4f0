/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message passes by, once. The header is collected line by line until its
   empty line; from then on bytes stream through in pieces that fit the cache,
   because several eyes look at each piece before the next one comes. */
#include "core/base/intake.h"
#include "core/base/ascii.h"
#include "core/base/scan.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 32 << 10 };

struct intake_state {
	struct digest_body *body;
	size_t line_at;	   /* in header.raw: the line that is being collected */
	size_t lines_size; /* of the lines before it, a line end counting one */
	struct scan_lines lines;	   /* of the wire form */
	char wire[PIECE * 2 + SCAN_SLACK]; /* a piece in its wire form */
};

/* The working state is 80 KiB, and hundreds of messages wait for their answer
   at a time that do not need it any more: it is lent from the first byte to
   intake_end. */
static _Thread_local struct intake_state *spare;

static void borrow_state(struct intake *in)
{
	struct intake_state *st = spare;

	if (in->state)
		return;
	spare = NULL;
	if (!st) {
		st = mem_alloc(sizeof(*st));
		st->body = digest_body_new();
	}
	digest_body_reset(st->body);
	st->line_at = 0;
	st->lines_size = 0;
	st->lines = (struct scan_lines){ .open = 0 };
	in->state = st;
}

static void return_state(struct intake *in)
{
	struct intake_state *st = in->state;

	in->state = NULL;
	if (!st)
		return;
	if (!spare) {
		spare = st;
		return;
	}
	digest_body_free(st->body);
	free(st);
}

void intake_thread_ends(void)
{
	struct intake_state *st = spare;

	spare = NULL;
	if (!st)
		return;
	digest_body_free(st->body);
	free(st);
}

void intake_init(struct intake *in)
{
	*in = (struct intake){ .header = HEADER_INIT, .spool = SPOOL_INIT };
	in->in_header = true;
}

void intake_free(struct intake *in)
{
	header_free(&in->header);
	spool_free(&in->spool);
	return_state(in);
}

void intake_reset(struct intake *in)
{
	header_reset(&in->header);
	spool_reset(&in->spool);
	return_state(in);
	in->wire_size = in->store_size = 0;
	in->nuls = in->lone_crs = in->longest_line = 0;
	in->header_8bit = in->ends_with_eol = false;
	in->digest = (struct digest){ .full = { 0 } };
	in->in_header = true;
}

/* At most PIECE bytes, and at least one. */
static int wire_piece(struct intake *in, const char *bytes, size_t n,
		      struct err *e)
{
	struct intake_state *st = in->state;
	uint64_t lfs = scan_count(bytes, n, '\n'), crlfs = 0;
	bool cr = st->lines.cr;

	if (memchr(bytes, '\r', n)) {
		in->lone_crs += scan_count(bytes, n, '\r');
		crlfs = scan_count_pairs(bytes, n, '\r', '\n');
	}
	if (cr && bytes[0] == '\n')
		crlfs++;
	in->lone_crs -= crlfs; /* a CR at the end counted until its LF came */
	in->wire_size += n + lfs - crlfs;
	if (memchr(bytes, '\0', n))
		in->nuls += scan_count(bytes, n, '\0');
	scan_lines(&st->lines, bytes, n, crlfs == lfs, crlfs == 0);
	in->ends_with_eol = bytes[n - 1] == '\n';
	if (!in->want_spool)
		return 0;
	if (lfs == crlfs)
		return spool_add(&in->spool, bytes, n, e);
	n = scan_spread_crlf(st->wire, bytes, n, cr);
	return spool_add(&in->spool, st->wire, n, e);
}

static int wire_add(struct intake *in, const char *bytes, size_t n,
		    struct err *e)
{
	size_t piece;

	for (; n; bytes += piece, n -= piece) {
		piece = n < PIECE ? n : PIECE;
		if (wire_piece(in, bytes, piece, e) < 0)
			return -1;
	}
	return 0;
}

static int body_add(struct intake *in, const char *bytes, size_t n,
		    struct err *e)
{
	size_t piece;

	for (; n; bytes += piece, n -= piece) {
		piece = n < PIECE ? n : PIECE;
		digest_body_add(in->state->body, bytes, piece);
		if (wire_piece(in, bytes, piece, e) < 0)
			return -1;
	}
	return 0;
}

static bool listed(const char *const *list, const struct header *h,
		   const struct header_field *f)
{
	for (; list && *list; list++)
		if (ascii_same(h->raw.data + f->name, f->name_len, *list))
			return true;
	return false;
}

static void mark_dropped(struct intake *in)
{
	struct header *h = &in->header;
	bool leading = true;

	for (size_t i = 0; i < h->n; i++) {
		struct header_field *f = &h->fields[i];

		leading = leading && listed(in->drop_leading, h, f);
		f->dropped = leading || listed(in->drop_anywhere, h, f);
	}
}

static int header_kept(struct intake *in, size_t from, size_t to, struct err *e)
{
	const char *raw = in->header.raw.data;
	unsigned char any = 0;

	for (size_t i = from; i < to; i++)
		any |= (unsigned char)raw[i];
	in->header_8bit = in->header_8bit || any > 0x7F;
	return wire_add(in, raw + from, to - from, e);
}

/* The header is complete. */
static int header_done(struct intake *in, struct err *e)
{
	struct header *h = &in->header;
	size_t at = 0;

	in->in_header = false;
	header_index(h);
	mark_dropped(in);
	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->fields[i];

		if (!f->dropped)
			continue;
		if (header_kept(in, at, f->start, e) < 0)
			return -1;
		at = f->end;
	}
	return header_kept(in, at, h->raw.len, e);
}

/* The line being collected would make the header too long: it is body. */
static int header_cut(struct intake *in, struct err *e)
{
	struct buf *raw = &in->header.raw, rest = BUF_INIT;
	int ret = -1;

	buf_add(&rest, raw->data + in->state->line_at,
		raw->len - in->state->line_at);
	buf_cut(raw, in->state->line_at);
	if (header_done(in, e) == 0)
		ret = body_add(in, rest.data, rest.len, e);
	buf_free(&rest);
	return ret;
}

/* header.raw ends with a part of a line, or with a whole one. Line ends count
   one byte, however they are spelled, so that the limit does not depend on
   them. */
static int header_line(struct intake *in, struct err *e)
{
	struct intake_state *st = in->state;
	struct buf *raw = &in->header.raw;
	const char *line = raw->data + st->line_at;
	size_t len = raw->len - st->line_at;
	bool whole = line[len - 1] == '\n', cr;
	char eol[3];

	len -= whole;
	cr = len && line[len - 1] == '\r';
	len -= cr;
	if (whole && !len) {
		memcpy(eol, line, cr + 1u);
		buf_cut(raw, st->line_at);
		if (header_done(in, e) < 0)
			return -1;
		return wire_add(in, eol, cr + 1u, e);
	}
	if (st->lines_size + len + whole > HEADER_MAX)
		return header_cut(in, e);
	if (whole) {
		st->line_at = raw->len;
		st->lines_size += len + 1;
	}
	return 0;
}

/* Takes bytes up to the end of the header; *took_r says how many. */
static int header_add(struct intake *in, const char *bytes, size_t n,
		      size_t *took_r, struct err *e)
{
	size_t at = 0, len;
	const char *lf;

	while (at < n && in->in_header) {
		lf = memchr(bytes + at, '\n', n - at);
		len = lf ? (size_t)(lf - bytes) + 1 - at : n - at;
		buf_add(&in->header.raw, bytes + at, len);
		at += len;
		if (header_line(in, e) < 0)
			return -1;
	}
	*took_r = at;
	return 0;
}

int intake_add(struct intake *in, const char *bytes, size_t n, struct err *e)
{
	size_t took;

	borrow_state(in);
	in->store_size += n;
	for (; n && in->in_header; bytes += took, n -= took) {
		took = n < PIECE ? n : PIECE;
		if (header_add(in, bytes, took, &took, e) < 0)
			return -1;
	}
	return body_add(in, bytes, n, e);
}

int intake_end(struct intake *in, struct err *e)
{
	const struct scan_lines *lines;

	borrow_state(in);
	lines = &in->state->lines;
	if (in->in_header && header_done(in, e) < 0)
		return -1;
	in->longest_line =
		lines->open > lines->longest ? lines->open : lines->longest;
	digest_finish(in->state->body, &in->header, &in->digest);
	return_state(in);
	return 0;
}
