/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_SCRAM_H
#define MAILHAUL_STORAGE_IMAP_SCRAM_H

#include "core/base/buf.h"

#include <stddef.h>

/* The client's side of SCRAM (RFC 5802, RFC 7677) without channel binding. Bytes in,
   bytes out: who carries them does not matter here. */
struct scram;

/* hash is OpenSSL's name: "SHA1", "SHA256". user is ASCII. nonce is for tests; NULL:
   a fresh one. NULL when the hash is not to be had. */
struct scram *scram_new(const char *hash, const char *user, const char *nonce);
void scram_free(struct scram *s);

/* Append the first message. */
void scram_first(struct scram *s, struct buf *out);
/* Read the server's first message, append ours: the proof. -1 with a reason when it
   cannot be answered safely; nothing made of the password has been shown then. */
int scram_answer(struct scram *s, const char *in, size_t n, const char *password,
		 size_t password_len, struct buf *out, const char **why_r);
/* Has the server proved that it knows the password? 0, or -1. */
int scram_verify(struct scram *s, const char *in, size_t n);

#endif
