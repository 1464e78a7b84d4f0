/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_IMPORTER_H
#define MAILHAUL_IMPORTERS_IMPORTER_H

#include "core/base/err.h"
#include "core/base/folder_use.h"
#include "core/base/message.h"

#include <stdbool.h>
#include <stdint.h>

/* A source of mail, read folder by folder and message by message.

   M1: an importer only reads. It opens files with source_open() (walk.h: O_RDONLY,
   O_NOATIME where allowed, never through a symbolic link that leaves the source),
   takes no lock and writes nothing, anywhere. */
struct importer;

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
	void *known_ctx;
};

struct importer_ops {
	const char *name;  /* as typed in FORMAT:PATH */
	const char *title; /* for people */

	/* How sure are we that path is ours? 0 no, 1 plausible, 2 certain, 3 more
	   certain than others (a Thunderbird profile also holds mboxes). Looks at a
	   few bytes or names and reports no errors. */
	int (*probe)(const char *path);

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

	/* Text about the source for people, one line each, while it is open: tags and
	   their labels, mail the client lost sight of, what was left out. Returns
	   the nth (from 0), or NULL. Complete after the last folder. May be NULL. */
	const char *(*remark)(struct importer *imp, unsigned nth);

	void (*close)(struct importer *imp);
};

/* The begin of every importer. */
struct importer {
	const struct importer_ops *ops;
};

/* The formats, in the order in which they are probed; ended by NULL. */
extern const struct importer_ops *const importer_registry[];
const struct importer_ops *importer_by_name(const char *name);
/* The format that is surest, or NULL. */
const struct importer_ops *importer_probe(const char *path);

#endif
