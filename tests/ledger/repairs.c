/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Migration 0002: messages that go out repaired, and the day's traffic; and ledgers from
   before it. */
#include "storage/ledger/check.h"
#include "storage/ledger/schema.h"
#include "tests/ledger/room.h"

#include <sqlite3.h>

static struct ledger *led;
static int64_t run, target_folder;

static void fresh(void)
{
	unlink(in_room("l.db"));
	led = open_or_exit(in_room("l.db"), LEDGER_WRITE, "a@b");
	run = new_run(led);
	target_folder = new_target_folder(led, "Archive");
}

static struct digest digest_of(unsigned char c)
{
	struct digest d;

	memset(d.full, c, sizeof(d.full));
	memset(d.core, c + 1, sizeof(d.core));
	return d;
}

static bool is_repaired(const struct ledger_message *m, unsigned repairs,
			const struct digest *sent, uint64_t size)
{
	return m->repairs == repairs && m->sent_size == size &&
	       !memcmp(m->sent.full, sent->full, DIGEST_SIZE) &&
	       !memcmp(m->sent.core, sent->core, DIGEST_SIZE);
}

static void round_trip(void)
{
	struct digest sent = digest_of('s');
	struct ledger_message m;
	int64_t id, other;

	fresh();
	ledger_message_init(&m);
	id = plan(led, target_folder, 1, run);
	other = plan(led, target_folder, 2, run);
	OK(ledger_intend(led, other, run, &room_err));
	OK(ledger_repaired(led, id, 5, &sent, 77, &room_err));
	OK(ledger_intend(led, id, run, &room_err));
	OK(ledger_commit(led, &room_err));
	CHECK(ledger_next_intent(led, target_folder, 0, &m, &room_err) == 1);
	CHECK(m.id == id && is_repaired(&m, 5, &sent, 77));
	CHECK(ledger_next_intent(led, target_folder, id, &m, &room_err) == 1);
	CHECK_CASE("another message is not repaired",
		   m.id == other && m.repairs == 0);
	OK(ledger_confirm(led, id, 3, 9, run, &room_err));
	CHECK(ledger_next_done(led, target_folder, 0, &m, &room_err) == 1);
	CHECK(m.id == id && is_repaired(&m, 5, &sent, 77));
	ledger_message_free(&m);
	ledger_close(led);
}

static void l4_done_keeps_its_repairs(void)
{
	struct digest sent = digest_of('s');
	int64_t id;

	fresh();
	id = plan(led, target_folder, 1, run);
	OK(ledger_repaired(led, id, 1, &sent, 5, &room_err));
	OK(ledger_unrepaired(led, id, &room_err));
	OK(ledger_repaired(led, id, 2, &sent, 6, &room_err));
	OK(ledger_intend(led, id, run, &room_err));
	FAILS(ledger_repaired(led, id, 4, &sent, 7, &room_err), ERR_OTHER, "L4");
	FAILS(ledger_unrepaired(led, id, &room_err), ERR_OTHER, "L4");
	OK(ledger_confirm(led, id, 3, 9, run, &room_err));
	FAILS(ledger_repaired(led, id, 4, &sent, 7, &room_err), ERR_OTHER, "L4");
	FAILS(ledger_unrepaired(led, id, &room_err), ERR_OTHER, "L4");
	FAILS(ledger_repaired(led, id, 0, &sent, 7, &room_err), ERR_OTHER,
	      "none");
	ledger_close(led);
}

/* The second line: even SQL that forgets to ask is stopped. */
static void l4_triggers_hold(void)
{
	static const struct {
		const char *what, *sql;
	} cases[] = {
		{ "its set", "UPDATE message SET repairs = 0" },
		{ "what was sent", "UPDATE sent_instead SET size = 1" },
		{ "that it was", "DELETE FROM sent_instead" },
		{ "by another row",
		  "INSERT OR REPLACE INTO sent_instead "
		  "SELECT id, 1, full_digest, core_digest FROM message" },
	};
	struct digest sent = digest_of('s');
	sqlite3 *db = NULL;
	int64_t id;
	char *says;

	fresh();
	id = plan(led, target_folder, 1, run);
	OK(ledger_repaired(led, id, 1, &sent, 5, &room_err));
	OK(ledger_intend(led, id, run, &room_err));
	OK(ledger_confirm(led, id, 3, 9, run, &room_err));
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
	CHECK(sqlite3_open(in_room("l.db"), &db) == SQLITE_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		says = NULL;
		CHECK_CASE(cases[i].what,
			   sqlite3_exec(db, cases[i].sql, NULL, NULL, &says) !=
				   SQLITE_OK);
		CHECK_CASE(cases[i].what, says && strstr(says, "L4"));
		sqlite3_free(says);
	}
	sqlite3_close(db);
}

