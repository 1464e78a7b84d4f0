/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CMD_OUT_H
#define MAILHAUL_CMD_OUT_H

#include "cmd/cmd.h"
#include "core/event.h"

/* What people and programs get to see: text, or one JSON object a line. */

/* The summary object of the command line's contract. */
struct summary {
	const char *command;
	bool dry_run;
	struct ledger_totals totals;
	uint64_t bytes_read, bytes_sent;
	double seconds;
	/* verify: */
	bool has_proof;
	uint64_t proved, missing, changed, others;
};

/* The sink for engine events; ctx is a struct out. */
struct out;
struct out *out_new(const struct options *o, bool plan);
void out_free(struct out *out);
void out_event(void *ctx, const struct event *ev);
/* Take the progress line away, so that other lines can follow. */
void out_clear(struct out *out);

void out_summary(struct out *out, const struct summary *s);
/* The object alone. */
void out_json_summary(const struct summary *s);
/* scan --explain-splits: fits importer_options.doubt; ctx is the struct options. */
void out_split(void *ctx, const struct split_doubt *d);
/* An error ends the command: one line on standard error; with --json also an object,
   and a summary of nothing if there was none yet. */
void out_error(bool json, const char *command, const struct err *e);
/* The object alone, in front of a summary. */
void out_json_error(const struct err *e);

/* "12.3 MiB" in a small static ring of buffers. */
const char *human_bytes(uint64_t n);
const char *human_count(uint64_t n);
/* "3 min 05 s" */
const char *human_seconds(double s);
double seconds_now(void);

/* Pad text to columns on the terminal. */
void print_padded(const char *text, int columns);
/* One JSON object a line; made by jansson, freed here. */
struct json_t;
void out_json(struct json_t *object);
/* A JSON string of bytes that may not be UTF-8; null for NULL. */
struct json_t *json_text(const char *s);

#endif
