/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of formats. A new one is its file, and two lines here. */
#include "importers/importer.h"

#include <string.h>

extern const struct importer_ops importer_thunderbird;
extern const struct importer_ops importer_maildir;
extern const struct importer_ops importer_mbox;

/* Of formats that are equally sure the first wins: a Thunderbird profile also
   holds Maildirs and mboxes, and a Maildir may hold a file that looks like an
   mbox. */
const struct importer_ops *const importer_registry[] = {
	&importer_thunderbird,
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

const struct importer_ops *importer_probe(const char *path)
{
	const struct importer_ops *surest = NULL;
	int most = 0;

	/* Nothing is surer than 3, and the others would open files to look. */
	for (size_t i = 0; importer_registry[i] && most < 3; i++) {
		int sure = importer_registry[i]->probe(path);

		if (sure > most) {
			most = sure;
			surest = importer_registry[i];
		}
	}
	return surest;
}
