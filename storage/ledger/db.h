/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_DB_H
#define MAILHAUL_STORAGE_LEDGER_DB_H

#include "storage/ledger/ledger.h"

#include <sqlite3.h>

/* Private to this room: the ledger's connection, its statements, and the place
   where SQLite's codes become our errors.

   B1  A transaction that was lost stays lost: after an error that may have
       taken the open transaction with it, nothing is written and ledger_commit
       fails, or intents that are gone would count as written (L1).
   B2  Values are bound, never put into the text of a statement. */

/* Statements, prepared when first used and kept. Their text is in statements.c.
 */
enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_RUN_BEGIN,
	ST_RUN_END,
	ST_RUN_LAST,
	ST_SOURCE_FIND,
	ST_SOURCE_ADD,
	ST_FOLDER_FIND,
	ST_FOLDER_KNOWN,
	ST_FOLDER_ADD,
	ST_FOLDER_SEEN,
	ST_FOLDER_DONE,
	ST_FOLDER_FORGET,
	ST_FOLDER_NEXT_KNOWN,
	ST_FOLDER_MARK,
	ST_FOLDER_MARKED,
	ST_FOLDER_KEEP,
	ST_FOLDER_DATES,
	ST_FOLDERS,
	ST_FOLDER_TOTALS,
	ST_TARGET_FOLDER_FIND,
	ST_TARGET_FOLDER_ADD,
	ST_TARGET_FOLDER_SHOWN,
	ST_TARGET_FOLDER_COUNTS,
	ST_TARGET_FOLDER_OPENED,
	ST_TARGET_FOLDER_NEXT,
	ST_MESSAGE_BY_FULL,
	ST_MESSAGE_BY_CORE,
	ST_MESSAGE_SAME_ID,
	ST_MESSAGE_PLAN,
	ST_MESSAGE_INTEND,
	ST_MESSAGE_CONFIRM,
	ST_MESSAGE_REFUSE,
	ST_MESSAGE_RETRACT,
	ST_MESSAGE_FLAGS,
	ST_MESSAGE_SET_FLAGS,
	ST_MESSAGE_NEXT_INTENT,
	ST_MESSAGE_NEXT_DONE,
	ST_MESSAGE_OWNS_UID,
	ST_MESSAGE_SAYS,
	ST_MESSAGE_PENDING,
	ST_MESSAGE_WHOLE,
	ST_REPAIR_SET,
	ST_REPAIR_PUT,
	ST_REPAIR_DROP,
	ST_REPAIR_SENT,
	ST_LATE_FLAGS,
	ST_LATE_PUT,
	ST_LATE_NEXT,
	ST_LATE_DROP,
	ST_LATE_ANY,
	ST_TRAFFIC_ADD,
	ST_TRAFFIC_TAKE_BACK,
	ST_TRAFFIC_FORGET,
	ST_TRAFFIC_SINCE,
	ST_FOREIGN_ADD,
	ST_FOREIGN_BY_ID,
	ST_FOREIGN_BY_SIZE,
	ST_FOREIGN_TAKE,
	ST_FOREIGN_FORGET,
	ST_FOREIGN_ANY,
	ST_COPY_FIND,
	ST_COPY_SEEN,
	ST_COPY_CLAIMED,
	ST_COPY_ADD,
	ST_COPY_REPLACE,
	ST_COPY_STANDS,
	ST_COPY_ENDS,
	/* check.c: over its temporary tables, which must be there first */
	ST_CHECK_BEGIN,
	ST_CHECK_BY_UID,
	ST_CHECK_FOUND,
	ST_CHECK_CHANGED,
	ST_CHECK_UNKNOWN,
	ST_CHECK_TAKE_UNKNOWN,
	ST_CHECK_NEXT_PAIR,
	ST_CHECK_NEXT_MISSING,
	ST_CHECK_NEXT_FOUND,
	STATEMENTS,
};
struct statement_text {
	const char *sql;
	bool writes; /* begins the transaction if none is open */
};
extern const struct statement_text statement_texts[STATEMENTS];
/* What ledger_list_copies prepares for itself: several lists may be open. */
extern const char statement_list_copies[];

struct ledger {
	sqlite3 *db;
	char *path;   /* for errors; real and absolute once it is known */
	char *target; /* "" if it has none yet */
	enum ledger_mode mode;
	int lock; /* descriptor of FILE.lock, or -1 */
	int64_t last_written;
	bool in_transaction;
	bool lost;   /* B1 */
	bool frozen; /* opened as a file that nobody changes */
	int64_t frozen_mtime_ns, frozen_size;
	sqlite3_stmt *statements[STATEMENTS];
};

/* What went wrong in led's connection just now, as an error. Returns -1. */
int db_fail(struct ledger *led, struct err *e);
/* The file does not hold what it must. Returns -1. */
int db_damaged(struct ledger *led, const char *what, struct err *e);
/* We broke a promise ourselves; the text names it. Returns -1. */
int db_bug(struct ledger *led, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Run constant SQL without results. */
int db_exec(struct ledger *led, const char *sql, struct err *e);
/* One number that constant SQL asks for. */
int db_number(struct ledger *led, const char *sql, int64_t *n_r, struct err *e);
/* Give up what is not committed. */
void db_rollback(struct ledger *led);

/* One use of a statement: values are bound from left to right, then it is
   stepped through or run; after its end, or an error, it is free again. */
struct use {
	struct ledger *led;
	sqlite3_stmt *st;
	int bound;
	bool failed;
};
int use_begin(struct use *u, struct ledger *led, enum statement which,
	      struct err *e);
void use_int(struct use *u, int64_t value);
/* NULL for 0. */
void use_id(struct use *u, int64_t id);
/* NULL for DATE_NONE. */
void use_date(struct use *u, int64_t date);
/* What follows is not copied: it must stay until the use has ended. */
void use_text(struct use *u, const char *text);	 /* NULL for NULL */
void use_name(struct use *u, const char *bytes); /* likewise, kept as bytes */
void use_bytes(struct use *u, const void *bytes, size_t n);
/* The next row: 1, 0 at the end, -1. After 1 call it again, or use_end. */
int use_row(struct use *u, struct err *e);
/* Step to the end. *changed_r (may be NULL) is how many rows were changed. */
int use_run(struct use *u, int64_t *changed_r, struct err *e);
void use_end(struct use *u);

/* Columns of the row, checked: -1 (damaged) when the value cannot be. */
int use_get_uint32(struct use *u, int column, uint32_t *v_r, struct err *e);
int use_get_uint64(struct use *u, int column, uint64_t *v_r, struct err *e);
int use_get_enum(struct use *u, int column, int last, int *v_r, struct err *e);
int use_get_digest(struct use *u, int column, uint8_t digest[DIGEST_SIZE],
		   struct err *e);
void use_get_buf(struct use *u, int column, struct buf *out);

/* message.c: m's repairs stand in this column, m->id is known; fill in the rest. */
int message_read_repairs(struct use *u, int column, struct ledger_message *m,
			 struct err *e);

#endif
