/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arithmetic of batches, pauses and compression: storage/imap/pace.h. */
#include "storage/imap/pace.h"

#include "tests/lib/check.h"

/* A server that takes fixed_ms for a batch, and each_us for a message, over a
   line of line bytes a second: n batches as large as the pace wants, of
   messages of size bytes. Returns the time it took. */
static int64_t play(struct pace *p, unsigned n, int64_t fixed_ms,
		    int64_t each_us, uint64_t line, uint64_t size)
{
	int64_t now = 1000000, began = now, start = now;

	for (unsigned i = 0; i < n; i++) {
		size_t messages = p->batch_messages;
		uint64_t bytes;

		if (messages * size > p->batch_bytes)
			messages = (size_t)(p->batch_bytes / size);
		if (!messages)
			messages = 1;
		bytes = messages * size;
		now += fixed_ms + (int64_t)messages * each_us / 1000 +
		       (int64_t)(bytes * 1000 / line);
		pace_answered(p, messages, bytes, began, now, true);
		began = now;
	}
	return now - start;
}

static void batches(void)
{
	static const struct {
		const char *what;
		int64_t fixed_ms, each_us;
		uint64_t line, size;
		size_t least, most; /* messages in the end */
		uint64_t least_bytes, most_bytes;
	} cases[] = {
		{ "a commit costs much: batches grow", 200, 100, 100 << 20,
		  2000, 400, 800, 1 << 20, 8 << 20 },
		{ "a commit costs nothing: they stay near what they were", 0,
		  1000, 100 << 20, 2000, 50, 200, 1 << 20, 8 << 20 },
		{ "1 Mbit/s: four seconds of line, not more", 20, 100, 125000,
		  20000, 4, 800, 400000, 520000 },
		{ "a modem: never less than the least", 20, 100, 4000, 2000, 4,
		  800, PACE_BYTES_MIN, PACE_BYTES_MIN },
		{ "a fast line: never more than the most", 1, 10, 1000 << 20,
		  100000, 50, 800, PACE_BYTES_MAX, PACE_BYTES_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pace p;

		pace_init(&p);
		play(&p, 400, cases[i].fixed_ms, cases[i].each_us,
		     cases[i].line, cases[i].size);
		CHECK_CASE(cases[i].what,
			   p.batch_messages >= cases[i].least &&
				   p.batch_messages <= cases[i].most);
		CHECK_CASE(cases[i].what,
			   p.batch_bytes >= cases[i].least_bytes &&
				   p.batch_bytes <= cases[i].most_bytes);
	}
}

static void refusals_make_smaller(void)
{
	struct pace p;

	pace_init(&p);
	pace_refused(&p);
	CHECK_CASE("a refusal halves the batch, many leave the least",
		   p.batch_messages == PACE_MESSAGES / 2);
	for (unsigned i = 0; i < 20; i++)
		pace_refused(&p);
	CHECK_CASE("a refusal halves the batch, many leave the least",
		   p.batch_messages == PACE_MESSAGES_MIN);
	CHECK_CASE("a refusal halves the batch, many leave the least",
		   p.batch_bytes == PACE_BYTES_MIN);
	play(&p, 400, 50, 100, 100 << 20, 2000);
	CHECK_CASE("and it grows again when all goes well",
		   p.batch_messages > PACE_MESSAGES_MIN);
}

static void own_pauses_measure_nothing(void)
{
	struct pace p;

	pace_init(&p);
	for (int64_t i = 0; i < 100; i++)
		pace_answered(&p, 10, 1000, i * 10000, i * 10000 + 9000, false);
	CHECK_CASE(
		"answers while we had nothing to send say nothing of the server",
		p.rate == 0);
	CHECK_CASE(
		"answers while we had nothing to send say nothing of the server",
		p.batch_messages == PACE_MESSAGES);
}

static void throttled(void)
{
	struct pace p;
	int64_t now = 5000;

	pace_init(&p);
	CHECK_CASE("a word of being throttled puts a pause between commands",
		   pace_may_begin(&p, now));
	pace_began(&p, 1, now);
	CHECK_CASE("a word of being throttled puts a pause between commands",
		   pace_may_begin(&p, now));
	pace_throttled(&p, now);
	pace_began(&p, 1, now);
	CHECK_CASE("a word of being throttled puts a pause between commands",
		   !pace_may_begin(&p, now + PACE_DELAY_FIRST_MS - 1));
	CHECK_CASE("a word of being throttled puts a pause between commands",
		   pace_may_begin(&p, now + PACE_DELAY_FIRST_MS));
	pace_throttled(&p, now + 10);
	CHECK_CASE("the same word again within the window counts once",
		   p.delay_ms == PACE_DELAY_FIRST_MS);
	for (int i = 1; i < 20; i++)
		pace_throttled(&p, now + 2000 * i);
	CHECK_CASE("later it doubles, up to the most",
		   p.delay_ms == PACE_DELAY_MAX_MS);
	now += 100000;
	for (int i = 0; i < 20; i++) {
		now += PACE_QUIET_MS + 1;
		pace_answered(&p, 1, 1, now - 1, now, true);
	}
	CHECK_CASE("quiet times shrink it to nothing", p.delay_ms == 0);
}

static void provider_limit(void)
{
	struct pace p;

	pace_init(&p);
	p.messages_per_second = 4;
	pace_began(&p, 1, 1000);
	CHECK_CASE("four messages a second", !pace_may_begin(&p, 1249));
	CHECK_CASE("four messages a second", pace_may_begin(&p, 1250));
	pace_began(&p, 100, 2000);
	CHECK_CASE("four messages a second", !pace_may_begin(&p, 26999));
	CHECK_CASE("four messages a second", pace_may_begin(&p, 27000));
}

static void compress(void)
{
	static const struct {
		const char *what;
		uint64_t line, cpu, plain, wire;
		bool want;
	} cases[] = {
		{ "1 Mbit/s, text", 125000, 60 << 20, 100, 40, true },
		{ "1 Mbit/s, base64 of zipped files", 125000, 60 << 20, 100, 76,
		  true },
		{ "what does not shrink", 125000, 60 << 20, 100, 99, false },
		{ "a line as fast as the processor", 60 << 20, 60 << 20, 100,
		  40, false },
		{ "a slow processor", 10 << 20, 11 << 20, 100, 40, false },
		{ "100 Mbit/s, text", 12 << 20, 60 << 20, 100, 40, true },
		{ "nothing is known", 0, 60 << 20, 100, 40, false },
		{ "nothing was tried", 125000, 0, 0, 0, false },
		{ "no overflow", UINT64_MAX / 2, UINT64_MAX, UINT64_MAX, 1,
		  true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_CASE(cases[i].what,
			   pace_compress_pays(cases[i].line, cases[i].cpu,
					      cases[i].plain,
					      cases[i].wire) == cases[i].want);
	}
}

static void window(void)
{
	struct pace p;

	pace_init(&p);
	CHECK_CASE("until the line is known the window is open",
		   pace_window(&p) == PACE_WINDOW_MAX);
	p.rate = 125000;
	CHECK_CASE("a slow line: some seconds", pace_window(&p) == 1 << 20);
	p.rate = 8 << 20;
	p.connections = 4;
	CHECK_CASE("connections share", pace_window(&p) == PACE_WINDOW_MAX / 2);
}

int main(void)
{
	batches();
	refusals_make_smaller();
	own_pauses_measure_nothing();
	throttled();
	provider_limit();
	compress();
	window();
	return check_done();
}
