/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Becky! Internet Mail 2 (RimArts, since 2000).

   A folder's mail is in one or more .bmf files. A message is its lines with the
   second dot of those that begin with two taken away, and with attachments that
   were put into files of their own back in their places. What Becky! adds is
   the field X-Becky-Status and the lines X-Becky-Include.

   Folder.idx lists what the client shows. Messages in front of the last one
   that it lists, and not listed, were deleted. Behind that one they may also be
   new: then the .bmf is younger than the list.

   A message's locator is its file and place, which are good only while all
   files of the folder are what they were (fingerprint). */
#include "importers/importer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/becky_attach.h"
#include "importers/becky_bmf.h"
#include "importers/becky_body.h"
#include "importers/becky_index.h"
#include "importers/becky_tree.h"
#include "importers/dbx_ansi.h"

extern const struct importer_ops importer_becky;

/* A change of how messages are found or read must make fingerprints differ. */
#define BECKY_VERSION "becky1:"

static const char *const own_fields[] = { "X-Becky-Status", NULL };

struct becky {
	struct importer base;
	struct walk *w;
	struct becky_tree tree;
	size_t next_folder;

	/* The current folder; NULL and -1 outside of one. */
	const struct becky_folder *folder;
	struct becky_index index;
	bool indexed; /* index was read */
	struct stat idx;
	size_t next_file;
	int fd; /* the current file: bmfs[next_file - 1] */
	struct stat st;
	struct bmf bmf;
	struct becky_part part;
	const struct becky_entry *entry; /* of the message next found */
	size_t rebuilt, missing;
	struct buf rel, name, fingerprint;
};

static struct becky *self(struct importer *imp)
{
	return (struct becky *)imp;
}

static void leave_file(struct becky *b)
{
	if (b->fd >= 0) {
		bmf_close(&b->bmf);
		close(b->fd);
	}
	b->fd = -1;
}

static void leave_folder(struct becky *b)
{
	leave_file(b);
	becky_index_free(&b->index);
	b->folder = NULL;
	b->indexed = false;
	b->next_file = b->rebuilt = b->missing = 0;
}

/* The path of a file of the folder; valid until the next call. */
static const char *path_of(struct becky *b, const char *leaf)
{
	buf_reset(&b->rel);
	if (leaf[0])
		dbx_join(&b->rel, b->folder->dir, leaf);
	return b->rel.data;
}

/* --- folders --- */

static uint64_t make_fingerprint(struct becky *b)
{
	const struct becky_folder *f = b->folder;
	uint64_t bytes = 0;
	struct stat st;

	buf_set_str(&b->fingerprint, BECKY_VERSION);
	for (size_t i = 0; f->bmfs[i]; i++) {
		buf_addf(&b->fingerprint, "%s ", f->bmfs[i]);
		if (walk_stat(b->w, path_of(b, f->bmfs[i]), &st) < 0)
			continue;
		walk_add_identity(&b->fingerprint, &st);
		buf_add_char(&b->fingerprint, ' ');
		bytes += (uint64_t)st.st_size;
	}
	if (f->idx && walk_stat(b->w, path_of(b, f->idx), &st) == 0)
		walk_add_identity(&b->fingerprint, &st);
	buf_addf(&b->fingerprint, " %d%d", f->use, f->hidden);
	if (f->attach) {
		buf_add_char(&b->fingerprint, ' ');
		becky_attach_fingerprint(b->w, f->attach, &b->fingerprint);
	}
	if (f->shared) {
		buf_add_char(&b->fingerprint, ' ');
		becky_attach_fingerprint(b->w, f->shared, &b->fingerprint);
	}
	return bytes;
}

static int becky_next_folder(struct importer *imp, struct folder *f,
			     struct err *e)
{
	struct becky *b = self(imp);
	const struct becky_folder *bf;

	(void)e;
	leave_folder(b);
	if (b->next_folder == b->tree.n)
		return 0;
	bf = b->folder = &b->tree.folders[b->next_folder++];
	*f = (struct folder){
		.path = (const char *const *)bf->path,
		.use = bf->use,
		.id = bf->id,
		.account = bf->account,
		.hidden = bf->hidden,
		.bytes = make_fingerprint(b),
	};
	walk_name(b->w, bf->dir, &b->name);
	f->file = b->name.data;
	f->fingerprint = b->fingerprint.data;
	return 1;
}

static void read_index(struct becky *b)
{
	struct err e = ERR_INIT;
	int fd;

	b->indexed = true;
	if (!b->folder->idx)
		return;
	fd = walk_file(b->w, path_of(b, b->folder->idx), &b->idx, &e);
	if (fd < 0) {
		remark_add(&b->tree.remarks, "%s", e.text);
		return;
	}
	becky_index_read(&b->index, fd, (uint64_t)b->idx.st_size);
	close(fd);
}

