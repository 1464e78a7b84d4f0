/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_MESSAGE_H
#define MAILHAUL_BASE_MESSAGE_H

#include "core/base/date.h"
#include "core/base/flags.h"
#include "core/base/intake.h"

/* Why a message is found but not migrated. The text for people is
   message_skip_text(); the number goes into the ledger: never renumber. */
enum message_skip {
	SKIP_NOT = 0,
	SKIP_DELETED = 1,	/* deleted in the client, bytes not yet compacted */
	SKIP_INTERNAL = 2,	/* the folder's internal data (c-client) */
	SKIP_EMPTY = 3,		/* no bytes at all */
	SKIP_DATE = 4,		/* outside --since/--until */
	SKIP_UNSURE_DELETED = 5,/* not in the client's valid index any more */
	SKIP_NOT_MAIL = 6,	/* a contact or an appointment in a folder of mail */
};
const char *message_skip_text(enum message_skip why);

/* What is worth telling about a message that is migrated all the same. A set. */
enum {
	NOTE_PARTIAL = 1 << 0,	/* the client downloaded only its beginning */
	NOTE_HIDDEN = 1 << 1,	/* the client does not show it any more */
	NOTE_QUEUED = 1 << 2,	/* was waiting to be sent */
	NOTE_DOUBTFUL_SPLIT = 1 << 3, /* the separator before it had a weak score */
	NOTE_REBUILT = 1 << 4,	/* the store keeps no message, only its parts: its MIME
				   form was made anew */
	NOTE_PARTS_MISSING = 1 << 5, /* attachments that lay beside it are not there */
};

/* One message in transit. The engine owns a few of these and reuses them; an
   importer fills them in. Nothing in it outlives message_reset. */
struct message {
	struct buf locator; /* text that finds it again in its folder, unique there
			       (importer.h says what it may prove) */
	uint64_t offset;    /* where its bytes begin in the store's file ... */
	uint64_t length;    /* ... and how many are its, framing included */
	struct flags flags;
	enum message_skip skip;
	unsigned notes;
	struct date_evidence when;
	struct intake in;
};

void message_init(struct message *m);
void message_free(struct message *m);
/* Ready for the next one; the intake's settings are kept. */
void message_reset(struct message *m);
/* Fill in what the header knows of the dates (received, delivery, resent, date). */
void message_date_from_header(struct message *m);

#endif
