/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where Apple Mail keeps mail:

     ~/Library/Mail/POP-user@host/INBOX.mbox/Messages/        10.4 to 10.6
     ~/Library/Mail/Mailboxes/Name.mbox/Messages/             10.4 to 10.6, local
     ~/Library/Mail/V2/.../Name.mbox/UUID/Data/Messages/      10.7 and later
     ~/Library/Mail/V10/UUID/Name.mbox/Child.mbox/UUID/Data/3/1/Messages/

   A folder is a directory Name.mbox with all Messages below it that are not in a
   Name.mbox of their own; folders lie in each other. Above them there is a directory
   for each account: by its name, and later by a UUID that says nothing. Accounts whose
   mail is on a server (IMAP, Exchange) are left out, unless asked for. In those the
   Info.plist of a mailbox holds what the server needs to be asked (UIDVALIDITY,
   ExchangeFolderId). */
#include "importers/emlx.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* of a place */
	IN_ACCOUNT = 1 << 0,
	IN_MAILBOX = 1 << 1,

	INFO_MAX = 8 << 20, /* some hold the state of a synchronisation */
	INFO_LOOKS = 8,
	CLAIM_LOOKS = 64,
};

/* --- names --- */

static bool is_version(const char *name)
{
	size_t n = strlen(name);

	return name[0] == 'V' && n >= 2 && n <= 4 &&
	       strspn(name + 1, "0123456789") == n - 1;
}

static bool is_uuid(const char *name)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	for (; shape[i] && name[i]; i++)
		if (shape[i] == '-'
			    ? name[i] != '-'
			    : !strchr("0123456789abcdefABCDEF", name[i]))
			return false;
	return !shape[i] && !name[i];
}

/* The length of what an account's directory begins with; 0 if it is none. *remote_r:
   the server has its mail. */
static size_t account_prefix(const char *name, bool *remote_r)
{
	static const struct {
		const char *prefix;
		bool remote;
	} known[] = {
		{ .prefix = "POP-" },
		{ .prefix = "IMAP-", .remote = true },
		{ .prefix = "AosIMAP-", .remote = true },
		{ .prefix = "Mac-", .remote = true },
		{ .prefix = "iCloud-", .remote = true },
		{ .prefix = "EWS-", .remote = true },
		{ .prefix = "Exchange-", .remote = true },
		{ .prefix = "ExchangeIMAP-", .remote = true },
		{ .prefix = "ActiveSync-", .remote = true },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].prefix);

		*remote_r = known[i].remote;
		if (!strncmp(name, known[i].prefix, n) && name[n])
			return n;
	}
	*remote_r = false;
	return 0;
}

/* The length of a mailbox's name in that of its directory; 0 if it is none. */
static size_t mailbox_name(const char *name)
{
	static const char *const suffixes[] = { ".mbox", ".imapmbox" };

	for (size_t i = 0; i < 2; i++)
		if (filetree_ends(name, suffixes[i]))
			return strlen(name) - strlen(suffixes[i]);
	return 0;
}

bool emlx_named(const char *name)
{
	return filetree_ends(name, ".emlx") && name[0] != '.';
}

static bool has_emlx(const struct walk_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].kind == 'f' && emlx_named(d->entries[i].name))
			return true;
	return false;
}

/* --- finding folders --- */

static bool contains(const struct buf *b, const char *s)
{
	return memmem(b->data, b->len, s, strlen(s));
}

static bool holds(struct walk *w, const char *rel, const char *const *words)
{
	struct buf text = BUF_INIT;
	struct err ignored;
	bool found = false;

	if (walk_slurp(w, rel, INFO_MAX, &text, &ignored) == 0)
		for (; *words && !found; words++)
			found = contains(&text, *words);
	buf_free(&text);
	return found;
}

/* Is the account of this directory, whose name does not tell, on a server? The words
   are ASCII in XML and in binary lists. */
