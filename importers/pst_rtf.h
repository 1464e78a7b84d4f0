/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_RTF_H
#define MAILHAUL_IMPORTERS_PST_RTF_H

#include <stddef.h>

/* The text of a PR_RTF_COMPRESSED ([MS-OXRTFCP]), which the caller frees; NULL if it cannot
   be made. libpst unpacks, and may crash: only in a process of its own. */
enum { PST_RTF_MAX = 64 << 20 };
char *pst_rtf_unpack(char *packed, size_t n, size_t *n_r);

#endif
