/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Apple Mail importer: framing, property lists, trees. Attachments that are put
   back: emlx_parts.c. */
#include "importers/emlx.h"

#include "core/base/date.h"
#include "tests/importers/source.h"

extern const struct importer_ops importer_emlx;
static const struct importer_ops *const ops = &importer_emlx;

#define MAIL "From: a@example.com\nSubject: x\n\nbody\n"
#define WIRE "From: a@example.com|Subject: x||body|\n"

static void add_plist(struct buf *out, uint64_t flags, long long received)
{
	buf_addf(out,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		 "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		 "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		 "<plist version=\"1.0\">\n<dict>\n"
		 "\t<key>conversation-id</key>\n\t<integer>123456</integer>\n"
		 "\t<key>date-received</key>\n\t<integer>%lld</integer>\n"
		 "\t<key>flags</key>\n\t<integer>%llu</integer>\n"
		 "\t<key>remote-id</key>\n\t<string>789</string>\n"
		 "</dict>\n</plist>\n",
		 received, (unsigned long long)flags);
}

/* As Mail writes it: the count has room for ten digits. */
static void emlx_file(const char *root, const char *rel, const char *mail,
		      uint64_t flags)
{
	struct buf file = BUF_INIT;

	buf_addf(&file, "%-10zu\n%s", strlen(mail), mail);
	add_plist(&file, flags, 1581000000);
	tree_write(root, rel, file.data, file.len);
	buf_free(&file);
}

