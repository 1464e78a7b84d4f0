# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: mail, lines to a server, and the programs that bring the one over
the other."""
import contextlib
import os
import subprocess
import sys

import bench
from corpus import Corpus, wire_files
import dovecot
import onserver


class Line:
    """A way to the server."""

    def __init__(self, name, tls=True, rtt=0, kbit=0):
        self.name, self.tls, self.rtt, self.kbit = name, tls, rtt, kbit

    def __str__(self):
        return self.name + (", %g ms" % self.rtt if self.rtt else "") + \
            (", %g Mbit/s up" % (self.kbit / 1000) if self.kbit else "")


class Mail:
    """A Maildir, and the same ready to be sent."""

    def __init__(self, folder, seed, messages, folders=20, size=None):
        self.messages, self.folders = messages, folders
        self.box = os.path.join(folder, "Maildir")
        self.wire = os.path.join(folder, "wire")
        corpus = Corpus(seed)
        if size:
            corpus.size = lambda: size
        self.bytes = corpus.maildir(self.box, messages, folders)
        wire_files(self.box, self.wire)

    def __str__(self):
        return "%d messages, %.1f MiB (deflated: %.0f %%), %d folders" % (
            self.messages, self.bytes / 2**20,
            100 * bench.deflated(self.wire + ".bin"), self.folders)


class Bench:
    """A server, and the programs as program_NAME(user, mail, line, options): each gives
    a function that runs it, and clears away after the last run."""

    def __init__(self, seed, ledgers):
        self.seed, self.ledgers = seed, ledgers
        self.folder = bench.scratch()
        self.server = dovecot.Dovecot(
            folder=os.path.join(self.folder, "dovecot"), special={}, fsync=False)
        self.env = {"MAILHAUL_PASSWORD": dovecot.PASSWORD, "HOME": self.folder}
        self.made = 0
        self.proxies, self.ports = [], {}

    def prepare(self):
        self.mailhaul = bench.mailhaul()
        self.raw = bench.compiled("raw_writer", "-lssl", "-lcrypto")
        self.proxy = bench.compiled("delay_proxy", "-lpthread")
        self.server.start()

    def close(self):
        for proxy in self.proxies:
            proxy.kill()
            proxy.wait()
        self.server.stop()
        bench.remove(self.folder)

    def new_name(self, what):
        self.made += 1
        return "%s%d" % (what, self.made)

    @contextlib.contextmanager
    def mail(self, messages, **how):
        folder = os.path.join(self.folder, self.new_name("mail"))
        try:
            yield Mail(folder, self.seed, messages, **how)
        finally:
            bench.remove(folder)

    def port(self, line):
        direct = self.server.tls_port if line.tls else self.server.port
        if not line.rtt and not line.kbit:
            return direct
        if str(line) not in self.ports:
            proxy = subprocess.Popen(
                [self.proxy, str(direct), str(line.rtt / 2), str(line.kbit)],
                stdout=subprocess.PIPE, text=True)
            self.proxies.append(proxy)
            self.ports[str(line)] = int(proxy.stdout.readline())
        return self.ports[str(line)]

    @contextlib.contextmanager
    def ready(self, program, mail, line):
        """A function that runs "NAME [OPTION]..." into a mailbox nobody has used."""
        name, *options = program.split()
        user = self.new_name("bench")
        try:
            with getattr(self, "program_" + name)(user, mail, line, options) as run:
                yield run
            self.check(user, program, mail)
        finally:
            bench.remove(os.path.join(self.server.folder, "home", user))

    def once(self, program, mail, line):
        with self.ready(program, mail, line) as run:
            return run()

    def check(self, user, program, mail):
        connection = self.server.imap(user)
        there = sum(onserver.select(connection, wire)
                    for wire in onserver.folders(connection).values())
        connection.logout()
        if there != mail.messages:
            sys.exit("%s left %d messages, not %d" % (program, there, mail.messages))

    @contextlib.contextmanager
    def program_raw(self, user, mail, line, options):
        argv = [self.raw, str(self.port(line)), user, mail.wire]
        argv += [self.server.ca_file] if line.tls else []
        yield lambda: bench.timed(argv, self.env)

    @contextlib.contextmanager
    def program_mailhaul(self, user, mail, line, options):
        # The ledger lies on a real disk and is synced: that is part of the work.
        ledger = os.path.join(self.ledgers, "mh-bench-%d.db" % os.getpid())
        argv = [self.mailhaul, "migrate", "-q", "--ledger", ledger]
        argv += ["--ca-file", self.server.ca_file] if line.tls else ["--plaintext"]
        argv += [*options, "maildir:" + mail.box, self.server.target(
            user, "imaps" if line.tls else "imap", port=self.port(line))]
        try:
            yield lambda: bench.timed(argv, self.env)
        finally:
            for end in ("", "-wal", "-shm", ".lock"):
                if os.path.exists(ledger + end):
                    os.unlink(ledger + end)

    @contextlib.contextmanager
    def program_mbsync(self, user, mail, line, options):
        # It renames what it has sent: each mailbox gets a copy (of links).
        copy = os.path.join(self.folder, "mbsync")
        subprocess.run(["cp", "-al", mail.box, copy], check=True)
        config = os.path.join(self.folder, "mbsyncrc")
        with open(config, "w") as f:
            f.write("FSync no\nIMAPAccount a\nHost localhost\nPort %d\nUser %s\n"
                    "Pass \"%s\"\nAuthMechs LOGIN\n" % (
                        self.port(line), user, dovecot.PASSWORD))
            f.write("SSLType IMAPS\nSystemCertificates no\nCertificateFile %s\n"
                    % self.server.ca_file if line.tls else "SSLType None\n")
            f.write("\nIMAPStore far\nAccount a\n\nMaildirStore near\nInbox %s\n"
                    "SubFolders Maildir++\n\nChannel c\nFar :far:\nNear :near:\n"
                    "Patterns *\nCreate Far\nSync Push\nExpunge None\nCopyArrivalDate "
                    "yes\nSyncState *\n" % copy)
        try:
            yield lambda: bench.timed(["mbsync", "-q", "-c", config, "-a"], self.env)
        finally:
            bench.remove(copy)
