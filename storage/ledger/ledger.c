/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger's own verbs: commit, runs, sources and their folders, target
   folders. Messages are in message.c, copies in copy.c. */
#include "storage/ledger/ledger.h"

#include "core/base/fault.h"
#include "storage/ledger/db.h"

const char *ledger_target(const struct ledger *led)
{
	return led->target;
}

int ledger_commit(struct ledger *led, struct err *e)
{
	struct use u;

	if (!led->in_transaction)
		return 0;
	/* B1: SQLite rolls back by itself after some errors. */
	if (led->lost || sqlite3_get_autocommit(led->db)) {
		led->lost = true;
		return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			       "%s: not written after an error", led->path);
	}
	fault_point("ledger.commit.before");
	if (use_begin(&u, led, ST_COMMIT, e) < 0 || use_run(&u, NULL, e) < 0)
		return -1;
	led->in_transaction = false;
	fault_point("ledger.commit.after");
	return 0;
}

/* ---- runs ---- */

int ledger_begin_run(struct ledger *led, const char *command, int64_t now,
		     int64_t *run_r, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_RUN_BEGIN, e) < 0)
		return -1;
	use_text(&u, command);
	use_int(&u, now);
	if (use_run(&u, NULL, e) < 0)
		return -1;
	*run_r = sqlite3_last_insert_rowid(led->db);
	return 0;
}

int ledger_end_run(struct ledger *led, int64_t run, int64_t now,
		   int exit_status, struct err *e)
{
	struct use u;
	int64_t changed;

	if (use_begin(&u, led, ST_RUN_END, e) < 0)
		return -1;
	use_int(&u, run);
	use_int(&u, now);
	use_int(&u, exit_status);
	if (use_run(&u, &changed, e) < 0)
		return -1;
	if (!changed)
		return db_bug(led, e, "run %lld ends but never began",
			      (long long)run);
	return 0;
}

/* ---- sources ---- */

int ledger_source(struct ledger *led, const char *format, const char *path,
		  int64_t *id_r, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_SOURCE_FIND, e) < 0)
		return -1;
	use_name(&u, path);
	use_text(&u, format);
	got = use_row(&u, e);
	if (got < 0)
		return -1;
	if (got > 0) {
		*id_r = sqlite3_column_int64(u.st, 0);
		use_end(&u);
		return 0;
	}
	if (use_begin(&u, led, ST_SOURCE_ADD, e) < 0)
		return -1;
	use_name(&u, path);
	use_text(&u, format);
	if (use_run(&u, NULL, e) < 0)
		return -1;
	*id_r = sqlite3_last_insert_rowid(led->db);
	return 0;
}

int ledger_knows_folder(struct ledger *led, int64_t source, const char *id_text,
			struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_FOLDER_KNOWN, e) < 0)
		return -1;
	use_int(&u, source);
	use_name(&u, id_text);
	got = use_row(&u, e);
	if (got > 0)
		use_end(&u);
	return got;
}

int ledger_next_known_folder(struct ledger *led, int64_t source,
			     const char *after, struct buf *id_r,
			     struct buf *fingerprint_r, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_FOLDER_NEXT_KNOWN, e) < 0)
		return -1;
	use_int(&u, source);
	use_name(&u, after);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	use_get_buf(&u, 0, id_r);
	use_get_buf(&u, 1, fingerprint_r);
	use_end(&u);
	return 1;
}

static int folder_add(struct ledger *led, int64_t source, const char *id_text,
		      const char *shown, int64_t run, struct ledger_folder *f_r,
		      struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_FOLDER_ADD, e) < 0)
		return -1;
	use_int(&u, source);
	use_name(&u, id_text);
	use_text(&u, shown);
	use_int(&u, run);
	if (use_run(&u, NULL, e) < 0)
		return -1;
	*f_r = (struct ledger_folder){
		.id = sqlite3_last_insert_rowid(led->db),
		.extent = EXTENT_NONE,
		.is_new = true,
	};
	return 0;
}

int ledger_folder(struct ledger *led, int64_t source, const char *id_text,
		  const char *shown, const char *fingerprint, int64_t run,
		  struct ledger_folder *f_r, struct err *e)
{
	struct use u;
	int got, extent = EXTENT_NONE;

