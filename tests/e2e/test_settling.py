# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that looks alike, an answer that got lost in the middle of it, and a folder that
changes meanwhile: nothing is doubled and nothing is lost, and to find out costs few round
trips."""
import collections
import os
import re
import select
import threading

import onserver
from harness import LONG, Case, main
from makemail import maildir_folder, messages, sha256
from proxy import Proxy
from scripted_case import ScriptedCase

MANY = 1000 if LONG else 300
DATE = b"Date: Mon, 1 Jan 2018 10:00:00 +0000\n"


def identical(i):
    return (b"From: a@example.org\nSubject: the same\nMessage-ID: <same@example.org>\n"
            + DATE + b"\nthe same text\n")


def without_id(i):
    # All of one size: neither that nor a Message-ID tells them apart.
    return b"From: a@example.org\nSubject: s\n" + DATE + b"\nbody %06d\n" % i


def one_id(i):
    return (b"From: a@example.org\nSubject: s\nMessage-ID: <one@example.org>\n"
            + DATE + b"\nbody %06d\n" % i)


class Alike(Case):
    server = {}
    HIDE = {"UIDPLUS and all": (), "no UIDPLUS": ("UIDPLUS",),
            "singles": ("MULTIAPPEND", "UIDPLUS")}

    def through(self, proxy, *args, **how):
        return self.migrate("--plaintext", "--compress", "off", *args,
                            to=self.dovecot.target(self.user, "imap", port=proxy.port),
                            **how)

    def alike(self, make, there):
        box = self.path("Maildir")
        mails = [make(i) for i in range(MANY)]
        maildir_folder(box, mails, flags=("S",))
        want = set(map(sha256, mails))
        self.assertEqual(len(want), there)
        for name, hide in self.HIDE.items():
            with self.subTest(name):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                lost = MANY // 2 if name == "singles" and there > 1 else \
                    2 if there > 1 else 1
                with Proxy(self.dovecot.port, hide=hide, drop_appends=[lost]) as proxy:
                    result = self.through(proxy, box)
                self.assertEqual(len(proxy.dropped), 1)
                self.arrived(want)
                summary = result.summary
                self.assertEqual((summary.uploaded, summary.duplicate, summary.failed),
                                 (there, MANY - there, 0))
                self.assertEqual(self.migrate(box).summary.uploaded, 0)
                os.unlink(self.ledger)
                with Proxy(self.dovecot.port, hide=hide, follow=True) as proxy:
                    summary = self.through(proxy, box).summary
                    said = bytes(proxy.up)
                self.assertEqual((summary.uploaded, summary.already,
                                  summary.duplicate, summary.failed),
                                 (0, there, MANY - there, 0))
                self.assertEqual(proxy.appends, 0)
                commands = re.findall(rb"(?m)^\S+ [A-Z].*$", said)
                # Some to come in; then each is fetched once, whoever it is like.
                self.assertLess(len(commands), there + 20, commands[-30:])
                self.arrived(want)

    def arrived(self, want):
        there = collections.Counter(
            sha for (_, sha, _, _) in self.on_server().elements())
        self.assertEqual(set(there), want)
        self.assertEqual(max(there.values()), 1)

    def test_identical(self):
        self.alike(identical, 1)

    def test_without_message_id(self):
        self.alike(without_id, MANY)

    def test_one_message_id(self):
        self.alike(one_id, MANY)


class Adoption(ScriptedCase):
    def test_other_trace_headers(self):
        """The same message by two ways is one, also when it is only recognised."""
        box = self.path("Maildir")
        maildir_folder(box, [b"Received: from %s.example.org; Mon, 1 Jan 2018 10:00:01 +0000\n"
                             % way + one_id(i) for i in range(5) for way in (b"a", b"b")],
                       flags=("S",))
        self.serve()
        first = self.migrate(box).summary
        self.assertEqual((first.uploaded, first.duplicate), (5, 5))
        os.unlink(self.ledger)
        again = self.migrate(box).summary
        self.assertEqual((again.uploaded, again.already, again.duplicate), (0, 5, 5))
        # The server has another message of that Message-ID: both copies wait for it.
        os.unlink(self.ledger)
        self.user = self.new_user()
        os.unlink(os.path.join(box, "cur", sorted(os.listdir(box + "/cur"))[0]))
        other = self.path("Other")
        maildir_folder(other, [one_id(99)])
        self.migrate(other)
        os.unlink(self.ledger)
        third = self.migrate(box).summary
        self.assertEqual((third.uploaded, third.already, third.duplicate), (5, 0, 4))

    def test_does_not_wait_for_each(self):
        """An answer is kept back until the next question is there: of those that look
        alike many are asked for at a time."""
        box = self.path("Maildir")
        maildir_folder(box, [one_id(i) for i in range(MANY)], flags=("S",))
        server = self.serve()
        self.migrate(box)
        os.unlink(self.ledger)
        asked = []

        def hold(session, command):
            if b"BODY.PEEK[]" in command.parts[-1]:
                asked.append(session.wire.ahead or bool(
                    select.select([session.wire.sock], [], [], 1)[0]))
            return False

        server.on("UID FETCH", hold)
        summary = self.migrate(box).summary
        self.assertEqual((summary.uploaded, summary.already), (0, MANY))
        self.assertEqual(len(asked), MANY)
        self.assertLess(asked.count(False), MANY // 50)


class Company(Case):
    """Another client appends to the same folder."""
    server = {}

    def test_meanwhile(self):
        box, mails = self.path("Maildir"), messages(150, size=2000)
        maildir_folder(box, mails)
        for drop in ((), (2,)):
            with self.subTest(drop=drop):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                stop, theirs = threading.Event(), []

                def other():
                    connection = self.dovecot.imap(self.user)
                    i = 0
                    while not stop.is_set():
                        # Every other one looks like one of ours; one in ten is.
                        raw = messages(1, seed=9000 + i, first=9000 + i)[0]
                        if i % 2:
                            raw = mails[i % 150].replace(b"\n-- ", b"\n== ")
                        onserver.append(connection, "INBOX", raw.replace(b"\n", b"\r\n"))
                        theirs.append(sha256(raw))
                        i += 1
                    connection.logout()

                thread = threading.Thread(target=other)
                thread.start()
                try:
                    with Proxy(self.dovecot.port, hide=("UIDPLUS",), rate_up=256 << 10,
                               drop_appends=drop) as proxy:
                        result = self.migrate(
                            "--plaintext", "--compress", "off", box,
                            to=self.dovecot.target(self.user, "imap", port=proxy.port))
                finally:
                    stop.set()
                    thread.join()
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (150, 0))
                there = collections.Counter(
                    sha for (_, sha, _, _) in self.on_server().elements())
                self.assertEqual(there, collections.Counter(map(sha256, mails))
                                 + collections.Counter(theirs))
                self.assertGreater(len(theirs), 1)
                self.assertEqual(self.migrate(box).summary.uploaded, 0)
                proof = self.run_program(
                    "verify", "--full", *self.options(),
                    self.dovecot.target(self.user))
                self.assertEqual((proof.summary.proved, proof.summary.changed),
                                 (150, 0), str(proof))


class FolderChanges(ScriptedCase):
    """Deleted, made anew, renamed: between two runs and in the middle of one."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.box, self.mails = self.path("Maildir"), messages(40, size=3000)
        maildir_folder(self.box, [])
        maildir_folder(os.path.join(self.box, ".Work"), self.mails)
        self.want = sorted(m.replace(b"\n", b"\r\n") for m in self.mails)

    def folders(self):
        return self.scripted.account(self.user).folders

    def make_anew(self, keep=0):
        with self.scripted.lock:
            account = self.scripted.account(self.user)
            kept = account.folders.pop("Work").mails[:keep]
            account.server.uidvalidity += 100
            account.create("Work")
            for mail in kept:
                account.folders["Work"].add(mail.flags, mail.date, mail.raw)

    def complete(self, folder="Work"):
        self.assertEqual(sorted(self.raws(folder)), self.want)

    def test_deleted_between_runs(self):
        """What is done stays done (L4): who deletes a folder may want it so. Verify says
        that the mail is not there."""
        self.migrate(self.box)
        self.complete()
        with self.scripted.lock:
            del self.folders()["Work"]
        result = self.migrate(self.box)
        self.assertEqual(result.summary.failed, 0)
        proof = self.command("verify", want=1)
        self.assertEqual(proof.summary.missing, 40)

    def test_made_anew_between_runs(self):
        self.migrate(self.box)
        self.make_anew(keep=10)
        result = self.migrate(self.box)
        self.assertEqual((result.summary.uploaded, result.summary.already), (0, 40))
        self.assertEqual(len(self.raws("Work")), 10)
        self.assertEqual(self.command("verify", want=1).summary.missing, 30)
        # New mail goes there all the same, and once.
        more = messages(50, size=3000)
        maildir_folder(os.path.join(self.box, ".Work"), more)
        result = self.migrate(self.box)
        self.assertEqual(result.summary.failed, 0)
        self.assertEqual(max(self.on_server().values()), 1)

    def test_made_anew_with_sends_in_doubt(self):
        """The answer is lost, and before the next run the folder has other UIDs."""
        for keep in (0, 40):
            with self.subTest(keep=keep):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                server, done = self.scripted, []

                def lose(session, command):
                    session.carry_out(command, silent=True)
                    done.append(1)
                    self.make_anew(keep=keep)
                    session.wire.close()
                    return True

                server.on("APPEND", lose, times=1)
                result = self.migrate(self.box)
                self.assertEqual(len(done), 1)
                self.assertEqual(result.summary.uploaded, 40)
                self.complete()
                again = self.migrate(self.box).summary
                self.assertEqual((again.uploaded, again.already), (0, 40))
                self.command("verify", "--full")
                server.honest()

    def test_deleted_in_the_middle(self):
        def delete(session, command):
            with self.scripted.lock:
                self.folders().pop("Work", None)
            return False

        for offers in ("MULTIAPPEND LITERAL+ UIDPLUS", "UIDPLUS"):
            with self.subTest(offers):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                self.serve(offers)
                self.scripted.on("APPEND", delete, times=1)
                result = self.migrate(self.box)
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (40, 0))
                self.complete()
                self.assertEqual(self.migrate(self.box).summary.uploaded, 0)

    def test_made_anew_in_the_middle(self):
        """What was in the folder that is gone is gone with it; what came after is there,
        once, and known to be in the new one."""
        self.serve("UIDPLUS")
        seen = []

        def anew(session, command):
            seen.append(1)
            if len(seen) == 20:
                self.make_anew(keep=19)
            return False

        self.scripted.on("APPEND", anew)
        result = self.migrate(self.box)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (40, 0))
        self.complete()
        self.assertEqual(self.migrate(self.box).summary.uploaded, 0)
        self.complete()

    def test_renamed(self):
        """A renamed folder is another one to us, and nothing is sent again by itself."""
        self.migrate(self.box)
        with self.scripted.lock:
            self.folders()["Old work"] = self.folders().pop("Work")
        result = self.migrate(self.box)
        self.assertEqual((result.summary.uploaded, result.summary.already), (0, 40))
        self.complete("Old work")
        # And where it is sent to now is settled anew, not from the old UIDs.
        self.ledger = self.path("other.db")
        result = self.migrate("--map", "Work=Old work", self.box)
        self.assertEqual((result.summary.uploaded, result.summary.already), (0, 40))
        self.complete("Old work")


if __name__ == "__main__":
    main()
