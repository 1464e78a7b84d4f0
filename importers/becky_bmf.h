/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_BECKY_BMF_H
#define MAILHAUL_IMPORTERS_BECKY_BMF_H

#include "importers/dbx_window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A .bmf file: messages as SMTP would send them, each ended by a line ".", with a second
   dot in front of lines that begin with one (comm-central's former importer,
   nsBeckyMail.cpp). The last message may lack its end. */
struct bmf {
	struct dbx_window w;
	uint64_t start; /* of the current message */
	uint64_t at;	/* the next byte */
	bool begins;	/* it begins a line */
};

/* A line without its second dot, or a piece of a long one; the beginning of a line is
   BMF_LINE bytes long, or all of it. */
enum { BMF_LINE = DBX_WINDOW_LEAST - 2 };
struct bmf_piece {
	const char *bytes; /* valid until the next call */
	size_t n;
	bool begins, ends; /* ends: with a line end */
};

/* fd stays the caller's. */
void bmf_open(struct bmf *b, int fd, uint64_t size);
void bmf_close(struct bmf *b);
/* To the next message, when the one before was read to its end or passed. False when
   there is none: what is left is blank, or there is nothing. */
bool bmf_next(struct bmf *b);
/* The next piece of the message: 1, 0 behind its end, -1 when the file cannot be read
   (w.error). */
int bmf_read(struct bmf *b, struct bmf_piece *p);
/* Over a message of this length, framing included. False when it cannot be. */
bool bmf_pass(struct bmf *b, uint64_t length);

#endif
