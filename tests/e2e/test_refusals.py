# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that a server refuses, or changes: what is said of it, and what --on-refused and
--encode-headers make of it. What is on the server afterwards is compared byte for byte
with what core/repair.h promises."""
import email
import email.header
import os
import re
import subprocess
import unittest

import dovecot
from harness import environment, main
from imapwire import Gone, Literal
from makemail import messages, write
from scripted import store_and
from scripted_case import ScriptedCase

SOME_LEFT = 1
OFFERS = "MULTIAPPEND LITERAL+ UIDPLUS BINARY"
NO_BINARY = "MULTIAPPEND LITERAL+ UIDPLUS"
CYRUS = '("name" "Cyrus IMAPD" "version" "3.6.1" "vendor" "Project Cyrus")'


# -- a strict server, with Cyrus' words ----------------------------------

def bad_header(raw):
    head = raw.split(b"\r\n\r\n", 1)[0]
    return any(not re.match(rb"[!-9;-~]+:|[ \t]", line)
               for line in head.split(b"\r\n") if line)


STRICT = [
    (lambda raw: b"\0" in raw, "Message contains NUL characters"),
    (lambda raw: re.search(rb"\r(?!\n)|(?<!\r)\n", raw),
     "Message contains bare newlines"),
    (lambda raw: max(map(len, raw.split(b"\r\n"))) > 998,
     "Message has lines longer than 998 octets"),
    (bad_header, "Message contains invalid header"),
    (lambda raw: not raw.endswith(b"\r\n"), "Message does not end with a line end"),
    (lambda raw: b"hopeless" in raw, "I do not like it"),
]


def strict(session, command):
    for literal in command.args:
        for bad, words in STRICT if isinstance(literal, Literal) else ():
            if bad(literal):
                session.answer("%s NO %s" % (command.tag, words))
                return True
    return False


# -- mail, as it lies on the disk, and repaired --------------------------

def head(name):
    return (b"From: a@example.org\nTo: b@example.org\nSubject: %s\n"
            b"Date: Mon, 1 Jan 2018 10:00:00 +0000\nMessage-ID: <%s@example.org>\n"
            % (name, name))


BODY = b"\nfirst line\n"
ODD = {
    # name: on the disk, what must arrive (in LF), the server's words, what is said of it
    "nul": (head(b"nul") + BODY + b"x\0y\0\n", head(b"nul") + BODY + b"x\x80y\x80\n",
            "NUL characters", ["NUL bytes were replaced"]),
    "cr": (head(b"cr") + BODY + b"x\ry\rz\n", head(b"cr") + BODY + b"x\ny\nz\n",
           "bare newlines", ["CRs without LF"]),
    "long": (head(b"long") + BODY + b"x" * 1500 + b"\n",
             head(b"long") + BODY + b"x" * 998 + b"\n" + b"x" * 502 + b"\n",
             "998 octets", ["998 octets"]),
    "header": (head(b"header") + b"no field\nX-Last: 1\n" + BODY,
               head(b"header") + b"\nno field\nX-Last: 1\n" + BODY,
               "invalid header", ["header was ended"]),
    "eol": (head(b"eol") + BODY + b"last", head(b"eol") + BODY + b"last\n",
            "line end", ["last line got its end"]),
    "all": (head(b"all") + b"no field\n" + BODY + b"x\0\ry" + b"z" * 1500,
            head(b"all") + b"\nno field\n" + BODY + b"x\x80\ny" + b"z" * 997 + b"\n" +
            b"z" * 503 + b"\n",
            "NUL characters", ["NUL", "CRs", "998", "header", "last line"]),
}
HOPELESS = head(b"hopeless") + BODY + b"x\0\n"


def crlf(text):
    return text.replace(b"\n", b"\r\n")


def of(result, event):
    return [e for e in result.events if e["event"] == event]


class RefusalCase(ScriptedCase):
    def setUp(self):
        super().setUp()
        self.box = self.path("Maildir")
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.box, sub))

    def put(self, number, raw):
        write(os.path.join(self.box, "cur", "%d.M%d.host:2,S" % (1_600_000_000 + number,
                                                              number)), raw)

    def put_all(self, hopeless=False):
        """Good and odd mails in turn; how many of each."""
        self.good = messages(len(ODD) + 1)
        for i, (raw, *_) in enumerate(ODD.values()):
            self.put(2 * i, self.good[i])
            self.put(2 * i + 1, raw)
        self.put(2 * len(ODD), self.good[-1])
        if hopeless:
            self.put(2 * len(ODD) + 1, HOPELESS)

    def serve_strictly(self, offers=OFFERS, **how):
        server = self.serve(offers, **how)
        server.on("APPEND", strict)
        return server

    def arrived_repaired(self):
        want = self.good + [repaired for _, repaired, *_ in ODD.values()]
        self.assertEqual(sorted(self.raws()), sorted(map(crlf, want)))


class Reported(RefusalCase):
    def test_in_the_words_of_the_server(self):
        for offers in (OFFERS, "LITERAL+ UIDPLUS BINARY", "BINARY"):
            with self.subTest(offers):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                if not os.listdir(os.path.join(self.box, "cur")):
                    self.put_all()
                self.serve_strictly(offers)
                result = self.migrate(self.box, want=SOME_LEFT)
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (len(self.good), len(ODD)))
                reasons = {e["subject"]: e["reason"] for e in of(result, "message")}
                self.assertEqual(set(reasons), set(ODD))
                for name, (_, _, words, _) in ODD.items():
                    self.assertIn(words, reasons[name])
                self.assertEqual(sorted(self.raws()), sorted(map(crlf, self.good)))
        listed = self.run_program("status", "--missing", "--ledger", self.ledger)
        for _, _, words, _ in ODD.values():
            self.assertIn(words, listed.out)
        # Said once, and not tried for ever: but asked again in the next run.
        again = self.migrate(self.box, want=SOME_LEFT)
        self.assertEqual((again.summary.already, again.summary.failed),
                         (len(self.good), len(ODD)))

    def test_without_binary_nul_is_not_even_tried(self):
        self.put_all()
        self.serve_strictly(NO_BINARY)
        result = self.migrate(self.box, want=SOME_LEFT)
        reasons = {e["subject"]: e["reason"] for e in of(result, "message")}
        self.assertIn("BINARY", reasons["nul"])
        self.assertIn("bare newlines", reasons["cr"])


class Repaired(RefusalCase):
    def repair(self, *args, **how):
        return self.migrate("--on-refused", "repair", *args, self.box, **how)

    def test_as_little_as_it_takes(self):
        self.put_all()
        for offers in (OFFERS, NO_BINARY, "BINARY UIDPLUS", ""):
            with self.subTest(offers):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                self.serve_strictly(offers)
                result = self.repair()
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (len(ODD) + len(self.good), 0))
                self.arrived_repaired()
                told = {e["subject"]: e for e in of(result, "message")}
                self.assertEqual(set(told), set(ODD))
                for name, (_, _, words, repairs) in ODD.items():
                    self.assertEqual(told[name]["state"], "uploaded")
                    reason = told[name]["reason"]
                    self.assertTrue(reason.startswith("repaired: "), reason)
                    for repair in repairs:
                        self.assertIn(repair, reason)
                    if "BINARY" in offers or name not in ("nul", "all"):
                        self.assertIn(words, reason)
                # The original stays what it is known by.
                for again in (self.repair(), self.migrate(self.box)):
                    self.assertEqual((again.summary.uploaded, again.summary.already),
                                     (0, len(ODD) + len(self.good)))
                if "UIDPLUS" not in offers:
                    continue
                proof = self.command("verify", "--full")
                self.assertEqual(proof.summary.proved, len(ODD) + len(self.good))
                self.assertEqual(proof.summary.changed, 0)

    def test_reported_first_repaired_later(self):
        self.put_all()
        self.serve_strictly()
        self.migrate(self.box, want=SOME_LEFT)
        result = self.repair()
        self.assertEqual((result.summary.uploaded, result.summary.already),
                         (len(ODD), len(self.good)))
        self.arrived_repaired()

    def test_ledger_lost(self):
        self.put_all()
        self.serve_strictly()
        self.repair()
        os.unlink(self.ledger)
        result = self.repair()
        self.assertEqual((result.summary.uploaded, result.summary.already),
                         (0, len(ODD) + len(self.good)))
        self.arrived_repaired()

    def test_ledger_lost_and_no_message_id(self):
        raw = ODD["nul"][0].replace(b"Message-ID:", b"X-No-ID:")
        self.put(0, raw)
        self.serve_strictly()
        self.repair()
        os.unlink(self.ledger)
        self.assertEqual(self.repair().summary.already, 1)
        self.assertEqual(len(self.raws()), 1)

    def test_ledger_lost_no_message_id_other_size(self):
        raw = ODD["cr"][0].replace(b"Message-ID:", b"X-No-ID:")
        self.put(0, raw)
        self.serve_strictly()
        self.repair()
        os.unlink(self.ledger)
        self.repair()
        self.assertEqual(len(self.raws()), 1)

    def answer_lost(self, then):
        """The repaired message is stored, and then() happens instead of an answer.
        Only once."""
        done = []

        def hook(session, command):
            if done or not any(b"x\x80" in a for a in command.args
                               if isinstance(a, Literal)):
                return False
            if strict(session, command):
                return True
            done.append(command.said)
            store_and(lambda s, c: None)(session, command)
            then(session)
            raise Gone
        return hook, done

    def test_answer_lost(self):
        for offers in (OFFERS, NO_BINARY, "UIDPLUS BINARY", "LITERAL+ BINARY"):
            with self.subTest(offers):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                if not os.listdir(os.path.join(self.box, "cur")):
                    self.put_all()
                server = self.serve(offers)
                hook, done = self.answer_lost(lambda session: None)
                server.on("APPEND", hook)
                server.on("APPEND", strict)
                result = self.repair()
                self.assertEqual(len(done), 1)
                self.arrived_repaired()
                self.assertEqual((result.summary.uploaded, result.summary.failed),
                                 (len(ODD) + len(self.good), 0))
                self.assertEqual(self.migrate(self.box).summary.uploaded, 0)
                if "UIDPLUS" in offers:
                    self.command("verify", "--full")

    def test_what_is_settled_is_told_as_well(self):
        self.put(0, ODD["nul"][0])
        server = self.serve()
        hook, done = self.answer_lost(lambda session: None)
        server.on("APPEND", hook)
        server.on("APPEND", strict)
        result = self.repair()
        self.assertEqual(len(done), 1)
        self.assertEqual(len(self.raws()), 1)
        self.assertEqual([e["reason"][:9] for e in of(result, "message")],
                         ["repaired:"])

    def test_killed(self):
        for again in ("repair", "report"):
            with self.subTest(again):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                if not os.listdir(os.path.join(self.box, "cur")):
                    self.put_all()
                server, child = self.serve("UIDPLUS BINARY"), []
                hook, done = self.answer_lost(lambda session: child[0].kill())
                server.on("APPEND", hook)
                server.on("APPEND", strict)
                with server.lock:   # nothing is stored before child is known
                    child.append(subprocess.Popen(
                        [self.program, "migrate", "--json", "--ledger", self.ledger,
                         "--on-refused", "repair", *server.options(), self.box,
                         server.target(self.user)],
                        env=environment(self.home, dovecot.PASSWORD), cwd=self.folder,
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL))
                self.assertEqual(child[0].wait(60), -9)
                self.assertEqual(len(done), 1)
                self.migrate("--on-refused", again, self.box, want=None)
                self.assertEqual(self.repair().code, 0)
                self.arrived_repaired()
                self.assertEqual(self.migrate(self.box).summary.uploaded, 0)

    def test_hopeless(self):
        self.put_all(hopeless=True)
        self.serve_strictly()
        result = self.repair(want=SOME_LEFT)
        self.assertEqual((result.summary.uploaded, result.summary.failed),
                         (len(ODD) + len(self.good), 1))
        self.arrived_repaired()
        (failed,) = [e for e in of(result, "message") if e["state"] == "failed"]
        self.assertEqual(failed["subject"], "hopeless")
        self.assertIn("I do not like it", failed["reason"])
        listed = self.run_program("status", "--missing", "--ledger", self.ledger)
        self.assertIn("I do not like it", listed.out)
        again = self.repair(want=SOME_LEFT)
        self.assertEqual((again.summary.already, again.summary.failed),
                         (len(ODD) + len(self.good), 1))
        self.arrived_repaired()

    def test_too_big_is_no_reason(self):
        self.put(0, ODD["cr"][0])
        self.put(1, messages(1)[0])
        server = self.serve()
        seen = []

        def too_big(session, command):
            for literal in command.args:
                if isinstance(literal, Literal) and b"<cr@" in literal:
                    seen.append(bytes(literal))
                    session.answer("%s NO [TOOBIG] too large" % command.tag)
                    return True
            return False

        server.on("APPEND", too_big)
        result = self.repair(want=SOME_LEFT)
        self.assertEqual((result.summary.uploaded, result.summary.failed), (1, 1))
        self.assertEqual(set(seen), {crlf(ODD["cr"][0])})
        self.assertIn("too large", of(result, "message")[0]["reason"])


class EightBitHeaders(RefusalCase):
    SUBJECTS = ("見積書の件 2024", "Rechnung für März", "naïve façade " * 7 + "naïve")

    def setUp(self):
        super().setUp()
        for i, subject in enumerate(self.SUBJECTS):
            self.put(i, ("From: 山田太郎 <y@example.jp>\nSubject: %s\n"
                         "Date: Mon, 1 Jan 2018 10:00:00 +0000\n"
                         "Message-ID: <h%d@example.org>\n\n本文 %d\n"
                         % (subject, i, i)).encode())
        self.plain = messages(2)
        for i, raw in enumerate(self.plain):
            self.put(10 + i, raw)

    def cyrus(self, **how):
        how = how or {"id": CYRUS}
        server = self.serve(OFFERS + " ID", **how)

        def damage(session, command):
            for i, part in enumerate(command.parts):
                if not isinstance(part, Literal):
                    continue
                header, gap, body = part.partition(b"\r\n\r\n")
                command.parts[i] = Literal(re.sub(rb"[\x80-\xff]", b"X", header)
                                           + gap + body)
            return False

        server.on("APPEND", damage)
        return server

    def test_said_before_and_after(self):
        for how in ({"id": CYRUS}, {"greeting": "mail.example Cyrus IMAP 3.6.1 ready"}):
            with self.subTest(str(how)):
                self.user = self.new_user()
                self.ledger = self.path(self.user + ".db")
                self.cyrus(**how)
                result = self.migrate(self.box)
                kinds = [e["event"] for e in result.events]
                before, after = of(result, "server")
                self.assertLess(kinds.index("server"), kinds.index("folder"))
                self.assertEqual(before["server"], "Cyrus")
                self.assertIn("--encode-headers", before["text"])
                self.assertRegex(after["text"], r"^3 messages .*verify --full")
        proof = self.command("verify", "--full", want=SOME_LEFT)
        self.assertEqual((proof.summary.proved, proof.summary.changed), (2, 3))
        # And it is theirs all the same: nothing is sent again.
        self.assertEqual(self.migrate(self.box).summary.uploaded, 0)

    def test_encoded(self):
        self.cyrus()
        result = self.migrate("--encode-headers", self.box)
        self.assertEqual(result.summary.uploaded, 5)
        self.assertEqual([e for e in of(result, "server") if "messages" in e["text"]
                          and "--full" in e["text"]], [])
        found = {}
        for raw in self.raws():
            self.assertIsNone(re.search(rb"[\x80-\xff]", raw.split(b"\r\n\r\n")[0]))
            mail = email.message_from_bytes(raw)
            found[mail["Message-ID"]] = (
                str(email.header.make_header(email.header.decode_header(
                    mail["Subject"]))),
                str(email.header.make_header(email.header.decode_header(mail["From"]))),
                raw.partition(b"\r\n\r\n")[2])
        for i, subject in enumerate(self.SUBJECTS):
            self.assertEqual(found["<h%d@example.org>" % i], (
                subject, "山田太郎 <y@example.jp>", "本文 %d\r\n".encode() % i))
        self.assertTrue(set(map(crlf, self.plain)) <= set(self.raws()))
        proof = self.command("verify", "--full")
        self.assertEqual((proof.summary.proved, proof.summary.changed), (5, 0))
        for args in ((), ("--encode-headers",)):
            self.assertEqual(self.migrate(*args, self.box).summary.uploaded, 0)
        os.unlink(self.ledger)
        again = self.migrate("--encode-headers", self.box).summary
        self.assertEqual((again.uploaded, again.already), (0, 5))

    def test_only_where_it_is_needed(self):
        self.serve(OFFERS + " ID", id='("name" "Dovecot")')
        self.migrate("--encode-headers", self.box)
        for raw in self.raws():
            if b"<h1@" in raw:
                self.assertIn("Rechnung für März".encode(), raw)


if __name__ == "__main__":
    main()
