/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection from the socket to the authenticated state, and out again.

   E1  Nothing that was said before TLS is believed after it: a plain PREAUTH is
       refused (RFC 9051 section 7.1.4), STARTTLS begins with empty buffers, and
       the capabilities are asked anew (after TLS and after login; lists in
       greetings and in OK answers are not relied on, for the same reason).
   E2  Without TLS only a loopback address gets a password.
   E3  A string goes to the server only when it holds no CR, LF or NUL.
   E4  Who the server says it is (said) changes what is told to people and how
       fast we go, and whether LOGIN is the way in; never whom we trust. */
#include "storage/imap/session.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "storage/imap/internal.h"
#include "storage/imap/name.h"
#include "storage/imap/preset.h"
#include "storage/imap/stream.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LOGOUT_MS = 3000 };

/* Not mailimap_custom_command: it puts a blank behind the line, which strict
   servers take for the beginning of one more argument. */
static int converse(mailimap *imap, const char *line)
{
	struct mailimap_response *response;
	int rc = mailimap_send_current_tag(imap);

	if (rc != MAILIMAP_NO_ERROR)
		return rc;
	if (mailstream_write(imap->imap_stream, line, strlen(line)) < 0 ||
	    mailstream_write(imap->imap_stream, "\r\n", 2) < 0 ||
	    mailstream_flush(imap->imap_stream) < 0 ||
	    !mailimap_read_line(imap))
		return MAILIMAP_ERROR_STREAM;
	rc = mailimap_parse_response(imap, &response);
	if (rc != MAILIMAP_NO_ERROR)
		return rc;
	if (response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state
		    ->rsp_type != MAILIMAP_RESP_COND_STATE_OK)
		rc = MAILIMAP_ERROR_CUSTOM_COMMAND;
	mailimap_response_free(response);
	return rc;
}

int imap_command(struct imap_session *s, const char *line, const char *doing,
		 struct err *e)
{
	int rc;

	if (s->broken)
		return err_set(e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NOW,
			       "%s: the connection was lost", doing);
	log_line(LOG_DETAIL, "imap: %s", doing);
	talk_begin(s);
	talk_reset(s->talk);
	rc = converse(s->imap, line);
	return rc == MAILIMAP_NO_ERROR ? 0 : imap_fail(s, rc, doing, e);
}

/* Who it is */

/* One more line of what it said; what is too much is cut off. */
static void note_said(struct imap_session *s, const char *text, size_t n)
{
	size_t left = IMAP_WHO_MAX - s->said.len;

	if (left <= 1)
		return;
	buf_add(&s->said, text, n < left - 1 ? n : left - 1);
	buf_add_char(&s->said, '\n');
}

/* What is known of it, from all that it has said so far. */
static void recognise(struct imap_session *s, const struct imap_options *opt)
{
	s->program = preset_by_words(s->said.data);
	if (opt->preset)
		s->preset = opt->preset;
	else if (opt->no_preset)
		s->preset = s->program = NULL;
	else
		s->preset = preset_by_host(opt->host);
	if (!s->preset)
		s->preset = s->program;
	s->changes = (s->preset ? s->preset->changes : 0) |
		     (s->program ? s->program->changes : 0);
}

static void settle_who(struct imap_session *s, const struct imap_options *opt)
{
	recognise(s, opt);
	if (s->preset && !s->append_limit)
		s->append_limit = s->preset->message_bytes;
	if (s->preset)
		log_line(LOG_DETAIL, "imap: this is %s%s%s", s->preset->title,
			 s->program && s->program != s->preset ? ", " : "",
			 s->program && s->program != s->preset
				 ? s->program->title
				 : "");
}

/* Capabilities */

