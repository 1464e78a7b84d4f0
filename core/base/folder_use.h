/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILHAUL_BASE_FOLDER_USE_H
#define MAILHAUL_BASE_FOLDER_USE_H

/* What a folder is for (RFC 6154), as far as a store, a server or its name says. */
enum folder_use {
	USE_NONE,
	USE_INBOX,
	USE_SENT,
	USE_DRAFTS,
	USE_TRASH,
	USE_JUNK,
	USE_ARCHIVE,
	USE_TEMPLATES, /* no attribute on servers; a plain folder */
	USE_QUEUE,     /* mail waiting to be sent; a plain folder */
};

/* "sent", "drafts" ...; "" for USE_NONE. */
const char *folder_use_name(enum folder_use use);

/* What a top-level folder of this name is for, by the English and Japanese names
   that clients and servers use (Sent, Sent Items, 送信済みトレイ, 下書き ...); names are
   UTF-8 in NFC and compared without case. */
enum folder_use folder_use_by_name(const char *name);

#endif
