/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What servers' words mean; the texts are those that docs/servers.md is about. */
#include "storage/imap/session.h"
#include "core/base/secret.h"
#include "tests/imap/script.h"

static const struct {
	const char *text;
	enum err_kind kind;
	enum err_scope scope;
	enum err_retry retry;
	uint32_t wait_ms;
} cases[] = {
	/* Exchange asks for a pause, with a number */
	{ "NO Request is throttled. Suggested Backoff Time: 299961 milliseconds",
	  ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 299961 },
	{ "BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds",
	  ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 89117 },
	{ "NO Suggested Backoff Time: 99999999999999999999999 milliseconds",
	  ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 86400000 },
	{ "NO Request is throttled. Suggested Backoff Time: soon", ERR_BUSY,
	  ERR_ACCOUNT, ERR_LATER, 0 },
	/* Gmail's limit of the day looks like a full mailbox, and is none */
	{ "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
	  ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 86400000 },
	{ "BYE [OVERQUOTA] Account exceeded command or bandwidth limits. xyz",
	  ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 86400000 },
	{ "BYE Session expired, please login again.", ERR_BUSY, ERR_ACCOUNT,
	  ERR_LATER, 0 },
	{ "NO [ALERT] Too many simultaneous connections. (Failure)", ERR_BUSY,
	  ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded "
	  "(mail_max_userip_connections=10)", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	/* Yahoo! JAPAN locks those out who log in again and again */
	{ "NO [LIMIT] LOGIN Rate limit hit.", ERR_BUSY, ERR_ACCOUNT, ERR_LATER,
	  1800000 },
	{ "NO [LIMIT] STATUS Rate limit hit.", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO [LIMIT] APPEND Rate limit hit.", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO slow down [THROTTLED]", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO [LIMIT] something else", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO [INUSE] locked", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO Server Unavailable. 15", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	/* Full, in four dialects */
	{ "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)", ERR_QUOTA,
	  ERR_ACCOUNT, ERR_NEVER, 0 },
	{ "NO Over quota", ERR_QUOTA, ERR_ACCOUNT, ERR_NEVER, 0 },
	{ "NO [ALERT] You exceeded your mail quota.", ERR_QUOTA, ERR_ACCOUNT,
	  ERR_NEVER, 0 },
	{ "NO [overquota] lower case", ERR_QUOTA, ERR_ACCOUNT, ERR_NEVER, 0 },
	/* One message */
	{ "NO [TOOBIG] Message too large", ERR_TOO_BIG, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO [LIMIT] Mail size is larger than the maximum", ERR_TOO_BIG,
	  ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO Maximum size of appendable message has been exceeded", ERR_TOO_BIG,
	  ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO Message contains bare newlines", ERR_REFUSED, ERR_MESSAGE,
	  ERR_NEVER, 0 },
	{ "NO Message contains NUL characters", ERR_REFUSED, ERR_MESSAGE,
	  ERR_NEVER, 0 },
	{ "NO Message contains invalid header", ERR_REFUSED, ERR_MESSAGE,
	  ERR_NEVER, 0 },
	{ "BAD Command Argument Error. 11", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "BAD Command Argument Error. 12", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "BAD command line limit exceeded", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER,
	  0 },
	{ "BAD [CLIENTBUG] Additional arguments found after last expected argument",
	  ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO [CANNOT] Keyword length too long", ERR_REFUSED, ERR_MESSAGE,
	  ERR_NEVER, 0 },
	{ "NO Error in IMAP command received by server.", ERR_REFUSED, ERR_MESSAGE,
	  ERR_NEVER, 0 },
	{ "NO", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	/* A folder */
	{ "NO [TRYCREATE] Mailbox doesn't exist: X", ERR_NO_FOLDER, ERR_FOLDER,
	  ERR_NEVER, 0 },
	{ "NO APPEND [TRYCREATE] failed", ERR_NO_FOLDER, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO [NONEXISTENT] no", ERR_NO_FOLDER, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO [ALREADYEXISTS] Mailbox exists", ERR_REFUSED, ERR_FOLDER,
	  ERR_NEVER, 0 },
	{ "NO Mailbox already exists", ERR_REFUSED, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO Cannot create this folder.", ERR_REFUSED, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO Folder name is reserved", ERR_REFUSED, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO [CANNOT] Folder contains excess whitespace (Failure)", ERR_REFUSED,
	  ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO [NOPERM] Permission denied", ERR_REFUSED, ERR_FOLDER, ERR_NEVER, 0 },
	/* Never a second time: lock-outs */
	{ "NO [AUTHENTICATIONFAILED] Authentication failed.", ERR_AUTH,
	  ERR_ACCOUNT, ERR_NEVER, 0 },
	{ "NO [ALERT] Application-specific password required: see a page (Failure)",
	  ERR_AUTH, ERR_ACCOUNT, ERR_NEVER, 0 },
	{ "NO [ALERT] Please log in via your web browser (Failure)", ERR_AUTH,
	  ERR_ACCOUNT, ERR_NEVER, 0 },
	{ "NO [WEBALERT https://example.test/x] Web login required.", ERR_AUTH,
	  ERR_ACCOUNT, ERR_NEVER, 0 },
	{ "BAD User is authenticated but not connected.", ERR_AUTH, ERR_ACCOUNT,
	  ERR_NEVER, 0 },
	{ "NO User is authenticated but not connected.", ERR_AUTH, ERR_ACCOUNT,
	  ERR_NEVER, 0 },
	/* Exchange has lost track */
	{ "BAD Command received in Invalid state.", ERR_PROTOCOL, ERR_ACCOUNT,
	  ERR_NOW, 0 },
	/* The end of the connection; Exchange's after ten errors */
	{ "BYE Connection closed. 14", ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE shutting down", ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE", ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE [UNAVAILABLE] later", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE [TOOBIG] even then it is over", ERR_TOO_BIG, ERR_ACCOUNT,
	  ERR_NEVER, 0 },
	{ "BYEBYE is no BYE", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
};

static void check_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;

		CHECK(imap_fail_text(cases[i].text, "APPEND Sent", &e) == -1);
		CHECK_CASE(cases[i].text, e.kind == cases[i].kind);
		CHECK_CASE(cases[i].text, e.scope == cases[i].scope);
		CHECK_CASE(cases[i].text, e.retry == cases[i].retry);
		CHECK_CASE(cases[i].text, e.wait_ms == cases[i].wait_ms);
		CHECK_CASE(cases[i].text, !strncmp(e.text, "APPEND Sent: ", 13));
	}
}

/* A server's words are shown, but they do not move the cursor. */
static void check_text(void)
{
	struct err e = ERR_INIT;

	imap_fail_text("NO [OVERQUOTA] full", "APPEND Sent", &e);
	CHECK_STR(e.text, "APPEND Sent: [OVERQUOTA] full");
	imap_fail_text("NO \x1B[2Jgone", "x", &e);
	CHECK_STR(e.text, "x: ?[2Jgone");
	imap_fail_text("BYE closing", "x", &e);
	CHECK_STR(e.text, "x: the server ended the connection: closing");
}

/* Gmail parks accounts that come with a token, too: what it says besides does not make
   the pause shorter. */
static void check_login(void)
{
	static const struct step steps[] = {
		{ NULL, "* OK hello\r\n" },
		{ "CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n"
		  "%T OK done\r\n" },
		{ "AUTHENTICATE XOAUTH2 ...", "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n" },
		{ "!", "%T NO [OVERQUOTA] Account exceeded command or bandwidth "
		  "limits. x\r\n" },
		{ NULL, NULL },
	};
	struct secret token = SECRET_INIT;
	struct imap_options opt = { .host = "127.0.0.1", .user = "me",
				    .security = IMAP_PLAINTEXT, .token = &token,
				    .timeout_ms = 3000 };
	struct imap_session *s = NULL;
	struct script_server server;
	struct err e = ERR_INIT;

	secret_set(&token, "tok", 3, &e);
	script_start(&server, steps);
	opt.port = server.port;
	CHECK(imap_session_open(&opt, &s, &e) < 0);
	CHECK(e.kind == ERR_BUSY && e.retry == ERR_LATER);
	CHECK(e.wait_ms == 86400000);
	CHECK(strstr(e.text, "bandwidth limits") && strstr(e.text, "400"));
	CHECK(script_end(&server));
	secret_wipe(&token);
}

int main(void)
{
	check_login();
	check_cases();
	check_text();
	return check_done();
}
