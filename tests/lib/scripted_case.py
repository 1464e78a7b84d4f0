# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of mailhaul against the scripted server."""
import dovecot
from harness import Case
from scripted import Scripted

BATCHES = "MULTIAPPEND LITERAL+ UIDPLUS"


class ScriptedCase(Case):
    """As Case, with a scripted server in place of a Dovecot: serve() makes it, and the
    last one is meant. Whatever a client may not do fails the test."""

    def serve(self, capabilities=BATCHES, **how):
        self.scripted = Scripted(capabilities, **how).start()
        self.addCleanup(self._stop, self.scripted)
        return self.scripted

    def _stop(self, server):
        server.stop()
        self.assertEqual(server.violations, [])

    def command(self, command, *args, to=None, want=0, port=None, **how):
        target = to or self.scripted.target(self.user)
        if port:    # of a proxy
            target = target.replace(":%d" % self.scripted.port, ":%d" % port)
        result = self.run_program(command, "--json", "--ledger", self.ledger,
                                  *self.scripted.options(), *args, target,
                                  password=dovecot.PASSWORD, **how)
        if want is not None:
            self.assertEqual(result.code, want, str(result))
        return result

    def migrate(self, *args, **how):
        return self.command("migrate", *args, **how)

    def on_server(self, user=None):
        return self.scripted.contents(user or self.user)

    def raws(self, folder="INBOX"):
        """What is in a folder, in the order of the UIDs."""
        return [m.raw for m in self.scripted.account(self.user).find(folder).mails]

    def commands(self, name):
        """All commands of that name, in all sessions."""
        said = [line for s in self.scripted.sessions for line in s.said]
        return [line for line in said if line.split(" ", 1)[-1].startswith(name)]
