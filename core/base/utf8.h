/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_UTF8_H
#define MAILHAUL_BASE_UTF8_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names for people and folders. Mail itself is never decoded and re-encoded;
   what is here serves folder names, reports and search only. */

/* Strictly valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(const char *s, size_t n);

/* Append one character; c is at most U+10FFFF. */
void utf8_add_code(struct buf *out, uint32_t c);

/* Append s in Normalization Form C (Unicode, by utf8proc): か followed by U+3099
   becomes が, as macOS' decomposed names must before they meet a server. Invalid
   UTF-8 is appended as it is. */
void utf8_add_nfc(struct buf *out, const char *s, size_t n);

/* Append bytes of unknown encoding as UTF-8: valid UTF-8 as it is; else EUC-JP or
   CP932, whichever fits better (half-width kana runs speak for CP932); else every
   byte over 0x7F as U+FFFD. For names on disks of old PCs (formats.md section 5). */
void utf8_add_guessed(struct buf *out, const char *s, size_t n);

/* Append bytes in a named charset (iconv's names) as UTF-8, with U+FFFD where they
   do not fit. Unknown charsets fall back to utf8_add_guessed. */
void utf8_add_from(struct buf *out, const char *charset, const char *s, size_t n);

/* Append a header field body for a person: RFC 2047 encoded words decoded (also
   when a multibyte character is split between two), raw 8-bit and raw ISO-2022-JP
   guessed, white space runs folded to a space, control characters dropped. */
void utf8_add_header(struct buf *out, const char *s, size_t n);

/* Modified UTF-7 of RFC 3501 section 5.1.3 / RFC 9051 appendix A.
   decode: 0, or -1 when s is not valid modified UTF-7 (out is then unchanged). */
void utf8_to_mutf7(struct buf *out, const char *s, size_t n);
int utf8_from_mutf7(struct buf *out, const char *s, size_t n);

/* Columns s takes on a terminal (East Asian wide characters take two). */
int utf8_width(const char *s, size_t n);

#endif
