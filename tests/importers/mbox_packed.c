/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mailboxes that were put away compressed read as what is in them. */
#include "importers/importer.h"

#include "tests/importers/pack.h"
#include "tests/importers/source.h"

extern const struct importer_ops importer_mbox;

#define A  "From a@example.jp Mon Jul 29 22:00:08 2002\n"
#define B  "From b@example.jp Tue Jul 30 01:02:03 2002\n"
#define HA "From: a@example.jp\nSubject: a\n\n"
#define HB "From: b@example.jp\nSubject: b\n\n"

static const char *const suffixes[] = {
	[PACKED_NOT] = "",
	[PACKED_GZIP] = ".gz",
	[PACKED_BZIP2] = ".bz2",
	[PACKED_XZ] = ".xz",
	[PACKED_ZSTD] = ".zst",
};

static void put(const char *root, const char *rel, enum packing how,
		const char *bytes, size_t n)
{
	struct buf packed = BUF_INIT;

	pack_add(how, &packed, bytes, n);
	tree_write(root, rel, packed.data, packed.len);
	buf_free(&packed);
}

static void check_kinds(const char *root)
{
	static const char text[] = A "Status: RO\n" HA ">From x\n\n" B HB
				     "two\n";

	for (int how = PACKED_NOT; how <= PACKED_ZSTD; how++) {
		struct buf want = BUF_INIT, rel = BUF_INIT;

		buf_addf(&rel, "d%d/Old.mbox%s", how, suffixes[how]);
		put(root, rel.data, (enum packing)how, text, strlen(text));
		CHECK(importer_claim(&importer_mbox,
				     tree_path(root, rel.data)) == CLAIM_ALL);
		buf_addf(&want,
			 "Old.mbox%s [] Old\n"
			 "  0 [\\Seen] From: a@example.jp|Subject: a||From x|\n"
			 "  94 [] From: b@example.jp|Subject: b||two|\n",
			 suffixes[how]);
		*strchr(rel.data, '/') = '\0';
		CHECK_STR(source_text(&importer_mbox,
				      tree_path(root, rel.data), NULL),
			  want.data);
		buf_free(&want);
		buf_free(&rel);
	}
}

/* By their bytes, not their names; what holds no mbox is left out. */
static void check_names(const char *root)
{
	static const char text[] = A HA "one\n", prose[] = "a letter\n";

	put(root, "Plain.gz", PACKED_NOT, text, strlen(text));
	put(root, "Packed", PACKED_XZ, text, strlen(text));
	put(root, "letter.gz", PACKED_GZIP, prose, strlen(prose));
	tree_file(root, "all.zip", "PK\3\4 and so on");
	CHECK_STR(source_text(&importer_mbox, root, NULL),
		  "Packed [] Packed\n"
		  "  0 [] From: a@example.jp|Subject: a||one|\n"
		  "Plain.gz [] Plain\n"
		  "  0 [] From: a@example.jp|Subject: a||one|\n"
		  "# all.zip: an archive (zip); unpack it first, left out\n"
		  "# letter.gz: not an mbox, left out\n");
	CHECK(importer_claim(&importer_mbox, tree_path(root, "letter.gz")) ==
	      CLAIM_NO);
	CHECK(importer_claim(&importer_mbox, tree_path(root, "all.zip")) ==
	      CLAIM_NO);
}

/* Several windows long, with messages to pass over, with mail that is only told
   apart by a Content-Length that leads far ahead. */
static void check_long(const char *root)
{
	struct importer *imp = NULL;
	struct buf text = BUF_INIT, body = BUF_INIT;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	uint64_t first, at[3];

	buf_add_str(&body, "quoted:\n" B HB "text\n");
	while (body.len < 900000)
		buf_addf(&body, "line %zu of a long mail\n", body.len);
	for (int i = 0; i < 3; i++) {
		at[i] = text.len;
		buf_addf(&text, A "Content-Length: %zu\nSubject: %d\n\n",
			 body.len, i);
		buf_add(&text, body.data, body.len);
		buf_add_char(&text, '\n');
	}
	first = at[1];
	put(root, "box.gz", PACKED_GZIP, text.data, text.len);
	message_init(&m);
	for (int passing = 0; passing < 2; passing++) {
		CHECK(importer_mbox.open(tree_path(root, "box.gz"),
					 &source_no_options, &imp, &e) == 0);
		CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
		for (int i = 0; i < 3; i++) {
			message_reset(&m);
			CHECK(importer_mbox.next(imp, &m, &e) == 1);
			CHECK(m.offset == at[i]);
			if (passing && i < 2) {
				importer_mbox.pass(imp, first, &e);
				continue;
			}
			CHECK(importer_mbox.load(imp, &m, &e) == 0);
			CHECK(m.length == first);
		}
		message_reset(&m);
		CHECK(importer_mbox.next(imp, &m, &e) == 0);
		CHECK(!importer_mbox.bookmark(imp));
		importer_mbox.close(imp);
	}
	message_free(&m);
	buf_free(&text);
	buf_free(&body);
}

/* What lies before the damage is read, then the folder fails and says why. */
static void check_damaged(const char *root)
{
	struct importer *imp = NULL;
	struct buf text = BUF_INIT, packed = BUF_INIT;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	unsigned read = 0, noise = 1;
	int got;

	for (int i = 0; i < 2000; i++) {
		buf_add_str(&text, A HA);
		for (int k = 0; k < 100; k++) {
			noise = noise * 1103515245 + 12345;
			buf_addf(&text, "%x%s", noise, k % 10 == 9 ? "\n" : "");
		}
		buf_add_str(&text, "\n");
	}
	pack_gzip(&packed, text.data, text.len);
	tree_write(root, "box.gz", packed.data, packed.len * 3 / 4);
	CHECK(importer_mbox.open(tree_path(root, "box.gz"), &source_no_options,
				 &imp, &e) == 0);
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 1);
	message_init(&m);
	while ((got = importer_mbox.next(imp, &m, &e)) > 0 &&
	       (got = importer_mbox.load(imp, &m, &e)) == 0) {
		read++;
		message_reset(&m);
	}
	CHECK(got == -1 && e.scope == ERR_FOLDER && e.kind == ERR_SOURCE);
	CHECK(strstr(e.text, "box.gz: cut off (gzip, after byte "));
	CHECK(read > 1400 && read < 1510);
	CHECK(importer_mbox.next_folder(imp, &f, &e) == 0);
	importer_mbox.close(imp);
	message_free(&m);
	buf_free(&text);
	buf_free(&packed);
}

int main(void)
{
	static void (*const tests[])(const char *) = {
		check_kinds,
		check_names,
		check_long,
		check_damaged,
	};

	source_run(tests, sizeof(tests) / sizeof(tests[0]));
	return check_done();
}
