/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of providers and servers: the table itself, how its rows are found,
   what a session makes of them, and that docs/providers.md says the same. */
#include "storage/imap/preset.h"
#include "core/base/secret.h"
#include "storage/imap/internal.h"
#include "tests/imap/script.h"

#include <inttypes.h>

static const struct {
	const char *host, *name; /* NULL: none */
} hosts[] = {
	{ "imap.gmail.com", "gmail" },
	{ "IMAP.GMAIL.COM", "gmail" },
	{ "imap.gmail.com.", "gmail" },
	{ "gmail.com", "gmail" },
	{ "imap.googlemail.com", "gmail" },
	{ "notgmail.com", NULL },
	{ "imap.gmail.com.evil.example", NULL },
	{ "outlook.office365.com", "microsoft365" },
	{ "imap-mail.outlook.com", "microsoft365" },
	{ "imap.mail.me.com", "icloud" },
	{ "p42-imap.mail.me.com", "icloud" },
	{ "notmail.me.com", NULL },
	{ "notmail.me.com.evil.example", NULL },
	{ "me.com", NULL },
	{ "imap.mail.yahoo.com", "yahoo" },
	{ "export.imap.mail.yahoo.com", "yahoo" },
	{ "imap.mail.yahoo.co.jp", "yahoo-japan" },
	{ "imap.fastmail.com", "fastmail" },
	{ "imap.zoho.jp", "zoho" },
	{ "imappro.zoho.com", "zoho" },
	{ "imap.zoho.com.au", "zoho" },
	{ "imap.mail.eu-west-1.awsapps.com", "workmail" },
	{ "imap.spmode.ne.jp", "docomo" },
	{ "imap2.spmode.ne.jp", "docomo" },
	{ "imap3.spmode.ne.jp", NULL },
	{ "imap.ezweb.ne.jp", "au" },
	{ "imap.softbank.jp", "softbank" },
	{ "imap.ocn.ne.jp", "ocn" },
	{ "p1-mobile.tokyo.ocn.ne.jp", NULL }, /* a customer's own machine */
	{ "imap.nifty.com", "nifty" },
	{ "mail.biglobe.ne.jp", "biglobe" },
	{ "mail.so-net.ne.jp", "so-net" },
	{ "example.sakura.ne.jp", "sakura" },
	{ "sv1234.xserver.jp", "xserver" },
	{ "imap.mail1006.conoha.ne.jp", "conoha" },
	{ "localhost", NULL },
	{ "127.0.0.1", NULL },
	{ "com", NULL },
	{ ".", NULL },
	{ "", NULL },
};

static const struct {
	const char *said, *name;
} words[] = {
	{ "* OK Gimap ready for requests from 192.0.2.1 x\n"
	  "CAPABILITY IMAP4rev1 UNSELECT X-GM-EXT-1 UIDPLUS\n", "gmail" },
	{ "* OK The Microsoft Exchange IMAP4 service is ready.\n", "exchange" },
	{ "ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15\")",
	  "exchange" },
	{ "* OK [CAPABILITY IMAP4rev1] localhost Cyrus IMAP 3.6.1 server ready\n",
	  "cyrus" },
	{ "CAPABILITY IMAP4rev1\nID (\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1\")\n",
	  "cyrus" },
	{ "CAPABILITY IMAP4rev1 UIDPLUS ACL ACL2=UNION ENABLE\n", "courier" },
	{ "* OK Courier-IMAP ready. Copyright 1998-2019\n", "courier" },
	{ "* OK Dovecot (Debian) ready.\n", "dovecot" },
	{ "* OK ready\nID (\"name\" \"Dovecot\")\n", "dovecot" },
	{ "* OK Au_mail IMAP4rev1\n", "au" },
	{ "* OK IMAP4rev1\nCAPABILITY IMAP4rev1 AUTH=SAML20 AUTH=SECURID "
	  "AUTH=OPENID20\n", "mailutils" },
	/* all words, and in one line */
	{ "CAPABILITY AUTH=SAML20\nCAPABILITY AUTH=SECURID AUTH=OPENID20\n", NULL },
	{ "CAPABILITY ACL2=\nUNION\n", NULL },
	{ "* OK IMAP4rev1 server ready\nCAPABILITY IMAP4rev1 UIDPLUS\n", NULL },
	{ "\n\n", NULL },
	{ "", NULL },
};

