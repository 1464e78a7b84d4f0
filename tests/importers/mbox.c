/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mbox importer: which files are folders, what they are called, and what a
   message's fields and separator say. */
#include "importers/importer.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"

extern const struct importer_ops importer_mbox;

#define FROM	"From a@example.jp Mon Jul 29 22:00:08 2002\n"
#define MAIL	FROM "From: a@example.jp\nSubject: x\n\ntext\n\n"
#define FROM_TB "From - Mon Jul 29 22:00:08 2002\n"

static char root[] = "/tmp/mailhaul-mbox-XXXXXX";

static const char *path_of(const char *rel)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	return path;
}

/* Write a file, and the directories above it. */
static void put(const char *rel, const char *bytes, size_t n)
{
	char *path = strdup(path_of(rel)), *slash = path + strlen(root);
	int fd;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
	free(path);
}

static void put_text(const char *rel, const char *text)
{
	put(rel, text, strlen(text));
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void wipe(void)
{
	nftw(root, remove_entry, 80, FTW_DEPTH | FTW_PHYS);
	if (mkdir(root, 0700) < 0)
		abort();
}

static struct importer *open_source(const char *rel)
{
	static const struct importer_options none = { .imap_copies = false };
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	if (importer_mbox.open(path_of(rel), &none, &imp, &e) < 0) {
		printf("%s\n", e.text);
		abort();
	}
	return imp;
}

static void add_folder(struct buf *out, const struct folder *f)
{
	buf_addf(out, "%s=", f->id);
	for (size_t i = 0; f->path[i]; i++)
		buf_addf(out, "%s%s", i ? "/" : "", f->path[i]);
	if (f->use != USE_NONE)
		buf_addf(out, " %s", folder_use_name(f->use));
	buf_add_char(out, '\n');
}

/* "id=path use" of every folder, in the order in which they come. */
static void list_folders(const char *rel, struct buf *out, struct buf *remarks)
{
	struct importer *imp = open_source(rel);
	struct folder f;
	struct err e = ERR_INIT;
	const char *line;
	int got;

	while ((got = importer_mbox.next_folder(imp, &f, &e)) != 0) {
		if (got > 0)
			add_folder(out, &f);
		else
			buf_addf(out, "error %d\n", e.scope);
	}
	for (unsigned i = 0; (line = importer_mbox.remark(imp, i)); i++)
		buf_addf(remarks, "%s\n", line);
	importer_mbox.close(imp);
}

static void check_tree(void)
{
	struct buf folders = BUF_INIT, remarks = BUF_INIT;

	wipe();
	put_text("b/Sent", MAIL);
	put_text("Sent", MAIL);
	put_text("Sent.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n");
	put_text("foo.msf", MAIL);
	put_text("Work.sbd/2024.sbd/Q1", MAIL);
	put_text("Work.mbx", MAIL);
	put_text("Apple.mbox/mbox", MAIL);
	put_text("Apple.mbox/table_of_contents", "x\n");
	put_text("Empty.mbox", "");
	put_text("empty", "");
	put_text(".hidden", MAIL);
	put_text("#auto#", MAIL);
	put_text("Old~", MAIL);
	put_text("notes.txt", "From the office\nwe left.\n");
	put_text("letter.eml", "From: a@example.jp\n\n" MAIL);
	put_text("\x8E\xF3\x90M", MAIL);  /* CP932 */
	put_text("か\xE3\x82\x99", MAIL); /* decomposed, as macOS has it */
	put_text("md/cur/1.a:2,S", MAIL);
	put_text("md/new/2.a", MAIL);
	put_text("Inbox.mozmsgs/1.mozeml", MAIL);
	if (symlink("Sent", path_of("link")) < 0)
		abort();
	list_folders("", &folders, &remarks);
	CHECK_STR(folders.data, "Apple.mbox/mbox=Apple\n"
				"Empty.mbox=Empty\n"
				"Sent=Sent sent\n"
				"Work.mbx=Work\n"
				"Work.sbd/2024.sbd/Q1=Work/2024/Q1\n"
				"b/Sent=b/Sent\n"
				"foo.msf=foo.msf\n"
				"\x8E\xF3\x90M=受信\n"
				"か\xE3\x82\x99=が\n");
	CHECK(strstr(remarks.data, "link: a symbolic link"));
	CHECK(strstr(remarks.data, "notes.txt: not an mbox"));
	CHECK(strstr(remarks.data, "letter.eml: not an mbox"));
	CHECK(strstr(remarks.data, "md: a Maildir"));
	CHECK(strstr(remarks.data, "passed over"));
	CHECK(importer_claim(&importer_mbox, root) == CLAIM_NO);
	buf_free(&folders);
	buf_free(&remarks);
}

static void check_names(void)
{
	static const struct {
		const char *what, *rel, *want;
	} cases[] = {
		{ "a bare file", "Drafts", "Drafts=Drafts drafts\n" },
		{ "its suffix goes", "a.b.mbox", "a.b.mbox=a.b\n" },
		{ "in upper case, too", "OLD.MBX", "OLD.MBX=OLD\n" },
		{ "nothing but a suffix", ".mbox", ".mbox=.mbox\n" },
		{ "Apple's file itself", "受信.mbox/mbox", "mbox=受信\n" },
		{ "Apple's directory itself", "受信.mbox", "mbox=受信\n" },
		{ "it may end in a slash", "受信.mbox/", "mbox=受信\n" },
		{ "an mbox called mbox", "mbox", "mbox=mbox\n" },
	};

	wipe();
	put_text("Drafts", MAIL);
	put_text("a.b.mbox", MAIL);
	put_text("OLD.MBX", MAIL);
	put_text(".mbox", MAIL);
	put_text("mbox", MAIL);
	put_text("受信.mbox/mbox", MAIL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf folders = BUF_INIT, remarks = BUF_INIT;

		list_folders(cases[i].rel, &folders, &remarks);
		CHECK_STR(folders.data, cases[i].want);
		CHECK_CASE(cases[i].what, !remarks.len);
		buf_free(&folders);
		buf_free(&remarks);
	}
}

static void check_probe(void)
{
	static const struct {
		const char *what, *rel, *bytes;
		enum claim want;
	} cases[] = {
		{ "an mbox", "a", MAIL, 2 },
		{ "with a blank line first", "b", "\n" MAIL, 1 },
		{ "with a byte order mark", "c", "\xEF\xBB\xBF" MAIL, 1 },
		{ "bare separators", "d", "From \r\nX-A: 1\r\nTo: x\r\n\r\n",
		  2 },
		{ "classic Mac", "e",
		  "From a Mon Jul 29 22:00:08 2002\rA: b\r\r", 2 },
		{ "prose", "f", "From London\n\nDear Bob,\n", 0 },
		{ "one message", "g", "Subject: x\n\n" MAIL, 0 },
		{ "empty", "h", "", 0 },
		{ "empty, but called so", "h.mbox", "", 1 },
		{ "binary", "i",
		  "\x7F"
		  "ELF",
		  0 },
	};

	wipe();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_text(cases[i].rel, cases[i].bytes);
		CHECK_CASE(cases[i].what,
			   importer_claim(&importer_mbox, path_of(cases[i].rel)) ==
				   cases[i].want);
	}
	CHECK(importer_claim(&importer_mbox, path_of("none")) == 0);
	wipe();
	put_text("x/letter.eml", "Subject: x\n\n" MAIL);
	CHECK(importer_claim(&importer_mbox, root) == 0);
}

