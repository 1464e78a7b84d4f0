# SPDX-License-Identifier: GPL-3.0-or-later
"""Running mailhaul against a server that lies: a small source, limits on time and memory,
and what has to be true when the server is honest again.

A lie is a row: a name, a sentence, what the server offers, how the lie is told, and the
statuses that may come of it. more: after, tls (Scripted's), args, timeout (of the run),
big (a message of BIG bytes goes first), no_login (no password may go out), honest
(there is nothing to tell), flags_lost, twice (how much of the mailbox is its own
fault). add_tests makes a test of each."""
import collections
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import dovecot
import makemail
from harness import LONG, Case, Result, environment, mailhaul_path
from scripted import Scripted

OK, SOME_LEFT, UNREACHABLE, LATER, PROTOCOL, AUTH, QUOTA = 0, 1, 69, 75, 76, 77, 79
BATCHES = "MULTIAPPEND LITERAL+ UIDPLUS"
SINGLES = "UIDPLUS"
BIG = 16 << 20          # more than the buffers of a connection take
PEAK = 200 << 20        # bytes; the sanitizers' own share included
BOUND = 240             # seconds, on a busy machine; then it hangs


RECOVERS, BROKEN = {OK}, {PROTOCOL}

Lie = collections.namedtuple("Lie", "name sentence offers tell want more")


def lie(name, sentence, offers, tell, want, **more):
    return Lie(name, sentence, offers, tell, want, more)


# -- how lies are told ---------------------------------------------------

def at(where, hook, times=1):
    return lambda server: server.on(where, hook, times)


def changes(pattern, replacement, times=1):
    return lambda server: server.rewrite(pattern, replacement, times)


def both(*tell):
    def tell_all(server):
        for one in tell:
            one(server)
    return tell_all


def has_mail(server):
    """The first two of our messages are in the Inbox already: those are looked at."""
    folder = server.account("user").find("INBOX")
    for place in (0, 1):
        folder.add({"\\Seen"} if place == 0 else (),
                   "13-Sep-2020 12:26:4%d +0000" % place,
                   inbox_mail()[place].replace(b"\n", b"\r\n"))


# -- running it ----------------------------------------------------------

def inbox_mail():
    return makemail.messages(3, seed=1, first=0)


class Rig:
    """Sources and a ledger in a folder, and the program run with them."""

    def __init__(self, folder):
        self.folder = folder
        self.home = os.path.join(folder, "home")
        os.makedirs(self.home)
        self.box = os.path.join(folder, "Maildir")
        makemail.maildir_folder(self.box, inbox_mail())
        makemail.maildir_folder(os.path.join(self.box, ".Work"),
                                makemail.messages(3, seed=4, first=3))

    def add_big(self):
        body = b"".join(b"%070d\n" % i for i in range(BIG // 71))
        makemail.write(os.path.join(self.box, "cur", "0.big.host:2,S"),
                       makemail.messages(1, seed=9, first=90)[0] + body)

    def run(self, command, server, *args, timeout=20):
        """Result, with its peak of memory and the seconds it took. It is killed at
        BOUND."""
        argv = [mailhaul_path(), command, "--json",
                "--ledger", os.path.join(self.folder, "ledger.db"),
                "--timeout", str(timeout), *server.options(), *args, server.target()]
        env = environment(self.home, dovecot.PASSWORD)
        # What was freed and is kept apart to be watched is not what it needs.
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"
        began = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                                     stdout=out, stderr=err, cwd=self.folder,
                                     start_new_session=True)
            alarm = threading.Timer(BOUND, os.kill, (child.pid, signal.SIGKILL))
            alarm.start()
            _, status, usage = os.wait4(child.pid, 0)
            alarm.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            result = Result(argv, child.returncode, out.read(), err.read())
        result.peak = usage.ru_maxrss << 10
        result.seconds = time.monotonic() - began
        return result

    def migrate(self, server, *args, **how):
        return self.run("migrate", server, *args, self.box, **how)


class LyingCase(Case):
    def rig(self, big=False):
        rig = Rig(os.path.join(self.folder, "rig%d" % len(os.listdir(self.folder))))
        if big:
            rig.add_big()
        return rig

    def assertSound(self, result):
        self.assertNotIn("Sanitizer", result.err, str(result))
        self.assertNotIn("runtime error:", result.err, str(result))
        self.assertGreaterEqual(result.code, 0, "killed: %s" % result)
        self.assertLess(result.peak, PEAK, str(result))
        self.assertNotIn(dovecot.PASSWORD, result.out + result.err)

    def expected(self, big=False):
        """The mailbox that an honest server has in the end."""
        if big not in self._expected:
            with Scripted(BATCHES) as server:
                result = self.rig(big).migrate(server)
                self.assertEqual(result.code, OK, str(result))
                self.assertEqual(server.violations, [])
                self._expected[big] = server.contents()
            self.assertEqual(sum(self._expected[big].values()), 7 if big else 6)
        return self._expected[big]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._expected = {}

    def honest_again(self, rig, server, big=False, flags_lost=False, twice=0):
        """The next run makes it exact; so many are there twice at most."""
        server.honest()
        result = rig.migrate(server)
        self.assertSound(result)
        self.assertEqual(result.code, OK, str(result))
        has, wanted = server.contents(), self.expected(big)
        if flags_lost:
            has, wanted = (collections.Counter(
                (folder, sha, date) for folder, sha, _, date in one.elements())
                for one in (has, wanted))
        if twice and has != wanted:
            self.assertEqual(wanted - has, collections.Counter(), str(result))
            self.assertLessEqual(sum((has - wanted).values()), twice, str(result))
        else:
            self.assertEqual(has, wanted, str(result))
        return result

    def check(self, row):
        more = row.more
        rig, big = self.rig(more.get("big", False)), more.get("big", False)
        with Scripted(row.offers, after=more.get("after"),
                      tls=more.get("tls")) as server:
            row.tell(server)
            result = rig.migrate(server, *more.get("args", ()),
                                 timeout=more.get("timeout", 20))
            self.assertSound(result)
            if not more.get("honest"):
                self.assertGreater(server.told(), 0, "not told: %s" % result)
            if row.want is not None:
                self.assertIn(result.code, row.want, str(result))
            if result.code in (PROTOCOL, UNREACHABLE, LATER, AUTH, QUOTA):
                self.assertTrue(result.err.splitlines()[-1].startswith("mailhaul: "),
                                str(result))
            if more.get("no_login"):
                said = " ".join(l for s in server.sessions for l in s.said)
                self.assertNotRegex(said, "LOGIN|AUTHENTICATE")
            self.honest_again(rig, server, big, more.get("flags_lost", False),
                              more.get("twice", 0))
            self.assertEqual(server.violations, [])


def test_of(row, known):
    def test(self):
        if row.name not in known:
            return self.check(row)
        if not LONG:
            raise unittest.SkipTest(known[row.name])
        try:
            self.check(row)
        except AssertionError:
            raise unittest.SkipTest(known[row.name]) from None
        self.fail("mended: take %s out of KNOWN" % row.name)
    test.__doc__ = row.sentence
    return test


def add_tests(case, rows, known=()):
    """A test for each row. known has those that mailhaul believes so far, and why: they
    are skipped, and with MAILHAUL_LONG run to see that it is still so."""
    for row in rows:
        setattr(case, "test_" + row.name, test_of(row, known))
