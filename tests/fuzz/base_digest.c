/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Properties of the intake (digest.h, intake.h), for whatever bytes:

   D1  LF and CRLF spellings share both digests.
   D2  More '>' in front of "From " in the body changes no digest.
   D3  Fields of clients and folding change no digest.
   D4  Another byte in the body changes both digests.
   The wire form and what is told about it are those of the plain reference
   below, and the size of the pieces does not matter.

   The first four bytes of the input say how to cut and what to vary. */
#include "core/base/intake.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CONTROL = 4 };

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void take(struct intake *in, const struct buf *m, size_t piece)
{
	struct err e = ERR_INIT;
	size_t at, len;

	intake_reset(in);
	for (at = 0; at < m->len; at += len) {
		len = m->len - at < piece ? m->len - at : piece;
		demand(intake_add(in, m->data + at, len, &e) == 0);
	}
	demand(intake_end(in, &e) == 0);
}

static struct digest digest_of(struct intake *in, const struct buf *m,
			       size_t piece)
{
	take(in, m, piece);
	return in->digest;
}

static void demand_same(const struct digest *a, const struct digest *b)
{
	demand(!memcmp(a->full, b->full, DIGEST_SIZE));
	demand(!memcmp(a->core, b->core, DIGEST_SIZE));
}

/* With every line end LF: "CR CR LF" has no unambiguous other spelling. */
static void to_lf(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t behind = i;

		while (behind < n && s[behind] == '\r')
			behind++;
		if (behind > i && behind < n && s[behind] == '\n')
			i = behind;
		buf_add_char(out, s[i]);
	}
}

static void to_wire(struct buf *out, const struct buf *m)
{
	for (size_t i = 0; i < m->len; i++) {
		if (m->data[i] == '\n' && (i == 0 || m->data[i - 1] != '\r'))
			buf_add_char(out, '\r');
		buf_add_char(out, m->data[i]);
	}
}

static void check_wire(struct intake *in, const struct buf *m, size_t piece)
{
	struct buf want = BUF_INIT;
	uint64_t nuls = 0, crs = 0, line = 0, longest = 0;
	const char *got;
	struct err e = ERR_INIT;

	to_wire(&want, m);
	take(in, m, piece);
	for (size_t i = 0; i < want.len; i++) {
		char c = want.data[i];
		bool crlf = i + 1 < want.len && want.data[i + 1] == '\n';

		nuls += c == '\0';
		crs += c == '\r' && !crlf;
		line = c == '\n' ? 0 : line + !(c == '\r' && crlf);
		longest = line > longest ? line : longest;
	}
	demand(in->store_size == m->len);
	demand(in->wire_size == want.len);
	demand(in->nuls == nuls);
	demand(in->lone_crs == crs);
	demand(in->longest_line == longest);
	demand(in->ends_with_eol ==
	       (want.len && want.data[want.len - 1] == '\n'));
	demand(in->spool.len == (in->want_spool ? want.len : 0));
	if (in->spool.len) {
		demand(spool_at(&in->spool, 0, NULL, 0, &got, &e) ==
		       (ssize_t)want.len);
		demand(!memcmp(got, want.data, want.len));
	}
	buf_free(&want);
}

/* Where the body of an LF message begins. */
static size_t body_at(const struct buf *m)
{
	for (size_t i = 0; i < m->len; i++)
		if (m->data[i] == '\n' && (i == 0 || m->data[i - 1] == '\n'))
			return i + 1;
	return m->len;
}

static bool is_from(const struct buf *m, size_t at)
{
	while (at < m->len && m->data[at] == '>')
		at++;
	return m->len - at >= 5 && !memcmp(m->data + at, "From ", 5);
}

static void quote(struct buf *out, const struct buf *m, unsigned levels)
{
	size_t body = body_at(m);

	for (size_t i = 0; i < m->len; i++) {
		bool start = i == body || (i > body && m->data[i - 1] == '\n');

		for (unsigned k = 0; start && is_from(m, i) && k < levels; k++)
			buf_add_char(out, '>');
		buf_add_char(out, m->data[i]);
	}
}

