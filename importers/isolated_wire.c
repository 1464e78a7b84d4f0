/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames between an isolated importer and its child: made here, and checked. */
#include "importers/isolated_wire.h"

#include <string.h>

#include "core/base/utf8.h"

/* Dates and what is known of them, in the order they travel. */
enum { DATES = 7 };

void wire_folder_init(struct wire_folder *wf)
{
	*wf = (struct wire_folder){ .text = BUF_INIT };
}

void wire_folder_free(struct wire_folder *wf)
{
	buf_free(&wf->text);
}

/* ---- writing ---- */

static void add_u32(struct buf *out, uint32_t n)
{
	char bytes[4];

	for (int i = 0; i < 4; i++)
		bytes[i] = (char)(n >> (8 * i));
	buf_add(out, bytes, sizeof(bytes));
}

void wire_add_number(struct buf *out, uint64_t n)
{
	add_u32(out, (uint32_t)n);
	add_u32(out, (uint32_t)(n >> 32));
}

void wire_add_text(struct buf *out, const char *text, size_t n)
{
	add_u32(out, (uint32_t)n);
	buf_add(out, text, n);
}

/* No longer than the other side takes: a longer one is cut. */
static void add_str(struct buf *out, const char *text, size_t most)
{
	wire_add_text(out, text ? text : "", text ? strnlen(text, most) : 0);
}

void wire_add_folder(struct buf *out, const struct folder *f)
{
	uint32_t parts = 0;

	while (f->path[parts] && parts < WIRE_DEPTH_MAX)
		parts++;
	add_u32(out, parts);
	for (uint32_t i = 0; i < parts; i++)
		add_str(out, f->path[i], WIRE_NAME_MAX);
	add_str(out, f->id, WIRE_NAME_MAX);
	add_str(out, f->file, WIRE_NAME_MAX);
	add_str(out, f->account, WIRE_NAME_MAX);
	add_str(out, f->fingerprint, WIRE_FINGERPRINT_MAX);
	add_u32(out, f->use);
	add_u32(out, f->hidden);
	add_u32(out, f->locators_stand_alone);
	wire_add_number(out, f->bytes);
}

static int64_t *date_of(struct date_evidence *when, int i)
{
	int64_t *const dates[DATES] = {
		&when->delivered, &when->received, &when->delivery,
		&when->resent,	  &when->date,	   &when->downloaded,
		&when->file,
	};

	return dates[i];
}

void wire_add_message(struct buf *out, const struct message *m)
{
	struct date_evidence when = m->when;
	struct buf flags = BUF_INIT;

	flags_add_text(&flags, &m->flags);
	add_str(out, m->locator.data, WIRE_LOCATOR_MAX);
	wire_add_number(out, m->offset);
	wire_add_number(out, m->length);
	add_str(out, flags.data, WIRE_FLAGS_MAX);
	add_u32(out, m->skip);
	add_u32(out, m->notes);
	for (int i = 0; i < DATES; i++)
		wire_add_number(out, (uint64_t)*date_of(&when, i));
	add_u32(out, when.sent_folder);
	buf_free(&flags);
}

void wire_add_error(struct buf *out, const struct err *e)
{
	add_u32(out, e->kind);
	add_u32(out, e->scope);
	add_u32(out, e->retry);
	add_u32(out, e->wait_ms);
	add_str(out, e->text, sizeof(e->text) - 1);
}

/* ---- reading ---- */

struct reader {
	const char *at;
	size_t left;
	bool bad;
};

static const char *take(struct reader *r, size_t n)
{
	const char *at = r->at;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	r->left -= n;
	return at;
}

static uint32_t get_u32(struct reader *r)
{
	const char *p = take(r, 4);
	uint32_t n = 0;

	for (int i = 0; p && i < 4; i++)
		n |= (uint32_t)(unsigned char)p[i] << (8 * i);
	return n;
}

static uint64_t get_u64(struct reader *r)
{
	uint64_t low = get_u32(r);

	return low | (uint64_t)get_u32(r) << 32;
}

/* One of a list that begins at 0. */
static uint32_t get_one_of(struct reader *r, uint32_t last)
{
	uint32_t n = get_u32(r);

	if (n <= last)
		return n;
	r->bad = true;
	return 0;
}

static void get_bytes(struct reader *r, size_t most, const char **bytes_r,
		      size_t *n_r)
{
	size_t n = get_u32(r);

	if (n > most)
		r->bad = true;
	*bytes_r = take(r, r->bad ? 0 : n);
	*n_r = *bytes_r ? n : 0;
	if (*n_r && memchr(*bytes_r, '\0', *n_r))
		r->bad = true;
}

/* Append a text and its NUL. */
static void get_raw(struct reader *r, size_t most, struct buf *out)
{
	const char *bytes;
	size_t n;

	get_bytes(r, most, &bytes, &n);
	if (n)
		buf_add(out, bytes, n);
	buf_add_char(out, '\0');
}

