/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the folders of a store with a file per message; filetree_find.c finds
   them. */
#include "importers/filetree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"

static struct filetree *self(struct importer *imp)
{
	return (struct filetree *)imp;
}

uint64_t filetree_hash(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return filetree_hash(hash, &number, sizeof(number));
}

uint64_t filetree_hash_stat(uint64_t hash, const struct stat *st)
{
	hash = hash_number(hash, (uint64_t)st->st_size);
	hash = hash_number(hash, (uint64_t)st->st_mtim.tv_sec);
	return hash_number(hash, (uint64_t)st->st_mtim.tv_nsec);
}

int filetree_open(struct filetree *t, const struct filetree_format *format,
		  const char *path, const struct importer_options *opt,
		  struct err *e)
{
	t->base.ops = format->ops;
	t->format = format;
	t->opt = opt;
	t->bytes = mem_alloc(FILETREE_PIECE);
	buf_init(&t->state);
	buf_init(&t->fingerprint);
	buf_init(&t->file);
	buf_init(&t->path);
	return importer_walk(path, opt, &t->w, e);
}

/* --- one folder --- */

static void leave_folder(struct filetree *t)
{
	for (size_t i = 0; t->folder && i < t->folder->n_dirs; i++)
		walk_dir_free(&t->lists[i]);
	free(t->lists);
	t->lists = NULL;
	t->folder = NULL;
	t->n = t->at = 0;
}

const char *filetree_path(struct filetree *t, const struct filetree_file *file)
{
	const char *dir = t->folder->dirs[file->dir];

	buf_reset(&t->path);
	if (!walk_is_file(t->w))
		buf_addf(&t->path, "%s%s%s", dir, dir[0] ? "/" : "",
			 file->name);
	return t->path.data;
}

int filetree_fail(struct filetree *t, const struct filetree_file *file,
		  enum err_retry retry, const char *what, struct err *e)
{
	const char *path = filetree_path(t, file);
	struct buf name = BUF_INIT;

	if (!path[0])
		path = walk_root(t->w);
	utf8_add_guessed(&name, path, strlen(path));
	err_set(e, ERR_SOURCE, ERR_MESSAGE, retry, "%s: %s", name.data, what);
	buf_free(&name);
	return -1;
}

static void look_at(struct filetree *t, struct filetree_file *file)
{
	struct stat st;

	if (walk_stat(t->w, filetree_path(t, file), &st) < 0) {
		file->error = errno ? errno : ENOENT;
		return;
	}
	file->size = (uint64_t)st.st_size;
	file->mtime = st.st_mtim.tv_sec;
	file->mtime_nsec = st.st_mtim.tv_nsec;
	if (t->format->beside)
		file->beside = t->format->beside(t, file);
}

static void add_file(struct filetree *t, const struct filetree_file *file)
{
	if (t->n == t->cap) {
		t->cap += t->cap / 2 + 64;
		t->files = mem_realloc(t->files, t->cap * sizeof(*t->files));
	}
	t->files[t->n++] = *file;
}

static int by_number(const void *va, const void *vb)
{
	const struct filetree_file *a = va, *b = vb;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->dir != b->dir)
		return a->dir < b->dir ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int list_dir(struct filetree *t, size_t dir, struct err *e)
{
	const char *rel = t->folder->dirs[dir];
	struct stat st;

	/* Its time says nothing: whatever is written there changes it. */
	if (walk_stat(t->w, rel, &st) == 0)
		buf_addf(&t->state, "%ju:%ju ", (uintmax_t)st.st_dev,
			 (uintmax_t)st.st_ino);
	if (walk_list(t->w, rel, &t->lists[dir], e) < 0)
		return -1;
	for (size_t i = 0; i < t->lists[dir].n; i++) {
		struct filetree_file file = {
			.name = t->lists[dir].entries[i].name,
			.dir = dir,
		};

		/* "._NAME" holds what macOS knows of NAME and a foreign disk
		   has no place for. */
		if (t->lists[dir].entries[i].kind == 'f' &&
		    strncmp(file.name, "._", 2) != 0 &&
		    t->format->is_message(t, &file))
			add_file(t, &file);
	}
	return 0;
}

