/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_INTAKE_H
#define MAILHAUL_BASE_INTAKE_H

#include "core/base/digest.h"
#include "core/base/err.h"
#include "core/base/header.h"
#include "core/base/spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everyone who wants a message's bytes sees them here, once, as they are read:
   the header view, the digests, the wire size, and (when asked for) the spool.

   What goes in is the message as the store holds it, with the container's own
   framing (separator lines, quoting, dot-stuffing) already undone, with any line
   ends, in pieces of any size. What comes out in the spool is the same bytes with
   every LF that is not behind a CR turned into CRLF, without the fields that the
   store added. Nothing else is ever changed: a lone CR, a NUL, raw 8-bit bytes and
   a missing last line end stay as they are (M3).

   The end of the header is the first empty line (LF or CRLF); a line of white space
   is not empty. */
struct intake {
	/* Set by the importer before the first message, kept over resets. Lists
	   end with NULL; names are compared without case. */
	const char *const *drop_leading; /* dropped while the header begins with them:
					    what a client writes on top is its own,
					    what is further down came with the mail */
	const char *const *drop_anywhere;
	bool want_spool; /* set by the engine: false when only looking */

	/* Filled while bytes pass; complete after intake_end. */
	struct header header;
	struct spool spool;   /* the wire form, when want_spool */
	uint64_t wire_size;   /* its size, in either case */
	uint64_t store_size;  /* bytes that went in */
	uint64_t nuls;	      /* NUL bytes in the wire form */
	uint64_t lone_crs;    /* CR not followed by LF */
	uint64_t longest_line;/* octets without line end */
	bool header_8bit;     /* a kept header field has a byte over 0x7F */
	bool ends_with_eol;
	struct digest digest; /* after intake_end */
	bool in_header;	      /* still in the header */

	struct intake_state *state; /* private */
};

void intake_init(struct intake *in);
void intake_free(struct intake *in);
/* Ready for the next message. */
void intake_reset(struct intake *in);
int intake_add(struct intake *in, const char *bytes, size_t n, struct err *e);
int intake_end(struct intake *in, struct err *e);
/* A thread that has used intakes ends: what it keeps for the next one is freed. */
void intake_thread_ends(void);

#endif
