# SPDX-License-Identifier: GPL-3.0-or-later
"""Private Cyrus, Courier and GNU mailutils on loopback, used as dovecot.Dovecot is:

    with Cyrus() as server:
        connection = server.imap("anybody")

Debian's packages of them cannot be installed beside Dovecot's (they conflict), so
scripts/test unpacks them into a cache, and they run from there: no user is made, nothing
outside their folder is touched. What they do is what the packages' own settings make
them do, but for paths, ports and where passwords are.

crash() kills every process of a server as a power cut would, and starts it again on the
same ports, with the same mail.
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import mailauth
from dovecot import PASSWORD, Authority, free_port, program
from loopback import Loopback, kill9


def unpacked(name):
    """Where scripts/test puts a server."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "mailhaul-tests", name)


def libraries(root):
    lib = os.path.join(root, "usr/lib")
    return ":".join([lib] + glob.glob(lib + "/*-linux-gnu"))


class Server(Loopback):
    """What is the same for all three."""

    name = None       # of its folder in the cache
    needs = ()        # programs, in there
    greeting = b"* OK"

    def __init__(self, certificate="good", password=PASSWORD):
        self.certificate = certificate
        self.password = password
        # Sockets live below: the path must stay short.
        self.folder = tempfile.mkdtemp(prefix="mh-%s-" % self.name)
        os.chmod(self.folder, 0o755)
        self.root = self._path("root")
        self.authority = Authority(self._path("ca"))
        self.ca_file = self.authority.ca_file
        self.owner = pwd.getpwnam("mail") if os.getuid() == 0 else \
            pwd.getpwuid(os.getuid())
        self.port = self.tls_port = None
        self._process = self._auth = None

    @classmethod
    def missing(cls):
        """Why it cannot be started here, or None."""
        for path in cls.needs:
            path = os.path.join(unpacked(cls.name), path)
            if not os.access(path, os.X_OK):
                return "%s is not there: scripts/test unpacks it" % path
            linked = subprocess.run(
                ["ldd", path], env=dict(os.environ, LC_ALL="C",
                                        LD_LIBRARY_PATH=libraries(
                                            unpacked(cls.name))),
                capture_output=True, text=True).stdout
            for line in linked.splitlines():
                if "not found" in line:
                    return "%s: %s" % (path, line.strip())
        if os.sep not in program("openssl"):
            return "openssl is not installed"
        return None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        # The cache is somebody's own, and servers drop their privileges: a copy.
        for part in ("usr/lib", "usr/sbin", "usr/bin", "etc"):
            if os.path.isdir(os.path.join(unpacked(self.name), part)):
                shutil.copytree(os.path.join(unpacked(self.name), part),
                                os.path.join(self.root, part), symlinks=True)
        self._prepare()
        for attempt in range(5):
            self.port, self.tls_port = free_port(), free_port()
            if self._launch():
                return self
        said = self.log()
        self.stop()
        raise RuntimeError("%s does not start: %s" % (self.name, said))

    def crash(self):
        """Every process killed at once, then up again with what was on the disk."""
        self._kill()
        end = time.monotonic() + 20
        while not self._launch():  # the kernel may still hold the ports
            if time.monotonic() > end:
                raise RuntimeError("%s does not come back: %s"
                                   % (self.name, self.log()))

    def stop(self):
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                pass
        self._kill()
        if self._auth:
            self._auth.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self):
        """Make what is there before the first start."""

    def _command(self):
        """The daemon's command line, its configuration written; it stays in the
        foreground."""
        raise NotImplementedError

    def _launch(self):
        with open(self._path("log"), "ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                     "TZ": "UTC", "LD_LIBRARY_PATH": libraries(self.root)})
        if self._answers(self.port) and self._answers(self.tls_port, b""):
            return True
        self._kill()
        return False

    def _answers(self, port, greeting=None):
        greeting = self.greeting if greeting is None else greeting
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), 10) as s:
                    if not greeting or s.recv(len(greeting)) == greeting:
                        return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def _kill(self):
        if self._process:
            kill9(self._process.pid)
            self._process.wait()
            self._process = None

    def _write(self, name, text, mode=0o644):
        with open(self._path(name), "w") as f:
            f.write(text)
        os.chmod(self._path(name), mode)

    def _own(self, path):
        """Give a folder or file to those whose mail it is."""
        if os.getuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _make(self, *names):
        for name in names:
            os.makedirs(self._path(name), exist_ok=True)
            self._own(self._path(name))

    def _pem(self):
        """Key and certificate in one file."""
        crt, key = self.authority.certificate(self.certificate)
        with open(key) as k, open(crt) as c:
            return k.read() + c.read()


