/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F1-F4 of folder_map.h. */
#include "core/folder_map.h"

#include "tests/lib/check.h"


static const struct {
	const char *what;
	const char *maps[3], *under, *include, *exclude;
	const char *path[4];
	enum folder_use use;
	const char *want; /* NULL: left out */
	enum folder_use want_use;
} cases[] = {
	{ .what = "as it is", .path = { "請求書", "2024年度" },
	  .want = "請求書/2024年度" },
	{ .what = "the inbox", .path = { "Inbox" }, .use = USE_INBOX,
	  .want = "Inbox", .want_use = USE_INBOX },
	{ .what = "below the inbox there is no use", .path = { "Inbox", "A" },
	  .use = USE_NONE, .want = "Inbox/A" },
	{ .what = "F2: a folder and what is below it", .maps = { "A=B" },
	  .path = { "A", "x" }, .want = "B/x" },
	{ .what = "F2: not what only begins like it", .maps = { "A=B" },
	  .path = { "AA" }, .want = "AA" },
	{ .what = "F2: the longest wins", .maps = { "A=B", "A/x=C" },
	  .path = { "A", "x", "y" }, .want = "C/y" },
	{ .what = "F2: to the top", .maps = { "Old=" },
	  .path = { "Old", "x" }, .want = "x" },
	{ .what = "F2: nothing left is the inbox", .maps = { "Old=" },
	  .path = { "Old" }, .want = "INBOX", .want_use = USE_INBOX },
	{ .what = "F2: mapped to a folder with a use",
	  .maps = { "Gesendet=Sent" }, .path = { "Gesendet" }, .want = "Sent",
	  .want_use = USE_SENT },
	{ .what = "F2: a slash in a name is no level", .maps = { "a/b=X" },
	  .path = { "a/b" }, .want = "X" },
	{ .what = "F2: the inbox in any case", .maps = { "Inbox/A=B" },
	  .path = { "INBOX", "A" }, .want = "B" },
	{ .what = "F2: other folders only in theirs", .maps = { "sent=B" },
	  .path = { "Sent" }, .want = "Sent", .want_use = USE_SENT },
	{ .what = "F3: everything below", .under = "Old PC/2019",
	  .path = { "Sent" }, .use = USE_SENT, .want = "Old PC/2019/Sent" },
	{ .what = "F1: excluded", .exclude = "Junk", .path = { "Junk" } },
	{ .what = "F1: and what is below", .exclude = "Junk",
	  .path = { "Junk", "x" } },
	{ .what = "F1: not included", .include = "Inbox*", .path = { "Sent" } },
	{ .what = "F1: included", .include = "Inbox*", .path = { "Inbox", "A" },
	  .want = "Inbox/A" },
	{ .what = "F1: excluded wins", .include = "*", .exclude = "A*",
	  .path = { "Ab" } },
};

static void run(size_t i)
{
	struct folder_map *m = folder_map_new();
	struct mapped_folder f;
	struct err e = ERR_INIT;
	bool in;

	for (size_t k = 0; k < 3 && cases[i].maps[k]; k++)
		CHECK(folder_map_add(m, cases[i].maps[k], &e) == 0);
	if (cases[i].under)
		folder_map_under(m, cases[i].under);
	if (cases[i].include)
		folder_map_include(m, cases[i].include);
	if (cases[i].exclude)
		folder_map_exclude(m, cases[i].exclude);
	mapped_folder_init(&f);
	in = folder_map_apply(m, cases[i].path, cases[i].use, &f);
	CHECK_CASE(cases[i].what, in == (cases[i].want != NULL));
	if (in && cases[i].want) {
		CHECK_STR(f.shown.data, cases[i].want);
		CHECK_CASE(cases[i].what, f.use == cases[i].want_use);
	}
	mapped_folder_free(&f);
	folder_map_free(m);
}

/* F4: the key is what the ledger knows a folder by. */
static void test_keys(void)
{
	static const struct {
		const char *what;
		const char *a[3], *b[3];
		enum folder_use use_a, use_b;
		bool same;
	} pairs[] = {
		{ "one use, two names", { "Sent" }, { "送信済みトレイ" }, USE_SENT,
		  USE_SENT, true },
		{ "children of one use", { "Trash", "x" }, { "ごみ箱", "x" },
		  USE_NONE, USE_NONE, true },
		{ "case counts", { "a" }, { "A" }, USE_NONE, USE_NONE, false },
		{ "a slash is no level", { "a/b" }, { "a", "b" }, USE_NONE,
		  USE_NONE, false },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct folder_map *m = folder_map_new();
		struct mapped_folder a, b;

		mapped_folder_init(&a);
		mapped_folder_init(&b);
		folder_map_apply(m, pairs[i].a, pairs[i].use_a, &a);
		folder_map_apply(m, pairs[i].b, pairs[i].use_b, &b);
		CHECK_CASE(pairs[i].what,
			   buf_equal(&a.key, &b.key) == pairs[i].same);
		mapped_folder_free(&a);
		mapped_folder_free(&b);
		folder_map_free(m);
	}
}

/* Two /FOLDERs of one account are two places. */
static void test_root(void)
{
	const char *path[] = { "Sent", NULL };
	struct folder_map *m = folder_map_new();
	struct mapped_folder plain, old;

	mapped_folder_init(&plain);
	mapped_folder_init(&old);
	folder_map_apply(m, path, USE_SENT, &plain);
	folder_map_root(m, "Old PC");
	folder_map_apply(m, path, USE_SENT, &old);
	CHECK(!buf_equal(&plain.key, &old.key));
	CHECK_STR(old.shown.data, "Sent");
	mapped_folder_free(&plain);
	mapped_folder_free(&old);
	folder_map_free(m);
}

int main(void)
{
	struct folder_map *m = folder_map_new();
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(i);
	test_keys();
	test_root();
	CHECK(folder_map_add(m, "no equals sign", &e) < 0 &&
	      e.kind == ERR_USAGE);
	CHECK(folder_map_add(m, "=x", &e) < 0);
	folder_map_free(m);
	return check_done();
}
