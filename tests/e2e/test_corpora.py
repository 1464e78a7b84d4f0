# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail of other people's programs (../shared/corpora, where it is there): everything is
accounted for, and the sets whose truth is known come out exactly."""
import collections
import os
import unittest

from harness import Case, main
from makemail import CORPORA, sha256


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Corpora(Case):
    server = {"separator": "/", "format": "mdbox"}

    @classmethod
    def setUpClass(cls):
        if not os.path.isdir(CORPORA):
            raise unittest.SkipTest("no ../shared/corpora beside the source")
        super().setUpClass()

    def corpus(self, *parts):
        path = os.path.normpath(os.path.join(CORPORA, *parts))
        self.assertTrue(os.path.exists(path), path)
        return path

    # -- everything ------------------------------------------------------

    def stores(self):
        """Every mbox and Maildir there is."""
        found = []
        for folder, folders, files in os.walk(CORPORA):
            if {"cur", "new"} & set(folders):
                found.append("maildir:" + folder)
            if {"cur", "new", "tmp"} & {os.path.basename(folder)}:
                continue
            for name in sorted(files):
                with open(os.path.join(folder, name), "rb") as f:
                    if f.read(5) == b"From ":
                        found.append("mbox:" + os.path.join(folder, name))
        return sorted(found)

    def test_everything_is_accounted_for(self):
        stores = self.stores()
        self.assertGreater(len(stores), 100)
        maildirs = [s for s in stores if s.startswith("maildir:")]
        mboxes = [s for s in stores if s.startswith("mbox:")]
        # One file a message and a corpus of hundreds: a part of it will do.
        ham = [s for s in mboxes if "spamassassin" in s]
        mboxes = [s for s in mboxes if s not in ham] + ham[::20]
        result = self.migrate(*maildirs, *mboxes, want=None)
        self.assertIn(result.code, (0, 1), str(result))
        summary = result.summary
        self.assertGreater(summary.found, 500)
        self.assertGreaterEqual(sum(self.on_server().values()), summary.uploaded)
        for event in result.events:
            if event["event"] == "message" and event["state"] in ("failed",
                                                                  "skipped"):
                self.assertTrue(event["reason"], event)
        again = self.migrate(*maildirs, *mboxes, want=None).summary
        self.assertEqual(again.uploaded, 0)
        self.assertEqual(again.found, summary.found)

    # -- known truth -----------------------------------------------------

    def test_mime4j(self):
        """An mbox and the five messages that are in it, cut out by hand."""
        top = self.corpus("mime4j-mbox", "test-1")
        parts = [os.path.join(top, "mbox.rlug-%d" % i) for i in range(5)]
        self.migrate("mbox:" + os.path.join(top, "mbox.rlug"))
        self.assertEqual(self.trimmed(m.raw for m in self.mails(keep_raw=True)),
                         self.trimmed(read(p) for p in parts))

    @staticmethod
    def trimmed(raws):
        """Without the end, where tools that cut mboxes differ by empty lines."""
        return collections.Counter(
            sha256(raw.replace(b"\r\n", b"\n").rstrip(b"\n")) for raw in raws)

    def test_mailutils(self):
        """The same five messages as an mbox and as a Maildir are the same."""
        self.check_twins("mbox:" + self.corpus("mailutils", "spool", "mbox1"),
                         "maildir:" + self.corpus("mailutils", "maildir", "mbox1"))

    def test_email_folder(self):
        """Ten messages with LF and with CRLF."""
        top = self.corpus("email-folder", "mboxes")
        self.check_twins(*("mbox:" + os.path.join(top, name)
                           for name in ("testmbox", "testmbox.dos")))

    def test_perl_mail_box(self):
        """Forty-five messages and their twin with CRLF."""
        top = self.corpus("perl-mail-box")
        self.check_twins(*("mbox:" + os.path.join(top, name)
                           for name in ("mbox.src", "mbox.win")))

    def check_twins(self, one, other):
        """Both go into one folder: the second brings nothing new."""
        into = ["--map", self.name_of(one) + "=Same", "--map",
                self.name_of(other) + "=Same"]
        first = self.migrate(*into, one).summary
        self.assertGreater(first.uploaded, 4)
        second = self.migrate(*into, other).summary
        self.assertEqual(second.found, first.found)
        self.assertEqual(second.uploaded, 0, second)
        self.assertEqual({m.folder for m in self.mails()}, {"Same"})

    @staticmethod
    def name_of(source):
        kind, path = source.split(":", 1)
        if kind == "maildir":
            return "INBOX"
        return os.path.basename(path).removesuffix(".mbox")


if __name__ == "__main__":
    main()
