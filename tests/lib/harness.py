# SPDX-License-Identifier: GPL-3.0-or-later
"""Running mailhaul in tests, and the frame of the tests themselves."""
import collections
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import unittest

import dovecot
import onserver

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG = os.environ.get("MAILHAUL_LONG", "") not in ("", "0")


def mailhaul_path():
    path = os.environ.get("MAILHAUL")
    for path in [path] if path else [
            os.path.join(ROOT, "build", kind, "cmd", "mailhaul")
            for kind in ("test", "release")]:
        if os.access(path, os.X_OK):
            return path
    raise unittest.SkipTest("mailhaul is not built: set MAILHAUL")


class Result:
    """How a run ended and what it said."""

    def __init__(self, argv, code, out, err):
        self.argv, self.code = argv, code
        self.raw_out, self.raw_err = out, err
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self):
        """The last object; all of its counts are there and add up."""
        last = self.events[-1]
        if last.get("event") != "summary" or last.get("format") != 1:
            raise AssertionError("no summary at the end of %s" % self)
        parts = ("uploaded", "already", "duplicate", "skipped", "failed")
        if last["found"] != sum(last[p] for p in parts):
            raise AssertionError("found is not the sum: %s" % last)
        return Counts(**{k: v for k, v in last.items()
                         if k not in ("event", "format")})

    def __str__(self):
        return "%s\n-> %d\n%s\n%s" % (" ".join(self.argv), self.code,
                                      self.out[-3000:], self.err[-3000:])


class Counts:
    def __init__(self, **counts):
        self.__dict__.update(counts)

    def __repr__(self):
        return repr(self.__dict__)


def environment(home, password=None, **more):
    """A clean environment: nothing of the person's own settings, no terminal."""
    env = {k: v for k, v in os.environ.items()
           if k in ("PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                    "LD_LIBRARY_PATH", "LSAN_OPTIONS")}
    env.update(HOME=home, LC_ALL="C.UTF-8", TZ="UTC")
    if password is not None:
        env["MAILHAUL_PASSWORD"] = password
    env.update(more)
    return env


class Case(unittest.TestCase):
    """A test with a folder of its own and, with server = {...}, a Dovecot for the
    class, made with those options."""

    server = None
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.program = mailhaul_path()
        cls.dovecot = None
        if cls.server is not None:
            why = dovecot.missing()
            if why:
                raise unittest.SkipTest(why)
            cls.dovecot = dovecot.Dovecot(**cls.server).start()
        cls._users = 0

    @classmethod
    def tearDownClass(cls):
        if cls.dovecot:
            cls.dovecot.stop()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="mh-test-")
        os.chmod(self.folder, 0o755)
        self.home = self.path("home")
        os.mkdir(self.home)
        self.ledger = self.path("ledger.db")
        self.user = self.new_user()

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def new_user(self):
        """A mailbox nobody has used yet."""
        type(self)._users += 1
        return "user%d" % self._users

    def run_program(self, *args, password=dovecot.PASSWORD, env=None, timeout=120,
                    cwd=None, wrapper=(), input=None, user=None):
        argv = [*wrapper, self.program, *args]
        full = environment(self.home, password, **(env or {}))
        if wrapper:
            # The leak checker cannot trace what is being traced.
            full["ASAN_OPTIONS"] = full.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        more = {}
        if user:
            who = pwd.getpwnam(user)
            more = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        done = subprocess.run(argv, env=full, cwd=cwd or self.folder,
                              input=input, timeout=timeout, capture_output=True,
                              stdin=subprocess.DEVNULL if input is None else None,
                              start_new_session=True, **more)
        result = Result(argv, done.returncode, done.stdout, done.stderr)
        if b"AddressSanitizer" in done.stderr or b"runtime error:" in done.stderr \
                or b"LeakSanitizer" in done.stderr or done.returncode < 0:
            self.fail("the program broke: %s" % result)
        return result

    def options(self):
        return ["--json", "--ledger", self.ledger,
                "--ca-file", self.dovecot.ca_file]

    def migrate(self, *args, to=None, want=0, **how):
        """Run migrate with the usual options; args are options and sources."""
        result = self.run_program(
            "migrate", *self.options(), *args,
            to or self.dovecot.target(self.user), **how)
        if want is not None:
            self.assertEqual(result.code, want, str(result))
        return result

    def on_server(self, user=None):
        connection = self.dovecot.imap(user or self.user)
        try:
            return onserver.contents(connection)
        finally:
            connection.logout()

    def mails(self, user=None, keep_raw=False):
        connection = self.dovecot.imap(user or self.user)
        try:
            return onserver.everything(connection, keep_raw)
        finally:
            connection.logout()

    def assertOneLine(self, text, *parts):
        """Exactly one line, for a person, with these parts."""
        lines = text.splitlines()
        self.assertEqual(len(lines), 1, text)
        self.assertTrue(lines[0].startswith("mailhaul: "), text)
        for part in parts:
            self.assertIn(part, text)


def by_folder(mails):
    folders = collections.defaultdict(list)
    for m in mails:
        folders[m.folder].append(m)
    return dict(folders)


def main():
    """Run the tests of the calling script; 77 when all of them were skipped."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    for test, why in result.skipped:
        print("skipped: %s: %s" % (test, why))
    if not result.wasSuccessful():
        sys.exit(1)
    skipped_classes = any("setUpClass" in str(t) for t, _ in result.skipped)
    if result.skipped and (result.testsRun == len(result.skipped) or
                           (skipped_classes and result.testsRun == 0)):
        sys.exit(77)
    if result.testsRun == 0:
        print("no test was run")
        sys.exit(1)
    sys.exit(0)
