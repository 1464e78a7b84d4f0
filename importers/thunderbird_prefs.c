/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings file of a Thunderbird profile (formats.md section 2.2). The
   program reads it with a small parser of its own (modules/libpref), not as
   JavaScript; so do we. */
#include "importers/thunderbird_prefs.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

struct pref {
	char *key, *value;
	size_t order;
};
struct tb_prefs {
	struct pref *prefs;
	size_t n, cap, order;
};

struct input {
	const char *p, *end;
};

struct tb_prefs *tb_prefs_new(void)
{
	return mem_zalloc(sizeof(struct tb_prefs));
}

static void free_pref(struct pref *p)
{
	free(p->key);
	free(p->value);
}

void tb_prefs_free(struct tb_prefs *prefs)
{
	if (!prefs)
		return;
	for (size_t i = 0; i < prefs->n; i++)
		free_pref(&prefs->prefs[i]);
	free(prefs->prefs);
	free(prefs);
}

static void skip_past(struct input *in, const char *what)
{
	size_t n = strlen(what);
	const char *p = memmem(in->p, (size_t)(in->end - in->p), what, n);

	in->p = p ? p + n : in->end;
}

static bool begins(const struct input *in, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(in->end - in->p) >= n && !memcmp(in->p, what, n);
}

static void skip_blank(struct input *in)
{
	while (in->p < in->end && strchr(" \t\r\n", *in->p) && *in->p)
		in->p++;
}

/* Comments stand between settings only; inside of one, looking for the end of
   each that has none would take for ever. */
static void skip_comments(struct input *in)
{
	for (;;) {
		skip_blank(in);
		if (in->p == in->end)
			return;
		if (*in->p == '#' || begins(in, "//"))
			skip_past(in, "\n");
		else if (begins(in, "/*"))
			skip_past(in, "*/");
		else
			return;
	}
}

