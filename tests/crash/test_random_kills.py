# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at moments no one chose. 5 kills, 30 with MAILHAUL_LONG."""
import random
import time

from crashing import CrashCase
from harness import LONG, main
from makemail import maildir


class RandomKills(CrashCase):
    kills = 30 if LONG else 5

    def test_killed_at_random_moments(self):
        box = maildir(self.path("Maildir"), {"": 150, ".Work": 100, ".Work.2024": 50},
                      size=6000)
        start = time.monotonic()
        self.reference(box)
        whole = time.monotonic() - start
        seed = random.SystemRandom().randrange(1 << 32)
        print("seed %d; undisturbed %.2f s" % (seed, whole))
        rng = random.Random(seed)
        killed = partial = tries = 0
        while killed < self.kills:
            self.start_over()
            moments = []
            for _ in range(min(rng.randrange(1, 4), self.kills - killed)):
                tries += 1
                self.assertLess(tries, 20 * self.kills, "it is never caught running")
                moments.append(round(rng.uniform(0.02, whole), 3))
                result = self.cut_run(box, kill_after=moments[-1])
                if result.code == 0:
                    break
                self.assertEqual(result.code, -9, str(result))
                killed += 1
                there = sum(self.on_server().values())
                partial += 0 < there < sum(self.want.values())
                self.assertLessEqual(there, sum(self.want.values()))
            self.finish(box, what="seed %d, killed after %s" % (seed, moments))
        print("%d kills while it ran, %d with a part of the mail there"
              % (killed, partial))
        self.assertEqual(killed, self.kills)


if __name__ == "__main__":
    main()
