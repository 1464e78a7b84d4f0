/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_INDEX_H
#define MAILHAUL_IMPORTERS_PST_INDEX_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* The two trees of an Outlook store that lead to its nodes and to its blocks ([MS-PST]
   2.2.2.7.7). libpst can read them, too, but says nothing of pages it has to leave out,
   follows a page that leads to itself until the stack is full, and takes a time that
   grows with the square of the number of nodes (40,000: 3 s, 160,000: most of a minute). */
struct pst_index {
	int fd;
	unsigned width;	    /* of numbers: 4 or 8 */
	size_t page;	    /* 512 or 4096 */
	size_t entry;	    /* of a leaf, at least */
	uint64_t file_size;
	void (*add)(void *ctx, const char *entry);
	void *ctx;

	size_t pages;	    /* read */
	size_t damaged;	    /* and those that could not be */
};

/* Call add for every entry of the leaves below the page at offset, whose number is bid. */
void pst_index_walk(struct pst_index *x, uint64_t offset, uint64_t bid);

#endif