	if (use_begin(&u, led, ST_FOLDER_FIND, e) < 0)
		return -1;
	use_int(&u, source);
	use_name(&u, id_text);
	use_name(&u, fingerprint);
	got = use_row(&u, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return folder_add(led, source, id_text, shown, run, f_r, e);
	got = use_get_enum(&u, 1, EXTENT_MIGRATED, &extent, e);
	*f_r = (struct ledger_folder){
		.id = sqlite3_column_int64(u.st, 0),
		.extent = (enum ledger_extent)extent,
		.unchanged = sqlite3_column_int(u.st, 2),
	};
	use_end(&u);
	if (got < 0 || use_begin(&u, led, ST_FOLDER_SEEN, e) < 0)
		return -1;
	use_int(&u, f_r->id);
	use_text(&u, shown);
	use_int(&u, run);
	return use_run(&u, NULL, e);
}

int ledger_folder_done(struct ledger *led, int64_t folder,
		       const char *fingerprint, enum ledger_extent extent,
		       int64_t run, struct err *e)
{
	struct use u;
	int64_t changed;

	if (use_begin(&u, led, ST_FOLDER_DONE, e) < 0)
		return -1;
	use_int(&u, folder);
	use_name(&u, fingerprint);
	use_int(&u, extent);
	use_int(&u, run);
	if (use_run(&u, &changed, e) < 0)
		return -1;
	if (!changed)
		return db_bug(led, e, "folder %lld is done but never was",
			      (long long)folder);
	if (use_begin(&u, led, ST_FOLDER_FORGET, e) < 0)
		return -1;
	use_int(&u, folder);
	use_int(&u, run);
	return use_run(&u, NULL, e);
}

int ledger_folder_mark(struct ledger *led, int64_t folder, const char *bookmark,
		       struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_FOLDER_MARK, e) < 0)
		return -1;
	use_int(&u, folder);
	if (bookmark)
		use_name(&u, bookmark);
	else
		use_text(&u, NULL);
	return use_run(&u, NULL, e);
}

int ledger_folder_marked(struct ledger *led, int64_t folder,
			 struct buf *bookmark_r, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_FOLDER_MARKED, e) < 0)
		return -1;
	use_int(&u, folder);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	use_get_buf(&u, 0, bookmark_r);
	use_end(&u);
	return 1;
}

int ledger_folder_keep(struct ledger *led, int64_t folder, int64_t run,
		       struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_FOLDER_KEEP, e) < 0)
		return -1;
	use_int(&u, folder);
	use_int(&u, run);
	return use_run(&u, NULL, e);
}

/* ---- target folders ---- */

static int target_folder_add(struct ledger *led, const char *key,
			     const char *shown,
			     struct ledger_target_folder *f_r, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_TARGET_FOLDER_ADD, e) < 0)
		return -1;
	use_name(&u, key);
	use_text(&u, shown);
	if (use_run(&u, NULL, e) < 0)
		return -1;
	*f_r = (struct ledger_target_folder){
		.id = sqlite3_last_insert_rowid(led->db),
	};
	return 0;
}

static int target_folder_rename(struct ledger *led, int64_t folder,
				const char *shown, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_TARGET_FOLDER_SHOWN, e) < 0)
		return -1;
	use_int(&u, folder);
	use_text(&u, shown);
	return use_run(&u, NULL, e);
}

static int target_folder_count(struct ledger *led,
			       struct ledger_target_folder *f, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_TARGET_FOLDER_COUNTS, e) < 0)
		return -1;
	use_int(&u, f->id);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	f->open_intents = (uint64_t)sqlite3_column_int64(u.st, 0);
	f->done = (uint64_t)sqlite3_column_int64(u.st, 1);
	use_end(&u);
	return 0;
}

int ledger_target_folder(struct ledger *led, const char *key, const char *shown,
			 struct ledger_target_folder *f_r, struct err *e)
{
	struct use u;
	bool same_name;
	int got;

	if (use_begin(&u, led, ST_TARGET_FOLDER_FIND, e) < 0)
		return -1;
	use_name(&u, key);
	use_text(&u, shown);
	got = use_row(&u, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return target_folder_add(led, key, shown, f_r, e);
	*f_r = (struct ledger_target_folder){
		.id = sqlite3_column_int64(u.st, 0),
	};
	same_name = sqlite3_column_int(u.st, 3);
	got = use_get_uint32(&u, 1, &f_r->uidvalidity, e);
	if (got == 0)
		got = use_get_uint32(&u, 2, &f_r->floor, e);
	use_end(&u);
	if (got < 0)
		return -1;
	/* A reader takes the name that stands. */
	if (!same_name && led->mode != LEDGER_READ &&
	    target_folder_rename(led, f_r->id, shown, e) < 0)
		return -1;
	return target_folder_count(led, f_r, e);
}

int ledger_target_folder_opened(struct ledger *led, int64_t folder,
				const char *wire, uint32_t uidvalidity,
				uint32_t uidnext, struct err *e)
{
	struct use u;
	int64_t changed;

	if (use_begin(&u, led, ST_TARGET_FOLDER_OPENED, e) < 0)
		return -1;
	use_int(&u, folder);
	use_text(&u, wire);
	use_int(&u, uidvalidity);
	use_int(&u, uidnext);
	if (use_run(&u, &changed, e) < 0)
		return -1;
	if (!changed)
		return db_bug(led, e,
			      "target folder %lld is opened but unknown",
			      (long long)folder);
	return 0;
}
