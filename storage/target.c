/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every target needs: its records. */
#include "storage/target.h"

void target_folder_init(struct target_folder *f)
{
	*f = (struct target_folder){ .name = BUF_INIT,
				     .shown = BUF_INIT,
				     .permanent = FLAGS_INIT };
}

void target_folder_free(struct target_folder *f)
{
	buf_free(&f->name);
	buf_free(&f->shown);
	flags_free(&f->permanent);
	target_folder_init(f);
}

void target_mail_init(struct target_mail *m)
{
	*m = (struct target_mail){ .message_id = BUF_INIT,
				   .flags = FLAGS_INIT };
}

void target_mail_free(struct target_mail *m)
{
	buf_free(&m->message_id);
	flags_free(&m->flags);
	target_mail_init(m);
}

int target_open_each(struct target *t, struct target_open *opens, size_t n,
		     struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct target_open *o = &opens[i];

		o->failed = false;
		if (t->ops->open_folder(t, o->path, o->use, o->create,
					o->folder, e) == 0)
			continue;
		if (e->scope > ERR_FOLDER)
			return -1;
		o->failed = true;
		o->why = *e;
	}
	return 0;
}
