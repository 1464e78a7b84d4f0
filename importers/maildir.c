/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maildir and Maildir++ (formats.md section 3).

   A message is one file that is written once, in tmp, and then only renamed:
   from new to cur, and when its flags change. So names tell a folder's state,
   and its fingerprint is made of them; that no file was changed in place is
   what Maildir's rules promise, and what no no-op run could find out without a
   stat per message.

   A message's locator is what stays when it is renamed: the unique part of its
   name, its size and its time. It proves that the message is unchanged.

   The folder at the source's own directory is the Inbox. Nothing a Maildir
   holds was added by the store, so nothing is dropped from a message. */
#include "importers/maildir.h"
#include "importers/importer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"

extern const struct importer_ops importer_maildir;

enum { MAILDIR_CUR, MAILDIR_NEW, MAILDIR_DIRS };
static const char *const dir_names[MAILDIR_DIRS] = { "cur", "new" };
static const char courier_dir[] = "courierimapkeywords";

enum {
	KEYWORDS_MAX = 64 << 10,
	READ_SIZE = 64 << 10,
	LIST_TRIES = 5, /* of a folder that somebody works in */
};

struct entry {
	const char *name; /* in the listing */
	size_t unique_len;
	size_t twin; /* how many before it have the same unique part: after a
			crash of its writer a message can be in new and in cur,
			or in cur with two sets of flags */
	const char *flags;
	int dir;
};

struct maildir {
	struct importer base;
	struct walk *w;
	struct maildir_tree tree;
	size_t next_folder;

	/* The current folder; NULL before the first and after the last. */
	const struct maildir_folder *folder;
	struct walk_dir lists[MAILDIR_DIRS];
	struct buf state; /* identity of the directories as they were listed */
	struct entry
		*entries; /* made of the lists when the first is asked for */
	size_t n, at;	  /* the message next found is entries[at - 1] */
	struct stat st;	  /* of that message */
	struct maildir_keywords keywords;
	struct maildir_courier courier;
	struct buf file, fingerprint, path;
	int64_t now;
	char *bytes; /* READ_SIZE */
};

static struct maildir *self(struct importer *imp)
{
	return (struct maildir *)imp;
}

/* The path of name in the current folder; name and entry may be "". Valid until
   the next call. */
static const char *path_of(struct maildir *md, const char *name,
			   const char *entry)
{
	buf_reset(&md->path);
	buf_addf(&md->path, "%s%s%s%s%s", md->folder->rel,
		 md->folder->rel[0] ? "/" : "", name, entry[0] ? "/" : "",
		 entry);
	return md->path.data;
}

static void leave_folder(struct maildir *md)
{
	for (int dir = 0; dir < MAILDIR_DIRS; dir++)
		walk_dir_free(&md->lists[dir]);
	maildir_courier_free(&md->courier);
	free(md->entries);
	md->entries = NULL;
	md->n = md->at = 0;
}

/* Identity of cur, new and what names keywords, in a few stats. */
static void add_state(struct maildir *md, struct buf *out)
{
	static const char *const names[] = { "cur", "new", "dovecot-keywords",
					     courier_dir };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat st;

		if (walk_stat(md->w, path_of(md, names[i], ""), &st) == 0)
			walk_add_identity(out, &st);
		buf_add_char(out, ' ');
	}
}

static bool state_changed(struct maildir *md)
{
	struct buf now = BUF_INIT;
	bool changed;

	add_state(md, &now);
	changed = !buf_equal(&now, &md->state);
	buf_free(&now);
	return changed;
}

