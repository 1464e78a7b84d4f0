/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail of other programs' test suites, with the ground truth that comes with
   it. The corpora lie beside the tree (../shared/corpora); without them this
   test skips. */
#include "importers/importer.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"

extern const struct importer_ops importer_mbox;

#define CORPORA TESTS_DIR "/../../shared/corpora/"
#define TIKA                                                                   \
	"tika-mail/tika-parsers/tika-parsers-standard/"                        \
	"tika-parsers-standard-modules/tika-parser-mail-module/src/test/"      \
	"resources/test-documents/"

enum { MOST = 128 };

struct found {
	unsigned n, folders, doubtful, errors;
	struct digest digest[MOST];
};

static bool is_packed(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcmp(dot, ".gz") || !strcmp(dot, ".bz2") ||
		       !strcmp(dot, ".xz"));
}

/* Every message of a folder. What is in front of the first message and what all of
   them take must be the file; of Takeout's the messages' lengths, in any order. */
static void read_folder(struct importer *imp, const char *path,
			const struct folder *f, struct found *res)
{
	bool takeout = strchr(f->id, '\t');
	uint64_t at = 0, sum = 0;
	unsigned before = res->n;
	struct message m;
	struct err e = ERR_INIT;
	int got;

	message_init(&m);
	while ((got = importer_mbox.next(imp, &m, &e)) > 0) {
		CHECK_CASE(path, takeout || !res->n || m.offset == at);
		if (importer_mbox.load(imp, &m, &e) < 0) {
			got = -1;
			break;
		}
		at = m.offset + m.length;
		sum += m.length;
		res->doubtful += !!(m.notes & NOTE_DOUBTFUL_SPLIT);
		if (res->n < MOST)
			res->digest[res->n] = m.in.digest;
		res->n++;
		message_reset(&m);
	}
	if (got == 0 && res->n > before && !is_packed(path))
		CHECK_CASE(path, (takeout ? sum : at) == f->bytes);
	res->errors += got < 0;
	message_free(&m);
}

static void read_mbox(const char *path, struct found *res)
{
	static const struct importer_options none = { .imap_copies = false };
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;
	int got;

	*res = (struct found){ .n = 0 };
	if (importer_mbox.open(path, &none, &imp, &e) < 0) {
		printf("%s: %s\n", path, e.text);
		res->errors++;
		return;
	}
	while ((got = importer_mbox.next_folder(imp, &f, &e)) > 0) {
		res->folders++;
		read_folder(imp, path, &f, res);
	}
	res->errors += got < 0;
	importer_mbox.close(imp);
}

/* One message in a file of its own, as MH and Maildir have it. */
static void read_single(const char *path, struct digest *d_r)
{
	/* What GNU mailutils adds where there is no separator line. */
	static const char *const envelope[] = { "X-Envelope-Date",
						"X-Envelope-Sender", NULL };
	struct intake in;
	struct err e;
	char bytes[8192];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK_CASE(path, fd >= 0);
	intake_init(&in);
	in.drop_anywhere = envelope;
	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		CHECK_CASE(path, intake_add(&in, bytes, (size_t)n, &e) == 0);
	CHECK_CASE(path, intake_end(&in, &e) == 0);
	*d_r = in.digest;
	intake_free(&in);
	if (fd >= 0)
		close(fd);
}

static bool same(const struct digest *a, const struct digest *b)
{
	return !memcmp(a->full, b->full, DIGEST_SIZE);
}

static bool has(const struct found *res, const struct digest *d)
{
	for (unsigned i = 0; i < res->n && i < MOST; i++)
		if (same(&res->digest[i], d))
			return true;
	return false;
}

