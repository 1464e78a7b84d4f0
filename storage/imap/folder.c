/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which folder of the server is meant, and making it.

   N1  INBOX is INBOX. A top-level folder with a use (Sent, Trash ...) is the
       one that the server marks for it, else one whose name says so, else one
       of its own name.
   N2  What is below such a folder stays below it: {"ゴミ箱", "古い"} goes to
       Trash/古い where Trash is the server's, so that a tree is not torn apart.
       Likewise {"Inbox", "取引先"} goes below INBOX. Where the server has
       nothing below such a folder (Gmail, mbox stores), it goes to the top
       level: {"取引先"}.
   N3  With a prefix nothing of this holds: everything goes below it under its
       own name, the Inbox too. Who asks for a prefix wants the mail apart.
   N4  A name that is there in another spelling (modified UTF-7, NFD) is that
       folder; another case is another folder, unless the server says that it
       exists already (Exchange).
   N5  The same path finds the same folder in every run: what was made once
       under a substitute name is found under it. */
#include "core/base/log.h"
#include "core/base/utf8.h"
#include "storage/imap/internal.h"
#include "storage/imap/name.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where a path leads: the name before the levels that we make, and the parts.
 */
struct way {
	struct buf base;	 /* wire, with the separator behind it */
	const char *const *path; /* what goes below */
	bool found; /* base alone is the folder's name, and it is there */
	/* What goes to the top level when the server wants nothing below base;
	 * NULL */
	const char *const *fallback;
};

static bool is_inbox(const char *name)
{
	return !strcasecmp(name, "INBOX");
}

static bool is_special(enum folder_use use)
{
	return use == USE_SENT || use == USE_DRAFTS || use == USE_TRASH ||
	       use == USE_JUNK || use == USE_ARCHIVE;
}

/* The part of name directly below the namespace, or NULL when it is deeper. */
static const char *top_level(const struct imap_session *s, const char *name)
{
	size_t n = strlen(s->prefix);

	if (strncmp(name, s->prefix, n) || !name[n])
		return NULL;
	name += n;
	return s->separator && strchr(name, s->separator) ? NULL : name;
}

static bool is_target(const struct imap_folder *row)
{
	return !row->no_select && !row->virtual;
}

static bool is_named_for(const struct imap_session *s,
			 const struct imap_folder *row, enum folder_use use)
{
	const char *top = top_level(s, row->name);
	struct buf shown = BUF_INIT;
	bool is;

	if (!top || !is_target(row) || is_inbox(top))
		return false;
	imap_name_show(top, "", s->separator, &shown);
	is = folder_use_by_name(shown.data) == use;
	buf_free(&shown);
	return is;
}

/* The server's folder for a use (N1), name being what we would call it. */
static struct imap_folder *special_folder(struct imap_target *it,
					  enum folder_use use, const char *name)
{
	const char *path[] = { name, NULL };
	struct imap_folder *row;
	struct buf wire = BUF_INIT;
	struct err e;
	bool changed;

	for (size_t i = 0; i < it->folders.n; i++) {
		row = &it->folders.rows[i];
		if (row->use == use && is_target(row))
			return row;
	}
	row = NULL;
	if (imap_name_encode(path, it->s->prefix, it->s->separator, &wire,
			     &changed, &e) == 0)
		row = imap_folders_find(&it->folders, wire.data);
	buf_free(&wire);
	if (row && is_target(row))
		return row;
	for (size_t i = 0; i < it->folders.n; i++) {
		row = &it->folders.rows[i];
		if (is_named_for(it->s, row, use))
			return row;
	}
	return NULL;
}

static void find_way(struct imap_target *it, const char *const *path,
		     enum folder_use use, struct way *way)
{
	const struct imap_session *s = it->s;
	struct imap_folder *row = NULL;

