# SPDX-License-Identifier: GPL-3.0-or-later
"""Maildirs that Dovecot itself has written: packed by its zlib plugin, with its names for
keywords, its escapes in folder names, and its dates."""
import os
import sqlite3
import unittest

import dovecot
import twinstore
from harness import Case, main
from onserver import utf7_encode

PLUGINS = """
mail_plugins = zlib listescape
protocol imap {
  mail_plugins = zlib listescape
}
"""
# INTERNALDATE, and the same instant
DATES = (('"01-Feb-2015 03:04:05 +0900"', 1_422_727_445),
         ('"28-Dec-1999 23:59:59 +0000"', 946_425_599))
FOLDER = "A.G. & 50%/日本.語"


class DovecotMaildir(Case):
    def fill(self, server):
        """Mail by IMAP: where it lies, and every message's bytes."""
        connection = server.imap("taro")
        raws = [raw for raw in twinstore.messages(len(twinstore.oddmail.KINDS))
                if b"\0" not in raw]  # which no literal can hold
        wire = utf7_encode(FOLDER)
        for name in ("Moved", wire):
            self.assertEqual(connection.create('"%s"' % name)[0], "OK")
        for n, raw in enumerate(raws):
            answer = connection.append(
                "INBOX", r"(\Seen \Flagged $Label1 Kunde)" if n % 2 else "",
                DATES[n % 2][0], twinstore.oddmail.wire(raw))
            self.assertEqual(answer[0], "OK", answer)
        connection.select("INBOX")
        # As Dovecot shows it: CR CR LF, for one, is CR LF by now.
        kept = [connection.fetch(str(n + 1), "(BODY.PEEK[])")[1][0][1]
                for n in range(len(raws))]
        connection.copy("1:4", "Moved")
        connection.copy("1:2", '"%s"' % wire)
        connection.logout()
        return os.path.join(server.folder, "home", "taro", "Maildir"), kept

    def check_ledger(self, count):
        with sqlite3.connect(self.ledger) as db:
            rows = db.execute(
                "SELECT t.shown, m.flags, m.date FROM message m JOIN target_folder t"
                " ON t.id = m.target_folder").fetchall()
        folders = {}
        for name, flags, date in rows:
            self.assertIn((date, set(flags.split())),
                          [(DATES[0][1], set()),
                           (DATES[1][1], {r"\Seen", r"\Flagged", "$Label1", "Kunde"})])
            folders[name] = folders.get(name, 0) + 1
        self.assertEqual(folders, {"INBOX": count, "Moved": 4, FOLDER: 2})

    def test_every_packing(self):
        why = dovecot.missing()
        if why:
            raise unittest.SkipTest(why)
        for packing in ("", "gz", "bz2", "zstd"):  # it does not write xz any more
            self.ledger = self.path("ledger-%s.db" % packing)
            extra = PLUGINS
            if packing:
                extra += "plugin {\n  zlib_save = %s\n}\n" % packing
            with self.subTest(packing), \
                    dovecot.Dovecot(special={}, extra=extra) as server:
                path, raws = self.fill(server)
                self.assertEqual(self.packed(path), bool(packing))
                result = self.run_program("scan", "--json", "--ledger", self.ledger,
                                          path)
                self.assertEqual(result.code, 0, str(result))
                self.assertEqual(result.summary.found, len(raws) + 6)
                self.check_ledger(len(raws))
                self.check_bytes(path, raws)

    @staticmethod
    def packed(path):
        """Is there no file that begins as mail does?"""
        cur = os.path.join(path, "cur")
        for name in os.listdir(cur):
            with open(os.path.join(cur, name), "rb") as f:
                if f.read(12) == b"Return-Path:":
                    return False
        return True

    def check_bytes(self, path, raws):
        """As an mbox of the same mail: every message of it is there already."""
        mbox = twinstore.write_mbox(self.path("mbox"), raws)
        ledger = self.path("both.db")
        result = self.run_program("scan", "--json", "--ledger", ledger,
                                  "--map", "Twins=INBOX", "--include", "INBOX",
                                  "--include", "Twins", path, mbox)
        self.assertEqual((result.summary.found, result.summary.uploaded),
                         (2 * len(raws), len(raws)), str(result))
        os.unlink(ledger)


if __name__ == "__main__":
    main()
