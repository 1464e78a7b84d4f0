# SPDX-License-Identifier: GPL-3.0-or-later
"""Becky! 2 and Outlook Express on their way to a server: every byte, folder and flag, and
nothing more in a second run."""
import base64
import collections
import os

import beckystore
import dbxstore
from harness import Case, main
from makemail import messages, sha256, write


def crlf(raw):
    return raw.replace(b"\n", b"\r\n")


class OldWindows(Case):
    server = {"separator": "/", "format": "mdbox"}

    def arrived(self):
        """(folder, digest, flags) as often as it is there."""
        return collections.Counter(
            (folder, digest, frozenset(f.lower() for f in flags if f != "\\Recent"))
            for (folder, digest, flags, _), n in self.on_server().items()
            for _ in range(n))

    def bring(self, source, want):
        first = self.migrate(source).summary
        self.assertEqual(first.uploaded, sum(want.values()))
        self.assertEqual(self.arrived(), want)
        second = self.migrate(source).summary
        self.assertEqual((second.uploaded, second.already), (0, first.uploaded))
        self.assertEqual(second.bytes_read, 0)
        return first

    def test_becky(self):
        mails = [crlf(raw) for raw in messages(6)]
        mails[1] += b".\r\n..dots\r\n."
        mails[1] += b"\r\n"
        path = beckystore.mailbox(self.path("Becky/taro/4cbbef16.mb"), "会社", {
            "!!!!Inbox": ([(mails[0], beckystore.READ), (mails[1], 0),
                           (mails[2], beckystore.READ)], (2,)),
            "!!!!Outbox/!!!Sent": ([(mails[3], beckystore.READ)], ()),
            "表示": ([(mails[4], beckystore.REPLIED | beckystore.FLAGGED)], ()),
        })
        with_file = (b"Subject: a file\r\nMIME-Version: 1.0\r\n"
                     b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                     b"Content-Type: application/octet-stream\r\n"
                     b"Content-Transfer-Encoding: base64\r\n%s--b--\r\n")
        text = base64.encodebytes(bytes(range(256)) * 40).replace(b"\n", b"\r\n")
        beckystore.folder(os.path.join(path, "files"), [
            (with_file % b"X-Becky-Include: \x95\x5C.bin\r\n", beckystore.READ)])
        write(os.path.join(path, "files", "#Attach", "表.bin"), text)
        seen = "\\seen"
        first = self.bring(self.path("Becky"), collections.Counter({
            ("INBOX", sha256(mails[0]), frozenset({seen})): 1,
            ("INBOX", sha256(mails[1]), frozenset()): 1,
            ("Sent", sha256(mails[3]), frozenset({seen})): 1,
            ("表示", sha256(mails[4]), frozenset({"\\answered", "\\flagged"})): 1,
            ("files", sha256(with_file % (b"\r\n" + text)), frozenset({seen})): 1,
        }))
        self.assertEqual(first.skipped, 1)

    def test_outlook_express(self):
        mails = [crlf(raw) for raw in messages(90, size=1500)]
        path = dbxstore.store(self.path("OE"), [
            ("受信トレイ", dbxstore.INBOX,
             [(raw, dbxstore.READ if i % 2 else 0) for i, raw in enumerate(mails[:80])]),
            ("送信済みアイテム", dbxstore.SENT, [(mails[80], dbxstore.READ)]),
            ("見積", 0, [(mails[81], dbxstore.READ | dbxstore.FLAGGED)]),
        ])
        want = collections.Counter({
            ("INBOX", sha256(raw), frozenset({"\\seen"} if i % 2 else set())): 1
            for i, raw in enumerate(mails[:80])})
        want[("Sent", sha256(mails[80]), frozenset({"\\seen"}))] = 1
        want[("見積", sha256(mails[81]), frozenset({"\\seen", "\\flagged"}))] = 1
        self.bring(path, want)

    def test_outlook_express_4(self):
        mails = [crlf(raw) for raw in messages(3)]
        dbxstore.oe4(self.path("Mail/Inbox"), [
            (mails[0], 0x10), (mails[1], 0x11), (mails[2], 0x12)])
        first = self.bring(self.path("Mail"), collections.Counter({
            ("INBOX", sha256(mails[0]), frozenset({"\\seen"})): 1,
            ("INBOX", sha256(mails[2]), frozenset()): 1,
        }))
        self.assertEqual(first.skipped, 1)


if __name__ == "__main__":
    main()
