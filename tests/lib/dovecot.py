# SPDX-License-Identifier: GPL-3.0-or-later
"""A private Dovecot 2.3 on loopback, with a certificate authority of its own.

    with Dovecot(format="mdbox", separator="/") as server:
        connection = server.imap("anybody")

Every user name exists and has the password PASSWORD: a test that wants an empty
mailbox takes a new name. Works as root (mail then belongs to user "mail": Dovecot
refuses uid 0) and as anybody else.
"""
import grp
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from loopback import Loopback, kill9

PASSWORD = "geheim-2f7Q"
MASTER_PASSWORD = "meister-9kX1"

FORMATS = {
    "maildir": "maildir:~/Maildir",
    "mdbox": "mdbox:~/mdbox",
    "sdbox": "sdbox:~/sdbox",
}

# The usual names of special folders, by special use.
SPECIAL = {
    "Drafts": "Drafts",
    "Sent": "Sent",
    "Trash": "Trash",
    "Junk": "Junk",
    "Archive": "Archive",
}


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """A certificate authority and what it has signed, in one folder."""

    NAMES = {
        "good": "DNS:localhost,IP:127.0.0.1,IP:::1",
        "wrong-name": "DNS:imap.example.net",
        "expired": "DNS:localhost,IP:127.0.0.1,IP:::1",
    }

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.ca_file = os.path.join(folder, "ca.crt")
        if not os.path.exists(self.ca_file):
            self._new_ca("ca")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _new_ca(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                "-subj", "/CN=mailhaul test CA",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self._path(name + ".key"),
                "-out", self._path(name + ".crt"))

    def other_ca(self):
        """The file of a CA that has signed nothing here."""
        if not os.path.exists(self._path("other.crt")):
            self._new_ca("other")
        return self._path("other.crt")

    def certificate(self, kind="good"):
        """(certificate file, key file) of a server certificate."""
        crt, key = self._path(kind + ".crt"), self._path(kind + ".key")
        if os.path.exists(crt):
            return crt, key
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", "/CN=" + kind, "-keyout", key,
                "-out", self._path(kind + ".csr"))
        with open(self._path("ca.cnf"), "w") as f:
            f.write("[ca]\ndefault_ca = test\n[test]\n"
                    "database = %(d)s/index.txt\nnew_certs_dir = %(d)s\n"
                    "rand_serial = yes\nunique_subject = no\n"
                    "default_md = sha256\npolicy = any\nx509_extensions = server\n"
                    "[any]\ncommonName = supplied\n"
                    "[server]\nbasicConstraints = CA:FALSE\n"
                    "extendedKeyUsage = serverAuth\nsubjectAltName = %(san)s\n"
                    % {"d": self.folder, "san": self.NAMES[kind]})
        open(self._path("index.txt"), "a").close()
        expires = "20200201000000Z" if kind == "expired" else "20491231235959Z"
        openssl("ca", "-batch", "-notext", "-config", self._path("ca.cnf"),
                "-keyfile", self._path("ca.key"), "-cert", self.ca_file,
                "-startdate", "20200101000000Z", "-enddate", expires,
                "-in", self._path(kind + ".csr"), "-out", crt)
        os.chmod(key, 0o644)  # the daemon drops its privileges first; tests only
        return crt, key


