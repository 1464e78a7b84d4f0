/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading an .mbx of Outlook Express 4 and its index. Numbers are
   little-endian, and of 32 bits: files end at 4 GiB. */
#include "importers/oembx_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

#define FRAME_MAGIC "\0\x7F\0\x7F"
enum { FRAME_HEAD = 16 };

/* The .idx: a header, then entries of different length. */
enum {
	IDX_HEADER = 80,
	IDX_VERSION = 0x00010004,
	IDX_ENTRY = 28, /* as much of an entry as is needed */
	ENTRIES_MOST = 16 << 20,
};

bool oembx_looks(const char *head, size_t n)
{
	return n >= OEMBX_HEAD && !memcmp(head, "JMF6", 4);
}

static bool frame_at(struct dbx_window *w, uint64_t pos, struct oembx_frame *f)
{
	const char *head = dbx_window_at(w, pos, FRAME_HEAD);

	if (!head || memcmp(head, FRAME_MAGIC, 4))
		return false;
	*f = (struct oembx_frame){
		.at = pos,
		.number = dbx_le32(head + 4),
		.length = dbx_le32(head + 8),
		.text = pos + FRAME_HEAD,
		.text_length = dbx_le32(head + 12),
	};
	return f->length >= FRAME_HEAD &&
	       f->text_length <= f->length - FRAME_HEAD &&
	       f->length <= w->size - pos;
}

int oembx_find(struct dbx_window *w, uint64_t pos, struct oembx_frame *f)
{
	const char *bytes;
	size_t n;

	if (frame_at(w, pos, f))
		return 1;
	for (pos++; (n = dbx_window_run(w, pos, &bytes)) >= FRAME_HEAD;) {
		const char *hit = memmem(bytes, n, FRAME_MAGIC, 4);

		pos += hit ? (size_t)(hit - bytes) : n - 3;
		if (!hit)
			continue;
		if (frame_at(w, pos, f))
			return 1;
		pos++;
	}
	return w->error ? -1 : 0;
}

static int by_place(const void *va, const void *vb)
{
	const struct oembx_entry *a = va, *b = vb;

	return (a->at > b->at) - (a->at < b->at);
}

static bool read_entries(struct oembx_index *x, struct dbx_window *idx,
			 struct dbx_window *mbx, uint32_t n)
{
	uint64_t pos = IDX_HEADER;
	struct oembx_frame frame;

	for (x->n = 0; x->n < n; x->n++) {
		const char *entry = dbx_window_at(idx, pos, IDX_ENTRY);

		/* An entry begins with its own place, so to say. */
		if (!entry || dbx_le32(entry + 12) != pos ||
		    dbx_le32(entry + 16) < IDX_ENTRY ||
		    dbx_le32(entry + 16) > idx->size - pos)
			return false;
		pos += dbx_le32(entry + 16);
		x->entries[x->n] = (struct oembx_entry){
			.at = dbx_le32(entry + 20),
			.flags = dbx_le32(entry),
		};
		if (!frame_at(mbx, dbx_le32(entry + 20), &frame) ||
		    frame.length != dbx_le32(entry + 24))
			return false;
	}
	return true;
}

bool oembx_index_read(struct oembx_index *x, struct dbx_window *idx,
		      struct dbx_window *mbx)
{
	const char *head = dbx_window_at(idx, 0, IDX_HEADER);
	uint32_t n;

	*x = (struct oembx_index){ .n = 0 };
	if (!head || memcmp(head, "JMF9", 4) ||
	    dbx_le32(head + 4) != IDX_VERSION)
		return false;
	n = dbx_le32(head + 8);
	if (n > ENTRIES_MOST || n > (idx->size - IDX_HEADER) / IDX_ENTRY)
		return false;
	x->entries = mem_alloc((n ? n : 1) * sizeof(*x->entries));
	if (!read_entries(x, idx, mbx, n)) {
		oembx_index_free(x);
		return false;
	}
	qsort(x->entries, x->n, sizeof(*x->entries), by_place);
	return true;
}

void oembx_index_free(struct oembx_index *x)
{
	free(x->entries);
	*x = (struct oembx_index){ .n = 0 };
}

const struct oembx_entry *oembx_index_find(const struct oembx_index *x,
					   uint64_t at)
{
	const struct oembx_entry key = { .at = (uint32_t)at };

	if (!x->n || at > UINT32_MAX)
		return NULL;
	return bsearch(&key, x->entries, x->n, sizeof(key), by_place);
}
