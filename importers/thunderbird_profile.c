/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles and accounts of Thunderbird: formats.md sections 2.1 to 2.3. A
   rescued profile lies somewhere else than it did, so absolute paths in it are
   hints. */
#include "importers/thunderbird_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

enum {
	INI_MAX = 1 << 20,
	PREFS_MAX = 64 << 20,
};

void tb_path_join(struct buf *out, const char *dir, const char *name)
{
	buf_add_str(out, dir);
	if (*dir)
		buf_add_char(out, '/');
	buf_add_str(out, name);
}

static char *joined(const char *dir, const char *name)
{
	struct buf path = BUF_INIT;

	tb_path_join(&path, dir, name);
	return buf_detach(&path);
}

static bool is_kind(struct walk *w, const char *dir, const char *name,
		    mode_t kind, struct stat *st_r)
{
	char *path = joined(dir, name);
	bool is = walk_stat(w, path, st_r) == 0 &&
		  (st_r->st_mode & S_IFMT) == kind;

	free(path);
	return is;
}

static bool is_dir(struct walk *w, const char *dir, const char *name)
{
	struct stat st;

	return is_kind(w, dir, name, S_IFDIR, &st);
}

static const char *leaf_of(const char *path)
{
	const char *leaf = path;

	for (; *path; path++)
		if ((*path == '/' || *path == '\\') && path[1])
			leaf = path + 1;
	return leaf;
}

/* Append path to the directory dir, taking back a part for every "..". False if
   that leads out of the root. */
static bool resolve(struct buf *out, const char *dir, const char *path)
{
	buf_set_str(out, dir);
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			char *slash = memrchr(out->data, '/', out->len);

			if (!out->len)
				return false;
			buf_cut(out, slash ? (size_t)(slash - out->data) : 0);
		} else if (n && !(n == 1 && path[0] == '.')) {
			if (out->len)
				buf_add_char(out, '/');
			buf_add(out, path, n);
		}
		path += n + (path[n] == '/');
	}
	return true;
}

/* What of an absolute path lies below the root as the user gave it, or NULL. */
static const char *below_root(struct walk *w, const char *path)
{
	const char *root = walk_root(w);
	size_t n = strlen(root);

	while (n && root[n - 1] == '/')
		n--;
	if (path[0] != '/' || strncmp(path, root, n) ||
	    (path[n] && path[n] != '/'))
		return NULL;
	return path + n + strspn(path + n, "/");
}

/* --- profiles --- */

enum rank { RANK_FOUND, RANK_LISTED, RANK_DEFAULT, RANK_INSTALL };

struct candidate {
	char *dir;
	enum rank rank;
	int64_t changed; /* mtime of prefs.js */
};
struct candidates {
	struct candidate *list;
	size_t n;
};

static bool holds_profile(struct walk *w, const char *dir)
{
	struct stat st;

	return is_kind(w, dir, "prefs.js", S_IFREG, &st) ||
	       is_dir(w, dir, "Mail") || is_dir(w, dir, "ImapMail");
}

static void add_candidate(struct walk *w, struct candidates *c, const char *dir,
			  enum rank rank)
{
	struct candidate *slot = NULL;
	struct stat st;

	if (!holds_profile(w, dir))
		return;
	for (size_t i = 0; i < c->n && !slot; i++)
		if (!strcmp(c->list[i].dir, dir))
			slot = &c->list[i];
	if (slot) {
		if (rank > slot->rank)
			slot->rank = rank;
		return;
	}
	c->list = mem_realloc(c->list, (c->n + 1) * sizeof(*c->list));
	slot = &c->list[c->n++];
	*slot = (struct candidate){ .dir = mem_strdup(dir), .rank = rank };
	if (is_kind(w, dir, "prefs.js", S_IFREG, &st))
		slot->changed = st.st_mtim.tv_sec;
}

/* A path as profiles.ini has it: relative with '/', or absolute. An absolute
   one of another machine is looked for by its last part. */
static void add_listed(struct walk *w, struct candidates *c, const char *path,
		       enum rank rank)
{
	struct buf dir = BUF_INIT;
	const char *below = below_root(w, path);

