/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_BECKYSTORE_H
#define MAILHAUL_TESTS_BECKYSTORE_H

#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

/* Makes .bmf files and Folder.idx as Becky! 2 is known to write them: messages as in SMTP's
   DATA, and a list of columns divided by 0x01 with numbers in hexadecimal. */

/* Append a message: a second dot in front of a line that begins with one, and a line "." at the
   end. Where it begins. */
static inline uint64_t beckystore_message(struct buf *bmf, const char *text)
{
	uint64_t at = bmf->len;

	while (*text) {
		size_t n = strcspn(text, "\n");

		n += text[n] == '\n';
		if (*text == '.')
			buf_add_char(bmf, '.');
		buf_add(bmf, text, n);
		text += n;
	}
	buf_add_str(bmf, ".\r\n");
	return at;
}

static inline void beckystore_begin_index(struct buf *idx)
{
	buf_add_str(idx, "Becky! 2.57.01\r\n");
}

static inline void beckystore_list(struct buf *idx, uint64_t at,
				   const char *file, uint32_t status)
{
	buf_addf(idx,
		 "%llx\x01"
		 "5\x01%s\x01"
		 "\x82\xA8\x8C\xB3\x8B\x43\x01" /* a subject, CP932 */
		 "a@example.jp\x01"
		 "b@example.jp\x01<1@example.jp>\x01\x01"
		 "3eb11b7a\x01"
		 "3eb11b54\x01"
		 "3eb19ca8\x01"
		 "787\x01%06x\x01"
		 "0\x01"
		 "3\x01"
		 "0\x01iso-2022-jp\x01\x01\r\n",
		 (unsigned long long)at, file, status);
}

#endif
