/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: every decoder's output is valid UTF-8; a name survives modified
   UTF-7 and back, and what decodes is the one spelling of its name; NFC of NFC is
   itself; a header for people has no control characters and no runs of blanks. */
#include "core/base/utf8.h"

#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_be_valid(const struct buf *b)
{
	must(utf8_valid(b->data, b->len));
	must(b->data[b->len] == '\0');
}

static void check_mutf7(const char *s, size_t n)
{
	struct buf out = BUF_INIT, back = BUF_INIT;

	utf8_to_mutf7(&out, s, n);
	if (utf8_valid(s, n) && !memchr(s, '\0', n)) {
		must(utf8_from_mutf7(&back, out.data, out.len) == 0);
		must(back.len == n && !memcmp(back.data, s, n));
	}
	buf_reset(&back);
	buf_reset(&out);
	if (utf8_from_mutf7(&back, s, n) == 0) {
		must_be_valid(&back);
		utf8_to_mutf7(&out, back.data, back.len);
		must(out.len == n && !memcmp(out.data, s, n));
	} else {
		must(!back.len);
	}
	buf_free(&out);
	buf_free(&back);
}

static void check_nfc(const char *s, size_t n)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;

	utf8_add_nfc(&once, s, n);
	utf8_add_nfc(&twice, once.data, once.len);
	must(buf_equal(&once, &twice));
	must(utf8_valid(s, n) == utf8_valid(once.data, once.len));
	buf_free(&once);
	buf_free(&twice);
}

static void check_header(const char *s, size_t n)
{
	struct buf out = BUF_INIT;

	utf8_add_header(&out, s, n);
	must_be_valid(&out);
	for (size_t i = 0; i < out.len; i++) {
		must((unsigned char)out.data[i] >= ' ' && out.data[i] != 0x7F);
		must(out.data[i] != ' ' || out.data[i + 1] > ' ' ||
		     out.data[i + 1] < 0);
	}
	buf_free(&out);
}

/* The C library loads a charset's module when it is first opened and drops it soon
   after the last close. Kept open they stay, and this runs ten times as fast. */
static void keep_loaded(const char *const *charsets, size_t n)
{
	static iconv_t kept[32];

	for (size_t i = 0; i < n && i < 32 && !kept[i]; i++)
		kept[i] = iconv_open("UTF-8", charsets[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = {
		"CP932", "EUC-JP-MS", "EUC-JP", "ISO-2022-JP", "UTF-8",
		"GB18030", "Big5", "BIG5-HKSCS", "EUC-KR", "UHC", "UTF-7",
		"UTF-16", "ISO-2022-KR", "ISO-2022-JP-2", "ISO-2022-JP-3",
		"windows-1258", "Shift_JIS-2004", "SHIFT_JISX0213", "none",
	};
	const char *s = (const char *)data;
	struct buf out = BUF_INIT;
	int width;

	keep_loaded(charsets, sizeof(charsets) / sizeof(charsets[0]));
	check_mutf7(s, size);
	check_nfc(s, size);
	check_header(s, size);
	utf8_add_guessed(&out, s, size);
	must_be_valid(&out);
	buf_reset(&out);
	if (size) {
		size_t i = data[0] % (sizeof(charsets) / sizeof(charsets[0]));

		utf8_add_from(&out, charsets[i], s + 1, size - 1);
		must_be_valid(&out);
	}
	width = utf8_width(s, size);
	must(width >= 0 && (size_t)width <= 2 * size);
	buf_free(&out);
	return 0;
}
