/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlook stores: what is claimed, how text becomes header fields, and a store that is
   damaged in a thousand ways, which costs nothing but what is damaged. Whole stores are
   in tests/e2e/test_pst.py. */
#include "importers/importer.h"

#include <errno.h>
#include <sys/wait.h>

#include "core/base/utf8.h"
#include "importers/pst_rtf.h"
#include "importers/pst_text.h"
#include "importers/pst_write.h"
#include "tests/importers/tree.h"
#include "tests/lib/check.h"

extern const struct importer_ops importer_pst;
static const struct importer_options no_options;

#define SEEDS TESTS_DIR "/fuzz/corpus/importers_pst/"

/* ---- claim ---- */

static void check_claim(void)
{
	static const struct {
		const char *what, *bytes;
		size_t n;
		enum claim want;
	} cases[] = {
		{ "Outlook's own", "!BDN____SM\x17\0", 12, CLAIM_ALL },
		{ "ANSI", "!BDN____SM\x0E\0", 12, CLAIM_ALL },
		{ "Exchange's copy", "!BDN____SO\x24\0", 12, CLAIM_ALL },
		{ "a version nobody knows is told when it is opened",
		  "!BDN____SM\xFF\xFF", 12, CLAIM_ALL },
		{ "an address book (.pab)", "!BDN____AB\x17\0", 12, CLAIM_NO },
		{ "too short", "!BDN____SM\x17", 11, CLAIM_NO },
		{ "something else", "From x\nTo: y\n\n", 14, CLAIM_NO },
		{ "nothing", "", 0, CLAIM_NO },
	};
	char *root = tree_make();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tree_write(root, "x", cases[i].bytes, cases[i].n);
		CHECK_CASE(cases[i].what,
			   importer_claim(&importer_pst, tree_path(root, "x")) ==
				   cases[i].want);
	}
	CHECK(importer_claim(&importer_pst, root) == CLAIM_NO);
	CHECK(importer_probe(SEEDS "plain.pst") == &importer_pst);
	tree_remove(root);
}

/* ---- text ---- */

static void check_fields(void)
{
	static const struct {
		const char *what, *value, *want;
	} cases[] = {
		{ "plain", "Hello there", "S: Hello there\r\n" },
		{ "nothing", "", "S: \r\n" },
		{ "line ends are no way to other fields", "a\r\nBcc: x",
		  "S: a  Bcc: x\r\n" },
		{ "Japanese", "件名", "S: =?utf-8?B?5Lu25ZCN?=\r\n" },
		{ "what looks like an encoded word", "=?x",
		  "S: =?utf-8?B?PT94?=\r\n" },
		{ "characters are not cut",
		  "あいうえおかきくけこさしすせそ",
		  "S: =?utf-8?B?44GC44GE44GG44GI44GK44GL44GN44GP44GR44GT44GV44GX44GZ44Gb?=\r\n"
		  " =?utf-8?B?44Gd?=\r\n" },
		{ "long lines are folded",
		  "0123456789 0123456789 0123456789 0123456789 0123456789 "
		  "0123456789 0123456789 0123456789",
		  "S: 0123456789 0123456789 0123456789 0123456789 0123456789 "
		  "0123456789\r\n 0123456789 0123456789\r\n" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		pst_add_field(&out, "S", cases[i].value);
		CHECK_STR(out.data, cases[i].want);
	}
	buf_free(&out);
}

static void check_addresses(void)
{
	static const struct {
		const char *name, *address, *want;
	} cases[] = {
		{ "Taro", "t@example.jp", "\"Taro\" <t@example.jp>" },
		{ "", "t@example.jp", "t@example.jp" },
		{ "T@Example.jp", "t@example.jp", "t@example.jp" },
		{ "'t@example.jp'", "t@example.jp", "t@example.jp" },
		{ "t@example.jp", "", "t@example.jp" },
		{ "山田", "t@example.jp",
		  "=?utf-8?B?5bGx55Sw?= <t@example.jp>" },
		{ "a\"b\\c", "t@example.jp", "\"a\\\"b\\\\c\" <t@example.jp>" },
		{ "X", "/O=E/CN=RECIPIENTS/CN=Info-1",
		  "\"X\" <info-1@address.invalid>" },
		{ "X", "", "\"X\" <unknown@address.invalid>" },
		{ "", "/O=E", "<e@address.invalid>" },
		{ "X", "a@b>, <c@d", "\"X\" <unknown@address.invalid>" },
		{ "X", "a b@c", "\"X\" <unknown@address.invalid>" },
		{ "a\r\nBcc: y", "t@example.jp",
		  "\"a  Bcc: y\" <t@example.jp>" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		pst_add_address(&out, cases[i].name, cases[i].address);
		CHECK_STR(out.data, cases[i].want);
	}
	buf_free(&out);
}

static void check_parameters(void)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "a.txt", ";\r\n f=\"a.txt\"" },
		{ "a\"b\\", ";\r\n f=\"a\\\"b\\\\\"" },
		{ "a\r\nX: y", ";\r\n f=\"a  X: y\"" },
		{ "表", ";\r\n f*=utf-8''%E8%A1%A8" },
		{ "表表表表表表表",
		  ";\r\n f*0*=utf-8''%E8%A1%A8%E8%A1%A8%E8%A1%A8%E8%A1%A8%E8%A1%A8%E8%A1%A8"
		  ";\r\n f*1*=%E8%A1%A8" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		pst_add_parameter(&out, "f", cases[i].value);
		CHECK_STR(out.data, cases[i].want);
	}
	buf_free(&out);
}

