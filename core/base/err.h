/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_ERR_H
#define MAILHAUL_BASE_ERR_H

#include <stdint.h>

/* How much work a failure makes pointless. The engine skips exactly that
   much and carries on with the next message, folder or account. */
enum err_scope { ERR_MESSAGE, ERR_FOLDER, ERR_ACCOUNT, ERR_RUN };

/* Whether the same attempt may succeed: never, after a pause, at once. */
enum err_retry { ERR_NEVER, ERR_LATER, ERR_NOW };

/* What kind of thing went wrong. cmd/ turns the kind of the error that ended
   a run into the exit status of the published list; nobody else looks at it
   to decide how far the error reaches: that is what scope is for. */
enum err_kind {
	ERR_OTHER,	 /* a bug or something nobody foresaw */
	ERR_USAGE,	 /* 64: the command line */
	ERR_SOURCE,	 /* 66: a source cannot be read */
	ERR_UNREACHABLE, /* 69: no connection, or no trust in it */
	ERR_CRASHED,	 /* 70: we, or a library below us */
	ERR_LEDGER,	 /* 73: the ledger cannot be written */
	ERR_BUSY,	 /* 75: throttled, over the day's budget, locked */
	ERR_PROTOCOL,	 /* 76: the server broke the protocol */
	ERR_AUTH,	 /* 77: not authenticated */
	ERR_CONFIG,	 /* 78: configuration */
	ERR_QUOTA,	 /* 79: over quota */
	ERR_INTERRUPTED, /* 130 */
	ERR_REFUSED,	 /* the server refused this one message or folder */
	ERR_TOO_BIG,	 /* the same, and its size is the reason */
	ERR_NO_FOLDER,	 /* the folder is not there (TRYCREATE) */
};

struct err {
	enum err_kind kind;
	enum err_scope scope;
	enum err_retry retry;
	uint32_t wait_ms; /* with ERR_LATER: how long the server asked for, 0 if
			     it did not say */
	char text[512];	  /* one line, for a person; no trailing newline */
};
#define ERR_INIT { .text = "" }

/* Fill in e and return -1, so that "return err_set(...)" reads well. The text
   is made fit to be one line: control characters become '?', and what does
   not fit is cut with "...". Never put a secret into it. */
int err_set(struct err *e, enum err_kind kind, enum err_scope scope,
	    enum err_retry retry, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Put context in front of e's text, "context: text", and return -1. Once, where
   you know something the callee did not. */
int err_in(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Widen the reach of e, never narrow it. Returns -1. */
int err_widen(struct err *e, enum err_scope scope);

void err_clear(struct err *e);

#endif
