/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes out: batches, their answers, and what has to wait before it goes.

   A message that is to go out is in one of these places, and counted in its
   folder's outstanding: in waiting, until adoption has looked for it on the
   server; in again, repaired and to be sent once more; in the batch under
   construction; in flight. Only the last two have an intent in the ledger (L1).
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/engine_internal.h"

/* What waits for adoption, at most: its bytes are held. */
enum { WAITING_MAX = 128, WAITING_BYTES = 8 << 20 };

/* ---- messages and batches are reused ---- */

struct outgoing *send_take(struct engine *g)
{
	struct outgoing *o = g->free_messages;

	if (o) {
		g->free_messages = o->next;
		o->next = NULL;
		message_reset(&o->m);
	} else {
		o = mem_zalloc(sizeof(*o));
		message_init(&o->m);
	}
	o->m.in.want_spool = g->opt->mode == ENGINE_MIGRATE;
	o->m.in.drop_leading = o->m.in.drop_anywhere = NULL;
	return o;
}

void send_give_back(struct engine *g, struct outgoing *o)
{
	message_reset(&o->m);
	mend_forget(o);
	adopt_forget(o);
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

static void push(struct outgoing_list *l, struct outgoing *o)
{
	o->next = NULL;
	if (l->last)
		l->last->next = o;
	else
		l->first = o;
	l->last = o;
	l->n++;
	l->bytes += o->m.in.wire_size;
}

struct outgoing *send_pop(struct outgoing_list *l)
{
	struct outgoing *o = l->first;

	if (!o)
		return NULL;
	l->first = o->next;
	if (!l->first)
		l->last = NULL;
	l->n--;
	l->bytes -= o->m.in.wire_size;
	o->next = NULL;
	return o;
}

/* ---- answers ---- */

static int finish_refused(struct engine *g, struct outgoing *o,
			  const struct err *why, struct err *e)
{
	struct buf subject = BUF_INIT;

	o->work->clean = false;
	record_subject(o, &subject);
	record_news(g, o->work, o, subject.data, COPY_FAILED, why->text);
	buf_free(&subject);
	if (ledger_refuse(g->led, o->id, why->text, g->run, e) < 0 ||
	    (o->repairs && ledger_unrepaired(g->led, o->id, e) < 0))
		return -1;
	return ledger_copy_resolve(g->led, o->id, COPY_FAILED, why->text, e);
}

static int finish_done(struct engine *g, struct flight *f,
		       const struct append_item *item, struct outgoing *o,
		       struct err *e)
{
	uint32_t uidvalidity = f->batch.uidvalidity;
	struct buf why = BUF_INIT;
	int ret = -1;

	if (!uidvalidity)
		uidvalidity = g->plan.places[f->place].server.uidvalidity;
	if (ledger_confirm(g->led, o->id, item->uid, uidvalidity, g->run, e) <
	    0)
		return -1;
	g->progress.uploaded++;
	mend_describe(o, &why);
	if (why.len) {
		struct buf subject = BUF_INIT;

		record_subject(o, &subject);
		record_news(g, o->work, o, subject.data, COPY_UPLOADED,
			    why.data);
		buf_free(&subject);
	}
	ret = ledger_copy_resolve(g->led, o->id, COPY_UPLOADED,
				  why.len ? why.data : NULL, e);
	buf_free(&why);
	return ret;
}

/* It was counted, and not a byte of it left us. */
static int take_back(struct engine *g, const struct append_item *item,
		     struct err *e)
{
	if (!g->budget.limit)
		return 0;
	budget_take_back(&g->budget, item->size);
	return ledger_traffic_take_back(g->led, clock_now(), item->size, e);
}

/* 1 when o is still on its way. */
static int finish_item(struct engine *g, struct flight *f,
		       struct append_item *item, struct err *e)
{
	struct outgoing *o = item->owner;
	int got;

	switch (item->result) {
	case APPEND_DONE:
		return finish_done(g, f, item, o, e);
	case APPEND_REFUSED:
		got = mend_refused(g, o, &item->why, e);
		if (got > 0)
			push(&g->again, o);
		return got ? got : finish_refused(g, o, &item->why, e);
	case APPEND_UNSENT:
		o->work->clean = false;
		if (take_back(g, item, e) < 0)
			return -1;
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
		int got = finish_item(g, f, item, ret < 0 ? &later : e);

		if (got < 0)
			ret = -1;
		if (got > 0)
			continue;
		o->work->outstanding--;
		if (record_folder_end(g, o->work, ret < 0 ? &later : e) < 0)
			ret = -1;
		send_give_back(g, o);
	}
	f->next = g->free_flights;
	g->free_flights = f;
	return ret;
}

int send_collect(struct engine *g, bool wait, struct err *e)
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
	return send_collect(g, false, e);
}

