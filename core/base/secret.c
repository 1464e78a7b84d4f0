/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/secret.h"
#include "core/base/buf.h"
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* No protocol takes longer ones, and a command that prints without end must not
   fill our memory. */
enum { SECRET_MAX = 64 << 10 };

int secret_set(struct secret *s, const char *bytes, size_t n, struct err *e)
{
	if (!n)
		return err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
			       "the password is empty");
	if (n > SECRET_MAX || memchr(bytes, '\0', n) ||
	    memchr(bytes, '\r', n) || memchr(bytes, '\n', n))
		return err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
			       "the password holds a line end or a NUL, or is "
			       "over 64 KiB: no server can take it");
	secret_wipe(s);
	s->bytes = mem_strndup(bytes, n);
	s->len = n;
	log_hide(s->bytes, s->len);
	return 0;
}

void secret_wipe(struct secret *s)
{
	if (!s->bytes)
		return;
	log_show(s->bytes, s->len);
	explicit_bzero(s->bytes, s->len);
	free(s->bytes);
	*s = (struct secret)SECRET_INIT;
}

/* The first line of what fd gives, to the end of fd, wiped afterwards. */
static int first_line(struct secret *s, int fd, const char *what, struct err *e)
{
	char *room = mem_alloc(SECRET_MAX + 2);
	size_t len = 0, line;
	ssize_t got;
	int ret;

	while (len <= SECRET_MAX) {
		got = read(fd, room + len, SECRET_MAX + 1 - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			ret = err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
				      "%s: %s", what, strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		len += (size_t)got;
	}
	for (line = 0; line < len && room[line] != '\n'; line++)
		;
	if (line && room[line - 1] == '\r')
		line--;
	ret = secret_set(s, room, line, e);
	if (ret < 0)
		err_in(e, "%s", what);
out:
	explicit_bzero(room, SECRET_MAX + 2);
	free(room);
	return ret;
}

int secret_from_file(struct secret *s, const char *path, struct err *e)
{
	struct stat st;
	int fd, ret = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER, "%s: %s",
			       path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077)) {
		err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
			"%s: others may read it; chmod 600 it first", path);
		goto out;
	}
	ret = first_line(s, fd, path, e);
out:
	close(fd);
	return ret;
}

static void run_command(int to, const char *command)
{
	dup2(to, STDOUT_FILENO);
	unsetenv("MAILHAUL_PASSWORD");
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

int secret_from_command(struct secret *s, const char *command, struct err *e)
{
	int pipe_fd[2], status, ret;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		goto no_process;
	pid = fork();
	if (pid < 0) {
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		goto no_process;
	}
	if (pid == 0)
		run_command(pipe_fd[1], command);
	close(pipe_fd[1]);
	ret = first_line(s, pipe_fd[0], "the password command's output", e);
	close(pipe_fd[0]);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		secret_wipe(s);
		return err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_NEVER,
			       "waitpid: %s", strerror(errno));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ret;
	secret_wipe(s);
	return err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
		       "the password command failed (%s %d)",
		       WIFEXITED(status) ? "exit status" : "signal",
		       WIFEXITED(status) ? WEXITSTATUS(status)
					 : WTERMSIG(status));

no_process:
	return err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_LATER,
		       "cannot run the password command: %s", strerror(errno));
}
