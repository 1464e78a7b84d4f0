/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which folder a path means on servers of different kinds, and how it is made. The
   servers play scripts; what they list and say is taken from real ones. */
#include "core/base/log.h"
#include "storage/imap/internal.h"
#include "tests/imap/script.h"

#define SEL(name) { "SELECT \"" name "\"", \
	"* 0 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 1] x\r\n" \
	"* OK [PERMANENTFLAGS (\\Seen \\Draft $Forwarded \\*)] x\r\n" \
	"%T OK [READ-WRITE] done\r\n" }
#define CREATE(name) { "CREATE \"" name "\"", "%T OK done\r\n" }
#define CREATE_NO(name, words) { "CREATE \"" name "\"", "%T NO " words "\r\n" }
#define SUBSCRIBE(name) { "SUBSCRIBE \"" name "\"", "%T OK done\r\n" }
#define AGAIN(list) { "LIST \"\" \"*\"", list "%T OK done\r\n" }
#define I "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"

#define GMAIL "* LIST (\\HasChildren \\Noselect) \"/\" \"[Gmail]\"\r\n" \
	"* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/&MFkweTBmMG4w4TD8MOs-\"\r\n" \
	"* LIST (\\HasNoChildren \\Sent) \"/\" \"[Gmail]/&kAFP4W4IMH8w4TD8MOs-\"\r\n" \
	"* LIST (\\HasNoChildren \\Trash) \"/\" \"[Gmail]/&MLQw33ux-\"\r\n" \
	"* LIST (\\Flagged \\HasNoChildren) \"/\" \"[Gmail]/Starred\"\r\n"

