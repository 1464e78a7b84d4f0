/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_STREAM_INTERNAL_H
#define MAILHAUL_STORAGE_IMAP_STREAM_INTERNAL_H

#include "core/base/buf.h"
#include "storage/imap/stream.h"

#include <openssl/ssl.h>

/* What stream.c and stream_tls.c share. Nobody else includes this but tests, which
   make streams of sockets of their own. */

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

	struct buf queue; /* arrived, not asked for; begins at queue_at */
	size_t queue_at;
	struct stream_guard guard;
	uint64_t sent;
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

/* One attempt over TLS: bytes, 0 (the wants say what to wait for), or -1. */
ssize_t stream_tls_recv(struct stream *s, char *bytes, size_t n);
ssize_t stream_tls_send(struct stream *s, const char *bytes, size_t n);
/* Say close_notify when say is set, and let go. */
void stream_tls_end(struct stream *s, bool say);

#endif
