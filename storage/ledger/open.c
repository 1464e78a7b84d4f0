/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a ledger in its three modes, and closing it. */
#include "storage/ledger/ledger.h"

#include "core/base/buf.h"
#include "storage/ledger/db.h"
#include "storage/ledger/file.h"
#include "storage/ledger/schema.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A reader of the moment (another program's) is waited for this long. */
enum { BUSY_MS = 2000 };
/* The largest value we keep is a Message-ID, which HEADER_MAX bounds. A damaged
   ledger must not make us take more memory than that. */
enum { LONGEST_ROW = 4 << 20 };

/* The page cache is bounded here, like all memory (M6): 4 MiB, in KiB. Cells
   are checked as pages are read, and nothing that the file's schema brings
   along may do more than our own statements: a file is not trusted because of
   its name. */
static const char settings[] = "PRAGMA cache_size = -4096;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA trusted_schema = OFF";

/* Nobody asks SQLite how much memory it takes; to count it costs a mutex for
   every allocation, a twelfth of a bulk run. No effect when SQLite is in use
   already. */
static void set_up_sqlite(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int connect_to(struct ledger *led, const char *name, int flags,
		      struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_up_sqlite);
	/* One thread uses a ledger: no mutexes. */
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	if (sqlite3_open_v2(name, &led->db, flags, NULL) != SQLITE_OK)
		return db_fail(led, e);
	sqlite3_busy_timeout(led->db, BUSY_MS);
	sqlite3_limit(led->db, SQLITE_LIMIT_LENGTH, LONGEST_ROW);
	sqlite3_db_config(led->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return db_exec(led, settings, e);
}

static void add_uri_path(struct buf *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/-._~";

	for (const char *p = path; *p; p++) {
		if (strchr(plain, *p))
			buf_add_char(out, *p);
		else
			buf_addf(out, "%%%02X", (unsigned char)*p);
	}
}

/* To read a WAL database SQLite wants -wal and -shm files beside it, makes them
   if they are missing, and as a mere reader leaves them behind. After a clean
   end they are missing, and if no process holds the lock the file stands still:
   then it is opened as immutable, which touches nothing and works in read-only
   folders. Should a writer come while we read, an answer may be wrong for the
   moment; if it shows as damage, db_damaged() finds out and says so. Otherwise
   there is a writer, or what a dead one left, and the files are in use or there
   already. */
static int connect_to_read(struct ledger *led, struct err *e)
{
	struct buf uri = BUF_INIT;
	int ret;

	led->frozen = !file_has_wal(led->path) && !file_locked(led->path);
	if (led->frozen &&
	    file_stamp(led->path, &led->frozen_mtime_ns, &led->frozen_size) < 0)
		led->frozen = false;
	buf_add_str(&uri, "file:");
	add_uri_path(&uri, led->path);
	buf_add_str(&uri, led->frozen ? "?immutable=1" : "?mode=ro");
	ret = connect_to(led, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
			 e);
	buf_free(&uri);
	return ret;
}

static struct ledger *ledger_new(const char *path, enum ledger_mode mode)
{
	struct ledger *led = mem_zalloc(sizeof(*led));

	led->path = mem_strdup(path);
	led->target = mem_strdup("");
	led->mode = mode;
	led->lock = -1;
	return led;
}

/* 1 with led->path real, 0 if there is no such file, -1. */
static int find_file(struct ledger *led, struct err *e)
{
	char *real = NULL;
	int found = file_real(led->path, &real, e);

	if (found > 0) {
		free(led->path);
		led->path = real;
	}
	return found;
}

static int open_write(struct ledger *led, struct err *e)
{
	int found, current;

	if (file_make(led->path, e) < 0)
		return -1;
	found = find_file(led, e);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: a symbolic link to nothing", led->path);
	if (file_lock(led->path, &led->lock, e) < 0 ||
	    connect_to(led, led->path, SQLITE_OPEN_READWRITE, e) < 0)
		return -1;
	/* SQLite makes do with a file that it may only read. */
	if (sqlite3_db_readonly(led->db, "main") == 1)
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: we may read it, but not write to it",
			       led->path);
	current = schema_check(led, e);
	if (current < 0)
		return -1;
	/* Only now that it is known to be ours: both outlast us in the file.
	   FULL syncs the log at every commit, which L1 stands on. */
	if (db_exec(led, "PRAGMA journal_mode = WAL", e) < 0 ||
	    db_exec(led, "PRAGMA synchronous = FULL", e) < 0)
		return -1;
	return current ? 0 : schema_migrate(led, e);
}

