/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file system as importers see it: one root, and names below it. W1 to W4
   of walk.h are kept here and nowhere else. */
#include "importers/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/utf8.h"

enum { WALK_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY };

/* A directory that was listed, and by which name (W4). */
struct seen {
	dev_t dev;
	ino_t ino;
	char *rel; /* NULL: a free slot */
};

struct walk {
	char *root;
	int fd; /* the root directory; -1 when it is a file */
	bool is_file;
	bool no_openat2; /* the kernel or a sandbox does not have it */
	char *dir;	 /* the directory that was used last ... */
	int dir_fd;	 /* ... open, or -1 */
	const char *const *except; /* not to be listed, or NULL */
	struct seen *seen; /* open addressing, a power of two, half empty */
	size_t n_seen, cap_seen;
};

/* Whether rel may be used at all: parts of 1 to NAME_MAX bytes with single
   slashes between, neither "." nor "..", not deeper than WALK_DEPTH. 0, or an
   errno. */
static int check_rel(const char *rel)
{
	unsigned depth = 0;

	while (*rel) {
		size_t n = strcspn(rel, "/");

		if (!n || (n == 1 && rel[0] == '.') ||
		    (n == 2 && rel[0] == '.' && rel[1] == '.'))
			return EINVAL;
		if (n > NAME_MAX)
			return ENAMETOOLONG;
		if (++depth > WALK_DEPTH)
			return ELOOP;
		rel += n;
		if (*rel && !*++rel)
			return EINVAL;
	}
	return 0;
}

static int walk_fail(const struct walk *w, const char *rel, int error,
		     const char *what, struct err *e)
{
	struct buf name = BUF_INIT;
	enum err_retry retry = ERR_NEVER;

	if (!what && error == ELOOP)
		what = check_rel(rel) ? "too deep"
				      : "a symbolic link, not followed";
	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		retry = ERR_LATER;
	utf8_add_guessed(&name, w->root, strlen(w->root));
	if (rel[0]) {
		buf_add_char(&name, '/');
		utf8_add_guessed(&name, rel, strlen(rel));
	}
	err_set(e, ERR_SOURCE, ERR_FOLDER, retry, "%s: %s", name.data,
		what ? what : strerror(error));
	buf_free(&name);
	return -1;
}

/* O_NOATIME is for the owner of a file and for root; others read without. */
static int open_noatime(int at, const char *name, int flags)
{
	int fd = openat(at, name, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(at, name, flags);
	return fd;
}

static int open_beneath(int at, const char *rel, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, at, rel, &how, sizeof(how));
}

/* What openat2 does, one component at a time: for kernels before 5.6, sandboxes
   that do not know the call, and names longer than PATH_MAX. */
static int open_stepwise(int root, const char *rel, int flags)
{
	int at = root, fd = -1, error;

	for (;;) {
		size_t n = strcspn(rel, "/");
		char name[NAME_MAX + 1];

		memcpy(name, rel, n);
		name[n] = '\0';
		if (!rel[n]) {
			flags |= O_NOFOLLOW;
			fd = flags & O_PATH ? openat(at, name, flags)
					    : open_noatime(at, name, flags);
			error = errno;
			break;
		}
		fd = openat(at, name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = errno;
		if (fd < 0)
			break;
		if (at != root)
			close(at);
		at = fd;
		rel += n + 1;
	}
	if (at != root)
		close(at);
	errno = error;
	return fd;
}

/* Open rel, which is not "", without following any link. The descriptor, or -1
   with errno. */
static void forget_dir(struct walk *w)
{
	if (w->dir_fd >= 0)
		close(w->dir_fd);
	free(w->dir);
	w->dir_fd = -1;
	w->dir = NULL;
}

static int open_below(struct walk *w, const char *rel, int flags)
{
	int fd;

	errno = check_rel(rel);
	if (errno)
		return -1;
	if (w->fd < 0) {
		errno = ENOTDIR;
		return -1;
	}
	if (w->no_openat2)
		return open_stepwise(w->fd, rel, flags);
	flags |= O_NOFOLLOW;
	fd = open_beneath(w->fd, rel,
			  flags & O_PATH ? flags : flags | O_NOATIME);
	if (fd < 0 && errno == EPERM && !(flags & O_PATH))
		fd = open_beneath(w->fd, rel, flags);
	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOSYS:
	case EPERM: /* seccomp filters say this, too */
	case E2BIG:
		w->no_openat2 = errno == ENOSYS;
		break;
	case EAGAIN: /* something was renamed meanwhile */
	case ENAMETOOLONG:
		break;
	default:
		return -1;
	}
	return open_stepwise(w->fd, rel, flags);
}

