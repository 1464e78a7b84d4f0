/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MH, and the programs that store mail like it: nmh, mh-e, Mew, Wanderlust,
   Sylpheed, Claws Mail, older KMail. A folder is a directory, a message a file whose
   name is a number, and folders lie in each other.

   Flags: Sylpheed's and Claws Mail's mark file where there is one, else the
   sequences. A message that is in no sequence was read: those who use none keep no
   such state. Their copies of deleted mail (",12", "#12") are skipped and counted.

   Mail in a queue begins with lines that the program wrote for itself (whom to send
   it to, by which server); they are dropped, and so is the account's number among
   drafts. Nothing else a message has was added by the store.

   Folder names are in the charset of the locale, which nothing says: UTF-8, else
   guessed. */
#include "importers/mh.h"
#include "importers/eml.h"
#include "importers/filetree.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"

extern const struct importer_ops importer_mh;

enum {
	DELETED_COPY = 1, /* a file's tag */
	STATE_MAX = 64 << 20,
	PROFILE_MAX = 256 << 10,
	CLAIM_LOOKS = 4,
	CLAIM_CHILDREN = 200,
	LOOK = 4 << 10,
};

struct mh {
	struct filetree tree;
	struct mh_states states; /* of the current folder */
	struct buf unseen;	 /* the names of sequences that mean it */
	size_t deleted, coloured;
	bool tags;
};

static struct mh *mh_of(struct filetree *t)
{
	return (struct mh *)t;
}

/* What only such a folder has in it; by these mutt knows one, too. */
static bool is_marker(const char *name)
{
	static const char *const names[] = {
		".mh_sequences",  ".xmhcache",	    ".mew_cache",
		".mew-cache",	  ".mew-summary",   ".sylpheed_cache",
		".sylpheed_mark", ".claws_cache",   ".claws_mark",
		".overview",	  ".mh_sequences~",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool looks_like_mail(struct walk *w, const char *rel, const char *name,
			    bool claiming)
{
	char head[LOOK];
	struct buf path = BUF_INIT;
	ssize_t got;

	buf_addf(&path, "%s%s%s", rel, rel[0] ? "/" : "", name);
	got = filetree_head(w, path.data, head, sizeof(head));
	buf_free(&path);
	/* With a separator on top it may as well be the mbox of a year: good enough
	   where MH was asked for by its name. */
	if (claiming && got >= 5 && !memcmp(head, "From ", 5))
		return false;
	return got > 0 && (mh_queue_lines(head, (size_t)got) ||
			   eml_head_is_mail(head, (size_t)got, false));
}

/* Numbers alone do not make mail: look at a few. */
static bool is_folder(struct walk *w, const char *rel, const struct walk_dir *d,
		      bool claiming)
{
	unsigned looks = 0;

	for (size_t i = 0; i < d->n; i++)
		if (is_marker(d->entries[i].name))
			return true;
	for (size_t i = 0; i < d->n && looks < CLAIM_LOOKS; i++) {
		if (d->entries[i].kind != 'f' || !mh_number(d->entries[i].name))
			continue;
		looks++;
		if (looks_like_mail(w, rel, d->entries[i].name, claiming))
			return true;
	}
	return false;
}

/* Names that mean something else elsewhere, or nothing. */
static enum folder_use use_of(const char *name)
{
	static const struct {
		const char *name;
		enum folder_use use;
	} known[] = {
		{ .name = "outbox", .use = USE_SENT }, /* Fcc of MH */
		{ .name = "queue", .use = USE_QUEUE },
		{ .name = "postq", .use = USE_QUEUE }, /* Mew */
		{ .name = "+inbox", .use = USE_INBOX },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!ascii_compare(name, known[i].name))
			return known[i].use;
	return folder_use_by_name(name);
}

static bool visit(struct filetree *t, struct filetree_place *at)
{
	bool known;

	if (at->depth && at->name[0] == '.')
		return false;
	if (at->depth)
		filetree_add_part(at->parts, at->name, strlen(at->name));
	known = t->opt->known_folder &&
		t->opt->known_folder(t->opt->known_ctx,
				     at->rel[0] ? at->rel : ".");
	if (known || is_folder(t->w, at->rel, at->dir, false))
		filetree_add(t, at, at->depth < 2 ? use_of(at->name) : USE_NONE,
			     true);
	return true;
}

/* --- a folder --- */

static const char *beside(struct filetree *t, const char *name,
			  struct buf *path)
{
	const char *rel = t->folder->rel;

	buf_reset(path);
	buf_addf(path, "%s%s%s", rel, rel[0] ? "/" : "", name);
	return path->data;
}

/* The content of a file beside the messages, and its identity to state. */
static bool read_beside(struct filetree *t, const char *name, struct buf *text,
			struct buf *state)
{
	struct buf path = BUF_INIT;
	struct stat st;
	struct err e = ERR_INIT;
	bool there;

	buf_reset(text);
	there = walk_stat(t->w, beside(t, name, &path), &st) == 0 &&
		S_ISREG(st.st_mode);
	if (there) {
		walk_add_identity(state, &st);
		there = walk_slurp(t->w, path.data, STATE_MAX, text, &e) == 0;
		if (!there)
			remark_add(&t->remarks, "%s", e.text);
	}
	buf_add_char(state, ' ');
	buf_free(&path);
	return there;
}

static void remark_marks(struct filetree *t, const char *name)
{
	remark_add(&t->remarks,
		   "%s: %s is none that is known; flags are taken from "
		   ".mh_sequences",
		   t->folder->rel[0] ? t->folder->rel : ".", name);
}

static void read_states(struct filetree *t, struct buf *state)
{
	static const struct {
		const char *name;
		bool claws;
	} marks[] = {
		{ .name = ".claws_mark", .claws = true },
		{ .name = ".sylpheed_mark" },
	};
	struct mh *mh = mh_of(t);
	struct buf text = BUF_INIT;

	/* Not all are needed, but any may come to be. */
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!read_beside(t, marks[i].name, &text, state) ||
		    mh->states.marks)
			continue;
		if (!mh_marks_parse(&mh->states, text.data, text.len,
				    marks[i].claws) &&
		    text.len)
			remark_marks(t, marks[i].name);
	}
	if (read_beside(t, ".mh_sequences", &text, state) && !mh->states.marks)
		mh_sequences_parse(&mh->states, text.data, text.len,
				   mh->unseen.data);
	buf_free(&text);
}

