/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_AHEAD_H
#define MAILHAUL_CORE_AHEAD_H

#include "core/base/err.h"
#include "core/base/message.h"
#include "importers/importer.h"

#include <stdbool.h>

/* Reads the messages of a folder in a thread of its own, a few ahead of those who decide
   about them: so that one core reads and digests while the other writes the ledger and
   talks to the server. For folders of which every message is to be loaded.

   While it runs, the importer is the thread's alone. Messages are lent: an empty one is
   given, and comes back read. */
struct ahead;

enum ahead_got {
	AHEAD_END,	/* the folder's end; no message comes with it */
	AHEAD_MESSAGE,
	AHEAD_UNREAD,	/* a message that could not be read: the error says why */
	AHEAD_FAILED,	/* the folder cannot be read on; no message comes with it */
	AHEAD_NOT_YET,	/* after so many milliseconds there is none */
};

/* How many messages are lent at most, and after how many bytes of them the thread waits
   for somebody to take one. */
enum { AHEAD_MESSAGES = 24, AHEAD_BYTES = 4 << 20 };

/* NULL if there is no thread to be had. */
struct ahead *ahead_start(struct importer *imp);
/* Does it need another message? Then it is given, empty. */
bool ahead_is_hungry(struct ahead *a);
void ahead_give(struct ahead *a, struct message *m);
/* The next one, in the folder's order. After AHEAD_END and AHEAD_FAILED nothing follows.
   e is filled in with AHEAD_UNREAD and AHEAD_FAILED. */
enum ahead_got ahead_take(struct ahead *a, int patience_ms, struct message **m_r,
			  struct err *e);
/* Ends the thread, between two messages. */
void ahead_stop(struct ahead *a);
/* After ahead_stop: a message that was lent and not taken, or NULL. */
struct message *ahead_take_back(struct ahead *a);
void ahead_free(struct ahead *a);

#endif
