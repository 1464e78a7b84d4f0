/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_SOURCE_H
#define MAILHAUL_CORE_SOURCE_H

#include "core/base/err.h"
#include "importers/importer.h"

/* SOURCE of the command line: [FORMAT:]PATH. Without a format it is probed. */
struct source {
	const struct importer_ops *format;
	char *path; /* real and absolute: how the ledger knows it */
};

/* known, when not NULL, answers which format the source at a real path had before, or
   NULL: then nothing is opened to find out.
   ERR_SOURCE if there is nothing at PATH or nobody can read it, ERR_USAGE if FORMAT is
   unknown. A path that really begins with "word:" is given as "./word:...". */
int source_find(const char *text,
		const char *(*known)(void *ctx, const char *path), void *ctx,
		struct source *s_r, struct err *e);
void source_free(struct source *s);
int source_open(const struct source *s, const struct importer_options *opt,
		struct importer **imp_r, struct err *e);

#endif
