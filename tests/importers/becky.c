/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Becky! 2: stores made at run time. */
#include "importers/becky_attach.h"
#include "importers/becky_index.h"
#include "importers/becky_tree.h"
#include "tests/importers/dbx_listing.h"
#include "tests/lib/beckystore.h"

extern const struct importer_ops importer_becky;
static const struct importer_ops *const ops = &importer_becky;

/* --- messages --- */

/* As written, with what the importer makes of it. */
static const struct {
	const char *what, *bmf, *want;
} framing[] = {
	{ "two messages, dots taken away",
	  "A: 1\r\n\r\n..one\r\n...\r\n.x\r\n.\r\nA: 2\r\n\r\ntwo\r\n.\r\n",
	  "  1.bmf:0 [] A: 1||.one|..|.x|\n"
	  "  1.bmf:27 [] A: 2||two|\n" },
	{ "LF alone", "A: 1\n\n..one\n.\nA: 2\n\ntwo\n.\n",
	  "  1.bmf:0 [] A: 1||.one|\n"
	  "  1.bmf:14 [] A: 2||two|\n" },
	{ "the last end is missing", "A: 1\r\n\r\none\r\n",
	  "  1.bmf:0 [] A: 1||one|\n" },
	{ "the last end is a dot at the file's end", "A: 1\r\n\r\none\r\n.",
	  "  1.bmf:0 [] A: 1||one|\n" },
	{ "nothing but a header", "A: 1\r\n.\r\nA: 2\r\n.\r\n",
	  "  1.bmf:0 [] A: 1|\n"
	  "  1.bmf:9 [] A: 2|\n" },
	{ "a message of no bytes", ".\r\nA: 2\r\n.\r\n",
	  "  1.bmf:0 [] skip 3 \n"
	  "  1.bmf:3 [] A: 2|\n" },
	{ "blank lines at the end", "A: 1\r\n.\r\n\r\n\r\n",
	  "  1.bmf:0 [] A: 1|\n" },
	{ "an empty file", "", "" },
	{ "From is not quoted", "A: 1\r\n\r\nFrom me\r\n>From you\r\n.\r\n",
	  "  1.bmf:0 [] A: 1||From me|>From you|\n" },
	{ "read", "A: 1\r\nX-Becky-Status: 000001,000000,3,1,2,3,ffffffff\r\n\r\nb\r\n.\r\n",
	  "  1.bmf:0 [\\Seen] A: 1||b|\n" },
	{ "forwarded, replied, flagged, and a receipt sent",
	  "A: 1\r\nX-Becky-Status: 011406,000000,3,1,2,3,ffffffff\r\n\r\nb\r\n.\r\n",
	  "  1.bmf:0 [\\Answered \\Flagged $Forwarded $MDNSent] A: 1||b|\n" },
	{ "the last status is Becky!'s own",
	  "X-Becky-Status: 000007,0\r\nA: 1\r\nX-Becky-Status: 000001,0\r\n\r\nb\r\n.\r\n",
	  "  1.bmf:0 [\\Seen] A: 1||b|\n" },
	{ "a status that is none",
	  "A: 1\r\nX-Becky-Status: read\r\n\r\nb\r\n.\r\n",
	  "  1.bmf:0 [] A: 1||b|\n" },
	{ "a status in the text is text",
	  "A: 1\r\n\r\nX-Becky-Status: 000001,0\r\n.\r\n",
	  "  1.bmf:0 [] A: 1||X-Becky-Status: 000001,0|\n" },
};

static void test_framing(void)
{
	for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
		char *root = tree_make();
		struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
		struct buf want = BUF_INIT;

		tree_file(root, "ML/1.bmf", framing[i].bmf);
		buf_addf(&want, "ML [] ML\n%s", framing[i].want);
		listing_of(&l);
		if (strcmp(l.text.data, want.data))
			printf("%s:\n", framing[i].what);
		CHECK_STR(l.text.data, want.data);
		/* Passed over with the same lengths, the same are found. */
		l.pass = true;
		CHECK_CASE(framing[i].what,
			   !strstr(listing_of(&l), "not passed"));
		buf_free(&want);
		buf_free(&l.text);
		tree_remove(root);
	}
}