static bool is_named(const struct preset *p, const char *name)
{
	return name ? p && !strcmp(p->name, name) : !p;
}

static void check_finding(void)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		CHECK_CASE(hosts[i].host,
			   is_named(preset_by_host(hosts[i].host), hosts[i].name));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK_CASE(words[i].said,
			   is_named(preset_by_words(words[i].said), words[i].name));
	CHECK(preset_by_name("none") == NULL && preset_by_name("") == NULL);
	CHECK(preset_nth(100000) == NULL);
}

/* Every row can be found, by its name and by each of its hosts, and has a source. */
static void check_row(const struct preset *p)
{
	CHECK_CASE(p->name, preset_by_name(p->name) == p);
	CHECK_CASE(p->name, p->hosts || p->says);
	CHECK_CASE(p->name, strlen(p->looked_up) == 7 && p->source && p->title);
	for (const char *h = p->hosts; h && *h;) {
		size_t n = strcspn(h, " ");
		char host[300];

		snprintf(host, sizeof(host), "%.*s", (int)n, h);
		CHECK_CASE(host, preset_by_host(host) == p);
		snprintf(host, sizeof(host), "x.%.*s", (int)n, h);
		CHECK_CASE(host, preset_by_host(host) == p);
		snprintf(host, sizeof(host), "x%.*s", (int)n, h);
		CHECK_CASE(host, preset_by_host(host) != p ||
				 strchr(p->hosts, ' '));
		h += n + (h[n] == ' ');
	}
}

/* What a session makes of it. */

#define GREET(words) { NULL, "* OK " words "\r\n" }
#define CAPS(list) { "CAPABILITY", "* CAPABILITY IMAP4rev1 " list "\r\n%T OK done\r\n" }
#define LOGIN { "LOGIN \"me\" \"secret!\"", "%T OK done\r\n" }
#define SEPARATOR { "LIST \"\" \"\"", "* LIST () \"/\" \"\"\r\n%T OK done\r\n" }
#define MAILUTILS "AUTH=SECURID AUTH=PLAIN AUTH=SAML20 AUTH=OPENID20"

