/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The append pipeline against a scripted server: what goes over the wire, byte for
   byte, and what becomes of each message. A1-A5 are in storage/imap/append.h. */
#include "storage/imap/append.h"

#include "tests/imap/append_script.h"
#include "tests/lib/check.h"

enum {
	STEPS = 6,
	QUIET_MS = 150, /* the client's time-out where a case is about it */
};

/* The server's answer: a step with a script of its own, a mailbox, a result. */
static const struct {
	const char *what;
	unsigned caps;
	const char *sizes;
	struct step steps[STEPS];
	const char *want;
	const char *error;     /* part of it; NULL: none */
	enum err_kind kind;    /* of it */
	bool drip, close, quiet;
} cases[] = {
	{ "MULTIAPPEND: one command, UIDs from a range", M | P, "3 1 2",
	  { { "A1 APPEND \"Sent\" {3+}\r\naaa {1+}\r\nb {2+}\r\ncc\r\n",
	      "A1 OK [APPENDUID 7 11:13] done\r\n" } },
	  .want = "D11 D12 D13" },
	{ "LITERAL+: commands follow each other without waiting", P, "3 1 2",
	  { { "A1 APPEND \"Sent\" {3+}\r\naaa\r\n"
	      "A2 APPEND \"Sent\" {1+}\r\nb\r\n"
	      "A3 APPEND \"Sent\" {2+}\r\ncc\r\n",
	      "A1 OK [APPENDUID 7 11] x\r\nA2 OK [APPENDUID 7 12] x\r\n"
	      "A3 OK [APPENDUID 7 15] x\r\n" } },
	  .want = "D11 D12 D15" },
	{ "LITERAL-: up to 4,096 bytes without waiting, larger ones wait", MINUS,
	  "3 4096 4097 2",
	  { { "A1 APPEND \"Sent\" {3+}\r\naaa\r\n"
	      "A2 APPEND \"Sent\" {4096+}\r\n@b4096;\r\n"
	      "A3 APPEND \"Sent\" {4097}\r\n",
	      "A1 OK x\r\nA2 OK x\r\n+ go\r\n" },
	    { "@c4097;\r\nA4 APPEND \"Sent\" {2+}\r\ndd\r\n",
	      "A3 OK x\r\nA4 OK x\r\n" } },
	  .want = "D D D D" },
	{ "neither: each literal waits", 0, "3 1",
	  { { "A1 APPEND \"Sent\" {3}\r\n", "+ go\r\n" },
	    { "aaa\r\nA2 APPEND \"Sent\" {1}\r\n", "A1 OK x\r\n+\r\n" },
	    { "b\r\n", "A2 OK x\r\n" } },
	  .want = "D D" },
	{ "MULTIAPPEND without LITERAL+: each literal of it waits", M, "3 1",
	  { { "A1 APPEND \"Sent\" {3}\r\n", "+ go\r\n" },
	    { "aaa {1}\r\n", "+ go\r\n" },
	    { "b\r\n", "A1 OK [APPENDUID 7 3,9] x\r\n" } },
	  .want = "D3 D9" },
	{ "a message in a file, and one from memory at once", P, "2097152 100000",
	  { { "A1 APPEND \"Sent\" {2097152+}\r\n@a2097152;\r\n"
	      "A2 APPEND \"Sent\" {100000+}\r\n@b100000;\r\n",
	      "A1 OK x\r\nA2 OK x\r\n" } },
	  .want = "D D" },
	{ "empty messages are not announced: {0} would cancel the command", M | P,
	  "3 0 2",
	  { { "A1 APPEND \"Sent\" {3+}\r\naaa {2+}\r\ncc\r\n",
	      "A1 OK [APPENDUID 7 11:12] x\r\n" } },
	  .want = "D11 R D12" },
	{ "nothing that can be sent", M | P, "0", { { NULL } }, .want = "R" },

	{ "A4: of eight the fifth is refused", M | P, "1 1 1 1 1 1 1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb {1+}\r\nc {1+}\r\nd {1+}\r\ne {1+}\r\nf {1+}\r\ng {1+}\r\nh\r\n",
	      "A1 NO no NULs please\r\n" },
	    { "A2 APPEND \"Sent\" {1+}\r\na {1+}\r\nb {1+}\r\nc {1+}\r\nd\r\n"
	      "A3 APPEND \"Sent\" {1+}\r\ne {1+}\r\nf {1+}\r\ng {1+}\r\nh\r\n",
	      "A2 OK [APPENDUID 7 1:4] x\r\nA3 NO no NULs please\r\n" },
	    { "A4 APPEND \"Sent\" {1+}\r\ne {1+}\r\nf\r\n"
	      "A5 APPEND \"Sent\" {1+}\r\ng {1+}\r\nh\r\n",
	      "A4 NO no NULs please\r\nA5 OK [APPENDUID 7 5:6] x\r\n" },
	    { "A6 APPEND \"Sent\" {1+}\r\ne\r\nA7 APPEND \"Sent\" {1+}\r\nf\r\n",
	      "A6 NO no NULs please\r\nA7 OK [APPENDUID 7 7] x\r\n" } },
	  .want = "D1 D2 D3 D4 R D7 D5 D6" },
	{ "a single message is refused, the others are not asked again", P, "1 1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\nA2 APPEND \"Sent\" {1+}\r\nb\r\nA3 APPEND \"Sent\" {1+}\r\nc\r\n",
	      "A1 OK x\r\nA2 BAD Message contains invalid header\r\nA3 OK x\r\n" } },
	  .want = "D R D" },
	{ "NO in place of the + : the literal is not sent", 0, "3 1",
	  { { "A1 APPEND \"Sent\" {3}\r\n", "A1 NO [TOOBIG] x\r\n" },
	    { "A2 APPEND \"Sent\" {1}\r\n", "+ go\r\n" },
	    { "b\r\n", "A2 OK x\r\n" } },
	  .want = "R D" },
	{ "NO in place of the + in the middle of a MULTIAPPEND", M, "2 3",
	  { { "A1 APPEND \"Sent\" {2}\r\n", "+ go\r\n" },
	    { "aa {3}\r\n", "A1 NO [TOOBIG] x\r\n" },
	    { "A2 APPEND \"Sent\" {2}\r\n", "+ go\r\n" },
	    { "aa\r\nA3 APPEND \"Sent\" {3}\r\n", "A2 OK x\r\nA3 NO [TOOBIG] x\r\n" } },
	  .want = "D R" },
	{ "NO while a literal goes out: it is sent to its end, then the command ends",
	  M | P, "1000000 3",
	  { { "A1 APPEND \"Sent\" {1000000+}\r\n", "A1 NO [TOOBIG] x\r\n" },
	    { "@a1000000;\r\nA2 APPEND \"Sent\" {1000000+}\r\n@a1000000;\r\n"
	      "A3 APPEND \"Sent\" {3+}\r\nbbb\r\n",
	      "A2 NO [TOOBIG] x\r\nA3 OK x\r\n" } },
	  .want = "R D" },

	{ "over quota ends the pipeline; what was sent is answered", P, "1 1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\nA2 APPEND \"Sent\" {1+}\r\nb\r\nA3 APPEND \"Sent\" {1+}\r\nc\r\n",
	      "A1 OK x\r\nA2 NO [OVERQUOTA] full\r\nA3 OK [APPENDUID 7 4] x\r\n" } },
	  .want = "D U D4", .error = "full", .kind = ERR_QUOTA },
	{ "over quota: what was not begun is not sent", 0, "1 1 1",
	  { { "A1 APPEND \"Sent\" {1}\r\n", "A1 NO [OVERQUOTA] full\r\n" } },
	  .want = "U U U", .error = "full", .kind = ERR_QUOTA },
	{ "over quota for a whole batch", M | P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n", "A1 NO Over quota\r\n" } },
	  .want = "U U", .error = "quota", .kind = ERR_QUOTA },
	{ "no such folder", M | P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n",
	      "A1 NO [TRYCREATE] Mailbox does not exist\r\n" } },
	  .want = "U U", .error = "does not exist", .kind = ERR_NO_FOLDER },

	{ "a folder that takes nothing: its messages are refused", M | P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n",
	      "A1 NO [NOPERM] Permission denied\r\n" } },
	  .want = "R R" },

	{ "BYE in the middle of a batch: sent, announced, not begun", M, "3 1 2",
	  { { "A1 APPEND \"Sent\" {3}\r\n", "+ go\r\n" },
	    { "aaa {1}\r\n", "* BYE shutting down\r\n" } },
	  .want = "K U U", .error = "shutting down", .kind = ERR_UNREACHABLE, .close = true },
	{ "BYE while large messages go out", P, "1000000 3000000 3",
	  { { "A1 APPEND \"Sent\" {1000000+}\r\n@a1000000;\r\n",
	      "A1 OK [APPENDUID 7 4] x\r\n* BYE shutting down\r\n" } },
	  .want = "D4 K U", .error = "shutting down", .kind = ERR_UNREACHABLE, .close = true },
	{ "the connection breaks when everything was sent", P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\nA2 APPEND \"Sent\" {1+}\r\nb\r\n",
	      "A1 OK x\r\n" } },
	  .want = "D K", .error = "closed the connection", .kind = ERR_UNREACHABLE, .close = true },
	{ "refused, and then gone before the rest of its literal went out", P,
	  "5000000",
	  { { "A1 APPEND \"Sent\" {5000000+}\r\n", "A1 NO [TOOBIG] x\r\n* BYE x\r\n" } },
	  .want = "U", .error = "ended the connection", .kind = ERR_UNREACHABLE, .close = true },
	{ "silence while answers are owed", M | P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n", "" } },
	  .want = "K K", .error = "no answer", .kind = ERR_UNREACHABLE, .quiet = true },
	{ "silence in place of the +", 0, "1 1",
	  { { "A1 APPEND \"Sent\" {1}\r\n", "" } },
	  .want = "U U", .error = "no answer", .kind = ERR_UNREACHABLE, .quiet = true },
	{ "a tag that is not ours", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n", "A2 OK x\r\n" } },
	  .want = "K", .error = "A2 OK", .kind = ERR_PROTOCOL },
	{ "a tag like ours", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n", "A01 OK x\r\n" } },
	  .want = "K", .error = "broke the protocol", .kind = ERR_PROTOCOL },
	{ "an answer that is none", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n", "A1 OKAY x\r\n" } },
	  .want = "K", .error = "broke the protocol", .kind = ERR_PROTOCOL },
	{ "+ when none was asked for", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n", "+ go\r\n" } },
	  .want = "K", .error = "broke the protocol", .kind = ERR_PROTOCOL },
	{ "A2: an OK before the message was sent is no OK", 0, "1 1",
	  { { "A1 APPEND \"Sent\" {1}\r\n", "A1 OK x\r\n" } },
	  .want = "U U", .error = "broke the protocol", .kind = ERR_PROTOCOL },
	{ "a line without end", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n", "* OK @x70000;" } },
	  .want = "K", .error = "a line that is too long", .kind = ERR_PROTOCOL },
	{ "a literal of a gigabyte", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n", "* LIST () {1073741824}\r\n" } },
	  .want = "K", .error = "a literal that is too long", .kind = ERR_PROTOCOL },

	{ "no UIDs are told", M | P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n", "A1 OK x\r\n" } },
	  .want = "D D" },
	{ "too few UIDs: none is believed, the OK is", M | P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n",
	      "A1 OK [APPENDUID 7 4] x\r\n" } },
	  .want = "D D" },
	{ "a reversed range is the same range", M | P, "1 1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb {1+}\r\nc\r\n",
	      "A1 OK [APPENDUID 7 6:4] x\r\n" } },
	  .want = "D4 D5 D6" },
	{ "UIDVALIDITY of more than 32 bits (WildDuck) is not believed", P, "1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\n",
	      "A1 OK [APPENDUID 4294967296 4] x\r\n" } },
	  .want = "D" },
	{ "untagged answers between, with literals and braces", P, "1 1",
	  { { "A1 APPEND \"Sent\" {1+}\r\na\r\nA2 APPEND \"Sent\" {1+}\r\nb\r\n",
	      "* 5 EXISTS\r\n* LIST () \"/\" {16}\r\nA1 NO evil\r\n* BY rest {3}\r\nxyz\r\n"
	      "* OK [ALERT] braces {12}\r\nA1 OK done {99}\r\n* 6 EXISTS\r\n"
	      "A2 OK x\r\n* 7 EXISTS\r\n" } },
	  .want = "D D" },
	{ "everything in single bytes", M, "3 1",
	  { { "A1 APPEND \"Sent\" {3}\r\n", "* 1 EXISTS\r\n+ go\r\n" },
	    { "aaa {1}\r\n", "* LIST () \"/\" {3}\r\nabc\r\n+ go\r\n" },
	    { "b\r\n", "A1 OK [APPENDUID 7 3:4] x\r\n* 5 EXISTS\r\n" } },
	  .want = "D3 D4", .drip = true },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c;
		struct mail m;
		struct err e = ERR_INIT;
		struct buf got = BUF_INIT;
		struct server srv = { .steps = cases[i].steps,
				      .drip = cases[i].drip,
				      .close = cases[i].close };
		pthread_t thread;

		client_open(&c, cases[i].caps,
			    cases[i].quiet ? QUIET_MS : PATIENT_MS);
		mail_make(&m, &c.folder, cases[i].sizes);
		srv.fd = c.peer;
		pthread_create(&thread, NULL, serve, &srv);
		imap_append_submit(c.a, &m.batch, &e);
		CHECK_CASE(cases[i].what, reap_all(c.a, &e) == 1);
		add_results(&got, &m.batch);
		client_close(&c);
		pthread_join(thread, NULL);

		CHECK_CASE(cases[i].what, !strcmp(got.data, cases[i].want));
		CHECK_CASE(cases[i].what, !srv.wrong || cases[i].close);
		CHECK_CASE(cases[i].what,
			   cases[i].error ? strstr(e.text, cases[i].error) &&
						    e.kind == cases[i].kind :
					    !e.text[0]);
		if (strcmp(got.data, cases[i].want) || srv.wrong)
			printf("  %s: got %s, want %s, \"%s\", %s\n",
			       cases[i].what, got.data, cases[i].want, e.text,
			       srv.wrong ? srv.wrong : "");
		free(srv.wrong);
		buf_free(&got);
		mail_free(&m);
	}
}

