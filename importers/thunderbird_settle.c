/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flags, tags and states of a message, from the header, the summary, the state
   file of the POP account and the kind of folder it is in. T1 to T4 are kept
   here. */
#include "importers/thunderbird_settle.h"

#include <string.h>

#include "importers/mbox_reader.h"
#include "importers/mozilla_status.h"

static void add_keyword(struct message *m, const char *word)
{
	flags_add_keyword(&m->flags, word, strlen(word));
}

/* Tags, and what of the summary has no place in any header. Labels came before
   tags: where there is no word about tags, and the header has none of them
   either, they are what the person saw. */
static void add_tags(const struct tb_context *c, ssize_t row, struct message *m,
		     uint32_t *status)
{
	struct buf words = BUF_INIT;
	unsigned label;

	if (tb_summary_keywords(c->summary, row, &words, &label))
		*status &= ~(uint32_t)MOZILLA_LABELS;
	else if (label)
		*status = (*status & ~(uint32_t)MOZILLA_LABELS) |
			  (uint32_t)label << 25;
	mozilla_keywords_add(&m->flags, words.data, words.len);
	switch (tb_summary_junk(c->summary, row)) {
	case TB_JUNK:
		add_keyword(m, "$Junk");
		break;
	case TB_NOT_JUNK:
		add_keyword(m, "$NotJunk");
		break;
	case TB_JUNK_UNKNOWN:
		break;
	}
	buf_free(&words);
}

/* T2, a summary of this store. */
static void take_summary(const struct tb_context *c, ssize_t row,
			 struct message *m, uint32_t status)
{
	const uint32_t header_only = MOZILLA_EXPUNGED | MOZILLA_PARTIAL |
				     MOZILLA_QUEUED | MOZILLA_LABELS;
	uint32_t flags = tb_summary_message_flags(c->summary, row) &
			 ~(uint32_t)MOZILLA_EXPUNGED;

	flags |= status & header_only;
	add_tags(c, row, m, &flags);
	mozilla_status_set(m, flags);
}

/* A converter that made Thunderbird's Maildir of another one may have kept the
   names, "...:2,FS": then flags are there, and nowhere else. */
static void take_name(const char *name, struct message *m)
{
	static const struct {
		char letter;
		unsigned flag;
	} flags[] = {
		{ 'D', FLAG_DRAFT },
		{ 'F', FLAG_FLAGGED },
		{ 'R', FLAG_ANSWERED },
		{ 'S', FLAG_SEEN },
	};
	const char *info = strrchr(name, ',');

	if (!info || info - name < 3 || info[-1] != '2' ||
	    !strchr(":;!", info[-2]))
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strchr(info, flags[i].letter))
			m->flags.system |= flags[i].flag;
	if (strchr(info, 'P'))
		add_keyword(m, "$Forwarded");
}

/* T2, a stale summary or none. */
static void take_header(const struct tb_context *c, const char *token,
			ssize_t row, struct message *m, bool marked)
{
	bool deleted;

	mozilla_status_apply(&m->in.header, m);
	if (row >= 0) {
		uint32_t flags =
			marked ? 0
			       : tb_summary_message_flags(c->summary, row) &
					 ~(uint32_t)MOZILLA_EXPUNGED;

		add_tags(c, row, m, &flags);
		mozilla_status_set(m, flags);
	} else if (!marked) {
		/* Thunderbird reads Status where it has written nothing, but
		   for the D of other programs. */
		mbox_flags_from_header(&m->in.header, &m->flags, &deleted);
		if (c->f->maildir)
			take_name(token, m);
	}
}

/* T3: what an mbox message that the summary does not list is. */
static void not_listed(struct tb_context *c, struct message *m, bool marked)
{
	if (!c->current || c->f->maildir || m->skip != SKIP_NOT)
		return;
	if (tb_summary_inside(c->summary, m->offset)) {
		m->notes |= NOTE_DOUBTFUL_SPLIT;
	} else if (tb_summary_messages(c->summary) && !marked) {
		/* Deleting could not have been noted in the header; so the
		   index is where it was noted. */
		m->skip = SKIP_UNSURE_DELETED;
		c->unmarked++;
		return;
	}
	m->notes |= NOTE_HIDDEN;
	c->unlisted++;
}

