/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows Mail (Vista) and Windows Live Mail: a directory per account with an
   .oeaccount file, in it a directory per folder with 26A6701F-00000002.eml and its
   like (formats.md section 4).

     Windows Live Mail/POP (exam 28a/{Inbox,Sent Items,...}/   an account
     Windows Live Mail/Storage Folders/...		      moved there by hand
     Windows Live Mail/Outbox/
     Windows Mail/Local Folders/{Inbox,...}/		      Vista: all POP accounts

   Whether a message was read, its flag, and the names that were too long for a
   directory are in a database (Mail.MSMessageStore, Microsoft's ESE) that is not read.
   So all mail comes as \Seen: in an office nearly all of it was, and of thousands that
   come as unread nobody finds the few that are. Drafts come as \Draft. Both is said.

   Left out: accounts whose mail is on an IMAP server, unless asked for; news and
   feeds; Backup, which holds copies. */
#include "importers/wlm.h"
#include "importers/eml.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"

extern const struct importer_ops importer_wlm;

enum {
	AT_STORE = 1 << 0, /* of a place: its directories are accounts */
	IN_ACCOUNT = 1 << 1,

	CLAIM_LOOKS = 64,
};

struct wlm {
	struct filetree tree;
	struct eml_counts counts;
	size_t news;
};

static bool has_eml(const struct walk_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].kind == 'f' &&
		    filetree_ends(d->entries[i].name, ".eml"))
			return true;
	return false;
}

static bool has_index(const struct walk_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (filetree_ends(d->entries[i].name, ".MSMessageStore"))
			return true;
	return false;
}

static bool has_account(const struct walk_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].kind == 'f' &&
		    filetree_ends(d->entries[i].name, ".oeaccount"))
			return true;
	return false;
}

/* A directory below, of which one of these is true. */
static bool below_has(struct walk *w, const char *rel, const char *name,
		      bool (*has)(const struct walk_dir *d))
{
	struct buf path = BUF_INIT;
	struct walk_dir d;
	struct err ignored;
	bool is = false;

	buf_addf(&path, "%s%s%s", rel, rel[0] ? "/" : "", name);
	if (walk_list(w, path.data, &d, &ignored) == 0) {
		is = has(&d);
		walk_dir_free(&d);
	}
	buf_free(&path);
	return is;
}

/* In how many of its directories, up to enough. */
static unsigned count_below(struct walk *w, const char *rel,
			    const struct walk_dir *d,
			    bool (*has)(const struct walk_dir *d),
			    unsigned enough)
{
	unsigned looks = 0, n = 0;

	for (size_t i = 0; i < d->n && looks < CLAIM_LOOKS && n < enough; i++) {
		if (d->entries[i].kind != 'd')
			continue;
		looks++;
		n += below_has(w, rel, d->entries[i].name, has);
	}
	return n;
}

static bool named_store(const char *name)
{
	return !ascii_compare(name, "Windows Live Mail") ||
	       !ascii_compare(name, "Windows Mail");
}

static bool is_store(struct walk *w, const char *rel, const char *name,
		     const struct walk_dir *d)
{
	return has_index(d) || named_store(name) ||
	       (!has_account(d) && count_below(w, rel, d, has_account, 1));
}

/* Do folders that every account has lie in it? */
static bool has_folders(const struct walk_dir *d)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct buf name = BUF_INIT;

		if (d->entries[i].kind != 'd')
			continue;
		wlm_folder_name(d->entries[i].name, NULL, &name);
		n += folder_use_by_name(name.data) != USE_NONE;
		buf_free(&name);
	}
	return n >= 2;
}

/* Names of directories that hold folders and are no account. */
static bool is_container(const char *name)
{
	static const char *const names[] = {
		"Local Folders", "Storage Folders",	"保存フォルダー",
		"保存フォルダ",	 "ローカル フォルダー", "ローカル フォルダ"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!ascii_compare(name, names[i]))
			return true;
	return false;
}

/* What is in a store and is no mail of an account; NULL: nothing known. */
static const char *left_out(const char *name)
{
	static const struct {
		const char *name, *what;
	} known[] = {
		{ .name = "Backup", .what = "copies of the database" },
		{ .name = "Your Feeds", .what = "news feeds" },
		{ .name = "フィード", .what = "news feeds" },
		{ .name = "Calendars", .what = "no mail" },
		{ .name = "Stationery", .what = "no mail" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!ascii_compare(name, known[i].name))
			return known[i].what;
	return NULL;
}

static void read_accounts(struct filetree *t, const struct filetree_place *at,
			  struct wlm_account *a)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < at->dir->n; i++) {
		if (at->dir->entries[i].kind != 'f' ||
		    !filetree_ends(at->dir->entries[i].name, ".oeaccount"))
			continue;
		buf_reset(&path);
		buf_reset(&text);
		buf_addf(&path, "%s%s%s", at->rel, at->rel[0] ? "/" : "",
			 at->dir->entries[i].name);
		if (walk_slurp(t->w, path.data, WLM_ACCOUNT_MAX, &text, &e) < 0)
			remark_add(&t->remarks, "%s", e.text);
		else
			wlm_account_read(text.data, text.len, a);
	}
	buf_free(&path);
	buf_free(&text);
}

