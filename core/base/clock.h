/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_CLOCK_H
#define MAILHAUL_BASE_CLOCK_H

#include <stdint.h>

/* Seconds since 1970 (UTC), and milliseconds that only ever move forward.
   Policy takes time as an argument; only its callers come here. */
int64_t clock_now(void);
int64_t clock_ms(void);
/* Sleep up to ms milliseconds; returns early, without error, on a signal. */
void clock_sleep_ms(int64_t ms);

#endif
