/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Maildir importer on Maildirs made at run time. */
#include "importers/importer.h"
#include "importers/maildir.h"

#include "core/base/date.h"
#include "tests/importers/maildir_source.h"

static char *fingerprint_of(const char *source, uint64_t *bytes_r)
{
	struct importer *imp = open_source(source);
	struct folder f = { .fingerprint = "" };
	struct err e = ERR_INIT;
	char *text;

	CHECK(ops->next_folder(imp, &f, &e) == 1);
	text = mem_strdup(f.fingerprint);
	*bytes_r = f.bytes;
	ops->close(imp);
	return text;
}

static void test_names(void)
{
	static const struct {
		const char *name, *unique, *flags;
	} cases[] = {
		{ "1.a.host:2,", "1.a.host", "" },
		{ "1.a.host:2,FS", "1.a.host", "FS" },
		{ "1.a.host:2,DFPRSTab", "1.a.host", "DFPRSTab" },
		{ "1.a.host,S=12,W=13:2,S", "1.a.host,S=12,W=13", "S" },
		{ "1.a.host!2,S", "1.a.host", "S" },
		{ "1.a.host;2,S", "1.a.host", "S" },
		{ "1.a.host-2,S", "1.a.host", "S" },
		{ "1.a.host_2,S", "1.a.host", "S" },
		{ "1.a.host\xEF\x80\xA2" "2,S", "1.a.host", "S" },
		{ "1.a.host%3A2,S", "1.a.host", "S" },
		{ "1.a.host%3a2,S", "1.a.host", "S" },
		{ "1.a.host\xEF\x80\xBA" "2,S", "1.a.host", "S" },
		{ "1.a.host\xEF\xBC\x9A" "2,S", "1.a.host", "S" },
		{ "1.a,U=7:2,SZ", "1.a,U=7", "SZ" },
		{ "1.a.host", "1.a.host", "" },
		{ "1.a.host:1,S", "1.a.host:1,S", "" },
		{ "1.a.host:2,S=3", "1.a.host:2,S=3", "" },
		{ "1.a.host2,S", "1.a.host2,S", "" },
		{ "1:2,S:2,R", "1:2,S", "R" },
		{ ":2,S", ":2,S", "" },
		{ "2,S", "2,S", "" },
		{ ",S", ",S", "" },
		{ "S", "S", "" },
		{ "", "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct maildir_name r;
		char unique[64];

		maildir_name_split(cases[i].name, &r);
		snprintf(unique, sizeof(unique), "%.*s", (int)r.unique_len,
			 cases[i].name);
		CHECK_STR(unique, cases[i].unique);
		CHECK_STR(r.flags, cases[i].flags);
	}
}

static void test_numbers_in_names(void)
{
	static const struct {
		const char *name;
		uint64_t size;
		int64_t delivered;
	} cases[] = {
		{ "1050314226.9981_1.penfold", 0, 1050314226 },
		{ "1050314226.M1P2.host,S=1234,W=1300", 1234, 1050314226 },
		{ "1050314226.M1P2.host,W=1300,S=1234", 1234, 1050314226 },
		{ "1050314226", 0, 1050314226 },
		{ "x,S=", 0, DATE_NONE },
		{ "x,S=12z", 12, DATE_NONE },
		{ "x,S=99999999999999999999999", 0, DATE_NONE },
		{ "20240131.1.host", 0, DATE_NONE },
		{ "1706659200123.1.host", 0, DATE_NONE },
		{ "00000000000000000001", 0, DATE_NONE },
		{ "9999999999.far", 0, 9999999999 },
		{ "", 0, DATE_NONE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = cases[i].name;

		CHECK_CASE(name, maildir_name_size(name, strlen(name)) ==
					 cases[i].size);
		CHECK_CASE(name, maildir_name_delivered(name) ==
					 cases[i].delivered);
	}
}

static void test_folder_names(void)
{
	static const struct {
		const char *dir, *want;
	} cases[] = {
		{ ".Sent", "Sent" },
		{ ".A.B.C", "A / B / C" },
		{ "A.B", "A.B" },
		{ ".&U9dP4TDIMOwwpA-", "受信トレイ" },
		{ ".&U9dP4TDIMOwwpA-.&Tgtm+DBN--1", "受信トレイ / 下書き-1" },
		{ ".日本", "日本" },
		{ ".か\xE3\x82\x99", "が" },
		{ ".\x93\xFA\x96\x7B", "日本" },
		{ ".\xC6\xFC\xCB\xDC\xB8\xEC", "日本語" },
		{ ".R&D", "R&D" },
		{ ".R&-D", "R&D" },
		{ ".a\\2eb.c", "a.b / c" },
		{ ".a\\2Fb", "a/b" },
		{ ".C\\5ctmp", "C\\tmp" },
		{ ".a\\20b\\2", "a\\20b\\2" },
		{ ".a%2eb.c", "a.b / c" },
		{ ".100%25", "100%" },
		{ ".100%", "100%" },
		{ ".5%2f%20x", "5%2f%20x" },
		{ ".a_2Eb", "a_2Eb" },
		{ ".A..B.", "A / B" },
		{ "..", ".." },
		{ "...", "..." },
		{ ".", "." },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf parts = BUF_INIT, text = BUF_INIT;

		maildir_folder_parts(&parts, cases[i].dir,
				     MAILDIR_PLUSPLUS);
		for (size_t at = 0; at < parts.len;
		     at += strlen(parts.data + at) + 1)
			buf_addf(&text, "%s%s", at ? " / " : "",
				 parts.data + at);
		CHECK_STR(text.data, cases[i].want);
		buf_free(&parts);
		buf_free(&text);
	}
}

static void test_maildirpp(const char *root)
{
	struct buf text = BUF_INIT;

	make_maildir(root, "");
	make_maildir(root, ".Sent");
	make_maildir(root, ".A.B");
	make_maildir(root, ".&MFQwf3ux-"); /* ごみ箱 */
	make_maildir(root, ".INBOX.Drafts");
	make_maildir(root, "!odd");
	tree_file(root, ".A.B/maildirfolder", "");
	tree_dir(root, ".nothing");
	tree_file(root, "dovecot-uidlist", "3 V1 N1\n");
	list_folders(root, &text);
	CHECK_STR(text.data, "!odd [] !odd\n"
			     ". [inbox] INBOX\n"
			     ".&MFQwf3ux- [trash] ごみ箱\n"
			     ".A.B [] A / B\n"
			     ".INBOX.Drafts [drafts] INBOX / Drafts\n"
			     ".Sent [sent] Sent\n");
	buf_free(&text);
}

static void test_fs_layout(const char *root)
{
	struct buf text = BUF_INIT, deep = BUF_INIT;
	struct importer *imp;

	make_maildir(root, "inbox");
	make_maildir(root, "Work/2019.old");
	make_maildir(root, "Work/2019.old/Sub");
	make_maildir(root, "Work/.Plus");
	make_maildir(root, "new"); /* a folder of that name: no cur beside it */
	tree_dir(root, "other/empty");
	make_maildir(root, "aside");
	tree_link(root, "linked", "aside");
	for (int i = 0; i < WALK_DEPTH + 2; i++)
		buf_add_str(&deep, "d/");
	buf_add_str(&deep, "cur");
	tree_dir(root, deep.data);
	list_folders(root, &text);
	buf_reset(&deep);
	buf_add_str(&deep, "Work/.Plus [] Work / Plus\n"
			   "Work/2019.old [] Work / 2019.old\n"
			   "Work/2019.old/Sub [] Work / 2019.old / Sub\n"
			   "aside [] aside\n"
			   "error\n" /* deeper than we look */
			   "inbox [inbox] INBOX\n"
			   "new [] new\n");
	CHECK_STR(text.data, deep.data);
	imp = open_source(root);
	CHECK_STR(ops->remark(imp, 0),
		  ".: 1 symbolic links not followed, the first is linked");
	CHECK(!ops->remark(imp, 1));
	ops->close(imp);
	buf_free(&text);
	buf_free(&deep);
}

static void test_flags_and_order(const char *root)
{
	make_maildir(root, "");
	tree_file(root, "cur/1000000002.b:2,FRS", "two");
	tree_file(root, "new/1000000001.a", "one");
	tree_file(root, "cur/desktop.ini", "no");
	tree_file(root, "cur/Thumbs.db", "no");
	tree_file(root, "1000000008.h:2,S", "beside cur: no");
	tree_file(root, "cur/1000000003.c:2,DPST", "three");
	tree_file(root, "cur/1000000004.d!2,Sabz", "four");
	tree_file(root, "new/1000000005.e:2,FS", "five");
	tree_file(root, "cur/1000000006.f", "");
	tree_file(root, "cur/.hidden:2,S", "no");
	tree_file(root, "tmp/1000000007.g", "no");
	tree_file(root, "dovecot-keywords",
		  "0 $Label1\n1 not(an)atom\n\n25 last\n26 none\nx y\n3\n");
	CHECK_STR(messages_of(root),
		  "1000000001.a [] 0 one\n"
		  "1000000002.b [\\Seen \\Answered \\Flagged] 0 two\n"
		  "1000000003.c [\\Seen \\Draft $Forwarded] 1 three\n"
		  "1000000004.d [\\Seen $Label1 last] 0 four\n"
		  "1000000005.e [\\Flagged] 0 five\n"
		  "1000000006.f [] 3 \n");
}

static void test_load(const char *root)
{
	static const char text[] = "Date: Mon, 1 Jan 2024 00:00:00 +0000\n"
				   "X-Mozilla-Status: 0001\n"
				   "\n"
				   ">From a\rb\n"
				   "\xFF no end";
	static const char wire[] = "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
				   "X-Mozilla-Status: 0001\r\n"
				   "\r\n"
				   ">From a\rb\r\n"
				   "\xFF no end";
	struct importer *imp;
	struct message m;
	struct err e = ERR_INIT;

	make_maildir(root, "");
	make_maildir(root, ".Sent");
	tree_file(root, ".Sent/cur/1500000000.x:2,S", text);
	tree_age(root);
	imp = open_source(root);
	enter(imp, ".Sent");
	message_init(&m);
	m.in.want_spool = true;
	CHECK(ops->next(imp, &m, &e) == 1);
	CHECK_STR(m.locator.data, "1500000000.x 79:1600000000000000222");
	CHECK(m.offset == 0 && m.length == sizeof(text) - 1);
	CHECK(ops->load(imp, &m, &e) == 0);
	CHECK_STR(m.locator.data, "1500000000.x 79:1600000000000000222");
	CHECK(m.length == sizeof(text) - 1);
	CHECK_STR(m.in.spool.mem.data, wire);
	CHECK(m.in.wire_size == sizeof(wire) - 1);
	CHECK(m.when.delivered == 1500000000);
	CHECK(m.when.file == 1600000000);
	CHECK(m.when.date == 1704067200);
	CHECK(m.when.sent_folder);
	CHECK(ops->next(imp, &m, &e) == 0);
	CHECK_CASE("and again", ops->next(imp, &m, &e) == 0);
	message_free(&m);
	ops->close(imp);
}

static void test_large_message(const char *root)
{
	struct buf text = BUF_INIT;
	struct importer *imp;
	struct message m;
	struct err e = ERR_INIT;

	buf_add_str(&text, "Subject: large\n\n");
	while (text.len < 300000)
		buf_addf(&text, "line at %zu\n", text.len);
	make_maildir(root, "");
	tree_write(root, "cur/1700000000.x:2,", text.data, text.len);
	imp = open_source(root);
	enter(imp, ".");
	message_init(&m);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.in.store_size == text.len && m.length == text.len);
	message_free(&m);
	ops->close(imp);
	buf_free(&text);
}

/* What must change the fingerprint, and what must not. */
static void test_fingerprint(const char *root)
{
	static const struct {
		const char *what, *from, *to;
	} steps[] = {
		{ "a flag", "cur/1.a:2,S", "cur/1.a:2,RS" },
		{ "looked at", "new/2.b", "cur/2.b:2," },
		{ "put back", "cur/2.b:2,", "new/2.b" },
		{ "deleted", "new/2.b", "gone" },
		{ "keywords", "words", "dovecot-keywords" },
	};
	uint64_t bytes;
	char *before, *after;

	make_maildir(root, "");
	tree_file(root, "cur/1.a:2,S", "one");
	tree_file(root, "new/2.b", "two");
	tree_file(root, "cur/3.c,S=700:2,", "three");
	tree_file(root, "cur/4.d,S=11:2,", "four");
	tree_file(root, "words", "0 a\n");
	before = fingerprint_of(root, &bytes);
	CHECK(bytes == 711);
	after = fingerprint_of(root, &bytes);
	CHECK_STR(after, before);
	tree_file(root, "tmp/5.e", "being delivered");
	tree_file(root, "dovecot.index.log", "noise");
	free(after);
	after = fingerprint_of(root, &bytes);
	CHECK_STR(after, before);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		tree_move(root, steps[i].from, steps[i].to);
		free(after);
		after = fingerprint_of(root, &bytes);
		CHECK_CASE(steps[i].what, strcmp(before, after));
		free(before);
		before = mem_strdup(after);
	}
	free(before);
	free(after);
}

