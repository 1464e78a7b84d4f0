/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TARGET as people type it. */
#include "core/target_url.h"

#include "tests/lib/check.h"

static const struct {
	const char *text, *user, *host, *prefix;
	unsigned port;
	bool tls;
} good[] = {
	{ "imaps://taro@imap.example.jp", "taro", "imap.example.jp", NULL, 0,
	  true },
	{ "imaps://taro%40example.jp@imap.example.jp:1993", "taro@example.jp",
	  "imap.example.jp", NULL, 1993, true },
	{ "imaps://taro@example.jp@imap.example.jp", "taro@example.jp",
	  "imap.example.jp", NULL, 0, true },
	{ "IMAP://a%3Ab@[::1]:143/Old%20PC", "a:b", "::1", "Old PC", 143, false },
	{ "imaps://u@h/", "u", "h", NULL, 0, true },
	{ "imaps://u@h/%E5%8F%97/x", "u", "h", "受/x", 0, true },
};

static const struct {
	const char *what, *text;
} bad[] = {
	{ "no scheme", "imap.example.jp" },
	{ "another scheme", "pop3://u@h" },
	{ "no user", "imaps://imap.example.jp" },
	{ "empty user", "imaps://@h" },
	{ "a password", "imaps://taro:SECRET@h" },
	{ "no host", "imaps://u@" },
	{ "no host, but a port", "imaps://u@:993" },
	{ "port 0", "imaps://u@h:0" },
	{ "port too large", "imaps://u@h:65536" },
	{ "port of letters", "imaps://u@h:imaps" },
	{ "open bracket", "imaps://u@[::1" },
	{ "behind the bracket", "imaps://u@[::1]x" },
	{ "half a percent code", "imaps://u%4@h" },
	{ "no hex", "imaps://u%zz@h" },
	{ "a line end in the user", "imaps://u%0D%0A@h" },
	{ "a NUL in the user", "imaps://u%00@h" },
	{ "no UTF-8", "imaps://u%FF@h" },
	{ "a blank in the host", "imaps://u@h h" },
	{ "a line end in the folder", "imaps://u@h/a%0Ab" },
};

int main(void)
{
	struct err e = ERR_INIT;
	struct target_url u;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int ret = target_url_parse(good[i].text, &u, &e);

		CHECK_CASE(good[i].text, ret == 0);
		if (ret < 0)
			continue;
		CHECK_STR(u.user, good[i].user);
		CHECK_STR(u.host, good[i].host);
		CHECK_STR(u.prefix ? u.prefix : "-",
			  good[i].prefix ? good[i].prefix : "-");
		CHECK(u.port == good[i].port);
		CHECK(u.tls == good[i].tls);
		target_url_free(&u);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		CHECK_CASE(bad[i].what,
			   target_url_parse(bad[i].text, &u, &e) < 0);
		CHECK_CASE(bad[i].what, e.kind == ERR_USAGE && *e.text);
		CHECK_CASE("what may hold a password is not repeated",
			   !strstr(e.text, "SECRET"));
	}
	return check_done();
}
