/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The append pipeline's commands and the lists they stand in. */
#include "storage/imap/append_internal.h"

#include <assert.h>
#include <stdlib.h>

void append_list_init(struct append_list *l)
{
	*l = (struct append_list){ .first = NULL };
	l->last = &l->first;
}

void append_list_push(struct append_list *l, struct append_command *c)
{
	c->next = NULL;
	*l->last = c;
	l->last = &c->next;
	l->n++;
	l->bytes += c->bytes;
}

void append_list_push_front(struct append_list *l, struct append_command *c)
{
	c->next = l->first;
	if (!l->first)
		l->last = &c->next;
	l->first = c;
	l->n++;
	l->bytes += c->bytes;
}

void append_list_unlink(struct append_list *l, struct append_command *c)
{
	struct append_command **at = &l->first;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (!c->next)
		l->last = at;
	l->n--;
	l->bytes -= c->bytes;
}

struct append_command *append_command_new(struct append_open *open,
					  size_t first, size_t end)
{
	struct append_command *c = mem_zalloc(sizeof(*c));

	*c = (struct append_command){ .open = open,
				      .first = first,
				      .end = end };
	for (size_t i = first; i < end; i++)
		if (open->batch->items[i].result == APPEND_WAITING)
			c->bytes += open->batch->items[i].size;
	return c;
}

void append_command_free(struct append_command *c)
{
	free(c->refusal);
	free(c);
}

size_t append_command_next(const struct append_command *c, size_t i)
{
	while (i < c->end && c->open->batch->items[i].result != APPEND_WAITING)
		i++;
	return i;
}

size_t append_command_count(const struct append_command *c)
{
	size_t n = 0;

	for (size_t i = append_command_next(c, c->first); i < c->end;
	     i = append_command_next(c, i + 1))
		n++;
	return n;
}

void append_settle(struct append_open *open, size_t i,
		   enum append_result result)
{
	assert(open->batch->items[i].result == APPEND_WAITING);
	open->batch->items[i].result = result;
	open->waiting--;
}

void append_settle_all(struct append_command *c, enum append_result result)
{
	for (size_t i = append_command_next(c, c->first); i < c->end;
	     i = append_command_next(c, i + 1))
		append_settle(c->open, i, result);
}
