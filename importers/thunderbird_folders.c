/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folders of a profile: their names, what they are for, and how they lie
   below each other. thunderbird_judge.c says what is one. */
#include "importers/thunderbird_folders.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/utf8.h"
#include "importers/thunderbird_paths.h"
#include "importers/thunderbird_place.h"
#include "importers/thunderbird_summary.h"

/* nsMsgFolderFlags */
enum {
	FOLDER_VIRTUAL = 0x20,
	FOLDER_TRASH = 0x100,
	FOLDER_SENT = 0x200,
	FOLDER_DRAFTS = 0x400,
	FOLDER_QUEUE = 0x800,
	FOLDER_INBOX = 0x1000,
	FOLDER_ARCHIVE = 0x4000,
	FOLDER_TEMPLATES = 0x400000,
	FOLDER_JUNK = 0x40000000,
};

static const struct {
	const char *leaf;
	uint64_t flag;
	enum folder_use use;
} specials[] = {
	{ "Inbox", FOLDER_INBOX, USE_INBOX },
	{ "Sent", FOLDER_SENT, USE_SENT },
	{ "Drafts", FOLDER_DRAFTS, USE_DRAFTS },
	{ "Templates", FOLDER_TEMPLATES, USE_TEMPLATES },
	{ "Unsent Messages", FOLDER_QUEUE, USE_QUEUE },
	{ "Trash", FOLDER_TRASH, USE_TRASH },
	{ "Junk", FOLDER_JUNK, USE_JUNK },
	{ "Archives", FOLDER_ARCHIVE, USE_ARCHIVE },
};
enum { SPECIALS = sizeof(specials) / sizeof(specials[0]) };

/* --- names --- */

/* As it is on disk, for people and servers. */
static void add_leaf(const struct tb_place *at, const char *leaf,
		     struct buf *out)
{
	struct buf text = BUF_INIT;

	if (!at->account->remote ||
	    utf8_from_mutf7(&text, leaf, strlen(leaf)) < 0)
		utf8_add_guessed(&text, leaf, strlen(leaf));
	utf8_add_nfc(out, text.data, text.len);
	buf_free(&text);
}

/* What there is to be known of a folder before its mail is read. */
struct identity {
	struct buf name;
	uint64_t flags;
	bool percent; /* Thunderbird since 140 decodes the name and misses it */
};

static bool ask_cache(const struct tb_place *at, const char *leaf,
		      struct tb_cached *c_r)
{
	const char *dir = at->account->dir, *slash = strrchr(dir, '/');
	char *rel = tb_path_joined(at->dir, leaf, ".msf");
	char *file = tb_path_joined(walk_root(at->w), rel, "");
	bool known =
		tb_names_cached(at->names, file,
				rel + (slash ? slash - dir + 1 : 0), leaf, c_r);

	free(file);
	free(rel);
	return known;
}

/* The summary is asked when the cache has no answer: it takes reading all of
 * it. */
static void ask_summary(const struct tb_place *at, const char *leaf,
			struct identity *id)
{
	char *rel = tb_place_summary(at, leaf);
	struct err e = ERR_INIT;
	struct tb_summary *s = rel ? tb_summary_load(at->w, rel, &e) : NULL;

	if (s) {
		id->flags |= tb_summary_flags(s);
		if (tb_summary_name(s))
			buf_set_str(&id->name, tb_summary_name(s));
	}
	tb_summary_free(s);
	free(rel);
}

/* Whether what was found says more than the leaf does. */
static bool is_news(const struct buf *name, const char *leaf)
{
	return name->len && strcmp(name->data, leaf);
}

/* A top-level folder that every account has keeps the name it has on disk: the
   one shown is in the language of the program. */
static bool is_special(const struct tb_place *at, const char *leaf,
		       uint64_t flags)
{
	for (size_t i = 0; !at->parents[0] && i < SPECIALS; i++)
		if (!strcasecmp(leaf, specials[i].leaf))
			return !flags || flags & specials[i].flag;
	return false;
}

/* Of a name that ends like a hash. Eight digits are more likely a date. */
static void tell_hashed(const struct tb_place *at, const char *leaf)
{
	const char *real = tb_names_candidate(at->names, leaf);
	const char *tail = leaf + strlen(leaf) - 8;
	struct buf what = BUF_INIT;

	if (real && strcmp(real, leaf))
		buf_addf(&what,
			 "the short form of '%s', which Thunderbird has "
			 "forgotten; migrated under the short one",
			 real);
	else if (strspn(tail, "0123456789") < 8)
		buf_add_str(&what,
			    "the name may be the short form of one that is "
			    "not recorded any more");
	if (what.len)
		tb_place_tell(at, leaf, what.data);
	buf_free(&what);
}

