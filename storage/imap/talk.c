/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of a conversation: what libetpan may see of them, and lines and
   literals for our own parsers. internal.h says why. */
#include "core/base/log.h"
#include "storage/imap/internal.h"
#include "storage/imap/stream.h"

#include <libetpan/libetpan.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TALK_CHUNK = 64 << 10 };
#define LITERAL_SANE (UINT64_C(1) << 40)

static ssize_t receive(struct imap_talk *t, char *bytes, size_t n,
		       struct err *e)
{
	ssize_t got;

	while ((got = stream_try_recv(t->stream, bytes, n, e)) == 0)
		if (stream_wait(t->stream, false, e) < 0)
			return -1;
	return got;
}

struct imap_talk *talk_new(struct stream *stream)
{
	struct imap_talk *t = mem_zalloc(sizeof(*t));

	t->stream = stream;
	t->receive = receive;
	buf_init(&t->in);
	buf_init(&t->tagged);
	buf_init(&t->bye);
	buf_init(&t->line);
	return t;
}

void talk_free(struct imap_talk *t)
{
	if (!t)
		return;
	buf_free(&t->in);
	buf_free(&t->tagged);
	buf_free(&t->bye);
	buf_free(&t->line);
	free(t);
}

/* The text of these is for people, and may hold anything, also "{12}" at its
 * end. */
static bool is_status(const char *line)
{
	static const char *const words[] = { "* OK", "* NO", "* BAD", "* BYE",
					     "* PREAUTH" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (!strncasecmp(line, words[i], n) &&
		    (line[n] == ' ' || !line[n]))
			return true;
	}
	return false;
}

bool talk_literal(const char *line, size_t n, bool continued, uint64_t *len_r)
{
	uint64_t len = 0;
	size_t at;

	if (!continued && (strncmp(line, "* ", 2) || is_status(line)))
		return false;
	if (n < 3 || line[n - 1] != '}')
		return false;
	at = n - 1;
	if (line[at - 1] ==
	    '+') /* no server sends {n+}; libetpan would take it */
		at--;
	for (n = at; n && line[n - 1] >= '0' && line[n - 1] <= '9'; n--)
		;
	if (n == at || !n || line[n - 1] != '{')
		return false;
	for (; n < at; n++) {
		len = len * 10 + (uint64_t)(line[n] - '0');
		if (len > LITERAL_SANE)
			len = LITERAL_SANE + 1; /* callers refuse it */
	}
	*len_r = len;
	return true;
}

void talk_note(struct imap_talk *t, const char *line)
{
	if (strncasecmp(line, "* BYE", 5) || (line[5] && line[5] != ' '))
		return;
	buf_reset(&t->bye);
	buf_add(&t->bye, line + 2, strnlen(line + 2, IMAP_SAID_MAX));
	log_line(LOG_TRACE, "imap: < %s", line);
}

/* libetpan's tags are decimal numbers. */
static void note_tagged(struct imap_talk *t, const char *line)
{
	char *end;
	unsigned long tag = strtoul(line, &end, 10);

	if (end == line || *end != ' ' || tag > UINT32_MAX)
		return;
	t->tagged_for = (unsigned)tag;
	buf_reset(&t->tagged);
	buf_add(&t->tagged, end + 1, strnlen(end + 1, IMAP_SAID_MAX));
	log_line(LOG_TRACE, "imap: < %s", line);
}

void talk_reset(struct imap_talk *t)
{
	buf_reset(&t->tagged);
	buf_reset(&t->line);
	t->tagged_for = 0;
	t->literal = t->seen = 0;
	t->depth = 0;
	t->quoted = t->escaped = t->continued = false;
}

/* "OK [CODE (x y)] text": does the code end, and every list in it?
   libetpan 1.9.4 follows a null pointer where a list does not: "[PERMANENTFLAGS
   (". */
static bool code_ends(const char *line)
{
	int depth = 0;

	line += !strncmp(line, "* ", 2) ? 2 : strcspn(line, " ") + 1;
	line += strcspn(line, " ");
	if (strncmp(line, " [", 2))
		return true;
	for (line += 2; *line && *line != ']' && depth >= 0; line++)
		depth += (*line == '(') - (*line == ')');
	return *line == ']' && !depth;
}

/* libetpan 1.9.4 follows a null pointer, too, where the list begins with
   something that is no flag: "[PERMANENTFLAGS (%)]". It looks for the code in
   many places and skips blanks; we look everywhere. */
