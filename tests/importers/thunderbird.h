/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_THUNDERBIRD_H
#define MAILHAUL_TESTS_IMPORTERS_THUNDERBIRD_H

#include "importers/importer.h"
#include "tests/importers/tree.h"
#include "tests/lib/check.h"

/* Small profiles made at run time, and what the importer makes of them as text. */

extern const struct importer_ops importer_thunderbird;
static const struct importer_ops *const ops = &importer_thunderbird;

/* One line a folder, "id [use] part / part (account) hidden", and below it one a
   message, "  locator (flags) skip notes" (of a Maildir only the name); then the
   remarks. */
static inline void show(const char *source, bool imap_copies, struct buf *folders,
		 struct buf *remarks)
{
	struct importer_options opt = { .imap_copies = imap_copies };
	struct importer *imp;
	struct message m;
	struct folder f;
	struct err e = ERR_INIT;
	const char *line;
	int got;

	buf_reset(folders);
	buf_reset(remarks);
	if (ops->open(source, &opt, &imp, &e) < 0) {
		buf_addf(folders, "error: %s\n", e.text);
		return;
	}
	message_init(&m);
	while ((got = ops->next_folder(imp, &f, &e))) {
		if (got < 0) {
			buf_addf(folders, "error: %s\n", e.text);
			continue;
		}
		buf_addf(folders, "%s [%s] ", f.id, folder_use_name(f.use));
		for (size_t i = 0; f.path[i]; i++)
			buf_addf(folders, "%s%s", i ? " / " : "", f.path[i]);
		buf_addf(folders, " (%s)%s\n", f.account,
			 f.hidden ? " hidden" : "");
		while (message_reset(&m), (got = ops->next(imp, &m, &e))) {
			if (got < 0 || ops->load(imp, &m, &e) < 0) {
				buf_addf(folders, "  error: %s\n", e.text);
				break;
			}
			buf_addf(folders, "  %.*s (",
				 (int)(f.locators_stand_alone ?
					       strcspn(m.locator.data, "/") :
					       m.locator.len),
				 m.locator.data);
			flags_add_text(folders, &m.flags);
			buf_addf(folders, ")%s%s%s%s%s\n",
				 m.skip == SKIP_DELETED		 ? " deleted" :
				 m.skip == SKIP_UNSURE_DELETED	 ? " unlisted" :
				 m.skip				 ? " skip" :
								   "",
				 m.notes & NOTE_HIDDEN ? " hidden" : "",
				 m.notes & NOTE_QUEUED ? " queued" : "",
				 m.notes & NOTE_PARTIAL ? " partial" : "",
				 m.notes & NOTE_DOUBTFUL_SPLIT ? " doubtful" : "");
		}
	}
	for (unsigned i = 0; (line = ops->remark(imp, i)); i++)
		buf_addf(remarks, "%s\n", line);
	message_free(&m);
	ops->close(imp);
}

#define MAIL(id, status)                                                       \
	"From - Tue Nov 24 04:12:47 2026\r\n" status                           \
	"Subject: " id "\nMessage-ID: <" id "@x>\nDate: Tue, 24 Nov 2026 "      \
	"04:12:47 +0000\n\nbody\n\r\n"
#define STATUS(hex) "X-Mozilla-Status: " hex "\nX-Mozilla-Status2: 00000000\n"

#define MSF_HEAD                                                               \
	"// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)>"                        \
	"(80=ns:msg:db:row:scope:msgs:all)(81=ns:msg:db:table:kind:msgs)"       \
	"(82=ns:msg:db:row:scope:dbfolderinfo:all)(83=storeToken)"              \
	"(84=message-id)(85=flags)(86=keywords)(87=size)(88=folderName)"        \
	"(89=folderSize)(8A=folderDate)(8B=numMsgs)(8C=junkscore)"              \
	"(8D=junkscoreorigin)(8E=label)(8F=version)(90=maildirValid)>\n"

/* Writes a summary: rows for its table, and what the folder's row says. The mbox has
   the time of tree_age(). */