	*way = (struct way){ .base = BUF_INIT, .path = path };
	if (it->above[0]) {
		buf_set_str(&way->base, it->root);
		return;
	}
	if (use == USE_INBOX || (is_inbox(path[0]) && !path[1])) {
		buf_set_str(&way->base, "INBOX");
		way->found = true;
		return;
	}
	/* Of a longer path, use is that of its last part; here the first
	 * decides. */
	if (path[1])
		use = is_inbox(path[0]) ? USE_INBOX
					: folder_use_by_name(path[0]);
	if (use == USE_INBOX)
		row = imap_folders_find(&it->folders, "INBOX");
	else if (is_special(use))
		row = special_folder(it, use, path[0]);
	if (!row || (path[1] && (row->no_inferiors || !s->separator))) {
		buf_set_str(&way->base, it->root);
		way->path += use == USE_INBOX && path[1];
		return;
	}
	buf_set_str(&way->base, row->name);
	if (!path[1]) {
		way->found = true;
		return;
	}
	buf_add_char(&way->base, s->separator);
	way->path = path + 1;
	way->fallback = use == USE_INBOX ? path + 1 : path;
}

/* Making folders */

/* CREATE one name: 0 when it is there afterwards, with its row. */
static int create(struct imap_target *it, const char *name, enum folder_use use,
		  struct imap_folder **row_r, bool *created, struct err *e)
{
	static const char *const attribute[] = {
		[USE_SENT] = "\\Sent",	     [USE_DRAFTS] = "\\Drafts",
		[USE_TRASH] = "\\Trash",     [USE_JUNK] = "\\Junk",
		[USE_ARCHIVE] = "\\Archive",
	};
	struct buf line = BUF_INIT, doing = BUF_INIT;
	int ret = -1;

	buf_add_str(&line, "CREATE ");
	buf_add_str(&doing, "creating ");
	imap_name_show(name, it->s->prefix, it->s->separator, &doing);
	if (imap_name_quote(name, &line, e) < 0)
		goto out;
	if (is_special(use) && it->s->caps & IMAP_CAP_CREATE_SPECIAL_USE)
		buf_addf(&line, " (USE (%s))", attribute[use]);
	ret = imap_command(it->s, line.data, doing.data, e);
	if (ret == 0) {
		*row_r = imap_folders_find(&it->folders, name);
		if (!*row_r)
			*row_r = imap_folders_add(&it->folders, name);
		(*row_r)->no_select = false;
		*created = true;
	}
out:
	buf_free(&line);
	buf_free(&doing);
	return ret;
}

/* A NO to CREATE may mean that it exists (Courier says no more than "Cannot
   create this folder", another client may have been faster): look again (N4).
 */
static struct imap_folder *exists_after_all(struct imap_target *it,
					    const char *name,
					    const struct err *why)
{
	struct imap_folder *row;
	struct err e;

	if (it->s->broken || imap_folders_list(it->s, &it->folders, &e) < 0)
		return NULL;
	row = imap_folders_find(&it->folders, name);
	if (!row && strcasestr(why->text, "exist"))
		row = imap_folders_find_nocase(&it->folders, name);
	return row && is_target(row) ? row : NULL;
}

static void subscribe(struct imap_target *it, const char *name)
{
	struct buf line = BUF_INIT;
	struct err e;

	buf_add_str(&line, "SUBSCRIBE ");
	if (imap_name_quote(name, &line, &e) < 0 ||
	    imap_command(it->s, line.data, "SUBSCRIBE", &e) < 0)
		log_line(LOG_INFO, "imap: %s", e.text);
	buf_free(&line);
}

static int make(struct imap_target *it, const char *name, enum folder_use use,
		struct imap_folder **row_r, bool *created, struct err *e)
{
	int ret = create(it, name, use, row_r, created, e);

	/* A use that another folder has already, or that the server does not
	   know (NO [USEATTR], RFC 6154), is no reason to have no folder. */
	if (ret < 0 && e->kind == ERR_REFUSED && is_special(use) &&
	    it->s->caps & IMAP_CAP_CREATE_SPECIAL_USE)
		ret = create(it, name, USE_NONE, row_r, created, e);
	if (ret < 0) {
		*row_r = exists_after_all(it, name, e);
		if (!*row_r)
			return err_widen(e, ERR_FOLDER);
	}
	if (*created)
		subscribe(it, (*row_r)->name);
	return 0;
}

/* Make what is missing above name, level by level. How many were made, or -1.
 */
static int make_above(struct imap_target *it, const char *name, struct err *e)
{
	const struct imap_session *s = it->s;
	size_t at = strlen(s->prefix);
	struct buf level = BUF_INIT;
	int made = 0;

	if (strncmp(name, s->prefix, at))
		at = 0;
	for (; made >= 0 && s->separator && name[at]; at++) {
		struct imap_folder *row;
		bool created = false;

		if (name[at] != s->separator)
			continue;
		buf_reset(&level);
		buf_add(&level, name, at);
		if (!level.len || imap_folders_find(&it->folders, level.data))
			continue;
		made = make(it, level.data, USE_NONE, &row, &created, e) < 0
			       ? -1
			       : made + 1;
	}
	buf_free(&level);
	return made;
}

