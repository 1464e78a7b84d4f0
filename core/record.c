/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was found and what became of it: into the ledger, and as events. */
#include "core/base/utf8.h"
#include "core/engine_internal.h"

void record_subject(const struct outgoing *o, struct buf *subject)
{
	struct buf raw = BUF_INIT;

	if (header_add_value(&o->m.in.header, "Subject", 0, &raw))
		utf8_add_header(subject, raw.data, raw.len);
	buf_free(&raw);
}

/* Worth a line for people? Then it needs a subject they can read. */
static bool is_news(const struct outgoing *o, enum ledger_copy_state state)
{
	return state == COPY_SKIPPED || state == COPY_FAILED || o->m.notes;
}

void record_news(struct engine *g, const struct work *w,
		 const struct outgoing *o, const char *subject,
		 enum ledger_copy_state state, const char *why)
{
	struct event ev = {
		.type = EVENT_MESSAGE,
		.source = g->opt->sources[w->source].path,
		.folder = w->id,
		.target_folder = w->shown,
		.locator = o->m.locator.data,
		.subject = subject,
		.state = state,
		.size = o->m.in.wire_size,
		.notes = o->m.notes,
		.text = why,
	};

	engine_event(g, &ev);
}

static int put_copy(struct engine *g, struct work *w, struct outgoing *o,
		    bool whole, int64_t message, enum ledger_copy_state state,
		    const char *why, struct err *e)
{
	struct buf subject = BUF_INIT;
	int ret;

	if (!message || is_news(o, state))
		record_subject(o, &subject);
	struct ledger_copy_about about = {
		.locator = o->m.locator.data,
		.offset = o->m.offset,
		.length = o->m.length,
		.size = o->m.in.wire_size,
		.digest = whole ? &o->m.in.digest : NULL,
		.message = message,
		.state = state,
		.why = why,
		.subject = message ? NULL : subject.data,
		.date = o->date,
		.notes = o->m.notes,
	};
	ret = ledger_copy_put(g->led, w->ledger_folder, g->run, &about, e);
	if (ret == 0 && is_news(o, state))
		record_news(g, w, o, subject.data, state, why);
	buf_free(&subject);
	return ret;
}

int record_copy(struct engine *g, struct work *w, struct outgoing *o,
		int64_t message, enum ledger_copy_state state, const char *why,
		struct err *e)
{
	return put_copy(g, w, o, true, message, state, why, e);
}

int record_unread(struct engine *g, struct work *w, struct outgoing *o,
		  const char *why, struct err *e)
{
	w->clean = false;
	return put_copy(g, w, o, false, 0, COPY_FAILED, why, e);
}

int record_unresolved(struct engine *g, struct err *e)
{
	int ret = 0;

	g->all_answered = true;
	for (size_t i = 0; ret == 0 && i < g->plan.n_work; i++)
		if (g->plan.work[i].unresolved)
			ret = record_folder_end(g, &g->plan.work[i], e);
	g->all_answered = false;
	return ret;
}

int record_plan(struct engine *g, struct work *w, struct outgoing *o,
		int64_t *id_r, struct err *e)
{
	struct buf message_id = BUF_INIT, subject = BUF_INIT;
	int ret;

	header_add_message_id(&o->m.in.header, &message_id);
	record_subject(o, &subject);
	struct ledger_about about = {
		.size = o->m.in.wire_size,
		.message_id = message_id.data,
		.subject = subject.data,
		.date = o->date,
		.flags = &o->m.flags,
	};
	ret = ledger_plan(g->led, g->plan.places[w->place].ledger.id,
			  &o->m.in.digest, &about, g->run, id_r, e);
	buf_free(&message_id);
	buf_free(&subject);
	return ret;
}

/* Has every message of the folder found its end? */
static bool is_through(const struct engine *g, const struct work *w,
		       const struct ledger_totals *t)
{
	if (g->opt->mode == ENGINE_PLAN)
		return w->clean;
	return w->clean && !t->pending && !t->failed;
}

/* How far the folder was read, together with where its mail went. */
static int mark_folder(struct engine *g, const struct work *w, struct err *e)
{
	const struct buf *key = &g->plan.places[w->place].map.key;
	struct buf text = BUF_INIT;
	int ret;

	if (!w->next_bookmark)
		return ledger_folder_mark(g->led, w->ledger_folder, NULL, e);
	buf_addf(&text, "%s|", w->next_bookmark);
	buf_add(&text, key->data, key->len);
	ret = ledger_folder_mark(g->led, w->ledger_folder, text.data, e);
	buf_free(&text);
	return ret;
}

int record_folder_end(struct engine *g, struct work *w, struct err *e)
{
	enum ledger_extent extent = EXTENT_NONE;
	struct ledger_totals totals;
	struct event ev = {
		.type = EVENT_FOLDER_DONE,
		.source = g->opt->sources[w->source].path,
		.format = g->opt->sources[w->source].format->name,
		.account = w->account,
		.folder = w->id,
		.target_folder = w->shown,
		.totals = &totals,
	};

	if (!w->read_to_end || w->outstanding)
		return 0;
	if (ledger_folder_totals(g->led, w->ledger_folder, g->run, &totals, e) <
	    0)
		return -1;
	/* Copies whose message is on its way for another folder: that must be
	   over first, or a folder would count as done for mail that never
	   arrived. */
	w->unresolved = g->opt->mode == ENGINE_MIGRATE && totals.pending &&
			!g->all_answered;
	if (w->unresolved)
		return 0;
	if (is_through(g, w, &totals))
		extent = g->opt->mode == ENGINE_PLAN ? EXTENT_SCANNED
						     : EXTENT_MIGRATED;
	if (ledger_folder_done(g->led, w->ledger_folder, w->fingerprint, extent,
			       g->run, e) < 0 ||
	    mark_folder(g, w, e) < 0 ||
	    ledger_folder_totals(g->led, w->ledger_folder, g->run, &totals, e) <
		    0)
		return -1;
	if (g->opt->mode == ENGINE_PLAN &&
	    ledger_folder_dates(g->led, w->ledger_folder, &ev.oldest,
				&ev.newest, e) < 0)
		return -1;
	engine_event(g, &ev);
	return 0;
}
