/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Brings a ledger file to the form that this program knows. */
#include "storage/ledger/schema.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/fault.h"
#include "storage/ledger/db.h"

#include <stdlib.h>
#include <string.h>

/* As migrations/0001_initial.sql sets it. */
enum { APPLICATION_ID = 0x6d686c67 };

static unsigned newest(void)
{
	unsigned number = 0;

	for (const struct ledger_migration *m = ledger_migrations; m->number;
	     m++)
		number = m->number;
	return number;
}

int schema_check(struct ledger *led, struct err *e)
{
	int64_t version, application, tables;

	if (db_number(led, "PRAGMA user_version", &version, e) < 0 ||
	    db_number(led, "PRAGMA application_id", &application, e) < 0 ||
	    db_number(led, "SELECT count(*) FROM sqlite_schema", &tables, e) <
		    0)
		return -1;
	if (version == 0 && application == 0 && tables == 0)
		return 0;
	if (application != APPLICATION_ID || version < 1)
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: the database of another program; name "
			       "another file",
			       led->path);
	if (version > newest())
		return err_set(
			e, ERR_CONFIG, ERR_RUN, ERR_NEVER,
			"%s: made by a newer mailhaul (form %lld, this one "
			"knows %u); use that one",
			led->path, (long long)version, newest());
	return version == newest();
}

static int apply(struct ledger *led, const struct ledger_migration *m,
		 struct err *e)
{
	struct buf sql = BUF_INIT;
	int64_t broken;
	int ret = -1;

	if (db_exec(led, "BEGIN IMMEDIATE", e) < 0)
		goto out;
	/* A pragma takes no parameters; the number is our own. */
	buf_addf(&sql, "PRAGMA user_version = %u", m->number);
	if (db_exec(led, m->sql, e) < 0 || db_exec(led, sql.data, e) < 0)
		goto out;
	if (db_number(led, "SELECT count(*) FROM pragma_foreign_key_check",
		      &broken, e) < 0)
		goto out;
	if (broken) {
		db_damaged(led, "rows point to rows that are not there", e);
		goto out;
	}
	fault_point("ledger.open.migrate");
	if (db_exec(led, "COMMIT", e) < 0)
		goto out;
	ret = 0;
out:
	if (ret < 0) {
		db_rollback(led);
		err_in(e, "migration %s", m->name);
	}
	buf_free(&sql);
	return ret;
}

int schema_migrate(struct ledger *led, struct err *e)
{
	int64_t version;

	if (db_number(led, "PRAGMA user_version", &version, e) < 0)
		return -1;
	for (const struct ledger_migration *m = ledger_migrations; m->number;
	     m++)
		if (m->number > version && apply(led, m, e) < 0)
			return -1;
	fault_point("ledger.open.migrated");
	return 0;
}

static int write_meta(struct ledger *led, const char *target, struct err *e)
{
	static const char sql[] =
		"INSERT INTO meta (one, target, digest_version, created) "
		"VALUES (1, ?1, ?2, ?3) "
		"ON CONFLICT (one) DO UPDATE SET target = excluded.target";
	sqlite3_stmt *st = NULL;
	int ret = -1;

	if (sqlite3_prepare_v2(led->db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int64(st, 2, DIGEST_VERSION) != SQLITE_OK ||
	    sqlite3_bind_int64(st, 3, clock_now()) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_DONE)
		db_fail(led, e);
	else
		ret = 0;
	sqlite3_finalize(st);
	return ret;
}

/* 1 with led->target set, 0 if there is no row yet, -1. */
static int read_meta(struct ledger *led, struct err *e)
{
	static const char sql[] = "SELECT target, digest_version FROM meta";
	sqlite3_stmt *st = NULL;
	const unsigned char *text;
	int64_t digests;
	int ret = -1, rc;

	if (sqlite3_prepare_v2(led->db, sql, -1, &st, NULL) != SQLITE_OK) {
		db_fail(led, e);
		goto out;
	}
	rc = sqlite3_step(st);
	if (rc != SQLITE_ROW) {
		ret = rc == SQLITE_DONE ? 0 : db_fail(led, e);
		goto out;
	}
	text = sqlite3_column_text(st, 0);
	digests = sqlite3_column_int64(st, 1);
	if (digests != DIGEST_VERSION) {
		err_set(e, ERR_CONFIG, ERR_RUN, ERR_NEVER,
			"%s: tells messages apart in another way (%lld, this "
			"mailhaul %d); use the program that made it",
			led->path, (long long)digests, DIGEST_VERSION);
		goto out;
	}
	free(led->target);
	led->target = mem_strdup(text ? (const char *)text : "");
	ret = 1;
out:
	sqlite3_finalize(st);
	return ret;
}

int schema_claim(struct ledger *led, const char *target, struct err *e)
{
	int known = read_meta(led, e);

	if (known < 0)
		return -1;
	if (target && *led->target && strcmp(led->target, target) != 0)
		return err_set(e, ERR_CONFIG, ERR_RUN, ERR_NEVER,
			       "%s is the ledger of %s, not of %s", led->path,
			       led->target, target);
	if (led->mode == LEDGER_READ)
		return 0;
	if (!known || (target && !*led->target)) {
		if (write_meta(led, target ? target : "", e) < 0)
			return -1;
		free(led->target);
		led->target = mem_strdup(target ? target : "");
	}
	return 0;
}