/* Run one batch against steps; the results. */
static void run(struct client *c, struct append_batch *b,
		const struct step *steps, const char *what)
{
	struct server srv = { .steps = steps, .fd = dup(c->peer), .close = true };
	struct err e = ERR_INIT;
	pthread_t thread;

	pthread_create(&thread, NULL, serve, &srv);
	imap_append_submit(c->a, b, &e);
	CHECK_CASE(what, reap_all(c->a, &e) == 1);
	pthread_join(thread, NULL);
	CHECK_CASE(what, !srv.wrong);
	if (srv.wrong)
		printf("  %s: %s\n", what, srv.wrong);
	free(srv.wrong);
}

static void test_attributes(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" (\\Seen \\Draft $Forwarded) \"02-Jan-2024 10:11:12 +0000\" {1+}\r\na"
		  " ~{1+}\r\nb\r\n",
		  "A1 OK [APPENDUID 7 8:9] x\r\n" },
		{ NULL },
	};
	struct flags flags = FLAGS_INIT, useless = FLAGS_INIT;
	struct client c;
	struct mail m;

	client_open(&c, M | P | B, PATIENT_MS);
	mail_make(&m, &c.folder, "1 1");
	flags.system = FLAG_SEEN | FLAG_DRAFT | FLAG_FLAGGED;
	flags_add_keyword(&flags, "$Forwarded", 10);
	flags_add_keyword(&flags, "$label1", 7);
	useless.system = FLAG_FLAGGED;
	m.batch.items[0].flags = &flags;
	m.batch.items[0].date = 1704190272;
	m.batch.items[1].flags = &useless;
	m.batch.items[1].has_nul = true;
	run(&c, &m.batch, steps,
	    "flags the folder keeps, the date, literal8 for NULs");
	CHECK(m.batch.items[1].uid == 9);
	CHECK(m.batch.uidvalidity == 7);
	CHECK(stream_bytes_sent(c.s.stream) == strlen(steps[0].hear));
	close(c.peer);
	client_close(&c);
	mail_free(&m);
	flags_free(&flags);
	flags_free(&useless);
}

