/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flags that come when their message has gone out. */
#include <string.h>

#include "storage/ledger/db.h"

/* What a message has, and what is known to be missing: 0, -1. */
static int read_both(struct ledger *led, int64_t id, struct flags *has,
		     struct flags *missing, struct err *e)
{
	struct buf text = BUF_INIT;
	struct use u;
	int got;

	if (use_begin(&u, led, ST_LATE_FLAGS, e) < 0)
		return -1;
	use_int(&u, id);
	got = use_row(&u, e);
	if (got <= 0)
		return got < 0 ? -1
			       : db_bug(led, e, "flags of no message (%lld)",
					(long long)id);
	use_get_buf(&u, 0, &text);
	flags_parse(has, text.data, text.len);
	buf_reset(&text);
	use_get_buf(&u, 1, &text);
	flags_parse(missing, text.data, text.len);
	use_end(&u);
	buf_free(&text);
	return 0;
}

/* Add to missing what f has and has does not. */
static bool add_missing(struct flags *missing, const struct flags *f,
			const struct flags *has)
{
	struct flags before = FLAGS_INIT;
	const char *word = NULL;
	bool more;

	flags_unite(&before, missing);
	missing->system |= f->system & ~has->system;
	while ((word = flags_next_keyword(f, word)))
		if (!flags_has_keyword(has, word))
			flags_add_keyword(missing, word, strlen(word));
	more = !flags_equal(&before, missing);
	flags_free(&before);
	return more;
}

static int put(struct ledger *led, int64_t id, const struct flags *missing,
	       struct err *e)
{
	struct buf text = BUF_INIT;
	struct use u;
	int ret;

	if (use_begin(&u, led, ST_LATE_PUT, e) < 0)
		return -1;
	flags_add_text(&text, missing);
	use_int(&u, id);
	use_text(&u, text.data);
	ret = use_run(&u, NULL, e);
	buf_free(&text);
	return ret;
}

int ledger_late_flags(struct ledger *led, int64_t id, const struct flags *f,
		      struct err *e)
{
	struct flags has = FLAGS_INIT, missing = FLAGS_INIT;
	int ret = read_both(led, id, &has, &missing, e);

	if (ret == 0 && add_missing(&missing, f, &has))
		ret = put(led, id, &missing, e);
	flags_free(&has);
	flags_free(&missing);
	return ret;
}

int ledger_next_late(struct ledger *led, int64_t target_folder, int64_t after,
		     struct ledger_message *m, struct flags *f, struct err *e)
{
	struct buf text = BUF_INIT;
	struct use u;
	int got;

	flags_reset(f);
	if (use_begin(&u, led, ST_LATE_NEXT, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_int(&u, after);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	m->id = sqlite3_column_int64(u.st, 0);
	if (use_get_uint32(&u, 1, &m->uid, e) < 0 ||
	    use_get_uint32(&u, 2, &m->uidvalidity, e) < 0)
		return -1;
	use_get_buf(&u, 3, &text);
	flags_parse(f, text.data, text.len);
	buf_free(&text);
	use_end(&u);
	return 1;
}

int ledger_late_drop(struct ledger *led, int64_t id, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_LATE_DROP, e) < 0)
		return -1;
	use_int(&u, id);
	return use_run(&u, NULL, e);
}

int ledger_late_done(struct ledger *led, int64_t id, struct err *e)
{
	struct flags has = FLAGS_INIT, missing = FLAGS_INIT;
	struct buf text = BUF_INIT;
	struct use u;
	int ret = read_both(led, id, &has, &missing, e);

	if (ret < 0)
		goto out;
	flags_unite(&has, &missing);
	flags_add_text(&text, &has);
	ret = use_begin(&u, led, ST_MESSAGE_SET_FLAGS, e);
	if (ret < 0)
		goto out;
	use_int(&u, id);
	use_text(&u, text.data);
	ret = use_run(&u, NULL, e);
	if (ret == 0)
		ret = ledger_late_drop(led, id, e);
out:
	flags_free(&has);
	flags_free(&missing);
	buf_free(&text);
	return ret;
}

int ledger_has_late(struct ledger *led, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_LATE_ANY, e) < 0)
		return -1;
	got = use_row(&u, e);
	if (got > 0)
		use_end(&u);
	return got;
}
