/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The index of a Takeout mbox. */
#include "importers/takeout.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"

enum { LOST_MAX = 300 };

static const char archive[] = "Archive";

struct takeout_folder {
	char *name;
	const char **path; /* one block with its parts */
	uint32_t serial;   /* as they were met */
	uint64_t bytes;
	size_t first, n; /* of the messages */
};

struct takeout_message {
	uint64_t offset, length;
	uint32_t folder; /* its serial */
};

/* A label that some messages lost. */
struct lost {
	char *label;
	enum takeout_label kind;
	size_t n;
};

struct takeout {
	struct takeout_folder *folders; /* sorted by name */
	size_t n, cap;
	struct takeout_message *messages; /* by folder, then by offset */
	size_t n_messages, cap_messages;
	bool has_messages;

	/* While it is read: */
	struct lost *lost;
	size_t n_lost, n_homeless, lost_more;
};

static void free_lost(struct takeout *t)
{
	for (size_t i = 0; i < t->n_lost; i++)
		free(t->lost[i].label);
	free(t->lost);
	t->lost = NULL;
	t->n_lost = 0;
}

void takeout_free(struct takeout *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->folders[i].name);
		free(t->folders[i].path);
	}
	free(t->folders);
	free(t->messages);
	free_lost(t);
	free(t);
}

static const char **parts_of(const char *name)
{
	size_t n = 2, len = strlen(name) + 1;
	const char **path;
	char *part;

	for (const char *s = name; *s; s++)
		n += *s == '/';
	path = mem_alloc(n * sizeof(*path) + len);
	part = memcpy(path + n, name, len);
	for (size_t i = 0; i + 1 < n; i++) {
		path[i] = part;
		part += strcspn(part, "/");
		*part++ = '\0';
	}
	path[n - 1] = NULL;
	return path;
}

