/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The importers of stores with a file per message on other projects' files
   (../shared/corpora beside the source, see its SOURCES.txt; not part of this
   repository). Numbers are those of CORPORA.md; bytes are compared with the files. */
#include "importers/importer.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_eml, importer_emlx, importer_mh;

#define CORPORA TESTS_DIR "/../../shared/corpora/"

struct tally {
	struct buf folders; /* one line each: path: messages */
	unsigned messages, seen, errors;
	uint64_t stored, read;
	int64_t delivered; /* of the last message */
};

static void read_folder(const struct importer_ops *ops, struct importer *imp,
			struct tally *t)
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
		n++;
		t->seen += (m.flags.system & FLAG_SEEN) != 0;
		t->stored += m.length;
		t->read += m.in.store_size;
		t->delivered = m.when.delivered;
		CHECK(m.skip == SKIP_NOT || m.skip == SKIP_EMPTY);
	}
	t->messages += n;
	buf_addf(&t->folders, ": %u\n", n);
	message_free(&m);
}

/* False when the corpus is not there. */
static bool read_source(const struct importer_ops *ops, const char *name,
			struct tally *t)
{
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;
	char path[4096];

	snprintf(path, sizeof(path), CORPORA "%s", name);
	*t = (struct tally){ .folders = BUF_INIT };
	if (access(path, R_OK) < 0) {
		printf("skipped: no corpus %s\n", name);
		return false;
	}
	if (ops->open(path, &source_no_options, &imp, &e) < 0)
		printf("%s\n", e.text);
	CHECK_CASE(name, imp);
	while (imp && ops->next_folder(imp, &f, &e) > 0) {
		for (size_t i = 0; f.path[i]; i++)
			buf_addf(&t->folders, "%s%s", i ? "/" : "", f.path[i]);
		read_folder(ops, imp, t);
	}
	if (imp)
		ops->close(imp);
	return true;
}

static enum claim claim_of(const struct importer_ops *ops, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), CORPORA "%s", name);
	return importer_claim(ops, path);
}

/* A tree that Sylpheed wrote: all read, as its marks say. */
static void test_sylpheed(void)
{
	struct tally t;

	if (!read_source(&importer_mh, "kde-mailimporter/sylpheed/Mail", &t))
		return;
	CHECK_STR(t.folders.data,
		  "Mailinglists: 0\n"
		  "Mailinglists/hal: 8\n"
		  "Mailinglists/hal/commit: 7\n"
		  "draft: 0\n"
		  "INBOX: 6\n"
		  "INBOX/kmail-devel: 11\n"
		  "INBOX/kmail-devel/bugs: 11\n"
		  "queue: 0\n"
		  "sent: 0\n"
		  "trash: 6\n");
	CHECK(!t.errors && t.seen == t.messages && t.read == t.stored);
	CHECK(claim_of(&importer_mh, "kde-mailimporter/sylpheed/Mail") ==
	      CLAIM_PART);
	buf_free(&t.folders);
}

static void test_mh(void)
{
	static const struct {
		const char *name;
		unsigned n;
	} cases[] = {
		{ "mailutils/mh", 5 },
		{ "mailutils/mh/mbox1", 5 },
		{ "email-folder/testmh", 4 },
		{ "neomutt/maildir", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally t;

		if (!read_source(&importer_mh, cases[i].name, &t))
			continue;
		CHECK_CASE(cases[i].name, t.messages == cases[i].n &&
						  !t.errors &&
						  t.read == t.stored);
		buf_free(&t.folders);
	}
}

/* What makes a folder, as mutt sees it. */
static void test_neomutt(void)
{
	static const struct {
		const char *name;
		enum claim want;
	} cases[] = {
		{ "mh1", CLAIM_ALL }, { "mh2", CLAIM_ALL }, { "mh3", CLAIM_ALL },
		{ "mh4", CLAIM_ALL }, { "mh5", CLAIM_ALL }, { "mh6", CLAIM_ALL },
		{ "mh7", CLAIM_NO },  { "apple", CLAIM_NO },
		{ "cherry", CLAIM_NO },
	};
	char path[128];

	if (claim_of(&importer_mh, "neomutt/maildir") == CLAIM_NO) {
		printf("skipped: no corpus neomutt\n");
		return;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(path, sizeof(path), "neomutt/maildir/%s",
			 cases[i].name);
		CHECK_CASE(cases[i].name,
			   claim_of(&importer_mh, path) == cases[i].want);
	}
}

/* A file each, of all names and of none: eml:DIR takes what looks like mail. */
static void test_eml(void)
{
	static const struct {
		const char *name;
		unsigned n, errors;
	} cases[] = {
		{ "spamassassin-easyham", 700, 0 },
		{ "hunny-mua-samples", 62, 0 },
		{ "notmuch/default", 53, 0 }, /* one twice */
		{ "mail-deduplicate", 4, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally t;

		if (!read_source(&importer_eml, cases[i].name, &t))
			continue;
		CHECK_CASE(cases[i].name, t.messages == cases[i].n &&
						  t.errors == cases[i].errors);
		buf_free(&t.folders);
	}
}

static void test_emlx(void)
{
	struct tally t;

	if (read_source(&importer_emlx, "emlx-small", &t)) {
		CHECK(t.messages == 2 && t.seen == 2 && !t.errors);
		CHECK(t.delivered == 1617036743);
		buf_free(&t.folders);
	}
	/* Counts that are too large, no lists; one with a date that is none. */
	if (read_source(&importer_emlx, "emlx-kigster", &t)) {
		CHECK(t.messages == 4 && !t.errors);
		CHECK(t.stored == t.read + 4 * strlen("4994\n"));
		buf_free(&t.folders);
	}
	if (read_source(&importer_emlx,
			"tika-mail/tika-parsers/tika-parsers-standard/"
			"tika-parsers-standard-modules/"
			"tika-parser-microsoft-module/src/test/resources/"
			"test-documents/testEMLX.emlx", &t)) {
		CHECK(t.messages == 1 && !t.seen && t.read == 1795);
		buf_free(&t.folders);
	}
}

int main(void)
{
	test_sylpheed();
	test_mh();
	test_neomutt();
	test_eml();
	test_emlx();
	return check_count ? check_done() : 0; /* all skipped */
}
