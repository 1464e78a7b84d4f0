/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_BECKY_BODY_H
#define MAILHAUL_IMPORTERS_BECKY_BODY_H

#include "importers/becky_attach.h"
#include "importers/becky_bmf.h"

/* Puts attachments back into a message on its way to the intake. A line "X-Becky-Include:
   path" is replaced by an empty line and the file. It ends a part's header; if other
   fields follow, they come first. Where it is the first line of a body there is an
   empty line already. Anywhere else it may be what somebody wrote about Becky!: it counts
   only when the file is there. */
struct becky_body {
	struct intake *in;
	/* Open an attachment: the descriptor, or -1. */
	int (*open)(void *ctx, const char *path, size_t n);
	void *ctx;

	size_t missing, rebuilt; /* attachments */
	struct buf lost;	 /* the name of the last one that is missing */

	/* Private, zero at first. */
	bool in_body;	/* in a body, not in the header of the message or a part */
	bool first;	/* the next line is the first of a body */
	bool dropping;	/* the rest of a line that was replaced */
	bool lacks_eol; /* the file ended without */
	bool pending;	/* fd waits for the header's end */
	int fd;
	enum becky_encoding encoding;
};
int becky_body_add(struct becky_body *b, const struct bmf_piece *p,
		   struct err *e);
/* Behind the last piece. */
int becky_body_end(struct becky_body *b, struct err *e);
void becky_body_free(struct becky_body *b);

#endif
