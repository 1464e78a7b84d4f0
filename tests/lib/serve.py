# SPDX-License-Identifier: GPL-3.0-or-later
"""A private server for scripts/demo, and a look at what is on it.

usage: serve.py run FOLDER    serve until killed; FOLDER/ready then says how to get in
       serve.py list FOLDER   a table of the folders there
       serve.py count FOLDER  how many messages there are
"""
import json
import os
import signal
import sys
import unicodedata

import dovecot
import onserver

USER = "taro@example.jp"


def run(folder):
    server = dovecot.Dovecot(folder=os.path.join(folder, "dovecot"), format="sdbox",
                             fsync=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the demo ends us
    try:
        server.start()
        ready = {"target": server.target(USER), "ca_file": server.ca_file,
                 "port": server.port, "password": server.password}
        with open(os.path.join(folder, "password"), "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(server.password + "\n")
        with open(os.path.join(folder, "ready.new"), "w") as f:
            json.dump(ready, f)
        os.rename(os.path.join(folder, "ready.new"), os.path.join(folder, "ready"))
        while True:
            signal.pause()
    finally:
        server.stop()


def connect(folder):
    with open(os.path.join(folder, "ready")) as f:
        ready = json.load(f)
    server = dovecot.Dovecot(folder=os.path.join(folder, "dovecot"))
    server.port, server.password = ready["port"], ready["password"]
    return server.imap(USER)


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
               if not unicodedata.combining(c))


def table(folder):
    connection = connect(folder)
    total = unread = 0
    print("   %-48s %8s %8s" % ("folder", "messages", "unread"))
    for name, wire in sorted(onserver.folders(connection).items()):
        n = onserver.select(connection, wire)
        new = len(connection.search(None, "UNSEEN")[1][0].split())
        if columns(name) > 48:
            while columns(name) > 47:
                name = name[:-1]
            name += "…"
        print("   %s%s %8d %8d" % (name, " " * (48 - columns(name)), n, new))
        total += n
        unread += new
    print("   %-48s %8d %8d" % ("all", total, unread))


def count(folder):
    connection = connect(folder)
    print(sum(onserver.select(connection, wire)
              for wire in onserver.folders(connection).values()))


if __name__ == "__main__":
    {"run": run, "list": table, "count": count}[sys.argv[1]](sys.argv[2])
