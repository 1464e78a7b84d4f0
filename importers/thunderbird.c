/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thunderbird and its relatives: a profile, its Mail directory, or one
   account's. thunderbird_profile.h finds the accounts, thunderbird_folders.h the
   folders, thunderbird_settle.h says what flags a message has (T1 to T4). */
#include "importers/importer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "importers/mbox_reader.h"
#include "importers/mozilla_status.h"
#include "importers/thunderbird_claim.h"
#include "importers/thunderbird_folders.h"
#include "importers/thunderbird_memory.h"
#include "importers/thunderbird_paths.h"
#include "importers/thunderbird_settle.h"

extern const struct importer_ops importer_thunderbird;

enum { CHUNK = 64 << 10 };

/* A file of cur/. */
struct mail_file {
	uint64_t size;
	struct timespec mtime;
};

struct thunderbird {
	struct importer base;
	struct importer_options opt;
	struct walk *w;
	struct tb_profile profile;
	struct tb_names *names;
	struct tb_popstate **popstates; /* beside profile.accounts; some NULL */
	struct tb_folders folders;
	struct remarks remarks;

	/* The current folder. */
	const struct tb_folder *f;
	size_t next;
	struct buf fingerprint;
	bool opened, ended;
	struct tb_summary *summary;
	struct tb_context context;

	int fd;
	struct mbox_reader *reader;
	uint64_t seen; /* of the mbox, messages that begin in front of this */
	struct buf identity; /* of the mbox that was opened */
	struct buf bookmark;
	bool unchanged; /* there is nothing behind the bookmark */

	struct walk_dir cur;
	struct mail_file *files; /* beside cur.entries */
	size_t at;
};

/* --- opening --- */

static void close_folder(struct thunderbird *t);

static void close_source(struct importer *imp)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	close_folder(t);
	tb_folders_free(&t->folders);
	tb_names_free(t->names);
	for (size_t i = 0; t->popstates && i < t->profile.n; i++)
		tb_popstate_free(t->popstates[i]);
	free(t->popstates);
	tb_profile_free(&t->profile);
	remarks_free(&t->remarks);
	buf_free(&t->fingerprint);
	buf_free(&t->identity);
	buf_free(&t->bookmark);
	walk_close(t->w);
	free(t);
}

static int open_source(const char *path, const struct importer_options *opt,
		       struct importer **imp_r, struct err *e)
{
	struct thunderbird *t = mem_zalloc(sizeof(*t));
	int ret = -1;

