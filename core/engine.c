/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attempts: plan, prepare, transfer, and again after a lost connection. */
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/engine_internal.h"
#include "core/retry.h"

/* Pauses in a row that a server may ask for and then take nothing. */
enum { WAITS_MAX = 30 };

void engine_event(struct engine *g, struct event *ev)
{
	ev->progress = &g->progress;
	if (g->target)
		g->progress.bytes_sent = g->bytes_sent_before +
					 g->target->ops->bytes_sent(g->target);
	if (g->opt->sink)
		g->opt->sink(g->opt->sink_ctx, ev);
}

bool engine_stopped(const struct engine *g)
{
	return g->opt->stop && *g->opt->stop;
}

static int interrupted(struct err *e)
{
	return err_set(e, ERR_INTERRUPTED, ERR_RUN, ERR_NEVER,
		       "interrupted; run it again to go on");
}

static void close_target(struct engine *g)
{
	if (!g->target)
		return;
	g->bytes_sent_before += g->target->ops->bytes_sent(g->target);
	g->progress.bytes_sent = g->bytes_sent_before;
	g->target->ops->close(g->target);
	g->target = NULL;
}

static int connect_target(struct engine *g, struct err *e)
{
	struct event ev = { .type = EVENT_CONNECTED };
	uint64_t daily = g->opt->daily_limit;

	if (g->target)
		return 0;
	if (g->opt->open_target(g->opt->target_ctx, &g->target, e) < 0)
		return -1;
	g->connected_ms = clock_ms();
	g->target->ops->limits(g->target, &g->limits);
	engine_event(g, &ev);
	return budget_load(&g->budget, daily ? daily : g->limits.daily_bytes,
			   g->led, clock_now(), e);
}

/* ---- what people should know before the first byte goes out ---- */

static void tell_room(struct engine *g)
{
	struct event ev = {
		.type = EVENT_QUOTA,
		.quota = &g->quota,
		.size = g->plan.bytes,
	};

	/* A Maildir whose names say no sizes: only reading it tells. */
	if (!ev.size)
		ev.size = EVENT_SIZE_UNKNOWN;
	if (g->quota.has_bytes || g->quota.has_messages)
		engine_event(g, &ev);
}

static void tell_changes(struct engine *g)
{
	static const struct {
		unsigned change;
		const char *text;
	} rows[] = {
		{ CHANGES_8BIT_HEADERS,
		  "raw 8-bit bytes in headers become X (--encode-headers)" },
		{ CHANGES_NUL,
		  "a NUL becomes another byte, or ends the message" },
		{ CHANGES_LONE_CR, "a CR without LF is dropped" },
		{ CHANGES_LAST_EOL, "a missing last line end is added" },
		{ CHANGES_FLAGS, "flags are lost" },
		{ CHANGES_KEYWORDS, "keywords are lost" },
		{ CHANGES_DATE, "the date of arrival is lost" },
		{ CHANGES_BYTES, "it makes every message anew" },
	};
	struct buf text = BUF_INIT;
	struct event ev = { .type = EVENT_SERVER };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (g->limits.changes & rows[i].change)
			buf_addf(&text, "%s%s", text.len ? "; " : "",
				 rows[i].text);
	ev.text = text.data;
	ev.source = g->limits.server;
	if (text.len)
		engine_event(g, &ev);
	buf_free(&text);
}

/* Once a run, and only if there is something to bring. */
static int tell_server(struct engine *g, struct err *e)
{
	const struct target_ops *ops = g->target->ops;

	if (g->told_server || !g->plan.n_work)
		return 0;
	if (ops->quota && ops->quota(g->target, &g->quota, e) < 0)
		return -1;
	g->told_server = true;
	tell_room(g);
	tell_changes(g);
	return 0;
}

static void tell_altered(struct engine *g)
{
	struct buf text = BUF_INIT;
	struct event ev = { .type = EVENT_SERVER, .source = g->limits.server };

	if (!g->altered)
		return;
	buf_addf(
		&text,
		"%llu messages hold bytes that this server is known to change; "
		"mailhaul verify --full names them",
		(unsigned long long)g->altered);
	ev.text = text.data;
	engine_event(g, &ev);
	buf_free(&text);
}

static void place_failed(struct engine *g, struct place *p, const struct err *e)
{
	struct event ev = {
		.type = EVENT_FOLDER_FAILED,
		.target_folder = p->map.shown.data,
		.text = e->text,
	};

	p->failed = true;
	p->why = *e;
	g->folders_failed++;
	engine_event(g, &ev);
}

/* The server has it: settle what is in doubt, see what else is there, then
   write down what was said. */
static int place_opened(struct engine *g, struct place *p, struct err *e)
{
	bool doubts = p->ledger.open_intents > 0;

	if (doubts && settle_place(g, p, e) < 0)
		return -1;
	if (adopt_list(g, p, doubts, e) < 0)
		return -1;
	if (ledger_target_folder_opened(g->led, p->ledger.id,
					p->server.name.data,
					p->server.uidvalidity,
					p->server.uidnext, e) < 0)
		return -1;
	p->known = p->ready = true;
	return 0;
}

