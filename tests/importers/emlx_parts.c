/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Apple Mail's partial messages: attachments that lie in files of their own. */
#include "importers/emlx.h"

#include "tests/importers/source.h"

extern const struct importer_ops importer_emlx;
static const struct importer_ops *const ops = &importer_emlx;

#define HEAD "Subject: x\nContent-Type: multipart/mixed; boundary=B\n\n"
#define PART(encoding, length)                                                 \
	"--B\nContent-Type: application/pdf\n"                                 \
	"Content-Transfer-Encoding: " encoding "\n"                            \
	"X-Apple-Content-Length: " length "\n\n\n"
#define END "--B--\n"

static void partial_file(const char *root, const char *rel, const char *mail)
{
	struct buf file = BUF_INIT;

	buf_addf(&file, "%-10zu\n%s<?xml?><plist><dict><key>flags</key>"
			"<integer>1</integer></dict></plist>\n",
		 strlen(mail), mail);
	tree_write(root, rel, file.data, file.len);
	buf_free(&file);
}

static uint64_t restored_size; /* of what it was about, without CRs */

/* The wire form of the message 1.partial.emlx, without CRs; notes to *notes_r. */
static const char *restored(const char *root, unsigned *notes_r)
{
	static struct buf text = BUF_INIT;
	struct importer *imp = NULL;
	struct folder f;
	struct message m;
	struct err e = ERR_INIT;

	buf_reset(&text);
	*notes_r = 0;
	message_init(&m);
	m.in.want_spool = true;
	CHECK(ops->open(root, &source_no_options, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK(ops->next(imp, &m, &e) == 1);
	if (ops->load(imp, &m, &e) == 0) {
		const struct buf *wire = &m.in.spool.mem;

		for (size_t i = 0; i < wire->len; i++)
			if (wire->data[i] != '\r' || i + 1 == wire->len ||
			    wire->data[i + 1] != '\n')
				buf_add_char(&text, wire->data[i]);
		*notes_r = m.notes;
		restored_size = m.in.store_size;
	} else {
		buf_add_str(&text, e.text);
	}
	message_free(&m);
	ops->close(imp);
	return text.data;
}

#define NUMBERS "0123456789012345678901234567890123456789012345678901234567890"

static void test_messages(void)
{
	static const struct {
		const char *what, *mail;
		const char *file, *body; /* one that lies beside it, or NULL */
		const char *want;
		unsigned notes;
	} cases[] = {
		{ "base64, by the length", HEAD PART("base64", "8") END,
		  "Attachments/1/1/a.pdf", "%PDF-",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: base64\n\nJVBERi0=\n" END,
		  NOTE_REBUILT },
		{ "with a line end at the end", HEAD PART("base64", "9") END,
		  "Attachments/1/1/a.pdf", "%PDF-",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: base64\n\nJVBERi0=\n\n" END,
		  NOTE_REBUILT },
		{ "a length that says nothing", HEAD PART("BASE64", "1") END,
		  "Attachments/1/1/a.pdf", "%PDF-",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: BASE64\n\nJVBERi0=\n" END,
		  NOTE_REBUILT },
		/* 61 bytes are 84 letters: in lines of 60 they have one end. */
		{ "lines of 60", HEAD PART("base64", "85") END,
		  "Attachments/1/1/a.pdf", NUMBERS,
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: base64\n\n"
		       "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAx"
		       "MjM0NTY3ODkwMTIzNDU2\nNzg5MA==\n" END,
		  NOTE_REBUILT },
		{ "an empty attachment", HEAD PART("base64", "0") END,
		  "Attachments/1/1/a.pdf", "",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: base64\n\n\n" END,
		  NOTE_REBUILT },
		{ "as it is", HEAD PART("7bit", "12") END,
		  "Attachments/1/1/a.txt", "Short text.\n",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: 7bit\n\nShort text.\n\n" END,
		  NOTE_REBUILT },
		{ "no encoding is as it is",
		  HEAD "--B\nX-Apple-Content-Length: 2\nContent-Type: text/plain"
		       "\n\n\n" END,
		  "Attachments/1/1/a.txt", "ab",
		  HEAD "--B\nContent-Type: text/plain\n\nab\n" END,
		  NOTE_REBUILT },
		{ "quoted-printable text",
		  HEAD "--B\nContent-Type: text/plain\nContent-Transfer-"
		       "Encoding: quoted-printable\nX-Apple-Content-Length: 99"
		       "\n\n\n" END,
		  "Attachments/1/1/a.txt", "a=b \nc\r\n\xE3\t",
		  HEAD "--B\nContent-Type: text/plain\nContent-Transfer-"
		       "Encoding: quoted-printable\n\na=3Db=20\nc\n=E3=09\n" END,
		  NOTE_REBUILT },
		{ "quoted-printable of bytes",
		  HEAD PART("quoted-printable", "99") END,
		  "Attachments/1/1/a.bin", "a\r\nb",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: quoted-printable\n\n"
		       "a=0D=0Ab\n" END,
		  NOTE_REBUILT },
		{ "quoted-printable, a long line",
		  HEAD "--B\nContent-Type: text/plain\nContent-Transfer-"
		       "Encoding: quoted-printable\nX-Apple-Content-Length: 99"
		       "\n\n\n" END,
		  "Attachments/1/1/a.txt", NUMBERS NUMBERS,
		  HEAD "--B\nContent-Type: text/plain\nContent-Transfer-"
		       "Encoding: quoted-printable\n\n" NUMBERS
		       "01234567890123=\n"
		       "45678901234567890123456789012345678901234567890\n" END,
		  NOTE_REBUILT },
		{ "an encoding of its own becomes base64",
		  HEAD PART("x-uuencode", "99") END, "Attachments/1/1/a.pdf",
		  "%PDF-",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: base64\n\nJVBERi0=\n" END,
		  NOTE_REBUILT },
		{ "a sidecar is as it was", HEAD PART("base64", "99") END,
		  "Messages/1.1.emlxpart", "JVBE\nRi0=\n",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: base64\n\nJVBE\nRi0=\n\n" END,
		  NOTE_REBUILT },
		{ "not there", HEAD PART("base64", "8") END, NULL, NULL,
		  HEAD PART("base64", "8") END, NOTE_PARTS_MISSING },
		{ "beside another part", HEAD PART("base64", "8") END,
		  "Attachments/1/2/a.pdf", "%PDF-",
		  HEAD PART("base64", "8") END, NOTE_PARTS_MISSING },
		{ "of another message", HEAD PART("base64", "8") END,
		  "Attachments/2/1/a.pdf", "%PDF-",
		  HEAD PART("base64", "8") END, NOTE_PARTS_MISSING },
		{ "a bundle is a directory", HEAD PART("base64", "8") END,
		  "Attachments/1/1/a.pages/index.xml", "x",
		  HEAD PART("base64", "8") END, NOTE_PARTS_MISSING },
		{ "a body that was not taken out",
		  HEAD "--B\nX-Apple-Content-Length: 2\n\nab\n" END,
		  "Attachments/1/1/a.txt", "xx",
		  HEAD "--B\nX-Apple-Content-Length: 2\n\nab\n" END, 0 },
		{ "nothing was taken out", HEAD "--B\n\nab\n" END, NULL, NULL,
		  HEAD "--B\n\nab\n" END, 0 },
		{ "parts in parts",
		  HEAD "--B\nContent-Type: multipart/related;\n\tboundary=\"C "
		       "D\"\n\n--C D\nContent-Type: text/plain\n\nt\n--C D\n"
		       "X-Apple-Content-Length: 1\n\n\n--C D--\n\n--B\n\nlast\n"
		       END,
		  "Attachments/1/1.2/a.txt", "a",
		  HEAD "--B\nContent-Type: multipart/related;\n\tboundary=\"C "
		       "D\"\n\n--C D\nContent-Type: text/plain\n\nt\n--C D\n"
		       "\na\n--C D--\n\n--B\n\nlast\n" END,
		  NOTE_REBUILT },
		{ "a message in the message",
		  HEAD "--B\n\nt\n--B\nContent-Type: message/rfc822\n\nSubject: y"
		       "\nContent-Type: multipart/mixed; boundary=C\n\n--C\n\n1\n"
		       "--C\nX-Apple-Content-Length: 1\n\n\n--C--\n\n" END,
		  "Attachments/1/2.2/a.txt", "a",
		  HEAD "--B\n\nt\n--B\nContent-Type: message/rfc822\n\nSubject: y"
		       "\nContent-Type: multipart/mixed; boundary=C\n\n--C\n\n1\n"
		       "--C\n\na\n--C--\n\n" END,
		  NOTE_REBUILT },
		{ "one without parts in the message",
		  HEAD "--B\nContent-Type: message/rfc822\n\nSubject: y\n"
		       "X-Apple-Content-Length: 1\n\n\n" END,
		  "Attachments/1/1.1/a.txt", "a",
		  HEAD "--B\nContent-Type: message/rfc822\n\nSubject: y\n\na\n"
		       END,
		  NOTE_REBUILT },
		{ "the message is the part",
		  "Subject: x\nX-Apple-Content-Length: 1\n\n\n",
		  "Attachments/1/1/a.txt", "a", "Subject: x\n\na\n",
		  NOTE_REBUILT },
		{ "no last boundary", HEAD PART("7bit", "1"),
		  "Attachments/1/1/a.txt", "a",
		  HEAD "--B\nContent-Type: application/pdf\n"
		       "Content-Transfer-Encoding: 7bit\n\na\n",
		  NOTE_REBUILT },
		{ "a part ends in its header",
		  HEAD "--B\nX-Apple-Content-Length: 1\n" END,
		  "Attachments/1/1/a.txt", "a",
		  HEAD "--B\nX-Apple-Content-Length: 1\n" END, 0 },
		{ "an outer boundary ends inner parts",
		  HEAD "--B\nContent-Type: multipart/mixed; boundary=C\n\n--C\n"
		       "X-Apple-Content-Length: 1\n\n\n" END,
		  "Attachments/1/1.1/a.txt", "a",
		  HEAD "--B\nContent-Type: multipart/mixed; boundary=C\n\n--C\n"
		       "\na\n" END,
		  NOTE_REBUILT },
		{ "what begins like a boundary is none",
		  HEAD "--B\n\n--Bx\n--B-\n" END, NULL, NULL,
		  HEAD "--B\n\n--Bx\n--B-\n" END, 0 },
		{ "a boundary that is not there",
		  "Content-Type: multipart/mixed\n\n--B\n"
		  "X-Apple-Content-Length: 1\n\n\n", NULL, NULL,
		  "Content-Type: multipart/mixed\n\n--B\n"
		  "X-Apple-Content-Length: 1\n\n\n", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *root = tree_make();
		unsigned notes;

		partial_file(root, "M.mbox/Messages/1.partial.emlx",
			     cases[i].mail);
		if (cases[i].file) {
			struct buf rel = BUF_INIT;

			buf_addf(&rel, "M.mbox/%s", cases[i].file);
			tree_file(root, rel.data, cases[i].body);
			buf_free(&rel);
		}
		CHECK_STR(restored(root, &notes), cases[i].want);
		CHECK_CASE(cases[i].what, notes == cases[i].notes);
		tree_remove(root);
	}
}

/* What the Finder leaves beside is no attachment; two are one too many. */
static void test_files_beside(const char *root)
{
	unsigned notes;

	partial_file(root, "M.mbox/Messages/1.partial.emlx",
		     HEAD PART("7bit", "1") END);
	tree_file(root, "M.mbox/Attachments/1/1/.DS_Store", "x");
	tree_file(root, "M.mbox/Attachments/1/1/a.txt", "a");
	CHECK(strstr(restored(root, &notes), "\n\na\n--B"));
	CHECK(notes == NOTE_REBUILT);
	tree_file(root, "M.mbox/Attachments/1/1/b.txt", "b");
	restored(root, &notes);
	CHECK(notes == NOTE_PARTS_MISSING);
}

static void test_remarks(const char *root)
{
	partial_file(root, "M.mbox/Messages/1.partial.emlx",
		     HEAD PART("7bit", "1") PART("7bit", "1") END);
	partial_file(root, "M.mbox/Messages/2.partial.emlx",
		     HEAD PART("7bit", "1") END);
	partial_file(root, "M.mbox/Messages/2.emlx", HEAD END);
	tree_file(root, "M.mbox/Attachments/1/2/a.txt", "a");
	CHECK_STR(strchr(source_text(ops, root, NULL), '#'),
		  "# M.mbox/Messages/1.partial.emlx: 1 attachments are not on "
		  "this disk, the first is part 1; the message comes without "
		  "them\n"
		  "# 1 messages have their attachments in files of their own, "
		  "which are put back\n");
}

/* An attachment that is fetched, or changed, makes another message. */
static void test_fingerprint(const char *root)
{
	static const char *const files[] = {
		"M.mbox/Attachments/1/1/a.txt",
		"M.mbox/Messages/1.2.emlxpart",
		"M.mbox/Attachments/1/1/a.txt",
	};
	char *before, *after;

	partial_file(root, "M.mbox/Messages/1.partial.emlx",
		     HEAD PART("7bit", "1") END);
	before = source_fingerprints(ops, root);
	tree_file(root, "M.mbox/Attachments/2/1/a.txt", "another's");
	tree_file(root, "M.mbox/Messages/11.2.emlxpart", "another's");
	after = source_fingerprints(ops, root);
	CHECK_STR(after, before);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		free(after);
		tree_write(root, files[i], "aaaa", i + 1);
		after = source_fingerprints(ops, root);
		CHECK_CASE(files[i], strcmp(before, after));
		free(before);
		before = mem_strdup(after);
	}
	free(before);
	free(after);
}

/* Longer than every piece, and with a header that is longer than is kept. */
static void test_large(const char *root)
{
	struct buf mail = BUF_INIT, body = BUF_INIT;
	unsigned notes;

	while (body.len < 200000)
		buf_addf(&body, "%zu,", body.len);
	buf_add_str(&mail, HEAD "--B\n\n");
	buf_add(&mail, body.data, body.len);
	buf_add_str(&mail, "\n" PART("base64", "1") END);
	partial_file(root, "M.mbox/Messages/1.partial.emlx", mail.data);
	tree_write(root, "M.mbox/Attachments/1/2/a", body.data, body.len);
	CHECK(strlen(restored(root, &notes)) > body.len * 7 / 3);
	CHECK(notes == NOTE_REBUILT);
	buf_reset(&mail);
	buf_add_str(&mail, HEAD "--B\nX-Apple-Content-Length: 1\n");
	while (mail.len < (1 << 20) + 4096)
		buf_addf(&mail, "X-Long: %080d\n", 0);
	buf_add_str(&mail, "\n\n" END);
	partial_file(root, "M.mbox/Messages/1.partial.emlx", mail.data);
	restored(root, &notes); /* too large to be held */
	CHECK(restored_size == mail.len && !notes);
	buf_free(&mail);
	buf_free(&body);
}

int main(void)
{
	static void (*const on_trees[])(const char *) = {
		test_files_beside,
		test_remarks,
		test_fingerprint,
		test_large,
	};

	test_messages();
	source_run(on_trees, sizeof(on_trees) / sizeof(on_trees[0]));
	return check_done();
}
