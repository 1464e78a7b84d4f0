/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window on a file: random access without holding the file in memory. */
#include "importers/dbx_window.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"

void dbx_window_open(struct dbx_window *w, int fd, uint64_t size)
{
	*w = (struct dbx_window){
		.fd = fd,
		.size = size,
		.bytes = mem_alloc(DBX_WINDOW),
	};
}

void dbx_window_close(struct dbx_window *w)
{
	free(w->bytes);
	*w = (struct dbx_window){ .fd = -1 };
}

static void fill(struct dbx_window *w, uint64_t pos)
{
	uint64_t left = w->size - pos;
	size_t room = left < DBX_WINDOW ? (size_t)left : DBX_WINDOW;

	w->at = pos;
	w->n = 0;
	w->error = 0;
	while (w->n < room) {
		ssize_t got = pread(w->fd, w->bytes + w->n, room - w->n,
				    (off_t)(pos + w->n));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			w->error = got < 0 ? errno : EIO;
			break;
		}
		w->n += (size_t)got;
	}
}

size_t dbx_window_run(struct dbx_window *w, uint64_t pos, const char **bytes_r)
{
	uint64_t left, have;

	if (pos >= w->size)
		return 0;
	left = w->size - pos;
	have = pos >= w->at && pos - w->at < w->n ? w->at + w->n - pos : 0;
	if (have < left && have < DBX_WINDOW_LEAST) {
		fill(w, pos);
		have = w->n;
	}
	*bytes_r = w->bytes + (pos - w->at);
	return (size_t)have;
}

const char *dbx_window_at(struct dbx_window *w, uint64_t pos, size_t n)
{
	const char *bytes = NULL;

	return dbx_window_run(w, pos, &bytes) < n ? NULL : bytes;
}
