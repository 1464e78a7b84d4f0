/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_DBX_TREE_H
#define MAILHAUL_IMPORTERS_DBX_TREE_H

#include "importers/importer.h"
#include "importers/remarks.h"

/* The folders of a source: every message file below it, with what the Folders.dbx beside
   it knows. */
struct dbx_folder {
	char *rel;   /* the file; "" when it is the source itself */
	char *id;
	char **path; /* ended by NULL */
	char *account;
	enum folder_use use;
	bool hidden; /* no folder of the tree is kept in it */
	bool remote; /* a copy of a folder on an IMAP server */
};
struct dbx_tree {
	struct dbx_folder *folders; /* sorted by id */
	size_t n, cap;
	size_t stores; /* directories with a Folders.dbx */
	struct remarks remarks;
};

int dbx_tree_find(struct dbx_tree *t, struct walk *w,
		  const struct importer_options *opt, struct err *e);
void dbx_tree_free(struct dbx_tree *t);
/* A path of n parts, made of copies; dbx_path_free frees it. */
char **dbx_path_make(const char *const *parts, size_t n);
void dbx_path_free(char **path);

#endif
