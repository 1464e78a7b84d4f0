/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folder names of Thunderbird: from the name to the file and, as far as
   anything in the profile knows, back. */
#include "importers/thunderbird_names.h"

#include <iconv.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "importers/mork.h"

enum {
	NAME_UNITS = 55, /* longest name in UTF-16 units */
	HASH_DIGITS = 8,
};

/* The next code point of valid UTF-8. */
static uint32_t code_point(const unsigned char **p)
{
	const unsigned char *s = *p;
	unsigned more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];

	for (unsigned i = 1; i <= more; i++)
		c = c << 6 | (s[i] & 0x3f);
	*p = s + more + 1;
	return c;
}

static uint32_t hash_byte(uint32_t h, unsigned byte)
{
	return 0x63c63cd9u * h + 0x9c39c33du + byte;
}

static uint32_t hash_unit(uint32_t h, uint32_t unit)
{
	return hash_byte(hash_byte(h, unit & 0xff), unit >> 8);
}

/* Over the UTF-16LE bytes of a valid UTF-8 name. */
static uint32_t hash_utf16(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	uint32_t h = 1;

	while (*p) {
		uint32_t c = code_point(&p);

		if (c >= 0x10000) {
			h = hash_unit(h, 0xd800 + ((c - 0x10000) >> 10));
			h = hash_unit(h, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			h = hash_unit(h, c);
		}
	}
	return h;
}

/* Over the bytes: what versions before Unicode paths did. */
static uint32_t hash_bytes(const char *name)
{
	uint32_t h = 1;

	for (; *name; name++)
		h = hash_byte(h, (unsigned char)*name);
	return h;
}

static bool is_illegal(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	       (c < 0x80 && strchr("/\\:*?\"<>|;#", (int)c));
}

/* Bytes of name that stay in front of the hash, or its length if it needs none.
 */
static size_t kept_part(const char *name)
{
	const unsigned char *p = (const unsigned char *)name, *bad = NULL,
			    *last = p;
	const unsigned char *cut = NULL;
	size_t units = 0;
	uint32_t c = 0;

	if (*name == '.')
		return 0;
	while (*p) {
		last = p;
		c = code_point(&p);
		if (!bad && is_illegal(c))
			bad = last;
		units += c >= 0x10000 ? 2 : 1;
		if (!cut && units > NAME_UNITS - HASH_DIGITS)
			cut = last;
	}
	if (!bad && (c == '.' || c == '~' || c == ' '))
		bad = last;
	if (cut && (bad ? cut < bad : units > NAME_UNITS))
		bad = cut;
	return bad ? (size_t)((const char *)bad - name) : strlen(name);
}

void tb_name_to_file(struct buf *out, const char *name)
{
	size_t kept;

	if (!utf8_valid(name, strlen(name))) {
		buf_add_str(out, name);
		return;
	}
	kept = kept_part(name);
	buf_add(out, name, kept);
	if (name[kept])
		buf_addf(out, "%08x", hash_utf16(name));
}

bool tb_name_looks_hashed(const char *leaf)
{
	size_t n = strlen(leaf);

	return n >= HASH_DIGITS && strspn(leaf + n - HASH_DIGITS,
					  "0123456789abcdef") == HASH_DIGITS;
}

static bool nfc_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool equal;

	if (a_len == b_len && !memcmp(a, b, a_len))
		return true;
	utf8_add_nfc(&x, a, a_len);
	utf8_add_nfc(&y, b, b_len);
	equal = buf_equal(&x, &y);
	buf_free(&x);
	buf_free(&y);
	return equal;
}

/* The hashes that versions made of a name, computed once. */
enum { PRINTS = 4 };
struct prints {
	uint32_t hash[PRINTS];
	unsigned n;
};

/* The converters to what were the charsets of file names on Japanese systems
   when names were hashed byte by byte. */
static const char *const charsets[] = { "CP932", "EUC-JP" };
enum { CHARSETS = sizeof(charsets) / sizeof(charsets[0]) };
struct converters {
	iconv_t to[CHARSETS];
};

