/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Courier, KMail, Evolution, Gnus and Dovecot make of a Maildir; packed messages;
   dates; and moves while it is read. */
#include "importers/maildir.h"

#include "core/base/date.h"
#include "tests/importers/maildir_source.h"
#include "tests/importers/pack.h"

static void test_kmail(const char *root)
{
	struct buf text = BUF_INIT;

	make_maildir(root, "inbox");
	make_maildir(root, ".inbox.directory/Kunden");
	make_maildir(root, ".inbox.directory/.Kunden.directory/2019.old");
	make_maildir(root, "sent-mail");
	make_maildir(root, ".no.parent.directory/child");
	make_maildir(root, ".plus.directory"); /* of Maildir++, with mail */
	tree_file(root, ".inbox.index", "KMail-Index V1506");
	tree_dir(root, ".directory");
	list_folders(root, &text);
	CHECK_STR(text.data,
		  ".inbox.directory/.Kunden.directory/2019.old [] "
		  "INBOX / Kunden / 2019.old\n"
		  ".inbox.directory/Kunden [] INBOX / Kunden\n"
		  ".no.parent.directory/child [] no.parent / child\n"
		  ".plus.directory [] plus / directory\n"
		  "inbox [inbox] INBOX\n"
		  "sent-mail [sent] sent-mail\n");
	CHECK(importer_claim(ops, root) == CLAIM_PART);
	buf_free(&text);
}

static void test_evolution(const char *root)
{
	static const struct {
		const char *version; /* the file's text, or NULL: no file */
		const char *want;
	} cases[] = {
		{ "maildir++ 1", ". [inbox] INBOX\n"
				 "..Below [] INBOX / Below\n"
				 ".R&D_x [] R&D_x\n"
				 ".a_2Eb.c_5Fd_20_2e [] a.b / c_d_20.\n"
				 ".\346\227\245\346\234\254 [] \346\227\245\346\234\254\n" },
		{ "maildir++", ". [inbox] INBOX\n"
			       "..Below [] Below\n"
			       ".R&D_x [] R&D_x\n"
			       ".a_2Eb.c_5Fd_20_2e [] a_2Eb / c_5Fd_20_2e\n"
			       ".\346\227\245\346\234\254 [] \346\227\245\346\234\254\n" },
		{ NULL, ". [inbox] INBOX\n"
			"..Below [] Below\n"
			".R&D_x [] R&D_x\n"
			".a_2Eb.c_5Fd_20_2e [] a_2Eb / c_5Fd_20_2e\n"
			".\346\227\245\346\234\254 [] \346\227\245\346\234\254\n" },
	};

	make_maildir(root, "");
	make_maildir(root, "..Below");
	make_maildir(root, ".a_2Eb.c_5Fd_20_2e");
	make_maildir(root, ".R&D_x");
	make_maildir(root, ".\346\227\245\346\234\254");
	make_maildir(root, ".#evolution/copies"); /* its own */
	tree_file(root, "folders.db", "SQLite format 3");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = BUF_INIT;

		if (cases[i].version)
			tree_file(root, "..maildir++", cases[i].version);
		else
			tree_move(root, "..maildir++", "gone");
		list_folders(root, &text);
		CHECK_STR(text.data, cases[i].want);
		buf_free(&text);
	}
}

static void test_control_files(const char *root)
{
	static const char *const files[] = {
		"dovecot-uidlist", "dovecot-uidvalidity",
		"dovecot-uidvalidity.5f0c0c0c", "dovecot.index",
		"dovecot.index.cache", "dovecot.index.log",
		"dovecot.mailbox.log", "dovecot-acl", "subscriptions",
		"maildirsize", "maildirfolder", "courierimapsubscribed",
		"courierimapuiddb", "courierimapacl", ".mbsyncstate",
		".mbsyncstate.journal", ".uidvalidity", "sieve/a.sieve",
		".nnmaildir/marks/read/1.a", ".nnmaildir/nov/1",
		".nnmaildir/marks/cur/1.a", ".notmuch/xapian/cur/1",
		"courierimaphieracl/x",
	};
	struct buf text = BUF_INIT;

	make_maildir(root, "");
	tree_file(root, "cur/1.a:2,S", "one");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		tree_file(root, files[i], "control");
	list_folders(root, &text);
	CHECK_STR(text.data, ". [inbox] INBOX\n");
	CHECK_STR(messages_of(root), "1.a [\\Seen] 0 one\n");
	buf_free(&text);
}

