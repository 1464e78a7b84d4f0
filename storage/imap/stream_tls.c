/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stream's TLS: OpenSSL over the stream's own socket. Whatever makes a
   server not trustworthy is said in words that tell what to do about it. */
#include "storage/imap/stream_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/clock.h"
#include "storage/imap/preset.h"

/* The way to the socket. OpenSSL's own socket BIO uses write(), which raises
   SIGPIPE when the peer is gone; a library must not depend on its program to
   ignore it. */

static int bio_write(BIO *b, const char *bytes, int n)
{
	struct stream *s = BIO_get_data(b);
	ssize_t got;

	BIO_clear_retry_flags(b);
	do {
		got = send(s->fd, bytes, (size_t)n, MSG_NOSIGNAL);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		BIO_set_retry_write(b);
	return (int)got;
}

static int bio_read(BIO *b, char *bytes, int n)
{
	struct stream *s = BIO_get_data(b);
	ssize_t got;

	BIO_clear_retry_flags(b);
	do {
		got = recv(s->fd, bytes, (size_t)n, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		BIO_set_retry_read(b);
	if (got == 0)
		s->at_end = true;
	return (int)got;
}

static long bio_ctrl(BIO *b, int what, long num, void *ptr)
{
	struct stream *s = BIO_get_data(b);

	(void)num;
	(void)ptr;
	switch (what) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return s->at_end;
	}
	return 0;
}

static BIO *bio_for(struct stream *s)
{
	BIO *b;

	s->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(),
			      "stream");
	if (!s->bio)
		return NULL;
	BIO_meth_set_write(s->bio, bio_write);
	BIO_meth_set_read(s->bio, bio_read);
	BIO_meth_set_ctrl(s->bio, bio_ctrl);
	b = BIO_new(s->bio);
	if (b) {
		BIO_set_data(b, s);
		BIO_set_init(b, 1);
	}
	return b;
}

/* Names for people. A certificate can hold any text of any length: what the
   sentence says behind a name must still fit. */
enum { NAME_SHOWN = 120 };

static void cut_name(struct buf *out)
{
	size_t len = NAME_SHOWN;

	if (out->len <= NAME_SHOWN)
		return;
	while (len > 0 && ((unsigned char)out->data[len] & 0xC0) == 0x80)
		len--;
	buf_cut(out, len);
	buf_add_str(out, "...");
}

static void add_name(struct buf *out, const X509_NAME *name)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (!mem)
		return;
	X509_NAME_print_ex(mem, name, 0,
			   XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(mem, &text);
	if (text && len > 0)
		buf_add(out, text, (size_t)len);
	BIO_free(mem);
	cut_name(out);
}

static void add_alt_name(struct buf *out, const GENERAL_NAME *gn)
{
	char text[INET6_ADDRSTRLEN] = "";
	int type, len;
	const ASN1_STRING *str = GENERAL_NAME_get0_value(gn, &type);

	if (type != GEN_DNS && type != GEN_IPADD)
		return;
	len = ASN1_STRING_length(str);
	if (out->len)
		buf_add_str(out, ", ");
	if (type == GEN_DNS && len > 0)
		buf_add(out, ASN1_STRING_get0_data(str), (size_t)len);
	else if (len == 4 || len == 16)
		buf_add_str(out, inet_ntop(len == 4 ? AF_INET : AF_INET6,
					   ASN1_STRING_get0_data(str), text,
					   sizeof(text)));
}

/* Whom the certificate is for: its alternative names, or its subject. */
static void add_holders(struct buf *out, const X509 *cert)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	enum { NAMES_SHOWN = 5 };
	int n = names ? sk_GENERAL_NAME_num(names) : 0;

	for (int i = 0; i < n && i < NAMES_SHOWN; i++)
		add_alt_name(out, sk_GENERAL_NAME_value(names, i));
	if (n > NAMES_SHOWN)
		buf_add_str(out, ", ...");
	GENERAL_NAMES_free(names);
	cut_name(out);
	if (!out->len)
		add_name(out, X509_get_subject_name(cert));
}

static void add_time(struct buf *out, const ASN1_TIME *t)
{
	struct tm tm;

	if (t && ASN1_TIME_to_tm(t, &tm))
		buf_addf(out, "%04d-%02d-%02d", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday);
	else
		buf_add_str(out, "an unreadable date");
}

/* Trust */