/* With every time the same the names alone must tell. */
static void test_fingerprint_of_names(const char *root)
{
	static const char *const moves[][2] = {
		{ "cur/1.a:2,S", "cur/1.a:2,R" },
		{ "cur/1.a:2,R", "new/1.a:2,R" },
		{ "cur/1.b:2,S", "cur/1.b:2,F" },
	};
	uint64_t bytes;
	char *before, *after;

	make_maildir(root, "");
	tree_file(root, "cur/1.a:2,S", "one");
	tree_file(root, "cur/1.b:2,S", "one");
	tree_age(root);
	before = fingerprint_of(root, &bytes);
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		tree_move(root, moves[i][0], moves[i][1]);
		tree_age(root);
		after = fingerprint_of(root, &bytes);
		CHECK_CASE(moves[i][1], strcmp(before, after));
		free(before);
		before = after;
	}
	free(before);
}

static void add_locators(const char *root, struct buf *out)
{
	struct importer *imp = open_source(root);
	struct message m;
	struct err e = ERR_INIT;

	message_init(&m);
	enter(imp, ".");
	while (ops->next(imp, &m, &e) == 1) {
		buf_addf(out, "%s\n", m.locator.data);
		message_reset(&m);
	}
	message_free(&m);
	ops->close(imp);
}

