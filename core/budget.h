/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_BUDGET_H
#define MAILHAUL_CORE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/ledger/ledger.h"

/* The daily budget (--daily-limit): so many bytes of messages in any 24 hours, counted in
   hours by the ledger. A provider that is given more than it takes a day locks the mailbox
   for up to a day; stopping in time costs less. */
enum { BUDGET_HOURS = 24, BUDGET_MAX_BUCKETS = 64 };

struct budget {
	uint64_t limit; /* 0: none */
	struct {
		int64_t began;
		uint64_t bytes;
	} bucket[BUDGET_MAX_BUCKETS]; /* oldest first, ascending */
	unsigned n;
};

/* Read what the ledger knows. */
int budget_load(struct budget *b, uint64_t limit, struct ledger *led, int64_t now,
		struct err *e);
/* Do bytes more fit now? A message larger than the whole limit is let through when
   nothing else was sent within 24 hours. */
bool budget_fits(const struct budget *b, int64_t now, uint64_t bytes);
/* They are on their way (the ledger is the caller's). */
void budget_spend(struct budget *b, int64_t now, uint64_t bytes);
/* They were not sent after all. */
void budget_take_back(struct budget *b, uint64_t bytes);
uint64_t budget_used(const struct budget *b, int64_t now);
/* When will bytes fit? now when they do already. */
int64_t budget_when(const struct budget *b, int64_t now, uint64_t bytes);

#endif
