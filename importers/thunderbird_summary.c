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
	VERSION,
	MAILDIR_VALID,
	LABEL,
	JUNK_SCORE,
	JUNK_ORIGIN,
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
	[VERSION] = "version",
	[MAILDIR_VALID] = "maildirValid",
	[LABEL] = "label",
	[JUNK_SCORE] = "junkscore",
	[JUNK_ORIGIN] = "junkscoreorigin",
	NULL,
};

enum {
	LEEWAY = 4000,	/* seconds; mail.db_timestamp_leeway (mailnews.js) */
	JUNK_FROM = 51, /* out of 100: above 50 it is shown as junk */
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
	bool has_size, complete, outdated, maildir_valid;
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

/* nsMsgDatabase::SetSummaryValid(false) sets the version to 0, once to -1. */
static bool is_outdated(const struct tb_summary *s, size_t row)
{
	uint64_t version;

	return mork_cell_hex(s->mork, row, VERSION, &version) &&
	       (version == 0 || (uint32_t)version == UINT32_MAX);
}

static void read_folder_row(struct tb_summary *s, size_t row,
			    uint64_t *messages_r)
{
	struct buf name = BUF_INIT;
	uint64_t valid;

	if (mork_cell(s->mork, row, FOLDER_NAME, &name) && name.len) {
		free(s->name);
		s->name = buf_detach(&name);
	}
	mork_cell_hex(s->mork, row, FLAGS, &s->flags);
	mork_cell_hex(s->mork, row, NUM_MSGS, messages_r);
	s->has_size = mork_cell_hex(s->mork, row, FOLDER_SIZE, &s->size) &&
		      mork_cell_hex(s->mork, row, FOLDER_DATE, &s->date);
	s->outdated = is_outdated(s, row);
	mork_cell_hex(s->mork, row, MAILDIR_VALID, &valid);
	s->maildir_valid = valid == 1;
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
	s->complete =
		!mork_damaged(s->mork) && !s->outdated && messages == s->n;
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

size_t tb_summary_without(const struct tb_summary *s, uint32_t flags)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += !(tb_summary_message_flags(s, s->entries[i].row) & flags);
	return n;
}

bool tb_summary_is_of(const struct tb_summary *s, const struct stat *mbox)
{
	uint64_t date = (uint64_t)mbox->st_mtim.tv_sec;

	return s->has_size && s->size == (uint64_t)mbox->st_size &&
	       (s->date > date ? s->date - date : date - s->date) <= LEEWAY;
}

bool tb_summary_is_of_maildir(const struct tb_summary *s)
{
	return s->maildir_valid;
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

/* Thunderbird keeps what stands between the brackets, or the whole field if
   there are none; a field that has this text in it is taken for the same.
   "md5:..." is its name for a message that has no Message-ID. */
static enum tb_same compare(const struct tb_summary *s, size_t row,
			    const struct header *h)
{
	struct buf theirs = BUF_INIT, ours = BUF_INIT;
	enum tb_same same = TB_OTHER;
	bool has = header_add_value(h, "Message-ID", 0, &ours) && ours.len;

	if (!mork_cell(s->mork, row, MESSAGE_ID, &theirs) || !theirs.len)
		same = TB_UNKNOWN;
	else if (!strncmp(theirs.data, "md5:", 4))
		same = has ? TB_OTHER : TB_UNKNOWN;
	else if (has && strstr(ours.data, theirs.data))
		same = TB_SAME;
	buf_free(&theirs);
	buf_free(&ours);
	return same;
}

ssize_t tb_summary_find(const struct tb_summary *s, const char *token,
			uint32_t flags, const struct header *h,
			enum tb_same *same_r)
{
	uint64_t key = key_of(token);
	struct buf theirs = BUF_INIT;
	enum tb_same best = TB_OTHER;
	ssize_t found = -1;

	for (size_t i = lower_bound(s, key);
	     i < s->n && s->entries[i].key == key && best != TB_SAME; i++) {
		ssize_t row = s->entries[i].row;
		enum tb_same same;

		token_of(s, (size_t)row, &theirs);
		if (strcmp(theirs.data, token) ||
		    (tb_summary_message_flags(s, row) & flags) != flags)
			continue;
		same = h ? compare(s, (size_t)row, h) : TB_SAME;
		if (found < 0 || same > best) {
			found = row;
			best = same;
		}
	}
	if (same_r)
		*same_r = best;
	buf_free(&theirs);
	return found;
}

uint32_t tb_summary_message_flags(const struct tb_summary *s, ssize_t message)
{
	uint64_t flags;

	mork_cell_hex(s->mork, (size_t)message, FLAGS, &flags);
	return (uint32_t)flags;
}

bool tb_summary_keywords(const struct tb_summary *s, ssize_t message,
			 struct buf *out, unsigned *label_r)
{
	uint64_t label;
	bool has = mork_cell(s->mork, (size_t)message, KEYWORDS, out);

	mork_cell_hex(s->mork, (size_t)message, LABEL, &label);
	*label_r = has || label > 5 ? 0 : (unsigned)label;
	return has;
}

/* A decimal number, unlike the others. Who found it so: "user", "filter",
   "plugin" (the program's own filter), "whitelist" (the sender is in the
   address book) or "imapflag" (the server told). */
enum tb_junk tb_summary_junk(const struct tb_summary *s, ssize_t message)
{
	struct buf cell = BUF_INIT;
	enum tb_junk junk = TB_JUNK_UNKNOWN;
	bool said = mork_cell(s->mork, (size_t)message, JUNK_SCORE, &cell) &&
		    cell.len && cell.len <= 3 &&
		    strspn(cell.data, "0123456789") == cell.len;

	if (said && atoi(cell.data) >= JUNK_FROM) {
		junk = TB_JUNK;
	} else if (said) {
		mork_cell(s->mork, (size_t)message, JUNK_ORIGIN, &cell);
		if (!strcmp(cell.data, "user") ||
		    !strcmp(cell.data, "filter") ||
		    !strcmp(cell.data, "imapflag"))
			junk = TB_NOT_JUNK;
	}
	buf_free(&cell);
	return junk;
}

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3u; /* FNV-1a */
	return h;
}

uint64_t tb_summary_print(const struct tb_summary *s, ssize_t message)
{
	struct buf words = BUF_INIT;
	uint32_t flags = tb_summary_message_flags(s, message);
	enum tb_junk junk = tb_summary_junk(s, message);
	uint64_t h = 0xcbf29ce484222325u;
	unsigned label;
	bool has = tb_summary_keywords(s, message, &words, &label);

	h = mix(h, &flags, sizeof(flags));
	h = mix(h, &junk, sizeof(junk));
	h = mix(h, &label, sizeof(label));
	h = mix(h, &has, sizeof(has));
	h = mix(h, words.data, words.len + 1);
	buf_free(&words);
	return h;
}

uint64_t tb_summary_prints(const struct tb_summary *s, uint64_t end)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s->n && s->entries[i].key < end; i++) {
		const struct entry *entry = &s->entries[i];
		uint64_t print = tb_summary_print(s, entry->row);

		h = mix(h, &entry->key, sizeof(entry->key));
		h = mix(h, &print, sizeof(print));
	}
	return h;
}

bool tb_summary_inside(const struct tb_summary *s, uint64_t offset)
{
	size_t i = lower_bound(s, offset);
	uint64_t size;

	return i > 0 &&
	       mork_cell_hex(s->mork, s->entries[i - 1].row, SIZE, &size) &&
	       offset - s->entries[i - 1].key < size;
}
