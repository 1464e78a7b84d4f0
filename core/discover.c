/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds every store below a path: names and the first bytes of files are looked
   at, mail is not read. Each directory is listed once, for all formats.

   A store that is sure of all that lies below it (CLAIM_ALL) is not looked into
   any further. Between the files of one that shares its directory with others
   (CLAIM_PART, or a format that gathers files) the search goes on, and what is
   found there is taken out of the first (source.except): no message is counted
   twice. */
#include "core/discover.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/vfs.h>

#include "core/base/log.h"

enum { FORMATS_MAX = 32, NONE = -1 };

/* The stores of which the directory at hand is a part, by format: indices into
   the list. */
struct within {
	int source[FORMATS_MAX];
};

struct search {
	struct walk *w;
	const char *root; /* the real path of w's root */
	dev_t device;	  /* of the directory looked into last */
	struct sources *found;
	size_t before; /* what the list held when we began */
	char *head;    /* CLAIM_HEAD bytes */
	struct found_notes *notes;
};

/* Kinds of files that no mail program keeps mail in. On a whole disk they are
   nearly all there are, and to open each would take hours. */
static const char *const other_kinds[] = {
	"3gp",	"7z",	"aac",	  "avi",  "bat",   "bin", "bmp",  "cab",
	"cat",	"chm",	"class",  "cmd",  "com",   "cpl", "css",  "csv",
	"cur",	"dll",	"dmg",	  "doc",  "docx",  "drv", "dvi",  "eot",
	"eps",	"exe",	"flac",	  "flv",  "fon",   "gif", "h",	  "heic",
	"hlp",	"htm",	"html",	  "ico",  "inf",   "iso", "jar",  "jpeg",
	"jpg",	"js",	"json",	  "jtd",  "lib",   "lnk", "m4a",  "manifest",
	"mdb",	"mid",	"mkv",	  "mov",  "mp3",   "mp4", "mpeg", "mpg",
	"msf",	"msi",	"mui",	  "nls",  "nws",   "o",	  "obj",  "ocx",
	"odp",	"ods",	"odt",	  "ogg",  "otf",   "pdb", "pdf",  "png",
	"ppt",	"pptx", "psd",	  "py",	  "pyc",   "rar", "rpm",  "rtf",
	"scr",	"so",	"sqlite", "svg",  "swf",   "sys", "tif",  "tiff",
	"tlb",	"ttc",	"ttf",	  "vhd",  "vmdk",  "vob", "wav",  "webm",
	"webp", "wma",	"wmv",	  "woff", "woff2", "xls", "xlsx", "xml",
};