static const struct who {
	const char *what;
	const char *given; /* --preset */
	struct step steps[8];
	const char *preset, *program;
	unsigned changes;
	uint64_t append_limit;
	const char *said;
} whos[] = {
	{ "by the greeting", NULL,
	  { GREET("Dovecot ready."), CAPS(""), LOGIN, CAPS(""), SEPARATOR },
	  "dovecot", "dovecot", CHANGES_NUL, 0, "* OK Dovecot ready.\n" },
	{ "by the answer to ID", NULL,
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("ID"),
	    { "ID (...", "* 1 EXISTS\r\n* ID (\"name\" \"Cyrus IMAPD\")\r\n"
	      "%T OK done\r\n" }, SEPARATOR },
	  "cyrus", "cyrus", CHANGES_8BIT_HEADERS, 0,
	  "ID (\"name\" \"Cyrus IMAPD\")\n" },
	{ "by an ID with a literal", NULL,
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("ID"),
	    { "ID (...", "* ID (\"name\" {11}\r\nCyrus\r\nIMAP)\r\n* ID (name {7}\r\n"
	      "Dovecot)\r\n%T OK done\r\n" }, SEPARATOR },
	  "dovecot", "dovecot", CHANGES_NUL, 0,
	  "ID (\"name\" \"Cyrus??IMAP\")\nID (name \"Dovecot\")\n" },
	{ "an ID that libetpan cannot read", NULL,
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("ID"),
	    { "ID (...", "* ID Dovecot 2.3\r\n%T OK done\r\n" }, SEPARATOR },
	  "dovecot", "dovecot", CHANGES_NUL, 0, "ID Dovecot 2.3\n" },
	{ "an ID that is NIL, and one that is refused, tell nothing", NULL,
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("ID"),
	    { "ID (...", "* ID NIL\r\n%T NO Error\r\n" }, SEPARATOR },
	  NULL, NULL, 0, 0, "ID NIL\n" },
	{ "by the capabilities; LOGIN is all it can do", NULL,
	  { GREET("IMAP4rev1"), CAPS(MAILUTILS), LOGIN, CAPS(MAILUTILS),
	    SEPARATOR },
	  "mailutils", "mailutils",
	  CHANGES_NUL | CHANGES_FLAGS | CHANGES_KEYWORDS | CHANGES_DATE, 0,
	  "CAPABILITY IMAP4rev1 " MAILUTILS "\n" },
	{ "the provider's limits, the program's changes", "gmail",
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("ACL2=UNION"), SEPARATOR },
	  "gmail", "courier", CHANGES_LONE_CR | CHANGES_LAST_EOL, 35651584, "" },
	{ "both change something", "microsoft365",
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("ACL2=UNION"), SEPARATOR },
	  "microsoft365", "courier",
	  CHANGES_BYTES | CHANGES_KEYWORDS | CHANGES_LONE_CR | CHANGES_LAST_EOL,
	  157286400, "" },
	{ "what it says of its limit itself", "gmail",
	  { GREET("hello"), CAPS(""), LOGIN, CAPS("APPENDLIMIT=77"), SEPARATOR },
	  "gmail", NULL, 0, 77, "" },
	{ "--preset none", "none",
	  { GREET("Dovecot ready."), CAPS(""), LOGIN, CAPS(""), SEPARATOR },
	  NULL, NULL, 0, 0, "* OK Dovecot ready.\n" },
	{ "only LOGIN, by --preset", "softbank",
	  { GREET("hello"), CAPS("AUTH=PLAIN"), LOGIN, CAPS(""), SEPARATOR },
	  "softbank", NULL, 0, 0, "" },
	{ "a literal in an ID that does not come", NULL,
	  { GREET("Dovecot ready."), CAPS(""), LOGIN, CAPS("ID"),
	    { "ID (...", "* ID (a {1000}\r\n%T OK done\r\n" } },
	  NULL, NULL, 0, 0, NULL },
};

static int enter(const struct who *w, struct script_server *server,
		 struct imap_session **s_r, struct err *e)
{
	struct secret secret = SECRET_INIT;
	struct imap_options opt = { .host = "127.0.0.1", .user = "me",
				    .security = IMAP_PLAINTEXT,
				    .password = &secret, .timeout_ms = 1000 };
	int ret;

	secret_set(&secret, "secret!", 7, e);
	if (w->given) {
		opt.no_preset = !strcmp(w->given, "none");
		opt.preset = preset_by_name(w->given);
	}
	script_start(server, w->steps);
	opt.port = server->port;
	ret = imap_session_open(&opt, s_r, e);
	secret_wipe(&secret);
	return ret;
}

static void check_session(const struct who *w)
{
	struct script_server server;
	struct imap_session *s = NULL;
	struct err e = ERR_INIT;

	if (enter(w, &server, &s, &e) < 0) {
		CHECK_CASE(w->what, !w->said); /* one waits for its literal */
		if (w->said)
			printf("  %s: %s\n", w->what, e.text);
		script_end(&server);
		return;
	}
	CHECK_CASE(w->what, is_named(s->preset, w->preset));
	CHECK_CASE(w->what, is_named(s->program, w->program));
	CHECK_CASE(w->what, s->changes == w->changes);
	CHECK_CASE(w->what, s->append_limit == w->append_limit);
	CHECK_CASE(w->what, w->said && strstr(s->said.data, w->said));
	CHECK_CASE(w->what, s->said.len <= IMAP_WHO_MAX);
	imap_session_close(s);
	CHECK_CASE(w->what, script_end(&server));
}

