# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that lies about what is asked and sent: wrong tags, wrong UIDs, lines and
literals without an end, goodbyes in the middle, capabilities that come and go, "+" at
the wrong time. test_lying_answers.py has what it says of mail and folders.

Whatever it says, a run ends in time, with the status that design.md has for it, in
bounded memory, without a sanitizer's report; and what it believed was no reason to lose
or to double anything: when the server is honest again, the next run with the same
ledger makes the mailbox exact.

A lie is a row of LIES (lib/lying.py): to add one, add a row.
`test_lying_server.py Lies.test_NAME` runs one alone.
"""
import time

from harness import main
from lying import (BATCHES, BROKEN, RECOVERS, SINGLES, UNREACHABLE, LyingCase,
                   add_tests, at, both, changes, has_mail, lie)
from scripted import Gone, hang_up, say, say_first, silence, store_and

ENDLESS = 40            # so long a server talks without end

def endless(line):
    """Say it until nobody listens any more."""
    def hook(session, command):
        block = (line + "\r\n").encode() * (1 + (64 << 10) // len(line))
        end = time.monotonic() + ENDLESS
        while time.monotonic() < end:
            session.send(block)
        raise Gone
    return hook


def long_line(beginning="* "):
    """8 MiB, and no end; then it waits."""
    def hook(session, command):
        session.send(beginning.encode() + b"x" * (8 << 20))
        return silence(session, command)
    return hook


def raw(data):
    """These bytes, and then silence: what is announced does not come."""
    def hook(session, command):
        session.send(data.replace(b"{tag}", command.tag.encode()))
        return silence(session, command)
    return hook


def says_and_stores(*lines):
    return store_and(say(*lines))


def unread(line):
    """Say it, and take no more bytes of the client's."""
    def hook(session, command):
        say(line)(session, command)
        time.sleep(2)
        raise Gone
    return hook


def cut_body(session, command):
    """BYE in the middle of a message that was asked for."""
    session.send(b"* 1 FETCH (UID 1 BODY[] {1000}\r\nReceived: half")
    return hang_up("", "* BYE enough")(session, command)


