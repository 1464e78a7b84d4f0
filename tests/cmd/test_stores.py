# SPDX-License-Identifier: GPL-3.0-or-later
"""scan on a whole disk: every store in it once, whose it is, and what it holds."""
import os

from harness import Case, main
from makemail import maildir, mbox, messages, thunderbird, write


class Stores(Case):
    def scan(self, *args, want=0):
        result = self.run_program("scan", "--json", *args)
        self.assertEqual(result.code, want, str(result))
        return result

    def disk(self):
        """A disk with five stores; two of them are in directories of others."""
        thunderbird(self.path("disk/home/taro/tb"), "mbox")
        mbox(self.path("disk/home/taro/mail/old"), messages(4))
        maildir(self.path("disk/home/taro/mail/Maildir"), {"": 3, ".Sent": 2})
        mbox(self.path("disk/home/taro/mail/2004/q1"), messages(2, seed=5))
        mbox(self.path("disk/var/mail/hanako"), messages(6, seed=6))
        write(self.path("disk/etc/motd"), b"From the administrator\n\nhello\n")
        write(self.path("disk/home/taro/photo.jpg"), b"\xff\xd8\xff")
        return self.path("disk")

    def stores(self, *args):
        return {(os.path.relpath(e["source"], self.path("disk")), e["account"]): e
                for e in self.scan(*args, self.path("disk")).events
                if e["event"] == "store"}

    def test_every_store_once(self):
        self.disk()
        stores = self.stores()
        self.assertEqual(
            {where: (e["format"], e["messages"], e["folders"])
             for (where, _), e in stores.items() if e["format"] != "thunderbird"},
            {"home/taro/mail": ("mbox", 6, 2),
             "home/taro/mail/Maildir": ("maildir", 5, 2),
             "var/mail": ("mbox", 6, 1)})
        profile = [e for e in stores.values() if e["format"] == "thunderbird"]
        self.assertEqual({os.path.dirname(e["source"]) for e in profile},
                         {self.path("disk/home/taro/tb")})
        self.assertEqual({e["account"] for e in profile},
                         {"Local Folders", "taro@example.jp"})
        summary = self.scan(self.path("disk")).summary
        self.assertEqual(summary.found,
                         sum(e["messages"] for e in stores.values()))
        self.assertEqual(summary.uploaded,
                         sum(e["to_bring"] for e in stores.values()))
        old = stores[("home/taro/mail", "")]
        self.assertTrue(old["oldest"].startswith("2017-07-14"), old)
        self.assertLess(old["oldest"], old["newest"])

    def test_two_formats_in_one_directory(self):
        """Each file once, by the format it is; two stores of one path are two rows."""
        letters = messages(3, seed=12, first=300)
        for i, raw in enumerate(letters):
            write(self.path("disk/mixed/letter%d.eml" % i), raw)
        mbox(self.path("disk/mixed/box"), messages(4, seed=13, first=400))
        # One .eml with an mbox separator on top: both formats would take it.
        write(self.path("disk/mixed/odd.eml"),
              b"From a@example.com Thu Jan  1 00:00:00 2004\n" +
              messages(1, seed=14, first=500)[0])
        rows = [e for e in self.scan(self.path("disk")).events
                if e["event"] == "store"]
        self.assertEqual({(e["format"], e["messages"], e["source"]) for e in rows},
                         {("eml", 4, self.path("disk/mixed")),
                          ("mbox", 4, self.path("disk/mixed"))})

    def test_the_table(self):
        self.disk()
        result = self.run_program("scan", self.path("disk"))
        self.assertEqual(result.code, 0, str(result))
        lines = result.out.splitlines()
        head = next(i for i, line in enumerate(lines) if "PROGRAM" in line)
        row = next(i for i, line in enumerate(lines)
                   if i > head and line.startswith("Maildir"))
        self.assertRegex(lines[row], r"-\s+2\s+5\s+[\d.]+ KiB\s+2017-07-14")
        self.assertEqual(lines[row + 1].strip(),
                         self.path("disk/home/taro/mail/Maildir"))

    def test_accounts_are_listed_without_reading(self):
        self.disk()
        result = self.scan("--accounts", self.path("disk"))
        rows = [e for e in result.events if e["event"] == "store"]
        self.assertEqual(len(rows), 5)
        self.assertTrue(all("messages" not in e for e in rows))
        self.assertEqual(result.summary.bytes_read, 0)

    def test_accounts_are_selected(self):
        self.disk()
        both = self.stores()
        only = self.stores("--accounts=taro@example.jp")
        self.assertEqual({account for _, account in only}, {"taro@example.jp"})
        self.assertEqual({k: v["messages"] for k, v in only.items()},
                         {k: v["messages"] for k, v in both.items()
                          if k[1] == "taro@example.jp"})
        result = self.run_program("scan", "--accounts=nobody", self.path("disk"))
        self.assertEqual(result.code, 64)
        self.assertOneLine(result.err, "nobody", "--accounts lists them")

    def test_nothing_there(self):
        write(self.path("nothing/readme.txt"), b"hello\n")
        result = self.run_program("scan", self.path("nothing"))
        self.assertEqual(result.code, 66)
        self.assertOneLine(result.err, "no mail store", "nothing")


