/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_DATE_H
#define MAILHAUL_BASE_DATE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instants are seconds since 1970 (UTC). Zones are not kept: no server we measured
   gives them back (docs/servers.md), so dates travel as UTC. */
#define DATE_NONE INT64_MIN

/* Read a date as mail has them: RFC 5322 and everything formats.md section 6.3 lists
   (two-digit years, missing seconds, zone names, zone comments, GMT+0900, month
   before day, asctime). DATE_NONE if no date can be made of it. Comments and junk
   behind the date are passed over. */
int64_t date_parse(const char *s, size_t n);

/* The date of an mbox separator line, "From sender date": the part behind the
   sender. DATE_NONE if there is none. */
int64_t date_parse_asctime(const char *s, size_t n);

/* ISO 8601 of the command line: 2024-03-01, or 2024-03-01T10:00:00 with Z or
   +09:00. Without a zone it is UTC. DATE_NONE if it is not one. */
int64_t date_parse_iso(const char *s);

/* Plausible for a message: from 1970-01-02 to now plus two days. */
bool date_plausible(int64_t t, int64_t now);

/* Append "02-Jan-2024 10:11:12 +0000" (RFC 9051 date-time, without the quotes). */
void date_add_imap(struct buf *out, int64_t t);
/* Append "2024-01-02T10:11:12Z". */
void date_add_iso(struct buf *out, int64_t t);

/* Append "2024-01-02 19:11" in the zone of this machine, for people. */
void date_add_local(struct buf *out, int64_t t);

/* What is known of when a message arrived, each DATE_NONE where it is not.
   The chain of formats.md section 6.3. */
struct date_evidence {
	int64_t delivered;   /* the store knows: emlx, Maildir name, honest From_ */
	int64_t received;    /* the top-most Received that is not a fetcher's */
	int64_t delivery;    /* Delivery-date */
	int64_t resent;	     /* Resent-Date */
	int64_t date;	     /* Date */
	int64_t downloaded;  /* From_ line of a program that writes download time */
	int64_t file;	     /* mtime of the message's own file */
	bool sent_folder;    /* Date comes first then */
};
/* The INTERNALDATE to use: the first plausible one of the chain, or DATE_NONE. */
int64_t date_choose(const struct date_evidence *ev, int64_t now);

#endif