/* "@" stands for one of the names that ":list" has. */
static void test_courier(const char *root)
{
	static const struct {
		const char *what, *file, *text, *want;
	} steps[] = {
		{ "nothing", NULL, NULL, "[\\Seen] [] []" },
		{ "the list", "courierimapkeywords/:list",
		  "$Label1\nnot an atom\nWork\n\n1.a,S=3:0 2\n2.b:1 2\n"
		  "gone:0\nrubbish\n3.c:7 99999999999999999999 x 2x0\n",
		  "[\\Seen $Label1 Work] [Work] [$Label1 Work]" },
		{ "a name twice: the last line holds",
		  "courierimapkeywords/:list",
		  "$Label1\nWork\n\n1.a,S=3:0\n2.b:0\n1.a,S=3:1\n",
		  "[\\Seen Work] [$Label1] []" },
		{ "a change", "courierimapkeywords/.5.2.b", "New\nWork\n",
		  "[\\Seen Work] [New Work] []" },
		{ "a later one", "courierimapkeywords/.10.2.b", "Later\n",
		  "[\\Seen Work] [Later] []" },
		{ "an older one", "courierimapkeywords/.9.2.b", "Older\n",
		  "[\\Seen Work] [Later] []" },
		{ "of the second that follows: whole names only",
		  "courierimapkeywords/.11.2.bc", "Other\n",
		  "[\\Seen Work] [Later] []" },
		{ "the newest has no number", "courierimapkeywords/2.b",
		  "Newest\n\nbehind\n", "[\\Seen Work] [Newest] []" },
		{ "none any more", "courierimapkeywords/.6.1.a,S=3", "",
		  "[\\Seen] [Newest] []" },
		{ "half-written", "courierimapkeywords/.tmp.123.3.c", "No\n",
		  "[\\Seen] [Newest] []" },
		{ "no number", "courierimapkeywords/.x.3.c", "No\n",
		  "[\\Seen] [Newest] []" },
	};
	make_maildir(root, "");
	tree_file(root, "cur/1.a,S=3:2,S", "1");
	tree_file(root, "cur/2.b:2,", "2");
	tree_file(root, "new/3.c", "3");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct importer *imp;
		struct message m;
		struct err e = ERR_INIT;
		struct buf got = BUF_INIT;

		if (steps[i].file)
			tree_file(root, steps[i].file, steps[i].text);
		imp = open_source(root);
		enter(imp, ".");
		message_init(&m);
		while (ops->next(imp, &m, &e) == 1) {
			buf_add_str(&got, got.len ? " [" : "[");
			flags_add_text(&got, &m.flags);
			buf_add_str(&got, "]");
			message_reset(&m);
		}
		CHECK_CASE(steps[i].what, !strcmp(got.data, steps[i].want));
		CHECK_STR(got.data, steps[i].want);
		message_free(&m);
		ops->close(imp);
		buf_free(&got);
	}
}

/* The list as it is called in copies on Windows, and lists that are none. */
static void test_courier_lists(const char *root)
{
	static const char *const names[] = { ":list", "_list", "!list",
					     "%3Alist", "\xEF\x80\xA2list" };
	struct buf large = BUF_INIT;
	struct importer *imp;

	make_maildir(root, "");
	tree_file(root, "cur/1.a:2,", "1");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "courierimapkeywords/%s",
			 names[i]);
		tree_file(root, path, "Tag\n\n1.a:0\n");
		CHECK_CASE(names[i],
			   !strcmp(messages_of(root), "1.a [Tag] 0 1\n"));
		tree_move(root, path, "gone");
	}
	tree_special(root, "courierimapkeywords/:list", S_IFIFO);
	CHECK_STR(messages_of(root), "1.a [] 0 1\n");
	tree_move(root, "courierimapkeywords/:list", "gone");
	tree_file(root, "courierimapkeywords/:list", "Tag\n\n1.a:0\n");
	tree_file(root, "courierimapkeywords/_list", "Tag\n\n1.a:0\n");
	imp = open_source(root);
	enter(imp, ".");
	list_messages(imp, &large);
	CHECK_STR(large.data, "1.a [Tag] 0 1\n");
	CHECK(strstr(ops->remark(imp, 0), "a second list of keywords"));
	CHECK(!ops->remark(imp, 1));
	ops->close(imp);
	buf_free(&large);
}