	t->base.ops = &importer_thunderbird;
	t->opt = *opt;
	t->fd = -1;
	buf_init(&t->fingerprint);
	buf_init(&t->identity);
	buf_init(&t->bookmark);
	if (importer_walk(path, opt, &t->w, e) < 0)
		goto out;
	if (tb_profile_find(t->w, opt->imap_copies, &t->profile, &t->remarks,
			    e) < 0)
		goto out;
	t->names = tb_memory_names(t->w, &t->profile, &t->remarks);
	t->popstates = tb_memory_popstates(t->w, &t->profile, &t->remarks);
	tb_memory_tell_tags(&t->profile, &t->remarks);
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

/* Which messages are known to be partial; the rest of popstate.dat changes with
   every look at the server. */
static void add_popstate_prints(struct thunderbird *t)
{
	for (size_t i = 0; i < t->profile.n; i++) {
		uint64_t print = t->popstates[i]
					 ? tb_popstate_print(t->popstates[i])
					 : 0;

		if (print)
			buf_addf(&t->fingerprint, " pop %016jx",
				 (uintmax_t)print);
	}
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

/* As before open_messages. */
static void close_messages(struct thunderbird *t)
{
	mbox_reader_close(t->reader);
	t->reader = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	tb_summary_free(t->summary);
	t->summary = NULL;
	t->context = (struct tb_context){ 0 };
	t->opened = t->ended = t->unchanged = false;
	t->seen = 0;
}

static void close_folder(struct thunderbird *t)
{
	close_messages(t);
	walk_dir_free(&t->cur);
	free(t->files);
	t->files = NULL;
	t->f = NULL;
	t->at = 0;
}

static void tell_count(struct thunderbird *t, size_t n, const char *what)
{
	if (n)
		remark_add(&t->remarks, "%s: %zu %s", t->f->id, n, what);
}

/* What reading a folder showed that people should hear. */
static void tell_folder(struct thunderbird *t)
{
	const struct tb_context *c = &t->context;

	if (!t->f)
		return;
	tell_count(t, c->unlisted,
		   "messages are not in Thunderbird's index, but not marked as "
		   "deleted either; they are migrated");
	tell_count(t, c->unmarked,
		   "messages are not in Thunderbird's valid index any more and "
		   "count as deleted");
	tell_count(t, c->partial,
		   "messages were downloaded only in part; what is there is "
		   "migrated");
	if (t->summary && t->f->account->remote)
		tell_count(
			t, tb_summary_without(t->summary, MOZILLA_OFFLINE),
			"messages were never downloaded: they are only on the "
			"server");
	if (!t->reader)
		return;
	tell_count(t, mbox_reader_junk(t->reader),
		   "bytes in front of the first message are no mail");
	tell_count(
		t, mbox_reader_padding(t->reader),
		"NULs between messages, as a crash leaves them, are no mail");
	tell_count(t, mbox_reader_rejected(t->reader),
		   "lines begin like a message, but were taken for text of the "
		   "one before");
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
	add_popstate_prints(t);
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

/* mbox: NULL for a Maildir. */
static void load_summary(struct thunderbird *t, const struct stat *mbox)
{
	struct err e = ERR_INIT;
	bool complete;

	if (t->f->msf)
		t->summary = tb_summary_load(t->w, t->f->msf, &e);
	if (t->f->msf && !t->summary && e.text[0])
		remark_add(&t->remarks, "%s", e.text);
	complete = t->summary && tb_summary_complete(t->summary);
	t->context = (struct tb_context){
		.f = t->f,
		.summary = t->summary,
		.current = complete &&
			   (mbox ? tb_summary_is_of(t->summary, mbox)
				 : tb_summary_is_of_maildir(t->summary)),
		.p = &t->profile,
		.popstates = t->popstates,
	};
	if (t->f->account->remote && !complete)
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
	buf_reset(&t->identity);
	walk_add_identity(&t->identity, &st);
	load_summary(t, &st);
	if (mbox_reader_open(t->fd, t->f->id, MBOX_QUOTING_RD, true, &t->reader,
			     e) < 0)
		return -1;
	mbox_reader_on_doubt(t->reader, t->opt.doubt, t->opt.doubt_ctx);
	return 0;
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

	if (got == 0 && !mbox_reader_stood_still(t->reader))
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
			       "%s: changed while it was read; close "
			       "Thunderbird and run it again",
			       t->f->id);
	if (got <= 0)
		return got;
	t->seen = m->offset + 1;
	buf_addf(&m->locator, "%ju", (uintmax_t)m->offset);
	separator_date(m, mbox_reader_separator(t->reader));
	if (mbox_reader_doubtful(t->reader))
		m->notes |= NOTE_DOUBTFUL_SPLIT;
	return 1;
}

/* When Thunderbird since 139 stored it: "1795493699.M87426P5172Q1.HOST.eml". The
   file's own time changes with every flag. */
static int64_t stored_at(const char *name)
{
	const char *p = name + strspn(name, "0123456789");
	size_t digits = (size_t)(p - name);

	if (digits < 9 || digits > 11 || p[0] != '.' || p[1] != 'M' ||
	    p[2] < '0' || p[2] > '9')
		return DATE_NONE;
	return strtoll(name, NULL, 10);
}

/* name, size and time: together they prove that the file is the same; what the
   summary says of it may change without. A name has no slash, so the last three
   end it. */
static int next_in_maildir(struct thunderbird *t, struct message *m)
{
	const struct mail_file *file = &t->files[t->at];
	const char *name;
	ssize_t row = -1;
	uint64_t print;

	if (t->at == t->cur.n)
		return 0;
	name = t->cur.entries[t->at++].name;
	if (t->summary)
		row = tb_summary_find(t->summary, name, 0, NULL, NULL);
	print = row >= 0 ? tb_summary_print(t->summary, row) : 0;
	print = print * 4 + t->context.current * 2u +
		(t->summary && tb_summary_complete(t->summary));
	buf_addf(&m->locator, "%s/%ju/%jd.%09ld/%jx", name,
		 (uintmax_t)file->size, (intmax_t)file->mtime.tv_sec,
		 file->mtime.tv_nsec, (uintmax_t)print);
	m->when.downloaded = stored_at(name);
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
	tb_settle(&t->context,
		  t->f->maildir ? t->cur.entries[t->at - 1].name
				: m->locator.data,
		  m);
	message_date_from_header(m);
	return 0;
}

static int pass(struct importer *imp, uint64_t length, struct err *e)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	return t->f->maildir ? 0 : mbox_reader_pass(t->reader, length, e);
}

/* What the summary and the POP accounts say of the messages that were seen. */
static uint64_t seen_print(const struct thunderbird *t)
{
	uint64_t h = tb_summary_prints(t->summary, t->seen);

	for (size_t i = 0; i < t->profile.n; i++)
		if (t->popstates[i])
			h = h * 31 + tb_popstate_print(t->popstates[i]);
	return h;
}

/* Thunderbird changes flags in place, in messages that were read before. But
   the summary tells of every change; so there is a bookmark where the summary
   is of this file, then and now, and says the same of those messages. It also
   changes alone, whenever somebody looks at a folder. */
static const char *bookmark(struct importer *imp)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	if (t->unchanged)
		return t->bookmark.data;
	buf_reset(&t->bookmark);
	if (!t->reader || !t->context.current)
		return NULL;
	buf_addf(&t->bookmark, "%s %ju %jx ", t->identity.data,
		 (uintmax_t)t->seen, (uintmax_t)seen_print(t));
	return mbox_reader_bookmark(t->reader, &t->bookmark) ? t->bookmark.data
							     : NULL;
}