/* Lines and messages longer than any buffer; writing them back gives the same. */
static void test_long(void)
{
	char *root = tree_make();
	struct importer *imp = NULL;
	struct importer_options none = { .imap_copies = false };
	struct buf text = BUF_INIT, bmf = BUF_INIT;
	struct err e = ERR_INIT;
	struct message m;
	struct folder f;

	buf_add_str(&text, "A: long\r\n\r\n");
	for (size_t i = 0; i < 3000; i++) {
		for (size_t k = 0; k < i % 97; k++)
			buf_add_str(&text, i % 3 ? ".dots" : "x");
		buf_add_str(&text, "\r\n");
	}
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&text, '.');
	buf_add_str(&text, "\r\nend\r\n");
	beckystore_message(&bmf, text.data);
	CHECK(beckystore_message(&bmf, "A: 2\r\n") == bmf.len - 9);
	tree_write(root, "1.bmf", bmf.data, bmf.len);
	message_init(&m);
	m.in.want_spool = true;
	CHECK(ops->open(tree_path(root, "1.bmf"), &none, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	CHECK(m.length == bmf.len - 9 && m.in.store_size == text.len);
	CHECK(m.in.spool.mem.len == text.len &&
	      !memcmp(m.in.spool.mem.data, text.data, text.len));
	message_reset(&m);
	CHECK(ops->next(imp, &m, &e) == 1 && m.offset == bmf.len - 9);
	CHECK(ops->load(imp, &m, &e) == 0 && ops->next(imp, &m, &e) == 0);
	message_free(&m);
	ops->close(imp);
	buf_free(&text);
	buf_free(&bmf);
	tree_remove(root);
}

/* --- attachments --- */

#define PART(cte, lines)                                                       \
	"A: 1\r\n\r\n--b\r\nContent-Transfer-Encoding: " cte "\r\n" lines      \
	"--b--\r\n"
#define INCLUDE "X-Becky-Include: f.bin\r\n"

static const struct {
	const char *what;
	const char *file, *bytes; /* in #Attach; NULL: none */
	const char *message, *want;
} attachments[] = {
	{ "encoded text is put back as it is", "f.bin", "QUJD\r\n",
	  PART("base64", INCLUDE),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "--b--|\n" },
	{ "bytes are encoded as the part says", "f.bin", "ABC\nD",
	  PART("base64", INCLUDE),
	  "  1.bmf:0 [] notes 16 A: 1||--b|Content-Transfer-Encoding: "
	  "base64||QUJDCkQ=|--b--|\n"
	  "# ML/1.bmf: 1 attachments were kept decoded, and are encoded anew\n" },
	{ "quoted-printable text is put back as it is", "f.bin", "a=3Db=\r\nc\r\n",
	  PART("quoted-printable", INCLUDE),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: "
	  "quoted-printable||a=3Db=|c|--b--|\n" },
	{ "bytes are quoted", "f.bin", "a\xE9=b \r\nc\t", 
	  PART("quoted-printable", INCLUDE),
	  "  1.bmf:0 [] notes 16 A: 1||--b|Content-Transfer-Encoding: "
	  "quoted-printable||a=E9=3Db=20|c=09|--b--|\n"
	  "# ML/1.bmf: 1 attachments were kept decoded, and are encoded anew\n" },
	{ "8bit is put back as it is, with a line end where it had none",
	  "f.bin", "\xE9t\xE9", PART("8bit", INCLUDE),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: "
	  "8bit||<E9>t<E9>|--b--|\n" },
	{ "the empty line behind it stays", "f.bin", "QUJD",
	  PART("base64", INCLUDE "\r\n"),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "--b--|\n" },
	{ "fields behind it come first", "f.bin", "QUJD\r\n",
	  "A: 1\r\n\r\n--b\r\n" INCLUDE
	  "Content-Transfer-Encoding: base64\r\n\r\n--b--\r\n",
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "|--b--|\n" },
	{ "in place of a body", "f.bin", "QUJD\r\n",
	  PART("base64", "\r\n" INCLUDE),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "--b--|\n" },
	{ "the whole message is an attachment", "f.bin", "QUJD\r\n",
	  "A: 1\r\nContent-Transfer-Encoding: base64\r\n" INCLUDE,
	  "  1.bmf:0 [] A: 1|Content-Transfer-Encoding: base64||QUJD|\n" },
	{ "two of them", "f.bin", "QUJD\r\n",
	  "A: 1\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n" INCLUDE
	  "--b\r\n" INCLUDE "--b--\r\n",
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "--b||QUJD|--b--|\n" },
	{ "an empty file", "f.bin", "", PART("base64", INCLUDE),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||"
	  "--b--|\n" },
	{ "Windows does not mind case", "F.BIN", "QUJD\r\n",
	  PART("base64", INCLUDE),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "--b--|\n" },
	{ "in a directory of its own, with names in CP932",
	  "表示/能.txt", "QUJD\r\n",
	  PART("base64",
	       "X-Becky-Include: \x95\x5C\x8E\xA6\\\x94\x5C.txt\r\n"),
	  "  1.bmf:0 [] A: 1||--b|Content-Transfer-Encoding: base64||QUJD|"
	  "--b--|\n" },
	{ "the file is not there: the line stays, and is named", NULL, NULL,
	  PART("base64", INCLUDE),
	  "  1.bmf:0 [] notes 32 A: 1||--b|Content-Transfer-Encoding: "
	  "base64|X-Becky-Include: f.bin|--b--|\n"
	  "# ML/1.bmf: the message at byte 0 lacks its attachment 'f.bin'\n"
	  "# ML/1.bmf: 1 attachments are not in #Attach; their "
	  "X-Becky-Include lines stay in the messages\n" },
	{ "what somebody wrote about Becky! is text", NULL, NULL,
	  "A: 1\r\n\r\nHello,\r\n" INCLUDE "is a line\r\n",
	  "  1.bmf:0 [] A: 1||Hello,|X-Becky-Include: f.bin|is a line|\n" },
};

/* Nothing outside of #Attach is read, whatever the line says. */
static const char *const outside[] = {
	"..\\secret.txt", "../secret.txt", "/etc/hostname", "\\etc\\hostname",
	"C:\\secret.txt", "sub\\..\\..\\secret.txt", ".", "..", "",
	"\\", "secret.txt", "link.txt", "a\\\\b", "sub", "fifo",
};

static void one_folder(const char *root, const char *file, const char *bytes,
		       const char *message)
{
	struct buf bmf = BUF_INIT, rel = BUF_INIT;

	beckystore_message(&bmf, message);
	listing_write(root, "ML/1.bmf", &bmf);
	if (file) {
		buf_addf(&rel, "ML/#Attach/%s", file);
		tree_file(root, rel.data, bytes);
	}
	buf_free(&bmf);
	buf_free(&rel);
}

static void test_attachments(void)
{
	for (size_t i = 0; i < sizeof(attachments) / sizeof(attachments[0]);
	     i++) {
		char *root = tree_make();
		struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
		struct buf want = BUF_INIT;

		one_folder(root, attachments[i].file, attachments[i].bytes,
			   attachments[i].message);
		buf_addf(&want, "ML [] ML\n%s", attachments[i].want);
		listing_of(&l);
		if (strcmp(l.text.data, want.data))
			printf("%s:\n", attachments[i].what);
		CHECK_STR(l.text.data, want.data);
		buf_free(&want);
		buf_free(&l.text);
		tree_remove(root);
	}
}

static void test_outside(void)
{
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		char *root = tree_make();
		struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
		struct buf message = BUF_INIT;

		buf_addf(&message,
			 "A: 1\r\n\r\n--b\r\nX-Becky-Include: %s\r\n--b--\r\n",
			 outside[i]);
		one_folder(root, "sub/inner", "inner", message.data);
		tree_file(root, "ML/secret.txt", "SECRET\r\n");
		tree_file(root, "secret.txt", "SECRET\r\n");
		tree_link(root, "ML/#Attach/link.txt", "../secret.txt");
		tree_special(root, "ML/#Attach/fifo", S_IFIFO);
		listing_of(&l);
		CHECK_CASE(outside[i], !strstr(l.text.data, "SECRET"));
		CHECK_CASE(outside[i], strstr(l.text.data, "notes 32"));
		CHECK_CASE(outside[i], strstr(l.text.data,
					      "--b|X-Becky-Include:"));
		buf_free(&message);
		buf_free(&l.text);
		tree_remove(root);
	}
}

