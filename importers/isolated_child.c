/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child of an isolated importer answers what it is asked. A message is read whole, into a spool of the child's own, before its first byte is sent. */
#include "importers/isolated_child.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "importers/isolated_nursery.h"
#include "importers/isolated_wire.h"

/* Say that we are still at it every so many steps of a long way. */
enum { BUSY_EVERY = 256 };

struct child {
	const struct importer_ops *ops;
	const struct isolated_limits *limits;
	struct importer *imp;
	struct wire wire;
	struct wire_frame in; /* the question */
	struct message m;
	bool found; /* m was found, and neither loaded nor passed */
	struct buf out, id, locator;
	char *bytes; /* WIRE_MAX */
};

/* ---- limits ---- */

static void limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit l = { .rlim_cur = soft, .rlim_max = hard };

	setrlimit(what, &l);
}

/* The limit counts from the process's begin, so it moves with every question. */
static void limit_cpu(unsigned seconds)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) == 0)
		limit(RLIMIT_CPU,
		      (rlim_t)used.ru_utime.tv_sec +
			      (rlim_t)used.ru_stime.tv_sec + seconds + 1,
		      RLIM_INFINITY);
}

/* ---- answering ---- */

static void answer(struct child *c, enum wire_kind kind)
{
	if (wire_send(&c->wire, kind, c->out.data, c->out.len) < 0 ||
	    wire_flush(&c->wire) < 0)
		_exit(EXIT_FAILURE); /* nobody listens any more */
	buf_reset(&c->out);
}

static void answer_error(struct child *c, const struct err *e)
{
	buf_reset(&c->out);
	wire_add_error(&c->out, e);
	answer(c, WIRE_ERROR);
}

static void answer_nothing(struct child *c, enum wire_kind kind)
{
	buf_reset(&c->out);
	answer(c, kind);
}

static void next_folder(struct child *c)
{
	struct err e = ERR_INIT;
	struct folder f;
	int got = c->ops->next_folder(c->imp, &f, &e);

	c->found = false;
	if (got < 0) {
		answer_error(c, &e);
	} else if (got == 0) {
		answer_nothing(c, WIRE_DONE);
	} else {
		wire_add_folder(&c->out, &f);
		answer(c, WIRE_FOLDER);
	}
}

static void next_message(struct child *c)
{
	struct err e = ERR_INIT;
	int got;

	message_reset(&c->m);
	got = c->ops->next(c->imp, &c->m, &e);
	c->found = got > 0;
	if (got < 0) {
		answer_error(c, &e);
	} else if (got == 0) {
		answer_nothing(c, WIRE_DONE);
	} else {
		wire_add_message(&c->out, &c->m);
		answer(c, WIRE_MESSAGE);
	}
}

static int send_spool(struct child *c, struct err *e)
{
	const struct spool *s = &c->m.in.spool;
	uint64_t at = 0;

	while (at < s->len) {
		const char *bytes;
		ssize_t n = spool_at(s, at, c->bytes, WIRE_MAX, &bytes, e);

		if (n < 0)
			return -1;
		if (n > WIRE_MAX)
			n = WIRE_MAX;
		if (!n)
			break;
		if (wire_send(&c->wire, WIRE_BYTES, bytes, (size_t)n) < 0)
			_exit(EXIT_FAILURE);
		at += (uint64_t)n;
	}
	return 0;
}

static int load(struct child *c, bool wanted, struct err *e)
{
	c->found = false;
	c->m.in.want_spool = wanted;
	if (c->ops->load(c->imp, &c->m, e) < 0)
		return -1;
	return wanted ? send_spool(c, e) : 0;
}

static void load_message(struct child *c)
{
	struct err e = ERR_INIT;

	if (load(c, true, &e) < 0) {
		answer_error(c, &e);
		return;
	}
	wire_add_message(&c->out, &c->m);
	answer(c, WIRE_MESSAGE);
}

static void pass_message(struct child *c)
{
	struct err e = ERR_INIT;
	uint64_t length;

	c->found = false;
	if (!wire_get_number(c->in.bytes, c->in.n, &length))
		_exit(EXIT_FAILURE);
	if (c->ops->pass && c->ops->pass(c->imp, length, &e) < 0)
		answer_error(c, &e);
	else
		answer_nothing(c, WIRE_DONE);
}

