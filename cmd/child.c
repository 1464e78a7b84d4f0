/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process for the conversation with an account. Below it are libetpan,
   OpenSSL and zlib, fed by a server that may be hostile: if one of them
   crashes, that costs the account another attempt, and nothing else.

   P1  The parent holds nothing that must not be shared when it forks: no
       connection, no ledger.
   P2  There is one child at a time, and it does not outlive its parent.
   P3  Whatever the child dies of, it ends as the parent's own death would have
       ended the run, but for a crash. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/out.h"
#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/retry.h"
#include "storage/ledger/query.h"

enum { CRASH_PAUSE_MS = 1000, SECRET_ROOM = 64 << 10, LINE_ROOM = 64 << 10 };

/* What parent and child, and one child and the next, know together. A child
   that runs wild may have written anything here: nothing of it is trusted
   further than that a wrong value does no harm. */
struct shared {
	volatile sig_atomic_t stops; /* how often we were asked to stop */
	volatile uint64_t uploaded;  /* by the child that runs */
	bool has_run_before;
	int64_t run_before; /* the ledger's last run before the first child */
	size_t secret_len;
	char secret[SECRET_ROOM];
};
static struct shared *shared; /* NULL: the command runs in the first process */

static volatile pid_t child_pid, parent_pid;

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };
enum { STOP_SIGNALS = sizeof(stop_signals) / sizeof(stop_signals[0]) };

/* ---- signals ---- */

/* In the parent. From a terminal the child gets the signal as well; from
   kill(1) only we do. The third is for a child that hears nothing. */
static void pass_on(int sig)
{
	if (++shared->stops > (child_pid > 0 ? 2 : 1))
		_exit(EXIT_INTERRUPTED);
	stop_requested = 1;
	if (child_pid > 0)
		kill(child_pid, sig);
}

/* In the child. What its parent passes on was perhaps heard already: so it is
   not counted again, but compared. */
static void on_stop(int sig, siginfo_t *info, void *context)
{
	static volatile sig_atomic_t heard;

	(void)sig;
	(void)context;
	if (info->si_code != SI_USER || info->si_pid != parent_pid)
		heard++;
	if (heard > 1 || shared->stops > 1)
		_exit(EXIT_INTERRUPTED);
	stop_requested = 1;
}

static void catch_stops(const struct sigaction *how)
{
	for (int i = 0; i < STOP_SIGNALS; i++)
		sigaction(stop_signals[i], how, NULL);
}

static void block_stops(sigset_t *old)
{
	sigset_t stops;

	sigemptyset(&stops);
	for (int i = 0; i < STOP_SIGNALS; i++)
		sigaddset(&stops, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &stops, old);
}

static const char *crash_name(int sig)
{
	static const struct {
		int sig;
		const char *name;
	} rows[] = {
		{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },
		{ SIGILL, "SIGILL" },	{ SIGFPE, "SIGFPE" },
		{ SIGABRT, "SIGABRT" }, { SIGSYS, "SIGSYS" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].sig == sig)
			return rows[i].name;
	return NULL;
}

/* Let whoever started us see what they would have seen of a single process. */
static int die_alike(int sig)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t one;

	sigaction(sig, &usual, NULL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(sig);
	return 128 + sig;
}

/* ---- in the child ---- */

static void become_child(struct call *c, unsigned crashes)
{
	static char line[LINE_ROOM];
	struct sigaction stop = { .sa_sigaction = on_stop,
				  .sa_flags = SA_SIGINFO };
	struct err none;

	catch_stops(&stop);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent_pid)
		_exit(EXIT_INTERRUPTED);
	/* Lines that are out when we crash are whole. */
	setvbuf(stdout, line, _IOLBF, sizeof(line));
	if (crashes)
		fault_take_over();
	if (shared->secret_len && shared->secret_len <= SECRET_ROOM)
		(void)secret_set(&c->password, shared->secret,
				 shared->secret_len, &none);
}

void child_keep_password(const struct secret *s)
{
	if (!shared || !s->bytes || s->len > SECRET_ROOM)
		return;
	memcpy(shared->secret, s->bytes, s->len);
	shared->secret_len = s->len;
}

void child_uploaded(uint64_t n)
{
	if (shared)
		shared->uploaded = n;
}

bool child_takes_over(struct ledger *led)
{
	struct ledger_run last = { .id = 0 };
	struct err none;

	if (!shared || ledger_last_run(led, &last, &none) < 0)
		return false;
	if (shared->has_run_before)
		return last.id > shared->run_before;
	shared->run_before = last.id;
	shared->has_run_before = true;
	return false;
}

