/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Gmail's labels mean where a message is in one folder. English names are as
   exports of 2019 to 2025 have them; Japanese ones as Gmail shows them. In other
   languages Gmail's own labels are taken for the user's, and become folders of
   their names. */
#include "importers/takeout_labels.h"

#include <stdint.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/mbox_head.h"

const char *const takeout_fields[] = { "X-GM-THRID", "X-Gmail-Labels", NULL };

/* They stand on top; what is further down came with the mail. */
enum { LEADING = 2 };

bool takeout_is_header(const char *text, size_t n)
{
	size_t len;

	/* Messages without any label have no second field. */
	return mbox_head_find(text, n, takeout_fields[0], 1, &len) ||
	       mbox_head_find(text, n, takeout_fields[1], 1, &len);
}

static const struct {
	const char *name;
	enum takeout_label kind;
	bool begins; /* any label that begins so */
} known[] = {
	{ .name = "Inbox", .kind = LABEL_INBOX },
	{ .name = "受信トレイ", .kind = LABEL_INBOX },
	{ .name = "Sent", .kind = LABEL_SENT },
	{ .name = "Sent Mail", .kind = LABEL_SENT },
	{ .name = "送信済み", .kind = LABEL_SENT },
	{ .name = "送信済みメール", .kind = LABEL_SENT },
	{ .name = "Draft", .kind = LABEL_DRAFTS },
	{ .name = "Drafts", .kind = LABEL_DRAFTS },
	{ .name = "下書き", .kind = LABEL_DRAFTS },
	{ .name = "Spam", .kind = LABEL_SPAM },
	{ .name = "迷惑メール", .kind = LABEL_SPAM },
	{ .name = "Trash", .kind = LABEL_TRASH },
	{ .name = "Bin", .kind = LABEL_TRASH },
	{ .name = "ゴミ箱", .kind = LABEL_TRASH },
	{ .name = "Starred", .kind = LABEL_STARRED },
	{ .name = "スター付き", .kind = LABEL_STARRED },
	{ .name = "Important", .kind = LABEL_IMPORTANT },
	{ .name = "重要", .kind = LABEL_IMPORTANT },
	{ .name = "Unread", .kind = LABEL_UNREAD },
	{ .name = "未読", .kind = LABEL_UNREAD },
	{ .name = "Opened", .kind = LABEL_PLAIN },
	{ .name = "開封済み", .kind = LABEL_PLAIN },
	{ .name = "既読", .kind = LABEL_PLAIN },
	{ .name = "Archived", .kind = LABEL_PLAIN },
	{ .name = "アーカイブ", .kind = LABEL_PLAIN },
	{ .name = "アーカイブ済み", .kind = LABEL_PLAIN },
	{ .name = "All Mail", .kind = LABEL_PLAIN },
	{ .name = "すべてのメール", .kind = LABEL_PLAIN },
	{ .name = "Category ", .kind = LABEL_LOST, .begins = true },
	{ .name = "カテゴリ", .kind = LABEL_LOST, .begins = true },
	{ .name = "Muted", .kind = LABEL_LOST },
	{ .name = "ミュート", .kind = LABEL_LOST },
	{ .name = "Snoozed", .kind = LABEL_LOST },
	{ .name = "スヌーズ中", .kind = LABEL_LOST },
	{ .name = "IMAP_", .kind = LABEL_KEYWORD, .begins = true },
};

enum takeout_label takeout_label_kind(const char *label)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].name);

		if (known[i].begins
			    ? !strncmp(label, known[i].name, n) && label[n]
			    : !ascii_compare(label, known[i].name))
			return known[i].kind;
	}
	return LABEL_USER;
}

void takeout_labels_free(struct takeout_labels *l)
{
	buf_free(&l->text);
}

static void add_label(struct takeout_labels *l, const char *s, size_t n)
{
	while (n && *s == ' ')
		s++, n--;
	while (n && s[n - 1] == ' ')
		n--;
	if (!n)
		return;
	utf8_add_nfc(&l->text, s, n);
	buf_add_char(&l->text, '\0');
}

/* One field of CSV: quoted only if it begins with a quote, which is doubled to
   stand for itself. Returns what is behind its comma. */
static const char *read_field(struct takeout_labels *l, const char *s,
			      const char *end)
{
	struct buf field = BUF_INIT;
	bool quoted = s < end && *s == '"';

	s += quoted;
	for (; s < end && (quoted || *s != ','); s++) {
		if (quoted && *s == '"') {
			if (s + 1 == end || s[1] != '"') {
				quoted = false;
				continue;
			}
			s++;
		}
		buf_add_char(&field, *s);
	}
	add_label(l, field.data, field.len);
	buf_free(&field);
	return s < end ? s + 1 : end;
}

void takeout_labels_read(struct takeout_labels *l, const char *text, size_t n)
{
	struct buf decoded = BUF_INIT;
	const char *value, *s, *end;
	size_t len;

	buf_reset(&l->text);
	value = mbox_head_find(text, n, takeout_fields[1], LEADING, &len);
	if (!value || !takeout_is_header(text, n))
		return;
	utf8_add_header(&decoded, value, len);
	end = decoded.data + decoded.len;
	for (s = decoded.data; s < end;)
		s = read_field(l, s, end);
	buf_free(&decoded);
}

