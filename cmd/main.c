/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of commands, and what they need opened for them. */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/out.h"
#include "core/base/log.h"

static const struct command commands[] = {
	{ .name = "scan",
	  .needs = NEED_SOURCES,
	  .run = cmd_scan,
	  .options = "sx",
	  .usage = "mailhaul scan [OPTION]... SOURCE...",
	  .summary = N_("Say what is there; contacts no server."),
	  .help = N_(
		  "Given a directory or a whole disk it finds every mail store there, of every format,\n"
		  "and ends with a table of programs and accounts; --accounts makes that table without\n"
		  "reading mail.\n"
		  "Nothing is written anywhere, unless --ledger names a file: then what was read\n"
		  "is remembered there, and unchanged folders are not read again.\n"
		  "In the summary, \"uploaded\" is what migrate would send.") },
	{ .name = "migrate",
	  .needs = NEED_SOURCES | NEED_TARGET | TALKS,
	  .run = cmd_migrate,
	  .options = "scm",
	  .usage = "mailhaul migrate [OPTION]... SOURCE... TARGET",
	  .summary =
		  N_("Bring over everything not yet there; resumes by itself."),
	  .help = N_(
		  "Sources are only read. Run it again at any time: what is there is not sent again.\n"
		  "The first Ctrl-C lets the messages in flight arrive, the second leaves at once;\n"
		  "both are safe.") },
	{ .name = "status",
	  .needs = MAY_TARGET,
	  .run = cmd_status,
	  .options = "l",
	  .usage = "mailhaul status [OPTION]... [TARGET]",
	  .summary = N_(
		  "Say where things stand, from the ledger; contacts no server."),
	  .help = N_(
		  "Without TARGET and --ledger: every ledger in its usual place.") },
	{ .name = "verify",
	  .needs = NEED_TARGET | TALKS,
	  .run = cmd_verify,
	  .options = "cf",
	  .usage = "mailhaul verify [OPTION]... TARGET",
	  .summary = N_("Prove it: what is on the server against the ledger."),
	  .help = N_(
		  "Compares UIDs and Message-IDs; with --full the bytes of every message.") },
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void help_all(void)
{
	printf("%s\n\n",
	       _("mailhaul brings mail that POP clients downloaded home "
		 "to an IMAP mailbox:\nevery message once, byte for "
		 "byte, in its folder, with its flags and date."));
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  mailhaul %-8s  %s\n", commands[i].name,
		       _(commands[i].summary));
	printf("\n%s\n",
	       _("SOURCE  [FORMAT:]PATH, a mail store or a disk that has some; "
		 "FORMAT is usually\n"
		 "        found by itself: thunderbird, mbox, maildir, mh, eml, wlm "
		 "(Windows Live\n"
		 "        Mail), emlx (Apple Mail), becky, dbx and oembx (Outlook "
		 "Express), pst\n"
		 "TARGET  imaps://USER@HOST[:PORT][/FOLDER]; imap:// for "
		 "STARTTLS; USER is\n"
		 "        percent-encoded: taro%40example.jp\n"
		 "The password comes from --password-file, --password-command, "
		 "$MAILHAUL_PASSWORD,\n"
		 "or the terminal; never from the command line.\n\n"
		 "mailhaul COMMAND --help says more. A first run:\n\n"
		 "  mailhaul scan ~/.thunderbird\n"
		 "  mailhaul migrate ~/.thunderbird "
		 "imaps://taro%40example.jp@imap.example.jp"));
}

static void help_one(const struct command *cmd)
{
	printf("%s\n%s\n\n", cmd->usage, _(cmd->summary));
	options_help(cmd);
	if (cmd->help)
		printf("\n%s\n", _(cmd->help));
	printf("\n%s\n",
	       _("Exit status: 0 all is accounted for and on the server; 1 some "
		 "messages are not;\n"
		 "64 usage; 66 source unreadable; 69 server not reached or not "
		 "trusted; 70 mailhaul\n"
		 "itself, or a library below it, crashed; 73 ledger not "
		 "writable; 75 come back\n"
		 "later; 76 protocol broken; 77 not logged in; 78 bad "
		 "configuration; 79 over quota;\n"
		 "130 interrupted."));
}

int exit_status(const struct err *e)
{
	switch (e->kind) {
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_SOURCE:
		return EXIT_SOURCE;
	case ERR_UNREACHABLE:
		return EXIT_UNREACHABLE;
	case ERR_CRASHED:
		return EXIT_CRASHED;
	case ERR_LEDGER:
		return EXIT_LEDGER;
	case ERR_BUSY:
		return EXIT_TRY_AGAIN;
	case ERR_PROTOCOL:
		return EXIT_PROTOCOL;
	case ERR_AUTH:
		return EXIT_AUTH;
	case ERR_CONFIG:
		return EXIT_CONFIG;
	case ERR_QUOTA:
		return EXIT_QUOTA;
	case ERR_INTERRUPTED:
		return EXIT_INTERRUPTED;
	case ERR_OTHER:
	case ERR_REFUSED:
	case ERR_TOO_BIG:
	case ERR_NO_FOLDER:
		break;
	}
	return EXIT_SOME_LEFT;
}

volatile sig_atomic_t stop_requested;

static void on_signal(int sig)
{
	(void)sig;
	if (stop_requested)
		_exit(EXIT_INTERRUPTED);
	stop_requested = 1;
}

static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	/* A server that closes while we write is an error, not our end. */
	sigaction(SIGPIPE, &ignore, NULL);
}

static void log_to_stderr(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	fprintf(stderr, "mailhaul: %s%s\n",
		level == LOG_WARNING ? _("warning: ") : "", line);
}

