/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes and blocks of an Outlook store, by libpst 0.6.

   pst_open opens by name, and with its own flags: the fields it would fill in are
   read here instead, so that the file is opened as every source is (walk.h); so are
   the indexes (pst_index.h). */
#include "importers/pst_store.h"

#include <errno.h>
#include <libpst/libpst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "importers/pst_index.h"

enum { HEADER_SIZE = 564, CLIENT_AT = 8, VERSION_AT = 10 };
/* A block as it comes out of the file, unpacked. */
enum { BLOCK_MAX = 64 << 10 };
/* Indirection: XXBLOCKs of XBLOCKs of data (2.2.2.8.3); SIBLOCKs of SLBLOCKs. */
enum { LEVELS_MAX = 2, SUB_LEVELS_MAX = 4 };
enum { SUBS_MAX = 64 << 10 };

struct pst_store {
	pst_file pf;
	char *name;
	bool cached;
	struct pst_node *nodes;
	size_t n, cap;
	size_t damaged; /* pages of the index */
	uint64_t file_size;
};

/* ---- the header (2.2.2.6) ---- */

/* Where what is, by the width of numbers. */
struct layout {
	size_t size, node_index, node_back, block_index, block_back, cipher;
	size_t width;
};
static const struct layout ansi = {
	.size = 0xA8,
	.node_back = 0xB8,
	.node_index = 0xBC,
	.block_back = 0xC0,
	.block_index = 0xC4,
	.cipher = 0x1CD,
	.width = 4,
};
static const struct layout unicode = {
	.size = 0xB8,
	.node_back = 0xD8,
	.node_index = 0xE0,
	.block_back = 0xE8,
	.block_index = 0xF0,
	.cipher = 0x201,
	.width = 8,
};

static uint64_t number_at(const char *p, size_t width)
{
	uint64_t n = 0;

	for (size_t i = 0; i < width; i++)
		n |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return n;
}

enum pst_client pst_looks(const char *head, size_t n)
{
	if (n < VERSION_AT + 2 || memcmp(head, "!BDN", 4))
		return PST_CLIENT_NONE;
	if (!memcmp(head + CLIENT_AT, "SM", 2))
		return PST_CLIENT_OUTLOOK;
	return memcmp(head + CLIENT_AT, "SO", 2) ? PST_CLIENT_NONE
						 : PST_CLIENT_EXCHANGE;
}

/* How wide the numbers are, as libpst counts: 0 ANSI, 1 Unicode, 2 the same
   in large pages (.ost of Outlook 2013); -1 unknown. */
static int width_of(unsigned version)
{
	switch (version) {
	case 14:
	case 15:
		return 0;
	case 21:
	case 23:
		return 1;
	case 36:
		return 2;
	default:
		return -1;
	}
}

