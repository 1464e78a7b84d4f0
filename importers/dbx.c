/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlook Express 5 and 6 (1999-2006): a directory of .dbx files, or one file.

   Only messages that a file's index still has are read: the text of deleted
   ones stays in the file until it is compacted, and stays there for us, too.
   OE adds nothing to a message's text; its flags and dates are in the index.

   A message's locator is the place of its record, which is good only while the
   file is what it was (fingerprint). */
#include "importers/importer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "importers/dbx_ansi.h"
#include "importers/dbx_file.h"
#include "importers/dbx_tree.h"

extern const struct importer_ops importer_dbx;

/* A change of how messages are found or read must make fingerprints differ. */
#define DBX_VERSION "dbx1:"

struct dbx {
	struct importer base;
	struct walk *w;
	struct dbx_tree tree;
	size_t next_folder;

	/* The current folder; NULL and -1 outside of one, or while its file has
	   not been asked for a message. */
	const struct dbx_folder *folder;
	int fd;
	struct stat st;
	struct dbx_file file;
	size_t next; /* the message next found is file.at[next - 1] */
	size_t never_fetched, cut_off;
	struct buf name, fingerprint;
};

static struct dbx *self(struct importer *imp)
{
	return (struct dbx *)imp;
}

static void leave_folder(struct dbx *x)
{
	if (x->fd >= 0) {
		dbx_file_close(&x->file);
		close(x->fd);
	}
	x->fd = -1;
	x->folder = NULL;
	x->next = x->never_fetched = x->cut_off = 0;
}

static int dbx_next_folder(struct importer *imp, struct folder *f,
			   struct err *e)
{
	struct dbx *x = self(imp);
	const struct dbx_folder *df;

	leave_folder(x);
	if (x->next_folder == x->tree.n)
		return 0;
	df = &x->tree.folders[x->next_folder++];
	walk_name(x->w, df->rel, &x->name);
	if (walk_stat(x->w, df->rel, &x->st) < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
			       "%s: gone since the source was opened; run it "
			       "again",
			       x->name.data);
	x->folder = df;
	buf_set_str(&x->fingerprint, DBX_VERSION);
	walk_add_identity(&x->fingerprint, &x->st);
	/* What the tree says of the folder bears on its messages. */
	buf_addf(&x->fingerprint, ":%d%d", df->use, df->hidden);
	*f = (struct folder){
		.path = (const char *const *)df->path,
		.use = df->use,
		.id = df->id,
		.file = x->name.data,
		.account = df->account,
		.hidden = df->hidden,
		.fingerprint = x->fingerprint.data,
		.bytes = (uint64_t)x->st.st_size,
	};
	return 1;
}

static int open_file(struct dbx *x, struct err *e)
{
	x->fd = walk_file(x->w, x->folder->rel, &x->st, e);
	if (x->fd < 0)
		return -1;
	dbx_file_open(&x->file, x->fd, (uint64_t)x->st.st_size);
	dbx_file_index(&x->file);
	if ((uint64_t)x->st.st_size > UINT32_MAX)
		remark_add(&x->tree.remarks,
			   "%s: larger than 4 GiB, which Outlook Express "
			   "cannot reach: what lies behind is left out",
			   x->name.data);
	return 0;
}

/* At the folder's end: what is to be told, and whether the file was whole and
   stood still. */
static int finish(struct dbx *x, struct err *e)
{
	struct stat st;

	if (x->never_fetched)
		remark_add(&x->tree.remarks,
			   "%s: of %zu messages Outlook Express has the "
			   "header only: they are on the server",
			   x->name.data, x->never_fetched);
	if (x->cut_off)
		remark_add(&x->tree.remarks,
			   "%s: %zu messages are damaged; what is left of them "
			   "is migrated",
			   x->name.data, x->cut_off);
	if (fstat(x->fd, &st) < 0 || st.st_size != x->st.st_size ||
	    st.st_mtim.tv_sec != x->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != x->st.st_mtim.tv_nsec)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
			       "%s: changed while it was read; run it again",
			       x->name.data);
	if (x->file.damage)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: its index is damaged at byte %u: %zu of %u "
			       "messages were found; compact the folder in "
			       "Outlook Express, or restore the file",
			       x->name.data, x->file.damage, x->file.n,
			       x->file.counted);
	if (x->file.n != x->file.counted)
		remark_add(&x->tree.remarks,
			   "%s: counts %u messages, but its index has %zu",
			   x->name.data, x->file.counted, x->file.n);
	return 0;
}

static int bad_message(struct dbx *x, uint32_t record, const char *what,
		       struct err *e)
{
	return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
		       "%s: message %zu, at byte %u: %s", x->name.data, x->next,
		       record, what);
}

