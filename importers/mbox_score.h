/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_SCORE_H
#define MAILHAUL_IMPORTERS_MBOX_SCORE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Is this line that begins with "From " a separator? No single rule is right for the
   writers there are (formats.md section 1.3), so everything that speaks for or
   against it is weighed. The weights are in mbox_score.c. */
enum {
	MBOX_ACCEPT = 4, /* from here on it is taken for a separator ... */
	MBOX_SURE = 8,	 /* ... and from here on without mention */
	/* How much text behind the line's begin is looked at, at most. */
	MBOX_LOOK = 64 << 10,
};

/* What the line itself looks like. */
enum mbox_shape {
	MBOX_BARE,  /* "From ", "From - ": Thunderbird 122 to 131, and older */
	MBOX_NAME,  /* one word, no date: "From bob" */
	MBOX_WORDS, /* several words, no date: "From the office" */
	MBOX_SOME_DATE, /* a time, or a day and a month, somewhere */
	MBOX_DATED, /* ends in a date, as nearly all writers do */
	MBOX_GIT,   /* a commit id and git's fixed date */
};
/* n: without the line end. */
enum mbox_shape mbox_shape(const char *line, size_t n);

/* Thunderbird's own separators: "From - date" and the bare ones. */
bool mbox_is_thunderbird(const char *line, size_t n);

struct mbox_candidate {
	const char *text; /* from "From " on, as much as there is (MBOX_LOOK) */
	size_t n;
	bool all;	/* the text ends where the file ends */
	bool first;	/* nothing but blank lines in front of it */
	bool blank;	/* a blank line in front of it */
	bool nuls;	/* a line of NULs in front of it, without a line end */
	bool glued;	/* text in front of it, without a line end */
	bool landing;	/* the message before says in its Content-Length: here */
	bool bare_expected; /* the writer is known to write bare separators */
	bool git_expected;  /* the file began with a git separator */
};
int mbox_score(const struct mbox_candidate *c, unsigned *reasons_r);
/* What the set of reasons says, for people: "+6 date at the line's end, +2 blank ...". */
void mbox_reasons_add(struct buf *out, unsigned reasons);
/* The message has no separator line at all. */
enum { MBOX_HEADLESS = 1 << 30 };

/* Whether text is inside of a multipart that has begun before: 1 the next boundary line
   is one of it, 0 the boundary is named otherwise first, -1 it is not in text. */
int mbox_inside_mime(const char *text, size_t n, const char *boundary,
		     size_t boundary_len);
/* The score of a candidate that is. */
int mbox_score_inside(int score, unsigned *reasons);

/* Whether the line is a header field (RFC 5322 section 3.6.8, blanks before the
   colon allowed). n: with or without the line end. A URL is none. */
bool mbox_is_field(const char *line, size_t n);
/* Whether text begins with two header fields, the first of which mail has. */
bool mbox_is_header(const char *text, size_t n);

#endif
