/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMAP_APPEND_SCRIPT_H
#define MAILHAUL_TESTS_IMAP_APPEND_SCRIPT_H

#include "core/base/date.h"
#include "core/base/spool.h"
#include "storage/imap/append.h"
#include "storage/imap/stream_internal.h"
#include "tests/lib/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* What tests of the append pipeline share: a scripted server in a thread, a session
   at the other end of a socket pair, and mail to send. */

enum {
	M = IMAP_CAP_MULTIAPPEND,
	P = IMAP_CAP_LITERAL_PLUS,
	MINUS = IMAP_CAP_LITERAL_MINUS,
	B = IMAP_CAP_BINARY,
	PATIENT_MS = 60 * 1000,
};

/* One turn of the server: first it waits for exactly these bytes, then it talks. In
   both, "@x20;" stands for 20 times x. */
struct step {
	const char *hear, *say;
};

/* The server, in a thread of its own. */
struct server {
	int fd;
	const struct step *steps;
	bool drip;  /* one byte a write */
	bool close; /* at the end of the script; otherwise read on */
	char *wrong;
};

static inline void add_expanded(struct buf *out, const char *s)
{
	while (*s) {
		if (*s == '@') {
			char c = s[1];
			long n = strtol(s + 2, (char **)&s, 10);

			buf_grow(out, (size_t)n);
			for (long i = 0; i < n; i++)
				buf_add_char(out, c);
			s++;
		} else {
			buf_add_char(out, *s++);
		}
	}
}

static inline size_t read_all(int fd, char *bytes, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t some = read(fd, bytes + got, n - got);

		if (some <= 0)
			break;
		got += (size_t)some;
	}
	return got;
}

static inline bool write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t some = send(fd, bytes, n, MSG_NOSIGNAL);

		if (some <= 0)
			return false;
		bytes += some;
		n -= (size_t)some;
	}
	return true;
}

static inline void note_wrong(struct server *srv, size_t step, const char *want,
		       const char *got, size_t n)
{
	struct buf text = BUF_INIT;

	buf_addf(&text, "step %zu\n  want \"%.300s\"\n  got  \"%.*s\"", step, want,
		 n < 300 ? (int)n : 300, got);
	srv->wrong = buf_detach(&text);
}

static inline bool play_step(struct server *srv, size_t i)
{
	struct buf want = BUF_INIT, say = BUF_INIT;
	char *got = NULL;
	size_t n;

	add_expanded(&want, srv->steps[i].hear);
	add_expanded(&say, srv->steps[i].say);
	got = mem_alloc(want.len + 1);
	n = read_all(srv->fd, got, want.len);
	if (n != want.len || memcmp(got, want.data, n))
		note_wrong(srv, i, want.data, got, n);
	for (size_t at = 0; !srv->wrong && at < say.len;) {
		size_t some = srv->drip ? 1 : say.len - at;

		if (!write_all(srv->fd, say.data + at, some))
			break;
		at += some;
	}
	free(got);
	buf_free(&want);
	buf_free(&say);
	return !srv->wrong;
}

static inline void *serve(void *arg)
{
	struct server *srv = arg;
	char rest[300];
	size_t n, i = 0;

	while (srv->steps[i].hear && play_step(srv, i))
		i++;
	if (!srv->close && !srv->wrong) {
		n = read_all(srv->fd, rest, sizeof(rest));
		if (n)
			note_wrong(srv, i, "nothing more", rest, n);
	}
	close(srv->fd);
	return NULL;
}

/* A session over one end of a socket pair. */
struct client {
	struct imap_session s;
	struct imap_append *a;
	struct target_folder folder;
	int peer;
};

static inline void client_open(struct client *c, unsigned caps, int timeout_ms)
{
	struct stream_options opt = { .host = "test",
				      .port = 1,
				      .timeout_ms = timeout_ms };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*c = (struct client){ .peer = fds[1] };
	c->s.stream = stream_from_fd(fds[0], &opt);
	c->s.caps = caps;
	c->a = imap_append_new(&c->s, NULL);
	buf_init(&c->folder.name);
	buf_init(&c->folder.shown);
	flags_init(&c->folder.permanent);
	buf_set_str(&c->folder.name, "Sent");
	buf_set_str(&c->folder.shown, "Sent");
	c->folder.permanent.system = FLAG_SEEN | FLAG_ANSWERED | FLAG_DRAFT;
	flags_add_keyword(&c->folder.permanent, "$Forwarded", 10);
}

static inline void client_close(struct client *c)
{
	imap_append_free(c->a);
	stream_free(c->s.stream);
	buf_free(&c->folder.name);
	buf_free(&c->folder.shown);
	flags_free(&c->folder.permanent);
}

/* Messages of these sizes; the first is all 'a', the second all 'b' ... */
struct mail {
	struct append_batch batch;
	struct spool *spools;
};

static inline void mail_make(struct mail *m, const struct target_folder *f,
		      const char *sizes)
{
	struct err e;
	size_t n = 0;

	*m = (struct mail){ .batch = { .folder = f } };
	m->batch.items = mem_zalloc(64 * sizeof(*m->batch.items));
	m->spools = mem_zalloc(64 * sizeof(*m->spools));
	for (; *sizes; n++) {
		unsigned long size = strtoul(sizes, (char **)&sizes, 10);
		struct spool *sp = &m->spools[n];
		char *bytes = mem_alloc(size + 1);

		memset(bytes, (int)('a' + n % 26), size);
		spool_init(sp);
		if (spool_add(sp, bytes, size, &e) < 0)
			abort();
		free(bytes);
		m->batch.items[n] = (struct append_item){
			.bytes = sp, .size = size, .date = DATE_NONE
		};
		m->batch.bytes += size;
		sizes += *sizes == ' ';
	}
	m->batch.n = n;
}

static inline void mail_free(struct mail *m)
{
	for (size_t i = 0; i < m->batch.n; i++)
		spool_free(&m->spools[i]);
	free(m->spools);
	free(m->batch.items);
}

/* "D11 R K U": done with UID 11, refused, unknown, unsent. */
static inline void add_results(struct buf *out, const struct append_batch *b)
{
	static const char letters[] = { [APPEND_WAITING] = 'W',
					[APPEND_DONE] = 'D',
					[APPEND_REFUSED] = 'R',
					[APPEND_UNKNOWN] = 'K',
					[APPEND_UNSENT] = 'U' };

	for (size_t i = 0; i < b->n; i++) {
		if (out->len)
			buf_add_char(out, ' ');
		buf_add_char(out, letters[b->items[i].result]);
		if (b->items[i].uid)
			buf_addf(out, "%u", b->items[i].uid);
	}
}

/* Reap everything; the first error, if any, stays in e (empty otherwise). Returns how
   many batches came back. */
static inline size_t reap_all(struct imap_append *a, struct err *e)
{
	struct append_batch *b;
	struct err mine = ERR_INIT;
	size_t n = 0;
	int got;

	while ((got = imap_append_reap(a, true, &b, &mine)) != 0) {
		n += got > 0;
		if (got < 0 && !e->text[0])
			*e = mine;
	}
	return n;
}

#endif
