# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles that Thunderbird itself wrote, against what Thunderbird itself said of them
(tests/fixtures/truth-*.json): every live message in its folder with its bytes and flags,
and nothing that was deleted."""
import collections
import json
import os
import re

import makemail
from dovecot import SPECIAL
from harness import Case, by_folder, main
from makemail import FIXTURES, thunderbird
from onserver import nfc, wire_name

USES = {"SentMail": "Sent", "Drafts": "Drafts", "Trash": "Trash", "Junk": "Junk",
        "Archive": "Archive"}

# Flags that a message has exactly when Thunderbird shows it so.
SHOWN = {"Read": "\\Seen", "Replied": "\\Answered", "Marked": "\\Flagged",
         "Forwarded": "$Forwarded"}

# Said about a message by Thunderbird's databases, but no tag of the person's.
NOT_TAGS = {"$mdnsent", "$junk", "$notjunk", "junk", "nonjunk", "notjunk",
            "$forwarded"}


def truth(kind):
    with open(os.path.join(FIXTURES, "truth-%s.json" % kind)) as f:
        return json.load(f)


class Profiles:
    """The same checks for every store and separator."""

    special = SPECIAL
    refused = "/"  # the separator, and what else the server does not take

    def target_folder(self, path, uses):
        """Where a folder belongs: uses holds what the top folder is for."""
        parts = [wire_name(part, self.refused) for part in path]
        use = uses.get(path[0])
        if use == "Inbox":
            parts[0] = "INBOX"
        elif use:
            parts[0] = wire_name(self.special[use], self.refused)
        return "/".join(parts)

    def expected(self, kind):
        """{folder: {hash of the bytes: [message, ...]}}"""
        told = truth(kind)
        uses = {}
        for folder in told["folders"]:
            if len(folder["path"]) == 1:
                for name in folder["flagNames"]:
                    if name == "Inbox" or name in USES:
                        uses[folder["path"][0]] = USES.get(name, name)
        want = collections.defaultdict(lambda: collections.defaultdict(list))
        for folder in told["folders"]:
            name = self.target_folder(folder["path"], uses)
            for m in folder["messages"]:
                want[name][m["stored"]["messageLfSha256"]].append(m)
        return want

    def check(self, kind):
        profile = thunderbird(self.path("tb"), kind)
        summary = self.migrate("thunderbird:" + profile).summary
        there = self.mails(keep_raw=True)
        want = self.expected(kind)
        folders = by_folder(there)
        problems = []
        for name, messages in sorted(want.items()):
            there_now = [(m, self.digest(m, messages))
                         for m in folders.get(name, [])]
            found = collections.Counter(digest for _, digest in there_now)
            for digest, said in messages.items():
                # Copies that are the same byte for byte are kept once a folder.
                if found[digest] != 1:
                    problems.append("%s: %d times %s" % (
                        name, found[digest],
                        [(m["fixtureId"], m["subject"]) for m in said]))
            for m, digest in there_now:
                if digest not in messages:
                    problems.append("%s: unexpected %r" % (name, m.raw[:300]))
                else:
                    problems += self.flag_problems(m, messages[digest])
        self.assertEqual(problems, [], "\n".join(problems[:20]))
        self.check_nothing_dead(kind, there, want)
        live = sum(len(said) for f in want.values() for said in f.values())
        doubles = live - sum(len(f) for f in want.values())
        self.assertEqual(live, 111)
        self.assertEqual(summary.duplicate, doubles, summary)
        self.assertEqual(summary.failed, 0, summary)
        proof = self.run_program("verify", "--full", *self.options(),
                                 self.dovecot.target(self.user))
        # The NUL that is none any more on the server is told, and nothing else.
        odd = {e["message_id"] for e in proof.events if e["event"] == "finding"}
        self.assertLessEqual(odd, {"c035.nul-byte@fixture.example"}, str(proof))
        self.assertEqual(proof.code, 1 if odd else 0, str(proof))

    @staticmethod
    def digest(mail, messages):
        """Dovecot stores NUL as 0x80, however it is sent."""
        if mail.sha256 in messages:
            return mail.sha256
        return makemail.sha256(mail.raw.replace(b"\x80", b"\0"))

    def flag_problems(self, mail, said):
        """Flags of copies that became one are united."""
        flags = {f.lower() for f in mail.flags}
        for shown, flag in SHOWN.items():
            want = any(shown in m["flagNames"] for m in said)
            if want != (flag.lower() in flags):
                yield "%s %s: %s is %s" % (mail.folder, said[0]["fixtureId"],
                                           flag, not want)
        if any(m["junkscore"] == "100" for m in said) != ("$junk" in flags):
            yield "%s %s: $Junk is %s" % (mail.folder, said[0]["fixtureId"],
                                          "$junk" in flags)
        tags = {k.lower() for m in said for k in m["keywords"]}
        got = {f for f in flags if not f.startswith("\\")} - NOT_TAGS
        if tags - NOT_TAGS != got:
            yield "%s %s: tags %s, not %s" % (mail.folder, said[0]["fixtureId"],
                                              sorted(got), sorted(tags))

    def check_nothing_dead(self, kind, there, want):
        """What Thunderbird had deleted is nowhere, unless it lives in that folder."""
        for m in there:
            self.assertNotIn(b"SECRET-PURGED", m.raw, m.folder)
        dead = {}
        for folder in truth(kind)["folders"]:
            for segment in folder.get("deadSegments", []):
                live = {m["fixtureId"] for m in folder["messages"]} | \
                       {m["messageId"] for m in folder["messages"]}
                for key in ("fixtureId", "messageId"):
                    value = (segment[key] or "").strip("<>")
                    if value and value not in live:
                        dead.setdefault(nfc(folder["path"][-1]), set()).add(value)
        if kind == "mbox":
            self.assertGreater(sum(map(len, dead.values())), 10, "none to look for")
        for m in there:
            head = m.raw.split(b"\r\n\r\n")[0].decode("latin-1")
            for value in dead.get(m.folder.split("/")[-1].replace("INBOX", "Inbox"),
                                  ()):
                self.assertNotRegex(
                    head, r"(?im)^(Message-ID|X-Fixture-Id):\s*<?%s>?\s*$"
                    % re.escape(value), m.folder)

    def test_mbox(self):
        self.check("mbox")

    def test_maildir(self):
        self.check("maildir")

    def test_compacted(self):
        self.check("compacted")


class Slash(Profiles, Case):
    """Special folders that go by other names than Thunderbird's."""

    special = {"Drafts": "Entwurf", "Sent": "Sent Items", "Trash": "Deleted Items",
               "Junk": "Spam", "Archive": "Archive"}
    server = {"separator": "/", "format": "mdbox", "special": special}


