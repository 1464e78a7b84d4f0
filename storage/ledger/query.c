/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions that change nothing: totals, lists, what a report and status need.
 */
#include "storage/ledger/query.h"

#include "core/base/date.h"
#include "storage/ledger/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_state(struct ledger_totals *t, enum ledger_copy_state state,
		      uint64_t n, uint64_t sent_now)
{
	t->found += n;
	switch (state) {
	case COPY_PENDING:
		t->pending += n;
		break;
	case COPY_UPLOADED:
		t->uploaded += sent_now;
		t->already += n - sent_now;
		break;
	case COPY_ALREADY:
		t->already += n;
		break;
	case COPY_DUPLICATE:
		t->duplicate += n;
		break;
	case COPY_SKIPPED:
		t->skipped += n;
		break;
	case COPY_FAILED:
		t->failed += n;
		break;
	}
}

static int add_folder(struct ledger *led, int64_t folder, int64_t run,
		      struct ledger_totals *t, struct err *e)
{
	uint64_t n, bytes, sent;
	struct use u;
	int got, state;

	if (use_begin(&u, led, ST_FOLDER_TOTALS, e) < 0)
		return -1;
	use_int(&u, folder);
	use_int(&u, run);
	while ((got = use_row(&u, e)) > 0) {
		if (use_get_enum(&u, 0, COPY_FAILED, &state, e) < 0 ||
		    use_get_uint64(&u, 1, &n, e) < 0 ||
		    use_get_uint64(&u, 2, &bytes, e) < 0 ||
		    use_get_uint64(&u, 3, &sent, e) < 0) {
			use_end(&u);
			return -1;
		}
		if (run == 0)
			sent = n;
		add_state(t, (enum ledger_copy_state)state, n,
			  sent < n ? sent : n);
		t->bytes += bytes;
	}
	t->folders++;
	return got;
}

int ledger_folder_totals(struct ledger *led, int64_t folder, int64_t run,
			 struct ledger_totals *t_r, struct err *e)
{
	*t_r = (struct ledger_totals){ .found = 0 };
	return add_folder(led, folder, run, t_r, e);
}

static int64_t date_or_none(struct use *u, int column)
{
	return sqlite3_column_type(u->st, column) == SQLITE_NULL
		       ? DATE_NONE
		       : sqlite3_column_int64(u->st, column);
}

int ledger_folder_dates(struct ledger *led, int64_t folder, int64_t *oldest_r,
			int64_t *newest_r, struct err *e)
{
	struct use u;
	int got;

	*oldest_r = *newest_r = DATE_NONE;
	if (use_begin(&u, led, ST_FOLDER_DATES, e) < 0)
		return -1;
	use_int(&u, folder);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	*oldest_r = date_or_none(&u, 0);
	*newest_r = date_or_none(&u, 1);
	use_end(&u);
	return 0;
}

int ledger_totals(struct ledger *led, int64_t run, struct ledger_totals *t_r,
		  struct err *e)
{
	struct use u;
	int got;

	*t_r = (struct ledger_totals){ .found = 0 };
	if (use_begin(&u, led, ST_FOLDERS, e) < 0)
		return -1;
	use_int(&u, run);
	while ((got = use_row(&u, e)) > 0) {
		if (add_folder(led, sqlite3_column_int64(u.st, 0), run, t_r,
			       e) < 0) {
			use_end(&u);
			return -1;
		}
	}
	return got;
}

struct ledger_cursor {
	struct use use;
	bool ended; /* SQLite would begin again */
};

int ledger_list_copies(struct ledger *led, unsigned states, int64_t run,
		       struct ledger_cursor **c_r, struct err *e)
{
	struct ledger_cursor *c = mem_zalloc(sizeof(*c));

	c->use.led = led;
	if (sqlite3_prepare_v2(led->db, statement_list_copies, -1, &c->use.st,
			       NULL) != SQLITE_OK) {
		ledger_cursor_free(c);
		return db_fail(led, e);
	}
	use_int(&c->use, states);
	use_int(&c->use, run);
	*c_r = c;
	return 0;
}

/* Also of a BLOB: SQLite puts a NUL behind it then. */
static const char *text_of(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return text ? (const char *)text : "";
}

int ledger_cursor_next(struct ledger_cursor *c, struct ledger_row *row_r,
		       struct err *e)
{
	sqlite3_stmt *st = c->use.st;
	int got, state;

	if (c->ended)
		return 0;
	got = use_row(&c->use, e);
	if (got <= 0) {
		c->ended = true;
		return got;
	}
	*row_r = (struct ledger_row){
		.source = text_of(st, 0),
		.folder = text_of(st, 1),
		.locator = text_of(st, 2),
		.subject = text_of(st, 3),
		.why = text_of(st, 4),
		.target_folder = text_of(st, 5),
		.date = sqlite3_column_type(st, 8) == SQLITE_NULL
				? DATE_NONE
				: sqlite3_column_int64(st, 8),
		.notes = (unsigned)sqlite3_column_int64(st, 10),
	};
	if (use_get_uint64(&c->use, 6, &row_r->offset, e) < 0 ||
	    use_get_uint64(&c->use, 7, &row_r->size, e) < 0 ||
	    use_get_enum(&c->use, 9, COPY_FAILED, &state, e) < 0)
		return -1;
	row_r->state = (enum ledger_copy_state)state;
	return 1;
}

void ledger_cursor_free(struct ledger_cursor *c)
{
	if (!c)
		return;
	sqlite3_finalize(c->use.st);
	free(c);
}

void ledger_target_row_init(struct ledger_target_row *r)
{
	*r = (struct ledger_target_row){ .key = BUF_INIT,
					 .shown = BUF_INIT,
					 .wire = BUF_INIT };
}

void ledger_target_row_free(struct ledger_target_row *r)
{
	buf_free(&r->key);
	buf_free(&r->shown);
	buf_free(&r->wire);
	ledger_target_row_init(r);
}

int ledger_next_target_folder(struct ledger *led, int64_t after,
			      struct ledger_target_row *r, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_TARGET_FOLDER_NEXT, e) < 0)
		return -1;
	use_int(&u, after);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	r->id = sqlite3_column_int64(u.st, 0);
	use_get_buf(&u, 1, &r->key);
	use_get_buf(&u, 2, &r->shown);
	use_get_buf(&u, 3, &r->wire);
	if (use_get_uint32(&u, 4, &r->uidvalidity, e) < 0 ||
	    use_get_uint64(&u, 5, &r->done, e) < 0 ||
	    use_get_uint64(&u, 6, &r->open_intents, e) < 0 ||
	    use_get_uint64(&u, 7, &r->refused, e) < 0 ||
	    use_get_uint64(&u, 8, &r->bytes, e) < 0)
		got = -1;
	use_end(&u);
	if (got > 0 && r->id <= after)
		return db_damaged(led, "folders out of order", e);
	return got;
}

int ledger_last_run(struct ledger *led, struct ledger_run *r_r, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_RUN_LAST, e) < 0)
		return -1;
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	*r_r = (struct ledger_run){
		.id = sqlite3_column_int64(u.st, 0),
		.began = sqlite3_column_int64(u.st, 1),
		.ended = sqlite3_column_int64(u.st, 2),
		.exit_status = sqlite3_column_type(u.st, 3) == SQLITE_NULL
				       ? -1
				       : sqlite3_column_int(u.st, 3),
	};
	snprintf(r_r->command, sizeof(r_r->command), "%s", text_of(u.st, 4));
	use_end(&u);
	return 1;
}
