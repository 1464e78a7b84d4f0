/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts as prefs.js has them (formats.md section 2.2): which there are, what
   they are called, and where their directories are now. */
#include <stdlib.h>
#include <string.h>

#include "importers/thunderbird_paths.h"
#include "importers/thunderbird_profile.h"

static const char *server_pref(const struct tb_profile *p, const char *server,
			       const char *name)
{
	return tb_prefs_get3(p->prefs, "mail.server.", server, name);
}

/* Old profiles keep what was first entered in hostname and userName, and what
   it was changed to since in real... */
static const char *server_host(const struct tb_profile *p, const char *server)
{
	const char *host = server_pref(p, server, "realhostname");

	return host ? host : server_pref(p, server, "hostname");
}

static void account_name(const struct tb_profile *p, const char *server,
			 struct buf *out)
{
	const char *name = server_pref(p, server, "name");
	const char *user = server_pref(p, server, "realuserName");
	const char *host = server_host(p, server);

	if (!user)
		user = server_pref(p, server, "userName");
	if (name)
		buf_add_str(out, name);
	else if (user && strchr(user, '@'))
		buf_add_str(out, user);
	else
		buf_addf(out, "%s%s%s", user ? user : "", user ? "@" : "",
			 host ? host : server);
}

/* --- directories --- */

static const char *mail_dir(bool remote)
{
	return remote ? "ImapMail" : "Mail";
}

static bool try_leaf(struct walk *w, const struct tb_profile *p, bool remote,
		     const char *leaf, struct buf *out)
{
	char *mail = tb_path_joined(p->dir, mail_dir(remote), "");
	bool found = *leaf && tb_path_find_dir(w, mail, leaf, out);

	free(mail);
	return found;
}

static bool try_leaf_of(struct walk *w, const struct tb_profile *p, bool remote,
			const char *path, struct buf *out)
{
	char *leaf = tb_path_leaf(path);
	bool found = try_leaf(w, p, remote, leaf, out);

	free(leaf);
	return found;
}

/* The directory of a host by its name: for the second account there it is
   host-1, or with the number in front of the last dot (nsIFile::CreateUnique),
   and so on. */
static bool try_host(struct walk *w, const struct tb_profile *p, bool remote,
		     const char *host, struct buf *out)
{
	const char *dot = strrchr(host, '.');
	int stem = dot ? (int)(dot - host) : (int)strlen(host);
	struct buf leaf = BUF_INIT;
	bool found = false;

	for (int i = 0; i < 100 && !found; i++) {
		buf_reset(&leaf);
		if (i)
			buf_addf(&leaf, "%.*s-%d%s", stem, host, i,
				 dot ? dot : "");
		else
			buf_add_str(&leaf, host);
		found = try_leaf(w, p, remote, leaf.data, out) &&
			!tb_account_claimed(p, out->data);
		if (found || !i || !dot)
			continue;
		buf_reset(&leaf);
		buf_addf(&leaf, "%s-%d", host, i);
		found = try_leaf(w, p, remote, leaf.data, out) &&
			!tb_account_claimed(p, out->data);
	}
	buf_free(&leaf);
	return found;
}

static const char profd[] = "[ProfD]";

static bool try_relative(struct walk *w, const struct tb_profile *p,
			 const char *rel, struct buf *out)
{
	size_t n = sizeof(profd) - 1;

	return rel && !strncmp(rel, profd, n) &&
	       tb_path_find_dir(w, p->dir, rel + n, out);
}

/* The person had moved it out of the profile: what lies under the same name
   inside is perhaps only what was there before. */
static bool lay_elsewhere(const char *rel)
{
	const char *path = rel ? rel + sizeof(profd) - 1 : "";

	return rel && !strncmp(rel, profd, sizeof(profd) - 1) &&
	       strncmp(path, "Mail", 4) && strncmp(path, "ImapMail", 8);
}

/* Where a server keeps its files: directory-rel, which Thunderbird believes
   first, then directory where it lies below the root, then the last part of
   either below Mail, where a copied profile has it, at last the name of the
   host. */
static bool account_dir(struct walk *w, const struct tb_profile *p,
			const char *server, bool remote, struct buf *out,
			struct remarks *r)
{
	const char *rel = server_pref(p, server, "directory-rel");
	const char *abs = server_pref(p, server, "directory");
	const char *host = server_pref(p, server, "hostname");
	const char *below = abs ? tb_path_below_root(w, abs) : NULL;

	if (try_relative(w, p, rel, out))
		return true;
	if (below && tb_path_find_dir(w, "", below, out))
		return true;
	if ((abs && try_leaf_of(w, p, remote, abs, out)) ||
	    (rel && try_leaf_of(w, p, remote, rel, out))) {
		if (lay_elsewhere(rel))
			remark_add(
				r,
				"%s is read for an account that kept its mail "
				"in %s when it was last used: if there is a "
				"copy of that, give it as a source, too",
				out->data, abs ? abs : rel);
		return true;
	}
	return !abs && !rel && host && try_host(w, p, remote, host, out);
}

/* --- servers --- */

enum server_kind { SERVER_LOCAL, SERVER_REMOTE, SERVER_NO_MAIL };

static enum server_kind kind_of(const char *type, const char **what_r)
{
	static const struct {
		const char *type;
		enum server_kind kind;
		const char *what;
	} kinds[] = {
		{ "pop3", SERVER_LOCAL, NULL },
		{ "none", SERVER_LOCAL, NULL },
		{ "movemail", SERVER_LOCAL, NULL },
		{ "rss", SERVER_NO_MAIL, "feeds" },
		{ "nntp", SERVER_NO_MAIL, "news" },
		{ "im", SERVER_NO_MAIL, "chat" },
	};

