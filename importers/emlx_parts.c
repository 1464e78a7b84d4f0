/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts the bodies of parts back into a message that Apple Mail took them out of
   (N.partial.emlx).

   The message goes by line by line; only a part's header, and of longer lines the
   begin, are kept. Parts are numbered as in IMAP (RFC 9051 section 6.4.5): the
   children of the message are 1, 2 ..., those of part 2 are 2.1, 2.2 ...; a message
   that is not multipart has one part, 1.

   A header that tells of a missing body waits until its body is seen to be empty.
   What cannot be understood goes out as it came in. */
#include "importers/emlx.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"

enum {
	DEPTH = 32,
	LINE = 8 << 10,	  /* longer ones are no boundary, and no header's end */
	BLANKS = 4 << 10, /* so much of nothing is still nothing */
	NUMBER = 120,	  /* a number this long is nobody's */
	BOUNDARY = 2 << 10,
};

static const char length_field[] = "X-Apple-Content-Length";
static const char encoding_field[] = "Content-Transfer-Encoding";

struct level {
	struct buf boundary;
	struct buf prefix; /* of its parts' numbers: "", "2." */
	unsigned count;
};

struct emlx_parts {
	const struct emlx_hooks *hooks;
	void *ctx;
	struct level levels[DEPTH];
	size_t depth;
	struct buf line; /* one that is not complete */
	bool inside;	 /* ... and its begin is through already */
	struct header header;
	char header_end[3]; /* the empty line behind it */
	bool in_header;
	bool waiting; /* header's body should be put in */
	struct buf blanks;
	struct buf number; /* of the entity whose header it is; "": the root */
	bool embedded;	   /* ... or the message in the part with that number */
	size_t restored, missing;
	char *first_missing;
};

struct emlx_parts *emlx_parts_new(const struct emlx_hooks *hooks, void *ctx)
{
	struct emlx_parts *p = mem_zalloc(sizeof(*p));

	p->hooks = hooks;
	p->ctx = ctx;
	buf_init(&p->line);
	buf_init(&p->blanks);
	buf_init(&p->number);
	header_init(&p->header);
	p->in_header = true;
	return p;
}

static void pop(struct emlx_parts *p)
{
	struct level *l = &p->levels[--p->depth];

	buf_free(&l->boundary);
	buf_free(&l->prefix);
}

void emlx_parts_free(struct emlx_parts *p)
{
	if (!p)
		return;
	while (p->depth)
		pop(p);
	buf_free(&p->line);
	buf_free(&p->blanks);
	buf_free(&p->number);
	header_free(&p->header);
	free(p->first_missing);
	free(p);
}

size_t emlx_parts_restored(const struct emlx_parts *p)
{
	return p->restored;
}

size_t emlx_parts_missing(const struct emlx_parts *p)
{
	return p->missing;
}

const char *emlx_parts_first_missing(const struct emlx_parts *p)
{
	return p->first_missing ? p->first_missing : "";
}

static int out(struct emlx_parts *p, const char *bytes, size_t n, struct err *e)
{
	return n ? p->hooks->out(p->ctx, bytes, n, e) : 0;
}

/* --- headers --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of a parameter in a field that was unfolded; "" if there is none. */
static void parameter(const struct buf *field, const char *name,
		      struct buf *out_)
{
	const char *s = field->data;
	size_t len = strlen(name);

	for (s = strchr(s, ';'); s; s = strchr(s, ';')) {
		s++;
		while (is_blank(*s))
			s++;
		if (!ascii_same_n(s, name, strnlen(s, len)) ||
		    strnlen(s, len) < len)
			continue;
		s += len;
		while (is_blank(*s))
			s++;
		if (*s != '=')
			continue;
		s++;
		while (is_blank(*s))
			s++;
		if (*s != '"') {
			buf_add(out_, s, strcspn(s, "; \t"));
			return;
		}
		for (s++; *s && *s != '"'; s++) {
			s += *s == '\\' && s[1];
			buf_add_char(out_, *s);
		}
		return;
	}
}

static bool begins_with(const struct buf *value, const char *s)
{
	size_t n = strlen(s);

	return value->len >= n && ascii_same_n(value->data, s, n);
}

static enum emlx_encoding encoding_of(const struct header *h)
{
	static const struct {
		const char *name;
		enum emlx_encoding encoding;
	} known[] = {
		{ .name = "base64", .encoding = EMLX_BASE64 },
		{ .name = "quoted-printable", .encoding = EMLX_QUOTED },
		{ .name = "7bit", .encoding = EMLX_AS_IT_IS },
		{ .name = "8bit", .encoding = EMLX_AS_IT_IS },
		{ .name = "binary", .encoding = EMLX_AS_IT_IS },
	};
	struct buf value = BUF_INIT;
	enum emlx_encoding encoding = EMLX_OTHER;

