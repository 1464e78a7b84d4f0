/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The target of scan and --dry-run: takes everything, tells no UIDs, has
 * nothing. */
#include "core/base/utf8.h"
#include "storage/target.h"

#include <stdlib.h>
#include <string.h>

enum { DRY_BATCH_MESSAGES = 100, DRY_BATCH_BYTES = 8 << 20 };

struct dry {
	struct target base;
	struct append_batch **open; /* submitted and not reaped, oldest first */
	size_t n, cap;
};

/* As a server with the separator '/' would spell it. */
static void name_folder(struct target_folder *f, const char *const *path)
{
	buf_reset(&f->shown);
	if (!path) {
		if (utf8_from_mutf7(&f->shown, f->name.data, f->name.len) < 0)
			buf_add(&f->shown, f->name.data, f->name.len);
		return;
	}
	buf_reset(&f->name);
	for (size_t i = 0; path[i]; i++) {
		if (i) {
			buf_add_char(&f->name, '/');
			buf_add_char(&f->shown, '/');
		}
		utf8_to_mutf7(&f->name, path[i], strlen(path[i]));
		buf_add_str(&f->shown, path[i]);
	}
}

static int dry_open_folder(struct target *t, const char *const *path,
			   enum folder_use use, bool create,
			   struct target_folder *f, struct err *e)
{
	static const char *const inbox[] = { "INBOX", NULL };

	(void)t;
	(void)e;
	if (path && use == USE_INBOX)
		path = inbox;
	name_folder(f, path);
	/* Nothing was created; but one that was asked for is there from now on,
	   so that the caller goes the same way as with a server. */
	f->exists = create;
	f->created = false;
	f->uidvalidity = 0;
	f->uidnext = 0;
	f->messages = 0;
	f->any_keyword = true;
	flags_reset(&f->permanent);
	return 0;
}

static void dry_limits(struct target *t, struct target_limits *l_r)
{
	(void)t;
	*l_r = (struct target_limits){ .batch_messages = DRY_BATCH_MESSAGES,
				       .batch_bytes = DRY_BATCH_BYTES };
}

static int dry_submit(struct target *t, struct append_batch *b, struct err *e)
{
	struct dry *dry = (struct dry *)t;

	(void)e;
	for (size_t i = 0; i < b->n; i++) {
		b->items[i].result = APPEND_DONE;
		b->items[i].uid = 0;
	}
	b->uidvalidity = 0;
	if (dry->n == dry->cap) {
		dry->cap = dry->cap ? dry->cap * 2 : 8;
		dry->open =
			mem_realloc(dry->open, dry->cap * sizeof(*dry->open));
	}
	dry->open[dry->n++] = b;
	return 0;
}

static int dry_reap(struct target *t, bool wait, struct append_batch **b_r,
		    struct err *e)
{
	struct dry *dry = (struct dry *)t;

	(void)wait;
	(void)e;
	if (!dry->n)
		return 0;
	*b_r = dry->open[0];
	dry->n--;
	memmove(dry->open, dry->open + 1, dry->n * sizeof(*dry->open));
	return 1;
}

static int dry_find_begin(struct target *t, const struct target_folder *f,
			  uint32_t floor, struct err *e)
{
	(void)t;
	(void)f;
	(void)floor;
	(void)e;
	return 0;
}

static int dry_find_next(struct target *t, struct target_mail *m, struct err *e)
{
	(void)t;
	(void)m;
	(void)e;
	return 0;
}

static int dry_fetch_begin(struct target *t, const struct target_folder *f,
			   const uint32_t *uids, size_t n, struct err *e)
{
	(void)t;
	(void)f;
	(void)uids;
	(void)n;
	(void)e;
	return 0;
}

static int dry_fetch_next(struct target *t, uint32_t *uid_r, struct intake *in,
			  struct err *e)
{
	(void)t;
	(void)uid_r;
	(void)in;
	(void)e;
	return 0;
}

static uint64_t dry_bytes_sent(struct target *t)
{
	(void)t;
	return 0;
}

static void dry_close(struct target *t)
{
	struct dry *dry = (struct dry *)t;

	free(dry->open);
	free(dry);
}

static const struct target_ops dry_ops = {
	.open_folder = dry_open_folder,
	.limits = dry_limits,
	.submit = dry_submit,
	.reap = dry_reap,
	.find_begin = dry_find_begin,
	.find_next = dry_find_next,
	.fetch_begin = dry_fetch_begin,
	.fetch_next = dry_fetch_next,
	.bytes_sent = dry_bytes_sent,
	.close = dry_close,
};

struct target *target_dry_new(void)
{
	struct dry *dry = mem_zalloc(sizeof(*dry));

	dry->base.ops = &dry_ops;
	return &dry->base;
}
