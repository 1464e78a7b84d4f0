/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message in transit. */
#include "core/base/message.h"

static const struct date_evidence nothing_known = {
	.delivered = DATE_NONE,
	.received = DATE_NONE,
	.delivery = DATE_NONE,
	.resent = DATE_NONE,
	.date = DATE_NONE,
	.downloaded = DATE_NONE,
	.file = DATE_NONE,
};

const char *message_skip_text(enum message_skip why)
{
	switch (why) {
	case SKIP_NOT:
		return "";
	case SKIP_DELETED:
		return "deleted in the mail program";
	case SKIP_INTERNAL:
		return "internal data of the folder, not a message";
	case SKIP_EMPTY:
		return "empty";
	case SKIP_DATE:
		return "outside the dates asked for";
	case SKIP_NOT_MAIL:
		return "no mail, but a contact, an appointment or the like";
	case SKIP_UNSURE_DELETED:
		return "no longer in the mail program's index";
	}
	return "";
}

void message_init(struct message *m)
{
	*m = (struct message){ .locator = BUF_INIT,
			       .flags = FLAGS_INIT,
			       .when = nothing_known };
	intake_init(&m->in);
}

void message_free(struct message *m)
{
	buf_free(&m->locator);
	flags_free(&m->flags);
	intake_free(&m->in);
}

void message_reset(struct message *m)
{
	buf_reset(&m->locator);
	flags_reset(&m->flags);
	m->offset = m->length = 0;
	m->skip = SKIP_NOT;
	m->notes = 0;
	m->when = nothing_known;
	intake_reset(&m->in);
}

static int64_t date_field(const struct header *h, const char *name)
{
	struct buf value = BUF_INIT;
	int64_t t = DATE_NONE;

	if (header_add_value(h, name, 0, &value))
		t = date_parse(value.data, value.len);
	buf_free(&value);
	return t;
}

void message_date_from_header(struct message *m)
{
	const struct header *h = &m->in.header;

	m->when.received = header_received_date(h);
	m->when.delivery = date_field(h, "Delivery-date");
	m->when.resent = date_field(h, "Resent-Date");
	m->when.date = date_field(h, "Date");
}
