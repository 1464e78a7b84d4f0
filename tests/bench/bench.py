# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the measuring programs beside it: building, timing, tables."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
sys.dont_write_bytecode = True


def shell(function, *args):
    """A function of scripts/lib.sh."""
    subprocess.run(["bash", "-c", '. "$0"; "$@"',
                    os.path.join(ROOT, "scripts", "lib.sh"), function, *args],
                   check=True, stdout=sys.stderr)


def mailhaul():
    path = os.environ.get("MAILHAUL")
    if path:
        return os.path.abspath(path)
    shell("build_preset", "release")
    return os.path.join(ROOT, "build", "release", "cmd", "mailhaul")


def compiled(name, *libraries):
    out = os.path.join(ROOT, "build", "bench")
    os.makedirs(out, exist_ok=True)
    binary = os.path.join(out, name)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2",
                    "-Wall", "-Wextra", os.path.join(HERE, name + ".c"),
                    "-o", binary, *libraries], check=True)
    return binary


def first_line(*argv):
    """What a program says of its version, or "none"."""
    try:
        said = subprocess.run(argv, capture_output=True, text=True).stdout
    except OSError:
        said = ""
    return said.splitlines()[0] if said else "none"


def machine(program):
    """What a table is of: figures without it say nothing."""
    cpu = memory = "?"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
    with open("/proc/meminfo") as f:
        memory = "%.0f GiB" % (int(f.readline().split()[1]) / 2**20)
    return "%d x %s, %s, Linux %s, load %.1f; %s; Dovecot %s; %s" % (
        len(os.sched_getaffinity(0)), cpu, memory, os.uname().release,
        os.getloadavg()[0], first_line(program, "--version"),
        first_line("dovecot", "--version"), first_line("mbsync", "--version"))


def deflated(path):
    """What of the first MiB is left when it is compressed."""
    with open(path, "rb") as f:
        data = f.read(1 << 20)
    return len(zlib.compress(data, 6)) / max(1, len(data))


def scratch():
    """A folder in memory, where there is one: disks differ, and are not measured."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    if where is None:
        print("no /dev/shm: everything lies on disk")
    folder = tempfile.mkdtemp(prefix="mh-bench-", dir=where)
    os.chmod(folder, 0o755)
    return folder


class Run:
    def __init__(self, wall, usage, peak, out):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = peak / 1024
        self.out = out


class Peak(threading.Thread):
    """The most memory a process or one of its children had, in KiB. ru_maxrss would not
    do: it begins with what the process that started it had. Nor would the sum: a child
    shares its pages."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.kib = pid, 0
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            try:
                with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as f:
                    family = [self.pid, *map(int, f.read().split())]
            except OSError:
                return
            for pid in family:
                self.look_at(pid)

    def look_at(self, pid):
        try:
            with open("/proc/%d/status" % pid) as f:
                for line in f:
                    if line.startswith("VmHWM:"):
                        self.kib = max(self.kib, int(line.split()[1]))
        except OSError:
            pass


def timed(argv, env=None, want=0):
    """Run argv to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, env=dict(os.environ, **(env or {})))
        peak = Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        peak.over.set()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = out.read().decode("utf-8", "replace")
        if process.returncode != want:
            sys.exit("%s\nended with %d\n%s\n%s" % (
                " ".join(argv), process.returncode, said[-2000:],
                err.read().decode("utf-8", "replace")[-2000:]))
    return Run(wall, usage, peak.kib, said)


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else \
        (values[middle - 1] + values[middle]) / 2


def table(head, rows):
    rows = [head] + rows
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(str(cell).ljust(w) if i < 2 else str(cell).rjust(w)
                        for i, (cell, w) in enumerate(zip(row, widths))))


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
