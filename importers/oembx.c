/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlook Express 4 (1997-1999): .mbx files of messages, each with an .idx that
   says what they are worth.

   What is deleted stays in the .mbx until it is compacted: the .idx marks it,
   or has it no more. A folder's real name is in folders.nch, whose layout is
   not known; the files are named after the folders, as far as names of files
   allow that. Dates of delivery stand in the .idx behind parts of unknown
   length, and are not used.

   A message's locator is its place, which is good only while both files are
   what they were (fingerprint). */
#include "importers/importer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "importers/dbx_ansi.h"
#include "importers/oembx_file.h"
#include "importers/remarks.h"

extern const struct importer_ops importer_oembx;

/* A change of how messages are found or read must make fingerprints differ. */
#define OEMBX_VERSION "oembx1:"

/* A file of the source. */
struct oembx_folder {
	char *rel; /* "" when it is the source itself */
	char *idx; /* the index beside it; NULL */
	char *name;
};

struct oembx {
	struct importer base;
	struct walk *w;
	struct oembx_folder *folders; /* sorted by rel */
	size_t n, cap, next_folder;
	struct remarks remarks;

	/* The current folder; NULL and -1 outside of one, or while its file has
	   not been asked for a message. */
	const struct oembx_folder *folder;
	enum folder_use use;
	int fd;
	struct stat st;
	struct dbx_window file;
	struct oembx_index index;
	bool indexed, index_older;
	uint64_t last;		  /* the last place that the index knows */
	struct oembx_frame frame; /* the message next found */
	uint64_t next;
	struct buf name, fingerprint;
	const char *path[2];
};

static struct oembx *self(struct importer *imp)
{
	return (struct oembx *)imp;
}

static void leave_folder(struct oembx *x)
{
	if (x->fd >= 0) {
		dbx_window_close(&x->file);
		close(x->fd);
	}
	oembx_index_free(&x->index);
	x->fd = -1;
	x->folder = NULL;
}

/* --- the files --- */

static bool is_ours(struct walk *w, const char *rel)
{
	struct err ignored;
	char head[OEMBX_HEAD];
	int fd = walk_file(w, rel, NULL, &ignored);
	ssize_t got = fd < 0 ? 0 : pread(fd, head, sizeof(head), 0);

	if (fd >= 0)
		close(fd);
	return oembx_looks(head, got < 0 ? 0 : (size_t)got);
}

static void add_file(struct oembx *x, const char *rel, const char *leaf,
		     const char *idx)
{
	struct buf name = BUF_INIT;
	struct oembx_folder f = { .rel = mem_strdup(rel) };

	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 16;
		x->folders =
			mem_realloc(x->folders, x->cap * sizeof(*x->folders));
	}
	dbx_add_ansi(&name, leaf, strlen(leaf));
	if (dbx_has_suffix(name.data, ".mbx"))
		buf_cut(&name, name.len - 4);
	f.name = buf_detach(&name);
	if (idx)
		f.idx = mem_strdup(idx);
	x->folders[x->n++] = f;
}

static void add_with_index(struct oembx *x, const char *dir,
			   const struct walk_dir *d, const char *leaf)
{
	struct buf rel = BUF_INIT, want = BUF_INIT, idx = BUF_INIT;
	const struct walk_entry *entry;

	dbx_join(&rel, dir, leaf);
	if (is_ours(x->w, rel.data)) {
		utf8_add_guessed(&want, leaf, strlen(leaf));
		buf_cut(&want, want.len - 4);
		buf_add_str(&want, ".idx");
		entry = dbx_find_entry(d, want.data, 'f');
		if (entry)
			dbx_join(&idx, dir, entry->name);
		add_file(x, rel.data, leaf, entry ? idx.data : NULL);
	}
	buf_free(&rel);
	buf_free(&want);
	buf_free(&idx);
}

static void look_below(struct oembx *x, const char *rel)
{
	struct err e = ERR_INIT;
	struct walk_dir dir = { .n = 0 };
	struct buf below = BUF_INIT;

	if (walk_list(x->w, rel, &dir, &e) < 0) {
		remark_add(&x->remarks, "%s; left out", e.text);
		return;
	}
	for (size_t i = 0; i < dir.n; i++) {
		const struct walk_entry *entry = &dir.entries[i];

		buf_reset(&below);
		dbx_join(&below, rel, entry->name);
		if (entry->kind == 'd')
			look_below(x, below.data);
		else if (entry->kind == 'l')
			remark_add(&x->remarks,
				   "%s: a symbolic link, not followed",
				   below.data);
		else if (entry->kind == 'f' &&
			 dbx_has_suffix(entry->name, ".mbx"))
			add_with_index(x, rel, &dir, entry->name);
	}
	buf_free(&below);
	walk_dir_free(&dir);
}

