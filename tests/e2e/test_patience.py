# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not pass by itself: a run tries again for about a minute and then says why
it could not go on. When the server is well again the next run makes the mailbox exact.
The runs only wait, and do it all at once."""
import threading

import lying
from harness import main
from scripted import Scripted, hang_up, say, silence

UNREACHABLE, LATER, PROTOCOL = lying.UNREACHABLE, lying.LATER, lying.PROTOCOL

# A sentence, the status, where it is said and what, and --timeout.
ROWS = [
    ("silent before the greeting", UNREACHABLE, "GREETING", silence, 1),
    ("silent after the login", UNREACHABLE, "LIST", silence, 1),
    ("silent instead of opening a folder", UNREACHABLE, "SELECT", silence, 1),
    ("silent after a whole APPEND", UNREACHABLE, "APPEND", silence, 1),
    ("a rate limit that does not pass", LATER, "APPEND",
     say("{tag} NO [LIMIT] APPEND Rate limit hit."), 20),
    ("too many connections, always", LATER, "LOGIN",
     say("{tag} NO [ALERT] Too many simultaneous connections. (Failure)"), 20),
    ("too many connections, in the greeting", LATER, "GREETING",
     hang_up("* BYE Too many simultaneous connections"), 20),
    ("BYE to every APPEND", UNREACHABLE, "APPEND", hang_up("* BYE going down"), 20),
    ("gone at every APPEND", UNREACHABLE, "APPEND", hang_up(), 20),
    ("a wrong tag at every SELECT", PROTOCOL, "SELECT", say("M999 OK done"), 20),
]


class Patience(lying.LyingCase):
    def test_all(self):
        runs = []
        for sentence, want, where, hook, timeout in ROWS:
            server = Scripted(lying.BATCHES).start()
            self.addCleanup(server.stop)
            server.on(where, hook)
            runs.append({"sentence": sentence, "want": want, "server": server,
                         "timeout": timeout, "rig": self.rig()})

        def one(run):
            run["result"] = run["rig"].migrate(run["server"],
                                               timeout=run["timeout"])

        threads = [threading.Thread(target=one, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for run in runs:
            with self.subTest(run["sentence"]):
                result, server = run["result"], run["server"]
                self.assertSound(result)
                self.assertGreater(server.told(), 0)
                self.assertEqual(result.code, run["want"], str(result))
                self.honest_again(run["rig"], server)
                self.assertEqual(server.violations, [])


if __name__ == "__main__":
    main()
