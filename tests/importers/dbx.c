/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlook Express 5 and 6: stores made at run time. */
#include "tests/lib/dbxstore.h"
#include "importers/dbx_ansi.h"
#include "importers/dbx_file.h"
#include "tests/importers/dbx_listing.h"

extern const struct importer_ops importer_dbx;
static const struct importer_ops *const ops = &importer_dbx;

static void store(const char *root, const char *rel, struct dbxstore *s)
{
	tree_write(root, rel, s->file.data, s->file.len);
	buf_free(&s->file);
}

static void inbox(struct dbxstore *s)
{
	dbxstore_begin(s, DBXSTORE_MESSAGES, 3, "Inbox");
}

/* --- one file: its traps --- */

static void plain(struct dbxstore *s)
{
	inbox(s);
	dbxstore_message(s, 1, 0x81, "A: 1\r\n\r\none\r\n");
	dbxstore_message(s, 2, 0x01, "A: 2\r\n\r\n.two\r\nno end");
}

static void flags(struct dbxstore *s)
{
	inbox(s);
	dbxstore_message(s, 1, 0x01 | 0x08, "A: draft\r\n");
	dbxstore_message(s, 2, 0x01 | 0x20, "A: flagged\r\n");
	dbxstore_message(s, 3, 0x80081, "A: answered\r\n");
	dbxstore_message(s, 4, 0x100081, "A: forwarded\r\n");
	dbxstore_message(s, 5, 0x1020081, "A: bits nobody knows\r\n");
}

static void empty(struct dbxstore *s)
{
	inbox(s);
}

static void header_only(struct dbxstore *s)
{
	inbox(s);
	buf_cut(&s->file, 0x24BC);
}

static void never_fetched(struct dbxstore *s)
{
	inbox(s);
	dbxstore_message(s, 1, 0x00, NULL);
	dbxstore_message(s, 2, 0x81, "A: here\r\n");
}

static void deleted(struct dbxstore *s)
{
	const char *text = "A: deleted\r\n\r\nstill in the file\r\n";

	inbox(s);
	dbxstore_message(s, 1, 0x81, "A: kept\r\n");
	dbxstore_text(s, text, strlen(text), 0);
}

static void text_loop(struct dbxstore *s)
{
	char text[0x500];
	uint32_t at;

	memset(text, 'x', sizeof(text));
	inbox(s);
	at = dbxstore_text(s, text, 0x210, 0);
	dbxstore_put(s, at + 0x210 + 12, at);
	const struct dbxstore_value v[] = { { .index = 4, .number = at } };

	dbxstore_record(s, v, 1);
	dbxstore_message(s, 2, 1, "A: after\r\n");
}

static void text_shared(struct dbxstore *s)
{
	uint32_t at, other;
	char text[0x201];

	memset(text, 'y', sizeof(text));
	inbox(s);
	at = dbxstore_text(s, "A: mine\r\n", 9, 0);
	other = dbxstore_text(s, text, 0x200, 0);
	dbxstore_put(s, other + 12, at);
	const struct dbxstore_value v[] = { { .index = 4, .number = at } };
	const struct dbxstore_value w[] = { { .index = 4, .number = other } };

	dbxstore_record(s, v, 1);
	dbxstore_record(s, w, 1);
}

static void text_outside(struct dbxstore *s)
{
	const struct dbxstore_value v[] = {
		{ .index = 4, .number = 0x7FFFFFF0 },
	};

	inbox(s);
	dbxstore_record(s, v, 1);
	dbxstore_message(s, 2, 1, "A: after\r\n");
}

static void text_too_long(struct dbxstore *s)
{
	uint32_t at;

	inbox(s);
	at = dbxstore_text(s, "A: b\r\n", 6, 0);
	dbxstore_put(s, at + 8, 0xFFFFFFFF);
	const struct dbxstore_value v[] = { { .index = 4, .number = at } };

	dbxstore_record(s, v, 1);
}