static const struct one {
	const char *what, *caps, *separator, *list, *prefix;
	const char *path[5];
	enum folder_use use;
	bool only_look;
	struct step steps[12];
	const char *want; /* the wire name; NULL: not there; "!...": an error */
	bool created;
} cases[] = {
	{ .what = "the inbox", .list = I, .path = { "Posteingang" },
	  .use = USE_INBOX, .steps = { SEL("INBOX") }, .want = "INBOX" },
	{ .what = "the inbox by name", .list = I, .path = { "inbox" },
	  .steps = { SEL("INBOX") }, .want = "INBOX" },
	{ .what = "there already", .list = I "* LIST () \"/\" Archiv\r\n",
	  .path = { "Archiv" }, .steps = { SEL("Archiv") }, .want = "Archiv" },
	{ .what = "there, spelled in NFD and not minimal", .list = I
	  "* LIST () \"/\" &MEswmQ-\r\n", .path = { "が" },
	  .steps = { SEL("&MEswmQ-") }, .want = "&MEswmQ-" },
	{ .what = "response codes without a text behind them", .list = I,
	  .path = { "INBOX" },
	  .steps = { { "SELECT \"INBOX\"",
		       "* 0 EXISTS\r\n* OK [UIDVALIDITY 5]\r\n* OK [UIDNEXT 1]\r\n"
		       "* OK [PERMANENTFLAGS (\\Seen \\Draft $Forwarded \\*)]\r\n"
		       "%T OK [READ-WRITE]\r\n" } },
	  .want = "INBOX" },
	{ .what = "unknown codes, empty texts (RFC 9051)", .list = I,
	  .path = { "INBOX" },
	  .steps = { { "SELECT \"INBOX\"",
		       "* 0 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 1] x\r\n"
		       "* OK [HIGHESTMODSEQ 715194045007] x\r\n* OK [MAILBOXID (F2212ea87)] x\r\n"
		       "* OK [CLOSED] x\r\n* OK [X-SOMETHING a (b) \"c\"] x\r\n* OK \r\n* OK [X-B] \r\n"
		       "* OK [PERMANENTFLAGS (\\Seen \\Draft $Forwarded \\*)] x\r\n"
		       "%T OK \r\n" } },
	  .want = "INBOX" },
	{ .what = "not there, and not to be made", .list = I, .path = { "a" },
	  .only_look = true, .steps = { { NULL, NULL } }, .want = NULL },
	{ .what = "made with what is above", .list = I, .path = { "a", "b", "c" },
	  .steps = { CREATE("a/b/c"), SUBSCRIBE("a/b/c"), SEL("a/b/c") },
	  .want = "a/b/c", .created = true },
	{ .what = "made level by level", .list = I "* LIST () \"/\" a\r\n",
	  .path = { "a", "b", "c" },
	  .steps = { CREATE_NO("a/b/c", "Parent not found"),
		     AGAIN(I "* LIST () \"/\" a\r\n"), CREATE("a/b"),
		     SUBSCRIBE("a/b"), CREATE("a/b/c"), SUBSCRIBE("a/b/c"),
		     SEL("a/b/c") },
	  .want = "a/b/c", .created = true },
	{ .what = "nothing below a mailbox", .list = I "* LIST () \"/\" a\r\n",
	  .path = { "a", "b" },
	  .steps = { CREATE_NO("a/b", "[CANNOT] no inferior mailboxes"),
		     AGAIN(I "* LIST () \"/\" a\r\n") },
	  .want = "!creating a/b: [CANNOT] no inferior mailboxes" },
	{ .what = "there, but without mail", .list = I
	  "* LIST (\\Noselect) \"/\" a\r\n", .path = { "a" },
	  .steps = { CREATE("a"), SUBSCRIBE("a"), SEL("a") }, .want = "a",
	  .created = true },
	{ .what = "not subscribed is no matter", .list = I, .path = { "a" },
	  .steps = { CREATE("a"), { "SUBSCRIBE \"a\"", "%T NO no\r\n" }, SEL("a") },
	  .want = "a", .created = true },
	{ .what = "refused", .list = I, .path = { "Files" },
	  .steps = { CREATE_NO("Files", "Folder name is reserved"), AGAIN(I) },
	  .want = "!creating Files: Folder name is reserved" },
	{ .what = "Gmail's Sent", .list = I GMAIL, .path = { "送信済み" },
	  .use = USE_SENT, .steps = { SEL("[Gmail]/&kAFP4W4IMH8w4TD8MOs-") },
	  .want = "[Gmail]/&kAFP4W4IMH8w4TD8MOs-" },
	{ .what = "below Gmail's Trash", .list = I GMAIL,
	  .path = { "Trash", "捨てた" },
	  .steps = { CREATE("[Gmail]/&MLQw33ux-/&Y2gwZjBf-"),
		     SUBSCRIBE("[Gmail]/&MLQw33ux-/&Y2gwZjBf-"),
		     SEL("[Gmail]/&MLQw33ux-/&Y2gwZjBf-") },
	  .want = "[Gmail]/&MLQw33ux-/&Y2gwZjBf-", .created = true },
	{ .what = "below Gmail's Trash, refused", .list = I GMAIL,
	  .path = { "Trash", "x" },
	  .steps = { CREATE_NO("[Gmail]/&MLQw33ux-/x", "[CANNOT] Invalid"),
		     AGAIN(I GMAIL), CREATE("Trash/x"), SUBSCRIBE("Trash/x"), SEL("Trash/x") },
	  .want = "Trash/x", .created = true },
	{ .what = "and found there the next time", .list = I GMAIL
	  "* LIST () \"/\" Trash\r\n* LIST () \"/\" Trash/x\r\n",
	  .path = { "Trash", "x" }, .steps = { SEL("Trash/x") },
	  .want = "Trash/x" },
	{ .what = "a virtual folder is no target", .list = I
	  "* LIST (\\All) \"/\" Archive\r\n", .path = { "Archive" },
	  .use = USE_ARCHIVE,
	  .steps = { CREATE_NO("Archive", "[ALREADYEXISTS] there"),
		     AGAIN(I "* LIST (\\All) \"/\" Archive\r\n") },
	  .want = "!creating Archive: [ALREADYEXISTS] there" },
	{ .what = "attributes in lower case (Cyrus)", .list = I
	  "* LIST (\\sent) \"/\" Gesendet\r\n", .path = { "Sent" },
	  .use = USE_SENT, .steps = { SEL("Gesendet") }, .want = "Gesendet" },
	{ .what = "by name, where nothing is marked", .list = I
	  "* LIST () \"/\" \"Deleted Messages\"\r\n", .path = { "ゴミ箱" },
	  .use = USE_TRASH, .steps = { SEL("Deleted Messages") },
	  .want = "Deleted Messages" },
	{ .what = "its own name first", .list = I "* LIST () \"/\" \"Sent Items\"\r\n"
	  "* LIST () \"/\" Sent\r\n", .path = { "Sent" }, .use = USE_SENT,
	  .steps = { SEL("Sent") }, .want = "Sent" },
	{ .what = "not by name in the depth", .list = I
	  "* LIST () \"/\" a\r\n* LIST () \"/\" a/Sent\r\n", .path = { "Sent" },
	  .use = USE_SENT, .steps = { CREATE("Sent"), SUBSCRIBE("Sent"),
				      SEL("Sent") },
	  .want = "Sent", .created = true },
	{ .what = "made with its use", .caps = "CREATE-SPECIAL-USE", .list = I,
	  .path = { "Sent" }, .use = USE_SENT,
	  .steps = { { "CREATE \"Sent\" (USE (\\Sent))", "%T OK done\r\n" },
		     SUBSCRIBE("Sent"), SEL("Sent") },
	  .want = "Sent", .created = true },
	{ .what = "made without its use after all", .caps = "CREATE-SPECIAL-USE",
	  .list = I, .path = { "Sent" }, .use = USE_SENT,
	  .steps = { { "CREATE \"Sent\" (USE (\\Sent))", "%T NO [USEATTR] no\r\n" },
		     CREATE("Sent"), SUBSCRIBE("Sent"), SEL("Sent") },
	  .want = "Sent", .created = true },
	{ .what = "exists in another case (Exchange)", .list = I,
	  .path = { "projekte" },
	  .steps = { CREATE_NO("projekte", "Mailbox already exists"),
		     AGAIN(I "* LIST () \"/\" Projekte\r\n"), SEL("Projekte") },
	  .want = "Projekte" },
	{ .what = "another case is another folder", .list = I
	  "* LIST () \"/\" Projekte\r\n", .path = { "projekte" },
	  .steps = { CREATE("projekte"), SUBSCRIBE("projekte"), SEL("projekte") },
	  .want = "projekte", .created = true },
	{ .what = "exists, says Courier in other words", .separator = ".",
	  .prefix = NULL, .caps = "NAMESPACE", .list = I, .path = { "a" },
	  .steps = { CREATE_NO("INBOX.a", "Cannot create this folder."),
		     AGAIN(I "* LIST () \".\" INBOX.a\r\n"), SEL("INBOX.a") },
	  .want = "INBOX.a" },
	{ .what = "below INBOX, where everything is", .separator = ".",
	  .caps = "NAMESPACE", .list = I, .path = { "Inbox", "取引先" },
	  .steps = { CREATE("INBOX.&U9ZfFVFI-"), SUBSCRIBE("INBOX.&U9ZfFVFI-"),
		     SEL("INBOX.&U9ZfFVFI-") },
	  .want = "INBOX.&U9ZfFVFI-", .created = true },
	{ .what = "Sent below INBOX, by name", .separator = ".",
	  .caps = "NAMESPACE", .list = I "* LIST () \".\" \"INBOX.Sent Items\"\r\n",
	  .path = { "送信済み" }, .use = USE_SENT,
	  .steps = { SEL("INBOX.Sent Items") }, .want = "INBOX.Sent Items" },
	{ .what = "below INBOX", .list = I, .path = { "Inbox", "a" },
	  .steps = { CREATE("INBOX/a"), SUBSCRIBE("INBOX/a"), SEL("INBOX/a") },
	  .want = "INBOX/a", .created = true },
	{ .what = "nothing below INBOX", .list =
	  "* LIST (\\NoInferiors) \"/\" INBOX\r\n", .path = { "Inbox", "a" },
	  .steps = { CREATE("a"), SUBSCRIBE("a"), SEL("a") }, .want = "a",
	  .created = true },
	{ .what = "nothing below INBOX, it turns out", .list = I,
	  .path = { "Inbox", "a" },
	  .steps = { CREATE_NO("INBOX/a", "[CANNOT] no inferior mailboxes"),
		     AGAIN(I), CREATE("a"), SUBSCRIBE("a"), SEL("a") },
	  .want = "a", .created = true },
	{ .what = "below a prefix", .prefix = "Old PC/2004", .list = I,
	  .path = { "Sent" }, .use = USE_SENT,
	  .steps = { CREATE("Old PC/2004/Sent"), SUBSCRIBE("Old PC/2004/Sent"), SEL("Old PC/2004/Sent") },
	  .want = "Old PC/2004/Sent", .created = true },
	{ .what = "the inbox below a prefix", .prefix = "/x/", .list = I
	  "* LIST () \"/\" x\r\n", .path = { "Inbox" }, .use = USE_INBOX,
	  .steps = { CREATE("x/Inbox"), SUBSCRIBE("x/Inbox"), SEL("x/Inbox") },
	  .want = "x/Inbox", .created = true },
	{ .what = "a name with the separator in it", .list = I,
	  .path = { "a/b" }, .steps = { CREATE("a_b"), SUBSCRIBE("a_b"), SEL("a_b") },
	  .want = "a_b", .created = true },
	{ .what = "a plainer name where the name is refused (Gmail)", .list = I,
	  .path = { " a  b^" },
	  .steps = { CREATE_NO(" a  b^", "[CANNOT] Folder contains excess whitespace"),
		     AGAIN(I), CREATE("a b_"), SUBSCRIBE("a b_"), SEL("a b_") },
	  .want = "a b_", .created = true },
	{ .what = "beyond U+FFFF refused (Courier), and UIDNEXT only in STATUS",
	  .list = I, .path = { "a😀b" },
	  .steps = { CREATE_NO("a&2D3eAA-b", "Error in IMAP command"), AGAIN(I),
		     CREATE("a_b"), SUBSCRIBE("a_b"),
		     { "SELECT \"a_b\"", "* 0 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n"
		       "* OK [PERMANENTFLAGS (\\Seen \\Draft $Forwarded \\*)] x\r\n"
		       "%T OK [READ-WRITE] done\r\n" },
		     { "STATUS \"a_b\" (UIDNEXT)",
		       "* STATUS a_b (UIDNEXT 1)\r\n%T OK done\r\n" } },
	  .want = "a_b", .created = true },
	{ .what = "and found under it the next time", .list = I
	  "* LIST () \"/\" \"a b_\"\r\n", .path = { " a  b^" },
	  .steps = { SEL("a b_") }, .want = "a b_" },
	{ .what = "no command in a name", .list = I, .path = { "a\"\r\nX LOGOUT" },
	  .steps = { CREATE("a\\\"__X LOGOUT"), SUBSCRIBE("a\\\"__X LOGOUT"),
		     SEL("a\\\"__X LOGOUT") },
	  .want = "a\"__X LOGOUT", .created = true },
	{ .what = "a flat server", .separator = "NIL", .list =
	  "* LIST () NIL INBOX\r\n", .path = { "a", "b" },
	  .steps = { { NULL, NULL } }, .want = "!no folders inside folders" },
	{ .what = "a lost connection is no refusal", .list = I, .path = { "a" },
	  .steps = { { "CREATE \"a\"", "* BYE Killed\r\n" } }, .want = "!Killed" },
};

