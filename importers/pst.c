/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlook stores: .pst, and .ost, which is Outlook's copy of an Exchange mailbox.

   Outlook keeps a message as properties, not as bytes: the message is put together
   anew (pst_body.c), and every one says so (NOTE_REBUILT). Only mail is taken;
   contacts, appointments and the like are counted and named. A password on a store
   is a checksum that Outlook compares: nothing is encrypted with it.

   A folder's id and a message's locator are the numbers of their nodes, which stay
   theirs; a changed message keeps its number, so locators are good only while the
   file is what it was. Everything of this file runs in a process of its own. */
#include "importers/importer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/isolated.h"
#include "importers/pst_message.h"
#include "importers/pst_tree.h"
#include "importers/remarks.h"

extern const struct importer_ops importer_pst;
extern const struct importer_ops importer_pst_inside;

/* A change of how messages are found or made must make fingerprints differ. */
#define PST_VERSION "pst1:"

/* What a message may become of what a store of this size has: base64, and texts of which
   every character grows. */
enum { GROWTH = 4, ROOM = 64 << 20 };
enum { KEY_MAX = 64 };

struct pst {
	struct importer base;
	struct walk *w;
	struct stat file;
	struct buf name; /* for people */
	struct pst_store *st;
	struct pst_tree tree;
	uint32_t code_page; /* of strings in an ANSI store; 0: not known */
	uint16_t keywords;  /* the property with categories */
	struct buf key;	    /* of the store */
	struct buf fingerprint, id;
	struct remarks remarks;
	size_t counts[PST_KINDS]; /* of what is no mail */
	bool summed_up, said_damaged;

	size_t next_folder;
	const struct pst_folder *folder; /* NULL outside of one */
	size_t at;			 /* in the folder's items */
	struct pst_item item;		 /* the one that next found, if open */
	bool open;
	struct err why; /* if it could not be opened */
	struct pst_writer writer;
};

static struct pst *self(struct importer *imp)
{
	return (struct pst *)imp;
}

static void close_item(struct pst *p)
{
	if (p->open)
		pst_item_close(&p->item);
	p->open = false;
}

/* ---- what there is to say of the source ---- */

static void remark_counts(struct pst *p)
{
	static const char *const names[PST_KINDS] = {
		[PST_CONTACT] = "contacts",
		[PST_APPOINTMENT] = "appointments",
		[PST_TASK] = "tasks",
		[PST_NOTE] = "notes",
		[PST_JOURNAL] = "journal entries",
		[PST_OTHER] = "other items",
	};
	struct buf text = BUF_INIT;

	for (int kind = 0; kind < PST_KINDS; kind++)
		if (p->counts[kind] && names[kind])
			buf_addf(&text, "%s%zu %s", text.len ? ", " : "",
				 p->counts[kind], names[kind]);
	if (text.len)
		remark_add(&p->remarks, "no mail, and left out: %s", text.data);
	buf_free(&text);
}

static void sum_up(struct pst *p)
{
	if (p->summed_up)
		return;
	p->summed_up = true;
	remark_counts(p);
}

static void remark_store(struct pst *p)
{
	uint64_t size = pst_store_size(p->st);
	uint64_t stated = pst_store_stated_size(p->st);

	if (pst_store_is_cached(p->st))
		remark_add(&p->remarks,
			   "a copy of a mailbox on a server (.ost): it may not "
			   "be complete, and the server may still have it");
	if (stated > size)
		remark_add(&p->remarks, "cut off: %llu of %llu bytes are there",
			   (unsigned long long)size,
			   (unsigned long long)stated);
}

/* ---- folders ---- */

/* Items that are no mail are counted where a folder is made for them; there may
   be mail among them all the same. */
