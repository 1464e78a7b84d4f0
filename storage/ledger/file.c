/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger's file: made privately, locked by one process at a time.

   The lock is on a file beside the ledger, not on the ledger: SQLite's own
   locks on it are of the kind that a process loses when it closes any
   descriptor of the file, so we must never open it ourselves once SQLite has.
   It is an open file description lock: the kernel drops it with the process,
   and two opens within one process keep each other out as well. It covers one
   byte far behind the text, so that the text can be read where locks are
   mandatory (CIFS). */
#include "storage/ledger/file.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/date.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_OFFSET = 1 << 20, HOLDER_MAX = 400 };

static int cannot(const char *path, struct err *e)
{
	return err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER, "%s: %s", path,
		       strerror(errno));
}

/* Make the entry itself durable. Not every file system can; then so be it. */
static void sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1)
			     : mem_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(folder);
}

static int make_folder(const char *path, struct err *e)
{
	/* What is there but no folder says so when the next is made. */
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : cannot(path, e);
	if (chmod(path, 0700) < 0)
		return cannot(path, e);
	sync_folder_of(path);
	return 0;
}

/* The folders above path, outermost first; not asked for where they are there,
   so that folders on the way may be unreadable to us. */
static int make_folders(const char *path, struct err *e)
{
	char *p = mem_strdup(path), *slash = strrchr(p, '/');
	struct stat st;
	int ret = 0;

	if (!slash || slash == p)
		goto out;
	*slash = '\0';
	if (stat(p, &st) == 0)
		goto out;
	ret = make_folders(p, e);
	if (ret == 0)
		ret = make_folder(p, e);
out:
	free(p);
	return ret;
}

int file_make(const char *path, struct err *e)
{
	struct stat st;
	int fd, ret = 0;

	if (lstat(path, &st) == 0)
		return 0;
	if (make_folders(path, e) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : cannot(path, e);
	if (fchmod(fd, 0600) < 0)
		ret = cannot(path, e);
	close(fd);
	sync_folder_of(path);
	return ret;
}

int file_real(const char *path, char **real_r, struct err *e)
{
	struct stat st;

	*real_r = realpath(path, NULL);
	if (!*real_r)
		return errno == ENOENT ? 0 : cannot(path, e);
	if (stat(*real_r, &st) < 0)
		cannot(*real_r, e);
	else if (!S_ISREG(st.st_mode))
		err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
			"%s: not a file, so not a ledger", path);
	else
		return 1;
	free(*real_r);
	*real_r = NULL;
	return -1;
}

static void lock_path(const char *path, struct buf *out)
{
	buf_set_str(out, path);
	buf_add_str(out, ".lock");
}

static struct flock lock_range(short type)
{
	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = LOCK_OFFSET,
			       .l_len = 1 };
}

static int in_use(const char *path, int fd, struct err *e)
{
	char who[HOLDER_MAX + 1];
	ssize_t n = pread(fd, who, HOLDER_MAX, 0);

	who[n > 0 ? n : 0] = '\0';
	who[strcspn(who, "\n")] = '\0';
	return err_set(e, ERR_BUSY, ERR_RUN, ERR_LATER,
		       "%s: in use by %s; wait for it or end it", path,
		       *who ? who : "another process");
}

/* For people only: a process that cannot write this holds the lock all the
 * same. */
static void write_holder(int fd)
{
	struct buf line = BUF_INIT;
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	buf_addf(&line, "process %ld on %s since ", (long)getpid(),
		 *host ? host : "this host");
	date_add_iso(&line, clock_now());
	buf_add_char(&line, '\n');
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, line.data, line.len, 0);
	buf_free(&line);
}

int file_lock(const char *path, int *fd_r, struct err *e)
{
	struct flock range = lock_range(F_WRLCK);
	struct buf name = BUF_INIT;
	int fd, ret = -1;

	lock_path(path, &name);
	fd = open(name.data,
		  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0) {
		cannot(name.data, e);
		goto out;
	}
	if (fcntl(fd, F_OFD_SETLK, &range) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			in_use(path, fd, e);
		else
			err_set(e, ERR_LEDGER, ERR_RUN, ERR_NEVER,
				"%s: this file system cannot lock files (%s); "
				"keep the ledger on a local disk",
				path, strerror(errno));
		goto out;
	}
	(void)fchmod(fd, 0600);
	write_holder(fd);
	*fd_r = fd;
	fd = -1;
	ret = 0;
out:
	if (fd >= 0)
		close(fd);
	buf_free(&name);
	return ret;
}

void file_unlock(int fd)
{
	struct flock range = lock_range(F_UNLCK);

	if (fd < 0)
		return;
	(void)!ftruncate(fd, 0);
	/* By name, not by close alone: a child may have the descriptor still.
	 */
	(void)fcntl(fd, F_OFD_SETLK, &range);
	close(fd);
}

bool file_locked(const char *path)
{
	struct flock range = lock_range(F_WRLCK);
	struct buf name = BUF_INIT;
	bool locked = false;
	int fd;

	lock_path(path, &name);
	fd = open(name.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		locked = fcntl(fd, F_OFD_GETLK, &range) == 0 &&
			 range.l_type != F_UNLCK;
		close(fd);
	}
	buf_free(&name);
	return locked;
}

bool file_has_wal(const char *path)
{
	struct buf name = BUF_INIT;
	struct stat st;
	bool has;

	buf_set_str(&name, path);
	buf_add_str(&name, "-wal");
	has = stat(name.data, &st) == 0 && st.st_size > 0;
	buf_free(&name);
	return has;
}

int file_stamp(const char *path, int64_t *mtime_ns_r, int64_t *size_r)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	*mtime_ns_r =
		(int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	*size_r = (int64_t)st.st_size;
	return 0;
}

bool file_unchanged(const char *path, int64_t mtime_ns, int64_t size)
{
	int64_t mtime_now, size_now;

	return file_stamp(path, &mtime_now, &size_now) == 0 &&
	       mtime_now == mtime_ns && size_now == size && !file_has_wal(path);
}
