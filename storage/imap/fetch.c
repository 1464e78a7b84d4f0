/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages brought back whole, to be compared: into the intake as they come, up
   to FETCH_AHEAD commands ahead of the answers. One command a message, so that
   a NO is about that message and no other. */
#include "core/base/log.h"
#include "storage/imap/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FETCH_AHEAD = 16 };

struct imap_fetch {
	const uint32_t *uids; /* the caller's, ascending */
	size_t n;
	size_t done, sent;  /* [done, sent) are with the server */
	unsigned first_tag; /* of uids[0] */
	bool answered[FETCH_AHEAD], delivered[FETCH_AHEAD];
	struct buf line, commands;
};

void imap_fetch_free(struct imap_fetch *f)
{
	if (!f)
		return;
	buf_free(&f->line);
	buf_free(&f->commands);
	free(f);
}

int imap_fetch_begin(struct target *t, const struct target_folder *f,
		     const uint32_t *uids, size_t n, struct err *e)
{
	struct imap_target *it = imap_target(t);
	struct imap_fetch *fetch;

	if (imap_quiet(it, e) < 0 ||
	    imap_session_select(it->s, f->name.data, false, e) < 0)
		return -1;
	if (!it->fetch) {
		it->fetch = mem_zalloc(sizeof(*it->fetch));
		buf_init(&it->fetch->line);
		buf_init(&it->fetch->commands);
	}
	fetch = it->fetch;
	fetch->uids = uids;
	fetch->n = n;
	fetch->done = fetch->sent = 0;
	fetch->first_tag = it->s->talk->tag + 1;
	talk_begin(it->s);
	log_line(LOG_DETAIL, "imap: UID FETCH of %zu whole messages", n);
	return 0;
}

static int send_ahead(struct imap_target *it, struct err *e)
{
	struct imap_fetch *f = it->fetch;

	buf_reset(&f->commands);
	while (f->sent < f->n && f->sent - f->done < FETCH_AHEAD) {
		f->answered[f->sent % FETCH_AHEAD] = false;
		f->delivered[f->sent % FETCH_AHEAD] = false;
		buf_addf(&f->commands, "F%u UID FETCH %u (UID BODY.PEEK[])\r\n",
			 ++it->s->talk->tag, f->uids[f->sent++]);
	}
	return talk_send(it->s->talk, f->commands.data, f->commands.len, e);
}

static void body_begin(void *ctx)
{
	intake_reset(ctx);
}

static int body_bytes(void *ctx, const char *bytes, size_t n, struct err *e)
{
	return intake_add(ctx, bytes, n, e);
}

/* Is it one that was asked for and has not come yet? */
static bool is_awaited(struct imap_fetch *f, const struct fetch_item *item)
{
	if (!item->has_uid || !item->has_body)
		return false;
	for (size_t i = f->done; i < f->sent; i++) {
		if (f->uids[i] != item->uid || f->delivered[i % FETCH_AHEAD])
			continue;
		f->delivered[i % FETCH_AHEAD] = true;
		return true;
	}
	return false;
}

/* The tagged line "F12 OK ...": 0, or -1 with the error of that message.
   Answers may overtake each other (RFC 9051 section 5.5), though no server is
   known to do so. */
static int take_tagged(struct imap_target *it, uint32_t *uid_r, struct err *e)
{
	struct imap_fetch *f = it->fetch;
	const char *text = f->line.data;
	char doing[64];
	size_t i;
	unsigned long tag;
	char *end;

	tag = *text == 'F' ? strtoul(text + 1, &end, 10) : 0;
	i = (size_t)(tag - f->first_tag);
	if (!tag || *end != ' ' || i < f->done || i >= f->sent ||
	    f->answered[i % FETCH_AHEAD]) {
		it->s->broken = true;
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "the server answers a question that was not "
			       "asked: %.80s",
			       text);
	}
	f->answered[i % FETCH_AHEAD] = true;
	talk_useful(it->s->talk);
	while (f->done < f->sent && f->answered[f->done % FETCH_AHEAD])
		f->done++;
	if (!strncasecmp(end + 1, "OK", 2))
		return 0;
	*uid_r = f->uids[i];
	snprintf(doing, sizeof(doing), "fetching UID %u", *uid_r);
	return imap_fail_text(end + 1, doing, e);
}

/* After an error of one message it may be asked on. */
int imap_fetch_next(struct target *t, uint32_t *uid_r, struct intake *in,
		    struct err *e)
{
	struct imap_target *it = imap_target(t);
	struct imap_fetch *f = it->fetch;
	const struct fetch_sink sink = { .begin = body_begin,
					 .bytes = body_bytes,
					 .ctx = in };
	struct fetch_item item = { .flags = NULL };

	while (f && f->done < f->n) {
		if (send_ahead(it, e) < 0)
			goto lost;
		switch (fetch_read(it->s->talk, &f->line, &item, &sink, e)) {
		case FETCH_OTHER:
			break;
		case FETCH_ITEM:
			if (!is_awaited(f, &item))
				break;
			*uid_r = item.uid;
			talk_useful(it->s->talk);
			return intake_end(in, e) < 0 ? -1 : 1;
		case FETCH_TAGGED:
			if (take_tagged(it, uid_r, e) < 0)
				return -1;
			break;
		default:
			goto lost;
		}
	}
	return 0;

lost:
	it->s->broken = true;
	f->done = f->n;
	return -1;
}

static void no_begin(void *ctx)
{
	(void)ctx;
}

static int no_bytes(void *ctx, const char *bytes, size_t n, struct err *e)
{
	(void)ctx;
	(void)bytes;
	(void)n;
	(void)e;
	return 0;
}

int imap_fetch_quiet(struct imap_target *it, struct err *e)
{
	const struct fetch_sink sink = { .begin = no_begin, .bytes = no_bytes };
	struct fetch_item item = { .flags = NULL };
	struct imap_fetch *f = it->fetch;
	uint32_t uid;

	if (f)
		f->n = f->sent; /* those that are not asked for yet are not */
	while (f && f->done < f->n && !it->s->broken) {
		int got = fetch_read(it->s->talk, &f->line, &item, &sink, e);

		if (got < 0)
			it->s->broken = true;
		else if (got == FETCH_TAGGED)
			take_tagged(it, &uid, e);
	}
	return it->s->broken ? -1 : 0;
}

bool imap_fetch_is_open(const struct imap_target *it)
{
	return it->fetch && it->fetch->done < it->fetch->sent;
}
