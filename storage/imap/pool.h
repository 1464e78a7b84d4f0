/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_POOL_H
#define MAILHAUL_STORAGE_IMAP_POOL_H

#include "storage/imap/internal.h"

/* The connections of one account. The first one answers questions (folders, find,
   fetch) and appends; the others append only, and are opened when there is more to send
   than those that are there can take. One thread drives them all: none of them is ever
   waited for alone, and the ledger has one writer.

   C1  A batch goes over one connection. Those of a folder prefer the connection that has
       its last one, so that mail stays in order as far as that costs nothing.
   C2  When one connection is lost, or refuses more than a message, that ends the
       attempt: submit and reap fail once for each, and give every batch back.
   C3  A connection that cannot be opened is no failure as long as there is another: the
       server takes as many as it takes. */

/* it->s is connected and logged in: the first member is made of it. */
void imap_pool_init(struct imap_target *it);
void imap_pool_close(struct imap_target *it);

/* The target_ops contract. */
int imap_pool_submit(struct imap_target *it, struct append_batch *b, struct err *e);
int imap_pool_reap(struct imap_target *it, bool wait, struct append_batch **b_r,
		   struct err *e);
void imap_pool_limits(const struct imap_target *it, struct target_limits *l_r);
uint64_t imap_pool_bytes_sent(const struct imap_target *it);
/* No connection has an open batch. */
bool imap_pool_is_idle(const struct imap_target *it);

/* compress.c: would it pay to compress this connection? Tries it on mail that is about
   to be sent. */
bool imap_compress_pays(const struct imap_append *a, const struct append_batch *b);

#endif