/* The whole name first: nearly every server makes the levels above it, and one
   that keeps mbox files makes directories of them, while a mailbox made on
   purpose could have nothing below it. */
static int make_deep(struct imap_target *it, const char *name,
		     enum folder_use use, struct imap_folder **row_r,
		     bool *created, struct err *e)
{
	struct err first;

	if (make(it, name, use, row_r, created, e) == 0)
		return 0;
	if (e->kind != ERR_REFUSED && e->kind != ERR_NO_FOLDER)
		return -1;
	first = *e;
	if (it->s->broken || make_above(it, name, e) <= 0) {
		*e = it->s->broken ? *e : first;
		return -1;
	}
	return make(it, name, use, row_r, created, e);
}

/* Names as plain as every server takes them: Gmail wants no blanks at the ends
   and no two in a row, and no '^' and '\'; Cyrus no '"' and '\'; Dovecot and
   Courier no '/' although their separator is '.', and Dovecot's Maildir no '.'
   when it is '/'; Courier nothing beyond U+FFFF. Only asked for when the name
   itself was refused. */
static bool plainer_part(const char *part, struct buf *out)
{
	size_t start = out->len;

	for (const char *c = part; *c; c++) {
		bool long_one = (unsigned char)*c >= 0xF0;

		if (long_one || strchr("./\\^\"", *c))
			buf_add_char(out, '_');
		else if (*c != ' ' ||
			 (out->len > start && out->data[out->len - 1] != ' '))
			buf_add_char(out, *c);
		while (long_one && ((unsigned char)c[1] & 0xC0) == 0x80)
			c++;
	}
	while (out->len > start && out->data[out->len - 1] == ' ')
		buf_cut(out, out->len - 1);
	return strcmp(out->data + start, part) != 0;
}

static char **plainer_path(const char *const *path)
{
	char **plain;
	bool differs = false;
	size_t n = 0;

	while (path[n])
		n++;
	plain = mem_zalloc((n + 1) * sizeof(*plain));
	for (size_t i = 0; i < n; i++) {
		struct buf part = BUF_INIT;

		differs = plainer_part(path[i], &part) || differs;
		plain[i] = buf_detach(&part);
	}
	if (differs)
		return plain;
	for (size_t i = 0; i < n; i++)
		free(plain[i]);
	free(plain);
	return NULL;
}

static void free_path(char **path)
{
	for (size_t i = 0; path && path[i]; i++)
		free(path[i]);
	free(path);
}

/* One attempt */

struct attempt {
	enum folder_use use;
	bool create;
	bool changed, created;
	struct imap_folder *row; /* NULL: not there, and not to be made */
};

static int try_name(struct imap_target *it, const char *base,
		    const char *const *path, struct attempt *a, struct err *e)
{
	struct buf name = BUF_INIT;
	struct imap_folder *row;
	int ret;

	a->row = NULL;
	ret = imap_name_encode(path, base, it->s->separator, &name, &a->changed,
			       e);
	/* "INBOX" alone loses its prefix there; below a prefix it is a folder
	   as any other, with its own spelling, which its children have too
	   (N3). */
	if (ret == 0 && is_inbox(name.data) && *base) {
		buf_set_str(&name, base);
		buf_add_str(&name, path[0]);
	}
	if (ret < 0)
		goto out;
	row = imap_folders_find(&it->folders, name.data);
	if (row && is_target(row)) {
		a->row = row;
	} else if (a->create) {
		ret = make_deep(it, name.data, a->use, &a->row, &a->created, e);
	}
out:
	buf_free(&name);
	return ret;
}

/* The name itself, and a plainer one if that is refused. Which of them exists
   already is looked at before anything is made (N5). */
