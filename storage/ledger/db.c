/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SQLite behind one wrapper: using statements, and what its errors mean. */
#include "storage/ledger/db.h"

#include "core/base/date.h"
#include "storage/ledger/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CURE "move it away; mailhaul recognises what is already on the server"

static int fail_io(struct ledger *led, struct err *e)
{
	int why = sqlite3_system_errno(led->db);

	if (why)
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER, "%s: %s (%s)",
			       led->path, sqlite3_errmsg(led->db),
			       strerror(why));
	return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER, "%s: %s", led->path,
		       sqlite3_errmsg(led->db));
}

int db_damaged(struct ledger *led, const char *what, struct err *e)
{
	led->lost = true;
	/* A writer that came while we read the file as if it stood still. */
	if (led->frozen &&
	    !file_unchanged(led->path, led->frozen_mtime_ns, led->frozen_size))
		return err_set(e, ERR_BUSY, ERR_RUN, ERR_LATER,
			       "%s: was written to meanwhile; try again",
			       led->path);
	return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
		       "%s: damaged, or not a ledger (%s); " CURE, led->path,
		       what);
}

int db_bug(struct ledger *led, struct err *e, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_OTHER, ERR_RUN, ERR_NEVER,
		       "%s: refused to break a promise: %s", led->path, what);
}

int db_fail(struct ledger *led, struct err *e)
{
	int rc = sqlite3_errcode(led->db) & 0xFF;

	/* These undo their own statement and leave the transaction whole. */
	if (rc == SQLITE_CONSTRAINT)
		return db_bug(led, e, "%s", sqlite3_errmsg(led->db));
	led->lost = true;
	switch (rc) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_TOOBIG: /* over our limit: nothing we wrote is */
		return db_damaged(led, sqlite3_errmsg(led->db), e);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY, ERR_RUN, ERR_LATER,
			       "%s: another program has it locked", led->path);
	case SQLITE_FULL:
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: the disk is full", led->path);
	default:
		return fail_io(led, e);
	}
}

int db_exec(struct ledger *led, const char *sql, struct err *e)
{
	if (sqlite3_exec(led->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(led, e);
	return 0;
}

int db_number(struct ledger *led, const char *sql, int64_t *n_r, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int ret = -1;

	if (sqlite3_prepare_v2(led->db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW) {
		db_fail(led, e);
		goto out;
	}
	*n_r = sqlite3_column_int64(st, 0);
	ret = 0;
out:
	sqlite3_finalize(st);
	return ret;
}

void db_rollback(struct ledger *led)
{
	if (!sqlite3_get_autocommit(led->db))
		sqlite3_exec(led->db, "ROLLBACK", NULL, NULL, NULL);
	led->in_transaction = false;
}

static int begin(struct ledger *led, struct err *e)
{
	struct use u;

	if (led->mode == LEDGER_READ)
		return db_bug(led, e, "a ledger opened to be read is written");
	if (led->lost)
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: not written any more after an error",
			       led->path);
	if (led->in_transaction)
		return 0;
	if (use_begin(&u, led, ST_BEGIN, e) < 0 || use_run(&u, NULL, e) < 0)
		return -1;
	led->in_transaction = true;
	return 0;
}

int use_begin(struct use *u, struct ledger *led, enum statement which,
	      struct err *e)
{
	sqlite3_stmt **st = &led->statements[which];

	if (statement_texts[which].writes && begin(led, e) < 0)
		return -1;
	if (!*st && sqlite3_prepare_v3(led->db, statement_texts[which].sql, -1,
				       SQLITE_PREPARE_PERSISTENT, st,
				       NULL) != SQLITE_OK) {
		db_fail(led, e);
		return -1;
	}
	*u = (struct use){ .led = led, .st = *st };
	return 0;
}

void use_int(struct use *u, int64_t value)
{
	if (sqlite3_bind_int64(u->st, ++u->bound, value) != SQLITE_OK)
		u->failed = true;
}

static void use_null(struct use *u)
{
	if (sqlite3_bind_null(u->st, ++u->bound) != SQLITE_OK)
		u->failed = true;
}

void use_id(struct use *u, int64_t id)
{
	if (id)
		use_int(u, id);
	else
		use_null(u);
}

void use_date(struct use *u, int64_t date)
{
	if (date != DATE_NONE)
		use_int(u, date);
	else
		use_null(u);
}

void use_text(struct use *u, const char *text)
{
	if (!text)
		use_null(u);
	else if (sqlite3_bind_text64(u->st, ++u->bound, text, strlen(text),
				     SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
		u->failed = true;
}

void use_bytes(struct use *u, const void *bytes, size_t n)
{
	if (sqlite3_bind_blob64(u->st, ++u->bound, bytes, n, SQLITE_STATIC) !=
	    SQLITE_OK)
		u->failed = true;
}

void use_name(struct use *u, const char *bytes)
{
	if (bytes)
		use_bytes(u, bytes, strlen(bytes));
	else
		use_null(u);
}

void use_end(struct use *u)
{
	/* Says again what the step said: that is known. */
	(void)sqlite3_reset(u->st);
}

int use_row(struct use *u, struct err *e)
{
	int rc;

	if (u->failed) {
		use_end(u);
		return db_bug(u->led, e, "a value does not fit a statement");
	}
	rc = sqlite3_step(u->st);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_fail(u->led, e);
	use_end(u);
	return rc == SQLITE_DONE ? 0 : -1;
}

int use_run(struct use *u, int64_t *changed_r, struct err *e)
{
	int got;

	while ((got = use_row(u, e)) > 0)
		;
	if (got == 0 && changed_r)
		*changed_r = sqlite3_changes64(u->led->db);
	return got;
}

int use_get_uint64(struct use *u, int column, uint64_t *v_r, struct err *e)
{
	int64_t v = sqlite3_column_int64(u->st, column);

	if (v < 0)
		return db_damaged(u->led, "a size below zero", e);
	*v_r = (uint64_t)v;
	return 0;
}

int use_get_uint32(struct use *u, int column, uint32_t *v_r, struct err *e)
{
	int64_t v = sqlite3_column_int64(u->st, column);

	if (v < 0 || v > UINT32_MAX)
		return db_damaged(u->led, "a UID that cannot be", e);
	*v_r = (uint32_t)v;
	return 0;
}

int use_get_enum(struct use *u, int column, int last, int *v_r, struct err *e)
{
	int64_t v = sqlite3_column_int64(u->st, column);

	if (v < 0 || v > last)
		return db_damaged(u->led, "a state that cannot be", e);
	*v_r = (int)v;
	return 0;
}

int use_get_digest(struct use *u, int column, uint8_t digest[DIGEST_SIZE],
		   struct err *e)
{
	const void *bytes = sqlite3_column_blob(u->st, column);

	if (!bytes || sqlite3_column_bytes(u->st, column) != DIGEST_SIZE)
		return db_damaged(u->led, "a digest of the wrong length", e);
	memcpy(digest, bytes, DIGEST_SIZE);
	return 0;
}

void use_get_buf(struct use *u, int column, struct buf *out)
{
	const void *bytes = sqlite3_column_blob(u->st, column);
	int n = sqlite3_column_bytes(u->st, column);

	buf_reset(out);
	if (bytes && n > 0)
		buf_add(out, bytes, (size_t)n);
}
