/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_LEDGER_FILE_H
#define MAILHAUL_STORAGE_LEDGER_FILE_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The ledger as a file: private to this room. */

/* See to it that path is there: missing folders are made (0700), the file as
   well (0600, empty), whatever the umask says. An existing one is left as it
   is. */
int file_make(const char *path, struct err *e);

/* The real, absolute path of a regular file, for the caller to free: 1; 0 when
   there is nothing; -1. */
int file_real(const char *path, char **real_r, struct err *e);

/* Hold path.lock (0600) until file_unlock, or until this process is gone,
   however it goes. Holds a line that says who we are; it is never unlinked: a
   second process might lock the name and a third the file. -1 (ERR_BUSY) names
   the holder. */
int file_lock(const char *path, int *fd_r, struct err *e);
void file_unlock(int fd);
/* Whether a process holds path.lock now. */
bool file_locked(const char *path);

/* Whether path has a write-ahead log with something in it beside it. */
bool file_has_wal(const char *path);

int file_stamp(const char *path, int64_t *mtime_ns_r, int64_t *size_r);
/* Whether the stamp is as it was, and no log has come. */
bool file_unchanged(const char *path, int64_t mtime_ns, int64_t size);

#endif
