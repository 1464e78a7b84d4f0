# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: of the day, of the mailbox, of one message, of the server's patience. What does
not go today goes another day, and what never goes is named; nothing of it costs the rest
of the mail anything."""
import collections
import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

import dovecot
from harness import Case, environment, main
from makemail import maildir_folder, mbox, messages
from proxy import Proxy
from scripted import say, silence
from scripted_case import ScriptedCase

USAGE, LATER, QUOTA, SOME_LEFT, UNREACHABLE = 64, 75, 79, 1, 69
KIB, MIB = 1 << 10, 1 << 20


def sized(n, size, seed=5):
    """n messages of about size bytes each, with LF."""
    rng, mails = random.Random(seed), []
    for i, head in enumerate(messages(n, seed=seed, size=200)):
        lines = [b"%060x\n" % rng.getrandbits(240)
                 for _ in range((size - len(head)) // 61)]
        mails.append(head + b"".join(lines))
    return mails


def with_sizes(path):
    """Rename the mails of a Maildir so that their names tell their sizes."""
    cur = os.path.join(path, "cur")
    for name in os.listdir(cur):
        base, _, flags = name.partition(":")
        size = os.path.getsize(os.path.join(cur, name))
        os.rename(os.path.join(cur, name),
                  os.path.join(cur, "%s,S=%d:%s" % (base, size, flags)))
    return path


def wire_size(mails):
    return sum(len(m) + m.count(b"\n") for m in mails)


def of(result, event):
    return [e for e in result.events if e["event"] == event]


class DailyLimit(ScriptedCase):
    N, SIZE = 30, 100 * KIB

    def setUp(self):
        super().setUp()
        self.serve()
        self.box = self.path("Maildir")
        self.mails = sized(self.N, self.SIZE)
        maildir_folder(self.box, self.mails)

    def age(self, hours=25):
        """As if everything had been sent so long ago."""
        with sqlite3.connect(self.ledger) as db:
            db.execute("UPDATE traffic SET hour = hour - ?", (hours * 3600,))
        db.close()

    def traffic(self):
        db = sqlite3.connect(self.ledger)
        (n,) = db.execute("SELECT coalesce(sum(bytes), 0) FROM traffic").fetchone()
        db.close()
        return n

    def there(self):
        return sum(self.on_server().values())

    def test_stops_and_goes_on_when_the_day_is_over(self):
        result = self.migrate("--daily-limit", "1M", self.box, want=LATER)
        sent = self.there()
        summary = result.summary    # found is the sum of its parts
        self.assertEqual(summary.uploaded, sent)
        self.assertGreaterEqual(summary.failed, 1)
        self.assertEqual(sent, MIB // (wire_size(self.mails) // self.N))
        self.assertLessEqual(sum(map(len, self.raws())), MIB)
        self.assertEqual(self.traffic(), sum(map(len, self.raws())))

        (error,) = of(result, "error")
        self.assertEqual((error["kind"], error["exit"]), ("busy", LATER))
        wait = error["retry_after_seconds"]
        self.assertTrue(24 * 3600 < wait <= 25 * 3600, wait)
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + wait))
        self.assertIn("daily limit of 1024 KiB", error["text"])
        self.assertIn(when[:10], error["text"])
        self.assertOneLine(result.err, error["text"])

        again = self.migrate("--daily-limit", "1M", self.box, want=LATER)
        self.assertEqual(again.summary.uploaded, 0)
        self.assertEqual(self.there(), sent)
        for n in (2 * sent, 3 * sent):
            self.age()
            want = 0 if n >= self.N else LATER
            result = self.migrate("--daily-limit", "1M", self.box, want=want)
            self.assertEqual(self.there(), min(n, self.N))
        last = self.migrate("--daily-limit", "1M", self.box).summary
        self.assertEqual((last.uploaded, last.already), (0, self.N))
        self.assertEqual(collections.Counter(self.raws()), collections.Counter(
            m.replace(b"\n", b"\r\n") for m in self.mails))

    def test_sizes(self):
        for size in ("0", "-1", "", "M", "2X", "2MM", "1.5M", "12 M", "99999999999999T",
                     "18446744073709551616"):
            with self.subTest(size):
                result = self.migrate("--daily-limit", size, self.box, want=USAGE)
                self.assertIn("daily-limit", result.err)
        self.assertEqual(self.scripted.sessions, [])
        for size in ("2g", "2048MiB", "9MB", "900000000"):
            with self.subTest(size):
                self.ledger = self.path("ledger-%s.db" % size)
                self.user = self.new_user()
                self.migrate("--daily-limit", size, self.box)

    def test_one_larger_than_the_day(self):
        result = self.migrate("--daily-limit", "10K", self.box, want=LATER)
        self.assertEqual((self.there(), result.summary.uploaded), (1, 1))
        self.age()
        self.migrate("--daily-limit", "10K", self.box, want=LATER)
        self.assertEqual(self.there(), 2)

    def test_text_names_the_time(self):
        result = self.run_program("migrate", "--ledger", self.ledger, "--plaintext",
                                  "--daily-limit", "1M", self.box,
                                  self.scripted.target(self.user))
        self.assertEqual(result.code, LATER, str(result))
        self.assertRegex(result.err, r"(?m)^mailhaul: the daily limit of 1024 KiB .* run "
                         r"it again after \d{4}-\d\d-\d\d \d\d:\d\d")
        self.assertIn("%d uploaded" % self.there(), result.out)

    def test_killed_in_the_middle(self):
        """What was intended before the kill counts for the rest of the day."""
        with Proxy(self.scripted.port, rate_up=MIB) as proxy:
            seen = proxy.watch_up(500 * KIB)
            child = subprocess.Popen(
                [self.program, "migrate", "--json", "--ledger", self.ledger,
                 "--plaintext", "--daily-limit", "1M", self.box,
                 "imap://%s@127.0.0.1:%d" % (self.user, proxy.port)],
                env=environment(self.home, dovecot.PASSWORD), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            self.assertTrue(seen.wait(60))
            child.send_signal(signal.SIGKILL)
            child.wait()
        result = self.migrate("--daily-limit", "1M", self.box, want=LATER)
        self.assertLessEqual(sum(map(len, self.raws())), MIB)
        self.assertLessEqual(max(self.on_server().values(), default=0), 1, str(result))
        while self.there() < self.N:
            before = self.there()
            self.age()
            result = self.migrate("--daily-limit", "1M", self.box, want=None)
            self.assertGreater(self.there(), before, str(result))
        self.assertEqual(result.code, 0)
        self.assertEqual(max(self.on_server().values()), 1)


class Quota(Case):
    """A real Dovecot whose mailboxes hold 300 KiB."""
    server = {"quota_kib": 300}

    def quota_event(self, result):
        kinds = [e["event"] for e in result.events]
        self.assertEqual(kinds.count("quota"), 1, str(result))
        first_folder = kinds.index("folder") if "folder" in kinds else len(kinds)
        self.assertLess(kinds.index("quota"), first_folder)
        return of(result, "quota")[0]

    def test_fits(self):
        maildir_folder(self.path("box"), sized(5, 20 * KIB))
        event = self.quota_event(self.migrate(with_sizes(self.path("box"))))
        self.assertTrue(event["fits"])
        self.assertEqual((event["bytes_used"], event["bytes_limit"]), (0, 300 * KIB))
        self.assertGreaterEqual(event["bytes_to_come"], 5 * 19 * KIB)

    def test_full(self):
        maildir_folder(self.path("box"), sized(30, 20 * KIB))
        result = self.migrate(with_sizes(self.path("box")), want=QUOTA)
        self.assertFalse(self.quota_event(result)["fits"])
        summary, there = result.summary, sum(self.on_server().values())
        self.assertEqual(summary.uploaded, there)
        self.assertEqual(of(result, "error")[-1]["kind"], "quota")
        self.assertIn("uota", result.err)

    def test_sizes_that_no_name_tells(self):
        """Then nothing is said of what is to come."""
        maildir_folder(self.path("box"), sized(30, 20 * KIB))
        result = self.migrate(self.path("box"), want=QUOTA)
        self.assertNotIn("fits", self.quota_event(result))
        self.assertGreater(self.quota_event(result)["bytes_limit"], 0)

    def test_mbox(self):
        mbox(self.path("Old"), sized(30, 20 * KIB))
        result = self.migrate(self.path("Old"), want=QUOTA)
        self.assertFalse(self.quota_event(result)["fits"])

    def test_larger_than_the_mailbox(self):
        mails = sized(6, 5 * KIB)
        mails[2] = sized(1, 400 * KIB, seed=8)[0]
        maildir_folder(self.path("box"), mails)
        result = self.migrate(self.path("box"), want=SOME_LEFT)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (5, 1))
        (failed,) = [e for e in of(result, "message") if e["state"] == "failed"]
        self.assertIn("more than the mailbox holds", failed["reason"])
        self.assertEqual(sum(self.on_server().values()), 5)


class Sizes(ScriptedCase):
    def setUp(self):
        super().setUp()
        self.mails = sized(8, 3 * KIB)
        for place in (1, 4):
            self.mails[place] = sized(1, 60 * KIB, seed=20 + place)[0]
        maildir_folder(self.path("box"), self.mails)
        with_sizes(self.path("box"))
        self.small = collections.Counter(
            m.replace(b"\n", b"\r\n") for m in self.mails if len(m) < 10 * KIB)

    def two_are_left(self, result, *words):
        self.assertEqual((result.summary.uploaded, result.summary.failed), (6, 2))
        for event in of(result, "message"):
            self.assertEqual(event["state"], "failed")
            for word in words:
                self.assertIn(word, event["reason"])
        self.assertEqual(len(of(result, "message")), 2)
        self.assertEqual(collections.Counter(self.raws()), self.small)

    def test_appendlimit(self):
        self.serve("MULTIAPPEND LITERAL+ UIDPLUS APPENDLIMIT=20000")
        with Proxy(self.scripted.port) as proxy:
            result = self.migrate(self.path("box"), want=SOME_LEFT, port=proxy.port)
            self.assertLess(proxy.bytes_up, 50 * KIB)  # not even tried
        self.two_are_left(result, "more than the server takes", "20000")
        again = self.migrate(self.path("box"), want=SOME_LEFT)
        self.assertEqual((again.summary.already, again.summary.failed), (6, 2))
        listed = self.run_program("status", "--missing", "--ledger", self.ledger)
        self.assertEqual(listed.out.count("more than the server takes"), 2, str(listed))

    def test_quota_of_a_scripted_server(self):
        self.serve("MULTIAPPEND LITERAL+ UIDPLUS QUOTA", quota_kib=40)
        result = self.migrate(self.path("box"), want=SOME_LEFT)
        self.two_are_left(result, "more than the mailbox holds", str(40 * KIB))
        (event,) = of(result, "quota")
        self.assertFalse(event["fits"])
        quota = next(i for i, line in enumerate(self.scripted.sessions[0].said)
                     if "GETQUOTAROOT" in line)
        append = next(i for i, line in enumerate(self.scripted.sessions[0].said)
                      if " APPEND " in line)
        self.assertLess(quota, append)

    def test_over_quota(self):
        self.serve("MULTIAPPEND LITERAL+ UIDPLUS QUOTA", quota_kib=70)
        result = self.migrate(self.path("box"), want=QUOTA)
        self.assertFalse(of(result, "quota")[0]["fits"])
        self.assertEqual(result.summary.uploaded, len(self.raws()))
        self.scripted.quota_kib = 1000
        result = self.migrate(self.path("box"))
        self.assertEqual(result.summary.uploaded + result.summary.already, 8)
        self.assertEqual(sorted(self.raws()), sorted(
            m.replace(b"\n", b"\r\n") for m in self.mails))


class Presets(ScriptedCase):
    def setUp(self):
        super().setUp()
        maildir_folder(self.path("box"), messages(3))

    def test_unknown_names_are_listed(self):
        self.serve()
        result = self.migrate("--preset", "hotmale", self.path("box"), want=USAGE)
        self.assertOneLine(result.err, "--preset hotmale", "gmail", "microsoft365",
                           "cyrus", "none")
        self.assertEqual(self.scripted.sessions, [])

    def test_by_name(self):
        """What is known of Gmail says how large a message may be, and how much a day."""
        self.serve()
        self.migrate("--preset", "gmail", self.path("box"))
        db = sqlite3.connect(self.ledger)
        (counted,) = db.execute("SELECT sum(bytes) FROM traffic").fetchone()
        db.close()
        self.assertEqual(counted, sum(map(len, self.raws())))

    def test_none(self):
        self.serve("MULTIAPPEND LITERAL+ UIDPLUS ID",
                   id='("name" "Cyrus IMAPD" "version" "3.6.1")')
        result = self.migrate(self.path("box"))
        self.assertEqual([e["server"] for e in of(result, "server")], ["Cyrus"])
        self.user, self.ledger = self.new_user(), self.path("none.db")
        result = self.migrate("--preset", "none", self.path("box"))
        self.assertEqual(of(result, "server"), [])


class Throttled(ScriptedCase):
    EXCHANGE = ("{tag} NO Request is throttled. Suggested Backoff Time: %d "
                "milliseconds")

    def setUp(self):
        super().setUp()
        self.box = self.path("box")
        maildir_folder(self.box, messages(12))

    def test_waits_as_long_as_it_is_told(self):
        for offers in ("MULTIAPPEND LITERAL+ UIDPLUS", "UIDPLUS", "MULTIAPPEND UIDPLUS"):
            with self.subTest(offers):
                self.user = self.new_user()
                self.ledger = self.path("%s.db" % self.user)
                server, times = self.serve(offers), []

                def note(session, command):
                    times.append((time.monotonic(), command.said))
                    return False

                server.on("APPEND", note)
                rule = server.on("APPEND", say(self.EXCHANGE % 1200), times=1)
                result = self.migrate("-j", "1", self.box)
                self.assertEqual(rule.fired, 1)
                (wait,) = of(result, "wait")
                self.assertGreaterEqual(wait["milliseconds"], 1200)
                first, said = times[0]
                after = [(at, line) for at, line in times[1:] if at - first >= 1.2]
                self.assertEqual(after[0][1].split(" ", 1)[1], said.split(" ", 1)[1])
                self.assertEqual(len(server.sessions), 1)
                self.assertEqual(len(self.commands("LOGIN")), 1)
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (12, 0))
                self.assertEqual(max(self.on_server().values()), 1)
                self.assertEqual(sum(self.on_server().values()), 12)

    def test_no_end_of_it(self):
        server = self.serve()
        rule = server.on("APPEND", say(self.EXCHANGE % 50))
        result = self.migrate(self.box, want=LATER)
        self.assertGreater(rule.fired, 30)
        self.assertLess(rule.fired, 45)
        self.assertEqual(self.raws(), [])
        server.honest()
        self.assertEqual(self.migrate(self.box).summary.uploaded, 12)

    def test_what_was_not_taken_is_not_counted(self):
        """Refused for now is not sent: the day's budget is not used up by it."""
        server = self.serve()
        server.on("APPEND", say(self.EXCHANGE % 20), times=5)
        limit = 3 * wire_size(messages(12))
        result = self.migrate("--daily-limit", "%d" % limit, self.box)
        self.assertEqual(result.summary.uploaded, 12)

    def test_gmail_slows_down(self):
        server = self.serve("LITERAL+ UIDPLUS")
        server.rewrite(rb"(APPENDUID[^\r]*)$", rb"\1 [THROTTLED]", times=2)
        result = self.migrate("-j", "1", self.box)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (12, 0))
        self.assertEqual(sum(self.on_server().values()), 12)
        self.assertEqual(len(self.scripted.sessions), 1)


class Timeout(ScriptedCase):
    def test_bad_values(self):
        self.serve()
        maildir_folder(self.path("box"), messages(1))
        for value in ("0", "-5", "x", "", "1e3", "99999999999"):
            with self.subTest(value):
                self.migrate("--timeout", value, self.path("box"), want=USAGE)

    def test_a_silent_server_is_given_up(self):
        server = self.serve()
        maildir_folder(self.path("box"), messages(5))
        server.on("APPEND", silence, times=1)
        result = self.migrate("--timeout", "1", self.path("box"))
        self.assertEqual(len(server.sessions), 2)
        self.assertEqual(result.summary.uploaded, 5)
        self.assertEqual(sum(self.on_server().values()), 5)


if __name__ == "__main__":
    main()
