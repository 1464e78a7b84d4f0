/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_LEDGER_ROOM_H
#define MAILHAUL_TESTS_LEDGER_ROOM_H

#include "core/base/date.h"
#include "storage/ledger/query.h"
#include "tests/lib/check.h"

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the ledger's tests share: a folder to make a mess in, and short words
   for the long calls. */

static char room_dir[64];
static struct err room_err;

/* What must not fail; says why it did. */
#define OK(call) check_ok((call), __FILE__, __LINE__, #call)
static inline bool check_ok(int ret, const char *file, int line,
			    const char *what)
{
	check_report(ret >= 0, file, line, what);
	if (ret < 0)
		printf("  %s\n", room_err.text);
	return ret >= 0;
}
/* What must fail like this, saying this. */
#define FAILS(call, want_kind, text)                                           \
	check_fails((call), want_kind, text, __FILE__, __LINE__, #call)
static inline void check_fails(int ret, enum err_kind kind, const char *text,
			       const char *file, int line, const char *what)
{
	bool as_wanted =
		ret < 0 && room_err.kind == kind && strstr(room_err.text, text);

	check_report(as_wanted, file, line, what);
	if (!as_wanted)
		printf("  returned %d, kind %d: %s\n", ret, (int)room_err.kind,
		       room_err.text);
}

static inline void room_make(void)
{
	snprintf(room_dir, sizeof(room_dir), "/tmp/mailhaul-ledger-XXXXXX");
	if (!mkdtemp(room_dir)) {
		perror(room_dir);
		exit(1);
	}
}

static inline int remove_one(const char *path, const struct stat *st, int kind,
			     struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline void room_remove(void)
{
	nftw(room_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the room; good until the eighth call from here. */
static inline const char *in_room(const char *name)
{
	static char paths[8][512];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", room_dir, name);
	return path;
}

static inline bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static inline unsigned files_in_room(void)
{
	unsigned n = 0;
	struct dirent *d;
	DIR *all = opendir(room_dir);

	while (all && (d = readdir(all)))
		n += d->d_name[0] != '.';
	if (all)
		closedir(all);
	return n;
}

/* The whole file, for the caller to free. */
static inline char *file_bytes(const char *path, size_t *n_r)
{
	FILE *f = fopen(path, "rb");
	char *bytes = NULL;
	long n = -1;

	if (f && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0) {
		rewind(f);
		bytes = malloc((size_t)n + 1);
		if (bytes && fread(bytes, 1, (size_t)n, f) != (size_t)n)
			n = -1;
	}
	if (f)
		fclose(f);
	if (!bytes || n < 0) {
		printf("cannot read %s\n", path);
		exit(1);
	}
	*n_r = (size_t)n;
	return bytes;
}

static inline void write_file(const char *path, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static inline struct ledger *
open_or_exit(const char *path, enum ledger_mode mode, const char *target)
{
	struct ledger *led = NULL;

	if (ledger_open(path, mode, target, &led, &room_err) < 0) {
		printf("not opened: %s\n", room_err.text);
		exit(1);
	}
	return led;
}

/* Two digests of nothing: equal numbers, equal digests. */
static inline struct digest digests(unsigned full, unsigned core)
{
	struct digest d;

	memset(&d, 0, sizeof(d));
	snprintf((char *)d.full, DIGEST_SIZE, "full %u", full);
	snprintf((char *)d.core, DIGEST_SIZE, "core %u", core);
	return d;
}

static inline int64_t plan(struct ledger *led, int64_t target_folder,
			   unsigned number, int64_t run)
{
	struct digest d = digests(number, number);
	char message_id[32], subject[32];
	struct ledger_about about = {
		.size = 1000 + number,
		.message_id = message_id,
		.subject = subject,
		.date = 1700000000,
	};
	int64_t id = 0;

	snprintf(message_id, sizeof(message_id), "m%u@example.org", number);
	snprintf(subject, sizeof(subject), "Letter %u", number);
	OK(ledger_plan(led, target_folder, &d, &about, run, &id, &room_err));
	return id;
}

static inline int64_t plan_done(struct ledger *led, int64_t target_folder,
				unsigned number, int64_t run)
{
	int64_t id = plan(led, target_folder, number, run);

	OK(ledger_intend(led, id, run, &room_err));
	OK(ledger_confirm(led, id, number, 7, run, &room_err));
	return id;
}

static inline void put(struct ledger *led, int64_t folder, const char *locator,
		       int64_t message, enum ledger_copy_state state,
		       int64_t run)
{
	struct ledger_copy_about about = {
		.locator = locator,
		.offset = 10,
		.length = 20,
		.size = 30,
		.message = message,
		.state = state,
		.subject = "From the copy",
		.date = DATE_NONE,
	};

	OK(ledger_copy_put(led, folder, run, &about, &room_err));
}

static inline int64_t new_run(struct ledger *led)
{
	int64_t run = 0;

	OK(ledger_begin_run(led, "migrate", 1700000000, &run, &room_err));
	return run;
}

static inline int64_t new_folder(struct ledger *led, const char *name,
				 int64_t run)
{
	struct ledger_folder f = { .id = 0 };
	int64_t source = 0;

	OK(ledger_source(led, "mbox", "/home/x/Mail", &source, &room_err));
	OK(ledger_folder(led, source, name, name, "", run, &f, &room_err));
	return f.id;
}

static inline int64_t new_target_folder(struct ledger *led, const char *key)
{
	struct ledger_target_folder f = { .id = 0 };

	OK(ledger_target_folder(led, key, key, &f, &room_err));
	return f.id;
}

#endif
