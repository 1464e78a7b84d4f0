# SPDX-License-Identifier: GPL-3.0-or-later
"""An mbox that grew is read from its old end on; one that was compacted, or written
anew, is read again and what is there is recognised."""
import random

from harness import Case, main
from makemail import mbox, message, messages, write
from proxy import Proxy


class Growth(Case):
    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.box = mbox(self.path("old"), messages(40))
        self.size = len(self.raw())
        self.assertEqual(self.migrate("mbox:" + self.box).summary.uploaded, 40)

    def raw(self):
        with open(self.box, "rb") as f:
            return f.read()

    def append(self, *mails):
        grown = self.raw()
        mbox(self.path("more"), mails)
        with open(self.path("more"), "rb") as f:
            more = f.read()
        write(self.box, grown + more, mtime=1_600_000_900)
        return len(more)

    def again(self, *options):
        return self.migrate(*options, "mbox:" + self.box).summary

    def test_it_grew(self):
        new = self.append(*messages(2, seed=9, first=100))
        grown = self.again()
        self.assertEqual((grown.found, grown.uploaded, grown.already), (42, 2, 40))
        self.assertLess(grown.bytes_read, new + 1)
        self.assertEqual(sum(self.on_server().values()), 42)
        # And once more, behind the new end.
        self.append(*messages(1, seed=10, first=200))
        self.assertEqual(self.again().uploaded, 1)
        still = self.again()
        self.assertEqual((still.found, still.uploaded, still.bytes_read), (43, 0, 0))

    def test_it_grew_by_what_is_there(self):
        self.append(messages(40)[3])
        grown = self.again()
        self.assertEqual((grown.found, grown.uploaded, grown.duplicate), (41, 0, 1))

    def test_it_was_compacted(self):
        kept = messages(40)[10:]
        mbox(self.box, kept)
        compacted = self.again()
        self.assertEqual((compacted.found, compacted.uploaded), (30, 0))
        self.assertGreater(compacted.bytes_read, 0)
        self.assertEqual(sum(self.on_server().values()), 40)

    def test_it_was_written_anew_and_is_longer(self):
        """Only its end tells: what lies at the old end is not what lay there."""
        rng = random.Random(4)
        mbox(self.box, [message(rng, 500 + i, 900) for i in range(60)])
        self.assertGreater(len(self.raw()), self.size)
        anew = self.again()
        self.assertEqual((anew.found, anew.uploaded), (60, 60))

    def test_another_folder_is_the_target_now(self):
        self.append(*messages(1, seed=9, first=100))
        moved = self.again("--map", "old=Elsewhere")
        self.assertEqual((moved.found, moved.uploaded), (41, 41))

    def test_a_lost_connection_in_between(self):
        """The old bookmark stands until everything behind it has arrived."""
        self.append(*messages(3, seed=9, first=100))
        with Proxy(self.dovecot.port, cut_after_up=1500) as proxy:
            cut = self.migrate("--plaintext", "mbox:" + self.box,
                               to=self.dovecot.target(self.user, "imap",
                                                      port=proxy.port)).summary
            self.assertGreater(proxy.connections, 1)
        self.assertEqual((cut.found, cut.uploaded), (43, 3))
        self.assertEqual(sum(self.on_server().values()), 43)
        self.assertEqual(self.again().uploaded, 0)


if __name__ == "__main__":
    main()
