/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_THUNDERBIRD_PREFS_H
#define MAILHAUL_IMPORTERS_THUNDERBIRD_PREFS_H

#include <stddef.h>

/* prefs.js and user.js: lines user_pref("key", value);. Values of every type are
   kept as text: "true", "2110", or the string with its escapes undone. Lines that
   are none are passed over. */
struct tb_prefs;

struct tb_prefs *tb_prefs_new(void);
void tb_prefs_free(struct tb_prefs *prefs);
/* Of settings of the same key the one read last stands: user.js after prefs.js. */
void tb_prefs_parse(struct tb_prefs *prefs, const char *bytes, size_t n);
/* NULL if there is no such setting. */
const char *tb_prefs_get(const struct tb_prefs *prefs, const char *key);
/* The same with the key put together: prefix "mail.server.", id and name with a '.'
   between. Empty values count as none. */
const char *tb_prefs_get3(const struct tb_prefs *prefs, const char *prefix,
			  const char *id, const char *name);

/* All settings, sorted by key. */
size_t tb_prefs_count(const struct tb_prefs *prefs);
const char *tb_prefs_key(const struct tb_prefs *prefs, size_t nth);
const char *tb_prefs_value(const struct tb_prefs *prefs, size_t nth);

#endif
