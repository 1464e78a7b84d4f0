/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process that makes an isolated importer's children. It is asked over a socket
   pair, a byte a question: with 'm' comes the descriptor the new process is to
   have. */
#include "importers/isolated_nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* It has nothing else to do: who waits longer waits for nothing. */
enum { PATIENCE_SECONDS = 30 };

/* ---- in the nursery, and in what it makes ---- */

/* From a terminal, Ctrl-C goes to every process of the group: we leave ours, and
   it is the program that ends us, when the message under way is done. */
static void usual_signals(void)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	setpgid(0, 0);
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &usual, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Close everything but fd, which may move. A sanitizer's report is for whoever runs
   the tests; what a library prints is for nobody. */
static void close_others(int *fd)
{
	int null = open("/dev/null", O_RDWR);
	int last = ISOLATED_ASAN ? STDOUT_FILENO : STDERR_FILENO;

	/* Not one of those that are about to be replaced. */
	*fd = fcntl(*fd, F_DUPFD, STDERR_FILENO + 1);
	if (null < 0 || *fd < 0)
		_exit(EXIT_FAILURE);
	for (int i = 0; i <= last; i++)
		dup2(null, i);
	if (*fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)*fd - 1, 0);
	close_range((unsigned)*fd + 1, ~0u, 0);
}

static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

/* The question, and the descriptor that came with it, or -1. 0 at the end. */
static char hear(int control, int *fd_r)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))];
	struct iovec text = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &text,
			      .msg_iovlen = 1,
			      .msg_control = room,
			      .msg_controllen = sizeof(room) };
	struct cmsghdr *with;
	ssize_t got;

	*fd_r = -1;
	do
		got = recvmsg(control, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got != 1)
		return 0;
	with = CMSG_FIRSTHDR(&msg);
	if (with && with->cmsg_type == SCM_RIGHTS &&
	    with->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd_r, CMSG_DATA(with), sizeof(*fd_r));
	return byte;
}

static pid_t make(nursery_run run, void *ctx, int fd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		end_with(parent);
		close_others(&fd);
		run(ctx, fd);
		_exit(EXIT_FAILURE);
	}
	return pid;
}

static int bury(pid_t *pid)
{
	int status = 0;

	if (*pid > 0) {
		/* Of one that is dying already this changes nothing. */
		kill(*pid, SIGKILL);
		while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	*pid = 0;
	return status;
}

static _Noreturn void serve(int control, nursery_run run, void *ctx)
{
	struct rlimit none = { 0, 0 };
	pid_t pid = 0;
	int answer, fd;
	char what;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	usual_signals();
	close_others(&control);
	while ((what = hear(control, &fd))) {
		if (what == 'm') {
			bury(&pid);
			pid = make(run, ctx, fd);
			answer = pid > 0 ? 0 : errno;
		} else {
			answer = bury(&pid);
		}
		if (fd >= 0)
			close(fd);
		if (send(control, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	bury(&pid);
	_exit(EXIT_SUCCESS);
}

/* ---- in the program ---- */

int nursery_open(struct nursery *n, nursery_run run, void *ctx, struct err *e)
{
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	pid_t parent = getpid();
	sigset_t all, old;
	int fds[2];

	n->pid = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_LATER,
			       "socketpair: %s", strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	n->pid = fork();
	if (n->pid == 0) {
		end_with(parent);
		serve(fds[1], run, ctx);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(fds[1]);
	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	n->fd = fds[0];
	if (n->pid > 0)
		return 0;
	n->pid = 0;
	close(fds[0]);
	return err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_LATER, "fork: %s",
		       strerror(errno));
}

void nursery_close(struct nursery *n)
{
	if (!n->pid)
		return;
	close(n->fd);
	/* It would end by itself; not if it was stopped. What it has made ends with
	   it. */
	kill(n->pid, SIGKILL);
	while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
		;
	n->pid = 0;
}

/* 0 with the answer, or -1. */
static int ask(struct nursery *n, char what, int fd, int *answer_r)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec text = { .iov_base = &what, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &text, .msg_iovlen = 1 };
	ssize_t got;

	if (fd >= 0) {
		struct cmsghdr *with;

		msg.msg_control = room;
		msg.msg_controllen = sizeof(room);
		with = CMSG_FIRSTHDR(&msg);
		with->cmsg_level = SOL_SOCKET;
		with->cmsg_type = SCM_RIGHTS;
		with->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(with), &fd, sizeof(fd));
	}
	do
		got = sendmsg(n->fd, &msg, MSG_NOSIGNAL);
	while (got < 0 && errno == EINTR);
	while (got > 0) {
		got = recv(n->fd, answer_r, sizeof(*answer_r), 0);
		if (got == sizeof(*answer_r))
			return 0;
		if (got < 0 && errno == EINTR)
			got = 1;
	}
	return -1;
}

int nursery_make(struct nursery *n)
{
	int fds[2], answer;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	if (ask(n, 'm', fds[1], &answer) < 0)
		answer = ECHILD;
	close(fds[1]);
	if (!answer)
		return fds[0];
	close(fds[0]);
	errno = answer;
	return -1;
}

int nursery_bury(struct nursery *n, int *status_r)
{
	return ask(n, 'b', -1, status_r);
}
