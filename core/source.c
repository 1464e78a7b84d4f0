/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds what can read a source. */
#include "core/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/discover.h"

static void list_formats(struct buf *out)
{
	for (size_t i = 0; importer_registry[i]; i++)
		buf_addf(out, "%s%s", i ? ", " : "",
			 importer_registry[i]->name);
}

/* The path behind FORMAT:, with *format_r set; text itself when there is none.
 */
static const char *take_format(const char *text,
			       const struct importer_ops **format_r,
			       struct err *e)
{
	const char *p = text;
	struct buf formats = BUF_INIT;
	char *name;

	*format_r = NULL;
	while (isalnum((unsigned char)*p))
		p++;
	if (*p != ':' || p == text)
		return text;
	name = mem_strndup(text, (size_t)(p - text));
	*format_r = importer_by_name(name);
	if (!*format_r) {
		list_formats(&formats);
		err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			"%s: unknown format; known are %s (a path that begins "
			"so is given as ./%s:...)",
			name, formats.data, name);
		buf_free(&formats);
	}
	free(name);
	return *format_r ? p + 1 : NULL;
}

static int unknown_store(const char *path, const char *real,
			 const struct found_notes *notes, struct err *e)
{
	struct buf formats = BUF_INIT;

	if (access(real, R_OK) < 0)
		return err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER, "%s: %s",
			       path, strerror(errno));
	list_formats(&formats);
	err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER,
		"%s: no mail store that is known (%s) %s; FORMAT:PATH names "
		"one",
		path, formats.data,
		notes->unreadable ? "in what could be read" : "here or below");
	buf_free(&formats);
	return -1;
}

static void add_named(struct sources *l, const struct importer_ops *format,
		      char *path)
{
	l->list = mem_realloc(l->list, (l->n + 1) * sizeof(*l->list));
	l->list[l->n++] = (struct source){ .format = format, .path = path };
}

int source_find(const char *text, struct sources *l, struct err *e)
{
	const struct importer_ops *format;
	const char *path = take_format(text, &format, e);
	struct found_notes notes;
	size_t before = l->n;
	char *real;
	int ret;

	if (!path)
		return -1;
	real = realpath(path, NULL);
	if (!real)
		return err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER, "%s: %s",
			       path, strerror(errno));
	if (format) {
		add_named(l, format, real);
		return 0;
	}
	ret = source_discover(real, l, &notes, e);
	if (ret == 0 && l->n == before)
		ret = unknown_store(path, real, &notes, e);
	free(real);
	return ret;
}

void source_free(struct source *s)
{
	for (size_t i = 0; s->except && s->except[i]; i++)
		free(s->except[i]);
	free(s->except);
	free(s->path);
	*s = (struct source){ .format = NULL };
}

void sources_free(struct sources *l)
{
	for (size_t i = 0; i < l->n; i++)
		source_free(&l->list[i]);
	free(l->list);
	*l = (struct sources){ .list = NULL };
}

int source_open(const struct source *s, const struct importer_options *opt,
		struct importer **imp_r, struct err *e)
{
	return s->format->open(s->path, opt, imp_r, e);
}