static void test_any_keyword(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" ($label1) {1+}\r\na\r\n", "A1 OK x\r\n" },
		{ NULL },
	};
	struct flags flags = FLAGS_INIT;
	struct client c;
	struct mail m;

	client_open(&c, M | P | B, PATIENT_MS);
	mail_make(&m, &c.folder, "1");
	c.folder.any_keyword = true;
	flags_add_keyword(&flags, "$label1", 7);
	m.batch.items[0].flags = &flags;
	run(&c, &m.batch, steps, "\\* takes every keyword");
	close(c.peer);
	client_close(&c);
	mail_free(&m);
	flags_free(&flags);
}

static void test_refused_here(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" {2+}\r\nbb\r\n", "A1 OK x\r\n" },
		{ NULL },
	};
	struct client c;
	struct mail m;

	client_open(&c, M | P, PATIENT_MS);
	mail_make(&m, &c.folder, "1 2 11");
	c.s.append_limit = 10;
	m.batch.items[0].has_nul = true;
	run(&c, &m.batch, steps, "what the server cannot take is not sent");
	CHECK(m.batch.items[0].result == APPEND_REFUSED);
	CHECK_STR(m.batch.items[0].why.text,
		  "holds NUL bytes and the server offers no BINARY");
	CHECK(m.batch.items[1].result == APPEND_DONE);
	CHECK(m.batch.items[2].result == APPEND_REFUSED);
	CHECK_STR(m.batch.items[2].why.text,
		  "11 bytes, but the server takes at most 10");
	CHECK(m.batch.items[2].why.scope == ERR_MESSAGE);
	close(c.peer);
	client_close(&c);
	mail_free(&m);
}

