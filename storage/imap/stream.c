/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket and its two faces; stream_tls.c adds TLS. S1-S4 are in stream.h.
 */
#include "storage/imap/stream.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libetpan/mailstream_low.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "storage/imap/stream_internal.h"

enum {
	CONNECT_TIMEOUT_MS = 30 * 1000,
	TIMEOUT_MS = 5 * 60 * 1000,
	READ_CHUNK = 16 << 10,
	/* What libetpan may be given, which keeps the whole answer to a command
	   in memory: far beyond what any command we leave to it brings back. */
	LINE_MAX_BYTES = 1 << 20,
	LITERAL_MAX_BYTES = 64 << 20,
	ANSWER_MAX_BYTES = 256 << 20,
};

int stream_fail(struct stream *s, enum err_kind kind, enum err_retry retry,
		const char *fmt, ...)
{
	char text[sizeof(s->failure.text)];
	va_list ap;

	if (s->failure.text[0])
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(&s->failure, kind, ERR_ACCOUNT, retry, "%s: %s", s->host,
		       text);
}

int stream_say_failure(const struct stream *s, struct err *e)
{
	*e = s->failure;
	return -1;
}

const char *stream_failure(const struct stream *s)
{
	return s->failure.text;
}

static bool is_dead(const struct stream *s)
{
	return s->failure.text[0] != '\0';
}

static int fail_closed(struct stream *s)
{
	return stream_fail(s, ERR_UNREACHABLE, ERR_NOW,
			   "the server closed the connection");
}

static int fail_errno(struct stream *s, int error)
{
	if (error == EPIPE)
		return fail_closed(s);
	return stream_fail(s, ERR_UNREACHABLE, ERR_NOW,
			   "the connection was lost: %s", strerror(error));
}

static int fail_silent(struct stream *s, int ms)
{
	return stream_fail(s, ERR_UNREACHABLE, ERR_LATER,
			   "no answer for %d seconds", (ms + 999) / 1000);
}

int stream_poll(int fd, short events, int ms)
{
	int64_t until = clock_ms() + ms;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int got = poll(&p, 1, ms);

		if (got > 0)
			return 1;
		if (got < 0 && errno != EINTR)
			return -1;
		ms = (int)(until - clock_ms());
		if (ms <= 0)
			return 0;
	}
}

/* Connecting */

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

/* Each address gets its share of the time that is left, so that a dead first
   one does not use up what the others need. */
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
	int one = 1;

	/* These fail on sockets of tests that are not TCP, which is no matter.
	 */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
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

const char *stream_describe(const struct stream *s)
{
	return s->described;
}

uint64_t stream_bytes_sent(const struct stream *s)
{
	return s->sent;
}

/* One attempt: bytes, 0 when there is none right now, -1 with the failure kept.
 */

static ssize_t raw_recv(struct stream *s, char *bytes, size_t n)
{
	ssize_t got;

	if (s->ssl)
		return stream_tls_recv(s, bytes, n);
	do {
		got = recv(s->fd, bytes, n, 0);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got == 0)
		return fail_closed(s);
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return fail_errno(s, errno);
}

static ssize_t raw_send(struct stream *s, const char *bytes, size_t n)
{
	ssize_t got;

	if (s->ssl)
		return stream_tls_send(s, bytes, n);
	do {
		got = send(s->fd, bytes, n, MSG_NOSIGNAL);
	} while (got < 0 && errno == EINTR);
	if (got >= 0)
		return got;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return fail_errno(s, errno);
}

/* The queue */

static size_t queued(const struct stream *s)
{
	return s->queue.len - s->queue_at;
}

static size_t queue_take(struct stream *s, char *bytes, size_t n)
{
	if (n > queued(s))
		n = queued(s);
	memcpy(bytes, s->queue.data + s->queue_at, n);
	s->queue_at += n;
	if (s->queue_at == s->queue.len) {
		buf_reset(&s->queue);
		s->queue_at = 0;
	}
	return n;
}

/* Take what is there into the queue, as far as S2 allows: 1 when there was
   something, 0 when not, -1. */
