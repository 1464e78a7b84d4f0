/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X-IMAPbase and X-Keywords: the first line is the value of one, the rest that of
   the other. Whatever they are:

   - no message has a keyword that its file does not list;
   - a field with such keywords is state, and one with none, but with words, is
   not. */
#include "importers/mbox_reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held)
{
	if (!held)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	const char *eol = memchr(text, '\n', n);
	size_t first = eol ? (size_t)(eol - text) : n, rest;
	struct flags known = FLAGS_INIT, f = FLAGS_INIT;
	struct header h = HEADER_INIT;
	bool listed, state;

	if (n > 64 << 10)
		return 0;
	listed = mbox_keywords_of_file(text, first, &known);
	must(listed || !known.keywords.len);
	buf_add_str(&h.raw, "X-Keywords:");
	rest = eol ? n - first - 1 : 0;
	for (size_t i = n - rest; i < n; i++) /* one field, folded */
		buf_add(&h.raw, text[i] == '\n' ? "\n " : text + i,
			text[i] == '\n' ? 2 : 1);
	buf_add_str(&h.raw, "\n");
	header_index(&h);
	state = mbox_keywords_are_state(h.raw.data + h.fields[0].value,
					h.fields[0].value_len, &known);
	mbox_keywords_from_header(&h, &known, &f);
	for (const char *k = NULL; (k = flags_next_keyword(&f, k));)
		must(flags_has_keyword(&known, k));
	must(!f.keywords.len || state);
	flags_free(&known);
	flags_free(&f);
	header_free(&h);
	return 0;
}