static int try_way(struct imap_target *it, const char *base,
		   const char *const *path, struct attempt *a, struct err *e)
{
	char **plain = plainer_path(path);
	const char *const *second = (const char *const *)plain;
	bool make_it = a->create;
	int ret;

	a->create = false;
	ret = try_name(it, base, path, a, e);
	if (ret == 0 && !a->row && plain)
		ret = try_name(it, base, second, a, e);
	a->create = make_it;
	if (ret == 0 && !a->row && make_it) {
		ret = try_name(it, base, path, a, e);
		if (ret < 0 && plain && e->kind == ERR_REFUSED &&
		    !it->s->broken) {
			log_line(LOG_INFO, "%s; trying a plainer name",
				 e->text);
			ret = try_name(it, base, second, a, e);
			a->changed = true;
		}
	}
	free_path(plain);
	return ret;
}

static int go(struct imap_target *it, const struct way *way, struct attempt *a,
	      struct err *e)
{
	const char *top = it->root;
	bool make_it = a->create;
	int ret;

	if (way->found) {
		a->row = imap_folders_find(&it->folders, way->base.data);
		if (!a->row) /* INBOX is always there, listed or not */
			a->row = imap_folders_add(&it->folders, way->base.data);
		return 0;
	}
	if (!way->fallback)
		return try_way(it, way->base.data, way->path, a, e);
	a->create = false;
	ret = try_way(it, way->base.data, way->path, a, e);
	if (ret == 0 && !a->row)
		ret = try_way(it, top, way->fallback, a, e);
	a->create = make_it;
	if (ret < 0 || a->row || !make_it)
		return ret;
	ret = try_way(it, way->base.data, way->path, a, e);
	if (ret == 0 || e->kind != ERR_REFUSED || it->s->broken)
		return ret;
	log_line(LOG_WARNING,
		 "%s; the server wants no folders below that one, so it "
		 "goes to the top level",
		 e->text);
	return try_way(it, top, way->fallback, a, e);
}

/* What SELECT said */

static void add_flag(struct target_folder *f, const struct mailimap_flag *flag)
{
	switch (flag->fl_type) {
	case MAILIMAP_FLAG_ANSWERED:
		f->permanent.system |= FLAG_ANSWERED;
		break;
	case MAILIMAP_FLAG_FLAGGED:
		f->permanent.system |= FLAG_FLAGGED;
		break;
	case MAILIMAP_FLAG_SEEN:
		f->permanent.system |= FLAG_SEEN;
		break;
	case MAILIMAP_FLAG_DRAFT:
		f->permanent.system |= FLAG_DRAFT;
		break;
	case MAILIMAP_FLAG_KEYWORD:
		if (flag->fl_data.fl_keyword)
			flags_add_keyword(&f->permanent,
					  flag->fl_data.fl_keyword,
					  strlen(flag->fl_data.fl_keyword));
		break;
	}
}

static void take_flags(const struct mailimap_selection_info *info,
		       struct target_folder *f)
{
	const clist *list = info->sel_perm_flags;

	flags_reset(&f->permanent);
	f->any_keyword = false;
	if (list) {
		for (clistiter *i = clist_begin(list); i; i = clist_next(i)) {
			const struct mailimap_flag_perm *p = clist_content(i);

			if (p->fl_type == MAILIMAP_FLAG_PERM_ALL)
				f->any_keyword = true;
			else if (p->fl_flag)
				add_flag(f, p->fl_flag);
		}
		return;
	}
	/* Without PERMANENTFLAGS all of FLAGS are permanent (RFC 3501
	 * section 7.1). */
	if (!info->sel_flags || !info->sel_flags->fl_list) {
		/* Nothing was said: then nothing is excluded. */
		f->permanent.system =
			FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT;
		return;
	}
	for (clistiter *i = clist_begin(info->sel_flags->fl_list); i;
	     i = clist_next(i))
		add_flag(f, clist_content(i));
}

static void take_selection(struct imap_target *it, struct target_folder *f)
{
	const struct mailimap_selection_info *info =
		it->s->imap->imap_selection_info;

	f->uidvalidity = info->sel_uidvalidity;
	f->uidnext = info->sel_uidnext;
	f->messages = info->sel_exists;
	take_flags(info, f);
	if (info->sel_perm == MAILIMAP_MAILBOX_READONLY)
		log_line(LOG_WARNING, "%s may only be read", f->shown.data);
}

/* Courier does not say UIDNEXT in SELECT, and settling needs it. */
static int ask_uidnext(struct imap_target *it, struct target_folder *f,
		       struct err *e)
{
	const struct mailimap_mailbox_data_status *status;
	struct buf line = BUF_INIT;
	int ret = -1;

