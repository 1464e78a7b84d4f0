/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_FOLDERS_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_FOLDERS_H

#include "core/base/folder_use.h"
#include "importers/importer.h"
#include "importers/thunderbird_names.h"
#include "importers/thunderbird_profile.h"
#include "importers/walk.h"

#include <stdbool.h>
#include <stddef.h>

/* The folders of a profile's accounts, as they lie on disk, with their names. */
struct tb_folder {
	char *id;  /* the mbox, or the directory with cur/, below the root */
	char *msf; /* its summary; NULL if there is none */
	char **path; /* ended by NULL */
	enum folder_use use;
	const struct tb_account *account;
	bool maildir, hidden;
	char *error; /* it could not be looked into; nothing but id is set then */
};
struct tb_folders {
	struct tb_folder *list; /* sorted by id */
	size_t n, cap;
};

/* Accounts of p must outlive out. */
void tb_folders_find(struct walk *w, const struct tb_profile *p,
		     const struct tb_names *names,
		     const struct importer_options *opt, struct tb_folders *out,
		     struct remarks *r);
void tb_folders_free(struct tb_folders *f);

#endif