static void remark(struct child *c)
{
	const char *text = NULL;
	uint64_t nth;

	if (!wire_get_number(c->in.bytes, c->in.n, &nth))
		_exit(EXIT_FAILURE);
	if (c->ops->remark)
		text = c->ops->remark(c->imp, (unsigned)nth);
	if (!text) {
		answer_nothing(c, WIRE_DONE);
		return;
	}
	wire_add_text(&c->out, text, strnlen(text, WIRE_REMARK_MAX));
	answer(c, WIRE_TEXT);
}

static void still_busy(struct child *c, unsigned *step)
{
	if (++*step % BUSY_EVERY == 0)
		answer_nothing(c, WIRE_BUSY);
}

static int find_folder(struct child *c, unsigned *step, struct err *e)
{
	struct folder f;
	int got;

	while ((got = c->ops->next_folder(c->imp, &f, e)) != 0) {
		still_busy(c, step);
		if (got < 0 && e->scope > ERR_FOLDER)
			return -1;
		if (got > 0 && !strcmp(f.id, c->id.data))
			return 0;
	}
	return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_LATER,
		       "changed while it was read; run it again");
}

/* Up to a message, which is then found. */
static int find_message(struct child *c, unsigned *step, struct err *e)
{
	int got;

	for (;;) {
		still_busy(c, step);
		message_reset(&c->m);
		got = c->ops->next(c->imp, &c->m, e);
		if (got == 0)
			return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
				       "changed while it was read; run it "
				       "again");
		if (got < 0 && e->scope > ERR_MESSAGE)
			return -1;
		c->found = got > 0;
		if (got > 0 && !strcmp(c->m.locator.data, c->locator.data))
			return 0;
		if (got > 0 && c->ops->pass && load(c, false, e) < 0 &&
		    e->scope > ERR_MESSAGE)
			return -1;
	}
}

static void go_to(struct child *c)
{
	struct err e = ERR_INIT;
	unsigned step = 0;

	if (!wire_get_go_to(c->in.bytes, c->in.n, &c->id, &c->locator))
		_exit(EXIT_FAILURE);
	if (find_folder(c, &step, &e) < 0 ||
	    (c->locator.data[0] && find_message(c, &step, &e) < 0))
		answer_error(c, &e);
	else
		answer_nothing(c, WIRE_DONE);
}

static void serve(struct child *c)
{
	while (wire_receive(&c->wire, -1, &c->in) > 0) {
		limit_cpu(c->limits->cpu_seconds);
		switch (c->in.kind) {
		case WIRE_NEXT_FOLDER:
			next_folder(c);
			break;
		case WIRE_NEXT:
			next_message(c);
			break;
		case WIRE_LOAD:
			load_message(c);
			break;
		case WIRE_PASS:
			pass_message(c);
			break;
		case WIRE_REMARK:
			remark(c);
			break;
		case WIRE_GO_TO:
			go_to(c);
			break;
		default:
			return;
		}
	}
}

_Noreturn void isolated_child(const struct importer_ops *inner,
			      const char *path,
			      const struct importer_options *opt,
			      const struct isolated_limits *limits, int fd)
{
	struct child c = { .ops = inner,
			   .limits = limits,
			   .out = BUF_INIT,
			   .id = BUF_INIT,
			   .locator = BUF_INIT };
	struct err e = ERR_INIT;

	/* ASan reserves terabytes of addresses for its shadow. */
	if (limits->memory && !ISOLATED_ASAN)
		limit(RLIMIT_AS, limits->memory, limits->memory);
	wire_open(&c.wire, fd);
	c.bytes = mem_alloc(WIRE_MAX);
	message_init(&c.m);
	limit_cpu(limits->open_seconds);
	if (inner->open(path, opt, &c.imp, &e) < 0) {
		err_widen(&e, ERR_ACCOUNT);
		answer_error(&c, &e);
	} else {
		answer_nothing(&c, WIRE_DONE);
		serve(&c);
	}
	/* Nothing is given back: the process ends, and what a damaged file has
	   made of the importer's memory is nothing to walk through again. */
	_exit(EXIT_SUCCESS);
}