static void add_to_batch(struct engine *g, struct outgoing *o)
{
	const struct intake *in = mend_bytes(o);
	struct flight *f = g->filling;

	if (!f)
		f = g->filling = take_flight(g, o->work->place);
	if (f->batch.n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		f->batch.items = mem_realloc(f->batch.items,
					     f->cap * sizeof(*f->batch.items));
	}
	f->batch.items[f->batch.n++] = (struct append_item){
		.bytes = &in->spool,
		.size = in->wire_size,
		.flags = &o->m.flags,
		.date = o->date,
		.has_nul = in->nuls > 0,
		.owner = o,
	};
	f->batch.bytes += in->wire_size;
	o->work->outstanding++;
}

/* Would o make the batch under construction too big, or has it another folder?
 */
static bool must_submit_first(const struct engine *g, const struct outgoing *o)
{
	const struct flight *f = g->filling;

	return f && (f->place != o->work->place ||
		     f->batch.n >= g->limits.batch_messages ||
		     f->batch.bytes + mend_bytes(o)->wire_size >
			     g->limits.batch_bytes);
}

static int refuse_unsent(struct engine *g, struct outgoing *o, const char *why,
			 struct err *e)
{
	o->work->clean = false;
	if (ledger_refuse(g->led, o->id, why, g->run, e) < 0)
		return -1;
	return record_copy(g, o->work, o, o->id, COPY_FAILED, why, e);
}

/* Can the server take a message of this size at all? Says why not. */
static bool is_too_large(const struct engine *g, uint64_t size, struct buf *why)
{
	if (g->limits.message_bytes && size > g->limits.message_bytes)
		buf_addf(why,
			 "%llu bytes are more than the server takes (%llu)",
			 (unsigned long long)size,
			 (unsigned long long)g->limits.message_bytes);
	else if (g->quota.has_bytes && size > g->quota.bytes_limit)
		buf_addf(why,
			 "%llu bytes are more than the mailbox holds (%llu)",
			 (unsigned long long)size,
			 (unsigned long long)g->quota.bytes_limit);
	return why->len > 0;
}

/* The day's budget is used up: what is on its way arrives, and that is all for
   now. */
static int end_for_today(struct engine *g, uint64_t size, struct err *e)
{
	int64_t now = clock_now();
	int64_t when = budget_when(&g->budget, now, size);
	struct buf text = BUF_INIT;
	/* MiB, but for limits that are smaller than some. */
	unsigned shift = g->budget.limit < (16 << 20) ? 10 : 20;
	const char *unit = shift == 10 ? "KiB" : "MiB";

	if (submit(g, e) < 0 || send_collect(g, true, e) < 0 ||
	    ledger_commit(g->led, e) < 0)
		return -1;
	date_add_local(&text, when);
	err_set(e, ERR_BUSY, ERR_RUN, ERR_NEVER,
		"the daily limit of %llu %s is used up (%llu %s in the last 24 "
		"hours); run it again after %s",
		(unsigned long long)(g->budget.limit >> shift), unit,
		(unsigned long long)(budget_used(&g->budget, now) >> shift),
		unit, text.data);
	buf_free(&text);
	e->wait_ms = when - now < UINT32_MAX / 1000
			     ? (uint32_t)(when - now) * 1000
			     : UINT32_MAX;
	return -1;
}

static int spend(struct engine *g, uint64_t size, struct err *e)
{
	int64_t now;

	if (!g->budget.limit)
		return 0;
	now = clock_now();
	if (!budget_fits(&g->budget, now, size))
		return end_for_today(g, size, e);
	budget_spend(&g->budget, now, size);
	return ledger_traffic_add(g->led, now, size, e);
}

/* Into the batch: 1 when o is in it, 0 when it has its end, -1. */
static int dispatch(struct engine *g, struct outgoing *o, struct err *e)
{
	struct buf why = BUF_INIT;
	int ret;

	if (mend_before(g, o, e) < 0)
		return -1;
	if (is_too_large(g, mend_bytes(o)->wire_size, &why)) {
		ret = refuse_unsent(g, o, why.data, e);
		buf_free(&why);
		return ret;
	}
	if (must_submit_first(g, o) && submit(g, e) < 0)
		return -1;
	if (record_copy(g, o->work, o, o->id, COPY_PENDING, NULL, e) < 0 ||
	    spend(g, mend_bytes(o)->wire_size, e) < 0 ||
	    ledger_intend(g->led, o->id, g->run, e) < 0)
		return -1;
	add_to_batch(g, o);
	return 1;
}

/* o comes from a list, where it was counted: it goes out, or has its end. */
static int dispatch_popped(struct engine *g, struct outgoing *o, struct err *e)
{
	struct work *w = o->work;
	int got;

	w->outstanding--;
	got = dispatch(g, o, e);
	if (got > 0)
		return 0;
	if (got < 0)
		w->clean = false;
	send_give_back(g, o);
	return got < 0 ? -1 : record_folder_end(g, w, e);
}