static bool is_remote(struct filetree *t, const struct filetree_place *at)
{
	static const char *const info[] = { "UIDVALIDITY", "ExchangeFolderId",
					    "ExchangeSyncState", NULL };
	static const char *const cache[] = { "IMAPMailbox", NULL };
	struct buf path = BUF_INIT;
	unsigned looks = 0;
	bool remote;

	buf_addf(&path, "%s%s.mboxCache.plist", at->rel, at->rel[0] ? "/" : "");
	remote = holds(t->w, path.data, cache);
	for (size_t i = 0; i < at->dir->n && !remote && looks < INFO_LOOKS;
	     i++) {
		if (at->dir->entries[i].kind != 'd' ||
		    !mailbox_name(at->dir->entries[i].name))
			continue;
		looks++;
		buf_reset(&path);
		buf_addf(&path, "%s%s%s/Info.plist", at->rel,
			 at->rel[0] ? "/" : "", at->dir->entries[i].name);
		remote = holds(t->w, path.data, info);
	}
	buf_free(&path);
	return remote;
}

static bool visit_account(struct filetree *t, struct filetree_place *at,
			  size_t prefix, bool remote)
{
	at->tag |= IN_ACCOUNT;
	at->account = filetree_keep(t, at->name + prefix);
	if (!prefix)
		remote = is_remote(t, at);
	if (!remote || t->opt->imap_copies || !at->depth)
		return true;
	remark_add(&t->remarks,
		   "%s: an account whose mail is on its server, left out; "
		   "--imap-copies takes what was kept offline",
		   at->name);
	return false;
}

/* V9 beside V10: left there when macOS was upgraded. What was deleted since must not
   come back. */
static bool is_outdated(const struct filetree_place *at)
{
	const char *version = at->name + 1;

	if (!is_version(at->name) || !at->above)
		return false;
	for (size_t i = 0; i < at->above->n; i++) {
		const char *other = at->above->entries[i].name;

		if (at->above->entries[i].kind == 'd' && is_version(other) &&
		    atoi(other + 1) > atoi(version))
			return true;
	}
	return false;
}

/* What Mail keeps beside accounts. */
static bool is_something_else(struct filetree *t,
			      const struct filetree_place *at)
{
	if (at->name[0] == '.' || !strcmp(at->name, "MailData") ||
	    !strcmp(at->name, "Attachments"))
		return true;
	if (!strcmp(at->name, "RSS") && !(at->tag & IN_ACCOUNT)) {
		remark_add(&t->remarks, "%s: news feeds, left out", at->rel);
		return true;
	}
	if (!is_outdated(at))
		return false;
	remark_add(&t->remarks,
		   "%s: left by an older version of macOS beside a newer one, "
		   "left out",
		   at->rel);
	return true;
}

static void add_bare(struct filetree *t, const struct filetree_place *at)
{
	struct filetree_place here = *at;
	struct buf parts = BUF_INIT;

	here.parts = &parts;
	for (const char *p = at->rel; *p; p += *p == '/') {
		size_t n = strcspn(p, "/");

		filetree_add_part(&parts, p, n);
		p += n;
	}
	filetree_add(t, &here, filetree_use(&parts), true);
	buf_free(&parts);
}

static void visit_mailbox(struct filetree *t, struct filetree_place *at)
{
	struct buf path = BUF_INIT;
	struct stat st;

	filetree_add_part(at->parts, at->name, mailbox_name(at->name));
	at->tag |= IN_MAILBOX;
	at->folder = filetree_add(t, at, filetree_use(at->parts), false) + 1;
	/* Mac OS X 10.3's, which 10.4 converted and left there. */
	buf_addf(&path, "%s%smbox", at->rel, at->rel[0] ? "/" : "");
	if (walk_stat(t->w, path.data, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size)
		remark_add(&t->remarks,
			   "%s: Mail's file of before Mac OS X 10.4, left out; "
			   "mbox:PATH brings it over",
			   path.data);
	buf_free(&path);
}

bool emlx_visit(struct filetree *t, struct filetree_place *at)
{
	bool remote;
	size_t prefix = account_prefix(at->name, &remote);

	if (at->depth && is_something_else(t, at))
		return false;
	if (mailbox_name(at->name))
		visit_mailbox(t, at);
	else if (!(at->tag & (IN_ACCOUNT | IN_MAILBOX)) &&
		 (prefix || is_uuid(at->name))) {
		if (!visit_account(t, at, prefix, remote))
			return false;
	} else if (!strcmp(at->name, "Mailboxes") && !at->tag)
		at->tag |= IN_ACCOUNT;
	else if (at->depth && at->tag == IN_ACCOUNT)
		/* A directory of mailboxes that is none itself. */
		filetree_add_part(at->parts, at->name, strlen(at->name));
	if (!has_emlx(at->dir))
		return true;
	if (at->folder)
		filetree_add_dir(t, at->folder - 1, at->rel);
	else
		add_bare(t, at);
	return true;
}

/* --- what is ours --- */

static bool is_below(const struct candidate *c, const char *dir,
		     const char *name)
{
	struct buf path = BUF_INIT;
	struct stat st;
	bool is;

	buf_addf(&path, "%s%s%s/%s", c->rel, c->rel[0] ? "/" : "", dir, name);
	is = walk_stat(c->w, path.data, &st) == 0;
	buf_free(&path);
	return is;
}

static bool has_dir(const struct walk_dir *d, const char *name)
{
	const struct walk_entry *entry = filetree_entry(d, name);

	return entry && entry->kind == 'd';
}

/* Name.mbox as Mail has them since 10.4, not the one with an mbox in it. */
static bool is_mailbox(const struct candidate *c, const struct walk_dir *d,
		       const char *rel)
{
	struct candidate here = { .w = c->w, .rel = rel };

	if (has_dir(d, "Messages"))
		return true;
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].kind == 'd' && is_uuid(d->entries[i].name) &&
		    is_below(&here, d->entries[i].name, "Data"))
			return true;
	return false;
}