static bool read_number(const char **p, int base, uint64_t *value_r)
{
	char *end;

	*value_r = strtoull(*p, &end, base);
	if (end == *p || *end != ' ')
		return false;
	*p = end + 1;
	return true;
}

/* Whether what the summary says of the messages in front of the bookmark is what
   it said then. *mark_r is the reader's part of it. */
static bool still_holds(struct thunderbird *t, const char *text,
			const char **mark_r)
{
	size_t n = strcspn(text, " ");
	uint64_t print;

	*mark_r = text + n + strspn(text + n, " ");
	if (!t->context.current || !read_number(mark_r, 10, &t->seen) ||
	    !read_number(mark_r, 16, &print) || print != seen_print(t))
		return false;
	t->unchanged =
		n == t->identity.len && !memcmp(text, t->identity.data, n);
	return true;
}

static int resume(struct importer *imp, const char *text)
{
	struct thunderbird *t = (struct thunderbird *)imp;
	struct err ignored;
	const char *mark;

	/* What fails here will fail for next, which says so. */
	if (!t->f || t->f->maildir)
		return 0;
	if (!t->opened && open_messages(t, &ignored) < 0) {
		close_messages(t);
		return 0;
	}
	if (t->ended || !still_holds(t, text, &mark)) {
		t->seen = 0;
		return 0;
	}
	if (t->unchanged) {
		buf_set_str(&t->bookmark, text);
		t->ended = true;
		return 1;
	}
	if (mbox_reader_resume(t->reader, mark) == 1)
		return 1;
	t->seen = 0;
	return 0;
}

static const char *remark(struct importer *imp, unsigned nth)
{
	struct thunderbird *t = (struct thunderbird *)imp;

	return remark_nth(&t->remarks, nth);
}

const struct importer_ops importer_thunderbird = {
	.name = "thunderbird",
	.title = "Thunderbird",
	.claim = tb_claim,
	.open = open_source,
	.next_folder = next_folder,
	.next = next,
	.load = load,
	.pass = pass,
	.bookmark = bookmark,
	.resume = resume,
	.remark = remark,
	.close = close_source,
};
