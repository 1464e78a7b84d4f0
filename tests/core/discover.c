/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding stores on a disk: each once, by the format it is, with what belongs to
   others taken out. */
#include "core/discover.h"
#include "tests/importers/tree.h"
#include "tests/lib/check.h"

#define MAIL "From a@example.com Thu Jan  1 00:00:00 2004\nFrom: a\nTo: b\n\nx\n"
#define LETTER "From: a@example.com\nTo: b@example.com\nSubject: c\n\nx\n"

static char *root;

/* "FORMAT PATH[ -EXCEPT]..." a line each, paths below the root. */
static void list(const char *below, struct buf *out,
		 struct found_notes *notes_r)
{
	struct sources found = { .n = 0 };
	struct err e = ERR_INIT;
	size_t n = strlen(root);

	buf_reset(out);
	CHECK_CASE(below, source_discover(tree_path(root, below), &found,
					  notes_r, &e) == 0);
	for (size_t i = 0; i < found.n; i++) {
		const struct source *s = &found.list[i];
		const char *path = s->path + n;

		buf_addf(out, "%s %s", s->format->name,
			 *path == '/' ? path + 1 : path);
		for (size_t k = 0; s->except && s->except[k]; k++)
			buf_addf(out, " -%s", s->except[k]);
		buf_add_char(out, '\n');
	}
	sources_free(&found);
}

static void a_disk_of_many_stores(void)
{
	struct buf out = BUF_INIT;
	struct found_notes notes;

	tree_file(root, "disk/home/taro/profile/prefs.js", "");
	tree_file(root, "disk/home/taro/profile/Mail/pop.example.jp/Inbox", MAIL);
	tree_file(root, "disk/home/taro/profile/Mail/pop.example.jp/Inbox.msf",
		 "");
	tree_file(root, "disk/home/taro/mail/old", MAIL);
	tree_file(root, "disk/home/taro/mail/jobs/2004", MAIL);
	tree_file(root, "disk/home/taro/mail/md/cur/1.a:2,S", LETTER);
	tree_file(root, "disk/home/taro/mail/md/new/2.b", LETTER);
	tree_file(root, "disk/home/taro/mail/md/tmp/x", MAIL);
	tree_file(root, "disk/home/taro/mail/picture.jpg", MAIL);
	tree_file(root, "disk/var/mail/hanako", MAIL);
	tree_file(root, "disk/etc/passwd", "root:x:0:0\n");
	list("disk", &out, &notes);
	CHECK_STR(out.data, "mbox disk/home/taro/mail -md\n"
			    "maildir disk/home/taro/mail/md\n"
			    "thunderbird disk/home/taro/profile\n"
			    "mbox disk/var/mail\n");
	CHECK(notes.stores == 4 && notes.unreadable == 0);
	/* What is given by its own path is the same store. */
	list("disk/home/taro/profile", &out, &notes);
	CHECK_STR(out.data, "thunderbird disk/home/taro/profile\n");
	list("disk/var/mail/hanako", &out, &notes);
	CHECK_STR(out.data, "mbox disk/var/mail/hanako\n");
	list("disk/etc", &out, &notes);
	CHECK_STR(out.data, "");
	CHECK(notes.stores == 0 && notes.directories == 1);
	buf_free(&out);
}

static void maildirs_side_by_side(void)
{
	struct buf out = BUF_INIT;
	struct found_notes notes;

	tree_file(root, "two/A/cur/1.a:2,S", LETTER);
	tree_file(root, "two/B/cur/1.a:2,S", LETTER);
	tree_file(root, "two/B/new/2.a", LETTER);
	tree_file(root, "two/list", MAIL);
	list("two", &out, &notes);
	CHECK_STR(out.data, "maildir two\nmbox two -B\n");
	tree_file(root, "home/Maildir/cur/1.a:2,S", LETTER);
	tree_file(root, "home/Maildir/new/1.b", LETTER);
	tree_file(root, "home/Maildir/.Sent/cur/1.c:2,S", LETTER);
	list("home", &out, &notes);
	CHECK_STR(out.data, "maildir home/Maildir\n");
	buf_free(&out);
}

static void folders_of_one_name_stay_apart(void)
{
	struct buf out = BUF_INIT;
	struct found_notes notes;

	tree_file(root, "sides/a/box", MAIL);
	tree_file(root, "sides/b/box", MAIL);
	tree_file(root, "sides/c/cur/1.a:2,S", LETTER);
	tree_file(root, "sides/c/new/1.b", LETTER);
	tree_file(root, "sides/deep/er/box", MAIL);
	list("sides", &out, &notes);
	CHECK_STR(out.data, "mbox sides -c\nmaildir sides/c\n");
	buf_free(&out);
}

static void what_cannot_be_read_is_counted(void)
{
	struct buf out = BUF_INIT;
	struct found_notes notes;
	struct err e = ERR_INIT;
	struct sources none = { .n = 0 };

	tree_file(root, "dark/box", MAIL);
	tree_file(root, "dark/locked/box", MAIL);
	if (geteuid() != 0) {
		CHECK(chmod(tree_path(root, "dark/locked"), 0) == 0);
		list("dark", &out, &notes);
		CHECK_STR(out.data, "mbox dark\n");
		CHECK(notes.unreadable == 1);
		CHECK(chmod(tree_path(root, "dark/locked"), 0700) == 0);
	}
	CHECK(source_discover(tree_path(root, "none"), &none, &notes, &e) < 0);
	CHECK(e.kind == ERR_SOURCE);
	CHECK(source_find(tree_path(root, "none"), &none, &e) < 0);
	CHECK(e.kind == ERR_SOURCE);
	CHECK(source_find("nonsense:x", &none, &e) < 0);
	CHECK(e.kind == ERR_USAGE && strstr(e.text, "known are"));
	tree_file(root, "empty/readme.txt", "nothing here\n");
	CHECK(source_find(tree_path(root, "empty"), &none, &e) < 0);
	CHECK(strstr(e.text, "no mail store that is known"));
	CHECK(none.n == 0);
	buf_free(&out);
}

int main(void)
{
	root = tree_make();
	a_disk_of_many_stores();
	maildirs_side_by_side();
	folders_of_one_name_stay_apart();
	what_cannot_be_read_is_counted();
	tree_remove(root);
	return check_done();
}