static void test_locator_survives_renaming(const char *root)
{
	struct buf before = BUF_INIT, after = BUF_INIT;

	make_maildir(root, "");
	tree_file(root, "cur/1.a:2,S", "one");
	tree_file(root, "new/2.b,S=3", "two");
	add_locators(root, &before);
	tree_move(root, "cur/1.a:2,S", "cur/1.a:2,RST");
	tree_move(root, "new/2.b,S=3", "cur/2.b,S=3:2,S");
	add_locators(root, &after);
	CHECK_STR(after.data, before.data);
	CHECK(before.len > 20);
	tree_file(root, "cur/1.a:2,RST", "other");
	buf_reset(&after);
	add_locators(root, &after);
	CHECK(strcmp(after.data, before.data));
	buf_free(&before);
	buf_free(&after);
}

/* A writer that died between link and unlink leaves a message twice. Both are
   counted, with locators of their own. */
static void test_twins(const char *root)
{
	struct buf text = BUF_INIT;

	make_maildir(root, "");
	tree_file(root, "new/1.a", "one");
	tree_file(root, "cur/1.a:2,S", "one");
	tree_file(root, "cur/1.a:2,", "one");
	tree_file(root, "cur/1.ab:2,", "two");
	tree_age(root);
	CHECK_STR(messages_of(root), "1.a [] 0 one\n"
				     "1.a [\\Seen] 0 one\n"
				     "1.a [] 0 one\n"
				     "1.ab [] 0 two\n");
	add_locators(root, &text);
	CHECK_STR(text.data, "1.a 3:1600000000000000222\n"
			     "1.a 3:1600000000000000222:2\n"
			     "1.a 3:1600000000000000222:3\n"
			     "1.ab 3:1600000000000000222\n");
	buf_free(&text);
}

