/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Courier's keywords (courier-libs, maildirkeywords2.c: maildir_kwImport reads
   the list, scan_updates and read_updates what has changed since). */
#include "importers/maildir.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

enum {
	LIST_MAX = 32 << 20, /* some 400,000 messages with keywords */
	CHANGE_MAX = 64 << 10,
};

struct maildir_courier_line {
	const char *s; /* in the text: a word; or UNIQUE, and behind it ... */
	size_t n;
	size_t n_line; /* ... the numbers, up to here */
};
struct maildir_courier_change {
	const char *unique; /* in the listing */
	uint64_t age;	    /* the highest is the newest */
	const char *file;
};

void maildir_courier_init(struct maildir_courier *c)
{
	*c = (struct maildir_courier){ .text = BUF_INIT };
}

void maildir_courier_free(struct maildir_courier *c)
{
	buf_free(&c->text);
	walk_dir_free(&c->dir);
	free(c->words);
	free(c->lines);
	free(c->changes);
	maildir_courier_init(c);
}

/* The line at *at, without its end; *at moves behind it. False at the end. */
static bool next_line(const char *text, size_t n, size_t *at,
		      const char **line_r, size_t *n_r)
{
	const char *end;

	if (*at >= n)
		return false;
	*line_r = text + *at;
	end = memchr(*line_r, '\n', n - *at);
	*n_r = end ? (size_t)(end - *line_r) : n - *at;
	*at += *n_r + (end != NULL);
	return true;
}

/* By the name; where one is there twice the last one holds, so they stay in the
   order of the file. */
static int by_unique(const void *va, const void *vb)
{
	const struct maildir_courier_line *a = va, *b = vb;
	size_t n = a->n < b->n ? a->n : b->n;
	int order = memcmp(a->s, b->s, n);

	if (!order)
		order = (a->n > b->n) - (a->n < b->n);
	return order ? order : (a->s > b->s) - (a->s < b->s);
}

static void add_line(struct maildir_courier *c, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);

	if (!colon)
		return;
	c->lines[c->n_lines++] = (struct maildir_courier_line){
		.s = line,
		.n = (size_t)(colon - line),
		.n_line = n,
	};
}

void maildir_courier_parse(struct maildir_courier *c, const char *text,
			   size_t n)
{
	size_t at = 0, most = 1, len;
	const char *line;

	buf_add(&c->text, text, n);
	text = c->text.data;
	for (size_t i = 0; i < n; i++)
		most += text[i] == '\n';
	c->words = mem_alloc(most * sizeof(*c->words));
	while (next_line(text, n, &at, &line, &len) && len)
		c->words[c->n_words++] =
			(struct maildir_courier_line){ .s = line, .n = len };
	c->lines = mem_alloc((most - c->n_words) * sizeof(*c->lines));
	while (next_line(text, n, &at, &line, &len))
		add_line(c, line, len);
	qsort(c->lines, c->n_lines, sizeof(*c->lines), by_unique);
}

/* Is it ":list", or what a copy on Windows made of it? */
static bool is_list(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, "list") &&
	       maildir_separator(name, n - 4) == n - 4;
}

/* What a file in the directory says and of which message; false: nothing. */
static bool parse_change(const char *file, struct maildir_courier_change *r)
{
	uint64_t age = 0;
	const char *p = file;

	*r = (struct maildir_courier_change){ .unique = file,
					      .age = UINT64_MAX,
					      .file = file };
	if (file[0] != '.')
		return true;
	for (p++; *p >= '0' && *p <= '9'; p++) {
		if (age > UINT32_MAX)
			return false;
		age = age * 10 + (uint64_t)(*p - '0');
	}
	if (!age || p[0] != '.' || !p[1])
		return false;
	r->unique = p + 1;
	r->age = age;
	return true;
}

static int by_age(const void *va, const void *vb)
{
	const struct maildir_courier_change *a = va, *b = vb;
	int order = strcmp(a->unique, b->unique);

	return order ? order : (a->age > b->age) - (a->age < b->age);
}

