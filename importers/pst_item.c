/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an item of an Outlook store is, and what Outlook knows of it besides. */
#include <string.h>

#include "core/base/ascii.h"
#include "importers/pst_message.h"

/* Outlook 2000 and before knew only what the mail was written in. 1200, in Unicode
   stores, says that strings are Unicode. */
static uint32_t code_page_of(const struct pst_props *p, uint32_t usual)
{
	uint32_t page = pst_prop_number(p, PR_MESSAGE_CODEPAGE, 0);

	if (page && page != 1200)
		return page;
	page = pst_windows_page(pst_prop_number(p, PR_INTERNET_CPID, 0));
	return page ? page : usual;
}

int pst_item_open(struct pst_store *st, struct pst_place place, uint32_t usual,
		  struct pst_item *item_r, struct err *e)
{
	*item_r = (struct pst_item){ .st = st,
				     .place = place,
				     .class = BUF_INIT };
	if (pst_props_open(st, place, &item_r->props, e) < 0)
		return -1;
	item_r->code_page = code_page_of(&item_r->props, usual);
	pst_charset_of(item_r->code_page, &item_r->charset);
	if (item_r->charset.iconv[0])
		item_r->props.charset = item_r->charset.iconv;
	pst_prop_text(&item_r->props, PR_MESSAGE_CLASS, &item_r->class);
	return 0;
}

void pst_item_close(struct pst_item *item)
{
	pst_props_close(&item->props);
	buf_free(&item->class);
}

/* A class is what its parent is: "IPM.Contact.Customer". */
static bool is_class(const char *class, const char *parent)
{
	size_t n = strlen(parent);

	return strlen(class) >= n && ascii_same_n(class, parent, n) &&
	       (!class[n] || class[n] == '.');
}

/* [MS-OXOMSG], [MS-OXOCAL] and their kin. What is not listed is mail: reports
   (REPORT.), requests for meetings and tasks, posts, and what companies made
   for themselves. */
enum pst_kind pst_item_kind(const struct pst_item *item)
{
	static const struct {
		const char *class;
		enum pst_kind kind;
	} rows[] = {
		{ "IPM.Contact", PST_CONTACT },
		{ "IPM.AbchPerson", PST_CONTACT },
		{ "IPM.DistList", PST_CONTACT },
		{ "IPM.Appointment", PST_APPOINTMENT },
		{ "IPM.OLE.CLASS", PST_APPOINTMENT },
		{ "IPM.Task", PST_TASK },
		{ "IPM.StickyNote", PST_NOTE },
		{ "IPM.Activity", PST_JOURNAL },
		{ "IPM.Post.Rss", PST_OTHER },
		{ "IPM.Document", PST_OTHER },
		{ "IPM.Configuration", PST_OTHER },
		{ "IPM.Microsoft", PST_OTHER },
		{ "IPM.Rule", PST_OTHER },
		{ "IPM.ExtendedRule", PST_OTHER },
		{ "IPM.Aggregation", PST_OTHER },
		{ "IPM.ConversationAction", PST_OTHER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_class(item->class.data, rows[i].class))
			return rows[i].kind;
	return PST_MAIL;
}

/* ---- flags ---- */

enum {
	MSGFLAG_READ = 0x01,
	MSGFLAG_SUBMIT = 0x04,
	MSGFLAG_UNSENT = 0x08,

	VERB_REPLY = 102,
	VERB_REPLY_ALL = 103,
	VERB_FORWARD = 104,
	ICON_REPLIED = 0x105,
	ICON_FORWARDED = 0x106,

	FLAG_STATUS_FLAGGED = 2,
};

static void add_flags(const struct pst_item *item, struct message *m)
{
	const struct pst_props *p = &item->props;
	uint32_t flags = pst_prop_number(p, PR_MESSAGE_FLAGS, 0);
	uint32_t verb = pst_prop_number(p, PR_LAST_VERB_EXECUTED, 0);
	uint32_t icon = pst_prop_number(p, PR_ICON_INDEX, 0);

	if (flags & MSGFLAG_READ)
		m->flags.system |= FLAG_SEEN;
	if (flags & MSGFLAG_UNSENT)
		m->flags.system |= FLAG_DRAFT;
	if (flags & MSGFLAG_SUBMIT && flags & MSGFLAG_UNSENT)
		m->notes |= NOTE_QUEUED;
	if (verb == VERB_REPLY || verb == VERB_REPLY_ALL ||
	    icon == ICON_REPLIED)
		m->flags.system |= FLAG_ANSWERED;
	if (verb == VERB_FORWARD || icon == ICON_FORWARDED)
		flags_add_keyword(&m->flags, "$Forwarded", 10);
	if (pst_prop_number(p, PR_FLAG_STATUS, 0) == FLAG_STATUS_FLAGGED)
		m->flags.system |= FLAG_FLAGGED;
}

enum { CATEGORIES_BYTES = 8 << 10, CATEGORIES_MAX = 100 };

static uint32_t number_at(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

/* Many strings: their number, where each begins, and they themselves (2.3.3.4.2). */
static void add_categories(const struct pst_item *item,
			   const struct pst_prop *prop, struct flags *flags)
{
	struct buf bytes = BUF_INIT, word = BUF_INIT;
	uint16_t type =
		prop->type == PST_MANY_UNICODE ? PST_UNICODE : PST_STRING8;
	uint32_t count;
	struct err ignored;

	if (pst_prop_bytes(&item->props, prop, CATEGORIES_BYTES, &bytes,
			   &ignored) < 0 ||
	    bytes.len < 4)
		goto out;
	count = number_at(bytes.data);
	if (count > CATEGORIES_MAX || (count + 1) * 4 > bytes.len)
		goto out;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = number_at(bytes.data + 4 + 4 * i);
		uint32_t end = i + 1 < count ? number_at(bytes.data + 8 + 4 * i)
					     : (uint32_t)bytes.len;

		if (at > end || end > bytes.len)
			break;
		buf_reset(&word);
		pst_add_text(&word, type, item->props.charset, bytes.data + at,
			     end - at);
		flags_add_keyword(flags, word.data, word.len);
	}
out:
	buf_free(&bytes);
	buf_free(&word);
}

void pst_item_describe(const struct pst_item *item, uint16_t keywords,
		       struct message *m)
{
	const struct pst_prop *prop =
		keywords ? pst_prop(&item->props, keywords) : NULL;

	add_flags(item, m);
	m->notes |= NOTE_REBUILT;
	m->length = pst_prop_number(&item->props, PR_MESSAGE_SIZE, 0);
	m->when.delivered = pst_prop_time(&item->props, PR_DELIVERY_TIME);
	if (prop &&
	    (prop->type == PST_MANY_UNICODE || prop->type == PST_MANY_STRING8))
		add_categories(item, prop, &m->flags);
}
