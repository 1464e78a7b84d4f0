# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills of mailhaul, kills of the server, cut connections and lost answers, against
servers that can less than Dovecot can: nothing is lost, doubled or altered. A few of
each on Dovecot; with MAILHAUL_LONG the numbers of sweep.KINDS on every server that can
be had here."""
import random
import unittest

import dovecot
import sweep
from harness import LONG, mailhaul_path, main

FEW = {"kill": 3, "cut": 2, "drop": 2, "server": 1}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = mailhaul_path()
        cls.made = sweep.servers()
        if not cls.made:
            raise unittest.SkipTest(dovecot.missing() or "no server is here")

    def disturb(self, variant):
        seed = random.SystemRandom().randrange(1 << 32)
        names = list(self.made) if LONG else list(self.made)[:1]
        for name in names:
            with self.made[name]() as server:
                undisturbed = None
                for kind, few in FEW.items():
                    n = sweep.KINDS[kind][0] if LONG else few
                    outcome = sweep.disturb(
                        server, variant, kind, n, seed, self.program,
                        300 if LONG else 120, name, undisturbed=undisturbed)
                    undisturbed = outcome.undisturbed
                    print("%s  seed %d" % (outcome, seed))
                    with self.subTest(server=name, kind=kind):
                        self.assertEqual(outcome.problems, [])
                        self.assertGreaterEqual(outcome.disturbances, n)

    def test_all_capabilities(self):
        self.disturb("all")

    def test_without_uidplus(self):
        self.disturb("no-uidplus")

    def test_without_multiappend(self):
        self.disturb("no-multiappend")

    def test_without_literal_plus(self):
        self.disturb("no-literal+")

    def test_without_any_of_them(self):
        self.disturb("none")


class Compare(unittest.TestCase):
    """The judge is judged first."""

    CASES = [
        ("the same", "a a b", "a a b", (0, 0, 0)),
        ("one is missing", "a a b", "a b", (1, 0, 0)),
        ("one is there twice", "a b", "a b b", (0, 1, 0)),
        ("other bytes", "a b", "a x", (0, 0, 1)),
        ("other flags", "a b", "a b/F", (0, 0, 1)),
        ("one missing, another twice", "a b", "b b", (1, 1, 0)),
        ("nothing is there", "a b", "", (2, 0, 0)),
        ("something new", "a", "a x", (0, 0, 1)),
        ("twice, once with other flags", "a", "a a/F", (0, 1, 0)),
    ]

    def test_it_counts(self):
        for what, want, there, counts in self.CASES:
            sets = [sweep.collections.Counter(
                ("INBOX", mail[0], mail[1:], 0) for mail in mails.split())
                for mails in (want, there)]
            self.assertEqual(sweep.compare(*sets), counts, what)


if __name__ == "__main__":
    main()
