/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adoption: mail that is on the server, though this ledger did not bring it
   there, is recognised and not sent again. So a lost ledger, mail dragged over
   by hand, and mail that the server has from the start (POP with "leave on
   server") double nothing.

   Message-ID and size only say where to look; the digest of the fetched bytes
   is the proof, as everywhere. */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/engine_internal.h"

/* From which UID on the server may have mail that we have not seen. */
static uint32_t first_unseen(const struct place *p)
{
	if (p->ledger.uidvalidity != p->server.uidvalidity || !p->ledger.floor)
		return 1;
	return p->ledger.floor;
}

static int note_foreign(struct engine *g, struct place *p,
			const struct target_mail *m, struct buf *id,
			struct err *e)
{
	int ours = ledger_owns_uid(g->led, p->ledger.id, p->server.uidvalidity,
				   m->uid, e);

	if (ours)
		return ours < 0 ? -1 : 0;
	buf_reset(id);
	header_normal_message_id(m->message_id.data, m->message_id.len, id);
	return ledger_foreign_add(g->led, p->ledger.id, m->uid, m->size,
				  id->data, e);
}

static int list_from(struct engine *g, struct place *p, uint32_t floor,
		     struct err *e)
{
	struct buf id = BUF_INIT;
	struct target_mail m;
	int got;

	target_mail_init(&m);
	got = g->target->ops->find_begin(g->target, &p->server, floor, e);
	if (got == 0)
		while ((got = g->target->ops->find_next(g->target, &m, e)) > 0)
			if (note_foreign(g, p, &m, &id, e) < 0) {
				got = -1;
				break;
			}
	target_mail_free(&m);
	buf_free(&id);
	return got;
}

int adopt_list(struct engine *g, struct place *p, bool after_doubts,
	       struct err *e)
{
	uint32_t floor = first_unseen(p);
	bool nothing;
	int any;

	if (p->ledger.uidvalidity &&
	    p->ledger.uidvalidity != p->server.uidvalidity) {
		log_line(LOG_WARNING,
			 "%s: the server has numbered the folder anew; what is "
			 "there is looked through",
			 p->server.shown.data);
		if (ledger_foreign_forget(g->led, p->ledger.id, e) < 0)
			return -1;
	}
	/* What was said when the folder was opened does not know what came
	   while it was settled. */
	nothing = !p->server.messages ||
		  (p->server.uidnext && p->server.uidnext <= floor);
	if ((after_doubts || !nothing) && list_from(g, p, floor, e) < 0)
		return -1;
	any = ledger_has_foreign(g->led, p->ledger.id, e);
	p->foreign = any > 0;
	return any < 0 ? -1 : 0;
}

/* ---- is it the same? ---- */

/* What servers do to a CR that is not part of a line end (docs/servers.md). */
enum kept_cr {
	CR_KEPT,
	CR_ONE_LESS, /* Dovecot: CR CR LF becomes CR LF, and no other is touched
		      */
	CR_DROPPED,  /* Courier */
};

struct kept {
	struct intake in;
	unsigned changes; /* enum target_change */
	enum kept_cr cr;
	uint64_t crs;  /* held back until what follows is seen */
	uint64_t line; /* octets of this one, without line end */
	bool header;   /* up to the first empty line */
	char piece[4096];
	size_t len;
};

static int put(struct kept *k, char c, struct err *e)
{
	k->piece[k->len++] = c;
	if (k->len < sizeof(k->piece))
		return 0;
	k->len = 0;
	return intake_add(&k->in, k->piece, sizeof(k->piece), e);
}

static int put_crs(struct kept *k, bool at_line_end, struct err *e)
{
	if (k->cr == CR_DROPPED)
		k->crs = k->crs && at_line_end;
	else if (k->cr == CR_ONE_LESS && at_line_end && k->crs > 1)
		k->crs--;
	for (; k->crs; k->crs--)
		if (put(k, '\r', e) < 0)
			return -1;
	return 0;
}

static int keep(struct kept *k, char c, struct err *e)
{
	if (c == '\r') {
		k->crs++;
		return 0;
	}
	if (!c && k->changes & CHANGES_NUL)
		c = (char)0x80;
	else if (c & 0x80 && k->changes & CHANGES_8BIT_HEADERS && k->header)
		c = 'X';
	if (put_crs(k, c == '\n', e) < 0)
		return -1;
	k->header = k->header && (c != '\n' || k->line);
	k->line = c == '\n' ? 0 : k->line + 1;
	return put(k, c, e);
}

/* As the server is known to keep it. */
static int form_as_kept(const struct intake *in, unsigned changes,
			enum kept_cr cr, struct form *f_r, struct err *e)
{
	struct kept k = { .changes = changes, .cr = cr, .header = true };
	char scratch[4096];
	const char *bytes;
	uint64_t at = 0;
	int ret = -1;
	ssize_t n;

	intake_init(&k.in);
	while ((n = spool_at(&in->spool, at, scratch, sizeof(scratch), &bytes,
			     e)) > 0) {
		at += (uint64_t)n;
		for (ssize_t i = 0; i < n; i++)
			if (keep(&k, bytes[i], e) < 0)
				goto out;
	}
	if (n < 0 || put_crs(&k, false, e) < 0 ||
	    intake_add(&k.in, k.piece, k.len, e) < 0 ||
	    intake_end(&k.in, e) < 0)
		goto out;
	*f_r = (struct form){ k.in.wire_size, k.in.digest };
	ret = 0;
out:
	intake_free(&k.in);
	return ret;
}

static int form_repaired(const struct intake *in, unsigned repairs,
			 struct form *f_r, struct err *e)
{
	struct intake fixed;
	int ret;

	intake_init(&fixed);
	fixed.want_spool = true;
	ret = repair_apply(in, repairs, &fixed, e);
	if (ret == 0)
		*f_r = (struct form){ fixed.wire_size, fixed.digest };
	intake_free(&fixed);
	return ret;
}

/* What may have become of o on the server: changed by it, or repaired by us and
   the ledger lost since. */
static int know_others(struct engine *g, struct outgoing *o, struct err *e)
{
	enum { OTHERS_MAX = 10 };
	const struct intake *in = &o->m.in;
	unsigned changes = 0, repairs = 0;

	if (o->others)
		return 0;
	o->others = mem_zalloc(OTHERS_MAX * sizeof(*o->others));
	if (in->nuls)
		changes |= CHANGES_NUL;
	if (in->header_8bit)
		changes |= g->limits.changes & CHANGES_8BIT_HEADERS;
	for (enum kept_cr cr = CR_KEPT; cr <= CR_DROPPED; cr++)
		if ((changes || cr) && (!cr || in->lone_crs) &&
		    form_as_kept(in, changes, cr, &o->others[o->n_others++],
				 e) < 0)
			return -1;
	if (in->header_8bit && form_repaired(in, REPAIR_8BIT_HEADER,
					     &o->others[o->n_others++], e) < 0)
		return -1;
	while (o->n_others < OTHERS_MAX &&
	       (repairs = repair_next(in, repairs)) != 0)
		if (form_repaired(in, repairs, &o->others[o->n_others++], e) <
		    0)
			return -1;
	return 0;
}

static bool same_digest(const struct digest *a, const struct digest *b,
			bool has_id)
{
	return !memcmp(a->full, b->full, DIGEST_SIZE) ||
	       (has_id && !memcmp(a->core, b->core, DIGEST_SIZE));
}

/* Is mail with this digest, a candidate by Message-ID or size, the message o?
   1, 0, -1. */
static int is_same(struct engine *g, struct outgoing *o,
		   const struct digest *theirs, bool namesake, struct err *e)
{
	struct buf id = BUF_INIT;
	bool has_id;
	int ret = 0;

	header_add_message_id(&o->m.in.header, &id);
	has_id = id.len > 0;
	buf_free(&id);
	if (same_digest(theirs, &o->m.in.digest, has_id))
		return 1;
	if (!namesake)
		return 0;
	if (know_others(g, o, e) < 0)
		return -1;
	for (unsigned i = 0; i < o->n_others && !ret; i++)
		ret = same_digest(theirs, &o->others[i].digest, has_id);
	return ret;
}

static bool is_namesake(const struct outgoing *o, const struct intake *in)
{
	struct buf id = BUF_INIT, theirs = BUF_INIT;
	bool same;

	header_add_message_id(&o->m.in.header, &id);
	header_add_message_id(&in->header, &theirs);
	same = buf_equal(&id, &theirs);
	buf_free(&id);
	buf_free(&theirs);
	return same;
}

/* ---- candidates ----

   By Message-ID; a message without one by its size, and by the sizes of what
   may have become of it. */

/* The size to look for, form after form: 0 when there is no other. A line end
   at the end that the server added (Courier) makes each of them two longer. */
static uint64_t size_of_form(const struct outgoing *o, unsigned n)
{
	unsigned ends = o->m.in.ends_with_eol ? 1 : 2;
	uint64_t more = n % ends ? 2 : 0;

	n /= ends;
	if (!n)
		return o->m.in.wire_size + more;
	return n <= o->n_others ? o->others[n - 1].size + more : 0;
}

/* Has it been looked for by that size already? */
static bool is_again(const struct outgoing *o, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (size_of_form(o, i) == size_of_form(o, n))
			return true;
	return false;
}

/* 1 with the next one behind o's cursor, 0, -1. */
static int next_candidate(struct engine *g, const struct place *p,
			  struct outgoing *o, uint32_t *uid_r, struct err *e)
{
	struct buf id = BUF_INIT;
	uint64_t size;
	int got = 0;

	header_add_message_id(&o->m.in.header, &id);
	if (!id.len && know_others(g, o, e) < 0)
		got = -1;
	while (got == 0 && (size = size_of_form(o, o->by)) != 0) {
		if (!is_again(o, o->by))
			got = ledger_foreign_next(g->led, p->ledger.id, size,
						  id.data, o->looked, uid_r, e);
		if (got > 0)
			o->looked = *uid_r;
		if (got != 0 || id.len)
			break;
		o->by++;
		o->looked = 0;
	}
	buf_free(&id);
	return got;
}

int adopt_has_candidate(struct engine *g, const struct place *p,
			struct outgoing *o, struct err *e)
{
	uint32_t uid;

	o->by = 0;
	o->looked = 0;
	return next_candidate(g, p, o, &uid, e);
}

/* ---- what was fetched already ----

   Many messages may have the same candidates (one Message-ID for all, as some
   programs do): each is fetched once. Bounded; what does not fit is fetched
   again. */
enum { SEEN_MAX = 8192, SEEN_FULL = SEEN_MAX / 2 };

struct adopt_seen {
	size_t place, n;
	struct {
		uint32_t uid; /* 0: free */
		struct digest digest;
	} slot[SEEN_MAX];
};

static size_t slot_of(const struct adopt_seen *s, uint32_t uid)
{
	size_t at = uid * 2654435761u % SEEN_MAX;

	while (s->slot[at].uid && s->slot[at].uid != uid)
		at = (at + 1) % SEEN_MAX;
	return at;
}

static void remember(struct engine *g, uint32_t uid, const struct digest *d)
{
	size_t at = slot_of(g->seen, uid);

	if (g->seen->slot[at].uid || g->seen->n == SEEN_FULL)
		return;
	g->seen->slot[at].uid = uid;
	g->seen->slot[at].digest = *d;
	g->seen->n++;
}

static const struct digest *recall(const struct engine *g, uint32_t uid)
{
	size_t at = slot_of(g->seen, uid);

	return g->seen->slot[at].uid ? &g->seen->slot[at].digest : NULL;
}

static void forget_others(struct engine *g, size_t place)
{
	if (!g->seen)
		g->seen = mem_zalloc(sizeof(*g->seen));
	else if (g->seen->place != place)
		memset(g->seen, 0, sizeof(*g->seen));
	g->seen->place = place;
}

void adopt_reset(struct engine *g)
{
	free(g->seen);
	g->seen = NULL;
}

/* ---- looking at the candidates of many messages at once ---- */

struct look {
	struct engine *g;
	struct place *p;
	struct outgoing_list *l;
	uint32_t *uids; /* of this round, ascending */
	size_t n;
};

static int take_over(struct look *k, struct outgoing *o, uint32_t uid,
		     struct err *e)
{
	struct engine *g = k->g;

	o->adopted = true;
	if (ledger_intend(g->led, o->id, g->run, e) < 0 ||
	    ledger_confirm(g->led, o->id, uid, k->p->server.uidvalidity, g->run,
			   e) < 0 ||
	    ledger_foreign_take(g->led, k->p->ledger.id, uid, e) < 0)
		return -1;
	return ledger_copy_resolve(g->led, o->id, COPY_ALREADY, NULL, e);
}

static bool is_chosen(const struct look *k, uint32_t uid)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->uids[i] == uid)
			return true;
	return false;
}

