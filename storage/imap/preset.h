/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_PRESET_H
#define MAILHAUL_STORAGE_IMAP_PRESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of providers and servers beyond what they say themselves: one table,
   each row with its source and the date it was looked up (preset.c). */
struct preset {
	const char *name;  /* as typed after --preset */
	const char *title; /* for people: "Microsoft 365" */
	/* How it is recognised; each may be NULL. Words of the host name: a list of
	   suffixes separated by blanks, "example.com" matches it and *.example.com;
	   then words that one of the lines that it says before and after login (greeting, ID
	   answer, capabilities) must contain, all of them, separated by '*'; '|' stands
	   between alternatives. */
	const char *hosts;
	const char *says;

	unsigned connections;	  /* at a time; 0 unknown */
	uint64_t daily_bytes;	  /* upload; 0 unknown */
	uint64_t message_bytes;	  /* where it does not say APPENDLIMIT; 0 unknown */
	unsigned messages_per_second; /* 0: as fast as it goes */
	unsigned changes;	  /* enum target_change */
	bool login_only;	  /* offers SASL mechanisms that do not work, or none */
	bool legacy_tls;	  /* no secure renegotiation: SSL_OP_LEGACY_SERVER_CONNECT */

	const char *looked_up; /* "2026-11" */
	const char *source;    /* where that is from */
};

/* By name; NULL if there is none. */
const struct preset *preset_by_name(const char *name);
/* By host name; NULL. Before connecting. */
const struct preset *preset_by_host(const char *host);
/* By what the server said, one text with a line each; NULL. */
const struct preset *preset_by_words(const char *said);
/* The nth row, NULL behind the last: for --help and docs. */
const struct preset *preset_nth(size_t n);

#endif