/* The nth message of the file "box". */
static void load_nth(unsigned n, struct message *m)
{
	struct importer *imp = open_source("box");
	struct folder f;
	struct err e = ERR_INIT;

	message_init(m);
	m->in.want_spool = true;
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
	for (unsigned i = 0; i <= n; i++) {
		message_reset(m);
		if (importer_mbox.next(imp, m, &e) != 1 ||
		    importer_mbox.load(imp, m, &e) < 0)
			abort();
	}
	importer_mbox.close(imp);
}

struct reading {
	const char *what, *header;
	const char *flags; /* as flags_add_text writes them */
	enum message_skip skip;
	unsigned notes;
	const char *kept; /* what of the header is migrated */
};

static void check_message(const char *separator, const struct reading *c)
{
	struct buf text = BUF_INIT;
	struct message m;

	wipe();
	buf_addf(&text, "%s%s\ntext\n", separator, c->header);
	put("box", text.data, text.len);
	load_nth(0, &m);
	buf_reset(&text);
	flags_add_text(&text, &m.flags);
	CHECK_STR(text.data, c->flags);
	CHECK_CASE(c->what, m.skip == c->skip);
	CHECK_CASE(c->what, m.notes == c->notes);
	buf_reset(&text);
	buf_addf(&text, "%s\r\ntext\r\n", c->kept);
	CHECK_CASE(c->what, buf_equal(&text, &m.in.spool.mem));
	message_free(&m);
	buf_free(&text);
}

