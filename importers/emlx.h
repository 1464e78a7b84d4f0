/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_EMLX_H
#define MAILHAUL_IMPORTERS_EMLX_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/header.h"
#include "importers/filetree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the files of the Apple Mail importer share. Nobody else includes this. */

/* --- the tree --- */

filetree_visit emlx_visit;
enum claim emlx_claim(const struct candidate *c);
bool emlx_named(const char *name);

/* --- the file: a byte count, the message, a property list --- */

struct emlx_frame {
	uint64_t begin, end; /* of the message */
	uint64_t plist;	     /* where the list begins; plist_end where there is none */
	uint64_t plist_end;  /* the end of the file */
	uint64_t said;	     /* the count in the first line */
	bool lies;	     /* ... which is wrong */
};
/* Find out; size is the file's. 0, or -1 if this is no .emlx file (no count), or with
   errno if it cannot be read. */
int emlx_frame_find(int fd, uint64_t size, struct emlx_frame *f_r);

/* --- the list --- */

struct emlx_info {
	bool has_flags;
	uint64_t flags;
	int64_t received; /* or DATE_NONE */
};
/* Read an XML or a binary property list, at most EMLX_PLIST_MAX bytes of it. Whatever
   the bytes, what cannot be read is not there. */
enum { EMLX_PLIST_MAX = 1 << 20 };
void emlx_plist_read(const char *bytes, size_t n, struct emlx_info *info_r);

enum {
	EMLX_READ = 1 << 0,
	EMLX_DELETED = 1 << 1,
	EMLX_ANSWERED = 1 << 2,
	EMLX_FLAGGED = 1 << 4,
	EMLX_DRAFT = 1 << 6,
	EMLX_FORWARDED = 1 << 8,
	EMLX_JUNK = 1 << 24,
	EMLX_NOT_JUNK = 1 << 25,
};

/* --- putting back attachments --- */

struct emlx_hooks {
	/* Takes the message, in pieces. */
	int (*out)(void *ctx, const char *bytes, size_t n, struct err *e);
	/* Opens the file that holds the body of the part with this number ("2.1");
	   the descriptor becomes the caller's. *encoded_r: it is as it was in the
	   message, and not decoded. -1: there is none. */
	int (*find)(void *ctx, const char *number, bool *encoded_r);
};

/* A message whose parts were emptied: they have a field X-Apple-Content-Length and no
   body. Bytes go in as they are stored and come out with the bodies put back, and
   without that field. A part whose body is not to be found stays as it is; a message
   without such parts comes out byte for byte. */
struct emlx_parts;
struct emlx_parts *emlx_parts_new(const struct emlx_hooks *hooks, void *ctx);
int emlx_parts_add(struct emlx_parts *p, const char *bytes, size_t n,
		   struct err *e);
int emlx_parts_end(struct emlx_parts *p, struct err *e);
size_t emlx_parts_restored(const struct emlx_parts *p);
size_t emlx_parts_missing(const struct emlx_parts *p);
const char *emlx_parts_first_missing(const struct emlx_parts *p); /* its number */
void emlx_parts_free(struct emlx_parts *p);

/* Its two helpers. declared is X-Apple-Content-Length, 0 if unknown. */
enum emlx_encoding { EMLX_AS_IT_IS, EMLX_BASE64, EMLX_QUOTED, EMLX_OTHER };
struct emlx_body {
	enum emlx_encoding encoding;
	bool text; /* its line ends are line ends */
	uint64_t declared;
};
/* Feed the file to out, encoded; *eol_r: what came out ends with a line end. */
int emlx_body_out(const struct emlx_hooks *hooks, void *ctx, int fd,
		  const struct emlx_body *body, bool *eol_r, struct err *e);

#endif
