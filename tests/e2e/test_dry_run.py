# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking creates nothing: scan, --dry-run, status and verify leave no trace, here or on
the server."""
import os

from harness import Case, main
from makemail import maildir, mbox, messages, thunderbird
from proxy import Proxy


class DryRun(Case):
    server = {"separator": "/", "format": "mdbox"}

    def setUp(self):
        super().setUp()
        self.sources = [thunderbird(self.path("tb"), "mbox"),
                        maildir(self.path("Maildir"), {"": 6, ".Work": 4}),
                        mbox(self.path("old.mbox"), messages(3, seed=8))]

    def everything_here(self):
        return sorted(os.path.join(d, n) for d, ds, fs in os.walk(self.folder)
                      for n in ds + fs)

    def test_scan_creates_nothing(self):
        before = self.everything_here()
        result = self.run_program("scan", "--json", *self.sources, password=None)
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(self.everything_here(), before)
        self.assertGreater(result.summary.found, 120)
        self.assertEqual(result.summary.bytes_sent, 0)

    def test_dry_run_creates_nothing(self):
        before = self.everything_here()
        with Proxy(self.dovecot.port) as proxy:
            result = self.migrate(
                "-n", "--plaintext", *self.sources,
                to=self.dovecot.target(self.user, "imap", port=proxy.port))
            self.assertEqual(proxy.connections, 0)
        self.assertEqual(self.everything_here(), before)
        self.assertEqual(sum(self.on_server().values()), 0)
        planned = result.summary
        done = self.migrate(*self.sources).summary
        self.assertEqual((planned.found, planned.uploaded, planned.duplicate,
                          planned.skipped),
                         (done.found, done.uploaded, done.duplicate, done.skipped))

    def test_dry_run_after_a_run(self):
        """It knows what is there, and leaves the ledger as it is."""
        self.migrate(self.sources[1])
        with open(self.ledger, "rb") as f:
            before = f.read()
        result = self.migrate("--dry-run", *self.sources[1:])
        with open(self.ledger, "rb") as f:
            self.assertEqual(f.read(), before)
        self.assertEqual((result.summary.already, result.summary.uploaded), (10, 3))
        self.assertEqual(sum(self.on_server().values()), 10)

    def test_filters(self):
        box = self.sources[1]
        cases = [
            (["--include", "Work"], 4),
            (["--exclude", "Work"], 6),
            (["--since", "2030-01-01"], 0),
            (["--until", "2010-01-01"], 0),
            (["--since", "2010-01-01", "--until", "2030-01-01"], 10),
        ]
        for options, want in cases:
            with self.subTest(options):
                result = self.run_program("scan", "--json", *options, box)
                self.assertEqual(result.code, 0, str(result))
                self.assertEqual(result.summary.uploaded, want, str(result))


if __name__ == "__main__":
    main()
