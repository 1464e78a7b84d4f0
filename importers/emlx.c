/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Apple Mail since Mac OS X 10.4: a file per message, N.emlx (formats.md section 4).
   Where they lie: emlx_tree.c.

   Flags and the date of arrival are in the list behind each message. The message is as
   it came, but for its line ends, which Mail turned into LF. What Mail took out of an
   N.partial.emlx and put into Attachments/N is put back (emlx_parts.c). */
#include "importers/emlx.h"
#include "importers/filetree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "core/base/date.h"

extern const struct importer_ops importer_emlx;

enum {
	PARTIAL = 1, /* a file's tag */
};

struct emlx {
	struct filetree tree;
	struct emlx_info info;		  /* of the message just read */
	const struct filetree_file *file; /* while parts are put back */
	struct message *m;
	size_t lies, partial;
	char *first_lie;
	uint64_t first_said, first_is;
};

static struct emlx *emlx_of(struct filetree *t)
{
	return (struct emlx *)t;
}

/* --- a folder --- */

static bool is_message(struct filetree *t, struct filetree_file *file)
{
	static const char partial[] = ".partial.emlx";
	struct buf path = BUF_INIT;
	struct stat st;
	bool whole;

	if (!emlx_named(file->name) && !walk_is_file(t->w))
		return false;
	for (const char *p = file->name;
	     ascii_is_digit(*p) && file->number < UINT64_MAX / 100; p++)
		file->number = file->number * 10 + (uint64_t)(*p - '0');
	if (!filetree_ends(file->name, partial))
		return true;
	file->tag = PARTIAL;
	/* Fetched since, and its first form is about to be removed. */
	buf_add_str(&path, filetree_path(t, file));
	buf_cut(&path,
		path.len >= strlen(partial) ? path.len - strlen(partial) : 0);
	buf_add_str(&path, ".emlx");
	whole = walk_stat(t->w, path.data, &st) == 0;
	buf_free(&path);
	emlx_of(t)->partial += !whole;
	return !whole;
}

/* Of "12.partial.emlx" the "12". */
static size_t stem_of(const char *name)
{
	return strcspn(name, ".");
}

/* The directory that holds the attachments of a message: beside Messages, or, where
   that is the source itself, in it. */
static void attachments_of(struct filetree *t, const struct filetree_file *file,
			   struct buf *out)
{
	const char *dir = t->folder->dirs[file->dir];
	const char *slash = strrchr(dir, '/');
	struct stat st;

	if (dir[0]) {
		buf_addf(out, "%.*sAttachments/%.*s",
			 slash ? (int)(slash - dir) + 1 : 0, dir,
			 (int)stem_of(file->name), file->name);
		if (walk_stat(t->w, out->data, &st) == 0)
			return;
		buf_reset(out);
	}
	buf_addf(out, "%s%sAttachments/%.*s", dir, dir[0] ? "/" : "",
		 (int)stem_of(file->name), file->name);
}

/* The one file in a directory of a part. Mail never keeps two, but the Finder adds
   files of its own. NULL if it is not clear which. */
static const struct walk_entry *only_file(const struct walk_dir *d)
{
	const struct walk_entry *file = NULL;

	for (size_t i = 0; i < d->n; i++) {
		if (d->entries[i].name[0] == '.')
			continue;
		if (d->entries[i].kind != 'f' || file)
			return NULL;
		file = &d->entries[i];
	}
	return file;
}

static uint64_t hash_part(struct filetree *t, const char *rel, uint64_t hash)
{
	struct buf path = BUF_INIT;
	struct walk_dir d;
	struct err ignored;
	struct stat st;

	if (walk_list(t->w, rel, &d, &ignored) < 0)
		return hash;
	for (size_t i = 0; i < d.n; i++) {
		buf_reset(&path);
		buf_addf(&path, "%s/%s", rel, d.entries[i].name);
		hash = filetree_hash(hash, path.data, path.len);
		if (walk_stat(t->w, path.data, &st) == 0)
			hash = filetree_hash_stat(hash, &st);
	}
	walk_dir_free(&d);
	buf_free(&path);
	return hash;
}

/* Bodies that Mail keeps as they were: N.PART.emlxpart beside N.partial.emlx. */
static uint64_t hash_sidecars(struct filetree *t,
			      const struct filetree_file *file, uint64_t hash)
{
	const struct walk_dir *d = &t->lists[file->dir];
	const struct walk_entry *own = filetree_entry(d, file->name);
	size_t stem = stem_of(file->name);
	size_t i = own ? (size_t)(own - d->entries) : d->n;
	struct stat st;

	while (i && !strncmp(d->entries[i - 1].name, file->name, stem + 1))
		i--;
	for (; i < d->n && !strncmp(d->entries[i].name, file->name, stem + 1);
	     i++) {
		struct filetree_file other = { .name = d->entries[i].name,
					       .dir = file->dir };

		if (!filetree_ends(other.name, ".emlxpart") ||
		    walk_stat(t->w, filetree_path(t, &other), &st) < 0)
			continue;
		hash = filetree_hash(hash, other.name, strlen(other.name));
		hash = filetree_hash_stat(hash, &st);
	}
	return hash;
}

