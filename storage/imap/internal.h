/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_IMAP_INTERNAL_H
#define MAILHAUL_STORAGE_IMAP_INTERNAL_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/flags.h"
#include "core/base/folder_use.h"
#include "core/base/intake.h"
#include "storage/imap/append.h"
#include "storage/imap/session.h"
#include "storage/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the files of storage/imap share with each other and with nobody else. */

enum {
	IMAP_NAME_MAX = 1000,	   /* bytes of a name we ask for */
	IMAP_LINE_MAX = 64 << 10,  /* bytes of a line without literals */
	IMAP_LITERAL_MAX = 64 << 10, /* of a literal that libetpan gets to see */
	IMAP_LITERALS_MAX = 1000,  /* in one untagged answer */
	IMAP_ANSWER_MAX = 8 << 20,   /* of all it gets to see of one answer; it makes
					14 times as much of it in memory */
	IMAP_ASIDE_MAX = 16 << 20,   /* of what we did not ask for, in a row */
	IMAP_DEPTH_MAX = 32,	   /* parentheses inside each other */
	IMAP_FOLDERS_MAX = 100000,
	IMAP_MEMBERS_MAX = 64,	   /* connections of one account */
	IMAP_SAID_MAX = 1000,	   /* of a server's words that are kept */
	IMAP_WHO_MAX = 8 << 10,	   /* of those that tell who it is */
};

/* SASL mechanisms, a set. */
enum {
	IMAP_AUTH_PLAIN = 1 << 0,
	IMAP_AUTH_LOGIN = 1 << 1,
	IMAP_AUTH_SCRAM_SHA_1 = 1 << 2,
	IMAP_AUTH_SCRAM_SHA_256 = 1 << 3,
	IMAP_AUTH_XOAUTH2 = 1 << 4,
	IMAP_AUTH_OAUTHBEARER = 1 << 5,
};

struct imap_target;

/* talk.c: the bytes of a conversation, between stream.c and those who read them.

   libetpan reads through talk_low(), which bounds what a server can make it eat:
   it parses recursively, into memory, and trusts lengths. What is over a bound
   ends the connection before libetpan sees it. On the way past, the last tagged
   line and a BYE are kept: libetpan loses their response codes.

   Our own parsers (login, FETCH) read lines and literals straight from here; they
   start with talk_begin(), which takes over what libetpan has read ahead, and what
   they leave unread libetpan gets next. */
struct imap_talk {
	struct stream *stream;
	struct _mailstream_low *inner;
	/* Wait for bytes: how many (>= 1), or -1. */
	ssize_t (*receive)(struct imap_talk *t, char *bytes, size_t n,
			   struct err *e);
	void *ctx;
	struct buf in; /* received, from at on not yet used */
	size_t at;

	struct buf tagged; /* the last tagged line, "NO [CODE] text" */
	unsigned tagged_for; /* its tag, if it was libetpan's */
	struct buf bye;	   /* what follows "* BYE " */
	const char *excess;/* the bound that was broken, or NULL */

	struct buf line;   /* of the line libetpan is reading */
	uint64_t literal;  /* bytes left of a literal in it */
	uint64_t seen;	   /* bytes since the command began */
	unsigned depth;
	bool quoted, escaped, continued;

	uint64_t aside;	   /* bytes read since the last ones that were awaited */
	unsigned tag;	   /* of our own commands */
	unsigned auths;
};

struct imap_talk *talk_new(struct stream *stream);
void talk_free(struct imap_talk *t);
/* Freeing it frees the stream's low and the stream, and then t. */
struct _mailstream_low *talk_low(struct imap_talk *t);
/* A new command of libetpan's: count from 0, forget what was said. */
void talk_reset(struct imap_talk *t);

void talk_begin(struct imap_session *s);
int talk_send(struct imap_talk *t, const char *bytes, size_t n, struct err *e);
/* The next line, without its line end, in line (emptied before). At most
   IMAP_LINE_MAX bytes, no NUL: otherwise ERR_PROTOCOL. */
int talk_line(struct imap_talk *t, struct buf *line, struct err *e);
/* What was read is what was awaited. A server that says IMAP_ASIDE_MAX bytes without it
   broke the protocol: it would keep us listening for ever. */
