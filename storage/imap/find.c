/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in a folder: UID, size, flags and Message-ID of each message from a
   UID on. One command; its responses are read one at a time as the caller asks
   for them, so that a folder of a million messages takes no more memory than an
   empty one, and the window of TCP is what holds the server back. */
#include "core/base/log.h"
#include "storage/imap/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Mail that may arrive while we look: a server that lists more than that, and
   than it said it has, does not mean to end. */
enum { NEW_MEANWHILE = 10000 };

struct imap_find {
	bool open; /* the tagged answer is still to come */
	char tag[16];
	uint32_t floor, last;
	uint64_t left; /* mail that may still come */
	struct buf line, header;
	struct flags flags;
};

static struct imap_find *find_of(struct imap_target *it)
{
	if (!it->find) {
		it->find = mem_zalloc(sizeof(*it->find));
		buf_init(&it->find->line);
		buf_init(&it->find->header);
		flags_init(&it->find->flags);
	}
	return it->find;
}

void imap_find_free(struct imap_find *f)
{
	if (!f)
		return;
	buf_free(&f->line);
	buf_free(&f->header);
	flags_free(&f->flags);
	free(f);
}

static void header_begin(void *ctx)
{
	buf_reset(ctx);
}

/* More than a line's worth of Message-ID is none. */
static int header_bytes(void *ctx, const char *bytes, size_t n, struct err *e)
{
	struct buf *header = ctx;
	size_t room = IMAP_LINE_MAX - header->len;

	(void)e;
	buf_add(header, bytes, n < room ? n : room);
	return 0;
}

/* SELECT again: the number of messages must be of now, and an empty folder is
   not asked (some servers say BAD to 1:* there). */
int imap_find_begin(struct target *t, const struct target_folder *f,
		    uint32_t floor, struct err *e)
{
	struct imap_target *it = imap_target(t);
	struct imap_find *find = find_of(it);
	const struct mailimap_selection_info *info;
	struct buf line = BUF_INIT;
	int ret;

	if (imap_quiet(it, e) < 0 ||
	    imap_session_reselect(it->s, f->name.data, e) < 0)
		return -1;
	info = it->s->imap->imap_selection_info;
	if (info->sel_uidvalidity != f->uidvalidity)
		return err_set(e, ERR_REFUSED, ERR_FOLDER, ERR_NOW,
			       "the server has numbered the folder anew "
			       "(UIDVALIDITY)");
	if (info->sel_has_exists && !info->sel_exists)
		return 0;
	talk_begin(it->s);
	find->floor = floor ? floor : 1;
	find->last = 0;
	find->left = (uint64_t)info->sel_exists + NEW_MEANWHILE;
	snprintf(find->tag, sizeof(find->tag), "F%u", ++it->s->talk->tag);
	buf_addf(&line,
		 "%s UID FETCH %u:* (UID RFC822.SIZE FLAGS "
		 "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\r\n",
		 find->tag, find->floor);
	log_line(LOG_DETAIL, "imap: UID FETCH %u:* (sizes and Message-IDs)",
		 find->floor);
	ret = talk_send(it->s->talk, line.data, line.len, e);
	buf_free(&line);
	find->open = ret == 0;
	it->s->broken = it->s->broken || ret < 0;
	return ret;
}

/* The first Message-ID of the fields that came back, unfolded by taking the
   line ends out. */
static void take_message_id(const struct buf *header, struct buf *out)
{
	static const char name[] = "Message-ID";
	const char *at = header->data, *end = at + header->len, *eol;
	bool inside = false;

	buf_reset(out);
	for (; at < end; at = eol + 1) {
		size_t n;

		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			eol = end;
		n = (size_t)(eol - at);
		if (n && at[n - 1] == '\r')
			n--;
		if (inside && n && (*at == ' ' || *at == '\t')) {
			buf_add(out, at, n);
			continue;
		}
		if (inside)
			return;
		if (n < sizeof(name) - 1 ||
		    strncasecmp(at, name, sizeof(name) - 1))
			continue;
		at += sizeof(name) - 1;
		n -= sizeof(name) - 1;
		for (; n && (*at == ' ' || *at == '\t'); n--)
			at++;
		if (!n || *at != ':')
			continue;
		inside = true;
		buf_add(out, at + 1, n - 1);
	}
}

static int finished(struct imap_target *it, struct err *e)
{
	struct imap_find *find = it->find;
	const char *text = find->line.data;
	size_t n = strlen(find->tag);

	find->open = false;
	if (strncmp(text, find->tag, n) || text[n] != ' ') {
		it->s->broken = true;
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "the server answers a question that was not "
			       "asked: %.80s",
			       text);
	}
	text += n + 1;
	if (!strncasecmp(text, "OK", 2))
		return 0;
	imap_fail_text(text, "looking through the folder", e);
	return err_widen(e, ERR_FOLDER);
}

/* 1 with item read, 0 at the end, -1. */
static int next_item(struct imap_target *it, struct fetch_item *item,
		     struct err *e)
{
	struct imap_find *find = it->find;
	const struct fetch_sink sink = { .begin = header_begin,
					 .bytes = header_bytes,
					 .ctx = &find->header };

	for (;;) {
		buf_reset(&find->header);
		switch (fetch_read(it->s->talk, &find->line, item, &sink, e)) {
		case FETCH_ITEM:
			return 1;
		case FETCH_OTHER:
			continue;
		case FETCH_TAGGED:
			return finished(it, e);
		}
		find->open = false;
		it->s->broken = true;
		return -1;
	}
}

int imap_find_next(struct target *t, struct target_mail *m, struct err *e)
{
	struct imap_target *it = imap_target(t);
	struct imap_find *find = find_of(it);
	struct fetch_item item = { .flags = &find->flags };
	int got;

	while (find->open) {
		got = next_item(it, &item, e);
		if (got <= 0)
			return got;
		/* Without a size it is news of somebody else's change of flags;
		   with a UID below the floor it is the last message, which n:*
		   always has. */
		if (!item.has_uid || !item.has_size || item.uid < find->floor ||
		    item.uid == find->last)
			continue;
		if (item.uid < find->last) {
			it->s->broken = true;
			find->open = false;
			return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
				       "the server broke the protocol: UIDs do "
				       "not ascend");
		}
		talk_useful(it->s->talk);
		if (find->left-- == 0) {
			it->s->broken = true;
			find->open = false;
			return err_set(
				e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
				"the server broke the protocol: it lists "
				"more mail than it said it has");
		}
		find->last = item.uid;
		m->uid = item.uid;
		m->size = item.size;
		take_message_id(&find->header, &m->message_id);
		flags_reset(&m->flags);
		flags_unite(&m->flags, &find->flags);
		return 1;
	}
	return 0;
}

/* Read to the end of what the caller did not want to the end. */
int imap_find_quiet(struct imap_target *it, struct err *e)
{
	struct fetch_item item = { .flags = NULL };
	int got = 1;

	while (got > 0 && it->find && it->find->open)
		got = next_item(it, &item, e);
	return it->s->broken ? -1 : 0;
}

bool imap_find_is_open(const struct imap_target *it)
{
	return it->find && it->find->open;
}
