/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger as a file: modes, folders, the lock, migrations, whose it is, and
   reading without leaving a trace. */
#include "tests/ledger/room.h"

#include "storage/ledger/schema.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

static struct ledger *led;

static unsigned mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK_CASE(text, sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK);
	if (why)
		printf("  %s\n", why);
	sqlite3_free(why);
	sqlite3_close(db);
}

static int64_t sql_number(const char *path, const char *text)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t n = -1;

	sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
	sqlite3_prepare_v2(db, text, -1, &st, NULL);
	if (st && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static unsigned newest(void)
{
	unsigned n = 0;

	for (const struct ledger_migration *m = ledger_migrations; m->number;
	     m++)
		n = m->number;
	return n;
}

static void made_private_whatever_the_umask(void)
{
	static const mode_t masks[] = { 0, 077, 0777 };
	char path[64];

	for (unsigned i = 0; i < 3; i++) {
		mode_t before = umask(masks[i]);

		snprintf(path, sizeof(path), "deep%u/er/l.db", i);
		led = open_or_exit(in_room(path), LEDGER_WRITE, "a@b");
		new_run(led);
		OK(ledger_commit(led, &room_err));
		umask(before);
		CHECK(mode_of(in_room(path)) == 0600);
		snprintf(path, sizeof(path), "deep%u/er/l.db-wal", i);
		CHECK(mode_of(in_room(path)) == 0600);
		snprintf(path, sizeof(path), "deep%u/er/l.db-shm", i);
		CHECK(mode_of(in_room(path)) == 0600);
		snprintf(path, sizeof(path), "deep%u/er/l.db.lock", i);
		CHECK(mode_of(in_room(path)) == 0600);
		snprintf(path, sizeof(path), "deep%u/er", i);
		CHECK(mode_of(in_room(path)) == 0700);
		snprintf(path, sizeof(path), "deep%u", i);
		CHECK(mode_of(in_room(path)) == 0700);
		ledger_close(led);
		snprintf(path, sizeof(path), "deep%u/er/l.db-wal", i);
		CHECK(!is_there(in_room(path)));
	}
}

static void one_process_at_a_time(void)
{
	char who[64];
	int go[2], status;
	pid_t child;
	char c;

	if (pipe(go) < 0)
		exit(1);
	child = fork();
	if (child == 0) {
		led = open_or_exit(in_room("lock.db"), LEDGER_WRITE, "a@b");
		if (write(go[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK(read(go[0], &c, 1) == 1);
	snprintf(who, sizeof(who), "in use by process %ld on ", (long)child);
	err_clear(&room_err);
	FAILS(ledger_open(in_room("lock.db"), LEDGER_WRITE, "a@b", &led,
			  &room_err),
	      ERR_BUSY, who);
	CHECK(strstr(room_err.text, " since 2") != NULL);
	CHECK(strstr(room_err.text, "; wait for it or end it") != NULL);
	CHECK(room_err.scope == ERR_RUN && room_err.retry == ERR_LATER);
	/* Readers and trials may look meanwhile. */
	ledger_close(open_or_exit(in_room("lock.db"), LEDGER_READ, "a@b"));
	ledger_close(open_or_exit(in_room("lock.db"), LEDGER_SCRATCH, "a@b"));
	/* kill -9 lets go of it. */
	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	led = open_or_exit(in_room("lock.db"), LEDGER_WRITE, "a@b");
	/* The same process is no exception, nor is another name. */
	CHECK(symlink("lock.db", in_room("alias.db")) == 0);
	FAILS(ledger_open(in_room("alias.db"), LEDGER_WRITE, "a@b",
			  &(struct ledger *){ NULL }, &room_err),
	      ERR_BUSY, "lock.db: in use by process");
	ledger_close(led);
	ledger_close(open_or_exit(in_room("alias.db"), LEDGER_WRITE, "a@b"));
	CHECK(!is_there(in_room("alias.db.lock")));
	close(go[0]);
	close(go[1]);
}

static void migrated_from_nothing(void)
{
	static const struct {
		const char *what, *sql;
	} cases[] = {
		{ "an empty file", NULL },
		{ "a database without tables",
		  "CREATE TABLE x (y); DROP TABLE x" },
		{ "one that was killed before the first migration",
		  "PRAGMA journal_mode = WAL" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *path = in_room("empty.db");

		unlink(path);
		write_file(path, "", 0);
		if (cases[i].sql)
			sql(path, cases[i].sql);
		/* Readers take it as a ledger of nothing and leave it so. */
		led = open_or_exit(path, LEDGER_READ, "a@b");
		CHECK_STR(ledger_target(led), "");
		ledger_close(led);
		CHECK_CASE(cases[i].what,
			   sql_number(path, "PRAGMA user_version") == 0);
		led = open_or_exit(path, LEDGER_WRITE, "a@b");
		new_run(led);
		OK(ledger_commit(led, &room_err));
		ledger_close(led);
		CHECK_CASE(cases[i].what,
			   sql_number(path, "PRAGMA user_version") == newest());
		CHECK_CASE(cases[i].what,
			   sql_number(path, "SELECT count(*) FROM run") == 1);
	}
}

static void newer_is_refused(void)
{
	const char *path = in_room("newer.db");
	struct ledger *none = NULL;
	char back[96];

	ledger_close(open_or_exit(path, LEDGER_WRITE, "a@b"));
	sql(path, "PRAGMA user_version = 9999");
	for (int mode = LEDGER_WRITE; mode <= LEDGER_SCRATCH; mode++)
		FAILS(ledger_open(path, (enum ledger_mode)mode, "a@b", &none,
				  &room_err),
		      ERR_CONFIG, "made by a newer mailhaul");
	snprintf(back, sizeof(back),
		 "PRAGMA user_version = %lld; UPDATE meta SET digest_version = 9",
		 (long long)newest());
	sql(path, back);
	FAILS(ledger_open(path, LEDGER_WRITE, "a@b", &none, &room_err),
	      ERR_CONFIG, "tells messages apart in another way");
}

static void not_a_ledger(void)
{
	static const char text[] =
		"This is a letter, and not a database at all. "
		"It is long enough to have a header's size, "
		"which is a hundred bytes in SQLite.";
	const char *path = in_room("odd.db");
	struct ledger *none = NULL;

	write_file(path, text, sizeof(text) - 1);
	for (int mode = LEDGER_WRITE; mode <= LEDGER_SCRATCH; mode++) {
		FAILS(ledger_open(path, (enum ledger_mode)mode, "a@b", &none,
				  &room_err),
		      ERR_LEDGER, "mailhaul recognises what is already on the");
		CHECK(strstr(room_err.text, path) != NULL);
	}
	unlink(path);
	sql(path, "CREATE TABLE bookmarks (url)");
	for (int mode = LEDGER_WRITE; mode <= LEDGER_SCRATCH; mode++)
		FAILS(ledger_open(path, (enum ledger_mode)mode, "a@b", &none,
				  &room_err),
		      ERR_LEDGER, "the database of another program");
	/* Not even its journal mode was touched. */
	CHECK(!is_there(in_room("odd.db-wal")));
	CHECK(sql_number(path, "SELECT count(*) FROM sqlite_schema") == 1);
	CHECK(mkdir(in_room("folder.db"), 0700) == 0);
	CHECK(symlink("nowhere", in_room("dangling.db")) == 0);
	CHECK(mkfifo(in_room("fifo.db"), 0600) == 0);
	FAILS(ledger_open(in_room("folder.db"), LEDGER_WRITE, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "not a file");
	FAILS(ledger_open(in_room("fifo.db"), LEDGER_READ, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "not a file");
	FAILS(ledger_open(in_room("dangling.db"), LEDGER_WRITE, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "a symbolic link to nothing");
	FAILS(ledger_open(in_room("odd.db/l.db"), LEDGER_WRITE, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "Not a directory");
	FAILS(ledger_open(in_room("absent.db"), LEDGER_READ, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "no ledger here yet");
	CHECK(!is_there(in_room("absent.db")));
	CHECK(!is_there(in_room("absent.db.lock")));
}

static void belongs_to_one_target(void)
{
	const char *path = in_room("mine.db");
	struct ledger *none = NULL;

	/* Nobody's until the first who names a target. */
	led = open_or_exit(path, LEDGER_WRITE, NULL);
	CHECK_STR(ledger_target(led), "");
	ledger_close(led);
	led = open_or_exit(path, LEDGER_WRITE, "taro@example.jp");
	CHECK_STR(ledger_target(led), "taro@example.jp");
	ledger_close(led);
	for (int mode = LEDGER_WRITE; mode <= LEDGER_SCRATCH; mode++) {
		FAILS(ledger_open(path, (enum ledger_mode)mode, "b@c", &none,
				  &room_err),
		      ERR_CONFIG,
		      "is the ledger of taro@example.jp, not of b@c");
		led = open_or_exit(path, (enum ledger_mode)mode, NULL);
		CHECK_STR(ledger_target(led), "taro@example.jp");
		ledger_close(led);
	}
}

static void fill(const char *path)
{
	int64_t run, folder, target_folder;

	led = open_or_exit(path, LEDGER_WRITE, "a@b");
	run = new_run(led);
	folder = new_folder(led, "Mail/old", run);
	target_folder = new_target_folder(led, "Old");
	for (unsigned i = 1; i <= 500; i++) {
		char locator[16];

		snprintf(locator, sizeof(locator), "%u", i);
		put(led, folder, locator, plan_done(led, target_folder, i, run),
		    COPY_UPLOADED, run);
	}
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
}

static void scratch_leaves_the_original_alone(void)
{
	const char *path = in_room("real.db");
	struct ledger_message m;
	char *before, *after;
	size_t n, n_after;
	unsigned files, done = 0;
	int64_t run, target_folder, id = 0;

	fill(path);
	unlink(in_room("real.db.lock"));
	before = file_bytes(path, &n);
	files = files_in_room();
	led = open_or_exit(path, LEDGER_SCRATCH, "a@b");
	run = new_run(led);
	target_folder = new_target_folder(led, "Old");
	/* All that is real is in it, and more may be written. */
	ledger_message_init(&m);
	while (ledger_next_done(led, target_folder, id, &m, &room_err) > 0) {
		id = m.id;
		done++;
	}
	CHECK(done == 500);
	for (unsigned i = 1001; i <= 3000; i++)
		plan_done(led, target_folder, i, run);
	OK(ledger_commit(led, &room_err));
	plan_done(led, target_folder, 3001, run);
	CHECK(ledger_next_done(led, target_folder, id, &m, &room_err) == 1);
	CHECK(files_in_room() == files);
	ledger_close(led);
	CHECK(files_in_room() == files);
	after = file_bytes(path, &n_after);
	CHECK(n == n_after && !memcmp(before, after, n));
	free(before);
	free(after);
	ledger_message_free(&m);

	led = open_or_exit(in_room("never/was.db"), LEDGER_SCRATCH, NULL);
	new_run(led);
	OK(ledger_commit(led, &room_err));
	ledger_close(led);
	CHECK(!is_there(in_room("never")));
}

static void reading_leaves_no_trace(void)
{
	const char *path = in_room("odd name%3F?#.db");
	struct ledger_target_folder f;
	char *before, *after;
	size_t n, n_after;
	unsigned files;
	int64_t run;

	fill(path);
	before = file_bytes(path, &n);
	files = files_in_room();
	led = open_or_exit(path, LEDGER_READ, "a@b");
	OK(ledger_target_folder(led, "Old", "Old", &f, &room_err));
	CHECK(f.done == 500);
	FAILS(ledger_begin_run(led, "x", 1, &run, &room_err), ERR_OTHER,
	      "opened to be read");
	FAILS(ledger_target_folder(led, "New", "New", &f, &room_err), ERR_OTHER,
	      "opened to be read");
	CHECK(files_in_room() == files);
	ledger_close(led);
	CHECK(files_in_room() == files);
	after = file_bytes(path, &n_after);
	CHECK(n == n_after && !memcmp(before, after, n));
	free(before);
	free(after);
}

/* A reader beside a writer sees what is committed. */
static void readers_see_what_is_committed(void)
{
	const char *path = in_room("both.db");
	struct ledger_target_folder f;
	struct ledger *reader;
	int64_t run, target_folder;

	led = open_or_exit(path, LEDGER_WRITE, "a@b");
	run = new_run(led);
	target_folder = new_target_folder(led, "Old");
	plan_done(led, target_folder, 1, run);
	OK(ledger_commit(led, &room_err));
	plan_done(led, target_folder, 2, run);
	reader = open_or_exit(path, LEDGER_READ, NULL);
	OK(ledger_target_folder(reader, "Old", "Old", &f, &room_err));
	CHECK(f.done == 1);
	OK(ledger_commit(led, &room_err));
	OK(ledger_target_folder(reader, "Old", "Old", &f, &room_err));
	CHECK(f.done == 2);
	ledger_close(reader);
	/* What is not committed is given up. */
	plan_done(led, target_folder, 3, run);
	ledger_close(led);
	led = open_or_exit(path, LEDGER_READ, NULL);
	OK(ledger_target_folder(led, "Old", "Old", &f, &room_err));
	CHECK(f.done == 2);
	ledger_close(led);
}

/* As somebody whom permissions bind; what it finds is in its exit status. */
static void as_nobody(void (*check)(void))
{
	unsigned before = check_failures;
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(99);
		check();
		fflush(stdout);
		_exit(check_failures != before);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void look_at_read_only_folder(void)
{
	struct ledger *none = NULL;

	FAILS(ledger_open(in_room("shut/new.db"), LEDGER_WRITE, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "Permission denied");
	FAILS(ledger_open(in_room("shut/sub/new.db"), LEDGER_WRITE, "a@b",
			  &none, &room_err),
	      ERR_LEDGER, "Permission denied");
	FAILS(ledger_open(in_room("shut/old.db"), LEDGER_WRITE, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "Permission denied");
	/* To look is allowed. */
	led = open_or_exit(in_room("shut/old.db"), LEDGER_READ, "a@b");
	ledger_close(led);
	led = open_or_exit(in_room("shut/old.db"), LEDGER_SCRATCH, "a@b");
	new_run(led);
	ledger_close(led);
	FAILS(ledger_open(in_room("shut/secret.db"), LEDGER_READ, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "secret.db");
	FAILS(ledger_open(in_room("open/fixed.db"), LEDGER_WRITE, "a@b", &none,
			  &room_err),
	      ERR_LEDGER, "we may read it");
}

static void read_only_folder(void)
{
	ledger_close(open_or_exit(in_room("shut/old.db"), LEDGER_WRITE, "a@b"));
	ledger_close(
		open_or_exit(in_room("shut/secret.db"), LEDGER_WRITE, "a@b"));
	ledger_close(
		open_or_exit(in_room("open/fixed.db"), LEDGER_WRITE, "a@b"));
	unlink(in_room("shut/old.db.lock"));
	unlink(in_room("open/fixed.db.lock"));
	chmod(room_dir, 0755);
	chmod(in_room("open"), 0777);
	chmod(in_room("open/fixed.db"), 0444);
	chmod(in_room("shut/old.db"), 0444);
	chmod(in_room("shut/secret.db"), 0);
	chmod(in_room("shut"), 0555);
	as_nobody(look_at_read_only_folder);
	chmod(in_room("shut"), 0700);
}

/* B1: what was lost with its transaction is not committed as if it were there.
 */
static void write_until_full(void)
{
	struct rlimit small = { .rlim_cur = 256 << 10, .rlim_max = 256 << 10 };
	struct digest d;
	int64_t run, target_folder, id;
	int ret = 0;

	led = open_or_exit(in_room("full.db"), LEDGER_WRITE, "a@b");
	run = new_run(led);
	target_folder = new_target_folder(led, "Old");
	plan_done(led, target_folder, 1, run);
	OK(ledger_commit(led, &room_err));
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	for (unsigned i = 2; ret == 0 && i < 100000; i++) {
		d = digests(i, i);
		ret = ledger_plan(led, target_folder, &d,
				  &(struct ledger_about){ .size = i }, run, &id,
				  &room_err);
		if (ret == 0 && i % 100 == 0)
			ret = ledger_commit(led, &room_err);
	}
	CHECK(ret < 0 && room_err.kind == ERR_LEDGER);
	CHECK(room_err.scope == ERR_RUN);
	CHECK(strstr(room_err.text, "full.db") != NULL);
	FAILS(ledger_plan(led, target_folder, &d,
			  &(struct ledger_about){ .size = 1 }, run, &id,
			  &room_err),
	      ERR_LEDGER, "after an error");
	FAILS(ledger_commit(led, &room_err), ERR_LEDGER, "after an error");
	ledger_close(led);
}

static void full_disk(void)
{
	struct ledger_target_folder f;

	as_nobody(write_until_full);
	led = open_or_exit(in_room("full.db"), LEDGER_WRITE, "a@b");
	OK(ledger_target_folder(led, "Old", "Old", &f, &room_err));
	CHECK(f.done == 1);
	ledger_close(led);
}

int main(void)
{
	room_make();
	chmod(room_dir, 0777);
	made_private_whatever_the_umask();
	one_process_at_a_time();
	migrated_from_nothing();
	newer_is_refused();
	not_a_ledger();
	belongs_to_one_target();
	scratch_leaves_the_original_alone();
	reading_leaves_no_trace();
	readers_see_what_is_committed();
	full_disk();
	read_only_folder();
	room_remove();
	return check_done();
}
