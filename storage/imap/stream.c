/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two faces, and the queue between them and what is below. S1-S4 are in
   stream.h. */
#include "storage/imap/stream.h"

#include <errno.h>
#include <libetpan/mailstream_low.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "storage/imap/stream_internal.h"

enum {
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

/* What is below the faces: deflate, or what is below that. */
static ssize_t raw_recv(struct stream *s, char *bytes, size_t n)
{
	return s->deflate ? stream_deflate_recv(s, bytes, n)
			  : stream_below_recv(s, bytes, n);
}

ssize_t stream_below_recv(struct stream *s, char *bytes, size_t n)
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

static ssize_t below_send(struct stream *s, const char *bytes, size_t n)
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
ssize_t stream_below_send(struct stream *s, const char *bytes, size_t n)
{
	struct err first;
	ssize_t got = below_send(s, bytes, n);

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

/* Take bytes from a face: how many (0: the socket is full), or -1. */
static ssize_t take(struct stream *s, const char *bytes, size_t n)
{
	return s->deflate ? stream_deflate_send(s, bytes, n)
			  : stream_below_send(s, bytes, n);
}

/* Bring out what deflate holds back: 1 when all has left, 0, -1. */
static int flush(struct stream *s)
{
	return s->deflate ? stream_deflate_flush(s) : 1;
}

/* The pipeline's face */

ssize_t stream_try_send(struct stream *s, const char *bytes, size_t n,
			struct err *e)
{
	size_t done = 0;

	if (is_dead(s))
		return stream_say_failure(s, e);
	while (done < n) {
		ssize_t got = take(s, bytes + done, n - done);

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
	/* Whoever finds nothing is about to wait or to do something else. The
	   server is to have heard all by then, or we its last words. */
	if (got == 0 && flush(s) < 0)
		got = queued(s) ? (ssize_t)queue_take(s, bytes, n) : -1;
	return got < 0 ? stream_say_failure(s, e) : got;
}

/* Is there anything to receive above the socket? */
static bool has_arrived(const struct stream *s)
{
	return queued(s) || (s->ssl && SSL_pending(s->ssl) > 0) ||
	       (s->deflate && stream_deflate_has_more(s));
}

int stream_will_wait(struct stream *s, bool sending, struct pollfd *p_r,
		     struct err *e)
{
	bool full = sending;

	if (queued(s))
		return 1;
	if (is_dead(s))
		return stream_say_failure(s, e);
	if (has_arrived(s))
		return 1;
	if (s->deflate) {
		/* Who has more to say needs no flush, only room. One attempt is
		   enough here: whoever finds nothing afterwards comes back. */
		if (!sending && stream_deflate_flush(s) < 0)
			return queued(s) ? 1 : stream_say_failure(s, e);
		full = stream_deflate_is_stuck(s);
		if (sending && !full)
			return 1;
	}
	*p_r = (struct pollfd){
		.fd = s->fd,
		.events = full ? s->recv_wants | s->send_wants : s->recv_wants,
	};
	return 0;
}

int stream_wait(struct stream *s, bool sending, struct err *e)
{
	struct pollfd p;
	int got = stream_will_wait(s, sending, &p, e);

	if (got)
		return got < 0 ? -1 : 0;
	got = stream_poll(p.fd, p.events, s->timeout_ms);
	if (got > 0)
		return 0;
	if (got == 0)
		return stream_time_out(s, e);
	fail_errno(s, errno);
	return stream_say_failure(s, e);
}

int stream_time_out(struct stream *s, struct err *e)
{
	fail_silent(s, s->timeout_ms);
	return stream_say_failure(s, e);
}

int stream_timeout_ms(const struct stream *s)
{
	return s->timeout_ms;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
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
	const char *from, *end;

	if (await_queue(s) < 0)
		return -1;
	/* One line at a time: what comes behind the answer to STARTTLS stays in
	   the queue, where S3 finds it, and what comes behind the one to
	   COMPRESS is not text. */
	from = s->queue.data + s->queue_at;
	if (n > queued(s))
		n = queued(s);
	end = memchr(from, '\n', n);
	if (end)
		n = (size_t)(end - from) + 1;
	n = queue_take(s, bytes, n);
	if (guard_bytes(s, bytes, n) == 0)
		return (ssize_t)n;
	/* Nobody reads on behind a gap. */
	buf_reset(&s->queue);
	s->queue_at = 0;
	return -1;
}

/* While the socket is full: drain what arrives, wait until something changes.
 */
static int await_room(struct stream *s)
{
	short events = s->send_wants;
	int got;

	/* A dead read side shows in the caller's next round, with the failure
	   kept. */
	if (queue_fill(s) < 0)
		return 0;
	if (queued(s) < STREAM_QUEUE)
		events |= s->recv_wants;
	got = stream_poll(s->fd, events, s->timeout_ms);
	if (got < 0)
		return fail_errno(s, errno);
	return got ? 0 : fail_silent(s, s->timeout_ms);
}

static ssize_t low_write(mailstream_low *low, const void *bytes, size_t n)
{
	struct stream *s = low->data;
	size_t done = 0;
	int flushed = 0;

	s->guard.answer = 0;
	while (done < n || !flushed) {
		ssize_t got = 0;

		if (is_dead(s))
			return -1;
		if (done < n)
			got = take(s, (const char *)bytes + done, n - done);
		else
			flushed = flush(s);
		if (got < 0 || flushed < 0)
			return -1;
		done += (size_t)got;
		if (!got && !flushed && await_room(s) < 0)
			return -1;
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
	stream_deflate_end(s);
	buf_free(&s->queue);
	free(s->host);
	free(s->ca_file);
	free(s);
}
