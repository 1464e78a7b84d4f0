/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which directories are folders, and what they are called.

   A mailbox is a directory XXXXXXXX.mb with a Mailbox.ini, a folder a directory
   in it with .bmf files, called like the directory. Folder.lst lists the
   children in their order; it is missing where there is only one. Becky!'s own
   folders have names of their own: !!!!Inbox, !!!!Outbox with !!!Sent and
   !!!Draft in it, !Trash. (comm-central's former importer, which knew an
   !!!!Outbox without !!!Sent as the folder of sent mail, and !!!!Unsent.)

   Of an IMAP mailbox the local folders are like those of any other; what is
   kept of the server's folders are files in the mailbox's directory,
   "#account#INBOX[1f].ini" and so on, with a number behind each name. */
#include "importers/becky_tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/dbx_ansi.h"

enum { INI_MOST = 1 << 20, DEPTH_MOST = WALK_DEPTH };

/* A folder's place in the tree. */
struct place {
	struct walk *w;
	const struct importer_options *opt;
	struct becky_tree *t;
	const char *account; /* "" outside of a mailbox */
	const char *shared;  /* the mailbox's #Attach, or NULL */
	bool imap;
	size_t *left_out; /* copies of folders on a server */
	const char *path[DEPTH_MOST];
	size_t depth;
	enum folder_use use;
	bool hidden;
};

