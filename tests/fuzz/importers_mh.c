/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: sequences that are written down anew from what was read say the
   same of every message, and the lines of a queue are lines. */
#include "importers/mh.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NUMBERS = 300 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void write_sequence(struct buf *out, const struct mh_states *s,
			   const char *name, unsigned flag)
{
	buf_addf(out, "%s:", name);
	for (uint32_t n = 1; n <= NUMBERS; n++)
		if (mh_states_of(s, n) & flag)
			buf_addf(out, " %u", n);
	buf_add_char(out, '\n');
}

static void check_sequences(const char *text, size_t n)
{
	struct mh_states s = { 0 }, again = { 0 };
	struct buf out = BUF_INIT;

	mh_sequences_parse(&s, text, n, "fresh");
	mh_states_ready(&s);
	write_sequence(&out, &s, "unseen", MH_UNSEEN);
	write_sequence(&out, &s, "replied", MH_ANSWERED);
	write_sequence(&out, &s, "flagged", MH_FLAGGED);
	write_sequence(&out, &s, "forwarded", MH_FORWARDED);
	write_sequence(&out, &s, "deleted", MH_DELETED);
	mh_sequences_parse(&again, out.data, out.len, "");
	mh_states_ready(&again);
	for (uint32_t i = 1; i <= NUMBERS; i++)
		must(mh_states_of(&s, i) == mh_states_of(&again, i));
	mh_states_free(&s);
	mh_states_free(&again);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf names = BUF_INIT;
	size_t lines = mh_queue_lines(text, size);
	char *name = mem_strndup(text, size);

	check_sequences(text, size);
	must(lines <= size && (!lines || lines == size ||
			       text[lines - 1] == '\n'));
	mh_profile_unseen(text, size, &names);
	must(names.len <= size);
	must(!mh_number(name) || !mh_deleted_number(name));
	buf_free(&names);
	free(name);
	return 0;
}
