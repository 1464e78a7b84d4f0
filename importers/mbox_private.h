/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_MBOX_PRIVATE_H
#define MAILHAUL_IMPORTERS_MBOX_PRIVATE_H

#include "importers/mbox_reader.h"

/* As mbox_reader_open, with a window of another size: tests get to its edges with
   little input. look: how far ahead a decision may look; the window must hold
   MBOX_WINDOW_LEAST bytes besides. */
enum { MBOX_WINDOW_LEAST = 1024 };
int mbox_reader_open_window(int fd, const char *name, enum mbox_quoting quoting,
			    bool thunderbird, size_t window, size_t look,
			    struct mbox_reader **r_r, struct err *e);

#endif