	*what_r = NULL;
	for (size_t i = 0; type && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].type, type)) {
			*what_r = kinds[i].what;
			return kinds[i].kind;
		}
	/* imap, and newer ones: ews, graph */
	return type ? SERVER_REMOTE : SERVER_LOCAL;
}

/* What is known of a server while it is looked at. */
struct look {
	struct walk *w;
	struct tb_profile *p;
	struct remarks *r;
	const char *server, *key; /* "server1"; "account1" or "" */
	bool remote_too, hidden;
	struct buf name, dir;
	bool found;
};

/* Whether the mail of a POP account goes into the Inbox of another one, and
   what that one is called. */
static bool is_deferred(const struct look *l, struct buf *to)
{
	const char *key = server_pref(l->p, l->server, "deferred_to_account");
	const char *server;

	if (!key)
		return false;
	server = tb_prefs_get3(l->p->prefs, "mail.account.", key, "server");
	if (!server || !strcmp(server, l->server))
		return false;
	account_name(l->p, server, to);
	return true;
}

static void add_account(const struct look *l, bool remote)
{
	const char *host = server_host(l->p, l->server);
	struct tb_account *a = tb_account_add(l->p, l->name.data, l->dir.data);
	struct buf to = BUF_INIT;

	free(a->host);
	free(a->key);
	a->host = mem_strdup(host ? host : "");
	a->key = mem_strdup(l->key);
	a->remote = remote;
	a->deferred = !remote && is_deferred(l, &to);
	a->hidden = l->hidden || a->deferred;
	if (a->deferred)
		remark_add(l->r,
			   "the mail of account %s is in the Inbox of account "
			   "%s, as it was set up",
			   l->name.data, to.data);
	buf_free(&to);
}

static void take_local(const struct look *l)
{
	const char *said = server_pref(l->p, l->server, "directory");

	if (l->found)
		add_account(l, false);
	else if (said && !l->hidden)
		remark_add(l->r,
			   "account %s keeps its mail outside of this source, "
			   "in %s: to migrate it, give that as a source",
			   l->name.data, said);
	if (l->found && l->hidden)
		remark_add(l->r,
			   "%s holds mail of an account that was removed (%s)",
			   l->dir.data, l->name.data);
}

static void take_remote(const struct look *l, const char *type)
{
	if (l->found && l->remote_too)
		add_account(l, true);
	if (l->remote_too)
		return;
	if (l->found)
		tb_account_pass_over(l->p, l->dir.data);
	remark_add(l->r,
		   "%s account %s is left out: its mail is on the server; "
		   "--imap-copies takes what was kept offline",
		   type, l->name.data);
}

static void take_server(struct look *l)
{
	const char *type = server_pref(l->p, l->server, "type"), *what;
	enum server_kind kind = kind_of(type, &what);

	if (!type && !server_pref(l->p, l->server, "directory") &&
	    !server_pref(l->p, l->server, "directory-rel"))
		return;
	account_name(l->p, l->server, &l->name);
	l->found = account_dir(l->w, l->p, l->server, kind == SERVER_REMOTE,
			       &l->dir, l->r);
	if (l->found && tb_account_claimed(l->p, l->dir.data))
		return;
	switch (kind) {
	case SERVER_NO_MAIL:
		if (l->found)
			tb_account_pass_over(l->p, l->dir.data);
		remark_add(l->r, "account %s is left out: %s, no mail",
			   l->name.data, what);
		break;
	case SERVER_REMOTE:
		take_remote(l, type);
		break;
	case SERVER_LOCAL:
		take_local(l);
		break;
	}
}

static void look_at(struct look l)
{
	buf_init(&l.name);
	buf_init(&l.dir);
	take_server(&l);
	buf_free(&l.name);
	buf_free(&l.dir);
}

/* Servers that are in no account: the program forgot to remove them. */
static void add_forgotten(struct look l, const struct buf *known)
{
	static const char prefix[] = "mail.server.";
	const struct tb_prefs *prefs = l.p->prefs;
	struct buf server = BUF_INIT;

	for (size_t i = 0; i < tb_prefs_count(prefs); i++) {
		const char *key = tb_prefs_key(prefs, i), *dot;

		if (strncmp(key, prefix, sizeof(prefix) - 1))
			continue;
		key += sizeof(prefix) - 1;
		dot = strchr(key, '.');
		if (!dot || strcmp(dot, ".type"))
			continue;
		buf_reset(&server);
		buf_add_char(&server, ',');
		buf_add(&server, key, (size_t)(dot - key));
		buf_add_char(&server, ',');
		if (strstr(known->data, server.data))
			continue;
		buf_cut(&server, server.len - 1);
		l.server = server.data + 1;
		look_at(l);
	}
	buf_free(&server);
}

/* The accounts in use, in the program's order; then servers nothing refers to.
 */
void tb_accounts_from_prefs(struct walk *w, struct tb_profile *p,
			    bool remote_too, struct remarks *r)
{
	const char *listed =
		tb_prefs_get(p->prefs, "mail.accountmanager.accounts");
	char *copy = mem_strdup(listed ? listed : ""), *rest;
	struct look l = {
		.w = w, .p = p, .r = r, .key = "", .remote_too = remote_too
	};
	struct buf known = BUF_INIT; /* ",server1,server2," */

	buf_add_char(&known, ',');
	for (char *key = strtok_r(copy, ", ", &rest); key;
	     key = strtok_r(NULL, ", ", &rest)) {
		l.server =
			tb_prefs_get3(p->prefs, "mail.account.", key, "server");
		l.key = key;
		if (!l.server)
			continue;
		look_at(l);
		buf_addf(&known, "%s,", l.server);
	}
	l.key = "";
	l.hidden = listed != NULL;
	add_forgotten(l, &known);
	buf_free(&known);
	free(copy);
}