static void converters_open(struct converters *c)
{
	for (size_t i = 0; i < CHARSETS; i++)
		c->to[i] = iconv_open(charsets[i], "UTF-8");
}

static void converters_close(struct converters *c)
{
	for (size_t i = 0; i < CHARSETS; i++)
		if (c->to[i] != (iconv_t)-1)
			iconv_close(c->to[i]);
}

static bool convert(iconv_t to, const char *name, char *out, size_t n)
{
	char *from = (char *)(uintptr_t)name;
	size_t left = strlen(name), room = n - 1;

	if (to == (iconv_t)-1)
		return false;
	iconv(to, NULL, NULL, NULL, NULL);
	if (iconv(to, &from, &left, &out, &room) != 0)
		return false;
	*out = '\0';
	return true;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static struct prints prints_of(const struct converters *c, const char *name)
{
	struct prints p = { .hash = { hash_bytes(name) }, .n = 1 };
	char native[1024];

	if (!utf8_valid(name, strlen(name)))
		return p;
	p.hash[p.n++] = hash_utf16(name);
	if (is_ascii(name))
		return p;
	for (size_t i = 0; i < CHARSETS; i++)
		if (convert(c->to[i], name, native, sizeof(native)))
			p.hash[p.n++] = hash_bytes(native);
	return p;
}

static bool begins_with(const struct buf *name, const char *leaf, size_t n)
{
	struct buf text = BUF_INIT, prefix = BUF_INIT;
	bool begins;

	utf8_add_guessed(&text, leaf, n);
	utf8_add_nfc(&prefix, text.data, text.len);
	begins = prefix.len <= name->len &&
		 !memcmp(prefix.data, name->data, prefix.len);
	buf_free(&text);
	buf_free(&prefix);
	return begins;
}

/* The digits are right; the part in front of them has to begin the name too. A
   file system may have decomposed it, so lengths in bytes prove nothing, and
   where bytes were counted it may end in half a character. */
static bool prefix_fits(const char *leaf, size_t n, const char *name)
{
	struct buf whole = BUF_INIT;
	bool fits;

	utf8_add_nfc(&whole, name, strlen(name));
	fits = begins_with(&whole, leaf, n) ||
	       (n && (unsigned char)leaf[n - 1] >= 0x80 &&
		begins_with(&whole, leaf, n - 1));
	buf_free(&whole);
	return fits;
}

static bool has_print(const struct prints *p, uint32_t hash)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->hash[i] == hash)
			return true;
	return false;
}

static bool hashed_as(const char *leaf, const char *name,
		      const struct prints *p)
{
	size_t n = strlen(leaf);

	if (!tb_name_looks_hashed(leaf) ||
	    !has_print(p, (uint32_t)strtoul(leaf + n - HASH_DIGITS, NULL, 16)))
		return false;
	return prefix_fits(leaf, n - HASH_DIGITS, name);
}

bool tb_name_fits(const char *leaf, const char *name)
{
	struct converters c;
	struct prints p;

	if (nfc_equal(leaf, strlen(leaf), name, strlen(name)))
		return true;
	if (!tb_name_looks_hashed(leaf))
		return false;
	converters_open(&c);
	p = prints_of(&c, name);
	converters_close(&c);
	return hashed_as(leaf, name, &p);
}

/* --- percent --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that s (of n bytes) begins with as %XX, or -1. */
static int percent_byte(const char *s, size_t n)
{
	if (n < 3 || s[0] != '%' || hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0)
		return -1;
	return hex_digit(s[1]) << 4 | hex_digit(s[2]);
}

void tb_uri_decode(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int byte = percent_byte(s + i, n - i);

		buf_add_char(out, byte < 0 ? s[i] : (char)byte);
		if (byte >= 0)
			i += 2;
	}
}

/* Only what EncodeFilename encodes is taken for its work. */
bool tb_name_decode(struct buf *out, const char *leaf)
{
	size_t n = strlen(leaf);
	bool any = false;

	buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		int byte = percent_byte(leaf + i, n - i);

		if (byte < 0) {
			if (leaf[i] == '%')
				goto no;
			buf_add_char(out, leaf[i]);
			continue;
		}
		if (byte == 0 ||
		    (byte >= 0x20 && !strchr("%<>:\"/\\|?*.", byte)))
			goto no;
		buf_add_char(out, (char)byte);
		any = true;
		i += 2;
	}
	if (any)
		return true;
