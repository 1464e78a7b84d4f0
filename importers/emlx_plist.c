/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The property list behind a message: flags and date-received. As Apple's
   CFBinaryPList.c and the DTD of XML lists have them; only the top dictionary is
   read. */
#include "importers/emlx.h"

#include <string.h>

#include "core/base/ascii.h"
#include "core/base/date.h"

enum { TRAILER = 32 };

static const int64_t year_2001 =
	978307200; /* dates of binary lists count from */

enum wanted { WANT_NOTHING, WANT_FLAGS, WANT_RECEIVED };

static enum wanted wanted_key(const char *s, size_t n)
{
	if (n == 5 && !memcmp(s, "flags", 5))
		return WANT_FLAGS;
	if (n == 13 && !memcmp(s, "date-received", 13))
		return WANT_RECEIVED;
	return WANT_NOTHING;
}

static void keep_number(struct emlx_info *info, enum wanted key, uint64_t value)
{
	if (key == WANT_FLAGS) {
		info->has_flags = true;
		info->flags = value;
	} else if (key == WANT_RECEIVED && value && value <= INT64_MAX) {
		info->received = (int64_t)value;
	}
}

/* --- XML --- */

/* Digits with a sign; what is behind a point is of no account. False if there are
   none, or too many. */
static bool read_integer(const char *s, size_t n, uint64_t *value_r)
{
	bool minus = false;
	uint64_t value = 0;
	size_t digits = 0;

	while (n && strchr(" \t\r\n+", *s) && *s)
		s++, n--;
	if (n && *s == '-') {
		minus = true;
		s++, n--;
	}
	for (; n && ascii_is_digit(*s); s++, n--, digits++) {
		if (value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*s - '0');
	}
	*value_r = minus ? 0 - value : value;
	return digits;
}

static void keep_text(struct emlx_info *info, enum wanted key, bool is_date,
		      const char *s, size_t n)
{
	char text[40];
	uint64_t value;

	if (!is_date) {
		if (read_integer(s, n, &value))
			keep_number(info, key, value);
		return;
	}
	if (key != WANT_RECEIVED || n >= sizeof(text))
		return;
	memcpy(text, s, n);
	text[n] = '\0';
	info->received = date_parse_iso(text);
}

struct tag {
	const char *name;
	size_t n;
	bool closing, empty;
};

/* The tag that begins at s, a '<'. Returns what is behind it, or NULL. */
static const char *read_tag(const char *s, const char *end, struct tag *tag)
{
	const char *gt = memchr(s, '>', (size_t)(end - s));

	if (!gt)
		return NULL;
	s++;
	*tag = (struct tag){ .closing = s < gt && *s == '/' };
	s += tag->closing;
	tag->name = s;
	while (s < gt && !strchr(" \t\r\n/", *s))
		s++;
	tag->n = (size_t)(s - tag->name);
	tag->empty = gt > tag->name && gt[-1] == '/';
	return gt + 1;
}

static bool is(const struct tag *tag, const char *name)
{
	return strlen(name) == tag->n && !memcmp(tag->name, name, tag->n);
}

static bool is_container(const struct tag *tag)
{
	return is(tag, "dict") || is(tag, "array");
}

static void read_xml(const char *s, const char *end, struct emlx_info *info)
{
	enum wanted key = WANT_NOTHING;
	unsigned depth = 0;
	struct tag tag;

	while ((s = memchr(s, '<', (size_t)(end - s)))) {
		const char *lt;

		s = read_tag(s, end, &tag);
		if (!s)
			return;
		lt = memchr(s, '<', (size_t)(end - s));
		if (!lt)
			lt = end;
		if (is_container(&tag)) {
			if (tag.closing)
				depth -= depth > 0;
			else
				depth += !tag.empty;
			key = WANT_NOTHING;
		} else if (depth == 1 && !tag.closing && is(&tag, "key")) {
			key = wanted_key(s, (size_t)(lt - s));
		} else if (depth == 1 && !tag.closing && key) {
			if (is(&tag, "integer") || is(&tag, "real") ||
			    is(&tag, "string") || is(&tag, "date"))
				keep_text(info, key, is(&tag, "date"), s,
					  (size_t)(lt - s));
			key = WANT_NOTHING;
		}
		s = lt;
	}
}

/* --- binary --- */

struct binary {
	const unsigned char *bytes;
	uint64_t n, objects, table;
	size_t offset_size, ref_size;
};

static uint64_t big_endian(const unsigned char *p, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[i];
	return value;
}

/* Where object ref begins; 0 if it is none. */
static uint64_t object_at(const struct binary *b, uint64_t ref)
{
	uint64_t at;

	if (ref >= b->objects)
		return 0;
	at = big_endian(b->bytes + b->table + ref * b->offset_size,
			b->offset_size);
	return at >= 8 && at < b->table ? at : 0;
}

