/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_DISCOVER_H
#define MAILHAUL_CORE_DISCOVER_H

#include "core/source.h"

#include <stddef.h>

/* What a search came across. */
struct found_notes {
	size_t stores, directories;
	size_t unreadable; /* directories and files that nobody could look into */
};

/* Append the stores at path or below it, of any format, in the order of their paths. path
   is real and absolute. Reads no mail. Finding nothing is no error. */
int source_discover(const char *path, struct sources *l,
		    struct found_notes *notes_r, struct err *e);

#endif