/* A change of keywords must show in the fingerprint. */
static void test_courier_fingerprint(const char *root)
{
	struct folder f;
	struct err e = ERR_INIT;
	struct importer *imp;
	char *before;

	make_maildir(root, "");
	tree_file(root, "courierimapkeywords/:list", "Tag\n\n1.a:0\n");
	imp = open_source(root);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	before = mem_strdup(f.fingerprint);
	ops->close(imp);
	tree_file(root, "courierimapkeywords/.1.1.a", "");
	imp = open_source(root);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK(strcmp(before, f.fingerprint));
	ops->close(imp);
	free(before);
}

static void add_packed(const char *root, const char *name, enum packing how,
		       const char *text, size_t cut)
{
	struct buf packed = BUF_INIT;

	pack_add(how, &packed, text, strlen(text));
	tree_write(root, name, packed.data, packed.len - cut);
	buf_free(&packed);
}

/* Dovecot's zlib plugin: the name says nothing, S= is the size unpacked. */
static void test_packed(const char *root)
{
	static const char plain[] = "Subject: a\n\nSubject: a\nSubject: a\n";
	const char *got;

	make_maildir(root, "");
	for (int how = PACKED_NOT; how <= PACKED_ZSTD; how++) {
		char name[64];

		snprintf(name, sizeof(name), "cur/%d.x,S=%zu,W=99:2,SZ", how,
			 sizeof(plain) - 1);
		add_packed(root, name, (enum packing)how, plain, 0);
	}
	add_packed(root, "cur/5.cut:2,", PACKED_GZIP, plain, 9);
	add_packed(root, "cur/6.empty:2,", PACKED_XZ, "", 0);
	tree_file(root, "cur/7.text:2,", "BZh9 is how my mail begins");
	tree_file(root, "cur/8.short:2,", "\x1F\x8B");
	tree_file(root, "cur/9.lz4:2,",
		  "Dovecot-LZ4\x0D\x2A\x9B\xC5 and so on");
	tree_file(root, "cur/9.zcrypt:2,", "CRYPTED\x03\x07 and so on");
	got = messages_of(root);
	for (int how = PACKED_NOT; how <= PACKED_ZSTD; how++) {
		char want[256];

		snprintf(want, sizeof(want),
			 "%d.x,S=34,W=99 [\\Seen] 0 Subject: a\r\n\r\n"
			 "Subject: a\r\nSubject: a\r\n\n",
			 how);
		CHECK_CASE(want, strstr(got, want));
	}
	CHECK(strstr(got, "cur/5.cut:2,: cut off (gzip, "));
	CHECK(strstr(got, "6.empty [] 3 \n"));
	CHECK(strstr(got, "7.text [] 0 BZh9"));
	CHECK(strstr(got, "8.short [] 0 \x1F\x8B"));
	CHECK(strstr(got, "9.lz4:2,: packed by Dovecot's LZ4"));
	CHECK(strstr(got, "9.zcrypt:2,: encrypted by Dovecot"));
}

static void test_large_packed(const char *root)
{
	struct buf text = BUF_INIT;
	struct importer *imp;
	struct message m;
	struct err e = ERR_INIT;
	uint64_t packed;

	buf_add_str(&text, "Subject: large\n\n");
	while (text.len < 300000)
		buf_addf(&text, "line at %zu\n", text.len);
	make_maildir(root, "");
	add_packed(root, "cur/1.x,S=1:2,", PACKED_ZSTD, text.data, 0);
	imp = open_source(root);
	enter(imp, ".");
	message_init(&m);
	CHECK(ops->next(imp, &m, &e) == 1);
	packed = m.length;
	CHECK(ops->load(imp, &m, &e) == 0);
	CHECK(m.in.store_size == text.len);
	CHECK_CASE("the length is the file's", m.length == packed);
	message_free(&m);
	ops->close(imp);
	buf_free(&text);
}

