/* SPDX-License-Identifier: GPL-3.0-or-later */
/* folderCache.json, panacea.dat, virtualFolders.dat, folderTree.json, rules,
   popstate.dat and the settings: read for what they say about mail. */
#include "importers/thunderbird_memory.h"

#include <stdlib.h>
#include <string.h>

#include "importers/thunderbird_paths.h"

enum {
	/* folderCache.json takes 1 kB a folder, popstate.dat 90 bytes a message;
	   as JSON a hostile one takes ten times its size. */
	FILE_MAX = 32 << 20,
};

static bool slurp(struct walk *w, const char *dir, const char *name,
		  struct buf *out, struct remarks *r)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	bool there;

	buf_reset(out);
	tb_path_join(&path, dir, name);
	there = walk_stat(w, path.data, &st) == 0;
	if (there && walk_slurp(w, path.data, FILE_MAX, out, &e) < 0) {
		remark_add(r, "%s", e.text);
		there = false;
	}
	buf_free(&path);
	return there;
}

struct tb_names *tb_memory_names(struct walk *w, const struct tb_profile *p,
				 struct remarks *r)
{
	static const char *const files[] = { "virtualFolders.dat",
					     "folderTree.json" };
	struct tb_names *names = tb_names_new();
	struct buf text = BUF_INIT;
	bool cached = false;

	if (slurp(w, p->dir, "folderCache.json", &text, r)) {
		cached = tb_names_add_cache(names, text.data, text.len);
		if (!cached)
			remark_add(r,
				   "folderCache.json is damaged and not used");
	}
	/* Beside the other it is left over from before version 93. */
	if (slurp(w, p->dir, "panacea.dat", &text, r) &&
	    !tb_names_add_panacea(names, text.data, text.len, cached))
		remark_add(r, "panacea.dat is damaged and not used");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (slurp(w, p->dir, files[i], &text, r))
			tb_names_add_uris(names, text.data, text.len);
	for (size_t i = 0; i < p->n; i++)
		if (slurp(w, p->accounts[i].dir, "msgFilterRules.dat", &text,
			  r))
			tb_names_add_uris(names, text.data, text.len);
	for (size_t i = 0; i < tb_prefs_count(p->prefs); i++) {
		const char *value = tb_prefs_value(p->prefs, i);

		tb_names_add_uris(names, value, strlen(value));
	}
	buf_free(&text);
	return names;
}

/* What is still on a POP server nobody sees in a folder, and mail of which only
   the beginning was fetched looks whole at a glance. */
static void tell_servers(const char *account, const struct tb_popstate *state,
			 struct remarks *r)
{
	for (size_t i = 0; i < tb_popstate_servers(state); i++) {
		struct tb_pop_server s = tb_popstate_server(state, i);

		if (!s.left)
			continue;
		remark_add(r,
			   "account %s: when Thunderbird last looked, %zu "
			   "messages were still on the server %s (as %s)",
			   account, s.left, s.host, s.user);
		if (s.partial)
			remark_add(
				r,
				"account %s: of %zu messages on the server "
				"%s only the beginning was downloaded; fetch "
				"them there",
				account, s.partial, s.host);
	}
}

struct tb_popstate **tb_memory_popstates(struct walk *w,
					 const struct tb_profile *p,
					 struct remarks *r)
{
	struct tb_popstate **states = mem_zalloc((p->n + 1) * sizeof(*states));
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < p->n; i++) {
		if (p->accounts[i].remote ||
		    !slurp(w, p->accounts[i].dir, "popstate.dat", &text, r))
			continue;
		states[i] = tb_popstate_parse(text.data, text.len);
		tell_servers(p->accounts[i].name, states[i], r);
	}
	buf_free(&text);
	return states;
}

/* "$label1" and the like travel as keywords; what a person called them does
 * not. */
void tb_memory_tell_tags(const struct tb_profile *p, struct remarks *r)
{
	static const char prefix[] = "mailnews.tags.", suffix[] = ".tag";
	const struct tb_prefs *prefs = p->prefs;

	for (size_t i = 0; i < tb_prefs_count(prefs); i++) {
		const char *key = tb_prefs_key(prefs, i);
		size_t n = strlen(key);

		if (n <= sizeof(prefix) - 1 + sizeof(suffix) - 1 ||
		    strncmp(key, prefix, sizeof(prefix) - 1) ||
		    strcmp(key + n - (sizeof(suffix) - 1), suffix))
			continue;
		remark_add(r, "tag %.*s is called '%s'",
			   (int)(n - (sizeof(prefix) - 1) -
				 (sizeof(suffix) - 1)),
			   key + sizeof(prefix) - 1, tb_prefs_value(prefs, i));
	}
}
