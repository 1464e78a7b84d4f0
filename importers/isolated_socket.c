/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket between an isolated importer and its child. A question and its answer
   are the cost of a message, so each is one call to the kernel where it can be. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "importers/isolated_wire.h"

enum { HEAD = 5, ROOM = HEAD + WIRE_MAX };

void wire_open(struct wire *w, int fd)
{
	*w = (struct wire){ .fd = fd, .out = BUF_INIT };
	w->bytes = mem_alloc(ROOM);
}

void wire_close(struct wire *w)
{
	close(w->fd);
	free(w->bytes);
	buf_free(&w->out);
	w->bytes = NULL;
}

int wire_flush(struct wire *w)
{
	const char *bytes = w->out.data;
	size_t n = w->out.len;

	while (n) {
		ssize_t sent = send(w->fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -1;
		bytes += sent;
		n -= (size_t)sent;
	}
	buf_reset(&w->out);
	return 0;
}

int wire_send(struct wire *w, enum wire_kind kind, const char *bytes, size_t n)
{
	char head[HEAD] = { (char)kind };

	for (int i = 0; i < 4; i++)
		head[1 + i] = (char)(n >> (8 * i));
	buf_add(&w->out, head, sizeof(head));
	buf_add(&w->out, bytes, n);
	return w->out.len >= WIRE_MAX ? wire_flush(w) : 0;
}

/* 1 when there is something to read, -1. */
static int await(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = -1;
	int got;

	do {
		if (until >= 0) {
			left = until - clock_ms();
			left = left < 0 ? 0 : left > 60000 ? 60000 : left;
		}
		got = poll(&p, 1, (int)left);
	} while ((got < 0 && errno == EINTR) || (got == 0 && left > 0));
	if (got == 0)
		errno = ETIMEDOUT;
	return got > 0 ? 1 : -1;
}

/* Until there are so many: 1, 0 at the end (also in the middle), -1. */
static int have(struct wire *w, size_t n, int64_t until)
{
	while (w->n - w->at < n) {
		ssize_t got;

		if (w->at) {
			memmove(w->bytes, w->bytes + w->at, w->n - w->at);
			w->n -= w->at;
			w->at = 0;
		}
		if (until >= 0 && await(w->fd, until) < 0)
			return -1;
		got = recv(w->fd, w->bytes + w->n, ROOM - w->n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		w->n += (size_t)got;
	}
	return 1;
}

int wire_receive(struct wire *w, int64_t timeout_ms, struct wire_frame *f)
{
	int64_t until = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	const unsigned char *head;
	size_t n = 0;
	int got = have(w, HEAD, until);

	if (got <= 0)
		return got;
	head = (const unsigned char *)w->bytes + w->at;
	for (int i = 0; i < 4; i++)
		n |= (size_t)head[1 + i] << (8 * i);
	if (n > WIRE_MAX) {
		errno = EPROTO;
		return -1;
	}
	got = have(w, HEAD + n, until);
	if (got <= 0)
		return got;
	*f = (struct wire_frame){
		.kind = (unsigned char)w->bytes[w->at],
		.bytes = w->bytes + w->at + HEAD,
		.n = n,
	};
	w->at += HEAD + n;
	return 1;
}