	if (below || (path[0] != '/' && !strchr(path, '\\') && path[0])) {
		if (resolve(&dir, "", below ? below : path))
			add_candidate(w, c, dir.data, rank);
	} else if (path[0] && resolve(&dir, "", leaf_of(path))) {
		add_candidate(w, c, dir.data, rank);
		if (resolve(&dir, "Profiles", leaf_of(path)))
			add_candidate(w, c, dir.data, rank);
	}
	buf_free(&dir);
}

struct ini_section {
	struct buf name, path;
	bool is_default;
};

static void end_section(struct walk *w, struct candidates *c,
			struct ini_section *s, bool installs)
{
	/* profiles.ini: [ProfileN] Path=, Default=1 and [InstallHASH]
	   Default=path; installs.ini: [HASH] Default=path. */
	if (s->path.len)
		add_listed(w, c, s->path.data,
			   installs || !strncmp(s->name.data, "Install", 7)
				   ? RANK_INSTALL
			   : s->is_default ? RANK_DEFAULT
					   : RANK_LISTED);
	buf_reset(&s->name);
	buf_reset(&s->path);
	s->is_default = false;
}

static void ini_line(struct walk *w, struct candidates *c,
		     struct ini_section *s, const char *line, bool installs)
{
	size_t n = strlen(line);

	if (line[0] == '[' && line[n - 1] == ']') {
		end_section(w, c, s, installs);
		buf_add(&s->name, line + 1, n - 2);
	} else if (!strncmp(line, "Path=", 5)) {
		buf_set_str(&s->path, line + 5);
	} else if (!strcmp(line, "Default=1")) {
		s->is_default = true;
	} else if (!strncmp(line, "Default=", 8) &&
		   (installs || !strncmp(s->name.data, "Install", 7))) {
		buf_set_str(&s->path, line + 8);
	}
}

static void read_ini(struct walk *w, struct candidates *c, const char *file)
{
	struct ini_section s = { .name = BUF_INIT, .path = BUF_INIT };
	bool installs = !strcmp(file, "installs.ini");
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	char *line, *rest;

	if (walk_stat(w, file, &st) < 0 ||
	    walk_slurp(w, file, INI_MAX, &text, &e) < 0)
		goto out;
	for (line = strtok_r(text.data, "\r\n", &rest); line;
	     line = strtok_r(NULL, "\r\n", &rest))
		ini_line(w, c, &s, line, installs);
	end_section(w, c, &s, installs);
out:
	buf_free(&s.name);
	buf_free(&s.path);
	buf_free(&text);
}

static void add_found(struct walk *w, struct candidates *c, const char *dir)
{
	struct walk_dir d;
	struct err e = ERR_INIT;

	if (walk_list(w, dir, &d, &e) < 0)
		return;
	for (size_t i = 0; i < d.n; i++) {
		char *path = joined(dir, d.entries[i].name);

		if (d.entries[i].kind == 'd')
			add_candidate(w, c, path, RANK_FOUND);
		free(path);
	}
	walk_dir_free(&d);
}

/* Install sections say what a program really starts; the Default=1 of older
   versions may be left over; after that the one used last. */
static const struct candidate *best_candidate(const struct candidates *c)
{
	const struct candidate *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *x = &c->list[i];

		if (!best || x->rank > best->rank ||
		    (x->rank == best->rank && x->changed > best->changed))
			best = x;
	}
	return best;
}

/* The profile below a Thunderbird root, or NULL. The caller's. */
static char *choose_profile(struct walk *w, struct remarks *r)
{
	struct candidates c = { 0 };
	const struct candidate *best;
	char *dir = NULL;

	read_ini(w, &c, "profiles.ini");
	read_ini(w, &c, "installs.ini");
	add_found(w, &c, "");
	if (is_dir(w, "", "Profiles"))
		add_found(w, &c, "Profiles");
	best = best_candidate(&c);
	if (best)
		dir = mem_strdup(best->dir);
	for (size_t i = 0; best && i < c.n; i++)
		if (&c.list[i] != best)
			remark_add(r,
				   "another profile is left out; to migrate it "
				   "too, give thunderbird:%s/%s as a source",
				   walk_root(w), c.list[i].dir);
	if (best && c.n > 1)
		remark_add(r, "of %zu profiles, %s is read", c.n, dir);
	for (size_t i = 0; i < c.n; i++)
		free(c.list[i].dir);
	free(c.list);
	return dir;
}

