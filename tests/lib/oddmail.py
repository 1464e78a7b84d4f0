# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail of every awkward kind, made with a fixed seed, as a Maildir++ and an mbox, with
what must arrive of it: folder, bytes, flags, date.

Each message has its number in a field of its own (X-Number), by which it is found again
on a server whatever else became of it. Kinds are functions: they make one message of the
number, as its store holds it, and their docstring says what is odd about it.
"""
import base64
import collections
import os
import random
import re
import time

from onserver import utf7_encode

Item = collections.namedtuple(
    "Item", "number kind raw flags date folder store skipped")

FUTURE = 2_190_000_000  # 2039
JAPANESE = ("御見積書の件", "会議のお知らせ", "写真を送ります", "表示と十分な機能", "ソ連の予算")
WORDS = ("quick brown fox jumps over lazy dog lorem ipsum dolor sit amet .profile "
         "letter 42 = ? & <html> \\ \" ' 100%").split()


def text(rng, lines=6):
    return "".join(" ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 12)))
                   + "\n" for _ in range(rng.randrange(1, lines)))


def fields(n, rng, subject=None, message_id=None, date=None, more=()):
    """The header: bytes, LF line ends, without the empty line."""
    if subject is None:
        subject = "number %d" % n
    if isinstance(subject, str):
        subject = subject.encode()
    lines = [b"Return-Path: <sender@example.org>", b"X-Number: %d." % n,
             b"From: Sender <sender%d@example.org>" % (n % 9),
             b"To: taro@example.jp", b"Subject: " + subject,
             b"Date: " + (date or stamp(n)).encode()]
    if message_id is None:
        message_id = b"<%d.%08x@example.org>" % (n, rng.getrandbits(32))
    if message_id:
        lines.append(b"Message-ID: " + message_id)
    return b"\n".join(lines + list(more)) + b"\n"


def instant(n):
    """The instant in message n's Date field: 1972, 1994 and later ones."""
    return (70_000_000, 770_000_000, 1_100_000_000, 1_500_000_000)[n % 4] + n * 7919


def stamp(n, t=None):
    zone = ("+0900", "-0800", "+0000", "+0530")[n % 4]
    offset = (int(zone[1:3]) * 60 + int(zone[3:])) * 60 * (1 if zone[0] == "+" else -1)
    return time.strftime("%a, %d %b %Y %H:%M:%S " + zone,
                         time.gmtime((instant(n) if t is None else t) + offset))


# -- kinds ---------------------------------------------------------------

def plain(n, rng):
    """Nothing."""
    return fields(n, rng) + b"\n" + text(rng).encode()


def mime(n, rng):
    """A multipart with an attachment."""
    part = base64.encodebytes(rng.randbytes(rng.randrange(2_000, 30_000)))
    more = [b"MIME-Version: 1.0",
            b'Content-Type: multipart/mixed;\n\tboundary="=_%d"' % n]
    return fields(n, rng, "=?UTF-8?B?5b6h6KaL56mN?= =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=",
                  more=more) + b"".join([
        b"\nThis is MIME.\n--=_%d\nContent-Type: text/plain\n\n" % n,
        text(rng).encode(), b"--=_%d\nContent-Type: application/octet-stream\n" % n,
        b"Content-Transfer-Encoding: base64\n\n", part, b"--=_%d--\n" % n])


def iso_2022_jp(n, rng):
    """Header and body in ISO-2022-JP, raw: seven bits, with ESC."""
    line = rng.choice(JAPANESE).encode("iso-2022-jp")
    return fields(n, rng, line, more=[
        b"Content-Type: text/plain; charset=ISO-2022-JP"]) + b"\n" + line * 3 + b"\n"


def shift_jis_header(n, rng):
    """Raw Shift_JIS in the header, where a second byte can be 0x5C or 0x7C."""
    line = rng.choice(JAPANESE).encode("cp932")
    return fields(n, rng, line, more=[b"X-Sender: " + line]) + b"\n" + line + b"\n"


def utf_8_header(n, rng):
    """Raw UTF-8 in the header."""
    return fields(n, rng, "Grüße, " + rng.choice(JAPANESE) + " 🎌") + b"\n" + \
        text(rng).encode()


