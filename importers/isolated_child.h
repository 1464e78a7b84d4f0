/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_ISOLATED_CHILD_H
#define MAILHAUL_IMPORTERS_ISOLATED_CHILD_H

#include "importers/isolated.h"

/* The child, from its begin (isolated_nursery.h) to its end. fd is its end of the socket
   pair. */
_Noreturn void isolated_child(const struct importer_ops *inner,
			      const char *path,
			      const struct importer_options *opt,
			      const struct isolated_limits *limits, int fd);

#endif