static void set_log(const struct options *o)
{
	enum log_level least = LOG_WARNING;

	if (o->verbose == 1)
		least = LOG_INFO;
	else if (o->verbose == 2)
		least = LOG_DETAIL;
	else if (o->verbose > 2)
		least = LOG_TRACE;
	if (!o->quiet || o->verbose)
		log_to(log_to_stderr, NULL, least);
}

static int take_target(struct call *c, unsigned needs, int *n_args,
		       struct err *e)
{
	const char *last = *n_args ? c->opt.args[*n_args - 1] : NULL;
	struct buf name = BUF_INIT;

	if (!last || !target_url_is(last)) {
		if (!(needs & NEED_TARGET))
			return 0;
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "the last argument must be the TARGET, "
			       "imaps://USER@HOST[:PORT][/FOLDER]");
	}
	if (target_url_parse(last, &c->target, e) < 0)
		return -1;
	(*n_args)--;
	folder_map_root(c->opt.map, c->target.prefix);
	if (c->opt.plaintext && c->target.tls)
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "--plaintext goes with imap://, not imaps://");
	buf_addf(&name, "%s@%s", c->target.user, c->target.host);
	c->target_name = buf_detach(&name);
	return 0;
}

static int take_sources(struct call *c, int n_args, struct err *e)
{
	if (!n_args)
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "a SOURCE is missing: a mail folder, a profile, "
			       "or a disk to look for them on");
	for (int i = 0; i < n_args; i++) {
		if (target_url_is(c->opt.args[i]))
			return err_set(
				e, ERR_USAGE, ERR_RUN, ERR_NEVER,
				"a TARGET can only be the last argument");
		if (source_find(c->opt.args[i], &c->sources, e) < 0)
			return -1;
	}
	return 0;
}

/* USER@HOST as a file name: what could lead out of the folder is encoded. */
static void add_file_name(struct buf *out, const char *name)
{
	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == '%' || (p == name && *p == '.'))
			buf_addf(out, "%%%02X", (unsigned char)*p);
		else
			buf_add_char(out, *p);
}

static void choose_ledger(struct call *c)
{
	struct buf path = BUF_INIT;
	char *folder;

	if (c->opt.ledger) {
		c->ledger_path = mem_strdup(c->opt.ledger);
		return;
	}
	folder = ledger_folder_path();
	if (!c->target_name || !folder) {
		free(folder);
		return;
	}
	buf_addf(&path, "%s/", folder);
	add_file_name(&path, c->target_name);
	buf_add_str(&path, ".db");
	c->ledger_path = buf_detach(&path);
	free(folder);
}

static int run(const struct command *cmd, struct call *c, int argc, char **argv,
	       struct err *e)
{
	int n_args;

	if (options_parse(argc, argv, cmd, &c->opt, e) < 0)
		return exit_status(e);
	if (c->opt.help) {
		help_one(cmd);
		return EXIT_ALL_DONE;
	}
	set_log(&c->opt);
	n_args = c->opt.n_args;
	if (cmd->needs & (NEED_TARGET | MAY_TARGET) &&
	    take_target(c, cmd->needs, &n_args, e) < 0)
		return exit_status(e);
	choose_ledger(c);
	if (cmd->needs & NEED_SOURCES) {
		if (take_sources(c, n_args, e) < 0)
			return exit_status(e);
	} else if (n_args) {
		err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			"%.100s: %s takes no such argument", c->opt.args[0],
			cmd->name);
		return EXIT_USAGE;
	}
	if (cmd->needs & TALKS && !c->opt.dry_run)
		return child_run(cmd, c, e);
	return cmd->run(c, e);
}

static void call_free(struct call *c)
{
	sources_free(&c->sources);
	if (c->ready_target)
		c->ready_target->ops->close(c->ready_target);
	target_url_free(&c->target);
	free(c->target_name);
	free(c->ledger_path);
	secret_wipe(&c->password);
	secret_wipe(&c->token);
	options_free(&c->opt);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Pairs of what main() must not do after output has failed: a full disk behind
   "mailhaul status > file" is an error like any other. */
static int close_stdout(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "mailhaul: standard output: %s\n", strerror(errno));
	return status ? status : EXIT_SOME_LEFT;
}

/* Messages come and go in buffers of up to a megabyte; by default each over 128
   KiB would be mapped and unmapped by the kernel, page by page, every time. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

int main(int argc, char **argv)
{
	const struct command *cmd = NULL;
	struct call call = { .password = SECRET_INIT, .token = SECRET_INIT };
	struct err e = ERR_INIT;
	int status;

	keep_memory();
	setlocale(LC_ALL, "");
	bindtextdomain("mailhaul", MAILHAUL_LOCALEDIR);
	bind_textdomain_codeset("mailhaul", "UTF-8");
	textdomain("mailhaul");
	catch_signals();
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("mailhaul %s\n", MAILHAUL_VERSION);
		return close_stdout(EXIT_ALL_DONE);
	}
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		help_all();
		return close_stdout(EXIT_ALL_DONE);
	}
	if (argc > 1)
		cmd = find_command(argv[1]);
	if (!cmd) {
		err_set(&e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			argc > 1 ? "%.60s: no such command; mailhaul --help "
				   "lists them"
				 : "%sa command is missing; mailhaul --help "
				   "lists them",
			argc > 1 ? argv[1] : "");
		out_error(false, "", &e);
		return EXIT_USAGE;
	}
	status = run(cmd, &call, argc - 1, argv + 1, &e);
	if (status != EXIT_ALL_DONE && *e.text)
		out_error(call.opt.json, cmd->name, &e);
	call_free(&call);
	return close_stdout(status);
}
