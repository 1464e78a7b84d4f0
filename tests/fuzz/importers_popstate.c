/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the text: of the mail on a server no more is partial than there is, and a
   file that is followed by itself says everything twice. */
#include "importers/thunderbird_popstate.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void same_server(struct tb_pop_server a, struct tb_pop_server b)
{
	must(!strcmp(a.host, b.host) && !strcmp(a.user, b.user));
	must(a.left == b.left && a.partial == b.partial);
}

/* Every word of the text may be an id. */
static void same_messages(const struct tb_popstate *a,
			  const struct tb_popstate *b, char *text)
{
	size_t partial = 0, expected = 0;
	char *rest;

	for (char *word = strtok_r(text, " \t\r\n", &rest); word;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		bool is = tb_popstate_is_partial(a, word);

		must(is == tb_popstate_is_partial(b, word));
		partial += is;
	}
	for (size_t i = 0; i < tb_popstate_servers(a); i++)
		expected += tb_popstate_server(a, i).partial;
	must(partial >= (expected ? 1 : 0));
	must(!tb_popstate_print(a) == !expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct buf twice = BUF_INIT;
	struct tb_popstate *one, *two;
	size_t n;

	buf_addf(&twice, "%s\n*between\n%s", text, text);
	one = tb_popstate_parse(text, strlen(text));
	two = tb_popstate_parse(twice.data, twice.len);
	n = tb_popstate_servers(one);
	must(tb_popstate_servers(two) == 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		struct tb_pop_server s = tb_popstate_server(one, i);

		must(s.partial <= s.left);
		same_server(s, tb_popstate_server(two, i));
		same_server(s, tb_popstate_server(two, n + 1 + i));
	}
	/* What stands in front of the first server belongs to none, but behind
	   "*between" it does. */
	if (*text == '*')
		same_messages(one, two, text);
	tb_popstate_free(one);
	tb_popstate_free(two);
	buf_free(&twice);
	free(text);
	return 0;
}
