# SPDX-License-Identifier: GPL-3.0-or-later
"""Flags of merged copies are united, also those of a copy that is found when the first
one has long been uploaded; they are only ever added."""
import os

import onserver
from harness import Case, main
from makemail import maildir_folder, messages
from proxy import Proxy


class LateFlags(Case):
    server = {"separator": "/"}

    def flags(self):
        connection = self.dovecot.imap(self.user)
        return [sorted(m.flags) for m in onserver.everything(connection)]

    def boxes(self):
        mails = messages(4, seed=5)
        maildir_folder(self.path("old"), mails, flags=("S",))
        maildir_folder(self.path("new"), mails, flags=("R", "SF"))
        return self.path("old"), self.path("new")

    def test_of_another_source_later(self):
        old, new = self.boxes()
        self.assertEqual(self.migrate(old).summary.uploaded, 4)
        self.assertEqual(self.flags(), 4 * [["\\Seen"]])
        second = self.migrate(old, new).summary
        self.assertEqual((second.found, second.uploaded), (8, 0))
        want = 2 * [["\\Answered", "\\Seen"], ["\\Flagged", "\\Seen"]]
        self.assertEqual(self.flags(), want)
        with Proxy(self.dovecot.port) as proxy:
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            self.migrate("--plaintext", old, new, to=to)
            self.assertEqual(proxy.connections, 0)

    def test_what_people_took_away_stays_away(self):
        old, new = self.boxes()
        self.migrate(old, new)
        connection = self.dovecot.imap(self.user)
        connection.select("INBOX")
        connection.store("1:*", "-FLAGS", "(\\Answered \\Flagged)")
        # Read anew: a file was touched, nothing in it is new.
        os.utime(os.path.join(new, "cur"))
        self.migrate(old, new)
        self.assertEqual(self.flags(), 4 * [["\\Seen"]])

    def test_of_a_copy_while_the_first_is_in_flight(self):
        mails = messages(150, seed=6, size=9000)
        maildir_folder(self.path("one"), mails, flags=("S",))
        maildir_folder(self.path("two"), mails, flags=("F",))
        summary = self.migrate(self.path("one"), self.path("two")).summary
        self.assertEqual((summary.uploaded, summary.duplicate), (150, 150))
        self.assertEqual(self.flags(), 150 * [["\\Flagged", "\\Seen"]])

    def test_of_mail_that_is_gone(self):
        """The folder was made anew: nothing can be added, and nobody is called for it."""
        old, new = self.boxes()
        self.migrate("--under", "Old PC", old)
        connection = self.dovecot.imap(self.user)
        folder = next(w for f, w in onserver.folders(connection).items() if "Old PC" in f)
        connection.delete('"%s"' % folder)
        self.migrate("--under", "Old PC", old, new)
        with Proxy(self.dovecot.port) as proxy:
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            self.migrate("--plaintext", "--under", "Old PC", old, new, to=to)
            self.assertEqual(proxy.connections, 0)

    def test_without_uidplus_nothing_is_guessed(self):
        old, new = self.boxes()
        with Proxy(self.dovecot.port, hide=("UIDPLUS",)) as proxy:
            to = self.dovecot.target(self.user, "imap", port=proxy.port)
            self.migrate("--plaintext", old, to=to)
            self.migrate("--plaintext", old, new, to=to)
        self.assertEqual(len(self.flags()), 4)


if __name__ == "__main__":
    main()
