/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One folder of a source: read, decide; send.c sends. */
#include <stdlib.h>
#include <string.h>

#include "core/ahead.h"
#include "core/base/log.h"
#include "core/engine_internal.h"

/* How often the pipeline is pushed on while messages are read. */
enum { PUSH_EVERY_BYTES = 128 << 10 };

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
	if (g->opt->mode == ENGINE_MIGRATE &&
	    ledger_late_flags(g->led, m->id, &o->m.flags, e) < 0)
		return -1;
	return record_copy(g, w, o, m->id,
			   claimed ? COPY_DUPLICATE : COPY_ALREADY,
			   core_only
				   ? "the same message with other trace headers"
				   : NULL,
			   e);
}

static int decide_planned(struct engine *g, struct work *w, struct outgoing *o,
			  const struct ledger_message *m, bool *kept_r,
			  struct err *e)
{
	int claimed = 0;

	/* It waits, for adoption or to be sent once more. */
	if (send_unite(g, m->id, &o->m.flags)) {
		if (ledger_unite_flags(g->led, m->id, &o->m.flags, e) < 0)
			return -1;
		return record_copy(g, w, o, m->id, COPY_PENDING, NULL, e);
	}
	if (g->opt->mode == ENGINE_PLAN)
		claimed = ledger_copy_claimed(g->led, m->id, w->ledger_folder,
					      o->m.locator.data, g->run, e);
	if (claimed < 0)
		return -1;
	if (claimed)
		return record_copy(g, w, o, m->id, COPY_DUPLICATE, NULL, e);
	/* What other copies had, seen by an attempt that did not get to send
	 * it. */
	if (ledger_add_flags_to(g->led, m->id, &o->m.flags, e) < 0)
		return -1;
	return send_message(g, w, o, m->id, kept_r, e);
}

