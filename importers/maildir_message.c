/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message's file. */
#include "importers/maildir.h"

#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "importers/unpack.h"

int maildir_fail(struct err *e, enum err_retry retry, const char *name,
		 const char *what)
{
	struct buf text = BUF_INIT;

	utf8_add_guessed(&text, name, strlen(name));
	err_set(e, ERR_SOURCE, ERR_MESSAGE, retry, "%s: %s", text.data, what);
	buf_free(&text);
	return -1;
}

bool maildir_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Dovecot's own: no other program reads them, and neither is mail. */
static const char *unreadable(const char *bytes, size_t n)
{
	static const struct {
		const char *magic, *what;
	} kinds[] = {
		/* iostream-lz4.h, dcrypt-iostream.h */
		{ "Dovecot-LZ4\x0D\x2A\x9B\xC5",
		  "packed by Dovecot's LZ4, which only Dovecot unpacks; copy "
		  "the folder by 'doveadm sync' or IMAP" },
		{ "CRYPTED\x03\x07",
		  "encrypted by Dovecot's mail_crypt plugin; copy the folder "
		  "by 'doveadm sync' or IMAP" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].magic);

		if (n >= len && !memcmp(bytes, kinds[i].magic, len))
			return kinds[i].what;
	}
	return NULL;
}

/* Everything there is in u, to in. */
static int feed_all(struct unpack *u, const char *path, char *bytes, size_t n,
		    struct intake *in, struct err *e)
{
	ssize_t got;

	while ((got = unpack_read(u, bytes, n, e)) > 0) {
		const char *what = NULL;

		if (!in->store_size)
			what = unreadable(bytes, (size_t)got);
		if (what)
			return maildir_fail(e, ERR_NEVER, path, what);
		if (intake_add(in, bytes, (size_t)got, e) < 0)
			return -1;
	}
	if (got < 0) {
		e->scope = ERR_MESSAGE; /* the folder has others */
		return -1;
	}
	return intake_end(in, e);
}

int maildir_feed(int fd, const struct stat *st, const char *path, char *bytes,
		 size_t n, struct intake *in, struct err *e)
{
	struct buf name = BUF_INIT;
	struct unpack *u = NULL;
	struct stat now;
	int ret = -1;

	utf8_add_guessed(&name, path, strlen(path));
	if (unpack_open(fd, name.data, &u, e) < 0) {
		e->scope = ERR_MESSAGE;
		goto out;
	}
	if (feed_all(u, path, bytes, n, in, e) < 0)
		goto out;
	/* What is packed may have remains behind it. */
	if (fstat(fd, &now) < 0 || !maildir_same_file(&now, st) ||
	    (unpack_packing(u) == PACKED_NOT &&
	     unpack_taken(u) != (uint64_t)st->st_size)) {
		maildir_fail(e, ERR_LATER, path, "changed while it was read");
		goto out;
	}
	ret = 0;
out:
	unpack_close(u);
	buf_free(&name);
	return ret;
}
