/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: a date that can be read is written in a form that reads
   back as the same instant. */
#include "core/base/date.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Years of four digits from 1900 on; a zone may push a date over their ends. */
static const int64_t FIRST = -INT64_C(2208988800), LAST = INT64_C(253402300800);

static void demand_back(int64_t t)
{
	struct buf text = BUF_INIT;

	date_add_imap(&text, t);
	if (date_parse(text.data, text.len) != t)
		abort();
	buf_reset(&text);
	date_add_iso(&text, t);
	if (date_parse_iso(text.data) != t)
		abort();
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = mem_strndup((const char *)data, n);
	int64_t t[3];

	t[0] = date_parse(text, n);
	t[1] = date_parse_asctime(text, n);
	t[2] = date_parse_iso(text);
	for (int i = 0; i < 3; i++)
		if (t[i] > FIRST && t[i] < LAST)
			demand_back(t[i]);
	free(text);
	return 0;
}