LIES = [
    # tags
    lie("wrong_tag", "an answer to a command that nobody gave", BATCHES,
        at("CAPABILITY", say("nobody OK done")), RECOVERS | BROKEN),
    lie("wrong_tag_select", "the same while folders are opened", BATCHES,
        at("SELECT", say("M999 OK done")), RECOVERS | BROKEN),
    lie("wrong_tag_append", "the same to APPEND", BATCHES,
        at("APPEND", say("A999 OK done")), BROKEN),
    lie("future_tag", "OK to a command that is still to come", SINGLES,
        at("APPEND", say("A5 OK [APPENDUID 1000 5] done")), BROKEN),
    lie("twice_ok", "a second OK to the same command", BATCHES,
        at("APPEND", says_and_stores("{tag} OK done", "{tag} OK done")), BROKEN),
    lie("no_blank", "a tag and no blank behind it", BATCHES,
        at("APPEND", say("{tag}OK done")), BROKEN),
    lie("leading_zero", "a tag with a zero in front: not ours", BATCHES,
        at("APPEND", say("A01 OK done")), BROKEN),
    lie("okay", "a word that only begins like OK", BATCHES,
        at("APPEND", say("{tag} OKAY done")), BROKEN),
    lie("early_ok", "OK instead of +", SINGLES,
        at("LITERAL", say("{tag} OK [APPENDUID 1000 1] done")), BROKEN),
    lie("early_ok_plus", "OK in the middle of a literal", BATCHES,
        at("LITERAL", unread("{tag} OK [APPENDUID 1000 1] done")), BROKEN, big=True),

    # APPENDUID
    lie("uids_reversed", "a range that goes down means the same (RFC 4315)", BATCHES,
        changes(r"(APPENDUID \d+) (\d+):(\d+)", r"\1 \3:\2", None), RECOVERS),
    lie("uids_missing", "UIDPLUS is offered, and no UID told", BATCHES,
        changes(r"\[APPENDUID [^]]*\] ", "", None), RECOVERS),
    lie("uids_many", "more UIDs than messages", BATCHES,
        changes(r"(APPENDUID \d+) (\d+)", r"\1 \2,90:99", None), RECOVERS),
    lie("uids_few", "fewer UIDs than messages", BATCHES,
        changes(r"(APPENDUID \d+ \d+):\d+", r"\1", None), RECOVERS),
    lie("uids_zero", "the UID 0", BATCHES,
        changes(r"(APPENDUID \d+) [\d:]+", r"\1 0:2", None), RECOVERS),
    lie("uids_huge", "UIDs beyond 32 bits", BATCHES,
        changes(r"(APPENDUID \d+) [\d:]+", r"\1 4294967295:4294967297", None),
        RECOVERS),
    lie("uids_enormous", "UIDs beyond every number", SINGLES,
        changes(r"(APPENDUID \d+) [\d:]+", r"\1 " + 30 * "9", None), RECOVERS),
    lie("uids_backwards", "UIDs in another order than the mail", BATCHES,
        changes(r"(APPENDUID \d+) [\d:]+", r"\1 3,2,1", None), RECOVERS),
    lie("uids_elsewhere", "the UIDVALIDITY of some other folder", BATCHES,
        changes(r"APPENDUID \d+", r"APPENDUID 77", None), RECOVERS),
    lie("uids_unended", "a code that does not end", BATCHES,
        changes(r"(APPENDUID [\d :]+)\]", r"\1", None), RECOVERS),
    lie("uids_letters", "no number at all", BATCHES,
        changes(r"(APPENDUID) [\d :]+", r"\1 one:three", None), RECOVERS),

    # lines and literals without an end
    lie("long_greeting", "a greeting of 8 MiB", BATCHES,
        at("GREETING", long_line("* OK ")), BROKEN),
    lie("long_capability", "8 MiB of capabilities in a line", BATCHES,
        at("CAPABILITY", long_line("* CAPABILITY ")), BROKEN),
    lie("long_login", "8 MiB instead of a word about the login", BATCHES,
        at("LOGIN", long_line("L1 OK ")), BROKEN),
    lie("long_list", "a folder's name of 8 MiB", BATCHES,
        at("LIST", long_line('* LIST () "/" "')), BROKEN),
    lie("long_select", "8 MiB of flags", BATCHES,
        at("SELECT", long_line("* FLAGS (")), BROKEN),
    lie("long_append", "8 MiB behind APPEND", BATCHES,
        at("APPEND", long_line("A1 OK ")), BROKEN),
    lie("long_fetch", "8 MiB in a FETCH", BATCHES,
        both(has_mail, at("UID FETCH", long_line("* 1 FETCH (FLAGS ("))), BROKEN),
    lie("literal_list", "a name of 4 GiB", BATCHES,
        at("LIST", raw(b'* LIST () "/" {4294967295}\r\n')), BROKEN),
    lie("literal_64bit", "a name of as many bytes as a number can say", BATCHES,
        at("LIST", raw(b'* LIST () "/" {18446744073709551615}\r\n')), BROKEN),
    lie("literal_wraps", "a number that wraps around", BATCHES,
        at("LIST", raw(b'* LIST () "/" {18446744073709551626}\r\n')), BROKEN),
    lie("literal_capability", "a literal where there is none", BATCHES,
        at("CAPABILITY", raw(b"* CAPABILITY {4294967295}\r\n")), BROKEN),
    lie("literal_select", "4 GiB of flags, no end of it", BATCHES,
        at("SELECT", raw(b"* FLAGS {18446744073709551615}\r\n")), BROKEN),
    lie("literal_append", "an untagged answer with a literal of 16 EiB", BATCHES,
        at("APPEND", raw(b"* X {18446744073709551615}\r\n")), BROKEN),
    lie("literal_fetch", "a message of 16 EiB", BATCHES,
        both(has_mail, at("UID FETCH", raw(
            b"* 1 FETCH (UID 1 BODY[] {18446744073709551615}\r\n"))), BROKEN),
    lie("literal_negative", "a literal of -1 bytes", BATCHES,
        both(has_mail, at("UID FETCH", raw(
            b"* 1 FETCH (UID 1 BODY[] {-1}\r\n"))), BROKEN),
    lie("literal_in_text", "{12} at the end of words is no literal", BATCHES,
        at("APPEND", say_first("* OK we are in building {12}")), RECOVERS),
    lie("endless_capability", "untagged answers without end", BATCHES,
        at("CAPABILITY", endless("* OK still here")), BROKEN),
    lie("endless_words", "the same in longer lines", BATCHES,
        at("CAPABILITY", endless("* OK " + 300 * "x")), BROKEN),
    lie("endless_list", "folders without end", BATCHES,
        at("LIST", endless('* LIST () "/" "one more"')), BROKEN),
    lie("endless_login", "no end of talk before the login is answered", BATCHES,
        at("LOGIN", endless("* OK still here")), BROKEN),
    lie("endless_select", "EXISTS without end", BATCHES,
        at("SELECT", endless("* 3 EXISTS")), BROKEN),
    lie("endless_append", "talk without end, and no answer", BATCHES,
        at("APPEND", endless("* OK still here")), BROKEN),
    lie("endless_fetch", "flags that change without end", BATCHES,
        both(has_mail, at("UID FETCH", endless("* 1 FETCH (FLAGS ())"))), BROKEN),

    # goodbyes
    lie("bye_after_login", "BYE instead of capabilities", BATCHES,
        at("LIST", hang_up("* BYE see you")), RECOVERS | {UNREACHABLE}),
    lie("gone_after_login", "let in, and then nobody is there", BATCHES,
        at("LOGIN", lambda session, command: session.carry_out(command) or hang_up()(
            session, command)), RECOVERS | {UNREACHABLE}),
    lie("bye_literal", "BYE instead of +", SINGLES,
        at("LITERAL", hang_up("* BYE see you")), RECOVERS),
    lie("bye_in_literal", "BYE in the middle of a literal", BATCHES,
        at("LITERAL", hang_up("* BYE see you")), RECOVERS, big=True),
    lie("bye_stored", "stored, and BYE instead of OK", BATCHES,
        at("APPEND", store_and(hang_up("* BYE see you"))), RECOVERS),
    lie("gone_stored", "stored, and gone without a word", SINGLES,
        at("APPEND", store_and(hang_up())), RECOVERS),
    lie("half_answer", "half of the OK", BATCHES,
        at("APPEND", store_and(
            lambda session, command: session.send(b"A1 O") or hang_up()(
                session, command))), RECOVERS),
    lie("bye_in_body", "BYE in the middle of a message that is looked at", BATCHES,
        both(has_mail, at("UID FETCH", cut_body)), RECOVERS),

    # capabilities
    lie("less_after_login", "what was offered is gone after the login",
        BATCHES, lambda server: None, RECOVERS, after="IDLE", honest=True),
    lie("more_after_login", "it can do more after the login",
        "", lambda server: None, RECOVERS, after=BATCHES + " ID NAMESPACE",
        honest=True),
    lie("capability_in_ok", "capabilities in the OK of LOGIN that it has not got",
        "", at("LOGIN", lambda session, command: setattr(session, "user", "user") or
               say("{tag} OK [CAPABILITY IMAP4rev1 MULTIAPPEND LITERAL+] hi")(
                   session, command)), RECOVERS),
    lie("no_capabilities", "an answer to CAPABILITY that has none", BATCHES,
        at("CAPABILITY", say("{tag} OK done")), BROKEN),

    # plus
    lie("plus_select", "+ where nothing is to come", BATCHES,
        at("SELECT", say_first("+ go on")), RECOVERS | BROKEN),
    lie("plus_capability", "+ to a command without a literal", BATCHES,
        at("CAPABILITY", say_first("+ go on")), RECOVERS | BROKEN),
    lie("plus_append", "+ to a literal that did not wait for it", BATCHES,
        at("APPEND", say_first("+ go on")), BROKEN),
    lie("plus_twice", "+ before it is due", SINGLES,
        at("LITERAL", say_first("+ go on", "+ go on")), BROKEN | RECOVERS),
    lie("plus_never", "no + for a literal that waits for it", SINGLES,
        at("LITERAL", silence), RECOVERS, timeout=2),
]


class Lies(LyingCase):
    pass


add_tests(Lies, LIES)

if __name__ == "__main__":
    main()
