/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The append pipeline of one connection: A1-A5 in append.h.

   A batch that is submitted becomes one command to send, or several (todo). A
   command that has begun is in flight until its tagged answer is there and its
   last byte has left. Only the last one in flight can still be in the making
   (sending); what is made of it gathers in out, so that small messages share a
   system call, and large ones go from their spool to the socket.

   Two ends are possible. After a refusal that concerns more than a message
   (ended) nothing new begins, the answers to what was sent are still awaited,
   and then the pipeline is as new. When the connection is lost (dead)
   everything comes back at once. */
#include "storage/imap/append.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/spool.h"
#include "storage/imap/append_answer.h"
#include "storage/imap/append_internal.h"
#include "storage/imap/internal.h"
#include "storage/imap/name.h"

/* Ending */

/* After a refusal of more than a message: see the top. */
static void end(struct imap_append *a, const struct err *e)
{
	struct append_command *c;

	if (a->ended)
		return;
	a->ended = true;
	a->told = false;
	a->why = *e;
	while ((c = a->todo.first)) {
		append_settle_all(c, APPEND_UNSENT);
		append_list_unlink(&a->todo, c);
		append_command_free(c);
	}
}

void append_lose(struct imap_append *a, const struct err *e)
{
	struct append_command *c;

	a->s->broken = true;
	end(a, e);
	a->dead = true;
	a->told = false;
	a->why = *e;
	err_widen(&a->why, ERR_ACCOUNT);
	while ((c = a->flight.first)) {
		append_settle_lost(a, c);
		append_list_unlink(&a->flight, c);
		append_command_free(c);
	}
	a->sending = NULL;
	buf_reset(&a->out);
	a->out_at = 0;
}

/* Answers */

/* A4. The halves go first, in order: what was to come before later mail does.
 */
static void split(struct imap_append *a, struct append_command *c, size_t n)
{
	size_t middle = c->first;

	for (size_t i = 0; i < n / 2; i++)
		middle = append_command_next(c, middle) + 1;
	append_list_push_front(&a->todo,
			       append_command_new(c->open, middle, c->end));
	append_list_push_front(&a->todo,
			       append_command_new(c->open, c->first, middle));
	pace_refused(a->pace);
}

/* For errors: which folder the server speaks of. */
static void name_doing(struct imap_append *a, const struct target_folder *f)
{
	buf_set_str(&a->doing, "APPEND ");
	buf_add(&a->doing, f->shown.data, f->shown.len);
}

/* The folder takes nothing (no permission, read-only): that is no reason to
   keep mail from the others. Each message gets the server's words. */
static void refuse_all(struct append_command *c, const struct err *why)
{
	for (size_t i = append_command_next(c, c->first); i < c->end;
	     i = append_command_next(c, i + 1)) {
		c->open->batch->items[i].why = *why;
		append_settle(c->open, i, APPEND_REFUSED);
	}
}

void append_refused(struct imap_append *a, struct append_command *c,
		    const char *words)
{
	size_t n = append_command_count(c);
	struct err why = ERR_INIT;

	name_doing(a, c->open->batch->folder);
	imap_fail_text(words, a->doing.data, &why);
	if (why.scope == ERR_FOLDER && why.kind == ERR_REFUSED) {
		refuse_all(c, &why);
	} else if (why.scope > ERR_MESSAGE) {
		end(a, &why);
		append_settle_all(c, APPEND_UNSENT);
	} else if (n == 1) {
		size_t i = append_command_next(c, c->first);

		c->open->batch->items[i].why = why;
		append_settle(c->open, i, APPEND_REFUSED);
	} else if (a->ended) {
		append_settle_all(c, APPEND_UNSENT);
	} else {
		log_line(LOG_DETAIL, "%s: %zu messages refused, trying halves",
			 why.text, n);
		split(a, c, n);
	}
	if (a->sending == c)
		a->sending = NULL;
	append_list_unlink(&a->flight, c);
	append_command_free(c);
}

static void take_uids(struct append_command *c, size_t n,
		      const struct append_answer *answer)
{
	uint32_t *uids;
	size_t at = 0;

	if (!answer->set)
		return;
	uids = mem_alloc(n * sizeof(*uids));
	if (append_answer_uids(answer->set, answer->set_len, uids, n)) {
		c->open->batch->uidvalidity = answer->uidvalidity;
		for (size_t i = append_command_next(c, c->first); i < c->end;
		     i = append_command_next(c, i + 1))
			c->open->batch->items[i].uid = uids[at++];
	} else {
		log_line(LOG_INFO, "APPENDUID does not fit %zu messages: %s", n,
			 answer->text);
	}
	free(uids);
}

