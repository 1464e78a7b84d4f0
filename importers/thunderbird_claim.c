/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Thunderbird's directories are known by: profiles by prefs.js beside Mail,
   directories of mail by the summaries (.msf) and children (.sbd) in them. The
   directory that has profiles.ini is nobody's: of the profiles below each is a
   store of its own, also those that profiles.ini does not name. Only who gives
   it as thunderbird:PATH gets the profile that the program would start with. */
#include "importers/thunderbird_claim.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "importers/thunderbird_paths.h"

static bool is_summary(const struct walk_entry *entry)
{
	size_t n = strlen(entry->name);

	return n > 4 &&
	       !strcasecmp(entry->name + n - 4,
			   entry->kind == 'd' ? ".sbd" : ".msf") &&
	       (entry->kind == 'd' || entry->kind == 'f');
}

/* Whether dir holds a .msf or a .sbd. Inbox alone would also fit others. */
static bool has_summaries(struct walk *w, const char *dir)
{
	struct walk_dir d;
	struct err e = ERR_INIT;
	bool has = false;

	if (!tb_path_is(w, "", dir, S_IFDIR) || walk_list(w, dir, &d, &e) < 0)
		return false;
	for (size_t i = 0; i < d.n && !has; i++)
		has = is_summary(&d.entries[i]);
	walk_dir_free(&d);
	return has;
}

enum children {
	CHILD_ACCOUNT = 1 << 0,
	CHILD_OTHER = 1 << 1, /* something Thunderbird does not put there */
};

/* What lies in a directory that may be Mail: accounts, and nothing else. */
static unsigned look_at_children(struct walk *w, const char *dir)
{
	struct walk_dir d;
	struct err e = ERR_INIT;
	unsigned found = 0;

	if (!tb_path_is(w, "", dir, S_IFDIR) || walk_list(w, dir, &d, &e) < 0)
		return 0;
	for (size_t i = 0; i < d.n; i++) {
		const char *name = d.entries[i].name;
		char *path = tb_path_joined(dir, name, "");

		if (d.entries[i].kind == 'd' && has_summaries(w, path))
			found |= CHILD_ACCOUNT;
		else if (name[0] != '.' && strcasecmp(name, "desktop.ini") &&
			 strcasecmp(name, "Thumbs.db"))
			found |= CHILD_OTHER;
		free(path);
	}
	walk_dir_free(&d);
	return found;
}

static bool has_accounts_in(struct walk *w, const char *dir, const char *name)
{
	char *path = tb_path_joined(dir, name, "");
	bool has = look_at_children(w, path) & CHILD_ACCOUNT;

	free(path);
	return has;
}

/* A directory with accounts in it is Mail if it is called so. Under another
   name it may be a backup of everything: then other stores beside the accounts
   must not become ours. */
static bool is_mail_directory(const struct candidate *c)
{
	unsigned children = look_at_children(c->w, c->rel);

	return children == CHILD_ACCOUNT ||
	       (children & CHILD_ACCOUNT && (!strcasecmp(c->name, "Mail") ||
					     !strcasecmp(c->name, "ImapMail")));
}

static bool holds_mail(struct walk *w, const char *dir)
{
	return tb_path_is(w, dir, "Mail", S_IFDIR) ||
	       tb_path_is(w, dir, "ImapMail", S_IFDIR);
}

enum claim tb_claim(const struct candidate *c)
{
	struct walk *w = c->w;

	if (!c->dir)
		return CLAIM_NO;
	if (tb_path_is(w, c->rel, "prefs.js", S_IFREG) && holds_mail(w, c->rel))
		return CLAIM_MORE;
	if (has_summaries(w, c->rel) || is_mail_directory(c) ||
	    has_accounts_in(w, c->rel, "Mail") ||
	    has_accounts_in(w, c->rel, "ImapMail"))
		return CLAIM_ALL;
	return CLAIM_NO;
}
