/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One folder of a source: read, decide, send. */
#include <stdlib.h>
#include <string.h>

#include "core/base/fault.h"
#include "core/base/utf8.h"
#include "core/engine_internal.h"

/* How often the pipeline is pushed on while messages are read. */
enum { PUSH_EVERY_BYTES = 128 << 10 };

static struct outgoing *take_message(struct engine *g)
{
	struct outgoing *o = g->free_messages;

	if (o) {
		g->free_messages = o->next;
		message_reset(&o->m);
	} else {
		o = mem_zalloc(sizeof(*o));
		message_init(&o->m);
	}
	o->m.in.want_spool = g->opt->mode == ENGINE_MIGRATE;
	o->m.in.drop_leading = o->m.in.drop_anywhere = NULL;
	return o;
}

static void give_back(struct engine *g, struct outgoing *o)
{
	message_reset(&o->m);
	o->next = g->free_messages;
	g->free_messages = o;
}

static struct flight *take_flight(struct engine *g, size_t place)
{
	struct flight *f = g->free_flights;

	if (f)
		g->free_flights = f->next;
	else
		f = mem_zalloc(sizeof(*f));
	f->place = place;
	f->batch.n = 0;
	f->batch.bytes = 0;
	f->batch.uidvalidity = 0;
	f->batch.folder = &g->plan.places[place].server;
	return f;
}

/* ---- the ledger's view of what was found ---- */

static void describe(const struct outgoing *o, struct buf *subject)
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

static void report_message(struct engine *g, const struct work *w,
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

	if (is_news(o, state))
		engine_event(g, &ev);
}

static int put_copy(struct engine *g, struct work *w, struct outgoing *o,
		    bool whole, int64_t message, enum ledger_copy_state state,
		    const char *why, struct err *e)
{
	struct buf subject = BUF_INIT;
	int ret;

	if (!message || is_news(o, state))
		describe(o, &subject);
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
	if (ret == 0)
		report_message(g, w, o, subject.data, state, why);
	buf_free(&subject);
	return ret;
}

static int put_failed(struct engine *g, struct work *w, struct outgoing *o,
		      const char *why, struct err *e)
{
	w->clean = false;
	return put_copy(g, w, o, false, 0, COPY_FAILED, why, e);
}