/* On a server that tells no UIDs they are found as what they went out as. */
static void repaired_are_paired(void)
{
	struct digest sent = digest_of('s');
	enum ledger_sight sight;
	struct ledger_message m;
	int64_t same_id, no_id;
	uint64_t paired;

	fresh();
	ledger_message_init(&m);
	same_id = plan(led, target_folder, 1, run);
	no_id = plan(led, target_folder, 2, run);
	OK(ledger_repaired(led, same_id, 1, &sent, 77, &room_err));
	OK(ledger_repaired(led, no_id, 8, &sent, 88, &room_err));
	OK(ledger_intend(led, same_id, run, &room_err));
	OK(ledger_intend(led, no_id, run, &room_err));
	OK(ledger_confirm(led, same_id, 0, 0, run, &room_err));
	OK(ledger_confirm(led, no_id, 0, 0, run, &room_err));
	OK(ledger_check_begin(led, target_folder, &room_err));
	OK(ledger_check_saw(led, 7, 1, 1001, "m1@example.org", &sight,
			    &room_err));
	OK(ledger_check_saw(led, 7, 2, 77, "m1@example.org", &sight,
			    &room_err));
	OK(ledger_check_saw(led, 7, 3, 1002, "", &sight, &room_err));
	OK(ledger_check_saw(led, 7, 4, 88, "", &sight, &room_err));
	OK(ledger_check_pair(led, &paired, &room_err));
	CHECK(paired == 2);
	CHECK(ledger_check_next_found(led, 0, &m, &room_err) == 1);
	CHECK_CASE("the size that was sent, not its own",
		   m.id == same_id && m.uid == 2);
	CHECK(ledger_check_next_found(led, 2, &m, &room_err) == 1);
	CHECK_CASE("the Message-ID went into the body",
		   m.id == no_id && m.uid == 4 && is_repaired(&m, 8, &sent, 88));
	ledger_message_free(&m);
	ledger_close(led);
}

struct buckets {
	unsigned n;
	uint64_t bytes;
};

static void count_buckets(void *ctx, int64_t began, uint64_t bytes)
{
	struct buckets *b = ctx;

	(void)began;
	b->n++;
	b->bytes += bytes;
}

static void traffic(void)
{
	const int64_t hour = 3600, now = 500000 * hour;
	struct buckets day = { 0 }, all = { 0 };

	fresh();
	OK(ledger_traffic_add(led, now - 60 * hour, 1000, &room_err));
	OK(ledger_traffic_add(led, now - 20 * hour, 100, &room_err));
	OK(ledger_traffic_add(led, now + 10, 10, &room_err));
	OK(ledger_traffic_add(led, now + 20, 1, &room_err));
	OK(ledger_commit(led, &room_err));
	OK(ledger_traffic_each(led, now - 24 * hour, count_buckets, &day,
			       &room_err));
	CHECK_CASE("the last day", day.bytes == 111);
	OK(ledger_traffic_each(led, 0, count_buckets, &all, &room_err));
	CHECK_CASE("an hour is a bucket, more than two days are forgotten",
		   all.n == 2);
	OK(ledger_traffic_take_back(led, now + 30, 4, &room_err));
	OK(ledger_traffic_take_back(led, now - 20 * hour, 1000, &room_err));
	all = (struct buckets){ 0 };
	OK(ledger_traffic_each(led, 0, count_buckets, &all, &room_err));
	CHECK_CASE("what was not sent is taken back, never below nothing",
		   all.bytes == 7);
	ledger_close(led);
}

/* A file as the first version made it. */
static void make_first_version(const char *path)
{
	sqlite3 *db = NULL;

	unlink(path);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(ledger_migrations[0].number == 1);
	CHECK(sqlite3_exec(db, ledger_migrations[0].sql, NULL, NULL, NULL) ==
	      SQLITE_OK);
	CHECK(sqlite3_exec(
		      db,
		      "PRAGMA user_version = 1;"
		      "INSERT INTO meta VALUES (1, 'a@b', 1, 0);"
		      "INSERT INTO target_folder (key, shown) VALUES (x'78', 'x');"
		      "INSERT INTO message (target_folder, size, run, "
		      "	full_digest, core_digest) "
		      "VALUES (1, 10, 1, zeroblob(32), zeroblob(32));",
		      NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

static void first_version_is_brought_up(void)
{
	const char *path = in_room("first.db");
	struct digest zero = { .full = { 0 } }, sent = digest_of('s');
	struct ledger_message m;
	bool core_only;

	make_first_version(path);
	ledger_message_init(&m);
	led = open_or_exit(path, LEDGER_READ, "a@b");
	CHECK_CASE("readers see it without changing it",
		   ledger_find(led, 1, &zero, &m, &core_only, &room_err) == 1 &&
			   m.repairs == 0);
	ledger_close(led);
	led = open_or_exit(path, LEDGER_WRITE, "a@b");
	CHECK(ledger_find(led, 1, &zero, &m, &core_only, &room_err) == 1);
	CHECK(m.repairs == 0 && m.size == 10);
	OK(ledger_repaired(led, m.id, 1, &sent, 5, &room_err));
	OK(ledger_commit(led, &room_err));
	CHECK(ledger_find(led, 1, &zero, &m, &core_only, &room_err) == 1);
	CHECK(is_repaired(&m, 1, &sent, 5));
	ledger_close(led);
	ledger_message_free(&m);
}

int main(void)
{
	room_make();
	round_trip();
	l4_done_keeps_its_repairs();
	l4_triggers_hold();
	repaired_are_paired();
	traffic();
	first_version_is_brought_up();
	room_remove();
	return check_done();
}
