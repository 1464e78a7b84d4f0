/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_APPEND_INTERNAL_H
#define MAILHAUL_STORAGE_IMAP_APPEND_INTERNAL_H

#include "core/base/buf.h"
#include "core/base/flags.h"
#include "storage/imap/append.h"
#include "storage/imap/pace.h"
#include "storage/imap/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the files of the append pipeline share: append_command.c keeps lists,
   append_send.c makes and sends, append_answer.c reads one line, append_wait.c waits,
   append.c decides. */

enum {
	APPEND_SCRATCH = 64 << 10, /* for a spool that lies in a file */
};

/* A batch that the caller has not got back. */
struct append_open {
	struct append_open *next;
	struct append_batch *batch;
	size_t waiting; /* items without a result */
};

/* A command, or what is to become one or more. Items that have a result already (it
   was never possible to send them) are passed over. */
struct append_command {
	struct append_command *next;
	struct append_open *open;
	size_t first, end; /* of the batch's items */
	uint64_t bytes;	   /* of their literals */
	/* In flight only. */
	uint64_t tag;
	int64_t begun_ms;
	uint64_t begun, ended; /* counted in bytes sent; ended is 0 in the making */
	bool sent;	       /* its last byte has left */
	char *refusal;	       /* "NO words" that came before that */
};
struct append_list {
	struct append_command *first, **last;
	size_t n;
	uint64_t bytes;
};

struct imap_append {
	struct imap_session *s;
	struct wire wire;
	struct append_open *open;
	struct append_list todo, flight;

	/* The command in the making: items before item are done with. */
	struct append_command *sending;
	size_t item;
	enum { AT_ITEM, AT_GO_AHEAD, AT_DATA } at;
	uint64_t offset; /* into that item's bytes */

	struct buf out; /* made; from out_at on not sent */
	size_t out_at;
	uint64_t sent;	/* bytes since the beginning */
	uint64_t tag;	/* the last one given */
	struct buf head;  /* a folder's name, quoted */
	struct buf doing; /* "APPEND folder", for people */
	struct buf alert; /* the last one that people were told */
	struct flags flags;
	char *scratch;

	bool ended, dead, told;
	struct err why; /* with ended or dead; the caller knows it when told */

	struct pace *pace, own_pace;
	bool held;
	uint64_t aside; /* bytes of untagged answers since the last one that was due */
	int64_t moved_ms; /* when something last went out or came in */

	/* The line, since the first batch. */
	int64_t first_ms, line_ms;
	uint64_t first_sent;
};

/* append_command.c */
void append_list_init(struct append_list *l);
void append_list_push(struct append_list *l, struct append_command *c);
void append_list_push_front(struct append_list *l, struct append_command *c);
void append_list_unlink(struct append_list *l, struct append_command *c);
struct append_command *append_command_new(struct append_open *open, size_t first,
				   size_t end);
void append_command_free(struct append_command *c);
/* The first item from i on that still has to go; c->end if there is none. */
size_t append_command_next(const struct append_command *c, size_t i);
size_t append_command_count(const struct append_command *c);
/* Give an item its result, or all items of c that have none yet. */
void append_settle(struct append_open *open, size_t i, enum append_result result);
void append_settle_all(struct append_command *c, enum append_result result);

/* append_send.c */
bool append_can(const struct imap_append *a, enum imap_capability cap);
bool append_is_flushed(const struct imap_append *a);
/* Is there anything that we could send if the socket took it? */
bool append_has_to_send(const struct imap_append *a);
/* Make and send what the socket takes: 1 when it took something, 0, -1. An error of
   less than ERR_ACCOUNT is about the bytes of the item in the making. */
int append_say(struct imap_append *a, struct err *e);
/* The connection is lost: c's items are unknown or unsent. */
void append_settle_lost(struct imap_append *a, struct append_command *c);

/* append.c */
/* The connection is lost, for the reason in e. */
void append_lose(struct imap_append *a, const struct err *e);
/* c was refused in these words, "NO words"; it is over, and freed. */
void append_refused(struct imap_append *a, struct append_command *c, const char *words);

#endif