static void check_small_things(void)
{
	struct buf out = BUF_INIT;

	pst_add_date(&out, 1073264400);
	CHECK_STR(out.data, "Mon, 05 Jan 2004 01:00:00 +0000");
	buf_reset(&out);
	CHECK(pst_add_ids(&out, " <a@b>\r\n <c@d>\x80x "));
	CHECK_STR(out.data, "<a@b> <c@d> x");
	buf_reset(&out);
	CHECK(!pst_add_ids(&out, " \r\n"));
	CHECK(pst_is_mime_type("image/gif") && pst_is_mime_type("a/b+c.d"));
	CHECK(!pst_is_mime_type("image") && !pst_is_mime_type("a/b; c=d"));
	CHECK(!pst_is_mime_type("a/") && !pst_is_mime_type("/b"));
	CHECK(!pst_is_mime_type("a/b\r\nX: y") && !pst_is_mime_type(""));
	CHECK_STR(pst_charset_guess("\x93\xFA\x96\x7B", 4), "Shift_JIS");
	CHECK_STR(pst_charset_guess("日本", 6), "utf-8");
	CHECK_STR(pst_charset_guess("caf\xE9", 4), "");
	buf_free(&out);
}

static void check_pages(void)
{
	static const struct {
		uint32_t page;
		const char *iconv, *mime;
		uint32_t windows;
	} cases[] = {
		{ 932, "CP932", "Shift_JIS", 932 },
		{ 50221, "ISO-2022-JP", "iso-2022-jp", 932 },
		{ 51932, "EUC-JP", "euc-jp", 932 },
		{ 1252, "CP1252", "windows-1252", 1252 },
		{ 28591, "ISO-8859-1", "iso-8859-1", 1252 },
		{ 28605, "ISO-8859-15", "iso-8859-15", 1252 },
		{ 65001, "UTF-8", "utf-8", 0 },
		{ 1200, "", "", 0 },
		{ 4294967295u, "", "", 0 },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_charset c;

		pst_charset_of(cases[i].page, &c);
		CHECK_STR(c.iconv, cases[i].iconv);
		CHECK_STR(c.mime, cases[i].mime);
		CHECK(pst_windows_page(cases[i].page) == cases[i].windows);
		if (!c.iconv[0])
			continue;
		/* The C library knows it: nothing is guessed. */
		buf_reset(&out);
		utf8_add_from(&out, c.iconv, "abc", 3);
		CHECK_STR(out.data, "abc");
	}
	buf_free(&out);
}

