# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is where the person put it and on the wire, and nowhere else (M7): not on a
command line, in an environment we hand on, in the ledger, in a log or in an error."""
import base64
import os
import re
import shutil
import subprocess

from harness import Case, main
from makemail import maildir

MARK = "Geh3im-MARKE-zq7Xw"
TOKEN = "ya29.T0ken-MARKE-kk41Lp"


def forms(secret, user=""):
    """The ways a secret could be written down."""
    raw = secret.encode()
    whole = [raw, base64.b64encode(raw).rstrip(b"="), raw.hex().encode(), raw[::-1]]
    for before in (b"\0%s\0" % user.encode(), b"%s\0%s\0" % ((user.encode(),) * 2),
                   b"user=%s\x01auth=Bearer " % user.encode()):
        coded = base64.b64encode(before + raw)
        # Without the ends, which depend on what surrounds it.
        whole.append(coded[len(base64.b64encode(before)):-4])
    return [w for w in whole if len(w) >= 8]


class Secrets(Case):
    server = {"separator": "/", "password": MARK,
              "extra": "auth_mechanisms = plain login xoauth2 oauthbearer\n"}

    def setUp(self):
        super().setUp()
        self.box = maildir(self.path("Maildir"), {"": 4, ".Work": 2})
        self.tracer = shutil.which("strace")
        if self.tracer and subprocess.run(
                [self.tracer, "-o", os.devnull, "true"],
                stderr=subprocess.DEVNULL).returncode:
            self.tracer = None

    def trace(self, *args, secret=MARK, in_our_environment=False, want=0, **how):
        """Run it under a tracer and look for the secret everywhere."""
        trace = self.path("trace")
        wrapper = []
        if self.tracer:
            wrapper = [self.tracer, "-f", "-v", "-s", "65536", "-o", trace,
                       "-e", "trace=execve,execveat,write,writev,pwrite64,openat"]
        result = self.run_program(*args, wrapper=wrapper, **how)
        if want is not None:
            self.assertEqual(result.code, want, result.err)
        self.look(result, secret)
        if self.tracer:
            self.look_at_trace(trace, secret, in_our_environment)
        return result

    def look(self, result, secret):
        places = {"standard output": result.raw_out, "standard error": result.raw_err}
        for folder, _, files in os.walk(self.folder):
            for name in files:
                path = os.path.join(folder, name)
                if path.startswith((self.box, self.path("put"), self.path("trace"))):
                    continue
                with open(path, "rb") as f:
                    places[path] = f.read()
        for place, data in places.items():
            for form in forms(secret, self.user):
                self.assertNotIn(form, data, place)

    def look_at_trace(self, trace, secret, in_our_environment):
        with open(trace, errors="replace") as f:
            lines = f.read().splitlines()
        runs = [l for l in lines if re.search(r"\bexecve(at)?\(", l)]
        self.assertGreater(len(runs), 0)
        # The first is ourselves, with the environment the person gave us.
        for line in runs[1:] if in_our_environment else runs:
            self.assertNotIn(secret, line)
        # What we write in plain sight: with TLS, nothing of it. A command that
        # prints a password is another program.
        others = {line.split()[0] for line in runs[1:]}
        for line in lines:
            if "write" in line and line.split()[0] not in others:
                self.assertNotIn(secret, line)

    def common(self):
        return ["--ledger", self.ledger, "--ca-file", self.dovecot.ca_file]

    def migrate_args(self, *more, target=None):
        return ["migrate", "-v", "-v", "-v", *self.common(), *more, self.box,
                target or self.dovecot.target(self.user)]

    def put_secret(self, secret=MARK, name="put"):
        with open(self.path(name), "w") as f:
            f.write(secret + "\n")
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    def test_password_file(self):
        self.trace(*self.migrate_args("--password-file", self.put_secret()),
                   password=None)
        self.assertEqual(sum(self.on_server().values()), 6)

    def test_password_command(self):
        self.put_secret()
        self.trace(*self.migrate_args("--json", "--password-command",
                                      "cat '%s'" % self.path("put")),
                   password=None, want=0)
        self.assertEqual(sum(self.on_server().values()), 6)

    def test_password_in_the_environment(self):
        """It is ours: programs that we start do not get it."""
        self.put_secret("x")
        self.trace(*self.migrate_args(), password=MARK, in_our_environment=True)
        self.assertEqual(sum(self.on_server().values()), 6)

    def test_children_do_not_inherit_it(self):
        seen = self.path("put-seen")
        self.run_program(
            *self.migrate_args("--token-command", "env > '%s'; echo x" % seen),
            password=MARK)
        if os.path.exists(seen):
            with open(seen) as f:
                self.assertNotIn(MARK, f.read())

    def test_starttls(self):
        self.trace(*self.migrate_args(
            "--password-file", self.put_secret(),
            target=self.dovecot.target(self.user, "imap", host="localhost")),
            password=None)

    def test_plain_text_with_all_that_is_said_shown(self):
        """The conversation is shown with -vvv; the secret is not."""
        result = self.run_program(
            *self.migrate_args("--plaintext", "--password-file", self.put_secret(),
                               target=self.dovecot.target(self.user, "imap")),
            password=None)
        self.assertEqual(result.code, 0, str(result))
        self.assertIn("CAPABILITY", result.err)
        self.look(result, MARK)

    def test_wrong_password(self):
        self.trace(*self.migrate_args("--password-file",
                                      self.put_secret("wrong-" + TOKEN)),
                   secret=TOKEN, password=None, want=77)

    def test_token(self):
        self.put_secret(TOKEN)
        result = self.trace(*self.migrate_args("--token-command",
                                               "cat '%s'" % self.path("put")),
                            secret=TOKEN, password=None, want=None)
        self.assertIn(result.code, (69, 75, 77), str(result))

    def test_other_commands(self):
        file = self.put_secret()
        self.trace(*self.migrate_args("--password-file", file), password=None)
        for command in (["status", "-v", "-v", "--ledger", self.ledger],
                        ["verify", "-v", "-v", "-v", "--full", *self.common(),
                         "--password-file", file,
                         self.dovecot.target(self.user)]):
            with self.subTest(command[0]):
                self.trace(*command, password=None)

    def test_ledger_is_private(self):
        old = os.umask(0)
        try:
            env = {"XDG_STATE_HOME": self.path("state")}
            result = self.run_program(
                "migrate", "--ca-file", self.dovecot.ca_file, self.box,
                self.dovecot.target(self.user), password=MARK, env=env)
        finally:
            os.umask(old)
        self.assertEqual(result.code, 0, str(result))
        ledger = self.path("state", "mailhaul", self.user + "@127.0.0.1.db")
        self.assertTrue(os.path.exists(ledger), os.listdir(self.path("state")))
        for folder, folders, files in os.walk(self.path("state", "mailhaul")):
            self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700, folder)
            for name in files:
                mode = os.stat(os.path.join(folder, name)).st_mode & 0o777
                self.assertEqual(mode, 0o600, name)

    def test_password_in_the_target_is_refused_and_not_repeated(self):
        result = self.run_program("migrate", self.box,
                                  "imaps://u:%s@127.0.0.1" % MARK, password=None)
        self.assertEqual(result.code, 64)
        self.assertNotIn(MARK, result.out + result.err)


if __name__ == "__main__":
    main()
