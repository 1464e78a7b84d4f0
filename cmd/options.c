/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: one table, from which both parsing and --help are made. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/base/date.h"
#include "storage/imap/preset.h"

enum option_id {
	OPT_HELP = 256,
	OPT_LEDGER,
	OPT_JSON,
	OPT_PASSWORD_COMMAND,
	OPT_PASSWORD_FILE,
	OPT_TOKEN_COMMAND,
	OPT_AUTH_USER,
	OPT_CA_FILE,
	OPT_PLAINTEXT,
	OPT_MAP,
	OPT_UNDER,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_INCLUDE,
	OPT_EXCLUDE,
	OPT_IMAP_COPIES,
	OPT_ACCOUNTS,
	OPT_EXPLAIN_SPLITS,
	OPT_FULL,
	OPT_MISSING,
	OPT_COMPRESS,
	OPT_TIMEOUT,
	OPT_PRESET,
	OPT_ON_REFUSED,
	OPT_ENCODE_HEADERS,
	OPT_DAILY_LIMIT,
};

/* group: which commands take it; a command names its groups. */
static const struct option_row {
	char group;
	int id;
	const char *name, *arg, *help;
} rows[] = {
	{ '*', OPT_LEDGER, "ledger", "FILE",
	  N_("the ledger; default $XDG_STATE_HOME/mailhaul/USER@HOST.db") },
	{ '*', OPT_JSON, "json", NULL,
	  N_("one JSON object a line; the last one is the summary") },
	{ '*', 'q', "quiet", NULL, N_("nothing but errors") },
	{ '*', 'v', "verbose", NULL,
	  N_("say more; twice: also the conversation") },
	{ '*', OPT_HELP, "help", NULL, N_("this text") },
	{ 'm', 'n', "dry-run", NULL,
	  N_("say what would be done; no server is asked") },
	{ 's', OPT_MAP, "map", "SRC=DST",
	  N_("mail of folder SRC goes to DST (may be repeated)") },
	{ 's', OPT_UNDER, "under", "FOLDER",
	  N_("put everything below FOLDER") },
	{ 's', OPT_INCLUDE, "include", "GLOB",
	  N_("only folders like GLOB (may be repeated)") },
	{ 's', OPT_EXCLUDE, "exclude", "GLOB", N_("no folders like GLOB") },
	{ 's', OPT_SINCE, "since", "DATE",
	  N_("only messages from DATE on (ISO 8601)") },
	{ 's', OPT_UNTIL, "until", "DATE",
	  N_("only messages up to DATE; a day counts whole") },
	{ 's', OPT_ACCOUNTS, "accounts", "[=NAME,...]",
	  N_("only mail of these accounts; without NAME: list them") },
	{ 's', OPT_IMAP_COPIES, "imap-copies", NULL,
	  N_("also what clients keep of IMAP accounts: the server has it") },
	{ 'x', OPT_EXPLAIN_SPLITS, "explain-splits", NULL,
	  N_("name every line of an mbox that may or may not separate mail") },
	{ 'c', 'j', "connections", "N",
	  N_("connections to the server, at most") },
	{ 'c', OPT_COMPRESS, "compress", "WHEN",
	  N_("compress the connection: auto (when it pays), on, off") },
	{ 'c', OPT_TIMEOUT, "timeout", "SECONDS",
	  N_("give up on a silent server after SECONDS (300)") },
	{ 'c', OPT_PRESET, "preset", "NAME",
	  N_("what is known of the provider NAME; none: nothing") },
	{ 'm', OPT_DAILY_LIMIT, "daily-limit", "SIZE",
	  N_("send at most SIZE (450M) in any 24 hours, then end with 75") },
	{ 'm', OPT_ON_REFUSED, "on-refused", "HOW",
	  N_("refused messages: report them, or repair and try again") },
	{ 'm', OPT_ENCODE_HEADERS, "encode-headers", NULL,
	  N_("encode raw 8-bit headers where the server would damage them") },
	{ 'c', OPT_PASSWORD_FILE, "password-file", "FILE",
	  N_("the password is FILE's first line") },
	{ 'c', OPT_PASSWORD_COMMAND, "password-command", "CMD",
	  N_("the password is what CMD prints") },
	{ 'c', OPT_TOKEN_COMMAND, "token-command", "CMD",
	  N_("an OAuth 2.0 access token is what CMD prints") },
	{ 'c', OPT_AUTH_USER, "auth-user", "NAME",
	  N_("log in as NAME on behalf of USER") },
	{ 'c', OPT_CA_FILE, "ca-file", "FILE",
	  N_("trust the authorities in FILE (PEM) instead of the system's") },
	{ 'c', OPT_PLAINTEXT, "plaintext", NULL,
	  N_("no TLS with imap://; to a loopback address only") },
	{ 'f', OPT_FULL, "full", NULL,
	  N_("fetch every message and compare its bytes' digest") },
	{ 'l', OPT_MISSING, "missing", NULL,
	  N_("list every message that is not on the server, and why") },
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool takes(const struct command *cmd, const struct option_row *row)
{
	return row->group == '*' || strchr(cmd->options, row->group);
}

void options_help(const struct command *cmd)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[64], letter[8] = "    ";

		if (!takes(cmd, &rows[i]))
			continue;
		if (rows[i].id < 256)
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].id);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows[i].name,
			 rows[i].arg && rows[i].arg[0] != '[' ? " " : "",
			 rows[i].arg ? rows[i].arg : "");
		printf("  %-28s  %s\n", left, _(rows[i].help));
	}
}

