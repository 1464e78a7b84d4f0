/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mailboxes that are alive: they grow between two runs, or while they are read. */
#include "importers/importer.h"
#include "importers/mbox_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/importers/tree.h"
#include "tests/lib/check.h"

extern const struct importer_ops importer_mbox;

#define A    "From a@example.jp Mon Jul 29 22:00:08 2002\n"
#define B    "From b@example.jp Tue Jul 30 01:02:03 2002\n"
#define HA   "From: a@example.jp\nSubject: a\n\n"
#define HB   "From: b@example.jp\nSubject: b\n\n"
#define ONE  A HA "one\n\n"
#define TWO  B HB "two\n\n"
#define MORE B HB "three\n\n"

static char *root;

static void append(const char *text)
{
	int fd = open(tree_path(root, "box"), O_WRONLY | O_APPEND | O_CLOEXEC);

	tree_must(fd >= 0 && write(fd, text, strlen(text)) ==
				     (ssize_t)strlen(text),
		  "append");
	close(fd);
}

static struct importer *open_box(void)
{
	static const struct importer_options none = { .imap_copies = false };
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;

	if (importer_mbox.open(tree_path(root, "box"), &none, &imp, &e) < 0 ||
	    importer_mbox.next_folder(imp, &f, &e) != 1) {
		printf("%s\n", e.text);
		abort();
	}
	return imp;
}

/* The next message's body, LF, with a '|' behind it; "." at the end, "!" and the
   error's scope otherwise. */
static bool read_one(struct importer *imp, struct buf *out)
{
	struct message m;
	struct err e = ERR_INIT;
	int got;

	message_init(&m);
	m.in.want_spool = true;
	got = importer_mbox.next(imp, &m, &e);
	if (got > 0 && importer_mbox.load(imp, &m, &e) == 0) {
		const char *body = strstr(m.in.spool.mem.data, "\r\n\r\n");

		for (body = body ? body + 4 : ""; *body; body++)
			if (*body != '\r')
				buf_add_char(out, *body);
		buf_add_char(out, '|');
	} else if (got) {
		buf_addf(out, "!%d", e.scope);
		got = e.scope == ERR_MESSAGE;
	} else {
		buf_add_char(out, '.');
	}
	message_free(&m);
	return got > 0;
}

static void read_rest(struct importer *imp, struct buf *out)
{
	while (read_one(imp, out))
		;
}

/* Read "before", remember; then the file is "after": what does the next run read, and
   did it go on where the first one ended? */
static const struct {
	const char *what, *before, *after;
	int resumed;
	const char *want;
} runs[] = {
	{ "a message more", ONE, ONE TWO, 1, "two\n|." },
	{ "two messages more", ONE, ONE TWO MORE, 1, "two\n|three\n|." },
	{ "the first file ended without a line end", A HA "one",
	  A HA "one\n\n" TWO, 1, "two\n|." },
	{ "and the appender did not care", A HA "one", A HA "one" TWO, 1,
	  "two\n|." },
	{ "and what was there was half a message", A HA "on", ONE TWO, 0,
	  "one\n|two\n|." },
	{ "half a message whose rest is prose about From", A HA "on\n",
	  A HA "on\nFrom the office\nx\n\n" TWO, 0,
	  "on\nFrom the office\nx\n|two\n|." },
	{ "compacted: the first message went", ONE TWO, TWO MORE, 0,
	  "two\n|three\n|." },
	{ "written anew, shorter", ONE TWO, ONE, 0, "one\n|." },
	{ "written anew, longer", ONE TWO, A "Status: RO\n" HA "one\n\n" TWO, 0,
	  "one\n|two\n|." },
	{ "another file of the same length, and more", ONE, B HA "one\n\n" TWO,
	  0, "one\n|two\n|." },
	{ "only its time changed: state may have, too", ONE, ONE, 0,
	  "one\n|." },
	{ "blank lines were appended", ONE, ONE "\n\n", 0, "one\n\n\n|." },
	{ "NULs, then a message", ONE, ONE "", 0, "one\n|." },
	{ "bare separators, of a writer that is known by the first",
	  "From \r\nX-Mozilla-Status: 0001\nTo: x\n\none\n\r\n",
	  "From \r\nX-Mozilla-Status: 0001\nTo: x\n\none\n\r\n"
	  "From \r\nX-Mozilla-Status: 0001\nTo: x\n\ntwo\n\r\n",
	  1, "two\n|." },
	{ "MMDF", "\1\1\1\1\n" HA "one\n\1\1\1\1\n",
	  "\1\1\1\1\n" HA "one\n\1\1\1\1\n\1\1\1\1\n" HB "two\n\1\1\1\1\n", 1,
	  "two\n|." },
	{ "was empty", "", ONE, 0, "one\n|." },
};