static int open_places(struct engine *g, struct err *e)
{
	struct target_open *opens;
	struct place **asked;
	size_t n = 0;
	int ret = -1;

	opens = mem_zalloc(g->plan.n_places * sizeof(*opens));
	asked = mem_zalloc(g->plan.n_places * sizeof(*asked));
	for (size_t i = 0; i < g->plan.n_places; i++) {
		struct place *p = &g->plan.places[i];

		if (p->ready || p->failed)
			continue;
		asked[n] = p;
		opens[n++] = (struct target_open){
			.path = (const char *const *)p->map.path,
			.use = p->map.use,
			.create = true,
			.folder = &p->server,
		};
	}
	if (n && g->target->ops->open_folders(g->target, opens, n, e) < 0)
		goto out;
	for (size_t i = 0; i < n; i++) {
		if (opens[i].failed) {
			place_failed(g, asked[i], &opens[i].why);
			continue;
		}
		if (place_opened(g, asked[i], e) == 0)
			continue;
		if (e->scope > ERR_FOLDER)
			goto out;
		place_failed(g, asked[i], e);
	}
	ret = 0;
out:
	free(opens);
	free(asked);
	return ret;
}

int engine_prepare(struct engine *g, struct err *e)
{
	if (connect_target(g, e) < 0 || tell_server(g, e) < 0 ||
	    open_places(g, e) < 0)
		return -1;
	if (ledger_commit(g->led, e) < 0)
		return -1;
	fault_point("engine.prepared");
	return 0;
}

/* A folder that the server has not got yet is made even if it is empty; one
   with open intents is settled even if its source has nothing new. */
static bool needs_server(const struct engine *g)
{
	if (g->opt->mode == ENGINE_PLAN)
		return false;
	for (size_t i = 0; i < g->plan.n_places; i++)
		if (!g->plan.places[i].known ||
		    g->plan.places[i].ledger.open_intents)
			return true;
	return false;
}

static bool folder_is_known(void *ctx, const char *id)
{
	struct engine *g = ctx;
	struct err e;

	return ledger_knows_folder(g->led, g->source, id, &e) > 0;
}

static bool next_known_folder(void *ctx, const char *after, struct buf *id_r,
			      struct buf *fingerprint_r)
{
	struct engine *g = ctx;
	struct err e;

	return ledger_next_known_folder(g->led, g->source, after, id_r,
					fingerprint_r, &e) > 0;
}

int engine_open_source(struct engine *g, size_t source, struct importer **imp_r,
		       struct err *e)
{
	const struct source *s = &g->opt->sources[source];
	struct importer_options o = g->opt->import;

	if (ledger_source(g->led, s->format->name, s->path, &g->source, e) < 0)
		return -1;
	o.known_folder = folder_is_known;
	o.next_known = next_known_folder;
	o.known_ctx = g;
	o.except = (const char *const *)s->except;
	o.others_looked = s->found;
	if (source_open(s, &o, imp_r, e) < 0)
		return err_widen(e, ERR_RUN);
	return 0;
}

static void read_failed(struct engine *g, struct work *w, const struct err *e)
{
	struct event ev = {
		.type = EVENT_FOLDER_FAILED,
		.source = g->opt->sources[w->source].path,
		.folder = w->shown,
		.text = e->text,
	};

	w->clean = false;
	w->read_to_end = false;
	g->folders_failed++;
	engine_event(g, &ev);
}

/* Nothing has changed since the first round. */
static bool is_as_planned(const struct engine *g, const struct work *w,
			  const struct folder *f)
{
	const struct buf *key = &g->plan.places[w->place].map.key;
	size_t n = strlen(f->fingerprint);

	return !strncmp(w->fingerprint, f->fingerprint, n) &&
	       w->fingerprint[n] == '|' &&
	       !strcmp(w->fingerprint + n + 1, key->data);
}

/* Transfer the works of one source, in the importer's order, which the plan has
   kept: both walk the folders sorted by id. */
static int transfer_source(struct engine *g, size_t *at, struct err *e)
{
	size_t source = g->plan.work[*at].source;
	struct importer *imp = NULL;
	struct folder f;
	int got, ret = -1;

	if (engine_open_source(g, source, &imp, e) < 0)
		return -1;
	while (*at < g->plan.n_work && g->plan.work[*at].source == source) {
		struct work *w = &g->plan.work[*at];

		got = imp->ops->next_folder(imp, &f, e);
		if (got < 0 && e->scope > ERR_FOLDER)
			goto out;
		if (got == 0)
			break; /* it vanished since the plan was made */
		if (got < 0 || strcmp(f.id, w->id) != 0)
			continue;
		(*at)++;
		if (g->second_round)
			w->trust_locators = is_as_planned(g, w, &f);
		if (transfer_folder(g, w, imp, e) == 0)
			continue;
		if (e->kind != ERR_SOURCE || e->scope > ERR_FOLDER)
			goto out;
		read_failed(g, w, e);
	}
	while (*at < g->plan.n_work && g->plan.work[*at].source == source)
		(*at)++;
	plan_remarks(g, source, imp);
	ret = 0;
out:
	imp->ops->close(imp);
	return ret;
}

