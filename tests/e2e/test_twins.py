# SPDX-License-Identifier: GPL-3.0-or-later
"""One message is one message, whatever store it lies in: the same mail as many kinds of
store is recognised by its digests, and would be sent once."""
import collections
import os
import sqlite3
import unittest

import twinstore
from harness import Case, main
from makemail import CORPORA


class Twins(Case):
    def scan(self, *args, want=0):
        result = self.run_program("scan", "--json", *args)
        self.assertEqual(result.code, want, str(result))
        return result

    def names(self, *sources):
        """What the folders of the sources are called where nothing is mapped."""
        return {e["target"] for e in self.scan(*sources).events
                if e["event"] == "folder"}

    def scan_into_one(self, sources):
        """Scan them all with every folder mapped to one; the summary."""
        into = [arg for name in sorted(self.names(*sources))
                for arg in ("--map", name + "=Twins")]
        result = self.scan("--ledger", self.ledger, *into, *sources)
        targets = {e["target"] for e in result.events if e["event"] == "folder"}
        self.assertEqual(targets, {"Twins"})
        return result.summary

    def digests(self):
        """How many rows, full digests and core digests there are in the ledger."""
        with sqlite3.connect(self.ledger) as db:
            return db.execute("SELECT count(*), count(DISTINCT full_digest),"
                              " count(DISTINCT core_digest) FROM message").fetchone()

    def copies_of_each(self):
        """How many messages have how many copies."""
        with sqlite3.connect(self.ledger) as db:
            return dict(collections.Counter(n for n, in db.execute(
                "SELECT count(*) FROM copy GROUP BY message")))

    def check(self, sources, distinct, each):
        """distinct messages, each in every one of the sources."""
        summary = self.scan_into_one(sources)
        self.assertEqual(summary.found, distinct * each)
        self.assertEqual(summary.uploaded, distinct, summary)
        self.assertEqual(summary.duplicate, distinct * (each - 1), summary)
        self.assertEqual(self.digests(), (distinct, distinct, distinct))
        self.assertEqual(self.copies_of_each(), {each: distinct})

    def test_every_format(self):
        count = 3 * len(twinstore.oddmail.KINDS)
        stores = twinstore.write(self.path("stores"), twinstore.messages(count))
        self.check([s.format + ":" + s.path for s in stores], count, len(stores))

    def test_every_format_by_itself(self):
        """Where a format goes wrong, this one says which, and how."""
        count = len(twinstore.oddmail.KINDS)
        stores = twinstore.write(self.path("stores"),
                                 twinstore.messages(count, seed=2))
        mbox = next(s for s in stores if s.kind == "mbox")
        for store in stores:
            if store is mbox:
                continue
            with self.subTest(store.kind):
                self.ledger = self.path("ledger-%s.db" % store.kind)
                self.check(["mbox:" + mbox.path, store.format + ":" + store.path],
                           count, 2)

    def test_every_format_is_found(self):
        """The same without naming the formats."""
        count = len(twinstore.oddmail.KINDS)
        stores = twinstore.write(self.path("stores"),
                                 twinstore.messages(count, seed=3))
        for store in stores:
            with self.subTest(store.kind):
                self.assertEqual(self.scan(store.path).summary.found, count)

    # -- other people's ---------------------------------------------------

    def corpus(self, *parts):
        path = os.path.normpath(os.path.join(CORPORA, *parts))
        if not os.path.isdir(CORPORA):
            raise unittest.SkipTest("no ../shared/corpora beside the source")
        self.assertTrue(os.path.exists(path), path)
        return path

    def test_mailutils(self):
        """GNU Mailutils' tests: the same five as mbox, MH and Maildir."""
        self.check(["mbox:" + self.corpus("mailutils", "spool", "mbox1"),
                    "mh:" + self.corpus("mailutils", "mh", "mbox1"),
                    "maildir:" + self.corpus("mailutils", "maildir", "mbox1")], 5, 3)

    def test_email_folder(self):
        """Email::Folder's tests: ten with LF, with CRLF and as a Maildir."""
        mboxes = self.corpus("email-folder", "mboxes")
        self.check(["mbox:" + os.path.join(mboxes, "testmbox"),
                    "mbox:" + os.path.join(mboxes, "testmbox.dos"),
                    "maildir:" + self.corpus("email-folder", "testmaildir")], 10, 3)


if __name__ == "__main__":
    main()
