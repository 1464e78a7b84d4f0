/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folder names and the files that Thunderbird keeps them in. The hashed pairs were
   written by Thunderbird 153 itself (tests/fixtures/README.md, fact 6) or stand in its
   own tests (TestHashIfNecessary). */
#include "importers/thunderbird_names.h"

#include "tests/lib/check.h"

#define LONG_NAME                                                              \
	"とても長い日本語のフォルダー名でございますので切り詰めやハッシュ化が" \
	"必要になるはずです取引先別資料保管用その一二三四五六七八九十"
#define LONG_FILE                                                              \
	"とても長い日本語のフォルダー名でございますので切り詰めやハッシュ化が" \
	"必要になるはずです取引先別4ed66cd1"

static const struct {
	const char *name, *file;
} pairs[] = {
	{ "a/b:c*?", "a20df8fd7" },
	{ ".hidden", "8ca4e009" },
	{ "#tag~", "f2016cf0" },
	{ "末尾ドット.", "末尾ドット1cf88f43" },
	{ "見積\"&'請求", "見積96d3683c" },
	{ "50%引き/控え", "50%引き338a167d" },
	{ LONG_NAME, LONG_FILE },
	{ "test/test", "test24ddc4ea" },
	{ "Work", "Work" },
	{ "100%", "100%" },
	{ "📦 荷物", "📦 荷物" },
	{ "株式会社テスト①", "株式会社テスト①" },
};

static const struct {
	const char *what, *leaf, *name;
	bool fits;
} fits[] = {
	{ "as it is", "Work", "Work", true },
	{ "another", "Work", "work", false },
	{ "decomposed on disk", "か\u3099", "が", true },
	{ "prefix and hash", "a20df8fd7", "a/b:c*?", true },
	{ "the hash of another name", "a20df8fd7", "a/b:c*", false },
	{ "the right hash behind another prefix", "b20df8fd7", "a/b:c*?", false },
	{ "the whole name hashed, as before 137 on Windows", "1ad41a64", "test τ",
	  true },
	{ "no hash at all", "a", "a/b:c*?", false },
	{ "hashed from bytes of UTF-8, as version 2 did on Linux", "01db686e", "表:1",
	  true },
	{ "from bytes of CP932, on Windows", "edbd7719", "表:1", true },
	{ "from bytes of EUC-JP", "f1b93c3e", "表:1", true },
	{ "too long in bytes of CP932, cut in the middle of a character",
	  "\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0"
	  "\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0"
	  "\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82\xA0\x82"
	  "3b091731",
	  "ああああああああああああああああああああああああああああ", true },
};

static const struct {
	const char *what, *leaf;
	const char *name; /* NULL: not encoded */
} percents[] = {
	{ "encoded by Thunderbird", "50%25引き%2F控え", "50%引き/控え" },
	{ "lower case", "a%2fb", "a/b" },
	{ "a percent sign that is one", "100%", NULL },
	{ "one of each", "100% a%2Fb", NULL },
	{ "nothing", "Work", NULL },
	{ "a letter needs no encoding", "%41", NULL },
	{ "a NUL", "a%00b", NULL },
	{ "cut off", "a%2", NULL },
};

static void check_names(void)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_reset(&out);
		tb_name_to_file(&out, pairs[i].name);
		CHECK_STR(out.data, pairs[i].file);
		CHECK_CASE(pairs[i].name, tb_name_fits(pairs[i].file,
						       pairs[i].name));
	}
	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++)
		CHECK_CASE(fits[i].what, tb_name_fits(fits[i].leaf, fits[i].name) ==
						 fits[i].fits);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		bool is = tb_name_decode(&out, percents[i].leaf);

		CHECK_CASE(percents[i].what, is == (percents[i].name != NULL));
		CHECK_STR(out.data, percents[i].name ? percents[i].name : "");
	}
	CHECK(tb_name_looks_hashed("a20df8fd7"));
	CHECK(tb_name_looks_hashed("8ca4e009"));
	CHECK(!tb_name_looks_hashed("a20DF8FD7"));
	CHECK(!tb_name_looks_hashed("ca4e009"));
	buf_free(&out);
}

static const char cache[] =
	"{\"/home/taro/p/Mail/pop.example.jp\":{\"folderName\":\"taro\"},"
	"\"/home/taro/p/Mail/pop.example.jp/a20df8fd7.msf\":"
	"{\"folderName\":\"a/b:c*?\",\"flags\":4},"
	"\"C:\\\\Mail\\\\pop.example.jp\\\\Work.sbd\\\\8ca4e009.msf\":"
	"{\"folderName\":\".hidden\",\"flags\":4},"
	"\"/old/Mail/pop.example.jp/f2016cf0.msf\":{\"folderName\":\"#tag~\"},"
	"\"/new/Mail/pop.example.jp/f2016cf0.msf\":{\"folderName\":\"f2016cf0\"},"
	"\"/new/Mail/pop.example.jp/Trash.msf\":{\"folderName\":null,\"flags\":260},"
	"\"/new/Mail/pop.example.jp/か\u3099.msf\":{\"folderName\":\"か\u3099\"},"
	"\"x\":7}";

