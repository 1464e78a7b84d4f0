/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_IMPORTER_H
#define MAILHAUL_IMPORTERS_IMPORTER_H

#include "core/base/err.h"
#include "core/base/folder_use.h"
#include "core/base/message.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stdint.h>

/* A source of mail, read folder by folder and message by message.

   M1: an importer only reads. It opens files by walk.h (O_RDONLY, O_NOATIME where
   allowed, never through a symbolic link), takes no lock and writes nothing, anywhere
   but, where a library cannot do without, in an unnamed temporary file. */
struct importer;

/* Something in a file system that may be a store, or part of one. */
struct candidate {
	struct walk *w;
	const char *rel;  /* below w's root; "" is the root */
	const char *name; /* the last part of its path, also of the root's */
	const struct walk_dir *dir; /* a directory's listing; NULL: a file */
	const char *head; /* a file's first bytes, CLAIM_HEAD at most */
	size_t n_head;
	uint64_t size;	  /* of the file */
};
enum { CLAIM_HEAD = 16 << 10 };

/* One without dir and head; rel must outlive it. */
void candidate_init(struct candidate *c, struct walk *w, const char *rel);
/* It is a file: read its first bytes into head, of CLAIM_HEAD bytes. */
int candidate_read(struct candidate *c, char *head, struct err *e);

enum claim {
	CLAIM_NO = 0,
	/* Ours, with others in between: a directory of mboxes or Maildirs may also hold
	   stores of other formats, which are then left to those (walk_except). */
	CLAIM_PART = 1,
	CLAIM_ALL = 2,	/* ours with everything below */
	CLAIM_MORE = 3,	/* likewise, and surer than formats that say CLAIM_ALL: a
			   Thunderbird profile also holds mboxes */
};

/* A line of an mbox that may be a separator or not. */
struct split_doubt {
	const char *file;	/* for people */
	uint64_t offset;	/* of the line */
	bool taken;		/* for a separator */
	int score;		/* mbox_score.h */
	const char *line;	/* the line's beginning, readable, without line end */
	const char *why;	/* what spoke for and against it, readable */
};

struct folder {
	/* Parts of the name, outermost first, UTF-8 in NFC, ended by NULL. Not
	   joined and not escaped: separators are the wire's business. Mail of a
	   store's root or of a bare mbox file has one part. */
	const char *const *path;
	enum folder_use use;
	const char *id;	    /* identifies the folder within its source for ever: the
			       path of its file below the source, as bytes */
	const char *file;   /* where it lies, for people */
	const char *account;/* the client's account it belongs to, for people; "" */
	bool hidden;	    /* holds mail, but the client does not show it */
	/* Text that differs when anything that next() and load() would say of this
	   folder might differ: identity, size and time of every file involved.
	   Computed without reading mail. */
	const char *fingerprint;
	/* Locators of this folder prove on their own that a message is unchanged
	   (Maildir: name, size, time). Otherwise they are good only while the
	   fingerprint stands (mbox: an offset). */
	bool locators_stand_alone;
	uint64_t bytes;	    /* about how much there is to read; for progress */
};

struct importer_options {
	bool imap_copies; /* Thunderbird: also offline copies of IMAP accounts */
	/* Was this folder (by its id) read before? Then its file need not be opened to
	   see whether it is one. NULL: nothing is known. */
	bool (*known_folder)(void *ctx, const char *id);
	/* The first folder of this source, by id, behind after ("" for the first) that
	   was read to its end, with the fingerprint it had then (other text may follow
	   it). False behind the last. NULL: nothing is known. */
	bool (*next_known)(void *ctx, const char *after, struct buf *id_r,
			   struct buf *fingerprint_r);
	void *known_ctx;
	/* Paths below the source that belong to other stores, ended by NULL; or NULL.
	   For importer_walk. */
	const char *const *except;
	/* Every file of the source was looked at for every format: what is not ours
	   need not be mentioned. */
	bool others_looked;
	/* Told of every separator that is in doubt; NULL: nobody asks. */
	void (*doubt)(void *ctx, const struct split_doubt *d);
	void *doubt_ctx;
};

struct importer_ops {
	const char *name;  /* as typed in FORMAT:PATH */
	const char *title; /* for people */

	/* Is this ours? Looks at what it is given and perhaps at a few names and heads of
	   files beside or right below it, never at mail, and reports no errors. */
	enum claim (*claim)(const struct candidate *c);
	/* A file that is ours alone (claim of a file) makes a source of the directory it
	   lies in, together with those beside and below; otherwise of itself. */
	bool gathers;

	/* Open the source at path. On success *imp_r is the caller's until close. */
	int (*open)(const char *path, const struct importer_options *opt,
		    struct importer **imp_r, struct err *e);

	/* Move to the next folder: 1 with f filled in, 0 after the last, -1. f's
	   strings stay valid until the next call. Errors of scope ERR_FOLDER are
	   about one folder: ask again for the next. Folders come in a fixed order
	   (sorted by id), whatever the file system says. */
	int (*next_folder)(struct importer *imp, struct folder *f,
			   struct err *e);

	/* Find the next message of the current folder: 1 with m->locator and
	   m->offset filled in (and whatever else is known without reading it), 0 at
	   the folder's end, -1. After 1, exactly one of load and pass follows.
	   After an ERR_MESSAGE the importer stands behind the bad message and may be
	   asked on; after an ERR_FOLDER, ask for the next folder. */
	int (*next)(struct importer *imp, struct message *m, struct err *e);

	/* Read the message that next found, once, through m->in; then fill in
	   length, flags, skip, notes and when. 0, or -1 as above. */
	int (*load)(struct importer *imp, struct message *m, struct err *e);

	/* Leave it unread: it is known. length is what m->length was when it was
	   loaded (from the ledger). Where there is nothing to do this is NULL. */
	int (*pass)(struct importer *imp, uint64_t length, struct err *e);

	/* At a folder's end, after next has returned 0: text by which resume tells, in a
	   later run, what of the folder is as it was. NULL, or NULL returned: nothing. */
	const char *(*bookmark)(struct importer *imp);
	/* After next_folder, before next, when the folder's fingerprint has changed: go
	   on behind what bookmark stands for. 1 when it was verified (the next message is
	   a new one, those before it are where they were, with the same bytes); 0 when it
	   was not, and next begins at the folder's start. May be NULL. */
	int (*resume)(struct importer *imp, const char *bookmark);

	/* Text about the source for people, one line each, while it is open: tags and
	   their labels, mail the client lost sight of, what was left out. Returns
	   the nth (from 0), or NULL. More may come with each folder and message; each is
	   told once. May be NULL. */
	const char *(*remark)(struct importer *imp, unsigned nth);

	void (*close)(struct importer *imp);
};

/* The begin of every importer. */
struct importer {
	const struct importer_ops *ops;
};

/* The formats; ended by NULL. Of those that are equally sure the first wins. */
extern const struct importer_ops *const importer_registry[];
const struct importer_ops *importer_by_name(const char *name);
/* The format that is surest of path itself, or NULL. */
const struct importer_ops *importer_probe(const char *path);
/* The format that is surest of a candidate, or NULL. */
const struct importer_ops *importer_surest(const struct candidate *c,
					   enum claim *claim_r);
/* What one format says of path. */
enum claim importer_claim(const struct importer_ops *ops, const char *path);

/* Open the root of a source for an importer, without what belongs to other stores. */
int importer_walk(const char *path, const struct importer_options *opt,
		  struct walk **w_r, struct err *e);

#endif