/* An ID answer of any length: its beginning is kept. */
static void check_bound(void)
{
	char say[12000] = "* ID (\"name\" \"Dovecot\" \"x\" \"";
	struct who w = { "a long ID", NULL,
			 { GREET("hello"), CAPS(""), LOGIN, CAPS("ID"),
			   { "ID (...", say }, SEPARATOR },
			 "dovecot", "dovecot", CHANGES_NUL, 0,
			 "ID (\"name\" \"Dovecot\" \"x\" \"y" };
	size_t n = strlen(say);

	memset(say + n, 'y', 10000);
	strcpy(say + n + 10000, "\")\r\n* ID (z)\r\n%T OK done\r\n");
	check_session(&w);
}

/* docs/providers.md: name, title, host, user, credential, connections, upload a day,
   largest message, changes, date, source. */

enum { CELLS = 11 };

static const struct {
	unsigned bit;
	const char *words;
} change_words[] = {
	{ CHANGES_8BIT_HEADERS, "8-bit headers" },
	{ CHANGES_NUL, "NUL bytes" },
	{ CHANGES_LONE_CR, "lone CR" },
	{ CHANGES_LAST_EOL, "last line end" },
	{ CHANGES_FLAGS, "flags" },
	{ CHANGES_KEYWORDS, "keywords" },
	{ CHANGES_DATE, "date" },
	{ CHANGES_BYTES, "all bytes" },
};

static void add_changes(struct buf *out, unsigned changes)
{
	buf_reset(out);
	for (size_t i = 0; i < sizeof(change_words) / sizeof(change_words[0]); i++)
		if (changes & change_words[i].bit)
			buf_addf(out, "%s%s", out->len ? ", " : "",
				 change_words[i].words);
	if (!out->len)
		buf_add_str(out, "-");
}

static void add_number(struct buf *out, uint64_t n)
{
	buf_reset(out);
	if (n)
		buf_addf(out, "%" PRIu64, n);
	else
		buf_add_str(out, "-");
}

/* The cells of the row that begins with "| `name` |": how many. */
static int split_row(char *page, const char *name, char **cells)
{
	char begin[80], *at;
	int n = 0;

	snprintf(begin, sizeof(begin), "\n| `%s` |", name);
	at = strstr(page, begin);
	if (!at)
		return 0;
	for (at += 2; n < CELLS; n++) {
		char *end = strpbrk(at, "|\n");

		if (!end || *end == '\n')
			break;
		*end = '\0';
		cells[n] = at + strspn(at, " ");
		for (char *p = end; p > cells[n] && p[-1] == ' ';)
			*--p = '\0';
		at = end + 1;
	}
	return n;
}

static void check_docs(const struct preset *p, const char *text)
{
	char *page = mem_strdup(text), *cell[CELLS];
	int n = split_row(page, p->name, cell);
	struct buf want = BUF_INIT;

	CHECK_CASE(p->name, n == CELLS);
	if (n == CELLS) {
		CHECK_STR(cell[1], p->title);
		add_number(&want, p->connections);
		CHECK_STR(cell[5], want.data);
		add_number(&want, p->daily_bytes);
		CHECK_STR(cell[6], want.data);
		add_number(&want, p->message_bytes);
		CHECK_STR(cell[7], want.data);
		add_changes(&want, p->changes);
		CHECK_STR(cell[8], want.data);
		CHECK_STR(cell[9], p->looked_up);
		CHECK_STR(cell[10], p->source);
	}
	buf_free(&want);
	free(page);
}

static char *read_docs(void)
{
	FILE *f = fopen(TESTS_DIR "/../docs/providers.md", "r");
	struct buf text = BUF_INIT;
	char bytes[4096];
	size_t n;

	CHECK_CASE("docs/providers.md is there", f != NULL);
	while (f && (n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(&text, bytes, n);
	if (f)
		fclose(f);
	return buf_detach(&text);
}

int main(void)
{
	const struct preset *p;
	char *docs = read_docs();

	check_finding();
	for (size_t i = 0; (p = preset_nth(i)); i++) {
		check_row(p);
		check_docs(p, docs);
	}
	for (size_t i = 0; i < sizeof(whos) / sizeof(whos[0]); i++)
		check_session(&whos[i]);
	check_bound();
	free(docs);
	return check_done();
}
