/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a folder is called (the parts of a path, split at 0x1F; the first byte
   chooses the separator): its name on the wire is printable ASCII with one
   separator less than parts, quoting leaves nothing that ends a line, and shown again
   it has as many levels. Any bytes as a wire name can be shown and, but for line ends,
   quoted. */
#include "storage/imap/name.h"
#include "core/base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t count(const char *s, char c)
{
	size_t n = 0;

	for (; c && *s; s++)
		n += *s == c;
	return n;
}

static void check_wire(const char *wire)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int ret = imap_name_quote(wire, &out, &e);

	if ((ret < 0) != (strpbrk(wire, "\r\n") != NULL))
		abort();
	if (ret == 0 && (strpbrk(out.data, "\r\n") || out.len < 2 ||
			 out.data[out.len - 1] != '"'))
		abort();
	if (ret < 0 && out.len)
		abort();
	buf_reset(&out);
	imap_name_show(wire, "INBOX.", '.', &out);
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < 0x20)
			abort();
	buf_free(&out);
}

static void check_path(const char *const *path, size_t n, char separator)
{
	struct buf wire = BUF_INIT, shown = BUF_INIT;
	struct err e = ERR_INIT;
	bool changed;

	if (imap_name_encode(path, "", separator, &wire, &changed, &e) < 0) {
		if (wire.len || e.scope != ERR_FOLDER)
			abort();
		goto out;
	}
	for (size_t i = 0; i < wire.len; i++)
		if (wire.data[i] < 0x20 || wire.data[i] > 0x7E)
			abort();
	if (separator && count(wire.data, separator) != n - 1)
		abort();
	if (strpbrk(wire.data, "%*") || wire.data[0] == '~' || !wire.len)
		abort();
	check_wire(wire.data);
	imap_name_show(wire.data, "", separator, &shown);
	if (!utf8_valid(shown.data, shown.len) ||
	    (separator == '/' && count(shown.data, '/') != n - 1))
		abort();
out:
	buf_free(&wire);
	buf_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char separators[] = { '/', '.', '\0', '-', 'Z', '^' };
	const char *path[64];
	size_t parts = 0;
	char *text, *save;

	if (n < 1)
		return 0;
	text = strndup((const char *)data + 1, n - 1);
	check_wire(text);
	for (char *at = text; at && parts < 63; parts++) {
		path[parts] = at;
		save = strchr(at, 0x1F);
		if (save)
			*save++ = '\0';
		at = save;
	}
	path[parts] = NULL;
	check_path(path, parts, separators[data[0] % sizeof(separators)]);
	free(text);
	return 0;
}