static bool is_other_kind(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t low = 0, high = sizeof(other_kinds) / sizeof(other_kinds[0]);

	if (!dot || dot == name)
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcasecmp(dot + 1, other_kinds[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static char *join(const char *dir, const char *name)
{
	struct buf path = BUF_INIT;

	buf_addf(&path, "%s%s%s", dir, dir[0] && name[0] ? "/" : "", name);
	return buf_detach(&path);
}

static int format_index(const struct importer_ops *format)
{
	int i = 0;

	while (importer_registry[i] != format)
		i++;
	return i;
}

/* ---- the list ---- */

static int add_source(struct search *s, const struct importer_ops *format,
		      const char *rel)
{
	struct sources *l = s->found;
	char *path = join(s->root, rel);

	l->list = mem_realloc(l->list, (l->n + 1) * sizeof(*l->list));
	l->list[l->n] = (struct source){ .format = format,
					 .path = path,
					 .found = true };
	return (int)l->n++;
}

/* rel is not part of the source at this place in the list. */
static void take_out(struct search *s, int at, const char *rel)
{
	struct source *from = &s->found->list[at];
	size_t n = 0, len = strlen(from->path);
	char *path = join(s->root, rel);

	while (from->except && from->except[n])
		n++;
	from->except =
		mem_realloc(from->except, (n + 2) * sizeof(*from->except));
	from->except[n] = mem_strdup(path + len + (path[len] == '/'));
	from->except[n + 1] = NULL;
	free(path);
}

/* But for the source of the format whose it is. */
static void take_out_of_all(struct search *s, const struct within *in,
			    const char *rel, int but)
{
	for (int i = 0; i < FORMATS_MAX; i++)
		if (i != but && in->source[i] != NONE)
			take_out(s, in->source[i], rel);
}

/* ---- looking ---- */

/* Whose is this file? wanted_r: a set of the formats that would take it. */
static const struct importer_ops *ask_file(struct search *s, const char *rel,
					   uint32_t *wanted_r)
{
	const struct importer_ops *surest = NULL;
	enum claim most = CLAIM_NO;
	struct candidate c;
	struct err ignored;

	*wanted_r = 0;
	candidate_init(&c, s->w, rel);
	if (candidate_read(&c, s->head, &ignored) < 0) {
		s->notes->unreadable++;
		return NULL;
	}
	for (int i = 0; importer_registry[i]; i++) {
		enum claim claim = importer_registry[i]->claim(&c);

		if (claim > CLAIM_NO)
			*wanted_r |= UINT32_C(1) << i;
		if (claim > most) {
			most = claim;
			surest = importer_registry[i];
		}
	}
	return surest;
}

/* A file of a directory. */
struct file {
	const char *name;
	int format; /* whose it is; or NONE */
	uint32_t wanted;
};

static void look_at_file(struct search *s, struct within *in, const char *dir,
			 struct file *f)
{
	char *rel = join(dir, f->name);
	const struct importer_ops *format = ask_file(s, rel, &f->wanted);

	f->format = format ? format_index(format) : NONE;
	if (format && in->source[f->format] == NONE) {
		if (format->gathers)
			in->source[f->format] = add_source(s, format, dir);
		else
			add_source(s, format, rel);
	}
	free(rel);
}

/* What two formats would take is the surer one's alone. */
static void settle_file(struct search *s, const struct within *in,
			const char *dir, const struct file *f)
{
	bool alone =
		f->format != NONE && !importer_registry[f->format]->gathers;
	char *rel;

	if (f->format == NONE)
		return;
	rel = join(dir, f->name);
	for (int i = 0; i < FORMATS_MAX; i++)
		if (i != f->format && in->source[i] != NONE &&
		    (alone || f->wanted >> i & 1))
			take_out(s, in->source[i], rel);
	free(rel);
}

static void look_at_files(struct search *s, struct within *in, const char *dir,
			  const struct walk_dir *d)
{
	struct file *files = mem_alloc(d->n * sizeof(*files) + 1);
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->entries[i].kind != 'f' ||
		    is_other_kind(d->entries[i].name))
			continue;
		files[n].name = d->entries[i].name;
		look_at_file(s, in, dir, &files[n++]);
	}
	for (size_t i = 0; i < n; i++)
		settle_file(s, in, dir, &files[i]);
	free(files);
}

/* File systems that hold nothing but the kernel's own. */
static bool is_kernels(struct search *s, const char *rel)
{
	static const long magics[] = {
		0x9fa0,	    /* proc */
		0x62656572, /* sysfs */
		0x27e0eb,   /* cgroup */
		0x63677270, /* cgroup2 */
		0x1cd1,	    /* devpts */
		0x64626720, /* debugfs */
		0x74726163, /* tracefs */
		0x73636673, /* securityfs */
	};
	struct statfs fs;
	struct stat st;
	char *path;
	int got;

	if (walk_stat(s->w, rel, &st) < 0 || st.st_dev == s->device)
		return false;
	s->device = st.st_dev;
	path = join(s->root, rel);
	got = statfs(path, &fs);
	free(path);
	for (size_t i = 0; got == 0 && i < sizeof(magics) / sizeof(*magics);
	     i++)
		if (fs.f_type == magics[i])
			return true;
	return false;
}

/* ---- side by side ---- */

static bool is_child_of(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n && dir[n - 1] == '/')
		n--;
	/* It lies in dir, or is dir itself. */
	return path[n] && !strchr(path + n + 1, '/');
}

static void remove_source(struct sources *l, size_t at)
{
	source_free(&l->list[at]);
	l->n--;
	memmove(&l->list[at], &l->list[at + 1], (l->n - at) * sizeof(*l->list));
}

/* Everything that was found from first on is taken out of the source at this
   place, but for what shares its directories with others, and its own. */