static void text_cut_off(struct dbxstore *s)
{
	char text[0x201];
	uint32_t at;

	memset(text, 'z', sizeof(text));
	memcpy(text, "A: long\r\n\r\n", 11);
	inbox(s);
	at = dbxstore_text(s, text, sizeof(text), 0);
	dbxstore_put(s, at + 0x210, 0); /* no block any more */
	const struct dbxstore_value v[] = { { .index = 4, .number = at } };

	dbxstore_record(s, v, 1);
}

static void tree_loop(struct dbxstore *s)
{
	uint32_t root;

	plain(s);
	root = dbxstore_end(s, 0x33);
	dbxstore_put(s, root + 8, root);
}

static void tree_outside(struct dbxstore *s)
{
	uint32_t root;

	plain(s);
	root = dbxstore_end(s, 0x33);
	dbxstore_put(s, root + 24 + 4, 0x00F00000);
}

static void tree_twice(struct dbxstore *s)
{
	uint32_t root;

	plain(s);
	root = dbxstore_end(s, 0x33);
	dbxstore_put(s, root + 24 + 12, dbxstore_get(s, root + 24));
}

static void tree_gone(struct dbxstore *s)
{
	plain(s);
	dbxstore_end(s, 0x33);
	dbxstore_put(s, 0xE4, 4);
}

static void record_broken(struct dbxstore *s)
{
	plain(s);
	dbxstore_put(s, s->records[0], 0);
}

static void record_too_long(struct dbxstore *s)
{
	plain(s);
	dbxstore_put(s, s->records[0] + 4, 0x7FFFFFFF);
}

static void count_wrong(struct dbxstore *s)
{
	plain(s);
	dbxstore_end(s, 0x33);
	dbxstore_put(s, 0xC4, 9);
}

/* @1, @2 stand for the address of the first and second record, &1 and &2 for the same in
   decimal, &0 for that of the root, x{9} for nine x. */
#define RESTORE "compact the folder in Outlook Express, or restore the file\n"
#define BOTH                                                                   \
	"  @1 [\\Seen] at 1000000001 A: 1||one|\n"                             \
	"  @2 [] at 1000000002 A: 2||.two|no end\n"
static const struct {
	const char *what;
	void (*make)(struct dbxstore *s);
	bool ended; /* make has made the tree */
	const char *want;
} one_file[] = {
	{ "as it is, dots and a missing line end included", plain, false,
	  BOTH },
	{ "flags, and bits that nobody knows", flags, false,
	  "  @1 [\\Draft] at 1000000001 A: draft|\n"
	  "  @2 [\\Flagged] at 1000000002 A: flagged|\n"
	  "  @3 [\\Seen \\Answered] at 1000000003 A: answered|\n"
	  "  @4 [\\Seen $Forwarded] at 1000000004 A: forwarded|\n"
	  "  @5 [\\Seen] at 1000000005 A: bits nobody knows|\n" },
	{ "a folder without messages", empty, false, "" },
	{ "a folder that never held any: the header alone", header_only, false,
	  "" },
	{ "bodies that were never fetched are counted and said", never_fetched,
	  false,
	  "  @1 [] skip 3 at 1000000001 \n"
	  "  @2 [\\Seen] at 1000000002 A: here|\n"
	  "# In.dbx: of 1 messages Outlook Express has the header only: "
	  "they are on the server\n" },
	{ "what was deleted and not compacted stays there", deleted, false,
	  "  @1 [\\Seen] at 1000000001 A: kept|\n" },
	{ "blocks in a circle: the beginning, once", text_loop, false,
	  "  @1 [] notes 1 x{528}\n"
	  "  @2 [] at 1000000002 A: after|\n"
	  "# In.dbx: 1 messages are damaged; what is left of them is "
	  "migrated\n" },
	{ "a block of another message is not taken again", text_shared, false,
	  "  @1 [] A: mine|\n"
	  "  @2 [] notes 1 y{512}\n"
	  "# In.dbx: 1 messages are damaged; what is left of them is "
	  "migrated\n" },
	{ "a text outside of the file", text_outside, false,
	  "  @1 error In.dbx: message 1, at byte &1: its text cannot be found\n"
	  "  @2 [] at 1000000002 A: after|\n" },
	{ "a block that says it is longer than blocks are", text_too_long,
	  false,
	  "  @1 error In.dbx: message 1, at byte &1: its text cannot be "
	  "found\n" },
	{ "a chain that breaks off: what there is, and said", text_cut_off,
	  false,
	  "  @1 [] notes 1 A: long||z{501}\n"
	  "# In.dbx: 1 messages are damaged; what is left of them is "
	  "migrated\n" },
	{ "a tree that bites its tail", tree_loop, true,
	  BOTH "  folder error In.dbx: its index is damaged at byte &0: 2 of "
	       "2 messages were found; " RESTORE },
	{ "a child outside of the file", tree_outside, true,
	  BOTH "  folder error In.dbx: its index is damaged at byte 15728640: "
	       "2 of 2 messages were found; " RESTORE },
	{ "a record that is listed twice is read once", tree_twice, true,
	  "  @1 [\\Seen] at 1000000001 A: 1||one|\n"
	  "  folder error In.dbx: its index is damaged at byte &1: 1 of 2 "
	  "messages were found; " RESTORE },
	{ "a root that is none", tree_gone, true,
	  "  folder error In.dbx: its index is damaged at byte 4: 0 of 2 "
	  "messages were found; " RESTORE },
	{ "a record that is none", record_broken, false,
	  "  error In.dbx: message 1, at byte &1: its record is damaged; "
	  RESTORE "  @2 [] at 1000000002 A: 2||.two|no end\n" },
	{ "a record that is longer than the file", record_too_long, false,
	  "  error In.dbx: message 1, at byte &1: its record is damaged; "
	  RESTORE "  @2 [] at 1000000002 A: 2||.two|no end\n" },
	{ "a count that is wrong", count_wrong, true,
	  BOTH "# In.dbx: counts 9 messages, but its index has 2\n" },
};

