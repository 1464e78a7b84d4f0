/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parent of an isolated importer: asks, watches, and judges what its children
   died of. */
#include "importers/isolated.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "importers/isolated_child.h"
#include "importers/isolated_nursery.h"
#include "importers/isolated_wire.h"
#include "importers/remarks.h"

const struct isolated_limits isolated_usual = {
	.memory = UINT64_C(1) << 30,
	.open_seconds = 1200,
	.silent_seconds = 120,
	.cpu_seconds = 120,
	.children = 100,
	.message_bytes = UINT64_C(4) << 30,
	.items = UINT64_C(1) << 32,
};

/* What buf.h ends a process with that has no memory left. */
enum { STATUS_OUT_OF_MEMORY = 75 };

struct isolated {
	struct importer base;
	const struct importer_ops *inner;
	struct isolated_limits limits;
	struct importer_options opt;
	char *path;
	struct buf name; /* the path, for people */

	struct nursery nursery;
	bool has_child;
	struct wire wire;
	unsigned children; /* so far */
	uint64_t items;	   /* so far */
	bool over;	   /* nothing more is read of this source */

	/* Where a new child goes on: behind this folder or in it, and there behind
	   this message or at it. */
	struct wire_folder folder;
	bool has_folder, in_folder;
	struct buf locator;

	int64_t until;	      /* when the answer must be complete */
	struct wire_frame in; /* the last answer */
	struct buf out, text;
};

/* A child may say so many times over that it is busy, or dribble. */
enum { PATIENCE = 10 };

static struct isolated *self(struct importer *imp)
{
	return (struct isolated *)imp;
}

/* ---- children ---- */

static void run_child(void *ctx, int fd)
{
	struct isolated *iso = ctx;

	isolated_child(iso->inner, iso->path, &iso->opt, &iso->limits, fd);
}

/* What the child came to; false when that is not known, and not its fault. */
static bool bury(struct isolated *iso, int *status_r)
{
	*status_r = 0;
	if (!iso->has_child)
		return true;
	iso->has_child = false;
	wire_close(&iso->wire);
	iso->in = (struct wire_frame){ .kind = 0 };
	if (nursery_bury(&iso->nursery, status_r) == 0)
		return true;
	nursery_close(&iso->nursery);
	return false;
}

static int make_child(struct isolated *iso, struct err *e)
{
	struct timeval patience = { .tv_sec = iso->limits.silent_seconds };
	int fd;

	iso->children++;
	if (!iso->nursery.pid &&
	    nursery_open(&iso->nursery, run_child, iso, e) < 0)
		return err_in(e, "%s", iso->name.data);
	fd = nursery_make(&iso->nursery);
	if (fd < 0) {
		err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_LATER,
			"%s: a process to read it: %s", iso->name.data,
			strerror(errno));
		nursery_close(&iso->nursery);
		return -1;
	}
	/* One that hears nothing must not block us either. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	wire_open(&iso->wire, fd);
	iso->has_child = true;
	return 0;
}

static const char *signal_name(int sig)
{
	static const struct {
		int sig;
		const char *name;
	} rows[] = {
		{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },
		{ SIGABRT, "SIGABRT" }, { SIGFPE, "SIGFPE" },
		{ SIGILL, "SIGILL" },	{ SIGKILL, "SIGKILL" },
		{ SIGSYS, "SIGSYS" },	{ SIGTRAP, "SIGTRAP" },
		{ SIGTERM, "SIGTERM" }, { SIGPIPE, "SIGPIPE" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].sig == sig)
			return rows[i].name;
	return "a signal";
}

/* What a child came to, for people; failed is why_failed(). Nobody's fault: false. */
static bool judge(struct isolated *iso, int failed, struct buf *why)
{
	int status;
	bool known = bury(iso, &status);

	buf_reset(why);
	if (failed == ETIMEDOUT)
		buf_add_str(why, "its reader did not answer any more");
	else if (failed == EPROTO)
		buf_add_str(why, "its reader answered nonsense");
	else if (!known)
		buf_add_str(why, "its reader was ended");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		buf_add_str(why, "its reader came to no end");
	else if (WIFSIGNALED(status))
		buf_addf(why, "its reader crashed (%s)",
			 signal_name(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == STATUS_OUT_OF_MEMORY)
		buf_add_str(why, "its reader needed too much memory");
	else
		buf_addf(why, "its reader ended by itself (status %d)",
			 WEXITSTATUS(status));
	return failed || known;
}

static int why_failed(void)
{
	switch (errno) {
	case EAGAIN:
	case ETIMEDOUT:
		return ETIMEDOUT;
	case EPROTO:
		return EPROTO;
	default:
		return 0; /* the child is gone */
	}
}

/* One answer, whatever it is: 0 with kind and in, or -1 with errno. */
static int receive(struct isolated *iso, unsigned seconds)
{
	int got;

	do {
		int64_t left = iso->until - clock_ms();

		if (left > (int64_t)seconds * 1000)
			left = (int64_t)seconds * 1000;
		got = wire_receive(&iso->wire, left > 0 ? left : 0, &iso->in);
	} while (got > 0 && iso->in.kind == WIRE_BUSY);
	if (got == 0)
		errno = ECONNRESET;
	return got > 0 ? 0 : -1;
}

static int send_question(struct isolated *iso, enum wire_kind kind,
			 const struct buf *text)
{
	if (wire_send(&iso->wire, kind, text->data, text->len) < 0)
		return -1;
	return wire_flush(&iso->wire);
}

static void wait_until(struct isolated *iso, unsigned seconds)
{
	iso->until = clock_ms() + (int64_t)seconds * 1000;
}

/* An error the child reports: -1, or 1 when it cannot be read. */
static int child_said(struct isolated *iso, struct err *e)
{
	return wire_get_error(iso->in.bytes, iso->in.n, e) ? -1 : 1;
}

static int give_up(struct isolated *iso, const char *why, struct err *e)
{
	int ignored;

	bury(iso, &ignored);
	iso->over = true;
	return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
		       "%s: %s; nothing more of it is read", iso->name.data,
		       why);
}

