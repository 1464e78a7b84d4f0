# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a run off at every step it has, and run it again: nothing is lost, nothing is
doubled, and a third run sends nothing (L1-L4 of storage/ledger/ledger.h)."""
import random

from crashing import CrashCase
from harness import LONG, main
from makemail import maildir, mbox, messages


class Sweep(CrashCase):
    def sources(self):
        box = maildir(self.path("Maildir"),
                      {"": 12, ".Lists": 8, ".Lists.C": 6, ".Sent": 6})
        # Some of it again, as copies in the same folder and in another store.
        twins = messages(6, seed=1)
        return [box, mbox(self.path("Archive"), twins + messages(4, seed=9, first=900)
                          + twins[:2])]

    def steps_of(self, *sources):
        log = self.path("steps")
        self.reference(*sources, env={"MAILHAUL_FAULT_LOG": log})
        try:
            with open(log) as f:
                lines = f.read().split("\n")
        except FileNotFoundError:
            self.fail("no fault point was passed: is the build armed?")
        return [line.split()[1] for line in lines if line]

    def test_cut_off_at_every_step(self):
        sources = self.sources()
        names = self.steps_of(*sources)
        print("%d steps: %s" % (len(names), ", ".join(sorted(set(names)))))
        self.assertGreaterEqual(len(names), 15, "is the build armed?")
        self.assertGreaterEqual(len(set(names)), 5, names)
        step, cut = 0, 0
        while True:
            step += 1
            self.start_over()
            result = self.cut_run(*sources, env={"MAILHAUL_FAULT": str(step)})
            if result.code == 0:
                break  # ran through: every step was tried
            self.assertEqual(result.code, -9, "step %d: %s" % (step, result))
            cut += 1
            name = names[step - 1] if step <= len(names) else "?"
            self.finish(*sources, what="cut at step %d (%s)" % (step, name))
            self.assertLess(step, 2000)
        self.assertGreaterEqual(cut, 15, "is the build armed?")
        self.assertGreaterEqual(cut, len(names) - 5)

    def test_cut_off_while_a_folder_cannot_be_made(self):
        """Mail that was refused once is refused again, and no promise is broken."""
        refused = mbox(self.path("long"), messages(3, seed=21, first=300))
        args = ["--map", "long=" + 30 * "0123456789", "mbox:" + refused,
                maildir(self.path("Maildir"), {"": 5, ".Work": 4})]
        self.reference(*args, want=1)
        self.assertEqual((self.counts.uploaded, self.counts.failed), (9, 3))
        for step in range(1, 200):
            self.start_over()
            if self.cut_run(*args, env={"MAILHAUL_FAULT": str(step)}).code == 1:
                break
            self.finish(*args, what="cut at step %d" % step)
        self.assertGreater(step, 8)

    def test_cut_off_while_making_up_for_a_cut(self):
        """The run that settles what the first left open is cut off as well."""
        sources = self.sources()
        names = self.steps_of(*sources)
        seed = random.SystemRandom().randrange(1 << 32)
        print("seed %d" % seed)
        rng = random.Random(seed)
        for _ in range(60 if LONG else 8):
            self.start_over()
            first = rng.randrange(len(names) // 3, len(names)) + 1
            cuts = [first] + [rng.randrange(1, len(names)) for _ in range(2)]
            for step in cuts:
                self.cut_run(*sources, env={"MAILHAUL_FAULT": str(step)})
            self.finish(*sources, what="seed %d, cut at %s" % (seed, cuts))


if __name__ == "__main__":
    main()
