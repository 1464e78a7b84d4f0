/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_STREAM_INTERNAL_H
#define MAILHAUL_STORAGE_IMAP_STREAM_INTERNAL_H

#include "core/base/buf.h"
#include "storage/imap/stream.h"

#include <openssl/ssl.h>

/* What the files of the stream share: stream.c has the two faces, stream_connect.c
   makes the connection, stream_tls.c and stream_deflate.c lie between the faces and the
   socket, in that order from below. Nobody else includes this but tests, which make
   streams of sockets of their own. */

/* Follows what libetpan is given. libetpan bounds neither lines nor literals, so
   somebody else has to. */
struct stream_guard {
	enum { MARKER_NONE, MARKER_OPEN, MARKER_CLOSED } marker;
	uint64_t number;  /* inside the braces, so far */
	uint64_t literal; /* bytes of a literal still to come */
	uint64_t line;	  /* bytes of the line so far */
	uint64_t answer;  /* bytes since we last said something */
};

struct stream {
	int fd;
	char *host;
	unsigned port;
	char *ca_file;
	int connect_timeout_ms, timeout_ms;

	struct err failure; /* text is "" while the stream lives */
	SSL_CTX *ctx;
	BIO_METHOD *bio;
	SSL *ssl;
	short send_wants, recv_wants; /* what poll has to see first */
	bool at_end;		      /* of the plain socket; for OpenSSL */
	struct stream_deflate *deflate; /* NULL: nothing is compressed */

	struct buf queue; /* arrived, not asked for; begins at queue_at */
	size_t queue_at;
	struct stream_guard guard;
	uint64_t sent; /* handed down, behind deflate */
	struct _mailstream_low *low;
	char described[128];
};

/* A stream over a connected socket, which is the stream's from now on. */
struct stream *stream_from_fd(int fd, const struct stream_options *opt);

/* Remember the first failure and repeat it into e. Both return -1. */
int stream_fail(struct stream *s, enum err_kind kind, enum err_retry retry,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int stream_say_failure(const struct stream *s, struct err *e);

/* poll() one descriptor, through signals: 1, 0 after ms milliseconds, -1. */
int stream_poll(int fd, short events, int ms);

/* One attempt with what is below deflate, TLS or the socket: bytes, 0 (the wants say
   what to wait for), or -1. When a send fails, what the server said before it went is
   in the queue. */
ssize_t stream_below_recv(struct stream *s, char *bytes, size_t n);
ssize_t stream_below_send(struct stream *s, const char *bytes, size_t n);

/* The same over TLS. */
ssize_t stream_tls_recv(struct stream *s, char *bytes, size_t n);
ssize_t stream_tls_send(struct stream *s, const char *bytes, size_t n);
/* Say close_notify when say is set, and let go. */
void stream_tls_end(struct stream *s, bool say);

/* stream_deflate.c. All but the last are for a stream that is deflated. */

/* Measured with zlib 1.2.13, flushed every 300 kB: 4 MB of mail as text shrink to 0.221
   with level 1 (140 MB/s), 0.208 with 3 (110), 0.181 with 6 (54) and 0.179 with 9 (51);
   42 MB with pictures in base64 to 0.675 (48 MB/s), 0.671 (46), 0.654 (34) and 0.653
   (29). Level 6 still fills 150 Mbit/s, and lines on which deflate pays are slower. */
enum { STREAM_DEFLATE_LEVEL = 6 };

/* Take bytes, as many as can be deflated before the socket is full: how many. They may
   stay inside. 0: the socket is full; -1 only when none was taken. */
ssize_t stream_deflate_send(struct stream *s, const char *bytes, size_t n);
/* Push out what is inside: 1 when all has left, 0 when the socket is full, -1. */
int stream_deflate_flush(struct stream *s);
/* Is there output that the socket did not take? */
bool stream_deflate_is_stuck(const struct stream *s);
/* One attempt: bytes, 0 when there are none right now, -1. */
ssize_t stream_deflate_recv(struct stream *s, char *bytes, size_t n);
/* May recv have something, whatever the socket has? */
bool stream_deflate_has_more(const struct stream *s);
void stream_deflate_end(struct stream *s);

#endif
