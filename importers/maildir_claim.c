/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a directory a Maildir, or made of Maildirs? */
#include "importers/maildir.h"

#include <string.h>

#include "core/base/buf.h"

static bool is_maildir_below(const struct candidate *c, const char *name)
{
	struct buf below = BUF_INIT, cur = BUF_INIT;
	struct stat st;
	bool is;

	buf_addf(&below, "%s%s%s", c->rel, c->rel[0] ? "/" : "", name);
	buf_addf(&cur, "%s/cur", below.data);
	is = (walk_stat(c->w, cur.data, &st) == 0 && S_ISDIR(st.st_mode)) ||
	     maildir_has_new(c->w, below.data);
	buf_free(&below);
	buf_free(&cur);
	return is;
}

/* KMail's ".A.directory", with A beside it. */
static bool is_kmail(const struct candidate *c, const char *name)
{
	const struct walk_entry *beside;
	struct buf plain = BUF_INIT;
	bool is = false;

	if (maildir_kmail_parts(&plain, name)) {
		beside = maildir_entry(c->dir, plain.data);
		is = beside && beside->kind == 'd' &&
		     is_maildir_below(c, beside->name);
	}
	buf_free(&plain);
	return is;
}

/* How much an entry speaks for it that the directory is made of Maildirs. Two
   make it sure, or one whose name only Maildir++ or KMail would give it: a
   directory with one Maildir in it is not part of that. */
static unsigned weight(const struct candidate *c,
		       const struct walk_entry *entry)
{
	if (entry->kind != 'd')
		return 0;
	if (is_kmail(c, entry->name))
		return 2;
	if (!is_maildir_below(c, entry->name))
		return 0;
	return entry->name[0] == '.' ? 2 : 1;
}

enum claim maildir_claim(const struct candidate *c)
{
	const struct walk_entry *with;
	unsigned below = 0;

	if (!c->dir)
		return CLAIM_NO;
	if (maildir_is_one(c->w, c->rel, c->dir)) {
		with = maildir_entry(c->dir, "new");
		if (!with || with->kind != 'd')
			with = maildir_entry(c->dir, "tmp");
		return with && with->kind == 'd' && maildir_entry(c->dir, "cur")
			       ? CLAIM_ALL
			       : CLAIM_PART;
	}
	for (size_t i = 0; i < c->dir->n && below < 2; i++)
		below += weight(c, &c->dir->entries[i]);
	return below < 2 ? CLAIM_NO : CLAIM_PART;
}
