/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adoption: mail that is on the server, though this ledger did not bring it
   there, is recognised and not sent again. So a lost ledger, mail dragged over
   by hand, and mail that the server has from the start (POP with "leave on
   server") double nothing.

   Message-ID and size only say where to look; the digest of the fetched bytes
   is the proof, as everywhere. */
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

int adopt_list(struct engine *g, struct place *p, struct err *e)
{
	uint32_t floor = first_unseen(p);
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
	if (p->server.messages &&
	    !(p->server.uidnext && p->server.uidnext <= floor) &&
	    list_from(g, p, floor, e) < 0)
		return -1;
	any = ledger_has_foreign(g->led, p->ledger.id, e);
	p->foreign = any > 0;
	return any < 0 ? -1 : 0;
}

/* Dovecot stores NUL as 0x80 (docs/servers.md): the digest of what came of a
   message that holds NULs. */
static int digest_without_nuls(const struct outgoing *o, struct digest *d_r,
			       struct err *e)
{
	char scratch[4096], piece[4096];
	const char *bytes;
	struct intake in;
	uint64_t at = 0;
	ssize_t n;
	int ret = -1;

	intake_init(&in);
	while ((n = spool_at(&o->m.in.spool, at, scratch, sizeof(scratch),
			     &bytes, e)) > 0) {
		if (n > (ssize_t)sizeof(piece))
			n = sizeof(piece);
		for (ssize_t i = 0; i < n; i++)
			piece[i] = bytes[i] ? bytes[i] : (char)0x80;
		if (intake_add(&in, piece, (size_t)n, e) < 0)
			goto out;
		at += (uint64_t)n;
	}
	if (n < 0 || intake_end(&in, e) < 0)
		goto out;
	*d_r = in.digest;
	ret = 0;
out:
	intake_free(&in);
	return ret;
}

static bool same_message(const struct digest *a, const struct digest *b,
			 bool has_id)
{
	return !memcmp(a->full, b->full, DIGEST_SIZE) ||
	       (has_id && !memcmp(a->core, b->core, DIGEST_SIZE));
}

/* Fetch one message and compare: 1, 0, -1. One that cannot be had is another
 * one. */
static int is_same(struct engine *g, const struct place *p, uint32_t uid,
		   const struct outgoing *o, bool has_id, struct err *e)
{
	struct digest altered = o->m.in.digest;
	struct intake in;
	uint32_t got_uid;
	int got, same = 0;

	if (o->m.in.nuls && digest_without_nuls(o, &altered, e) < 0)
		return -1;
	intake_init(&in);
	got = g->target->ops->fetch_begin(g->target, &p->server, &uid, 1, e);
	while (got == 0 || got > 0) {
		got = g->target->ops->fetch_next(g->target, &got_uid, &in, e);
		if (got < 0 && e->scope == ERR_MESSAGE) {
			got = 0;
			continue;
		}
		if (got <= 0)
			break;
		if (got_uid == uid)
			same = same_message(&in.digest, &o->m.in.digest,
					    has_id) ||
			       same_message(&in.digest, &altered, has_id);
	}
	intake_free(&in);
	return got < 0 ? -1 : same;
}

static int take_over(struct engine *g, struct place *p, int64_t id,
		     uint32_t uid, struct err *e)
{
	if (ledger_intend(g->led, id, g->run, e) < 0 ||
	    ledger_confirm(g->led, id, uid, p->server.uidvalidity, g->run, e) <
		    0)
		return -1;
	return ledger_foreign_take(g->led, p->ledger.id, uid, e);
}

int adopt_message(struct engine *g, struct place *p, struct outgoing *o,
		  int64_t id, struct err *e)
{
	struct buf message_id = BUF_INIT;
	uint32_t uid = 0;
	int got;

	header_add_message_id(&o->m.in.header, &message_id);
	while ((got = ledger_foreign_next(g->led, p->ledger.id,
					  o->m.in.wire_size, message_id.data,
					  uid, &uid, e)) > 0) {
		int same = is_same(g, p, uid, o, message_id.len > 0, e);

		if (same < 0) {
			got = -1;
			break;
		}
		if (same) {
			got = take_over(g, p, id, uid, e) < 0 ? -1 : 1;
			break;
		}
	}
	buf_free(&message_id);
	return got;
}
