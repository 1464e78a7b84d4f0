# SPDX-License-Identifier: GPL-3.0-or-later
"""The same mail on every server we can run, compared message by message: folder, bytes,
flags, date. What a server makes of it stands in that server's table below, and is
computed exactly; anything else is a failure. docs/servers.md says the same for people.

With MAILHAUL_LONG 2,000 messages instead of 154, where nothing is repaired.
"""
import collections
import email.header
import email.utils
import re
import shutil
import tempfile
import unittest

import dovecot
import oddmail
import servers
from harness import LONG, Case, main

# Arrives, but not as it was: wire form in, what arrives out. proof: verify --full calls
# it changed (digests do not see line ends at the end).
Changed = collections.namedtuple("Changed", "why becomes proof")
# Does not arrive, and the report says so.
Refused = collections.namedtuple("Refused", "why says")


def header_of(raw):
    head, empty, body = raw.partition(b"\r\n\r\n")
    return head, empty + body


def x_for_8bit(raw):
    head, rest = header_of(raw)
    return re.sub(rb"[\x80-\xff]", b"X", head) + rest


def without_lone_cr(raw):
    return re.sub(rb"\r(?!\n)", b"", raw)


def one_cr_less(raw):
    return raw.replace(b"\r\r\n", b"\r\n")


def nul_to_0x80(raw):
    return raw.replace(b"\0", b"\x80")


def one_more_eol(raw):
    return raw + b"\r\n"


def fields_rewritten(raw):
    """imap4d makes "name: value" of what it takes for a field."""
    head, rest = header_of(raw)
    head = re.sub(rb"^X-Blank : ", b"X-Blank: ", head, flags=re.M)
    return re.sub(rb"^(>From [^:\r]*:)", rb"\1 ", head, flags=re.M) + rest


def fields_cut_off(raw):
    """mailhaul's repair: what is no field ends the header."""
    return re.sub(rb"^>From someone", rb"\r\n>From someone", raw, flags=re.M)


def encoded(raw):
    """What mailhaul's encoded words say: decoded() of what arrived must be this."""
    head, rest = header_of(raw)
    for charset in ("utf-8", "cp932"):
        try:
            return head.decode(charset).encode() + rest
        except UnicodeDecodeError:
            pass
    raise AssertionError(head)


def decoded(raw):
    head, rest = header_of(raw)
    head = re.sub(rb"\r\n(?=[ \t])", b"", head)
    lines = [str(email.header.make_header(email.header.decode_header(line.decode())))
             if b"=?" in line else line.decode() for line in head.split(b"\r\n")]
    return "\r\n".join(lines).encode() + rest


NO_BINARY = Refused("NUL is no part of a literal (RFC 3501), and the server has no "
                    "BINARY", "holds NUL bytes and the server offers no BINARY")
NUL_REPAIRED = Changed("on request NUL becomes 0x80", nul_to_0x80, False)


class Dovecot(dovecot.Dovecot):
    missing = staticmethod(dovecot.missing)