static int list_once(struct maildir *md, struct err *e)
{
	leave_folder(md);
	buf_reset(&md->state);
	add_state(md, &md->state);
	/* new comes first: what is moved to cur meanwhile is seen twice, not
	   missed. */
	for (int dir = MAILDIR_DIRS; dir--;) {
		const char *path = path_of(md, dir_names[dir], "");
		struct stat st;

		if (walk_stat(md->w, path, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		if (walk_list(md->w, path, &md->lists[dir], e) < 0)
			return -1;
	}
	return 0;
}

/* List cur and new. The state is taken first: what changes from here on shows
   as a difference later, never the other way round. */
static int list_folder(struct maildir *md, struct err *e)
{
	for (int i = 0; i < LIST_TRIES; i++) {
		if (list_once(md, e) < 0)
			return -1;
		if (!state_changed(md))
			break;
	}
	return 0;
}

/* What Windows leaves in every directory that somebody has looked into. */
static bool is_leavings(const char *name)
{
	return !strcasecmp(name, "desktop.ini") ||
	       !strcasecmp(name, "thumbs.db");
}

static bool is_message(const struct walk_entry *entry)
{
	return entry->kind == 'f' && entry->name[0] != '.' &&
	       !is_leavings(entry->name);
}

/* FNV-1a over s and its NUL. It is quick, and enough: whoever could choose
   names that collide could change mail anyhow, and the directories' times stand
   beside it. */
static uint64_t fnv1a(uint64_t hash, const char *s)
{
	do
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001B3);
	while (*s++);
	return hash;
}

/* Fill in what the names tell: the fingerprint, and about how many bytes there
   are (where names state sizes, as Dovecot's and Courier's do; otherwise 0, for
   a stat per message is too dear for a progress bar). */
static void survey(struct maildir *md, uint64_t *bytes_r)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325), n = 0;

	*bytes_r = 0;
	for (int dir = 0; dir < MAILDIR_DIRS; dir++) {
		const struct walk_dir *d = &md->lists[dir];

		for (size_t i = 0; i < d->n; i++) {
			const char *p = d->entries[i].name;

			if (!is_message(&d->entries[i]))
				continue;
			*bytes_r += maildir_name_size(p, strlen(p));
			n++;
			hash = fnv1a(hash, p);
		}
		hash = fnv1a(hash, "/"); /* between cur and new */
	}
	buf_reset(&md->fingerprint);
	buf_addf(&md->fingerprint, "%s%ju:%016jx", md->state.data, (uintmax_t)n,
		 (uintmax_t)hash);
}

static void remark_left_out(struct maildir *md)
{
	size_t links = 0, others = 0;

	for (int dir = 0; dir < MAILDIR_DIRS; dir++)
		for (size_t i = 0; i < md->lists[dir].n; i++) {
			links += md->lists[dir].entries[i].kind == 'l';
			others += md->lists[dir].entries[i].kind == '?';
		}
	if (links)
		remark_add(&md->tree.remarks,
			   "%s: %zu symbolic links among the "
			   "messages, not followed",
			   maildir_folder_id(md->folder), links);
	if (others)
		remark_add(&md->tree.remarks,
			   "%s: %zu special files among the "
			   "messages, not opened",
			   maildir_folder_id(md->folder), others);
}

static int maildir_next_folder(struct importer *imp, struct folder *f,
			       struct err *e)
{
	struct maildir *md = self(imp);
	uint64_t bytes;

	leave_folder(md);
	md->folder = NULL;
	if (md->next_folder == md->tree.n)
		return 0;
	md->folder = &md->tree.folders[md->next_folder++];
	if (md->folder->error) {
		err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s",
			md->folder->error);
		goto bad;
	}
	if (list_folder(md, e) < 0)
		goto bad;
	survey(md, &bytes);
	remark_left_out(md);
	buf_reset(&md->file);
	utf8_add_guessed(&md->file, walk_root(md->w), strlen(walk_root(md->w)));
	if (md->folder->rel[0])
		buf_add_char(&md->file, '/');
	utf8_add_guessed(&md->file, md->folder->rel, strlen(md->folder->rel));
	*f = (struct folder){
		.path = (const char *const *)md->folder->path,
		.use = md->folder->use,
		.id = maildir_folder_id(md->folder),
		.file = md->file.data,
		.account = "",
		.fingerprint = md->fingerprint.data,
		.locators_stand_alone = true,
		.bytes = bytes,
	};
	return 1;
bad:
	leave_folder(md);
	md->folder = NULL;
	return -1;
}

static int compare_unique(const struct entry *a, const char *name, size_t len)
{
	size_t n = a->unique_len < len ? a->unique_len : len;
	int c = memcmp(a->name, name, n);

	if (c)
		return c;
	return (a->unique_len > len) - (a->unique_len < len);
}

static int by_unique(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int c = compare_unique(a, b->name, b->unique_len);

	if (!c)
		c = a->dir - b->dir;
	return c ? c : strcmp(a->name, b->name);
}

