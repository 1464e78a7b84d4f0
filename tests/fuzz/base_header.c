/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes: the fields of a header follow one another without a gap
   up to its end, lie inside it, and unfold to one line; a normal Message-ID is
   normal. */
#include "core/base/header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void check_field(const struct header *h, size_t i)
{
	const struct header_field *f = &h->fields[i];
	struct buf value = BUF_INIT;

	if (i)
		demand(f->start == h->fields[i - 1].end);
	else
		demand(f->start == 0 || h->raw.data[f->start - 1] == '\n');
	demand(f->end > f->start);
	demand(f->name == f->start);
	demand(f->name_len || i == 0);
	demand(f->value >= f->name + f->name_len);
	demand(f->value + f->value_len <= f->end);
	demand(f->end == h->raw.len || h->raw.data[f->end - 1] == '\n');
	header_unfold(h, f, &value);
	demand(value.len <= f->value_len);
	demand(!memchr(value.data, '\n', value.len));
	demand(!memmem(value.data, value.len, "  ", 2));
	demand(!value.len ||
	       (value.data[0] != ' ' && value.data[value.len - 1] != ' '));
	buf_free(&value);
}

static void check_id(const struct header *h)
{
	struct buf id = BUF_INIT, again = BUF_INIT;
	struct header other = HEADER_INIT;

	header_add_message_id(h, &id);
	if (id.len && !memchr(id.data, '>', id.len)) {
		buf_add_str(&other.raw, "Message-ID: <");
		buf_add(&other.raw, id.data, id.len);
		buf_add_str(&other.raw, ">\n");
		header_index(&other);
		header_add_message_id(&other, &again);
		demand(buf_equal(&id, &again));
	}
	header_free(&other);
	buf_free(&again);
	buf_free(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct header h = HEADER_INIT;

	buf_add(&h.raw, data, n);
	header_index(&h);
	for (size_t i = 0; i < h.n; i++)
		check_field(&h, i);
	demand(!h.n || h.fields[h.n - 1].end == h.raw.len);
	check_id(&h);
	header_received_date(&h);
	header_free(&h);
	return 0;
}
