/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compares the ledger with the server. */
#include "core/verify.h"

#include <string.h>

#include "core/base/header.h"
#include "storage/ledger/check.h"
#include "storage/ledger/query.h"

/* How many messages are asked for at a time; only their UIDs are held. */
enum { FETCH_BATCH = 500 };

struct verify {
	struct ledger *led;
	struct target *t;
	const struct verify_options *opt;
	struct verify_totals *totals;
	const struct ledger_target_row *row;
	struct target_folder server;
};

static void report(const struct verify *v, const char *what,
		   const char *message_id, const char *subject, uint32_t uid,
		   const char *text)
{
	struct verify_finding f = {
		.folder = v->row->shown.data,
		.what = what,
		.message_id = message_id,
		.subject = subject,
		.uid = uid,
		.text = text,
	};

	if (v->opt->finding)
		v->opt->finding(v->opt->ctx, &f);
}

static int look(struct verify *v, struct err *e)
{
	struct buf id = BUF_INIT;
	enum ledger_sight sight;
	struct target_mail m;
	int got;

	target_mail_init(&m);
	got = v->t->ops->find_begin(v->t, &v->server, 1, e);
	while (got == 0 || got > 0) {
		got = v->t->ops->find_next(v->t, &m, e);
		if (got <= 0)
			break;
		buf_reset(&id);
		header_normal_message_id(m.message_id.data, m.message_id.len,
					 &id);
		if (ledger_check_saw(v->led, v->server.uidvalidity, m.uid,
				     m.size, id.data, &sight, e) < 0) {
			got = -1;
			break;
		}
		if (sight == SIGHT_UNKNOWN)
			v->totals->others++;
		if (sight == SIGHT_CHANGED) {
			v->totals->changed++;
			report(v, "changed", id.data, NULL, m.uid,
			       "another message has its UID");
		}
	}
	target_mail_free(&m);
	buf_free(&id);
	return got;
}

static int list_missing(struct verify *v, struct err *e)
{
	struct buf subject = BUF_INIT;
	struct ledger_message m;
	int64_t after = 0;
	int got;

	ledger_message_init(&m);
	while ((got = ledger_check_next_missing(v->led, after, &m, &subject,
						e)) > 0) {
		after = m.id;
		v->totals->missing++;
		report(v, "missing", m.message_id.data, subject.data, m.uid,
		       "it was uploaded, and is not in the folder any more");
	}
	ledger_message_free(&m);
	buf_free(&subject);
	return got;
}

/* One batch of found messages, to be fetched and compared. */
struct fetch_batch {
	uint32_t uids[FETCH_BATCH];
	struct digest digests[FETCH_BATCH];
	bool came[FETCH_BATCH];
	size_t n;
};

static int load_batch(struct verify *v, uint32_t *last, struct fetch_batch *b,
		      struct err *e)
{
	struct ledger_message m;
	int got = 0;

	ledger_message_init(&m);
	b->n = 0;
	while (b->n < FETCH_BATCH &&
	       (got = ledger_check_next_found(v->led, *last, &m, e)) > 0) {
		*last = m.uid;
		b->uids[b->n] = m.uid;
		b->digests[b->n] = m.repairs ? m.sent : m.digest;
		b->came[b->n++] = false;
	}
	ledger_message_free(&m);
	return got < 0 ? -1 : 0;
}

static void compare(struct verify *v, struct fetch_batch *b, uint32_t uid,
		    const struct intake *in)
{
	struct buf id = BUF_INIT;

	v->totals->bytes_read += in->wire_size;
	for (size_t i = 0; i < b->n; i++) {
		if (b->uids[i] != uid)
			continue;
		b->came[i] = true;
		if (!memcmp(b->digests[i].full, in->digest.full, DIGEST_SIZE)) {
			v->totals->proved++;
			return;
		}
		v->totals->changed++;
		header_add_message_id(&in->header, &id);
		report(v, "changed", id.data, NULL, uid,
		       memcmp(b->digests[i].core, in->digest.core, DIGEST_SIZE)
			       ? "its body or its main header fields differ"
			       : "trace header fields differ");
		buf_free(&id);
		return;
	}
}

static int fetch_batch(struct verify *v, struct fetch_batch *b, struct err *e)
{
	struct intake in;
	uint32_t uid;
	int got;

	intake_init(&in);
	got = v->t->ops->fetch_begin(v->t, &v->server, b->uids, b->n, e);
	if (got == 0)
		while ((got = v->t->ops->fetch_next(v->t, &uid, &in, e)) > 0)
			compare(v, b, uid, &in);
	intake_free(&in);
	for (size_t i = 0; got == 0 && i < b->n; i++) {
		if (b->came[i])
			continue;
		v->totals->missing++;
		report(v, "missing", NULL, NULL, b->uids[i],
		       "it vanished while it was being verified");
	}
	return got;
}

static bool stopped(const struct verify *v)
{
	return v->opt->stop && *v->opt->stop;
}

static int compare_bytes(struct verify *v, struct err *e)
{
	static struct fetch_batch
		b; /* one thread, and too large for the stack */
	uint32_t last = 0;

	do {
		if (stopped(v))
			return err_set(e, ERR_INTERRUPTED, ERR_RUN, ERR_NEVER,
				       "interrupted");
		if (load_batch(v, &last, &b, e) < 0)
			return -1;
		if (b.n && fetch_batch(v, &b, e) < 0)
			return -1;
	} while (b.n);
	return 0;
}

static int verify_folder(struct verify *v, struct err *e)
{
	uint64_t missing = v->totals->missing, changed = v->totals->changed;
	uint64_t paired;

	if (v->t->ops->open_folder(v->t, NULL, USE_NONE, false, &v->server, e) <
	    0)
		return -1;
	v->totals->folders++;
	v->totals->done += v->row->done;
	if (ledger_check_begin(v->led, v->row->id, e) < 0)
		return -1;
	if (v->server.exists && v->server.messages && look(v, e) < 0)
		return -1;
	if (ledger_check_pair(v->led, &paired, e) < 0)
		return -1;
	v->totals->others -= paired;
	if (list_missing(v, e) < 0)
		return -1;
	if (v->opt->full)
		return compare_bytes(v, e);
	v->totals->proved += v->row->done - (v->totals->missing - missing) -
			     (v->totals->changed - changed);
	return 0;
}

int verify_run(struct ledger *led, struct target *t,
	       const struct verify_options *opt, struct verify_totals *totals_r,
	       struct err *e)
{
	struct ledger_target_row row;
	struct verify v = {
		.led = led, .t = t, .opt = opt, .totals = totals_r, .row = &row
	};
	int64_t after = 0;
	int got;

	*totals_r = (struct verify_totals){ .folders = 0 };
	ledger_target_row_init(&row);
	target_folder_init(&v.server);
	while ((got = ledger_next_target_folder(led, after, &row, e)) > 0) {
		after = row.id;
		if (!row.wire.len || !row.done)
			continue;
		buf_set_str(&v.server.name, row.wire.data);
		if (verify_folder(&v, e) < 0) {
			err_in(e, "%s", row.shown.data);
			got = -1;
			break;
		}
		if (opt->folder)
			opt->folder(opt->ctx, row.shown.data, totals_r);
	}
	target_folder_free(&v.server);
	ledger_target_row_free(&row);
	return got;
}