class Dot(Profiles, Case):
    refused = "./"  # Dovecot refuses '/' in any name
    server = {"separator": ".", "format": "maildir"}


class SlashOverDots(Profiles, Case):
    """'/' between the parts, and a store that has '.' between them on disk: Dovecot
    refuses either in a name."""

    refused = "./"
    server = {"separator": "/", "format": "maildir"}


class Lost(Case):
    server = {"separator": "/", "format": "mdbox"}

    def test_mail_thunderbird_lost_sight_of_is_told(self):
        """Folders on disk that Thunderbird does not show: none is passed over in
        silence."""
        profile = thunderbird(self.path("tb"), "mbox")
        result = self.run_program("scan", "thunderbird:" + profile)
        self.assertEqual(result.code, 0, str(result))
        for name in ("foo.msf", "data.sbd"):
            self.assertIn(name, result.out + result.err)

    def test_mail_left_on_the_server_is_told(self):
        profile = thunderbird(self.path("tb"), "mbox")
        result = self.run_program("scan", "thunderbird:" + profile)
        self.assertIn("64 messages were still on the server pop.example.jp",
                      result.out + result.err)

    def test_an_index_that_changes_alone_costs_no_reading(self):
        """Looking at a folder writes its .msf; the mail is as it was."""
        profile = thunderbird(self.path("tb"), "mbox")
        first = self.migrate("thunderbird:" + profile).summary
        for place, _, names in os.walk(profile):
            for name in names:
                if name.endswith(".msf") and name != "foo.msf":  # an mbox
                    with open(os.path.join(place, name), "ab") as f:
                        f.write(b"\n@$${FF0{@\n@$$}FF0}@\n")
        second = self.migrate("thunderbird:" + profile).summary
        self.assertGreater(first.bytes_read, 1000000)
        self.assertEqual(second.bytes_read, 0, second)
        self.assertEqual(second.uploaded, 0, second)
        self.assertEqual(second.already + second.duplicate + second.skipped,
                         second.found, second)
        self.assertEqual(second.found, first.found, second)

    def test_a_tag_given_later_arrives(self):
        """What only the index says of a message that was sent long ago."""
        profile = thunderbird(self.path("tb"), "maildir")
        self.migrate("thunderbird:" + profile)
        before = [m.flags for m in self.mails() if m.folder == "CON"]
        for place, _, names in os.walk(profile):
            if "CON.msf" in names:
                path = os.path.join(place, "CON.msf")
        with open(path, "rb") as f:
            text = f.read()
        ids = {name: key for key, name in
               re.findall(rb"\(([0-9A-F]+)=([\w:-]+)\)", text)}
        # The row of its one message, with all tags taken away but a new one.
        row = re.search(rb"\{1:\^%s [^\[]*\[([0-9A-F]+)\(" %
                        ids[b"ns:msg:db:row:scope:msgs:all"], text).group(1)
        with open(path, "ab") as f:
            f.write(b"\n@$${FF0{@\n[%s:^%s(^%s=$label1 later)]\n@$$}FF0}@\n" % (
                row, ids[b"ns:msg:db:row:scope:msgs:all"], ids[b"keywords"]))
        self.migrate("thunderbird:" + profile)
        after = [m.flags for m in self.mails() if m.folder == "CON"]
        self.assertEqual(len(before), 1)
        self.assertEqual(len(after), 1)
        self.assertNotIn("later", before[0])
        self.assertIn("later", after[0])

    def test_both_profiles_are_one_mailbox(self):
        """The same mail from the mbox and the maildir store: sent once."""
        first = self.migrate(thunderbird(self.path("a"), "mbox")).summary
        second = self.migrate(thunderbird(self.path("b"), "compacted")).summary
        self.assertGreater(first.uploaded, 100)
        # Folders whose real name only the first profile knows come again.
        self.assertLess(second.uploaded, 15, second)


if __name__ == "__main__":
    main()
