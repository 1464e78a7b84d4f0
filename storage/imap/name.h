/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_NAME_H
#define MAILHAUL_STORAGE_IMAP_NAME_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>

/* Mailbox names: the only place where parts become one name and back. */

/* Append the wire name of path: the namespace's prefix, then each part in modified
   UTF-7, joined by separator. What no server takes is replaced, never dropped: the
   separator itself, '%', '*', '/' where it is the separator, controls and leading
   '~' become '_'; empty parts become "_". *changed_r tells whether anything was.
   "INBOX" as the only part stays INBOX without prefix. ERR_FOLDER when it is too long
   or the server is flat (separator 0) and there is more than one part. */
int imap_name_encode(const char *const *path, const char *prefix, char separator,
		     struct buf *out, bool *changed_r, struct err *e);

/* Append the parts of a wire name below prefix as UTF-8, joined by '/', for people. */
void imap_name_show(const char *wire, const char *prefix, char separator,
		    struct buf *out);

/* Append wire as an IMAP astring: quoted where that is enough. -1 (ERR_FOLDER) for a
   name with CR, LF or NUL: nothing of it may reach the server. */
int imap_name_quote(const char *wire, struct buf *out, struct err *e);

#endif
