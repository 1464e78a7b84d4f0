/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening many folders at once. One after the other each takes three round
   trips (CREATE, SUBSCRIBE, SELECT), which over a line of 40 ms is more than
   sending the mail of a small folder. Here the commands follow each other
   without waiting: the server answers them in order. What does not go smoothly
   (a name that is refused, a use the server wants to hear of) is left to
   imap_folder_open, which knows every way out. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "storage/imap/internal.h"
#include "storage/imap/name.h"

/* Commands in flight at most: their answers fit into the socket's buffers, so
   that neither side can wait for the other. */
enum { AT_ONCE = 32 };

struct asked {
	struct target_open *open;
	struct buf name;      /* on the wire */
	unsigned first, last; /* its tags */
	bool ok, changed;
	bool has_permanent; /* PERMANENTFLAGS were said: FLAGS does not count */
	bool has_flags;
};

/* ---- one round of commands ---- */

/* The number of a tag "M12"; 0 when the line is none of our answers. */
static unsigned tag_number(const char *line)
{
	char *end;
	unsigned long n;

	if (line[0] != 'M')
		return 0;
	n = strtoul(line + 1, &end, 10);
	return *end == ' ' && n <= UINT32_MAX ? (unsigned)n : 0;
}

static bool is_ok(const char *line)
{
	const char *status = strchr(line, ' ');

	return status && !strncasecmp(status, " OK", 3);
}

static int no_answer(struct imap_session *s, struct err *e, const char *line)
{
	s->broken = true;
	if (!strncasecmp(line, "* BYE", 5))
		return imap_fail_text(line + 2, "opening folders", e);
	return err_set(
		e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NOW,
		"opening folders: the server answered what was not asked: "
		"%.100s",
		line);
}

/* The answers to commands first..last, each line given to take with the number
   of the command it belongs to (untagged ones come before their tagged line).
 */
static int read_answers(struct imap_session *s, unsigned first, unsigned last,
			void (*take)(void *ctx, unsigned number,
				     const char *line),
			void *ctx, struct err *e)
{
	struct buf line = BUF_INIT;
	unsigned next = first;
	int ret = 0;

	while (ret == 0 && next <= last) {
		ret = talk_line(s->talk, &line, e);
		if (ret < 0)
			break;
		if (!strncmp(line.data, "* ", 2)) {
			if (!strncasecmp(line.data, "* BYE", 5)) {
				ret = no_answer(s, e, line.data);
				break;
			}
			take(ctx, next, line.data);
			ret = talk_rest(s->talk, &line, e);
		} else if (tag_number(line.data) == next) {
			take(ctx, next++, line.data);
			talk_useful(s->talk);
		} else {
			ret = no_answer(s, e, line.data);
		}
	}
	buf_free(&line);
	s->broken = s->broken || ret < 0;
	return ret;
}

static int send_round(struct imap_session *s, const struct buf *commands,
		      struct err *e)
{
	int ret = talk_send(s->talk, commands->data, commands->len, e);

	s->broken = s->broken || ret < 0;
	return ret;
}

/* ---- making ---- */

struct round {
	struct asked *asked[AT_ONCE];
	size_t n;
};

static void take_made(void *ctx, unsigned number, const char *line)
{
	struct round *r = ctx;

	for (size_t i = 0; i < r->n; i++)
		if (r->asked[i]->first == number && *line != '*')
			r->asked[i]->ok = is_ok(line);
}

static int add_command(struct imap_session *s, struct buf *out,
		       const char *command, const char *name,
		       unsigned *number_r, struct err *e)
{
	*number_r = ++s->talk->tag;
	buf_addf(out, "M%u %s ", *number_r, command);
	if (imap_name_quote(name, out, e) < 0)
		return -1;
	buf_add_str(out, "\r\n");
	log_line(LOG_DETAIL, "imap: %s %s", command, name);
	return 0;
}

static int make_round(struct imap_target *it, struct round *r, struct err *e)
{
	struct buf commands = BUF_INIT;
	int ret = -1;

	for (size_t i = 0; i < r->n; i++) {
		struct asked *a = r->asked[i];

		if (add_command(it->s, &commands, "CREATE", a->name.data,
				&a->first, e) < 0 ||
		    add_command(it->s, &commands, "SUBSCRIBE", a->name.data,
				&a->last, e) < 0)
			goto out;
	}
	if (send_round(it->s, &commands, e) < 0 ||
	    read_answers(it->s, r->asked[0]->first, r->asked[r->n - 1]->last,
			 take_made, r, e) < 0)
		goto out;
	for (size_t i = 0; i < r->n; i++) {
		struct asked *a = r->asked[i];

		if (a->ok && !imap_folders_find(&it->folders, a->name.data))
			imap_folders_add(&it->folders, a->name.data);
		a->open->folder->created = a->ok;
	}
	ret = 0;
out:
	buf_free(&commands);
	return ret;
}

static bool in_round(const struct round *r, const struct buf *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (buf_equal(&r->asked[i]->name, name))
			return true;
	return false;
}

static int make_all(struct imap_target *it, struct asked *asked, size_t n,
		    struct err *e)
{
	struct round r = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		struct imap_folder *row;
		struct asked *a = &asked[i];

		row = imap_folder_look(it, a->open->path, a->open->use,
				       &a->name, &a->changed);
		if (row || !a->open->create || !a->name.len ||
		    in_round(&r, &a->name))
			continue;
		r.asked[r.n++] = a;
		if (r.n < AT_ONCE / 2)
			continue;
		if (make_round(it, &r, e) < 0)
			return -1;
		r.n = 0;
	}
	return r.n ? make_round(it, &r, e) : 0;
}

