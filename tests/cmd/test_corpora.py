# SPDX-License-Identifier: GPL-3.0-or-later
"""scan over the mail of other people's programs (../shared/corpora, where it is there):
how many messages each set holds is known from elsewhere, and nothing breaks."""
import collections
import os
import re
import unittest

from harness import Case, main
from makemail import CORPORA

# A set, or what of it is given: FORMAT:PATH, or PATH to have it found. found: messages;
# fewer: how many of them are not brought over, as copies of others in their folder or
# because they cannot be. told: lines of remarks that name mail which is left out.
Row = collections.namedtuple("Row", "source found fewer told why", defaults=(0, 0, ""))

TRUTH = (
    Row("dbx-perl", 1, why="Mail::Transport::Dbx's t/2.t: msgcount is 1"),
    Row("email-folder", 37,
        why="its mboxes of 10, 10 and 3, 10 in cur and new (1 in tmp is none), 4 of MH"),
    Row("mbox:email-folder/mboxes/mboxcl2", 3,
        why="four lines begin with From_, Content-Length says that one is text"),
    Row("mbox:email-folder/mboxes/testmbox.empty", 0, why="it is empty"),
    Row("emlx-kigster", 4, why="4 files, one with a time that is none"),
    Row("emlx-small", 2, why="2 files"),
    Row("gyb-takeout", 50, 2,
        why="separators: 39 and 11; three of the 11 differ in how a Subject is folded"),
    Row("eml:hunny-mua-samples", 62, why="62 files"),
    Row("imaptest", 191, 18,
        why="every From_ line begins a message; Dovecot's tests repeat short ones"),
    Row("kde-mailimporter", 93,
        why="Evolution: From_ lines 8, 6, 9, 13, 8; Sylpheed: 49 files with numbers"),
    Row("mh:kde-mailimporter/sylpheed/Mail", 49, why="files with numbers"),
    Row("mail-deduplicate", 4, 1, why="4 files, two of them the same"),
    Row("mailutils", 111, 5,
        why="5 as mbox, 5 as MH, 5 as Maildir, and 1 and 95 separators"),
    Row("mbox-messageparser", 51, 17,
        why="14 and its twin, 5 and its three packed twins, 3; in the 14 there are two "
            "more separators inside of message/rfc822 parts"),
    Row("mbox:mbox-messageparser/mailarc-1.txt", 14, 1, why="as said"),
    Row("mbox:mbox-messageparser/mailarc-2.txt.gz", 5, why="packed"),
    Row("mbox:mbox-messageparser/mailarc-2.txt.bz2", 5, why="packed"),
    Row("mbox:mbox-messageparser/mailarc-2.txt.xz", 5, why="packed"),
    Row("mikel-mail", 54, 8, why="54 files; some are twins with other line ends"),
    Row("mime4j-mbox", 5, why="5 separators"),
    Row("mbox:mime4j-mbox", 5, told=5,
        why="the same 5, cut out by hand, are no mboxes"),
    Row("eml:mime4j-mbox", 6, 1,
        why="by name also those, and the mbox, which is then said to be one"),
    Row("mimekit-mbox", 5, why="3, and 2 where a body has a From_ line"),
    Row("eml:mimekit-mbox/messages", 13,
        why="14 files, one of which is rfc2060.txt: a document"),
    Row("neomutt", 1, why="banana.mbox; Maildirs and MH folders are empty"),
    Row("mbox:neomutt/mbox", 1, told=3,
        why="the others are text, or empty, or a directory"),
    Row("notmuch", 43, told=5,
        why="in cur and new; 10 files lie beside them, in 5 folders, and 9 alone"),
    Row("eml:notmuch/duplicate", 9, why="9 files"),
    Row("perl-mail-box", 90, why="45, and its twin with CRLF"),
    Row("pst-javalibpst", 0, told=2, why="contacts and an appointment"),
    Row("sisimai", 29, why="28 files and 1 mbox"),
    Row("mbox:sisimai/mailbox", 1, told=2, why="two files of a byte or three are none"),
    Row("spamassassin-easyham", 694, why="694 files begin with a From_ line"),
    Row("mbox:spamassassin-easyham", 694, told=6, why="6 have none"),
    Row("eml:spamassassin-easyham", 700, why="by name all 700"),
    Row("tika-mail", 12, why="2 and 5 separators, 1 emlx, and OutlookPSTParserTest: "
                             "4 messages in the store"),
    Row("mbox:tb-comm-central/mailnews/test/data/mbox_mboxrd", 2,
        why="MboxTestData.cpp"),
    Row("mbox:tb-comm-central/mailnews/test/data/mbox_modern", 2,
        why="MboxTestData.cpp"),
    Row("mbox:tb-comm-central/mailnews/test/data/mbox_unquoted", 2,
        why="MboxTestData.cpp; a third line begins with From_"),
    Row("mbox:tb-comm-central/mailnews/local/test/unit/data/movemailspool", 3,
        why="three separators"),
)