def free_port():
    """A port nobody listens on, below those that outgoing connections get."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Dovecot(Loopback):
    def __init__(self, format="maildir", separator="/", prefix="",
                 quota_kib=None, capability=None, certificate="good",
                 special=SPECIAL, fsync=False, tls=True, password=PASSWORD,
                 extra="", folder=None):
        self.format = format
        self.separator = separator
        self.prefix = prefix
        self.quota_kib = quota_kib
        self.capability = capability
        self.certificate = certificate
        self.special = special
        self.fsync = fsync
        self.tls = tls
        self.password = password
        self.extra = extra
        self._made = folder is None
        # Sockets live below: the path must stay short.
        self.folder = folder or tempfile.mkdtemp(prefix="mh-dovecot-")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        self.authority = Authority(os.path.join(self.folder, "ca"))
        self.ca_file = self.authority.ca_file
        self.port = self.tls_port = None

    # -- running it ------------------------------------------------------

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        for d in ("base", "state", "home"):
            os.makedirs(self._path(d), exist_ok=True)
        if os.getuid() == 0:
            mail = pwd.getpwnam("mail")
            os.chown(self._path("home"), mail.pw_uid, mail.pw_gid)
        with open(self._path("masters"), "w") as f:
            f.write("admin:{PLAIN}%s::::::\n" % MASTER_PASSWORD)
        for attempt in range(5):
            self.port, self.tls_port = free_port(), free_port()
            with open(self._path("dovecot.conf"), "w") as f:
                f.write(self._configuration())
            started = self._launch()
            if started is None:
                return self
        self.stop()
        raise RuntimeError("dovecot does not start: " + started)

    def _launch(self):
        """None when it runs, otherwise what it said."""
        # With its own output file: as a daemon it would hold on to our pipe.
        with open(self._path("start.out"), "w+") as out:
            status = subprocess.call(
                [program("dovecot"), "-c", self._path("dovecot.conf")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(os.environ, LC_ALL="C"))
            out.seek(0)
            said = out.read()
        if status == 0 and self._answers():
            return None
        self._end()
        return "status %d: %s" % (status, said)

    def _answers(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                    if s.recv(4) == b"* OK":
                        return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def _master(self):
        """The daemon's pid, or None."""
        try:
            with open(self._path("base/master.pid")) as f:
                return int(f.read())
        except (OSError, ValueError):
            return None

    def crash(self):
        """Every process killed at once, then up again on the same ports, with the
        mail that was on the disk."""
        kill9(self._master())
        os.unlink(self._path("base/master.pid"))
        end = time.monotonic() + 20
        while True:
            said = self._launch()
            if said is None:
                return
            if time.monotonic() > end:  # the kernel may hold the ports for a while
                raise RuntimeError("dovecot does not come back: " + said)

    def _end(self):
        pid = self._master()
        if pid is None:
            return
        for sign, patience in ((signal.SIGTERM, 0.5), (signal.SIGKILL, 5)):
            end = time.monotonic() + patience
            try:
                os.kill(pid, sign)
                while time.monotonic() < end:
                    os.kill(pid, 0)
                    time.sleep(0.02)
            except ProcessLookupError:
                break
        try:
            os.unlink(self._path("base/master.pid"))
        except FileNotFoundError:
            pass

    def stop(self):
        self._end()
        if self._made:
            for _ in range(3):  # its last children may still be writing
                shutil.rmtree(self.folder, ignore_errors=True)
                if not os.path.exists(self.folder):
                    break
                time.sleep(0.2)

    # -- configuration ---------------------------------------------------

    def _configuration(self):
        root = os.getuid() == 0
        owner = "mail" if root else pwd.getpwuid(os.getuid()).pw_name
        crt, key = self.authority.certificate(self.certificate)
        values = {
            "base": self._path("base"),
            "state": self._path("state"),
            "log": self._path("log"),
            "home": self._path("home"),
            "masters": self._path("masters"),
            "location": FORMATS[self.format],
            "uid": pwd.getpwnam(owner).pw_uid,
            "gid": pwd.getpwnam(owner).pw_gid,
            "password": self.password,
            "port": self.port,
            "tls_port": self.tls_port,
            "separator": self.separator,
            "prefix": self.prefix,
            "fsync": "optimized" if self.fsync else "never",
            "ssl": "yes" if self.tls else "no",
            "crt": crt,
            "key": key,
        }
        text = CONFIGURATION % values
        text = text.replace("@SPECIAL@", "".join(
            "  mailbox %s {\n    special_use = \\%s\n    auto = subscribe\n  }\n"
            % (quoted(name), use)
            for use, name in self.special.items()))
        if self.capability:
            text += "imap_capability = %s\n" % self.capability
        if self.quota_kib:
            text += ("plugin {\n  quota = count:User quota\n"
                     "  quota_vsizes = yes\n"
                     "  quota_rule = *:storage=%dK\n  quota_grace = 0\n}\n"
                     % self.quota_kib)
        if not root:
            text += WITHOUT_ROOT % {
                "user": owner, "group": grp.getgrgid(os.getgid()).gr_name}
        return text + self.extra


def quoted(name):
    return '"%s"' % name.replace("\\", "\\\\").replace('"', '\\"')


def program(name):
    """Where a daemon is, also for people without /usr/sbin in their PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin"
    return shutil.which(name, path=path) or name


def missing():
    """Why no Dovecot can be started here, or None."""
    for name in ("dovecot", "openssl"):
        if os.sep not in program(name):
            return "%s is not installed" % name
    return None


CONFIGURATION = r"""
protocols = imap
base_dir = %(base)s
state_dir = %(state)s
log_path = %(log)s
listen = 127.0.0.1
instance_name = mailhaul-test-%(port)d
first_valid_uid = 1
first_valid_gid = 1
mail_location = %(location)s
mail_fsync = %(fsync)s
mail_max_userip_connections = 100
mail_plugins = quota
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_master_user_separator =
ssl = %(ssl)s
ssl_cert = <%(crt)s
ssl_key = <%(key)s
ssl_min_protocol = TLSv1.2
protocol imap {
  mail_plugins = quota imap_quota imap_zlib
}
namespace inbox {
  inbox = yes
  separator = %(separator)s
  prefix = %(prefix)s
@SPECIAL@}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%u %(masters)s
  master = yes
  result_success = continue-ok
}
passdb {
  driver = static
  args = password=%(password)s
}
userdb {
  driver = static
  args = uid=%(uid)d gid=%(gid)d home=%(home)s/%%u allow_all_users=yes
}
service imap-login {
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = %(port)d
  }
  inet_listener imaps {
    port = %(tls_port)d
    ssl = yes
  }
}
service imap {
  service_count = 100
  process_limit = 100
}
# Wrong passwords are part of the tests; nobody is to wait for it.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""

WITHOUT_ROOT = """
default_internal_user = %(user)s
default_internal_group = %(group)s
default_login_user = %(user)s
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
service stats {
  chroot =
}
"""
