/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells a file that grew from one that was written anew. */
#include "importers/mbox_mark.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "core/base/ascii.h"
#include "importers/walk.h"

/* A change of what is read behind a mark must make old ones worthless. */
static const char version[] = "mbox2 ";

bool mbox_mark_make(int fd, uint64_t end, struct mbox_mark *m_r)
{
	char bytes[MBOX_MARK_BYTES];
	size_t n = end < sizeof(bytes) ? (size_t)end : sizeof(bytes);

	if (end > INT64_MAX)
		return false;
	if (walk_read_at(fd, bytes, n, end - n) != (ssize_t)n)
		return false;
	m_r->end = end;
	return EVP_Q_digest(NULL, "SHA256", NULL, bytes, n, m_r->digest,
			    NULL) == 1;
}

bool mbox_mark_holds(const struct mbox_mark *m, int fd)
{
	struct mbox_mark now;

	return mbox_mark_make(fd, m->end, &now) &&
	       !memcmp(now.digest, m->digest, sizeof(m->digest));
}

void mbox_mark_add(struct buf *out, const struct mbox_mark *m)
{
	buf_addf(out, "%s%llu ", version, (unsigned long long)m->end);
	for (size_t i = 0; i < sizeof(m->digest); i++)
		buf_addf(out, "%02x", m->digest[i]);
}

static int hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool mbox_mark_read(const char *text, struct mbox_mark *m_r)
{
	const char *s = text + sizeof(version) - 1;
	uint64_t end = 0;

	if (strncmp(text, version, sizeof(version) - 1) != 0 ||
	    !ascii_is_digit(*s) || (*s == '0' && ascii_is_digit(s[1])))
		return false;
	for (; ascii_is_digit(*s); s++) {
		if (end > INT64_MAX / 10 - 1)
			return false;
		end = end * 10 + (uint64_t)(*s - '0');
	}
	if (*s++ != ' ')
		return false;
	for (size_t i = 0; i < sizeof(m_r->digest); i++, s += 2) {
		int high = hex(s[0]), low = high < 0 ? -1 : hex(s[1]);

		if (low < 0)
			return false;
		m_r->digest[i] = (uint8_t)(high << 4 | low);
	}
	m_r->end = end;
	return *s == '\0';
}
