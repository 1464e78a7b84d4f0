/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The promises W1 to W4 of importers/walk.h, on a tree made for the purpose. */
#include "importers/walk.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/importers/tree.h"
#include "tests/lib/check.h"

static const char *kinds(struct walk *w, const char *rel)
{
	static char text[600];
	struct walk_dir d;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (walk_list(w, rel, &d, &e) < 0) {
		snprintf(text, sizeof(text), "error: %s", e.text);
		return text;
	}
	text[0] = '\0';
	for (size_t i = 0; i < d.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c %s",
				      i ? ", " : "", d.entries[i].kind,
				      d.entries[i].name);
	walk_dir_free(&d);
	return text;
}

static bool can_open(struct walk *w, const char *rel)
{
	struct err e = ERR_INIT;
	struct stat st;
	int fd = walk_file(w, rel, &st, &e);

	if (fd >= 0) {
		CHECK(S_ISREG(st.st_mode));
		CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
		return true;
	}
	CHECK_CASE("an error says why", e.text[0]);
	CHECK(e.scope == ERR_FOLDER && e.kind == ERR_SOURCE);
	return false;
}

static struct walk *open_walk(const char *path)
{
	struct walk *w = NULL;
	struct err e = ERR_INIT;

	if (walk_open(path, &w, &e) < 0) {
		printf("%s\n", e.text);
		exit(1);
	}
	return w;
}