	buf_add_str(&line, "STATUS ");
	if (imap_name_quote(f->name.data, &line, e) == 0) {
		buf_add_str(&line, " (UIDNEXT)");
		ret = imap_command(it->s, line.data, "STATUS", e);
	}
	buf_free(&line);
	if (ret < 0) /* then it stays unknown */
		return it->s->broken ? -1 : 0;
	status = it->s->imap->imap_response_info->rsp_status;
	if (!status || !status->st_info_list)
		return 0;
	for (clistiter *i = clist_begin(status->st_info_list); i;
	     i = clist_next(i)) {
		const struct mailimap_status_info *info = clist_content(i);

		if (info->st_att == MAILIMAP_STATUS_ATT_UIDNEXT)
			f->uidnext = info->st_value;
	}
	return 0;
}

/* Two folders that become one because of what a name cannot hold: nothing is
   lost, but people should know. */
static void note_who_asks(struct imap_folder *row, const char *const *path,
			  bool changed, const char *shown)
{
	struct buf asked = BUF_INIT;

	for (size_t i = 0; path[i]; i++) {
		if (i)
			buf_add_char(&asked, 0x1F);
		buf_add_str(&asked, path[i]);
	}
	if (row->asked && changed && strcmp(row->asked, asked.data))
		log_line(LOG_WARNING,
			 "two folders go to one: \"%s\" and \"%s\" both "
			 "to %s",
			 row->asked, asked.data, shown);
	if (!row->asked)
		row->asked = buf_detach(&asked);
	buf_free(&asked);
}

struct imap_folder *imap_folder_look(struct imap_target *it,
				     const char *const *path,
				     enum folder_use use, struct buf *name,
				     bool *changed_r)
{
	struct attempt a = { .use = path[1] || it->above[0] ? USE_NONE : use };
	struct way way;
	struct err e;

	buf_reset(name);
	find_way(it, path, use, &way);
	/* Where the use must be said, imap_folder_open says it. */
	if (go(it, &way, &a, &e) == 0 && !a.row &&
	    !(is_special(a.use) && it->s->caps & IMAP_CAP_CREATE_SPECIAL_USE) &&
	    imap_name_encode(way.path, way.base.data, it->s->separator, name,
			     &a.changed, &e) < 0)
		buf_reset(name);
	buf_free(&way.base);
	*changed_r = a.changed;
	return a.row;
}

void imap_folder_opened(struct imap_target *it, const char *const *path,
			const char *wire, bool changed, struct target_folder *f)
{
	struct imap_folder *row = imap_folders_find(&it->folders, wire);

	f->exists = true;
	if (wire != f->name.data)
		buf_set_str(&f->name, wire);
	buf_reset(&f->shown);
	imap_name_show(wire, it->s->prefix, it->s->separator, &f->shown);
	if (row && path)
		note_who_asks(row, path, changed, f->shown.data);
}

/* By the name that the server gave it before. */
static int open_by_name(struct imap_target *it, struct target_folder *f,
			struct err *e)
{
	struct imap_folder *row = imap_folders_find(&it->folders, f->name.data);

	f->created = false;
	f->exists = (row && is_target(row)) || is_inbox(f->name.data);
	if (!f->exists)
		return 0;
	imap_folder_opened(it, NULL, f->name.data, false, f);
	if (imap_session_reselect(it->s, f->name.data, e) < 0)
		return -1;
	take_selection(it, f);
	return 0;
}

int imap_folder_open(struct target *t, const char *const *path,
		     enum folder_use use, bool create_it,
		     struct target_folder *f, struct err *e)
{
	struct imap_target *it = imap_target(t);
	struct attempt a = { .create = create_it };
	struct way way;
	int ret;

	if (!path)
		return open_by_name(it, f, e);
	assert(path[0]);
	a.use = path[1] || it->above[0] ? USE_NONE : use;
	find_way(it, path, use, &way);
	ret = go(it, &way, &a, e);
	buf_free(&way.base);
	if (ret < 0)
		return -1;
	f->exists = a.row != NULL;
	f->created = a.created;
	if (!a.row)
		return 0;
	imap_folder_opened(it, path, a.row->name, a.changed, f);
	if (imap_session_reselect(it->s, f->name.data, e) < 0)
		return -1;
	take_selection(it, f);
	return f->uidnext ? 0 : ask_uidnext(it, f, e);
}
