/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MAILDIR_H
#define MAILHAUL_IMPORTERS_MAILDIR_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/flags.h"
#include "core/base/folder_use.h"
#include "importers/remarks.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the files of the Maildir importer share. Nobody else includes this. */

/* The name of a message's file: UNIQUE, then ":2," and FLAGS or nothing. */
struct maildir_name {
	size_t unique_len;
	const char *flags; /* into the name; "" if there are none */
};
void maildir_name_split(const char *name, struct maildir_name *r);
/* The size that the unique part states (",S=123"), or 0. Good for progress only. */
uint64_t maildir_name_size(const char *name, size_t unique_len);
/* The delivery time it begins with, or DATE_NONE. */
int64_t maildir_name_delivered(const char *name);

/* Dovecot's dovecot-keywords: names for the flags a to z. Unknown ones are "". */
struct maildir_keywords {
	struct buf word[26];
};
void maildir_keywords_init(struct maildir_keywords *k);
void maildir_keywords_free(struct maildir_keywords *k);
/* Read the file's text; forgets what was there. */
void maildir_keywords_parse(struct maildir_keywords *k, const char *text,
			    size_t n);

/* Fill f from the letters. Returns whether the message is marked as deleted. */
bool maildir_flags(const char *letters, const struct maildir_keywords *k,
		   struct flags *f);

/* Append the parts of the folder name that a directory's name stands for, each with a
   NUL behind it: ".A.B" is two parts, "A.B" one. At least one part is appended, and
   none is empty. */
void maildir_folder_parts(struct buf *out, const char *dir);

/* The folders of a source, sorted by id, and what was left out. */
struct maildir_folder {
	char *rel;   /* its directory below the source; "" for the source itself */
	char **path; /* parts, ended by NULL */
	enum folder_use use;
	char *error; /* why it could not be looked into, or NULL */
};
struct maildir_tree {
	struct maildir_folder *folders;
	size_t n, cap;
	struct remarks remarks;
};
/* rel, or "." for the source itself. */
const char *maildir_folder_id(const struct maildir_folder *f);
int maildir_tree_find(struct maildir_tree *t, struct walk *w, struct err *e);
void maildir_tree_free(struct maildir_tree *t);
/* Whether rel has a new directory with a message in it that bears a time. That makes a
   Maildir even without cur: archivers and version control drop empty directories, and
   mail nobody has looked at must not be lost for that. */
bool maildir_has_new(struct walk *w, const char *rel);
/* Whether the directory rel, which was listed as d, is a Maildir. */
bool maildir_is_one(struct walk *w, const char *rel, const struct walk_dir *d);
/* The entry of a listing, or NULL. */
const struct walk_entry *maildir_entry(const struct walk_dir *d,
				       const char *name);

#endif
