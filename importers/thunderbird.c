/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thunderbird and its relatives: a profile, its Mail directory, or one
   account's. The mail is in mboxes or in Maildirs of a kind of their own (cur/
   and tmp/, no flags in file names); flags and tags are in the headers that
   Thunderbird puts on top and in the summary (.msf) beside. Which of the two is
   believed:

   T1  A message that the headers call expunged is deleted, whatever the summary
       says.
   T2  Flags are united when the summary is of the mbox as it is now; from a
       stale one only keywords are taken, and only for a message of the same
       offset (or file) and Message-ID.
   T3  That the summary does not list a message means something only when it is
       complete and of this mbox, and the message could not have been marked in
       place. Everything else that is not listed is migrated, with a note.
   T4  Copies of a server's mail carry no marks: there the summary decides. */
#include "importers/importer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "importers/mbox_reader.h"
#include "importers/mozilla_status.h"
#include "importers/thunderbird_folders.h"
#include "importers/thunderbird_summary.h"

extern const struct importer_ops importer_thunderbird;

enum {
	CHUNK = 64 << 10,
	CACHE_MAX = 256 << 20, /* folderCache.json; others are smaller */
};

/* A file of cur/. */
struct mail_file {
	uint64_t size;
	struct timespec mtime;
};

struct thunderbird {
	struct importer base;
	struct walk *w;
	struct tb_profile profile;
	struct tb_names *names;
	struct tb_folders folders;
	struct remarks remarks;

	/* The current folder. */
	const struct tb_folder *f;
	size_t next;
	struct buf fingerprint;
	bool opened, ended;
	struct tb_summary *summary;
	bool current; /* the summary is of this mbox and complete */
	size_t unlisted, unmarked;

	int fd;
	struct mbox_reader *reader;

	struct walk_dir cur;
	struct mail_file *files; /* beside cur.entries */
	size_t at;
};

/* --- what a source is --- */

static bool has_kind(struct walk *w, const char *dir, const char *name,
		     mode_t kind)
{
	struct buf path = BUF_INIT;
	struct stat st;
	bool has;

	tb_path_join(&path, dir, name);
	has = walk_stat(w, path.data, &st) == 0 &&
	      (st.st_mode & S_IFMT) == kind;
	buf_free(&path);
	return has;
}

static bool is_summary(const struct walk_entry *entry)
{
	size_t n = strlen(entry->name);

	return n > 4 &&
	       !strcmp(entry->name + n - 4,
		       entry->kind == 'd' ? ".sbd" : ".msf") &&
	       (entry->kind == 'd' || entry->kind == 'f');
}

/* Whether dir, or with deeper a directory in it, holds a .msf or a .sbd. Inbox
   alone would also fit others. */
static bool has_summaries(struct walk *w, const char *dir, bool deeper)
{
	struct walk_dir d;
	struct err e = ERR_INIT;
	bool has = false;

	if (walk_list(w, dir, &d, &e) < 0)
		return false;
	for (size_t i = 0; i < d.n && !has; i++) {
		struct buf path = BUF_INIT;

		has = is_summary(&d.entries[i]);
		tb_path_join(&path, dir, d.entries[i].name);
		if (!has && deeper && d.entries[i].kind == 'd')
			has = has_summaries(w, path.data, false);
		buf_free(&path);
	}
	walk_dir_free(&d);
	return has;
}

static bool has_summaries_in(struct walk *w, const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	bool has;

	tb_path_join(&path, dir, name);
	has = has_kind(w, path.data, "", S_IFDIR) &&
	      has_summaries(w, path.data, true);
	buf_free(&path);
	return has;
}

/* Firefox has a profiles.ini too, but no mail. */
static bool has_profile_below(struct walk *w, const char *dir)
{
	static const char *const mail[] = { "Mail", "ImapMail" };
	struct walk_dir d;
	struct err e = ERR_INIT;
	bool has = false;

	if (walk_list(w, dir, &d, &e) < 0)
		return false;
	for (size_t i = 0; i < 2 * d.n && !has; i++) {
		struct buf profile = BUF_INIT, path = BUF_INIT;

		tb_path_join(&profile, dir, d.entries[i / 2].name);
		tb_path_join(&path, profile.data, mail[i % 2]);
		has = has_kind(w, path.data, "", S_IFDIR);
		buf_free(&profile);
		buf_free(&path);
	}
	walk_dir_free(&d);
	return has;
}

