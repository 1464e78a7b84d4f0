/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Remarks are single lines, and bounded. */
#include "importers/remarks.h"

#include "tests/lib/check.h"

int main(void)
{
	struct remarks r = { .n = 0 };

	CHECK(!remark_nth(&r, 0));
	remark_add(&r, "%s: a link", "a\nb\x7f");
	CHECK_STR(remark_nth(&r, 0), "a?b?: a link");
	remark_add(&r, "\x8e\xf3\x90\x4d"); /* 受信 in CP932 */
	CHECK_STR(remark_nth(&r, 1), "受信");
	CHECK(!remark_nth(&r, 2));
	for (size_t i = 2; i < REMARKS_MAX; i++)
		remark_add(&r, "line %zu", i);
	CHECK(!remark_nth(&r, REMARKS_MAX));
	remark_add(&r, "one too many");
	remark_add(&r, "and another");
	CHECK_STR(remark_nth(&r, REMARKS_MAX), "... and 2 more such lines");
	CHECK(!remark_nth(&r, REMARKS_MAX + 1));
	remarks_free(&r);
	CHECK(!remark_nth(&r, 0));
	remarks_free(&r);
	return check_done();
}
