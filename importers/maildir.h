/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MAILDIR_H
#define MAILHAUL_IMPORTERS_MAILDIR_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/flags.h"
#include "core/base/folder_use.h"
#include "core/base/intake.h"
#include "importers/importer.h"
#include "importers/remarks.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the files of the Maildir importer share. Nobody else includes this. */

/* Length of the colon, or of what stands in its place, that ends at name + n; 0. */
size_t maildir_separator(const char *name, size_t n);
/* The name of a message's file: UNIQUE, then ":2," and FLAGS or nothing. */
struct maildir_name {
	size_t unique_len;
	const char *flags; /* into the name; "" if there are none */
};
void maildir_name_split(const char *name, struct maildir_name *r);
/* The size that the unique part states (",S=123"), or 0. Good for progress only. */
uint64_t maildir_name_size(const char *name, size_t unique_len);
/* The delivery time it begins with, or DATE_NONE. Maildir is younger than 1990: lower
   numbers are something else, such as 20240131. */
#define MAILDIR_EPOCH INT64_C(631152000)
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

/* Courier's keywords. In the folder's courierimapkeywords/ the file ":list" names them, a
   line each, and behind an empty line says which message has which: UNIQUE:0 3. Changes
   since then are a file for each message, ".N.UNIQUE" (N grows with time) or UNIQUE (the
   newest of all), with the names of all it has now (courier-libs, maildirkeywords2.c). */
struct maildir_courier { /* all zero: none */
	struct buf text; /* of ":list"; the lines lie in it */
	struct maildir_courier_line *words, *lines;
	size_t n_words, n_lines;
	struct walk_dir dir;
	struct maildir_courier_change *changes;
	size_t n_changes;
};
void maildir_courier_init(struct maildir_courier *c);
void maildir_courier_free(struct maildir_courier *c);
/* Take over the text of a ":list"; c was empty. */
void maildir_courier_parse(struct maildir_courier *c, const char *text,
			   size_t n);
/* Read what there is in the folder's directory dir. c is as new where there is nothing;
   what cannot be read is remarked on. */
void maildir_courier_read(struct maildir_courier *c, struct walk *w,
			  const char *dir, struct remarks *r);
/* Add the keywords of one message. dir as above. */
void maildir_courier_flags(const struct maildir_courier *c, struct walk *w,
			   const char *dir, const char *unique, size_t n,
			   struct flags *f);

/* Whose names of directories they are. */
enum maildir_dialect {
	MAILDIR_PLUSPLUS, /* Courier's and Dovecot's; also plain ones */
	MAILDIR_EVOLUTION,/* "..maildir++" lies beside them: UTF-8, with _2E for a dot and
			     _5F for itself; "..A" is below the Inbox */
};
/* Append the parts of the folder name that a directory's name stands for, each with a
   NUL behind it: ".A.B" is two parts, "A.B" one. At least one part is appended, and
   none is empty. */
void maildir_folder_parts(struct buf *out, const char *dir,
			  enum maildir_dialect dialect);
/* KMail keeps the folders below A in ".A.directory", beside A. Append A and a NUL if dir
   is called so. */
bool maildir_kmail_parts(struct buf *out, const char *dir);

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
/* Whether c is ours: maildir_claim.c. */
enum claim maildir_claim(const struct candidate *c);
/* Whether the directory rel, which was listed as d, is a Maildir. */
bool maildir_is_one(struct walk *w, const char *rel, const struct walk_dir *d);
/* Give the file to in, unpacked if need be. It must be, and stay, as st says. path is
   for people, bytes are n for its use. Errors are of scope ERR_MESSAGE. */
int maildir_feed(int fd, const struct stat *st, const char *path, char *bytes,
		 size_t n, struct intake *in, struct err *e);
/* Likewise an error about one message, of which name is the path or a part; -1. */
int maildir_fail(struct err *e, enum err_retry retry, const char *name,
		 const char *what);
bool maildir_same_file(const struct stat *a, const struct stat *b);
/* The entry of a listing, or NULL. */
const struct walk_entry *maildir_entry(const struct walk_dir *d,
				       const char *name);

#endif
