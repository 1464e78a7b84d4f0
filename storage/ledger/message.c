/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages in the ledger: what is (to be) on the server, and the way of each
   from PLANNED over INTENT to DONE. */
#include "core/base/date.h"
#include "storage/ledger/db.h"
#include "storage/ledger/text.h"

#include <string.h>

void ledger_message_init(struct ledger_message *m)
{
	*m = (struct ledger_message){ .message_id = BUF_INIT, .why = BUF_INIT };
}

void ledger_message_free(struct ledger_message *m)
{
	buf_free(&m->message_id);
	buf_free(&m->why);
	ledger_message_init(m);
}

int message_read_repairs(struct use *u, int column, struct ledger_message *m,
			 struct err *e)
{
	struct use sent;
	uint32_t repairs;
	int got;

	if (use_get_uint32(u, column, &repairs, e) < 0)
		return -1;
	m->repairs = repairs;
	if (!repairs)
		return 0;
	if (use_begin(&sent, u->led, ST_REPAIR_SENT, e) < 0)
		return -1;
	use_int(&sent, m->id);
	got = use_row(&sent, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return db_damaged(u->led, "a repair without what was sent", e);
	if (use_get_uint64(&sent, 0, &m->sent_size, e) < 0 ||
	    use_get_digest(&sent, 1, m->sent.full, e) < 0 ||
	    use_get_digest(&sent, 2, m->sent.core, e) < 0)
		return -1;
	use_end(&sent);
	return 0;
}

/* The columns are MESSAGE_COLUMNS of statements.c. */
static int read_message(struct use *u, struct ledger_message *m, struct err *e)
{
	int state;

	if (use_get_enum(u, 1, LEDGER_REFUSED, &state, e) < 0 ||
	    use_get_uint32(u, 2, &m->uid, e) < 0 ||
	    use_get_uint32(u, 3, &m->uidvalidity, e) < 0 ||
	    use_get_uint64(u, 4, &m->size, e) < 0 ||
	    use_get_digest(u, 6, m->digest.full, e) < 0 ||
	    use_get_digest(u, 7, m->digest.core, e) < 0)
		return -1;
	m->id = sqlite3_column_int64(u->st, 0);
	m->state = (enum ledger_state)state;
	m->run = sqlite3_column_int64(u->st, 5);
	use_get_buf(u, 8, &m->message_id);
	use_get_buf(u, 9, &m->why);
	return message_read_repairs(u, 10, m, e);
}

/* The one message that u asks for: 1 with m filled in, 0, -1. */
static int ask_message(struct use *u, struct ledger_message *m, struct err *e)
{
	int got = use_row(u, e);

	if (got <= 0)
		return got;
	if (read_message(u, m, e) < 0)
		got = -1;
	use_end(u);
	return got;
}

static int find_full(struct ledger *led, int64_t target_folder,
		     const struct digest *d, struct ledger_message *m,
		     struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_MESSAGE_BY_FULL, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_bytes(&u, d->full, DIGEST_SIZE);
	return ask_message(&u, m, e);
}

/* The one that is nearest to the server. Chosen here: there is hardly ever more
   than one, and a sorter would be made for each question. */
static int find_core(struct ledger *led, int64_t target_folder,
		     const struct digest *d, struct ledger_message *m,
		     struct err *e)
{
	static const int rank[] = {
		[LEDGER_REFUSED] = 1,
		[LEDGER_PLANNED] = 2,
		[LEDGER_INTENT] = 3,
		[LEDGER_DONE] = 4,
	};
	int best = 0, got, state;
	struct use u;

