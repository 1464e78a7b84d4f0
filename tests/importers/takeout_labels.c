/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gmail's labels: how they are written, and what becomes of them. */
#include "importers/takeout_labels.h"

#include "tests/lib/check.h"

/* The labels, each with a '|' behind it. */
static const struct {
	const char *what, *header, *want;
} readings[] = {
	{ "as an English account has them",
	  "X-GM-THRID: 1\nX-Gmail-Labels: Inbox,Important,Unread\nTo: x\n\n",
	  "Inbox|Important|Unread|" },
	{ "CRLF", "X-GM-THRID: 1\r\nX-Gmail-Labels: Inbox,Opened\r\nTo: x\r\n",
	  "Inbox|Opened|" },
	{ "without a thread", "X-Gmail-Labels: Sent\nTo: x\n\n", "Sent|" },
	{ "no labels", "X-GM-THRID: 1\nTo: x\n\n", "" },
	{ "an empty field", "X-GM-THRID: 1\nX-Gmail-Labels:\n\n", "" },
	{ "a comma in a label: CSV's quotes",
	  "X-Gmail-Labels: Inbox,\"Trips, 2019\",Unread\n\n",
	  "Inbox|Trips, 2019|Unread|" },
	{ "a quote in it is doubled",
	  "X-Gmail-Labels: \"say \"\"yes\"\", or no\",Inbox\n\n",
	  "say \"yes\", or no|Inbox|" },
	{ "a quote elsewhere stands for itself",
	  "X-Gmail-Labels: 5\" disks,Inbox\n\n", "5\" disks|Inbox|" },
	{ "a quote that is never closed", "X-Gmail-Labels: \"a,b\n\n",
	  "a,b|" },
	{ "all of it in an encoded word",
	  "X-GM-THRID: 1\nX-Gmail-Labels: "
	  "=?UTF-8?Q?Archived,=E2=98=AF,\\'quote,takeout?=\n\n",
	  "Archived|☯|\\'quote|takeout|" },
	{ "cut anywhere into several",
	  "X-Gmail-Labels: =?UTF-8?Q?1.Organiza=C4=8Dn=C3=AD,\"3._Culture,_Hle?=\n"
	  " =?UTF-8?Q?d=C3=A1n=C3=AD_ztracen=C3=A9ho_=C4=8Dasu\",Important?=\n\n",
	  "1.Organizační|3. Culture, Hledání ztraceného času|Important|" },
	{ "base64, cut between the bytes of a character",
	  "X-Gmail-Labels: =?UTF-8?B?5Y+X5L+h44OI44Os44KkLOmHjQ==?=\r\n"
	  " =?UTF-8?B?6KY=?=\r\n =?UTF-8?B?gSzmnKroqq0=?=\r\n\r\n",
	  "受信トレイ|重要|未読|" },
	{ "raw UTF-8", "X-Gmail-Labels: 受信トレイ,仕事\n\n",
	  "受信トレイ|仕事|" },
	{ "decomposed", "X-Gmail-Labels: か\xE3\x82\x99\n\n", "が|" },
	{ "blanks round them, and nothing between commas",
	  "X-Gmail-Labels:  Inbox , ,,Work \n\n", "Inbox|Work|" },
	{ "what is further down came with the mail",
	  "X-GM-THRID: 1\nTo: x\nX-Gmail-Labels: Spam\n\n", "" },
	{ "nothing of it on top", "To: x\nX-Gmail-Labels: Spam\n\n", "" },
	{ "in the body", "X-GM-THRID: 1\n\nX-Gmail-Labels: Spam\n", "" },
	{ "cut off", "X-Gmail-Labels: Inbox,Wo", "Inbox|Wo|" },
};

static void check_reading(void)
{
	struct takeout_labels l = TAKEOUT_LABELS_INIT;

	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		struct buf got = BUF_INIT;

		takeout_labels_read(&l, readings[i].header,
				    strlen(readings[i].header));
		for (const char *label = NULL;
		     (label = takeout_next_label(&l, label));)
			buf_addf(&got, "%s|", label);
		if (strcmp(got.data, readings[i].want))
			printf("%s:\n", readings[i].what);
		CHECK_STR(got.data, readings[i].want);
		buf_free(&got);
	}
	takeout_labels_free(&l);
}

static void note(void *ctx, const char *label, enum takeout_label kind)
{
	(void)kind;
	buf_addf(ctx, "%s|", label);
}

