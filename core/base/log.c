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

/* What must not get out, in the clear and as base64. Few at a time: a password
   or a token for each connection. The base64 form of a secret inside a longer
   SASL message depends on its place, so storage/imap never logs such a message;
   this is the second line. */
enum { BASE64_LEAST = 6 }; /* shorter ones are found everywhere */
static struct hidden {
	char *bytes, *base64; /* NULL: the place is free */
	size_t len, base64_len;
} * hidden;
static size_t hidden_places;

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

static struct hidden *free_place(void)
{
	for (size_t i = 0; i < hidden_places; i++)
		if (!hidden[i].bytes)
			return &hidden[i];
	hidden = mem_realloc(hidden, ++hidden_places * sizeof(*hidden));
	return &hidden[hidden_places - 1];
}

void log_hide(const char *secret, size_t n)
{
	struct hidden *h;

	if (!n)
		return;
	h = free_place();
	h->bytes = mem_strndup(secret, n);
	h->len = n;
	h->base64 = mem_alloc(n / 3 * 4 + 8);
	EVP_EncodeBlock((unsigned char *)h->base64,
			(const unsigned char *)secret, (int)n);
	h->base64_len = strcspn(h->base64, "=");
	/* The last character before padding depends on what follows. */
	if (h->base64_len > 4 && h->base64[h->base64_len])
		h->base64_len--;
}

void log_show(const char *secret, size_t n)
{
	for (size_t i = 0; i < hidden_places; i++) {
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

/* How many bytes of s[0..n) are the longest secret that begins there. */
static size_t hidden_at(const char *s, size_t n)
{
	size_t longest = 0;

	for (size_t i = 0; i < hidden_places; i++) {
		const struct hidden *h = &hidden[i];

		if (!h->bytes)
			continue;
		if (h->len > longest && h->len <= n &&
		    !memcmp(s, h->bytes, h->len))
			longest = h->len;
		if (h->base64_len >= BASE64_LEAST && h->base64_len > longest &&
		    h->base64_len <= n && !memcmp(s, h->base64, h->base64_len))
			longest = h->base64_len;
	}
	return longest;
}

/* One pass: what was put in is not looked at again, or a secret that is part of
   "[secret]" would never come to an end. */
static void add_safe(struct buf *out, const struct buf *in)
{
	size_t i = 0, n;

	while (i < in->len) {
		unsigned char c = (unsigned char)in->data[i];

		n = hidden_at(in->data + i, in->len - i);
		if (n)
			buf_add_str(out, "[secret]");
		else if (c < 0x20 || c == 0x7F)
			buf_addf(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
		i += n ? n : 1;
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
	add_safe(&out, &line);
	sink(sink_ctx, level, out.data);
	explicit_bzero(line.data, line.len);
	buf_free(&line);
	buf_free(&out);
}
