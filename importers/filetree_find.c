/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which directories of a store with a file per message are folders: the search
   that the formats share. */
#include "importers/filetree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"

static const char *leaf_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void filetree_add_part(struct buf *parts, const char *name, size_t n)
{
	struct buf guessed = BUF_INIT;

	utf8_add_guessed(&guessed, name, n);
	utf8_add_nfc(parts, guessed.data, guessed.len);
	buf_add_char(parts, '\0');
	buf_free(&guessed);
}

enum folder_use filetree_use(const struct buf *parts)
{
	/* One part, and its NUL. */
	return parts->len && strlen(parts->data) + 1 == parts->len
		       ? folder_use_by_name(parts->data)
		       : USE_NONE;
}

const char *filetree_keep(struct filetree *t, const char *s)
{
	t->kept = mem_realloc(t->kept, (t->n_kept + 1) * sizeof(*t->kept));
	t->kept[t->n_kept] = mem_strdup(s);
	return t->kept[t->n_kept++];
}

static int entry_by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct walk_entry *)entry)->name);
}

const struct walk_entry *filetree_entry(const struct walk_dir *d,
					const char *name)
{
	if (!d->n)
		return NULL;
	return bsearch(name, d->entries, d->n, sizeof(*d->entries),
		       entry_by_name);
}

bool filetree_ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), len = strlen(suffix);

	return n > len && ascii_same(name + n - len, len, suffix);
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

static size_t new_folder(struct filetree *t, const char *rel,
			 const struct buf *parts, const char *name)
{
	struct buf own = BUF_INIT;
	struct filetree_folder *f;

	if (t->n_folders == t->cap_folders) {
		t->cap_folders += t->cap_folders / 2 + 16;
		t->folders =
			mem_realloc(t->folders, t->cap_folders * sizeof(*f));
	}
	f = &t->folders[t->n_folders];
	if (!parts->len)
		filetree_add_part(&own, name, strlen(name));
	*f = (struct filetree_folder){
		.rel = mem_strdup(rel),
		.path = build_path(parts->len ? parts : &own),
	};
	buf_free(&own);
	return t->n_folders++;
}

void filetree_add_dir(struct filetree *t, size_t folder, const char *rel)
{
	struct filetree_folder *f = &t->folders[folder];

	f->dirs = mem_realloc(f->dirs, (f->n_dirs + 1) * sizeof(*f->dirs));
	f->dirs[f->n_dirs++] = mem_strdup(rel);
}

size_t filetree_add(struct filetree *t, const struct filetree_place *at,
		    enum folder_use use, bool files)
{
	size_t index = new_folder(t, at->rel, at->parts, at->name);
	struct filetree_folder *f = &t->folders[index];

	f->use = at->parts->len || use ? use : folder_use_by_name(f->path[0]);
	f->account = mem_strdup(at->account ? at->account : "");
	if (files)
		filetree_add_dir(t, index, at->rel);
	return index;
}

/* The path is absolute: whoever opens a source has resolved it. */
static char *name_above(const char *path)
{
	char *copy = mem_strdup(path), *slash = strrchr(copy, '/'), *name;

	if (slash)
		*slash = '\0';
	name = mem_strdup(slash && leaf_of(copy)[0] ? leaf_of(copy) : "Mail");
	free(copy);
	return name;
}

void filetree_add_file(struct filetree *t)
{
	struct buf parts = BUF_INIT;
	char *name = name_above(walk_root(t->w));
	size_t index = new_folder(t, "", &parts, name);
	struct filetree_folder *f = &t->folders[index];

	f->account = mem_strdup("");
	f->use = folder_use_by_name(f->path[0]);
	filetree_add_dir(t, index, "");
	free(name);
}

static void remark_links(struct filetree *t, const char *rel,
			 const struct walk_dir *d)
{
	const char *first[2] = { NULL };
	size_t n[2] = { 0 };

	for (size_t i = 0; i < d->n; i++) {
		bool other = d->entries[i].kind == '?';

		if (!other && d->entries[i].kind != 'l')
			continue;
		if (!n[other]++)
			first[other] = d->entries[i].name;
	}
	if (n[0])
		remark_add(&t->remarks,
			   "%s: %zu symbolic links not followed, the first is "
			   "%s",
			   rel[0] ? rel : ".", n[0], first[0]);
	if (n[1])
		remark_add(&t->remarks,
			   "%s: %zu special files not opened, the first is %s",
			   rel[0] ? rel : ".", n[1], first[1]);
}