static bool has_mailbox_below(const struct candidate *c, const char *name)
{
	struct buf rel = BUF_INIT;
	struct walk_dir d;
	struct err ignored;
	bool is = false;

	buf_addf(&rel, "%s%s%s", c->rel, c->rel[0] ? "/" : "", name);
	if (walk_list(c->w, rel.data, &d, &ignored) == 0) {
		is = is_mailbox(c, &d, rel.data);
		walk_dir_free(&d);
	}
	buf_free(&rel);
	return is;
}

static unsigned count_mailboxes(const struct candidate *c)
{
	unsigned n = 0, looks = 0;

	for (size_t i = 0; i < c->dir->n && n < 2 && looks < CLAIM_LOOKS; i++) {
		if (c->dir->entries[i].kind != 'd' ||
		    !mailbox_name(c->dir->entries[i].name))
			continue;
		looks++;
		n += has_mailbox_below(c, c->dir->entries[i].name);
	}
	return n;
}

/* ~/Library/Mail, or a V10 in it. */
static bool is_mails_own(const struct candidate *c)
{
	if (has_dir(c->dir, "MailData"))
		return true;
	for (size_t i = 0; i < c->dir->n; i++) {
		const struct walk_entry *entry = &c->dir->entries[i];
		bool remote;

		if (entry->kind != 'd')
			continue;
		if (is_version(entry->name) &&
		    is_below(c, entry->name, "MailData"))
			return true;
		if (account_prefix(entry->name, &remote) &&
		    (is_below(c, entry->name, "INBOX.mbox") ||
		     is_below(c, entry->name, "INBOX.imapmbox")))
			return true;
	}
	return false;
}

static enum claim claim_file(const struct candidate *c)
{
	size_t i = 0;

	if (!emlx_named(c->name))
		return CLAIM_NO;
	while (i < c->n_head && c->head[i] >= '0' && c->head[i] <= '9')
		i++;
	if (!i)
		return CLAIM_NO;
	while (i < c->n_head && c->head[i] == ' ')
		i++;
	return i < c->n_head && (c->head[i] == '\n' || c->head[i] == '\r')
		       ? CLAIM_ALL
		       : CLAIM_NO;
}

enum claim emlx_claim(const struct candidate *c)
{
	unsigned mailboxes;
	bool remote;

	if (!c->dir)
		return claim_file(c);
	if (is_mails_own(c))
		return CLAIM_ALL;
	if (mailbox_name(c->name) && is_mailbox(c, c->dir, c->rel))
		return CLAIM_ALL;
	mailboxes = count_mailboxes(c);
	if (mailboxes &&
	    (is_uuid(c->name) || account_prefix(c->name, &remote) ||
	     !strcmp(c->name, "Mailboxes")))
		return CLAIM_ALL;
	return mailboxes == 2 ? CLAIM_PART : CLAIM_NO;
}
