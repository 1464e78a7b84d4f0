/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_PROFILE_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_PROFILE_H

#include "core/base/err.h"
#include "importers/thunderbird_prefs.h"
#include "importers/remarks.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stddef.h>

/* Which directories of a source hold mail, and whose it is: profiles.ini, prefs.js
   and, where they are missing, what is on disk. Paths are relative to the walk's
   root; the root itself is "". */


struct tb_account {
	char *name; /* for people */
	char *dir;
	bool remote; /* the server has this mail: files are copies of it */
	bool hidden; /* no account of the program leads here any more */
};

struct tb_profile {
	char *dir;
	struct tb_prefs *prefs; /* empty where there is no prefs.js */
	struct tb_account *accounts;
	size_t n, cap;
};

/* Append dir, a slash unless dir is empty, and name. */
void tb_path_join(struct buf *out, const char *dir, const char *name);

/* Whether a directory looks like an account's: it holds a summary, a directory of
   children, or a file of one of the names that every account has. */
bool tb_looks_like_account(struct walk *w, const char *dir);

/* Find the profile and its accounts. remote_too: also accounts whose mail is on a
   server. p is to be freed in any case. */
int tb_profile_find(struct walk *w, bool remote_too, struct tb_profile *p,
		    struct remarks *r, struct err *e);
void tb_profile_free(struct tb_profile *p);

#endif
