/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_TEXT_H
#define MAILHAUL_IMPORTERS_PST_TEXT_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of an Outlook store in mail's clothes. The same text always gives the same
   bytes. */

/* Names of a Windows code page: for iconv, and in MIME. "" when it is not known. */
struct pst_charset {
	char iconv[16], mime[16];
};
void pst_charset_of(uint32_t code_page, struct pst_charset *c_r);
/* The code page of Windows where mail is written in this one: 932 where it is ISO-2022-JP.
   0 when there is no telling. */
uint32_t pst_windows_page(uint32_t code_page);
/* MIME's name of what bytes that say nothing look like, of those that were used where
   stores without a code page were written; "" when they look like nothing. */
const char *pst_charset_guess(const char *bytes, size_t n);

/* The rest takes valid UTF-8. */

/* Append "Name: value" and CRLF, as an RFC 2047 section 2 text where the value needs it, folded
   where it can be. Control characters become spaces. */
void pst_add_field(struct buf *out, const char *name, const char *value);
/* Append one address: a phrase and <address>. Without an address there is one that can
   reach nobody (RFC 2606), so that the field stays a valid one. */
void pst_add_address(struct buf *out, const char *name, const char *address);
/* Append "; name=...", as RFC 2231 has it where the value needs it. */
void pst_add_parameter(struct buf *out, const char *name, const char *value);
/* Append base64 without line ends. */
void pst_add_base64(struct buf *out, const char *bytes, size_t n);
/* Append "Tue, 03 Jan 2006 01:02:03 +0000". */
void pst_add_date(struct buf *out, int64_t t);
/* Only what a Message-ID or a list of them may have; false if nothing is left. */
bool pst_add_ids(struct buf *out, const char *text);
/* token "/" token. */
bool pst_is_mime_type(const char *text);

#endif
