# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes of Becky! 2 as the program is known to write them: messages as in SMTP's
DATA, and a list of columns divided by 0x01 with numbers in hexadecimal."""
import os

from makemail import write

READ, FORWARDED, REPLIED, FLAGGED = 1, 2, 4, 0x1000


def bmf(mails):
    """The file, and where each message begins."""
    out, at = bytearray(), []
    for raw in mails:
        at.append(len(out))
        for line in raw.splitlines(keepends=True):
            out += (b"." if line.startswith(b".") else b"") + line
        out += b".\r\n"
    return bytes(out), at


def index(listed, name):
    """listed: (place, status)."""
    out = bytearray(b"Becky! 2.57.01\r\n")
    for place, status in listed:
        out += b"\x01".join([
            b"%x" % place, b"5", name, "件名".encode("cp932"), b"a@example.jp",
            b"b@example.jp", b"<1@example.jp>", b"", b"3eb11b7a", b"3eb11b54",
            b"3eb19ca8", b"787", b"%06x" % status, b"0", b"3", b"0", b"iso-2022-jp",
            b"", b""]) + b"\r\n"
    return bytes(out)


def folder(path, mails, deleted=()):
    """mails: (raw, status); deleted: those that the list has no more."""
    data, at = bmf([raw for raw, _ in mails])
    listed = [(at[i], status) for i, (_, status) in enumerate(mails) if i not in deleted]
    write(os.path.join(path, "3eb70644.bmf"), data)
    write(os.path.join(path, "Folder.idx"), index(listed, b"3eb70644"))


def mailbox(path, name, folders):
    """folders: directory to (mails, deleted)."""
    write(os.path.join(path, "Mailbox.ini"),
          ("[Account]\r\nProtocol=0\r\nName=%s\r\n" % name).encode("cp932"))
    for directory, (mails, deleted) in folders.items():
        folder(os.path.join(path.encode(), directory.encode("cp932")).decode(
            "utf-8", "surrogateescape"), mails, deleted)
    return path