static int usage(struct err *e, const struct command *cmd, const char *what)
{
	return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
		       "%s; see mailhaul %s --help", what, cmd->name);
}

static int set_date(int64_t *date_r, const char *text, bool whole_day,
		    const char *option, struct err *e)
{
	*date_r = date_parse_iso(text);
	if (*date_r == DATE_NONE)
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "--%s %s: no ISO 8601 date such as 2024-03-01",
			       option, text);
	if (whole_day && !strchr(text, 'T'))
		*date_r += 24 * 60 * 60;
	return 0;
}

static int set_number(unsigned *n_r, const char *text, const char *option,
		      unsigned most, struct err *e)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || !n || n > most)
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "%s %s: a number from 1 to %u is needed", option,
			       text, most);
	*n_r = (unsigned)n;
	return 0;
}

/* "450M": K, M, G and T are powers of 1,024. */
static int set_size(uint64_t *size_r, const char *text, const char *option,
		    struct err *e)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned shift = 0;
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit)
		shift = 10 * (unsigned)(unit - units + 1);
	if (unit && end[1] != '\0' && strcmp(end + 1, "B") &&
	    strcmp(end + 1, "iB"))
		unit = NULL;
	if (errno || !isdigit((unsigned char)*text) || (*end && !unit) || !n ||
	    n > UINT64_MAX >> (shift + 1))
		return err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
			       "%s %s: a size such as 450M is needed", option,
			       text);
	*size_r = n << shift;
	return 0;
}

/* One of the words of a list that ends with NULL; its place. */
static int set_word(unsigned *nth_r, const char *text, const char *option,
		    const char *const *words, struct err *e)
{
	struct buf list = BUF_INIT;

	for (unsigned i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*nth_r = i;
			buf_free(&list);
			return 0;
		}
		buf_addf(&list, "%s%s", i ? ", " : "", words[i]);
	}
	err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
		"%s %.60s: one of %s is needed", option, text, list.data);
	buf_free(&list);
	return -1;
}

/* The names of the presets, for the error. */
static int set_preset(struct options *o, const char *name, struct err *e)
{
	struct buf list = BUF_INIT;
	const struct preset *p;

	o->no_preset = !strcmp(name, "none");
	o->preset = o->no_preset ? NULL : preset_by_name(name);
	if (o->no_preset || o->preset)
		return 0;
	for (size_t i = 0; (p = preset_nth(i)); i++)
		buf_addf(&list, "%s, ", p->name);
	err_set(e, ERR_USAGE, ERR_RUN, ERR_NEVER,
		"--preset %.60s: not known; there are %snone", name, list.data);
	buf_free(&list);
	return -1;
}

/* In the order of enum imap_compress and of enum on_refused. */
static const char *const compress_words[] = { "auto", "on", "off", NULL };
static const char *const refused_words[] = { "report", "repair", NULL };

/* "a,b": to those of before. Without a value they are to be listed. */
static void add_accounts(struct options *o, const char *arg)
{
	size_t n = 0;

	if (!arg) {
		o->list_accounts = true;
		return;
	}
	while (o->accounts && o->accounts[n])
		n++;
	while (*arg) {
		size_t len = strcspn(arg, ",");

		o->accounts = mem_realloc(o->accounts,
					  (n + 2) * sizeof(*o->accounts));
		o->accounts[n++] = mem_strndup(arg, len);
		o->accounts[n] = NULL;
		arg += len + (arg[len] == ',');
	}
}

