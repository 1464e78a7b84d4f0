/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed RTF, by libpst. Its sizes are looked at before, for libpst believes them. */
#include "importers/pst_rtf.h"

#include <libpst/common.h>
#include <libpst/lzfu.h>
#include <string.h>

#include "core/base/buf.h"

enum { HEAD = 16, SIZE_AT = 4, MAGIC_AT = 8 };

static uint32_t number_at(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

char *pst_rtf_unpack(char *packed, size_t n, size_t *n_r)
{
	size_t size;

	if (n < HEAD || n > PST_RTF_MAX)
		return NULL;
	size = number_at(packed + SIZE_AT);
	/* 17 bits at best say 17 bytes. */
	if (size > PST_RTF_MAX || size / 9 > n)
		return NULL;
	if (!memcmp(packed + MAGIC_AT, "LZFu", 4))
		return pst_lzfu_decompress(packed, (uint32_t)n, n_r);
	if (memcmp(packed + MAGIC_AT, "MELA", 4) || size > n - HEAD)
		return NULL;
	*n_r = size;
	return mem_strndup(packed + HEAD, size);
}
