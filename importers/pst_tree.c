/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folders of an Outlook store. Every folder and every message is a node that
   names its parent; the tables of contents beside them are not needed. */
#include "importers/pst_tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/utf8.h"
#include "importers/pst_message.h"
#include "importers/walk.h"

/* ---- the store's own properties ---- */

static int open_node(struct pst_store *st, uint32_t nid, struct pst_props *p_r,
		     struct err *e)
{
	const struct pst_node *node = pst_store_find(st, nid);

	if (!node)
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: damaged: node %#x is missing; repair a "
			       "copy of it with Outlook's scanpst.exe",
			       pst_store_name(st), nid);
	if (pst_props_open(st, node->place, p_r, e) < 0)
		return err_in(e, "%s", pst_store_name(st));
	return 0;
}

void pst_tree_store_key(struct pst_store *st, size_t most, struct buf *out)
{
	const struct pst_prop *prop;
	struct pst_props p;
	struct err ignored;

	if (open_node(st, PST_NID_STORE, &p, &ignored) < 0)
		return;
	prop = pst_prop(&p, PR_RECORD_KEY);
	if (prop)
		pst_prop_bytes(&p, prop, most, out, &ignored);
	pst_props_close(&p);
}

enum { ENTRYID_NID = 20, ENTRYID_SIZE = 24 };

static uint32_t u32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

/* The folder that a property of the store names; 0 if it does not ([MS-PST] 2.4.3.2). */
static uint32_t folder_named(const struct pst_props *store, uint16_t id)
{
	const struct pst_prop *prop = pst_prop(store, id);
	struct buf bytes = BUF_INIT;
	struct err ignored;
	uint32_t nid = 0;

	if (prop && prop->type == PST_BINARY &&
	    pst_prop_bytes(store, prop, ENTRYID_SIZE, &bytes, &ignored) == 0 &&
	    bytes.len == ENTRYID_SIZE)
		nid = u32(bytes.data + ENTRYID_NID);
	buf_free(&bytes);
	return nid;
}

/* ---- categories: a property with a name ([MS-PST] 2.4.7) ---- */

/* A name of Outlook's own set, PS_PUBLIC_STRINGS: mail's field Keywords is in
   another. */
enum { NAMES_MAX = 4 << 20, NAME_ENTRY = 8, PUBLIC_NAME = 2 << 1 | 1 };

static bool is_keywords(const struct buf *names, uint32_t at)
{
	static const char want[] = "Keywords";
	const char *p = names->data + at;

	if (at > names->len || names->len - at < 4 ||
	    u32(p) != 2 * (sizeof(want) - 1) ||
	    names->len - at - 4 < 2 * (sizeof(want) - 1))
		return false;
	for (size_t i = 0; want[i]; i++)
		if (ascii_lower(p[4 + 2 * i]) != ascii_lower(want[i]) ||
		    p[5 + 2 * i])
			return false;
	return true;
}

uint16_t pst_tree_keywords(struct pst_store *st)
{
	struct buf entries = BUF_INIT, names = BUF_INIT;
	const struct pst_prop *list, *text;
	struct pst_props p;
	struct err ignored;
	uint16_t found = 0;

	if (open_node(st, PST_NID_NAMES, &p, &ignored) < 0)
		return 0;
	list = pst_prop(&p, 3);
	text = pst_prop(&p, 4);
	if (!list || !text ||
	    pst_prop_bytes(&p, list, NAMES_MAX, &entries, &ignored) < 0 ||
	    pst_prop_bytes(&p, text, NAMES_MAX, &names, &ignored) < 0)
		goto out;
	for (size_t i = 0; i + NAME_ENTRY <= entries.len && !found;
	     i += NAME_ENTRY) {
		uint32_t guid = u32(entries.data + i + 4) & 0xFFFF;
		uint32_t index = u32(entries.data + i + 4) >> 16;

		if (guid == PUBLIC_NAME &&
		    is_keywords(&names, u32(entries.data + i)))
			found = (uint16_t)(0x8000 + index);
	}
out:
	buf_free(&entries);
	buf_free(&names);
	pst_props_close(&p);
	return found;
}

/* ---- what strings are written in ---- */

enum { ASKED = 64, PAGES = 16 };

uint32_t pst_tree_guess_code_page(struct pst_store *st)
{
	struct {
		uint32_t page;
		unsigned n;
	} pages[PAGES] = { { 0 } };
	const struct pst_node *nodes;
	unsigned asked = 0, best = 0;
	size_t n;

	nodes = pst_store_nodes(st, &n);
	for (size_t i = 0; i < n && asked < ASKED; i++) {
		struct pst_props p;
		struct err ignored;
		uint32_t page;
		unsigned at = 0;

		if ((nodes[i].nid & PST_NID_KIND) != PST_NID_MESSAGE ||
		    pst_props_open(st, nodes[i].place, &p, &ignored) < 0)
			continue;
		asked++;
		page = pst_windows_page(
			pst_prop_number(&p, PR_MESSAGE_CODEPAGE, 0));
		if (!page)
			page = pst_windows_page(
				pst_prop_number(&p, PR_INTERNET_CPID, 0));
		pst_props_close(&p);
		if (!page)
			continue;
		while (at < PAGES - 1 && pages[at].n && pages[at].page != page)
			at++;
		pages[at].page = page;
		if (++pages[at].n > pages[best].n)
			best = at;
	}
	return pages[best].page;
}

