/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One directory of an account: which of its entries belong together. Every plain
   file X that is not on Thunderbird's list of other files is a folder, X.msf the
   summary, X.sbd/ holds the children; with the Maildir store X is a directory
   that holds cur/. */
#include "importers/thunderbird_place.h"

#include <stdlib.h>
#include <string.h>

#include "importers/thunderbird_paths.h"

/* The name of an entry, folded. */
struct tb_folded {
	char *key;
	size_t entry;
};

static int by_key(const void *a, const void *b)
{
	const struct tb_folded *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c ? c : x->entry < y->entry ? -1 : x->entry > y->entry;
}

void tb_place_enter(struct tb_place *at, const struct walk_dir *entries)
{
	at->entries = entries;
	at->folded = mem_alloc((entries->n + 1) * sizeof(*at->folded));
	for (size_t i = 0; i < entries->n; i++) {
		struct buf key = BUF_INIT;

		tb_fold_name(&key, entries->entries[i].name);
		at->folded[i] = (struct tb_folded){ .key = buf_detach(&key),
						    .entry = i };
	}
	qsort(at->folded, entries->n, sizeof(*at->folded), by_key);
}

void tb_place_leave(struct tb_place *at)
{
	for (size_t i = 0; i < at->entries->n; i++)
		free(at->folded[i].key);
	free(at->folded);
	at->folded = NULL;
}

size_t tb_place_find(const struct tb_place *at, const char *name)
{
	size_t low = 0, high = at->entries->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(name, at->entries->entries[mid].name);

		if (!c)
			return mid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return SIZE_MAX;
}

/* The first of at->folded whose key is not below key. */
static size_t lower_bound(const struct tb_place *at, const char *key)
{
	size_t low = 0, high = at->entries->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(at->folded[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t tb_place_find_like(const struct tb_place *at, const char *name)
{
	struct buf key = BUF_INIT;
	size_t i;

	tb_fold_name(&key, name);
	i = lower_bound(at, key.data);
	if (i < at->entries->n && !strcmp(at->folded[i].key, key.data))
		i = at->folded[i].entry;
	else
		i = SIZE_MAX;
	buf_free(&key);
	return i;
}

/* Whether an entry is the companion of one that is called just so. */
static bool is_taken(const struct tb_place *at, const char *name, size_t suffix)
{
	size_t n = strlen(name);
	char *stem = mem_strndup(name, n > suffix ? n - suffix : 0);
	bool taken = tb_place_find(at, stem) != SIZE_MAX;

	free(stem);
	return taken;
}

size_t tb_place_companion(const struct tb_place *at, const char *leaf,
			  const char *suffix, char kind)
{
	const struct walk_entry *entries = at->entries->entries;
	char *want = tb_path_joined("", leaf, suffix);
	size_t found = tb_place_find(at, want);
	struct buf key = BUF_INIT;

	if (found != SIZE_MAX && entries[found].kind == kind)
		goto out;
	found = SIZE_MAX;
	tb_fold_name(&key, want);
	for (size_t i = lower_bound(at, key.data);
	     i < at->entries->n && !strcmp(at->folded[i].key, key.data); i++) {
		const struct walk_entry *entry = &entries[at->folded[i].entry];

		if (entry->kind == kind &&
		    !is_taken(at, entry->name, strlen(suffix))) {
			found = at->folded[i].entry;
			break;
		}
	}
out:
	buf_free(&key);
	free(want);
	return found;
}

char *tb_place_summary(const struct tb_place *at, const char *leaf)
{
	size_t msf = tb_place_companion(at, leaf, ".msf", 'f');

	if (msf == SIZE_MAX)
		return NULL;
	return tb_path_joined(at->dir, at->entries->entries[msf].name, "");
}

void tb_place_tell(const struct tb_place *at, const char *name,
		   const char *what)
{
	char *rel = tb_path_joined(at->dir, name, "");

	remark_add(at->r, "%s: %s", rel, what);
	free(rel);
}
