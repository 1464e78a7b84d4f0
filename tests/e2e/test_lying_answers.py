# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that lies about mail and folders, about who it is, and about how much it
takes: before TLS and at the login, with odd bytes, in FETCH and SELECT, refusing and
holding back. test_lying_server.py says what must hold."""
import os
import time

import makemail
from harness import main
from lying import (AUTH, BATCHES, BROKEN, LATER, OK, PROTOCOL, QUOTA, RECOVERS, SINGLES,
                   SOME_LEFT, UNREACHABLE, LyingCase, add_tests, at, both, changes,
                   has_mail, lie)
from scripted import Gone, Scripted, hang_up, say, say_first, silence, store_and

NESTED = "(" * 10000 + ")" * 10000


def starttls_and_more(session, command):
    """Said in plain text, to be believed after TLS has begun."""
    session.send(b"%s OK begin TLS\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
                 % command.tag.encode())
    session.start_tls()
    return True


def asks_on(session, command):
    """One more challenge, for ever."""
    while True:
        session.ask(b"and now?")


def let_in_unproved(session, command):
    """It does not know the password, and says OK to SCRAM."""
    session.user = "user"
    return say("{tag} OK welcome")(session, command)


def bomb(session, command):
    """256 MiB of one line's letters, deflated to a quarter of a MiB."""
    session.carry_out(command)
    for _ in range(256):
        session.send(b"x" * (1 << 20))
    return silence(session, command)


def renumber_every_select(server):
    def hook(session, command):
        for folder in session.account.folders.values():
            folder.uidvalidity += 1
    server.on("SELECT", hook)


