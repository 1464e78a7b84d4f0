/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header of a message from an Outlook store. Mail that came over the Internet has
   the header it came with (PR_TRANSPORT_MESSAGE_HEADERS): its fields stay as they
   are, but for those that describe a body which is not stored any more as it
   was. Mail that was written here has properties only. */
#include "importers/pst_message.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/header.h"

enum { TO = 1, CC, BCC };

/* ---- the header it came with ---- */

/* Fields about the body, which is put together anew; and Outlook's first line. */
static bool is_about_body(const char *name, size_t n)
{
	static const char *const names[] = {
		"MIME-Version",
		"Content-Type",
		"Content-Transfer-Encoding",
		"Content-Disposition",
		"Content-MD5",
		"Content-Length",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ascii_same(name, n, names[i]))
			return true;
	return false;
}

/* The header as text, up to the empty line: behind it Outlook may keep those of
   the parts. */
static void read_transport(const struct pst_item *item, struct header *h)
{
	static const char exchange[] = "Microsoft Mail Internet Headers";
	const struct pst_prop *prop =
		pst_prop(&item->props, PR_TRANSPORT_HEADERS);
	struct buf bytes = BUF_INIT, text = BUF_INIT;
	const char *p, *end;
	struct err ignored;

	if (prop && pst_prop_bytes(&item->props, prop, HEADER_MAX, &bytes,
				   &ignored) == 0) {
		if (prop->type == PST_UNICODE)
			pst_add_text(&text, prop->type, NULL, bytes.data,
				     bytes.len);
		else /* as it came */
			buf_add(&text, bytes.data,
				strnlen(bytes.data, bytes.len));
	}
	p = text.data;
	if (!strncmp(p, exchange, sizeof(exchange) - 1))
		p += strcspn(p, "\n") + (strchr(p, '\n') != NULL);
	for (end = p; *end; end += strcspn(end, "\n") + 1) {
		if (*end == '\n' || !strncmp(end, "\r\n", 2))
			break;
		if (!strchr(end, '\n')) {
			end += strlen(end);
			break;
		}
	}
	buf_add(&h->raw, p, (size_t)(end - p));
	if (h->raw.len && h->raw.data[h->raw.len - 1] != '\n')
		buf_add_str(&h->raw, "\r\n");
	header_index(h);
	buf_free(&bytes);
	buf_free(&text);
}

/* The property holds other things at times: parts of a body, a single line. */
static bool is_header(const struct header *h)
{
	static const char *const names[] = { "From",	    "Date",
					     "Received",    "Subject",
					     "Message-ID",  "To",
					     "Return-Path", "MIME-Version" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (header_find(h, names[i], 0))
			return true;
	return false;
}

void pst_header_content_type(const struct pst_item *item, struct buf *out)
{
	struct header h = HEADER_INIT;

	read_transport(item, &h);
	header_add_value(&h, "Content-Type", 0, out);
	header_free(&h);
}

static void add_transport(const struct header *h, struct buf *out)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->fields[i];

		if (f->name_len &&
		    !is_about_body(h->raw.data + f->name, f->name_len))
			buf_add(out, h->raw.data + f->start, f->end - f->start);
	}
}

/* ---- fields made of properties ---- */

/* A character 1 in front of a subject is followed by one that tells how long its
   "Re: " is ([MS-PST] 2.5.3.1.1.1). */
static void add_subject(const struct pst_item *item, bool came, struct buf *out)
{
	struct buf text = BUF_INIT;
	size_t skip = 0;

	pst_prop_text(&item->props, PR_SUBJECT, &text);
	if (text.len > 1 && text.data[0] == 1) {
		skip = 2;
		while (skip < text.len &&
		       ((unsigned char)text.data[skip] & 0xC0) == 0x80)
			skip++;
	}
	if (text.len > skip || !came)
		pst_add_field(out, "Subject", text.data + skip);
	buf_free(&text);
}