/* Long attachments come out as any decoder wants them. */
static void test_base64(void)
{
	static const struct {
		size_t n;
		const char *begins;
		size_t lines, length;
	} cases[] = {
		{ 1, "/w==\r\n", 1, 6 },
		{ 2, "/wA=\r\n", 1, 6 },
		{ 57, "/wAAAAAA", 1, 78 },
		{ 58, "/wAAAAAA", 2, 84 },
		{ 57 * 512, "/wAAAAAA", 512, 512 * 78 },
		{ 57 * 512 + 1, "/wAAAAAA", 513, 512 * 78 + 6 },
		{ 1000000, "/wAAAAAA", 17544, 1368424 },
	};
	char *root = tree_make();
	char *bytes = mem_zalloc(1000000);
	struct intake in;
	struct err e;

	bytes[0] = '\xFF';
	intake_init(&in);
	in.want_spool = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool rebuilt, eol;
		size_t lines = 0;
		int fd;

		tree_write(root, "f", bytes, cases[i].n);
		fd = open(tree_path(root, "f"), O_RDONLY);
		intake_reset(&in);
		CHECK(intake_add(&in, "\r\n", 2, &e) == 0);
		CHECK(becky_attach_feed(fd, BECKY_BASE64, &in, &rebuilt, &eol,
					&e) == 0);
		CHECK(intake_end(&in, &e) == 0 && rebuilt && eol);
		CHECK(in.store_size == cases[i].length + 2);
		CHECK(in.longest_line <= 76);
		for (size_t k = 2; k < in.spool.mem.len; k++)
			lines += in.spool.mem.data[k] == '\n';
		if (in.spool.mem.len == in.store_size)
			CHECK(lines == cases[i].lines);
		CHECK(!strncmp(in.spool.mem.data + 2, cases[i].begins,
			       strlen(cases[i].begins)));
		close(fd);
	}
	intake_free(&in);
	free(bytes);
	tree_remove(root);
}

