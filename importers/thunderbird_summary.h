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
/* It was read without trouble, has as many messages as it says, and was not marked as
   out of date by the program itself. */
bool tb_summary_complete(const struct tb_summary *s);
size_t tb_summary_messages(const struct tb_summary *s);
/* Of those, the ones that have none of these flags. */
size_t tb_summary_without(const struct tb_summary *s, uint32_t flags);
/* It speaks of the mbox as it is now: size and time are the ones it noted. As the
   program does, it takes a time for the same that is an hour off: FAT keeps local
   time, and its clock goes in steps. */
bool tb_summary_is_of(const struct tb_summary *s, const struct stat *mbox);
/* The same of a Maildir: the program says so itself. */
bool tb_summary_is_of_maildir(const struct tb_summary *s);

/* Whether a header can be that of a message, going by the Message-ID. */
enum tb_same {
	TB_OTHER,
	TB_UNKNOWN, /* the summary has no Message-ID for it */
	TB_SAME,
};
/* The message that is stored under token: for an mbox the offset of its separator
   in decimal, for a Maildir the file name. Where several claim to be, one that has
   all of the flags, and the one whose Message-ID is that of h (may be NULL: anyone)
   comes first. -1 if there is none. same_r may be NULL. */
ssize_t tb_summary_find(const struct tb_summary *s, const char *token,
			uint32_t flags, const struct header *h,
			enum tb_same *same_r);
uint32_t tb_summary_message_flags(const struct tb_summary *s, ssize_t message);
/* Replace out by its keywords, separated by spaces. False if there is no word about
   them: before version 2 there were labels, 1 to 5, in *label_r (otherwise 0). */
bool tb_summary_keywords(const struct tb_summary *s, ssize_t message,
			 struct buf *out, unsigned *label_r);
/* Junk is what the program shows as junk, whoever found it so. Not junk is what a
   person or one of their filters has said to be none: that the program's own guess is
   "no" says nothing, it is so of nearly every message. */
enum tb_junk { TB_JUNK_UNKNOWN, TB_JUNK, TB_NOT_JUNK };
enum tb_junk tb_summary_junk(const struct tb_summary *s, ssize_t message);
/* Differs when anything of the above does. */
uint64_t tb_summary_print(const struct tb_summary *s, ssize_t message);
/* Differs when that of any message of an mbox in front of end does, or when there are
   others. */
uint64_t tb_summary_prints(const struct tb_summary *s, uint64_t end);

/* Whether offset lies well inside of a message that the summary knows: what a
   separator there would begin is a part of that message. */
bool tb_summary_inside(const struct tb_summary *s, uint64_t offset);

#endif