/* The directory that rel lies in, and rel's last part. A folder of a Maildir is
   one directory with thousands of files: it is found once, and kept open. -1
   when rel lies in the root, or its directory cannot be had: then the long way
   says why. */
static int open_parent(struct walk *w, const char *rel, const char **leaf_r)
{
	const char *slash = strrchr(rel, '/');
	size_t n;
	char *dir;

	if (!slash || check_rel(rel))
		return -1;
	*leaf_r = slash + 1;
	n = (size_t)(slash - rel);
	if (w->dir_fd >= 0 && !strncmp(w->dir, rel, n) && !w->dir[n])
		return w->dir_fd;
	dir = mem_strndup(rel, n);
	forget_dir(w);
	w->dir_fd = open_below(w, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->dir_fd < 0)
		free(dir);
	else
		w->dir = dir;
	return w->dir_fd;
}

/* open_below by way of the kept directory; only ENOENT may mean that it is not
   the same directory any more. */
static int open_leaf(struct walk *w, const char *rel, int flags)
{
	const char *leaf;
	int dir = open_parent(w, rel, &leaf);
	int fd = -1;

	if (dir >= 0) {
		fd = openat(dir, leaf, flags | O_NOFOLLOW | O_NOATIME);
		if (fd < 0 && errno == EPERM)
			fd = openat(dir, leaf, flags | O_NOFOLLOW);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		forget_dir(w);
	}
	return open_below(w, rel, flags);
}

int walk_open(const char *path, struct walk **w_r, struct err *e)
{
	struct walk *w = mem_zalloc(sizeof(*w));
	struct stat st;
	int ret = -1;

	w->root = mem_strdup(path);
	w->fd = w->dir_fd = -1;
	if (stat(path, &st) < 0) {
		walk_fail(w, "", errno, NULL, e);
		goto out;
	}
	w->is_file = S_ISREG(st.st_mode);
	if (!w->is_file && !S_ISDIR(st.st_mode)) {
		walk_fail(w, "", 0, "neither a file nor a directory", e);
		goto out;
	}
	if (!w->is_file) {
		w->fd = open_noatime(AT_FDCWD, path, WALK_FLAGS | O_DIRECTORY);
		if (w->fd < 0) {
			walk_fail(w, "", errno, NULL, e);
			goto out;
		}
	}
	*w_r = w;
	w = NULL;
	ret = 0;
out:
	walk_close(w);
	return ret < 0 ? err_widen(e, ERR_ACCOUNT) : ret;
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->cap_seen; i++)
		free(w->seen[i].rel);
	free(w->seen);
	forget_dir(w);
	if (w->fd >= 0)
		close(w->fd);
	free(w->root);
	free(w);
}

void walk_except(struct walk *w, const char *const *rels)
{
	w->except = rels;
}

const char *walk_root(const struct walk *w)
{
	return w->root;
}

void walk_name(const struct walk *w, const char *rel, struct buf *out)
{
	buf_reset(out);
	utf8_add_guessed(out, w->root, strlen(w->root));
	if (!rel[0])
		return;
	if (out->len && out->data[out->len - 1] != '/')
		buf_add_char(out, '/');
	utf8_add_guessed(out, rel, strlen(rel));
}

bool walk_is_file(const struct walk *w)
{
	return w->is_file;
}

