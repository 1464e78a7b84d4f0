/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks an index tree of an Outlook store. A page that is not what the page above
   it says is left out with all below it, and counted. */
#include "importers/pst_index.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <unistd.h>

enum { PAGE_MAX = 4096, PAGE_LEAST = 512 };

/* Where a page says what it is. */
struct layout {
	size_t count, count_size, entry_size, level, number;
};

static const struct layout *layout_of(const struct pst_index *x)
{
	static const struct layout ansi = { 0x1F0, 1, 0x1F2, 0x1F3, 0x1F8 };
	static const struct layout unicode = { 0x1E8, 1, 0x1EA, 0x1EB, 0x1F8 };
	static const struct layout large = { 0xFD8, 2, 0xFDC, 0xFDD, 0xFF0 };

	if (x->page == PAGE_MAX)
		return &large;
	return x->width == 4 ? &ansi : &unicode;
}

static uint64_t number_at(const char *p, size_t width)
{
	uint64_t n = 0;

	for (size_t i = 0; i < width; i++)
		n |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return n;
}

static bool read_page(const struct pst_index *x, uint64_t offset, char *page)
{
	if (offset > x->file_size || x->page > x->file_size - offset)
		return false;
	return walk_read_at(x->fd, page, x->page, offset) == (ssize_t)x->page;
}

/* below: this page's level must be under it. */
static void walk(struct pst_index *x, uint64_t offset, uint64_t bid,
		 unsigned below)
{
	const struct layout *l = layout_of(x);
	size_t count, size, least = x->entry;
	char page[PAGE_MAX];
	unsigned level;

	if (x->pages++ > x->file_size / PAGE_LEAST ||
	    !read_page(x, offset, page)) {
		x->damaged++;
		return;
	}
	count = (size_t)number_at(page + l->count, l->count_size);
	size = (unsigned char)page[l->entry_size];
	level = (unsigned char)page[l->level];
	if (level)
		least = 3 * x->width;
	if (number_at(page + l->number, x->width) != bid || level >= below ||
	    size < least || count * size > l->count) {
		x->damaged++;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *entry = page + i * size;

		if (level)
			walk(x, number_at(entry + 2 * x->width, x->width),
			     number_at(entry + x->width, x->width), level);
		else
			x->add(x->ctx, entry);
	}
}

enum { LEVELS_MAX = 16 };

void pst_index_walk(struct pst_index *x, uint64_t offset, uint64_t bid)
{
	walk(x, offset, bid, LEVELS_MAX);
}
