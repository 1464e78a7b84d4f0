/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_INI_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_INI_H

#include <stdbool.h>
#include <stddef.h>

/* profiles.ini and installs.ini: which profiles there are, and how sure it is that a
   program used them. */
enum tb_ini_rank { TB_INI_LISTED, TB_INI_DEFAULT, TB_INI_INSTALL };

struct tb_ini_profile {
	char *path; /* as it stands there */
	enum tb_ini_rank rank;
};
struct tb_ini {
	struct tb_ini_profile *list;
	size_t n, cap;
};

/* Add what a file says. installs: it is installs.ini. */
void tb_ini_parse(struct tb_ini *ini, const char *bytes, size_t n,
		  bool installs);
void tb_ini_free(struct tb_ini *ini);

#endif