static char **copy_list(const char *const *list, size_t n)
{
	char **copy = mem_zalloc((n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(list[i]);
	return copy;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void becky_tree_free(struct becky_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct becky_folder *f = &t->folders[i];

		free(f->dir);
		free(f->id);
		free(f->idx);
		free(f->attach);
		free(f->shared);
		free(f->account);
		free_list(f->bmfs);
		free_list(f->path);
	}
	free(t->folders);
	remarks_free(&t->remarks);
	*t = (struct becky_tree){ .folders = NULL };
}

/* --- text files --- */

static void next_line(const char **s, const char *end, const char **line,
		      size_t *n)
{
	const char *eol = memchr(*s, '\n', (size_t)(end - *s));

	*line = *s;
	*n = (size_t)((eol ? eol : end) - *s);
	*s = eol ? eol + 1 : end;
	while (*n && strchr(" \t\r", (*line)[*n - 1]))
		(*n)--;
	while (*n && (**line == ' ' || **line == '\t'))
		(*line)++, (*n)--;
}

bool becky_ini_get(const char *text, size_t n, const char *section,
		   const char *key, struct buf *out)
{
	const char *end = text + n, *line;
	size_t len, k = strlen(key);
	bool inside = false;

	while (text < end) {
		next_line(&text, end, &line, &len);
		if (len >= 2 && line[0] == '[' && line[len - 1] == ']') {
			inside = ascii_same(line + 1, len - 2, section);
			continue;
		}
		if (!inside || len <= k || !ascii_same_n(line, key, k))
			continue;
		line += k;
		len -= k;
		while (len && *line == ' ')
			line++, len--;
		if (!len || *line != '=')
			continue;
		line++;
		len--;
		while (len && *line == ' ')
			line++, len--;
		dbx_add_ansi(out, line, len);
		return true;
	}
	return false;
}

static bool slurp(const struct place *p, const char *dir,
		  const struct walk_dir *d, const char *name, struct buf *out)
{
	const struct walk_entry *entry = dbx_find_entry(d, name, 'f');
	struct buf rel = BUF_INIT;
	struct err e = ERR_INIT;
	bool got = false;

	if (!entry)
		return false;
	dbx_join(&rel, dir, entry->name);
	got = walk_slurp(p->w, rel.data, INI_MOST, out, &e) == 0;
	if (!got)
		remark_add(&p->t->remarks, "%s", e.text);
	buf_free(&rel);
	return got;
}

/* Whether Folder.lst has the name. */
static bool is_listed(const struct buf *lst, const char *name)
{
	const char *s = lst->data, *end = s + lst->len, *line;
	struct buf want = BUF_INIT, given = BUF_INIT, raw = BUF_INIT;
	bool found = false;
	size_t n;

	utf8_add_guessed(&raw, name, strlen(name));
	utf8_add_nfc(&want, raw.data, raw.len);
	while (s < end && !found) {
		next_line(&s, end, &line, &n);
		buf_reset(&given);
		dbx_add_ansi(&given, line, n);
		if (given.len && given.data[given.len - 1] == '\\')
			buf_cut(&given, given.len - 1);
		found = !ascii_compare(given.data, want.data);
	}
	buf_free(&want);
	buf_free(&given);
	buf_free(&raw);
	return found;
}

/* --- folders --- */

static struct becky_folder *add_folder(struct becky_tree *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap * 2 + 16;
		t->folders =
			mem_realloc(t->folders, t->cap * sizeof(*t->folders));
	}
	t->folders[t->n] = (struct becky_folder){ .dir = NULL };
	return &t->folders[t->n++];
}

static char *joined(const char *dir, const char *name)
{
	struct buf path = BUF_INIT;

	dbx_join(&path, dir, name);
	return buf_detach(&path);
}

static char *find_attach(const char *dir, const struct walk_dir *d)
{
	const struct walk_entry *entry = dbx_find_entry(d, "#Attach", 'd');

	return entry ? joined(dir, entry->name) : NULL;
}

static struct becky_folder *place_folder(const struct place *p, const char *dir)
{
	struct becky_folder *f = add_folder(p->t);

	*f = (struct becky_folder){
		.dir = mem_strdup(dir),
		.shared = p->shared ? mem_strdup(p->shared) : NULL,
		.path = copy_list(p->path, p->depth),
		.account = mem_strdup(p->account),
		.use = p->use,
		.hidden = p->hidden,
	};
	return f;
}

/* The name of a folder on a server: "#account#INBOX[1f].Print[1].bmf" is INBOX /
   Print. */
static void copy_of_server(struct place *p, const char *dir,
			   const struct walk_entry *entry)
{
	const char *s = strchr(entry->name + 1, '#');
	char *names[DEPTH_MOST];
	size_t n = 0;
	struct place at = *p;
	struct becky_folder *f;

	s = s ? s + 1 : entry->name + 1;
	while (*s && n < DEPTH_MOST) {
		size_t len = strcspn(s, "[");
		const char *close = strchr(s, ']');
		struct buf name = BUF_INIT;

		if (!s[len] || !close)
			break;
		if (utf8_from_mutf7(&name, s, len) < 0)
			dbx_add_ansi(&name, s, len);
		names[n++] = buf_detach(&name);
		s = close + 1;
		if (!*s || !ascii_compare(s, ".bmf"))
			break;
		s++;
	}
	if (!n)
		names[n++] = mem_strdup(entry->name);
	memcpy(at.path, names, n * sizeof(*names));
	at.depth = n;
	at.use = n == 1 ? folder_use_by_name(names[0]) : USE_NONE;
	f = place_folder(&at, dir);
	f->id = joined(dir, entry->name);
	f->bmfs = copy_list((const char *const[]){ entry->name }, 1);
	while (n)
		free(names[--n]);
}

/* Becky!'s own folders. */
static const struct special {
	const char *dir, *name;
	enum folder_use use;
	bool on_top; /* beside the Inbox on servers, wherever it lies here */
} specials[] = {
	{ "!!!!Inbox", "Inbox", USE_INBOX, true },
	{ "!!!!Outbox", "Outbox", USE_QUEUE, true },
	{ "!!!!Unsent", "Unsent", USE_QUEUE, true },
	{ "!!!Sent", "Sent", USE_SENT, true },
	{ "!!!Draft", "Drafts", USE_DRAFTS, true },
	{ "!!!Drafts", "Drafts", USE_DRAFTS, true },
	{ "!!!Reminder", "Reminder", USE_NONE, false },
	{ "!Trash", "Trash", USE_TRASH, true },
};

static const struct special *find_special(const char *dir)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (!ascii_compare(specials[i].dir, dir))
			return &specials[i];
	return NULL;
}