/* The mail program goes on while we read. */
static void test_moving_target(const char *root)
{
	struct importer *imp;
	struct buf text = BUF_INIT;
	struct message m;
	struct err e = ERR_INIT;

	make_maildir(root, "");
	tree_file(root, "new/1.a", "one");
	tree_file(root, "new/2.b", "two");
	tree_file(root, "new/3.c", "three");
	tree_file(root, "cur/4.d:2,", "four");
	tree_file(root, "cur/5.e:2,", "five");
	tree_age(root);
	imp = open_source(root);
	enter(imp, ".");
	message_init(&m);
	m.in.want_spool = true;

	tree_move(root, "new/1.a", "cur/1.a:2,S");
	CHECK_CASE("moved before next", ops->next(imp, &m, &e) == 1);
	CHECK(m.flags.system == FLAG_SEEN);
	tree_move(root, "cur/1.a:2,S", "cur/1.a:2,FS");
	CHECK_CASE("moved before load", ops->load(imp, &m, &e) == 0);
	CHECK_STR(m.in.spool.mem.data, "one");
	CHECK(m.flags.system == (FLAG_SEEN | FLAG_FLAGGED));

	message_reset(&m);
	tree_move(root, "new/2.b", "gone-2");
	CHECK_CASE("gone before next", ops->next(imp, &m, &e) < 0);
	CHECK(e.scope == ERR_MESSAGE && strstr(e.text, "2.b"));

	message_reset(&m);
	CHECK(ops->next(imp, &m, &e) == 1);
	tree_move(root, "new/3.c", "gone-3");
	CHECK_CASE("gone before load", ops->load(imp, &m, &e) < 0);
	CHECK(e.scope == ERR_MESSAGE && strstr(e.text, "3.c"));

	message_reset(&m);
	CHECK(ops->next(imp, &m, &e) == 1);
	tree_file(root, "cur/4.d:2,", "something else");
	CHECK_CASE("rewritten before load", ops->load(imp, &m, &e) < 0);
	CHECK(e.scope == ERR_MESSAGE && e.retry == ERR_LATER);

	tree_file(root, "new/0.z", "came too late");
	list_messages(imp, &text);
	CHECK_STR(text.data, "5.e [] 0 five\n");
	message_free(&m);
	ops->close(imp);
	buf_free(&text);
}

