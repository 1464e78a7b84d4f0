# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the server, read with Python's own imaplib: the client under test has no
say in what arrived."""
import base64
import collections
import email.utils
import hashlib
import re
import time
import unicodedata

Mail = collections.namedtuple("Mail", "folder uid sha256 flags date size raw")

LIST_LINE = re.compile(rb'\((?P<flags>[^)]*)\) (?P<sep>"(?:\\.|[^"])*"|NIL) (?P<name>.*)')


def utf7_decode(name):
    """Modified UTF-7 (RFC 3501 section 5.1.3) to text."""
    def run(match):
        if not match[1]:
            return "&"
        coded = match[1].replace(",", "/")
        coded += "=" * (-len(coded) % 4)
        return base64.b64decode(coded).decode("utf-16-be")
    return re.sub(r"&([A-Za-z0-9+,]*)-", run, name)


def utf7_encode(name):
    def run(match):
        coded = base64.b64encode(match[0].encode("utf-16-be")).decode()
        return "&" + coded.rstrip("=").replace("/", ",") + "-"
    return re.sub(r"[^\x20-\x7e]+", run, name.replace("&", "&-"))


def _quote(wire):
    return '"%s"' % wire.replace("\\", "\\\\").replace('"', '\\"')


def _list(connection):
    """(flags, separator, wire name) of every mailbox."""
    found = []
    status, lines = connection.list()
    for line in lines:
        if line is None:
            continue
        literal = None
        if isinstance(line, tuple):
            line, literal = line
        match = LIST_LINE.match(line)
        if match is None:
            continue
        name = literal if literal is not None else match["name"]
        if literal is None and name.startswith(b'"'):
            name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
        separator = match["sep"].decode().strip('"').replace("\\\\", "\\")
        found.append((match["flags"].decode().split(), separator,
                      name.decode("ascii")))
    return found


def folders(connection):
    """{path with '/' between its parts: wire name} of every mailbox that can be
    selected. A '/' inside a part, where the server allows it, is shown as '\\'."""
    found = {}
    for flags, separator, wire in _list(connection):
        if "\\Noselect" in flags or "\\NonExistent" in flags:
            continue
        shown = utf7_decode(wire)
        if separator != "/":
            shown = shown.replace("/", "\\").replace(separator, "/")
        found[shown] = wire
    return found


def subscribed(connection):
    status, lines = connection.lsub()
    return {utf7_decode(LIST_LINE.match(l)["name"].decode().strip('"'))
            for l in lines if l}


def select(connection, wire, readonly=True):
    status, data = connection.select(_quote(wire), readonly=readonly)
    if status != "OK":
        raise AssertionError("SELECT %s: %s" % (wire, data))
    return int(data[0])


def mails(connection, wire, shown=None, keep_raw=False):
    """Every mail of a folder, in UID order."""
    if select(connection, wire) == 0:
        return []
    status, data = connection.uid(
        "FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    if status != "OK":
        raise AssertionError("FETCH in %s: %s" % (wire, data))
    found = []
    for i, item in enumerate(data):
        if not isinstance(item, tuple):
            continue
        about = item[0]
        if i + 1 < len(data) and isinstance(data[i + 1], bytes):
            about += data[i + 1]  # what came after the literal
        flags = re.search(rb"FLAGS \(([^)]*)\)", about)[1].decode().split()
        date = re.search(rb'INTERNALDATE "([^"]*)"', about)[1].decode()
        found.append(Mail(
            folder=shown or utf7_decode(wire),
            uid=int(re.search(rb"UID (\d+)", about)[1]),
            sha256=hashlib.sha256(item[1].replace(b"\r\n", b"\n")).hexdigest(),
            flags=frozenset(f for f in flags if f != "\\Recent"),
            date=_instant(date),
            size=int(re.search(rb"RFC822.SIZE (\d+)", about)[1]),
            raw=item[1] if keep_raw else None))
    return sorted(found, key=lambda m: m.uid)


def _instant(date):
    """Servers answer in their own zone: compare instants."""
    parsed = email.utils.parsedate_tz(date.strip().replace("-", " ", 2))
    return email.utils.mktime_tz(parsed)


def everything(connection, keep_raw=False):
    found = []
    for shown, wire in sorted(folders(connection).items()):
        found += mails(connection, wire, shown, keep_raw)
    return found


def contents(connection):
    """The mailbox as a multiset: what must be equal when two runs did the same."""
    return collections.Counter(
        (m.folder, m.sha256, m.flags, m.date) for m in everything(connection))


def append(connection, wire, raw, flags="", date=None):
    stamp = '"%s"' % time.strftime("%d-%b-%Y %H:%M:%S +0000",
                                   time.gmtime(date)) if date else None
    status, data = connection.append(_quote(wire), flags, stamp, raw)
    if status != "OK":
        raise AssertionError("APPEND %s: %s" % (wire, data))


def delete(connection, wire, uid):
    select(connection, wire, readonly=False)
    connection.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
    connection.uid("EXPUNGE", str(uid))


def nfc(text):
    return unicodedata.normalize("NFC", text)


def wire_name(part, refused):
    """What becomes of one part of a folder's name: NFC, and '_' for what cannot be
    in a mailbox name there: refused has the separator and what else that server
    does not take."""
    part = nfc(part)
    if part.startswith("~"):
        part = "_" + part[1:]
    return re.sub(r"[%%*\x00-\x1f\x7f%s]" % re.escape(refused), "_", part)