no:
	buf_reset(out);
	return false;
}

/* --- what the profile knows --- */

struct cached {
	char *file; /* with '/', NFC */
	size_t len;
	char *name; /* NULL: not said */
	uint64_t flags;
	bool stale;
};
struct candidate {
	char *name;
	struct prints prints;
};
struct tb_names {
	struct cached *cached;
	size_t n_cached, cap_cached;
	struct candidate *candidates;
	size_t n_candidates, cap_candidates;
	struct converters converters;
};

/* A profile mentions each folder a few times; more than this is no profile. */
enum { CANDIDATES_MAX = 1 << 20 };

struct tb_names *tb_names_new(void)
{
	struct tb_names *names = mem_zalloc(sizeof(*names));

	converters_open(&names->converters);
	return names;
}

void tb_names_free(struct tb_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->n_cached; i++) {
		free(names->cached[i].file);
		free(names->cached[i].name);
	}
	for (size_t i = 0; i < names->n_candidates; i++)
		free(names->candidates[i].name);
	free(names->cached);
	free(names->candidates);
	converters_close(&names->converters);
	free(names);
}

static void add_candidate(struct tb_names *names, const char *name)
{
	if (!*name || names->n_candidates == CANDIDATES_MAX)
		return;
	if (names->n_candidates == names->cap_candidates) {
		names->cap_candidates = names->cap_candidates * 2 + 64;
		names->candidates =
			mem_realloc(names->candidates,
				    names->cap_candidates *
					    sizeof(*names->candidates));
	}
	names->candidates[names->n_candidates++] = (struct candidate){
		.name = mem_strdup(name),
		.prints = prints_of(&names->converters, name),
	};
}

static void normal_path(struct buf *out, const char *path)
{
	struct buf text = BUF_INIT;

	utf8_add_guessed(&text, path, strlen(path));
	buf_reset(out);
	utf8_add_nfc(out, text.data, text.len);
	buf_free(&text);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\\')
			out->data[i] = '/';
}

/* name may be NULL. */
static void add_cached(struct tb_names *names, const char *file,
		       const char *name, uint64_t flags, bool stale)
{
	struct cached *c;
	struct buf path = BUF_INIT;

	if (names->n_cached == names->cap_cached) {
		names->cap_cached = names->cap_cached * 2 + 64;
		names->cached =
			mem_realloc(names->cached,
				    names->cap_cached * sizeof(*names->cached));
	}
	normal_path(&path, file);
	c = &names->cached[names->n_cached++];
	*c = (struct cached){ .len = path.len, .flags = flags, .stale = stale };
	c->file = buf_detach(&path);
	if (name && *name) {
		c->name = mem_strdup(name);
		add_candidate(names, name);
	}
}

static void add_entry(struct tb_names *names, const char *file, json_t *entry)
{
	json_t *flags = json_object_get(entry, "flags");
	uint64_t bits = 0;

	if (json_is_integer(flags))
		bits = (uint64_t)json_integer_value(flags);
	else if (json_is_string(flags))
		bits = strtoull(json_string_value(flags), NULL, 10);
	add_cached(names, file,
		   json_string_value(json_object_get(entry, "folderName")),
		   bits, false);
}

bool tb_names_add_cache(struct tb_names *names, const char *json, size_t n)
{
	json_t *root = json_loadb(json, n, 0, NULL), *entry;
	bool good = json_is_object(root);
	const char *file;

	json_object_foreach(root, file, entry) if (json_is_object(entry))
		add_entry(names, file, entry);
	json_decref(root);
	return good;
}

enum panacea { PANACEA_KEY, PANACEA_NAME, PANACEA_FLAGS };