static void check_counts(void)
{
	static const struct {
		const char *path;
		unsigned n, doubtful;
	} cases[] = {
		{ "tb-comm-central/mailnews/test/data/mbox_mboxrd", 2, 0 },
		{ "tb-comm-central/mailnews/test/data/mbox_unquoted", 2, 0 },
		{ "tb-comm-central/mailnews/test/data/mbox_modern", 2, 0 },
		{ "tb-comm-central/mailnews/local/test/unit/data/movemailspool",
		  3, 0 },
		{ "tb-comm-central/mailnews/db/panorama/test/xpcshell/data/"
		  "migration",
		  3, 0 },
		/* Two separators are inside of a multipart, attached mails. */
		{ "mbox-messageparser/mailarc-1.txt", 14, 0 },
		{ "mbox-messageparser/mailarc-1-dos.txt", 14, 0 },
		{ "mbox-messageparser/mailarc-2.txt", 5, 0 },
		{ "mbox-messageparser/mailseparators.txt", 3, 0 },
		{ "mimekit-mbox/mbox/simple.mbox.txt", 3, 2 },
		/* "From Russia with love" is in the bodies. */
		{ "mimekit-mbox/mbox/unmunged.mbox.txt", 2, 0 },
		{ "gyb-takeout/google-takeout/takeout.mbox", 39, 0 },
		{ "gyb-takeout/historic-public-mbox/rfc2047-samples.mbox", 11,
		  0 },
		{ "mailutils/spool/teaparty.mbox", 95, 0 },
		{ "email-folder/mboxes/testmbox.empty", 0, 0 },
		{ "email-folder/mboxes/testmbox", 10, 0 },
		{ "email-folder/mboxes/testmbox.dos", 10, 0 },
		{ "perl-mail-box/mbox.src", 45, 0 },
		{ "perl-mail-box/mbox.win", 45, 0 },
		{ "mime4j-mbox/test-1/mbox.rlug", 5, 0 },
		{ "mailutils/spool/mbox", 1, 0 },
		{ "mailutils/spool/mbox1", 5, 0 },
		{ "neomutt/mbox/banana.mbox", 1, 0 },
		{ "sisimai/mailbox/mbox-1", 1, 0 },
		{ TIKA "headers.mbox", 1, 0 },
		{ TIKA "multiline.mbox", 1, 0 },
		{ TIKA "multiline2.mbox", 1, 0 },
		{ TIKA "quoted.mbox", 1, 0 },
		{ TIKA "simple.mbox", 2, 0 },
		{ TIKA "single_mail.mbox", 1, 0 },
		/* Between the messages no blank line, but Content-Length. */
		{ "email-folder/mboxes/mboxcl2", 3, 0 },
		{ "kde-mailimporter/evolution/.evolution/mail/local/Inbox", 8,
		  0 },
		{ "kde-mailimporter/evolution/.evolution/mail/local/Mailinglists.sbd/"
		  "HAL.sbd/commit",
		  13, 0 },
		/* Dovecot's own tests: some have no header, some no blank line.
		 */
		{ "imaptest/default.mbox", 6, 0 },
		{ "imaptest/search-date.mbox", 16, 0 },
		{ "imaptest/broken/search-intdate.mbox", 16, 0 },
		{ "imaptest/search-partial.mbox", 5, 0 },
		{ "imaptest/sort-arrival.mbox", 5, 0 },
		{ "imaptest/sort-subject.mbox", 15, 0 },
		{ "imaptest/thread6.mbox", 2, 0 },
		{ "imaptest/nil.mbox", 1, 0 },
		{ "imaptest/fetch-body-message-rfc822-x2.mbox", 1, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct found res;
		char path[4096];

		snprintf(path, sizeof(path), CORPORA "%s", cases[i].path);
		read_mbox(path, &res);
		CHECK_CASE(cases[i].path, !res.errors);
		CHECK_CASE(cases[i].path, res.n == cases[i].n);
		CHECK_CASE(cases[i].path, res.doubtful == cases[i].doubtful);
	}
}

/* What its labels make of the one Takeout file: counted by hand from the field. */
static void check_takeout(void)
{
	static const char want[] = "1.Organizační 1|"
				   "X/@s-itsolution.cz (2011-2015)/Procesy/"
				   "Resource Man. (PLAKA,CLARA2) 1|"
				   "takeout 29|☯ 8|";
	static const struct importer_options none = { .imap_copies = false };
	struct importer *imp = NULL;
	static struct found res;
	struct buf got = BUF_INIT;
	struct folder f;
	struct err e = ERR_INIT;

	CHECK(importer_mbox.open(
		      CORPORA "gyb-takeout/google-takeout/takeout.mbox", &none,
		      &imp, &e) == 0);
	while (importer_mbox.next_folder(imp, &f, &e) > 0) {
		res.n = 0;
		read_folder(imp, "takeout", &f, &res);
		buf_addf(&got, "%s %u|", strchr(f.id, '\t') + 1, res.n);
	}
	CHECK_STR(got.data, want);
	importer_mbox.close(imp);
	buf_free(&got);
}

/* Files that hold the same messages, message by message. */
static void check_twins(void)
{
	static const struct {
		const char *a, *b;
		unsigned n;
	} cases[] = {
		{ "email-folder/mboxes/testmbox",
		  "email-folder/mboxes/testmbox.dos", 10 },
		{ "perl-mail-box/mbox.src", "perl-mail-box/mbox.win", 45 },
		{ "mbox-messageparser/mailarc-1.txt",
		  "mbox-messageparser/mailarc-1-dos.txt", 14 },
		{ "mbox-messageparser/mailarc-2.txt",
		  "mbox-messageparser/mailarc-2.txt.gz", 5 },
		{ "mbox-messageparser/mailarc-2.txt",
		  "mbox-messageparser/mailarc-2.txt.bz2", 5 },
		{ "mbox-messageparser/mailarc-2.txt",
		  "mbox-messageparser/mailarc-2.txt.xz", 5 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct found a, b;
		char path[4096];

		snprintf(path, sizeof(path), CORPORA "%s", cases[i].a);
		read_mbox(path, &a);
		snprintf(path, sizeof(path), CORPORA "%s", cases[i].b);
		read_mbox(path, &b);
		CHECK_CASE(cases[i].a, a.n == cases[i].n && b.n == a.n);
		for (unsigned k = 0; k < cases[i].n; k++)
			CHECK_CASE(cases[i].a,
				   same(&a.digest[k], &b.digest[k]));
	}
}

static void check_single(const struct found *res, unsigned nth,
			 const char *name)
{
	struct digest d;
	char path[4096];

	snprintf(path, sizeof(path), CORPORA "%s", name);
	read_single(path, &d);
	CHECK_CASE(name, nth < res->n && same(&res->digest[nth], &d));
}

/* An mbox whose messages are also there one by one. */
static void check_singles(void)
{
	static struct found rlug, mh;
	char name[64];

	read_mbox(CORPORA "mime4j-mbox/test-1/mbox.rlug", &rlug);
	read_mbox(CORPORA "mailutils/spool/mbox1", &mh);
	CHECK(rlug.n == 5 && mh.n == 5);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "mime4j-mbox/test-1/mbox.rlug-%u",
			 i);
		check_single(&rlug, i, name);
		snprintf(name, sizeof(name), "mailutils/mh/mbox1/%u", i + 1);
		check_single(&mh, i, name);
	}
}

