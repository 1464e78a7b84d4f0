/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines about a source. */
#include "importers/remarks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/utf8.h"

void remarks_free(struct remarks *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->lines[i]);
	free(r->lines);
	buf_free(&r->last);
	*r = (struct remarks){ .last = BUF_INIT };
}

void remark_add(struct remarks *r, const char *fmt, ...)
{
	struct buf line = BUF_INIT;
	char *text = NULL;
	va_list ap;
	int n;

	if (r->n == REMARKS_MAX) {
		r->more++;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	utf8_add_guessed(&line, text, (size_t)n);
	free(text);
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.data[i] < ' ' || line.data[i] == 0x7F)
			line.data[i] = '?';
	if (r->n == r->cap) {
		r->cap = r->cap * 2 + 16;
		r->lines = mem_realloc(r->lines, r->cap * sizeof(*r->lines));
	}
	r->lines[r->n++] = buf_detach(&line);
}

const char *remark_nth(struct remarks *r, size_t nth)
{
	if (nth < r->n)
		return r->lines[nth];
	if (nth > r->n || !r->more)
		return NULL;
	buf_reset(&r->last);
	buf_addf(&r->last, "... and %zu more such lines", r->more);
	return r->last.data;
}
