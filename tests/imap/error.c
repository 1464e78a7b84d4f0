/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What servers' words mean; the texts are those that docs/servers.md is about. */
#include "storage/imap/session.h"
#include "tests/lib/check.h"

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
	  ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE Session expired, please login again.", ERR_BUSY, ERR_ACCOUNT,
	  ERR_LATER, 0 },
	{ "NO [ALERT] Too many simultaneous connections. (Failure)", ERR_BUSY,
	  ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded "
	  "(mail_max_userip_connections=10)", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "NO [LIMIT] LOGIN Rate limit hit.", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
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
	{ "NO [TOOBIG] Message too large", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO [LIMIT] Mail size is larger than the maximum", ERR_REFUSED,
	  ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO Maximum size of appendable message has been exceeded", ERR_REFUSED,
	  ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO Message contains bare newlines", ERR_REFUSED, ERR_MESSAGE,
	  ERR_NEVER, 0 },
	{ "BAD Command Argument Error. 11", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "NO", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	{ "", ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, 0 },
	/* A folder */
	{ "NO [TRYCREATE] Mailbox doesn't exist: X", ERR_NO_FOLDER, ERR_FOLDER,
	  ERR_NEVER, 0 },
	{ "NO APPEND [TRYCREATE] failed", ERR_NO_FOLDER, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO [NONEXISTENT] no", ERR_NO_FOLDER, ERR_FOLDER, ERR_NEVER, 0 },
	{ "NO [ALREADYEXISTS] Mailbox exists", ERR_REFUSED, ERR_FOLDER,
	  ERR_NEVER, 0 },
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
	/* The end of the connection */
	{ "BYE shutting down", ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE", ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE [UNAVAILABLE] later", ERR_BUSY, ERR_ACCOUNT, ERR_LATER, 0 },
	{ "BYE [TOOBIG] even then it is over", ERR_REFUSED, ERR_ACCOUNT,
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

int main(void)
{
	check_cases();
	check_text();
	return check_done();
}
