/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches, windows and pauses, by arithmetic. */
#include "storage/imap/pace.h"

enum {
	EPOCH_COMMANDS = 8,
	EPOCH_MS = 500,
	SLOW_START_MS = 1000, /* answered within: the first batches may grow */
	REST_EPOCHS = 16,     /* after a trial that brought nothing */
	/* What a message costs a server besides its bytes, in bytes: mail
	   differs in size from epoch to epoch, and messages a second alone
	   would be as wrong a measure as bytes. About what Dovecot's Maildir
	   showed. */
	MESSAGE_WEIGHT = 16 << 10,
	SHARE_MIN = 1 << 20,
	WINDOW_MIN = 1 << 20,
	WINDOW_MS = 8000,
};

void pace_init(struct pace *p)
{
	*p = (struct pace){
		.batch_messages = PACE_MESSAGES,
		.batch_bytes = PACE_BYTES,
		.connections = 1,
	};
}

static uint64_t between(uint64_t n, uint64_t least, uint64_t most)
{
	return n < least ? least : n > most ? most : n;
}

/* Each connection holds two batches or more, and memory is one. */
static uint64_t most_bytes(const struct pace *p)
{
	uint64_t most = PACE_BYTES_MAX / p->connections;

	return most > SHARE_MIN ? most : SHARE_MIN;
}

/* Sending a batch takes at most PACE_BATCH_MS of its connection's share. */
static void fit_to_line(struct pace *p)
{
	uint64_t share = p->rate / p->connections;

	p->batch_bytes = between(share / 1000 * PACE_BATCH_MS, PACE_BYTES_MIN,
				 most_bytes(p));
}

static void set_messages(struct pace *p, uint64_t n)
{
	p->batch_messages =
		(size_t)between(n, PACE_MESSAGES_MIN, PACE_MESSAGES_MAX);
}

/* An epoch is full: score says how it went. Larger batches are kept when they
   were better by a twentieth, and given up otherwise. */
static void climb(struct pace *p, uint64_t score)
{
	bool better = score > p->climb.score + p->climb.score / 20;

	if (p->climb.growing && !better) {
		set_messages(p, p->batch_messages / 2);
		p->climb.growing = false;
		p->climb.rest = REST_EPOCHS;
	} else if (p->climb.rest) {
		p->climb.rest--;
	} else if (p->batch_messages < PACE_MESSAGES_MAX) {
		p->climb.growing = true;
		set_messages(p, p->batch_messages * 2);
	} else {
		p->climb.growing = false;
		p->climb.rest = REST_EPOCHS;
	}
	p->climb.score = score;
}

static void end_epoch(struct pace *p, int64_t now)
{
	uint64_t ms = (uint64_t)(now - p->epoch.began);
	uint64_t weight = p->epoch.bytes + p->epoch.messages * MESSAGE_WEIGHT;
	bool several = p->epoch.messages > p->epoch.commands;

	p->rate = p->epoch.bytes * 1000 / ms;
	fit_to_line(p);
	if (several) /* single APPENDs have no size of batch to be found */
		climb(p, weight * 1000 / ms);
	p->epoch.commands = 0;
}

static void slow_start(struct pace *p, int64_t ms)
{
	if (ms < SLOW_START_MS && !p->refused)
		p->batch_bytes = between(p->batch_bytes * 2, PACE_BYTES_MIN,
					 most_bytes(p));
}

void pace_answered(struct pace *p, size_t messages, uint64_t bytes,
		   int64_t began, int64_t now, bool busy)
{
	if (p->delay_ms && now - p->throttled > PACE_QUIET_MS) {
		p->delay_ms /= 2;
		p->throttled = now;
		if (p->delay_ms < PACE_DELAY_FIRST_MS / 2)
			p->delay_ms = 0;
	}
	if (!p->rate)
		slow_start(p, now - began);
	if (!busy || p->delay_ms || p->messages_per_second) {
		p->epoch.commands = 0; /* it measures our own pauses */
		return;
	}
	if (!p->epoch.commands) { /* it opens the epoch, and is not in it */
		p->epoch.began = now;
		p->epoch.messages = p->epoch.bytes = 0;
		p->epoch.commands = 1;
		return;
	}
	p->epoch.commands++;
	p->epoch.messages += messages;
	p->epoch.bytes += bytes;
	if (p->epoch.commands > EPOCH_COMMANDS &&
	    now - p->epoch.began >= EPOCH_MS)
		end_epoch(p, now);
}

void pace_refused(struct pace *p)
{
	set_messages(p, p->batch_messages / 2);
	p->batch_bytes =
		between(p->batch_bytes / 2, PACE_BYTES_MIN, PACE_BYTES_MAX);
	p->refused = true;
	p->climb.growing = false;
	p->climb.rest = 1;
	p->climb.score = 0;
	p->epoch.commands = 0;
}

void pace_throttled(struct pace *p, int64_t now)
{
	/* What is in flight says so too: once a second is enough. */
	if (p->delay_ms && now - p->throttled < 1000)
		return;
	p->delay_ms = (int64_t)between((uint64_t)p->delay_ms * 2,
				       PACE_DELAY_FIRST_MS, PACE_DELAY_MAX_MS);
	p->throttled = now;
}

bool pace_may_begin(const struct pace *p, int64_t now)
{
	return now >= p->not_before;
}

void pace_began(struct pace *p, size_t messages, int64_t now)
{
	int64_t wait = p->delay_ms;

	if (p->messages_per_second) {
		int64_t own =
			(int64_t)(messages * 1000 / p->messages_per_second);

		if (own > wait)
			wait = own;
	}
	p->not_before = now + wait;
}

uint64_t pace_window(const struct pace *p)
{
	uint64_t most = PACE_WINDOW_MAX / (p->connections > 2 ? 2 : 1);

	if (!p->rate) /* nobody knows yet; the batches are small as yet */
		return most;
	return between(p->rate / p->connections / 1000 * WINDOW_MS, WINDOW_MIN,
		       most);
}

bool pace_compress_pays(uint64_t line, uint64_t cpu, uint64_t plain,
			uint64_t wire)
{
	double packed; /* bytes of mail a second over the same line */

	if (!line || !plain || !wire)
		return false;
	packed = (double)line * (double)plain / (double)wire;
	if (packed > (double)cpu)
		packed = (double)cpu;
	return packed > (double)line * 1.25;
}
