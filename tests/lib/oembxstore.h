/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_OEMBXSTORE_H
#define MAILHAUL_TESTS_OEMBXSTORE_H

#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

/* Makes .mbx and .idx files of Outlook Express 4 as Santovec, Evans and Schloh describe
   them (https://hwiegman.home.xs4all.nl/fileformats). */
struct oembxstore {
	struct buf mbx, idx;
	uint32_t n, listed;
};

static inline void oembxstore_add(struct buf *b, uint32_t v)
{
	const unsigned char bytes[4] = { (unsigned char)v,
					 (unsigned char)(v >> 8),
					 (unsigned char)(v >> 16),
					 (unsigned char)(v >> 24) };

	buf_add(b, bytes, 4);
}

static inline void oembxstore_zeros(struct buf *b, size_t n)
{
	while (n--)
		buf_add_char(b, '\0');
}

static inline void oembxstore_begin(struct oembxstore *s)
{
	*s = (struct oembxstore){ .mbx = BUF_INIT, .idx = BUF_INIT };
	buf_add(&s->mbx, "JMF6\x03\0\x01\x01", 8);
	oembxstore_zeros(&s->mbx, 84 - 8);
	buf_add(&s->idx, "JMF9\x04\0\x01\0", 8);
	oembxstore_zeros(&s->idx, 80 - 8);
}

/* A message, with its padding; where it begins. */
static inline uint32_t oembxstore_message(struct oembxstore *s,
					  const char *text)
{
	uint32_t at = (uint32_t)s->mbx.len, n = (uint32_t)strlen(text);
	uint32_t pad = (4 - n % 4) % 4;

	buf_add(&s->mbx, "\0\x7F\0\x7F", 4);
	oembxstore_add(&s->mbx, ++s->n);
	oembxstore_add(&s->mbx, 16 + n + pad);
	oembxstore_add(&s->mbx, n);
	buf_add(&s->mbx, text, n);
	oembxstore_zeros(&s->mbx, pad);
	return at;
}

/* Its entry in the index. */
static inline void oembxstore_list(struct oembxstore *s, uint32_t at,
				   uint32_t flags)
{
	uint32_t self = (uint32_t)s->idx.len;
	const unsigned char *b = (const unsigned char *)s->mbx.data + at + 8;

	oembxstore_add(&s->idx, flags);
	oembxstore_add(&s->idx, 0);
	oembxstore_add(&s->idx, ++s->listed);
	oembxstore_add(&s->idx, self);
	oembxstore_add(&s->idx, 240);
	oembxstore_add(&s->idx, at);
	oembxstore_add(&s->idx, b[0] | (uint32_t)b[1] << 8 |
					(uint32_t)b[2] << 16 |
					(uint32_t)b[3] << 24);
	oembxstore_zeros(&s->idx, 240 - 28);
}

static inline void oembxstore_set(struct buf *b, size_t at, uint32_t v)
{
	struct buf bytes = BUF_INIT;

	oembxstore_add(&bytes, v);
	memcpy(b->data + at, bytes.data, 4);
	buf_free(&bytes);
}

static inline void oembxstore_end(struct oembxstore *s)
{
	oembxstore_set(&s->mbx, 8, s->n);
	oembxstore_set(&s->mbx, 12, s->n);
	oembxstore_set(&s->mbx, 16, (uint32_t)s->mbx.len);
	oembxstore_set(&s->idx, 8, s->listed);
	oembxstore_set(&s->idx, 12, (uint32_t)s->idx.len);
}

#endif
