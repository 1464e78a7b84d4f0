/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several connections for one account: C1-C3 in pool.h. */
#include "storage/imap/pool.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "storage/imap/append.h"
#include "storage/imap/preset.h"

enum {
	/* Batches that a connection has before another one is thought of: one
	   travels while the server stores the other. */
	ENOUGH = 2,
	/* Where each literal, or at least each message, waits for the server,
	   and nothing better is known. */
	MANY = 4,
	PAYS_AFTER = 3,		 /* see has_earned_another */
	CONSIDER_EVERY_MS = 500, /* whether to compress */
};

/* How many connections at most? What was asked for, but not more than the
   provider takes; otherwise several only where one is held up at every message.
 */
static size_t most_connections(const struct imap_target *it)
{
	const struct imap_session *s = it->s;
	unsigned n = it->opt.connections;
	bool batches = s->caps & IMAP_CAP_MULTIAPPEND;

	if (!n)
		n = batches ? 1 : MANY;
	if (s->preset && s->preset->connections && n > s->preset->connections)
		n = s->preset->connections;
	if (it->lessons->connections && n > it->lessons->connections)
		n = it->lessons->connections;
	return n < IMAP_MEMBERS_MAX ? n : IMAP_MEMBERS_MAX;
}

static void add_member(struct imap_target *it, struct imap_session *s)
{
	it->members[it->n_members++] = (struct imap_member){
		.s = s,
		.append = imap_append_new(s, &it->lessons->pace),
	};
	it->lessons->pace.connections = (unsigned)it->n_members;
}

void imap_pool_close(struct imap_target *it)
{
	for (size_t i = 0; i < it->n_members; i++) {
		struct imap_member *m = &it->members[i];

		/* In the middle of an answer nobody waits for the one to
		   LOGOUT. */
		m->s->broken = m->s->broken || m->open_batches;
		imap_append_free(m->append);
		imap_session_close(m->s);
	}
	it->n_members = 0;
}

bool imap_pool_is_idle(const struct imap_target *it)
{
	for (size_t i = 0; i < it->n_members; i++)
		if (it->members[i].open_batches)
			return false;
	return true;
}

uint64_t imap_pool_bytes_sent(const struct imap_target *it)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < it->n_members; i++)
		sum += stream_bytes_sent(it->members[i].s->stream);
	return sum;
}

void imap_pool_limits(const struct imap_target *it, struct target_limits *l_r)
{
	const struct imap_session *s = it->s;

	imap_append_limits(it->members[0].append, l_r);
	l_r->changes = s->changes;
	l_r->server = s->program  ? s->program->title
		      : s->preset ? s->preset->title
				  : "";
	l_r->daily_bytes = s->preset ? s->preset->daily_bytes : 0;
}

/* ---- which connection ---- */

static bool has_room(const struct imap_member *m)
{
	return !m->compress && !imap_append_is_full(m->append);
}

/* The one with the fewest open batches, among those with fewer than most; the
   folder's own first. NULL. */
static struct imap_member *least_busy(struct imap_target *it,
				      const struct target_folder *folder,
				      unsigned most)
{
	struct imap_member *best = NULL;

	for (size_t i = 0; i < it->n_members; i++) {
		struct imap_member *m = &it->members[i];

		if (!has_room(m) || m->open_batches >= most)
			continue;
		if (m->last == folder && m->open_batches)
			return m;
		if (!best || m->open_batches < best->open_batches)
			best = m;
	}
	return best;
}

/* From its first byte on: when that was asked for, or has paid before. A server
   that says NO is used as it is. */
static void compress_at_once(struct imap_target *it, struct imap_session *s)
{
	struct err e = ERR_INIT;

	if (it->opt.compress != IMAP_COMPRESS_ON &&
	    !(it->opt.compress == IMAP_COMPRESS_AUTO && it->lessons->compress))
		return;
	if (imap_session_compress(s, &e) < 0)
		log_line(LOG_INFO, "%s", e.text);
}

void imap_pool_init(struct imap_target *it)
{
	struct pace *pace = &it->lessons->pace;

	if (!pace->batch_messages)
		pace_init(pace);
	/* What was begun on the connection before says nothing of this one. */
	pace->epoch.commands = 0;
	if (it->s->preset)
		pace->messages_per_second = it->s->preset->messages_per_second;
	compress_at_once(it, it->s);
	add_member(it, it->s);
	it->most_members = most_connections(it);
}

/* To connect and log in takes several round trips, in which nobody else is
   served: it must pay. So there is one more whenever the time that it takes has
   gone by a few times for each that is there. */
static bool has_earned_another(const struct imap_target *it)
{
	int64_t sending = clock_ms() - it->first_submit_ms;

	return sending >= PAYS_AFTER * it->connect_ms * (int64_t)it->n_members;
}