static void read_flags(struct dbx *x, uint32_t record, struct message *m)
{
	static const struct {
		uint32_t bit;
		unsigned system;
	} bits[] = {
		{ DBX_READ, FLAG_SEEN },
		{ DBX_ANSWERED, FLAG_ANSWERED },
		{ DBX_FLAGGED, FLAG_FLAGGED },
		{ DBX_DRAFT, FLAG_DRAFT },
	};
	uint32_t flags = 0, text = 0;

	dbx_number(&x->file, record, DBX_FLAGS, &flags);
	dbx_number(&x->file, record, DBX_TEXT, &text);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (flags & bits[i].bit)
			m->flags.system |= bits[i].system;
	if (flags & DBX_FORWARDED)
		flags_add_keyword(&m->flags, "$Forwarded", 10);
	m->offset = text;
	if (!text) {
		m->skip = SKIP_EMPTY;
		x->never_fetched++;
	} else if (x->folder->remote && !(flags & DBX_HAS_BODY)) {
		m->notes |= NOTE_PARTIAL;
	}
}

static int dbx_next(struct importer *imp, struct message *m, struct err *e)
{
	struct dbx *x = self(imp);
	uint32_t record;

	if (!x->folder || (x->fd < 0 && open_file(x, e) < 0))
		return x->folder ? -1 : 0;
	if (x->next == x->file.n)
		return finish(x, e);
	record = x->file.at[x->next++];
	if (!dbx_record_is(&x->file, record))
		return bad_message(x, record,
				   "its record is damaged; compact the folder "
				   "in Outlook Express, or restore the file",
				   e);
	buf_addf(&m->locator, "%x", record);
	read_flags(x, record, m);
	if (x->folder->hidden)
		m->notes |= NOTE_HIDDEN;
	if (x->folder->use == USE_QUEUE)
		m->notes |= NOTE_QUEUED;
	m->when.delivered = dbx_time(&x->file, record, DBX_RECEIVED);
	m->when.downloaded = dbx_time(&x->file, record, DBX_SAVED);
	m->when.sent_folder = x->folder->use == USE_SENT;
	m->in.drop_leading = m->in.drop_anywhere = NULL;
	return 1;
}

static int dbx_load(struct importer *imp, struct message *m, struct err *e)
{
	struct dbx *x = self(imp);
	uint32_t record = x->file.at[x->next - 1];
	uint32_t block = (uint32_t)m->offset;
	const char *bytes;
	size_t n;
	int got;

	m->length = 0;
	while ((got = dbx_text(&x->file, &block, &bytes, &n)) > 0) {
		if (intake_add(&m->in, bytes, n, e) < 0)
			return -1;
		m->length += n;
	}
	if (got < 0 && !m->length)
		return bad_message(x, record, "its text cannot be found", e);
	if (got < 0) {
		m->notes |= NOTE_PARTIAL;
		x->cut_off++;
	}
	if (!m->length)
		m->skip = SKIP_EMPTY;
	if (intake_end(&m->in, e) < 0)
		return -1;
	message_date_from_header(m);
	return 0;
}

static const char *dbx_nth_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->tree.remarks, nth);
}

static void dbx_close(struct importer *imp)
{
	struct dbx *x = self(imp);

	leave_folder(x);
	dbx_tree_free(&x->tree);
	walk_close(x->w);
	buf_free(&x->name);
	buf_free(&x->fingerprint);
	free(x);
}

static int dbx_open(const char *path, const struct importer_options *opt,
		    struct importer **imp_r, struct err *e)
{
	struct dbx *x = mem_zalloc(sizeof(*x));

	x->base.ops = &importer_dbx;
	x->fd = -1;
	buf_init(&x->name);
	buf_init(&x->fingerprint);
	if (importer_walk(path, opt, &x->w, e) < 0 ||
	    dbx_tree_find(&x->tree, x->w, opt, e) < 0) {
		dbx_close(&x->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &x->base;
	return 0;
}

/* Whether the file name in a candidate's directory is a .dbx file, by its first
   bytes. */
static enum dbx_kind kind_below(const struct candidate *c, const char *name)
{
	struct err ignored;
	struct buf rel = BUF_INIT;
	char head[DBX_HEAD];
	ssize_t got = 0;
	int fd;

	dbx_join(&rel, c->rel, name);
	fd = walk_file(c->w, rel.data, NULL, &ignored);
	buf_free(&rel);
	if (fd >= 0) {
		got = pread(fd, head, sizeof(head), 0);
		close(fd);
	}
	return dbx_looks(head, got < 0 ? 0 : (size_t)got);
}

static enum claim dbx_claim(const struct candidate *c)
{
	unsigned looked = 0;

	if (!c->dir)
		return dbx_looks(c->head, c->n_head) ? CLAIM_ALL : CLAIM_NO;
	for (size_t i = 0; i < c->dir->n && looked < 8; i++) {
		const struct walk_entry *entry = &c->dir->entries[i];

		if (entry->kind != 'f' || !dbx_has_suffix(entry->name, ".dbx"))
			continue;
		looked++;
		if (kind_below(c, entry->name) != DBX_NOT)
			return CLAIM_PART;
	}
	return CLAIM_NO;
}

const struct importer_ops importer_dbx = {
	.name = "dbx",
	.title = "Outlook Express 5, 6",
	.claim = dbx_claim,
	.gathers = true,
	.open = dbx_open,
	.next_folder = dbx_next_folder,
	.next = dbx_next,
	.load = dbx_load,
	.remark = dbx_nth_remark,
	.close = dbx_close,
};
