/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settling: which of the messages that may be on the server are there? (L2, L3)

   After a connection was cut the server may still be storing what it had read
   from it: for up to a second, measured on loaded machines with Dovecot and
   Cyrus, and a MULTIAPPEND shows nothing before its end. What is not there when
   we look first may be there a moment later, and would be doubled if it were
   sent again. So, when the sends are of just now, we look again until nothing
   new has come for a while. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/engine_internal.h"

/* An open intent, and the message on the server that answers it. */
struct doubt {
	int64_t id, run; /* the run that sent it */
	uint64_t size;
	char *message_id;
	unsigned repairs;
	struct digest digest;
	bool settled;
	uint32_t lookalike; /* same size and Message-ID, other digest */
	unsigned lookalikes;
};

struct doubts {
	struct doubt *at;
	size_t n;
};

/* Intents are at most what was in flight and in one batch: this bound is for a
   ledger that somebody else wrote. */
enum { DOUBTS_MAX = 1 << 20 };

enum {
	QUIET_MS = 3000,     /* nothing new for so long: nothing will come */
	PATIENCE_MS = 15000, /* of alikes that somebody else keeps sending */
	LOOK_EVERY_MS = 300,
	FRESH_S = 120, /* older sends have arrived, or never will */
};

static void free_doubts(struct doubts *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->at[i].message_id);
	free(d->at);
}

static int load_doubts(struct engine *g, const struct place *p,
		       struct doubts *d, struct err *e)
{
	struct ledger_message m;
	int64_t after = 0;
	int got = 0;

	ledger_message_init(&m);
	while (d->n < DOUBTS_MAX &&
	       (got = ledger_next_intent(g->led, p->ledger.id, after, &m, e)) >
		       0) {
		d->at = mem_realloc(d->at, (d->n + 1) * sizeof(*d->at));
		d->at[d->n++] = (struct doubt){
			.id = m.id,
			.run = m.run,
			.size = m.repairs ? m.sent_size : m.size,
			.message_id = mem_strdup(m.message_id.data),
			.repairs = m.repairs,
			.digest = m.repairs ? m.sent : m.digest,
		};
		after = m.id;
	}
	ledger_message_free(&m);
	return got;
}

static bool looks_like(const struct doubt *d, uint64_t size,
		       const char *message_id)
{
	/* Servers may add a last line end, or headers: either sign is enough to
	   look closer. */
	return d->size == size ||
	       (*d->message_id && !strcmp(d->message_id, message_id));
}

static bool is_candidate(const struct doubts *d, uint64_t size,
			 const char *message_id)
{
	for (size_t i = 0; i < d->n; i++)
		if (looks_like(&d->at[i], size, message_id))
			return true;
	return false;
}

struct candidates {
	uint32_t *uids;
	size_t n, cap;
	uint32_t floor; /* each look begins here: not every server gives what
			   comes later the higher UID */
	uint32_t *seen; /* UIDs of earlier looks, which were compared */
	size_t n_seen;
	int64_t newest_ms; /* when one was last seen: other people's mail does
			      not keep us waiting */
};

static bool is_seen(const struct candidates *c, uint32_t uid)
{
	for (size_t i = 0; i < c->n_seen; i++)
		if (c->seen[i] == uid)
			return true;
	return false;
}

/* What was compared need not be fetched again. */
static void note_seen(struct candidates *c)
{
	c->seen = mem_realloc(c->seen, (c->n_seen + c->n) * sizeof(*c->seen));
	memcpy(c->seen + c->n_seen, c->uids, c->n * sizeof(*c->seen));
	c->n_seen += c->n;
}

static int find_candidates(struct engine *g, const struct place *p,
			   const struct doubts *d, struct candidates *c,
			   struct err *e)
{
	struct buf id = BUF_INIT;
	struct target_mail m;
	int got = -1, ours;