# Sets whose parts are counted above, and what is said to be left out of them all.
NOT_COUNTED = {
    "tb-comm-central": "one message a file, most with a separator line, some with a "
                       "summary beside: which of them are a store is anybody's guess",
    "mime4j-testmsgs": "messages in files called .msg, as Outlook's are",
}

FORMATS = ("thunderbird", "becky", "dbx", "oembx", "emlx", "wlm", "mh", "eml", "pst",
           "maildir", "mbox")
LEFT_OUT = re.compile(r"left out|lost|not read")


class Corpora(Case):
    @classmethod
    def setUpClass(cls):
        if not os.path.isdir(CORPORA):
            raise unittest.SkipTest("no ../shared/corpora beside the source")
        super().setUpClass()

    def scan(self, source):
        """Scan what is FORMAT:PATH or PATH below the corpora."""
        kind, _, path = source.rpartition(":")
        path = os.path.normpath(os.path.join(CORPORA, path))
        self.assertTrue(os.path.exists(path), path)
        return self.run_program("scan", "--json", kind + ":" + path if kind else path)

    def check_totals(self, result):
        """The summary is that of the folders, and what is not brought has a reason."""
        self.assertIn(result.code, (0, 1), str(result))
        summary = result.summary  # which adds up
        folders = [e for e in result.events if e["event"] == "folder"]
        self.assertEqual(summary.found, sum(e["found"] for e in folders))
        self.assertEqual(summary.already, 0)
        for event in result.events:
            if event["event"] == "message" and event["state"] in ("failed", "skipped"):
                self.assertTrue(event["reason"], event)
        return summary

    def test_truth(self):
        for row in TRUTH:
            with self.subTest(row.source, why=row.why):
                result = self.scan(row.source)
                summary = self.check_totals(result)
                self.assertEqual(summary.found, row.found, str(result))
                self.assertEqual(summary.found - summary.uploaded, row.fewer,
                                 str(result))
                told = [e["text"] for e in result.events if e["event"] == "remark"
                        and LEFT_OUT.search(e["text"])
                        and "SOURCES.txt" not in e["text"]]
                if row.told:
                    self.assertEqual(len(told), row.told, told)

    def test_every_set_has_a_row(self):
        rows = {row.source.rpartition(":")[2].split("/")[0] for row in TRUTH}
        sets = {name for name in os.listdir(CORPORA)
                if os.path.isdir(os.path.join(CORPORA, name))}
        self.assertEqual(sets - rows - set(NOT_COUNTED), set())
        self.assertEqual(set(NOT_COUNTED) - sets, set())

    def test_every_format_reads_everything(self):
        """Every format over all of it: whatever it takes for its own, it adds up."""
        for name in FORMATS:
            with self.subTest(name):
                result = self.scan(name + ":")
                if result.code == 66:  # nothing of this kind
                    self.assertEqual(result.summary.found, 0)
                    self.assertOneLine(result.err)
                else:
                    self.check_totals(result)

    def test_everything_at_once(self):
        """What is found without naming a format: at least what the rows say."""
        least = sum(row.found for row in TRUTH if ":" not in row.source)
        result = self.scan("")
        summary = self.check_totals(result)
        self.assertGreaterEqual(summary.found, least)

    def test_formats_are_all_there_are(self):
        result = self.run_program("scan", "nosuch:" + CORPORA)
        self.assertEqual(result.code, 64)
        known = re.search(r"known are ([a-z, ]+?) \(", result.err)
        self.assertEqual(set(re.split(r", | and ", known[1])), set(FORMATS))


if __name__ == "__main__":
    main()
