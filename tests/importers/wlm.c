/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows Mail and Windows Live Mail: stores made by hand from what is known of them
   (formats.md section 4), since there are none to be had. */
#include "importers/wlm.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_wlm;
static const struct importer_ops *const ops = &importer_wlm;

#define MAIL "From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n"
#define WIRE "From: a@example.com|Subject: x||body|\n"
#define SEEN "# which messages were read or flagged, and folder names that were "  \
	     "too long, are in a database that is not read (MSMessageStore): all "  \
	     "mail comes as read\n"

#define ACCOUNT(tags)                                                          \
	"<?xml version=\"1.0\" encoding=\"utf-16\" ?>\r\n<MessageAccount>\r\n" \
	"  <Connection_Type type=\"DWORD\">00000003</Connection_Type>\r\n" tags \
	"</MessageAccount>\r\n"
#define SZ(tag, text) "  <" tag " type=\"SZ\">" text "</" tag ">\r\n"

/* As the program writes it: UTF-16 with a mark. text is ASCII. */
static void account_file(const char *root, const char *rel, const char *text)
{
	struct buf out = BUF_INIT;

	buf_add(&out, "\xFF\xFE", 2);
	for (; *text; text++) {
		buf_add_char(&out, *text);
		buf_add_char(&out, '\0');
	}
	tree_write(root, rel, out.data, out.len);
	buf_free(&out);
}

