/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mbox files of any writer: one file, or every mbox below a directory.

   A message's locator is its offset, which is good only while the file is what
   it was (fingerprint). What counts as state of the client, and is dropped from
   a message, are the fields that writers of mboxes add and the block that
   Thunderbird writes on top: its mboxes are often given alone, without their
   profile.

   Quoting is undone as mboxrd has it, which also restores mboxo but for lines
   that began with ">From " themselves. A message whose Content-Length leads
   exactly to the next separator is taken for mboxcl2, which quotes nothing
   (mbox_length.c).

   A file is one folder, but for Google Takeout's, whose messages belong where
   their labels say (takeout.h). */
#include "importers/importer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "importers/mbox_head.h"
#include "importers/mbox_reader.h"
#include "importers/mbox_score.h"
#include "importers/mbox_tree.h"
#include "importers/mozilla_status.h"
#include "importers/takeout.h"
#include "importers/unpack.h"

extern const struct importer_ops importer_mbox;

/* A change of how messages are found or read must make fingerprints differ. */
#define MBOX_VERSION "mbox2:"

/* Beside these X-Keywords, where it is the store's. */
static const char *const status_fields[] = {
	"Status",     "X-Status",	"X-UID", "X-IMAP",
	"X-IMAPbase", "Content-Length", NULL,
};
static const char *const status_and_keywords[] = {
	"Status",     "X-Status",	"X-UID",      "X-IMAP",
	"X-IMAPbase", "Content-Length", "X-Keywords", NULL,
};

struct mbox {
	struct importer base;
	struct walk *w;
	struct mbox_tree tree;
	size_t next_file;
	struct importer_options opt;

	/* The current file; NULL and -1 outside of one, or while it, being
	   known, has not been asked for a message. */
	const struct mbox_file *file;
	struct mbox_reader *r;
	int fd;
	struct stat st;
	struct mbox_looks looks;
	struct flags keywords;	/* that the file has */
	struct buf name, print; /* of the file, for people; its fingerprint */

	/* Of Takeout: all folders of the file, the current one, its messages. */
	struct takeout *takeout;
	size_t nth, at;

	bool sent; /* the folder is of sent mail */
	struct takeout_labels labels;
	struct buf id, fingerprint, bookmark; /* of the folder */
	bool summed_up;			      /* the last remarks are made */
};

static struct mbox *self(struct importer *imp)
{
	return (struct mbox *)imp;
}

static void close_file(struct mbox *mb)
{
	mbox_reader_close(mb->r);
	mb->r = NULL;
	if (mb->fd >= 0)
		close(mb->fd);
	mb->fd = -1;
}

static void leave_file(struct mbox *mb)
{
	close_file(mb);
	takeout_free(mb->takeout);
	mb->takeout = NULL;
	mb->file = NULL;
}

/* A single file's id must not change with the way that leads to it. */
static const char *id_of(const struct mbox *mb, const struct mbox_file *file)
{
	return file->rel[0] ? file->rel : mbox_leaf(walk_root(mb->w));
}

static void set_fingerprint(struct mbox *mb)
{
	buf_set_str(&mb->print, MBOX_VERSION);
	walk_add_identity(&mb->print, &mb->st);
}

/* Whether the open file is a folder: 1, 0 or -1. A file that was given by name
   is, and the reader has the last word. */
static int is_folder(struct mbox *mb, const struct mbox_file *file,
		     struct err *e)
{
	flags_reset(&mb->keywords);
	if (mbox_look(mb->fd, mb->name.data, &mb->looks, &mb->keywords, e) < 0)
		return -1;
	if (mb->looks.sure || (!file->rel[0] && !mb->looks.zip))
		return 1;
	if (mb->st.st_size == 0 && mbox_named_so(file->rel))
		return 1;
	if (!file->rel[0])
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: an archive (zip); unpack it first",
			       mb->name.data);
	if (mb->looks.zip)
		remark_add(&mb->tree.remarks,
			   "%s: an archive (zip); unpack it first, left out",
			   file->rel);
	else if (mb->st.st_size == 0 || mbox_named_index(file->rel))
		mb->tree.passed_over++;
	else if (!mb->opt.others_looked)
		remark_add(&mb->tree.remarks, "%s: not an mbox, left out",
			   file->rel);
	return 0;
}

