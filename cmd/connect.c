/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Getting into the account: secrets, and where the ledger lives. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/cmd.h"

char *ledger_folder_path(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	struct buf path = BUF_INIT;

	/* The XDG specification: relative paths are to be ignored. */
	if (state && *state == '/')
		buf_addf(&path, "%s/mailhaul", state);
	else if (home && *home == '/')
		buf_addf(&path, "%s/.local/state/mailhaul", home);
	else
		return NULL;
	return buf_detach(&path);
}

/* The question comes when nothing is echoed any more, and what was typed before
   is forgotten: who answers at once must not see the answer. */
static int ask_silently(int tty, const char *user, char *line, size_t room)
{
	struct termios old, silent;
	ssize_t got;

	if (tcgetattr(tty, &old) < 0)
		return -1;
	silent = old;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &silent);
	dprintf(tty, _("Password for %s: "), user);
	got = read(tty, line, room - 1);
	tcsetattr(tty, TCSAFLUSH, &old);
	if (write(tty, "\n", 1) < 0 || got < 0)
		return -1;
	line[got] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

static int ask(struct call *c, struct err *e)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char line[1024] = "";
	int ret;

	if (tty < 0)
		return err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
			       "no password: give --password-file, "
			       "--password-command or MAILHAUL_PASSWORD (there "
			       "is no terminal to ask on)");
	ret = ask_silently(tty, c->target_name, line, sizeof(line));
	close(tty);
	if (ret < 0)
		return err_set(e, ERR_AUTH, ERR_ACCOUNT, ERR_NEVER,
			       "the terminal gave no password: %s",
			       strerror(errno));
	ret = secret_set(&c->password, line, strlen(line), e);
	explicit_bzero(line, sizeof(line));
	return ret;
}

static int get_secret(struct call *c, struct err *e)
{
	const char *from_env = getenv("MAILHAUL_PASSWORD");

	if (c->opt.token_command) /* tokens expire: ask each time */
		return secret_from_command(&c->token, c->opt.token_command, e);
	if (c->password.bytes)
		return 0;
	if (c->opt.password_file)
		return secret_from_file(&c->password, c->opt.password_file, e);
	if (c->opt.password_command)
		return secret_from_command(&c->password,
					   c->opt.password_command, e);
	if (from_env)
		return secret_set(&c->password, from_env, strlen(from_env), e);
	return ask(c, e);
}

static enum imap_security security(const struct call *c)
{
	if (c->target.tls)
		return IMAP_TLS;
	return c->opt.plaintext ? IMAP_PLAINTEXT : IMAP_STARTTLS;
}

int open_target(void *ctx, struct target **t_r, struct err *e)
{
	struct call *c = ctx;
	struct imap_options o = {
		.host = c->target.host,
		.port = c->target.port,
		.security = security(c),
		.ca_file = c->opt.ca_file,
		.user = c->target.user,
		.auth_user = c->opt.auth_user,
		.prefix = c->target.prefix,
		.connections = c->opt.connections,
		.compress = (enum imap_compress)c->opt.compress,
		.lessons = &c->lessons,
		.preset = c->opt.preset,
		.no_preset = c->opt.no_preset,
		.timeout_ms = (int)c->opt.timeout * 1000,
	};

	if (c->ready_target) {
		*t_r = c->ready_target;
		c->ready_target = NULL;
		return 0;
	}
	if (get_secret(c, e) < 0)
		return -1;
	child_keep_password(&c->password);
	o.password = c->password.bytes ? &c->password : NULL;
	o.token = c->token.bytes ? &c->token : NULL;
	return imap_account_open(&o, t_r, e);
}

int open_ahead(struct call *c, struct err *e)
{
	if (access(c->ledger_path, F_OK) == 0)
		return 0;
	if (open_target(c, &c->ready_target, e) == 0)
		return 0;
	/* Cut while logging in: that may be chance, once. */
	return e->retry == ERR_NOW ? open_target(c, &c->ready_target, e) : -1;
}
