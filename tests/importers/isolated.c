/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An importer that crashes, hangs, floods and lies takes down nothing but itself
   (importers/isolated.h, I1 to I4). */
#include "importers/isolated.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "importers/isolated_wire.h"
#include "tests/importers/tree.h"
#include "tests/lib/check.h"

extern const struct importer_ops importer_mbox;

/* ---- an importer that does as its path says ---- */

/* "open:crash", or folders divided by '/', of messages divided by ',': each says what
   happens when it is loaded, and "next:..." what happens when it is looked for. */
struct script {
	struct importer base;
	char *text, *folder, *message;
	char *next_folder, *next_message;
	char id[32], locator[32];
	unsigned folders, messages;
	const char *path[2];
};

static int own_socket(void)
{
	int kind;
	socklen_t n = sizeof(kind);

	for (int fd = 3; fd < 64; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &n) == 0)
			return fd;
	return -1;
}

static void send_frames(const char *bytes, size_t n, unsigned times)
{
	int fd = own_socket();

	while (times--)
		if (send(fd, bytes, n, 0) < 0)
			_exit(9);
}

static void eat_memory(void)
{
	for (;;) {
		char *p = mem_alloc(16 << 20);

		memset(p, 1, 16 << 20);
	}
}

static void flood(void)
{
	static char frame[5 + WIRE_MAX] = { WIRE_BYTES, 0, 0, 1, 0 };

	send_frames(frame, sizeof(frame), ~0u);
}

static void act(const char *what)
{
	if (!strcmp(what, "crash"))
		raise(SIGSEGV);
	else if (!strcmp(what, "abort"))
		abort();
	else if (!strcmp(what, "exit"))
		_exit(3);
	else if (!strcmp(what, "orphan"))
		kill(getppid(), SIGKILL), pause();
	else if (!strcmp(what, "term"))
		raise(SIGTERM);
	else if (!strcmp(what, "hang"))
		pause();
	else if (!strcmp(what, "memory"))
		eat_memory();
	else if (!strcmp(what, "flood"))
		flood();
	else if (!strcmp(what, "long"))
		send_frames("\x42\xff\xff\xff\xff", 5, 1);
	else if (!strcmp(what, "empty"))
		send_frames("\x42\0\0\0\0", 5, 1);
	else if (!strcmp(what, "strange"))
		send_frames("\xc8\1\0\0\0x", 6, 1);
	else if (!strcmp(what, "half"))
		send_frames("\x41\x30\0\0\0x", 6, 1), _exit(0);
	else if (!strcmp(what, "close"))
		close(own_socket()), pause();
}

static bool is(const char *what, const char *begin)
{
	return !strncmp(what, begin, strlen(begin));
}

static int script_open(const char *path, const struct importer_options *opt,
		       struct importer **imp_r, struct err *e)
{
	struct script *s = mem_zalloc(sizeof(*s));

	(void)opt;
	if (is(path, "open:"))
		act(path + 5);
	if (is(path, "missing"))
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "not there");
	s->text = mem_strdup(path);
	s->next_folder = s->text;
	*imp_r = &s->base;
	return 0;
}

static char *cut(char **next, char at)
{
	char *begin = *next, *end;

	if (!begin)
		return NULL;
	end = strchr(begin, at);
	*next = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return begin;
}

static int script_next_folder(struct importer *imp, struct folder *f,
			      struct err *e)
{
	struct script *s = (struct script *)imp;

	s->folder = cut(&s->next_folder, '/');
	s->next_message = s->folder;
	s->messages = 0;
	if (!s->folder)
		return 0;
	if (is(s->folder, "folder:")) {
		act(s->folder + 7);
		return err_set(e, ERR_SOURCE, ERR_FOLDER, ERR_NEVER,
			       "locked");
	}
	snprintf(s->id, sizeof(s->id), "f%02u", s->folders++);
	s->path[0] = "Box";
	*f = (struct folder){ .path = s->path,
			      .id = s->id,
			      .file = "script",
			      .account = "",
			      .use = USE_INBOX,
			      .fingerprint = "1",
			      .bytes = 7 };
	return 1;
}

