/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMPORTERS_PACK_H
#define MAILHAUL_TESTS_IMPORTERS_PACK_H

#include "core/base/buf.h"
#include "importers/unpack.h"

#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* The packers, as their own libraries have them: what unpack.c must undo. */
static inline void pack_must(int ok)
{
	if (!ok)
		abort();
}

/* Append one stream that holds n bytes. */
static inline void pack_gzip(struct buf *out, const char *bytes, size_t n)
{
	z_stream z = { .next_in = (z_const Bytef *)bytes, .avail_in = (uInt)n };

	pack_must(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8,
			       Z_DEFAULT_STRATEGY) == Z_OK);
	buf_grow(out, deflateBound(&z, n));
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)(out->cap - out->len);
	pack_must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

static inline void pack_bzip2(struct buf *out, const char *bytes, size_t n)
{
	unsigned room = (unsigned)(n + n / 100 + 1000);
	char *copy = mem_strndup("", 0);

	buf_grow(out, room);
	pack_must(BZ2_bzBuffToBuffCompress(out->data + out->len, &room,
					   n ? (char *)(uintptr_t)bytes : copy,
					   (unsigned)n, 1, 0, 0) == BZ_OK);
	out->len += room;
	free(copy);
}

static inline void pack_xz(struct buf *out, const char *bytes, size_t n)
{
	size_t room = lzma_stream_buffer_bound(n), at = 0;

	buf_grow(out, room);
	pack_must(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL,
					  (const uint8_t *)bytes, n,
					  (uint8_t *)out->data + out->len, &at,
					  room) == LZMA_OK);
	out->len += at;
}

static inline void pack_zstd(struct buf *out, const char *bytes, size_t n)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(n), got;

	pack_must(ctx != NULL);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	buf_grow(out, room);
	got = ZSTD_compress2(ctx, out->data + out->len, room, bytes, n);
	pack_must(!ZSTD_isError(got));
	out->len += got;
	ZSTD_freeCCtx(ctx);
}

static inline void pack_add(enum packing how, struct buf *out,
			    const char *bytes, size_t n)
{
	static void (*const packers[])(struct buf *, const char *, size_t) = {
		[PACKED_GZIP] = pack_gzip,
		[PACKED_BZIP2] = pack_bzip2,
		[PACKED_XZ] = pack_xz,
		[PACKED_ZSTD] = pack_zstd,
	};

	if (how == PACKED_NOT)
		buf_add(out, bytes, n);
	else
		packers[how](out, bytes, n);
	buf_grow(out, 0);
	out->data[out->len] = '\0';
}

/* A file without a name that holds these bytes. */
static inline int pack_file(const char *bytes, size_t n)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);

	pack_must(fd >= 0);
	for (size_t at = 0; at < n;) {
		ssize_t put = write(fd, bytes + at, n - at);

		pack_must(put > 0);
		at += (size_t)put;
	}
	return fd;
}

#endif
