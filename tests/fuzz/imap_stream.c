/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever bytes come from the server, deflated or not, and in whichever pieces:
   - what comes out is what went in (or what zlib makes of it in one go), to the last
     byte before the end or the fault; libetpan's face may stop earlier, at its bounds;
   - not more than STREAM_QUEUE is held that nobody asked for;
   - what we say meanwhile has arrived whenever a read finds nothing;
   - the first failure is repeated for ever.

   The first byte is flags, the second says where the pieces end; the rest is what the
   server says. */
#include <fcntl.h>
#include <libetpan/libetpan.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/buf.h"
#include "storage/imap/stream_internal.h"

enum {
	DEFLATE = 1 << 0,
	BEHIND_OK = 1 << 1, /* the first piece comes with the OK to COMPRESS */
	LOW = 1 << 2,	    /* libetpan reads what the last piece brings */
	TALK = 1 << 3,	    /* we speak, too */

	INPUT_MAX = 16 << 10, /* of which deflate makes 16 MiB at most */
	READ_MAX = 4096,
	MUCH = 32 << 10, /* takes long: one in 64 is enough */
};
static const char ok[] = "1 OK begin\r\n";

struct run {
	struct stream *s;
	int peer;
	unsigned flags;
	uint32_t dice;
	struct buf want;	/* from the server, as it should come out */
	size_t got;		/* of that */
	struct buf said, heard; /* to the server, before and behind deflate */
	z_stream from;
	bool bounded; /* libetpan was not given all */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is freed need not be kept for long: most of it are zlib's tables. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8";
}

static void need(bool true_)
{
	if (!true_)
		abort();
}

/* 1 ... max, mostly small. */
static size_t roll(struct run *r, size_t max)
{
	r->dice = r->dice * 1664525 + 1013904223;
	max = r->dice >> 30 ? 1 + max / 64 : max;
	return 1 + (r->dice >> 8) % max;
}

/* Small reads of what deflate blew up take long and find nothing. */
static size_t read_size(struct run *r)
{
	return r->got < 16 << 10 ? roll(r, READ_MAX) : READ_MAX;
}

/* What zlib makes of all of it. */
static void inflate_at_once(const uint8_t *data, size_t n, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)n };

	need(inflateInit2(&z, -15) == Z_OK);
	do {
		buf_grow(out, 64 << 10);
		z.next_out = (Bytef *)out->data + out->len;
		z.avail_out = 64 << 10;
		if (inflate(&z, Z_SYNC_FLUSH) != Z_OK)
			n = 0;
		out->len += (64 << 10) - z.avail_out;
	} while (n && !z.avail_out);
	inflateEnd(&z);
}

static void take(struct run *r, const char *bytes, size_t n)
{
	need(n <= r->want.len - r->got &&
	     !memcmp(bytes, r->want.data + r->got, n));
	r->got += n;
	need(r->s->queue.len <= STREAM_QUEUE);
}

/* What the server has heard so far is what was said so far, or the first of it. */
static void check_heard(struct run *r, bool all)
{
	char bytes[READ_MAX], out[READ_MAX];
	ssize_t n;

	while ((n = recv(r->peer, bytes, sizeof(bytes), 0)) > 0) {
		r->from.next_in = (Bytef *)bytes;
		r->from.avail_in = (uInt)n;
		if (!(r->flags & DEFLATE)) {
			buf_add(&r->heard, bytes, (size_t)n);
			continue;
		}
		do {
			int rc;

			r->from.next_out = (Bytef *)out;
			r->from.avail_out = sizeof(out);
			rc = inflate(&r->from, Z_SYNC_FLUSH);
			need(rc == Z_OK || rc == Z_BUF_ERROR);
			buf_add(&r->heard, out, sizeof(out) - r->from.avail_out);
		} while (!r->from.avail_out);
	}
	need(r->heard.len <= r->said.len && (!all || r->heard.len == r->said.len) &&
	     !memcmp(r->heard.data, r->said.data, r->heard.len));
}