static const struct {
	const char *name;
	unsigned bit;
} capabilities[] = {
	{ "MULTIAPPEND", IMAP_CAP_MULTIAPPEND },
	{ "LITERAL+", IMAP_CAP_LITERAL_PLUS },
	{ "LITERAL-", IMAP_CAP_LITERAL_MINUS },
	{ "UIDPLUS", IMAP_CAP_UIDPLUS },
	{ "NAMESPACE", IMAP_CAP_NAMESPACE },
	{ "SPECIAL-USE", IMAP_CAP_SPECIAL_USE },
	{ "CREATE-SPECIAL-USE", IMAP_CAP_CREATE_SPECIAL_USE },
	{ "QUOTA", IMAP_CAP_QUOTA },
	{ "BINARY", IMAP_CAP_BINARY },
	{ "COMPRESS=DEFLATE", IMAP_CAP_COMPRESS },
	{ "SASL-IR", IMAP_CAP_SASL_IR },
	{ "LOGINDISABLED", IMAP_CAP_LOGINDISABLED },
	{ "STARTTLS", IMAP_CAP_STARTTLS },
	{ "LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED },
	{ "ENABLE", IMAP_CAP_ENABLE },
	{ "ID", IMAP_CAP_ID },
}, mechanisms[] = {
	{ "PLAIN", IMAP_AUTH_PLAIN },
	{ "LOGIN", IMAP_AUTH_LOGIN },
	{ "SCRAM-SHA-1", IMAP_AUTH_SCRAM_SHA_1 },
	{ "SCRAM-SHA-256", IMAP_AUTH_SCRAM_SHA_256 },
	{ "XOAUTH2", IMAP_AUTH_XOAUTH2 },
	{ "OAUTHBEARER", IMAP_AUTH_OAUTHBEARER },
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void take_capability(struct imap_session *s, const char *name)
{
	static const char limit[] = "APPENDLIMIT=";
	size_t n = sizeof(limit) - 1;

	for (size_t i = 0; i < COUNT(capabilities); i++)
		if (!strcasecmp(name, capabilities[i].name))
			s->caps |= capabilities[i].bit;
	if (!strncasecmp(name, "AUTH=", 5))
		for (size_t i = 0; i < COUNT(mechanisms); i++)
			if (!strcasecmp(name + 5, mechanisms[i].name))
				s->talk->auths |= mechanisms[i].bit;
	if (!strncasecmp(name, limit, n) && name[n] >= '0' && name[n] <= '9')
		s->append_limit = strtoull(name + n, NULL, 10);
}

static void take_capabilities(struct imap_session *s,
			      const struct mailimap_capability_data *data)
{
	struct buf line = BUF_INIT;

	buf_add_str(&line, "CAPABILITY");
	for (clistiter *i = clist_begin(data->cap_list); i; i = clist_next(i)) {
		const struct mailimap_capability *c = clist_content(i);
		char name[300];

		if (c->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE)
			snprintf(name, sizeof(name), "AUTH=%s",
				 c->cap_data.cap_auth_type);
		else
			snprintf(name, sizeof(name), "%s",
				 c->cap_data.cap_name);
		take_capability(s, name);
		buf_addf(&line, " %s", name);
	}
	note_said(s, line.data, line.len);
	buf_free(&line);
}

/* Not mailimap_capability: it crashes when the answer holds no list. */
static int ask_capabilities(struct imap_session *s, struct err *e)
{
	struct mailimap_connection_info *info = s->imap->imap_connection_info;

	if (info->imap_capability)
		mailimap_capability_data_free(info->imap_capability);
	info->imap_capability = NULL;
	s->caps = s->talk->auths = 0;
	s->append_limit = 0;
	if (imap_command(s, "CAPABILITY", "CAPABILITY", e) < 0)
		return err_widen(e, ERR_ACCOUNT);
	if (!info->imap_capability) {
		s->broken = true;
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "the server does not say what it can do");
	}
	take_capabilities(s, info->imap_capability);
	return 0;
}

/* The way in */

/* Look at the greeting before libetpan does, which loses the words of a BYE. */
static int peek_greeting(struct imap_session *s, struct err *e)
{
	struct imap_talk *t = s->talk;
	struct buf line = BUF_INIT, again = BUF_INIT;
	int ret = -1;

	if (talk_line(t, &line, e) < 0)
		goto out;
	talk_note(t, line.data);
	if (t->bye.len) {
		imap_fail_text(t->bye.data, "connecting", e);
		goto out;
	}
	log_line(LOG_TRACE, "imap: < %s", line.data);
	if (strncasecmp(line.data, "* OK", 4) &&
	    strncasecmp(line.data, "* PREAUTH", 9)) {
		err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			"this is no IMAP server; it greets with: %.80s",
			line.data);
		goto out;
	}
	note_said(s, line.data, line.len);
	buf_add(&again, line.data, line.len);
	buf_add_str(&again, "\r\n");
	buf_add(&again, t->in.data + t->at, t->in.len - t->at);
	buf_free(&t->in);
	t->in = again;
	buf_init(&again);
	t->at = 0;
	ret = 0;
out:
	buf_free(&again);
	buf_free(&line);
	return ret;
}

