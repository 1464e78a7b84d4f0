/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies in the ledger: every message found in a source, and what became of it.
 */
#include "storage/ledger/db.h"
#include "storage/ledger/text.h"

static int mark_seen(struct ledger *led, int64_t copy, int64_t run,
		     struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_COPY_SEEN, e) < 0)
		return -1;
	use_int(&u, copy);
	use_int(&u, run);
	return use_run(&u, NULL, e);
}

int ledger_copy_find(struct ledger *led, int64_t folder, const char *locator,
		     int64_t run, struct ledger_copy *c_r, struct err *e)
{
	int64_t seen_run;
	struct use u;
	int got, state;

	if (use_begin(&u, led, ST_COPY_FIND, e) < 0)
		return -1;
	use_int(&u, folder);
	use_name(&u, locator);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	*c_r = (struct ledger_copy){
		.id = sqlite3_column_int64(u.st, 0),
		.message = sqlite3_column_int64(u.st, 2),
		.target_folder = sqlite3_column_int64(u.st, 5),
	};
	seen_run = sqlite3_column_int64(u.st, 4);
	if (use_get_enum(&u, 1, COPY_FAILED, &state, e) < 0 ||
	    use_get_uint64(&u, 3, &c_r->length, e) < 0)
		got = -1;
	else
		c_r->state = (enum ledger_copy_state)state;
	use_end(&u);
	if (got > 0 && seen_run != run && mark_seen(led, c_r->id, run, e) < 0)
		return -1;
	return got;
}

int ledger_copy_claimed(struct ledger *led, int64_t message, int64_t folder,
			const char *locator, int64_t run, struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_COPY_CLAIMED, e) < 0)
		return -1;
	use_int(&u, message);
	use_int(&u, folder);
	use_name(&u, locator);
	use_int(&u, run);
	got = use_row(&u, e);
	if (got > 0)
		use_end(&u);
	return got;
}

/* What of a copy its message knows. */
struct known {
	int state;
	int64_t run;
	bool same_digest, same_subject;
};

/* A message that is not there leaves k as it is: the foreign key sees to that.
 */
static int ask_message(struct ledger *led,
		       const struct ledger_copy_about *about,
		       const char *subject, struct known *k, struct err *e)
{
	const struct digest *d = about->digest;
	struct use u;
	int got;

	if (!about->message)
		return 0;
	if (use_begin(&u, led, ST_MESSAGE_SAYS, e) < 0)
		return -1;
	use_int(&u, about->message);
	use_bytes(&u, d ? d->full : NULL, d ? DIGEST_SIZE : 0);
	use_text(&u, subject);
	got = use_row(&u, e);
	if (got <= 0)
		return got;
	got = use_get_enum(&u, 0, LEDGER_REFUSED, &k->state, e);
	k->run = sqlite3_column_int64(u.st, 1);
	k->same_digest = sqlite3_column_int(u.st, 2);
	k->same_subject = sqlite3_column_int(u.st, 3);
	use_end(&u);
	return got;
}

/* ST_COPY_ADD and ST_COPY_REPLACE take the same values. */
static int write_copy(struct ledger *led, enum statement which, int64_t folder,
		      int64_t run, const struct ledger_copy_about *about,
		      const char *subject, const struct known *k,
		      int64_t *changed_r, struct err *e)
{
	const struct digest *d = k->same_digest ? NULL : about->digest;
	struct use u;

	if (use_begin(&u, led, which, e) < 0)
		return -1;
	use_int(&u, folder);
	use_name(&u, about->locator);
	use_int(&u, run);
	use_int(&u, about->state);
	use_id(&u, about->message);
	use_int(&u, (int64_t)about->offset);
	use_int(&u, (int64_t)about->length);
	use_int(&u, (int64_t)about->size);
	use_date(&u, about->date);
	use_int(&u, about->notes);
	use_text(&u, text_or_null(about->why));
	use_int(&u, about->state == COPY_UPLOADED ? k->run : 0);
	use_bytes(&u, d ? d->full : NULL, d ? DIGEST_SIZE : 0);
	use_text(&u, k->same_subject ? NULL : subject);
	return use_run(&u, changed_r, e);
}

int ledger_copy_put(struct ledger *led, int64_t folder, int64_t run,
		    const struct ledger_copy_about *about, struct err *e)
{
	struct known k = { .state = LEDGER_PLANNED };
	char room[SUBJECT_ROOM];
	const char *subject = text_subject(about->subject, room);
	int64_t changed;

	if (ask_message(led, about, subject, &k, e) < 0)
		return -1;
	if ((about->state == COPY_UPLOADED || about->state == COPY_ALREADY) &&
	    k.state != LEDGER_DONE)
		return db_bug(led, e,
			      "L2: a copy is on the server, but message "
			      "%lld is not done",
			      (long long)about->message);
	if (write_copy(led, ST_COPY_ADD, folder, run, about, subject, &k,
		       &changed, e) < 0)
		return -1;
	if (changed)
		return 0;
	return write_copy(led, ST_COPY_REPLACE, folder, run, about, subject, &k,
			  NULL, e);
}

struct pending {
	int state;	  /* of the message */
	int64_t run;	  /* likewise */
	int64_t earliest; /* pending copy */
	int64_t n;
};

static int find_pending(struct ledger *led, int64_t message, struct pending *p,
			struct err *e)
{
	struct use u;
	int got;

	if (use_begin(&u, led, ST_MESSAGE_PENDING, e) < 0)
		return -1;
	use_int(&u, message);
	got = use_row(&u, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return db_bug(led, e, "message %lld is unknown",
			      (long long)message);
	got = use_get_enum(&u, 0, LEDGER_REFUSED, &p->state, e);
	p->run = sqlite3_column_int64(u.st, 1);
	p->earliest = sqlite3_column_int64(u.st, 2);
	p->n = sqlite3_column_int64(u.st, 3);
	use_end(&u);
	return got;
}

/* Every pending copy of the message ends like this. */
static int end_pending(struct ledger *led, int64_t message,
		       enum ledger_copy_state state, const char *why,
		       struct err *e)
{
	struct use u;

	if (use_begin(&u, led, ST_COPY_ENDS, e) < 0)
		return -1;
	use_int(&u, message);
	use_int(&u, state);
	use_text(&u, text_or_null(why));
	return use_run(&u, NULL, e);
}

/* The earliest pending copy stands for the message, the others are duplicates.
 */
static int stand_pending(struct ledger *led, int64_t message,
			 enum ledger_copy_state state, const char *why,
			 struct err *e)
{
	struct pending p = { .state = LEDGER_PLANNED };
	struct use u;

	if (find_pending(led, message, &p, e) < 0)
		return -1;
	if (p.state != LEDGER_DONE)
		return db_bug(led, e,
			      "L2: copies are on the server, but message "
			      "%lld is not done",
			      (long long)message);
	if (!p.n)
		return 0;
	if (use_begin(&u, led, ST_COPY_STANDS, e) < 0)
		return -1;
	use_int(&u, p.earliest);
	use_int(&u, state);
	use_int(&u, state == COPY_UPLOADED ? p.run : 0);
	use_text(&u, text_or_null(why));
	if (use_run(&u, NULL, e) < 0)
		return -1;
	return p.n > 1 ? end_pending(led, message, COPY_DUPLICATE, why, e) : 0;
}

int ledger_copy_resolve(struct ledger *led, int64_t message,
			enum ledger_copy_state state, const char *why,
			struct err *e)
{
	if (state == COPY_UPLOADED || state == COPY_ALREADY)
		return stand_pending(led, message, state, why, e);
	return end_pending(led, message, state, why, e);
}
