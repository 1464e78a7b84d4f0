/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attachments in files of their own (becky_attach.h). */
#include "importers/becky_attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/dbx_ansi.h"
#include "importers/walk.h"

enum {
	READ_SIZE = 57 * 512, /* whole lines of base64 */
	DEPTH_MOST = 8,
	LINE_MOST = 76, /* RFC 2045 sections 6.7 and 6.8 */
};

/* --- finding it --- */

/* One part of the path below rel. False if it is not there. */
static bool step_down(struct walk *w, struct buf *rel, const char *name,
		      bool last)
{
	struct walk_dir d = { .n = 0 };
	const struct walk_entry *entry = NULL;
	struct err ignored;
	size_t len = rel->len;

	if (name[0] && strcmp(name, ".") && strcmp(name, "..") &&
	    !strchr(name, ':') && walk_list(w, rel->data, &d, &ignored) == 0)
		entry = dbx_find_entry(&d, name, last ? 'f' : 'd');
	if (entry)
		buf_addf(rel, "%s%s", len ? "/" : "", entry->name);
	walk_dir_free(&d);
	return entry;
}

int becky_attach_open(struct walk *w, const char *dir, const char *path,
		      size_t n)
{
	struct buf name = BUF_INIT, rel = BUF_INIT;
	struct err ignored;
	char *part, *next;
	unsigned depth = 0;
	bool there = true;
	int fd = -1;

	dbx_add_ansi(&name, path, n);
	buf_add_str(&rel, dir);
	for (part = name.data; there && part; part = next) {
		next = part + strcspn(part, "\\/");
		next = *next ? next : NULL;
		if (next)
			*next++ = '\0';
		there = depth++ < DEPTH_MOST && step_down(w, &rel, part, !next);
	}
	if (there)
		fd = walk_file(w, rel.data, NULL, &ignored);
	buf_free(&name);
	buf_free(&rel);
	return fd;
}

/* --- encoding it --- */

enum becky_encoding becky_encoding_of(const char *value, size_t n)
{
	while (n && (*value == ' ' || *value == '\t'))
		value++, n--;
	if (n >= 6 && ascii_same_n(value, "base64", 6))
		return BECKY_BASE64;
	if (n >= 16 && ascii_same_n(value, "quoted-printable", 16))
		return BECKY_QUOTED;
	return BECKY_PLAIN;
}

static bool is_base64(unsigned char c)
{
	return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '+' ||
	       c == '/' || c == '=';
}

/* Whether a line can be base64: whole groups of four, padded at the end only. */
static bool is_base64_line(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_base64((unsigned char)s[i]) ||
		    (s[i] == '=' && i + 2 < n))
			return false;
	return n % 4 == 0;
}

static bool is_quoted_line(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x7F || (c < ' ' && c != '\t'))
			return false;
		if (c == '=' && i + 1 < n &&
		    !strchr("0123456789ABCDEFabcdef", s[i + 1]))
			return false;
	}
	return true;
}

/* Whether a file that begins so is the encoded text already. The last line may
   be cut off. */
static bool is_encoded(enum becky_encoding encoding, const char *s, size_t n)
{
	const char *end = s + n, *eol;

	for (; s < end && encoding != BECKY_PLAIN; s = eol + 1) {
		bool last = !(eol = memchr(s, '\n', (size_t)(end - s)));
		size_t len;

		eol = last ? end : eol;
		len = (size_t)(eol - s);
		len -= len && s[len - 1] == '\r';
		if (len > LINE_MOST)
			return false;
		if (last && n == READ_SIZE)
			len -= encoding == BECKY_BASE64 ? len % 4 : 0;
		if (encoding == BECKY_BASE64 ? !is_base64_line(s, len)
					     : !is_quoted_line(s, len))
			return false;
		if (last)
			break;
	}
	return true;
}

/* Whole lines, but for the last. */
static void add_base64(struct buf *out, const unsigned char *s, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned left = n - i < 3 ? (unsigned)(n - i) : 3;
		unsigned v = (unsigned)s[i] << 16;
		char four[4];

		v |= left > 1 ? (unsigned)s[i + 1] << 8 : 0;
		v |= left > 2 ? s[i + 2] : 0;
		for (unsigned k = 0; k < 4; k++)
			four[k] =
				k > left ? '=' : digits[v >> (18 - 6 * k) & 63];
		buf_add(out, four, 4);
		if ((i + 3) % 57 == 0 || i + 3 >= n)
			buf_add(out, "\r\n", 2);
	}
}

/* Quoted-printable on the way; a CR and white space are held back until it is
   known what follows. */
