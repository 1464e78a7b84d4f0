/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole message of what an Outlook store has of it:

   multipart/mixed              when there is more than text
     multipart/alternative      when there is plain text and HTML
       text/plain
       multipart/related        when the HTML shows attachments
	 text/html
	 attachments it shows
     other attachments, messages

   The bytes of texts are those of the store, in the charset it states; Unicode is
   written as UTF-8. Boundaries come from the store's and the message's own
   numbers, so that the same message gives the same bytes in every run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "importers/pst_message.h"
#include "importers/pst_rtf.h"

enum {
	ATTACH_BY_VALUE = 1,
	ATTACH_EMBEDDED = 5,
	ATTACH_OLE = 6,

	DEPTH_MAX = 12,	    /* of messages in messages */
	LINE_MAX_RFC = 998, /* RFC 5322 section 2.1.1 */
	ATTACHMENTS_MAX = 10000,
};

/* An attachment, as far as it has to be known before anything is written. */
struct attachment {
	struct pst_place place;
	uint32_t method;
	bool shown; /* by the HTML */
};

struct text {
	const struct pst_prop *prop; /* NULL: there is none */
	const char *subtype;
	char charset[24];
	struct pst_scan scan;
};

struct whole {
	struct pst_item *item;
	struct pst_writer *w;
	uint32_t usual;
	struct text plain, html;
	const struct pst_prop *rtf; /* when it is all there is but plain text */
	struct attachment *list;
	size_t n, n_shown;
	bool eight_bit;
};

/* A part that the store cannot give any more costs that part, and is noted; but not
   when it is the message that cannot be kept. */
static int missing(struct whole *m)
{
	m->w->notes |= NOTE_PARTS_MISSING;
	return m->w->failed ? -1 : 0;
}

/* ---- boundaries ---- */

static uint64_t hash_add(uint64_t hash, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)bytes[i]) *
		       UINT64_C(0x100000001B3);
	return hash;
}

/* Who sends mail cannot know these, and so cannot put a boundary into a text. */
static void set_key(struct pst_writer *w, const struct pst_item *item,
		    const char *key, size_t n_key)
{
	const struct pst_prop *prop = pst_prop(&item->props, PR_SEARCH_KEY);
	uint64_t hash = UINT64_C(0xCBF29CE484222325), other;
	struct buf own = BUF_INIT;
	char number[24];
	struct err ignored;
	int n;

	hash = hash_add(hash, key, n_key);
	n = snprintf(number, sizeof(number), "/%llx/",
		     (unsigned long long)item->place.data);
	hash = hash_add(hash, number, (size_t)n);
	if (prop && pst_prop_bytes(&item->props, prop, 64, &own, &ignored) == 0)
		hash = hash_add(hash, own.data, own.len);
	other = hash_add(hash, key, n_key);
	snprintf(w->key, sizeof(w->key), "=_%016llx%08llx",
		 (unsigned long long)hash,
		 (unsigned long long)(other & 0xFFFFFFFF));
	buf_free(&own);
}

/* The empty line is that of the first delimiter. */
static int begin_multipart(struct whole *m, const char *subtype,
			   const char *more, unsigned *number_r, struct err *e)
{
	struct buf head = BUF_INIT;
	int ret;

	*number_r = ++m->w->parts;
	buf_addf(&head,
		 "Content-Type: multipart/%s;%s\r\n boundary=\"%s_%u\"\r\n",
		 subtype, more, m->w->key, *number_r);
	if (m->eight_bit)
		buf_add_str(&head, "Content-Transfer-Encoding: 8bit\r\n");
	ret = pst_write_text(m->w, &head, e);
	buf_free(&head);
	return ret;
}

static int delimit(struct whole *m, unsigned number, const char *end,
		   struct err *e)
{
	struct buf line = BUF_INIT;
	int ret;

	buf_addf(&line, "\r\n--%s_%u%s\r\n", m->w->key, number, end);
	ret = pst_write_text(m->w, &line, e);
	buf_free(&line);
	return ret;
}

/* ---- texts ---- */