class Cyrus(Server):
    name = "cyrus"
    needs = ("usr/lib/cyrus/bin/master", "usr/lib/cyrus/bin/imapd",
             "usr/lib/cyrus/bin/ctl_cyrusdb")

    def __init__(self, separator="/", prefix="", extra="", **common):
        super().__init__(**common)
        self.separator, self.prefix, self.extra = separator, prefix, extra

    def _prepare(self):
        self._make("spool", "proc", "lock", "conf", *(
            "conf/" + d for d in ("db", "log", "msg", "proc", "socket", "user",
                                  "quota", "ptclient", "sync")))
        self._auth = mailauth.saslauthd(
            self._path("auth"), lambda user, password: password == self.password)

    def _command(self):
        crt, key = self.authority.certificate(self.certificate)
        bin = os.path.join(self.root, "usr/lib/cyrus/bin")
        self._write("imapd.conf", CYRUS_IMAPD % {
            "folder": self.folder, "user": self.owner.pw_name,
            "unix": "yes" if self.separator == "/" else "no",
            "alt": "no" if self.prefix else "yes", "crt": crt, "key": key}
            + self.extra)
        imapd = "%s/imapd -C %s" % (bin, self._path("imapd.conf"))
        self._write("cyrus.conf", CYRUS_MASTER % {
            "recover": "%s/ctl_cyrusdb -C %s" % (bin, self._path("imapd.conf")),
            "imapd": imapd, "port": self.port, "tls_port": self.tls_port})
        return [bin + "/master", "-C", self._path("imapd.conf"),
                "-M", self._path("cyrus.conf"), "-p", self._path("pid"), "-D"]


CYRUS_IMAPD = """
configdirectory: %(folder)s/conf
defaultpartition: default
partition-default: %(folder)s/spool
proc_path: %(folder)s/proc
mboxname_lockpath: %(folder)s/lock
cyrus_user: %(user)s
servername: localhost
admins: cyrus
altnamespace: %(alt)s
unixhierarchysep: %(unix)s
virtdomains: off
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: %(folder)s/auth
sasl_mech_list: PLAIN LOGIN
tls_server_cert: %(crt)s
tls_server_key: %(key)s
tls_versions: tls1_2 tls1_3
tls_session_timeout: 0
idlesocket: %(folder)s/conf/socket/idle
lmtpsocket: %(folder)s/conf/socket/lmtp
notifysocket: %(folder)s/conf/socket/notify
statuscache: on
autocreate_quota: 0
autocreate_inbox_folders: Sent|Drafts|Trash|Junk
autocreate_subscribe_folders: Sent|Drafts|Trash|Junk
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
xlist-junk: Junk
"""

CYRUS_MASTER = """
START {
  recover cmd="%(recover)s -r"
}
SERVICES {
  imap cmd="%(imapd)s -U 30" listen="127.0.0.1:%(port)d" prefork=0 maxchild=100
  imaps cmd="%(imapd)s -s -U 30" listen="127.0.0.1:%(tls_port)d" prefork=0 maxchild=100
}
EVENTS {
  checkpoint cmd="%(recover)s -c" period=30
}
"""


class Courier(Server):
    """Finds its password daemon at a path that is compiled in, and wants a user
    "courier": it runs in a mount namespace of its own, and that needs root."""

    name = "courier"
    needs = ("usr/sbin/couriertcpd", "usr/bin/imapd", "usr/bin/couriertls",
             "usr/lib/courier/courier/imaplogin")

    def __init__(self, capability=None, **common):
        super().__init__(**common)
        self.capability = capability

    @classmethod
    def missing(cls):
        why = super().missing()
        if why is None and subprocess.run(
                ["unshare", "-m", "--propagation", "private", "true"],
                stderr=subprocess.DEVNULL).returncode != 0:
            why = "Courier needs a mount namespace, and that needs root"
        return why

    def _prepare(self):
        self._make("home")
        self._auth = mailauth.authdaemond(self._path("auth"), self._login)
        self._write("imapd.pem", self._pem(), 0o600)
        self._own(self._path("imapd.pem"))
        for name, line in (("passwd", "courier:x:%d:%d::/:/bin/false\n"),
                           ("group", "courier:x:%d:\n")):
            with open("/etc/" + name) as f:
                ids = (self.owner.pw_uid, self.owner.pw_gid)
                self._write(name, f.read() + line % ids[:line.count("%d")])

    def _login(self, user, password):
        if password != self.password or "/" in user or user.startswith("."):
            return None
        home = os.path.join("home", user)
        self._make(home, *(os.path.join(home, "Maildir", d)
                           for d in ("", "tmp", "new", "cur")))
        return {"UID": self.owner.pw_uid, "GID": self.owner.pw_gid,
                "HOME": self._path(home), "ADDRESS": user, "MAILDIR":
                self._path(os.path.join(home, "Maildir"))}

    def _command(self):
        self._write("run.sh", COURIER_RUN % {
            "folder": self.folder, "root": self.root, "port": self.port,
            "tls_port": self.tls_port, "owner": self.owner.pw_name,
            "capability": "IMAP_CAPABILITY='%s'" % self.capability
            if self.capability else ""})
        return ["unshare", "-m", "--propagation", "private",
                "sh", self._path("run.sh")]


