/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed files: whole ones, several in one, cut-off and damaged ones. */
#include "importers/unpack.h"

#include "core/base/buf.h"
#include "tests/importers/pack.h"
#include "tests/lib/check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Read the file in pieces of this size: 0 at its end, or -1. */
static int read_pieces(struct unpack *u, size_t piece, struct buf *out,
		       struct err *e)
{
	for (;;) {
		ssize_t got;

		buf_grow(out, piece);
		got = unpack_read(u, out->data + out->len, piece, e);
		if (got <= 0)
			return (int)got;
		CHECK_CASE("no more than asked for", (size_t)got <= piece);
		out->len += (size_t)got;
		out->data[out->len] = '\0';
	}
}

static int unpack_bytes(const char *bytes, size_t n, size_t piece,
			struct buf *out, struct err *e)
{
	int fd = pack_file(bytes, n), ret;
	struct unpack *u = NULL;

	buf_reset(out);
	CHECK(lseek(fd, 3, SEEK_SET) == 3); /* "whatever its position" */
	CHECK(unpack_open(fd, "box", &u, e) == 0);
	ret = read_pieces(u, piece, out, e);
	if (ret == 0) {
		char byte;

		CHECK_CASE("the end stays the end",
			   unpack_read(u, &byte, 1, e) == 0);
	}
	unpack_close(u);
	CHECK(lseek(fd, 0, SEEK_CUR) == 3);
	close(fd);
	return ret;
}

/* Lines that pack well, with a little noise between, always the same. */
static void add_text(struct buf *out, size_t n)
{
	uint32_t x = 1;
	size_t end = out->len + n;

	while (out->len < end) {
		x = x * 1664525 + 1013904223;
		buf_addf(out, "Received: by mail.example.com with %u\n", x);
	}
	buf_cut(out, end);
}

static void add_noise(struct buf *out, size_t n)
{
	uint64_t x = 88172645463325252;

	while (n--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_add_char(out, (char)x);
	}
}

static void test_round_trips(void)
{
	static const struct {
		const char *what;
		size_t text, noise, piece;
	} cases[] = {
		{ "nothing", 0, 0, 100 },
		{ "one byte", 1, 0, 100 },
		{ "one byte at a time", 30000, 500, 1 },
		{ "odd pieces", 200001, 70000, 7 },
		{ "blocks of zstd", 1 << 20, 1 << 18, 128 << 10 },
		{ "all at once", 3 << 20, 1 << 18, 8 << 20 },
	};
	struct buf plain = BUF_INIT, packed = BUF_INIT, got = BUF_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&plain);
		add_text(&plain, cases[i].text);
		add_noise(&plain, cases[i].noise);
		for (int how = PACKED_NOT; how <= PACKED_ZSTD; how++) {
			buf_reset(&packed);
			pack_add((enum packing)how, &packed, plain.data,
				 plain.len);
			CHECK_CASE(cases[i].what,
				   (int)unpack_looks(packed.data,
						     packed.len) == how);
			CHECK_CASE(cases[i].what,
				   unpack_bytes(packed.data, packed.len,
						cases[i].piece, &got,
						&e) == 0);
			CHECK_CASE(cases[i].what, buf_equal(&got, &plain));
		}
	}
	buf_free(&plain);
	buf_free(&packed);
	buf_free(&got);
}

static void test_looks(void)
{
	static const struct {
		const char *head;
		size_t n;
		enum packing want;
	} cases[] = {
		{ "", 0, PACKED_NOT },
		{ "From a", 6, PACKED_NOT },
		{ "\x1F\x8B\x08\x00", 4, PACKED_GZIP },
		{ "\x1F\x8B\x08\x08name", 8, PACKED_GZIP },
		{ "\x1F\x8B\x08\xE0", 4, PACKED_NOT },
		{ "\x1F\x8B\x07\x00", 4, PACKED_NOT },
		{ "\x1F\x8B\x08", 3, PACKED_NOT },
		{ "BZh91AY&SY", 10, PACKED_BZIP2 },
		{ "BZh1\x17\x72\x45\x38\x50\x90", 10, PACKED_BZIP2 },
		{ "BZh9 is how my mail begins", 26, PACKED_NOT },
		{ "BZh01AY&SY", 10, PACKED_NOT },
		{ "BZh91AY&S", 9, PACKED_NOT },
		{ "\xFD" "7zXZ\0", 6, PACKED_XZ },
		{ "\xFD" "7zXZ", 5, PACKED_NOT },
		{ "\x28\xB5\x2F\xFD", 4, PACKED_ZSTD },
		{ "\x50\x2A\x4D\x18\4\0\0\0abcd\x28\xB5\x2F\xFD", 16,
		  PACKED_ZSTD },
		{ "\x5F\x2A\x4D\x18\0\0\0\0\x28\xB5\x2F\xFD", 12, PACKED_ZSTD },
		{ "\x50\x2A\x4D\x18\4\0\0\0abcd", 12, PACKED_NOT },
		{ "\x50\x2A\x4D\x18\xFF\xFF\xFF\xFF\x28\xB5\x2F\xFD", 12,
		  PACKED_NOT },
		{ "PK\3\4", 4, PACKED_NOT },
		{ "\x1F\x9D\x90", 3, PACKED_NOT }, /* compress(1) */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].head,
			   unpack_looks(cases[i].head, cases[i].n) ==
				   cases[i].want);
	CHECK_STR(unpack_name(PACKED_NOT), "");
	CHECK_STR(unpack_name(PACKED_GZIP), "gzip");
	CHECK_STR(unpack_name(PACKED_BZIP2), "bzip2");
	CHECK_STR(unpack_name(PACKED_XZ), "xz");
	CHECK_STR(unpack_name(PACKED_ZSTD), "zstd");
}

