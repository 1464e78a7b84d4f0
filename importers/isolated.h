/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_ISOLATED_H
#define MAILHAUL_IMPORTERS_ISOLATED_H

#include "importers/importer.h"

/* Runs an importer in a child process: what it does to itself (it crashes, hangs or eats
   memory, because a library below it was never meant for damaged files) costs what it was
   reading, and nothing else. The importer inside is an ordinary one; so is what its user
   sees.

   I1  The child holds no descriptor but its end of a socket pair and what it opens
       itself, ends with its parent, and is reaped.
   I2  A message reaches the user's intake only after the importer inside has read it to
       its end: there are no halves.
   I3  The child that dies while it loads a message costs that message; while it looks for
       the next message, the folder's rest; while it looks for the next folder or opens the
       source, the source. A new child goes on behind.
   I4  What comes from the child is checked (isolated_wire.h) and bounded (below): it may
       do the bidding of the file it reads.

   The importer inside is opened as if nothing were known of earlier runs, and its bookmarks
   are not used. When it has a pass callback, a new child reads again what lies in front of
   the place to go on at.

   isolated_open forks, and so wants to be called where there are no other threads, or none
   that could hold a lock that a child would need; and by a thread that lives as long as
   the importer. The other callbacks may be called by any thread, one at a time
   (isolated_nursery.h). */
struct isolated_limits {
	uint64_t memory;	/* of the child's address space; 0: no limit */
	unsigned open_seconds;	/* to open the source ... */
	unsigned silent_seconds;/* ... and without a word from then on */
	unsigned cpu_seconds;	/* for one answer */
	unsigned children;	/* for one source */
	uint64_t message_bytes; /* of one message */
	uint64_t items;		/* folders, messages and errors of one source */
};
extern const struct isolated_limits isolated_usual;

/* Open path by inner in a child of its own. ops is the table the user calls through, and
   made of the functions below. */
int isolated_open(const struct importer_ops *ops,
		  const struct importer_ops *inner,
		  const struct isolated_limits *limits, const char *path,
		  const struct importer_options *opt, struct importer **imp_r,
		  struct err *e);
int isolated_next_folder(struct importer *imp, struct folder *f, struct err *e);
int isolated_next(struct importer *imp, struct message *m, struct err *e);
int isolated_load(struct importer *imp, struct message *m, struct err *e);
int isolated_pass(struct importer *imp, uint64_t length, struct err *e);
const char *isolated_remark(struct importer *imp, unsigned nth);
void isolated_close(struct importer *imp);

#endif
