/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_BECKY_ATTACH_H
#define MAILHAUL_IMPORTERS_BECKY_ATTACH_H

#include "core/base/intake.h"
#include "importers/walk.h"

/* Attachments that Becky! keeps beside the message, in the folder's #Attach, where the
   message has a line "X-Becky-Include: path" in place of the part's body. */

/* Find and open it below dir, which is the source's only place that is looked at: parts
   like ".." and drive letters are no names. path is in the PC's code page, with backslashes.
   The descriptor, or -1. */
int becky_attach_open(struct walk *w, const char *dir, const char *path,
		      size_t n);

/* How a part's body is encoded (RFC 2045 section 6). */
enum becky_encoding { BECKY_PLAIN, BECKY_BASE64, BECKY_QUOTED };
enum becky_encoding becky_encoding_of(const char *value, size_t n);

/* Give the file to in as the part's body. comm-central's importer takes the file's bytes as
   they are, which is right when it holds the encoded text; bytes that cannot be that are
   encoded (*rebuilt_r). *eol_r: whether it ended with a line end. */
int becky_attach_feed(int fd, enum becky_encoding encoding, struct intake *in,
		      bool *rebuilt_r, bool *eol_r, struct err *e);

/* Append what tells whether anything in dir has changed: names, sizes, times. */
void becky_attach_fingerprint(struct walk *w, const char *dir,
			      struct buf *out);

#endif
