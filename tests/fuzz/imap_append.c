/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a server says while we APPEND:
   - one line of it parses to something inside the line, and UIDs that are believed are
     as many as were asked for, not 0, and rise;
   - the pipeline comes to an end, every batch comes back, every message has a result,
     and none is done unless the server said OK to one of our commands. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/date.h"
#include "core/base/spool.h"
#include "storage/imap/append.h"
#include "storage/imap/append_answer.h"
#include "storage/imap/stream_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { BATCHES = 2, MESSAGES = 5, SERVER_SAYS_MAX = 32 << 10 };

static void check_uids(const char *set, size_t len)
{
	uint32_t uids[MESSAGES];

	for (size_t n = 1; n <= MESSAGES; n++) {
		if (!append_answer_uids(set, len, uids, n))
			continue;
		for (size_t i = 0; i < n; i++)
			if (uids[i] <= (i ? uids[i - 1] : 0))
				abort();
	}
}

static void check_line(const char *line, size_t n)
{
	struct append_answer a;

	append_answer_parse(line, &a);
	if (a.text < line || a.text > line + n)
		abort();
	if (a.set && (a.set < line || a.set + a.set_len > line + n))
		abort();
	if (a.set && (a.kind != ANSWER_OK || !a.uidvalidity))
		abort();
	if (a.set)
		check_uids(a.set, a.set_len);
	check_uids(line, n);
}

static struct spool spools[MESSAGES];

static void make_spools(void)
{
	/* Small, empty, over LITERAL-'s bound, over what is gathered. */
	static const size_t sizes[MESSAGES] = { 3, 0, 5000, 40000, 1 };
	static char bytes[40000];
	struct err e;

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < MESSAGES; i++) {
		spool_init(&spools[i]);
		if (spool_add(&spools[i], bytes, sizes[i], &e) < 0)
			abort();
	}
}

/* Does any line say OK to a command of ours? */
static bool says_ok(const char *bytes, size_t n)
{
	for (size_t i = 0; i + 5 < n; i++) {
		size_t at = i + 1;

		if (bytes[i] != 'A')
			continue;
		while (at < n && bytes[at] >= '0' && bytes[at] <= '9')
			at++;
		if (at > i + 1 && n - at >= 3 &&
		    !strncasecmp(bytes + at, " OK", 3))
			return true;
	}
	return false;
}

static void reap_all(struct imap_append *a, size_t open)
{
	struct append_batch *b;
	struct err e;
	int got;

	for (unsigned rounds = 0;
	     (got = imap_append_reap(a, true, &b, &e)) != 0; rounds++) {
		open -= got > 0;
		if (rounds > 100)
			abort();
	}
	if (open)
		abort();
}

static void check_pipeline(unsigned caps, const char *bytes, size_t n)
{
	struct stream_options opt = { .host = "test", .timeout_ms = 1000 };
	struct imap_session s = { .caps = caps };
	struct append_item items[BATCHES][MESSAGES];
	struct append_batch batches[BATCHES];
	struct target_folder f = { .name = { .data = (char *)"x", .len = 1 },
				   .shown = { .data = (char *)"x", .len = 1 },
				   .permanent = FLAGS_INIT };
	struct imap_append *a;
	struct err e;
	int fds[2];

	if (n > SERVER_SAYS_MAX)
		n = SERVER_SAYS_MAX;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		abort();
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	if (write(fds[1], bytes, n) != (ssize_t)n)
		abort();
	shutdown(fds[1], SHUT_WR);
	s.stream = stream_from_fd(fds[0], &opt);
	a = imap_append_new(&s, NULL);
	for (size_t b = 0; b < BATCHES; b++) {
		for (size_t i = 0; i < MESSAGES; i++)
			items[b][i] = (struct append_item){
				.bytes = &spools[i],
				.size = spools[i].len,
				.date = DATE_NONE,
			};
		batches[b] = (struct append_batch){ .items = items[b],
						    .n = MESSAGES,
						    .folder = &f };
		imap_append_submit(a, &batches[b], &e);
	}
	reap_all(a, BATCHES);
	for (size_t b = 0; b < BATCHES; b++)
		for (size_t i = 0; i < MESSAGES; i++) {
			if (items[b][i].result == APPEND_WAITING)
				abort();
			if (items[b][i].result == APPEND_DONE &&
			    !says_ok(bytes, n))
				abort();
		}
	imap_append_free(a);
	stream_free(s.stream);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const unsigned mixes[] = {
		0,
		IMAP_CAP_LITERAL_PLUS,
		IMAP_CAP_LITERAL_MINUS,
		IMAP_CAP_MULTIAPPEND,
		IMAP_CAP_MULTIAPPEND | IMAP_CAP_LITERAL_PLUS,
		IMAP_CAP_MULTIAPPEND | IMAP_CAP_LITERAL_MINUS,
	};
	char *line;

	if (!spools[0].len)
		make_spools();
	if (!n)
		return 0;
	line = malloc(n);
	memcpy(line, data + 1, n - 1);
	line[n - 1] = '\0';
	check_line(line, strlen(line));
	check_pipeline(mixes[data[0] % (sizeof(mixes) / sizeof(mixes[0]))],
		       (const char *)data + 1, n - 1);
	free(line);
	return 0;
}
