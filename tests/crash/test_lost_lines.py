# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that break at any byte: the run goes on by itself or
the next one makes up for it."""
import random

from crashing import CrashCase
from harness import LONG, main
from makemail import maildir
from proxy import Proxy


class LostLines(CrashCase):
    def cut_connections(self, direction):
        box = maildir(self.path("Maildir"), {"": 60, ".Work": 40}, size=3000)
        self.reference(box)
        with Proxy(self.dovecot.port) as proxy:
            self.start_over()
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            self.cut_run("--plaintext", box, to=to)
            whole = getattr(proxy, "bytes_" + direction)
        self.assertGreater(whole, 1000)
        seed = random.SystemRandom().randrange(1 << 32)
        print("seed %d, %d bytes %s" % (seed, whole, direction))
        rng = random.Random(seed)
        for _ in range(25 if LONG else 4):
            at = rng.randrange(whole)
            self.start_over()
            with Proxy(self.dovecot.port,
                       **{"cut_after_" + direction: at}) as proxy:
                to = self.dovecot.target(self.user, "imap", port=proxy.port)
                result = self.cut_run("--plaintext", box, to=to)
                self.assertEqual(proxy.cuts, 1)
                sending = b"APPEND" in proxy.up
            self.assertIn(result.code, (0, 69, 75), str(result))
            if sending:
                # Once it was at work, one broken line is no reason to give up.
                self.assertEqual(result.code, 0, "%d: %s" % (at, result))
            self.finish(box, what="seed %d, cut after %d bytes" % (seed, at))

    def test_cut_while_sending(self):
        self.cut_connections("up")

    def test_cut_while_answering(self):
        self.cut_connections("down")

    def test_the_answer_to_the_last_batch_is_lost(self):
        """Stored, but nobody heard of it: the case that makes duplicates."""
        box = maildir(self.path("Maildir"), {"": 20})
        self.reference(box)
        with Proxy(self.dovecot.port) as proxy:
            self.start_over()
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            self.cut_run("--plaintext", box, to=to)
            said = bytes(proxy.up)
        # Everything up to the end of the last APPEND passes, and no answer.
        last = said.rfind(b"LOGOUT")
        last = last if last > 0 else len(said)
        for at in (last - 40, last - 12, last - 1):
            self.start_over()
            with Proxy(self.dovecot.port, cut_after_up=at) as proxy:
                to = self.dovecot.target(self.user, "imap", port=proxy.port)
                self.cut_run("--plaintext", box, to=to)
            self.finish(box, what="cut %d bytes before the end" % (last - at))


if __name__ == "__main__":
    main()
