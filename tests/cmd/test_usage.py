# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: what is refused is refused with status 64, one line, and nothing
made; what is accepted may be written in any order."""
import os

from harness import Case, main
from makemail import maildir

TARGET = "imaps://someone@127.0.0.1:1"  # nobody is asked: usage comes first
BOX = "BOX"

REFUSED = [
    ("unknown option", ["migrate", "--frobnicate", BOX, TARGET], "--frobnicate"),
    ("unknown short option", ["migrate", "-Z", BOX, TARGET], "-Z"),
    ("option of another command", ["scan", "--full", BOX], "--full"),
    ("unknown command", ["haul", BOX, TARGET], "haul"),
    ("no command", [], "command"),
    ("no target", ["migrate", BOX], "TARGET"),
    ("no source", ["migrate", TARGET], "SOURCE"),
    ("nothing", ["migrate"], ""),
    ("two targets", ["migrate", BOX, TARGET, TARGET], "TARGET"),
    ("target first", ["migrate", TARGET, BOX], "TARGET"),
    ("scan of nothing", ["scan"], "SOURCE"),
    ("verify of a source", ["verify", BOX], "TARGET"),
    ("unknown format", ["scan", "nosuch:" + BOX], "nosuch"),
    ("a word for a date", ["scan", "--since", "yesterday", BOX], "yesterday"),
    ("no such day", ["scan", "--until", "2024-02-31", BOX], "2024-02-31"),
    ("another way of writing", ["scan", "--since", "01/03/2024", BOX], "01/03/2024"),
    ("empty date", ["scan", "--since", "", BOX], "--since"),
    ("map without =", ["scan", "--map", "Inbox", BOX], "--map"),
    ("map of nothing", ["scan", "--map", "=Work", BOX], "--map"),
    ("connections in words", ["migrate", "-j", "many", BOX, TARGET], "many"),
    ("no connections", ["migrate", "-j", "0", BOX, TARGET], "0"),
    ("negative connections", ["migrate", "-j", "-3", BOX, TARGET], "-3"),
    ("option without its value", ["migrate", BOX, TARGET, "--ledger"], "--ledger"),
    ("value for a flag", ["migrate", "--json=yes", BOX, TARGET], "--json"),
    ("password in the target", ["migrate", BOX, "imaps://u:hunter2@127.0.0.1"], ""),
    ("bad scheme", ["migrate", BOX, "pop3://u@127.0.0.1"], ""),
    ("bad port", ["migrate", BOX, "imaps://u@127.0.0.1:99999"], ""),
    ("no user", ["migrate", BOX, "imaps://127.0.0.1"], ""),
    ("no host", ["migrate", BOX, "imaps://u@"], ""),
    ("bad percent", ["migrate", BOX, "imaps://u%zz@127.0.0.1"], ""),
    ("--plaintext with imaps", ["migrate", "--plaintext", BOX, TARGET],
     "--plaintext"),
]


class Usage(Case):
    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})

    def made(self):
        return sorted(os.path.join(d, n) for d, ds, fs in os.walk(self.folder)
                      for n in ds + fs)

    def test_refused(self):
        before = self.made()
        for name, argv, part in REFUSED:
            with self.subTest(name):
                result = self.run_program(*(a.replace(BOX, self.box) for a in argv))
                self.assertEqual(result.code, 64, str(result))
                self.assertEqual(result.out, "")
                self.assertOneLine(result.err, part)
                self.assertNotIn("hunter2", result.err)
                self.assertEqual(self.made(), before)

    def test_no_source_there(self):
        for command in (["scan"], ["migrate"]):
            result = self.run_program(*command, self.path("nowhere"),
                                      *([TARGET] if command == ["migrate"] else []))
            self.assertEqual(result.code, 66, str(result))
            self.assertOneLine(result.err, "nowhere")

    def test_double_dash_ends_options(self):
        maildir(self.path("--odd"), {"": 1})
        result = self.run_program("scan", "--json", "--", "--odd")
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(result.summary.found, 1)

    def test_options_may_stand_anywhere(self):
        for argv in (["scan", self.box, "--json", "--exclude=Work"],
                     ["scan", "--exclude", "Work", self.box, "--json"],
                     ["scan", "--json", "--exclude=Work", self.box, "-v"]):
            result = self.run_program(*argv)
            self.assertEqual(result.code, 0, str(result))
            self.assertEqual(result.summary.found, 3)

    def test_help(self):
        general = self.run_program("--help")
        self.assertEqual((general.code, general.err), (0, ""))
        for command in ("scan", "migrate", "status", "verify"):
            self.assertIn("mailhaul " + command, general.out)
            result = self.run_program(command, "--help")
            self.assertEqual((result.code, result.err), (0, ""))
            self.assertTrue(result.out.startswith("mailhaul " + command), result.out)
            self.assertIn("--json", result.out)
            for line in result.out.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_version(self):
        result = self.run_program("--version")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertRegex(result.out, r"^mailhaul \d+\.\d+\.\d+\n$")

    def test_full_disk(self):
        """Output that cannot be written is an error."""
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        result = self.run_program(
            self.program, "scan", "--json", self.box,
            wrapper=["sh", "-c", 'shift; exec "$@" > /dev/full', "sh"])
        self.assertNotEqual(result.code, 0)
        self.assertIn("standard output", result.err)


if __name__ == "__main__":
    main()
