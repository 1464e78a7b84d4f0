/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes of a mark file: of several records about one message the last one
   counts, a message without one is new, and a machine of the other byte order would
   have written the same. */
#include "importers/mh.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Two files that differ in nothing but one record, the one for number in them. */
static unsigned alone(const uint8_t *file, size_t at, bool claws)
{
	char bytes[12];
	struct mh_states s = { 0 };
	uint32_t number = 0;
	unsigned flags;

	memcpy(bytes, file, 4);
	memcpy(bytes + 4, file + at, 8);
	must(mh_marks_parse(&s, bytes, sizeof(bytes), claws));
	mh_states_ready(&s);
	number = s.ranges[0].from;
	flags = mh_states_of(&s, number);
	mh_states_free(&s);
	return flags;
}

static void check(const uint8_t *data, size_t size, bool claws)
{
	struct mh_states s = { 0 }, other = { 0 };
	char *swapped = mem_alloc(size + 1);
	bool is = mh_marks_parse(&s, (const char *)data, size, claws);

	for (size_t i = 0; i < size; i++)
		swapped[i] = (char)data[(i | 3) < size ? (i & ~(size_t)3) + 3 -
								  (i & 3)
						       : i];
	must(mh_marks_parse(&other, swapped, size, claws) == is);
	mh_states_ready(&s);
	mh_states_ready(&other);
	for (size_t i = 0; i < s.n; i++)
		must(mh_states_of(&other, s.ranges[i].from) ==
		     s.ranges[i].flags);
	must(other.n == s.n);
	/* The last record of the file is the last about its message. */
	if (is && size >= 12) {
		size_t last = 4 + ((size - 4) / 8 - 1) * 8;
		struct mh_states one = { 0 };
		char bytes[12];

		memcpy(bytes, data, 4);
		memcpy(bytes + 4, data + last, 8);
		must(mh_marks_parse(&one, bytes, sizeof(bytes), claws));
		must(mh_states_of(&s, one.ranges[0].from) ==
		     alone(data, last, claws));
		mh_states_free(&one);
	}
	if (is && !s.n)
		must(mh_states_of(&s, 1) == MH_UNSEEN);
	mh_states_free(&s);
	mh_states_free(&other);
	free(swapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, false);
	check(data, size, true);
	return 0;
}
