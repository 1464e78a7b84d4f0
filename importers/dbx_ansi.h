/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_DBX_ANSI_H
#define MAILHAUL_IMPORTERS_DBX_ANSI_H

#include "core/base/buf.h"
#include "importers/walk.h"

/* Names as old Windows programs write them into their files: in the code page of the
   PC, which in Japan is CP932. A second byte of a character may be a backslash there, so
   paths are taken apart after they were decoded. */

/* Append as UTF-8 in NFC. */
void dbx_add_ansi(struct buf *out, const char *s, size_t n);
/* The entry that Windows would open by this name (UTF-8): case does not count, and the
   entry's own name may be in UTF-8 or in the code page, as the copy left it. NULL if
   there is none of this kind. */
const struct walk_entry *dbx_find_entry(const struct walk_dir *d,
					const char *name, char kind);
/* Whether a file's name ends so, in any case (".dbx"). */
bool dbx_has_suffix(const char *name, const char *suffix);
/* The part of a path behind the last slash. */
const char *dbx_leaf(const char *path);
/* "dir/name", or "name" where dir is "". */
void dbx_join(struct buf *out, const char *dir, const char *name);

#endif