static bool open_another(struct imap_target *it)
{
	struct imap_session *s;
	struct err e = ERR_INIT;

	if (it->n_members >= it->most_members || !has_earned_another(it))
		return false;
	if (imap_session_open(&it->opt, &s, &e) < 0) {
		log_line(LOG_INFO,
			 "one more connection is not to be had (%s): going on "
			 "with %zu",
			 e.text, it->n_members);
		it->most_members = it->n_members;
		it->lessons->connections = (unsigned)it->n_members;
		return false;
	}
	log_line(LOG_DETAIL, "imap: connection %zu", it->n_members + 1);
	compress_at_once(it, s);
	if (s->broken) { /* it was not the first, so do without */
		imap_session_close(s);
		it->most_members = it->n_members;
		return false;
	}
	add_member(it, s);
	return true;
}

/* ---- compression ---- */

/* The line turned out to be slow, or is asked again whether it is. What has not
   begun waits for it. */
static void consider_compressing(struct imap_target *it, struct imap_member *m)
{
	int64_t now = clock_ms();

	if (it->opt.compress != IMAP_COMPRESS_AUTO || m->compress ||
	    !m->newest || now - m->considered_ms < CONSIDER_EVERY_MS ||
	    stream_is_deflated(m->s->stream) ||
	    !(m->s->caps & IMAP_CAP_COMPRESS))
		return;
	m->considered_ms = now;
	if (!it->lessons->compress && !imap_compress_pays(m->append, m->newest))
		return;
	m->compress = true;
	imap_append_hold(m->append, true);
}

/* The connection must be quiet for it; then it takes one round trip. */
static void compress_when_idle(struct imap_target *it, struct imap_member *m)
{
	struct err e = ERR_INIT;

	if (!m->compress || !imap_append_is_idle(m->append))
		return;
	m->compress = false;
	if (imap_session_compress(m->s, &e) == 0) {
		it->lessons->compress = true;
	} else if (m->s->broken) {
		imap_append_break(m->append, &e);
	} else {
		log_line(LOG_INFO, "%s", e.text);
		m->s->caps &= ~(unsigned)IMAP_CAP_COMPRESS;
	}
	imap_append_hold(m->append, false);
}

/* ---- driving ---- */

static void pump(struct imap_target *it)
{
	for (size_t i = 0; i < it->n_members; i++) {
		struct imap_member *m = &it->members[i];

		if (!m->open_batches)
			continue;
		imap_append_pump(m->append);
		consider_compressing(it, m);
		if (m->compress) {
			compress_when_idle(it, m);
			imap_append_pump(m->append);
		}
	}
}

static void await(struct imap_target *it)
{
	struct imap_append *as[IMAP_MEMBERS_MAX];

	for (size_t i = 0; i < it->n_members; i++)
		as[i] = it->members[i].open_batches ? it->members[i].append
						    : NULL;
	imap_append_wait(as, it->n_members);
}

/* The first member that has ended and has not said so. */
static int told(struct imap_target *it, struct err *e)
{
	for (size_t i = 0; i < it->n_members; i++)
		if (imap_append_tell(it->members[i].append, e) < 0)
			return -1;
	return 0;
}

/* A connection for a batch of that folder, waiting until one has room: NULL
   when one of them has ended. */
static struct imap_member *choose(struct imap_target *it,
				  const struct target_folder *folder,
				  struct err *e)
{
	for (;;) {
		struct imap_member *m = least_busy(it, folder, ENOUGH);

		if (m)
			return m;
		if (open_another(it))
			continue;
		m = least_busy(it, folder, UINT32_MAX);
		if (m)
			return m;
		await(it);
		pump(it);
		if (told(it, e) < 0)
			return NULL;
	}
}

int imap_pool_submit(struct imap_target *it, struct append_batch *b,
		     struct err *e)
{
	struct err why = ERR_INIT;
	struct imap_member *m;
	bool ended;

	if (!it->first_submit_ms)
		it->first_submit_ms = clock_ms();
	m = choose(it, b->folder, &why);
	ended = !m;

	/* The batch has to come back from reap all the same: one that has ended
	   takes it, and gives it back unsent. */
	for (size_t i = 0; ended && i < it->n_members; i++)
		if (imap_append_has_ended(it->members[i].append))
			m = &it->members[i];
	assert(m);
	m->last = b->folder;
	m->newest = b;
	m->open_batches++;
	if (imap_append_offer(m->append, b, ended ? &(struct err)ERR_INIT : e) <
	    0)
		ended = true;
	if (*why.text)
		*e = why;
	pump(it);
	return ended ? -1 : 0;
}

static struct append_batch *take(struct imap_target *it)
{
	for (size_t i = 0; i < it->n_members; i++) {
		struct imap_member *m = &it->members[i];
		struct append_batch *b =
			m->open_batches ? imap_append_take(m->append) : NULL;

		if (!b)
			continue;
		m->open_batches--;
		if (m->newest == b)
			m->newest = NULL;
		return b;
	}
	return NULL;
}

int imap_pool_reap(struct imap_target *it, bool wait, struct append_batch **b_r,
		   struct err *e)
{
	*b_r = NULL;
	while (!imap_pool_is_idle(it)) {
		pump(it);
		if (told(it, e) < 0)
			return -1;
		*b_r = take(it);
		if (*b_r)
			return 1;
		if (!wait)
			return 0;
		await(it);
	}
	return 0;
}
