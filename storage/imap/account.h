/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_ACCOUNT_H
#define MAILHAUL_STORAGE_IMAP_ACCOUNT_H

#include "core/base/secret.h"
#include "storage/imap/pace.h"
#include "storage/target.h"

#include <stdbool.h>

struct preset;

/* COMPRESS=DEFLATE (RFC 4978). */
enum imap_compress {
	IMAP_COMPRESS_AUTO, /* when the line turns out to be slower than the processor */
	IMAP_COMPRESS_ON,   /* from the start, where it is offered */
	IMAP_COMPRESS_OFF,
};

/* What was learnt of a server, so that a new connection need not learn it again: all
   zero at first, kept by the caller, changed while the account is open. */
struct imap_lessons {
	struct pace pace;
	bool compress;	      /* it paid */
	unsigned connections; /* it takes no more; 0 unknown */
};

/* How to reach and enter an IMAP account. Strings stay the caller's and must live
   until the account is closed. */
enum imap_security {
	IMAP_TLS,	/* imaps://: TLS from the first byte (RFC 8314) */
	IMAP_STARTTLS,	/* imap://: STARTTLS, required */
	IMAP_PLAINTEXT, /* --plaintext: only to a loopback address */
};

struct imap_options {
	const char *host;
	unsigned port;		/* 0: 993 or 143 */
	enum imap_security security;
	const char *ca_file;	/* PEM; NULL: the system's trust store */
	const char *user;
	const char *auth_user;	/* --auth-user: log in as this one on behalf of
				   user (SASL authorization identity); NULL */
	const struct secret *password; /* either this ... */
	const struct secret *token;    /* ... or an OAuth 2.0 access token */
	const char *prefix;	/* UTF-8, '/' between parts: everything goes below
				   this folder; NULL */
	unsigned connections;	/* -j: at most; 0: as fits the server */
	enum imap_compress compress;
	struct imap_lessons *lessons; /* NULL: forget them */
	const struct preset *preset; /* --preset: known of the provider; NULL: as its
					host and its words tell */
	bool no_preset;		/* --preset none: nothing is known of it */
	int timeout_ms;		/* for a silent server; 0: 5 minutes */
	int connect_timeout_ms; /* 0: 30 seconds */
};

/* Connect, verify, log in. Errors: ERR_UNREACHABLE (name, connection, certificate:
   the text says which and how to trust it), ERR_AUTH, ERR_PROTOCOL, ERR_BUSY. */
int imap_account_open(const struct imap_options *opt, struct target **t_r,
		      struct err *e);

#endif
