/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daily budget: arithmetic over hours. An hour counts whole until a day
   after its end, so that in no 24 hours more than the limit is sent.

   When the clock was put back, what seems to lie ahead counts, too, up to two
   days; hours further ahead come from a clock that was wrong, and would lock
   the budget for as long as it was wrong. */
#include "core/budget.h"

enum { HOUR = 3600, COUNTS = (BUDGET_HOURS + 1) * HOUR, AHEAD = 48 * HOUR };

static bool counts(int64_t began, int64_t now)
{
	return began > now - COUNTS && began <= now + AHEAD;
}

/* The numbers may come from a damaged ledger. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static int64_t hour_of(int64_t t)
{
	return t - ((t % HOUR) + HOUR) % HOUR;
}

static void put(struct budget *b, int64_t began, uint64_t bytes)
{
	while (b->n && b->bucket[b->n - 1].began - AHEAD > began)
		b->n--;
	if (b->n && b->bucket[b->n - 1].began >= began) {
		b->bucket[b->n - 1].bytes =
			plus(b->bucket[b->n - 1].bytes, bytes);
		return;
	}
	if (b->n == BUDGET_MAX_BUCKETS) { /* the oldest are joined */
		b->bucket[1].bytes =
			plus(b->bucket[1].bytes, b->bucket[0].bytes);
		for (unsigned i = 1; i < b->n; i++)
			b->bucket[i - 1] = b->bucket[i];
		b->n--;
	}
	b->bucket[b->n].began = began;
	b->bucket[b->n++].bytes = bytes;
}

struct taking {
	struct budget *b;
	int64_t now;
};

static void take(void *ctx, int64_t began, uint64_t bytes)
{
	const struct taking *t = ctx;

	if (counts(began, t->now))
		put(t->b, began, bytes);
}

int budget_load(struct budget *b, uint64_t limit, struct ledger *led,
		int64_t now, struct err *e)
{
	struct taking t = { .b = b, .now = now };

	*b = (struct budget){ .limit = limit };
	if (!limit)
		return 0;
	return ledger_traffic_each(led, now - COUNTS, take, &t, e);
}

uint64_t budget_used(const struct budget *b, int64_t now)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (counts(b->bucket[i].began, now))
			sum = plus(sum, b->bucket[i].bytes);
	return sum;
}

bool budget_fits(const struct budget *b, int64_t now, uint64_t bytes)
{
	uint64_t used = budget_used(b, now);

	if (!b->limit || !used)
		return true;
	return bytes <= b->limit && used <= b->limit - bytes;
}

void budget_spend(struct budget *b, int64_t now, uint64_t bytes)
{
	put(b, hour_of(now), bytes);
}

void budget_take_back(struct budget *b, uint64_t bytes)
{
	/* The newest: it was just now. */
	for (unsigned i = b->n; i && bytes; i--) {
		uint64_t *has = &b->bucket[i - 1].bytes;
		uint64_t some = bytes < *has ? bytes : *has;

		*has -= some;
		bytes -= some;
	}
}

int64_t budget_when(const struct budget *b, int64_t now, uint64_t bytes)
{
	int64_t at = now;

	/* Hours fall out one after the other, the oldest first. */
	for (unsigned i = 0; i < b->n && !budget_fits(b, at, bytes); i++)
		if (counts(b->bucket[i].began, at))
			at = b->bucket[i].began + COUNTS;
	return at;
}