/* Make entries of the lists, in the order of delivery as far as names tell. */
static void build_entries(struct maildir *md)
{
	size_t most = md->lists[MAILDIR_CUR].n + md->lists[MAILDIR_NEW].n;
	struct err ignored;
	struct buf text = BUF_INIT;

	md->entries = mem_alloc(most * sizeof(*md->entries));
	for (int dir = 0; dir < MAILDIR_DIRS; dir++) {
		const struct walk_dir *d = &md->lists[dir];

		for (size_t i = 0; i < d->n; i++) {
			struct maildir_name name;

			if (!is_message(&d->entries[i]))
				continue;
			maildir_name_split(d->entries[i].name, &name);
			md->entries[md->n++] = (struct entry){
				.name = d->entries[i].name,
				.unique_len = name.unique_len,
				.flags = name.flags,
				.dir = dir,
			};
		}
	}
	qsort(md->entries, md->n, sizeof(*md->entries), by_unique);
	for (size_t i = 1; i < md->n; i++)
		if (!compare_unique(&md->entries[i], md->entries[i - 1].name,
				    md->entries[i - 1].unique_len))
			md->entries[i].twin = md->entries[i - 1].twin + 1;
	if (walk_slurp(md->w, path_of(md, "dovecot-keywords", ""), KEYWORDS_MAX,
		       &text, &ignored) < 0)
		buf_reset(&text);
	maildir_keywords_parse(&md->keywords, text.data, text.len);
	buf_free(&text);
	maildir_courier_read(&md->courier, md->w, path_of(md, courier_dir, ""),
			     &md->tree.remarks);
}

/* The path of the message next found. */
static const char *message_path(struct maildir *md)
{
	const struct entry *entry = &md->entries[md->at - 1];

	return path_of(md, dir_names[entry->dir], entry->name);
}