/* ---- in the parent ---- */

static bool share(void)
{
	void *room = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return false;
	(void)madvise(room, sizeof(*shared), MADV_DONTDUMP);
	shared = room;
	shared->stops = stop_requested;
	return true;
}

static void unshare(void)
{
	explicit_bzero(shared->secret, sizeof(shared->secret));
	munmap(shared, sizeof(*shared));
	shared = NULL;
}

/* Like fork(); in the child everything is ready. */
static pid_t start(struct call *c, unsigned crashes)
{
	struct sigaction pass = { .sa_handler = pass_on };
	sigset_t old;
	pid_t pid;

	shared->uploaded = 0;
	fflush(stdout); /* or both would print it */
	block_stops(&old);
	parent_pid = getpid();
	pid = fork();
	if (pid == 0)
		become_child(c, crashes);
	if (pid > 0) {
		child_pid = pid;
		catch_stops(&pass);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* The wait status. The child is looked at before its number is given back, so
   that no signal is passed on to a stranger. */
static int wait_for(pid_t pid)
{
	siginfo_t info;
	int status = 0;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 &&
	       errno == EINTR)
		;
	child_pid = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void tell_crash(const struct call *c, const char *name, unsigned crashes,
		       int64_t wait)
{
	if (c->opt.json) {
		out_json(
			json_pack("{ss ss si so}", "event", "crash", "signal",
				  name, "in_a_row", (int)crashes,
				  "milliseconds",
				  wait < 0 ? json_null() : json_integer(wait)));
		fflush(stdout);
	} else if (!c->opt.quiet && isatty(STDERR_FILENO)) {
		fputs("\r\033[K", stderr); /* the child's progress line */
	}
	log_line(LOG_WARNING, "crashed (%s)%s", name,
		 wait < 0 ? "" : "; trying again");
}

static void pause_after_crash(int64_t wait)
{
	int64_t until = clock_ms() + wait, left;

	while (!stop_requested && (left = until - clock_ms()) > 0)
		clock_sleep_ms(left < 200 ? left : 200);
}

/* 0 to start another child, or -1. */
static int mind_crash(const struct call *c, int sig, unsigned *crashes,
		      struct err *e)
{
	const char *name = crash_name(sig);
	int64_t wait;

	*crashes = shared->uploaded ? 1 : *crashes + 1;
	err_set(e, ERR_CRASHED, ERR_ACCOUNT, ERR_LATER,
		"crashed %u times in a row (%s) while talking to the server; "
		"nothing is lost, and the next run goes on from there",
		*crashes, name);
	e->wait_ms = CRASH_PAUSE_MS;
	wait = retry_after(e, *crashes, 0);
	e->wait_ms = 0;
	tell_crash(c, name, *crashes, wait);
	if (wait == RETRY_GIVE_UP)
		return -1;
	pause_after_crash(wait);
	if (stop_requested)
		return err_set(e, ERR_INTERRUPTED, ERR_RUN, ERR_NEVER,
			       "interrupted; run it again to go on");
	return 0;
}

/* The exit status of pid's end, or -1 after a crash. */
static int status_of(int status, struct err *e)
{
	if (WIFSIGNALED(status) && crash_name(WTERMSIG(status)))
		return -1;
	err_clear(e); /* the child has said what there is to say */
	return WIFSIGNALED(status) ? die_alike(WTERMSIG(status))
				   : WEXITSTATUS(status);
}

int child_run(const struct command *cmd, struct call *c, struct err *e)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	unsigned crashes = 0;
	int status, ret;
	pid_t pid;

	if (!share())
		return cmd->run(c, e);
	/* Who ignores it cannot wait for anybody. */
	sigaction(SIGCHLD, &usual, NULL);
	do {
		pid = start(c, crashes);
		if (pid == 0)
			return cmd->run(c, e);
		if (pid < 0) {
			log_line(LOG_WARNING,
				 "no process of its own for the conversation "
				 "with the server (%s): a crash would end it",
				 strerror(errno));
			ret = cmd->run(c, e);
			goto out;
		}
		status = wait_for(pid);
		ret = status_of(status, e);
	} while (ret < 0 && mind_crash(c, WTERMSIG(status), &crashes, e) == 0);
	if (ret < 0)
		ret = exit_status(e);
out:
	unshare();
	return ret;
}