/* Where a folder of this name is, or would be. */
static size_t place_of(const struct takeout *t, const char *name, bool *there_r)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(t->folders[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*there_r = low < t->n && !strcmp(t->folders[low].name, name);
	return low;
}

static struct takeout_folder *get_folder(struct takeout *t, const char *name)
{
	bool there;
	size_t at = place_of(t, name, &there);

	if (there)
		return &t->folders[at];
	/* The last place is for those that find none. */
	if (t->n >= TAKEOUT_FOLDERS_MAX - 1 && strcmp(name, archive) != 0)
		return NULL;
	if (t->n == t->cap) {
		t->cap += t->cap / 2 + 16;
		t->folders =
			mem_realloc(t->folders, t->cap * sizeof(*t->folders));
	}
	memmove(t->folders + at + 1, t->folders + at,
		(t->n - at) * sizeof(*t->folders));
	t->folders[at] = (struct takeout_folder){
		.name = mem_strdup(name),
		.path = parts_of(name),
		.serial = (uint32_t)t->n++,
	};
	return &t->folders[at];
}

static void add_message(struct takeout *t, uint64_t offset, uint64_t length,
			struct takeout_folder *f)
{
	if (t->n_messages == t->cap_messages) {
		t->cap_messages += t->cap_messages / 2 + 256;
		t->messages =
			mem_realloc(t->messages,
				    t->cap_messages * sizeof(*t->messages));
	}
	t->messages[t->n_messages++] = (struct takeout_message){
		.offset = offset,
		.length = length,
		.folder = f->serial,
	};
	f->n++;
	f->bytes += length;
}

static void note_lost(void *ctx, const char *label, enum takeout_label kind)
{
	struct takeout *t = ctx;

	for (size_t i = 0; i < t->n_lost; i++)
		if (!strcmp(t->lost[i].label, label)) {
			t->lost[i].n++;
			return;
		}
	if (t->n_lost == LOST_MAX) {
		t->lost_more++;
		return;
	}
	t->lost = mem_realloc(t->lost, (t->n_lost + 1) * sizeof(*t->lost));
	t->lost[t->n_lost++] = (struct lost){
		.label = mem_strndup(label, strnlen(label, 300)),
		.kind = kind,
		.n = 1,
	};
}

static int by_label(const void *a, const void *b)
{
	return strcmp(((const struct lost *)a)->label,
		      ((const struct lost *)b)->label);
}

static const char *why_lost(enum takeout_label kind)
{
	switch (kind) {
	case LABEL_LOST:
		return "there is nothing like it in IMAP";
	case LABEL_USER:
	case LABEL_KEYWORD:
		return "they are in the folder of another label, and it cannot "
		       "be a keyword";
	default:
		return "they are in the folder of another label";
	}
}

static void remark_on_lost(struct takeout *t, const char *file,
			   struct remarks *remarks)
{
	if (t->n_lost)
		qsort(t->lost, t->n_lost, sizeof(*t->lost), by_label);
	for (size_t i = 0; i < t->n_lost; i++)
		remark_add(remarks,
			   "%s: label \"%s\" of %zu messages is not kept: %s",
			   file, t->lost[i].label, t->lost[i].n,
			   why_lost(t->lost[i].kind));
	if (t->lost_more)
		remark_add(remarks,
			   "%s: more labels, on %zu messages, are not kept",
			   file, t->lost_more);
	if (t->n_homeless)
		remark_add(remarks,
			   "%s: %zu messages are in Archive, as there are more "
			   "than %d labels",
			   file, t->n_homeless, TAKEOUT_FOLDERS_MAX);
}

/* The message that r stands at. */
static struct takeout_folder *choose(struct takeout *t, struct mbox_reader *r,
				     struct takeout_labels *labels,
				     struct buf *name)
{
	struct takeout_folder *folder;
	struct flags ignored = FLAGS_INIT;
	const char *text;
	size_t n;

	text = mbox_reader_peek(r, &n);
	takeout_labels_read(labels, text, n);
	takeout_folder_of(labels, name);
	folder = get_folder(t, name->data);
	if (!folder) {
		t->n_homeless++;
		folder = get_folder(t, archive);
	}
	takeout_flags(labels, name->data, &ignored, note_lost, t);
	flags_free(&ignored);
	return folder;
}

static int by_folder(const void *one, const void *other)
{
	const struct takeout_message *a = one, *b = other;

	if (a->folder != b->folder)
		return a->folder < b->folder ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void sort_messages(struct takeout *t)
{
	size_t *first = mem_alloc((t->n + 1) * sizeof(*first));

	if (t->n_messages)
		qsort(t->messages, t->n_messages, sizeof(*t->messages),
		      by_folder);
	for (size_t i = t->n_messages; i--;)
		first[t->messages[i].folder] = i;
	for (size_t i = 0; i < t->n; i++)
		t->folders[i].first = first[t->folders[i].serial];
	free(first);
	t->has_messages = true;
}

int takeout_read(struct mbox_reader *r, const char *file_name,
		 struct takeout **t_r, struct remarks *remarks, struct err *e)
{
	struct takeout_labels labels = TAKEOUT_LABELS_INIT;
	struct takeout *t = mem_zalloc(sizeof(*t));
	struct buf name = BUF_INIT;
	uint64_t offset, length = 0;
	int got;

	while ((got = mbox_reader_next(r, &offset, e)) > 0) {
		struct takeout_folder *f = choose(t, r, &labels, &name);

		got = mbox_reader_skip(r, &length, e);
		if (got < 0 && e->scope > ERR_MESSAGE)
			break;
		add_message(t, offset, length, f);
	}
	if (got == 0) {
		remark_on_lost(t, file_name, remarks);
		free_lost(t);
		sort_messages(t);
		*t_r = t;
		t = NULL;
	}
	takeout_free(t);
	takeout_labels_free(&labels);
	buf_free(&name);
	return got;
}

const char *takeout_folder(const struct takeout *t, size_t nth)
{
	return nth < t->n ? t->folders[nth].name : NULL;
}

const char *const *takeout_path(const struct takeout *t, size_t nth)
{
	return t->folders[nth].path;
}

uint64_t takeout_bytes(const struct takeout *t, size_t nth)
{
	return t->folders[nth].bytes;
}

bool takeout_has_messages(const struct takeout *t)
{
	return t->has_messages;
}

size_t takeout_find(const struct takeout *t, const char *folder)
{
	bool there;
	size_t at = place_of(t, folder, &there);

	return there ? at : SIZE_MAX;
}

bool takeout_next(const struct takeout *t, size_t nth, size_t *at,
		  uint64_t *offset_r, uint64_t *length_r)
{
	const struct takeout_folder *f = &t->folders[nth];
	const struct takeout_message *m;

	if (*at == f->n)
		return false;
	m = &t->messages[f->first + (*at)++];
	*offset_r = m->offset;
	*length_r = m->length;
	return true;
}

/* What the ledger knows. */

static const char marker[] = " takeout ";

void takeout_add_id(struct buf *out, const char *file_id, const char *folder)
{
	buf_addf(out, "%s\t%s", file_id, folder);
}

void takeout_add_fingerprint(const struct takeout *t, size_t nth,
			     struct buf *out)
{
	buf_addf(out, "%s%zu %llu.", marker, t->n,
		 (unsigned long long)t->folders[nth].bytes);
}

static bool read_number(const char **s, char behind, uint64_t *n_r)
{
	uint64_t n = 0;

	if (!ascii_is_digit(**s))
		return false;
	for (; ascii_is_digit(**s); ++*s) {
		if (n > UINT64_MAX / 16)
			return false;
		n = n * 10 + (uint64_t)(**s - '0');
	}
	*n_r = n;
	return *(*s)++ == behind;
}

/* Of how many folders this is one, when the file was the same then; 0. */
static uint64_t of_how_many(const char *text, const char *fingerprint,
			    uint64_t *bytes_r)
{
	size_t n = strlen(fingerprint);
	uint64_t folders;

	if (strncmp(text, fingerprint, n) != 0 ||
	    strncmp(text + n, marker, sizeof(marker) - 1) != 0)
		return 0;
	text += n + sizeof(marker) - 1;
	return read_number(&text, ' ', &folders) &&
			       read_number(&text, '.', bytes_r)
		       ? folders
		       : 0;
}

struct takeout *takeout_known(const struct importer_options *opt,
			      const char *file_id, const char *fingerprint)
{
	struct buf prefix = BUF_INIT, id = BUF_INIT, print = BUF_INIT;
	struct buf after = BUF_INIT;
	struct takeout *t = mem_zalloc(sizeof(*t));
	uint64_t want = 0, bytes = 0;

	takeout_add_id(&prefix, file_id, "");
	buf_add(&after, prefix.data, prefix.len);
	while (opt->next_known &&
	       opt->next_known(opt->known_ctx, after.data, &id, &print)) {
		struct takeout_folder *f;
		uint64_t n;

		if (strncmp(id.data, prefix.data, prefix.len) != 0 ||
		    strcmp(id.data, after.data) <= 0)
			break;
		n = of_how_many(print.data, fingerprint, &bytes);
		if (n) { /* others are left from an earlier export */
			want = n;
			f = get_folder(t, id.data + prefix.len);
			if (f)
				f->bytes = bytes;
		}
		buf_set_str(&after, id.data);
	}
	if (!want || t->n != want) {
		takeout_free(t);
		t = NULL;
	}
	buf_free(&prefix);
	buf_free(&after);
	buf_free(&id);
	buf_free(&print);
	return t;
}
