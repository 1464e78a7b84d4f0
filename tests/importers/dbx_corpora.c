/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one file of Outlook Express at hand that Outlook Express wrote: of Mail::Transport::Dbx
   (../shared/corpora beside the source; not part of this repository). What is in it was
   read by hand. */
#include "importers/importer.h"

#include "tests/importers/dbx_listing.h"

extern const struct importer_ops importer_dbx;
static const struct importer_ops *const ops = &importer_dbx;

#define FILE_NAME TESTS_DIR "/../../shared/corpora/dbx-perl/test.dbx"

int main(void)
{
	static const struct importer_options plain;
	struct importer *imp = NULL;
	struct err e = ERR_INIT;
	struct message m;
	struct folder f;

	if (access(FILE_NAME, R_OK) < 0) {
		printf("skipped: no corpus dbx-perl\n");
		return 0;
	}
	message_init(&m);
	m.in.want_spool = true;
	CHECK(importer_probe(FILE_NAME) == ops);
	CHECK(ops->open(FILE_NAME, &plain, &imp, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 1);
	CHECK_STR(f.path[0], "test");
	CHECK_STR(f.id, "test.dbx");
	CHECK(ops->next(imp, &m, &e) == 1 && ops->load(imp, &m, &e) == 0);
	/* Bytes of 33 blocks, the last of them with 0x61. */
	CHECK(m.length == 0x4261 && m.in.store_size == 0x4261);
	CHECK(m.in.wire_size == 0x4261);
	CHECK(m.flags.system == FLAG_SEEN && !m.notes && !m.skip);
	CHECK(m.when.delivered == 1018744077);
	CHECK(!strncmp(m.in.spool.mem.data, "Return-path: <off_1@", 20));
	CHECK(m.in.spool.mem.len != 0x4261 ||
	      m.in.spool.mem.data[0x4260] == '\n');
	message_reset(&m);
	CHECK(ops->next(imp, &m, &e) == 0);
	CHECK(ops->next_folder(imp, &f, &e) == 0);
	CHECK(!ops->remark(imp, 0));
	ops->close(imp);
	message_free(&m);
	return check_done();
}
