/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CORE_REPAIR_INTERNAL_H
#define MAILHAUL_CORE_REPAIR_INTERNAL_H

#include "core/base/buf.h"
#include "core/repair.h"

#include <stdbool.h>
#include <stddef.h>

/* What the files of the repairs share: repair.c streams, repair_header.c mends a header,
   repair_encode.c encodes one field. */

enum { REPAIR_LINE_MAX = 998 }; /* octets without CRLF: RFC 5322 section 2.1.1 */

/* A header with its empty line, if it has one, in CRLF form; the message may go on behind
   it. Append it repaired to out. What turns out not to be header is left in rest (the
   caller's, emptied), behind out's empty line. at_end: the message ends here. */
void repair_header(const char *header, size_t n, unsigned repairs, bool at_end,
		   struct buf *out, struct buf *rest);
/* A field with its line end: append it with its raw 8-bit bytes encoded; false, and
   nothing appended, where there is nothing that could be. */
bool repair_encode_field(const char *field, size_t n, struct buf *out);
/* How long is the field name at line (n bytes), blanks before the colon not counted? 0:
   it is no field. */
size_t repair_field_name(const char *line, size_t n);

#endif
