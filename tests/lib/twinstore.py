# SPDX-License-Identifier: GPL-3.0-or-later
"""The same messages as every kind of store that keeps a message's bytes: mbox with LF,
with CRLF and packed, Maildir, Maildir as Dovecot packs it, MH, EML files, Apple Mail's
emlx, Outlook Express' dbx. Each store is written as its program does it
(docs/formats.md); what it cannot keep of a message, such as whether its last line had an
end, is what no digest looks at.
"""
import bz2
import collections
import gzip
import lzma
import os
import random
import re
import struct
import time

import oddmail

Store = collections.namedtuple("Store", "kind format path")


def messages(count, seed=1):
    """Every kind of oddmail, over and over: raw bytes as a UNIX store has them."""
    rng = random.Random(seed)
    return [oddmail.KINDS[n % len(oddmail.KINDS)](n, rng) for n in range(count)]


def _put(path, raw, when=1_600_000_000):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(raw)
    os.utime(path, (when, when))


def mbox(raws):
    """As mboxrd has it: a '>' more before every From_ line; a blank line behind each
    message, and before it a line end where the message has none."""
    parts = []
    for n, raw in enumerate(raws):
        stamp = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(oddmail.instant(n)))
        parts.append(b"From sender@example.org " + stamp.encode() + b"\n")
        parts.append(re.sub(rb"^(>*From )", rb">\1", raw, flags=re.M))
        parts.append(b"\n" if raw.endswith(b"\n") else b"\n\n")
    return b"".join(parts)


def write_mbox(folder, raws):
    path = os.path.join(folder, "Twins")
    _put(path, mbox(raws))
    return path


def write_mbox_crlf(folder, raws):
    path = os.path.join(folder, "Twins")
    _put(path, oddmail.wire(mbox(raws)))
    return path


def write_mbox_gzip(folder, raws):
    path = os.path.join(folder, "Twins.gz")
    _put(path, gzip.compress(mbox(raws)))
    return path


def write_maildir_packed(folder, raws):
    """The names say nothing of it; S= is the size unpacked."""
    packers = (gzip.compress, bz2.compress, lzma.compress)
    packed = [packers[n % 3](raw) for n, raw in enumerate(raws)]
    return write_maildir(folder, packed, [len(raw) for raw in raws])


def write_maildir(folder, raws, sizes=None):
    for n, raw in enumerate(raws):
        new = n % 3 == 0
        size = sizes[n] if sizes else len(raw)
        name = "%d.M%dP7.host,S=%d" % (1_600_000_000 + n, n, size)
        _put(os.path.join(folder, "Twins", "new" if new else "cur",
                          name + ("" if new else ":2,S")), raw)
    for sub in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, "Twins", sub), exist_ok=True)
    return folder


def write_mh(folder, raws):
    for n, raw in enumerate(raws):
        _put(os.path.join(folder, "Twins", str(n + 1)), raw)
    _put(os.path.join(folder, "Twins", ".mh_sequences"), b"cur: 1\nunseen: 2-4 7\n")
    return folder


def write_eml(folder, raws):
    """As Windows programs save them: CRLF."""
    for n, raw in enumerate(raws):
        _put(os.path.join(folder, "Twins", "mail %03d.eml" % n), oddmail.wire(raw))
    return folder


PLIST = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" \
"http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>date-received</key>
	<integer>%d</integer>
	<key>flags</key>
	<integer>%d</integer>