static void expand(const char *want, const struct dbxstore *s, struct buf *out)
{
	uint32_t root = s->file.len > 0xE8 ? dbxstore_get(s, 0xE4) : 0;

	for (; *want; want++) {
		unsigned n = (unsigned)want[1] - '0';
		uint32_t at = n && n < 10 ? s->records[n - 1] : root;

		if (*want == '@' || *want == '&') {
			if (*want++ == '@')
				buf_addf(out, "%x", at);
			else
				buf_addf(out, "%u", at);
		} else if (want[1] == '{') {
			char c = *want, *end;

			for (n = (unsigned)strtoul(want + 2, &end, 10); n; n--)
				buf_add_char(out, c);
			want = end;
		} else {
			buf_add_char(out, *want);
		}
	}
}

static void test_one_file(void)
{
	for (size_t i = 0; i < sizeof(one_file) / sizeof(one_file[0]); i++) {
		char *root = tree_make();
		struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
		struct buf want = BUF_INIT;
		struct dbxstore s;

		one_file[i].make(&s);
		if (!one_file[i].ended)
			dbxstore_end(&s, 0x33);
		buf_add_str(&want, "In.dbx [inbox] Inbox\n");
		if (s.file.len <= 0x24BC + 0x618 && s.file.len < 0x2AD4)
			buf_set_str(&want, "In.dbx [] In\n");
		expand(one_file[i].want, &s, &want);
		store(root, "In.dbx", &s);
		listing_of(&l);
		if (strcmp(l.text.data, want.data))
			printf("%s:\n", one_file[i].what);
		CHECK_STR(l.text.data, want.data);
		buf_free(&want);
		buf_free(&l.text);
		tree_remove(root);
	}
}