static void test_accounts(void)
{
	static const struct {
		const char *what, *text, *name;
		bool pop, imap, news;
	} cases[] = {
		{ "POP", ACCOUNT(SZ("Account_Name", "Office")
				 SZ("POP3_Server", "pop.example.com")), "Office",
		  true, false, false },
		{ "IMAP", ACCOUNT(SZ("Account_Name", "Home")
				  SZ("IMAP_Server", "imap.example.com")), "Home",
		  false, true, false },
		{ "news", ACCOUNT(SZ("NNTP_Server", "news.example.com")), "",
		  false, false, true },
		{ "no server at all", ACCOUNT(SZ("POP3_Server", "")), "", false,
		  false, false },
		{ "another tag that begins so",
		  ACCOUNT(SZ("POP3_Server_Name", "x")), "", false, false,
		  false },
		{ "references", ACCOUNT(SZ("Account_Name",
			"A&amp;B &lt;&#x65E5;&#26412;&#x1F600;&gt; &nbsp;")),
		  "A&B <日本\xF0\x9F\x98\x80> &nbsp;", false, false, false },
		{ "white space", ACCOUNT(SZ("Account_Name", "\r\n  Office  ")),
		  "Office", false, false, false },
		{ "UTF-8", ACCOUNT(SZ("Account_Name", "会社")), "会社", false,
		  false, false },
		{ "CP932", ACCOUNT(SZ("Account_Name", "\x89\xEF\x8E\xD0")),
		  "会社", false, false, false },
		{ "no attributes", "<Account_Name>Office</Account_Name>",
		  "Office", false, false, false },
		{ "an empty element", "<Account_Name/><x>y</x>", "", false, false,
		  false },
		{ "cut off", "<Account_Name type=\"SZ\">Off", "", false, false,
		  false },
		{ "no XML", "\1\2\3", "", false, false, false },
		{ "nothing", "", "", false, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wlm_account a = { .name = BUF_INIT };

		wlm_account_read(cases[i].text, strlen(cases[i].text), &a);
		CHECK_STR(a.name.data, cases[i].name);
		CHECK_CASE(cases[i].what, a.pop == cases[i].pop &&
						  a.imap == cases[i].imap &&
						  a.news == cases[i].news);
		buf_free(&a.name);
	}
}

static void test_folder_names(void)
{
	static char taken[] = "Customer 1AC";
	static struct walk_entry entry = { .name = taken, .kind = 'd' };
	static const struct walk_dir beside = { .entries = &entry, .n = 1 };
	static const struct {
		const char *dir, *want;
	} cases[] = {
		{ "Inbox", "Inbox" },
		{ "Sent Ite 5A1", "Sent Items" },
		{ "Deleted  28a", "Deleted Items" },
		{ "Junk E-m 123", "Junk E-mail" },
		{ "Drafts 0F1", "Drafts" },
		{ "Inbox 1C2", "Inbox" },
		{ "Storage  51c", "Storage Folders" },
		{ "送信済みアイテム 5A1", "送信済みアイテム" },
		{ "ごみ箱 0b2", "ごみ箱" },
		{ "Sent 5A1", "Sent 5A1" },	    /* not shortened: a name */
		{ "Report 2010", "Report 2010" },   /* a year */
		{ "Projects 201", "Projects 201" }, /* perhaps a number */
		{ "Projects 2A1", "Projects" },
		{ "Mwlaser (we 28a", "Mwlaser (we" },
		{ "Customer 1AB", "Customer 1AB" }, /* and there is 1AC */
		{ "会社の取引先 9fe", "会社の取引先 9fe" },
		{ "5A1", "5A1" },
		{ " 5A1", " 5A1" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf name = BUF_INIT;

		wlm_folder_name(cases[i].dir, &beside, &name);
		CHECK_STR(name.data, cases[i].want);
		buf_free(&name);
	}
	CHECK(wlm_message_name("26A6701F-00000002.eml"));
	CHECK(wlm_message_name("0000abcd-00000002.EML"));
	CHECK(!wlm_message_name("26A6701F-00000002.nws"));
	CHECK(!wlm_message_name("26A6701F-0000002.eml"));
	CHECK(!wlm_message_name("letter.eml"));
}

static void test_live_mail(const char *root)
{
	static const struct importer_options copies = { .imap_copies = true };

	tree_file(root, "Mail.MSMessageStore", "\xEF\xCD\xAB\x89");
	tree_file(root, "edb00001.log", "x");
	account_file(root, "Office (ex 28a/account{0}.oeaccount",
		     ACCOUNT(SZ("Account_Name", "Office (example.com)")
			     SZ("POP3_Server", "pop.example.com")
			     SZ("POP3_User_Name", "office")));
	tree_file(root, "Office (ex 28a/Inbox/26A6701F-00000002.eml", MAIL);
	tree_file(root, "Office (ex 28a/Inbox/26A6701F-00000001.eml", "");
	tree_file(root, "Office (ex 28a/Inbox/winmail.fol", "x");
	tree_file(root, "Office (ex 28a/Inbox/1F2E3D4C-0000000A.nws", MAIL);
	tree_file(root, "Office (ex 28a/Inbox/Customers 1a2/00000001-00000001"
			".eml", MAIL);
	tree_file(root, "Office (ex 28a/Sent Ite 5A1/00000001-00000002.eml",
		  MAIL);
	tree_file(root, "Office (ex 28a/Drafts/00000001-00000003.eml",
		  "X-Unsent: 1\r\n" MAIL);
	tree_file(root, "Office (ex 28a/Deleted  07c/00000001-00000004.eml",
		  MAIL);
	tree_dir(root, "Office (ex 28a/Junk E-m 123");
	account_file(root, "Home 1b2/account{1}.oeaccount",
		     ACCOUNT(SZ("Account_Name", "Home")
			     SZ("IMAP_Server", "imap.example.com")));
	tree_file(root, "Home 1b2/Inbox/00000002-00000001.eml", MAIL);
	account_file(root, "News/account{2}.oeaccount",
		     ACCOUNT(SZ("Account_Name", "News")
			     SZ("NNTP_Server", "news.example.com")));
	tree_file(root, "Storage Folders/Old 2009/00000003-00000001.eml", MAIL);
	tree_file(root, "Outbox/00000004-00000001.eml", MAIL);
	tree_file(root, "Backup/new/00000001-00000009.eml", MAIL);
	tree_file(root, "Your Feeds/feed/00000001-0000000A.eml", MAIL);
	CHECK_STR(source_text(ops, root, NULL),
		  "Office (ex 28a/Deleted  07c [trash] Deleted Items (Office "
		  "(example.com))\n"
		  "  00000001-00000004.eml [\\Seen] " WIRE
		  "Office (ex 28a/Drafts [drafts] Drafts (Office "
		  "(example.com))\n"
		  "  00000001-00000003.eml [\\Seen \\Draft] X-Unsent: 1|" WIRE
		  "Office (ex 28a/Inbox [inbox] INBOX (Office "
		  "(example.com))\n"
		  "  26A6701F-00000001.eml [\\Seen] skip=3 \n"
		  "  26A6701F-00000002.eml [\\Seen] " WIRE
		  "Office (ex 28a/Inbox/Customers 1a2 [] INBOX / Customers "
		  "(Office (example.com))\n"
		  "  00000001-00000001.eml [\\Seen] " WIRE
		  "Office (ex 28a/Sent Ite 5A1 [sent] Sent Items (Office "
		  "(example.com))\n"
		  "  00000001-00000002.eml [\\Seen] " WIRE
		  "Outbox [queue] Outbox\n"
		  "  00000004-00000001.eml [\\Seen \\Draft] queued " WIRE
		  "Storage Folders/Old 2009 [] Old 2009\n"
		  "  00000003-00000001.eml [\\Seen] " WIRE
		  "# Backup: copies of the database, left out\n"
		  "# Home: an IMAP account, whose mail is on the server, left "
		  "out; --imap-copies takes what was kept offline\n"
		  "# News: newsgroups, left out\n"
		  "# Your Feeds: news feeds, left out\n"
		  SEEN
		  "# 1 news articles (.nws) left out: they are no mail\n");
	CHECK(strstr(source_text(ops, root, &copies),
		     "Home 1b2/Inbox [inbox] INBOX (Home)\n"));
	CHECK_CASE("who names it means it",
		   strstr(source_text(ops, tree_path(root, "Home 1b2"), NULL),
			  "Inbox [inbox] INBOX (Home)\n"));
	CHECK(importer_claim(ops, root) == CLAIM_ALL);
	CHECK(importer_claim(ops, tree_path(root, "Home 1b2")) == CLAIM_ALL);
}

/* Vista: all POP accounts have one directory. */
static void test_windows_mail(const char *root)
{
	tree_file(root, "Windows Mail/WindowsMail.MSMessageStore", "x");
	account_file(root, "Windows Mail/Local Folders/account{0}.oeaccount",
		     ACCOUNT(SZ("Account_Name", "pop.example.com")
			     SZ("POP3_Server", "pop.example.com")));
	account_file(root, "Windows Mail/Local Folders/account{1}.oeaccount",
		     ACCOUNT(SZ("Account_Name", "directory")
			     SZ("LDAP_Server", "ldap.example.com")));
	tree_file(root, "Windows Mail/Local Folders/Inbox/0A0B0C0D-00000001.eml",
		  MAIL);
	tree_file(root, "Windows Mail/Local Folders/Sent Items/"
			"0A0B0C0D-00000002.eml", MAIL);
	CHECK_STR(source_text(ops, tree_path(root, "Windows Mail"), NULL),
		  "Local Folders/Inbox [inbox] INBOX (pop.example.com)\n"
		  "  0A0B0C0D-00000001.eml [\\Seen] " WIRE
		  "Local Folders/Sent Items [sent] Sent Items "
		  "(pop.example.com)\n"
		  "  0A0B0C0D-00000002.eml [\\Seen] " WIRE
		  SEEN);
	/* From above, the same. */
	CHECK(strstr(source_text(ops, root, NULL),
		     "Windows Mail/Local Folders/Inbox [inbox] INBOX "
		     "(pop.example.com)\n"));
}

/* A copy of the directories, without what tells of accounts. */
static void test_copies(const char *root)
{
	tree_file(root, "Windows Live Mail/Office (ex 28a/Inbox/"
			"26A6701F-00000002.eml", MAIL);
	tree_file(root, "Windows Live Mail/Office (ex 28a/Sent Items/"
			"26A6701F-00000003.eml", MAIL);
	tree_file(root, "account/Inbox/26A6701F-00000002.eml", MAIL);
	tree_file(root, "account/Drafts/26A6701F-00000003.eml", MAIL);
	tree_file(root, "just/Inbox/26A6701F-00000002.eml", MAIL);
	CHECK_STR(source_text(ops, tree_path(root, "Windows Live Mail"), NULL),
		  "Office (ex 28a/Inbox [inbox] INBOX (Office (ex)\n"
		  "  26A6701F-00000002.eml [\\Seen] " WIRE
		  "Office (ex 28a/Sent Items [sent] Sent Items (Office (ex)\n"
		  "  26A6701F-00000003.eml [\\Seen] " WIRE
		  SEEN);
	CHECK(!strncmp(source_text(ops, tree_path(root, "account"), NULL),
		       "Drafts [drafts] Drafts\n", 23));
	CHECK(!strncmp(source_text(ops, tree_path(root, "just/Inbox"), NULL),
		       ". [inbox] INBOX\n", 16));
}

static void test_claims(const char *root)
{
	static const struct {
		const char *path;
		enum claim want;
	} cases[] = {
		{ "account", CLAIM_ALL },
		{ "account/Inbox", CLAIM_ALL },
		{ "just", CLAIM_NO },
		{ "just/Inbox", CLAIM_ALL },
		{ "one", CLAIM_NO },
		{ "one/Office", CLAIM_ALL },
		{ "two", CLAIM_ALL },
		{ "other", CLAIM_NO },
		{ "Windows Mail", CLAIM_NO },
		{ "just/Inbox/26A6701F-00000002.eml", CLAIM_NO },
	};
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	tree_file(root, "account/Inbox/26A6701F-00000002.eml", MAIL);
	tree_dir(root, "account/Drafts");
	tree_file(root, "just/Inbox/26A6701F-00000002.eml", MAIL);
	tree_file(root, "one/Office/account{0}.oeaccount", "x");
	tree_file(root, "two/a/account{0}.oeaccount", "x");
	tree_file(root, "two/b/account{0}.oeaccount", "x");
	tree_file(root, "other/Inbox/letter.eml", MAIL);
	tree_file(root, "other/Drafts/letter.eml", MAIL);
	tree_file(root, "Windows Mail/wab.exe", "MZ");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].path,
			   importer_claim(ops, tree_path(root, cases[i].path)) ==
				   cases[i].want);
	CHECK(ops->open(tree_path(root, "Windows Mail"), &source_no_options,
			&imp, &e) < 0 &&
	      e.scope == ERR_ACCOUNT);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_live_mail,
		test_windows_mail,
		test_copies,
		test_claims,
	};

	test_accounts();
	test_folder_names();
	source_run(on_trees, sizeof(on_trees) / sizeof(on_trees[0]));
	return check_done();
}
