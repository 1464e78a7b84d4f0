/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_ENGINE_INTERNAL_H
#define MAILHAUL_CORE_ENGINE_INTERNAL_H

#include "core/budget.h"
#include "core/engine.h"
#include "core/repair.h"

/* Shared by engine.c (attempts), plan.c (what there is to do), transfer.c (one folder),
   send.c (batches), mend.c (repairs), settle.c (open intents) and adopt.c (mail that is
   there already). */

struct adopt_seen;
/* A message in a form that it may have on the server. */
struct form {
	uint64_t size;
	struct digest digest;
};

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
	char *bookmark; /* how far it was read before, and is as it was; or NULL */
	char *next_bookmark; /* how far it was read now; or NULL */
	char *account;	/* of the client */
	uint64_t bytes;

	bool read_to_end;
	bool clean;	      /* nothing failed, nothing was left out by date */
	bool unresolved;      /* its end was not written down: record_folder_end */
	uint64_t outstanding; /* messages in flight or in a batch */
	uint64_t put_off;     /* messages that wait for the second round */
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
	struct message m; /* first: it comes back from the thread that reads */
	int64_t id; /* in the ledger */
	int64_t date;
	struct work *work;
	/* adopt.c */
	bool adopted;	  /* it is on the server */
	unsigned by;	  /* candidates by this form's size are looked at ... */
	uint32_t looked;  /* ... and were, up to this UID */
	struct form *others; /* what may have become of it there, or NULL */
	unsigned n_others;
	/* mend.c */
	unsigned known_repairs; /* the ledger's, of an earlier attempt */
	unsigned repairs; /* enum repair: then fixed has the bytes that go out */
	struct intake *fixed;
	char *refusal;	  /* what the server said of it as it was, or NULL */
	struct outgoing *next;
};
struct outgoing_list {
	struct outgoing *first, *last;
	size_t n;
	uint64_t bytes;
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
	struct target_quota quota;
	struct budget budget;
	bool all_answered; /* nothing is on its way any more */
	bool second_round; /* of what was put off: partial messages */
	bool told_server; /* people know its quota and its ways */
	uint64_t altered; /* messages that it is known to change */

	struct flight *filling; /* the batch under construction, or NULL */
	size_t in_flight;	/* batches the target has */
	struct outgoing_list waiting, again; /* send.c */
	struct adopt_seen *seen;	     /* adopt.c; NULL */
	struct outgoing *free_messages;
	struct flight *free_flights;

	struct event_progress progress;
	int64_t connected_ms;	    /* clock_ms() */
	int64_t lost;		    /* when a connection was lost in this run; 0 */
	uint64_t bytes_sent_before; /* by connections that are closed */
	uint64_t folders_failed;
	/* What was said of sources, so that each is said once in a run. */
	struct remarks_told {
		size_t source;
		char *text;
	} *told;
	size_t n_told;
};

void engine_event(struct engine *g, struct event *ev);
bool engine_stopped(const struct engine *g);
/* Wait, in steps, so that Ctrl-C is heard: 0, or -1 with ERR_INTERRUPTED. */
int engine_sleep(const struct engine *g, int64_t ms, struct err *e);

/* Open a source, with what the ledger knows of its folders. */
int engine_open_source(struct engine *g, size_t source, struct importer **imp_r,
		       struct err *e);

/* Make the plan: every folder of every source, those that are unchanged accounted for
   and left out. */
int plan_make(struct engine *g, struct err *e);
void plan_free(struct plan *p);
/* Keep the work of which messages were put off; everything else is through, and nothing
   is on its way. False if there is none. */
bool plan_second_round(struct plan *p);

/* Connect if need be; make, open and settle every place of the plan. A folder that
   cannot be had is marked, and is no failure. */
int engine_prepare(struct engine *g, struct err *e);

/* Settle the open intents of a place (L3). Its server part is filled in. */
int settle_place(struct engine *g, struct place *p, struct err *e);

/* Adoption: list what the server has got since we looked last that is not ours. p's
   server part is filled in, open intents are settled; after_doubts tells that there were
   any. */
