/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ledger asks must not grow with what it holds: no statement scans a
   table or sorts, but for the few that are to see everything. */
#include "storage/ledger/check.h"
#include "storage/ledger/db.h"
#include "tests/lib/check.h"

#include <stdio.h>

/* The plans that may see more than what a full key names. */
enum { LIST_COPIES = STATEMENTS };
static const struct {
	int which;
	const char *what, *allowed;
} exceptions[] = {
	{ ST_RUN_LAST, "the newest run is the last row", "SCAN run" },
	{ ST_FOLDERS, "every folder of a run", "SCAN folder" },
	{ LIST_COPIES, "every folder of a run", "SCAN f" },
	{ ST_MESSAGE_SAME_ID, "at most a hundred", "SCAN (subquery" },
	{ ST_CHECK_BY_UID, "one row", "SCAN temp.checked" },
	{ ST_CHECK_NEXT_PAIR, "one row", "SCAN temp.checked" },
	{ ST_CHECK_NEXT_PAIR, "onwards from a row", ">?" },
	{ ST_CHECK_NEXT_MISSING, "one row", "SCAN temp.checked" },
	{ ST_CHECK_NEXT_MISSING, "onwards from a row", ">?" },
	{ ST_CHECK_NEXT_FOUND, "onwards from a row", ">?" },
	{ ST_TARGET_FOLDER_NEXT, "onwards from a row", ">?" },
	{ ST_MESSAGE_NEXT_INTENT, "onwards from a row", ">?" },
	{ ST_MESSAGE_NEXT_DONE, "onwards from a row", ">?" },
	{ ST_FOLDER_NEXT_KNOWN, "onwards from a row", ">?" },
	{ ST_LATE_ANY, "a table of few", "SCAN l" },
	{ ST_LATE_NEXT, "onwards from a row", ">?" },
	{ ST_TRAFFIC_FORGET, "two days of hours", "<?" },
	{ ST_TRAFFIC_SINCE, "two days of hours", ">?" },
	{ ST_FOREIGN_BY_ID, "onwards from a row", ">?" },
	{ ST_FOREIGN_BY_SIZE, "onwards from a row", ">?" },
};

static bool is_allowed(int which, const char *detail)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		if (exceptions[i].which == which &&
		    strstr(detail, exceptions[i].allowed))
			return true;
	return !strncmp(detail, "SCAN CONSTANT ROW", 17);
}

static void check_plan(struct ledger *led, int which, const char *sql)
{
	sqlite3_stmt *st = NULL;
	struct buf explain = BUF_INIT;

	buf_addf(&explain, "EXPLAIN QUERY PLAN %s", sql);
	sqlite3_prepare_v2(led->db, explain.data, -1, &st, NULL);
	CHECK_CASE(sql, st != NULL);
	if (!st)
		printf("  %s\n", sqlite3_errmsg(led->db));
	while (st && sqlite3_step(st) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(st, 3);
		bool wide = strstr(detail, "SCAN") || strstr(detail, ">?") ||
			    strstr(detail, "<?") || strstr(detail, "TEMP");

		CHECK_CASE(sql, !wide || is_allowed(which, detail));
		if (wide && !is_allowed(which, detail))
			printf("  %s\n", detail);
	}
	sqlite3_finalize(st);
	buf_free(&explain);
}

int main(void)
{
	struct err e = ERR_INIT;
	struct ledger *led = NULL;

	/* The name is never used: a scratch ledger of nothing. */
	if (ledger_open("/nonexistent/plans.db", LEDGER_SCRATCH, "a@b", &led,
			&e) < 0) {
		printf("%s\n", e.text);
		return 1;
	}
	/* Makes the temporary tables that some statements are about. */
	CHECK(ledger_check_begin(led, 1, &e) == 0);
	for (int i = 0; i < STATEMENTS; i++) {
		CHECK(statement_texts[i].sql != NULL);
		if (statement_texts[i].sql && i != ST_BEGIN && i != ST_COMMIT)
			check_plan(led, i, statement_texts[i].sql);
	}
	check_plan(led, LIST_COPIES, statement_list_copies);
	ledger_close(led);
	return check_done();
}
