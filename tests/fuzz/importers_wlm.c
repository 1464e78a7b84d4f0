/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the bytes of an account file: its name is UTF-8, and a file of ASCII says
   the same as UTF-16. Whatever a directory is called: what is made of it is no longer
   than the longest known name, or a part of it. */
#include "importers/wlm.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_account(const char *text, size_t n)
{
	struct wlm_account a = { .name = BUF_INIT }, b = { .name = BUF_INIT };
	struct buf wide = BUF_INIT;
	bool ascii = true;

	wlm_account_read(text, n, &a);
	must(utf8_valid(a.name.data, a.name.len));
	buf_add(&wide, "\xFF\xFE", 2);
	for (size_t i = 0; i < n; i++) {
		ascii = ascii && text[i] > 0;
		buf_add_char(&wide, text[i]);
		buf_add_char(&wide, '\0');
	}
	wlm_account_read(wide.data, wide.len, &b);
	if (ascii)
		must(buf_equal(&a.name, &b.name) && a.pop == b.pop &&
		     a.imap == b.imap && a.news == b.news);
	buf_free(&a.name);
	buf_free(&b.name);
	buf_free(&wide);
}

static void check_name(const char *text, size_t n)
{
	char *dir = mem_strndup(text, n < 300 ? n : 300);
	struct walk_entry entry = { .name = dir, .kind = 'd' };
	const struct walk_dir beside = { .entries = &entry, .n = 1 };
	struct buf name = BUF_INIT;

	wlm_folder_name(dir, &beside, &name);
	must(name.len <= 64 || !strncmp(dir, name.data, name.len));
	wlm_message_name(dir);
	buf_free(&name);
	free(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_account((const char *)data, size);
	check_name((const char *)data, size);
	return 0;
}