/* --- Folder.idx --- */

#define THREE                                                                  \
	"A: 1\r\nX-Becky-Status: 000001,0\r\n.\r\n"                           \
	"A: 2\r\n.\r\n"                                                       \
	"A: 3\r\n.\r\n"
enum { AT_1 = 0, AT_2 = 35, AT_3 = 44 };

static const struct {
	const char *what;
	uint64_t at[4]; /* listed; ended by 1 */
	const char *tail; /* behind them */
	bool older;
	const char *want;
} indexes[] = {
	{ "all are listed: its flags count", { 0, 35, 44, 1 }, "", false,
	  "  3eb70644.bmf:0 [\\Flagged] A: 1|\n"
	  "  3eb70644.bmf:35 [\\Flagged] A: 2|\n"
	  "  3eb70644.bmf:44 [\\Flagged] A: 3|\n" },
	{ "in any order", { 44, 0, 35, 1 }, "", false,
	  "  3eb70644.bmf:0 [\\Flagged] A: 1|\n"
	  "  3eb70644.bmf:35 [\\Flagged] A: 2|\n"
	  "  3eb70644.bmf:44 [\\Flagged] A: 3|\n" },
	{ "the one between was deleted", { 0, 44, 1 }, "", true,
	  "  3eb70644.bmf:0 [\\Flagged] A: 1|\n"
	  "  3eb70644.bmf:35 [] skip 5 A: 2|\n"
	  "  3eb70644.bmf:44 [\\Flagged] A: 3|\n" },
	{ "the last one was deleted", { 0, 35, 1 }, "", false,
	  "  3eb70644.bmf:0 [\\Flagged] A: 1|\n"
	  "  3eb70644.bmf:35 [\\Flagged] A: 2|\n"
	  "  3eb70644.bmf:44 [] skip 5 A: 3|\n" },
	{ "the last one is new: the list is older", { 0, 35, 1 }, "", true,
	  "  3eb70644.bmf:0 [\\Flagged] A: 1|\n"
	  "  3eb70644.bmf:35 [\\Flagged] A: 2|\n"
	  "  3eb70644.bmf:44 [] notes 2 A: 3|\n" },
	{ "it lists nothing: nothing is lost", { 1 }, "", false,
	  "  3eb70644.bmf:0 [\\Seen] A: 1|\n"
	  "  3eb70644.bmf:35 [] A: 2|\n"
	  "  3eb70644.bmf:44 [] A: 3|\n"
	  "# ML/3eb70644.bmf: Folder.idx lists nothing of this file: flags are "
	  "those in the messages, and deleted messages may come back\n" },
	{ "a place where no message begins", { 0, 36, 1 }, "", false,
	  "  3eb70644.bmf:0 [\\Seen] A: 1|\n"
	  "  3eb70644.bmf:35 [] A: 2|\n"
	  "  3eb70644.bmf:44 [] A: 3|\n"
	  "# ML/3eb70644.bmf: Folder.idx does not fit the messages: flags are "
	  "those in the messages, and deleted messages may come back\n" },
	{ "a place behind the file", { 0, 0xFFFFFFFFFF, 1 }, "", false,
	  "  3eb70644.bmf:0 [\\Seen] A: 1|\n"
	  "  3eb70644.bmf:35 [] A: 2|\n"
	  "  3eb70644.bmf:44 [] A: 3|\n"
	  "# ML/3eb70644.bmf: Folder.idx does not fit the messages: flags are "
	  "those in the messages, and deleted messages may come back\n" },
	{ "a line that is cut off", { 0, 1 }, "23\x01" "7\x01" "3eb70644", false,
	  "  3eb70644.bmf:0 [\\Seen] A: 1|\n"
	  "  3eb70644.bmf:35 [] A: 2|\n"
	  "  3eb70644.bmf:44 [] A: 3|\n"
	  "# ML/3eb70644.bmf: Folder.idx does not fit the messages: flags are "
	  "those in the messages, and deleted messages may come back\n" },
	{ "numbers that are none", { 0, 1 },
	  "zz\x01" "7\x01" "3eb70644\x01\x01\x01\x01\x01\x01\x01\x01" "1\x01\x01"
	  "1\x01\r\n", false,
	  "  3eb70644.bmf:0 [\\Seen] A: 1|\n"
	  "  3eb70644.bmf:35 [] A: 2|\n"
	  "  3eb70644.bmf:44 [] A: 3|\n"
	  "# ML/3eb70644.bmf: Folder.idx does not fit the messages: flags are "
	  "those in the messages, and deleted messages may come back\n" },
};