/* ---- folders ---- */

struct uses {
	uint32_t top, trash, sent, outbox;
};

struct reading {
	struct pst_tree *t;
	struct pst_store *st;
	struct remarks *remarks;
	const char *charset;
	struct uses uses;
	const struct pst_node *
		*children; /* nodes sorted by parent and number */
	size_t n;
	const char *path[WALK_DEPTH + 1];
};

static int by_parent(const void *va, const void *vb)
{
	const struct pst_node *a = *(const struct pst_node *const *)va;
	const struct pst_node *b = *(const struct pst_node *const *)vb;

	if (a->parent != b->parent)
		return a->parent > b->parent ? 1 : -1;
	return (a->nid > b->nid) - (a->nid < b->nid);
}

static bool is_folder(const struct pst_node *node)
{
	return (node->nid & PST_NID_KIND) == PST_NID_FOLDER;
}

static bool is_message(const struct pst_node *node)
{
	return (node->nid & PST_NID_KIND) == PST_NID_MESSAGE;
}

static void collect_children(struct reading *r)
{
	const struct pst_node *nodes;
	size_t n;

	nodes = pst_store_nodes(r->st, &n);
	r->children = mem_alloc((n + 1) * sizeof(struct pst_node *));
	for (size_t i = 0; i < n; i++)
		/* Outlook's root is its own parent. */
		if ((is_folder(&nodes[i]) || is_message(&nodes[i])) &&
		    nodes[i].parent != nodes[i].nid)
			r->children[r->n++] = &nodes[i];
	qsort(r->children, r->n, sizeof(struct pst_node *), by_parent);
}

static size_t first_child(const struct reading *r, uint32_t parent)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->children[mid]->parent < parent)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum folder_use use_of(const struct reading *r, uint32_t nid,
			      unsigned depth)
{
	if (nid == r->uses.trash)
		return USE_TRASH;
	if (nid == r->uses.sent)
		return USE_SENT;
	if (nid == r->uses.outbox)
		return USE_QUEUE;
	return depth == 1 ? folder_use_by_name(r->path[0]) : USE_NONE;
}

static char **copy_path(const struct reading *r, unsigned depth)
{
	char **path = mem_alloc((depth + 1) * sizeof(char *));

	for (unsigned i = 0; i < depth; i++)
		path[i] = mem_strdup(r->path[i]);
	path[depth] = NULL;
	return path;
}

static struct pst_folder *new_folder(struct pst_tree *t)
{
	if ((t->n & (t->n - 1)) == 0)
		t->folders = mem_realloc(t->folders,
					 (t->n * 2 + 1) * sizeof(*t->folders));
	t->folders[t->n] = (struct pst_folder){ .nid = 0 };
	return &t->folders[t->n++];
}

static void remark_short(struct reading *r, const struct pst_folder *f,
			 uint32_t stated)
{
	struct buf name = BUF_INIT;

	for (char **part = f->path; *part; part++)
		buf_addf(&name, "%s%s", name.len ? "/" : "", *part);
	remark_add(r->remarks,
		   "%s should hold %u items, and %zu are there; "
		   "repair a copy with Outlook's scanpst.exe",
		   name.data, stated, f->n);
	buf_free(&name);
}

static void take_items(struct reading *r, struct pst_folder *f, uint32_t stated)
{
	size_t begin = first_child(r, f->nid), end = begin;

	f->items = mem_alloc(sizeof(struct pst_node *));
	for (; end < r->n && r->children[end]->parent == f->nid; end++) {
		if (!is_message(r->children[end]))
			continue;
		if ((f->n & (f->n - 1)) == 0)
			f->items = mem_realloc(f->items,
					       (f->n * 2 +
						1) * sizeof(struct pst_node *));
		f->items[f->n++] = r->children[end];
	}
	r->t->n_items += f->n;
	if (stated > f->n)
		remark_short(r, f, stated);
}

static bool begins(const char *s, const char *with)
{
	size_t n = strlen(with);

	return strnlen(s, n) == n && ascii_same_n(s, with, n);
}

/* Folders for mail have no class, or one of these. */
static bool is_for_others(const char *class)
{
	return class[0] && ascii_compare(class, "IPF") &&
	       !begins(class, "IPF.Note") && !begins(class, "IPF.Imap") &&
	       !begins(class, "IPF.Post") && !begins(class, "IPF.Files");
}

