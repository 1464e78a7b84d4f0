# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy that the other tests rely on, and mailhaul on the lines it makes."""
import contextlib
import hashlib
import os
import random
import re
import socket
import subprocess
import threading
import time
import unittest

from conversation import Conversation
from crashing import CrashCase
from harness import LONG, main
from makemail import maildir
from proxy import Proxy


class Echo:
    """A server that says everything back, and counts it."""

    def __init__(self):
        self.heard = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        with s, contextlib.suppress(OSError):
            while data := s.recv(65536):
                self.heard += len(data)
                s.sendall(data)
            s.shutdown(socket.SHUT_WR)


def talk(port, data):
    """Send it all and hear until the end: what came back."""
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        def say():
            with contextlib.suppress(OSError):
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
        speaker = threading.Thread(target=say)
        speaker.start()
        heard = bytearray()
        with contextlib.suppress(ConnectionError):
            while part := s.recv(65536):
                heard += part
        speaker.join(30)
    return bytes(heard)


class TheProxy(unittest.TestCase):
    data = random.Random(1).randbytes(300_000)

    def carried(self, data, **how):
        with Echo() as echo, Proxy(echo.port, **how) as proxy:
            started = time.monotonic()
            heard = talk(proxy.port, data)
            self.elapsed = time.monotonic() - started
            self.proxy, self.echo = proxy, echo
            return heard

    def test_everything_passes(self):
        data = self.data * 100
        for follow in (False, True):
            heard = self.carried(data, listen_in=False, follow=follow)
            self.assertEqual(hashlib.sha256(heard).digest(),
                             hashlib.sha256(data).digest())
            self.assertEqual((self.proxy.bytes_up, self.proxy.bytes_down),
                             (len(data), len(data)))

    def test_cuts(self):
        for at in (0, 1, 70_000, 299_999):
            self.carried(self.data, cut_after_up=at)
            self.assertEqual((self.proxy.bytes_up, self.proxy.cuts), (at, 1))
            self.assertLessEqual(self.echo.heard, at)
            heard = self.carried(self.data, cut_after_down=at)
            self.assertEqual((self.proxy.bytes_down, self.proxy.cuts), (at, 1))
            self.assertEqual(heard, self.data[:len(heard)])

    def test_several_cuts(self):
        with Echo() as echo, Proxy(echo.port,
                                   cut_after_up=[100, 250_000, 40_000]) as proxy:
            for at in (100, 40_000, 250_000):
                talk(proxy.port, self.data)
                self.assertEqual(proxy.bytes_up, at)
            self.assertEqual(talk(proxy.port, self.data), self.data)
            self.assertEqual(proxy.cuts, 3)

    def test_single_bytes(self):
        data = self.data[:20_000]
        self.assertEqual(self.carried(data, fragment=True), data)

    def test_delay_is_no_queue(self):
        """Each byte is under way for its time, but all of them at once."""
        with Echo() as echo, Proxy(echo.port, delay=0.1) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), 30) as s:
                started = time.monotonic()
                for i in range(40):
                    s.sendall(b"%04d" % i)
                    time.sleep(0.005)
                heard = b""
                while len(heard) < 160:
                    heard += s.recv(160)
                self.elapsed = time.monotonic() - started
        self.assertEqual(heard, b"".join(b"%04d" % i for i in range(40)))
        self.assertGreaterEqual(self.elapsed, 0.2)
        self.assertLess(self.elapsed, 40 * 0.2, "one after the other")
        self.assertEqual(self.carried(self.data, delay=0.02), self.data)

    def test_throttle(self):
        data = self.data[:100_000]
        for which in ("rate_up", "rate_down"):
            self.assertEqual(self.carried(data, **{which: 200_000}), data)
            self.assertGreaterEqual(self.elapsed, 0.4)

    def test_stall_for_a_time(self):
        for which in ("stall_after_up", "stall_after_down"):
            heard = self.carried(self.data, **{which: 1000}, stall_for=0.3)
            self.assertEqual(heard, self.data)
            self.assertEqual(self.proxy.stalls, 1)
            self.assertGreaterEqual(self.elapsed, 0.3)

    def test_stall_for_ever(self):
        with Echo() as echo, Proxy(echo.port, stall_after_down=10) as proxy:
            for at in (10, 0):
                with socket.create_connection(("127.0.0.1", proxy.port), 30) as s:
                    s.sendall(self.data[:1000])
                    heard = b"" if at == 0 else s.recv(100)
                    while len(heard) < at:
                        heard += s.recv(100)
                    s.settimeout(0.2)
                    with self.assertRaises(TimeoutError):
                        s.recv(100)
                self.assertEqual(heard, self.data[:at])