/* The next candidate of o that nobody else has chosen in this round: what is
   fetched is compared with everything that waits. */
static int choose_candidate(struct look *k, struct outgoing *o, struct err *e)
{
	uint32_t uid;
	int got;

	while ((got = next_candidate(k->g, k->p, o, &uid, e)) > 0) {
		const struct digest *known = recall(k->g, uid);
		int same = known ? is_same(k->g, o, known, true, e) : 0;

		if (same)
			return same < 0 ? -1 : take_over(k, o, uid, e);
		if (known || is_chosen(k, uid))
			continue;
		k->uids[k->n++] = uid;
		break;
	}
	return got < 0 ? -1 : 0;
}

static int by_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int choose(struct look *k, struct err *e)
{
	k->n = 0;
	for (struct outgoing *o = k->l->first; o; o = o->next)
		if (!o->adopted && choose_candidate(k, o, e) < 0)
			return -1;
	qsort(k->uids, k->n, sizeof(*k->uids), by_uid);
	return 0;
}

static int compare(struct look *k, uint32_t uid, const struct intake *in,
		   struct err *e)
{
	remember(k->g, uid, &in->digest);
	for (struct outgoing *o = k->l->first; o; o = o->next) {
		int same = o->adopted ? 0
				      : is_same(k->g, o, &in->digest,
						is_namesake(o, in), e);

		if (same)
			return same < 0 ? -1 : take_over(k, o, uid, e);
	}
	return 0;
}

