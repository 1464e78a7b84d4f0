# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests that cut runs off: the mailbox an undisturbed run makes, and the proof that
a disturbed one ended in the same."""
import signal
import subprocess

import dovecot
from harness import Case, Result, environment


class CrashCase(Case):
    server = {"separator": "/"}

    def cut_run(self, *args, to=None, env=None, kill_after=None, timeout=120):
        """Like migrate, but it may be killed; the Result's code is then -9."""
        argv = [self.program, "migrate", *self.options(), *args,
                to or self.dovecot.target(self.user)]
        process = subprocess.Popen(
            argv, env=environment(self.home, dovecot.PASSWORD, **(env or {})),
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=kill_after or timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            if kill_after is None:
                self.fail("still running after %d s: %s" % (
                    timeout, Result(argv, -9, out, err)))
        result = Result(argv, process.returncode, out, err)
        if b"Sanitizer" in err or b"runtime error:" in err or \
                process.returncode in (-signal.SIGABRT, -signal.SIGSEGV):
            self.fail("the program broke: %s" % result)
        return result

    def start_over(self):
        """A mailbox and a ledger nobody has used."""
        self.user = self.new_user()
        self.ledger = self.path("ledger-%s.db" % self.user)

    def reference(self, *args, env=None, want=0):
        """What an undisturbed run makes of it; it ends with status want."""
        self.start_over()
        result = self.cut_run(*args, env=env)
        self.assertEqual(result.code, want, str(result))
        self.status = want
        self.counts = result.summary
        self.want = self.on_server()
        self.assertEqual(sum(self.want.values()), self.counts.uploaded)
        return result

    def finish(self, *args, what):
        """Run to the end: the mailbox is the reference; once more: nothing is sent."""
        result = self.cut_run(*args)
        self.assertEqual(result.code, self.status, "%s: %s" % (what, result))
        there = self.on_server()
        if there != self.want:
            self.fail("%s: the mailbox differs\nmissing: %s\ntoo many: %s\n%s" % (
                what, sorted(map(str, (self.want - there).elements()))[:5],
                sorted(map(str, (there - self.want).elements()))[:5], result))
        counts = result.summary
        self.assertEqual((counts.found, counts.failed, counts.skipped),
                         (self.counts.found, self.counts.failed,
                          self.counts.skipped), what)
        again = self.cut_run(*args)
        self.assertEqual(again.code, self.status, "%s, again: %s" % (what, again))
        self.assertEqual(again.summary.uploaded, 0, "%s: sent again" % what)
        self.assertEqual(again.summary.already, self.counts.uploaded, what)
