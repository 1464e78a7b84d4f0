/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ledger promises while it is open: L2-L4 in every state a message can
   be in, and what becomes of folders and copies. L1 is in crash.c. */
#include "tests/ledger/room.h"

#include <sqlite3.h>

static struct ledger *led;
static int64_t run, target_folder, folder;

static void fresh(void)
{
	unlink(in_room("l.db"));
	led = open_or_exit(in_room("l.db"), LEDGER_WRITE, "a@b");
	run = new_run(led);
	target_folder = new_target_folder(led, "Archive");
	folder = new_folder(led, "Mail/old", run);
}

/* A message brought into the state by the way that is allowed. */
static int64_t message_in(enum ledger_state state)
{
	static unsigned number = 1000;
	int64_t id = plan(led, target_folder, ++number, run);

	if (state == LEDGER_PLANNED)
		return id;
	OK(ledger_intend(led, id, run, &room_err));
	if (state == LEDGER_DONE)
		OK(ledger_confirm(led, id, number, 7, run, &room_err));
	if (state == LEDGER_REFUSED)
		OK(ledger_refuse(led, id, "too large", run, &room_err));
	return id;
}

enum verb { INTEND, CONFIRM, REFUSE, RETRACT };

static int do_verb(enum verb verb, int64_t id)
{
	switch (verb) {
	case INTEND:
		return ledger_intend(led, id, run, &room_err);
	case CONFIRM:
		return ledger_confirm(led, id, 1, 7, run, &room_err);
	case REFUSE:
		return ledger_refuse(led, id, "no", run, &room_err);
	case RETRACT:
		return ledger_retract(led, id, &room_err);
	}
	return -1;
}

static void l2_l4_every_verb_in_every_state(void)
{
	static const struct {
		const char *what;
		enum ledger_state from;
		enum verb verb;
		bool allowed;
		const char *promise;
	} cases[] = {
		{ "planned is intended", LEDGER_PLANNED, INTEND, true, "" },
		{ "L2: planned is not confirmed", LEDGER_PLANNED, CONFIRM,
		  false, "L2" },
		{ "planned is refused", LEDGER_PLANNED, REFUSE, true, "" },
		{ "planned is not retracted", LEDGER_PLANNED, RETRACT, false,
		  "L4" },
		{ "L3: an intent is not intended again", LEDGER_INTENT, INTEND,
		  false, "L3" },
		{ "an intent is confirmed", LEDGER_INTENT, CONFIRM, true, "" },
		{ "an intent is refused", LEDGER_INTENT, REFUSE, true, "" },
		{ "an intent is retracted", LEDGER_INTENT, RETRACT, true, "" },
		{ "L4: done is not intended", LEDGER_DONE, INTEND, false,
		  "L4" },
		{ "L2: done is not confirmed twice", LEDGER_DONE, CONFIRM,
		  false, "L2" },
		{ "L4: done is not refused", LEDGER_DONE, REFUSE, false, "L4" },
		{ "L4: done is not retracted", LEDGER_DONE, RETRACT, false,
		  "L4" },
		{ "refused is tried again", LEDGER_REFUSED, INTEND, true, "" },
		{ "L2: refused is not confirmed", LEDGER_REFUSED, CONFIRM,
		  false, "L2" },
		{ "refused again, with another reason", LEDGER_REFUSED, REFUSE,
		  true, NULL },
		{ "refused is not retracted", LEDGER_REFUSED, RETRACT, false,
		  "L4" },
	};

	fresh();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int ret;

		err_clear(&room_err);
		ret = do_verb(cases[i].verb, message_in(cases[i].from));
		CHECK_CASE(cases[i].what, (ret == 0) == cases[i].allowed);
		CHECK_CASE(cases[i].what,
			   cases[i].allowed ||
				   (room_err.kind == ERR_OTHER &&
				    strstr(room_err.text, cases[i].promise)));
	}
	FAILS(ledger_intend(led, 999999, run, &room_err), ERR_OTHER, "L3");
	/* A promise kept is no damage: the rest may be committed. */
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
}