void talk_useful(struct imap_talk *t);
/* Between 1 and max bytes of a literal; valid until the next call. */
int talk_some(struct imap_talk *t, uint64_t max, const char **bytes_r,
	      size_t *n_r, struct err *e);
/* Pass over n bytes. */
int talk_skip(struct imap_talk *t, uint64_t n, struct err *e);
/* Does the line announce a literal: "... {12}"? A line that begins an answer does so
   only if it is untagged data; one that continues an answer always may. Numbers over
   2^40 are given as 2^40 + 1. */
bool talk_literal(const char *line, size_t n, bool continued, uint64_t *len_r);
/* Pass over the rest of an answer whose first line is in line, literals and all. */
int talk_rest(struct imap_talk *t, struct buf *line, struct err *e);
/* Note a "* BYE text" for the error to come. */
void talk_note(struct imap_talk *t, const char *line);

/* session.c */
/* Run one command through libetpan; the log gets doing and never the line. */
int imap_command(struct imap_session *s, const char *line, const char *doing,
		 struct err *e);
/* SELECT even when it is selected: UIDNEXT and the number of messages are fresh. */
int imap_session_reselect(struct imap_session *s, const char *wire_name,
			  struct err *e);
/* Switch COMPRESS=DEFLATE on, where it is offered and is not on yet. The connection is
   free. A NO is an error that leaves it as it was. */
int imap_session_compress(struct imap_session *s, struct err *e);
/* Another folder was selected behind libetpan's back. */
void imap_session_forget_selected(struct imap_session *s);

/* ask.c: a command whose answer we read ourselves, line by line. */
struct imap_ask {
	struct imap_session *s;
	const char *doing;
	char tag[16];
	struct buf line; /* the last one that imap_ask_next gave */
	struct buf part;
	uint64_t seen;   /* bytes of the answer: at most IMAP_ANSWER_MAX */
};
/* Send line (without tag and line end). Whatever comes of it: imap_ask_free. */
int imap_ask_begin(struct imap_ask *a, struct imap_session *s, const char *line,
		   const char *doing, struct err *e);
/* 1 with the next untagged answer in line, "* QUOTA ...": literals in it stand there
   as quoted strings, long ones as "". 0 after the tagged OK; -1 after a NO or BAD, and
   when the connection is over (s->broken). */
int imap_ask_next(struct imap_ask *a, struct err *e);
void imap_ask_free(struct imap_ask *a);

/* quota.c: how full the mailbox is (RFC 9208). A server that does not know, or will
   not say, is no error: neither has is set. The connection is free (imap_quiet). */
int imap_quota(struct imap_target *it, struct target_quota *q_r, struct err *e);
/* One line of the answer, "* QUOTA root (STORAGE 10 512)": what it says goes into q
   where it is tighter than what is there. What cannot be understood as a whole is
   passed over. */
void imap_quota_take(struct target_quota *q, const char *line);

/* store.c: what of flags the folder can keep, in out. */
void imap_keepable_flags(const struct target_folder *f,
			 const struct flags *flags, struct flags *out);
/* The target_ops contract of add_flags. */
int imap_add_flags(struct imap_target *it, const struct target_folder *f,
		   const uint32_t *uids, size_t n, const struct flags *flags,
		   struct err *e);

/* sasl.c: log in as opt says. */
int imap_login(struct imap_session *s, const struct imap_options *opt,
	       struct err *e);

/* list.c: what folders there are. */
struct imap_folder {
	char *name;  /* on the wire */
	char *plain; /* the same decoded, NFC, separators as they are */
	char *asked; /* by whom it was opened, parts joined by US (0x1F) */
	enum folder_use use; /* by SPECIAL-USE attribute */
	bool no_select, no_inferiors, virtual; /* \All, \Important, \Flagged */
};
struct imap_folders {
	struct imap_folder *rows;
	size_t n, cap;
};
void imap_folders_free(struct imap_folders *l);
/* Ask the server; replaces what was there, but for who asked. */
int imap_folders_list(struct imap_session *s, struct imap_folders *l,
		      struct err *e);
struct imap_folder *imap_folders_add(struct imap_folders *l, const char *name);
/* Exactly this name, or the same name spelled otherwise in modified UTF-7 or NFD;
   INBOX in any case. */
