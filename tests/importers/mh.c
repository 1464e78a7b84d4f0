/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The MH importer: sequences, marks, queues, and what is a folder. */
#include "importers/mh.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_mh;
static const struct importer_ops *const ops = &importer_mh;

#define MAIL "From: a@example.com\nSubject: x\n\nbody\n"
#define WIRE "From: a@example.com|Subject: x||body|\n"

static void test_names(void)
{
	static const struct {
		const char *name;
		uint32_t number, deleted;
	} cases[] = {
		{ "1", 1, 0 },		     { "12345", 12345, 0 },
		{ "999999999", 999999999, 0 }, { "1000000000", 0, 0 },
		{ "0", 0, 0 },		     { "01", 0, 0 },
		{ "", 0, 0 },		     { "1a", 0, 0 },
		{ "-1", 0, 0 },		     { ",12", 0, 12 },
		{ "#12", 0, 12 },	     { ".#12", 0, 12 },
		{ "#12#", 0, 0 },	     { ",", 0, 0 },
		{ "12~", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_CASE(cases[i].name,
			   mh_number(cases[i].name) == cases[i].number);
		CHECK_CASE(cases[i].name, mh_deleted_number(cases[i].name) ==
						  cases[i].deleted);
	}
}

static void test_sequences(void)
{
	static const struct {
		const char *what, *text, *unseen;
		uint32_t number;
		unsigned want;
	} cases[] = {
		{ "one", "unseen: 3\n", "", 3, MH_UNSEEN },
		{ "not in it", "unseen: 3\n", "", 4, 0 },
		{ "a range's begin", "unseen: 1-3 7\n", "", 1, MH_UNSEEN },
		{ "a range's end", "unseen: 1-3 7\n", "", 3, MH_UNSEEN },
		{ "behind it", "unseen: 1-3 7\n", "", 4, 0 },
		{ "the next", "unseen: 1-3 7\n", "", 7, MH_UNSEEN },
		{ "several sequences", "unseen: 2\nreplied: 2\nflagged: 1-9\n",
		  "", 2, MH_UNSEEN | MH_ANSWERED | MH_FLAGGED },
		{ "ranges in each other", "unseen: 1-9 2-3\n", "", 8, MH_UNSEEN },
		{ "folded", "unseen: 1\n 5-6\n\t8\n", "", 8, MH_UNSEEN },
		{ "without an end", "unseen: 5", "", 5, MH_UNSEEN },
		{ "CRLF", "unseen: 5\r\n", "", 5, MH_UNSEEN },
		{ "a capital", "Unseen: 5\n", "", 5, MH_UNSEEN },
		{ "a blank before the colon", "unseen : 5\n", "", 5, MH_UNSEEN },
		{ "by another name", "fresh: 5\n", "fresh neu", 5, MH_UNSEEN },
		{ "backwards", "unseen: 9-3\n", "", 5, 0 },
		{ "no number", "unseen: all 4\n", "", 4, MH_UNSEEN },
		{ "too large", "unseen: 99999999999 4\n", "", 4, MH_UNSEEN },
		{ "a half range", "unseen: 4- 6\n", "", 5, 0 },
		{ "where the user stands", "cur: 5\n", "", 5, 0 },
		{ "deleted", "deleted: 5\n", "", 5, MH_DELETED },
		{ "junk", "\0\1:::\n", "", 5, 0 },
		{ "empty", "", "", 5, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mh_states s = { 0 };

		mh_sequences_parse(&s, cases[i].text, strlen(cases[i].text),
				   cases[i].unseen);
		mh_states_ready(&s);
		CHECK_CASE(cases[i].what,
			   mh_states_of(&s, cases[i].number) == cases[i].want);
		mh_states_free(&s);
	}
}

static void test_marks(void)
{
	static const struct {
		const char *what, *bytes;
		size_t n;
		bool claws, ok;
		uint32_t number;
		unsigned want;
	} cases[] = {
#define M(s) "\2\0\0\0" s, sizeof("\2\0\0\0" s) - 1
#define B(s) "\0\0\0\2" s, sizeof("\0\0\0\2" s) - 1
		{ "read", M("\1\0\0\0\0\0\0\0"), false, true, 1, 0 },
		{ "unread", M("\1\0\0\0\2\0\0\0"), false, true, 1, MH_UNSEEN },
		{ "new", M("\1\0\0\0\3\0\0\0"), false, true, 1, MH_UNSEEN },
		{ "starred, answered", M("\1\0\0\0\x14\0\0\0"), false, true, 1,
		  MH_FLAGGED | MH_ANSWERED },
		{ "deleted, forwarded", M("\1\0\0\0\x28\0\0\0"), false, true, 1,
		  MH_DELETED | MH_FORWARDED },
		{ "coloured", M("\1\0\0\0\x80\1\0\0"), false, true, 1,
		  MH_COLOUR },
		{ "spam, of Claws", M("\1\0\0\0\0\x20\0\0"), true, true, 1,
		  MH_JUNK },
		{ "the bit means nothing to Sylpheed", M("\1\0\0\0\0\x20\0\0"),
		  false, true, 1, 0 },
		{ "no record: new", M("\1\0\0\0\0\0\0\0"), false, true, 2,
		  MH_UNSEEN },
		{ "the last record counts",
		  M("\1\0\0\0\2\0\0\0" "\2\0\0\0\0\0\0\0" "\1\0\0\0\4\0\0\0"),
		  false, true, 1, MH_FLAGGED },
		{ "a big machine's", B("\0\0\0\1\0\0\0\2"), false, true, 1,
		  MH_UNSEEN },
		{ "cut off", M("\1\0\0\0\0\0\0\0\2\0\0"), false, true, 1, 0 },
		{ "no records", M(""), false, true, 1, MH_UNSEEN },
		{ "another version", "\3\0\0\0\1\0\0\0\0\0\0\0", 12, false,
		  false, 1, 0 },
		{ "short", "\2\0", 2, false, false, 1, 0 },
#undef M
#undef B
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mh_states s = { 0 };

		CHECK_CASE(cases[i].what,
			   mh_marks_parse(&s, cases[i].bytes, cases[i].n,
					  cases[i].claws) == cases[i].ok);
		mh_states_ready(&s);
		CHECK_CASE(cases[i].what,
			   mh_states_of(&s, cases[i].number) == cases[i].want);
		mh_states_free(&s);
	}
}

static void test_queue_lines(void)
{
	static const struct {
		const char *what, *head, *rest;
	} cases[] = {
		{ "Sylpheed",
		  "AF:\nNF:0\nPS:10\nSRH:1\nS:a@example.com\nR:<b@example.com>\n"
		  "AID:1\n\n" MAIL, MAIL },
		{ "Claws Mail",
		  "AF:\nS:a@example.com\nR:<b@example.com>,\n <c@example.com>\n"
		  "X-Claws-End-Special-Headers: 1\n" MAIL, MAIL },
		{ "old Claws", "S:x\nX-Sylpheed-End-Special-Headers: 1\n" MAIL,
		  MAIL },
		{ "a draft of Claws", "X-Claws-Account-Id:1\nS:x\n" MAIL, MAIL },
		{ "CRLF", "AF:\r\nS:x\r\n\r\n" MAIL, MAIL },
		{ "a message", MAIL, MAIL },
		{ "a message that ends like that", "S: x\n\nNo header here\n",
		  "S: x\n\nNo header here\n" },
		{ "nothing but lines", "AF:\nS:x\n", "AF:\nS:x\n" },
		{ "empty", "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *head = cases[i].head;

		CHECK_STR(head + mh_queue_lines(head, strlen(head)),
			  cases[i].rest);
	}
}

static void test_profile(void)
{
	static const char text[] = "Path: Mail\nUnseen-Sequence: fresh, new\n"
				   "Draft-Folder: drafts\n";
	struct buf names = BUF_INIT;

	mh_profile_unseen(text, strlen(text), &names);
	CHECK(strstr(names.data, "fresh") && strstr(names.data, "new"));
	CHECK(!strstr(names.data, "drafts"));
	buf_free(&names);
}

static void test_folder(const char *root)
{
	tree_file(root, "inbox/10", MAIL);
	tree_file(root, "inbox/2", MAIL);
	tree_file(root, "inbox/9", "");
	tree_file(root, "inbox/,3", MAIL);
	tree_file(root, "inbox/#4", MAIL);
	tree_file(root, "inbox/notes.txt", MAIL);
	tree_file(root, "inbox/.mh_sequences",
		  "unseen: 10\nreplied: 2\ncur: 2\nlater: 2-10\n");
	tree_file(root, "outbox/1", MAIL);
	tree_file(root, "drafts/1",
		  "Subject: d\nX-Sylpheed-Account-Id: 1\n\nb\n");
	tree_file(root, "lists/\xC6\xFC\xCB\xDC\xB8\xEC/1",
		  "From b@example.com Tue Oct  2 00:26:47 2007\n" MAIL);
	tree_file(root, "context", "Current-Folder: inbox\n");
	tree_file(root, "numbers/1", "1\n2\n3\n");
	tree_file(root, "empty/.mh_sequences", "");
	CHECK_STR(source_text(ops, root, NULL),
		  "drafts [drafts] drafts\n"
		  "  1 [\\Seen \\Draft] Subject: d||b|\n"
		  "empty [] empty\n"
		  "inbox [inbox] INBOX\n"
		  "  2 [\\Seen \\Answered] " WIRE
		  "  ,3 [] skip=1 " WIRE
		  "  #4 [] skip=1 " WIRE
		  "  9 [\\Seen] skip=3 \n"
		  "  10 [] " WIRE
		  "lists/\xC6\xFC\xCB\xDC\xB8\xEC [] lists / 日本語\n"
		  "  1 [\\Seen] " WIRE
		  "outbox [sent] outbox\n"
		  "  1 [\\Seen] " WIRE
		  "# inbox: sequences are not brought over but for the known "
		  "ones: 1, the first is later\n"
		  "# 2 copies of deleted messages (\",N\", \"#N\") skipped\n");
}

/* Sylpheed's tree, with a mark file and a queue. */
static void test_sylpheed(const char *root)
{
	tree_file(root, "Mail/inbox/1", MAIL);
	tree_file(root, "Mail/inbox/2", MAIL);
	tree_file(root, "Mail/inbox/3", MAIL);
	tree_write(root, "Mail/inbox/.sylpheed_mark",
		   "\2\0\0\0\1\0\0\0\x84\0\0\0\2\0\0\0\x08\0\0\0", 20);
	tree_file(root, "Mail/inbox/.mh_sequences", "unseen: 1\n");
	tree_file(root, "Mail/inbox/child/1", MAIL);
	tree_file(root, "Mail/queue/1",
		  "AF:\nS:a@example.com\nR:<b@example.com>\n\n" MAIL);
	tree_write(root, "Mail/queue/.sylpheed_mark",
		   "\2\0\0\0\1\0\0\0\0\0\0\0", 12);
	tree_file(root, "Mail/trash/1", MAIL);
	tree_write(root, "Mail/trash/.sylpheed_mark", "\7\0\0\0", 4);
	tree_file(root, "Mail/trash/.mh_sequences", "unseen: 1\n");
	CHECK_STR(source_text(ops, tree_path(root, "Mail"), NULL),
		  "inbox [inbox] INBOX\n"
		  "  1 [\\Seen \\Flagged] " WIRE
		  "  2 [\\Seen] skip=1 " WIRE
		  "  3 [] " WIRE
		  "inbox/child [] INBOX / child\n"
		  "  1 [\\Seen] " WIRE
		  "queue [queue] queue\n"
		  "  1 [\\Seen \\Draft] queued " WIRE
		  "trash [trash] trash\n"
		  "  1 [] " WIRE
		  "# trash: .sylpheed_mark is none that is known; flags are "
		  "taken from .mh_sequences\n"
		  "# 1 messages have a colour label, which is not brought "
		  "over\n");
	CHECK_CASE("Mail/ is one source",
		   importer_claim(ops, tree_path(root, "Mail")) == CLAIM_PART);
	CHECK(importer_claim(ops, tree_path(root, "Mail/inbox")) == CLAIM_ALL);
}

/* Flags lie in other files: they are part of the fingerprint, not of the locator. */
static void test_fingerprint(const char *root)
{
	static const char *const files[] = { ".mh_sequences", ".sylpheed_mark",
					     ".claws_mark" };
	char *before, *after;

	tree_file(root, "1", MAIL);
	before = source_fingerprints(ops, root);
	tree_file(root, ".sylpheed_cache", "noise");
	after = source_fingerprints(ops, root);
	CHECK_STR(after, before);
	for (size_t i = 0; i < 3; i++) {
		free(after);
		tree_write(root, files[i], "\2\0\0\0", 4);
		after = source_fingerprints(ops, root);
		CHECK_CASE(files[i], strcmp(before, after));
		free(before);
		before = mem_strdup(after);
	}
	free(before);
	free(after);
}

static void test_claims(const char *root)
{
	static const struct {
		const char *path;
		enum claim want;
	} cases[] = {
		{ "mh", CLAIM_ALL },	   { "numbers", CLAIM_NO },
		{ "marked", CLAIM_ALL },   { "Mail", CLAIM_PART },
		{ "lone", CLAIM_NO },	   { "lone/inbox", CLAIM_ALL },
		{ "mh/1", CLAIM_NO },	   { "queue", CLAIM_ALL },
	};
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	tree_file(root, "mh/1", MAIL);
	tree_file(root, "numbers/1", "4711\n");
	tree_dir(root, "marked/.mew-cache");
	tree_file(root, "Mail/a/1", MAIL);
	tree_file(root, "Mail/b/1", MAIL);
	tree_file(root, "lone/inbox/1", MAIL);
	tree_file(root, "queue/1", "AF:\nS:x\n\n" MAIL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].path,
			   importer_claim(ops, tree_path(root, cases[i].path)) ==
				   cases[i].want);
	CHECK(ops->open(tree_path(root, "numbers"), &source_no_options, &imp,
			&e) < 0 &&
	      e.scope == ERR_ACCOUNT);
}

static void test_unseen_of_profile(const char *root)
{
	tree_file(root, ".mh_profile", "Unseen-Sequence: fresh\n");
	tree_file(root, "inbox/1", MAIL);
	tree_file(root, "inbox/.mh_sequences", "fresh: 1\n");
	CHECK_STR(source_text(ops, root, NULL), "inbox [inbox] INBOX\n"
						"  1 [] " WIRE);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_folder, test_sylpheed,	     test_fingerprint,
		test_claims, test_unseen_of_profile,
	};

	test_names();
	test_sequences();
	test_marks();
	test_queue_lines();
	test_profile();
	source_run(on_trees, sizeof(on_trees) / sizeof(on_trees[0]));
	return check_done();
}