static bool has_profiles(struct walk *w, const char *dir)
{
	struct buf below = BUF_INIT;
	bool has;

	if (!has_kind(w, dir, "profiles.ini", S_IFREG))
		return false;
	tb_path_join(&below, dir, "Profiles");
	has = has_profile_below(w, dir) || has_profile_below(w, below.data);
	buf_free(&below);
	return has;
}

static enum claim claim(const struct candidate *c)
{
	struct walk *w = c->w;

	if (!c->dir)
		return CLAIM_NO;
	if (has_profiles(w, c->rel))
		return CLAIM_MORE;
	if (has_kind(w, c->rel, "prefs.js", S_IFREG) &&
	    (has_kind(w, c->rel, "Mail", S_IFDIR) ||
	     has_kind(w, c->rel, "ImapMail", S_IFDIR)))
		return CLAIM_MORE;
	if (has_summaries(w, c->rel, true) ||
	    has_summaries_in(w, c->rel, "Mail") ||
	    has_summaries_in(w, c->rel, "ImapMail"))
		return CLAIM_ALL;
	return CLAIM_NO;
}

/* --- opening --- */

static bool slurp(struct thunderbird *t, const char *dir, const char *name,
		  struct buf *out)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	bool there;

	buf_reset(out);
	tb_path_join(&path, dir, name);
	there = walk_stat(t->w, path.data, &st) == 0;
	if (there && walk_slurp(t->w, path.data, CACHE_MAX, out, &e) < 0) {
		remark_add(&t->remarks, "%s", e.text);
		there = false;
	}
	buf_free(&path);
	return there;
}

/* Everything that mentions a folder by its real name. */
static void gather_names(struct thunderbird *t)
{
	static const char *const files[] = { "virtualFolders.dat",
					     "folderTree.json" };
	const struct tb_profile *p = &t->profile;
	struct buf text = BUF_INIT;

	t->names = tb_names_new();
	if (slurp(t, p->dir, "folderCache.json", &text) &&
	    !tb_names_add_cache(t->names, text.data, text.len))
		remark_add(&t->remarks,
			   "folderCache.json is damaged and not used");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (slurp(t, p->dir, files[i], &text))
			tb_names_add_uris(t->names, text.data, text.len);
	for (size_t i = 0; i < p->n; i++)
		if (slurp(t, p->accounts[i].dir, "msgFilterRules.dat", &text))
			tb_names_add_uris(t->names, text.data, text.len);
	for (size_t i = 0; i < tb_prefs_count(p->prefs); i++) {
		const char *value = tb_prefs_value(p->prefs, i);

		tb_names_add_uris(t->names, value, strlen(value));
	}
	buf_free(&text);
}

/* "$label1" and the like travel as keywords; what a person called them does
 * not. */
static void tell_tags(struct thunderbird *t)
{
	static const char prefix[] = "mailnews.tags.", suffix[] = ".tag";
	const struct tb_prefs *prefs = t->profile.prefs;

	for (size_t i = 0; i < tb_prefs_count(prefs); i++) {
		const char *key = tb_prefs_key(prefs, i);
		size_t n = strlen(key);

		if (n <= sizeof(prefix) - 1 + sizeof(suffix) - 1 ||
		    strncmp(key, prefix, sizeof(prefix) - 1) ||
		    strcmp(key + n - (sizeof(suffix) - 1), suffix))
			continue;
		remark_add(&t->remarks, "tag %.*s is called '%s'",
			   (int)(n - (sizeof(prefix) - 1) -
				 (sizeof(suffix) - 1)),
			   key + sizeof(prefix) - 1, tb_prefs_value(prefs, i));
	}
}

static void close_folder(struct thunderbird *t);

