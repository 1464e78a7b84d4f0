/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_CLAIM_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_CLAIM_H

#include "importers/importer.h"

/* Whether a candidate is a profile, or without settings a directory of mail that
   Thunderbird kept. */
enum claim tb_claim(const struct candidate *c);

#endif
