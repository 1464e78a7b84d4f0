/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes TARGET apart. */
#include "core/target_url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"

static int bad(struct err *e, const char *what)
{
	return err_set(
		e, ERR_USAGE, ERR_RUN, ERR_NEVER,
		"the target: %s; it is imaps://USER@HOST[:PORT][/FOLDER]",
		what);
}

bool target_url_is(const char *text)
{
	return !strncasecmp(text, "imaps://", 8) ||
	       !strncasecmp(text, "imap://", 7);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded into fresh memory; NULL when it is no clean UTF-8 text. */
static char *decode(const char *s, size_t n)
{
	struct buf out = BUF_INIT;
	bool clean = true;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			if (i + 2 >= n || hex(s[i + 1]) < 0 ||
			    hex(s[i + 2]) < 0) {
				clean = false;
				break;
			}
			c = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7F)
			clean = false;
		buf_add_char(&out, c);
	}
	if (!clean || !utf8_valid(out.data, out.len)) {
		buf_free(&out);
		return NULL;
	}
	return buf_detach(&out);
}

/* HOST or HOST:PORT or [ADDRESS]:PORT in s. */
static int parse_host(const char *s, size_t n, struct target_url *u,
		      struct err *e)
{
	const char *end = s + n, *host_end, *colon;

	if (n && *s == '[') {
		host_end = memchr(s, ']', n);
		if (!host_end)
			return bad(e, "a ']' is missing behind the address");
		u->host = mem_strndup(s + 1, (size_t)(host_end - s - 1));
		colon = host_end + 1;
	} else {
		colon = memchr(s, ':', n);
		if (!colon)
			colon = end;
		u->host = mem_strndup(s, (size_t)(colon - s));
	}
	if (!*u->host)
		return bad(e, "the host is missing");
	for (const char *p = u->host; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7F)
			return bad(e, "the host name holds a control character "
				      "or a blank");
	if (colon == end)
		return 0;
	if (*colon++ != ':' || colon == end || end - colon > 5)
		return bad(e, "the port is not a number");
	for (; colon < end; colon++) {
		if (!isdigit((unsigned char)*colon))
			return bad(e, "the port is not a number");
		u->port = u->port * 10 + (unsigned)(*colon - '0');
	}
	if (!u->port || u->port > 65535)
		return bad(e, "the port is not from 1 to 65535");
	return 0;
}

int target_url_parse(const char *text, struct target_url *u_r, struct err *e)
{
	struct target_url u = { .user = NULL };
	const char *rest, *slash, *at;
	int ret = -1;

	u.tls = !strncasecmp(text, "imaps://", 8);
	if (!target_url_is(text))
		return bad(e, "it does not begin with imaps:// or imap://");
	rest = text + (u.tls ? 8 : 7);
	slash = rest + strcspn(rest, "/");
	at = memrchr(rest, '@', (size_t)(slash - rest));
	if (!at) {
		bad(e, "USER@ is missing");
		goto out;
	}
	if (memchr(rest, ':', (size_t)(at - rest))) {
		bad(e, "it holds a password, which belongs into "
		       "--password-file, --password-command or the "
		       "environment (a ':' in the user name is %3A)");
		goto out;
	}
	u.user = decode(rest, (size_t)(at - rest));
	if (!u.user || !*u.user) {
		bad(e, "the user name is empty or not percent-encoded UTF-8");
		goto out;
	}
	if (parse_host(at + 1, (size_t)(slash - at - 1), &u, e) < 0)
		goto out;
	if (*slash == '/' && slash[1]) {
		u.prefix = decode(slash + 1, strlen(slash + 1));
		if (!u.prefix) {
			bad(e, "the folder is not percent-encoded UTF-8");
			goto out;
		}
	}
	*u_r = u;
	u = (struct target_url){ .user = NULL };
	ret = 0;
out:
	target_url_free(&u);
	return ret;
}

void target_url_free(struct target_url *u)
{
	free(u->user);
	free(u->host);
	free(u->prefix);
	*u = (struct target_url){ .user = NULL };
}