/* Trees of every shape give all records, in their order. */
static void test_trees(void)
{
	static const struct {
		uint32_t n, most;
	} cases[] = { { 1, 3 }, { 3, 3 }, { 4, 3 }, { 17, 3 }, { 700, 2 },
		      { 51, 0x33 }, { 52, 0x33 }, { 3000, 0x33 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *root = tree_make();
		struct dbxstore s;
		struct dbx_file d;
		int fd;

		inbox(&s);
		for (uint32_t k = 0; k < cases[i].n; k++)
			dbxstore_message(&s, k, 1, k % 7 ? NULL : "A: b\r\n");
		dbxstore_end(&s, cases[i].most);
		tree_write(root, "a.dbx", s.file.data, s.file.len);
		fd = open(tree_path(root, "a.dbx"), O_RDONLY);
		dbx_file_open(&d, fd, s.file.len);
		dbx_file_index(&d);
		CHECK(d.n == cases[i].n && d.counted == d.n && !d.damage);
		CHECK(d.n && !memcmp(d.at, s.records, d.n * sizeof(*d.at)));
		dbx_file_close(&d);
		close(fd);
		buf_free(&s.file);
		tree_remove(root);
	}
}

/* A tree that is deeper than trees get. */
static void test_deep_tree(void)
{
	char *root = tree_make();
	struct dbxstore s;
	struct dbx_file d;
	uint32_t node = 0;
	int fd;

	inbox(&s);
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t at = dbxstore_room(&s, 0x27C);

		dbxstore_put(&s, at, at);
		dbxstore_put(&s, at + 8, node);
		node = at;
	}
	dbxstore_put(&s, 0xE4, node);
	tree_write(root, "a.dbx", s.file.data, s.file.len);
	fd = open(tree_path(root, "a.dbx"), O_RDONLY);
	dbx_file_open(&d, fd, s.file.len);
	dbx_file_index(&d);
	CHECK(d.n == 0 && d.damage);
	dbx_file_close(&d);
	close(fd);
	buf_free(&s.file);
	tree_remove(root);
}

/* --- a store --- */

static void one(const char *root, const char *rel, unsigned char source,
		const char *name, const char *text)
{
	struct dbxstore s;

	dbxstore_begin(&s, DBXSTORE_MESSAGES, source, name);
	dbxstore_message(&s, 1, 0x81, text);
	dbxstore_end(&s, 0x33);
	store(root, rel, &s);
}

/* 受信トレイ and so on, in CP932. */
#define INBOX_JP "\x8E\xF3\x90\x4D\x83\x67\x83\x8C\x83\x43"
#define SENT_JP "\x91\x97\x90\x4D\x8D\xCF\x82\xDD\x83\x41\x83\x43\x83\x65\x83\x80"
#define LOCAL_JP "\x83\x8D\x81\x5B\x83\x4A\x83\x8B\x20\x83\x74\x83\x48\x83\x8B\x83\x5F"
/* 表示: its first character's second byte is a backslash. */
#define HYOJI "\x95\x5C\x8E\xA6"

