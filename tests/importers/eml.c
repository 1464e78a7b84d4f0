/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The EML importer: what files of one message have in front, and which are none. */
#include "importers/eml.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_eml;
static const struct importer_ops *const ops = &importer_eml;

#define MAIL "From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n"
#define SEEN "# such files do not say whether a message was read: all come as "   \
	     "read, but for those with Thunderbird's X-Mozilla-Status\n"

/* One file each, "a.eml" in the source's own directory. */
static void test_files(void)
{
#define BYTES(s) s, sizeof(s) - 1
	static const struct {
		const char *what, *bytes;
		size_t n;
		const char *want; /* behind "  a.eml "; or the whole line */
	} cases[] = {
		{ "as it should be", BYTES(MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "a byte order mark", BYTES("\xEF\xBB\xBF" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "a mark in the middle stays",
		  BYTES("Subject: x\n\n\xEF\xBB\xBF" "b"),
		  "[\\Seen] Subject: x||\xEF\xBB\xBF" "b" },
		{ "a separator of Thunderbird's",
		  BYTES("From - Tue Oct 02 00:26:47 2007\r\n" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "one that was quoted",
		  BYTES(">From b@example.com Tue Oct 02 00:26:47 2007\n" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "one without sender and date", BYTES("From \n" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "a mark, and a separator", BYTES("\xEF\xBB\xBF" "From -\n" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "From with a blank before its colon is a field",
		  BYTES("From : a@example.com\nTo: b@example.com\n\nb"),
		  "[\\Seen] From : a@example.com|To: b@example.com||b" },
		{ "empty lines on top", BYTES("\r\n\r\n" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "a line of From in the body stays",
		  BYTES("Subject: x\n\n>From b\nFrom c\n"),
		  "[\\Seen] Subject: x||>From b|From c|" },
		{ "no end", BYTES("Subject: x"), "[\\Seen] Subject: x" },
		{ "an unknown field, and a known one far down",
		  BYTES("X-Odd: 1\nX-Other: 2\nDate: x\n\nb\n"),
		  "[\\Seen] X-Odd: 1|X-Other: 2|Date: x||b|" },
		{ "a draft", BYTES("X-Unsent: 1\r\n" MAIL),
		  "[\\Seen \\Draft] X-Unsent: 1|From: a@example.com|Subject: "
		  "x||body|" },
		{ "not a draft any more", BYTES("X-Unsent: 0\r\n" MAIL),
		  "[\\Seen] X-Unsent: 0|From: a@example.com|Subject: x||body|" },
		{ "from Thunderbird, unread",
		  BYTES("X-Account-Key: account1\r\nX-UIDL: 12\r\n"
			"X-Mozilla-Status: 0000\r\nX-Mozilla-Status2: 00000000\r\n"
			MAIL),
		  "[] From: a@example.com|Subject: x||body|" },
		{ "from Thunderbird, read, starred, tagged",
		  BYTES("X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00000000\n"
			"X-Mozilla-Keys: $label1\n" MAIL),
		  "[\\Seen \\Flagged $label1] From: a@example.com|Subject: "
		  "x||body|" },
		{ "from Thunderbird, deleted there",
		  BYTES("X-Mozilla-Status: 0009\n" MAIL),
		  "[\\Seen] skip=1 From: a@example.com|Subject: x||body|" },
		{ "the same behind a separator",
		  BYTES("From - Tue Oct 02 00:26:47 2007\nX-Mozilla-Status: "
			"0001\n" MAIL),
		  "[\\Seen] From: a@example.com|Subject: x||body|" },
		{ "a status that came with the mail",
		  BYTES("Subject: x\nX-Mozilla-Status: 0000\n\nb\n"),
		  "[\\Seen] Subject: x|X-Mozilla-Status: 0000||b|" },
		{ "X-UIDL of a server", BYTES("X-UIDL: 12\n" MAIL),
		  "[\\Seen] X-UIDL: 12|From: a@example.com|Subject: x||body|" },
		{ "empty", BYTES(""), "[\\Seen] skip=3 " },
		{ "raw 8-bit and NUL stay", BYTES("Subject: \x93\xFA\n\n\0\x1B"),
		  "[\\Seen] Subject: \x93\xFA||??" },
		{ "a picture", BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"),
		  "! a.eml: no mail: it does not begin with a header" },
		{ "lost in a crash", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		  "! a.eml: no mail: it does not begin with a header" },
		{ "text", BYTES("just text\nof no kind\n"),
		  "! a.eml: no mail: it does not begin with a header" },
	};
#undef BYTES

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *root = tree_make();
		struct buf want = BUF_INIT;
		const char *text, *line, *eol;

		tree_write(root, "a.eml", cases[i].bytes, cases[i].n);
		text = source_text(ops, root, NULL);
		line = strchr(text, '\n') + 1;
		eol = strchr(line, '\n');
		buf_addf(&want, "  %s%s",
			 cases[i].want[0] == '!' ? "" : "a.eml ", cases[i].want);
		CHECK_CASE(cases[i].what,
			   want.len == (size_t)(eol - line) &&
				   !memcmp(line, want.data, want.len));
		if (strncmp(line, want.data, want.len))
			printf("%s\n", line);
		buf_free(&want);
		tree_remove(root);
	}
}

static void add_utf16(struct buf *out, bool big, const char *ascii)
{
	for (; *ascii; ascii++) {
		buf_add_char(out, big ? '\0' : *ascii);
		buf_add_char(out, big ? *ascii : '\0');
	}
}

static void test_utf16(const char *root)
{
	struct buf text = BUF_INIT;

	buf_add(&text, "\xFF\xFE", 2);
	add_utf16(&text, false, "Subject: little\r\n\r\n");
	buf_add(&text, "\xE5\x65\x2C\x67" "\x3D\xD8\x00\xDE" "\x00\xDC", 10);
	tree_write(root, "1.eml", text.data, text.len);
	buf_reset(&text);
	buf_add(&text, "\xFE\xFF", 2);
	add_utf16(&text, true, "Subject: big\n\nb");
	buf_add(&text, "\xD8", 1); /* half a unit */
	tree_write(root, "2.eml", text.data, text.len);
	buf_reset(&text);
	add_utf16(&text, false, "Subject: unmarked\n\n");
	tree_write(root, "3.eml", text.data, text.len);
	buf_reset(&text);
	add_utf16(&text, true, "From - x\nSubject: unmarked, too\n\n");
	tree_write(root, "4.eml", text.data, text.len);
	text.len = 0;
	buf_add_str(&text, strchr(source_text(ops, root, NULL), '\n') + 1);
	CHECK_STR(text.data,
		  "  1.eml [\\Seen] Subject: little||日本\xF0\x9F\x98\x80"
		  "\xEF\xBF\xBD\n"
		  "  2.eml [\\Seen] Subject: big||b\xEF\xBF\xBD\n"
		  "  3.eml [\\Seen] Subject: unmarked||\n"
		  "  4.eml [\\Seen] Subject: unmarked, too||\n"
		  SEEN
		  "# 4 messages had been turned into UTF-16 and come as UTF-8, "
		  "the first is 1.eml\n");
	buf_free(&text);
}

/* UTF-16 in pieces: a pair must not be lost between two. */
static void test_utf16_pieces(const char *root)
{
	struct buf text = BUF_INIT;
	struct importer *imp = NULL;
	struct folder f;
	struct message m;
	struct err e = ERR_INIT;
	size_t pairs = 70000;

	buf_add(&text, "\xFF\xFE", 2);
	add_utf16(&text, false, "Subject: x\n\n");
	for (size_t i = 0; i < pairs; i++)
		buf_add(&text, "\x3D\xD8\x00\xDE", 4);
	tree_write(root, "1.eml", text.data, text.len);
	message_init(&m);
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.in.store_size == 12 + 4 * pairs);
	CHECK(m.length == text.len);
	ops->close(imp);
	message_free(&m);
	buf_free(&text);
}

static void test_tree(const char *root)
{
	tree_file(root, "Sent/1.eml", MAIL);
	tree_file(root, "Clients/\x93\xFA\x96\x7B/2.EML", MAIL);
	tree_file(root, "Clients/か\xE3\x82\x99/1.eml", MAIL);
	tree_file(root, "Clients/か\xE3\x82\x99/1.nws", MAIL);
	tree_file(root, "Drafts/a.eml", MAIL);
	tree_file(root, "Outbox/a.eml", MAIL);
	tree_file(root, "empty/readme.txt", "no mail\n");
	tree_file(root, ".git/1.eml", MAIL);
	tree_file(root, "Sent/.eml", MAIL);
	tree_file(root, "Sent/._1.eml", "\0\5\26\7");
	tree_link(root, "linked", "Sent");
	CHECK_STR(source_text(ops, root, NULL),
		  "Clients/\x93\xFA\x96\x7B [] Clients / 日本\n"
		  "  2.EML [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "Clients/か\xE3\x82\x99 [] Clients / が\n"
		  "  1.eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "Drafts [drafts] Drafts\n"
		  "  a.eml [\\Seen \\Draft] From: a@example.com|Subject: "
		  "x||body|\n"
		  "Outbox [queue] Outbox\n"
		  "  a.eml [\\Seen \\Draft] queued From: a@example.com|Subject: "
		  "x||body|\n"
		  "Sent [sent] Sent\n"
		  "  .eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "  1.eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "# .: 1 symbolic links not followed, the first is linked\n"
		  SEEN
		  "# 1 news articles (.nws) left out: they are no mail\n");
}

/* Numbers, *.txt, no suffix at all: only what nobody takes for something else. */
static void test_other_names(const char *root)
{
	static const struct importer_options looked = { .others_looked = true };

	tree_file(root, "in/1", MAIL);
	tree_file(root, "in/two.txt", "Date: x\nTo: b@example.com\n\nb\n");
	tree_file(root, "in/sep",
		  "From b@example.com Tue Oct  2 00:26:47 2007\n" MAIL);
	tree_file(root, "in/mbox",
		  "From b@example.com Tue Oct  2 00:26:47 2007\n" MAIL "\n"
		  "From b@example.com Tue Oct  2 00:26:48 2007\n" MAIL);
	tree_file(root, "in/config.yaml", "name: x\nversion: 1\n");
	tree_file(root, "in/one-field", "Subject: alone\n\nb\n");
	tree_file(root, "in/page.mhtml", MAIL);
	tree_file(root, "other/a", "no mail\n");
	CHECK_STR(source_text(ops, root, NULL),
		  "in [] in\n"
		  "  1 [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "  ! mbox: several messages in one file; bring it over as "
		  "mbox:FILE\n"
		  "  sep [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "  two.txt [\\Seen] Date: x|To: b@example.com||b|\n"
		  SEEN
		  "# 2 files left out that do not begin like mail, the first is "
		  "in/config.yaml\n");
	CHECK_CASE("who did not name the format does not mean them",
		   importer_claim(ops, root) == CLAIM_NO &&
			   importer_claim(ops, tree_path(root, "in")) ==
				   CLAIM_NO);
	tree_file(root, "in/3.eml", MAIL);
	CHECK_STR(source_text(ops, root, &looked),
		  "in [] in\n"
		  "  3.eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		  SEEN);
}

static bool is_known(void *ctx, const char *id)
{
	return !strcmp(id, ctx);
}

static void test_known_folder(const char *root)
{
	struct importer_options known = { .known_folder = is_known };
	char id[] = "in";

	/* It was a folder, and is one though no file in it is mail any more. */
	known.known_ctx = id;
	tree_file(root, "in/a.txt", "no mail\n");
	CHECK(source_text(ops, root, NULL)[0] == '!');
	CHECK_STR(source_text(ops, root, &known),
		  "in [] in\n"
		  SEEN
		  "# 1 files left out that do not begin like mail, the first is "
		  "in/a.txt\n");
}

static void test_single_file(const char *root)
{
	struct buf want = BUF_INIT;

	tree_file(root, "Letters/a.eml", MAIL);
	tree_file(root, "Letters/b.eml", MAIL);
	CHECK_STR(source_text(ops, tree_path(root, "Letters/a.eml"), NULL),
		  ". [] Letters\n"
		  "  a.eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		  SEEN);
	/* A folder of the source's own directory has its name. */
	buf_addf(&want, ". [] %s\n  c.eml [\\Seen] From: a@example.com|Subject: "
			"x||body|\n" SEEN, strrchr(root, '/') + 1);
	tree_move(root, "Letters", ".Letters");
	tree_file(root, "c.eml", MAIL);
	CHECK_STR(source_text(ops, root, NULL), want.data);
	buf_free(&want);
}

static void test_dates(const char *root)
{
	struct importer *imp = NULL;
	struct folder f;
	struct message m;
	struct err e = ERR_INIT;

	tree_file(root, "Sent/1.eml", "From - Tue Oct 02 00:26:47 2007\n" MAIL);
	tree_file(root, "Sent/2.eml",
		  "From a@example.com Tue Oct 02 00:26:47 2007\n" MAIL);
	tree_age(root);
	message_init(&m);
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.when.downloaded == 1191284807);
	CHECK(m.when.delivered == DATE_NONE);
	CHECK(m.when.file == 1600000000 && m.when.sent_folder);
	message_reset(&m);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.when.delivered == 1191284807);
	CHECK(m.when.downloaded == DATE_NONE);
	message_free(&m);
	ops->close(imp);
}

static void test_claims(const char *root)
{
	static const struct {
		const char *path;
		enum claim want;
	} cases[] = {
		{ "one", CLAIM_PART },	  { "one/a.eml", CLAIM_ALL },
		{ "two", CLAIM_PART },	  { "lone", CLAIM_NO },
		{ "lone/a", CLAIM_PART }, { "deep", CLAIM_PART },
		{ "none", CLAIM_NO },	  { "one/text.eml", CLAIM_NO },
		{ "one/b.txt", CLAIM_NO },
	};
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	tree_file(root, "one/a.eml", MAIL);
	tree_file(root, "one/b.txt", MAIL);
	tree_file(root, "one/text.eml", "text\n");
	tree_file(root, "two/a/1.eml", MAIL);
	tree_file(root, "two/b/1.eml", MAIL);
	tree_file(root, "lone/a/1.eml", MAIL);
	tree_file(root, "deep/x/1/1.eml", MAIL);
	tree_file(root, "deep/y/2/1.eml", MAIL);
	tree_file(root, "none/text.eml", "text\n");
	tree_dir(root, "bare");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].path,
			   importer_claim(ops, tree_path(root, cases[i].path)) ==
				   cases[i].want);
	CHECK(ops->open(tree_path(root, "bare"), &source_no_options, &imp, &e) <
	      0);
	CHECK(e.scope == ERR_ACCOUNT && e.kind == ERR_SOURCE && !imp);
	CHECK(ops->open(tree_path(root, "gone"), &source_no_options, &imp, &e) <
	      0);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_utf16,	   test_utf16_pieces, test_tree,
		test_other_names,  test_known_folder, test_single_file,
		test_dates,	   test_claims,
	};

	test_files();
	source_run(on_trees, sizeof(on_trees) / sizeof(on_trees[0]));
	return check_done();
}
