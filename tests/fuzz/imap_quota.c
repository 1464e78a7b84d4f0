/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever lines a server answers to GETQUOTAROOT: what is known is sane (a limit that
   is not 0, bytes in whole units), more lines never make more room, and a line said
   twice says nothing new. */
#include "storage/imap/internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t room(bool has, uint64_t used, uint64_t limit)
{
	if (!has)
		return UINT64_MAX;
	return used < limit ? limit - used : 0;
}

static void check(const struct target_quota *was, const struct target_quota *is)
{
	if (is->has_bytes && (!is->bytes_limit || is->bytes_limit % 1024 ||
			      is->bytes_used % 1024))
		abort();
	if (is->has_messages && !is->messages_limit)
		abort();
	if (room(is->has_bytes, is->bytes_used, is->bytes_limit) >
		    room(was->has_bytes, was->bytes_used, was->bytes_limit) ||
	    room(is->has_messages, is->messages_used, is->messages_limit) >
		    room(was->has_messages, was->messages_used,
			 was->messages_limit))
		abort();
	if ((was->has_bytes && !is->has_bytes) ||
	    (was->has_messages && !is->has_messages))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct target_quota q = { .has_bytes = false };
	char *text = mem_strndup((const char *)data, n), *line = text;

	while (line) {
		struct target_quota was = q, again;
		char *end = strchr(line, '\n');
		char *copy = mem_strndup(line, end ? (size_t)(end - line)
						   : strlen(line));

		imap_quota_take(&q, copy);
		check(&was, &q);
		again = q;
		imap_quota_take(&again, copy);
		if (again.bytes_used != q.bytes_used ||
		    again.bytes_limit != q.bytes_limit ||
		    again.messages_used != q.messages_used ||
		    again.messages_limit != q.messages_limit)
			abort();
		free(copy);
		line = end ? end + 1 : NULL;
	}
	free(text);
	return 0;
}
