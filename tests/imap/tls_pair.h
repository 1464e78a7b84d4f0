/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_TESTS_IMAP_TLS_PAIR_H
#define MAILHAUL_TESTS_IMAP_TLS_PAIR_H

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* Certificates for tests: an authority, and what it signs. */

struct pair {
	EVP_PKEY *key;
	X509 *cert;
};

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!ext || !X509_add_ext(cert, ext, -1))
		abort();
	X509_EXTENSION_free(ext);
}

/* alt is the subjectAltName; NULL makes an authority. days: how long it is valid from
   ten days ago on. Signed by ca, or by itself. */
static inline struct pair make_pair(const char *name, const char *alt, int days,
			     const struct pair *ca)
{
	struct pair p = { .key = EVP_EC_gen("P-256"), .cert = X509_new() };
	X509 *issuer = ca ? ca->cert : p.cert;

	X509_set_version(p.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), ca ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), -10L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), (days - 10) * 86400L);
	X509_set_pubkey(p.cert, p.key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(p.cert), "CN",
				   MBSTRING_UTF8, (const unsigned char *)name,
				   -1, -1, 0);
	X509_set_issuer_name(p.cert, X509_get_subject_name(issuer));
	add_extension(p.cert, issuer, NID_basic_constraints,
		      alt ? "CA:FALSE" : "critical,CA:TRUE");
	if (alt)
		add_extension(p.cert, issuer, NID_subject_alt_name, alt);
	if (!X509_sign(p.cert, ca ? ca->key : p.key, EVP_sha256()))
		abort();
	return p;
}

static inline void free_pair(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

/* A file that holds cert. */
static inline void write_cert(const struct pair *p, char *path)
{
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f || !PEM_write_X509(f, p->cert))
		abort();
	fclose(f);
}

#endif
