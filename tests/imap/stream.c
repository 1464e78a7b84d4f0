/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stream: connecting, TLS and trust, bounds, and two sides that both talk. S1-S4
   are in storage/imap/stream.h. */
#include "storage/imap/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libetpan/libetpan.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "storage/imap/stream_internal.h"
#include "tests/imap/tls_pair.h"
#include "tests/lib/check.h"

enum { PATIENT_MS = 30 * 1000, QUIET_MS = 100 };

/* A server on loopback that takes one connection. */

struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	const struct pair *pair; /* NULL: no TLS */
	int max_version;	 /* 0: the newest */
	const char *starttls;	 /* said before TLS, after a line was heard */
	const char *say;
	size_t say_n;
	bool cut;	/* end without close_notify */
	int end;	/* what SSL_read said last: the client's way to leave */
	char version[16];
};

static int listen_on_loopback(unsigned *port_r, int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
	    (backlog >= 0 && listen(fd, backlog) < 0) ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		abort();
	*port_r = ntohs(sin.sin_port);
	return fd;
}

static void say_plain(int fd, const char *s)
{
	if (send(fd, s, strlen(s), MSG_NOSIGNAL) < 0)
		return;
}

static void serve_tls(struct server *srv, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;
	char bytes[4096];
	int got = 0;

	SSL_CTX_use_certificate(ctx, srv->pair->cert);
	SSL_CTX_use_PrivateKey(ctx, srv->pair->key);
	if (srv->max_version) {
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(ctx, srv->max_version);
	}
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		snprintf(srv->version, sizeof(srv->version), "%s",
			 SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) ?
				 "SNI" :
				 "none");
		if (srv->say)
			SSL_write(ssl, srv->say, (int)srv->say_n);
		while (!srv->cut && (got = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
			SSL_write(ssl, bytes, got); /* echo */
		if (!srv->cut)
			srv->end = SSL_get_error(ssl, got);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void *serve(void *arg)
{
	struct server *srv = arg;
	int fd = accept(srv->fd, NULL, NULL);
	char line[256];

	if (fd < 0)
		return NULL;
	if (srv->starttls) {
		say_plain(fd, "* OK hello\r\n");
		if (recv(fd, line, sizeof(line), 0) > 0)
			say_plain(fd, srv->starttls);
	}
	if (srv->pair)
		serve_tls(srv, fd);
	else
		say_plain(fd, "* OK hello, no TLS here\r\n");
	close(fd);
	return NULL;
}

static void server_start(struct server *srv)
{
	srv->fd = listen_on_loopback(&srv->port, 4);
	pthread_create(&srv->thread, NULL, serve, srv);
}

static void server_stop(struct server *srv)
{
	shutdown(srv->fd, SHUT_RDWR);
	pthread_join(srv->thread, NULL);
	close(srv->fd);
}

/* Both ends of a socket pair. */
static struct stream *pair_stream(int *peer_r, int timeout_ms)
{
	struct stream_options opt = { .host = "test",
				      .timeout_ms = timeout_ms };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*peer_r = fds[1];
	return stream_from_fd(fds[0], &opt);
}

/* Wait until n bytes are there. */
static size_t recv_all(struct stream *s, char *bytes, size_t n, struct err *e)
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

static void test_connect(void)
{
	struct stream_options opt = { .host = "127.0.0.1",
				      .connect_timeout_ms = QUIET_MS };
	int fd, fill[8];
	struct stream *s;
	struct err e = ERR_INIT;
	size_t n = 0;

	fd = listen_on_loopback(&opt.port, 1);
	CHECK(stream_connect(&opt, &s, &e) == 0);
	CHECK(stream_is_loopback(s));
	CHECK_STR(stream_describe(s), "plain text");
	CHECK_STR(stream_failure(s), "");
	stream_free(s);

	/* A full queue of connections: the kernel drops ours. */
	for (; n < 8; n++) {
		struct sockaddr_in sin = { .sin_family = AF_INET,
					   .sin_port = htons((uint16_t)opt.port) };

		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fill[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fill[n], (struct sockaddr *)&sin, sizeof(sin)) == 0)
			continue;
	}
	CHECK(stream_connect(&opt, &s, &e) == -1);
	CHECK(e.kind == ERR_UNREACHABLE && e.scope == ERR_ACCOUNT &&
	      e.retry == ERR_LATER);
	CHECK(strstr(e.text, "does not answer") != NULL);
	while (n)
		close(fill[--n]);
	close(fd);

	fd = listen_on_loopback(&opt.port, -1); /* bound, not listening */
	CHECK(stream_connect(&opt, &s, &e) == -1);
	CHECK(e.kind == ERR_UNREACHABLE && e.retry == ERR_LATER);
	CHECK(strstr(e.text, "refused") != NULL);
	close(fd);

	/* A name that is too long for DNS is looked up nowhere. */
	opt.host = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test";
	CHECK(stream_connect(&opt, &s, &e) == -1);
	CHECK(e.kind == ERR_UNREACHABLE && e.retry == ERR_NEVER);
	CHECK(strstr(e.text, "no host of this name") != NULL);
}

/* Trust. */

enum holder { LOCALHOST, OTHERS, ADDRESS, EXPIRED, FUTURE, SELF, N_HOLDERS };

static const struct {
	const char *what;
	enum holder holder;
	const char *host;
	bool know_ca;
	const char *error; /* NULL: it is trusted */
} trust[] = {
	{ "a certificate for the name", LOCALHOST, "localhost", true, NULL },
	{ "a certificate for the address", ADDRESS, "127.0.0.1", true, NULL },
	{ "the authority is not known", LOCALHOST, "localhost", false,
	  "signed by an authority that is not trusted here (subject CN = leaf, issuer CN = test authority); if you know it, give it with --ca-file FILE" },
	{ "a certificate for other names", OTHERS, "localhost", true,
	  "localhost: its certificate is for mail.example.org, *.example.net, 192.0.2.1, not for localhost" },
	{ "a name's certificate does not serve for the address", LOCALHOST,
	  "127.0.0.1", true, "is for localhost, not for 127.0.0.1" },
	{ "expired", EXPIRED, "localhost", true, "expired on 20" },
	{ "not yet valid", FUTURE, "localhost", true, "not valid before 20" },
	{ "signed by itself", SELF, "localhost", true, "not trusted here" },
};

static void test_trust(void)
{
	struct pair ca = make_pair("test authority", NULL, 100, NULL);
	struct pair pairs[N_HOLDERS] = {
		[LOCALHOST] = make_pair("leaf", "DNS:localhost", 100, &ca),
		[OTHERS] = make_pair(
			"leaf", "DNS:mail.example.org,DNS:*.example.net,IP:192.0.2.1",
			100, &ca),
		[ADDRESS] = make_pair("leaf", "IP:127.0.0.1", 100, &ca),
		[EXPIRED] = make_pair("leaf", "DNS:localhost", 5, &ca),
		[FUTURE] = make_pair("leaf", "DNS:localhost", 100, &ca),
		[SELF] = make_pair("leaf", "DNS:localhost", 100, NULL),
	};
	char path[] = "/tmp/test-stream-XXXXXX";

	X509_gmtime_adj(X509_getm_notBefore(pairs[FUTURE].cert), 30L * 86400);
	X509_sign(pairs[FUTURE].cert, ca.key, EVP_sha256());
	write_cert(&ca, path);
	for (size_t i = 0; i < sizeof(trust) / sizeof(trust[0]); i++) {
		struct server srv = { .pair = &pairs[trust[i].holder] };
		struct stream_options opt = { .host = trust[i].host,
					      .ca_file = trust[i].know_ca ? path :
									    NULL };
		struct stream *s;
		struct err e = ERR_INIT;
		char echo[5];
		int ret;

		server_start(&srv);
		opt.port = srv.port;
		ret = stream_connect(&opt, &s, &e);
		CHECK_CASE(trust[i].what, ret == 0);
		if (ret < 0)
			goto next;
		ret = stream_start_tls(s, &e);
		CHECK_CASE(trust[i].what, (ret == 0) == !trust[i].error);
		if (ret < 0) {
			CHECK_CASE(trust[i].what, trust[i].error &&
							  strstr(e.text, trust[i].error));
			CHECK_CASE(trust[i].what, e.kind == ERR_UNREACHABLE &&
							  e.scope == ERR_ACCOUNT &&
							  e.retry == ERR_NEVER);
			CHECK_STR(stream_failure(s), e.text);
			CHECK(stream_try_send(s, "x", 1, &e) == -1);
			CHECK_STR(stream_failure(s), e.text);
		} else {
			CHECK(!strncmp(stream_describe(s), "TLSv1.3 TLS_", 12));
			CHECK(stream_try_send(s, "hello", 5, &e) == 5);
			CHECK(recv_all(s, echo, 5, &e) == 5);
			CHECK(!memcmp(echo, "hello", 5));
			CHECK(stream_bytes_sent(s) == 5);
		}
		stream_free(s);
	next:
		server_stop(&srv);
		if (!trust[i].error) {
			CHECK_CASE("close_notify is said",
				   srv.end == SSL_ERROR_ZERO_RETURN);
			CHECK_STR(srv.version,
				  trust[i].holder == ADDRESS ? "none" : "SNI");
		}
	}
	unlink(path);
	for (int i = 0; i < N_HOLDERS; i++)
		free_pair(&pairs[i]);
	free_pair(&ca);
}

static void fail_tls(struct server *srv, const char *ca_file, enum err_kind kind,
		     const char *want)
{
	struct stream_options opt = { .host = "localhost", .ca_file = ca_file };
	struct stream *s;
	struct err e = ERR_INIT;

	server_start(srv);
	opt.port = srv->port;
	CHECK(stream_connect(&opt, &s, &e) == 0);
	CHECK(stream_start_tls(s, &e) == -1);
	CHECK_CASE(want, e.kind == kind && strstr(e.text, want));
	stream_free(s);
	server_stop(srv);
}

static void test_no_tls(void)
{
	struct pair self = make_pair("leaf", "DNS:localhost", 100, NULL);
	struct server plain = { .fd = -1 };
	struct server old = { .pair = &self, .max_version = TLS1_1_VERSION };
	struct server any = { .pair = &self };

	fail_tls(&plain, NULL, ERR_UNREACHABLE, "but not with TLS");
	fail_tls(&old, NULL, ERR_UNREACHABLE, "no TLS newer than 1.1");
	fail_tls(&any, "/dev/null", ERR_CONFIG, "--ca-file /dev/null");
	free_pair(&self);
}

/* Who is cut off does not take it for the end: TLS must say that it ends. */
static void test_truncation(void)
{
	char path[] = "/tmp/test-stream-XXXXXX", bytes[8];
	struct pair self = make_pair("leaf", "DNS:localhost", 100, NULL);
	struct server srv = { .pair = &self, .cut = true, .say = "* BYE x\r\n",
			      .say_n = 5 };
	struct stream_options opt = { .host = "localhost", .ca_file = path };
	struct stream *s;
	struct err e = ERR_INIT;

	write_cert(&self, path); /* the server's own: trusted when it is given */
	server_start(&srv);
	opt.port = srv.port;
	CHECK(stream_connect(&opt, &s, &e) == 0);
	CHECK(stream_start_tls(s, &e) == 0);
	CHECK(recv_all(s, bytes, 8, &e) == 5);
	CHECK(e.kind == ERR_UNREACHABLE && e.retry == ERR_NOW);
	stream_free(s);
	server_stop(&srv);
	unlink(path);
	free_pair(&self);
}

/* S3: as libetpan sees STARTTLS. */
static void test_starttls(const char *answer, const char *want)
{
	char path[] = "/tmp/test-stream-XXXXXX", line[256];
	struct pair self = make_pair("leaf", "DNS:localhost", 100, NULL);
	struct server srv = { .pair = &self, .starttls = answer };
	struct stream_options opt = { .host = "localhost", .ca_file = path };
	mailstream_low *low;
	struct stream *s;
	struct err e = ERR_INIT;
	ssize_t got;

	write_cert(&self, path);
	server_start(&srv);
	opt.port = srv.port;
	CHECK(stream_connect(&opt, &s, &e) == 0);
	low = stream_low(s);
	got = low->driver->mailstream_read(low, line, sizeof(line));
	CHECK(got == 12 && !memcmp(line, "* OK hello\r\n", 12));
	CHECK(low->driver->mailstream_write(low, "1 STARTTLS\r\n", 12) == 12);
	got = low->driver->mailstream_read(low, line, sizeof(line));
	CHECK(got == 6 && !memcmp(line, "1 OK\r\n", 6));
	CHECK(stream_start_tls(s, &e) == (want ? -1 : 0));
	if (want) {
		CHECK_CASE(want, e.kind == ERR_PROTOCOL && strstr(e.text, want));
		CHECK_CASE("the server hears nothing more", srv.end == 0);
	}
	mailstream_low_close(low);
	mailstream_low_free(low);
	server_stop(&srv);
	unlink(path);
	free_pair(&self);
}

/* libetpan's bounds: the server says head and n times fill, all that times over, and
   then tail. */
static bool say_and_read(int peer, mailstream_low *low, const char *bytes,
			 size_t n)
{
	char got[32768];

	if (write(peer, bytes, n) != (ssize_t)n)
		abort();
	while (n) {
		ssize_t some = low->driver->mailstream_read(low, got, sizeof(got));

		if (some <= 0)
			return false;
		n -= (size_t)some;
	}
	return true;
}

static void feed(const char *head, char fill, size_t n, int times,
		 const char *tail, const char *want)
{
	int peer;
	struct stream *s = pair_stream(&peer, QUIET_MS);
	mailstream_low *low = stream_low(s);
	char chunk[32768];
	bool alive = true;

	memset(chunk, fill, sizeof(chunk));
	while (alive && times--) {
		alive = say_and_read(peer, low, head, strlen(head));
		for (size_t left = n; alive && left;) {
			size_t some = left < sizeof(chunk) ? left : sizeof(chunk);

			alive = say_and_read(peer, low, chunk, some);
			left -= some;
		}
	}
	if (alive)
		alive = say_and_read(peer, low, tail, strlen(tail));
	if (alive) /* and then silence */
		CHECK(low->driver->mailstream_read(low, chunk, 1) < 0);
	CHECK_CASE(want, strstr(stream_failure(s), want) != NULL);
	close(peer);
	mailstream_low_close(low);
	mailstream_low_free(low);
}

static void test_bounds(void)
{
	feed("* OK ", 'x', (1 << 20) - 7, 1, "\r\n", "no answer for");
	feed("* OK ", 'x', 1 << 20, 1, "\r\n", "a line of more than");
	feed("* X {67108864}\r\n", 'x', 0, 1, "y", "no answer for");
	feed("* X {67108865}\r\n", 'x', 0, 1, "y", "a literal of more than");
	feed("* X {99999999999999999999999999999}\r\n", 'x', 0, 1, "y",
	     "a literal of more than");
	/* Inside a literal there are no lines; outside there are. */
	feed("* X {2000000}\r\n", 'x', 2000000, 1, ")\r\n", "no answer for");
	feed("* X {2000000}\r\n", 'x', 2000000 + (1 << 20) + 1, 1, "\r\n",
	     "a line of more than");
	feed("* X {60000000}\r\n", 'x', 60000000, 5, "", "goes on for more than");
}

/* Two that talk at once. */
enum { MUCH = 8 << 20, CHAT = 768 << 10 };

struct peer {
	int fd;
	size_t chat; /* said before anything is read */
	bool ok;
};

static void *talk_then_listen(void *arg)
{
	struct peer *p = arg;
	char *bytes = mem_zalloc(MUCH);
	size_t got = 0;
	ssize_t some;

	memset(bytes, 'n', p->chat);
	for (size_t put = 0; put < p->chat; put += (size_t)some) {
		some = send(p->fd, bytes + put, p->chat - put, MSG_NOSIGNAL);
		if (some < 0)
			goto out;
	}
	while (got < MUCH && (some = read(p->fd, bytes + got, MUCH - got)) > 0)
		got += (size_t)some;
	p->ok = got == MUCH;
	for (size_t i = 0; i < MUCH; i++)
		p->ok = p->ok && bytes[i] == (char)(i % 251);
out:
	free(bytes);
	return NULL;
}

static void test_both_talk(size_t chat, bool fits)
{
	struct peer p = { .chat = chat };
	struct stream *s = pair_stream(&p.fd, fits ? PATIENT_MS : QUIET_MS);
	mailstream_low *low = stream_low(s);
	char *bytes = mem_alloc(MUCH);
	size_t heard = 0;
	pthread_t thread;
	ssize_t got;

	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = (char)(i % 251);
	pthread_create(&thread, NULL, talk_then_listen, &p);
	got = low->driver->mailstream_write(low, bytes, MUCH);
	CHECK_CASE("full buffers on both sides", got == (fits ? MUCH : -1));
	CHECK_CASE("S2", s->queue.len <= STREAM_QUEUE);
	if (!fits) /* S1, but what had come is still given */
		CHECK(strstr(stream_failure(s), "no answer") != NULL);
	while (fits && heard < chat &&
	       (got = low->driver->mailstream_read(low, bytes, MUCH)) > 0)
		for (ssize_t i = 0; i < got; i++)
			heard += bytes[i] == 'n';
	CHECK_CASE("nothing is lost of what was drained",
		   heard == (fits ? chat : 0));
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	CHECK(p.ok == fits);
	close(p.fd);
	free(bytes);
	mailstream_low_close(low);
	mailstream_low_free(low);
}

/* A server says why it leaves and closes: the words are read although the write that
   finds it closed fails, and no signal kills us. */
static void test_last_words(void)
{
	int peer;
	struct stream *s = pair_stream(&peer, PATIENT_MS);
	struct err e = ERR_INIT;
	char bytes[32];

	signal(SIGPIPE, SIG_DFL); /* the servers of the other tests are gone */
	if (write(peer, "* BYE x\r\n", 9) != 9)
		abort();
	close(peer);
	CHECK(stream_try_send(s, "NOOP", 4, &e) == -1);
	CHECK(e.kind == ERR_UNREACHABLE && e.retry == ERR_NOW);
	CHECK(stream_try_recv(s, bytes, sizeof(bytes), &e) == 9);
	CHECK(!memcmp(bytes, "* BYE x\r\n", 9));
	CHECK(stream_try_recv(s, bytes, sizeof(bytes), &e) == -1);
	CHECK_STR(e.text, "test: the server closed the connection");
	CHECK(stream_wait(s, true, &e) == -1);
	CHECK_STR(e.text, stream_failure(s));
	stream_free(s);
}

static void test_wait(void)
{
	int peer;
	struct stream *s = pair_stream(&peer, QUIET_MS);
	struct err e = ERR_INIT;
	char byte;

	CHECK(stream_wait(s, true, &e) == 0); /* it takes bytes */
	if (write(peer, "x", 1) != 1)
		abort();
	CHECK(stream_wait(s, false, &e) == 0);
	CHECK(stream_try_recv(s, &byte, 1, &e) == 1);
	CHECK(stream_try_recv(s, &byte, 1, &e) == 0);
	CHECK(stream_wait(s, false, &e) == -1);
	CHECK(e.kind == ERR_UNREACHABLE && e.retry == ERR_LATER);
	CHECK(stream_try_send(s, "x", 1, &e) == -1);
	CHECK(strstr(e.text, "no answer for 1 seconds") != NULL);
	close(peer);
	stream_free(s);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* OpenSSL's server side raises it */
	test_connect();
	test_trust();
	test_no_tls();
	test_truncation();
	test_starttls("1 OK\r\n", NULL);
	test_starttls("1 OK\r\n* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n",
		      "more than the answer to STARTTLS");
	test_bounds();
	test_both_talk(CHAT, true);
	test_both_talk(4 << 20, false);
	test_last_words();
	test_wait();
	return check_done();
}
