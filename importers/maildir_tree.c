/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which folders a source holds: the directory itself, its Maildir++ folders
   (".A.B" beside cur), Maildirs in directories below (Dovecot's LAYOUT=fs,
   mbsync), and KMail's (".A.directory/B" beside A). */
#include "importers/maildir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/date.h"
#include "core/base/utf8.h"

void maildir_tree_free(struct maildir_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->folders[i].rel);
		free(t->folders[i].path);
		free(t->folders[i].error);
	}
	free(t->folders);
	remarks_free(&t->remarks);
	*t = (struct maildir_tree){ 0 };
}

static int entry_by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct walk_entry *)entry)->name);
}

const struct walk_entry *maildir_entry(const struct walk_dir *d,
				       const char *name)
{
	if (!d->n)
		return NULL;
	return bsearch(name, d->entries, d->n, sizeof(*d->entries),
		       entry_by_name);
}

static bool is_dir(const struct walk_dir *d, const char *name)
{
	const struct walk_entry *entry = maildir_entry(d, name);

	return entry && entry->kind == 'd';
}

bool maildir_has_new(struct walk *w, const char *rel)
{
	struct buf path = BUF_INIT;
	struct walk_dir d;
	struct err e;
	bool found = false;

	buf_addf(&path, "%s%snew", rel, rel[0] ? "/" : "");
	if (walk_list(w, path.data, &d, &e) == 0) {
		for (size_t i = 0; i < d.n && !found; i++)
			found = d.entries[i].kind == 'f' &&
				maildir_name_delivered(d.entries[i].name) > 0;
		walk_dir_free(&d);
	}
	buf_free(&path);
	return found;
}

bool maildir_is_one(struct walk *w, const char *rel, const struct walk_dir *d)
{
	return is_dir(d, "cur") ||
	       (is_dir(d, "new") && maildir_has_new(w, rel));
}

/* The table of a folder's parts and the parts themselves in one block. */
static char **build_path(const struct buf *parts)
{
	size_t n = 0;
	char **path, *p;

	for (size_t i = 0; i < parts->len; i++)
		n += !parts->data[i];
	path = mem_alloc((n + 1) * sizeof(*path) + parts->len);
	p = memcpy(path + n + 1, parts->data, parts->len);
	for (size_t i = 0; i < n; i++) {
		path[i] = p;
		p += strlen(p) + 1;
	}
	path[n] = NULL;
	/* The one name that is compared without case everywhere. */
	if (n && !strcasecmp(path[0], "INBOX"))
		memcpy(path[0], "INBOX", 5);
	return path;
}

/* A folder below the Inbox is one at the top for whoever speaks Courier's
 * dialect. */
static enum folder_use use_of(char *const *path)
{
	if (!path[0])
		return USE_NONE;
	if (path[1] && !path[2] && !strcmp(path[0], "INBOX"))
		return folder_use_by_name(path[1]);
	return path[1] ? USE_NONE : folder_use_by_name(path[0]);
}

static void add_folder(struct maildir_tree *t, const char *rel,
		       const struct buf *parts, const char *error)
{
	/* The source itself is somebody's Inbox, whatever its directory is
	   called:
	   ~/Maildir, /var/vmail/example.jp/taro, backup-2019. */
	static char name[] = "INBOX";
	const struct buf inbox = { .data = name, .len = sizeof(name) };
	struct maildir_folder *f;

	if (t->n == t->cap) {
		t->cap += t->cap / 2 + 16;
		t->folders =
			mem_realloc(t->folders, t->cap * sizeof(*t->folders));
	}
	f = &t->folders[t->n++];
	*f = (struct maildir_folder){
		.rel = mem_strdup(rel),
		.path = build_path(parts->len ? parts : &inbox),
		.error = error ? mem_strdup(error) : NULL,
	};
	f->use = use_of(f->path);
}

static void remark_links(struct maildir_tree *t, const char *rel,
			 const struct walk_dir *d)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->entries[i].kind != 'l')
			continue;
		if (!n++)
			first = d->entries[i].name;
	}
	if (n)
		remark_add(&t->remarks,
			   "%s: %zu symbolic links not followed, the "
			   "first is %s",
			   rel[0] ? rel : ".", n, first);
}

/* notmuch and mu take every file for a message, wherever it lies; mail programs
   do not show what is beside cur. */
