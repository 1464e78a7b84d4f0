/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adding flags to mail that is there: UID STORE +FLAGS.SILENT, and no other
 * STORE. */
#include <string.h>

#include "storage/imap/internal.h"

void imap_keepable_flags(const struct target_folder *f,
			 const struct flags *flags, struct flags *out)
{
	const char *word = NULL;

	flags_reset(out);
	out->system = flags->system & f->permanent.system;
	while ((word = flags_next_keyword(flags, word)))
		if (f->any_keyword || flags_has_keyword(&f->permanent, word))
			flags_add_keyword(out, word, strlen(word));
}

static void add_uids(const uint32_t *uids, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n;) {
		size_t last = i;

		while (last + 1 < n && uids[last + 1] == uids[last] + 1)
			last++;
		buf_addf(out, "%s%u", i ? "," : "", uids[i]);
		if (last > i)
			buf_addf(out, ":%u", uids[last]);
		i = last + 1;
	}
}

int imap_add_flags(struct imap_target *it, const struct target_folder *f,
		   const uint32_t *uids, size_t n, const struct flags *flags,
		   struct err *e)
{
	struct flags kept = FLAGS_INIT;
	struct buf line = BUF_INIT, text = BUF_INIT;
	int ret = 0;

	imap_keepable_flags(f, flags, &kept);
	flags_add_text(&text, &kept);
	if (!text.len)
		goto out;
	ret = imap_session_select(it->s, f->name.data, false, e);
	if (ret < 0)
		goto out;
	buf_add_str(&line, "UID STORE ");
	add_uids(uids, n, &line);
	buf_addf(&line, " +FLAGS.SILENT (%s)", text.data);
	ret = imap_command(it->s, line.data, "adding flags", e);
	if (ret < 0)
		err_widen(e, ERR_FOLDER);
out:
	flags_free(&kept);
	buf_free(&line);
	buf_free(&text);
	return ret;
}
