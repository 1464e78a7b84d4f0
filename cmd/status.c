/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailhaul status: where things stand, from the ledger alone. */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/out.h"
#include "core/base/date.h"
#include "storage/ledger/query.h"

static const char *copy_state(enum ledger_copy_state state)
{
	return state == COPY_SKIPPED   ? "skipped"
	       : state == COPY_PENDING ? "pending"
				       : "failed";
}

static void show_missing_row(const struct call *c, const struct ledger_row *r)
{
	struct buf date = BUF_INIT;

	if (r->date != DATE_NONE)
		date_add_iso(&date, r->date);
	if (c->opt.json)
		out_json(json_pack(
			"{ss ss so so so sI sI so so so}", "event", "missing",
			"state", copy_state(r->state), "source",
			json_text(r->source), "folder", json_text(r->folder),
			"locator", json_text(r->locator), "offset",
			(json_int_t)r->offset, "bytes", (json_int_t)r->size,
			"date", json_text(date.data), "subject",
			json_text(r->subject), "reason", json_text(r->why)));
	else
		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", copy_state(r->state),
		       r->source, r->folder, r->locator,
		       date.len ? date.data : "-", r->subject ? r->subject : "",
		       r->why ? r->why : "");
	buf_free(&date);
}

static int show_missing(const struct call *c, struct ledger *led, struct err *e)
{
	struct ledger_cursor *cursor = NULL;
	struct ledger_row row;
	int got;

	if (ledger_list_copies(led,
			       1u << COPY_SKIPPED | 1u << COPY_FAILED |
				       1u << COPY_PENDING,
			       0, &cursor, e) < 0)
		return -1;
	while ((got = ledger_cursor_next(cursor, &row, e)) > 0)
		show_missing_row(c, &row);
	ledger_cursor_free(cursor);
	return got;
}

static void show_folder(const struct call *c, const struct ledger_target_row *r)
{
	if (c->opt.json) {
		out_json(json_pack("{ss so sI sI sI sI}", "event", "folder",
				   "target", json_text(r->shown.data), "done",
				   (json_int_t)r->done, "in_doubt",
				   (json_int_t)r->open_intents, "refused",
				   (json_int_t)r->refused, "bytes",
				   (json_int_t)r->bytes));
		return;
	}
	printf("  ");
	print_padded(r->shown.data, 36);
	printf(" %8s %10s", human_count(r->done), human_bytes(r->bytes));
	if (r->open_intents)
		printf(_("  %s in doubt"), human_count(r->open_intents));
	if (r->refused)
		printf(_("  %s refused"), human_count(r->refused));
	putchar('\n');
}

static int show_folders(const struct call *c, struct ledger *led, struct err *e)
{
	struct ledger_target_row row;
	int64_t after = 0;
	int got;

	ledger_target_row_init(&row);
	while ((got = ledger_next_target_folder(led, after, &row, e)) > 0) {
		after = row.id;
		show_folder(c, &row);
	}
	ledger_target_row_free(&row);
	return got;
}

static void show_last_run(const struct ledger_run *run)
{
	struct buf when = BUF_INIT;

	date_add_iso(&when, run->began);
	if (run->exit_status < 0)
		printf(_("Last run: %s, %s; it is running or was cut off.\n"),
		       run->command, when.data);
	else
		printf(_("Last run: %s, %s; %s.\n"), run->command, when.data,
		       run->exit_status ? _("it did not come to its end")
					: _("it came to its end"));
	buf_free(&when);
}

static void show_totals(const struct call *c, const struct ledger_totals *t)
{
	struct out *out = out_new(&c->opt, true);
	struct summary s = { .command = "status", .totals = *t };

	if (c->opt.json)
		out_summary(out, &s);
	else
		printf(_("%s messages found: %s on the server (%s of them were "
			 "there before or are duplicates), %s skipped, %s failed, "
			 "%s not done yet.\n"),
		       human_count(t->found),
		       human_count(t->uploaded + t->already + t->duplicate),
		       human_count(t->already + t->duplicate),
		       human_count(t->skipped), human_count(t->failed),
		       human_count(t->pending));
	out_free(out);
}

static int show_ledger(const struct call *c, const char *path, struct err *e)
{
	struct ledger_totals totals;
	struct ledger *led = NULL;
	struct ledger_run run;
	int got, status = EXIT_SOME_LEFT;

	if (ledger_open(path, LEDGER_READ, c->target_name, &led, e) < 0)
		return exit_status(e);
	got = ledger_last_run(led, &run, e);
	if (got < 0)
		goto out;
	if (!c->opt.json && !c->opt.quiet) {
		printf("%s  (%s)\n", ledger_target(led), path);
		if (got)
			show_last_run(&run);
	}
	if (ledger_totals(led, 0, &totals, e) < 0)
		goto out;
	if (c->opt.missing ? show_missing(c, led, e) < 0
			   : show_folders(c, led, e) < 0)
		goto out;
	if (!c->opt.quiet)
		show_totals(c, &totals);
	status = totals.failed || totals.pending ? EXIT_SOME_LEFT
						 : EXIT_ALL_DONE;
out:
	if (*e->text)
		status = exit_status(e);
	ledger_close(led);
	return status;
}

static int is_ledger(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 3 && !strcmp(d->d_name + len - 3, ".db");
}

static int show_all(const struct call *c, struct err *e)
{
	char *folder = ledger_folder_path();
	struct dirent **names = NULL;
	int n, status = EXIT_ALL_DONE;

	n = folder ? scandir(folder, &names, is_ledger, alphasort) : -1;
	if (n <= 0 && !c->opt.quiet && !c->opt.json)
		printf(_("No ledger in %s: nothing has been migrated from here.\n"),
		       folder ? folder : "?");
	for (int i = 0; i < n; i++) {
		struct buf path = BUF_INIT;
		int one;

		buf_addf(&path, "%s/%s", folder, names[i]->d_name);
		one = show_ledger(c, path.data, e);
		if (one && !status)
			status = one;
		if (*e->text && i + 1 < n) {
			fprintf(stderr, "mailhaul: %s\n", e->text);
			err_clear(e);
		}
		buf_free(&path);
		free(names[i]);
	}
	free(names);
	free(folder);
	return status;
}

int cmd_status(struct call *c, struct err *e)
{
	if (!c->ledger_path)
		return show_all(c, e);
	return show_ledger(c, c->ledger_path, e);
}