/* 1, 0 when the file is no folder, -1. */
static int open_file(struct mbox *mb, struct err *e)
{
	int got;

	mb->fd = walk_file(mb->w, mb->file->rel, &mb->st, e);
	if (mb->fd < 0)
		return -1;
	got = is_folder(mb, mb->file, e);
	if (got > 0 && mbox_reader_open(mb->fd, mb->name.data, MBOX_QUOTING_RD,
					false, &mb->r, e) < 0)
		got = -1;
	if (got > 0)
		mbox_reader_on_doubt(mb->r, mb->opt.doubt, mb->opt.doubt_ctx);
	return got;
}

/* What the reader has to tell when it has come to the end. */
static void remark_on_reading(struct mbox *mb)
{
	unsigned long long junk = mbox_reader_junk(mb->r);
	unsigned long long padding = mbox_reader_padding(mb->r);
	unsigned long long rejected = mbox_reader_rejected(mb->r);

	if (junk)
		remark_add(&mb->tree.remarks,
			   "%s: %llu bytes before the first message "
			   "belong to none",
			   mb->name.data, junk);
	if (padding)
		remark_add(&mb->tree.remarks,
			   "%s: %llu NUL bytes between messages, as a crash "
			   "leaves them, belong to none",
			   mb->name.data, padding);
	if (rejected)
		remark_add(&mb->tree.remarks,
			   "%s: %llu lines begin with \"From \" and "
			   "were taken for text",
			   mb->name.data, rejected);
}

/* Google Takeout. */

/* Go through the open file once; then it is open anew, at its beginning. Doubts
   are told when its messages are read. */
static int index_takeout(struct mbox *mb, struct err *e)
{
	struct remarks none = { 0 };
	bool again = mb->takeout != NULL;
	int got;

	mbox_reader_on_doubt(mb->r, NULL, NULL);
	takeout_free(mb->takeout);
	mb->takeout = NULL;
	got = takeout_read(mb->r, mb->name.data, &mb->takeout,
			   again ? &none : &mb->tree.remarks, e);
	remarks_free(&none);
	if (got == 0 && !again)
		remark_on_reading(mb);
	mbox_reader_on_doubt(mb->r, mb->opt.doubt, mb->opt.doubt_ctx);
	return got;
}

/* What the ledger knew is not enough any more: messages are asked for. */
static int index_again(struct mbox *mb, struct err *e)
{
	char *folder = mem_strdup(takeout_folder(mb->takeout, mb->nth));
	int got = open_file(mb, e);

	if (got > 0)
		got = index_takeout(mb, e) < 0 ? -1 : 1;
	if (got == 0 ||
	    (got > 0 &&
	     (mb->nth = takeout_find(mb->takeout, folder)) == SIZE_MAX))
		got = err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
			      "%s: changed while it was read; run it again",
			      mb->name.data);
	free(folder);
	return got < 0 ? -1 : 0;
}

static bool is_known(const struct mbox *mb, const struct mbox_file *file)
{
	return mb->opt.known_folder &&
	       mb->opt.known_folder(mb->opt.known_ctx, id_of(mb, file));
}

/* What is known of the file without opening it. */
static bool enter_known(struct mbox *mb, const struct mbox_file *file)
{
	if (walk_stat(mb->w, file->rel, &mb->st) < 0)
		return false;
	set_fingerprint(mb);
	mb->takeout = takeout_known(&mb->opt, id_of(mb, file), mb->print.data);
	return mb->takeout || is_known(mb, file);
}

/* 1 with the file open, or, when it is known, at least there; 0 if it is no
   folder; -1. */
static int enter(struct mbox *mb, const struct mbox_file *file, struct err *e)
{
	int got;

	leave_file(mb);
	if (file->error)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s",
			       file->error);
	walk_name(mb->w, file->rel, &mb->name);
	mb->file = file;
	mb->nth = SIZE_MAX;
	if (enter_known(mb, file))
		return 1;
	got = open_file(mb, e);
	if (got > 0)
		set_fingerprint(mb);
	if (got > 0 && mb->looks.takeout && index_takeout(mb, e) < 0)
		got = -1;
	if (got <= 0)
		leave_file(mb);
	return got;
}