/* The second line: even SQL that forgets to ask is stopped. */
static void l4_triggers_hold(void)
{
	static const struct {
		const char *what, *sql, *says;
	} cases[] = {
		{ "L4: done is not made planned",
		  "UPDATE message SET state = 0 WHERE state = 2", "L4" },
		{ "L4: done is not deleted",
		  "DELETE FROM message WHERE state = 2", "L4" },
		{ "L2: planned is not made done",
		  "UPDATE message SET state = 2 WHERE state = 0", "L2" },
		{ "no state that is none",
		  "UPDATE message SET state = 4 WHERE state = 0", "CHECK" },
		{ "no copy of a folder that is not there",
		  "UPDATE copy SET folder = 12345", "FOREIGN KEY" },
	};
	sqlite3 *db = NULL;
	char *says;

	fresh();
	message_in(LEDGER_PLANNED);
	put(led, folder, "1", message_in(LEDGER_DONE), COPY_DUPLICATE, run);
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
	CHECK(sqlite3_open(in_room("l.db"), &db) == SQLITE_OK);
	sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		says = NULL;
		CHECK_CASE(cases[i].what,
			   sqlite3_exec(db, cases[i].sql, NULL, NULL, &says) !=
				   SQLITE_OK);
		CHECK_CASE(cases[i].what, says && strstr(says, cases[i].says));
		sqlite3_free(says);
	}
	sqlite3_close(db);
}

static void messages_are_found(void)
{
	struct digest same = digests(1, 1), traced = digests(99, 1),
		      other = digests(99, 99);
	struct ledger_message m;
	bool core_only;
	int64_t id;

	fresh();
	ledger_message_init(&m);
	id = plan(led, target_folder, 1, run);
	CHECK(ledger_find(led, target_folder, &same, &m, &core_only,
			  &room_err) == 1);
	CHECK(!core_only && m.id == id && m.state == LEDGER_PLANNED);
	CHECK(m.size == 1001 && m.run == run && m.uid == 0);
	CHECK(!memcmp(&m.digest, &same, sizeof(same)));
	CHECK_STR(m.message_id.data, "m1@example.org");
	CHECK_STR(m.why.data, "");
	CHECK(ledger_find(led, target_folder, &traced, &m, &core_only,
			  &room_err) == 1);
	CHECK(core_only && m.id == id);
	CHECK(ledger_find(led, target_folder, &other, &m, &core_only,
			  &room_err) == 0);
	CHECK(!core_only);
	CHECK(ledger_find(led, new_target_folder(led, "Other"), &same, &m,
			  &core_only, &room_err) == 0);
	/* The same message twice in a folder would be sent twice. */
	FAILS(ledger_plan(led, target_folder, &same,
			  &(struct ledger_about){ .size = 1 }, run, &id,
			  &room_err),
	      ERR_OTHER, "UNIQUE");
	ledger_message_free(&m);
	ledger_close(led);
}

static void core_match_prefers_the_server(void)
{
	static const enum ledger_state best[] = { LEDGER_REFUSED,
						  LEDGER_PLANNED, LEDGER_INTENT,
						  LEDGER_DONE };
	struct ledger_message m;
	bool core_only;

	fresh();
	ledger_message_init(&m);
	for (unsigned i = 0; i < 4; i++) {
		struct digest d = digests(50 + i, 5);
		struct ledger_about about = { .date = DATE_NONE };
		int64_t id = 0;

		OK(ledger_plan(led, target_folder, &d, &about, run, &id,
			       &room_err));
		if (best[i] != LEDGER_PLANNED)
			OK(ledger_intend(led, id, run, &room_err));
		if (best[i] == LEDGER_DONE)
			OK(ledger_confirm(led, id, 0, 0, run, &room_err));
		if (best[i] == LEDGER_REFUSED)
			OK(ledger_refuse(led, id, "no", run, &room_err));
		d = digests(60, 5);
		CHECK(ledger_find(led, target_folder, &d, &m, &core_only,
				  &room_err) == 1);
		CHECK(core_only && m.state == best[i] && m.id == id);
	}
	ledger_message_free(&m);
	ledger_close(led);
}

