# SPDX-License-Identifier: GPL-3.0-or-later
"""The password daemons that Cyrus and Courier ask, as threads of the test: every user
name exists and has one password. So a test that wants an empty mailbox takes a new name,
and there are no lists of users to make.

saslauthd (Cyrus SASL, saslauthd/saslauthd-main.c): four counted strings, user, password,
service and realm, each with two octets of length; the answer is one counted string.

authdaemond (Courier authlib, authdaemond(8)): lines NAME=value about the connection, then
"AUTH LENGTH" and a line end, then LENGTH octets: service, kind, and what the kind has,
lines all of them; for "login" that is user and password. The answer is lines NAME=value
and ".", or FAIL.
"""
import os
import socket
import struct
import threading


class _Daemon:
    def __init__(self, path, answer):
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        os.chmod(path, 0o666)  # those who ask have dropped their privileges
        self._socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._one, args=(connection,),
                             daemon=True).start()

    def _one(self, connection):
        with connection, connection.makefile("rwb") as f:
            connection.settimeout(30)
            try:
                self._answer(f)
                f.flush()
            except (OSError, ValueError, struct.error):
                pass  # it went away, or spoke something else: that is no login

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept up
        except OSError:
            pass
        self._socket.close()


def saslauthd(path, check):
    """check(user, password) says whether the login is right."""
    def counted(f):
        return f.read(struct.unpack(">H", f.read(2))[0]).decode()

    def answer(f):
        user, password, _, _ = (counted(f) for _ in range(4))
        said = b"OK" if check(user, password) else b"NO"
        f.write(struct.pack(">H", len(said)) + said)
    return _Daemon(path, answer)


def authdaemond(path, login):
    """login(user, password) gives {NAME: value}, or None when it is wrong."""
    def answer(f):
        line = f.readline()
        while b"=" in line:
            line = f.readline()
        command, _, length = line.decode().partition(" ")
        asked = f.read(int(length)).decode().split("\n")
        found = None
        if command == "AUTH" and asked[1] == "login":
            found = login(asked[2], asked[3])
        if found is None:
            f.write(b"FAIL\n")
        else:
            f.write("".join("%s=%s\n" % pair for pair in found.items()).encode() +
                    b".\n")
    return _Daemon(path, answer)
