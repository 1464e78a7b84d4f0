/* SPDX-License-Identifier: GPL-3.0-or-later */
/* COMPRESS=DEFLATE in the stream: both faces, plain and under TLS, against a peer with
   a zlib of its own; when bytes leave; and what a hostile deflate stream gets. */
#include "storage/imap/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libetpan/libetpan.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/buf.h"
#include "storage/imap/stream_internal.h"
#include "tests/imap/tls_pair.h"
#include "tests/lib/check.h"

enum {
	PATIENT_MS = 30 * 1000,
	QUIET_MS = 100,
	MUCH = 6 << 20, /* more than all buffers on the way hold */
	CHUNK = 32 << 10,
};

/* The server's side. It waits for what it does. */
struct peer {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	z_stream to, from;
	char in[CHUNK];
};

static struct pair cert;
static char cert_path[] = "/tmp/test-deflate-XXXXXX";

static void *accept_tls(void *arg)
{
	struct peer *p = arg;

	p->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(p->ctx, cert.cert);
	SSL_CTX_use_PrivateKey(p->ctx, cert.key);
	p->ssl = SSL_new(p->ctx);
	SSL_set_fd(p->ssl, p->fd);
	if (SSL_accept(p->ssl) != 1)
		abort();
	return NULL;
}

/* Not deflated yet. */
static struct stream *open_stream(struct peer *p, bool tls, int timeout_ms)
{
	struct stream_options opt = { .host = "localhost",
				      .ca_file = cert_path,
				      .timeout_ms = timeout_ms };
	struct stream *s;
	struct err e = ERR_INIT;
	pthread_t thread;
	int fds[2];

	memset(p, 0, sizeof(*p));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
	    deflateInit2(&p->to, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&p->from, -15) != Z_OK)
		abort();
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p->fd = fds[1];
	s = stream_from_fd(fds[0], &opt);
	if (tls) {
		pthread_create(&thread, NULL, accept_tls, p);
		CHECK(stream_start_tls(s, &e) == 0);
		pthread_join(thread, NULL);
	}
	return s;
}

static struct stream *deflated(struct peer *p, bool tls, int timeout_ms)
{
	struct stream *s = open_stream(p, tls, timeout_ms);
	struct err e = ERR_INIT;

	CHECK(!stream_is_deflated(s));
	CHECK(stream_start_deflate(s, &e) == 0);
	CHECK(stream_is_deflated(s));
	return s;
}

static void peer_hang_up(struct peer *p)
{
	if (p->ssl && p->fd >= 0)
		SSL_shutdown(p->ssl);
	SSL_free(p->ssl);
	p->ssl = NULL;
	SSL_CTX_free(p->ctx);
	p->ctx = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void close_both(struct peer *p, struct stream *s)
{
	stream_free(s);
	peer_hang_up(p);
	deflateEnd(&p->to);
	inflateEnd(&p->from);
}

static bool peer_write(struct peer *p, const char *bytes, size_t n)
{
	while (n) {
		ssize_t got = p->ssl ? SSL_write(p->ssl, bytes, (int)n) :
				       send(p->fd, bytes, n, MSG_NOSIGNAL);

		if (got <= 0)
			return false;
		bytes += got;
		n -= (size_t)got;
	}
	return true;
}

/* What deflate makes of bytes, behind out. */
static void squeeze(z_stream *z, const char *bytes, size_t n, int flush, struct buf *out)
{
	z->next_in = (Bytef *)bytes;
	z->avail_in = (uInt)n;
	do {
		buf_grow(out, CHUNK);
		z->next_out = (Bytef *)out->data + out->len;
		z->avail_out = CHUNK;
		deflate(z, flush);
		out->len += CHUNK - z->avail_out;
	} while (!z->avail_out);
}

static bool peer_say(struct peer *p, const char *bytes, size_t n)
{
	struct buf out = BUF_INIT;
	bool ok;

	squeeze(&p->to, bytes, n, Z_SYNC_FLUSH, &out);
	ok = peer_write(p, out.data, out.len);
	buf_free(&out);
	return ok;
}

/* Up to n bytes, fewer only at the end. */
static size_t peer_hear(struct peer *p, char *bytes, size_t n)
{
	p->from.next_out = (Bytef *)bytes;
	p->from.avail_out = (uInt)n;
	while (p->from.avail_out) {
		ssize_t got;

		if (!p->from.avail_in) {
			got = p->ssl ? SSL_read(p->ssl, p->in, CHUNK) :
				       recv(p->fd, p->in, CHUNK, 0);
			if (got <= 0)
				break;
			p->from.next_in = (Bytef *)p->in;
			p->from.avail_in = (uInt)got;
		}
		got = inflate(&p->from, Z_SYNC_FLUSH);
		if (got != Z_OK && got != Z_BUF_ERROR)
			break;
	}
	return n - p->from.avail_out;
}

/* Has anything come that was not heard? */
static bool peer_is_poked(const struct peer *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* Bytes that deflate makes nothing of, but for the lines in it. */
static void make_noise(char *bytes, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (char)(seed >> 24);
		if (i % 61 == 60)
			bytes[i] = '\n';
	}
}

/* Each face, as those use it who use it. */

static bool low_put(struct stream *s, const char *bytes, size_t n)
{
	mailstream_low *low = stream_low(s);

	return low->driver->mailstream_write(low, bytes, n) == (ssize_t)n;
}

static size_t low_get(struct stream *s, char *bytes, size_t n)
{
	mailstream_low *low = stream_low(s);
	size_t done = 0;
	ssize_t got = 1;

	for (; done < n && got > 0; done += got > 0 ? (size_t)got : 0)
		got = low->driver->mailstream_read(low, bytes + done, n - done);
	return done;
}

static size_t try_get(struct stream *s, char *bytes, size_t n, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = stream_try_recv(s, bytes + done, n - done, e);

		if (got < 0 || (got == 0 && stream_wait(s, false, e) < 0))
			break;
		done += got > 0 ? (size_t)got : 0;
	}
	return done;
}