struct imap_folder *imap_folders_find(struct imap_folders *l, const char *name);
/* Without regard to case, as Exchange compares. */
struct imap_folder *imap_folders_find_nocase(struct imap_folders *l,
					     const char *name);
/* The namespace: fills in s->prefix and s->separator. */
int imap_namespace(struct imap_session *s, struct err *e);

/* fetch_parse.c: one response of a FETCH command, read piece by piece. */
struct fetch_sink {
	/* A BODY[...] begins, goes on, ends (NIL: ends without having begun). */
	void (*begin)(void *ctx);
	int (*bytes)(void *ctx, const char *bytes, size_t n, struct err *e);
	void *ctx;
};
struct fetch_item {
	bool has_uid, has_size, has_flags, has_body;
	uint32_t uid;
	uint64_t size;
	struct flags *flags; /* the caller's */
};
enum fetch_line { FETCH_ITEM, FETCH_OTHER, FETCH_TAGGED };
/* Read one response with everything that belongs to it. FETCH_TAGGED leaves the
   tagged line in line; FETCH_OTHER was something else, passed over. -1 for what
   cannot be read: the conversation is then over. */
int fetch_read(struct imap_talk *t, struct buf *line, struct fetch_item *item,
	       const struct fetch_sink *sink, struct err *e);

/* account.c */
struct imap_member { /* pool.h */
	struct imap_session *s;
	struct imap_append *append;
	unsigned open_batches;
	const struct target_folder *last; /* of its last batch */
	const struct append_batch *newest; /* of its open ones, or NULL */
	int64_t considered_ms;		  /* whether to compress */
	bool compress;			  /* it is held until it can be compressed */
};
struct imap_target {
	struct target base;
	struct imap_session *s; /* the first member's */
	struct imap_member members[IMAP_MEMBERS_MAX];
	size_t n_members, most_members;
	int64_t connect_ms;	 /* the first connection took */
	int64_t first_submit_ms; /* clock_ms(); 0: nothing was sent yet */
	struct imap_options opt;
	struct imap_lessons *lessons, own_lessons;
	struct imap_folders folders;
	char *root;	  /* wire prefix of everything: namespace and opt->prefix */
	char **above;	  /* the parts of opt->prefix; NULL at the end */
	struct imap_find *find;
	struct imap_fetch *fetch;
};
struct imap_target *imap_target(struct target *t);
/* The connection is free for another command: what was begun with find_begin or
   fetch_begin and not read to the end is read past. No batch may be open. */
int imap_quiet(struct imap_target *it, struct err *e);

/* folder.c */
int imap_folder_open(struct target *t, const char *const *path,
		     enum folder_use use, bool create, struct target_folder *f,
		     struct err *e);

/* The folder for path, if it is there: without asking. If it is not, name is what it
   would be made as ("" when that must be left to imap_folder_open). */
struct imap_folder *imap_folder_look(struct imap_target *it,
				     const char *const *path,
				     enum folder_use use, struct buf *name,
				     bool *changed_r);
/* It has been selected: fill in what f is called. path NULL: nobody asked for it. */
void imap_folder_opened(struct imap_target *it, const char *const *path,
			const char *wire, bool changed, struct target_folder *f);

/* folder_many.c */
int imap_folders_open(struct target *t, struct target_open *opens, size_t n,
		      struct err *e);

/* find.c */
int imap_find_begin(struct target *t, const struct target_folder *f,
		    uint32_t floor, struct err *e);
int imap_find_next(struct target *t, struct target_mail *m, struct err *e);
void imap_find_free(struct imap_find *f);
int imap_find_quiet(struct imap_target *it, struct err *e);
bool imap_find_is_open(const struct imap_target *it);

/* fetch.c */
int imap_fetch_begin(struct target *t, const struct target_folder *f,
		     const uint32_t *uids, size_t n, struct err *e);
int imap_fetch_next(struct target *t, uint32_t *uid_r, struct intake *in,
		    struct err *e);
void imap_fetch_free(struct imap_fetch *f);
int imap_fetch_quiet(struct imap_target *it, struct err *e);
bool imap_fetch_is_open(const struct imap_target *it);

#endif
