/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_CMD_CMD_H
#define MAILHAUL_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libintl.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/engine.h"
#include "core/folder_map.h"
#include "core/source.h"
#include "core/target_url.h"
#include "storage/imap/account.h"
#include "storage/ledger/ledger.h"

#define _(text) gettext(text)
/* For tables: extracted here, translated where it is printed. */
#define N_(text) text

/* The published exit statuses (docs: README, --help). */
enum {
	EXIT_ALL_DONE = 0,
	EXIT_SOME_LEFT = 1,
	EXIT_USAGE = 64,
	EXIT_SOURCE = 66,
	EXIT_UNREACHABLE = 69,
	EXIT_CRASHED = 70, /* mailhaul itself, or a library below it, crashed */
	EXIT_LEDGER = 73,
	EXIT_TRY_AGAIN = 75,
	EXIT_PROTOCOL = 76,
	EXIT_AUTH = 77,
	EXIT_CONFIG = 78,
	EXIT_QUOTA = 79,
	EXIT_INTERRUPTED = 130,
};
int exit_status(const struct err *e);

/* What a command line says. Strings are argv's or the environment's. */
struct options {
	const char *ledger;
	bool json, quiet, dry_run, plaintext, full, missing, help;
	bool list_accounts, explain_splits;
	char **accounts; /* only these; ended by NULL; NULL: all */
	int verbose;
	unsigned connections;
	unsigned timeout;    /* seconds; 0: the usual one */
	unsigned compress;   /* enum imap_compress */
	unsigned on_refused; /* enum on_refused */
	bool encode_headers;
	uint64_t daily_limit; /* bytes; 0: none */
	const struct preset *preset;
	bool no_preset;
	const char *password_command, *password_file, *token_command;
	const char *auth_user, *ca_file;
	int64_t since, until;
	struct folder_map *map;
	struct importer_options import;

	char **args; /* what is no option */
	int n_args;
};

/* What a command needs; main() sees to it before the command runs. */
enum {
	NEED_SOURCES = 1 << 0,
	NEED_TARGET = 1 << 1,
	MAY_TARGET = 1 << 2,
	TALKS = 1 << 3, /* to a server: in a process of its own, child.c */
};

/* Everything main() opened for a command. */
struct call {
	struct options opt;
	struct sources sources;
	struct target_url target; /* user NULL if none was given */
	char *target_name;	  /* user@host, or NULL */
	char *ledger_path;	  /* NULL if there is none to be had */
	struct secret password, token;
	struct imap_lessons lessons;
	struct target *ready_target; /* opened ahead, see open_ahead() */
};

struct preset;

struct command {
	const char *name;
	unsigned needs;
	/* Returns the exit status; e is filled in when it is that of an error. */
	int (*run)(struct call *c, struct err *e);
	const char *usage, *summary;
	const char *options; /* letters and names it takes: see options.c */
	const char *help;    /* more lines, or NULL */
};

int cmd_scan(struct call *c, struct err *e);
int cmd_migrate(struct call *c, struct err *e);
int cmd_status(struct call *c, struct err *e);
int cmd_verify(struct call *c, struct err *e);

/* Parse argv behind the command's name. ERR_USAGE. */
int options_parse(int argc, char **argv, const struct command *cmd,
		  struct options *o, struct err *e);
void options_free(struct options *o);
/* The lines of --help about the options of cmd. */
void options_help(const struct command *cmd);

/* Where ledgers live: $XDG_STATE_HOME/mailhaul; freed by the caller. */
char *ledger_folder_path(void);
/* Connect with what the options say; asks on the terminal for a password if nothing
   else gives one. Fits engine_options.open_target; ctx is the struct call. */
int open_target(void *ctx, struct target **t_r, struct err *e);
/* Where the ledger does not exist yet, connect before it is made, so that a wrong
   password leaves nothing behind. */
int open_ahead(struct call *c, struct err *e);

/* Run cmd in a child, and in another one when that crashed, RETRY_ATTEMPTS times in a
   row at most if nothing was uploaded between. Returns the exit status, in the parent
   and, earlier, in each child: there all was done that cmd->run does. Without a process
   to be had cmd runs in this one. */
int child_run(const struct command *cmd, struct call *c, struct err *e);
/* For cmd->run; harmless where there is no child. The password is found, and not asked
   for again by a later child. */
void child_keep_password(const struct secret *s);
/* So many messages were uploaded by this process. */
void child_uploaded(uint64_t n);
/* Call it once, when the ledger is open: is its last run that of a child before this
   one, to be continued? */
bool child_takes_over(struct ledger *led);

/* 1 after the first SIGINT or SIGTERM; the second ends the process. */
extern volatile sig_atomic_t stop_requested;

#endif
