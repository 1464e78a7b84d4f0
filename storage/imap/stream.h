/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_STREAM_H
#define MAILHAUL_STORAGE_IMAP_STREAM_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A connection: socket, TLS by OpenSSL, one deadline. It has two faces.

   libetpan talks over stream_low(): reads and writes that wait, each at most
   timeout_ms. While the kernel takes nothing of a write, arriving bytes are drained
   into a bounded queue, so that the two sides never stand still with full buffers.

   The append pipeline talks over stream_try_send/stream_try_recv, which never wait,
   and stream_wait.

   S1  After a failure the stream is dead: every later call fails with the first
       failure's text. Only what had arrived before is still given: a server that
       leaves says why.
   S2  Not more than STREAM_QUEUE bytes that nobody asked for are held.
   S3  STARTTLS begins with an empty queue, or not at all: what was said before
       TLS is not believed after it (CVE-2011-0411, CVE-2020-15953).
   S4  TLS is at least 1.2; chain and host name are verified; SNI is sent for names. */
enum { STREAM_QUEUE = 1 << 20 };

struct stream;
struct _mailstream_low;

struct stream_options {
	const char *host;
	unsigned port;
	const char *ca_file; /* NULL: the system's */
	int connect_timeout_ms;
	int timeout_ms;
	bool loopback_only; /* ERR_CONFIG for any other address, before connecting */
};

/* Resolve and connect (every address in turn). ERR_UNREACHABLE/ERR_ACCOUNT. */
int stream_connect(const struct stream_options *opt, struct stream **s_r,
		   struct err *e);
/* Is the peer a loopback address? For --plaintext. */
bool stream_is_loopback(const struct stream *s);
/* Handshake and verify. S3 holds or it fails with ERR_PROTOCOL. */
int stream_start_tls(struct stream *s, struct err *e);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "plain text". */
const char *stream_describe(const struct stream *s);

/* libetpan's view. Freeing the low (mailimap_free does) frees the stream. */
struct _mailstream_low *stream_low(struct stream *s);

/* Take up to n bytes now: how many (0: none right now), or -1. What was not taken
   comes first in the next call, not fewer bytes of it: TLS may have begun on them. */
ssize_t stream_try_send(struct stream *s, const char *bytes, size_t n,
			struct err *e);
/* Give up to n bytes that are there: how many (0: none right now), or -1 (also at
   the end of the stream: a server does not leave without BYE). */
ssize_t stream_try_recv(struct stream *s, char *bytes, size_t n, struct err *e);
/* Wait until try_recv may give something or, when sending, try_send may take
   something. 0, or -1 after timeout_ms of silence in both directions. */
int stream_wait(struct stream *s, bool sending, struct err *e);

/* The same for whoever waits for several: 1 when there is no need to wait, 0 with *p_r to
   poll for, -1. */
struct pollfd;
int stream_will_wait(struct stream *s, bool sending, struct pollfd *p_r,
		     struct err *e);
/* Silence of timeout_ms is over: the stream dies of it. Returns -1. */
int stream_time_out(struct stream *s, struct err *e);
int stream_timeout_ms(const struct stream *s);
int stream_fd(const struct stream *s);

/* COMPRESS=DEFLATE (RFC 4978), both ways, from the next byte on: right after the server's
   tagged OK, with nothing unread and nothing unsent. What is given to try_send may then stay
   here until stream_wait, or a read that finds nothing, pushes it out; so whoever has said
   all he has to say waits, as the pipeline does. What the queue holds already is taken for
   compressed: low_read gives one line at a time, so it begins right behind the OK. A
   deflate stream that is broken, ends, or is a MiB of empty blocks kills the connection
   with ERR_PROTOCOL; one that makes much of little is passed on in pieces (S2). */
int stream_start_deflate(struct stream *s, struct err *e);
bool stream_is_deflated(const struct stream *s);

/* The failure that killed the stream; "" while it lives. */
const char *stream_failure(const struct stream *s);
/* Bytes handed to the connection: behind deflate, before TLS, so without its framing. */
uint64_t stream_bytes_sent(const struct stream *s);
void stream_free(struct stream *s);

#endif
