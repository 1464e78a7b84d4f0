/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where folders begin (NAMESPACE) and which there are (LIST), with their uses.
   One LIST of everything: asking name by name costs a round trip each, and says
   less. */
#include "core/base/log.h"
#include "core/base/utf8.h"
#include "storage/imap/internal.h"
#include "storage/imap/session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_KEPT_MAX = 4096 };

void imap_folders_free(struct imap_folders *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->rows[i].name);
		free(l->rows[i].plain);
		free(l->rows[i].asked);
	}
	free(l->rows);
	*l = (struct imap_folders){ .rows = NULL };
}

/* Decoded and in NFC: the same for every spelling of the same name. */
static char *plain_of(const char *name)
{
	struct buf decoded = BUF_INIT, nfc = BUF_INIT;

	if (utf8_from_mutf7(&decoded, name, strlen(name)) < 0)
		buf_set_str(&decoded, name);
	utf8_add_nfc(&nfc, decoded.data, decoded.len);
	buf_free(&decoded);
	return buf_detach(&nfc);
}

struct imap_folder *imap_folders_add(struct imap_folders *l, const char *name)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->rows = mem_realloc(l->rows, l->cap * sizeof(*l->rows));
	}
	l->rows[l->n] = (struct imap_folder){ .name = mem_strdup(name),
					      .plain = plain_of(name) };
	return &l->rows[l->n++];
}

/* The row's name, or what of it is above or below INBOX, in any case: Exchange
   lists "Inbox", and some "Inbox/x". */
static bool same_name(const char *a, const char *b)
{
	if (!strncasecmp(a, "INBOX", 5) && !strncasecmp(b, "INBOX", 5)) {
		a += 5;
		b += 5;
	}
	return !strcmp(a, b);
}

struct imap_folder *imap_folders_find(struct imap_folders *l, const char *name)
{
	struct imap_folder *found = NULL;
	char *plain;

	for (size_t i = 0; i < l->n; i++)
		if (same_name(l->rows[i].name, name))
			return &l->rows[i];
	plain = plain_of(name);
	for (size_t i = 0; i < l->n && !found; i++)
		if (same_name(l->rows[i].plain, plain))
			found = &l->rows[i];
	free(plain);
	return found;
}

struct imap_folder *imap_folders_find_nocase(struct imap_folders *l,
					     const char *name)
{
	struct imap_folder *found = NULL;
	char *plain = plain_of(name);

	for (size_t i = 0; i < l->n && !found; i++)
		if (!strcasecmp(l->rows[i].plain, plain))
			found = &l->rows[i];
	free(plain);
	return found;
}

static const struct {
	const char *name;
	enum folder_use use;
	bool virtual;
} attributes[] = {
	{ "Sent", USE_SENT, false },	   { "Drafts", USE_DRAFTS, false },
	{ "Trash", USE_TRASH, false },	   { "Junk", USE_JUNK, false },
	{ "Spam", USE_JUNK, false }, /* XLIST's word */
	{ "Archive", USE_ARCHIVE, false }, { "All", USE_NONE, true },
	{ "AllMail", USE_NONE, true },	   { "Important", USE_NONE, true },
	{ "Flagged", USE_NONE, true },	   { "Starred", USE_NONE, true },
};

/* Without the backslash in libetpan's, with one when others keep it. Cyrus
   writes them in lower case. */
static void take_attribute(struct imap_folder *row, const char *name)
{
	name += *name == '\\';
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]);
	     i++) {
		if (strcasecmp(name, attributes[i].name))
			continue;
		row->use = attributes[i].use;
		row->virtual = row->virtual || attributes[i].virtual;
	}
	if (!strcasecmp(name, "NonExistent"))
		row->no_select = true;
}

static void take_flags(struct imap_folder *row,
		       const struct mailimap_mbx_list_flags *flags)
{
	if (!flags)
		return;
	if (flags->mbf_type == MAILIMAP_MBX_LIST_FLAGS_SFLAG &&
	    flags->mbf_sflag == MAILIMAP_MBX_LIST_SFLAG_NOSELECT)
		row->no_select = true;
	if (!flags->mbf_oflags)
		return;
	for (clistiter *i = clist_begin(flags->mbf_oflags); i;
	     i = clist_next(i)) {
		const struct mailimap_mbx_list_oflag *flag = clist_content(i);

		if (flag->of_type == MAILIMAP_MBX_LIST_OFLAG_NOINFERIORS)
			row->no_inferiors = true;
		else if (flag->of_flag_ext)
			take_attribute(row, flag->of_flag_ext);
	}
}

/* Names that could never be asked for again are not kept. */
static bool is_usable(const char *name)
{
	return strlen(name) <= NAME_KEPT_MAX && !strpbrk(name, "\r\n");
}

