/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_TEXT_H
#define MAILHAUL_STORAGE_LEDGER_TEXT_H

#include <stddef.h>
#include <string.h>

/* Text on its way into the ledger; private to this room. */

/* A subject is there to recognise a message in a list; a hostile one may have a
   megabyte. (A Message-ID is not cut: settling compares it.) */
enum { SUBJECT_ROOM = 256 };

static inline const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* The subject, in room when it must be cut: between characters of UTF-8. */
static inline const char *text_subject(const char *subject,
				       char room[SUBJECT_ROOM])
{
	size_t n;

	if (!text_or_null(subject))
		return NULL;
	n = strnlen(subject, SUBJECT_ROOM);
	if (n < SUBJECT_ROOM)
		return subject;
	n = SUBJECT_ROOM - 1;
	while (n && ((unsigned char)subject[n] & 0xC0) == 0x80)
		n--;
	memcpy(room, subject, n);
	room[n] = '\0';
	return room;
}

#endif
