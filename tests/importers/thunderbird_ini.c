/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profiles.ini and installs.ini. */
#include "importers/thunderbird_ini.h"

#include "core/base/buf.h"
#include "tests/lib/check.h"

static const struct {
	const char *what, *text;
	bool installs;
	const char *want; /* "rank path" each */
} cases[] = {
	{ "today", "[Install4F96D1932A9F858E]\nDefault=a.default\nLocked=1\n\n"
		   "[Profile1]\nName=b\nIsRelative=1\nPath=b.old\nDefault=1\n\n"
		   "[Profile0]\nName=a\nIsRelative=1\nPath=a.default\n\n"
		   "[General]\nStartWithLastProfile=1\nVersion=2\n",
	  false, "2 a.default, 1 b.old, 0 a.default, " },
	{ "installs.ini", "[4F96D1932A9F858E]\nDefault=a.default\nLocked=1\n", true,
	  "2 a.default, " },
	{ "of Windows", "[Profile0]\r\nIsRelative=0\r\nPath=C:\\T\\a b\r\n", false,
	  "0 C:\\T\\a b, " },
	{ "a byte order mark, and blanks that people leave",
	  "\xEF\xBB\xBF[Profile0] \n Path = a/b \n default = 1\n", false, "1 a/b, " },
	{ "a section without a path", "[Profile0]\nName=x\nDefault=1\n[Profile1]\n",
	  false, "" },
	{ "Default=1 of one profile is not that of the next",
	  "[Profile0]\nDefault=1\n[Profile1]\nPath=x\n", false, "0 x, " },
	{ "lines that are none", "Path\n=\n[\n]\nPathx=y\nPath=z\n[", false,
	  "0 z, " },
	{ "nothing", "", false, "" },
};

int main(void)
{
	struct buf got = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tb_ini ini = { 0 };

		tb_ini_parse(&ini, cases[i].text, strlen(cases[i].text),
			     cases[i].installs);
		buf_reset(&got);
		for (size_t k = 0; k < ini.n; k++)
			buf_addf(&got, "%d %s, ", (int)ini.list[k].rank,
				 ini.list[k].path);
		CHECK_CASE(cases[i].what, !strcmp(got.data, cases[i].want));
		CHECK_STR(got.data, cases[i].want);
		tb_ini_free(&ini);
	}
	buf_free(&got);
	return check_done();
}