static void set_time(const char *root, const char *rel, time_t t)
{
	const struct timespec times[2] = { { t, 0 }, { t, 0 } };

	tree_must(utimensat(AT_FDCWD, tree_path(root, rel), times, 0) == 0, rel);
}

static void test_index(void)
{
	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		char *root = tree_make();
		struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
		struct buf want = BUF_INIT, idx = BUF_INIT;

		beckystore_begin_index(&idx);
		for (size_t k = 0; indexes[i].at[k] != 1; k++)
			beckystore_list(&idx, indexes[i].at[k], "3eb70644",
					0x1000);
		/* Of another file, and so nothing to us. */
		beckystore_list(&idx, 4711, "3eb70645", 0);
		buf_add_str(&idx, indexes[i].tail);
		tree_file(root, "ML/3eb70644.bmf", THREE);
		listing_write(root, "ML/Folder.idx", &idx);
		set_time(root, "ML/3eb70644.bmf", 2000);
		set_time(root, "ML/Folder.idx", indexes[i].older ? 1000 : 3000);
		buf_addf(&want, "ML [] ML\n%s", indexes[i].want);
		listing_of(&l);
		if (strcmp(l.text.data, want.data))
			printf("%s:\n", indexes[i].what);
		CHECK_STR(l.text.data, want.data);
		buf_free(&want);
		buf_free(&idx);
		buf_free(&l.text);
		tree_remove(root);
	}
}

