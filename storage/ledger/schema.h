/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_SCHEMA_H
#define MAILHAUL_STORAGE_LEDGER_SCHEMA_H

#include "core/base/err.h"

struct ledger;

/* migrations/NNNN_what.sql in order, made into C at build time; ended by number
 * 0. */
struct ledger_migration {
	unsigned number;
	const char *name;
	const char *sql;
};
extern const struct ledger_migration ledger_migrations[];

/* Whether the open file is a ledger that we can work with: 1 if it is up to
   date, 0 if migrations are to be applied first, -1 (ERR_CONFIG) if a newer
   program made it, or (ERR_LEDGER) if it is something else. */
int schema_check(struct ledger *led, struct err *e);

/* Apply what is missing, each migration in its own transaction. */
int schema_migrate(struct ledger *led, struct err *e);

/* Find out whose ledger it is, and make it target's if it is nobody's and may
   be written. target NULL takes any. -1 (ERR_CONFIG) if it is another's. */
int schema_claim(struct ledger *led, const char *target, struct err *e);

#endif
