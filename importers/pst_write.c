/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes on their way from an Outlook store into a message. */
#include "importers/pst_write.h"

#include "core/base/utf8.h"

#include <string.h>

#include "core/base/ascii.h"
#include "importers/pst_text.h"

enum { HOLD = 32 << 10, CID_MAX = 256, CIDS_MAX = 1000 };

/* ---- the writer ---- */

void pst_writer_init(struct pst_writer *w, struct intake *in, uint64_t most)
{
	*w = (struct pst_writer){ .in = in, .hold = BUF_INIT, .most = most };
}

void pst_writer_free(struct pst_writer *w)
{
	buf_free(&w->hold);
}

static int take_in(struct pst_writer *w, const char *bytes, size_t n,
		   struct err *e)
{
	if (intake_add(w->in, bytes, n, e) == 0)
		return 0;
	w->failed = true;
	return -1;
}

int pst_write_end(struct pst_writer *w, struct err *e)
{
	int ret = 0;

	if (w->hold.len)
		ret = take_in(w, w->hold.data, w->hold.len, e);
	buf_reset(&w->hold);
	return ret;
}

int pst_write(void *writer, const char *bytes, size_t n, struct err *e)
{
	struct pst_writer *w = writer;

	w->n += n;
	if (w->n > w->most) {
		w->failed = true;
		return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
			       "larger than the store it is in: damaged");
	}
	if (w->hold.len + n > HOLD && pst_write_end(w, e) < 0)
		return -1;
	if (n >= HOLD)
		return take_in(w, bytes, n, e);
	buf_add(&w->hold, bytes, n);
	return 0;
}

int pst_write_text(struct pst_writer *w, const struct buf *text, struct err *e)
{
	return pst_write(w, text->data, text->len, e);
}

/* ---- base64 ---- */

static int write_line(struct pst_base64 *b, struct err *e)
{
	struct buf line = BUF_INIT;
	int ret;

	pst_add_base64(&line, b->held, b->n);
	buf_add_str(&line, "\r\n");
	b->n = 0;
	ret = pst_write_text(b->w, &line, e);
	buf_free(&line);
	return ret;
}

int pst_base64_add(void *base64, const char *bytes, size_t n, struct err *e)
{
	struct pst_base64 *b = base64;

	while (n) {
		size_t len = sizeof(b->held) - b->n;

		if (len > n)
			len = n;
		memcpy(b->held + b->n, bytes, len);
		b->n += len;
		bytes += len;
		n -= len;
		if (b->n == sizeof(b->held) && write_line(b, e) < 0)
			return -1;
	}
	return 0;
}

int pst_base64_end(struct pst_base64 *b, struct err *e)
{
	return b->n ? write_line(b, e) : 0;
}

/* ---- strings ---- */

void pst_plain_init(struct pst_plain *p, bool wide, pst_add add, void *ctx)
{
	*p = (struct pst_plain){
		.wide = wide, .add = add, .ctx = ctx, .out = BUF_INIT
	};
}

void pst_plain_free(struct pst_plain *p)
{
	buf_free(&p->out);
}

enum { REPLACEMENT = 0xFFFD };

static void add_unit(struct pst_plain *p, uint32_t unit)
{
	bool low = unit >= 0xDC00 && unit < 0xE000;

	if (p->high && low) {
		utf8_add_code(&p->out, 0x10000 + ((p->high - 0xD800) << 10) +
					       (unit - 0xDC00));
		p->high = 0;
		return;
	}
	if (p->high)
		utf8_add_code(&p->out, REPLACEMENT);
	p->high = 0;
	if (unit >= 0xD800 && unit < 0xDC00)
		p->high = unit;
	else
		utf8_add_code(&p->out, low ? REPLACEMENT : unit);
}

static void add_wide(struct pst_plain *p, const char *bytes, size_t n)
{
	size_t at = 0;

	if (p->has_odd && n) {
		add_unit(p, (unsigned char)p->odd |
				    (uint32_t)(unsigned char)bytes[0] << 8);
		p->has_odd = false;
		at = 1;
	}
	for (; at + 1 < n; at += 2)
		add_unit(p,
			 (unsigned char)bytes[at] |
				 (uint32_t)(unsigned char)bytes[at + 1] << 8);
	if (at < n) {
		p->odd = bytes[at];
		p->has_odd = true;
	}
}