bool tb_names_add_panacea(struct tb_names *names, const char *mork, size_t n,
			  bool stale)
{
	static const char *const scopes[] = { "ns:msg:db:row:scope:folders:all",
					      NULL };
	static const char *const columns[] = {
		[PANACEA_KEY] = "key",
		[PANACEA_NAME] = "folderName",
		[PANACEA_FLAGS] = "flags",
		NULL,
	};
	struct buf key = BUF_INIT, name = BUF_INIT;
	struct mork *m;

	if (n > MORK_MAX || !mork_begins(mork, n))
		return false;
	m = mork_parse(mork, n, scopes, columns,
		       "ns:msg:db:table:kind:folders");
	for (size_t row = 0; row < mork_rows(m); row++) {
		uint64_t flags;

		mork_cell_hex(m, row, PANACEA_FLAGS, &flags);
		mork_cell(m, row, PANACEA_NAME, &name);
		if (mork_row_listed(m, row) &&
		    mork_cell(m, row, PANACEA_KEY, &key) && key.len)
			add_cached(names, key.data, name.data,
				   stale ? 0 : flags, stale);
	}
	mork_free(m);
	buf_free(&key);
	buf_free(&name);
	return true;
}

static void add_uri(struct tb_names *names, const char *s, size_t n)
{
	const char *end = s + n, *slash = memchr(s, '/', n);
	struct buf name = BUF_INIT;

	while (slash) {
		s = slash + 1;
		slash = memchr(s, '/', (size_t)(end - s));
		buf_reset(&name);
		tb_uri_decode(&name, s, (size_t)((slash ? slash : end) - s));
		add_candidate(names, name.data);
	}
	buf_free(&name);
}

void tb_names_add_uris(struct tb_names *names, const char *text, size_t n)
{
	static const char *const schemes[] = { "mailbox://", "imap://" };

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);
		const char *p = text, *end = text + n;

		while ((p = memmem(p, (size_t)(end - p), schemes[i], len))) {
			const char *s = p += len;

			/* URIs are percent-encoded: these end them. */
			while (p < end && (unsigned char)*p > ' ' &&
			       *p != '"' && *p != '\\' && *p != '|' &&
			       *p != '<' && *p != '>')
				p++;
			add_uri(names, s, (size_t)(p - s));
		}
	}
}

enum rank { RANK_NONE, RANK_HINT, RANK_HASHED, RANK_SHOWN, RANK_EXACT };

static enum rank rank_of(const struct cached *c, const char *leaf, bool exact)
{
	if (!c->name)
		return RANK_NONE;
	if (exact)
		return RANK_EXACT;
	if (!strcmp(c->name, leaf))
		return tb_name_looks_hashed(leaf) ? RANK_SHOWN : RANK_HINT;
	return tb_name_fits(leaf, c->name) ? RANK_HASHED : RANK_SHOWN;
}

bool tb_names_cached(const struct tb_names *names, const char *file,
		     const char *tail, const char *leaf, struct tb_cached *c_r)
{
	struct buf want = BUF_INIT, whole = BUF_INIT;
	enum rank best = RANK_NONE;
	bool known = false;

	*c_r = (struct tb_cached){ 0 };
	normal_path(&want, tail);
	normal_path(&whole, file);
	for (size_t i = 0; i < names->n_cached; i++) {
		const struct cached *c = &names->cached[i];
		enum rank rank;

		if (c->len <= want.len ||
		    c->file[c->len - want.len - 1] != '/' ||
		    memcmp(c->file + c->len - want.len, want.data, want.len))
			continue;
		known |= !c->stale;
		c_r->flags |= c->flags;
		rank = rank_of(c, leaf, !strcmp(c->file, whole.data));
		if (rank > best) {
			best = rank;
			c_r->name = c->name;
		}
	}
	buf_free(&want);
	buf_free(&whole);
	return known;
}

const char *tb_names_candidate(const struct tb_names *names, const char *leaf)
{
	const char *same = NULL;

	for (size_t i = 0; i < names->n_candidates; i++) {
		const struct candidate *c = &names->candidates[i];

		if (!strcmp(c->name, leaf))
			same = c->name;
		else if (hashed_as(leaf, c->name, &c->prints))
			return c->name;
	}
	return same;
}
