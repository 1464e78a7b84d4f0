/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_LEDGER_H
#define MAILHAUL_STORAGE_LEDGER_LEDGER_H

#include "core/base/digest.h"
#include "core/base/err.h"
#include "core/base/flags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ledger: what has been migrated to one target mailbox, from any number of
   sources, kept in one SQLite file (WAL, foreign keys, user_version = the number of
   the last migration). One process holds it at a time; readers may look meanwhile.

   L1  A message is sent only after its intent is on disk.
   L2  'done' is written only after the server's tagged OK for that APPEND, or after
       settling has found the message on the server.
   L3  A folder with open intents is settled before anything is sent to it.
   L4  A row that is done is never changed into not done and never deleted, except by
       rollback.

   From L1-L3 it follows that a run may be cut off anywhere and repeated without
   losing or doubling a message. tests/crash cuts it off everywhere.

   Writes gather in one transaction until ledger_commit makes them durable; after a
   crash everything since the last commit is gone, which is safe because nothing was
   sent for it. Only one thread uses a ledger. Text is UTF-8; names of files are
   bytes and kept as such. */
struct ledger;

enum ledger_mode {
	LEDGER_WRITE,  /* create if need be (file 0600, folder 0700), lock */
	LEDGER_READ,   /* must exist; nothing is written, no lock is taken */
	LEDGER_SCRATCH,/* a private copy that vanishes: for --dry-run and scan. The
			  file need not exist */
};

/* Errors: ERR_LEDGER; ERR_BUSY with the holder's process id, host and since when;
   ERR_CONFIG for a ledger of another target or of a newer program. target is
   "user@host", or NULL to take any (scan). */
int ledger_open(const char *path, enum ledger_mode mode, const char *target,
		struct ledger **led_r, struct err *e);
/* What is not committed is given up. */
void ledger_close(struct ledger *led);
/* Make everything so far durable. Nothing to do is no error and costs nothing. */
int ledger_commit(struct ledger *led, struct err *e);
/* The target it is for; "" if it has none yet. */
const char *ledger_target(const struct ledger *led);

/* When it was last written to before it was opened (LEDGER_WRITE; seconds since 1970), by
   the clock of its file system: so old are sends that are in doubt, at least. 0: it is
   new. */
int64_t ledger_last_written(const struct ledger *led);

/* A run of the program; every row remembers the run that made it. */
int ledger_begin_run(struct ledger *led, const char *command, int64_t now,
		     int64_t *run_r, struct err *e);
int ledger_end_run(struct ledger *led, int64_t run, int64_t now, int exit_status,
		   struct err *e);

/* ---- the day's budget ----

   Bytes of messages handed to the server, counted when they are intended, in buckets of
   an hour; those of more than two days ago are forgotten. In one commit with the
   intents, so that a restart knows them. */
int ledger_traffic_add(struct ledger *led, int64_t now, uint64_t bytes,
		       struct err *e);
/* They were not sent after all: taken from the bucket of now, as far as it has them. */
int ledger_traffic_take_back(struct ledger *led, int64_t now, uint64_t bytes,
			     struct err *e);
/* The buckets that began after since, oldest first: calls each with the hour's begin
   (seconds since 1970). */
int ledger_traffic_each(struct ledger *led, int64_t since,
			void (*each)(void *ctx, int64_t began, uint64_t bytes),
			void *ctx, struct err *e);

/* ---- sources ---- */

/* The source at this (real, absolute) path; made if it is new. */
int ledger_source(struct ledger *led, const char *format, const char *path,
		  int64_t *id_r, struct err *e);

/* Was the folder id_text of a source ever read to its end? 1, 0, -1. */
int ledger_knows_folder(struct ledger *led, int64_t source, const char *id_text,
			struct err *e);

/* The first folder of a source, by id_text, behind after that was read to its end, with
   its fingerprint: 1, 0, -1. */
int ledger_next_known_folder(struct ledger *led, int64_t source,
			     const char *after, struct buf *id_r,
			     struct buf *fingerprint_r, struct err *e);

/* How far a folder of a source has been seen to its end. */
enum ledger_extent { EXTENT_NONE = 0, EXTENT_SCANNED = 1, EXTENT_MIGRATED = 2 };

struct ledger_folder {
	int64_t id;
	enum ledger_extent extent; /* of fingerprint */
	bool unchanged; /* fingerprint is what it was then */
	bool is_new;	/* it was made just now: no copies are known */
};
/* The folder id_text of a source; made if it is new. shown is its name for people.
   It counts as seen in this run from now on. */
int ledger_folder(struct ledger *led, int64_t source, const char *id_text,
		  const char *shown, const char *fingerprint, int64_t run,
		  struct ledger_folder *f_r, struct err *e);
/* It was read to its end: remember fingerprint and extent, and forget copies that
   this run did not see any more (their messages stay: L4). */
int ledger_folder_done(struct ledger *led, int64_t folder,
		       const char *fingerprint, enum ledger_extent extent,
		       int64_t run, struct err *e);

/* How far it was read, as its importer tells it (importer_ops.bookmark); NULL: nothing.
   Goes with the fingerprint of ledger_folder_done. */