static void take_out_others(struct search *s, size_t at, size_t first)
{
	struct sources *l = s->found;
	size_t root = strlen(s->root);

	for (size_t i = first; i < l->n; i++)
		if (i != at && l->list[i].format != l->list[at].format &&
		    !l->list[i].format->gathers)
			take_out(s, (int)at,
				 l->list[i].path + root +
					 (l->list[i].path[root] == '/'));
}

/* Directories of the same format that lie side by side are one store, of their
   parent, with all below: apart, folders of one name in both would become one. */
static void join_siblings(struct search *s, const char *rel, size_t first)
{
	struct sources *l = s->found;
	char *dir = join(s->root, rel);

	for (size_t i = first; i < l->n; i++) {
		const struct importer_ops *format = l->list[i].format;
		size_t side_by_side = 0;

		if (!format->gathers)
			continue;
		for (size_t k = i; k < l->n; k++)
			side_by_side += l->list[k].format == format &&
					is_child_of(l->list[k].path, dir);
		if (side_by_side < 2)
			continue;
		for (size_t k = l->n - 1; k > i; k--)
			if (l->list[k].format == format)
				remove_source(l, k);
		source_free(&l->list[i]);
		l->list[i] = (struct source){ .format = format,
					      .path = mem_strdup(dir),
					      .found = true };
		take_out_others(s, i, first);
	}
	free(dir);
}

static void look_into(struct search *s, struct within in, const char *rel);

static void look_below(struct search *s, struct within *in, const char *rel,
		       const struct walk_dir *d)
{
	look_at_files(s, in, rel, d);
	for (size_t i = 0; i < d->n; i++) {
		char *below;

		if (d->entries[i].kind != 'd')
			continue;
		below = join(rel, d->entries[i].name);
		look_into(s, *in, below);
		free(below);
	}
}

/* The directory as a whole: true if there is nothing more to look for in it. */
static bool take_directory(struct search *s, struct within *in, const char *rel,
			   const struct walk_dir *d)
{
	const struct importer_ops *format;
	struct candidate c;
	enum claim claim;
	int at;

	candidate_init(&c, s->w, rel);
	c.dir = d;
	format = importer_surest(&c, &claim);
	if (!format)
		return false;
	at = format_index(format);
	if (claim >= CLAIM_ALL || in->source[at] == NONE)
		take_out_of_all(s, in, rel, at);
	if (in->source[at] == NONE)
		in->source[at] = add_source(s, format, rel);
	return claim >= CLAIM_ALL;
}

static void look_into(struct search *s, struct within in, const char *rel)
{
	size_t first = s->found->n;
	struct walk_dir d = { 0 };
	struct err e = ERR_INIT;

	if (is_kernels(s, rel))
		return;
	if (walk_list(s->w, rel, &d, &e) < 0) {
		s->notes->unreadable++;
		log_line(LOG_WARNING, "%s", e.text);
		return;
	}
	s->notes->directories++;
	if (!take_directory(s, &in, rel, &d)) {
		look_below(s, &in, rel, &d);
		join_siblings(s, rel, first);
	}
	walk_dir_free(&d);
}

int source_discover(const char *path, struct sources *l,
		    struct found_notes *notes_r, struct err *e)
{
	struct search s = { .root = path, .found = l, .notes = notes_r };
	struct within in;
	struct stat st;

	*notes_r = (struct found_notes){ .directories = 0 };
	if (walk_open(path, &s.w, e) < 0)
		return err_widen(e, ERR_RUN);
	for (int i = 0; i < FORMATS_MAX; i++)
		in.source[i] = NONE;
	s.before = l->n;
	s.head = mem_alloc(CLAIM_HEAD);
	if (walk_stat(s.w, "", &st) == 0)
		s.device = st.st_dev;
	if (walk_is_file(s.w)) {
		uint32_t wanted;
		const struct importer_ops *format = ask_file(&s, "", &wanted);

		if (format)
			add_source(&s, format, "");
	} else {
		look_into(&s, in, "");
	}
	for (size_t i = s.before; i < l->n; i++)
		notes_r->stores++;
	free(s.head);
	walk_close(s.w);
	return 0;
}
