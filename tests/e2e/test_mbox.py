# SPDX-License-Identifier: GPL-3.0-or-later
"""mboxes from end to end: such as grow, Google Takeout's, and compressed ones."""
import bz2
import collections
import gzip
import lzma
import os

from harness import Case, main
from makemail import mbox, messages, write


def takeout(mails):
    """What Google Takeout writes: (labels as they stand, message with LF)."""
    out = []
    for number, (labels, raw) in enumerate(mails):
        out.append(b"From %d@xxx Tue Mar 19 09:13:%02d +0000 2019\n" %
                   (1628424719502045299 + number, number % 60))
        out.append(b"X-GM-THRID: %d\n" % (1628415971694286313 + number))
        if labels is not None:
            out.append(b"X-Gmail-Labels: " + labels.encode("ascii") + b"\n")
        out.append(raw.replace(b"\nFrom ", b"\n>From ") + b"\n")
    return b"".join(out).replace(b"\n", b"\r\n")


class Growing(Case):
    server = {"separator": "/", "format": "mdbox"}

    def add(self, path, mails):
        more = self.path("more")
        mbox(more, mails)
        with open(more, "rb") as new, open(path, "ab") as old:
            old.write(new.read())

    def total(self):
        return sum(self.on_server().values())

    def test_only_what_is_new_is_read(self):
        path = mbox(self.path("box.mbox"), messages(40, size=4000))
        first = self.migrate("mbox:" + path).summary
        self.assertEqual(first.uploaded, 40)
        size = os.path.getsize(path)
        self.add(path, messages(3, seed=5))
        second = self.migrate("mbox:" + path).summary
        self.assertEqual(second.uploaded, 3)
        self.assertEqual(second.found, 43)
        self.assertLess(second.bytes_read, os.path.getsize(path) - size + 1)
        third = self.migrate("mbox:" + path).summary
        self.assertEqual((third.uploaded, third.bytes_read), (0, 0))
        self.assertEqual(self.total(), 43)

    def test_written_anew(self):
        mails = messages(20)
        path = mbox(self.path("box.mbox"), mails)
        self.migrate("mbox:" + path)
        mbox(path, mails[7:] + messages(4, seed=9))  # compacted, and new mail
        second = self.migrate("mbox:" + path).summary
        self.assertEqual(second.uploaded, 4)
        self.assertEqual(self.total(), 24)

    def test_grown_and_written_anew_longer(self):
        mails = messages(20)
        path = mbox(self.path("box.mbox"), mails)
        self.migrate("mbox:" + path)
        mbox(path, messages(30, seed=4) + mails)
        second = self.migrate("mbox:" + path).summary
        self.assertEqual(second.uploaded, 30)
        self.assertEqual(self.total(), 50)


class Takeout(Case):
    server = {"separator": "/", "format": "mdbox"}

    LABELS = ["Inbox,Unread", "Inbox,Opened,Category Updates", "Sent,Opened",
              "Archived,Opened", None, "Work,Inbox", "Work/Orders,Work,Starred",
              "=?UTF-8?B?5LuV5LqL?=", "Drafts", "Spam,Unread", "Trash,Work",
              '"Trips, 2019",Important']
    FOLDERS = {"Sent": 1, "Archive": 2, "INBOX": 2, "Work": 1, "Work/Orders": 1,
               "仕事": 1, "Drafts": 1, "Spam": 1, "Trash": 1, "Trips, 2019": 1}

    def test_labels_become_folders(self):
        mails = messages(len(self.LABELS))
        path = self.path("All mail Including Spam and Trash.mbox")
        write(path, takeout(zip(self.LABELS, mails)))
        first = self.migrate("mbox:" + path).summary
        self.assertEqual(first.uploaded, len(mails))
        there = self.mails(keep_raw=True)
        count = collections.Counter(m.folder for m in there)
        # Which of the server's own folders stand for Spam and Trash is not asked here.
        for folder, n in self.FOLDERS.items():
            if folder not in ("Spam", "Trash", "Drafts", "Sent", "Archive"):
                self.assertEqual(count[folder], n, count)
        self.assertEqual(sum(count.values()), len(mails))
        # Byte for byte what was there before Google added its two fields.
        self.assertEqual(sorted(m.raw.replace(b"\r\n", b"\n") for m in there),
                         sorted(mails))
        flags = {m.raw.replace(b"\r\n", b"\n"): set(m.flags) for m in there}
        self.assertNotIn("\\Seen", flags[mails[0]])
        self.assertIn("\\Seen", flags[mails[1]])
        self.assertIn("\\Flagged", flags[mails[6]])
        self.assertIn("Work", flags[mails[6]])
        self.assertIn("\\Draft", flags[mails[8]])
        self.assertIn("$Important", flags[mails[11]])
        second = self.migrate("mbox:" + path).summary
        self.assertEqual((second.uploaded, second.bytes_read, second.found),
                         (0, 0, len(mails)))

    def test_cut_off_between_folders(self):
        """A second run after one that read only some of the folders."""
        mails = messages(len(self.LABELS))
        path = self.path("All.mbox")
        write(path, takeout(zip(self.LABELS, mails)))
        self.migrate("--include", "Work*", "mbox:" + path)
        self.migrate("mbox:" + path)
        third = self.migrate("mbox:" + path).summary
        self.assertEqual(third.uploaded, 0)
        self.assertEqual(sum(self.on_server().values()), len(mails))

    def test_two_exports(self):
        mails = messages(6)
        path = self.path("All.mbox")
        write(path, takeout((("Inbox", m) for m in mails[:4])))
        self.migrate("mbox:" + path)
        write(path, takeout((("Inbox", m) for m in mails)), mtime=1_700_000_000)
        second = self.migrate("mbox:" + path).summary
        self.assertEqual((second.found, second.uploaded), (6, 2))
        self.assertEqual(sum(self.on_server().values()), 6)


class Packed(Case):
    server = {"separator": "/", "format": "mdbox"}

    def raw(self, *args, **how):
        with open(mbox(self.path("box"), messages(*args, **how)), "rb") as f:
            return f.read()

    def test_packed_twins(self):
        """The same mailbox four times: it is sent once."""
        folder = self.path("mail")
        os.mkdir(folder)
        raw = self.raw(15)
        for name, pack in (("a.mbox", bytes), ("a.mbox.gz", gzip.compress),
                           ("a.mbox.bz2", bz2.compress), ("a.mbox.xz", lzma.compress)):
            write(os.path.join(folder, name), pack(raw))
        first = self.migrate("mbox:" + folder).summary
        self.assertEqual((first.found, first.uploaded, first.duplicate), (60, 15, 45))
        second = self.migrate("mbox:" + folder).summary
        self.assertEqual((second.uploaded, second.bytes_read), (0, 0))

    def test_cut_off(self):
        raw = self.raw(200, size=3000)
        path = self.path("a.mbox.gz")
        write(path, gzip.compress(raw)[:-20000])
        result = self.migrate("mbox:" + path, want=None)
        self.assertIn("cut off", result.out + result.err)
        self.assertGreater(result.summary.uploaded, 20)


if __name__ == "__main__":
    main()