/* Depth is bounded by walk.h. */
static int look_into(struct filetree *t, struct filetree_place *at,
		     struct buf *rel, filetree_visit *visit, struct err *e)
{
	size_t rel_len = rel->len, parts_len;
	struct walk_dir d;

	if (walk_list(t->w, rel->data, &d, e) < 0)
		return -1;
	at->rel = rel->data;
	at->dir = &d;
	if (!visit(t, at))
		goto out;
	remark_links(t, rel->data, &d);
	parts_len = at->parts->len;
	for (size_t i = 0; i < d.n; i++) {
		struct filetree_place below = *at;
		struct err why = ERR_INIT;

		if (d.entries[i].kind != 'd')
			continue;
		if (rel_len)
			buf_add_char(rel, '/');
		buf_add_str(rel, d.entries[i].name);
		below.name = d.entries[i].name;
		below.above = &d;
		below.depth++;
		if (look_into(t, &below, rel, visit, &why) < 0) {
			struct buf *parts = at->parts;
			size_t f;

			filetree_add_part(parts, below.name,
					  strlen(below.name));
			f = new_folder(t, rel->data, parts, below.name);
			t->folders[f].account = mem_strdup("");
			t->folders[f].error = mem_strdup(why.text);
		}
		buf_cut(rel, rel_len);
		buf_cut(at->parts, parts_len);
		at->rel = rel->data; /* it may have moved */
	}
out:
	walk_dir_free(&d);
	return 0;
}

int filetree_find(struct filetree *t, filetree_visit *visit, struct err *e)
{
	struct buf rel = BUF_INIT, parts = BUF_INIT;
	struct filetree_place at = {
		.name = leaf_of(walk_root(t->w)),
		.parts = &parts,
	};
	int ret = look_into(t, &at, &rel, visit, e);

	filetree_found(t);
	buf_free(&rel);
	buf_free(&parts);
	return ret;
}

static void free_folder(struct filetree_folder *f)
{
	for (size_t i = 0; i < f->n_dirs; i++)
		free(f->dirs[i]);
	free(f->dirs);
	free(f->rel);
	free(f->path);
	free(f->account);
	free(f->error);
}

static int by_id(const void *va, const void *vb)
{
	const struct filetree_folder *a = va, *b = vb;

	return strcmp(a->rel[0] ? a->rel : ".", b->rel[0] ? b->rel : ".");
}

void filetree_found(struct filetree *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_folders; i++) {
		if (t->folders[i].n_dirs || t->folders[i].error)
			t->folders[kept++] = t->folders[i];
		else
			free_folder(&t->folders[i]);
	}
	t->n_folders = kept;
	if (kept)
		qsort(t->folders, kept, sizeof(*t->folders), by_id);
}

int filetree_nothing(struct filetree *t, const char *what, struct err *e)
{
	const char *first = remark_nth(&t->remarks, 0);

	return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
		       "%s: no %s here or below%s%s", walk_root(t->w), what,
		       first ? "; " : "", first ? first : "");
}

void filetree_release(struct filetree *t)
{
	for (size_t i = 0; t->folder && i < t->folder->n_dirs; i++)
		walk_dir_free(&t->lists[i]);
	free(t->lists);
	free(t->files);
	for (size_t i = 0; i < t->n_folders; i++)
		free_folder(&t->folders[i]);
	free(t->folders);
	for (size_t i = 0; i < t->n_kept; i++)
		free(t->kept[i]);
	free(t->kept);
	remarks_free(&t->remarks);
	buf_free(&t->state);
	buf_free(&t->fingerprint);
	buf_free(&t->file);
	buf_free(&t->path);
	walk_close(t->w);
	free(t->bytes);
	*t = (struct filetree){ .base = t->base };
}
