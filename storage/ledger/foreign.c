/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail on the server that this ledger did not bring there. */
#include "storage/ledger/db.h"
#include "storage/ledger/text.h"

int ledger_foreign_add(struct ledger *led, int64_t target_folder, uint32_t uid,
		       uint64_t size, const char *message_id, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_FOREIGN_ADD, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_int(&u, uid);
	use_int(&u, (int64_t)size);
	use_text(&u, text_or_null(message_id));
	return use_run(&u, NULL, e);
}

int ledger_foreign_next(struct ledger *led, int64_t target_folder,
			uint64_t size, const char *message_id, uint32_t after,
			uint32_t *uid_r, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led,
		      text_or_null(message_id) ? ST_FOREIGN_BY_ID
					       : ST_FOREIGN_BY_SIZE,
		      e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_int(&u, after);
	if (text_or_null(message_id))
		use_text(&u, message_id);
	else
		use_int(&u, (int64_t)size);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	got = use_get_uint32(&u, 0, uid_r, e) < 0 ? -1 : 1;
	if (got > 0)
		use_end(&u);
	return got;
}

static int run_for(struct ledger *led, enum statement which,
		   int64_t target_folder, const uint32_t *uid, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, which, e) < 0)
		return -1;
	use_int(&u, target_folder);
	if (uid)
		use_int(&u, *uid);
	return use_run(&u, NULL, e);
}

int ledger_foreign_take(struct ledger *led, int64_t target_folder, uint32_t uid,
			struct err *e)
{
	return run_for(led, ST_FOREIGN_TAKE, target_folder, &uid, e);
}

int ledger_foreign_forget(struct ledger *led, int64_t target_folder,
			  struct err *e)
{
	return run_for(led, ST_FOREIGN_FORGET, target_folder, NULL, e);
}

int ledger_has_foreign(struct ledger *led, int64_t target_folder, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_FOREIGN_ANY, e) < 0)
		return -1;
	use_int(&u, target_folder);
	got = use_row(&u, e);
	if (got > 0)
		use_end(&u);
	return got;
}
