/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which .dbx files are folders, and what they are called.

   The files of a store lie in one directory; Folders.dbx has the tree with the
   real names, and names each folder's file, which may be missing. The tree's
   root is "Outlook Express", below it stands a container for local folders and
   one for each IMAP, HTTP or news account. A message file that the tree does
   not know holds mail all the same: it says itself what it was called. */
#include "importers/dbx_tree.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/dbx_ansi.h"
#include "importers/dbx_file.h"

enum { CLIMB_MOST = 64, ROOT_ID = 0 };

/* A folder record of Folders.dbx. */
struct record {
	uint32_t id, parent, use, source, count;
	char *name, *file; /* UTF-8; file may be "" */
	bool met;	   /* its file was there */
};
struct records {
	struct record *at;
	size_t n, cap;
	bool there;
};

/* One directory. */
struct place {
	struct walk *w;
	const struct importer_options *opt;
	const char *rel;
	const struct walk_dir *dir;
	struct dbx_tree *t;
	struct records records;
	size_t imap, news;
};

char **dbx_path_make(const char *const *parts, size_t n)
{
	char **path = mem_zalloc((n + 1) * sizeof(*path));

	for (size_t i = 0; i < n; i++)
		path[i] = mem_strdup(parts[i]);
	return path;
}

void dbx_path_free(char **path)
{
	for (size_t i = 0; path && path[i]; i++)
		free(path[i]);
	free(path);
}

void dbx_tree_free(struct dbx_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->folders[i].rel);
		free(t->folders[i].id);
		free(t->folders[i].account);
		dbx_path_free(t->folders[i].path);
	}
	free(t->folders);
	remarks_free(&t->remarks);
	*t = (struct dbx_tree){ .folders = NULL };
}

/* --- Folders.dbx --- */

static char *decoded(struct dbx_file *d, uint32_t record, unsigned index)
{
	struct buf raw = BUF_INIT, name = BUF_INIT;

	if (dbx_string(d, record, index, &raw))
		dbx_add_ansi(&name, raw.data, raw.len);
	buf_free(&raw);
	return buf_detach(&name);
}

static void read_record(struct dbx_file *d, uint32_t at, struct records *rs)
{
	struct record r = { .parent = UINT32_MAX, .source = DBX_LOCAL };

	if (!dbx_number(d, at, DBX_FOLDER_ID, &r.id))
		return;
	dbx_number(d, at, DBX_FOLDER_PARENT, &r.parent);
	dbx_number(d, at, DBX_FOLDER_USE, &r.use);
	dbx_number(d, at, DBX_FOLDER_SOURCE, &r.source);
	dbx_number(d, at, DBX_FOLDER_COUNT, &r.count);
	r.file = decoded(d, at, DBX_FOLDER_FILE);
	/* All newsgroups of a server stand here, tens of thousands. */
	if (r.source == DBX_NEWS && !r.file[0]) {
		free(r.file);
		return;
	}
	r.name = decoded(d, at, DBX_FOLDER_NAME);
	if (rs->n == rs->cap) {
		rs->cap = rs->cap * 2 + 16;
		rs->at = mem_realloc(rs->at, rs->cap * sizeof(*rs->at));
	}
	rs->at[rs->n++] = r;
}

static int by_id(const void *va, const void *vb)
{
	const struct record *a = va, *b = vb;

	return (a->id > b->id) - (a->id < b->id);
}

static void read_records(struct place *p, const char *rel, int fd,
			 uint64_t size)
{
	struct dbx_file d;

	dbx_file_open(&d, fd, size);
	dbx_file_index(&d);
	for (size_t i = 0; i < d.n; i++)
		read_record(&d, d.at[i], &p->records);
	if (p->records.n)
		qsort(p->records.at, p->records.n, sizeof(*p->records.at),
		      by_id);
	if (d.damage)
		remark_add(&p->t->remarks,
			   "%s: damaged at byte %u; folders may be missing "
			   "from the tree",
			   rel, d.damage);
	p->records.there = p->records.n > 0;
	p->t->stores += p->records.there;
	dbx_file_close(&d);
}

static void free_records(struct records *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		free(rs->at[i].name);
		free(rs->at[i].file);
	}
	free(rs->at);
}

static const struct record *find_record(const struct records *rs, uint32_t id)
{
	const struct record key = { .id = id };

	return rs->n ? bsearch(&key, rs->at, rs->n, sizeof(key), by_id) : NULL;
}

