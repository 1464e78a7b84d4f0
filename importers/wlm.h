/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_WLM_H
#define MAILHAUL_IMPORTERS_WLM_H

#include "importers/filetree.h"

/* What the files of the Windows Live Mail importer share. Nobody else includes this. */

/* An account: the few values of an .oeaccount file that matter (XML in UTF-16 or
   UTF-8; Microsoft's "New Handling for Account Data" has the names). */
struct wlm_account {
	struct buf name; /* Account_Name, UTF-8 */
	bool pop, imap, news; /* it has such a server */
};
enum { WLM_ACCOUNT_MAX = 1 << 20 };
/* Adds to a: a directory can have several. Whatever the bytes, what cannot be read is
   not there. */
void wlm_account_read(const char *bytes, size_t n, struct wlm_account *a);

/* The folder's name that a directory's stands for: shortened ones end in a space and
   three or four hex digits ("Sent Ite 5A1"). What all programs of this kind have is
   completed; of others the digits are cut where it is clear that they are not the
   name's, and no other directory beside it would be called the same. */
void wlm_folder_name(const char *dir, const struct walk_dir *beside,
		     struct buf *out);

/* 26A6701F-00000002.eml */
bool wlm_message_name(const char *name);

filetree_visit wlm_visit;
enum claim wlm_claim(const struct candidate *c);

#endif
