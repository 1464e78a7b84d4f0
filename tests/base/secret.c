/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/secret.h"
#include "core/base/buf.h"
#include "core/base/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"

static const struct {
	const char *what, *bytes;
	size_t n;
	int want;
} sets[] = {
	{ "a password", "hunter2", 7, 0 },
	{ "blanks and 8-bit bytes are its own business", " p\xC3\xA4ss ", 7,
	  0 },
	{ "empty", "", 0, -1 },
	{ "LF", "a\nb", 3, -1 },
	{ "CR", "a\rb", 3, -1 },
	{ "NUL", "a\0b", 3, -1 },
};

static void test_set(void)
{
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	char *large = mem_alloc(65537);

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int got = secret_set(&s, sets[i].bytes, sets[i].n, &e);

		CHECK_CASE(sets[i].what, got == sets[i].want);
		if (got == 0)
			CHECK_CASE(sets[i].what,
				   s.len == sets[i].n &&
					   !strcmp(s.bytes, sets[i].bytes));
		secret_wipe(&s);
		CHECK(!s.bytes && !s.len);
	}
	memset(large, 'a', 65537);
	CHECK(secret_set(&s, large, 65536, &e) == 0);
	CHECK(secret_set(&s, large, 65537, &e) == -1);
	CHECK(e.scope == ERR_ACCOUNT && !strstr(e.text, "aaa"));
	secret_wipe(&s);
	secret_wipe(&s);
	free(large);
}

static struct buf seen = BUF_INIT;

static void see(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	buf_set_str(&seen, line);
}

/* While it is alive, and only then, and the old one no more after a new one. */
static void test_log(void)
{
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;

	log_to(see, NULL, LOG_TRACE);
	secret_set(&s, "hunter2", 7, &e);
	log_line(LOG_TRACE, "hunter2 correct horse");
	CHECK_STR(seen.data, "[secret] correct horse");
	secret_set(&s, "correct horse", 13, &e);
	log_line(LOG_TRACE, "hunter2 correct horse");
	CHECK_STR(seen.data, "hunter2 [secret]");
	secret_wipe(&s);
	log_line(LOG_TRACE, "hunter2 correct horse");
	CHECK_STR(seen.data, "hunter2 correct horse");
	log_to(NULL, NULL, LOG_INFO);
	buf_free(&seen);
}

static const struct {
	const char *what, *content;
	mode_t mode;
	const char *want; /* NULL: refused */
} files[] = {
	{ "one line", "hunter2\n", 0600, "hunter2" },
	{ "no line end", "hunter2", 0600, "hunter2" },
	{ "CRLF", "hunter2\r\nmore\r\n", 0600, "hunter2" },
	{ "the first line only", "a b\nc\n", 0400, "a b" },
	{ "nothing in it", "", 0600, NULL },
	{ "an empty first line", "\nhunter2\n", 0600, NULL },
	{ "the group may read it", "hunter2\n", 0640, NULL },
	{ "others may read it", "hunter2\n", 0604, NULL },
};

static void test_files(void)
{
	char path[] = "/tmp/mailhaul-secret-XXXXXX";
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t n = strlen(files[i].content);

		CHECK(ftruncate(fd, 0) == 0);
		CHECK(pwrite(fd, files[i].content, n, 0) == (ssize_t)n);
		CHECK(fchmod(fd, files[i].mode) == 0);
		err_clear(&e);
		secret_from_file(&s, path, &e);
		CHECK_CASE(files[i].what, !s.bytes == !files[i].want);
		CHECK_CASE(files[i].what, !s.bytes == !!e.text[0]);
		if (s.bytes && files[i].want)
			CHECK_STR(s.bytes, files[i].want);
		CHECK_CASE(files[i].what, !strstr(e.text, "hunter2"));
		secret_wipe(&s);
	}
	close(fd);
	unlink(path);
	CHECK(secret_from_file(&s, path, &e) == -1);
	CHECK(e.kind == ERR_CONFIG && strstr(e.text, path));
	CHECK(secret_from_file(&s, "/", &e) == -1);
	CHECK(e.kind == ERR_CONFIG);
}

static const struct {
	const char *what, *command, *want; /* NULL: refused */
} commands[] = {
	{ "prints it", "echo hunter2", "hunter2" },
	{ "without a line end", "printf hunter2", "hunter2" },
	{ "in pieces", "printf hun; printf 'ter2\\nmore\\n'", "hunter2" },
	{ "the exit status counts", "echo hunter2; exit 3", NULL },
	{ "a signal, too", "echo hunter2; kill -9 $$", NULL },
	{ "nothing printed", "true", NULL },
	{ "no such command", "exec /no/such/command 2>/dev/null", NULL },
	{ "the variable is not handed on",
	  "echo \"${MAILHAUL_PASSWORD-unset}\"", "unset" },
	{ "without end", "exec yes 2>/dev/null | tr -d '\\n'", NULL },
};

static void test_commands(void)
{
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;

	setenv("MAILHAUL_PASSWORD", "leak", 1);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int got;

		err_clear(&e);
		got = secret_from_command(&s, commands[i].command, &e);
		CHECK_CASE(commands[i].what, !s.bytes == !commands[i].want);
		CHECK_CASE(commands[i].what,
			   got == (commands[i].want ? 0 : -1));
		if (s.bytes && commands[i].want)
			CHECK_STR(s.bytes, commands[i].want);
		CHECK_CASE(commands[i].what, !strstr(e.text, "hunter2"));
		secret_wipe(&s);
	}
	unsetenv("MAILHAUL_PASSWORD");
}

int main(void)
{
	test_set();
	test_log();
	test_files();
	test_commands();
	return check_done();
}
