/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logging in: AUTHENTICATE with the mechanisms in use, and LOGIN. The
   conversation is ours and not libetpan's (nor libsasl2's), because only so it
   is known whether a NO came before or after the credentials were shown:

   P1  A mechanism that fails before the server has seen anything made of the
       password is followed by the next one. After that a NO is final: more
       tries could lock the account. Only a SCRAM that is refused without a
       response code has one other mechanism after it: GNU mailutils offers
       SCRAM and cannot do it, and says no more than NO.
   P2  SCRAM counts only when the server has proved that it knows the password,
       too.
   P3  Every buffer here that holds something made of a secret is wiped. What
       OpenSSL and the kernel keep of the encrypted records is beyond us. */
#include "core/base/log.h"
#include "storage/imap/internal.h"
#include "storage/imap/preset.h"
#include "storage/imap/scram.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What came of one mechanism: in, try the next, or (-1) an error. */
enum { LOGIN_NEXT, LOGIN_IN };

struct login {
	struct imap_session *s;
	const struct imap_options *opt;
	char tag[16];
	struct buf line; /* the server's */
	bool shown;	 /* the server has seen something made of the secret */
	bool no_scram;	 /* it was refused: P1 */
	bool plus;	 /* the line is a "+" */
	struct buf detail; /* of a failed token: the server's JSON */
};

static void wipe(struct buf *b)
{
	explicit_bzero(b->data, b->cap);
	buf_free(b);
}

static void add_base64(struct buf *out, const char *bytes, size_t n)
{
	buf_grow(out, n / 3 * 4 + 8);
	out->len +=
		(size_t)EVP_EncodeBlock((unsigned char *)out->data + out->len,
					(const unsigned char *)bytes, (int)n);
}

/* -1 for what is no base64. EVP_DecodeBlock counts the padding as bytes. */
static int take_base64(struct buf *out, const char *text)
{
	size_t n = strlen(text), pad = 0;
	int got;

	if (!n)
		return 0;
	if (n % 4 || n > IMAP_LINE_MAX)
		return -1;
	while (pad < 2 && text[n - 1 - pad] == '=')
		pad++;
	buf_grow(out, n / 4 * 3);
	got = EVP_DecodeBlock((unsigned char *)out->data + out->len,
			      (const unsigned char *)text, (int)n);
	if (got < 0 || (size_t)got < pad)
		return -1;
	out->len += (size_t)got - pad;
	out->data[out->len] = '\0';
	return 0;
}

static int send_line(struct login *l, struct buf *line, struct err *e)
{
	buf_add_str(line, "\r\n");
	return talk_send(l->s->talk, line->data, line->len, e);
}

/* Until "+ ..." or the tagged answer; what else there is, is passed over. */
static int answer(struct login *l, struct err *e)
{
	struct imap_talk *t = l->s->talk;
	size_t n = strlen(l->tag);

	for (;;) {
		if (talk_line(t, &l->line, e) < 0)
			return -1;
		talk_note(t, l->line.data);
		if (t->bye.len)
			return imap_fail_text(t->bye.data, "logging in", e);
		l->plus = l->line.data[0] == '+';
		if (l->plus) {
			buf_drop_front(&l->line,
				       l->line.len > 1 && l->line.data[1] == ' '
					       ? 2
					       : 1);
			return 0;
		}
		if (!strncmp(l->line.data, l->tag, n) &&
		    l->line.data[n] == ' ') {
			buf_drop_front(&l->line, n + 1);
			log_line(LOG_TRACE, "imap: < %s %s", l->tag,
				 l->line.data);
			return 0;
		}
		if (strncmp(l->line.data, "* ", 2))
			return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
				       "the server answers a question that was "
				       "not asked: %.80s",
				       l->line.data);
		if (talk_rest(t, &l->line, e) < 0)
			return -1;
	}
}

static bool is_ok(const struct login *l)
{
	return !l->plus && !strncasecmp(l->line.data, "OK", 2);
}

