/* SPDX-License-Identifier: GPL-3.0-or-later */
/* popstate.dat (formats.md section 2.8; cc: Pop3Client.sys.mjs, before that
   nsPop3Protocol.cpp): comments, then "*host user" and below it a line for each
   message, "k UIDL time". Versions before 1.5 wrote no time. */
#include "importers/thunderbird_popstate.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

/* A line about a message. */
struct entry {
	char *uidl;
	uint32_t server; /* index into servers */
	uint32_t order;
	char status;
};

struct server {
	char *host, *user;
	size_t left, partial;
};

struct tb_popstate {
	char *text; /* NUL-terminated words; everything points into it */
	struct server *servers;
	size_t n_servers, cap_servers;
	struct entry *entries; /* in the end only the partial ones, by uidl */
	size_t n, cap;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line, which is cut into words. "" behind the last. */
static char *next_word(char **line)
{
	char *word;

	while (is_blank(**line))
		(*line)++;
	word = *line;
	while (**line && !is_blank(**line))
		(*line)++;
	if (**line)
		*(*line)++ = '\0';
	return word;
}

static void add_server(struct tb_popstate *s, char *line)
{
	char *host = next_word(&line), *user = next_word(&line);

	if (s->n_servers == s->cap_servers) {
		s->cap_servers = s->cap_servers * 2 + 2;
		s->servers = mem_realloc(s->servers,
					 s->cap_servers * sizeof(*s->servers));
	}
	s->servers[s->n_servers++] =
		(struct server){ .host = host, .user = user };
}

static void add_entry(struct tb_popstate *s, char *line)
{
	char *status = next_word(&line), *uidl = next_word(&line);

	if (!*uidl || !strchr("kdbf", status[0]) || status[1])
		return;
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 64;
		s->entries =
			mem_realloc(s->entries, s->cap * sizeof(*s->entries));
	}
	s->entries[s->n] = (struct entry){
		.uidl = uidl,
		.server = (uint32_t)(s->n_servers - 1),
		.order = (uint32_t)s->n,
		.status = status[0],
	};
	s->n++;
}

static void add_line(struct tb_popstate *s, char *line)
{
	if (line[0] == '*')
		add_server(s, line + 1);
	else if (line[0] && line[0] != '#' && s->n_servers)
		add_entry(s, line);
}

static int by_server(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c;

	if (x->server != y->server)
		return x->server < y->server ? -1 : 1;
	c = strcmp(x->uidl, y->uidl);
	return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

static int by_uidl(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->uidl,
		      ((const struct entry *)b)->uidl);
}

/* Of lines about the same message the last one stands. 'd' is to be deleted
   there at the next look: then the whole of it is here. 'f' is 'b' of which the
   person has asked for the rest. */
static void count(struct tb_popstate *s)
{
	size_t kept = 0;

	if (!s->n)
		return;
	qsort(s->entries, s->n, sizeof(*s->entries), by_server);
	for (size_t i = 0; i < s->n; i++) {
		const struct entry *x = &s->entries[i];
		struct server *server = &s->servers[x->server];

		if (i + 1 < s->n && x[1].server == x->server &&
		    !strcmp(x[1].uidl, x->uidl))
			continue;
		server->left += x->status != 'd';
		if (x->status == 'b' || x->status == 'f') {
			server->partial++;
			s->entries[kept++] = *x;
		}
	}
	s->n = kept;
	qsort(s->entries, s->n, sizeof(*s->entries), by_uidl);
}

struct tb_popstate *tb_popstate_parse(const char *bytes, size_t n)
{
	struct tb_popstate *s = mem_zalloc(sizeof(*s));
	char *line, *rest;

	s->text = mem_alloc(n + 1);
	if (n)
		memcpy(s->text, bytes, n);
	s->text[n] = '\0';
	for (line = strtok_r(s->text, "\r\n", &rest); line;
	     line = strtok_r(NULL, "\r\n", &rest))
		add_line(s, line);
	count(s);
	return s;
}

void tb_popstate_free(struct tb_popstate *s)
{
	if (!s)
		return;
	free(s->text);
	free(s->servers);
	free(s->entries);
	free(s);
}

size_t tb_popstate_servers(const struct tb_popstate *s)
{
	return s->n_servers;
}

struct tb_pop_server tb_popstate_server(const struct tb_popstate *s, size_t nth)
{
	const struct server *server = &s->servers[nth];

	return (struct tb_pop_server){
		.host = server->host,
		.user = server->user,
		.left = server->left,
		.partial = server->partial,
	};
}

bool tb_popstate_is_partial(const struct tb_popstate *s, const char *uidl)
{
	const struct entry want = { .uidl = (char *)(uintptr_t)uidl };

	return s->n &&
	       bsearch(&want, s->entries, s->n, sizeof(*s->entries), by_uidl);
}

uint64_t tb_popstate_print(const struct tb_popstate *s)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < s->n; i++)
		for (const char *p = s->entries[i].uidl;; p++) {
			h = (h ^ (unsigned char)*p) * 0x100000001b3u;
			if (!*p)
				break;
		}
	return s->n ? h : 0;
}