/* A name out of a URI: in those of IMAP folders it is the server's. */
static void add_mentioned(const struct tb_place *at, const char *name,
			  struct buf *out)
{
	if (!at->account->remote ||
	    utf8_from_mutf7(out, name, strlen(name)) < 0)
		buf_set_str(out, name);
}

static void identify(const struct tb_place *at, const char *leaf,
		     struct identity *id)
{
	struct buf decoded = BUF_INIT, composed = BUF_INIT;
	struct tb_cached cached;
	const char *other;
	bool known = ask_cache(at, leaf, &cached);

	*id = (struct identity){ .name = BUF_INIT, .flags = cached.flags };
	if (cached.name)
		buf_set_str(&id->name, cached.name);
	if (!known || (!cached.name && tb_name_looks_hashed(leaf)))
		ask_summary(at, leaf, id);
	if (!id->name.len && (other = tb_names_candidate(at->names, leaf)))
		add_mentioned(at, other, &id->name);
	if (tb_name_decode(&decoded, leaf)) {
		id->percent = !tb_name_fits(leaf, decoded.data);
		if (!id->name.len)
			buf_set_str(&id->name, decoded.data);
	}
	if (!is_news(&id->name, leaf) || is_special(at, leaf, id->flags)) {
		if (tb_name_looks_hashed(leaf))
			tell_hashed(at, leaf);
		add_leaf(at, leaf, &composed);
	} else {
		utf8_add_nfc(&composed, id->name.data, id->name.len);
	}
	buf_free(&id->name);
	id->name = composed;
	buf_free(&decoded);
}

static enum folder_use use_of(const struct tb_place *at, const char *leaf,
			      uint64_t flags)
{
	for (size_t i = 0; i < SPECIALS; i++)
		if (flags & specials[i].flag)
			return specials[i].use;
	for (size_t i = 0; !at->parents[0] && i < SPECIALS; i++)
		if (!strcasecmp(leaf, specials[i].leaf))
			return specials[i].use;
	return USE_NONE;
}

/* --- the tree --- */

static char **path_of(char *const *parents, const char *name)
{
	size_t n = 0;
	char **path;

	while (parents[n])
		n++;
	path = mem_alloc((n + 2) * sizeof(*path));
	for (size_t i = 0; i < n; i++)
		path[i] = mem_strdup(parents[i]);
	path[n] = mem_strdup(name);
	path[n + 1] = NULL;
	return path;
}

static void free_path(char **path)
{
	for (size_t i = 0; path && path[i]; i++)
		free(path[i]);
	free(path);
}

static struct tb_folder *add_folder(struct tb_folders *f)
{
	if (f->n == f->cap) {
		f->cap = f->cap * 2 + 32;
		f->list = mem_realloc(f->list, f->cap * sizeof(*f->list));
	}
	f->list[f->n] = (struct tb_folder){ 0 };
	return &f->list[f->n++];
}

static void find_in(const struct tb_place *at);

static void find_children(const struct tb_place *at, const char *sbd,
			  const char *name, bool hidden)
{
	char *dir = tb_path_joined(at->dir, sbd, "");
	char **path = path_of(at->parents, name);
	struct tb_place below = *at;

	below.dir = dir;
	below.parents = path;
	below.hidden = at->hidden || hidden;
	find_in(&below);
	free_path(path);
	free(dir);
}

static bool is_empty_file(const struct tb_place *at, const char *name)
{
	char *rel = tb_path_joined(at->dir, name, "");
	struct stat st;
	bool is = walk_stat(at->w, rel, &st) == 0 && S_ISREG(st.st_mode) &&
		  !st.st_size;

	free(rel);
	return is;
}

/* A saved search has no mail of its own; and what is left of an account whose
   mail goes elsewhere is as a rule an empty Inbox. */
static bool is_nothing(const struct tb_place *at, const char *leaf,
		       uint64_t flags)
{
	return (flags & FOLDER_VIRTUAL || at->account->deferred) &&
	       is_empty_file(at, leaf);
}

