/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailhaul verify: the ledger against the server. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/out.h"
#include "core/base/fault.h"
#include "core/verify.h"

static void show_finding(void *ctx, const struct verify_finding *f)
{
	const struct call *c = ctx;

	if (c->opt.json)
		out_json(json_pack("{ss ss so so so sI so}", "event", "finding",
				   "what", f->what, "folder",
				   json_text(f->folder), "message_id",
				   json_text(f->message_id), "subject",
				   json_text(f->subject), "uid",
				   (json_int_t)f->uid, "reason",
				   json_text(f->text)));
	else
		printf("%s: %s, UID %u, <%s> \"%s\": %s\n", f->what, f->folder,
		       f->uid, f->message_id ? f->message_id : "",
		       f->subject ? f->subject : "", f->text);
}

static void show_folder(void *ctx, const char *folder,
			const struct verify_totals *so_far)
{
	const struct call *c = ctx;

	fault_point("verify.folder");
	if (c->opt.json || c->opt.quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%s  %s", folder, human_count(so_far->proved));
}

static void show_result(const struct call *c, const struct verify_totals *v,
			double seconds, int status)
{
	struct out *out = out_new(&c->opt, false);
	struct summary s = {
		.command = "verify",
		.totals = { .found = v->done,
			    .already = v->proved,
			    .failed = v->done - v->proved,
			    .folders = v->folders },
		.bytes_read = v->bytes_read,
		.seconds = seconds,
		.has_proof = true,
		.proved = v->proved,
		.missing = v->missing,
		.changed = v->changed,
		.others = v->others,
	};

	if (c->opt.json) {
		out_summary(out, &s);
	} else if (!c->opt.quiet) {
		if (isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
		printf(_("%s of %s messages %s in %s folders; %s missing, %s "
			 "changed; %s of other origin beside them.\n"),
		       human_count(v->proved), human_count(v->done),
		       c->opt.full ? _("proved byte for byte")
				   : _("found with their UID and Message-ID"),
		       human_count(v->folders), human_count(v->missing),
		       human_count(v->changed), human_count(v->others));
		if (status == EXIT_ALL_DONE && !c->opt.full)
			printf(_("mailhaul verify --full compares the bytes as "
				 "well.\n"));
	}
	out_free(out);
}

int cmd_verify(struct call *c, struct err *e)
{
	struct verify_options o = {
		.full = c->opt.full,
		.finding = show_finding,
		.folder = show_folder,
		.ctx = c,
		.stop = &stop_requested,
	};
	struct verify_totals totals = { .done = 0 };
	double began = seconds_now();
	struct ledger *led = NULL;
	struct target *t = NULL;
	int status;

	if (!c->ledger_path) {
		err_set(e, ERR_CONFIG, ERR_RUN, ERR_NEVER,
			"no ledger to compare with: give --ledger FILE");
		return EXIT_CONFIG;
	}
	if (ledger_open(c->ledger_path, LEDGER_READ, c->target_name, &led, e) <
	    0)
		return exit_status(e);
	if (open_target(c, &t, e) < 0 ||
	    verify_run(led, t, &o, &totals, e) < 0) {
		status = exit_status(e);
	} else {
		err_clear(e); /* what was tried on the way does not matter */
		status = totals.missing || totals.changed ? EXIT_SOME_LEFT
							  : EXIT_ALL_DONE;
		show_result(c, &totals, seconds_now() - began, status);
	}
	if (t)
		t->ops->close(t);
	ledger_close(led);
	return status;
}
