/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Responses to FETCH, as servers write them and as they should not, each cut into
   pieces of every size: what comes out may not depend on how it came in. */
#include "storage/imap/internal.h"
#include "tests/lib/check.h"

#include <libetpan/libetpan.h>
#include <stdlib.h>

struct source {
	const char *bytes;
	size_t n, piece;
};

static ssize_t give(struct imap_talk *t, char *bytes, size_t n, struct err *e)
{
	struct source *s = t->ctx;

	if (n > s->piece)
		n = s->piece;
	if (n > s->n)
		n = s->n;
	if (!n)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NOW, "the end");
	memcpy(bytes, s->bytes, n);
	s->bytes += n;
	s->n -= n;
	return (ssize_t)n;
}

static void body_begin(void *ctx)
{
	buf_reset(ctx);
}

static int body_bytes(void *ctx, const char *bytes, size_t n, struct err *e)
{
	(void)e;
	buf_add(ctx, bytes, n);
	return 0;
}

enum { BROKEN = -1 };

static const struct {
	const char *what, *bytes;
	int want;
	uint32_t uid;
	int64_t size; /* -1: none told */
	const char *flags, *body; /* NULL: none */
} cases[] = {
	{ "as asked", "* 1 FETCH (UID 7 BODY[] {5}\r\nhello)\r\n", FETCH_ITEM, 7,
	  -1, NULL, "hello" },
	{ "the other way round", "* 1 FETCH (BODY[] {5}\r\nhello UID 7)\r\n",
	  FETCH_ITEM, 7, -1, NULL, "hello" },
	{ "looks like an answer inside",
	  "* 1 FETCH (BODY[] {17}\r\nF1 OK done\r\n)\r\n)\r UID 7)\r\n", FETCH_ITEM,
	  7, -1, NULL, "F1 OK done\r\n)\r\n)\r" },
	{ "an empty message", "* 1 FETCH (UID 7 BODY[] {0}\r\n)\r\n", FETCH_ITEM, 7,
	  -1, NULL, "" },
	{ "a quoted message", "* 1 FETCH (UID 7 BODY[] \"a\\\"b\\\\c\")\r\n",
	  FETCH_ITEM, 7, -1, NULL, "a\"b\\c" },
	{ "gone", "* 1 FETCH (UID 7 BODY[] NIL)\r\n", FETCH_ITEM, 7, -1, NULL,
	  NULL },
	{ "literal8", "* 1 FETCH (UID 7 BODY[] ~{2}\r\nhi)\r\n", FETCH_ITEM, 7, -1,
	  NULL, "hi" },
	{ "for find",
	  "* 23 FETCH (UID 9 RFC822.SIZE 5000000000 FLAGS (\\Seen $x \\Recent) "
	  "BODY[HEADER.FIELDS (MESSAGE-ID)] {19}\r\nMessage-ID: <a>\r\n\r\n)\r\n",
	  FETCH_ITEM, 9, 5000000000, "\\Seen $x", "Message-ID: <a>\r\n\r\n" },
	{ "names in quotes, lower case",
	  "* 1 fetch (uid 9 rfc822.size 1 body[header.fields (\"Message-ID\")] "
	  "{2}\r\n\r\n)\r\n", FETCH_ITEM, 9, 1, NULL, "\r\n" },
	{ "an origin", "* 1 FETCH (UID 7 BODY[]<0> {2}\r\nhi)\r\n", FETCH_ITEM, 7,
	  -1, NULL, "hi" },
	{ "what nobody asked for",
	  "* 1 FETCH (MODSEQ (12) UID 7 X-GM-LABELS (\"\\\\Sent\" {3}\r\na)b c) "
	  "ENVELOPE (NIL ((\"x\" NIL \"y\" \"z\")) NIL) BODY[] {2}\r\nhi)\r\n",
	  FETCH_ITEM, 7, -1, NULL, "hi" },
	{ "two bodies: the last", "* 1 FETCH (UID 7 BODY[1] {1}\r\na BODY[2] {1}\r\n"
	  "b)\r\n", FETCH_ITEM, 7, -1, NULL, "b" },
	{ "news of flags", "* 4 FETCH (FLAGS (\\Seen))\r\n", FETCH_ITEM, 0, -1,
	  "\\Seen", NULL },
	{ "no flags", "* 4 FETCH (FLAGS ())\r\n", FETCH_ITEM, 0, -1, "", NULL },
	{ "no items", "* 4 FETCH ()\r\n", FETCH_ITEM, 0, -1, NULL, NULL },
	{ "bare LF", "* 1 FETCH (UID 7 BODY[] {2}\nhi)\n", FETCH_ITEM, 7, -1, NULL,
	  "hi" },
	{ "blanks", "* 1 FETCH (  UID  7   BODY[]  {2}\r\nhi  )  \r\n", FETCH_ITEM, 7,
	  -1, NULL, "hi" },
	{ "another untagged", "* 5 EXISTS\r\n", FETCH_OTHER, 0, -1, NULL, NULL },
	{ "one with a literal", "* LIST () \"/\" {3}\r\na\r\n\r\n", FETCH_OTHER, 0,
	  -1, NULL, NULL },
	{ "text that ends like a literal", "* OK Still here {12}\r\n", FETCH_OTHER,
	  0, -1, NULL, NULL },
	{ "tagged", "F3 OK done\r\n", FETCH_TAGGED, 0, -1, NULL, NULL },
	{ "UID 0 is none", "* 1 FETCH (UID 0)\r\n", FETCH_ITEM, 0, -1, NULL, NULL },
	{ "a UID of 33 bits", "* 1 FETCH (UID 4294967296)\r\n", BROKEN, 0, -1, NULL,
	  NULL },
	{ "a UID that is none", "* 1 FETCH (UID x)\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "does not end", "* 1 FETCH (UID 7\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "ends twice", "* 1 FETCH (UID 7))\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "nothing behind BODY[", "* 1 FETCH (BODY[\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "a body that is an atom", "* 1 FETCH (BODY[] hi)\r\n", BROKEN, 0, -1, NULL,
	  NULL },
	{ "a literal in mid-line", "* 1 FETCH (BODY[] {2} hi)\r\n", BROKEN, 0, -1,
	  NULL, NULL },
	{ "a literal of 2^40 + 1", "* 1 FETCH (BODY[] {1099511627777}\r\n", BROKEN,
	  0, -1, NULL, NULL },
	{ "a literal beyond 64 bits",
	  "* 1 FETCH (BODY[] {99999999999999999999999999}\r\n", BROKEN, 0, -1, NULL,
	  NULL },
	{ "a negative literal", "* 1 FETCH (BODY[] {-1}\r\n", BROKEN, 0, -1, NULL,
	  NULL },
	{ "cut off in the literal", "* 1 FETCH (BODY[] {9}\r\nhello", BROKEN, 0, -1,
	  NULL, NULL },
	{ "a quote that does not end", "* 1 FETCH (BODY[] \"hello\r\n", BROKEN, 0,
	  -1, NULL, NULL },
	{ "a backslash at the end", "* 1 FETCH (BODY[] \"hello\\\r\n", BROKEN, 0, -1,
	  NULL, NULL },
	{ "flags that do not end", "* 1 FETCH (FLAGS (\\Seen\r\n", BROKEN, 0, -1,
	  NULL, NULL },
	{ "deep",
	  "* 1 FETCH (X ((((((((((((((((((((((((((((((((((1))))))))))))))))))))))"
	  "))))))))))))))\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "a lone +", "+ go ahead\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "one word", "hello\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "an empty line", "\r\n", BROKEN, 0, -1, NULL, NULL },
	{ "the end of the stream", "", BROKEN, 0, -1, NULL, NULL },
};

static void check_one(size_t i, size_t piece)
{
	struct source src = { cases[i].bytes, strlen(cases[i].bytes), piece };
	struct imap_talk *t = talk_new(NULL);
	struct buf line = BUF_INIT, body = BUF_INIT, text = BUF_INIT;
	struct fetch_sink sink = { body_begin, body_bytes, &body };
	struct flags flags;
	struct fetch_item item = { .flags = &flags };
	struct err e = ERR_INIT;
	int got;

	t->receive = give;
	t->ctx = &src;
	flags_init(&flags);
	got = fetch_read(t, &line, &item, &sink, &e);
	CHECK_CASE(cases[i].what, got == cases[i].want);
	if (got == FETCH_ITEM && cases[i].want == FETCH_ITEM) {
		CHECK_CASE(cases[i].what, item.has_uid == (cases[i].uid != 0));
		CHECK_CASE(cases[i].what, item.uid == cases[i].uid);
		CHECK_CASE(cases[i].what, item.has_size == (cases[i].size >= 0));
		if (item.has_size)
			CHECK_CASE(cases[i].what,
				   item.size == (uint64_t)cases[i].size);
		CHECK_CASE(cases[i].what,
			   item.has_flags == (cases[i].flags != NULL));
		flags_add_text(&text, &flags);
		CHECK_STR(text.data, cases[i].flags ? cases[i].flags : "");
		CHECK_CASE(cases[i].what, item.has_body == (cases[i].body != NULL));
		CHECK_STR(body.data, cases[i].body ? cases[i].body : "");
	}
	if (got >= 0)
		CHECK_CASE(cases[i].what, src.n == 0 && t->at == t->in.len);
	else
		CHECK_CASE(cases[i].what, e.scope == ERR_ACCOUNT && e.text[0]);
	flags_free(&flags);
	buf_free(&line);
	buf_free(&body);
	buf_free(&text);
	talk_free(t);
}

/* A line of 64 KiB is read, a longer one is not: also when it never ends. */
static void check_long_line(size_t n, int want)
{
	char *bytes = mem_alloc(n + 32);
	struct source src = { .bytes = bytes, .piece = 5000 };
	struct imap_talk *t = talk_new(NULL);
	struct buf line = BUF_INIT;
	struct fetch_item item = { .flags = NULL };
	struct err e = ERR_INIT;

	memcpy(bytes, "* OK ", 5);
	memset(bytes + 5, 'x', n);
	memcpy(bytes + n, "\r\n", 2);
	src.n = n + 2;
	t->receive = give;
	t->ctx = &src;
	CHECK(fetch_read(t, &line, &item, NULL, &e) == want);
	if (want < 0)
		CHECK(e.kind == ERR_PROTOCOL && line.cap < 2 * IMAP_LINE_MAX);
	buf_free(&line);
	talk_free(t);
	free(bytes);
}

/* A BYE before the end of the stream is what the error tells. */
static void check_bye(void)
{
	static const char said[] = "* BYE Too many connections\r\n";
	struct source src = { said, sizeof(said) - 1, 7 };
	struct imap_talk *t = talk_new(NULL);
	struct buf line = BUF_INIT;
	struct fetch_item item = { .flags = NULL };
	struct err e = ERR_INIT;

	t->receive = give;
	t->ctx = &src;
	CHECK(fetch_read(t, &line, &item, NULL, &e) == FETCH_OTHER);
	CHECK(fetch_read(t, &line, &item, NULL, &e) < 0);
	CHECK(e.kind == ERR_BUSY);
	CHECK(strstr(e.text, "Too many connections") != NULL);
	buf_free(&line);
	talk_free(t);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece < 40; piece++)
			check_one(i, piece);
		check_one(i, 100000);
	}
	check_long_line(IMAP_LINE_MAX - 10, FETCH_OTHER);
	check_long_line(IMAP_LINE_MAX + 10, BROKEN);
	check_bye();
	return check_done();
}
