/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ladder, and the way of a message through it: the header is held, the body
   passes by. What a repair may break is what its reader makes of the bytes: a
   line that is broken changes flowed text and a signature over it, an empty
   line in front of what is no field moves that into the body. */
#include "core/repair.h"

#include <string.h>

#include "core/base/spool.h"
#include "core/repair_internal.h"

enum {
	SCRATCH = 16 << 10,
	GATHER = 64 << 10,
	/* A blank this near to the end of a full line is where it is broken. */
	LOOK_BACK = 100,
};
#define BACK_TO_ASCII "\033(B"
#define FNV_BASIS     0xCBF29CE484222325
#define FNV_PRIME     0x100000001B3
static const unsigned ladder[] = { REPAIR_NUL, REPAIR_LONE_CR,
				   REPAIR_LONG_LINES, REPAIR_HEADER,
				   REPAIR_LAST_EOL };
enum { RUNGS = sizeof(ladder) / sizeof(ladder[0]) };

/* ---- the ladder ---- */

/* A quick look. What the header comes to is seen only when it is repaired: a
   line end that a rung below made may have cut it. */
static bool applies(const struct intake *in, unsigned rung)
{
	switch (rung) {
	case REPAIR_NUL:
		return in->nuls > 0;
	case REPAIR_LONE_CR:
		return in->lone_crs > 0;
	case REPAIR_LONG_LINES:
		return in->longest_line > REPAIR_LINE_MAX;
	case REPAIR_HEADER:
		return true;
	case REPAIR_LAST_EOL:
		return !in->ends_with_eol;
	}
	return false;
}

void repair_describe(unsigned repairs, struct buf *out)
{
	static const struct {
		unsigned repair;
		const char *text;
	} rows[] = {
		{ REPAIR_NUL, "NUL bytes were replaced by 0x80" },
		{ REPAIR_LONE_CR, "CRs without LF became line ends" },
		{ REPAIR_LONG_LINES,
		  "lines of more than 998 octets were broken" },
		{ REPAIR_HEADER,
		  "the header was ended before what is no field" },
		{ REPAIR_LAST_EOL, "the last line got its end" },
		{ REPAIR_8BIT_HEADER, "raw 8-bit header fields were encoded" },
	};
	bool first = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(repairs & rows[i].repair))
			continue;
		buf_addf(out, "%s%s", first ? "" : "; ", rows[i].text);
		first = false;
	}
}

/* ---- streaming ---- */

struct fixer {
	unsigned repairs;
	struct intake *to; /* NULL: only the sum is asked for */
	uint64_t sum;	   /* of what comes out: FNV-1a */
	bool in_header, cr;
	struct buf header, line, out;
	char last; /* the last byte that came out */
};

static int flush(struct fixer *f, struct err *e)
{
	int ret = 0;

	if (f->out.len)
		f->last = f->out.data[f->out.len - 1];
	if (f->to)
		ret = intake_add(f->to, f->out.data, f->out.len, e);
	else
		for (size_t i = 0; i < f->out.len; i++)
			f->sum = (f->sum ^ (unsigned char)f->out.data[i]) *
				 FNV_PRIME;
	buf_reset(&f->out);
	return ret;
}

/* What ISO-2022-JP (RFC 1468, RFC 1554, and half-width kana) is shifted to. */
struct shift {
	const char *escape;
	bool pairs;
};

/* The escape sequence at s: its length, 0 if there is none. */
static size_t escape_at(const char *s, size_t n, const struct shift **to_r)
{
	static const struct shift known[] = {
		{ "\033(B", false }, { "\033(J", false }, { "\033(I", false },
		{ "\033$@", true },  { "\033$B", true },  { "\033$A", true },
		{ "\033$(@", true }, { "\033$(B", true }, { "\033$(C", true },
		{ "\033$(D", true },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].escape);

		if (len > n || memcmp(s, known[i].escape, len) != 0)
			continue;
		*to_r = i ? &known[i] : NULL; /* ASCII */
		return len;
	}
	return 0;
}