/* The colon of the field that begins at a line's begin; 0 if none does. */
static size_t colon_of(const struct buf *m, size_t at)
{
	size_t begin = at;

	while (at < m->len && m->data[at] > ' ' && m->data[at] < 0x7F &&
	       m->data[at] != ':')
		at++;
	if (at == begin)
		return 0;
	while (at < m->len && (m->data[at] == ' ' || m->data[at] == '\t'))
		at++;
	return at < m->len && m->data[at] == ':' ? at : 0;
}

/* Put extra in front of fields, and fold at spaces behind their colons. */
static void dress(struct buf *out, const struct buf *m, const char *extra,
		  const char *fold)
{
	size_t body = body_at(m), colon = 0;
	bool field = false;

	for (size_t i = 0; i < m->len; i++) {
		if (i < body && (i == 0 || m->data[i - 1] == '\n')) {
			colon = colon_of(m, i);
			field = field || colon;
			if (colon)
				buf_add_str(out, extra);
		}
		if (fold && field && i < body && i > colon &&
		    m->data[i] == ' ' && m->data[i - 1] != '\r' &&
		    m->data[i - 1] != '\n')
			buf_add_str(out, fold);
		else
			buf_add_char(out, m->data[i]);
	}
}

static bool is_plain(char c)
{
	return c != '\n' && c != '\r' && c != '>';
}

static void check_d4(struct intake *in, struct buf *m, unsigned where,
		     const struct digest *want)
{
	size_t body = body_at(m), at;
	struct digest other;

	if (body == m->len)
		return;
	at = body + where % (m->len - body);
	if (!is_plain(m->data[at]))
		return;
	m->data[at] ^= 0x40;
	if (is_plain(m->data[at])) {
		other = digest_of(in, m, SIZE_MAX);
		demand(memcmp(other.full, want->full, DIGEST_SIZE));
		demand(memcmp(other.core, want->core, DIGEST_SIZE));
	}
	m->data[at] ^= 0x40;
}

/* What the store put on top is gone from the wire and from the digests. */
static void check_drop(struct intake *in, const struct buf *m, size_t piece,
		       const struct digest *want)
{
	static const char *const leading[] = { "X-Drop-Me", NULL };
	struct buf topped = BUF_INIT, wire = BUF_INIT;

	if (colon_of(m, 0) && !memmem(m->data, m->len, "-Drop-", 6)) {
		buf_add_str(&topped, "x-drop-me: a\n b\nX-Drop-Me :\n");
		buf_add(&topped, m->data, m->len);
		to_wire(&wire, m);
		in->drop_leading = leading;
		take(in, &topped, piece);
		in->drop_leading = NULL;
		demand_same(&in->digest, want);
		demand(in->wire_size == wire.len);
	}
	buf_free(&topped);
	buf_free(&wire);
}

static void check_variants(struct intake *in, struct buf *lf,
			   const uint8_t *control, size_t piece)
{
	static const char *const folds[] = { NULL, "\n ", "\r\n\t", " \n " };
	struct buf other = BUF_INIT;
	struct digest want, got;

	want = digest_of(in, lf, SIZE_MAX);
	got = digest_of(in, lf, piece);
	demand_same(&got, &want);
	to_wire(&other, lf);
	got = digest_of(in, &other, piece);
	demand_same(&got, &want);

	buf_reset(&other);
	quote(&other, lf, control[1] % 4);
	got = digest_of(in, &other, piece);
	demand_same(&got, &want);

	buf_reset(&other);
	dress(&other, lf, control[1] & 4 ? "X-Mozilla-Keys: a\n b\n" : "",
	      folds[control[1] >> 3 & 3]);
	got = digest_of(in, &other, piece);
	demand_same(&got, &want);

	check_drop(in, lf, piece, &want);
	check_d4(in, lf, control[2] << 8 | control[3], &want);
	buf_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct intake in;
	static bool ready;
	struct buf raw = BUF_INIT, lf = BUF_INIT;
	size_t piece;

	if (n < CONTROL)
		return 0;
	if (!ready)
		intake_init(&in);
	ready = true;
	piece = data[0] % 64 + 1u;
	if (data[0] & 0x80)
		piece *= 97;
	buf_add(&raw, data + CONTROL, n - CONTROL);
	in.want_spool = data[0] & 0x40;
	check_wire(&in, &raw, piece);
	to_lf(&lf, raw.data, raw.len);
	check_variants(&in, &lf, data, piece);
	buf_free(&raw);
	buf_free(&lf);
	return 0;
}
