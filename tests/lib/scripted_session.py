# SPDX-License-Identifier: GPL-3.0-or-later
"""One client's session with the scripted server, and the mailbox behind it. Each command
is a method do_NAME; what is said, and whether it is said at all, is up to the hooks of
the server (scripted.py)."""
import base64
import collections
import hashlib
import hmac
import re
import ssl
import time
import traceback

from imapwire import LITERAL, Command, Gone, Literal, Refused, Wire

LITERAL_MINUS_MAX = 4096    # RFC 7888 section 5
FLAGS = r"\Answered \Flagged \Deleted \Seen \Draft"
# What each command needs, besides a login, of the capabilities.
NEEDS = {"ID": "ID", "NAMESPACE": "NAMESPACE", "GETQUOTAROOT": "QUOTA",
         "COMPRESS": "COMPRESS=DEFLATE", "ENABLE": "ENABLE", "UID EXPUNGE": "UIDPLUS"}
BEFORE_LOGIN = {"CAPABILITY", "NOOP", "LOGOUT", "ID", "STARTTLS", "LOGIN",
                "AUTHENTICATE"}

Mail = collections.namedtuple("Mail", "uid flags date raw")


class Folder:
    def __init__(self, uidvalidity, use=None):
        self.uidvalidity, self.use = uidvalidity, use
        self.uidnext = 1
        self.mails = []
        self.subscribed = False

    def add(self, flags, date, raw):
        self.mails.append(Mail(self.uidnext, frozenset(flags), date, bytes(raw)))
        self.uidnext += 1
        return self.uidnext - 1

    def numbers(self, found, by_uid):
        """The places of those that a set such as 1,3:* names."""
        last = (self.mails[-1].uid if by_uid else len(self.mails)) \
            if self.mails else 0
        for place, mail in enumerate(self.mails):
            n = mail.uid if by_uid else place + 1
            for part in found.split(","):
                ends = [last if e == "*" else int(e) for e in part.split(":")]
                if min(ends) <= n <= max(ends):
                    yield place
                    break


class Account:
    """The folders of a user, by their names on the wire."""

    def __init__(self, server):
        self.server = server
        self.folders = {"INBOX": Folder(server.uidvalidity)}
        for use, name in server.special.items():
            self.create(server.prefix + name, use).subscribed = True

    def find(self, name):
        found = self.folders.get("INBOX" if name.upper() == "INBOX" else name)
        if found is None:
            raise Refused("NO [TRYCREATE] no such mailbox")
        return found

    def create(self, name, use=None):
        separator, prefix = self.server.separator, self.server.prefix
        if name.upper() == "INBOX" or name in self.folders:
            raise Refused("NO [ALREADYEXISTS] it is there already")
        if not name.startswith(prefix) or re.search(r'[*%\x00-\x1f\x7f-\xff]', name):
            raise Refused("NO [CANNOT] no such name here")
        above = name.rpartition(separator)[0] if separator else ""
        if above.startswith(prefix) and above and above not in self.folders \
                and above.upper() != "INBOX":
            self.create(above)
        self.folders[name] = Folder(self.server.uidvalidity + len(self.folders), use)
        return self.folders[name]


