/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_SUMMARY_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_SUMMARY_H

#include "core/base/err.h"
#include "core/base/header.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* What a folder's .msf says of the folder and of each message. */
struct tb_summary;

/* NULL, with e filled in, when there is none that can be read. */
struct tb_summary *tb_summary_load(struct walk *w, const char *msf,
				   struct err *e);
void tb_summary_free(struct tb_summary *s);

/* The folder's name, NULL if the summary has none (most have not). */
const char *tb_summary_name(const struct tb_summary *s);
/* nsMsgFolderFlags. */
uint64_t tb_summary_flags(const struct tb_summary *s);
/* It was read without trouble and has as many messages as it says. */
bool tb_summary_complete(const struct tb_summary *s);
size_t tb_summary_messages(const struct tb_summary *s);
/* It speaks of the mbox as it is now: size and time are the ones it noted. */
bool tb_summary_is_of(const struct tb_summary *s, const struct stat *mbox);

/* The message that is stored under token: for an mbox the offset of its separator
   in decimal, for a Maildir the file name. -1 if there is none. */
ssize_t tb_summary_find(const struct tb_summary *s, const char *token);
uint32_t tb_summary_message_flags(const struct tb_summary *s, ssize_t message);
/* Replace out by its keywords, separated by spaces. */
void tb_summary_keywords(const struct tb_summary *s, ssize_t message,
			 struct buf *out);

/* Whether a header can be that of the message, going by the Message-ID. */
enum tb_same {
	TB_OTHER,
	TB_UNKNOWN, /* the summary has no Message-ID for it */
	TB_SAME,
};
enum tb_same tb_summary_same(const struct tb_summary *s, ssize_t message,
			     const struct header *h);

/* Whether offset lies well inside of a message that the summary knows: what a
   separator there would begin is a part of that message. */
bool tb_summary_inside(const struct tb_summary *s, uint64_t offset);

#endif