# (what is meant, what is said in turns: "C" or "S", APPENDs, answers dropped)
APPENDS = [
    ("a plain literal, asked for",
     [("C", b"a APPEND INBOX {5}\r\n"), ("S", b"+ OK\r\n"), ("C", b"b x\r\n\r\n"),
      ("S", b"a OK done\r\n")], 1),
    ("LITERAL+, two in flight",
     [("C", b"a APPEND INBOX () {12+}\r\nb APPEND x\r\n\r\nb APPEND i {3+}\r\nabc\r\n"),
      ("S", b"* 1 EXISTS\r\na OK\r\nb OK [APPENDUID 1 2] done\r\n")], 2),
    ("MULTIAPPEND is one",
     [("C", b"a APPEND INBOX (\\Seen) {3+}\r\nabc (\\Seen) ~{4+}\r\na\0\r\n {0+}\r\n"
            b"\r\n"), ("S", b"a OK\r\n")], 1),
    ("a literal that is refused never comes",
     [("C", b"a APPEND INBOX {5}\r\n"), ("S", b"a NO [TOOBIG] no\r\n"),
      ("C", b"b APPEND INBOX {2}\r\n"), ("S", b"* OK wait\r\n+\r\n"),
      ("C", b"xy\r\n"), ("S", b"b OK\r\n")], 2),
    ("a second literal that is refused",
     [("C", b"a APPEND INBOX {2}\r\n"), ("S", b"+ go\r\n"), ("C", b"xy {9}\r\n"),
      ("S", b"a NO full\r\n"), ("C", b"b APPEND INBOX {1+}\r\nx\r\n"),
      ("S", b"b OK\r\n")], 2),
    ("APPEND in a name, a password and an answer is none",
     [("C", b"a LOGIN {6}\r\n"), ("S", b"+ \r\n"), ("C", b"APPEND {8}\r\n"),
      ("S", b"+ \r\n"), ("C", b"x APPEND\r\n"), ("S", b"a OK\r\n"),
      ("C", b"b AUTHENTICATE PLAIN\r\n"), ("S", b"+ \r\n"), ("C", b"QVBQRU5E\r\n"),
      ("S", b"b OK\r\n"), ("C", b"c SELECT \"x APPEND\"\r\n"),
      ("S", b"* 1 FETCH (BODY[] {14}\r\nd APPEND x {3})\r\nc OK\r\n")], 0),
]

