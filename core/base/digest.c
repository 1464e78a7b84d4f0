/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digests. A body goes through three steps, each of which passes whole
   blocks on as they are wherever it can:

   digest_body_add  CRLF becomes LF
   add_lines        quotes in front of "From " go
   emit             line ends at the end go

   What a step cannot decide at the end of a block it holds back as a state,
   never as bytes, so that neither the size of the pieces nor that of a line
   matters. */
#include "core/base/digest.h"
#include "core/base/ascii.h"
#include "core/base/scan.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char from_line[] = "From ";
enum {
	FROM_LEN = sizeof(from_line) - 1,
	FOLD_SIZE = 16 << 10, /* small enough to stay in the nearest cache */
	TEXT_KEEP = 64 << 10,
};

struct digest_body {
	EVP_MD *sha256;
	EVP_MD_CTX *body, *header;
	struct buf text; /* of the header, as it is hashed */
	bool cr;	 /* a CR is held back: an LF may follow */
	bool at_start;	 /* of a line; then also: */
	uint64_t quotes; /* that many '>' are held back ... */
	size_t matched;	 /* ... and that much of "From " behind them */
	uint64_t eols;	 /* line ends held back: they may be the last */
	char fold[FOLD_SIZE + SCAN_SLACK];
};

struct ignored {
	const char *name;
	size_t len;
	bool prefix;
};
/* clang-format off */
#define NAME(s) { .name = (s), .len = sizeof(s) - 1 }
#define PREFIX(s) { .name = (s), .len = sizeof(s) - 1, .prefix = true }

static const struct ignored ignored[] = {
	/* Status of mbox writers, POP servers (qpopper, cucipop) and c-client. */
	NAME("Status"), NAME("X-Status"), NAME("X-Keywords"), NAME("X-UID"),
	NAME("X-UIDL"), NAME("X-IMAP"), NAME("X-IMAPbase"),
	NAME("Content-Length"), NAME("Lines"),
	/* GNU mailutils, in MH and Maildir: what was the separator line. */
	NAME("X-Envelope-Date"), NAME("X-Envelope-Sender"),
	/* Thunderbird and its forebears. */
	NAME("X-Account-Key"), NAME("X-Identity-Key"), PREFIX("X-Mozilla-"),
	/* Other clients. */
	PREFIX("X-Becky-"), PREFIX("X-Evolution"), PREFIX("X-KMail-"),
	PREFIX("X-Sylpheed-"), PREFIX("X-Claws-"),
	/* Apple Mail. */
	PREFIX("X-Apple-"), NAME("X-Uniform-Type-Identifier"),
	NAME("X-Universally-Unique-Identifier"),
	/* Fetchers and synchronisers: getmail, OfflineIMAP, mbsync. */
	PREFIX("X-getmail-"), PREFIX("X-OfflineIMAP"), NAME("X-TUID"),
	/* The last delivery rewrites it. */
	NAME("Return-Path"),
	/* Filters on the PC: virus scanners, SpamPal, POPFile, K9, SpamAssassin. */
	PREFIX("X-Antivirus"), PREFIX("X-Avast"), NAME("X-AVG-ID"),
	PREFIX("X-Spam-"), PREFIX("X-SpamPal"), NAME("X-Text-Classification"),
	NAME("X-POPFile-Link"), PREFIX("X-K9-"),
};
/* clang-format on */

bool digest_ignores(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		const struct ignored *ig = &ignored[i];

		if ((ig->prefix ? n >= ig->len : n == ig->len) &&
		    ascii_same_n(name, ig->name, ig->len))
			return true;
	}
	return false;
}

/* OpenSSL fails here only without memory or without its own library. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct digest_body *digest_body_new(void)
{
	struct digest_body *d = mem_zalloc(sizeof(*d));

	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->body = EVP_MD_CTX_new();
	d->header = EVP_MD_CTX_new();
	must(d->sha256 && d->body && d->header);
	must(EVP_DigestInit_ex2(d->header, d->sha256, NULL));
	buf_init(&d->text);
	digest_body_reset(d);
	return d;
}

void digest_body_free(struct digest_body *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->body);
	EVP_MD_CTX_free(d->header);
	EVP_MD_free(d->sha256);
	buf_free(&d->text);
	free(d);
}

void digest_body_reset(struct digest_body *d)
{
	must(EVP_DigestInit_ex2(d->body, d->sha256, NULL));
	d->cr = false;
	d->at_start = true;
	d->quotes = 0;
	d->matched = 0;
	d->eols = 0;
}

static void hash(struct digest_body *d, const char *bytes, size_t n)
{
	must(EVP_DigestUpdate(d->body, bytes, n));
}

static void hash_repeated(struct digest_body *d, char c, uint64_t count)
{
	char some[256];
	size_t n;

	memset(some, c, count < sizeof(some) ? count : sizeof(some));
	for (; count; count -= n) {
		n = count < sizeof(some) ? count : sizeof(some);
		hash(d, some, n);
	}
}

static void release_eols(struct digest_body *d)
{
	if (d->eols)
		hash_repeated(d, '\n', d->eols);
	d->eols = 0;
}

static void emit(struct digest_body *d, const char *bytes, size_t n)
{
	size_t end = n;

	while (end && bytes[end - 1] == '\n')
		end--;
	if (end) {
		release_eols(d);
		hash(d, bytes, end);
	}
	d->eols += n - end;
}

/* What was held back at the begin of a line is no quoted From line. */
static void release_start(struct digest_body *d)
{
	if (d->quotes) {
		release_eols(d);
		hash_repeated(d, '>', d->quotes);
		emit(d, from_line, d->matched);
	}
	d->quotes = 0;
	d->matched = 0;
	d->at_start = false;
}