int walk_stat(struct walk *w, const char *rel, struct stat *st_r)
{
	const char *leaf;
	int dir, fd, ret;

	if (!rel[0])
		return w->fd >= 0 ? fstat(w->fd, st_r) : stat(w->root, st_r);
	if (w->fd >= 0 && !check_rel(rel) && !strchr(rel, '/'))
		return fstatat(w->fd, rel, st_r, AT_SYMLINK_NOFOLLOW);
	dir = open_parent(w, rel, &leaf);
	if (dir >= 0 && fstatat(dir, leaf, st_r, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = open_below(w, rel, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = fstat(fd, st_r);
	close(fd);
	return ret;
}

static const char *not_a_file(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return NULL;
	if (S_ISLNK(st->st_mode))
		return "a symbolic link, not followed";
	return S_ISDIR(st->st_mode) ? "a directory" : "not a regular file";
}

int walk_file(struct walk *w, const char *rel, struct stat *st_r, struct err *e)
{
	struct stat st;
	const char *what;
	int fd;

	/* Look before opening: to open a FIFO lets its writer go on, to open a
	   tape rewinds it. fstat then settles what was really opened. */
	if (walk_stat(w, rel, &st) < 0)
		return walk_fail(w, rel, errno, NULL, e);
	what = not_a_file(&st);
	if (what)
		return walk_fail(w, rel, 0, what, e);
	if (rel[0])
		fd = open_leaf(w, rel, WALK_FLAGS);
	else
		fd = open_noatime(AT_FDCWD, w->root, WALK_FLAGS);
	if (fd < 0)
		return walk_fail(w, rel, errno, NULL, e);
	if (fstat(fd, &st) < 0 || (what = not_a_file(&st))) {
		walk_fail(w, rel, errno, what, e);
		close(fd);
		return -1;
	}
	if (st_r)
		*st_r = st;
	return fd;
}

static size_t seen_slot(const struct walk *w, dev_t dev, ino_t ino)
{
	uint64_t key = ((uint64_t)ino ^ ((uint64_t)dev << 40)) *
		       UINT64_C(0x9E3779B97F4A7C15);
	size_t i = (size_t)(key >> 32) & (w->cap_seen - 1);

	while (w->seen[i].rel &&
	       (w->seen[i].dev != dev || w->seen[i].ino != ino))
		i = (i + 1) & (w->cap_seen - 1);
	return i;
}

static void seen_grow(struct walk *w)
{
	struct seen *old = w->seen;
	size_t n = w->cap_seen;

	w->cap_seen = n ? n * 2 : 64;
	w->seen = mem_zalloc(w->cap_seen * sizeof(*w->seen));
	for (size_t i = 0; i < n; i++)
		if (old[i].rel)
			w->seen[seen_slot(w, old[i].dev, old[i].ino)] = old[i];
	free(old);
}

/* Note that a directory is listed as rel. False if it was listed by another
   name: then a bind mount shows it twice, or inside itself. */
static bool first_time(struct walk *w, const struct stat *st, const char *rel)
{
	size_t i;

	if ((w->n_seen + 1) * 2 > w->cap_seen)
		seen_grow(w);
	i = seen_slot(w, st->st_dev, st->st_ino);
	if (w->seen[i].rel)
		return !strcmp(w->seen[i].rel, rel);
	w->seen[i] = (struct seen){ .dev = st->st_dev,
				    .ino = st->st_ino,
				    .rel = mem_strdup(rel) };
	w->n_seen++;
	return true;
}

static char kind_of(int dir, const struct dirent *d)
{
	struct stat st;

	switch (d->d_type) {
	case DT_REG:
		return 'f';
	case DT_DIR:
		return 'd';
	case DT_LNK:
		return 'l';
	case DT_UNKNOWN:
		break;
	default:
		return '?';
	}
	if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return '?';
	if (S_ISREG(st.st_mode))
		return 'f';
	if (S_ISDIR(st.st_mode))
		return 'd';
	return S_ISLNK(st.st_mode) ? 'l' : '?';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct walk_entry *)a)->name,
		      ((const struct walk_entry *)b)->name);
}

/* Read the directory into names: for each entry its kind, its name and a NUL.
   0, or an errno. */
static int read_entries(DIR *dir, struct buf *names, size_t *n_r)
{
	struct dirent *d;

	for (;;) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno;
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		buf_add_char(names, kind_of(dirfd(dir), d));
		buf_add(names, d->d_name, strlen(d->d_name) + 1);
		(*n_r)++;
	}
}

