/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines and literals of answers, whole and in single bytes. */
#include "storage/imap/wire.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storage/imap/stream_internal.h"
#include "tests/lib/check.h"

/* Each line is shown as "[line]", the rest of an answer behind a literal as "(line)",
   an error as "!words". */
static const struct {
	const char *what, *in, *want;
	bool idle; /* nothing is held or awaited at the end */
} cases[] = {
	{ "lines", "* 1 EXISTS\r\nA1 OK x\r\n+ go\r\n",
	  "[* 1 EXISTS][A1 OK x][+ go]", true },
	{ "LF alone ends a line too", "* OK x\n\n", "[* OK x][]", true },
	{ "half a line", "* OK x\r\n* OK", "[* OK x]", false },
	{ "a literal is passed over", "* LIST () \"/\" {5}\r\na\r\nbc x\r\nA1 OK\r\n",
	  "[* LIST () \"/\" {5}]( x)[A1 OK]", true },
	{ "two literals in one answer", "* X {2}\r\nab {0}\r\n y\r\n",
	  "[* X {2}]( {0})( y)", true },
	{ "half a literal", "* X {5}\r\nabc", "[* X {5}]", false },
	{ "a literal and nothing behind it", "* X {3}\r\nabc", "[* X {3}]", false },
	{ "braces in words for people are no literal",
	  "* OK a {5}\r\n* NO {5}\r\n* BYE {5}\r\nA1 OK {5}\r\n+ {5}\r\n",
	  "[* OK a {5}][* NO {5}][* BYE {5}][A1 OK {5}][+ {5}]", true },
	{ "braces that hold no number", "* X {}\r\n* X {a}\r\n* X {1 }\r\n* X 1}\r\n",
	  "[* X {}][* X {a}][* X {1 }][* X 1}]", true },
	{ "a literal that is too long", "* X {67108865}\r\n",
	  "!a literal that is too long", false },
	{ "a number without bounds", "* X {99999999999999999999999}\r\n",
	  "!a literal that is too long", false },
};

static void check_case(size_t i, size_t step)
{
	struct stream_options opt = { .host = "test" };
	struct buf got = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = strlen(cases[i].in);
	struct wire_line line;
	struct wire w;
	int fds[2], ret = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	wire_init(&w, stream_from_fd(fds[0], &opt));
	for (size_t at = 0; at < n && ret >= 0; at += step) {
		size_t some = step < n - at ? step : n - at;

		if (write(fds[1], cases[i].in + at, some) != (ssize_t)some)
			abort();
		while ((ret = wire_line(&w, &line, &e)) > 0)
			buf_addf(&got, line.continues ? "(%s)" : "[%s]",
				 line.text);
	}
	if (ret < 0)
		buf_addf(&got, "!%s", strstr(e.text, "a l"));
	CHECK_CASE(cases[i].what, !strcmp(got.data, cases[i].want));
	CHECK_CASE(cases[i].what, wire_is_idle(&w) == cases[i].idle || ret < 0);
	stream_free(w.stream);
	wire_free(&w);
	close(fds[1]);
	buf_free(&got);
}

static void test_bounds(void)
{
	struct buf line = BUF_INIT;
	struct wire_line got;
	struct err e = ERR_INIT;
	struct wire w;

	wire_init(&w, NULL); /* what is put there is enough */
	buf_grow(&line, WIRE_LINE_MAX + 2);
	while (line.len < WIRE_LINE_MAX)
		buf_add_char(&line, 'x');
	buf_add_char(&line, '\n');
	wire_put(&w, line.data, line.len);
	CHECK(wire_line(&w, &got, &e) == 1 && got.len == WIRE_LINE_MAX);
	CHECK(wire_is_idle(&w));
	wire_put(&w, "x", 1);
	wire_put(&w, line.data, line.len);
	CHECK(wire_line(&w, &got, &e) == -1);
	CHECK(e.kind == ERR_PROTOCOL && e.scope == ERR_ACCOUNT);
	wire_free(&w);

	wire_init(&w, NULL);
	wire_put(&w, "* OK a\0b\r\n", 10);
	CHECK(wire_line(&w, &got, &e) == -1);
	CHECK(strstr(e.text, "a NUL") != NULL);
	wire_free(&w);
	buf_free(&line);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_case(i, 1);
		check_case(i, 1000);
	}
	test_bounds();
	return check_done();
}
