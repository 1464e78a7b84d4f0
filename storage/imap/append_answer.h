/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_APPEND_ANSWER_H
#define MAILHAUL_STORAGE_IMAP_APPEND_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a server can say while we APPEND, one line of it. */
enum answer_kind {
	ANSWER_STRANGE,	 /* none of the following */
	ANSWER_GO_AHEAD, /* "+ ..." */
	ANSWER_UNTAGGED, /* "* ..." */
	ANSWER_BYE,	 /* "* BYE ..." */
	ANSWER_OK,	 /* "A12 OK ..." */
	ANSWER_NO,
	ANSWER_BAD,
};
struct append_answer {
	enum answer_kind kind;
	uint64_t tag;	  /* of a tagged answer: 12. Our tags are "A" and a number
			     from 1 on; libetpan's are bare numbers */
	const char *text; /* behind "A12 ", "* " or "+ "; inside the line */
	uint32_t uidvalidity; /* of [APPENDUID v set]; 0: none to believe */
	const char *set;  /* the set, set_len bytes inside the line; or NULL */
	size_t set_len;
};
void append_answer_parse(const char *line, struct append_answer *a_r);

/* Spread APPENDUID's set over the n messages of a command. False when it does not
   name n UIDs that rise, as UIDs of messages do that arrive one after the other:
   then none of it is believed. A range with its ends reversed is the same range
   (RFC 9051, seq-range). */
bool append_answer_uids(const char *set, size_t len, uint32_t *uids, size_t n);

#endif
