/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_ISOLATED_NURSERY_H
#define MAILHAUL_IMPORTERS_ISOLATED_NURSERY_H

#include "core/base/err.h"

#include <sys/types.h>

/* A process that makes processes. The program may have threads by the time that a reader
   has crashed and another is wanted: a fork then can leave a lock held for ever that some
   library or sanitizer knows nothing of, and what PR_SET_PDEATHSIG goes by is the thread. So
   the first fork is made when the source is opened, and what it makes stays small, has no
   threads, reads nothing, and forks again when it is asked to, one at a time.

   It ends with the thread that opened it, and whatever it has made with it. */
struct nursery {
	pid_t pid; /* 0: there is none */
	int fd;
};

/* Whether this is a build with AddressSanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define ISOLATED_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISOLATED_ASAN 1
#endif
#endif
#ifndef ISOLATED_ASAN
#define ISOLATED_ASAN 0
#endif

/* Never returns. fd is its end of a socket pair; nothing else is open but 0, 1 and 2. */
typedef void (*nursery_run)(void *ctx, int fd);

int nursery_open(struct nursery *n, nursery_run run, void *ctx, struct err *e);
void nursery_close(struct nursery *n);
/* Make a process: the other end of its socket pair, or -1 with errno. */
int nursery_make(struct nursery *n);
/* End it, if it has not ended by itself: 0 with what it came to (waitpid), or -1 when the
   nursery itself is gone. */
int nursery_bury(struct nursery *n, int *status_r);

#endif
