/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding profiles, accounts and folders as they lie on the disk of another machine:
   one trap of formats.md sections 2.1 to 2.4 a row. */
#include "tests/importers/thunderbird.h"

#define ACCOUNTS(list) "user_pref(\"mail.accountmanager.accounts\", \"" list "\");\n"
#define PREF(n, key, value)                                                    \
	"user_pref(\"mail.server.server" n "." key "\", \"" value "\");\n"
#define SERVER(n, type)                                                        \
	"user_pref(\"mail.account.account" n ".server\", \"server" n "\");\n"   \
	PREF(n, "type", type)
#define ME_AT(n, host) PREF(n, "userName", "me") PREF(n, "hostname", host)
#define ONE ACCOUNTS("account1") SERVER("1", "pop3") ME_AT("1", "pop.x")
#define SUBJECT(id) MAIL(id, STATUS("0001"))
#define SEEN "  0 (\\Seen)\n"
#define MSF_FLAGS(hex) MSF_HEAD "[1:^82(^85=" hex ")]"

static const struct trap traps[] = {
	/* --- profiles --- */
	{ .what = "profiles.ini of Windows: mark, CRLF, absolute path",
	  .files = { { "profiles.ini",
		       "\xEF\xBB\xBF[Profile0]\r\nName=default\r\nIsRelative=0\r\n"
		       "Path=C:\\Users\\me\\AppData\\Roaming\\Thunderbird\\"
		       "Profiles\\Abc.Default\r\nDefault=1\r\n" },
		     { "Profiles/abc.default/prefs.js",
		       ONE PREF("1", "directory-rel", "[ProfD]Mail/pop.x") },
		     { "Profiles/abc.default/Mail/pop.x/Inbox", SUBJECT("1") } },
	  .want = "Profiles/abc.default/Mail/pop.x/Inbox [inbox] Inbox "
		  "(me@pop.x)\n" SEEN },
	{ .what = "a relative path with back slashes",
	  .files = { { "profiles.ini", "[Profile0]\nPath=Profiles\\a\n" },
		     { "Profiles/a/Mail/x/Inbox", SUBJECT("1") } },
	  .want = "Profiles/a/Mail/x/Inbox [inbox] Inbox (x)\n" SEEN },
	{ .what = "a path out of the source is looked for by its last part",
	  .files = { { "profiles.ini", "[Profile0]\nIsRelative=1\n"
				       "Path=../../../home/me/p.old/\n" },
		     { "p.old/Mail/x/Inbox", SUBJECT("1") } },
	  .want = "p.old/Mail/x/Inbox [inbox] Inbox (x)\n" SEEN },
	{ .what = "a profile that profiles.ini does not name",
	  .files = { { "profiles.ini", "[General]\nVersion=2\n" },
		     { "b.second/Mail/x/Inbox", SUBJECT("1") } },
	  .want = "b.second/Mail/x/Inbox [inbox] Inbox (x)\n" SEEN },
	{ .what = "the others are told",
	  .files = { { "profiles.ini", "[Install12AB]\nDefault=a\nLocked=1\n" },
		     { "a/Mail/x/Inbox", SUBJECT("1") },
		     { "b/Mail/x/Inbox", SUBJECT("2") } },
	  .want = "a/Mail/x/Inbox [inbox] Inbox (x)\n" SEEN,
	  .told = { "of 2 profiles, a is read", "/b as a source" } },
	{ .what = "the portable edition",
	  .files = { { "Data/profile/Mail/x/Inbox", SUBJECT("1") } },
	  .want = "Data/profile/Mail/x/Inbox [inbox] Inbox (x)\n" SEEN },
	{ .what = "user.js overrides",
	  .files = { { "prefs.js", ONE PREF("1", "directory-rel",
					    "[ProfD]Mail/a") },
		     { "user.js", PREF("1", "directory-rel",
				       "[ProfD]Mail/b") },
		     { "Mail/b/Inbox", SUBJECT("1") } },
	  .want = "Mail/b/Inbox [inbox] Inbox (me@pop.x)\n" SEEN },

	/* --- where accounts keep their mail --- */
	{ .what = "directory-rel with back slashes",
	  .files = { { "prefs.js", ONE PREF("1", "directory-rel",
					    "[ProfD]Mail\\\\pop.x") },
		     { "Mail/pop.x/Inbox", SUBJECT("1") } },
	  .want = "Mail/pop.x/Inbox [inbox] Inbox (me@pop.x)\n" SEEN },
	{ .what = "directory of Windows, in other letters than on disk",
	  .files = { { "prefs.js", ONE PREF("1", "directory",
					    "D:\\\\T\\\\mail\\\\POP.X\\\\") },
		     { "Mail/pop.x/Inbox", SUBJECT("1") } },
	  .want = "Mail/pop.x/Inbox [inbox] Inbox (me@pop.x)\n" SEEN },
	{ .what = "directory of macOS, decomposed on disk",
	  .files = { { "prefs.js",
		       ONE PREF("1", "directory",
				"/Users/me/Library/Thunderbird/Profiles/p/"
				"Mail/が.x") },
		     { "Mail/か\u3099.x/Inbox", SUBJECT("1") } },
	  .want = "Mail/か\u3099.x/Inbox [inbox] Inbox (me@pop.x)\n" SEEN },
	{ .what = "it was moved out of the profile: an old copy is told",
	  .files = { { "prefs.js",
		       ONE PREF("1", "directory-rel", "[ProfD]../../../D/pop.x")
			       PREF("1", "directory", "D:\\\\pop.x") },
		     { "Mail/pop.x/Inbox", SUBJECT("1") } },
	  .want = "Mail/pop.x/Inbox [inbox] Inbox (me@pop.x)\n" SEEN,
	  .told = { "kept its mail in D:\\pop.x when it was last used" } },
	{ .what = "no copy of it is here",
	  .files = { { "prefs.js",
		       ONE PREF("1", "directory", "D:\\\\mail\\\\pop.x") },
		     { "Mail/", NULL } },
	  .want = "",
	  .told = { "account me@pop.x keeps its mail outside of this source, in "
		    "D:\\mail\\pop.x" } },
	{ .what = "two accounts on one host, told apart by it",
	  .files = { { "prefs.js",
		       ACCOUNTS("account1,account2") SERVER("1", "pop3")
			       PREF("1", "directory-rel",
				    "[ProfD]Mail/pop.example.x")
			       SERVER("2", "pop3")
			       PREF("2", "directory-rel",
				    "[ProfD]Mail/pop.example-1.x")
			       ME_AT("1", "pop.x") ME_AT("2", "pop.x") },
		     { "Mail/pop.example.x/Inbox", SUBJECT("1") },
		     { "Mail/pop.example-1.x/Inbox", SUBJECT("2") } },
	  .want = "Mail/pop.example-1.x/Inbox [inbox] Inbox "
		  "(me@pop.x (pop.example-1.x))\n" SEEN
		  "Mail/pop.example.x/Inbox [inbox] Inbox "
		  "(me@pop.x (pop.x))\n" SEEN },
	{ .what = "without any directory: host, host-1, host with a number in it",
	  .files = { { "prefs.js",
		       ACCOUNTS("account1,account2,account3")
			       SERVER("1", "pop3") SERVER("2", "pop3")
				       SERVER("3", "pop3")
			       PREF("1", "hostname", "p.x")
			       PREF("2", "hostname", "p.x")
			       PREF("3", "hostname", "p.x")
			       PREF("1", "userName", "a")
			       PREF("2", "userName", "b")
			       PREF("3", "userName", "c") },
		     { "Mail/p.x/Inbox", SUBJECT("1") },
		     { "Mail/p-1.x/Inbox", SUBJECT("2") },
		     { "Mail/p.x-2/Inbox", SUBJECT("3") } },
	  .want = "Mail/p-1.x/Inbox [inbox] Inbox (b@p.x)\n" SEEN
		  "Mail/p.x-2/Inbox [inbox] Inbox (c@p.x)\n" SEEN
		  "Mail/p.x/Inbox [inbox] Inbox (a@p.x)\n" SEEN },
	{ .what = "a name the person gave; one user name on two hosts",
	  .files = { { "prefs.js",
		       ACCOUNTS("account1,account2,account3")
			       SERVER("1", "pop3") SERVER("2", "pop3")
				       SERVER("3", "pop3")
			       PREF("1", "hostname", "p.x")
			       PREF("2", "hostname", "q.x")
			       PREF("3", "hostname", "r.x")
			       PREF("1", "name", "会社")
			       PREF("2", "userName", "me@x")
			       PREF("3", "userName", "me@x") },
		     { "Mail/p.x/Inbox", SUBJECT("1") },
		     { "Mail/q.x/Inbox", SUBJECT("2") },
		     { "Mail/r.x/Inbox", SUBJECT("3") } },
	  .want = "Mail/p.x/Inbox [inbox] Inbox (会社)\n" SEEN
		  "Mail/q.x/Inbox [inbox] Inbox (me@x (q.x))\n" SEEN
		  "Mail/r.x/Inbox [inbox] Inbox (me@x (r.x))\n" SEEN },
	{ .what = "what a server was first called, and is now",
	  .files = { { "prefs.js",
		       ONE PREF("1", "directory-rel", "[ProfD]Mail/pop.x")
			       PREF("1", "realhostname", "new.x")
			       PREF("1", "realuserName", "you") },
		     { "Mail/pop.x/Inbox", SUBJECT("1") } },
	  .want = "Mail/pop.x/Inbox [inbox] Inbox (you@new.x)\n" SEEN },
	{ .what = "a deferred account: its own directory is left behind",
	  .files = { { "prefs.js",
		       ACCOUNTS("account1,account2") SERVER("1", "pop3")
			       ME_AT("1", "pop.x")
			       PREF("1", "directory-rel", "[ProfD]Mail/pop.x")
			       PREF("1", "deferred_to_account", "account2")
			       SERVER("2", "none")
			       PREF("2", "name", "Local Folders")
			       PREF("2", "directory-rel",
				    "[ProfD]Mail/Local Folders") },
		     { "Mail/pop.x/Inbox", "" },
		     { "Mail/pop.x/Trash", "" },
		     { "Mail/pop.x/Old", SUBJECT("2") },
		     { "Mail/pop.x/popstate.dat", "*pop.x me\nk 1 1\n" },
		     { "Mail/Local Folders/Inbox", SUBJECT("1") } },
	  .want = "Mail/Local Folders/Inbox [inbox] Inbox (Local Folders)\n" SEEN
		  "Mail/pop.x/Old [] Old (me@pop.x) hidden\n"
		  "  0 (\\Seen) hidden\n",
	  .told = { "the mail of account me@pop.x is in the Inbox of account "
		    "Local Folders",
		    "account me@pop.x: when Thunderbird last looked, 1 "
		    "messages" } },
	{ .what = "feeds, news and chat are no mail, wherever they lie",
	  .files = { { "prefs.js",
		       ACCOUNTS("account1,account2,account3") SERVER("1", "rss")
			       SERVER("2", "nntp") SERVER("3", "im")
			       PREF("1", "name", "Blogs")
			       PREF("1", "directory-rel", "[ProfD]Mail/Feeds-1")
			       PREF("2", "name", "News")
			       PREF("2", "directory-rel", "[ProfD]News/n")
			       PREF("3", "name", "Talk") },
		     { "Mail/Feeds-1/Inbox", SUBJECT("1") },
		     { "Mail/Feeds-1/Inbox.msf", MSF_HEAD },
		     { "News/n/x.msf", MSF_HEAD },
		     { "Mail/x/Inbox", SUBJECT("2") } },
	  .want = "Mail/x/Inbox [inbox] Inbox (x) hidden\n"
		  "  0 (\\Seen) hidden\n",
	  .told = { "account Blogs is left out: feeds",
		    "account News is left out: news",
		    "account Talk is left out: chat" },
	  .not_told = "Feeds-1 holds" },
	{ .what = "also without settings",
	  .files = { { "Mail/Feeds/Inbox", SUBJECT("1") },
		     { "Mail/RSS/feeds.json", "[]" },
		     { "Mail/RSS/Inbox", SUBJECT("2") },
		     { "Mail/smart mailboxes/Inbox.msf", MSF_HEAD },
		     { "News/n/x.msf", MSF_HEAD },
		     { "Mail/x/Inbox", SUBJECT("3") } },
	  .want = "Mail/x/Inbox [inbox] Inbox (x)\n" SEEN,
	  .told = { "Mail/Feeds is left out: feeds",
		    "Mail/RSS is left out: feeds",
		    "News is left out: news" } },

	/* --- folders --- */
	{ .what = "Thunderbird's other files are no folders",
	  .files = { { "a/Inbox", SUBJECT("1") },
		     { "a/msgFilterRules.dat", SUBJECT("2") },
		     { "a/filterlog.html", SUBJECT("2") },
		     { "a/feeds.json.bak", SUBJECT("2") },
		     { "a/feeditems_error.json", SUBJECT("2") },
		     { "a/x.snm", SUBJECT("2") },
		     { "a/x.toc", SUBJECT("2") },
		     { "a/sort.dat", SUBJECT("2") },
		     { "a/popstate.dat", "" },
		     { "a/Inbox.mozmsgs/1.mozeml", SUBJECT("2") },
		     { "a/Inbox.msf.bak", MSF_HEAD },
		     { "a/Inbox.msf.bak.msf", MSF_HEAD } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n" SEEN },
	{ .what = "names that it passes over, with mail in them",
	  .files = { { "a/Inbox", SUBJECT("1") },
		     { "a/.Old", SUBJECT("2") },
		     { "a/#Old", SUBJECT("2") },
		     { "a/Old~", SUBJECT("2") },
		     { "a/.compact-temp/nstmp", SUBJECT("2") },
		     { "a/becky/x.bmf", "x" },
		     { "a/empty/", NULL },
		     { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "Inbox [inbox] Inbox (a)\n" SEEN,
	  .told = { ".Old: looks like mail", "#Old: looks like mail",
		    "Old~: looks like mail", ".compact-temp: left over",
		    "becky: a directory that is not Thunderbird's" },
	  .not_told = "empty" },
	{ .what = "what compacting left behind is mail",
	  .files = { { "a/nstmp", SUBJECT("1") }, { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "nstmp [] nstmp (a) hidden\n  0 (\\Seen) hidden\n" },
	{ .what = "a directory of children without its folder",
	  .files = { { "a/X.sbd/Y", SUBJECT("1") },
		     { "a/X.sbd/Y.sbd/Z", SUBJECT("2") } },
	  .source = "a",
	  .want = "X.sbd/Y [] X / Y (a) hidden\n  0 (\\Seen) hidden\n"
		  "X.sbd/Y.sbd/Z [] X / Y / Z (a) hidden\n"
		  "  0 (\\Seen) hidden\n",
	  .told = { "X.sbd: Thunderbird does not show the folders in it" } },
	{ .what = "in other letters: X.MSF and x.sbd go with X",
	  .files = { { "a/Work", SUBJECT("1") },
		     { "a/WORK.MSF",
		       MSF_HEAD "{1:^80 {(k^81:c)(s=9)} [1(^83=0)(^84=1@x)"
				"(^85=1)(^86=b)]}[1:^82(^8B=1)]" },
		     { "a/work.sbd/Sub", SUBJECT("2") } },
	  .source = "a",
	  .want = "Work [] Work (a)\n  0 (\\Seen b)\n"
		  "work.sbd/Sub [] Work / Sub (a)\n" SEEN },
	{ .what = "but not where they go with another folder",
	  .files = { { "a/Work", SUBJECT("1") },
		     { "a/work", SUBJECT("2") },
		     { "a/work.msf",
		       MSF_HEAD "{1:^80 {(k^81:c)(s=9)} [1(^83=0)(^84=1@x)"
				"(^85=1)(^86=b)]}[1:^82(^8B=1)]" },
		     { "a/work.sbd/Sub", SUBJECT("3") } },
	  .source = "a",
	  .want = "Work [] Work (a)\n" SEEN "work [] work (a)\n" SEEN
		  "work.sbd/Sub [] work / Sub (a)\n" SEEN },
	{ .what = "decomposed folder, composed companions",
	  .files = { { "a/か\u3099", SUBJECT("1") },
		     { "a/が.sbd/こと", SUBJECT("2") } },
	  .source = "a",
	  .want = "か\u3099 [] が (a)\n" SEEN "が.sbd/こと [] が / こと (a)\n"
		  SEEN },
	{ .what = "names in the charset of old Windows (CP932)",
	  .files = { { "a/\x90\xBF\x8B\x81\x8F\x91", SUBJECT("1") },
		     { "a/\x90\xBF\x8B\x81\x8F\x91.sbd/\x95\\", SUBJECT("2") } },
	  .source = "a",
	  .want = "\x90\xBF\x8B\x81\x8F\x91 [] 請求書 (a)\n" SEEN
		  "\x90\xBF\x8B\x81\x8F\x91.sbd/\x95\\ [] 請求書 / 表 (a)\n"
		  SEEN },
	{ .what = "a name hashed from bytes of CP932, found in a rule",
	  .files = { { "a/edbd7719", SUBJECT("1") },
		     { "a/X.sbd/", NULL },
		     { "a/msgFilterRules.dat",
		       "actionValue=\"mailbox://me@pop.x/%E8%A6%8B%E7%A9%8D/"
		       "%E8%A1%A8%3A1\"\n" } },
	  .source = "a",
	  .want = "edbd7719 [] 表:1 (a)\n" SEEN },
	{ .what = "names and flags in panacea.dat, with paths of Windows",
	  .files = { { "panacea.dat",
		       "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)>"
		       "(80=ns:msg:db:row:scope:folders:all)"
		       "(81=ns:msg:db:table:kind:folders)(82=key)"
		       "(83=folderName)(84=flags)>{1:^80 {(k^81:c)(s=9)} "
		       "[1(^82=C:\\\\T\\\\Mail\\\\x\\\\1ad41a64.msf)"
		       "(^83=test $CF$84)(^84=4)]"
		       "[2(^82=C:\\\\T\\\\Mail\\\\x\\\\Gesendet.msf)"
		       "(^83=Gesendet)(^84=204)]}" },
		     { "Mail/x/1ad41a64", SUBJECT("1") },
		     { "Mail/x/Gesendet", SUBJECT("2") },
		     { "Mail/x/popstate.dat", "" } },
	  .want = "Mail/x/1ad41a64 [] test τ (x)\n" SEEN
		  "Mail/x/Gesendet [sent] Gesendet (x)\n" SEEN },
	{ .what = "folderCache.json is younger: names only",
	  .files = { { "panacea.dat",
		       "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)>"
		       "(80=ns:msg:db:row:scope:folders:all)"
		       "(81=ns:msg:db:table:kind:folders)(82=key)"
		       "(83=folderName)(84=flags)>{1:^80 {(k^81:c)(s=9)} "
		       "[1(^82=/p/Mail/x/1ad41a64.msf)(^83=test $CF$84)"
		       "(^84=204)]}" },
		     { "folderCache.json", "{}" },
		     { "Mail/x/1ad41a64", SUBJECT("1") },
		     { "Mail/x/popstate.dat", "" } },
	  .want = "Mail/x/1ad41a64 [] test τ (x)\n" SEEN },
	{ .what = "a saved search has no mail, an empty folder is one",
	  .files = { { "a/Search", "" },
		     { "a/Search.msf", MSF_FLAGS("24") },
		     { "a/Empty", "" } },
	  .source = "a",
	  .want = "Empty [] Empty (a)\n" },
	{ .what = "special folders by their flags and by their names",
	  .files = { { "a/INBOX", SUBJECT("1") },
		     { "a/X", SUBJECT("2") },
		     { "a/X.msf", MSF_FLAGS("40000004") },
		     { "a/Y.sbd/Sent", SUBJECT("3") },
		     { "a/Y", "" } },
	  .source = "a",
	  .want = "INBOX [inbox] INBOX (a)\n" SEEN "X [junk] X (a)\n" SEEN
		  "Y [] Y (a)\nY.sbd/Sent [] Y / Sent (a)\n" SEEN },
	{ .what = "decoded since 140, and lost by that",
	  .files = { { "a/100%25", SUBJECT("1") }, { "a/100%", SUBJECT("2") },
		     { "a/X.sbd/", NULL } },
	  .source = "a",
	  .want = "100% [] 100% (a)\n" SEEN
		  "100%25 [] 100% (a) hidden\n  0 (\\Seen) hidden\n" },
};

/* A directory with an account in it is only ours where nothing else is in it. */
static void check_claim(void)
{
	static const struct {
		const char *what, *path;
		enum claim claim;
	} cases[] = {
		{ "a backup with other stores", "backup", CLAIM_NO },
		{ "the account in it", "backup/pop.x", CLAIM_ALL },
		{ "accounts and nothing else", "only", CLAIM_ALL },
		{ "Mail, whatever else", "p/Mail", CLAIM_ALL },
		{ "what Mail is in", "p", CLAIM_ALL },
		{ "summaries in capitals", "old", CLAIM_ALL },
	};
	char *top = tree_make();

	tree_file(top, "backup/pop.x/Inbox.msf", MSF_HEAD);
	tree_file(top, "backup/2009.mbox", SUBJECT("1"));
	tree_file(top, "only/pop.x/Inbox.msf", MSF_HEAD);
	tree_file(top, "only/.DS_Store", "x");
	tree_file(top, "p/Mail/pop.x/Inbox.msf", MSF_HEAD);
	tree_file(top, "p/Mail/notes.txt", "x");
	tree_file(top, "old/INBOX.MSF", MSF_HEAD);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].what,
			   importer_claim(ops, tree_path(top, cases[i].path)) ==
				   cases[i].claim);
	tree_remove(top);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		trap_run(&traps[i]);
	check_claim();
	return check_done();
}