/* The words of a refusal reach the person; the batches to come are smaller. */
static void test_words_and_limits(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\n", "A1 NO bad thing\r\n" },
		{ "A2 APPEND \"Sent\" {1+}\r\na\r\nA3 APPEND \"Sent\" {1+}\r\nb\r\n",
		  "A2 NO bad thing\r\nA3 OK x\r\n" },
		{ NULL },
	};
	struct target_limits before, after;
	struct client c;
	struct mail m;

	client_open(&c, M | P | IMAP_CAP_UIDPLUS, PATIENT_MS);
	mail_make(&m, &c.folder, "1 1");
	imap_append_limits(c.a, &before);
	run(&c, &m.batch, steps, "words of a refusal");
	imap_append_limits(c.a, &after);
	CHECK(strstr(m.batch.items[0].why.text, "APPEND Sent") != NULL);
	CHECK(strstr(m.batch.items[0].why.text, "bad thing") != NULL);
	CHECK(m.batch.items[0].why.kind == ERR_REFUSED);
	CHECK(before.batch_messages == 100 && before.batch_bytes == 128 << 10);
	CHECK(after.batch_messages == 50 && after.batch_bytes == 64 << 10);
	CHECK(before.tells_uids);
	close(c.peer);
	client_close(&c);
	mail_free(&m);
}

