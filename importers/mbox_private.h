/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_PRIVATE_H
#define MAILHAUL_IMPORTERS_MBOX_PRIVATE_H

#include "importers/mbox_bytes.h"
#include "importers/mbox_head.h"
#include "importers/mbox_mark.h"
#include "importers/mbox_reader.h"

#include <sys/stat.h>

/* The reader's inside, for the files that it is made of:

   mbox_reader.c  the interface, and the way from separator to separator
   mbox_start.c   the file's beginning, arriving in its middle, growing
   mbox_judge.c   whether a line is a separator
   mbox_length.c  where Content-Length leads
   mbox_window.c  the window, and what is given out of it
   mbox_mmdf.c    files whose messages are between lines of ^A

   R1  Every byte from the first separator on belongs to exactly one message: its
       separator line, its content, the one blank line behind it, or NULs that a crash left
       there. The lengths add up to the file.
   R2  The window never grows. What is looked at ahead of a decision fits into it; of longer
       lines and headers only what fits has a say.
   R3  pos is the first byte not given out, and up to WINDOW_BACK bytes before it stay in
       the window, so that looking back over a line end needs no memory.
   R4  NULs right in front of pos may be held: neither given out nor dropped, until it is
       seen whether the message ends with them. With them is held the blank line in front of
       them. */

/* As mbox_reader_open, with a window of another size: tests get to its edges with
   little input. look: how far ahead a decision may look; the window must hold
   MBOX_WINDOW_LEAST bytes besides. */
enum { MBOX_WINDOW_LEAST = 1024 };
int mbox_reader_open_window(int fd, const char *name, enum mbox_quoting quoting,
			    bool thunderbird, size_t window, size_t look,
			    struct mbox_reader **r_r, struct err *e);

enum {
	WINDOW = 320 << 10,
	WINDOW_BACK = 512,
	SEPARATOR_MAX = 1024,
	/* Not given out before it is known what follows: a '>' or a blank line,
	   and a "From " cut in two. */
	HOLD = 8,
};

enum reader_state {
	AT_START,     /* nothing looked at yet */
	AT_SEPARATOR, /* pos is at a separator */
	AT_JUMP, /* pos is where a separator was when somebody wrote it down */
	AT_END,
	AT_FAULT, /* reading failed in the middle of a message */
};

/* Where what is given out goes. */
enum reader_sink {
	SINK_JUNK,    /* counted: it is in front of the first message */
	SINK_NOWHERE, /* stepped over */
	SINK_INTAKE,
};

/* How the writer of Content-Length counted line ends, other than they are. */
enum length_habit {
	LENGTH_AS_IS,
	LENGTH_CRLF, /* each LF as two: the file came from where it had CRLF */
	LENGTH_LF,   /* each CRLF as one */
};

struct mbox_reader {
	struct mbox_bytes *bytes;
	int fd;
	char *name;
	struct stat st;	       /* when it was opened ... */
	struct mbox_mark mark; /* ... with what was at its end */
	bool has_mark;

	enum mbox_quoting quoting;
	bool bare_expected, git_expected;
	bool thunderbird; /* the writer is: it quotes, and writes no
			     Content-Length */
	bool cr_only;	  /* the whole file has CRs for line ends */
	bool mmdf;
	bool grown; /* there was more at the end than when it was opened */
	uint64_t limit; /* a message that begins here or behind is for the next
			   run */

	char *window;
	size_t size_of_window, look;
	size_t pos, end;
	size_t from;   /* searched up to here; >= pos but for what was held back
			*/
	uint64_t base; /* the file's offset of window[0] */
	bool eof;      /* window[end] is the file's end ... */
	bool damaged;  /* ... or nothing behind it can be read */
	struct err damage;
	bool run;      /* only '>' lie between a line's begin and window[0] */
	struct {
		uint64_t nuls;
		char blank[2];
		size_t n_blank;
		bool line; /* the NULs began a line */
	} held; /* R4 */

