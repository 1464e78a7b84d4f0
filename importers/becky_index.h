/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_BECKY_INDEX_H
#define MAILHAUL_IMPORTERS_BECKY_INDEX_H

#include "core/base/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Folder.idx, Becky!'s list of a folder's messages: a line with the version, then one for
   each message, of columns divided by 0x01. RimArts told the columns to writers of plug-ins
   (b2board r30943; as BkListViewExtension, MailIndex.h, has them): 0 the place in the .bmf,
   2 the .bmf's name, 10 when it was downloaded, 12 the status; numbers are hexadecimal.

   A message that was deleted is not listed any more, but stays in the .bmf until the folder
   is compacted. */
struct becky_entry {
	uint32_t file; /* the .bmf's name as a number */
	uint32_t status;
	uint64_t at;
	int64_t downloaded; /* DATE_NONE */
};
struct becky_index {
	struct becky_entry *entries; /* sorted by file and place */
	size_t n, cap;
	bool whole; /* every line could be read */
};

void becky_index_read(struct becky_index *x, int fd, uint64_t size);
void becky_index_free(struct becky_index *x);

/* The entries of one .bmf, looked at together with it. */
struct becky_part {
	const struct becky_entry *entries;
	size_t n;
	bool trusted; /* there are some, and each is where a message begins */
};
struct becky_part becky_index_part(const struct becky_index *x,
				   const char *leaf, int bmf, uint64_t size);
const struct becky_entry *becky_part_find(const struct becky_part *p,
					  uint64_t at);

/* A message's status, as the index and the field X-Becky-Status have it. */
enum {
	BECKY_READ = 0x01,
	BECKY_FORWARDED = 0x02,
	BECKY_REPLIED = 0x04,
	BECKY_MDN_DONE = 0x400,
	BECKY_FLAGGED = 0x1000,
};
void becky_status_apply(struct message *m, uint32_t status);
/* "010001,000000,3,386d85bd,4d4d87b5,1b8673f4,ffffffff": status, colour, priority, when it
   was delivered and downloaded, number, the one it answers. False if it is not one. */
bool becky_status_parse(const char *value, uint32_t *status_r,
			int64_t *downloaded_r);

#endif