static void explain(struct stream *s, int error, const X509 *cert)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		add_holders(&a, cert);
		stream_fail(s, ERR_UNREACHABLE, ERR_NEVER,
			    "its certificate is for %s, not for %s", a.data,
			    s->host);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		add_time(&a, X509_get0_notAfter(cert));
		add_name(&b, X509_get_subject_name(cert));
		stream_fail(s, ERR_UNREACHABLE, ERR_NEVER,
			    "its certificate expired on %s (%s)", a.data,
			    b.data);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		add_time(&a, X509_get0_notBefore(cert));
		add_name(&b, X509_get_subject_name(cert));
		stream_fail(
			s, ERR_UNREACHABLE, ERR_NEVER,
			"its certificate is not valid before %s (%s); is the clock of this computer right?",
			a.data, b.data);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		add_name(&a, X509_get_subject_name(cert));
		add_name(&b, X509_get_issuer_name(cert));
		stream_fail(
			s, ERR_UNREACHABLE, ERR_NEVER,
			"its certificate is signed by an authority that is not trusted here (subject %s, issuer %s); if you know it, give it with --ca-file FILE",
			a.data, b.data);
		break;
	default:
		add_name(&a, X509_get_subject_name(cert));
		stream_fail(s, ERR_UNREACHABLE, ERR_NEVER,
			    "its certificate is not acceptable: %s (%s)",
			    X509_verify_cert_error_string(error), a.data);
	}
	buf_free(&a);
	buf_free(&b);
}

/* Called by OpenSSL for each certificate of the chain, while it still has the
   one that is wrong; after the handshake it is gone. */
static int on_verify(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const X509 *cert = X509_STORE_CTX_get_current_cert(store);
	struct stream *s = SSL_get_app_data(ssl);

	if (!good && cert)
		explain(s, X509_STORE_CTX_get_error(store), cert);
	return good;
}

/* Setting up */

static int fail_openssl(struct stream *s, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return stream_fail(s, ERR_UNREACHABLE, ERR_NEVER, "%s: %s", what,
			   why ? why : "unknown TLS error");
}

static int load_trust(struct stream *s)
{
	if (!s->ca_file)
		return SSL_CTX_set_default_verify_paths(s->ctx) == 1
			       ? 0
			       : fail_openssl(s, "the system's trust store");
	if (SSL_CTX_load_verify_locations(s->ctx, s->ca_file, NULL) != 1)
		return stream_fail(
			s, ERR_CONFIG, ERR_NEVER,
			"--ca-file %s: no certificates in PEM form can be read from it",
			s->ca_file);
	/* The file may hold the server's own certificate or an intermediate
	   one: who gives it says that it is to be trusted. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(s->ctx),
				    X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

/* docomo's servers cannot say that they renegotiate safely (RFC 5746), and
   OpenSSL 3 refuses them for it. We never renegotiate. By the host's own name
   only, whatever --preset says: it is a matter of trust. */
static bool is_legacy_host(const char *host)
{
	const struct preset *preset = preset_by_host(host);

	return preset && preset->legacy_tls;
}

static int make_context(struct stream *s)
{
	s->ctx = SSL_CTX_new(TLS_client_method());
	if (!s->ctx)
		return fail_openssl(s, "TLS cannot be set up");
	SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(s->ctx,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	if (is_legacy_host(s->host))
		SSL_CTX_set_options(s->ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_mode(s->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, on_verify);
	return load_trust(s);
}

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	       inet_pton(AF_INET6, host, bytes) == 1;
}

static int expect_host(struct stream *s)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
	int ok;

	X509_VERIFY_PARAM_set_hostflags(param,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(s->host))
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, s->host);
	else
		ok = SSL_set1_host(s->ssl, s->host) &&
		     SSL_set_tlsext_host_name(s->ssl, s->host);
	return ok == 1 ? 0 : fail_openssl(s, "its name cannot be verified");
}

static int make_ssl(struct stream *s)
{
	BIO *b;

	s->ssl = SSL_new(s->ctx);
	if (!s->ssl)
		return fail_openssl(s, "TLS cannot be set up");
	b = bio_for(s);
	if (!b)
		return fail_openssl(s, "TLS cannot be set up");
	SSL_set_bio(s->ssl, b, b);
	SSL_set_app_data(s->ssl, s);
	return expect_host(s);
}

/* The handshake */

