/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events, summary and errors as text or JSON; and the progress line. */
#include "cmd/out.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"

/* How many exceptions are named while a run goes on; the rest is in the list
   that "mailhaul status --missing" prints. */
enum { NAMED_MAX = 20, REDRAW_MS = 200 };

struct out {
	const struct options *opt;
	bool plan;	/* scan or --dry-run: a table of folders */
	bool redraw;	/* there is a terminal for a progress line */
	bool line_up;	/* the line is on the screen now */
	bool head_done; /* of the table */
	int64_t last_drawn_ms;
	uint64_t named;
	const char *last_source; /* remarks are grouped by it */
	char *source_copy;
};

struct out *out_new(const struct options *o, bool plan)
{
	struct out *out = mem_zalloc(sizeof(*out));

	out->opt = o;
	out->plan = plan;
	out->redraw = !o->json && !o->quiet && isatty(STDERR_FILENO);
	return out;
}

void out_free(struct out *out)
{
	out_clear(out);
	free(out->source_copy);
	free(out);
}

void out_clear(struct out *out)
{
	if (!out->line_up)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	out->line_up = false;
}

/* ---- small forms ---- */

double seconds_now(void)
{
	return (double)clock_ms() / 1000;
}

static char *ring(void)
{
	static char rooms[16][32];
	static unsigned next;

	return rooms[next++ % 16];
}

const char *human_bytes(uint64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n / 1024;
	char *s = ring();
	size_t u = 0;

	if (n < 1024) {
		snprintf(s, 32, "%llu B", (unsigned long long)n);
		return s;
	}
	while (v >= 1024 && u < 3) {
		v /= 1024;
		u++;
	}
	snprintf(s, 32, v < 10 ? "%.1f %s" : "%.0f %s", v, units[u]);
	return s;
}

const char *human_count(uint64_t n)
{
	char digits[24], *s = ring(), *to = s;
	int len =
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return s;
}

const char *human_seconds(double seconds)
{
	char *s = ring();
	unsigned long long n = (unsigned long long)(seconds + 0.5);

	if (seconds < 10)
		snprintf(s, 32, "%.1f s", seconds);
	else if (n < 60)
		snprintf(s, 32, "%llu s", n);
	else if (n < 3600)
		snprintf(s, 32, "%llu min %02llu s", n / 60, n % 60);
	else
		snprintf(s, 32, "%llu h %02llu min", n / 3600, n / 60 % 60);
	return s;
}

void print_padded(const char *text, int columns)
{
	int width = utf8_width(text, strlen(text));

	printf("%s%*s", text, width < columns ? columns - width : 0, "");
}

json_t *json_text(const char *s)
{
	struct buf utf8 = BUF_INIT;
	json_t *j;

	if (!s)
		return json_null();
	utf8_add_guessed(&utf8, s, strlen(s));
	j = json_stringn_nocheck(utf8.data, utf8.len);
	buf_free(&utf8);
	return j;
}

void out_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* ---- events ---- */

static const char *state_name(enum ledger_copy_state state)
{
	switch (state) {
	case COPY_PENDING:
		return "pending";
	case COPY_UPLOADED:
		return "uploaded";
	case COPY_ALREADY:
		return "already";
	case COPY_DUPLICATE:
		return "duplicate";
	case COPY_SKIPPED:
		return "skipped";
	case COPY_FAILED:
		break;
	}
	return "failed";
}

