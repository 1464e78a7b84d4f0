/* SPDX-License-Identifier: GPL-3.0-or-later */
/* L1: cut off anywhere, the ledger knows of everything that may have been sent.
   The "server" is a pipe: what was written to it was sent, and the process is
   killed. */
#include "tests/ledger/room.h"

#include "core/base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

enum { MESSAGES = 4 };

static enum ledger_state state_of(struct ledger *led, unsigned number)
{
	struct digest d = digests(number, number);
	struct ledger_target_folder f = { .id = 0 };
	struct ledger_message m;
	enum ledger_state state = LEDGER_PLANNED;
	bool core_only;

	ledger_message_init(&m);
	OK(ledger_target_folder(led, "Old", "Old", &f, &room_err));
	if (ledger_find(led, f.id, &d, &m, &core_only, &room_err) > 0)
		state = m.state;
	ledger_message_free(&m);
	return state;
}

/* Send numbers without end: each after its intent is on disk. */
static void send_for_ever(const char *path, int server)
{
	struct ledger *led = open_or_exit(path, LEDGER_WRITE, "a@b");
	int64_t run = new_run(led), folder = new_target_folder(led, "Old"), id;

	for (unsigned i = 1;; i++) {
		id = plan(led, folder, i, run);
		OK(ledger_intend(led, id, run, &room_err));
		OK(ledger_commit(led, &room_err));
		if (write(server, &i, sizeof(i)) != sizeof(i))
			_exit(1);
		OK(ledger_confirm(led, id, i, 7, run, &room_err));
	}
}

static void l1_killed_at_any_time(void)
{
	const char *path = in_room("any.db");

	for (unsigned until = 1; until <= 12; until++) {
		struct ledger *led;
		unsigned sent = 0, last = 0;
		int server[2];
		pid_t child;

		unlink(path);
		unlink(in_room("any.db-wal"));
		unlink(in_room("any.db-shm"));
		if (pipe(server) < 0)
			exit(1);
		child = fork();
		if (child == 0) {
			close(server[0]);
			send_for_ever(path, server[1]);
		}
		close(server[1]);
		while (read(server[0], &sent, sizeof(sent)) == sizeof(sent)) {
			last = sent;
			if (sent == until)
				kill(child, SIGKILL);
		}
		close(server[0]);
		waitpid(child, NULL, 0);
		CHECK(last >= until);
		led = open_or_exit(path, LEDGER_WRITE, "a@b");
		for (unsigned i = 1; i <= last; i++)
			CHECK(state_of(led, i) == LEDGER_INTENT ||
			      state_of(led, i) == LEDGER_DONE);
		ledger_close(led);
	}
}

static void l1_not_committed_is_not_there(void)
{
	const char *path = in_room("gone.db");
	struct ledger *led;
	pid_t child = fork();

	if (child == 0) {
		int64_t run, folder;

		led = open_or_exit(path, LEDGER_WRITE, "a@b");
		run = new_run(led);
		folder = new_target_folder(led, "Old");
		OK(ledger_intend(led, plan(led, folder, 1, run), run,
				 &room_err));
		OK(ledger_commit(led, &room_err));
		OK(ledger_intend(led, plan(led, folder, 2, run), run,
				 &room_err));
		kill(getpid(), SIGKILL);
	}
	waitpid(child, NULL, 0);
	/* As a reader finds it, beside the dead one's log ... */
	led = open_or_exit(path, LEDGER_READ, "a@b");
	CHECK(state_of(led, 1) == LEDGER_INTENT);
	CHECK(state_of(led, 2) == LEDGER_PLANNED);
	ledger_close(led);
	/* ... a trial, and the next to write. */
	led = open_or_exit(path, LEDGER_SCRATCH, "a@b");
	CHECK(state_of(led, 1) == LEDGER_INTENT);
	CHECK(state_of(led, 2) == LEDGER_PLANNED);
	ledger_close(led);
	led = open_or_exit(path, LEDGER_WRITE, "a@b");
	CHECK(state_of(led, 1) == LEDGER_INTENT);
	CHECK(state_of(led, 2) == LEDGER_PLANNED);
	ledger_close(led);
}

