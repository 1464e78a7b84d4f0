/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_FOLDER_MAP_H
#define MAILHAUL_CORE_FOLDER_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/folder_use.h"

/* Which folder of the target a folder of a source goes to.

   F1  --exclude and --include (shell globs over the source's name, '/' between
       parts) decide first; excluded wins.
   F2  --map SRC=DST: the longest SRC that is the name or a parent of it is replaced
       by DST; DST empty means the top level.
   F3  --under FOLDER puts everything below FOLDER; what a folder is for does not
       count then.
   F4  Otherwise a one-part folder with a use goes to the server's folder for that
       use, whatever either calls it. Folders of one use are one folder. */
struct folder_map;

struct folder_map *folder_map_new(void);
void folder_map_free(struct folder_map *m);
/* ERR_USAGE for a text without '=' or with an empty SRC. */
int folder_map_add(struct folder_map *m, const char *src_dst, struct err *e);
void folder_map_under(struct folder_map *m, const char *folder);
/* The target's own /FOLDER: the server side puts everything below it; here it keeps
   the ledger's folders apart from those of another. NULL: none. */
void folder_map_root(struct folder_map *m, const char *folder);
void folder_map_include(struct folder_map *m, const char *glob);
void folder_map_exclude(struct folder_map *m, const char *glob);

struct mapped_folder {
	char **path; /* ends with NULL */
	enum folder_use use;
	struct buf key;	  /* names it in the ledger for ever (ledger.h) */
	struct buf shown; /* for people */
};
void mapped_folder_init(struct mapped_folder *f);
void mapped_folder_free(struct mapped_folder *f);

/* False when the folder is left out. f_r is initialised. */
bool folder_map_apply(const struct folder_map *m, const char *const *path,
		      enum folder_use use, struct mapped_folder *f_r);

#endif
