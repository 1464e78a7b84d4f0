# SPDX-License-Identifier: GPL-3.0-or-later
"""A run with nothing new: nothing is sent, nobody is called, no mail is opened."""
import os
import re
import shutil
import subprocess
import unittest

from harness import Case, main
from makemail import maildir, mbox, message, messages, thunderbird, write
from proxy import Proxy
import random


class SecondRun(Case):
    server = {"separator": "/", "format": "mdbox"}

    def sources(self):
        return [thunderbird(self.path("tb"), "mbox"),
                maildir(self.path("Maildir"), {"": 12, ".Work": 5, ".Work.2024": 3}),
                "mbox:" + mbox(self.path("old.mbox"), messages(9, seed=77))]

    def test_everything_is_already_there(self):
        sources = self.sources()
        with Proxy(self.dovecot.port) as proxy:
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            plain = ["--plaintext", *sources]
            first = self.migrate(*plain, to=to).summary
            self.assertGreater(first.uploaded, 110)
            self.assertIn(b"APPEND", bytes(proxy.up))
            before = self.on_server()
            calls, said = proxy.connections, len(proxy.up)
            second = self.migrate(*plain, to=to).summary
        self.assertEqual(second.uploaded, 0)
        self.assertEqual(second.found, first.found)
        self.assertEqual(second.already, first.uploaded)
        self.assertEqual(second.duplicate, first.duplicate)
        self.assertEqual(second.bytes_sent, 0)
        self.assertEqual(second.bytes_read, 0)
        self.assertEqual(proxy.connections, calls, "a connection was made")
        self.assertEqual(len(proxy.up), said)
        self.assertEqual(self.on_server(), before)

    def test_no_mail_is_opened(self):
        strace = shutil.which("strace")
        if not strace or subprocess.run(
                [strace, "-o", os.devnull, "true"],
                stderr=subprocess.DEVNULL).returncode:
            raise unittest.SkipTest("strace does not work here")
        sources = self.sources()
        self.migrate(*sources)
        trace = self.path("trace")
        second = self.migrate(*sources, wrapper=[
            strace, "-f", "-y", "-qq", "-o", trace,
            "-e", "trace=open,openat,openat2,read,pread64,readv,mmap"]).summary
        self.assertEqual(second.uploaded, 0)
        touched = set()
        with open(trace, errors="replace") as f:
            for line in f:
                # Opened paths, and what an open descriptor (with -y) stands for.
                if "= -1" in line:
                    continue
                touched |= set(re.findall(r'<(/[^>]*)>', line))
        touched = {self.unescape(t) for t in touched}
        self.assertTrue(any(t.startswith(self.folder) for t in touched),
                        "the trace saw nothing")
        mail = [t for t in touched if self.is_mail(t)]
        self.assertEqual(mail, [])

    @staticmethod
    def unescape(path):
        raw = re.sub(rb"\\([0-7]{1,3})", lambda m: bytes([int(m[1], 8)]),
                     path.encode("latin-1", "replace"))
        return raw.decode("utf-8", "replace")

    def is_mail(self, path):
        """Files that hold messages; names and databases beside them may be read."""
        if not os.path.isfile(path):
            return False
        if path.startswith(self.path("Maildir")):
            return True
        if path == self.path("old.mbox"):
            return True
        if "/Mail/" in path and path.startswith(self.path("tb")):
            return not path.endswith((".msf", ".dat"))
        return False

    def test_only_the_new_message_is_sent(self):
        box = maildir(self.path("Maildir"), {"": 12, ".Work": 5})
        old = messages(9, seed=77)
        file = mbox(self.path("old.mbox"), old)
        first = self.migrate(box, file).summary
        self.assertEqual(first.uploaded, 26)
        new = message(random.Random(5), 900)
        write(os.path.join(box, ".Work", "cur", "1700000000.M1P1Q1.host:2,S"), new)
        newer = message(random.Random(6), 901)
        mbox(file, old + [newer])
        os.utime(file, (1_700_000_000, 1_700_000_000))
        second = self.migrate(box, file).summary
        self.assertEqual((second.uploaded, second.already), (2, 26))
        self.assertEqual(sum(self.on_server().values()), 28)

    def test_renamed_by_its_client_is_still_known(self):
        """A client that marks mail as read renames it in a Maildir."""
        box = maildir(self.path("Maildir"), {"": 6})
        self.migrate(box)
        cur = os.path.join(box, "cur")
        for name in os.listdir(cur):
            os.rename(os.path.join(cur, name),
                      os.path.join(cur, name.split(":")[0] + ":2,FS"))
        second = self.migrate(box).summary
        self.assertEqual((second.uploaded, second.already), (0, 6))

    def test_a_lost_ledger_sends_nothing_twice(self):
        sources = self.sources()
        first = self.migrate(*sources).summary
        before = self.on_server()
        for end in ("", "-wal", "-shm"):
            if os.path.exists(self.ledger + end):
                os.unlink(self.ledger + end)
        second = self.migrate(*sources).summary
        self.assertEqual(second.uploaded, 0, second)
        self.assertEqual(second.already, first.uploaded)
        self.assertEqual(self.on_server(), before)

    def test_two_folders_of_one_account(self):
        """imaps://.../One and .../Two share a ledger, and are two places."""
        box = maildir(self.path("Maildir"), {"": 5, ".Sent": 3})
        target = self.dovecot.target(self.user)
        for folder in "One", "Two":
            first = self.migrate(box, to=target + "/" + folder).summary
            self.assertEqual(first.uploaded, 8, first)
            again = self.migrate(box, to=target + "/" + folder).summary
            self.assertEqual((again.uploaded, again.already), (0, 8), again)
        self.assertEqual(sum(self.on_server().values()), 16)

    def test_another_pc_with_the_same_mail(self):
        """Many sources feed one ledger: what one brought is known of the next."""
        self.migrate(maildir(self.path("one"), {"": 8}))
        more = maildir(self.path("two"), {"": 11})
        second = self.migrate(more).summary
        self.assertEqual(second.uploaded, 3, second)
        self.assertEqual(sum(self.on_server().values()), 11)


if __name__ == "__main__":
    main()