/* ---- going on in a new child ---- */

static int open_inside(struct isolated *iso, struct buf *why, struct err *e)
{
	if (make_child(iso, e) < 0)
		return -1;
	wait_until(iso, iso->limits.open_seconds);
	if (receive(iso, iso->limits.open_seconds) < 0) {
		judge(iso, why_failed(), why);
		return give_up(iso, why->data, e);
	}
	if (iso->in.kind == WIRE_DONE && !iso->in.n)
		return 0;
	if (iso->in.kind != WIRE_ERROR || child_said(iso, e) > 0)
		return give_up(iso, "its reader answered nonsense", e);
	iso->over = true;
	return err_widen(e, ERR_ACCOUNT);
}

static void name_folder(const struct isolated *iso, struct buf *out)
{
	buf_add_str(out, iso->folder.f.file);
	buf_add_str(out, ", ");
	for (size_t i = 0; iso->folder.f.path[i]; i++)
		buf_addf(out, "%s%s", i ? "/" : "", iso->folder.f.path[i]);
}

/* The folder's next message cannot be had: that costs the rest of the folder. */
static int lose_folder(struct isolated *iso, const char *why, struct err *e)
{
	struct buf name = BUF_INIT;

	if (!iso->in_folder)
		return give_up(iso, why, e);
	iso->in_folder = false;
	buf_reset(&iso->locator);
	name_folder(iso, &name);
	err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
		"%s: %s; the rest of this folder is not read", name.data, why);
	buf_free(&name);
	return -1;
}

/* Have the child go to where the last one was: 0, -1 with e, or 1 with why when it did
   not get there. */
static int go_there(struct isolated *iso, struct buf *why, struct err *e)
{
	buf_reset(&iso->out);
	wire_add_text(&iso->out, iso->folder.f.id, strlen(iso->folder.f.id));
	wire_add_text(&iso->out, iso->locator.data, iso->locator.len);
	wait_until(iso, PATIENCE * iso->limits.silent_seconds);
	if (send_question(iso, WIRE_GO_TO, &iso->out) < 0 ||
	    receive(iso, iso->limits.silent_seconds) < 0) {
		judge(iso, why_failed(), why);
		return 1;
	}
	if (iso->in.kind == WIRE_DONE && !iso->in.n)
		return 0;
	if (iso->in.kind == WIRE_ERROR && child_said(iso, e) < 0) {
		if (e->scope == ERR_FOLDER)
			iso->in_folder = false;
		return -1;
	}
	judge(iso, EPROTO, why);
	return 1;
}

/* A child where the last one was. */
static int go_on(struct isolated *iso, struct err *e)
{
	struct buf why = BUF_INIT;
	int ret = -1;

	if (iso->children >= iso->limits.children) {
		buf_addf(&why, "its reader crashed %u times", iso->children);
		give_up(iso, why.data, e);
	} else if (open_inside(iso, &why, e) == 0) {
		ret = iso->has_folder ? go_there(iso, &why, e) : 0;
		if (ret > 0)
			ret = lose_folder(iso, why.data, e);
	}
	buf_free(&why);
	return ret;
}

