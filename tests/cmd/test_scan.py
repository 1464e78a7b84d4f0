# SPDX-License-Identifier: GPL-3.0-or-later
"""scan: what is there, as text for people and as JSON for programs."""
import os

from harness import Case, main
from makemail import maildir, mbox, messages, thunderbird


class Scan(Case):
    def scan(self, *args, want=0):
        result = self.run_program("scan", "--json", *args)
        self.assertEqual(result.code, want, str(result))
        return result

    def test_formats_are_found(self):
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})
        file = mbox(self.path("old"), messages(4))
        profile = thunderbird(self.path("tb"), "mbox")
        for source, want in ((box, 5), (file, 4), (profile, None),
                             ("maildir:" + box, 5), ("mbox:" + file, 4)):
            with self.subTest(source):
                summary = self.scan(source).summary
                if want:
                    self.assertEqual(summary.found, want)
                else:
                    self.assertGreater(summary.found, 100)

    def test_folders(self):
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2, ".Work.&ZeVnLIqe-": 1})
        events = self.scan(box).events
        folders = {e["target"]: e["found"] for e in events if e["event"] == "folder"}
        self.assertEqual(sorted(folders.values()), [1, 2, 3])
        self.assertEqual(folders["Work/日本語"], 1)

    def test_map_and_under(self):
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2, ".Work.2024": 1})
        cases = [
            (["--map", "Work=Archive/Old"], {"Archive/Old", "Archive/Old/2024"}),
            (["--map", "Work/2024=Y24"], {"Work", "Y24"}),
            (["--under", "Old PC"], {"Old PC/Work", "Old PC/Work/2024"}),
        ]
        for options, want in cases:
            with self.subTest(options):
                events = self.scan(*options, box).events
                targets = {e["target"] for e in events if e["event"] == "folder"}
                self.assertLessEqual(want, targets)
                self.assertEqual(len(targets), 3)

    def test_many_sources(self):
        box = maildir(self.path("Maildir"), {"": 3})
        file = mbox(self.path("old"), messages(4, seed=9))
        self.assertEqual(self.scan(box, file).summary.found, 7)

    def test_text(self):
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})
        result = self.run_program("scan", box)
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertIn("Work", result.out)
        self.assertIn("5 messages in 2 folders", result.out)
        # Nothing in the closing sentence is left of an empty place or a buffer.
        self.assertRegex(result.out.splitlines()[-1], r"\(.* read, [0-9.]+ s\)\.$")

    def test_an_empty_store_is_no_error(self):
        box = maildir(self.path("Maildir"), {"": 0})
        self.assertEqual(self.scan("maildir:" + box).summary.found, 0)
        with open(self.path("empty"), "w"):
            pass
        self.assertEqual(self.scan("mbox:" + self.path("empty")).summary.found, 0)

    def test_not_mail(self):
        with open(self.path("letter"), "w") as f:
            f.write("Dear mailhaul,\nthis is a letter.\n")
        result = self.run_program("scan", self.path("letter"))
        self.assertEqual(result.code, 66, str(result))
        self.assertOneLine(result.err, "letter")

    def test_one_unreadable_folder_does_not_hide_the_others(self):
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})
        os.chmod(os.path.join(box, ".Work", "cur"), 0)
        os.chmod(self.folder, 0o777)
        try:
            result = self.run_program("scan", "--json", box,
                                      user="nobody" if os.getuid() == 0 else None)
        finally:
            os.chmod(os.path.join(box, ".Work", "cur"), 0o755)
        self.assertEqual(result.code, 1, str(result))
        self.assertEqual(result.summary.uploaded, 3)
        self.assertTrue(any("ermission" in str(e.get("reason"))
                            for e in result.events), str(result))

    def test_ledger_makes_the_second_scan_read_nothing(self):
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})
        first = self.scan("--ledger", self.ledger, box).summary
        second = self.scan("--ledger", self.ledger, box).summary
        self.assertGreater(first.bytes_read, 0)
        self.assertEqual(second.bytes_read, 0)
        self.assertEqual((second.found, second.uploaded), (5, 5))


if __name__ == "__main__":
    main()