static void test_frames(void)
{
#define LIST "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>" \
	     "<key>flags</key><integer>1</integer></dict></plist>\n"
	static const struct {
		const char *what, *file, *want;
	} cases[] = {
		{ "padded", "37        \n" MAIL LIST, "[\\Seen] " WIRE },
		{ "not padded", "37\n" MAIL LIST, "[\\Seen] " WIRE },
		{ "CRLF behind the count", "37\r\n" MAIL LIST,
		  "[\\Seen] " WIRE },
		{ "no list", "37\n" MAIL, "[] " WIRE },
		{ "the count is too low", "30\n" MAIL LIST, "[\\Seen] " WIRE },
		{ "the count is too high", "50\n" MAIL LIST, "[\\Seen] " WIRE },
		{ "the count is behind the end", "99999\n" MAIL LIST,
		  "[\\Seen] " WIRE },
		{ "cut off", "4994\n" MAIL, "[] " WIRE },
		{ "the message has a list in it", "9\n" MAIL LIST "tail\n",
		  "[] From: a@example.com|Subject: x||body|<?xml version=\"1.0"
		  "\"?>|<plist version=\"1.0\"><dict><key>flags</key><integer>1"
		  "</integer></dict></plist>|tail|\n" },
		{ "no count", MAIL LIST, "!" },
		{ "a count without a line end", "37", "!" },
		{ "no number", "37x\n" MAIL, "!" },
		{ "a number of no size", "9999999999999999999999\n" MAIL, "!" },
		{ "no message", "0\n" LIST, "[\\Seen] skip=3 \n" },
		{ "empty", "", "[] skip=3 \n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *root = tree_make();
		const char *line;

		tree_file(root, "a/1.emlx", cases[i].file);
		line = strchr(source_text(ops, root, NULL), '\n') + 3;
		if (cases[i].want[0] != '!')
			line += strlen("1.emlx ");
		CHECK_CASE(cases[i].what, !strncmp(line, cases[i].want,
						   strlen(cases[i].want)));
		if (strncmp(line, cases[i].want, strlen(cases[i].want)))
			printf("%s\n", line);
		tree_remove(root);
	}
}

static void test_lists(void)
{
#define BYTES(s) s, sizeof(s) - 1
#define DICT(s) BYTES("<?xml?><plist><dict>" s "</dict></plist>")
	static const struct {
		const char *what, *bytes;
		size_t n;
		bool has;
		uint64_t flags;
		int64_t received;
	} cases[] = {
		{ "both", DICT("<key>flags</key><integer>5</integer><key>"
			       "date-received</key><integer>12</integer>"),
		  true, 5, 12 },
		{ "beyond 32 bits",
		  DICT("<key>flags</key><integer>8623489089</integer>"), true,
		  8623489089, DATE_NONE },
		{ "below zero", DICT("<key>flags</key><integer>-1</integer>"),
		  true, UINT64_MAX, DATE_NONE },
		{ "with a fraction",
		  DICT("<key>date-received</key><real>12.75</real>"), false, 0,
		  12 },
		{ "a date", DICT("<key>date-received</key><date>2008-01-02T"
				 "03:04:05Z</date>"),
		  false, 0, 1199243045 },
		{ "white space",
		  DICT("<key>flags</key>\n\t<integer> 5 </integer>"), true, 5,
		  DATE_NONE },
		{ "in a dictionary of its own",
		  DICT("<key>x</key><dict><key>flags</key><integer>5</integer>"
		       "</dict>"),
		  false, 0, DATE_NONE },
		{ "behind such a one",
		  DICT("<key>x</key><dict><key>flags</key><integer>5</integer>"
		       "</dict><key>flags</key><integer>1</integer>"),
		  true, 1, DATE_NONE },
		{ "behind an array",
		  DICT("<key>x</key><array><integer>2</integer></array><key>"
		       "flags</key><integer>1</integer>"),
		  true, 1, DATE_NONE },
		{ "an empty array",
		  DICT("<key>x</key><array/><key>flags</key><integer>1"
		       "</integer>"),
		  true, 1, DATE_NONE },
		{ "a key without a value",
		  DICT("<key>flags</key><key>x</key><integer>1</integer>"),
		  false, 0, DATE_NONE },
		{ "no number", DICT("<key>flags</key><integer>x</integer>"),
		  false, 0, DATE_NONE },
		{ "too many digits",
		  DICT("<key>flags</key><integer>99999999999999999999999"
		       "</integer>"),
		  false, 0, DATE_NONE },
		{ "never", DICT("<key>date-received</key><integer>0</integer>"),
		  false, 0, DATE_NONE },
		{ "cut off",
		  BYTES("<?xml?><plist><dict><key>flags</key><integer>5"), true,
		  5, DATE_NONE },
		{ "cut off in a tag", BYTES("<?xml?><plist><dict><key>flags</k"),
		  false, 0, DATE_NONE },
		/* {"flags": 0x201000001, "date-received": 1581000000} */
		{ "binary",
		  BYTES("bplist00\xD2\1\2\3\4Uflags\x5D" "date-received"
			"\x13\0\0\0\2\1\0\0\1\x12\x5E\x3C\x25\x40"
			"\x08\x0D\x13\x21\x2A"
			"\0\0\0\0\0\0\1\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0"
			"\0\0\0\0\0\0\0\x2F"),
		  true, 0x201000001, 1581000000 },
		{ "binary with a hole",
		  BYTES("bplist00\xD2\1\2\3\4Uflags\x5D" "date-received"
			"\x13\0\0\0\2\1\0\0\1\x12\x5E\x3C\x25\x40"
			"\x08\x0D\xFF\x21\x2A"
			"\0\0\0\0\0\0\1\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0"
			"\0\0\0\0\0\0\0\x2F"),
		  true, 0x201000001, DATE_NONE },
		{ "binary without a table",
		  BYTES("bplist00\xD2\1\2\3\4Uflags"
			"\0\0\0\0\0\0\1\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0"
			"\xFF\xFF\xFF\xFF\0\0\0\x2F"),
		  false, 0, DATE_NONE },
		{ "binary, cut off", BYTES("bplist00\xD2"), false, 0, DATE_NONE },
		{ "nothing", BYTES(""), false, 0, DATE_NONE },
	};
#undef DICT
#undef BYTES

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct emlx_info info;

		emlx_plist_read(cases[i].bytes, cases[i].n, &info);
		CHECK_CASE(cases[i].what,
			   info.has_flags == cases[i].has &&
				   (!info.has_flags ||
				    info.flags == cases[i].flags));
		CHECK_CASE(cases[i].what, info.received == cases[i].received);
	}
}