static size_t add_opening(struct step *steps, const struct one *c, char room[3][2000])
{
	const char *sep = c->separator ? c->separator : "/";
	bool names = c->caps && strstr(c->caps, "NAMESPACE");
	const char *dot = !strcmp(sep, "NIL") ? "NIL" : sep;
	const char *q = !strcmp(sep, "NIL") ? "" : "\"";
	size_t n = 0;

	snprintf(room[0], 2000, "* CAPABILITY IMAP4rev1 %s\r\n%%T OK done\r\n",
		 c->caps ? c->caps : "");
	if (names)
		snprintf(room[1], 2000, "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n"
			 "%%T OK done\r\n");
	else
		snprintf(room[1], 2000, "* LIST (\\Noselect) %s%s%s \"\"\r\n"
			 "%%T OK done\r\n", q, dot, q);
	snprintf(room[2], 2000, "%s%%T OK done\r\n", c->list);
	steps[n++] = (struct step){ NULL, "* PREAUTH hello\r\n" };
	steps[n++] = (struct step){ "CAPABILITY", room[0] };
	steps[n++] = (struct step){ names ? "NAMESPACE" : "LIST \"\" \"\"", room[1] };
	steps[n++] = (struct step){ "LIST \"\" \"*\"", room[2] };
	return n;
}

