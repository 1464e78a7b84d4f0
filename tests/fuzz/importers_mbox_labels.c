/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads Gmail's labels off any bytes that stand for a header. Whatever they are:

   - labels are not empty and begin and end with no blank;
   - there is a folder, none of whose parts is empty, not too deep and not too
   long, and there is no byte of the control set in it;
   - labels written as CSV by the plainest of writers are read back. */
#include "importers/takeout_labels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held)
{
	if (!held)
		abort();
}

static void check_labels(const struct takeout_labels *l)
{
	for (const char *label = NULL; (label = takeout_next_label(l, label));)
		must(label[0] && label[0] != ' ' &&
		     label[strlen(label) - 1] != ' ');
}

static void check_folder(const char *folder)
{
	size_t parts = 1, n = strlen(folder);

	must(n > 0 && n < TAKEOUT_LABEL_MAX);
	must(folder[0] != '/' && folder[n - 1] != '/' && !strstr(folder, "//"));
	for (size_t i = 0; i < n; i++) {
		parts += folder[i] == '/';
		must((unsigned char)folder[i] >= ' ');
	}
	must(parts <= TAKEOUT_PARTS_MAX);
	takeout_folder_use(folder);
}

/* Write them again: the same ones are read. Encoded words are decoded but once,
   and of two blanks, which a quote stood between, one is left. */
static void check_again(const struct takeout_labels *l)
{
	struct takeout_labels again = TAKEOUT_LABELS_INIT;
	struct buf header = BUF_INIT;

	buf_add_str(&header, "X-Gmail-Labels: ");
	for (const char *label = NULL;
	     (label = takeout_next_label(l, label));) {
		buf_add_char(&header, '"');
		for (const char *s = label; *s; s++) {
			if (*s == '"')
				buf_add_char(&header, '"');
			buf_add_char(&header, *s);
		}
		buf_add_str(&header, "\",");
	}
	buf_add_str(&header, "\n\n");
	takeout_labels_read(&again, header.data, header.len);
	if (!memmem(header.data, header.len, "=?", 2) &&
	    !memmem(header.data, header.len, "  ", 2))
		must(buf_equal(&l->text, &again.text));
	takeout_labels_free(&again);
	buf_free(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct takeout_labels l = TAKEOUT_LABELS_INIT;
	struct buf folder = BUF_INIT, raw = BUF_INIT;
	struct flags f = FLAGS_INIT;

	/* As they are, and as a value. */
	for (int i = 0; i < 2; i++) {
		if (i)
			buf_add_str(&raw, "X-Gmail-Labels: ");
		buf_add(&raw, data, n);
		takeout_labels_read(&l, raw.data, raw.len);
		check_labels(&l);
		takeout_folder_of(&l, &folder);
		check_folder(folder.data);
		takeout_flags(&l, folder.data, &f, NULL, NULL);
		check_again(&l);
		buf_reset(&raw);
		flags_reset(&f);
	}
	takeout_labels_free(&l);
	flags_free(&f);
	buf_free(&folder);
	buf_free(&raw);
	return 0;
}