static void close_source(struct importer *imp)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	close_folder(t);
	tb_folders_free(&t->folders);
	tb_names_free(t->names);
	tb_profile_free(&t->profile);
	remarks_free(&t->remarks);
	buf_free(&t->fingerprint);
	walk_close(t->w);
	free(t);
}

static int open_source(const char *path, const struct importer_options *opt,
		       struct importer **imp_r, struct err *e)
{
	struct thunderbird *t = mem_zalloc(sizeof(*t));
	int ret = -1;

	t->base.ops = &importer_thunderbird;
	t->fd = -1;
	buf_init(&t->fingerprint);
	if (importer_walk(path, opt, &t->w, e) < 0)
		goto out;
	if (tb_profile_find(t->w, opt && opt->imap_copies, &t->profile,
			    &t->remarks, e) < 0)
		goto out;
	gather_names(t);
	tell_tags(t);
	tb_folders_find(t->w, &t->profile, t->names, opt, &t->folders,
			&t->remarks);
	*imp_r = &t->base;
	t = NULL;
	ret = 0;
out:
	if (t)
		close_source(&t->base);
	return ret;
}

/* --- folders --- */

static void add_summary_identity(struct thunderbird *t)
{
	struct stat st;

	buf_add_str(&t->fingerprint, " msf ");
	if (t->f->msf && walk_stat(t->w, t->f->msf, &st) == 0)
		walk_add_identity(&t->fingerprint, &st);
	else
		buf_add_char(&t->fingerprint, '-');
}

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3u; /* FNV-1a */
	return h;
}

/* Thunderbird changes flags inside the files, so each one's size and time
   belong to the fingerprint: one stat a message, and none of its bytes. */
static int list_mail(struct thunderbird *t, struct folder *f, struct err *e)
{
	uint64_t h = 0xcbf29ce484222325u;
	struct buf rel = BUF_INIT;
	size_t dir_len, kept = 0;

	tb_path_join(&rel, t->f->id, "cur");
	if (walk_list(t->w, rel.data, &t->cur, e) < 0) {
		buf_free(&rel);
		return -1;
	}
	buf_add_char(&rel, '/');
	dir_len = rel.len;
	t->files = mem_alloc((t->cur.n + 1) * sizeof(*t->files));
	for (size_t i = 0; i < t->cur.n; i++) {
		struct walk_entry entry = t->cur.entries[i];
		struct stat st;

		buf_cut(&rel, dir_len);
		buf_add_str(&rel, entry.name);
		if (entry.kind == 'l')
			remark_add(&t->remarks,
				   "%s is a symbolic link, not followed",
				   rel.data);
		if (entry.kind != 'f' || entry.name[0] == '.' ||
		    walk_stat(t->w, rel.data, &st) < 0)
			continue;
		t->cur.entries[kept] = entry;
		t->files[kept++] = (struct mail_file){
			.size = (uint64_t)st.st_size,
			.mtime = st.st_mtim,
		};
		h = mix(h, entry.name, strlen(entry.name) + 1);
		h = mix(h, &st.st_ino, sizeof(st.st_ino));
		h = mix(h, &st.st_size, sizeof(st.st_size));
		h = mix(h, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
		h = mix(h, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
		f->bytes += (uint64_t)st.st_size;
	}
	t->cur.n = kept;
	buf_addf(&t->fingerprint, "maildir %zu:%ju:%016jx", kept,
		 (uintmax_t)f->bytes, (uintmax_t)h);
	buf_free(&rel);
	return 0;
}

static int look_at_mbox(struct thunderbird *t, struct folder *f, struct err *e)
{
	struct stat st;

	if (walk_stat(t->w, t->f->id, &st) < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s: %s",
			       t->f->id, strerror(errno));
	buf_add_str(&t->fingerprint, "mbox ");
	walk_add_identity(&t->fingerprint, &st);
	f->bytes = (uint64_t)st.st_size;
	return 0;
}

static void close_folder(struct thunderbird *t)
{
	mbox_reader_close(t->reader);
	t->reader = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	tb_summary_free(t->summary);
	t->summary = NULL;
	walk_dir_free(&t->cur);
	free(t->files);
	t->files = NULL;
	t->f = NULL;
	t->opened = t->ended = t->current = false;
	t->at = t->unlisted = t->unmarked = 0;
}

/* What reading a folder showed that people should hear. */
static void tell_folder(struct thunderbird *t)
{
	if (!t->f)
		return;
	if (t->unlisted)
		remark_add(
			&t->remarks,
			"%s: %zu messages are not in Thunderbird's index, but "
			"not marked as deleted either; they are migrated",
			t->f->id, t->unlisted);
	if (t->unmarked)
		remark_add(
			&t->remarks,
			"%s: %zu messages are not in Thunderbird's valid index "
			"any more and count as deleted",
			t->f->id, t->unmarked);
	if (t->reader && mbox_reader_junk(t->reader))
		remark_add(
			&t->remarks,
			"%s: %ju bytes in front of the first message are no mail",
			t->f->id, (uintmax_t)mbox_reader_junk(t->reader));
	if (t->reader && mbox_reader_rejected(t->reader))
		remark_add(
			&t->remarks,
			"%s: %ju lines begin like a message, but were taken for "
			"text of the one before",
			t->f->id, (uintmax_t)mbox_reader_rejected(t->reader));
}

static int next_folder(struct importer *imp, struct folder *f, struct err *e)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	tell_folder(t);
	close_folder(t);
	if (t->next == t->folders.n)
		return 0;
	t->f = &t->folders.list[t->next++];
	buf_reset(&t->fingerprint);
	*f = (struct folder){ 0 };
	if (t->f->error) {
		err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s",
			t->f->error);
		t->f = NULL;
		return -1;
	}
	if ((t->f->maildir ? list_mail(t, f, e) : look_at_mbox(t, f, e)) < 0) {
		close_folder(t);
		return -1;
	}
	add_summary_identity(t);
	f->path = (const char *const *)t->f->path;
	f->use = t->f->use;
	f->id = f->file = t->f->id;
	f->account = t->f->account->name;
	f->hidden = t->f->hidden;
	f->fingerprint = t->fingerprint.data;
	f->locators_stand_alone = t->f->maildir;
	return 1;
}

