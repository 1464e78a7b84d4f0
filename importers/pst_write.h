/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_WRITE_H
#define MAILHAUL_IMPORTERS_PST_WRITE_H

#include "core/base/intake.h"
#include "importers/pst_props.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a message that is put together goes, and the stations its parts pass on the way.
   Each station is a pst_add with its own struct as ctx. */
struct pst_writer {
	struct intake *in;
	struct buf hold;   /* small pieces, until they are worth passing on */
	uint64_t n, most;  /* bytes so far; at most so many */
	char key[40];	   /* what this message's boundaries begin with */
	unsigned parts;	   /* boundaries made so far */
	unsigned depth;	   /* messages in messages */
	unsigned notes;	   /* NOTE_..., for the message */
	bool failed;	   /* what was written could not be kept */
};
void pst_writer_init(struct pst_writer *w, struct intake *in, uint64_t most);
void pst_writer_free(struct pst_writer *w);
int pst_write(void *writer, const char *bytes, size_t n, struct err *e);
int pst_write_text(struct pst_writer *w, const struct buf *text, struct err *e);
/* Pass on what is held. */
int pst_write_end(struct pst_writer *w, struct err *e);

/* Base64 in lines of 76 characters (RFC 2045 section 6.8). */
struct pst_base64 {
	struct pst_writer *w;
	char held[57]; /* bytes of a line */
	size_t n;
};
int pst_base64_add(void *base64, const char *bytes, size_t n, struct err *e);
int pst_base64_end(struct pst_base64 *b, struct err *e);

/* A string as it is stored, to text: UTF-16 becomes UTF-8, anything else stays, and NULs
   at the end, which some writers count in, are left out. */
struct pst_plain {
	bool wide;
	pst_add add;
	void *ctx;
	uint64_t nuls;	   /* held back */
	char odd;	   /* half of a unit of UTF-16 */
	bool has_odd;
	uint32_t high;	   /* half of a pair */
	struct buf out;
};
void pst_plain_init(struct pst_plain *p, bool wide, pst_add add, void *ctx);
int pst_plain_add(void *plain, const char *bytes, size_t n, struct err *e);
int pst_plain_end(struct pst_plain *p, struct err *e); /* and frees */
void pst_plain_free(struct pst_plain *p);

/* What is to be known of a text before it is written. */
struct pst_scan {
	uint64_t n;
	uint64_t line, longest;
	bool high, escape, nul, lone_cr, cr, ends_with_eol;
	const char *key;    /* of boundaries: a text may hold it by malice */
	size_t matched;	    /* of "--" and key, at this line's begin; SIZE_MAX: none */
	bool has_key;
	bool want_cids;	    /* collect "cid:..." */
	struct buf cid;	    /* the one that is being collected */
	unsigned cid_state; /* characters of "cid:" seen, then 4 */
	struct buf cids;    /* each with its NUL */
	size_t n_cids;
};
void pst_scan_init(struct pst_scan *s, const char *key, bool want_cids);
void pst_scan_free(struct pst_scan *s);
int pst_scan_add(void *scan, const char *bytes, size_t n, struct err *e);
bool pst_scan_has_cid(const struct pst_scan *s, const char *id);

#endif
