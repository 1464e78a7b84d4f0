/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a folder is for, by the names that clients and servers give it. */
#include "core/base/folder_use.h"
#include "core/base/ascii.h"

#include <stddef.h>
#include <string.h>

static const char *const use_names[] = {
	[USE_NONE] = "",	   [USE_INBOX] = "inbox",
	[USE_SENT] = "sent",	   [USE_DRAFTS] = "drafts",
	[USE_TRASH] = "trash",	   [USE_JUNK] = "junk",
	[USE_ARCHIVE] = "archive", [USE_TEMPLATES] = "templates",
	[USE_QUEUE] = "queue",
};

const char *folder_use_name(enum folder_use use)
{
	return use_names[use];
}

static const struct {
	const char *name;
	enum folder_use use;
} known[] = {
	{ "Inbox", USE_INBOX },
	{ "受信トレイ", USE_INBOX },
	{ "受信箱", USE_INBOX },
	{ "Sent", USE_SENT },
	{ "Sent Items", USE_SENT },
	{ "Sent Messages", USE_SENT },
	{ "Sent Mail", USE_SENT },
	{ "sent-mail", USE_SENT }, /* KMail, pine */
	{ "送信済みトレイ", USE_SENT },
	{ "送信済み", USE_SENT },
	{ "送信済みアイテム", USE_SENT },
	{ "送信済みメール", USE_SENT },
	{ "送信控", USE_SENT },
	{ "Drafts", USE_DRAFTS },
	{ "Draft", USE_DRAFTS },
	{ "下書き", USE_DRAFTS },
	{ "草稿", USE_DRAFTS },
	{ "Trash", USE_TRASH },
	{ "Deleted Items", USE_TRASH },
	{ "Deleted Messages", USE_TRASH },
	{ "Bin", USE_TRASH },
	{ "ごみ箱", USE_TRASH },
	{ "ゴミ箱", USE_TRASH },
	{ "削除済みアイテム", USE_TRASH },
	{ "Junk", USE_JUNK },
	{ "Junk E-mail", USE_JUNK },
	{ "Junk Email", USE_JUNK },
	{ "Spam", USE_JUNK },
	{ "Bulk Mail", USE_JUNK },
	{ "迷惑メール", USE_JUNK },
	{ "Archive", USE_ARCHIVE },
	{ "Archives", USE_ARCHIVE },
	{ "アーカイブ", USE_ARCHIVE },
	{ "保管", USE_ARCHIVE },
	{ "Templates", USE_TEMPLATES },
	{ "テンプレート", USE_TEMPLATES },
	{ "雛形", USE_TEMPLATES },
	{ "Unsent Messages", USE_QUEUE },
	{ "Outbox", USE_QUEUE },
	{ "送信トレイ", USE_QUEUE },
	{ "未送信トレイ", USE_QUEUE },
	{ "送信待ち", USE_QUEUE },
};

enum folder_use folder_use_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!ascii_compare(name, known[i].name))
			return known[i].use;
	return USE_NONE;
}