	if (!header_add_value(h, encoding_field, 0, &value))
		encoding = EMLX_AS_IT_IS;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (begins_with(&value, known[i].name))
			encoding = known[i].encoding;
	buf_free(&value);
	return encoding;
}

static uint64_t declared_length(const struct header *h)
{
	struct buf value = BUF_INIT;
	uint64_t n = 0;

	header_add_value(h, length_field, 0, &value);
	for (size_t i = 0; i < value.len && i < 15; i++) {
		if (!ascii_is_digit(value.data[i]))
			break;
		n = n * 10 + (uint64_t)(value.data[i] - '0');
	}
	buf_free(&value);
	return n;
}

static void begin_header(struct emlx_parts *p, bool embedded)
{
	header_reset(&p->header);
	p->header_end[0] = '\0';
	p->in_header = true;
	p->embedded = embedded;
}

static int out_header_end(struct emlx_parts *p, struct err *e)
{
	return out(p, p->header_end, strlen(p->header_end), e);
}

static int out_header(struct emlx_parts *p, struct err *e)
{
	p->in_header = false;
	if (out(p, p->header.raw.data, p->header.raw.len, e) < 0)
		return -1;
	return out_header_end(p, e);
}

static void push(struct emlx_parts *p, struct buf *boundary)
{
	struct level *l = &p->levels[p->depth++];

	*l = (struct level){ .boundary = *boundary, .prefix = BUF_INIT };
	buf_init(boundary);
	if (p->number.len)
		buf_addf(&l->prefix, "%s.", p->number.data);
}

/* A message or multipart has parts of its own. Whether that is so. */
static bool enter_parts(struct emlx_parts *p, const struct buf *type)
{
	struct buf boundary = BUF_INIT;
	bool is = false;

	if (begins_with(type, "multipart/") && p->depth < DEPTH)
		parameter(type, "boundary", &boundary);
	if (boundary.len && boundary.len <= BOUNDARY) {
		push(p, &boundary);
		is = true;
	}
	buf_free(&boundary);
	return is;
}

/* Its header is complete. */
static int header_done(struct emlx_parts *p, struct err *e)
{
	struct buf type = BUF_INIT;
	bool emptied;
	int ret = 0;

	header_index(&p->header);
	header_add_value(&p->header, "Content-Type", 0, &type);
	emptied = header_find(&p->header, length_field, 0);
	if (enter_parts(p, &type)) {
		ret = out_header(p, e);
	} else if (!emptied && begins_with(&type, "message/rfc822") &&
		   encoding_of(&p->header) == EMLX_AS_IT_IS &&
		   p->number.len < NUMBER) {
		/* In a message that is in a message, this one is the only part.
		 */
		if (p->embedded || !p->number.len)
			buf_add_str(&p->number, p->number.len ? ".1" : "1");
		ret = out_header(p, e);
		begin_header(p, true);
	} else if (emptied) {
		if (p->embedded || !p->number.len)
			buf_add_str(&p->number, p->number.len ? ".1" : "1");
		p->in_header = false;
		p->waiting = true;
		buf_reset(&p->blanks);
	} else {
		ret = out_header(p, e);
	}
	buf_free(&type);
	return ret;
}

/* --- bodies --- */

/* The header without the field that Mail added, and saying base64 where the encoding
   cannot be made. */
static int out_restored_header(struct emlx_parts *p,
			       enum emlx_encoding encoding, struct err *e)
{
	const struct header *h = &p->header;
	const char *raw = h->raw.data;
	size_t at = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->fields[i];
		bool ours =
			ascii_same(raw + f->name, f->name_len, length_field);
		bool change =
			encoding == EMLX_OTHER &&
			ascii_same(raw + f->name, f->name_len, encoding_field);

		if (!ours && !change)
			continue;
		if (out(p, raw + at, f->start - at, e) < 0)
			return -1;
		if (change && (out(p, encoding_field,
				   sizeof(encoding_field) - 1, e) < 0 ||
			       out(p, ": base64\n", 9, e) < 0))
			return -1;
		at = f->end;
	}
	if (out(p, raw + at, h->raw.len - at, e) < 0)
		return -1;
	return out_header_end(p, e);
}

static int out_body(struct emlx_parts *p, int fd, bool encoded, struct err *e)
{
	struct emlx_body body = { .encoding = EMLX_AS_IT_IS };
	struct buf type = BUF_INIT;
	bool eol = true;
	int ret = -1;

	if (!encoded) {
		body.encoding = encoding_of(&p->header);
		body.declared = declared_length(&p->header);
		body.text = !header_add_value(&p->header, "Content-Type", 0,
					      &type) ||
			    begins_with(&type, "text/");
	}
	if (out_restored_header(p, body.encoding, e) < 0 ||
	    emlx_body_out(p->hooks, p->ctx, fd, &body, &eol, e) < 0)
		goto out;
	/* The line end in front of a boundary belongs to the boundary. */
	if (p->blanks.len > 1 && p->blanks.data[p->blanks.len - 2] == '\r')
		ret = out(p, "\r\n", 2, e);
	else if (p->blanks.len || !eol)
		ret = out(p, "\n", 1, e);
	else
		ret = 0;
out:
	buf_free(&type);
	return ret;
}