static void check_plain(void)
{
	static const struct reading cases[] = {
		{ "nothing known", "To: x\nA: b\n", "", SKIP_NOT, 0,
		  "To: x\r\nA: b\r\n" },
		{ "read, answered, flagged; all the writer's fields go",
		  "To: x\nStatus: RO\nX-Status: AF\nX-UID: 7\nX-IMAPbase: 1 2\n"
		  "Content-Length: 5\nA: b\n",
		  "\\Seen \\Answered \\Flagged", SKIP_NOT, 0,
		  "To: x\r\nA: b\r\n" },
		{ "deleted", "To: x\nStatus: RO\nX-Status: D\n", "\\Seen",
		  SKIP_DELETED, 0, "To: x\r\n" },
		{ "keywords of a file that has some",
		  "X-IMAPbase: 1 2 work\nX-Keywords: work\nTo: x\n", "work",
		  SKIP_NOT, 0, "To: x\r\n" },
		{ "in any case, and only those that the file lists",
		  "X-IMAPbase: 1 2 work\nX-Keywords: Work other    \nTo: x\n",
		  "Work", SKIP_NOT, 0, "To: x\r\n" },
		{ "an empty field is the writer's",
		  "X-IMAPbase: 1 2 work\nX-Keywords:          \nTo: x\n", "",
		  SKIP_NOT, 0, "To: x\r\n" },
		{ "words that the file does not list are a sender's, and stay",
		  "X-IMAPbase: 1 2 work\nX-Keywords: other, thing\nTo: x\n",
		  "", SKIP_NOT, 0,
		  "X-Keywords: other, thing\r\nTo: x\r\n" },
		{ "what looks like the list is none",
		  "X-IMAPbase: 1 work\nX-Keywords: work\nTo: x\n", "",
		  SKIP_NOT, 0, "X-Keywords: work\r\nTo: x\r\n" },
		{ "in a file without a list a sender wrote them",
		  "X-Keywords: work\nTo: x\n", "", SKIP_NOT, 0,
		  "X-Keywords: work\r\nTo: x\r\n" },
		{ "c-client's own message",
		  "From: Mail System Internal Data <MAILER-DAEMON@x>\n"
		  "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
		  "X-IMAP: 1 2\nStatus: RO\n",
		  "\\Seen", SKIP_INTERNAL, 0,
		  "From: Mail System Internal Data <MAILER-DAEMON@x>\r\n"
		  "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL "
		  "DATA\r\n" },
		{ "not every message with its field is", "To: x\nX-IMAP: 1 2\n",
		  "", SKIP_NOT, 0, "To: x\r\n" },
		{ "Thunderbird's block on top, separator rewritten",
		  "X-UIDL: 1\nX-Mozilla-Status: 0005\nTo: x\n",
		  "\\Seen \\Flagged", SKIP_NOT, 0, "To: x\r\n" },
		{ "Thunderbird's fields from a sender: they come along, and say "
		  "nothing",
		  "To: x\nX-Mozilla-Status: 0009\nX-UIDL: 1\n", "", SKIP_NOT, 0,
		  "To: x\r\nX-Mozilla-Status: 0009\r\nX-UIDL: 1\r\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_message(FROM, &cases[i]);
}

static void check_thunderbird(void)
{
	static const struct reading cases[] = {
		{ "what a POP server says of its state is not the client's",
		  "X-Mozilla-Status: 0000\nStatus: RO\nTo: x\n", "", SKIP_NOT,
		  0, "Status: RO\r\nTo: x\r\n" },
		{ "without a field of its own it goes by Status, and drops nothing",
		  "To: x\nStatus: RO\nX-Status: D\n", "\\Seen", SKIP_NOT, 0,
		  "To: x\r\nStatus: RO\r\nX-Status: D\r\n" },
		{ "deleted, not compacted", "X-Mozilla-Status: 0009\nTo: x\n",
		  "\\Seen", SKIP_DELETED, 0, "To: x\r\n" },
		{ "only the beginning was downloaded",
		  "X-Mozilla-Status: 0400\nTo: x\n", "", SKIP_NOT, NOTE_PARTIAL,
		  "To: x\r\n" },
		{ "Netscape 4 put its field below",
		  "To: x\nX-Mozilla-Status: 8001\n", "\\Seen", SKIP_NOT, 0,
		  "To: x\r\nX-Mozilla-Status: 8001\r\n" },
		{ "tags",
		  "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"
		  "X-Mozilla-Keys: $label1 nonjunk                       \nTo: x\n",
		  "\\Seen $label1 nonjunk", SKIP_NOT, 0, "To: x\r\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_message(FROM_TB, &cases[i]);
}

static void check_dates(void)
{
	const int64_t separator = date_parse_iso("2002-07-29T22:00:08Z");
	struct message m;

	wipe();
	put_text("box", FROM
		 "Date: Mon, 29 Jul 2002 22:00:00 +0900\nTo: x\n\n\n" FROM_TB
		 "To: x\nCc: y\n\n\nFrom bob\nTo: x\nCc: y\n\n");
	load_nth(0, &m);
	CHECK(m.when.delivered == separator);
	CHECK(m.when.downloaded == DATE_NONE);
	CHECK(m.when.date == date_parse_iso("2002-07-29T13:00:00Z"));
	CHECK(!m.when.sent_folder);
	CHECK_STR(m.locator.data, "0");
	CHECK(m.offset == 0 && m.length > 0 && !m.notes);
	message_free(&m);
	load_nth(1, &m);
	CHECK(m.when.downloaded == separator);
	CHECK(m.when.delivered == DATE_NONE);
	message_free(&m);
	load_nth(2, &m);
	CHECK(m.when.delivered == DATE_NONE && m.when.downloaded == DATE_NONE);
	CHECK(m.notes == NOTE_DOUBTFUL_SPLIT);
	message_free(&m);
}

static void check_empty_message(void)
{
	struct message m;

	wipe();
	put_text("box", FROM "\n" MAIL);
	load_nth(0, &m);
	CHECK(m.skip == SKIP_EMPTY);
	message_free(&m);
	load_nth(1, &m);
	CHECK(m.skip == SKIP_NOT);
	message_free(&m);
}

/* Known messages are passed over by the lengths that the ledger has; the rest
   is found where it was. */
static void check_pass(void)
{
	struct importer *imp;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	char *fingerprint;

	wipe();
	put_text("box", MAIL MAIL MAIL);
	imp = open_source("box");
	message_init(&m);
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
	CHECK(f.bytes == 3 * strlen(MAIL) && !f.locators_stand_alone);
	fingerprint = strdup(f.fingerprint);
	for (int i = 0; i < 2; i++) {
		message_reset(&m);
		CHECK(importer_mbox.next(imp, &m, &e) == 1);
		CHECK(importer_mbox.pass(imp, strlen(MAIL), &e) == 0);
	}
	message_reset(&m);
	CHECK(importer_mbox.next(imp, &m, &e) == 1);
	CHECK(importer_mbox.load(imp, &m, &e) == 0);
	CHECK(m.offset == 2 * strlen(MAIL) && m.length == strlen(MAIL));
	CHECK(strtoull(m.locator.data, NULL, 10) == m.offset);
	/* Mail arrives while the folder is being read: it is for the next run. */
	put_text("box", MAIL MAIL MAIL MAIL);
	message_reset(&m);
	CHECK(importer_mbox.next(imp, &m, &e) == 0);
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 0);
	importer_mbox.close(imp);
	imp = open_source("box");
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
	CHECK(strcmp(fingerprint, f.fingerprint));
	importer_mbox.close(imp);
	free(fingerprint);
	message_free(&m);
}

/* A directory that is not read is an error, and the others are read. */
static void check_too_deep(void)
{
	struct buf path = BUF_INIT, folders = BUF_INIT, remarks = BUF_INIT;

	wipe();
	put_text("a", MAIL);
	for (int i = 0; i < 70; i++)
		buf_add_str(&path, "b/");
	buf_add_str(&path, "box");
	put_text(path.data, MAIL);
	list_folders("", &folders, &remarks);
	CHECK_STR(folders.data, "a=a\nerror 1\n");
	buf_free(&path);
	buf_free(&folders);
	buf_free(&remarks);
}

static void check_errors(void)
{
	static const struct importer_options none = { .imap_copies = false };
	struct importer *imp = NULL;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;

	wipe();
	CHECK(importer_mbox.open(path_of("none"), &none, &imp, &e) == -1);
	CHECK(e.kind == ERR_SOURCE && e.scope == ERR_ACCOUNT);
	put_text("box", "no mail at all\n");
	imp = open_source("box");
	message_init(&m);
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
	CHECK(importer_mbox.next(imp, &m, &e) == -1);
	CHECK(e.kind == ERR_SOURCE && e.scope == ERR_FOLDER);
	CHECK(strstr(e.text, "not an mbox"));
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 0);
	importer_mbox.close(imp);
	message_free(&m);
	check_too_deep();
}

/* What the reader saw is told when the folder is done. */
static void check_remarks(void)
{
	struct importer *imp;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;

	wipe();
	put_text("box", "junk\n\n" MAIL "From here on\nall is text\n");
	imp = open_source("box");
	message_init(&m);
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
	while (importer_mbox.next(imp, &m, &e) > 0) {
		CHECK(importer_mbox.load(imp, &m, &e) == 0);
		message_reset(&m);
	}
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 0);
	CHECK(strstr(importer_mbox.remark(imp, 0), "4 bytes before"));
	CHECK(strstr(importer_mbox.remark(imp, 1), "1 lines begin with"));
	CHECK(!importer_mbox.remark(imp, 2));
	importer_mbox.close(imp);
	message_free(&m);
}

int main(void)
{
	if (!mkdtemp(root))
		return 1;
	check_tree();
	check_names();
	check_probe();
	check_plain();
	check_thunderbird();
	check_dates();
	check_empty_message();
	check_pass();
	check_errors();
	check_remarks();
	wipe();
	rmdir(root);
	return check_done();
}
