# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripted server (lib/scripted.py) itself: what it stores is what another client
reads, it does what it offers, and it notices what a client may not do."""
import imaplib
import socket
import ssl

import dovecot
import makemail
import onserver
from harness import Case, main
from scripted import Scripted, say


class ScriptedServer(Case):
    def setUp(self):
        super().setUp()
        self.box = makemail.maildir(self.path("Maildir"), {"": 3, ".Work": 2})

    def migrate_to(self, server, *more, **how):
        result = self.run_program(
            "migrate", "--json", "--ledger", self.ledger, *server.options(), *more,
            self.box, server.target(), **how)
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(server.violations, [])
        self.assertEqual(sum(server.contents().values()), 5)

    def test_another_client(self):
        with Scripted("UIDPLUS NAMESPACE", special={"Sent": "Sent"}) as server:
            self.migrate_to(server)
            client = imaplib.IMAP4("127.0.0.1", server.port, timeout=60)
            client.login("user", dovecot.PASSWORD)
            self.assertEqual(onserver.contents(client), server.contents())
            self.assertEqual(onserver.subscribed(client), {"Sent", "Work"})
            onserver.append(client, "Work", b"Subject: x\r\n\r\nx\r\n", "\\Seen",
                            1_600_000_000)
            self.assertEqual(sum(server.contents().values()), 6)
            client.select("Work")
            self.assertEqual(client.uid("SEARCH", "HEADER", "Subject", "x")[1],
                             [b"3"])
            onserver.delete(client, "Work", 3)
            client.logout()
            self.assertEqual(sum(server.contents().values()), 5)
            self.assertEqual(server.violations, [])

    def test_mechanisms(self):
        for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"):
            for more in ("", " SASL-IR"):
                with self.subTest(mechanism + more):
                    self.ledger = self.path(mechanism + more)
                    with Scripted("LOGINDISABLED AUTH=" + mechanism + more) as server:
                        self.migrate_to(server)

    def test_tokens(self):
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            with self.subTest(mechanism):
                self.ledger = self.path(mechanism)
                with Scripted("SASL-IR AUTH=" + mechanism, tls="tls",
                              token="t0ken") as server:
                    self.migrate_to(server, "--token-command", "echo t0ken",
                                    password=None)

    def test_wrong_password(self):
        for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
            with Scripted("LOGINDISABLED AUTH=" + mechanism) as server:
                result = self.run_program(
                    "migrate", "--ledger", self.ledger, "--plaintext", self.box,
                    server.target(), password="wrong")
                self.assertEqual(result.code, 77, str(result))

    def test_security(self):
        for tls in ("tls", "starttls"):
            with self.subTest(tls):
                self.ledger = self.path(tls)
                with Scripted("LITERAL+", tls=tls) as server:
                    self.migrate_to(server)
                    self.assertTrue(server.sessions[0].secure)
        with Scripted(tls="tls") as server:
            context = ssl.create_default_context(cafile=server.authority.ca_file)
            client = imaplib.IMAP4_SSL("127.0.0.1", server.port, ssl_context=context)
            client.logout()

    def test_compressed(self):
        """Both ways: the second run reads the mail back."""
        with Scripted("COMPRESS=DEFLATE MULTIAPPEND LITERAL+") as server:
            self.migrate_to(server, "--compress", "on")
            self.ledger = self.path("another.db")
            self.migrate_to(server, "--compress", "on")
            self.assertEqual([said.split()[1] for said in server.sessions[1].said
                              if "COMPRESS" in said], ["COMPRESS"])

    def test_limits(self):
        makemail.write(self.path("Maildir", "cur", "1.big.host:2,"),
                       makemail.messages(1, seed=7, size=20000, first=70)[0])
        with Scripted("APPENDLIMIT=9000") as server:
            result = self.run_program("migrate", "--json", "--ledger", self.ledger,
                                      "--plaintext", self.box, server.target())
            self.assertEqual(result.code, 1, str(result))
            self.assertEqual(result.summary.failed, 1)
            self.assertEqual(server.violations, [])
        with Scripted("MULTIAPPEND LITERAL+", quota_kib=2) as server:
            self.ledger = self.path("full.db")
            result = self.run_program("migrate", "--json", "--ledger", self.ledger,
                                      "--plaintext", self.box, server.target())
            self.assertEqual(result.code, 79, str(result))

    # -- what it notices

    def violations(self, capabilities, *lines):
        """A client that says these lines, whatever it hears."""
        with Scripted(capabilities) as server:
            with socket.create_connection(("127.0.0.1", server.port), 20) as client:
                client.settimeout(20)
                client.sendall(b"".join(line + b"\r\n" for line in lines))
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass
            return " ".join(server.violations)

    def test_notices(self):
        login = b'1 LOGIN user "%s"' % dovecot.PASSWORD.encode()
        for capabilities, lines, noticed in (
                ("", [b"1 SELECT INBOX"], "before login"),
                ("LOGINDISABLED", [login], "LOGINDISABLED"),
                ("", [login, b"2 APPEND INBOX {3+}", b"abc", b""], "{3+}"),
                ("LITERAL-", [login, b"2 APPEND INBOX {5000+}"], "{5000+}"),
                ("", [login, b"2 APPEND INBOX {3}", b"abc"], "did not wait"),
                ("LITERAL+", [login, b"2 APPEND INBOX {3+}", b"abc {3+}", b"abc"],
                 "MULTIAPPEND"),
                ("LITERAL+", [login, b"2 APPEND INBOX {3+}", b"a\0b"], "NUL"),
                ("LITERAL+", [login, b"2 APPEND INBOX ~{3+}", b"a\0b"], "BINARY"),
                ("", [login, b"2 NAMESPACE"], "NAMESPACE"),
                ("", [login, b"2 CREATE x (USE (\\Sent))"], "USE"),
                ("", [login, b'2 LIST "" * RETURN (SPECIAL-USE)'], "LIST"),
                ("AUTH=PLAIN", [b"1 AUTHENTICATE PLAIN AGEAYg=="], "SASL-IR")):
            with self.subTest(noticed):
                self.assertIn(noticed, self.violations(capabilities, *lines))

    def test_hooks_count(self):
        with Scripted() as server:
            rule = server.on("NOOP", say("{tag} NO not now"), times=1)
            client = imaplib.IMAP4("127.0.0.1", server.port, timeout=60)
            self.assertEqual(client.noop()[0], "NO")
            self.assertEqual(client.noop()[0], "OK")
            self.assertEqual((rule.fired, server.told()), (1, 1))
            client.logout()


if __name__ == "__main__":
    main()
