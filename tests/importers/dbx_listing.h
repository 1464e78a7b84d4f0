/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_DBX_LISTING_H
#define MAILHAUL_TESTS_IMPORTERS_DBX_LISTING_H

#include "core/base/date.h"
#include "importers/importer.h"
#include "tests/importers/tree.h"
#include "tests/lib/check.h"

/* A source as text, for the stores of old Windows programs: a line for each folder, message,
   error and remark. Paths of the test's own directory are cut from the front. */
struct listing {
	const struct importer_ops *ops;
	const char *root; /* the source */
	struct importer_options opt;
	bool pass; /* pass messages over, as a second run does */
	uint64_t lengths[64]; /* of the messages, by their number */
	struct buf text;
};

static inline void listing_body(struct buf *out, const struct buf *spool)
{
	for (size_t i = 0; i < spool->len; i++) {
		unsigned char c = (unsigned char)spool->data[i];

		if (c == '\r' && i + 1 < spool->len &&
		    spool->data[i + 1] == '\n')
			continue;
		if (c == '\n')
			buf_add_str(out, "|");
		else if (c < ' ' || c >= 0x7F)
			buf_addf(out, "<%02X>", c);
		else
			buf_add_char(out, (char)c);
	}
}

static inline const char *listing_short(const struct listing *l, const char *s)
{
	size_t n = strlen(l->root);

	if (!strncmp(s, l->root, n) && s[n] == '/')
		return s + n + 1;
	if (!strncmp(s, l->root, n) && s[n] == ':')
		return s + (strrchr(l->root, '/') - l->root) + 1;
	return s;
}

static inline void listing_message(struct listing *l, struct importer *imp,
				   struct message *m, unsigned nth)
{
	struct err e = ERR_INIT;
	int got;

	buf_addf(&l->text, "  %s", m->locator.data);
	if (l->pass) {
		got = l->ops->pass ? l->ops->pass(imp, l->lengths[nth], &e) : 0;
		buf_addf(&l->text, "%s\n", got ? " not passed" : "");
		return;
	}
	if (l->ops->load(imp, m, &e) < 0) {
		CHECK(e.scope == ERR_MESSAGE || e.scope == ERR_FOLDER);
		buf_addf(&l->text, " error %s\n", listing_short(l, e.text));
		return;
	}
	if (nth < 64)
		l->lengths[nth] = m->length;
	buf_addf(&l->text, " [");
	flags_add_text(&l->text, &m->flags);
	buf_add_str(&l->text, "]");
	if (m->skip)
		buf_addf(&l->text, " skip %d", m->skip);
	if (m->notes)
		buf_addf(&l->text, " notes %u", m->notes);
	if (m->when.delivered != DATE_NONE)
		buf_addf(&l->text, " at %jd", (intmax_t)m->when.delivered);
	buf_add_str(&l->text, " ");
	listing_body(&l->text, &m->in.spool.mem);
	buf_add_str(&l->text, "\n");
}

static inline void listing_folder(struct listing *l, struct importer *imp,
				  unsigned *nth)
{
	struct message m;
	struct err e = ERR_INIT;
	int got;

	message_init(&m);
	m.in.want_spool = true;
	for (;;) {
		message_reset(&m);
		got = l->ops->next(imp, &m, &e);
		if (!got)
			break;
		if (got > 0) {
			listing_message(l, imp, &m, (*nth)++ % 64);
			continue;
		}
		buf_addf(&l->text, "  %s %s\n",
			 e.scope == ERR_FOLDER ? "folder error" : "error",
			 listing_short(l, e.text));
		if (e.scope > ERR_MESSAGE)
			break;
	}
	message_free(&m);
}

static inline const char *listing_of(struct listing *l)
{
	struct importer *imp = NULL;
	struct err e = ERR_INIT;
	struct folder f;
	unsigned nth = 0;
	const char *line;
	int got;

	buf_reset(&l->text);
	if (l->ops->open(l->root, &l->opt, &imp, &e) < 0) {
		CHECK(e.scope == ERR_ACCOUNT);
		buf_addf(&l->text, "not opened: %s\n", listing_short(l, e.text));
		return l->text.data;
	}
	while ((got = l->ops->next_folder(imp, &f, &e))) {
		if (got < 0) {
			CHECK(e.scope == ERR_FOLDER);
			buf_addf(&l->text, "error %s\n",
				 listing_short(l, e.text));
			continue;
		}
		CHECK(f.fingerprint[0] && f.file[0] && f.id[0] && f.path[0]);
		CHECK(!f.locators_stand_alone);
		buf_addf(&l->text, "%s [%s] ", f.id, folder_use_name(f.use));
		for (size_t i = 0; f.path[i]; i++)
			buf_addf(&l->text, "%s%s", i ? " / " : "", f.path[i]);
		if (f.account[0])
			buf_addf(&l->text, " of %s", f.account);
		buf_addf(&l->text, "%s\n", f.hidden ? " hidden" : "");
		listing_folder(l, imp, &nth);
	}
	for (unsigned i = 0; (line = l->ops->remark(imp, i)); i++)
		buf_addf(&l->text, "# %s\n", listing_short(l, line));
	l->ops->close(imp);
	return l->text.data;
}

/* The fingerprint of the nth folder (from 0). */
static inline char *listing_fingerprint(const struct importer_ops *ops,
					const char *root, unsigned nth)
{
	static const struct importer_options plain;
	struct importer *imp = NULL;
	struct err e = ERR_INIT;
	struct folder f = { .fingerprint = "" };
	char *text;

	CHECK(ops->open(root, &plain, &imp, &e) == 0);
	for (unsigned i = 0; i <= nth; i++)
		CHECK(ops->next_folder(imp, &f, &e) == 1);
	text = mem_strdup(f.fingerprint);
	ops->close(imp);
	return text;
}

static inline void listing_write(const char *root, const char *rel,
				 const struct buf *b)
{
	tree_write(root, rel, b->data, b->len);
}

#endif
