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

struct imap_append *imap_append_new(struct imap_session *s);
/* Open batches are lost to the caller: reap them first. */
void imap_append_free(struct imap_append *a);

/* The target_ops contract of submit and reap. */
int imap_append_submit(struct imap_append *a, struct append_batch *b,
		       struct err *e);
int imap_append_reap(struct imap_append *a, bool wait,
		     struct append_batch **b_r, struct err *e);
void imap_append_limits(const struct imap_append *a, struct target_limits *l_r);

#endif
