# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with a server has a process of its own: when that crashes another one
goes on, and when either is killed both are gone (cmd/child.c)."""
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import time
import unittest

import dovecot
from crashing import CrashCase
from harness import LONG, environment, main
from makemail import maildir, mbox, messages
from proxy import Proxy

CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS")
IN_A_ROW = 6  # RETRY_ATTEMPTS of core/retry.h


def fault(step, name="SIGABRT", once=True):
    env = {"MAILHAUL_FAULT": str(step),
           "MAILHAUL_FAULT_SIGNAL": str(int(getattr(signal, name)))}
    return dict(env, MAILHAUL_FAULT_ONCE="1") if once else env


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(done, what, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError("never happened: " + what)
        time.sleep(0.002)


class Worker(CrashCase):
    def sources(self):
        twins = messages(5, seed=1)
        return [maildir(self.path("Maildir"),
                        {"": 12, ".Lists": 8, ".Lists.C": 6, ".Sent": 6}),
                mbox(self.path("Archive"), twins + messages(4, seed=9, first=900)
                     + twins[:2])]

    def steps_of(self, *sources):
        log = self.path("steps")
        self.reference(*sources, env={"MAILHAUL_FAULT_LOG": log})
        if not os.path.exists(log):
            self.skipTest("the build has no fault points")
        with open(log) as f:
            return [line.split()[1] for line in f.read().splitlines()]

    def crashes_once(self, sources, step, name, what):
        """One crash at this step, and all is as if there had been none."""
        self.start_over()
        result = self.cut_run(*sources, env=fault(step, name))
        what = "%s at step %d (%s): %s" % (name, step, what, result)
        self.assertEqual(result.code, 0, what)
        crashes = [e for e in result.events if e["event"] == "crash"]
        self.assertEqual([(e["signal"], e["in_a_row"]) for e in crashes],
                         [(name, 1)], what)
        self.assertIn("crashed (%s); trying again" % name, result.err)
        self.assertEqual(self.on_server(), self.want, what)
        for count in ("found", "uploaded", "already", "duplicate", "skipped",
                      "failed", "folders"):
            self.assertEqual(getattr(result.summary, count),
                             getattr(self.counts, count), count + what)

    def test_a_crash_at_chosen_steps(self):
        sources = self.sources()
        names = self.steps_of(*sources)
        last = {name: i + 1 for i, name in enumerate(names)}
        steps = range(1, len(names) + 1) if LONG else sorted(last.values())
        print("%d of %d steps: %s" % (len(steps), len(names), sorted(last)))
        self.assertGreater(len(steps), 5)
        for step in steps:
            self.crashes_once(sources, step, "SIGABRT", names[step - 1])

    def test_every_kind_of_crash(self):
        sources = self.sources()
        names = self.steps_of(*sources)
        for name in CRASHES:
            self.crashes_once(sources, len(names) // 2, name, "in the middle")

    def test_it_goes_on_with_its_own_run_only(self):
        """What an earlier run of the program brought is there already, though that run
        was cut off as well."""
        sources = self.sources()
        names = self.steps_of(*sources)
        self.start_over()
        self.cut_run(*sources, env={"MAILHAUL_FAULT": str(len(names) * 2 // 3)})
        before = sum(self.on_server().values())
        self.assertGreater(before, 0)
        result = self.cut_run(*sources, env=fault(1))
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(self.on_server(), self.want)
        self.assertEqual(result.summary.uploaded + result.summary.already,
                         self.counts.uploaded, str(result))
        self.assertLessEqual(result.summary.uploaded,
                             self.counts.uploaded - result.summary.already)
        self.assertGreater(result.summary.already, 0, str(result))

    def test_it_crashes_always(self):
        sources = self.sources()
        names = self.steps_of(*sources)
        self.start_over()
        result = self.cut_run(*sources, env=fault(
            names.index("engine.prepared") + 1, once=False))
        self.assertEqual(result.code, 70, str(result))
        self.assertEqual([e["in_a_row"] for e in result.events
                          if e["event"] == "crash"], list(range(1, IN_A_ROW + 1)))
        error = [e for e in result.events if e["event"] == "error"]
        self.assertEqual([(e["kind"], e["exit"]) for e in error], [("crashed", 70)])
        self.assertEqual(result.summary.found, 0)
        self.assertIn("crashed %d times in a row" % IN_A_ROW,
                      result.err.splitlines()[-1])
        self.finish(*sources, what="after crashes")

    def test_it_crashes_often_but_gets_on(self):
        """The count of crashes begins anew when something was brought."""
        box = maildir(self.path("Maildir"), {
            "" if not n else ".F%02d" % n: 3 for n in range(50)})
        names = self.steps_of(box)
        self.start_over()
        result = self.cut_run(box, env=fault(len(names) // 6, once=False))
        crashes = [e["in_a_row"] for e in result.events if e["event"] == "crash"]
        print("%d steps, crashes: %s" % (len(names), crashes))
        self.assertEqual(result.code, 0, str(result))
        self.assertGreater(len(crashes), 4)
        self.assertEqual(crashes, [1] * len(crashes))
        self.assertEqual(self.on_server(), self.want)
        self.assertEqual(result.summary.uploaded, self.counts.uploaded)

    def test_verify_crashes(self):
        box = maildir(self.path("Maildir"), {"": 6, ".Work": 3})
        self.migrate(box)
        log = self.path("steps")
        argv = ["verify", "--full", *self.options(), self.dovecot.target(self.user)]
        self.assertEqual(self.run_program(
            *argv, env={"MAILHAUL_FAULT_LOG": log}).code, 0)
        if not os.path.exists(log):
            self.skipTest("the build has no fault points")
        with open(log) as f:
            names = [line.split()[1] for line in f.read().splitlines()]
        result = self.run_program(*argv, env=fault(names.index("verify.folder") + 2))
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual([e["signal"] for e in result.events
                          if e["event"] == "crash"], ["SIGABRT"])
        self.assertEqual(result.summary.proved, 9)

    # -- signals, and being killed ---------------------------------------

    def begin(self, box, proxy):
        """A run that is under way: (process, the child's pid)."""
        argv = [self.program, "migrate", "--json", "--plaintext", "--ledger",
                self.ledger, box,
                self.dovecot.target(self.user, "imap", port=proxy.port)]
        process = subprocess.Popen(
            argv, env=environment(self.home, dovecot.PASSWORD),
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True)
        wait_until(lambda: children(process.pid) or process.poll() is not None,
                   "a child")
        self.assertIsNone(process.poll(), "it was too fast")
        return process, children(process.pid)[0]

    def big(self):
        return mbox(self.path("big.mbox"), messages(300, seed=3, size=40_000))

    def stopped(self, send):
        """send(process, child) while messages go out."""
        box = self.big()
        with Proxy(self.dovecot.port) as proxy:
            process, child = self.begin(box, proxy)
            wait_until(lambda: b"APPEND" in proxy.up, "an APPEND")
            send(process, child)
            out, err = process.communicate(timeout=60)
        wait_until(lambda: not is_alive(child), "the child's end")
        self.assertEqual(process.returncode, 130, (out[-500:], err))
        return box, out

    def drained(self, send):
        box, out = self.stopped(send)
        self.assertIn(b'"event":"summary"', out.splitlines()[-1])
        there = sum(self.on_server().values())
        again = self.migrate(box).summary
        self.assertEqual((again.already, again.uploaded), (there, 300 - there))
        self.assertEqual(max(self.on_server().values()), 1)

    def test_a_signal_for_the_parent_alone(self):
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            with self.subTest(name):
                self.start_over()
                self.drained(lambda p, child: p.send_signal(getattr(signal, name)))

    def test_a_signal_for_both(self):
        """As the terminal does it: it counts once."""
        self.drained(lambda p, child: os.killpg(p.pid, signal.SIGINT))

    def test_a_signal_for_the_child_alone(self):
        self.drained(lambda p, child: os.kill(child, signal.SIGTERM))

    def test_asked_again_it_leaves_at_once(self):
        def again_and_again(process, child):
            while process.poll() is None:
                process.send_signal(signal.SIGTERM)
                time.sleep(0.005)
        self.stopped(again_and_again)
        self.migrate(self.big())
        there = self.on_server()
        self.assertEqual((sum(there.values()), max(there.values())), (300, 1))

    def test_the_child_is_killed(self):
        box = self.big()
        with Proxy(self.dovecot.port) as proxy:
            process, child = self.begin(box, proxy)
            wait_until(lambda: b"APPEND" in proxy.up, "an APPEND")
            os.kill(child, signal.SIGKILL)
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.migrate(box)
        self.assertEqual(sum(self.on_server().values()), 300)

    def test_the_parent_is_killed(self):
        """The child goes with it, and the next run need not wait for anybody."""
        box = mbox(self.path("big.mbox"), messages(60, seed=3, size=40_000))
        rng = random.Random(7)
        for i in range(20):
            self.start_over()
            with Proxy(self.dovecot.port) as proxy:
                process, child = self.begin(box, proxy)
                if rng.random() < 0.7:
                    wait_until(lambda: b"APPEND" in proxy.up, "an APPEND")
                process.kill()
                process.wait()
                result = self.migrate(box)
                wait_until(lambda: not is_alive(child), "the child's end")
                process.communicate()
            self.assertEqual(result.summary.found, 60)
            there = self.on_server()
            self.assertEqual((sum(there.values()), max(there.values())), (60, 1), i)

    # -- the rest ----------------------------------------------------------

    def test_wrong_password_is_asked_for_once(self):
        box = maildir(self.path("Maildir"), {"": 2})
        calls = self.path("calls")
        result = self.run_program(
            "migrate", *self.options(), "--password-command",
            "echo x >> '%s'; echo wrong" % calls, box,
            self.dovecot.target(self.user), password=None)
        self.assertEqual(result.code, 77, str(result))
        with open(calls) as f:
            self.assertEqual(f.read(), "x\n")
        self.assertNotIn("crash", result.out + result.err)

    def test_the_terminal_is_asked_once(self):
        box = maildir(self.path("Maildir"), {"": 8})
        names = self.steps_of(box)
        self.start_over()
        env = environment(self.home, **fault(names.index("engine.prepared") + 1))
        argv = [self.program, "migrate", *self.options()[1:], box,
                self.dovecot.target(self.user)]
        try:
            pid, fd = pty.fork()
        except OSError as e:
            raise unittest.SkipTest("no terminal to be had: %s" % e)
        if pid == 0:
            os.execve(self.program, argv, env)
        said, answered, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            said += data
            if not answered and b"Password for" in said:
                os.write(fd, dovecot.PASSWORD.encode() + b"\n")
                answered = True
        os.close(fd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count(b"Password for"), 1, said)
        self.assertEqual(said.count(b"crashed (SIGABRT)"), 1, said)
        self.assertNotIn(dovecot.PASSWORD.encode(), said)
        self.assertEqual(sum(self.on_server().values()), 8)

    def test_no_process_to_be_had(self):
        limiter = shutil.which("prlimit")
        if not limiter or os.geteuid() != 0:
            self.skipTest("needs prlimit and root")
        os.chmod(self.folder, 0o777)
        box = maildir(self.path("Maildir"), {"": 5})
        for path, folders, files in os.walk(box):
            for name in folders + files:
                os.chmod(os.path.join(path, name), 0o755)
        os.chmod(box, 0o755)
        os.chmod(self.home, 0o777)
        result = self.run_program(
            "migrate", *self.options(), box, self.dovecot.target(self.user),
            wrapper=[limiter, "--nproc=0:0"], user="nobody")
        self.assertEqual(result.code, 0, str(result))
        self.assertIn("no process of its own", result.err)
        self.assertEqual(sum(self.on_server().values()), 5)


if __name__ == "__main__":
    main()