static int plan_message(struct engine *g, struct work *w, struct outgoing *o,
			int64_t *id_r, struct err *e)
{
	struct buf message_id = BUF_INIT, subject = BUF_INIT;
	int ret;

	header_add_message_id(&o->m.in.header, &message_id);
	describe(o, &subject);
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

/* ---- folders that have come to their end ---- */

static int finish_folder(struct engine *g, struct work *w, struct err *e)
{
	enum ledger_extent extent = EXTENT_NONE;
	struct ledger_totals totals;
	struct event ev = {
		.type = EVENT_FOLDER_DONE,
		.source = g->opt->sources[w->source].path,
		.folder = w->id,
		.target_folder = w->shown,
		.totals = &totals,
	};

	if (!w->read_to_end || w->outstanding)
		return 0;
	if (w->clean)
		extent = g->opt->mode == ENGINE_PLAN ? EXTENT_SCANNED
						     : EXTENT_MIGRATED;
	if (ledger_folder_done(g->led, w->ledger_folder, w->fingerprint, extent,
			       g->run, e) < 0 ||
	    ledger_folder_totals(g->led, w->ledger_folder, g->run, &totals, e) <
		    0)
		return -1;
	engine_event(g, &ev);
	return 0;
}

/* ---- answers ---- */

static int finish_refused(struct engine *g, struct outgoing *o,
			  const struct err *why, struct err *e)
{
	struct buf subject = BUF_INIT;

	o->work->clean = false;
	describe(o, &subject);
	report_message(g, o->work, o, subject.data, COPY_FAILED, why->text);
	buf_free(&subject);
	if (ledger_refuse(g->led, o->id, why->text, g->run, e) < 0)
		return -1;
	return ledger_copy_resolve(g->led, o->id, COPY_FAILED, why->text, e);
}

static int finish_item(struct engine *g, struct flight *f,
		       struct append_item *item, struct err *e)
{
	struct outgoing *o = item->owner;
	struct place *p = &g->plan.places[f->place];
	uint32_t uidvalidity = f->batch.uidvalidity;

	switch (item->result) {
	case APPEND_DONE:
		if (!uidvalidity)
			uidvalidity = p->server.uidvalidity;
		if (ledger_confirm(g->led, o->id, item->uid, uidvalidity,
				   g->run, e) < 0)
			return -1;
		g->progress.uploaded++;
		return ledger_copy_resolve(g->led, o->id, COPY_UPLOADED, NULL,
					   e);
	case APPEND_REFUSED:
		return finish_refused(g, o, &item->why, e);
	case APPEND_UNSENT:
		o->work->clean = false;
		return ledger_retract(g->led, o->id, e);
	case APPEND_WAITING:
	case APPEND_UNKNOWN:
		break; /* the intent stays open: settling finds out */
	}
	o->work->clean = false;
	return 0;
}

/* Every message of f has its answer, or will not get one. f is free afterwards,
   also when the ledger fails: then the first failure is in e. */
static int finish_flight(struct engine *g, struct flight *f, struct err *e)
{
	struct err later = ERR_INIT;
	int ret = 0;

	for (size_t i = 0; i < f->batch.n; i++) {
		struct append_item *item = &f->batch.items[i];
		struct outgoing *o = item->owner;

		if (finish_item(g, f, item, ret < 0 ? &later : e) < 0)
			ret = -1;
		o->work->outstanding--;
		if (finish_folder(g, o->work, ret < 0 ? &later : e) < 0)
			ret = -1;
		give_back(g, o);
	}
	f->next = g->free_flights;
	g->free_flights = f;
	return ret;
}

static int collect(struct engine *g, bool wait, struct err *e)
{
	struct append_batch *b;
	int got;

	while (g->in_flight) {
		got = g->target->ops->reap(g->target, wait, &b, e);
		if (got <= 0)
			return got;
		g->in_flight--;
		if (finish_flight(g, (struct flight *)b, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- sending ---- */

static int submit(struct engine *g, struct err *e)
{
	struct flight *f = g->filling;

	if (!f)
		return 0;
	if (ledger_commit(g->led, e) < 0) /* L1 */
		return -1;
	fault_point("transfer.intended");
	g->filling = NULL;
	g->in_flight++;
	if (g->target->ops->submit(g->target, &f->batch, e) < 0)
		return -1;
	g->target->ops->limits(g->target, &g->limits);
	return collect(g, false, e);
}

static void fill_item(struct outgoing *o, struct append_item *item)
{
	*item = (struct append_item){
		.bytes = &o->m.in.spool,
		.size = o->m.in.wire_size,
		.flags = &o->m.flags,
		.date = o->date,
		.has_nul = o->m.in.nuls > 0,
		.owner = o,
	};
}

static void add_to_batch(struct engine *g, struct work *w, struct outgoing *o)
{
	struct flight *f = g->filling;

	if (!f)
		f = g->filling = take_flight(g, w->place);
	if (f->batch.n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		f->batch.items = mem_realloc(f->batch.items,
					     f->cap * sizeof(*f->batch.items));
	}
	fill_item(o, &f->batch.items[f->batch.n++]);
	f->batch.bytes += o->m.in.wire_size;
	o->work = w;
	w->outstanding++;
}

/* Would o make the batch under construction too big, or has it another folder?
 */
static bool must_submit_first(const struct engine *g, const struct work *w,
			      const struct outgoing *o)
{
	const struct flight *f = g->filling;

	return f &&
	       (f->place != w->place ||
		f->batch.n >= g->limits.batch_messages ||
		f->batch.bytes + o->m.in.wire_size > g->limits.batch_bytes);
}

static int refuse_unsent(struct engine *g, struct work *w, struct outgoing *o,
			 int64_t id, const char *why, struct err *e)
{
	w->clean = false;
	if (ledger_refuse(g->led, id, why, g->run, e) < 0)
		return -1;
	return put_copy(g, w, o, true, id, COPY_FAILED, why, e);
}

/* Is it on the server already, though the ledger does not know? 1, 0, -1. */
static int adopt(struct engine *g, struct work *w, struct outgoing *o,
		 int64_t id, struct err *e)
{
	struct place *p = &g->plan.places[w->place];
	struct buf message_id = BUF_INIT;
	uint32_t uid;
	int got;

	header_add_message_id(&o->m.in.header, &message_id);
	got = ledger_foreign_next(g->led, p->ledger.id, o->m.in.wire_size,
				  message_id.data, 0, &uid, e);
	buf_free(&message_id);
	/* Looking at it needs the connection for itself. */
	if (got > 0 && transfer_finish(g, e) < 0)
		got = -1;
	if (got > 0)
		got = adopt_message(g, p, o, id, e);
	if (got > 0 && put_copy(g, w, o, true, id, COPY_ALREADY, NULL, e) < 0)
		got = -1;
	return got;
}

/* The message (id in the ledger) is to go out; *kept_r tells that o is in a
   batch now and not the caller's any more. */
static int send_message(struct engine *g, struct work *w, struct outgoing *o,
			int64_t id, bool *kept_r, struct err *e)
{
	struct place *p = &g->plan.places[w->place];
	struct buf why = BUF_INIT;
	int ret;

	if (g->opt->mode == ENGINE_PLAN)
		return put_copy(g, w, o, true, id, COPY_PENDING, NULL, e);
	if (!p->ready && !p->failed && engine_prepare(g, e) < 0)
		return -1;
	if (p->failed)
		return refuse_unsent(g, w, o, id, p->why.text, e);
	if (g->limits.message_bytes &&
	    o->m.in.wire_size > g->limits.message_bytes) {
		buf_addf(&why,
			 "%llu bytes are more than the server takes (%llu)",
			 (unsigned long long)o->m.in.wire_size,
			 (unsigned long long)g->limits.message_bytes);
		ret = refuse_unsent(g, w, o, id, why.data, e);
		buf_free(&why);
		return ret;
	}
	if (p->foreign && (ret = adopt(g, w, o, id, e)) != 0)
		return ret < 0 ? -1 : 0;
	if (must_submit_first(g, w, o) && submit(g, e) < 0)
		return -1;
	if (ledger_intend(g->led, id, g->run, e) < 0 ||
	    put_copy(g, w, o, true, id, COPY_PENDING, NULL, e) < 0)
		return -1;
	o->id = id;
	add_to_batch(g, w, o);
	*kept_r = true;
	return 0;
}

/* ---- deciding ---- */

static int decide_done(struct engine *g, struct work *w, struct outgoing *o,
		       const struct ledger_copy *old,
		       const struct ledger_message *m, bool core_only,
		       struct err *e)
{
	int claimed;

	/* It was told apart when it was first seen. */
	if (old->message == m->id &&
	    (old->state == COPY_UPLOADED || old->state == COPY_ALREADY ||
	     old->state == COPY_DUPLICATE))
		return 0;
	claimed = ledger_copy_claimed(g->led, m->id, w->ledger_folder,
				      o->m.locator.data, g->run, e);
	if (claimed < 0)
		return -1;
	return put_copy(g, w, o, true, m->id,
			claimed ? COPY_DUPLICATE : COPY_ALREADY,
			core_only ? "the same message with other trace headers"
				  : NULL,
			e);
}

static int decide_planned(struct engine *g, struct work *w, struct outgoing *o,
			  const struct ledger_message *m, bool *kept_r,
			  struct err *e)
{
	int claimed = 0;

	if (g->opt->mode == ENGINE_PLAN)
		claimed = ledger_copy_claimed(g->led, m->id, w->ledger_folder,
					      o->m.locator.data, g->run, e);
	if (claimed < 0)
		return -1;
	if (claimed)
		return put_copy(g, w, o, true, m->id, COPY_DUPLICATE, NULL, e);
	return send_message(g, w, o, m->id, kept_r, e);
}

/* Flags of a copy that came while the first is still in the batch under
   construction go out with it. */
static void unite_with_batch(struct engine *g, const struct outgoing *o,
			     int64_t id)
{
	for (size_t i = 0; g->filling && i < g->filling->batch.n; i++) {
		struct outgoing *first = g->filling->batch.items[i].owner;

		if (first->id == id)
			flags_unite(&first->m.flags, &o->m.flags);
	}
}

static int decide_known(struct engine *g, struct work *w, struct outgoing *o,
			const struct ledger_copy *old,
			const struct ledger_message *m, bool core_only,
			bool *kept_r, struct err *e)
{
	switch (m->state) {
	case LEDGER_DONE:
		return decide_done(g, w, o, old, m, core_only, e);
	case LEDGER_INTENT:
		unite_with_batch(g, o, m->id);
		if (ledger_unite_flags(g->led, m->id, &o->m.flags, e) < 0)
			return -1;
		return put_copy(g, w, o, true, m->id, COPY_PENDING, NULL, e);
	case LEDGER_REFUSED:
		if (m->run == g->run) {
			w->clean = false;
			return put_copy(g, w, o, true, m->id, COPY_FAILED,
					m->why.data, e);
		}
		return send_message(g, w, o, m->id, kept_r, e);
	case LEDGER_PLANNED:
		break;
	}
	return decide_planned(g, w, o, m, kept_r, e);
}

/* A match by core digest stands only for a message that is on its way or there:
   the row of one that is not would be sent with the other's bytes. And only
   with a Message-ID: without one (and perhaps without Date, From and Subject)
   equal bodies say too little. */
static bool core_counts(const struct engine *g, const struct ledger_message *m)
{
	if (!m->message_id.len)
		return false;
	return m->state == LEDGER_DONE || m->state == LEDGER_INTENT ||
	       (m->state == LEDGER_PLANNED && g->opt->mode == ENGINE_PLAN);
}

static int decide(struct engine *g, struct work *w, struct outgoing *o,
		  const struct ledger_copy *old, bool *kept_r, struct err *e)
{
	struct ledger_message m;
	bool core_only;
	int64_t id;
	int got, ret = -1;

	ledger_message_init(&m);
	got = ledger_find(g->led, g->plan.places[w->place].ledger.id,
			  &o->m.in.digest, &m, &core_only, e);
	if (got < 0)
		goto out;
	if (got && (!core_only || core_counts(g, &m))) {
		ret = decide_known(g, w, o, old, &m, core_only, kept_r, e);
		goto out;
	}
	if (plan_message(g, w, o, &id, e) < 0)
		goto out;
	ret = send_message(g, w, o, id, kept_r, e);
out:
	ledger_message_free(&m);
	return ret;
}

static enum message_skip why_skipped(const struct engine *g,
				     const struct outgoing *o)
{
	if (o->m.skip != SKIP_NOT)
		return o->m.skip;
	if (!o->m.in.wire_size)
		return SKIP_EMPTY;
	if (g->opt->since != DATE_NONE && o->date < g->opt->since)
		return SKIP_DATE;
	if (g->opt->until != DATE_NONE && o->date >= g->opt->until)
		return SKIP_DATE;
	return SKIP_NOT;
}

static int consider(struct engine *g, struct work *w, struct outgoing *o,
		    const struct ledger_copy *old, bool *kept_r, struct err *e)
{
	enum message_skip why;

	o->date = date_choose(&o->m.when, g->now);
	why = why_skipped(g, o);
	if (why == SKIP_NOT)
		return decide(g, w, o, old, kept_r, e);
	if (why == SKIP_DATE)
		w->clean = false;
	return put_copy(g, w, o, true, 0, COPY_SKIPPED, message_skip_text(why),
			e);
}

/* ---- reading ---- */

/* Was this copy dealt with for good, so that it need not be read? */
static bool settled(const struct engine *g, const struct work *w,
		    const struct ledger_copy *c)
{
	/* With another --map it may have gone to another folder. */
	if (c->target_folder != g->plan.places[w->place].ledger.id)
		return false;
	switch (c->state) {
	case COPY_UPLOADED:
	case COPY_ALREADY:
	case COPY_DUPLICATE:
		return true;
	case COPY_PENDING:
		return g->opt->mode == ENGINE_PLAN;
	default: /* reasons may have changed: --since, a repaired file */
		return false;
	}
}

static int pass(struct importer *imp, uint64_t length, struct err *e)
{
	return imp->ops->pass ? imp->ops->pass(imp, length, e) : 0;
}

static int read_message(struct engine *g, struct work *w, struct importer *imp,
			struct outgoing *o, bool *kept_r, struct err *e)
{
	struct ledger_copy old = { .id = 0 };
	int got;

	got = w->is_new ? 0
			: ledger_copy_find(g->led, w->ledger_folder,
					   o->m.locator.data, g->run, &old, e);
	if (got < 0)
		return -1;
	if (got && w->trust_locators && settled(g, w, &old)) {
		g->progress.bytes_done += old.length;
		return pass(imp, old.length, e);
	}
	if (imp->ops->load(imp, &o->m, e) < 0) {
		if (e->scope > ERR_MESSAGE)
			return -1;
		struct err why = *e;

		return put_failed(g, w, o, why.text, e);
	}
	g->progress.bytes_read += o->m.in.store_size;
	g->progress.bytes_done += o->m.length;
	bool large = o->m.in.store_size >= PUSH_EVERY_BYTES;

	if (consider(g, w, o, &old, kept_r, e) < 0)
		return -1;
	return large ? collect(g, false, e) : 0;
}

static int next_message(struct engine *g, struct work *w, struct importer *imp,
			struct outgoing *o, bool *kept_r, struct err *e)
{
	int got = imp->ops->next(imp, &o->m, e);

	if (got == 0 || (got < 0 && e->scope > ERR_MESSAGE))
		return got;
	g->progress.messages++;
	/* Each that is found has a row of its own (M2), wherever the importer
	   gave up. */
	if (!o->m.locator.len)
		buf_addf(&o->m.locator, "unreadable, number %llu of the run",
			 (unsigned long long)g->progress.messages);
	if (got < 0) {
		struct err why = *e;

		return put_failed(g, w, o, why.text, e) < 0 ? -1 : 1;
	}
	return read_message(g, w, imp, o, kept_r, e) < 0 ? -1 : 1;
}

int transfer_folder(struct engine *g, struct work *w, struct importer *imp,
		    struct err *e)
{
	struct event begin = {
		.type = EVENT_FOLDER,
		.source = g->opt->sources[w->source].path,
		.folder = w->id,
		.target_folder = w->shown,
	};
	uint64_t done_before = g->progress.bytes_done;
	struct outgoing *o = NULL;
	uint64_t turn = 0;
	int got = 1;

	engine_event(g, &begin);
	while (got > 0) {
		struct event moved = { .type = EVENT_PROGRESS,
				       .target_folder = w->shown };
		bool kept = false;

		if (engine_stopped(g)) {
			got = err_set(e, ERR_INTERRUPTED, ERR_RUN, ERR_NEVER,
				      "interrupted; run it again to go on");
			break;
		}
		if (!o)
			o = take_message(g);
		else
			message_reset(&o->m);
		got = next_message(g, w, imp, o, &kept, e);
		if (kept)
			o = NULL;
		if (got > 0 && ++turn % 16 == 0 && collect(g, false, e) < 0)
			got = -1;
		engine_event(g, &moved);
	}
	if (o)
		give_back(g, o);
	if (got < 0)
		return -1;
	g->progress.bytes_done = done_before + w->bytes;
	w->read_to_end = true;
	return finish_folder(g, w, e);
}

int transfer_finish(struct engine *g, struct err *e)
{
	if (submit(g, e) < 0 || collect(g, true, e) < 0)
		return -1;
	return ledger_commit(g->led, e);
}

void transfer_abandon(struct engine *g)
{
	struct err later = ERR_INIT;
	struct append_batch *b;
	unsigned failures = 0;
	int got;

	if (g->filling) {
		struct flight *f = g->filling;

		for (size_t i = 0; i < f->batch.n; i++)
			f->batch.items[i].result = APPEND_UNSENT;
		g->filling = NULL;
		finish_flight(g, f, &later);
	}
	/* The first reap may report the failure that brought us here. */
	while (g->target && g->in_flight && failures < 2) {
		got = g->target->ops->reap(g->target, true, &b, &later);
		if (got == 0)
			break;
		if (got < 0) {
			failures++;
			continue;
		}
		g->in_flight--;
		finish_flight(g, (struct flight *)b, &later);
	}
	g->in_flight = 0;
	ledger_commit(g->led, &later);
}

void transfer_free(struct engine *g)
{
	while (g->free_messages) {
		struct outgoing *o = g->free_messages;

		g->free_messages = o->next;
		message_free(&o->m);
		free(o);
	}
	while (g->free_flights) {
		struct flight *f = g->free_flights;

		g->free_flights = f->next;
		free(f->batch.items);
		free(f);
	}
}
