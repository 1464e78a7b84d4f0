/* SPDX-License-Identifier: GPL-3.0-or-later */
/* popstate.dat of several versions. */
#include "importers/thunderbird_popstate.h"

#include "core/base/buf.h"
#include "tests/lib/check.h"

#define HEAD "# POP3 State File\n# This is a generated file!  Do not edit.\n\n"

static const struct {
	const char *what, *text;
	const char *servers; /* "user@host left/partial" each */
	const char *partial; /* ids that are, and ... */
	const char *whole;   /* ... one that is not */
} cases[] = {
	{ "of today", HEAD "*pop.x me@x\nk a1 1795493699\nb a2 1795493699\n",
	  "me@x@pop.x 2/1", "a2", "a1" },
	{ "of Windows", "# POP3 State File\r\n\r\n*pop.x me\r\nf a1 1\r\nd a2 1\r\n",
	  "me@pop.x 1/1", "a1", "a2" },
	{ "without times, of several accounts",
	  HEAD "*old.x you\nk a1\nb a2\n*pop.x me\nk a2\n",
	  "you@old.x 2/1 me@pop.x 1/0", "a2", "a1" },
	{ "the last line about a message stands",
	  HEAD "*pop.x me\nb a1 1\nk a1 2\nk a2 1\nb a2 2\nd a3 1\n",
	  "me@pop.x 2/1", "a2", "a1" },
	{ "fetched since: the rest came", HEAD "*pop.x me\nb a1 1\nk a1 2\n",
	  "me@pop.x 1/0", NULL, "a1" },
	{ "states that are none, lines that are cut off",
	  HEAD "*pop.x me\nkk a1 1\nq a2 1\nb\nb \n# b a3\n a4\nb a5",
	  "me@pop.x 1/1", "a5", "a3" },
	{ "messages of no server", HEAD "k a1 1\nb a2 1\n", "", NULL, "a2" },
	{ "a server without a user", "*pop.x\nk a1\n", "@pop.x 1/0", NULL, "a1" },
	{ "nothing", "", "", NULL, "" },
};

int main(void)
{
	struct buf got = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].text);
		/* An exact copy, so that the sanitizer sees reads past the end. */
		char *bytes = mem_strndup(cases[i].text, n);
		struct tb_popstate *s = tb_popstate_parse(bytes, n);

		free(bytes);
		buf_reset(&got);
		for (size_t k = 0; k < tb_popstate_servers(s); k++) {
			struct tb_pop_server server = tb_popstate_server(s, k);

			buf_addf(&got, "%s%s@%s %zu/%zu", k ? " " : "",
				 server.user, server.host, server.left,
				 server.partial);
		}
		CHECK_STR(got.data, cases[i].servers);
		CHECK_CASE(cases[i].what,
			   !cases[i].partial ||
				   tb_popstate_is_partial(s, cases[i].partial));
		CHECK_CASE(cases[i].what,
			   !tb_popstate_is_partial(s, cases[i].whole));
		CHECK_CASE(cases[i].what,
			   !tb_popstate_print(s) == !cases[i].partial);
		tb_popstate_free(s);
	}
	buf_free(&got);
	return check_done();
}
