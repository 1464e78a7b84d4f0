/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_STORAGE_TARGET_H
#define MAILHAUL_STORAGE_TARGET_H

#include "core/base/err.h"
#include "core/base/flags.h"
#include "core/base/folder_use.h"
#include "core/base/intake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One mailbox account that mail is brought to. storage/imap is the real one; tests have
   doubles that fail on purpose. */
struct target;

struct target_folder {
	struct buf name;       /* as the server spells it, modified UTF-7 */
	struct buf shown;      /* UTF-8, with '/' between the parts, for people */
	bool exists;	       /* false only when it was not to be created */
	bool created;	       /* by this open_folder */
	uint32_t uidvalidity;  /* 0: the server did not say */
	uint32_t uidnext;      /* 0: the server did not say */
	uint64_t messages;
	bool any_keyword;      /* PERMANENTFLAGS has \* */
	struct flags permanent;/* what it lists besides */
};
void target_folder_init(struct target_folder *f);
void target_folder_free(struct target_folder *f);

/* How an APPEND ended. */
enum append_result {
	APPEND_WAITING, /* not sent, or not answered yet */
	APPEND_DONE,	/* tagged OK */
	APPEND_REFUSED, /* tagged NO or BAD about this one message; why says what */
	APPEND_UNKNOWN, /* sent at least in part, and the connection was lost before
			   the answer: settle before anything else */
	APPEND_UNSENT,	/* not a byte of it left us */
};

struct append_item {
	/* What to store; the caller keeps it in place until the batch comes back. */
	const struct spool *bytes;
	uint64_t size;		  /* of the spool: what is announced */
	const struct flags *flags;/* those the folder cannot keep are left out */
	int64_t date;		  /* INTERNALDATE, or DATE_NONE */
	bool has_nul;		  /* needs BINARY's literal8 (RFC 3516) */
	void *owner;		  /* the caller's */

	enum append_result result;
	uint32_t uid;		  /* 0: the server did not say */
	struct err why;		  /* with APPEND_REFUSED */
};

/* Messages for one folder that travel together. The caller owns it, gives it to
   submit and gets it back from reap. */
struct append_batch {
	struct append_item *items;
	size_t n;
	uint64_t bytes;
	const struct target_folder *folder;
	uint32_t uidvalidity; /* from APPENDUID; 0: the server did not say */
};

/* A message found on the server. */
struct target_mail {
	uint32_t uid;
	uint64_t size;	       /* RFC822.SIZE */
	struct buf message_id; /* raw field value, unfolded; normalise it before use */
	struct flags flags;
};

/* One of the folders that open_folders is asked for. */
struct target_open {
	const char *const *path;
	enum folder_use use;
	bool create;
	struct target_folder *folder; /* the caller's, initialised; filled in */
	bool failed;		      /* it cannot be had: why */
	struct err why;
};

/* What a server is known to do to mail without saying so (docs/servers.md). A set;
   people are told before the first byte goes out. */
enum target_change {
	CHANGES_8BIT_HEADERS = 1 << 0, /* raw 8-bit bytes in a header become 'X' */
	CHANGES_NUL = 1 << 1,	       /* NUL becomes another byte, or cuts the mail off */
	CHANGES_LONE_CR = 1 << 2,      /* a CR without LF is dropped or refused */
	CHANGES_LAST_EOL = 1 << 3,     /* a missing last line end is added */
	CHANGES_FLAGS = 1 << 4,	       /* flags given with APPEND are lost */
	CHANGES_KEYWORDS = 1 << 5,     /* keywords are lost */
	CHANGES_DATE = 1 << 6,	       /* INTERNALDATE given with APPEND is lost */
	CHANGES_BYTES = 1 << 7,	       /* mail is made anew when it is fetched: no digest
					  will ever match */
};

struct target_limits {
	size_t batch_messages; /* what a batch should hold at most, now: adapts */
	uint64_t batch_bytes;
	uint64_t message_bytes;/* largest message it takes (APPENDLIMIT); 0 unknown */
	uint64_t daily_bytes;  /* what its provider takes a day; 0 unknown */
	bool tells_uids;       /* UIDPLUS */
	bool takes_nul;	       /* BINARY */
	unsigned changes;      /* enum target_change */
	const char *server;    /* who it is, for people: "Cyrus", "Gmail"; "" */
};