/* Open the next file. Its part of the index is used when it fits. */
static int open_file(struct becky *b, struct err *e)
{
	const char *leaf = b->folder->bmfs[b->next_file++];

	walk_name(b->w, path_of(b, leaf), &b->name);
	b->fd = walk_file(b->w, path_of(b, leaf), &b->st, e);
	if (b->fd < 0)
		return -1;
	bmf_open(&b->bmf, b->fd, (uint64_t)b->st.st_size);
	b->part = becky_index_part(&b->index, leaf, b->fd,
				   (uint64_t)b->st.st_size);
	if (b->folder->idx && b->st.st_size && !b->part.trusted)
		remark_add(&b->tree.remarks,
			   "%s: Folder.idx %s: flags are those in the "
			   "messages, and deleted messages may come back",
			   b->name.data,
			   b->part.n ? "does not fit the messages"
				     : "lists nothing of this file");
	return 0;
}

/* --- messages --- */

/* At a file's end. */
static int finish(struct becky *b, struct err *e)
{
	struct stat st;

	if (b->missing)
		remark_add(&b->tree.remarks,
			   "%s: %zu attachments are not in #Attach; their "
			   "X-Becky-Include lines stay in the messages",
			   b->name.data, b->missing);
	if (b->rebuilt)
		remark_add(&b->tree.remarks,
			   "%s: %zu attachments were kept decoded, and are "
			   "encoded anew",
			   b->name.data, b->rebuilt);
	b->missing = b->rebuilt = 0;
	if (fstat(b->fd, &st) == 0 && st.st_size == b->st.st_size &&
	    st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec) {
		leave_file(b);
		return 0;
	}
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
		       "%s: changed while it was read; run it again",
		       b->name.data);
}

static int unreadable(struct becky *b, struct err *e)
{
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER, "%s: %s",
		       b->name.data, strerror(b->bmf.w.error));
}

static void judge(struct becky *b, struct message *m)
{
	uint64_t at = b->bmf.start;

	b->entry = NULL;
	if (!b->part.trusted)
		return;
	b->entry = becky_part_find(&b->part, at);
	if (b->entry)
		return;
	if (at < b->part.entries[b->part.n - 1].at ||
	    b->idx.st_mtim.tv_sec >= b->st.st_mtim.tv_sec)
		m->skip = SKIP_UNSURE_DELETED;
	else
		m->notes |= NOTE_HIDDEN;
}

static int becky_next(struct importer *imp, struct message *m, struct err *e)
{
	struct becky *b = self(imp);

	if (!b->folder)
		return 0;
	if (!b->indexed)
		read_index(b);
	while (b->fd < 0 || !bmf_next(&b->bmf)) {
		if (b->fd >= 0 && finish(b, e) < 0)
			return -1;
		if (!b->folder->bmfs[b->next_file])
			return 0;
		if (open_file(b, e) < 0)
			return -1;
	}
	m->offset = b->bmf.start;
	buf_addf(&m->locator, "%s:%llu", b->folder->bmfs[b->next_file - 1],
		 (unsigned long long)b->bmf.start);
	judge(b, m);
	m->in.drop_leading = NULL;
	m->in.drop_anywhere = own_fields;
	return 1;
}

/* The status field that stands last: Becky! writes its own at the end. */
static void status_from_header(struct message *m)
{
	const struct header *h = &m->in.header;
	struct buf value = BUF_INIT;
	uint32_t status;
	unsigned n = 0;

	while (header_find(h, own_fields[0], n))
		n++;
	if (n && header_add_value(h, own_fields[0], n - 1, &value) &&
	    becky_status_parse(value.data, &status, &m->when.downloaded))
		becky_status_apply(m, status);
	buf_free(&value);
}

static void describe(struct becky *b, struct message *m)
{
	status_from_header(m);
	if (b->entry) {
		flags_reset(&m->flags);
		becky_status_apply(m, b->entry->status);
		if (b->entry->downloaded != DATE_NONE)
			m->when.downloaded = b->entry->downloaded;
	}
	if (b->folder->use == USE_DRAFTS)
		m->flags.system |= FLAG_DRAFT;
	if (b->folder->use == USE_QUEUE)
		m->notes |= NOTE_QUEUED;
	if (b->folder->hidden)
		m->notes |= NOTE_HIDDEN;
	if (!m->in.store_size)
		m->skip = SKIP_EMPTY;
	message_date_from_header(m);
	m->when.sent_folder = b->folder->use == USE_SENT;
}

