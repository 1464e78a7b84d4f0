/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What servers say about room in the mailbox, and what is made of it. */
#include "storage/imap/internal.h"
#include "tests/imap/script.h"

#define NOTHING .has_bytes = false
#define BYTES(used, limit) .has_bytes = true, .bytes_used = (used), \
			   .bytes_limit = (limit)
#define MESSAGES(used, limit) .has_messages = true, .messages_used = (used), \
			      .messages_limit = (limit)

static const struct {
	const char *what;
	const char *lines[4];
	struct target_quota want;
} cases[] = {
	{ "Dovecot", { "* QUOTA \"User quota\" (STORAGE 10 2048)" },
	  { BYTES(10240, 2097152) } },
	{ "bytes and messages", { "* QUOTA \"\" (STORAGE 10 512 MESSAGE 7 100)" },
	  { BYTES(10240, 524288), MESSAGES(7, 100) } },
	{ "any case, any order", { "* quota x (message 7 100 storage 10 512)" },
	  { BYTES(10240, 524288), MESSAGES(7, 100) } },
	{ "Cyrus without a limit", { "* QUOTA INBOX ()" }, { NOTHING } },
	{ "Courier without a limit", { "* QUOTA \"ROOT\"" }, { NOTHING } },
	{ "a root of strange signs", { "* QUOTA \"a \\\" (b\" (STORAGE 1 2)" },
	  { BYTES(1024, 2048) } },
	{ "other resources are not ours",
	  { "* QUOTA x (X-NUM-FOLDERS 1 2 MAILBOX 3 4 STORAGE 1 2)" },
	  { BYTES(1024, 2048) } },
	{ "the tightest root counts",
	  { "* QUOTA a (STORAGE 10 500)", "* QUOTA b (STORAGE 900 1000)",
	    "* QUOTA c (STORAGE 0 400)" },
	  { BYTES(900 * 1024, 1000 * 1024) } },
	{ "each resource by itself",
	  { "* QUOTA a (STORAGE 10 500 MESSAGE 99 100)",
	    "* QUOTA b (STORAGE 499 500 MESSAGE 0 100)" },
	  { BYTES(499 * 1024, 500 * 1024), MESSAGES(99, 100) } },
	{ "over the limit is full",
	  { "* QUOTA a (STORAGE 10 500)", "* QUOTA b (STORAGE 600 500)" },
	  { BYTES(600 * 1024, 500 * 1024) } },
	{ "0 of 0: nobody knows what it means", { "* QUOTA x (STORAGE 0 0)" },
	  { NOTHING } },
	{ "the largest number that fits",
	  { "* QUOTA x (MESSAGE 1 9223372036854775807)" },
	  { MESSAGES(1, INT64_MAX) } },
	{ "a number that does not fit is unknown, the rest is not",
	  { "* QUOTA x (STORAGE 1 9223372036854775808 MESSAGE 1 2)" },
	  { MESSAGES(1, 2) } },
	{ "nor does it in another unit",
	  { "* QUOTA x (STORAGE 1 9223372036854775807)" }, { NOTHING } },
	{ "nor when used does not", { "* QUOTA x (STORAGE 99999999999999999999 2)" },
	  { NOTHING } },
	{ "a negative number", { "* QUOTA x (STORAGE -1 2)" }, { NOTHING } },
	{ "a fraction", { "* QUOTA x (STORAGE 1.5 2)" }, { NOTHING } },
	{ "a number that is missing", { "* QUOTA x (STORAGE 1)" }, { NOTHING } },
	{ "three numbers", { "* QUOTA x (STORAGE 1 2 3)" }, { NOTHING } },
	{ "a list that does not end", { "* QUOTA x (STORAGE 1 2" }, { NOTHING } },
	{ "half understood is not understood",
	  { "* QUOTA x (STORAGE 1 2 MESSAGE one 2)" }, { NOTHING } },
	{ "something behind it", { "* QUOTA x (STORAGE 1 2) x" }, { NOTHING } },
	{ "blanks to spare", { "* QUOTA x  ( STORAGE  1  2 ) " },
	  { BYTES(1024, 2048) } },
	{ "no root", { "* QUOTA (STORAGE 1 2)" }, { NOTHING } },
	{ "a root that does not end", { "* QUOTA \"x (STORAGE 1 2)" },
	  { NOTHING } },
	{ "a root that ends in a backslash", { "* QUOTA \"x\\" }, { NOTHING } },
	{ "other answers", { "* QUOTAROOT INBOX x", "* 3 EXISTS", "" },
	  { NOTHING } },
};