/* The octets at s that stay together: an escape sequence, a pair, a UTF-8
 * character. */
static size_t unit_at(const char *s, size_t n, const struct shift **shift)
{
	size_t len = *s == '\033' ? escape_at(s, n, shift) : 0;

	if (len)
		return len;
	if (*shift && (*shift)->pairs && n > 1 && s[0] > ' ' && s[1] > ' ')
		return 2;
	len = 1;
	if ((unsigned char)*s >= 0xC0)
		while (len < 4 && len < n && (s[len] & 0xC0) == 0x80)
			len++;
	return len;
}

/* Where a full line of the body is broken: behind a blank if there is one near
   the end, but never inside of what stays together. *shift_r: what it is
   shifted to there, NULL for ASCII. EUC-JP and Shift_JIS do not show in the
   bytes where a character begins: without a blank one of theirs may be cut. */
static size_t break_at(const struct buf *line, const struct shift **shift_r)
{
	const struct shift *shift = NULL;
	size_t at = 0, safe = 0, blank = 0;

	*shift_r = NULL;
	while (at < REPAIR_LINE_MAX) {
		at += unit_at(line->data + at, line->len - at, &shift);
		/* Room to go back to ASCII. */
		if (at + (shift ? strlen(BACK_TO_ASCII) : 0) > REPAIR_LINE_MAX)
			continue;
		safe = at;
		*shift_r = shift;
		if (!shift && line->data[at - 1] == ' ' &&
		    at > REPAIR_LINE_MAX - LOOK_BACK)
			blank = at;
	}
	if (!blank)
		return safe;
	*shift_r = NULL;
	return blank;
}

static void break_line(struct fixer *f)
{
	const struct shift *shift;
	struct buf rest = BUF_INIT;
	size_t at = break_at(&f->line, &shift);

	buf_add(&f->out, f->line.data, at);
	/* A line ends in ASCII, and the next begins there. */
	buf_add_str(&f->out, shift ? BACK_TO_ASCII "\r\n" : "\r\n");
	if (shift)
		buf_add_str(&rest, shift->escape);
	buf_add(&rest, f->line.data + at, f->line.len - at);
	buf_free(&f->line);
	f->line = rest;
}

/* The line is held only as far as it may have to be broken. */
static int body_byte(struct fixer *f, char c, struct err *e)
{
	if (!(f->repairs & REPAIR_LONG_LINES)) {
		buf_add_char(&f->out, c);
		return f->out.len < GATHER ? 0 : flush(f, e);
	}
	buf_add_char(&f->line, c);
	if (c == '\n') {
		buf_add(&f->out, f->line.data, f->line.len);
		buf_reset(&f->line);
	} else if (f->line.len > REPAIR_LINE_MAX + 1) {
		/* With one byte more: that may be the CR of the line's end. */
		break_line(f);
	}
	return f->out.len < GATHER ? 0 : flush(f, e);
}

static int end_header(struct fixer *f, bool at_end, struct err *e)
{
	struct buf rest = BUF_INIT;
	int ret = 0;

	f->in_header = false;
	repair_header(f->header.data, f->header.len, f->repairs, at_end,
		      &f->out, &rest);
	buf_free(&f->header);
	for (size_t i = 0; ret == 0 && i < rest.len; i++)
		ret = body_byte(f, rest.data[i], e);
	buf_free(&rest);
	return ret;
}

static bool header_is_complete(const struct buf *h)
{
	return h->len >= 2 && !memcmp(h->data + h->len - 2, "\r\n", 2) &&
	       (h->len == 2 || h->data[h->len - 3] == '\n');
}

