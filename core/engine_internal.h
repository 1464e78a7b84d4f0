/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_ENGINE_INTERNAL_H
#define MAILHAUL_CORE_ENGINE_INTERNAL_H

#include "core/engine.h"

/* Shared by engine.c (attempts), plan.c (what there is to do), transfer.c (one folder)
   and settle.c (open intents). */

/* A folder of the target. Several folders of sources may share one. */
struct place {
	struct mapped_folder map;
	struct ledger_target_folder ledger;
	struct target_folder server;
	bool known;  /* the ledger has its name on the server */
	bool ready;  /* server is filled in, intents are settled */
	bool foreign;/* the server has mail there that is not ours: adopt.c */
	bool failed; /* it cannot be had: why */
	struct err why;
};

/* A folder of a source that must be read. */
struct work {
	size_t source;	 /* index into the options' sources */
	char *id, *shown;
	size_t place;	 /* index into the plan's places */
	int64_t ledger_folder;
	char *fingerprint;
	bool is_new; /* the ledger has no copies of it */
	bool trust_locators;
	uint64_t bytes;

	bool read_to_end;
	bool clean;	      /* nothing failed, nothing was left out by date */
	uint64_t outstanding; /* messages in flight or in a batch */
};

struct plan {
	struct work *work;
	size_t n_work;
	struct place *places;
	size_t n_places;
	uint64_t bytes;
};

/* A message on its way out, and the batch it is in. Both are reused. */
struct outgoing {
	struct message m;
	int64_t id; /* in the ledger */
	int64_t date;
	struct work *work;
	struct outgoing *next;
};

struct flight {
	struct append_batch batch; /* first: it comes back from the target */
	size_t cap;
	size_t place;
	struct flight *next;
};

struct engine {
	const struct engine_options *opt;
	struct ledger *led;
	int64_t source; /* in the ledger: the one that is open */
	int64_t run, now;
	struct target *target;
	struct plan plan;
	struct target_limits limits;

	struct flight *filling; /* the batch under construction, or NULL */
	size_t in_flight;	/* batches the target has */
	struct outgoing *free_messages;
	struct flight *free_flights;

	struct event_progress progress;
	uint64_t bytes_sent_before; /* by connections that are closed */
	uint64_t folders_failed;
};

void engine_event(struct engine *g, struct event *ev);
bool engine_stopped(const struct engine *g);

/* Open a source, with what the ledger knows of its folders. */
int engine_open_source(struct engine *g, size_t source, struct importer **imp_r,
		       struct err *e);

/* Make the plan: every folder of every source, those that are unchanged accounted for
   and left out. */
int plan_make(struct engine *g, struct err *e);
void plan_free(struct plan *p);

/* Connect if need be; make, open and settle every place of the plan. A folder that
   cannot be had is marked, and is no failure. */
int engine_prepare(struct engine *g, struct err *e);

/* Settle the open intents of a place (L3). Its server part is filled in. */
int settle_place(struct engine *g, struct place *p, struct err *e);

/* Adoption: list what the server has got since we looked last that is not ours. p's
   server part is filled in, open intents are settled. */
int adopt_list(struct engine *g, struct place *p, struct err *e);
/* Is this message, planned as id, on the server already? 1 when it is, and is written
   down as done and as COPY_ALREADY's; 0, -1. The pipeline is idle. */
int adopt_message(struct engine *g, struct place *p, struct outgoing *o,
		  int64_t id, struct err *e);

/* Read and send what work says. imp stands on its folder. */
int transfer_folder(struct engine *g, struct work *w, struct importer *imp,
		    struct err *e);
/* Send the batch under construction, and wait for every answer. */
int transfer_finish(struct engine *g, struct err *e);
/* Take back what a broken connection left behind: confirmed ones are confirmed,
   unsent ones retracted, the rest stays open for settling. */
void transfer_abandon(struct engine *g);
void transfer_free(struct engine *g);

#endif