static void take_list(const clist *list, struct imap_folders *l)
{
	for (clistiter *i = clist_begin(list); i; i = clist_next(i)) {
		const struct mailimap_mailbox_list *mb = clist_content(i);

		if (!mb || !mb->mb_name || !is_usable(mb->mb_name))
			continue;
		if (l->n >= IMAP_FOLDERS_MAX) {
			log_line(LOG_WARNING,
				 "imap: more than %d folders; the "
				 "rest is not looked at",
				 IMAP_FOLDERS_MAX);
			return;
		}
		take_flags(imap_folders_add(l, mb->mb_name), mb->mb_flag);
	}
}

static void keep_asked(struct imap_folders *old, struct imap_folders *fresh)
{
	for (size_t i = 0; i < old->n; i++) {
		struct imap_folder *row;

		if (!old->rows[i].asked)
			continue;
		row = imap_folders_find(fresh, old->rows[i].name);
		if (!row)
			continue;
		free(row->asked);
		row->asked = old->rows[i].asked;
		old->rows[i].asked = NULL;
	}
}

/* RETURN (SPECIAL-USE) only where both extensions are named: a BAD costs
   nothing but a round trip, and Exchange counts errors. Gmail and others show
   the uses in any LIST. */
static int ask_list(struct imap_session *s, struct err *e)
{
	const unsigned both = IMAP_CAP_LIST_EXTENDED | IMAP_CAP_SPECIAL_USE;

	if ((s->caps & both) == both) {
		if (imap_command(s, "LIST \"\" \"*\" RETURN (SPECIAL-USE)",
				 "LIST (SPECIAL-USE)", e) == 0)
			return 0;
		if (s->broken)
			return -1;
	}
	if (imap_command(s, "LIST \"\" \"*\"", "LIST", e) < 0)
		return err_widen(e, ERR_ACCOUNT);
	return 0;
}

int imap_folders_list(struct imap_session *s, struct imap_folders *l,
		      struct err *e)
{
	struct imap_folders fresh = { .rows = NULL };
	const struct mailimap_response_info *info;

	if (ask_list(s, e) < 0)
		return -1;
	info = s->imap->imap_response_info;
	if (info && info->rsp_mailbox_list)
		take_list(info->rsp_mailbox_list, &fresh);
	keep_asked(l, &fresh);
	imap_folders_free(l);
	*l = fresh;
	log_line(LOG_DETAIL, "imap: %zu folders", l->n);
	return 0;
}

/* A separator is one printable ASCII character; another is as good as none. */
static char sane_separator(char c)
{
	return c > 0x20 && c < 0x7F ? c : '\0';
}

static void take_namespace(struct imap_session *s,
			   const struct mailimap_namespace_data *data)
{
	const struct mailimap_namespace_info *info;

	if (!data->ns_personal || !data->ns_personal->ns_data_list ||
	    !clist_begin(data->ns_personal->ns_data_list))
		return;
	info = clist_content(clist_begin(data->ns_personal->ns_data_list));
	if (!info || !info->ns_prefix || !is_usable(info->ns_prefix) ||
	    strlen(info->ns_prefix) > IMAP_NAME_MAX)
		return;
	free(s->prefix);
	s->prefix = mem_strdup(info->ns_prefix);
	s->separator = sane_separator(info->ns_delimiter);
}

static int ask_namespace(struct imap_session *s, struct err *e)
{
	struct mailimap_namespace_data *data = NULL;
	int rc;

	log_line(LOG_DETAIL, "imap: NAMESPACE");
	talk_begin(s);
	talk_reset(s->talk);
	rc = mailimap_namespace(s->imap, &data);
	if (rc != MAILIMAP_NO_ERROR) {
		imap_fail(s, rc, "NAMESPACE", e);
		return s->broken || e->retry != ERR_NEVER
			       ? err_widen(e, ERR_ACCOUNT)
			       : 0;
	}
	if (!data)
		return 0;
	take_namespace(s, data);
	mailimap_namespace_data_free(data);
	return 0;
}

/* LIST "" "" gives the separator, and a name that is of no use: WildDuck says
 * "/". */
static int ask_separator(struct imap_session *s, struct err *e)
{
	const struct mailimap_response_info *info;
	const struct mailimap_mailbox_list *mb;

	if (imap_command(s, "LIST \"\" \"\"", "LIST (separator)", e) < 0)
		return err_widen(e, ERR_ACCOUNT);
	info = s->imap->imap_response_info;
	if (!info || !info->rsp_mailbox_list ||
	    !clist_begin(info->rsp_mailbox_list))
		return 0;
	mb = clist_content(clist_begin(info->rsp_mailbox_list));
	if (mb)
		s->separator = sane_separator(mb->mb_delimiter);
	return 0;
}

int imap_namespace(struct imap_session *s, struct err *e)
{
	if (s->caps & IMAP_CAP_NAMESPACE && ask_namespace(s, e) < 0)
		return -1;
	if (!s->separator && ask_separator(s, e) < 0)
		return -1;
	log_line(LOG_DETAIL, "imap: folders begin with \"%s\", separator '%c'",
		 s->prefix, s->separator ? s->separator : ' ');
	return 0;
}