/* Bring every message over, settling first; the server is a file of numbers. */
static void whole_run(const char *path, const char *server)
{
	int fd = open(server, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct ledger *led = open_or_exit(path, LEDGER_WRITE, "a@b");
	int64_t run = new_run(led), folder = new_target_folder(led, "Old");
	char on_server[MESSAGES + 1] = { 0 };
	struct ledger_message m;
	unsigned char n;

	ledger_message_init(&m);
	while (read(fd, &n, 1) == 1)
		on_server[n] = 1;
	while (ledger_next_intent(led, folder, 0, &m, &room_err) > 0) {
		n = (unsigned char)(m.size - 1000);
		if (on_server[n])
			OK(ledger_confirm(led, m.id, n, 7, run, &room_err));
		else
			OK(ledger_retract(led, m.id, &room_err));
	}
	for (unsigned i = 1; i <= MESSAGES; i++) {
		struct digest d = digests(i, i);
		bool core_only;
		int64_t id;

		if (ledger_find(led, folder, &d, &m, &core_only, &room_err) <=
		    0)
			id = plan(led, folder, i, run);
		else if (m.state == LEDGER_PLANNED)
			id = m.id;
		else
			continue;
		OK(ledger_intend(led, id, run, &room_err));
		OK(ledger_commit(led, &room_err));
		n = (unsigned char)i;
		if (write(fd, &n, 1) != 1)
			_exit(1);
		fault_point("test.sent");
		OK(ledger_confirm(led, id, i, 7, run, &room_err));
	}
	OK(ledger_commit(led, &room_err));
	ledger_message_free(&m);
	ledger_close(led);
	close(fd);
}

/* 1 when it was killed at the step, 0 when it ran through, -1. */
static int run_until(unsigned step, const char *path, const char *server)
{
	char number[16];
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		snprintf(number, sizeof(number), "%u", step);
		if (step)
			setenv("MAILHAUL_FAULT", number, 1);
		whole_run(path, server);
		fflush(stdout);
		_exit(check_failures != 0);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ? 1 : -1;
	return WEXITSTATUS(status) ? -1 : 0;
}

static void l1_to_l3_nothing_lost_nothing_doubled(void)
{
	const char *path = in_room("sweep.db"), *server = in_room("server");
	unsigned step;
	int how;

	for (step = 1; step < 100; step++) {
		struct ledger *led;
		char *bytes;
		size_t n;

		unlink(path);
		unlink(in_room("sweep.db-wal"));
		unlink(in_room("sweep.db-shm"));
		unlink(server);
		how = run_until(step, path, server);
		CHECK(how >= 0);
		if (how <= 0)
			break;
		CHECK(run_until(0, path, server) == 0);
		CHECK(run_until(0, path, server) == 0);
		bytes = file_bytes(server, &n);
		CHECK(n == MESSAGES && bytes[0] == 1 &&
		      bytes[n - 1] == MESSAGES);
		free(bytes);
		led = open_or_exit(path, LEDGER_READ, "a@b");
		for (unsigned i = 1; i <= MESSAGES; i++)
			CHECK(state_of(led, i) == LEDGER_DONE);
		ledger_close(led);
	}
#ifdef MAILHAUL_FAULTS
	CHECK(step > MESSAGES * 3);
#else
	printf("the build has no fault points: no sweep\n");
#endif
}

int main(void)
{
	room_make();
	/* First: faults are armed by the first step of a process. */
	l1_to_l3_nothing_lost_nothing_doubled();
	l1_not_committed_is_not_there();
	l1_killed_at_any_time();
	room_remove();
	return check_done();
}
