/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_BECKY_TREE_H
#define MAILHAUL_IMPORTERS_BECKY_TREE_H

#include "importers/importer.h"
#include "importers/remarks.h"

/* The folders of a source: a data folder with several users, a user's folder, a mailbox
   (XXXXXXXX.mb), folders without one, or a single .bmf. */
struct becky_folder {
	char *dir;     /* where its files lie */
	char *id;
	char **bmfs;   /* their names, sorted; "" is the source itself; ended by NULL */
	char *idx;     /* the name of Folder.idx; NULL */
	char *attach;  /* path of #Attach; NULL */
	char *shared;  /* path of the mailbox's #Attach; NULL */
	char **path;   /* ended by NULL */
	char *account;
	enum folder_use use;
	bool hidden; /* Folder.lst does not have it */
};
struct becky_tree {
	struct becky_folder *folders; /* sorted by id */
	size_t n, cap;
	struct remarks remarks;
};

int becky_tree_find(struct becky_tree *t, struct walk *w,
		    const struct importer_options *opt, struct err *e);
void becky_tree_free(struct becky_tree *t);

/* Whether a directory's name is a mailbox's: eight digits and ".mb". */
bool becky_is_mailbox_name(const char *name);

/* The value of a key in a section of an .ini file, in UTF-8. False if it is not there.
   Names of sections and keys are compared without case. */
bool becky_ini_get(const char *text, size_t n, const char *section,
		   const char *key, struct buf *out);

#endif