static int apply(struct options *o, int id, const char *arg, struct err *e)
{
	switch (id) {
	case OPT_HELP:
		o->help = true;
		return 0;
	case OPT_LEDGER:
		o->ledger = arg;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose++;
		return 0;
	case 'n':
		o->dry_run = true;
		return 0;
	case 'j':
		return set_number(&o->connections, arg, "-j", 64, e);
	case OPT_TIMEOUT:
		return set_number(&o->timeout, arg, "--timeout", 86400, e);
	case OPT_COMPRESS:
		return set_word(&o->compress, arg, "--compress", compress_words,
				e);
	case OPT_ON_REFUSED:
		return set_word(&o->on_refused, arg, "--on-refused",
				refused_words, e);
	case OPT_ENCODE_HEADERS:
		o->encode_headers = true;
		return 0;
	case OPT_DAILY_LIMIT:
		return set_size(&o->daily_limit, arg, "--daily-limit", e);
	case OPT_PRESET:
		return set_preset(o, arg, e);
	case OPT_PASSWORD_COMMAND:
		o->password_command = arg;
		return 0;
	case OPT_PASSWORD_FILE:
		o->password_file = arg;
		return 0;
	case OPT_TOKEN_COMMAND:
		o->token_command = arg;
		return 0;
	case OPT_AUTH_USER:
		o->auth_user = arg;
		return 0;
	case OPT_CA_FILE:
		o->ca_file = arg;
		return 0;
	case OPT_PLAINTEXT:
		o->plaintext = true;
		return 0;
	case OPT_MAP:
		return folder_map_add(o->map, arg, e);
	case OPT_UNDER:
		folder_map_under(o->map, arg);
		return 0;
	case OPT_INCLUDE:
		folder_map_include(o->map, arg);
		return 0;
	case OPT_EXCLUDE:
		folder_map_exclude(o->map, arg);
		return 0;
	case OPT_SINCE:
		return set_date(&o->since, arg, false, "since", e);
	case OPT_UNTIL:
		return set_date(&o->until, arg, true, "until", e);
	case OPT_IMAP_COPIES:
		o->import.imap_copies = true;
		return 0;
	case OPT_ACCOUNTS:
		add_accounts(o, arg);
		return 0;
	case OPT_EXPLAIN_SPLITS:
		o->explain_splits = true;
		return 0;
	case OPT_FULL:
		o->full = true;
		return 0;
	case OPT_MISSING:
		o->missing = true;
		return 0;
	default:
		return err_set(e, ERR_OTHER, ERR_RUN, ERR_NEVER,
			       "option %d has no meaning", id);
	}
}

static int how_much(const char *arg)
{
	if (!arg)
		return no_argument;
	return *arg == '[' ? optional_argument : required_argument;
}

/* getopt's own tables, made of ours. */
static void make_tables(const struct command *cmd, struct option *longs,
			char *shorts)
{
	size_t n = 0;

	*shorts++ = ':';
	for (size_t i = 0; i < N_ROWS; i++) {
		if (!takes(cmd, &rows[i]))
			continue;
		longs[n++] = (struct option){
			.name = rows[i].name,
			.has_arg = how_much(rows[i].arg),
			.val = rows[i].id,
		};
		if (rows[i].id >= 256)
			continue;
		*shorts++ = (char)rows[i].id;
		if (rows[i].arg)
			*shorts++ = ':';
	}
	longs[n] = (struct option){ .name = NULL };
	*shorts = '\0';
}

static int bad_option(char **argv, int id, const struct command *cmd,
		      struct err *e)
{
	char what[160];

	if (id == ':')
		snprintf(what, sizeof(what), "%.100s needs a value",
			 argv[optind - 1]);
	else if (optopt && optopt < 256)
		snprintf(what, sizeof(what), "-%c: no such option here",
			 optopt);
	else
		snprintf(what, sizeof(what), "%.*s: no such option here",
			 (int)strcspn(argv[optind - 1], "=") > 100
				 ? 100
				 : (int)strcspn(argv[optind - 1], "="),
			 argv[optind - 1]);
	return usage(e, cmd, what);
}

int options_parse(int argc, char **argv, const struct command *cmd,
		  struct options *o, struct err *e)
{
	struct option longs[N_ROWS + 1];
	char shorts[2 * N_ROWS + 2];
	int id;

	*o = (struct options){ .since = DATE_NONE, .until = DATE_NONE };
	o->map = folder_map_new();
	make_tables(cmd, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (id == '?' || id == ':')
			return bad_option(argv, id, cmd, e);
		if (apply(o, id, optarg, e) < 0)
			return -1;
	}
	o->args = argv + optind;
	o->n_args = argc - optind;
	if (o->token_command && (o->password_command || o->password_file))
		return usage(e, cmd, "--token-command goes without a password");
	if (o->password_command && o->password_file)
		return usage(e, cmd,
			     "one of --password-command and "
			     "--password-file is enough");
	if (o->since != DATE_NONE && o->until != DATE_NONE &&
	    o->since >= o->until)
		return usage(e, cmd, "--since lies behind --until");
	return 0;
}

void options_free(struct options *o)
{
	folder_map_free(o->map);
	o->map = NULL;
	for (size_t i = 0; o->accounts && o->accounts[i]; i++)
		free(o->accounts[i]);
	free(o->accounts);
	o->accounts = NULL;
}