/* An address of SMTP's kind, or Exchange's name. */
static void sender_of(const struct pst_item *item, uint16_t smtp,
		      uint16_t email, uint16_t name, struct buf *address,
		      struct buf *shown)
{
	buf_reset(address);
	buf_reset(shown);
	if (!pst_prop_text(&item->props, smtp, address))
		pst_prop_text(&item->props, email, address);
	pst_prop_text(&item->props, name, shown);
}

/* From is on whose behalf it was sent, Sender who sent it (RFC 5322 3.6.2). */
static void add_from(const struct pst_item *item, struct buf *out)
{
	struct buf address = BUF_INIT, name = BUF_INIT;
	struct buf sender = BUF_INIT, sender_name = BUF_INIT;
	struct buf one = BUF_INIT, two = BUF_INIT;

	sender_of(item, PR_SENDER_SMTP, PR_SENDER_EMAIL, PR_SENDER_NAME,
		  &sender, &sender_name);
	sender_of(item, PR_SENT_REPRESENTING_SMTP, PR_SENT_REPRESENTING_EMAIL,
		  PR_SENT_REPRESENTING_NAME, &address, &name);
	if (!address.len && !name.len) {
		buf_set_str(&address, sender.data);
		buf_set_str(&name, sender_name.data);
	}
	if (address.len || name.len) {
		pst_add_address(&one, name.data, address.data);
		buf_addf(out, "From: %s\r\n", one.data);
	}
	if (sender.len || sender_name.len)
		pst_add_address(&two, sender_name.data, sender.data);
	if (strchr(sender.data, '@') && strchr(address.data, '@') &&
	    ascii_compare(sender.data, address.data))
		buf_addf(out, "Sender: %s\r\n", two.data);
	buf_free(&address);
	buf_free(&name);
	buf_free(&sender);
	buf_free(&sender_name);
	buf_free(&one);
	buf_free(&two);
}

static const char *recipient_field(int kind)
{
	return kind == TO ? "To" : kind == CC ? "Cc" : "Bcc";
}

static void add_one(struct buf *out, int kind, const char *name,
		    const char *address, bool *some)
{
	buf_addf(out, *some ? ",\r\n " : "%s: ", recipient_field(kind));
	pst_add_address(out, name, address);
	*some = true;
}

/* Of the table of recipients; false if there is none of this kind. */
static bool add_recipients(const struct pst_item *item,
			   const struct pst_table *t, int kind, struct buf *out)
{
	struct buf name = BUF_INIT, address = BUF_INIT;
	const char *charset = item->props.charset;
	bool some = false;

	for (size_t i = 0; i < t->n; i++) {
		if ((int)pst_table_number(t, i, PR_RECIPIENT_TYPE, TO) != kind)
			continue;
		buf_reset(&name);
		buf_reset(&address);
		pst_table_text(t, i, PR_DISPLAY_NAME, charset, &name);
		if (!pst_table_text(t, i, PR_SMTP_ADDRESS, charset, &address))
			pst_table_text(t, i, PR_EMAIL_ADDRESS, charset,
				       &address);
		if (name.len || address.len)
			add_one(out, kind, name.data, address.data, &some);
	}
	if (some)
		buf_add_str(out, "\r\n");
	buf_free(&name);
	buf_free(&address);
	return some;
}

/* Of the names that Outlook shows, "A; B": all that is left when the table cannot be
   read. */
static void add_shown(const struct pst_item *item, uint16_t id, int kind,
		      struct buf *out)
{
	struct buf text = BUF_INIT;
	bool some = false;
	char *next;

	pst_prop_text(&item->props, id, &text);
	for (char *p = text.data; p && *p; p = next) {
		next = strchr(p, ';');
		if (next)
			*next++ = '\0';
		while (*p == ' ')
			p++;
		if (*p)
			add_one(out, kind, p, "", &some);
	}
	if (some)
		buf_add_str(out, "\r\n");
	buf_free(&text);
}

