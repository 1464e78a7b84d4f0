/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_ENGINE_H
#define MAILHAUL_CORE_ENGINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/event.h"
#include "core/folder_map.h"
#include "core/source.h"
#include "storage/ledger/query.h"
#include "storage/target.h"

/* The engine brings the mail of some sources to one account.

   It works in attempts. An attempt looks at every folder, leaves the unchanged ones
   unread, makes and settles the target folders it needs, and sends what is not there
   yet. When the connection is lost the attempt ends, and the next one does what a
   repeated run of the program would: that is safe by L1-L4, and the only recovery
   there is. */
enum engine_mode {
	ENGINE_MIGRATE,
	ENGINE_PLAN, /* scan, --dry-run: nothing is sent, no server is asked */
};

/* A message that the server does not take. */
enum on_refused {
	ON_REFUSED_REPORT, /* it is listed, with the server's words */
	ON_REFUSED_REPAIR, /* core/repair.h: as little as it takes, written down */
};

struct engine_options {
	enum engine_mode mode;
	const char *command; /* for the ledger's list of runs */
	bool continue_run;   /* go on with the last run, of a process that crashed */
	const struct source *sources;
	size_t n_sources;
	const struct folder_map *map;
	struct importer_options import;
	const char *const *accounts; /* only mail of these (folder.account); NULL: of
					all */
	int64_t since, until; /* messages outside are skipped; DATE_NONE */
	enum on_refused on_refused;
	bool encode_headers;  /* raw 8-bit headers, where the server would damage them */
	uint64_t daily_limit; /* bytes of messages in any 24 hours; 0: the provider's, if
				 it is known */

	/* Called when a connection is first needed, and after it was lost. */
	int (*open_target)(void *ctx, struct target **t_r, struct err *e);
	void *target_ctx;

	/* So long nothing new may come before sends in doubt count as not arrived; 0: 3
	   seconds. See settle.c. */
	unsigned settle_quiet_ms;

	event_sink *sink;
	void *sink_ctx;
	/* Not 0: stop reading, let the batches in flight finish, and return with
	   ERR_INTERRUPTED. */
	const volatile sig_atomic_t *stop;
};

struct engine_result {
	struct ledger_totals totals; /* pending ones: see engine_run */
	uint64_t bytes_read, bytes_sent;
	uint64_t folders_failed;
};

/* 0 when every message found has its state (some may have failed: totals tell), -1
   when the run could not go to its end; then pending counts what was found and did
   not get its turn. result is filled in either way. In ENGINE_PLAN pending is what
   would be sent. */
int engine_run(const struct engine_options *opt, struct ledger *led,
	       struct engine_result *result, struct err *e);

#endif
