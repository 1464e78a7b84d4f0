/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_BUF_H
#define MAILHAUL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* A growable byte buffer. data is never NULL and always has a NUL after len
   bytes, but the bytes themselves may contain NULs: mail does.

   Allocation does not fail: if it does, the run ends with a line on standard
   error, and the next run picks up (the ledger's invariants see to that). */
struct buf {
	char *data;
	size_t len, cap;
};
extern char buf_empty[];
#define BUF_INIT { .data = buf_empty }

void buf_init(struct buf *b);
/* Give the memory back; b is as new afterwards. */
void buf_free(struct buf *b);
/* Forget the bytes, keep the memory: for loops. */
void buf_reset(struct buf *b);
/* Forget the bytes and, when more than keep bytes are held, the memory too. */
void buf_shrink(struct buf *b, size_t keep);
/* Make room for n more bytes behind len (and the NUL). */
void buf_grow(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Cut to len bytes; len must not be larger than b->len. */
void buf_cut(struct buf *b, size_t len);
/* Remove n bytes from the front. */
void buf_drop_front(struct buf *b, size_t n);
/* Replace the content by s. */
void buf_set_str(struct buf *b, const char *s);
/* Hand the bytes to the caller, who frees them; b is as new afterwards. */
char *buf_detach(struct buf *b);
bool buf_equal(const struct buf *a, const struct buf *b);

/* malloc, calloc, realloc and strdup that end the run instead of failing. */
void *mem_alloc(size_t n);
void *mem_zalloc(size_t n);
void *mem_realloc(void *p, size_t n);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);

#endif
