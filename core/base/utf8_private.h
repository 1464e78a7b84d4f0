/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_UTF8_PRIVATE_H
#define MAILHAUL_BASE_UTF8_PRIVATE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the files behind utf8.h share. Nobody else includes this. */

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static inline unsigned char byte_at(const char *s, size_t i)
{
	return (unsigned char)s[i];
}

/* Length of the valid sequence at the beginning of s, which has n > 0 bytes, and its
   character; 0 if it is not valid (Unicode, table 3-7). */
size_t utf8_decode_one(const char *s, size_t n, uint32_t *c_r);
/* Append s with U+FFFD for every byte that is not part of a valid sequence. */
void utf8_add_repaired(struct buf *out, const char *s, size_t n);
bool utf8_is_ascii(const char *s, size_t n);

/* The character sets that ISO-2022-JP switches between. */
enum jis_set { JIS_ASCII, JIS_KANA, JIS_KANJI, JIS_SUPPLEMENT };
/* The set that the escape sequence at s selects, and its length; 0 if unknown. */
size_t utf8_jis_escape(const char *s, size_t n, enum jis_set *set_r);
/* Whether there is an escape sequence that selects a double-byte set or kana. */
bool utf8_jis_likely(const char *s, size_t n);
void utf8_jis_add(struct buf *out, const char *s, size_t n);

#endif
