/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed files, read as if they were not: the file's side of it. The packers
   themselves are in unpack_codecs.c.

   U1  Every step either takes a byte of the file or gives one, or it is the last.
   U2  What is behind the last stream and begins no other one is passed over, as
       gzip(1) does: NULs that fill up a block of a tape, and other remains.
   U3  After damage every read says the same, until a seek begins anew. */
#include "importers/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "importers/unpack_codec.h"

enum {
	IN_SIZE = 64 << 10,
	SKIP_SIZE = 16 << 10,
	HEAD_SIZE = 64, /* enough for unpack_looks */
};

enum unpack_place {
	UNPACK_BETWEEN, /* before a stream, or behind the last one */
	UNPACK_INSIDE,
	UNPACK_AT_END,
	UNPACK_BROKEN, /* err says how */
};

struct unpack {
	int fd;
	char *name;
	enum packing how;
	uint64_t at;	/* in the unpacked file */
	uint64_t taken; /* of the file itself, in[0] included */

	/* Only where it is compressed: */
	const struct unpack_codec *codec;
	void *state; /* of the stream, while inside */
	enum unpack_place place;
	struct err err;
	char *in; /* IN_SIZE */
	size_t in_from, in_to;
	bool file_ended;
};

/* Does the gzip header go on as RFC 1952 has it? Deflate is its only method, and
   three bits of the flags are always 0. */
static bool is_gzip(const char *head, size_t n)
{
	return n >= 4 && head[2] == 8 && !(head[3] & 0xE0);
}

/* Text can begin with "BZh"; what follows cannot be text: a block, or at once
   the end. */
static bool is_bzip2(const char *head, size_t n)
{
	return n >= 10 && head[3] >= '1' && head[3] <= '9' &&
	       (!memcmp(head + 4, "1AY&SY", 6) ||
		!memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6));
}

/* A frame without data is nothing to go by, unless one with data follows. */
static bool is_skipped_zstd(const char *head, size_t n)
{
	size_t size = 0;

	if (n < 8 || !unpack_zstd_skips(head, n))
		return false;
	for (size_t i = 4; i--;)
		size = size << 8 | (unsigned char)head[4 + i];
	return size <= n - 8 && n - 8 - size >= 4 &&
	       !memcmp(head + 8 + size, "\x28\xB5\x2F\xFD", 4);
}

enum packing unpack_looks(const char *head, size_t n)
{
	for (int how = PACKED_GZIP; how <= PACKED_ZSTD; how++) {
		const struct unpack_codec *codec = unpack_codecs[how];

		if (n < codec->n_magic ||
		    memcmp(head, codec->magic, codec->n_magic) != 0)
			continue;
		if ((how == PACKED_GZIP && !is_gzip(head, n)) ||
		    (how == PACKED_BZIP2 && !is_bzip2(head, n)))
			continue;
		return (enum packing)how;
	}
	return is_skipped_zstd(head, n) ? PACKED_ZSTD : PACKED_NOT;
}

const char *unpack_name(enum packing how)
{
	return how == PACKED_NOT ? "" : unpack_codecs[how]->name;
}

/* pread, as much as there is. */
static ssize_t read_at(const struct unpack *u, char *bytes, size_t n,
		       uint64_t at, struct err *e)
{
	ssize_t got;

	if (at > INT64_MAX)
		return 0;
	do
		got = pread(u->fd, bytes, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "%s: byte %ju: %s", u->name, (uintmax_t)at,
			       strerror(errno));
	return got;
}

static size_t buffered(const struct unpack *u)
{
	return u->in_to - u->in_from;
}

/* Have at least n bytes in the buffer, or all that are left. */
static int fill(struct unpack *u, size_t n, struct err *e)
{
	if (buffered(u) >= n || u->file_ended)
		return 0;
	memmove(u->in, u->in + u->in_from, buffered(u));
	u->in_to = buffered(u);
	u->in_from = 0;
	while (u->in_to < n && !u->file_ended) {
		ssize_t got = read_at(u, u->in + u->in_to, IN_SIZE - u->in_to,
				      u->taken + u->in_to, e);

		if (got < 0)
			return -1;
		u->in_to += (size_t)got;
		u->file_ended = !got;
	}
	return 0;
}

static void take(struct unpack *u, size_t n)
{
	u->in_from += n;
	u->taken += n;
}

static void end_stream(struct unpack *u)
{
	if (u->state)
		u->codec->end(u->state);
	u->state = NULL;
}

static void rewind_file(struct unpack *u)
{
	end_stream(u);
	u->place = UNPACK_BETWEEN;
	u->at = u->taken = 0;
	u->in_from = u->in_to = 0;
	u->file_ended = false;
}

static void broken(struct unpack *u, enum unpack_step how, const char *why)
{
	const char *name = u->name, *packer = u->codec->name;
	uintmax_t at = u->taken;

	if (how == UNPACK_LARGE)
		err_set(&u->err, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			"%s: %s made it to be unpacked with more than the %d "
			"MiB of memory that there are for this; unpack it with "
			"'%s' first",
			name, packer, UNPACK_MEMORY >> 20, u->codec->tool);
	else if (how == UNPACK_NO_MEMORY)
		err_set(&u->err, ERR_SOURCE, ERR_FOLDER, ERR_LATER,
			"%s: no memory left to unpack it (%s)", name, packer);
	else if (how == UNPACK_DAMAGED)
		err_set(&u->err, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			"%s: damaged (%s, near byte %ju of the file%s%s): what "
			"lies behind is not read; is there another copy of it?",
			name, packer, at, why ? "; " : "", why ? why : "");
	else
		err_set(&u->err, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			"%s: cut off (%s, after byte %ju of the file): the "
			"rest is missing; is there a whole copy of it?",
			name, packer, at);
	end_stream(u);
	u->place = UNPACK_BROKEN;
}