class Matrix:
    """What is tested; who it is tested with is said below."""

    make = None              # the server
    settings = {}
    prefix = ""              # in front of every folder but INBOX
    kinds = {}               # {kind: Changed or Refused}
    repaired = {}            # kinds that come otherwise with all repairs on
    # Without UIDPLUS and with a new UIDVALIDITY verify pairs mail without Message-ID by
    # its size alone, and --full then calls two of one size changed.
    without_uids = False
    # Kinds that a new ledger does not recognise on the server: they come again.
    unrecognised = ()

    @classmethod
    def setUpClass(cls):
        why = cls.make.missing()
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()
        cls.dovecot = cls.make(**cls.settings).start()
        cls.corpus_folder = tempfile.mkdtemp(prefix="mh-corpus-")
        cls.corpus = oddmail.Corpus(cls.corpus_folder, 154)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.corpus_folder, ignore_errors=True)

    # What a server does to all mail.
    def flags(self, item):
        return item.flags

    def date(self, item, raw):
        return item.date

    def shown(self, folder):
        """Where a folder is, as the source has it."""
        if self.prefix and folder.startswith(self.prefix + "/"):
            return folder[len(self.prefix) + 1:]
        return folder

    def bring(self, scheme, *options):
        """Migrate the corpus; the result, and what is there by number."""
        self.where = self.dovecot.target(self.user, scheme=scheme)
        self.common = ["--plaintext"] if scheme == "imap" else []
        result = self.migrate(*self.common, *options, *self.corpus.sources,
                              to=self.where, want=None, timeout=400)
        there = self.mails(keep_raw=True)
        found = collections.defaultdict(list)
        for m in there:
            found[oddmail.number_of(m.raw)].append(m)
        return result, found

    def compare(self, result, found, kinds):
        """Every message of the corpus, and nothing else."""
        wrong, refused = [], collections.Counter()
        for item in self.corpus.items:
            mails = found.pop(item.number, [])
            rule = kinds.get(item.kind)
            if isinstance(rule, Refused) and not item.skipped:
                refused[rule.says] += 1
            if item.skipped or isinstance(rule, Refused):
                if mails:
                    wrong.append("%s is there" % (item,))
            elif len(mails) != 1:
                wrong.append("%d times there: %s" % (len(mails), item))
            else:
                wrong += self.differences(item, mails[0], rule)
        for mails in found.values():
            wrong.append("whose is this: %s" % (mails,))
        self.assertEqual(wrong[:5], [], "%d are wrong" % len(wrong))
        self.assertEqual(self.said(result, refused), refused)
        self.counts(result, kinds)

    @staticmethod
    def said(result, refused):
        """How many messages each reason was given for. After a lost connection the
        same is said again, and a copy's fate is that of the first."""
        reasons = {}
        for event in result.events:
            if event["event"] == "message" and event["state"] == "failed":
                known = [s for s in refused if s in event["reason"]]
                number = re.search(r"\.M(\d+)P", event["locator"])
                reasons[number[1] if number else event["locator"]] = \
                    known[0] if known else event["reason"]
        return collections.Counter(reasons.values())

    def differences(self, item, mail, rule):
        want = oddmail.wire(item.raw)
        got = mail.raw
        if rule:
            want = rule.becomes(want)
            if rule.becomes is encoded:
                got = decoded(got)
        pairs = (("folder", "/".join(item.folder) or "INBOX", self.shown(mail.folder)),
                 ("bytes", want, got),
                 ("size", len(mail.raw), mail.size),
                 ("flags", self.flags(item), mail.flags),
                 ("date", self.date(item, mail.raw), mail.date))
        for what, wanted, have in pairs:
            if wanted != have:
                yield "%s of %d (%s): wanted %r, got %r" % (
                    what, item.number, item.kind, wanted, have)

    def counts(self, result, kinds):
        summary, items = result.summary, self.corpus.items
        skipped = sum(i.skipped for i in items)
        copies = sum(i.number in self.corpus.copies for i in items)
        bad = [i for i in items
               if isinstance(kinds.get(i.kind), Refused) and not i.skipped]
        bad_copies = sum(i.number in self.corpus.copies for i in bad)
        self.assertEqual(
            (summary.found, summary.uploaded, summary.duplicate, summary.skipped,
             summary.failed),
            (len(items) + copies, len(items) - skipped - len(bad),
             copies - bad_copies, skipped, len(bad) + bad_copies))
        self.assertEqual(result.code, 1 if bad else 0, str(result))

    def after(self, first, found, kinds, *options):
        """A second run sends nothing, verify finds all, verify --full names exactly
        what the server has changed."""
        there = [m for mails in found.values() for m in mails]
        again = self.migrate(*self.common, *options, *self.corpus.sources,
                             to=self.where, want=None, timeout=400).summary
        self.assertEqual((again.uploaded, again.already, again.failed),
                         (0, first.uploaded, first.failed))
        quick = self.verify()
        self.assertEqual((quick.code, quick.summary.found, quick.summary.failed),
                         (0, len(there), 0), str(quick))
        want = sorted(i.number for i in self.corpus.items if not i.skipped and
                      getattr(kinds.get(i.kind), "proof", False))
        full = self.verify("--full")
        ids = [e["message_id"] for e in full.events if e["event"] == "finding"]
        self.assertEqual((full.code, full.summary.failed),
                         (1 if ids else 0, len(ids)), str(full))
        if self.without_uids:
            ids = list(filter(None, ids))
        self.assertEqual(sorted(int(i.partition(".")[0]) for i in ids), want)

    def verify(self, *options):
        return self.run_program("verify", *self.options(), *self.common, *options,
                                self.where, timeout=400)

    def test_as_it_is(self):
        if LONG:
            self.corpus = oddmail.Corpus(self.path("long"), 2000)
        result, found = self.bring("imap")
        self.compare(result, dict(found), self.kinds)
        self.after(result.summary, found, self.kinds)

    def test_over_tls(self):
        result, found = self.bring("imaps", "-j", "1")
        self.compare(result, dict(found), self.kinds)

    def test_repaired(self):
        options = ["--on-refused=repair", "--encode-headers"]
        kinds = {k: rule for k, rule in {**self.kinds, **self.repaired}.items() if rule}
        result, found = self.bring("imap", *options)
        self.compare(result, dict(found), kinds)
        self.after(result.summary, found, kinds, *options)

    def test_the_ledger_is_lost(self):
        first, found = self.bring("imap")
        self.ledger = self.path("new.db")
        second, found = self.bring("imap")
        wrong = {i.kind for i in self.corpus.items if len(found[i.number]) > 1}
        self.assertEqual(wrong, set(self.unrecognised))
        self.assertEqual(second.summary.already + second.summary.uploaded,
                         first.summary.uploaded)