static void enter(struct filetree *t, struct buf *state)
{
	struct mh *mh = mh_of(t);
	struct buf path = BUF_INIT;
	struct stat st;

	mh_states_free(&mh->states);
	read_states(t, state);
	mh_states_ready(&mh->states);
	for (size_t i = 0; i < mh->states.n; i++)
		mh->coloured += (mh->states.ranges[i].flags & MH_COLOUR) != 0;
	if (walk_stat(t->w, beside(t, ".claws_tags", &path), &st) == 0)
		mh->tags = true;
	if (mh->states.unknown)
		remark_add(&t->remarks,
			   "%s: sequences are not brought over but for the "
			   "known ones: %zu, the first is %s",
			   t->folder->rel[0] ? t->folder->rel : ".",
			   mh->states.unknown, mh->states.first_unknown);
	buf_free(&path);
}

static bool is_message(struct filetree *t, struct filetree_file *file)
{
	struct mh *mh = mh_of(t);

	if (walk_is_file(t->w))
		return true;
	file->number = mh_number(file->name);
	if (file->number)
		return true;
	file->number = mh_deleted_number(file->name);
	if (!file->number)
		return false;
	file->tag = DELETED_COPY;
	mh->deleted++;
	return true;
}

static void describe(struct filetree *t, const struct filetree_file *file,
		     struct message *m)
{
	struct mh *mh = mh_of(t);
	unsigned state = mh_states_of(&mh->states, (uint32_t)file->number);

	if (file->tag == DELETED_COPY) {
		m->skip = SKIP_DELETED;
		return;
	}
	if (!(state & MH_UNSEEN))
		m->flags.system |= FLAG_SEEN;
	if (state & MH_ANSWERED)
		m->flags.system |= FLAG_ANSWERED;
	if (state & MH_FLAGGED)
		m->flags.system |= FLAG_FLAGGED;
	if (state & MH_FORWARDED)
		flags_add_keyword(&m->flags, "$Forwarded", 10);
	if (state & MH_JUNK)
		flags_add_keyword(&m->flags, "$Junk", 5);
	if (state & MH_MDN_SENT)
		flags_add_keyword(&m->flags, "$MDNSent", 8);
	if ((state & MH_DELETED) && m->skip == SKIP_NOT)
		m->skip = SKIP_DELETED;
}

/* --- a message --- */

/* What is in front of the message: lines of a queue, or the separator of the mbox that
   it came from. */
static size_t skip_lines(struct filetree *t, struct message *m, size_t n)
{
	static const char *const account[] = { "X-Sylpheed-Account-Id",
					       "X-Claws-Account-Id", NULL };
	struct eml_debris debris;

	if (t->folder->use == USE_QUEUE || t->folder->use == USE_DRAFTS) {
		m->in.drop_anywhere = account;
		return mh_queue_lines(t->bytes, n);
	}
	eml_debris_find(t->bytes, n, &debris);
	if (!debris.separator)
		return 0;
	m->when.delivered = debris.date;
	return debris.len;
}