static void check_maildir(void)
{
	static const char *const names[] = {
		"1284628225.M17468P3883Q0.Trurl",
		"1284628225.M19181P3883Q1.Trurl",
		"1284628225.M20118P3883Q2.Trurl",
		"1284628225.M21284P3883Q3.Trurl",
		"1284628225.M22502P3883Q4.Trurl",
	};
	static struct found res;

	read_mbox(CORPORA "mailutils/spool/mbox1", &res);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[4096];
		struct digest d;

		snprintf(path, sizeof(path),
			 CORPORA "mailutils/maildir/mbox1/new/%s", names[i]);
		read_single(path, &d);
		CHECK_CASE(names[i], has(&res, &d));
	}
}

static unsigned files_read, mboxes_read;

static unsigned from_lines(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	unsigned n = 0;

	while (f && getline(&line, &room, f) >= 0)
		n += !strncmp(line, "From ", 5);
	free(line);
	if (f)
		fclose(f);
	return n;
}

/* Whatever the file is: no crash, and lengths that add up. */
static int read_any(const char *path, const struct stat *st, int kind,
		    struct FTW *ftw)
{
	static struct found res;

	(void)st, (void)ftw;
	if (kind != FTW_F)
		return 0;
	files_read++;
	if (importer_claim(&importer_mbox, path) == 0)
		return 0;
	mboxes_read++;
	read_mbox(path, &res);
	CHECK_CASE(path, !res.errors);
	/* Dovecot reads its tests by the date on the line alone. */
	if (strstr(path, "/imaptest/"))
		CHECK_CASE(path, res.n == from_lines(path));
	return 0;
}

int main(void)
{
	if (access(CORPORA, R_OK) < 0) {
		printf("skipped: no corpora at %s\n", CORPORA);
		return 0;
	}
	check_counts();
	check_takeout();
	check_twins();
	check_singles();
	check_maildir();
	CHECK(nftw(CORPORA, read_any, 16, FTW_PHYS) == 0);
	printf("%u files, %u of them mboxes\n", files_read, mboxes_read);
	CHECK(mboxes_read > 700);
	return check_done();
}