/* What may stand behind a stream: "S" another with the text "two\n", "E" one that
   holds nothing, "0" a NUL, other letters themselves. */
static void test_behind_a_stream(void)
{
	static const struct {
		const char *what, *behind, *want, *error;
	} cases[] = {
		{ "another stream", "S", "one\ntwo\n", NULL },
		{ "three, one of them empty", "ESS", "one\ntwo\ntwo\n", NULL },
		{ "a tape's block filled up", "0000000000", "one\n", NULL },
		{ "a stream behind the filling", "0000S0", "one\ntwo\n", NULL },
		{ "remains of what was there before", "xyz", "one\n", NULL },
		{ "one byte", "x", "one\n", NULL },
		{ "remains behind the filling", "000x", "one\n", NULL },
		{ "a stream behind remains is not ours", "xS", "one\n", NULL },
		{ "another stream that is cut off at once", "C", "one\n",
		  "cut off" },
	};
	struct buf packed = BUF_INIT, got = BUF_INIT, other = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int how = PACKED_GZIP; how <= PACKED_ZSTD; how++) {
			struct err e = ERR_INIT;
			int ret;

			buf_reset(&packed);
			pack_add((enum packing)how, &packed, "one\n", 4);
			for (const char *p = cases[i].behind; *p; p++) {
				buf_reset(&other);
				pack_add((enum packing)how, &other, "two\n",
					 *p == 'E' ? 0 : 4);
				if (*p == 'S' || *p == 'E')
					buf_add(&packed, other.data, other.len);
				else if (*p == 'C')
					buf_add(&packed, other.data, 2);
				else
					buf_add_char(&packed,
						     *p == '0' ? '\0' : *p);
			}
			ret = unpack_bytes(packed.data, packed.len, 3, &got,
					   &e);
			CHECK_CASE(cases[i].what,
				   ret == (cases[i].error ? -1 : 0));
			CHECK_CASE(cases[i].what,
				   !cases[i].error ||
					   strstr(e.text, cases[i].error));
			CHECK_STR(got.data, cases[i].want);
		}
	buf_free(&packed);
	buf_free(&got);
	buf_free(&other);
}

static void check_error(const char *what, const struct err *e,
			enum packing how, const char *said)
{
	CHECK_CASE(what, e->kind == ERR_SOURCE && e->scope == ERR_FOLDER);
	CHECK_CASE(what, strstr(e->text, said));
	CHECK_CASE(what, !strncmp(e->text, "box: ", 5));
	CHECK_CASE(what, strstr(e->text, unpack_name(how)));
}

static bool is_prefix(const struct buf *part, const struct buf *whole)
{
	return part->len <= whole->len &&
	       !memcmp(part->data, whole->data, part->len);
}

/* Cut off anywhere: what is there comes first, then the error. */
static void test_cut_off(void)
{
	struct buf plain = BUF_INIT, packed = BUF_INIT, got = BUF_INIT;
	size_t most[PACKED_ZSTD + 1] = { 0 };

	add_text(&plain, 700);
	for (int how = PACKED_GZIP; how <= PACKED_ZSTD; how++) {
		buf_reset(&packed);
		pack_add((enum packing)how, &packed, plain.data, plain.len);
		for (size_t n = 0; n < packed.len; n++) {
			struct err e = ERR_INIT;

			if (unpack_looks(packed.data, n) == PACKED_NOT)
				continue;
			CHECK_CASE("cut off", unpack_bytes(packed.data, n, 50,
							   &got, &e) == -1);
			check_error("cut off", &e, (enum packing)how,
				    "cut off");
			CHECK(is_prefix(&got, &plain));
			CHECK(got.len >= most[how]);
			most[how] = got.len;
		}
		/* Only the sum at the end was missing. */
		CHECK_CASE(unpack_name((enum packing)how),
			   most[how] == plain.len);
	}
	buf_free(&plain);
	buf_free(&packed);
	buf_free(&got);
}