static int fail_lost(struct stream *s, int error)
{
	if (s->at_end || !error || error == EPIPE)
		return stream_fail(s, ERR_UNREACHABLE, ERR_NOW,
				   "the server closed the connection");
	return stream_fail(s, ERR_UNREACHABLE, ERR_NOW,
			   "the connection was lost: %s", strerror(error));
}

static int fail_handshake(struct stream *s, int ssl_error, int error)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);

	if (s->failure.text[0]) /* explain() knew better */
		return -1;
	if (ssl_error == SSL_ERROR_SYSCALL ||
	    reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		fail_lost(s, error);
		return err_in(&s->failure, "during the TLS handshake");
	}
	if (reason == SSL_R_WRONG_VERSION_NUMBER)
		return stream_fail(
			s, ERR_UNREACHABLE, ERR_NEVER,
			"port %u answers, but not with TLS; imaps:// is for port 993, imap:// (STARTTLS) for port 143",
			s->port);
	if (reason == SSL_R_UNSUPPORTED_PROTOCOL ||
	    reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
		return stream_fail(
			s, ERR_UNREACHABLE, ERR_NEVER,
			"the server offers no TLS newer than 1.1, which is not safe any more");
	return fail_openssl(s, "the TLS handshake failed");
}

static int shake_hands(struct stream *s)
{
	int64_t until = clock_ms() + s->connect_timeout_ms;

	for (;;) {
		int rc, error, ssl_error;
		int64_t left = until - clock_ms();

		ERR_clear_error();
		errno = 0;
		rc = SSL_connect(s->ssl);
		error = errno;
		if (rc == 1)
			return 0;
		ssl_error = SSL_get_error(s->ssl, rc);
		if (ssl_error != SSL_ERROR_WANT_READ &&
		    ssl_error != SSL_ERROR_WANT_WRITE)
			return fail_handshake(s, ssl_error, error);
		if (left <= 0 ||
		    stream_poll(s->fd,
				ssl_error == SSL_ERROR_WANT_READ ? POLLIN
								 : POLLOUT,
				(int)left) <= 0)
			return stream_fail(
				s, ERR_UNREACHABLE, ERR_LATER,
				"the TLS handshake does not come to an end (waited %d s)",
				(s->connect_timeout_ms + 999) / 1000);
	}
}

int stream_start_tls(struct stream *s, struct err *e)
{
	if (s->failure.text[0])
		return stream_say_failure(s, e);
	if (s->queue.len > s->queue_at) {
		stream_fail(
			s, ERR_PROTOCOL, ERR_NEVER,
			"the server, or somebody on the way, said more than the answer to STARTTLS before TLS began");
		return stream_say_failure(s, e);
	}
	if (make_context(s) < 0 || make_ssl(s) < 0 || shake_hands(s) < 0)
		return stream_say_failure(s, e);
	snprintf(s->described, sizeof(s->described), "%s %s",
		 SSL_get_version(s->ssl), SSL_get_cipher_name(s->ssl));
	return 0;
}

/* Talking */

static ssize_t after_io(struct stream *s, int rc, short *wants)
{
	int error = errno;

	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		*wants = POLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*wants = POLLOUT;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return fail_lost(s, 0);
	case SSL_ERROR_SYSCALL:
		return fail_lost(s, error);
	}
	if (s->at_end)
		return fail_lost(s, 0);
	return fail_openssl(s, "TLS was broken off");
}

ssize_t stream_tls_recv(struct stream *s, char *bytes, size_t n)
{
	size_t got = 0;
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(s->ssl, bytes, n, &got);
	s->recv_wants = POLLIN;
	return rc == 1 ? (ssize_t)got : after_io(s, rc, &s->recv_wants);
}

ssize_t stream_tls_send(struct stream *s, const char *bytes, size_t n)
{
	size_t got = 0;
	int rc;

	if (!n)
		return 0;
	ERR_clear_error();
	errno = 0;
	rc = SSL_write_ex(s->ssl, bytes, n, &got);
	s->send_wants = POLLOUT;
	return rc == 1 ? (ssize_t)got : after_io(s, rc, &s->send_wants);
}

void stream_tls_end(struct stream *s, bool say)
{
	if (s->ssl && say && SSL_is_init_finished(s->ssl)) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
	}
	SSL_free(s->ssl);
	s->ssl = NULL;
	BIO_meth_free(s->bio);
	s->bio = NULL;
	SSL_CTX_free(s->ctx);
	s->ctx = NULL;
	ERR_clear_error();
}
