/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_TREE_H
#define MAILHAUL_TESTS_IMPORTERS_TREE_H

#include "core/base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Trees of files that a test makes at run time, in a temporary directory: names with
   colons, links, FIFOs and what else does not travel well in version control. A test
   that cannot make its tree stops at once. */
static inline void tree_must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(2);
}

static inline char *tree_make(void)
{
	const char *tmp = getenv("TMPDIR");
	struct buf path = BUF_INIT;

	buf_addf(&path, "%s/mailhaul-test-XXXXXX", tmp ? tmp : "/tmp");
	tree_must(mkdtemp(path.data), path.data);
	return buf_detach(&path);
}

/* root/rel; valid until the fourth call from here. */
static inline const char *tree_path(const char *root, const char *rel)
{
	static char paths[4][4096];
	static unsigned at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", root, rel);
	return path;
}

/* Open the directory that rel lies in, making what is missing; *leaf_r is its last
   part. Step by step, so that paths may be longer than PATH_MAX. */
static inline int tree_parent(const char *root, const char *rel,
			      const char **leaf_r)
{
	int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	tree_must(at >= 0, root);
	for (const char *slash; (slash = strchr(rel, '/')); rel = slash + 1) {
		char *name = mem_strndup(rel, (size_t)(slash - rel));
		int next;

		tree_must(mkdirat(at, name, 0700) == 0 || errno == EEXIST, name);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		tree_must(next >= 0, name);
		close(at);
		at = next;
		free(name);
	}
	*leaf_r = rel;
	return at;
}

static inline void tree_write(const char *root, const char *rel,
			      const void *bytes, size_t n)
{
	const char *leaf;
	int at = tree_parent(root, rel, &leaf);
	int fd = openat(at, leaf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	tree_must(fd >= 0, leaf);
	tree_must(write(fd, bytes, n) == (ssize_t)n, leaf);
	close(fd);
	close(at);
}

static inline void tree_file(const char *root, const char *rel,
			     const char *text)
{
	tree_write(root, rel, text, strlen(text));
}

static inline void tree_dir(const char *root, const char *rel)
{
	const char *leaf;
	int at = tree_parent(root, rel, &leaf);

	tree_must(mkdirat(at, leaf, 0700) == 0 || errno == EEXIST, leaf);
	close(at);
}

static inline void tree_link(const char *root, const char *rel,
			     const char *target)
{
	const char *leaf;
	int at = tree_parent(root, rel, &leaf);

	tree_must(symlinkat(target, at, leaf) == 0, leaf);
	close(at);
}

/* S_IFIFO or S_IFSOCK. */
static inline void tree_special(const char *root, const char *rel, mode_t kind)
{
	const char *leaf;
	int at = tree_parent(root, rel, &leaf);

	tree_must(mknodat(at, leaf, kind | 0600, 0) == 0, leaf);
	close(at);
}

static inline void tree_move(const char *root, const char *from, const char *to)
{
	const char *leaf;
	int at = tree_parent(root, to, &leaf);

	tree_must(renameat(AT_FDCWD, tree_path(root, from), at, leaf) == 0, to);
	close(at);
}

/* Call visit for everything below the directory at, which it closes; children come
   before their directory. Access times are left alone. */
static inline void tree_visit(int at, struct buf *rel,
			      void (*visit)(int at, const char *name,
					    const char *rel, void *ctx),
			      void *ctx)
{
	DIR *dir = fdopendir(at);
	size_t len = rel->len;
	struct dirent *d;

	tree_must(dir, "fdopendir");
	while ((d = readdir(dir))) {
		int below;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		buf_addf(rel, "%s%s", len ? "/" : "", d->d_name);
		below = openat(at, d->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				       O_NONBLOCK | O_CLOEXEC | O_NOATIME);
		if (below >= 0)
			tree_visit(below, rel, visit, ctx);
		visit(at, d->d_name, rel->data, ctx);
		buf_cut(rel, len);
	}
	closedir(dir);
}

static inline void tree_visit_root(const char *root,
				   void (*visit)(int, const char *, const char *,
						 void *),
				   void *ctx)
{
	struct buf rel = BUF_INIT;
	int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);

	tree_must(at >= 0, root);
	visit(at, ".", ".", ctx);
	tree_visit(at, &rel, visit, ctx);
	buf_free(&rel);
}

static inline void tree_age_one(int at, const char *name, const char *rel,
				void *ctx)
{
	/* Read last before it was written: so even "relatime" notes a read. */
	const struct timespec times[2] = { { 1500000000, 111 },
					   { 1600000000, 222 } };

	(void)ctx;
	tree_must(utimensat(at, name, times, AT_SYMLINK_NOFOLLOW) == 0, rel);
}

static inline void tree_age(const char *root)
{
	tree_visit_root(root, tree_age_one, NULL);
}

static inline void tree_times_one(int at, const char *name, const char *rel,
				  void *ctx)
{
	struct stat st;

	tree_must(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0, rel);
	buf_addf(ctx, "%s %o %jd a%jd.%ld m%jd.%ld c%jd.%ld\n", rel, st.st_mode,
		 (intmax_t)st.st_size, (intmax_t)st.st_atim.tv_sec,
		 st.st_atim.tv_nsec, (intmax_t)st.st_mtim.tv_sec,
		 st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec,
		 st.st_ctim.tv_nsec);
}

/* Append kind, size and all times of everything in the tree. */
static inline void tree_times(const char *root, struct buf *out)
{
	tree_visit_root(root, tree_times_one, out);
}

static inline void tree_remove_one(int at, const char *name, const char *rel,
				   void *ctx)
{
	(void)ctx;
	if (!strcmp(rel, "."))
		return;
	tree_must(unlinkat(at, name, 0) == 0 ||
			  unlinkat(at, name, AT_REMOVEDIR) == 0, rel);
}

/* Remove the tree and free its name. */
static inline void tree_remove(char *root)
{
	tree_visit_root(root, tree_remove_one, NULL);
	rmdir(root);
	free(root);
}

#endif
