/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlook Express 4: stores made at run time. */
#include "tests/lib/oembxstore.h"
#include "importers/oembx_file.h"
#include "tests/importers/dbx_listing.h"

extern const struct importer_ops importer_oembx;
static const struct importer_ops *const ops = &importer_oembx;

#define ONE "A: 1\r\n\r\none\r\n"
#define TWO "A: 2\r\n\r\n.two\r\nno end"

/* Two messages, both listed and not marked. */
static void plain(struct oembxstore *s)
{
	uint32_t one = oembxstore_message(s, ONE);
	uint32_t two = oembxstore_message(s, TWO);

	oembxstore_list(s, one, 0x10);
	oembxstore_list(s, two, 0x12);
}

static void deleted(struct oembxstore *s)
{
	uint32_t one = oembxstore_message(s, ONE);
	uint32_t two = oembxstore_message(s, TWO);

	oembxstore_list(s, one, 0x11);
	oembxstore_list(s, two, 0x13);
}

static void unlisted(struct oembxstore *s)
{
	oembxstore_message(s, ONE);
	oembxstore_list(s, oembxstore_message(s, TWO), 0x10);
}

static void listed_backwards(struct oembxstore *s)
{
	uint32_t one = oembxstore_message(s, ONE);
	uint32_t two = oembxstore_message(s, TWO);

	oembxstore_list(s, two, 0x12);
	oembxstore_list(s, one, 0x10);
}

static void new_behind(struct oembxstore *s)
{
	oembxstore_list(s, oembxstore_message(s, ONE), 0x10);
	oembxstore_message(s, TWO);
}

static void lists_nothing(struct oembxstore *s)
{
	oembxstore_message(s, ONE);
	oembxstore_message(s, TWO);
}

static void empty(struct oembxstore *s)
{
	(void)s;
}

static void no_text(struct oembxstore *s)
{
	oembxstore_list(s, oembxstore_message(s, ""), 0x10);
}

static void junk_between(struct oembxstore *s)
{
	oembxstore_message(s, ONE);
	buf_add_str(&s->mbx, "what a crash left behind");
	oembxstore_message(s, TWO);
}

static void cut_off(struct oembxstore *s)
{
	plain(s);
	oembxstore_end(s);
	buf_cut(&s->mbx, s->mbx.len - 3);
}

static void text_longer(struct oembxstore *s)
{
	uint32_t one = oembxstore_message(s, ONE);

	oembxstore_message(s, TWO);
	oembxstore_set(&s->mbx, one + 12, 0xFFFFFFF0);
}

static void length_zero(struct oembxstore *s)
{
	uint32_t one = oembxstore_message(s, ONE);

	oembxstore_message(s, TWO);
	oembxstore_set(&s->mbx, one + 8, 0);
}

static void magic_in_text(struct oembxstore *s)
{
	oembxstore_list(s, oembxstore_message(s, "A: 1\r\n\r\n12345678"), 0x10);
	memcpy(s->mbx.data + s->mbx.len - 8, "\0\x7F\0\x7F", 4);
}

static void idx_other(struct oembxstore *s)
{
	plain(s);
	oembxstore_set(&s->idx, 80 + 20, 4711);
}

static void idx_loop(struct oembxstore *s)
{
	plain(s);
	oembxstore_set(&s->idx, 80 + 16, 0);
}

static void idx_count(struct oembxstore *s)
{
	plain(s);
	s->listed = 0x7FFFFFFF;
}

static void idx_version(struct oembxstore *s)
{
	plain(s);
	oembxstore_set(&s->idx, 4, 7);
}

#define SEEN_BOTH                                                              \
	"  84 [\\Seen] A: 1||one|\n"                                          \
	"  116 [] A: 2||.two|no end\n"
#define PLAIN_BOTH                                                             \
	"  84 [] A: 1||one|\n"                                                \
	"  116 [] A: 2||.two|no end\n"
#define UNFIT                                                                  \
	"# In.idx: does not fit the messages, and is not used: flags are not " \
	"known, and deleted messages may come back\n"
