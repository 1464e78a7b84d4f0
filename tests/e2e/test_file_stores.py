# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows Live Mail, Apple Mail, Sylpheed and .eml files, from the disk to a server:
every message in its folder, with its bytes and flags; and a second run reads none."""
import collections
import hashlib

import filestores
from harness import Case, main


def lf_hash(data):
    """As onserver has it: whatever the line ends."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


class FileStores(Case):
    server = {"separator": "/"}

    def arrives(self, name, skipped=0, to=None):
        root = self.path(name)
        want = getattr(filestores, name)(root)
        source = "%s:%s" % ("mh" if name == "sylpheed" else
                            "emlx" if name == "apple" else name, root)
        summary = self.migrate(source, to=to).summary
        self.assertEqual((summary.uploaded, summary.skipped, summary.failed),
                         (len(want), skipped, 0))
        got = collections.Counter(
            (m.folder, m.sha256, tuple(sorted(f for f in m.flags
                                              if f != "\\Recent")))
            for m in self.mails())
        self.assertEqual(got, collections.Counter(
            (folder, lf_hash(data), tuple(sorted(flags)))
            for folder, data, flags in want))
        again = self.migrate(source, to=to).summary
        self.assertEqual((again.uploaded, again.bytes_read), (0, 0))
        return root

    def test_windows_live_mail(self):
        self.arrives("wlm")

    def test_apple_mail(self):
        self.arrives("apple", skipped=1)

    def test_sylpheed(self):
        self.arrives("sylpheed", skipped=1)

    def test_eml(self):
        self.arrives("eml")

    def test_found_without_being_named(self):
        """By its path alone each is recognised."""
        formats = {}
        for name in ("wlm", "apple", "sylpheed", "eml"):
            getattr(filestores, name)(self.path(name))
            done = self.run_program("scan", "--json", "--ledger", self.ledger,
                                    self.path(name))
            self.assertEqual(done.code, 0, str(done))
            formats[name] = sum(e.get("event") == "folder" for e in done.events)
        self.assertTrue(all(formats.values()), formats)


if __name__ == "__main__":
    main()
