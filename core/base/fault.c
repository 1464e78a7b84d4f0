/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/fault.h"

#ifdef MAILHAUL_FAULTS
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long step, deadly;
static int log_fd = -1;
static bool spared;

static void arm(void)
{
	const char *at = getenv("MAILHAUL_FAULT");
	const char *path = getenv("MAILHAUL_FAULT_LOG");

	if (at && !spared)
		deadly = strtoul(at, NULL, 10);
	if (path)
		log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			      0600);
}

static void die(void)
{
	const char *as = getenv("MAILHAUL_FAULT_SIGNAL");
	int sig = as ? atoi(as) : SIGKILL;

	signal(sig, SIG_DFL); /* no sanitizer's handler comes between */
	kill(getpid(), sig);
}

void fault_point(const char *name)
{
	char line[128];
	int n;

	if (!step)
		arm();
	step++;
	if (log_fd >= 0) {
		n = snprintf(line, sizeof(line), "%lu %s\n", step, name);
		if (write(log_fd, line, (size_t)n) != n)
			abort();
	}
	if (step == deadly)
		die();
}

void fault_take_over(void)
{
	spared = getenv("MAILHAUL_FAULT_ONCE") != NULL;
}
#else
/* ISO C wants something in every file. */
typedef int fault_points_are_off;
#endif
