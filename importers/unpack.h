/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_UNPACK_H
#define MAILHAUL_IMPORTERS_UNPACK_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Files that were compressed to save space: mboxes put away as .gz, .bz2, .xz or .zst, and
   messages of a Maildir that Dovecot's zlib plugin wrote. Known by their first bytes, not
   by their names. Several compressed streams one after the other are one file, as gzip(1)
   and its kin have it. */
enum packing { PACKED_NOT, PACKED_GZIP, PACKED_BZIP2, PACKED_XZ, PACKED_ZSTD };
enum packing unpack_looks(const char *head, size_t n);
/* "gzip" ...; "" */
const char *unpack_name(enum packing how);

/* A file as it was before. A file that is not compressed reads as it is, without being
   copied. Memory is bounded (UNPACK_MEMORY, whatever the file asks for). */
enum { UNPACK_MEMORY = 144 << 20 };
struct unpack;

/* Reads fd from its beginning, whatever its position; fd stays the caller's. name is for
   errors. */
int unpack_open(int fd, const char *name, struct unpack **u_r, struct err *e);
void unpack_close(struct unpack *u);
enum packing unpack_packing(const struct unpack *u);
/* At most n bytes: how many, 0 at the end, -1 (ERR_SOURCE of scope ERR_FOLDER: damaged or
   cut off; the name, the place in the compressed file and what to do are in the text). A damaged
   file gives the bytes before the damage first. */
ssize_t unpack_read(struct unpack *u, char *bytes, size_t n, struct err *e);
/* Go to a byte of the unpacked file; forward in a compressed one reads over what is
   between, back begins anew. */
int unpack_seek(struct unpack *u, uint64_t offset, struct err *e);
/* Bytes of the file itself taken so far: for progress. */
uint64_t unpack_taken(const struct unpack *u);

#endif
