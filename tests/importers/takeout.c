/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An mbox of Google Takeout: one file, many folders. */
#include "importers/importer.h"
#include "importers/takeout.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_mbox;

#define FROM "From 1628424719502045299@xxx Tue Mar 19 09:13:51 +0000 2019\r\n"
#define GM   "X-GM-THRID: 1628415971694286313\r\n"
#define MAIL(labels, n)                                                        \
	FROM GM "X-Gmail-Labels: " labels "\r\nSubject: " n "\r\n\r\n" n "\r\n\r\n"

static const char mail[] =
	MAIL("Inbox,Unread,Work/Orders", "1")
	MAIL("=?UTF-8?B?5Y+X5L+h44OI44Os44KkLOmWi+Wwgea4iOOBvw==?=", "2")
	MAIL("Sent,Opened", "3")
	MAIL("Inbox,Starred,Important,Opened,Category Updates", "4")
	FROM GM "Subject: 5\r\n\r\n5\r\n\r\n"
	MAIL("Work,Opened,Work/Orders,Two words", "6")
	MAIL("Trash,Work", "7");

static const char want[] =
	"All.mbox\tArchive [archive] Archive\n"
	"  748 [\\Seen] Subject: 5||5|\n"
	"All.mbox\tInbox [inbox] Inbox\n"
	"  211 [\\Seen] Subject: 2||2|\n"
	"  565 [\\Seen \\Flagged $Important] Subject: 4||4|\n"
	"All.mbox\tSent [sent] Sent\n"
	"  415 [\\Seen] Subject: 3||3|\n"
	"All.mbox\tTrash [trash] Trash\n"
	"  1038 [\\Seen Work] Subject: 7||7|\n"
	"All.mbox\tWork/Orders [] Work / Orders\n"
	"  0 [] Subject: 1||1|\n"
	"  866 [\\Seen Work] Subject: 6||6|\n";

/* Offsets change with every letter above; what counts is their order. */
static void add_without_offsets(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (text[0] == ' ' && text[1] == ' ') {
			buf_add_str(out, "  ");
			text += 2;
			text += strspn(text, "0123456789") - 1;
			continue;
		}
		buf_add_char(out, *text);
	}
}

static void check_same(const char *got, const char *wanted)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	add_without_offsets(&a, got);
	add_without_offsets(&b, wanted);
	CHECK_STR(a.data, b.data);
	buf_free(&a);
	buf_free(&b);
}

static void check_folders(const char *root)
{
	struct buf text = BUF_INIT;

	tree_file(root, "All.mbox", mail);
	buf_add_str(&text, want);
	/* 2 is read and in the Inbox, though its account is Japanese. */
	buf_addf(&text,
		 "# %s/All.mbox: label \"Category Updates\" of 1 messages is "
		 "not kept: there is nothing like it in IMAP\n"
		 "# %s/All.mbox: label \"Inbox\" of 1 messages is not kept: "
		 "they are in the folder of another label\n"
		 "# %s/All.mbox: label \"Two words\" of 1 messages is not kept: "
		 "they are in the folder of another label, and it cannot be a "
		 "keyword\n",
		 root, root, root);
	check_same(source_text(&importer_mbox, root, NULL), text.data);
	buf_free(&text);
}

/* Beside other files: every folder comes in the order of its id. */
static void check_order(const char *root)
{
	struct importer *imp = NULL;
	struct buf ids = BUF_INIT;
	struct folder f;
	struct err e = ERR_INIT;
	char last[256] = "";

	tree_file(root, "All.mbox", mail);
	tree_file(root, "All.mbox 2", mail);
	tree_file(root, "All.mbox-old/x", "From a Mon Jul 29 22:00:08 2002\n"
					  "To: x\nCc: y\n\n");
	tree_file(root, "All", "From a Mon Jul 29 22:00:08 2002\nTo: x\nCc: y\n");
	CHECK(importer_mbox.open(root, &source_no_options, &imp, &e) == 0);
	while (importer_mbox.next_folder(imp, &f, &e) > 0) {
		CHECK_CASE(f.id, strcmp(last, f.id) < 0);
		snprintf(last, sizeof(last), "%s", f.id);
		buf_addf(&ids, "%s|", f.id);
	}
	CHECK(!strncmp(ids.data, "All|All.mbox\tArchive|", 21));
	CHECK(strstr(ids.data, "|All.mbox 2\tWork/Orders|All.mbox-old/x|"));
	importer_mbox.close(imp);
	buf_free(&ids);
}

/* The ledger of an earlier run. */
struct ledger {
	struct {
		char *id, *fingerprint;
	} rows[16];
	size_t n, asked;
};

static bool next_known(void *ctx, const char *after, struct buf *id_r,
		       struct buf *fingerprint_r)
{
	struct ledger *l = ctx;

	l->asked++;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->rows[i].id, after) > 0) {
			buf_set_str(id_r, l->rows[i].id);
			buf_set_str(fingerprint_r, l->rows[i].fingerprint);
			buf_add_str(fingerprint_r, "|and/more");
			return true;
		}
	return false;
}