/* Returns the entry that holds its children, or SIZE_MAX. */
static size_t take_folder(const struct tb_place *at,
			  const struct walk_entry *entry, enum tb_found found)
{
	size_t sbd = tb_place_companion(at, entry->name, ".sbd", 'd');
	const char *leaf = entry->name;
	struct identity id;
	bool lost;

	identify(at, leaf, &id);
	lost = found == TB_LOST || id.percent;
	if (!is_nothing(at, leaf, id.flags)) {
		struct tb_folder *f = add_folder(at->out);

		f->id = tb_path_joined(at->dir, leaf, "");
		f->msf = tb_place_summary(at, leaf);
		f->path = path_of(at->parents, id.name.data);
		f->use = use_of(at, leaf, id.flags);
		f->account = at->account;
		f->maildir = entry->kind == 'd';
		f->hidden = at->hidden || lost || at->account->hidden;
		if (lost)
			remark_add(at->r,
				   "%s: Thunderbird does not show this folder "
				   "any more; its mail is migrated as '%s'",
				   f->id, id.name.data);
	}
	if (sbd != SIZE_MAX)
		find_children(at, at->entries->entries[sbd].name, id.name.data,
			      lost);
	buf_free(&id.name);
	return sbd;
}

/* X.sbd where X itself is no folder: Thunderbird does not look inside. */
static void take_orphans(const struct tb_place *at, const char *sbd)
{
	char *leaf = mem_strndup(sbd, strlen(sbd) - 4);
	size_t before = at->out->n;
	struct identity id;

	identify(at, leaf, &id);
	find_children(at, sbd, id.name.data, true);
	if (at->out->n > before)
		tb_place_tell(
			at, sbd,
			"Thunderbird does not show the folders in it, because "
			"the one they belong to is missing; their mail is "
			"migrated");
	buf_free(&id.name);
	free(leaf);
}

static bool is_sbd(const struct walk_entry *entry)
{
	size_t n = strlen(entry->name);

	return entry->kind == 'd' && n > 4 &&
	       !strcasecmp(entry->name + n - 4, ".sbd");
}

static void take_entries(const struct tb_place *at)
{
	size_t n = at->entries->n;
	const struct walk_entry *entries = at->entries->entries;
	enum tb_found *found = mem_alloc((n + 1) * sizeof(*found));
	bool *has_parent = mem_zalloc((n + 1) * sizeof(*has_parent));

	for (size_t i = 0; i < n; i++)
		found[i] = tb_place_judge(at, &entries[i]);
	for (size_t i = 0; i < n; i++) {
		size_t sbd = SIZE_MAX;

		if (found[i] != TB_NOT_A_FOLDER)
			sbd = take_folder(at, &entries[i], found[i]);
		if (sbd != SIZE_MAX)
			has_parent[sbd] = true;
	}
	for (size_t i = 0; i < n; i++)
		if (is_sbd(&entries[i]) && !has_parent[i])
			take_orphans(at, entries[i].name);
	free(has_parent);
	free(found);
}

static void find_in(const struct tb_place *at)
{
	struct err e = ERR_INIT;
	struct tb_place here = *at;
	struct walk_dir d;

	if (walk_list(at->w, at->dir, &d, &e) < 0) {
		struct tb_folder *f = add_folder(at->out);

		f->id = mem_strdup(at->dir);
		f->error = mem_strdup(e.text);
		return;
	}
	tb_place_enter(&here, &d);
	take_entries(&here);
	tb_place_leave(&here);
	walk_dir_free(&d);
}

static void find_in_account(struct tb_place at)
{
	size_t indexes_only = 0;

	at.indexes_only = &indexes_only;
	find_in(&at);
	if (indexes_only)
		remark_add(at.r,
			   "account %s: of %zu folders only the index is here; "
			   "none of their mail was kept offline",
			   at.account->name, indexes_only);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct tb_folder *)a)->id,
		      ((const struct tb_folder *)b)->id);
}

void tb_folders_find(struct walk *w, const struct tb_profile *p,
		     const struct tb_names *names,
		     const struct importer_options *opt, struct tb_folders *out,
		     struct remarks *r)
{
	char *none[] = { NULL };

	*out = (struct tb_folders){ 0 };
	for (size_t i = 0; i < p->n; i++) {
		struct tb_place at = {
			.w = w,
			.opt = opt,
			.account = &p->accounts[i],
			.names = names,
			.out = out,
			.r = r,
			.dir = p->accounts[i].dir,
			.parents = none,
		};

		find_in_account(at);
	}
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list), by_id);
}

void tb_folders_free(struct tb_folders *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->list[i].id);
		free(f->list[i].msf);
		free(f->list[i].error);
		free_path(f->list[i].path);
	}
	free(f->list);
	*f = (struct tb_folders){ 0 };
}
