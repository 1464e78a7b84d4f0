# SPDX-License-Identifier: GPL-3.0-or-later
"""The server has stored a message and its answer is lost: the case that makes duplicates,
here with mail that servers change as they store it. It must be known again by what has
become of it, not by what was sent."""
import random
import unittest

import dovecot
import oddmail
import servers
from crashing import CrashCase
from harness import LONG, main
from makemail import maildir_folder
from proxy import Proxy

# Kinds that some server changes or refuses, and one that none does.
CHANGED = (oddmail.plain, oddmail.nul, oddmail.lone_cr, oddmail.cr_cr_lf,
           oddmail.no_last_eol, oddmail.header_only, oddmail.shift_jis_header,
           oddmail.utf_8_header, oddmail.no_field)


def without_id(kind):
    """The same without a Message-ID: then only the size says where to look, and a server
    that changes a message may change that."""
    def make(n, rng):
        return b"".join(line for line in kind(n, rng).splitlines(True)
                        if not line.lower().startswith(b"message-id:"))
    make.__name__ = kind.__name__ + "_without_id"
    return make


CHANGED += tuple(map(without_id, (oddmail.lone_cr, oddmail.cr_cr_lf, oddmail.no_last_eol)))


class LostAnswers:
    make = None
    server = None
    refused = ()         # kinds that never arrive
    # Kinds that are sent again, for nothing tells them from other mail.
    doubled = ()

    @classmethod
    def setUpClass(cls):
        why = cls.make.missing()
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()
        cls.dovecot = cls.make().start()

    def test_the_answer_is_lost(self):
        """One message of each kind, each for itself, in a mailbox of its own."""
        rng = random.Random(5)
        found = {0: set(), 2: set()}
        for n, kind in enumerate((*oddmail.KINDS, *CHANGED[-3:]) if LONG
                                 else CHANGED):
            self.start_over()
            box = self.path(self.user)
            maildir_folder(box, [kind(n, rng)], flags=("S",))
            with Proxy(self.dovecot.port, drop_appends=[1]) as proxy:
                to = self.dovecot.target(self.user, "imap", port=proxy.port)
                self.finish(box, to)
            there = len(self.mails())
            if there != 1:
                found.setdefault(there, set()).add(kind.__name__)
        self.assertEqual(found, {0: set(self.refused), 2: set(self.doubled)})

    def finish(self, box, to):
        for _ in range(3):
            result = self.cut_run("--plaintext", box, to=to)
            if result.code not in (69, 75):
                break
        self.assertIn(result.code, (0, 1), str(result))
        again = self.cut_run("--plaintext", box,
                             to=self.dovecot.target(self.user, "imap"))
        self.assertEqual(again.summary.uploaded, 0, str(again))


class Dovecot(dovecot.Dovecot):
    missing = staticmethod(dovecot.missing)


class OnDovecot(LostAnswers, CrashCase):
    make = Dovecot


class OnCyrus(LostAnswers, CrashCase):
    make = servers.Cyrus
    refused = ("no_field",)


class OnCourier(LostAnswers, CrashCase):
    make = servers.Courier
    refused = ("nul",)
    # It drops the CR, and core/adopt.c does not know that form.


class OnMailutils(LostAnswers, CrashCase):
    make = servers.Mailutils
    refused = ("nul",)


if __name__ == "__main__":
    main()
