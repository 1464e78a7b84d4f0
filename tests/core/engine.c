/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine against a mailbox in memory that loses answers, connections and whole
   batches on purpose, with a real ledger and real mboxes. Whatever happens, every
   message is there once in the end, and one more run sends nothing (M4). */
#include "core/engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"

/* ---- a mailbox in memory ---- */

struct mail {
	uint32_t uid;
	struct buf bytes;
	struct flags flags;
	int64_t date;
};

struct box {
	char *name;
	uint32_t uidvalidity, uidnext;
	struct mail *mails;
	size_t n;
};

struct server {
	struct box boxes[16];
	size_t n_boxes;
	unsigned appends, opens;
	/* What goes wrong, counted in batches from 1; 0: nothing. */
	unsigned lose_answer_at; /* stored, and the connection breaks */
	unsigned lose_batch_at;	 /* not stored, and the connection breaks */
	const char *refuse;	 /* messages that hold this text */
	bool no_uids;
	/* With a lost answer: the messages are seen only after so many questions,
	   as those that an old session still stores. */
	unsigned late;
	const struct box *late_box;
	size_t hidden;

	unsigned quiet_ms; /* the engine's settle_quiet_ms; 0: 1 */
};

enum { QUEUE = 64 };

struct double_target {
	struct target base;
	struct server *server;
	struct append_batch *queue[QUEUE];
	size_t queued;
	bool broken;
	const struct box *looking;
	size_t at;
	uint32_t floor;
	const uint32_t *wanted;
	size_t n_wanted;
};

static struct box *find_box(struct server *s, const char *name, bool create)
{
	for (size_t i = 0; i < s->n_boxes; i++)
		if (!strcmp(s->boxes[i].name, name))
			return &s->boxes[i];
	if (!create || s->n_boxes == 16)
		return NULL;
	s->boxes[s->n_boxes] = (struct box){
		.name = mem_strdup(name),
		.uidvalidity = 1000 + (uint32_t)s->n_boxes,
		.uidnext = 1,
	};
	return &s->boxes[s->n_boxes++];
}

static size_t hidden_in(const struct server *s, const struct box *box)
{
	return box == s->late_box ? s->hidden : 0;
}

static size_t seen(const struct server *s, const struct box *box)
{
	return box->n - hidden_in(s, box);
}

static int double_open(struct target *t, const char *const *path,
		       enum folder_use use, bool create,
		       struct target_folder *f, struct err *e)
{
	struct double_target *d = (struct double_target *)t;
	struct box *box;

	(void)use;
	(void)e;
	d->server->opens++;
	if (path) {
		buf_reset(&f->name);
		for (size_t i = 0; path[i]; i++)
			buf_addf(&f->name, "%s%s", i ? "/" : "", path[i]);
	}
	buf_set_str(&f->shown, f->name.data);
	box = find_box(d->server, f->name.data, create);
	f->exists = box != NULL;
	if (!box)
		return 0;
	f->uidvalidity = box->uidvalidity;
	f->uidnext = box->uidnext - (uint32_t)hidden_in(d->server, box);
	f->messages = seen(d->server, box);
	f->any_keyword = true;
	return 0;
}

static void double_limits(struct target *t, struct target_limits *l_r)
{
	*l_r = (struct target_limits){ .batch_messages = 4,
				       .batch_bytes = 1 << 20 };
	(void)t;
}

static void store(struct box *box, struct append_item *item)
{
	struct mail *m;
	const char *bytes;
	struct err e;

	box->mails = mem_realloc(box->mails, (box->n + 1) * sizeof(*box->mails));
	m = &box->mails[box->n++];
	*m = (struct mail){ .uid = box->uidnext++, .date = item->date };
	buf_init(&m->bytes);
	flags_init(&m->flags);
	flags_unite(&m->flags, item->flags);
	for (uint64_t at = 0; at < item->size;) {
		char scratch[4096];
		ssize_t n = spool_at(item->bytes, at, scratch, sizeof(scratch),
				     &bytes, &e);

		if (n <= 0)
			abort();
		buf_add(&m->bytes, bytes, (size_t)n);
		at += (uint64_t)n;
	}
	item->uid = m->uid;
}

static bool holds(const struct append_item *item, const char *text)
{
	const char *bytes;
	struct err e;
	char scratch[4096];
	ssize_t n = spool_at(item->bytes, 0, scratch, sizeof(scratch), &bytes,
			     &e);

	return text && n > 0 && memmem(bytes, (size_t)n, text, strlen(text));
}

