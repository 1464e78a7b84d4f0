/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a server answers to FETCH: it is read to an end, in bounded memory, and in
   pieces of one byte it is the same as in one piece. */
#include "storage/imap/internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct source {
	const uint8_t *bytes;
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
	buf_add_str(ctx, "<begin>");
}

static int body_bytes(void *ctx, const char *bytes, size_t n, struct err *e)
{
	(void)e;
	if (!n)
		abort();
	buf_add(ctx, bytes, n);
	return 0;
}

/* Everything that was understood, as text. */
static void read_all(const uint8_t *data, size_t n, size_t piece, struct buf *out)
{
	struct source src = { data, n, piece };
	struct imap_talk *t = talk_new(NULL);
	struct fetch_sink sink = { body_begin, body_bytes, out };
	struct buf line = BUF_INIT;
	struct flags flags;
	struct fetch_item item = { .flags = &flags };
	struct err e = ERR_INIT;
	int got;

	t->receive = give;
	t->ctx = &src;
	flags_init(&flags);
	while ((got = fetch_read(t, &line, &item, &sink, &e)) >= 0) {
		if (line.len > IMAP_LINE_MAX || strlen(line.data) != line.len)
			abort();
		buf_addf(out, "\n%d %u %llu ", got, item.uid,
			 (unsigned long long)item.size);
		flags_add_text(out, &flags);
	}
	if (!e.text[0] || e.scope != ERR_ACCOUNT)
		abort();
	buf_addf(out, "\n%s", e.text);
	flags_free(&flags);
	buf_free(&line);
	talk_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf whole = BUF_INIT, pieces = BUF_INIT;

	read_all(data, n, SIZE_MAX, &whole);
	read_all(data, n, 1, &pieces);
	if (!buf_equal(&whole, &pieces))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