static bool flags_begin(const char *line)
{
	static const char word[] = "PERMANENTFLAGS";

	while ((line = strcasestr(line, word))) {
		line += sizeof(word) - 1;
		line += strspn(line, " \t");
		if (*line != '(')
			continue;
		line += 1 + strspn(line + 1, " \t");
		if (*line == ')' || !strncmp(line, "\\*", 2))
			continue;
		line += *line == '\\';
		if ((unsigned char)*line <= ' ' || strchr("(){%*\"\\", *line))
			return false;
	}
	return true;
}

static const char *line_end(struct imap_talk *t)
{
	const char *line = t->line.data, *why = NULL;

	if (t->line.len && line[t->line.len - 1] == '\r')
		buf_cut(&t->line, t->line.len - 1);
	if (!flags_begin(line))
		return "a list of flags that cannot be read";
	if (talk_literal(line, t->line.len, t->continued, &t->literal)) {
		if (t->literal > IMAP_LITERAL_MAX)
			return "a literal that is too long";
		if (t->quoted)
			return "a line that does not end";
		t->continued =
			true; /* depth goes on: the parser's stack does */
		buf_reset(&t->line);
		return NULL;
	}
	if (t->continued || (!strncmp(line, "* ", 2) && !is_status(line))) {
		if (t->depth || t->quoted)
			why = "a line that does not end";
	} else {
		talk_note(t, line);
		note_tagged(t, line);
		if (line[0] != '+' && strchr(line, ' ') && !code_ends(line))
			why = "a response code that does not end";
	}
	t->depth = 0;
	t->quoted = t->escaped = t->continued = false;
	buf_reset(&t->line);
	return why;
}

static const char *look_at(struct imap_talk *t, char c)
{
	if (c == '\n')
		return line_end(t);
	if (!c)
		return "a NUL";
	if (t->line.len >= IMAP_LINE_MAX)
		return "a line that is too long";
	buf_add_char(&t->line, c);
	if (t->quoted) {
		if (t->escaped)
			t->escaped = false;
		else if (c == '\\')
			t->escaped = true;
		else if (c == '"')
			t->quoted = false;
	} else if (c == '"') {
		t->quoted = true;
	} else if (c == '(') {
		if (++t->depth > IMAP_DEPTH_MAX)
			return "too many parentheses";
	} else if (c == ')' && t->depth) {
		t->depth--;
	}
	return NULL;
}

static const char *look(struct imap_talk *t, const char *bytes, size_t n)
{
	const char *why = NULL;

	t->seen += n;
	if (t->seen > IMAP_ANSWER_MAX)
		return "an answer that does not end";
	while (n && !why) {
		if (t->literal) {
			size_t skip = n < t->literal ? n : (size_t)t->literal;

			t->literal -= skip;
			bytes += skip;
			n -= skip;
			continue;
		}
		why = look_at(t, *bytes++);
		n--;
	}
	return why;
}

static ssize_t low_read(mailstream_low *low, void *bytes, size_t n)
{
	struct imap_talk *t = low->data;
	size_t held = t->in.len - t->at;
	ssize_t got;

	if (t->excess)
		return -1;
	if (t->bye.len &&
	    !held) /* what should come now is the end: not waited for */
		return -1;
	if (held) {
		got = (ssize_t)(n < held ? n : held);
		memcpy(bytes, t->in.data + t->at, (size_t)got);
		t->at += (size_t)got;
	} else {
		got = t->inner->driver->mailstream_read(t->inner, bytes, n);
	}
	if (got <= 0)
		return -1; /* 0 would make libetpan ask for ever */
	t->excess = look(t, bytes, (size_t)got);
	return t->excess ? -1 : got;
}

static ssize_t low_write(mailstream_low *low, const void *bytes, size_t n)
{
	struct imap_talk *t = low->data;

	return t->inner->driver->mailstream_write(t->inner, bytes, n);
}

static int low_close(mailstream_low *low)
{
	struct imap_talk *t = low->data;

	return t->inner->driver->mailstream_close
		       ? t->inner->driver->mailstream_close(t->inner)
		       : 0;
}

static int low_fd(mailstream_low *low)
{
	struct imap_talk *t = low->data;

	return mailstream_low_get_fd(t->inner);
}

static void low_free(mailstream_low *low)
{
	struct imap_talk *t = low->data;

	mailstream_low_free(t->inner);
	talk_free(t);
	free(low);
}

static void low_cancel(mailstream_low *low)
{
	(void)low;
}