/* --- messages --- */

static void load_summary(struct thunderbird *t, const struct stat *mbox)
{
	struct err e = ERR_INIT;

	if (t->f->msf)
		t->summary = tb_summary_load(t->w, t->f->msf, &e);
	if (t->summary)
		t->current = tb_summary_complete(t->summary) &&
			     (!mbox || tb_summary_is_of(t->summary, mbox));
	else if (t->f->msf && e.text[0])
		remark_add(&t->remarks, "%s", e.text);
	if (t->f->account->remote &&
	    (!t->summary || !tb_summary_complete(t->summary)))
		remark_add(
			&t->remarks,
			"%s: without a whole index, copies of mail deleted on "
			"the server cannot be told from others; all are migrated",
			t->f->id);
}

static int open_messages(struct thunderbird *t, struct err *e)
{
	struct stat st;

	t->opened = true;
	if (t->f->maildir) {
		load_summary(t, NULL);
		return 0;
	}
	t->fd = walk_file(t->w, t->f->id, &st, e);
	if (t->fd < 0)
		return -1;
	if (!st.st_size) {
		t->ended = true;
		return 0;
	}
	load_summary(t, &st);
	return mbox_reader_open(t->fd, t->f->id, MBOX_QUOTING_RD, true,
				&t->reader, e);
}

/* The time on the separator line. Thunderbird writes '-' for the sender and the
   time of the download; a sender it was told comes with the time of delivery.
 */
static void separator_date(struct message *m, const char *line)
{
	const char *sender = strncmp(line, "From ", 5) ? "" : line + 5;
	size_t n = strcspn(sender, " ");
	const char *date = sender + n + strspn(sender + n, " ");
	int64_t when = date_parse_asctime(date, strlen(date));

	if (n == 0 || (n == 1 && *sender == '-'))
		m->when.downloaded = when;
	else
		m->when.delivered = when;
}

