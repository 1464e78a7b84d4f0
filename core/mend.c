/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail that does not go out as the store has it: when, how, and what is written
   down. The repairs themselves are repair.c's. */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/engine_internal.h"

const struct intake *mend_bytes(const struct outgoing *o)
{
	return o->repairs ? o->fixed : &o->m.in;
}

static int apply(struct engine *g, struct outgoing *o, unsigned repairs,
		 struct err *e)
{
	if (!o->fixed) {
		o->fixed = mem_zalloc(sizeof(*o->fixed));
		intake_init(o->fixed);
		o->fixed->want_spool = true;
	}
	intake_reset(o->fixed);
	o->repairs = 0;
	if (repair_apply(&o->m.in, repairs, o->fixed, e) < 0)
		return -1;
	o->repairs = repairs;
	return ledger_repaired(g->led, o->id, repairs, &o->fixed->digest,
			       o->fixed->wire_size, e);
}

/* What must be done before it is sent at all. */
static unsigned needed(const struct engine *g, const struct outgoing *o)
{
	bool repair = g->opt->on_refused == ON_REFUSED_REPAIR;
	unsigned repairs =
		repair ? o->known_repairs & ~(unsigned)REPAIR_8BIT_HEADER : 0;

	if (repair && o->m.in.nuls && !g->limits.takes_nul)
		repairs |= REPAIR_NUL;
	if (g->opt->encode_headers && o->m.in.header_8bit &&
	    g->limits.changes & CHANGES_8BIT_HEADERS)
		repairs |= REPAIR_8BIT_HEADER;
	return repairs;
}

/* Will the server change it, and not say so? */
static bool will_change(const struct engine *g, const struct intake *in)
{
	unsigned c = g->limits.changes;

	return (c & CHANGES_8BIT_HEADERS && in->header_8bit) ||
	       (c & CHANGES_NUL && in->nuls) ||
	       (c & CHANGES_LONE_CR && in->lone_crs);
}

int mend_before(struct engine *g, struct outgoing *o, struct err *e)
{
	unsigned repairs = needed(g, o);

	if (o->repairs) /* it was refused as it is */
		return 0;
	if (repairs) {
		if (apply(g, o, repairs, e) < 0)
			return -1;
	} else if (o->known_repairs &&
		   ledger_unrepaired(g->led, o->id, e) < 0) {
		return -1;
	}
	g->altered += will_change(g, mend_bytes(o));
	return 0;
}

int mend_refused(struct engine *g, struct outgoing *o, const struct err *why,
		 struct err *e)
{
	const unsigned aside = REPAIR_8BIT_HEADER;
	unsigned next;

	if (g->opt->on_refused != ON_REFUSED_REPAIR ||
	    why->kind != ERR_REFUSED || why->scope > ERR_MESSAGE)
		return 0;
	next = repair_next(&o->m.in, o->repairs & ~aside);
	if (!next)
		return 0;
	log_line(LOG_INFO, "%s: repaired, and sent once more", why->text);
	if (!o->refusal)
		o->refusal = mem_strdup(why->text);
	if (ledger_retract(g->led, o->id, e) < 0)
		return -1;
	return apply(g, o, next | (o->repairs & aside), e) < 0 ? -1 : 1;
}

void mend_describe(const struct outgoing *o, struct buf *out)
{
	if (!o->repairs)
		return;
	buf_add_str(out, "repaired: ");
	repair_describe(o->repairs, out);
	if (o->refusal)
		buf_addf(out, " (as it was it had been refused: %s)",
			 o->refusal);
}

void mend_forget(struct outgoing *o)
{
	o->repairs = o->known_repairs = 0;
	free(o->refusal);
	o->refusal = NULL;
	if (o->fixed)
		intake_reset(o->fixed);
}

void mend_free(struct outgoing *o)
{
	mend_forget(o);
	if (o->fixed)
		intake_free(o->fixed);
	free(o->fixed);
	o->fixed = NULL;
}
