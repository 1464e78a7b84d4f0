# SPDX-License-Identifier: GPL-3.0-or-later
"""Disturb runs of mailhaul until so many disturbances have hit, and count what was
lost, doubled or altered.

    python3 tests/lib/sweep.py --server dovecot --variant no-uidplus --kind kill \\
            -n 100 --program build/release/cmd/mailhaul
    python3 tests/lib/sweep.py --all --program ... --table faults.md

kill    SIGKILL of mailhaul at a random moment
server  kill -9 of the server while mailhaul runs; it comes up again at once
cut     the connection is reset after a random byte, up or down
drop    the tagged answer to a random APPEND is lost with the connection

An episode is a new mailbox and a new ledger, several disturbances one after the other
(so that recovery is disturbed as well), a run to the end, and one more that must send
nothing. Nobody waits between a disturbance and the next run.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import dovecot
import makemail
import onserver
import servers as others
from harness import Result, environment
from proxy import Proxy

VARIANTS = {
    "all": (),
    "no-uidplus": ("UIDPLUS",),
    "no-multiappend": ("MULTIAPPEND",),
    "no-literal+": ("LITERAL+", "LITERAL-"),
    "none": ("UIDPLUS", "MULTIAPPEND", "LITERAL+", "LITERAL-"),
}
# How many of each are wanted for a table, and how many an episode has.
KINDS = {"kill": (100, 7), "server": (30, 3), "cut": (100, 3), "drop": (30, 4)}
GOES_ON = (0, 69, 75)   # how a disturbed run may end
RUNS_MAX = 12           # that an episode may need after its last disturbance
PATIENCE = 180          # seconds: longer is a hang


# -- servers ---------------------------------------------------------------

def servers():
    """{name: makes a server} of all that can be had here."""
    makers = {
        "dovecot": lambda: dovecot.Dovecot(separator="/"),
        "dovecot-mdbox": lambda: dovecot.Dovecot(separator="/", format="mdbox"),
    } if dovecot.missing() is None else {}
    for kind in others.Cyrus, others.Courier, others.Mailutils:
        if kind.missing() is None:
            makers[kind.name] = kind
    return makers


# -- the mail ----------------------------------------------------------------

def awkward(n, rng, first):
    """n mails of 1 to 60 KB, in an order of their own: copies, twins that share a
    body, mails without a Message-ID, mails that share one (and their size) and
    nothing else."""
    mails = []
    for i in range(n):
        size = int(1000 * 60 ** rng.random())
        raw = makemail.message(rng, first + i, size)
        old = rng.choice(mails) if mails else raw
        kind = i % 12
        if kind == 3:
            raw = old
        elif kind == 5:     # the same body under another header
            raw = raw.partition(b"\n\n")[0] + b"\n\n" + old.partition(b"\n\n")[2]
        elif kind == 7:
            raw = without_message_id(raw)
        elif kind == 8:     # no Message-ID, and the same body as another
            raw = without_message_id(raw).partition(b"\n\n")[0] + b"\n\n" + \
                old.partition(b"\n\n")[2]
        elif kind == 10:    # another's header and size
            head, _, body = old.partition(b"\n\n")
            raw = head + b"\n\n" + body.translate(ROT)
        mails.append(raw)
    rng.shuffle(mails)
    return mails


ROT = bytes.maketrans(b"abcdefghijklmnopqrstuvwxyz", b"nopqrstuvwxyzabcdefghijklm")


def without_message_id(raw):
    return b"\n".join(line for line in raw.split(b"\n")
                      if not line.startswith(b"Message-ID:"))


def source(folder, n=300, seed=1):
    """A Maildir of four folders and an mbox, n mails in all; the paths."""
    rng = random.Random(seed)
    box = os.path.join(folder, "Maildir")
    for i, name in enumerate(("", ".Work", ".Work.2024", ".Lists")):
        makemail.maildir_folder(os.path.join(box, name) if name else box,
                                awkward(n // 5, rng, i * 1000))
    archive = makemail.mbox(os.path.join(folder, "Archive"),
                            awkward(n - 4 * (n // 5), rng, 9000))
    return [box, archive]


# -- one combination -----------------------------------------------------------

class Outcome:
    """What a combination came to."""

    def __init__(self, server, variant, kind):
        self.server, self.variant, self.kind = server, variant, kind
        self.disturbances = self.episodes = self.runs = 0
        self.lost = self.doubled = self.altered = 0
        self.problems = []      # a sentence for each thing that went wrong
        self.seconds = 0.0

    COLUMNS = ("server", "variant", "kind", "disturbances", "episodes", "runs",
               "lost", "doubled", "altered", "other", "seconds")

    @property
    def ok(self):
        return not self.problems

    def row(self):
        other = sum(not p.startswith("mailbox: ") for p in self.problems)
        return (self.server, self.variant, self.kind, self.disturbances,
                self.episodes, self.runs, self.lost, self.doubled, self.altered,
                other, "%.0f" % self.seconds)

    def __str__(self):
        return "  ".join("%s %s" % pair for pair in zip(self.COLUMNS, self.row()))


def compare(want, there):
    """(lost, doubled, altered) of two multisets of (folder, sha256, flags, date)."""
    def bytes_only(mails):
        counted = collections.Counter()
        for (folder, sha, _, _), n in mails.items():
            counted[folder, sha] += n
        return counted

    w, t = bytes_only(want), bytes_only(there)
    lost, more = sum((w - t).values()), t - w
    strange = sum(n for key, n in more.items() if key not in w)
    doubled = sum(more.values()) - strange
    # The same bytes with other flags or another date.
    altered = sum((want - there).values()) - lost
    return max(0, lost - strange), doubled, altered + strange


class Combination:
    """One server, variant and kind: makes the reference, then episodes."""

    def __init__(self, server, variant, kind, seed, program, sources, folder,
                 name="server"):
        self.server, self.kind, self.program = server, kind, program
        # Behind COMPRESS no answer can be told from another.
        self.hide = VARIANTS[variant] + ("COMPRESS=DEFLATE",)
        self.sources, self.folder, self.seed = sources, folder, seed
        self.rng = random.Random(seed)
        self.outcome = Outcome(name, variant, kind)
        self.users = 0

    def proxy(self, **how):
        return Proxy(self.server.port, hide=self.hide, follow=True,
                     listen_in=False, **how)

    def start_over(self):
        self.users += 1
        self.user = "%s-%s-%d-%d" % (self.outcome.variant.replace("+", ""),
                                     self.kind, self.seed % 100000, self.users)
        if hasattr(self.server, "new_user"):
            self.user = self.server.new_user()
        self.ledger = os.path.join(self.folder, self.user + ".db")
        self.done = []      # the disturbances of this episode

    def problem(self, text, result=None):
        self.outcome.problems.append("%s (seed %d, %s, after %s)%s" % (
            text, self.seed, self.user, ", ".join(self.done) or "nothing",
            ": %s" % result if result else ""))

    # running it

    def start(self, proxy):
        to = self.server.target(self.user, "imap", port=proxy.port)
        self.argv = [self.program, "migrate", "--json", "--plaintext", "--ledger",
                     self.ledger, *self.sources, to]
        self.out = tempfile.TemporaryFile(dir=self.folder)
        self.err = tempfile.TemporaryFile(dir=self.folder)
        self.outcome.runs += 1
        return subprocess.Popen(
            self.argv, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=self.out, stderr=self.err,
            env=environment(self.folder, getattr(self.server, "password",
                                                 dovecot.PASSWORD)))

    def ended(self, process, killed=False):
        """Wait for its end; the Result, or None for a hang or a crash."""
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed = None
        text = []
        for f in (self.out, self.err):
            f.seek(0)
            text.append(f.read())
            f.close()
        result = Result(self.argv, process.returncode, *text)
        if killed is None:
            self.problem("hang: no end after %d s" % PATIENCE, result)
            return None
        if b"Sanitizer" in text[1] or b"runtime error:" in text[1] or \
                result.code < 0 and not (killed and result.code == -9):
            self.problem("the program broke", result)
            return None
        return result

    def reference(self):
        self.start_over()
        started = time.monotonic()
        with self.proxy() as proxy:
            result = self.ended(self.start(proxy))
            if result is None or result.code != 0:
                raise RuntimeError("undisturbed it fails already: %s" % result)
            self.whole = time.monotonic() - started
            self.whole_up, self.whole_down = proxy.bytes_up, proxy.bytes_down
            self.whole_appends = proxy.appends
            if proxy.strange:
                self.problem("literals were sent before they were asked for")
        self.counts = result.summary
        self.want = self.mailbox()
        self.outcome.undisturbed = {
            name: getattr(self, name) for name in (
                "whole", "whole_up", "whole_down", "whole_appends", "counts",
                "want")}
        if sum(self.want.values()) != self.counts.uploaded:
            raise RuntimeError("undisturbed, %d are on the server: %s" % (
                sum(self.want.values()), result))

    def take_reference(self, undisturbed):
        self.__dict__.update(undisturbed)
        self.outcome.undisturbed = undisturbed

    def mailbox(self):
        connection = self.server.imap(self.user)
        try:
            return onserver.contents(connection)
        finally:
            connection.logout()

    # disturbing it

    def moment(self, proxy, process):
        """Wait for a random moment of the run; False when it ended before."""
        rng = self.rng
        until = time.monotonic() + PATIENCE
        event = None
        if rng.random() < 0.4:
            until = time.monotonic() + rng.uniform(0, self.whole * 0.6)
        else:
            event = proxy.watch_up(proxy.bytes_up +
                                   int(rng.uniform(0, self.whole_up * 0.25)))
        while time.monotonic() < until and not (event and event.is_set()):
            try:
                process.wait(min(0.002, max(0, until - time.monotonic())))
                return False
            except subprocess.TimeoutExpired:
                pass
        if event and rng.random() < 0.5:
            time.sleep(rng.uniform(0, 0.03))
        return process.poll() is None

    def kill(self, most):
        with self.proxy() as proxy:
            for _ in range(most):
                process = self.start(proxy)
                hit = self.moment(proxy, process)
                if hit:
                    process.kill()
                result = self.ended(process, killed=hit)
                if result is None:
                    return
                if result.code == -signal.SIGKILL:
                    self.hit("killed after %d bytes" % proxy.bytes_up)
                elif result.code == 0:
                    return

    def hit(self, what):
        self.outcome.disturbances += 1
        self.done.append(what)

    def crash_server(self, most):
        with self.proxy() as proxy:
            process = self.start(proxy)
            for _ in range(most):
                if not self.moment(proxy, process):
                    break
                # Between two attempts there is nothing to disturb.
                while not proxy.open and process.poll() is None:
                    time.sleep(0.002)
                came, opened = proxy.connections, proxy.open
                at = proxy.bytes_up
                self.server.crash()
                # It counts when what was broken had to be made again.
                while opened and process.poll() is None and \
                        proxy.connections == came:
                    time.sleep(0.01)
                if opened and (process.poll() or proxy.connections > came):
                    self.hit("server killed after %d bytes" % at)
            self.ended(process)

    def cut(self, most):
        rng = self.rng
        up = rng.randrange(most + 1)
        offsets = {
            "cut_after_up": [rng.randrange(self.whole_up) for _ in range(up)],
            "cut_after_down": [rng.randrange(self.whole_down)
                               for _ in range(most - up)]}
        with self.proxy(**offsets) as proxy:
            for _ in range(most):
                before = proxy.cuts
                result = self.ended(self.start(proxy))
                for _ in range(proxy.cuts - before):
                    self.hit("a cut of %s" % offsets)
                if result is None or result.code == 0:
                    break

    def drop(self, most):
        numbers = {self.rng.randrange(self.whole_appends) + 1 for _ in range(most)}
        with self.proxy(drop_appends=numbers) as proxy:
            for _ in range(most):
                before = len(proxy.dropped)
                result = self.ended(self.start(proxy))
                for line in proxy.dropped[before:]:
                    self.hit("%s dropped" % line.decode("latin-1").strip()[:60])
                if result is None or result.code == 0:
                    break

    def episode(self, most):
        self.start_over()
        before = len(self.outcome.problems)
        {"kill": self.kill, "server": self.crash_server,
         "cut": self.cut, "drop": self.drop}[self.kind](most)
        self.outcome.episodes += 1
        if len(self.outcome.problems) == before:
            self.finish()

    def finish(self):
        """To the end, and once more."""
        with self.proxy() as proxy:
            for _ in range(RUNS_MAX):
                result = self.ended(self.start(proxy))
                if result is None:
                    return
                if result.code not in GOES_ON:
                    self.problem("it ends with %d" % result.code, result)
                    return
                if result.code == 0:
                    break
            else:
                self.problem("never finished", result)
                return
            self.check(result)
            sent = proxy.appends
            again = self.ended(self.start(proxy))
            if again is None:
                return
            if proxy.appends != sent or again.code != 0 or again.summary.uploaded \
                    or again.summary.already != self.counts.uploaded:
                self.problem("a run with nothing to do is not idle", again)

    def check(self, result):
        there = self.mailbox()
        lost, doubled, altered = compare(self.want, there)
        self.outcome.lost += lost
        self.outcome.doubled += doubled
        self.outcome.altered += altered
        if there != self.want:
            self.problem("mailbox: %d lost, %d doubled, %d altered; missing %s, "
                         "too many %s" % (
                             lost, doubled, altered,
                             list((self.want - there).elements())[:3],
                             list((there - self.want).elements())[:3]))
        try:
            counts = result.summary
        except AssertionError as e:
            self.problem(str(e))
            return
        want = self.counts
        if (counts.found, counts.failed, counts.skipped, counts.duplicate,
                counts.uploaded + counts.already) != (
                    want.found, want.failed, want.skipped, want.duplicate,
                    want.uploaded + want.already):
            self.problem("the counts differ from %s" % want, result)


def disturb(server, variant, kind, n, seed, program, messages=300, name="server",
            tell=None, undisturbed=None):
    """The Outcome of disturbing runs to server until n disturbances have hit.
    undisturbed: the Outcome's, of an earlier kind with the same server and variant."""
    folder = tempfile.mkdtemp(prefix="mh-sweep-")
    started = time.monotonic()
    c = Combination(server, variant, kind, seed, program,
                    source(folder, messages, 1), folder, name)
    try:
        if undisturbed:
            c.take_reference(undisturbed)
        else:
            c.reference()
        most = KINDS[kind][1]
        while c.outcome.disturbances < n:
            before = len(c.outcome.problems)
            c.episode(min(most, n - c.outcome.disturbances))
            if tell:
                for text in c.outcome.problems[before:]:
                    tell(text)
            if c.outcome.episodes > 20 + 4 * n:
                c.problem("it is hardly ever hit")
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    c.outcome.seconds = time.monotonic() - started
    return c.outcome