static int add_late_flags(struct engine *g, struct err *e)
{
	int any;

	if (g->opt->mode == ENGINE_PLAN)
		return 0;
	any = ledger_has_late(g->led, e);
	if (any <= 0)
		return any;
	return connect_target(g, e) < 0 ? -1 : late_add(g, e);
}

static int transfer_all(struct engine *g, struct err *e)
{
	for (size_t at = 0; at < g->plan.n_work;)
		if (transfer_source(g, &at, e) < 0)
			return -1;
	return transfer_finish(g, e);
}

/* Messages of which a client downloaded only the beginning come last: by then it
   is known whether one of the other sources has the whole. */
static int attempt(struct engine *g, struct err *e)
{
	g->second_round = false;
	if (plan_make(g, e) < 0)
		return -1;
	if (needs_server(g) && engine_prepare(g, e) < 0)
		return -1;
	if (transfer_all(g, e) < 0)
		return -1;
	g->second_round = plan_second_round(&g->plan);
	if (g->second_round && transfer_all(g, e) < 0)
		return -1;
	return add_late_flags(g, e);
}

static uint32_t chance(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		n = (uint32_t)clock_ms();
	return n % 1001;
}

int engine_sleep(const struct engine *g, int64_t ms, struct err *e)
{
	int64_t until = clock_ms() + ms;

	while (clock_ms() < until) {
		if (engine_stopped(g))
			return interrupted(e);
		clock_sleep_ms(until - clock_ms() < 200 ? until - clock_ms()
							: 200);
	}
	return 0;
}

static int pause_before_retry(struct engine *g, int64_t ms,
			      const struct err *why, struct err *e)
{
	struct event ev = { .type = EVENT_WAIT,
			    .text = why->text,
			    .wait_ms = ms };

	engine_event(g, &ev);
	return engine_sleep(g, ms, e);
}

/* A server that says "not now" has not gone away: a new connection would be one
   more thing to wear its patience. */
static bool is_still_there(const struct engine *g, const struct err *why)
{
	return why->kind == ERR_BUSY && g->target && g->target->ops->alive &&
	       g->target->ops->alive(g->target);
}

static int attempts(struct engine *g, struct err *e)
{
	uint64_t before = UINT64_MAX;
	unsigned failures = 0, told_to_wait = 0;
	struct err why;
	int64_t wait;

	while (attempt(g, e) < 0) {
		why = *e;
		transfer_abandon(g);
		g->lost = clock_now();
		if (!is_still_there(g, &why))
			close_target(g);
		/* A folder that was there when it was opened: the next attempt
		   makes it again. */
		if (why.kind == ERR_NO_FOLDER)
			why.retry = ERR_NOW;
		if (g->progress.uploaded > before)
			failures = told_to_wait = 0;
		before = g->progress.uploaded;
		/* A pause that the server asked for is no failure. */
		if (why.kind == ERR_BUSY && why.wait_ms &&
		    ++told_to_wait <= WAITS_MAX)
			wait = retry_after(&why, 1, chance());
		else
			wait = retry_after(&why, ++failures, chance());
		/* Made, and not there: once more, but not for ever. */
		if (why.kind == ERR_NO_FOLDER && failures > 2)
			wait = RETRY_GIVE_UP;
		*e = why;
		if (wait == RETRY_GIVE_UP || engine_stopped(g))
			return -1;
		log_line(LOG_WARNING, "%s; trying again", why.text);
		if (pause_before_retry(g, wait, &why, e) < 0)
			return -1;
	}
	return 0;
}

static int begin_run(struct engine *g, struct err *e)
{
	struct ledger_run last;
	int found = 0;

	if (g->opt->continue_run)
		found = ledger_last_run(g->led, &last, e);
	if (found > 0)
		g->run = last.id;
	if (found)
		return found < 0 ? -1 : 0;
	return ledger_begin_run(g->led, g->opt->command, g->now, &g->run, e);
}

int engine_run(const struct engine_options *opt, struct ledger *led,
	       struct engine_result *result, struct err *e)
{
	struct engine g = { .opt = opt, .led = led, .now = clock_now() };
	struct err later = ERR_INIT;
	int ret;

	*result = (struct engine_result){ .bytes_read = 0 };
	if (begin_run(&g, e) < 0)
		return -1;
	ret = attempts(&g, e);
	tell_altered(&g);
	transfer_free(&g);
	close_target(&g);
	if (ledger_totals(led, g.run, &result->totals, ret < 0 ? &later : e) <
	    0)
		ret = -1;
	if (ledger_end_run(led, g.run, clock_now(), ret < 0 ? 1 : 0,
			   ret < 0 ? &later : e) < 0 ||
	    ledger_commit(led, ret < 0 ? &later : e) < 0)
		ret = -1;
	result->bytes_read = g.progress.bytes_read;
	result->bytes_sent = g.progress.bytes_sent;
	result->folders_failed = g.folders_failed;
	plan_free(&g.plan);
	plan_forget_remarks(&g);
	return ret;
}