/* A directory with account files. Whether it is wanted. */
static bool visit_account(struct filetree *t, struct filetree_place *at)
{
	struct wlm_account a = { .name = BUF_INIT };
	bool wanted = true;

	read_accounts(t, at, &a);
	at->tag = IN_ACCOUNT;
	if (!a.name.len)
		wlm_folder_name(at->name, at->above, &a.name);
	at->account = filetree_keep(t, a.name.data);
	/* What was asked for by its own name is wanted. */
	if (a.imap && !a.pop && at->depth && !t->opt->imap_copies) {
		remark_add(&t->remarks,
			   "%s: an IMAP account, whose mail is on the server, "
			   "left out; --imap-copies takes what was kept "
			   "offline",
			   a.name.data);
		wanted = false;
	}
	if (a.news && !a.pop && !a.imap && at->depth) {
		remark_add(&t->remarks, "%s: newsgroups, left out",
			   a.name.data);
		wanted = false;
	}
	buf_free(&a.name);
	return wanted;
}

/* One of the store's directories without an account file. Whether it is wanted; its
   name is part of the folder's where it is a folder itself (Outbox). */
static bool visit_store_dir(struct filetree *t, struct filetree_place *at,
			    const struct buf *name)
{
	const char *what = left_out(name->data);

	if (what) {
		remark_add(&t->remarks, "%s: %s, left out", at->rel, what);
		return false;
	}
	at->tag = IN_ACCOUNT;
	if (is_container(name->data))
		return true;
	if (has_folders(at->dir) && !has_eml(at->dir))
		at->account = filetree_keep(t, name->data);
	else
		filetree_add_part(at->parts, name->data, name->len);
	return true;
}

static bool visit_dir(struct filetree *t, struct filetree_place *at)
{
	struct buf name = BUF_INIT;
	bool wanted = true;

	if (at->name[0] == '.')
		return false;
	wlm_folder_name(at->name, at->above, &name);
	if (has_account(at->dir))
		wanted = visit_account(t, at);
	else if (at->tag & AT_STORE)
		wanted = visit_store_dir(t, at, &name);
	else if (is_store(t->w, at->rel, at->name, at->dir))
		at->tag = AT_STORE;
	else
		filetree_add_part(at->parts, name.data, name.len);
	buf_free(&name);
	return wanted;
}

bool wlm_visit(struct filetree *t, struct filetree_place *at)
{
	if (at->depth) {
		if (!visit_dir(t, at))
			return false;
	} else if (is_store(t->w, "", at->name, at->dir)) {
		at->tag = AT_STORE;
	} else if (has_account(at->dir)) {
		visit_account(t, at);
	} else {
		at->tag = IN_ACCOUNT;
	}
	if (has_eml(at->dir))
		filetree_add(t, at, filetree_use(at->parts), true);
	return true;
}

static bool is_message(struct filetree *t, struct filetree_file *file)
{
	struct wlm *wlm = (struct wlm *)t;

	wlm->news += filetree_ends(file->name, ".nws");
	return walk_is_file(t->w) || filetree_ends(file->name, ".eml");
}

static int feed(struct filetree *t, const struct filetree_file *file, int fd,
		struct message *m, struct err *e)
{
	return eml_feed(t, file, fd, m, true, &((struct wlm *)t)->counts, e);
}

static void settle(struct filetree *t, const struct filetree_file *file,
		   struct message *m)
{
	(void)t;
	(void)file;
	eml_settle(m);
}

static void finish(struct filetree *t)
{
	struct wlm *wlm = (struct wlm *)t;

	remark_add(&t->remarks,
		   "which messages were read or flagged, and folder names that "
		   "were too long, are in a database that is not read "
		   "(MSMessageStore): all mail comes as read");
	eml_remark(t, &wlm->counts);
	if (wlm->news)
		remark_add(
			&t->remarks,
			"%zu news articles (.nws) left out: they are no mail",
			wlm->news);
}

static bool has_messages(const struct walk_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].kind == 'f' &&
		    wlm_message_name(d->entries[i].name))
			return true;
	return false;
}

/* A store, an account, or a folder, with all below. One account in a directory is a
   source of its own. "Windows Mail" alone can be the directory of the program. */
enum claim wlm_claim(const struct candidate *c)
{
	if (!c->dir)
		return CLAIM_NO;
	if (has_index(c->dir) || has_account(c->dir) || has_messages(c->dir))
		return CLAIM_ALL;
	if (count_below(c->w, c->rel, c->dir, has_account, 2) == 2)
		return CLAIM_ALL;
	if (!named_store(c->name) && !has_folders(c->dir))
		return CLAIM_NO;
	return count_below(c->w, c->rel, c->dir, has_messages, 1) ? CLAIM_ALL
								  : CLAIM_NO;
}

static void wlm_close(struct importer *imp)
{
	struct wlm *wlm = (struct wlm *)imp;

	filetree_release(&wlm->tree);
	eml_counts_free(&wlm->counts);
	free(wlm);
}

static const struct filetree_format format = {
	.ops = &importer_wlm,
	.is_message = is_message,
	.feed = feed,
	.settle = settle,
	.finish = finish,
};

static int wlm_open(const char *path, const struct importer_options *opt,
		    struct importer **imp_r, struct err *e)
{
	struct wlm *wlm = mem_zalloc(sizeof(*wlm));
	struct filetree *t = &wlm->tree;
	int ret;

	ret = filetree_open(t, &format, path, opt, e);
	if (ret == 0 && walk_is_file(t->w))
		filetree_add_file(t);
	else if (ret == 0)
		ret = filetree_find(t, wlm_visit, e);
	if (ret == 0 && !t->n_folders)
		ret = filetree_nothing(t, "mail of Windows Live Mail (.eml)",
				       e);
	t->opt = NULL;
	if (ret < 0) {
		wlm_close(&t->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &t->base;
	return 0;
}

const struct importer_ops importer_wlm = {
	.name = "wlm",
	.title = "Windows Live Mail, Windows Mail",
	.claim = wlm_claim,
	.open = wlm_open,
	.next_folder = filetree_next_folder,
	.next = filetree_next,
	.load = filetree_load,
	.remark = filetree_remark,
	.close = wlm_close,
};
