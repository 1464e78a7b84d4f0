/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_PLACE_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_PLACE_H

#include "importers/thunderbird_folders.h"

/* What the search for folders shares. Nobody else includes this. */

/* Where it stands: one directory of one account. */
struct tb_place {
	struct walk *w;
	const struct importer_options *opt; /* may be NULL */
	const struct tb_account *account;
	const struct tb_names *names;
	struct tb_folders *out;
	struct remarks *r;
	const char *dir;
	char **parents; /* names of the folders above; ended by NULL */
	bool hidden;
	const struct walk_dir *entries;
	struct tb_folded *folded; /* the same, for names that differ a little */
	size_t *indexes_only; /* counts summaries of folders without mail */
};

/* Fill in entries and folded. */
void tb_place_enter(struct tb_place *at, const struct walk_dir *entries);
void tb_place_leave(struct tb_place *at);

/* The entry of exactly this name, or SIZE_MAX. */
size_t tb_place_find(const struct tb_place *at, const char *name);
/* Any entry that is this name where file systems do not tell such names apart. */
size_t tb_place_find_like(const struct tb_place *at, const char *name);
/* The entry that goes with leaf: called leaf and suffix (".msf", ".sbd") and of this
   kind; or, where a file system that does not tell them apart was copied, like it,
   if it does not go with another. SIZE_MAX if there is none. */
size_t tb_place_companion(const struct tb_place *at, const char *leaf,
			  const char *suffix, char kind);
/* Its summary: the path, the caller's; or NULL. */
char *tb_place_summary(const struct tb_place *at, const char *leaf);

/* Tell people about an entry; after its path goes ": " and what. */
void tb_place_tell(const struct tb_place *at, const char *name,
		   const char *what);

enum tb_found {
	TB_NOT_A_FOLDER,
	TB_SHOWN,
	TB_LOST, /* a folder of a name that Thunderbird takes for something else */
};
enum tb_found tb_place_judge(const struct tb_place *at,
			     const struct walk_entry *entry);

#endif
