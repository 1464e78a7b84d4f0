/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files of an account are folders: as Thunderbird discovers them
   (formats.md section 2.3), and also those that it does not find again. Every
   plain file X that is not on its list of other files is a folder, X.msf the
   summary, X.sbd/ holds the children; with the Maildir store X is a directory
   that holds cur/. */
#include "importers/thunderbird_folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "importers/mork.h"
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

/* Where the search stands: one directory of one account. */
struct place {
	struct walk *w;
	const struct importer_options *opt; /* may be NULL */
	const struct tb_account *account;
	const struct tb_names *names;
	struct tb_folders *out;
	struct remarks *r;
	const char *dir;
	char **parents; /* names of the folders above; ended by NULL */
	bool hidden;
	const struct walk_dir *entries;
};

static char *joined(const char *dir, const char *name, const char *suffix)
{
	struct buf path = BUF_INIT;

	tb_path_join(&path, dir, name);
	buf_add_str(&path, suffix);
	return buf_detach(&path);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcasecmp(s + n - m, end);
}

static size_t find_entry(const struct walk_dir *d, const char *name)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(name, d->entries[mid].name);

		if (!c)
			return mid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return SIZE_MAX;
}

/* What name followed by suffix is here, as in struct walk_entry; NUL if
 * nothing. */
static char kind_of(const struct place *at, const char *name,
		    const char *suffix)
{
	char *want = joined("", name, suffix);
	size_t i = find_entry(at->entries, want);

	free(want);
	return i == SIZE_MAX ? '\0' : at->entries->entries[i].kind;
}

static bool is_maildir(const struct place *at, const char *name)
{
	char *cur = joined(at->dir, name, "/cur");
	struct stat st;
	bool is = walk_stat(at->w, cur, &st) == 0 && S_ISDIR(st.st_mode);

	free(cur);
	return is;
}

/* Tell people about an entry; after its path goes ": " and what. */
static void tell(const struct place *at, const char *name, const char *what)
{
	char *rel = joined(at->dir, name, "");

	remark_add(at->r, "%s: %s", rel, what);
	free(rel);
}

/* --- what a file is --- */

enum content { EMPTY, MBOX, MORK, OTHER };

static enum content look_into(const struct place *at, const char *name)
{
	char *rel = joined(at->dir, name, ""), bytes[4096];
	bool known = at->opt && at->opt->known_folder &&
		     at->opt->known_folder(at->opt->known_ctx, rel);
	struct err e = ERR_INIT;
	int fd = known ? -1 : walk_file(at->w, rel, NULL, &e);
	ssize_t got = 0;

	free(rel);
	if (fd < 0)
		return MBOX; /* as before, or opening it for its messages says
				why not */
	do
		got = read(fd, bytes, sizeof(bytes));
	while (got < 0 && errno == EINTR);
	close(fd);
	if (got <= 0)
		return got ? MBOX : EMPTY;
	if (mork_begins(bytes, (size_t)got))
		return MORK;
	if (got >= 5 && !memcmp(bytes, "From ", 5))
		return MBOX;
	/* Blank lines, a byte order mark or debris in front of the first
	   message: Thunderbird shows such a folder empty, but the mail is
	   there. */
	return memmem(bytes, (size_t)got, "\nFrom ", 6) ? MBOX : OTHER;
}

