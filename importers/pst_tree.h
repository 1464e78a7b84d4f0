/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_TREE_H
#define MAILHAUL_IMPORTERS_PST_TREE_H

#include "core/base/folder_use.h"
#include "importers/pst_store.h"
#include "importers/remarks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The folders of an Outlook store, sorted by the numbers of their nodes, and what else there
   is to be known of the whole store. */
struct pst_folder {
	uint32_t nid;
	char **path; /* ended by NULL */
	enum folder_use use;
	bool for_others; /* made for contacts, appointments ... */
	bool lost;	 /* no folder of Outlook's, but of messages that have none */
	const struct pst_node **items; /* sorted by their numbers */
	size_t n;
};
struct pst_tree {
	struct pst_folder *folders;
	size_t n;
	size_t n_items;
};

/* code_page: of names in an ANSI store. ERR_ACCOUNT. Remarks on folders that do not hold what
   they say. */
int pst_tree_read(struct pst_tree *t, struct pst_store *st, uint32_t code_page,
		  struct remarks *remarks, struct err *e);
void pst_tree_free(struct pst_tree *t);

/* Strings of an ANSI store do not say what they are written in, but messages do: what most
   of the first ones say. 0 if none does. */
uint32_t pst_tree_guess_code_page(struct pst_store *st);
/* The number under which this store keeps categories; 0 if it has none. */
uint16_t pst_tree_keywords(struct pst_store *st);
/* Append what makes this store different from all others; perhaps nothing. */
void pst_tree_store_key(struct pst_store *st, size_t most, struct buf *out);

#endif