static int refused(struct login *l, struct err *e)
{
	char doing[200];

	snprintf(doing, sizeof(doing), "not logged in as %s",
		 l->opt->auth_user ? l->opt->auth_user : l->opt->user);
	imap_fail_text(l->line.data, doing, e);
	if (e->kind == ERR_REFUSED || e->kind == ERR_NO_FOLDER ||
	    e->kind == ERR_QUOTA) {
		e->kind = ERR_AUTH;
		e->retry = ERR_NEVER;
	}
	if (l->detail.len) {
		struct err said = *e;

		err_set(e, said.kind, ERR_ACCOUNT, said.retry, "%s (%.200s)",
			said.text, l->detail.data);
		e->wait_ms = said.wait_ms;
	}
	return err_widen(e, ERR_ACCOUNT);
}

/* The tagged answer is there. BAD: the server did not understand, so it judged
   nothing (P1). */
static int finish(struct login *l, struct err *e)
{
	if (is_ok(l))
		return LOGIN_IN;
	if (!l->shown || !strncasecmp(l->line.data, "BAD", 3)) {
		refused(l, e); /* in case that it was the last */
		return e->kind == ERR_BUSY ? -1 : LOGIN_NEXT;
	}
	return refused(l, e);
}

/* Give up a mechanism in the middle: "*" (RFC 9051 section 6.2.2). */
static int cancel(struct login *l, const char *why, struct err *e)
{
	struct buf star = BUF_INIT;
	int ret;

	buf_add_str(&star, "*");
	ret = send_line(l, &star, e);
	buf_free(&star);
	if (ret < 0 || answer(l, e) < 0)
		return -1;
	log_line(LOG_DETAIL, "imap: %s", why);
	err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER, "not logged in as %s: %s",
		l->opt->user, why);
	if (is_ok(l)) /* after a "*"? Then nothing is sure any more. */
		return -1;
	return LOGIN_NEXT;
}

static void start(struct login *l, const char *what, struct buf *line)
{
	snprintf(l->tag, sizeof(l->tag), "L%u", ++l->s->talk->tag);
	l->shown = false;
	log_line(LOG_DETAIL, "imap: %s as %s", what,
		 l->opt->auth_user ? l->opt->auth_user : l->opt->user);
	buf_addf(line, "%s %s", l->tag, what);
}

/* AUTHENTICATE mech with one message from us: with SASL-IR in the same line. */
static int one_message(struct login *l, const char *what,
		       const struct buf *message, struct err *e)
{
	struct buf line = BUF_INIT;
	int ret = -1;

	buf_grow(&line, message->len / 3 * 4 + 256); /* not moved: wiped once */
	start(l, what, &line);
	if (l->s->caps & IMAP_CAP_SASL_IR) {
		buf_add_str(&line, " ");
	} else {
		if (send_line(l, &line, e) < 0 || answer(l, e) < 0)
			goto out;
		if (!l->plus) {
			ret = finish(l, e);
			goto out;
		}
		buf_reset(&line);
	}
	add_base64(&line, message->data, message->len);
	l->shown = true;
	if (send_line(l, &line, e) == 0 && answer(l, e) == 0)
		ret = 0;
out:
	wipe(&line);
	return ret;
}

/* RFC 4616. */
static int login_plain(struct login *l, struct err *e)
{
	const struct imap_options *opt = l->opt;
	struct buf m = BUF_INIT;
	int ret;

	buf_grow(&m, strlen(opt->user) + opt->password->len + 4 +
			     (opt->auth_user ? strlen(opt->auth_user) : 0));
	if (opt->auth_user)
		buf_add_str(&m, opt->user);
	buf_add_char(&m, '\0');
	buf_add_str(&m, opt->auth_user ? opt->auth_user : opt->user);
	buf_add_char(&m, '\0');
	buf_add(&m, opt->password->bytes, opt->password->len);
	ret = one_message(l, "AUTHENTICATE PLAIN", &m, e);
	wipe(&m);
	if (ret < 0 || !l->shown)
		return ret;
	if (l->plus)
		return cancel(l, "the server wants more than PLAIN has", e);
	return finish(l, e);
}

/* Both say "+ JSON" when they refuse, and the tagged NO after one more message:
   RFC 7628 section 3.2.3, and the same idea in Gmail's documentation of
   XOAUTH2. */
