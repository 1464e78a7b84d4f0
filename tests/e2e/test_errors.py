# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong ends with its own status and one clear line, and leaves nothing
half made."""
import os
import signal
import socket
import subprocess
import time
import unittest

import dovecot
from harness import Case, environment, main
from makemail import maildir, messages, mbox
from proxy import Proxy

OK, SOME_LEFT, USAGE, SOURCE, UNREACHABLE = 0, 1, 64, 66, 69
LEDGER, LATER, PROTOCOL, LOGIN, CONFIG, QUOTA = 73, 75, 76, 77, 78, 79


class Errors(Case):
    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 3, ".Work": 2})

    def fails(self, want, *parts, argv=None, to=None, made_nothing=True, **how):
        """Run migrate; it ends with status want and one line with these parts."""
        if argv is None:
            argv = ["migrate", "--ledger", self.ledger,
                    "--ca-file", how.pop("ca_file", self.dovecot.ca_file),
                    *how.pop("more", ()), how.pop("source", self.box),
                    to or self.dovecot.target(self.user)]
        result = self.run_program(*argv, **how)
        self.assertEqual(result.code, want, str(result))
        # A run that got somewhere also has a closing sentence; a usage error may
        # add where help is. The first line is the reason.
        lines = [l for l in result.err.splitlines() if l.startswith("mailhaul: ")]
        self.assertEqual(len(lines), 1, str(result))
        for part in parts:
            self.assertIn(part.lower(), lines[0].lower(), str(result))
        self.assertLess(len(lines[0]), 500)
        self.assertNotIn(dovecot.PASSWORD, result.err + result.out)
        if made_nothing:
            left = [name for name in os.listdir(self.folder)
                    if name.startswith("ledger")]
            self.assertEqual(left, [], "a ledger was made")
            state = [files for _, _, files in os.walk(self.home) if files]
            self.assertEqual(state, [], "something was made in $HOME")
        return result

    # -- the server ------------------------------------------------------

    def test_wrong_password(self):
        self.fails(LOGIN, self.user, password="not the password")
        self.assertEqual(sum(self.on_server().values()), 0)

    def test_unknown_host(self):
        self.fails(UNREACHABLE, "no-such-host.invalid",
                   to="imaps://someone@no-such-host.invalid")

    def test_connection_refused(self):
        self.fails(UNREACHABLE, "refused",
                   to=self.dovecot.target(self.user, port=dovecot.free_port()))

    def test_server_that_hangs_up(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            pid = os.fork()
            if not pid:
                signal.alarm(60)
                while True:
                    listener.accept()[0].close()
            try:
                result = self.run_program(
                    "migrate", "--ledger", self.ledger, "--plaintext", self.box,
                    "imap://u@127.0.0.1:%d" % port, timeout=110)
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        self.assertIn(result.code, (UNREACHABLE, LATER), str(result))

    def test_unknown_ca(self):
        self.fails(UNREACHABLE, "certificate", "--ca-file",
                   ca_file=self.dovecot.authority.other_ca())

    def test_ca_file_that_is_none(self):
        self.fails(CONFIG, "none.pem", ca_file=self.path("none.pem"))

    def test_a_folder_the_server_will_not_make(self):
        """The others arrive, the report names it, and the next run says the same."""
        long = mbox(self.path("long"), messages(3, seed=21, first=300))
        for arrived, before in ((5, 0), (0, 5)):
            result = self.migrate("--map", "long=" + 30 * "0123456789",
                                  self.box, "mbox:" + long, want=SOME_LEFT)
            s = result.summary
            self.assertEqual((s.uploaded, s.already, s.failed), (arrived, before, 3))
            self.assertEqual(sum(self.on_server().values()), 5)

    # -- the source ------------------------------------------------------

    def test_missing_source(self):
        self.fails(SOURCE, "nowhere", source=self.path("nowhere"))

    def test_source_of_no_known_format(self):
        os.makedirs(self.path("empty"))
        with open(self.path("empty", "readme"), "w") as f:
            f.write("nothing here is mail\n")
        self.fails(SOURCE, "readme", source=self.path("empty", "readme"))

    def test_unreadable_source(self):
        os.chmod(self.box, 0)
        try:
            if os.getuid() == 0:
                os.chmod(self.folder, 0o777)
                os.chmod(self.home, 0o777)
                self.fails(SOURCE, "Maildir", "permission", user="nobody")
            else:
                self.fails(SOURCE, "Maildir", "permission")
        finally:
            os.chmod(self.box, 0o755)

    def test_unknown_format(self):
        self.fails(USAGE, "nosuch", source="nosuch:" + self.box)

    # -- what was asked for is not safe -----------------------------------

    def test_plain_text_to_another_host(self):
        result = self.run_program("migrate", "--ledger", self.ledger, "--plaintext",
                                  self.box, "imap://u@192.0.2.1")
        self.assertIn(result.code, (USAGE, CONFIG), str(result))
        self.assertIn("loopback", result.err)
        self.assertFalse(os.path.exists(self.ledger))

    # -- secrets ---------------------------------------------------------

    def test_missing_password_file(self):
        self.fails(CONFIG, "no-such-file", password=None,
                   more=["--password-file", self.path("no-such-file")])

    def test_failing_password_command(self):
        self.fails(LOGIN, "command", password=None,
                   more=["--password-command", "false"])

    def test_no_password_and_no_terminal(self):
        result = self.run_program("migrate", "--ledger", self.ledger, "--ca-file",
                                  self.dovecot.ca_file, self.box,
                                  self.dovecot.target(self.user), password=None)
        self.assertIn(result.code, (LOGIN, CONFIG), str(result))
        self.assertOneLine(result.err, "password")

    # -- the ledger ------------------------------------------------------

    def test_ledger_in_a_missing_or_closed_place(self):
        with open(self.path("file"), "w"):
            pass
        result = self.run_program("migrate", "--ledger", self.path("file", "x.db"),
                                  "--ca-file", self.dovecot.ca_file, self.box,
                                  self.dovecot.target(self.user))
        self.assertEqual(result.code, LEDGER, str(result))
        self.assertOneLine(result.err, "file")
        self.assertEqual(sum(self.on_server().values()), 0)

    def test_ledger_that_is_something_else(self):
        with open(self.path("letter.txt"), "w") as f:
            f.write("Dear ledger,\n" * 1000)
        result = self.run_program("migrate", "--ledger", self.path("letter.txt"),
                                  "--ca-file", self.dovecot.ca_file, self.box,
                                  self.dovecot.target(self.user))
        self.assertEqual(result.code, LEDGER, str(result))
        with open(self.path("letter.txt")) as f:
            self.assertEqual(f.read(), "Dear ledger,\n" * 1000)

    def test_locked_ledger(self):
        """While another run holds the ledger: come back later, with its pid."""
        big = mbox(self.path("big.mbox"), messages(60, seed=4, size=40_000))
        with Proxy(self.dovecot.port) as proxy:
            first = subprocess.Popen(
                [self.program, "migrate", "--plaintext", "--ledger", self.ledger,
                 big, self.dovecot.target(self.user, "imap", port=proxy.port)],
                env=environment(self.home, dovecot.PASSWORD),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL, start_new_session=True)
            try:
                self.wait_until(lambda: b"APPEND" in proxy.up)
                os.killpg(first.pid, signal.SIGSTOP)
                # The conversation has a process of its own, which holds it.
                with open("/proc/%d/task/%d/children" % ((first.pid,) * 2)) as f:
                    holder = f.read().split()[0]
                self.fails(LATER, holder, made_nothing=False)
            finally:
                os.killpg(first.pid, signal.SIGCONT)
                first.wait(60)
        self.assertEqual(first.returncode, OK)
        self.migrate(self.box)

    def wait_until(self, done, seconds=30):
        end = time.monotonic() + seconds
        while not done():
            self.assertLess(time.monotonic(), end, "nothing happened")
            time.sleep(0.005)


class BadCertificates(Case):
    def case(self, certificate, *parts):
        why = dovecot.missing()
        if why:
            raise unittest.SkipTest(why)
        box = maildir(self.path("Maildir"), {"": 1})
        with dovecot.Dovecot(certificate=certificate) as server:
            result = self.run_program("migrate", "--ledger", self.ledger,
                                      "--ca-file", server.ca_file, box,
                                      server.target("u"))
            self.assertEqual(result.code, UNREACHABLE, str(result))
            self.assertOneLine(result.err, *parts)
            self.assertNotIn("auth attempts", server.log().replace(
                "no auth attempts", ""))

    def test_other_name(self):
        self.case("wrong-name", "127.0.0.1", "certificate")

    def test_expired(self):
        self.case("expired", "expired")


class Quota(Case):
    server = {"separator": "/", "quota_kib": 60}

    def test_full(self):
        box = maildir(self.path("Maildir"), {"": 5, ".Work": 30}, size=4000)
        result = self.migrate(box, want=QUOTA)
        self.assertIn("quota", result.err.lower())
        there = self.on_server()
        summary = result.summary
        self.assertEqual(sum(there.values()), summary.uploaded)
        self.assertGreaterEqual(summary.uploaded, 5)
        self.assertEqual(summary.found, 35)
        self.assertEqual(max(there.values()), 1)
        # Again: still full, and nothing is doubled.
        again = self.migrate(box, want=QUOTA)
        self.assertEqual(max(self.on_server().values()), 1)
        self.assertEqual(again.summary.already, summary.uploaded)


class TooLarge(Case):
    server = {"separator": "/",
              "extra": "plugin {\n  quota_max_mail_size = 20K\n}\n"}

    def test_one_message_the_server_refuses(self):
        """The others of its batch arrive; the report names the one that did not."""
        small = messages(20, seed=3)
        large = messages(1, seed=8, size=90_000, first=500)
        box = mbox(self.path("x.mbox"), small[:11] + large + small[11:])
        result = self.migrate(box, want=SOME_LEFT)
        summary = result.summary
        self.assertEqual((summary.uploaded, summary.failed), (20, 1), summary)
        self.assertEqual(sum(self.on_server().values()), 20)
        self.assertTrue(any("larger" in str(e) or "size" in str(e).lower()
                            for e in result.events if e["event"] != "summary"),
                        str(result))
        again = self.migrate(box, want=SOME_LEFT).summary
        self.assertEqual((again.uploaded, again.already, again.failed), (0, 20, 1))


if __name__ == "__main__":
    main()