static int queue_fill(struct stream *s)
{
	bool some = false;

	buf_drop_front(&s->queue, s->queue_at);
	s->queue_at = 0;
	while (s->queue.len < STREAM_QUEUE) {
		size_t room = STREAM_QUEUE - s->queue.len;
		char bytes[READ_CHUNK];
		ssize_t got;

		got = raw_recv(s, bytes, room < READ_CHUNK ? room : READ_CHUNK);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		buf_add(&s->queue, bytes, (size_t)got);
		some = true;
	}
	return some;
}

/* A server that ends a session says why and closes. Our next bytes then meet a
   closed socket: read its last words before the stream is given up. */
static ssize_t send_or_listen(struct stream *s, const char *bytes, size_t n)
{
	struct err first;
	ssize_t got = raw_send(s, bytes, n);

	if (got >= 0) {
		s->sent += (uint64_t)got;
		return got;
	}
	first = s->failure;
	err_clear(&s->failure);
	queue_fill(s);
	s->failure = first;
	return -1;
}

/* The pipeline's face */

ssize_t stream_try_send(struct stream *s, const char *bytes, size_t n,
			struct err *e)
{
	size_t done = 0;

	if (is_dead(s))
		return stream_say_failure(s, e);
	while (done < n) {
		ssize_t got = send_or_listen(s, bytes + done, n - done);

		/* What is gone is gone and must be told, or the pipeline would
		   take a message for unsent that the server may have. The
		   failure is told next time. */
		if (got < 0 && !done)
			return stream_say_failure(s, e);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t stream_try_recv(struct stream *s, char *bytes, size_t n, struct err *e)
{
	ssize_t got;

	/* Whoever reads here frames the answers, and hands back at the start of
	   a line. */
	s->guard = (struct stream_guard){ .marker = MARKER_NONE };
	if (queued(s))
		return (ssize_t)queue_take(s, bytes, n);
	if (is_dead(s))
		return stream_say_failure(s, e);
	got = raw_recv(s, bytes, n);
	return got < 0 ? stream_say_failure(s, e) : got;
}

int stream_wait(struct stream *s, bool sending, struct err *e)
{
	short events = s->recv_wants;

	if (queued(s))
		return 0;
	if (is_dead(s))
		return stream_say_failure(s, e);
	if (s->ssl && SSL_pending(s->ssl) > 0)
		return 0;
	if (sending)
		events |= s->send_wants;
	switch (stream_poll(s->fd, events, s->timeout_ms)) {
	case 1:
		return 0;
	case 0:
		fail_silent(s, s->timeout_ms);
		break;
	default:
		fail_errno(s, errno);
	}
	return stream_say_failure(s, e);
}

/* libetpan's face */

static void guard_byte(struct stream_guard *g, char c)
{
	if (c == '\n') {
		g->line = 0;
		if (g->marker == MARKER_CLOSED)
			g->literal = g->number;
		g->marker = MARKER_NONE;
	} else if (c == '{') {
		g->marker = MARKER_OPEN;
		g->number = 0;
	} else if (g->marker == MARKER_OPEN && c >= '0' && c <= '9') {
		if (g->number <= LITERAL_MAX_BYTES)
			g->number = g->number * 10 + (uint64_t)(c - '0');
	} else if (g->marker == MARKER_OPEN && c == '}') {
		g->marker = MARKER_CLOSED;
	} else if (!(g->marker == MARKER_CLOSED && c == '\r')) {
		g->marker = MARKER_NONE;
	}
}

/* Look at what libetpan is about to get. -1 when it must not get it. */
static int guard_bytes(struct stream *s, const char *bytes, size_t n)
{
	struct stream_guard *g = &s->guard;

	g->answer += n;
	for (size_t i = 0; i < n;) {
		if (g->literal) {
			size_t skip = n - i;

			if (skip > g->literal)
				skip = (size_t)g->literal;
			g->literal -= skip;
			i += skip;
			continue;
		}
		g->line++;
		guard_byte(g, bytes[i++]);
		if (g->line > LINE_MAX_BYTES)
			return stream_fail(
				s, ERR_PROTOCOL, ERR_NEVER,
				"the server sent a line of more than %d bytes",
				LINE_MAX_BYTES);
		if (g->literal > LITERAL_MAX_BYTES)
			return stream_fail(
				s, ERR_PROTOCOL, ERR_NEVER,
				"the server announced a literal of more than %d bytes",
				LITERAL_MAX_BYTES);
	}
	if (g->answer > ANSWER_MAX_BYTES)
		return stream_fail(
			s, ERR_PROTOCOL, ERR_NEVER,
			"the server's answer goes on for more than %d bytes",
			ANSWER_MAX_BYTES);
	return 0;
}

/* Until something is in the queue. */
static int await_queue(struct stream *s)
{
	struct err ignored;

	while (!queued(s)) {
		if (is_dead(s))
			return -1;
		if (queue_fill(s) == 0 && stream_wait(s, false, &ignored) < 0)
			return -1;
	}
	return 0;
}

static ssize_t low_read(mailstream_low *low, void *bytes, size_t n)
{
	struct stream *s = low->data;

	if (await_queue(s) < 0)
		return -1;
	if (!s->ssl) {
		/* One line at a time: what comes behind the answer to STARTTLS
		   stays in the queue, where S3 finds it. */
		const char *from = s->queue.data + s->queue_at;
		const char *end = memchr(from, '\n', queued(s));

		if (end && n > (size_t)(end - from) + 1)
			n = (size_t)(end - from) + 1;
	}
	n = queue_take(s, bytes, n);
	return guard_bytes(s, bytes, n) < 0 ? -1 : (ssize_t)n;
}

static ssize_t low_write(mailstream_low *low, const void *bytes, size_t n)
{
	struct stream *s = low->data;
	size_t done = 0;

	s->guard.answer = 0;
	while (done < n) {
		short events = s->send_wants;
		ssize_t got;

		if (is_dead(s))
			return -1;
		got = send_or_listen(s, (const char *)bytes + done, n - done);
		if (got < 0)
			return -1;
		done += (size_t)got;
		if (got > 0)
			continue;
		/* A dead read side shows in the next round, with the failure
		 * kept. */
		if (queue_fill(s) < 0)
			continue;
		if (queued(s) < STREAM_QUEUE)
			events |= s->recv_wants;
		got = stream_poll(s->fd, events, s->timeout_ms);
		if (got < 0)
			return fail_errno(s, errno);
		if (got == 0)
			return fail_silent(s, s->timeout_ms);
	}
	return (ssize_t)n;
}

static void hang_up(struct stream *s)
{
	if (s->fd < 0)
		return;
	stream_tls_end(s, !is_dead(s));
	close(s->fd);
	s->fd = -1;
	stream_fail(s, ERR_OTHER, ERR_NEVER, "the connection was closed here");
}

static int low_close(mailstream_low *low)
{
	hang_up(low->data);
	return 0;
}

static int low_fd(mailstream_low *low)
{
	return ((struct stream *)low->data)->fd;
}

static void low_free(mailstream_low *low)
{
	stream_free(low->data);
}

static void low_cancel(mailstream_low *low)
{
	(void)low;
}

static struct mailstream_cancel *low_get_cancel(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static carray *low_certificates(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static mailstream_low_driver low_driver = {
	.mailstream_read = low_read,
	.mailstream_write = low_write,
	.mailstream_close = low_close,
	.mailstream_get_fd = low_fd,
	.mailstream_free = low_free,
	.mailstream_cancel = low_cancel,
	.mailstream_get_cancel = low_get_cancel,
	.mailstream_get_certificate_chain = low_certificates,
};

mailstream_low *stream_low(struct stream *s)
{
	if (!s->low)
		s->low = mailstream_low_new(s, &low_driver);
	if (!s->low)
		abort(); /* out of memory ends the run */
	return s->low;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	hang_up(s);
	if (s->low) {
		free(s->low->identifier);
		free(s->low);
	}
	buf_free(&s->queue);
	free(s->host);
	free(s->ca_file);
	free(s);
}