static void store_batch(struct double_target *d, struct append_batch *b)
{
	struct box *box = find_box(d->server, b->folder->name.data, false);

	for (size_t i = 0; i < b->n; i++) {
		struct append_item *item = &b->items[i];

		if (holds(item, d->server->refuse)) {
			item->result = APPEND_REFUSED;
			err_set(&item->why, ERR_REFUSED, ERR_MESSAGE, ERR_NEVER,
				"NO not this one");
			continue;
		}
		store(box, item);
		item->result = APPEND_DONE;
		if (d->server->no_uids)
			item->uid = 0;
	}
	b->uidvalidity = d->server->no_uids ? 0 : box->uidvalidity;
}

static int break_connection(struct double_target *d, struct err *e)
{
	d->broken = true;
	return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NOW,
		       "the connection was lost");
}

static int double_submit(struct target *t, struct append_batch *b,
			 struct err *e)
{
	struct double_target *d = (struct double_target *)t;
	unsigned now = ++d->server->appends;

	if (d->queued == QUEUE)
		abort();
	d->queue[d->queued++] = b;
	if (now == d->server->lose_batch_at) {
		for (size_t i = 0; i < b->n; i++)
			b->items[i].result = APPEND_UNKNOWN;
		return break_connection(d, e);
	}
	store_batch(d, b);
	if (now == d->server->lose_answer_at) {
		for (size_t i = 0; i < b->n; i++)
			b->items[i].result = APPEND_UNKNOWN;
		d->server->late_box =
			find_box(d->server, b->folder->name.data, false);
		d->server->hidden = d->server->late ? b->n : 0;
		return break_connection(d, e);
	}
	return 0;
}

static int double_reap(struct target *t, bool wait, struct append_batch **b_r,
		       struct err *e)
{
	struct double_target *d = (struct double_target *)t;

	(void)wait;
	(void)e;
	if (!d->queued)
		return 0;
	*b_r = d->queue[0];
	memmove(d->queue, d->queue + 1, --d->queued * sizeof(*d->queue));
	return 1;
}

static int double_find_begin(struct target *t, const struct target_folder *f,
			     uint32_t floor, struct err *e)
{
	struct double_target *d = (struct double_target *)t;

	(void)e;
	if (d->server->hidden && --d->server->late == 0)
		d->server->hidden = 0;
	d->looking = find_box(d->server, f->name.data, false);
	d->at = 0;
	d->floor = floor;
	return 0;
}

static int double_find_next(struct target *t, struct target_mail *m,
			    struct err *e)
{
	struct double_target *d = (struct double_target *)t;
	struct header h;

	(void)e;
	while (d->at < seen(d->server, d->looking) &&
	       d->looking->mails[d->at].uid < d->floor)
		d->at++;
	if (d->at >= seen(d->server, d->looking))
		return 0;
	m->uid = d->looking->mails[d->at].uid;
	m->size = d->looking->mails[d->at].bytes.len;
	header_init(&h);
	buf_add(&h.raw, d->looking->mails[d->at].bytes.data, m->size);
	header_index(&h);
	buf_reset(&m->message_id);
	header_add_value(&h, "Message-ID", 0, &m->message_id);
	header_free(&h);
	d->at++;
	return 1;
}

static int double_fetch_begin(struct target *t, const struct target_folder *f,
			      const uint32_t *uids, size_t n, struct err *e)
{
	struct double_target *d = (struct double_target *)t;

	double_find_begin(t, f, 1, e);
	d->wanted = uids;
	d->n_wanted = n;
	return 0;
}

static int double_fetch_next(struct target *t, uint32_t *uid_r,
			     struct intake *in, struct err *e)
{
	struct double_target *d = (struct double_target *)t;

	for (; d->at < seen(d->server, d->looking); d->at++) {
		const struct mail *m = &d->looking->mails[d->at];

		for (size_t i = 0; i < d->n_wanted; i++) {
			if (d->wanted[i] != m->uid)
				continue;
			intake_reset(in);
			if (intake_add(in, m->bytes.data, m->bytes.len, e) < 0 ||
			    intake_end(in, e) < 0)
				return -1;
			*uid_r = m->uid;
			d->at++;
			return 1;
		}
	}
	return 0;
}

static uint64_t double_bytes_sent(struct target *t)
{
	(void)t;
	return 0;
}

static void double_close(struct target *t)
{
	free(t);
}

static const struct target_ops double_ops = {
	.open_folder = double_open,
	.open_folders = target_open_each,
	.limits = double_limits,
	.submit = double_submit,
	.reap = double_reap,
	.find_begin = double_find_begin,
	.find_next = double_find_next,
	.fetch_begin = double_fetch_begin,
	.fetch_next = double_fetch_next,
	.bytes_sent = double_bytes_sent,
	.close = double_close,
};