/* Mail that lies right in a mailbox, or in the source itself. */
static void name_root(struct place *p, struct buf *name)
{
	const char *leaf = dbx_leaf(walk_root(p->w));
	const struct special *special = find_special(leaf);

	if (p->account[0])
		buf_add_str(name, p->account);
	else if (special)
		buf_add_str(name, special->name);
	else
		dbx_add_ansi(name, leaf, strlen(leaf));
	p->use = special && !p->account[0] ? special->use : USE_NONE;
	p->path[p->depth++] = name->data;
}

/* The folder that the directory itself is, if there is mail in it. */
static void add_directory(struct place *p, const char *dir,
			  const struct walk_dir *d)
{
	const char **names = mem_alloc((d->n + 1) * sizeof(*names));
	const struct walk_entry *idx = dbx_find_entry(d, "Folder.idx", 'f');
	struct becky_folder *f;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct walk_entry *entry = &d->entries[i];

		if (entry->kind != 'f' || !dbx_has_suffix(entry->name, ".bmf"))
			continue;
		if (entry->name[0] != '#')
			names[n++] = entry->name;
		else if (p->opt->imap_copies)
			copy_of_server(p, dir, entry);
		else
			(*p->left_out)++;
	}
	if (n || idx) {
		struct place at = *p;
		struct buf name = BUF_INIT;

		if (!at.depth)
			name_root(&at, &name);
		f = place_folder(&at, dir);
		buf_free(&name);
		f->id = mem_strdup(dir[0] ? dir : ".");
		f->bmfs = copy_list(names, n);
		f->idx = idx ? mem_strdup(idx->name) : NULL;
		f->attach = find_attach(dir, d);
	}
	free(names);
}

/* Whether an Outbox has the folder of sent mail in it; otherwise it is that. */
static bool has_sent(const struct place *p, const char *dir)
{
	struct walk_dir d = { .n = 0 };
	struct err ignored;
	bool has = walk_list(p->w, dir, &d, &ignored) == 0 &&
		   dbx_find_entry(&d, "!!!Sent", 'd');

	walk_dir_free(&d);
	return has;
}

static void look_into(struct place *p, const char *dir);

/* A child that is a directory. */
static void go_down(const struct place *p, const char *dir, const char *leaf,
		    bool hidden)
{
	const struct special *special = find_special(leaf);
	struct buf rel = BUF_INIT, name = BUF_INIT;
	struct place at = *p;

	if (p->depth == DEPTH_MOST)
		return;
	dbx_join(&rel, dir, leaf);
	dbx_add_ansi(&name, leaf, strlen(leaf));
	at.use = USE_NONE;
	at.hidden = p->hidden || (hidden && !special);
	if (special) {
		buf_set_str(&name, special->name);
		at.use = special->use;
		if (special->on_top)
			at.depth = 0;
		if (special->use == USE_QUEUE &&
		    !strcmp(special->name, "Outbox") &&
		    !has_sent(p, rel.data)) {
			buf_set_str(&name, "Sent");
			at.use = USE_SENT;
		}
	}
	at.path[at.depth++] = name.data + strspn(name.data, "!");
	look_into(&at, rel.data);
	buf_free(&rel);
	buf_free(&name);
}