static void remark_beside(struct maildir_tree *t, const char *rel,
			  const struct walk_dir *d)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		const char *name = d->entries[i].name;
		struct maildir_name parts;

		maildir_name_split(name, &parts);
		if (d->entries[i].kind != 'f' || name[0] == '.' ||
		    (!name[parts.unique_len] &&
		     maildir_name_delivered(name) == DATE_NONE))
			continue;
		if (!n++)
			first = name;
	}
	if (n)
		remark_add(&t->remarks,
			   "%s: %zu files beside cur that may be messages "
			   "were left out, the first is %s",
			   rel[0] ? rel : ".", n, first);
}

static bool is_message_dir(const char *name)
{
	return !strcmp(name, "cur") || !strcmp(name, "new") ||
	       !strcmp(name, "tmp");
}

/* Of the programs that work on a Maildir; there is no folder in them. Gnus'
   .nnmaildir has links to every message. */
static bool is_private(const char *name)
{
	static const char *const names[] = { ".nnmaildir", ".notmuch",
					     ".#evolution",
					     "courierimapkeywords" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Evolution notes in "..maildir++" that it has escaped the names beside it
   (camel-maildir-store.c, "maildir++ 1"; older versions wrote no number, and
   escaped nothing). */
static enum maildir_dialect dialect_of(struct walk *w, const char *rel,
				       const struct walk_dir *d)
{
	static const char file[] = "..maildir++", begin[] = "maildir++ ";
	struct buf path = BUF_INIT, text = BUF_INIT;
	enum maildir_dialect dialect = MAILDIR_PLUSPLUS;
	struct err ignored;

	if (!maildir_entry(d, file))
		return dialect;
	buf_addf(&path, "%s%s%s", rel, rel[0] ? "/" : "", file);
	if (walk_slurp(w, path.data, 4096, &text, &ignored) == 0 &&
	    !strncmp(text.data, begin, sizeof(begin) - 1))
		dialect = MAILDIR_EVOLUTION;
	buf_free(&path);
	buf_free(&text);
	return dialect;
}

/* Append the parts for the directory rel of this name. */
static void add_parts(struct walk *w, const struct buf *rel, const char *name,
		      enum maildir_dialect dialect, struct buf *parts)
{
	struct buf cur = BUF_INIT;
	struct stat st;

	buf_addf(&cur, "%s/cur", rel->data);
	/* A folder of Maildir++ may also be called so. */
	if (walk_stat(w, cur.data, &st) == 0 ||
	    !maildir_kmail_parts(parts, name))
		maildir_folder_parts(parts, name, dialect);
	buf_free(&cur);
}

/* Add the folders at and below the directory rel. Depth is bounded by walk.h.
 */
static int look_into(struct maildir_tree *t, struct walk *w, struct buf *rel,
		     struct buf *parts, struct err *e)
{
	size_t rel_len = rel->len, parts_len = parts->len;
	enum maildir_dialect dialect;
	struct walk_dir d;
	bool is_one;

	if (walk_list(w, rel->data, &d, e) < 0)
		return -1;
	dialect = dialect_of(w, rel->data, &d);
	is_one = maildir_is_one(w, rel->data, &d);
	if (is_one) {
		add_folder(t, rel->data, parts, NULL);
		remark_beside(t, rel->data, &d);
	}
	remark_links(t, rel->data, &d);
	for (size_t i = 0; i < d.n; i++) {
		const char *name = d.entries[i].name;

		if (d.entries[i].kind != 'd' || is_private(name) ||
		    (is_one && is_message_dir(name)))
			continue;
		if (rel_len)
			buf_add_char(rel, '/');
		buf_add_str(rel, name);
		add_parts(w, rel, name, dialect, parts);
		if (look_into(t, w, rel, parts, e) < 0)
			add_folder(t, rel->data, parts, e->text);
		buf_cut(rel, rel_len);
		buf_cut(parts, parts_len);
	}
	walk_dir_free(&d);
	return 0;
}

const char *maildir_folder_id(const struct maildir_folder *f)
{
	return f->rel[0] ? f->rel : ".";
}

static int by_id(const void *a, const void *b)
{
	return strcmp(maildir_folder_id(a), maildir_folder_id(b));
}

int maildir_tree_find(struct maildir_tree *t, struct walk *w, struct err *e)
{
	struct buf rel = BUF_INIT, parts = BUF_INIT;
	int ret = look_into(t, w, &rel, &parts, e);

	if (t->n)
		qsort(t->folders, t->n, sizeof(*t->folders), by_id);
	buf_free(&rel);
	buf_free(&parts);
	return ret;
}