/* Batches of several folders are in flight together; each goes to its own. */
static void test_two_folders(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" {1+}\r\na\r\nA2 APPEND \"Drafts\" {1+}\r\na\r\n",
		  "A1 OK [APPENDUID 7 1] x\r\nA2 OK [APPENDUID 8 1] x\r\n" },
		{ NULL },
	};
	struct target_folder drafts;
	struct server srv = { .steps = steps };
	struct err e = ERR_INIT;
	struct mail one, two;
	pthread_t thread;
	struct client c;

	client_open(&c, M | P, PATIENT_MS);
	srv.fd = dup(c.peer);
	srv.close = true;
	target_folder_init(&drafts);
	buf_set_str(&drafts.name, "Drafts");
	mail_make(&one, &c.folder, "1");
	mail_make(&two, &drafts, "1");
	pthread_create(&thread, NULL, serve, &srv);
	CHECK(imap_append_submit(c.a, &one.batch, &e) == 0);
	CHECK(imap_append_submit(c.a, &two.batch, &e) == 0);
	CHECK(reap_all(c.a, &e) == 2);
	pthread_join(thread, NULL);
	CHECK(!srv.wrong);
	free(srv.wrong);
	CHECK(one.batch.uidvalidity == 7 && two.batch.uidvalidity == 8);
	mail_free(&one);
	mail_free(&two);
	target_folder_free(&drafts);
	client_close(&c);
}

