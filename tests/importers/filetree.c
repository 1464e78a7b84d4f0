/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the stores with a file per message share, by way of the EML importer. */
#include "importers/filetree.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_eml;
static const struct importer_ops *const ops = &importer_eml;

#define MAIL "From: a@example.com\nSubject: x\n\nbody\n"

static void add_locators(const char *root, struct buf *out)
{
	struct importer *imp = NULL;
	struct folder f;
	struct message m;
	struct err e = ERR_INIT;

	message_init(&m);
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	while (ops->next_folder(imp, &f, &e) == 1) {
		CHECK(f.locators_stand_alone);
		while (ops->next(imp, &m, &e) == 1) {
			buf_addf(out, "%s\n", m.locator.data);
			message_reset(&m);
		}
	}
	message_free(&m);
	ops->close(imp);
}

static void test_locators(const char *root)
{
	struct buf before = BUF_INIT, after = BUF_INIT;

	tree_file(root, "a/1.eml", MAIL);
	tree_file(root, "a/2.eml", "Subject: two\n\n");
	tree_age(root);
	add_locators(root, &before);
	CHECK_STR(before.data, "1.eml 37:1600000000000000222\n"
			       "2.eml 14:1600000000000000222\n");
	tree_file(root, "a/2.eml", "Subject: TWO\n\n");
	add_locators(root, &after);
	CHECK_CASE("written anew", strcmp(before.data, after.data));
	buf_free(&before);
	buf_free(&after);
}

/* Every time is set back after each step: only what is said tells. */
static void test_fingerprint(const char *root)
{
	static const struct {
		const char *what, *from, *to, *text;
	} steps[] = {
		{ "another name", "a/2.eml", "a/3.eml", NULL },
		{ "gone", "a/3.eml", "gone", NULL },
		{ "another size", NULL, "a/1.eml", MAIL "more" },
		{ "a new one", NULL, "a/4.eml", MAIL },
	};
	char *before, *after;

	tree_file(root, "a/1.eml", MAIL);
	tree_file(root, "a/2.eml", MAIL);
	tree_age(root);
	before = source_fingerprints(ops, root);
	after = source_fingerprints(ops, root);
	CHECK_STR(after, before);
	free(after);
	/* Noise that no message is made of. */
	tree_file(root, "a/.DS_Store", "x");
	tree_file(root, "a/x.msg", "x");
	after = source_fingerprints(ops, root);
	CHECK_STR(after, before);
	free(after);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].from)
			tree_move(root, steps[i].from, steps[i].to);
		else
			tree_file(root, steps[i].to, steps[i].text);
		tree_age(root);
		after = source_fingerprints(ops, root);
		CHECK_CASE(steps[i].what, strcmp(before, after));
		free(before);
		before = after;
	}
	tree_file(root, "a/4.eml", MAIL);
	after = source_fingerprints(ops, root);
	CHECK_CASE("another time", strcmp(before, after));
	free(after);
	free(before);
}

/* Nothing is written, and nothing that was read tells of it. */
static void test_only_reads(const char *root)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	char *fingerprints;

	tree_file(root, "a/1.eml", MAIL);
	tree_file(root, "b/1.eml", MAIL);
	tree_age(root);
	tree_times(root, &before);
	source_text(ops, root, NULL);
	fingerprints = source_fingerprints(ops, root);
	free(fingerprints);
	tree_times(root, &after);
	CHECK_STR(after.data, before.data);
	buf_free(&before);
	buf_free(&after);
}

static void test_moving_target(const char *root)
{
	struct importer *imp = NULL;
	struct buf text = BUF_INIT;
	struct folder f;
	struct err e = ERR_INIT;
	const char *want = "  1.eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		     "  ! 2.eml: gone since the folder was listed\n"
		     "  ! 3.eml: changed since the folder was listed\n"
		     "  4.eml [\\Seen] From: a@example.com|Subject: x||body|\n";

	for (int i = 1; i <= 4; i++) {
		char name[32];

		snprintf(name, sizeof(name), "a/%d.eml", i);
		tree_file(root, name, MAIL);
	}
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	tree_move(root, "a/2.eml", "2.gone");
	tree_file(root, "a/3.eml", "Subject: another\n\n");
	source_add_messages(ops, imp, &text);
	CHECK_STR(text.data, want);
	ops->close(imp);
	buf_free(&text);
}