/* Ask for what is in out, and get the first answer. 0; -1 with e when there is no child
   to be had; 1 with why when the child that was asked is gone. */
static int ask(struct isolated *iso, enum wire_kind kind, struct buf *why,
	       struct err *e)
{
	struct buf question = BUF_INIT;
	int ret = 0;

	buf_add(&question, iso->out.data, iso->out.len);
	for (;;) {
		if (!iso->has_child && go_on(iso, e) < 0) {
			ret = -1;
			break;
		}
		wait_until(iso, PATIENCE * iso->limits.silent_seconds);
		if (send_question(iso, kind, &question) == 0 &&
		    receive(iso, iso->limits.silent_seconds) == 0)
			break;
		if (judge(iso, why_failed(), why)) {
			ret = 1;
			break;
		}
	}
	buf_free(&question);
	return ret;
}

/* The answer to a question for one more: 1 with it in in, 0 when there is none, -1 with
   e; 2 with why when there is no telling. */
static int ask_next(struct isolated *iso, enum wire_kind kind,
		    enum wire_kind want, struct buf *why, struct err *e)
{
	int got;

	buf_reset(&iso->out);
	got = ask(iso, kind, why, e);
	if (got)
		return got < 0 ? -1 : 2;
	if (++iso->items > iso->limits.items)
		return give_up(iso,
			       "its reader finds more than the file can "
			       "hold",
			       e);
	if (iso->in.kind == WIRE_DONE && !iso->in.n)
		return 0;
	if (iso->in.kind == WIRE_ERROR && child_said(iso, e) < 0)
		return -1;
	if (iso->in.kind == want)
		return 1;
	judge(iso, EPROTO, why);
	return 2;
}

/* ---- the callbacks ---- */

int isolated_next_folder(struct importer *imp, struct folder *f, struct err *e)
{
	struct isolated *iso = self(imp);
	struct buf why = BUF_INIT;
	int got;

	iso->in_folder = false;
	buf_reset(&iso->locator);
	if (iso->over)
		return 0;
	got = ask_next(iso, WIRE_NEXT_FOLDER, WIRE_FOLDER, &why, e);
	if (got == 1 &&
	    !wire_get_folder(iso->in.bytes, iso->in.n, &iso->folder)) {
		judge(iso, EPROTO, &why);
		got = 2;
	}
	if (got == 1) {
		iso->has_folder = iso->in_folder = true;
		*f = iso->folder.f;
	}
	if (got == 2)
		got = give_up(iso, why.data, e);
	buf_free(&why);
	return got;
}

/* An honest child's next message is another one. */
static bool get_found(struct isolated *iso, struct message *m)
{
	if (!wire_get_message(iso->in.bytes, iso->in.n, m) ||
	    buf_equal(&m->locator, &iso->locator))
		return false;
	buf_set_str(&iso->locator, m->locator.data);
	return true;
}

int isolated_next(struct importer *imp, struct message *m, struct err *e)
{
	struct isolated *iso = self(imp);
	struct buf why = BUF_INIT;
	int got;

	if (!iso->in_folder)
		return 0;
	m->in.drop_leading = m->in.drop_anywhere = NULL;
	got = ask_next(iso, WIRE_NEXT, WIRE_MESSAGE, &why, e);
	if (got == 1 && !get_found(iso, m)) {
		message_reset(m);
		judge(iso, EPROTO, &why);
		got = 2;
	}
	if (got < 0 && e->scope > ERR_MESSAGE)
		iso->in_folder = false;
	if (got == 2)
		got = lose_folder(iso, why.data, e);
	buf_free(&why);
	return got;
}

static int lose_message(struct isolated *iso, const char *why, struct err *e)
{
	struct buf name = BUF_INIT;

	name_folder(iso, &name);
	err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER, "%s, message %s: %s",
		name.data, iso->locator.data, why);
	buf_free(&name);
	return -1;
}

/* The last frame of a load. */
static int get_loaded(struct isolated *iso, struct message *m, struct err *e)
{
	if (!wire_get_message(iso->in.bytes, iso->in.n, m) ||
	    !buf_equal(&m->locator, &iso->locator))
		return 1;
	if (intake_end(&m->in, e) < 0)
		return -1;
	message_date_from_header(m);
	return 0;
}

/* Take the frames with the message's bytes: 0, -1 with e, or 1 with why_failed() in
   *failed_r. What cannot be kept is taken all the same, so that the child stays in
   step. */
static int take_bytes(struct isolated *iso, struct message *m, int *failed_r,
		      struct err *e)
{
	uint64_t n = 0;
	bool lost = false;

