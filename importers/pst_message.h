/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_IMPORTERS_PST_MESSAGE_H
#define MAILHAUL_IMPORTERS_PST_MESSAGE_H

#include "core/base/message.h"
#include "importers/pst_props.h"
#include "importers/pst_text.h"
#include "importers/pst_write.h"

#include <stdbool.h>
#include <stdint.h>

/* One item of an Outlook store, and the message that is made of it. */

/* Properties that are used ([MS-OXPROPS]). */
enum {
	PR_IMPORTANCE = 0x0017,
	PR_MESSAGE_CLASS = 0x001A,
	PR_SUBJECT = 0x0037,
	PR_CLIENT_SUBMIT_TIME = 0x0039,
	PR_SENT_REPRESENTING_NAME = 0x0042,
	PR_REPLY_RECIPIENT_NAMES = 0x0050,
	PR_SENT_REPRESENTING_ADDRTYPE = 0x0064,
	PR_SENT_REPRESENTING_EMAIL = 0x0065,
	PR_TRANSPORT_HEADERS = 0x007D,
	PR_RECIPIENT_TYPE = 0x0C15,
	PR_SENDER_NAME = 0x0C1A,
	PR_SENDER_ADDRTYPE = 0x0C1E,
	PR_SENDER_EMAIL = 0x0C1F,
	PR_DISPLAY_BCC = 0x0E02,
	PR_DISPLAY_CC = 0x0E03,
	PR_DISPLAY_TO = 0x0E04,
	PR_DELIVERY_TIME = 0x0E06,
	PR_MESSAGE_FLAGS = 0x0E07,
	PR_MESSAGE_SIZE = 0x0E08,
	PR_RECORD_KEY = 0x0FF9,
	PR_BODY = 0x1000,
	PR_REPORT_TEXT = 0x1001,
	PR_RTF_COMPRESSED = 0x1009,
	PR_HTML = 0x1013,
	PR_INTERNET_MESSAGE_ID = 0x1035,
	PR_INTERNET_REFERENCES = 0x1039,
	PR_IN_REPLY_TO_ID = 0x1042,
	PR_ICON_INDEX = 0x1080,
	PR_LAST_VERB_EXECUTED = 0x1081,
	PR_FLAG_STATUS = 0x1090,
	PR_DISPLAY_NAME = 0x3001,
	PR_ADDRTYPE = 0x3002,
	PR_EMAIL_ADDRESS = 0x3003,
	PR_CREATION_TIME = 0x3007,
	PR_SEARCH_KEY = 0x300B,
	PR_IPM_SUBTREE = 0x35E0,
	PR_OUTBOX = 0x35E2,
	PR_WASTEBASKET = 0x35E3,
	PR_SENTMAIL = 0x35E4,
	PR_CONTENT_COUNT = 0x3602,
	PR_CONTAINER_CLASS = 0x3613,
	PR_ATTACH_DATA = 0x3701,
	PR_ATTACH_FILENAME = 0x3704,
	PR_ATTACH_METHOD = 0x3705,
	PR_ATTACH_LONG_FILENAME = 0x3707,
	PR_ATTACH_MIME_TAG = 0x370E,
	PR_ATTACH_CONTENT_ID = 0x3712,
	PR_ATTACH_CONTENT_LOCATION = 0x3713,
	PR_SMTP_ADDRESS = 0x39FE,
	PR_INTERNET_CPID = 0x3FDE,
	PR_MESSAGE_CODEPAGE = 0x3FFD,
	PR_SENDER_SMTP = 0x5D01,
	PR_SENT_REPRESENTING_SMTP = 0x5D02,
};

struct pst_item {
	struct pst_store *st;
	struct pst_place place;
	struct pst_props props;
	uint32_t code_page;	    /* of its strings that are not Unicode; 0: unknown */
	struct pst_charset charset;
	struct buf class;	    /* "IPM.Note" ... */
};

/* usual: the code page of the store's strings, 0 if it is not known. ERR_MESSAGE. */
int pst_item_open(struct pst_store *st, struct pst_place place, uint32_t usual,
		  struct pst_item *item_r, struct err *e);
void pst_item_close(struct pst_item *item);

/* What an item is. */
enum pst_kind {
	PST_MAIL,
	PST_CONTACT,
	PST_APPOINTMENT,
	PST_TASK,
	PST_NOTE,
	PST_JOURNAL,
	PST_OTHER, /* what Outlook keeps for itself, feeds, documents */
	PST_KINDS,
};
enum pst_kind pst_item_kind(const struct pst_item *item);

/* Flags, dates and what is to be noted. keywords: the number of the property that holds
   categories, 0 if none does. Categories that cannot be keywords are left out. */
void pst_item_describe(const struct pst_item *item, uint16_t keywords,
		       struct message *m);

/* The header fields, without those that say how the body is made and without the empty
   line. */
void pst_header_add(const struct pst_item *item, struct buf *out);
/* Content-Type as it came, if the header did; "" otherwise. */
void pst_header_content_type(const struct pst_item *item, struct buf *out);

/* Write the whole message. usual as above; key: 16 random bytes of the store. */
int pst_message_write(struct pst_item *item, uint32_t usual, const char *key,
		      size_t n_key, struct pst_writer *w, struct err *e);

#endif