class OnDovecot(Matrix, Case):
    make = Dovecot
    kinds = {
        "nul": Changed("also in a BINARY literal8", nul_to_0x80, True),
        "cr_cr_lf": Changed("its own line ends are CRLF", one_cr_less, True),
    }


class OnDovecotDbox(OnDovecot):
    settings = {"format": "mdbox", "separator": ".", "prefix": "INBOX."}
    prefix = "INBOX"


class OnCyrus(Matrix, Case):
    make = servers.Cyrus
    kinds = {
        "shift_jis_header": Changed("munge8bit, on by default", x_for_8bit, True),
        "utf_8_header": Changed("munge8bit, on by default", x_for_8bit, True),
        "no_field": Refused("it parses the header", "Message contains invalid header"),
    }
    repaired = {
        "shift_jis_header": Changed("encoded words", encoded, False),
        "utf_8_header": Changed("encoded words", encoded, False),
        "no_field": Changed("the header ends there", fields_cut_off, False),
    }


class OnCyrusWithDots(OnCyrus):
    settings = {"separator": ".", "prefix": "INBOX."}
    prefix = "INBOX"


class OnCourier(Matrix, Case):
    make = servers.Courier
    prefix = "INBOX"
    kinds = {
        "lone_cr": Changed("it drops every CR and writes CRLF", without_lone_cr, True),
        "cr_cr_lf": Changed("likewise", without_lone_cr, True),
        "no_last_eol": Changed("its files end with one", one_more_eol, False),
        "nul": NO_BINARY,
    }
    repaired = {"nul": NUL_REPAIRED}
    # core/adopt.c knows other servers' changes, but not a CR that is dropped.


class OnMailutils(Matrix, Case):
    make = servers.Mailutils
    without_uids = True
    kinds = {
        "header_only": Changed("its headers end", one_more_eol, False),
        "no_field": Changed("it writes fields anew", fields_rewritten, True),
        "nul": NO_BINARY,
    }
    repaired = {"nul": NUL_REPAIRED}

    def flags(self, item):
        return frozenset()  # APPEND takes them, and drops them

    def date(self, item, raw):
        """That of the Date field, in 32 bits."""
        field = re.search(rb"^Date: (.*?)\r$", raw, re.M)[1].decode()
        t = email.utils.mktime_tz(email.utils.parsedate_tz(field))
        return t if t < 1 << 31 else t - (1 << 32)


if __name__ == "__main__":
    main()
