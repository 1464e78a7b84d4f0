/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_FILETREE_H
#define MAILHAUL_IMPORTERS_FILETREE_H

#include "importers/importer.h"
#include "importers/remarks.h"
#include "importers/unpack.h"
#include "importers/walk.h"

/* What stores that keep a file per message have in common (EML trees, Windows Live
   Mail, Apple Mail, MH and its kin): a folder is a directory, or a few of them, and a
   message is a file in it. A format says which directories are folders, which files
   are messages, and how a message lies in its file; the rest is here.

   FT1  A folder's fingerprint is made of the identity of its directories, of name,
	size and time of every file that may be a message (one stat each), and of what
	the format adds (enter, beside). No mail is read for it.
   FT2  A locator is the file's name below its folder, its size and its time, and
	beside() where there is such a thing: it stands alone. Flags that lie in other
	files are no part of it.
   FT3  Of a message never more than FILETREE_PIECE bytes are held, and of a folder an
	index of its files.
   FT4  A file that is gone, or not as it was when the folder was listed, is an error
	of its own. */
enum { FILETREE_PIECE = 64 << 10 };

struct filetree;

struct filetree_file {
	const char *name; /* in its directory */
	size_t dir;	  /* which of the folder's directories */
	uint64_t number;  /* files come by number, then by directory and name */
	unsigned tag;	  /* the format's own */
	uint64_t size;
	int64_t mtime;
	long mtime_nsec;
	uint64_t beside;
	int error; /* why it could not be looked at: an errno, or 0 */
};

struct filetree_folder {
	char *rel;    /* its directory below the source; "" for the source itself */
	char **path;  /* parts, ended by NULL */
	enum folder_use use;
	char *account;
	char *error;  /* why it could not be looked into, or NULL */
	char **dirs;  /* below the source: where its files are */
	size_t n_dirs;
};

/* What a format is. Those marked so may be NULL. */
struct filetree_format {
	const struct importer_ops *ops;
	const char *const *drop_leading; /* as of struct intake; or NULL */

	/* May this file (regular, of the current folder) be a message? Sets number
	   and tag. Called while the folder is listed: looks at names only. */
	bool (*is_message)(struct filetree *t, struct filetree_file *file);
	/* The current folder is about to be listed: read what lies beside its
	   messages, and append to state whatever bears on what is said of them.
	   Optional. */
	void (*enter)(struct filetree *t, struct buf *state);
	/* A hash of what belongs to one message and lies in other files. Optional. */
	uint64_t (*beside)(struct filetree *t, const struct filetree_file *file);
	/* Is it one after all? May look into the file. Optional. */
	bool (*look)(struct filetree *t, const struct filetree_file *file);
	/* Fill in what is known without reading it: flags, skip. Optional. */
	void (*describe)(struct filetree *t, const struct filetree_file *file,
			 struct message *m);
	/* Bring the message to m->in, framing undone; fd is its file. */
	int (*feed)(struct filetree *t, const struct filetree_file *file, int fd,
		    struct message *m, struct err *e);
	/* It is read, m->in is complete: flags, notes and dates from its header.
	   Optional. */
	void (*settle)(struct filetree *t, const struct filetree_file *file,
		       struct message *m);
	/* Behind the last folder: what there is to say of the source. Optional. */
	void (*finish)(struct filetree *t);
};

/* The begin of a format's own importer. */
struct filetree {
	struct importer base;
	const struct filetree_format *format;
	struct walk *w;
	const struct importer_options *opt; /* while it is opened */
	struct remarks remarks;

	struct filetree_folder *folders;
	size_t n_folders, cap_folders, next;

	/* The current folder; NULL before the first and after the last. */
	const struct filetree_folder *folder;
	struct walk_dir *lists; /* one for each of its directories */
	struct filetree_file *files;
	size_t n, cap, at; /* the message next found is files[at - 1] */

	char **kept;
	size_t n_kept;
	struct buf state, fingerprint, file, path;
	char *bytes; /* FILETREE_PIECE, for whoever reads */
	bool finished;
};

