/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flags that came late: of copies that were found after their message had gone
   out. They are added on the server when all mail is there; adding twice does
   no harm, so a run that is cut off in between loses nothing. */
#include <string.h>

#include "core/base/log.h"
#include "core/engine_internal.h"

enum { TOGETHER = 100 }; /* messages in one command */

/* Messages in a row that lack the same flags. */
struct late {
	int64_t ids[TOGETHER];
	uint32_t uids[TOGETHER];
	size_t n;
	struct flags flags;
};

static int add(struct engine *g, const struct target_folder *f, struct late *l,
	       struct err *e)
{
	int ret = 0;

	if (!l->n)
		return 0;
	/* Where the flags of all other mail are lost, some with flags are no
	   gain: they are done with. */
	if (!(g->limits.changes & CHANGES_FLAGS) &&
	    g->target->ops->add_flags(g->target, f, l->uids, l->n, &l->flags,
				      e) < 0) {
		if (e->scope > ERR_FOLDER)
			return -1;
		log_line(LOG_WARNING, "%s: %s", f->shown.data, e->text);
	}
	/* What was refused once is not asked for every night. */
	for (size_t i = 0; ret == 0 && i < l->n; i++)
		ret = ledger_late_done(g->led, l->ids[i], e);
	l->n = 0;
	return ret;
}

/* UIDs ascend in a command; ids do, and UIDs mostly with them. */
static bool fits(const struct late *l, const struct ledger_message *m,
		 const struct flags *f)
{
	return l->n < TOGETHER && m->uid > l->uids[l->n - 1] &&
	       flags_equal(&l->flags, f);
}

static int add_in_folder(struct engine *g, int64_t folder,
			 const struct target_folder *server, struct err *e)
{
	struct flags f = FLAGS_INIT;
	struct ledger_message m;
	struct late l = { .n = 0 };
	int64_t after = 0;
	int got;

	flags_init(&l.flags);
	ledger_message_init(&m);
	while ((got = ledger_next_late(g->led, folder, after, &m, &f, e)) > 0) {
		after = m.id;
		/* Gone, or another message may have that UID now: nothing can
		   be added any more. */
		if (!server->exists || m.uidvalidity != server->uidvalidity) {
			got = ledger_late_drop(g->led, m.id, e);
			if (got < 0)
				break;
			continue;
		}
		if (l.n && !fits(&l, &m, &f) &&
		    (got = add(g, server, &l, e)) < 0)
			break;
		if (!l.n) {
			flags_reset(&l.flags);
			flags_unite(&l.flags, &f);
		}
		l.ids[l.n] = m.id;
		l.uids[l.n++] = m.uid;
	}
	if (got == 0)
		got = add(g, server, &l, e);
	flags_free(&l.flags);
	flags_free(&f);
	ledger_message_free(&m);
	return got;
}

static int add_in_row(struct engine *g, const struct ledger_target_row *row,
		      struct err *e)
{
	struct flags f = FLAGS_INIT;
	struct target_folder server;
	struct ledger_message m;
	int got;

	ledger_message_init(&m);
	got = ledger_next_late(g->led, row->id, 0, &m, &f, e);
	ledger_message_free(&m);
	flags_free(&f);
	if (got <= 0)
		return got;
	target_folder_init(&server);
	buf_set_str(&server.name, row->wire.data);
	got = g->target->ops->open_folder(g->target, NULL, USE_NONE, false,
					  &server, e);
	if (got == 0)
		got = add_in_folder(g, row->id, &server, e);
	target_folder_free(&server);
	return got;
}

int late_add(struct engine *g, struct err *e)
{
	struct ledger_target_row row;
	int64_t after = 0;
	int got;

	if (!g->target->ops->add_flags)
		return 0;
	ledger_target_row_init(&row);
	while ((got = ledger_next_target_folder(g->led, after, &row, e)) > 0) {
		after = row.id;
		if (!row.wire.len || add_in_row(g, &row, e) == 0)
			continue;
		if (e->scope > ERR_FOLDER) {
			got = -1;
			break;
		}
		log_line(LOG_WARNING, "%s: %s", row.shown.data, e->text);
	}
	ledger_target_row_free(&row);
	return got < 0 ? -1 : ledger_commit(g->led, e);
}
