/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a file with one message: what was put round it is taken off. */
#include "importers/eml.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "importers/mozilla_status.h"

enum { STATUS_LOOK = 1024 };

struct feeding {
	bool begun, named_so, is_utf16;
	bool watch; /* for a second message */
	struct eml_utf16 utf16;
	struct buf text; /* decoded */
};

void eml_counts_free(struct eml_counts *c)
{
	free(c->first_utf16);
	*c = (struct eml_counts){ 0 };
}

void eml_remark(struct filetree *t, const struct eml_counts *c)
{
	if (c->utf16)
		remark_add(&t->remarks,
			   "%zu messages had been turned into UTF-16 and come "
			   "as UTF-8, the first is %s",
			   c->utf16, c->first_utf16);
}

/* Does it begin with fields that Thunderbird put on top (formats.md section 2.5)?
   X-UIDL alone may be a server's. */
static bool has_status_on_top(const char *text, size_t n)
{
	static const char status[] = "X-Mozilla-Status:";
	size_t len = sizeof(status) - 1;

	if (n > STATUS_LOOK)
		n = STATUS_LOOK;
	for (const char *p = text, *end = text + n; p + len <= end;) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if (ascii_same_n(p, status, len))
			return true;
		if (!lf || *p == '\n' || *p == '\r')
			break;
		p = lf + 1;
	}
	return false;
}

/* A line in the middle that only an mbox has: behind an empty one, with a date. */
static bool has_second(const char *text, size_t n)
{
	const char *end = text + n, *p = text, *eol;

	while ((p = memmem(p, (size_t)(end - p), "\nFrom ", 6))) {
		const char *line = p++ + 1;
		bool empty = line - text >= 2 &&
			     (line[-2] == '\n' ||
			      (line[-2] == '\r' && line - text >= 3 &&
			       line[-3] == '\n'));

		eol = memchr(line, '\n', (size_t)(end - line));
		if (empty && eol &&
		    date_parse_asctime(line, (size_t)(eol - line)) != DATE_NONE)
			return true;
	}
	return false;
}

/* The first piece: what is in front of the message. Returns its length, -1 if this
   is no mail. */
static ssize_t begin(struct feeding *f, struct message *m, const char *text,
		     size_t n)
{
	struct eml_debris debris;

	eml_debris_find(text, n, &debris);
	text += debris.len;
	n -= debris.len;
	if (!eml_is_mail(text, n, !f->named_so))
		return -1;
	if (debris.mozilla)
		m->when.downloaded = debris.date;
	else if (debris.separator)
		m->when.delivered = debris.date;
	if (has_status_on_top(text, n))
		m->in.drop_leading = mozilla_leading_fields;
	f->watch = debris.separator && !f->named_so;
	return (ssize_t)debris.len;
}

static int feed_text(struct filetree *t, const struct filetree_file *file,
		     struct feeding *f, struct message *m, const char *text,
		     size_t n, struct err *e)
{
	if (!f->begun) {
		ssize_t skip = begin(f, m, text, n);

		f->begun = true;
		if (skip < 0)
			return filetree_fail(t, file, ERR_NEVER,
					     "no mail: it does not begin with "
					     "a header",
					     e);
		text += skip;
		n -= (size_t)skip;
	}
	if (f->watch && has_second(text, n))
		return filetree_fail(t, file, ERR_NEVER,
				     "several messages in one file; bring it "
				     "over as mbox:FILE",
				     e);
	return n ? intake_add(&m->in, text, n, e) : 0;
}

static int feed_piece(struct filetree *t, const struct filetree_file *file,
		      struct feeding *f, struct message *m, size_t n,
		      struct err *e)
{
	const char *bytes = t->bytes;
	size_t skip = 0;

	if (!f->begun) {
		enum eml_coding coding = eml_coding_of(bytes, n, &skip);

		f->is_utf16 = coding == EML_UTF16_LE || coding == EML_UTF16_BE;
		f->utf16.big = coding == EML_UTF16_BE;
	}
	if (!f->is_utf16)
		return feed_text(t, file, f, m, bytes + skip, n - skip, e);
	buf_reset(&f->text);
	eml_utf16_add(&f->utf16, bytes + skip, n - skip, &f->text);
	if (n < FILETREE_PIECE)
		eml_utf16_end(&f->utf16, &f->text);
	return feed_text(t, file, f, m, f->text.data, f->text.len, e);
}

int eml_feed(struct filetree *t, const struct filetree_file *file, int fd,
	     struct message *m, bool named_so, struct eml_counts *c,
	     struct err *e)
{
	struct feeding f = { .named_so = named_so, .text = BUF_INIT };
	struct unpack *u = NULL;
	ssize_t got;
	int ret = -1;

	if (unpack_open(fd, filetree_path(t, file), &u, e) < 0) {
		e->scope = ERR_MESSAGE;
		return -1;
	}
	while ((got = filetree_read(t, file, u, e)) > 0)
		if (feed_piece(t, file, &f, m, (size_t)got, e) < 0)
			goto out;
	if (got < 0)
		goto out;
	if (f.is_utf16 && !c->utf16++)
		c->first_utf16 = mem_strdup(filetree_path(t, file));
	ret = 0;
out:
	buf_free(&f.text);
	unpack_close(u);
	return ret;
}

void eml_settle(struct message *m)
{
	const struct header *h = &m->in.header;
	const struct header_field *status =
		header_find(h, "X-Mozilla-Status", 0);
	struct buf unsent = BUF_INIT;

	if (status && status->dropped)
		mozilla_status_apply(h, m);
	else
		m->flags.system |= FLAG_SEEN;
	/* Outlook Express, Windows Mail and Live Mail save drafts with it, and open
	   such a file for writing. */
	if (header_add_value(h, "X-Unsent", 0, &unsent) &&
	    !strcmp(unsent.data, "1"))
		m->flags.system |= FLAG_DRAFT;
	buf_free(&unsent);
}