static int by_rel(const void *va, const void *vb)
{
	const struct oembx_folder *a = va, *b = vb;

	return strcmp(a->rel, b->rel);
}

static int find_files(struct oembx *x, struct err *e)
{
	const char *root = walk_root(x->w);

	if (!walk_is_file(x->w))
		look_below(x, "");
	else if (is_ours(x->w, ""))
		add_file(x, "", dbx_leaf(root), NULL);
	if (!x->n)
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: no mail of Outlook Express 4 here", root);
	qsort(x->folders, x->n, sizeof(*x->folders), by_rel);
	return 0;
}

/* --- folders --- */

static int oembx_next_folder(struct importer *imp, struct folder *f,
			     struct err *e)
{
	struct oembx *x = self(imp);
	const struct oembx_folder *of;
	struct stat idx;

	leave_folder(x);
	if (x->next_folder == x->n)
		return 0;
	of = &x->folders[x->next_folder++];
	walk_name(x->w, of->rel, &x->name);
	if (walk_stat(x->w, of->rel, &x->st) < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
			       "%s: gone since the source was opened; run it "
			       "again",
			       x->name.data);
	buf_set_str(&x->fingerprint, OEMBX_VERSION);
	walk_add_identity(&x->fingerprint, &x->st);
	buf_add_char(&x->fingerprint, ' ');
	if (of->idx && walk_stat(x->w, of->idx, &idx) == 0)
		walk_add_identity(&x->fingerprint, &idx);
	x->folder = of;
	x->path[0] = of->name;
	x->path[1] = NULL;
	x->use = folder_use_by_name(of->name);
	*f = (struct folder){
		.path = x->path,
		.use = x->use,
		.id = of->rel[0] ? of->rel : dbx_leaf(walk_root(x->w)),
		.file = x->name.data,
		.account = "",
		.fingerprint = x->fingerprint.data,
		.bytes = (uint64_t)x->st.st_size,
	};
	return 1;
}

static void read_index(struct oembx *x)
{
	struct err e = ERR_INIT;
	struct dbx_window idx;
	struct stat st;
	int fd;

	x->indexed = x->index_older = false;
	x->last = 0;
	if (!x->folder->idx) {
		remark_add(&x->remarks,
			   "%s: %s: flags are not known, and deleted messages "
			   "may come back%s",
			   x->name.data,
			   x->folder->rel[0] ? "has no index (.idx)"
					     : "given alone, without its index",
			   x->folder->rel[0] ? "" : "; give the directory");
		return;
	}
	fd = walk_file(x->w, x->folder->idx, &st, &e);
	if (fd >= 0) {
		dbx_window_open(&idx, fd, (uint64_t)st.st_size);
		x->indexed = oembx_index_read(&x->index, &idx, &x->file);
		dbx_window_close(&idx);
		close(fd);
	}
	if (!x->indexed) {
		remark_add(&x->remarks,
			   "%s: does not fit the messages, and is not used: "
			   "flags are not known, and deleted messages may come "
			   "back",
			   x->folder->idx);
		return;
	}
	if (x->index.n)
		x->last = x->index.entries[x->index.n - 1].at;
	x->index_older = st.st_mtim.tv_sec < x->st.st_mtim.tv_sec;
}

static int open_file(struct oembx *x, struct err *e)
{
	x->fd = walk_file(x->w, x->folder->rel, &x->st, e);
	if (x->fd < 0)
		return -1;
	dbx_window_open(&x->file, x->fd, (uint64_t)x->st.st_size);
	x->next = OEMBX_HEADER;
	read_index(x);
	return 0;
}

/* --- messages --- */

static int finish(struct oembx *x, struct err *e)
{
	struct stat st;

	if (fstat(x->fd, &st) == 0 && st.st_size == x->st.st_size &&
	    st.st_mtim.tv_sec == x->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == x->st.st_mtim.tv_nsec)
		return 0;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
		       "%s: changed while it was read; run it again",
		       x->name.data);
}

static int unreadable(struct oembx *x, struct err *e)
{
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER, "%s: %s",
		       x->name.data, strerror(x->file.error));
}

/* A gap between messages is an error of its own; the message behind it comes
   with the next call. */
static int find_next(struct oembx *x, struct err *e)
{
	uint64_t from = x->next;
	int got;

	if (from >= x->file.size)
		return 0;
	got = oembx_find(&x->file, from, &x->frame);
	if (got < 0)
		return unreadable(x, e);
	if (got > 0 && x->frame.at == from)
		return 1;
	x->next = got ? x->frame.at : x->file.size;
	return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
		       "%s: bytes %llu to %llu are no message; compact the "
		       "folder in Outlook Express, or restore the file",
		       x->name.data, (unsigned long long)from,
		       (unsigned long long)x->next);
}

