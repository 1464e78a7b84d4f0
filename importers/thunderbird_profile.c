/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles of Thunderbird: formats.md sections 2.1 and 2.2. A rescued profile
   lies somewhere else than it did, so absolute paths in it are hints. */
#include "importers/thunderbird_profile.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "importers/thunderbird_ini.h"
#include "importers/thunderbird_paths.h"

enum {
	INI_MAX = 1 << 20,
	PREFS_MAX = 64 << 20,
};

/* --- which profile --- */

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

static bool is_dir(struct walk *w, const char *dir, const char *name)
{
	return tb_path_is(w, dir, name, S_IFDIR);
}

static bool holds_profile(struct walk *w, const char *dir)
{
	return tb_path_is(w, dir, "prefs.js", S_IFREG) ||
	       is_dir(w, dir, "Mail") || is_dir(w, dir, "ImapMail");
}

static void add_candidate(struct walk *w, struct candidates *c, const char *dir,
			  enum rank rank)
{
	struct candidate *slot = NULL;
	struct stat st;
	char *prefs;

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
	prefs = tb_path_joined(dir, "prefs.js", "");
	if (walk_stat(w, prefs, &st) == 0)
		slot->changed = st.st_mtim.tv_sec;
	free(prefs);
}

/* A path as profiles.ini has it: relative, or absolute. One of another machine
   is looked for by its last part, where profiles lie. */
static void add_listed(struct walk *w, struct candidates *c,
		       const struct tb_ini_profile *listed)
{
	static const enum rank ranks[] = {
		[TB_INI_LISTED] = RANK_LISTED,
		[TB_INI_DEFAULT] = RANK_DEFAULT,
		[TB_INI_INSTALL] = RANK_INSTALL,
	};
	enum rank rank = ranks[listed->rank];
	const char *below = tb_path_below_root(w, listed->path);
	char *leaf = tb_path_leaf(listed->path);
	struct buf dir = BUF_INIT;

	if (below && tb_path_find_dir(w, "", below, &dir))
		add_candidate(w, c, dir.data, rank);
	else if (listed->path[0] != '/' &&
		 tb_path_find_dir(w, "", listed->path, &dir))
		add_candidate(w, c, dir.data, rank);
	else if (*leaf && tb_path_find_dir(w, "Profiles", leaf, &dir))
		add_candidate(w, c, dir.data, rank);
	else if (*leaf && tb_path_find_dir(w, "", leaf, &dir))
		add_candidate(w, c, dir.data, rank);
	free(leaf);
	buf_free(&dir);
}

static void read_ini(struct walk *w, struct candidates *c, const char *file,
		     bool installs)
{
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct tb_ini ini = { 0 };
	struct stat st;

	if (walk_stat(w, file, &st) == 0 &&
	    walk_slurp(w, file, INI_MAX, &text, &e) == 0)
		tb_ini_parse(&ini, text.data, text.len, installs);
	for (size_t i = 0; i < ini.n; i++)
		add_listed(w, c, &ini.list[i]);
	tb_ini_free(&ini);
	buf_free(&text);
}

static void add_found(struct walk *w, struct candidates *c, const char *dir)
{
	struct walk_dir d;
	struct err e = ERR_INIT;

	if (!is_dir(w, "", dir) || walk_list(w, dir, &d, &e) < 0)
		return;
	for (size_t i = 0; i < d.n; i++) {
		char *path = tb_path_joined(dir, d.entries[i].name, "");

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

	read_ini(w, &c, "profiles.ini", false);
	read_ini(w, &c, "installs.ini", true);
	add_found(w, &c, "");
	add_found(w, &c, "Profiles");
	add_found(w, &c, "Data"); /* the portable edition: Data/profile */
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

bool tb_account_claimed(const struct tb_profile *p, const char *dir)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->accounts[i].dir, dir))
			return true;
	for (size_t i = 0; i < p->n_others; i++)
		if (!strcmp(p->others[i], dir))
			return true;
	return false;
}

void tb_account_pass_over(struct tb_profile *p, const char *dir)
{
	p->others =
		mem_realloc(p->others, (p->n_others + 1) * sizeof(*p->others));
	p->others[p->n_others++] = mem_strdup(dir);
}

struct tb_account *tb_account_add(struct tb_profile *p, const char *name,
				  const char *dir)
{
	struct buf text = BUF_INIT, composed = BUF_INIT;

	if (p->n == p->cap) {
		p->cap = p->cap * 2 + 8;
		p->accounts =
			mem_realloc(p->accounts, p->cap * sizeof(*p->accounts));
	}
	utf8_add_guessed(&text, name, strlen(name));
	utf8_add_nfc(&composed, text.data, text.len);
	buf_free(&text);
	for (size_t i = 0; i < composed.len; i++)
		if ((unsigned char)composed.data[i] < ' ')
			composed.data[i] = ' ';
	p->accounts[p->n] = (struct tb_account){
		.name = buf_detach(&composed),
		.dir = mem_strdup(dir),
		.host = mem_strdup(""),
		.key = mem_strdup(""),
	};
	return &p->accounts[p->n++];
}

