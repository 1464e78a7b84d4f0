/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes any bytes for what the child of an isolated importer answers (isolated_wire.h).
   Whatever they are:

   - they are refused, or everything in them is within its bounds: parts of a path are
   there, UTF-8 and without control characters; numbers are of their lists; what is text
   has an end;
   - what was taken, sent again, is taken again, and is the same.

   The first byte chooses what they are taken for. */
#include "importers/isolated_wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held)
{
	if (!held)
		abort();
}

static bool is_shown(const char *s, size_t most)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7F)
			return false;
	/* A byte that is no UTF-8 becomes three. */
	return n <= 3 * most && utf8_valid(s, n);
}

static void check_folder(const char *bytes, size_t n)
{
	struct wire_folder a, b;
	struct buf once = BUF_INIT, twice = BUF_INIT;
	size_t parts = 0;

	wire_folder_init(&a);
	wire_folder_init(&b);
	if (!wire_get_folder(bytes, n, &a))
		goto out;
	for (; a.f.path[parts]; parts++)
		must(a.f.path[parts][0] &&
		     is_shown(a.f.path[parts], WIRE_NAME_MAX));
	must(parts > 0 && parts <= WIRE_DEPTH_MAX);
	must(a.f.id[0] && strlen(a.f.id) <= WIRE_NAME_MAX);
	must(a.f.fingerprint[0] &&
	     strlen(a.f.fingerprint) <= WIRE_FINGERPRINT_MAX);
	must(is_shown(a.f.file, WIRE_NAME_MAX) &&
	     is_shown(a.f.account, WIRE_NAME_MAX));
	must(folder_use_name(a.f.use) != NULL);
	wire_add_folder(&once, &a.f);
	/* Text that grew may be cut, and in the middle of a character. */
	if (!wire_get_folder(once.data, once.len, &b))
		abort();
	wire_add_folder(&twice, &b.f);
	if (once.len <= n)
		must(buf_equal(&once, &twice));
out:
	wire_folder_free(&a);
	wire_folder_free(&b);
	buf_free(&once);
	buf_free(&twice);
}

static void check_message(const char *bytes, size_t n)
{
	struct message a, b;
	struct buf once = BUF_INIT, twice = BUF_INIT;

	message_init(&a);
	message_init(&b);
	if (!wire_get_message(bytes, n, &a))
		goto out;
	must(a.locator.len && a.locator.len <= WIRE_LOCATOR_MAX &&
	     strlen(a.locator.data) == a.locator.len);
	must(a.skip == SKIP_NOT || message_skip_text(a.skip)[0]);
	must(!(a.flags.system &
	       ~(unsigned)(FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED |
			   FLAG_DRAFT)));
	wire_add_message(&once, &a);
	must(once.len <= n + 64 && wire_get_message(once.data, once.len, &b));
	wire_add_message(&twice, &b);
	must(buf_equal(&once, &twice));
	must(flags_equal(&a.flags, &b.flags));
out:
	message_free(&a);
	message_free(&b);
	buf_free(&once);
	buf_free(&twice);
}

static void check_error(const char *bytes, size_t n)
{
	struct err e = ERR_INIT;

	if (!wire_get_error(bytes, n, &e))
		return;
	must(e.kind == ERR_OTHER || e.kind == ERR_SOURCE);
	must(e.scope <= ERR_ACCOUNT && e.retry <= ERR_NOW && !e.wait_ms);
	must(strlen(e.text) < sizeof(e.text));
	must(is_shown(e.text, sizeof(e.text)));
}

static void check_texts(const char *bytes, size_t n)
{
	struct buf a = BUF_INIT, b = BUF_INIT, again = BUF_INIT;
	uint64_t number, same;

	if (wire_get_text(bytes, n, &a))
		must(is_shown(a.data, WIRE_REMARK_MAX));
	if (wire_get_go_to(bytes, n, &a, &b)) {
		must(strlen(a.data) <= WIRE_NAME_MAX);
		must(strlen(b.data) <= WIRE_LOCATOR_MAX);
		wire_add_text(&again, a.data, strlen(a.data));
		wire_add_text(&again, b.data, strlen(b.data));
		must(again.len == n && !memcmp(again.data, bytes, n));
	}
	buf_reset(&again);
	if (wire_get_number(bytes, n, &number)) {
		wire_add_number(&again, number);
		must(again.len == n && wire_get_number(again.data, n, &same) &&
		     same == number);
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *bytes = (const char *)data + 1;

	if (!n || n > WIRE_MAX)
		return 0;
	switch (data[0] % 4) {
	case 0:
		check_folder(bytes, n - 1);
		break;
	case 1:
		check_message(bytes, n - 1);
		break;
	case 2:
		check_error(bytes, n - 1);
		break;
	default:
		check_texts(bytes, n - 1);
		break;
	}
	return 0;
}