static int put(struct fixer *f, char c, struct err *e)
{
	if (!f->in_header)
		return body_byte(f, c, e);
	buf_add_char(&f->header, c);
	if (header_is_complete(&f->header))
		return end_header(f, false, e);
	if (f->header.len < HEADER_MAX)
		return 0;
	/* Longer than anybody's header: it passes as it is. */
	f->in_header = false;
	buf_add(&f->out, f->header.data, f->header.len);
	buf_free(&f->header);
	return flush(f, e);
}

/* A CR is held until it is known what follows. One in front of a CRLF is
   dropped, or it would make an empty line of its own, which ends a header. */
static int take(struct fixer *f, char c, struct err *e)
{
	bool mend = f->repairs & REPAIR_LONE_CR;

	if (!c && f->repairs & REPAIR_NUL)
		c = (char)0x80;
	if (f->cr) {
		f->cr = c == '\r';
		if (c == '\r' && mend)
			return 0;
		if (put(f, '\r', e) < 0)
			return -1;
		if (c == '\r')
			return 0;
		if (c != '\n' && mend && put(f, '\n', e) < 0)
			return -1;
		return put(f, c, e);
	}
	if (c == '\r') {
		f->cr = true;
		return 0;
	}
	return put(f, c, e);
}

static int take_end(struct fixer *f, struct err *e)
{
	if (f->cr) {
		if (put(f, '\r', e) < 0 ||
		    (f->repairs & REPAIR_LONE_CR && put(f, '\n', e) < 0))
			return -1;
	}
	if (f->in_header && end_header(f, true, e) < 0)
		return -1;
	/* The byte more than a line holds, if it was no CR. */
	if (f->line.len > REPAIR_LINE_MAX &&
	    f->line.data[REPAIR_LINE_MAX] != '\r')
		break_line(f);
	buf_add(&f->out, f->line.data, f->line.len);
	if (flush(f, e) < 0)
		return -1;
	if (!(f->repairs & REPAIR_LAST_EOL) || f->last == '\n')
		return 0;
	buf_add_str(&f->out, "\r\n");
	return flush(f, e);
}

/* All of from's bytes through f. */
static int pass(struct fixer *f, const struct intake *from, struct err *e)
{
	char scratch[SCRATCH];
	const char *bytes;
	uint64_t at = 0;
	ssize_t n;
	int ret = -1;

	f->in_header = true;
	buf_init(&f->header);
	buf_init(&f->line);
	buf_init(&f->out);
	while ((n = spool_at(&from->spool, at, scratch, sizeof(scratch), &bytes,
			     e)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (take(f, bytes[i], e) < 0)
				goto out;
		at += (uint64_t)n;
	}
	if (n == 0)
		ret = take_end(f, e);
out:
	buf_free(&f->header);
	buf_free(&f->line);
	buf_free(&f->out);
	return ret;
}

int repair_apply(const struct intake *from, unsigned repairs, struct intake *to,
		 struct err *e)
{
	struct fixer f = { .repairs = repairs, .to = to };

	return pass(&f, from, e) < 0 ? -1 : intake_end(to, e);
}

/* ---- the ladder, one rung up ---- */

/* Whether the set more makes other bytes than less. What cannot be read now
   will be said when it is applied. */
static bool makes_a_difference(const struct intake *in, unsigned less,
			       unsigned more)
{
	struct fixer a = { .repairs = less, .sum = FNV_BASIS },
		     b = { .repairs = more, .sum = FNV_BASIS };
	struct err e = ERR_INIT;

	return pass(&a, in, &e) < 0 || pass(&b, in, &e) < 0 || a.sum != b.sum;
}

unsigned repair_next(const struct intake *in, unsigned done)
{
	for (size_t i = 0; i < RUNGS; i++) {
		unsigned rung = ladder[i];

		/* Those below stand on the ladder for good. A sign of trouble
		   is not enough: a lower rung may have mended it, or there may
		   be no white space to fold at. */
		if (done < rung && applies(in, rung) &&
		    makes_a_difference(in, done, done | rung))
			return done | rung;
	}
	return 0;
}