static json_t *notes_json(unsigned notes)
{
	static const struct {
		unsigned note;
		const char *name;
	} names[] = {
		{ NOTE_PARTIAL, "partial" },
		{ NOTE_HIDDEN, "hidden" },
		{ NOTE_QUEUED, "queued" },
		{ NOTE_DOUBTFUL_SPLIT, "doubtful-split" },
		{ NOTE_REBUILT, "rebuilt" },
		{ NOTE_PARTS_MISSING, "parts-missing" },
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (notes & names[i].note)
			json_array_append_new(list, json_string(names[i].name));
	return list;
}

static void json_message(const struct event *ev)
{
	out_json(json_pack("{ss so so so so ss sI so so}", "event", "message",
			   "source", json_text(ev->source), "folder",
			   json_text(ev->folder), "locator",
			   json_text(ev->locator), "subject",
			   json_text(ev->subject), "state",
			   state_name(ev->state), "bytes", (json_int_t)ev->size,
			   "reason", json_text(ev->text), "notes",
			   notes_json(ev->notes)));
}

static void json_folder_done(const struct event *ev)
{
	const struct ledger_totals *t = ev->totals;

	out_json(json_pack(
		"{ss so ss so so so sb sI sI sI sI sI sI sI sI}", "event",
		"folder", "source", json_text(ev->source), "format", ev->format,
		"account", json_text(ev->account), "folder",
		json_text(ev->folder), "target", json_text(ev->target_folder),
		"unchanged", ev->unchanged, "found", (json_int_t)t->found,
		"uploaded", (json_int_t)t->uploaded, "already",
		(json_int_t)t->already, "duplicate", (json_int_t)t->duplicate,
		"skipped", (json_int_t)t->skipped, "failed",
		(json_int_t)t->failed, "pending", (json_int_t)t->pending,
		"bytes", (json_int_t)t->bytes));
}

static void json_progress(struct out *out, const struct event *ev)
{
	const struct event_progress *p = ev->progress;
	int64_t now = clock_ms();

	if (now - out->last_drawn_ms < REDRAW_MS)
		return;
	out->last_drawn_ms = now;
	out_json(json_pack("{ss so sI sI sI sI}", "event", "progress", "target",
			   json_text(ev->target_folder), "messages",
			   (json_int_t)p->messages, "uploaded",
			   (json_int_t)p->uploaded, "bytes_read",
			   (json_int_t)p->bytes_read, "bytes_sent",
			   (json_int_t)p->bytes_sent));
	fflush(stdout);
}

static uint64_t room(uint64_t used, uint64_t limit)
{
	return used < limit ? limit - used : 0;
}

/* What is to come is an upper bound: what the server has already is not counted
   out of it. */
static bool surely_fits(const struct event *ev)
{
	const struct target_quota *q = ev->quota;

	return !q->has_bytes || ev->size <= room(q->bytes_used, q->bytes_limit);
}

static void json_quota(const struct event *ev)
{
	const struct target_quota *q = ev->quota;
	json_t *line = json_pack("{ss}", "event", "quota");

	if (ev->size != EVENT_SIZE_UNKNOWN) {
		json_object_set_new(line, "bytes_to_come",
				    json_integer((json_int_t)ev->size));
		json_object_set_new(line, "fits",
				    json_boolean(surely_fits(ev)));
	}

	if (q->has_bytes) {
		json_object_set_new(line, "bytes_used",
				    json_integer((json_int_t)q->bytes_used));
		json_object_set_new(line, "bytes_limit",
				    json_integer((json_int_t)q->bytes_limit));
	}
	if (q->has_messages) {
		json_object_set_new(line, "messages_used",
				    json_integer((json_int_t)q->messages_used));
		json_object_set_new(line, "messages_limit",
				    json_integer(
					    (json_int_t)q->messages_limit));
	}
	out_json(line);
}

static void event_as_json(struct out *out, const struct event *ev)
{
	switch (ev->type) {
	case EVENT_REMARK:
		out_json(json_pack("{ss so so}", "event", "remark", "source",
				   json_text(ev->source), "text",
				   json_text(ev->text)));
		break;
	case EVENT_FOLDER:
		break;
	case EVENT_FOLDER_DONE:
		json_folder_done(ev);
		break;
	case EVENT_FOLDER_FAILED:
		out_json(json_pack("{ss so so so so}", "event", "folder-failed",
				   "source", json_text(ev->source), "folder",
				   json_text(ev->folder), "target",
				   json_text(ev->target_folder), "reason",
				   json_text(ev->text)));
		break;
	case EVENT_MESSAGE:
		json_message(ev);
		break;
	case EVENT_PROGRESS:
		json_progress(out, ev);
		break;
	case EVENT_CONNECTED:
		out_json(json_pack("{ss}", "event", "connected"));
		break;
	case EVENT_WAIT:
		out_json(json_pack("{ss sI so}", "event", "wait",
				   "milliseconds", (json_int_t)ev->wait_ms,
				   "reason", json_text(ev->text)));
		break;
	case EVENT_QUOTA:
		json_quota(ev);
		break;
	case EVENT_SERVER:
		out_json(json_pack("{ss so so}", "event", "server", "server",
				   json_text(ev->source), "text",
				   json_text(ev->text)));
		break;
	}
}

/* The folder's name is what gives way when the terminal is narrow. */
static void add_cut(struct buf *out, const char *text, int columns)
{
	size_t len = strlen(text);

	if (utf8_width(text, len) <= columns) {
		buf_add_str(out, text);
		return;
	}
	while (len && utf8_width(text, len) > columns - 1) {
		len--;
		while (len && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	}
	buf_add(out, text, len);
	buf_add_str(out, "…");
}

static int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
		return size.ws_col;
	return 80;
}

static void draw(struct out *out, const struct event *ev)
{
	const struct event_progress *p = ev->progress;
	int64_t now = clock_ms();
	double seconds = (double)(now - p->started_ms) / 1000;
	struct buf line = BUF_INIT, numbers = BUF_INIT;

	if (!out->redraw || now - out->last_drawn_ms < REDRAW_MS)
		return;
	out->last_drawn_ms = now;
	buf_addf(&numbers, "  %s  %s", human_count(p->messages),
		 human_bytes(p->bytes_read));
	if (seconds > 0.5)
		buf_addf(&numbers, "  %s/s",
			 human_bytes(
				 (uint64_t)((double)p->bytes_read / seconds)));
	if (seconds > 2 && p->bytes_done && p->bytes_total > p->bytes_done)
		buf_addf(&numbers, _("  %s left"),
			 human_seconds(
				 seconds / (double)p->bytes_done *
				 (double)(p->bytes_total - p->bytes_done)));
	add_cut(&line, ev->target_folder ? ev->target_folder : "",
		terminal_columns() - 2 - utf8_width(numbers.data, numbers.len));
	buf_add(&line, numbers.data, numbers.len);
	fprintf(stderr, "\r%s\033[K", line.data);
	fflush(stderr);
	out->line_up = true;
	buf_free(&line);
	buf_free(&numbers);
}

static void begin_source(struct out *out, const struct event *ev)
{
	if (out->source_copy && !strcmp(out->source_copy, ev->source))
		return;
	free(out->source_copy);
	out->source_copy = mem_strdup(ev->source);
	printf("%s\n", ev->source);
}

static void text_folder_done(struct out *out, const struct event *ev)
{
	const struct ledger_totals *t = ev->totals;

	if (!out->plan && !out->opt->verbose)
		return;
	begin_source(out, ev);
	printf("  ");
	print_padded(ev->target_folder, 36);
	printf(" %8s %10s", human_count(t->found), human_bytes(t->bytes));
	if (t->duplicate)
		printf(_("  %s duplicate"), human_count(t->duplicate));
	if (t->skipped)
		printf(_("  %s skipped"), human_count(t->skipped));
	if (t->failed)
		printf(_("  %s failed"), human_count(t->failed));
	putchar('\n');
}

static void text_message(struct out *out, const struct event *ev)
{
	/* Skipped ones are many and normal: they are counted, and listed on
	   request. */
	if (ev->state != COPY_FAILED &&
	    !(ev->state == COPY_UPLOADED && ev->text) && !out->opt->verbose)
		return;
	if (++out->named > NAMED_MAX && !out->opt->verbose)
		return;
	printf("%s: %s, %s: \"%s\": %s\n", state_name(ev->state), ev->folder,
	       ev->locator, ev->subject ? ev->subject : "",
	       ev->text ? ev->text : _("migrated, with a note"));
}

static void text_quota(const struct event *ev)
{
	const struct target_quota *q = ev->quota;
	char free_text[64];

	if (q->has_bytes) {
		snprintf(free_text, sizeof(free_text), "%s",
			 human_bytes(room(q->bytes_used, q->bytes_limit)));
		if (ev->size == EVENT_SIZE_UNKNOWN)
			printf(_("The mailbox has %s free.\n"), free_text);
		else if (surely_fits(ev))
			printf(_("The mailbox has %s free; at most %s are to "
				 "come.\n"),
			       free_text, human_bytes(ev->size));
		else
			fprintf(stderr,
				_("mailhaul: the mailbox has %s free, and up to "
				  "%s are to come: it may not fit\n"),
				free_text, human_bytes(ev->size));
	}
	if (q->has_messages)
		printf(_("The mailbox takes %s more messages.\n"),
		       human_count(room(q->messages_used, q->messages_limit)));
}

static void event_as_text(struct out *out, const struct event *ev)
{
	switch (ev->type) {
	case EVENT_REMARK:
		begin_source(out, ev);
		printf("  %s\n", ev->text);
		break;
	case EVENT_FOLDER_DONE:
		text_folder_done(out, ev);
		break;
	case EVENT_FOLDER_FAILED:
		fprintf(stderr, "mailhaul: %s%s%s\n",
			ev->target_folder ? ev->target_folder : "",
			ev->target_folder ? ": " : "", ev->text);
		break;
	case EVENT_MESSAGE:
		text_message(out, ev);
		break;
	case EVENT_WAIT:
		fprintf(stderr, _("mailhaul: %s; trying again in %s\n"),
			ev->text, human_seconds((double)ev->wait_ms / 1000));
		break;
	case EVENT_QUOTA:
		text_quota(ev);
		break;
	case EVENT_SERVER:
		fprintf(stderr, _("mailhaul: %s is known to change mail: %s\n"),
			ev->source, ev->text);
		break;
	case EVENT_FOLDER:
	case EVENT_PROGRESS:
	case EVENT_CONNECTED:
		break;
	}
}

void out_event(void *ctx, const struct event *ev)
{
	struct out *out = ctx;

	if (out->opt->json) {
		event_as_json(out, ev);
		return;
	}
	if (out->opt->quiet)
		return;
	if (ev->type == EVENT_PROGRESS || ev->type == EVENT_FOLDER) {
		draw(out, ev);
		return;
	}
	out_clear(out);
	event_as_text(out, ev);
}

/* ---- the end ---- */

static bool summary_shown; /* as JSON; it must be the last object */

static uint64_t rss_peak(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_maxrss * 1024;
}

static void summary_as_json(const struct summary *s, uint64_t uploaded,
			    uint64_t failed)
{
	const struct ledger_totals *t = &s->totals;
	double rate = s->seconds > 0 ? (double)t->found / s->seconds : 0;
	json_t *o = json_pack(
		"{ss si ss sb sI sI sI sI sI sI sI sI sf sI sf sI}", "event",
		"summary", "format", 1, "command", s->command, "dry_run",
		s->dry_run, "found", (json_int_t)t->found, "uploaded",
		(json_int_t)uploaded, "already", (json_int_t)t->already,
		"duplicate", (json_int_t)t->duplicate, "skipped",
		(json_int_t)t->skipped, "failed", (json_int_t)failed,
		"bytes_read", (json_int_t)s->bytes_read, "bytes_sent",
		(json_int_t)s->bytes_sent, "seconds", s->seconds, "folders",
		(json_int_t)t->folders, "messages_per_second", rate,
		"rss_peak_bytes", (json_int_t)rss_peak());

	if (s->has_proof) {
		json_object_set_new(o, "proved",
				    json_integer((json_int_t)s->proved));
		json_object_set_new(o, "missing",
				    json_integer((json_int_t)s->missing));
		json_object_set_new(o, "changed",
				    json_integer((json_int_t)s->changed));
		json_object_set_new(o, "others",
				    json_integer((json_int_t)s->others));
	}
	out_json(o);
	summary_shown = true;
}

/* Pending ones would be sent (a plan), or did not get their turn (a run that
   was cut short): so that found is always the sum of the five. */
void out_summary(struct out *out, const struct summary *s)
{
	const struct ledger_totals *t = &s->totals;
	uint64_t uploaded = t->uploaded + (s->dry_run ? t->pending : 0);
	uint64_t failed = t->failed + (s->dry_run ? 0 : t->pending);

	out_clear(out);
	if (out->opt->json) {
		summary_as_json(s, uploaded, failed);
		return;
	}
	if (out->opt->quiet)
		return;
	if (!out->opt->verbose && out->named > NAMED_MAX)
		printf(_("... and %s more\n"),
		       human_count(out->named - NAMED_MAX));
	printf(s->dry_run
		       ? _("%s messages in %s folders: %s would be sent, %s are "
			   "there already, %s duplicate, %s skipped, %s failed "
			   "(%s read, %s).\n")
		       : _("%s messages in %s folders: %s uploaded, %s were there "
			   "already, %s duplicate, %s skipped, %s failed "
			   "(%s read, %s).\n"),
	       human_count(t->found), human_count(t->folders),
	       human_count(uploaded), human_count(t->already),
	       human_count(t->duplicate), human_count(t->skipped),
	       human_count(failed), human_bytes(s->bytes_read),
	       human_seconds(s->seconds));
}

void out_json_summary(const struct summary *s)
{
	summary_as_json(s, 0, 0);
}

void out_split(void *ctx, const struct split_doubt *d)
{
	const struct options *o = ctx;
	struct buf file = BUF_INIT;

	if (o->json) {
		out_json(json_pack("{ss so sI sb si so so}", "event", "split",
				   "file", json_text(d->file), "offset",
				   (json_int_t)d->offset, "taken", d->taken,
				   "score", d->score, "line",
				   json_text(d->line), "why",
				   json_text(d->why)));
		return;
	}
	utf8_add_guessed(&file, d->file, strlen(d->file));
	printf(d->taken ? _("%s, offset %llu: taken for a separator, in "
			    "doubt (%d): \"%s\": %s\n")
			: _("%s, offset %llu: taken for text, in doubt (%d): "
			    "\"%s\": %s\n"),
	       file.data, (unsigned long long)d->offset, d->score, d->line,
	       d->why);
	buf_free(&file);
}

static const char *kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_OTHER] = "other",
		[ERR_USAGE] = "usage",
		[ERR_SOURCE] = "source",
		[ERR_UNREACHABLE] = "unreachable",
		[ERR_CRASHED] = "crashed",
		[ERR_LEDGER] = "ledger",
		[ERR_BUSY] = "busy",
		[ERR_PROTOCOL] = "protocol",
		[ERR_AUTH] = "auth",
		[ERR_CONFIG] = "config",
		[ERR_QUOTA] = "quota",
		[ERR_INTERRUPTED] = "interrupted",
		[ERR_REFUSED] = "refused",
		[ERR_TOO_BIG] = "too-big",
		[ERR_NO_FOLDER] = "no-folder",
	};

	return names[kind];
}

void out_json_error(const struct err *e)
{
	json_t *line = json_pack("{ss ss si so}", "event", "error", "kind",
				 kind_name(e->kind), "exit", exit_status(e),
				 "text", json_text(e->text));

	if (e->wait_ms)
		json_object_set_new(line, "retry_after_seconds",
				    json_integer(e->wait_ms / 1000));
	out_json(line);
}

void out_error(bool json, const char *command, const struct err *e)
{
	struct summary nothing = { .command = command };

	fprintf(stderr, "mailhaul: %s\n", e->text);
	/* Whoever reads the objects waits for a summary as the last one. */
	if (!json || summary_shown)
		return;
	out_json_error(e);
	summary_as_json(&nothing, 0, 0);
}
