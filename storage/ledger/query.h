/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_QUERY_H
#define MAILHAUL_STORAGE_LEDGER_QUERY_H

#include "storage/ledger/ledger.h"

/* Questions that change nothing. */

struct ledger_totals {
	uint64_t found; /* the sum of the others */
	uint64_t uploaded, already, duplicate, skipped, failed, pending;
	uint64_t bytes;   /* wire size of found */
	uint64_t folders; /* source folders */
};
/* Copies of all source folders seen in this run. UPLOADED counts as uploaded when the
   message was sent in this run, else as already. run 0: over everything ever seen,
   where UPLOADED is uploaded. */
int ledger_totals(struct ledger *led, int64_t run, struct ledger_totals *t_r,
		  struct err *e);
/* The same for one source folder. */
int ledger_folder_totals(struct ledger *led, int64_t folder, int64_t run,
			 struct ledger_totals *t_r, struct err *e);

/* The dates of its oldest and newest message; DATE_NONE where none has one. */
int ledger_folder_dates(struct ledger *led, int64_t folder, int64_t *oldest_r,
			int64_t *newest_r, struct err *e);

/* A row for people; strings are valid until the next call, "" where there is none. */
struct ledger_row {
	const char *source, *folder, *locator, *subject, *why, *target_folder;
	uint64_t offset, size;
	int64_t date;
	enum ledger_copy_state state;
	unsigned notes;
};
/* Walks through copies: pull rows until 0. */
struct ledger_cursor;
/* Copies in any of the states (a set of 1 << state), of run's folders (0: all). */
int ledger_list_copies(struct ledger *led, unsigned states, int64_t run,
		       struct ledger_cursor **c_r, struct err *e);
int ledger_cursor_next(struct ledger_cursor *c, struct ledger_row *row_r,
		       struct err *e);
void ledger_cursor_free(struct ledger_cursor *c);

/* Target folders, by name: 1 with the first whose id is over after, 0, -1. */
struct ledger_target_row {
	int64_t id;
	struct buf key, shown, wire;
	uint32_t uidvalidity;
	uint64_t done, open_intents, refused, bytes;
};
void ledger_target_row_init(struct ledger_target_row *r);
void ledger_target_row_free(struct ledger_target_row *r);
int ledger_next_target_folder(struct ledger *led, int64_t after,
			      struct ledger_target_row *r, struct err *e);

/* The newest run: 1, 0 if there was none, -1. exit_status is -1 while it runs or when
   it was cut off. */
struct ledger_run {
	int64_t id, began, ended;
	int exit_status;
	char command[16];
};
int ledger_last_run(struct ledger *led, struct ledger_run *r_r, struct err *e);

#endif
