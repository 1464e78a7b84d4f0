/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packers: zlib (RFC 1952), libbz2, liblzma (.xz), libzstd (RFC 8878). All
   of them check the sums that the format has. */
#include "importers/unpack_codec.h"

#include <bzlib.h>
#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/base/buf.h"

/* zlib and libbz2 count in unsigned int. */
static unsigned at_most_uint(size_t n)
{
	return n > INT_MAX ? INT_MAX : (unsigned)n;
}

static void moved(struct unpack_piece *p, size_t taken, size_t given)
{
	p->in += taken;
	p->n_in -= taken;
	p->out += given;
	p->n_out -= given;
}

static void *gzip_begin(void)
{
	z_stream *z = mem_zalloc(sizeof(*z));

	if (inflateInit2(z, 16 + MAX_WBITS) ==
	    Z_OK) /* 16: gzip, nothing else */
		return z;
	free(z);
	return NULL;
}

static enum unpack_step gzip_step(void *state, struct unpack_piece *p,
				  const char **why_r)
{
	z_stream *z = state;
	unsigned n_in = at_most_uint(p->n_in), n_out = at_most_uint(p->n_out);
	int ret;

	z->next_in = (z_const Bytef *)p->in;
	z->avail_in = n_in;
	z->next_out = (Bytef *)p->out;
	z->avail_out = n_out;
	ret = inflate(z, Z_NO_FLUSH);
	moved(p, n_in - z->avail_in, n_out - z->avail_out);
	switch (ret) {
	case Z_OK:
	case Z_BUF_ERROR:
		return UNPACK_GOES_ON;
	case Z_STREAM_END:
		return UNPACK_ENDS;
	case Z_MEM_ERROR:
		return UNPACK_NO_MEMORY;
	default:
		if (z->msg)
			*why_r = z->msg;
		return UNPACK_DAMAGED;
	}
}

static void gzip_end(void *state)
{
	inflateEnd(state);
	free(state);
}

static const struct unpack_codec gzip_codec = {
	.name = "gzip",
	.tool = "gzip -d",
	.magic = "\x1F\x8B",
	.n_magic = 2,
	.begin = gzip_begin,
	.step = gzip_step,
	.end = gzip_end,
};

static void *bzip2_begin(void)
{
	bz_stream *z = mem_zalloc(sizeof(*z));

	if (BZ2_bzDecompressInit(z, 0, 0) == BZ_OK)
		return z;
	free(z);
	return NULL;
}

static enum unpack_step bzip2_step(void *state, struct unpack_piece *p,
				   const char **why_r)
{
	bz_stream *z = state;
	unsigned n_in = at_most_uint(p->n_in), n_out = at_most_uint(p->n_out);
	int ret;

	z->next_in = (char *)(uintptr_t)p->in; /* not written to */
	z->avail_in = n_in;
	z->next_out = p->out;
	z->avail_out = n_out;
	ret = BZ2_bzDecompress(z);
	moved(p, n_in - z->avail_in, n_out - z->avail_out);
	switch (ret) {
	case BZ_OK:
		return UNPACK_GOES_ON;
	case BZ_STREAM_END:
		return UNPACK_ENDS;
	case BZ_MEM_ERROR:
		return UNPACK_NO_MEMORY;
	default:
		*why_r = "bzip2recover may save more of it";
		return UNPACK_DAMAGED;
	}
}

static void bzip2_end(void *state)
{
	BZ2_bzDecompressEnd(state);
	free(state);
}

static const struct unpack_codec bzip2_codec = {
	.name = "bzip2",
	.tool = "bzip2 -d",
	.magic = "BZh",
	.n_magic = 3,
	.begin = bzip2_begin,
	.step = bzip2_step,
	.end = bzip2_end,
};

static void *xz_begin(void)
{
	lzma_stream *z = mem_zalloc(sizeof(*z));

	*z = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_stream_decoder(z, UNPACK_MEMORY, 0) == LZMA_OK)
		return z;
	free(z);
	return NULL;
}

