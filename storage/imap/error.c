/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server's NO, BAD or BYE means: kind, reach and whether to try again.
   The rows are in the order in which they are tried, the telling before the
   general. They look at the words as well as at the response code, because
   Cyrus and Courier say OVERQUOTA in words only, Gmail uses that code for its
   daily limits, and Exchange knows no codes at all (docs/servers.md). */
#include "core/base/log.h"
#include "storage/imap/internal.h"
#include "storage/imap/session.h"
#include "storage/imap/stream.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct rule {
	const char *words; /* all of them, in this order, split at '*' */
	enum err_kind kind;
	enum err_scope scope;
	enum err_retry retry;
};
static const struct rule rules[] = {
	/* Limits of rate and of number pass. Gmail says the first when it is
	   over a limit or when a token has expired: a new login shows which. */
	{ "session expired, please login again", ERR_BUSY, ERR_ACCOUNT,
	  ERR_LATER },
	{ "request is throttled", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "[throttled]", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "rate limit", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "too many*connections", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "maximum number of connections", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "[unavailable]", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "server unavailable", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "[inuse]", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },
	{ "[serverbug]", ERR_OTHER, ERR_ACCOUNT, ERR_LATER },

	/* One message is too big. Before OVERQUOTA: "[LIMIT] Mail size". */
	{ "[toobig]", ERR_TOO_BIG, ERR_MESSAGE, ERR_NEVER },
	{ "[limit] mail size", ERR_TOO_BIG, ERR_MESSAGE, ERR_NEVER },
	{ "maximum size of appendable", ERR_TOO_BIG, ERR_MESSAGE, ERR_NEVER },

	{ "[overquota]", ERR_QUOTA, ERR_ACCOUNT, ERR_NEVER },
	{ "over quota", ERR_QUOTA, ERR_ACCOUNT, ERR_NEVER },
	{ "quota exceeded", ERR_QUOTA, ERR_ACCOUNT, ERR_NEVER },
	{ "exceeded your*quota", ERR_QUOTA, ERR_ACCOUNT, ERR_NEVER },

	{ "[limit]", ERR_BUSY, ERR_ACCOUNT, ERR_LATER },

	/* Again and again would lock the account. */
	{ "[authenticationfailed]", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "[authorizationfailed]", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "[expired]", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "[privacyrequired]", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "[contactadmin]", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "[webalert", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "application-specific password", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "web browser", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },
	{ "authenticated but not connected", ERR_AUTH, ERR_ACCOUNT, ERR_NEVER },

	/* The name of a folder will not do. */
	{ "folder name is reserved", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },
	{ "folder contains excess whitespace", ERR_REFUSED, ERR_FOLDER,
	  ERR_NEVER },
	{ "mailbox already exists", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },
	{ "cannot create this folder", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },

	{ "[trycreate]", ERR_NO_FOLDER, ERR_FOLDER, ERR_NEVER },
	{ "[nonexistent]", ERR_NO_FOLDER, ERR_FOLDER, ERR_NEVER },
	{ "[alreadyexists]", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },
	{ "[noperm]", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },
	{ "[corruption]", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },
	{ "[read-only]", ERR_REFUSED, ERR_FOLDER, ERR_NEVER },

	/* Exchange, when it has lost track: a new connection helps. */
	{ "command received in invalid state", ERR_PROTOCOL, ERR_ACCOUNT,
	  ERR_NOW },
};

static bool says(const char *text, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, "*");
		const char *at = text;

		while (*at && strncasecmp(at, words, n))
			at++;
		if (!*at)
			return false;
		text = at + n;
		words += n + (words[n] == '*');
	}
	return true;
}

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

/* Pauses that the provider's pages name and not its server. Gmail shuts an
   account that is over its day's budget for up to 24 hours, Yahoo! JAPAN one
   that logs in again and again for half an hour: longer than anybody waits
   (core/retry.h), so the run ends. */
static const struct {
	const char *words;
	uint32_t ms;
} pauses[] = {
	{ "exceeded command or bandwidth limits", DAY_MS },
	{ "[limit]*login rate limit", 30 * MINUTE_MS },
};