static void test_large(const char *root)
{
	struct importer *imp = NULL;
	struct buf text = BUF_INIT;
	struct folder f;
	struct message m;
	struct err e = ERR_INIT;

	buf_add_str(&text, "Subject: large\n\n");
	while (text.len < 300000)
		buf_addf(&text, "line at %zu\n", text.len);
	tree_write(root, "a/1.eml", text.data, text.len);
	message_init(&m);
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1 && f.bytes == text.len);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.in.store_size == text.len && m.length == text.len);
	CHECK(ops->next(imp, &m, &e) == 0 && ops->next(imp, &m, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 0);
	message_free(&m);
	ops->close(imp);
	buf_free(&text);
}

/* gzip of "Subject: packed\n\nbody\n", as gzip -n writes it. */
static void test_compressed(const char *root)
{
	static const unsigned char packed[] = {
		0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
		0x0b, 0x2e, 0x4d, 0xca, 0x4a, 0x4d, 0x2e, 0xb1, 0x52, 0x28,
		0x48, 0x4c, 0xce, 0x4e, 0x4d, 0xe1, 0xe2, 0x4a, 0xca, 0x4f,
		0xa9, 0xe4, 0x02, 0x00, 0x59, 0xbf, 0x4d, 0x95, 0x16, 0x00,
		0x00, 0x00
	};

	tree_write(root, "a/1.eml.gz", packed, sizeof(packed));
	tree_write(root, "a/2.eml", packed, sizeof(packed) - 12);
	CHECK(strstr(source_text(ops, root, NULL),
		     "  1.eml.gz [\\Seen] Subject: packed||body|\n"));
	CHECK_CASE("a damaged one is an error about one message",
		   strstr(source_text(ops, root, NULL), "  ! 2.eml"));
}

static void test_special_files(const char *root)
{
	static const char *const except[] = { "theirs", "mine/theirs.eml", NULL };
	const struct importer_options opt = { .except = except };

	tree_file(root, "mine/1.eml", MAIL);
	tree_file(root, "mine/theirs.eml", MAIL);
	tree_file(root, "theirs/1.eml", MAIL);
	tree_link(root, "mine/2.eml", "1.eml");
	tree_special(root, "mine/3.eml", S_IFIFO);
	tree_dir(root, "mine/4.eml");
	CHECK_STR(source_text(ops, root, &opt),
		  "mine [] mine\n"
		  "  1.eml [\\Seen] From: a@example.com|Subject: x||body|\n"
		  "# mine: 1 symbolic links not followed, the first is 2.eml\n"
		  "# mine: 1 special files not opened, the first is 3.eml\n"
		  "# such files do not say whether a message was read: all come "
		  "as read, but for those with Thunderbird's "
		  "X-Mozilla-Status\n");
}

static void test_deep(const char *root)
{
	struct buf deep = BUF_INIT;

	for (int i = 0; i < WALK_DEPTH + 2; i++)
		buf_add_str(&deep, "d/");
	buf_add_str(&deep, "1.eml");
	tree_file(root, deep.data, MAIL);
	tree_file(root, "e/1.eml", MAIL);
	CHECK_CASE("deeper than we look is a folder's error",
		   !strncmp(source_text(ops, root, NULL), "!\ne [] e\n", 9));
	buf_free(&deep);
}

static void test_no_permission(const char *root)
{
	if (geteuid() == 0) {
		printf("skipped: root may read everything\n");
		return;
	}
	tree_file(root, "a/1.eml", MAIL);
	tree_file(root, "a/2.eml", MAIL);
	tree_must(chmod(tree_path(root, "a/1.eml"), 0) == 0, "chmod");
	CHECK(strstr(source_text(ops, root, NULL),
		     "  ! 1.eml: Permission denied\n  2.eml [\\Seen]"));
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_locators,	    test_fingerprint, test_only_reads,
		test_moving_target, test_large,	      test_compressed,
		test_special_files, test_deep,	      test_no_permission,
	};

	source_run(on_trees, sizeof(on_trees) / sizeof(on_trees[0]));
	return check_done();
}
