/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_DIGEST_H
#define MAILHAUL_BASE_DIGEST_H

#include "core/base/header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which message is this? Two SHA-256 over bytes, never over decoded text.

   body  the body with LF line ends, every '>' in front of "From " at the start of a
	 line removed (so that no store's quoting matters), trailing line ends cut.
   full  every header field in order but those of digest_ignores(), each as
	 lower-case-name ":" unfolded value LF; then the body digest.
	 Equal full digests are the same message.
   core  normal Message-ID, Date, From and Subject raw but unfolded, each followed
	 by LF; then the body digest. Equal core, other full: the same message with
	 other trace headers.
   Text in front of the first field counts in both, as a field without a name; an
   mbox separator line on top counts in neither.

   Invariants, stated as a property in tests/fuzz/base_digest.c:
   D1  LF and CRLF spellings of a message share both digests.
   D2  Any level of mbox quoting shares both digests.
   D3  Fields that clients and fetchers add do not matter, nor does folding.
   D4  Any other change of a body byte changes both, of a header field full.

   The version goes into the ledger; digests of different versions are never
   compared. */
enum { DIGEST_VERSION = 1, DIGEST_SIZE = 32 };

struct digest {
	uint8_t full[DIGEST_SIZE];
	uint8_t core[DIGEST_SIZE];
};

/* Whether a field is left out of the full digest: client and fetcher headers of
   formats.md sections 6.4 and 6.5. */
bool digest_ignores(const char *name, size_t n);

/* Hashes a body in pieces of any size. */
struct digest_body;
struct digest_body *digest_body_new(void);
void digest_body_free(struct digest_body *d);
void digest_body_reset(struct digest_body *d);
void digest_body_add(struct digest_body *d, const char *bytes, size_t n);
/* Combine with the header's fields (dropped ones do not count). d must be reset
   before it is used again. */
void digest_finish(struct digest_body *d, const struct header *h,
		   struct digest *out);

#endif
