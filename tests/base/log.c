/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/log.h"
#include "core/base/buf.h"

#include "tests/lib/check.h"

static struct buf seen = BUF_INIT;
static unsigned lines;

static void see(void *ctx, enum log_level level, const char *line)
{
	CHECK(ctx == &lines);
	CHECK(level >= LOG_DETAIL);
	buf_set_str(&seen, line);
	lines++;
}

static const char *logged(const char *text)
{
	buf_reset(&seen);
	log_line(LOG_INFO, "%s", text);
	return seen.data;
}

static void test_levels(void)
{
	CHECK(!log_wants(LOG_WARNING));
	log_line(LOG_WARNING, "nobody listens");
	CHECK(lines == 0);
	log_to(see, &lines, LOG_DETAIL);
	CHECK(!log_wants(LOG_TRACE) && log_wants(LOG_DETAIL));
	log_line(LOG_TRACE, "not wanted");
	CHECK(lines == 0);
	log_line(LOG_WARNING, "%d %s", 1, "two");
	CHECK(lines == 1);
	CHECK_STR(seen.data, "1 two");
}

static void test_escapes(void)
{
	CHECK_STR(logged("a\r\nb\x1B[0m\x7F\t"),
		  "a\\x0d\\x0ab\\x1b[0m\\x7f\\x09");
	CHECK_STR(logged("受信トレイ"), "受信トレイ");
	CHECK_STR(logged(""), "");
}

static const struct {
	const char *what, *in, *want;
} secrets[] = {
	{ "in the clear", "LOGIN joe hunter2!", "LOGIN joe [secret]" },
	{ "twice", "hunter2!hunter2!", "[secret][secret]" },
	{ "as base64", "PASS aHVudGVyMiE=", "PASS [secret]E=" },
	{ "without its last character", "hunter2", "hunter2" },
	{ "the other secret", "x abc y", "x [secret] y" },
	{ "both", "abc/hunter2!", "[secret]/[secret]" },
};

static void test_secrets(void)
{
	log_hide("hunter2!", 8);
	log_hide("abc", 3);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		logged(secrets[i].in);
		CHECK_CASE(secrets[i].what,
			   !strcmp(seen.data, secrets[i].want));
		if (strcmp(seen.data, secrets[i].want))
			printf("  got %s\n", seen.data);
	}
	/* A secret with control characters is found before they are escaped. */
	log_hide("a\tb-long", 8);
	CHECK_STR(logged("<a\tb-long>"), "<[secret]>");
	log_show("a\tb-long", 8);

	/* Nested: hidden twice, shown once, still hidden. */
	log_hide("abc", 3);
	log_show("abc", 3);
	CHECK_STR(logged("abc"), "[secret]");
	log_show("abc", 3);
	CHECK_STR(logged("abc"), "abc");
	log_show("abc", 3); /* once too often does no harm */
	log_show("hunter2!", 8);
	CHECK_STR(logged("hunter2!"), "hunter2!");
	log_hide("", 0);
	CHECK_STR(logged("x"), "x");
}

/* A secret that is part of the mark must not be looked for in the mark. */
static void test_awkward_secrets(void)
{
	log_hide("secret", 6);
	CHECK_STR(logged("my secret!"), "my [secret]!");
	log_show("secret", 6);
	log_hide("e", 1);
	log_hide("[", 1);
	CHECK_STR(logged("<me>["), "<m[secret]>[secret]");
	log_show("e", 1);
	log_show("[", 1);
}

/* One for each of many connections, given back in another order. */
static void test_many(void)
{
	char word[32];

	for (int i = 10; i < 90; i++) {
		snprintf(word, sizeof(word), "pass-%d", i);
		log_hide(word, strlen(word));
	}
	CHECK_STR(logged("pass-10 pass-55 pass-89 pass-90"),
		  "[secret] [secret] [secret] pass-90");
	for (int i = 10; i < 90; i++) {
		snprintf(word, sizeof(word), "pass-%d", i);
		log_show(word, strlen(word));
	}
	CHECK_STR(logged("pass-10 pass-89"), "pass-10 pass-89");
}

int main(void)
{
	test_levels();
	test_escapes();
	test_secrets();
	test_awkward_secrets();
	test_many();
	log_to(NULL, NULL, LOG_INFO);
	buf_free(&seen);
	return check_done();
}
