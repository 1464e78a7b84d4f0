# SPDX-License-Identifier: GPL-3.0-or-later
"""Small stores to migrate, always the same for the same seed: Maildir trees, mboxes,
and the Thunderbird profiles of tests/fixtures."""
import hashlib
import os
import random
import tarfile
import time

FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                        "fixtures")
CORPORA = os.path.join(os.path.dirname(os.path.dirname(FIXTURES)), "..", "shared",
                       "corpora")

WORDS = ("invoice", "meeting", "Thursday", "attached", "regards", "quarter",
         "delivery", "見積書", "お世話になっております", "確認", "naïve", "façade",
         "please", "offer", "project", "holiday", "printer", "lunch")


def message(rng, number, size=600):
    """One plain message as bytes with LF line ends."""
    date = 1_500_000_000 + number * 7919
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(date))
    lines = [
        "Return-Path: <sender%d@example.org>" % (number % 7),
        "Received: from mx.example.org (mx.example.org [192.0.2.1])",
        "\tby mail.example.com with ESMTP id q%06d;" % number,
        "\t%s" % stamp,
        "Date: %s" % stamp,
        "From: Sender %d <sender%d@example.org>" % (number, number % 7),
        "To: taro@example.com",
        "Subject: %s %d" % (rng.choice(WORDS[:5]), number),
        "Message-ID: <m%d.%08x@example.org>" % (number, rng.getrandbits(32)),
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        "",
    ]
    length = sum(len(line) + 1 for line in lines)
    while length < size:
        line = " ".join(rng.choice(WORDS) for _ in range(9))
        lines.append(line)
        length += len(line.encode()) + 1
    lines.append("-- %d" % number)
    return ("\n".join(lines) + "\n").encode()


def messages(n, seed=1, size=600, first=0):
    rng = random.Random(seed)
    return [message(rng, first + i, rng.randrange(size // 2, size * 2))
            for i in range(n)]


def sha256(raw):
    return hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest()


def write(path, raw, mtime=1_600_000_000):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "wb") as f:
        f.write(raw)
    os.utime(path, (mtime, mtime))


def maildir_folder(path, mails, flags=("S", "", "RS", "FS")):
    """One Maildir folder; the flags go round."""
    for sub in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(path, sub), exist_ok=True)
    for i, raw in enumerate(mails):
        name = "%d.M%dP%dQ%d.host" % (1_600_000_000 + i, i, 7, i)
        mark = flags[i % len(flags)]
        sub, suffix = ("cur", ":2," + mark) if mark is not None else ("new", "")
        write(os.path.join(path, sub, name + suffix), raw, 1_600_000_000 + i)


def maildir(path, folders, seed=1, size=600):
    """A Maildir++ tree: {"": 10, ".Work": 5, ".Work.2024": 3} makes so many each."""
    first = 0
    for name, n in folders.items():
        maildir_folder(os.path.join(path, name) if name else path,
                       messages(n, seed + first, size, first))
        first += n
    return path


def mbox(path, mails):
    """An mbox as rd writes it: From_ lines quoted, a blank line after each."""
    parts = []
    for i, raw in enumerate(mails):
        stamp = time.strftime("%a %b %d %H:%M:%S %Y",
                              time.gmtime(1_500_000_000 + i * 3600))
        lines = [b">" + line if line.lstrip(b">").startswith(b"From ") else line
                 for line in raw.split(b"\n")]
        parts.append(("From sender@example.org %s\n" % stamp).encode() +
                     b"\n".join(lines) + b"\n")
    write(path, b"".join(parts))
    return path


def thunderbird(folder, kind):
    """Unpack a fixture below folder; the profile's path."""
    with tarfile.open(os.path.join(FIXTURES, "thunderbird-%s.tar.gz" % kind)) as t:
        t.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") \
            else t.extractall(folder)
    for name in os.listdir(folder):
        if name.endswith(".default-esr"):
            return os.path.join(folder, name)
    raise AssertionError("no profile in thunderbird-%s.tar.gz" % kind)
