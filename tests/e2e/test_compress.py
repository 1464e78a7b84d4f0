# SPDX-License-Identifier: GPL-3.0-or-later
"""COMPRESS=DEFLATE against Dovecot's imap_zlib: the same mail, in fewer bytes, over
every way in."""
import base64
import os
import random

from harness import Case, main
from makemail import maildir
from proxy import Proxy

BIG = 6


class Compress(Case):
    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 60, ".Work": 60})
        rng = random.Random(3)
        for i in range(BIG):    # more than any buffer on the way holds
            body = base64.encodebytes(rng.randbytes(900_000)).decode()
            with open(os.path.join(self.box, "cur", "160000%d.x.y:2,S" % i), "w") as f:
                f.write("From: a@example.org\nMessage-ID: <big%d@example.org>\n"
                        "Date: Mon, 1 Jan 2018 10:00:00 +0000\n\n%s" % (i, body))

    def arrives(self, *options, to=None):
        summary = self.migrate(*options, self.box, to=to).summary
        self.assertEqual(summary.uploaded, 120 + BIG)
        return summary, self.on_server()

    def test_same_mail_in_fewer_bytes(self):
        on, compressed = self.arrives("--compress", "on")
        again = self.migrate("--compress", "on", self.box).summary
        self.assertEqual((again.uploaded, again.already), (0, 120 + BIG))
        self.user, self.ledger = "plain-" + self.user, self.path("plain.db")
        off, plain = self.arrives("--compress", "off")
        self.assertEqual(compressed, plain)
        self.assertLess(on.bytes_sent, off.bytes_sent * 0.9)

    def test_behind_starttls(self):
        with Proxy(self.dovecot.port) as proxy:
            self.arrives("--compress", "on", "-j", "1",
                         to=self.dovecot.target(self.user, "imap", host="localhost",
                                                port=proxy.port))
            self.assertIn(b"STARTTLS", bytes(proxy.up))

    def test_plain_text(self):
        with Proxy(self.dovecot.port) as proxy:
            summary, _ = self.arrives("--compress", "on", "-j", "1", "--plaintext",
                                      to=self.dovecot.target(self.user, "imap",
                                                             port=proxy.port))
            said = bytes(proxy.up)
        self.assertIn(b"COMPRESS DEFLATE\r\n", said)
        # Behind it nothing can be read; the sum counts what left, deflated.
        self.assertNotIn(b"APPEND", said)
        self.assertLess(len(said) - summary.bytes_sent, 200)
        self.assertLess(len(said), summary.bytes_read * 0.9)


if __name__ == "__main__":
    main()