static bool has_mail(struct pst *p, const struct pst_folder *f)
{
	size_t counts[PST_KINDS] = { 0 };
	struct pst_item item;
	struct err ignored;

	if (!f->for_others)
		return true;
	for (size_t i = 0; i < f->n; i++) {
		if (pst_item_open(p->st, f->items[i]->place, p->code_page,
				  &item, &ignored) < 0)
			return true; /* it will be told when it is read */
		counts[pst_item_kind(&item)]++;
		pst_item_close(&item);
		if (counts[PST_MAIL])
			return true;
	}
	for (int kind = 0; kind < PST_KINDS; kind++)
		p->counts[kind] += counts[kind];
	return false;
}

static void describe_folder(struct pst *p, const struct pst_folder *pf,
			    struct folder *f)
{
	uint64_t n = p->tree.n_items ? p->tree.n_items : 1;

	buf_reset(&p->id);
	buf_addf(&p->id, "%08x", pf->nid);
	*f = (struct folder){
		.path = (const char *const *)pf->path,
		.use = pf->use,
		.id = p->id.data,
		.file = p->name.data,
		.account = "",
		.fingerprint = p->fingerprint.data,
		.bytes = pst_store_size(p->st) / n * pf->n,
		.hidden = pf->lost,
	};
}

/* What is missing cannot be named: it is said once, and loud. */
static int say_damaged(struct pst *p, struct err *e)
{
	p->said_damaged = true;
	return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
		       "%s: %zu pages of its index cannot be read, and mail "
		       "may be missing; repair a copy with Outlook's "
		       "scanpst.exe",
		       p->name.data, pst_store_damaged(p->st));
}

static int pst_next_folder(struct importer *imp, struct folder *f,
			   struct err *e)
{
	struct pst *p = self(imp);

	close_item(p);
	p->folder = NULL;
	p->at = 0;
	if (pst_store_damaged(p->st) && !p->said_damaged)
		return say_damaged(p, e);
	while (p->next_folder < p->tree.n) {
		const struct pst_folder *pf =
			&p->tree.folders[p->next_folder++];

		if (!has_mail(p, pf))
			continue;
		p->folder = pf;
		describe_folder(p, pf, f);
		return 1;
	}
	sum_up(p);
	return 0;
}

/* ---- messages ---- */

static int pst_next(struct importer *imp, struct message *m, struct err *e)
{
	struct pst *p = self(imp);
	const struct pst_node *node;

	(void)e;
	close_item(p);
	if (!p->folder || p->at == p->folder->n)
		return 0;
	node = p->folder->items[p->at++];
	buf_reset(&m->locator);
	buf_addf(&m->locator, "%u", node->nid);
	m->offset = pst_store_offset(p->st, node->place);
	m->in.drop_leading = m->in.drop_anywhere = NULL;
	return 1;
}

static int name_error(const struct pst *p, const struct message *m,
		      struct err *e)
{
	struct buf name = BUF_INIT;

	for (char *const *part = p->folder->path; *part; part++)
		buf_addf(&name, "%s%s", name.len ? "/" : "", *part);
	e->scope = ERR_MESSAGE;
	err_in(e, "%s, %s, message %s", p->name.data, name.data,
	       m->locator.data);
	buf_free(&name);
	return -1;
}

static int write_message(struct pst *p, struct message *m, struct err *e)
{
	uint64_t most = pst_store_size(p->st) * GROWTH + ROOM;
	int ret;

	pst_writer_init(&p->writer, &m->in, most);
	ret = pst_message_write(&p->item, p->code_page, p->key.data, p->key.len,
				&p->writer, e);
	if (ret == 0)
		ret = pst_write_end(&p->writer, e);
	m->notes |= p->writer.notes;
	pst_writer_free(&p->writer);
	return ret;
}

static int load_item(struct pst *p, struct message *m, struct err *e)
{
	if (pst_item_kind(&p->item) != PST_MAIL) {
		m->skip = SKIP_NOT_MAIL;
		return intake_end(&m->in, e);
	}
	if (write_message(p, m, e) < 0 || intake_end(&m->in, e) < 0)
		return -1;
	pst_item_describe(&p->item, p->keywords, m);
	if (p->folder->lost)
		m->notes |= NOTE_HIDDEN;
	message_date_from_header(m);
	m->when.sent_folder = p->folder->use == USE_SENT ||
			      p->folder->use == USE_QUEUE ||
			      p->folder->use == USE_DRAFTS;
	return 0;
}