/* Is this the begin of another stream, as far as it goes? */
static bool continues(const struct unpack *u)
{
	const char *head = u->in + u->in_from;
	size_t n = buffered(u), magic = u->codec->n_magic;

	if (n < 2)
		return false;
	if (!memcmp(head, u->codec->magic, n < magic ? n : magic))
		return true;
	return u->how == PACKED_ZSTD && unpack_zstd_skips(head, n);
}

static int begin_stream(struct unpack *u, struct err *e)
{
	do {
		size_t n = 0;

		if (fill(u, 1, e) < 0)
			return -1;
		while (n < buffered(u) && !u->in[u->in_from + n])
			n++;
		take(u, n);
	} while (!buffered(u) && !u->file_ended);
	if (fill(u, HEAD_SIZE, e) < 0)
		return -1;
	if (!continues(u)) {
		u->place = UNPACK_AT_END;
		return 0;
	}
	u->state = u->codec->begin();
	if (u->state)
		u->place = UNPACK_INSIDE;
	else
		broken(u, UNPACK_NO_MEMORY, NULL);
	return 0;
}

/* Unpack a piece of what is buffered to out. */
static int go_on(struct unpack *u, char **out, size_t *n_out, struct err *e)
{
	struct unpack_piece p = { .out = *out, .n_out = *n_out };
	const char *why = NULL;
	enum unpack_step step;
	size_t taken;

	if (fill(u, 1, e) < 0)
		return -1;
	p.in = u->in + u->in_from;
	p.n_in = buffered(u);
	step = u->codec->step(u->state, &p, &why);
	taken = buffered(u) - p.n_in;
	take(u, taken);
	if (step == UNPACK_ENDS) {
		end_stream(u);
		u->place = UNPACK_BETWEEN;
	} else if (step != UNPACK_GOES_ON) {
		broken(u, step, why);
	} else if (!taken && p.n_out == *n_out) { /* U1 */
		broken(u, p.n_in ? UNPACK_DAMAGED : UNPACK_GOES_ON, NULL);
	}
	*out = p.out;
	*n_out = p.n_out;
	return 0;
}

static ssize_t unpack_some(struct unpack *u, char *bytes, size_t n,
			   struct err *e)
{
	char *out = bytes;
	size_t room = n;

	while (room == n && n) {
		if (u->place == UNPACK_AT_END)
			break;
		if (u->place == UNPACK_BROKEN) {
			*e = u->err;
			return -1;
		}
		if (u->place == UNPACK_BETWEEN) {
			if (begin_stream(u, e) < 0)
				return -1;
		} else if (go_on(u, &out, &room, e) < 0) {
			return -1;
		}
	}
	return (ssize_t)(n - room);
}

ssize_t unpack_read(struct unpack *u, char *bytes, size_t n, struct err *e)
{
	ssize_t got;

	if (u->how == PACKED_NOT)
		got = read_at(u, bytes, n, u->at, e);
	else
		got = unpack_some(u, bytes, n, e);
	if (got > 0)
		u->at += (uint64_t)got;
	if (got > 0 && u->how == PACKED_NOT)
		u->taken = u->at;
	return got;
}

int unpack_seek(struct unpack *u, uint64_t offset, struct err *e)
{
	char *skipped;
	ssize_t got = 0;

	if (u->how == PACKED_NOT) {
		u->at = u->taken = offset;
		return 0;
	}
	if (offset < u->at)
		rewind_file(u);
	if (offset == u->at)
		return 0;
	skipped = mem_alloc(SKIP_SIZE);
	do {
		uint64_t left = offset - u->at;

		got = unpack_read(u, skipped,
				  left < SKIP_SIZE ? (size_t)left : SKIP_SIZE,
				  e);
	} while (got > 0 && u->at < offset);
	free(skipped);
	return got < 0 ? -1 : 0;
}

uint64_t unpack_taken(const struct unpack *u)
{
	return u->taken;
}

enum packing unpack_packing(const struct unpack *u)
{
	return u->how;
}

int unpack_open(int fd, const char *name, struct unpack **u_r, struct err *e)
{
	struct unpack *u = mem_zalloc(sizeof(*u));
	char head[HEAD_SIZE];
	size_t n = 0;
	ssize_t got;

	u->fd = fd;
	u->name = mem_strdup(name);
	do {
		got = read_at(u, head + n, sizeof(head) - n, n, e);
		if (got < 0) {
			unpack_close(u);
			return -1;
		}
		n += (size_t)got;
	} while (got && n < sizeof(head));
	u->how = unpack_looks(head, n);
	if (u->how != PACKED_NOT) {
		u->codec = unpack_codecs[u->how];
		u->in = mem_alloc(IN_SIZE);
	}
	*u_r = u;
	return 0;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	if (u->codec)
		end_stream(u);
	free(u->in);
	free(u->name);
	free(u);
}
