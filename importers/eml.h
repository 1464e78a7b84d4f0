/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_EML_H
#define MAILHAUL_IMPORTERS_EML_H

#include "core/base/buf.h"
#include "importers/filetree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the importers of files with one message each (eml, wlm, mh) share. Nobody else
   includes this. */

/* A file that was written as text of another kind: export programs put a byte order
   mark in front, or make UTF-16 of everything. The message is what was there before:
   the mark is dropped, and UTF-16 becomes UTF-8 (for ASCII, which mail mostly is, that
   is the same bytes). */
enum eml_coding { EML_BYTES, EML_UTF8_MARK, EML_UTF16_LE, EML_UTF16_BE };
/* By its first bytes; *skip_r: how many of them are the mark. UTF-16 without a mark is
   known by the zero bytes between its first letters. */
enum eml_coding eml_coding_of(const char *head, size_t n, size_t *skip_r);

struct eml_utf16 { /* all zero, but for big: at the begin */
	bool big;
	bool have;	  /* half a unit */
	unsigned char half;
	uint32_t high;	  /* half a pair, or 0 */
};
/* Append as UTF-8; what is no UTF-16 becomes U+FFFD. */
void eml_utf16_add(struct eml_utf16 *d, const char *bytes, size_t n,
		   struct buf *out);
/* The end: what is left over does not go without saying. */
void eml_utf16_end(struct eml_utf16 *d, struct buf *out);

/* What stands in front of a message's header. */
struct eml_debris {
	size_t len;	  /* "From " or ">From " line and empty lines; often 0 */
	bool separator;
	int64_t date;	  /* the separator's, or DATE_NONE */
	bool mozilla;	  /* ... and it is the time of download */
};
void eml_debris_find(const char *text, size_t n, struct eml_debris *d_r);

/* Does text begin like a message (RFC 5322)? sure: like one that nobody takes for
   something else, with two fields that only mail has. */
bool eml_is_mail(const char *text, size_t n, bool sure);
/* A head as it lies in a file: any coding, with debris. */
bool eml_head_is_mail(const char *head, size_t n, bool sure);

/* What files a store had that call for a remark. */
struct eml_counts {
	size_t utf16;
	char *first_utf16;
};
void eml_counts_free(struct eml_counts *c);
void eml_remark(struct filetree *t, const struct eml_counts *c);

/* feed and settle of struct filetree_format. A file that is no mail is an error, and
   so is one of several messages, where the name does not say that it is one. */
int eml_feed(struct filetree *t, const struct filetree_file *file, int fd,
	     struct message *m, bool named_so, struct eml_counts *c,
	     struct err *e);
/* Flags: X-Mozilla-Status where there is one, X-Unsent; otherwise read. */
void eml_settle(struct message *m);

#endif