static int script_next(struct importer *imp, struct message *m, struct err *e)
{
	struct script *s = (struct script *)imp;

	s->message = cut(&s->next_message, ',');
	if (!s->message || !s->message[0])
		return 0;
	if (is(s->message, "next:")) {
		act(s->message + 5);
		return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
			       "no such thing");
	}
	if (is(s->message, "forever"))
		s->next_message = s->message;
	snprintf(s->locator, sizeof(s->locator), "m%u", s->messages++);
	buf_set_str(&m->locator, s->locator);
	m->offset = 5;
	m->length = 6;
	return 1;
}

static int script_load(struct importer *imp, struct message *m, struct err *e)
{
	struct script *s = (struct script *)imp;
	struct buf text = BUF_INIT;
	int ret;

	if (is(s->message, "bad"))
		return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER,
			       "damaged\nhere");
	if (is(s->message, "auth"))
		return err_set(e, ERR_AUTH, ERR_RUN, ERR_NEVER, "not me");
	act(s->message);
	/* Headers of two lines, one with a bare line end, and a large body. */
	buf_addf(&text, "Subject: %s\nDate: Mon, 5 Jan 2004 10:00:00 +0000\r\n\n",
		 s->message);
	while (is(s->message, "large") && text.len < 3u << 20)
		buf_add_str(&text, "0123456789 abcdefgh\r\n");
	ret = intake_add(&m->in, text.data, text.len, e);
	buf_free(&text);
	if (ret < 0 || intake_end(&m->in, e) < 0)
		return -1;
	flags_parse(&m->flags, "\\Seen $label1", 13);
	m->notes = NOTE_REBUILT;
	m->when.delivered = 1234;
	message_date_from_header(m);
	return 0;
}

static const char *script_remark(struct importer *imp, unsigned nth)
{
	(void)imp;
	return nth < 2 ? "a remark\x07" : NULL;
}

static void script_close(struct importer *imp)
{
	(void)imp;
}

static const struct importer_ops script = {
	.name = "script",
	.open = script_open,
	.next_folder = script_next_folder,
	.next = script_next,
	.load = script_load,
	.remark = script_remark,
	.close = script_close,
};

/* ---- what its user sees ---- */

static const struct importer_ops outside = {
	.next_folder = isolated_next_folder,
	.next = isolated_next,
	.load = isolated_load,
	.pass = isolated_pass,
	.remark = isolated_remark,
	.close = isolated_close,
};

static const struct isolated_limits small = {
	.memory = 512 << 20,
	.open_seconds = 20,
	.silent_seconds = 1,
	.cpu_seconds = 20,
	.children = 8,
	.message_bytes = 8 << 20,
	.items = 100,
};

static const struct importer_options no_options;

/* "[m0 m1 !m2]": what was loaded, and what was not; the last error in e. */
static void read_messages(struct importer *imp, struct buf *out, struct err *e)
{
	struct message m;
	int got;

	message_init(&m);
	m.in.want_spool = true;
	for (;;) {
		message_reset(&m);
		got = imp->ops->next(imp, &m, e);
		if (got == 0 || (got < 0 && e->scope > ERR_MESSAGE))
			break;
		if (got < 0) {
			buf_add_str(out, " ?");
			continue;
		}
		got = imp->ops->load(imp, &m, e);
		if (got < 0 && e->scope > ERR_MESSAGE)
			break;
		buf_addf(out, " %s%s", got < 0 ? "!" : "", m.locator.data);
		if (got < 0)
			continue;
		CHECK(m.offset == 5 && m.length == 6);
		CHECK(m.flags.system == FLAG_SEEN &&
		      flags_has_keyword(&m.flags, "$label1"));
		CHECK(m.notes == NOTE_REBUILT && m.when.delivered == 1234);
		CHECK(m.when.date == 1073296800);
		CHECK(header_find(&m.in.header, "Subject", 0));
		CHECK(m.in.spool.len == m.in.wire_size && m.in.ends_with_eol);
	}
	if (got < 0)
		buf_add_str(out, e->scope == ERR_FOLDER ? " FOLDER"
							: " ACCOUNT");
	message_free(&m);
}