static void check_runs(void)
{
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct buf text = BUF_INIT;
		struct importer *imp;
		const char *mark;
		char *copy;

		tree_file(root, "box", runs[i].before);
		imp = open_box();
		read_rest(imp, &text);
		mark = importer_mbox.bookmark(imp);
		copy = mem_strdup(mark ? mark : "");
		importer_mbox.close(imp);
		CHECK_CASE(runs[i].what, mark || !*runs[i].before);

		tree_file(root, "box", runs[i].after);
		imp = open_box();
		CHECK_CASE(runs[i].what,
			   importer_mbox.resume(imp, copy) == runs[i].resumed);
		buf_reset(&text);
		read_rest(imp, &text);
		if (strcmp(text.data, runs[i].want))
			printf("%s:\n", runs[i].what);
		CHECK_STR(text.data, runs[i].want);
		importer_mbox.close(imp);
		free(copy);
		buf_free(&text);
	}
}

/* What the second run has read can be built on by a third. */
static void check_third_run(void)
{
	struct buf text = BUF_INIT;
	struct importer *imp;
	char *mark = NULL;

	tree_file(root, "box", "");
	for (int i = 0; i < 5; i++) {
		append(i % 2 ? TWO : ONE);
		imp = open_box();
		CHECK(importer_mbox.resume(imp, mark ? mark : "") == (i > 0));
		buf_reset(&text);
		read_rest(imp, &text);
		CHECK_STR(text.data, i % 2 ? "two\n|." : "one\n|.");
		free(mark);
		mark = mem_strdup(importer_mbox.bookmark(imp));
		importer_mbox.close(imp);
	}
	free(mark);
	buf_free(&text);
}

/* Mail arrives when the first message has been read. */
static const struct {
	const char *what, *before, *more, *want;
	const char *next_run; /* NULL: there is no bookmark to go on from */
} growths[] = {
	{ "it is for the next run", ONE TWO, MORE, "one\n|two\n|.",
	  "three\n|." },
	{ "the last message was not whole when the file was opened",
	  ONE B HB "tw", "o\n\n" MORE, "one\n|two\n|.", "three\n|." },
	{ "nor is it now: nobody has it", ONE B HB "tw", "o, but",
	  "one\n|!0.", "two, but not yet\n|." },
	{ "a separator was cut in two", ONE TWO "From b@exa",
	  "mple.jp Tue Jul 30 01:02:03 2002\n" HB "three\n\n",
	  "one\n|two\n|three\n|.", NULL },
	{ "the last message is large", ONE B HB "two\n",
	  "and more\nand more\n\n", "one\n|two\nand more\nand more\n|.", NULL },
};