/* ---- stations ---- */

static int append(void *ctx, const char *bytes, size_t n, struct err *e)
{
	(void)e;
	buf_add(ctx, bytes, n);
	return 0;
}

/* UTF-16 in pieces of every size is the same text. */
static void check_plain(void)
{
	static const char wide[] = "a\0\x2C\x67\x3D\xD8\x00\xDE" /* a, 本, U+1F600 */
				   "\0\xDC" "b\0" /* half a pair */
				   "\0\0" "c\0" "\0\0\0\0"; /* NULs: within, at the end */
	static const char want[] = "a本\U0001F600\uFFFD" "b\0c";

	for (size_t piece = 1; piece < sizeof(wide); piece++) {
		struct buf out = BUF_INIT;
		struct pst_plain p;
		struct err e = ERR_INIT;

		pst_plain_init(&p, true, append, &out);
		for (size_t at = 0; at < sizeof(wide) - 1; at += piece) {
			size_t n = sizeof(wide) - 1 - at;

			CHECK(pst_plain_add(&p, wide + at,
					    n < piece ? n : piece, &e) == 0);
		}
		CHECK(pst_plain_end(&p, &e) == 0);
		CHECK(out.len == sizeof(want) - 1 &&
		      !memcmp(out.data, want, out.len));
		buf_free(&out);
	}
}

static void check_scan(void)
{
	static const struct {
		const char *what, *text;
		bool key, cr;
		size_t cids;
	} cases[] = {
		{ "nothing", "plain\r\n", false, false, 0 },
		{ "a boundary at the beginning", "--KEY_1\r\n", true, false, 0 },
		{ "a boundary in a line", "x\r\n--KEY", true, false, 0 },
		{ "not at a line's begin", "x--KEY\r\n", false, false, 0 },
		{ "half of it", "--KE\r\n-KEY\r\n--\r\n", false, false, 0 },
		{ "a lone CR", "a\rb", false, true, 0 },
		{ "images", "<img src=\"cid:a@b\"><a href='CID:c d'>cid:)",
		  false, false, 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_scan s;
		struct err e;

		pst_scan_init(&s, "KEY", true);
		for (const char *p = cases[i].text; *p; p++)
			pst_scan_add(&s, p, 1, &e);
		CHECK_CASE(cases[i].what, s.has_key == cases[i].key);
		CHECK_CASE(cases[i].what, s.lone_cr == cases[i].cr);
		CHECK_CASE(cases[i].what, s.n_cids == cases[i].cids);
		CHECK(pst_scan_has_cid(&s, "a@b") == (cases[i].cids == 2));
		CHECK(!pst_scan_has_cid(&s, "a@") && !pst_scan_has_cid(&s, ""));
		pst_scan_free(&s);
	}
}

static void check_rtf(void)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t n;
		const char *want;
	} cases[] = {
		{ "not compressed", "\x0E\0\0\0\2\0\0\0MELA\0\0\0\0hi", 18, "hi" },
		{ "shorter than it says", "\x0E\0\0\0\3\0\0\0MELA\0\0\0\0hi", 18,
		  NULL },
		{ "larger than it can be", "\x0E\0\0\0\xFF\xFF\xFF\x7FLZFu\0\0\0\0hi",
		  18, NULL },
		{ "of another kind", "\x0E\0\0\0\2\0\0\0XXXX\0\0\0\0hi", 18, NULL },
		{ "no head", "\x0E\0\0\0", 4, NULL },
		/* "hi", then the reference to itself that ends it. */
		{ "compressed", "\x11\0\0\0\2\0\0\0LZFu\0\0\0\0\4hi\x0D\x10", 21,
		  "hi" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *packed = mem_strndup(cases[i].bytes, cases[i].n);
		size_t n = 0;
		char *text = pst_rtf_unpack(packed, cases[i].n, &n);

		CHECK_CASE(cases[i].what, !text == !cases[i].want);
		if (text && cases[i].want)
			CHECK_CASE(cases[i].what,
				   n == strlen(cases[i].want) &&
					   !memcmp(text, cases[i].want, n));
		free(text);
		free(packed);
	}
}

