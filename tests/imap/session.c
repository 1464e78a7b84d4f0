/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way into an account against servers that play a script: what they may say, and
   what they should not get away with. */
#include "storage/imap/session.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "storage/imap/internal.h"
#include "tests/imap/script.h"

#define GREETING { NULL, "* OK [CAPABILITY IMAP4rev1 MULTIAPPEND BINARY] hello\r\n" }
#define CAPS(list) { "CAPABILITY", "* CAPABILITY IMAP4rev1 " list "\r\n%T OK done\r\n" }
#define NO_NAMESPACE { "LIST \"\" \"\"", \
		       "* LIST (\\Noselect) \"/\" \"\"\r\n%T OK done\r\n" }
#define IN CAPS("UIDPLUS"), NO_NAMESPACE

/* base64 of "\0me\0secret!", "boss for me", "me", "secret!" */
#define PLAIN "AG1lAHNlY3JldCE="
#define PLAIN_FOR "bWUAYm9zcwBzZWNyZXQh"

enum { OPEN = -1 };

static const struct opening {
	const char *what;
	enum imap_security security;
	const char *auth_user;
	bool token;
	const char *password;
	struct step steps[STEPS_MAX];
	int kind; /* OPEN: it works */
	enum err_retry retry;
	const char *says; /* somewhere in the error's text */
} openings[] = {
	{ .what = "LOGIN, where nothing else is offered", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS(""), { "LOGIN \"me\" \"secret!\"", "%T OK done\r\n" },
		     IN },
	  .kind = OPEN },
	{ .what = "PLAIN with an initial response", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=PLAIN SASL-IR"),
		     { "AUTHENTICATE PLAIN " PLAIN, "* 1 EXISTS\r\n%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "PLAIN without", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=PLAIN"),
		     { "AUTHENTICATE PLAIN", "+ \r\n" }, { "!" PLAIN, "%T OK done\r\n" },
		     IN },
	  .kind = OPEN },
	{ .what = "a + without a blank", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=PLAIN"),
		     { "AUTHENTICATE PLAIN", "+\r\n" }, { "!" PLAIN, "%T OK done\r\n" },
		     IN },
	  .kind = OPEN },
	{ .what = "AUTH=LOGIN, when LOGIN is disabled", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=LOGIN LOGINDISABLED"),
		     { "AUTHENTICATE LOGIN", "+ VXNlcm5hbWU6\r\n" },
		     { "!bWU=", "+ UGFzc3dvcmQ6\r\n" },
		     { "!c2VjcmV0IQ==", "%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "quotes in a password", .security = IMAP_PLAINTEXT,
	  .password = "a\"b\\c",
	  .steps = { GREETING, CAPS(""),
		     { "LOGIN \"me\" \"a\\\"b\\\\c\"", "%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "8-bit password, literal", .security = IMAP_PLAINTEXT,
	  .password = "pä",
	  .steps = { GREETING, CAPS(""), { "LOGIN \"me\" {3}", "+ go\r\n" },
		     { "!pä", "%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "8-bit password, LITERAL+", .security = IMAP_PLAINTEXT,
	  .password = "pä",
	  .steps = { GREETING, CAPS("LITERAL+"), { "LOGIN \"me\" {3+}", "" },
		     { "!pä", "%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "on behalf of somebody", .security = IMAP_PLAINTEXT,
	  .auth_user = "boss",
	  .steps = { GREETING, CAPS("AUTH=PLAIN SASL-IR"),
		     { "AUTHENTICATE PLAIN " PLAIN_FOR, "%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "on behalf, but only LOGIN", .security = IMAP_PLAINTEXT,
	  .auth_user = "boss", .steps = { GREETING, CAPS("") }, .kind = ERR_AUTH,
	  .says = "AUTH=PLAIN" },
	{ .what = "no way in", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("LOGINDISABLED AUTH=GSSAPI") },
	  .kind = ERR_AUTH, .says = "no way to log in" },
	{ .what = "a wrong password is tried once", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=PLAIN AUTH=LOGIN SASL-IR"),
		     { "AUTHENTICATE PLAIN " PLAIN,
		       "%T NO [AUTHENTICATIONFAILED] Wrong.\r\n" } },
	  .kind = ERR_AUTH, .says = "not logged in as me: [AUTHENTICATIONFAILED] Wrong." },
	{ .what = "a NO without a code is tried once, too",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS(""),
		     { "LOGIN \"me\" \"secret!\"", "%T NO Login failed.\r\n" } },
	  .kind = ERR_AUTH, .says = "Login failed." },
	{ .what = "too many connections is no wrong password",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS(""),
		     { "LOGIN \"me\" \"secret!\"",
		       "%T NO [UNAVAILABLE] Maximum number of connections\r\n" } },
	  .kind = ERR_BUSY, .retry = ERR_LATER, .says = "Maximum number" },
	{ .what = "a rate limit", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=PLAIN SASL-IR"),
		     { "AUTHENTICATE PLAIN " PLAIN,
		       "%T NO [LIMIT] LOGIN Rate limit hit.\r\n" } },
	  .kind = ERR_BUSY, .retry = ERR_LATER, .says = "Rate limit" },
	{ .what = "a mechanism that is offered and not known",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=SCRAM-SHA-256 AUTH=PLAIN"),
		     { "AUTHENTICATE SCRAM-SHA-256", "%T NO Cannot do that\r\n" },
		     { "AUTHENTICATE PLAIN", "%T BAD What?\r\n" },
		     { "LOGIN \"me\" \"secret!\"", "%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "a SCRAM challenge that is not for us", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=SCRAM-SHA-1"),
		     { "AUTHENTICATE SCRAM-SHA-1", "+ \r\n" },
		     { "!biwsbj1tZSxy...", "+ cj14LHM9QUFBQSxpPTE=\r\n" },
		     { "!*", "%T BAD cancelled\r\n" },
		     { "LOGIN \"me\" \"secret!\"", "%T OK done\r\n" }, IN },
	  .kind = OPEN, .says = NULL },
	{ .what = "a SCRAM server that lets everybody in",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS("AUTH=SCRAM-SHA-1 SASL-IR"),
		     { "AUTHENTICATE SCRAM-SHA-1 ...", "%T OK welcome\r\n" } },
	  .kind = ERR_AUTH, .says = "cannot prove" },
	{ .what = "XOAUTH2", .security = IMAP_PLAINTEXT, .token = true,
	  .password = "tok",
	  .steps = { GREETING, CAPS("AUTH=XOAUTH2 SASL-IR AUTH=PLAIN"),
		     { "AUTHENTICATE XOAUTH2 dXNlcj1tZQFhdXRoPUJlYXJlciB0b2sBAQ==",
		       "* CAPABILITY IMAP4rev1 MULTIAPPEND\r\n%T OK done\r\n" }, IN },
	  .kind = OPEN },
	{ .what = "XOAUTH2, expired", .security = IMAP_PLAINTEXT, .token = true,
	  .password = "tok",
	  .steps = { GREETING, CAPS("AUTH=XOAUTH2"),
		     { "AUTHENTICATE XOAUTH2", "+ \r\n" },
		     { "!dXNlcj1tZQFhdXRoPUJlYXJlciB0b2sBAQ==",
		       "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n" },
		     { "!", "%T NO SASL authentication failed\r\n" } },
	  .kind = ERR_AUTH, .says = "{\"status\":\"401\"}" },
	{ .what = "OAUTHBEARER before XOAUTH2, expired", .security = IMAP_PLAINTEXT,
	  .token = true, .password = "tok",
	  .steps = { GREETING, CAPS("AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR"),
		     { "AUTHENTICATE OAUTHBEARER ...",
		       "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n" },
		     { "!AQ==", "%T NO failed\r\n" } },
	  .kind = ERR_AUTH, .says = "{\"status\":\"401\"}" },
	{ .what = "no tokens taken", .security = IMAP_PLAINTEXT, .token = true,
	  .password = "tok", .steps = { GREETING, CAPS("AUTH=PLAIN") },
	  .kind = ERR_AUTH, .says = "no access tokens" },
	{ .what = "already in", .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "* PREAUTH hello\r\n" }, IN }, .kind = OPEN },
	{ .what = "a namespace, and an ID that is refused (Courier)",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS(""), { "LOGIN \"me\" \"secret!\"", "%T OK done\r\n" },
		     CAPS("NAMESPACE ID"), { "ID (...", "%T NO Error\r\n" },
		     { "NAMESPACE", "* NAMESPACE ((\"INBOX.\" \".\")) NIL "
		       "((\"#shared.\" \".\"))\r\n%T OK done\r\n" } },
	  .kind = OPEN },
	{ .what = "a server that is full", .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "* BYE Too many connections, try later\r\n" } },
	  .kind = ERR_BUSY, .retry = ERR_LATER, .says = "Too many connections" },
	{ .what = "a server that is shutting down", .security = IMAP_STARTTLS,
	  .steps = { { NULL, "* BYE Shutting down\r\n" } },
	  .kind = ERR_UNREACHABLE, .retry = ERR_LATER, .says = "Shutting down" },
	{ .what = "no IMAP at all", .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "220 mail.example.test ESMTP\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "220 mail.example.test" },
	{ .what = "silence", .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "" } }, .kind = ERR_UNREACHABLE,
	  .retry = ERR_LATER, .says = "no answer" },
	{ .what = "a greeting that does not end", .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "* OK %Nx\r\n" } }, .kind = ERR_PROTOCOL,
	  .says = "too long" },
	{ .what = "in without TLS although TLS is wanted", .security = IMAP_STARTTLS,
	  .steps = { { NULL, "* PREAUTH come in\r\n" } }, .kind = ERR_PROTOCOL,
	  .says = "PREAUTH" },
	{ .what = "STARTTLS is taken out of the list", .security = IMAP_STARTTLS,
	  .steps = { GREETING, CAPS("AUTH=PLAIN") }, .kind = ERR_UNREACHABLE,
	  .says = "no STARTTLS" },
	{ .what = "STARTTLS in the greeting's list only", .security = IMAP_STARTTLS,
	  .steps = { { NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n" },
		     CAPS("") },
	  .kind = ERR_UNREACHABLE, .says = "no STARTTLS" },
	{ .what = "STARTTLS is refused", .security = IMAP_STARTTLS,
	  .steps = { GREETING, CAPS("STARTTLS"), { "STARTTLS", "%T NO not now\r\n" } },
	  .kind = ERR_UNREACHABLE, .says = "not now" },
	{ .what = "something is said between STARTTLS and TLS",
	  .security = IMAP_STARTTLS,
	  .steps = { GREETING, CAPS("STARTTLS"),
		     { "STARTTLS", "%T OK begin\r\n* CAPABILITY IMAP4rev1\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "STARTTLS" },
	{ .what = "half a line between STARTTLS and TLS", .security = IMAP_STARTTLS,
	  .steps = { GREETING, CAPS("STARTTLS"),
		     { "STARTTLS", "%T OK begin\r\n*" } },
	  .kind = ERR_PROTOCOL, .says = "STARTTLS" },
	{ .what = "no capabilities in the answer", .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "* OK hello\r\n" }, { "CAPABILITY", "%T OK done\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "what it can do" },
	{ .what = "an answer to something else", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, { "CAPABILITY", "99 OK x\r\n" } },
	  .kind = ERR_PROTOCOL, .retry = ERR_NOW, .says = "protocol" },
	{ .what = "an answer to something else in the login",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS(""), { "LOGIN ...", "99 OK x\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "not asked" },
	{ .what = "a line without end", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, { "CAPABILITY", "* CAPABILITY %Nx" } },
	  .kind = ERR_PROTOCOL, .says = "too long" },
	{ .what = "parentheses without end", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING,
		     { "CAPABILITY", "* 1 FETCH (BODYSTRUCTURE %N()\r\n%T OK done\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "parentheses" },
	{ .what = "a list that ends nowhere (libetpan would crash)",
	  .security = IMAP_PLAINTEXT,
	  .steps = { GREETING,
		     { "CAPABILITY", "* OK [PERMANENTFLAGS (\r\n%T OK done\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "a list of flags" },
	{ .what = "quotes and parentheses in text are text",
	  .security = IMAP_PLAINTEXT,
	  .steps = { { NULL, "* PREAUTH it's \"so (nice {12}\r\n" }, CAPS("UIDPLUS"),
		     { "LIST \"\" \"\"", "* OK a (b \"c {3}\r\n* LIST () \"\\\\\" "
		       "\"(\"\r\n%T OK d \"( {4}\r\n" } },
	  .kind = OPEN },
	{ .what = "a huge literal", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING,
		     { "CAPABILITY", "* LIST () \"/\" {1073741824}\r\nx" } },
	  .kind = ERR_PROTOCOL, .says = "literal" },
	{ .what = "a NUL", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, { "CAPABILITY", "* CAPABILITY %0\r\n%T OK done\r\n" } },
	  .kind = ERR_PROTOCOL, .says = "NUL" },
	{ .what = "gone in the middle, with a word", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING,
		     { "CAPABILITY", "* BYE [UNAVAILABLE] Backend died\r\n" } },
	  .kind = ERR_BUSY, .retry = ERR_LATER, .says = "Backend died" },
	{ .what = "gone in the login, with a word", .security = IMAP_PLAINTEXT,
	  .steps = { GREETING, CAPS(""), { "LOGIN ...", "* BYE Idle\r\n" } },
	  .kind = ERR_UNREACHABLE, .retry = ERR_LATER, .says = "Idle" },
};

static struct buf logged = BUF_INIT;

static void keep_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	buf_add_str(&logged, line);
	buf_add_char(&logged, '\n');
}

static void check_secrets(const char *what, const struct err *e, const char *secret)
{
	static const char *const forms[] = { PLAIN, PLAIN_FOR, "c2VjcmV0" };

	CHECK_CASE(what, !strstr(logged.data, secret) && !strstr(e->text, secret));
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		CHECK_CASE(what, !strstr(logged.data, forms[i]) &&
				 !strstr(e->text, forms[i]));
}

static void check_open(const struct opening *o)
{
	const char *password = o->password ? o->password : "secret!";
	struct secret secret = SECRET_INIT;
	struct script_server server;
	struct imap_options opt = { .host = "127.0.0.1",
				    .security = o->security,
				    .user = "me",
				    .auth_user = o->auth_user,
				    .timeout_ms = 1500 };
	struct imap_session *s = NULL;
	struct err e = ERR_INIT;
	int ret;

	secret_set(&secret, password, strlen(password), &e);
	*(o->token ? &opt.token : &opt.password) = &secret;
	buf_reset(&logged);
	script_start(&server, o->steps);
	opt.port = server.port;
	ret = imap_session_open(&opt, &s, &e);
	CHECK_CASE(o->what, (ret == 0) == (o->kind == OPEN));
	if (ret == 0) {
		CHECK_CASE(o->what, !s->broken && !(s->caps & IMAP_CAP_MULTIAPPEND));
		imap_session_close(s);
	} else if (o->kind != OPEN) {
		CHECK_CASE(o->what, (int)e.kind == o->kind);
		CHECK_CASE(o->what, e.scope == ERR_ACCOUNT && e.retry == o->retry);
		CHECK_CASE(o->what, strstr(e.text, o->says) != NULL);
	}
	if (ret < 0 && (o->kind == OPEN || !strstr(e.text, o->says)))
		printf("  %s: %s\n", o->what, e.text);
	if (strlen(password) > 3)
		check_secrets(o->what, &e, password);
	secret_wipe(&secret);
	CHECK_CASE(o->what, script_end(&server));
}

/* E3, before a byte of the login is sent. */
static void check_user_name(void)
{
	struct imap_options opt = { .host = "127.0.0.1",
				    .user = "a\r\nb",
				    .security = IMAP_PLAINTEXT };
	static const struct step steps[] = { GREETING, CAPS(""), { NULL, NULL } };
	struct secret secret = SECRET_INIT;
	struct script_server server;
	struct imap_session *s = NULL;
	struct err e = ERR_INIT;

	secret_set(&secret, "x", 1, &e);
	opt.password = &secret;
	script_start(&server, steps);
	opt.port = server.port;
	CHECK(imap_session_open(&opt, &s, &e) < 0);
	CHECK_CASE("no line end in a user name", e.kind == ERR_CONFIG);
	CHECK(script_end(&server));
	secret_wipe(&secret);
}

/* SELECT's quoting, what comes of it, and that a second one costs nothing. */
static void check_select(void)
{
	static const struct step steps[] = {
		{ NULL, "* PREAUTH hello\r\n" }, IN,
		{ "SELECT \"a \\\"b\"",
		  "* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 9] x\r\n"
		  "* OK [UIDNEXT 12] x\r\n%T OK [READ-WRITE] done\r\n" },
		{ "SELECT \"gone\"", "%T NO [NONEXISTENT] Unknown Mailbox\r\n" },
		{ "EXAMINE \"bad\"", "%T BAD What?\r\n" },
		{ "SELECT \"bye\"", "* BYE Killed\r\n" },
		{ NULL, NULL },
	};
	struct imap_options opt = { .host = "127.0.0.1", .user = "me",
				    .security = IMAP_PLAINTEXT,
				    .timeout_ms = 3000 };
	struct script_server server;
	struct imap_session *s = NULL;
	struct err e = ERR_INIT;

	script_start(&server, steps);
	opt.port = server.port;
	CHECK(imap_session_open(&opt, &s, &e) == 0);
	if (!s)
		return;
	CHECK(imap_session_select(s, "a \"b", false, &e) == 0);
	CHECK(imap_session_select(s, "a \"b", false, &e) == 0);
	CHECK(s->imap->imap_selection_info->sel_exists == 3);
	CHECK(imap_session_select(s, "a\r\nX LOGOUT", false, &e) < 0);
	CHECK(imap_session_select(s, "gone", false, &e) < 0);
	CHECK(e.kind == ERR_NO_FOLDER && e.scope == ERR_FOLDER && !s->broken);
	CHECK(s->selected == NULL);
	CHECK(imap_session_select(s, "bad", true, &e) < 0);
	CHECK_CASE("BAD is a refusal", e.kind == ERR_REFUSED && !s->broken &&
		   e.scope == ERR_FOLDER);
	CHECK(imap_session_select(s, "bye", false, &e) < 0);
	CHECK(s->broken && strstr(e.text, "Killed") && e.scope == ERR_ACCOUNT);
	CHECK_CASE("and nothing more", imap_session_select(s, "x", false, &e) < 0);
	imap_session_close(s);
	CHECK(script_end(&server));
}

int main(void)
{
	log_to(keep_log, NULL, LOG_TRACE);
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		check_open(&openings[i]);
	check_user_name();
	check_select();
	buf_free(&logged);
	return check_done();
}
