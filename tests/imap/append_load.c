/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The append pipeline under load: the window, full socket buffers on both sides, and a
   message that cannot be read to its end. */
#include "storage/imap/append.h"

#include "tests/imap/append_script.h"
#include "tests/lib/check.h"

/* Two batches are on their way before the first is answered, and the answers may come
   in any order. */
static void test_two_in_flight(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" {1+}\r\na {1+}\r\nb\r\nA2 APPEND \"Sent\" {2+}\r\naa\r\n",
		  "A2 OK [APPENDUID 7 3] x\r\n" },
		{ "", "A1 OK [APPENDUID 7 1:2] x\r\n" },
		{ NULL },
	};
	struct err e = ERR_INIT;
	struct append_batch *b;
	struct server srv = { .steps = steps };
	struct client c;
	struct mail m1, m2;
	pthread_t thread;

	client_open(&c, M | P, PATIENT_MS);
	mail_make(&m1, &c.folder, "1 1");
	mail_make(&m2, &c.folder, "2");
	CHECK(imap_append_submit(c.a, &m1.batch, &e) == 0);
	CHECK(imap_append_reap(c.a, false, &b, &e) == 0);
	CHECK(imap_append_submit(c.a, &m2.batch, &e) == 0);
	CHECK(imap_append_reap(c.a, false, &b, &e) == 0);
	srv.fd = c.peer;
	pthread_create(&thread, NULL, serve, &srv);
	CHECK(reap_all(c.a, &e) == 2);
	CHECK(m1.batch.items[1].uid == 2 && m2.batch.items[0].uid == 3);
	CHECK(imap_append_reap(c.a, true, &b, &e) == 0);
	client_close(&c);
	pthread_join(thread, NULL);
	CHECK(!srv.wrong);
	free(srv.wrong);
	mail_free(&m1);
	mail_free(&m2);
}

/* A3: with five batches of 4 MiB and a server that answers nothing, submit does not
   come back for the one that does not fit; with answers it does. */
static void *answer_each(void *arg)
{
	struct server *srv = arg;
	char *bytes = mem_alloc(5 << 20);
	const char head[] = "A1 APPEND \"Sent\" {4194304+}\r\n";
	size_t one = sizeof(head) - 1 + (4 << 20) + 2;
	char answer[64];

	for (int i = 1; i <= 8; i++) {
		if (read_all(srv->fd, bytes, one) != one ||
		    strncmp(bytes + 2, head + 2, sizeof(head) - 3)) {
			srv->wrong = mem_strdup("framing");
			break;
		}
		snprintf(answer, sizeof(answer), "A%d OK x\r\n", i);
		write_all(srv->fd, answer, strlen(answer));
	}
	read_all(srv->fd, bytes, 1); /* until the client leaves */
	free(bytes);
	close(srv->fd);
	return NULL;
}

static void test_window(void)
{
	struct err e = ERR_INIT;
	struct server srv = { .fd = -1 };
	struct client c;
	struct mail m[8];
	pthread_t thread;

	client_open(&c, M | P, PATIENT_MS);
	srv.fd = c.peer;
	for (int i = 0; i < 8; i++)
		mail_make(&m[i], &c.folder, "4194304");
	/* Four fit: nobody has to read yet. */
	for (int i = 0; i < 4; i++)
		CHECK(imap_append_submit(c.a, &m[i].batch, &e) == 0);
	pthread_create(&thread, NULL, answer_each, &srv);
	for (int i = 4; i < 8; i++)
		CHECK(imap_append_submit(c.a, &m[i].batch, &e) == 0);
	CHECK(m[0].batch.items[0].result == APPEND_DONE);
	CHECK(reap_all(c.a, &e) == 8);
	client_close(&c);
	pthread_join(thread, NULL);
	CHECK(!srv.wrong);
	free(srv.wrong);
	for (int i = 0; i < 8; i++) {
		CHECK(m[i].batch.items[0].result == APPEND_DONE);
		mail_free(&m[i]);
	}
}

/* Both sides' socket buffers full: the server does not read while it talks. */
enum { CHATTY = 2000, CHAT = 64 << 10 };

static void *chat(void *arg)
{
	struct server *srv = arg;
	char *noise = mem_alloc(CHAT), *heard = mem_alloc(CHAT);
	struct buf text = BUF_INIT;

	memset(noise, 'x', CHAT);
	for (size_t i = 0; i + 1024 <= CHAT; i += 1024) {
		memcpy(noise + i, "* 1 FETCH ", 10);
		memcpy(noise + i + 1022, "\r\n", 2);
	}
	for (unsigned i = 1; i <= CHATTY; i++) {
		buf_reset(&text);
		buf_addf(&text, "A%u APPEND \"Sent\" {900+}\r\n", i);
		if (read_all(srv->fd, heard, text.len + 902) != text.len + 902 ||
		    memcmp(heard, text.data, text.len) ||
		    !write_all(srv->fd, noise, CHAT))
			break;
		buf_reset(&text);
		buf_addf(&text, "A%u OK [APPENDUID 7 %u] x\r\n", i, i);
		write_all(srv->fd, text.data, text.len);
	}
	read_all(srv->fd, heard, 1); /* until the client leaves */
	buf_free(&text);
	free(heard);
	free(noise);
	close(srv->fd);
	return NULL;
}