static void read_all(struct importer *imp, struct buf *out, struct err *e)
{
	struct folder f;
	int got;

	while ((got = imp->ops->next_folder(imp, &f, e)) != 0) {
		if (got < 0 && e->scope == ERR_FOLDER) {
			buf_add_str(out, "(FOLDER)");
			continue;
		}
		if (got < 0) {
			buf_add_str(out, "(ACCOUNT)");
			break;
		}
		CHECK(!strcmp(f.path[0], "Box") && !f.path[1]);
		CHECK(f.use == USE_INBOX && f.bytes == 7);
		buf_add_str(out, "[");
		read_messages(imp, out, e);
		buf_add_str(out, "]");
	}
}

static unsigned count_children(void)
{
	int status;

	return waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD ? 0 : 1;
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void run(const char *text, const struct isolated_limits *limits,
		const char *want, const char *error)
{
	unsigned before = count_descriptors();
	struct importer *imp = NULL;
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;

	if (isolated_open(&outside, &script, limits, text, &no_options, &imp,
			  &e) < 0) {
		CHECK_CASE(text, e.scope == ERR_ACCOUNT);
		buf_add_str(&out, "(open)");
	} else {
		read_all(imp, &out, &e);
		imp->ops->close(imp);
	}
	CHECK_STR(out.data, want);
	CHECK_CASE(text, strstr(e.text, error));
	if (!strstr(e.text, error))
		printf("  of \"%s\": \"%s\"\n", text, e.text);
	CHECK_CASE(text, e.kind == ERR_SOURCE || e.kind == ERR_OTHER);
	CHECK_CASE("no child is left", count_children() == 0);
	CHECK_CASE("no descriptor is left", count_descriptors() == before);
	buf_free(&out);
}

static const struct {
	const char *what, *text, *want, *error;
} cases[] = {
	{ "all is well", "a,b/c", "[ m0 m1][ m0]", "" },
	{ "an empty folder", "/a", "[][ m0]", "" },
	{ "a message in several pieces", "a,large,b", "[ m0 m1 m2]", "" },
	{ "an error of a message goes on", "a,bad,b", "[ m0 !m1 m2]",
	  "damaged?here" },
	{ "an error while looking, too", "a,next:well,b", "[ m0 ? m1]",
	  "no such thing" },
	{ "of a folder, too", "a/folder:well/b", "[ m0](FOLDER)[ m0]",
	  "locked" },
	{ "a child has no say in how a run ends", "a,auth,b", "[ m0 !m1 m2]",
	  "nonsense" },
	{ "a crash costs the message", "a,crash,b/c", "[ m0 !m1 m2][ m0]",
	  "script, Box, message m1: its reader crashed (SIGSEGV)" },
	{ "abort() is a crash", "a,abort,b", "[ m0 !m1 m2]", "SIGABRT" },
	{ "so is a signal from elsewhere", "a,term,b", "[ m0 !m1 m2]",
	  "SIGTERM" },
	{ "so is an exit", "a,exit,b", "[ m0 !m1 m2]", "status 3" },
	{ "the first, the last and two together", "crash,a,crash,crash",
	  "[ !m0 m1 !m2 !m3]", "SIGSEGV" },
	{ "a hang is ended", "a,hang,b", "[ m0 !m1 m2]", "not answer" },
	{ "a flood is stopped", "a,flood,b", "[ m0 !m1 m2]", "nonsense" },
	{ "a frame longer than any", "a,long,b", "[ m0 !m1 m2]", "nonsense" },
	{ "a frame of no bytes", "a,empty,b", "[ m0 !m1 m2]", "nonsense" },
	{ "a frame of no kind", "a,strange,b", "[ m0 !m1 m2]", "nonsense" },
	{ "a frame that ends too early", "a,half,b", "[ m0 !m1 m2]",
	  "ended by itself" },
	{ "a child that hangs up", "a,close,b", "[ m0 !m1 m2]", "SIGKILL" },
	{ "a crash while looking costs the folder", "a,next:crash,b/c",
	  "[ m0 FOLDER][ m0]", "script, Box: its reader crashed" },
	{ "while looking for a folder the source", "a/folder:crash/b",
	  "[ m0](ACCOUNT)", "its reader crashed" },
	{ "while opening, too", "open:crash", "(open)", "SIGSEGV" },
	{ "an error while opening", "missing", "(open)", "not there" },
	{ "messages without end", "forever", NULL, "than the file can hold" },
	{ "crashes without end", "crash,crash,crash,crash,crash,crash,crash,crash,a",
	  "[ !m0 !m1 !m2 !m3 !m4 !m5 !m6 !m7 ACCOUNT]", "crashed 8 times" },
};

static void check_cases(void)
{
	struct buf forever = BUF_INIT;

	/* A hundred answers, the folder's among them. */
	buf_add_str(&forever, "[");
	for (int i = 0; i < 99; i++)
		buf_addf(&forever, " m%d", i);
	buf_add_str(&forever, " ACCOUNT]");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("%s\n", cases[i].what);
		run(cases[i].text, &small,
		    cases[i].want ? cases[i].want : forever.data,
		    cases[i].error);
	}
	buf_free(&forever);
}