static int greet(struct imap_session *s, struct err *e)
{
	int rc;

	s->imap = mailimap_new(0, NULL);
	if (!s->imap)
		abort();
	if (peek_greeting(s, e) < 0) {
		s->broken = true;
		return err_widen(e, ERR_ACCOUNT);
	}
	talk_reset(s->talk);
	rc = mailimap_connect(s->imap,
			      mailstream_new(talk_low(s->talk), 65536));
	if (rc == MAILIMAP_NO_ERROR_AUTHENTICATED ||
	    rc == MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
		return 0;
	return imap_fail(s, rc, "the greeting", e);
}

static bool is_preauth(const struct imap_session *s)
{
	return s->imap->imap_state == MAILIMAP_STATE_AUTHENTICATED;
}

static int start_tls(struct imap_session *s, struct err *e)
{
	struct imap_talk *t = s->talk;

	if (is_preauth(s))
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			       "the server lets us in without TLS (PREAUTH); "
			       "somebody may stand in between");
	if (ask_capabilities(s, e) < 0)
		return -1;
	if (!(s->caps & IMAP_CAP_STARTTLS))
		return err_set(
			e, ERR_UNREACHABLE, ERR_ACCOUNT, ERR_NEVER,
			"the server offers no STARTTLS; try imaps://, or "
			"somebody may stand in between");
	if (imap_command(s, "STARTTLS", "STARTTLS", e) < 0) {
		if (e->kind == ERR_REFUSED)
			e->kind = ERR_UNREACHABLE;
		return err_widen(e, ERR_ACCOUNT);
	}
	if (s->imap->imap_stream->read_buffer_len || t->at < t->in.len)
		return err_set(
			e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NEVER,
			"the server, or somebody in between, spoke after "
			"STARTTLS and before TLS");
	buf_reset(&s->said); /* E1 */
	return stream_start_tls(s->stream, e);
}

static int check_plaintext(const struct imap_session *s, struct err *e)
{
	if (stream_is_loopback(s->stream))
		return 0;
	return err_set(e, ERR_CONFIG, ERR_ACCOUNT, ERR_NEVER,
		       "plain text only to a loopback address");
}

static int secure(struct imap_session *s, const struct imap_options *opt,
		  struct err *e)
{
	switch (opt->security) {
	case IMAP_PLAINTEXT:
		return check_plaintext(s, e) < 0 ? -1 : greet(s, e);
	case IMAP_TLS:
		if (stream_start_tls(s->stream, e) < 0)
			return -1;
		return greet(s, e);
	case IMAP_STARTTLS:
		return greet(s, e) < 0 ? -1 : start_tls(s, e);
	}
	return err_set(e, ERR_OTHER, ERR_ACCOUNT, ERR_NEVER,
		       "no such security");
}

/* Providers ask who we are and do nothing with the answer; Courier says NO. Not
   through libetpan: it takes an answer that is not quite right for the end of
   the conversation, and this one is not worth that. */
static int say_who(struct imap_session *s, struct err *e)
{
	static const char line[] = "ID (\"name\" \"mailhaul\" \"version\" "
				   "\"" MAILHAUL_VERSION "\")";
	struct imap_ask ask;
	int got;

	if (!(s->caps & IMAP_CAP_ID))
		return 0;
	got = imap_ask_begin(&ask, s, line, "ID", e);
	while (got >= 0 && (got = imap_ask_next(&ask, e)) > 0)
		if (!strncasecmp(ask.line.data, "* ID ", 5))
			note_said(s, ask.line.data + 2, ask.line.len - 2);
	imap_ask_free(&ask);
	return s->broken ? -1 : 0;
}

static int enter(struct imap_session *s, const struct imap_options *opt,
		 struct err *e)
{
	if (secure(s, opt, e) < 0)
		return -1;
	log_line(LOG_DETAIL, "imap: %s, %s", opt->host,
		 stream_describe(s->stream));
	if (!is_preauth(s)) {
		if (ask_capabilities(s, e) < 0)
			return -1;
		recognise(s, opt);
		if (imap_login(s, opt, e) < 0)
			return -1;
	}
	if (ask_capabilities(s, e) < 0 || say_who(s, e) < 0)
		return -1;
	settle_who(s, opt);
	/* Cyrus goes on saying so after a login. */
	s->caps &= ~(unsigned)IMAP_CAP_LOGINDISABLED;
	return imap_namespace(s, e);
}

int imap_session_compress(struct imap_session *s, struct err *e)
{
	if (!(s->caps & IMAP_CAP_COMPRESS) || stream_is_deflated(s->stream))
		return 0;
	if (imap_command(s, "COMPRESS DEFLATE", "COMPRESS", e) < 0)
		return err_widen(e, ERR_ACCOUNT);
	/* What came with the OK, or before it, is no deflate. */
	if (s->imap->imap_stream->read_buffer_len ||
	    s->talk->at < s->talk->in.len) {
		s->broken = true;
		return err_set(e, ERR_PROTOCOL, ERR_ACCOUNT, ERR_NOW,
			       "the server spoke between COMPRESS and deflate");
	}
	if (stream_start_deflate(s->stream, e) < 0) {
		s->broken = true;
		return -1;
	}
	log_line(LOG_DETAIL, "imap: compressed");
	return 0;
}