LIES = [
    # TLS
    lie("injected", "answers before TLS, to be believed after it", BATCHES,
        at("STARTTLS", starttls_and_more), BROKEN, tls="starttls", no_login=True),
    lie("preauth", "let in before TLS", BATCHES,
        at("GREETING", say("* PREAUTH welcome")), BROKEN, tls="starttls",
        no_login=True),
    lie("stripped", "STARTTLS is not offered any more", BATCHES,
        changes(" STARTTLS", ""), {UNREACHABLE}, tls="starttls", no_login=True),
    lie("no_tls", "NO to STARTTLS", BATCHES,
        at("STARTTLS", say("{tag} NO not today")), {UNREACHABLE}, tls="starttls",
        no_login=True),

    # the login, and COMPRESS
    lie("asks_on", "one challenge after the other", "AUTH=PLAIN LOGINDISABLED",
        at("AUTHENTICATE", asks_on, None), {AUTH, PROTOCOL}),
    lie("unproved", "OK to SCRAM from somebody who does not know the password",
        "AUTH=SCRAM-SHA-256 LOGINDISABLED", at("AUTHENTICATE", let_in_unproved, None),
        {AUTH}),
    lie("compress_plain", "OK to COMPRESS, and plain text behind it",
        BATCHES + " COMPRESS=DEFLATE", at("COMPRESS", say("{tag} OK done")),
        RECOVERS | BROKEN | {UNREACHABLE}, args=["--compress", "on"], timeout=3),
    lie("compress_no", "NO to COMPRESS", BATCHES + " COMPRESS=DEFLATE",
        at("COMPRESS", say("{tag} NO not here")), RECOVERS, args=["--compress", "on"]),
    lie("compress_bomb", "few bytes that make many", BATCHES + " COMPRESS=DEFLATE",
        at("COMPRESS", bomb), BROKEN, args=["--compress", "on"]),

    # bytes
    lie("nul_greeting", "a NUL in the greeting", BATCHES,
        at("GREETING", say("* OK \0 hello")), BROKEN),
    lie("nul_capability", "a NUL in a line", BATCHES,
        at("CAPABILITY", say_first("* OK \0")), BROKEN),
    lie("nul_list", "a NUL in a name", BATCHES,
        at("LIST", say_first('* LIST () "/" "a\0b"')), BROKEN),
    lie("nul_select", "a NUL while folders are opened", BATCHES,
        at("SELECT", say_first("* OK \0")), BROKEN),
    lie("nul_append", "a NUL in an answer to APPEND", BATCHES,
        at("APPEND", say("{tag} OK \0 done")), BROKEN | RECOVERS),
    lie("nul_fetch", "a NUL in a FETCH", BATCHES,
        both(has_mail, at("UID FETCH", say_first("* 1 FETCH (FLAGS (\0))"))), BROKEN),
    lie("eight_bit", "8-bit bytes in every word for people", BATCHES,
        changes(r"(OK) ([a-z])", b"\\1 \xff\xfe\xe3\x81 \\2", None), RECOVERS),
    lie("eight_bit_list", "a folder whose name is no UTF-7 and no UTF-8", BATCHES,
        at("LIST", lambda session, command: session.send(
            b'* LIST () "/" "\xff\xfe&-&"\r\n')), RECOVERS | BROKEN),

    # parentheses
    lie("deep_capability", "10,000 parentheses inside each other", BATCHES,
        at("CAPABILITY", say_first("* CAPABILITY " + NESTED)), BROKEN),
    lie("deep_list", "as attributes of a folder", BATCHES,
        at("LIST", say_first("* LIST " + NESTED + ' "/" x')), BROKEN),
    lie("deep_flags", "as flags of a folder", BATCHES,
        at("SELECT", say_first("* FLAGS " + NESTED)), RECOVERS | BROKEN),
    lie("deep_fetch", "in an item nobody asked for", BATCHES,
        both(has_mail, at("UID FETCH", say_first("* 1 FETCH (X " + NESTED + ")"))),
        BROKEN),
    lie("open_code", "a code whose list does not end", BATCHES,
        at("CAPABILITY", say_first("* OK [PERMANENTFLAGS (")), BROKEN),

    # FETCH
    lie("fetch_unasked", "mail that nobody asked for", BATCHES,
        both(has_mail, at("UID FETCH", say_first(
            "* 9 FETCH (UID 99 RFC822.SIZE 3 FLAGS () BODY[] {3}", "abc)"), None)),
        RECOVERS | BROKEN),
    lie("fetch_sizes", "sizes that are wrong: Message-IDs find them all the same",
        BATCHES, both(has_mail, changes(r"RFC822.SIZE \d+", "RFC822.SIZE 7", None)),
        RECOVERS),
    lie("fetch_short", "a literal that is shorter than announced", BATCHES,
        both(has_mail, changes(r"BODY\[\] \{(\d+)\}", r"BODY[] {9\1}")),
        RECOVERS | BROKEN, timeout=4),
    lie("fetch_long", "a literal that is longer than announced", BATCHES,
        both(has_mail, changes(r"BODY\[\] \{\d+\}", r"BODY[] {9}")), BROKEN),
    lie("fetch_descends", "UIDs that go down", BATCHES,
        both(has_mail, changes(r"FETCH \(UID 1 ", "FETCH (UID 9 ", 1)),
        BROKEN | RECOVERS),
    lie("fetch_uid_zero", "the UID 0", BATCHES,
        both(has_mail, at("UID FETCH", say_first(
            "* 1 FETCH (UID 0 RFC822.SIZE 3 FLAGS ())"), None)), RECOVERS),
    lie("fetch_negative", "a negative UID", BATCHES,
        both(has_mail, at("UID FETCH", say_first(
            "* 1 FETCH (UID -4 RFC822.SIZE -3 FLAGS ())"))), BROKEN),
    lie("fetch_no", "NO to the look through the folder", BATCHES,
        both(has_mail, at("UID FETCH", say("{tag} NO not now"))),
        {SOME_LEFT}),
    # Not proved to be there, so it is sent: twice is better than not at all.
    lie("fetch_nil", "NIL for a message", BATCHES,
        both(has_mail, changes(r"BODY\[\] \{.*\}.*", "BODY[] NIL)")), RECOVERS,
        twice=1),

    # SELECT
    lie("uidnext_low", "UIDNEXT 1, always, and an answer is lost", BATCHES,
        both(changes(r"UIDNEXT \d+", "UIDNEXT 1", None),
             at("APPEND", store_and(hang_up()))), RECOVERS),
    lie("uidnext_zero", "UIDNEXT 0", BATCHES,
        both(changes(r"UIDNEXT \d+", "UIDNEXT 0", None),
             at("APPEND", store_and(hang_up()))), RECOVERS),
    lie("uidvalidity_moves", "a new UIDVALIDITY at every SELECT", BATCHES,
        renumber_every_select, RECOVERS | {SOME_LEFT}),
    lie("uidvalidity_moves_lost", "and an answer is lost", BATCHES,
        both(renumber_every_select, at("APPEND", store_and(hang_up()))),
        RECOVERS | {SOME_LEFT}),
    lie("exists_huge", "EXISTS 4294967295, and there is none", BATCHES,
        changes(r"\d+ EXISTS", "4294967295 EXISTS", None), RECOVERS),
    lie("negative", "numbers below zero", BATCHES,
        both(changes(r"\d+ EXISTS", "-1 EXISTS", None),
             changes(r"UIDNEXT \d+", "UIDNEXT -5", None),
             changes(r"UIDVALIDITY \d+", "UIDVALIDITY -7", None)),
        RECOVERS | BROKEN),
    lie("read_only", "the folder may only be read, and takes mail all the same",
        BATCHES, changes(r"\[READ-WRITE\]", "[READ-ONLY]", None), RECOVERS),

    # refusals
    lie("no_to_append", "NO to every APPEND, without a reason", BATCHES,
        at("APPEND", say("{tag} NO no"), None), {SOME_LEFT}, again=True),
    lie("bad_to_append", "BAD to every APPEND", SINGLES,
        at("APPEND", say("{tag} BAD no"), None), {SOME_LEFT}, again=True),
    lie("no_to_select", "NO to every SELECT", BATCHES,
        at("SELECT", say("{tag} NO no"), None), {SOME_LEFT}),
    lie("no_to_create", "NO to every CREATE", BATCHES,
        at("CREATE", say("{tag} NO no"), None), {SOME_LEFT}),
    lie("no_to_list", "NO to LIST", BATCHES,
        at("LIST", say("{tag} NO no"), None), {SOME_LEFT, PROTOCOL, UNREACHABLE}),
    lie("no_to_capability", "NO to CAPABILITY", BATCHES,
        at("CAPABILITY", say("{tag} NO no"), None),
        {SOME_LEFT, PROTOCOL, UNREACHABLE}),
    lie("no_to_all", "let in, and NO to everything from then on", BATCHES,
        both(*(at(name, say("{tag} NO no"), None)
               for name in ("LIST", "CREATE", "SUBSCRIBE", "SELECT", "APPEND"))),
        {SOME_LEFT}),
    lie("ok_to_select", "OK to SELECT and nothing else", BATCHES,
        at("SELECT", say("{tag} OK done"), None), RECOVERS),

    # limits
    lie("overquota", "the mailbox is full", BATCHES,
        at("APPEND", say("{tag} NO [OVERQUOTA] full")), {QUOTA}),
    lie("overquota_single", "the mailbox is full before the first byte", SINGLES,
        at("LITERAL", say("{tag} NO [OVERQUOTA] full")), {QUOTA}),
    lie("throttled_ok", "OK, and [THROTTLED] at its end", SINGLES,
        changes(r"(APPENDUID.*)", r"\1 [THROTTLED]", 2), RECOVERS),
    lie("limit", "a rate limit, once", BATCHES,
        at("APPEND", say("{tag} NO [LIMIT] APPEND Rate limit hit.")), RECOVERS),
    lie("connections", "too many connections, once", BATCHES,
        at("LOGIN", say("{tag} NO [ALERT] Too many simultaneous connections. "
                        "(Failure)")), RECOVERS | {LATER}),
]


