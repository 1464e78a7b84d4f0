# SPDX-License-Identifier: GPL-3.0-or-later
"""What the private servers of the tests have in common: how a test speaks to them, and
how they are killed."""
import imaplib
import os
import signal
import ssl
import time


class Loopback:
    """A server that runs: folder, password, port, tls_port and ca_file are known."""

    def login_name(self, user):
        """What the server calls that user; a user nobody has named yet is made."""
        return user

    def target(self, user="user", scheme="imaps", path="", host="127.0.0.1",
               port=None):
        """The TARGET argument for this server."""
        if port is None:
            port = self.tls_port if scheme == "imaps" else self.port
        quoted = "".join(c if c.isalnum() or c in "-._" else
                         "".join("%%%02X" % b for b in c.encode())
                         for c in self.login_name(user))
        return "%s://%s@%s:%d%s" % (scheme, quoted, host, port, path)

    def imap(self, user="user", password=None):
        """A logged-in imaplib connection, over plain loopback."""
        imaplib._MAXLINE = 50_000_000
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=60)
        connection.login(self.login_name(user), password or self.password)
        return connection

    def imaps(self, user="user", password=None):
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = imaplib.IMAP4_SSL("127.0.0.1", self.tls_port,
                                       ssl_context=context, timeout=60)
        connection.login(self.login_name(user), password or self.password)
        return connection

    def log(self):
        try:
            with open(self._path("log"), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def _path(self, name):
        return os.path.join(self.folder, name)


def _processes():
    """{pid: (parent, session)} of every process that still runs."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as f:
                state, parent, _, session = f.read().rpartition(b")")[2].split()[:4]
        except OSError:
            continue  # gone meanwhile
        if state not in (b"Z", b"X"):
            found[int(name)] = int(parent), int(session)
    return found


def family(leader):
    """A daemon's processes: itself, what descends from it, and who is in the session
    that it leads, whoever their parent is by now."""
    all_of_them = _processes()
    found = {pid for pid, (parent, session) in all_of_them.items()
             if pid == leader or session == leader}
    while True:
        more = {pid for pid, (parent, _) in all_of_them.items()
                if parent in found} - found
        if not more:
            return found
        found |= more


def kill9(leader):
    """SIGKILL to a daemon that leads a session and to everything it started; comes back
    when all of them are gone. The leader goes first, so that it starts no others."""
    if leader == os.getsid(0):
        raise ValueError("%d leads our own session" % leader)
    known = family(leader)
    end = time.monotonic() + 20
    while known:
        for pid in sorted(known, key=lambda pid: pid != leader):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
        known = (known | family(leader)) & _processes().keys()
        if time.monotonic() > end:
            raise RuntimeError("these do not die: %s" % sorted(known))