/* "Suggested Backoff Time: 299961 milliseconds" (Exchange). Anything over a day
   is nonsense, or an attempt to put us to sleep. */
static uint32_t backoff(const char *text)
{
	static const char words[] = "Suggested Backoff Time:";
	unsigned long long ms;
	const char *at = strcasestr(text, words);

	if (!at)
		return 0;
	at += sizeof(words) - 1;
	at += strspn(at, " ");
	if (!isdigit((unsigned char)*at))
		return 0;
	errno = 0;
	ms = strtoull(at, NULL, 10);
	return (uint32_t)(errno || ms > DAY_MS ? DAY_MS : ms);
}

static uint32_t pause_for(const char *text)
{
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
		if (says(text, pauses[i].words))
			return pauses[i].ms;
	return backoff(text);
}

/* The words behind "NO " or "BAD ", for the person. */
static const char *words_of(const char *text)
{
	const char *words = text + strcspn(text, " ");

	words += strspn(words, " ");
	return *words ? words : text;
}

int imap_fail_text(const char *text, const char *doing, struct err *e)
{
	bool bye = !strncasecmp(text, "BYE", 3) && (!text[3] || text[3] == ' ');
	uint32_t wait_ms = pause_for(text);
	const char *words = words_of(text);

	if (wait_ms) {
		err_set(e, ERR_BUSY, ERR_ACCOUNT, ERR_LATER, "%s: %s", doing,
			words);
		e->wait_ms = wait_ms;
		return -1;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];

		if (!says(text, r->words))
			continue;
		err_set(e, r->kind, r->scope, r->retry, "%s: %s", doing, words);
		return bye ? err_widen(e, ERR_ACCOUNT) : -1;
	}
	if (bye)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_LATER,
			       "%s: the server ended the connection: %s", doing,
			       words);
	return err_set(e, ERR_REFUSED, ERR_MESSAGE, ERR_NEVER, "%s: %s", doing,
		       words);
}

/* A tagged BAD and an answer to another command share libetpan's code; what it
   forgot, talk.c has kept. */
static bool is_bad_answer(const struct imap_session *s)
{
	return s->talk->tagged_for == (unsigned)s->imap->imap_tag &&
	       !strncasecmp(s->talk->tagged.data, "BAD", 3);
}

static int fail_broken(struct imap_session *s, const char *doing, struct err *e)
{
	s->broken = true;
	if (s->talk->excess)
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "%s: the server broke the protocol: it sent %s",
			       doing, s->talk->excess);
	if (s->talk->bye.len)
		return imap_fail_text(s->talk->bye.data, doing, e);
	/* A dead stream says of what it died to whoever uses it. */
	if (stream_try_send(s->talk->stream, "", 0, e) < 0)
		return err_in(e, "%s", doing);
	return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NOW,
		       "%s: the server broke the protocol", doing);
}

int imap_fail(struct imap_session *s, int rc, const char *doing, struct err *e)
{
	const char *text = s->talk->tagged.data;

	switch (rc) {
	case MAILIMAP_ERROR_STREAM:
	case MAILIMAP_ERROR_PARSE:
	case MAILIMAP_ERROR_FATAL:
	case MAILIMAP_ERROR_DONT_ACCEPT_CONNECTION:
	case MAILIMAP_ERROR_NEEDS_MORE_DATA:
		return fail_broken(s, doing, e);
	case MAILIMAP_ERROR_PROTOCOL:
		if (!is_bad_answer(s))
			return fail_broken(s, doing, e);
		break;
	case MAILIMAP_ERROR_BAD_STATE:
	case MAILIMAP_ERROR_MEMORY:
	case MAILIMAP_ERROR_INVAL:
		s->broken = true;
		return err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_NEVER,
			       "%s: libetpan error %d", doing, rc);
	}
	/* A NO of the command, whichever it was. */
	if (!*text)
		text = s->imap->imap_response ? s->imap->imap_response : "NO";
	return imap_fail_text(text, doing, e);
}
