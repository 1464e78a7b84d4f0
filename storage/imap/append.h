/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_APPEND_H
#define MAILHAUL_STORAGE_IMAP_APPEND_H

#include "storage/imap/session.h"
#include "storage/target.h"

/* The append pipeline of one connection: a state machine that never waits unless it
   is told to. With MULTIAPPEND one command carries a batch; with LITERAL+ commands
   follow each other without waiting; with LITERAL- only literals up to 4,096 bytes
   do; otherwise each literal waits for the server's "+".

   A1  What is announced is exactly what is sent: the spool's length.
   A2  APPEND_DONE only after the tagged OK of that message's command.
   A3  Not more than the window (bytes and commands) is unanswered.
   A4  A refused MULTIAPPEND (all or nothing) is taken apart: its messages are sent
       again in halves until the one that is refused stands alone with its reason.
       A refusal that is not about messages (OVERQUOTA, no such folder, a throttled
       account) ends the pipeline with that error instead; one that is about a folder
       for good (NOPERM, READ-ONLY) refuses its messages and no others.
   A5  An answer that fits no open command, or an untagged BYE, ends the connection:
       what was sent is APPEND_UNKNOWN, what was not is APPEND_UNSENT. */
struct imap_append;
struct pace;

/* pace is the account's, kept by the caller; NULL: its own. */
struct imap_append *imap_append_new(struct imap_session *s, struct pace *pace);
/* Open batches are lost to the caller: reap them first. */
void imap_append_free(struct imap_append *a);

/* The target_ops contract of submit and reap. */
int imap_append_submit(struct imap_append *a, struct append_batch *b,
		       struct err *e);
int imap_append_reap(struct imap_append *a, bool wait,
		     struct append_batch **b_r, struct err *e);
void imap_append_limits(const struct imap_append *a, struct target_limits *l_r);

/* For several connections side by side, where nothing may wait for one of them:
   submit without waiting for room, ... */
int imap_append_offer(struct imap_append *a, struct append_batch *b, struct err *e);
/* ... which is not there while it is full; */
bool imap_append_is_full(const struct imap_append *a);
/* send and listen without waiting; */
void imap_append_pump(struct imap_append *a);
/* and wait until one of them may have something to do, a pause is over, or a server has
   been silent for too long, which ends its pipeline. Those that are NULL are passed
   over. */
void imap_append_wait(struct imap_append *const *as, size_t n);

/* A batch that is ready, or NULL; reap does it after having pumped. */
struct append_batch *imap_append_take(struct imap_append *a);
/* It has ended and nobody was told yet: -1 with the reason, once; 0. */
int imap_append_tell(struct imap_append *a, struct err *e);
bool imap_append_has_ended(const struct imap_append *a);
/* The connection was found to be broken by somebody else. */
void imap_append_break(struct imap_append *a, const struct err *e);

/* While held, no command begins; those in flight come to their end. Idle is then when
   the connection is free for a command of another kind, though batches are open. */
void imap_append_hold(struct imap_append *a, bool hold);
bool imap_append_is_idle(const struct imap_append *a);

/* Of the time that passed since the first batch, how long did the line make us wait? And
   bytes that have left the socket a second, since then. */
struct append_line {
	int64_t elapsed_ms, line_ms;
	uint64_t bytes_per_second;
};
void imap_append_line(const struct imap_append *a, struct append_line *l_r);

#endif
