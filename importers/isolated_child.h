/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_ISOLATED_CHILD_H
#define MAILHAUL_IMPORTERS_ISOLATED_CHILD_H

#include "importers/isolated.h"

#include <signal.h>
#include <sys/types.h>

/* What a child dies of when the thread that made it ends: nobody's fault. */
enum { ISOLATED_ORPHAN_SIGNAL = SIGTERM };

/* The child, from fork to its end. All signals are blocked when it is called; parent is
   the process that forked, fd the child's end of the socket pair. */
_Noreturn void isolated_child(const struct importer_ops *inner,
			      const char *path,
			      const struct importer_options *opt,
			      const struct isolated_limits *limits, int fd,
			      pid_t parent);

#endif