static void make_store(const char *root)
{
	struct dbxstore s;

	dbxstore_begin(&s, DBXSTORE_FOLDERS, 0, "");
	dbxstore_folder(&s, 0, 0xFFFFFFFF, "Outlook Express", NULL, 0, 3, 0);
	dbxstore_folder(&s, 1, 0, LOCAL_JP, NULL, 0, 3, 0);
	dbxstore_folder(&s, 2, 1, INBOX_JP, INBOX_JP ".dbx", 1, 3, 1);
	dbxstore_folder(&s, 3, 1, "Out", "OUT.DBX", 2, 3, 1);
	dbxstore_folder(&s, 4, 1, SENT_JP, "sent.dbx", 3, 3, 1);
	dbxstore_folder(&s, 5, 2, HYOJI, "sub.dbx", 0, 3, 1);
	dbxstore_folder(&s, 6, 1, "Lost", "lost.dbx", 0, 3, 12);
	dbxstore_folder(&s, 7, 1, "Never opened", "never.dbx", 0, 3, 0);
	dbxstore_folder(&s, 8, 0, "imap.example.jp", NULL, 0, 1, 0);
	dbxstore_folder(&s, 9, 8, "INBOX", "imap.dbx", 1, 1, 1);
	dbxstore_folder(&s, 10, 0, "news.example.jp", NULL, 0, 0, 0);
	dbxstore_folder(&s, 11, 10, "fj.mail", "fj.mail.dbx", 0, 0, 1);
	dbxstore_folder(&s, 12, 10, "fj.never", NULL, 0, 0, 0);
	dbxstore_folder(&s, 13, 14, "Circle", "circle.dbx", 0, 3, 1);
	dbxstore_folder(&s, 14, 13, "Circle 2", "circle2.dbx", 0, 3, 0);
	dbxstore_folder(&s, 15, 99, "Orphan's child", "child.dbx", 0, 3, 1);
	dbxstore_end(&s, 3);
	store(root, "Folders.dbx", &s);
	one(root, "\xE5\x8F\x97\xE4\xBF\xA1\xE3\x83\x88\xE3\x83\xAC\xE3\x82\xA4"
		  ".dbx", 3, INBOX_JP, "A: in\r\n");
	one(root, "Out.dbx", 3, "Out", "A: out\r\n");
	one(root, "sent.dbx", 3, SENT_JP, "A: sent\r\n");
	one(root, "sub.dbx", 3, "old name", "A: sub\r\n");
	one(root, "imap.dbx", 1, "INBOX", "A: imap\r\n");
	one(root, "fj.mail.dbx", 0, "fj.mail", "A: news\r\n");
	one(root, "circle.dbx", 3, "Circle", "A: circle\r\n");
	one(root, "child.dbx", 3, "Child", "A: child\r\n");
	one(root, "left.dbx", 3, "Left over", "A: left\r\n");
	tree_write(root, "Pop3uidl.dbx",
		   "\xCF\xAD\x12\xFE\xC7\xFD\x74\x6F\x66\xE3\xD1\x11\x9A\x4E\0\0",
		   16);
	tree_file(root, "text.dbx", "what is this doing here\n");
	tree_file(root, "empty.dbx", "");
	tree_link(root, "link.dbx", "sent.dbx");
}

#define STORE_LOCAL                                                            \
	"Out.dbx [queue] Out of ローカル フォルダ\n"                       \
	"  2ce4 [\\Seen] notes 4 at 1000000001 A: out|\n"                     \
	"child.dbx [] Orphan's child\n"                                       \
	"  2ce4 [\\Seen] at 1000000001 A: child|\n"                           \
	"circle.dbx [] Circle hidden\n"                                       \
	"  2ce4 [\\Seen] notes 2 at 1000000001 A: circle|\n"
#define STORE_REST                                                             \
	"left.dbx [] Left over hidden\n"                                      \
	"  2ce4 [\\Seen] notes 2 at 1000000001 A: left|\n"                    \
	"sent.dbx [sent] 送信済みアイテム of ローカル フォルダ\n"      \
	"  2ce4 [\\Seen] at 1000000001 A: sent|\n"                            \
	"sub.dbx [] 受信トレイ / 表示 of ローカル フォルダ\n"        \
	"  2ce4 [\\Seen] at 1000000001 A: sub|\n"                             \
	"受信トレイ.dbx [inbox] 受信トレイ of ローカル フォルダ\n" \
	"  2ce4 [\\Seen] at 1000000001 A: in|\n"                              \
	"# circle.dbx: in no folder of the tree in Folders.dbx; migrated as " \
	"'Circle'\n"                                                          \
	"# left.dbx: in no folder of the tree in Folders.dbx; migrated as "   \
	"'Left over'\n"                                                       \
	"# text.dbx: not a file of Outlook Express 5 or 6; left out\n"        \
	"# folder 'Lost': there should be 12 messages in lost.dbx, which is " \
	"not there\n"                                                         \
	"# .: 1 newsgroups left out: they are not mail\n"

