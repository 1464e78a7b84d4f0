/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMAP_SCRIPT_H
#define MAILHAUL_TESTS_IMAP_SCRIPT_H

#include "storage/imap/account.h"
#include "tests/lib/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A server that plays a script in a process of its own, on a loopback port. It says
   the first step's words as greeting, then waits for each line that the script wants
   and answers. "%T" in an answer is the tag of the line, "%N" repeats the character
   behind it 100,000 times. A wanted line is compared without its tag; with '!' in
   front as a whole (no tag); "..." at its end stands for anything. */
struct step {
	const char *want, *say;
};
enum { STEPS_MAX = 60 };

struct script_server {
	unsigned port;
	pid_t pid;
};

static void script_say(FILE *out, const char *say, const char *tag)
{
	for (; *say; say++) {
		if (say[0] == '%' && say[1] == 'T') {
			fputs(tag, out);
			say++;
		} else if (say[0] == '%' && say[1] == 'N') {
			for (int i = 0; i < 100000; i++)
				putc(say[2], out);
			say += 2;
		} else if (say[0] == '%' && say[1] == '0') {
			putc('\0', out);
			say++;
		} else {
			putc(*say, out);
		}
	}
	fflush(out);
}

static bool script_matches(const char *line, const char *want)
{
	size_t n = strlen(want);

	if (n >= 3 && !strcmp(want + n - 3, "..."))
		return !strncmp(line, want, n - 3);
	return !strcmp(line, want);
}

/* The exit status: 0 when everything that was wanted came, and nothing else but
   LOGOUT. */
static int script_play(int fd, const struct step *steps)
{
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	char line[8192], tag[64] = "";
	size_t i = 0;

	script_say(out, steps[i++].say, tag);
	while (fgets(line, sizeof(line), in)) {
		const char *rest = strchr(line, ' ');

		line[strcspn(line, "\r\n")] = '\0';
		if (rest && !strcmp(rest + 1, "LOGOUT")) {
			fprintf(out, "* BYE bye\r\n%.*s OK bye\r\n",
				(int)(rest - line), line);
			fflush(out);
			continue;
		}
		if (!steps[i].want) {
			printf("server: not in the script: %s\n", line);
			return 1;
		}
		if (steps[i].want[0] == '!') {
			rest = line;
		} else {
			snprintf(tag, sizeof(tag), "%.*s",
				 rest ? (int)(rest - line) : 0, line);
			rest = rest ? rest + 1 : line;
		}
		if (!script_matches(rest, steps[i].want + (steps[i].want[0] == '!'))) {
			printf("server: got    %s\nserver: wanted %s\n", line,
			       steps[i].want);
			return 1;
		}
		if (!steps[i].say) /* hang up */
			return steps[i + 1].want != NULL;
		script_say(out, steps[i++].say, tag);
	}
	if (steps[i].want)
		printf("server: never came: %s\n", steps[i].want);
	return steps[i].want != NULL;
}

static inline void script_start(struct script_server *s, const struct step *steps)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0) {
		perror("script");
		exit(2);
	}
	s->port = ntohs(sin.sin_port);
	fflush(stdout);
	s->pid = fork();
	if (s->pid == 0) {
		int client = accept(fd, NULL, NULL), ret;

		alarm(60);
		signal(SIGPIPE, SIG_IGN); /* clients hang up on us */
		ret = client < 0 ? 2 : script_play(client, steps);
		fflush(stdout);
		_exit(ret);
	}
	close(fd);
}

/* Has the script been played to its end? */
static inline bool script_end(struct script_server *s)
{
	int status;

	return waitpid(s->pid, &status, 0) == s->pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

#endif