static void list_root_file(struct filetree *t)
{
	const char *slash = strrchr(walk_root(t->w), '/');
	struct filetree_file file = {
		.name = slash ? slash + 1 : walk_root(t->w),
	};

	t->format->is_message(t, &file);
	add_file(t, &file);
}

static uint64_t hash_file(uint64_t hash, const struct filetree_file *file)
{
	hash = filetree_hash(hash, file->name, strlen(file->name) + 1);
	hash = hash_number(hash, file->dir);
	hash = hash_number(hash, file->size);
	hash = hash_number(hash, (uint64_t)file->mtime);
	hash = hash_number(hash, (uint64_t)file->mtime_nsec);
	return hash_number(hash, file->beside ^ (uint64_t)file->error);
}

static int enter_folder(struct filetree *t, uint64_t *bytes_r, struct err *e)
{
	const struct filetree_folder *f = t->folder;
	uint64_t hash = FILETREE_HASH;

	buf_reset(&t->state);
	t->lists = mem_zalloc(f->n_dirs * sizeof(*t->lists));
	if (t->format->enter)
		t->format->enter(t, &t->state);
	if (walk_is_file(t->w))
		list_root_file(t);
	else
		for (size_t i = 0; i < f->n_dirs; i++)
			if (list_dir(t, i, e) < 0)
				return -1;
	*bytes_r = 0;
	if (t->n)
		qsort(t->files, t->n, sizeof(*t->files), by_number);
	for (size_t i = 0; i < t->n; i++) {
		look_at(t, &t->files[i]);
		*bytes_r += t->files[i].size;
		hash = hash_file(hash, &t->files[i]);
	}
	buf_reset(&t->fingerprint);
	buf_addf(&t->fingerprint, "%s%zu:%016jx", t->state.data, t->n,
		 (uintmax_t)hash);
	return 0;
}

int filetree_next_folder(struct importer *imp, struct folder *f, struct err *e)
{
	struct filetree *t = self(imp);
	const struct filetree_folder *folder;
	uint64_t bytes;

	leave_folder(t);
	if (t->next == t->n_folders) {
		if (!t->finished && t->format->finish)
			t->format->finish(t);
		t->finished = true;
		return 0;
	}
	folder = &t->folders[t->next++];
	if (folder->error)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s",
			       folder->error);
	t->folder = folder;
	if (enter_folder(t, &bytes, e) < 0) {
		leave_folder(t);
		return -1;
	}
	walk_name(t->w, t->folder->rel, &t->file);
	*f = (struct folder){
		.path = (const char *const *)folder->path,
		.use = folder->use,
		.id = folder->rel[0] ? folder->rel : ".",
		.file = t->file.data,
		.account = folder->account,
		.fingerprint = t->fingerprint.data,
		.locators_stand_alone = true,
		.bytes = bytes,
	};
	return 1;
}

/* --- one message --- */

static void add_locator(struct filetree *t, const struct filetree_file *file,
			struct buf *out)
{
	const struct filetree_folder *f = t->folder;
	const char *dir = f->dirs[file->dir];
	size_t n = strlen(f->rel);

	/* The part of its path below the folder's own directory. */
	if (dir[0] && !strncmp(dir, f->rel, n))
		dir += n + (n && dir[n] == '/');
	buf_addf(out, "%s%s%s %ju:%jd%09ld", dir, dir[0] ? "/" : "", file->name,
		 (uintmax_t)file->size, (intmax_t)file->mtime,
		 file->mtime_nsec);
	if (file->beside)
		buf_addf(out, ":%016jx", (uintmax_t)file->beside);
}

static void describe(struct filetree *t, const struct filetree_file *file,
		     struct message *m)
{
	enum folder_use use = t->folder->use;

