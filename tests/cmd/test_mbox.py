# SPDX-License-Identifier: GPL-3.0-or-later
"""What scan says of an mbox: doubts, remarks, folders of Takeout."""
from harness import Case, main
from makemail import write

FROM = b"From a@example.jp Mon Jul 29 22:00:08 2002\n"
MAIL = FROM + b"From: a@example.jp\nSubject: x\n\ntext\n\n"


class Mbox(Case):
    def scan(self, *args, json=True):
        result = self.run_program("scan", *(["--json"] if json else []), *args)
        self.assertEqual(result.code, 0, str(result))
        return result

    def test_explain_splits(self):
        path = self.path("box.mbox")
        bob = b"From bob\nFrom: x@example.jp\nTo: y@example.jp\n\nhi\n"
        write(path, MAIL + b"From the office\nwe left\n\n" + bob)
        events = self.scan("--explain-splits", path).events
        splits = [e for e in events if e["event"] == "split"]
        self.assertEqual([e["offset"] for e in splits],
                         [len(MAIL), len(MAIL) + 25])
        self.assertEqual([e["taken"] for e in splits], [False, True])
        self.assertEqual([e["score"] for e in splits], [-3, 7])
        self.assertEqual(splits[0]["line"], "From the office")
        self.assertIn("next line is no header", splits[0]["why"])
        self.assertIn("blank line before", splits[1]["why"])
        text = self.scan("--explain-splits", path, json=False).out
        self.assertIn("From the office", text)
        self.assertFalse([e for e in self.scan(path).events
                          if e["event"] == "split"])

    def test_remarks(self):
        path = self.path("box.mbox")
        write(path, b"junk\n" + MAIL + b"\0" * 100 + MAIL)
        remarks = [e["text"] for e in self.scan("mbox:" + path).events
                   if e["event"] == "remark"]
        self.assertTrue(any("4 bytes before the first message" in r
                            for r in remarks), remarks)
        self.assertTrue(any("100 NUL bytes" in r for r in remarks), remarks)

    def test_takeout(self):
        path = self.path("Takeout.mbox")
        write(path, b"".join(
            b"From 1@xxx Tue Mar 19 09:13:51 +0000 2019\r\nX-GM-THRID: 1\r\n"
            b"X-Gmail-Labels: %s\r\nSubject: x\r\n\r\n%d\r\n\r\n" % (labels, i)
            for i, labels in enumerate((b"Inbox,Two words,Work", b"Work/A",
                                        b"Inbox"))))
        result = self.scan(path)
        folders = {e["target"]: e["found"] for e in result.events
                   if e["event"] == "folder"}
        self.assertEqual(folders, {"Inbox": 1, "Two words": 1, "Work/A": 1})
        remarks = [e["text"] for e in result.events if e["event"] == "remark"]
        self.assertTrue(any('label "Inbox" of 1 messages' in r
                            for r in remarks), remarks)


if __name__ == "__main__":
    main()