static const struct {
	const char *what;
	void (*make)(struct oembxstore *s);
	bool idx, older;
	const char *want;
} cases[] = {
	{ "as it is, read and unread", plain, true, false, SEEN_BOTH },
	{ "the index in another order", listed_backwards, true, false,
	  SEEN_BOTH },
	{ "without its index", plain, false, false,
	  PLAIN_BOTH "# In.mbx: has no index (.idx): flags are not known, and "
		     "deleted messages may come back\n" },
	{ "marked as deleted", deleted, true, false,
	  "  84 [\\Seen] skip 1 A: 1||one|\n"
	  "  116 [] skip 1 A: 2||.two|no end\n" },
	{ "not listed any more", unlisted, true, false,
	  "  84 [] skip 5 A: 1||one|\n"
	  "  116 [\\Seen] A: 2||.two|no end\n" },
	{ "not listed yet: the index is older", new_behind, true, true,
	  "  84 [\\Seen] A: 1||one|\n"
	  "  116 [] notes 2 A: 2||.two|no end\n" },
	{ "the last ones, deleted", new_behind, true, false,
	  "  84 [\\Seen] A: 1||one|\n"
	  "  116 [] skip 5 A: 2||.two|no end\n" },
	{ "an index that lists nothing loses nothing", lists_nothing, true,
	  false,
	  "  84 [] notes 2 A: 1||one|\n"
	  "  116 [] notes 2 A: 2||.two|no end\n" },
	{ "a folder without messages", empty, true, false, "" },
	{ "a message without text", no_text, true, false,
	  "  84 [\\Seen] skip 3 \n" },
	{ "junk between messages", junk_between, false, false,
	  "  84 [] A: 1||one|\n"
	  "  error In.mbx: bytes 116 to 140 are no message; compact the folder "
	  "in Outlook Express, or restore the file\n"
	  "  140 [] A: 2||.two|no end\n"
	  "# In.mbx: has no index (.idx): flags are not known, and deleted "
	  "messages may come back\n" },
	{ "the file's end is missing", cut_off, true, false,
	  "  84 [] A: 1||one|\n"
	  "  error In.mbx: bytes 116 to 149 are no message; compact the folder "
	  "in Outlook Express, or restore the file\n" UNFIT },
	{ "a text longer than its frame", text_longer, false, false,
	  "  error In.mbx: bytes 84 to 116 are no message; compact the folder "
	  "in Outlook Express, or restore the file\n"
	  "  116 [] A: 2||.two|no end\n"
	  "# In.mbx: has no index (.idx): flags are not known, and deleted "
	  "messages may come back\n" },
	{ "a frame of no length", length_zero, false, false,
	  "  error In.mbx: bytes 84 to 116 are no message; compact the folder "
	  "in Outlook Express, or restore the file\n"
	  "  116 [] A: 2||.two|no end\n"
	  "# In.mbx: has no index (.idx): flags are not known, and deleted "
	  "messages may come back\n" },
	{ "a frame's mark in a text is text", magic_in_text, true, false,
	  "  84 [\\Seen] A: 1||<00><7F><00><7F>5678\n" },
	{ "an index of other messages", idx_other, true, false,
	  PLAIN_BOTH UNFIT },
	{ "an entry of no length", idx_loop, true, false, PLAIN_BOTH UNFIT },
	{ "more entries than there can be", idx_count, true, false,
	  PLAIN_BOTH UNFIT },
	{ "an index of another version", idx_version, true, false,
	  PLAIN_BOTH UNFIT },
};

static void set_time(const char *root, const char *rel, time_t t)
{
	const struct timespec times[2] = { { t, 0 }, { t, 0 } };

	tree_must(utimensat(AT_FDCWD, tree_path(root, rel), times, 0) == 0, rel);
}

