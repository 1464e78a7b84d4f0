/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds mbox files in a directory tree, and their folders' names: "Foo",
   "Foo.mbox", "Foo.mbox/mbox" (Apple Mail's export), with children in
   "Foo.sbd/" (Thunderbird, Evolution) or in a plain directory. */
#include "importers/mbox_tree.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/mbox_bytes.h"
#include "importers/mbox_head.h"
#include "importers/mbox_private.h"
#include "importers/mbox_score.h"
#include "importers/takeout.h"

void mbox_tree_free(struct mbox_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->files[i].rel);
		free(t->files[i].path);
		free(t->files[i].error);
	}
	free(t->files);
	remarks_free(&t->remarks);
	*t = (struct mbox_tree){ 0 };
}

const char *mbox_leaf(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The length of name without one of the suffixes; all of it if it has none, or
   would be nothing without. */
static size_t without(const char *name, size_t n, const char *const *suffixes)
{
	for (; *suffixes; suffixes++) {
		size_t len = strlen(*suffixes);

		if (n > len && ascii_same(name + n - len, len, *suffixes))
			return n - len;
	}
	return n;
}

static const char *const mbox_suffixes[] = { ".mbox", ".mbx", NULL };

/* What packers put behind a name; what they packed, the file's bytes tell. */
static const char *const packed_suffixes[] = { ".gz",  ".bz2",	".xz",
					       ".zst", ".zstd", NULL };

bool mbox_named_so(const char *name)
{
	size_t n = without(name, strlen(name), packed_suffixes);

	return without(name, n, mbox_suffixes) < n;
}

bool mbox_named_index(const char *name)
{
	static const char *const suffixes[] = {
		".msf",	  ".snm",	 ".toc",
		".dat", /* Mozilla, Eudora */
		".cmeta", ".ev-summary", ".ev-summary-meta", /* Evolution */
		".index", ".index.data", ".lock",
		NULL,
	};
	size_t n = strlen(name);

	return without(name, n, suffixes) < n;
}

/* "mbox" in "Foo.mbox" is Apple Mail's export of Foo. */
static bool is_apples(const char *leaf, const char *dir, size_t dir_len)
{
	return !strcmp(leaf, "mbox") &&
	       without(dir, dir_len, mbox_suffixes) < dir_len;
}

/* Append the folder's part that a file or directory stands for, and a NUL. */
static void add_part(struct buf *parts, const char *name, size_t n,
		     const char *const *suffixes)
{
	struct buf guessed = BUF_INIT;

	n = without(name, n, suffixes);
	utf8_add_guessed(&guessed, name, n);
	utf8_add_nfc(parts, guessed.data, guessed.len);
	buf_add_char(parts, '\0');
	buf_free(&guessed);
}

static void add_parts(struct buf *parts, const char *rel)
{
	static const char *const dir_suffixes[] = { ".sbd", ".mbox", ".mbx",
						    NULL };
	const char *leaf = mbox_leaf(rel), *dir = rel;
	size_t n = 0;

	for (; dir < leaf; dir += n + 1) {
		n = strcspn(dir, "/");
		add_part(parts, dir, n, dir_suffixes);
	}
	if (leaf == rel || !is_apples(leaf, leaf - n - 1, n))
		add_part(parts, leaf,
			 without(leaf, strlen(leaf), packed_suffixes),
			 mbox_suffixes);
}

/* The source's own name, be it a file or Apple's directory round a file. */
static void add_root_part(struct buf *parts, const char *root)
{
	char *copy = mem_strdup(root);
	size_t n = strlen(copy);
	const char *leaf;

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	leaf = mbox_leaf(copy);
	if (leaf > copy + 1 && !strcmp(leaf, "mbox")) {
		char *dir_end = copy + (leaf - copy) - 1;
		const char *dir;

		*dir_end = '\0';
		dir = mbox_leaf(copy);
		if (is_apples(leaf, dir, strlen(dir)))
			leaf = dir;
	}
	add_part(parts, leaf, without(leaf, strlen(leaf), packed_suffixes),
		 mbox_suffixes);
	free(copy);
}

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
	return path;
}

static void add_file(struct mbox_tree *t, const struct walk *w, const char *rel,
		     const char *error)
{
	const char *root = walk_root(w);
	size_t root_len = strlen(root);
	struct buf parts = BUF_INIT;

	while (root_len > 1 && root[root_len - 1] == '/')
		root_len--;
	if (!rel[0] || (!strcmp(rel, "mbox") &&
			without(root, root_len, mbox_suffixes) < root_len))
		add_root_part(&parts, root);
	else
		add_parts(&parts, rel);
	if (t->n == t->cap) {
		t->cap += t->cap / 2 + 16;
		t->files = mem_realloc(t->files, t->cap * sizeof(*t->files));
	}
	t->files[t->n++] = (struct mbox_file){
		.rel = mem_strdup(rel),
		.path = build_path(&parts),
		.error = error ? mem_strdup(error) : NULL,
	};
	buf_free(&parts);
}

/* Thunderbird ignores these, too. All else is judged by its content: a folder
   may be called foo.msf (fixtures/README.md fact 7). */
static bool is_control(const char *name)
{
	return name[0] == '.' || name[0] == '#' ||
	       name[strlen(name) - 1] == '~';
}

static bool has_dir(const struct walk_dir *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].kind == 'd' &&
		    !strcmp(d->entries[i].name, name))
			return true;
	return false;
}

/* Directories that hold mail of other kinds, or copies for a search index. */
static bool is_foreign(const char *name, bool is_maildir)
{
	static const char *const copies[] = { ".mozmsgs", NULL };
	size_t n = strlen(name);

	if (is_maildir && (!strcmp(name, "cur") || !strcmp(name, "new") ||
			   !strcmp(name, "tmp")))
		return true;
	return without(name, n, copies) < n;
}

