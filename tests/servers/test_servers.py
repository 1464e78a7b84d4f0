# SPDX-License-Identifier: GPL-3.0-or-later
"""The private servers themselves: every other test here stands on them."""
import imaplib
import unittest

import dovecot
import onserver
import servers
from harness import main


class Private:
    make = None

    def setUp(self):
        why = self.make.missing()
        if why:
            self.skipTest(why)

    def there(self, connection):
        self.addCleanup(connection.shutdown)
        return [m.raw for m in onserver.everything(connection, keep_raw=True)]

    def test_users_and_a_crash(self):
        mail = b"Subject: kept\r\n\r\nx\r\n"
        with self.make() as server:
            one = server.imap("one")
            onserver.append(one, "INBOX", mail)
            self.assertEqual(self.there(server.imaps("one")), [mail])
            self.assertEqual(self.there(server.imap("two")), [])
            with self.assertRaises(imaplib.IMAP4.error):
                server.imap("one", "wrong")
            ports = server.port, server.tls_port
            server.crash()
            with self.assertRaises((imaplib.IMAP4.abort, OSError)):
                one.noop()
            self.assertEqual((server.port, server.tls_port), ports)
            self.assertEqual(self.there(server.imap("one")), [mail])


class DovecotMissing(dovecot.Dovecot):
    missing = staticmethod(dovecot.missing)


class Dovecot(Private, unittest.TestCase):
    make = DovecotMissing


class Cyrus(Private, unittest.TestCase):
    make = servers.Cyrus


class Courier(Private, unittest.TestCase):
    make = servers.Courier


class Mailutils(Private, unittest.TestCase):
    make = servers.Mailutils


if __name__ == "__main__":
    main()
