/* SPDX-License-Identifier: GPL-3.0-or-later */
/* COMPRESS=DEFLATE (RFC 4978): raw deflate both ways, between the stream's
   faces and TLS or the socket.

   Output is made into a buffer of fixed size, and only when that is empty: so
   it holds something only while the socket is full, and then nothing more is
   taken. Input is inflated straight to whoever asks, never more than was asked
   for: a few bytes that make gigabytes cost nobody anything before they are
   read. */
#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "storage/imap/stream_internal.h"

enum {
	WINDOW_BITS = -15, /* no header, no checksum: RFC 4978 section 3 */
	MEM_LEVEL = 8,
	OUT_BYTES = 64 << 10,
	IN_BYTES = 16 << 10,
	/* Input in a row that comes to nothing: empty blocks are what a flush
	   looks like, but nobody flushes for ever. */
	IDLE_MAX = 1 << 20,
};

struct stream_deflate {
	z_stream to, from;
	char out[OUT_BYTES];
	size_t out_at, out_len;
	bool dirty;    /* something was taken since the last whole flush */
	struct buf in; /* received, not yet inflated from in_at on */
	size_t in_at;
	bool more;     /* the last inflate stopped before it ran dry */
	uint64_t idle; /* bytes inflated since one came out */
};

static voidpf zalloc(voidpf ctx, uInt n, uInt size)
{
	(void)ctx;
	return mem_alloc((size_t)n * size);
}

static void zfree(voidpf ctx, voidpf p)
{
	(void)ctx;
	free(p);
}

int stream_start_deflate(struct stream *s, struct err *e)
{
	struct stream_deflate *d;

	if (s->failure.text[0])
		return stream_say_failure(s, e);
	assert(!s->deflate);
	d = mem_zalloc(sizeof(*d));
	d->to.zalloc = d->from.zalloc = zalloc;
	d->to.zfree = d->from.zfree = zfree;
	if (deflateInit2(&d->to, STREAM_DEFLATE_LEVEL, Z_DEFLATED, WINDOW_BITS,
			 MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&d->from, WINDOW_BITS) != Z_OK)
		abort(); /* the wrong zlib */
	/* The server may begin right behind its OK (other than with TLS, where
	   S3 forbids it), so what the queue holds is compressed already. */
	d->in = s->queue;
	d->in_at = s->queue_at;
	d->more = d->in.len > d->in_at;
	buf_init(&s->queue);
	s->queue_at = 0;
	s->deflate = d;
	return 0;
}

bool stream_is_deflated(const struct stream *s)
{
	return s->deflate != NULL;
}

void stream_deflate_end(struct stream *s)
{
	struct stream_deflate *d = s->deflate;

	if (!d)
		return;
	s->deflate = NULL;
	deflateEnd(&d->to);
	inflateEnd(&d->from);
	buf_free(&d->in);
	free(d);
}

/* Sending */

bool stream_deflate_is_stuck(const struct stream *s)
{
	return s->deflate->out_len > 0;
}

/* 1 when out is empty, 0 when the socket is full, -1. */
static int push(struct stream *s)
{
	struct stream_deflate *d = s->deflate;

	while (d->out_at < d->out_len) {
		ssize_t got = stream_below_send(s, d->out + d->out_at,
						d->out_len - d->out_at);

		if (got <= 0)
			return (int)got;
		d->out_at += (size_t)got;
	}
	d->out_at = d->out_len = 0;
	return 1;
}

/* Deflate into the empty out: how many of the n bytes were used. */
static size_t fill_out(struct stream_deflate *d, const char *bytes, size_t n,
		       int flush)
{
	int rc;

	assert(!d->out_len);
	if (n > INT32_MAX)
		n = INT32_MAX;
	d->to.next_in = (Bytef *)bytes;
	d->to.avail_in = (uInt)n;
	d->to.next_out = (Bytef *)d->out;
	d->to.avail_out = sizeof(d->out);
	rc = deflate(&d->to, flush);
	assert(rc == Z_OK);
	d->out_len = sizeof(d->out) - d->to.avail_out;
	return n - d->to.avail_in;
}

ssize_t stream_deflate_send(struct stream *s, const char *bytes, size_t n)
{
	struct stream_deflate *d = s->deflate;
	size_t done = 0;
	int ret;

	while ((ret = push(s)) > 0 && done < n) {
		done += fill_out(d, bytes + done, n - done, Z_NO_FLUSH);
		d->dirty = true;
	}
	/* What is inside counts as gone: the failure is told next time. */
	return ret < 0 && !done ? -1 : (ssize_t)done;
}

int stream_deflate_flush(struct stream *s)
{
	struct stream_deflate *d = s->deflate;
	int ret;

	while ((ret = push(s)) > 0 && d->dirty) {
		fill_out(d, "", 0, Z_SYNC_FLUSH);
		/* A full buffer: perhaps there is more. Asked once too often,
		   deflate adds one more empty block, which says nothing. */
		d->dirty = d->to.avail_out == 0;
	}
	return ret;
}

/* Receiving */

static int fail_inflate(struct stream *s, int rc)
{
	if (rc == Z_STREAM_END)
		return stream_fail(s, ERR_PROTOCOL, ERR_NOW,
				   "the server ended its compressed stream");
	return stream_fail(
		s, ERR_PROTOCOL, ERR_NOW,
		"what the server sends compressed cannot be read%s%s",
		s->deflate->from.msg ? ": " : "",
		s->deflate->from.msg ? s->deflate->from.msg : "");
}

/* Inflate what is here: bytes, 0 when more input is needed, -1. An end or an
   error that comes behind good bytes comes again when it is asked for more. */
static ssize_t inflate_some(struct stream *s, char *bytes, size_t n)
{
	struct stream_deflate *d = s->deflate;
	size_t used, got;
	int rc;

	if (n > INT32_MAX)
		n = INT32_MAX;
	d->from.next_in = (Bytef *)d->in.data + d->in_at;
	d->from.avail_in = (uInt)(d->in.len - d->in_at);
	d->from.next_out = (Bytef *)bytes;
	d->from.avail_out = (uInt)n;
	rc = inflate(&d->from, Z_SYNC_FLUSH);
	used = d->in.len - d->in_at - d->from.avail_in;
	got = n - d->from.avail_out;
	d->in_at += used;
	d->idle = got ? 0 : d->idle + used;
	d->more = !d->from.avail_out || d->from.avail_in ||
		  (rc != Z_OK && rc != Z_BUF_ERROR);
	if (got)
		return (ssize_t)got;
	if (d->more)
		return fail_inflate(s, rc);
	if (d->idle > IDLE_MAX)
		return stream_fail(s, ERR_PROTOCOL, ERR_NEVER,
				   "the server sent %d bytes of nothing",
				   IDLE_MAX);
	return 0;
}

ssize_t stream_deflate_recv(struct stream *s, char *bytes, size_t n)
{
	struct stream_deflate *d = s->deflate;
	ssize_t got;

	if (!n)
		return 0;
	while ((got = inflate_some(s, bytes, n)) == 0) {
		buf_shrink(&d->in, 2 * IN_BYTES); /* the queue was larger */
		d->in_at = 0;
		buf_grow(&d->in, IN_BYTES);
		got = stream_below_recv(s, d->in.data, IN_BYTES);
		if (got <= 0)
			break;
		d->in.len = (size_t)got;
	}
	return got;
}

bool stream_deflate_has_more(const struct stream *s)
{
	return s->deflate->more;
}
