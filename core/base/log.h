/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_LOG_H
#define MAILHAUL_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* What happened, for whoever has to find out later. The floor only formats and
   redacts; where lines go is decided by cmd/, which sets a sink. Without a sink
   nothing is formatted. */
enum log_level { LOG_TRACE, LOG_DETAIL, LOG_INFO, LOG_WARNING };

typedef void log_sink(void *ctx, enum log_level level, const char *line);

void log_to(log_sink *sink, void *ctx, enum log_level least);
bool log_wants(enum log_level level);
/* One line: control characters are escaped, secrets are replaced. */
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Never let these bytes out. Pairs of hide and show nest; secret.c calls them. */
void log_hide(const char *secret, size_t n);
void log_show(const char *secret, size_t n);

#endif
