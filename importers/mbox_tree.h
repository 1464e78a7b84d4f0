/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_TREE_H
#define MAILHAUL_IMPORTERS_MBOX_TREE_H

#include "importers/importer.h"
#include "importers/remarks.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stddef.h>

/* The files of a source that may be mboxes, found by name; whether one is an mbox, its
   first bytes tell. */
struct mbox_file {
	char *rel;   /* below the root; "" is the root itself */
	char **path; /* the folder's name; one block with its parts */
	char *error; /* rel is a directory that cannot be read */
};

struct mbox_tree {
	struct mbox_file *files; /* sorted by rel */
	size_t n, cap;
	size_t passed_over; /* index and control files */
	struct remarks remarks;
};

int mbox_tree_find(struct mbox_tree *t, struct walk *w, struct err *e);
void mbox_tree_free(struct mbox_tree *t);

/* A path's last part. */
const char *mbox_leaf(const char *path);

/* What the first bytes of a file say. */
struct mbox_looks {
	enum claim sure;
	bool zip;      /* an archive */
	bool keywords; /* the first message has X-IMAPbase: c-client or Dovecot
			  keep keywords in this file */
	bool takeout;  /* it is of Google Takeout: takeout.h */
};
/* A compressed file is looked into. known: the file's keywords are added; or NULL. */
int mbox_look(int fd, const char *name, struct mbox_looks *looks_r,
	      struct flags *known, struct err *e);
/* The same of bytes at hand, not compressed; all: there are no more. Line ends of text
   are made LF where it has none. */
void mbox_look_at(char *text, size_t n, bool all, struct mbox_looks *looks_r,
		  struct flags *known);

/* Whether an empty file of this name is an empty folder. */
bool mbox_named_so(const char *name);
/* Whether a file that is no mbox is some mail program's index: no news to anybody. */
bool mbox_named_index(const char *name);

#endif
