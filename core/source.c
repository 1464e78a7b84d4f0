/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds what can read a source. */
#include "core/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"

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

static int unknown_store(const char *path, const char *real, struct err *e)
{
	struct buf formats = BUF_INIT;

	if (access(real, R_OK) < 0)
		return err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER, "%s: %s",
			       path, strerror(errno));
	list_formats(&formats);
	err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER,
		"%s: no mail store that is known (%s); FORMAT:PATH names one",
		path, formats.data);
	buf_free(&formats);
	return -1;
}

int source_find(const char *text,
		const char *(*known)(void *ctx, const char *path), void *ctx,
		struct source *s_r, struct err *e)
{
	const struct importer_ops *format;
	const char *path = take_format(text, &format, e), *name;
	char *real;

	if (!path)
		return -1;
	real = realpath(path, NULL);
	if (!real)
		return err_set(e, ERR_SOURCE, ERR_RUN, ERR_NEVER, "%s: %s",
			       path, strerror(errno));
	if (!format && known && (name = known(ctx, real)))
		format = importer_by_name(name);
	if (!format)
		format = importer_probe(real);
	if (!format) {
		unknown_store(path, real, e);
		free(real);
		return -1;
	}
	*s_r = (struct source){ .format = format, .path = real };
	return 0;
}

void source_free(struct source *s)
{
	free(s->path);
	*s = (struct source){ .format = NULL };
}

int source_open(const struct source *s, const struct importer_options *opt,
		struct importer **imp_r, struct err *e)
{
	return s->format->open(s->path, opt, imp_r, e);
}
