# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlook stores on their way to a server: made by the book (pststore.py), other people's
(../shared/corpora, where it is there), and what readpst makes of the same ones."""
import email
import email.header
import email.policy
import email.utils
import glob
import os
import shutil
import signal
import struct
import subprocess
import sys

import dovecot
import pststore
from harness import Case, Result, by_folder, environment, main
from makemail import CORPORA
from pststore import BCC, CC, Attachment, Message, Recipient, Store

WHEN = 1073264400  # Mon, 05 Jan 2004 01:00:00 +0000
HEADERS = ("Received: from mx.example.com by mail.example.jp; Mon, 5 Jan 2004 10:00:02 +0900\r\n"
           "From: =?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <taro@example.jp>\r\n"
           "To: hanako@example.jp\r\n"
           "Subject: =?iso-2022-jp?B?GyRCOCtAUT1xGyhC?=\r\n"
           "X-Folded: one\r\n\ttwo\r\n"
           "Date: Mon, 5 Jan 2004 10:00:00 +0900\r\n"
           "Message-ID: <1@example.jp>\r\n")
MIME = ("MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=iso-2022-jp\r\n"
        "Content-Transfer-Encoding: 7bit\r\n")


def decoded(value):
    return str(email.header.make_header(email.header.decode_header(value)))


def unfolded(value):
    return value.replace("\r\n", "") if value else value


def addresses(message, field):
    value = message.get(field)
    return [(decoded(name), address) for name, address in
            email.utils.getaddresses([value] if value else [])]


def parts(message):
    """(type, charset, file name, bytes) of every leaf, in order."""
    return [(p.get_content_type(), p.get_content_charset(), p.get_filename(),
             p.get_payload(decode=True)) for p in message.walk() if not p.is_multipart()]


def attached(message):
    return [(name, data) for _, _, name, data in parts(message) if name]


class Pst(Case):
    server = {"separator": "/", "format": "mdbox"}

    def make(self, *messages, name="mail.pst", folder="Inbox", **how):
        store = Store(**how)
        box = store.folder(folder)
        for m in messages:
            store.add(box, m)
        return store.write(self.path(name))

    def arrived(self):
        """Of everything: (folder, flags, instant, raw, parsed), as it was sent."""
        found = [(m, email.message_from_bytes(m.raw)) for m in self.mails(keep_raw=True)]
        for m, parsed in found:
            self.assertEqual([p.defects for p in parsed.walk() if p.defects], [], m.raw)
            self.assertNotIn(b"\n", m.raw.replace(b"\r\n", b""))
        return found

    def bring(self, *messages, **how):
        """The only message, or the list of them."""
        self.user = self.new_user()
        self.ledger = self.path("%s.db" % self.user)
        path = self.make(*messages, **how)
        summary = self.migrate(path).summary
        self.assertEqual(summary.uploaded, len(messages))
        again = self.migrate(path).summary
        self.assertEqual((again.uploaded, again.already), (0, len(messages)))
        self.assertEqual(again.bytes_read, 0)
        found = sorted(self.arrived(), key=lambda pair: pair[0].uid)
        return found[0] if len(messages) == 1 else found

    # -- mail that came with a header --------------------------------------

    def test_header_stays_but_for_mime(self):
        for ansi in (False, True):
            m, parsed = self.bring(
                Message("x", "見積書を送ります。\r\n", headers=HEADERS + MIME + "\r\n",
                        flags=1, delivered=WHEN + 2),
                ansi=ansi, code_page=932)
            self.assertTrue(m.raw.startswith(HEADERS.encode()), m.raw)
            head = m.raw[len(HEADERS):m.raw.index(b"\r\n\r\n")].split(b"\r\n")
            self.assertEqual(head, [
                b"MIME-Version: 1.0",
                b"Content-Type: text/plain; charset=" + (b"Shift_JIS" if ansi else b"utf-8"),
                b"Content-Transfer-Encoding: 8bit"])
            self.assertEqual(m.raw[m.raw.index(b"\r\n\r\n") + 4:],
                             "見積書を送ります。\r\n".encode("cp932" if ansi else "utf-8"))
            self.assertIn("\\Seen", m.flags)
            self.assertEqual(m.date, WHEN + 2)

    def test_headers_of_parts_and_of_exchange_are_no_headers(self):
        m, parsed = self.bring(Message("x", "body\r\n", headers=(
            "Microsoft Mail Internet Headers Version 2.0\r\n" + HEADERS + MIME +
            "\r\n--part\r\nContent-Type: text/html\r\n")))
        self.assertTrue(m.raw.startswith(HEADERS.encode()))
        self.assertNotIn(b"part", m.raw)
        self.assertNotIn(b"Microsoft", m.raw)

    def test_a_header_that_is_none(self):
        m, parsed = self.bring(Message(
            "Real subject", "body\r\n", headers="this is text, not a header",
            sender=("Office", "taro@example.jp"), submitted=WHEN))
        self.assertEqual(parsed["Subject"], "Real subject")
        self.assertEqual(parsed["From"], '"Office" <taro@example.jp>')
        self.assertNotIn(b"this is text", m.raw)

    # -- mail that was written here ----------------------------------------

    def test_sent_mail_gets_its_header_of_properties(self):
        for ansi in (False, True):
            m, parsed = self.bring(
                Message("\x01\x05Re: 見積書の件、よろしくお願いいたします。営業部からのお知らせ",
                        "本文\r\n", sender=("山田 太郎", "taro@example.jp"), submitted=WHEN,
                        message_id="<sent@example.jp>",
                        recipients=[
                            Recipient("鈴木 花子", "hanako@example.jp"),
                            Recipient("info@example.com", "info@example.com", CC),
                            Recipient("'x@example.com'", "x@example.com", CC),
                            Recipient('O"Neill, Pat', "pat@example.net"),
                            Recipient("Boss", "/O=EX/CN=RECIPIENTS/CN=BOSS", CC, "EX",
                                      smtp="boss@example.com"),
                            Recipient("Gone", "/O=EX/CN=RECIPIENTS/CN=GONE-1", CC, "EX"),
                            Recipient("Secret", "s@example.net", BCC)],
                        props={0x1042: (pststore.STRING8 if ansi else pststore.UNICODE,
                                        "<a@example.com>"),
                               0x1039: (pststore.STRING8 if ansi else pststore.UNICODE,
                                        "<b@example.com> <a@example.com>"),
                               0x0017: (pststore.LONG, 2)}),
                folder="送信済みアイテム", ansi=ansi, code_page=932)
            self.assertEqual(decoded(unfolded(parsed["Subject"])),
                             "Re: 見積書の件、よろしくお願いいたします。営業部からのお知らせ")
            self.assertEqual(addresses(parsed, "From"), [("山田 太郎", "taro@example.jp")])
            self.assertEqual(addresses(parsed, "To"),
                             [("鈴木 花子", "hanako@example.jp"),
                              ('O"Neill, Pat', "pat@example.net")])
            self.assertEqual(addresses(parsed, "Cc"),
                             [("", "info@example.com"), ("", "x@example.com"),
                              ("Boss", "boss@example.com"),
                              ("Gone", "gone-1@address.invalid")])
            self.assertEqual(addresses(parsed, "Bcc"), [("Secret", "s@example.net")])
            self.assertEqual(parsed["Date"], "Mon, 05 Jan 2004 01:00:00 +0000")
            self.assertEqual(parsed["Message-ID"], "<sent@example.jp>")
            self.assertEqual(parsed["In-Reply-To"], "<a@example.com>")
            self.assertEqual(parsed["References"], "<b@example.com> <a@example.com>")
            self.assertEqual(parsed["Importance"], "high")
            self.assertEqual(m.date, WHEN)
            for line in m.raw.split(b"\r\n\r\n")[0].split(b"\r\n"):
                self.assertLessEqual(len(line), 78, line)

    def test_recipients_without_a_table(self):
        m, parsed = self.bring(Message("s", "b\r\n", props={
            0x0E04: (pststore.UNICODE, "Sales Desk; info@example.com")}))
        self.assertEqual(addresses(parsed, "To"),
                         [("Sales Desk", "unknown@address.invalid"),
                          ("", "info@example.com")])

    def test_many_recipients(self):
        """A table in a node of its own, over several blocks."""
        people = [Recipient("Person %d of many" % i, "p%d@example.com" % i)
                  for i in range(1200)]
        m, parsed = self.bring(Message("s", "b\r\n", recipients=people))
        self.assertEqual(addresses(parsed, "To"),
                         [("Person %d of many" % i, "p%d@example.com" % i)
                          for i in range(1200)])

    # -- bodies ------------------------------------------------------------

    BODIES = [
        # what it is, message, [(type, charset, bytes)]
        ("ASCII says so", Message("s", "plain\r\n"), [("text/plain", "us-ascii", b"plain\r\n")]),
        ("HTML as it is stored, in its charset",
         Message("s", html="<p>日本語".encode("cp932"), cpid=932),
         [("text/html", "shift_jis", "<p>日本語".encode("cp932"))]),
        ("ISO-2022-JP is not ASCII", Message("s", html="日本".encode("iso-2022-jp"), cpid=50220),
         [("text/html", "iso-2022-jp", "日本".encode("iso-2022-jp"))]),
        ("EUC-JP", Message("s", html="日本".encode("euc-jp"), cpid=51932),
         [("text/html", "euc-jp", "日本".encode("euc-jp"))]),
        ("a code page nobody knows names none", Message("s", html=b"\xe9", cpid=99999),
         [("text/html", None, b"\xe9")]),
        ("text and HTML are alternatives",
         Message("s", "é\r\n", "é".encode(), cpid=65001),
         [("text/plain", "utf-8", "é\r\n".encode()), ("text/html", "utf-8", "é".encode())]),
        ("beyond the basic plane", Message("s", "\U0001f600\U00020bb7"),
         [("text/plain", "utf-8", "\U0001f600\U00020bb7".encode())]),
        ("a line too long for mail", Message("s", "x" * 5000 + "\r\n"),
         [("text/plain", "us-ascii", b"x" * 5000 + b"\r\n")]),
        ("a NUL within and NULs at the end", Message("s", "a\0b\0\0"),
         [("text/plain", "us-ascii", b"a\0b")]),
        ("a lone CR", Message("s", "a\rb"), [("text/plain", "us-ascii", b"a\rb")]),
        ("no body", Message("s"), [("text/plain", None, b"")]),
        ("only RTF", Message("s", rtf_body=pststore.rtf("{\\rtf1 hello}")),
         [("application/rtf", None, b"{\\rtf1 hello}")]),
        ("RTF that is not compressed", Message("s", "t", rtf_body=pststore.rtf("{\\rtf1}", False)),
         [("text/plain", "us-ascii", b"t"), ("application/rtf", None, b"{\\rtf1}")]),
        ("RTF beside HTML is Outlook's own", Message("s", html=b"h", rtf_body=pststore.rtf("r")),
         [("text/html", "us-ascii", b"h")]),
        ("a report says its text elsewhere", Message("s", cls="REPORT.IPM.Note.NDR", props={
            0x1001: (pststore.UNICODE, "could not be delivered")}),
         [("text/plain", "us-ascii", b"could not be delivered")]),
        ("larger than a heap", Message("s", "日本語です。" * 20000),
         [("text/plain", "utf-8", ("日本語です。" * 20000).encode())]),
    ]

    def test_bodies(self):
        found = self.bring(*[m for _, m, _ in self.BODIES])
        for (what, _, want), (m, parsed) in zip(self.BODIES, found):
            with self.subTest(what):
                got = [(kind, charset, data) for kind, charset, _, data in parts(parsed)]
                if want == [("text/plain", None, b"")]:
                    self.assertEqual([data.strip() for _, _, data in got], [b""])
                else:
                    self.assertEqual(got, want)

    def test_attachments(self):
        big = bytes(range(256)) * 12000
        names = ["plain.txt", "見積書 2004年 第三四半期 営業部 最終版（確定）.xls",
                 'quote"back\\slash.txt', "  ", None]
        m, parsed = self.bring(Message(
            "s", "text\r\n", "<img src='cid:i1@x'><img src=\"CID:i2@x\">".encode(), cpid=65001,
            attachments=[
                Attachment(b"one", names[0], "text/plain"),
                Attachment(big, names[1], "application/vnd.ms-excel"),
                Attachment(b"GIF1", "1.gif", "image/gif", "i1@x"),
                Attachment(b"GIF2", "2.gif", "image/gif", "<i2@x>"),
                Attachment(b"unseen", "3.gif", "image/gif", "i3@x"),
                Attachment(b"quoted", names[2], "bad type; x"),
                Attachment(b"", "empty.dat"),
                Attachment(b"short", short="SHORT~1.TXT"),
                Attachment(b"mail inside", "m.eml", "message/rfc822"),
            ]))
        self.assertEqual(parsed.get_content_type(), "multipart/mixed")
        alternative = parsed.get_payload(0)
        self.assertEqual([p.get_content_type() for p in alternative.get_payload()],
                         ["text/plain", "multipart/related"])
        related = alternative.get_payload(1)
        self.assertEqual([(p.get_content_type(), p["Content-ID"]) for p in related.get_payload()],
                         [("text/html", None), ("image/gif", "<i1@x>"), ("image/gif", "<i2@x>")])
        self.assertEqual(
            [(p.get_content_type(), p.get_filename(), p.get_payload(decode=True))
             for p in parsed.get_payload()[1:]],
            [("text/plain", names[0], b"one"), ("application/vnd.ms-excel", names[1], big),
             ("image/gif", "3.gif", b"unseen"), ("application/octet-stream", names[2], b"quoted"),
             ("application/octet-stream", "empty.dat", b""),
             ("application/octet-stream", "SHORT~1.TXT", b"short"),
             ("application/octet-stream", "m.eml", b"mail inside")])
        for line in m.raw.split(b"\r\n"):
            self.assertLessEqual(len(line), 100)

    def test_hundreds_of_attachments(self):
        """More subnodes than one block has room for: two levels, which libpst does not
        read."""
        files = [Attachment(b"%d" % i, "%d.txt" % i) for i in range(700)]
        m, parsed = self.bring(Message("s", "t", attachments=files))
        self.assertEqual(attached(parsed), [("%d.txt" % i, b"%d" % i) for i in range(700)])

    def test_messages_in_messages(self):
        inner = Message("innermost 件", "x\r\n", sender=("I", "i@example.com"),
                        attachments=[Attachment(b"data", "deep.bin")])
        for _ in range(4):
            inner = Message("outer", "y\r\n", attachments=[Attachment(message=inner)])
        m, parsed = self.bring(inner)
        for _ in range(4):
            self.assertEqual(parsed.get_content_type(), "multipart/mixed")
            wrapped = parsed.get_payload(1)
            self.assertEqual(wrapped.get_content_type(), "message/rfc822")
            parsed = wrapped.get_payload(0)
        self.assertEqual(decoded(parsed["Subject"]), "innermost 件")
        self.assertEqual(attached(parsed), [("deep.bin", b"data")])

    def test_a_link_is_noted(self):
        path = self.make(Message("s", "t", attachments=[
            Attachment(None, "elsewhere.doc", method=pststore.BY_REFERENCE)]))
        events = self.migrate(path).events
        notes = [e["notes"] for e in events if e["event"] == "message"]
        self.assertEqual(len(notes), 1)
        self.assertEqual(len(notes[0]), 2, notes)

    def test_signed_mail_is_what_was_signed(self):
        entity = (b"Content-Type: multipart/signed; micalg=sha1;\r\n"
                  b"\tprotocol=\"application/pkcs7-signature\"; boundary=\"sig\"\r\n\r\n"
                  b"--sig\r\nContent-Type: text/plain\r\n\r\nsigned  text \r\n"
                  b"--sig\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--sig--\r\n")
        m, parsed = self.bring(Message(
            "s", headers=HEADERS + "Content-Type: multipart/signed; boundary=other\r\n\r\n",
            cls="IPM.Note.SMIME.MultipartSigned",
            attachments=[Attachment(entity, "smime.p7m", "multipart/signed")]))
        self.assertEqual(m.raw, HEADERS.encode() + b"MIME-Version: 1.0\r\n" + entity)

    def test_encrypted_mail(self):
        m, parsed = self.bring(Message(
            "s", cls="IPM.Note.SMIME", headers=HEADERS + (
                "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data;\r\n"
                "\tname=\"smime.p7m\"\r\n\r\n"),
            attachments=[Attachment(b"\x30\x80secret", "smime.p7m",
                                    "application/x-pkcs7-mime")]))
        self.assertEqual(parsed.get_content_type(), "application/x-pkcs7-mime")
        self.assertEqual(parsed.get_param("smime-type"), "enveloped-data")
        self.assertEqual(parsed.get_payload(decode=True), b"\x30\x80secret")

    # -- flags, folders, what is no mail -------------------------------------

    FLAGS = [
        ("unread", {"flags": 0}, {}, set()),
        ("read", {"flags": 1}, {}, {"\\seen"}),
        ("a draft", {"flags": 9}, {}, {"\\seen", "\\draft"}),
        ("answered", {"flags": 1}, {0x1081: (pststore.LONG, 102)}, {"\\seen", "\\answered"}),
        ("answered to all", {"flags": 1}, {0x1081: (pststore.LONG, 103)},
         {"\\seen", "\\answered"}),
        ("answered, by the icon", {"flags": 1}, {0x1080: (pststore.LONG, 0x105)},
         {"\\seen", "\\answered"}),
        ("forwarded", {"flags": 1}, {0x1081: (pststore.LONG, 104)}, {"\\seen", "$forwarded"}),
        ("flagged", {"flags": 1}, {0x1090: (pststore.LONG, 2)}, {"\\seen", "\\flagged"}),
        ("a flag that is done", {"flags": 1}, {0x1090: (pststore.LONG, 1)}, {"\\seen"}),
        ("categories", {"flags": 1, "categories": ["Work", "重要", "two words", "x-1"]}, {},
         {"\\seen", "work", "x-1"}),
    ]

    def test_flags(self):
        for ansi in (False, True):
            found = self.bring(*[
                Message("n%d" % i, "b\r\n", props=props, **how)
                for i, (_, how, props, _) in enumerate(self.FLAGS)],
                ansi=ansi, code_page=932)
            for (what, _, _, want), (m, _) in zip(self.FLAGS, found):
                self.assertEqual({f.lower() for f in m.flags} - {"\\recent"}, want, what)

    def test_folders(self):
        for ansi in (False, True):
            self.user = self.new_user()
            self.ledger = self.path("%s.db" % self.user)
            store = Store(ansi=ansi, code_page=932)
            inbox = store.folder("受信トレイ")
            clients = store.folder("得意先/関西", parent=inbox)
            sent = store.folder("送信済みアイテム")
            deleted = store.folder("削除済みアイテム")
            store.add(inbox, Message("in", "1\r\n"))
            store.add(clients, Message("client", "2\r\n"))
            store.add(sent, Message("sent", "3\r\n", submitted=WHEN))
            store.add(deleted, Message("gone", "4\r\n"))
            calendar = store.folder("予定表", cls="IPF.Appointment")
            store.add(calendar, Message("meeting", cls="IPM.Appointment"))
            contacts = store.folder("連絡先", cls="IPF.Contact")
            store.add(contacts, Message("someone", cls="IPM.Contact"))
            store.add(contacts, Message("some", cls="IPM.DistList"))
            mixed = store.folder("仕事", cls="IPF.Task")
            store.add(mixed, Message("a task", cls="IPM.Task"))
            store.add(mixed, Message("mail among tasks", "5\r\n"))
            result = self.migrate(store.write(self.path("f.pst")))
            self.assertEqual((result.summary.uploaded, result.summary.skipped), (5, 1))
            got = {folder: [decoded(email.message_from_bytes(m.raw)["Subject"]) for m in mails]
                   for folder, mails in by_folder(self.mails(keep_raw=True)).items()}
            self.assertEqual(sorted(s for subjects in got.values() for s in subjects),
                             ["client", "gone", "in", "mail among tasks", "sent"])
            self.assertEqual(got["INBOX"], ["in"])
            self.assertEqual(got["仕事"], ["mail among tasks"])
            self.assertNotIn("予定表", got)
            said = " ".join(e["text"] for e in result.events if e["event"] == "remark")
            self.assertIn("2 contacts, 1 appointments", said)

    def test_meetings_and_reports_are_mail(self):
        found = self.bring(
            Message("meeting", "b\r\n", cls="IPM.Schedule.Meeting.Request"),
            Message("read", "b\r\n", cls="REPORT.IPM.Note.IPNRN"),
            Message("own", "b\r\n", cls="IPM.Note.Company.Form"),
            Message("none", "b\r\n", cls=""))
        self.assertEqual([p["Subject"] for _, p in found], ["meeting", "read", "own", "none"])

    # -- stores that are not whole --------------------------------------------

    def scan(self, path, want=None, **how):
        result = self.run_program("scan", "--json", path, **how)
        if want is not None:
            self.assertEqual(result.code, want, str(result))
        return result

    def said(self, result):
        return " ".join(e.get("text") or e.get("reason") or "" for e in result.events)

    def test_a_damaged_message_costs_itself(self):
        store = Store()
        box = store.folder("Inbox")
        for i in range(5):
            store.add(box, Message("message %d" % i, "%d\r\n" % i))
        raw = bytearray(store.bytes())
        at = raw.index("message 2".encode("utf-16-le"))
        start = raw.rindex(struct.pack("<BB", 0xEC, 0xBC), 0, at) - 2
        raw[start:start + 64] = b"\xff" * 64
        path = self.path("damaged.pst")
        with open(path, "wb") as f:
            f.write(raw)
        result = self.migrate(path, want=1)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (4, 1))
        reason = [e["reason"] for e in result.events
                  if e["event"] == "message" and e["state"] == "failed"]
        self.assertIn("Inbox, message 2097252: ", reason[0])

    def test_a_missing_part_is_noted(self):
        """The blocks of an attachment are not in the index any more."""
        store = Store()
        box = store.folder("Inbox")
        store.add(box, Message("s", "text\r\n", attachments=[
            Attachment(b"here", "a.bin"), Attachment(b"z" * 20000, "b.bin")]))
        drop = []
        put = store.put

        def note(data, internal=False):
            bid = put(data, internal)
            if data.startswith(b"zzzz"):
                drop.append(bid)
            return bid
        store.put = note
        store.all_nodes()
        store.bbt = [b for b in store.bbt if b[0] not in drop]
        store.all_nodes = lambda: None
        result = self.migrate(store.write(self.path("part.pst")))
        event = [e for e in result.events if e["event"] == "message"][0]
        self.assertEqual(len(event["notes"]), 2, event)
        (m, parsed), = self.arrived()
        self.assertEqual(attached(parsed), [("a.bin", b"here"), ("b.bin", b"")])

    def test_messages_without_a_folder(self):
        store = Store()
        store.add(store.folder("Inbox"), Message("kept", "1\r\n"))
        store.lost(Message("lost", "2\r\n"))
        self.migrate(store.write(self.path("lost.pst")))
        got = {m.folder: email.message_from_bytes(m.raw)["Subject"]
               for m in self.mails(keep_raw=True)}
        self.assertEqual(got, {"INBOX": "kept", "Lost and found": "lost"})

    def test_a_folder_that_should_hold_more(self):
        store = Store()
        store.add(store.folder("Inbox", count=7), Message("one", "1\r\n"))
        result = self.scan(store.write(self.path("short.pst")), want=0)
        self.assertIn("Inbox should hold 7 items, and 1 are there", self.said(result))

    def test_a_damaged_index_is_said(self):
        store = Store()
        box = store.folder("Inbox")
        for i in range(200):
            store.add(box, Message("m%d" % i, "%d\r\n" % i))
        raw = bytearray(store.bytes())
        pages = [at for at in range(0, len(raw), 512)
                 if raw[at + 496:at + 498] == b"\x81\x81" and raw[at + 0x1EB] == 0]
        raw[pages[5]:pages[5] + 512] = bytes(512)
        path = self.path("index.pst")
        with open(path, "wb") as f:
            f.write(raw)
        result = self.scan(path)
        self.assertIn("1 pages of its index cannot be read", self.said(result))
        self.assertGreater(result.summary.found, 100)
        self.assertLess(result.summary.found, 200)

    def test_an_index_that_leads_to_itself(self):
        store = Store()
        box = store.folder("Inbox")
        for i in range(200):
            store.add(box, Message("m%d" % i, "%d\r\n" % i))
        raw = bytearray(store.bytes())
        root = struct.unpack_from("<Q", raw, 0xE0)[0]
        self.assertEqual(raw[root + 0x1EB], 1)
        bid = struct.unpack_from("<Q", raw, root + 0x1F8)[0]
        struct.pack_into("<QQ", raw, root + 8, bid, root)
        path = self.path("loop.pst")
        with open(path, "wb") as f:
            f.write(raw)
        result = self.scan(path)
        self.assertEqual(result.code, 66)
        self.assertIn("scanpst", result.err)

    def test_packed_blocks_that_are_damaged(self):
        """Where libpst 0.6.76 crashes: it deciphers what it could not unpack as if it were
        2^64 bytes long."""
        store = Store(large=True, enciphered=True, client=b"SO")
        box = store.folder("Inbox")
        where = [store.add(box, Message("m%d" % i, "body %d\r\n" % i * 100)) for i in range(9)]
        store.all_nodes()
        store.all_nodes = lambda: None
        block = {str(nid): data for nid, data, _, _ in store.nbt}
        raw = bytearray(store.bytes())
        for broken in (where[0], where[4], where[5], where[8]):
            at, = [ib for bid, ib, _, _ in store.bbt if bid == block[broken]]
            raw[at + 2:at + 40] = b"\xff" * 38
        path = self.path("packed.ost")
        with open(path, "wb") as f:
            f.write(raw)
        result = self.migrate(path, want=1)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (5, 4))
        failed = {e["locator"]: e["reason"] for e in result.events
                  if e["event"] == "message" and e["state"] == "failed"}
        self.assertEqual(set(failed), {where[0], where[4], where[5], where[8]})
        for locator, reason in failed.items():
            self.assertIn("Inbox, message %s: block" % locator, reason)
            self.assertIn("cannot be read", reason)

    def readers(self, path):
        """Processes that have the store open: those that only read it."""
        for fds in glob.glob("/proc/[0-9]*/fd"):
            try:
                if any(os.readlink(os.path.join(fds, fd)) == path for fd in os.listdir(fds)):
                    yield int(fds.split("/")[2])
            except OSError:
                continue  # it is gone, or somebody else's

    def test_a_reader_that_dies(self):
        """However often its reader crashes, the run ends as it should, and a run that is
        left alone completes it."""
        store = Store()
        for f in range(3):
            box = store.folder("Folder %d" % f)
            for i in range(120):
                store.add(box, Message("m%d" % i, "%d %d\r\n" % (f, i) * 5000))
        path = store.write(self.path("dying.pst"))
        killed = 0
        for runs in range(30):
            if killed > 5:
                break
            # Twice into the same mailbox, then into another.
            if runs % 2 == 0:
                self.user = self.new_user()
                self.ledger = self.path("%s.db" % self.user)
            argv = [self.program, "migrate", *self.options(), path,
                    self.dovecot.target(self.user)]
            with open(self.path("out"), "wb") as out, open(self.path("err"), "wb") as err:
                run = subprocess.Popen(argv, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                       env=environment(self.home, dovecot.PASSWORD))
                done = set()
                while run.poll() is None:
                    for pid in set(self.readers(path)) - done:
                        done.add(pid)
                        try:
                            run.wait(0.03 * len(done))
                        except subprocess.TimeoutExpired:
                            pass
                        if run.poll() is None and pid in self.readers(path):
                            os.kill(pid, signal.SIGSEGV)
                            killed += 1
            self.assertIn(run.returncode, (0, 1, 66))
            with open(self.path("out"), "rb") as out, open(self.path("err"), "rb") as err:
                result = Result(argv, run.returncode, out.read(), err.read())
            self.assertNotIn("AddressSanitizer", result.err)
            for event in result.events:
                if event["event"] == "message" and event["state"] == "failed":
                    self.assertIn("message %s: its reader crashed (SIGSEGV)" % event["locator"],
                                  event["reason"])
            self.assertEqual(list(self.readers(path)), [])
        self.assertGreater(killed, 5)
        summary = self.migrate(path).summary
        self.assertEqual((summary.found, summary.failed), (360, 0))
        self.assertEqual(len(self.mails()), 360)
        self.assertEqual(len({m.sha256 for m in self.mails()}), 360)

    REFUSED = [
        ("not one", b"!BDN no", "not an Outlook store"),
        ("an address book", b"!BDN" + bytes(4) + b"AB" + bytes(600), "not an Outlook store"),
        ("cut off", b"!BDN" + bytes(4) + b"SM\x17\x00" + bytes(40), "cut off"),
        ("another version", b"!BDN" + bytes(4) + b"SM\x63\x00" + bytes(600), "version 99"),
        ("no index", b"!BDN" + bytes(4) + b"SM\x17\x00" + bytes(600), "index cannot be read"),
        ("an encryption of Windows", b"!BDN" + bytes(4) + b"SM\x17\x00" + bytes(501) + b"\x10" +
         bytes(600), "encrypted"),
    ]

    def test_refused(self):
        for what, raw, text in self.REFUSED:
            path = self.path("refused.pst")
            with open(path, "wb") as f:
                f.write(raw)
            result = self.run_program("scan", "pst:" + path)
            self.assertEqual(result.code, 66, what)
            self.assertOneLine(result.err, text)

    def test_a_directory(self):
        result = self.run_program("scan", "pst:" + self.folder)
        self.assertEqual(result.code, 66)
        self.assertOneLine(result.err, "a directory")

    def test_every_kind_of_file(self):
        """Enciphered, ANSI, in large pages with packed blocks: the same mail."""
        kinds = [{}, {"enciphered": True}, {"ansi": True, "enciphered": True},
                 {"large": True}, {"large": True, "enciphered": True}]
        seen = []
        for how in kinds:
            found = self.bring(*[
                Message("subject %d" % i, "body %d\r\n" % i * 900, message_id="<%d@x>" % i,
                        sender=("a", "a@example.com"),
                        recipients=[Recipient("r%d" % j, "r%d@example.com" % j)
                                    for j in range(i * 40)],
                        attachments=[Attachment(bytes(range(256)) * 900, "f.bin")])
                for i in range(1, 6)], **how)
            seen.append([(p["Subject"], p["To"], p.get_payload(0).get_payload(), attached(p))
                         for _, p in found])
        for other in seen[1:]:
            self.assertEqual(other, seen[0])

    def test_a_copy_of_a_mailbox_on_a_server(self):
        result = self.scan(self.make(Message("s", "b\r\n"), name="x.ost", client=b"SO"), want=0)
        self.assertIn("(.ost)", self.said(result))

    # -- the same again ---------------------------------------------------------

    def test_the_same_bytes_each_time(self):
        """Digests are of no use otherwise: nothing may come from a clock or from chance,
        nor from where the file lies."""
        messages = [m for _, m, _ in self.BODIES] + [Message(
            "s", "t", b"<img src=cid:i@x>",
            attachments=[Attachment(b"G", "g.gif", "image/gif", "i@x"), Attachment(b"x", "表.txt"),
                         Attachment(message=Message("in", "y"))])]
        seen = []
        for name in ("one.pst", "another.pst"):
            self.user = self.new_user()
            self.ledger = self.path(name + ".db")
            self.migrate(self.make(*messages, name=name))
            seen.append(sorted(m.raw for m in self.mails(keep_raw=True)))
        self.assertEqual(len(seen[0]), len(messages))
        self.assertEqual(seen[0], seen[1])

    def test_a_changed_store_brings_what_is_new(self):
        mails = [Message("n%d" % i, "%d\r\n" % i) for i in range(10)]
        self.migrate(self.make(*mails[:6]))
        summary = self.migrate(self.make(*mails)).summary
        self.assertEqual((summary.uploaded, summary.found), (4, 10))
        self.assertEqual(len(self.mails()), 10)

    def test_untouched(self):
        path = self.make(Message("s", "b\r\n"))
        os.utime(path, ns=(10**18, 10**18 + 5))
        before = os.stat(path)
        self.migrate(path)
        after = os.stat(path)
        for field in ("st_size", "st_mtime_ns", "st_atime_ns", "st_ctime_ns", "st_ino"):
            self.assertEqual(getattr(before, field), getattr(after, field), field)

    def test_memory(self):
        """An attachment of 60 MB passes by in pieces."""
        path = self.path("large.pst")
        # By a process of its own: what this one needs would count as the program's.
        subprocess.run([sys.executable, "-c", (
            "from pststore import *; s = Store(); s.add(s.folder('Inbox'), Message('s', 'b\\r\\n', "
            "attachments=[Attachment(bytes(60_000_000), 'z')])); s.write(%r)" % path)], check=True)
        # From a small process: what forks it would count as well.
        summary = self.scan(path, wrapper=("sh", "-c", '"$0" "$@"; exit $?')).summary
        self.assertGreater(summary.bytes_read, 80_000_000)
        if b"asan" not in subprocess.run(["ldd", self.program], capture_output=True).stdout:
            self.assertLess(summary.rss_peak_bytes, 60_000_000)

    # -- other people's ---------------------------------------------------------

    def readpst(self, path):
        """What readpst makes of a store."""
        if not shutil.which("readpst"):
            self.skipTest("readpst is not installed (pst-utils)")
        out = self.path("readpst")
        os.mkdir(out)
        subprocess.run(["readpst", "-D", "-e", "-8", "-j0", "-q", "-C", "CP932", "-o", out, path],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = []
        for name in glob.glob(os.path.join(out, "**", "*.eml"), recursive=True):
            with open(name, "rb") as f:
                found.append(email.message_from_binary_file(f))
        return found

    def compare(self, path):
        theirs = self.readpst(path)
        summary = self.migrate(path).summary
        ours = [parsed for _, parsed in self.arrived()]
        self.assertEqual(summary.uploaded, len(ours))
        self.assertEqual(len(ours), len(theirs))

        def key(message):
            return (decoded(unfolded(message["Subject"] or "")).strip(),
                    message["Message-ID"] or "")
        self.assertEqual(sorted(map(key, ours)), sorted(map(key, theirs)))

        def files(messages):
            # A message within a message is a file for neither.
            return sorted((data or b"").rstrip(b"\n") for message in messages
                          for p in message.walk() if not p.is_multipart()
                          and p.get_content_disposition() == "attachment"
                          and p.get_content_type() != "application/rtf"
                          for data in [p.get_payload(decode=True)])
        self.assertEqual(files(ours), files(theirs))
        return summary

    def test_readpst_agrees(self):
        for ansi in (False, True):
            self.user = self.new_user()
            self.ledger = self.path("%s.db" % self.user)
            shutil.rmtree(self.path("readpst"), ignore_errors=True)
            # Without a code page: libpst 0.6.76 takes 932 for ISO-2022-JP.
            store = Store(ansi=ansi)
            inbox, sent = store.folder("受信トレイ"), store.folder("送信済みアイテム")
            for i in range(30):
                store.add(inbox, Message(
                    "件名 %d" % i, "本文 %d\r\n" % i, message_id="<a%d@example.com>" % i,
                    sender=("山田", "taro@example.jp"), submitted=WHEN + i,
                    attachments=[Attachment(bytes([i + 1]) * (900 * i + 1), "f%d.bin" % i)] * (i % 4)))
            for i in range(5):
                store.add(sent, Message("sent %d" % i, "x\r\n", message_id="<s%d@example.com>" % i,
                                        recipients=[Recipient("a", "a@example.com")]))
            self.assertEqual(self.compare(store.write(self.path("both.pst"))).uploaded, 35)

    def test_corpora(self):
        stores = glob.glob(os.path.join(CORPORA, "**", "*.pst"), recursive=True)
        if not stores:
            self.skipTest("no ../shared/corpora beside the source")
        self.assertEqual(len(stores), 3)
        uploaded = 0
        for path in stores:
            with self.subTest(path):
                self.user = self.new_user()
                self.ledger = self.path("%s.db" % self.user)
                shutil.rmtree(self.path("readpst"), ignore_errors=True)
                first = self.compare(path)
                uploaded += first.uploaded
                again = self.migrate(path).summary
                self.assertEqual((again.uploaded, again.already, again.bytes_read),
                                 (0, first.uploaded, 0))
                digests = sorted(m.sha256 for m in self.mails())
                self.user = self.new_user()
                self.ledger = self.path("%s.db" % self.user)
                self.migrate(path)
                self.assertEqual(sorted(m.sha256 for m in self.mails()), digests)
        self.assertEqual(uploaded, 4)


if __name__ == "__main__":
    main()