/* tree_age sets the files' times to 1600000000. */
static void test_dates(const char *root)
{
	static const struct {
		const char *what, *name;
		int64_t want;
	} cases[] = {
		{ "delivered, then copied without care", "1500000000.a:2,",
		  1500000000 },
		{ "delivered, then moved by Dovecot", "1700000000.b:2,",
		  1600000000 },
		{ "no time in the name", "mail.c:2,", DATE_NONE },
		{ "a date, not a time", "20190401.d:2,", DATE_NONE },
		{ "a time that is still to come: not to be trusted",
		  "9000000000.e:2,", 9000000000 },
	};
	struct importer *imp;
	struct message m;
	struct err e = ERR_INIT;

	make_maildir(root, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "cur/%s", cases[i].name);
		tree_file(root, path, "text\n");
	}
	tree_age(root);
	imp = open_source(root);
	enter(imp, ".");
	message_init(&m);
	for (int n = 0; ops->next(imp, &m, &e) == 1; n++) {
		size_t i = 0;

		while (strncmp(cases[i].name, m.locator.data,
			       strcspn(cases[i].name, ":")) != 0)
			i++;
		CHECK_CASE(cases[i].what, m.when.delivered == cases[i].want);
		CHECK_CASE(cases[i].what, m.when.file == 1600000000);
		message_reset(&m);
	}
	message_free(&m);
	ops->close(imp);
}

/* Seen in new, and in cur with flags, as it is moved while the folder is listed: it
   is one message, and no failure. */
static void test_moved_while_listed(const char *root)
{
	struct buf text = BUF_INIT;
	struct importer *imp;

	make_maildir(root, "");
	tree_file(root, "new/1.a", "one");
	tree_file(root, "cur/1.a:2,S", "one");
	tree_file(root, "cur/2.b:2,", "two");
	imp = open_source(root);
	enter(imp, ".");
	tree_move(root, "new/1.a", "gone");
	list_messages(imp, &text);
	CHECK_STR(text.data, "1.a [\\Seen] 0 one\n2.b [] 0 two\n");
	ops->close(imp);
	buf_free(&text);
}

/* As Thunderbird and careless archivers leave them. What lies beside cur is no
   message of the folder, but people are told. */
static void test_incomplete(const char *root)
{
	struct buf text = BUF_INIT;
	struct importer *imp;

	tree_file(root, "cur/1.a:2,S", "one");
	tree_file(root, ".NoTmp/cur/2.b:2,", "two");
	tree_file(root, ".NoTmp/new/3.c", "three");
	tree_file(root, ".OnlyNew/new/1000000004.d", "four");
	tree_dir(root, ".Empty");
	tree_file(root, ".Files/1000000005.e:2,S", "beside no cur");
	tree_file(root, "1000000006.f", "beside cur");
	tree_file(root, "01:2,", "beside cur");
	tree_file(root, "dovecot-uidlist", "3 V1 N1\n");
	list_folders(root, &text);
	CHECK_STR(text.data, ". [inbox] INBOX\n"
			     ".NoTmp [] NoTmp\n"
			     ".OnlyNew [] OnlyNew\n");
	CHECK_STR(messages_of(root), "1.a [\\Seen] 0 one\n");
	imp = open_source(root);
	CHECK_STR(ops->remark(imp, 0),
		  ".: 2 files beside cur that may be messages were left out, "
		  "the first is 01:2,");
	CHECK(!ops->remark(imp, 1));
	ops->close(imp);
	buf_free(&text);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_kmail,
		test_evolution,
		test_control_files,
		test_courier,
		test_courier_lists,
		test_courier_fingerprint,
		test_packed,
		test_large_packed,
		test_dates,
		test_moved_while_listed,
		test_incomplete,
	};

	for (size_t i = 0; i < sizeof(on_trees) / sizeof(on_trees[0]); i++) {
		char *root = tree_make();

		on_trees[i](root);
		tree_remove(root);
	}
	return check_done();
}
