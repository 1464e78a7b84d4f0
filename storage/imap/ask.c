/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command and its answer, read by ourselves: where libetpan knows no
   parser, or one that does not take what servers say. */
#include "core/base/log.h"
#include "storage/imap/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The answer has become n bytes longer. */
static int see(struct imap_ask *a, uint64_t n, struct err *e)
{
	if (n > IMAP_ANSWER_MAX || (a->seen += n) > IMAP_ANSWER_MAX)
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "the server broke the protocol: it sent an "
			       "answer that does not end");
	return 0;
}

static int lost(struct imap_ask *a, struct err *e)
{
	a->s->broken = true;
	return err_in(e, "%s", a->doing);
}

int imap_ask_begin(struct imap_ask *a, struct imap_session *s, const char *line,
		   const char *doing, struct err *e)
{
	struct imap_talk *t = s->talk;
	struct buf out = BUF_INIT;
	int ret;

	*a = (struct imap_ask){ .s = s, .doing = doing };
	buf_init(&a->line);
	buf_init(&a->part);
	if (s->broken)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NOW,
			       "%s: the connection was lost", doing);
	log_line(LOG_DETAIL, "imap: %s", doing);
	talk_begin(s);
	snprintf(a->tag, sizeof(a->tag), "Q%u", ++t->tag);
	buf_addf(&out, "%s %s\r\n", a->tag, line);
	ret = talk_send(t, out.data, out.len, e);
	buf_free(&out);
	return ret < 0 ? lost(a, e) : 0;
}

void imap_ask_free(struct imap_ask *a)
{
	buf_free(&a->line);
	buf_free(&a->part);
}

/* The literal as a quoted string. What cannot stand in one is '?'. */
static int add_literal(struct imap_ask *a, uint64_t len, struct err *e)
{
	const char *bytes;
	size_t n;

	if (len > IMAP_SAID_MAX) {
		buf_add_str(&a->line, "\"\"");
		return talk_skip(a->s->talk, len, e);
	}
	buf_add_char(&a->line, '"');
	for (; len; len -= n) {
		if (talk_some(a->s->talk, len, &bytes, &n, e) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			bool odd = (unsigned char)bytes[i] < 0x20 ||
				   strchr("\"\\\x7F", bytes[i]);

			buf_add_char(&a->line, odd ? '?' : bytes[i]);
		}
	}
	buf_add_char(&a->line, '"');
	return 0;
}

/* The rest of an answer whose first line is in line. */
static int add_rest(struct imap_ask *a, struct err *e)
{
	uint64_t len;
	size_t literals = 0, from = 0;

	/* Of what has been put together only the last part can announce one. */
	while (talk_literal(a->line.data + from, a->line.len - from,
			    literals > 0, &len)) {
		literals++;
		if (see(a,
			a->line.len > IMAP_LINE_MAX ||
					literals > IMAP_LITERALS_MAX
				? UINT64_MAX
				: len,
			e) < 0)
			return -1;
		while (a->line.data[a->line.len - 1] != '{')
			buf_cut(&a->line, a->line.len - 1);
		buf_cut(&a->line, a->line.len - 1);
		if (add_literal(a, len, e) < 0 ||
		    talk_line(a->s->talk, &a->part, e) < 0)
			return -1;
		from = a->line.len;
		buf_add(&a->line, a->part.data, a->part.len);
		if (see(a, a->part.len, e) < 0)
			return -1;
	}
	return 0;
}

/* "Q12 OK ..." */
static int tagged(struct imap_ask *a, struct err *e)
{
	size_t n = strlen(a->tag);
	const char *text = a->line.data;

	if (strncmp(text, a->tag, n) || text[n] != ' ') {
		a->s->broken = true;
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "%s: the server answers a question that was "
			       "not asked: %.80s",
			       a->doing, text);
	}
	text += n + 1;
	log_line(LOG_TRACE, "imap: < %s %s", a->tag, text);
	if (!strncasecmp(text, "OK", 2) && (!text[2] || text[2] == ' '))
		return 0;
	return imap_fail_text(text, a->doing, e);
}

int imap_ask_next(struct imap_ask *a, struct err *e)
{
	struct imap_talk *t = a->s->talk;

	if (talk_line(t, &a->line, e) < 0 || see(a, a->line.len + 2, e) < 0)
		return lost(a, e);
	if (strncmp(a->line.data, "* ", 2))
		return tagged(a, e);
	talk_note(t, a->line.data);
	if (t->bye.len) {
		a->s->broken = true;
		return imap_fail_text(t->bye.data, a->doing, e);
	}
	return add_rest(a, e) < 0 ? lost(a, e) : 1;
}
