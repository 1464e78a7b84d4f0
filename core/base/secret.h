/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_SECRET_H
#define MAILHAUL_BASE_SECRET_H

#include "core/base/err.h"

#include <stddef.h>

/* A password or an access token. While a secret is alive its bytes (and their
   base64 form) are known to the log, which writes [secret] in their place.
   Secrets are never copied into anything that outlives the login. */
struct secret {
	char *bytes; /* NUL-terminated; NULL when there is none */
	size_t len;
};
#define SECRET_INIT { .bytes = NULL }

/* Keep a copy of n bytes. CR, LF and NUL inside are refused: no protocol we
   speak can carry them. */
int secret_set(struct secret *s, const char *bytes, size_t n, struct err *e);
/* The first line of a file. A file that others may read is refused. */
int secret_from_file(struct secret *s, const char *path, struct err *e);
/* The first line that a command, run by /bin/sh, prints. Its exit status must
   be 0. MAILHAUL_PASSWORD is not in its environment. */
int secret_from_command(struct secret *s, const char *command, struct err *e);
/* Overwrite and forget. Harmless on an empty secret. */
void secret_wipe(struct secret *s);

#endif