/* Copy the ledger at from->path, page by page, into led's private database. */
static int copy_pages(struct ledger *led, struct ledger *from, struct err *e)
{
	sqlite3_backup *b =
		sqlite3_backup_init(led->db, "main", from->db, "main");
	int rc;

	if (!b)
		return db_fail(led, e);
	rc = sqlite3_backup_step(b, -1);
	(void)sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return 0;
	/* The source's errors are told by code only. */
	if (rc == SQLITE_NOTADB || (rc & 0xFF) == SQLITE_CORRUPT)
		return db_damaged(from, sqlite3_errstr(rc), e);
	return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
		       "%s: cannot be copied for a trial: %s", led->path,
		       sqlite3_errstr(rc));
}

static int open_scratch(struct ledger *led, struct err *e)
{
	struct ledger *from = NULL;
	int found = find_file(led, e), ret = -1;

	if (found < 0)
		return -1;
	/* The empty name is a private file in $TMPDIR that nobody else sees and
	   that is gone with us; small ones never leave the page cache. */
	if (connect_to(led, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e) <
	    0)
		return -1;
	if (found) {
		from = ledger_new(led->path, LEDGER_READ);
		if (connect_to_read(from, e) < 0 || schema_check(from, e) < 0 ||
		    copy_pages(led, from, e) < 0)
			goto out;
	}
	if (db_exec(led, "PRAGMA synchronous = OFF; PRAGMA cache_size = -16384",
		    e) < 0)
		goto out;
	ret = schema_migrate(led, e);
out:
	ledger_close(from);
	return ret;
}

static int open_read(struct ledger *led, struct err *e)
{
	int found = find_file(led, e), current;

	if (found < 0)
		return -1;
	if (!found)
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: there is no ledger here yet", led->path);
	if (connect_to_read(led, e) < 0)
		return -1;
	current = schema_check(led, e);
	if (current)
		return current < 0 ? -1 : 0;
	/* Of an older form, which a reader may not bring up to date in place:
	   do it in a private copy. */
	sqlite3_close(led->db);
	led->db = NULL;
	led->frozen = false;
	return open_scratch(led, e);
}

/* The log next to it is where a run that was cut off wrote last. */
static int64_t last_written(const char *path)
{
	struct buf log = BUF_INIT;
	struct stat st;
	int64_t last = 0;

	if (stat(path, &st) == 0)
		last = st.st_mtime;
	buf_addf(&log, "%s-wal", path);
	if (stat(log.data, &st) == 0 && st.st_mtime > last)
		last = st.st_mtime;
	buf_free(&log);
	return last;
}

int64_t ledger_last_written(const struct ledger *led)
{
	return led->last_written;
}

int ledger_open(const char *path, enum ledger_mode mode, const char *target,
		struct ledger **led_r, struct err *e)
{
	static int (*const openers[])(struct ledger *, struct err *) = {
		[LEDGER_WRITE] = open_write,
		[LEDGER_READ] = open_read,
		[LEDGER_SCRATCH] = open_scratch,
	};
	struct ledger *led = ledger_new(path, mode);
	int ret = -1;

	if (mode == LEDGER_WRITE)
		led->last_written = last_written(path);
	if (openers[mode](led, e) < 0 ||
	    db_exec(led, "PRAGMA foreign_keys = ON", e) < 0 ||
	    schema_claim(led, target, e) < 0)
		goto out;
	*led_r = led;
	led = NULL;
	ret = 0;
out:
	ledger_close(led);
	return ret;
}

void ledger_close(struct ledger *led)
{
	if (!led)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(led->statements[i]);
	if (led->db)
		db_rollback(led);
	/* Folds the log into the file and removes it; if that fails, the next
	   to open does it. */
	sqlite3_close_v2(led->db);
	file_unlock(led->lock);
	free(led->path);
	free(led->target);
	free(led);
}