	target_mail_init(&m);
	c->n = 0;
	if (g->target->ops->find_begin(g->target, &p->server, c->floor, e) < 0)
		goto out;
	while ((got = g->target->ops->find_next(g->target, &m, e)) > 0) {
		buf_reset(&id);
		header_normal_message_id(m.message_id.data, m.message_id.len,
					 &id);
		if (!is_candidate(d, m.size, id.data) || is_seen(c, m.uid))
			continue;
		ours = ledger_owns_uid(g->led, p->ledger.id,
				       p->server.uidvalidity, m.uid, e);
		if (ours < 0) {
			got = -1;
			break;
		}
		if (ours)
			continue;
		c->newest_ms = clock_ms();
		if (c->n == c->cap) {
			c->cap = c->cap ? c->cap * 2 : 64;
			c->uids =
				mem_realloc(c->uids, c->cap * sizeof(*c->uids));
		}
		c->uids[c->n++] = m.uid;
	}
out:
	buf_free(&id);
	target_mail_free(&m);
	return got;
}

/* Its copies have arrived; people are told how it was repaired. */
static int resolve(struct engine *g, const struct place *p,
		   const struct doubt *d, struct err *e)
{
	struct buf why = BUF_INIT;
	struct event ev = {
		.type = EVENT_MESSAGE,
		.target_folder = p->map.shown.data,
		.folder = p->map.shown.data,
		.locator = d->message_id,
		.state = COPY_UPLOADED,
		.size = d->size,
	};
	int ret;

	if (d->repairs) {
		buf_add_str(&why, "repaired: ");
		repair_describe(d->repairs, &why);
		ev.text = why.data;
		engine_event(g, &ev);
	}
	ret = ledger_copy_resolve(g->led, d->id, COPY_UPLOADED,
				  d->repairs ? why.data : NULL, e);
	buf_free(&why);
	return ret;
}

static int confirm(struct engine *g, const struct place *p, struct doubt *d,
		   uint32_t uid, struct err *e)
{
	d->settled = true;
	/* An earlier run sent it: for this one it was there already. */
	g->progress.uploaded += d->run == g->run;
	if (ledger_confirm(g->led, d->id, uid, p->server.uidvalidity, d->run,
			   e) < 0)
		return -1;
	return resolve(g, p, d, e);
}

/* Is it a message that we know to be done? Without UIDPLUS its UID does not
 * tell. */
static int is_known(struct engine *g, const struct place *p,
		    const struct intake *in, struct err *e)
{
	struct ledger_message m;
	bool core_only;
	int got;

	ledger_message_init(&m);
	got = ledger_find(g->led, p->ledger.id, &in->digest, &m, &core_only, e);
	if (got > 0)
		got = !core_only && m.state == LEDGER_DONE;
	ledger_message_free(&m);
	return got;
}

static int compare(struct engine *g, const struct place *p, struct doubts *d,
		   uint32_t uid, const struct intake *in, struct err *e)
{
	struct buf id = BUF_INIT;
	int known;

	for (size_t i = 0; i < d->n; i++) {
		if (d->at[i].settled ||
		    memcmp(d->at[i].digest.full, in->digest.full, DIGEST_SIZE))
			continue;
		return confirm(g, p, &d->at[i], uid, e);
	}
	known = is_known(g, p, in, e);
	if (known)
		return known < 0 ? -1 : 0;
	header_add_message_id(&in->header, &id);
	for (size_t i = 0; i < d->n && id.len; i++)
		if (!d->at[i].settled && d->at[i].size == in->wire_size &&
		    !strcmp(d->at[i].message_id, id.data)) {
			d->at[i].lookalike = uid;
			d->at[i].lookalikes++;
		}
	buf_free(&id);
	return 0;
}

static int compare_candidates(struct engine *g, const struct place *p,
			      struct doubts *d, const struct candidates *c,
			      struct err *e)
{
	struct intake in;
	uint32_t uid;
	int got;

	if (!c->n)
		return 0;
	intake_init(&in);
	got = g->target->ops->fetch_begin(g->target, &p->server, c->uids, c->n,
					  e);
	if (got == 0)
		while ((got = g->target->ops->fetch_next(g->target, &uid, &in,
							 e)) > 0) {
			if (compare(g, p, d, uid, &in, e) < 0) {
				got = -1;
				break;
			}
		}
	intake_free(&in);
	return got;
}