static void test_flags(void)
{
	static const struct {
		uint64_t flags;
		const char *want;
	} cases[] = {
		{ 0, "[] " },
		{ 1, "[\\Seen] " },
		{ 1 << 2 | 1 << 4, "[\\Answered \\Flagged] " },
		{ 1 << 1, "[] skip=1 " },
		{ 1 << 6 | 1, "[\\Seen \\Draft] " },
		{ 1 << 8 | 1, "[\\Seen $Forwarded] " },
		{ 1 << 24, "[$Junk] " },
		{ 1 << 25 | 1, "[\\Seen $NotJunk] " },
		/* read, three attachments, normal priority; above 32 bits */
		{ UINT64_C(0x200000000) | 3 << 10 | 3 << 16 | 1, "[\\Seen] " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *root = tree_make();
		const char *line;

		emlx_file(root, "a/1.emlx", MAIL, cases[i].flags);
		line = strchr(source_text(ops, root, NULL), '\n') + 3;
		line += strlen("1.emlx ");
		CHECK_CASE(cases[i].want,
			   !strncmp(line, cases[i].want, strlen(cases[i].want)));
		tree_remove(root);
	}
}

#define UUID_1 "0A1B2C3D-0000-4000-8000-00000000000A"
#define UUID_2 "0A1B2C3D-0000-4000-8000-00000000000B"
#define STORE "0A1B2C3D-0000-4000-8000-0000000000FF/Data"

/* Version 10, with a POP account, an IMAP one, and what an older macOS left. */
static void make_new(const char *root)
{
	emlx_file(root, "V10/" UUID_1 "/INBOX.mbox/" STORE "/Messages/992.emlx",
		  MAIL, 1);
	emlx_file(root,
		  "V10/" UUID_1 "/INBOX.mbox/" STORE "/1/Messages/1308.emlx",
		  MAIL, 0);
	emlx_file(root,
		  "V10/" UUID_1 "/INBOX.mbox/" STORE "/9/7/Messages/79780.emlx",
		  MAIL, 0);
	tree_file(root, "V10/" UUID_1 "/INBOX.mbox/Info.plist",
		  "<plist><dict><key>MailboxID</key></dict></plist>");
	emlx_file(root,
		  "V10/" UUID_1 "/Sent Messages.mbox/" STORE
		  "/Messages/5.emlx", MAIL, 1);
	emlx_file(root,
		  "V10/" UUID_1 "/Clients.mbox/か\xE3\x82\x99.mbox/" STORE
		  "/Messages/6.emlx", MAIL, 1);
	tree_dir(root, "V10/" UUID_1 "/Empty.mbox");
	emlx_file(root, "V10/" UUID_2 "/INBOX.mbox/" STORE "/Messages/7.emlx",
		  MAIL, 1);
	tree_file(root, "V10/" UUID_2 "/INBOX.mbox/Info.plist",
		  "<plist><dict><key>UIDVALIDITY</key></dict></plist>");
	tree_dir(root, "V10/MailData");
	emlx_file(root, "V9/" UUID_1 "/INBOX.mbox/" STORE "/Messages/992.emlx",
		  MAIL, 1);
	tree_file(root, "RSS/feed.mbox/Messages/1.emlx", "x");
}

static void test_new_tree(const char *root)
{
	static const struct importer_options copies = { .imap_copies = true };

	make_new(root);
	CHECK_STR(source_text(ops, root, NULL),
		  "V10/" UUID_1 "/Clients.mbox/か\xE3\x82\x99.mbox [] Clients "
		  "/ が (" UUID_1 ")\n"
		  "  " STORE "/Messages/6.emlx [\\Seen] " WIRE
		  "V10/" UUID_1 "/INBOX.mbox [inbox] INBOX (" UUID_1 ")\n"
		  "  " STORE "/Messages/992.emlx [\\Seen] " WIRE
		  "  " STORE "/1/Messages/1308.emlx [] " WIRE
		  "  " STORE "/9/7/Messages/79780.emlx [] " WIRE
		  "V10/" UUID_1 "/Sent Messages.mbox [sent] Sent Messages ("
		  UUID_1 ")\n"
		  "  " STORE "/Messages/5.emlx [\\Seen] " WIRE
		  "# RSS: news feeds, left out\n"
		  "# " UUID_2 ": an account whose mail is on its server, left "
		  "out; --imap-copies takes what was kept offline\n"
		  "# V9: left by an older version of macOS beside a newer one, "
		  "left out\n");
	CHECK(strstr(source_text(ops, root, &copies), "(" UUID_2 ")\n"));
	CHECK_CASE("who names it means it",
		   strstr(source_text(ops, tree_path(root, "V10/" UUID_2), NULL),
			  "INBOX.mbox [inbox] INBOX"));
	CHECK_CASE("and a mailbox alone has its name",
		   !strncmp(source_text(ops,
					tree_path(root, "V10/" UUID_1
						  "/Sent Messages.mbox"),
					NULL),
			    ". [sent] Sent Messages\n", 23));
	CHECK(importer_claim(ops, root) == CLAIM_ALL);
	CHECK(importer_claim(ops, tree_path(root, "V10")) == CLAIM_ALL);
	CHECK(importer_claim(ops, tree_path(root, "V10/" UUID_1)) == CLAIM_ALL);
	CHECK(importer_claim(ops, tree_path(root, "V10/" UUID_1
					   "/INBOX.mbox")) == CLAIM_ALL);
}

static void test_old_tree(const char *root)
{
	emlx_file(root, "POP-a@example.com@pop.example.com/INBOX.mbox/Messages/"
			"2.emlx", MAIL, 1);
	tree_file(root,
		  "POP-a@example.com@pop.example.com/INBOX.mbox/mbox", "From -\n");
	emlx_file(root, "IMAP-a@example.com@imap.example.com/INBOX.imapmbox/"
			"Messages/3.emlx", MAIL, 1);
	emlx_file(root, "Mailboxes/Kept.mbox/Messages/10.emlx", MAIL, 1);
	emlx_file(root, "Mailboxes/Kept.mbox/Messages/9.emlx", MAIL, 1);
	emlx_file(root, "Mailboxes/Below/Kept.mbox/Messages/1.emlx", MAIL, 1);
	emlx_file(root, "Mailboxes/Outbox.mbox/Messages/1.emlx", MAIL, 1);
	CHECK_STR(source_text(ops, root, NULL),
		  "Mailboxes/Below/Kept.mbox [] Below / Kept\n"
		  "  Messages/1.emlx [\\Seen] " WIRE
		  "Mailboxes/Kept.mbox [] Kept\n"
		  "  Messages/9.emlx [\\Seen] " WIRE
		  "  Messages/10.emlx [\\Seen] " WIRE
		  "Mailboxes/Outbox.mbox [queue] Outbox\n"
		  "  Messages/1.emlx [\\Seen \\Draft] queued " WIRE
		  "POP-a@example.com@pop.example.com/INBOX.mbox [inbox] INBOX "
		  "(a@example.com@pop.example.com)\n"
		  "  Messages/2.emlx [\\Seen] " WIRE
		  "# IMAP-a@example.com@imap.example.com: an account whose mail "
		  "is on its server, left out; --imap-copies takes what was "
		  "kept offline\n"
		  "# POP-a@example.com@pop.example.com/INBOX.mbox/mbox: Mail's "
		  "file of before Mac OS X 10.4, left out; mbox:PATH brings it "
		  "over\n");
	CHECK(importer_claim(ops, root) == CLAIM_ALL);
}

static void test_bare(const char *root)
{
	emlx_file(root, "some/dir/1.emlx", MAIL, 1);
	emlx_file(root, "Sent/2.emlx", MAIL, 1);
	tree_file(root, "Sent/3.emlxpart", "x");
	tree_file(root, "Sent/._2.emlx", "x");
	CHECK_STR(source_text(ops, root, NULL),
		  "Sent [sent] Sent\n"
		  "  2.emlx [\\Seen] " WIRE
		  "some/dir [] some / dir\n"
		  "  1.emlx [\\Seen] " WIRE);
	CHECK(!strncmp(source_text(ops, tree_path(root, "Sent/2.emlx"), NULL),
		       ". [sent] Sent\n  2.emlx [\\Seen] ", 31));
	CHECK(importer_claim(ops, tree_path(root, "Sent/2.emlx")) == CLAIM_ALL);
	CHECK(importer_claim(ops, tree_path(root, "Sent/3.emlxpart")) ==
	      CLAIM_NO);
	CHECK(importer_claim(ops, root) == CLAIM_NO);
	CHECK(ops->gathers);
}

static void test_dates(const char *root)
{
	struct importer *imp = NULL;
	struct folder f;
	struct message m;
	struct err e = ERR_INIT;

	emlx_file(root, "a/1.emlx", MAIL, 1);
	message_init(&m);
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.when.delivered == 1581000000);
	message_free(&m);
	ops->close(imp);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_new_tree,
		test_old_tree,
		test_bare,
		test_dates,
	};

	test_frames();
	test_lists();
	test_flags();
	source_run(on_trees, sizeof(on_trees) / sizeof(on_trees[0]));
	return check_done();
}