/* The first entry whose unique part is not below this one. */
static size_t first_not_below(const struct maildir *md, const char *unique,
			      size_t len)
{
	size_t low = 0, high = md->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_unique(&md->entries[mid], unique, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* entries[i] is no longer there: the mail program may have moved it from new to
   cur or changed its flags. List the folder again and find it. Afterwards at
   stands behind it, or where it would be. 0; 1 if it has become the one of the
   same name that was seen before it; or -1 if it is gone. */
static int find_again(struct maildir *md, size_t i, struct err *e)
{
	size_t twin = md->entries[i].twin, len = md->entries[i].unique_len;
	size_t first;
	char *unique;
	int ret = -1;

	md->at = i + 1;
	if (!state_changed(md))
		return maildir_fail(e, ERR_NEVER, message_path(md),
				    "listed, but not there");
	unique = mem_strndup(md->entries[i].name, len);
	if (list_folder(md, e) < 0) {
		leave_folder(md);
		md->folder = NULL;
		goto out;
	}
	build_entries(md);
	first = md->at = first_not_below(md, unique, len);
	while (md->at < md->n && ret &&
	       !compare_unique(&md->entries[md->at], unique, len)) {
		ret = md->at - first == twin ? 0 : 1;
		md->at++;
	}
	if (ret < 0)
		maildir_fail(e, ERR_NEVER, unique,
			     "gone since the folder was listed");
out:
	free(unique);
	return ret;
}

/* Dovecot keeps the delivery time as the file's time (maildir-mail.c), and a
   message that was moved to another folder has the time of that in its name;
   whoever copies files without care makes their times younger. So the older one
   of the two is right. */
static int64_t delivered(const struct maildir *md, const char *name)
{
	int64_t named = maildir_name_delivered(name);
	int64_t file = md->st.st_mtim.tv_sec;

	if (date_plausible(named, md->now) && file < named &&
	    file >= MAILDIR_EPOCH)
		return file;
	return named;
}

static void describe_flags(struct maildir *md, struct message *m)
{
	const struct entry *entry = &md->entries[md->at - 1];

	flags_reset(&m->flags);
	m->skip = SKIP_NOT;
	if (maildir_flags(entry->flags, &md->keywords, &m->flags))
		m->skip = SKIP_DELETED;
	else if (!md->st.st_size)
		m->skip = SKIP_EMPTY;
	/* Nobody has looked at what is in new; mutt flags it there all the same. */
	if (entry->dir == MAILDIR_NEW)
		m->flags.system &= ~(unsigned)FLAG_SEEN;
	maildir_courier_flags(&md->courier, md->w, path_of(md, courier_dir, ""),
			      entry->name, entry->unique_len, &m->flags);
}

/* Fill in what is known without reading entries[at - 1]. */
static void describe(struct maildir *md, struct message *m)
{
	const struct entry *entry = &md->entries[md->at - 1];

	buf_reset(&m->locator);
	buf_add(&m->locator, entry->name, entry->unique_len);
	buf_addf(&m->locator, " %jd:%jd%09ld", (intmax_t)md->st.st_size,
		 (intmax_t)md->st.st_mtim.tv_sec, md->st.st_mtim.tv_nsec);
	if (entry->twin)
		buf_addf(&m->locator, ":%zu", entry->twin + 1);
	m->offset = 0;
	m->length = (uint64_t)md->st.st_size;
	describe_flags(md, m);
	m->when.delivered = delivered(md, entry->name);
	m->when.file = md->st.st_mtim.tv_sec;
	m->when.sent_folder = md->folder->use == USE_SENT;
}

static int maildir_next(struct importer *imp, struct message *m, struct err *e)
{
	struct maildir *md = self(imp);

	if (!md->folder)
		return 0;
	if (!md->entries)
		build_entries(md);
	for (;;) {
		int moved;

		if (md->at == md->n)
			return 0;
		md->at++;
		if (walk_stat(md->w, message_path(md), &md->st) == 0)
			break;
		moved = find_again(md, md->at - 1, e);
		if (moved < 0)
			return -1;
		if (moved)
			continue;
		if (walk_stat(md->w, message_path(md), &md->st) == 0)
			break;
		return maildir_fail(e, ERR_LATER, message_path(md),
				    strerror(errno));
	}
	describe(md, m);
	return 1;
}

/* Open the message that next found, wherever it is by now. */
static int open_message(struct maildir *md, struct message *m, struct err *e)
{
	struct stat st;
	int fd = walk_file(md->w, message_path(md), &st, e);

	if (fd < 0 && walk_stat(md->w, message_path(md), &st) < 0) {
		int moved = find_again(md, md->at - 1, e);

		if (moved > 0)
			return maildir_fail(e, ERR_NEVER, message_path(md),
					    "there only once by now");
		if (moved < 0)
			return -1;
		fd = walk_file(md->w, message_path(md), &st, e);
	}
	if (fd < 0) {
		e->scope = ERR_MESSAGE; /* the folder has others */
		return -1;
	}
	if (maildir_same_file(&st, &md->st)) {
		describe(md, m); /* it may bear other flags now */
		return fd;
	}
	close(fd);
	return maildir_fail(e, ERR_LATER, message_path(md),
			    "changed since the folder was listed");
}

static int maildir_load(struct importer *imp, struct message *m, struct err *e)
{
	struct maildir *md = self(imp);
	int fd = open_message(md, m, e), ret;

	if (fd < 0)
		return -1;
	ret = maildir_feed(fd, &md->st, message_path(md), md->bytes, READ_SIZE,
			   &m->in, e);
	close(fd);
	if (ret < 0)
		return -1;
	if (!m->skip && !m->in.store_size)
		m->skip = SKIP_EMPTY; /* packed, and nothing in it */
	message_date_from_header(m);
	return 0;
}

static void maildir_close(struct importer *imp)
{
	struct maildir *md = self(imp);

	leave_folder(md);
	maildir_tree_free(&md->tree);
	maildir_keywords_free(&md->keywords);
	buf_free(&md->state);
	buf_free(&md->file);
	buf_free(&md->fingerprint);
	buf_free(&md->path);
	walk_close(md->w);
	free(md->bytes);
	free(md);
}

static int maildir_open(const char *path, const struct importer_options *opt,
			struct importer **imp_r, struct err *e)
{
	struct maildir *md = mem_zalloc(sizeof(*md));

	md->base.ops = &importer_maildir;
	md->bytes = mem_alloc(READ_SIZE);
	md->now = clock_now();
	maildir_keywords_init(&md->keywords);
	maildir_courier_init(&md->courier);
	buf_init(&md->state);
	buf_init(&md->file);
	buf_init(&md->fingerprint);
	buf_init(&md->path);
	if (importer_walk(path, opt, &md->w, e) < 0 ||
	    maildir_tree_find(&md->tree, md->w, e) < 0)
		goto bad;
	if (!md->tree.n) {
		err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			"%s: no Maildir here or below%s%s", walk_root(md->w),
			md->tree.remarks.n ? "; " : "",
			md->tree.remarks.n ? md->tree.remarks.lines[0] : "");
		goto bad;
	}
	*imp_r = &md->base;
	return 0;
bad:
	maildir_close(&md->base);
	return err_widen(e, ERR_ACCOUNT);
}

static const char *maildir_line(struct importer *imp, unsigned nth)
{
	return remark_nth(&self(imp)->tree.remarks, nth);
}

const struct importer_ops importer_maildir = {
	.name = "maildir",
	.title = "Maildir, Maildir++",
	.claim = maildir_claim,
	.open = maildir_open,
	.next_folder = maildir_next_folder,
	.next = maildir_next,
	.load = maildir_load,
	.remark = maildir_line,
	.close = maildir_close,
};
