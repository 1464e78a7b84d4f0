/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts that the settings do not tell of: there are none, or they have lost
   sight of a directory. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "importers/thunderbird_paths.h"
#include "importers/thunderbird_profile.h"

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcasecmp(name + n - m, end);
}

bool tb_looks_like_account(struct walk *w, const char *dir)
{
	struct walk_dir d;
	struct err e = ERR_INIT;
	bool looks = false;

	if (walk_list(w, dir, &d, &e) < 0)
		return false;
	for (size_t i = 0; i < d.n && !looks; i++) {
		const char *name = d.entries[i].name;

		if (d.entries[i].kind == 'f')
			looks = ends_in(name, ".msf") ||
				!strcmp(name, "popstate.dat") ||
				!strcasecmp(name, "Inbox") ||
				!strcmp(name, "Trash");
		else if (d.entries[i].kind == 'd')
			looks = ends_in(name, ".sbd");
	}
	walk_dir_free(&d);
	return looks;
}

/* Feeds look like an account's directory, too. */
static bool holds_feeds(struct walk *w, const char *dir)
{
	char *leaf = tb_path_leaf(dir);
	bool holds = !strcmp(leaf, "Feeds") ||
		     tb_path_is(w, dir, "feeds.json", S_IFREG) ||
		     tb_path_is(w, dir, "feeds.rdf", S_IFREG);

	free(leaf);
	return holds;
}

/* Where the search stands: a directory that accounts lie in. */
struct place {
	struct walk *w;
	struct tb_profile *p;
	struct remarks *r;
	const char *parent;
	bool remote, known;
};

static void take_dir(const struct place *at, const char *name, const char *dir)
{
	struct tb_account *a;

	/* Saved searches over all accounts: no mail of its own. */
	if (tb_account_claimed(at->p, dir) || !strcmp(name, "smart mailboxes"))
		return;
	if (holds_feeds(at->w, dir)) {
		remark_add(at->r, "%s is left out: feeds, no mail", dir);
		return;
	}
	if (!tb_looks_like_account(at->w, dir))
		return;
	a = tb_account_add(at->p, name, dir);
	a->remote = at->remote;
	a->hidden = at->known;
	if (at->known)
		remark_add(at->r,
			   "%s holds mail that no account of the profile "
			   "refers to",
			   dir);
}

/* Every directory below parent that no account has claimed. */
static void add_unclaimed(const struct place *at)
{
	struct walk_dir d;
	struct err e = ERR_INIT;

	if (walk_list(at->w, at->parent, &d, &e) < 0) {
		remark_add(at->r, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < d.n; i++) {
		const char *name = d.entries[i].name;
		char *dir = tb_path_joined(at->parent, name, "");

		if (d.entries[i].kind == 'd')
			take_dir(at, name, dir);
		else if (d.entries[i].kind == 'l')
			remark_add(at->r, "%s is a symbolic link, not followed",
				   dir);
		free(dir);
	}
	walk_dir_free(&d);
}

static void tell_left_out(struct remarks *r, const char *what)
{
	remark_add(r,
		   "%s is left out: its mail is on the server; --imap-copies "
		   "takes what was kept offline",
		   what);
}

static void add_from_profile(struct place at, bool remote_too)
{
	char *mail = tb_path_joined(at.p->dir, "Mail", "");
	char *imap = tb_path_joined(at.p->dir, "ImapMail", "");
	char *news = tb_path_joined(at.p->dir, "News", "");

	at.parent = mail;
	if (tb_path_is(at.w, "", mail, S_IFDIR))
		add_unclaimed(&at);
	at.parent = imap;
	at.remote = true;
	if (tb_path_is(at.w, "", imap, S_IFDIR)) {
		if (remote_too)
			add_unclaimed(&at);
		else if (!at.known)
			tell_left_out(at.r, imap);
	}
	if (!at.known && tb_path_is(at.w, "", news, S_IFDIR))
		remark_add(at.r, "%s is left out: news, no mail", news);
	free(mail);
	free(imap);
	free(news);
}

static bool is_below(const char *path, const char *parent)
{
	size_t n = strlen(parent);

	for (const char *p = path; (p = strstr(p, parent)); p++)
		if ((p == path || p[-1] == '/') && (p[n] == '/' || !p[n]))
			return true;
	return false;
}

/* A source without settings: a Mail directory, or that of one account. */
static void add_bare(struct place at, bool remote_too)
{
	const char *root = walk_root(at.w);
	char *leaf = tb_path_leaf(root);

	at.parent = "";
	at.remote = is_below(root, "ImapMail");
	if (at.remote && !remote_too)
		tell_left_out(at.r, root);
	else if (holds_feeds(at.w, "") || !strcmp(leaf, "Feeds"))
		remark_add(at.r, "%s is left out: feeds, no mail", root);
	else if (tb_looks_like_account(at.w, ""))
		tb_account_add(at.p, leaf, "")->remote = at.remote;
	else
		add_unclaimed(&at);
	free(leaf);
}

void tb_accounts_from_disk(struct walk *w, struct tb_profile *p,
			   bool remote_too, bool known, bool bare,
			   struct remarks *r)
{
	struct place at = { .w = w, .p = p, .r = r, .known = known };

	if (bare)
		add_bare(at, remote_too);
	else
		add_from_profile(at, remote_too);
}