static void set_charset(struct text *t, uint32_t code_page)
{
	struct pst_charset c;

	pst_charset_of(code_page, &c);
	snprintf(t->charset, sizeof(t->charset), "%s",
		 t->prop->type == PST_UNICODE ? "utf-8" : c.mime);
}

enum { SAMPLE = 64 << 10 };

/* Nobody says what it is written in. A name that is wrong would be worse than
   none. */
static void guess_charset(struct whole *m, struct text *t)
{
	struct buf bytes = BUF_INIT;
	struct err ignored;

	if (pst_prop_bytes(&m->item->props, t->prop, SAMPLE, &bytes,
			   &ignored) == 0) {
		/* What was cut, if anything, was perhaps a character. */
		while (bytes.len > SAMPLE - 4 &&
		       (unsigned char)bytes.data[bytes.len - 1] > 0x7F)
			buf_cut(&bytes, bytes.len - 1);
		snprintf(t->charset, sizeof(t->charset), "%s",
			 pst_charset_guess(bytes.data, bytes.len));
	}
	buf_free(&bytes);
}

/* Look through a text: how it must be encoded, and what it shows. */
static int look_at(struct whole *m, struct text *t, struct err *e)
{
	struct pst_plain plain;
	int ret;

	pst_scan_init(&t->scan, m->w->key, t == &m->html);
	if (!t->prop)
		return 0;
	pst_plain_init(&plain, t->prop->type == PST_UNICODE, pst_scan_add,
		       &t->scan);
	ret = pst_prop_each(&m->item->props, t->prop, pst_plain_add, &plain, e);
	if (ret < 0)
		ret = missing(m);
	if (ret == 0)
		ret = pst_plain_end(&plain, e);
	else
		pst_plain_free(&plain);
	if (!t->scan.n)
		t->prop = NULL;
	else if (t->scan.high && !t->charset[0] && ret == 0)
		guess_charset(m, t);
	return ret;
}

static const struct pst_prop *string_of(const struct pst_props *p, uint16_t id)
{
	const struct pst_prop *prop = pst_prop(p, id);

	return prop && (prop->type == PST_UNICODE ||
			prop->type == PST_STRING8 || prop->type == PST_BINARY)
		       ? prop
		       : NULL;
}

static void find_texts(struct whole *m)
{
	const struct pst_props *p = &m->item->props;
	uint32_t page = m->item->code_page;

	m->plain = (struct text){ .prop = string_of(p, PR_BODY),
				  .subtype = "plain" };
	if (!m->plain.prop) /* a report says elsewhere what happened */
		m->plain.prop = string_of(p, PR_REPORT_TEXT);
	m->html = (struct text){ .prop = string_of(p, PR_HTML),
				 .subtype = "html" };
	if (m->plain.prop)
		set_charset(&m->plain, page);
	if (m->html.prop)
		set_charset(&m->html,
			    pst_prop_number(p, PR_INTERNET_CPID, page));
}

enum encoding { AS_7BIT, AS_8BIT, AS_BASE64 };

static enum encoding encoding_of(const struct pst_scan *s)
{
	if (s->nul || s->lone_cr || s->cr || s->has_key ||
	    s->longest > LINE_MAX_RFC)
		return AS_BASE64;
	return s->high ? AS_8BIT : AS_7BIT;
}

static int write_text(struct whole *m, struct text *t, struct err *e)
{
	static const char *const names[] = { "7bit", "8bit", "base64" };
	enum encoding how = encoding_of(&t->scan);
	struct pst_base64 base64 = { .w = m->w };
	struct pst_plain plain;
	struct buf head = BUF_INIT;
	int ret;

	buf_addf(&head, "Content-Type: text/%s", t->subtype);
	if (!t->scan.high && !t->scan.escape)
		buf_add_str(&head, "; charset=us-ascii");
	else if (t->charset[0])
		buf_addf(&head, "; charset=%s", t->charset);
	buf_addf(&head, "\r\nContent-Transfer-Encoding: %s\r\n\r\n",
		 names[how]);
	ret = pst_write_text(m->w, &head, e);
	buf_free(&head);
	if (how == AS_BASE64)
		pst_plain_init(&plain, t->prop->type == PST_UNICODE,
			       pst_base64_add, &base64);
	else
		pst_plain_init(&plain, t->prop->type == PST_UNICODE, pst_write,
			       m->w);
	if (ret == 0 && pst_prop_each(&m->item->props, t->prop, pst_plain_add,
				      &plain, e) < 0)
		ret = missing(m);
	if (ret == 0)
		ret = pst_plain_end(&plain, e);
	else
		pst_plain_free(&plain);
	return ret < 0 ? -1 : pst_base64_end(&base64, e);
}

