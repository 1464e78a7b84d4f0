/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which entries of an account's directory are folders: as Thunderbird discovers
   them (nsMsgBrkMBoxStore::DiscoverChildFolders and nsShouldIgnoreFile;
   formats.md section 2.3), and those that it does not find again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "importers/mork.h"
#include "importers/thunderbird_paths.h"
#include "importers/thunderbird_place.h"

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcasecmp(s + n - m, end);
}

static bool is_maildir(const struct tb_place *at, const char *name)
{
	char *cur = tb_path_joined(at->dir, name, "/cur");
	bool is = tb_path_is(at->w, "", cur, S_IFDIR);

	free(cur);
	return is;
}

static bool has_summary(const struct tb_place *at, const char *name)
{
	return tb_place_companion(at, name, ".msf", 'f') != SIZE_MAX;
}

/* --- files --- */

enum content { EMPTY, MBOX, MORK, OTHER };

static enum content content_of(const char *bytes, size_t n)
{
	if (!n)
		return EMPTY;
	if (mork_begins(bytes, n))
		return MORK;
	if (n >= 5 && !memcmp(bytes, "From ", 5))
		return MBOX;
	/* Blank lines, a byte order mark or debris in front of the first
	   message: Thunderbird shows such a folder empty, but the mail is
	   there. */
	return memmem(bytes, n, "\nFrom ", 6) ? MBOX : OTHER;
}

static enum content look_into(const struct tb_place *at, const char *name)
{
	char *rel = tb_path_joined(at->dir, name, ""), bytes[4096];
	bool known = at->opt && at->opt->known_folder &&
		     at->opt->known_folder(at->opt->known_ctx, rel);
	struct err e = ERR_INIT;
	int fd = known ? -1 : walk_file(at->w, rel, NULL, &e);
	ssize_t got = 0;

	free(rel);
	if (fd < 0)
		return MBOX; /* as before, or opening it for its messages says
				why not */
	do
		got = read(fd, bytes, sizeof(bytes));
	while (got < 0 && errno == EINTR);
	close(fd);
	return got < 0 ? MBOX : content_of(bytes, (size_t)got);
}

/* nsShouldIgnoreFile: not folders, whatever they hold. */
static bool is_ignored(const char *name)
{
	static const char *const names[] = {
		"msgfilterrules.dat", "rules.dat",	 "filterlog.html",
		"junklog.html",	      "rulesbackup.dat", "popstate.dat",
		"sort.dat",	      "mailfilt.log",	 "filters.js",
		"feeds.rdf",	      "feeditems.rdf",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return !strncasecmp(name, "feeds.json", 10) ||
	       !strncasecmp(name, "feeditems.json", 14) ||
	       !strncasecmp(name, "feeditems_error", 15) ||
	       ends_in(name, ".snm") || ends_in(name, ".toc") ||
	       ends_in(name, ".mozmsgs");
}

static bool is_backup_name(const char *name)
{
	return name[0] == '.' || name[0] == '#' ||
	       name[strlen(name) - 1] == '~';
}

/* X.msf: the summary of X, or a folder called so. */
static enum tb_found judge_summary(const struct tb_place *at, const char *name)
{
	char *base = mem_strndup(name, strlen(name) - 4);
	bool of_base = tb_place_find_like(at, base) != SIZE_MAX;

	free(base);
	if ((of_base && !has_summary(at, name)) ||
	    look_into(at, name) != MBOX) {
		if (!of_base && at->account->remote)
			++*at->indexes_only;
		return TB_NOT_A_FOLDER;
	}
	return TB_LOST;
}

static enum tb_found judge_file(const struct tb_place *at, const char *name)
{
	enum content content;

	if (is_ignored(name))
		return TB_NOT_A_FOLDER;
	if (ends_in(name, ".msf"))
		return judge_summary(at, name);
	if (ends_in(name, ".sbd"))
		return look_into(at, name) == MBOX ? TB_LOST : TB_NOT_A_FOLDER;
	if (is_backup_name(name)) {
		if (look_into(at, name) == MBOX)
			tb_place_tell(at, name,
				      "looks like mail, but Thunderbird takes "
				      "no file of such a name for a folder; "
				      "left out");
		return TB_NOT_A_FOLDER;
	}
	content = has_summary(at, name) && !strcasestr(name, ".msf")
			  ? MBOX
			  : look_into(at, name);
	if (content == OTHER)
		tb_place_tell(at, name, "not an mbox; left out");
	/* MORK: foo.msf.bak, of which Thunderbird made a folder of its own */
	if (content == OTHER || content == MORK)
		return TB_NOT_A_FOLDER;
	/* A file that compacting left behind: whole or not, it is mail. */
	return strncmp(name, "nstmp", 5) ? TB_SHOWN : TB_LOST;
}

/* --- directories --- */

static bool holds_anything(const struct tb_place *at, const char *rel)
{
	struct walk_dir d;
	struct err e = ERR_INIT;
	bool holds;

	if (walk_list(at->w, rel, &d, &e) < 0)
		return false;
	holds = d.n > 0;
	walk_dir_free(&d);
	return holds;
}

/* Thunderbird passes over directories that are no folders; so do we, aloud.
   What it compacts it writes anew in .compact-temp, and the old file stays
   until that is done. */
static void judge_other(const struct tb_place *at, const char *name)
{
	char *rel = tb_path_joined(at->dir, name, "");

	if (!strcmp(name, ".compact-temp") && holds_anything(at, rel))
		tb_place_tell(at, name,
			      "left over from compacting folders, which are as "
			      "they were; left out");
	else if (name[0] == '.' || !strcmp(name, "cur") ||
		 !strcmp(name, "tmp") || !strcmp(name, "new"))
		; /* hidden, or of a Maildir that is also called X.sbd */
	else if (tb_looks_like_account(at->w, rel))
		remark_add(at->r,
			   "%s holds folders, but is none itself; to migrate "
			   "them, give thunderbird:%s/%s as a source",
			   rel, walk_root(at->w), rel);
	else if (holds_anything(at, rel))
		tb_place_tell(at, name,
			      "a directory that is not Thunderbird's; if there "
			      "is mail in it, give it as a source");
	free(rel);
}

/* new/ is of other programs, and Thunderbird does not look there. */
static void judge_new(const struct tb_place *at, const char *name)
{
	char *rel = tb_path_joined(at->dir, name, "/new");

	if (tb_path_is(at->w, "", rel, S_IFDIR) && holds_anything(at, rel))
		remark_add(
			at->r,
			"%s holds files that Thunderbird does not read; left "
			"out",
			rel);
	free(rel);
}

static enum tb_found judge_directory(const struct tb_place *at,
				     const char *name)
{
	if (ends_in(name, ".mozmsgs"))
		return TB_NOT_A_FOLDER;
	if (!is_maildir(at, name)) {
		if (!ends_in(name, ".sbd"))
			judge_other(at, name);
		return TB_NOT_A_FOLDER;
	}
	judge_new(at, name);
	return ends_in(name, ".msf") || ends_in(name, ".sbd") ||
			       is_backup_name(name)
		       ? TB_LOST
		       : TB_SHOWN;
}

enum tb_found tb_place_judge(const struct tb_place *at,
			     const struct walk_entry *entry)
{
	switch (entry->kind) {
	case 'f':
		return judge_file(at, entry->name);
	case 'd':
		return judge_directory(at, entry->name);
	case 'l':
		tb_place_tell(at, entry->name, "a symbolic link, not followed");
		return TB_NOT_A_FOLDER;
	default:
		return TB_NOT_A_FOLDER;
	}
}
