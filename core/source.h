/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_SOURCE_H
#define MAILHAUL_CORE_SOURCE_H

#include "core/base/err.h"
#include "importers/importer.h"

/* SOURCE of the command line: [FORMAT:]PATH. Without a format it is probed. */
struct source {
	const struct importer_ops *format;
	char *path; /* real and absolute: how the ledger knows it */
	char **except; /* below path, of other stores; ended by NULL; or NULL */
	bool found; /* by source_discover, not named */
};

struct sources { /* all zero: none */
	struct source *list;
	size_t n;
};

/* Append what text names: with a FORMAT one source; without, the stores at PATH or below
   it (core/discover.h), of any format.
   ERR_SOURCE if there is nothing at PATH, or nobody can read it, or no store is found;
   ERR_USAGE if FORMAT is unknown. A path that really begins with "word:" is given as
   "./word:...". */
int source_find(const char *text, struct sources *l, struct err *e);
void source_free(struct source *s);
void sources_free(struct sources *l);
int source_open(const struct source *s, const struct importer_options *opt,
		struct importer **imp_r, struct err *e);

#endif
