/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message at rest: its first SPOOL_MEMORY bytes in memory, the rest in a
   temporary file that nobody else can find. The file is closed with the
   message: large ones are rare, and an empty spool holds no descriptor. */
#include "core/base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spool_init(struct spool *s)
{
	*s = (struct spool)SPOOL_INIT;
}

void spool_free(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->mem);
	spool_init(s);
}

void spool_reset(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->len = 0;
	buf_shrink(&s->mem, SPOOL_KEEP);
}

/* Another message may be small enough for memory, and space may be freed. */
static int fail(struct err *e, const char *doing)
{
	return err_set(e, ERR_OTHER, ERR_MESSAGE, ERR_LATER,
		       "%s a temporary file: %s", doing, strerror(errno));
}

/* Not every file system has O_TMPFILE: older kernels and overlays say EISDIR,
   EOPNOTSUPP or ENOENT. */
static int open_named(const char *dir)
{
	struct buf path = BUF_INIT;
	int fd;

	buf_addf(&path, "%s/mailhaul-XXXXXX", dir);
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.data);
	buf_free(&path);
	return fd;
}

static int open_in(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : open_named(dir);
}

static int open_temporary(struct spool *s, struct err *e)
{
	const char *dir = getenv("TMPDIR");

	/* /tmp is often memory, and M6 wants large messages out of it. */
	if (dir && *dir)
		s->fd = open_in(dir);
	else if ((s->fd = open_in("/var/tmp")) < 0)
		s->fd = open_in("/tmp");
	return s->fd < 0 ? fail(e, "cannot create") : 0;
}

int spool_add(struct spool *s, const char *bytes, size_t n, struct err *e)
{
	size_t room = SPOOL_MEMORY - s->mem.len;
	ssize_t put;

	if (s->fd < 0) {
		if (room > n)
			room = n;
		buf_add(&s->mem, bytes, room);
		s->len += room;
		bytes += room;
		n -= room;
		if (n && open_temporary(s, e) < 0)
			return -1;
	}
	while (n) {
		put = write(s->fd, bytes, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail(e, "cannot write");
		s->len += (size_t)put;
		bytes += put;
		n -= (size_t)put;
	}
	return 0;
}

ssize_t spool_at(const struct spool *s, uint64_t offset, char *scratch,
		 size_t scratch_len, const char **bytes_r, struct err *e)
{
	ssize_t got;

	*bytes_r = scratch;
	if (offset >= s->len)
		return 0;
	if (offset < s->mem.len) {
		*bytes_r = s->mem.data + offset;
		return (ssize_t)(s->mem.len - offset);
	}
	if (scratch_len > s->len - offset)
		scratch_len = (size_t)(s->len - offset);
	do
		got = pread(s->fd, scratch, scratch_len,
			    (off_t)(offset - s->mem.len));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(e, "cannot read");
	if (got == 0) /* somebody cut it */
		return err_set(e, ERR_OTHER, ERR_MESSAGE, ERR_LATER,
			       "a temporary file is shorter than it was");
	return got;
}