static void same_id_other_body_is_counted(void)
{
	struct digest d = digests(1, 1);
	uint64_t n = 99;

	fresh();
	for (unsigned i = 1; i <= 150; i++) {
		struct digest each = digests(i, i);
		int64_t id;

		OK(ledger_plan(led, target_folder, &each,
			       &(struct ledger_about){
				       .message_id = i == 1 || i > 3
							     ? "fixed@x"
							     : "two@x" },
			       run, &id, &room_err));
	}
	OK(ledger_count_same_id(led, target_folder, "two@x", &d, &n,
				&room_err));
	CHECK(n == 2);
	d = digests(2, 2);
	OK(ledger_count_same_id(led, target_folder, "two@x", &d, &n,
				&room_err));
	CHECK(n == 1);
	OK(ledger_count_same_id(led, target_folder, "none@x", &d, &n,
				&room_err));
	CHECK(n == 0);
	OK(ledger_count_same_id(led, target_folder, "", &d, &n, &room_err));
	CHECK(n == 0);
	OK(ledger_count_same_id(led, target_folder, "fixed@x", &d, &n,
				&room_err));
	CHECK(n == 100); /* counting stops there */
	ledger_close(led);
}

static void l3_intents_are_walked_and_settled(void)
{
	int64_t ids[3], other = 0, id;
	struct ledger_target_folder f;
	struct ledger_message m;
	unsigned n = 0;

	fresh();
	ledger_message_init(&m);
	for (unsigned i = 0; i < 3; i++) {
		ids[i] = message_in(LEDGER_INTENT);
		message_in(LEDGER_DONE);
	}
	other = new_target_folder(led, "Other");
	id = plan(led, other, 1, run);
	OK(ledger_intend(led, id, run, &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.open_intents == 3 && f.done == 3);
	for (id = 0;
	     ledger_next_intent(led, target_folder, id, &m, &room_err) > 0;
	     id = m.id) {
		CHECK(n < 3 && m.id == ids[n] && m.state == LEDGER_INTENT);
		n++;
	}
	CHECK(n == 3);
	OK(ledger_confirm(led, ids[0], 41, 7, run, &room_err));
	OK(ledger_retract(led, ids[1], &room_err));
	OK(ledger_refuse(led, ids[2], "no", run, &room_err));
	CHECK(ledger_next_intent(led, target_folder, 0, &m, &room_err) == 0);
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.open_intents == 0 && f.done == 4);
	for (n = 0, id = 0;
	     ledger_next_done(led, target_folder, id, &m, &room_err) > 0;
	     id = m.id) {
		CHECK(m.id > id && m.state == LEDGER_DONE);
		n++;
	}
	CHECK(n == 4);
	CHECK(ledger_owns_uid(led, target_folder, 7, 41, &room_err) == 1);
	CHECK(ledger_owns_uid(led, target_folder, 8, 41, &room_err) == 0);
	CHECK(ledger_owns_uid(led, target_folder, 7, 42, &room_err) == 0);
	CHECK(ledger_owns_uid(led, other, 7, 41, &room_err) == 0);
	ledger_message_free(&m);
	ledger_close(led);
}