int send_again(struct engine *g, struct err *e)
{
	struct outgoing *o;

	while ((o = send_pop(&g->again)))
		if (dispatch_popped(g, o, e) < 0)
			return -1;
	return 0;
}

/* ---- adoption: what the server may have already ---- */

/* Looking at what the server has needs the connection for itself. */
static int adopt_waiting(struct engine *g, struct err *e)
{
	struct outgoing *o;

	if (!g->waiting.first)
		return 0;
	if (submit(g, e) < 0 || send_collect(g, true, e) < 0 ||
	    adopt_look(g, &g->waiting, e) < 0)
		return -1;
	while ((o = send_pop(&g->waiting))) {
		struct work *w = o->work;

		if (!o->adopted) {
			if (dispatch_popped(g, o, e) < 0)
				return -1;
			continue;
		}
		w->outstanding--;
		send_give_back(g, o);
		if (record_folder_end(g, w, e) < 0)
			return -1;
	}
	return 0;
}

static int wait_for_adoption(struct engine *g, struct outgoing *o, bool *kept_r,
			     struct err *e)
{
	struct outgoing_list *l = &g->waiting;

	/* One place at a time. */
	if (l->first && l->first->work->place != o->work->place &&
	    adopt_waiting(g, e) < 0)
		return -1;
	if (record_copy(g, o->work, o, o->id, COPY_PENDING, NULL, e) < 0)
		return -1;
	o->work->outstanding++;
	push(l, o);
	*kept_r = true;
	if (l->n >= WAITING_MAX || l->bytes >= WAITING_BYTES)
		return adopt_waiting(g, e);
	return 0;
}

static struct outgoing *find_in(const struct outgoing_list *l, int64_t id)
{
	struct outgoing *o = l->first;

	while (o && o->id != id)
		o = o->next;
	return o;
}

/* Waiting, or to be sent once more: it has no intent, but it will go out. */
static struct outgoing *find_waiting(const struct engine *g, int64_t id)
{
	struct outgoing *o = find_in(&g->waiting, id);

	return o ? o : find_in(&g->again, id);
}

bool send_waits(const struct engine *g, int64_t id)
{
	return find_waiting(g, id) != NULL;
}

bool send_unite(struct engine *g, int64_t id, const struct flags *flags)
{
	struct outgoing *o = find_waiting(g, id);

	for (size_t i = 0; !o && g->filling && i < g->filling->batch.n; i++) {
		struct outgoing *first = g->filling->batch.items[i].owner;

		if (first->id == id)
			o = first;
	}
	if (o)
		flags_unite(&o->m.flags, flags);
	return o != NULL;
}

int send_message(struct engine *g, struct work *w, struct outgoing *o,
		 int64_t id, bool *kept_r, struct err *e)
{
	struct place *p = &g->plan.places[w->place];
	int got = 0;

	o->work = w;
	o->id = id;
	if (g->opt->mode == ENGINE_PLAN)
		return record_copy(g, w, o, id, COPY_PENDING, NULL, e);
	if (!p->ready && !p->failed && engine_prepare(g, e) < 0)
		return -1;
	if (p->failed)
		return refuse_unsent(g, o, p->why.text, e);
	if (p->foreign)
		got = adopt_has_candidate(g, p, o, e);
	if (got < 0)
		return -1;
	if (got > 0)
		return wait_for_adoption(g, o, kept_r, e);
	got = dispatch(g, o, e);
	*kept_r = got > 0;
	return got < 0 ? -1 : 0;
}

/* ---- ending ---- */

int transfer_finish(struct engine *g, struct err *e)
{
	do {
		if (adopt_waiting(g, e) < 0 || submit(g, e) < 0 ||
		    send_collect(g, true, e) < 0 || send_again(g, e) < 0)
			return -1;
	} while (g->filling || g->in_flight);
	if (record_unresolved(g, e) < 0)
		return -1;
	return ledger_commit(g->led, e);
}

static void give_up(struct engine *g, struct outgoing_list *l)
{
	struct outgoing *o;

	while ((o = send_pop(l))) {
		o->work->clean = false;
		o->work->outstanding--;
		send_give_back(g, o);
	}
}

void transfer_abandon(struct engine *g)
{
	/* Each connection tells its failure once. */
	enum { FAILURES_MAX = 100 };
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
	while (g->target && g->in_flight && failures < FAILURES_MAX) {
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
	give_up(g, &g->waiting);
	give_up(g, &g->again);
	ledger_commit(g->led, &later);
}

void transfer_free(struct engine *g)
{
	adopt_reset(g);
	while (g->free_messages) {
		struct outgoing *o = g->free_messages;

		g->free_messages = o->next;
		message_free(&o->m);
		mend_free(o);
		adopt_forget(o);
		free(o);
	}
	while (g->free_flights) {
		struct flight *f = g->free_flights;

		g->free_flights = f->next;
		free(f->batch.items);
		free(f);
	}
}
