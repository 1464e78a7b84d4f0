# SPDX-License-Identifier: GPL-3.0-or-later
"""A small IMAP4rev1 server that keeps to the RFCs until a test tells it not to.

    with Scripted("MULTIAPPEND LITERAL+ UIDPLUS") as server:
        server.on("APPEND", say("{tag} NO [OVERQUOTA] full"), times=1)
        server.rewrite(r"APPENDUID (\\d+) (\\d+):(\\d+)", r"APPENDUID \\1 \\3:\\2")
        ... run a client against server.target("anybody") ...
        server.sessions[0].said        # its commands, literals as {n}
        server.contents("anybody")     # what it has stored

What it offers is what it does: a capability that is not in the list is a violation
when it is used, and so is whatever else a client may not do; violations collects
them for the test to look at. Mail is in memory, every user name has a
mailbox and the password PASSWORD. A session is a thread.

A hook is called with (session, command) before the command is carried out, and
returns True when it has answered by itself. Where: a command's name ("UID FETCH"),
"GREETING", or "LITERAL", when a literal is announced and before it is read (with {n}
the client waits for its "+" then).
"""
import collections
import hashlib
import os
import re
import shutil
import socket
import ssl
import tempfile
import threading

import onserver
from dovecot import PASSWORD, Authority
from imapwire import Gone
from scripted_session import Account, Session


# -- hooks ---------------------------------------------------------------

def text(command, line):
    """A line of a hook as bytes; {tag} stands for the command's."""
    if isinstance(line, bytes):
        return line
    return line.replace("{tag}", command.tag if command else "*").encode(
        "utf-8", "surrogateescape")


def say(*lines):
    """Say these instead of carrying the command out."""
    def hook(session, command):
        for line in lines:
            session.send(text(command, line) + b"\r\n")
        return True
    return hook


def say_first(*lines):
    """Say these, and then do what was asked."""
    def hook(session, command):
        say(*lines)(session, command)
    return hook


def hang_up(*lines):
    """Say these and end the connection."""
    def hook(session, command):
        say(*lines)(session, command)
        raise Gone
    return hook


def store_and(hook):
    """Do what was asked without saying so, and then hook."""
    def both(session, command):
        session.carry_out(command, silent=True)
        return hook(session, command)
    return both


def silence(session, command):
    """Say nothing until the client has had enough of it."""
    session.wire.drain()
    raise Gone


class Rule:
    def __init__(self, what, times):
        self.what, self.left, self.fired = what, times, 0

    def take(self):
        if self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        self.fired += 1
        return True


# -- the server ----------------------------------------------------------

class Scripted:
    """capabilities: words; IMAP4rev1 and STARTTLS come by themselves, and AUTH= words,
    SASL-IR and LOGINDISABLED are only offered before the login. after: other words
    for after it. tls: None, "tls" or "starttls"."""

    def __init__(self, capabilities="", after=None, separator="/", prefix="",
                 special=None, tls=None, quota_kib=None, password=PASSWORD,
                 token="token", greeting="ready", id="NIL", uidvalidity=1000,
                 authority=None):
        self.before = capabilities.split()
        self.after = self.before if after is None else after.split()
        self.separator, self.prefix = separator, prefix
        self.special = special or {}
        self.tls, self.quota_kib = tls, quota_kib
        self.password, self.token = password, token
        self.greeting, self.id = greeting, id
        self.uidvalidity = uidvalidity
        self.authority = authority
        self.lock = threading.RLock()
        self.sessions = []
        self.violations = []
        self._made = None
        self._accounts = {}
        self._hooks, self._rewrites = [], []
        self._context = None

    # -- running

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        if self.tls and self.authority is None:
            self._made = tempfile.mkdtemp(prefix="mh-scripted-")
            self.authority = Authority(os.path.join(self._made, "ca"))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._threads = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def stop(self):
        """No session lives on; what they said stays."""
        try:  # close alone would not wake the accept
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._accepting.join(10)
        for session in self.sessions:
            session.wire.close()
        for thread in self._threads:
            thread.join(10)
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(self, sock, len(self.sessions) + 1)
            self.sessions.append(session)
            thread = threading.Thread(target=session.run, daemon=True)
            self._threads.append(thread)
            thread.start()

    def context(self):
        if self._context is None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*self.authority.certificate("good"))
        return self._context

    def target(self, user="user", path=""):
        return "%s://%s@127.0.0.1:%d%s" % (
            "imaps" if self.tls == "tls" else "imap", user, self.port, path)

    def options(self):
        """What mailhaul needs to be told to trust this server."""
        return ["--ca-file", self.authority.ca_file] if self.tls else ["--plaintext"]

    # -- scripting

    def on(self, where, hook, times=None):
        """Call hook at where, so many times or always. Its Rule, whose fired counts."""
        rule = Rule((where, hook), times)
        self._hooks.append(rule)
        return rule

    def rewrite(self, pattern, replacement, times=None):
        """Change answers: a regular expression over bytes, also over literals."""
        if isinstance(pattern, str):
            pattern = pattern.encode()
        if isinstance(replacement, str):
            replacement = replacement.encode()
        rule = Rule((re.compile(pattern, re.DOTALL), replacement), times)
        self._rewrites.append(rule)
        return rule

    def honest(self):
        """No more hooks and rewriting."""
        self._hooks, self._rewrites = [], []

    def told(self):
        """How often any of them had its turn."""
        return sum(rule.fired for rule in self._hooks + self._rewrites)

    def hooked(self, where, session, command):
        for rule in self._hooks:
            with self.lock:
                ours = rule.what[0] == where and rule.take()
            if ours and rule.what[1](session, command):
                return True
        return False

    def rewritten(self, data):
        for rule in self._rewrites:
            pattern, replacement = rule.what
            if pattern.search(data) and rule.take():
                data = pattern.sub(replacement, data, count=1)
        return data

    # -- what it is and has

    def offered(self, session):
        words = self.after if session.user else [
            w for w in self.before
            if not (session.secure and w == "LOGINDISABLED")]
        if session.user:
            words = [w for w in words if not w.startswith("AUTH=")
                     and w not in ("SASL-IR", "LOGINDISABLED")]
        elif self.tls == "starttls" and not session.secure:
            words = words + ["STARTTLS"]
        return ["IMAP4rev1"] + words

    @property
    def append_limit(self):
        for word in self.after:
            if word.startswith("APPENDLIMIT="):
                return int(word.partition("=")[2])
        return None

    def knows(self, user, password):
        return password == self.password

    def account(self, user):
        with self.lock:
            if user not in self._accounts:
                self._accounts[user] = Account(self)
            return self._accounts[user]

    def used(self, user):
        return sum(len(mail.raw) for folder in self.account(user).folders.values()
                   for mail in folder.mails)

    def contents(self, user="user"):
        """As onserver.contents: (folder, sha256 with LF, flags, instant)."""
        with self.lock:
            return collections.Counter(
                (name, hashlib.sha256(mail.raw.replace(b"\r\n", b"\n")).hexdigest(),
                 mail.flags, onserver._instant(mail.date))
                for name, folder in self.account(user).folders.items()
                for mail in folder.mails)