static void look_into_mailbox(struct place *p, const char *dir,
			      const struct walk_dir *d)
{
	struct buf ini = BUF_INIT, name = BUF_INIT, protocol = BUF_INIT;
	struct place at = *p;
	size_t left_out = 0;
	char *shared = find_attach(dir, d);
	const char *leaf = dbx_leaf(dir[0] ? dir : walk_root(p->w));

	if (slurp(p, dir, d, "Mailbox.ini", &ini)) {
		becky_ini_get(ini.data, ini.len, "Account", "Name", &name);
		becky_ini_get(ini.data, ini.len, "Account", "Protocol",
			      &protocol);
	}
	if (!name.len)
		dbx_add_ansi(&name, leaf, strlen(leaf));
	at.account = name.data;
	at.shared = shared;
	at.imap = !strcmp(protocol.data, "1");
	at.left_out = &left_out;
	at.depth = 0;
	look_into(&at, dir);
	if (left_out)
		remark_add(&p->t->remarks,
			   "%s: %zu copies of folders of the %s account '%s' "
			   "left out: their mail is on the server",
			   dir[0] ? dir : ".", left_out,
			   at.imap ? "IMAP" : "remote", name.data);
	free(shared);
	buf_free(&ini);
	buf_free(&name);
	buf_free(&protocol);
}

static bool is_mailbox(const char *leaf, const struct walk_dir *d)
{
	return becky_is_mailbox_name(leaf) ||
	       dbx_find_entry(d, "Mailbox.ini", 'f');
}

static void look_into(struct place *p, const char *dir)
{
	struct err e = ERR_INIT;
	struct walk_dir d = { .n = 0 };
	struct buf lst = BUF_INIT, rel = BUF_INIT;
	bool listed;

	if (walk_list(p->w, dir, &d, &e) < 0) {
		remark_add(&p->t->remarks, "%s; left out", e.text);
		return;
	}
	if (!p->account[0] &&
	    is_mailbox(dbx_leaf(dir[0] ? dir : walk_root(p->w)), &d)) {
		look_into_mailbox(p, dir, &d);
		goto out;
	}
	add_directory(p, dir, &d);
	listed = p->account[0] && slurp(p, dir, &d, "Folder.lst", &lst) &&
		 lst.len;
	for (size_t i = 0; i < d.n; i++) {
		const struct walk_entry *entry = &d.entries[i];

		if (entry->kind == 'l') {
			buf_reset(&rel);
			dbx_join(&rel, dir, entry->name);
			remark_add(&p->t->remarks,
				   "%s: a symbolic link, not followed",
				   rel.data);
		}
		/* #Attach, and what else is no folder. */
		if (entry->kind == 'd' && entry->name[0] != '#')
			go_down(p, dir, entry->name,
				listed && !is_listed(&lst, entry->name));
	}
out:
	buf_free(&lst);
	buf_free(&rel);
	walk_dir_free(&d);
}

static int by_id(const void *va, const void *vb)
{
	const struct becky_folder *a = va, *b = vb;

	return strcmp(a->id, b->id);
}

/* A single .bmf is called like its file. */
static void add_file(struct place *p, const char *leaf)
{
	struct buf name = BUF_INIT;
	struct becky_folder *f;

	dbx_add_ansi(&name, leaf, strlen(leaf));
	if (dbx_has_suffix(name.data, ".bmf"))
		buf_cut(&name, name.len - 4);
	p->path[p->depth++] = name.data;
	f = place_folder(p, "");
	f->id = mem_strdup(leaf);
	f->bmfs = copy_list((const char *const[]){ "" }, 1);
	buf_free(&name);
}

int becky_tree_find(struct becky_tree *t, struct walk *w,
		    const struct importer_options *opt, struct err *e)
{
	size_t left_out = 0;
	struct place p = {
		.w = w,
		.opt = opt,
		.t = t,
		.account = "",
		.left_out = &left_out,
	};

	*t = (struct becky_tree){ .remarks = { .last = BUF_INIT } };
	if (walk_is_file(w))
		add_file(&p, dbx_leaf(walk_root(w)));
	else
		look_into(&p, "");
	if (!t->n)
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: no mailbox of Becky! here or below%s%s",
			       walk_root(w), t->remarks.n ? "; " : "",
			       t->remarks.n ? t->remarks.lines[0] : "");
	qsort(t->folders, t->n, sizeof(*t->folders), by_id);
	return 0;
}

bool becky_is_mailbox_name(const char *name)
{
	size_t n = strspn(name, "0123456789abcdefABCDEF");

	return n == 8 && !ascii_compare(name + n, ".mb");
}
