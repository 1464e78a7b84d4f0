/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A long line in a bottle: a TCP proxy on loopback that passes every byte on after a
   fixed time, in both directions. With a rate what goes up is let through no faster
   than that, all connections together; otherwise it does not matter how much is under
   way.

   usage: delay_proxy TARGET-PORT ONE-WAY-MILLISECONDS [KBIT-PER-SECOND-UP]
   Prints the port it listens on, and serves until it is killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A memory bound only: far above bandwidth times delay on loopback. */
enum { UNDER_WAY_MAX = 256 << 20, READ_SIZE = 256 << 10 };
/* With a rate: a packet, and what a home router holds of them before it takes no
   more. */
enum { PACKET = 1448, QUEUE_MAX = 64 << 10 };

struct parcel {
	struct parcel *next;
	int64_t due; /* ns */
	size_t len, done;
	char bytes[];
};

/* One direction: what came from one socket and waits to go to the other. */
struct lane {
	int from, to;
	struct parcel *first, **last;
	size_t under_way;
	size_t under_way_max;
	int is_slow;
	int ended;  /* from has said its last */
	int passed; /* ... and to knows it */
};

static in_port_t target_port;
static int64_t delay_ns;
static double ns_per_byte; /* up; 0: at once */
static int64_t line_free;  /* when the line up has sent what it has */
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* When n bytes that come now have left for the other end. */
static int64_t sent_at(const struct lane *l, size_t n)
{
	int64_t at = now_ns();

	if (!l->is_slow)
		return at;
	pthread_mutex_lock(&line_lock);
	if (line_free < at)
		line_free = at;
	line_free += (int64_t)((double)n * ns_per_byte);
	at = line_free;
	pthread_mutex_unlock(&line_lock);
	return at;
}

static void forget(struct lane *l)
{
	struct parcel *p;

	while ((p = l->first)) {
		l->first = p->next;
		free(p);
	}
	l->last = &l->first;
	l->under_way = 0;
}

static void take_in(struct lane *l)
{
	struct parcel *p = malloc(sizeof(*p) + READ_SIZE), *fit;
	ssize_t n;

	if (!p)
		abort();
	n = recv(l->from, p->bytes, l->is_slow ? PACKET : READ_SIZE, 0);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			l->ended = 1;
		free(p);
		return;
	}
	fit = realloc(p, sizeof(*p) + (size_t)n);
	p = fit ? fit : p;
	p->next = NULL;
	p->due = sent_at(l, (size_t)n) + delay_ns;
	p->len = (size_t)n;
	p->done = 0;
	*l->last = p;
	l->last = &p->next;
	l->under_way += p->len;
}

static void hand_out(struct lane *l, int64_t now)
{
	struct parcel *p;
	ssize_t n;

	while ((p = l->first) && p->due <= now) {
		n = send(l->to, p->bytes + p->done, p->len - p->done, MSG_NOSIGNAL);
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			forget(l);
			l->ended = 1;
			return;
		}
		p->done += (size_t)n;
		if (p->done < p->len)
			return;
		l->first = p->next;
		if (!l->first)
			l->last = &l->first;
		l->under_way -= p->len;
		free(p);
	}
	if (l->ended && !l->first && !l->passed) {
		shutdown(l->to, SHUT_WR);
		l->passed = 1;
	}
}

/* What to wait for on lane l: fds[0] is the one it reads, fds[1] the one it writes. */
static void expect(const struct lane *l, struct pollfd *from, struct pollfd *to,
		   int64_t now, int64_t *wake)
{
	if (!l->ended && l->under_way < l->under_way_max)
		from->events |= POLLIN;
	if (!l->first)
		return;
	if (l->first->due <= now)
		to->events |= POLLOUT;
	else if (l->first->due < *wake)
		*wake = l->first->due;
}

static void carry(int client, int server)
{
	struct lane up = { .from = client, .to = server };
	struct lane down = { .from = server, .to = client };

	up.is_slow = ns_per_byte > 0;
	/* What is on its way over the delay is not in the queue. */
	up.under_way_max = down.under_way_max = UNDER_WAY_MAX;
	if (up.is_slow)
		up.under_way_max =
			QUEUE_MAX + (size_t)((double)delay_ns / ns_per_byte);
	up.last = &up.first;
	down.last = &down.first;
	while (!up.passed || !down.passed) {
		struct pollfd fds[2] = { { .fd = client }, { .fd = server } };
		int64_t now = now_ns(), wake = now + 1000000000;
		struct timespec wait;

		expect(&up, &fds[0], &fds[1], now, &wake);
		expect(&down, &fds[1], &fds[0], now, &wake);
		for (int i = 0; i < 2; i++)
			if (!fds[i].events)
				fds[i].fd = -1;
		wait = (struct timespec){ .tv_sec = (wake - now) / 1000000000,
					  .tv_nsec = (wake - now) % 1000000000 };
		if (ppoll(fds, 2, &wait, NULL) < 0 && errno != EINTR)
			break;
		if (!up.ended && fds[0].revents & (POLLIN | POLLHUP | POLLERR))
			take_in(&up);
		if (!down.ended && fds[1].revents & (POLLIN | POLLHUP | POLLERR))
			take_in(&down);
		now = now_ns();
		hand_out(&up, now);
		hand_out(&down, now);
	}
	forget(&up);
	forget(&down);
}

static void prepare(int fd, int is_client)
{
	int one = 1, room = 16 << 10;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (is_client && ns_per_byte > 0) /* it would be a queue of its own */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

static void *serve(void *arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = target_port };
	int client = (int)(intptr_t)arg, server = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (server >= 0 && !connect(server, (struct sockaddr *)&to, sizeof(to))) {
		prepare(client, 1);
		prepare(server, 0);
		carry(client, server);
	}
	close(client);
	if (server >= 0)
		close(server);
	return NULL;
}

static int listen_somewhere(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(fd, 64) || getsockname(fd, (struct sockaddr *)&at, &len)) {
		perror("delay_proxy");
		exit(1);
	}
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	int listener;

	if (argc != 3 && argc != 4) {
		fputs("usage: delay_proxy TARGET-PORT ONE-WAY-MILLISECONDS "
		      "[KBIT-PER-SECOND-UP]\n", stderr);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	target_port = htons((in_port_t)atoi(argv[1]));
	delay_ns = (int64_t)(atof(argv[2]) * 1e6);
	if (argc == 4 && atof(argv[3]) > 0)
		ns_per_byte = 8e6 / atof(argv[3]);
	listener = listen_somewhere();
	for (;;) {
		int client = accept(listener, NULL, NULL);
		pthread_t thread;

		if (client < 0)
			continue;
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client))
			close(client);
		else
			pthread_detach(thread);
	}
}
