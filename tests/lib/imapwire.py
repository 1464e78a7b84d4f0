# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection and the commands on it, as the scripted server reads them: plain, in TLS
or deflated; texts and literals, put together as nested lists."""
import re
import socket
import zlib

LITERAL = re.compile(rb"(~?)\{(\d+)(\+?)\}$")
TOKEN = re.compile(rb'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"'
                   rb'|(?P<atom>(?:\[[^\]]*\]|[^\s()"\[])+))')
LINE_MAX = 64 << 10


class Gone(Exception):
    """The client, or the server, has ended the connection."""


class Refused(Exception):
    """Its text is the tagged answer behind the tag."""


class Literal(bytes):
    binary = False


class Wire:
    """Bytes to and from one client: plain, in TLS, deflated."""

    def __init__(self, sock):
        self.sock = sock
        self._in = b""
        self._inflate = self._deflate = None

    def start_tls(self, context):
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def start_deflate(self):
        """RFC 4978: raw deflate, each write flushed."""
        self._inflate = zlib.decompressobj(-15)
        self._deflate = zlib.compressobj(wbits=-15)
        self._in = self._inflate.decompress(self._in)

    def _more(self):
        try:
            data = self.sock.recv(64 << 10)
        except OSError:
            raise Gone from None
        if not data:
            raise Gone
        self._in += self._inflate.decompress(data) if self._inflate else data

    @property
    def ahead(self):
        """Has the client said something that nobody has read yet?"""
        return bool(self._in)

    def line(self):
        while b"\n" not in self._in:
            if len(self._in) > LINE_MAX:
                raise Gone
            self._more()
        line, _, self._in = self._in.partition(b"\n")
        return line[:-1] if line.endswith(b"\r") else line

    def bytes(self, n):
        parts = []
        while n:
            if not self._in:
                self._more()
            parts.append(self._in[:n])
            self._in = self._in[n:]
            n -= len(parts[-1])
        return b"".join(parts)

    def drain(self):
        """Read on until the client leaves."""
        while True:
            self._in = b""
            self._more()

    def send(self, data):
        if self._deflate:
            data = self._deflate.compress(data) + \
                self._deflate.flush(zlib.Z_SYNC_FLUSH)
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone from None

    def close(self):
        for end in (lambda: self.sock.shutdown(socket.SHUT_RDWR), self.sock.close):
            try:
                end()
            except OSError:
                pass


def tokens(parts):
    """Texts and literals in turn, as nested lists of bytes."""
    stack = [[]]
    for part in parts:
        if isinstance(part, Literal):
            stack[-1].append(part)
            continue
        for found in TOKEN.finditer(part):
            if found["open"]:
                stack.append([])
            elif found["close"]:
                inner = stack.pop()
                stack[-1].append(inner)
            elif found["quoted"] is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", found["quoted"]))
            else:
                stack[-1].append(found["atom"])
    return stack[0]


class Command:
    """tag, name and, once it is complete, args. said is all of it in one line."""

    def __init__(self, line):
        words = line.decode("latin-1").split(" ", 2)
        self.tag = words[0]
        self.name = words[1].upper() if len(words) > 1 else ""
        skip = 2
        if self.name == "UID":
            self.name += " " + words[2].split(" ", 1)[0].upper()
            skip = 3
        self._skip = skip
        self.parts = []
        self.said = ""

    @property
    def args(self):
        try:
            return tokens(self.parts)[self._skip:]
        except IndexError:
            raise Refused("BAD parentheses") from None