static void accepted(struct imap_append *a, struct append_command *c,
		     const struct append_answer *answer)
{
	size_t n = append_command_count(c);
	bool busy = a->todo.n || a->flight.n > 1;
	int64_t now = clock_ms();

	take_uids(c, n, answer);
	append_settle_all(c, APPEND_DONE);
	append_list_unlink(&a->flight, c);
	pace_answered(a->pace, n, c->bytes, c->begun_ms, now, busy);
	append_command_free(c);
	/* Gmail says it at the end of an OK, when it begins to hold us back. */
	if (strcasestr(answer->text, "[THROTTLED]"))
		pace_throttled(a->pace, now);
}

static int strange(const struct imap_append *a, const char *line, struct err *e)
{
	return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
		       "%s: the server broke the protocol: it said \"%.200s\"",
		       a->doing.data, line);
}

static int tagged(struct imap_append *a, const char *line,
		  const struct append_answer *answer, struct err *e)
{
	struct append_command *c = a->flight.first;

	while (c && c->tag != answer->tag)
		c = c->next;
	/* OK to a command that is not complete is no OK: A2. */
	if (!c || c->refusal || (answer->kind == ANSWER_OK && !c->sent))
		return strange(a, line, e);
	a->aside = 0;
	a->moved_ms = clock_ms();
	fault_point("append.answer");
	if (answer->kind == ANSWER_OK)
		accepted(a, c, answer);
	else if (c->sent || (c == a->sending && a->at == AT_GO_AHEAD &&
			     append_is_flushed(a)))
		append_refused(a, c, answer->text);
	else /* its literal must be sent to the end: the server reads on */
		c->refusal = mem_strdup(answer->text);
	return 0;
}

static int go_ahead(struct imap_append *a, const char *line, struct err *e)
{
	if (!a->sending || a->at != AT_GO_AHEAD || !append_is_flushed(a))
		return strange(a, line, e);
	a->at = AT_DATA;
	a->aside = 0;
	a->moved_ms = clock_ms();
	return 0;
}

/* An alert that people have not been told: Courier has one for each message
   with raw 8-bit headers. */
static bool is_news(struct imap_append *a, const char *text)
{
	if (!strcasestr(text, "[ALERT]") || !strcmp(a->alert.data, text))
		return false;
	buf_set_str(&a->alert, text);
	return true;
}

static int take_line(struct imap_append *a, const struct wire_line *line,
		     struct err *e)
{
	struct append_answer answer;

	if (line->continues)
		return 0;
	append_answer_parse(line->text, &answer);
	switch (answer.kind) {
	case ANSWER_UNTAGGED:
		log_line(is_news(a, answer.text) ? LOG_WARNING : LOG_TRACE,
			 "imap: < %s", line->text);
		return 0;
	case ANSWER_BYE:
		return imap_fail_text(answer.text, a->doing.data, e);
	case ANSWER_GO_AHEAD:
		return go_ahead(a, line->text, e);
	case ANSWER_OK:
	case ANSWER_NO:
	case ANSWER_BAD:
		log_line(LOG_TRACE, "imap: < %s", line->text);
		return tagged(a, line->text, &answer, e);
	case ANSWER_STRANGE:
		break;
	}
	return strange(a, line->text, e);
}

/* Take what has come: 1 when something has, 0 when nothing, -1. */
static int hear(struct imap_append *a, struct err *e)
{
	struct wire_line line;
	int got, some = 0;

	while ((got = wire_line(&a->wire, &line, e)) > 0) {
		a->aside += line.len;
		if (take_line(a, &line, e) < 0)
			return -1;
		if (a->aside > IMAP_ASIDE_MAX)
			return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
				       "%s: the server broke the protocol: it "
				       "says more and more that was not asked "
				       "for",
				       a->doing.data);
		some = 1;
	}
	return got < 0 ? -1 : some;
}

/* The bytes of an item cannot be read in the middle of its literal. There is no
   way back into the conversation; but this message is not to break the next one
   too. */
static void lose_by_item(struct imap_append *a, const struct err *e)
{
	struct append_item *item = &a->sending->open->batch->items[a->item];

	append_lose(a, e);
	item->result = APPEND_REFUSED;
	item->why = *e;
	a->why.retry = ERR_NOW;
}

