/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_SOURCE_H
#define MAILHAUL_TESTS_IMPORTERS_SOURCE_H

#include "importers/importer.h"

#include "tests/importers/tree.h"
#include "tests/lib/check.h"

/* A source as text, so that a test says in one string what it expects:

     . [inbox] INBOX (account)
       1.eml [\Seen] notes=queued skip=1 Subject: x||body|
       ! error
     # remark

   A message is its wire form, CRLF shown as "|" and other control bytes as "?". */
static inline void source_add_wire(struct buf *out, const struct message *m)
{
	const struct buf *wire = &m->in.spool.mem;

	for (size_t i = 0; i < wire->len; i++) {
		char c = wire->data[i];

		if (c == '\r' && i + 1 < wire->len && wire->data[i + 1] == '\n')
			continue;
		if (c == '\n')
			buf_add_char(out, i && wire->data[i - 1] == '\r' ? '|'
									  : '?');
		else
			buf_add_char(out, (unsigned char)c < ' ' && c != '\t' ? '?'
									      : c);
	}
}

static inline void source_add_notes(struct buf *out, unsigned notes)
{
	static const char *const names[] = { "partial", "hidden", "queued",
					     "doubtful", "rebuilt",
					     "parts-missing" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (notes & 1u << i)
			buf_addf(out, "%s ", names[i]);
}

static inline void source_add_messages(const struct importer_ops *ops,
				       struct importer *imp, struct buf *out)
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
		if (got < 0 || ops->load(imp, &m, &e) < 0) {
			CHECK(e.scope == ERR_MESSAGE);
			CHECK(m.locator.len > 0);
			buf_addf(out, "  ! %s\n",
				 strrchr(e.text, '/') ? strrchr(e.text, '/') + 1
						      : e.text);
			continue;
		}
		buf_addf(out, "  %.*s [", (int)strcspn(m.locator.data, " "),
			 m.locator.data);
		flags_add_text(out, &m.flags);
		buf_add_str(out, "] ");
		source_add_notes(out, m.notes);
		if (m.skip)
			buf_addf(out, "skip=%d ", m.skip);
		source_add_wire(out, &m);
		buf_add_char(out, '\n');
	}
	message_free(&m);
}

static inline void source_add_folder(struct buf *out, const struct folder *f)
{
	buf_addf(out, "%s [%s] ", f->id, folder_use_name(f->use));
	for (size_t i = 0; f->path[i]; i++)
		buf_addf(out, "%s%s", i ? " / " : "", f->path[i]);
	if (f->account[0])
		buf_addf(out, " (%s)", f->account);
	buf_add_char(out, '\n');
}

static const struct importer_options source_no_options;

/* All of it; remarks as bare lines behind "#". opt may be NULL. */
static inline const char *source_text(const struct importer_ops *ops,
				      const char *path,
				      const struct importer_options *opt)
{
	static struct buf out = BUF_INIT;
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;
	const char *line;
	int got;

	buf_reset(&out);
	if (ops->open(path, opt ? opt : &source_no_options, &imp, &e) < 0) {
		CHECK(e.scope == ERR_ACCOUNT);
		buf_addf(&out, "! %s\n", e.text + strlen(path));
		return out.data;
	}
	while ((got = ops->next_folder(imp, &f, &e))) {
		if (got < 0) {
			CHECK(e.scope == ERR_FOLDER);
			buf_add_str(&out, "!\n");
			continue;
		}
		CHECK(f.fingerprint[0] && f.file[0]);
		source_add_folder(&out, &f);
		source_add_messages(ops, imp, &out);
	}
	for (unsigned i = 0; (line = ops->remark(imp, i)); i++)
		buf_addf(&out, "# %s\n", line);
	ops->close(imp);
	return out.data;
}

/* The fingerprints of all folders, a line each. The caller frees it. */
static inline char *source_fingerprints(const struct importer_ops *ops,
					const char *path)
{
	struct buf out = BUF_INIT;
	struct importer *imp = NULL;
	struct folder f;
	struct err e = ERR_INIT;

	if (ops->open(path, &source_no_options, &imp, &e) < 0)
		return buf_detach(&out);
	while (ops->next_folder(imp, &f, &e) > 0)
		buf_addf(&out, "%s %s\n", f.id, f.fingerprint);
	ops->close(imp);
	return buf_detach(&out);
}

/* Runs each on a tree of its own. */
static inline void source_run(void (*const *tests)(const char *), size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *root = tree_make();

		tests[i](root);
		tree_remove(root);
	}
}

#endif
