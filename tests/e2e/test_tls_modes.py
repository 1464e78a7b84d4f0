# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to get in: TLS from the start, STARTTLS, plain text on loopback; on behalf of
somebody, and with a token."""
import http.server
import json
import threading
import urllib.parse

import dovecot
from harness import Case, main
from makemail import maildir
from proxy import Proxy

TOKEN = "a-token-of-the-tests"


class Ways(Case):
    server = {"separator": "/"}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 3})

    def arrives(self, *options, to, **how):
        self.migrate(*options, self.box, to=to, **how)
        self.assertEqual(sum(self.on_server().values()), 3)

    def test_imaps(self):
        self.arrives(to=self.dovecot.target(self.user))

    def test_imaps_by_name(self):
        self.arrives(to=self.dovecot.target(self.user, host="localhost"))

    def test_starttls(self):
        with Proxy(self.dovecot.port) as proxy:
            self.arrives(to=self.dovecot.target(self.user, "imap", host="localhost",
                                                port=proxy.port))
            said = bytes(proxy.up)
        self.assertIn(b"STARTTLS", said)
        for word in (b"LOGIN", b"AUTHENTICATE", b"APPEND", self.user.encode()):
            self.assertNotIn(word, said)

    def test_plain_text_on_loopback(self):
        self.arrives("--plaintext", to=self.dovecot.target(self.user, "imap"))

    def test_on_behalf_of(self):
        self.arrives("--auth-user", "admin", to=self.dovecot.target(self.user),
                     password=dovecot.MASTER_PASSWORD)

    def test_on_behalf_of_with_the_wrong_password(self):
        result = self.migrate("--auth-user", "admin", self.box, want=77)
        self.assertOneLine(result.err, "admin")

    def test_user_with_at_and_percent(self):
        self.user = "taro_x@example.jp"
        self.arrives(to="imaps://taro%%5Fx%%40example.jp@127.0.0.1:%d"
                     % self.dovecot.tls_port)

    def test_below_a_folder(self):
        self.migrate(self.box, to=self.dovecot.target(self.user, path="/Old%20PC"))
        folders = {m.folder for m in self.mails()}
        self.assertTrue(folders and all(f.startswith("Old PC") for f in folders),
                        folders)


class NoTls(Case):
    server = {"separator": "/", "tls": False}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 3})

    def test_a_server_without_starttls_is_refused(self):
        """The password does not go out in the clear."""
        with Proxy(self.dovecot.port) as proxy:
            result = self.migrate(
                self.box, want=69, to=self.dovecot.target(
                    self.user, "imap", host="localhost", port=proxy.port))
            said = bytes(proxy.up)
        self.assertIn("STARTTLS", result.err)
        for word in (b"LOGIN ", b"AUTHENTICATE", self.user.encode(),
                     dovecot.PASSWORD.encode()):
            self.assertNotIn(word, said)

    def test_plaintext_is_asked_for(self):
        self.migrate("--plaintext", self.box,
                     to=self.dovecot.target(self.user, "imap"))
        self.assertEqual(sum(self.on_server().values()), 3)


class Introspection(http.server.BaseHTTPRequestHandler):
    """Says whose token it is, as an OAuth 2.0 server would (RFC 7662)."""

    user = ""

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        token = query.get("token", [""])[0] or \
            self.headers.get("Authorization", "").replace("Bearer ", "")
        good = token == TOKEN
        body = json.dumps({"active": good, "username": self.user} if good
                          else {"active": False}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Token(Case):
    mechanisms = "xoauth2 oauthbearer"

    @classmethod
    def setUpClass(cls):
        cls.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Introspection)
        threading.Thread(target=cls.http.serve_forever, daemon=True).start()
        super().setUpClass()
        settings = ("tokeninfo_url = http://127.0.0.1:%d/?token=\n"
                    "introspection_mode = get\nusername_attribute = username\n"
                    "active_attribute = active\nactive_value = true\n"
                    % cls.http.server_address[1])
        cls.dovecot = dovecot.Dovecot(separator="/")
        with open(cls.dovecot._path("oauth2"), "w") as f:
            f.write(settings)
        cls.dovecot.extra = (
            "auth_mechanisms = plain %s\npassdb {\n  driver = oauth2\n"
            "  mechanisms = xoauth2 oauthbearer\n  args = %s\n}\n"
            % (cls.mechanisms, cls.dovecot._path("oauth2")))
        cls.dovecot.start()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.http.shutdown()

    def go(self, token, want):
        Introspection.user = self.user
        box = maildir(self.path("Maildir"), {"": 3})
        with open(self.path("token"), "w") as f:
            f.write(token + "\n")
        return self.migrate("--token-command", "cat '%s'" % self.path("token"), box,
                            password=None, want=want)

    def test_token(self):
        self.go(TOKEN, 0)
        self.assertEqual(sum(self.on_server().values()), 3)

    def test_stale_token(self):
        result = self.go("stale", 77)
        self.assertOneLine(result.err)


class OnlyBearer(Token):
    mechanisms = "oauthbearer"


if __name__ == "__main__":
    main()