static struct record *record_of(struct place *p, const char *leaf)
{
	struct record *found = NULL;
	struct buf name = BUF_INIT, composed = BUF_INIT;

	utf8_add_guessed(&name, leaf, strlen(leaf));
	utf8_add_nfc(&composed, name.data, name.len);
	for (size_t i = 0; !found && i < p->records.n; i++) {
		struct record *r = &p->records.at[i];

		if (!r->met && r->file[0] &&
		    !ascii_compare(r->file, composed.data))
			found = r;
	}
	buf_free(&name);
	buf_free(&composed);
	return found;
}

/* --- folders --- */

static enum folder_use use_of(uint32_t special)
{
	static const enum folder_use uses[] = {
		USE_NONE, USE_INBOX, USE_QUEUE, USE_SENT, USE_TRASH, USE_DRAFTS,
	};

	return special < sizeof(uses) / sizeof(uses[0]) ? uses[special]
							: USE_NONE;
}

/* The names from below the account's container down to r. False when the tree
   has a circle. */
static bool climb(const struct records *rs, const struct record *r,
		  struct dbx_folder *f)
{
	const char *names[CLIMB_MOST];
	const struct record *at = r;
	size_t n = CLIMB_MOST;

	f->account = mem_strdup("");
	for (; at && at->id != ROOT_ID; at = find_record(rs, at->parent)) {
		if (at != r && !at->file[0] &&
		    (at->parent == ROOT_ID || !find_record(rs, at->parent))) {
			free(f->account);
			f->account = mem_strdup(at->name);
			break;
		}
		if (!n)
			return false;
		names[--n] = at->name[0] ? at->name : "?";
	}
	f->path = dbx_path_make(names + n, CLIMB_MOST - n);
	return true;
}

static struct dbx_folder *add_folder(struct dbx_tree *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap * 2 + 16;
		t->folders =
			mem_realloc(t->folders, t->cap * sizeof(*t->folders));
	}
	t->folders[t->n] = (struct dbx_folder){ .rel = NULL };
	return &t->folders[t->n++];
}

/* What a message file says of itself. */
struct own {
	unsigned source;
	char *name;
};

static struct own describe_own(int fd, uint64_t size, const char *leaf)
{
	struct own own = { .source = DBX_LOCAL };
	struct buf raw = BUF_INIT, name = BUF_INIT;
	struct dbx_file d;

	dbx_file_open(&d, fd, size);
	dbx_file_describes(&d, &own.source, &raw);
	dbx_file_close(&d);
	dbx_add_ansi(&name, raw.data, raw.len);
	if (!name.len) {
		dbx_add_ansi(&name, leaf, strlen(leaf));
		if (dbx_has_suffix(name.data, ".dbx"))
			buf_cut(&name, name.len - 4);
	}
	buf_free(&raw);
	own.name = buf_detach(&name);
	return own;
}

static void add_file(struct place *p, const char *rel, const char *leaf,
		     struct own *own)
{
	struct record *r = record_of(p, leaf);
	uint32_t source = r ? r->source : own->source;
	const char *name = own->name;
	struct dbx_folder *f;

	if (r)
		r->met = true;
	p->imap += source == DBX_IMAP;
	p->news += source == DBX_NEWS;
	if (source == DBX_NEWS || (source == DBX_IMAP && !p->opt->imap_copies))
		return;
	f = add_folder(p->t);
	f->rel = mem_strdup(rel);
	f->id = mem_strdup(rel[0] ? rel : leaf);
	f->remote = source == DBX_IMAP;
	if (r && climb(&p->records, r, f)) {
		f->use = use_of(r->use);
	} else {
		free(f->account);
		f->account = mem_strdup("");
		f->path = dbx_path_make(&name, 1);
		f->hidden = p->records.there;
		if (f->hidden)
			remark_add(&p->t->remarks,
				   "%s: in no folder of the tree in "
				   "Folders.dbx; migrated as '%s'",
				   rel, name);
	}
	if (f->use == USE_NONE && !f->path[1])
		f->use = folder_use_by_name(f->path[0]);
}

