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
   (mbox_reader.c, peek). */
#include "importers/importer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/mbox_reader.h"
#include "importers/mbox_score.h"
#include "importers/mbox_tree.h"
#include "importers/mozilla_status.h"

extern const struct importer_ops importer_mbox;

/* A change of how messages are found or read must make fingerprints differ. */
#define MBOX_VERSION "mbox1:"

static const char *const status_fields[] = {
	"Status", "X-Status",	"X-Keywords",	  "X-UID",
	"X-IMAP", "X-IMAPbase", "Content-Length", NULL,
};

struct mbox {
	struct importer base;
	struct walk *w;
	struct mbox_tree tree;
	size_t next_file;

	bool (*known_folder)(void *ctx, const char *id);
	void *known_ctx;

	/* The current folder; NULL and -1 outside of one, or while its file,
	   which is known, has not been asked for a message. */
	const struct mbox_file *file;
	struct mbox_reader *r;
	int fd;
	struct stat st;
	bool keywords, sent;
	struct buf name, fingerprint;
	bool summed_up; /* the last remarks are made */
};

static struct mbox *self(struct importer *imp)
{
	return (struct mbox *)imp;
}

static void leave_folder(struct mbox *mb)
{
	mbox_reader_close(mb->r);
	mb->r = NULL;
	if (mb->fd >= 0)
		close(mb->fd);
	mb->fd = -1;
	mb->file = NULL;
}

/* For people: where the current file lies. */
static void set_name(struct mbox *mb, const char *rel)
{
	const char *root = walk_root(mb->w);

	buf_reset(&mb->name);
	utf8_add_guessed(&mb->name, root, strlen(root));
	if (!rel[0])
		return;
	if (mb->name.len && mb->name.data[mb->name.len - 1] != '/')
		buf_add_char(&mb->name, '/');
	utf8_add_guessed(&mb->name, rel, strlen(rel));
}

/* A single file's id must not change with the way that leads to it. */
static const char *id_of(const struct mbox *mb, const struct mbox_file *file)
{
	return file->rel[0] ? file->rel : mbox_leaf(walk_root(mb->w));
}

/* Whether the open file is a folder: 1, 0 or -1. A file that was given by name
   is, and the reader has the last word. */
static int is_folder(struct mbox *mb, const struct mbox_file *file,
		     struct err *e)
{
	struct mbox_looks looks;

	if (mbox_look(mb->fd, &looks, e) < 0)
		return err_in(e, "%s", mb->name.data);
	mb->keywords = looks.keywords;
	if (looks.sure || !file->rel[0])
		return 1;
	if (mb->st.st_size == 0 && mbox_named_so(file->rel))
		return 1;
	if (mb->st.st_size == 0 || mbox_named_index(file->rel))
		mb->tree.passed_over++;
	else
		remark_add(&mb->tree.remarks, "%s: %s, left out", file->rel,
			   looks.packed ? "compressed; unpack it first"
					: "not an mbox");
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
	return got;
}

static bool is_known(const struct mbox *mb, const struct mbox_file *file)
{
	return mb->known_folder &&
	       mb->known_folder(mb->known_ctx, id_of(mb, file));
}

/* 1 with the file open, or, when it is known, at least there; 0 if it is no
   folder; -1. */
static int enter(struct mbox *mb, const struct mbox_file *file, struct err *e)
{
	int got;

	leave_folder(mb);
	if (file->error)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s",
			       file->error);
	set_name(mb, file->rel);
	mb->file = file;
	if (is_known(mb, file) && walk_stat(mb->w, file->rel, &mb->st) == 0)
		return 1;
	got = open_file(mb, e);
	if (got <= 0)
		leave_folder(mb);
	return got;
}

static void describe_folder(struct mbox *mb, const struct mbox_file *file,
			    struct folder *f)
{
	char *const *path = file->path;

	buf_set_str(&mb->fingerprint, MBOX_VERSION);
	walk_add_identity(&mb->fingerprint, &mb->st);
	*f = (struct folder){
		.path = (const char *const *)path,
		.use = path[1] ? USE_NONE : folder_use_by_name(path[0]),
		.id = id_of(mb, file),
		.file = mb->name.data,
		.account = "",
		.fingerprint = mb->fingerprint.data,
		.bytes = (uint64_t)mb->st.st_size,
	};
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
	int got = 0;

	leave_folder(mb);
	while (got == 0 && mb->next_file < mb->tree.n) {
		const struct mbox_file *file = &mb->tree.files[mb->next_file++];

		got = enter(mb, file, e);
		if (got > 0)
			describe_folder(mb, file, f);
	}
	if (got == 0)
		sum_up(mb);
	return got;
}