static int pst_load(struct importer *imp, struct message *m, struct err *e)
{
	struct pst *p = self(imp);
	const struct pst_node *node = p->folder->items[p->at - 1];
	int ret;

	close_item(p);
	if (pst_item_open(p->st, node->place, p->code_page, &p->item, e) < 0)
		return name_error(p, m, e);
	p->open = true;
	ret = load_item(p, m, e);
	close_item(p);
	return ret < 0 ? name_error(p, m, e) : 0;
}

/* ---- the source ---- */

static const char *pst_nth_remark(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->remarks, nth);
}

static void pst_close_source(struct importer *imp)
{
	struct pst *p = self(imp);

	close_item(p);
	pst_tree_free(&p->tree);
	pst_store_close(p->st);
	remarks_free(&p->remarks);
	buf_free(&p->name);
	buf_free(&p->key);
	buf_free(&p->fingerprint);
	buf_free(&p->id);
	walk_close(p->w);
	free(p);
}

static int open_store(struct pst *p, struct err *e)
{
	int fd;

	if (!walk_is_file(p->w))
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: a directory; give the .pst file in it",
			       p->name.data);
	fd = walk_file(p->w, "", &p->file, e);
	if (fd < 0 || pst_store_open(fd, p->name.data, &p->st, e) < 0)
		return -1;
	if (pst_store_is_ansi(p->st))
		p->code_page = pst_tree_guess_code_page(p->st);
	p->keywords = pst_tree_keywords(p->st);
	pst_tree_store_key(p->st, KEY_MAX, &p->key);
	buf_set_str(&p->fingerprint, PST_VERSION);
	walk_add_identity(&p->fingerprint, &p->file);
	return pst_tree_read(&p->tree, p->st, p->code_page, &p->remarks, e);
}

static int pst_open_source(const char *path, const struct importer_options *opt,
			   struct importer **imp_r, struct err *e)
{
	struct pst *p = mem_zalloc(sizeof(*p));

	p->base.ops = &importer_pst_inside;
	buf_init(&p->name);
	buf_init(&p->key);
	buf_init(&p->fingerprint);
	buf_init(&p->id);
	utf8_add_guessed(&p->name, path, strlen(path));
	if (importer_walk(path, opt, &p->w, e) < 0 || open_store(p, e) < 0) {
		pst_close_source(&p->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	remark_store(p);
	*imp_r = &p->base;
	return 0;
}

static enum claim pst_claim(const struct candidate *c)
{
	if (c->dir || pst_looks(c->head, c->n_head) == PST_CLIENT_NONE)
		return CLAIM_NO;
	return CLAIM_ALL;
}

/* What runs in the child. */
const struct importer_ops importer_pst_inside = {
	.name = "pst",
	.title = "Outlook (.pst, .ost), as it is",
	.claim = pst_claim,
	.open = pst_open_source,
	.next_folder = pst_next_folder,
	.next = pst_next,
	.load = pst_load,
	.remark = pst_nth_remark,
	.close = pst_close_source,
};

static int pst_open_isolated(const char *path,
			     const struct importer_options *opt,
			     struct importer **imp_r, struct err *e)
{
	struct isolated_limits limits = isolated_usual;
	struct stat st;

	/* Nothing that is read of a file is much more than the file. */
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		uint64_t size = (uint64_t)st.st_size;

		limits.message_bytes = size * (GROWTH + 1) + 2 * (uint64_t)ROOM;
		limits.items = size / 4 + 1000;
	}
	return isolated_open(&importer_pst, &importer_pst_inside, &limits, path,
			     opt, imp_r, e);
}

const struct importer_ops importer_pst = {
	.name = "pst",
	.title = "Outlook (.pst, .ost)",
	.claim = pst_claim,
	.open = pst_open_isolated,
	.next_folder = isolated_next_folder,
	.next = isolated_next,
	.load = isolated_load,
	.remark = isolated_remark,
	.close = isolated_close,
};