int imap_session_open(const struct imap_options *opt, struct imap_session **s_r,
		      struct err *e)
{
	const struct stream_options so = {
		.host = opt->host,
		.port = opt->port		    ? opt->port
			: opt->security == IMAP_TLS ? 993
						    : 143,
		.ca_file = opt->ca_file,
		.connect_timeout_ms = opt->connect_timeout_ms,
		.timeout_ms = opt->timeout_ms,
		.loopback_only = opt->security == IMAP_PLAINTEXT,
	};
	struct imap_session *s = mem_zalloc(sizeof(*s));

	s->prefix = mem_strdup("");
	buf_init(&s->said);
	if (stream_connect(&so, &s->stream, e) < 0)
		goto fail;
	s->talk = talk_new(s->stream);
	if (enter(s, opt, e) < 0)
		goto fail;
	*s_r = s;
	return 0;

fail:
	imap_session_close(s);
	return -1;
}

/* And out again */

/* Say LOGOUT and wait a moment for the BYE: mailimap_logout would wait as long
   for a silent server as for any other answer. What happens here is no longer
   of interest to anybody. */
static void say_logout(struct imap_session *s)
{
	static const char bye[] = "Z LOGOUT\r\n";
	int64_t until = clock_ms() + LOGOUT_MS, left;
	int fd = mailstream_low_get_fd(s->talk->inner);
	struct err e;
	char bytes[512];
	ssize_t got;

	if (stream_try_send(s->stream, bye, sizeof(bye) - 1, &e) < 0)
		return;
	while ((left = until - clock_ms()) > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		got = stream_try_recv(s->stream, bytes, sizeof(bytes), &e);
		if (got < 0 || (!got && poll(&p, 1, (int)left) <= 0))
			return;
		if (got && memmem(bytes, (size_t)got, "Z OK", 4))
			return;
	}
}

void imap_session_close(struct imap_session *s)
{
	if (!s)
		return;
	if (s->imap && s->imap->imap_stream) {
		if (!s->broken)
			say_logout(s);
		/* Without a stream mailimap_free says no LOGOUT of its own. */
		mailstream_close(s->imap->imap_stream);
		s->imap->imap_stream = NULL;
		s->imap->imap_state = MAILIMAP_STATE_DISCONNECTED;
	} else {
		talk_free(s->talk);
		stream_free(s->stream);
	}
	if (s->imap)
		mailimap_free(s->imap);
	free(s->prefix);
	free(s->selected);
	buf_free(&s->said);
	free(s);
}

/* The selected mailbox */

static int select_folder(struct imap_session *s, const char *wire,
			 bool read_only, struct err *e)
{
	struct buf line = BUF_INIT, doing = BUF_INIT;
	struct mailimap_selection_info *info;
	int ret = -1;

	buf_addf(&line, "%s ", read_only ? "EXAMINE" : "SELECT");
	if (imap_name_quote(wire, &line, e) < 0)
		goto out;
	imap_name_show(wire, s->prefix, s->separator, &doing);
	free(s->selected);
	s->selected = NULL;
	info = mailimap_selection_info_new();
	if (!info)
		abort();
	if (s->imap->imap_selection_info)
		mailimap_selection_info_free(s->imap->imap_selection_info);
	s->imap->imap_selection_info = info;
	ret = imap_command(s, line.data, doing.data, e);
	if (ret < 0) {
		err_widen(e, ERR_FOLDER);
		goto out;
	}
	s->imap->imap_state = MAILIMAP_STATE_SELECTED;
	s->selected = mem_strdup(wire);
out:
	buf_free(&line);
	buf_free(&doing);
	return ret;
}

int imap_session_select(struct imap_session *s, const char *wire_name,
			bool read_only, struct err *e)
{
	const struct mailimap_selection_info *info =
		s->imap->imap_selection_info;

	if (!s->broken && s->selected && !strcmp(s->selected, wire_name) &&
	    (read_only || !info || info->sel_perm != MAILIMAP_MAILBOX_READONLY))
		return 0;
	return select_folder(s, wire_name, read_only, e);
}

int imap_session_reselect(struct imap_session *s, const char *wire_name,
			  struct err *e)
{
	return select_folder(s, wire_name, false, e);
}

void imap_session_forget_selected(struct imap_session *s)
{
	free(s->selected);
	s->selected = NULL;
}