	if (use_begin(&u, led, ST_MESSAGE_BY_CORE, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_bytes(&u, d->core, DIGEST_SIZE);
	while ((got = use_row(&u, e)) > 0) {
		got = use_get_enum(&u, 1, LEDGER_REFUSED, &state, e);
		if (got == 0 && rank[state] > best)
			got = read_message(&u, m, e);
		if (got < 0) {
			use_end(&u);
			return -1;
		}
		if (rank[state] > best)
			best = rank[state];
	}
	return got < 0 ? -1 : best > 0;
}

int ledger_find(struct ledger *led, int64_t target_folder,
		const struct digest *d, struct ledger_message *m,
		bool *core_only_r, struct err *e)
{
	int got = find_full(led, target_folder, d, m, e);

	*core_only_r = false;
	if (got)
		return got;
	got = find_core(led, target_folder, d, m, e);
	*core_only_r = got > 0;
	return got;
}

int ledger_find_whole(struct ledger *led, const struct ledger_about *about,
		      unsigned without_notes, struct ledger_message *m,
		      struct err *e)
{
	char room[SUBJECT_ROOM];
	struct use u;
	int got;

	if (!about->message_id || !*about->message_id)
		return 0;
	if (use_begin(&u, led, ST_MESSAGE_WHOLE, e) < 0)
		return -1;
	use_text(&u, about->message_id);
	use_int(&u, (int64_t)about->size);
	use_int(&u, without_notes);
	use_text(&u, text_subject(about->subject, room));
	use_date(&u, about->date);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	got = read_message(&u, m, e);
	use_end(&u);
	return got < 0 ? -1 : 1;
}

int ledger_count_same_id(struct ledger *led, int64_t target_folder,
			 const char *message_id, const struct digest *except,
			 uint64_t *n_r, struct err *e)
{
	struct use u;
	int got;

	*n_r = 0;
	if (!message_id || !*message_id)
		return 0;
	if (use_begin(&u, led, ST_MESSAGE_SAME_ID, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_text(&u, message_id);
	use_bytes(&u, except->core, DIGEST_SIZE);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	*n_r = (uint64_t)sqlite3_column_int64(u.st, 0);
	use_end(&u);
	return 0;
}

int ledger_plan(struct ledger *led, int64_t target_folder,
		const struct digest *d, const struct ledger_about *about,
		int64_t run, int64_t *id_r, struct err *e)
{
	struct buf flags = BUF_INIT;
	char subject[SUBJECT_ROOM];
	struct use u;
	int ret;

	if (use_begin(&u, led, ST_MESSAGE_PLAN, e) < 0)
		return -1;
	if (about->flags)
		flags_add_text(&flags, about->flags);
	use_int(&u, target_folder);
	use_bytes(&u, d->full, DIGEST_SIZE);
	use_bytes(&u, d->core, DIGEST_SIZE);
	use_int(&u, (int64_t)about->size);
	use_text(&u, text_or_null(about->message_id));
	use_text(&u, text_subject(about->subject, subject));
	use_date(&u, about->date);
	use_text(&u, flags.data);
	use_int(&u, run);
	ret = use_run(&u, NULL, e);
	if (ret == 0)
		*id_r = sqlite3_last_insert_rowid(led->db);
	buf_free(&flags);
	return ret;
}

/* Run a change of state that must find its message where it starts from. */
static int change_state(struct use *u, int64_t id, const char *promise,
			struct err *e)
{
	int64_t changed;

	if (use_run(u, &changed, e) < 0)
		return -1;
	if (!changed)
		return db_bug(u->led, e, "%s (message %lld)", promise,
			      (long long)id);
	return 0;
}

int ledger_intend(struct ledger *led, int64_t id, int64_t run, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_MESSAGE_INTEND, e) < 0)
		return -1;
	use_int(&u, id);
	use_int(&u, run);
	return change_state(&u, id,
			    "L3, L4: only what is planned or was refused may "
			    "be sent",
			    e);
}

int ledger_confirm(struct ledger *led, int64_t id, uint32_t uid,
		   uint32_t uidvalidity, int64_t run, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_MESSAGE_CONFIRM, e) < 0)
		return -1;
	use_int(&u, id);
	use_int(&u, uid);
	use_int(&u, uidvalidity);
	use_int(&u, run);
	return change_state(&u, id, "L2: only an open intent becomes done", e);
}

int ledger_refuse(struct ledger *led, int64_t id, const char *why, int64_t run,
		  struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_MESSAGE_REFUSE, e) < 0)
		return -1;
	use_int(&u, id);
	use_text(&u, why);
	use_int(&u, run);
	return change_state(&u, id,
			    "L4: only what is planned or intended may be "
			    "refused",
			    e);
}

int ledger_retract(struct ledger *led, int64_t id, struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_MESSAGE_RETRACT, e) < 0)
		return -1;
	use_int(&u, id);
	return change_state(&u, id, "L4: only an open intent may be taken back",
			    e);
}

