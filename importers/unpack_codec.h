/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_UNPACK_CODEC_H
#define MAILHAUL_IMPORTERS_UNPACK_CODEC_H

#include "importers/unpack.h"

#include <stdbool.h>

/* What unpack.c knows of a packer: how to unpack one compressed stream, piece by piece.
   Codes and types of the libraries stop here. Nobody else includes this. */

/* Both ends are moved by what was taken and given. */
struct unpack_piece {
	const char *in;
	size_t n_in;
	char *out;
	size_t n_out;
};

enum unpack_step {
	UNPACK_GOES_ON, /* a step that moved nothing wants more to read, or more room */
	UNPACK_ENDS,	/* behind the stream's last byte; no byte more was taken */
	UNPACK_DAMAGED,
	UNPACK_LARGE,	/* needs more than UNPACK_MEMORY */
	UNPACK_NO_MEMORY,
};

struct unpack_codec {
	const char *name;
	const char *tool;  /* by which people unpack it themselves */
	const char *magic; /* every stream begins with this */
	size_t n_magic;

	/* Ready for a stream; NULL without memory. */
	void *(*begin)(void);
	/* Go on a little. What was given before damage is in p; *why_r says more where
	   the library does, otherwise it is left alone. */
	enum unpack_step (*step)(void *state, struct unpack_piece *p,
				 const char **why_r);
	void (*end)(void *state);
};
/* By enum packing. */
extern const struct unpack_codec *const unpack_codecs[PACKED_ZSTD + 1];
/* Does a zstd frame that holds no data (a skippable one) begin here? pzstd puts one in
   front of every frame. */
bool unpack_zstd_skips(const char *bytes, size_t n);

#endif