/* After a folder's error is reaped, the pipeline serves the next folder; after a lost
   connection it serves nobody. */
static void test_again_after_an_end(void)
{
	struct step gone[] = {
		{ "A1 APPEND \"Sent\" {1+}\r\na\r\n", "A1 NO [TRYCREATE] x\r\n" },
		{ NULL },
	};
	struct step other[] = {
		{ "A2 APPEND \"O\\\"ther\" {1+}\r\na\r\n", "A2 OK x\r\n* 1 EXISTS\r\n" },
		{ NULL },
	};
	struct step bye[] = {
		{ "A3 APPEND \"O\\\"ther\" {1+}\r\na\r\n", "* BYE x\r\n" },
		{ NULL },
	};
	struct err e = ERR_INIT;
	struct client c;
	struct mail m;

	client_open(&c, M | P, PATIENT_MS);
	mail_make(&m, &c.folder, "1");
	run(&c, &m.batch, gone, "TRYCREATE");
	CHECK(m.batch.items[0].result == APPEND_UNSENT);
	CHECK(!c.s.broken);
	buf_set_str(&c.folder.name, "O\"ther");
	run(&c, &m.batch, other, "the next folder");
	CHECK(m.batch.items[0].result == APPEND_DONE);
	run(&c, &m.batch, bye, "BYE");
	CHECK(m.batch.items[0].result == APPEND_UNKNOWN);
	CHECK(c.s.broken);
	CHECK(imap_append_submit(c.a, &m.batch, &e) == -1);
	CHECK(e.scope == ERR_ACCOUNT);
	CHECK(reap_all(c.a, &e) == 1);
	CHECK(m.batch.items[0].result == APPEND_UNSENT);
	close(c.peer);
	client_close(&c);
	mail_free(&m);
}

static void test_name_with_line_end(void)
{
	struct err e = ERR_INIT;
	struct client c;
	struct mail m;

	client_open(&c, M | P, PATIENT_MS);
	mail_make(&m, &c.folder, "1");
	buf_set_str(&c.folder.name, "x\r\nA1 LOGOUT");
	CHECK(imap_append_submit(c.a, &m.batch, &e) == -1);
	CHECK(e.scope == ERR_FOLDER);
	CHECK(reap_all(c.a, &e) == 1);
	CHECK(m.batch.items[0].result == APPEND_UNSENT);
	CHECK(stream_bytes_sent(c.s.stream) == 0);
	close(c.peer);
	client_close(&c);
	mail_free(&m);
}

int main(void)
{
	test_cases();
	test_attributes();
	test_any_keyword();
	test_refused_here();
	test_words_and_limits();
	test_again_after_an_end();
	test_two_folders();
	test_name_with_line_end();
	return check_done();
}