static bool is_except(const struct walk *w, const char *rel, const char *name)
{
	size_t n = strlen(rel);

	if (!w->except)
		return false;
	for (const char *const *p = w->except; *p; p++) {
		const char *leaf = *p;

		if (n) {
			if (strncmp(leaf, rel, n) || leaf[n] != '/')
				continue;
			leaf += n + 1;
		}
		if (!strcmp(leaf, name))
			return true;
	}
	return false;
}

/* Take out what belongs to other stores. */
static void drop_except(const struct walk *w, const char *rel,
			struct walk_dir *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n; i++)
		if (!is_except(w, rel, d->entries[i].name))
			d->entries[kept++] = d->entries[i];
	d->n = kept;
}

/* The table and its names are one block, so that a directory of fifty thousand
   files costs one allocation. */
static void build_table(struct walk_dir *d, const struct buf *names, size_t n)
{
	char *p;

	d->n = n;
	d->entries = mem_alloc(n * sizeof(*d->entries) + names->len);
	p = (char *)(d->entries + n);
	memcpy(p, names->data, names->len);
	for (size_t i = 0; i < n; i++) {
		d->entries[i] =
			(struct walk_entry){ .kind = *p, .name = p + 1 };
		p += strlen(p) + 1;
	}
	qsort(d->entries, n, sizeof(*d->entries), by_name);
}

int walk_list(struct walk *w, const char *rel, struct walk_dir *d_r,
	      struct err *e)
{
	struct buf names = BUF_INIT;
	struct stat st;
	DIR *dir = NULL;
	size_t n = 0;
	int fd, error, ret = -1;

	*d_r = (struct walk_dir){ 0 };
	if (rel[0])
		fd = open_below(w, rel, WALK_FLAGS | O_DIRECTORY);
	else /* a descriptor of its own: the root's would share its position */
		fd = w->fd < 0 ? (errno = ENOTDIR, -1)
			       : open_noatime(w->fd, ".",
					      WALK_FLAGS | O_DIRECTORY);
	if (fd < 0)
		return walk_fail(w, rel, errno, NULL, e);
	if (fstat(fd, &st) < 0) {
		walk_fail(w, rel, errno, NULL, e);
		goto out;
	}
	if (!first_time(w, &st, rel)) {
		walk_fail(w, rel, 0, "the same directory under a second name",
			  e);
		goto out;
	}
	dir = fdopendir(fd);
	if (!dir) {
		walk_fail(w, rel, errno, NULL, e);
		goto out;
	}
	fd = -1;
	error = read_entries(dir, &names, &n);
	if (error) {
		walk_fail(w, rel, error, NULL, e);
		goto out;
	}
	build_table(d_r, &names, n);
	if (w->except)
		drop_except(w, rel, d_r);
	ret = 0;
out:
	if (dir)
		closedir(dir);
	if (fd >= 0)
		close(fd);
	buf_free(&names);
	return ret;
}

void walk_dir_free(struct walk_dir *d)
{
	free(d->entries);
	*d = (struct walk_dir){ 0 };
}

ssize_t walk_read_at(int fd, void *bytes, size_t n, uint64_t offset)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, (char *)bytes + have, n - have,
				    (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

ssize_t walk_read(int fd, void *bytes, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, (char *)bytes + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

void walk_add_identity(struct buf *out, const struct stat *st)
{
	buf_addf(out, "%ju:%ju:%jd:%jd%09ld", (uintmax_t)st->st_dev,
		 (uintmax_t)st->st_ino, (intmax_t)st->st_size,
		 (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

int walk_slurp(struct walk *w, const char *rel, size_t max, struct buf *out,
	       struct err *e)
{
	int fd = walk_file(w, rel, NULL, e), ret = -1;
	size_t start = out->len;

	if (fd < 0)
		return -1;
	for (;;) {
		char bytes[16384];
		ssize_t got = read(fd, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			walk_fail(w, rel, errno, NULL, e);
			goto out;
		}
		if (!got)
			break;
		if ((size_t)got > max - (out->len - start)) {
			walk_fail(w, rel, 0, "larger than such a file ever is",
				  e);
			goto out;
		}
		buf_add(out, bytes, (size_t)got);
	}
	ret = 0;
out:
	if (ret < 0)
		buf_cut(out, start);
	close(fd);
	return ret;
}