static bool same(const struct target_quota *a, const struct target_quota *b)
{
	return a->has_bytes == b->has_bytes &&
	       a->has_messages == b->has_messages &&
	       a->bytes_used == b->bytes_used &&
	       a->bytes_limit == b->bytes_limit &&
	       a->messages_used == b->messages_used &&
	       a->messages_limit == b->messages_limit;
}

static void check_lines(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_quota q = { NOTHING };

		for (int n = 0; n < 4 && cases[i].lines[n]; n++)
			imap_quota_take(&q, cases[i].lines[n]);
		CHECK_CASE(cases[i].what, same(&q, &cases[i].want));
	}
}

#define OPENING(caps) \
	{ NULL, "* PREAUTH hello\r\n" }, \
	{ "CAPABILITY", "* CAPABILITY IMAP4rev1 " caps "\r\n%T OK done\r\n" }, \
	{ "LIST \"\" \"\"", "* LIST () \"/\" \"\"\r\n%T OK done\r\n" }
#define NOOP { "NOOP", "%T OK done\r\n" }

static const struct talk {
	const char *what;
	struct step steps[8];
	bool lost;
	struct target_quota want;
} talks[] = {
	{ "not offered: not asked", { OPENING(""), NOOP }, false, { NOTHING } },
	{ "an answer, and literals in it",
	  { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX",
	      "* 4 EXISTS\r\n* QUOTAROOT {5}\r\nINBOX {4}\r\n(\"\r\n {0}\r\n\r\n"
	      "* QUOTA {4}\r\n(\"\r\n (STORAGE 5 10)\r\n%T OK done\r\n" },
	    NOOP },
	  false, { BYTES(5120, 10240) } },
	{ "a literal of a root that nobody needs",
	  { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "* QUOTA {100000}\r\n%Nx (STORAGE 5 10)\r\n"
	      "%T OK done\r\n" }, NOOP },
	  false, { BYTES(5120, 10240) } },
	{ "WildDuck offers it and says NO",
	  { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "%T NO Server error\r\n" }, NOOP },
	  false, { NOTHING } },
	{ "BAD", { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "%T BAD  Invalid command\r\n" }, NOOP },
	  false, { NOTHING } },
	{ "first a number and then NO",
	  { OPENING("QUOTA"), { "GETQUOTAROOT INBOX",
	    "* QUOTA x (STORAGE 5 10)\r\n%T NO no\r\n" }, NOOP },
	  false, { NOTHING } },
	{ "none", { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "%T OK No quota\r\n" }, NOOP },
	  false, { NOTHING } },
	{ "hung up", { OPENING("QUOTA"), { "GETQUOTAROOT INBOX", NULL } },
	  true, { NOTHING } },
	{ "a BYE", { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "* BYE Server shutting down\r\n" } },
	  true, { NOTHING } },
	{ "another tag", { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "zz OK done\r\n" } }, true, { NOTHING } },
	{ "a literal over all bounds", { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "* QUOTA {1099511627775}\r\n" } }, true,
	  { NOTHING } },
	{ "a line over all bounds", { OPENING("QUOTA"),
	    { "GETQUOTAROOT INBOX", "* QUOTA %Nx\r\n" } }, true, { NOTHING } },
};

static void check_talk(const struct talk *t)
{
	struct imap_options opt = { .host = "127.0.0.1", .user = "me",
				    .security = IMAP_PLAINTEXT,
				    .timeout_ms = 3000 };
	struct imap_target it = { .s = NULL };
	struct target_quota q = { BYTES(1, 1), MESSAGES(1, 1) };
	struct script_server server;
	struct err e = ERR_INIT;
	int ret;

	script_start(&server, t->steps);
	opt.port = server.port;
	ret = imap_session_open(&opt, &it.s, &e);
	CHECK_CASE(t->what, ret == 0);
	if (ret < 0) {
		printf("  %s\n", e.text);
		return;
	}
	ret = imap_quota(&it, &q, &e);
	CHECK_CASE(t->what, ret == (t->lost ? -1 : 0));
	CHECK_CASE(t->what, it.s->broken == t->lost);
	CHECK_CASE(t->what, same(&q, &t->want));
	if (t->lost)
		CHECK_CASE(t->what, e.scope == ERR_ACCOUNT && e.text[0]);
	else /* the conversation goes on, with libetpan */
		CHECK_CASE(t->what, imap_command(it.s, "NOOP", "NOOP", &e) == 0);
	imap_session_close(it.s);
	CHECK_CASE(t->what, script_end(&server));
}

int main(void)
{
	check_lines();
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		check_talk(&talks[i]);
	return check_done();
}
