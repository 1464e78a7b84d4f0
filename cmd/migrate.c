/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailhaul scan and mailhaul migrate: the same engine, with and without a
 * server. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/stores.h"
#include "core/base/clock.h"

/* A child that was killed may hold the ledger a moment longer than its parent
   lives. */
enum { LOCK_PATIENCE_MS = 3000 };

static int status_of(const struct engine_result *r, int ret, bool plan,
		     struct err *e)
{
	if (ret < 0)
		return exit_status(e);
	if (r->folders_failed && !r->totals.found) {
		err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER,
			"nothing could be read");
		return EXIT_SOURCE;
	}
	if (r->totals.failed || r->folders_failed)
		return EXIT_SOME_LEFT;
	/* What is neither there nor refused is in doubt still. */
	return r->totals.pending && !plan ? EXIT_SOME_LEFT : EXIT_ALL_DONE;
}

/* How to ask for the list of what is not there. */
static void add_list_command(const struct call *c, struct buf *out)
{
	buf_add_str(out, "mailhaul status --missing ");
	if (c->opt.ledger)
		buf_addf(out, "--ledger %s", c->opt.ledger);
	else
		buf_add_str(out, c->opt.args[c->opt.n_args - 1]);
}

/* What everybody wants to know in the end, in a sentence. */
static void closing_sentence(const struct call *c,
			     const struct engine_result *r, int status)
{
	const struct ledger_totals *t = &r->totals;
	uint64_t there = t->uploaded + t->already;
	struct buf list = BUF_INIT;

	if (c->opt.json || c->opt.quiet)
		return;
	add_list_command(c, &list);
	if (status == EXIT_ALL_DONE && t->skipped)
		printf(_("All mail is on the server: %s messages. %s were left out "
			 "on purpose (deleted in the client, or by date); "
			 "%s lists them.\n"),
		       human_count(there), human_count(t->skipped), list.data);
	else if (status == EXIT_ALL_DONE)
		printf(_("All mail is on the server: %s messages; nothing is "
			 "missing.\n"),
		       human_count(there));
	else
		printf(_("%s messages are on the server; %s of what was found are "
			 "not: %s lists them.\n"),
		       human_count(there), human_count(t->failed + t->pending),
		       list.data);
	buf_free(&list);
}

struct sink {
	struct out *out;
	struct stores *stores; /* of a plan; NULL */
};

static void on_event(void *ctx, const struct event *ev)
{
	struct sink *s = ctx;

	child_uploaded(ev->progress->uploaded);
	if (s->stores && ev->type == EVENT_FOLDER_DONE)
		stores_add(s->stores, ev);
	out_event(s->out, ev);
}

static int run_engine(struct call *c, const char *command, bool plan,
		      struct ledger *led, struct err *e)
{
	struct out *out = out_new(&c->opt, plan);
	struct sink sink = { .out = out, .stores = plan ? stores_new() : NULL };
	struct engine_result result;
	struct engine_options o = {
		.mode = plan ? ENGINE_PLAN : ENGINE_MIGRATE,
		.command = command,
		.continue_run = !plan && child_takes_over(led),
		.sources = c->sources.list,
		.n_sources = c->sources.n,
		.map = c->opt.map,
		.import = c->opt.import,
		.accounts = (const char *const *)c->opt.accounts,
		.since = c->opt.since,
		.until = c->opt.until,
		.on_refused = (enum on_refused)c->opt.on_refused,
		.encode_headers = c->opt.encode_headers,
		.daily_limit = c->opt.daily_limit,
		.open_target = open_target,
		.target_ctx = c,
		.sink = on_event,
		.sink_ctx = &sink,
		.stop = &stop_requested,
	};
	double began = seconds_now();
	int ret = engine_run(&o, led, &result, e);

	if (ret == 0)
		err_clear(e); /* what was tried on the way does not matter */
	int status = status_of(&result, ret, plan, e);
	struct summary s = {
		.command = command,
		.dry_run = plan,
		.totals = result.totals,
		.bytes_read = result.bytes_read,
		.bytes_sent = result.bytes_sent,
		.seconds = seconds_now() - began,
	};

	if (sink.stores) {
		out_clear(out);
		stores_show(sink.stores, &c->opt);
		stores_free(sink.stores);
	}
	if (ret < 0 && c->opt.json)
		out_json_error(e);
	out_summary(out, &s);
	if (!plan)
		closing_sentence(c, &result, status);
	out_free(out);
	return status;
}

static int open_ledger(const char *path, enum ledger_mode mode,
		       const char *target, struct ledger **led_r, struct err *e)
{
	int64_t until = clock_ms() + LOCK_PATIENCE_MS;

	while (ledger_open(path, mode, target, led_r, e) < 0) {
		if (e->kind != ERR_BUSY || stop_requested ||
		    clock_ms() >= until)
			return -1;
		clock_sleep_ms(20);
	}
	err_clear(e);
	return 0;
}

int cmd_scan(struct call *c, struct err *e)
{
	enum ledger_mode mode = c->opt.ledger ? LEDGER_WRITE : LEDGER_SCRATCH;
	struct ledger *led = NULL;
	int status;

	if (c->opt.list_accounts)
		return stores_list(c, e);
	if (stores_check_accounts(c, e) < 0)
		return exit_status(e);
	if (c->opt.explain_splits) {
		c->opt.import.doubt = out_split;
		c->opt.import.doubt_ctx = &c->opt;
	}
	if (open_ledger(c->opt.ledger ? c->ledger_path : "", mode, NULL, &led,
			e) < 0)
		return exit_status(e);
	status = run_engine(c, "scan", true, led, e);
	ledger_close(led);
	return status;
}

int cmd_migrate(struct call *c, struct err *e)
{
	bool plan = c->opt.dry_run;
	struct ledger *led = NULL;
	int status;

	if (!c->ledger_path) {
		err_set(e, ERR_CONFIG, ERR_RUN, ERR_NEVER,
			"neither XDG_STATE_HOME nor HOME says where the ledger "
			"goes: give --ledger FILE");
		return EXIT_CONFIG;
	}
	if (c->opt.list_accounts) {
		err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			"--accounts needs names here; mailhaul scan --accounts "
			"lists them");
		return EXIT_USAGE;
	}
	if (stores_check_accounts(c, e) < 0)
		return exit_status(e);
	if (!plan && open_ahead(c, e) < 0)
		return exit_status(e);
	if (open_ledger(c->ledger_path, plan ? LEDGER_SCRATCH : LEDGER_WRITE,
			c->target_name, &led, e) < 0)
		return exit_status(e);
	status = run_engine(c, "migrate", plan, led, e);
	ledger_close(led);
	return status;
}