	buf_reset(&m->locator);
	add_locator(t, file, &m->locator);
	m->offset = 0;
	m->length = file->size;
	flags_reset(&m->flags);
	m->skip = file->size ? SKIP_NOT : SKIP_EMPTY;
	m->notes = use == USE_QUEUE ? NOTE_QUEUED : 0;
	if (use == USE_QUEUE || use == USE_DRAFTS || use == USE_TEMPLATES)
		m->flags.system |= FLAG_DRAFT;
	m->when.file = file->mtime;
	m->when.sent_folder = use == USE_SENT || use == USE_QUEUE ||
			      use == USE_DRAFTS || use == USE_TEMPLATES;
	if (t->format->describe)
		t->format->describe(t, file, m);
}

int filetree_next(struct importer *imp, struct message *m, struct err *e)
{
	struct filetree *t = self(imp);
	const struct filetree_file *file;

	do {
		if (!t->folder || t->at == t->n)
			return 0;
		file = &t->files[t->at++];
	} while (!file->error && t->format->look && !t->format->look(t, file));
	describe(t, file, m);
	if (file->error)
		return filetree_fail(t, file, ERR_NEVER, strerror(file->error),
				     e);
	return 1;
}

static bool same_file(const struct filetree_file *file, const struct stat *st)
{
	return file->size == (uint64_t)st->st_size &&
	       file->mtime == st->st_mtim.tv_sec &&
	       file->mtime_nsec == st->st_mtim.tv_nsec;
}

ssize_t filetree_read(struct filetree *t, const struct filetree_file *file,
		      struct unpack *u, struct err *e)
{
	size_t n = 0;

	while (n < FILETREE_PIECE) {
		ssize_t got =
			unpack_read(u, t->bytes + n, FILETREE_PIECE - n, e);

		if (got < 0 && unpack_packing(u) == PACKED_NOT)
			return filetree_fail(t, file, ERR_NEVER,
					     strerror(errno), e);
		if (got < 0) {
			e->scope = ERR_MESSAGE; /* the folder has others */
			return -1;
		}
		if (!got)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

ssize_t filetree_head(struct walk *w, const char *rel, char *bytes, size_t n)
{
	struct err ignored;
	int fd = walk_file(w, rel, NULL, &ignored);
	size_t have = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -1;
	while (have < n) {
		got = read(fd, bytes + have, n - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	close(fd);
	return got < 0 ? -1 : (ssize_t)have;
}

static int open_message(struct filetree *t, const struct filetree_file *file,
			struct err *e)
{
	const char *path = filetree_path(t, file);
	struct stat st;
	int fd = walk_file(t->w, path, &st, e);

	if (fd < 0 && walk_stat(t->w, path, &st) < 0)
		return filetree_fail(t, file, ERR_NEVER,
				     "gone since the folder was listed", e);
	if (fd < 0) {
		e->scope = ERR_MESSAGE;
		return -1;
	}
	if (same_file(file, &st))
		return fd;
	close(fd);
	return filetree_fail(t, file, ERR_LATER,
			     "changed since the folder was listed", e);
}

int filetree_load(struct importer *imp, struct message *m, struct err *e)
{
	struct filetree *t = self(imp);
	const struct filetree_file *file = &t->files[t->at - 1];
	int fd = open_message(t, file, e), ret = -1;
	struct stat st;

	if (fd < 0)
		return -1;
	m->in.drop_leading = t->format->drop_leading;
	m->in.drop_anywhere = NULL;
	if (t->format->feed(t, file, fd, m, e) < 0 || intake_end(&m->in, e) < 0)
		goto out;
	if (fstat(fd, &st) < 0 || !same_file(file, &st)) {
		filetree_fail(t, file, ERR_LATER, "changed while it was read",
			      e);
		goto out;
	}
	m->length = file->size;
	if (!m->in.wire_size && m->skip == SKIP_NOT)
		m->skip = SKIP_EMPTY;
	message_date_from_header(m);
	if (t->format->settle)
		t->format->settle(t, file, m);
	ret = 0;
out:
	close(fd);
	return ret;
}

const char *filetree_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->remarks, nth);
}