/* ---- attachments ---- */

/* Whether the HTML shows it: then it belongs to it, else it would be lost to
   sight in many programs. */
static bool is_shown(struct whole *m, const struct pst_props *p)
{
	struct buf id = BUF_INIT;
	bool shown = false;

	if (m->html.prop && pst_prop_text(p, PR_ATTACH_CONTENT_ID, &id)) {
		const char *s = id.data;

		if (*s == '<' && id.data[id.len - 1] == '>') {
			buf_cut(&id, id.len - 1);
			s++;
		}
		shown = pst_scan_has_cid(&m->html.scan, s);
	}
	buf_free(&id);
	return shown;
}

static void add_attachment(struct whole *m, const struct attachment *a)
{
	if ((m->n & (m->n - 1)) == 0)
		m->list = mem_realloc(m->list, (m->n * 2 + 1) * sizeof(*a));
	m->list[m->n++] = *a;
	m->n_shown += a->shown;
	m->eight_bit |= a->method == ATTACH_EMBEDDED;
}

static void find_attachments(struct whole *m)
{
	const struct pst_subs *subs = &m->item->props.heap.subs;
	struct err ignored;

	for (size_t i = 0; i < subs->n && m->n < ATTACHMENTS_MAX; i++) {
		struct attachment a = { .place = subs->list[i].place };
		struct pst_props p;

		if ((subs->list[i].nid & PST_NID_KIND) != PST_NID_ATTACHMENT)
			continue;
		if (pst_props_open(m->item->st, a.place, &p, &ignored) < 0) {
			missing(m);
			continue;
		}
		a.method =
			pst_prop_number(&p, PR_ATTACH_METHOD, ATTACH_BY_VALUE);
		a.shown = a.method == ATTACH_BY_VALUE && is_shown(m, &p);
		if (pst_prop(&p, PR_ATTACH_DATA))
			add_attachment(m, &a);
		else /* a link to a file that is elsewhere */
			missing(m);
		pst_props_close(&p);
	}
}

/* The table of attachments knows how many there should be. */
static void count_attachments(struct whole *m)
{
	const struct pst_sub *sub =
		pst_subs_find(&m->item->props.heap.subs, PST_NID_ATTACHMENTS);
	struct pst_table t;
	struct err ignored;

	if (!sub || pst_table_open(m->item->st, sub->place, &t, &ignored) < 0)
		return;
	if (t.n > m->n)
		missing(m);
	pst_table_close(&t);
}

static void name_of(const struct pst_props *p, struct buf *name)
{
	if (!pst_prop_text(p, PR_ATTACH_LONG_FILENAME, name) &&
	    !pst_prop_text(p, PR_ATTACH_FILENAME, name))
		pst_prop_text(p, PR_DISPLAY_NAME, name);
}

/* What the store says it is, where that can be said of base64: neither a multipart nor
   a message may be encoded (RFC 2045 section 6.4). */
static void type_of(const struct pst_props *p, struct buf *type)
{
	pst_prop_text(p, PR_ATTACH_MIME_TAG, type);
	if (!pst_is_mime_type(type->data) ||
	    ascii_same_n(type->data, "multipart/", 10) ||
	    ascii_same_n(type->data, "message/", 8))
		buf_set_str(type, "application/octet-stream");
}

static void add_part_head(const struct attachment *a, const struct pst_props *p,
			  struct buf *head)
{
	struct buf name = BUF_INIT, type = BUF_INIT, id = BUF_INIT;
	struct buf ids = BUF_INIT;

