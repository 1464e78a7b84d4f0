/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making the connection: names, addresses, and how long each may take. */
#include "storage/imap/stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "storage/imap/stream_internal.h"

enum {
	UNSENT_MAX = 256 << 10, /* in the kernel, beyond what is on its way */
	CONNECT_TIMEOUT_MS = 30 * 1000,
	TIMEOUT_MS = 5 * 60 * 1000,
};

static int wait_connected(int fd, int ms)
{
	socklen_t len = sizeof(int);
	int error = 0;

	switch (stream_poll(fd, POLLOUT, ms)) {
	case 0:
		return ETIMEDOUT;
	case -1:
		return errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

/* 0 with *fd_r, or an errno. */
static int connect_one(const struct addrinfo *ai, int ms, int *fd_r)
{
	int fd = socket(ai->ai_family,
			ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			ai->ai_protocol);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		error = errno == EINPROGRESS ? wait_connected(fd, ms) : errno;
	if (error) {
		close(fd);
		return error;
	}
	*fd_r = fd;
	return 0;
}

static int fail_connect(const struct stream_options *opt, int error, int ms,
			struct err *e)
{
	if (error == ETIMEDOUT)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER,
			       "%s: port %u does not answer (waited %d s)",
			       opt->host, opt->port, (ms + 999) / 1000);
	if (error == ECONNREFUSED)
		return err_set(
			e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER,
			"%s: nobody listens on port %u (connection refused)",
			opt->host, opt->port);
	return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER,
		       "%s: cannot connect to port %u: %s", opt->host,
		       opt->port, strerror(error));
}

static bool is_loopback(const struct sockaddr *sa)
{
	const struct sockaddr_in *in4 = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	switch (sa->sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(in4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) &&
			in6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	}
	return false;
}

/* Before the first packet: nothing of ours goes anywhere else in the clear. */
static int check_loopback(const struct addrinfo *list,
			  const struct stream_options *opt, struct err *e)
{
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		if (!is_loopback(ai->ai_addr))
			return err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
				       "%s: plain text only to a loopback "
				       "address; use imaps://",
				       opt->host);
	return 0;
}

/* Each address gets its share of the time that is left, so that a dead first
   one does not use up what the others need. */
static int connect_any(const struct addrinfo *list,
		       const struct stream_options *opt, int ms, int *fd_r,
		       struct err *e)
{
	int64_t until = clock_ms() + ms;
	int left = 0, error = ETIMEDOUT;

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		left++;
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		int64_t share = (until - clock_ms()) / left--;

		error = connect_one(ai, share > 1 ? (int)share : 1, fd_r);
		if (!error)
			return 0;
	}
	return fail_connect(opt, error, ms, e);
}

static int resolve(const struct stream_options *opt, struct addrinfo **list_r,
		   struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char port[16];
	int rc;

	snprintf(port, sizeof(port), "%u", opt->port);
	rc = getaddrinfo(opt->host, port, &hints, list_r);
	if (rc == 0)
		return 0;
	if (rc == EAI_NONAME || rc == EAI_FAIL || rc == EAI_NODATA)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: there is no host of this name", opt->host);
	return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER,
		       "%s: the name cannot be looked up now: %s", opt->host,
		       rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
}

struct stream *stream_from_fd(int fd, const struct stream_options *opt)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	int one = 1, unsent = UNSENT_MAX;

	/* These fail on sockets of tests that are not TCP, which is no matter.
	 */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	/* What the line cannot take yet is better kept here: it can still be
	   compressed, and need not be settled when the line is cut. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	s->fd = fd;
	s->host = mem_strdup(opt->host);
	s->port = opt->port;
	s->ca_file = opt->ca_file ? mem_strdup(opt->ca_file) : NULL;
	s->connect_timeout_ms = opt->connect_timeout_ms > 0
					? opt->connect_timeout_ms
					: CONNECT_TIMEOUT_MS;
	s->timeout_ms = opt->timeout_ms > 0 ? opt->timeout_ms : TIMEOUT_MS;
	s->send_wants = POLLOUT;
	s->recv_wants = POLLIN;
	buf_init(&s->queue);
	snprintf(s->described, sizeof(s->described), "plain text");
	return s;
}

int stream_connect(const struct stream_options *opt, struct stream **s_r,
		   struct err *e)
{
	int ms = opt->connect_timeout_ms > 0 ? opt->connect_timeout_ms
					     : CONNECT_TIMEOUT_MS;
	struct addrinfo *list;
	int fd = -1, ret;

	if (resolve(opt, &list, e) < 0)
		return -1;
	ret = opt->loopback_only ? check_loopback(list, opt, e) : 0;
	if (ret == 0)
		ret = connect_any(list, opt, ms, &fd, e);
	freeaddrinfo(list);
	if (ret < 0)
		return -1;
	*s_r = stream_from_fd(fd, opt);
	return 0;
}

bool stream_is_loopback(const struct stream *s)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);

	return getpeername(s->fd, (struct sockaddr *)&ss, &len) == 0 &&
	       is_loopback((const struct sockaddr *)&ss);
}