static void test_special_files(const char *root)
{
	struct buf before = BUF_INIT, after = BUF_INIT, folders = BUF_INIT;
	struct importer *imp;

	make_maildir(root, "m");
	make_maildir(root, "m/.Sent");
	make_maildir(root, "outside");
	tree_file(root, "outside/cur/1.secret:2,", "not ours");
	tree_file(root, "m/cur/1.a:2,", "one");
	tree_file(root, "m/.Sent/new/2.b", "two");
	tree_link(root, "m/cur/2.link:2,", "../../outside/cur/1.secret:2,");
	tree_link(root, "m/cur/3.link:2,",
		  tree_path(root, "outside/cur/1.secret:2,"));
	tree_link(root, "m/cur/4.loop:2,", "4.loop:2,");
	tree_special(root, "m/cur/5.fifo:2,", S_IFIFO);
	tree_special(root, "m/new/6.socket", S_IFSOCK);
	tree_dir(root, "m/cur/7.dir:2,");
	tree_special(root, "m/dovecot-keywords", S_IFIFO);
	tree_link(root, "m/.Linked", "../outside");
	tree_link(root, "m/.Absolute", tree_path(root, "outside"));
	tree_link(root, "m/.Loop", ".");
	tree_link(root, "m/.Up", "..");
	tree_dir(root, "m/.NewIsLink/cur");
	tree_link(root, "m/.NewIsLink/new", "../../outside/cur");
	tree_age(root);
	tree_times(root, &before);
	list_folders(tree_path(root, "m"), &folders);
	CHECK_STR(folders.data, ". [inbox] INBOX\n"
				".NewIsLink [] NewIsLink\n"
				".Sent [sent] Sent\n");
	CHECK_STR(messages_of(tree_path(root, "m")), "1.a [] 0 one\n");
	imp = open_source(tree_path(root, "m"));
	buf_reset(&folders);
	enter(imp, ".NewIsLink");
	list_messages(imp, &folders);
	enter(imp, ".Sent");
	list_messages(imp, &folders);
	CHECK_STR(folders.data, "2.b [] 0 two\n");
	CHECK(strstr(ops->remark(imp, 0), "4 symbolic links"));
	CHECK(strstr(ops->remark(imp, 1), "1 symbolic links"));
	CHECK(strstr(ops->remark(imp, 2), "3 symbolic links among"));
	CHECK(strstr(ops->remark(imp, 3), "2 special files among"));
	CHECK(!ops->remark(imp, 4));
	ops->close(imp);
	CHECK(importer_claim(ops, tree_path(root, "m")) == 2);
	tree_times(root, &after);
	CHECK_STR(after.data, before.data);
	CHECK(before.len > 1000);
	buf_free(&before);
	buf_free(&after);
	buf_free(&folders);
}