static void add_all_recipients(const struct pst_item *item, struct buf *out)
{
	static const uint16_t shown[] = { PR_DISPLAY_TO, PR_DISPLAY_CC,
					  PR_DISPLAY_BCC };
	const struct pst_sub *sub =
		pst_subs_find(&item->props.heap.subs, PST_NID_RECIPIENTS);
	struct pst_table t;
	struct err ignored;
	bool have =
		sub && pst_table_open(item->st, sub->place, &t, &ignored) == 0;

	for (int kind = TO; kind <= BCC; kind++)
		if (!have || !add_recipients(item, &t, kind, out))
			add_shown(item, shown[kind - TO], kind, out);
	if (have)
		pst_table_close(&t);
}

static void add_date(const struct pst_item *item, struct buf *out)
{
	static const uint16_t ids[] = { PR_CLIENT_SUBMIT_TIME, PR_DELIVERY_TIME,
					PR_CREATION_TIME };
	int64_t t = DATE_NONE;

	for (size_t i = 0; t == DATE_NONE && i < sizeof(ids) / sizeof(ids[0]);
	     i++)
		t = pst_prop_time(&item->props, ids[i]);
	/* Outlook's "never" is the year 4501. */
	if (t < 0 || t > INT64_C(79874208000))
		return;
	buf_add_str(out, "Date: ");
	pst_add_date(out, t);
	buf_add_str(out, "\r\n");
}

static void add_ids(const struct pst_item *item, uint16_t id, const char *name,
		    struct buf *out)
{
	struct buf text = BUF_INIT, ids = BUF_INIT;

	pst_prop_text(&item->props, id, &text);
	if (pst_add_ids(&ids, text.data))
		buf_addf(out, "%s: %s\r\n", name, ids.data);
	buf_free(&text);
	buf_free(&ids);
}

/* Names only; what is no address has none in the store either. */
static void add_reply_to(const struct pst_item *item, struct buf *out)
{
	struct buf text = BUF_INIT, one = BUF_INIT;

	pst_prop_text(&item->props, PR_REPLY_RECIPIENT_NAMES, &text);
	pst_add_address(&one, text.data, "");
	if (text.len && buf_equal(&one, &text))
		buf_addf(out, "Reply-To: %s\r\n", one.data);
	buf_free(&text);
	buf_free(&one);
}

static void add_importance(const struct pst_item *item, struct buf *out)
{
	uint32_t importance = pst_prop_number(&item->props, PR_IMPORTANCE, 1);

	if (importance == 2)
		buf_add_str(out, "Importance: high\r\n");
	else if (importance == 0)
		buf_add_str(out, "Importance: low\r\n");
}

void pst_header_add(const struct pst_item *item, struct buf *out)
{
	struct header h = HEADER_INIT;
	bool came;

	read_transport(item, &h);
	came = is_header(&h);
	if (came)
		add_transport(&h, out);
	else
		header_reset(&h);
	if (!header_find(&h, "From", 0))
		add_from(item, out);
	if (!header_find(&h, "To", 0) && !header_find(&h, "Cc", 0) &&
	    !header_find(&h, "Bcc", 0) && !header_find(&h, "Received", 0))
		add_all_recipients(item, out);
	if (!header_find(&h, "Subject", 0))
		add_subject(item, came, out);
	if (!header_find(&h, "Date", 0))
		add_date(item, out);
	if (!header_find(&h, "Message-ID", 0))
		add_ids(item, PR_INTERNET_MESSAGE_ID, "Message-ID", out);
	if (!came) {
		add_ids(item, PR_IN_REPLY_TO_ID, "In-Reply-To", out);
		add_ids(item, PR_INTERNET_REFERENCES, "References", out);
		add_reply_to(item, out);
		add_importance(item, out);
	}
	header_free(&h);
}
