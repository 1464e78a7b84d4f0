# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores of Outlook Express 5/6 and 4, made as https://www.infobyte.hr/oedbx and
https://hwiegman.home.xs4all.nl/fileformats describe them; it shares nothing with the
reader."""
import os
import struct

from makemail import write

READ, DRAFT, FLAGGED, ANSWERED, FORWARDED = 0x80, 0x08, 0x20, 0x80000, 0x100000
INBOX, OUTBOX, SENT, DELETED, DRAFTS = 1, 2, 3, 4, 5
LOCAL, IMAP, NEWS = 3, 1, 0


def numbers(*values):
    return b"".join(struct.pack("<I", v & 0xFFFFFFFF) for v in values)


class Dbx:
    """One file. Every object begins with its address."""

    def __init__(self, kind=b"\xC5", source=LOCAL, name=""):
        head = bytearray(0x24BC)
        head[:28] = (b"\xCF\xAD\x12\xFE" + kind + b"\xFD\x74\x6F\x66\xE3\xD1\x11\x9A\x4E"
                     b"\x00\xC0\x4F\xA3\x09\xD4\x05\0\0\0\x05\0\0\0")
        head[0x1C:0x20] = numbers(0x618)
        info = bytearray(0x618)
        info[0], info[4] = 1, source
        encoded = name.encode("cp932")
        info[0x105:0x105 + len(encoded)] = encoded
        self.bytes = head + info
        self.records = []

    def text(self, raw):
        first = len(self.bytes)
        parts = [raw[i:i + 0x200] for i in range(0, len(raw), 0x200)]
        for i, part in enumerate(parts):
            at = len(self.bytes)
            following = at + 0x210 if i + 1 < len(parts) else 0
            self.bytes += numbers(at, 0x200, len(part), following) + part.ljust(0x200, b"\0")
        return first

    def record(self, values):
        """values: index to bytes, or to a number below 2^24."""
        index, data, at = b"", b"", len(self.bytes)
        for key, value in sorted(values.items()):
            if isinstance(value, int):
                index += numbers(0x80 | key | value << 8)
            else:
                index += numbers(key | len(data) << 8)
                data += value
        data += b"\0" * (-len(data) % 4)
        self.bytes += (numbers(at, len(index + data)) + b"\0\0" +
                       bytes([len(values), 1]) + index + data)
        self.records.append(at)

    def message(self, raw, flags=READ, received=1_000_000_000, fetched=True):
        values = {
            0x00: len(self.records) + 1,
            0x01: numbers(flags | 1),
            0x08: b"subject\0",
            0x12: struct.pack("<Q", (received + 11644473600) * 10**7),
        }
        if fetched:
            values[0x04] = numbers(self.text(raw))
        self.record(values)

    def folder(self, number, parent, name, file="", use=0, source=LOCAL, count=0):
        values = {
            0x00: number, 0x01: numbers(parent), 0x02: name.encode("cp932") + b"\0",
            0x07: count, 0x09: use, 0x0A: source,
        }
        if file:
            values[0x03] = file.encode("cp932") + b"\0"
        self.record(values)

    def node(self, records, parent):
        at = len(self.bytes)
        self.bytes += bytes(0x27C)
        here, below = records[:0x20], records[0x20:]
        child = self.node(below, at) if below else 0
        self.bytes[at:at + 24] = (numbers(at, 0, 0, parent) +
                                  bytes([0, len(here), 0, 0]) + numbers(0))
        for i, record in enumerate(here):
            last = i + 1 == len(here)
            self.bytes[at + 24 + 12 * i:at + 36 + 12 * i] = numbers(
                record, child if last else 0, len(below) if last else 0)
        return at

    def save(self, path):
        root = self.node(self.records, 0) if self.records else 0
        self.bytes[0xC4:0xC8] = numbers(len(self.records))
        self.bytes[0xE4:0xE8] = numbers(root)
        write(path, bytes(self.bytes))


def store(root, folders):
    """folders: (name, use, [(raw, flags)]). Folders.dbx has the names; the files
    are numbered."""
    tree = Dbx(b"\xC6")
    tree.folder(0, 0xFFFFFFFF, "Outlook Express")
    tree.folder(1, 0, "ローカル フォルダ")
    for i, (name, use, mails) in enumerate(folders):
        file = "%d.dbx" % i
        tree.folder(10 + i, 1, name, file, use, count=len(mails))
        dbx = Dbx(name=name)
        for raw, flags in mails:
            dbx.message(raw, flags)
        dbx.save(os.path.join(root, file))
    tree.save(os.path.join(root, "Folders.dbx"))
    return root


def oe4(path, mails):
    """An .mbx with its .idx: mails are (raw, flags), flags as in the .idx."""
    mbx = bytearray(b"JMF6\x03\0\x01\x01".ljust(84, b"\0"))
    idx = bytearray(b"JMF9\x04\0\x01\0".ljust(80, b"\0"))
    for i, (raw, flags) in enumerate(mails):
        pad = -len(raw) % 4
        idx += numbers(flags, 0, i + 1, len(idx), 240, len(mbx), 16 + len(raw) + pad)
        idx += bytes(240 - 28)
        mbx += b"\0\x7F\0\x7F" + numbers(i + 1, 16 + len(raw) + pad, len(raw)) + raw + bytes(pad)
    mbx[8:20] = numbers(len(mails), len(mails), len(mbx))
    idx[8:16] = numbers(len(mails), len(idx))
    write(path + ".mbx", bytes(mbx))
    write(path + ".idx", bytes(idx))