struct quoting {
	size_t column;
	char held[2];
	size_t n_held;
};

static void quote_byte(struct quoting *q, struct buf *out, unsigned char c,
		       bool plain)
{
	if (q->column + (plain ? 1 : 3) >= LINE_MOST) {
		buf_add_str(out, "=\r\n");
		q->column = 0;
	}
	if (plain)
		buf_add_char(out, (char)c);
	else
		buf_addf(out, "=%02X", c);
	q->column += plain ? 1 : 3;
}

/* In front of a line end white space would be lost, and a lone CR is none. */
static void quote_held(struct quoting *q, struct buf *out, bool at_end)
{
	for (size_t i = 0; i < q->n_held; i++)
		quote_byte(q, out, (unsigned char)q->held[i],
			   !at_end && q->held[i] != '\r');
	q->n_held = 0;
}

static void add_quoted(struct quoting *q, struct buf *out, const char *s,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\n') {
			if (q->n_held && q->held[q->n_held - 1] == '\r')
				q->n_held--;
			quote_held(q, out, true);
			buf_add_str(out, "\r\n");
			q->column = 0;
			continue;
		}
		if (c == '\r' && q->n_held == 1 && q->held[0] != '\r') {
			q->held[q->n_held++] = '\r';
			continue;
		}
		quote_held(q, out, false);
		if (c == '\r' || c == ' ' || c == '\t')
			q->held[q->n_held++] = (char)c;
		else
			quote_byte(q, out, c, c > ' ' && c < 0x7F && c != '=');
	}
}

static void encode(enum becky_encoding encoding, struct quoting *q,
		   struct buf *out, const char *bytes, size_t n)
{
	buf_reset(out);
	if (encoding == BECKY_BASE64)
		add_base64(out, (const unsigned char *)bytes, n);
	else if (n)
		add_quoted(q, out, bytes, n);
	else
		quote_held(q, out, true);
}

int becky_attach_feed(int fd, enum becky_encoding encoding, struct intake *in,
		      bool *rebuilt_r, bool *eol_r, struct err *e)
{
	char *bytes = mem_alloc(READ_SIZE);
	struct buf text = BUF_INIT;
	struct quoting q = { .column = 0 };
	bool first = true;
	ssize_t got;
	int ret = -1;

	*rebuilt_r = false;
	*eol_r = true;
	do {
		got = walk_read(fd, bytes, READ_SIZE);
		if (got < 0) {
			err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_LATER,
				"an attachment: %s", strerror(errno));
			goto out;
		}
		if (first)
			*rebuilt_r = !is_encoded(encoding, bytes, (size_t)got);
		first = false;
		buf_reset(&text);
		if (*rebuilt_r)
			encode(encoding, &q, &text, bytes, (size_t)got);
		else
			buf_add(&text, bytes, (size_t)got);
		if (text.len)
			*eol_r = text.data[text.len - 1] == '\n';
		if (intake_add(in, text.data, text.len, e) < 0)
			goto out;
	} while (got > 0);
	ret = 0;
out:
	buf_free(&text);
	free(bytes);
	return ret;
}

/* --- what there is --- */

static uint64_t fnv1a(uint64_t hash, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)s[i]) * UINT64_C(0x100000001B3);
	return hash;
}

static void add_tree(struct walk *w, const char *dir, unsigned depth,
		     uint64_t *hash, size_t *n)
{
	struct walk_dir d = { .n = 0 };
	struct buf text = BUF_INIT, rel = BUF_INIT;
	struct err ignored;

	if (depth == DEPTH_MOST || walk_list(w, dir, &d, &ignored) < 0)
		return;
	for (size_t i = 0; i < d.n; i++) {
		struct stat st;

		buf_reset(&rel);
		buf_reset(&text);
		dbx_join(&rel, dir, d.entries[i].name);
		if (d.entries[i].kind == 'd') {
			add_tree(w, rel.data, depth + 1, hash, n);
		} else if (d.entries[i].kind == 'f' &&
			   walk_stat(w, rel.data, &st) == 0) {
			buf_addf(&text, "%s ", rel.data);
			walk_add_identity(&text, &st);
			*hash = fnv1a(*hash, text.data, text.len + 1);
			(*n)++;
		}
	}
	buf_free(&text);
	buf_free(&rel);
	walk_dir_free(&d);
}

void becky_attach_fingerprint(struct walk *w, const char *dir, struct buf *out)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);
	size_t n = 0;

	add_tree(w, dir, 0, &hash, &n);
	buf_addf(out, "%zu:%016llx", n, (unsigned long long)hash);
}