static inline void write_msf(const char *root, const char *rel, const char *rows,
		      size_t size, unsigned messages, const char *more)
{
	struct buf msf = BUF_INIT;

	buf_addf(&msf, MSF_HEAD "{1:^80 {(k^81:c)(s=9)} %s}\n"
		 "[1:^82(^89=%zx)(^8A=%x)(^8B=%x)%s]\n",
		 rows, size, 1600000000u, messages, more);
	tree_write(root, rel, msf.data, msf.len);
	buf_free(&msf);
}

static inline void expect(const char *what, const char *source, bool imap_copies,
		   const char *want, const char *const *told_by)
{
	struct buf folders = BUF_INIT, remarks = BUF_INIT;

	show(source, imap_copies, &folders, &remarks);
	CHECK_CASE(what, !strcmp(folders.data, want));
	if (strcmp(folders.data, want))
		printf("  got\n%s  want\n%s", folders.data, want);
	for (; told_by && *told_by; told_by++) {
		CHECK_CASE(what, strstr(remarks.data, *told_by));
		if (!strstr(remarks.data, *told_by))
			printf("  nobody said: %s\n%s", *told_by, remarks.data);
	}
	buf_free(&folders);
	buf_free(&remarks);
}

/* --- traps --- */

/* In the text of X.msf, "@SIZE@" stands for the size of X (as .msf files have it) and
   "@n@" for where its nth message begins. MSF puts such a text together. */
#define MSF(rows, number, more)                                                \
	MSF_HEAD "{1:^80 {(k^81:c)(s=9)} " rows "}\n"                          \
		 "[1:^82(^89=@SIZE@)(^8A=5f5e1000)(^8B=" number ")" more "]\n"

enum { TRAP_FILES = 12, TRAP_TOLD = 8 };
struct trap {
	const char *what;
	struct {
		const char *path; /* ends in '/': a directory */
		const char *text;
	} files[TRAP_FILES];
	const char *source; /* below the tree; NULL: the tree itself */
	bool imap_copies;
	const char *want;
	const char *told[TRAP_TOLD];
	const char *not_told;
};

static inline const char *trap_base(const struct trap *t, const char *msf)
{
	size_t n = strlen(msf) - 4;

	for (size_t i = 0; i < TRAP_FILES && t->files[i].path; i++)
		if (!strncmp(t->files[i].path, msf, n) && !t->files[i].path[n])
			return t->files[i].text;
	return "";
}

static inline void trap_fill_in(struct buf *out, const char *text,
				const char *base)
{
	for (; *text; text++) {
		const char *at = base;

		if (!strncmp(text, "@SIZE@", 6)) {
			buf_addf(out, "%zx", strlen(base));
			text += 5;
		} else if (text[0] == '@' && text[1] >= '1' && text[1] <= '9' &&
			   text[2] == '@') {
			for (int n = text[1] - '1'; n; n--)
				at = strstr(at + 1, "From - ");
			buf_addf(out, "%zu", (size_t)(at - base));
			text += 2;
		} else {
			buf_add_char(out, *text);
		}
	}
}

static inline void trap_run(const struct trap *t)
{
	char *top = tree_make();
	char *source;

	for (size_t i = 0; i < TRAP_FILES && t->files[i].path; i++) {
		const char *path = t->files[i].path;
		struct buf text = BUF_INIT;

		if (path[strlen(path) - 1] == '/') {
			char *dir = mem_strndup(path, strlen(path) - 1);

			tree_dir(top, dir);
			free(dir);
			continue;
		}
		trap_fill_in(&text, t->files[i].text,
			     strlen(path) > 4 ? trap_base(t, path) : "");
		tree_write(top, path, text.data, text.len);
		buf_free(&text);
	}
	tree_age(top);
	source = mem_strdup(t->source ? tree_path(top, t->source) : top);
	expect(t->what, source, t->imap_copies, t->want, t->told);
	if (t->not_told) {
		struct buf folders = BUF_INIT, remarks = BUF_INIT;

		show(source, t->imap_copies, &folders, &remarks);
		CHECK_CASE(t->what, !strstr(remarks.data, t->not_told));
		buf_free(&folders);
		buf_free(&remarks);
	}
	free(source);
	tree_remove(top);
}

#endif
