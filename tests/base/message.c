/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/message.h"

#include "tests/lib/check.h"

static const char mail[] = "Resent-Date: Wed, 8 Sep 2004 10:00:00 +0000\n"
			   "Received: from a by b; 9 Sep 2004 10:00:00 +0000\n"
			   "Delivery-Date: Thu, 9 Sep 2004 11:00:00 +0000\n"
			   "Date: Tue, 7 Sep 2004\n 10:00:00 +0000\n"
			   "\nbody\n";

static bool nothing_known(const struct date_evidence *ev)
{
	return ev->delivered == DATE_NONE && ev->received == DATE_NONE &&
	       ev->delivery == DATE_NONE && ev->resent == DATE_NONE &&
	       ev->date == DATE_NONE && ev->downloaded == DATE_NONE &&
	       ev->file == DATE_NONE && !ev->sent_folder;
}

static void test_dates_and_reset(void)
{
	static const char *const list[] = { "X-A", NULL };
	struct message m;
	struct err e = ERR_INIT;

	message_init(&m);
	CHECK(nothing_known(&m.when));
	m.in.want_spool = true;
	m.in.drop_leading = list;
	CHECK(intake_add(&m.in, mail, strlen(mail), &e) == 0);
	CHECK(intake_end(&m.in, &e) == 0);
	message_date_from_header(&m);
	CHECK(m.when.resent == 1094637600);
	CHECK(m.when.received == 1094637600 + 86400);
	CHECK(m.when.delivery == 1094637600 + 86400 + 3600);
	CHECK(m.when.date == 1094637600 - 86400);
	CHECK(m.when.delivered == DATE_NONE);

	buf_add_str(&m.locator, "12");
	flags_add_keyword(&m.flags, "a", 1);
	m.flags.system = FLAG_SEEN;
	m.offset = m.length = 7;
	m.skip = SKIP_DELETED;
	m.notes = NOTE_PARTIAL;
	m.when.sent_folder = true;
	message_reset(&m);
	CHECK(nothing_known(&m.when));
	CHECK(!m.locator.len && !m.flags.system && !m.flags.keywords.len);
	CHECK(!m.offset && !m.length && m.skip == SKIP_NOT && !m.notes);
	CHECK(m.in.want_spool && m.in.drop_leading == list);
	CHECK(!m.in.header.n && !m.in.spool.len && !m.in.store_size);

	/* Nothing in the header: nothing is known. */
	CHECK(intake_end(&m.in, &e) == 0);
	message_date_from_header(&m);
	CHECK(nothing_known(&m.when));
	message_free(&m);
}

static void test_texts(void)
{
	CHECK_STR(message_skip_text(SKIP_NOT), "");
	for (int why = SKIP_DELETED; why <= SKIP_UNSURE_DELETED; why++)
		CHECK(message_skip_text((enum message_skip)why)[0]);
	CHECK(strcmp(message_skip_text(SKIP_DELETED),
		     message_skip_text(SKIP_UNSURE_DELETED)));
}

int main(void)
{
	test_dates_and_reset();
	test_texts();
	return check_done();
}