/* Open the source. t is zeroed memory of the format's own importer; on failure it is
   as filetree_release leaves it. */
int filetree_open(struct filetree *t, const struct filetree_format *format,
		  const char *path, const struct importer_options *opt,
		  struct err *e);
/* Give back what is here; not t itself. */
void filetree_release(struct filetree *t);
/* "No WHAT here or below", with the first remark; -1. */
int filetree_nothing(struct filetree *t, const char *what, struct err *e);

/* --- finding folders, between filetree_open and the first next_folder --- */

/* Where the search stands. */
struct filetree_place {
	const char *rel;  /* of the directory */
	const char *name; /* its last part; of the root, the root's own */
	const struct walk_dir *dir;
	const struct walk_dir *above; /* the one it was found in; NULL: the root */
	unsigned depth;	   /* 0: the root */
	struct buf *parts; /* of the folder's name, each with a NUL; what is appended
			      here is there for what lies below */
	/* Inherited by what lies below; the format's own, all zero at the root. */
	const char *account; /* a string of t's, see filetree_keep */
	unsigned tag;
	size_t folder; /* index + 1, or 0 */
};
/* Called for the root and then every directory below it, parents first, in the order
   of their names. Returns whether to go on below. */
typedef bool filetree_visit(struct filetree *t, struct filetree_place *at);
/* What cannot be listed becomes a folder with an error, under the name so far. */
int filetree_find(struct filetree *t, filetree_visit *visit, struct err *e);

/* A folder at this place, named by at->parts (of none: by the source itself); returns
   its index. Its directory is one of those of its files if files is set. */
size_t filetree_add(struct filetree *t, const struct filetree_place *at,
		    enum folder_use use, bool files);
/* One more directory with its files. */
void filetree_add_dir(struct filetree *t, size_t folder, const char *rel);
/* All folders are found: leave out those without directories, sort. */
void filetree_found(struct filetree *t);
/* The source is a file: it is the one message of one folder, which has the name of the
   directory that the file lies in. */
void filetree_add_file(struct filetree *t);

/* Append name[0..n) as one part: guessed, in NFC, and a NUL. */
void filetree_add_part(struct buf *parts, const char *name, size_t n);
/* What a folder of these parts is for, by its name. */
enum folder_use filetree_use(const struct buf *parts);
/* A copy that lives as long as t. */
const char *filetree_keep(struct filetree *t, const char *s);
const struct walk_entry *filetree_entry(const struct walk_dir *d,
					const char *name);
/* Does name end so (without case)? */
bool filetree_ends(const char *name, const char *suffix);

/* --- reading --- */

/* The path of a file of the current folder. Valid until the next call. */
const char *filetree_path(struct filetree *t, const struct filetree_file *file);
/* An error about one message: ERR_MESSAGE, with its path. */
int filetree_fail(struct filetree *t, const struct filetree_file *file,
		  enum err_retry retry, const char *what, struct err *e);
/* Fill t->bytes: how many, 0 at the end, -1 (ERR_MESSAGE). */
ssize_t filetree_read(struct filetree *t, const struct filetree_file *file,
		      struct unpack *u, struct err *e);
/* The first bytes of a file, at most n: how many, -1 if it cannot be read. */
ssize_t filetree_head(struct walk *w, const char *rel, char *bytes, size_t n);
/* FNV-1a, for fingerprints: quick, and enough. */
#define FILETREE_HASH UINT64_C(0xCBF29CE484222325)
uint64_t filetree_hash(uint64_t hash, const void *bytes, size_t n);
uint64_t filetree_hash_stat(uint64_t hash, const struct stat *st);

/* --- for the format's table --- */

int filetree_next_folder(struct importer *imp, struct folder *f, struct err *e);
int filetree_next(struct importer *imp, struct message *m, struct err *e);
int filetree_load(struct importer *imp, struct message *m, struct err *e);
const char *filetree_remark(struct importer *imp, unsigned nth);

#endif