/* A message that the index does not have any more was deleted, unless it was
   stored after the index. */
static void judge(struct oembx *x, struct message *m)
{
	const struct oembx_entry *entry;

	if (!x->indexed)
		return;
	entry = oembx_index_find(&x->index, x->frame.at);
	if (!entry && x->index.n &&
	    (x->frame.at < x->last || !x->index_older)) {
		m->skip = SKIP_UNSURE_DELETED;
	} else if (!entry) {
		m->notes |= NOTE_HIDDEN;
	} else {
		if (entry->flags & OEMBX_DELETED)
			m->skip = SKIP_DELETED;
		if (!(entry->flags & OEMBX_UNREAD))
			m->flags.system |= FLAG_SEEN;
		if (entry->flags & OEMBX_UNSENT && x->use == USE_DRAFTS)
			m->flags.system |= FLAG_DRAFT;
	}
}

static int oembx_next(struct importer *imp, struct message *m, struct err *e)
{
	struct oembx *x = self(imp);
	int got;

	if (!x->folder || (x->fd < 0 && open_file(x, e) < 0))
		return x->folder ? -1 : 0;
	got = find_next(x, e);
	if (got <= 0)
		return got ? got : finish(x, e);
	x->next = x->frame.at + x->frame.length;
	m->offset = x->frame.at;
	m->length = x->frame.length;
	buf_addf(&m->locator, "%llu", (unsigned long long)x->frame.at);
	judge(x, m);
	if (x->use == USE_QUEUE)
		m->notes |= NOTE_QUEUED;
	if (!x->frame.text_length)
		m->skip = SKIP_EMPTY;
	m->when.sent_folder = x->use == USE_SENT;
	m->in.drop_leading = m->in.drop_anywhere = NULL;
	return 1;
}

static int oembx_load(struct importer *imp, struct message *m, struct err *e)
{
	struct oembx *x = self(imp);
	uint64_t pos = x->frame.text, left = x->frame.text_length;
	const char *bytes;

	while (left) {
		size_t n = dbx_window_run(&x->file, pos, &bytes);

		if (!n)
			return unreadable(x, e);
		if (n > left)
			n = (size_t)left;
		if (intake_add(&m->in, bytes, n, e) < 0)
			return -1;
		pos += n;
		left -= n;
	}
	if (intake_end(&m->in, e) < 0)
		return -1;
	message_date_from_header(m);
	return 0;
}

static const char *oembx_nth_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->remarks, nth);
}

static void oembx_close(struct importer *imp)
{
	struct oembx *x = self(imp);

	leave_folder(x);
	for (size_t i = 0; i < x->n; i++) {
		free(x->folders[i].rel);
		free(x->folders[i].idx);
		free(x->folders[i].name);
	}
	free(x->folders);
	remarks_free(&x->remarks);
	walk_close(x->w);
	buf_free(&x->name);
	buf_free(&x->fingerprint);
	free(x);
}

static int oembx_open(const char *path, const struct importer_options *opt,
		      struct importer **imp_r, struct err *e)
{
	struct oembx *x = mem_zalloc(sizeof(*x));

	x->base.ops = &importer_oembx;
	x->fd = -1;
	x->remarks.last = (struct buf)BUF_INIT;
	buf_init(&x->name);
	buf_init(&x->fingerprint);
	if (importer_walk(path, opt, &x->w, e) < 0 || find_files(x, e) < 0) {
		oembx_close(&x->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &x->base;
	return 0;
}

static enum claim oembx_claim(const struct candidate *c)
{
	unsigned looked = 0;

	if (!c->dir)
		return oembx_looks(c->head, c->n_head) ? CLAIM_ALL : CLAIM_NO;
	for (size_t i = 0; i < c->dir->n && looked < 8; i++) {
		const struct walk_entry *entry = &c->dir->entries[i];
		struct buf rel = BUF_INIT;
		bool ours;

		if (entry->kind != 'f' || !dbx_has_suffix(entry->name, ".mbx"))
			continue;
		looked++;
		dbx_join(&rel, c->rel, entry->name);
		ours = is_ours(c->w, rel.data);
		buf_free(&rel);
		if (ours)
			return CLAIM_PART;
	}
	return CLAIM_NO;
}

const struct importer_ops importer_oembx = {
	.name = "oembx",
	.title = "Outlook Express 4",
	.claim = oembx_claim,
	.gathers = true,
	.open = oembx_open,
	.next_folder = oembx_next_folder,
	.next = oembx_next,
	.load = oembx_load,
	.remark = oembx_nth_remark,
	.close = oembx_close,
};