/* The same for people: other bytes are guessed, control characters become '?'. */
static void get_shown(struct reader *r, size_t most, struct buf *out)
{
	size_t begin = out->len;
	const char *bytes;
	size_t n;

	get_bytes(r, most, &bytes, &n);
	if (n)
		utf8_add_guessed(out, bytes, n);
	for (size_t i = begin; i < out->len; i++)
		if ((unsigned char)out->data[i] < ' ' || out->data[i] == 0x7F)
			out->data[i] = '?';
	buf_add_char(out, '\0');
}

static bool ended(const struct reader *r)
{
	return !r->bad && !r->left;
}

bool wire_get_number(const char *bytes, size_t n, uint64_t *number_r)
{
	struct reader r = { bytes, n, false };

	*number_r = get_u64(&r);
	return ended(&r);
}

bool wire_get_text(const char *bytes, size_t n, struct buf *text)
{
	struct reader r = { bytes, n, false };

	buf_reset(text);
	get_shown(&r, WIRE_REMARK_MAX, text);
	return ended(&r);
}

bool wire_get_go_to(const char *bytes, size_t n, struct buf *id,
		    struct buf *locator)
{
	struct reader r = { bytes, n, false };

	buf_reset(id);
	buf_reset(locator);
	get_raw(&r, WIRE_NAME_MAX, id);
	get_raw(&r, WIRE_LOCATOR_MAX, locator);
	return ended(&r);
}

enum { FOLDER_TEXTS = 4 };

bool wire_get_folder(const char *bytes, size_t n, struct wire_folder *wf)
{
	struct reader r = { bytes, n, false };
	size_t at[WIRE_DEPTH_MAX + FOLDER_TEXTS] = { 0 };
	const char *text;
	uint32_t parts;

	buf_reset(&wf->text);
	parts = get_one_of(&r, WIRE_DEPTH_MAX);
	for (uint32_t i = 0; i < parts; i++) {
		at[i] = wf->text.len;
		get_shown(&r, WIRE_NAME_MAX, &wf->text);
		if (!wf->text.data[at[i]])
			r.bad = true;
	}
	at[parts] = wf->text.len;
	get_raw(&r, WIRE_NAME_MAX, &wf->text); /* id */
	at[parts + 1] = wf->text.len;
	get_shown(&r, WIRE_NAME_MAX, &wf->text); /* file */
	at[parts + 2] = wf->text.len;
	get_shown(&r, WIRE_NAME_MAX, &wf->text); /* account */
	at[parts + 3] = wf->text.len;
	get_raw(&r, WIRE_FINGERPRINT_MAX, &wf->text);
	text = wf->text.data;
	for (uint32_t i = 0; i < parts; i++)
		wf->path[i] = text + at[i];
	wf->path[parts] = NULL;
	wf->f = (struct folder){
		.path = wf->path,
		.id = text + at[parts],
		.file = text + at[parts + 1],
		.account = text + at[parts + 2],
		.fingerprint = text + at[parts + 3],
	};
	wf->f.use = (enum folder_use)get_one_of(&r, USE_QUEUE);
	wf->f.hidden = get_one_of(&r, 1);
	wf->f.locators_stand_alone = get_one_of(&r, 1);
	wf->f.bytes = get_u64(&r);
	return ended(&r) && parts && wf->f.id[0] && wf->f.fingerprint[0];
}

enum {
	NOTES_KNOWN = NOTE_PARTIAL | NOTE_HIDDEN | NOTE_QUEUED |
		      NOTE_DOUBTFUL_SPLIT | NOTE_REBUILT | NOTE_PARTS_MISSING
};

bool wire_get_message(const char *bytes, size_t n, struct message *m)
{
	struct reader r = { bytes, n, false };
	const char *flags, *locator;
	size_t n_flags, n_locator;

	get_bytes(&r, WIRE_LOCATOR_MAX, &locator, &n_locator);
	buf_reset(&m->locator);
	if (n_locator)
		buf_add(&m->locator, locator, n_locator);
	m->offset = get_u64(&r);
	m->length = get_u64(&r);
	get_bytes(&r, WIRE_FLAGS_MAX, &flags, &n_flags);
	flags_reset(&m->flags);
	if (n_flags && !r.bad)
		flags_parse(&m->flags, flags, n_flags);
	m->skip = (enum message_skip)get_one_of(&r, SKIP_NOT_MAIL);
	m->notes = get_u32(&r) & NOTES_KNOWN;
	for (int i = 0; i < DATES; i++)
		*date_of(&m->when, i) = (int64_t)get_u64(&r);
	m->when.sent_folder = get_one_of(&r, 1);
	return ended(&r) && m->locator.len;
}

bool wire_get_error(const char *bytes, size_t n, struct err *e)
{
	struct reader r = { bytes, n, false };
	struct buf text = BUF_INIT;
	uint32_t kind = get_u32(&r), scope = get_one_of(&r, ERR_ACCOUNT);
	uint32_t retry = get_one_of(&r, ERR_NOW);

	(void)get_u32(&r);
	get_shown(&r, sizeof(e->text), &text);
	/* Other kinds would give a file a say in the exit status. */
	err_set(e, kind == ERR_OTHER ? ERR_OTHER : ERR_SOURCE,
		(enum err_scope)scope, (enum err_retry)retry, "%s", text.data);
	buf_free(&text);
	return ended(&r);
}
