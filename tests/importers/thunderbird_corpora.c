/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that Thunderbird's own tests use, with what those tests say of them. They lie
   beside the tree (../shared/corpora); without them this test skips. */
#include "importers/importer.h"

#include "importers/thunderbird_names.h"
#include "importers/thunderbird_summary.h"
#include "tests/importers/thunderbird.h"

#define DATA TESTS_DIR "/../../shared/corpora/tb-comm-central/mailnews/"

/* What the .msf themselves say, read with a throw-away reader. */
static const struct {
	const char *file;
	const char *name; /* NULL: none */
	uint64_t flags;
	size_t messages;
} summaries[] = {
	{ "local/test/unit/data/hashedFolder.msf", "test τ", 0x4, 0 },
	{ "base/test/unit/data/frenchInbox.msf", "Courrier entrant", 0x1004, 0 },
	{ "base/test/unit/data/frenchDrafts.msf", "Brouillons", 0x404, 0 },
	{ "test/data/love.msf", NULL, 0x4, 1 },
	{ "test/data/bugmail-1.msf", NULL, 0, 1 },
	{ "db/panorama/test/xpcshell/data/migration.msf", NULL, 0, 2 },
};

static void slurp(const char *path, struct buf *out)
{
	struct walk *w = NULL;
	struct err e = ERR_INIT;

	CHECK_CASE(path, walk_open(path, &w, &e) == 0);
	CHECK_CASE(path, w && walk_slurp(w, "", 1 << 20, out, &e) == 0);
	walk_close(w);
}

static void check_summaries(void)
{
	struct walk *w = NULL;
	struct err e = ERR_INIT;

	CHECK(walk_open(DATA, &w, &e) == 0);
	for (size_t i = 0; i < sizeof(summaries) / sizeof(summaries[0]); i++) {
		struct tb_summary *s =
			tb_summary_load(w, summaries[i].file, &e);
		const char *file = summaries[i].file;

		CHECK_CASE(file, s);
		if (!s)
			continue;
		CHECK_STR(tb_summary_name(s) ? tb_summary_name(s) : "",
			  summaries[i].name ? summaries[i].name : "");
		CHECK_CASE(file, tb_summary_flags(s) == summaries[i].flags);
		CHECK_CASE(file,
			   tb_summary_messages(s) == summaries[i].messages);
		CHECK_CASE(file, tb_summary_complete(s));
		tb_summary_free(s);
	}
	walk_close(w);
}

/* panacea.dat and the folderCache.json that Thunderbird made of it. */
static const struct {
	const char *tail, *leaf;
	const char *name; /* NULL: not said */
	uint64_t flags;
} cached[] = {
	{ "Local Folders/Trash.msf", "Trash", "Trash", 0x104 },
	{ "Local Folders/Unsent Messages.msf", "Unsent Messages", "Outbox", 0x804 },
	{ "imap.localhost/INBOX.msf", "INBOX", NULL, 0x88083014 },
	{ "imap.localhost/Trash.msf", "Trash", NULL, 0x82114 },
	{ "imap.localhost/Junk.msf", "Junk", NULL, 0 },
};

static void check_caches(void)
{
	static const char *const files[] = {
		DATA "base/test/unit/data/panacea.dat",
		DATA "base/test/unit/data/folderCache.json",
	};

	for (size_t i = 0; i < 2; i++) {
		struct tb_names *names = tb_names_new();
		struct buf text = BUF_INIT;

		slurp(files[i], &text);
		CHECK_CASE(files[i],
			   i ? tb_names_add_cache(names, text.data, text.len) :
			       tb_names_add_panacea(names, text.data, text.len,
						    false));
		for (size_t k = 0; k < sizeof(cached) / sizeof(cached[0]); k++) {
			struct tb_cached c;

			CHECK_CASE(cached[k].tail,
				   tb_names_cached(names, "", cached[k].tail,
						   cached[k].leaf, &c));
			CHECK_CASE(cached[k].tail, c.flags == cached[k].flags);
			CHECK_STR(c.name ? c.name : "",
				  cached[k].name ? cached[k].name : "");
		}
		tb_names_free(names);
		buf_free(&text);
	}
}

/* Mailboxes at the time that their summary has noted. */
static const struct {
	const char *dir, *name;
	time_t time;
	const char *want;
} mailboxes[] = {
	/* Deleted without a mark, as it has no header for one. */
	{ "db/panorama/test/xpcshell/data", "migration", 0x6826aabe,
	  "migration [] migration (x)\n  0 (\\Seen $label5)\n  587 () unlisted\n"
	  "  1143 ()\n" },
	{ "test/data", "bugmail-1", 0x4b01c51b,
	  "bugmail-1 [] bugmail-1 (x)\n  0 (\\Seen $label4)\n" },
};

static void copy_at(const char *dir, const char *name, const char *root,
		    time_t when)
{
	const struct timespec times[2] = { { when, 0 }, { when, 0 } };
	struct buf path = BUF_INIT, text = BUF_INIT;

	buf_addf(&path, "%s%s/%s", DATA, dir, name);
	slurp(path.data, &text);
	tree_write(root, name, text.data, text.len);
	tree_must(utimensat(AT_FDCWD, tree_path(root, name), times, 0) == 0,
		  name);
	buf_free(&path);
	buf_free(&text);
}

static void check_mailboxes(void)
{
	for (size_t i = 0; i < sizeof(mailboxes) / sizeof(mailboxes[0]); i++) {
		char *top = tree_make(), *root = mem_strdup(tree_path(top, "x"));
		const char *name = mailboxes[i].name;
		char msf[64];

		tree_dir(top, "x");
		snprintf(msf, sizeof(msf), "%s.msf", name);
		copy_at(mailboxes[i].dir, name, root, mailboxes[i].time);
		copy_at(mailboxes[i].dir, msf, root, mailboxes[i].time);
		expect(name, root, false, mailboxes[i].want, NULL);
		free(root);
		tree_remove(top);
	}
}

int main(void)
{
	if (access(DATA, R_OK) < 0) {
		printf("skipped: no %s\n", DATA);
		return 0;
	}
	check_summaries();
	check_caches();
	check_mailboxes();
	return check_done();
}
