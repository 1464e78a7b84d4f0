/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profiles.ini: [ProfileN] Path= and Default=1, since 67 also [InstallHASH]
   Default=PATH; installs.ini repeats the latter as [HASH] Default=PATH
   (formats.md section 2.1). */
#include "importers/thunderbird_ini.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"

/* A program has a handful; more than this is no such file. */
enum { PROFILES_MAX = 4096 };

struct section {
	bool install, is_default;
	struct buf path;
};

static void end_section(struct tb_ini *ini, struct section *s)
{
	if (s->path.len && ini->n < PROFILES_MAX) {
		if (ini->n == ini->cap) {
			ini->cap = ini->cap * 2 + 8;
			ini->list = mem_realloc(ini->list,
						ini->cap * sizeof(*ini->list));
		}
		ini->list[ini->n++] = (struct tb_ini_profile){
			.path = mem_strdup(s->path.data),
			.rank = s->install	? TB_INI_INSTALL
				: s->is_default ? TB_INI_DEFAULT
						: TB_INI_LISTED,
		};
	}
	buf_reset(&s->path);
	s->is_default = s->install = false;
}

/* The value of line if its key is key. White space round either does not count:
   people edit these files. */
static const char *value_of(char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncasecmp(line, key, n))
		return NULL;
	line += n;
	line += strspn(line, " \t");
	if (*line != '=')
		return NULL;
	line++;
	return line + strspn(line, " \t");
}

static void read_line(struct tb_ini *ini, struct section *s, char *line,
		      bool installs)
{
	size_t n = strlen(line);
	const char *value;

	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		line[--n] = '\0';
	if (line[0] == '[') {
		end_section(ini, s);
		s->install = installs || !strncasecmp(line, "[Install", 8);
	} else if (!s->install && (value = value_of(line, "Path"))) {
		buf_set_str(&s->path, value);
	} else if ((value = value_of(line, "Default"))) {
		if (s->install)
			buf_set_str(&s->path, value);
		else
			s->is_default = !strcmp(value, "1");
	}
}

void tb_ini_parse(struct tb_ini *ini, const char *bytes, size_t n,
		  bool installs)
{
	struct section s = { .path = BUF_INIT };
	char *text, *line, *rest;

	/* Editors on Windows put a byte order mark in front. */
	if (n >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
		bytes += 3;
		n -= 3;
	}
	text = mem_strndup(bytes, n);
	for (line = strtok_r(text, "\r\n", &rest); line;
	     line = strtok_r(NULL, "\r\n", &rest))
		read_line(ini, &s, line + strspn(line, " \t"), installs);
	end_section(ini, &s);
	buf_free(&s.path);
	free(text);
}

void tb_ini_free(struct tb_ini *ini)
{
	for (size_t i = 0; i < ini->n; i++)
		free(ini->list[i].path);
	free(ini->list);
	*ini = (struct tb_ini){ 0 };
}