class Lies(LyingCase):
    pass


add_tests(Lies, LIES)


class Believed(LyingCase):
    """Lies that a client cannot see through at once."""

    def test_ok_without_storing(self):
        """OK to every APPEND, or to everything, and nothing is stored: verify finds
        them missing."""
        for names in (("APPEND",), ("LIST", "CREATE", "SUBSCRIBE", "SELECT", "APPEND")):
            rig = self.rig()
            with self.subTest(names), Scripted(BATCHES) as server:
                for name in names:
                    server.on(name, say("{tag} OK done"))
                result = rig.migrate(server)
                self.assertSound(result)
                self.assertEqual(result.code, OK, str(result))
                self.assertEqual(sum(server.contents().values()), 0)
                server.honest()
                proof = rig.run("verify", server)
                self.assertSound(proof)
                self.assertEqual(proof.code, SOME_LEFT, str(proof))
                self.assertEqual(proof.events[-1]["missing"], 6, str(proof))

    def test_renumbered_between_runs(self):
        """UIDVALIDITY changes between two runs: all is recognised, nothing sent."""
        rig = self.rig()
        with Scripted(BATCHES) as server:
            self.assertEqual(rig.migrate(server).code, OK)
            for folder in server.account("user").folders.values():
                folder.uidvalidity += 5
            self.honest_again(rig, server)
            makemail.maildir_folder(os.path.join(rig.box, ".Work.New"),
                                    makemail.messages(1, seed=8, first=50))
            self.assertEqual(rig.migrate(server).code, OK)
            self.assertEqual(sum(server.contents().values()), 7)
            proof = rig.run("verify", server)
            self.assertSound(proof)

    def test_open_intents_renumbered(self):
        """An answer is lost, and the folder has other UIDs when it is settled."""
        rig = self.rig()
        with Scripted(BATCHES) as server:
            def stored_and_renumbered(session, command):
                for folder in session.account.folders.values():
                    folder.uidvalidity += 5
                raise Gone
            server.on("APPEND", store_and(stored_and_renumbered), times=1)
            result = rig.migrate(server)
            self.assertSound(result)
            self.assertEqual(result.code, OK, str(result))
            self.honest_again(rig, server)