def eight_bit_body(n, rng):
    """Every byte from 0x80 in the body, in no charset at all."""
    block = bytes(range(0x80, 0x100))
    return fields(n, rng, more=[b"Content-Transfer-Encoding: 8bit"]) + b"\n" + \
        block + b"\n" + rng.choice(JAPANESE).encode() + b"\n"


def dots(n, rng):
    """Lines that SMTP, POP and mbox write differently."""
    return fields(n, rng) + b"\n.\n..\n.hidden\nFrom here on\n>From there\n" \
        b">>From\n)\nA1 OK\n* BYE\n+ \n" + text(rng).encode()


def long_line(n, rng):
    """A line of 1,200 octets: over what SMTP takes."""
    return fields(n, rng) + b"\n" + b"a" * 1200 + b"\n" + text(rng).encode()


def longer_line(n, rng):
    """A line of 12,000 octets: over what some servers take."""
    return fields(n, rng) + b"\n" + text(rng).encode() + b"b " * 6000 + b"\n"


def long_header(n, rng):
    """A field of 20,000 octets, folded, and one line of 2,000."""
    to = b"Cc: " + b",\n\t".join(b"someone%d@example.org" % i for i in range(900))
    return fields(n, rng, more=[to, b"X-Long: " + b"x" * 2000]) + b"\n" + \
        text(rng).encode()


def no_last_eol(n, rng):
    """No line end after the last line."""
    return fields(n, rng) + b"\n" + text(rng).encode() + b"the end"


def lone_cr(n, rng):
    """CR without LF, in the middle of a line and at its start."""
    return fields(n, rng) + b"\nbefore\rafter\n\rstart\n" + text(rng).encode()


def cr_cr_lf(n, rng):
    """CR CR LF, as some gateway left it."""
    return fields(n, rng) + b"\none\r\r\ntwo\r\n" + text(rng).encode()


def crlf(n, rng):
    """CRLF in the store already."""
    return plain(n, rng).replace(b"\n", b"\r\n")


def mixed_ends(n, rng):
    """CRLF in the header, LF in the body: Thunderbird on Linux."""
    head, _, body = plain(n, rng).partition(b"\n\n")
    return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


def nul(n, rng):
    """A NUL in the body."""
    return fields(n, rng) + b"\nbefore\0after\n" + text(rng).encode()


def empty_body(n, rng):
    """A header, the empty line, and no body."""
    return fields(n, rng) + b"\n"


def header_only(n, rng):
    """A header without the empty line that ends it."""
    return fields(n, rng)


def no_message_id(n, rng):
    """No Message-ID."""
    return fields(n, rng, message_id=b"") + b"\n" + text(rng).encode()


def same_message_id(n, rng):
    """A Message-ID that other mail in the folder has too, with another body."""
    return fields(n, rng, message_id=b"<always.the.same@example.org>") + b"\n" + \
        text(rng).encode() + b"%d\n" % n


def no_field(n, rng):
    """A line in the header that is no field, and a blank before a colon."""
    return fields(n, rng, more=[b">From someone Mon Jan  1 00:00:00 2001",
                                b"X-Blank : v"]) + b"\n" + text(rng).encode()


def blanks(n, rng):
    """Empty lines and blanks at the end, and lines of nothing but blanks."""
    return fields(n, rng) + b"\n\n \n\t\n" + text(rng).encode() + b"  \n\n\n\n"


KINDS = (plain, mime, iso_2022_jp, shift_jis_header, utf_8_header, eight_bit_body, dots,
         long_line, longer_line, long_header, no_last_eol, lone_cr, cr_cr_lf, crlf,
         mixed_ends, nul, empty_body, header_only, no_message_id, same_message_id,
         no_field, blanks)
# An mbox cannot say whether the last line of a message had an end.
NOT_IN_MBOX = (no_last_eol, header_only, empty_body)

FOLDERS = ((), ("仕事", "2024", "見積"), ("Sent",), ("with space", "R&D"),
           ("日本語",), ("a", "b", "c", "d", "e", "f", "g", "h"))
KEYWORDS = ("$label1", "Junk", "NonJunk", "$MDNSent")  # letters a, b, ...
LETTERS = ("S", "", "RS", "FS", "DS", "P", "Sa", "Sab", "abcd", "DFPRSabcd", "Sc", None)
MEANS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "D": "\\Draft",
         "P": "$Forwarded", **{chr(ord("a") + i): k for i, k in enumerate(KEYWORDS)}}


