/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose is it? Asks the formats about a path. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "importers/importer.h"

/* What claim is asked about, and what it needs meanwhile. */
struct look {
	struct candidate c;
	struct walk_dir dir;
	char *head;
};

static const char *leaf_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void candidate_init(struct candidate *c, struct walk *w, const char *rel)
{
	*c = (struct candidate){
		.w = w,
		.rel = rel,
		.name = leaf_of(rel[0] ? rel : walk_root(w)),
	};
}

int candidate_read(struct candidate *c, char *head, struct err *e)
{
	struct stat st;
	int fd = walk_file(c->w, c->rel, &st, e);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = walk_read_at(fd, head, CLAIM_HEAD, 0);
	close(fd);
	if (got < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s: %s",
			       c->rel, strerror(errno));
	c->head = head;
	c->n_head = (size_t)got;
	c->size = (uint64_t)st.st_size;
	return 0;
}

static void look_done(struct look *l)
{
	walk_close(l->c.w);
	walk_dir_free(&l->dir);
	free(l->head);
}

/* False if there is nothing to look at. */
static bool look(struct look *l, const char *path)
{
	struct err ignored;
	struct walk *w = NULL;
	int got;

	*l = (struct look){ .head = NULL };
	if (walk_open(path, &w, &ignored) < 0)
		return false;
	candidate_init(&l->c, w, "");
	if (walk_is_file(w)) {
		l->head = mem_alloc(CLAIM_HEAD);
		got = candidate_read(&l->c, l->head, &ignored);
	} else {
		got = walk_list(w, "", &l->dir, &ignored);
		l->c.dir = &l->dir;
	}
	if (got < 0)
		look_done(l);
	return got == 0;
}

enum claim importer_claim(const struct importer_ops *ops, const char *path)
{
	enum claim claim;
	struct look l;

	if (!look(&l, path))
		return CLAIM_NO;
	claim = ops->claim(&l.c);
	look_done(&l);
	return claim;
}

const struct importer_ops *importer_surest(const struct candidate *c,
					   enum claim *claim_r)
{
	const struct importer_ops *surest = NULL;

	*claim_r = CLAIM_NO;
	/* Nothing is surer than CLAIM_MORE, and asking costs. */
	for (size_t i = 0; importer_registry[i] && *claim_r < CLAIM_MORE; i++) {
		enum claim claim = importer_registry[i]->claim(c);

		if (claim > *claim_r) {
			*claim_r = claim;
			surest = importer_registry[i];
		}
	}
	return surest;
}

const struct importer_ops *importer_probe(const char *path)
{
	const struct importer_ops *surest;
	enum claim claim;
	struct look l;

	if (!look(&l, path))
		return NULL;
	surest = importer_surest(&l.c, &claim);
	look_done(&l);
	return surest;
}

int importer_walk(const char *path, const struct importer_options *opt,
		  struct walk **w_r, struct err *e)
{
	if (walk_open(path, w_r, e) < 0)
		return -1;
	walk_except(*w_r, opt->except);
	return 0;
}
