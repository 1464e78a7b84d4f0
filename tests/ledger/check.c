/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger against a server's listing, and mail on the server that is not ours. */
#include "storage/ledger/check.h"

#include "tests/ledger/room.h"

static struct ledger *led;
static int64_t target_folder, run;

static int64_t done_as(unsigned n, const char *message_id, uint32_t uid)
{
	struct digest d = { .full = { (uint8_t)n }, .core = { (uint8_t)n } };
	struct ledger_about about = { .size = 100 + n,
				      .message_id = message_id,
				      .subject = "a subject",
				      .date = DATE_NONE };
	int64_t id = 0;

	OK(ledger_plan(led, target_folder, &d, &about, run, &id, &room_err));
	OK(ledger_intend(led, id, run, &room_err));
	OK(ledger_confirm(led, id, uid, uid ? 7 : 0, run, &room_err));
	return id;
}

static enum ledger_sight saw(uint32_t uid, uint64_t size, const char *id)
{
	enum ledger_sight sight = SIGHT_UNKNOWN;

	OK(ledger_check_saw(led, 7, uid, size, id, &sight, &room_err));
	return sight;
}

/* UIDs 1 to 3 are ours; 4 was told no UID; 5 has no Message-ID. */
static void test_sights(void)
{
	struct buf subject = BUF_INIT;
	struct ledger_message m;
	int64_t missing;
	uint64_t paired;

	ledger_message_init(&m);
	done_as(1, "one@x", 1);
	missing = done_as(2, "two@x", 2);
	done_as(3, "three@x", 3);
	done_as(4, "four@x", 0);
	done_as(5, NULL, 0);
	OK(ledger_check_begin(led, target_folder, &room_err));
	CHECK(saw(1, 101, "one@x") == SIGHT_OURS);
	CHECK(saw(3, 999, "another@x") == SIGHT_CHANGED);
	CHECK(saw(8, 105, "") == SIGHT_UNKNOWN);
	CHECK(saw(9, 104, "four@x") == SIGHT_UNKNOWN);
	CHECK(saw(10, 104, "stranger@x") == SIGHT_UNKNOWN);
	OK(ledger_check_pair(led, &paired, &room_err));
	CHECK(paired == 2);
	CHECK(ledger_check_next_missing(led, 0, &m, &subject, &room_err) == 1);
	CHECK(m.id == missing && m.uid == 2);
	CHECK_STR(subject.data, "a subject");
	CHECK(ledger_check_next_missing(led, m.id, &m, &subject, &room_err) ==
	      0);
	/* What was found, by the UID it has on the server. */
	CHECK(ledger_check_next_found(led, 0, &m, &room_err) == 1 && m.uid == 1);
	CHECK(ledger_check_next_found(led, 1, &m, &room_err) == 1 && m.uid == 8);
	CHECK(ledger_check_next_found(led, 8, &m, &room_err) == 1 && m.uid == 9);
	CHECK(ledger_check_next_found(led, 9, &m, &room_err) == 0);
	/* Other UIDs are other messages, whatever they are called. */
	OK(ledger_check_begin(led, target_folder, &room_err));
	enum ledger_sight sight;
	OK(ledger_check_saw(led, 8, 1, 101, "one@x", &sight, &room_err));
	CHECK(sight == SIGHT_UNKNOWN);
	ledger_message_free(&m);
	buf_free(&subject);
}

static uint32_t next_foreign(uint64_t size, const char *id, uint32_t after)
{
	uint32_t uid = 0;

	return ledger_foreign_next(led, target_folder, size, id, after, &uid,
				   &room_err) > 0 ?
		       uid :
		       0;
}

static void test_foreign(void)
{
	CHECK(ledger_has_foreign(led, target_folder, &room_err) == 0);
	OK(ledger_foreign_add(led, target_folder, 20, 500, "a@x", &room_err));
	OK(ledger_foreign_add(led, target_folder, 21, 600, "a@x", &room_err));
	OK(ledger_foreign_add(led, target_folder, 22, 700, "", &room_err));
	/* The same listing again changes nothing. */
	OK(ledger_foreign_add(led, target_folder, 20, 500, "a@x", &room_err));
	CHECK(ledger_has_foreign(led, target_folder, &room_err) == 1);
	CHECK(next_foreign(1, "a@x", 0) == 20);
	CHECK(next_foreign(1, "a@x", 20) == 21);
	CHECK(next_foreign(1, "a@x", 21) == 0);
	CHECK(next_foreign(500, "b@x", 0) == 0);
	/* Without a Message-ID the size says where to look. */
	CHECK(next_foreign(700, NULL, 0) == 22);
	CHECK(next_foreign(701, "", 0) == 0);
	OK(ledger_foreign_take(led, target_folder, 20, &room_err));
	CHECK(next_foreign(1, "a@x", 0) == 21);
	OK(ledger_foreign_forget(led, target_folder, &room_err));
	CHECK(ledger_has_foreign(led, target_folder, &room_err) == 0);
}

int main(void)
{
	room_make();
	OK(ledger_open(in_room("l.db"), LEDGER_WRITE, "a@b", &led, &room_err));
	run = new_run(led);
	target_folder = new_target_folder(led, "Archive");
	test_sights();
	test_foreign();
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
	room_remove();
	return check_done();
}