int adopt_list(struct engine *g, struct place *p, bool after_doubts,
	       struct err *e);
/* Is there anything on the server that o may be? 1, 0, -1. */
int adopt_has_candidate(struct engine *g, const struct place *p,
			struct outgoing *o, struct err *e);
/* Which of these messages, all of one place, are on the server already? They are marked
   adopted, and written down as done and as COPY_ALREADY's. The pipeline is idle. */
int adopt_look(struct engine *g, struct outgoing_list *l, struct err *e);
void adopt_forget(struct outgoing *o);
/* Other folders, other UIDs: nothing that was fetched counts any more. */
void adopt_reset(struct engine *g);

/* record.c: into the ledger, and as events. Texts may be NULL. */
void record_subject(const struct outgoing *o, struct buf *subject);
void record_news(struct engine *g, const struct work *w,
		 const struct outgoing *o, const char *subject,
		 enum ledger_copy_state state, const char *why);
int record_copy(struct engine *g, struct work *w, struct outgoing *o,
		int64_t message, enum ledger_copy_state state, const char *why,
		struct err *e);
/* It could not be read. */
int record_unread(struct engine *g, struct work *w, struct outgoing *o,
		  const char *why, struct err *e);
int record_plan(struct engine *g, struct work *w, struct outgoing *o,
		int64_t *id_r, struct err *e);
/* The folder has come to its end, if nothing of it is outstanding. */
int record_folder_end(struct engine *g, struct work *w, struct err *e);

/* Nothing is on its way: write down the end of folders that waited for others. */
int record_unresolved(struct engine *g, struct err *e);

/* mend.c: what does not go out as the store has it. */
/* The bytes to send. */
const struct intake *mend_bytes(const struct outgoing *o);
/* Before it is sent: repairs that are known to be needed. */
int mend_before(struct engine *g, struct outgoing *o, struct err *e);
/* It was refused. 1: it is repaired, planned, and to be sent again; 0: no; -1. */
int mend_refused(struct engine *g, struct outgoing *o, const struct err *why,
		 struct err *e);
/* For the report: how it was repaired and why; nothing when it was not. */
void mend_describe(const struct outgoing *o, struct buf *out);
void mend_forget(struct outgoing *o);
void mend_free(struct outgoing *o);

/* late.c: add the flags that came late on the server. The pipeline is idle. */
int late_add(struct engine *g, struct err *e);

/* Tell what an importer has to remark on and has not before. */
void plan_remarks(struct engine *g, size_t source, struct importer *imp);
void plan_forget_remarks(struct engine *g);

/* Does the plan take mail of this account? */
bool plan_takes_account(const struct engine *g, const char *account);

/* Read and send what work says. imp stands on its folder. */
int transfer_folder(struct engine *g, struct work *w, struct importer *imp,
		    struct err *e);

/* send.c */
struct outgoing *send_take(struct engine *g);
void send_give_back(struct engine *g, struct outgoing *o);
struct outgoing *send_pop(struct outgoing_list *l);
/* The message (id in the ledger) is to go out; *kept_r tells that o is on its way now
   and not the caller's any more, also after -1. */
int send_message(struct engine *g, struct work *w, struct outgoing *o,
		 int64_t id, bool *kept_r, struct err *e);
/* Does it wait, for adoption or to be sent once more? The ledger calls it planned. */
bool send_waits(const struct engine *g, int64_t id);
/* Flags of another copy of a message that has not gone out yet go with it; false if
   there is no such message. */
bool send_unite(struct engine *g, int64_t id, const struct flags *flags);
/* Take answers; with wait until nothing is in flight. */
int send_collect(struct engine *g, bool wait, struct err *e);
/* Send what was repaired. */
int send_again(struct engine *g, struct err *e);
/* Send everything there is, and wait for every answer. */
int transfer_finish(struct engine *g, struct err *e);
/* Take back what a broken connection left behind: confirmed ones are confirmed,
   unsent ones retracted, the rest stays open for settling. */
void transfer_abandon(struct engine *g);
void transfer_free(struct engine *g);

#endif
