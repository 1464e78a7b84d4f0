/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_REPAIR_H
#define MAILHAUL_CORE_REPAIR_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/intake.h"

/* Repairs of mail that a server refuses: only on request, only after a refusal (or where
   it is certain: a NUL, and no BINARY), only as far as needed, and written down. The
   original stays in its source.

   The ladder is climbed one rung at a time, each rung with the ones below it; a rung
   that would change nothing in this message is passed over. */
enum repair { /* bits in the ledger: never renumber. In the order of the ladder */
	REPAIR_NUL = 1 << 0,	   /* each NUL becomes 0x80, as Dovecot and c-client do */
	REPAIR_LONE_CR = 1 << 1,   /* a CR without LF becomes CRLF; in front of a CRLF it is
				      dropped */
	REPAIR_LONG_LINES = 1 << 2,/* a line of more than 998 octets (RFC 5322 section
				      2.1.1) is broken: in the header at white space,
				      in the body where it must be */
	REPAIR_HEADER = 1 << 3,	   /* what is no field and no continuation ends the header:
				      an empty line goes before it; a header without an
				      end gets one; blanks before a colon go */
	REPAIR_LAST_EOL = 1 << 4,  /* the last line gets its CRLF */
	/* Not on the ladder: opt-in, before sending, where a server is known to replace
	   such bytes (--encode-headers). */
	REPAIR_8BIT_HEADER = 1 << 5, /* raw 8-bit field bodies as RFC 2047 encoded words,
					in UTF-8; in parameters as RFC 2231 has it.
					Addresses and Message-IDs stay raw: they cannot
					be encoded */
};

/* The next set to try after done (0 at first): one rung more that changes something in
   the message that in has taken in (with its spool, which is read to find out); 0 when
   the ladder is at its end. */
unsigned repair_next(const struct intake *in, unsigned done);
/* For people: "NUL bytes were replaced; ...". Static text, or in out. */
void repair_describe(unsigned repairs, struct buf *out);

/* Read from's spool, repair, and take the result in again: to is a fresh intake with
   want_spool set (reset by the caller), complete (ended) afterwards. Memory is bounded
   whatever the message's size. */
int repair_apply(const struct intake *from, unsigned repairs, struct intake *to,
		 struct err *e);

#endif