static int double_connect(void *ctx, struct target **t_r, struct err *e)
{
	struct double_target *d = mem_zalloc(sizeof(*d));

	(void)e;
	d->base.ops = &double_ops;
	d->server = ctx;
	*t_r = &d->base;
	return 0;
}

static void server_free(struct server *s)
{
	for (size_t i = 0; i < s->n_boxes; i++) {
		for (size_t k = 0; k < s->boxes[i].n; k++) {
			buf_free(&s->boxes[i].mails[k].bytes);
			flags_free(&s->boxes[i].mails[k].flags);
		}
		free(s->boxes[i].mails);
		free(s->boxes[i].name);
	}
	*s = (struct server){ .n_boxes = 0 };
}

static size_t mails(const struct server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_boxes; i++)
		n += s->boxes[i].n;
	return n;
}

/* ---- sources ---- */

static char root[] = "/tmp/mailhaul-engine-XXXXXX";

enum { PER_FOLDER = 23, FOLDERS = 3 };

static void write_mbox(const char *name, const char *extra)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/mail/%s", root, name);
	f = fopen(path, "w");
	if (!f)
		abort();
	for (int i = 0; i < PER_FOLDER; i++)
		fprintf(f,
			"From a@example.org Tue Mar  5 10:%02d:00 2024\n"
			"Message-ID: <%s.%d@example.org>\nSubject: %s %d\n"
			"From: a@example.org\n"
			"Date: Tue, 5 Mar 2024 10:%02d:00 +0000\n"
			"Status: RO\n\nText %d\n\n",
			i, name, i, name, i, i, i);
	fputs(extra, f);
	fclose(f);
}

static void make_sources(void)
{
	char path[256];

	if (!mkdtemp(root))
		abort();
	snprintf(path, sizeof(path), "%s/mail", root);
	mkdir(path, 0700);
	write_mbox("one", "");
	write_mbox("two", "");
	/* The same again (another trace header does not matter), and the same
	   Message-ID with another body. */
	write_mbox("three",
		   "From a@example.org Tue Mar  5 11:00:00 2024\n"
		   "Message-ID: <three.0@example.org>\nSubject: three 0\n"
		   "From: a@example.org\n"
		   "Date: Tue, 5 Mar 2024 10:00:00 +0000\n\nText 0\n\n"
		   "From a@example.org Tue Mar  5 11:01:00 2024\n"
		   "Message-ID: <three.1@example.org>\nSubject: three 1\n"
		   "From: a@example.org\n"
		   "Date: Tue, 5 Mar 2024 10:01:00 +0000\n\nOther text\n\n"
		   /* Even of the same size: only the bytes tell them apart. */
		   "From a@example.org Tue Mar  5 11:02:00 2024\n"
		   "Message-ID: <three.22@example.org>\nSubject: three 22\n"
		   "From: a@example.org\n"
		   "Date: Tue, 5 Mar 2024 10:22:00 +0000\n\nTexT 22\n\n");
}

enum { FOUND = FOLDERS * PER_FOLDER + 3, UNIQUE = FOUND - 1 };

static void discard_ledger(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	char path[256];

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/ledger.db%s", root, ends[i]);
		unlink(path);
	}
}

static int run(struct server *s, enum engine_mode mode,
	       struct engine_result *r, struct err *e)
{
	struct folder_map *map = folder_map_new();
	struct ledger *led = NULL;
	struct sources sources = { .n = 0 };
	char path[256];
	int ret = -1;

	err_clear(e);
	snprintf(path, sizeof(path), "mbox:%s/mail", root);
	if (source_find(path, &sources, e) < 0)
		abort();
	struct engine_options o = {
		.mode = mode,
		.command = "migrate",
		.sources = sources.list,
		.n_sources = sources.n,
		.map = map,
		.since = DATE_NONE,
		.until = DATE_NONE,
		.open_target = double_connect,
		.target_ctx = s,
		.settle_quiet_ms = s->quiet_ms ? s->quiet_ms : 1,
	};
	snprintf(path, sizeof(path), "%s/ledger.db", root);
	if (ledger_open(path, mode == ENGINE_PLAN ? LEDGER_SCRATCH : LEDGER_WRITE,
			"t@example.org", &led, e) == 0)
		ret = engine_run(&o, led, r, e);
	ledger_close(led);
	sources_free(&sources);
	folder_map_free(map);
	return ret;
}

static bool adds_up(const struct ledger_totals *t)
{
	return t->found == t->uploaded + t->already + t->duplicate + t->skipped +
				   t->failed + t->pending;
}

/* ---- tests ---- */

