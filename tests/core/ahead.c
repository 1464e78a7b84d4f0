/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread that reads ahead gives every message once, in order, whatever the importer
   comes across, and can be stopped anywhere. */
#include "core/ahead.h"
#include "tests/lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A folder of so many messages; the nth may be bad. */
struct scripted {
	struct importer base;
	unsigned n, at;
	unsigned bad_next, bad_load; /* numbers, from 1; 0: none */
	unsigned broken;	     /* at this one the folder fails; 0: none */
	size_t size;
};

static int scripted_next(struct importer *imp, struct message *m, struct err *e)
{
	struct scripted *s = (struct scripted *)imp;

	if (s->at == s->n)
		return 0;
	s->at++;
	if (s->at == s->broken)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "broken");
	buf_addf(&m->locator, "%u", s->at);
	if (s->at == s->bad_next)
		return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER, "bad %u",
			       s->at);
	return 1;
}

static int scripted_load(struct importer *imp, struct message *m, struct err *e)
{
	struct scripted *s = (struct scripted *)imp;
	char bytes[1024];

	if (s->at == s->bad_load)
		return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER, "bad %u",
			       s->at);
	memset(bytes, 'x', sizeof(bytes));
	for (size_t done = 0; done < s->size; done += sizeof(bytes))
		if (intake_add(&m->in, bytes, sizeof(bytes), e) < 0)
			return -1;
	return intake_end(&m->in, e);
}

static const struct importer_ops scripted_ops = {
	.name = "scripted",
	.next = scripted_next,
	.load = scripted_load,
};

static struct message *new_message(void)
{
	struct message *m = malloc(sizeof(*m));

	if (!m)
		abort();
	message_init(m);
	return m;
}

static void end_message(struct message *m)
{
	message_free(m);
	free(m);
}

static void feed(struct ahead *a)
{
	while (ahead_is_hungry(a))
		ahead_give(a, new_message());
}

static void stop(struct ahead *a)
{
	struct message *m;

	ahead_stop(a);
	while ((m = ahead_take_back(a)))
		end_message(m);
	ahead_free(a);
}

/* Take at most so many; what came, as "1 2! 3 end". */
static void take(struct scripted *s, unsigned most, struct buf *out)
{
	struct ahead *a = ahead_start(&s->base);
	enum ahead_got got = AHEAD_NOT_YET;

	buf_reset(out);
	for (unsigned n = 0; n < most && got != AHEAD_END && got != AHEAD_FAILED;) {
		struct message *m = NULL;
		struct err e = ERR_INIT;

		feed(a);
		got = ahead_take(a, 5, &m, &e);
		n += got != AHEAD_NOT_YET;
		if (m)
			buf_addf(out, "%s%s ", m->locator.data,
				 got == AHEAD_UNREAD ? "!" : "");
		if (got == AHEAD_UNREAD)
			CHECK(strstr(e.text, "bad"));
		if (got == AHEAD_MESSAGE)
			CHECK(m->in.wire_size == (s->size + 1023) / 1024 * 1024);
		if (m)
			end_message(m);
	}
	buf_add_str(out, got == AHEAD_END      ? "end"
			 : got == AHEAD_FAILED ? "failed"
					       : "more");
	stop(a);
}

static void everything_comes_in_order(void)
{
	static const struct {
		const char *what;
		struct scripted s;
		unsigned most;
		const char *want;
	} cases[] = {
		{ "an empty folder", { .n = 0 }, 9, "end" },
		{ "three", { .n = 3, .size = 10 }, 9, "1 2 3 end" },
		{ "bad ones are named and passed",
		  { .n = 4, .bad_next = 2, .bad_load = 3, .size = 10 },
		  9,
		  "1 2! 3! 4 end" },
		{ "the last is bad", { .n = 2, .bad_load = 2 }, 9, "1 2! end" },
		{ "the folder breaks off",
		  { .n = 4, .broken = 3, .size = 10 },
		  9,
		  "1 2 failed" },
		{ "stopped before the end", { .n = 99, .size = 10 }, 2,
		  "1 2 more" },
		{ "larger than what may wait",
		  { .n = 3, .size = 5 << 20 },
		  9,
		  "1 2 3 end" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scripted s = cases[i].s;

		s.base.ops = &scripted_ops;
		take(&s, cases[i].most, &out);
		CHECK_STR(out.data, cases[i].want);
		CHECK_CASE(cases[i].what, !strcmp(out.data, cases[i].want));
	}
	buf_free(&out);
}

static void thousands(void)
{
	struct scripted s = { .base = { .ops = &scripted_ops },
			      .n = 3000,
			      .size = 1 };
	struct buf out = BUF_INIT, want = BUF_INIT;

	for (unsigned i = 1; i <= s.n; i++)
		buf_addf(&want, "%u ", i);
	buf_add_str(&want, "end");
	take(&s, UINT32_MAX, &out);
	CHECK(!strcmp(out.data, want.data));
	buf_free(&out);
	buf_free(&want);
}

/* Stopped before anything was taken, or given. */
static void stopped_at_once(void)
{
	struct scripted s = { .base = { .ops = &scripted_ops },
			      .n = 50,
			      .size = 1 << 20 };
	struct ahead *a = ahead_start(&s.base);

	stop(a);
	CHECK(s.at == 0);
	a = ahead_start(&s.base);
	feed(a);
	stop(a);
	CHECK(s.at <= AHEAD_BYTES / s.size + 1);
}

int main(void)
{
	everything_comes_in_order();
	thousands();
	stopped_at_once();
	return check_done();
}
