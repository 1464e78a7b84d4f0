/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Totals that add up (M2), lists, and what status shows. */
#include "tests/ledger/room.h"

#include "storage/ledger/query.h"

static struct ledger *led;

static void check_totals(const char *what, int64_t run,
			 const struct ledger_totals *want)
{
	struct ledger_totals t;

	OK(ledger_totals(led, run, &t, &room_err));
	CHECK_CASE(what, t.found == t.uploaded + t.already + t.duplicate +
					    t.skipped + t.failed + t.pending);
	CHECK_CASE(what, t.found == want->found);
	CHECK_CASE(what, t.uploaded == want->uploaded);
	CHECK_CASE(what, t.already == want->already);
	CHECK_CASE(what, t.duplicate == want->duplicate);
	CHECK_CASE(what, t.skipped == want->skipped);
	CHECK_CASE(what, t.failed == want->failed);
	CHECK_CASE(what, t.pending == want->pending);
	CHECK_CASE(what, t.bytes == 30 * want->found);
	CHECK_CASE(what, t.folders == want->folders);
}

/* One folder with a copy in every state, another with one that was uploaded. */
static int64_t old, other, target_folder;

static void first_run(int64_t run)
{
	int64_t id, refused;

	target_folder = new_target_folder(led, "Archive");
	old = new_folder(led, "Mail/old", run);
	other = new_folder(led, "Mail/other", run);
	id = plan(led, target_folder, 1, run);
	put(led, old, "a", id, COPY_PENDING, run);
	put(led, old, "b", id, COPY_PENDING, run);
	OK(ledger_intend(led, id, run, &room_err));
	OK(ledger_confirm(led, id, 1, 7, run, &room_err));
	OK(ledger_copy_resolve(led, id, COPY_UPLOADED, NULL, &room_err));
	put(led, old, "c", plan_done(led, target_folder, 2, run), COPY_ALREADY,
	    run);
	put(led, old, "d", 0, COPY_SKIPPED, run);
	refused = plan(led, target_folder, 3, run);
	OK(ledger_refuse(led, refused, "too large", run, &room_err));
	put(led, old, "e", refused, COPY_FAILED, run);
	put(led, old, "f", plan(led, target_folder, 4, run), COPY_PENDING, run);
	put(led, other, "a", plan_done(led, target_folder, 5, run),
	    COPY_UPLOADED, run);
}

static void totals_add_up(void)
{
	struct ledger_totals t;
	int64_t run = new_run(led), next;

	check_totals("nothing yet", run, &(struct ledger_totals){ .found = 0 });
	first_run(run);
	check_totals("the run that sent them", run,
		     &(struct ledger_totals){ .found = 7,
					      .uploaded = 2,
					      .already = 1,
					      .duplicate = 1,
					      .skipped = 1,
					      .failed = 1,
					      .pending = 1,
					      .folders = 2 });
	OK(ledger_folder_totals(led, other, run, &t, &room_err));
	CHECK(t.found == 1 && t.uploaded == 1 && t.folders == 1);

	/* The next run sees one folder, and sends one more of it. */
	next = new_run(led);
	check_totals("a run that saw no folder", next,
		     &(struct ledger_totals){ .found = 0 });
	new_folder(led, "Mail/other", next);
	put(led, other, "b", plan_done(led, target_folder, 6, next),
	    COPY_UPLOADED, next);
	check_totals("what was uploaded before is there already", next,
		     &(struct ledger_totals){ .found = 2,
					      .uploaded = 1,
					      .already = 1,
					      .folders = 1 });
	check_totals("everything ever", 0,
		     &(struct ledger_totals){ .found = 8,
					      .uploaded = 3,
					      .already = 1,
					      .duplicate = 1,
					      .skipped = 1,
					      .failed = 1,
					      .pending = 1,
					      .folders = 2 });
	/* A copy put again as it was (the folder was read again) stays old. */
	put(led, other, "b", plan_done(led, target_folder, 7, run),
	    COPY_UPLOADED, next);
	check_totals("its message was sent in another run", next,
		     &(struct ledger_totals){
			     .found = 2, .already = 2, .folders = 1 });
}

static void lists_come_in_order(void)
{
	struct ledger_cursor *c = NULL;
	struct ledger_row row;

	OK(ledger_list_copies(led, 1 << COPY_FAILED | 1 << COPY_SKIPPED, 1, &c,
			      &room_err));
	CHECK(ledger_cursor_next(c, &row, &room_err) == 0);
	CHECK(ledger_cursor_next(c, &row, &room_err) == 0);
	ledger_cursor_free(c);
	OK(ledger_list_copies(led, 1 << COPY_FAILED | 1 << COPY_SKIPPED, 0, &c,
			      &room_err));
	CHECK(ledger_cursor_next(c, &row, &room_err) == 1);
	CHECK(row.state == COPY_SKIPPED);
	CHECK_STR(row.source, "/home/x/Mail");
	CHECK_STR(row.folder, "Mail/old");
	CHECK_STR(row.locator, "d");
	CHECK_STR(row.subject, "From the copy");
	CHECK_STR(row.why, "");
	CHECK_STR(row.target_folder, "");
	CHECK(row.offset == 10 && row.size == 30 && row.date == DATE_NONE);
	CHECK(ledger_cursor_next(c, &row, &room_err) == 1);
	CHECK(row.state == COPY_FAILED);
	CHECK_STR(row.locator, "e");
	CHECK_STR(row.why, "too large"); /* what its message knows */
	CHECK_STR(row.target_folder, "Archive");
	CHECK(ledger_cursor_next(c, &row, &room_err) == 0);
	ledger_cursor_free(c);
}