/* --- accounts --- */

static bool claimed(const struct tb_profile *p, const char *dir)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->accounts[i].dir, dir))
			return true;
	return false;
}

static void add_account(struct tb_profile *p, const char *name, const char *dir,
			bool remote, bool hidden)
{
	struct buf text = BUF_INIT;

	if (p->n == p->cap) {
		p->cap = p->cap * 2 + 8;
		p->accounts =
			mem_realloc(p->accounts, p->cap * sizeof(*p->accounts));
	}
	utf8_add_guessed(&text, name, strlen(name));
	p->accounts[p->n++] = (struct tb_account){
		.name = buf_detach(&text),
		.dir = mem_strdup(dir),
		.remote = remote,
		.hidden = hidden,
	};
}

static const char *server_pref(const struct tb_profile *p, const char *server,
			       const char *name)
{
	return tb_prefs_get3(p->prefs, "mail.server.", server, name);
}

static void account_name(const struct tb_profile *p, const char *server,
			 struct buf *out)
{
	const char *name = server_pref(p, server, "name");
	const char *user = server_pref(p, server, "realuserName");
	const char *host = server_pref(p, server, "realhostname");

	if (!user)
		user = server_pref(p, server, "userName");
	if (!host)
		host = server_pref(p, server, "hostname");
	if (name)
		buf_add_str(out, name);
	else if (user && strchr(user, '@'))
		buf_add_str(out, user);
	else
		buf_addf(out, "%s%s%s", user ? user : "", user ? "@" : "",
			 host ? host : server);
}

static bool try_dir(struct walk *w, struct buf *out, const char *dir,
		    const char *path)
{
	return resolve(out, dir, path) && is_dir(w, "", out->data);
}

static bool try_leaf(struct walk *w, const struct tb_profile *p, bool remote,
		     const char *leaf, struct buf *out)
{
	char *mail = joined(p->dir, remote ? "ImapMail" : "Mail");
	bool found = try_dir(w, out, mail, leaf);

	free(mail);
	return found;
}

/* Where a server keeps its files: directory-rel, which Thunderbird believes
   first, then directory where it lies below the root, then the last part of
   either below Mail, where a copied profile has it. */
static bool account_dir(struct walk *w, const struct tb_profile *p,
			const char *server, bool remote, struct buf *out)
{
	static const char profd[] = "[ProfD]";
	const char *rel = server_pref(p, server, "directory-rel");
	const char *abs = server_pref(p, server, "directory");
	const char *host = server_pref(p, server, "hostname");
	const char *below = abs ? below_root(w, abs) : NULL;

	if (rel && !strncmp(rel, profd, sizeof(profd) - 1) &&
	    try_dir(w, out, p->dir, rel + sizeof(profd) - 1))
		return true;
	if (below && try_dir(w, out, "", below))
		return true;
	if (abs && try_leaf(w, p, remote, leaf_of(abs), out))
		return true;
	if (rel && try_leaf(w, p, remote, leaf_of(rel), out))
		return true;
	return !abs && !rel && host && try_leaf(w, p, remote, host, out);
}

enum server_kind { SERVER_LOCAL, SERVER_REMOTE, SERVER_FEEDS, SERVER_NEWS };

static enum server_kind kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum server_kind kind;
	} kinds[] = {
		{ "pop3", SERVER_LOCAL },     { "none", SERVER_LOCAL },
		{ "movemail", SERVER_LOCAL }, { "rss", SERVER_FEEDS },
		{ "nntp", SERVER_NEWS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].type, type))
			return kinds[i].kind;
	return SERVER_REMOTE; /* imap, and newer ones: ews, graph */
}