static void test_chatty(void)
{
	struct err e = ERR_INIT;
	struct server srv = { .fd = -1 };
	struct client c;
	struct mail m[CHATTY / 50];
	size_t done = 0;
	pthread_t thread;

	client_open(&c, P, PATIENT_MS);
	srv.fd = c.peer;
	pthread_create(&thread, NULL, chat, &srv);
	for (size_t i = 0; i < CHATTY / 50; i++) {
		mail_make(&m[i], &c.folder,
			  "900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 "
			  "900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900 900");
		if (imap_append_submit(c.a, &m[i].batch, &e) < 0)
			break;
	}
	CHECK(reap_all(c.a, &e) == CHATTY / 50);
	client_close(&c);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < CHATTY / 50; i++) {
		for (size_t k = 0; k < m[i].batch.n; k++)
			done += m[i].batch.items[k].result == APPEND_DONE &&
				m[i].batch.items[k].uid == i * 50 + k + 1;
		mail_free(&m[i]);
	}
	CHECK(done == CHATTY);
	CHECK_STR(e.text, "");
}

/* The bytes of a message cannot be read any more while it goes out. */
static void test_spool_breaks(void)
{
	struct step steps[] = {
		{ "A1 APPEND \"Sent\" {3000000+}\r\n@a1000000;", "" },
		{ NULL },
	};
	struct server srv = { .steps = steps, .close = true };
	struct err e = ERR_INIT;
	struct client c;
	struct mail m;
	pthread_t thread;

	client_open(&c, M | P, PATIENT_MS);
	mail_make(&m, &c.folder, "3000000 5");
	if (ftruncate(m.spools[0].fd, 0) < 0)
		abort();
	srv.fd = c.peer;
	pthread_create(&thread, NULL, serve, &srv);
	imap_append_submit(c.a, &m.batch, &e);
	CHECK(reap_all(c.a, &e) == 1);
	CHECK(m.batch.items[0].result == APPEND_REFUSED);
	CHECK(m.batch.items[1].result == APPEND_UNSENT);
	CHECK(e.scope == ERR_ACCOUNT && c.s.broken);
	client_close(&c);
	pthread_join(thread, NULL);
	CHECK(!srv.wrong);
	free(srv.wrong);
	mail_free(&m);
}

/* A server that takes some and goes: whatever it read belongs to messages that are
   unknown, never unsent. */
enum { GONE_AFTER = 700000, GONE_OF = 40, GONE_SIZE = 50000 };

static void *take_and_go(void *arg)
{
	struct server *srv = arg;
	char *bytes = mem_alloc(GONE_AFTER);

	read_all(srv->fd, bytes, GONE_AFTER);
	free(bytes);
	close(srv->fd);
	return NULL;
}

static void test_taken_is_unknown(void)
{
	struct server srv = { .fd = -1 };
	struct err e = ERR_INIT;
	struct buf sizes = BUF_INIT;
	struct client c;
	struct mail m;
	pthread_t thread;
	size_t unknown = 0, prefix = sizeof("A1 APPEND \"Sent\" {50000+}\r\n\r\n");

	for (int i = 0; i < GONE_OF; i++)
		buf_addf(&sizes, "%d ", GONE_SIZE);
	client_open(&c, P, PATIENT_MS);
	mail_make(&m, &c.folder, sizes.data);
	srv.fd = c.peer;
	pthread_create(&thread, NULL, take_and_go, &srv);
	imap_append_submit(c.a, &m.batch, &e);
	CHECK(reap_all(c.a, &e) == 1);
	pthread_join(thread, NULL);
	while (unknown < GONE_OF &&
	       m.batch.items[unknown].result == APPEND_UNKNOWN)
		unknown++;
	CHECK(unknown >= GONE_AFTER / (GONE_SIZE + prefix));
	for (size_t i = unknown; i < GONE_OF; i++)
		CHECK(m.batch.items[i].result == APPEND_UNSENT);
	/* As many as the connection took bytes, to the message. */
	CHECK((unknown - 1) * GONE_SIZE < stream_bytes_sent(c.s.stream));
	CHECK(unknown * (GONE_SIZE + prefix) + prefix >=
	      stream_bytes_sent(c.s.stream));
	client_close(&c);
	mail_free(&m);
	buf_free(&sizes);
}

int main(void)
{
	test_taken_is_unknown();
	test_two_in_flight();
	test_window();
	test_chatty();
	test_spool_breaks();
	return check_done();
}