/* At the folder's end: what is to be told, and whether the file stood still. */
static int finish(struct mbox *mb, struct err *e)
{
	uint64_t junk = mbox_reader_junk(mb->r);
	uint64_t rejected = mbox_reader_rejected(mb->r);
	struct stat st;

	if (junk)
		remark_add(&mb->tree.remarks,
			   "%s: %llu bytes before the first message "
			   "belong to none",
			   mb->name.data, (unsigned long long)junk);
	if (rejected)
		remark_add(&mb->tree.remarks,
			   "%s: %llu lines begin with \"From \" and "
			   "were taken for text",
			   mb->name.data, (unsigned long long)rejected);
	if (fstat(mb->fd, &st) == 0 && st.st_size == mb->st.st_size &&
	    st.st_mtim.tv_sec == mb->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == mb->st.st_mtim.tv_nsec)
		return 0;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
		       "%s: changed while it was read; run it again",
		       mb->name.data);
}

static int mbox_next(struct importer *imp, struct message *m, struct err *e)
{
	struct mbox *mb = self(imp);
	const char *line;
	int64_t date;
	int got;

	if (!mb->file)
		return 0;
	if (!mb->r && (got = open_file(mb, e)) <= 0)
		return got;
	got = mbox_reader_next(mb->r, &m->offset, e);
	if (got == 0)
		return finish(mb, e);
	if (got < 0)
		return -1;
	buf_addf(&m->locator, "%llu", (unsigned long long)m->offset);
	line = mbox_reader_separator(mb->r);
	date = date_parse_asctime(line, strlen(line));
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

static void describe(struct mbox *mb, struct message *m, bool thunderbird)
{
	const struct header *h = &m->in.header;
	bool deleted = false;

	if (is_mozillas(h, thunderbird))
		mozilla_status_apply(h, m);
	else
		mbox_flags_from_header(h, &m->flags, &deleted);
	if (mb->keywords)
		mbox_keywords_from_header(h, &m->flags);
	if (deleted && !thunderbird)
		m->skip = SKIP_DELETED;
	if (is_internal(h))
		m->skip = SKIP_INTERNAL;
	if (m->in.store_size == 0)
		m->skip = SKIP_EMPTY;
	message_date_from_header(m);
	m->when.sent_folder = mb->sent;
}

static int mbox_load(struct importer *imp, struct message *m, struct err *e)
{
	struct mbox *mb = self(imp);
	const char *line = mbox_reader_separator(mb->r);
	bool thunderbird = mbox_is_thunderbird(line, strlen(line));

	if (mbox_reader_load(mb->r, &m->in, &m->length, e) < 0 ||
	    intake_end(&m->in, e) < 0)
		return -1;
	describe(mb, m, thunderbird);
	return 0;
}

static int mbox_pass(struct importer *imp, uint64_t length, struct err *e)
{
	return mbox_reader_pass(self(imp)->r, length, e);
}

static const char *mbox_nth_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->tree.remarks, nth);
}

static void mbox_close(struct importer *imp)
{
	struct mbox *mb = self(imp);

	leave_folder(mb);
	mbox_tree_free(&mb->tree);
	walk_close(mb->w);
	buf_free(&mb->name);
	buf_free(&mb->fingerprint);
	free(mb);
}

static int mbox_open(const char *path, const struct importer_options *opt,
		     struct importer **imp_r, struct err *e)
{
	struct mbox *mb = mem_zalloc(sizeof(*mb));

	mb->base.ops = &importer_mbox;
	mb->fd = -1;
	mb->known_folder = opt->known_folder;
	mb->known_ctx = opt->known_ctx;
	buf_init(&mb->name);
	buf_init(&mb->fingerprint);
	if (importer_walk(path, opt, &mb->w, e) < 0 ||
	    mbox_tree_find(&mb->tree, mb->w, e) < 0) {
		mbox_close(&mb->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &mb->base;
	return 0;
}

static enum claim mbox_claim(const struct candidate *c)
{
	struct mbox_looks looks;
	char *head;

	if (c->dir)
		return CLAIM_NO;
	if (!c->size)
		return mbox_named_so(c->name) ? CLAIM_PART : CLAIM_NO;
	head = mem_alloc(c->n_head + 1);
	memcpy(head, c->head, c->n_head);
	mbox_look_at(head, c->n_head, c->n_head == c->size, &looks);
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
	.remark = mbox_nth_remark,
	.close = mbox_close,
};