PARTIAL = (b"From - Thu Jan  1 00:00:00 2004\nX-Mozilla-Status: 0400\n"
           b"X-Mozilla-Status2: 00000000\n")


def partial_of(raw):
    """As a client has it that downloaded no more than the first lines."""
    head, body = raw.split(b"\n\n", 1)
    return PARTIAL + head + b"\n\n" + body[:40] + b"\n\n"


class Partials(Case):
    """Mail of which a client downloaded only the beginning gives way to the whole,
    wherever that lies."""

    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.whole = messages(3, seed=3)
        os.makedirs(self.path("a-first"))
        os.makedirs(self.path("z-last"))
        self.partials = b"".join(partial_of(m) for m in self.whole[:2])
        self.alone = partial_of(messages(1, seed=8, first=70)[0])

    def check(self, partial, whole):
        write(partial, self.partials + self.alone)
        mbox(whole, self.whole)
        sources = [self.path("a-first"), self.path("z-last")]
        plan = self.run_program("scan", "--json", *sources).summary
        self.assertEqual((plan.found, plan.uploaded, plan.duplicate), (6, 4, 2))
        result = self.migrate(*sources)
        done = result.summary
        self.assertEqual((done.found, done.uploaded, done.duplicate), (6, 4, 2))
        told = [e for e in result.events
                if e["event"] == "message" and "partial" in e["notes"]]
        self.assertEqual(len(told), 3)
        self.assertEqual(len([e for e in told if e["reason"] and
                              "another source has the whole" in e["reason"]]), 2)
        sizes = sorted(len(m.raw) for m in self.mails(keep_raw=True))
        self.assertEqual(len(sizes), 4)
        # Each of the three is there whole.
        wanted = sorted(len(m.replace(b"\n", b"\r\n")) for m in self.whole)
        self.assertEqual([s for s in sizes if s in wanted], wanted)
        again = self.migrate(*sources).summary
        self.assertEqual((again.uploaded, again.duplicate, again.already), (0, 2, 4))

    def test_the_whole_comes_later(self):
        self.check(self.path("a-first/box"), self.path("z-last/box"))

    def test_the_whole_comes_first(self):
        self.check(self.path("z-last/box"), self.path("a-first/box"))

    def test_one_message_id_for_all(self):
        """Some programs give all their mail one: longer is not whole then."""
        other = messages(1, seed=21, first=2, size=4000)[0]
        same = [line for line in self.whole[0].splitlines()
                if line.startswith(b"Message-ID:")][0]
        other = b"\n".join(same if line.startswith(b"Message-ID:") else line
                           for line in other.splitlines()) + b"\n"
        write(self.path("a-first/box"), partial_of(self.whole[0]))
        mbox(self.path("z-last/box"), [other])
        done = self.migrate(self.path("a-first"), self.path("z-last")).summary
        self.assertEqual((done.found, done.uploaded, done.duplicate), (2, 2, 0))

    def test_in_one_file(self):
        write(self.path("a-first/box"), self.partials)
        with open(self.path("a-first/box"), "ab") as f:
            with open(mbox(self.path("w"), self.whole), "rb") as w:
                f.write(w.read())
        done = self.migrate(self.path("a-first")).summary
        self.assertEqual((done.found, done.uploaded, done.duplicate), (5, 3, 2))


if __name__ == "__main__":
    main()