static int login_token(struct login *l, bool bearer, struct err *e)
{
	const struct imap_options *opt = l->opt;
	struct buf m = BUF_INIT;
	int ret;

	buf_grow(&m,
		 strlen(opt->user) + strlen(opt->host) + opt->token->len + 100);
	if (bearer)
		buf_addf(&m, "n,a=%s,\001host=%s\001port=%u", opt->user,
			 opt->host,
			 opt->port		     ? opt->port
			 : opt->security == IMAP_TLS ? 993
						     : 143);
	else
		buf_addf(&m, "user=%s", opt->user);
	buf_add_str(&m, "\001auth=Bearer ");
	buf_add(&m, opt->token->bytes, opt->token->len);
	buf_add_str(&m, "\001\001");
	ret = one_message(l,
			  bearer ? "AUTHENTICATE OAUTHBEARER"
				 : "AUTHENTICATE XOAUTH2",
			  &m, e);
	wipe(&m);
	if (ret < 0 || !l->shown)
		return ret;
	for (int i = 0; l->plus && i < 2; i++) {
		struct buf more = BUF_INIT;

		buf_reset(&l->detail);
		if (take_base64(&l->detail, l->line.data) < 0 ||
		    memchr(l->detail.data, '\0', l->detail.len))
			buf_reset(&l->detail);
		buf_add_str(&more, bearer ? "AQ==" : "");
		ret = send_line(l, &more, e);
		buf_free(&more);
		if (ret < 0 || answer(l, e) < 0)
			return -1;
	}
	if (l->plus)
		return err_set(
			e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			"the server does not come to an end with the token");
	if (is_ok(l))
		return LOGIN_IN;
	return refused(l, e);
}

/* AUTHENTICATE LOGIN, documented nowhere: two prompts, two answers. */
static int login_login(struct login *l, struct err *e)
{
	const struct imap_options *opt = l->opt;
	struct buf line = BUF_INIT;
	int ret = -1;

	buf_grow(&line, (strlen(opt->user) + opt->password->len) / 3 * 4 + 256);
	start(l, "AUTHENTICATE LOGIN", &line);
	if (send_line(l, &line, e) < 0 || answer(l, e) < 0)
		goto out;
	for (int i = 0; l->plus && i < 2; i++) {
		buf_reset(&line);
		if (i == 0)
			add_base64(&line, opt->user, strlen(opt->user));
		else
			add_base64(&line, opt->password->bytes,
				   opt->password->len);
		l->shown = i == 1;
		if (send_line(l, &line, e) < 0 || answer(l, e) < 0)
			goto out;
	}
	ret = l->plus ? cancel(l, "AUTHENTICATE LOGIN asks on and on", e)
		      : finish(l, e);
out:
	wipe(&line);
	return ret;
}

/* One argument of LOGIN. 8-bit text needs a literal (RFC 9051 section 9,
 * quoted). */
static int add_argument(struct login *l, const char *s, size_t n,
			struct buf *line, struct err *e)
{
	bool quoted = n < 900;

	for (size_t i = 0; i < n; i++)
		if (s[i] & 0x80)
			quoted = false;
	if (quoted) {
		buf_add_char(line, '"');
		for (size_t i = 0; i < n; i++) {
			if (s[i] == '"' || s[i] == '\\')
				buf_add_char(line, '\\');
			buf_add_char(line, s[i]);
		}
		buf_add_char(line, '"');
		return 0;
	}
	if (l->s->caps & IMAP_CAP_LITERAL_PLUS) {
		buf_addf(line, "{%zu+}\r\n", n);
	} else {
		buf_addf(line, "{%zu}", n);
		if (send_line(l, line, e) < 0 || answer(l, e) < 0)
			return -1;
		buf_reset(line);
		if (!l->plus)
			return 0;
	}
	buf_add(line, s, n);
	return 0;
}

