/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting for one or several pipelines, and what that says of the line. */
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "core/base/clock.h"
#include "storage/imap/append_internal.h"
#include "storage/imap/internal.h"

/* Bytes that the kernel could not put on the line yet: not counting what is on
   its way, which only says that the peer is far. 0 where the kernel cannot say.
 */
static bool line_is_full(const struct imap_append *a)
{
	int unsent = 0;

	return ioctl(stream_fd(a->s->stream), SIOCOUTQNSD, &unsent) == 0 &&
	       unsent > 0;
}

static uint64_t unacknowledged(const struct imap_append *a)
{
	int bytes = 0;

	if (ioctl(stream_fd(a->s->stream), SIOCOUTQ, &bytes) < 0 || bytes < 0)
		return 0;
	return (uint64_t)bytes;
}

void imap_append_line(const struct imap_append *a, struct append_line *l_r)
{
	uint64_t sent = stream_bytes_sent(a->s->stream) - a->first_sent;
	uint64_t held = unacknowledged(a);
	int64_t ms = a->first_ms ? clock_ms() - a->first_ms : 0;

	*l_r = (struct append_line){ .elapsed_ms = ms, .line_ms = a->line_ms };
	if (ms > 0 && sent > held)
		l_r->bytes_per_second = (sent - held) * 1000 / (uint64_t)ms;
}

/* One of those that are waited for. */
struct waiting {
	struct imap_append *a;
	bool line; /* it is the line that makes us wait */
};

static bool owes_answers(const struct imap_append *a)
{
	return a->flight.n || append_has_to_send(a) || !wire_is_idle(&a->wire);
}

/* When will a have something to do by itself: a pause is over, or its server
   has been silent for too long? */
static int64_t due(const struct imap_append *a)
{
	if (owes_answers(a))
		return a->moved_ms + stream_timeout_ms(a->s->stream);
	if (a->todo.n && !a->held)
		return a->pace->not_before;
	return INT64_MAX;
}

/* A pause between commands may be over before an answer comes. */
static int64_t next_command(const struct imap_append *a, int64_t now)
{
	return a->todo.n && !a->held && a->pace->not_before > now
		       ? a->pace->not_before
		       : INT64_MAX;
}

static void end_silent(struct imap_append *a, int64_t now)
{
	struct err e = ERR_INIT;

	if (a->dead || !owes_answers(a) ||
	    now - a->moved_ms < stream_timeout_ms(a->s->stream))
		return;
	stream_time_out(a->s->stream, &e);
	append_lose(a, &e);
}

/* Fill in fds and waiting: how many, or -1 when there is no need to wait. */
static int prepare(struct imap_append *const *as, size_t n, struct pollfd *fds,
		   struct waiting *waiting, int64_t now, int64_t *until_r)
{
	int k = 0;

	*until_r = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		struct imap_append *a = as[i];
		struct err e = ERR_INIT;
		int64_t at;
		int got;

		if (!a || a->dead)
			continue;
		got = stream_will_wait(a->s->stream, append_has_to_send(a),
				       &fds[k], &e);
		if (got < 0)
			append_lose(a, &e);
		if (got != 0)
			return -1;
		at = due(a);
		*until_r = at < *until_r ? at : *until_r;
		at = next_command(a, now);
		*until_r = at < *until_r ? at : *until_r;
		waiting[k++] =
			(struct waiting){ .a = a, .line = line_is_full(a) };
	}
	return k;
}

void imap_append_wait(struct imap_append *const *as, size_t n)
{
	struct waiting waiting[IMAP_MEMBERS_MAX];
	struct pollfd fds[IMAP_MEMBERS_MAX];
	int64_t now = clock_ms(), until, ms;
	int k = prepare(as, n, fds, waiting, now, &until);

	if (k < 0)
		return;
	ms = until == INT64_MAX ? -1 : until > now ? until - now : 0;
	/* Nothing is awaited of anybody: whoever calls has nothing to wait for.
	 */
	if (!k || ms < 0)
		return;
	/* A signal is no reason to wait longer or shorter: the caller looks. */
	poll(fds, (nfds_t)k, ms < 1000 * 1000 ? (int)ms : 1000 * 1000);
	ms = clock_ms() - now;
	for (int i = 0; i < k; i++) {
		if (waiting[i].line)
			waiting[i].a->line_ms += ms;
		end_silent(waiting[i].a, now + ms);
	}
}
