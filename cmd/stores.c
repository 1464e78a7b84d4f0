/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which stores there are, whose they are, and what is in them. */
#include "cmd/stores.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/out.h"
#include "core/base/date.h"
#include "core/base/utf8.h"

struct row {
	const struct importer_ops *format;
	char *source, *account;
	uint64_t folders, messages, bytes, to_bring;
	int64_t oldest, newest;
};

struct stores {
	struct row *rows;
	size_t n;
	bool unread; /* messages, dates and to_bring are not known */
};

struct stores *stores_new(void)
{
	return mem_zalloc(sizeof(struct stores));
}

void stores_free(struct stores *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->rows[i].source);
		free(s->rows[i].account);
	}
	free(s->rows);
	free(s);
}

static struct row *find_row(struct stores *s, const struct importer_ops *format,
			    const char *source, const char *account)
{
	struct row *r;

	for (size_t i = s->n; i-- > 0;) {
		r = &s->rows[i];
		if (r->format == format && !strcmp(r->source, source) &&
		    !strcmp(r->account, account))
			return r;
	}
	s->rows = mem_realloc(s->rows, (s->n + 1) * sizeof(*s->rows));
	r = &s->rows[s->n++];
	*r = (struct row){
		.format = format,
		.source = mem_strdup(source),
		.account = mem_strdup(account),
		.oldest = DATE_NONE,
		.newest = DATE_NONE,
	};
	return r;
}

void stores_add(struct stores *s, const struct event *ev)
{
	const struct ledger_totals *t = ev->totals;
	struct row *r = find_row(s, importer_by_name(ev->format), ev->source,
				 ev->account);

	r->folders++;
	r->messages += t->found;
	r->bytes += t->bytes;
	r->to_bring += t->pending + t->uploaded;
	if (ev->oldest != DATE_NONE &&
	    (r->oldest == DATE_NONE || ev->oldest < r->oldest))
		r->oldest = ev->oldest;
	if (ev->newest != DATE_NONE &&
	    (r->newest == DATE_NONE || ev->newest > r->newest))
		r->newest = ev->newest;
}

/* ---- showing ---- */

static json_t *date_json(int64_t date)
{
	struct buf text = BUF_INIT;
	json_t *j;

	if (date == DATE_NONE)
		return json_null();
	date_add_iso(&text, date);
	j = json_string(text.data);
	buf_free(&text);
	return j;
}

static void show_json(const struct stores *s, const struct row *r)
{
	json_t *o = json_pack("{ss ss so so sI sI}", "event", "store", "format",
			      r->format->name, "source", json_text(r->source),
			      "account", json_text(r->account), "folders",
			      (json_int_t)r->folders, "bytes",
			      (json_int_t)r->bytes);

	if (!s->unread) {
		json_object_set_new(o, "messages",
				    json_integer((json_int_t)r->messages));
		json_object_set_new(o, "to_bring",
				    json_integer((json_int_t)r->to_bring));
		json_object_set_new(o, "oldest", date_json(r->oldest));
		json_object_set_new(o, "newest", date_json(r->newest));
	}
	out_json(o);
}

static void print_day(int64_t date)
{
	struct buf text = BUF_INIT;

	if (date == DATE_NONE)
		buf_add_str(&text, "-");
	else
		date_add_local(&text, date);
	printf("  %-10.10s", text.data);
	buf_free(&text);
}

static const char *account_text(const struct row *r)
{
	return *r->account ? r->account : "-";
}

static int width_of(const char *text)
{
	return utf8_width(text, strlen(text));
}

static void print_row(const struct stores *s, const struct row *r, int program,
		      int account)
{
	print_padded(r->format->title, program);
	printf("  ");
	print_padded(account_text(r), account);
	printf(" %7s", human_count(r->folders));
	if (!s->unread)
		printf(" %9s", human_count(r->messages));
	printf(" %9s", human_bytes(r->bytes));
	if (!s->unread) {
		print_day(r->oldest);
		print_day(r->newest);
		printf(" %9s", human_count(r->to_bring));
	}
	putchar('\n');
}