/* At the begin of a line: take what decides whether it is a quoted From line.
   Returns how much that was; all n bytes may still not be enough. */
static size_t resume_line(struct digest_body *d, const char *bytes, size_t n)
{
	size_t i = 0;

	if (!d->matched)
		for (; i < n && bytes[i] == '>'; i++)
			d->quotes++;
	if (!d->quotes) {
		d->at_start = false;
		return 0;
	}
	while (i < n && d->matched < FROM_LEN &&
	       bytes[i] == from_line[d->matched]) {
		d->matched++;
		i++;
	}
	if (i == n && d->matched < FROM_LEN)
		return n;
	if (d->matched == FROM_LEN) {
		emit(d, from_line, FROM_LEN);
		d->quotes = 0;
	}
	release_start(d);
	return i;
}

/* Where the '>'s end at which a line of bytes[from..n) begins that stop before
   end; end if there are none. A line at from itself is not meant: resume_line
   has seen to that. */
static size_t quotes_before(const char *bytes, size_t from, size_t end)
{
	size_t at = end;

	while (at > from && bytes[at - 1] == '>')
		at--;
	return at > from && bytes[at - 1] == '\n' ? at : end;
}

/* Hold back a quoted From line of which the end is still to come. Returns where
   it begins, n if there is none. */
static size_t hold_tail(struct digest_body *d, const char *bytes, size_t from,
			size_t n)
{
	for (size_t m = 0; m < FROM_LEN && m < n - from; m++) {
		size_t end = n - m, at;

		if (memcmp(bytes + end, from_line, m))
			continue;
		at = quotes_before(bytes, from, end);
		if (at == end)
			continue;
		d->quotes = end - at;
		d->matched = m;
		return at;
	}
	return n;
}

/* n > 0 bytes with LF line ends. */
static void add_lines(struct digest_body *d, const char *bytes, size_t n)
{
	size_t done = 0, at, quotes;
	const char *mark;

	if (d->at_start)
		done = resume_line(d, bytes, n);
	if (done == n)
		return;
	/* Encoded bodies have no '>' at all, and memchr is the fastest there
	 * is. */
	mark = memchr(bytes + done, '>', n - done);
	at = mark ? (size_t)(mark - bytes) : n;
	for (; (at = scan_find_pair(bytes, at, n, '>', 'F')) < n; at++) {
		if (n - at - 1 < FROM_LEN ||
		    memcmp(bytes + at + 1, from_line, FROM_LEN))
			continue;
		quotes = quotes_before(bytes, done, at + 1);
		if (quotes == at + 1)
			continue;
		emit(d, bytes + done, quotes - done);
		done = at + 1;
	}
	quotes = hold_tail(d, bytes, done, n);
	emit(d, bytes + done, quotes - done);
	d->at_start = quotes < n || bytes[n - 1] == '\n';
}

static void add_piece(struct digest_body *d, const char *bytes, size_t n)
{
	if (d->cr && bytes[0] != '\n')
		add_lines(d, "\r", 1);
	d->cr = bytes[n - 1] == '\r';
	n -= d->cr;
	if (!n)
		return;
	if (memchr(bytes, '\r', n)) {
		n = scan_fold_crlf(d->fold, bytes, n);
		bytes = d->fold;
	}
	add_lines(d, bytes, n);
}

void digest_body_add(struct digest_body *d, const char *bytes, size_t n)
{
	size_t piece;

	for (; n; bytes += piece, n -= piece) {
		piece = n < FOLD_SIZE ? n : FOLD_SIZE;
		add_piece(d, bytes, piece);
	}
}

static void add_full_text(struct buf *text, const struct header *h)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->fields[i];
		const char *name = h->raw.data + f->name;

		if (f->dropped || digest_ignores(name, f->name_len))
			continue;
		for (size_t k = 0; k < f->name_len; k++)
			buf_add_char(text, ascii_lower(name[k]));
		buf_add_char(text, ':');
		header_unfold(h, f, text);
		buf_add_char(text, '\n');
	}
}

/* The first of this name that is not dropped. */
static void add_kept_value(struct buf *text, const struct header *h,
			   const char *name)
{
	const struct header_field *f;

	for (unsigned nth = 0; (f = header_find(h, name, nth)); nth++)
		if (!f->dropped) {
			header_unfold(h, f, text);
			break;
		}
	buf_add_char(text, '\n');
}

static void add_core_text(struct buf *text, const struct header *h)
{
	header_add_message_id(h, text);
	buf_add_char(text, '\n');
	add_kept_value(text, h, "Date");
	add_kept_value(text, h, "From");
	add_kept_value(text, h, "Subject");
	if (h->n && !h->fields[0].name_len)
		header_unfold(h, &h->fields[0], text);
}

static void combine(struct digest_body *d, const uint8_t *body, uint8_t *out)
{
	must(EVP_DigestInit_ex2(d->header, NULL, NULL));
	must(EVP_DigestUpdate(d->header, d->text.data, d->text.len));
	must(EVP_DigestUpdate(d->header, body, DIGEST_SIZE));
	must(EVP_DigestFinal_ex(d->header, out, NULL));
	buf_shrink(&d->text, TEXT_KEEP);
}

void digest_finish(struct digest_body *d, const struct header *h,
		   struct digest *out)
{
	uint8_t body[DIGEST_SIZE];

	if (d->cr)
		add_lines(d, "\r", 1);
	release_start(d);
	must(EVP_DigestFinal_ex(d->body, body, NULL));
	add_full_text(&d->text, h);
	combine(d, body, out->full);
	add_core_text(&d->text, h);
	combine(d, body, out->core);
}