static int out_as_it_is(struct emlx_parts *p, struct err *e)
{
	if (out_header(p, e) < 0)
		return -1;
	return out(p, p->blanks.data, p->blanks.len, e);
}

/* The body of the part that waits ends, and there was none. */
static int restore(struct emlx_parts *p, struct err *e)
{
	bool encoded = false;
	int fd, ret;

	p->waiting = false;
	fd = p->hooks->find(p->ctx, p->number.data, &encoded);
	if (fd < 0) {
		if (!p->missing++)
			p->first_missing = mem_strdup(p->number.data);
		return out_as_it_is(p, e);
	}
	p->restored++;
	ret = out_body(p, fd, encoded, e);
	close(fd);
	return ret;
}

/* Is the line the boundary of a level? *closing_r: its last one. */
static bool is_boundary(const struct level *l, const char *line, size_t n,
			bool *closing_r)
{
	size_t len = l->boundary.len;

	if (n < len + 2 || memcmp(line + 2, l->boundary.data, len) != 0)
		return false;
	line += len + 2;
	n -= len + 2;
	*closing_r = n >= 2 && line[0] == '-' && line[1] == '-';
	if (*closing_r)
		line += 2, n -= 2;
	while (n && is_blank(*line))
		line++, n--;
	return !n;
}

/* Take a boundary. 1, 0 if the line is none, -1. */
static int take_boundary(struct emlx_parts *p, const char *line, size_t n,
			 struct err *e)
{
	bool closing = false;
	size_t level = p->depth;
	struct level *l;

	if (n < 2 || line[0] != '-' || line[1] != '-')
		return 0;
	while (level && !is_boundary(&p->levels[level - 1], line, n, &closing))
		level--;
	if (!level)
		return 0;
	if (p->in_header) {
		/* A header without an end: a part without a body. */
		if (p->header.raw.len && out_header(p, e) < 0)
			return -1;
		p->in_header = false;
	}
	if (p->waiting && restore(p, e) < 0)
		return -1;
	while (p->depth > level)
		pop(p);
	if (closing) {
		pop(p);
	} else {
		l = &p->levels[level - 1];
		l->count++;
		buf_reset(&p->number);
		buf_addf(&p->number, "%s%u", l->prefix.data, l->count);
		begin_header(p, false);
	}
	return out(p, line, n, e) < 0 ? -1 : 1;
}

static bool is_empty(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_blank(line[i]))
			return false;
	return true;
}

static int take_body(struct emlx_parts *p, const char *line, size_t n,
		     struct err *e)
{
	if (!p->waiting)
		return out(p, line, n, e);
	if (is_empty(line, n) && p->blanks.len + n <= BLANKS) {
		buf_add(&p->blanks, line, n);
		return 0;
	}
	/* It was not taken out after all. */
	p->waiting = false;
	if (out_as_it_is(p, e) < 0)
		return -1;
	return out(p, line, n, e);
}

/* A line, or as much of one as is kept; inside: what follows it. */
static int take_line(struct emlx_parts *p, const char *line, size_t n,
		     bool inside, struct err *e)
{
	int got = inside ? 0 : take_boundary(p, line, n, e);

	if (got)
		return got < 0 ? -1 : 0;
	if (!p->in_header)
		return take_body(p, line, n, e);
	if (!inside && (n == 1 || (n == 2 && line[0] == '\r')) &&
	    line[n - 1] == '\n') {
		memcpy(p->header_end, line, n);
		p->header_end[n] = '\0';
		return header_done(p, e);
	}
	buf_add(&p->header.raw, line, n);
	return p->header.raw.len > HEADER_MAX ? out_header(p, e) : 0;
}

int emlx_parts_add(struct emlx_parts *p, const char *bytes, size_t n,
		   struct err *e)
{
	while (n) {
		const char *lf = memchr(bytes, '\n', n);
		size_t len = lf ? (size_t)(lf - bytes) + 1 : n;

		buf_add(&p->line, bytes, len);
		bytes += len;
		n -= len;
		if (!lf && p->line.len < LINE)
			break;
		if (take_line(p, p->line.data, p->line.len, p->inside, e) < 0)
			return -1;
		p->inside = !lf;
		buf_shrink(&p->line, LINE);
	}
	return 0;
}

int emlx_parts_end(struct emlx_parts *p, struct err *e)
{
	if (p->line.len &&
	    take_line(p, p->line.data, p->line.len, p->inside, e) < 0)
		return -1;
	buf_reset(&p->line);
	if (p->waiting)
		return restore(p, e);
	return p->in_header ? out_header(p, e) : 0;
}
