# SPDX-License-Identifier: GPL-3.0-or-later
"""The same mail reaches every kind of server exactly: stores, separators, prefixes and
what servers can and cannot do."""
import calendar
import collections
import random

import dovecot
from harness import Case, main
from makemail import maildir, mbox, message, messages, sha256
from onserver import folders

# Capability lists as other servers have them.
BASE = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID CHILDREN ENABLE CONDSTORE ESEARCH"
CAPABILITIES = {
    "no MULTIAPPEND": BASE + " LITERAL+ UIDPLUS SPECIAL-USE LIST-EXTENDED LIST-STATUS",
    "LITERAL- only": BASE + " LITERAL- UIDPLUS SPECIAL-USE APPENDLIMIT=35651584",
    "MULTIAPPEND and LITERAL-": BASE + " MULTIAPPEND LITERAL- UIDPLUS",
    "neither": BASE + " UIDPLUS",
    "MULTIAPPEND without literals": BASE + " MULTIAPPEND UIDPLUS",
    "no UIDPLUS": BASE + " LITERAL+ MULTIAPPEND",
    "next to nothing": "IMAP4rev1",
}


class Anywhere(Case):
    """Not a server a class, but one a test."""

    def arrives(self, separator="/", prefix="", **server):
        box = maildir(self.path("Maildir"), {
            "": 7, ".Work": 5, ".Work.2024": 3, ".&ZeVnLIqe-": 4, ".R&-D": 2,
            ".with space": 2})
        big = message(random.Random(4), 950, 300_000)
        old = mbox(self.path("old.mbox"), messages(5, seed=42, first=800) + [big])
        empty = message(random.Random(4), 951).split(b"\n\n")[0] + b"\n\n"
        maildir(self.path("odd"), {"": 0})
        with open(self.path("odd", "cur", "1500000000.M1P1.h:2,RS"), "wb") as f:
            f.write(empty)
        with open(self.path("odd", "cur", "1500000001.M1P1.h:2,DF"), "wb") as f:
            f.write(message(random.Random(4), 952) + b"no line end")
        sources = [box, old, "maildir:" + self.path("odd")]
        with dovecot.Dovecot(separator=separator, prefix=prefix, **server) as d:
            self.dovecot = d
            try:
                first = self.migrate(*sources).summary
                there = self.mails(keep_raw=True)
                second = self.migrate(*sources).summary
                connection = d.imap(self.user)
                names = set(folders(connection))
                connection.logout()
            finally:
                self.dovecot = None
        want = self.expected(box, old)
        got = collections.Counter((m.folder, m.sha256) for m in there)
        clear = prefix.rstrip(separator) + "/" if prefix else ""
        want = collections.Counter(
            {(f if f == "INBOX" else clear + f, h): n for (f, h), n in want.items()})
        # The mails without line end get none on the way.
        extra = got - want
        self.assertEqual(want - got, collections.Counter(), sorted(names))
        self.assertEqual(sum(extra.values()), 2, extra)
        odd = [m for m in there if (m.folder, m.sha256) in extra]
        self.assertEqual({m.folder for m in odd}, {"INBOX"})
        bodies = {m.raw.replace(b"\r\n", b"\n") for m in odd}
        self.assertIn(empty, bodies)
        flags = {m.raw: m.flags for m in odd}
        self.assertEqual(sorted(map(sorted, flags.values())),
                         [["\\Answered", "\\Seen"], ["\\Draft", "\\Flagged"]])
        self.assertEqual((first.uploaded, first.failed, first.skipped),
                         (len(there), 0, first.skipped))
        self.assertEqual((second.uploaded, second.already),
                         (0, first.uploaded))
        for m in there:
            if m.folder.split("/")[-1] == "old":
                self.assertIn(m.date, self.dates_of(m.raw), m.raw[:400])
            else:  # a Maildir's file names say when
                self.assertIn(m.date // 100, (16_000_000, 15_000_000))
        for m in there:
            bare = m.raw.replace(b"\r\n", b"")
            self.assertNotIn(b"\n", bare)
            self.assertEqual(m.size, len(m.raw))

    def expected(self, box, old):
        want = collections.Counter()
        first = 0
        for name, n in (("", 7), (".Work", 5), (".Work.2024", 3), (".&ZeVnLIqe-", 4),
                        (".R&-D", 2), (".with space", 2)):
            shown = {"": "INBOX", ".&ZeVnLIqe-": "日本語", ".R&-D": "R&D"}.get(
                name, name[1:].replace(".", "/"))
            for raw in messages(n, 1 + first, first=first):
                want[shown, sha256(raw)] += 1
            first += n
        for raw in messages(5, seed=42, first=800) + [
                message(random.Random(4), 950, 300_000)]:
            want["old", sha256(raw)] += 1
        return want

    @staticmethod
    def dates_of(raw):
        """That of the topmost Received: field, or of the separator line."""
        stamp = raw.split(b"\r\nDate: ")[1].split(b"\r\n")[0].decode()
        _, day, month, year, clock, _ = stamp.split()
        h, m, s = map(int, clock.split(":"))
        months = "JanFebMarAprMayJunJulAugSepOctNovDec"
        received = calendar.timegm((int(year), months.index(month) // 3 + 1,
                                    int(day), h, m, s))
        return {received} | {1_500_000_000 + i * 3600 for i in range(6)}

    def test_stores_and_separators(self):
        cases = [dict(format="maildir", separator="/"),
                 dict(format="maildir", separator="."),
                 dict(format="mdbox", separator="/", prefix="INBOX/"),
                 dict(format="sdbox", separator=".", prefix="INBOX.")]
        for case in cases:
            with self.subTest(**case):
                self.fresh()
                self.arrives(**case)

    def test_what_servers_can_and_cannot(self):
        for name, capability in CAPABILITIES.items():
            with self.subTest(name):
                self.fresh()
                self.arrives(format="mdbox", capability=capability)

    def fresh(self):
        self.tearDown()
        self.setUp()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        why = dovecot.missing()
        if why:
            import unittest
            raise unittest.SkipTest(why)


class Odd(Case):
    """Names that a server cannot take as they are."""

    def check(self, separator, prefix=""):
        names = {"a.b": 2, "a/b": 2, "100%": 1, "x*y": 1, "~root": 1, "..": 1, "日本": 1,
                 "Ω \"quoted\" \\": 1, "INBOX": 1}
        sources, first = [], 0
        for i, (name, n) in enumerate(names.items()):
            path = self.path("m%d" % i)
            mbox(path, messages(n, seed=60 + i, first=first))
            first += n
            sources += ["--map", "m%d=%s" % (i, name.replace("/", "_"))]
            sources.append("mbox:" + path)
        with dovecot.Dovecot(separator=separator, prefix=prefix) as d:
            self.dovecot = d
            try:
                first_run = self.migrate(*sources).summary
                again = self.migrate(*sources).summary
                there = self.mails()
            finally:
                self.dovecot = None
        self.assertEqual(first_run.failed, 0)
        self.assertEqual(len(there), first, [m.folder for m in there])
        self.assertEqual(again.uploaded, 0)

    def test_slash(self):
        self.check("/")

    def test_dot(self):
        self.check(".")

    def test_prefix(self):
        self.check(".", "INBOX.")


if __name__ == "__main__":
    main()
