# SPDX-License-Identifier: GPL-3.0-or-later
"""verify proves what is on the server, and says so when it is not; status tells the same
story from the ledger."""
import os

from harness import Case, by_folder, main
from makemail import maildir
import onserver


class Verify(Case):
    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 6, ".Work": 4})
        self.summary = self.migrate(self.box).summary

    def verify(self, *args, want):
        result = self.run_program("verify", *self.options(), *args,
                                  self.dovecot.target(self.user))
        self.assertEqual(result.code, want, str(result))
        return result

    def findings(self, result):
        return sorted(e["what"] for e in result.events if e["event"] == "finding")

    def test_all_is_there(self):
        for args in ([], ["--full"]):
            result = self.verify(*args, want=0)
            self.assertEqual(self.findings(result), [])
            self.assertEqual((result.summary.found, result.summary.failed), (10, 0))

    def test_one_gone_and_one_changed(self):
        connection = self.dovecot.imap(self.user)
        mails = by_folder(onserver.everything(connection, keep_raw=True))
        gone, changed = mails["INBOX"][2], mails["Work"][1]
        onserver.delete(connection, "INBOX", gone.uid)
        onserver.delete(connection, "Work", changed.uid)
        onserver.append(connection, "Work", changed.raw.replace(
            b"\r\n-- ", b"\r\n__ "), "(\\Seen)", changed.date)
        connection.logout()
        # Same Message-ID, same size: the other bytes are seen by --full alone.
        quick = self.verify(want=1)
        self.assertIn("missing", self.findings(quick))
        full = self.verify("--full", want=1)
        self.assertEqual(len(self.findings(full)), 2, str(full))
        self.assertEqual((full.summary.found, full.summary.failed), (10, 2))

    def test_bytes_changed_under_the_same_uid(self):
        """Only --full can see this: same UID, same Message-ID, other bytes."""
        home = os.path.join(self.dovecot.folder, "home", self.user, "Maildir", "cur")
        name = sorted(os.listdir(home))[0]
        path = os.path.join(home, name)
        with open(path, "r+b") as f:
            raw = f.read()
            f.seek(0)
            f.write(raw.replace(b"\n-- ", b"\n__ "))
        self.verify(want=0)
        result = self.verify("--full", want=1)
        self.assertEqual(self.findings(result), ["changed"])

    def test_mail_of_other_origin_is_no_finding(self):
        connection = self.dovecot.imap(self.user)
        onserver.append(connection, "INBOX", b"Subject: new today\r\n\r\nhello\r\n")
        connection.logout()
        self.verify("--full", want=0)

    def test_deleted_folder(self):
        connection = self.dovecot.imap(self.user)
        connection.delete("Work")
        connection.logout()
        result = self.verify(want=1)
        self.assertEqual(self.findings(result), ["missing"] * 4)

    def test_recreated_folder(self):
        """Another UIDVALIDITY: UIDs mean nothing any more."""
        connection = self.dovecot.imap(self.user)
        connection.delete("Work")
        connection.create("Work")
        for i in range(4):
            onserver.append(connection, "Work",
                            b"Subject: other %d\r\n\r\nx\r\n" % i)
        connection.logout()
        self.verify(want=1)

    def test_verify_changes_nothing(self):
        before = self.on_server()
        self.verify("--full", want=0)
        self.assertEqual(self.on_server(), before)

    def test_status(self):
        result = self.run_program("status", "--json", "--ledger", self.ledger)
        self.assertEqual(result.code, 0, str(result))
        s = result.summary
        self.assertEqual((s.found, s.uploaded + s.already, s.failed), (10, 10, 0))
        folders = {e["target"]: e["done"] for e in result.events
                   if e["event"] == "folder"}
        self.assertEqual(folders, {"INBOX": 6, "Work": 4})
        text = self.run_program("status", "--ledger", self.ledger)
        self.assertEqual(text.code, 0, str(text))
        self.assertIn("INBOX", text.out)
        self.assertIn("10 messages", text.out)

    def test_status_of_nothing(self):
        result = self.run_program("status", "--ledger", self.path("no.db"))
        self.assertNotEqual(result.code, 0)
        self.assertOneLine(result.err, "no.db")
        self.assertFalse(os.path.exists(self.path("no.db")))


if __name__ == "__main__":
    main()
