/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger against what a server has. What was seen is in temporary tables,
   which live beside the ledger and vanish with the connection. */
#include "storage/ledger/check.h"

#include <string.h>

#include "storage/ledger/db.h"
#include "storage/ledger/text.h"

static const char make_tables[] =
	"CREATE TEMP TABLE IF NOT EXISTS checked ("
	"	one INTEGER PRIMARY KEY CHECK (one = 1),"
	"	target_folder INTEGER NOT NULL) STRICT;"
	/* Ours that were found, and under which UID. */
	"CREATE TEMP TABLE IF NOT EXISTS found ("
	"	message INTEGER PRIMARY KEY,"
	"	uid INTEGER NOT NULL UNIQUE) STRICT;"
	/* Ours whose UID another message has. */
	"CREATE TEMP TABLE IF NOT EXISTS changed ("
	"	message INTEGER PRIMARY KEY) STRICT;"
	/* Mail that no UID of ours names. */
	"CREATE TEMP TABLE IF NOT EXISTS unknown ("
	"	uid INTEGER PRIMARY KEY,"
	"	size INTEGER NOT NULL,"
	"	message_id TEXT) STRICT;"
	"CREATE INDEX IF NOT EXISTS temp.unknown_id ON unknown (message_id);"
	"DELETE FROM checked; DELETE FROM found; DELETE FROM changed;"
	"DELETE FROM unknown;";

int ledger_check_begin(struct ledger *led, int64_t target_folder, struct err *e)
{
	struct use u;

	if (db_exec(led, make_tables, e) < 0 ||
	    use_begin(&u, led, ST_CHECK_BEGIN, e) < 0)
		return -1;
	use_int(&u, target_folder);
	return use_run(&u, NULL, e);
}

/* Both have a Message-ID, and not the same. */
static bool differ(const char *ours, const char *theirs)
{
	return ours && *ours && theirs && *theirs && strcmp(ours, theirs) != 0;
}

/* What the ledger knows under this UID: 1 with its id, 0, -1. */
static int find_ours(struct ledger *led, uint32_t uidvalidity, uint32_t uid,
		     const char *message_id, int64_t *id_r, bool *same_r,
		     struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_CHECK_BY_UID, e) < 0)
		return -1;
	use_int(&u, uidvalidity);
	use_int(&u, uid);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	*id_r = sqlite3_column_int64(u.st, 0);
	*same_r =
		!differ((const char *)sqlite3_column_text(u.st, 1), message_id);
	use_end(&u);
	return 1;
}

static int note(struct ledger *led, enum statement which, int64_t id,
		uint32_t uid, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, which, e) < 0)
		return -1;
	use_int(&u, id);
	if (which == ST_CHECK_FOUND)
		use_int(&u, uid);
	return use_run(&u, NULL, e);
}

int ledger_check_saw(struct ledger *led, uint32_t uidvalidity, uint32_t uid,
		     uint64_t size, const char *message_id,
		     enum ledger_sight *sight_r, struct err *e)
{
	struct use u;
	int64_t id;
	bool same;
	int got = find_ours(led, uidvalidity, uid, message_id, &id, &same, e);

	if (got < 0)
		return -1;
	if (got) {
		*sight_r = same ? SIGHT_OURS : SIGHT_CHANGED;
		return note(led, same ? ST_CHECK_FOUND : ST_CHECK_CHANGED, id,
			    uid, e);
	}
	*sight_r = SIGHT_UNKNOWN;
	if (use_begin(&u, led, ST_CHECK_UNKNOWN, e) < 0)
		return -1;
	use_int(&u, uid);
	use_int(&u, (int64_t)size);
	use_text(&u, text_or_null(message_id));
	return use_run(&u, NULL, e);
}

/* One message that was not seen, and unknown mail that may be it. */
struct pair {
	int64_t id, unknown;
};

static int next_pair(struct ledger *led, struct pair *p, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_CHECK_NEXT_PAIR, e) < 0)
		return -1;
	use_int(&u, p->id);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	p->id = sqlite3_column_int64(u.st, 0);
	p->unknown = sqlite3_column_type(u.st, 1) == SQLITE_NULL
			     ? 0
			     : sqlite3_column_int64(u.st, 1);
	use_end(&u);
	return 1;
}

int ledger_check_pair(struct ledger *led, uint64_t *paired_r, struct err *e)
{
	struct pair p = { .id = 0 };
	struct use u;
	int got;

	*paired_r = 0;
	while ((got = next_pair(led, &p, e)) > 0) {
		if (!p.unknown)
			continue;
		if (note(led, ST_CHECK_FOUND, p.id, (uint32_t)p.unknown, e) <
			    0 ||
		    use_begin(&u, led, ST_CHECK_TAKE_UNKNOWN, e) < 0)
			return -1;
		use_int(&u, p.unknown);
		if (use_run(&u, NULL, e) < 0)
			return -1;
		(*paired_r)++;
	}
	return got;
}

int ledger_check_next_missing(struct ledger *led, int64_t after,
			      struct ledger_message *m, struct buf *subject,
			      struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_CHECK_NEXT_MISSING, e) < 0)
		return -1;
	use_int(&u, after);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	m->id = sqlite3_column_int64(u.st, 0);
	use_get_buf(&u, 2, &m->message_id);
	use_get_buf(&u, 3, subject);
	if (use_get_uint32(&u, 1, &m->uid, e) < 0)
		return -1;
	use_end(&u);
	return 1;
}

int ledger_check_next_found(struct ledger *led, uint32_t uid,
			    struct ledger_message *m, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_CHECK_NEXT_FOUND, e) < 0)
		return -1;
	use_int(&u, uid);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	m->id = sqlite3_column_int64(u.st, 0);
	if (use_get_uint32(&u, 1, &m->uid, e) < 0 ||
	    use_get_digest(&u, 2, m->digest.full, e) < 0 ||
	    use_get_digest(&u, 3, m->digest.core, e) < 0 ||
	    message_read_repairs(&u, 4, m, e) < 0)
		return -1;
	use_end(&u);
	return 1;
}