/* A store that is the mail's only place. */
static void settle_local(struct tb_context *c, const char *token,
			 struct message *m)
{
	enum tb_same same = TB_OTHER;
	uint32_t status = 0;
	bool marked = mozilla_status_read(&m->in.header, &status);
	ssize_t row = -1;

	if (c->summary)
		row = tb_summary_find(c->summary, token, 0, &m->in.header,
				      &same);
	/* Where the summary is of this store, the place says it all. */
	if (row >= 0 && c->current && same != TB_OTHER)
		take_summary(c, row, m, status);
	else
		take_header(c, token, same == TB_SAME ? row : -1, m, marked);
	if (row < 0 && c->summary)
		not_listed(c, m, marked);
}

/* T4. A row without the Offline flag has its token from somewhere else. */
static void settle_copy(struct tb_context *c, const char *token,
			struct message *m)
{
	uint32_t here = c->f->maildir ? 0 : MOZILLA_OFFLINE, status;
	enum tb_same same = TB_OTHER;
	ssize_t row = -1;

	if (c->summary)
		row = tb_summary_find(c->summary, token, here, &m->in.header,
				      &same);
	if (row >= 0 && same != TB_OTHER) {
		status = tb_summary_message_flags(c->summary, row);
		if (status & MOZILLA_IMAP_DELETED)
			m->skip = SKIP_DELETED;
		add_tags(c, row, m, &status);
		mozilla_status_set(m, status);
	} else if (c->summary && tb_summary_complete(c->summary)) {
		m->skip = SKIP_UNSURE_DELETED;
	} else {
		mozilla_status_apply(&m->in.header, m);
	}
}

/* The state file of the account that a message came by; NULL if it is not known
   which that was. */
static const struct tb_popstate *state_of(const struct tb_context *c,
					  const struct header *h)
{
	const struct tb_popstate *state = NULL;
	struct buf key = BUF_INIT;

	if (header_add_value(h, "X-Account-Key", 0, &key) && key.len)
		for (size_t i = 0; i < c->p->n && !state; i++)
			if (!strcmp(c->p->accounts[i].key, key.data))
				state = c->popstates[i];
	buf_free(&key);
	return state;
}

static bool is_partial(const struct tb_context *c, const struct header *h)
{
	const struct tb_popstate *state = state_of(c, h);
	struct buf uidl = BUF_INIT;
	bool is = false;

	if (!header_add_value(h, "X-UIDL", 0, &uidl) || !uidl.len)
		goto out;
	if (state) {
		is = tb_popstate_is_partial(state, uidl.data);
		goto out;
	}
	for (size_t i = 0; i < c->p->n && !is; i++)
		is = c->popstates[i] &&
		     tb_popstate_is_partial(c->popstates[i], uidl.data);
out:
	buf_free(&uidl);
	return is;
}

static void settle_use(const struct tb_context *c, struct message *m)
{
	switch (c->f->use) {
	case USE_QUEUE:
		m->notes |= NOTE_QUEUED;
		/* fall through */
	case USE_DRAFTS:
	case USE_TEMPLATES: /* Thunderbird itself stores both as \Draft on IMAP
			     */
		m->flags.system |= FLAG_DRAFT;
		/* fall through */
	case USE_SENT:
		m->when.sent_folder = true;
		break;
	default:
		break;
	}
	if (c->f->hidden)
		m->notes |= NOTE_HIDDEN;
}

void tb_settle(struct tb_context *c, const char *token, struct message *m)
{
	if (c->f->account->remote)
		settle_copy(c, token, m);
	else
		settle_local(c, token, m);
	settle_use(c, m);
	if (is_partial(c, &m->in.header))
		m->notes |= NOTE_PARTIAL;
	if (!m->in.wire_size && m->skip == SKIP_NOT)
		m->skip = SKIP_EMPTY;
	if (m->notes & NOTE_PARTIAL && m->skip == SKIP_NOT)
		c->partial++;
}
