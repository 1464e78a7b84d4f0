/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_WIRE_H
#define MAILHAUL_STORAGE_IMAP_WIRE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "storage/imap/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frames what a server says into lines, over a stream, without ever waiting: for the
   append pipeline. Literals in answers are passed over there; who needs their bytes
   reads through talk.c, which waits. */
enum { WIRE_LINE_MAX = 64 << 10, WIRE_LITERAL_MAX = 64 << 20 };

struct wire {
	struct stream *stream;
	struct buf in;	  /* received; from at on not used */
	size_t at;
	size_t scanned;	  /* behind at: known to hold no line end */
	uint64_t literal; /* bytes left to pass over */
	bool continued;	  /* the next line goes on with an answer */
};

struct wire_line {
	const char *text; /* without line end, NUL-terminated, no NUL inside; valid
			     until the next call */
	size_t len;
	bool continues;	  /* the rest of an answer, behind a literal */
};

void wire_init(struct wire *w, struct stream *s);
void wire_free(struct wire *w);
/* Bytes that somebody else has read from the stream before us. */
void wire_put(struct wire *w, const char *bytes, size_t n);
/* The next line: 1 with *line_r, 0 when it is not complete yet (stream_wait, then ask
   again), -1 with the stream's failure or ERR_PROTOCOL for what cannot be framed:
   the conversation is then over. */
int wire_line(struct wire *w, struct wire_line *line_r, struct err *e);
/* Nothing of an answer is held or awaited: somebody else may read the stream. */
bool wire_is_idle(const struct wire *w);

#endif
