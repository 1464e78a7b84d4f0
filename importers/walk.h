/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_WALK_H
#define MAILHAUL_IMPORTERS_WALK_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The only way importers reach the file system. A source is a root directory (or a
   single file); everything is opened relative to it.

   W1  Nothing is opened for writing; O_NOATIME is asked for and done without where
       the kernel refuses it (not the owner).
   W2  No symbolic link is followed below the root: a link could lead outside, or in
       a circle. Links are remarked on, not followed. The path the user gave may
       itself be a link.
   W3  Only regular files and directories are opened (O_NONBLOCK, then fstat): a FIFO
       or a device in the source cannot make us wait.
   W4  Depth is bounded (WALK_DEPTH), and a directory is never entered twice (by
       device and inode), so bind mounts cannot make a loop either. */
enum { WALK_DEPTH = 64 };

struct walk; /* an open root */

/* Open path, a file or a directory. ERR_ACCOUNT. */
int walk_open(const char *path, struct walk **w_r, struct err *e);
void walk_close(struct walk *w);
/* From now on walk_list leaves these out (paths below the root, ended by NULL, which
   must outlive w): they belong to other stores. */
void walk_except(struct walk *w, const char *const *rels);
const char *walk_root(const struct walk *w); /* as the user gave it */
/* Set out to the path of rel for people: with the root, and readable. */
void walk_name(const struct walk *w, const char *rel, struct buf *out);
bool walk_is_file(const struct walk *w);

/* Open a regular file below the root ("" is the root itself when it is a file).
   The descriptor is the caller's. st_r, if not NULL, is its fstat. ERR_FOLDER.

   Here and below rel is a path below the root as bytes, without "." and "..",
   and without a slash at either end. */
int walk_file(struct walk *w, const char *rel, struct stat *st_r, struct err *e);
/* fstatat without following; 0, or -1 if it is not there. No error is reported. */
int walk_stat(struct walk *w, const char *rel, struct stat *st_r);

/* The names in a directory ("" for the root), sorted by bytes, without "." and "..".
   A directory may be listed again, but not by a second name (W4: ERR_FOLDER). */
struct walk_entry {
	char *name;
	char kind; /* 'f' file, 'd' directory, 'l' symbolic link, '?' other */
};
struct walk_dir {
	struct walk_entry *entries;
	size_t n;
};
int walk_list(struct walk *w, const char *rel, struct walk_dir *d_r,
	      struct err *e);
void walk_dir_free(struct walk_dir *d);

/* Read as many of n bytes as there are, from an offset or from where fd stands: how many,
   or -1 with errno. */
ssize_t walk_read_at(int fd, void *bytes, size_t n, uint64_t offset);
ssize_t walk_read(int fd, void *bytes, size_t n);

/* Append "dev:ino:size:mtime_ns" of st: the common part of fingerprints. */
void walk_add_identity(struct buf *out, const struct stat *st);

/* Read a small file (configuration) whole, at most max bytes. */
int walk_slurp(struct walk *w, const char *rel, size_t max, struct buf *out,
	       struct err *e);

#endif