/* Room in the mailbox (RFC 9208), bytes and messages. */
struct target_quota {
	bool has_bytes, has_messages; /* there is a limit, and these are known */
	uint64_t bytes_used, bytes_limit;
	uint64_t messages_used, messages_limit;
};

struct target_ops {
	/* Find the folder for these name parts (UTF-8, NFC), or the one that has the
	   use; create (with missing parents) and subscribe it if it is not there
	   and create is set. INBOX is USE_INBOX whatever it is called. f is the
	   caller's, initialised; it is filled in. With path NULL it is the folder that
	   the server spells as f->name says. */
	int (*open_folder)(struct target *t, const char *const *path,
			   enum folder_use use, bool create,
			   struct target_folder *f, struct err *e);

	/* The same for many, which over a slow line is much faster than one by one. 0
	   also when some of them cannot be had (failed says which); -1 when nothing
	   more can be asked. No batch is open. */
	int (*open_folders)(struct target *t, struct target_open *opens, size_t n,
			    struct err *e);

	void (*limits)(struct target *t, struct target_limits *l_r);

	/* Begin to send b (n >= 1). Returns as soon as b is accepted: while the window is full
	   it sends and reads on until there is room. Open batches may be for
	   different folders, so that nothing waits when one folder ends and the next
	   begins. After -1
	   (scope ERR_ACCOUNT: the connection is gone) b and all others come back
	   from reap as APPEND_UNKNOWN or APPEND_UNSENT. */
	int (*submit)(struct target *t, struct append_batch *b, struct err *e);

	/* Push the pipeline on, and take back a batch that has its answer: 1 with
	   *b_r, 0 when none is ready (with wait: when none is open), -1 as above;
	   after -1 go on reaping until 0 to get every batch back. */
	int (*reap)(struct target *t, bool wait, struct append_batch **b_r,
		    struct err *e);

	/* Look through the mail of f with UID >= floor, in UID order: find_begin, then
	   find_next until 0. m is the caller's, initialised, reused. */
	int (*find_begin)(struct target *t, const struct target_folder *f,
			  uint32_t floor, struct err *e);
	int (*find_next)(struct target *t, struct target_mail *m, struct err *e);

	/* Fetch mail whole, to compare it: fetch_begin with n UIDs (ascending, kept by
	   the caller until the end), then fetch_next until 0; each time *uid_r is the
	   message now complete in in (reset before, ended after). UIDs that are gone
	   do not appear. */
	int (*fetch_begin)(struct target *t, const struct target_folder *f,
			   const uint32_t *uids, size_t n, struct err *e);
	int (*fetch_next)(struct target *t, uint32_t *uid_r, struct intake *in,
			  struct err *e);

	/* Add flags to these messages (n >= 1, ascending), as far as the folder can keep
	   them; nothing is taken away. May be NULL. No batch is open. A NO is of
	   ERR_FOLDER. */
	int (*add_flags)(struct target *t, const struct target_folder *f,
			 const uint32_t *uids, size_t n,
			 const struct flags *flags, struct err *e);

	/* How full is the mailbox? Nothing is known for certain of a server without
	   quota: then 0 with neither has set. May be NULL. No batch is open. */
	int (*quota)(struct target *t, struct target_quota *q_r, struct err *e);

	/* After submit or reap failed and every batch is back: can it go on all the same?
	   (It was refused something, and is not broken.) May be NULL. */
	bool (*alive)(struct target *t);

	/* Bytes that went out on the wire so far. */
	uint64_t (*bytes_sent)(struct target *t);

	/* Take leave (LOGOUT if the connection is sound) and free t. */
	void (*close)(struct target *t);
};

struct target {
	const struct target_ops *ops;
};

void target_mail_init(struct target_mail *m);
void target_mail_free(struct target_mail *m);

/* open_folders for a target that has nothing better than one after the other. */
int target_open_each(struct target *t, struct target_open *opens, size_t n,
		     struct err *e);

#endif
