/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What there is to do: which folders must be read, and where their mail goes.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/engine_internal.h"

static size_t find_place(struct plan *p, struct mapped_folder *map)
{
	for (size_t i = 0; i < p->n_places; i++)
		if (buf_equal(&p->places[i].map.key, &map->key))
			return i;
	return SIZE_MAX;
}

/* The place for map; map is handed over when the place is new. */
static int get_place(struct engine *g, struct mapped_folder *map, size_t *at_r,
		     struct err *e)
{
	struct plan *p = &g->plan;
	struct place *place;

	*at_r = find_place(p, map);
	if (*at_r != SIZE_MAX)
		return 0;
	p->places =
		mem_realloc(p->places, (p->n_places + 1) * sizeof(*p->places));
	place = &p->places[p->n_places];
	*place = (struct place){ .map = *map };
	mapped_folder_init(map);
	target_folder_init(&place->server);
	*at_r = p->n_places++;
	if (ledger_target_folder(g->led, place->map.key.data,
				 place->map.shown.data, &place->ledger, e) < 0)
		return -1;
	place->known = place->ledger.uidvalidity != 0;
	return 0;
}

static int report_unchanged(struct engine *g, const struct source *s,
			    const struct folder *f, int64_t ledger_folder_id,
			    const char *target_folder, struct err *e)
{
	struct ledger_totals totals;
	struct event ev = {
		.type = EVENT_FOLDER_DONE,
		.source = s->path,
		.format = s->format->name,
		.account = f->account,
		.folder = f->id,
		.target_folder = target_folder,
		.totals = &totals,
		.unchanged = true,
	};

	if (ledger_folder_totals(g->led, ledger_folder_id, g->run, &totals, e) <
	    0)
		return -1;
	if (g->opt->mode == ENGINE_PLAN &&
	    ledger_folder_dates(g->led, ledger_folder_id, &ev.oldest,
				&ev.newest, e) < 0)
		return -1;
	g->progress.messages += totals.found;
	engine_event(g, &ev);
	return 0;
}

/* What next() and load() say, and where it would go: both must be as they were.
 */
static void add_fingerprint(struct buf *out, const struct folder *f,
			    const struct mapped_folder *map)
{
	buf_addf(out, "%s|%s", f->fingerprint, map->key.data);
}

bool plan_takes_account(const struct engine *g, const char *account)
{
	const char *const *p = g->opt->accounts;

	if (!p)
		return true;
	while (*p && strcmp(*p, account) != 0)
		p++;
	return *p != NULL;
}

/* The bookmark of the ledger, if it stands for mail that needs no second look: all of
   it is where it belongs, and belongs there still. NULL otherwise. */
static int find_bookmark(struct engine *g, const struct ledger_folder *lf,
			 enum ledger_extent enough,
			 const struct mapped_folder *map, char **bookmark_r,
			 struct err *e)
{
	struct buf text = BUF_INIT;
	size_t key = map->key.len;
	int got;

	*bookmark_r = NULL;
	if (lf->is_new || lf->extent < enough)
		return 0;
	got = ledger_folder_marked(g->led, lf->id, &text, e);
	if (got > 0 && text.len > key && text.data[text.len - key - 1] == '|' &&
	    !memcmp(text.data + text.len - key, map->key.data, key)) {
		buf_cut(&text, text.len - key - 1);
		*bookmark_r = buf_detach(&text);
	}
	buf_free(&text);
	return got < 0 ? -1 : 0;
}

static void add_work(struct engine *g, size_t source, const struct folder *f,
		     const struct ledger_folder *lf, size_t place,
		     const char *fingerprint, char *bookmark)
{
	struct plan *p = &g->plan;

	p->work = mem_realloc(p->work, (p->n_work + 1) * sizeof(*p->work));
	p->work[p->n_work++] = (struct work){
		.source = source,
		.id = mem_strdup(f->id),
		.shown = mem_strdup(p->places[place].map.shown.data),
		.place = place,
		.ledger_folder = lf->id,
		.fingerprint = mem_strdup(fingerprint),
		.bookmark = bookmark,
		.account = mem_strdup(f->account),
		.is_new = lf->is_new,
		.trust_locators = f->locators_stand_alone || lf->unchanged,
		.bytes = f->bytes,
		.clean = true,
	};
	p->bytes += f->bytes;
}

