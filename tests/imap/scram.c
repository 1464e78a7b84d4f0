/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SCRAM against the examples of RFC 5802 section 5 and RFC 7677 section 3, and against
   servers that want to be answered without being right. */
#include "storage/imap/scram.h"
#include "tests/lib/check.h"

static const struct {
	const char *hash, *nonce, *first, *server_first, *final, *server_final;
} examples[] = {
	{ "SHA1", "fyko+d2lbbFgONRv9qkxdawL",
	  "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	  "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
	  "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	  "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	  "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	{ "SHA256", "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	  "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	  "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	  "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static void check_examples(void)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct scram *s = scram_new(examples[i].hash, "user",
					    examples[i].nonce);
		const char *in = examples[i].server_first;
		const char *last = examples[i].server_final;
		struct buf out = BUF_INIT;
		const char *why = "";

		scram_first(s, &out);
		CHECK_STR(out.data, examples[i].first);
		CHECK_CASE("too early", scram_verify(s, last, strlen(last)) < 0);
		buf_reset(&out);
		CHECK(scram_answer(s, in, strlen(in), "pencil", 6, &out, &why) == 0);
		CHECK_STR(out.data, examples[i].final);
		CHECK(scram_verify(s, last, strlen(last)) == 0);
		CHECK_CASE("cut off", scram_verify(s, last, strlen(last) - 4) < 0);
		CHECK(scram_verify(s, "v=AAAA", 6) < 0);
		CHECK(scram_verify(s, "", 0) < 0);
		CHECK(scram_verify(s, "e=other-error", 13) < 0);
		buf_free(&out);
		scram_free(s);
	}
}

static const struct {
	const char *what, *in;
} bad[] = {
	{ "nothing", "" },
	{ "no answer to ours", "r=other,s=QSXCR+Q6sek8bf92,i=4096" },
	{ "our nonce and no more", "r=mine,s=QSXCR+Q6sek8bf92,i=4096" },
	{ "no salt", "r=mineXX,s=,i=4096" },
	{ "salt is no base64", "r=mineXX,s=????,i=4096" },
	{ "one round", "r=mineXX,s=QSXCR+Q6sek8bf92,i=1" },
	{ "4,095 rounds", "r=mineXX,s=QSXCR+Q6sek8bf92,i=4095" },
	{ "a week of rounds", "r=mineXX,s=QSXCR+Q6sek8bf92,i=99999999" },
	{ "rounds beyond numbers", "r=mineXX,s=QSXCR+Q6sek8bf92,i=99999999999999" },
	{ "negative rounds", "r=mineXX,s=QSXCR+Q6sek8bf92,i=-4096" },
	{ "an extension that must be known", "m=x,r=mineXX,s=QSXCR+Q6sek8bf92,i=4096" },
	{ "cut off", "r=mineXX,s=QSXCR" },
};

static void check_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct scram *s = scram_new("SHA1", "user", "mine");
		struct buf out = BUF_INIT;
		const char *why = NULL;

		scram_first(s, &out);
		buf_reset(&out);
		CHECK_CASE(bad[i].what,
			   scram_answer(s, bad[i].in, strlen(bad[i].in), "pw", 2,
					&out, &why) < 0);
		CHECK_CASE(bad[i].what, out.len == 0 && why && *why);
		buf_free(&out);
		scram_free(s);
	}
}

static void check_names(void)
{
	struct scram *s = scram_new("SHA1", "a=b,c", "mine");
	struct buf out = BUF_INIT;

	scram_first(s, &out);
	CHECK_STR(out.data, "n,,n=a=3Db=2Cc,r=mine");
	scram_free(s);
	CHECK(scram_new("no such hash", "user", NULL) == NULL);
	buf_free(&out);
}

int main(void)
{
	check_examples();
	check_bad();
	check_names();
	return check_done();
}