/* A file of the directory, or the source itself. Reads its first bytes. */
static void look_at(struct place *p, const char *rel, const char *leaf,
		    bool folders)
{
	struct err e = ERR_INIT;
	struct stat st;
	struct own own = { .source = DBX_LOCAL };
	char head[DBX_HEAD];
	int fd = walk_file(p->w, rel, &st, &e);
	ssize_t got = fd < 0 ? 0 : pread(fd, head, sizeof(head), 0);
	enum dbx_kind kind = dbx_looks(head, got < 0 ? 0 : (size_t)got);

	if (folders) {
		if (kind == DBX_FOLDERS)
			read_records(p, rel, fd, (uint64_t)st.st_size);
	} else if (fd < 0) {
		remark_add(&p->t->remarks, "%s; left out", e.text);
	} else if (kind == DBX_MESSAGES) {
		own = describe_own(fd, (uint64_t)st.st_size, leaf);
		add_file(p, rel, leaf, &own);
		free(own.name);
	} else if (kind == DBX_NOT && st.st_size && !p->opt->others_looked) {
		remark_add(&p->t->remarks,
			   "%s: not a file of Outlook Express 5 or 6; left out",
			   rel);
	}
	if (fd >= 0)
		close(fd);
}

static void tell_missing(struct place *p)
{
	for (size_t i = 0; i < p->records.n; i++) {
		const struct record *r = &p->records.at[i];

		if (!r->met && r->file[0] && r->count &&
		    r->source != DBX_NEWS &&
		    (r->source != DBX_IMAP || p->opt->imap_copies))
			remark_add(&p->t->remarks,
				   "folder '%s': there should be %u messages "
				   "in %s, which is not there",
				   r->name, r->count, r->file);
	}
	if (p->news)
		remark_add(&p->t->remarks,
			   "%s: %zu newsgroups left out: they are not mail",
			   p->rel[0] ? p->rel : ".", p->news);
	if (p->imap && !p->opt->imap_copies)
		remark_add(&p->t->remarks,
			   "%s: %zu copies of folders of IMAP accounts left "
			   "out: their mail is on the server",
			   p->rel[0] ? p->rel : ".", p->imap);
}

static void look_at_files(struct place *p)
{
	struct buf rel = BUF_INIT;

	for (int folders = 1; folders >= 0; folders--) {
		for (size_t i = 0; i < p->dir->n; i++) {
			const struct walk_entry *entry = &p->dir->entries[i];

			if (entry->kind != 'f' ||
			    !dbx_has_suffix(entry->name, ".dbx"))
				continue;
			buf_reset(&rel);
			dbx_join(&rel, p->rel, entry->name);
			look_at(p, rel.data, entry->name, folders);
		}
	}
	buf_free(&rel);
	tell_missing(p);
	free_records(&p->records);
}

static void look_below(struct dbx_tree *t, struct walk *w,
		       const struct importer_options *opt, const char *rel)
{
	struct err e = ERR_INIT;
	struct walk_dir dir = { .n = 0 };
	struct place p = {
		.w = w,
		.opt = opt,
		.rel = rel,
		.dir = &dir,
		.t = t,
	};
	struct buf below = BUF_INIT;

	if (walk_list(w, rel, &dir, &e) < 0) {
		remark_add(&t->remarks, "%s; left out", e.text);
		return;
	}
	look_at_files(&p);
	for (size_t i = 0; i < dir.n; i++) {
		buf_reset(&below);
		dbx_join(&below, rel, dir.entries[i].name);
		if (dir.entries[i].kind == 'd')
			look_below(t, w, opt, below.data);
		else if (dir.entries[i].kind == 'l')
			remark_add(&t->remarks,
				   "%s: a symbolic link, not followed",
				   below.data);
	}
	buf_free(&below);
	walk_dir_free(&dir);
}

static int folder_by_id(const void *va, const void *vb)
{
	const struct dbx_folder *a = va, *b = vb;

	return strcmp(a->id, b->id);
}

int dbx_tree_find(struct dbx_tree *t, struct walk *w,
		  const struct importer_options *opt, struct err *e)
{
	struct walk_dir none = { .n = 0 };
	struct place p = {
		.w = w,
		.opt = opt,
		.rel = "",
		.dir = &none,
		.t = t,
	};

	*t = (struct dbx_tree){ .remarks = { .last = BUF_INIT } };
	if (walk_is_file(w))
		look_at(&p, "", dbx_leaf(walk_root(w)), false);
	else
		look_below(t, w, opt, "");
	if (!t->n)
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: no mail of Outlook Express 5 or 6 "
			       "here%s%s",
			       walk_root(w), t->remarks.n ? "; " : "",
			       t->remarks.n ? t->remarks.lines[0] : "");
	qsort(t->folders, t->n, sizeof(*t->folders), folder_by_id);
	return 0;
}