/* What tells accounts of the same name apart, in the order in which it is
   tried; at last there are only numbers. */
enum mark { MARK_HOST, MARK_LEAF, MARK_DIR, MARK_NUMBER };

static char *marked_name(const struct tb_account *a, enum mark mark, size_t nth)
{
	struct buf name = BUF_INIT;
	char *leaf = tb_path_leaf(a->dir);
	const char *what = mark == MARK_HOST   ? a->host
			   : mark == MARK_LEAF ? leaf
					       : a->dir;

	buf_add_str(&name, a->name);
	if (mark == MARK_NUMBER)
		buf_addf(&name, " (%zu)", nth);
	else if (*what)
		buf_addf(&name, " (%s)", what);
	free(leaf);
	return buf_detach(&name);
}

static bool name_is_taken(const struct tb_profile *p, char *const *names,
			  const char *name, size_t but)
{
	for (size_t i = 0; i < p->n; i++)
		if (i != but && (!strcmp(p->accounts[i].name, name) ||
				 (names[i] && !strcmp(names[i], name))))
			return true;
	return false;
}

/* Give account nth a name that no other has. */
static char *own_name(const struct tb_profile *p, char *const *names,
		      size_t nth)
{
	for (int mark = MARK_HOST; mark < MARK_NUMBER; mark++) {
		char *name = marked_name(&p->accounts[nth], (enum mark)mark, 0);

		if (!name_is_taken(p, names, name, nth))
			return name;
		free(name);
	}
	for (size_t i = 2;; i++) {
		char *name = marked_name(&p->accounts[nth], MARK_NUMBER, i);

		if (!name_is_taken(p, names, name, nth))
			return name;
		free(name);
	}
}

/* People choose accounts by name. */
static void tell_names_apart(struct tb_profile *p)
{
	char **names = mem_zalloc((p->n + 1) * sizeof(*names));

	for (size_t i = 0; i < p->n; i++)
		if (name_is_taken(p, names, p->accounts[i].name, i))
			names[i] = own_name(p, names, i);
	for (size_t i = 0; i < p->n; i++) {
		if (!names[i])
			continue;
		free(p->accounts[i].name);
		p->accounts[i].name = names[i];
	}
	free(names);
}

/* --- the whole --- */

static void read_prefs(struct walk *w, struct tb_profile *p, const char *name,
		       struct remarks *r)
{
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	char *path = tb_path_joined(p->dir, name, "");

	if (walk_stat(w, path, &st) == 0) {
		if (walk_slurp(w, path, PREFS_MAX, &text, &e) < 0)
			remark_add(r, "%s", e.text);
		tb_prefs_parse(p->prefs, text.data, text.len);
	}
	buf_free(&text);
	free(path);
}

int tb_profile_find(struct walk *w, bool remote_too, struct tb_profile *p,
		    struct remarks *r, struct err *e)
{
	bool listed, bare;

	*p = (struct tb_profile){ .prefs = tb_prefs_new() };
	if (walk_is_file(w))
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: not a directory", walk_root(w));
	p->dir = holds_profile(w, "") ? mem_strdup("") : choose_profile(w, r);
	bare = !p->dir;
	if (bare)
		p->dir = mem_strdup("");
	if (tb_path_is(w, p->dir, "prefs.js", S_IFREG)) {
		read_prefs(w, p, "prefs.js", r);
		read_prefs(w, p, "user.js", r);
	}
	if (tb_path_is(w, p->dir, "lock", S_IFLNK))
		remark_add(
			r,
			"Thunderbird may be running with this profile: close "
			"it, or run again when it is closed");
	tb_accounts_from_prefs(w, p, remote_too, r);
	listed = p->n || tb_prefs_get(p->prefs, "mail.accountmanager.accounts");
	tb_accounts_from_disk(w, p, remote_too, listed, bare, r);
	if (!listed && p->n)
		remark_add(r,
			   "there is no usable prefs.js: accounts are named by "
			   "their directories");
	tell_names_apart(p);
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
		free(p->accounts[i].host);
		free(p->accounts[i].key);
	}
	for (size_t i = 0; i < p->n_others; i++)
		free(p->others[i]);
	free(p->accounts);
	free(p->others);
	free(p->dir);
	tb_prefs_free(p->prefs);
	*p = (struct tb_profile){ 0 };
}
