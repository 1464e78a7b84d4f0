/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads an mbox that may be compressed. */
#include "importers/mbox_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "importers/unpack.h"

struct mbox_bytes {
	int fd;
	char *name;
	uint64_t size;
	/* Of a compressed file; NULL otherwise. The scout runs ahead. */
	struct unpack *main, *scout;
	uint64_t main_at, scout_at;
	unsigned restarts;
};

int mbox_bytes_open(int fd, const char *name, struct mbox_bytes **b_r,
		    struct err *e)
{
	struct unpack *u = NULL;
	struct mbox_bytes *b;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER, "%s: %s",
			       name, strerror(errno));
	if (unpack_open(fd, name, &u, e) < 0)
		return -1;
	if (unpack_packing(u) == PACKED_NOT) {
		unpack_close(u);
		u = NULL;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	b = mem_zalloc(sizeof(*b));
	b->fd = fd;
	b->name = mem_strdup(name);
	b->size = u ? UINT64_MAX : (uint64_t)st.st_size;
	b->main = u;
	*b_r = b;
	return 0;
}

void mbox_bytes_close(struct mbox_bytes *b)
{
	if (!b)
		return;
	unpack_close(b->main);
	unpack_close(b->scout);
	free(b->name);
	free(b);
}

bool mbox_bytes_packed(const struct mbox_bytes *b)
{
	return b->main != NULL;
}

uint64_t mbox_bytes_size(const struct mbox_bytes *b)
{
	return b->size;
}

bool mbox_bytes_grow(struct mbox_bytes *b)
{
	struct stat st;

	if (b->main || fstat(b->fd, &st) < 0 || (uint64_t)st.st_size <= b->size)
		return false;
	b->size = (uint64_t)st.st_size;
	return true;
}

static ssize_t read_plain(struct mbox_bytes *b, char *to, size_t n,
			  uint64_t offset)
{
	size_t have = 0;

	if (offset >= b->size)
		return 0;
	if (n > b->size - offset)
		n = (size_t)(b->size - offset);
	while (have < n) {
		ssize_t got = pread(b->fd, to + have, n - have,
				    (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && !have)
			return -1;
		if (got <= 0) /* an error comes again, or it was cut off */
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static ssize_t read_packed(struct unpack *u, uint64_t *at, char *to, size_t n,
			   uint64_t offset, struct err *e)
{
	size_t have = 0;

	if (offset != *at && unpack_seek(u, offset, e) < 0)
		return -1;
	*at = offset;
	while (have < n) {
		ssize_t got = unpack_read(u, to + have, n - have, e);

		if (got < 0 && !have)
			return -1;
		if (got <= 0) /* damage says so once more */
			break;
		have += (size_t)got;
		*at += (uint64_t)got;
	}
	return (ssize_t)have;
}

ssize_t mbox_bytes_read(struct mbox_bytes *b, char *to, size_t n,
			uint64_t offset, struct err *e)
{
	ssize_t got;

	if (b->main)
		return read_packed(b->main, &b->main_at, to, n, offset, e);
	got = read_plain(b, to, n, offset);
	if (got < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: at byte %llu: %s", b->name,
			       (unsigned long long)offset, strerror(errno));
	return got;
}

ssize_t mbox_bytes_peek(struct mbox_bytes *b, char *to, size_t n,
			uint64_t offset)
{
	struct err ignored;

	if (!b->main)
		return read_plain(b, to, n, offset);
	if (b->scout && offset < b->scout_at && ++b->restarts > PEEK_RESTARTS)
		return -1;
	if (!b->scout && unpack_open(b->fd, b->name, &b->scout, &ignored) < 0)
		return -1;
	return read_packed(b->scout, &b->scout_at, to, n, offset, &ignored);
}