/* One byte is another: nothing hangs, and either it is said or it did not matter
   (the time in gzip's header). */
static void test_damage(void)
{
	struct buf plain = BUF_INIT, packed = BUF_INIT, got = BUF_INIT;

	add_text(&plain, 700);
	for (int how = PACKED_GZIP; how <= PACKED_ZSTD; how++) {
		unsigned said = 0;

		buf_reset(&packed);
		pack_add((enum packing)how, &packed, plain.data, plain.len);
		for (size_t i = 0; i < packed.len; i++) {
			struct err e = ERR_INIT;

			packed.data[i] = (char)(packed.data[i] ^ 0x55);
			if ((int)unpack_looks(packed.data, packed.len) != how)
				said++;
			else if (unpack_bytes(packed.data, packed.len, 50,
					      &got, &e) < 0)
				said++;
			else
				CHECK_CASE(unpack_name((enum packing)how),
					   buf_equal(&got, &plain));
			packed.data[i] = (char)(packed.data[i] ^ 0x55);
		}
		CHECK_CASE(unpack_name((enum packing)how),
			   said + 8 > packed.len);
	}
	buf_free(&plain);
	buf_free(&packed);
	buf_free(&got);
}

/* Damage near the end of a long file: what is before it is not lost. gzip's and
   xz's libraries stop at the place itself, the others at the block it is in
   (bzip2: 100 kB as packed here; zstd: 128 kB). */
static void test_before_damage(void)
{
	static const size_t pieces[] = { 1 << 10, 100 << 10, 4 << 20 };
	struct buf plain = BUF_INIT, packed = BUF_INIT, got = BUF_INIT;

	add_text(&plain, 2 << 20);
	for (int how = PACKED_GZIP; how <= PACKED_ZSTD; how++) {
		buf_reset(&packed);
		pack_add((enum packing)how, &packed, plain.data, plain.len);
		memset(packed.data + packed.len - 100, 0xFF, 90);
		for (size_t i = 0; i < 3; i++) {
			struct err e = ERR_INIT;
			size_t same = 0;

			CHECK(unpack_bytes(packed.data, packed.len, pieces[i],
					   &got, &e) < 0);
			/* For gzip rubbish may mean something, up to the end. */
			check_error("damage", &e, (enum packing)how,
				    how == PACKED_GZIP ? "cut off" : "damaged");
			while (same < got.len && same < plain.len &&
			       got.data[same] == plain.data[same])
				same++;
			CHECK_CASE(unpack_name((enum packing)how),
				   same + (200 << 10) > plain.len);
		}
	}
	buf_free(&plain);
	buf_free(&packed);
	buf_free(&got);
}

/* Every block of zstd that came whole is given, also when the header behind it
   is bad, whatever the size of the pieces. */
static void test_zstd_blocks(void)
{
	static const char head[] = "\x28\xB5\x2F\xFD\0\x58"; /* 2 MiB window */
	struct buf packed = BUF_INIT, got = BUF_INIT;

	for (size_t piece = 1; piece < 40; piece++) {
		struct err e = ERR_INIT;

		buf_reset(&packed);
		buf_add(&packed, head, 6);
		buf_add(&packed, "\x28\0\0hello", 8); /* 5 bytes as they are */
		buf_add(&packed, "\x52\0\0!", 4);     /* 10 of the same */
		buf_add(&packed, "\6\0\0....", 7);    /* of no kind */
		CHECK(unpack_bytes(packed.data, packed.len, piece, &got, &e) <
		      0);
		CHECK_STR(got.data, "hello!!!!!!!!!!");
		check_error("blocks", &e, PACKED_ZSTD, "damaged");
	}
	buf_free(&packed);
	buf_free(&got);
}

/* 4 GiB of memory are asked for by one byte of the header, sums and all. */
static void add_greedy_xz(struct buf *out)
{
	uint32_t sum;
	size_t block = out->len + 12, i;

	pack_xz(out, "text", 4);
	i = block + 2;
	while (out->data[i] != 0x21) /* the filter LZMA2, one byte of properties */
		i++;
	out->data[i + 2] = 40;
	i = ((size_t)(unsigned char)out->data[block] + 1) * 4 - 4;
	sum = lzma_crc32((const uint8_t *)out->data + block, i, 0);
	for (size_t k = 0; k < 4; k++)
		out->data[block + i + k] = (char)(sum >> (8 * k));
}