static void l3_floor_stands_while_intents_are_open(void)
{
	struct ledger_target_folder f;
	int64_t id;

	fresh();
	CHECK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err) ==
	      0);
	CHECK(f.uidvalidity == 0 && f.floor == 0);
	OK(ledger_target_folder_opened(led, f.id, "Archive", 7, 100,
				       &room_err));
	OK(ledger_target_folder_opened(led, f.id, "Archive", 7, 120,
				       &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.uidvalidity == 7 && f.floor == 120);
	id = message_in(LEDGER_INTENT);
	OK(ledger_target_folder_opened(led, f.id, "Archive", 7, 150,
				       &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.floor == 120);
	/* Made anew: UIDs of before mean nothing, so look at all. */
	OK(ledger_target_folder_opened(led, f.id, "Archive", 8, 3, &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.uidvalidity == 8 && f.floor == 1);
	OK(ledger_confirm(led, id, 2, 8, run, &room_err));
	OK(ledger_target_folder_opened(led, f.id, "Archive", 8, 3, &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.floor == 3);
	/* A server that does not say takes nothing back. */
	OK(ledger_target_folder_opened(led, f.id, "Archive", 0, 0, &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.uidvalidity == 8 && f.floor == 0);
	OK(ledger_target_folder_opened(led, f.id, "Archive", UINT32_MAX,
				       UINT32_MAX, &room_err));
	OK(ledger_target_folder(led, "Archive", "Archive", &f, &room_err));
	CHECK(f.uidvalidity == UINT32_MAX && f.floor == UINT32_MAX);
	FAILS(ledger_target_folder_opened(led, 999, "x", 1, 1, &room_err),
	      ERR_OTHER, "unknown");
	ledger_close(led);
}

static void flags_are_united_before_sending(void)
{
	struct flags f = FLAGS_INIT, more = FLAGS_INIT;
	struct digest d = digests(1, 1);
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t id;

	fresh();
	f.system = FLAG_SEEN;
	CHECK(flags_add_keyword(&f, "work", 4) == 0);
	more.system = FLAG_FLAGGED;
	CHECK(flags_add_keyword(&more, "$label1", 7) == 0);
	OK(ledger_plan(led, target_folder, &d,
		       &(struct ledger_about){ .flags = &f }, run, &id,
		       &room_err));
	OK(ledger_unite_flags(led, id, &more, &room_err));
	OK(ledger_unite_flags(led, id, &more, &room_err));
	FAILS(ledger_unite_flags(led, message_in(LEDGER_DONE), &more,
				 &room_err),
	      ERR_OTHER, "L4");
	OK(ledger_commit(led, &room_err));
	CHECK(sqlite3_open(in_room("l.db"), &db) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(db, "SELECT flags FROM message WHERE id = ?",
				 -1, &st, NULL) == SQLITE_OK);
	sqlite3_bind_int64(st, 1, id);
	CHECK(sqlite3_step(st) == SQLITE_ROW);
	flags_unite(&f, &more);
	flags_reset(&more);
	flags_parse(&more, (const char *)sqlite3_column_text(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0));
	CHECK(flags_equal(&f, &more));
	sqlite3_finalize(st);
	sqlite3_close(db);
	flags_free(&f);
	flags_free(&more);
	ledger_close(led);
}

static void folders_remember_how_far(void)
{
	struct ledger_folder f;
	int64_t source, again;

	fresh();
	OK(ledger_source(led, "mbox", "/mail/\xff\xfe", &source, &room_err));
	OK(ledger_source(led, "mbox", "/mail/\xff\xfe", &again, &room_err));
	CHECK(source == again);
	OK(ledger_source(led, "maildir", "/mail/\xff\xfe", &again, &room_err));
	CHECK(source != again);
	OK(ledger_folder(led, source, "a\xff", "a?", "print 1", run, &f,
			 &room_err));
	CHECK(f.extent == EXTENT_NONE && !f.unchanged);
	again = f.id;
	OK(ledger_folder_done(led, f.id, "print 1", EXTENT_SCANNED, run,
			      &room_err));
	OK(ledger_folder(led, source, "a\xff", "a?", "print 1", run, &f,
			 &room_err));
	CHECK(f.id == again && f.extent == EXTENT_SCANNED && f.unchanged);
	OK(ledger_folder(led, source, "a\xff", "a?", "print 2", run, &f,
			 &room_err));
	CHECK(f.extent == EXTENT_SCANNED && !f.unchanged);
	OK(ledger_folder_done(led, f.id, "print 2", EXTENT_MIGRATED, run,
			      &room_err));
	OK(ledger_folder(led, source, "a\xff", "a?", "print 2", run, &f,
			 &room_err));
	CHECK(f.extent == EXTENT_MIGRATED && f.unchanged);
	FAILS(ledger_folder_done(led, 999, "", EXTENT_NONE, run, &room_err),
	      ERR_OTHER, "never was");
	ledger_close(led);
}

static void bookmarks_go_with_fingerprints(void)
{
	struct buf id = BUF_INIT, text = BUF_INIT;
	struct ledger_folder a, b;
	int64_t source;

	fresh();
	OK(ledger_source(led, "mbox", "/mail", &source, &room_err));
	OK(ledger_folder(led, source, "b", "b", "p", run, &b, &room_err));
	OK(ledger_folder(led, source, "a\xff", "a?", "p", run, &a, &room_err));
	CHECK(ledger_next_known_folder(led, source, "", &id, &text,
				       &room_err) == 0);
	OK(ledger_folder_mark(led, a.id, "4711:abc", &room_err));
	/* Without the fingerprint it goes with it says nothing. */
	CHECK(ledger_folder_marked(led, a.id, &text, &room_err) == 0);
	OK(ledger_folder_done(led, a.id, "p1", EXTENT_MIGRATED, run,
			      &room_err));
	OK(ledger_folder_done(led, b.id, "p2", EXTENT_NONE, run, &room_err));
	CHECK(ledger_folder_marked(led, a.id, &text, &room_err) == 1);
	CHECK_STR(text.data, "4711:abc");
	CHECK(ledger_folder_marked(led, b.id, &text, &room_err) == 0);
	OK(ledger_folder_mark(led, a.id, NULL, &room_err));
	CHECK(ledger_folder_marked(led, a.id, &text, &room_err) == 0);
	CHECK(ledger_next_known_folder(led, source, "", &id, &text,
				       &room_err) == 1);
	CHECK_STR(id.data, "a\xff");
	CHECK_STR(text.data, "p1");
	CHECK(ledger_next_known_folder(led, source, "a\xff", &id, &text,
				       &room_err) == 1);
	CHECK_STR(id.data, "b");
	CHECK(ledger_next_known_folder(led, source, "b", &id, &text,
				       &room_err) == 0);
	buf_free(&id);
	buf_free(&text);
	ledger_close(led);
}

static void check_copy(int64_t in, const char *locator,
		       enum ledger_copy_state state)
{
	struct ledger_copy c = { .id = 0 };

	CHECK_CASE(locator,
		   ledger_copy_find(led, in, locator, run, &c, &room_err) == 1);
	CHECK_CASE(locator, c.state == state && c.length == 20);
}

static void copies_are_resolved(void)
{
	int64_t id;

	fresh();
	id = message_in(LEDGER_INTENT);
	put(led, folder, "first", id, COPY_PENDING, run);
	put(led, folder, "second", id, COPY_PENDING, run);
	put(led, folder, "skipped", 0, COPY_SKIPPED, run);
	FAILS(ledger_copy_resolve(led, id, COPY_UPLOADED, NULL, &room_err),
	      ERR_OTHER, "L2");
	FAILS(ledger_copy_put(led, folder, run,
			      &(struct ledger_copy_about){
				      .locator = "x",
				      .message = id,
				      .state = COPY_ALREADY },
			      &room_err),
	      ERR_OTHER, "L2");
	OK(ledger_confirm(led, id, 5, 7, run, &room_err));
	OK(ledger_copy_resolve(led, id, COPY_UPLOADED, NULL, &room_err));
	check_copy(folder, "first", COPY_UPLOADED);
	check_copy(folder, "second", COPY_DUPLICATE);
	check_copy(folder, "skipped", COPY_SKIPPED);
	/* Nothing pending is left: nothing changes. */
	OK(ledger_copy_resolve(led, id, COPY_FAILED, "no", &room_err));
	check_copy(folder, "first", COPY_UPLOADED);

	id = message_in(LEDGER_REFUSED);
	put(led, folder, "third", id, COPY_PENDING, run);
	put(led, folder, "fourth", id, COPY_PENDING, run);
	OK(ledger_copy_resolve(led, id, COPY_FAILED, "too large", &room_err));
	check_copy(folder, "third", COPY_FAILED);
	check_copy(folder, "fourth", COPY_FAILED);

	id = message_in(LEDGER_DONE);
	put(led, folder, "fifth", id, COPY_PENDING, run);
	put(led, folder, "sixth", id, COPY_PENDING, run);
	OK(ledger_copy_resolve(led, id, COPY_ALREADY, NULL, &room_err));
	check_copy(folder, "fifth", COPY_ALREADY);
	check_copy(folder, "sixth", COPY_DUPLICATE);
	FAILS(ledger_copy_put(led, folder, run,
			      &(struct ledger_copy_about){ .locator = "x",
							   .message = 999 },
			      &room_err),
	      ERR_OTHER, "FOREIGN KEY");
	ledger_close(led);
}

static void copies_are_replaced_by_locator(void)
{
	struct ledger_copy before = { .id = 0 }, after = { .id = 0 };
	int64_t id;

	fresh();
	id = message_in(LEDGER_DONE);
	put(led, folder, "\x80 bytes", 0, COPY_FAILED, run);
	CHECK(ledger_copy_find(led, folder, "\x80 bytes", run, &before,
			       &room_err) == 1);
	put(led, folder, "\x80 bytes", id, COPY_ALREADY, run);
	CHECK(ledger_copy_find(led, folder, "\x80 bytes", run, &after,
			       &room_err) == 1);
	CHECK(before.id == after.id && before.message == 0);
	CHECK(after.message == id && after.state == COPY_ALREADY);
	CHECK(ledger_copy_find(led, folder, "other", run, &after, &room_err) ==
	      0);
	ledger_close(led);
}

static void copies_claim_their_message_once_a_run(void)
{
	int64_t id, next;

	fresh();
	id = message_in(LEDGER_DONE);
	put(led, folder, "one", id, COPY_UPLOADED, run);
	put(led, folder, "two", id, COPY_DUPLICATE, run);
	CHECK(ledger_copy_claimed(led, id, folder, "two", run, &room_err) == 1);
	/* Its own row does not count, nor does a duplicate. */
	CHECK(ledger_copy_claimed(led, id, folder, "one", run, &room_err) == 0);
	CHECK(ledger_copy_claimed(led, id, new_folder(led, "other", run), "one",
				  run, &room_err) == 1);
	/* In the next run the first has to be seen again first. */
	next = new_run(led);
	CHECK(ledger_copy_claimed(led, id, folder, "two", next, &room_err) ==
	      0);
	CHECK(ledger_copy_find(led, folder, "one", next,
			       &(struct ledger_copy){ .id = 0 },
			       &room_err) == 1);
	CHECK(ledger_copy_claimed(led, id, folder, "two", next, &room_err) ==
	      1);
	ledger_close(led);
}

static void l4_unseen_copies_go_their_messages_stay(void)
{
	struct ledger_message m;
	struct ledger_copy c;
	int64_t id, next, other;

	fresh();
	id = message_in(LEDGER_DONE);
	other = new_folder(led, "Mail/other", run);
	put(led, folder, "stays", id, COPY_DUPLICATE, run);
	put(led, folder, "goes", id, COPY_UPLOADED, run);
	put(led, other, "elsewhere", id, COPY_DUPLICATE, run);
	OK(ledger_folder_done(led, folder, "p", EXTENT_MIGRATED, run,
			      &room_err));
	next = new_run(led);
	CHECK(ledger_copy_find(led, folder, "stays", next, &c, &room_err) == 1);
	OK(ledger_folder_done(led, folder, "q", EXTENT_MIGRATED, next,
			      &room_err));
	CHECK(ledger_copy_find(led, folder, "stays", next, &c, &room_err) == 1);
	CHECK(ledger_copy_find(led, folder, "goes", next, &c, &room_err) == 0);
	CHECK(ledger_copy_find(led, other, "elsewhere", next, &c, &room_err) ==
	      1);
	ledger_message_init(&m);
	CHECK(ledger_next_done(led, target_folder, 0, &m, &room_err) == 1);
	CHECK(m.id == id);
	ledger_message_free(&m);
	ledger_close(led);
}

static void kept_copies_are_seen_and_whole_ones_found(void)
{
	struct ledger_copy c = { .id = 0 };
	int64_t oldest, newest, id, next;
	struct ledger_about about;
	struct ledger_message m;

	fresh();
	ledger_message_init(&m);
	id = plan_done(led, target_folder, 5, run);
	put(led, folder, "one", id, COPY_UPLOADED, run);
	OK(ledger_folder_dates(led, folder, &oldest, &newest, &room_err));
	CHECK(oldest == newest);
	OK(ledger_folder_dates(led, folder + 99, &oldest, &newest, &room_err));
	CHECK(oldest == DATE_NONE && newest == DATE_NONE);

	next = new_run(led);
	OK(ledger_folder_keep(led, folder, next, &room_err));
	OK(ledger_folder_done(led, folder, "q", EXTENT_MIGRATED, next,
			      &room_err));
	CHECK(ledger_copy_find(led, folder, "one", next, &c, &room_err) == 1);

	/* Its wire size is 1005. */
	about = (struct ledger_about){ .size = 1004,
				       .message_id = "m5@example.org",
				       .subject = "Letter 5",
				       .date = 1700000000 + 172800 };
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 1);
	CHECK(m.id == id && m.state == LEDGER_DONE);
	about.size = 1005;
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 0);
	about.size = 10;
	about.date++;
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 0);
	about.date = DATE_NONE;
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 1);
	about.subject = "Letter 6";
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 0);
	about.subject = "Letter 5";
	about.message_id = "m6@example.org";
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 0);
	about.message_id = "";
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 0);
	about.message_id = "m5@example.org";
	OK(ledger_copy_put(led, folder, next,
			   &(struct ledger_copy_about){ .locator = "one",
							.message = id,
							.state = COPY_UPLOADED,
							.notes = 1 },
			   &room_err));
	CHECK(ledger_find_whole(led, &about, 1, &m, &room_err) == 0);
	ledger_message_free(&m);
	ledger_close(led);
}