static int fetch_round(struct look *k, struct err *e)
{
	const struct target_ops *ops = k->g->target->ops;
	struct intake in;
	uint32_t uid;
	int got;

	if (ops->fetch_begin(k->g->target, &k->p->server, k->uids, k->n, e) < 0)
		return -1;
	intake_init(&in);
	for (;;) {
		got = ops->fetch_next(k->g->target, &uid, &in, e);
		/* One that cannot be had is another one. */
		if (got < 0 && e->scope == ERR_MESSAGE)
			continue;
		if (got > 0)
			got = compare(k, uid, &in, e) < 0 ? -1 : 1;
		if (got <= 0)
			break;
	}
	intake_free(&in);
	return got;
}

int adopt_look(struct engine *g, struct outgoing_list *l, struct err *e)
{
	struct look k = {
		.g = g,
		.p = &g->plan.places[l->first->work->place],
		.l = l,
		.uids = mem_alloc(l->n * sizeof(*k.uids)),
	};
	int ret;

	forget_others(g, l->first->work->place);
	for (struct outgoing *o = l->first; o; o = o->next) {
		o->adopted = false;
		o->by = 0;
		o->looked = 0;
	}
	do {
		ret = choose(&k, e);
		if (ret == 0 && k.n)
			ret = fetch_round(&k, e);
	} while (ret == 0 && k.n);
	free(k.uids);
	return ret;
}

void adopt_forget(struct outgoing *o)
{
	free(o->others);
	o->others = NULL;
	o->n_others = 0;
	o->adopted = false;
}
