/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encodes a file as the body of a part (RFC 2045 sections 6.7 and 6.8).

   Mail keeps attachments decoded. Base64 comes out as it was as long as the lines
   had one length: the length of the whole, which Mail noted, says which. For
   quoted-printable there is no one way; what it decodes to is the same. */
#include "importers/emlx.h"
#include "importers/walk.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 16 << 10, QUOTED_LINE = 76 };

struct body_out {
	const struct emlx_hooks *hooks;
	void *ctx;
	struct err *e;
	struct buf buf;
	size_t line, column; /* base64: letters in a line; all: the current */
	bool eol;	     /* the last byte that came out was one */
};

static int flush(struct body_out *o)
{
	int ret = 0;

	if (o->buf.len) {
		o->eol = o->buf.data[o->buf.len - 1] == '\n';
		ret = o->hooks->out(o->ctx, o->buf.data, o->buf.len, o->e);
	}
	buf_reset(&o->buf);
	return ret;
}

/* The letters that base64 makes of n bytes. */
static uint64_t letters_of(uint64_t n)
{
	return (n + 2) / 3 * 4;
}

/* The length of lines, and whether the last one has an end, so that the whole is as
   long as declared; as Mail does it by default. Some counted two bytes a line end. */
static size_t line_length(uint64_t size, uint64_t declared, bool *last_r)
{
	static const size_t lengths[] = { 76, 72, 64, 60, 70, 73, 74,  75,
					  77, 78, 80, 56, 54, 48, 100, 998 };
	uint64_t letters = letters_of(size), ends;

	*last_r = false;
	for (size_t i = 0; letters && declared > letters &&
			   i < sizeof(lengths) / sizeof(lengths[0]);
	     i++) {
		ends = (letters + lengths[i] - 1) / lengths[i];
		for (unsigned width = 1; width <= 2; width++) {
			*last_r = declared == letters + ends * width;
			if (*last_r || declared == letters + (ends - 1) * width)
				return lengths[i];
		}
	}
	return 76;
}

static void add_letters(struct body_out *o, const unsigned char *p, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	uint32_t bits = (uint32_t)p[0] << 16 |
			(n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

	for (size_t i = 0; i < 4; i++) {
		if (o->column == o->line) {
			buf_add_char(&o->buf, '\n');
			o->column = 0;
		}
		buf_add_char(&o->buf,
			     i <= n ? alphabet[bits >> (18 - 6 * i) & 63]
				    : '=');
		o->column++;
	}
}

static int add_base64(struct body_out *o, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 3)
		add_letters(o, p + i, n - i < 3 ? n - i : 3);
	return flush(o);
}

static void add_quoted_char(struct body_out *o, unsigned char c, bool plain)
{
	size_t len = plain ? 1 : 3;

	if (o->column + len >= QUOTED_LINE) {
		buf_add_str(&o->buf, "=\n");
		o->column = 0;
	}
	if (plain)
		buf_add_char(&o->buf, (char)c);
	else
		buf_addf(&o->buf, "=%02X", c);
	o->column += len;
}

/* Blanks are plain but at a line's end, and so is what looks at what follows: the
   last byte of a piece is kept back, in held. */
static void add_quoted(struct body_out *o, bool text, unsigned char c, int next)
{
	bool ends = text && (next == '\n' || next == '\r');

	if (text && c == '\n') {
		buf_add_char(&o->buf, '\n');
		o->column = 0;
	} else if (text && c == '\r' && next == '\n') {
		return; /* of a line end there is one */
	} else {
		add_quoted_char(o, c,
				(c > ' ' && c < 0x7F && c != '=') ||
					((c == ' ' || c == '\t') && !ends &&
					 next >= 0));
	}
}

static int out_quoted(struct body_out *o, int fd, bool text)
{
	unsigned char bytes[PIECE];
	int held = -1;
	ssize_t got;

	while ((got = walk_read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (held >= 0)
				add_quoted(o, text, (unsigned char)held,
					   bytes[i]);
			held = bytes[i];
		}
		if (flush(o) < 0)
			return -1;
	}
	if (got < 0)
		return -2;
	if (held >= 0)
		add_quoted(o, text, (unsigned char)held, -1);
	return flush(o);
}

static int out_base64(struct body_out *o, int fd, uint64_t declared)
{
	unsigned char bytes[PIECE / 3 * 3];
	bool last = false;
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -2;
	o->line = line_length((uint64_t)st.st_size, declared, &last);
	while ((got = walk_read(fd, bytes, sizeof(bytes))) > 0)
		if (add_base64(o, bytes, (size_t)got) < 0)
			return -1;
	if (got < 0)
		return -2;
	if (last)
		buf_add_char(&o->buf, '\n');
	return flush(o);
}

static int out_plain(struct body_out *o, int fd)
{
	unsigned char bytes[PIECE];
	ssize_t got;

	while ((got = walk_read(fd, bytes, sizeof(bytes))) > 0) {
		o->eol = bytes[got - 1] == '\n';
		if (o->hooks->out(o->ctx, (char *)bytes, (size_t)got, o->e) < 0)
			return -1;
	}
	return got < 0 ? -2 : 0;
}

int emlx_body_out(const struct emlx_hooks *hooks, void *ctx, int fd,
		  const struct emlx_body *body, bool *eol_r, struct err *e)
{
	struct body_out o = {
		.hooks = hooks, .ctx = ctx, .e = e, .buf = BUF_INIT, .eol = true
	};
	int ret;

	if (body->encoding == EMLX_AS_IT_IS)
		ret = out_plain(&o, fd);
	else if (body->encoding == EMLX_QUOTED)
		ret = out_quoted(&o, fd, body->text);
	else
		ret = out_base64(&o, fd, body->declared);
	if (ret == -2)
		err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
			"an attachment: %s", strerror(errno));
	*eol_r = o.eol;
	buf_free(&o.buf);
	return ret < 0 ? -1 : 0;
}