static void test_one_file(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *root = tree_make();
		struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
		struct buf want = BUF_INIT;
		struct oembxstore s;

		oembxstore_begin(&s);
		cases[i].make(&s);
		if (cases[i].make != cut_off)
			oembxstore_end(&s);
		listing_write(root, "In.mbx", &s.mbx);
		set_time(root, "In.mbx", 2000);
		if (cases[i].idx) {
			listing_write(root, "In.IDX", &s.idx);
			tree_move(root, "In.IDX", "In.idx");
			set_time(root, "In.idx", cases[i].older ? 1000 : 3000);
		}
		buf_addf(&want, "In.mbx [] In\n%s", cases[i].want);
		listing_of(&l);
		if (strcmp(l.text.data, want.data))
			printf("%s:\n", cases[i].what);
		CHECK_STR(l.text.data, want.data);
		buf_free(&s.mbx);
		buf_free(&s.idx);
		buf_free(&want);
		buf_free(&l.text);
		tree_remove(root);
	}
}

static void write_pair(const char *root, const char *base, const char *text)
{
	struct oembxstore s;
	struct buf rel = BUF_INIT;

	oembxstore_begin(&s);
	oembxstore_list(&s, oembxstore_message(&s, text), 0x10);
	oembxstore_end(&s);
	buf_addf(&rel, "%s.mbx", base);
	listing_write(root, rel.data, &s.mbx);
	buf_set_str(&rel, base);
	buf_add_str(&rel, ".IDX");
	listing_write(root, rel.data, &s.idx);
	buf_free(&s.mbx);
	buf_free(&s.idx);
	buf_free(&rel);
}

static void test_store(void)
{
	char *root = tree_make(), *a, *b;
	struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
	struct buf before = BUF_INIT, after = BUF_INIT;

	write_pair(root, "Mail/Outbox", "A: out\r\n");
	/* 受信トレイ, as the copy left it: in CP932. */
	write_pair(root, "Mail/\x8E\xF3\x90\x4D\x83\x67\x83\x8C\x83\x43",
		   "A: in\r\n");
	tree_file(root, "Mail/folders.nch", "whatever");
	tree_file(root, "Mail/other.mbx", "From me\n\nan mbox\n");
	tree_link(root, "Mail/link.mbx", "Outbox.mbx");
	tree_age(root);
	tree_times(root, &before);
	CHECK_STR(listing_of(&l),
		  "Mail/Outbox.mbx [queue] Outbox\n"
		  "  84 [\\Seen] notes 4 A: out|\n"
		  "Mail/\x8E\xF3\x90\x4D\x83\x67\x83\x8C\x83\x43.mbx [inbox] "
		  "受信トレイ\n"
		  "  84 [\\Seen] A: in|\n"
		  "# Mail/link.mbx: a symbolic link, not followed\n");
	tree_times(root, &after);
	CHECK(buf_equal(&before, &after));
	a = listing_fingerprint(ops, root, 0);
	b = listing_fingerprint(ops, root, 0);
	CHECK_STR(a, b);
	free(b);
	set_time(root, "Mail/Outbox.IDX", 4711);
	b = listing_fingerprint(ops, root, 0);
	CHECK(strcmp(a, b)); /* flags are in the index */
	free(a);
	free(b);
	CHECK(importer_claim(ops, tree_path(root, "Mail")) == CLAIM_PART);
	CHECK(importer_claim(ops, tree_path(root, "Mail/Outbox.mbx")) ==
	      CLAIM_ALL);
	CHECK(importer_claim(ops, tree_path(root, "Mail/other.mbx")) ==
	      CLAIM_NO);
	CHECK(importer_claim(ops, root) == CLAIM_NO);
	l.root = tree_path(root, "Mail/Outbox.mbx");
	CHECK_STR(listing_of(&l), "Outbox.mbx [queue] Outbox\n"
				  "  84 [] notes 4 A: out|\n"
				  "# Outbox.mbx: given alone, without its "
				  "index: flags are not known, and deleted "
				  "messages may come back; give the directory\n");
	l.root = tree_path(root, "Mail/other.mbx");
	CHECK(strstr(listing_of(&l), "no mail of Outlook Express 4 here"));
	buf_free(&before);
	buf_free(&after);
	buf_free(&l.text);
	tree_remove(root);
}

int main(void)
{
	test_one_file();
	test_store();
	return check_done();
}