/* Translated headings may be wider than numbers: right-aligned by hand. */
static void print_right(const char *text, int columns)
{
	int width = width_of(text);

	printf(" %*s%s", width < columns ? columns - width : 0, "", text);
}

static void print_heading(const struct stores *s, int program, int account)
{
	print_padded(_("PROGRAM"), program);
	printf("  ");
	print_padded(_("ACCOUNT"), account);
	print_right(_("FOLDERS"), 7);
	if (!s->unread)
		print_right(_("MESSAGES"), 9);
	print_right(_("SIZE"), 9);
	if (!s->unread) {
		printf("  ");
		print_padded(_("OLDEST"), 10);
		printf("  ");
		print_padded(_("NEWEST"), 10);
		print_right(_("TO BRING"), 9);
	}
	putchar('\n');
}

static int widest(int least, const char *text)
{
	int width = width_of(text);

	return width > least ? width : least;
}

static void show_table(const struct stores *s)
{
	int program = width_of(_("PROGRAM")), account = width_of(_("ACCOUNT"));

	for (size_t i = 0; i < s->n; i++) {
		program = widest(program, s->rows[i].format->title);
		account = widest(account, account_text(&s->rows[i]));
	}
	putchar('\n');
	print_heading(s, program, account);
	for (size_t i = 0; i < s->n; i++) {
		struct buf path = BUF_INIT;

		print_row(s, &s->rows[i], program, account);
		if (i + 1 < s->n &&
		    s->rows[i].format == s->rows[i + 1].format &&
		    !strcmp(s->rows[i].source, s->rows[i + 1].source))
			continue;
		utf8_add_guessed(&path, s->rows[i].source,
				 strlen(s->rows[i].source));
		printf("  %s\n", path.data);
		buf_free(&path);
	}
	putchar('\n');
}

void stores_show(const struct stores *s, const struct options *o)
{
	if (o->json)
		for (size_t i = 0; i < s->n; i++)
			show_json(s, &s->rows[i]);
	else if (!o->quiet && s->n)
		show_table(s);
}

/* ---- without reading ---- */

static int list_source(struct stores *s, const struct call *c,
		       const struct source *source, struct err *e)
{
	struct importer_options opt = c->opt.import;
	struct importer *imp = NULL;
	struct folder f;
	int got;

	opt.except = (const char *const *)source->except;
	opt.others_looked = source->found;
	if (source_open(source, &opt, &imp, e) < 0)
		return -1;
	while ((got = imp->ops->next_folder(imp, &f, e)) != 0) {
		struct row *r;

		if (got < 0 && e->scope > ERR_FOLDER)
			break;
		if (got < 0)
			continue; /* scan itself names it */
		r = find_row(s, source->format, source->path, f.account);
		r->folders++;
		r->bytes += f.bytes;
	}
	imp->ops->close(imp);
	return got;
}

static int list_sources(struct stores *s, const struct call *c, struct err *e)
{
	s->unread = true;
	for (size_t i = 0; i < c->sources.n; i++)
		if (list_source(s, c, &c->sources.list[i], e) < 0)
			return -1;
	err_clear(e);
	return 0;
}

int stores_list(const struct call *c, struct err *e)
{
	struct stores *s = stores_new();
	struct summary nothing = { .command = "scan", .dry_run = true };
	int ret = list_sources(s, c, e);

	if (ret == 0)
		stores_show(s, &c->opt);
	stores_free(s);
	if (ret < 0)
		return exit_status(e);
	if (c->opt.json)
		out_json_summary(&nothing);
	return EXIT_ALL_DONE;
}

static bool has_account(const struct stores *s, const char *account)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->rows[i].account, account))
			return true;
	return false;
}

int stores_check_accounts(const struct call *c, struct err *e)
{
	struct stores *s;
	char *const *p = c->opt.accounts;
	int ret;

	if (!p)
		return 0;
	s = stores_new();
	ret = list_sources(s, c, e);
	while (ret == 0 && *p) {
		if (!has_account(s, *p))
			ret = err_set(
				e, ERR_USAGE, ERR_RUN, ERR_NEVER,
				"--accounts %s: there is no such account; "
				"mailhaul scan --accounts lists them",
				*p);
		p++;
	}
	stores_free(s);
	return ret;
}
