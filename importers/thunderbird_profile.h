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
	char *name; /* for people: what they called it, or user@host; no two have
		       the same */
	char *dir;
	char *host; /* its server; "" where there is none or it is not known */
	char *key;  /* "account1", as X-Account-Key has it; "" if it is not known */
	bool remote;   /* the server has this mail: files are copies of it */
	bool hidden;   /* the program does not show what is here */
	bool deferred; /* its mail goes into another account's Inbox */
};

struct tb_profile {
	char *dir;
	struct tb_prefs *prefs; /* empty where there is no prefs.js */
	struct tb_account *accounts;
	size_t n, cap;
	char **others; /* directories of accounts that are left out */
	size_t n_others;
};

/* Whether a directory looks like an account's: it holds a summary, a directory of
   children, or a file of one of the names that every account has. */
bool tb_looks_like_account(struct walk *w, const char *dir);

/* Find the profile and its accounts. remote_too: also accounts whose mail is on a
   server. p is to be freed in any case. */
int tb_profile_find(struct walk *w, bool remote_too, struct tb_profile *p,
		    struct remarks *r, struct err *e);
void tb_profile_free(struct tb_profile *p);

/* thunderbird_accounts.c: what the settings say. */
void tb_accounts_from_prefs(struct walk *w, struct tb_profile *p,
			    bool remote_too, struct remarks *r);
/* thunderbird_disk.c: what else is on disk. known: there are settings; they do not
   refer to it. bare: the root is no profile, but Mail or the directory of one account. */
void tb_accounts_from_disk(struct walk *w, struct tb_profile *p, bool remote_too,
			   bool known, bool bare, struct remarks *r);

/* What both need. */
struct tb_account *tb_account_add(struct tb_profile *p, const char *name,
				  const char *dir);
void tb_account_pass_over(struct tb_profile *p, const char *dir);
bool tb_account_claimed(const struct tb_profile *p, const char *dir);

#endif