static void check_memory(void)
{
#if defined(__SANITIZE_ADDRESS__)
	printf("skipped: ASan and a limit of addresses do not go together\n");
#else
	struct isolated_limits limits = small;

	limits.memory = 128 << 20;
	limits.silent_seconds = 60;
	run("a,memory,b", &limits, "[ m0 !m1 m2]", "too much memory");
#endif
}

/* The process that makes children may be ended, and its child with it: that is no fault
   of the message. It happens every time here, so that the children are used up. */
static void check_orphan(void)
{
	unsigned before = count_children();
	struct importer *imp = NULL;
	struct err e = ERR_INIT;
	struct isolated_limits limits = small;
	struct buf out = BUF_INIT;

	limits.children = 3;
	CHECK(isolated_open(&outside, &script, &limits, "a,orphan,b",
			    &no_options, &imp, &e) == 0);
	read_all(imp, &out, &e);
	CHECK_STR(out.data, "[ m0 ACCOUNT]");
	imp->ops->close(imp);
	CHECK(count_children() == before);
	buf_free(&out);
}

static void check_remarks(void)
{
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	CHECK(isolated_open(&outside, &script, &small, "a", &no_options, &imp,
			    &e) == 0);
	CHECK_STR(imp->ops->remark(imp, 0), "a remark?");
	CHECK_STR(imp->ops->remark(imp, 1), "a remark?");
	CHECK(!imp->ops->remark(imp, 2));
	imp->ops->close(imp);
}

/* A thread that holds whatever locks there are for memory most of the time, and another
   that reads and then ends, folder by folder, as the engine's does. */
static atomic_bool enough;

static void *allocate(void *ctx)
{
	while (!enough) {
		for (int i = 0; i < 100; i++)
			free(mem_alloc(1000 + 700 * (size_t)i));
	}
	return ctx;
}

struct reading {
	struct importer *imp;
	struct buf out;
};

static void *read_in_thread(void *ctx)
{
	struct reading *r = ctx;
	struct err e = ERR_INIT;

	read_messages(r->imp, &r->out, &e);
	intake_thread_ends();
	return NULL;
}

static void check_threads(void)
{
	struct isolated_limits limits = small;
	struct reading r = { .out = BUF_INIT };
	struct buf text = BUF_INIT, want = BUF_INIT;
	pthread_t busy, reader;
	struct err e = ERR_INIT;
	struct folder f;

	limits.children = limits.items = 1000;
	limits.silent_seconds = limits.open_seconds = 60;
	for (int i = 0; i < 20; i++) {
		buf_addf(&text, "%sa,crash,b,crash,c", i ? "/" : "");
		buf_add_str(&want, "[ m0 !m1 m2 !m3 m4]");
	}
	CHECK(isolated_open(&outside, &script, &limits, text.data, &no_options,
			    &r.imp, &e) == 0);
	CHECK(pthread_create(&busy, NULL, allocate, NULL) == 0);
	while (r.imp->ops->next_folder(r.imp, &f, &e) > 0) {
		buf_add_str(&r.out, "[");
		CHECK(pthread_create(&reader, NULL, read_in_thread, &r) == 0);
		CHECK(pthread_join(reader, NULL) == 0);
		buf_add_str(&r.out, "]");
	}
	enough = true;
	pthread_join(busy, NULL);
	CHECK_STR(r.out.data, want.data);
	r.imp->ops->close(r.imp);
	CHECK(count_children() == 0);
	buf_free(&text);
	buf_free(&want);
	buf_free(&r.out);
}

