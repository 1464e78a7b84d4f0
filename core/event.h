/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_EVENT_H
#define MAILHAUL_CORE_EVENT_H

#include <stdint.h>

#include "storage/ledger/ledger.h"
#include "storage/target.h"

/* What the engine tells while it works. It prints nothing: cmd/ makes lines, JSON
   objects or a progress line of these. Strings are valid during the call only. */
enum event_type {
	EVENT_REMARK,	     /* text: about a source, for people */
	EVENT_FOLDER,	     /* a folder begins */
	EVENT_FOLDER_DONE,   /* ... and has ended; totals are its own */
	EVENT_FOLDER_FAILED, /* it could not be read or made: text */
	EVENT_MESSAGE,	     /* skipped, failed or worth a note: state, text */
	EVENT_PROGRESS,	     /* often: numbers moved */
	EVENT_CONNECTED,     /* to the target */
	EVENT_WAIT,	     /* a pause of wait_ms before the next attempt: text */
	EVENT_QUOTA,	     /* how full the mailbox is, before the first byte: quota, and
				size, about which at most is to come, if known */
	EVENT_SERVER,	     /* what this server is known to do to mail: text */
};

struct event_progress {
	uint64_t messages;	 /* looked at so far, known ones included */
	uint64_t uploaded;	 /* in this run */
	uint64_t bytes_read;	 /* of stores */
	uint64_t bytes_sent;	 /* on the wire */
	uint64_t bytes_done;	 /* of bytes_total: how far we are */
	uint64_t bytes_total;	 /* of the folders that must be read */
	int64_t started_ms;	 /* clock_ms() */
};

#define EVENT_SIZE_UNKNOWN UINT64_MAX

struct event {
	enum event_type type;
	const char *source, *folder, *target_folder;
	const char *format;  /* EVENT_FOLDER_DONE: of the source; two may have one path */
	const char *account; /* EVENT_FOLDER_DONE: of the client */
	int64_t oldest, newest; /* EVENT_FOLDER_DONE of a plan; DATE_NONE */
	const char *text;
	const char *locator, *subject;
	enum ledger_copy_state state;
	uint64_t size;
	unsigned notes;
	int64_t wait_ms;
	const struct event_progress *progress;
	const struct ledger_totals *totals;
	const struct target_quota *quota;
	bool unchanged; /* EVENT_FOLDER_DONE: it was not read, nothing changed */
};

typedef void event_sink(void *ctx, const struct event *ev);

#endif