int ledger_folder_mark(struct ledger *led, int64_t folder, const char *bookmark,
		       struct err *e);
/* 1 with bookmark set, 0, -1. */
int ledger_folder_marked(struct ledger *led, int64_t folder,
			 struct buf *bookmark_r, struct err *e);
/* Its copies are all where they were, without being looked at: they count as seen in
   this run. */
int ledger_folder_keep(struct ledger *led, int64_t folder, int64_t run,
		       struct err *e);

/* ---- target folders ---- */

struct ledger_target_folder {
	int64_t id;
	uint32_t uidvalidity;  /* 0: not known yet */
	uint32_t floor;	       /* UIDNEXT from before the oldest open intent */
	uint64_t open_intents;
	uint64_t done;
};
/* key names it for ever: its parts joined by U+001F. Made if it is new. */
int ledger_target_folder(struct ledger *led, const char *key, const char *shown,
			 struct ledger_target_folder *f_r, struct err *e);
/* What the server said of it. While intents are open the old floor stands: they were
   sent under it. wire is the server's name for it. */
int ledger_target_folder_opened(struct ledger *led, int64_t folder,
				const char *wire, uint32_t uidvalidity,
				uint32_t uidnext, struct err *e);

/* ---- messages: what is (to be) on the server ---- */

enum ledger_state { /* never renumber */
	LEDGER_PLANNED = 0, /* seen, never sent */
	LEDGER_INTENT = 1,  /* may be on the server */
	LEDGER_DONE = 2,    /* is on the server */
	LEDGER_REFUSED = 3, /* the server does not take it; why says so */
};

struct ledger_message {
	int64_t id;
	enum ledger_state state;
	uint32_t uid;	      /* 0: not known */
	uint32_t uidvalidity;
	uint64_t size;	      /* wire size */
	int64_t run;	      /* that brought it to its state */
	struct digest digest;
	unsigned repairs;     /* 0: sent as it is; otherwise ledger_repaired */
	struct digest sent;   /* with repairs: of what is, or was, sent */
	uint64_t sent_size;   /* likewise */
	struct buf message_id;/* normal form */
	struct buf why;
};
void ledger_message_init(struct ledger_message *m);
void ledger_message_free(struct ledger_message *m);

/* What a message is remembered with, besides its digest. Text may be NULL. */
struct ledger_about {
	uint64_t size;
	const char *message_id; /* normal form */
	const char *subject;	/* readable, for the report */
	int64_t date;		/* INTERNALDATE, or DATE_NONE */
	const struct flags *flags;
};

/* By full digest in a target folder; else, if there is none, by core digest (then
   *core_only_r is true). 1 with m filled in, 0, -1. */
int ledger_find(struct ledger *led, int64_t target_folder,
		const struct digest *d, struct ledger_message *m,
		bool *core_only_r, struct err *e);
/* How many messages with this Message-ID but another body are in the folder: for the
   report. */
int ledger_count_same_id(struct ledger *led, int64_t target_folder,
			 const char *message_id, const struct digest *except,
			 uint64_t *n_r, struct err *e);

/* A message of about's Message-ID and subject, in any folder, that is longer than its size
   and at most two days apart, and of which there is a copy without any of these notes
   (message.h): 1 with m filled in, 0, -1. Without a Message-ID there is none. */
int ledger_find_whole(struct ledger *led, const struct ledger_about *about,
		      unsigned without_notes, struct ledger_message *m,
		      struct err *e);

int ledger_plan(struct ledger *led, int64_t target_folder, const struct digest *d,
		const struct ledger_about *about, int64_t run, int64_t *id_r,
		struct err *e);
/* PLANNED or REFUSED -> INTENT. It is on disk after ledger_commit (L1). */
int ledger_intend(struct ledger *led, int64_t id, int64_t run, struct err *e);
/* INTENT -> DONE. uid and uidvalidity 0 where the server did not tell. */
int ledger_confirm(struct ledger *led, int64_t id, uint32_t uid,
		   uint32_t uidvalidity, int64_t run, struct err *e);
/* INTENT or PLANNED -> REFUSED; what was refused before gets the new reason. */
int ledger_refuse(struct ledger *led, int64_t id, const char *why, int64_t run,
		  struct err *e);
/* INTENT -> PLANNED: settling has looked, and it is not there. */
int ledger_retract(struct ledger *led, int64_t id, struct err *e);
/* The flags to have on the server are these as well (before it is sent). */
int ledger_unite_flags(struct ledger *led, int64_t id, const struct flags *more,
		       struct err *e);
/* Add to f the flags that a message that is not done is to have. */
int ledger_add_flags_to(struct ledger *led, int64_t id, struct flags *f,
			struct err *e);

/* Flags that come late: those of a copy that is found when its message has gone out. What
   the message lacks of them is remembered, and the engine adds it on the server; nothing
   is ever taken away there. */
int ledger_late_flags(struct ledger *led, int64_t id, const struct flags *f,
		      struct err *e);