# -- the command line --------------------------------------------------------

def table(outcomes):
    lines = ["| %s |" % " | ".join(Outcome.COLUMNS),
             "|%s" % (" --- |" * len(Outcome.COLUMNS))]
    lines += ["| %s |" % " | ".join(map(str, o.row())) for o in outcomes]
    return "\n".join(lines) + "\n"


def main():
    words = lambda text: text.split(",")
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--server", type=words, default=["dovecot"])
    parser.add_argument("--variant", type=words, default=["all"])
    parser.add_argument("--kind", type=words, default=["kill"])
    parser.add_argument("--all", action="store_true",
                        help="every variant and kind, every server that is here "
                        "unless --server names some")
    parser.add_argument("-n", type=int, help="instead of the kind's usual number")
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--table", help="write a table in markdown")
    args = parser.parse_args()
    makers = servers()
    if args.all:
        args.variant, args.kind = list(VARIANTS), list(KINDS)
        if "--server" not in sys.argv:
            args.server = list(makers)
    seed = args.seed if args.seed is not None else \
        random.SystemRandom().randrange(1 << 32)
    program = os.path.abspath(args.program)
    outcomes = []
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(143))  # servers are stopped
    for name in args.server:
        with makers[name]() as server:
            for variant in args.variant:
                undisturbed = None
                for kind in args.kind:
                    o = disturb(server, variant, kind, args.n or KINDS[kind][0],
                                seed, program, args.messages, name,
                                lambda t: print("  " + t, file=sys.stderr),
                                undisturbed)
                    undisturbed = o.undisturbed
                    outcomes.append(o)
                    print("%s  seed %d" % (o, seed), flush=True)
                    if args.table:
                        with open(args.table, "w") as f:
                            f.write(table(outcomes))
    return 0 if all(o.ok for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
