/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread that reads ahead: two rings, one of empty messages that go to it and one
   of read ones that come back. */
#include "core/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct result {
	enum ahead_got got;
	struct message *m; /* or NULL */
	struct err why;
};

struct ahead {
	struct importer *imp;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* for either side */

	/* Under lock. No ring can run over: a message is in one of them, and one result
	   without a message ends the folder. */
	struct message *empty[AHEAD_MESSAGES];
	struct result read[AHEAD_MESSAGES + 1];
	unsigned n_empty, n_read, first_read;
	unsigned lent;
	uint64_t bytes; /* of those in read */
	bool reader_waits, taker_waits, stop;
};

/* Neither side is woken for a single message: to sleep and to be woken costs more
   than to read a small one. */
enum { WAKE_MESSAGES = AHEAD_MESSAGES / 3, WAKE_BYTES = AHEAD_BYTES / 8 };

static uint64_t bytes_of(const struct result *r)
{
	return r->m ? r->m->in.wire_size : 0;
}

/* An empty message, or NULL when it is to end. */
static struct message *next_empty(struct ahead *a)
{
	struct message *m = NULL;

	pthread_mutex_lock(&a->lock);
	while (!a->stop && (!a->n_empty || a->bytes >= AHEAD_BYTES)) {
		a->reader_waits = true;
		pthread_cond_broadcast(&a->changed); /* take what there is */
		pthread_cond_wait(&a->changed, &a->lock);
	}
	a->reader_waits = false;
	if (!a->stop)
		m = a->empty[--a->n_empty];
	pthread_mutex_unlock(&a->lock);
	return m;
}

static void put(struct ahead *a, const struct result *r)
{
	unsigned room = AHEAD_MESSAGES + 1;

	pthread_mutex_lock(&a->lock);
	a->read[(a->first_read + a->n_read++) % room] = *r;
	a->bytes += bytes_of(r);
	if (a->taker_waits &&
	    (a->n_read >= WAKE_MESSAGES || a->bytes >= WAKE_BYTES || !r->m))
		pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* Read the next message into r->m. False behind the last one. */
static bool read_one(struct ahead *a, struct result *r)
{
	const struct importer_ops *ops = a->imp->ops;
	int got = ops->next(a->imp, r->m, &r->why);

	if (got > 0)
		got = ops->load(a->imp, r->m, &r->why) < 0 ? -1 : 1;
	if (got > 0)
		r->got = AHEAD_MESSAGE;
	else if (got < 0 && r->why.scope <= ERR_MESSAGE)
		r->got = AHEAD_UNREAD;
	else
		r->got = got < 0 ? AHEAD_FAILED : AHEAD_END;
	return r->got == AHEAD_MESSAGE || r->got == AHEAD_UNREAD;
}

static void *run(void *ctx)
{
	struct ahead *a = ctx;
	struct message *m;
	bool more = true;

	while (more && (m = next_empty(a))) {
		struct result r = { .m = m, .why = ERR_INIT };

		more = read_one(a, &r);
		if (!more) {
			pthread_mutex_lock(&a->lock);
			a->empty[a->n_empty++] = r.m;
			pthread_mutex_unlock(&a->lock);
			r.m = NULL;
		}
		put(a, &r);
	}
	intake_thread_ends();
	return NULL;
}

/* Signals are for the thread that decides. */
static int start_thread(struct ahead *a)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct ahead *ahead_start(struct importer *imp)
{
	struct ahead *a = mem_zalloc(sizeof(*a));
	pthread_condattr_t attr;

	a->imp = imp;
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (start_thread(a) == 0)
		return a;
	ahead_free(a);
	return NULL;
}

/* Under lock: there is work for it again, and nothing much to take any more. */
static void wake_reader(struct ahead *a)
{
	if (a->reader_waits && a->n_empty && a->n_read <= WAKE_MESSAGES &&
	    a->bytes < AHEAD_BYTES)
		pthread_cond_broadcast(&a->changed);
}

bool ahead_is_hungry(struct ahead *a)
{
	bool hungry;

	pthread_mutex_lock(&a->lock);
	hungry = a->lent < AHEAD_MESSAGES;
	pthread_mutex_unlock(&a->lock);
	return hungry;
}

void ahead_give(struct ahead *a, struct message *m)
{
	pthread_mutex_lock(&a->lock);
	a->empty[a->n_empty++] = m;
	a->lent++;
	wake_reader(a);
	pthread_mutex_unlock(&a->lock);
}

static void wait_for_one(struct ahead *a, int patience_ms)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += patience_ms / 1000;
	until.tv_nsec += patience_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	a->taker_waits = true;
	while (!a->n_read && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&a->changed, &a->lock, &until);
	a->taker_waits = false;
}

enum ahead_got ahead_take(struct ahead *a, int patience_ms,
			  struct message **m_r, struct err *e)
{
	struct result r = { .got = AHEAD_NOT_YET };

	pthread_mutex_lock(&a->lock);
	if (!a->n_read)
		wait_for_one(a, patience_ms);
	if (a->n_read) {
		r = a->read[a->first_read];
		a->first_read = (a->first_read + 1) % (AHEAD_MESSAGES + 1);
		a->n_read--;
		a->lent -= r.m != NULL;
		a->bytes -= bytes_of(&r);
		wake_reader(a);
	}
	pthread_mutex_unlock(&a->lock);
	*m_r = r.m;
	if (r.got == AHEAD_UNREAD || r.got == AHEAD_FAILED)
		*e = r.why;
	return r.got;
}

void ahead_stop(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
}

struct message *ahead_take_back(struct ahead *a)
{
	if (a->n_empty)
		return a->empty[--a->n_empty];
	while (a->n_read) {
		struct message *m = a->read[(a->first_read + --a->n_read) %
					    (AHEAD_MESSAGES + 1)]
					    .m;

		if (m)
			return m;
	}
	return NULL;
}

void ahead_free(struct ahead *a)
{
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
