/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a file or directory is called: the unique part and the flags are parts of
   the name, in this order, and the unique part is never empty; splitting the unique
   part with the same flags behind ":2," gives both back; folder names have parts, none
   is empty, and all are UTF-8; flags and keywords come out as IMAP can have them. */
#include "importers/maildir.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/date.h"
#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_split(const char *name)
{
	size_t n = strlen(name);
	struct maildir_name r, again;
	struct buf joined = BUF_INIT;

	maildir_name_split(name, &r);
	must(r.unique_len <= n && (r.unique_len || !n));
	if (r.flags[0])
		must(r.flags > name + r.unique_len &&
		     r.flags + strlen(r.flags) == name + n);
	must(maildir_name_size(name, r.unique_len) <= UINT64_C(1) << 40);
	must(maildir_name_delivered(name) == DATE_NONE ||
	     maildir_name_delivered(name) > 0);
	if (n) {
		buf_add(&joined, name, r.unique_len);
		buf_addf(&joined, ":2,%s", r.flags);
		maildir_name_split(joined.data, &again);
		must(again.unique_len == r.unique_len);
		must(!strcmp(again.flags, r.flags));
	}
	buf_free(&joined);
}

static void check_parts(const struct buf *parts)
{
	must(parts->len && parts->data[parts->len - 1] == '\0');
	must(utf8_valid(parts->data, parts->len));
	for (size_t i = 0; i < parts->len;) {
		size_t n = strlen(parts->data + i);

		must(n);
		i += n + 1;
	}
}

static void check_folder(const char *name)
{
	static const enum maildir_dialect dialects[] = { MAILDIR_PLUSPLUS,
							 MAILDIR_EVOLUTION };
	struct buf parts = BUF_INIT;

	for (size_t i = 0; name[0] && i < 2; i++) {
		buf_reset(&parts);
		maildir_folder_parts(&parts, name, dialects[i]);
		check_parts(&parts);
	}
	buf_reset(&parts);
	if (maildir_kmail_parts(&parts, name))
		check_parts(&parts);
	else
		must(!parts.len);
	buf_free(&parts);
}

static void check_flags(const char *letters, const char *text, size_t n)
{
	struct maildir_keywords k;
	struct flags f = FLAGS_INIT, back = FLAGS_INIT;
	struct buf out = BUF_INIT;

	maildir_keywords_init(&k);
	maildir_keywords_parse(&k, text, n);
	maildir_flags(letters, &k, &f);
	flags_add_text(&out, &f);
	flags_parse(&back, out.data, out.len);
	must(flags_equal(&f, &back));
	flags_free(&f);
	flags_free(&back);
	buf_free(&out);
	maildir_keywords_free(&k);
}

/* Input: a name up to the first NUL, then the text of a dovecot-keywords file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = mem_strndup((const char *)data, size);
	size_t n = strlen(name);

	check_split(name);
	check_folder(name);
	check_flags(name, (const char *)data + n, size - n);
	check_flags("abcdefghijklmnopqrstuvwxyz", (const char *)data + n,
		    size - n);
	free(name);
	return 0;
}