static void read_list(struct maildir_courier *c, struct walk *w,
		      const char *dir, const char *file, struct remarks *r)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct err e;

	buf_addf(&path, "%s/%s", dir, file);
	if (c->text.len)
		remark_add(r, "%s: a second list of keywords, not read",
			   path.data);
	else if (walk_slurp(w, path.data, LIST_MAX, &text, &e) < 0)
		remark_add(r, "keywords are not kept: %s", e.text);
	else
		maildir_courier_parse(c, text.data, text.len);
	buf_free(&path);
	buf_free(&text);
}

void maildir_courier_read(struct maildir_courier *c, struct walk *w,
			  const char *dir, struct remarks *r)
{
	struct stat st;
	struct err e;

	maildir_courier_free(c);
	if (walk_stat(w, dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	if (walk_list(w, dir, &c->dir, &e) < 0) {
		remark_add(r, "keywords are not kept: %s", e.text);
		return;
	}
	c->changes = mem_alloc(c->dir.n * sizeof(*c->changes));
	for (size_t i = 0; i < c->dir.n; i++) {
		const struct walk_entry *entry = &c->dir.entries[i];

		if (entry->kind != 'f')
			continue;
		if (is_list(entry->name))
			read_list(c, w, dir, entry->name, r);
		else if (parse_change(entry->name, &c->changes[c->n_changes]))
			c->n_changes++;
	}
	if (c->n_changes)
		qsort(c->changes, c->n_changes, sizeof(*c->changes), by_age);
}

/* The last line of this message, or NULL. */
static const struct maildir_courier_line *
find_line(const struct maildir_courier *c, const char *unique, size_t n)
{
	size_t low = 0, high = c->n_lines;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct maildir_courier_line *line = &c->lines[mid];
		int order = memcmp(line->s, unique, line->n < n ? line->n : n);

		if (order < 0 || (!order && line->n <= n))
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || c->lines[low - 1].n != n ||
	    memcmp(c->lines[low - 1].s, unique, n) != 0)
		return NULL;
	return &c->lines[low - 1];
}

/* strcmp of a name with unique[0..n). */
static int compare(const char *name, const char *unique, size_t n)
{
	int order = strncmp(name, unique, n);

	return order ? order : name[n] != '\0';
}

/* The newest change of this message, or NULL. */
static const struct maildir_courier_change *
find_change(const struct maildir_courier *c, const char *unique, size_t n)
{
	size_t low = 0, high = c->n_changes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(c->changes[mid].unique, unique, n) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || compare(c->changes[low - 1].unique, unique, n) != 0)
		return NULL;
	return &c->changes[low - 1];
}

static void add_numbers(const struct maildir_courier *c,
			const struct maildir_courier_line *line,
			struct flags *f)
{
	for (size_t i = line->n + 1; i < line->n_line;) {
		size_t number = 0, digits = 0;

		for (;
		     i < line->n_line && line->s[i] >= '0' && line->s[i] <= '9';
		     i++, digits++)
			if (number <= c->n_words) /* no need to count on */
				number = number * 10 +
					 (size_t)(line->s[i] - '0');
		if (digits && number < c->n_words)
			flags_add_keyword(f, c->words[number].s,
					  c->words[number].n);
		i += !digits;
	}
}

static bool add_words(struct walk *w, const char *dir, const char *file,
		      struct flags *f)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct err ignored;
	const char *line;
	size_t at = 0, n;
	bool read;

	buf_addf(&path, "%s/%s", dir, file);
	read = walk_slurp(w, path.data, CHANGE_MAX, &text, &ignored) == 0;
	while (next_line(text.data, text.len, &at, &line, &n) && n)
		flags_add_keyword(f, line, n);
	buf_free(&path);
	buf_free(&text);
	return read;
}

void maildir_courier_flags(const struct maildir_courier *c, struct walk *w,
			   const char *dir, const char *unique, size_t n,
			   struct flags *f)
{
	const struct maildir_courier_change *change = find_change(c, unique, n);
	const struct maildir_courier_line *line;

	/* A change tells all there is, also that there is none any more. */
	if (change && add_words(w, dir, change->file, f))
		return;
	line = find_line(c, unique, n);
	if (line)
		add_numbers(c, line, f);
}
