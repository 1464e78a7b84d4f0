/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_STORE_H
#define MAILHAUL_IMPORTERS_PST_STORE_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An Outlook store as nodes and blocks ([MS-PST] sections 2.2 and 2.3.1, the layer NDB).
   Blocks are read and deciphered by libpst. What libpst makes of properties is not used: it keeps no recipients'
   addresses, no flags of follow-up and no categories of Unicode stores.

   libpst believes what a file says of itself and may crash: everything here runs in a
   process of its own (isolated.h). In memory are 24 bytes for a node and 40 for a block,
   twice as much while it opens. */

/* The low five bits of a node's number say what it is (2.2.2.1). */
enum {
	PST_NID_KIND = 0x1F,
	PST_NID_FOLDER = 0x02,
	PST_NID_MESSAGE = 0x04,
	PST_NID_ATTACHMENT = 0x05,

	PST_NID_STORE = 0x21,
	PST_NID_NAMES = 0x61,
	PST_NID_ROOT_FOLDER = 0x122,
	PST_NID_ATTACHMENTS = 0x671,
	PST_NID_RECIPIENTS = 0x692,
};

/* Where a node's data and its subnodes are: numbers of blocks, 0 for none. */
struct pst_place {
	uint64_t data, sub;
};

struct pst_node {
	uint32_t nid, parent;
	struct pst_place place;
};

struct pst_sub {
	uint32_t nid;
	struct pst_place place;
};
struct pst_subs {
	struct pst_sub *list;
	size_t n;
};

enum pst_client { PST_CLIENT_NONE, PST_CLIENT_OUTLOOK, PST_CLIENT_EXCHANGE };
/* Whose file begins like this: Outlook's own store, or its copy of a mailbox on an
   Exchange server (.ost). */
enum pst_client pst_looks(const char *head, size_t n);

struct pst_store;

/* Reads fd, which is the store's from now on. name is for errors, which are ERR_ACCOUNT. */
int pst_store_open(int fd, const char *name, struct pst_store **st_r,
		   struct err *e);
void pst_store_close(struct pst_store *st);
const char *pst_store_name(const struct pst_store *st);
bool pst_store_is_ansi(const struct pst_store *st);
bool pst_store_is_large(const struct pst_store *st);  /* of large pages */
bool pst_store_is_cached(const struct pst_store *st); /* an .ost */
/* The file's size, and the size its header states. */
uint64_t pst_store_size(const struct pst_store *st);
uint64_t pst_store_stated_size(const struct pst_store *st);

/* Pages of its index that could not be read: what they lead to is missing. */
size_t pst_store_damaged(const struct pst_store *st);
/* Where something begins in the file; 0 if it is not known. */
uint64_t pst_store_offset(struct pst_store *st, struct pst_place place);

/* All nodes, sorted by number. */
const struct pst_node *pst_store_nodes(const struct pst_store *st, size_t *n_r);
const struct pst_node *pst_store_find(const struct pst_store *st, uint32_t nid);

/* The errors of what follows are ERR_MESSAGE. */

/* Where data goes, piece by piece. */
typedef int (*pst_add)(void *ctx, const char *bytes, size_t n, struct err *e);
/* Every block of a data tree in turn. */
int pst_store_each(struct pst_store *st, uint64_t block, pst_add add, void *ctx,
		   struct err *e);
/* The subnodes behind a block; 0 has none. */
int pst_store_subs(struct pst_store *st, uint64_t block, struct pst_subs *subs_r,
		   struct err *e);
void pst_subs_free(struct pst_subs *subs);
const struct pst_sub *pst_subs_find(const struct pst_subs *subs, uint32_t nid);

#endif
