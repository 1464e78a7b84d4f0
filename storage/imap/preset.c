/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of providers and of server programs. docs/providers.md has the
   same for people, with how to log in; tests/imap/preset.c compares the two.

   T1  A number is here only when somebody who can know it has named it. A limit
       of bytes that is too low would hold back mail that the server takes, so
       one that is doubtful, or that an administrator may raise, is the highest
       there is, or 0.
   T2  Providers are known by their host names. Programs are known by words of
       theirs; what those rows say holds in addition, because a provider runs
       some program. The more telling rows stand first.

   The letter behind a source is how sure it is: H the provider itself or
   several independent measurements, M one good source, L hearsay. */
#include "storage/imap/preset.h"
#include "storage/target.h"

#include <string.h>
#include <strings.h>

#define MEASURED "measured with the package of Debian 12, docs/servers.md (H)"
/* No Japanese provider publishes a limit of connections: few to begin with. */
enum { ISP_CONNECTIONS = 2, CARRIER_CONNECTIONS = 1 };

static const struct preset rows[] = {
	{
		.name = "gmail",
		.title = "Gmail",
		.hosts = "gmail.com googlemail.com",
		.says = "X-GM-EXT-1",
		.connections = 15,
		.daily_bytes = 500000000,
		.message_bytes = 35651584,
		.looked_up = "2026-11",
		.source = "support.google.com/a/answer/1071518 (H)",
	},
	{
		.name = "microsoft365",
		.title = "Microsoft 365, Outlook.com",
		.hosts = "office365.com outlook.com",
		/* The highest that an administrator can set; 45 MB unless he
		   does. */
		.message_bytes = 157286400,
		.messages_per_second = 4,
		.changes = CHANGES_BYTES | CHANGES_KEYWORDS,
		.looked_up = "2026-11",
		.source = "imapsync FAQ.Office365 (M)",
	},
	{
		.name = "icloud",
		.title = "iCloud Mail",
		.hosts = "mail.me.com",
		.looked_up = "2026-11",
		.source = "support.apple.com/102525 (H)",
	},
	{
		.name = "yahoo",
		.title = "Yahoo Mail",
		.hosts = "mail.yahoo.com",
		.connections = 3,
		.looked_up = "2026-11",
		.source = "ISPDB yahoo.com.xml (H), connections (L)",
	},
	{
		.name = "yahoo-japan",
		.title = "Yahoo! JAPAN Mail",
		.hosts = "mail.yahoo.co.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "support.yahoo-net.jp H000014864 (H)",
	},
	{
		.name = "fastmail",
		.title = "Fastmail",
		.hosts = "fastmail.com messagingengine.com",
		.looked_up = "2026-11",
		.source = "Fastmail help, chatmail provider-db (M)",
	},
	{
		.name = "zoho",
		.title = "Zoho Mail",
		.hosts = "zoho.com zoho.eu zoho.in zoho.jp zoho.com.au",
		.connections = 3,
		.looked_up = "2026-11",
		.source = "ISPDB zoho.com.xml (H), connections (M)",
	},
	{
		.name = "workmail",
		.title = "Amazon WorkMail",
		.hosts =
			"mail.us-east-1.awsapps.com mail.us-west-2.awsapps.com "
			"mail.eu-west-1.awsapps.com",
		.looked_up = "2026-11",
		.source = "docs.aws.amazon.com using_IMAP (H)",
	},
	{
		.name = "docomo",
		.title = "docomo Mail",
		.hosts = "imap.spmode.ne.jp imap2.spmode.ne.jp",
		.connections = CARRIER_CONNECTIONS,
		.legacy_tls = true,
		.looked_up = "2026-11",
		.source = "nttdocomo.co.jp, IMAP interface 4.3 (H), TLS (M)",
	},
	{
		.name = "au",
		.title = "au Mail",
		.hosts = "imap.ezweb.ne.jp",
		.says = "Au_mail IMAP4rev1",
		.connections = CARRIER_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "a running fetcher, a Wanderlust config (M)",
	},
	{
		.name = "softbank",
		.title = "SoftBank Mail (i.softbank.jp)",
		.hosts = "imap.softbank.jp",
		.connections = CARRIER_CONNECTIONS,
		.login_only = true,
		.looked_up = "2026-11",
		.source = "ISPDB i.softbank.jp.xml (H), login (M)",
	},
	{
		.name = "ocn",
		.title = "OCN",
		.hosts = "imap.ocn.ne.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "support.ntt.com (H)",
	},
	{
		.name = "nifty",
		.title = "@nifty",
		.hosts = "imap.nifty.com",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "ISPDB nifty.com.xml (M)",
	},
	{
		.name = "biglobe",
		.title = "BIGLOBE",
		.hosts = "mail.biglobe.ne.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "support.biglobe.ne.jp settei/mailer/imap.html (M)",
	},
	{
		.name = "so-net",
		.title = "So-net",
		.hosts = "imap.so-net.ne.jp mail.so-net.ne.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "support.so-net knowledge1804 (M)",
	},
	{
		.name = "plala",
		.title = "Plala",
		.hosts = "imap.plala.or.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "tables of mail programs (L)",
	},
	{
		.name = "eo",
		.title = "eo",
		.hosts = "imaps.eonet.ne.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "tables of mail programs (L)",
	},
	{
		.name = "asahi-net",
		.title = "ASAHI Net",
		/* Known for SMTP and POP; of IMAP nothing was found. */
		.hosts = "mail.asahi-net.or.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "tables of mail programs (L)",
	},
	{
		.name = "sakura",
		.title = "Sakura Rental Server",
		.hosts = "sakura.ne.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "several working configurations (M)",
	},
	{
		.name = "xserver",
		.title = "Xserver",
		.hosts = "xserver.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "a page that quotes the manual, 2025 (H)",
	},
	{
		.name = "lolipop",
		.title = "Lolipop!",
		.hosts = "imap.lolipop.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "tables of mail programs (M)",
	},
	{
		.name = "conoha",
		.title = "ConoHa WING",
		.hosts = "conoha.ne.jp",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "by analogy with its SMTP host (L)",
	},
	{
		.name = "kagoya",
		.title = "KAGOYA",
		.hosts = "imap.kagoya.net",
		.connections = ISP_CONNECTIONS,
		.looked_up = "2026-11",
		.source = "a working configuration (M)",
	},

	{
		.name = "exchange",
		.title = "Microsoft Exchange",
		.says = "Microsoft Exchange|Microsoft.Exchange.Imap4",
		.connections = 16, /* the default of MaxConnectionsPerUser */
		.changes = CHANGES_BYTES | CHANGES_KEYWORDS,
		.looked_up = "2026-11",
		.source =
			"learn.microsoft.com, connection limits for IMAP4 (H)",
	},
	{
		.name = "cyrus",
		.title = "Cyrus",
		/* Its greeting, its ID answer, and an extension of nobody else.
		 */
		.says = "Cyrus IMAP|NO_ATOMIC_RENAME",
		.changes = CHANGES_8BIT_HEADERS,
		.looked_up = "2026-11",
		.source = MEASURED,
	},
	{
		.name = "courier",
		.title = "Courier",
		/* It answers ID with NO, and greets before STARTTLS only. */
		.says = "Courier-IMAP|ACL2=UNION",
		.changes = CHANGES_LONE_CR | CHANGES_LAST_EOL,
		.looked_up = "2026-11",
		.source = MEASURED,
	},
	{
		.name = "mailutils",
		.title = "GNU Mailutils",
		/* Its greeting is "* OK IMAP4rev1", and its ID answer empty: by
		   the list of all that GNU SASL knows. */
		.says = "AUTH=SECURID*AUTH=OPENID20*AUTH=SAML20",
		.changes = CHANGES_NUL | CHANGES_FLAGS | CHANGES_KEYWORDS |
			   CHANGES_DATE,
		.login_only = true,
		.looked_up = "2026-11",
		.source = MEASURED,
	},
	{
		.name = "dovecot",
		.title = "Dovecot",
		.says = "Dovecot",
		.changes = CHANGES_NUL,
		.looked_up = "2026-11",
		.source = MEASURED,
	},
};
#define COUNT (sizeof(rows) / sizeof(rows[0]))