	name_of(p, &name);
	type_of(p, &type);
	buf_addf(head, "Content-Type: %s", type.data);
	if (name.len)
		pst_add_parameter(head, "name", name.data);
	buf_add_str(head, "\r\nContent-Transfer-Encoding: base64\r\n");
	if (pst_prop_text(p, PR_ATTACH_CONTENT_ID, &id) &&
	    pst_add_ids(&ids, id.data))
		buf_addf(head,
			 ids.data[0] == '<' ? "Content-ID: %s\r\n"
					    : "Content-ID: <%s>\r\n",
			 ids.data);
	buf_addf(head, "Content-Disposition: %s",
		 a->shown ? "inline" : "attachment");
	if (name.len)
		pst_add_parameter(head, "filename", name.data);
	buf_add_str(head, "\r\n\r\n");
	buf_free(&name);
	buf_free(&type);
	buf_free(&id);
	buf_free(&ids);
}

static int write_whole(struct pst_item *item, uint32_t usual,
		       struct pst_writer *w, struct err *e);

static int write_embedded(struct whole *m, const struct pst_props *p,
			  struct err *e)
{
	static const char head[] = "Content-Type: message/rfc822\r\n"
				   "Content-Transfer-Encoding: 8bit\r\n"
				   "Content-Disposition: attachment";
	const struct pst_prop *prop = pst_prop(p, PR_ATTACH_DATA);
	struct buf text = BUF_INIT, name = BUF_INIT;
	struct pst_place place;
	struct pst_item item;
	int ret = -1;

	buf_add_str(&text, head);
	if (pst_prop_text(p, PR_DISPLAY_NAME, &name)) {
		buf_add_str(&name, ".eml");
		pst_add_parameter(&text, "filename", name.data);
	}
	buf_add_str(&text, "\r\n\r\n");
	if (m->w->depth >= DEPTH_MAX) {
		err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
			"messages in messages, more than %d deep", DEPTH_MAX);
	} else if (!pst_prop_object(p, prop, &place) ||
		   pst_item_open(m->item->st, place, m->usual, &item, e) < 0) {
		missing(m);
		buf_add_str(&text, "\r\n");
		ret = pst_write_text(m->w, &text, e);
	} else {
		m->w->depth++;
		if (pst_write_text(m->w, &text, e) == 0)
			ret = write_whole(&item, m->usual, m->w, e);
		m->w->depth--;
		pst_item_close(&item);
	}
	buf_free(&text);
	buf_free(&name);
	return ret;
}

static int write_attachment(struct whole *m, const struct attachment *a,
			    struct err *e)
{
	struct pst_base64 base64 = { .w = m->w };
	struct buf head = BUF_INIT;
	struct pst_props p;
	int ret;

	if (pst_props_open(m->item->st, a->place, &p, e) < 0)
		return -1;
	p.charset = m->item->props.charset;
	if (a->method == ATTACH_EMBEDDED) {
		ret = write_embedded(m, &p, e);
	} else {
		add_part_head(a, &p, &head);
		ret = pst_write_text(m->w, &head, e);
		if (ret == 0 && pst_prop_each(&p, pst_prop(&p, PR_ATTACH_DATA),
					      pst_base64_add, &base64, e) < 0)
			ret = missing(m);
		if (ret == 0)
			ret = pst_base64_end(&base64, e);
	}
	buf_free(&head);
	pst_props_close(&p);
	return ret;
}

static int write_attachments(struct whole *m, bool shown, unsigned boundary,
			     struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->list[i].shown != shown)
			continue;
		if (delimit(m, boundary, "", e) < 0 ||
		    write_attachment(m, &m->list[i], e) < 0)
			return -1;
	}
	return 0;
}

/* ---- RTF ---- */