static int set_repairs(struct ledger *led, int64_t id, unsigned repairs,
		       struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_REPAIR_SET, e) < 0)
		return -1;
	use_int(&u, id);
	use_int(&u, repairs);
	return change_state(&u, id,
			    "L4: only what is planned or was refused may be "
			    "repaired",
			    e);
}

int ledger_repaired(struct ledger *led, int64_t id, unsigned repairs,
		    const struct digest *sent, uint64_t size, struct err *e)
{
	struct use u;

	if (!repairs)
		return db_bug(led, e, "a repair that is none (message %lld)",
			      (long long)id);
	if (set_repairs(led, id, repairs, e) < 0 ||
	    use_begin(&u, led, ST_REPAIR_PUT, e) < 0)
		return -1;
	use_int(&u, id);
	use_int(&u, (int64_t)size);
	use_bytes(&u, sent->full, DIGEST_SIZE);
	use_bytes(&u, sent->core, DIGEST_SIZE);
	return use_run(&u, NULL, e);
}

int ledger_unrepaired(struct ledger *led, int64_t id, struct err *e)
{
	struct use u;

	if (set_repairs(led, id, 0, e) < 0 ||
	    use_begin(&u, led, ST_REPAIR_DROP, e) < 0)
		return -1;
	use_int(&u, id);
	return use_run(&u, NULL, e);
}

/* 0 with the flags that are to be on the server, -1. */
static int read_flags(struct ledger *led, int64_t id, struct flags *f,
		      struct err *e)
{
	struct buf text = BUF_INIT;
	struct use u;
	int got;

	if (use_begin(&u, led, ST_MESSAGE_FLAGS, e) < 0)
		return -1;
	use_int(&u, id);
	got = use_row(&u, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return db_bug(led, e,
			      "L4: message %lld is done, its flags are "
			      "what they are",
			      (long long)id);
	use_get_buf(&u, 0, &text);
	use_end(&u);
	flags_parse(f, text.data, text.len);
	buf_free(&text);
	return 0;
}

int ledger_add_flags_to(struct ledger *led, int64_t id, struct flags *f,
			struct err *e)
{
	struct flags known = FLAGS_INIT;
	int ret = read_flags(led, id, &known, e);

	if (ret == 0)
		flags_unite(f, &known);
	flags_free(&known);
	return ret;
}

int ledger_unite_flags(struct ledger *led, int64_t id, const struct flags *more,
		       struct err *e)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct flags f = FLAGS_INIT;
	struct use u;
	int ret = -1;

	if (read_flags(led, id, &f, e) < 0)
		goto out;
	flags_add_text(&before, &f);
	flags_unite(&f, more);
	flags_add_text(&after, &f);
	ret = 0;
	if (buf_equal(&before, &after))
		goto out;
	ret = use_begin(&u, led, ST_MESSAGE_SET_FLAGS, e);
	if (ret < 0)
		goto out;
	use_int(&u, id);
	use_text(&u, after.data);
	ret = use_run(&u, NULL, e);
out:
	flags_free(&f);
	buf_free(&before);
	buf_free(&after);
	return ret;
}

static int next_message(struct ledger *led, enum statement which,
			int64_t target_folder, int64_t after,
			struct ledger_message *m, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, which, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_int(&u, after);
	got = ask_message(&u, m, e);
	/* An index that leads back would keep our callers walking for ever. */
	if (got > 0 && m->id <= after)
		return db_damaged(led, "messages out of order", e);
	return got;
}

int ledger_next_intent(struct ledger *led, int64_t target_folder, int64_t after,
		       struct ledger_message *m, struct err *e)
{
	return next_message(led, ST_MESSAGE_NEXT_INTENT, target_folder, after,
			    m, e);
}

int ledger_next_done(struct ledger *led, int64_t target_folder, int64_t after,
		     struct ledger_message *m, struct err *e)
{
	return next_message(led, ST_MESSAGE_NEXT_DONE, target_folder, after, m,
			    e);
}

int ledger_owns_uid(struct ledger *led, int64_t target_folder,
		    uint32_t uidvalidity, uint32_t uid, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_MESSAGE_OWNS_UID, e) < 0)
		return -1;
	use_int(&u, target_folder);
	use_int(&u, uid);
	use_int(&u, uidvalidity);
	got = use_row(&u, e);
	if (got > 0)
		use_end(&u);
	return got;
}