static int login_command(struct login *l, struct err *e)
{
	const struct imap_options *opt = l->opt;
	struct buf line = BUF_INIT;
	int ret = -1;

	buf_grow(&line, 2 * (strlen(opt->user) + opt->password->len) + 256);
	start(l, "LOGIN", &line);
	buf_add_char(&line, ' ');
	l->plus = true;
	if (add_argument(l, opt->user, strlen(opt->user), &line, e) < 0)
		goto out;
	if (l->plus) {
		buf_add_char(&line, ' ');
		if (add_argument(l, opt->password->bytes, opt->password->len,
				 &line, e) < 0)
			goto out;
	}
	if (l->plus) {
		l->shown = true;
		if (send_line(l, &line, e) < 0 || answer(l, e) < 0)
			goto out;
	}
	if (l->plus)
		err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			"the server answers LOGIN with a question");
	else
		ret = finish(l, e);
out:
	wipe(&line);
	return ret;
}

/* One message of SCRAM in, one out. */
static int scram_turn(struct login *l, const struct buf *out, bool first,
		      struct buf *in, struct err *e)
{
	struct buf line = BUF_INIT;
	int ret = -1;

	if (!first || !(l->s->caps & IMAP_CAP_SASL_IR)) {
		add_base64(&line, out->data, out->len);
		ret = send_line(l, &line, e);
	} else {
		ret = 0;
	}
	wipe(&line);
	if (ret < 0 || answer(l, e) < 0)
		return -1;
	buf_reset(in);
	if (l->plus && take_base64(in, l->line.data) < 0)
		buf_reset(in);
	return 0;
}

static int scram_open(struct login *l, const char *what, const struct buf *out,
		      struct err *e)
{
	struct buf line = BUF_INIT;
	int ret;

	start(l, what, &line);
	if (l->s->caps & IMAP_CAP_SASL_IR) {
		buf_add_char(&line, ' ');
		add_base64(&line, out->data, out->len);
	}
	ret = send_line(l, &line, e);
	buf_free(&line);
	if (ret < 0)
		return -1;
	l->plus = true;
	return l->s->caps & IMAP_CAP_SASL_IR ? 0 : answer(l, e);
}

/* P2: the tagged OK of somebody who does not know the password. */
static int unproven(struct login *l, struct err *e)
{
	l->s->broken = true;
	return err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
		       "not logged in as %s: the server cannot prove that it "
		       "knows the password",
		       l->opt->user);
}

static int scram_refused(struct login *l, struct err *e)
{
	int ret = finish(l, e);

	l->no_scram = true;
	return ret < 0 && e->kind == ERR_AUTH && !strchr(l->line.data, '[')
		       ? LOGIN_NEXT
		       : ret;
}

/* From the server's first message on. */
static int scram_talk(struct login *l, struct scram *scram, struct buf *out,
		      struct buf *in, struct err *e)
{
	const struct secret *password = l->opt->password;
	const char *why;
	bool proved;

	if (l->plus && scram_turn(l, out, true, in, e) < 0)
		return -1;
	if (!l->plus)
		return is_ok(l) ? unproven(l, e) : finish(l, e);
	buf_reset(out);
	if (scram_answer(scram, in->data, in->len, password->bytes,
			 password->len, out, &why) < 0)
		return cancel(l, why, e);
	l->shown = true;
	if (scram_turn(l, out, false, in, e) < 0)
		return -1;
	proved = l->plus && scram_verify(scram, in->data, in->len) == 0;
	buf_reset(out);
	if (l->plus && scram_turn(l, out, false, in, e) < 0)
		return -1;
	if (!l->plus && !is_ok(l))
		return scram_refused(l, e);
	return proved && !l->plus ? LOGIN_IN : unproven(l, e);
}

static int login_scram(struct login *l, const char *hash, const char *what,
		       struct err *e)
{
	struct buf out = BUF_INIT, in = BUF_INIT;
	struct scram *scram = scram_new(hash, l->opt->user, NULL);
	int ret = -1;

	if (!scram)
		return LOGIN_NEXT;
	scram_first(scram, &out);
	if (scram_open(l, what, &out, e) == 0)
		ret = scram_talk(l, scram, &out, &in, e);
	wipe(&out);
	buf_free(&in);
	scram_free(scram);
	return ret;
}

static int login_scram_1(struct login *l, struct err *e)
{
	return login_scram(l, "SHA1", "AUTHENTICATE SCRAM-SHA-1", e);
}