/* The next folder of a Takeout file: 0 after the last. */
static int next_label(struct mbox *mb)
{
	if (!mb->takeout)
		return 0;
	mb->nth = mb->nth == SIZE_MAX ? 0 : mb->nth + 1;
	mb->at = 0;
	return takeout_folder(mb->takeout, mb->nth) != NULL;
}

static void describe_label(struct mbox *mb, struct folder *f)
{
	const char *folder = takeout_folder(mb->takeout, mb->nth);

	buf_reset(&mb->id);
	takeout_add_id(&mb->id, f->id, folder);
	takeout_add_fingerprint(mb->takeout, mb->nth, &mb->fingerprint);
	f->id = mb->id.data;
	f->path = takeout_path(mb->takeout, mb->nth);
	f->use = takeout_folder_use(folder);
	f->bytes = takeout_bytes(mb->takeout, mb->nth);
}

/* Folders. */

static void describe_folder(struct mbox *mb, struct folder *f)
{
	char *const *path = mb->file->path;

	buf_set_str(&mb->fingerprint, mb->print.data);
	*f = (struct folder){
		.path = (const char *const *)path,
		.use = path[1] ? USE_NONE : folder_use_by_name(path[0]),
		.id = id_of(mb, mb->file),
		.file = mb->name.data,
		.account = "",
		.bytes = (uint64_t)mb->st.st_size,
	};
	if (mb->takeout)
		describe_label(mb, f);
	f->fingerprint = mb->fingerprint.data;
	mb->sent = f->use == USE_SENT;
}

static void sum_up(struct mbox *mb)
{
	if (mb->summed_up)
		return;
	mb->summed_up = true;
	if (mb->tree.passed_over)
		remark_add(&mb->tree.remarks,
			   "%zu index, control and empty files and "
			   "directories passed over",
			   mb->tree.passed_over);
}

static int mbox_next_folder(struct importer *imp, struct folder *f,
			    struct err *e)
{
	struct mbox *mb = self(imp);
	int got = next_label(mb);

	while (got == 0 && mb->next_file < mb->tree.n) {
		got = enter(mb, &mb->tree.files[mb->next_file++], e);
		if (got > 0 && mb->takeout)
			got = next_label(mb);
	}
	if (got > 0) {
		describe_folder(mb, f);
	} else if (got == 0) {
		leave_file(mb);
		sum_up(mb);
	}
	return got;
}

/* At the folder's end: what is to be told, and whether the file stood still. */
static int finish(struct mbox *mb, struct err *e)
{
	if (!mb->takeout)
		remark_on_reading(mb);
	if (mbox_reader_stood_still(mb->r))
		return 0;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
		       "%s: changed while it was read; run it again",
		       mb->name.data);
}

/* Go to the next message of the folder: 1, 0 at its end, -1. */
static int go_to_next(struct mbox *mb, uint64_t *offset_r, struct err *e)
{
	uint64_t offset, length;

	if (!mb->takeout)
		return mbox_reader_next(mb->r, offset_r, e);
	if (!takeout_next(mb->takeout, mb->nth, &mb->at, &offset, &length))
		return 0;
	if (mbox_reader_seek(mb->r, offset, length, e) < 0)
		return -1;
	return mbox_reader_next(mb->r, offset_r, e);
}

/* Have the file open: 1, 0 if it is no folder any more, -1. */
static int be_open(struct mbox *mb, struct err *e)
{
	if (mb->takeout && !takeout_has_messages(mb->takeout))
		return index_again(mb, e) < 0 ? -1 : 1;
	return mb->r ? 1 : open_file(mb, e);
}