def wire(raw):
    """What is to arrive: every LF that is not behind a CR becomes CRLF."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", raw)


def number_of(raw):
    """The X-Number of mail as it arrived."""
    found = re.search(rb"^X-Number: (\d+)\.", raw, re.M)
    return int(found[1]) if found else None


class Corpus:
    """count messages below folder: most in a Maildir++, some in an mbox. sources are
    the arguments for mailhaul, items what is in them in order; copies are the numbers
    of which there is a second, identical one in the same folder."""

    def __init__(self, folder, count, seed=20):
        self.items, self.copies = [], set()
        rng = random.Random(seed)
        maildir, mbox = os.path.join(folder, "Maildir"), os.path.join(folder, "old.mbox")
        for n in range(count):
            kind = KINDS[n % len(KINDS)]
            if n % 5 == 4 and kind not in NOT_IN_MBOX:
                self._add_mbox(mbox, n, kind, rng)
            else:
                self._add_maildir(maildir, n, kind, rng)
        self.sources = ["maildir:" + maildir, "mbox:" + mbox]

    def _add_maildir(self, root, n, kind, rng):
        raw = kind(n, rng)
        path = FOLDERS[rng.randrange(len(FOLDERS))]
        letters = LETTERS[n % len(LETTERS)]
        skipped = n % 50 == 49  # deleted in its store: not to come over
        named, mtime, date = self._times(n)
        if named is date is None:  # its name is in the future and so is its Date
            raw = raw.replace(stamp(n).encode(), stamp(n, FUTURE + n).encode())
            named, date = FUTURE + n, mtime
        elif path == ("Sent",):  # it was written then, not delivered
            date = instant(n)
        flags = frozenset(MEANS[c] for c in letters or "")
        home = os.path.join(root, "".join("." + utf7_encode(part) for part in path))
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(home, sub), exist_ok=True)
        with open(os.path.join(home, "dovecot-keywords"), "w") as f:
            f.writelines("%d %s\n" % pair for pair in enumerate(KEYWORDS))
        sub = "new" if letters is None else "cur"
        mark = "" if letters is None else ":2," + letters + ("T" if skipped else "")
        skipped = skipped and letters is not None
        copies = 1
        if n % 40 == 7 and not skipped:
            self.copies.add(n)
            copies = 2
        for i in range(copies):
            name = os.path.join(home, sub, "%d.M%dP%d.host%s" % (named, n, i, mark))
            with open(name, "wb") as f:
                f.write(raw)
            os.utime(name, (mtime, mtime))
        self.items.append(Item(n, kind.__name__, raw, flags, date, path, "maildir",
                               skipped))

    @staticmethod
    def _times(n):
        """(number in the file's name, file's time, the date that is to arrive)."""
        mtime = 1_650_000_000 + n
        if n % 7 == 1:  # no Maildir was there then: the Date field says when
            return 5_000_000 + n, mtime, instant(n)
        if n % 7 == 2:  # the future: the Date field says when
            return FUTURE + n, mtime, instant(n)
        if n % 28 == 3:
            return None, mtime, None
        named = 760_000_000 + n * 301_111 % 900_000_000
        return named, mtime, named

    def _add_mbox(self, path, n, kind, rng):
        raw = kind(n, rng)
        seen, answered, flagged = n % 2, n % 3 == 0, n % 7 == 0
        date = instant(n) + 3600
        status = b"Status: %s\n" % (b"RO" if seen else b"O")
        if answered or flagged:
            status += b"X-Status: %s\n" % (b"A" * answered + b"F" * flagged)
        if b"\r\n" in raw.partition(b"\n")[0] + b"\n":
            status = status.replace(b"\n", b"\r\n")
        at = re.search(rb"^X-Number: [^\n]*\n", raw, re.M).end()
        body = re.sub(rb"^(>*From )", rb">\1", raw[:at] + status + raw[at:], flags=re.M)
        with open(path, "ab") as f:
            f.write(time.strftime("From sender@example.org %a %b %d %H:%M:%S %Y\n",
                                  time.gmtime(date)).encode())
            f.write(body + b"\n")
        flags = {"\\Seen"} if seen else set()
        flags |= ({"\\Answered"} if answered else set()) | \
            ({"\\Flagged"} if flagged else set())
        self.items.append(Item(n, kind.__name__, raw, frozenset(flags), date, ("old",),
                               "mbox", False))
