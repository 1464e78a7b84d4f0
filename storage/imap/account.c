/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An IMAP account as a target: session, folders, pipeline and questions put
   together behind target.h. What is asked goes over the first connection, so
   that what is asked and what is sent take turns. */
#include "storage/imap/account.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/utf8.h"
#include "storage/imap/append.h"
#include "storage/imap/internal.h"
#include "storage/imap/name.h"
#include "storage/imap/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct imap_target *imap_target(struct target *t)
{
	return (struct imap_target *)t;
}

int imap_quiet(struct imap_target *it, struct err *e)
{
	assert(imap_pool_is_idle(it));
	if (it->s->broken)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NOW,
			       "the connection was lost");
	if (imap_find_quiet(it, e) < 0 || imap_fetch_quiet(it, e) < 0)
		return -1;
	return 0;
}

static int open_folder(struct target *t, const char *const *path,
		       enum folder_use use, bool create,
		       struct target_folder *f, struct err *e)
{
	if (imap_quiet(imap_target(t), e) < 0)
		return -1;
	return imap_folder_open(t, path, use, create, f, e);
}

static void limits(struct target *t, struct target_limits *l_r)
{
	imap_pool_limits(imap_target(t), l_r);
}

static int submit(struct target *t, struct append_batch *b, struct err *e)
{
	struct imap_target *it = imap_target(t);

	/* A lost connection is the pipeline's to report: the batch has to come
	   back from reap all the same. */
	if (imap_pool_is_idle(it) && !it->s->broken && imap_quiet(it, e) < 0)
		log_line(LOG_DETAIL, "imap: %s", e->text);
	return imap_pool_submit(it, b, e);
}

static int reap(struct target *t, bool wait, struct append_batch **b_r,
		struct err *e)
{
	return imap_pool_reap(imap_target(t), wait, b_r, e);
}

static int quota(struct target *t, struct target_quota *q_r, struct err *e)
{
	struct imap_target *it = imap_target(t);

	return imap_quiet(it, e) < 0 ? -1 : imap_quota(it, q_r, e);
}

static int add_flags(struct target *t, const struct target_folder *f,
		     const uint32_t *uids, size_t n, const struct flags *flags,
		     struct err *e)
{
	struct imap_target *it = imap_target(t);

	if (imap_quiet(it, e) < 0)
		return -1;
	return imap_add_flags(it, f, uids, n, flags, e);
}

static bool alive(struct target *t)
{
	const struct imap_target *it = imap_target(t);

	for (size_t i = 0; i < it->n_members; i++)
		if (it->members[i].s->broken)
			return false;
	return imap_pool_is_idle(it);
}

static uint64_t bytes_sent(struct target *t)
{
	return imap_pool_bytes_sent(imap_target(t));
}

static void close_target(struct target *t)
{
	struct imap_target *it = imap_target(t);

	/* In the middle of an answer nobody waits for the one to LOGOUT. */
	it->s->broken = it->s->broken || imap_find_is_open(it) ||
			imap_fetch_is_open(it);
	imap_pool_close(it);
	imap_find_free(it->find);
	imap_fetch_free(it->fetch);
	imap_folders_free(&it->folders);
	for (size_t i = 0; it->above && it->above[i]; i++)
		free(it->above[i]);
	free(it->above);
	free(it->root);
	free(it);
}

static const struct target_ops imap_ops = {
	.open_folder = open_folder,
	.open_folders = imap_folders_open,
	.limits = limits,
	.submit = submit,
	.reap = reap,
	.add_flags = add_flags,
	.quota = quota,
	.alive = alive,
	.find_begin = imap_find_begin,
	.find_next = imap_find_next,
	.fetch_begin = imap_fetch_begin,
	.fetch_next = imap_fetch_next,
	.bytes_sent = bytes_sent,
	.close = close_target,
};

/* "Old PC/2004" into its parts; empty ones are left out. */
static void split_prefix(struct imap_target *it, const char *prefix)
{
	struct buf part = BUF_INIT;
	size_t n = 0;

	it->above = mem_zalloc(sizeof(*it->above));
	while (prefix && *prefix) {
		size_t len = strcspn(prefix, "/");

		if (len) {
			buf_reset(&part);
			utf8_add_nfc(&part, prefix, len);
			it->above = mem_realloc(it->above,
						(n + 2) * sizeof(*it->above));
			it->above[n++] = mem_strdup(part.data);
			it->above[n] = NULL;
		}
		prefix += len + (prefix[len] == '/');
	}
	buf_free(&part);
}

/* The wire prefix of everything we make: the namespace's, then opt->prefix. */
static int make_root(struct imap_target *it, struct err *e)
{
	struct buf root = BUF_INIT;
	const struct imap_session *s = it->s;
	bool changed;
	int ret = 0;

	if (!it->above[0]) {
		it->root = mem_strdup(s->prefix);
		return 0;
	}
	if (!s->separator)
		ret = err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
			      "the server has no folders inside folders, so "
			      "nothing can go below a prefix");
	else if (imap_name_encode((const char *const *)it->above, s->prefix,
				  s->separator, &root, &changed, e) < 0)
		ret = err_widen(e, ERR_ACCOUNT);
	else
		buf_add_char(&root, s->separator);
	it->root = buf_detach(&root);
	return ret;
}

int imap_account_open(const struct imap_options *opt, struct target **t_r,
		      struct err *e)
{
	struct imap_target *it = mem_zalloc(sizeof(*it));
	int64_t began = clock_ms();

	it->base.ops = &imap_ops;
	it->opt = *opt;
	it->lessons = opt->lessons ? opt->lessons : &it->own_lessons;
	if (imap_session_open(opt, &it->s, e) < 0) {
		free(it);
		return -1;
	}
	it->connect_ms = clock_ms() - began;
	imap_pool_init(it);
	split_prefix(it, opt->prefix);
	if (make_root(it, e) < 0 ||
	    imap_folders_list(it->s, &it->folders, e) < 0) {
		close_target(&it->base);
		return -1;
	}
	*t_r = &it->base;
	return 0;
}