class Session:
    def __init__(self, server, sock, number):
        self.server, self.number = server, number
        self.wire = Wire(sock)
        self.began = time.monotonic()
        self.said = []          # one string a command
        self.user = None        # logged in
        self.secure = False
        self.selected = None    # (name, folder, read only)
        self._silent = False

    # -- saying something

    def send(self, data):
        """Raw bytes, as they are."""
        if not self._silent:
            self.wire.send(data)

    def answer(self, data):
        """One answer, literals and all; a test may have it rewritten."""
        if isinstance(data, str):
            data = data.encode()
        self.send(self.server.rewritten(data) + b"\r\n")

    # -- running

    def run(self):
        try:
            if self.server.tls == "tls":
                self.start_tls()
            if not self.server.hooked("GREETING", self, None):
                self.answer("* OK %s" % self.server.greeting)
            while True:
                self.one()
        except (Gone, ssl.SSLError, ConnectionError):
            pass
        except Exception:
            self.server.violations.append("the server itself: "
                                          + traceback.format_exc(limit=-3))
        finally:
            self.wire.close()

    def start_tls(self):
        self.wire.start_tls(self.server.context())
        self.secure = True

    def one(self):
        command = self.read()
        try:
            if command is None or self.server.hooked(command.name, self, command):
                return
        except Refused as why:
            self.answer("%s %s" % (command.tag, why))
            return
        self.carry_out(command)

    def carry_out(self, command, silent=False):
        before, self._silent = self._silent, silent
        try:
            self.check(command)
            done = getattr(self, "do_" + command.name.lower().replace(" ", "_"), None)
            if done is None:
                raise Refused("BAD unknown command")
            done(command)
        except Refused as why:
            self.answer("%s %s" % (command.tag, why))
        finally:
            self._silent = before

    def violation(self, what):
        self.server.violations.append("session %d: %s" % (self.number, what))
        raise Refused("BAD " + what)

    def offers(self, *names):
        return any(name in self.server.offered(self) for name in names)

    def check(self, command):
        if not self.user and command.name not in BEFORE_LOGIN:
            self.violation("%s before login" % command.name)
        need = NEEDS.get(command.name)
        if need and not self.offers(need):
            self.violation("%s without %s" % (command.name, need))

    # -- reading

    def read(self):
        """The next command; None when it is over before it was complete."""
        line = self.wire.line()
        command = Command(line)
        self.said.append("")
        while True:
            found = LITERAL.search(line)
            command.said += line.decode("utf-8", "replace")
            self.said[-1] = command.said
            command.parts.append(line[:found.start()] if found else line)
            if not found:
                return command
            if not self.may_come(command, found):
                return None
            literal = Literal(self.wire.bytes(int(found[2])))
            literal.binary = bool(found[1])
            if b"\0" in literal and not literal.binary:
                self.server.violations.append("NUL in a literal")
            command.parts.append(literal)
            line = self.wire.line()

    def may_come(self, command, found):
        size, plus = int(found[2]), bool(found[3])
        try:
            if plus and not (self.offers("LITERAL+") or
                             self.offers("LITERAL-") and size <= LITERAL_MINUS_MAX):
                self.violation("{%d+}" % size)
            if found[1] and not self.offers("BINARY"):
                self.violation("~{ without BINARY")
            if self.server.hooked("LITERAL", self, command):
                return False
            if plus:
                return True
            if self.wire.ahead:
                self.violation("did not wait for +")
            if command.name == "APPEND":
                self.account.find(command.args[0].decode("latin-1"))
                self.check_size(size)
        except Refused as why:
            self.answer("%s %s" % (command.tag, why))
            if plus:
                raise Gone from None  # its bytes would be taken for commands
            return False
        self.answer("+ go ahead")
        return True

    def check_size(self, size):
        limit = self.server.append_limit
        if limit and size > limit:
            raise Refused("NO [TOOBIG] at most %d" % limit)

    # -- anybody's commands

    def ok(self, command, words="done"):
        self.answer("%s OK %s" % (command.tag, words))

    def do_capability(self, command):
        self.answer("* CAPABILITY " + " ".join(self.server.offered(self)))
        self.ok(command)

    def do_noop(self, command):
        self.ok(command)

    def do_logout(self, command):
        self.answer("* BYE see you")
        self.ok(command)
        raise Gone

    def do_id(self, command):
        self.answer('* ID %s' % self.server.id)
        self.ok(command)

    def do_starttls(self, command):
        if not self.offers("STARTTLS"):
            self.violation("STARTTLS")
        if self.wire.ahead:
            self.violation("spoke between STARTTLS and TLS")
        self.ok(command)
        self.start_tls()

    # -- the way in

    def enter(self, command, user, password):
        if not self.server.knows(user, password):
            raise Refused("NO [AUTHENTICATIONFAILED] wrong")
        self.user = user
        self.ok(command, "welcome")

    def do_login(self, command):
        if self.offers("LOGINDISABLED"):
            self.violation("LOGIN though LOGINDISABLED")
        user, password = (a.decode() for a in command.args[:2])
        self.enter(command, user, password)

    def ask(self, data=b""):
        """One challenge of SASL and what comes back."""
        self.answer(b"+ " + base64.b64encode(data))
        line = self.wire.line()
        self.said.append("*" if line == b"*" else "(an answer)")
        if line == b"*":
            raise Refused("BAD given up")
        return base64.b64decode(line)

    def do_authenticate(self, command):
        args = command.args
        mechanism = args[0].decode().upper()
        if not self.offers("AUTH=" + mechanism):
            self.violation("AUTHENTICATE " + mechanism)
        first = None
        if len(args) > 1:
            if not self.offers("SASL-IR"):
                self.violation("an initial response without SASL-IR")
            first = b"" if args[1] == b"=" else base64.b64decode(args[1])
        if mechanism == "PLAIN":
            self.auth_plain(command, first)
        elif mechanism == "LOGIN":
            user = self.ask(b"Username:").decode()
            self.enter(command, user, self.ask(b"Password:").decode())
        elif mechanism in ("XOAUTH2", "OAUTHBEARER"):
            self.auth_token(command, first)
        elif mechanism.startswith("SCRAM-"):
            self.auth_scram(command, first, mechanism[6:].lower().replace("-", ""))
        else:
            raise Refused("NO no such mechanism")

    def auth_plain(self, command, first):
        """RFC 4616."""
        message = first if first is not None else self.ask()
        whom, who, password = message.decode().split("\0")
        self.enter(command, who, password)
        self.user = whom or who

    def auth_token(self, command, first):
        message = (first if first is not None else self.ask()).decode()
        user = re.search(r"(?:user=|a=)([^\1,]*)", message)
        if ("auth=Bearer " + self.server.token) not in message.split("\1"):
            self.ask(b'{"status":"401"}')
            raise Refused("NO [AUTHENTICATIONFAILED] no such token")
        self.user = user[1].split("\1")[0]
        self.ok(command, "welcome")

    def auth_scram(self, command, first, digest):
        """RFC 5802, without channel binding."""
        bare = (first if first is not None else self.ask()).decode()[3:]
        user = re.search(r"n=([^,]*)", bare)[1]
        nonce = re.search(r"r=([^,]*)", bare)[1] + "server"
        salt = b"salt and more of it"
        salted = hashlib.pbkdf2_hmac(digest, self.server.password.encode(), salt, 4096)
        challenge = "r=%s,s=%s,i=4096" % (nonce, base64.b64encode(salt).decode())
        final = self.ask(challenge.encode()).decode()
        without, _, proof = final.rpartition(",p=")
        signed = ",".join((bare, challenge, without)).encode()
        key = hmac.digest(salted, b"Client Key", digest)
        mask = hmac.digest(hashlib.new(digest, key).digest(), signed, digest)
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(key, mask)):
            raise Refused("NO [AUTHENTICATIONFAILED] wrong")
        server_key = hmac.digest(salted, b"Server Key", digest)
        self.ask(b"v=" + base64.b64encode(hmac.digest(server_key, signed, digest)))
        self.enter(command, user, self.server.password)

    # -- logged in

    @property
    def account(self):
        return self.server.account(self.user)

    def folder_of(self, command, place=0):
        return self.account.find(command.args[place].decode("latin-1"))

    def do_enable(self, command):
        self.answer("* ENABLED")
        self.ok(command)

    def do_compress(self, command):
        self.ok(command)
        self.wire.start_deflate()

    def do_namespace(self, command):
        self.answer('* NAMESPACE (("%s" %s)) NIL NIL'
                    % (self.server.prefix, self.separator()))
        self.ok(command)

    def separator(self):
        found = self.server.separator
        return '"%s"' % found.replace("\\", "\\\\") if found else "NIL"

    def do_list(self, command):
        args = command.args
        if len(args) > 2 and not self.offers("LIST-EXTENDED"):
            self.violation("LIST with options")
        pattern = (args[0] + args[1]).decode("latin-1")
        if not args[1]:
            self.answer('* LIST (\\Noselect) %s ""' % self.separator())
        else:
            self.list(pattern, "LIST", lambda folder: True)
        self.ok(command)

    def do_lsub(self, command):
        pattern = (command.args[0] + command.args[1]).decode("latin-1")
        self.list(pattern, "LSUB", lambda folder: folder.subscribed)
        self.ok(command)

    def list(self, pattern, word, wanted):
        one_level = "[^%s]*" % re.escape(self.server.separator) \
            if self.server.separator else ".*"
        regex = re.escape(pattern).replace(r"\*", ".*").replace("%", one_level)
        for name, folder in self.account.folders.items():
            if not re.fullmatch(regex, name) or not wanted(folder):
                continue
            use = "\\" + folder.use if folder.use else ""
            self.answer('* %s (%s) %s "%s"' % (
                word, use, self.separator(),
                name.replace("\\", "\\\\").replace('"', '\\"')))

    def do_create(self, command):
        args, use = command.args, None
        if len(args) > 1:
            if not self.offers("CREATE-SPECIAL-USE"):
                self.violation("CREATE with USE")
            use = args[1][1][0].decode().lstrip("\\")
            if use in (f.use for f in self.account.folders.values()):
                raise Refused("NO [USEATTR] taken")
        with self.server.lock:
            self.account.create(args[0].decode("latin-1").rstrip(
                self.server.separator or "\0"), use)
        self.ok(command)

    def do_subscribe(self, command):
        self.folder_of(command).subscribed = True
        self.ok(command)

    def do_delete(self, command):
        self.folder_of(command)
        del self.account.folders[command.args[0].decode("latin-1")]
        self.ok(command)

    def do_select(self, command, read_only=False):
        self.selected = None
        folder = self.folder_of(command)
        self.selected = command.args[0].decode("latin-1"), folder, read_only
        for line in ("* FLAGS (%s)" % FLAGS, "* %d EXISTS" % len(folder.mails),
                     "* 0 RECENT",
                     "* OK [PERMANENTFLAGS (%s \\*)] kept" % FLAGS,
                     "* OK [UIDVALIDITY %d] valid" % folder.uidvalidity,
                     "* OK [UIDNEXT %d] next" % folder.uidnext):
            self.answer(line)
        self.ok(command, "[READ-ONLY] open" if read_only else "[READ-WRITE] open")

    def do_examine(self, command):
        self.do_select(command, read_only=True)

    def do_status(self, command):
        folder = self.folder_of(command)
        values = {b"MESSAGES": len(folder.mails), b"UIDNEXT": folder.uidnext,
                  b"UIDVALIDITY": folder.uidvalidity, b"RECENT": 0,
                  b"UNSEEN": sum("\\Seen" not in m.flags for m in folder.mails)}
        self.answer('* STATUS "%s" (%s)' % (
            command.args[0].decode("latin-1"),
            " ".join("%s %d" % (a.decode(), values[a.upper()])
                     for a in command.args[1])))
        self.ok(command)

    def do_getquotaroot(self, command):
        self.folder_of(command)
        self.answer('* QUOTAROOT %s "all of it"' % command.args[0].decode("latin-1"))
        if self.server.quota_kib:
            self.answer('* QUOTA "all of it" (STORAGE %d %d)'
                        % (self.server.used(self.user) >> 10, self.server.quota_kib))
        self.ok(command)

    def do_append(self, command):
        folder, mails = self.folder_of(command), []
        flags, date = [], None
        for arg in command.args[1:]:
            if isinstance(arg, list):
                flags = [flag.decode() for flag in arg]
            elif isinstance(arg, Literal):
                mails.append((flags, date, arg))
                flags, date = [], None
            else:
                date = arg.decode()
        if len(mails) > 1 and not self.offers("MULTIAPPEND"):
            self.violation("several messages without MULTIAPPEND")
        if not mails:
            raise Refused("BAD no message")
        for _, _, raw in mails:
            self.check_size(len(raw))
        total = sum(len(raw) for _, _, raw in mails)
        now = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime())
        with self.server.lock:  # all of them or none, and in a row: RFC 3502
            if self.server.quota_kib and \
                    self.server.used(self.user) + total > self.server.quota_kib << 10:
                raise Refused("NO [OVERQUOTA] full")
            uids = [folder.add(f, d or now, raw) for f, d, raw in mails]
        if not self.offers("UIDPLUS"):
            return self.ok(command)
        self.ok(command, "[APPENDUID %d %s] done" % (
            folder.uidvalidity, uids[0] if len(uids) == 1
            else "%d:%d" % (uids[0], uids[-1])))

    # -- selected

    def open_folder(self):
        if self.selected is None:
            raise Refused("BAD nothing is selected")
        return self.selected[1]

    def do_uid_fetch(self, command):
        self.do_fetch(command, by_uid=True)

    def do_fetch(self, command, by_uid=False):
        folder, (numbers, items) = self.open_folder(), command.args[:2]
        if not isinstance(items, list):
            items = [items]
        for place in folder.numbers(numbers.decode(), by_uid):
            mail = folder.mails[place]
            parts = [self.fetch_item(mail, item) for item in items]
            if by_uid and b"UID" not in (item.upper() for item in items):
                parts.insert(0, b"UID %d" % mail.uid)
            self.answer(b"* %d FETCH (%s)" % (place + 1, b" ".join(parts)))
        self.ok(command)

    @staticmethod
    def fetch_item(mail, item):
        name = item.upper()
        if name == b"UID":
            return b"UID %d" % mail.uid
        if name == b"FLAGS":
            return b"FLAGS (%s)" % " ".join(sorted(mail.flags)).encode()
        if name == b"INTERNALDATE":
            return b'INTERNALDATE "%s"' % mail.date.encode()
        if name == b"RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(mail.raw)
        found = re.fullmatch(rb"BODY(?:\.PEEK)?\[(.*)\]", name)
        if found is None:
            raise Refused("BAD what is %s?" % item.decode("latin-1"))
        data = mail.raw
        if found[1]:
            head = re.split(rb"(?<=\r\n)\r\n", data, 1)[0]
            if found[1].startswith(b"HEADER.FIELDS"):
                wanted = re.search(rb"\((.*)\)", found[1])[1].split()
                fields = re.findall(rb"[^\r\n][^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", head)
                head = b"".join(f for f in fields
                                if f.split(b":")[0].strip().upper() in wanted)
            data = head + b"\r\n"
        return b"BODY[%s] {%d}\r\n%s" % (found[1], len(data), data)

    def do_uid_search(self, command):
        self.do_search(command, by_uid=True)

    def do_search(self, command, by_uid=False):
        """ALL, UID set, HEADER field text: what there is to ask of mail here."""
        folder, keys = self.open_folder(), [a for a in command.args]
        places = set(range(len(folder.mails)))
        while keys:
            key = keys.pop(0).upper()
            if key == b"UID":
                places &= set(folder.numbers(keys.pop(0).decode(), True))
            elif key == b"HEADER":
                field, words = keys.pop(0), keys.pop(0).lower()
                places = {p for p in places if words in self.fetch_item(
                    folder.mails[p], b"BODY[HEADER.FIELDS (%s)]" % field).lower()}
            elif key != b"ALL":
                raise Refused("BAD search")
        self.answer("* SEARCH" + "".join(
            " %d" % (folder.mails[p].uid if by_uid else p + 1)
            for p in sorted(places)))
        self.ok(command)

    def do_uid_store(self, command):
        folder, (numbers, how, flags) = self.open_folder(), command.args[:3]
        flags = {flag.decode() for flag in flags}
        for place in folder.numbers(numbers.decode(), True):
            mail = folder.mails[place]
            kept = mail.flags | flags if how.startswith(b"+") else \
                mail.flags - flags if how.startswith(b"-") else frozenset(flags)
            folder.mails[place] = mail._replace(flags=kept)
        self.ok(command)

    def do_uid_expunge(self, command):
        folder = self.open_folder()
        for place in reversed(list(folder.numbers(command.args[0].decode(), True))):
            if "\\Deleted" in folder.mails[place].flags:
                del folder.mails[place]
                self.answer("* %d EXPUNGE" % (place + 1))
        self.ok(command)

    def do_unselect(self, command):
        self.selected = None
        self.ok(command)