/* Send and listen as long as there is anything to do without waiting. Whatever
   goes wrong is kept in ended, dead and why. */
void imap_append_pump(struct imap_append *a)
{
	struct err e = ERR_INIT, late = ERR_INIT;
	int said, heard;

	if (a->dead)
		return;
	do {
		said = append_say(a, &e);
		if (said < 0 && e.scope < ERR_ACCOUNT) {
			lose_by_item(a, &e);
			return;
		}
		if (said < 0) {
			/* Answers, and the reason, may have come before. */
			if (hear(a, &late) < 0)
				e = late;
			append_lose(a, &e);
			return;
		}
		heard = hear(a, &e);
		if (heard < 0) {
			append_lose(a, &e);
			return;
		}
		if (said)
			a->moved_ms = clock_ms();
	} while (said || heard);
}

/* Batches */

static int refuse_here(struct append_item *item, enum err_kind kind,
		       const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse_here(struct append_item *item, enum err_kind kind,
		       const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	item->result = APPEND_REFUSED;
	return err_set(&item->why, kind, ERR_MESSAGE, ERR_NEVER, "%s", text);
}

/* What the server cannot take is not sent: an empty literal would even mean to
   give up the whole command (RFC 3502), and one message must not cost its
   batch. */
static void check_item(const struct imap_append *a, struct append_item *item)
{
	uint64_t limit = a->s->append_limit;

	if (!limit || limit > UINT32_MAX)
		limit = UINT32_MAX; /* RFC 3501: a literal's size is 32 bits */
	if (!item->size)
		refuse_here(item, ERR_REFUSED, "the message is empty");
	else if (item->size > limit)
		refuse_here(item, ERR_TOO_BIG,
			    "%" PRIu64
			    " bytes, but the server takes at most %" PRIu64,
			    item->size, limit);
	else if (item->has_nul && !append_can(a, IMAP_CAP_BINARY))
		refuse_here(item, ERR_REFUSED,
			    "holds NUL bytes and the server offers no BINARY");
}

static struct append_open *open_batch(struct imap_append *a,
				      struct append_batch *b)
{
	struct append_open **at = &a->open;
	struct append_open *open = mem_zalloc(sizeof(*open));

	open->batch = b;
	b->uidvalidity = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct append_item *item = &b->items[i];

		assert(item->size == item->bytes->len);
		item->result = APPEND_WAITING;
		item->uid = 0;
		err_clear(&item->why);
		check_item(a, item);
		open->waiting += item->result == APPEND_WAITING;
	}
	while (*at)
		at = &(*at)->next;
	*at = open;
	return open;
}

/* The first batch after a pause: what has libetpan read ahead? */
static void start(struct imap_append *a)
{
	struct imap_talk *talk = a->s->talk;

	if (!talk || a->dead)
		return;
	talk_begin(a->s);
	wire_put(&a->wire, talk->in.data + talk->at, talk->in.len - talk->at);
	buf_reset(&talk->in);
	talk->at = 0;
}

/* Can the folder's name go out? Checked once, when the batch comes in. */
static int check_name(struct imap_append *a, const struct target_folder *f,
		      struct err *e)
{
	int ret;

	buf_reset(&a->head);
	ret = imap_name_quote(f->name.data, &a->head, e);
	name_doing(a, f);
	return ret;
}

bool imap_append_is_full(const struct imap_append *a)
{
	size_t messages = 0;

	if (!a->open || !a->open->next)
		return false;
	if (a->todo.bytes + a->flight.bytes > pace_window(a->pace))
		return true;
	if (append_can(a, IMAP_CAP_MULTIAPPEND))
		return a->todo.n + a->flight.n > PACE_WINDOW_BATCHES;
	for (const struct append_command *c = a->todo.first; c; c = c->next)
		messages += c->end - c->first;
	return messages + a->flight.n > (append_can(a, IMAP_CAP_LITERAL_PLUS)
						 ? PACE_WINDOW_SINGLES
						 : PACE_WINDOW_WAITING);
}

static int tell(struct imap_append *a, struct err *e)
{
	a->told = true;
	*e = a->why;
	return -1;
}

int imap_append_tell(struct imap_append *a, struct err *e)
{
	return a->ended && !a->told ? tell(a, e) : 0;
}

bool imap_append_has_ended(const struct imap_append *a)
{
	return a->ended;
}

void imap_append_break(struct imap_append *a, const struct err *e)
{
	append_lose(a, e);
}