static void test_status(void)
{
	static const struct {
		const char *value;
		bool is;
		uint32_t status;
		int64_t downloaded;
	} cases[] = {
		/* As a plug-in's test has it (BkListViewExtension). */
		{ "010001,000000,3,386d85bd,4d4d87b5,1b8673f4,ffffffff", true,
		  0x10001, 0x4d4d87b5 },
		{ "7", true, 7, DATE_NONE },
		{ "1,0,3,4,0,5,6", true, 1, DATE_NONE },
		{ "1,0,3,4,junk,5,6", true, 1, DATE_NONE },
		{ "", false, 0, DATE_NONE },
		{ ",1", false, 0, DATE_NONE },
		{ "100000000,0", false, 0, DATE_NONE },
		{ "00000000000000000000001", false, 0, DATE_NONE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t status = 0;
		int64_t downloaded;

		CHECK_CASE(cases[i].value,
			   becky_status_parse(cases[i].value, &status,
					      &downloaded) == cases[i].is);
		CHECK_CASE(cases[i].value, status == cases[i].status &&
				   downloaded == cases[i].downloaded);
	}
}

/* --- the tree --- */

static void mail(const char *root, const char *rel, const char *text)
{
	struct buf bmf = BUF_INIT;

	beckystore_message(&bmf, text);
	listing_write(root, rel, &bmf);
	buf_free(&bmf);
}

#define MB "Becky/taro/4cbbef16.mb/"

static void make_store(const char *root)
{
	/* [Account] Name=会社 in CP932. */
	tree_file(root, MB "Mailbox.ini",
		  "[Window]\r\nName=no\r\n[account]\r\nProtocol=0\r\n"
		  "Name = \x89\xEF\x8E\xD0\r\n");
	tree_file(root, MB "Folder.lst",
		  "!!!!Inbox\r\n!!!!Outbox\r\nML\r\n\x95\x5C\x8E\xA6\r\n"
		  "!Trash\r\n");
	mail(root, MB "!!!!Inbox/3eb70643.bmf", "A: in\r\n");
	mail(root, MB "!!!!Inbox/3eb70644.bmf", "A: in, more\r\n");
	mail(root, MB "!!!!Outbox/1.bmf", "A: waiting\r\n");
	mail(root, MB "!!!!Outbox/!!!Sent/1.bmf", "A: sent\r\n");
	mail(root, MB "!!!!Outbox/!!!Draft/1.bmf", "A: draft\r\n");
	mail(root, MB "!!!!Outbox/!!!Sent/2010/1.bmf", "A: sent in 2010\r\n");
	mail(root, MB "!Trash/1.bmf", "A: trash\r\n");
	mail(root, MB "ML/sub/1.bmf", "A: sub\r\n");
	mail(root, MB "\x95\x5C\x8E\xA6/1.bmf", "A: hyoji\r\n");
	mail(root, MB "forgotten/1.bmf", "A: not in the list\r\n");
	tree_file(root, MB "empty/Folder.ini", "[Status]\r\nThread=0\r\n");
	mail(root, MB "#Attach/no.bmf", "A: no folder\r\n");
	tree_link(root, MB "link", "/");
	/* An IMAP account. */
	tree_file(root, "Becky/taro/45bee44e.mb/Mailbox.ini",
		  "[Account]\r\nName=imap\r\nProtocol=1\r\n");
	mail(root, "Becky/taro/45bee44e.mb/#a@example.jp#INBOX[1f].bmf",
	     "A: imap\r\n");
	mail(root,
	     "Becky/taro/45bee44e.mb/#a@example.jp#INBOX[1f].&ZeVnLIqe-[1].bmf",
	     "A: imap below\r\n");
	mail(root, "Becky/taro/45bee44e.mb/!!!!Outbox/!!!Sent/1.bmf",
	     "A: sent by imap\r\n");
	/* Another user, and a mailbox as comm-central knew it. */
	mail(root, "Becky/hanako/00000001.mb/!!!!Outbox/1.bmf", "A: old\r\n");
	mail(root, "Becky/hanako/00000001.mb/!!!!Unsent/1.bmf", "A: queue\r\n");
	tree_file(root, "Becky/taro/B2.ini", "[General]\r\n");
}

#define STORE_1                                                                \
	"Becky/hanako/00000001.mb/!!!!Outbox [sent] Sent of 00000001.mb\n"    \
	"  1.bmf:0 [] A: old|\n"                                              \
	"Becky/hanako/00000001.mb/!!!!Unsent [queue] Unsent of 00000001.mb\n" \
	"  1.bmf:0 [] notes 4 A: queue|\n"                                    \
	"Becky/taro/45bee44e.mb/!!!!Outbox/!!!Sent [sent] Sent of imap\n"     \
	"  1.bmf:0 [] A: sent by imap|\n"
#define STORE_2                                                                \
	MB "!!!!Inbox [inbox] Inbox of 会社\n"                              \
	"  3eb70643.bmf:0 [] A: in|\n"                                        \
	"  3eb70644.bmf:0 [] A: in, more|\n"                                  \
	MB "!!!!Outbox [queue] Outbox of 会社\n"                            \
	"  1.bmf:0 [] notes 4 A: waiting|\n"                                  \
	MB "!!!!Outbox/!!!Draft [drafts] Drafts of 会社\n"                  \
	"  1.bmf:0 [\\Draft] A: draft|\n"                                     \
	MB "!!!!Outbox/!!!Sent [sent] Sent of 会社\n"                       \
	"  1.bmf:0 [] A: sent|\n"                                             \
	MB "!!!!Outbox/!!!Sent/2010 [] Sent / 2010 of 会社\n"               \
	"  1.bmf:0 [] A: sent in 2010|\n"                                     \
	MB "!Trash [trash] Trash of 会社\n"                                 \
	"  1.bmf:0 [] A: trash|\n"                                            \
	MB "ML/sub [] ML / sub of 会社\n"                                   \
	"  1.bmf:0 [] A: sub|\n"                                              \
	MB "forgotten [] forgotten of 会社 hidden\n"                        \
	"  1.bmf:0 [] notes 2 A: not in the list|\n"                          \
	MB "\x95\x5C\x8E\xA6 [] 表示 of 会社\n"                           \
	"  1.bmf:0 [] A: hyoji|\n"

static void test_store(void)
{
	char *root = tree_make(), *mailbox;
	struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };
	struct buf before = BUF_INIT, after = BUF_INIT;

	make_store(root);
	tree_age(root);
	tree_times(root, &before);
	CHECK_STR(listing_of(&l),
		  STORE_1 STORE_2
		  "# Becky/taro/45bee44e.mb: 2 copies of folders of the IMAP "
		  "account 'imap' left out: their mail is on the server\n"
		  "# Becky/taro/4cbbef16.mb/link: a symbolic link, not "
		  "followed\n");
	tree_times(root, &after);
	CHECK(buf_equal(&before, &after));
	l.opt.imap_copies = true;
	CHECK_STR(listing_of(&l),
		  STORE_1
		  "Becky/taro/45bee44e.mb/#a@example.jp#INBOX[1f].&ZeVnLIqe-[1]"
		  ".bmf [] INBOX / 日本語 of imap\n"
		  "  #a@example.jp#INBOX[1f].&ZeVnLIqe-[1].bmf:0 [] A: imap "
		  "below|\n"
		  "Becky/taro/45bee44e.mb/#a@example.jp#INBOX[1f].bmf [inbox] "
		  "INBOX of imap\n"
		  "  #a@example.jp#INBOX[1f].bmf:0 [] A: imap|\n" STORE_2
		  "# Becky/taro/4cbbef16.mb/link: a symbolic link, not "
		  "followed\n");
	l.opt.imap_copies = false;
	mailbox = mem_strdup(tree_path(root, "Becky/hanako/00000001.mb"));
	l.root = mailbox;
	CHECK_STR(listing_of(&l),
		  "!!!!Outbox [sent] Sent of 00000001.mb\n"
		  "  1.bmf:0 [] A: old|\n"
		  "!!!!Unsent [queue] Unsent of 00000001.mb\n"
		  "  1.bmf:0 [] notes 4 A: queue|\n");
	free(mailbox);
	mailbox = mem_strdup(tree_path(root, MB "!!!!Inbox"));
	l.root = mailbox;
	CHECK_STR(listing_of(&l), ". [inbox] Inbox\n"
				  "  3eb70643.bmf:0 [] A: in|\n"
				  "  3eb70644.bmf:0 [] A: in, more|\n");
	free(mailbox);
	mailbox = mem_strdup(tree_path(root, MB "!!!!Inbox/3eb70644.bmf"));
	l.root = mailbox;
	CHECK_STR(listing_of(&l), "3eb70644.bmf [] 3eb70644\n"
				  "  :0 [] A: in, more|\n");
	free(mailbox);
	buf_free(&before);
	buf_free(&after);
	buf_free(&l.text);
	tree_remove(root);
}