/* Nothing of a run that is cut off stays behind: not even a child that hangs. */
static void check_left_alone(void)
{
	struct isolated_limits limits = small;
	int status = 0, ready[2];
	pid_t middle;

	limits.silent_seconds = 60;
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(ready) == 0);
	middle = fork();
	if (middle == 0) {
		struct importer *imp = NULL;
		struct err e;
		struct folder f;
		struct message m;

		message_init(&m);
		if (isolated_open(&outside, &script, &limits, "hang",
				  &no_options, &imp, &e) < 0 ||
		    imp->ops->next_folder(imp, &f, &e) < 0 ||
		    imp->ops->next(imp, &m, &e) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		imp->ops->load(imp, &m, &e);
		_exit(2);
	}
	CHECK(read(ready[0], &status, 1) == 1);
	kill(middle, SIGKILL);
	CHECK(waitpid(middle, &status, 0) == middle && WIFSIGNALED(status));
	/* What it has left is ours now, and ends. */
	CHECK(waitpid(-1, &status, 0) > 0);
	while (waitpid(-1, &status, 0) > 0)
		;
	CHECK(count_children() == 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(ready[0]);
	close(ready[1]);
}

/* ---- the same as without ---- */

static uint64_t lengths[64]; /* of a folder's messages, when they were loaded */

static void see_folder(struct importer *imp, struct buf *out, bool load)
{
	struct message m;
	struct err e = ERR_INIT;
	unsigned n = 0;
	int got;

	message_init(&m);
	m.in.want_spool = true;
	for (;; n++) {
		message_reset(&m);
		got = imp->ops->next(imp, &m, &e);
		if (got <= 0)
			break;
		/* Every other one is known by its length, in both. */
		if (!load && n % 2) {
			CHECK(imp->ops->pass(imp, lengths[n], &e) == 0);
			continue;
		}
		CHECK(imp->ops->load(imp, &m, &e) == 0);
		lengths[n % 64] = m.length;
		buf_addf(out, " %s %llu %llu ", m.locator.data,
			 (unsigned long long)m.length,
			 (unsigned long long)m.in.wire_size);
		flags_add_text(out, &m.flags);
		buf_addf(out, " %u %u %lld %lld", m.skip, m.notes,
			 (long long)m.when.delivered, (long long)m.when.date);
		for (int i = 0; i < DIGEST_SIZE; i++)
			buf_addf(out, "%02x", m.in.digest.full[i]);
		buf_add(out, m.in.spool.mem.data, m.in.spool.mem.len);
	}
	CHECK(got == 0);
	message_free(&m);
}

static void see(struct importer *imp, struct buf *out, bool load)
{
	struct folder f;
	struct err e = ERR_INIT;

	while (imp->ops->next_folder(imp, &f, &e) > 0) {
		buf_addf(out, "%s %s %s %u %llu:", f.id, f.path[0],
			 f.fingerprint, f.use, (unsigned long long)f.bytes);
		see_folder(imp, out, load);
	}
	imp->ops->close(imp);
}

/* Any importer may be isolated, also one that must be told what is passed over. */
static void check_same(void)
{
	char *root = tree_make();
	struct buf plain = BUF_INIT, isolated = BUF_INIT, text = BUF_INIT;
	struct importer *imp = NULL;
	struct err e = ERR_INIT;

	for (int i = 0; i < 40; i++)
		buf_addf(&text,
			 "From a@example.com Mon Jan  5 10:00:%02d 2004\n"
			 "Status: RO\nSubject: %d\n\n%*s\n\n",
			 i, i, i % 7, "");
	tree_file(root, "Inbox", text.data);
	tree_file(root, "Sent", text.data);
	for (int load = 1; load >= 0; load--) {
		buf_reset(&plain);
		buf_reset(&isolated);
		CHECK(importer_mbox.open(root, &no_options, &imp, &e) == 0);
		see(imp, &plain, load);
		CHECK(isolated_open(&outside, &importer_mbox, &small, root,
				    &no_options, &imp, &e) == 0);
		see(imp, &isolated, load);
		CHECK(plain.len > 1000 && buf_equal(&plain, &isolated));
	}
	tree_remove(root);
	buf_free(&plain);
	buf_free(&isolated);
	buf_free(&text);
}

int main(void)
{
	check_cases();
	check_memory();
	check_orphan();
	check_threads();
	check_left_alone();
	check_remarks();
	check_same();
	return check_done();
}
