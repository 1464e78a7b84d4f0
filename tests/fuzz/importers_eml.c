/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: what is taken for debris is in front, UTF-16 becomes valid
   UTF-8, and in pieces it becomes the same as at once. */
#include "importers/eml.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_utf16(const char *bytes, size_t n, bool big)
{
	struct eml_utf16 once = { .big = big }, pieces = { .big = big };
	struct buf a = BUF_INIT, b = BUF_INIT;

	eml_utf16_add(&once, bytes, n, &a);
	eml_utf16_end(&once, &a);
	for (size_t i = 0; i < n; i++)
		eml_utf16_add(&pieces, bytes + i, 1, &b);
	eml_utf16_end(&pieces, &b);
	must(buf_equal(&a, &b) && utf8_valid(a.data, a.len));
	buf_free(&a);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct eml_debris debris;
	size_t skip;

	eml_coding_of(text, size, &skip);
	must(skip <= size && skip <= 3);
	eml_debris_find(text, size, &debris);
	must(debris.len <= size);
	must(!debris.len || text[debris.len - 1] == '\n');
	/* What is surely mail is mail. */
	must(!eml_head_is_mail(text, size, true) ||
	     eml_head_is_mail(text, size, false));
	check_utf16(text, size, false);
	check_utf16(text, size, true);
	return 0;
}
