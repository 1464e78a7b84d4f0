/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_SESSION_H
#define MAILHAUL_STORAGE_IMAP_SESSION_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "storage/imap/account.h"
#include "storage/imap/stream.h"

#include <libetpan/libetpan.h>
#include <stdbool.h>
#include <stdint.h>

/* What the server can do, asked anew after TLS and after login. A set. */
enum imap_capability {
	IMAP_CAP_MULTIAPPEND = 1 << 0,	/* RFC 3502 */
	IMAP_CAP_LITERAL_PLUS = 1 << 1, /* RFC 7888 */
	IMAP_CAP_LITERAL_MINUS = 1 << 2,
	IMAP_CAP_UIDPLUS = 1 << 3,	/* RFC 4315 */
	IMAP_CAP_NAMESPACE = 1 << 4,	/* RFC 2342 */
	IMAP_CAP_SPECIAL_USE = 1 << 5,	/* RFC 6154 */
	IMAP_CAP_CREATE_SPECIAL_USE = 1 << 6,
	IMAP_CAP_QUOTA = 1 << 7,	/* RFC 9208 */
	IMAP_CAP_BINARY = 1 << 8,	/* RFC 3516 */
	IMAP_CAP_COMPRESS = 1 << 9,	/* RFC 4978 */
	IMAP_CAP_SASL_IR = 1 << 10,	/* RFC 4959 */
	IMAP_CAP_LOGINDISABLED = 1 << 11,
	IMAP_CAP_STARTTLS = 1 << 12,
	IMAP_CAP_LIST_EXTENDED = 1 << 13, /* RFC 5258 */
	IMAP_CAP_ENABLE = 1 << 14,
	IMAP_CAP_ID = 1 << 15,
};

struct imap_talk;
struct preset;

/* One authenticated connection. libetpan holds the conversation; the append pipeline
   borrows the stream between commands. */
struct imap_session {
	mailimap *imap;
	struct stream *stream; /* owned by imap's low stream */
	unsigned caps;
	uint64_t append_limit; /* APPENDLIMIT=n (RFC 7889); 0: none told */
	char separator;	       /* of the personal namespace; 0: flat */
	char *prefix;	       /* of the personal namespace, modified UTF-7; "" */
	char *selected;	       /* wire name of the selected mailbox, or NULL */
	bool broken;	       /* say no LOGOUT */
	/* Who it is: greeting, capabilities and ID answer, a line each, nothing of
	   before TLS. */
	struct buf said;
	/* Whose limits hold: the one that was asked for, else by host name, else by its
	   words; NULL. Its message_bytes are in append_limit, if the server told none. */
	const struct preset *preset;
	const struct preset *program; /* by its words; NULL */
	unsigned changes;	      /* enum target_change, of both */
	struct imap_talk *talk;/* private: internal.h */
};

int imap_session_open(const struct imap_options *opt, struct imap_session **s_r,
		      struct err *e);
void imap_session_close(struct imap_session *s);

/* Turn libetpan's result code rc of the command described by doing ("SELECT Sent")
   into an error; the only place that knows these codes. Reads the server's words and
   response code from s (error.c). Returns -1. */
int imap_fail(struct imap_session *s, int rc, const char *doing, struct err *e);
/* The same for an answer that we framed ourselves: text is what follows the tag,
   "NO [OVERQUOTA] Mailbox is full". */
int imap_fail_text(const char *text, const char *doing, struct err *e);

/* EXAMINE (read_only) or SELECT; cheap when it is selected already. */
int imap_session_select(struct imap_session *s, const char *wire_name,
			bool read_only, struct err *e);

#endif
