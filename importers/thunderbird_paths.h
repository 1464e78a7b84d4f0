/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_PATHS_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_PATHS_H

#include "core/base/buf.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Paths as a profile has them, which may come from another kind of machine: with back
   slashes, in letters of another case than on disk, composed where the disk has them
   decomposed. Paths below the walk's root are bytes; the root itself is "". */

/* Append dir, a slash unless dir is empty, and name. */
void tb_path_join(struct buf *out, const char *dir, const char *name);
/* The same, the caller's; suffix stands right behind name. */
char *tb_path_joined(const char *dir, const char *name, const char *suffix);

/* The last part of a path of any machine, without a slash behind. The caller's. */
char *tb_path_leaf(const char *path);

/* What of an absolute path lies below the root as the user gave it, or NULL. */
const char *tb_path_below_root(struct walk *w, const char *path);

/* Whether name in dir is of a kind (S_IFDIR, S_IFREG, S_IFLNK). */
bool tb_path_is(struct walk *w, const char *dir, const char *name, mode_t kind);

/* Two names that are one on Windows and macOS: they differ in the case of Latin
   letters, or one is decomposed (or still in the charset of an old PC). */
bool tb_same_name(const char *a, const char *b);
/* Append what is equal of two names that are one. */
void tb_fold_name(struct buf *out, const char *name);

/* Replace out by the directory that path means, seen from the directory dir. Parts
   that are not there are looked for by tb_same_name, and where nothing is found, once
   more with every back slash a slash. False if there is no such directory, or if it
   is not below the root. */
bool tb_path_find_dir(struct walk *w, const char *dir, const char *path,
		      struct buf *out);

#endif