</dict>
</plist>
"""


def write_emlx(folder, raws):
    for n, raw in enumerate(raws):
        _put(os.path.join(folder, "Twins.mbox", "Messages", "%d.emlx" % (n + 1)),
             b"%-10d\n" % len(raw) + raw +
             (PLIST % (1_600_000_000 + n, 0x2000001)).encode())
    return folder


class _Dbx:
    """Outlook Express' file of a folder (https://www.infobyte.hr/oedbx): objects that
    begin with their own address, texts in chained blocks, a tree of records."""

    BLOCK, NODE = 0x200, 0x27C

    def __init__(self):
        self.file = bytearray(0x24BC + 0x618)
        self.file[0:28] = bytes.fromhex("cfad12fec5fd746f66e3d1119a4e00c04fa309d4"
                                        "0500000005000000")
        self.put(0x1C, 0x618)
        self.file[0x24BC], self.file[0x24BC + 4] = 1, 3  # of Local Folders
        self.file[0x24BC + 0x105:0x24BC + 0x10A] = b"Twins"

    def put(self, at, *values):
        struct.pack_into("<%dI" % len(values), self.file, at, *values)

    def add(self, data):
        at = len(self.file)
        self.file += data
        return at

    def text(self, raw):
        """A chain of blocks; where it begins."""
        first = len(self.file)
        for i in range(0, len(raw), self.BLOCK):
            part = raw[i:i + self.BLOCK]
            at = self.add(bytes(0x10 + self.BLOCK))
            last = i + self.BLOCK >= len(raw)
            self.put(at, at, self.BLOCK, len(part), 0 if last else len(self.file))
            self.file[at + 0x10:at + 0x10 + len(part)] = part
        return first

    def record(self, number, raw):
        """Number, flags (read), the text, when it was received."""
        text = self.text(raw)
        when = (1_600_000_000 + number + 11_644_473_600) * 10_000_000
        data = struct.pack("<IIQ", 0x81, text, when)
        fields = (0x80 | number << 8, 0x01, 0x04 | 4 << 8, 0x12 | 8 << 8)
        at = self.add(bytes(12))
        self.put(at, at, 4 * len(fields) + len(data))
        self.file[at + 10:at + 12] = bytes([len(fields), 1])
        self.add(struct.pack("<4I", *fields) + data)
        return at

    def node(self, parent, records):
        """A node without children but those that are put in later."""
        at = self.add(bytes(self.NODE))
        self.put(at, at, 0, 0, parent)
        self.file[at + 17] = len(records)
        for i, record in enumerate(records):
            self.put(at + 24 + 12 * i, record)
        return at

    def tree(self, records):
        """The root, with a child in front of its entries and behind each."""
        if len(records) <= 0x33:
            return self.node(0, records)
        chunk = 20
        root = self.node(0, records[chunk::chunk + 1])
        for i in range(0, len(records), chunk + 1):
            part = records[i:i + chunk]
            slot = root + 8 if not i else root + 24 + 12 * (i // (chunk + 1) - 1) + 4
            if part:
                self.put(slot, self.node(root, part))
                self.put(root + 20 if not i else slot + 4, len(part))
        return root

    def write(self, raws):
        records = [self.record(n + 1, raw) for n, raw in enumerate(raws)]
        self.put(0xE4, self.tree(records))
        self.put(0xC4, len(records))
        self.put(0x7C, len(self.file))
        return bytes(self.file)


def write_dbx(folder, raws):
    """The text is CRLF, as it came from the server."""
    path = os.path.join(folder, "Twins.dbx")
    _put(path, _Dbx().write([oddmail.wire(raw) for raw in raws]))
    return path


KINDS = {
    "mbox": ("mbox", write_mbox),
    "mbox-crlf": ("mbox", write_mbox_crlf),
    "mbox-gzip": ("mbox", write_mbox_gzip),
    "maildir": ("maildir", write_maildir),
    "maildir-packed": ("maildir", write_maildir_packed),
    "mh": ("mh", write_mh),
    "eml": ("eml", write_eml),
    "emlx": ("emlx", write_emlx),
    "dbx": ("dbx", write_dbx),
}


def write(folder, raws):
    """Write every store below folder: a list of Store."""
    return [Store(kind, format, writer(os.path.join(folder, kind), raws))
            for kind, (format, writer) in sorted(KINDS.items())]
