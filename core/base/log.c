/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/log.h"
#include "core/base/buf.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static log_sink *sink;
static void *sink_ctx;
static enum log_level least_level;

/* What must not get out, in the clear and as base64. Few at a time: a password, a
   token. The base64 form of a secret inside a longer SASL message depends on its
   place, so storage/imap never logs such a message; this is the second line. */
enum { HIDDEN_MAX = 16 };
static struct hidden {
	char *bytes, *base64;
	size_t len, base64_len;
} hidden[HIDDEN_MAX];

void log_to(log_sink *to, void *ctx, enum log_level least)
{
	sink = to;
	sink_ctx = ctx;
	least_level = least;
}

bool log_wants(enum log_level level)
{
	return sink && level >= least_level;
}

void log_hide(const char *secret, size_t n)
{
	if (!n)
		return;
	for (size_t i = 0; i < HIDDEN_MAX; i++) {
		struct hidden *h = &hidden[i];

		if (h->bytes)
			continue;
		h->bytes = mem_strndup(secret, n);
		h->len = n;
		h->base64 = mem_alloc(n / 3 * 4 + 8);
		EVP_EncodeBlock((unsigned char *)h->base64,
				(const unsigned char *)secret, (int)n);
		h->base64_len = strcspn(h->base64, "=");
		/* The last character before padding depends on what follows. */
		if (h->base64_len > 4 && h->base64[h->base64_len])
			h->base64_len--;
		return;
	}
}

void log_show(const char *secret, size_t n)
{
	for (size_t i = 0; i < HIDDEN_MAX; i++) {
		struct hidden *h = &hidden[i];

		if (!h->bytes || h->len != n || memcmp(h->bytes, secret, n))
			continue;
		explicit_bzero(h->bytes, h->len);
		explicit_bzero(h->base64, strlen(h->base64));
		free(h->bytes);
		free(h->base64);
		*h = (struct hidden){ .bytes = NULL };
		return;
	}
}

static void cut_out(struct buf *line, const char *what, size_t n)
{
	static const char mark[] = "[secret]";
	char *at;

	while (n && (at = memmem(line->data, line->len, what, n))) {
		size_t before = (size_t)(at - line->data);
		struct buf fresh = BUF_INIT;

		buf_add(&fresh, line->data, before);
		buf_add_str(&fresh, mark);
		buf_add(&fresh, at + n, line->len - before - n);
		explicit_bzero(line->data, line->len);
		buf_free(line);
		*line = fresh;
	}
}

static void escape(struct buf *out, const struct buf *in)
{
	for (size_t i = 0; i < in->len; i++) {
		unsigned char c = (unsigned char)in->data[i];

		if (c < 0x20 || c == 0x7F)
			buf_addf(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
	}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	struct buf line = BUF_INIT, out = BUF_INIT;
	va_list ap;
	int n;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_grow(&line, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(line.data, (size_t)n + 1, fmt, ap);
	va_end(ap);
	line.len = (size_t)n;
	for (size_t i = 0; i < HIDDEN_MAX; i++) {
		if (!hidden[i].bytes)
			continue;
		cut_out(&line, hidden[i].bytes, hidden[i].len);
		if (hidden[i].base64_len >= 6)
			cut_out(&line, hidden[i].base64, hidden[i].base64_len);
	}
	escape(&out, &line);
	sink(sink_ctx, level, out.data);
	buf_free(&line);
	buf_free(&out);
}