static void long_text_is_cut_or_kept(void)
{
	struct ledger_message m;
	struct digest d = digests(1, 1);
	size_t n = 1 << 20;
	char *huge = malloc(n + 1);
	bool core_only;
	int64_t id;

	if (!huge)
		return;
	memset(huge, 'x', n);
	huge[n] = '\0';
	fresh();
	ledger_message_init(&m);
	OK(ledger_plan(led, target_folder, &d,
		       &(struct ledger_about){ .message_id = huge,
					       .subject = huge },
		       run, &id, &room_err));
	CHECK(ledger_find(led, target_folder, &d, &m, &core_only, &room_err) ==
	      1);
	CHECK(m.message_id.len == n); /* settling compares it */
	ledger_message_free(&m);
	ledger_close(led);
	free(huge);
}

int main(void)
{
	room_make();
	l2_l4_every_verb_in_every_state();
	l4_triggers_hold();
	messages_are_found();
	core_match_prefers_the_server();
	same_id_other_body_is_counted();
	l3_intents_are_walked_and_settled();
	l3_floor_stands_while_intents_are_open();
	flags_are_united_before_sending();
	folders_remember_how_far();
	bookmarks_go_with_fingerprints();
	kept_copies_are_seen_and_whole_ones_found();
	copies_are_resolved();
	copies_are_replaced_by_locator();
	copies_claim_their_message_once_a_run();
	l4_unseen_copies_go_their_messages_stay();
	long_text_is_cut_or_kept();
	room_remove();
	return check_done();
}
