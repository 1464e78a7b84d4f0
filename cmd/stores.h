/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CMD_STORES_H
#define MAILHAUL_CMD_STORES_H

#include "cmd/cmd.h"
#include "core/event.h"

/* The table of scan: a row for each account of each store. */
struct stores;
struct stores *stores_new(void);
void stores_free(struct stores *s);

/* A folder came to its end. */
void stores_add(struct stores *s, const struct event *ev);
/* As a table, or as an object a row. */
void stores_show(const struct stores *s, const struct options *o);

/* scan --accounts: the same of what can be told without reading mail. Returns the exit
   status. */
int stores_list(const struct call *c, struct err *e);
/* Is every account that was asked for there? */
int stores_check_accounts(const struct call *c, struct err *e);

#endif