/* A separator's date, and the fields that its writer adds. */
static void note_writer(struct mbox *mb, struct message *m)
{
	const char *line = mbox_reader_separator(mb->r);
	int64_t date = date_parse_asctime(line, strlen(line));

	if (mb->takeout) { /* it adds no status fields */
		m->when.delivered = date;
		m->in.drop_leading = takeout_fields;
		m->in.drop_anywhere = NULL;
		return;
	}
	m->in.drop_leading = mozilla_leading_fields;
	if (mbox_is_thunderbird(line, strlen(line))) {
		/* It writes when it downloaded or copied the message, and no
		   status fields: those came with the mail. */
		m->when.downloaded = date;
		m->in.drop_anywhere = NULL;
	} else {
		m->when.delivered = date;
		m->in.drop_anywhere = status_fields;
	}
}

static int mbox_next(struct importer *imp, struct message *m, struct err *e)
{
	struct mbox *mb = self(imp);
	int got;

	if (!mb->file)
		return 0;
	got = be_open(mb, e);
	if (got > 0)
		got = go_to_next(mb, &m->offset, e);
	if (got == 0)
		return mb->r ? finish(mb, e) : 0;
	if (got < 0)
		return -1;
	buf_addf(&m->locator, "%llu", (unsigned long long)m->offset);
	note_writer(mb, m);
	if (mbox_reader_doubtful(mb->r))
		m->notes |= NOTE_DOUBTFUL_SPLIT;
	return 1;
}

static bool value_has(const struct header *h, const char *name,
		      const char *text)
{
	struct buf value = BUF_INIT;
	bool has = header_add_value(h, name, 0, &value) &&
		   strstr(value.data, text);

	buf_free(&value);
	return has;
}

/* c-client keeps a folder's UIDs in a message of its own. A sender can write
   X-IMAP, too, so the subject must be there besides. */
static bool is_internal(const struct header *h)
{
	return value_has(h, "Subject", "DON'T DELETE THIS MESSAGE") &&
	       (header_find(h, "X-IMAP", 0) ||
		value_has(h, "From", "Mail System Internal Data"));
}

/* Mozilla's fields tell something when Mozilla wrote them: they are on top, or
   the separator is its own (Netscape 4 put them below). Then Status is what
   some POP server added. */
static bool is_mozillas(const struct header *h, bool thunderbird)
{
	const struct header_field *f = header_find(h, "X-Mozilla-Status", 0);

	return f && (f->dropped || thunderbird);
}

/* What writers of mboxes keep in the header. */
static void apply_status(struct message *m, bool thunderbird)
{
	const struct header *h = &m->in.header;
	bool deleted = false;

	if (is_mozillas(h, thunderbird))
		mozilla_status_apply(h, m);
	else
		mbox_flags_from_header(h, &m->flags, &deleted);
	if (deleted && !thunderbird)
		m->skip = SKIP_DELETED;
	if (is_internal(h))
		m->skip = SKIP_INTERNAL;
}

static void apply_labels(struct mbox *mb, struct message *m)
{
	const struct buf *raw = &m->in.header.raw;

	takeout_labels_read(&mb->labels, raw->data, raw->len);
	takeout_flags(&mb->labels, takeout_folder(mb->takeout, mb->nth),
		      &m->flags, NULL, NULL);
}

/* In a file that keeps keywords, X-Keywords with others is a sender's. */
static bool has_keywords(const struct mbox *mb)
{
	const char *text, *value;
	size_t n, len;

	if (!mb->looks.keywords || mb->takeout)
		return false;
	text = mbox_reader_peek(mb->r, &n);
	value = mbox_head_find(text, n, "X-Keywords", UINT_MAX, &len);
	return value && mbox_keywords_are_state(value, len, &mb->keywords);
}

static int mbox_load(struct importer *imp, struct message *m, struct err *e)
{
	struct mbox *mb = self(imp);
	const char *line = mbox_reader_separator(mb->r);
	bool thunderbird = mbox_is_thunderbird(line, strlen(line));
	bool keywords = has_keywords(mb);

	if (keywords && m->in.drop_anywhere)
		m->in.drop_anywhere = status_and_keywords;
	if (mbox_reader_load(mb->r, &m->in, &m->length, e) < 0 ||
	    intake_end(&m->in, e) < 0)
		return -1;
	if (mb->takeout)
		apply_labels(mb, m);
	else
		apply_status(m, thunderbird);
	if (keywords)
		mbox_keywords_from_header(&m->in.header, &mb->keywords,
					  &m->flags);
	if (m->in.store_size == 0)
		m->skip = SKIP_EMPTY;
	message_date_from_header(m);
	m->when.sent_folder = mb->sent;
	return 0;
}