static ssize_t read_head(int fd, char *head)
{
	ssize_t got;

	do
		got = pread(fd, head, HEADER_SIZE, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

static int bad_store(struct pst_store *st, struct err *e, const char *what)
{
	return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER, "%s: %s",
		       st->name, what);
}

static int read_header(struct pst_store *st, int fd, struct err *e)
{
	char head[HEADER_SIZE];
	ssize_t got = read_head(fd, head);
	enum pst_client client;
	const struct layout *l;
	unsigned version;
	int width;

	if (got < 0)
		return bad_store(st, e, strerror(errno));
	client = pst_looks(head, (size_t)got);
	if (client == PST_CLIENT_NONE)
		return bad_store(st, e, "not an Outlook store");
	if (got < HEADER_SIZE)
		return bad_store(st, e, "cut off in its header");
	version = (unsigned)number_at(head + VERSION_AT, 2);
	width = width_of(version);
	if (width < 0)
		return err_set(e, ERR_SOURCE, ERR_ACCOUNT, ERR_NEVER,
			       "%s: an Outlook store of version %u, which "
			       "nobody here knows; export it from Outlook",
			       st->name, version);
	l = width ? &unicode : &ansi;
	st->cached = client == PST_CLIENT_EXCHANGE;
	st->pf.do_read64 = width;
	st->pf.ind_type = (unsigned char)version;
	st->pf.encryption = (unsigned char)head[l->cipher];
	st->pf.size = number_at(head + l->size, l->width);
	st->pf.index1 = number_at(head + l->block_index, l->width);
	st->pf.index1_back = number_at(head + l->block_back, l->width);
	st->pf.index2 = number_at(head + l->node_index, l->width);
	st->pf.index2_back = number_at(head + l->node_back, l->width);
	if (st->pf.encryption > PST_ENCRYPT)
		return bad_store(st, e,
				 "encrypted in a way only Windows can undo; "
				 "export it from Outlook");
	return 0;
}

/* ---- nodes ---- */

static int by_nid(const void *va, const void *vb)
{
	const struct pst_node *a = va, *b = vb;

	return (a->nid > b->nid) - (a->nid < b->nid);
}

/* A number stands for one node, or there is no end to what hangs below it. */
static void drop_doubles(struct pst_store *st)
{
	size_t n = 0;

	for (size_t i = 0; i < st->n; i++)
		if (!n || st->nodes[n - 1].nid != st->nodes[i].nid)
			st->nodes[n++] = st->nodes[i];
	st->n = n;
}

static void add_node(void *ctx, const char *entry)
{
	struct pst_store *st = ctx;
	size_t w = st->pf.do_read64 ? 8 : 4;

	if (st->n == st->cap) {
		st->cap = st->cap * 2 + 1024;
		st->nodes =
			mem_realloc(st->nodes, st->cap * sizeof(*st->nodes));
	}
	st->nodes[st->n++] = (struct pst_node){
		.nid = (uint32_t)number_at(entry, 4),
		.place.data = number_at(entry + w, w),
		.place.sub = number_at(entry + 2 * w, w),
		.parent = (uint32_t)number_at(entry + 3 * w, 4),
	};
}

/* For libpst, as it would fill it in. */
static void add_block(void *ctx, const char *entry)
{
	pst_file *pf = &((struct pst_store *)ctx)->pf;
	size_t w = pf->do_read64 ? 8 : 4;
	pst_index_ll *b;

	if (pf->i_count == pf->i_capacity) {
		pf->i_capacity = pf->i_capacity * 2 + 1024;
		pf->i_table =
			mem_realloc(pf->i_table, pf->i_capacity * sizeof(*b));
	}
	b = &pf->i_table[pf->i_count++];
	*b = (pst_index_ll){
		.i_id = number_at(entry, w),
		.offset = number_at(entry + w, w),
		.size = number_at(entry + 2 * w, 2),
	};
	b->inflated_size =
		pf->do_read64 == 2 ? number_at(entry + 2 * w + 2, 2) : b->size;
}

static int by_id(const void *va, const void *vb)
{
	const pst_index_ll *a = va, *b = vb;

	return (a->i_id > b->i_id) - (a->i_id < b->i_id);
}

static int read_index(struct pst_store *st, int fd, struct err *e)
{
	bool wide = st->pf.do_read64;
	struct pst_index x = {
		.fd = fd,
		.width = wide ? 8 : 4,
		.page = st->pf.do_read64 == 2 ? 4096 : 512,
		.entry = wide ? 20 : 12,
		.file_size = st->file_size,
		.add = add_block,
		.ctx = st,
	};

	pst_index_walk(&x, st->pf.index1, st->pf.index1_back);
	x.entry = wide ? 28 : 16;
	x.add = add_node;
	pst_index_walk(&x, st->pf.index2, st->pf.index2_back);
	st->damaged = x.damaged;
	if (!st->pf.i_count || !st->n)
		return bad_store(st, e,
				 "its index cannot be read; repair a copy of "
				 "it with Outlook's scanpst.exe");
	qsort(st->pf.i_table, st->pf.i_count, sizeof(*st->pf.i_table), by_id);
	qsort(st->nodes, st->n, sizeof(*st->nodes), by_nid);
	drop_doubles(st);
	return 0;
}

size_t pst_store_damaged(const struct pst_store *st)
{
	return st->damaged;
}

uint64_t pst_store_offset(struct pst_store *st, struct pst_place place)
{
	const pst_index_ll *entry = pst_getID(&st->pf, place.data);

	return entry ? entry->offset : 0;
}

const struct pst_node *pst_store_nodes(const struct pst_store *st, size_t *n_r)
{
	*n_r = st->n;
	return st->nodes;
}

const struct pst_node *pst_store_find(const struct pst_store *st, uint32_t nid)
{
	const struct pst_node key = { .nid = nid };

	return bsearch(&key, st->nodes, st->n, sizeof(key), by_nid);
}

static int open_file(struct pst_store *st, int fd, struct err *e)
{
	struct stat file;

	if (fstat(fd, &file) < 0)
		return bad_store(st, e, strerror(errno));
	st->file_size = (uint64_t)file.st_size;
	if (read_header(st, fd, e) < 0 || read_index(st, fd, e) < 0)
		return -1;
	st->pf.fp = fdopen(fd, "rb");
	return st->pf.fp ? 0 : bad_store(st, e, strerror(errno));
}

int pst_store_open(int fd, const char *name, struct pst_store **st_r,
		   struct err *e)
{
	struct pst_store *st = mem_zalloc(sizeof(*st));

	st->name = mem_strdup(name);
	if (open_file(st, fd, e) == 0) {
		*st_r = st;
		return 0;
	}
	close(fd);
	pst_store_close(st);
	return -1;
}

void pst_store_close(struct pst_store *st)
{
	if (!st)
		return;
	if (st->pf.fp)
		pst_close(&st->pf);
	else
		free(st->pf.i_table);
	free(st->nodes);
	free(st->name);
	free(st);
}

const char *pst_store_name(const struct pst_store *st)
{
	return st->name;
}

bool pst_store_is_ansi(const struct pst_store *st)
{
	return !st->pf.do_read64;
}

bool pst_store_is_large(const struct pst_store *st)
{
	return st->pf.do_read64 == 2;
}

bool pst_store_is_cached(const struct pst_store *st)
{
	return st->cached;
}

uint64_t pst_store_size(const struct pst_store *st)
{
	return st->file_size;
}

uint64_t pst_store_stated_size(const struct pst_store *st)
{
	return st->pf.size;
}

/* ---- blocks ---- */

static int bad_block(uint64_t block, const char *what, struct err *e)
{
	return err_set(e, ERR_SOURCE, ERR_MESSAGE, ERR_NEVER, "block %#llx: %s",
		       (unsigned long long)block, what);
}

/* What libpst would do, but for two faults of 0.6.76: it keeps the packed bytes of every
   block for ever, and deciphers one that it could not unpack as if it were 2^64 bytes
   long. */
static char *unpack(struct pst_store *st, const pst_index_ll *entry)
{
	char *packed = mem_alloc(entry->size);
	char *bytes = mem_alloc(entry->inflated_size);
	uLongf n = entry->inflated_size;
	size_t have = 0;
	ssize_t got = 1;

	while (have < entry->size && got > 0) {
		got = pread(fileno(st->pf.fp), packed + have,
			    entry->size - have, (off_t)(entry->offset + have));
		if (got > 0)
			have += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (have < entry->size ||
	    uncompress((Bytef *)bytes, &n, (Bytef *)packed, entry->size) !=
		    Z_OK ||
	    n != entry->inflated_size) {
		free(bytes);
		bytes = NULL;
	}
	free(packed);
	return bytes;
}

/* libpst deciphers what it reads, and nothing else: let it read this. */
static size_t decipher(struct pst_store *st, uint64_t block, char *plain,
		       size_t n, char **bytes_r)
{
	pst_index_ll entry = { .i_id = block & ~UINT64_C(1),
			       .size = n,
			       .inflated_size = n };
	pst_file pf = { .fp = fmemopen(plain, n, "rb"),
			.do_read64 = 1,
			.encryption = st->pf.encryption,
			.i_table = &entry,
			.i_count = 1 };
	size_t got = 0;

	if (pf.fp) {
		got = pst_ff_getIDblock_dec(&pf, block, bytes_r);
		fclose(pf.fp);
	}
	return got;
}

/* The bytes of one block, which the caller frees. */
static int read_block(struct pst_store *st, uint64_t block, char **bytes_r,
		      size_t *n_r, struct err *e)
{
	const pst_index_ll *entry = pst_getID(&st->pf, block);
	char *plain;

	*bytes_r = NULL;
	*n_r = 0;
	if (!entry)
		return bad_block(block, "not in the index", e);
	if (!entry->size || entry->offset > st->file_size ||
	    entry->size > st->file_size - entry->offset)
		return bad_block(block, "lies outside of the file", e);
	if (entry->inflated_size > entry->size) {
		plain = unpack(st, entry);
		if (plain)
			*n_r = decipher(st, block, plain, entry->inflated_size,
					bytes_r);
		free(plain);
	} else {
		*n_r = pst_ff_getIDblock_dec(&st->pf, block, bytes_r);
	}
	if (*bytes_r && *n_r && *n_r <= BLOCK_MAX)
		return 0;
	free(*bytes_r);
	*bytes_r = NULL;
	return bad_block(block, "cannot be read", e);
}

/* Internal blocks hold numbers of blocks, external ones data (2.2.2.2). */
static bool is_internal(uint64_t block)
{
	return block & 2;
}

enum { X_HEAD = 8, X_TYPE = 1 };

static int each(struct pst_store *st, uint64_t block, unsigned level_above,
		pst_add add, void *ctx, struct err *e)
{
	size_t width = st->pf.do_read64 ? 8 : 4, n, count;
	unsigned level;
	char *bytes;
	int ret = 0;

	if (read_block(st, block, &bytes, &n, e) < 0)
		return -1;
	if (!is_internal(block)) {
		ret = add(ctx, bytes, n, e);
		goto out;
	}
	level = n < X_HEAD ? 0 : (unsigned char)bytes[1];
	count = n < X_HEAD ? 0 : (size_t)number_at(bytes + 2, 2);
	if (n < X_HEAD || bytes[0] != X_TYPE || !level ||
	    level >= level_above || count > (n - X_HEAD) / width) {
		ret = bad_block(block, "damaged", e);
		goto out;
	}
	for (size_t i = 0; i < count && ret == 0; i++)
		ret = each(st, number_at(bytes + X_HEAD + i * width, width),
			   level, add, ctx, e);
out:
	free(bytes);
	return ret;
}

int pst_store_each(struct pst_store *st, uint64_t block, pst_add add, void *ctx,
		   struct err *e)
{
	return each(st, block, LEVELS_MAX + 1, add, ctx, e);
}

/* ---- subnodes (2.2.2.8.3.3) ---- */

enum { SUB_TYPE = 2 };

static void add_sub(struct pst_subs *subs, const char *entry, size_t width)
{
	if ((subs->n & (subs->n - 1)) == 0)
		subs->list = mem_realloc(subs->list, (subs->n * 2 +
						      1) * sizeof(*subs->list));
	subs->list[subs->n++] = (struct pst_sub){
		.nid = (uint32_t)number_at(entry, 4),
		.place.data = number_at(entry + width, width),
		.place.sub = number_at(entry + 2 * width, width),
	};
}

static int add_subs(struct pst_store *st, uint64_t block, unsigned level_above,
		    struct pst_subs *subs, struct err *e)
{
	size_t width = st->pf.do_read64 ? 8 : 4;
	size_t head = st->pf.do_read64 ? 8 : 4, n, count, entry;
	unsigned level;
	char *bytes;
	int ret = 0;

	if (read_block(st, block, &bytes, &n, e) < 0)
		return -1;
	level = n < head ? 0 : (unsigned char)bytes[1];
	count = n < head ? 0 : (size_t)number_at(bytes + 2, 2);
	entry = (level ? 2 : 3) * width;
	if (n < head || bytes[0] != SUB_TYPE || level >= level_above ||
	    count > (n - head) / entry || subs->n + count > SUBS_MAX) {
		ret = bad_block(block, "damaged", e);
		goto out;
	}
	for (size_t i = 0; i < count && ret == 0; i++) {
		const char *p = bytes + head + i * entry;

		if (level)
			ret = add_subs(st, number_at(p + width, width), level,
				       subs, e);
		else
			add_sub(subs, p, width);
	}
out:
	free(bytes);
	return ret;
}

int pst_store_subs(struct pst_store *st, uint64_t block,
		   struct pst_subs *subs_r, struct err *e)
{
	*subs_r = (struct pst_subs){ .n = 0 };
	return block ? add_subs(st, block, SUB_LEVELS_MAX, subs_r, e) : 0;
}

void pst_subs_free(struct pst_subs *subs)
{
	free(subs->list);
	*subs = (struct pst_subs){ .n = 0 };
}

const struct pst_sub *pst_subs_find(const struct pst_subs *subs, uint32_t nid)
{
	for (size_t i = 0; i < subs->n; i++)
		if (subs->list[i].nid == nid)
			return &subs->list[i];
	return NULL;
}
