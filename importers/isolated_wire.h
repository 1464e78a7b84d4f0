/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_ISOLATED_WIRE_H
#define MAILHAUL_IMPORTERS_ISOLATED_WIRE_H

#include "importers/importer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an isolated importer and its child say to each other, over a socket pair. One
   frame is a kind (1 byte), a length (4 bytes) and that many bytes; numbers are little
   endian, texts a length (4 bytes) and bytes without NUL.

   Whoever decodes trusts nothing: the child may have been taken over by what it read.
   Every length is bounded (WIRE_MAX; texts by their own limits), every number that
   stands for one of a list is one of that list, text for people is UTF-8 without
   control characters, and a frame is either right to its last byte or refused. */
enum {
	WIRE_MAX = 64 << 10,
	WIRE_NAME_MAX = 4096,	  /* of a folder's part, id, file, account */
	WIRE_DEPTH_MAX = 64,	  /* parts of a folder's path */
	WIRE_LOCATOR_MAX = 1024,
	WIRE_FINGERPRINT_MAX = 8192,
	WIRE_FLAGS_MAX = 8192,
	WIRE_REMARK_MAX = 2048,
};

enum wire_kind {
	/* asked by the parent */
	WIRE_NEXT_FOLDER = 1,
	WIRE_NEXT,
	WIRE_LOAD,
	WIRE_PASS,   /* length */
	WIRE_REMARK, /* number */
	WIRE_GO_TO,  /* id of a folder, locator of a message or "" */
	/* answered by the child */
	WIRE_FOLDER = 64,
	WIRE_MESSAGE, /* found, or with its bytes sent: loaded */
	WIRE_BYTES,
	WIRE_DONE,    /* nothing more, or what was asked is done */
	WIRE_TEXT,
	WIRE_ERROR,
	WIRE_BUSY,    /* still at it */
};

/* A folder with its own memory. */
struct wire_folder {
	struct folder f; /* its strings are in text */
	struct buf text;
	const char *path[WIRE_DEPTH_MAX + 1];
};

void wire_folder_init(struct wire_folder *wf);
void wire_folder_free(struct wire_folder *wf);

void wire_add_number(struct buf *out, uint64_t n);
void wire_add_text(struct buf *out, const char *text, size_t n);
void wire_add_folder(struct buf *out, const struct folder *f);
/* Everything of m but its intake. */
void wire_add_message(struct buf *out, const struct message *m);
void wire_add_error(struct buf *out, const struct err *e);

/* Each takes a whole frame's bytes and is false when they are not what they should be;
   what it fills in is then of no use. */
bool wire_get_number(const char *bytes, size_t n, uint64_t *number_r);
bool wire_get_text(const char *bytes, size_t n, struct buf *text);
bool wire_get_go_to(const char *bytes, size_t n, struct buf *id,
		    struct buf *locator);
bool wire_get_folder(const char *bytes, size_t n, struct wire_folder *wf);
/* Fills in what wire_add_message had; the intake is left alone. */
bool wire_get_message(const char *bytes, size_t n, struct message *m);
/* The error's kind is ERR_SOURCE or ERR_OTHER, its reach at most the source. */
bool wire_get_error(const char *bytes, size_t n, struct err *e);

/* One end of the socket pair. */
struct wire {
	int fd;
	char *bytes; /* received: those before at are used up */
	size_t at, n;
	struct buf out; /* not yet sent */
};
struct wire_frame {
	unsigned kind;
	const char *bytes; /* until the next wire_receive */
	size_t n;
};
void wire_open(struct wire *w, int fd);
void wire_close(struct wire *w);
/* Send a frame, together with those before it: when there is enough, or by wire_flush.
   0, or -1 with errno. */
int wire_send(struct wire *w, enum wire_kind kind, const char *bytes, size_t n);
int wire_flush(struct wire *w);
/* Receive one frame: 1, 0 at the end, or -1 with errno: ETIMEDOUT when it was not whole
   within so many milliseconds (negative: no limit), EPROTO when it is too long. */
int wire_receive(struct wire *w, int64_t timeout_ms, struct wire_frame *f);

#endif