static bool accept(struct input *in, char c)
{
	skip_blank(in);
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

static bool read_hex(struct input *in, unsigned digits, uint32_t *value_r)
{
	*value_r = 0;
	while (digits--) {
		char c = in->p < in->end ? *in->p : '\0';

		if (c >= '0' && c <= '9')
			*value_r = *value_r << 4 | (uint32_t)(c - '0');
		else if ((c |= 0x20) >= 'a' && c <= 'f')
			*value_r = *value_r << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
		in->p++;
	}
	return true;
}

static void add_utf8(struct buf *out, uint32_t c)
{
	char s[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)(first[n] | c);
	buf_add(out, s, n);
}

/* Behind "\u". Characters beyond the BMP come as two; half of one is none. */
static bool read_utf16(struct input *in, struct buf *out)
{
	uint32_t high, low;

	if (!read_hex(in, 4, &high))
		return false;
	if (high >= 0xd800 && high < 0xdc00 && begins(in, "\\u")) {
		struct input back = *in;

		in->p += 2;
		if (read_hex(in, 4, &low) && low >= 0xdc00 && low < 0xe000)
			high = 0x10000 + ((high - 0xd800) << 10) +
			       (low - 0xdc00);
		else
			*in = back;
	}
	if (high >= 0xd800 && high < 0xe000)
		high = 0xfffd;
	add_utf8(out, high);
	return true;
}

static bool read_escape(struct input *in, struct buf *out)
{
	char c = in->p < in->end ? *in->p++ : '\0';
	uint32_t value;

	switch (c) {
	case 'n':
		buf_add_char(out, '\n');
		return true;
	case 'r':
		buf_add_char(out, '\r');
		return true;
	case 'x':
		if (!read_hex(in, 2, &value))
			return false;
		add_utf8(out, value);
		return true;
	case 'u':
		return read_utf16(in, out);
	case '\0':
		return false;
	default: /* a quote, a backslash, and whatever else stands for itself */
		buf_add_char(out, c);
		return true;
	}
}

static bool read_string(struct input *in, struct buf *out)
{
	char quote;

	skip_blank(in);
	if (in->p == in->end || (*in->p != '"' && *in->p != '\''))
		return false;
	quote = *in->p++;
	while (in->p < in->end) {
		char c = *in->p++;

		if (c == quote)
			return memchr(out->data, '\0', out->len) == NULL;
		if (c != '\\')
			buf_add_char(out, c);
		else if (!read_escape(in, out))
			return false;
	}
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
}

static void read_word(struct input *in, struct buf *out)
{
	skip_blank(in);
	for (; in->p < in->end && is_word(*in->p); in->p++)
		buf_add_char(out, *in->p);
}

static void add_pref(struct tb_prefs *prefs, const char *key, const char *value)
{
	if (prefs->n == prefs->cap) {
		prefs->cap = prefs->cap * 2 + 256;
		prefs->prefs = mem_realloc(prefs->prefs,
					   prefs->cap * sizeof(*prefs->prefs));
	}
	prefs->prefs[prefs->n++] = (struct pref){
		.key = mem_strdup(key),
		.value = mem_strdup(value),
		.order = prefs->order++,
	};
}

/* One setting, or nothing. */
static bool read_pref(struct tb_prefs *prefs, struct input *in, struct buf *key,
		      struct buf *value)
{
	static const char *const verbs[] = { "user_pref", "pref",
					     "sticky_pref" };
	bool known = false;

	buf_reset(key);
	buf_reset(value);
	read_word(in, key);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		known |= !strcmp(key->data, verbs[i]);
	buf_reset(key);
	if (!known || !accept(in, '(') || !read_string(in, key) ||
	    !accept(in, ','))
		return false;
	skip_blank(in);
	if (in->p < in->end && (*in->p == '"' || *in->p == '\'')) {
		if (!read_string(in, value))
			return false;
	} else {
		read_word(in, value);
		if (!value->len)
			return false;
	}
	if (!accept(in, ')'))
		return false;
	add_pref(prefs, key->data, value->data);
	return true;
}

static int by_key_and_order(const void *a, const void *b)
{
	const struct pref *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

static void keep_last(struct tb_prefs *prefs)
{
	size_t kept = 0;

	if (!prefs->n)
		return;
	qsort(prefs->prefs, prefs->n, sizeof(*prefs->prefs), by_key_and_order);
	for (size_t i = 0; i < prefs->n; i++) {
		struct pref *p = &prefs->prefs[i];

		if (i + 1 < prefs->n && !strcmp(p->key, p[1].key))
			free_pref(p);
		else
			prefs->prefs[kept++] = *p;
	}
	prefs->n = kept;
}

void tb_prefs_parse(struct tb_prefs *prefs, const char *bytes, size_t n)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	struct input in = { .p = bytes, .end = bytes + n };

	for (;;) {
		const char *line;

		skip_comments(&in);
		line = in.p;
		if (line == in.end)
			break;
		if (read_pref(prefs, &in, &key, &value)) {
			accept(&in, ';');
			continue;
		}
		/* What is no setting ends with its line; a string that was
		   never closed must not swallow those behind it. */
		in.p = line;
		skip_past(&in, "\n");
	}
	keep_last(prefs);
	buf_free(&key);
	buf_free(&value);
}

static const struct pref *find_pref(const struct tb_prefs *prefs,
				    const char *key)
{
	size_t low = 0, high = prefs->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(key, prefs->prefs[mid].key);

		if (!c)
			return &prefs->prefs[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const char *tb_prefs_get(const struct tb_prefs *prefs, const char *key)
{
	const struct pref *p = find_pref(prefs, key);

	return p ? p->value : NULL;
}

const char *tb_prefs_get3(const struct tb_prefs *prefs, const char *prefix,
			  const char *id, const char *name)
{
	struct buf key = BUF_INIT;
	const char *value;

	buf_addf(&key, "%s%s.%s", prefix, id, name);
	value = tb_prefs_get(prefs, key.data);
	buf_free(&key);
	return value && *value ? value : NULL;
}

size_t tb_prefs_count(const struct tb_prefs *prefs)
{
	return prefs->n;
}

const char *tb_prefs_key(const struct tb_prefs *prefs, size_t nth)
{
	return prefs->prefs[nth].key;
}

const char *tb_prefs_value(const struct tb_prefs *prefs, size_t nth)
{
	return prefs->prefs[nth].value;
}