/* The length in the marker at *at, which moves behind it. False if it is cut off. */
static bool read_length(const struct binary *b, uint64_t *at, uint64_t *n_r)
{
	unsigned low = b->bytes[(*at)++] & 0x0F;
	size_t size;

	*n_r = low;
	if (low < 0x0F)
		return true;
	if (*at >= b->table || (b->bytes[*at] & 0xF0) != 0x10 ||
	    (b->bytes[*at] & 0x0F) > 3)
		return false;
	size = (size_t)1 << (b->bytes[*at] & 0x0F);
	++*at;
	if (b->table - *at < size)
		return false;
	*n_r = big_endian(b->bytes + *at, size);
	*at += size;
	return true;
}

static enum wanted binary_key(const struct binary *b, uint64_t ref)
{
	uint64_t at = object_at(b, ref), n;

	if (!at || (b->bytes[at] & 0xF0) != 0x50 || !read_length(b, &at, &n) ||
	    n > b->table - at)
		return WANT_NOTHING;
	return wanted_key((const char *)b->bytes + at, (size_t)n);
}

static double read_real(const unsigned char *p, size_t size)
{
	uint64_t bits = big_endian(p, size);
	uint32_t bits32 = (uint32_t)bits;
	double d;
	float f;

	if (size == 8) {
		memcpy(&d, &bits, sizeof(d));
		return d;
	}
	memcpy(&f, &bits32, sizeof(f));
	return (double)f;
}

static void binary_value(const struct binary *b, uint64_t ref, enum wanted key,
			 struct emlx_info *info)
{
	uint64_t at = object_at(b, ref);
	unsigned marker, size_bits;
	size_t size;
	double real;

	if (!at)
		return;
	marker = b->bytes[at++];
	size_bits = marker & 0x0F;
	size = (size_t)1 << (size_bits < 8 ? size_bits : 0);
	if (b->table - at < size)
		return;
	if ((marker & 0xF0) == 0x10 && size_bits <= 4) {
		/* Of sixteen bytes the low eight: there is nothing so large. */
		keep_number(info, key,
			    big_endian(b->bytes + at + (size > 8 ? 8 : 0),
				       size > 8 ? 8 : size));
		return;
	}
	if (marker != 0x33 && marker != 0x22 && marker != 0x23)
		return;
	real = read_real(b->bytes + at, size);
	if (!(real > -1e15 && real < 1e15))
		return;
	if (marker == 0x33 && key == WANT_RECEIVED)
		info->received = (int64_t)real + year_2001;
	else if (marker != 0x33 && real > 0)
		keep_number(info, key, (uint64_t)real);
}

static void read_top(const struct binary *b, uint64_t top,
		     struct emlx_info *info)
{
	uint64_t at = object_at(b, top), n;

	if (!at || (b->bytes[at] & 0xF0) != 0xD0 || !read_length(b, &at, &n) ||
	    n > (b->table - at) / (2 * b->ref_size))
		return;
	for (uint64_t i = 0; i < n; i++) {
		const unsigned char *ref = b->bytes + at + i * b->ref_size;
		enum wanted key = binary_key(b, big_endian(ref, b->ref_size));

		if (key)
			binary_value(b,
				     big_endian(ref + n * b->ref_size,
						b->ref_size),
				     key, info);
	}
}

static void read_binary(const char *bytes, size_t n, struct emlx_info *info)
{
	struct binary b = { .bytes = (const unsigned char *)bytes, .n = n };
	const unsigned char *trailer;

	if (n < 8 + TRAILER)
		return;
	trailer = b.bytes + n - TRAILER;
	b.offset_size = trailer[6];
	b.ref_size = trailer[7];
	b.objects = big_endian(trailer + 8, 8);
	b.table = big_endian(trailer + 24, 8);
	if (!b.offset_size || b.offset_size > 8 || !b.ref_size ||
	    b.ref_size > 8 || b.table < 8 || b.table > n - TRAILER ||
	    b.objects > (n - TRAILER - b.table) / b.offset_size)
		return;
	read_top(&b, big_endian(trailer + 16, 8), info);
}

void emlx_plist_read(const char *bytes, size_t n, struct emlx_info *info_r)
{
	*info_r = (struct emlx_info){ .received = DATE_NONE };
	while (n && (*bytes == '\n' || *bytes == '\r'))
		bytes++, n--;
	if (n >= 8 && !memcmp(bytes, "bplist00", 8))
		read_binary(bytes, n, info_r);
	else
		read_xml(bytes, bytes + n, info_r);
}