static int open_attachment(void *ctx, const char *path, size_t n)
{
	struct becky *b = ctx;
	const struct becky_folder *f = b->folder;
	int fd = f->attach ? becky_attach_open(b->w, f->attach, path, n) : -1;

	if (fd < 0 && f->shared)
		fd = becky_attach_open(b->w, f->shared, path, n);
	return fd;
}

static int becky_load(struct importer *imp, struct message *m, struct err *e)
{
	struct becky *b = self(imp);
	struct becky_body body = {
		.in = &m->in,
		.open = open_attachment,
		.ctx = b,
	};
	struct bmf_piece piece;
	int got, ret = 0;

	while ((got = bmf_read(&b->bmf, &piece)) > 0)
		if (ret == 0)
			ret = becky_body_add(&body, &piece, e);
	if (got < 0)
		ret = unreadable(b, e);
	if (ret == 0)
		ret = becky_body_end(&body, e);
	m->length = b->bmf.at - b->bmf.start;
	if (ret == 0)
		ret = intake_end(&m->in, e);
	if (ret == 0) {
		m->notes |= body.rebuilt ? NOTE_REBUILT : 0;
		m->notes |= body.missing ? NOTE_PARTS_MISSING : 0;
		b->rebuilt += body.rebuilt;
		b->missing += body.missing;
		if (body.missing)
			remark_add(&b->tree.remarks,
				   "%s: the message at byte %llu lacks its "
				   "attachment '%s'",
				   b->name.data,
				   (unsigned long long)b->bmf.start,
				   body.lost.data);
		describe(b, m);
	} else {
		err_in(e, "%s: the message at byte %llu", b->name.data,
		       (unsigned long long)b->bmf.start);
	}
	becky_body_free(&body);
	return ret;
}

static int becky_pass(struct importer *imp, uint64_t length, struct err *e)
{
	struct becky *b = self(imp);

	if (bmf_pass(&b->bmf, length))
		return 0;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
		       "%s: shorter than when it was read last; run it again",
		       b->name.data);
}

static const char *becky_nth_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->tree.remarks, nth);
}

static void becky_close(struct importer *imp)
{
	struct becky *b = self(imp);

	leave_folder(b);
	becky_tree_free(&b->tree);
	walk_close(b->w);
	buf_free(&b->rel);
	buf_free(&b->name);
	buf_free(&b->fingerprint);
	free(b);
}

static int becky_open(const char *path, const struct importer_options *opt,
		      struct importer **imp_r, struct err *e)
{
	struct becky *b = mem_zalloc(sizeof(*b));

	b->base.ops = &importer_becky;
	b->fd = -1;
	buf_init(&b->rel);
	buf_init(&b->name);
	buf_init(&b->fingerprint);
	if (importer_walk(path, opt, &b->w, e) < 0 ||
	    becky_tree_find(&b->tree, b->w, opt, e) < 0) {
		becky_close(&b->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &b->base;
	return 0;
}

/* --- claim --- */

/* Whether a file begins like a message: fields, up to an empty line or past what
   is there. */
static bool begins_with_fields(const char *s, size_t n)
{
	const char *end = s + n;
	unsigned fields = 0;

	while (s < end) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		const char *p = s;

		if (!eol)
			return fields > 0;
		if (*s == '\r' || *s == '\n' || *s == '.')
			return fields > 0;
		while (p<eol && * p> ' ' && *p < 0x7F && *p != ':')
			p++;
		if (*s != ' ' && *s != '\t' && (p == s || *p != ':'))
			return false;
		fields++;
		s = eol + 1;
	}
	return fields > 0;
}

static enum claim becky_claim(const struct candidate *c)
{
	if (!c->dir)
		return dbx_has_suffix(c->name, ".bmf") &&
				       begins_with_fields(c->head, c->n_head)
			       ? CLAIM_ALL
			       : CLAIM_NO;
	if (becky_is_mailbox_name(c->name) &&
	    dbx_find_entry(c->dir, "Mailbox.ini", 'f'))
		return CLAIM_MORE;
	if (becky_is_mailbox_name(c->name))
		return CLAIM_ALL;
	for (size_t i = 0; i < c->dir->n; i++)
		if (c->dir->entries[i].kind == 'd' &&
		    becky_is_mailbox_name(c->dir->entries[i].name))
			return CLAIM_ALL;
	return CLAIM_NO;
}

const struct importer_ops importer_becky = {
	.name = "becky",
	.title = "Becky! 2",
	.claim = becky_claim,
	.gathers = true,
	.open = becky_open,
	.next_folder = becky_next_folder,
	.next = becky_next,
	.load = becky_load,
	.pass = becky_pass,
	.remark = becky_nth_remark,
	.close = becky_close,
};
