/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of files with a message each: *.eml as every mail program exports them, and
   files of other names (numbers, *.txt, none at all) that begin like a message with
   two fields only mail has. A directory is a folder.

   What export programs put in front of a message is taken off: a byte order mark, a
   separator line of an mbox, empty lines. UTF-16 becomes UTF-8. X-Mozilla-Status and
   its companions on top are read and dropped, as in Thunderbird's own files.

   Such files say nothing of whether a message was read, and who exports mail has it
   behind him: without X-Mozilla-Status it comes as \Seen, and that is said. A draft
   (X-Unsent, or by its folder) comes as \Draft. */
#include "importers/eml.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"

extern const struct importer_ops importer_eml;

enum {
	NAMED_SO = 1, /* a file's tag */
	LOOK = 16 << 10,
	LOOKS_MAX = 256, /* files of a directory that is perhaps no folder */
	CLAIM_LOOKS = 4,
	CLAIM_DEPTH = 2,
	CLAIM_LISTS = 64,
};

struct eml {
	struct filetree tree;
	struct eml_counts counts;
	bool others_looked; /* other names mean other stores, or nothing */
	size_t news, foreign;
	char *first_foreign;
};

static bool named_eml(const char *name)
{
	static const char *const suffixes[] = { ".eml", ".eml.gz", ".eml.bz2",
						".eml.xz", ".eml.zst" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (filetree_ends(name, suffixes[i]))
			return true;
	return !ascii_compare(name, ".eml"); /* exported without a subject */
}

/* What begins like mail and is something else: a web page put away, mail of other
   stores. */
static bool named_otherwise(const char *name)
{
	static const char *const suffixes[] = {
		".mht",	 ".mhtml", ".emlx", ".emlxpart", ".msg",
		".mbox", ".mbx",   ".msf",  ".patch"
	};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (filetree_ends(name, suffixes[i]))
			return true;
	return name[0] == '.' || filetree_ends(name, ".nws");
}

static bool looks_like_mail(struct walk *w, const char *rel, const char *name,
			    bool sure)
{
	char *head = mem_alloc(LOOK);
	struct buf path = BUF_INIT;
	ssize_t got;
	bool is;

	buf_addf(&path, "%s%s%s", rel, rel[0] ? "/" : "", name);
	got = filetree_head(w, path.data, head, LOOK);
	is = got > 0 && eml_head_is_mail(head, (size_t)got, sure);
	buf_free(&path);
	free(head);
	return is;
}

static bool has_mail(struct filetree *t, const struct filetree_place *at)
{
	size_t looks = 0;

	for (size_t i = 0; i < at->dir->n; i++)
		if (at->dir->entries[i].kind == 'f' &&
		    named_eml(at->dir->entries[i].name))
			return true;
	if (t->opt->others_looked)
		return false;
	if (t->opt->known_folder &&
	    t->opt->known_folder(t->opt->known_ctx, at->rel[0] ? at->rel : "."))
		return true;
	for (size_t i = 0; i < at->dir->n && looks < LOOKS_MAX; i++) {
		const struct walk_entry *entry = &at->dir->entries[i];

		if (entry->kind != 'f' || named_otherwise(entry->name))
			continue;
		looks++;
		if (looks_like_mail(t->w, at->rel, entry->name, true))
			return true;
	}
	return false;
}

static bool visit(struct filetree *t, struct filetree_place *at)
{
	if (at->depth && at->name[0] == '.')
		return false;
	if (at->depth)
		filetree_add_part(at->parts, at->name, strlen(at->name));
	if (has_mail(t, at))
		filetree_add(t, at, filetree_use(at->parts), true);
	return true;
}

static bool is_message(struct filetree *t, struct filetree_file *file)
{
	struct eml *eml = (struct eml *)t;

	if (walk_is_file(t->w) || named_eml(file->name)) {
		file->tag = NAMED_SO;
		return true;
	}
	eml->news += filetree_ends(file->name, ".nws");
	return !eml->others_looked && !named_otherwise(file->name);
}

static bool look(struct filetree *t, const struct filetree_file *file)
{
	struct eml *eml = (struct eml *)t;
	const char *path = filetree_path(t, file);

	if (file->tag == NAMED_SO || looks_like_mail(t->w, "", path, true))
		return true;
	if (!eml->foreign++)
		eml->first_foreign = mem_strdup(filetree_path(t, file));
	return false;
}

static int feed(struct filetree *t, const struct filetree_file *file, int fd,
		struct message *m, struct err *e)
{
	struct eml *eml = (struct eml *)t;

	return eml_feed(t, file, fd, m, file->tag == NAMED_SO, &eml->counts, e);
}

static void settle(struct filetree *t, const struct filetree_file *file,
		   struct message *m)
{
	(void)t;
	(void)file;
	eml_settle(m);
}

static void finish(struct filetree *t)
{
	struct eml *eml = (struct eml *)t;

	remark_add(&t->remarks,
		   "such files do not say whether a message was read: all come "
		   "as read, but for those with Thunderbird's "
		   "X-Mozilla-Status");
	eml_remark(t, &eml->counts);
	if (eml->news)
		remark_add(
			&t->remarks,
			"%zu news articles (.nws) left out: they are no mail",
			eml->news);
	if (eml->foreign)
		remark_add(&t->remarks,
			   "%zu files left out that do not begin like mail, "
			   "the first is %s",
			   eml->foreign, eml->first_foreign);
}

static bool has_eml(struct walk *w, const char *rel, const struct walk_dir *d)
{
	unsigned looks = 0;

	for (size_t i = 0; i < d->n && looks < CLAIM_LOOKS; i++) {
		if (d->entries[i].kind != 'f' || !named_eml(d->entries[i].name))
			continue;
		looks++;
		if (looks_like_mail(w, rel, d->entries[i].name, false))
			return true;
	}
	return false;
}

static unsigned count_below(struct walk *w, const char *rel,
			    const struct walk_dir *d, unsigned enough,
			    unsigned depth, unsigned *lists);

static bool has_eml_below(struct walk *w, const char *rel, unsigned depth,
			  unsigned *lists)
{
	struct walk_dir d;
	struct err ignored;
	bool has;

	if (!*lists)
		return false;
	--*lists;
	if (walk_list(w, rel, &d, &ignored) < 0)
		return false;
	has = has_eml(w, rel, &d) ||
	      (depth && count_below(w, rel, &d, 1, depth - 1, lists));
	walk_dir_free(&d);
	return has;
}

/* In how many of its directories there is such mail, up to enough. */
static unsigned count_below(struct walk *w, const char *rel,
			    const struct walk_dir *d, unsigned enough,
			    unsigned depth, unsigned *lists)
{
	struct buf path = BUF_INIT;
	unsigned n = 0;

	for (size_t i = 0; i < d->n && n < enough && *lists; i++) {
		if (d->entries[i].kind != 'd' || d->entries[i].name[0] == '.')
			continue;
		buf_reset(&path);
		buf_addf(&path, "%s%s%s", rel, rel[0] ? "/" : "",
			 d->entries[i].name);
		n += has_eml_below(w, path.data, depth, lists);
	}
	buf_free(&path);
	return n;
}

/* A directory is a tree of them when *.eml lie in it, or below two of its
   directories: what lies below one alone is better rooted there. Files of other names
   do not count: only who names the format means them. */
static enum claim claim(const struct candidate *c)
{
	unsigned lists = CLAIM_LISTS;

	if (!c->dir)
		return named_eml(c->name) && eml_head_is_mail(c->head,
							      c->n_head, false)
			       ? CLAIM_ALL
			       : CLAIM_NO;
	if (has_eml(c->w, c->rel, c->dir) ||
	    count_below(c->w, c->rel, c->dir, 2, CLAIM_DEPTH, &lists) == 2)
		return CLAIM_PART;
	return CLAIM_NO;
}

static void eml_close(struct importer *imp)
{
	struct eml *eml = (struct eml *)imp;

	filetree_release(&eml->tree);
	eml_counts_free(&eml->counts);
	free(eml->first_foreign);
	free(eml);
}

static const struct filetree_format format = {
	.ops = &importer_eml,
	.is_message = is_message,
	.look = look,
	.feed = feed,
	.settle = settle,
	.finish = finish,
};

static int eml_open(const char *path, const struct importer_options *opt,
		    struct importer **imp_r, struct err *e)
{
	struct eml *eml = mem_zalloc(sizeof(*eml));
	struct filetree *t = &eml->tree;
	int ret;

	eml->others_looked = opt->others_looked;
	ret = filetree_open(t, &format, path, opt, e);
	if (ret == 0 && walk_is_file(t->w))
		filetree_add_file(t);
	else if (ret == 0)
		ret = filetree_find(t, visit, e);
	if (ret == 0 && !t->n_folders)
		ret = filetree_nothing(t, "mail with a file per message", e);
	t->opt = NULL;
	if (ret < 0) {
		eml_close(&t->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &t->base;
	return 0;
}

const struct importer_ops importer_eml = {
	.name = "eml",
	.title = "EML files, one per message",
	.claim = claim,
	.open = eml_open,
	.next_folder = filetree_next_folder,
	.next = filetree_next,
	.load = filetree_load,
	.remark = filetree_remark,
	.close = eml_close,
};
