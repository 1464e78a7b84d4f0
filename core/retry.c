/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Retry policy. */
#include "core/retry.h"

int64_t retry_after(const struct err *e, unsigned attempt, uint32_t spread)
{
	int64_t wait = 500;

	if (e->retry == ERR_NEVER || e->scope == ERR_RUN ||
	    attempt >= RETRY_ATTEMPTS)
		return RETRY_GIVE_UP;
	if (e->retry == ERR_NOW && attempt == 1)
		return 0;
	if (e->wait_ms > RETRY_PATIENCE_MS)
		return RETRY_GIVE_UP;
	if (e->wait_ms)
		return (int64_t)e->wait_ms + e->wait_ms / 20 * spread / 1000;
	for (unsigned i = 1; i < attempt; i++)
		wait *= 3;
	return wait + wait * spread / 1000;
}
