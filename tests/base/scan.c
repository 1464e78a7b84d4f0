/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every scan against its plain definition, on texts in which line ends, pairs
   and block edges meet in many ways. */
#include "core/base/scan.h"
#include "core/base/buf.h"

#include "tests/lib/check.h"

static uint32_t dice = 1;

static uint32_t roll(uint32_t sides)
{
	dice = dice * 1664525u + 1013904223u;
	return (dice >> 16) % sides;
}

enum { LF_ONLY, CRLF_ONLY, MIXED, KINDS };

/* n bytes with a line end every few bytes on average. */
static char *make(size_t n, int kind, uint32_t few)
{
	char *text = mem_alloc(n);

	for (size_t i = 0; i < n; i++) {
		text[i] = ">FxF\0"[roll(5)];
		if (roll(few))
			continue;
		if (kind == MIXED)
			text[i] = "\r\n\n\r"[roll(4)];
		else if (kind == LF_ONLY)
			text[i] = '\n';
		else if (i + 1 < n) {
			text[i++] = '\r';
			text[i] = '\n';
		}
	}
	return text;
}

static void check_counts(const char *s, size_t n)
{
	uint64_t lfs = 0, pairs = 0;
	size_t first = n;

	for (size_t i = 0; i < n; i++) {
		lfs += s[i] == '\n';
		if (i + 1 == n || s[i] != '>' || s[i + 1] != 'F')
			continue;
		if (!pairs++)
			first = i;
	}
	CHECK(scan_count(s, n, '\n') == lfs);
	CHECK(scan_count_pairs(s, n, '>', 'F') == pairs);
	CHECK(scan_find_pair(s, 0, n, '>', 'F') == first);
	for (size_t at = 0; pairs && at < n; pairs--)
		at = scan_find_pair(s, at, n, '>', 'F') + 1;
	CHECK(pairs == 0);
}

static void check_copies(const char *s, size_t n, bool cr)
{
	struct buf folded = BUF_INIT, spread = BUF_INIT;
	char *to = mem_alloc(2 * n + SCAN_SLACK);
	bool before = cr;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' && !before)
			buf_add_char(&spread, '\r');
		buf_add_char(&spread, s[i]);
		before = s[i] == '\r';
		if (s[i] != '\r' || i + 1 == n || s[i + 1] != '\n')
			buf_add_char(&folded, s[i]);
	}
	CHECK(scan_spread_crlf(to, s, n, cr) == spread.len &&
	      !memcmp(to, spread.data, spread.len));
	/* Its last byte must not be a CR with nothing behind it. */
	if (n && s[n - 1] != '\r')
		CHECK(scan_fold_crlf(to, s, n) == folded.len &&
		      !memcmp(to, folded.data, folded.len));
	free(to);
	buf_free(&folded);
	buf_free(&spread);
}

static void check_lines(const char *s, size_t n, int kind)
{
	struct scan_lines got = { .open = 0 };
	uint64_t longest = 0, open = 0;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n') {
			open -= i && s[i - 1] == '\r';
			longest = open > longest ? open : longest;
		}
		open = s[i] == '\n' ? 0 : open + 1;
	}
	for (size_t at = 0; at < n; at += len) {
		len = 1 + roll(500);
		len = len < n - at ? len : n - at;
		scan_lines(&got, s + at, len, kind == CRLF_ONLY,
			   kind == LF_ONLY);
	}
	CHECK(got.longest == longest && got.open == open);
	CHECK(got.cr == (n && s[n - 1] == '\r'));
}

int main(void)
{
	static const uint32_t few[] = { 2, 5, 16, 60, 80, 1000 };

	for (int i = 0; i < 600; i++) {
		int kind = i % KINDS;
		size_t n = i < 300 ? roll(100) : roll(10000);
		char *text = make(n, kind, few[i / KINDS % 6]);

		check_counts(text, n);
		check_copies(text, n, false);
		check_copies(text, n, true);
		check_lines(text, n, kind);
		free(text);
	}
	return check_done();
}
