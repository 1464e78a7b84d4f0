/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/spool.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"

/* A byte that tells where it belongs. */
static char byte_at(uint64_t at)
{
	return (char)(at * 2654435761u >> 24);
}

static void fill(struct spool *s, uint64_t size, size_t piece)
{
	char *bytes = mem_alloc(piece);
	struct err e = ERR_INIT;
	size_t n;

	while (s->len < size) {
		n = size - s->len < piece ? (size_t)(size - s->len) : piece;
		for (size_t i = 0; i < n; i++)
			bytes[i] = byte_at(s->len + i);
		if (spool_add(s, bytes, n, &e) < 0)
			break;
	}
	free(bytes);
}

static bool same(const struct spool *s, uint64_t from, size_t scratch_len)
{
	char *scratch = mem_alloc(scratch_len);
	struct err e = ERR_INIT;
	bool ok = true;
	const char *bytes;
	uint64_t at = from;
	ssize_t got;

	while ((got = spool_at(s, at, scratch, scratch_len, &bytes, &e)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			ok = ok && bytes[i] == byte_at(at + (uint64_t)i);
		at += (uint64_t)got;
	}
	free(scratch);
	return ok && got == 0 && at == s->len;
}

static const struct {
	const char *what;
	uint64_t size;
	size_t piece;
	bool file;
} cases[] = {
	{ "empty", 0, 1, false },
	{ "small", 1000, 7, false },
	{ "exactly the memory", SPOOL_MEMORY, 4096, false },
	{ "one more", SPOOL_MEMORY + 1, 4096, true },
	{ "a piece across the edge", SPOOL_MEMORY + 50000, 65536 + 1, true },
	{ "all at once", 3 * SPOOL_MEMORY, 3 * SPOOL_MEMORY, true },
};

static void test_sizes(void)
{
	struct spool s = SPOOL_INIT; /* one for all: it is reused */

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill(&s, cases[i].size, cases[i].piece);
		CHECK_CASE(cases[i].what, s.len == cases[i].size);
		CHECK_CASE(cases[i].what, (s.fd >= 0) == cases[i].file);
		CHECK_CASE(cases[i].what, s.mem.len <= SPOOL_MEMORY);
		CHECK_CASE(cases[i].what, same(&s, 0, 10000));
		CHECK_CASE(cases[i].what, same(&s, s.len / 2, 333));
		CHECK_CASE(cases[i].what, same(&s, s.len, 10));
		spool_reset(&s);
		CHECK_CASE(cases[i].what, s.len == 0 && s.fd < 0);
		CHECK_CASE(cases[i].what, s.mem.cap <= SPOOL_KEEP);
	}
	spool_free(&s);
}

static unsigned count_names(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void test_file(void)
{
	char dir[] = "/tmp/mailhaul-spool-XXXXXX";
	struct spool s = SPOOL_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	CHECK(mkdtemp(dir) != NULL);
	setenv("TMPDIR", dir, 1);
	fill(&s, SPOOL_MEMORY + 10, SPOOL_MEMORY + 10);
	CHECK(s.len == SPOOL_MEMORY + 10);
	CHECK(count_names(dir) == 2); /* "." and ".." */
	CHECK(fstat(s.fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(st.st_nlink == 0 && st.st_size == 10);

	/* The file was cut behind our back. */
	CHECK(ftruncate(s.fd, 0) == 0);
	char scratch[100];
	const char *bytes;
	CHECK(spool_at(&s, SPOOL_MEMORY, scratch, sizeof(scratch), &bytes,
		       &e) == -1);
	CHECK(e.scope == ERR_MESSAGE && e.retry == ERR_LATER);
	spool_reset(&s);
	rmdir(dir);

	/* No place for one: this message fails, small ones do not. */
	err_clear(&e);
	char *large = mem_zalloc(SPOOL_MEMORY + 1);
	CHECK(spool_add(&s, large, SPOOL_MEMORY + 1, &e) == -1);
	CHECK(e.scope == ERR_MESSAGE && e.text[0]);
	spool_reset(&s);
	CHECK(spool_add(&s, large, 100, &e) == 0 && s.len == 100);
	free(large);
	spool_free(&s);
	unsetenv("TMPDIR");
}

int main(void)
{
	test_sizes();
	test_file();
	return check_done();
}