/* Say and hear at once, as the append pipeline: whether all was said and heard. */
static bool converse(struct stream *s, const char *say, size_t n, char *heard, size_t m)
{
	size_t said = 0, done = 0;
	struct err e = ERR_INIT;

	while (said < n || done < m) {
		ssize_t put = stream_try_send(s, say + said, n - said, &e), got;

		if (put < 0)
			return false;
		said += (size_t)put;
		got = done < m ? stream_try_recv(s, heard + done, m - done, &e) : 0;
		if (got < 0)
			return false;
		done += (size_t)got;
		if (!put && !got && stream_wait(s, said < n, &e) < 0)
			return false;
	}
	/* Nothing is awaited any more, but the socket may still be full. */
	while (stream_deflate_flush(s) == 0)
		stream_poll(s->fd, s->send_wants, PATIENT_MS);
	return !stream_failure(s)[0];
}

struct chat {
	struct peer peer;
	char *says, *hears;
	size_t says_n;
	bool listens_first, ok;
};

static void *chat(void *arg)
{
	struct chat *c = arg;

	if (!c->listens_first)
		c->ok = peer_say(&c->peer, c->says, c->says_n);
	c->ok = peer_hear(&c->peer, c->hears, MUCH) == MUCH;
	if (c->listens_first)
		c->ok = peer_say(&c->peer, c->says, c->says_n);
	return NULL;
}

static void test_both_talk(bool tls, bool low)
{
	/* libetpan's face holds STREAM_QUEUE, the pipeline's listens. */
	struct chat c = { .says_n = low ? STREAM_QUEUE : MUCH };
	struct stream *s = deflated(&c.peer, tls, PATIENT_MS);
	char *say = mem_alloc(MUCH), *heard = mem_zalloc(MUCH);
	pthread_t thread;

	c.says = mem_alloc(MUCH);
	c.hears = mem_zalloc(MUCH);
	make_noise(say, MUCH, 1);
	make_noise(c.says, MUCH, 2);
	pthread_create(&thread, NULL, chat, &c);
	if (low)
		CHECK(low_put(s, say, MUCH) && low_get(s, heard, c.says_n) == c.says_n);
	else
		CHECK(converse(s, say, MUCH, heard, c.says_n));
	pthread_join(thread, NULL);
	CHECK(c.ok && !memcmp(say, c.hears, MUCH));
	CHECK(!memcmp(heard, c.says, c.says_n));
	CHECK(s->queue.len <= STREAM_QUEUE);
	CHECK(stream_bytes_sent(s) > MUCH / 2 &&
	      stream_bytes_sent(s) < MUCH + MUCH / 100);
	free(say);
	free(heard);
	free(c.says);
	free(c.hears);
	close_both(&c.peer, s);
}

