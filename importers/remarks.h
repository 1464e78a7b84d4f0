/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_REMARKS_H
#define MAILHAUL_IMPORTERS_REMARKS_H

#include "core/base/buf.h"

#include <stddef.h>

/* What an importer has to tell people about a source, a line each: behind
   importer_ops.remark. A hostile source can give cause for any number, so only
   REMARKS_MAX are kept; the last one then says how many more there were. */
enum { REMARKS_MAX = 1000 };

struct remarks { /* all zero: none */
	char **lines;
	size_t n, cap;
	size_t more;	 /* beyond what is kept */
	struct buf last; /* the line that says so */
};
void remarks_free(struct remarks *r);
/* One line, whatever files are called: control characters become '?', and bytes
   that are not UTF-8 are guessed. */
void remark_add(struct remarks *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The nth from 0, or NULL. */
const char *remark_nth(struct remarks *r, size_t nth);

#endif