static int mbox_pass(struct importer *imp, uint64_t length, struct err *e)
{
	return mbox_reader_pass(self(imp)->r, length, e);
}

static const char *mbox_bookmark(struct importer *imp)
{
	struct mbox *mb = self(imp);

	buf_reset(&mb->bookmark);
	if (!mb->r || mb->takeout ||
	    !mbox_reader_bookmark(mb->r, &mb->bookmark))
		return NULL;
	return mb->bookmark.data;
}

static int mbox_resume(struct importer *imp, const char *bookmark)
{
	struct mbox *mb = self(imp);
	struct err ignored;

	/* What fails here will fail for next, which says so. */
	if (!mb->file || mb->takeout)
		return 0;
	if (!mb->r && open_file(mb, &ignored) <= 0) {
		close_file(mb);
		return 0;
	}
	return mbox_reader_resume(mb->r, bookmark);
}

static const char *mbox_nth_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->tree.remarks, nth);
}

static void mbox_close(struct importer *imp)
{
	struct mbox *mb = self(imp);

	leave_file(mb);
	mbox_tree_free(&mb->tree);
	walk_close(mb->w);
	flags_free(&mb->keywords);
	takeout_labels_free(&mb->labels);
	buf_free(&mb->name);
	buf_free(&mb->print);
	buf_free(&mb->id);
	buf_free(&mb->fingerprint);
	buf_free(&mb->bookmark);
	free(mb);
}

static int mbox_open(const char *path, const struct importer_options *opt,
		     struct importer **imp_r, struct err *e)
{
	struct mbox *mb = mem_zalloc(sizeof(*mb));

	mb->base.ops = &importer_mbox;
	mb->fd = -1;
	mb->opt = *opt;
	flags_init(&mb->keywords);
	buf_init(&mb->labels.text);
	buf_init(&mb->name);
	buf_init(&mb->print);
	buf_init(&mb->id);
	buf_init(&mb->fingerprint);
	buf_init(&mb->bookmark);
	if (importer_walk(path, opt, &mb->w, e) < 0 ||
	    mbox_tree_find(&mb->tree, mb->w, e) < 0) {
		mbox_close(&mb->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &mb->base;
	return 0;
}

/* What is in a compressed file, its first bytes do not say. */
static enum claim claim_packed(const struct candidate *c)
{
	struct mbox_looks looks = { .sure = CLAIM_NO };
	struct err ignored;
	int fd = walk_file(c->w, c->rel, NULL, &ignored);

	if (fd < 0)
		return CLAIM_NO;
	if (mbox_look(fd, c->name, &looks, NULL, &ignored) < 0)
		looks.sure = CLAIM_NO;
	close(fd);
	return looks.sure;
}

static enum claim mbox_claim(const struct candidate *c)
{
	struct mbox_looks looks;
	char *head;

	if (c->dir)
		return CLAIM_NO;
	if (!c->size)
		return mbox_named_so(c->name) ? CLAIM_PART : CLAIM_NO;
	if (unpack_looks(c->head, c->n_head) != PACKED_NOT)
		return claim_packed(c);
	head = mem_alloc(c->n_head + 1);
	memcpy(head, c->head, c->n_head);
	mbox_look_at(head, c->n_head, c->n_head == c->size, &looks, NULL);
	free(head);
	return looks.sure;
}

const struct importer_ops importer_mbox = {
	.name = "mbox",
	.title = "mbox",
	.claim = mbox_claim,
	.gathers = true,
	.open = mbox_open,
	.next_folder = mbox_next_folder,
	.next = mbox_next,
	.load = mbox_load,
	.pass = mbox_pass,
	.bookmark = mbox_bookmark,
	.resume = mbox_resume,
	.remark = mbox_nth_remark,
	.close = mbox_close,
};
