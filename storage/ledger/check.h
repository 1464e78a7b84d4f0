/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_CHECK_H
#define MAILHAUL_STORAGE_LEDGER_CHECK_H

#include "storage/ledger/ledger.h"

/* Comparing the ledger with what a server has, one target folder at a time: begin, saw
   for every message on the server, pair, then ask. What was seen is kept in a
   temporary table, so memory does not grow with the folder. The ledger itself is not
   changed and may be open for reading only. */

int ledger_check_begin(struct ledger *led, int64_t target_folder, struct err *e);

enum ledger_sight {
	SIGHT_OURS,    /* it has a UID of ours, and nothing speaks against it */
	SIGHT_CHANGED, /* it has a UID of ours, but another Message-ID */
	SIGHT_UNKNOWN, /* no UID of ours: another's mail, or ours under a UID that was
			  not told; pair finds those */
};
/* message_id in normal form. */
int ledger_check_saw(struct ledger *led, uint32_t uidvalidity, uint32_t uid,
		     uint64_t size, const char *message_id,
		     enum ledger_sight *sight_r, struct err *e);

/* Match done messages that were not seen with unknown mail of the same Message-ID (and
   the same size, where there are several). *paired_r: how many. */
int ledger_check_pair(struct ledger *led, uint64_t *paired_r, struct err *e);

/* Done messages that were not found: 1 with the first whose id is over after, 0, -1.
   subject is set to the readable subject. */
int ledger_check_next_missing(struct ledger *led, int64_t after,
			      struct ledger_message *m, struct buf *subject,
			      struct err *e);
/* Messages found, by UID on the server: 1 with the first over uid, its UID in m->uid. */
int ledger_check_next_found(struct ledger *led, uint32_t uid,
			    struct ledger_message *m, struct err *e);

#endif