static enum unpack_step xz_step(void *state, struct unpack_piece *p,
				const char **why_r)
{
	lzma_stream *z = state;
	lzma_ret ret;

	z->next_in = (const uint8_t *)p->in;
	z->avail_in = p->n_in;
	z->next_out = (uint8_t *)p->out;
	z->avail_out = p->n_out;
	ret = lzma_code(z, LZMA_RUN);
	moved(p, p->n_in - z->avail_in, p->n_out - z->avail_out);
	switch (ret) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return UNPACK_GOES_ON;
	case LZMA_STREAM_END:
		return UNPACK_ENDS;
	case LZMA_MEM_ERROR:
		return UNPACK_NO_MEMORY;
	case LZMA_MEMLIMIT_ERROR:
		return UNPACK_LARGE;
	case LZMA_OPTIONS_ERROR:
		*why_r = "made by a newer xz, or damaged";
		return UNPACK_DAMAGED;
	default:
		return UNPACK_DAMAGED;
	}
}

static void xz_end(void *state)
{
	lzma_end(state);
	free(state);
}

static const struct unpack_codec xz_codec = {
	.name = "xz",
	.tool = "xz -d",
	.magic = "\xFD"
		 "7zXZ\0",
	.n_magic = 6,
	.begin = xz_begin,
	.step = xz_step,
	.end = xz_end,
};

/* When ZSTD_decompressStream fails it does not say what it gave in that same
   call. So no call may both give the bytes of one block and read the header of
   the next, where the damage may be: it is fed one of the two at a time, and
   what did not fit is fetched first. */
struct zstd {
	ZSTD_DCtx *ctx;
	size_t wants; /* the library's advice for the next call */
	bool full;    /* no room was left: there may be more to give */
};
enum {
	ZSTD_WINDOW_LOG = 27,  /* the largest power of two in UNPACK_MEMORY */
	ZSTD_BLOCK_HEADER = 3, /* which the advice has in it */
};

static void zstd_end(void *state)
{
	struct zstd *z = state;

	ZSTD_freeDCtx(z->ctx);
	free(z);
}

static void *zstd_begin(void)
{
	struct zstd *z = mem_zalloc(sizeof(*z));

	z->ctx = ZSTD_createDCtx();
	z->wants = ZSTD_BLOCK_HEADER;
	if (z->ctx &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax,
						 ZSTD_WINDOW_LOG)))
		return z;
	zstd_end(z);
	return NULL;
}

/* Feed n bytes. What the library returned. */
static size_t zstd_feed(struct zstd *z, struct unpack_piece *p, size_t n)
{
	ZSTD_inBuffer in = { .src = p->in, .size = n };
	ZSTD_outBuffer out = { .dst = p->out, .size = p->n_out };
	size_t ret = ZSTD_decompressStream(z->ctx, &out, &in);

	z->full = out.pos == out.size;
	moved(p, in.pos, out.pos);
	return ret;
}

static enum unpack_step zstd_step(void *state, struct unpack_piece *p,
				  const char **why_r)
{
	struct zstd *z = state;
	size_t n_out = p->n_out, n, ret = 0;

	if (z->full)
		ret = zstd_feed(z, p, 0);
	if (p->n_out == n_out && !ZSTD_isError(ret)) {
		n = z->wants > ZSTD_BLOCK_HEADER ? z->wants - ZSTD_BLOCK_HEADER
						 : z->wants;
		ret = zstd_feed(z, p, n < p->n_in ? n : p->n_in);
	}
	if (!ZSTD_isError(ret)) {
		z->wants = ret;
		return ret ? UNPACK_GOES_ON : UNPACK_ENDS;
	}
	switch (ZSTD_getErrorCode(ret)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return UNPACK_LARGE;
	case ZSTD_error_memory_allocation:
		return UNPACK_NO_MEMORY;
	default:
		*why_r = ZSTD_getErrorName(ret);
		return UNPACK_DAMAGED;
	}
}

bool unpack_zstd_skips(const char *bytes, size_t n)
{
	return n >= 4 && (bytes[0] & 0xF0) == 0x50 &&
	       !memcmp(bytes + 1, "\x2A\x4D\x18", 3);
}

static const struct unpack_codec zstd_codec = {
	.name = "zstd",
	.tool = "zstd -d --long=31",
	.magic = "\x28\xB5\x2F\xFD",
	.n_magic = 4,
	.begin = zstd_begin,
	.step = zstd_step,
	.end = zstd_end,
};

const struct unpack_codec *const unpack_codecs[PACKED_ZSTD + 1] = {
	[PACKED_GZIP] = &gzip_codec,
	[PACKED_BZIP2] = &bzip2_codec,
	[PACKED_XZ] = &xz_codec,
	[PACKED_ZSTD] = &zstd_codec,
};