static int next_in_mbox(struct thunderbird *t, struct message *m, struct err *e)
{
	int got = mbox_reader_next(t->reader, &m->offset, e);

	if (got <= 0)
		return got;
	buf_addf(&m->locator, "%ju", (uintmax_t)m->offset);
	separator_date(m, mbox_reader_separator(t->reader));
	if (mbox_reader_doubtful(t->reader))
		m->notes |= NOTE_DOUBTFUL_SPLIT;
	return 1;
}

/* name, size and time: together they prove that the file is the same. A name
   has no slash, so the last two ends it. */
static int next_in_maildir(struct thunderbird *t, struct message *m)
{
	const struct mail_file *file = &t->files[t->at];

	if (t->at == t->cur.n)
		return 0;
	buf_addf(&m->locator, "%s/%ju/%jd.%09ld", t->cur.entries[t->at++].name,
		 (uintmax_t)file->size, (intmax_t)file->mtime.tv_sec,
		 file->mtime.tv_nsec);
	m->when.file = file->mtime.tv_sec;
	return 1;
}

static int next(struct importer *imp, struct message *m, struct err *e)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	if (!t->f || t->ended)
		return 0;
	if (!t->opened && open_messages(t, e) < 0) {
		t->ended = true;
		return -1;
	}
	if (t->ended)
		return 0;
	buf_reset(&m->locator);
	return t->f->maildir ? next_in_maildir(t, m) : next_in_mbox(t, m, e);
}

/* Converters of old left the separator line at the top of the file. */
static size_t debris(const char *bytes, size_t n)
{
	const char *eol;

	if (n < 5 || memcmp(bytes, "From ", 5))
		return 0;
	eol = memchr(bytes, '\n', n);
	return eol ? (size_t)(eol - bytes) + 1 : 0;
}

static int read_file(struct thunderbird *t, struct message *m, struct err *e)
{
	const char *name = t->cur.entries[t->at - 1].name;
	char *bytes = mem_alloc(CHUNK);
	struct buf rel = BUF_INIT;
	int ret = -1, fd;

	tb_path_join(&rel, t->f->id, "cur/");
	buf_add_str(&rel, name);
	fd = walk_file(t->w, rel.data, NULL, e);
	if (fd < 0) {
		e->scope = ERR_MESSAGE;
		goto out;
	}
	m->length = 0;
	for (;;) {
		ssize_t got = read(fd, bytes, CHUNK);
		size_t skip;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER, "%s: %s",
				rel.data, strerror(errno));
			goto out;
		}
		if (!got)
			break;
		skip = m->length ? 0 : debris(bytes, (size_t)got);
		m->length += (uint64_t)got;
		if (intake_add(&m->in, bytes + skip, (size_t)got - skip, e) < 0)
			goto out;
	}
	ret = 0;
out:
	if (fd >= 0)
		close(fd);
	buf_free(&rel);
	free(bytes);
	return ret;
}

/* Where the summary says where the message is: by offset or file name. */
static ssize_t find_in_summary(const struct thunderbird *t,
			       const struct message *m)
{
	if (!t->summary)
		return -1;
	return tb_summary_find(t->summary,
			       t->f->maildir ? t->cur.entries[t->at - 1].name
					     : m->locator.data);
}

/* T3: what an mbox message that the summary does not list is. */
static void not_listed(struct thunderbird *t, struct message *m)
{
	uint32_t status;

	if (!t->current || t->f->maildir || m->skip != SKIP_NOT)
		return;
	if (tb_summary_inside(t->summary, m->offset)) {
		m->notes |= NOTE_DOUBTFUL_SPLIT;
	} else if (tb_summary_messages(t->summary) &&
		   !mozilla_status_read(&m->in.header, &status)) {
		/* Deleting could not have been noted in the header; so the
		   index is where it was noted. */
		m->skip = SKIP_UNSURE_DELETED;
		t->unmarked++;
		return;
	}
	m->notes |= NOTE_HIDDEN;
	t->unlisted++;
}

static void add_keywords(struct thunderbird *t, struct message *m, ssize_t row)
{
	struct buf words = BUF_INIT;

	tb_summary_keywords(t->summary, row, &words);
	mozilla_keywords_add(&m->flags, words.data, words.len);
	buf_free(&words);
}