static uint64_t beside(struct filetree *t, const struct filetree_file *file)
{
	uint64_t hash = FILETREE_HASH;
	struct buf dir = BUF_INIT;
	struct walk_dir d;
	struct err ignored;
	size_t len;

	if (file->tag != PARTIAL || walk_is_file(t->w))
		return 0;
	attachments_of(t, file, &dir);
	len = dir.len;
	if (walk_list(t->w, dir.data, &d, &ignored) == 0) {
		for (size_t i = 0; i < d.n; i++) {
			if (d.entries[i].kind != 'd')
				continue;
			buf_addf(&dir, "/%s", d.entries[i].name);
			hash = hash_part(t, dir.data, hash);
			buf_cut(&dir, len);
		}
		walk_dir_free(&d);
	}
	buf_free(&dir);
	return hash_sidecars(t, file, hash);
}

/* --- a message --- */

static int parts_out(void *ctx, const char *bytes, size_t n, struct err *e)
{
	struct emlx *emlx = ctx;

	return intake_add(&emlx->m->in, bytes, n, e);
}

static int open_sidecar(struct filetree *t, const struct filetree_file *file,
			const char *number)
{
	const char *dir = t->folder->dirs[file->dir];
	struct buf path = BUF_INIT;
	struct err ignored;
	int fd;

	buf_addf(&path, "%s%s%.*s.%s.emlxpart", dir, dir[0] ? "/" : "",
		 (int)stem_of(file->name), file->name, number);
	fd = walk_file(t->w, path.data, NULL, &ignored);
	buf_free(&path);
	return fd;
}

static int parts_find(void *ctx, const char *number, bool *encoded_r)
{
	struct emlx *emlx = ctx;
	struct filetree *t = &emlx->tree;
	const struct walk_entry *entry;
	struct buf path = BUF_INIT;
	struct walk_dir d;
	struct err ignored;
	int fd;

	if (walk_is_file(t->w))
		return -1;
	fd = open_sidecar(t, emlx->file, number);
	*encoded_r = fd >= 0;
	if (fd >= 0)
		return fd;
	attachments_of(t, emlx->file, &path);
	buf_addf(&path, "/%s", number);
	if (walk_list(t->w, path.data, &d, &ignored) == 0) {
		entry = only_file(&d);
		if (entry) {
			buf_addf(&path, "/%s", entry->name);
			fd = walk_file(t->w, path.data, NULL, &ignored);
		}
		walk_dir_free(&d);
	}
	buf_free(&path);
	return fd;
}

