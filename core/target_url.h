/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_TARGET_URL_H
#define MAILHAUL_CORE_TARGET_URL_H

#include "core/base/err.h"

#include <stdbool.h>

/* TARGET of the command line, after RFC 5092 in small:
   imaps://USER@HOST[:PORT][/PREFIX] or imap://... USER and PREFIX are
   percent-encoded UTF-8; HOST may be an [IPv6] address. */
struct target_url {
	bool tls;     /* imaps */
	char *user;   /* decoded */
	char *host;   /* without brackets */
	unsigned port;/* 0: the scheme's own */
	char *prefix; /* decoded, '/' between parts; NULL if none */
};

/* Does it look like a TARGET (rather than a SOURCE)? */
bool target_url_is(const char *text);
/* Errors (ERR_USAGE) never repeat the text: someone may have put a password into
   it, which is refused. */
int target_url_parse(const char *text, struct target_url *u_r, struct err *e);
void target_url_free(struct target_url *u);

#endif
