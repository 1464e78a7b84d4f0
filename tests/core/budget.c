/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daily limit: core/budget.h. */
#include "core/budget.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/check.h"

enum { HOUR = 3600, MIB = 1 << 20 };

static const int64_t noon = 1700000000 / HOUR * HOUR;

static void arithmetic(void)
{
	static const struct {
		const char *what;
		uint64_t limit;
		struct {
			int64_t at; /* seconds from noon */
			uint64_t bytes;
		} spent[3];
		int64_t now; /* likewise */
		uint64_t bytes;
		bool fits;
		int64_t when; /* likewise */
	} cases[] = {
		{ "no limit", 0, { { 0, 100 } }, 0, 1000, true, 0 },
		{ "nothing was sent", 100, { { 0, 0 } }, 0, 100, true, 0 },
		{ "exactly full", 100, { { 0, 60 } }, 0, 40, true, 0 },
		{ "one byte over", 100, { { 0, 60 } }, 0, 41, false, 25 * HOUR },
		{ "the hour counts whole until a day after its end", 100,
		  { { 0, 60 } }, 25 * HOUR - 1, 41, false, 25 * HOUR },
		{ "then it does not", 100, { { 0, 60 } }, 25 * HOUR, 41, true,
		  25 * HOUR },
		{ "minutes of an hour count as its begin", 100,
		  { { 10, 30 }, { HOUR - 1, 30 } }, HOUR, 41, false, 25 * HOUR },
		{ "hours fall out one by one", 100,
		  { { 0, 30 }, { 2 * HOUR, 30 }, { 4 * HOUR, 30 } }, 5 * HOUR, 50,
		  false, 27 * HOUR },
		{ "larger than the limit, and nothing else was sent: through", 100,
		  { { 0, 0 } }, 0, 1000, true, 0 },
		{ "larger than the limit, after something else: when that is gone",
		  100, { { 0, 1 } }, 0, 1000, false, 25 * HOUR },
		{ "the clock was put back: what was sent still counts", 100,
		  { { 48 * HOUR, 60 } }, 0, 41, false, 73 * HOUR },
		{ "what a clock that was wrong by more than two days wrote does not",
		  100, { { 49 * HOUR, 60 } }, 0, 41, true, 0 },
		{ "nor does it hide what is sent after", 100,
		  { { 49 * HOUR, 60 }, { 0, 60 } }, 0, 41, false, 25 * HOUR },
		{ "what was sent before, and after it was put back by an hour", 100,
		  { { HOUR, 60 }, { 0, 30 } }, 0, 11, false, 26 * HOUR },
		{ "numbers that cannot be added, in the ledger", 100,
		  { { 0, UINT64_MAX }, { HOUR, UINT64_MAX } }, 2 * HOUR, 1, false,
		  26 * HOUR },
		{ "numbers that cannot be added", 100, { { 0, 60 } }, 0, UINT64_MAX,
		  false, 25 * HOUR },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct budget b = { .limit = cases[i].limit };
		int64_t now = noon + cases[i].now;

		for (size_t k = 0; k < 3; k++)
			if (cases[i].spent[k].bytes)
				budget_spend(&b, noon + cases[i].spent[k].at,
					     cases[i].spent[k].bytes);
		CHECK_CASE(cases[i].what,
			   budget_fits(&b, now, cases[i].bytes) == cases[i].fits);
		CHECK_CASE(cases[i].what, budget_when(&b, now, cases[i].bytes) ==
						  noon + cases[i].when);
	}
}

static void taken_back(void)
{
	struct budget b = { .limit = 100 };

	budget_spend(&b, noon, 40);
	budget_spend(&b, noon + HOUR, 30);
	budget_take_back(&b, 50);
	CHECK_CASE("what was not sent does not count, the newest first",
		   budget_used(&b, noon + HOUR) == 20);
	budget_take_back(&b, 1000);
	CHECK_CASE("never less than nothing", budget_used(&b, noon + HOUR) == 0);
}

static void long_runs(void)
{
	struct budget b = { .limit = UINT64_MAX };

	for (int64_t h = 0; h < 1000; h++)
		budget_spend(&b, noon + h * HOUR, 10);
	CHECK_CASE("a run of many days keeps the last ones",
		   budget_used(&b, noon + 1000 * HOUR) == 24 * 10);
}

/* What a restart knows is what the ledger has. */
static void restart(void)
{
	char folder[] = "/tmp/mh-budget-XXXXXX", path[64];
	struct ledger *led = NULL;
	struct err e = ERR_INIT;
	struct budget b;

	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/l.db", folder);
	CHECK(ledger_open(path, LEDGER_WRITE, "a@b", &led, &e) == 0);
	/* By a clock that was wrong. */
	CHECK(ledger_traffic_add(led, noon + 9000 * HOUR, 7 * MIB, &e) == 0);
	CHECK(ledger_traffic_add(led, noon + 5, 3 * MIB, &e) == 0);
	CHECK(ledger_traffic_add(led, noon + 9, 2 * MIB, &e) == 0);
	CHECK(ledger_traffic_add(led, noon - 40 * HOUR, 7 * MIB, &e) == 0);
	CHECK(ledger_commit(led, &e) == 0);
	ledger_close(led);
	led = NULL;
	CHECK(ledger_open(path, LEDGER_WRITE, "a@b", &led, &e) == 0);
	CHECK(budget_load(&b, 6 * MIB, led, noon + HOUR, &e) == 0);
	CHECK(budget_used(&b, noon + HOUR) == 5 * MIB);
	CHECK(budget_fits(&b, noon + HOUR, MIB));
	CHECK(!budget_fits(&b, noon + HOUR, MIB + 1));
	CHECK(budget_load(&b, 0, led, noon, &e) == 0 && budget_fits(&b, noon, 1));
	ledger_close(led);
	unlink(path);
	snprintf(path, sizeof(path), "%s/l.db.lock", folder);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	arithmetic();
	taken_back();
	long_runs();
	restart();
	return check_done();
}
