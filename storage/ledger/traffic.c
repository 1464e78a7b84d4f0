/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was sent when, in hours: for the daily limit. */
#include "storage/ledger/db.h"

enum { HOUR = 3600, KEPT = 48 * HOUR };

static int64_t hour_of(int64_t t)
{
	return t - ((t % HOUR) + HOUR) % HOUR;
}

int ledger_traffic_add(struct ledger *led, int64_t now, uint64_t bytes,
		       struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_TRAFFIC_FORGET, e) < 0)
		return -1;
	use_int(&u, hour_of(now) - KEPT);
	if (use_run(&u, NULL, e) < 0 ||
	    use_begin(&u, led, ST_TRAFFIC_ADD, e) < 0)
		return -1;
	use_int(&u, hour_of(now));
	use_int(&u, (int64_t)bytes);
	return use_run(&u, NULL, e);
}

int ledger_traffic_take_back(struct ledger *led, int64_t now, uint64_t bytes,
			     struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_TRAFFIC_TAKE_BACK, e) < 0)
		return -1;
	use_int(&u, hour_of(now));
	use_int(&u, (int64_t)bytes);
	return use_run(&u, NULL, e);
}

int ledger_traffic_each(struct ledger *led, int64_t since,
			void (*each)(void *ctx, int64_t began, uint64_t bytes),
			void *ctx, struct err *e)
{
	struct use u;
	uint64_t bytes;
	int got;

	if (use_begin(&u, led, ST_TRAFFIC_SINCE, e) < 0)
		return -1;
	use_int(&u, since);
	while ((got = use_row(&u, e)) > 0) {
		if (use_get_uint64(&u, 1, &bytes, e) < 0)
			return -1;
		each(ctx, sqlite3_column_int64(u.st, 0), bytes);
	}
	return got;
}