static int decide_known(struct engine *g, struct work *w, struct outgoing *o,
			const struct ledger_copy *old,
			const struct ledger_message *m, bool core_only,
			bool *kept_r, struct err *e)
{
	o->known_repairs = m->repairs;
	switch (m->state) {
	case LEDGER_DONE:
		return decide_done(g, w, o, old, m, core_only, e);
	case LEDGER_INTENT:
		if ((send_unite(g, m->id, &o->m.flags)
			     ? ledger_unite_flags
			     : ledger_late_flags)(g->led, m->id, &o->m.flags,
						  e) < 0)
			return -1;
		return record_copy(g, w, o, m->id, COPY_PENDING, NULL, e);
	case LEDGER_REFUSED:
		if (m->run == g->run) {
			w->clean = false;
			return record_copy(g, w, o, m->id, COPY_FAILED,
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
	       (m->state == LEDGER_PLANNED &&
		(g->opt->mode == ENGINE_PLAN || send_waits(g, m->id)));
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
	if (record_plan(g, w, o, &id, e) < 0)
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

/* Is there, or comes, the same message whole? Then this copy gives way to it. */
static int give_way(struct engine *g, struct work *w, struct outgoing *o,
		    const struct ledger_message *whole, struct err *e)
{
	bool there = whole->state == LEDGER_DONE;
	int ret;

	if (g->opt->mode == ENGINE_PLAN)
		ret = 0;
	else if (there)
		ret = ledger_late_flags(g->led, whole->id, &o->m.flags, e);
	else if (send_unite(g, whole->id, &o->m.flags) ||
		 whole->state == LEDGER_PLANNED)
		ret = ledger_unite_flags(g->led, whole->id, &o->m.flags, e);
	else
		ret = ledger_late_flags(g->led, whole->id, &o->m.flags, e);
	if (ret < 0)
		return -1;
	if (g->opt->mode == ENGINE_PLAN)
		there = true;
	return record_copy(g, w, o, whole->id,
			   there ? COPY_DUPLICATE : COPY_PENDING,
			   "only its beginning was downloaded; another source "
			   "has the whole message",
			   e);
}

/* Is this very copy there already, from an earlier run? */
static int is_done(struct engine *g, const struct work *w,
		   const struct outgoing *o, struct err *e)
{
	struct ledger_message m;
	bool core_only;
	int got;

	ledger_message_init(&m);
	got = ledger_find(g->led, g->plan.places[w->place].ledger.id,
			  &o->m.in.digest, &m, &core_only, e);
	if (got > 0)
		got = !core_only && m.state == LEDGER_DONE;
	ledger_message_free(&m);
	return got;
}

/* 1: nothing more is to be done about it now; 0: it is sent as it is; -1. */
static int consider_partial(struct engine *g, struct work *w,
			    struct outgoing *o, struct err *e)
{
	struct buf id = BUF_INIT, subject = BUF_INIT;
	struct ledger_message whole;
	int got;

	ledger_message_init(&whole);
	header_add_message_id(&o->m.in.header, &id);
	record_subject(o, &subject);
	struct ledger_about about = {
		.size = o->m.in.wire_size,
		.message_id = id.data,
		.subject = subject.data,
		.date = o->date,
	};
	got = ledger_find_whole(g->led, &about, NOTE_PARTIAL, &whole, e);
	if (got > 0) {
		got = give_way(g, w, o, &whole, e) < 0 ? -1 : 1;
	} else if (got == 0 && id.len && !g->second_round) {
		got = is_done(g, w, o, e);
		if (got == 0)
			w->put_off++;
		got = got < 0 ? -1 : !got;
	}
	ledger_message_free(&whole);
	buf_free(&id);
	buf_free(&subject);
	return got;
}

static int consider(struct engine *g, struct work *w, struct outgoing *o,
		    const struct ledger_copy *old, bool *kept_r, struct err *e)
{
	enum message_skip why;
	int done = 0;

	o->date = date_choose(&o->m.when, g->now);
	why = why_skipped(g, o);
	if (why == SKIP_NOT && o->m.notes & NOTE_PARTIAL)
		done = consider_partial(g, w, o, e);
	if (done)
		return done < 0 ? -1 : 0;
	if (why == SKIP_NOT)
		return decide(g, w, o, old, kept_r, e);
	if (why == SKIP_DATE)
		w->clean = false;
	return record_copy(g, w, o, 0, COPY_SKIPPED, message_skip_text(why), e);
}

/* ---- reading ---- */

/* Was this copy dealt with for good, so that it need not be read? */
static bool settled(const struct engine *g, const struct work *w,
		    const struct ledger_copy *c)
{
	/* The first round said so, a moment ago. */
	if (g->second_round &&
	    (c->state == COPY_SKIPPED || c->state == COPY_FAILED))
		return true;
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

		return record_unread(g, w, o, why.text, e);
	}
	g->progress.bytes_read += o->m.in.store_size;
	g->progress.bytes_done += o->m.length;
	bool large = o->m.in.store_size >= PUSH_EVERY_BYTES;

	if (consider(g, w, o, &old, kept_r, e) < 0)
		return -1;
	return large ? send_collect(g, false, e) : 0;
}

/* It was found: counted, and with a row of its own (M2), wherever the importer
   gave up. */
static void count_message(struct engine *g, struct outgoing *o)
{
	g->progress.messages++;
	o->date = DATE_NONE; /* until its header is read */
	if (!o->m.locator.len)
		buf_addf(&o->m.locator, "unreadable, number %llu of the run",
			 (unsigned long long)g->progress.messages);
}

static int unread_message(struct engine *g, struct work *w, struct outgoing *o,
			  struct err *e)
{
	struct err why = *e;

	return record_unread(g, w, o, why.text, e) < 0 ? -1 : 1;
}

static int next_message(struct engine *g, struct work *w, struct importer *imp,
			struct outgoing *o, bool *kept_r, struct err *e)
{
	int got = imp->ops->next(imp, &o->m, e);

	if (got == 0 || (got < 0 && e->scope > ERR_MESSAGE))
		return got;
	count_message(g, o);
	if (got < 0)
		return unread_message(g, w, o, e);
	return read_message(g, w, imp, o, kept_r, e) < 0 ? -1 : 1;
}

/* ---- reading ahead ---- */

/* A thread is not worth its start for less. */
enum { AHEAD_WORTH = 128 << 10, AHEAD_PATIENCE_MS = 10 };

/* Every message of it is to be read, and nobody is asked in between. */
static bool may_read_ahead(const struct engine *g, const struct work *w)
{
	return w->is_new && !g->opt->import.doubt &&
	       (w->bytes == 0 || w->bytes >= AHEAD_WORTH);
}

static void feed(struct engine *g, struct ahead *a)
{
	while (ahead_is_hungry(a))
		ahead_give(a, &send_take(g)->m);
}

/* As read_message does it for one that was not known. */
static int take_message(struct engine *g, struct work *w, struct outgoing *o,
			bool *kept_r, struct err *e)
{
	const struct ledger_copy none = { .id = 0 };
	bool large = o->m.in.store_size >= PUSH_EVERY_BYTES;

	count_message(g, o);
	g->progress.bytes_read += o->m.in.store_size;
	g->progress.bytes_done += o->m.length;
	if (consider(g, w, o, &none, kept_r, e) < 0)
		return -1;
	return large && send_collect(g, false, e) < 0 ? -1 : 1;
}

static int take_unread(struct engine *g, struct work *w, struct outgoing *o,
		       struct err *e)
{
	count_message(g, o);
	return unread_message(g, w, o, e);
}

/* The next message of the thread, dealt with: 1, 0 at the folder's end, -1. */
static int next_ahead(struct engine *g, struct work *w, struct ahead *a,
		      struct err *e)
{
	struct message *m = NULL;
	struct outgoing *o;
	bool kept = false;
	enum ahead_got what;
	int got;

	feed(g, a);
	what = ahead_take(a, AHEAD_PATIENCE_MS, &m, e);
	switch (what) {
	case AHEAD_END:
		return 0;
	case AHEAD_FAILED:
		return -1;
	case AHEAD_NOT_YET: /* the server is not kept waiting for a disk */
		return send_collect(g, false, e) < 0 ? -1 : 1;
	case AHEAD_MESSAGE:
	case AHEAD_UNREAD:
		break;
	}
	o = (struct outgoing *)m;
	got = what == AHEAD_MESSAGE ? take_message(g, w, o, &kept, e)
				    : take_unread(g, w, o, e);
	if (!kept)
		send_give_back(g, o);
	return got;
}

static void stop_ahead(struct engine *g, struct ahead *a)
{
	struct message *m;

	ahead_stop(a);
	while ((m = ahead_take_back(a)))
		send_give_back(g, (struct outgoing *)m);
	ahead_free(a);
}

/* A file that grew is read from where it ended before. */
static int take_up(struct engine *g, struct work *w, struct importer *imp,
		   struct err *e)
{
	if (!w->bookmark || !imp->ops->resume ||
	    imp->ops->resume(imp, w->bookmark) == 0)
		return 0;
	log_line(LOG_INFO, "%s: grew; read from its old end on", w->id);
	return ledger_folder_keep(g->led, w->ledger_folder, g->run, e);
}

static void keep_bookmark(struct work *w, struct importer *imp)
{
	const char *text = imp->ops->bookmark ? imp->ops->bookmark(imp) : NULL;

	free(w->next_bookmark);
	w->next_bookmark = text ? mem_strdup(text) : NULL;
}

/* One by one, in this thread: each may be passed over unread. */
static int next_here(struct engine *g, struct work *w, struct importer *imp,
		     struct outgoing **o, struct err *e)
{
	bool kept = false;
	int got;

	if (!*o)
		*o = send_take(g);
	else
		message_reset(&(*o)->m);
	got = next_message(g, w, imp, *o, &kept, e);
	if (kept)
		*o = NULL;
	return got;
}

static int interrupted(struct err *e)
{
	return err_set(e, ERR_INTERRUPTED, ERR_RUN, ERR_NEVER,
		       "interrupted; run it again to go on");
}

/* Read and decide, to the folder's end. */
static int read_folder(struct engine *g, struct work *w, struct importer *imp,
		       struct err *e)
{
	struct event moved = { .type = EVENT_PROGRESS,
			       .target_folder = w->shown };
	struct ahead *a = may_read_ahead(g, w) ? ahead_start(imp) : NULL;
	struct outgoing *o = NULL;
	uint64_t turn = 0;
	int got = 1;

	while (got > 0) {
		if (engine_stopped(g)) {
			got = interrupted(e);
			break;
		}
		got = a ? next_ahead(g, w, a, e) : next_here(g, w, imp, &o, e);
		if (got > 0 && ++turn % 16 == 0 &&
		    send_collect(g, false, e) < 0)
			got = -1;
		if (got > 0 && send_again(g, e) < 0)
			got = -1;
		engine_event(g, &moved);
	}
	if (a)
		stop_ahead(g, a);
	if (o)
		send_give_back(g, o);
	return got;
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

	engine_event(g, &begin);
	if (take_up(g, w, imp, e) < 0 || read_folder(g, w, imp, e) < 0)
		return -1;
	g->progress.bytes_done = done_before + w->bytes;
	if (w->put_off) /* its end is that of the second round */
		return 0;
	keep_bookmark(w, imp);
	w->read_to_end = true;
	return record_folder_end(g, w, e);
}
