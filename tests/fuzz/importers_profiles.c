/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the text: what was read as profiles.ini (or installs.ini), written down as
   a plain profiles.ini and read again, is the same. */
#include "importers/thunderbird_ini.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void write_file(struct buf *out, const struct tb_ini *ini)
{
	for (size_t i = 0; i < ini->n; i++) {
		bool install = ini->list[i].rank == TB_INI_INSTALL;

		buf_addf(out, "[%s%zu]\r\n%s=%s\r\n",
			 install ? "Install" : "Profile", i,
			 install ? "Default" : "Path", ini->list[i].path);
		if (ini->list[i].rank == TB_INI_DEFAULT)
			buf_add_str(out, "Default=1\r\n");
	}
}

static void check(const char *bytes, size_t n, bool installs)
{
	struct tb_ini ini = { 0 }, again = { 0 };
	struct buf file = BUF_INIT;

	tb_ini_parse(&ini, bytes, n, installs);
	write_file(&file, &ini);
	tb_ini_parse(&again, file.data, file.len, false);
	must(again.n == ini.n);
	for (size_t i = 0; i < ini.n; i++) {
		must(*ini.list[i].path && !strpbrk(ini.list[i].path, "\r\n"));
		must(ini.list[i].rank == again.list[i].rank);
		must(!strcmp(ini.list[i].path, again.list[i].path));
		must(!installs || ini.list[i].rank == TB_INI_INSTALL ||
		     i == 0);
	}
	tb_ini_free(&ini);
	tb_ini_free(&again);
	buf_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check((const char *)data, size, false);
	check((const char *)data, size, true);
	return 0;
}
