/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MH_H
#define MAILHAUL_IMPORTERS_MH_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the files of the MH importer share. Nobody else includes this. */

/* The state of one message, whichever file it was kept in. */
enum {
	MH_UNSEEN = 1 << 0,
	MH_ANSWERED = 1 << 1,
	MH_FLAGGED = 1 << 2,
	MH_FORWARDED = 1 << 3,
	MH_DELETED = 1 << 4,
	MH_JUNK = 1 << 5,
	MH_MDN_SENT = 1 << 6,
	MH_COLOUR = 1 << 7, /* has a colour label: not kept, but said */
};

/* Ranges of message numbers and what is said of them. */
struct mh_range {
	uint32_t from, to;
	unsigned flags;
};
struct mh_states {
	struct mh_range *ranges;
	size_t n, cap;
	bool marks; /* of a mark file: a message that is not in it is new */
	size_t unknown; /* sequences with a name that is no flag */
	char *first_unknown;
};
void mh_states_free(struct mh_states *s);
/* What is said of a message: of a mark file the last record, of sequences all. */
unsigned mh_states_of(const struct mh_states *s, uint32_t number);

/* .mh_sequences (mh-sequence(5)): "unseen: 1-3 7", folded like a header. unseen names
   more sequences that mean unseen, space-separated (Unseen-Sequence of the profile);
   "" is just "unseen". Adds to s. */
void mh_sequences_parse(struct mh_states *s, const char *text, size_t n,
			const char *unseen);
/* The Unseen-Sequence of an .mh_profile. */
void mh_profile_unseen(const char *text, size_t n, struct buf *out);

/* .sylpheed_mark and .claws_mark: words of 32 bits, a version (2) and then pairs of
   number and flags, in the byte order of the machine. False if it is none. */
bool mh_marks_parse(struct mh_states *s, const char *bytes, size_t n,
		    bool claws);
/* To be called when everything is in: sorts. */
void mh_states_ready(struct mh_states *s);

/* In a queue, or among drafts, Sylpheed and Claws put lines for themselves on top of the
   message: how many of the first bytes are theirs. */
size_t mh_queue_lines(const char *head, size_t n);

/* The number a file's name is, or 0: 1 to 9 digits without a zero in front. */
uint32_t mh_number(const char *name);
/* The number of a deleted copy, ",12", "#12" or ".#12", or 0. */
uint32_t mh_deleted_number(const char *name);

#endif