/* Flags of a store that is the mail's only place. */
static void settle_local(struct thunderbird *t, struct message *m)
{
	ssize_t row = find_in_summary(t, m);
	enum tb_same same = TB_OTHER;
	uint32_t status;
	bool marked = mozilla_status_read(&m->in.header, &status);

	mozilla_status_apply(&m->in.header, m);
	if (row >= 0)
		same = tb_summary_same(t->summary, row, &m->in.header);
	/* The index is complete and of this file: the offset says it all. */
	if (row >= 0 && t->current && same == TB_UNKNOWN)
		same = TB_SAME;
	if (same == TB_SAME) {
		if (t->current || !marked)
			mozilla_status_set(m,
					   tb_summary_message_flags(t->summary,
								    row) &
						   ~(uint32_t)MOZILLA_EXPUNGED);
		add_keywords(t, m, row);
	} else {
		bool deleted;

		/* Thunderbird reads Status where it has written nothing, but
		   for the D of other programs. */
		if (!marked)
			mbox_flags_from_header(&m->in.header, &m->flags,
					       &deleted);
		if (row < 0 && t->summary)
			not_listed(t, m);
	}
}

/* T4. A row without the Offline flag has its token from somewhere else. */
static void settle_copy(struct thunderbird *t, struct message *m)
{
	ssize_t row = find_in_summary(t, m);
	uint32_t flags =
		row < 0 ? 0 : tb_summary_message_flags(t->summary, row);
	bool listed =
		row >= 0 && (flags & MOZILLA_OFFLINE || t->f->maildir) &&
		tb_summary_same(t->summary, row, &m->in.header) != TB_OTHER;

	if (listed) {
		mozilla_status_set(m, flags);
		add_keywords(t, m, row);
		if (flags & MOZILLA_IMAP_DELETED)
			m->skip = SKIP_DELETED;
	} else if (t->summary && tb_summary_complete(t->summary)) {
		m->skip = SKIP_UNSURE_DELETED;
	} else {
		mozilla_status_apply(&m->in.header, m);
	}
}

static void settle_use(const struct thunderbird *t, struct message *m)
{
	switch (t->f->use) {
	case USE_QUEUE:
		m->notes |= NOTE_QUEUED;
		/* fall through */
	case USE_DRAFTS:
	case USE_TEMPLATES: /* Thunderbird itself stores both as \Draft on IMAP
			     */
		m->flags.system |= FLAG_DRAFT;
		/* fall through */
	case USE_SENT:
		m->when.sent_folder = true;
		break;
	default:
		break;
	}
	if (t->f->hidden)
		m->notes |= NOTE_HIDDEN;
}

static int load(struct importer *imp, struct message *m, struct err *e)
{
	struct thunderbird *t = (struct thunderbird *)imp;
	int ret;

	m->in.drop_leading = mozilla_leading_fields;
	m->in.drop_anywhere = NULL;
	intake_reset(&m->in);
	ret = t->f->maildir
		      ? read_file(t, m, e)
		      : mbox_reader_load(t->reader, &m->in, &m->length, e);
	if (ret < 0 || intake_end(&m->in, e) < 0)
		return -1;
	if (t->f->account->remote)
		settle_copy(t, m);
	else
		settle_local(t, m);
	settle_use(t, m);
	if (!m->in.wire_size && m->skip == SKIP_NOT)
		m->skip = SKIP_EMPTY;
	message_date_from_header(m);
	return 0;
}

static int pass(struct importer *imp, uint64_t length, struct err *e)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	return t->f->maildir ? 0 : mbox_reader_pass(t->reader, length, e);
}

static const char *remark(struct importer *imp, unsigned nth)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	return remark_nth(&t->remarks, nth);
}

const struct importer_ops importer_thunderbird = {
	.name = "thunderbird",
	.title = "Thunderbird",
	.claim = claim,
	.open = open_source,
	.next_folder = next_folder,
	.next = next,
	.load = load,
	.pass = pass,
	.remark = remark,
	.close = close_source,
};