static int write_rtf(struct whole *m, struct err *e)
{
	static const char head[] =
		"Content-Type: application/rtf; name=\"rtf-body.rtf\"\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"rtf-body.rtf\"\r\n"
		"\r\n";
	struct pst_base64 base64 = { .w = m->w };
	struct buf packed = BUF_INIT;
	char *rtf = NULL;
	size_t n = 0;
	int ret;

	ret = pst_prop_bytes(&m->item->props, m->rtf, PST_RTF_MAX, &packed, e);
	if (ret == 0)
		rtf = pst_rtf_unpack(packed.data, packed.len, &n);
	if (ret == 0 && !rtf)
		missing(m);
	if (ret == 0)
		ret = pst_write(m->w, head, sizeof(head) - 1, e);
	if (ret == 0 && rtf)
		ret = pst_base64_add(&base64, rtf, n, e);
	if (ret == 0)
		ret = pst_base64_end(&base64, e);
	free(rtf);
	buf_free(&packed);
	return ret;
}

/* ---- the parts together ---- */

static int write_html(struct whole *m, struct err *e)
{
	unsigned boundary;

	if (!m->n_shown)
		return write_text(m, &m->html, e);
	if (begin_multipart(m, "related", " type=\"text/html\";", &boundary,
			    e) < 0 ||
	    delimit(m, boundary, "", e) < 0 || write_text(m, &m->html, e) < 0 ||
	    write_attachments(m, true, boundary, e) < 0)
		return -1;
	return delimit(m, boundary, "--", e);
}

static int write_texts(struct whole *m, struct err *e)
{
	unsigned boundary;

	if (!m->html.prop)
		return write_text(m, &m->plain, e);
	if (!m->plain.prop)
		return write_html(m, e);
	if (begin_multipart(m, "alternative", "", &boundary, e) < 0 ||
	    delimit(m, boundary, "", e) < 0 ||
	    write_text(m, &m->plain, e) < 0 ||
	    delimit(m, boundary, "", e) < 0 || write_html(m, e) < 0)
		return -1;
	return delimit(m, boundary, "--", e);
}

static int write_body(struct whole *m, struct err *e)
{
	bool texts = m->plain.prop || m->html.prop;
	unsigned boundary;

	if (m->n == m->n_shown && !m->rtf) {
		if (texts)
			return write_texts(m, e);
		return pst_write(m->w, "\r\n", 2, e);
	}
	if (begin_multipart(m, "mixed", "", &boundary, e) < 0)
		return -1;
	if (texts && (delimit(m, boundary, "", e) < 0 || write_texts(m, e) < 0))
		return -1;
	if (m->rtf && (delimit(m, boundary, "", e) < 0 || write_rtf(m, e) < 0))
		return -1;
	if (write_attachments(m, false, boundary, e) < 0)
		return -1;
	return delimit(m, boundary, "--", e);
}

/* ---- mail that is signed or encrypted ---- */

static bool is_class(const struct whole *m, const char *class)
{
	return !ascii_compare(m->item->class.data, class);
}

static int peek(void *ctx, const char *bytes, size_t n, struct err *e)
{
	struct buf *head = ctx;

	(void)e;
	if (head->len < 1024)
		buf_add(head, bytes, n < 1024 ? n : 1024);
	return 0;
}

/* Outlook keeps a multipart/signed in one attachment, from its Content-Type on, as it
   came ([MS-OXOSMIME] section 2.1.3.2): so it is written, and the signature holds.
   1 if it was, 0 if it is none, -1. */
static int write_signed(struct whole *m, const struct pst_props *p,
			struct err *e)
{
	static const char field[] = "Content-Type:", mime[] = "MIME-Version:";
	const struct pst_prop *data = pst_prop(p, PR_ATTACH_DATA);
	struct buf head = BUF_INIT;
	int ret = pst_prop_each(p, data, peek, &head, e);
	bool has_mime = ascii_same_n(head.data, mime, sizeof(mime) - 1);

	if (ret < 0 || head.len < sizeof(field) ||
	    (!has_mime && !ascii_same_n(head.data, field, sizeof(field) - 1)))
		goto out;
	if (!has_mime)
		ret = pst_write(m->w, "MIME-Version: 1.0\r\n", 19, e);
	if (ret == 0)
		ret = pst_prop_each(p, data, pst_write, m->w, e);
	if (ret == 0)
		ret = 1;
out:
	buf_free(&head);
	return ret;
}