/* nsShouldIgnoreFile: not folders, whatever they hold. */
static bool is_ignored(const char *name)
{
	static const char *const names[] = {
		"msgfilterrules.dat", "rules.dat",	 "filterlog.html",
		"junklog.html",	      "rulesbackup.dat", "popstate.dat",
		"sort.dat",	      "mailfilt.log",	 "filters.js",
		"feeds.rdf",	      "feeditems.rdf",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return !strncasecmp(name, "feeds.json", 10) ||
	       !strncasecmp(name, "feeditems.json", 14) ||
	       !strncasecmp(name, "feeditems_error", 15) ||
	       ends_in(name, ".snm") || ends_in(name, ".toc") ||
	       ends_in(name, ".mozmsgs");
}

static bool is_backup_name(const char *name)
{
	return name[0] == '.' || name[0] == '#' ||
	       name[strlen(name) - 1] == '~';
}

enum found {
	NOT_A_FOLDER,
	SHOWN,
	LOST, /* a folder of a name that Thunderbird takes for something else */
};

static enum found judge_file(const struct place *at, const char *name)
{
	bool summed_up = kind_of(at, name, ".msf") == 'f';

	if (is_ignored(name))
		return NOT_A_FOLDER;
	if (ends_in(name, ".msf")) {
		char *base = mem_strndup(name, strlen(name) - 4);
		bool of_base = kind_of(at, base, "") && !summed_up;

		free(base);
		return !of_base && look_into(at, name) == MBOX ? LOST
							       : NOT_A_FOLDER;
	}
	if (ends_in(name, ".sbd"))
		return look_into(at, name) == MBOX ? LOST : NOT_A_FOLDER;
	if (is_backup_name(name)) {
		if (look_into(at, name) == MBOX)
			tell(at, name,
			     "looks like mail, but Thunderbird takes no "
			     "file of such a name for a folder; left out");
		return NOT_A_FOLDER;
	}
	if (!summed_up && look_into(at, name) == OTHER) {
		tell(at, name, "not an mbox; left out");
		return NOT_A_FOLDER;
	}
	/* A file that compacting left behind: whole or not, it is mail. */
	return strncmp(name, "nstmp", 5) ? SHOWN : LOST;
}

/* Thunderbird passes over directories that are neither; so do we, aloud. */
static void judge_directory(const struct place *at, const char *name)
{
	char *rel;

	if (ends_in(name, ".sbd") || name[0] == '.')
		return;
	rel = joined(at->dir, name, "");
	if (tb_looks_like_account(at->w, rel))
		remark_add(at->r,
			   "%s holds folders, but is none itself; to migrate "
			   "them, give thunderbird:%s/%s as a source",
			   rel, walk_root(at->w), rel);
	free(rel);
}

static enum found judge(const struct place *at, const struct walk_entry *entry)
{
	const char *name = entry->name;

	switch (entry->kind) {
	case 'f':
		return judge_file(at, name);
	case 'd':
		if (ends_in(name, ".mozmsgs"))
			return NOT_A_FOLDER;
		if (!is_maildir(at, name)) {
			judge_directory(at, name);
			return NOT_A_FOLDER;
		}
		return ends_in(name, ".msf") || ends_in(name, ".sbd") ||
				       is_backup_name(name)
			       ? LOST
			       : SHOWN;
	case 'l':
		tell(at, name, "a symbolic link, not followed");
		return NOT_A_FOLDER;
	default:
		return NOT_A_FOLDER;
	}
}

/* --- names --- */

/* As it is on disk, for people and servers. */
static void add_leaf(const struct place *at, const char *leaf, struct buf *out)
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

static bool ask_cache(const struct place *at, const char *leaf,
		      struct tb_cached *c_r)
{
	const char *dir = at->account->dir, *slash = strrchr(dir, '/');
	char *rel = joined(at->dir, leaf, ".msf");
	char *file = joined(walk_root(at->w), rel, "");
	bool known =
		tb_names_cached(at->names, file,
				rel + (slash ? slash - dir + 1 : 0), leaf, c_r);

	free(file);
	free(rel);
	return known;
}

/* The summary is asked when the cache has no answer: it takes reading all of
 * it. */
static void ask_summary(const struct place *at, const char *leaf,
			struct identity *id)
{
	char *rel = joined(at->dir, leaf, ".msf");
	struct err e = ERR_INIT;
	struct tb_summary *s = tb_summary_load(at->w, rel, &e);

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
static bool is_special(const struct place *at, const char *leaf, uint64_t flags)
{
	for (size_t i = 0; !at->parents[0] && i < SPECIALS; i++)
		if (!strcmp(leaf, specials[i].leaf))
			return !flags || flags & specials[i].flag;
	return false;
}

/* Of a name that ends like a hash. Eight digits are more likely a date. */
static void tell_hashed(const struct place *at, const char *leaf)
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
		tell(at, leaf, what.data);
	buf_free(&what);
}

static void identify(const struct place *at, const char *leaf,
		     struct identity *id)
{
	struct buf decoded = BUF_INIT, composed = BUF_INIT;
	struct tb_cached cached;
	const char *other;
	bool known = ask_cache(at, leaf, &cached);

	*id = (struct identity){ .name = BUF_INIT, .flags = cached.flags };
	if (cached.name)
		buf_set_str(&id->name, cached.name);
	if (!known && kind_of(at, leaf, ".msf") == 'f')
		ask_summary(at, leaf, id);
	if (!id->name.len && (other = tb_names_candidate(at->names, leaf)))
		buf_set_str(&id->name, other);
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

static enum folder_use use_of(const struct place *at, const char *leaf,
			      uint64_t flags)
{
	for (size_t i = 0; i < SPECIALS; i++)
		if (flags & specials[i].flag)
			return specials[i].use;
	for (size_t i = 0; !at->parents[0] && i < SPECIALS; i++)
		if (!strcmp(leaf, specials[i].leaf))
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

static void find_in(const struct place *at);

static void find_children(const struct place *at, const char *leaf,
			  const char *name, bool hidden)
{
	char *dir = joined(at->dir, leaf, ".sbd");
	char **path = path_of(at->parents, name);
	struct place below = *at;

	below.dir = dir;
	below.parents = path;
	below.hidden = at->hidden || hidden;
	find_in(&below);
	free_path(path);
	free(dir);
}

static bool is_empty_file(const struct place *at, const char *name)
{
	char *rel = joined(at->dir, name, "");
	struct stat st;
	bool is = walk_stat(at->w, rel, &st) == 0 && S_ISREG(st.st_mode) &&
		  !st.st_size;

	free(rel);
	return is;
}

static void take_folder(const struct place *at, const struct walk_entry *entry,
			enum found found)
{
	const char *leaf = entry->name;
	struct identity id;
	bool lost, children = kind_of(at, leaf, ".sbd") == 'd';

	identify(at, leaf, &id);
	lost = found == LOST || id.percent;
	/* A saved search has no mail of its own. */
	if (!(id.flags & FOLDER_VIRTUAL) || !is_empty_file(at, leaf)) {
		struct tb_folder *f = add_folder(at->out);

		f->id = joined(at->dir, leaf, "");
		if (kind_of(at, leaf, ".msf") == 'f')
			f->msf = joined(at->dir, leaf, ".msf");
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
	if (children)
		find_children(at, leaf, id.name.data, lost);
	buf_free(&id.name);
}

/* X.sbd where X itself is no folder: Thunderbird does not look inside. */
static void take_orphans(const struct place *at, const char *sbd,
			 const char *leaf)
{
	size_t before = at->out->n;
	struct identity id;

	identify(at, leaf, &id);
	find_children(at, leaf, id.name.data, true);
	if (at->out->n > before)
		tell(at, sbd,
		     "Thunderbird does not show the folders in it, because "
		     "the one they belong to is missing; their mail is "
		     "migrated");
	buf_free(&id.name);
}

static void take_entry(const struct place *at, size_t i,
		       const enum found *found)
{
	const struct walk_entry *entry = &at->entries->entries[i];
	size_t parent;
	char *leaf;

	if (found[i] != NOT_A_FOLDER)
		take_folder(at, entry, found[i]);
	if (entry->kind != 'd' || !ends_in(entry->name, ".sbd"))
		return;
	leaf = mem_strndup(entry->name, strlen(entry->name) - 4);
	parent = find_entry(at->entries, leaf);
	if (parent == SIZE_MAX || found[parent] == NOT_A_FOLDER)
		take_orphans(at, entry->name, leaf);
	free(leaf);
}

static void find_in(const struct place *at)
{
	struct err e = ERR_INIT;
	struct place here = *at;
	struct walk_dir d;
	enum found *found;

	if (walk_list(at->w, at->dir, &d, &e) < 0) {
		struct tb_folder *f = add_folder(at->out);

		f->id = mem_strdup(at->dir);
		f->error = mem_strdup(e.text);
		return;
	}
	here.entries = &d;
	found = mem_alloc((d.n + 1) * sizeof(*found));
	for (size_t i = 0; i < d.n; i++)
		found[i] = judge(&here, &d.entries[i]);
	for (size_t i = 0; i < d.n; i++)
		take_entry(&here, i, found);
	free(found);
	walk_dir_free(&d);
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
		struct place at = {
			.w = w,
			.opt = opt,
			.account = &p->accounts[i],
			.names = names,
			.out = out,
			.r = r,
			.dir = p->accounts[i].dir,
			.parents = none,
		};

		find_in(&at);
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
