/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_MEMORY_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_MEMORY_H

#include "importers/remarks.h"
#include "importers/thunderbird_names.h"
#include "importers/thunderbird_popstate.h"
#include "importers/thunderbird_profile.h"
#include "importers/walk.h"

/* What files of a profile remember that is not in its folders. */

/* Everything that mentions a folder by its real name. */
struct tb_names *tb_memory_names(struct walk *w, const struct tb_profile *p,
				 struct remarks *r);
/* popstate.dat of every account, in their order, some NULL; and tell people what
   is still on servers. The array and what is in it are the caller's. */
struct tb_popstate **tb_memory_popstates(struct walk *w,
					 const struct tb_profile *p,
					 struct remarks *r);
/* Tell people what they called their tags. */
void tb_memory_tell_tags(const struct tb_profile *p, struct remarks *r);

#endif
