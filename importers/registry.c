/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of formats. A new one is its file, and two lines here. */
#include "importers/importer.h"

#include <string.h>

extern const struct importer_ops importer_thunderbird;
extern const struct importer_ops importer_becky;
extern const struct importer_ops importer_dbx;
extern const struct importer_ops importer_oembx;
extern const struct importer_ops importer_emlx;
extern const struct importer_ops importer_wlm;
extern const struct importer_ops importer_mh;
extern const struct importer_ops importer_eml;
extern const struct importer_ops importer_pst;
extern const struct importer_ops importer_maildir;
extern const struct importer_ops importer_mbox;

/* Of formats that are equally sure the first wins: a Thunderbird profile also
   holds Maildirs and mboxes, and a Maildir may hold a file that looks like an
   mbox. */
const struct importer_ops *const importer_registry[] = {
	&importer_thunderbird,
	&importer_becky,
	&importer_dbx,
	&importer_oembx,
	&importer_emlx,
	&importer_wlm,
	&importer_mh,
	&importer_eml,
	&importer_pst,
	&importer_maildir,
	&importer_mbox,
	NULL,
};

const struct importer_ops *importer_by_name(const char *name)
{
	for (size_t i = 0; importer_registry[i]; i++)
		if (!strcmp(importer_registry[i]->name, name))
			return importer_registry[i];
	return NULL;
}
