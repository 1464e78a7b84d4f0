/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/buf.h"

#include "tests/lib/check.h"

static void test_empty(void)
{
	struct buf b = BUF_INIT, c;
	char *bytes;

	buf_init(&c);
	CHECK(b.data && b.data[0] == '\0' && !b.len && !b.cap);
	CHECK(buf_equal(&b, &c));
	/* Everything that may be done with an empty one, without memory. */
	buf_reset(&b);
	buf_shrink(&b, 0);
	buf_cut(&b, 0);
	buf_drop_front(&b, 0);
	buf_add(&b, NULL, 0);
	buf_add_str(&b, "");
	CHECK(!b.cap && !b.len);
	bytes = buf_detach(&b);
	CHECK_STR(bytes, "");
	free(bytes);
	buf_free(&b);
	CHECK(buf_empty[0] == '\0');
}

static void test_growing(void)
{
	struct buf b = BUF_INIT;
	size_t cap;

	buf_add(&b, "a\0b", 3);
	buf_add_char(&b, '\0');
	buf_add_str(&b, "cd");
	CHECK(b.len == 6 && !memcmp(b.data, "a\0b\0cd", 7));
	buf_addf(&b, "%d-%s", 42, "x");
	CHECK(b.len == 10 && !memcmp(b.data + 6, "42-x", 5));
	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	CHECK(b.len == 100010 && b.data[b.len] == '\0' && b.cap > b.len);
	CHECK(b.data[10] == 'a' && b.data[100009] == 'a' + 99999 % 26);
	buf_grow(&b, 50000);
	cap = b.cap;
	CHECK(cap >= 150011 && b.len == 100010);
	for (int i = 0; i < 50000; i++)
		buf_add_char(&b, 'x');
	CHECK(b.cap == cap);
	buf_addf(&b, "%01000d", 7);
	CHECK(b.len == 151010 && b.data[151009] == '7');
	buf_free(&b);
	CHECK(!b.cap && b.data == buf_empty);
}

static void test_cutting(void)
{
	struct buf b = BUF_INIT, c = BUF_INIT;
	char *bytes;

	buf_set_str(&b, "hello world");
	buf_cut(&b, 5);
	CHECK_STR(b.data, "hello");
	buf_drop_front(&b, 2);
	CHECK_STR(b.data, "llo");
	buf_drop_front(&b, 3);
	CHECK(b.len == 0 && b.data[0] == '\0');
	buf_set_str(&b, "one");
	buf_set_str(&b, "two");
	buf_add_str(&c, "two");
	CHECK(buf_equal(&b, &c));
	buf_add_char(&c, '\0');
	CHECK(!buf_equal(&b, &c));
	buf_reset(&b);
	CHECK(b.len == 0 && b.cap && b.data[0] == '\0');
	buf_shrink(&b, b.cap);
	CHECK(b.cap);
	buf_shrink(&b, b.cap - 1);
	CHECK(!b.cap);
	buf_add_str(&b, "mine");
	bytes = buf_detach(&b);
	CHECK_STR(bytes, "mine");
	CHECK(!b.cap && !b.len);
	free(bytes);
	buf_free(&b);
	buf_free(&c);
}

static void test_memory(void)
{
	char *a = mem_strdup("abc"), *b = mem_strndup("abcdef", 3);
	char *z = mem_zalloc(3);

	CHECK_STR(a, b);
	CHECK(!z[0] && !z[1] && !z[2]);
	a = mem_realloc(a, 100);
	CHECK_STR(a, "abc");
	free(a);
	free(b);
	free(z);
	free(mem_alloc(0));
}

int main(void)
{
	test_empty();
	test_growing();
	test_cutting();
	test_memory();
	return check_done();
}