/* The next piece of the message into t->bytes. */
static ssize_t read_piece(struct filetree *t, const struct filetree_file *file,
			  int fd, uint64_t at, uint64_t end, struct err *e)
{
	size_t n =
		end - at < FILETREE_PIECE ? (size_t)(end - at) : FILETREE_PIECE;
	ssize_t got;

	if (!n)
		return 0;
	do
		got = pread(fd, t->bytes, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return filetree_fail(t, file, ERR_NEVER, strerror(errno), e);
	return got;
}

static void note_parts(struct filetree *t, const struct filetree_file *file,
		       const struct emlx_parts *parts, struct message *m)
{
	if (emlx_parts_restored(parts))
		m->notes |= NOTE_REBUILT;
	if (!emlx_parts_missing(parts))
		return;
	m->notes |= NOTE_PARTS_MISSING;
	remark_add(&t->remarks,
		   "%s: %zu attachments are not on this disk, the first is "
		   "part %s; the message comes without them",
		   filetree_path(t, file), emlx_parts_missing(parts),
		   emlx_parts_first_missing(parts));
}

static int feed_partial(struct filetree *t, const struct filetree_file *file,
			int fd, const struct emlx_frame *f, struct message *m,
			struct err *e)
{
	static const struct emlx_hooks hooks = { .out = parts_out,
						 .find = parts_find };
	struct emlx *emlx = emlx_of(t);
	struct emlx_parts *parts = emlx_parts_new(&hooks, emlx);
	uint64_t at = f->begin;
	ssize_t got;
	int ret = -1;

	emlx->file = file;
	emlx->m = m;
	while ((got = read_piece(t, file, fd, at, f->end, e)) > 0) {
		if (emlx_parts_add(parts, t->bytes, (size_t)got, e) < 0)
			goto out;
		at += (uint64_t)got;
	}
	if (got < 0 || emlx_parts_end(parts, e) < 0)
		goto out;
	note_parts(t, file, parts, m);
	ret = 0;
out:
	emlx_parts_free(parts);
	return ret;
}

static int feed_whole(struct filetree *t, const struct filetree_file *file,
		      int fd, const struct emlx_frame *f, struct message *m,
		      struct err *e)
{
	uint64_t at = f->begin;
	ssize_t got;

	while ((got = read_piece(t, file, fd, at, f->end, e)) > 0) {
		if (intake_add(&m->in, t->bytes, (size_t)got, e) < 0)
			return -1;
		at += (uint64_t)got;
	}
	return got < 0 ? -1 : 0;
}

static int read_info(struct filetree *t, const struct filetree_file *file,
		     int fd, const struct emlx_frame *f, struct err *e)
{
	struct buf text = BUF_INIT;
	uint64_t at = f->plist;
	ssize_t got = 0;

	while (text.len < EMLX_PLIST_MAX &&
	       (got = read_piece(t, file, fd, at, f->plist_end, e)) > 0) {
		buf_add(&text, t->bytes, (size_t)got);
		at += (uint64_t)got;
	}
	emlx_plist_read(text.data, text.len, &emlx_of(t)->info);
	buf_free(&text);
	return got < 0 ? -1 : 0;
}

static void note_lie(struct filetree *t, const struct filetree_file *file,
		     const struct emlx_frame *f)
{
	struct emlx *emlx = emlx_of(t);

	if (!f->lies || emlx->lies++)
		return;
	emlx->first_lie = mem_strdup(filetree_path(t, file));
	emlx->first_said = f->said;
	emlx->first_is = f->end - f->begin;
}

static int feed(struct filetree *t, const struct filetree_file *file, int fd,
		struct message *m, struct err *e)
{
	struct emlx_frame f;

	emlx_of(t)->info = (struct emlx_info){ .received = DATE_NONE };
	if (!file->size)
		return 0;
	if (emlx_frame_find(fd, file->size, &f) < 0)
		return filetree_fail(
			t, file, ERR_NEVER,
			errno ? strerror(errno)
			      : "no message of Apple Mail: it does "
				"not begin with a byte count",
			e);
	note_lie(t, file, &f);
	if (read_info(t, file, fd, &f, e) < 0)
		return -1;
	return file->tag == PARTIAL ? feed_partial(t, file, fd, &f, m, e)
				    : feed_whole(t, file, fd, &f, m, e);
}

static void settle(struct filetree *t, const struct filetree_file *file,
		   struct message *m)
{
	static const struct {
		uint64_t bit;
		unsigned system;
		const char *keyword;
	} means[] = {
		{ .bit = EMLX_READ, .system = FLAG_SEEN },
		{ .bit = EMLX_ANSWERED, .system = FLAG_ANSWERED },
		{ .bit = EMLX_FLAGGED, .system = FLAG_FLAGGED },
		{ .bit = EMLX_DRAFT, .system = FLAG_DRAFT },
		{ .bit = EMLX_FORWARDED, .keyword = "$Forwarded" },
		{ .bit = EMLX_JUNK, .keyword = "$Junk" },
		{ .bit = EMLX_NOT_JUNK, .keyword = "$NotJunk" },
	};
	const struct emlx_info *info = &emlx_of(t)->info;

	(void)file;
	m->when.delivered = info->received;
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		if (!(info->flags & means[i].bit))
			continue;
		m->flags.system |= means[i].system;
		if (means[i].keyword)
			flags_add_keyword(&m->flags, means[i].keyword,
					  strlen(means[i].keyword));
	}
	if ((info->flags & EMLX_DELETED) && m->skip == SKIP_NOT)
		m->skip = SKIP_DELETED;
}

static void finish(struct filetree *t)
{
	struct emlx *emlx = emlx_of(t);

	if (emlx->partial)
		remark_add(&t->remarks,
			   "%zu messages have their attachments in files of "
			   "their own, which are put back",
			   emlx->partial);
	if (emlx->lies)
		remark_add(&t->remarks,
			   "%zu messages are not as long as their first line "
			   "says, the first is %s: %ju bytes of %ju; it may be "
			   "cut off",
			   emlx->lies, emlx->first_lie,
			   (uintmax_t)emlx->first_is,
			   (uintmax_t)emlx->first_said);
}

static void emlx_close(struct importer *imp)
{
	struct emlx *emlx = (struct emlx *)imp;

	filetree_release(&emlx->tree);
	free(emlx->first_lie);
	free(emlx);
}

static const struct filetree_format format = {
	.ops = &importer_emlx,
	.is_message = is_message,
	.beside = beside,
	.feed = feed,
	.settle = settle,
	.finish = finish,
};

static int emlx_open(const char *path, const struct importer_options *opt,
		     struct importer **imp_r, struct err *e)
{
	struct emlx *emlx = mem_zalloc(sizeof(*emlx));
	struct filetree *t = &emlx->tree;
	int ret;

	ret = filetree_open(t, &format, path, opt, e);
	if (ret == 0 && walk_is_file(t->w))
		filetree_add_file(t);
	else if (ret == 0)
		ret = filetree_find(t, emlx_visit, e);
	if (ret == 0 && !t->n_folders)
		ret = filetree_nothing(t, "mail of Apple Mail (.emlx)", e);
	t->opt = NULL;
	if (ret < 0) {
		emlx_close(&t->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &t->base;
	return 0;
}

const struct importer_ops importer_emlx = {
	.name = "emlx",
	.title = "Apple Mail",
	.claim = emlx_claim,
	.gathers = true,
	.open = emlx_open,
	.next_folder = filetree_next_folder,
	.next = filetree_next,
	.load = filetree_load,
	.remark = filetree_remark,
	.close = emlx_close,
};