/* The name as it is shown, or what tells the folder from others. */
static void name_of(const struct pst_props *p, uint32_t nid, struct buf *name)
{
	struct buf raw = BUF_INIT;

	if (pst_prop_text(p, PR_DISPLAY_NAME, &raw))
		utf8_add_nfc(name, raw.data, raw.len);
	for (size_t i = 0; i < name->len; i++)
		if ((unsigned char)name->data[i] < ' ')
			name->data[i] = '?';
	if (!name->len)
		buf_addf(name, "Folder %x", nid);
	buf_free(&raw);
}

static void read_children(struct reading *r, uint32_t nid, unsigned depth);

static void read_folder(struct reading *r, const struct pst_node *node,
			unsigned depth)
{
	struct buf name = BUF_INIT, class = BUF_INIT;
	struct pst_props p = { .n = 0 };
	struct pst_folder *f;
	struct err why;
	uint32_t stated;

	if (pst_props_open(r->st, node->place, &p, &why) < 0)
		remark_add(r->remarks, "folder %x: %s", node->nid, why.text);
	p.charset = r->charset;
	name_of(&p, node->nid, &name);
	pst_prop_text(&p, PR_CONTAINER_CLASS, &class);
	stated = pst_prop_number(&p, PR_CONTENT_COUNT, 0);
	pst_props_close(&p);
	r->path[depth] = name.data;
	f = new_folder(r->t);
	f->nid = node->nid;
	f->path = copy_path(r, depth + 1);
	f->use = use_of(r, node->nid, depth + 1);
	f->for_others = is_for_others(class.data);
	take_items(r, f, stated);
	read_children(r, node->nid, depth + 1);
	buf_free(&name);
	buf_free(&class);
}

/* This ends: a node has one number and one parent, and the top is not entered again. */
static void read_children(struct reading *r, uint32_t nid, unsigned depth)
{
	size_t i = first_child(r, nid);

	for (; i < r->n && r->children[i]->parent == nid; i++) {
		if (!is_folder(r->children[i]) ||
		    r->children[i]->nid == r->uses.top)
			continue;
		if (depth < WALK_DEPTH)
			read_folder(r, r->children[i], depth);
		else
			remark_add(r->remarks,
				   "folder %x: more than %d deep, left out",
				   r->children[i]->nid, WALK_DEPTH);
	}
}

static int by_nid(const void *va, const void *vb)
{
	const struct pst_folder *a = va, *b = vb;

	return (a->nid > b->nid) - (a->nid < b->nid);
}

/* The folder that holds all others, which has no name of its own for people. */
static int read_uses(struct reading *r, struct err *e)
{
	struct pst_props p;

	if (open_node(r->st, PST_NID_STORE, &p, e) < 0)
		return err_widen(e, ERR_ACCOUNT);
	r->uses = (struct uses){
		.top = folder_named(&p, PR_IPM_SUBTREE),
		.trash = folder_named(&p, PR_WASTEBASKET),
		.sent = folder_named(&p, PR_SENTMAIL),
		.outbox = folder_named(&p, PR_OUTBOX),
	};
	pst_props_close(&p);
	if (!r->uses.top || !pst_store_find(r->st, r->uses.top))
		r->uses.top = PST_NID_ROOT_FOLDER;
	return 0;
}

/* Messages whose folder is gone, as damage has it, are in one that Outlook does not
   show. */
static void read_lost(struct reading *r)
{
	struct pst_folder *f = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct pst_node *node = r->children[i];

		if (!is_message(node) || pst_store_find(r->st, node->parent))
			continue;
		if (!f) {
			r->path[0] = "Lost and found";
			f = new_folder(r->t);
			f->path = copy_path(r, 1);
			f->items = mem_alloc(r->n * sizeof(struct pst_node *));
			f->lost = true;
		}
		f->items[f->n++] = node;
		r->t->n_items++;
	}
}

int pst_tree_read(struct pst_tree *t, struct pst_store *st, uint32_t code_page,
		  struct remarks *remarks, struct err *e)
{
	struct reading r = { .t = t, .st = st, .remarks = remarks };
	struct pst_charset charset;

	*t = (struct pst_tree){ .n = 0 };
	pst_charset_of(code_page, &charset);
	r.charset = charset.iconv[0] ? charset.iconv : NULL;
	if (read_uses(&r, e) < 0)
		return -1;
	collect_children(&r);
	read_children(&r, r.uses.top, 0);
	read_lost(&r);
	if (t->n)
		qsort(t->folders, t->n, sizeof(*t->folders), by_nid);
	free(r.children);
	return 0;
}

void pst_tree_free(struct pst_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (char **part = t->folders[i].path; *part; part++)
			free(*part);
		free(t->folders[i].path);
		free(t->folders[i].items);
	}
	free(t->folders);
	*t = (struct pst_tree){ .n = 0 };
}
