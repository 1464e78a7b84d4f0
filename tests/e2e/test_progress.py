# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see: one line that is redrawn on a terminal and a sentence at the end;
plain text elsewhere; nothing with -q; JSON lines with --json."""
import os
import pty
import unittest
import select
import signal
import subprocess
import time

import dovecot
from harness import Case, environment, main
from makemail import maildir, mbox, messages
from proxy import Proxy


class Progress(Case):
    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 300, ".Work": 200}, size=8000)

    def arguments(self, *more):
        return [self.program, "migrate", *more, "--ledger", self.ledger, "--ca-file",
                self.dovecot.ca_file, self.box, self.dovecot.target(self.user)]

    def on_terminal(self, argv):
        """(exit status, what the terminal was sent)."""
        try:
            main_fd, terminal = pty.openpty()
        except OSError as e:
            raise unittest.SkipTest("no terminal to be had: %s" % e)
        process = subprocess.Popen(
            argv, stdin=terminal, stdout=terminal, stderr=terminal,
            env=environment(self.home, dovecot.PASSWORD, TERM="xterm"))
        os.close(terminal)
        said = b""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if select.select([main_fd], [], [], 1)[0]:
                try:
                    data = os.read(main_fd, 65536)
                except OSError:
                    break
                if not data:
                    break
                said += data
        os.close(main_fd)
        return process.wait(30), said.decode("utf-8", "replace")

    def test_terminal(self):
        status, said = self.on_terminal(self.arguments())
        self.assertEqual(status, 0, said)
        drawn = said.replace("\r\n", "\n")
        self.assertGreater(drawn.count("\r"), 1, "nothing was redrawn")
        lines = drawn.rstrip("\n").split("\n")
        self.assertIn("500", lines[-1])
        self.assertNotIn("\r", lines[-1].rsplit("\x1b[K", 1)[-1])
        # However often it was drawn, it stayed one line.
        self.assertLess(len(lines), 15, said)
        for line in lines:
            for piece in line.split("\r"):
                self.assertLessEqual(len(piece.replace("\x1b[K", "")), 200)

    def test_not_a_terminal(self):
        result = self.run_program(*self.arguments()[1:])
        self.assertEqual(result.code, 0, str(result))
        for text in (result.out, result.err):
            self.assertNotIn("\r", text)
            self.assertNotIn("\x1b", text)
        self.assertIn("500", result.out.splitlines()[-1])

    def test_quiet(self):
        result = self.run_program(*self.arguments("-q")[1:])
        self.assertEqual((result.code, result.out, result.err), (0, "", ""))

    def test_quiet_on_a_terminal(self):
        status, said = self.on_terminal(self.arguments("-q"))
        self.assertEqual((status, said), (0, ""))

    def test_quiet_still_says_what_went_wrong(self):
        result = self.run_program(*self.arguments("-q")[1:], password="wrong")
        self.assertEqual((result.code, result.out), (77, ""))
        self.assertOneLine(result.err)

    def test_json(self):
        result = self.run_program(*self.arguments("--json")[1:])
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertGreater(len(result.events), 1)
        self.assertTrue(all("event" in e for e in result.events))
        s = result.summary
        for key in ("found", "uploaded", "already", "duplicate", "skipped", "failed",
                    "bytes_read", "bytes_sent", "folders", "rss_peak_bytes"):
            self.assertIsInstance(getattr(s, key), int, key)
        self.assertGreater(s.seconds, 0)
        self.assertGreater(s.messages_per_second, 0)
        self.assertGreater(s.bytes_sent, s.bytes_read)
        self.assertEqual(s.folders, 2)

    def test_interrupted(self):
        """Ctrl-C: what is in flight arrives, the status is 130, and a run later all
        is there once."""
        big = mbox(self.path("big.mbox"), messages(400, seed=3, size=40_000))
        argv = self.arguments("--json")
        argv[argv.index(self.box)] = big
        with Proxy(self.dovecot.port) as proxy:
            argv[-1] = self.dovecot.target(self.user, "imap", port=proxy.port)
            argv.insert(2, "--plaintext")
            process = subprocess.Popen(
                argv, env=environment(self.home, dovecot.PASSWORD),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            end = time.monotonic() + 60
            while b"APPEND" not in proxy.up and time.monotonic() < end:
                time.sleep(0.002)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        self.assertIn(process.returncode, (0, 130), err)
        self.assertEqual(process.returncode, 130, "it was too fast to be interrupted")
        first = sum(self.on_server().values())
        second = self.migrate(big).summary
        self.assertEqual(second.already, first)
        there = self.on_server()
        self.assertEqual((sum(there.values()), max(there.values())), (400, 1))


if __name__ == "__main__":
    main()
