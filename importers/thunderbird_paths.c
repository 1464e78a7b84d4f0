/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding what a path of a profile means on the disk at hand. */
#include "importers/thunderbird_paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/utf8.h"

void tb_path_join(struct buf *out, const char *dir, const char *name)
{
	buf_add_str(out, dir);
	if (*dir)
		buf_add_char(out, '/');
	buf_add_str(out, name);
}

char *tb_path_joined(const char *dir, const char *name, const char *suffix)
{
	struct buf path = BUF_INIT;

	tb_path_join(&path, dir, name);
	buf_add_str(&path, suffix);
	return buf_detach(&path);
}

char *tb_path_leaf(const char *path)
{
	size_t end = strlen(path), at;

	while (end && (path[end - 1] == '/' || path[end - 1] == '\\'))
		end--;
	at = end;
	while (at && path[at - 1] != '/' && path[at - 1] != '\\')
		at--;
	return mem_strndup(path + at, end - at);
}

const char *tb_path_below_root(struct walk *w, const char *path)
{
	const char *root = walk_root(w);
	size_t n = strlen(root);

	while (n && root[n - 1] == '/')
		n--;
	if (path[0] != '/' || strncmp(path, root, n) ||
	    (path[n] && path[n] != '/'))
		return NULL;
	return path + n + strspn(path + n, "/");
}

bool tb_path_is(struct walk *w, const char *dir, const char *name, mode_t kind)
{
	char *path = tb_path_joined(dir, name, "");
	struct stat st;
	bool is = walk_stat(w, path, &st) == 0 && (st.st_mode & S_IFMT) == kind;

	free(path);
	return is;
}

/* --- names --- */

void tb_fold_name(struct buf *out, const char *name)
{
	struct buf text = BUF_INIT;
	size_t at = out->len;

	utf8_add_guessed(&text, name, strlen(name));
	utf8_add_nfc(out, text.data, text.len);
	for (; at < out->len; at++)
		if (out->data[at] >= 'A' && out->data[at] <= 'Z')
			out->data[at] |= 0x20;
	buf_free(&text);
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

bool tb_same_name(const char *a, const char *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	if (!strcasecmp(a, b))
		return true;
	if (is_ascii(a) || is_ascii(b))
		return false;
	tb_fold_name(&x, a);
	tb_fold_name(&y, b);
	same = buf_equal(&x, &y);
	buf_free(&x);
	buf_free(&y);
	return same;
}

/* --- directories --- */

/* Append the part name to the path out. */
static void add_part(struct buf *out, const char *name, size_t n)
{
	if (out->len)
		buf_add_char(out, '/');
	buf_add(out, name, n);
}

static bool is_dir(struct walk *w, const struct buf *path)
{
	return tb_path_is(w, "", path->data, S_IFDIR);
}

/* Go down into the directory called name (n bytes), or like it. */
static bool step_down(struct walk *w, struct buf *out, const char *name,
		      size_t n)
{
	size_t before = out->len;
	struct err e = ERR_INIT;
	struct walk_dir d;
	bool found = false;
	char *want;

	add_part(out, name, n);
	if (is_dir(w, out))
		return true;
	buf_cut(out, before);
	if (walk_list(w, out->data, &d, &e) < 0)
		return false;
	want = mem_strndup(name, n);
	for (size_t i = 0; i < d.n && !found; i++) {
		const char *here = d.entries[i].name;

		if (d.entries[i].kind != 'd' || !tb_same_name(here, want))
			continue;
		add_part(out, here, strlen(here));
		found = true;
	}
	free(want);
	walk_dir_free(&d);
	return found;
}

static bool step_up(struct buf *out)
{
	char *slash = memrchr(out->data, '/', out->len);

	if (!out->len)
		return false;
	buf_cut(out, slash ? (size_t)(slash - out->data) : 0);
	return true;
}

static bool find_dir(struct walk *w, const char *dir, const char *path,
		     const char *slashes, struct buf *out)
{
	buf_set_str(out, dir);
	while (*path) {
		size_t n = strcspn(path, slashes);
		bool good = true;

		if (n == 2 && path[0] == '.' && path[1] == '.')
			good = step_up(out);
		else if (n && !(n == 1 && path[0] == '.'))
			good = step_down(w, out, path, n);
		if (!good)
			return false;
		path += n + (path[n] != '\0');
	}
	return is_dir(w, out);
}

bool tb_path_find_dir(struct walk *w, const char *dir, const char *path,
		      struct buf *out)
{
	return find_dir(w, dir, path, "/", out) ||
	       (strchr(path, '\\') && find_dir(w, dir, path, "/\\", out));
}
