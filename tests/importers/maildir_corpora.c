/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Maildir importer on other projects' Maildirs (../shared/corpora beside the
   source, see its SOURCES.txt; not part of this repository). What a folder holds is
   compared with the same mail stored as single files. */
#include "importers/importer.h"

#include <dirent.h>

#include "tests/importers/tree.h"
#include "tests/lib/check.h"

extern const struct importer_ops importer_maildir;
static const struct importer_ops *const ops = &importer_maildir;
static const struct importer_options no_options;

#define CORPORA TESTS_DIR "/../../shared/corpora/"

static bool have(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), CORPORA "%s", name);
	if (access(path, R_OK) == 0)
		return true;
	printf("skipped: no corpus %s\n", name);
	return false;
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

struct digests {
	struct digest list[256];
	size_t n;
};

static void add_digest(struct digests *d, const struct digest *one)
{
	if (d->n < 256)
		d->list[d->n++] = *one;
	qsort(d->list, d->n, sizeof(d->list[0]), compare_digests);
}

/* What a source holds, folder by folder. */
struct tally {
	struct buf folders; /* one line each: path, messages, bytes */
	struct digests digests;
	unsigned errors;
};

static void read_folder(struct importer *imp, struct tally *t)
{
	struct message m;
	struct err e = ERR_INIT;
	unsigned n = 0;
	int got;

	message_init(&m);
	for (;;) {
		message_reset(&m);
		got = ops->next(imp, &m, &e);
		if (!got)
			break;
		if (got < 0 || ops->load(imp, &m, &e) < 0) {
			printf("%s\n", e.text);
			t->errors++;
			continue;
		}
		CHECK(m.length == m.in.store_size);
		CHECK(strlen(m.locator.data) == m.locator.len);
		add_digest(&t->digests, &m.in.digest);
		n++;
	}
	buf_addf(&t->folders, ": %u\n", n);
	message_free(&m);
}

static void read_source(const char *name, struct tally *t)
{
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;
	char path[4096];
	int got;

	*t = (struct tally){ .folders = BUF_INIT };
	snprintf(path, sizeof(path), CORPORA "%s", name);
	CHECK_CASE(name, ops->open(path, &no_options, &imp, &e) == 0);
	while (imp && (got = ops->next_folder(imp, &f, &e)) != 0) {
		CHECK_CASE(name, got > 0);
		for (size_t i = 0; got > 0 && f.path[i]; i++)
			buf_addf(&t->folders, "%s%s", i ? "/" : "", f.path[i]);
		read_folder(imp, t);
	}
	if (imp)
		ops->close(imp);
	CHECK_CASE(name, !t->errors);
}

/* The digests of the files in a directory, each of which is a message. */
static void read_files(const char *name, struct digests *d)
{
	char path[4096];
	struct dirent *entry;
	DIR *dir;

	d->n = 0;
	snprintf(path, sizeof(path), CORPORA "%s", name);
	dir = opendir(path);
	CHECK_CASE(name, dir);
	while (dir && (entry = readdir(dir))) {
		struct intake in;
		struct err e = ERR_INIT;
		char bytes[7]; /* pieces of an odd size: it must not matter */
		size_t got;
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CORPORA "%s/%s", name,
			 entry->d_name);
		f = fopen(path, "rb");
		CHECK_CASE(path, f);
		intake_init(&in);
		while (f && (got = fread(bytes, 1, sizeof(bytes), f)) > 0)
			CHECK(intake_add(&in, bytes, got, &e) == 0);
		CHECK(intake_end(&in, &e) == 0);
		add_digest(d, &in.digest);
		intake_free(&in);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

static void check_same(const char *what, const struct digests *a,
		       const struct digests *b)
{
	CHECK_CASE(what, a->n == b->n && a->n > 0);
	CHECK_CASE(what, !memcmp(a->list, b->list, a->n * sizeof(a->list[0])));
}

/* Five messages as Maildir and as MH. */
static void test_mailutils(void)
{
	struct digests mh;
	struct tally t;

	if (!have("mailutils"))
		return;
	/* By name: a directory with one Maildir in it says nothing. */
	CHECK(importer_claim(ops, CORPORA "mailutils/maildir") == CLAIM_NO);
	CHECK(importer_claim(ops, CORPORA "mailutils/maildir/mbox1") ==
	      CLAIM_PART);
	read_source("mailutils/maildir", &t);
	CHECK_STR(t.folders.data, "mbox1: 5\n");
	read_files("mailutils/mh/mbox1", &mh);
	check_same("MH and Maildir hold the same five", &mh, &t.digests);
	buf_free(&t.folders);
	read_source("mailutils/maildir/mbox1", &t);
	CHECK_STR(t.folders.data, "INBOX: 5\n");
	buf_free(&t.folders);
}

/* tmp holds a message, too: it must not be seen. */
static void test_email_folder(void)
{
	struct digests files, more;
	struct tally t;

	if (!have("email-folder"))
		return;
	CHECK(importer_claim(ops, CORPORA "email-folder/testmaildir") == CLAIM_ALL);
	read_source("email-folder/testmaildir", &t);
	CHECK_STR(t.folders.data, "INBOX: 10\n");
	read_files("email-folder/testmaildir/cur", &files);
	read_files("email-folder/testmaildir/new", &more);
	CHECK(more.n == 1);
	add_digest(&files, &more.list[0]);
	check_same("cur and new, not tmp", &files, &t.digests);
	buf_free(&t.folders);
}

/* Maildirs among other directories, to three levels. */
static void test_notmuch(void)
{
	struct tally t;

	if (!have("notmuch"))
		return;
	CHECK(importer_claim(ops, CORPORA "notmuch/default") == CLAIM_ALL);
	read_source("notmuch/default", &t);
	CHECK_STR(t.folders.data, "INBOX: 26\n"
				  "bar: 4\n"
				  "bar/baz: 4\n"
				  "foo: 5\n"
				  "foo/baz: 4\n");
	buf_free(&t.folders);
}

/* Every file in it is empty and hidden, but for MH's, which is not ours. */
static void test_neomutt(void)
{
	struct tally t;

	if (!have("neomutt"))
		return;
	CHECK(importer_claim(ops, CORPORA "neomutt/maildir") == CLAIM_PART);
	read_source("neomutt/maildir", &t);
	CHECK_STR(t.folders.data, "apple: 0\n"
				  "apple/child: 0\n"
				  "banana: 0\n"
				  "damson: 0\n"
				  "empty/child: 0\n");
	buf_free(&t.folders);
}

int main(void)
{
	test_mailutils();
	test_email_folder();
	test_notmuch();
	test_neomutt();
	return check_count ? check_done() : 0; /* all skipped */
}
