/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/folder_use.h"

#include "tests/lib/check.h"

static const struct {
	const char *name;
	enum folder_use want;
} cases[] = {
	{ "Inbox", USE_INBOX },
	{ "INBOX", USE_INBOX },
	{ "受信トレイ", USE_INBOX },
	{ "受信箱", USE_INBOX },
	{ "Sent", USE_SENT },
	{ "sent items", USE_SENT },
	{ "Sent Messages", USE_SENT },
	{ "Sent Mail", USE_SENT },
	{ "送信済みトレイ", USE_SENT },
	{ "送信済み", USE_SENT },
	{ "送信済みアイテム", USE_SENT },
	{ "送信済みメール", USE_SENT },
	{ "送信控", USE_SENT },
	{ "Drafts", USE_DRAFTS },
	{ "draft", USE_DRAFTS },
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
	{ "JUNK E-MAIL", USE_JUNK },
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
	/* Names that only look alike. */
	{ "", USE_NONE },
	{ "Sent ", USE_NONE },
	{ "Sent Items 2009", USE_NONE },
	{ "Inboxes", USE_NONE },
	{ "送信", USE_NONE },
	{ "Family", USE_NONE },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_CASE(cases[i].name,
			   folder_use_by_name(cases[i].name) == cases[i].want);
	CHECK_STR(folder_use_name(USE_NONE), "");
	CHECK_STR(folder_use_name(USE_SENT), "sent");
	for (int u = USE_INBOX; u <= USE_QUEUE; u++)
		CHECK(folder_use_name((enum folder_use)u)[0]);
	return check_done();
}