	*failed_r = EPROTO;
	while (iso->in.kind == WIRE_BYTES) {
		n += iso->in.n;
		if (n > iso->limits.message_bytes || !iso->in.n)
			return 1;
		if (!lost)
			lost = intake_add(&m->in, iso->in.bytes, iso->in.n, e) <
			       0;
		if (receive(iso, iso->limits.silent_seconds) < 0) {
			*failed_r = why_failed();
			return 1;
		}
	}
	return lost ? -1 : 0;
}

static int take_message(struct isolated *iso, struct message *m, int *failed_r,
			struct err *e)
{
	int ret = take_bytes(iso, m, failed_r, e);

	if (ret)
		return ret;
	if (iso->in.kind == WIRE_MESSAGE)
		return get_loaded(iso, m, e);
	return iso->in.kind == WIRE_ERROR ? child_said(iso, e) : 1;
}

int isolated_load(struct importer *imp, struct message *m, struct err *e)
{
	struct isolated *iso = self(imp);
	struct buf why = BUF_INIT;
	int ret, failed;

	buf_reset(&iso->out);
	ret = ask(iso, WIRE_LOAD, &why, e);
	if (ret == 0) {
		ret = take_message(iso, m, &failed, e);
		if (ret > 0)
			judge(iso, failed, &why);
	}
	if (ret > 0)
		ret = lose_message(iso, why.data, e);
	if (ret < 0 && e->scope > ERR_MESSAGE)
		iso->in_folder = false;
	buf_free(&why);
	return ret;
}

int isolated_pass(struct importer *imp, uint64_t length, struct err *e)
{
	struct isolated *iso = self(imp);
	struct buf why = BUF_INIT;
	int ret;

	if (!iso->inner->pass)
		return 0;
	buf_reset(&iso->out);
	wire_add_number(&iso->out, length);
	ret = ask(iso, WIRE_PASS, &why, e);
	if (ret == 0 && iso->in.kind == WIRE_ERROR) {
		ret = child_said(iso, e);
	} else if (ret == 0 && (iso->in.kind != WIRE_DONE || iso->in.n)) {
		ret = 1;
	}
	if (ret > 0) {
		if (iso->has_child)
			judge(iso, EPROTO, &why);
		ret = lose_folder(iso, why.data, e);
	}
	buf_free(&why);
	return ret;
}

const char *isolated_remark(struct importer *imp, unsigned nth)
{
	struct isolated *iso = self(imp);
	int ignored;

	if (!iso->has_child || nth > REMARKS_MAX)
		return NULL;
	buf_reset(&iso->out);
	wire_add_number(&iso->out, nth);
	wait_until(iso, iso->limits.silent_seconds);
	if (send_question(iso, WIRE_REMARK, &iso->out) == 0 &&
	    receive(iso, iso->limits.silent_seconds) == 0) {
		if (iso->in.kind == WIRE_DONE && !iso->in.n)
			return NULL;
		if (iso->in.kind == WIRE_TEXT &&
		    wire_get_text(iso->in.bytes, iso->in.n, &iso->text))
			return iso->text.data;
	}
	bury(iso, &ignored);
	return NULL;
}

void isolated_close(struct importer *imp)
{
	struct isolated *iso = self(imp);
	int ignored;

	bury(iso, &ignored);
	nursery_close(&iso->nursery);
	wire_folder_free(&iso->folder);
	buf_free(&iso->name);
	buf_free(&iso->locator);
	buf_free(&iso->out);
	buf_free(&iso->text);
	free(iso->path);
	free(iso);
}

int isolated_open(const struct importer_ops *ops,
		  const struct importer_ops *inner,
		  const struct isolated_limits *limits, const char *path,
		  const struct importer_options *opt, struct importer **imp_r,
		  struct err *e)
{
	struct isolated *iso = mem_zalloc(sizeof(*iso));
	struct buf why = BUF_INIT;
	int ret;

	iso->base.ops = ops;
	iso->inner = inner;
	iso->limits = *limits;
	iso->opt = (struct importer_options){ .imap_copies = opt->imap_copies,
					      .except = opt->except };
	iso->path = mem_strdup(path);
	wire_folder_init(&iso->folder);
	buf_init(&iso->name);
	buf_init(&iso->locator);
	buf_init(&iso->out);
	buf_init(&iso->text);
	utf8_add_guessed(&iso->name, path, strlen(path));
	ret = open_inside(iso, &why, e);
	buf_free(&why);
	if (ret < 0)
		isolated_close(&iso->base);
	else
		*imp_r = &iso->base;
	return ret;
}