/* S1: a peer that does not listen does not hold us for ever. */
static void test_deaf(bool low)
{
	struct peer p;
	struct stream *s = deflated(&p, false, QUIET_MS);
	char *say = mem_alloc(MUCH), byte;

	make_noise(say, MUCH, 1);
	if (low)
		CHECK(!low_put(s, say, MUCH));
	else
		CHECK(!converse(s, say, MUCH, &byte, 1));
	CHECK(strstr(stream_failure(s), "no answer for") != NULL);
	CHECK(stream_bytes_sent(s) < MUCH);
	free(say);
	close_both(&p, s);
}

static void test_byte_by_byte(bool tls)
{
	static const char said[] = "A1 APPEND x {5+}\r\nhello\r\nA2 NOOP\r\n";
	struct peer p;
	struct stream *s = deflated(&p, tls, PATIENT_MS);
	char heard[sizeof(said)] = "";
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = sizeof(said) - 1, got = 0;

	for (size_t i = 0; i < n; i++)
		CHECK(stream_try_send(s, said + i, 1, &e) == 1);
	CHECK(!peer_is_poked(&p));
	CHECK(stream_try_recv(s, heard, 1, &e) == 0);
	CHECK(peer_hear(&p, heard, n) == n && !strcmp(heard, said));

	squeeze(&p.to, said, n, Z_SYNC_FLUSH, &out);
	memset(heard, 0, n);
	for (size_t i = 0; i < out.len; i++) {
		CHECK(peer_write(&p, out.data + i, 1));
		CHECK(stream_wait(s, false, &e) == 0);
		while (got < n && stream_try_recv(s, heard + got, 1, &e) == 1)
			got++;
	}
	CHECK(got == n && !strcmp(heard, said));
	CHECK(stream_try_recv(s, heard, 1, &e) == 0);
	buf_free(&out);
	close_both(&p, s);
}

/* When bytes leave. */
static void test_flush(bool tls)
{
	struct peer p;
	struct stream *s = deflated(&p, tls, QUIET_MS);
	struct err e = ERR_INIT;
	uint64_t sent;
	char bytes[64];

	CHECK(stream_try_send(s, "A1 NOOP\r\n", 9, &e) == 9);
	CHECK_CASE("who has more to say does not flush",
		   stream_wait(s, true, &e) == 0 && !peer_is_poked(&p));
	peer_say(&p, "* OK\r\n", 6);
	CHECK_CASE("whoever waits has said all",
		   stream_wait(s, false, &e) == 0 && peer_hear(&p, bytes, 9) == 9 &&
			   !memcmp(bytes, "A1 NOOP\r\n", 9));
	CHECK(stream_bytes_sent(s) > 0);
	CHECK(stream_try_recv(s, bytes, 64, &e) == 6);

	CHECK(stream_try_send(s, "A2 NOOP\r\n", 9, &e) == 9 && !peer_is_poked(&p));
	CHECK_CASE("who finds nothing has said all",
		   stream_try_recv(s, bytes, 64, &e) == 0 &&
			   peer_hear(&p, bytes, 9) == 9);
	sent = stream_bytes_sent(s);
	CHECK_CASE("nothing new: nothing is flushed",
		   stream_try_recv(s, bytes, 64, &e) == 0 &&
			   stream_bytes_sent(s) == sent);
	CHECK_CASE("a command of libetpan's leaves as a whole",
		   low_put(s, "3 NOOP\r\n", 8) && peer_hear(&p, bytes, 8) == 8 &&
			   !memcmp(bytes, "3 NOOP\r\n", 8));
	CHECK(stream_try_send(s, "Z", 1, &e) == 1);
	CHECK_CASE("the end of our patience comes after a flush",
		   stream_wait(s, false, &e) == -1 && peer_hear(&p, bytes, 1) == 1);
	CHECK(e.kind == ERR_UNREACHABLE);
	close_both(&p, s);
}