/* Pass on all but the NULs at the end; those in front were no end. */
static int pass_on(struct pst_plain *p, const char *bytes, size_t n,
		   struct err *e)
{
	size_t len = n;

	while (len && !bytes[len - 1])
		len--;
	if (!len) {
		p->nuls += n;
		return 0;
	}
	for (; p->nuls; p->nuls--)
		if (p->add(p->ctx, "", 1, e) < 0)
			return -1;
	p->nuls = n - len;
	return p->add(p->ctx, bytes, len, e);
}

int pst_plain_add(void *plain, const char *bytes, size_t n, struct err *e)
{
	struct pst_plain *p = plain;

	if (!p->wide)
		return pass_on(p, bytes, n, e);
	buf_reset(&p->out);
	add_wide(p, bytes, n);
	return pass_on(p, p->out.data, p->out.len, e);
}

int pst_plain_end(struct pst_plain *p, struct err *e)
{
	int ret = 0;

	buf_reset(&p->out);
	if (p->high || p->has_odd)
		utf8_add_code(&p->out, REPLACEMENT);
	if (p->out.len)
		ret = pass_on(p, p->out.data, p->out.len, e);
	pst_plain_free(p);
	return ret;
}

/* ---- looking at a text ---- */

void pst_scan_init(struct pst_scan *s, const char *key, bool want_cids)
{
	*s = (struct pst_scan){ .key = key,
				.want_cids = want_cids,
				.cid = BUF_INIT,
				.cids = BUF_INIT };
}

void pst_scan_free(struct pst_scan *s)
{
	buf_free(&s->cid);
	buf_free(&s->cids);
}

static void match_key(struct pst_scan *s, char c)
{
	size_t i = s->matched;

	if (i == SIZE_MAX)
		return;
	if (c != (i < 2 ? '-' : s->key[i - 2])) {
		s->matched = SIZE_MAX;
		return;
	}
	s->matched = i + 1;
	if (i && !s->key[i - 1]) {
		s->has_key = true;
		s->matched = SIZE_MAX;
	}
}

static void match_cid(struct pst_scan *s, char c)
{
	static const char begin[] = "cid:";

	if (s->cid_state < 4) {
		s->cid_state = ascii_lower(c) == begin[s->cid_state]
				       ? s->cid_state + 1
				       : ascii_lower(c) == 'c';
		return;
	}
	if ((unsigned char)c > ' ' && !strchr("\"'<>)\\", c) &&
	    s->cid.len < CID_MAX) {
		buf_add_char(&s->cid, c);
		return;
	}
	if (s->cid.len && s->n_cids < CIDS_MAX) {
		buf_add(&s->cids, s->cid.data, s->cid.len + 1);
		s->n_cids++;
	}
	buf_reset(&s->cid);
	s->cid_state = 0;
}

static void look_at(struct pst_scan *s, char c)
{
	if (s->cr && c != '\n')
		s->lone_cr = true;
	s->cr = c == '\r';
	s->ends_with_eol = c == '\n';
	if (c == '\n') {
		s->line = 0;
		s->matched = 0;
		return;
	}
	if (!s->cr && ++s->line > s->longest)
		s->longest = s->line;
	s->high |= (unsigned char)c > 0x7F;
	s->escape |= c == 0x1B;
	s->nul |= !c;
	match_key(s, c);
}

int pst_scan_add(void *scan, const char *bytes, size_t n, struct err *e)
{
	struct pst_scan *s = scan;

	(void)e;
	s->n += n;
	for (size_t i = 0; i < n; i++) {
		look_at(s, bytes[i]);
		if (s->want_cids)
			match_cid(s, bytes[i]);
	}
	return 0;
}

bool pst_scan_has_cid(const struct pst_scan *s, const char *id)
{
	const char *end = s->cids.data + s->cids.len;

	for (const char *p = s->cids.data; p < end; p += strlen(p) + 1)
		if (!strcmp(p, id))
			return true;
	return false;
}
