/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SCRAM, the client's side. Of the password only SaltedPassword, the keys and
   the proof are made; all are wiped. */
#include "storage/imap/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* RFC 7677 section 4: fewer make the password easy to guess for whoever
	   holds the answer, which a false server would. More than the upper
	   bound keep us busy for longer than a server waits. */
	ROUNDS_MIN = 4096,
	ROUNDS_MAX = 5000000,
	NONCE_BYTES = 24,
	SALT_MAX = 256,
};

struct scram {
	const EVP_MD *md;
	char *user;
	char nonce[64];
	struct buf bare; /* client-first-message-bare */
	unsigned char server_signature[EVP_MAX_MD_SIZE];
	bool answered;
};

struct scram *scram_new(const char *hash, const char *user, const char *nonce)
{
	const EVP_MD *md = EVP_get_digestbyname(hash);
	unsigned char random[NONCE_BYTES];
	struct scram *s;

	if (!md || RAND_bytes(random, sizeof(random)) != 1)
		return NULL;
	s = mem_zalloc(sizeof(*s));
	s->md = md;
	s->user = mem_strdup(user);
	buf_init(&s->bare);
	if (nonce)
		strncpy(s->nonce, nonce, sizeof(s->nonce) - 1);
	else
		EVP_EncodeBlock((unsigned char *)s->nonce, random,
				sizeof(random));
	return s;
}

void scram_free(struct scram *s)
{
	if (!s)
		return;
	free(s->user);
	buf_free(&s->bare);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

void scram_first(struct scram *s, struct buf *out)
{
	buf_reset(&s->bare);
	buf_add_str(&s->bare, "n=");
	for (const char *c = s->user; *c; c++) {
		if (*c == '=')
			buf_add_str(&s->bare, "=3D");
		else if (*c == ',')
			buf_add_str(&s->bare, "=2C");
		else
			buf_add_char(&s->bare, *c);
	}
	buf_addf(&s->bare, ",r=%s", s->nonce);
	buf_add_str(out, "n,,");
	buf_add(out, s->bare.data, s->bare.len);
}

/* "k=value" at *at, which moves behind the comma. */
static bool attribute(const char **at, char key, const char **value, size_t *n)
{
	if ((*at)[0] != key || (*at)[1] != '=')
		return false;
	*value = *at + 2;
	*n = strcspn(*value, ",");
	*at = *value + *n;
	*at += **at == ',';
	return true;
}

static int decode(const char *text, size_t n, unsigned char *out, size_t room)
{
	size_t pad = 0;
	int got;

	if (!n || n % 4 || n / 4 * 3 > room)
		return -1;
	while (pad < 2 && text[n - 1 - pad] == '=')
		pad++;
	got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
	return got < 0 ? -1 : got - (int)pad;
}

struct server_first {
	const char *nonce, *salt, *rounds;
	size_t nonce_len, salt_len, rounds_len;
	unsigned char salt_bytes[SALT_MAX];
	int salt_size, rounds_count;
};

static const char *read_first(const struct scram *s, const char *in,
			      struct server_first *f)
{
	size_t mine = strlen(s->nonce);

	if (!attribute(&in, 'r', &f->nonce, &f->nonce_len) ||
	    !attribute(&in, 's', &f->salt, &f->salt_len) ||
	    !attribute(&in, 'i', &f->rounds, &f->rounds_len))
		return "the server's SCRAM cannot be read";
	if (f->nonce_len <= mine || memcmp(f->nonce, s->nonce, mine))
		return "the server's SCRAM is not an answer to ours";
	f->salt_size = decode(f->salt, f->salt_len, f->salt_bytes, SALT_MAX);
	if (f->salt_size <= 0)
		return "the server's SCRAM has no salt";
	f->rounds_count = f->rounds_len < 9 ? atoi(f->rounds) : ROUNDS_MAX + 1;
	if (f->rounds_count < ROUNDS_MIN || f->rounds_count > ROUNDS_MAX)
		return "the server's SCRAM asks for too few or too many rounds";
	return NULL;
}

static void mac(const EVP_MD *md, const unsigned char *key, int key_len,
		const void *bytes, size_t n, unsigned char *out)
{
	HMAC(md, key, key_len, bytes, n, out, NULL);
}

static void prove(struct scram *s, const unsigned char *salted,
		  const struct buf *auth, unsigned char *proof)
{
	unsigned char client_key[EVP_MAX_MD_SIZE], stored[EVP_MAX_MD_SIZE];
	unsigned char server_key[EVP_MAX_MD_SIZE];
	int size = EVP_MD_size(s->md);

	mac(s->md, salted, size, "Client Key", 10, client_key);
	EVP_Digest(client_key, (size_t)size, stored, NULL, s->md, NULL);
	mac(s->md, stored, size, auth->data, auth->len, proof);
	for (int i = 0; i < size; i++)
		proof[i] ^= client_key[i];
	mac(s->md, salted, size, "Server Key", 10, server_key);
	mac(s->md, server_key, size, auth->data, auth->len,
	    s->server_signature);
	explicit_bzero(client_key, sizeof(client_key));
	explicit_bzero(stored, sizeof(stored));
	explicit_bzero(server_key, sizeof(server_key));
}

int scram_answer(struct scram *s, const char *in, size_t n,
		 const char *password, size_t password_len, struct buf *out,
		 const char **why_r)
{
	unsigned char salted[EVP_MAX_MD_SIZE], proof[EVP_MAX_MD_SIZE];
	unsigned char proof64[EVP_MAX_MD_SIZE * 2];
	struct buf auth = BUF_INIT, last = BUF_INIT;
	char *text = mem_strndup(in, n);
	struct server_first f;
	int size = EVP_MD_size(s->md), ret = -1;

	*why_r = strlen(text) == n ? read_first(s, text, &f)
				   : "the server's SCRAM holds a NUL";
	if (*why_r)
		goto out;
	*why_r = "SCRAM cannot be computed here";
	if (PKCS5_PBKDF2_HMAC(password, (int)password_len, f.salt_bytes,
			      f.salt_size, f.rounds_count, s->md, size,
			      salted) != 1)
		goto out;
	/* biws is "n,,": no channel binding. */
	buf_addf(&last, "c=biws,r=%.*s", (int)f.nonce_len, f.nonce);
	buf_addf(&auth, "%s,%s,%s", s->bare.data, text, last.data);
	prove(s, salted, &auth, proof);
	EVP_EncodeBlock(proof64, proof, size);
	buf_addf(out, "%s,p=%s", last.data, (char *)proof64);
	s->answered = true;
	ret = 0;
out:
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(proof, sizeof(proof));
	explicit_bzero(proof64, sizeof(proof64));
	buf_free(&auth);
	buf_free(&last);
	free(text);
	return ret;
}

int scram_verify(struct scram *s, const char *in, size_t n)
{
	unsigned char signature[EVP_MAX_MD_SIZE + 3];
	char *text = mem_strndup(in, n);
	const char *at = text, *value;
	size_t value_len;
	int size = EVP_MD_size(s->md), ret = -1;

	if (s->answered && attribute(&at, 'v', &value, &value_len) &&
	    decode(value, value_len, signature, sizeof(signature)) == size &&
	    !CRYPTO_memcmp(signature, s->server_signature, (size_t)size))
		ret = 0;
	free(text);
	return ret;
}
