# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact commands of whole sessions, for each mix of what a server offers.

transcripts/NAME.txt has what the client said, one command a paragraph, a line for what
stands before and after each literal ({n} waits for the server's "+", {n+} does not).
Tags of libetpan's are *; the client's name and version and what gives the password
away are replaced.

A change that is meant changes the files:

    TRANSCRIPTS=write MAILHAUL=... PYTHONPATH=tests/lib python3 tests/e2e/test_transcripts.py
    git diff tests/e2e/transcripts

and the diff is what a reviewer looks at. The server (lib/scripted.py) carries out what
is asked and notes what a client may not say; where each message ends up is compared
too. To add a session, add a method with @transcript.
"""
import os
import re

import dovecot
import makemail
from harness import Case, main
from scripted import Scripted, hang_up, store_and

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transcripts")
WRITE = os.environ.get("TRANSCRIPTS") == "write"


def readable(said):
    """One command as it stands in the file."""
    said = re.sub(r"^\d+ ", "* ", said)
    said = said.replace(dovecot.PASSWORD, "PASSWORD")
    said = re.sub(r"(AUTHENTICATE \S+) .*", r"\1 (an answer)", said)
    said = re.sub(r'ID \("name" "[^"]*" "version" "[^"]*"',
                  'ID ("name" "NAME" "version" "VERSION"', said)
    return re.sub(r"(\{\d+\+?\})(?=.)", r"\1\n\t", said)


def transcript(sentence, sessions):
    lines = ["# " + sentence]
    for session in sessions:
        lines.append("")
        lines.append("== connection %d" % session.number)
        for said in session.said:
            line = readable(said)
            # Settling looks until it is quiet: how often is a matter of time.
            if not (line.startswith("* SELECT") and line == lines[-1]):
                lines.append(line)
    return "\n".join(lines) + "\n"


class Transcripts(Case):
    def setUp(self):
        super().setUp()
        self.box = self.path("Maildir")
        makemail.maildir_folder(self.box, makemail.messages(3, seed=1))
        makemail.maildir_folder(os.path.join(self.box, ".Work.2024"),
                                makemail.messages(1, seed=2, first=3))

    def migrate_to(self, server, *more):
        result = self.run_program(
            "migrate", "--json", "--ledger", self.ledger, *server.options(), *more,
            self.box, server.target())
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(server.violations, [])
        return result.summary

    def session(self, name, capabilities, *more, want=4, **how):
        """One run against an empty mailbox."""
        with Scripted(capabilities, **how) as server:
            self.assertEqual(self.migrate_to(server, *more).uploaded, want)
            self.assertEqual(sum(server.contents().values()), want)
        self.compare(name, server.sessions)

    def compare(self, name, sessions):
        sentence = getattr(self, self._testMethodName).__doc__.split("\n")[0]
        now = transcript(sentence, sessions)
        path = os.path.join(FOLDER, name + ".txt")
        if WRITE:
            with open(path, "w") as f:
                f.write(now)
        with open(path) as f:
            self.assertEqual(f.read(), now, "see the head of " + __file__)

    # -- what is offered

    def test_nothing(self):
        """A server that offers nothing: every literal waits."""
        self.session("nothing", "")

    def test_literal_minus(self):
        """LITERAL-: small messages go at once, a larger one waits."""
        makemail.write(os.path.join(self.box, "cur", "1600000100.big.host:2,S"),
                       makemail.messages(1, seed=3, size=9000, first=9)[0],
                       1_600_000_100)
        self.session("literal-minus", "LITERAL-", want=5)

    def test_literal_plus(self):
        """LITERAL+: nothing waits, one command a message."""
        self.session("literal-plus", "LITERAL+")

    def test_multiappend(self):
        """MULTIAPPEND and LITERAL+: one command a folder."""
        self.session("multiappend", "MULTIAPPEND LITERAL+")

    def test_multiappend_waiting(self):
        """MULTIAPPEND alone: one command, and a wait for each message."""
        self.session("multiappend-waiting", "MULTIAPPEND")

    def test_uidplus(self):
        """The same with UIDPLUS: nothing more is asked."""
        self.session("uidplus", "MULTIAPPEND LITERAL+ UIDPLUS")

    def test_binary(self):
        """BINARY: a message with a NUL goes as a literal8."""
        makemail.write(os.path.join(self.box, "cur", "1600000100.nul.host:2,"),
                       b"Message-ID: <nul@example.org>\n\na\0b\n", 1_600_000_100)
        self.session("binary", "BINARY MULTIAPPEND LITERAL+ UIDPLUS", want=5)

    def special(self):
        for name, first in ((".Sent", 10), (".Trash", 11)):
            makemail.maildir_folder(os.path.join(self.box, name),
                                    makemail.messages(1, seed=first, first=first))

    def test_special_use(self):
        """SPECIAL-USE: Sent is the server's, Trash is made with its use."""
        self.special()
        self.session("special-use", "SPECIAL-USE LIST-EXTENDED CREATE-SPECIAL-USE "
                     "MULTIAPPEND LITERAL+", special={"Sent": "Gesendet"}, want=6)

    def test_namespace(self):
        """NAMESPACE: everything below INBOX. with the separator '.'."""
        self.session("namespace", "NAMESPACE MULTIAPPEND LITERAL+ UIDPLUS",
                     prefix="INBOX.", separator=".")

    def test_compress(self):
        """COMPRESS=DEFLATE, asked for."""
        self.session("compress", "COMPRESS=DEFLATE MULTIAPPEND LITERAL+",
                     "--compress", "on")

    def test_compress_auto(self):
        """COMPRESS=DEFLATE on a fast line: not worth while."""
        self.session("compress-auto", "COMPRESS=DEFLATE MULTIAPPEND LITERAL+")

    def test_quota(self):
        """QUOTA: is there room?"""
        self.session("quota", "QUOTA MULTIAPPEND LITERAL+ UIDPLUS", quota_kib=1024)

    def test_everything(self):
        """What Dovecot offers, over STARTTLS."""
        self.session("everything", "LITERAL+ SASL-IR LOGINDISABLED AUTH=PLAIN ID "
                     "ENABLE NAMESPACE UIDPLUS MULTIAPPEND SPECIAL-USE LIST-EXTENDED "
                     "QUOTA COMPRESS=DEFLATE", tls="starttls")

    def test_mechanisms(self):
        """AUTH=PLAIN without SASL-IR."""
        self.session("auth-plain", "AUTH=PLAIN MULTIAPPEND LITERAL+")

    def test_scram(self):
        """AUTH=SCRAM-SHA-256 is better than PLAIN."""
        self.session("auth-scram", "AUTH=PLAIN AUTH=SCRAM-SHA-256 MULTIAPPEND "
                     "LITERAL+")

    # -- what was before

    def test_resumed(self):
        """The answer was lost, and the mail is found on the server: not sent again."""
        makemail.maildir_folder(self.path("One"), makemail.messages(3, seed=1))
        self.box = self.path("One")
        with Scripted("MULTIAPPEND LITERAL+ UIDPLUS") as server:
            server.on("APPEND", store_and(hang_up()), times=1)
            self.migrate_to(server)
            self.assertEqual(sum(server.contents().values()), 3)
        self.compare("resumed", server.sessions)

    def test_resumed_lost(self):
        """The answer was lost, and so was the mail: sent again."""
        makemail.maildir_folder(self.path("One"), makemail.messages(3, seed=1))
        self.box = self.path("One")
        with Scripted("MULTIAPPEND LITERAL+ UIDPLUS") as server:
            server.on("APPEND", hang_up(), times=1)
            self.migrate_to(server)
            self.assertEqual(sum(server.contents().values()), 3)
        self.compare("resumed-lost", server.sessions)

    def test_again(self):
        """The first run, one with nothing new, and one with one message more."""
        with Scripted("MULTIAPPEND LITERAL+ UIDPLUS") as server:
            self.migrate_to(server)
            self.assertEqual(self.migrate_to(server).uploaded, 0)
            makemail.write(os.path.join(self.box, "cur", "1600000200.new.host:2,"),
                           makemail.messages(1, seed=5, first=20)[0], 1_600_000_200)
            self.assertEqual(self.migrate_to(server).uploaded, 1)
            self.assertEqual(sum(server.contents().values()), 5)
        self.compare("again", server.sessions)

    def test_lost_ledger(self):
        """The ledger is lost: what is on the server is looked at and not sent."""
        with Scripted("MULTIAPPEND LITERAL+ UIDPLUS") as server:
            self.migrate_to(server)
            os.unlink(self.ledger)
            self.assertEqual(self.migrate_to(server).already, 4)
            self.assertEqual(sum(server.contents().values()), 4)
        self.compare("lost-ledger", server.sessions)


if __name__ == "__main__":
    main()
