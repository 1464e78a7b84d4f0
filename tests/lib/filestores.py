# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores with a file per message, as the programs write them (docs/formats.md): Windows
Live Mail, Apple Mail, Sylpheed, and a tree of .eml files. Each function fills a folder
and returns what should be on the server: [(folder, bytes, flags)]."""
import base64
import os
import plistlib
import struct


def write(root, path, data):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def mail(number, subject="Mail", body="Body.\n", more=""):
    """With CRLF, as it is on the wire."""
    text = ("From: Office <office@example.com>\nTo: a@example.com\n"
            "Subject: %s %d\nDate: Mon, 1 Jan 2024 00:00:%02d +0900\n"
            "Message-ID: <%s.%d@example.com>\n%s\n%s"
            % (subject, number, number % 60, subject.lower(), number, more, body))
    return text.encode().replace(b"\n", b"\r\n")


ACCOUNT = """<?xml version="1.0" encoding="utf-16" ?>\r
<MessageAccount>\r
  <Account_Name type="SZ">%s</Account_Name>\r
  <Connection_Type type="DWORD">00000003</Connection_Type>\r
  <%s_Server type="SZ">%s.example.com</%s_Server>\r
</MessageAccount>\r
"""


def wlm(root):
    def account(folder, name, kind):
        text = ACCOUNT % (name, kind, kind.lower(), kind)
        write(root, folder + "/account{%s}.oeaccount" % name,
              b"\xff\xfe" + text.encode("utf-16-le"))

    want = []

    def message(folder, number, target, flags, data=None):
        data = data or mail(number, "Live")
        write(root, "%s/%08X-%08X.eml" % (folder, 0x26A6701F, number), data)
        if target:
            want.append((target, data, flags))

    write(root, "Mail.MSMessageStore", b"\xef\xcd\xab\x89" * 16)
    account("Office (ex 28a", "Office (example.com)", "POP3")
    account("Home 1b2", "Home", "IMAP")
    message("Office (ex 28a/Inbox", 1, "INBOX", {"\\Seen"})
    message("Office (ex 28a/Inbox", 2, "INBOX", {"\\Seen"})
    message("Office (ex 28a/Inbox/Customers", 3, "INBOX/Customers", {"\\Seen"})
    message("Office (ex 28a/Sent Ite 5A1", 4, "Sent", {"\\Seen"})
    message("Office (ex 28a/Drafts", 5, "Drafts", {"\\Seen", "\\Draft"},
            b"X-Unsent: 1\r\n" + mail(5, "Live"))
    message("Office (ex 28a/Deleted  07c", 6, "Trash", {"\\Seen"})
    message("Storage Folders/Old 2009", 7, "Old 2009", {"\\Seen"})
    message("Home 1b2/Inbox", 8, None, None)
    write(root, "Office (ex 28a/Inbox/winmail.fol", b"x")
    write(root, "Office (ex 28a/Inbox/0FDD08FE-0003DBFF.nws", mail(9))
    write(root, "Backup/new/26A6701F-0000000A.eml", mail(10))
    return want


UUID = "0A1B2C3D-0000-4000-8000-00000000000%X"


def encoded(data, line=76):
    """Base64 as Mail keeps it: no line end at the end."""
    text = base64.b64encode(data)
    return b"\n".join(text[i:i + line] for i in range(0, len(text), line))


def apple(root):
    want = []
    store = UUID % 15 + "/Data"

    def message(mailbox, number, flags, target, shown, data=None, kind="emlx",
                stored=None, form=plistlib.FMT_XML):
        data = data or mail(number, "Apple")
        body = (stored or data).replace(b"\r\n", b"\n")
        bucket = "".join(d + "/" for d in reversed(str(number)[:-3]))
        info = plistlib.dumps({"flags": flags, "conversation-id": number,
                               "date-received": 1700000000 + number,
                               "remote-id": "7", "color": "000000"}, fmt=form)
        write(root, "%s/%s/%sMessages/%d.%s" % (mailbox, store, bucket, number,
                                                kind),
              b"%-10d\n" % len(body) + body + info)
        if target:
            want.append((target, data, shown))

    inbox = "V10/" + UUID % 1 + "/INBOX.mbox"
    write(root, "V10/MailData/Envelope Index", b"SQLite format 3\0")
    message(inbox, 992, 1, "INBOX", {"\\Seen"})
    message(inbox, 1308, 0x2_0000_0000, "INBOX", set())
    message(inbox, 79780, 1 | 4 | 16, "INBOX",
            {"\\Seen", "\\Answered", "\\Flagged"}, form=plistlib.FMT_BINARY)
    message(inbox, 993, 3, None, None)      # deleted
    message("V10/" + UUID % 1 + "/Sent Messages.mbox", 5, 1, "Sent", {"\\Seen"})
    message("V10/" + UUID % 1 + "/Clients.mbox/が.mbox", 6, 1 | 0x100,
            "Clients/が", {"\\Seen", "$Forwarded"})
    write(root, "V10/" + UUID % 2 + "/INBOX.mbox/Info.plist",
          plistlib.dumps({"MailboxName": "INBOX", "UIDVALIDITY": 7}))
    message("V10/" + UUID % 2 + "/INBOX.mbox", 7, 1, None, None)
    message("V9/" + UUID % 1 + "/INBOX.mbox", 8, 1, None, None)
    # One whose attachments were taken out.
    data = bytes(range(256)) * 300
    part = ("--B\nContent-Type: application/pdf;\n\tname=a.pdf\n"
            "Content-Transfer-Encoding: base64\n%s\n")
    whole = mail(1309, "Apple", more="Content-Type: multipart/mixed; boundary=B\n",
                 body="--B\n\nText.\n%s%s\n--B--\n" % (part % "", encoded(data).decode()))
    stored = mail(1309, "Apple", more="Content-Type: multipart/mixed; boundary=B\n",
                  body="--B\n\nText.\n%s\n--B--\n" % (
                      part % ("X-Apple-Content-Length: %d\n" % len(encoded(data)))))
    message(inbox, 1309, 1, "INBOX", {"\\Seen"}, whole, "partial.emlx", stored)
    write(root, "%s/%s/1/Attachments/1309/2/a.pdf" % (inbox, store), data)
    return want


def sylpheed(root):
    want = []

    def message(folder, number, target, flags, before=b""):
        data = mail(number, target or "Sylpheed")
        write(root, "%s/%d" % (folder, number), before + data.replace(b"\r\n", b"\n"))
        if target:
            want.append((target, data, flags))

    def marks(folder, records):
        write(root, folder + "/.sylpheed_mark", struct.pack("<I", 2) +
              b"".join(struct.pack("<II", *r) for r in records))

    message("inbox", 1, "INBOX", {"\\Seen"})
    message("inbox", 2, "INBOX", set())
    message("inbox", 10, "INBOX", {"\\Seen", "\\Flagged", "\\Answered"})
    message("inbox", 11, None, None)        # marked as deleted
    message("inbox", 12, "INBOX", set())    # came in since
    marks("inbox", [(1, 2), (2, 3), (10, 0x14), (11, 8), (1, 0)])
    message("inbox/list", 1, "INBOX/list", {"\\Seen"})
    marks("inbox/list", [(1, 0)])
    message("sent", 1, "Sent", {"\\Seen"})
    marks("sent", [(1, 0)])
    message("queue", 1, "queue", {"\\Seen", "\\Draft"},
            b"AF:\nNF:0\nPS:10\nSRH:1\nSFN:\nDSR:\nMID:\nCFG:\nPT:0\n"
            b"S:office@example.com\nRQ:\nSSV:smtp.example.com\nNSV:\nSSH:\n"
            b"R:<a@example.com>\nAID:1\n\n")
    marks("queue", [(1, 0)])
    name = "日本語".encode("euc-jp").decode("utf-8", "surrogateescape")
    message(name, 1, "日本語", {"\\Seen"})
    marks(name, [(1, 0)])
    write(root, "inbox/.sylpheed_cache", b"noise")
    return want


def eml(root):
    want = []

    def message(path, target, flags, data, stored=None):
        write(root, path, stored or data)
        want.append((target, data, flags))

    message("Clients/A/1.eml", "Clients/A", {"\\Seen"}, mail(1, "Eml"))
    message("Clients/A/2.eml", "Clients/A", {"\\Seen"}, mail(2, "Eml"),
            b"\xef\xbb\xbf" + mail(2, "Eml"))
    message("Clients/B/3.eml", "Clients/B", {"\\Seen"}, mail(3, "Eml"),
            b"\xff\xfe" + mail(3, "Eml").decode().encode("utf-16-le"))
    message("Clients/B/4.eml", "Clients/B", {"\\Flagged"}, mail(4, "Eml"),
            b"From - Tue Oct 02 00:26:47 2007\r\nX-Mozilla-Status: 0004\r\n"
            b"X-Mozilla-Status2: 00000000\r\n" + mail(4, "Eml"))
    message("Drafts/.eml", "Drafts", {"\\Seen", "\\Draft"}, mail(5, "Eml"))
    write(root, "Clients/A/news.nws", mail(6, "Eml"))
    return want