/* ---- opening ---- */

static uint32_t number_at(const char *s)
{
	unsigned long long n = strtoull(s, NULL, 10);

	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

/* The flags between the parentheses of text. */
static void take_flags(const char *text, struct target_folder *f)
{
	const char *open = strchr(text, '(');
	size_t n = open ? strcspn(open + 1, ")") : 0;

	flags_reset(&f->permanent);
	f->any_keyword = open && memmem(open + 1, n, "\\*", 2);
	if (open)
		flags_parse(&f->permanent, open + 1, n);
}

/* * 3 EXISTS, * OK [UIDNEXT 4] ..., * FLAGS (...) */
static void take_untagged(const char *line, struct asked *a)
{
	struct target_folder *f = a->open->folder;
	const char *said = line + 2, *word;

	if (*said >= '0' && *said <= '9') {
		word = said + strspn(said, "0123456789");
		if (!strncasecmp(word, " EXISTS", 7))
			f->messages = number_at(said);
	} else if (!strncasecmp(said, "OK [UIDVALIDITY ", 16)) {
		f->uidvalidity = number_at(said + 16);
	} else if (!strncasecmp(said, "OK [UIDNEXT ", 12)) {
		f->uidnext = number_at(said + 12);
	} else if (!strncasecmp(said, "OK [PERMANENTFLAGS ", 19)) {
		take_flags(said + 19, f);
		a->has_permanent = true;
	} else if (!strncasecmp(said, "FLAGS (", 7) && !a->has_permanent) {
		take_flags(said,
			   f); /* RFC 9051 section 7.1: then all of them */
		a->has_flags = true;
	}
}

static void take_opened(void *ctx, unsigned number, const char *line)
{
	struct round *r = ctx;

	for (size_t i = 0; i < r->n; i++) {
		struct asked *a = r->asked[i];

		if (a->first != number)
			continue;
		if (*line == '*') {
			take_untagged(line, a);
		} else {
			a->ok = is_ok(line);
			/* Nothing was said: then nothing is excluded. */
			if (!a->has_permanent && !a->has_flags)
				a->open->folder->permanent.system =
					FLAG_SEEN | FLAG_ANSWERED |
					FLAG_FLAGGED | FLAG_DRAFT;
			if (a->ok && strcasestr(line, "[READ-ONLY]"))
				log_line(LOG_WARNING, "%s may only be read",
					 a->name.data);
		}
	}
}

static int open_round(struct imap_target *it, struct round *r, struct err *e)
{
	struct buf commands = BUF_INIT;
	int ret = -1;

	for (size_t i = 0; i < r->n; i++) {
		struct asked *a = r->asked[i];

		a->ok = a->has_permanent = false;
		if (add_command(it->s, &commands, "SELECT", a->name.data,
				&a->first, e) < 0)
			goto out;
	}
	if (send_round(it->s, &commands, e) < 0 ||
	    read_answers(it->s, r->asked[0]->first, r->asked[r->n - 1]->first,
			 take_opened, r, e) < 0)
		goto out;
	for (size_t i = 0; i < r->n; i++)
		if (r->asked[i]->ok)
			imap_folder_opened(it, r->asked[i]->open->path,
					   r->asked[i]->name.data,
					   r->asked[i]->changed,
					   r->asked[i]->open->folder);
	ret = 0;
out:
	buf_free(&commands);
	return ret;
}

static int open_all(struct imap_target *it, struct asked *asked, size_t n,
		    struct err *e)
{
	struct round r = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		struct asked *a = &asked[i];
		struct imap_folder *row;

		a->ok = false;
		row = imap_folder_look(it, a->open->path, a->open->use,
				       &a->name, &a->changed);
		if (!row)
			continue;
		buf_set_str(&a->name, row->name);
		r.asked[r.n++] = a;
		if (r.n < AT_ONCE)
			continue;
		if (open_round(it, &r, e) < 0)
			return -1;
		r.n = 0;
	}
	return r.n ? open_round(it, &r, e) : 0;
}

/* One at a time, with every way out. */
static int open_rest(struct imap_target *it, struct asked *asked, size_t n,
		     struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct target_open *o = asked[i].open;

		if (asked[i].ok)
			continue;
		if (imap_folder_open(&it->base, o->path, o->use, o->create,
				     o->folder, e) == 0)
			continue;
		if (e->scope > ERR_FOLDER)
			return -1;
		o->failed = true;
		o->why = *e;
	}
	return 0;
}

int imap_folders_open(struct target *t, struct target_open *opens, size_t n,
		      struct err *e)
{
	struct imap_target *it = imap_target(t);
	struct asked *asked = mem_zalloc(n * sizeof(*asked));
	int ret = -1;

	for (size_t i = 0; i < n; i++) {
		asked[i].open = &opens[i];
		buf_init(&asked[i].name);
		opens[i].failed = false;
	}
	if (imap_quiet(it, e) < 0)
		goto out;
	talk_begin(it->s);
	/* libetpan is not told which folder is selected in the end. */
	imap_session_forget_selected(it->s);
	if (make_all(it, asked, n, e) < 0 || open_all(it, asked, n, e) < 0 ||
	    open_rest(it, asked, n, e) < 0)
		goto out;
	ret = 0;
out:
	for (size_t i = 0; i < n; i++)
		buf_free(&asked[i].name);
	free(asked);
	return ret;
}