static void test_store(void)
{
	char *root = tree_make();
	struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
	struct buf before = BUF_INIT, after = BUF_INIT;

	make_store(root);
	tree_age(root);
	tree_times(root, &before);
	CHECK_STR(listing_of(&l),
		  STORE_LOCAL STORE_REST
		  "# .: 1 copies of folders of IMAP accounts left out: their "
		  "mail is on the server\n"
		  "# link.dbx: a symbolic link, not followed\n");
	tree_times(root, &after);
	CHECK(buf_equal(&before, &after));
	l.opt.imap_copies = true;
	CHECK_STR(listing_of(&l),
		  STORE_LOCAL
		  "imap.dbx [inbox] INBOX of imap.example.jp\n"
		  "  2ce4 [\\Seen] at 1000000001 A: imap|\n" STORE_REST
		  "# link.dbx: a symbolic link, not followed\n");
	buf_free(&before);
	buf_free(&after);
	buf_free(&l.text);
	tree_remove(root);
}

/* Two users' stores below one directory, one of them without its tree. */
static void test_stores_below(void)
{
	char *root = tree_make();
	struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };

	one(root, "a/OE/Inbox.dbx", 3, INBOX_JP, "A: a\r\n");
	one(root, "b/OE/Inbox.dbx", 3, "", "A: b\r\n");
	CHECK_STR(listing_of(&l),
		  "a/OE/Inbox.dbx [inbox] 受信トレイ\n"
		  "  2ce4 [\\Seen] at 1000000001 A: a|\n"
		  "b/OE/Inbox.dbx [inbox] Inbox\n"
		  "  2ce4 [\\Seen] at 1000000001 A: b|\n");
	buf_free(&l.text);
	tree_remove(root);
}

static void test_not_ours(void)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		enum claim claim;
	} cases[] = {
		{ "messages", "\xCF\xAD\x12\xFE\xC5\xFD\x74\x6F\x66\xE3\xD1\x11"
			      "\x9A\x4E\0\xC0", 16, CLAIM_ALL },
		{ "cut off", "\xCF\xAD\x12\xFE\xC5\xFD\x74\x6F", 8, CLAIM_NO },
		{ "text", "From me to you, all of it", 25, CLAIM_NO },
		{ "nothing", "", 0, CLAIM_NO },
	};
	char *root = tree_make();
	struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };

	CHECK(strstr(listing_of(&l), "no mail of Outlook Express 5 or 6 here"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tree_write(root, cases[i].name, cases[i].bytes, cases[i].n);
		CHECK_CASE(cases[i].name,
			   importer_claim(ops, tree_path(root, cases[i].name)) ==
				   cases[i].claim);
	}
	CHECK(importer_claim(ops, root) == CLAIM_NO);
	one(root, "x/y.DBX", 3, "y", "A: b\r\n");
	CHECK(importer_claim(ops, tree_path(root, "x")) == CLAIM_PART);
	CHECK(importer_probe(tree_path(root, "x/y.DBX")) == ops);
	buf_free(&l.text);
	tree_remove(root);
}

/* What the tree says, and the file, is in the fingerprint; nothing else is. */
static void test_fingerprint(void)
{
	char *root = tree_make(), *a, *b;

	one(root, "Inbox.dbx", 3, "Inbox", "A: 1\r\n");
	tree_age(root);
	a = listing_fingerprint(ops, root, 0);
	b = listing_fingerprint(ops, root, 0);
	CHECK_STR(a, b);
	free(b);
	one(root, "Inbox.dbx", 3, "Inbox", "A: 2\r\n");
	b = listing_fingerprint(ops, root, 0);
	CHECK(strcmp(a, b));
	free(a);
	free(b);
	tree_remove(root);
}

/* Names that programs of a Japanese Windows wrote. */
static void test_ansi(void)
{
	static const struct {
		const char *bytes, *want;
	} cases[] = {
		{ "Inbox", "Inbox" },
		{ INBOX_JP, "受信トレイ" },
		{ HYOJI, "表示" },
		{ "\xB6\xC5", "ｶﾅ" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;

		dbx_add_ansi(&out, cases[i].bytes, strlen(cases[i].bytes));
		CHECK_STR(out.data, cases[i].want);
		buf_free(&out);
	}
}

int main(void)
{
	test_one_file();
	test_trees();
	test_deep_tree();
	test_store();
	test_stores_below();
	test_not_ours();
	test_fingerprint();
	test_ansi();
	return check_done();
}
