/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_SETTLE_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_SETTLE_H

#include "core/base/message.h"
#include "importers/thunderbird_folders.h"
#include "importers/thunderbird_popstate.h"
#include "importers/thunderbird_summary.h"

#include <stdbool.h>
#include <stddef.h>

/* What the places where Thunderbird keeps flags say of a message, taken together. The
   mail is in mboxes or in Maildirs of a kind of their own (cur/ and tmp/, no flags in
   file names); flags and tags are in the headers that Thunderbird puts on top and in
   the summary (.msf) beside. Which of the two is believed:

   T1  A message that the headers call expunged is deleted, whatever the summary
       says.
   T2  When the summary is of the store as it is now, what it says of a message is
       what the person saw, and counts alone. From a stale one only tags and junk are
       taken, and flags where there are no others, and only for a message of the same
       offset (or file) and Message-ID.
   T3  That the summary does not list a message means something only when it is
       complete and of this mbox, and the message could not have been marked in
       place. Everything else that is not listed is migrated, with a note.
   T4  Copies of a server's mail carry no marks: there the summary decides. */
struct tb_context {
	const struct tb_folder *f;
	const struct tb_summary *summary; /* NULL: there is none */
	bool current; /* it is complete, and of the mail as it is now */
	/* popstate.dat of every account, in the order of p->accounts; some NULL. */
	const struct tb_profile *p;
	struct tb_popstate *const *popstates;
	/* Counted here. */
	size_t unlisted, unmarked, partial;
};

/* After m was read, from where the summary's token says. */
void tb_settle(struct tb_context *c, const char *token, struct message *m);

#endif