static void remember(struct ledger *l, const char *path)
{
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;

	CHECK(importer_mbox.open(path, &source_no_options, &imp, &e) == 0);
	while (l->n < 16 && importer_mbox.next_folder(imp, &f, &e) > 0) {
		l->rows[l->n].id = mem_strdup(f.id);
		l->rows[l->n++].fingerprint = mem_strdup(f.fingerprint);
	}
	importer_mbox.close(imp);
}

static void forget(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->rows[i].id);
		free(l->rows[i].fingerprint);
	}
	l->n = 0;
}

/* Folders and their fingerprints, as with an empty ledger, but is the file read? It
   is not even to be opened: its mode says no. As root that is no proof, so it is
   exchanged for one of the same size and time whose labels are others. */
static void check_known(const char *root)
{
	struct ledger l = { .n = 0 };
	struct importer_options opt = { .next_known = next_known,
					.known_ctx = &l };
	char *path = mem_strdup(tree_path(root, "All.mbox")), *before;
	struct importer *imp = NULL;
	struct buf text = BUF_INIT;
	struct folder f;
	struct err e = ERR_INIT;
	char *other = mem_strdup(mail);
	int fd;

	tree_file(root, "All.mbox", mail);
	tree_age(root);
	remember(&l, path);
	CHECK(l.n == 5);
	before = source_fingerprints(&importer_mbox, path);
	memset(other, 'x', 400);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	tree_must(fd >= 0 && write(fd, other, strlen(other)) > 0, path);
	close(fd);
	tree_age(root);
	CHECK(importer_mbox.open(path, &opt, &imp, &e) == 0);
	while (importer_mbox.next_folder(imp, &f, &e) > 0)
		buf_addf(&text, "%s %s\n", f.id, f.fingerprint);
	CHECK_STR(text.data, before);
	importer_mbox.close(imp);
	/* One row is missing: the run was cut off. Everything is read anew. */
	l.n--;
	tree_file(root, "All.mbox", mail);
	tree_age(root);
	free(l.rows[4].id);
	free(l.rows[4].fingerprint);
	check_same(source_text(&importer_mbox, path, &opt),
		   source_text(&importer_mbox, path, NULL));
	forget(&l);
	buf_free(&text);
	free(other);
	free(before);
	free(path);
}

/* Known, but messages are asked for all the same: another --map, say. */
static void check_known_and_read(const char *root)
{
	struct ledger l = { .n = 0 };
	struct importer_options opt = { .next_known = next_known,
					.known_ctx = &l };

	char *path = mem_strdup(tree_path(root, "All.mbox"));

	tree_file(root, "All.mbox", mail);
	remember(&l, path);
	check_same(source_text(&importer_mbox, path, &opt), want);
	CHECK(l.asked >= 6);
	forget(&l);
	free(path);
}

/* A longer one, in which messages of all labels take turns: each once, with its
   bytes, whichever folder is asked first. */
static void check_many(const char *root)
{
	enum { MESSAGES = 3000, LABELS = 70 };
	struct importer *imp = NULL;
	struct buf text = BUF_INIT;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	unsigned found = 0, folders = 0;
	uint64_t bytes = 0;
	bool seen[MESSAGES] = { false };

	for (int i = 0; i < MESSAGES; i++) {
		buf_addf(&text,
			 FROM GM "X-Gmail-Labels: Label/%d,Opened\r\n"
				 "Subject: %d\r\nTo: x\r\n\r\n",
			 i * 11 % LABELS, i);
		for (int k = 0; k < i % 50; k++)
			buf_add_str(&text, "a line of the message\r\n");
		buf_add_str(&text, "\r\n");
	}
	tree_file(root, "All.mbox", text.data);
	message_init(&m);
	CHECK(importer_mbox.open(tree_path(root, "All.mbox"),
				 &source_no_options, &imp, &e) == 0);
	while (importer_mbox.next_folder(imp, &f, &e) > 0) {
		uint64_t here = 0;

		folders++;
		while (importer_mbox.next(imp, &m, &e) > 0) {
			const char *subject;
			int nth;

			CHECK(importer_mbox.load(imp, &m, &e) == 0);
			subject = strstr(m.in.header.raw.data, "Subject: ");
			nth = atoi(subject + 9);
			CHECK(!seen[nth]);
			seen[nth] = true;
			CHECK(atoi(f.path[1]) == nth * 11 % LABELS);
			CHECK(m.in.store_size == m.length - strlen(FROM) - 2);
			here += m.length;
			found++;
			message_reset(&m);
		}
		CHECK(here == f.bytes);
		bytes += here;
	}
	CHECK(folders == LABELS && found == MESSAGES && bytes == text.len);
	importer_mbox.close(imp);
	message_free(&m);
	buf_free(&text);
}

int main(void)
{
	static void (*const tests[])(const char *) = {
		check_folders,	      check_order, check_known,
		check_known_and_read, check_many,
	};

	source_run(tests, sizeof(tests) / sizeof(tests[0]));
	return check_done();
}