/* The server may begin to deflate right behind its OK. */
static void test_behind_ok(bool tls, bool low)
{
	static const char ok[] = "1 OK begin\r\n", more[] = "* 3 EXISTS\r\n* 1 RECENT\r\n";
	struct peer p;
	struct stream *s = open_stream(&p, tls, PATIENT_MS);
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	char bytes[4096];
	mailstream_low *l = stream_low(s);
	size_t n = sizeof(more) - 1;
	ssize_t got;

	buf_add_str(&out, ok);
	squeeze(&p.to, more, n, Z_SYNC_FLUSH, &out);
	CHECK(peer_write(&p, out.data, out.len));
	got = l->driver->mailstream_read(l, bytes, sizeof(bytes));
	CHECK(got == (ssize_t)sizeof(ok) - 1 && !memcmp(bytes, ok, sizeof(ok) - 1));
	CHECK(stream_start_deflate(s, &e) == 0);
	CHECK(stream_wait(s, false, &e) == 0);
	if (low)
		CHECK(low_get(s, bytes, n) == n);
	else
		CHECK(try_get(s, bytes, n, &e) == n);
	CHECK(!memcmp(bytes, more, n));
	CHECK(low_put(s, "2 NOOP\r\n", 8) && peer_hear(&p, bytes, 8) == 8);
	buf_free(&out);
	close_both(&p, s);
}

/* Deflate streams that are none. What is good before the fault is given. */
static const struct {
	const char *what, *good, *bytes;
	size_t n;
	int flush; /* of the good bytes */
	const char *error;
} broken[] = {
	{ "a block of no type", "", "\x07", 1, Z_SYNC_FLUSH, "cannot be read" },
	{ "text", "* OK\r\n", "A1 OK plain\r\n", 13, Z_SYNC_FLUSH, "cannot be read" },
	{ "lengths that do not agree", "* OK\r\n", "\0\1\0\1\0", 5, Z_SYNC_FLUSH,
	  "cannot be read" },
	{ "a distance before the beginning", "", "\x02\x62\0\0", 4, Z_SYNC_FLUSH,
	  "cannot be read" },
	{ "the end", "* BYE x\r\n", "", 0, Z_FINISH, "ended its compressed stream" },
	{ "the end, and more", "* BYE x\r\n", "* OK\r\n", 6, Z_FINISH,
	  "ended its compressed stream" },
	{ "an end of the socket", "* BYE x\r\n", "", 0, Z_SYNC_FLUSH,
	  "closed the connection" },
	{ "an end in the middle of a block", "", "\x01", 1, Z_SYNC_FLUSH,
	  "closed the connection" },
};

static void test_broken(size_t i, bool tls, bool low)
{
	struct peer p;
	struct stream *s = deflated(&p, tls, PATIENT_MS);
	size_t n = strlen(broken[i].good);
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;
	char bytes[4096];

	if (n || broken[i].flush == Z_FINISH)
		squeeze(&p.to, broken[i].good, n, broken[i].flush, &out);
	buf_add(&out, broken[i].bytes, broken[i].n);
	CHECK(peer_write(&p, out.data, out.len));
	peer_hang_up(&p);
	CHECK_CASE(broken[i].what,
		   (low ? low_get(s, bytes, sizeof(bytes)) :
			  try_get(s, bytes, sizeof(bytes), &e)) == n);
	CHECK_CASE(broken[i].what, !memcmp(bytes, broken[i].good, n));
	CHECK_CASE(broken[i].what, strstr(stream_failure(s), broken[i].error));
	CHECK(stream_try_send(s, "x", 1, &e) == -1);
	CHECK_CASE(broken[i].what,
		   e.kind == (strstr(e.text, "closed") ? ERR_UNREACHABLE : ERR_PROTOCOL));
	CHECK_STR(e.text, stream_failure(s));
	CHECK(stream_wait(s, false, &e) == -1 && stream_try_recv(s, bytes, 1, &e) == -1);
	CHECK_STR(e.text, stream_failure(s));
	buf_free(&out);
	close_both(&p, s);
}

/* Empty blocks are what flushes look like. */
static void *say_nothing(void *arg)
{
	struct peer *p = arg;
	char blocks[5 * 4096];

	for (size_t i = 0; i < sizeof(blocks); i += 5)
		memcpy(blocks + i, "\0\0\0\xff\xff", 5);
	while (peer_write(p, blocks, sizeof(blocks)))
		;
	return NULL;
}

