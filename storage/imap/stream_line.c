/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sending side has seen of the line. A file of its own, for the
   kernel's linux/tcp.h, which knows the newer fields of TCP_INFO, and the C
   library's netinet/tcp.h do not go together. */
#include "storage/imap/stream.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "storage/imap/stream_internal.h"

/* 0 unless the socket is TCP and the kernel knows both (Linux 4.10 and newer):
   an older one fills in less and says so by the length. */
static void ask_kernel(int fd, int64_t *peer_us_r, int64_t *busy_us_r)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	*peer_us_r = *busy_us_r = 0;
	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_rwnd_limited) +
			    sizeof(info.tcpi_rwnd_limited))
		return;
	*peer_us_r = (int64_t)info.tcpi_rwnd_limited;
	*busy_us_r = (int64_t)info.tcpi_busy_time;
}

void stream_line_keep(struct stream *s)
{
	ask_kernel(s->fd, &s->peer_us, &s->busy_us);
}

void stream_line(const struct stream *s, struct stream_line *l_r)
{
	*l_r = (struct stream_line){
		.plain = s->plain,
		.wire = s->sent,
		.wait_us = s->wait_us,
		.peer_us = s->peer_us,
		.busy_us = s->busy_us,
	};
	if (s->fd >= 0)
		ask_kernel(s->fd, &l_r->peer_us, &l_r->busy_us);
}
