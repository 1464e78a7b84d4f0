/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a server says to LIST, SELECT and NAMESPACE: what talk.c lets through to
   libetpan does not crash it, and every failure has a reason and reaches at least as
   far as the folder. */
#include "storage/imap/internal.h"
#include "storage/imap/stream_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* libetpan loses small pieces of answers that it cannot parse. A session ends there,
   so that there is one such loss a connection. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* The connection stays open (a stream that has met its end takes no commands), so
   running out of input is a time-out. */
static struct imap_session *session_of(const uint8_t *data, size_t n, int *fd_r)
{
	static const char greeting[] = "* OK hello\r\n";
	const struct stream_options opt = { .host = "server", .timeout_ms = 1 };
	struct imap_session *s = mem_zalloc(sizeof(*s));
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0 ||
	    write(fd[1], greeting, sizeof(greeting) - 1) < 0 ||
	    (n && write(fd[1], data, n) < 0))
		abort();
	*fd_r = fd[1];
	s->prefix = mem_strdup("");
	s->stream = stream_from_fd(fd[0], &opt);
	s->talk = talk_new(s->stream);
	s->imap = mailimap_new(0, NULL);
	mailimap_connect(s->imap, mailstream_new(talk_low(s->talk), 65536));
	s->imap->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	return s;
}

static int ask(struct imap_session *s, struct imap_folders *l, struct err *e)
{
	s->caps = IMAP_CAP_NAMESPACE;
	if (imap_folders_list(s, l, e) < 0 ||
	    imap_session_reselect(s, "x", e) < 0)
		return -1;
	return imap_namespace(s, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct imap_folders folders = { .rows = NULL };
	struct err e = ERR_INIT;
	struct imap_session *s;
	int fd;

	if (n > 60000)
		return 0;
	s = session_of(data, n, &fd);
	if (ask(s, &folders, &e) < 0 && (!e.text[0] || e.scope < ERR_FOLDER))
		abort();
	imap_folders_free(&folders);
	s->broken = true; /* nobody is there to say LOGOUT to */
	imap_session_close(s);
	close(fd);
	return 0;
}