static void check_result(const struct one *c, int ret, const struct target_folder *f,
			 const struct err *e)
{
	if (c->want && c->want[0] == '!') {
		CHECK_CASE(c->what, ret < 0);
		CHECK_CASE(c->what, strstr(e->text, c->want + 1) != NULL);
		CHECK_CASE(c->what, e->scope >= ERR_FOLDER);
		return;
	}
	CHECK_CASE(c->what, ret == 0);
	if (ret < 0)
		printf("  %s\n", e->text);
	CHECK_CASE(c->what, f->exists == (c->want != NULL));
	CHECK_CASE(c->what, f->created == c->created);
	if (!c->want)
		return;
	CHECK_STR(f->name.data, c->want);
	CHECK_CASE(c->what, f->uidvalidity == 5 && f->uidnext == 1);
	CHECK_CASE(c->what, f->any_keyword &&
		   f->permanent.system == (FLAG_SEEN | FLAG_DRAFT) &&
		   flags_has_keyword(&f->permanent, "$Forwarded"));
}

static void check_one(const struct one *c)
{
	struct imap_options opt = { .host = "127.0.0.1",
				    .security = IMAP_PLAINTEXT,
				    .user = "me",
				    .prefix = c->prefix,
				    .timeout_ms = 3000 };
	struct step steps[STEPS_MAX] = { { NULL, NULL } };
	static char room[3][2000];
	size_t n = add_opening(steps, c, room);
	struct script_server server;
	struct target_folder f;
	struct target *t;
	struct err e = ERR_INIT;

	memcpy(steps + n, c->steps, sizeof(c->steps));
	script_start(&server, steps);
	opt.port = server.port;
	target_folder_init(&f);
	if (imap_account_open(&opt, &t, &e) < 0) {
		CHECK_CASE(c->what, !"open");
		printf("  %s\n", e.text);
	} else {
		int ret = t->ops->open_folder(t, c->path, c->use, !c->only_look,
					      &f, &e);

		check_result(c, ret, &f, &e);
		t->ops->close(t);
	}
	target_folder_free(&f);
	CHECK_CASE(c->what, script_end(&server));
}

