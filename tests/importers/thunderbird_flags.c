/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the importer says of a message's flags, tags and state: one trap of formats.md
   sections 2.5 to 2.8 a row. */
#include "tests/importers/thunderbird.h"

#define POP(state) "# POP3 State File\n\n*pop.x me\n" state
#define ACCOUNT(n, type)                                                       \
	"user_pref(\"mail.account.account" n ".server\", \"server" n "\");\n"   \
	"user_pref(\"mail.server.server" n ".type\", \"" type "\");\n"          \
	"user_pref(\"mail.server.server" n ".userName\", \"u" n "\");\n"        \
	"user_pref(\"mail.server.server" n ".hostname\", \"h" n "\");\n"        \
	"user_pref(\"mail.server.server" n ".directory-rel\", "                 \
	"\"[ProfD]Mail/h" n "\");\n"

static const struct trap traps[] = {
	{ .what = "a valid index counts alone: the header could not be patched",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0005")) },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=2)(^86=b)]", "1", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Answered b)\n" },
	{ .what = "so do its tags, over those a sender wrote",
	  .files = { { "a/Inbox",
		       MAIL("1", STATUS("0001") "X-Mozilla-Keys:  \n"
						"X-Mozilla-Keys: $label3\n") },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=1)(^86=)]", "1", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen)\n" },
	{ .what = "without an index they are what Thunderbird would show",
	  .files = { { "a/Inbox",
		       MAIL("1", STATUS("0001") "X-Mozilla-Keys:  \n"
						"X-Mozilla-Keys: $label3\n") },
		     { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen $label3)\n" },
	{ .what = "deleted by the header, whatever a valid index says",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0009")) },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=1)]", "1", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen) deleted\n" },
	{ .what = "an hour off is the same time, as on FAT in summer",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0001")) },
		     { "a/Inbox.msf",
		       MSF_HEAD "{1:^80 {(k^81:c)(s=9)} [1(^83=0)(^84=1@x)"
				"(^85=4)]}[1:^82(^89=@SIZE@)(^8A=5f5e1e10)"
				"(^8B=1)]" } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Flagged)\n" },
	{ .what = "two hours are not: flags are the header's, tags stay",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0001")) },
		     { "a/Inbox.msf",
		       MSF_HEAD "{1:^80 {(k^81:c)(s=9)} [1(^83=0)(^84=1@x)"
				"(^85=4)(^86=b)]}[1:^82(^89=@SIZE@)"
				"(^8A=5f5e2c20)(^8B=1)]" } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen b)\n" },
	{ .what = "an index that Thunderbird itself gave up (version 0)",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0001")) MAIL("2", "") },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=4)]", "1", "(^8F=0)") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen)\n  159 ()\n" },
	{ .what = "deleted, but the header had no place to say so",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0001")) MAIL("2", "") },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=1)]", "1", "(^8F=1)") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen)\n  159 () unlisted\n",
	  .told = { "Inbox: 1 messages are not in Thunderbird's valid index" } },
	{ .what = "junk, whoever found it so",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0000"))
				  MAIL("2", STATUS("0000"))
				  MAIL("3", STATUS("0000")) },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=0)(^8C=100)(^8D=user)]"
			   "[2(^83=@2@)(^84=2@x)(^85=0)(^8C=100)(^8D=plugin)]"
			   "[3(^83=@3@)(^84=3@x)(^85=0)(^8C=51)]", "3", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 ($Junk)\n  159 ($Junk)\n"
		  "  318 ($Junk)\n" },
	{ .what = "no junk: said by a person or a rule, not guessed",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0000"))
				  MAIL("2", STATUS("0000"))
				  MAIL("3", STATUS("0000"))
				  MAIL("4", STATUS("0000")) },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=0)(^8C=0)(^8D=user)]"
			   "[2(^83=@2@)(^84=2@x)(^85=0)(^8C=0)(^8D=plugin)]"
			   "[3(^83=@3@)(^84=3@x)(^85=0)(^8C=0)(^8D=filter)]"
			   "[4(^83=@4@)(^84=4@x)(^85=0)(^8C=50)"
			   "(^8D=whitelist)]", "4", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 ($NotJunk)\n  159 ()\n"
		  "  318 ($NotJunk)\n  477 ()\n" },
	{ .what = "a label from before there were tags",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0001")) },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=1)(^8E=3)]", "1", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen $label3)\n" },
	{ .what = "and taken away since: the row has a word about tags",
	  .files = { { "a/Inbox",
		       MAIL("1", "X-Mozilla-Status: 0001\n"
				 "X-Mozilla-Status2: 06000000\n") },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=1)(^8E=3)(^86=)]", "1",
			   "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen)\n" },
	{ .what = "offsets of versions that had no storeToken",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0001"))
				  MAIL("2", STATUS("0000")) },
		     { "a/Inbox.msf",
		       "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)>"
		       "(80=ns:msg:db:row:scope:msgs:all)"
		       "(81=ns:msg:db:table:kind:msgs)"
		       "(82=ns:msg:db:row:scope:dbfolderinfo:all)"
		       "(83=msgOffset)(84=message-id)(85=flags)(89=folderSize)"
		       "(8A=folderDate)(8B=numMsgs)>{1:^80 {(k^81:c)(s=9)} "
		       "[0(^84=1@x)(^85=1)][9f(^84=2@x)(^85=5)]}"
		       "[1:^82(^89=@SIZE@)(^8A=5f5e1000)(^8B=2)]" } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen)\n"
		  "  159 (\\Seen \\Flagged)\n" },
	{ .what = "two rows of one place: the one of this message",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0000")) },
		     { "a/Inbox.msf",
		       MSF("[1(^83=@1@)(^84=other@x)(^85=1)]"
			   "[2(^83=@1@)(^84=1@x)(^85=4)]", "2", "") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Flagged)\n" },

	{ .what = "only the beginning was fetched: by the header",
	  .files = { { "a/Inbox", MAIL("1", STATUS("0401")) },
		     { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen) partial\n",
	  .told = { "Inbox: 1 messages were downloaded only in part" } },
	{ .what = "or by popstate.dat",
	  .files = { { "a/Inbox",
		       MAIL("1", "X-UIDL: u1\n" STATUS("0001"))
			       MAIL("2", "X-UIDL: u2\n" STATUS("0001")) },
		     { "a/popstate.dat",
		       POP("k u2 1\nb u1 2\nf u3 3\nd u4 4\n") } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n  0 (\\Seen) partial\n"
		  "  170 (\\Seen)\n",
	  .told = { "3 messages were still on the server pop.x (as me)",
		    "of 2 messages on the server pop.x only the beginning" } },
	{ .what = "of the account that the message came by",
	  .files = { { "prefs.js",
		       "user_pref(\"mail.accountmanager.accounts\", "
		       "\"account1,account2\");\n" ACCOUNT("1", "pop3")
			       ACCOUNT("2", "pop3") },
		     { "Mail/h1/Inbox",
		       MAIL("1", "X-Account-Key: account1\nX-UIDL: 7\n")
			       MAIL("2", "X-Account-Key: account2\nX-UIDL: "
					 "7\n") },
		     { "Mail/h1/popstate.dat", POP("k 7 1\n") },
		     { "Mail/h2/popstate.dat", POP("b 7 1\n") } },
	  .want = "Mail/h1/Inbox [inbox] Inbox (u1@h1)\n  0 ()\n"
		  "  142 () partial\n" },
	{ .what = "mail that waits to be sent, drafts and templates",
	  .files = { { "a/Unsent Messages", MAIL("1", STATUS("0801")) },
		     { "a/Drafts", MAIL("2", STATUS("0001")) },
		     { "a/Templates", MAIL("3", STATUS("0001")) },
		     { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "Drafts [drafts] Drafts (a)\n  0 (\\Seen \\Draft)\n"
		  "Templates [templates] Templates (a)\n  0 (\\Seen \\Draft)\n"
		  "Unsent Messages [queue] Unsent Messages (a)\n"
		  "  0 (\\Seen \\Draft) queued\n" },
	{ .what = "labels 1 to 5 of the header, forwarded, receipt sent",
	  .files = { { "a/Inbox",
		       MAIL("1", "X-Mozilla-Status: 1003\n"
				 "X-Mozilla-Status2: 0a800000\n") },
		     { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n"
		  "  0 (\\Seen \\Answered $Forwarded $label5 $MDNSent)\n" },

	{ .what = "Maildir: names of all versions, debris, files of others",
	  .files = { { "a/M/cur/1795493699.M87426P5172Q1.vm.eml",
		       STATUS("0001") "Subject: x\n\nx\n" },
		     { "a/M/cur/m1@x.eml",
		       "From - Tue Nov 24 04:12:47 2026\r\n" STATUS("0004")
		       "Subject: x\n\nx\n" },
		     { "a/M/cur/1500000000.5.vm-1.eml",
		       STATUS("0009") "Subject: x\n\nx\n" },
		     { "a/M/cur/1500000000.6.vm:2,FS", "Subject: x\n\nx\n" },
		     { "a/M/cur/.hidden", "no mail\n" },
		     { "a/M/tmp/half", "Subject: x\n\nx\n" },
		     { "a/M/new/more", "Subject: x\n\nx\n" },
		     { "a/M.msf", MSF_HEAD } },
	  .source = "a",
	  .want = "M [] M (a)\n  1500000000.5.vm-1.eml (\\Seen) deleted\n"
		  "  1500000000.6.vm:2,FS (\\Seen \\Flagged)\n"
		  "  1795493699.M87426P5172Q1.vm.eml (\\Seen)\n"
		  "  m1@x.eml (\\Flagged)\n",
	  .told = { "M/new holds files that Thunderbird does not read" } },
	{ .what = "Maildir: a valid index counts alone",
	  .files = { { "a/M/cur/1.eml",
		       STATUS("0001") "Message-ID: <1@x>\n\nx\n" },
		     { "a/M/tmp/", NULL },
		     { "a/M.msf",
		       MSF("[1(^83=1.eml)(^84=1@x)(^85=4)(^86=b)]", "1",
			   "(^90=1)") } },
	  .source = "a",
	  .want = "M [] M (a)\n  1.eml (\\Flagged b)\n" },
	{ .what = "Maildir: one that is not called valid gives tags",
	  .files = { { "a/M/cur/1.eml",
		       STATUS("0001") "Message-ID: <1@x>\n\nx\n" },
		     { "a/M/tmp/", NULL },
		     { "a/M.msf",
		       MSF("[1(^83=1.eml)(^84=1@x)(^85=4)(^86=b)]", "1",
			   "") } },
	  .source = "a",
	  .want = "M [] M (a)\n  1.eml (\\Seen b)\n" },
	{ .what = "Maildir: not in the index, and migrated",
	  .files = { { "a/M/cur/1.eml",
		       STATUS("0001") "Message-ID: <1@x>\n\nx\n" },
		     { "a/M/tmp/", NULL },
		     { "a/M.msf", MSF("", "0", "(^90=1)") } },
	  .source = "a",
	  .want = "M [] M (a)\n  1.eml (\\Seen)\n" },

	{ .what = "IMAP copies: alive, dead, deleted on the server, not here",
	  .files = { { "ImapMail/h/INBOX", MAIL("1", STATUS("0001"))
					   MAIL("2", STATUS("0001"))
					   MAIL("3", STATUS("0001")) },
		     { "ImapMail/h/INBOX.msf",
		       MSF("[1(^83=@1@)(^84=1@x)(^85=84)(^86=b)]"
			   "[2(^83=@3@)(^84=3@x)(^85=200081)]"
			   "[3(^84=4@x)(^85=1)][4(^84=5@x)(^85=0)]", "4",
			   "") },
		     { "ImapMail/h/Work.msf", MSF("", "0", "") } },
	  .imap_copies = true,
	  .want = "ImapMail/h/INBOX [inbox] INBOX (h)\n  0 (\\Flagged b)\n"
		  "  159 () unlisted\n  318 (\\Seen) deleted\n",
	  .told = { "INBOX: 2 messages were never downloaded",
		    "account h: of 1 folders only the index is here" } },
	{ .what = "IMAP copies: the place is another message's, too",
	  .files = { { "ImapMail/h/INBOX", MAIL("1", STATUS("0001")) },
		     { "ImapMail/h/INBOX.msf",
		       MSF("[1(^83=@1@)(^84=2@x)(^85=81)]"
			   "[2(^83=@1@)(^84=1@x)(^85=84)]", "2", "") } },
	  .imap_copies = true,
	  .want = "ImapMail/h/INBOX [inbox] INBOX (h)\n  0 (\\Flagged)\n" },
	{ .what = "IMAP copies are not taken unless asked for",
	  .files = { { "ImapMail/h/INBOX", MAIL("1", STATUS("0001")) },
		     { "ImapMail/h/INBOX.msf", MSF("", "0", "") } },
	  .want = "",
	  .told = { "ImapMail is left out: its mail is on the server" } },
};

/* What only the summary says changes the locator of a Maildir's message, for that is
   all that is compared in a later run. */
static void check_locator(void)
{
	static const struct importer_options no_options;
	static const char *const rows[] = {
		"[1(^83=1.eml)(^84=1@x)(^85=1)]",
		"[1(^83=1.eml)(^84=1@x)(^85=1)]",
		"[1(^83=1.eml)(^84=1@x)(^85=1)(^86=tag)]",
		"[1(^83=1.eml)(^84=1@x)(^85=1)(^86=tag)(^8C=100)]",
	};
	char *top = tree_make(), *before = NULL;

	tree_file(top, "M/cur/1.eml", STATUS("0001") "Message-ID: <1@x>\n\nx\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct importer *imp;
		struct message m;
		struct folder f;
		struct err e = ERR_INIT;

		write_msf(top, "M.msf", rows[i], 0, 1, "(^90=1)");
		tree_age(top);
		message_init(&m);
		CHECK(ops->open(top, &no_options, &imp, &e) == 0);
		CHECK(ops->next_folder(imp, &f, &e) == 1);
		CHECK(ops->next(imp, &m, &e) == 1);
		CHECK(!before || !strcmp(before, m.locator.data) == (i == 1));
		free(before);
		before = mem_strdup(m.locator.data);
		CHECK(ops->load(imp, &m, &e) == 0);
		message_free(&m);
		ops->close(imp);
	}
	free(before);
	tree_remove(top);
}

/* A look at the server changes popstate.dat; only what it says of partial mail
   changes a folder. */
static void check_popstate_prints(void)
{
	static const struct importer_options no_options;
	static const char *const states[] = {
		POP("k u1 1\nb u2 1\n"),
		POP("k u1 7\nb u2 7\nk u3 7\n"),
		POP("k u1 7\nk u2 7\n"),
	};
	char *top = tree_make(), *before = NULL;

	tree_file(top, "Inbox", MAIL("1", ""));
	tree_file(top, "Inbox.msf", MSF_HEAD);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct importer *imp;
		struct folder f;
		struct err e = ERR_INIT;

		tree_file(top, "popstate.dat", states[i]);
		CHECK(ops->open(top, &no_options, &imp, &e) == 0);
		CHECK(ops->next_folder(imp, &f, &e) == 1);
		CHECK(!before || !strcmp(before, f.fingerprint) == (i == 1));
		free(before);
		before = mem_strdup(f.fingerprint);
		ops->close(imp);
	}
	free(before);
	tree_remove(top);
}

/* --- a folder that grows --- */

static const char grown[] = MAIL("1", STATUS("0001")) MAIL("2", STATUS("0000"))
	MAIL("3", STATUS("0000"));

enum { LENGTH = 159 }; /* of one of them */

/* The first n of grown[], with a summary of them; first is how the first one's row
   ends. */
static void grow(const char *root, unsigned n, const char *first)
{
	struct buf rows = BUF_INIT;

	buf_addf(&rows, "[1(^83=0)(^84=1@x)%s]", first);
	for (unsigned i = 1; i < n; i++)
		buf_addf(&rows, "[%u(^83=%u)(^84=%u@x)(^85=0)]", i + 1,
			 i * LENGTH, i + 1);
	tree_write(root, "Inbox", grown, n * (size_t)LENGTH);
	write_msf(root, "Inbox.msf", rows.data, n * (size_t)LENGTH, n, "");
	tree_age(root);
	buf_free(&rows);
}

/* Read from where the bookmark allows; which messages, and the next bookmark. */
static void read_on(const char *root, struct buf *bookmark, struct buf *out)
{
	static const struct importer_options no_options;
	struct importer *imp;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	const char *mark;

	buf_reset(out);
	message_init(&m);
	CHECK(ops->open(root, &no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	if (bookmark->len)
		buf_addf(out, "%d", ops->resume(imp, bookmark->data));
	while (message_reset(&m), ops->next(imp, &m, &e) > 0) {
		CHECK(ops->load(imp, &m, &e) == 0);
		buf_addf(out, " %s(", m.locator.data);
		flags_add_text(out, &m.flags);
		buf_add_char(out, ')');
	}
	mark = ops->bookmark(imp);
	buf_set_str(bookmark, mark ? mark : "");
	message_free(&m);
	ops->close(imp);
}

static void check_growing(void)
{
	static const struct {
		const char *what;
		unsigned n;
		const char *first; /* how the first message's row ends */
		const char *want;
	} steps[] = {
		{ "a folder of one", 1, "(^85=1)", " 0(\\Seen)" },
		{ "and one more", 2, "(^85=1)", "1 159()" },
		{ "and nothing more", 2, "(^85=1)", "1" },
		{ "one more, and a tag on the first", 3, "(^85=1)(^86=a)",
		  "0 0(\\Seen a) 159() 318()" },
		{ "compacted", 2, "(^85=1)(^86=a)", "0 0(\\Seen a) 159()" },
		{ "grown again", 3, "(^85=1)(^86=a)", "1 318()" },
	};
	char *top = tree_make();
	struct buf bookmark = BUF_INIT, got = BUF_INIT;

	CHECK(sizeof(grown) - 1 == 3 * (size_t)LENGTH);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		grow(top, steps[i].n, steps[i].first);
		read_on(top, &bookmark, &got);
		CHECK_CASE(steps[i].what, !strcmp(got.data, steps[i].want));
		CHECK_STR(got.data, steps[i].want);
	}
	/* Without a summary of this very file nobody tells of changed flags. */
	write_msf(top, "Inbox.msf", "", 7, 0, "");
	tree_age(top);
	read_on(top, &bookmark, &got);
	CHECK_STR(got.data, "0 0(\\Seen) 159() 318()");
	CHECK(!bookmark.len);
	for (size_t i = 0; i < 4; i++) {
		static const char *const wrong[] = { "x", "x 1", "x 1 2 ",
						     "x 99999999999999999999 1 x" };

		grow(top, 1, "(^85=1)");
		buf_set_str(&bookmark, wrong[i]);
		read_on(top, &bookmark, &got);
		CHECK_STR(got.data, "0 0(\\Seen)");
	}
	buf_free(&bookmark);
	buf_free(&got);
	tree_remove(top);
}

int main(void)
{
	check_growing();
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		trap_run(&traps[i]);
	check_locator();
	check_popstate_prints();
	return check_done();
}
