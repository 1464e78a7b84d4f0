/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X-Mozilla-Status and its relatives. */
#include "importers/mozilla_status.h"

#include "tests/lib/check.h"

static const struct {
	const char *what, *header, *flags;
	enum message_skip skip;
	unsigned notes;
} cases[] = {
	{ "no field", "To: x\n", "", SKIP_NOT, 0 },
	{ "unread", "X-Mozilla-Status: 0000\n", "", SKIP_NOT, 0 },
	{ "read", "X-Mozilla-Status: 0001\n", "\\Seen", SKIP_NOT, 0 },
	{ "replied", "X-Mozilla-Status: 0002\n", "\\Answered", SKIP_NOT, 0 },
	{ "starred", "X-Mozilla-Status: 0004\n", "\\Flagged", SKIP_NOT, 0 },
	{ "deleted", "X-Mozilla-Status: 0008\n", "", SKIP_DELETED, 0 },
	{ "deleted, in lower case", "X-Mozilla-Status: 000a\n", "\\Answered",
	  SKIP_DELETED, 0 },
	{ "partial", "X-Mozilla-Status: 0400\n", "", SKIP_NOT, NOTE_PARTIAL },
	{ "queued", "X-Mozilla-Status: 0800\n", "", SKIP_NOT, NOTE_QUEUED },
	{ "forwarded", "X-Mozilla-Status: 1000\n", "$Forwarded", SKIP_NOT, 0 },
	{ "bits of no use: HasRe, watched, authed, redirected, priority",
	  "X-Mozilla-Status: E3F0\n", "", SKIP_NOT, 0 },
	{ "receipt sent",
	  "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00800000\n",
	  "\\Seen $MDNSent", SKIP_NOT, 0 },
	{ "label 1", "X-Mozilla-Status: 0000\nX-Mozilla-Status2: 02000000\n",
	  "$label1", SKIP_NOT, 0 },
	{ "label 5", "X-Mozilla-Status: 0000\nX-Mozilla-Status2: 0A000000\n",
	  "$label5", SKIP_NOT, 0 },
	{ "there are no labels 6 and 7",
	  "X-Mozilla-Status: 0000\nX-Mozilla-Status2: 0E000000\n", "", SKIP_NOT,
	  0 },
	{ "deleted on the IMAP server: stays listed",
	  "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00200000\n", "\\Seen",
	  SKIP_NOT, 0 },
	{ "the low half of Status2 is not looked at",
	  "X-Mozilla-Status: 0000\nX-Mozilla-Status2: 0000FFFF\n", "", SKIP_NOT,
	  0 },
	{ "Status2 alone says nothing", "X-Mozilla-Status2: 00800000\n", "",
	  SKIP_NOT, 0 },
	{ "three digits", "X-Mozilla-Status: 009\n", "", SKIP_NOT, 0 },
	{ "five digits", "X-Mozilla-Status: 00009\n", "", SKIP_NOT, 0 },
	{ "no digits", "X-Mozilla-Status: 000g\n", "", SKIP_NOT, 0 },
	{ "empty", "X-Mozilla-Status:\n", "", SKIP_NOT, 0 },
	{ "Status2 of seven digits",
	  "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 0800000\n", "\\Seen",
	  SKIP_NOT, 0 },
	{ "the first field counts",
	  "X-Mozilla-Status: 0000\nX-Mozilla-Status: 0009\n", "", SKIP_NOT, 0 },
	{ "even if it is not to be read",
	  "X-Mozilla-Status: ????\nX-Mozilla-Status: 0009\n", "", SKIP_NOT, 0 },
	{ "without a blank, CRLF", "X-Mozilla-Status:0001\r\n", "\\Seen",
	  SKIP_NOT, 0 },
	{ "tags, folded",
	  "X-Mozilla-Keys: $label1 nonjunk\r\n\t=e8=a6=8b            \r\n",
	  "$label1 =e8=a6=8b nonjunk", SKIP_NOT, 0 },
	{ "tags that are no atoms", "X-Mozilla-Keys: a(b \xE8\xA6 c*\n", "",
	  SKIP_NOT, 0 },
	{ "a sender's tag below the client's empty field is shown, and kept",
	  "X-Mozilla-Keys:            \nTo: x\nX-Mozilla-Keys: $label3\n",
	  "$label3", SKIP_NOT, 0 },
	{ "but not beside the client's own",
	  "X-Mozilla-Keys: mine\nTo: x\nX-Mozilla-Keys: $label3\n", "mine",
	  SKIP_NOT, 0 },
};

static void check_header(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct header h = HEADER_INIT;
		struct flags want = FLAGS_INIT;
		struct message m;

		message_init(&m);
		buf_add_str(&h.raw, cases[i].header);
		header_index(&h);
		mozilla_status_apply(&h, &m);
		flags_parse(&want, cases[i].flags, strlen(cases[i].flags));
		CHECK_CASE(cases[i].what, flags_equal(&m.flags, &want));
		CHECK_CASE(cases[i].what, m.skip == cases[i].skip);
		CHECK_CASE(cases[i].what, m.notes == cases[i].notes);
		header_free(&h);
		flags_free(&want);
		message_free(&m);
	}
}

/* An .msf row has all bits in one number; what is known already stays. */
static void check_set(void)
{
	struct message m;

	message_init(&m);
	m.skip = SKIP_INTERNAL;
	m.notes = NOTE_HIDDEN;
	m.flags.system = FLAG_DRAFT;
	mozilla_status_set(&m,
			   MOZILLA_EXPUNGED | MOZILLA_READ | MOZILLA_PARTIAL);
	CHECK(m.skip == SKIP_INTERNAL);
	CHECK(m.notes == (NOTE_HIDDEN | NOTE_PARTIAL));
	CHECK(m.flags.system == (FLAG_DRAFT | FLAG_SEEN));
	message_free(&m);
}

int main(void)
{
	check_header();
	check_set();
	return check_done();
}
