/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_NAMES_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_NAMES_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Thunderbird stores a folder under its name, unless the name has a character that
   some file system refuses or is long: then under the part before that character
   and a hash (formats.md section 2.4). The way back needs the real name from
   elsewhere; the hash proves it. */

/* Append the file name (NS_MsgHashIfNecessary as of 2026) of a folder's name. Invalid
   UTF-8 is appended as it is. */
void tb_name_to_file(struct buf *out, const char *name);

/* Whether a folder of this name may be stored as leaf: as it is, or hashed in any
   way a version did (whole name or kept prefix; UTF-16 or, before version 3, bytes of
   the system's own charset: UTF-8, CP932, EUC-JP). */
bool tb_name_fits(const char *leaf, const char *name);

/* leaf ends in eight lower-case hexadecimal digits, as hashed names do. */
bool tb_name_looks_hashed(const char *leaf);

/* Undo the percent-encoding of Thunderbird 140 and later. Replaces out and returns
   true only when leaf is just what encoding out would give: "100%" is not. */
bool tb_name_decode(struct buf *out, const char *leaf);

/* Append s with every %XX undone: components of mailbox: and imap: URIs. */
void tb_uri_decode(struct buf *out, const char *s, size_t n);

/* Real names, gathered from wherever the profile mentions folders. */
struct tb_names;
struct tb_names *tb_names_new(void);
void tb_names_free(struct tb_names *names);

/* folderCache.json: file of the summary, of whatever machine, to name and flags.
   False if it is no such JSON. */
bool tb_names_add_cache(struct tb_names *names, const char *json, size_t n);
/* panacea.dat, which did the same before version 93, in Mork. stale: there is a
   folderCache.json, too; then names are taken, but nothing else. False if it is no
   Mork. */
bool tb_names_add_panacea(struct tb_names *names, const char *mork, size_t n,
			  bool stale);
/* Take every component of every mailbox: and imap: URI found in a text (prefs.js,
   msgFilterRules.dat, virtualFolders.dat, folderTree.json) as a candidate. */
void tb_names_add_uris(struct tb_names *names, const char *text, size_t n);

/* What the cache says of a summary file: file is where it lies now, tail its path
   from the account's directory on ("pop.example.jp/Work.msf"). False if it knows
   nothing. A profile that has moved has several entries that end alike; the one of
   file itself comes first, then what a Thunderbird showed that had lost the name
   (the leaf, where that is a hash), then what is hashed to the leaf. */
struct tb_cached {
	const char *name; /* NULL: not said */
	uint64_t flags;
};
bool tb_names_cached(const struct tb_names *names, const char *file,
		     const char *tail, const char *leaf, struct tb_cached *c_r);

/* A candidate that is stored as leaf, other than leaf itself if there is such a
   one; NULL if there is none. */
const char *tb_names_candidate(const struct tb_names *names, const char *leaf);

#endif