static void test_claim(void)
{
	static const struct {
		const char *rel;
		enum claim claim;
	} cases[] = {
		{ "", CLAIM_NO },
		{ "Becky", CLAIM_NO },
		{ "Becky/taro", CLAIM_ALL },
		{ "Becky/taro/4cbbef16.mb", CLAIM_MORE },
		{ "Becky/hanako/00000001.mb", CLAIM_ALL },
		{ "Becky/taro/4cbbef16.mb/!!!!Inbox", CLAIM_NO },
		{ "Becky/taro/4cbbef16.mb/!!!!Inbox/3eb70643.bmf", CLAIM_ALL },
		{ "Becky/taro/B2.ini", CLAIM_NO },
		{ "font.bmf", CLAIM_NO },
		{ "empty.bmf", CLAIM_NO },
		{ "mbox", CLAIM_NO },
	};
	char *root = tree_make();
	struct listing l = { .ops = ops, .root = root, .text = BUF_INIT };

	CHECK(strstr(listing_of(&l), "no mailbox of Becky! here or below"));
	make_store(root);
	tree_write(root, "font.bmf", "\xE1\xE6\xD5\x1A\x11\0\0", 7);
	tree_file(root, "empty.bmf", "");
	tree_file(root, "mbox", "A: 1\r\n\r\n.\r\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].rel,
			   importer_claim(ops, tree_path(root, cases[i].rel)) ==
				   cases[i].claim);
	buf_free(&l.text);
	tree_remove(root);
}

