/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The retry policy is a table. */
#include "core/retry.h"

#include "tests/lib/check.h"

static const struct {
	const char *what;
	enum err_retry retry;
	enum err_scope scope;
	uint32_t wait_ms;
	unsigned attempt;
	uint32_t spread;
	int64_t want;
} cases[] = {
	{ "bad password: no second try", ERR_NEVER, ERR_ACCOUNT, 0, 1, 0,
	  RETRY_GIVE_UP },
	{ "dropped connection: at once", ERR_NOW, ERR_ACCOUNT, 0, 1, 1000, 0 },
	{ "dropped again: after a pause", ERR_NOW, ERR_ACCOUNT, 0, 2, 0, 1500 },
	{ "busy: half a second", ERR_LATER, ERR_ACCOUNT, 0, 1, 0, 500 },
	{ "busy: up to twice that, by chance", ERR_LATER, ERR_ACCOUNT, 0, 1,
	  1000, 1000 },
	{ "fifth: longer", ERR_LATER, ERR_ACCOUNT, 0, 5, 0, 40500 },
	{ "sixth: enough", ERR_LATER, ERR_ACCOUNT, 0, 6, 0, RETRY_GIVE_UP },
	{ "a pause the server named is kept", ERR_LATER, ERR_ACCOUNT, 299961, 1,
	  0, 299961 },
	{ "... and stretched by a twentieth at most", ERR_LATER, ERR_ACCOUNT,
	  1000, 1, 1000, 1050 },
	{ "... but not for hours", ERR_LATER, ERR_ACCOUNT, 50 * 60 * 1000, 1, 0,
	  RETRY_GIVE_UP },
	{ "the ledger's disk is full: the run ends", ERR_LATER, ERR_RUN, 0, 1, 0,
	  RETRY_GIVE_UP },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = {
			.retry = cases[i].retry,
			.scope = cases[i].scope,
			.wait_ms = cases[i].wait_ms,
		};

		CHECK_CASE(cases[i].what,
			   retry_after(&e, cases[i].attempt, cases[i].spread) ==
				   cases[i].want);
	}
	return check_done();
}