static void test_plain(void)
{
	struct server s = { .n_boxes = 0 };
	struct engine_result r;
	struct err e;
	unsigned appends;

	discard_ledger();
	CHECK(run(&s, ENGINE_PLAN, &r, &e) == 0);
	CHECK(r.totals.found == FOUND && r.totals.pending == UNIQUE &&
	      r.totals.duplicate == 1);
	CHECK(!s.opens && !s.appends);

	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(adds_up(&r.totals));
	CHECK(r.totals.found == FOUND && r.totals.uploaded == UNIQUE &&
	      r.totals.duplicate == 1);
	CHECK(mails(&s) == UNIQUE);
	CHECK(s.boxes[0].mails[0].flags.system == FLAG_SEEN);

	appends = s.appends;
	s.opens = 0;
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(adds_up(&r.totals));
	CHECK(r.totals.already == UNIQUE && r.totals.duplicate == 1);
	CHECK(s.appends == appends && !s.opens && !r.bytes_read);
	server_free(&s);
}

/* Break the connection at every batch, in both ways. */
static void test_lost(bool stored, bool no_uids)
{
	unsigned at, cut = 0;

	for (at = 1; at < 100; at++) {
		struct server s = { .no_uids = no_uids };
		struct engine_result r;
		struct err e;
		unsigned appends;

		discard_ledger();
		if (stored)
			s.lose_answer_at = at;
		else
			s.lose_batch_at = at;
		CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
		CHECK(adds_up(&r.totals));
		CHECK(r.totals.uploaded == UNIQUE && r.totals.duplicate == 1);
		CHECK(mails(&s) == UNIQUE);
		appends = s.appends;
		CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
		CHECK(s.appends == appends && mails(&s) == UNIQUE);
		server_free(&s);
		if (appends < at)
			break;
		cut++;
	}
	CHECK(cut >= UNIQUE / 5);
}

/* An old session still stores what it had read, after a new one has looked: seen with
   Dovecot and Cyrus, and doubled then. */
static void test_late_arrivals(void)
{
	for (unsigned late = 1; late <= 5; late++) {
		struct server s = { .lose_answer_at = 2, .late = late,
				    .quiet_ms = 2000 };
		struct engine_result r;
		struct err e;

		discard_ledger();
		CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
		CHECK(!s.hidden && mails(&s) == UNIQUE);
		CHECK(adds_up(&r.totals) && r.totals.uploaded == UNIQUE);
		server_free(&s);
	}
}

static void test_refused(void)
{
	struct server s = { .refuse = "Subject: two 7\r\n" };
	struct engine_result r;
	struct err e;

	discard_ledger();
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(adds_up(&r.totals));
	CHECK(r.totals.failed == 1 && r.totals.uploaded == UNIQUE - 1);
	CHECK(mails(&s) == UNIQUE - 1);
	/* It is tried again, alone. */
	s.appends = 0;
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(s.appends == 1 && r.totals.failed == 1 && adds_up(&r.totals));
	/* And arrives once the server takes it. */
	s.refuse = NULL;
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(r.totals.failed == 0 && r.totals.uploaded == 1);
	CHECK(mails(&s) == UNIQUE);
	server_free(&s);
}

/* The ledger is lost, or the folders were numbered anew: what is there is recognised. */
static void test_adoption(void)
{
	struct server s = { .n_boxes = 0 };
	struct engine_result r;
	struct err e;

	discard_ledger();
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	discard_ledger();
	s.appends = 0;
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(s.appends == 0 && mails(&s) == UNIQUE && adds_up(&r.totals));
	CHECK(r.totals.already == UNIQUE && r.totals.duplicate == 1);
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(s.appends == 0 && !r.bytes_read);

	/* Half of it was dragged over by hand: only the rest is sent. */
	discard_ledger();
	for (size_t i = 0; i < s.n_boxes; i++)
		while (s.boxes[i].n > PER_FOLDER / 2) {
			struct mail *m = &s.boxes[i].mails[--s.boxes[i].n];

			buf_free(&m->bytes);
			flags_free(&m->flags);
		}
	CHECK(run(&s, ENGINE_MIGRATE, &r, &e) == 0);
	CHECK(mails(&s) == UNIQUE && adds_up(&r.totals));
	CHECK(r.totals.already == FOLDERS * (PER_FOLDER / 2));
	CHECK(r.totals.uploaded == UNIQUE - r.totals.already);
	server_free(&s);
}

int main(void)
{
	char command[300];

	make_sources();
	test_plain();
	test_lost(true, false);
	test_lost(false, false);
	test_lost(true, true);
	test_lost(false, true);
	test_late_arrivals();
	test_refused();
	test_adoption();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK(system(command) == 0);
	return check_done();
}