CAPABILITIES = [
    (b"* CAPABILITY IMAP4rev1 UIDPLUS LITERAL+ ID\r\n",
     b"* CAPABILITY IMAP4rev1 ID\r\n"),
    (b"* capability IMAP4rev1 literal+ uidplus\r\n", b"* capability IMAP4rev1\r\n"),
    (b"* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR] UIDPLUS ready\r\n",
     b"* OK [CAPABILITY IMAP4rev1 SASL-IR] UIDPLUS ready\r\n"),
    (b"* PREAUTH [CAPABILITY UIDPLUS IMAP4rev1] hello\r\n",
     b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"),
    (b"a1 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n",
     b"a1 OK [CAPABILITY IMAP4rev1] in\r\n"),
    (b"* CAPABILITY UIDPLUSX LITERAL+2\r\n", b"* CAPABILITY UIDPLUSX LITERAL+2\r\n"),
    (b"* LIST () \"/\" \"CAPABILITY UIDPLUS\"\r\n",
     b"* LIST () \"/\" \"CAPABILITY UIDPLUS\"\r\n"),
    (b"* 1 FETCH (BODY[] {24}\r\n* CAPABILITY UIDPLUS X\r\n)\r\n",
     b"* 1 FETCH (BODY[] {24}\r\n* CAPABILITY UIDPLUS X\r\n)\r\n"),
]


class TheConversation(unittest.TestCase):
    def follow(self, turns, split, drop=None):
        numbers, answers = iter(range(1, 99)), []

        def answered(number, line):
            answers.append((number, line))
            return number == drop

        c = Conversation(began=lambda: next(numbers), answered=answered)
        passed, dropped = b"", False
        for who, data in turns:
            for at in range(0, len(data), split):
                part = data[at:at + split]
                if who == "C":
                    c.up(part)
                elif not dropped:
                    more, dropped = c.down(part)
                    passed += more
        self.assertEqual(c.strange, 0)
        return answers, passed, dropped

    def test_appends_are_followed(self):
        for what, turns, appends in APPENDS:
            said = b"".join(data for who, data in turns if who == "S")
            for split in (1, 2, 7, 1000):
                answers, passed, dropped = self.follow(turns, split)
                self.assertEqual([n for n, _ in answers],
                                 list(range(1, appends + 1)), what)
                self.assertEqual((passed, dropped), (said, False), what)

    def test_one_answer_does_not_arrive(self):
        for split in (1, 5, 1000):
            answers, passed, dropped = self.follow(APPENDS[1][1], split, drop=2)
            self.assertEqual((passed, dropped),
                             (b"* 1 EXISTS\r\na OK\r\n", True))
            self.assertIn(b"APPENDUID", answers[-1][1])

    def test_capabilities_are_hidden(self):
        for before, after in CAPABILITIES:
            for split in (1, 3, 1000):
                c = Conversation(hide=("UIDPLUS", "literal+"))
                passed = b"".join(c.down(before[at:at + split])[0]
                                  for at in range(0, len(before), split))
                self.assertEqual(passed, after)

    def test_behind_compress_nothing_is_touched(self):
        line = b"* CAPABILITY UIDPLUS\r\n"
        for verb, answer, opaque in ((b"COMPRESS DEFLATE", b"OK", True),
                                     (b"COMPRESS DEFLATE", b"NO", False),
                                     (b"STARTTLS", b"OK", True)):
            c = Conversation(hide=("UIDPLUS",))
            c.up(b"a " + verb + b"\r\n")
            passed, _ = c.down(b"a " + answer + b" x\r\n" + line)
            passed += c.down(line + b"\xff")[0] + c.down_ends()
            self.assertEqual(c.opaque, opaque)
            self.assertEqual(passed.count(b"UIDPLUS"), 2 if opaque else 0)
            self.assertTrue(passed.endswith(b"\xff"))
            c.up(b"\0\xff{99999}\r\n")


class BadLines(CrashCase):
    """Whatever the line is like, the same mailbox comes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = subprocess.run([cls.program, "migrate", "--help"],
                              capture_output=True, stdin=subprocess.DEVNULL)
        cls.can_time_out = b"--timeout" in done.stdout

    def through(self, *args, n=40, size=3000, want=0, **how):
        """The proxy after a migration through it, and the Result."""
        box = self.path("Maildir")
        if not os.path.exists(box):
            maildir(box, {"": n, ".Work": n // 2}, size=size)
            self.reference(box)
        self.start_over()
        with Proxy(self.dovecot.port, **how) as proxy:
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            result = self.cut_run("--plaintext", *args, box, to=to, timeout=300)
        if want is not None:
            self.assertEqual(result.code, want, str(result))
            self.assertEqual(self.on_server(), self.want)
        self.finish(box, what=str(how))
        return proxy, result

    def test_single_bytes(self):
        self.through(n=20, size=1500, fragment=True)

    def test_delay(self):
        proxy, _ = self.through(n=200, delay=0.04)
        self.assertEqual(proxy.connections, 1)

    def test_throttled(self):
        self.through(rate_up=100_000, rate_down=20_000)

    def test_all_of_it(self):
        self.through(delay=0.02, rate_up=200_000, rate_down=50_000, fragment=True)

    def test_stands_still_for_a_while(self):
        for which in ("stall_after_up", "stall_after_down"):
            proxy, _ = self.through(**{which: 2000}, stall_for=1)
            self.assertEqual((proxy.stalls, proxy.connections), (1, 1))

    def stands_still(self, which, at, **how):
        if not self.can_time_out:
            self.skipTest("mailhaul has no --timeout")
        return self.through("--timeout", "2", **{which: at}, **how)

    def test_stands_still_for_good(self):
        """It gives that connection up and makes another."""
        for which in ("stall_after_up", "stall_after_down"):
            proxy, result = self.stands_still(which, 2000, stall_once=True)
            self.assertEqual(proxy.stalls, 1)
            self.assertEqual(proxy.connections, 2, str(result))

    @unittest.skipUnless(LONG, "takes a minute or two: MAILHAUL_LONG")
    def test_every_line_stands_still(self):
        """It gives up, and the next run makes up for it."""
        proxy, result = self.stands_still("stall_after_down", 2000, want=None)
        self.assertGreater(proxy.stalls, 1)
        self.assertIn(result.code, (69, 75), str(result))

    def test_capabilities_it_is_not_told_of(self):
        for hide, literals, alone in (
                (("MULTIAPPEND",), rb"\{\d+\+\}", True),
                (("LITERAL+", "LITERAL-"), rb"\{\d+\}", False),
                (("UIDPLUS", "MULTIAPPEND", "LITERAL+", "LITERAL-"),
                 rb"\{\d+\}", True)):
            proxy, _ = self.through(hide=hide)
            self.assertEqual(proxy.strange, 0, hide)
            self.assertEqual(proxy.appends == 60, alone, hide)
            heads = re.findall(rb"APPEND [^\r]*\r\n", bytes(proxy.up))
            self.assertEqual(len(heads), proxy.appends)
            for head in heads:
                self.assertRegex(head, literals, hide)

    def test_an_answer_is_lost(self):
        """Stored, but nobody heard of it."""
        for n in (1, 2):
            proxy, result = self.through(drop_appends=[n], hide=("COMPRESS=DEFLATE",))
            self.assertEqual(len(proxy.dropped), 1)
            self.assertIn(b" OK ", proxy.dropped[0])
            self.assertEqual(proxy.connections, 2, str(result))


if __name__ == "__main__":
    main()
