/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_POPSTATE_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_POPSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* popstate.dat, in the directory of every POP account: what was on the server when
   Thunderbird last looked, message by message, by the id (UIDL) that the server gives
   it and that a message's X-UIDL field repeats. */
struct tb_popstate;

/* Never NULL: what is no line of such a file is passed over. */
struct tb_popstate *tb_popstate_parse(const char *bytes, size_t n);
void tb_popstate_free(struct tb_popstate *s);

/* One mailbox on a server. Old files have several, of accounts that are gone. */
struct tb_pop_server {
	const char *host, *user;
	size_t left;	/* messages that were still there, ... */
	size_t partial; /* ... and of those, how many were fetched only in part */
};
size_t tb_popstate_servers(const struct tb_popstate *s);
/* Valid as long as s. */
struct tb_pop_server tb_popstate_server(const struct tb_popstate *s, size_t nth);

/* Whether the message that some server calls so was fetched only in part. */
bool tb_popstate_is_partial(const struct tb_popstate *s, const char *uidl);
/* Differs when an answer of is_partial might. 0 when no message is partial. */
uint64_t tb_popstate_print(const struct tb_popstate *s);

#endif
