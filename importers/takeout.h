/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_TAKEOUT_H
#define MAILHAUL_IMPORTERS_TAKEOUT_H

#include "importers/importer.h"
#include "importers/mbox_reader.h"
#include "importers/remarks.h"
#include "importers/takeout_labels.h"

/* An mbox of Google Takeout: one file, many folders. Which there are and where their
   messages lie is known only when the whole file was gone through once; then a message costs
   24 bytes here. A folder's id is the file's, a tab (which sorts before all that names
   have), and the folder: so folders come sorted, also among other files. */
struct takeout;

enum { TAKEOUT_FOLDERS_MAX = 10000 }; /* Gmail's own limit of labels */

/* Go through the file: r is fresh. What labels could not be kept is remarked on. */
int takeout_read(struct mbox_reader *r, const char *file_name,
		 struct takeout **t_r, struct remarks *remarks, struct err *e);
/* The folders of file_id as earlier runs have left them in the ledger, when the file is what
   it was then (fingerprint): without reading it. NULL if they are not all there. */
struct takeout *takeout_known(const struct importer_options *opt,
			      const char *file_id, const char *fingerprint);
void takeout_free(struct takeout *t);

/* The nth folder, "A/B"; NULL after the last. */
const char *takeout_folder(const struct takeout *t, size_t nth);
/* Its parts; valid while t is. */
const char *const *takeout_path(const struct takeout *t, size_t nth);
void takeout_add_id(struct buf *out, const char *file_id, const char *folder);
/* What is behind the file's fingerprint in the folder's. */
void takeout_add_fingerprint(const struct takeout *t, size_t nth,
			     struct buf *out);
uint64_t takeout_bytes(const struct takeout *t, size_t nth);

/* False: t is of takeout_known, and says nothing about messages. */
bool takeout_has_messages(const struct takeout *t);
/* The folder that is called so; SIZE_MAX if there is none. */
size_t takeout_find(const struct takeout *t, const char *folder);
/* Where its next message is, beginning with *at 0: false after the last. */
bool takeout_next(const struct takeout *t, size_t nth, size_t *at,
		  uint64_t *offset_r, uint64_t *length_r);

#endif