static int plan_folder(struct engine *g, size_t source, int64_t source_id,
		       const struct folder *f, struct err *e)
{
	enum ledger_extent enough =
		g->opt->mode == ENGINE_PLAN ? EXTENT_SCANNED : EXTENT_MIGRATED;
	struct buf fingerprint = BUF_INIT;
	struct ledger_folder lf;
	struct mapped_folder map;
	char *bookmark;
	size_t place;
	int ret = -1;

	mapped_folder_init(&map);
	if (!plan_takes_account(g, f->account) ||
	    !folder_map_apply(g->opt->map, f->path, f->use, &map)) {
		ret = 0;
		goto out;
	}
	add_fingerprint(&fingerprint, f, &map);
	if (ledger_folder(g->led, source_id, f->id, map.shown.data,
			  fingerprint.data, g->run, &lf, e) < 0)
		goto out;
	if (lf.unchanged && lf.extent >= enough) {
		ret = report_unchanged(g, &g->opt->sources[source], f, lf.id,
				       map.shown.data, e);
		goto out;
	}
	if (find_bookmark(g, &lf, enough, &map, &bookmark, e) < 0)
		goto out;
	if (get_place(g, &map, &place, e) < 0) {
		free(bookmark);
		goto out;
	}
	add_work(g, source, f, &lf, place, fingerprint.data, bookmark);
	ret = 0;
out:
	mapped_folder_free(&map);
	buf_free(&fingerprint);
	return ret;
}

static void report_failed(struct engine *g, const struct source *s,
			  const struct err *e)
{
	struct event ev = {
		.type = EVENT_FOLDER_FAILED,
		.source = s->path,
		.text = e->text,
	};

	g->folders_failed++;
	engine_event(g, &ev);
}

static bool was_told(const struct engine *g, size_t source, const char *text)
{
	for (size_t i = 0; i < g->n_told; i++)
		if (g->told[i].source == source &&
		    !strcmp(g->told[i].text, text))
			return true;
	return false;
}

/* Importers keep a thousand at most (importers/remarks.h). */
void plan_remarks(struct engine *g, size_t source, struct importer *imp)
{
	const char *text;

	if (!imp->ops->remark)
		return;
	for (unsigned i = 0; (text = imp->ops->remark(imp, i)); i++) {
		struct event ev = { .type = EVENT_REMARK,
				    .source = g->opt->sources[source].path,
				    .text = text };

		if (was_told(g, source, text))
			continue;
		g->told = mem_realloc(g->told,
				      (g->n_told + 1) * sizeof(*g->told));
		g->told[g->n_told++] =
			(struct remarks_told){ .source = source,
					       .text = mem_strdup(text) };
		engine_event(g, &ev);
	}
}

void plan_forget_remarks(struct engine *g)
{
	for (size_t i = 0; i < g->n_told; i++)
		free(g->told[i].text);
	free(g->told);
	g->told = NULL;
	g->n_told = 0;
}

static int plan_source(struct engine *g, size_t i, struct err *e)
{
	const struct source *s = &g->opt->sources[i];
	struct importer *imp = NULL;
	struct folder f;
	int64_t id;
	int got, ret = -1;

	if (ledger_source(g->led, s->format->name, s->path, &id, e) < 0 ||
	    engine_open_source(g, i, &imp, e) < 0)
		return -1;
	while ((got = imp->ops->next_folder(imp, &f, e)) != 0) {
		if (got > 0) {
			if (plan_folder(g, i, id, &f, e) < 0)
				goto out;
			continue;
		}
		if (e->scope > ERR_FOLDER)
			goto out;
		report_failed(g, s, e);
	}
	plan_remarks(g, i, imp);
	ret = 0;
out:
	imp->ops->close(imp);
	return ret;
}

int plan_make(struct engine *g, struct err *e)
{
	if (!g->progress.started_ms)
		g->progress.started_ms = clock_ms();
	plan_free(&g->plan);
	adopt_reset(g);
	g->progress.messages = 0;
	g->progress.bytes_done = 0;
	g->folders_failed = 0;
	for (size_t i = 0; i < g->opt->n_sources; i++)
		if (plan_source(g, i, e) < 0)
			return -1;
	g->progress.bytes_total = g->plan.bytes;
	return 0;
}

static void work_free(struct work *w)
{
	free(w->id);
	free(w->shown);
	free(w->account);
	free(w->fingerprint);
	free(w->bookmark);
	free(w->next_bookmark);
}

bool plan_second_round(struct plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_work; i++) {
		struct work *w = &p->work[i];

		if (!w->put_off) {
			work_free(w);
			continue;
		}
		w->put_off = 0;
		w->is_new = false;
		w->unresolved = false;
		p->work[kept++] = *w;
	}
	p->n_work = kept;
	return kept > 0;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_work; i++)
		work_free(&p->work[i]);
	for (size_t i = 0; i < p->n_places; i++) {
		mapped_folder_free(&p->places[i].map);
		target_folder_free(&p->places[i].server);
	}
	free(p->work);
	free(p->places);
	*p = (struct plan){ .work = NULL };
}