	enum reader_state state;
	enum reader_sink sink;
	struct intake *in;
	bool headless; /* the message at pos has no separator line */
	bool jumps;    /* messages are asked for by their offsets ... */
	uint64_t bound; /* ... and end here; 0 if that is not known */
	int score;
	unsigned reasons;
	bool glued;	  /* the separator is behind text or NULs */
	uint64_t first;	  /* where the first message begins ... */
	bool first_headless; /* ... and it has no separator line */
	uint64_t content; /* the file's offset where a line begins for sure:
			     behind the separator line */
	uint64_t ended;	  /* where what was given out whole ends */
	struct mbox_head head;
	uint64_t stop; /* the next separator, as Content-Length has it and as
			  was seen there; 0 if unknown */
	enum length_habit habit;
	unsigned lies;	 /* Content-Lengths that led nowhere */
	uint64_t looked; /* bytes looked at far ahead */
	/* The intake would not take the message at hand (no room for a
	   temporary file): the rest of it goes nowhere. */
	bool refused;
	struct err refusal;
	struct buf separator, line, why;
	uint64_t rejected, junk, padding;

	void (*doubt)(void *ctx, const struct split_doubt *d);
	void *doubt_ctx;
};

/* mbox_window.c */
void mbox_fill(struct mbox_reader *r);
/* Let go of what was given out, and read on. */
void mbox_move_on(struct mbox_reader *r);
/* Begin the window anew at an offset, with a little in front of it. */
void mbox_jump(struct mbox_reader *r, uint64_t offset);
bool mbox_line_start(const struct mbox_reader *r, size_t at);
/* Whether only '>' lie between at and the begin of its line. */
bool mbox_in_run(const struct mbox_reader *r, size_t at);
/* The length of the blank line in front of at, 0 if there is none. */
size_t mbox_blank_before(const struct mbox_reader *r, size_t at);
/* NULs in front of at, as far as they are in the window or held: 0 none, 1 behind text, 2
   they begin a line. */
int mbox_nuls_before(const struct mbox_reader *r, size_t at);
/* Give out what is before to. */
int mbox_give(struct mbox_reader *r, size_t to, struct err *e);
/* Likewise, as the window must move, but for what may be dropped yet (R4). */
int mbox_release(struct mbox_reader *r, size_t to, struct err *e);
/* The same up to a separator or the file's end at to, without what lies between messages.
   Leaves pos at to. */
int mbox_give_last(struct mbox_reader *r, size_t to, struct err *e);

/* mbox_judge.c */
/* "From " at index at: 1 it is a separator, and pos is there; 0 it is not; -1. */
int mbox_judge(struct mbox_reader *r, size_t at, struct err *e);
/* Weigh it, and keep score and reasons. */
void mbox_weigh(struct mbox_reader *r, size_t at, bool first);
/* What was weighed is to be told. */
bool mbox_weak(const struct mbox_reader *r);
/* May "From " in the middle of a line be one that lost the line end in front of it? */
bool mbox_looks_glued(const struct mbox_reader *r, size_t at);
void mbox_tell_doubt(struct mbox_reader *r, size_t at, bool taken);
bool mbox_says_from(const struct mbox_reader *r, size_t at);

/* mbox_length.c */
/* Look where Content-Length leads, if the header at pos has one: sets stop. */
void mbox_begin_message(struct mbox_reader *r);

/* mbox_start.c */
int mbox_start(struct mbox_reader *r, struct err *e);
int mbox_arrive(struct mbox_reader *r, struct err *e);
/* As if nothing had been read. */
void mbox_reader_rewind(struct mbox_reader *r);
/* Keep the separator's text; the first one also tells the writer's habits. */
void mbox_take_separator(struct mbox_reader *r, bool first);
/* At the end of the bytes there were: are there more by now? */
bool mbox_grow(struct mbox_reader *r);

/* mbox_mmdf.c */
bool mbox_is_mmdf(const char *text, size_t n);
/* As mbox_scan, for such files. */
int mbox_mmdf_scan(struct mbox_reader *r, struct err *e);

/* mbox_reader.c */
/* Give out everything up to the next separator: 1, 0 at the file's end, -1. */
int mbox_scan(struct mbox_reader *r, struct err *e);
/* Nothing more in this window: 1 to search on, 0 at the end of the file, -1. */
int mbox_next_window(struct mbox_reader *r, struct err *e);
void mbox_skip_line(struct mbox_reader *r);

#endif