const struct preset *preset_nth(size_t n)
{
	return n < COUNT ? &rows[n] : NULL;
}

const struct preset *preset_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* The length of the longest of the suffixes that is host or that begins in it
   behind a dot; 0 when there is none. */
static size_t longest_suffix(const char *suffixes, const char *host, size_t len)
{
	size_t longest = 0;

	while (*suffixes) {
		size_t n = strcspn(suffixes, " ");

		if (n > longest && n <= len &&
		    (n == len || host[len - n - 1] == '.') &&
		    !strncasecmp(host + len - n, suffixes, n))
			longest = n;
		suffixes += n;
		suffixes += strspn(suffixes, " ");
	}
	return longest;
}

const struct preset *preset_by_host(const char *host)
{
	const struct preset *best = NULL;
	size_t longest = 0, len = strlen(host);

	if (len && host[len - 1] == '.') /* "example.com." is its full name */
		len--;
	for (size_t i = 0; i < COUNT; i++) {
		size_t n = rows[i].hosts
				   ? longest_suffix(rows[i].hosts, host, len)
				   : 0;

		if (n > longest) {
			longest = n;
			best = &rows[i];
		}
	}
	return best;
}

static bool holds(const char *line, size_t len, const char *word, size_t n)
{
	for (size_t at = 0; n <= len && at <= len - n; at++)
		if (!strncasecmp(line + at, word, n))
			return true;
	return false;
}

/* All words up to the next '|', in any order: capabilities have none. */
static bool holds_all(const char *line, size_t len, const char *words)
{
	for (;;) {
		size_t n = strcspn(words, "*|");

		if (!holds(line, len, words, n))
			return false;
		if (words[n] != '*')
			return true;
		words += n + 1;
	}
}

static bool holds_any(const char *line, size_t len, const char *says)
{
	while (says) {
		if (holds_all(line, len, says))
			return true;
		says = strchr(says, '|');
		says = says ? says + 1 : NULL;
	}
	return false;
}

const struct preset *preset_by_words(const char *said)
{
	for (size_t i = 0; i < COUNT; i++) {
		const char *line = said;

		while (rows[i].says && *line) {
			size_t len = strcspn(line, "\n");

			if (holds_any(line, len, rows[i].says))
				return &rows[i];
			line += len + (line[len] == '\n');
		}
	}
	return NULL;
}