static struct mailstream_cancel *low_get_cancel(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static carray *low_certificates(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static mailstream_low_driver talk_driver = {
	.mailstream_read = low_read,
	.mailstream_write = low_write,
	.mailstream_close = low_close,
	.mailstream_get_fd = low_fd,
	.mailstream_free = low_free,
	.mailstream_cancel = low_cancel,
	.mailstream_get_cancel = low_get_cancel,
	.mailstream_get_certificate_chain = low_certificates,
};

mailstream_low *talk_low(struct imap_talk *t)
{
	t->inner = stream_low(t->stream);
	return mailstream_low_new(t, &talk_driver);
}

void talk_begin(struct imap_session *s)
{
	struct imap_talk *t = s->talk;
	mailstream *ms = s->imap->imap_stream;
	struct buf ahead = BUF_INIT;

	if (!ms || (!ms->read_buffer_len && !t->at))
		return;
	/* What libetpan holds came before what we hold. */
	buf_add(&ahead, ms->read_buffer, ms->read_buffer_len);
	buf_add(&ahead, t->in.data + t->at, t->in.len - t->at);
	ms->read_buffer_len = 0;
	buf_free(&t->in);
	t->in = ahead;
	t->at = 0;
}

int talk_send(struct imap_talk *t, const char *bytes, size_t n, struct err *e)
{
	talk_useful(t);
	while (n) {
		ssize_t sent = stream_try_send(t->stream, bytes, n, e);

		if (sent < 0)
			return -1;
		bytes += sent;
		n -= (size_t)sent;
		if (!sent && stream_wait(t->stream, true, e) < 0)
			return -1;
	}
	return 0;
}

static int fill(struct imap_talk *t, struct err *e)
{
	ssize_t got;

	if (t->at < t->in.len)
		return 0;
	buf_reset(&t->in);
	t->at = 0;
	buf_grow(&t->in, TALK_CHUNK);
	got = t->receive(t, t->in.data, TALK_CHUNK, e);
	if (got <= 0)
		return -1;
	t->in.len = (size_t)got;
	t->in.data[got] = '\0';
	return 0;
}

static int broke(struct err *e, const char *what)
{
	return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
		       "the server broke the protocol: it sent %s", what);
}

void talk_useful(struct imap_talk *t)
{
	t->aside = 0;
}

static int note_aside(struct imap_talk *t, uint64_t n, struct err *e)
{
	t->aside += n < IMAP_ASIDE_MAX ? n : IMAP_ASIDE_MAX;
	return t->aside > IMAP_ASIDE_MAX
		       ? broke(e, "more and more that was not asked for")
		       : 0;
}

int talk_line(struct imap_talk *t, struct buf *line, struct err *e)
{
	const char *from, *end;
	size_t n;

	buf_reset(line);
	do {
		if (fill(t, e) < 0)
			return -1;
		from = t->in.data + t->at;
		n = t->in.len - t->at;
		end = memchr(from, '\n', n);
		if (end)
			n = (size_t)(end - from);
		if (n > IMAP_LINE_MAX - line->len)
			return broke(e, "a line that is too long");
		buf_add(line, from, n);
		t->at += n + (end != NULL);
	} while (!end);
	if (line->len && line->data[line->len - 1] == '\r')
		buf_cut(line, line->len - 1);
	if (memchr(line->data, '\0', line->len))
		return broke(e, "a NUL");
	return note_aside(t, line->len + 2, e);
}

int talk_some(struct imap_talk *t, uint64_t max, const char **bytes_r,
	      size_t *n_r, struct err *e)
{
	size_t n;

	if (fill(t, e) < 0)
		return -1;
	n = t->in.len - t->at;
	if (n > max)
		n = (size_t)max;
	*bytes_r = t->in.data + t->at;
	*n_r = n;
	t->at += n;
	return 0;
}

int talk_skip(struct imap_talk *t, uint64_t n, struct err *e)
{
	const char *bytes;
	size_t some;

	if (note_aside(t, n, e) < 0)
		return -1;
	for (; n; n -= some)
		if (talk_some(t, n, &bytes, &some, e) < 0)
			return -1;
	return 0;
}

int talk_rest(struct imap_talk *t, struct buf *line, struct err *e)
{
	uint64_t literal;
	size_t lines = 0;

	while (talk_literal(line->data, line->len, lines > 0, &literal)) {
		if (literal > LITERAL_SANE)
			return broke(e, "a literal that is too long");
		if (++lines > IMAP_LITERALS_MAX)
			return broke(e, "an answer that does not end");
		if (talk_skip(t, literal, e) < 0 || talk_line(t, line, e) < 0)
			return -1;
	}
	return 0;
}
