/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How full the mailbox is: GETQUOTAROOT and its QUOTA lines (RFC 9208, RFC
   2087). Several roots can count for one mailbox, and in each several resources
   do; the one with the least room left is the one that matters.

   Only good news is lost when a line is passed over: what does not fit, the
   server refuses all the same. */
#include "storage/imap/internal.h"

#include <string.h>
#include <strings.h>

enum { STORAGE_UNIT = 1024 }; /* octets, RFC 9208 section 5.1 */

struct usage {
	char name[32]; /* of the resource; "" when it is longer */
	bool sane;     /* both numbers fit */
	uint64_t used, limit;
};

/* An astring, not looked into: a quota root may be called anything. */
static bool skip_root(const char **at)
{
	const char *p = *at;

	if (*p == '"') {
		for (p++; *p && *p != '"'; p++)
			if (*p == '\\' && !*++p)
				return false;
		if (*p++ != '"')
			return false;
	} else {
		p += strcspn(p, " ()\"{\\");
		if (p == *at)
			return false;
	}
	*at = p;
	return true;
}

/* Digits to their end; *sane_r stays true if they fit. */
static bool take_number(const char **at, uint64_t *n_r, bool *sane_r)
{
	const char *p = *at;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (n > ((uint64_t)INT64_MAX - digit) / 10) { /* number64 */
			*sane_r = false;
			n = 0;
		}
		n = n * 10 + digit;
	}
	if (p == *at)
		return false;
	*at = p;
	*n_r = n;
	return true;
}

static bool take_blank(const char **at)
{
	if (**at != ' ')
		return false;
	*at += strspn(*at, " ");
	return true;
}

/* "STORAGE 10 512" */
static bool take_usage(const char **at, struct usage *u)
{
	size_t n = strcspn(*at, " ()\"{\\");

	*u = (struct usage){ .sane = true };
	if (n < sizeof(u->name))
		memcpy(u->name, *at, n);
	*at += n;
	return n && take_blank(at) && take_number(at, &u->used, &u->sane) &&
	       take_blank(at) && take_number(at, &u->limit, &u->sane);
}

static uint64_t room(uint64_t used, uint64_t limit)
{
	return used < limit ? limit - used : 0;
}

static void tighten(bool *has, uint64_t *used, uint64_t *limit, uint64_t used2,
		    uint64_t limit2)
{
	if (*has && room(*used, *limit) <= room(used2, limit2))
		return;
	*has = true;
	*used = used2;
	*limit = limit2;
}

/* A limit of 0 is no limit on some servers, and a mailbox nothing goes into on
   others: unknown. */
static void count(struct target_quota *q, const struct usage *u)
{
	if (!u->sane || !u->limit)
		return;
	if (!strcasecmp(u->name, "STORAGE") &&
	    u->limit <= UINT64_MAX / STORAGE_UNIT &&
	    u->used <= UINT64_MAX / STORAGE_UNIT)
		tighten(&q->has_bytes, &q->bytes_used, &q->bytes_limit,
			u->used * STORAGE_UNIT, u->limit * STORAGE_UNIT);
	else if (!strcasecmp(u->name, "MESSAGE"))
		tighten(&q->has_messages, &q->messages_used, &q->messages_limit,
			u->used, u->limit);
}

void imap_quota_take(struct target_quota *q, const char *line)
{
	static const char word[] = "* QUOTA ";
	struct target_quota found = *q;
	struct usage u;

	if (strncasecmp(line, word, sizeof(word) - 1))
		return;
	line += sizeof(word) - 1;
	/* Courier names a root and no list when there is no limit. */
	if (!skip_root(&line) || !take_blank(&line) || *line++ != '(')
		return;
	line += strspn(line, " ");
	while (*line != ')') {
		if (!take_usage(&line, &u))
			return;
		count(&found, &u);
		if (*line != ')' && !take_blank(&line))
			return;
	}
	if (!line[1 + strspn(line + 1, " ")])
		*q = found;
}

int imap_quota(struct imap_target *it, struct target_quota *q_r, struct err *e)
{
	struct imap_session *s = it->s;
	struct imap_ask ask;
	int got;

	*q_r = (struct target_quota){ .has_bytes = false };
	if (!(s->caps & IMAP_CAP_QUOTA))
		return 0;
	got = imap_ask_begin(&ask, s, "GETQUOTAROOT INBOX", "GETQUOTAROOT", e);
	while (got >= 0 && (got = imap_ask_next(&ask, e)) > 0)
		imap_quota_take(q_r, ask.line.data);
	imap_ask_free(&ask);
	if (got < 0)
		*q_r = (struct target_quota){ .has_bytes = false };
	/* WildDuck offers QUOTA and says NO. */
	return s->broken ? -1 : 0;
}