static int look_into(struct mbox_tree *t, struct walk *w, struct buf *rel,
		     struct err *e);

static void look_at(struct mbox_tree *t, struct walk *w, struct buf *rel,
		    char kind, bool is_maildir)
{
	const char *name = mbox_leaf(rel->data);
	struct err e;

	if (kind == 'l' || kind == '?')
		remark_add(&t->remarks, "%s: %s", rel->data,
			   kind == 'l' ? "a symbolic link, not followed"
				       : "a special file, not opened");
	else if (is_control(name) ||
		 (kind == 'd' && is_foreign(name, is_maildir)))
		t->passed_over++;
	else if (kind == 'f')
		add_file(t, w, rel->data, NULL);
	else if (look_into(t, w, rel, &e) < 0)
		add_file(t, w, rel->data, e.text);
}

/* Depth is bounded by walk.h. */
static int look_into(struct mbox_tree *t, struct walk *w, struct buf *rel,
		     struct err *e)
{
	size_t rel_len = rel->len;
	bool is_maildir;
	struct walk_dir d;

	if (walk_list(w, rel->data, &d, e) < 0)
		return -1;
	is_maildir = has_dir(&d, "cur") &&
		     (has_dir(&d, "new") || has_dir(&d, "tmp"));
	if (is_maildir)
		remark_add(
			&t->remarks,
			"%s: a Maildir, left out; bring it over as maildir:%s",
			rel_len ? rel->data : ".", "PATH");
	for (size_t i = 0; i < d.n; i++) {
		if (rel_len)
			buf_add_char(rel, '/');
		buf_add_str(rel, d.entries[i].name);
		look_at(t, w, rel, d.entries[i].kind, is_maildir);
		buf_cut(rel, rel_len);
	}
	walk_dir_free(&d);
	return 0;
}

static int by_rel(const void *a, const void *b)
{
	return strcmp(((const struct mbox_file *)a)->rel,
		      ((const struct mbox_file *)b)->rel);
}

int mbox_tree_find(struct mbox_tree *t, struct walk *w, struct err *e)
{
	struct buf rel = BUF_INIT;
	int ret;

	if (walk_is_file(w)) {
		add_file(t, w, "", NULL);
		return 0;
	}
	ret = look_into(t, w, &rel, e);
	if (t->n)
		qsort(t->files, t->n, sizeof(*t->files), by_rel);
	buf_free(&rel);
	return ret;
}

/* What the first bytes say. */

static void look_for_state(const char *text, size_t n, struct mbox_looks *looks,
			   struct flags *known)
{
	const char *eol = memchr(text, '\n', n), *value;
	size_t left, len;

	if (!eol)
		return;
	left = n - (size_t)(eol + 1 - text);
	looks->takeout = takeout_is_header(eol + 1, left);
	value = mbox_head_find(eol + 1, left, "X-IMAPbase", UINT_MAX, &len);
	if (!value)
		value = mbox_head_find(eol + 1, left, "X-IMAP", UINT_MAX, &len);
	if (value) {
		struct flags ignored = FLAGS_INIT;

		looks->keywords =
			mbox_keywords_of_file(value, len,
					      known ? known : &ignored);
		flags_free(&ignored);
	}
}

static bool looks_like_mbox(const char *text, size_t n, bool all)
{
	struct mbox_candidate c = {
		.text = text, .n = n, .first = true, .all = all
	};
	unsigned reasons;

	/* "From bob" and a whole header behind it get there, prose does not. */
	return n >= 5 && !memcmp(text, "From ", 5) &&
	       mbox_score(&c, &reasons) >= MBOX_SURE - 1;
}

/* Behind the marker: a separator line, or a header at once. */
static bool looks_like_mmdf(const char *text, size_t n)
{
	const char *eol = memchr(text, '\n', n);

	if (!mbox_is_mmdf(text, n) || !eol)
		return false;
	n -= (size_t)(eol + 1 - text);
	return mbox_is_header(eol + 1, n) || looks_like_mbox(eol + 1, n, false);
}

void mbox_look_at(char *text, size_t n, bool all, struct mbox_looks *looks_r,
		  struct flags *known)
{
	size_t skip = 0;

	*looks_r = (struct mbox_looks){ .sure = CLAIM_NO };
	looks_r->zip = n >= 4 && !memcmp(text, "PK\3\4", 4);
	if (n && !memchr(text, '\n', n)) /* classic Mac */
		for (size_t i = 0; i < n; i++)
			text[i] = text[i] == '\r' ? '\n' : text[i];
	if (n >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
		skip = 3;
	while (skip < n && memchr("\r\n", text[skip], 3))
		skip++;
	text += skip;
	n -= skip;
	if (looks_like_mbox(text, n, all))
		look_for_state(text, n, looks_r, known);
	else if (!looks_like_mmdf(text, n))
		return;
	looks_r->sure = skip ? CLAIM_PART : CLAIM_ALL;
}

int mbox_look(int fd, const char *name, struct mbox_looks *looks_r,
	      struct flags *known, struct err *e)
{
	char *text = mem_alloc(MBOX_LOOK);
	struct mbox_bytes *bytes = NULL;
	ssize_t got = -1;

	if (mbox_bytes_open(fd, name, &bytes, e) == 0)
		got = mbox_bytes_read(bytes, text, MBOX_LOOK, 0, e);
	if (got >= 0)
		mbox_look_at(text, (size_t)got, got < MBOX_LOOK, looks_r,
			     known);
	mbox_bytes_close(bytes);
	free(text);
	return got < 0 ? -1 : 0;
}