static void test_memory(void)
{
	struct buf packed = BUF_INIT, got = BUF_INIT;
	struct err e = ERR_INIT;

	add_greedy_xz(&packed);
	CHECK(unpack_bytes(packed.data, packed.len, 100, &got, &e) < 0);
	check_error("xz", &e, PACKED_XZ, "144 MiB of memory");
	CHECK(strstr(e.text, "'xz -d' first"));
	buf_reset(&packed);
	/* A window of 256 MiB, and one block as it is. */
	buf_add(&packed, "\x28\xB5\x2F\xFD\0\x90\x21\0\0text", 13);
	CHECK(unpack_bytes(packed.data, packed.len, 100, &got, &e) < 0);
	check_error("zstd", &e, PACKED_ZSTD, "144 MiB of memory");
	packed.data[5] = (char)0x88; /* 128 MiB: zstd --long */
	CHECK(unpack_bytes(packed.data, packed.len, 100, &got, &e) == 0);
	CHECK_STR(got.data, "text");
	buf_free(&packed);
	buf_free(&got);
}

static void check_at(struct unpack *u, const struct buf *plain, uint64_t at,
		     const char *what)
{
	struct err e = ERR_INIT;
	char byte;
	ssize_t got;

	CHECK_CASE(what, unpack_seek(u, at, &e) == 0);
	got = unpack_read(u, &byte, 1, &e);
	if (at >= plain->len)
		CHECK_CASE(what, got == 0);
	else
		CHECK_CASE(what, got == 1 && byte == plain->data[at]);
}

static void test_seek(void)
{
	struct buf plain = BUF_INIT, packed = BUF_INIT;

	add_text(&plain, 300000);
	for (int how = PACKED_NOT; how <= PACKED_ZSTD; how++) {
		struct unpack *u = NULL;
		struct err e = ERR_INIT;
		int fd;

		buf_reset(&packed);
		pack_add((enum packing)how, &packed, plain.data, plain.len);
		fd = pack_file(packed.data, packed.len);
		CHECK(unpack_open(fd, "box", &u, &e) == 0);
		CHECK((int)unpack_packing(u) == how);
		CHECK(unpack_taken(u) == 0);
		check_at(u, &plain, 0, "the beginning");
		check_at(u, &plain, 1, "where it is");
		check_at(u, &plain, 100000, "forward");
		check_at(u, &plain, 99999, "back");
		check_at(u, &plain, 299999, "the last byte");
		CHECK(unpack_taken(u) > 0 && unpack_taken(u) <= packed.len);
		check_at(u, &plain, 300000, "the end");
		check_at(u, &plain, 400000, "behind the end");
		check_at(u, &plain, 5, "back from there");
		check_at(u, &plain, UINT64_MAX, "far behind the end");
		unpack_close(u);
		close(fd);
	}
	buf_free(&plain);
	buf_free(&packed);
}

static void test_after_an_error(void)
{
	struct buf plain = BUF_INIT, packed = BUF_INIT;
	struct unpack *u = NULL;
	struct err e = ERR_INIT, again = ERR_INIT;
	char bytes[1000];
	int fd;

	add_text(&plain, 1000);
	pack_gzip(&packed, plain.data, plain.len);
	fd = pack_file(packed.data, packed.len - 1);
	CHECK(unpack_open(fd, "box", &u, &e) == 0);
	CHECK(unpack_read(u, bytes, sizeof(bytes), &e) == 1000);
	CHECK(unpack_read(u, bytes, sizeof(bytes), &e) == -1);
	CHECK(unpack_read(u, bytes, sizeof(bytes), &again) == -1);
	CHECK_STR(again.text, e.text);
	CHECK(unpack_seek(u, 2000, &e) == -1);
	check_at(u, &plain, 10, "back to what is there");
	CHECK(unpack_seek(u, 2000, &e) == -1);
	unpack_close(u);
	close(fd);
	u = NULL;
	fd = open("/dev/null", O_WRONLY); /* the disk says no */
	CHECK(unpack_open(fd, "box", &u, &e) == -1);
	CHECK(!u && strstr(e.text, "box: byte 0: "));
	close(fd);
	buf_free(&plain);
	buf_free(&packed);
}

int main(void)
{
	test_round_trips();
	test_looks();
	test_behind_a_stream();
	test_cut_off();
	test_damage();
	test_before_damage();
	test_zstd_blocks();
	test_memory();
	test_seek();
	test_after_an_error();
	return check_done();
}
