# SPDX-License-Identifier: GPL-3.0-or-later
"""Several connections, and compression when it pays: the mailbox is the same whatever way
the mail takes, and what a server does not allow is done without."""
import os
import random
import subprocess
import unittest

import dovecot
from harness import LONG, Case, environment, main
from makemail import maildir, maildir_folder, messages, write
from proxy import Proxy
from scripted import hang_up, say
from scripted_case import ScriptedCase

KIB = 1 << 10
HIDE = {"everything": (), "no MULTIAPPEND": ("MULTIAPPEND",),
        "no LITERAL+": ("LITERAL+", "LITERAL-"),
        "neither": ("MULTIAPPEND", "LITERAL+", "LITERAL-")}
SMALL_MEMORY = 64 << 20


def large(number, size=30 * KIB):
    rng = random.Random(number)
    return messages(1, seed=number, first=number)[0] + b"".join(
        b"%060x\n" % rng.getrandbits(240) for _ in range(size // 61))


def of(result, event):
    return [e for e in result.events if e["event"] == event]


class ConnectionCase(Case):
    def through(self, proxy, *args, **how):
        return self.migrate("--plaintext", *args, to=self.dovecot.target(
            self.user, "imap", port=proxy.port), **how)

    def fresh(self):
        self.user = self.new_user()
        self.ledger = self.path(self.user + ".db")

    def reference(self, box):
        """What one connection makes of it."""
        self.fresh()
        self.migrate("-j", "1", box)
        return self.on_server()

    def exact(self, box, want):
        self.assertEqual(self.on_server(), want)
        again = self.migrate("-j", "4", box).summary
        self.assertEqual((again.uploaded, again.already), (0, sum(want.values())))


class Several(ConnectionCase):
    server = {}

    def make(self, folders, n):
        box = self.path("box%d" % folders)
        for f in range(folders):
            path = os.path.join(box, ".F%d" % f) if f else box
            maildir_folder(path, [large(f * 1000 + i) for i in range(n)])
        return box

    def several(self, box):
        want = self.reference(box)
        for name, hide in HIDE.items():
            with self.subTest(name):
                self.fresh()
                with Proxy(self.dovecot.port, hide=hide, listen_in=False,
                           delay=0.01, rate_up=3 << 20) as proxy:
                    result = self.through(proxy, "-j", "4", "--compress", "off", box)
                self.assertEqual(result.summary.failed, 0)
                if name == "neither":   # a round trip a message: it must pay
                    self.assertGreater(proxy.connections, 1)
                self.assertLessEqual(proxy.connections, 4)
                self.assertEqual(proxy.strange, 0)
                self.exact(box, want)

    def test_one_folder(self):
        self.several(self.make(1, 150))

    def test_five_folders(self):
        self.several(self.make(5, 25))

    def test_all_of_them_are_compressed(self):
        box = self.make(1, 200)
        self.fresh()
        with Proxy(self.dovecot.port, hide=HIDE["neither"], delay=0.01) as proxy:
            result = self.through(proxy, "-j", "4", "--compress", "on", box)
            said = bytes(proxy.up)
        self.assertEqual(result.summary.uploaded, 200)
        self.assertGreater(proxy.connections, 1)
        self.assertEqual(said.count(b"COMPRESS DEFLATE\r\n"), proxy.connections)
        self.assertLess(len(said), result.summary.bytes_read * 0.8)

    def test_little_mail_takes_one(self):
        box = maildir(self.path("little"), {"": 20, ".Work": 10})
        for name, hide in HIDE.items():
            with self.subTest(name):
                self.fresh()
                with Proxy(self.dovecot.port, hide=hide) as proxy:
                    result = self.through(proxy, "-j", "4", box)
                self.assertEqual(result.summary.uploaded, 30)
                self.assertEqual(proxy.connections, 1)

    def test_one_of_them_is_cut(self):
        box = self.make(2, 60 if not LONG else 120)
        want = self.reference(box)
        for name, hide in HIDE.items():
            for cut in ((1_500_000,), (2_500_000, 5_000_000)):
                with self.subTest(name, cut=cut):
                    self.fresh()
                    with Proxy(self.dovecot.port, hide=hide, listen_in=False,
                               delay=0.01, rate_up=6 << 20,
                               cut_after_up=list(cut)) as proxy:
                        result = self.through(proxy, "-j", "4", "--compress", "off",
                                              box)
                    self.assertEqual(proxy.cuts, len(cut))
                    self.assertEqual(result.summary.uploaded, sum(want.values()))
                    self.exact(box, want)
                if not LONG:
                    break


    def test_killed(self):
        """With mail under way on several connections."""
        box = self.make(2, 60)
        want = self.reference(box)
        for name in HIDE if LONG else ("everything", "neither"):
            hide = HIDE[name]
            with self.subTest(name):
                self.fresh()
                with Proxy(self.dovecot.port, hide=hide, listen_in=False,
                           delay=0.01, rate_up=4 << 20) as proxy:
                    seen = proxy.watch_up(2 << 20)
                    child = subprocess.Popen(
                        [self.program, "migrate", *self.options(), "--plaintext",
                         "-j", "4", box, self.dovecot.target(self.user, "imap",
                                                             port=proxy.port)],
                        env=environment(self.home, dovecot.PASSWORD), cwd=self.folder,
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
                    self.assertTrue(seen.wait(60))
                    child.kill()
                    self.assertEqual(child.wait(), -9)
                self.migrate("-j", "4", box)
                self.exact(box, want)


class Few(ConnectionCase):
    """A Dovecot that takes two connections of a user."""
    server = {"extra": "mail_max_userip_connections = 2\n"}

    def test_goes_on_with_what_it_gets(self):
        box = self.path("box")
        maildir_folder(box, [large(i) for i in range(200)])
        with Proxy(self.dovecot.port, hide=("MULTIAPPEND", "LITERAL+", "LITERAL-"),
                   listen_in=False, delay=0.01) as proxy:
            result = self.through(proxy, "-j", "4", box)
        self.assertEqual(result.summary.uploaded, 200)
        self.assertEqual(of(result, "wait"), [])
        # Two, and at most one try at a third.
        self.assertGreaterEqual(proxy.connections, 2)
        self.assertLessEqual(proxy.connections, 3)
        self.assertEqual(sum(self.on_server().values()), 200)
        self.assertEqual(max(self.on_server().values()), 1)


class OneOnly(ScriptedCase):
    def test_the_second_is_refused(self):
        box = self.path("box")
        maildir_folder(box, [large(i) for i in range(160)])
        words = "Too many simultaneous connections"
        rows = {"NO": ("LOGIN", say("{tag} NO [ALERT] %s. (Failure)" % words)),
                "BYE": ("LOGIN", hang_up("* BYE %s" % words)),
                "LIMIT": ("LOGIN", say("{tag} NO [LIMIT] %s" % words)),
                "greeting": ("GREETING", hang_up("* BYE %s" % words)),
                "gone": ("GREETING", hang_up())}
        for name in rows if LONG else ("NO", "BYE", "greeting"):
            where, hook = rows[name]
            with self.subTest(name):
                self.user = self.new_user()
                self.ledger = self.path(name + ".db")
                server = self.serve("UIDPLUS")

                def second(session, command, hook=hook):
                    return session.number > 1 and hook(session, command)

                server.on(where, second)
                with Proxy(self.scripted.port, delay=0.01, listen_in=False) as proxy:
                    result = self.migrate("-j", "4", box, port=proxy.port)
                self.assertEqual(len(server.sessions), 2)
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (160, 0))
                self.assertEqual(of(result, "wait"), [])
                self.assertEqual(sum(self.on_server().values()), 160)
                self.assertEqual(max(self.on_server().values()), 1)


class Compression(ConnectionCase):
    server = {}
    # Slow enough for what the sanitizers leave of zlib.
    SLOW = 768 * KIB

    def run_with(self, when, n=120, rate=None):
        box = self.path("box%d" % n)
        if not os.path.exists(box):
            maildir_folder(box, [large(i) for i in range(n)])
        self.fresh()
        with Proxy(self.dovecot.port, rate_up=rate) as proxy:
            result = self.through(proxy, "-j", "1", "--compress", when, "-v", box)
            said = bytes(proxy.up)
        self.assertEqual(result.summary.uploaded, n)
        self.assertEqual(sum(self.on_server().values()), n)
        self.assertEqual(max(self.on_server().values()), 1)
        return result, said

    def switched_on(self, n, rate):
        result, said = self.run_with("auto", n, rate)
        self.assertTrue(b"COMPRESS DEFLATE\r\n" in said, str(result))
        self.assertLess(len(said), result.summary.bytes_read * 0.95)

    def test_slow_line(self):
        self.switched_on(260, self.SLOW)

    @unittest.skipUnless(LONG, "half a minute")
    def test_slow_line_little_mail(self):
        self.switched_on(120, 128 * KIB)

    def test_fast_line(self):
        _, off = self.run_with("off")
        self.assertNotIn(b"COMPRESS", off)
        _, auto = self.run_with("auto")
        self.assertNotIn(b"COMPRESS", auto)
        _, on = self.run_with("on")
        self.assertIn(b"COMPRESS DEFLATE\r\n", on)
        self.assertLess(len(on), len(auto) * 0.7)


class CompressionRefused(ScriptedCase):
    def refused(self, when, n, rate):
        box = self.path("Maildir")
        maildir_folder(box, [large(i) for i in range(n)])
        server = self.serve("MULTIAPPEND LITERAL+ UIDPLUS COMPRESS=DEFLATE")
        server.on("COMPRESS", say("{tag} NO not today"))
        with Proxy(server.port, rate_up=rate, listen_in=False) as proxy:
            result = self.migrate("-j", "1", "--compress", when, box, port=proxy.port)
        self.assertEqual(len(self.commands("COMPRESS")), 1)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (n, 0))
        self.assertEqual(sum(self.on_server().values()), n)
        self.assertEqual(max(self.on_server().values()), 1)
        self.assertEqual(len(server.sessions), 1)

    def test_from_the_start(self):
        self.refused("on", 30, None)

    def test_in_the_middle(self):
        self.refused("auto", 260, Compression.SLOW)

    def test_taken(self):
        box = maildir(self.path("Maildir"), {"": 50}, size=8000)
        self.serve("MULTIAPPEND LITERAL+ UIDPLUS COMPRESS=DEFLATE")
        result = self.migrate("--compress", "on", box)
        self.assertEqual(result.summary.uploaded, 50)
        self.assertEqual(max(self.on_server().values()), 1)


class Memory(ConnectionCase):
    server = {}

    def test_one_of_200_mib(self):
        size = (200 if LONG else 60) << 20
        box = maildir(self.path("Maildir"), {"": 10})
        line = b"%060x\n" % random.Random(1).getrandbits(240)
        write(os.path.join(box, "cur", "1600009999.big.host:2,S"),
              messages(1, seed=77, first=77)[0] + line * (size // len(line)))
        want_peak = self.migrate("--compress", "off", self.small()).summary.rss_peak_bytes
        for options in (("--compress", "off"), ("--compress", "on"), ("-j", "4")):
            with self.subTest(options):
                self.fresh()
                summary = self.migrate(*options, box).summary
                self.assertEqual(summary.uploaded, 11)
                print("peak %d MiB, of a small run %d MiB"
                      % (summary.rss_peak_bytes >> 20, want_peak >> 20))
                # Not the message's size: what is above a small run is bounded.
                self.assertLess(summary.rss_peak_bytes - want_peak, SMALL_MEMORY)
                self.assertEqual(sum(self.on_server().values()), 11)

    def small(self):
        return maildir(self.path("small"), {"": 3})


if __name__ == "__main__":
    main()
