/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The .msf of a folder: formats.md section 2.6 says which cells there are and
   what they hold. */
#include "importers/thunderbird_summary.h"

#include <stdlib.h>
#include <string.h>

#include "importers/mork.h"

enum scope { SCOPE_MESSAGES, SCOPE_FOLDER };
static const char *const scopes[] = {
	[SCOPE_MESSAGES] = "ns:msg:db:row:scope:msgs:all",
	[SCOPE_FOLDER] = "ns:msg:db:row:scope:dbfolderinfo:all",
	NULL,
};

enum column {
	STORE_TOKEN,
	MSG_OFFSET,
	MESSAGE_ID,
	FLAGS,
	KEYWORDS,
	SIZE,
	FOLDER_NAME,
	FOLDER_SIZE,
	FOLDER_DATE,
	NUM_MSGS,
};
static const char *const columns[] = {
	[STORE_TOKEN] = "storeToken",
	[MSG_OFFSET] = "msgOffset",
	[MESSAGE_ID] = "message-id",
	[FLAGS] = "flags",
	[KEYWORDS] = "keywords",
	[SIZE] = "size",
	[FOLDER_NAME] = "folderName",
	[FOLDER_SIZE] = "folderSize",
	[FOLDER_DATE] = "folderDate",
	[NUM_MSGS] = "numMsgs",
	NULL,
};

/* Sorted by key: an offset as it is, a file name by its hash. */
struct entry {
	uint64_t key;
	uint32_t row;
};

struct tb_summary {
	struct buf bytes;
	struct mork *mork;
	struct entry *entries;
	size_t n;
	char *name;
	uint64_t flags, size, date;
	bool has_size, complete;
};

static bool read_offset(const char *s, uint64_t *value_r)
{
	size_t n = strlen(s);

	if (!n || n > 18 || strspn(s, "0123456789") != n)
		return false;
	*value_r = strtoull(s, NULL, 10);
	return true;
}

static uint64_t key_of(const char *token)
{
	uint64_t key;

	if (read_offset(token, &key))
		return key;
	key = 0xcbf29ce484222325u; /* FNV-1a */
	for (; *token; token++)
		key = (key ^ (unsigned char)*token) * 0x100000001b3u;
	return key;
}

/* Before storeToken (version 8) msgOffset said it, in hexadecimal, and before
   that the number of the row was the offset. */
static void token_of(const struct tb_summary *s, size_t row, struct buf *out)
{
	uint64_t offset;

	if (mork_cell(s->mork, row, STORE_TOKEN, out) && out->len)
		return;
	if (!mork_cell_hex(s->mork, row, MSG_OFFSET, &offset))
		offset = mork_row_id(s->mork, row);
	buf_reset(out);
	buf_addf(out, "%ju", (uintmax_t)offset);
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->key < y->key	 ? -1
	       : x->key > y->key ? 1
	       : x->row < y->row ? -1
				 : x->row > y->row;
}

static void read_folder_row(struct tb_summary *s, size_t row,
			    uint64_t *messages_r)
{
	struct buf name = BUF_INIT;

	if (mork_cell(s->mork, row, FOLDER_NAME, &name) && name.len) {
		free(s->name);
		s->name = buf_detach(&name);
	}
	mork_cell_hex(s->mork, row, FLAGS, &s->flags);
	mork_cell_hex(s->mork, row, NUM_MSGS, messages_r);
	s->has_size = mork_cell_hex(s->mork, row, FOLDER_SIZE, &s->size) &&
		      mork_cell_hex(s->mork, row, FOLDER_DATE, &s->date);
	buf_free(&name);
}

static void index_rows(struct tb_summary *s)
{
	size_t rows = mork_rows(s->mork);
	uint64_t messages = 0;
	struct buf token = BUF_INIT;

	s->entries = mem_alloc((rows + 1) * sizeof(*s->entries));
	for (size_t row = 0; row < rows; row++) {
		if (mork_row_scope(s->mork, row) == SCOPE_FOLDER) {
			if (mork_row_id(s->mork, row) == 1)
				read_folder_row(s, row, &messages);
			continue;
		}
		if (!mork_row_listed(s->mork, row))
			continue;
		token_of(s, row, &token);
		s->entries[s->n++] = (struct entry){ .key = key_of(token.data),
						     .row = (uint32_t)row };
	}
	qsort(s->entries, s->n, sizeof(*s->entries), by_key);
	s->complete = !mork_damaged(s->mork) && messages == s->n;
	buf_free(&token);
}