static int login_scram_256(struct login *l, struct err *e)
{
	return login_scram(l, "SHA256", "AUTHENTICATE SCRAM-SHA-256", e);
}

/* SCRAM wants names and passwords prepared (RFC 4013); for ASCII that changes
   nothing, and for anything else PLAIN is the safer choice. */
static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7E)
			return false;
	return true;
}

static const struct {
	unsigned auth; /* 0: the LOGIN command */
	bool scram;
	int (*run)(struct login *l, struct err *e);
} by_password[] = {
	{ IMAP_AUTH_SCRAM_SHA_256, true, login_scram_256 },
	{ IMAP_AUTH_SCRAM_SHA_1, true, login_scram_1 },
	{ IMAP_AUTH_PLAIN, false, login_plain },
	{ 0, false, login_command },
	{ IMAP_AUTH_LOGIN, false, login_login },
};

static bool is_login_only(const struct imap_session *s)
{
	return (s->preset && s->preset->login_only) ||
	       (s->program && s->program->login_only);
}

static int with_password(struct login *l, struct err *e)
{
	const struct imap_options *opt = l->opt;
	unsigned auths = l->s->talk->auths;
	bool ascii = is_ascii(opt->user) && is_ascii(opt->password->bytes);

	err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
		"not logged in as %s: the "
		"server offers no way to log in with a password",
		opt->user);
	for (size_t i = 0; i < sizeof(by_password) / sizeof(by_password[0]);
	     i++) {
		int ret;

		if (by_password[i].scram && (!ascii || l->no_scram))
			continue;
		if (by_password[i].run != login_command && is_login_only(l->s))
			continue;
		if (by_password[i].auth ? !(auths & by_password[i].auth)
					: l->s->caps & IMAP_CAP_LOGINDISABLED)
			continue;
		ret = by_password[i].run(l, e);
		if (ret != LOGIN_NEXT)
			return ret;
	}
	return -1;
}

static int on_behalf(struct login *l, struct err *e)
{
	int ret = LOGIN_NEXT;

	if (l->s->talk->auths & IMAP_AUTH_PLAIN)
		ret = login_plain(l, e);
	else
		err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
			"logging in as %s on behalf of %s needs AUTH=PLAIN, "
			"which the server does not offer",
			l->opt->auth_user, l->opt->user);
	return ret == LOGIN_IN ? ret : -1;
}

static int with_token(struct login *l, struct err *e)
{
	unsigned auths = l->s->talk->auths;
	int ret = LOGIN_NEXT;

	err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
		"not logged in as %s: the "
		"server takes no access tokens",
		l->opt->user);
	if (auths & IMAP_AUTH_OAUTHBEARER)
		ret = login_token(l, true, e);
	if (ret == LOGIN_NEXT && auths & IMAP_AUTH_XOAUTH2)
		ret = login_token(l, false, e);
	return ret == LOGIN_IN ? ret : -1;
}

/* User names come from the command line; in SASL messages and in LOGIN they
   must not begin something of their own. */
static bool is_sendable(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7F)
			return false;
	return true;
}

int imap_login(struct imap_session *s, const struct imap_options *opt,
	       struct err *e)
{
	struct login l = {
		.s = s, .opt = opt, .line = BUF_INIT, .detail = BUF_INIT
	};
	bool token = opt->token && opt->token->bytes;
	int ret = -1;

	if (!is_sendable(opt->user) ||
	    (opt->auth_user && !is_sendable(opt->auth_user)) ||
	    (token && strpbrk(opt->user, "\001,=")))
		return err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
			       "the user name holds what no server can take");
	talk_begin(s);
	if (token)
		ret = with_token(&l, e);
	else if (!opt->password || !opt->password->bytes)
		err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
			"there is neither a password nor a token");
	else
		ret = opt->auth_user ? on_behalf(&l, e) : with_password(&l, e);
	buf_free(&l.line);
	buf_free(&l.detail);
	if (ret == LOGIN_IN) {
		s->imap->imap_state = MAILIMAP_STATE_AUTHENTICATED;
		return 0;
	}
	s->broken = s->broken || *stream_failure(s->stream) || s->talk->bye.len;
	return err_widen(e, ERR_ACCOUNT);
}