/* find: the last message below the floor, news of flags, folded Message-IDs, and the
   end; then a folder that was numbered anew, an empty one, and a NO. */
static void check_find(void)
{
	static const struct step steps[] = {
		{ NULL, "* PREAUTH hello\r\n" },
		{ "CAPABILITY", "* CAPABILITY IMAP4rev1\r\n%T OK done\r\n" },
		{ "LIST \"\" \"\"", "* LIST () \"/\" \"\"\r\n%T OK done\r\n" },
		AGAIN(I),
		SEL("INBOX"),
		{ "SELECT \"INBOX\"",
		  "* 3 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n%T OK done\r\n" },
		{ "UID FETCH 10:* (UID RFC822.SIZE FLAGS "
		  "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
		  "* 1 FETCH (UID 9 RFC822.SIZE 1 FLAGS () BODY[HEADER.FIELDS "
		  "(MESSAGE-ID)] {2}\r\n\r\n)\r\n"
		  "* 2 FETCH (FLAGS (\\Seen))\r\n"
		  "* 2 FETCH (UID 10 RFC822.SIZE 70 FLAGS (\\Seen x) BODY[HEADER."
		  "FIELDS (MESSAGE-ID)] {33}\r\nmessage-id :\r\n\t<a@b>\r\n  (c)\r\n\r\n"
		  "\r\n)\r\n"
		  "* 4 EXISTS\r\n"
		  "* 3 FETCH (BODY[HEADER.FIELDS (\"MESSAGE-ID\")] \"\" FLAGS () "
		  "RFC822.SIZE 71 UID 12)\r\n"
		  "%T OK done\r\n" },
		{ "SELECT \"INBOX\"",
		  "* 3 EXISTS\r\n* OK [UIDVALIDITY 6] x\r\n%T OK done\r\n" },
		SEL("INBOX"),
		{ "SELECT \"INBOX\"",
		  "* 3 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n%T OK done\r\n" },
		{ "UID FETCH 1:* ...", "%T NO [UNAVAILABLE] later\r\n" },
		{ "UID FETCH 3 (UID BODY.PEEK[])",
		  "* 1 FETCH (UID 3 BODY[] {3}\r\na\r\n)\r\n%T OK done\r\n" },
		{ "UID FETCH 4 (UID BODY.PEEK[])", "%T NO cannot read it\r\n" },
		{ "UID FETCH 5 (UID BODY.PEEK[])", "%T OK gone\r\n" },
		{ "UID FETCH 6 (UID BODY.PEEK[])",
		  "* 2 FETCH (UID 99 BODY[] {1}\r\nx)\r\n"
		  "* 3 FETCH (BODY[] {1}\r\nb UID 6)\r\nF77 OK what?\r\n" },
		{ NULL, NULL },
	};
	static const uint32_t uids[] = { 3, 4, 5, 6 };
	const char *path[] = { "INBOX", NULL };
	struct imap_options opt = { .host = "127.0.0.1", .user = "me",
				    .security = IMAP_PLAINTEXT,
				    .timeout_ms = 3000 };
	struct script_server server;
	struct target_folder f;
	struct target_mail m;
	struct intake in;
	struct target *t;
	struct err e = ERR_INIT;
	uint32_t uid = 0;

	script_start(&server, steps);
	opt.port = server.port;
	target_folder_init(&f);
	target_mail_init(&m);
	intake_init(&in);
	CHECK(imap_account_open(&opt, &t, &e) == 0);
	CHECK(t->ops->open_folder(t, path, USE_INBOX, true, &f, &e) == 0);

	CHECK(t->ops->find_begin(t, &f, 10, &e) == 0);
	CHECK(t->ops->find_next(t, &m, &e) == 1);
	CHECK(m.uid == 10 && m.size == 70 && m.flags.system == FLAG_SEEN);
	CHECK(flags_has_keyword(&m.flags, "x"));
	CHECK_STR(m.message_id.data, "\t<a@b>  (c)");
	CHECK(t->ops->find_next(t, &m, &e) == 1);
	CHECK(m.uid == 12 && m.size == 71 && m.message_id.len == 0);
	CHECK(t->ops->find_next(t, &m, &e) == 0);
	CHECK(t->ops->find_next(t, &m, &e) == 0);

	CHECK_CASE("UIDVALIDITY", t->ops->find_begin(t, &f, 1, &e) < 0);
	CHECK(e.scope == ERR_FOLDER && e.retry == ERR_NOW);
	CHECK_CASE("empty", t->ops->find_begin(t, &f, 1, &e) == 0);
	CHECK(t->ops->find_next(t, &m, &e) == 0);
	CHECK(t->ops->find_begin(t, &f, 1, &e) == 0);
	CHECK(t->ops->find_next(t, &m, &e) < 0);
	CHECK(e.kind == ERR_BUSY && e.scope == ERR_ACCOUNT);

	CHECK(t->ops->fetch_begin(t, &f, uids, 4, &e) == 0);
	CHECK(t->ops->fetch_next(t, &uid, &in, &e) == 1);
	CHECK(uid == 3 && in.wire_size == 3);
	CHECK(t->ops->fetch_next(t, &uid, &in, &e) < 0);
	CHECK(uid == 4 && e.scope == ERR_MESSAGE);
	CHECK(t->ops->fetch_next(t, &uid, &in, &e) == 1);
	CHECK_CASE("99 was not asked for", uid == 6 && in.wire_size == 1);
	CHECK_CASE("nor F77", t->ops->fetch_next(t, &uid, &in, &e) < 0);
	CHECK(e.kind == ERR_PROTOCOL && e.scope == ERR_ACCOUNT);
	CHECK_CASE("and it is over", t->ops->fetch_begin(t, &f, uids, 4, &e) < 0);
	t->ops->close(t);
	intake_free(&in);
	target_mail_free(&m);
	target_folder_free(&f);
	CHECK(script_end(&server));
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_one(&cases[i]);
	check_find();
	return check_done();
}