static int feed(struct filetree *t, const struct filetree_file *file, int fd,
		struct message *m, struct err *e)
{
	struct unpack *u = NULL;
	bool begun = false;
	ssize_t got;
	int ret = -1;

	if (unpack_open(fd, filetree_path(t, file), &u, e) < 0) {
		e->scope = ERR_MESSAGE;
		return -1;
	}
	while ((got = filetree_read(t, file, u, e)) > 0) {
		size_t skip = begun ? 0 : skip_lines(t, m, (size_t)got);

		begun = true;
		if (intake_add(&m->in, t->bytes + skip, (size_t)got - skip, e) <
		    0)
			goto out;
	}
	ret = got < 0 ? -1 : 0;
out:
	unpack_close(u);
	return ret;
}

static void finish(struct filetree *t)
{
	struct mh *mh = mh_of(t);

	if (mh->deleted)
		remark_add(&t->remarks,
			   "%zu copies of deleted messages (\",N\", \"#N\") "
			   "skipped",
			   mh->deleted);
	if (mh->coloured)
		remark_add(&t->remarks,
			   "%zu messages have a colour label, which is not "
			   "brought over",
			   mh->coloured);
	if (mh->tags)
		remark_add(&t->remarks,
			   "Claws Mail's tags (.claws_tags) are not brought "
			   "over");
}

/* --- the source --- */

static bool child_is_folder(const struct candidate *c, const char *name)
{
	struct buf rel = BUF_INIT;
	struct walk_dir d;
	struct err ignored;
	bool is = false;

	buf_addf(&rel, "%s%s%s", c->rel, c->rel[0] ? "/" : "", name);
	if (walk_list(c->w, rel.data, &d, &ignored) == 0) {
		is = is_folder(c->w, rel.data, &d, true);
		walk_dir_free(&d);
	}
	buf_free(&rel);
	return is;
}

/* A folder is one with all that lies below. A directory of folders is a mail directory
   (~/Mail), in which other stores may lie, too. */
static enum claim claim(const struct candidate *c)
{
	unsigned folders = 0, looks = 0;

	if (!c->dir)
		return CLAIM_NO;
	if (is_folder(c->w, c->rel, c->dir, true))
		return CLAIM_ALL;
	for (size_t i = 0; i < c->dir->n && looks < CLAIM_CHILDREN; i++) {
		const struct walk_entry *entry = &c->dir->entries[i];

		if (entry->kind != 'd' || entry->name[0] == '.')
			continue;
		looks++;
		folders += child_is_folder(c, entry->name);
		if (folders == 2)
			return CLAIM_PART;
	}
	return CLAIM_NO;
}

static void read_profile(struct filetree *t)
{
	struct mh *mh = mh_of(t);
	struct buf text = BUF_INIT;
	struct err ignored;

	if (walk_slurp(t->w, ".mh_profile", PROFILE_MAX, &text, &ignored) == 0)
		mh_profile_unseen(text.data, text.len, &mh->unseen);
	buf_free(&text);
}

static void mh_close(struct importer *imp)
{
	struct mh *mh = (struct mh *)imp;

	filetree_release(&mh->tree);
	mh_states_free(&mh->states);
	buf_free(&mh->unseen);
	free(mh);
}

static const struct filetree_format format = {
	.ops = &importer_mh,
	.is_message = is_message,
	.enter = enter,
	.describe = describe,
	.feed = feed,
	.finish = finish,
};

static int mh_open(const char *path, const struct importer_options *opt,
		   struct importer **imp_r, struct err *e)
{
	struct mh *mh = mem_zalloc(sizeof(*mh));
	struct filetree *t = &mh->tree;
	int ret;

	buf_init(&mh->unseen);
	ret = filetree_open(t, &format, path, opt, e);
	if (ret == 0 && walk_is_file(t->w))
		filetree_add_file(t);
	else if (ret == 0) {
		read_profile(t);
		ret = filetree_find(t, visit, e);
	}
	if (ret == 0 && !t->n_folders)
		ret = filetree_nothing(t, "MH folder", e);
	t->opt = NULL;
	if (ret < 0) {
		mh_close(&t->base);
		return err_widen(e, ERR_ACCOUNT);
	}
	*imp_r = &t->base;
	return 0;
}

const struct importer_ops importer_mh = {
	.name = "mh",
	.title = "MH, Sylpheed, Claws Mail, Mew",
	.claim = claim,
	.open = mh_open,
	.next_folder = filetree_next_folder,
	.next = filetree_next,
	.load = filetree_load,
	.remark = filetree_remark,
	.close = mh_close,
};