static void check_growing(void)
{
	for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++) {
		struct buf text = BUF_INIT;
		struct importer *imp;
		const char *mark;
		char *copy;

		tree_file(root, "box", growths[i].before);
		imp = open_box();
		read_one(imp, &text);
		append(growths[i].more);
		read_rest(imp, &text);
		if (strcmp(text.data, growths[i].want))
			printf("%s:\n", growths[i].what);
		CHECK_STR(text.data, growths[i].want);
		mark = importer_mbox.bookmark(imp);
		copy = mem_strdup(mark ? mark : "");
		importer_mbox.close(imp);
		if (growths[i].next_run) {
			append(strstr(growths[i].next_run, "not yet")
				       ? " not yet\n\n"
				       : "");
			imp = open_box();
			CHECK_CASE(growths[i].what,
				   importer_mbox.resume(imp, copy) == 1);
			buf_reset(&text);
			read_rest(imp, &text);
			CHECK_STR(text.data, growths[i].next_run);
			importer_mbox.close(imp);
		}
		free(copy);
		buf_free(&text);
	}
}

/* Written anew, in place, while it is read: that is told. */
static void check_rewritten(void)
{
	static const struct {
		const char *what, *after;
	} cases[] = {
		{ "longer", A "Status: RO\n" HA "one\n\n" TWO MORE },
		{ "shorter", ONE },
		{ "of the same length", B HA "one\n\n" A HB "two\n\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = BUF_INIT;
		struct importer *imp;
		struct message m;
		struct err e = ERR_INIT;

		tree_file(root, "box", ONE TWO);
		tree_age(root);
		imp = open_box();
		read_one(imp, &text);
		read_one(imp, &text);
		CHECK_STR(text.data, "one\n|two\n|");
		tree_file(root, "box", cases[i].after);
		message_init(&m);
		CHECK_CASE(cases[i].what,
			   importer_mbox.next(imp, &m, &e) == -1 &&
				   e.scope == ERR_FOLDER &&
				   e.retry == ERR_LATER);
		CHECK_CASE(cases[i].what, strstr(e.text, "run it again"));
		message_free(&m);
		importer_mbox.close(imp);
		buf_free(&text);
	}
}

static void check_bookmarks(void)
{
	static const char *const wrong[] = {
		"",
		"mbox2",
		"mbox2 ",
		"mbox1 3 "
		"0000000000000000000000000000000000000000000000000000000000000000",
		"mbox2 99999999999999999999 "
		"0000000000000000000000000000000000000000000000000000000000000000",
		"mbox2 03 "
		"0000000000000000000000000000000000000000000000000000000000000000",
		"mbox2 3 "
		"00000000000000000000000000000000000000000000000000000000000000",
		"mbox2 3 "
		"000000000000000000000000000000000000000000000000000000000000000G",
		"mbox2 3 "
		"0000000000000000000000000000000000000000000000000000000000000000 ",
		"mbox2 3 "
		"0000000000000000000000000000000000000000000000000000000000000000",
	};
	struct mbox_mark m;

	tree_file(root, "box", ONE TWO);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct importer *imp = open_box();
		struct buf text = BUF_INIT;

		/* The last one is a bookmark, but does not hold. */
		CHECK_CASE(wrong[i], mbox_mark_read(wrong[i], &m) == (i == 9));
		CHECK_CASE(wrong[i], importer_mbox.resume(imp, wrong[i]) == 0);
		read_rest(imp, &text);
		CHECK_STR(text.data, "one\n|two\n|.");
		importer_mbox.close(imp);
		buf_free(&text);
	}
	/* In a file with CRs for line ends there is nothing to go on from. */
	tree_file(root, "box",
		  "From a Mon Jul 29 22:00:08 2002\rA: b\rC: d\r\rone\r");
	{
		struct importer *imp = open_box();
		struct buf text = BUF_INIT;

		read_rest(imp, &text);
		CHECK(!importer_mbox.bookmark(imp));
		importer_mbox.close(imp);
		buf_free(&text);
	}
}

int main(void)
{
	root = tree_make();
	check_runs();
	check_third_run();
	check_growing();
	check_rewritten();
	check_bookmarks();
	tree_remove(root);
	return check_done();
}