class Throttled(LyingCase):
    TEXT = "{tag} NO Request is throttled. Suggested Backoff Time: 1500 milliseconds"

    def throttle(self, capabilities, where, times=1):
        """Refuse so often: the same comes again, no sooner than the server said, and
        all of it arrives."""
        rig, asked, refused = self.rig(), [], []

        def note(session, command):
            asked.append((time.monotonic(), command.said.partition(" ")[2]))

        def refuse(session, command):
            refused.append(asked[-1])
            return say(self.TEXT)(session, command)

        with Scripted(capabilities) as server:
            server.on(where, note)
            server.on(where, refuse, times)
            result = rig.migrate(server)
            self.assertSound(result)
            self.assertEqual(result.code, OK, str(result))
            self.assertEqual(len(refused), times)
            for at, what in refused:
                again = [t - at for t, said in asked if said == what and t > at]
                self.assertGreaterEqual(again[0], 1.5, str(result))
            self.assertEqual(result.summary.failed, 0)
            self.assertEqual(result.summary.uploaded, 6)
            self.assertEqual(server.contents(), self.expected())
            self.assertEqual(server.violations, [])

    def test_batches(self):
        self.throttle(BATCHES, "APPEND")

    def test_singles(self):
        """NO instead of +, and once more after the pause."""
        self.throttle(SINGLES, "LITERAL", times=2)

    def test_literals_gone(self):
        """NO after the whole literal."""
        self.throttle(SINGLES, "APPEND")


if __name__ == "__main__":
    main()