# The package's settings files are shell; authdaemon's socket is compiled in.
COURIER_RUN = """
mount -t tmpfs tmpfs /run || exit 1
mkdir -p /run/courier/authdaemon
ln -s %(folder)s/auth /run/courier/authdaemon/socket
mount --bind %(folder)s/passwd /etc/passwd || exit 1
mount --bind %(folder)s/group /etc/group || exit 1
set -a
. %(root)s/etc/courier/imapd
. %(root)s/etc/courier/imapd-ssl
%(capability)s
COURIERTLS=%(root)s/usr/bin/couriertls
TLS_CERTFILE=%(folder)s/imapd.pem
TLS_CACHEFILE= TLS_DHPARAMS= TLS_TRUSTCERTS=
set +a
listen="%(root)s/usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=$MAXDAEMONS
	-maxperip=$MAXPERIP $TCPDOPTS"
imapd="%(root)s/usr/lib/courier/courier/imaplogin %(root)s/usr/bin/imapd Maildir"
IMAP_STARTTLS=YES PROTOCOL=IMAP $listen %(port)d $imapd &
IMAP_TLS=1 PROTOCOL=IMAP IMAP_CAPABILITY="$IMAP_CAPABILITY_TLS" $listen %(tls_port)d \\
	$COURIERTLS -server -tcpd -user=%(owner)s $imapd &
wait
"""


class Mailutils(Server):
    """imap4d keeps root and follows '..' out of its root: no test may send it such a
    name. Its users are in a virtual domain, NAME@test, and in a file: they are made
    when a test names them."""

    name = "mailutils"
    needs = ("usr/sbin/imap4d",)

    def __init__(self, format="maildir", **common):
        super().__init__(**common)
        self.format = format
        self._users = set()

    @classmethod
    def missing(cls):
        if os.getuid() != 0:
            return "imap4d needs root"
        return super().missing()

    def login_name(self, user):
        name = user.partition("@")[0]
        if name not in self._users:
            self._add(name)
        return name + "@test"

    def _add(self, name):
        home = "home/" + name
        self._make(home, home + "/mail")
        if self.format == "maildir":
            self._make(*(home + "/INBOX/" + d for d in ("", "cur", "new", "tmp")))
        else:
            open(self._path(home + "/INBOX"), "w").close()
            self._own(self._path(home + "/INBOX"))
        with open(self._path("users/test"), "a") as f:
            f.write("%s:%s:%d:%d::%s:/bin/false\n"
                    % (name, self._hash, self.owner.pw_uid, self.owner.pw_gid,
                       self._path(home)))
        self._users.add(name)

    def _prepare(self):
        self._make("users", "home")
        open(self._path("users/test"), "w").close()
        self._hash = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=self.password.encode(),
            stdout=subprocess.PIPE, check=True).stdout.decode().strip()

    def _command(self):
        crt, key = self.authority.certificate(self.certificate)
        self._write("imap4d.conf", MAILUTILS_IMAP4D % {
            "folder": self.folder, "crt": crt, "key": key, "format": self.format,
            "port": self.port, "tls_port": self.tls_port})
        return [os.path.join(self.root, "usr/sbin/imap4d"),
                "--config-file=" + self._path("imap4d.conf")]


MAILUTILS_IMAP4D = """
virtdomain { passwd-dir %(folder)s/users; };
auth {
  authentication clear; authentication generic;
  authorization clear; authorization virtdomain;
};
mailbox {
  mailbox-type %(format)s;
  mailbox-pattern "%(format)s:%(folder)s/home/${user}/INBOX";
};
namespace personal {
  prefix "" { directory "${home}/mail"; delimiter "/"; mailbox-type %(format)s; };
};
logging { syslog no; };
tls-file-checks { key-file none; cert-file none; ca-file none; };
tls { ssl-certificate-file %(crt)s; ssl-key-file %(key)s; };
acl { allow from 127.0.0.0/8; };
tcp-wrappers { enable no; };
max-children 100;
foreground yes;
mode daemon;
pidfile %(folder)s/pid;
server 127.0.0.1:%(port)d { tls-mode ondemand; };
server 127.0.0.1:%(tls_port)d { tls-mode connection; };
"""

ALL = (Cyrus, Courier, Mailutils)