struct tb_summary *tb_summary_load(struct walk *w, const char *msf,
				   struct err *e)
{
	struct tb_summary *s = mem_zalloc(sizeof(*s));

	buf_init(&s->bytes);
	if (walk_slurp(w, msf, MORK_MAX, &s->bytes, e) < 0)
		goto no;
	if (!mork_begins(s->bytes.data, s->bytes.len)) {
		err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			"%s: not a summary file", msf);
		goto no;
	}
	s->mork = mork_parse(s->bytes.data, s->bytes.len, scopes, columns,
			     "ns:msg:db:table:kind:msgs");
	index_rows(s);
	return s;
no:
	tb_summary_free(s);
	return NULL;
}

void tb_summary_free(struct tb_summary *s)
{
	if (!s)
		return;
	mork_free(s->mork);
	buf_free(&s->bytes);
	free(s->entries);
	free(s->name);
	free(s);
}

const char *tb_summary_name(const struct tb_summary *s)
{
	return s->name;
}

uint64_t tb_summary_flags(const struct tb_summary *s)
{
	return s->flags;
}

bool tb_summary_complete(const struct tb_summary *s)
{
	return s->complete;
}

size_t tb_summary_messages(const struct tb_summary *s)
{
	return s->n;
}

bool tb_summary_is_of(const struct tb_summary *s, const struct stat *mbox)
{
	return s->has_size && s->size == (uint64_t)mbox->st_size &&
	       s->date == (uint64_t)mbox->st_mtim.tv_sec;
}

/* The first entry whose key is not below key. */
static size_t lower_bound(const struct tb_summary *s, uint64_t key)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->entries[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

ssize_t tb_summary_find(const struct tb_summary *s, const char *token)
{
	uint64_t key = key_of(token);
	struct buf theirs = BUF_INIT;
	ssize_t found = -1;

	for (size_t i = lower_bound(s, key);
	     found < 0 && i < s->n && s->entries[i].key == key; i++) {
		token_of(s, s->entries[i].row, &theirs);
		if (!strcmp(theirs.data, token))
			found = s->entries[i].row;
	}
	buf_free(&theirs);
	return found;
}

uint32_t tb_summary_message_flags(const struct tb_summary *s, ssize_t message)
{
	uint64_t flags;

	mork_cell_hex(s->mork, (size_t)message, FLAGS, &flags);
	return (uint32_t)flags;
}

void tb_summary_keywords(const struct tb_summary *s, ssize_t message,
			 struct buf *out)
{
	mork_cell(s->mork, (size_t)message, KEYWORDS, out);
}

/* Thunderbird keeps what stands between the brackets, or the whole field if
   there are none; a field that has this text in it is taken for the same.
   "md5:..." is its name for a message that has no Message-ID. */
enum tb_same tb_summary_same(const struct tb_summary *s, ssize_t message,
			     const struct header *h)
{
	struct buf theirs = BUF_INIT, ours = BUF_INIT;
	enum tb_same same = TB_OTHER;
	bool has = header_add_value(h, "Message-ID", 0, &ours) && ours.len;

	if (!mork_cell(s->mork, (size_t)message, MESSAGE_ID, &theirs) ||
	    !theirs.len)
		same = TB_UNKNOWN;
	else if (!strncmp(theirs.data, "md5:", 4))
		same = has ? TB_OTHER : TB_UNKNOWN;
	else if (has && strstr(ours.data, theirs.data))
		same = TB_SAME;
	buf_free(&theirs);
	buf_free(&ours);
	return same;
}

bool tb_summary_inside(const struct tb_summary *s, uint64_t offset)
{
	size_t i = lower_bound(s, offset);
	uint64_t size;

	return i > 0 &&
	       mork_cell_hex(s->mork, s->entries[i - 1].row, SIZE, &size) &&
	       offset - s->entries[i - 1].key < size;
}