/* Every file that bears on a folder's messages bears on its fingerprint. */
static void test_fingerprint(void)
{
	static const char *const files[] = {
		"ML/1.bmf", "ML/2.bmf", "ML/Folder.idx", "ML/#Attach/a.bin",
		"ML/#Attach/sub/b.bin",
	};
	char *root = tree_make(), *a, *b;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		tree_file(root, files[i], "A: 1\r\n");
	tree_file(root, "ML/Folder.ini", "[Status]\r\n");
	tree_age(root);
	a = listing_fingerprint(ops, root, 0);
	set_time(root, "ML/Folder.ini", 4711); /* how it is shown */
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		b = listing_fingerprint(ops, root, 0);
		CHECK_CASE(files[i], !strcmp(a, b));
		free(b);
		set_time(root, files[i], 4711);
		b = listing_fingerprint(ops, root, 0);
		CHECK_CASE(files[i], strcmp(a, b));
		free(a);
		a = b;
	}
	free(a);
	tree_remove(root);
}

static void test_ini(void)
{
	static const struct {
		const char *text, *want; /* NULL: not there */
	} cases[] = {
		{ "[Account]\r\nName=a\r\n", "a" },
		{ "[ACCOUNT]\nNAME = a b \n", "a b" },
		{ "Name=x\n[Other]\nName=y\n[Account]\nName=a", "a" },
		{ "[Account]\nNames=x\nName=a=b\n", "a=b" },
		{ "[Account]\nName=\n", "" },
		{ "[Account]\nName\n", NULL },
		{ "[Account\nName=a\n", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;
		bool got = becky_ini_get(cases[i].text, strlen(cases[i].text),
					 "Account", "Name", &out);

		CHECK_CASE(cases[i].text, got == !!cases[i].want);
		CHECK_STR(out.data, cases[i].want ? cases[i].want : "");
		buf_free(&out);
	}
}

int main(void)
{
	test_framing();
	test_long();
	test_attachments();
	test_outside();
	test_base64();
	test_index();
	test_status();
	test_store();
	test_claim();
	test_fingerprint();
	test_ini();
	return check_done();
}