static void note_first(struct imap_append *a)
{
	if (a->first_ms)
		return;
	a->first_ms = clock_ms();
	a->first_sent = stream_bytes_sent(a->s->stream);
}

int imap_append_offer(struct imap_append *a, struct append_batch *b,
		      struct err *e)
{
	bool first = !a->open;
	struct append_open *open;
	struct append_command *c;
	struct err why = ERR_INIT;

	if (first && !a->dead)
		a->ended = false;
	open = open_batch(a, b);
	c = append_command_new(open, 0, b->n);
	if (first)
		start(a);
	if (!a->dead && check_name(a, b->folder, &why) < 0)
		end(a, &why);
	if (a->ended) {
		append_settle_all(c, APPEND_UNSENT);
		append_command_free(c);
		return tell(a, e);
	}
	if (open->waiting)
		append_list_push(&a->todo, c);
	else
		append_command_free(c);
	note_first(a);
	a->moved_ms = clock_ms();
	imap_append_pump(a);
	return a->ended ? tell(a, e) : 0;
}

int imap_append_submit(struct imap_append *a, struct append_batch *b,
		       struct err *e)
{
	if (imap_append_offer(a, b, e) < 0)
		return -1;
	while (imap_append_is_full(a)) {
		imap_append_wait(&a, 1);
		imap_append_pump(a);
		if (a->ended)
			return tell(a, e);
	}
	return 0;
}

/* A batch that has all its answers. The last one has to wait for the end of
   whatever the server is saying: libetpan reads next. */
struct append_batch *imap_append_take(struct imap_append *a)
{
	struct append_open **at = &a->open, *open;
	struct append_batch *b;

	while (*at && (*at)->waiting)
		at = &(*at)->next;
	open = *at;
	if (!open)
		return NULL;
	if (!a->open->next && !a->dead &&
	    !(wire_is_idle(&a->wire) && append_is_flushed(a) && !a->flight.n))
		return NULL;
	*at = open->next;
	b = open->batch;
	free(open);
	return b;
}

int imap_append_reap(struct imap_append *a, bool wait,
		     struct append_batch **b_r, struct err *e)
{
	*b_r = NULL;
	while (a->open) {
		imap_append_pump(a);
		if (imap_append_tell(a, e) < 0)
			return -1;
		*b_r = imap_append_take(a);
		if (*b_r)
			return 1;
		if (!wait)
			return 0;
		imap_append_wait(&a, 1);
	}
	return 0;
}

void imap_append_limits(const struct imap_append *a, struct target_limits *l_r)
{
	*l_r = (struct target_limits){
		.batch_messages = a->pace->batch_messages,
		.batch_bytes = a->pace->batch_bytes,
		.message_bytes = a->s->append_limit,
		.tells_uids = append_can(a, IMAP_CAP_UIDPLUS),
		.takes_nul = append_can(a, IMAP_CAP_BINARY),
	};
}

void imap_append_hold(struct imap_append *a, bool hold)
{
	a->held = hold;
}

bool imap_append_is_idle(const struct imap_append *a)
{
	return !a->dead && !a->flight.n && append_is_flushed(a) &&
	       wire_is_idle(&a->wire);
}

struct imap_append *imap_append_new(struct imap_session *s, struct pace *pace)
{
	struct imap_append *a = mem_zalloc(sizeof(*a));

	a->s = s;
	wire_init(&a->wire, s->stream);
	append_list_init(&a->todo);
	append_list_init(&a->flight);
	buf_init(&a->out);
	buf_init(&a->head);
	buf_init(&a->doing);
	buf_init(&a->alert);
	flags_init(&a->flags);
	a->scratch = mem_alloc(APPEND_SCRATCH);
	pace_init(&a->own_pace);
	a->pace = pace ? pace : &a->own_pace;
	return a;
}

static void free_commands(struct append_list *l)
{
	struct append_command *c;

	while ((c = l->first)) {
		append_list_unlink(l, c);
		append_command_free(c);
	}
}

void imap_append_free(struct imap_append *a)
{
	struct append_open *open;

	if (!a)
		return;
	free_commands(&a->todo);
	free_commands(&a->flight);
	while ((open = a->open)) {
		a->open = open->next;
		free(open);
	}
	wire_free(&a->wire);
	buf_free(&a->out);
	buf_free(&a->head);
	buf_free(&a->doing);
	buf_free(&a->alert);
	flags_free(&a->flags);
	free(a->scratch);
	free(a);
}