/* Messages of the folder that are done, whose UID is known, and that lack flags: 1 with the
   first whose id is over after (id, uid and uidvalidity of m; the flags in f, emptied
   before), 0, -1. */
int ledger_next_late(struct ledger *led, int64_t target_folder, int64_t after,
		     struct ledger_message *m, struct flags *f, struct err *e);
/* They are there. */
int ledger_late_done(struct ledger *led, int64_t id, struct err *e);
/* They cannot be added any more. */
int ledger_late_drop(struct ledger *led, int64_t id, struct err *e);
/* Is there any such message in the ledger? 1, 0, -1. */
int ledger_has_late(struct ledger *led, struct err *e);

/* What goes out is not the message as the store has it: the server refused that, and
   it was repaired (core/repair.h; repairs is its set, never 0). sent is the digest and
   size the size of what is sent instead; the message's own digest stays its identity.
   PLANNED or REFUSED only, before ledger_intend. ledger_next_intent, ledger_next_done
   and ledger_find give repairs, sent and sent_size back. */
int ledger_repaired(struct ledger *led, int64_t id, unsigned repairs,
		    const struct digest *sent, uint64_t size, struct err *e);
/* It goes out as the store has it after all. */
int ledger_unrepaired(struct ledger *led, int64_t id, struct err *e);

/* Open intents of a target folder, by id: 1 with the first whose id is over after, 0
   when there is none, -1. */
int ledger_next_intent(struct ledger *led, int64_t target_folder, int64_t after,
		       struct ledger_message *m, struct err *e);
/* Messages that are done, likewise: for verify. */
int ledger_next_done(struct ledger *led, int64_t target_folder, int64_t after,
		     struct ledger_message *m, struct err *e);
/* A UID of this folder is known to be one of ours: settling passes over it. */
int ledger_owns_uid(struct ledger *led, int64_t target_folder,
		    uint32_t uidvalidity, uint32_t uid, struct err *e);

/* ---- mail on the server that is not ours ----

   It was there before the ledger (or the ledger was lost), or came by another way: its
   UID, size and Message-ID are kept, so that what a source holds of it is recognised.
   The engine proves it by the bytes' digest; then the message is planned, intended and
   confirmed like any other, under the UID it has, and taken from here. */
int ledger_foreign_add(struct ledger *led, int64_t target_folder, uint32_t uid,
		       uint64_t size, const char *message_id, struct err *e);
/* Candidates, by UID over after: of the same Message-ID (normal form), or, for a message
   without one, without one and of the same size. 1 with *uid_r, 0, -1. */
int ledger_foreign_next(struct ledger *led, int64_t target_folder, uint64_t size,
			const char *message_id, uint32_t after, uint32_t *uid_r,
			struct err *e);
int ledger_foreign_take(struct ledger *led, int64_t target_folder, uint32_t uid,
			struct err *e);
/* The folder's UIDs are not what they were. */
int ledger_foreign_forget(struct ledger *led, int64_t target_folder,
			  struct err *e);
/* Is there any? 1, 0, -1. */
int ledger_has_foreign(struct ledger *led, int64_t target_folder, struct err *e);

/* ---- copies: every message found in a source, and what became of it ---- */

enum ledger_copy_state { /* never renumber */
	COPY_PENDING = 0,   /* its message is not there yet */
	COPY_UPLOADED = 1,  /* its message was sent from this copy */
	COPY_ALREADY = 2,   /* was on the server before we came */
	COPY_DUPLICATE = 3, /* another copy stands for it */
	COPY_SKIPPED = 4,
	COPY_FAILED = 5,    /* could not be read, or was refused */
};

struct ledger_copy {
	int64_t id;
	enum ledger_copy_state state;
	int64_t message; /* 0 when skipped, or when it could not be read */
	int64_t target_folder; /* of that message; 0 */
	uint64_t length;
};

/* The copy with this locator: 1, 0, -1. It counts as seen in this run from now on
   when it is found. */
int ledger_copy_find(struct ledger *led, int64_t folder, const char *locator,
		     int64_t run, struct ledger_copy *c_r, struct err *e);
/* Does another copy of this message, seen in this run, stand for it already? */
int ledger_copy_claimed(struct ledger *led, int64_t message, int64_t folder,
			const char *locator, int64_t run, struct err *e);

struct ledger_copy_about {
	const char *locator;
	uint64_t offset, length, size; /* in the store; size on the wire */
	const struct digest *digest;   /* NULL when it was not read to the end */
	int64_t message;	       /* 0: none */
	enum ledger_copy_state state;
	const char *why;	       /* reason, NULL */
	const char *subject;	       /* for the report, NULL */
	int64_t date;
	unsigned notes;
};
/* Write down a copy (a row with the same locator is replaced). */
int ledger_copy_put(struct ledger *led, int64_t folder, int64_t run,
		    const struct ledger_copy_about *about, struct err *e);
/* Every pending copy of a message becomes this: the one it was sent from UPLOADED,
   the others DUPLICATE, when it is confirmed; FAILED with why, when it is refused. */
int ledger_copy_resolve(struct ledger *led, int64_t message,
			enum ledger_copy_state state, const char *why,
			struct err *e);

#endif