static void test_nothing(bool low)
{
	struct peer p;
	struct stream *s = deflated(&p, false, PATIENT_MS);
	struct err e = ERR_INIT;
	pthread_t thread;
	char byte;

	CHECK(peer_write(&p, "\0\0\0\xff\xff", 5));
	CHECK(stream_wait(s, false, &e) == 0);
	CHECK(stream_try_recv(s, &byte, 1, &e) == 0);
	pthread_create(&thread, NULL, say_nothing, &p);
	CHECK((low ? low_get(s, &byte, 1) : try_get(s, &byte, 1, &e)) == 0);
	CHECK(strstr(stream_failure(s), "bytes of nothing") != NULL);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close_both(&p, s);
}

/* A GiB of zeros, a MiB at a time, each of which is about a thousand bytes. */
static void *say_zeros(void *arg)
{
	struct peer *p = arg;
	char *zeros = mem_zalloc(1 << 20);
	struct buf out = BUF_INIT;

	squeeze(&p->to, zeros, 1 << 20, Z_FULL_FLUSH, &out);
	CHECK(out.len < 8192);
	for (int i = 0; i < 1024 && peer_write(p, out.data, out.len); i++)
		;
	shutdown(p->fd, SHUT_WR);
	free(zeros);
	buf_free(&out);
	return NULL;
}

static long peak_kib(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_maxrss;
}

static void test_bomb(bool low)
{
	struct peer p;
	struct stream *s = deflated(&p, false, PATIENT_MS);
	char *bytes = mem_alloc(1 << 20);
	struct err e = ERR_INIT;
	long before = peak_kib();
	uint64_t heard = 0;
	pthread_t thread;
	size_t got;

	pthread_create(&thread, NULL, say_zeros, &p);
	while ((got = low ? low_get(s, bytes, 1 << 20) :
			    try_get(s, bytes, 1 << 20, &e)) > 0) {
		heard += got;
		CHECK(s->queue.len <= (low ? STREAM_QUEUE : 0));
		CHECK(s->deflate && !bytes[got - 1]);
	}
	CHECK_CASE("in pieces, or not at all: a line has its bounds",
		   low ? heard < 2 << 20 : heard == UINT64_C(1) << 30);
	CHECK(strstr(stream_failure(s), low ? "a line of more than" :
					      "closed the connection") != NULL);
	CHECK(peak_kib() - before < 32 << 10);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	free(bytes);
	close_both(&p, s);
}

/* Who leaves says why, deflated too: whatever it is that finds the socket closed. */
static void test_last_words(int by)
{
	struct peer p;
	struct stream *s = deflated(&p, false, PATIENT_MS);
	char *noise = mem_alloc(MUCH), bytes[64];
	struct err e = ERR_INIT;

	make_noise(noise, MUCH, 1);
	CHECK(stream_try_send(s, "A1 NOOP\r\n", 9, &e) == 9);
	peer_say(&p, "* BYE x\r\n", 9);
	peer_hang_up(&p);
	switch (by) {
	case 0: /* a send: what was taken is told */
		CHECK(stream_try_send(s, noise, MUCH, &e) > 0);
		CHECK(stream_try_send(s, noise, 1, &e) == -1);
		break;
	case 1:
		CHECK(stream_wait(s, false, &e) == 0);
		break;
	case 2:
		CHECK(!low_put(s, "x\r\n", 3));
		break;
	}
	CHECK(stream_try_recv(s, bytes, sizeof(bytes), &e) == 9);
	CHECK(!memcmp(bytes, "* BYE x\r\n", 9));
	CHECK(stream_try_recv(s, bytes, sizeof(bytes), &e) == -1);
	CHECK_STR(e.text, "localhost: the server closed the connection");
	CHECK(stream_try_send(s, "x", 1, &e) == -1);
	free(noise);
	close_both(&p, s);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* OpenSSL's server side raises it */
	cert = make_pair("leaf", "DNS:localhost", 100, NULL);
	write_cert(&cert, cert_path);
	for (int i = 0; i < 4; i++) {
		test_both_talk(i & 1, i & 2);
		test_behind_ok(i & 1, i & 2);
		for (size_t k = 0; k < sizeof(broken) / sizeof(broken[0]); k++)
			test_broken(k, i & 1, i & 2);
	}
	for (int i = 0; i < 2; i++) {
		test_byte_by_byte(i);
		test_flush(i);
		test_deaf(i);
		test_nothing(i);
		test_bomb(i);
	}
	for (int i = 0; i < 3; i++)
		test_last_words(i);
	unlink(cert_path);
	free_pair(&cert);
	return check_done();
}
