# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows an IMAP connection that somebody else carries: which commands are APPENDs,
which answer belongs to which of them, where literals begin and end. What the server
says can be changed on the way: capabilities are hidden, an answer is kept back.

Bytes are given to up() and down() before they are passed on; then the state here is
never behind what either side knows. Both may be called from different threads.
"""
import re
import threading

LITERAL = re.compile(rb"~?\{(\d{1,10})(\+?)\}$")
UNTAGGED = re.compile(rb"\* (?:CAPABILITY )([^\r\n]*)", re.I)
CODE = re.compile(rb"\S+ (?:OK|PREAUTH) \[CAPABILITY ([^\]\r\n]*)\]", re.I)
STATUS = re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.I)
LINE_MAX = 1 << 20


class Conversation:
    def __init__(self, hide=(), began=None, answered=None):
        """began() is called for each APPEND and gives its number; answered(number,
        line) for its tagged answer and says whether that must not arrive."""
        self.opaque = False     # TLS or COMPRESS: nothing more to be understood
        self.strange = 0        # literals that were sent before they were asked for
        self._hide = {name.upper().encode() for name in hide}
        self._began = began
        self._answered = answered
        self._lock = threading.Lock()
        self._appends = {}      # tag: number
        self._switch = None     # the tag of STARTTLS or COMPRESS
        # upwards
        self._line = b""
        self._command = None    # the tag of the command whose lines go on
        self._left = 0          # of a literal
        self._asked = None      # a literal that waits for the server's "+"
        # downwards
        self._rest = b""
        self._down_left = 0
        self._in_answer = False  # behind a literal an answer goes on

    # -- what the client says ---------------------------------------------

    def up(self, data):
        with self._lock:
            at = 0
            while at < len(data) and not self.opaque:
                if self._asked is not None:
                    self.strange += 1
                    self._left, self._asked = self._asked, None
                if self._left:
                    step = min(self._left, len(data) - at)
                    self._left -= step
                    at += step
                    continue
                end = data.find(b"\n", at) + 1
                if not end:
                    self._line += data[at:]
                    self.opaque = len(self._line) > LINE_MAX
                    return
                line, self._line = self._line + data[at:end], b""
                at = end
                self._said(line.rstrip(b"\r\n"))

    def _said(self, line):
        if self._command is None:
            # Not a command: an answer within AUTHENTICATE, the end of IDLE.
            tag, _, rest = line.partition(b" ")
            verb = rest.split(b" ", 1)[0].upper()
            if verb == b"APPEND":
                self._appends[tag] = self._began() if self._began else None
            elif verb in (b"STARTTLS", b"COMPRESS"):
                self._switch = tag
            self._command = tag
        literal = LITERAL.search(line)
        if literal is None:
            self._command = None
        elif literal[2]:
            self._left = int(literal[1])
        else:
            self._asked = int(literal[1])

    # -- what the server says ---------------------------------------------

    def down(self, data):
        """(what may pass, whether the line is to be cut after it)"""
        with self._lock:
            if self.opaque and not self._rest:
                return data, False
            data, self._rest = self._rest + data, b""
            passes, at = [], 0
            while at < len(data):
                if self.opaque:
                    passes.append(data[at:])
                    break
                if self._down_left:
                    step = min(self._down_left, len(data) - at)
                    self._down_left -= step
                    passes.append(data[at:at + step])
                    at += step
                    continue
                end = data.find(b"\n", at) + 1
                if not end:
                    self._rest = data[at:]
                    self.opaque = len(self._rest) > LINE_MAX
                    break
                line = self._heard(data[at:end])
                if line is None:
                    return b"".join(passes), True
                passes.append(line)
                at = end
            return b"".join(passes), False

    def down_ends(self):
        """What is left of an unfinished line."""
        with self._lock:
            rest, self._rest = self._rest, b""
            return rest

    def _heard(self, line):
        """The line as it passes; None: it does not."""
        if self._in_answer or line.startswith(b"* "):
            line = self._without_hidden(line)
            literal = LITERAL.search(line.rstrip(b"\r\n"))
            self._in_answer = literal is not None and not STATUS.match(line)
            if self._in_answer:
                self._down_left = int(literal[1])
            return line
        if line.startswith(b"+"):
            if self._asked is not None:
                self._left, self._asked = self._asked, None
            return line
        return self._tagged(line)

    def _tagged(self, line):
        tag, _, rest = line.partition(b" ")
        if tag == self._command and self._asked is not None:
            self._command = self._asked = None  # refused: the literal never comes
        if tag == self._switch:
            self._switch = None
            self.opaque = rest[:2].upper() == b"OK"
        if tag in self._appends:
            number = self._appends.pop(tag)
            if self._answered and self._answered(number, line):
                return None
        return self._without_hidden(line)

    def _without_hidden(self, line):
        if not self._hide:
            return line
        found = UNTAGGED.match(line) or CODE.match(line)
        if found is None:
            return line
        kept = b" ".join(word for word in found[1].split()
                         if word.upper() not in self._hide)
        return line[:found.start(1)] + kept + line[found.end(1):]