/* An encrypted message is its one attachment. */
static int write_opaque(struct whole *m, const struct pst_props *p,
			struct err *e)
{
	struct pst_base64 base64 = { .w = m->w };
	struct buf type = BUF_INIT, head = BUF_INIT;
	int ret;

	pst_header_content_type(m->item, &type);
	if (!ascii_same_n(type.data, "application/", 12))
		buf_set_str(&type, "application/pkcs7-mime; "
				   "name=\"smime.p7m\"");
	buf_add_str(&head, "MIME-Version: 1.0\r\n");
	pst_add_field(&head, "Content-Type", type.data);
	buf_add_str(&head, "Content-Transfer-Encoding: base64\r\n"
			   "Content-Disposition: attachment; "
			   "filename=\"smime.p7m\"\r\n\r\n");
	ret = pst_write_text(m->w, &head, e);
	if (ret == 0)
		ret = pst_prop_each(p, pst_prop(p, PR_ATTACH_DATA),
				    pst_base64_add, &base64, e);
	if (ret == 0)
		ret = pst_base64_end(&base64, e);
	buf_free(&type);
	buf_free(&head);
	return ret < 0 ? -1 : 1;
}

/* 1 if the body was written, 0 if it is an ordinary one, -1. */
static int write_secure(struct whole *m, struct err *e)
{
	bool is_signed = is_class(m, "IPM.Note.SMIME.MultipartSigned");
	struct pst_props p;
	int ret;

	if ((!is_signed && !is_class(m, "IPM.Note.SMIME")) || m->n != 1 ||
	    m->list[0].method != ATTACH_BY_VALUE)
		return 0;
	if (pst_props_open(m->item->st, m->list[0].place, &p, e) < 0)
		return -1;
	ret = is_signed ? write_signed(m, &p, e) : write_opaque(m, &p, e);
	pst_props_close(&p);
	return ret;
}

/* ---- the whole ---- */

/* RTF is kept beside HTML as Outlook's own copy; alone it is what was written. */
static void find_rtf(struct whole *m)
{
	const struct pst_prop *rtf =
		pst_prop(&m->item->props, PR_RTF_COMPRESSED);

	if (rtf && rtf->type == PST_BINARY && rtf->value && !m->html.prop)
		m->rtf = rtf;
}

static int write_all(struct whole *m, struct err *e)
{
	struct buf head = BUF_INIT;
	int ret;

	find_texts(m);
	if (look_at(m, &m->plain, e) < 0 || look_at(m, &m->html, e) < 0)
		return -1;
	m->eight_bit =
		(m->plain.prop && encoding_of(&m->plain.scan) == AS_8BIT) ||
		(m->html.prop && encoding_of(&m->html.scan) == AS_8BIT);
	find_attachments(m);
	count_attachments(m);
	find_rtf(m);
	if (m->w->notes & NOTE_PARTS_MISSING && !m->plain.prop &&
	    !m->html.prop && !m->rtf && !m->n && !m->w->depth)
		return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
			       "nothing of its text and attachments can be "
			       "read");
	pst_header_add(m->item, &head);
	ret = pst_write_text(m->w, &head, e);
	if (ret == 0)
		ret = write_secure(m, e);
	if (ret == 0) {
		ret = pst_write(m->w, "MIME-Version: 1.0\r\n", 19, e);
		if (ret == 0)
			ret = write_body(m, e);
	}
	buf_free(&head);
	return ret < 0 ? -1 : 0;
}

static int write_whole(struct pst_item *item, uint32_t usual,
		       struct pst_writer *w, struct err *e)
{
	struct whole m = { .item = item, .w = w, .usual = usual };
	int ret = write_all(&m, e);

	pst_scan_free(&m.plain.scan);
	pst_scan_free(&m.html.scan);
	free(m.list);
	return ret;
}

int pst_message_write(struct pst_item *item, uint32_t usual, const char *key,
		      size_t n_key, struct pst_writer *w, struct err *e)
{
	set_key(w, item, key, n_key);
	return write_whole(item, usual, w, e);
}