/* Archivers drop empty directories, and so cur of a folder nobody has opened. */
static void test_only_new(const char *root)
{
	tree_file(root, "new/1700000000.a", "one");
	CHECK_STR(messages_of(root), "1700000000.a [] 0 one\n");
	CHECK(importer_claim(ops, root) == 1);
}

static void test_probe_and_open(const char *root)
{
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	make_maildir(root, "full");
	tree_dir(root, "lite/cur");
	tree_dir(root, "lite/tmp");
	tree_dir(root, "bare/cur");
	make_maildir(root, "plus/.Sent");
	make_maildir(root, "fs/Sent");
	make_maildir(root, "fs/inbox");
	make_maildir(root, "one/Sent");
	make_maildir(root, "kmail/inbox");
	tree_dir(root, "kmail/.inbox.directory");
	make_maildir(root, "apart/inbox");
	tree_dir(root, "apart/.other.directory");
	tree_dir(root, "none/new");
	tree_file(root, "none/new/report.txt", "not mail");
	tree_file(root, "file", "From a\n");
	CHECK(importer_claim(ops, tree_path(root, "full")) == 2);
	CHECK(importer_claim(ops, tree_path(root, "lite")) == 2);
	CHECK(importer_claim(ops, tree_path(root, "bare")) == 1);
	CHECK(importer_claim(ops, tree_path(root, "plus")) == 1);
	CHECK(importer_claim(ops, tree_path(root, "fs")) == 1);
	CHECK(importer_claim(ops, tree_path(root, "one")) == 0);
	CHECK(importer_claim(ops, tree_path(root, "kmail")) == 1);
	CHECK(importer_claim(ops, tree_path(root, "apart")) == 0);
	CHECK(importer_claim(ops, tree_path(root, "none")) == 0);
	CHECK(importer_claim(ops, tree_path(root, "file")) == 0);
	CHECK(importer_claim(ops, tree_path(root, "absent")) == 0);
	CHECK(ops->open(tree_path(root, "none"), &no_options, &imp, &e) < 0);
	CHECK(e.scope == ERR_ACCOUNT && e.kind == ERR_SOURCE);
	CHECK(ops->open(tree_path(root, "file"), &no_options, &imp, &e) < 0);
	CHECK(ops->open(tree_path(root, "absent"), &no_options, &imp, &e) < 0);
	CHECK(!imp);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_maildirpp,
		test_fs_layout,
		test_flags_and_order,
		test_load,
		test_large_message,
		test_fingerprint,
		test_fingerprint_of_names,
		test_locator_survives_renaming,
		test_twins,
		test_moving_target,
		test_special_files,
		test_only_new,
		test_probe_and_open,
	};

	test_names();
	test_numbers_in_names();
	test_folder_names();
	for (size_t i = 0; i < sizeof(on_trees) / sizeof(on_trees[0]); i++) {
		char *root = tree_make();

		on_trees[i](root);
		tree_remove(root);
	}
	return check_done();
}
