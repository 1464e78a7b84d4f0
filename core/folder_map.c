/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maps folders of sources to folders of the target. */
#include "core/folder_map.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/utf8.h"

struct rule {
	char *src, *dst; /* NFC, '/' between parts */
};

struct folder_map {
	struct rule *rules;
	size_t n_rules;
	char *under, *root;
	char **includes, **excludes;
	size_t n_includes, n_excludes;
};

struct folder_map *folder_map_new(void)
{
	return mem_zalloc(sizeof(struct folder_map));
}

static void free_strings(char **s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i]);
	free(s);
}

void folder_map_free(struct folder_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_rules; i++) {
		free(m->rules[i].src);
		free(m->rules[i].dst);
	}
	free(m->rules);
	free(m->under);
	free(m->root);
	free_strings(m->includes, m->n_includes);
	free_strings(m->excludes, m->n_excludes);
	free(m);
}

static char *nfc(const char *s, size_t n)
{
	struct buf out = BUF_INIT;

	utf8_add_nfc(&out, s, n);
	while (out.len && out.data[out.len - 1] == '/')
		buf_cut(&out, out.len - 1);
	return buf_detach(&out);
}

int folder_map_add(struct folder_map *m, const char *src_dst, struct err *e)
{
	const char *equals = strchr(src_dst, '=');

	if (!equals || equals == src_dst)
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "--map %s: it is SRC=DST, as in "
			       "\"Inbox/2019=Archive/2019\"",
			       src_dst);
	m->rules = mem_realloc(m->rules, (m->n_rules + 1) * sizeof(*m->rules));
	m->rules[m->n_rules++] = (struct rule){
		.src = nfc(src_dst, (size_t)(equals - src_dst)),
		.dst = nfc(equals + 1, strlen(equals + 1)),
	};
	return 0;
}

void folder_map_under(struct folder_map *m, const char *folder)
{
	free(m->under);
	m->under = nfc(folder, strlen(folder));
}

void folder_map_root(struct folder_map *m, const char *folder)
{
	free(m->root);
	m->root = folder ? nfc(folder, strlen(folder)) : NULL;
}

static void add_glob(char ***globs, size_t *n, const char *glob)
{
	*globs = mem_realloc(*globs, (*n + 1) * sizeof(**globs));
	(*globs)[(*n)++] = nfc(glob, strlen(glob));
}

void folder_map_include(struct folder_map *m, const char *glob)
{
	add_glob(&m->includes, &m->n_includes, glob);
}

void folder_map_exclude(struct folder_map *m, const char *glob)
{
	add_glob(&m->excludes, &m->n_excludes, glob);
}

/* A glob for a folder stands for what is below it, too. */
static bool matches(char *const *globs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(globs[i], name, FNM_LEADING_DIR))
			return true;
	return false;
}

static bool left_out(const struct folder_map *m, const char *name)
{
	return matches(m->excludes, m->n_excludes, name) ||
	       (m->n_includes && !matches(m->includes, m->n_includes, name));
}

void mapped_folder_init(struct mapped_folder *f)
{
	*f = (struct mapped_folder){ .key = BUF_INIT, .shown = BUF_INIT };
}

static void free_path(char **path)
{
	for (size_t i = 0; path && path[i]; i++)
		free(path[i]);
	free(path);
}

void mapped_folder_free(struct mapped_folder *f)
{
	free_path(f->path);
	buf_free(&f->key);
	buf_free(&f->shown);
	mapped_folder_init(f);
}

struct parts {
	char **at;
	size_t n;
};

static void add_part(struct parts *p, const char *s, size_t n)
{
	if (!n)
		return;
	p->at = mem_realloc(p->at, (p->n + 2) * sizeof(*p->at));
	p->at[p->n++] = mem_strndup(s, n);
	p->at[p->n] = NULL;
}

static void add_joined(struct parts *p, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "/");

		add_part(p, s, n);
		s += n + (s[n] == '/');
	}
}

/* The inbox has any case (RFC 9051 section 5.1): a Maildir's is INBOX,
   Thunderbird's is Inbox, and people type either. */
static bool same_start(const char *src, const char *part, size_t n, bool top)
{
	return !strncmp(src, part, n) || (top && !strcasecmp(part, "INBOX") &&
					  !strncasecmp(src, part, n));
}

/* How many leading parts of path spell src; 0 if src is no parent of it. Parts
   may hold '/' themselves (a folder called "a/b"), so the match must end at a
   part's end. */
static size_t covered(const char *src, const char *const *path)
{
	size_t i;

	for (i = 0; path[i]; i++) {
		size_t n = strlen(path[i]);

		if (!same_start(src, path[i], n, i == 0))
			return 0;
		src += n;
		if (!*src)
			return i + 1;
		if (*src++ != '/')
			return 0;
	}
	return 0;
}

static const struct rule *find_rule(const struct folder_map *m,
				    const char *const *path, size_t *covered_r)
{
	const struct rule *best = NULL;

	*covered_r = 0;
	for (size_t i = 0; i < m->n_rules; i++) {
		size_t n = covered(m->rules[i].src, path);

		if (n && n >= *covered_r) {
			best = &m->rules[i];
			*covered_r = n;
		}
	}
	return best;
}

/* Uses that servers have a folder for. */
static bool has_place(enum folder_use use)
{
	switch (use) {
	case USE_INBOX:
	case USE_SENT:
	case USE_DRAFTS:
	case USE_TRASH:
	case USE_JUNK:
	case USE_ARCHIVE:
		return true;
	default:
		return false;
	}
}

static void make_key(const struct folder_map *m, struct mapped_folder *f)
{
	if (m->root && *m->root)
		buf_addf(&f->key, "\x1D%s\x1F", m->root);
	for (size_t i = 0; f->path[i]; i++) {
		enum folder_use use = USE_NONE;

		if (i == 0)
			use = f->path[1] ? folder_use_by_name(f->path[0])
					 : f->use;
		if (i)
			buf_add_char(&f->key, '\x1F');
		if (has_place(use))
			buf_addf(&f->key, "\x1E%s", folder_use_name(use));
		else
			buf_add_str(&f->key, f->path[i]);
		buf_addf(&f->shown, "%s%s", i ? "/" : "", f->path[i]);
	}
}

bool folder_map_apply(const struct folder_map *m, const char *const *path,
		      enum folder_use use, struct mapped_folder *f_r)
{
	struct parts parts = { .at = NULL };
	struct buf name = BUF_INIT;
	const struct rule *rule;
	size_t skip;
	bool out;

	for (size_t i = 0; path[i]; i++)
		buf_addf(&name, "%s%s", i ? "/" : "", path[i]);
	out = left_out(m, name.data);
	buf_free(&name);
	if (out)
		return false;
	if (m->under)
		add_joined(&parts, m->under);
	rule = find_rule(m, path, &skip);
	if (rule)
		add_joined(&parts, rule->dst);
	for (size_t i = skip; path[i]; i++)
		add_part(&parts, path[i], strlen(path[i]));
	if (!parts.n)
		add_part(&parts, "INBOX", 5);
	f_r->path = parts.at;
	f_r->use = USE_NONE;
	if (!m->under && parts.n == 1)
		f_r->use = rule || use == USE_NONE
				   ? folder_use_by_name(parts.at[0])
				   : use;
	make_key(m, f_r);
	return true;
}