/* Servers that change bytes (Dovecot: NUL becomes 0x80) give another digest
   back. One message of the same size and Message-ID that is above the floor and
   none that we know is that message; sending it again would double it. But
   where other messages of ours have the same Message-ID it may be one of those,
   changed as well: then it is sent again, for a message twice is better than
   none. */
static int settle_lookalike(struct engine *g, const struct place *p,
			    struct doubt *d, struct err *e)
{
	uint64_t namesakes;

	if (ledger_count_same_id(g->led, p->ledger.id, d->message_id,
				 &d->digest, &namesakes, e) < 0)
		return -1;
	if (namesakes)
		return 0;
	log_line(LOG_WARNING,
		 "%s: UID %u is taken for <%s>, though the server changed it",
		 p->server.shown.data, d->lookalike, d->message_id);
	return confirm(g, p, d, d->lookalike, e);
}

static bool all_settled(const struct doubts *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->at[i].settled)
			return false;
	return true;
}

/* Is the server perhaps still busy with what we sent? */
static bool is_fresh(const struct engine *g)
{
	int64_t now = clock_now(), sent = ledger_last_written(g->led);

	if (g->lost > sent)
		sent = g->lost;
	return now - sent < FRESH_S; /* a clock that was put back: yes */
}

static int look(struct engine *g, const struct place *p, struct doubts *d,
		struct candidates *c, struct err *e)
{
	if (find_candidates(g, p, d, c, e) < 0 ||
	    compare_candidates(g, p, d, c, e) < 0)
		return -1;
	if (c->n)
		note_seen(c);
	return 0;
}

/* Look, and again until there is nothing left to find or to hope for. */
static int look_until_quiet(struct engine *g, const struct place *p,
			    struct doubts *d, struct err *e)
{
	int64_t quiet_ms =
		g->opt->settle_quiet_ms ? g->opt->settle_quiet_ms : QUIET_MS;
	struct candidates c = { .floor = p->ledger.floor };
	int64_t began;
	int ret;

	/* Other UIDs, or a floor that was never told: look at all. */
	if (p->ledger.uidvalidity != p->server.uidvalidity || !c.floor)
		c.floor = 1;
	ret = p->server.messages ? look(g, p, d, &c, e) : 0;
	c.newest_ms = g->connected_ms;
	began = clock_ms();
	while (ret == 0 && is_fresh(g) && !all_settled(d) &&
	       clock_ms() - c.newest_ms < quiet_ms &&
	       clock_ms() - began < PATIENCE_MS) {
		ret = engine_sleep(g,
				   quiet_ms < LOOK_EVERY_MS ? quiet_ms
							    : LOOK_EVERY_MS,
				   e);
		if (ret == 0)
			ret = look(g, p, d, &c, e);
	}
	free(c.uids);
	free(c.seen);
	return ret;
}

int settle_place(struct engine *g, struct place *p, struct err *e)
{
	struct doubts d = { .at = NULL };
	uint64_t found = 0;
	int ret = -1;

	if (load_doubts(g, p, &d, e) < 0 || look_until_quiet(g, p, &d, e) < 0)
		goto out;
	for (size_t i = 0; i < d.n; i++) {
		if (!d.at[i].settled && d.at[i].lookalikes == 1 &&
		    settle_lookalike(g, p, &d.at[i], e) < 0)
			goto out;
		found += d.at[i].settled;
		if (!d.at[i].settled &&
		    ledger_retract(g->led, d.at[i].id, e) < 0)
			goto out;
		fault_point("settle.one");
	}
	log_line(LOG_INFO,
		 "%s: %zu sends were in doubt, %llu of them had "
		 "arrived",
		 p->server.shown.data, d.n, (unsigned long long)found);
	if (ledger_commit(g->led, e) < 0)
		goto out;
	fault_point("settle.done");
	p->ledger.open_intents = 0;
	ret = 0;
out:
	free_doubts(&d);
	return ret;
}