/* A report is written while the ledger is, and a second one beside it. */
static void lists_go_on_over_commits(void)
{
	struct ledger_cursor *c = NULL, *second = NULL;
	struct ledger_row row;
	unsigned n = 0;

	OK(ledger_list_copies(led, 0x3f, 0, &c, &room_err));
	OK(ledger_list_copies(led, 0x3f, 0, &second, &room_err));
	while (ledger_cursor_next(c, &row, &room_err) > 0) {
		if (n++ == 2)
			OK(ledger_commit(led, &room_err));
		CHECK(ledger_cursor_next(second, &row, &room_err) == 1);
	}
	CHECK(n == 8);
	ledger_cursor_free(c);
	ledger_cursor_free(second);
}

/* What its message says as well is kept once, but a copy may say it otherwise.
 */
static void copies_say_what_differs(void)
{
	struct digest same = digests(50, 50), other_trace = digests(51, 50);
	struct ledger_copy_about about = {
		.locator = "x", .digest = &same, .subject = "Hello", .date = 5
	};
	int64_t run = new_run(led), folder, id = 0;
	struct ledger_cursor *c = NULL;
	struct ledger_row row;

	folder = new_folder(led, "Mail/same", run);
	OK(ledger_plan(led, target_folder, &same,
		       &(struct ledger_about){ .subject = "Hello" }, run, &id,
		       &room_err));
	about.message = id;
	OK(ledger_copy_put(led, folder, run, &about, &room_err));
	about.locator = "y";
	about.digest = &other_trace;
	about.subject = "Hello there";
	about.why = "the same but for its trace";
	about.notes = 5;
	OK(ledger_copy_put(led, folder, run, &about, &room_err));
	OK(ledger_list_copies(led, 0x3f, run, &c, &room_err));
	CHECK(ledger_cursor_next(c, &row, &room_err) == 1);
	CHECK_STR(row.subject, "Hello");
	CHECK(row.date == 5 && row.notes == 0);
	CHECK(ledger_cursor_next(c, &row, &room_err) == 1);
	CHECK_STR(row.subject, "Hello there");
	CHECK_STR(row.why, "the same but for its trace");
	CHECK(row.notes == 5);
	CHECK(ledger_cursor_next(c, &row, &room_err) == 0);
	ledger_cursor_free(c);
}

static void target_folders_are_counted(void)
{
	struct ledger_target_row r;
	int64_t id;

	ledger_target_row_init(&r);
	id = new_target_folder(led, "Empty\x1fone");
	OK(ledger_intend(led, plan(led, target_folder, 60, 1), 1, &room_err));
	OK(ledger_target_folder_opened(led, target_folder, "Arch&AOk-", 7, 9,
				       &room_err));
	CHECK(ledger_next_target_folder(led, 0, &r, &room_err) == 1);
	CHECK(r.id == target_folder && r.uidvalidity == 7);
	CHECK_STR(r.key.data, "Archive");
	CHECK_STR(r.shown.data, "Archive");
	CHECK_STR(r.wire.data, "Arch&AOk-");
	CHECK(r.done == 5 && r.open_intents == 1 && r.refused == 1);
	CHECK(r.bytes == 5 * 1000 + 1 + 2 + 5 + 6 + 7);
	CHECK(ledger_next_target_folder(led, r.id, &r, &room_err) == 1);
	CHECK(r.id == id && r.done == 0 && r.bytes == 0);
	CHECK_STR(r.key.data, "Empty\x1fone");
	CHECK(ledger_next_target_folder(led, r.id, &r, &room_err) == 0);
	ledger_target_row_free(&r);
}

static void the_newest_run_is_told(void)
{
	struct ledger_run r;
	int64_t run;

	CHECK(ledger_last_run(led, &r, &room_err) == 0);
	OK(ledger_begin_run(led, "a command with a long name", 100, &run,
			    &room_err));
	CHECK(ledger_last_run(led, &r, &room_err) == 1);
	CHECK(r.id == run && r.began == 100 && r.ended == 0);
	CHECK(r.exit_status == -1);
	CHECK_STR(r.command, "a command with ");
	OK(ledger_end_run(led, run, 200, 75, &room_err));
	CHECK(ledger_last_run(led, &r, &room_err) == 1);
	CHECK(r.ended == 200 && r.exit_status == 75);
	FAILS(ledger_end_run(led, 999, 1, 0, &room_err), ERR_OTHER,
	      "never began");
}

int main(void)
{
	room_make();
	led = open_or_exit(in_room("q.db"), LEDGER_WRITE, "a@b");
	the_newest_run_is_told();
	totals_add_up();
	lists_come_in_order();
	lists_go_on_over_commits();
	copies_say_what_differs();
	target_folders_are_counted();
	ledger_close(led);
	room_remove();
	return check_done();
}