static void add_server(struct walk *w, struct tb_profile *p, const char *server,
		       bool remote_too, bool hidden, struct remarks *r)
{
	const char *type = server_pref(p, server, "type");
	enum server_kind kind = type ? kind_of(type) : SERVER_LOCAL;
	struct buf name = BUF_INIT, dir = BUF_INIT;
	const char *said = server_pref(p, server, "directory");
	bool found;

	if (!type && !said && !server_pref(p, server, "directory-rel"))
		return;
	account_name(p, server, &name);
	found = account_dir(w, p, server, kind == SERVER_REMOTE, &dir);
	if (found && claimed(p, dir.data))
		goto out;
	switch (kind) {
	case SERVER_FEEDS:
	case SERVER_NEWS:
		remark_add(r, "account %s is left out: %s, no mail", name.data,
			   kind == SERVER_FEEDS ? "feeds" : "news");
		break;
	case SERVER_REMOTE:
		if (!remote_too)
			remark_add(r,
				   "%s account %s is left out: its mail is on "
				   "the server; --imap-copies takes what was "
				   "kept offline",
				   type, name.data);
		/* fall through */
	case SERVER_LOCAL:
		if (found && (kind == SERVER_LOCAL || remote_too))
			add_account(p, name.data, dir.data,
				    kind == SERVER_REMOTE, hidden);
		else if (kind == SERVER_LOCAL && said && !hidden)
			remark_add(r,
				   "account %s keeps its mail outside of this "
				   "source, in %s: to migrate it, give that "
				   "as a source",
				   name.data, said);
		break;
	}
	if (found && hidden && kind == SERVER_LOCAL)
		remark_add(r,
			   "%s holds mail of an account that was removed (%s)",
			   dir.data, name.data);
out:
	buf_free(&name);
	buf_free(&dir);
}

/* The accounts in use, in the program's order; then servers nothing refers to.
 */
static void add_servers(struct walk *w, struct tb_profile *p, bool remote_too,
			struct remarks *r)
{
	static const char prefix[] = "mail.server.";
	const char *listed =
		tb_prefs_get(p->prefs, "mail.accountmanager.accounts");
	char *copy = mem_strdup(listed ? listed : ""), *rest;
	struct buf known = BUF_INIT; /* ",server1,server2," */

	buf_add_char(&known, ',');
	for (char *key = strtok_r(copy, ", ", &rest); key;
	     key = strtok_r(NULL, ", ", &rest)) {
		const char *server =
			tb_prefs_get3(p->prefs, "mail.account.", key, "server");

		if (!server)
			continue;
		add_server(w, p, server, remote_too, false, r);
		buf_addf(&known, "%s,", server);
	}
	for (size_t i = 0; i < tb_prefs_count(p->prefs); i++) {
		const char *key = tb_prefs_key(p->prefs, i), *dot;
		struct buf server = BUF_INIT;

		if (strncmp(key, prefix, sizeof(prefix) - 1))
			continue;
		key += sizeof(prefix) - 1;
		dot = strchr(key, '.');
		if (!dot || strcmp(dot, ".type"))
			continue;
		buf_add_char(&server, ',');
		buf_add(&server, key, (size_t)(dot - key));
		buf_add_char(&server, ',');
		if (!strstr(known.data, server.data)) {
			buf_cut(&server, server.len - 1);
			add_server(w, p, server.data + 1, remote_too,
				   listed != NULL, r);
		}
		buf_free(&server);
	}
	buf_free(&known);
	free(copy);
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
		size_t n = strlen(name);

		if (d.entries[i].kind == 'f')
			looks = (n > 4 && !strcmp(name + n - 4, ".msf")) ||
				!strcmp(name, "popstate.dat") ||
				!strcmp(name, "Inbox") ||
				!strcmp(name, "Trash");
		else if (d.entries[i].kind == 'd')
			looks = n > 4 && !strcmp(name + n - 4, ".sbd");
	}
	walk_dir_free(&d);
	return looks;
}

/* Every directory below parent that no account has claimed. */
static void add_unclaimed(struct walk *w, struct tb_profile *p,
			  const char *parent, bool remote, bool known,
			  struct remarks *r)
{
	struct walk_dir d;
	struct err e = ERR_INIT;

	if (walk_list(w, parent, &d, &e) < 0)
		return;
	for (size_t i = 0; i < d.n; i++) {
		char *dir = joined(parent, d.entries[i].name);

		if (d.entries[i].kind == 'd' && !claimed(p, dir) &&
		    strcmp(d.entries[i].name, "Feeds") &&
		    strcmp(d.entries[i].name, "smart mailboxes") &&
		    tb_looks_like_account(w, dir)) {
			add_account(p, d.entries[i].name, dir, remote, known);
			if (known)
				remark_add(r,
					   "%s holds mail that no account of "
					   "the profile refers to",
					   dir);
		} else if (d.entries[i].kind == 'l') {
			remark_add(r, "%s is a symbolic link, not followed",
				   dir);
		}
		free(dir);
	}
	walk_dir_free(&d);
}

