/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_MAILDIR_SOURCE_H
#define MAILHAUL_TESTS_IMPORTERS_MAILDIR_SOURCE_H

#include "importers/importer.h"

#include "tests/importers/tree.h"
#include "tests/lib/check.h"

/* Maildirs as the importer shows them, as text. */
extern const struct importer_ops importer_maildir;
static const struct importer_ops *const ops = &importer_maildir;
static const struct importer_options no_options;

static inline struct importer *open_source(const char *path)
{
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	if (ops->open(path, &no_options, &imp, &e) < 0) {
		printf("%s\n", e.text);
		exit(1);
	}
	return imp;
}

static inline void add_path(struct buf *out, const char *const *path)
{
	for (size_t i = 0; path[i]; i++)
		buf_addf(out, "%s%s", i ? " / " : "", path[i]);
}

/* One line a folder: id, use and path; errors in its place. */
static inline void list_folders(const char *source, struct buf *out)
{
	struct importer *imp = open_source(source);
	struct folder f;
	struct err e = ERR_INIT;
	int got;

	while ((got = ops->next_folder(imp, &f, &e))) {
		if (got < 0) {
			CHECK(e.scope == ERR_FOLDER);
			buf_add_str(out, "error\n");
			continue;
		}
		CHECK(f.locators_stand_alone && !f.hidden && !f.account[0]);
		CHECK(f.fingerprint[0] && f.file[0]);
		buf_addf(out, "%s [%s] ", f.id, folder_use_name(f.use));
		add_path(out, f.path);
		buf_add_str(out, "\n");
	}
	ops->close(imp);
}

/* One line a message of the current folder: locator, flags, skip, body. */
static inline void list_messages(struct importer *imp, struct buf *out)
{
	struct message m;
	struct err e = ERR_INIT;
	int got;

	message_init(&m);
	m.in.want_spool = true;
	for (;;) {
		message_reset(&m);
		got = ops->next(imp, &m, &e);
		if (!got)
			break;
		if (got > 0 && ops->load(imp, &m, &e) == 0) {
			buf_addf(out, "%.*s [",
				 (int)strcspn(m.locator.data, " "),
				 m.locator.data);
			flags_add_text(out, &m.flags);
			buf_addf(out, "] %d %s\n", m.skip, m.in.spool.mem.data);
			continue;
		}
		CHECK(e.scope == ERR_MESSAGE);
		buf_addf(out, "error %s\n", e.text);
	}
	message_free(&m);
}

static inline void enter(struct importer *imp, const char *id)
{
	struct folder f;
	struct err e = ERR_INIT;

	while (ops->next_folder(imp, &f, &e) > 0)
		if (!strcmp(f.id, id))
			return;
	CHECK_CASE(id, !"the folder is there");
}

/* The messages of the source's own folder. */
static inline const char *messages_of(const char *source)
{
	static struct buf text = BUF_INIT;
	struct importer *imp = open_source(source);

	buf_reset(&text);
	enter(imp, ".");
	list_messages(imp, &text);
	ops->close(imp);
	return text.data;
}

static inline void make_maildir(const char *root, const char *rel)
{
	static const char *const dirs[] = { "cur", "new", "tmp" };
	char path[512];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s%s", rel, rel[0] ? "/" : "",
			 dirs[i]);
		tree_dir(root, path);
	}
}

#endif
