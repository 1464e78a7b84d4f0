# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources are only read (M1): nothing about them changes, not even when they were last
read, and a source that cannot be written to is as good as any."""
import hashlib
import os
import subprocess
import unittest

from harness import Case, main
from makemail import maildir, mbox, message, messages, thunderbird, write
import random


def image(top):
    """Everything about every inode below top. Content is read last: looking must not
    be what changes the access times."""
    facts = {}
    for folder, folders, files in os.walk(top):
        for name in [""] + folders + files:
            path = os.path.join(folder, name) if name else folder
            st = os.lstat(path)
            facts[path] = (st.st_mode, st.st_ino, st.st_nlink, st.st_uid, st.st_size,
                           st.st_mtime_ns, st.st_ctime_ns, st.st_atime_ns)
    return facts


def content(top):
    sums = {}
    for folder, _, files in os.walk(top):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                fd = os.open(path, os.O_RDONLY | os.O_NOATIME)
                with open(fd, "rb") as f:
                    sums[path] = hashlib.sha256(f.read()).hexdigest()
    return sums


class Untouched(Case):
    server = {"separator": "/", "format": "mdbox"}

    def stores(self):
        top = self.path("stores")
        thunderbird(os.path.join(top, "tb-mbox"), "mbox")
        thunderbird(os.path.join(top, "tb-maildir"), "maildir")
        maildir(os.path.join(top, "Maildir"), {"": 9, ".Work": 4, ".Work.2024": 2})
        mbox(os.path.join(top, "old.mbox"), messages(7, seed=5))
        # Long ago, so that "relatime" would note a reading.
        for folder, folders, files in os.walk(top, topdown=False):
            for name in files + folders:
                os.utime(os.path.join(folder, name), (1_500_000_000, 1_600_000_000))
        return top, [os.path.join(top, name) for name in
                     ("tb-mbox", "tb-maildir", "Maildir", "old.mbox")]

    def test_nothing_changes(self):
        top, sources = self.stores()
        before, bytes_before = image(top), content(top)
        atimes = {p: f[-1] for p, f in before.items() if os.path.isfile(p)}
        for run in (lambda: self.run_program("scan", *sources),
                    lambda: self.migrate("-n", *sources),
                    lambda: self.migrate(*sources),
                    lambda: self.migrate(*sources)):
            result = run()
            self.assertEqual(result.code, 0, str(result))
            after = image(top)
            self.assertEqual(sorted(after), sorted(before))
            for path, facts in before.items():
                # Folders are listed by opendir(), which has no O_NOATIME of its own.
                n = None if os.path.isfile(path) else -1
                self.assertEqual(after[path][:n], facts[:n], path)
        self.assertEqual(content(top), bytes_before)
        self.assertEqual({p: os.stat(p).st_atime_ns for p in atimes}, atimes)

    def test_read_only_mount(self):
        if os.getuid():
            raise unittest.SkipTest("needs root")
        top, sources = self.stores()
        bind = subprocess.run(["mount", "--bind", top, top], capture_output=True)
        if bind.returncode:
            raise unittest.SkipTest("no mounts here: %s" % bind.stderr.decode())
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", top], check=True)
            with self.assertRaises(OSError):
                open(os.path.join(top, "probe"), "w")
            summary = self.migrate(*sources).summary
            self.assertEqual(summary.failed, 0)
            self.assertGreater(summary.uploaded, 100)
        finally:
            subprocess.run(["umount", top], check=True)

    def test_links_lead_nowhere(self):
        """Links out of a store, or round in a circle, bring in nobody else's mail."""
        rng = random.Random(3)
        secret = message(rng, 777).replace(b"Subject: ", b"Subject: NOT-YOURS ")
        outside = self.path("outside")
        write(os.path.join(outside, "cur", "1.M1P1.host:2,S"), secret)
        for sub in ("new", "tmp"):
            os.makedirs(os.path.join(outside, sub))
        mbox(os.path.join(outside, "mail.mbox"), [secret])
        box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})
        os.symlink(outside, os.path.join(box, ".Stolen"))
        os.symlink(box, os.path.join(box, ".Loop"))
        os.symlink(os.path.join(outside, "cur", "1.M1P1.host:2,S"),
                   os.path.join(box, "cur", "1500000000.M9P9.host:2,S"))
        os.symlink("/dev/zero", os.path.join(box, "cur", "1500000001.M9P9.host:2,"))
        os.mkfifo(os.path.join(box, "cur", "1500000002.M9P9.host:2,"))
        profile = thunderbird(self.path("tb"), "mbox")
        mail = os.path.join(profile, "Mail", "Local Folders")
        os.symlink(os.path.join(outside, "mail.mbox"), os.path.join(mail, "Stolen"))
        os.symlink("..", os.path.join(mail, "Round.sbd"))
        os.mkfifo(os.path.join(mail, "Fifo"))
        result = self.migrate(box, profile, want=None)
        self.assertIn(result.code, (0, 1), str(result))
        there = self.mails(keep_raw=True)
        self.assertGreater(len(there), 100)
        self.assertEqual([m.folder for m in there if b"NOT-YOURS" in m.raw], [])
        ours = [m for m in there if m.raw.startswith(b"Return-Path: <sender")]
        self.assertEqual(len(ours), 5, sorted(m.folder for m in ours))


if __name__ == "__main__":
    main()