static const struct {
	const char *what, *labels, *folder;
	enum folder_use use;
	const char *flags, *lost;
} meanings[] = {
	{ "no label at all", "", "Archive", USE_ARCHIVE, "\\Seen", "" },
	{ "archived", "Archived,Opened", "Archive", USE_ARCHIVE, "\\Seen", "" },
	{ "unread in the Inbox", "Inbox,Unread", "Inbox", USE_INBOX, "", "" },
	{ "read: older exports do not say Opened", "Inbox", "Inbox", USE_INBOX,
	  "\\Seen", "" },
	{ "starred and important", "Inbox,Important,Starred,Opened", "Inbox",
	  USE_INBOX, "\\Seen \\Flagged $Important", "" },
	{ "sent", "Sent,Opened", "Sent", USE_SENT, "\\Seen", "" },
	{ "sent to oneself", "Inbox,Sent", "Sent", USE_SENT, "\\Seen",
	  "Inbox|" },
	{ "a draft", "Drafts", "Drafts", USE_DRAFTS, "\\Seen \\Draft", "" },
	{ "a draft, as others spell it", "Draft", "Drafts", USE_DRAFTS,
	  "\\Seen \\Draft", "" },
	{ "spam", "Spam,Unread", "Spam", USE_JUNK, "", "" },
	{ "thrown away, whatever else it was", "Work,Inbox,Trash,Opened",
	  "Trash", USE_TRASH, "\\Seen Work", "Inbox|" },
	{ "a label of the user's", "Inbox,Work,Unread", "Work", USE_NONE, "",
	  "Inbox|" },
	{ "the deepest one", "Work,Work/Orders/2019,Home/Bills", "Work/Orders/2019",
	  USE_NONE, "\\Seen Home/Bills Work", "" },
	{ "of equals the first", "Home,Work", "Home", USE_NONE, "\\Seen Work",
	  "" },
	{ "no atoms: they cannot be keywords", "Work/A,仕事,Two words,a(b",
	  "Work/A", USE_NONE, "\\Seen", "仕事|Two words|a(b|" },
	{ "slashes with nothing between", "/A//B/", "A/B", USE_NONE, "\\Seen",
	  "" },
	{ "nothing but slashes", "Inbox,//", "Inbox", USE_INBOX, "\\Seen //",
	  "" },
	{ "too deep for a folder", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
	  "Archive", USE_ARCHIVE, "\\Seen a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
	  "" },
	{ "tabs of the Inbox", "Inbox,Category Promotions,Opened", "Inbox",
	  USE_INBOX, "\\Seen", "Category Promotions|" },
	{ "a label that begins likewise", "Category", "Category", USE_NONE,
	  "\\Seen", "" },
	{ "keywords of IMAP clients", "Inbox,IMAP_$Forwarded,IMAP_NotJunk",
	  "Inbox", USE_INBOX, "\\Seen $Forwarded NotJunk", "" },
	{ "a label that some client made for sent mail", "Sent Messages",
	  "Sent Messages", USE_SENT, "\\Seen", "" },
	{ "Japanese: the Inbox", "受信トレイ,重要,未読", "Inbox", USE_INBOX,
	  "$Important", "" },
	{ "Japanese: sent, read", "送信済み,開封済み", "Sent", USE_SENT,
	  "\\Seen", "" },
	{ "Japanese: trash", "ゴミ箱,開封済み", "Trash", USE_TRASH, "\\Seen",
	  "" },
	{ "Japanese: spam", "迷惑メール,未読", "Spam", USE_JUNK, "", "" },
	{ "Japanese: a draft", "下書き", "Drafts", USE_DRAFTS, "\\Seen \\Draft",
	  "" },
	{ "Japanese: starred, in a tab, and a label", "受信トレイ,スター付き,"
	  "カテゴリ: プロモーション,仕事/請求",
	  "仕事/請求", USE_NONE, "\\Seen \\Flagged",
	  "受信トレイ|カテゴリ: プロモーション|" },
	{ "Japanese: archived", "アーカイブ済み,開封済み", "Archive",
	  USE_ARCHIVE, "\\Seen", "" },
	{ "Japanese: a label called Category", "カテゴリ", "カテゴリ", USE_NONE,
	  "\\Seen", "" },
};

static void check_meaning(void)
{
	struct takeout_labels l = TAKEOUT_LABELS_INIT;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		struct buf header = BUF_INIT, folder = BUF_INIT;
		struct flags f = FLAGS_INIT, want = FLAGS_INIT;
		struct buf lost = BUF_INIT;
		const char *what = meanings[i].what;

		buf_addf(&header, "X-Gmail-Labels: %s\n\n", meanings[i].labels);
		takeout_labels_read(&l, header.data, header.len);
		takeout_folder_of(&l, &folder);
		CHECK_STR(folder.data, meanings[i].folder);
		CHECK_CASE(what, takeout_folder_use(folder.data) ==
					 meanings[i].use);
		takeout_flags(&l, folder.data, &f, note, &lost);
		flags_parse(&want, meanings[i].flags,
			    strlen(meanings[i].flags));
		CHECK_CASE(what, flags_equal(&f, &want));
		if (strcmp(lost.data, meanings[i].lost))
			printf("%s:\n", what);
		CHECK_STR(lost.data, meanings[i].lost);
		buf_free(&header);
		buf_free(&folder);
		buf_free(&lost);
		flags_free(&f);
		flags_free(&want);
	}
	takeout_labels_free(&l);
}

int main(void)
{
	check_reading();
	check_meaning();
	return check_done();
}
