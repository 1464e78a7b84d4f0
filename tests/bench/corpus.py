# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail to measure with: the same bytes for the same seed, made from a pool of text, with
log-normal sizes (median 8 KiB, mean about 29 KiB) as real mailboxes have them."""
import math
import os
import random
import time

LINE = 77  # with its end
POOL_LINES = 65536
MEDIAN, SIGMA, LARGEST = 8 * 1024, 1.6, 8 << 20


class Corpus:
    def __init__(self, seed=1):
        self.rng = random.Random(seed)
        words = ["".join(self.rng.choices("abcdefghijklmnopqrstuvwxyz", k=k))
                 for k in range(2, 12) for _ in range(60)]
        lines = []
        for _ in range(2048):
            line = " ".join(self.rng.choices(words, k=14))[:LINE - 1]
            lines.append(line.ljust(LINE - 1, ".").encode() + b"\n")
        self.pool = b"".join(self.rng.choices(lines, k=POOL_LINES))
        self.number = 0

    def size(self):
        return min(LARGEST, int(self.rng.lognormvariate(math.log(MEDIAN), SIGMA)))

    def message(self, size=None):
        """One message, LF line ends; size is that of the body, about."""
        n = self.number
        self.number += 1
        date = 1_400_000_000 + n * 3571
        stamp = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(date))
        head = ("Return-Path: <sender%d@example.org>\n"
                "Received: from mx%d.example.org (mx%d.example.org [192.0.2.%d])\n"
                "\tby mail.example.com (Postfix) with ESMTPS id %08X\n"
                "\tfor <taro@example.com>; %s\n"
                "Date: %s\nFrom: Sender %d <sender%d@example.org>\n"
                "To: taro@example.com\nSubject: Message number %d\n"
                "Message-ID: <%d.%016x@example.org>\nMIME-Version: 1.0\n"
                "Content-Type: text/plain; charset=us-ascii\n\n" %
                (n % 97, n % 7, n % 7, n % 250, self.rng.getrandbits(32), stamp,
                 stamp, n % 97, n % 97, n, n, self.rng.getrandbits(64))).encode()
        lines = max(1, (self.size() if size is None else size) // LINE)
        body = []
        while lines > 0:
            take = min(lines, POOL_LINES // 2)
            at = self.rng.randrange(POOL_LINES - take) * LINE
            body.append(self.pool[at:at + take * LINE])
            lines -= take
        return head + b"".join(body), date

    def maildir(self, path, messages, folders=20):
        """A Maildir++ tree; how many bytes of mail it holds."""
        names = [""] + [".Folder%02d" % i for i in range(1, folders)]
        for name in names:
            for sub in ("cur", "new", "tmp"):
                os.makedirs(os.path.join(path, name, sub))
        total = 0
        for i in range(messages):
            raw, date = self.message()
            file = os.path.join(path, names[i * folders // messages], "cur",
                                "%d.M%dP1.bench:2,S" % (date, i))
            with open(file, "wb") as f:
                f.write(raw)
            os.utime(file, (date, date))
            total += len(raw)
        return total

    def mbox(self, path, size):
        """An mbox of at least size bytes; how many messages it has."""
        written = count = 0
        with open(path, "wb") as f:
            while written < size:
                raw, date = self.message()
                raw = time.strftime("From sender@example.org %a %b %d %H:%M:%S %Y\n",
                                    time.gmtime(date)).encode() + raw + b"\n"
                f.write(raw)
                written += len(raw)
                count += 1
        return count


def wire_files(maildir, path):
    """The same mail ready to be sent, for raw_writer: path.bin holds it with CRLF,
    path.idx says "FOLDER OFFSET SIZE" a line."""
    with open(path + ".bin", "wb") as out, open(path + ".idx", "w") as index:
        for name in sorted(os.listdir(maildir)):
            if name not in ("cur",) and not name.startswith("."):
                continue
            cur = os.path.join(maildir, name if name != "cur" else "", "cur")
            folder = name[1:] if name != "cur" else "INBOX"
            for file in sorted(os.listdir(cur)):
                with open(os.path.join(cur, file), "rb") as f:
                    raw = f.read().replace(b"\n", b"\r\n")
                index.write("%s %d %d\n" % (folder, out.tell(), len(raw)))
                out.write(raw)
