/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ledger comes from outside like everything else. Whatever byte of it is
   flipped and wherever it is cut, it is read to a clean end or refused with one
   line. */
#include "tests/ledger/room.h"

#include "storage/ledger/query.h"

static void fill(const char *path)
{
	struct ledger *led = open_or_exit(path, LEDGER_WRITE, "a@b");
	int64_t run = new_run(led), folder = new_folder(led, "Mail/old", run),
		target_folder = new_target_folder(led, "Old"), id;
	char locator[16];

	for (unsigned i = 1; i <= 60; i++) {
		snprintf(locator, sizeof(locator), "%u", i);
		id = plan_done(led, target_folder, i, run);
		put(led, folder, locator, id, COPY_UPLOADED, run);
	}
	OK(ledger_intend(led, plan(led, target_folder, 61, run), run,
			 &room_err));
	put(led, folder, "62", 0, COPY_SKIPPED, run);
	OK(ledger_folder_done(led, folder, "print", EXTENT_MIGRATED, run,
			      &room_err));
	OK(ledger_end_run(led, run, 1, 0, &room_err));
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
}

static int walk_messages(struct ledger *led, int64_t folder)
{
	struct ledger_message m;
	int64_t id;
	int got;

	ledger_message_init(&m);
	for (id = 0;
	     (got = ledger_next_done(led, folder, id, &m, &room_err)) > 0;
	     id = m.id)
		if (m.state > LEDGER_REFUSED || m.id <= id)
			abort();
	if (got == 0)
		got = ledger_next_intent(led, folder, 0, &m, &room_err);
	for (unsigned i = 1; got >= 0 && i <= 61; i += 20) {
		struct digest d = digests(i, i);
		bool core_only;

		got = ledger_find(led, folder, &d, &m, &core_only, &room_err);
	}
	ledger_message_free(&m);
	return got;
}

static int walk_copies(struct ledger *led)
{
	struct ledger_cursor *c;
	struct ledger_row row;
	size_t text = 0;
	int got;

	if (ledger_list_copies(led, 0x3f, 0, &c, &room_err) < 0)
		return -1;
	while ((got = ledger_cursor_next(c, &row, &room_err)) > 0)
		text += strlen(row.source) + strlen(row.folder) +
			strlen(row.locator) + strlen(row.subject) +
			strlen(row.why) + strlen(row.target_folder);
	ledger_cursor_free(c);
	return text > (1 << 24) ? -1 : got;
}

/* Ask everything. -1 with room_err when it said that it cannot. */
static int read_all(struct ledger *led)
{
	struct ledger_target_row row;
	struct ledger_totals totals;
	struct ledger_run last;
	int64_t id = 0;
	int got;

	ledger_target_row_init(&row);
	while ((got = ledger_next_target_folder(led, id, &row, &room_err)) >
	       0) {
		id = row.id;
		if (walk_messages(led, row.id) < 0) {
			got = -1;
			break;
		}
	}
	ledger_target_row_free(&row);
	if (got < 0 || ledger_totals(led, 0, &totals, &room_err) < 0 ||
	    walk_copies(led) < 0)
		return -1;
	return ledger_last_run(led, &last, &room_err);
}

static int write_some(struct ledger *led)
{
	struct ledger_target_folder tf;
	struct ledger_folder f;
	struct digest d = digests(1000, 1000);
	int64_t run, source, id;

	if (ledger_begin_run(led, "migrate", 1, &run, &room_err) < 0 ||
	    ledger_source(led, "mbox", "/home/x/Mail", &source, &room_err) <
		    0 ||
	    ledger_folder(led, source, "Mail/old", "x", "p", run, &f,
			  &room_err) < 0 ||
	    ledger_target_folder(led, "Old", "Old", &tf, &room_err) < 0 ||
	    ledger_plan(led, tf.id, &d, &(struct ledger_about){ .size = 1 },
			run, &id, &room_err) < 0 ||
	    ledger_intend(led, id, run, &room_err) < 0 ||
	    ledger_folder_done(led, f.id, "q", EXTENT_SCANNED, run, &room_err) <
		    0)
		return -1;
	return ledger_commit(led, &room_err);
}

static void check_error(const char *what, size_t at)
{
	bool says = room_err.text[0] && !strchr(room_err.text, '\n') &&
		    room_err.scope == ERR_RUN;

	CHECK_CASE(what, says);
	if (!says)
		printf("  at %zu: kind %d \"%s\"\n", at, (int)room_err.kind,
		       room_err.text);
}

static unsigned clean, refused;

static void look(const char *path, enum ledger_mode mode, const char *what,
		 size_t at)
{
	struct ledger *led = NULL;
	int ret;

	err_clear(&room_err);
	ret = ledger_open(path, mode, "a@b", &led, &room_err);
	if (ret == 0)
		ret = read_all(led);
	if (ret >= 0 && mode != LEDGER_READ)
		ret = write_some(led);
	if (ret < 0) {
		refused++;
		check_error(what, at);
	} else {
		clean++;
	}
	ledger_close(led);
}

static void try_bytes(const char *bytes, size_t n, const char *what, size_t at)
{
	const char *path = in_room("bad.db");
	static unsigned turn;

	unlink(in_room("bad.db-wal"));
	unlink(in_room("bad.db-shm"));
	write_file(path, bytes, n);
	turn++;
	look(path, turn % 2 ? LEDGER_READ : LEDGER_SCRATCH, what, at);
	if (turn % 10 == 0) /* the slow one: it waits for the disk */
		look(path, LEDGER_WRITE, what, at);
}

/* The same positions every time, but not at a regular distance. */
static uint32_t noise(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

int main(void)
{
	uint32_t seed = 2024;
	char *bytes;
	size_t n;

	room_make();
	fill(in_room("good.db"));
	bytes = file_bytes(in_room("good.db"), &n);
	CHECK(n > 40000);
	/* The header and the schema's page, then anywhere. */
	for (size_t i = 0; i < 400; i++) {
		size_t at = i < 100   ? i
			    : i < 250 ? noise(&seed) % 4096
				      : noise(&seed) % n;
		char was = bytes[at];

		bytes[at] = (char)(was ^ (1 << noise(&seed) % 8));
		if (i % 3 == 0)
			bytes[at] = (char)noise(&seed);
		try_bytes(bytes, n, "a byte is flipped", at);
		bytes[at] = was;
	}
	for (size_t i = 0; i < 60; i++)
		try_bytes(bytes, noise(&seed) % n, "it is cut", i);
	for (size_t i = 0; i + 4096 <= n; i += 4096) {
		char page[4096];

		memcpy(page, bytes + i, 4096);
		memset(bytes + i, 0, 4096);
		try_bytes(bytes, n, "a page is empty", i);
		memcpy(bytes + i, page, 4096);
	}
	printf("%u read to the end, %u refused\n", clean, refused);
	CHECK(clean > 100 && refused > 100);
	free(bytes);
	room_remove();
	return check_done();
}