static void test_links_and_special_files(const char *root)
{
	static const struct {
		const char *what, *rel;
	} refused[] = {
		{ "a link to a file inside", "link-file" },
		{ "a link to a file by its whole path", "link-absolute" },
		{ "a link that leads outside", "link-outside" },
		{ "through a link to a directory", "link-dir/mail" },
		{ "through a link to the parent", "dir/link-up/file" },
		{ "a link to itself", "link-self" },
		{ "a dangling link", "link-nowhere" },
		{ "a FIFO", "fifo" },
		{ "a socket", "socket" },
		{ "a directory", "dir" },
		{ "a name that is not there", "nothing" },
		{ "dot dot", "dir/../file" },
		{ "only dot dot", ".." },
		{ "dot", "./file" },
		{ "a path from the root", "/etc/passwd" },
		{ "a slash at the end", "file/" },
		{ "two slashes", "dir//mail" },
		{ "below a file", "file/mail" },
		{ "the root itself", "" },
	};
	struct walk *w;
	struct stat st;

	tree_file(root, "file", "text");
	tree_file(root, "dir/mail", "text");
	tree_file(root, "dir/\xFF\n'", "text");
	tree_link(root, "link-file", "file");
	tree_link(root, "link-absolute", tree_path(root, "file"));
	tree_link(root, "link-outside", "/etc/passwd");
	tree_link(root, "link-dir", "dir");
	tree_link(root, "dir/link-up", "..");
	tree_link(root, "link-self", "link-self");
	tree_link(root, "link-nowhere", "nowhere");
	tree_special(root, "fifo", S_IFIFO);
	tree_special(root, "socket", S_IFSOCK);
	w = open_walk(root);
	CHECK(!walk_is_file(w));
	CHECK_STR(walk_root(w), root);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK_CASE(refused[i].what, !can_open(w, refused[i].rel));
	CHECK(can_open(w, "file"));
	CHECK(can_open(w, "dir/mail"));
	CHECK(can_open(w, "dir/\xFF\n'"));
	CHECK_STR(kinds(w, ""), "d dir, ? fifo, f file, l link-absolute, "
				"l link-dir, l link-file, l link-nowhere, "
				"l link-outside, l link-self, ? socket");
	CHECK_STR(kinds(w, "dir"), "l link-up, f mail, f \xFF\n'");
	CHECK_CASE("a directory may be listed again",
		   !strncmp(kinds(w, "dir"), "l link-up", 9));
	CHECK_CASE("a link to a directory is not listed",
		   !strncmp(kinds(w, "link-dir"), "error", 5));
	CHECK_CASE("nor what is behind one",
		   !strncmp(kinds(w, "dir/link-up/dir"), "error", 5));
	CHECK(walk_stat(w, "link-file", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(walk_stat(w, "dir/link-up", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(walk_stat(w, "dir/mail", &st) == 0 && st.st_size == 4);
	CHECK(walk_stat(w, "link-dir/mail", &st) < 0);
	CHECK(walk_stat(w, "..", &st) < 0);
	CHECK(walk_stat(w, "", &st) == 0 && S_ISDIR(st.st_mode));
	walk_close(w);
}

static void test_root_may_be_a_link(const char *root)
{
	struct err e = ERR_INIT;
	struct walk *w;

	tree_file(root, "real/mail", "text");
	tree_link(root, "way", "real");
	tree_link(root, "way-file", "real/mail");
	w = open_walk(tree_path(root, "way"));
	CHECK_STR(kinds(w, ""), "f mail");
	walk_close(w);
	w = open_walk(tree_path(root, "way-file"));
	CHECK(walk_is_file(w) && can_open(w, "") && !can_open(w, "mail"));
	CHECK(!strncmp(kinds(w, ""), "error", 5));
	walk_close(w);
	w = NULL;
	CHECK(walk_open(tree_path(root, "absent"), &w, &e) < 0 && !w);
	tree_special(root, "pipe", S_IFIFO);
	CHECK(walk_open(tree_path(root, "pipe"), &w, &e) < 0 && !w);
	CHECK_CASE("the whole source is out of reach", e.scope == ERR_ACCOUNT);
}

/* Bind mounts need a privilege: the child tries in a namespace of its own, and says so
   when it may not. */
static void test_bind_mounts(const char *root)
{
	pid_t child;
	int status;

	tree_file(root, "a/mail", "text");
	tree_dir(root, "a/loop");
	tree_dir(root, "b");
	fflush(stdout);
	child = fork();
	if (!child) {
		struct walk *w;

		if (unshare(CLONE_NEWNS) < 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(root, tree_path(root, "a/loop"), NULL, MS_BIND, NULL))
			_exit(77);
		w = open_walk(root);
		CHECK_STR(kinds(w, ""), "d a, d b");
		CHECK_STR(kinds(w, "a"), "d loop, f mail");
		CHECK_CASE("the root again, inside itself",
			   strstr(kinds(w, "a/loop"), "second name"));
		walk_close(w);
		_exit(check_failures != 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("skipped: bind mounts are not allowed here\n");
	else
		CHECK_CASE("bind mounts", !WEXITSTATUS(status));
}

static void test_depth(const char *root)
{
	struct walk *w;
	struct buf rel = BUF_INIT;

	for (int i = 0; i < WALK_DEPTH - 1; i++)
		buf_add_str(&rel, "d/");
	buf_add_str(&rel, "mail");
	tree_file(root, rel.data, "text");
	w = open_walk(root);
	CHECK(can_open(w, rel.data));
	walk_close(w);
	buf_reset(&rel);
	for (int i = 0; i < WALK_DEPTH; i++)
		buf_add_str(&rel, "d/");
	buf_add_str(&rel, "mail");
	tree_file(root, rel.data, "text");
	w = open_walk(root);
	CHECK_CASE("one deeper", !can_open(w, rel.data));
	walk_close(w);
	/* Longer than PATH_MAX: the kernel does not take it in one piece. */
	buf_reset(&rel);
	for (int i = 0; i < 40; i++)
		buf_addf(&rel, "%0200d/", i);
	buf_add_str(&rel, "mail");
	CHECK(rel.len > PATH_MAX);
	tree_file(root, rel.data, "text");
	w = open_walk(root);
	CHECK_CASE("a very long path", can_open(w, rel.data));
	buf_cut(&rel, rel.len - strlen("/mail"));
	CHECK_STR(kinds(w, rel.data), "f mail");
	walk_close(w);
	buf_free(&rel);
}

static void test_slurp(const char *root)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct walk *w;

	tree_file(root, "conf", "0123456789");
	w = open_walk(root);
	buf_add_str(&out, "<");
	CHECK(walk_slurp(w, "conf", 10, &out, &e) == 0);
	CHECK_STR(out.data, "<0123456789");
	CHECK_CASE("too large", walk_slurp(w, "conf", 9, &out, &e) < 0);
	CHECK_STR(out.data, "<0123456789");
	CHECK_CASE("absent", walk_slurp(w, "no", 9, &out, &e) < 0);
	buf_free(&out);
	walk_close(w);
}

static void test_many_names(const char *root)
{
	enum { MANY = 3000 };
	struct walk_dir d;
	struct err e = ERR_INIT;
	struct walk *w;
	bool sorted = true;

	for (int i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%d", i * 7919 % MANY);
		tree_file(root, name, "");
	}
	w = open_walk(root);
	CHECK(walk_list(w, "", &d, &e) == 0 && d.n == MANY);
	for (size_t i = 1; i < d.n; i++)
		sorted = sorted && strcmp(d.entries[i - 1].name,
					  d.entries[i].name) < 0;
	CHECK(sorted);
	walk_dir_free(&d);
	walk_close(w);
}

/* W1: looking and reading leaves no trace in any inode. */
static void test_no_trace(const char *root)
{
	struct buf before = BUF_INIT, after = BUF_INIT, text = BUF_INIT;
	struct err e = ERR_INIT;
	struct walk *w;

	tree_file(root, "dir/mail", "text");
	tree_file(root, "dir/sub/mail", "text");
	tree_special(root, "fifo", S_IFIFO);
	tree_link(root, "link", "dir");
	tree_age(root);
	tree_times(root, &before);
	w = open_walk(root);
	kinds(w, "");
	kinds(w, "dir");
	kinds(w, "dir/sub");
	CHECK(walk_slurp(w, "dir/mail", 9, &text, &e) == 0);
	CHECK(walk_slurp(w, "dir/sub/mail", 9, &text, &e) == 0);
	CHECK(!can_open(w, "fifo") && !can_open(w, "link/mail"));
	walk_close(w);
	tree_times(root, &after);
	CHECK_STR(after.data, before.data);
	CHECK(before.len > 100);
	buf_free(&before);
	buf_free(&after);
	buf_free(&text);
}

static void run_all(void)
{
	static void (*const tests[])(const char *) = {
		test_links_and_special_files,
		test_root_may_be_a_link,
		test_bind_mounts,
		test_depth,
		test_slurp,
		test_many_names,
		test_no_trace,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		char *root = tree_make();

		tests[i](root);
		tree_remove(root);
	}
}

/* The same on a kernel without openat2, or in a sandbox that refuses it: the child
   gets a filter that answers with error. */
static void run_without_openat2(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | ((unsigned)error & 0xFFFF)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
			_exit(77);
		run_all();
		fflush(stdout);
		_exit(check_failures != 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("skipped: no system call filters here\n");
	else
		CHECK_CASE(strerror(error), !WEXITSTATUS(status));
}

int main(void)
{
	run_all();
	run_without_openat2(ENOSYS);
	run_without_openat2(EPERM);
	return check_done();
}
