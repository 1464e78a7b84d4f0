/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_RETRY_H
#define MAILHAUL_CORE_RETRY_H

#include <stdint.h>

#include "core/base/err.h"

/* Whether and when an account that failed is tried again: arithmetic on the error,
   tested by a table; time and chance are arguments. */
enum { RETRY_GIVE_UP = -1, RETRY_ATTEMPTS = 6 };

/* attempt counts failures in a row without progress, from 1; spread is chance from 0
   to 1000 (thousandths), so that many clients do not come back at once. Returns
   milliseconds to wait, or RETRY_GIVE_UP. A pause the server named is kept exactly,
   plus at most a twentieth; over RETRY_PATIENCE it is given up: come back later. */
enum { RETRY_PATIENCE_MS = 10 * 60 * 1000 };
int64_t retry_after(const struct err *e, unsigned attempt, uint32_t spread);

#endif
