/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_VERIFY_H
#define MAILHAUL_CORE_VERIFY_H

#include <signal.h>

#include "core/base/err.h"
#include "storage/ledger/ledger.h"
#include "storage/target.h"

/* Proof: every message that the ledger calls done is looked for on the server, by UID
   and Message-ID; with full, its bytes are fetched and their digest compared. */
struct verify_totals {
	uint64_t folders;
	uint64_t done;	  /* what the ledger says is there */
	uint64_t proved;  /* found, and (full) of the same bytes */
	uint64_t missing; /* not found */
	uint64_t changed; /* found, but another message or other bytes */
	uint64_t others;  /* mail that is not ours */
	uint64_t bytes_read;
};

struct verify_finding {
	const char *folder;
	const char *what; /* "missing", "changed" */
	const char *message_id, *subject;
	uint32_t uid; /* 0: none */
	const char *text;
};

struct verify_options {
	bool full;
	void (*finding)(void *ctx, const struct verify_finding *f);
	void (*folder)(void *ctx, const char *folder,
		       const struct verify_totals *so_far);
	void *ctx;
	const volatile sig_atomic_t *stop;
};

int verify_run(struct ledger *led, struct target *t,
	       const struct verify_options *opt, struct verify_totals *totals_r,
	       struct err *e);

#endif
