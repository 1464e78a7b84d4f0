/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_PACE_H
#define MAILHAUL_STORAGE_IMAP_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much goes into a batch, how much may be unanswered, and when the next command may
   begin: arithmetic on what the server's answers took. One for all connections of an
   account, kept over lost ones. Times are clock_ms(); nothing here looks at a clock.

   A batch is as large as the server and the line make worth while: large enough that
   what each costs besides its bytes is small (a commit, a round trip), small enough that
   on a slow line not more than some seconds of sending are in doubt when it is cut. A
   refusal makes batches smaller, for it costs its batch several more journeys. */
enum {
	PACE_MESSAGES = 100,	 /* to begin with: imap.md's measurements */
	PACE_MESSAGES_MIN = 4,
	PACE_MESSAGES_MAX = 800,
	PACE_BYTES = 128 << 10,	 /* to begin with: a second of a slow line */
	PACE_BYTES_MIN = 64 << 10,
	PACE_BYTES_MAX = 8 << 20,
	PACE_BATCH_MS = 4000,	 /* sending a batch should not take longer */
	PACE_WINDOW_BATCHES = 4,
	PACE_WINDOW_SINGLES = 512,
	PACE_WINDOW_WAITING = 64, /* where each waits for the server's "+" */
	PACE_WINDOW_MAX = 16 << 20,
	PACE_DELAY_FIRST_MS = 500, /* after a word of being throttled */
	PACE_DELAY_MAX_MS = 60 * 1000,
	PACE_QUIET_MS = 30 * 1000, /* without one: the delay is halved */
};

struct pace {
	size_t batch_messages;
	uint64_t batch_bytes;
	unsigned connections; /* that share the line, at least 1 */
	unsigned messages_per_second; /* the provider's limit; 0: none */

	uint64_t rate; /* bytes a second that were answered, of all connections; 0:
			  not known yet */

	bool refused; /* the first batches do not grow any more */

	/* Answers since the epoch began. */
	struct {
		int64_t began;
		unsigned commands;
		uint64_t messages, bytes;
	} epoch;
	/* Is a larger batch better? Tried once in a while. */
	struct {
		uint64_t score; /* of the last epoch that was full; 0 */
		bool growing;	/* this epoch is the trial */
		unsigned rest;	/* epochs until the next one */
	} climb;

	int64_t delay_ms;   /* between commands */
	int64_t throttled;  /* when it was last said */
	int64_t not_before; /* the next command begins */
};

void pace_init(struct pace *p);
/* A command of that many messages and bytes was begun at began and accepted now. busy:
   more was waiting to go all the time, so that it measures the server and not us. */
void pace_answered(struct pace *p, size_t messages, uint64_t bytes,
		   int64_t began, int64_t now, bool busy);
/* A batch was refused, and is to be taken apart. */
void pace_refused(struct pace *p);
/* The server said that it holds us back ([THROTTLED] behind an OK: Gmail). */
void pace_throttled(struct pace *p, int64_t now);

/* May a command begin? And if it did, with so many messages. */
bool pace_may_begin(const struct pace *p, int64_t now);
void pace_began(struct pace *p, size_t messages, int64_t now);
/* Unanswered at most, on one connection. */
uint64_t pace_window(const struct pace *p);

/* Is it worth while to compress? A line of line bytes a second (measured while it was
   what we waited for), a processor that deflates cpu bytes a second to wire/plain of
   them. */
bool pace_compress_pays(uint64_t line, uint64_t cpu, uint64_t plain,
			uint64_t wire);

#endif