static void say(struct run *r, const uint8_t *data, size_t n)
{
	struct err e = ERR_INIT;
	ssize_t got = stream_try_send(r->s, (const char *)data, n, &e);

	if (got > 0)
		buf_add(&r->said, data, (size_t)got);
}

/* As the pipeline, until nothing is there: whether it goes on. */
static bool read_all(struct run *r)
{
	char bytes[READ_MAX];
	struct err e = ERR_INIT;
	ssize_t n;

	while ((n = stream_try_recv(r->s, bytes, read_size(r), &e)) > 0)
		take(r, bytes, (size_t)n);
	check_heard(r, n == 0);
	return n == 0;
}

/* As libetpan, to the end or to what it must not get. */
static void low_read_all(struct run *r)
{
	mailstream_low *low = stream_low(r->s);
	char bytes[READ_MAX];
	ssize_t n;

	while ((n = low->driver->mailstream_read(low, bytes, read_size(r))) > 0)
		take(r, bytes, (size_t)n);
	r->bounded = r->s->guard.line > 1 << 20 || r->s->guard.literal > 64 << 20;
}

static void start_deflate(struct run *r)
{
	mailstream_low *low = stream_low(r->s);
	char bytes[READ_MAX];
	struct err e = ERR_INIT;

	if (r->flags & BEHIND_OK) {
		size_t n = sizeof(ok) - 1;

		need(low->driver->mailstream_read(low, bytes, sizeof(bytes)) ==
		     (ssize_t)n);
		need(!memcmp(bytes, ok, n));
	}
	need(stream_start_deflate(r->s, &e) == 0);
}

static void serve(struct run *r, const uint8_t *data, size_t n)
{
	bool alive = true, started = !(r->flags & DEFLATE);

	if (!started && (r->flags & BEHIND_OK))
		need(write(r->peer, ok, sizeof(ok) - 1) > 0);
	while (alive && n) {
		size_t some = roll(r, 2048);

		some = some < n ? some : n;
		need(write(r->peer, data, some) == (ssize_t)some);
		if (!started)
			start_deflate(r);
		started = true;
		if (r->flags & TALK)
			say(r, data, some);
		data += some;
		n -= some;
		if (n || !(r->flags & LOW))
			alive = read_all(r);
	}
	shutdown(r->peer, SHUT_WR);
	if (r->flags & LOW)
		low_read_all(r);
	else if (alive)
		need(!read_all(r));
}

static void check_end(struct run *r)
{
	const char *why = stream_failure(r->s);
	struct err e[3] = { ERR_INIT, ERR_INIT, ERR_INIT };
	char *first = mem_strdup(why), bytes[READ_MAX];

	need(*why);
	need(r->bounded || r->got == r->want.len);
	need(stream_try_recv(r->s, bytes, sizeof(bytes), &e[0]) == -1);
	need(stream_try_send(r->s, "x", 1, &e[1]) == -1);
	need(stream_wait(r->s, false, &e[2]) == -1);
	for (int i = 0; i < 3; i++)
		need(!strcmp(e[i].text, first) && !strcmp(stream_failure(r->s), first));
	free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct stream_options opt = { .host = "server", .timeout_ms = 1 };
	struct run r = { .want = BUF_INIT,
			 .said = BUF_INIT,
			 .heard = BUF_INIT };
	int fds[2];

	if (n < 3 || n > INPUT_MAX)
		return 0;
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	r.flags = data[0];
	r.dice = data[1];
	r.s = stream_from_fd(fds[0], &opt);
	r.peer = fds[1];
	need(inflateInit2(&r.from, -15) == Z_OK);
	if (r.flags & DEFLATE)
		inflate_at_once(data + 2, n - 2, &r.want);
	else
		buf_add(&r.want, data + 2, n - 2);
	if (r.want.len > MUCH && data[1] % 64)
		goto out;
	serve(&r, data + 2, n - 2);
	check_heard(&r, false);
	check_end(&r);
out:
	inflateEnd(&r.from);
	stream_free(r.s);
	close(r.peer);
	buf_free(&r.want);
	buf_free(&r.said);
	buf_free(&r.heard);
	return 0;
}