/* ---- damage ---- */

static uint32_t chance;

static uint32_t next_chance(void)
{
	chance = chance * 1664525 + 1013904223;
	return chance >> 8;
}

struct tally {
	unsigned opened, folders, loaded, failed, crashed;
};

static void tell(struct tally *t, const struct err *e)
{
	t->failed++;
	t->crashed += strstr(e->text, "its reader") != NULL;
	CHECK(e->text[0] && !strchr(e->text, '\n'));
}

static void read_store(const char *path, struct tally *t)
{
	struct importer *imp = NULL;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	int got;

	if (importer_pst.open(path, &no_options, &imp, &e) < 0) {
		CHECK(e.scope == ERR_ACCOUNT);
		tell(t, &e);
		return;
	}
	t->opened++;
	message_init(&m);
	while ((got = importer_pst.next_folder(imp, &f, &e)) != 0) {
		if (got < 0)
			tell(t, &e);
		if (got < 0 && e.scope > ERR_FOLDER)
			break;
		t->folders += got > 0;
		while (got >= 0) {
			message_reset(&m);
			got = importer_pst.next(imp, &m, &e);
			if (got == 0)
				break;
			if (got > 0)
				got = importer_pst.load(imp, &m, &e);
			t->loaded += got == 0;
			if (got < 0)
				tell(t, &e);
			if (got < 0 && e.scope == ERR_MESSAGE)
				got = 0;
		}
	}
	message_free(&m);
	importer_pst.close(imp);
}

static void slurp(const char *path, struct buf *out)
{
	char bytes[4096];
	FILE *f = fopen(path, "rb");
	size_t got;

	tree_must(f, path);
	while ((got = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(out, bytes, got);
	fclose(f);
}

/* Three bytes, or a run of them, somewhere in a store. */
static void damage(char *bytes, size_t n)
{
	size_t at = next_chance() % n;
	/* Mostly where something is. */
	if (next_chance() % 8)
		at = 0x4600 + next_chance() % (n - 0x4600);
	for (int i = 0; i < 3; i++)
		bytes[(at + next_chance() % 64) % n] = (char)next_chance();
	if (next_chance() % 4 == 0)
		memset(bytes + at, (int)(next_chance() & 0xFF),
		       n - at < 100 ? n - at : 100);
}

static void check_damage(const char *seed, unsigned times)
{
	char *root = tree_make();
	struct buf whole = BUF_INIT, bytes = BUF_INIT;
	struct tally t = { 0 }, sound = { 0 };

	slurp(seed, &whole);
	read_store(seed, &sound);
	CHECK(sound.opened == 1 && sound.loaded >= 1 && !sound.failed);
	for (unsigned i = 0; i < times; i++) {
		buf_reset(&bytes);
		buf_add(&bytes, whole.data, whole.len);
		damage(bytes.data, bytes.len);
		if (next_chance() % 10 == 0)
			buf_cut(&bytes, next_chance() % bytes.len);
		tree_write(root, "x.pst", bytes.data, bytes.len);
		read_store(tree_path(root, "x.pst"), &t);
		CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	}
	printf("%u damaged stores: %u opened, %u folders, %u messages, %u "
	       "errors, %u crashes\n",
	       times, t.opened, t.folders, t.loaded, t.failed, t.crashed);
	CHECK(t.opened > times / 4 && t.loaded > times / 4 && t.failed > 0);
	tree_remove(root);
	buf_free(&whole);
	buf_free(&bytes);
}

int main(void)
{
	check_claim();
	check_fields();
	check_addresses();
	check_parameters();
	check_small_things();
	check_pages();
	check_plain();
	check_scan();
	check_rtf();
	check_damage(SEEDS "unicode.pst", 50);
	check_damage(SEEDS "ansi.pst", 50);
	check_damage(SEEDS "large.pst", 20);
	return check_done();
}
