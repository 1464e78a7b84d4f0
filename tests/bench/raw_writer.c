/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast could it be? Sends mail that is ready on the wire already, with MULTIAPPEND
   and LITERAL+ in batches of 100, four under way, and does nothing else: no digest, no
   ledger, no parsing. The measure for everybody who does more.

   usage: raw_writer PORT USER FILES [CA-FILE]
   FILES.bin and FILES.idx are as made by corpus.py; with a CA file it speaks TLS. The
   password is in $MAILHAUL_PASSWORD. Folders are created first. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 100, IN_FLIGHT = 4, NAME_MAX_LEN = 64, LINE_MAX_LEN = 8192 };

struct mail {
	char folder[NAME_MAX_LEN];
	size_t offset, size;
};

static struct mail *mails;
static size_t n_mails;
static const char *bytes; /* FILES.bin, mapped */
static int fd;
static SSL *ssl;
static unsigned tags, answered;

static void die(const char *what)
{
	fprintf(stderr, "raw_writer: %s\n", what);
	exit(1);
}

static void read_index(const char *files)
{
	char path[4096];
	struct stat st;
	FILE *f;
	int bin;

	snprintf(path, sizeof(path), "%s.idx", files);
	f = fopen(path, "r");
	if (!f)
		die(path);
	for (size_t room = 0;; n_mails++) {
		if (n_mails == room) {
			room = room ? 2 * room : 1024;
			mails = realloc(mails, room * sizeof(*mails));
			if (!mails)
				die("out of memory");
		}
		if (fscanf(f, "%63s %zu %zu", mails[n_mails].folder,
			   &mails[n_mails].offset, &mails[n_mails].size) != 3)
			break;
	}
	fclose(f);
	snprintf(path, sizeof(path), "%s.bin", files);
	bin = open(path, O_RDONLY);
	if (bin < 0 || fstat(bin, &st))
		die(path);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, bin, 0);
	if (bytes == MAP_FAILED)
		die(path);
}

static void wait_for(short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, 60000) <= 0)
		die("the server says nothing");
}

static void count_answers(const char *in, size_t n)
{
	static char line[LINE_MAX_LEN];
	static size_t len;

	for (size_t i = 0; i < n; i++) {
		if (len < sizeof(line) - 1)
			line[len++] = in[i];
		if (in[i] != '\n')
			continue;
		line[len] = '\0';
		len = 0;
		if (line[0] != 't')
			continue;
		answered++;
		if (!strstr(line, " OK") && !strstr(line, "ALREADYEXISTS"))
			die(line);
	}
}

/* Read once and count tagged answers; with wait, not before there is something. */
static void listen_to_it(int wait)
{
	char in[16384];

	for (;;) {
		ssize_t n = ssl ? SSL_read(ssl, in, sizeof(in)) :
				  recv(fd, in, sizeof(in), 0);
		int again = ssl ? SSL_get_error(ssl, (int)n) == SSL_ERROR_WANT_READ :
				  n < 0 && errno == EAGAIN;

		if (n <= 0 && !again)
			die("the connection is lost");
		if (n <= 0 && !wait)
			return;
		if (n <= 0) {
			wait_for(POLLIN);
			continue;
		}
		count_answers(in, (size_t)n);
		return;
	}
}

/* Reads while the socket takes nothing: both sides would stand still otherwise. */
static void put(const char *data, size_t n)
{
	while (n) {
		size_t piece = n < 1 << 20 ? n : 1 << 20;
		ssize_t sent = ssl ? SSL_write(ssl, data, (int)piece) :
				     send(fd, data, piece, MSG_NOSIGNAL);

		if (sent > 0) {
			data += sent;
			n -= (size_t)sent;
			continue;
		}
		if (ssl ? SSL_get_error(ssl, (int)sent) != SSL_ERROR_WANT_WRITE &&
			  SSL_get_error(ssl, (int)sent) != SSL_ERROR_WANT_READ :
			  errno != EAGAIN)
			die("the connection is lost");
		listen_to_it(0);
		wait_for(POLLIN | POLLOUT);
	}
}

static void put_str(const char *s)
{
	put(s, strlen(s));
}

static void command(const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "t%u %s\r\n", ++tags, text);
	put_str(line);
	while (answered < tags)
		listen_to_it(1);
}

static void connect_to(const char *port, const char *ca_file)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((in_port_t)atoi(port)) };
	SSL_CTX *ctx;
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (ca_file) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		if (!SSL_CTX_load_verify_file(ctx, ca_file))
			die(ca_file);
		ssl = SSL_new(ctx);
		SSL_set_fd(ssl, fd);
		if (SSL_connect(ssl) != 1)
			die("no TLS");
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void login_and_create(const char *user)
{
	const char *password = getenv("MAILHAUL_PASSWORD");
	char text[512];

	snprintf(text, sizeof(text), "LOGIN \"%s\" \"%s\"", user,
		 password ? password : "");
	command(text);
	for (size_t i = 0; i < n_mails; i++) {
		if (!strcmp(mails[i].folder, "INBOX") ||
		    (i && !strcmp(mails[i].folder, mails[i - 1].folder)))
			continue;
		snprintf(text, sizeof(text), "CREATE \"%s\"", mails[i].folder);
		command(text);
	}
}

/* Sends the batch that begins with mail i; returns the one after it. */
static size_t send_batch(size_t i)
{
	size_t n = 0, first = i;
	char text[256];

	snprintf(text, sizeof(text), "t%u APPEND \"%s\"", ++tags, mails[i].folder);
	put_str(text);
	for (; n < BATCH && i < n_mails &&
	       !strcmp(mails[i].folder, mails[first].folder); i++, n++) {
		snprintf(text, sizeof(text),
			 " (\\Seen) \"15-Jan-2024 10:11:12 +0000\" {%zu+}\r\n",
			 mails[i].size);
		put_str(text);
		put(bytes + mails[i].offset, mails[i].size);
	}
	put_str("\r\n");
	return i;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		die("usage: raw_writer PORT USER FILES [CA-FILE]");
	signal(SIGPIPE, SIG_IGN);
	read_index(argv[3]);
	connect_to(argv[1], argv[4]);
	login_and_create(argv[2]);
	for (size_t i = 0; i < n_mails; i = send_batch(i))
		while (tags - answered >= IN_FLIGHT)
			listen_to_it(1);
	while (answered < tags)
		listen_to_it(1);
	command("LOGOUT");
	printf("%zu\n", n_mails);
	return 0;
}
