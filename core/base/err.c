/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What people read is one line: nothing a server or a file name holds may move
   their cursor or start a line of its own. */
static void make_one_line(char *text, size_t room, int wanted)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			text[i] = '?';
	if (wanted < 0 || (size_t)wanted < room)
		return;
	/* Cut: not in the middle of a UTF-8 character. */
	len = room - 4;
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	memcpy(text + len, "...", 4);
}

int err_set(struct err *e, enum err_kind kind, enum err_scope scope,
	    enum err_retry retry, const char *fmt, ...)
{
	char text[sizeof(e->text)]; /* an argument may point into e itself */
	va_list ap;
	int wanted;

	va_start(ap, fmt);
	wanted = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_one_line(text, sizeof(text), wanted);
	*e = (struct err){ .kind = kind, .scope = scope, .retry = retry };
	memcpy(e->text, text, sizeof(text));
	return -1;
}

int err_in(struct err *e, const char *fmt, ...)
{
	char context[sizeof(e->text)], text[sizeof(e->text) * 2 + 2];
	va_list ap;
	int wanted;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	wanted = snprintf(text, sizeof(text), "%s: %s", context, e->text);
	text[sizeof(e->text) - 1] = '\0';
	make_one_line(text, sizeof(e->text), wanted);
	memcpy(e->text, text, sizeof(e->text));
	return -1;
}

int err_widen(struct err *e, enum err_scope scope)
{
	if (e->scope < scope)
		e->scope = scope;
	return -1;
}

void err_clear(struct err *e)
{
	*e = (struct err){ .kind = ERR_OTHER };
}