static void add_disk_accounts(struct walk *w, struct tb_profile *p,
			      bool remote_too, bool known, struct remarks *r)
{
	char *mail = joined(p->dir, "Mail"), *imap = joined(p->dir, "ImapMail");

	if (is_dir(w, "", mail))
		add_unclaimed(w, p, mail, false, known, r);
	if (is_dir(w, "", imap)) {
		if (remote_too)
			add_unclaimed(w, p, imap, true, known, r);
		else if (!known)
			remark_add(r,
				   "%s is left out: its mail is on the server; "
				   "--imap-copies takes what was kept offline",
				   imap);
	}
	free(mail);
	free(imap);
}

static void read_prefs(struct walk *w, struct tb_profile *p, const char *name,
		       struct remarks *r)
{
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	char *path = joined(p->dir, name);

	if (walk_stat(w, path, &st) == 0) {
		if (walk_slurp(w, path, PREFS_MAX, &text, &e) < 0)
			remark_add(r, "%s", e.text);
		tb_prefs_parse(p->prefs, text.data, text.len);
	}
	buf_free(&text);
	free(path);
}

/* "taro's mail" of /x/ImapMail/taro's mail; for bare directories. */
static void root_leaf(struct walk *w, struct buf *out, bool *remote_r)
{
	const char *root = walk_root(w);
	size_t n = strlen(root);
	char *copy;

	while (n > 1 && root[n - 1] == '/')
		n--;
	copy = mem_strndup(root, n);
	buf_add_str(out, leaf_of(copy));
	*remote_r = !strcmp(out->data, "ImapMail") ||
		    strstr(copy, "/ImapMail/") ||
		    !strncmp(copy, "ImapMail/", 9);
	free(copy);
}

/* A source without settings: a Mail directory, or that of one account. */
static void add_bare(struct walk *w, struct tb_profile *p, bool remote_too,
		     struct remarks *r)
{
	struct buf leaf = BUF_INIT;
	bool remote;

	root_leaf(w, &leaf, &remote);
	if (remote && !remote_too)
		remark_add(r,
			   "%s is left out: its mail is on the server; "
			   "--imap-copies takes what was kept offline",
			   walk_root(w));
	else if (tb_looks_like_account(w, ""))
		add_account(p, leaf.data, "", remote, false);
	else
		add_unclaimed(w, p, "", remote, false, r);
	buf_free(&leaf);
}

int tb_profile_find(struct walk *w, bool remote_too, struct tb_profile *p,
		    struct remarks *r, struct err *e)
{
	bool listed, bare;
	struct stat st;

	*p = (struct tb_profile){ .prefs = tb_prefs_new() };
	if (walk_is_file(w))
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: not a directory", walk_root(w));
	p->dir = holds_profile(w, "") ? mem_strdup("") : choose_profile(w, r);
	bare = !p->dir;
	if (bare)
		p->dir = mem_strdup("");
	if (is_kind(w, p->dir, "prefs.js", S_IFREG, &st)) {
		read_prefs(w, p, "prefs.js", r);
		read_prefs(w, p, "user.js", r);
	}
	if (is_kind(w, p->dir, "lock", S_IFLNK, &st))
		remark_add(
			r,
			"Thunderbird may be running with this profile: close "
			"it, or run again when it is closed");
	add_servers(w, p, remote_too, r);
	listed = p->n || tb_prefs_get(p->prefs, "mail.accountmanager.accounts");
	if (!bare)
		add_disk_accounts(w, p, remote_too, listed, r);
	else
		add_bare(w, p, remote_too, r);
	if (!listed && p->n)
		remark_add(r,
			   "there is no usable prefs.js: accounts are named by "
			   "their directories");
	if (!p->n && !r->n)
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: no mail of Thunderbird here", walk_root(w));
	return 0;
}

void tb_profile_free(struct tb_profile *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->accounts[i].name);
		free(p->accounts[i].dir);
	}
	free(p->accounts);
	free(p->dir);
	tb_prefs_free(p->prefs);
	*p = (struct tb_profile){ 0 };
}