const char *takeout_next_label(const struct takeout_labels *l,
			       const char *label)
{
	label = label ? label + strlen(label) + 1 : l->text.data;
	return label < l->text.data + l->text.len ? label : NULL;
}

/* The label without empty parts, as a folder; nothing if it has too many parts or
   is too long for one. Returns how many parts there are. */
static size_t add_path(struct buf *out, const char *label)
{
	size_t parts = 0, before = out->len, n;

	for (; *label; label += n) {
		label += strspn(label, "/");
		n = strcspn(label, "/");
		if (!n)
			break;
		if (parts++)
			buf_add_char(out, '/');
		buf_add(out, label, n);
	}
	if (parts <= TAKEOUT_PARTS_MAX && out->len - before < TAKEOUT_LABEL_MAX)
		return parts;
	buf_cut(out, before);
	return 0;
}

static const char *deepest_label(const struct takeout_labels *l)
{
	const char *deepest = NULL;
	size_t most = 0;

	for (const char *label = NULL;
	     (label = takeout_next_label(l, label));) {
		struct buf path = BUF_INIT;
		size_t parts = 0;

		if (takeout_label_kind(label) == LABEL_USER)
			parts = add_path(&path, label);
		if (parts > most) {
			most = parts;
			deepest = label;
		}
		buf_free(&path);
	}
	return deepest;
}

static bool has(const struct takeout_labels *l, enum takeout_label kind)
{
	for (const char *label = NULL; (label = takeout_next_label(l, label));)
		if (takeout_label_kind(label) == kind)
			return true;
	return false;
}

static const struct {
	enum takeout_label kind;
	const char *folder;
	bool whatever; /* what is thrown away must not come back */
} places[] = {
	{ .kind = LABEL_TRASH, .folder = "Trash", .whatever = true },
	{ .kind = LABEL_SPAM, .folder = "Spam", .whatever = true },
	{ .kind = LABEL_SENT, .folder = "Sent" },
	{ .kind = LABEL_DRAFTS, .folder = "Drafts" },
	{ .kind = LABEL_INBOX, .folder = "Inbox" },
};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

void takeout_folder_of(const struct takeout_labels *l, struct buf *out)
{
	const char *label = deepest_label(l);

	buf_reset(out);
	for (size_t i = 0; i < PLACES; i++)
		if ((places[i].whatever || !label) && has(l, places[i].kind)) {
			buf_add_str(out, places[i].folder);
			return;
		}
	if (label)
		add_path(out, label);
	else
		buf_add_str(out, "Archive");
}

enum folder_use takeout_folder_use(const char *folder)
{
	return strchr(folder, '/') ? USE_NONE : folder_use_by_name(folder);
}

/* A label beside the folder: a keyword, if it can be one. */
static bool add_keyword(const char *label, enum takeout_label kind,
			const char *folder, struct flags *f)
{
	struct buf path = BUF_INIT;
	bool kept;

	if (kind == LABEL_KEYWORD)
		label += strlen("IMAP_");
	else
		add_path(&path, label);
	kept = !strcmp(path.data, folder) ||
	       flags_add_keyword(f, label, strlen(label)) == 0;
	buf_free(&path);
	return kept;
}

static bool is_elsewhere(enum takeout_label kind, const char *folder)
{
	for (size_t i = 0; i < PLACES; i++)
		if (places[i].kind == kind)
			return strcmp(places[i].folder, folder) != 0;
	return false;
}

/* Whether the label is kept: as the folder, a flag or a keyword. */
static bool apply_label(const char *label, enum takeout_label kind,
			const char *folder, struct flags *f)
{
	switch (kind) {
	case LABEL_UNREAD:
		f->system &= ~(unsigned)FLAG_SEEN;
		return true;
	case LABEL_STARRED:
		f->system |= FLAG_FLAGGED;
		return true;
	case LABEL_DRAFTS:
		f->system |= FLAG_DRAFT;
		return true;
	case LABEL_IMPORTANT: /* RFC 8457 */
		return flags_add_keyword(f, "$Important", 10) == 0;
	case LABEL_USER:
	case LABEL_KEYWORD:
		return add_keyword(label, kind, folder, f);
	case LABEL_LOST:
		return false;
	default:
		return !is_elsewhere(kind, folder);
	}
}

void takeout_flags(const struct takeout_labels *l, const char *folder,
		   struct flags *f,
		   void (*lost)(void *ctx, const char *label,
				enum takeout_label kind),
		   void *ctx)
{
	f->system |= FLAG_SEEN;
	for (const char *label = NULL;
	     (label = takeout_next_label(l, label));) {
		enum takeout_label kind = takeout_label_kind(label);

		if (!apply_label(label, kind, folder, f) && lost)
			lost(ctx, label, kind);
	}
}