static const struct {
	const char *what, *file, *tail, *leaf, *name;
	uint64_t flags;
} cached[] = {
	{ "by the end of its path", "/here/Mail/pop.example.jp/a20df8fd7.msf",
	  "pop.example.jp/a20df8fd7.msf", "a20df8fd7", "a/b:c*?", 4 },
	{ "a path of Windows", "/here/Mail/pop.example.jp/Work.sbd/8ca4e009.msf",
	  "pop.example.jp/Work.sbd/8ca4e009.msf", "8ca4e009", ".hidden", 4 },
	{ "moved, and shown under its hash since",
	  "/here/Mail/pop.example.jp/f2016cf0.msf", "pop.example.jp/f2016cf0.msf",
	  "f2016cf0", "f2016cf0", 0 },
	{ "moved back: the entry of this very path",
	  "/old/Mail/pop.example.jp/f2016cf0.msf", "pop.example.jp/f2016cf0.msf",
	  "f2016cf0", "#tag~", 0 },
	{ "flags, but no name", "", "pop.example.jp/Trash.msf", "Trash", NULL, 260 },
	{ "decomposed in the cache, composed on disk", "", "pop.example.jp/が.msf",
	  "が", "か\u3099", 0 },
	{ "of another account", "", "example.jp/a20df8fd7.msf", "a20df8fd7", "-", 0 },
};

static void check_cache(void)
{
	struct tb_names *names = tb_names_new();
	struct tb_cached c;

	CHECK(!tb_names_add_cache(names, "[1", 2));
	CHECK(!tb_names_add_cache(names, "[1]", 3));
	CHECK(tb_names_add_cache(names, cache, strlen(cache)));
	for (size_t i = 0; i < sizeof(cached) / sizeof(cached[0]); i++) {
		bool known = tb_names_cached(names, cached[i].file, cached[i].tail,
					     cached[i].leaf, &c);
		const char *name = !known ? "-" : c.name ? c.name : "";

		CHECK_CASE(cached[i].what,
			   !strcmp(name, cached[i].name ? cached[i].name : ""));
		CHECK_CASE(cached[i].what, c.flags == cached[i].flags);
	}
	tb_names_free(names);
}

static void check_candidates(void)
{
	static const char rules[] =
		"actionValue=\"mailbox://taro%40example.jp@pop.example.jp/%E8%AB%8B"
		"%E6%B1%82%E6%9B%B8/%23tag%7E\"\n"
		"scope=mailbox://nobody@Local%20Folders/.hidden|imap://x@y/%E6%9C%AB"
		"%E5%B0%BE%E3%83%89%E3%83%83%E3%83%88.\n";
	struct tb_names *names = tb_names_new();

	tb_names_add_uris(names, rules, strlen(rules));
	CHECK_STR(tb_names_candidate(names, "f2016cf0"), "#tag~");
	CHECK_STR(tb_names_candidate(names, "8ca4e009"), ".hidden");
	CHECK_STR(tb_names_candidate(names, "末尾ドット1cf88f43"), "末尾ドット.");
	CHECK_STR(tb_names_candidate(names, "請求書"), "請求書");
	CHECK(!tb_names_candidate(names, "a20df8fd7"));
	tb_names_free(names);
}

/* The fields that matter of one that Thunderbird 91 left. */
static const char panacea[] =
	"// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)>"
	"(80=ns:msg:db:row:scope:folders:all)(81=ns:msg:db:table:kind:folders)"
	"(82=key)(83=flags)(92=folderName)>\n<(80\n    =/p/Mail/Local\\\n Fold"
	"ers/Trash.msf)(86=104)(87=Papierkorb)>\n"
	"{1:^80 {(k^81:c)(s=9)}\n[1(^82^80)(^83^86)(^92^87)]\n"
	"[2(^82=/p/ImapMail/h/INBOX.msf)(^83=1004)]\n[-3(^82=)(^83=4)]}\n";

static void check_panacea(void)
{
	struct tb_names *names = tb_names_new();
	struct tb_cached c;

	CHECK(!tb_names_add_panacea(names, "{}", 2, false));
	CHECK(tb_names_add_panacea(names, panacea, strlen(panacea), false));
	CHECK(tb_names_cached(names, "", "Local Folders/Trash.msf", "Trash", &c));
	CHECK(c.flags == 0x104 && !strcmp(c.name, "Papierkorb"));
	CHECK(tb_names_cached(names, "", "h/INBOX.msf", "INBOX", &c));
	CHECK(c.flags == 0x1004 && !c.name);
	tb_names_free(names);
	names = tb_names_new();
	CHECK(tb_names_add_panacea(names, panacea, strlen(panacea), true));
	CHECK(!tb_names_cached(names, "", "Local Folders/Trash.msf", "Trash", &c));
	CHECK(c.flags == 0 && !strcmp(c.name, "Papierkorb"));
	tb_names_free(names);
}

int main(void)
{
	check_panacea();
	check_names();
	check_cache();
	check_candidates();
	return check_done();
}
